/*
 * test_pktbus.c - Several watchers of one stack
 */
#include "pktbus.h"
#include "rig.h"

struct watcher {
	struct pktbus_sink sink;
	unsigned int packets, ends;
	unsigned int leave_after; /* packets; 0 = stays */
};

static struct pktbus bus;

static void take(void *sink, const struct stack_packet *p)
{
	struct watcher *w = sink;

	CU_ASSERT_EQUAL(p->conn, 1);
	if (++w->packets == w->leave_after)
		pktbus_remove(&bus, sink);
}

static void end(void *sink, const struct conn_end *e)
{
	struct watcher *w = sink;

	CU_ASSERT_EQUAL(e->reason, CLOSE_RESET_BY_US);
	w->ends++;
}

static void each_sees_everything(void)
{
	struct watcher a = {.sink = {.packet = take, .ended = end}};
	struct watcher b = {.sink = {.packet = take}, .leave_after = 2};
	struct watcher c = {.sink = {.packet = take, .ended = end}};

	rig_start();
	pktbus_init(&bus, rig.st);
	pktbus_add(&bus, &a.sink);
	pktbus_add(&bus, &b.sink);
	pktbus_add(&bus, &c.sink);
	rig_established();
	rig_abort();
	rig_forget();
	rig_check(a.packets == 4 && a.ends == 1);
	rig_check(b.packets == 2);
	rig_check(c.packets == 4 && c.ends == 1);
	rig_end();
}

static void the_last_one_leaves(void)
{
	struct watcher a = {.sink = {.packet = take}, .leave_after = 1};

	rig_start();
	pktbus_init(&bus, rig.st);
	pktbus_add(&bus, &a.sink);
	rig_established();
	rig_check(a.packets == 1);
	pktbus_add(&bus, &a.sink);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	rig_forget();
	rig_check(a.packets == 3); /* and its ACK */
	rig_end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(each_sees_everything),
		UNIT_TEST(the_last_one_leaves),
	};

	return rig_main("pktbus", tests, sizeof(tests) / sizeof(*tests), argc,
			argv);
}
