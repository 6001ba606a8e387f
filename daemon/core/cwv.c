/*
 * cwv.c - Is cwnd still true? (RFC 7661)
 *
 * A window that was filled says what the path takes; one that a slow sender
 * never fills says what it took once. So what is acknowledged in a round trip
 * is measured. As long as the most of it lately (pipeACK) is half of cwnd or
 * more, cwnd is valid. If not, it is kept all the same, for five minutes, for
 * the sender may go on any moment; then it is halved, and so on.
 *
 * That it does not grow meanwhile is the algorithms' own rule, and a stricter
 * one: an ACK counts only if cwnd was the limit. What a loss takes of a window
 * that is not valid is the caller's, who asks for pipeACK, and counts what had
 * to be sent again.
 *
 * "Lately" is three round trips or a second (RFC 7661, 4.2), and up to twice
 * that: two such halves are kept, the older one is dropped as a whole.
 */
#include "cwv.h"

#define PERIOD_MIN_US 1000000
#define PERIOD_ROUNDS 3
#define NVP_US	      (5ll * 60 * 1000000) /* RFC 7661, 4.4 */

static void count(struct cwv *v, const struct cwv_ack *ack);
static void period(struct cwv *v, const struct cwv_ack *ack);
static int64_t period_us(uint32_t srtt_us);

bool cwv_ack(struct cwv *v, const struct cwv_ack *ack)
{
	if (!v->begun)
		*v = (struct cwv){
			.half_us = ack->now_us,
			.since_us = ack->now_us,
			.begun = true,
		};
	period(v, ack);
	count(v, ack);
	if (cwv_valid(v, ack->cwnd)) {
		v->since_us = ack->now_us;
		return false;
	}
	if (ack->now_us - v->since_us < NVP_US)
		return false;
	v->since_us = ack->now_us;
	return true;
}

uint32_t cwv_pipe(const struct cwv *v)
{
	return v->pipe[0] > v->pipe[1] ? v->pipe[0] : v->pipe[1];
}

/* The share was one of all that had been used, and that had been too much by
 * what was lost of it at least. */
uint32_t cwv_recovered(const struct cwv *v, uint32_t ssthresh)
{
	if (!v->loss_from)
		return ssthresh;
	if (v->resent >= v->loss_from)
		return 0;
	return (uint32_t)((uint64_t)ssthresh * (v->loss_from - v->resent) /
			  v->loss_from);
}

bool cwv_valid(const struct cwv *v, uint32_t cwnd)
{
	return !v->known || cwv_pipe(v) >= cwnd / 2;
}

/* Slow start is ahead of what a whole round carried, and yet all is in use. */
bool cwv_stale(const struct cwv *v, uint32_t cwnd, uint32_t srtt_us,
	       int64_t now_us)
{
	return !cwv_valid(v, cwnd) && now_us - v->since_us > period_us(srtt_us);
}

/* A round begins with an ACK and lasts until all is acknowledged that had been
 * sent by then: of a burst, all of it. */
static void count(struct cwv *v, const struct cwv_ack *ack)
{
	if (!v->in_round) {
		v->in_round = true;
		v->acked = 0;
		v->round_end = ack->nxt;
	}
	v->acked += ack->acked;
	if (seq_lt(ack->una, v->round_end))
		return;
	v->in_round = false;
	v->known = true;
	if (v->acked > v->pipe[0])
		v->pipe[0] = v->acked;
}

static void period(struct cwv *v, const struct cwv_ack *ack)
{
	int64_t most = period_us(ack->srtt_us);
	int64_t passed = ack->now_us - v->half_us;

	if (passed < most)
		return;
	v->pipe[1] = passed < 2 * most ? v->pipe[0] : 0;
	v->pipe[0] = 0;
	v->half_us = ack->now_us;
}

static int64_t period_us(uint32_t srtt_us)
{
	int64_t rounds = PERIOD_ROUNDS * (int64_t)srtt_us;

	return rounds > PERIOD_MIN_US ? rounds : PERIOD_MIN_US;
}
