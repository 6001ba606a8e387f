/*
 * test_chat.c - The chat service with a whole stack under it
 */
#include <errno.h>
#include <string.h>

#include "rig.h"
#include "service/chat.h"
#include "service/service.h"

static unsigned int changes;

static void on_changed(struct chat_reader *r)
{
	(void)r;
	changes++;
}

static struct chat_reader reader;

static bool first(struct stack *st, struct tcp_conn *c,
		  const struct conn_info *info, void *arg)
{
	(void)st;
	(void)info;
	*(struct tcp_conn **)arg = c;
	return false;
}

static struct tcp_conn *conn(void)
{
	struct tcp_conn *c = NULL;
	uint64_t cursor = 0;

	stack_walk(rig.st, &cursor, UINT32_MAX, rig.now_us, first, &c);
	return c;
}

/* A client of a chat listener; nobody reads it yet. */
static void established(void)
{
	memset(&reader, 0, sizeof(reader));
	reader.changed = on_changed;
	changes = 0;
	rig.listener.service = &chat_service;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
}

static void rx_text(tcp_seq seq, uint32_t len)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001, .len = len));
}

static size_t waiting(void)
{
	const uint8_t *data;

	return tcp_peek(rig.st, reader.c, &data);
}

/* Text waits for a reader, and the window shuts in front of more. */
static void unread_text_waits(void)
{
	struct tcp_seg s;
	size_t n, read = 0;

	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	established();
	rx_text(5001, 4096);
	rig_wait(S(3600));
	rig_check(rig_take(&s) && s.ack == 9097 && s.wnd == 0);
	rig_check(chat_attach(rig.st, conn(), &reader) == 0);
	rig_check(reader.open && waiting() > 0);
	while ((n = waiting()) > 0) {
		tcp_consume(rig.st, reader.c, n);
		read += n;
	}
	rig_check(read == 4096);
	rig_wait(0);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(4096)));
	chat_detach(rig.st, &reader);
	rig_end();
}

static void reader_is_told(void)
{
	unsigned int before;

	established();
	rig_check(chat_attach(rig.st, conn(), &reader) == 0);
	rx_text(5001, 100);
	rig_check(changes > 0 && waiting() == 100);
	before = changes;
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5101, .ack = 1001));
	rig_check(!reader.peer_closed); /* text is in front of it */
	tcp_consume(rig.st, reader.c, 100);
	rig_wait(0);
	rig_check(reader.peer_closed && changes > before);
	before = changes;
	rig_forget();
	rig_rx(SEG(.flags = TH_RST, .seq = 5102));
	rig_check(!reader.c && reader.reason == CLOSE_RESET_BY_PEER);
	rig_check(changes > before && reader.last.bytes_in == 100);
	rig_end();
}

static void one_reader_at_a_time(void)
{
	struct chat_reader other = {.changed = on_changed};

	established();
	rig_check(chat_attach(rig.st, conn(), &reader) == 0);
	rig_check(chat_attach(rig.st, conn(), &other) == -EBUSY);
	chat_detach(rig.st, &reader);
	rig_wait(0);
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(chat_attach(rig.st, conn(), &other) == 0);
	chat_detach(rig.st, &other);
	rig_end();
}

static uint32_t untaken(void)
{
	struct listener_info info;

	rig_check(stack_listener_info(rig.st, 0, &info));
	return info.waiting;
}

/* Who has no reader waits for one, from the handshake to the end. */
static void waits_for_a_reader(void)
{
	established();
	rig_check(untaken() == 1);
	rig_check(chat_attach(rig.st, conn(), &reader) == 0);
	rig_check(untaken() == 0);
	chat_detach(rig.st, &reader);
	rig_check(untaken() == 1);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_wait(0);
	rig_check(untaken() == 0);
	rig_end();
}

static void not_of_this_service(void)
{
	rig_established();
	rig_check(!chat_is(rig.st, conn()));
	rig_check(chat_attach(rig.st, conn(), &reader) == -EINVAL);
	rig_end();
}

/* Without a reader nobody would ever say more. */
static void peer_closes_alone(void)
{
	established();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_LAST_ACK);
	rig_forget();
	rig_end();
}

/* Nor does it wait for one who has seen the end and gone. */
static void reader_leaves_at_the_end(void)
{
	established();
	rig_check(chat_attach(rig.st, conn(), &reader) == 0);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	rig_check(reader.peer_closed && rig_state() == TCP_CLOSE_WAIT);
	chat_detach(rig.st, &reader);
	rig_wait(0);
	rig_check(rig_state() == TCP_LAST_ACK);
	rig_forget();
	rig_end();
}

/* Text before the FIN is kept for whoever comes. */
static void reader_after_the_fin(void)
{
	established();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001,
		   .len = 10));
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rig_check(chat_attach(rig.st, conn(), &reader) == 0);
	rig_check(!reader.peer_closed && waiting() == 10);
	tcp_consume(rig.st, reader.c, 10);
	rig_wait(0);
	rig_check(reader.peer_closed);
	chat_detach(rig.st, &reader);
	rig_wait(0);
	rig_forget();
	rig_end();
}

static void open_for(bool ends)
{
	struct chat_target to = {.peer = rig.peer, .peer_port = RIG_PEER_PORT};

	memset(&reader, 0, sizeof(reader));
	reader.changed = on_changed;
	reader.ends = ends;
	changes = 0;
	rig_start();
	to.peer = rig.peer;
	rig_check(chat_open(rig.st, &to, rig.now_us, &reader) == 0);
	rig_wait(0);
	rig_check(reader.c && !reader.open);
}

/* A connection that we opened ends with who wanted it. */
static void opener_leaves(void)
{
	struct tcp_seg s;

	open_for(true);
	rig_check(rig_take(&s) && s.flags == TH_SYN);
	chat_detach(rig.st, &reader);
	rig_wait(0);
	rig_check(rig_stats().full == 0);
	rig_expect_silence_for(S(10));
	rig_end();
}

static void open_fails(void)
{
	struct tcp_seg s;

	rig.conf.syn_retries = 2;
	open_for(true);
	rig_wait(S(20));
	while (rig_take(&s))
		rig_check(s.flags == TH_SYN);
	rig_check(!reader.c && !reader.open && changes == 1);
	rig_check(reader.reason == CLOSE_TIMEOUT_SYN);
	rig_check(reader.last.retrans == 2);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(unread_text_waits),
	UNIT_TEST(reader_is_told),
	UNIT_TEST(one_reader_at_a_time),
	UNIT_TEST(waits_for_a_reader),
	UNIT_TEST(not_of_this_service),
	UNIT_TEST(peer_closes_alone),
	UNIT_TEST(reader_leaves_at_the_end),
	UNIT_TEST(reader_after_the_fin),
	UNIT_TEST(opener_leaves),
	UNIT_TEST(open_fails),
};

int main(int argc, char **argv)
{
	return rig_main("chat", tests, ARRAY_LEN(tests), argc, argv);
}
