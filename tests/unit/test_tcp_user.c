/*
 * test_tcp_user.c - Calls at the wrong moment, and from inside callbacks
 */
#include <errno.h>
#include <string.h>

#include "core/tcp_priv.h"
#include "rig.h"

#define OTHER_PORT 40001

/* ---- an application that ends its connection where it is told to ---- */

enum place {
	IN_OPEN,
	IN_DATA,
	IN_WRITABLE,
	IN_PEER_CLOSED,
	IN_TROUBLE,
	NOWHERE
};

static enum place place;
static bool by_close; /* else abort */
static unsigned int closed_n, called_after;

static void maybe_end(struct stack *st, struct tcp_conn *c, enum place here)
{
	if (tcp_conn_state(c) == TCP_CLOSED)
		called_after++;
	if (here != place)
		return;
	if (by_close)
		tcp_close(st, c);
	else
		tcp_abort(st, c, CLOSE_ADMIN);
}

static void ending_open(struct stack *st, struct tcp_conn *c)
{
	maybe_end(st, c, IN_OPEN);
}

static void ending_data(struct stack *st, struct tcp_conn *c)
{
	maybe_end(st, c, IN_DATA);
}

static void ending_writable(struct stack *st, struct tcp_conn *c)
{
	maybe_end(st, c, IN_WRITABLE);
}

static void ending_peer_closed(struct stack *st, struct tcp_conn *c)
{
	maybe_end(st, c, IN_PEER_CLOSED);
}

static void ending_trouble(struct stack *st, struct tcp_conn *c,
			   const struct tcp_trouble *t)
{
	(void)t;
	maybe_end(st, c, IN_TROUBLE);
}

static void ending_closed(struct stack *st, struct tcp_conn *c,
			  enum close_reason why)
{
	(void)st;
	(void)c;
	(void)why;
	closed_n++;
}

static const struct tcp_service ending = {
	.name = "ending",
	.on_open = ending_open,
	.on_data = ending_data,
	.on_writable = ending_writable,
	.on_peer_closed = ending_peer_closed,
	.on_trouble = ending_trouble,
	.on_closed = ending_closed,
};

static struct tcp_conn *only_conn(void)
{
	uint64_t cursor = 0;
	struct tcp_conn *c;

	while ((c = pool_next(&rig.st->pool_conn, &cursor)))
		if (c->kind == KIND_CONN)
			return c;
	rig_check(!"a connection");
	return NULL;
}

/* Established, with a service that ends it at @where. */
static void ending_at(enum place where)
{
	struct tcp_seg s;

	place = where;
	by_close = false;
	closed_n = called_after = 0;
	rig.listener.service = &ending;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_check(rig_take(&s) && s.flags == (TH_SYN | TH_ACK));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
}

/* The RST left, the service heard of the end once and of nothing after it. */
static void ended(tcp_seq seq, tcp_seq ack)
{
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = seq, .ack = ack));
	rig_expect_silence();
	rig_check(closed_n == 1 && !called_after);
	rig_check(rig_stats().full == 0);
	rig_end();
}

static void abort_in_open(void)
{
	ending_at(IN_OPEN);
	ended(1001, 5001);
}

/* In the segment that completes the handshake come text and FIN, too. */
static void abort_in_open_with_text(void)
{
	struct tcp_seg s;

	place = IN_OPEN;
	by_close = false;
	closed_n = called_after = 0;
	rig.listener.service = &ending;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_check(rig_take(&s));
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001,
		   .len = 100));
	rig_check(rig_take(&s) && s.flags & TH_RST);
	rig_check(closed_n == 1 && !called_after);
	rig_end();
}

static void close_in_open(void)
{
	struct tcp_seg s;

	place = IN_OPEN;
	by_close = true;
	closed_n = called_after = 0;
	rig.listener.service = &ending;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_check(rig_take(&s));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5001));
	rig_check(rig_state() == TCP_FIN_WAIT_1);
	rig_end();
}

