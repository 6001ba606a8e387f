/*
 * prr.c - How much may leave during fast recovery (RFC 9937)
 *
 * Recovery has to bring what is in flight down to ssthresh without silence and
 * without bursts. While more than ssthresh is in flight, ssthresh / RecoverFS
 * bytes leave for each one that is delivered, so that the reduction is spread
 * over the round trip. When losses have brought it below ssthresh, one byte
 * leaves for one delivered (CRB), and one segment more with each ACK that shows
 * that retransmissions arrive (SSRB): slow start towards ssthresh.
 *
 * The sums count from the beginning, so what could not leave at one ACK, for
 * want of a whole segment or of text, may leave at a later one.
 */
#include "prr.h"

#include "assert.h"

static uint32_t add_capped(uint32_t a, uint32_t b)
{
	return a + b < a ? UINT32_MAX : a + b;
}

static uint32_t sub_floored(uint64_t a, uint32_t b)
{
	uint64_t left = a > b ? a - b : 0;

	return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

void prr_enter(struct prr *p, uint32_t recover_fs)
{
	ASSERT(recover_fs);
	*p = (struct prr){.recover_fs = recover_fs};
}

uint32_t prr_ack(struct prr *p, const struct prr_ack *ack)
{
	uint32_t most;

	/* RFC 9937 leaves cwnd alone if nothing was delivered. It is set here
	 * all the same, as less may be in flight: what was just found lost has
	 * not left the network by arriving. */
	p->delivered = add_capped(p->delivered, ack->delivered);
	if (ack->in_flight > ack->ssthresh) {
		/* Rounded up. */
		most = sub_floored(((uint64_t)p->delivered * ack->ssthresh +
				    p->recover_fs - 1) /
					   p->recover_fs,
				   p->out);
	} else {
		most = sub_floored(p->delivered, p->out);
		if (most < ack->delivered)
			most = ack->delivered;
		if (ack->safe)
			most = add_capped(most, ack->mss);
		if (most > ack->ssthresh - ack->in_flight)
			most = ack->ssthresh - ack->in_flight;
	}
	/* The fast retransmission itself is always allowed, all of it: counted
	 * in segments, what is less than one rounds up to it. */
	if (!p->out && most < ack->mss)
		most = ack->mss;
	return most;
}

void prr_sent(struct prr *p, uint32_t len)
{
	p->out = add_capped(p->out, len);
}
