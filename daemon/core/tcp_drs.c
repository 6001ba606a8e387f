/*
 * tcp_drs.c - How large a window the peer can make use of
 *
 * What a reader takes in one round trip is what the sender had in flight (after
 * "dynamic right-sizing", Fisk and Feng, 2001). Its next flight may be twice
 * that, in slow start, and the window has to be there before: twice what was
 * taken if that stays the same, and if it doubled, what two more rounds will
 * make of it and half of that again, for rounds are not cut where flights
 * begin. Without that half, eight senders on 1 Gbit/s and 50 ms were held back
 * by the window for 150 to 300 ms of their first second. Up to rcvbuf_max, and
 * while there is memory.
 *
 * Who only receives has nothing acknowledged that could be measured, and what
 * was measured with the handshake knows nothing of the queues that a bulk of
 * text fills: too short a round sees a part of the flight only, and the window
 * stays too small. So text is measured, as in Linux: by the timestamp of ours
 * that it echoes, which left with the ACK that released it; without
 * timestamps, by the time in which a whole window arrives. That is a round trip
 * if the window was what held the sender back, and more otherwise, so only the
 * shortest counts. Too long a round makes the window too large at worst.
 */
#include "tcp_priv.h"

#define ROUND_MIN_US 500 /* half a tick of the timestamp clock */
#define ECHO_MAX_MS  60000u

static void by_echo(const struct stack *st, const struct tcp_conn *c,
		    struct tcp_active *a, uint32_t echo);
static void by_window(const struct stack *st, const struct tcp_conn *c,
		      struct tcp_active *a);

void tcp_drs_arrived(const struct stack *st, const struct tcp_conn *c,
		     struct tcp_active *a, const struct tcp_seg *seg)
{
	if (!(c->flags & CF_TS))
		by_window(st, c, a);
	else if (seg->opts & OPT_TS && seg->len >= c->rcv_mss)
		by_echo(st, c, a, seg->ts_ecr);
}

void tcp_drs_read(const struct stack *st, struct tcp_conn *c,
		  struct tcp_active *a, uint32_t n)
{
	int64_t round = a->drs_rtt_us ? a->drs_rtt_us : c->rtt.srtt_us;
	uint64_t want, more = 0;

	a->drs_bytes += n;
	if (round < ROUND_MIN_US)
		round = ROUND_MIN_US;
	if (st->now_us - a->drs_at_us < round)
		return;
	if (a->drs_bytes > a->drs_last)
		more = a->drs_bytes - a->drs_last;
	if (more > a->drs_bytes / 2)
		more = a->drs_bytes / 2; /* it was the first round */
	want = 2 * (a->drs_bytes + 4 * more);
	if (want > st->conf.rcvbuf_max)
		want = st->conf.rcvbuf_max;
	if (want > c->rcvbuf && stack_pages_left(st) > st->arena.npages / 2)
		c->rcvbuf = (uint32_t)want;
	a->drs_last = a->drs_bytes;
	a->drs_bytes = 0;
	a->drs_at_us = st->now_us;
}

/* Only the first segment with an echo tells when its ACK arrived; and a message
 * may have waited for its user. */
static void by_echo(const struct stack *st, const struct tcp_conn *c,
		    struct tcp_active *a, uint32_t echo)
{
	uint32_t ms = tcp_ts_now(st, c->ts_offset) - echo, us;

	if (echo == a->drs_echo)
		return;
	a->drs_echo = echo;
	if (ms > ECHO_MAX_MS) /* it is none of ours, or of long ago */
		return;
	us = ms ? 1000 * ms : ROUND_MIN_US;
	if (a->drs_rtt_us)
		us = (uint32_t)((7ull * a->drs_rtt_us + us + 4) / 8);
	a->drs_rtt_us = us;
}

static void by_window(const struct stack *st, const struct tcp_conn *c,
		      struct tcp_active *a)
{
	int64_t us = st->now_us - a->drs_from_us;

	if (a->drs_from_us != TIME_NEVER) {
		if (seq_lt(c->rcv_nxt, a->drs_edge))
			return;
		if (us < 1)
			us = 1;
		if (!a->drs_rtt_us || us < a->drs_rtt_us)
			a->drs_rtt_us = (uint32_t)us;
	}
	a->drs_from_us = st->now_us;
	a->drs_edge = c->rcv_adv;
}