static void abort_in_data(void)
{
	ending_at(IN_DATA);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	ended(1001, 5001);
}

/* Text that was left in the queue, looked at again. */
static void abort_in_data_later(void)
{
	ending_at(NOWHERE);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5011));
	place = IN_DATA;
	tcp_resume(rig.st, only_conn());
	rig_wait(0);
	ended(1001, 5011);
}

static void abort_in_writable(void)
{
	ending_at(IN_WRITABLE);
	tcp_want_write(rig.st, only_conn());
	rig_wait(0);
	ended(1001, 5001);
}

static void abort_in_peer_closed(void)
{
	ending_at(IN_PEER_CLOSED);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	ended(1001, 5002);
}

/* Told that R1 was reached, it gives up at once (RFC 9293, 3.8.3). */
static void abort_in_trouble(void)
{
	struct tcp_seg s;
	bool rst = false;

	ending_at(IN_TROUBLE);
	rig_check(tcp_send(rig.st, only_conn(), "x", 1) == 1);
	rig_wait(S(30));
	while (rig_take(&s))
		rst |= s.flags & TH_RST;
	rig_check(rst);
	rig_check(closed_n == 1 && !called_after);
	rig_end();
}

static void abort_in_open_active(void)
{
	struct tcp_conn *c;
	struct tcp_seg s;

	place = IN_OPEN;
	by_close = false;
	closed_n = called_after = 0;
	rig_start();
	rig_only()->irs = RIG_IRS;
	rig_check(stack_open(rig.st, &ending, NULL, &rig.peer, RIG_PEER_PORT,
			     NULL, 0, rig.now_us, &c) == 0);
	rig_wait(0);
	rig_check(rig_take(&s) && s.flags == TH_SYN);
	rig_rx(SEG(.flags = TH_SYN | TH_ACK | TH_FIN, .seq = 5000, .ack = 1001,
		   .len = 10));
	rig_check(rig_take(&s) && s.flags & TH_RST);
	rig_expect_silence();
	rig_check(closed_n == 1 && !called_after);
	rig_end();
}

/* ---- the wrong moment ---- */

static void peek_and_consume_nothing(void)
{
	const uint8_t *data;

	rig_established();
	rig_wait(S(1));
	rig_check(!rig_only()->c->active);
	rig_check(tcp_peek(rig.st, rig_only()->c, &data) == 0);
	tcp_resume(rig.st, rig_only()->c);
	rig_check(!rig_only()->c->active);
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	tcp_consume(rig.st, rig_only()->c, 0);
	rig_check(tcp_peek(rig.st, rig_only()->c, &data) == 10);
	rig_read_on();
	tcp_resume(rig.st, rig_only()->c);
	rig_check(rig_only()->received == 10);
	rig_end();
}

static void send_after_the_end(void)
{
	struct tcp_conn *c;

	rig_established();
	c = rig_only()->c;
	rig_close();
	rig_check(tcp_send(rig.st, c, "x", 1) == -EPIPE);
	rig_check(tcp_send_ref(rig.st, c, "x", 1) == -EPIPE);
	rig_check(tcp_send_urgent(rig.st, c, "x", 1) == -EPIPE);
	tcp_abort(rig.st, c, CLOSE_ADMIN);
	rig_check(tcp_send(rig.st, c, "x", 1) == -ECONNRESET);
	tcp_abort(rig.st, c, CLOSE_RESET_BY_US);
	tcp_close(rig.st, c);
	tcp_want_write(rig.st, c);
	rig_wait(0);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_ADMIN);
	rig_forget();
	rig_end();
}

/* More than the send queue holds: the rest later, and on_writable says when. */
static void send_more_than_fits(void)
{
	rig.conf.sndbuf = 4000;
	rig_established();
	rig_check(tcp_send_room(rig.st, rig_only()->c) == 4000);
	rig_check(rig_send(5000) == 4000);
	rig_check(rig_send(1) == 0);
	rig_check(tcp_send_room(rig.st, rig_only()->c) == 0);
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1501));
	rig_check(rig_only()->writable == 0); /* less than a quarter */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 2001));
	rig_check(rig_only()->writable == 1);
	rig_check(rig_send(5000) == 1000);
	rig_forget();
	rig_end();
}

