/*
 * test_stack_fragments.c - Segments that arrive in fragments
 *
 * How they are put together is test_reasm.c; here is what becomes of them in
 * the stack: whole ones are segments like others, the rest is counted.
 */
#include <string.h>

#include "core/be.h"
#include "core/reasm.h"
#include "rig.h"

#define ACK_AFTER MS(40)
#define DATAGRAMS 64 /* held at once */

static struct rig_whole *text(uint32_t id)
{
	return rig_whole(
		SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 600), id);
}

static void in_order(void)
{
	const struct rig_whole *w;

	rig_established();
	w = text(1);
	rig_rx_piece(w, 0, 200);
	rig_rx_piece(w, 200, 400);
	rig_check(rig_only()->received == 0);
	rig_rx_piece(w, 400, 620);
	rig_check(rig_only()->received == 600);
	rig_expect_after(ACK_AFTER,
			 SEG(.flags = TH_ACK, .seq = 1001, .ack = 5601));
	rig_expect_silence();
	rig_end();
}

static void backwards_and_twice(void)
{
	const struct rig_whole *w;

	rig_established();
	w = text(1);
	rig_rx_piece(w, 400, 620);
	rig_rx_piece(w, 200, 400);
	rig_rx_piece(w, 200, 400);
	rig_rx_piece(w, 0, 200);
	rig_check(rig_only()->received == 600);
	rig_check(rig_dropped(DROP_FRAG_COPY) == 1);
	rig_end();
}

/* A handshake whose SYN came in two pieces is a handshake. */
static void syn_in_pieces(void)
{
	const struct rig_whole *w;

	w = rig_whole(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(9)), 1);
	rig_rx_piece(w, 0, 24);
	rig_expect_silence();
	rig_rx_piece(w, 24, w->len - w->head);
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), TS(9)));
	rig_end();
}

/* Nobody has seen its checksum, whatever the device says of the pieces. */
static void checksum_is_looked_at(void)
{
	static uint8_t pkt[RIG_PACKET_MAX];
	const struct stack_rx vouched = {.csum_ok = true};
	struct rig_whole *w;

	rig_established();
	w = text(1);
	w->pkt[w->len - 1] ^= 1;
	for (uint32_t at = 0; at < 600; at += 320) {
		uint32_t to = at + 320 < 620 ? at + 320 : 620;
		uint32_t len = rig_cut(pkt, w, at, to);

		stack_input(rig.st, pkt, len, &vouched, rig.now_us);
	}
	rig_wait(0);
	rig_check(rig_only()->received == 0);
	rig_check(rig_dropped(DROP_TCP_CHECKSUM) == 1);
	rig_expect_silence();
	rig_end();
}

/* RFC 5722, 4: refused, and what still comes of it buried. */
static void overlap_refused(void)
{
	const struct rig_whole *w;

	rig_established();
	w = text(1);
	rig_rx_piece(w, 0, 200);
	rig_rx_piece(w, 192, 400);
	rig_check(rig_dropped(DROP_FRAG_OVERLAP) == 1);
	rig_rx_piece(w, 400, 620);
	rig_check(rig_dropped(DROP_FRAG_BURIED) == 1);
	rig_check(rig_only()->received == 0);
	rig_expect_silence();
	/* The peer sends it again, in one piece. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 600));
	rig_check(rig_only()->received == 600);
	rig_end();
}

static void refused_and_counted(void)
{
	static const struct {
		uint32_t from, to;
		enum drop_reason why;
	} pieces[] = {
		{0, 204, DROP_FRAG_LENGTH}, /* not the last, not by eights */
		{0, 8, DROP_FRAG_TINY},
	};

	rig_established();
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		rig_rx_piece(text((uint32_t)i + 1), pieces[i].from,
			     pieces[i].to);
		rig_check(rig_dropped(pieces[i].why) == 1);
	}
	/* RFC 8200, 4.5: IPv6 tells of both. */
	rig_check(rig_stats().icmp_errors_out == (rig.v6 ? 2 : 0));
	rig_forget();
	rig_end();
}

/* The rest never comes. RFC 1122, 3.3.2: given up, and the memory is free. */
static void timeout(void)
{
	rig_established();
	rig_rx_piece(text(1), 0, 200);
	rig_wait(S(29));
	rig_check(rig_dropped(DROP_FRAG_TIMEOUT) == 0);
	rig_wait(S(32));
	rig_check(rig_dropped(DROP_FRAG_TIMEOUT) == 1);
	rig_forget();
	rig_rx_piece(text(1), 200, 620);
	rig_check(rig_only()->received == 0);
	rig_end();
}

