/*
 * test_stack_tap.c - Every packet is shown, with what became of it
 */
#include <string.h>

#include "core/be.h"
#include "rig.h"

#define SEEN_MAX 64

struct seen {
	uint32_t conn, len, parts, text;
	uint16_t local_port, peer_port, listener, gso_size, ip_id;
	uint8_t before, after, drop, flags, first;
};

static struct seen seen[SEEN_MAX];
static size_t nseen, looked;
static struct conn_end ended;
static struct tcp_key ended_ends;
static unsigned int nended;
static size_t ended_before; /* packets shown when it ended */

static void see(void *ctx, const struct stack_packet *p)
{
	const uint8_t *head = p->iov[0].iov_base;
	uint32_t len = 0;

	CU_ASSERT_PTR_EQUAL_FATAL(ctx, &rig);
	CU_ASSERT_FATAL(nseen < SEEN_MAX);
	CU_ASSERT_EQUAL(p->at_us, stack_now(rig.st));
	for (unsigned int i = 0; i < p->iov_len; i++)
		len += (uint32_t)p->iov[i].iov_len;
	CU_ASSERT_EQUAL(len, p->len);
	seen[nseen++] = (struct seen){
		.conn = p->conn,
		.len = p->len,
		.parts = p->iov_len,
		.text = p->text,
		.local_port = p->ends->local_port,
		.peer_port = p->ends->peer_port,
		.listener = p->listener,
		.gso_size = p->gso_size,
		.before = p->state_before,
		.after = p->state_after,
		.drop = p->drop,
		.flags = p->flags,
		.first = *head,
		.ip_id = p->iov[0].iov_len < 20 ? 0 : be_get16(head + 4),
	};
}

static void end(void *ctx, const struct conn_end *e)
{
	CU_ASSERT_PTR_EQUAL_FATAL(ctx, &rig);
	ended = *e;
	ended_ends = *e->ends;
	nended++;
	ended_before = nseen;
}

static void watch(void)
{
	const struct stack_watcher w = {see, end, &rig};

	nseen = looked = nended = 0;
	rig_start();
	stack_watch(rig.st, &w);
}

/* The next packet that was shown. */
static const struct seen *next(void)
{
	static const struct seen none = {.conn = UINT32_MAX};

	return looked < nseen ? &seen[looked++] : &none;
}

#define EXPECT(dir, from, to, why)                   \
	do {                                         \
		const struct seen *s_ = next();      \
                                                     \
		rig_check(s_->flags == (dir));       \
		rig_check(s_->before == TCP_##from); \
		rig_check(s_->after == TCP_##to);    \
		rig_check(s_->drop == DROP_##why);   \
	} while (0)

static void a_life_from_the_syn_to_the_last_ack(void)
{
	watch();
	rig_established();
	EXPECT(0, LISTEN, SYN_RECEIVED, NONE);
	EXPECT(PACKET_OUT, SYN_RECEIVED, SYN_RECEIVED, NONE);
	EXPECT(0, SYN_RECEIVED, ESTABLISHED, NONE);
	for (size_t i = 0; i < 3; i++) {
		rig_check(seen[i].conn == 1);
		rig_check(seen[i].local_port == RIG_PORT);
		rig_check(seen[i].peer_port == RIG_PEER_PORT);
		rig_check(seen[i].listener == 0);
		rig_check(seen[i].first >> 4 == (rig.v6 ? 6 : 4));
	}
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	EXPECT(0, ESTABLISHED, CLOSE_WAIT, NONE);
	EXPECT(PACKET_OUT, CLOSE_WAIT, CLOSE_WAIT, NONE);
	rig_close();
	EXPECT(PACKET_OUT, LAST_ACK, LAST_ACK, NONE);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1002));
	EXPECT(0, LAST_ACK, CLOSED, NONE);
	rig_check(nended == 1 && ended_before == nseen - 1);
	rig_check(ended.id == 1 && ended.reason == CLOSE_FIN);
	rig_check(ended.state == TCP_LAST_ACK);
	rig_check(ended.bytes_in == 0 && ended.handshake_us >= 0);
	rig_check(ended_ends.local_port == RIG_PORT);
	rig_check(ended_ends.peer_port == RIG_PEER_PORT);
	rig_forget();
	rig_end();
}

static void an_active_open_and_its_reset(void)
{
	struct tcp_seg syn;

	watch();
	rig_open();
	EXPECT(PACKET_OUT, SYN_SENT, SYN_SENT, NONE);
	rig_wait(S(1) + RIG_LATE_US);
	EXPECT(PACKET_OUT | PACKET_RETRANSMIT, SYN_SENT, SYN_SENT, NONE);
	rig_check(rig_take(&syn) && rig_take(&syn));
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 1001));
	EXPECT(0, SYN_SENT, CLOSED, NONE);
	rig_check(ended.reason == CLOSE_REFUSED && ended.role == ROLE_CLIENT);
	rig_end();
}