/* CLOSE while a simultaneous open is under way: the FIN after the handshake
 * (RFC 9293, 3.10.4). */
static void close_in_syn_received(void)
{
	struct tcp_seg s;

	rig_open();
	rig_check(rig_take(&s) && s.flags == TH_SYN);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_close();
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5001));
	rig_check(rig_state() == TCP_FIN_WAIT_1);
	rig_check(rig_only()->opened == 1);
	rig_end();
}

/* RFC 9293, 3.10.7.4, fifth: what was not sent cannot be acknowledged. */
static void wrong_ack_in_simultaneous_open(void)
{
	struct tcp_seg s;

	rig_open();
	rig_check(rig_take(&s) && s.flags == TH_SYN);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1000));
	rig_expect(SEG(.flags = TH_RST, .seq = 1000));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1002));
	rig_expect(SEG(.flags = TH_RST, .seq = 1002));
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* FIN-WAIT-2 ends when the peer keeps us waiting, not when our own reader
 * does. */
static void fin_wait_2_with_unread_text(void)
{
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_close();
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5011));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5011, .ack = 1002));
	rig_check(rig_state() == TCP_FIN_WAIT_2);
	rig_expect_silence_for(S(170));
	rig_check(rig_state() == TCP_FIN_WAIT_2);
	rig_read_on();
	rig_check(rig_only()->received == 10);
	rig_wait(S(61));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_FIN_WAIT2);
	rig_forget();
	rig_end();
}

/* RFC 1337, 3: TIME-WAIT that waits for its reader is no other TIME-WAIT; it
 * ends when all is read, even long after 2 MSL. */
static void time_wait_with_unread_text(void)
{
	rig_established();
	rig_read_stop();
	rig_close();
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5001));
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002,
		   .len = 10));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1002, .ack = 5012));
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_check(rig_stats().full == 1);
	rig_rx(SEG(.flags = TH_RST, .seq = 5012));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_RST_NOBODY) == 1);
	rig_check(rig_stats().full == 1);
	rig_expect_silence_for(S(100));
	rig_check(rig_stats().full == 1 && rig_only()->closed == 0);
	rig_read_on();
	rig_check(rig_only()->received == 10);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_FIN);
	rig_wait(MS(300));
	rig_check(rig_stats().time_wait == 0);
	rig_end();
}

/* 4 GiB each way: the books go on counting. */
static void four_gigabytes(void)
{
	struct conn_info info;
	struct tcp_conn *c;

	rig_established();
	c = rig_only()->c;
	/* As if so much had gone by. */
	c->iss = c->snd_nxt + 100;
	c->irs = c->rcv_nxt + 100;
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 200));
	rig_send(200);
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.bytes_in == (1ull << 32) + 200 - 101);
	rig_check(info.bytes_out == (1ull << 32) + 200 - 101);
	rig_end();
}

/* ---- stack_open() ---- */

static void open_clock(void)
{
	struct tcp_conn *c;

	rig_start();
	rig_check(stack_open(rig.st, rig.listener.service, rig_only(),
			     &rig.peer, 80, NULL, 0, rig.now_us + S(3),
			     &c) == 0);
	rig_check(stack_now(rig.st) == rig.now_us + S(3));
	rig_check(!tcp_service_arg(rig.st, c));
	rig.now_us += S(3);
	rig_wait(0);
	rig_forget();
	rig_end();
}

static void open_needs_a_service_and_room(void)
{
	struct tcp_conn *c = NULL;

	rig.conf.max_connections = 1;
	rig_start();
	/* Nobody need care. */
	rig_check(stack_open(rig.st, NULL, NULL, &rig.peer, 80, NULL, 0,
			     rig.now_us, NULL) == 0);
	rig_wait(0);
	rig_forget();
	rig_check(stack_open(rig.st, NULL, NULL, &rig.peer, 81, NULL, 0,
			     rig.now_us, &c) == -ENOBUFS);
	rig_check(!c);
	rig_end();
}

