/*
 * test_flow_text.c - What came again, windows, options: as the judge sees it
 */
#include <string.h>

#include "core/assert.h"
#include "flow_rig.h"
#include "unit.h"

static const struct verdict *v; /* of the test that runs */

/* The client sends 100 bytes of its text, from byte @at on. */
static void text(uint32_t at)
{
	c(PSH, CISN + 1 + at, SISN + 1, 100);
}

/* The server has taken @n bytes of it. */
static void acked(uint32_t n)
{
	s(ACK, SISN + 1, CISN + 1 + n, 0);
}

/* ---- text that comes again ----------------------------------------------- */

static void seen_before(void)
{
	handshake();
	text(0);
	wait_ms(300);
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 100);
	expect_only(v, ANOMALY_RETRANSMIT);
	CU_ASSERT_EQUAL(odd(v, ANOMALY_RETRANSMIT)->frame, 5);
	done();
}

static void needless(void)
{
	handshake();
	text(0);
	acked(100);
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].needless, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 0);
	done();
}

/* The first copy never came here; it was noticed and sent again. */
static void fills_a_hole(void)
{
	handshake();
	text(100);
	wait_ms(300);
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 0);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 200);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 200);
	done();
}

/* Many are lost before they come here, and all of them are sent again. */
static void fills_many_holes(void)
{
	handshake();
	for (uint32_t i = 0; i < 100; i++)
		text(200 * i + 100);
	wait_ms(300);
	for (uint32_t i = 0; i < 100; i++)
		text(200 * i);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 0);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 20000);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 20000);
	done();
}

/* Whoever captured was too slow for every second segment. */
static void misses_more_than_it_remembers(void)
{
	handshake();
	for (uint32_t i = 0; i < 300; i++) {
		text(200 * i + 100);
		acked(200 * i + 200);
	}
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 60000);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 30000);
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "ShADaGGG");
	done();
}

/* From its middle, its end, its beginning; and no byte twice. */
static void fills_parts_of_a_hole(void)
{
	handshake();
	text(500);
	wait_ms(300);
	text(200);
	text(150);
	text(400);
	text(300);
	text(0);
	text(100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 600);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 600);
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 6);
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 0);
	done();
}

/* Its number is no text, even if it was taken for that before it came. */
static void fin_fills_a_hole(void)
{
	handshake();
	c(PSH, CISN + 1, SISN + 1, 100);
	s(ACK, SISN + 1, CISN + 102, 0); /* overtakes the FIN */
	c(FIN, CISN + 101, SISN + 1, 0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 100);
	done();

	/* With text that was missing, after it came alone. */
	handshake();
	c(FIN, CISN + 101, SISN + 1, 0);
	wait_ms(300);
	c(FIN, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 100);
	done();
}

static void late_by_time(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	wait_ms(20);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	text(100);
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 0);
	done();
}

/* The SYN-ACK came again, behind the ACK: the round trip was measured before.
 */
static void late_behind_another_synack(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	wait_ms(20);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	wait_ms(1000);
	s(SA, SISN, CISN + 1, 0);
	text(100);
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 1);
	done();
}

static void late_by_timestamp(void)
{
	handshake();
	cap.p.opts = POPT_TS;
	cap.p.ts_val = 20;
	text(100);
	wait_ms(300);
	cap.p.opts = POPT_TS;
	cap.p.ts_val = 10;
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 1);
	done();
}

/* Both were sent in one tick: within a round trip nobody can have noticed a loss,
 * and if that is longer than a tick, neither can have been sent because of it. */
static void late_by_the_same_timestamp(void)
{
	static const struct {
		int round_ms, waits_ms;
		bool late;
	} cases[] = {{8, 7, true}, {8, 9, false}, {20, 100, true}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin();
		c(SYN, CISN, 0, 0);
		wait_ms(cases[i].round_ms);
		s(SA, SISN, CISN + 1, 0);
		c(ACK, CISN + 1, SISN + 1, 0);
		cap.p.opts = POPT_TS;
		cap.p.ts_val = 10;
		text(100);
		wait_ms(cases[i].waits_ms);
		cap.p.opts = POPT_TS;
		cap.p.ts_val = 10;
		text(0);
		v = end();
		CU_ASSERT_EQUAL(v->side[CLIENT].late, cases[i].late);
		CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, !cases[i].late);
		done();
	}
}

