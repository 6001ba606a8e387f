/*
 * run_numbers.c - What the daemon measures while it runs, and who may see it
 */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "service/service.h"

static bool hook_metrics(void *arg, unsigned int family, FILE *out);
static void hook_ctl_metrics(void *arg, ctl_put_fn *put, void *to);
static int64_t slow_of(const struct conf *c, const char *listener);
static void hook_histogram(void *arg, const char *listener, ctl_put_fn *put,
			   void *to);

void run_measure(struct run *r)
{
	handshakes_start(&r->handshakes, &r->bus, loop_now_us);
	r->conf_at = r->started_at;
	r->metrics = (struct metrics){
		.st = r->st,
		.bus = &r->bus,
		.handshakes = &r->handshakes,
		.loop_lag = &r->loop.lag,
		.tun = &r->tun,
		.conf_ok = &r->conf_ok,
		.conf_at = &r->conf_at,
		.started_at = &r->started_at,
	};
	service_report(hook_metrics, &r->metrics);
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

static bool hook_metrics(void *arg, unsigned int family, FILE *out)
{
	return metrics_write(arg, family, out);
}

void run_numbers_hooks(struct ctl_hooks *hooks)
{
	hooks->histogram = hook_histogram;
	hooks->metrics = hook_ctl_metrics;
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

static void hook_ctl_metrics(void *arg, ctl_put_fn *put, void *to)
{
	const struct metrics *m = &((const struct run *)arg)->metrics;
	const struct metrics_family *f;

	for (unsigned int i = 0; (f = metrics_family(i)); i++) {
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		if (!out)
			return;
		(void)metrics_write(m, i, out);
		fclose(out);
		put(to,
		    json_pack("{s:s, s:s, s:s, s:s}", "name", f->name, "type",
			      f->type, "help", f->help, "text", text));
		free(text);
	}
}