static void open_loopback(void)
{
	struct ip_addr a = {{[10] = 0xff, 0xff, 127, 0, 0, 1}};
	struct tcp_conn *c;

	if (rig.v6)
		a = (struct ip_addr){{[15] = 1}};
	rig_start();
	rig_check(stack_open(rig.st, NULL, NULL, &a, 80, NULL, 0, rig.now_us,
			     &c) == -EINVAL);
	rig_end();
}

/* Our port of a new connection to @port of the peer. */
static uint16_t port_to(uint16_t port)
{
	struct conn_info info = {0};
	struct tcp_conn *c;

	rig_check(stack_open(rig.st, NULL, NULL, &rig.peer, port, NULL, 0,
			     rig.now_us, &c) == 0);
	tcp_info(rig.st, c, &info, rig.now_us);
	return info.local_port;
}

/* RFC 6056, 3.3.3: the next port for the same destination, but another row of
 * ports for each, which only who has the key can tell; of all that users may
 * have (3.2). */
static void open_chooses_ports(void)
{
	uint16_t last, port;
	unsigned int next = 0, low = 0, high = 0;

	rig_start();
	last = port_to(80);
	port = port_to(80);
	rig_check(port == last + 1 || port == 1024);
	for (uint16_t i = 0; i < 64; i++) {
		last = port;
		port = port_to((uint16_t)(1000 + i));
		rig_check(port >= 1024);
		next += (uint16_t)(port - last) <= 64;
		low += port < 32768;
		high += port >= 49152;
	}
	rig_check(next < 8);
	rig_check(low > 8 && high > 4);
	while (!stack_abort_all(rig.st, rig.now_us))
		stack_reap(rig.st, rig.now_us);
	rig_end();
}

/* All ports to one destination; another destination has them all again. */
static void open_ports_used_up(void)
{
	struct tcp_conn *c;
	int err = 0;
	uint32_t n = 0, most = 65536 - 1024 - 1;

	rig.listener.port = 2000; /* not this one */
	rig.memory = 192u << 20;
	rig.conf.max_connections = 100000;
	rig.event_mask = 0;
	rig_start();
	while (!err && n <= most) {
		err = stack_open(rig.st, NULL, NULL, &rig.peer, 80, NULL, 0,
				 rig.now_us, &c);
		n += !err;
	}
	rig_check(n == most);
	rig_check(err == -EADDRINUSE);
	rig_check(stack_open(rig.st, NULL, NULL, &rig.peer, 81, NULL, 0,
			     rig.now_us, &c) == 0);
	while (!stack_abort_all(rig.st, rig.now_us))
		stack_reap(rig.st, rig.now_us);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(abort_in_open),
	UNIT_TEST(abort_in_open_with_text),
	UNIT_TEST(close_in_open),
	UNIT_TEST(abort_in_data),
	UNIT_TEST(abort_in_data_later),
	UNIT_TEST(abort_in_writable),
	UNIT_TEST(abort_in_peer_closed),
	UNIT_TEST(abort_in_trouble),
	UNIT_TEST(abort_in_open_active),
	UNIT_TEST(peek_and_consume_nothing),
	UNIT_TEST(send_after_the_end),
	UNIT_TEST(send_more_than_fits),
	UNIT_TEST(close_in_syn_received),
	UNIT_TEST(wrong_ack_in_simultaneous_open),
	UNIT_TEST(fin_wait_2_with_unread_text),
	UNIT_TEST(time_wait_with_unread_text),
	UNIT_TEST(four_gigabytes),
	UNIT_TEST(open_clock),
	UNIT_TEST(open_needs_a_service_and_room),
	UNIT_TEST(open_loopback),
	UNIT_TEST(open_chooses_ports),
	UNIT_TEST(open_ports_used_up),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_user", tests, ARRAY_LEN(tests), argc, argv);
}
