/*
 * test_loop.c - When the daemon's turns come
 *
 * With no stack behind it: what is due next, and by when, is said by the test.
 */
#include "loop.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/assert.h"
#include "unit.h"

#define MS(n) ((n)*1000ll)

static struct {
	struct ev_loop *ev;
	struct loop loop;
	struct tun tun;
	int other_end;
	int64_t in_us;	/* what each turn leaves: the next is so far away */
	int64_t due_us; /* ... which is then */
	int64_t at_us;	/* the last turn */
	unsigned int turns;
} rig;

/* ---- a stack that has nothing to do, a device that has no packets ----- */

void stack_services(struct stack *st, int64_t now_us)
{
	(void)st;
	(void)now_us;
}

void stack_expire(struct stack *st, int64_t now_us)
{
	(void)st;
	(void)now_us;
}

bool stack_output(struct stack *st, struct stack_pkt *pkt, int64_t now_us)
{
	(void)st;
	(void)pkt;
	(void)now_us;
	return false;
}

void stack_reap(struct stack *st, int64_t now_us)
{
	(void)st;
	(void)now_us;
}

int64_t stack_deadline(const struct stack *st)
{
	(void)st;
	return rig.due_us;
}

void stack_ahead(const struct stack *st, struct stack_in *in, unsigned int n)
{
	(void)st;
	(void)in;
	(void)n;
}

void stack_input(struct stack *st, const void *pkt, size_t len,
		 const struct stack_rx *meta, int64_t now_us)
{
	(void)st;
	(void)pkt;
	(void)len;
	(void)meta;
	(void)now_us;
}

ssize_t tun_read(struct tun *t, void *buf, size_t buflen, const uint8_t **pkt,
		 struct stack_rx *meta)
{
	(void)t;
	(void)buf;
	(void)buflen;
	(void)pkt;
	(void)meta;
	return 0;
}

int tun_write(struct tun *t, const struct stack_pkt *pkt)
{
	(void)t;
	(void)pkt;
	return 0;
}

/* ---- the rig ---------------------------------------------------------- */

static bool hook_turn(void *arg, int64_t now_us)
{
	(void)arg;
	rig.turns++;
	rig.at_us = now_us;
	rig.due_us = rig.in_us == TIME_NEVER ? TIME_NEVER : now_us + rig.in_us;
	return false;
}

static int64_t hook_drain(void *arg, int64_t now_us)
{
	(void)arg;
	(void)now_us;
	return TIME_NEVER;
}

/* The first turn is behind us, the next one so far away. */
static void start(int64_t in_us)
{
	static const struct loop_hooks hooks = {
		.turn = hook_turn,
		.drain = hook_drain,
	};
	int fd[2];

	memset(&rig, 0, sizeof(rig));
	CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
	rig.tun.fd = fd[0];
	rig.other_end = fd[1];
	rig.in_us = in_us;
	rig.ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig.ev);
	CU_ASSERT_EQUAL_FATAL(
		loop_init(&rig.loop, rig.ev, NULL, &rig.tun, &hooks, false), 0);
	ev_run(rig.ev, EVRUN_NOWAIT);
	CU_ASSERT_EQUAL(rig.turns, 1);
}

static void end(void)
{
	loop_stop(&rig.loop);
	ev_loop_destroy(rig.ev);
	close(rig.tun.fd);
	close(rig.other_end);
}

/* Return: when it was due */
static int64_t next_turn(void)
{
	unsigned int turns = rig.turns;
	int64_t due_us = rig.due_us;

	while (rig.turns == turns)
		ev_run(rig.ev, EVRUN_ONCE);
	return due_us;
}

/* ---- tests ------------------------------------------------------------ */

/* Not to the millisecond: of so many turns, one at least is not as late as each
 * would be then. */
static void soon_is_exact(void)
{
	int64_t due_us, least_us = INT64_MAX;

	start(300);
	for (int i = 0; i < 200; i++) {
		due_us = next_turn();
		CU_ASSERT(rig.at_us >= due_us);
		if (rig.at_us - due_us < least_us)
			least_us = rig.at_us - due_us;
	}
	CU_ASSERT(least_us < 500);
	CU_ASSERT_EQUAL(histogram_up_to(&rig.loop.lag, INT64_MAX), 200);
	end();
}

static void later_is_not_early(void)
{
	int64_t due_us;

	start(MS(20));
	due_us = next_turn();
	CU_ASSERT(rig.at_us >= due_us);
	CU_ASSERT_EQUAL(rig.loop.soon_us, TIME_NEVER);
	end();
}

/* What was due soon is not due any more: no turn because of it. */
static void called_off(void)
{
	int64_t due_us;

	start(1000);
	rig.in_us = MS(30);
	loop_kick(&rig.loop);
	ev_run(rig.ev, EVRUN_NOWAIT);
	CU_ASSERT_EQUAL(rig.turns, 2);
	due_us = next_turn();
	CU_ASSERT(rig.at_us >= due_us);
	CU_ASSERT_EQUAL(rig.turns, 3);
	end();
}

static void never(void)
{
	start(TIME_NEVER);
	CU_ASSERT_EQUAL(rig.loop.due_us, TIME_NEVER);
	CU_ASSERT(!ev_is_active(&rig.loop.due));
	rig.in_us = 100;
	loop_kick(&rig.loop);
	ev_run(rig.ev, EVRUN_NOWAIT);
	CU_ASSERT_EQUAL(rig.turns, 2);
	next_turn();
	end();
}

static void nothing_left_behind(void)
{
	int fd;

	start(300);
	fd = rig.loop.soon.fd;
	CU_ASSERT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	end();
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), -1);
}

static const struct unit_test tests[] = {
	UNIT_TEST(soon_is_exact),	UNIT_TEST(later_is_not_early),
	UNIT_TEST(called_off),		UNIT_TEST(never),
	UNIT_TEST(nothing_left_behind),
};

int main(int argc, char **argv)
{
	return unit_run("loop", tests, ARRAY_LEN(tests), argc, argv);
}