/* What counts is when it was overtaken, however much came since. */
static void sent_again_among_others(void)
{
	handshake();
	for (uint32_t i = 1; i < 10; i++)
		text(100 * i);
	wait_ms(0);
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 0);
	done();
}

static void text_ts(uint32_t at, uint32_t ts_val)
{
	cap.p.opts = POPT_TS;
	cap.p.ts_val = ts_val;
	wait_ms(0);
	text(at);
}

/* What is sent again may have the time of what stands before it, and may be
 * overtaken itself. It was sent after what showed the hole. */
static void sent_again_by_timestamp(void)
{
	handshake();
	text_ts(100, 10);
	text_ts(300, 20);
	text_ts(0, 20);
	text_ts(400, 30);
	text_ts(200, 25);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 2);
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 0);
	done();
}

/* What was never captured was acknowledged: it is missing, no more. */
static void not_captured(void)
{
	handshake();
	text(0);
	acked(1100);
	text(1100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 1200);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 200);
	expect_none(v);
	done();
}

/* An ACK came before the text that was sent before it. */
static void overtaken_by_an_ack(void)
{
	handshake();
	c(ACK, CISN + 101, SISN + 1, 0);
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].late + v->side[CLIENT].filled_hole, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 100);
	done();
}

static void keep_alive(void)
{
	handshake();
	text(0);
	acked(100);
	wait_ms(60000);
	c(ACK, CISN + 100, SISN + 1, 1);
	acked(100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].needless, 0);
	expect_none(v);
	done();
}

static void out_of_window(void)
{
	handshake();
	c(PSH, CISN + 1 + WND + 1, SISN + 1, 100);
	text(0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_SEQ_OUT_OF_WINDOW));
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 0);
	done();
}

/* Both sides go on by more than a window, and the capture has none of it. */
static void windows_not_captured(void)
{
	const uint32_t ahead = 2 * WND;

	handshake();
	text(0);
	acked(100);
	text(ahead);
	text(ahead + 100);
	acked(ahead + 200);
	text(ahead + 200);
	acked(ahead + 300);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 2 * WND + 300);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 400);
	CU_ASSERT_EQUAL(odd(v, ANOMALY_SEQ_OUT_OF_WINDOW)->count, 2);
	CU_ASSERT_PTR_NULL(odd(v, ANOMALY_ACK_OUT_OF_WINDOW));
	done();
}

/* A FIN with text beyond it, or alone, is a FIN once it is acknowledged, and what
 * stands before it comes to as many bytes as without. */
static void fin_beyond_and_acknowledged(void)
{
	const uint32_t ahead = 2 * WND;

	for (uint32_t len = 0; len <= 100; len += 100) {
		handshake();
		c(FIN, CISN + 1 + ahead, SISN + 1, len);
		c(ACK, CISN + 2 + ahead + 2 * WND, SISN + 1, 0); /* forged */
		acked(ahead + len + 1);
		v = end();
		CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, ahead + len);
		CU_ASSERT_EQUAL(v->side[CLIENT].captured, len);
		CU_ASSERT_EQUAL(v->ending, ENDING_HALF_CLIENT);
		CU_ASSERT_EQUAL(v->first_fin, CLIENT);
		CU_ASSERT_EQUAL(v->ending_frame, 4);
		done();
	}
}

/* Text comes first, then a FIN right behind it: one piece. */
static void fin_behind_what_is_beyond(void)
{
	const uint32_t ahead = 2 * WND;

	handshake();
	text(ahead);
	c(FIN, CISN + 101 + ahead, SISN + 1, 0);
	text(ahead); /* again */
	acked(ahead + 101);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, ahead + 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 100);
	CU_ASSERT_EQUAL(v->ending, ENDING_HALF_CLIENT);
	CU_ASSERT_EQUAL(v->ending_frame, 5);
	done();
}