/* RFC 9293, 3.10.5: the RST leaves when the connection is gone. */
static void an_abort(void)
{
	watch();
	rig_established();
	looked = nseen;
	rig_abort();
	rig_check(nended == 1 && ended.state == TCP_ESTABLISHED);
	EXPECT(PACKET_OUT, ESTABLISHED, CLOSED, NONE);
	rig_check(seen[nseen - 1].conn == 1);
	rig_forget();
	rig_end();
}

static void a_syn_for_nobody_has_an_id(void)
{
	watch();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .port = 9));
	EXPECT(0, CLOSED, CLOSED, NONE);
	EXPECT(PACKET_OUT, CLOSED, CLOSED, NONE);
	rig_check(seen[0].conn == 1 && seen[1].conn == 1);
	rig_check(seen[0].listener == LISTENER_NONE);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 7, .port = 9));
	EXPECT(0, CLOSED, CLOSED, NONE);
	EXPECT(PACKET_OUT, CLOSED, CLOSED, NONE);
	rig_check(seen[2].conn == 0 && seen[3].conn == 0);
	rig_check(nended == 0);
	rig_forget();
	rig_end();
}

static void a_syn_that_is_denied(void)
{
	rig.listener.nallow = 1;
	rig.listener.allow[0] =
		(struct ip_prefix){.addr = {{0x20}}, .len = 128};
	watch();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	EXPECT(0, LISTEN, LISTEN, SYN_DENIED);
	EXPECT(PACKET_OUT, LISTEN, LISTEN, NONE);
	rig_check(seen[0].conn == 1 && seen[1].conn == 1);
	rig_forget();
	rig_end();
}

static void a_half_open_one_that_ends(void)
{
	watch();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	EXPECT(0, LISTEN, SYN_RECEIVED, NONE);
	EXPECT(PACKET_OUT, SYN_RECEIVED, SYN_RECEIVED, NONE);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	EXPECT(PACKET_RETRANSMIT, SYN_RECEIVED, SYN_RECEIVED, NONE);
	EXPECT(PACKET_OUT | PACKET_RETRANSMIT, SYN_RECEIVED, SYN_RECEIVED,
	       NONE);
	rig_rx(SEG(.flags = TH_SYN, .seq = 7000));
	EXPECT(0, SYN_RECEIVED, SYN_RECEIVED, SYN_CHALLENGED);
	EXPECT(PACKET_OUT | PACKET_CHALLENGE, SYN_RECEIVED, SYN_RECEIVED, NONE);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	EXPECT(0, SYN_RECEIVED, CLOSED, NONE);
	rig_check(seen[nseen - 1].conn == 1);
	rig_check(nended == 1 && ended.state == TCP_SYN_RECEIVED);
	rig_check(ended.reason == CLOSE_RESET_BY_PEER);
	rig_forget();
	rig_end();
}

/* RFC 4987, 3.6: nothing is kept of the SYN, so the ACK brings a new id. */
static void a_cookie_and_its_ack(void)
{
	rig.conf.cookies = COOKIES_ALWAYS;
	watch();
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	EXPECT(0, LISTEN, LISTEN, NONE);
	EXPECT(PACKET_OUT | PACKET_COOKIE, LISTEN, LISTEN, NONE);
	EXPECT(PACKET_COOKIE, LISTEN, ESTABLISHED, NONE);
	rig_check(seen[0].conn == 1 && seen[1].conn == 1);
	rig_check(seen[2].conn == 2);
	rig_end();
}

static void what_is_dropped_says_why(void)
{
	watch();
	rig_established();
	looked = nseen;
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 9001));
	EXPECT(0, ESTABLISHED, ESTABLISHED, ACK_FUTURE);
	rig_forget();
	looked = nseen;
	/* Nothing of it is believed, but its ports say whose it claims to be. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 5,
		   .bad_csum = true));
	EXPECT(0, ESTABLISHED, ESTABLISHED, TCP_CHECKSUM);
	rig_check(seen[nseen - 1].conn == 1 && seen[nseen - 1].text == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 4996, .ack = 1001, .len = 5));
	EXPECT(PACKET_RETRANSMIT, ESTABLISHED, ESTABLISHED, DUPLICATE);
	rig_check(seen[nseen - 2].text == 5);
	EXPECT(PACKET_OUT, ESTABLISHED, ESTABLISHED, NONE);
	rig_forget();
	rig_rx_packet("", 1);
	EXPECT(0, CLOSED, CLOSED, IP_VERSION);
	rig_check(seen[nseen - 1].conn == 0 && seen[nseen - 1].peer_port == 0);
	rig_end();
}

/* RFC 5961, 7 */
static void a_challenge_is_marked(void)
{
	watch();
	rig_established();
	looked = nseen;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5100));
	EXPECT(0, ESTABLISHED, ESTABLISHED, SYN_CHALLENGED);
	EXPECT(PACKET_OUT | PACKET_CHALLENGE, ESTABLISHED, ESTABLISHED, NONE);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	EXPECT(0, ESTABLISHED, CLOSE_WAIT, NONE);
	EXPECT(PACKET_OUT, CLOSE_WAIT, CLOSE_WAIT, NONE);
	rig_forget();
	rig_end();
}

