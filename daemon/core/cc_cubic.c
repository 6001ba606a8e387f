/*
 * cc_cubic.c - CUBIC (RFC 9438), with HyStart++ in slow start (RFC 9406)
 *
 * An algorithm that RFC 9293, 3.8.2 (MAY-18) allows instead of RFC 5681's.
 *
 * After a loss cwnd grows along a cubic function of the time since congestion
 * avoidance began: fast at first, flat around W_max, the window that lost last
 * time (reached again after K seconds), and fast again when that turns out to
 * be fine. Where round trips are short this would be slower than Reno, so what
 * Reno would have by now (W_est) is estimated beside it, and the larger counts.
 *
 * Windows are in bytes; RFC 9438 counts segments, so its constant C is C * SMSS
 * here. Time on the curve is counted in ticks of 1/1024 s: a cube of 2048 s
 * fits in 64 bits, and the curve leaves the largest possible window behind long
 * before. What a division leaves over is kept for the next one.
 *
 * The curve knows nothing of what was sent; hence time in which the application
 * or the peer's window was the limit is taken out of it (RFC 9438, 4.2 and
 * 5.8). A sender held back by cwnd gets an ACK each round trip at least, so of
 * a longer silence only that much counts.
 */
#include "cc.h"
#include "hystart.h"

#define TICKS_PER_S  1024
#define TICKS_MAX    (1u << 21)
#define US_PER_S     1000000
#define ALPHA_UNIT   17
#define ALPHA_BEHIND 9 /* 3 * (1 - beta) / (1 + beta): RFC 9438, 4.3 */

/* RFC 9438, 4.1.2. All zero: congestion avoidance was never entered. */
struct cubic {
	int64_t epoch_us;    /* its beginning, moved on by each silence */
	int64_t heard_us;    /* the last ACK on the curve */
	uint64_t est_frac;   /* what did not make w_est grow yet */
	uint32_t w_max;	     /* bytes; 0 before the first loss */
	uint32_t cwnd_prior; /* cwnd before the last loss, 0 as above */
	uint32_t w_est;	     /* bytes; 0: the curve begins with the next ACK */
	uint32_t k;	     /* ticks */
	struct hystart hystart;
	uint8_t from_timeout; /* the curve to come begins flat */
};

_Static_assert(sizeof(struct cubic) <= sizeof(struct cc_state),
	       "what CUBIC remembers fits in struct cc_state");

static void cubic_ack(struct cc *cc, struct cc_state *st,
		      const struct cc_ack *ack);
static void cubic_loss(struct cc *cc, struct cc_state *st, uint32_t in_flight,
		       int64_t now_us);
static void cubic_timeout(struct cc *cc, struct cc_state *st,
			  uint32_t in_flight, uint8_t first, int64_t now_us);
static void avoidance(struct cc *cc, struct cubic *s, const struct cc_ack *ack,
		      uint32_t acked);
static void epoch_begin(const struct cc *cc, struct cubic *s, int64_t now_us);
static void epoch_shift(struct cubic *s, const struct cc_ack *ack);
static void reno_grow(const struct cc *cc, struct cubic *s, uint32_t acked);
static void curve_grow(struct cc *cc, uint32_t target, uint32_t acked);
static uint32_t curve(const struct cubic *s, uint32_t mss, int64_t t_us);
static void congestion(struct cc *cc, struct cubic *s, uint32_t in_flight);
static uint32_t cube_root(uint64_t v);

const struct cc_algorithm cc_cubic = {
	.name = "cubic",
	.ack = cubic_ack,
	.loss = cubic_loss,
	.timeout = cubic_timeout,
};

static struct cubic *cubic_of(struct cc_state *st)
{
	return (struct cubic *)st->word;
}

static void cubic_ack(struct cc *cc, struct cc_state *st,
		      const struct cc_ack *ack)
{
	struct cubic *s = cubic_of(st);
	uint32_t acked = ack->acked;

	if (cc->cwnd < cc->ssthresh) {
		acked = hystart_grow(&s->hystart, cc, ack);
		s->w_est = 0; /* what follows is another stage: 4.1.2 */
	}
	if (cc->cwnd >= cc->ssthresh)
		avoidance(cc, s, ack, acked);
	if (cc->cwnd > CWND_MAX)
		cc->cwnd = CWND_MAX;
}

static void cubic_loss(struct cc *cc, struct cc_state *st, uint32_t in_flight,
		       int64_t now_us)
{
	(void)now_us;
	congestion(cc, cubic_of(st), in_flight);
	cc->cwnd = cc->ssthresh;
}

static void cubic_timeout(struct cc *cc, struct cc_state *st,
			  uint32_t in_flight, uint8_t first, int64_t now_us)
{
	struct cubic *s = cubic_of(st);

	(void)now_us;
	/* RFC 5681, 3.1: ssthresh is held when a retransmission is lost. */
	if (first)
		congestion(cc, s, in_flight);
	cc->cwnd = cc->mss; /* the loss window */
	cc->acked_frac = 0;
	s->w_est = 0;
	s->from_timeout = 1;
}