/* Text that nobody acknowledges proves nothing, and neither does an ACK. */
static void beyond_and_not_acknowledged(void)
{
	const uint32_t ahead = 2 * WND;

	handshake();
	text(ahead);
	acked(ahead - 50);
	acked(ahead + 2 * WND);
	text(0);
	acked(100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 100);
	CU_ASSERT_EQUAL(odd(v, ANOMALY_ACK_OUT_OF_WINDOW)->count, 2);
	done();
}

static void different_data(void)
{
	static const uint8_t other[100] = {9, 9, 9};

	handshake();
	text(0);
	cap.p.text = other;
	text(0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_DIFFERENT_DATA));
	done();
}

/* Without an identification: at once, and nobody has said anything since. */
static void captured_twice(void)
{
	handshake();
	text(0);
	wait_ms(0);
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 0);
	CU_ASSERT_EQUAL(v->side[CLIENT].packets, 4);
	expect_only(v, ANOMALY_DUPLICATE);
	done();
}

static void burst(uint16_t id)
{
	for (uint16_t i = 0; i < 20; i++) {
		cap.p.has_ip_id = true;
		cap.p.ip_id = (uint16_t)(id + i);
		c(PSH, CISN + 1 + 100u * i, SISN + 1, 100);
	}
}

/* Both have seen the SYN, and the first one a burst so far. */
static void two_captures(void)
{
	begin();
	for (int i = 0; i < 2; i++) {
		cap.p.has_ip_id = true;
		cap.p.ip_id = 7;
		c(SYN, CISN, 0, 0);
	}
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	burst(100);
}

/* At two places, by files that were merged: a burst, and then all of its copies.
 * What is sent again has another identification. */
static void captured_at_two_places(void)
{
	two_captures();
	burst(100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 0);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 2000);
	CU_ASSERT_EQUAL(odd(v, ANOMALY_DUPLICATE)->count, 21);
	done();

	two_captures();
	burst(120);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 20);
	CU_ASSERT_EQUAL(odd(v, ANOMALY_DUPLICATE)->count, 1);
	done();
}

/* IPv6 has no identification: the burst and its copies follow each other, and
 * what is sent again waits for the other side. */
static void copied_without_id(bool heard)
{
	begin();
	c(SYN, CISN, 0, 0);
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	for (int twice = 0; twice < 2; twice++) {
		for (uint32_t i = 0; i < 20; i++) {
			wait_ms(0);
			text(100 * i);
		}
		if (heard)
			acked(0);
	}
	v = end();
}

static void captured_at_two_places_without_id(void)
{
	copied_without_id(false);
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 0);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 2000);
	CU_ASSERT_EQUAL(odd(v, ANOMALY_DUPLICATE)->count, 21);
	done();

	copied_without_id(true);
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 20);
	CU_ASSERT_EQUAL(odd(v, ANOMALY_DUPLICATE)->count, 1);
	done();
}

/* A loss that was noticed as soon: the other side has told of it. */
static void sent_again_at_once(void)
{
	handshake();
	text(0);
	wait_ms(0);
	acked(0);
	wait_ms(0);
	text(0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 1);
	expect_only(v, ANOMALY_RETRANSMIT);
	done();
}

/* A forged answer comes as soon, but it has something else to say. */
static void forged_at_once(void)
{
	static const uint8_t other[100] = {9, 9, 9};

	handshake();
	s(PSH, SISN + 1, CISN + 1, 100);
	wait_ms(0);
	cap.p.text = other;
	s(PSH, SISN + 1, CISN + 1, 100);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_DIFFERENT_DATA));
	CU_ASSERT_PTR_NULL(odd(v, ANOMALY_DUPLICATE));
	done();
}

/* A full-size segment that is lost four times and then arrives as it is. */
static void lost_often(void)
{
	handshake();
	for (int i = 0; i < 4; i++) {
		s(ACK, SISN + 1, CISN + 1, 1460);
		c(PSH, CISN + 1 + 10 * (uint32_t)i, SISN + 1, 10);
		wait_ms(300);
	}
	s(ACK, SISN + 1, CISN + 41, 1460);
	c(ACK, CISN + 41, SISN + 1461, 0);
	v = end();
	CU_ASSERT_PTR_NULL(odd(v, ANOMALY_MTU_BLACKHOLE));
	CU_ASSERT_EQUAL(v->side[SERVER].seen_before, 4);
	done();
}