static void a_super_segment_is_one_packet(void)
{
	rig.conf.gso_max = 64000;
	watch();
	rig_established();
	looked = nseen;
	rig_send(3000);
	EXPECT(PACKET_OUT, ESTABLISHED, ESTABLISHED, NONE);
	rig_check(seen[nseen - 1].gso_size == 1000);
	rig_check(seen[nseen - 1].text == 3000);
	rig_check(seen[nseen - 1].parts >= 2);
	rig_forget();
	looked = nseen;
	rig_wait(S(3));
	rig_check(looked < nseen);
	rig_check(seen[looked].flags & (PACKET_RETRANSMIT | PACKET_PROBE));
	rig_forget();
	rig_end();
}

/* Else a capture of IPv4 would seem to have one packet twice. */
static void answers_of_a_turn_have_their_own_ip_id(void)
{
	watch();
	rig_hold();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_release();
	rig_check(nseen == 4 && seen[2].flags & seen[3].flags & PACKET_OUT);
	rig_check(rig.v6 || seen[2].ip_id != seen[3].ip_id);
	rig_forget();
	rig_end();
}

static void time_wait_keeps_the_id(void)
{
	watch();
	rig_established();
	rig_close();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	rig_check(nended == 1 && ended.state == TCP_TIME_WAIT);
	rig_forget();
	looked = nseen;
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	EXPECT(0, TIME_WAIT, TIME_WAIT, NONE);
	EXPECT(PACKET_OUT, TIME_WAIT, TIME_WAIT, NONE);
	rig_check(seen[nseen - 1].conn == 1 && seen[nseen - 2].conn == 1);
	rig_forget();
	/* RFC 6191, 2: the same ends, another connection. */
	rig_rx(SEG(.flags = TH_SYN, .seq = 5002 + 100000));
	EXPECT(0, TIME_WAIT, SYN_RECEIVED, NONE);
	rig_check(seen[nseen - 2].conn == 2);
	rig_check(seen[nseen - 2].listener == 0);
	rig_forget();
	rig_end();
}

/* It is of no connection yet, so TIME-WAIT is not its state. */
static void a_syn_that_is_refused_in_time_wait(void)
{
	watch();
	rig_established();
	rig_close();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	rig_forget();
	looked = nseen;
	rig.on_syn = SYN_REFUSE;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5002 + 100000));
	EXPECT(0, LISTEN, LISTEN, SYN_DENIED);
	EXPECT(PACKET_OUT, LISTEN, LISTEN, NONE);
	rig_check(seen[nseen - 1].conn == 2 && seen[nseen - 2].conn == 2);
	rig_check(seen[nseen - 2].listener == 0);
	rig_forget();
	/* That one stays as long as nothing takes its place. */
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	EXPECT(0, TIME_WAIT, TIME_WAIT, NONE);
	EXPECT(PACKET_OUT, TIME_WAIT, TIME_WAIT, NONE);
	rig_forget();
	stack_listener_enable(rig.st, rig.listener.name, false);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5002 + 200000));
	EXPECT(0, CLOSED, CLOSED, NONE);
	EXPECT(PACKET_OUT, CLOSED, CLOSED, NONE);
	rig_check(seen[nseen - 1].conn == 3 && seen[nseen - 2].conn == 3);
	rig_forget();
	rig_end();
}

static void nobody_watches_any_more(void)
{
	watch();
	rig_established();
	rig_check(nseen == 3);
	stack_watch(rig.st, NULL);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	rig_abort();
	rig_check(nseen == 3 && nended == 0);
	rig_forget();
	rig_end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(a_life_from_the_syn_to_the_last_ack),
		UNIT_TEST(an_active_open_and_its_reset),
		UNIT_TEST(an_abort),
		UNIT_TEST(a_syn_for_nobody_has_an_id),
		UNIT_TEST(a_syn_that_is_denied),
		UNIT_TEST(a_half_open_one_that_ends),
		UNIT_TEST(a_cookie_and_its_ack),
		UNIT_TEST(what_is_dropped_says_why),
		UNIT_TEST(a_challenge_is_marked),
		UNIT_TEST(a_super_segment_is_one_packet),
		UNIT_TEST(answers_of_a_turn_have_their_own_ip_id),
		UNIT_TEST(time_wait_keeps_the_id),
		UNIT_TEST(a_syn_that_is_refused_in_time_wait),
		UNIT_TEST(nobody_watches_any_more),
	};

	return rig_main("stack_tap", tests, sizeof(tests) / sizeof(*tests),
			argc, argv);
}