/* One more than can be held: the oldest goes. */
static void evicted(void)
{
	rig_established();
	for (uint32_t id = 1; id <= DATAGRAMS + 1; id++)
		rig_rx_piece(text(id), 0, 200);
	rig_check(rig_dropped(DROP_FRAG_EVICTED) == 1);
	rig_rx_piece(text(1), 200, 620);
	rig_check(rig_only()->received == 0);
	rig_rx_piece(text(3), 200, 620);
	rig_check(rig_only()->received == 600);
	rig_end();
}

/* What came together is a fragment again: nobody honest makes that. */
static void fragment_in_fragments(void)
{
	static uint8_t inner[RIG_PACKET_MAX];
	static struct rig_whole outer;
	uint32_t len;

	rig_established();
	if (!rig.v6) {
		rig_end(); /* IPv4 has one place for it */
		return;
	}
	len = rig_cut(inner, text(7), 0, 400);
	memcpy(outer.pkt, inner, len);
	outer.len = len;
	outer.head = WIRE_IP6_LEN;
	outer.id = 8;
	rig_rx_piece(&outer, 0, 200);
	rig_rx_piece(&outer, 200, len - WIRE_IP6_LEN);
	rig_check(rig_dropped(DROP_IP_FRAGMENT) == 1);
	rig_check(rig_only()->received == 0);
	rig_expect_silence();
	rig_end();
}

/* Congestion experienced, in the header of what is cut from now on. */
static void mark(struct rig_whole *w)
{
	if (rig.v6)
		w->pkt[1] |= IP_ECN_CE << 4;
	else
		w->pkt[1] |= IP_ECN_CE;
}

/* Each refusal has a reason of its own. */
static void each_reason(void)
{
	uint32_t len, far;
	uint8_t pkt[RIG_PACKET_MAX];
	struct rig_whole w;

	rig_established();
	w = *text(1);
	rig_rx_piece(&w, 400, w.len - w.head);
	rig_rx_piece(&w, 400, w.len - w.head);
	rig_check(rig_dropped(DROP_FRAG_COPY) == 1);
	w = *rig_whole(
		SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 800), 1);
	rig_rx_piece(&w, 640, 704);
	rig_check(rig_dropped(DROP_FRAG_END) == 1);
	rig_rx_piece(&w, 0, 200);
	rig_check(rig_dropped(DROP_FRAG_BURIED) == 1);

	w = *text(2);
	rig_rx_piece(&w, 0, 400);
	mark(&w);
	rig_rx_piece(&w, 400, w.len - w.head);
	rig_check(rig_dropped(DROP_FRAG_ECN) == 1);

	w = *text(3);
	len = rig_cut(pkt, &w, 0, 400);
	far = w.head + (rig.v6 ? 2 : 0);
	be_put16(rig.v6 ? pkt + far : pkt + 6,
		 rig.v6 ? 0xfff8 : 0x1fff); /* the last place there is */
	if (!rig.v6)
		rig_seal4(pkt);
	rig_rx_packet(pkt, len);
	rig_check(rig_dropped(DROP_FRAG_SIZE) == 1);

	w = *rig_whole(
		SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 1400), 4);
	for (uint32_t i = 0; i < REASM_PIECES_MAX; i++)
		rig_rx_piece(&w, 24 + 8 * i, 32 + 8 * i);
	rig_check(rig_dropped(DROP_FRAG_PIECES) == 0);
	rig_rx_piece(&w, 0, 24);
	rig_check(rig_dropped(DROP_FRAG_PIECES) == 1);
	rig_forget();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(in_order),
	UNIT_TEST(backwards_and_twice),
	UNIT_TEST(syn_in_pieces),
	UNIT_TEST(checksum_is_looked_at),
	UNIT_TEST(overlap_refused),
	UNIT_TEST(refused_and_counted),
	UNIT_TEST(timeout),
	UNIT_TEST(evicted),
	UNIT_TEST(fragment_in_fragments),
	UNIT_TEST(each_reason),
};

int main(int argc, char **argv)
{
	return rig_main("stack_fragments", tests, ARRAY_LEN(tests), argc, argv);
}
