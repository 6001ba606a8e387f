/*
 * cc.c - What all congestion control begins with
 */
#include "cc.h"

/* RFC 6928, 2 */
#define INITIAL_SEGMENTS 10
#define INITIAL_BYTES	 14600

static void remember(struct cc *cc);

uint32_t cc_initial_window(uint32_t mss)
{
	uint32_t floor = 2 * mss > INITIAL_BYTES ? 2 * mss : INITIAL_BYTES;
	uint32_t most = INITIAL_SEGMENTS * mss;

	return most < floor ? most : floor;
}

void cc_undo(struct cc *cc, struct cc_state *st, const struct cc *was,
	     const struct cc_state *was_state)
{
	if (was->cwnd > cc->cwnd)
		cc->cwnd = was->cwnd;
	if (was->ssthresh > cc->ssthresh)
		cc->ssthresh = was->ssthresh;
	cc->acked_frac = was->acked_frac;
	*st = *was_state;
}

void cc_restart(struct cc *cc)
{
	uint32_t most = cc_initial_window(cc->mss);

	if (cc->cwnd <= most)
		return;
	remember(cc);
	cc->cwnd = most;
}

void cc_decay(struct cc *cc)
{
	uint32_t least = cc_initial_window(cc->mss), half = cc->cwnd / 2;

	if (cc->cwnd <= least)
		return;
	remember(cc);
	cc->cwnd = half > least ? half : least;
}

/* Slow start leads back to three quarters of what the path took (RFC 7661,
 * 4.4.3; RFC 2861, 3). */
static void remember(struct cc *cc)
{
	uint32_t most = cc->cwnd - cc->cwnd / 4;

	if (most > cc->ssthresh)
		cc->ssthresh = most;
	cc->acked_frac = 0;
}
