/*
 * stack_operator.c - What is done to the stack at our side of it
 *
 * The operations of a program that are not packets and not time: what an
 * operator changes and looks at, what an application asks for from outside its
 * callbacks, and memory that is suddenly short.
 */
#include <errno.h>
#include <string.h>

#include "core/tcp_priv.h"
#include "stack_fuzz.h"

#define PAGES_TAG 255 /* no pool of the stack has it */

void op_app(struct fuzz *f)
{
	static const uint32_t appetites[] = {0, 1, 100, 4000, 1 << 20};
	uint8_t what = feed8(&f->in);

	f->appetite = appetites[what % ARRAY_LEN(appetites)];
	f->quota = 1u << (what >> 3 & 15) << 4;
	f->mischief = feed8(&f->in) & 15;
	f->verdict = what & 128 ? feed8(&f->in) % 3 : SYN_ACCEPT;
}

void op_poke(struct fuzz *f)
{
	uint8_t which = feed8(&f->in);

	app_poke(which, feed8(&f->in));
	stack_check(f->st);
}

void operator_listen(struct fuzz *f, const char *name,
		     const struct tcp_service *svc, uint16_t port, bool narrow)
{
	struct stack_listener l = {
		.service = svc,
		.port = port,
		.enabled = true,
		.backlog = f->conf.max_half_open,
		.nodelay = port == APP_ECHO,
	};
	int index;

	if (narrow) {
		l.max_connections = 2;
		l.overflow = OVERFLOW_RESET;
		l.allow[l.nallow++] = (struct ip_prefix){f->conf.host4, 128};
	}
	strcpy(l.name, name);
	index = stack_listen(f->st, &l);
	ASSERT(index >= 0 || index == -EADDRINUSE);
}

void op_listener(struct fuzz *f)
{
	uint8_t how = feed8(&f->in);
	struct listener_info info;

	switch (how % 6) {
	case 0:
		stack_listener_enable(f->st, "echo", how & 128);
		break;
	case 1:
		stack_unlisten(f->st, "discard");
		break;
	case 2:
		operator_listen(f, "discard", &fuzz_discard, APP_DISCARD,
				false);
		break;
	case 3:
		operator_listen(f, "echo", &fuzz_echo, APP_ECHO, false);
		break;
	case 5:
		operator_listen(f, "source", &fuzz_source, APP_SOURCE,
				how & 128);
		break;
	case 4:
		for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++)
			stack_listener_info(f->st, i, &info);
		break;
	}
	stack_check(f->st);
}

static bool look(struct stack *st, struct tcp_conn *c,
		 const struct conn_info *info, void *arg)
{
	const uint8_t *how = arg;

	ASSERT(info->state < TCP_NSTATES);
	ASSERT(info->local_port != 0);
	if (c && *how & 64) {
		if (*how & 32)
			tcp_abort(st, c, CLOSE_ADMIN);
		else
			tcp_close(st, c);
	}
	return !(*how & 16);
}

void op_walk(struct fuzz *f)
{
	uint8_t how = feed8(&f->in);
	uint64_t cursor = 0;
	struct stack_stats stats;

	for (int i = 0; i < 4; i++) {
		if (!stack_walk(f->st, &cursor, 1 + (how & 15), f->now_us, look,
				&how))
			break;
	}
	if (how & 64) {
		for (unsigned int i = 0; i < CONNS_MAX; i++)
			f->conns[i].closed = true;
	}
	stack_stats(f->st, &stats);
	ASSERT(stats.memory_used <= stats.memory);
	stack_check(f->st);
}

void op_reconf(struct fuzz *f)
{
	uint8_t how = feed8(&f->in);

	f->conf.max_half_open = how & 1 ? 2 : 64;
	f->conf.max_connections = how & 2 ? 3 : 200;
	f->conf.timestamps = how & 4;
	f->conf.timestamps_strict = how & 8;
	f->conf.cookies = (how >> 4) % 3;
	f->conf.rcvbuf_max = how & 64 ? 65536 : 1 << 20;
	stack_reconf(f->st, &f->conf);
	stack_check(f->st);
}

void op_stop(struct fuzz *f)
{
	stack_stop(f->st, f->now_us);
	for (unsigned int i = 0; i < CONNS_MAX; i++)
		f->conns[i].closed = true;
	stack_check(f->st);
}

void operator_feed(struct fuzz *f)
{
	while (f->npages)
		arena_page_free(&f->st->arena, f->pages[--f->npages]);
}

/* All free pages but a few are gone; or those taken before come back. */
void op_starve(struct fuzz *f)
{
	uint8_t left = feed8(&f->in);
	struct arena *a = &f->st->arena;

	operator_feed(f);
	if (left & 128)
		return;
	while (arena_left(a) > (left & 15u)) {
		ASSERT(f->npages < ARRAY_LEN(f->pages));
		f->pages[f->npages] = arena_page(a, PAGES_TAG);
		ASSERT(f->pages[f->npages] != NULL);
		f->npages++;
	}
	stack_check(f->st);
}

/* One of ours, the host's, or one of the prefix that may be ours. */
static struct ip_addr some_address(const struct fuzz *f, uint8_t how)
{
	bool v6 = how & 1 && f->conf.net6.len;
	struct ip_addr a = v6 ? f->conf.own6 : f->conf.own4;

	switch (how >> 1 & 3) {
	case 1:
		a.b[15] ^= how & 0xf8;
		break;
	case 2:
		return v6 ? f->conf.host6 : f->conf.host4;
	case 3:
		a.b[15] = how & 8 ? 255 : 0;
		break;
	}
	return a;
}

/* An active open that says where from. */
void op_open_from(struct fuzz *f)
{
	uint8_t how = feed8(&f->in), port = feed8(&f->in);
	struct ip_addr local = some_address(f, how);
	bool v6 = how & 128 && f->conf.net6.len;

	app_open(v6 ? &f->conf.host6 : &f->conf.host4,
		 port & 1 ? f->next_port++ : 81, &local,
		 port & 2 ? 2000 + (port >> 2) : 0);
	stack_check(f->st);
}

/* Listeners of any prefix and port, in each other's way or not. */
void op_listen(struct fuzz *f)
{
	static const uint16_t ports[] = {APP_ECHO, APP_DISCARD, APP_SOURCE, 4};
	static const struct tcp_service *const services[] = {
		&fuzz_echo, &fuzz_discard, &fuzz_source, NULL};
	uint8_t what = feed8(&f->in), how = feed8(&f->in);
	unsigned int i = what >> 2 & 3;
	struct stack_listener l = {
		.name = {(char)('a' + (what & 3))},
		/* What is sent is known by the port. */
		.service = services[i],
		.port = ports[i],
		.enabled = !(what & 16),
		.backlog = what & 32 ? 2 : 0,
		.max_connections = what & 64 ? 3 : 0,
		.dscp = how & 63,
		.congestion = how % (CC_CUBIC + 1),
		.address = {some_address(f, how),
			    (uint8_t)(how & 64 ? 128 : 120)},
	};
	int err;

	if (what & 128)
		err = stack_unlisten(f->st, l.name);
	else
		err = stack_listen(f->st, &l);
	ASSERT(err >= 0 || err == -EADDRINUSE || err == -ENOENT);
	stack_check(f->st);
}

/* What an application sets for one of its connections alone. */
void op_set(struct fuzz *f)
{
	uint8_t which = feed8(&f->in), what = feed8(&f->in);

	app_set(which, what, feed8(&f->in));
	stack_check(f->st);
}