static void avoidance(struct cc *cc, struct cubic *s, const struct cc_ack *ack,
		      uint32_t acked)
{
	uint32_t target, most = cc->cwnd + cc->cwnd / 2;
	int64_t t_us;

	if (!s->w_est)
		epoch_begin(cc, s, ack->now_us);
	epoch_shift(s, ack);
	if (!ack->cwnd_limited)
		return;
	/* What was sent under a larger window counts for one of now. */
	if (acked > cc->cwnd)
		acked = cc->cwnd;
	reno_grow(cc, s, acked);
	t_us = ack->now_us - s->epoch_us;
	if (curve(s, cc->mss, t_us) < s->w_est) {
		/* RFC 9438, 4.3: the Reno-friendly region */
		if (cc->cwnd < s->w_est)
			cc->cwnd = s->w_est;
		cc->acked_frac = 0;
		return;
	}
	/* RFC 9438, 4.4 and 4.5: the place on the curve a round trip ahead is
	 * reached in a round trip, but no more than half as much again. */
	target = curve(s, cc->mss, t_us + ack->srtt_us);
	if (target > most)
		target = most;
	if (target > cc->cwnd)
		curve_grow(cc, target, acked);
}

static void epoch_begin(const struct cc *cc, struct cubic *s, int64_t now_us)
{
	s->epoch_us = s->heard_us = now_us;
	s->w_est = cc->cwnd;
	s->est_frac = 0;
	if (s->from_timeout || cc->cwnd >= s->w_max) {
		/* RFC 9438, 4.8 and 4.10: K is 0, after a timeout and if no
		 * loss ended slow start. */
		s->w_max = cc->cwnd;
		s->k = 0;
	} else {
		/* K^3 = (W_max - cwnd) / C, C being 2/5 SMSS, in ticks */
		s->k = cube_root(((uint64_t)(s->w_max - cc->cwnd) * 5 << 29) /
				 cc->mss);
	}
	s->from_timeout = 0;
}

static void epoch_shift(struct cubic *s, const struct cc_ack *ack)
{
	int64_t silence = ack->now_us - s->heard_us;
	uint32_t round =
		ack->rtt_us > ack->srtt_us ? ack->rtt_us : ack->srtt_us;

	s->heard_us = ack->now_us;
	if (ack->cwnd_limited)
		silence -= round;
	if (silence > 0)
		s->epoch_us += silence;
}

/* RFC 9438, 4.3: W_est grows by alpha segments for a window acknowledged. Alpha
 * makes up for the gentler reduction until the window before it is reached. */
static void reno_grow(const struct cc *cc, struct cubic *s, uint32_t acked)
{
	uint32_t alpha = s->w_est < s->cwnd_prior ? ALPHA_BEHIND : ALPHA_UNIT;
	uint64_t whole = (uint64_t)cc->cwnd * ALPHA_UNIT;

	s->est_frac += (uint64_t)alpha * cc->mss * acked;
	s->w_est += (uint32_t)(s->est_frac / whole);
	s->est_frac %= whole;
	if (s->w_est > CWND_MAX)
		s->w_est = CWND_MAX;
}

/* By (target - cwnd) / cwnd for each byte acknowledged. */
static void curve_grow(struct cc *cc, uint32_t target, uint32_t acked)
{
	uint64_t sum = (uint64_t)acked * (target - cc->cwnd) + cc->acked_frac;

	cc->acked_frac = (uint32_t)(sum % cc->cwnd);
	cc->cwnd += (uint32_t)(sum / cc->cwnd);
}

/* W_cubic: RFC 9438, 4.2 */
static uint32_t curve(const struct cubic *s, uint32_t mss, int64_t t_us)
{
	int64_t off = t_us * TICKS_PER_S / US_PER_S - s->k;
	uint64_t d = (uint64_t)(off < 0 ? -off : off), w;

	if (d > TICKS_MAX)
		d = TICKS_MAX;
	w = ((d * d * d >> 20) * 2 * mss / 5) >> 10;
	if (off < 0)
		return w < s->w_max ? s->w_max - (uint32_t)w : 0;
	w += s->w_max;
	return w < CWND_MAX ? (uint32_t)w : CWND_MAX;
}

/* RFC 9438, 4.6 and 4.7: where to go back to, and what to remember. */
static void congestion(struct cc *cc, struct cubic *s, uint32_t in_flight)
{
	uint64_t cwnd = cc->cwnd, down;

	/* Beta is 0.7. From what is in flight, not from cwnd, which may be far
	 * more than was used. */
	down = (uint64_t)in_flight * 7 / 10;
	cc->ssthresh = down > 2 * cc->mss ? (uint32_t)down : 2 * cc->mss;
	cc->acked_frac = 0;
	s->cwnd_prior = cc->cwnd;
	/* Below the last W_max somebody else is growing; (1 + beta) / 2 of it
	 * makes room. */
	s->w_max = (uint32_t)(cwnd < s->w_max ? cwnd * 17 / 20 : cwnd);
	s->w_est = 0;
	s->from_timeout = 0;
}

/* Rounded down, bit by bit from the top; y is the root of what was shifted in
 * so far. At most once a recovery, so it need not be quick. */
static uint32_t cube_root(uint64_t v)
{
	uint64_t y = 0;

	for (int shift = 63; shift >= 0; shift -= 3) {
		uint64_t step;

		y *= 2;
		step = 3 * y * (y + 1) + 1; /* (y + 1)^3 - y^3 */
		if (v >> shift >= step) {
			v -= step << shift;
			y++;
		}
	}
	return (uint32_t)y;
}