/* ---- windows, options, headers ------------------------------------------- */

static void zero_window(void)
{
	handshake();
	text(0);
	cap.p.wnd = 0;
	acked(100);
	c(ACK, CISN + 101, SISN + 1, 1); /* a probe is no text */
	cap.p.wnd = 0;
	acked(100);
	acked(100);
	v = end();
	CU_ASSERT_EQUAL(v->side[SERVER].zero_windows, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_ZERO_WINDOW));
	done();
}

/* The byte of a probe is new. It is text if it was taken, and nothing of it is
 * missing. */
static void probe_that_was_taken(void)
{
	handshake();
	text(0);
	for (int i = 0; i < 3; i++) {
		cap.p.wnd = 0;
		acked(100);
		wait_ms(500);
		c(ACK, CISN + 101, SISN + 1, 1);
	}
	acked(101);
	text(101);
	acked(201);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 201);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 201);
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "ShADaw");
	done();
}

/* It was not, and comes with the text behind it. */
static void probe_that_was_not_taken(void)
{
	handshake();
	text(0);
	cap.p.wnd = 0;
	acked(100);
	c(ACK, CISN + 101, SISN + 1, 1);
	acked(100);
	text(100);
	acked(201); /* one more than was captured */
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 201);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 200);
	done();
}

static void window_shrunk(void)
{
	handshake();
	acked(0);
	cap.p.wnd = WND / 2;
	acked(0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_WINDOW_SHRUNK));
	done();
}

/* The server has 100 bytes of the client, and those up to @to behind a hole. */
static void sacked(uint32_t to, uint32_t ts_val, uint16_t wnd)
{
	cap.p.opts = POPT_SACK | POPT_TS;
	cap.p.nsacks = 1;
	cap.p.sack[0].start = CISN + 201;
	cap.p.sack[0].end = CISN + 1 + to;
	cap.p.ts_val = ts_val;
	cap.p.wnd = wnd;
	acked(100);
}

/* An ACK that was overtaken has the window of before. */
static void window_of_an_ack_overtaken(void)
{
	handshake();
	for (uint32_t i = 0; i < 5; i++)
		if (i != 1)
			text(100 * i);
	sacked(300, 10, WND);
	sacked(500, 10, WND + 1000);
	sacked(400, 10, WND); /* of what came before the last */
	sacked(500, 9, WND);
	v = end();
	CU_ASSERT_PTR_NULL(odd(v, ANOMALY_WINDOW_SHRUNK));
	done();

	handshake();
	for (uint32_t i = 0; i < 5; i++)
		if (i != 1)
			text(100 * i);
	sacked(300, 10, WND);
	sacked(500, 10, WND - 1000);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_WINDOW_SHRUNK));
	done();
}

/* A SYN-ACK behind text with a hole: the hole was in other numbers. */
static void a_beginning_behind_a_hole(void)
{
	begin();
	s(PSH, SISN + 1, CISN + 1, 100);
	s(PSH, SISN + 301, CISN + 1, 100);
	s(SA, SISN + 4000, CISN + 1, 0);
	s(PSH, SISN + 101, CISN + 1, 200);
	v = end();
	CU_ASSERT(v->side[SERVER].captured <= v->side[SERVER].by_seq);
	done();
}

static void odd_flags(void)
{
	static const struct {
		uint16_t flags;
		enum anomaly_kind kind;
	} all[] = {
		{0, ANOMALY_FLAGS_NONE},
		{TH_SYN | TH_FIN, ANOMALY_FLAGS_SYN_FIN},
		{TH_SYN | TH_RST, ANOMALY_FLAGS_SYN_RST},
		{TH_FIN | TH_URG | TH_PSH, ANOMALY_FLAGS_XMAS},
		{TH_FIN, ANOMALY_FIN_WITHOUT_ACK},
		{TH_FIN | TH_RST | TH_ACK, ANOMALY_FLAGS_ODD},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		handshake();
		c(all[i].flags, CISN + 1, 0, 0);
		v = end();
		CU_ASSERT_PTR_NOT_NULL(odd(v, all[i].kind));
		done();
	}
}

