/*
 * run_numbers.c - What the daemon measures while it runs, and who may see it
 */
#include "run.h"

#include <string.h>

static int64_t slow_of(const struct conf *c, const char *listener);
static void hook_histogram(void *arg, const char *listener, ctl_put_fn *put,
			   void *to);

void run_measure(struct run *r)
{
	handshakes_start(&r->handshakes, &r->bus, loop_now_us);
	run_measure_listeners(r);
}

void run_measure_listeners(struct run *r)
{
	struct listener_info info;

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		if (!stack_listener_info(r->st, i, &info))
			info.conf.name[0] = '\0';
		handshakes_listener(&r->handshakes, i, info.conf.name,
				    slow_of(&r->conf, info.conf.name));
	}
}

void run_numbers_hooks(struct ctl_hooks *hooks)
{
	hooks->histogram = hook_histogram;
}

static int64_t slow_of(const struct conf *c, const char *listener)
{
	for (unsigned int i = 0; i < c->nlisteners; i++)
		if (strcmp(c->listeners[i].l.name, listener) == 0)
			return c->listeners[i].slow_handshake_us;
	return 0;
}

static void hook_histogram(void *arg, const char *listener, ctl_put_fn *put,
			   void *to)
{
	const struct handshakes *h = &((const struct run *)arg)->handshakes;

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		const struct handshake_group *g = &h->server[i];

		if (g->name[0] && (!listener || !strcmp(listener, g->name)))
			put(to, handshakes_describe(g, ROLE_SERVER));
	}
	if (!listener)
		put(to, handshakes_describe(&h->client, ROLE_CLIENT));
}