static void options_changed(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	cap.p.opts = POPT_MSS;
	cap.p.mss = 1460;
	c(SYN, CISN, 0, 0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_OPTIONS_CHANGED));
	done();
}

static void timestamps(void)
{
	const uint8_t with = POPT_MSS | POPT_TS;

	begin();
	cap.p.opts = with;
	cap.p.mss = 1460;
	cap.p.ts_val = 100;
	c(SYN, CISN, 0, 0);
	cap.p.opts = with;
	cap.p.mss = 1460;
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0); /* without */
	cap.p.opts = POPT_TS;
	cap.p.ts_val = 50;
	c(PSH, CISN + 1, SISN + 1, 10);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_TS_MISSING));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_TS_BACKWARDS));
	done();
}

/* Wrong on the wire: nobody takes it, and it comes again. */
static void checksum_bad(void)
{
	handshake();
	cap.p.notes = NOTE_TCP_SUM;
	text(0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL_FATAL(odd(v, ANOMALY_CHECKSUM_BAD));
	CU_ASSERT_EQUAL(odd(v, ANOMALY_CHECKSUM_BAD)->frame, 4);
	done();
}

/* Wrong where it was captured: the other side takes it. */
static void checksum_offload(void)
{
	handshake();
	cap.p.notes = NOTE_TCP_SUM;
	text(0);
	acked(100);
	v = end();
	CU_ASSERT_PTR_NULL(odd(v, ANOMALY_CHECKSUM_BAD));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_CHECKSUM_OFFLOAD));
	done();
}

static void other_ways(void)
{
	handshake();
	cap.p.ttl = TTL - 3;
	s(PSH, SISN + 1, CISN + 1, 10);
	cap.p.flags = 0;
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_TTL_SHIFT));
	done();
}

static void syn_options(void)
{
	begin();
	cap.p.opts = POPT_MSS | POPT_WSCALE;
	cap.p.mss = 64;
	cap.p.wscale = 15;
	cap.p.notes = NOTE_OPTION;
	c(SYN | 0x200, CISN, 0, 0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_MSS_TINY));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_WS_OVER_14));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_OPTION_TRUNCATED));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_RESERVED_BITS));
	done();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(seen_before),
		UNIT_TEST(needless),
		UNIT_TEST(fills_a_hole),
		UNIT_TEST(fills_many_holes),
		UNIT_TEST(misses_more_than_it_remembers),
		UNIT_TEST(fills_parts_of_a_hole),
		UNIT_TEST(fin_fills_a_hole),
		UNIT_TEST(late_by_time),
		UNIT_TEST(late_behind_another_synack),
		UNIT_TEST(late_by_timestamp),
		UNIT_TEST(late_by_the_same_timestamp),
		UNIT_TEST(sent_again_among_others),
		UNIT_TEST(sent_again_by_timestamp),
		UNIT_TEST(not_captured),
		UNIT_TEST(overtaken_by_an_ack),
		UNIT_TEST(keep_alive),
		UNIT_TEST(out_of_window),
		UNIT_TEST(windows_not_captured),
		UNIT_TEST(fin_beyond_and_acknowledged),
		UNIT_TEST(fin_behind_what_is_beyond),
		UNIT_TEST(beyond_and_not_acknowledged),
		UNIT_TEST(different_data),
		UNIT_TEST(captured_twice),
		UNIT_TEST(captured_at_two_places),
		UNIT_TEST(captured_at_two_places_without_id),
		UNIT_TEST(sent_again_at_once),
		UNIT_TEST(forged_at_once),
		UNIT_TEST(lost_often),
		UNIT_TEST(zero_window),
		UNIT_TEST(probe_that_was_taken),
		UNIT_TEST(probe_that_was_not_taken),
		UNIT_TEST(window_shrunk),
		UNIT_TEST(window_of_an_ack_overtaken),
		UNIT_TEST(a_beginning_behind_a_hole),
		UNIT_TEST(odd_flags),
		UNIT_TEST(options_changed),
		UNIT_TEST(timestamps),
		UNIT_TEST(checksum_bad),
		UNIT_TEST(checksum_offload),
		UNIT_TEST(other_ways),
		UNIT_TEST(syn_options),
	};

	return unit_run("flow_text", tests, ARRAY_LEN(tests), argc, argv);
}
