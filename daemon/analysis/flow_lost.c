/*
 * flow_lost.c - Full-size segments that never arrive
 *
 * RFC 2923, 2.1: a link of the path takes smaller packets only, and the message
 * that says so is lost, too. The connection opens, and what is small goes
 * through; what fills a segment is sent again and again. Some senders find out
 * and cut it into smaller pieces, which arrive (RFC 4821, 7.7).
 *
 * Any segment may be lost often, and a peer may be gone. So it counts only if
 * its number stays the first that is not acknowledged, and if it was the pieces
 * that arrived, or if the other side is still heard; both show later than at the
 * time when it is sent again.
 */
#include "flow.h"

#define OPTIONS_MAX 40	/* bytes of a segment that may be no text */
#define PASSES	    536 /* text that goes everywhere: RFC 9293, 3.7.1 */
#define STUCK	    3	/* times that it came again in vain */
#define CUT	    2	/* ... before it came in pieces */

static bool is_full(const struct flow *f, uint32_t len);

/* The segment had come before, and is not acknowledged. */
void flow_lost(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];
	const struct half *you = &f->half[!s];
	struct lost *l;

	if (!(you->flags & HALF_ACK) || p->seq != you->acked)
		return;
	if (!me->lost_tries || p->seq != me->lost) {
		if (flow_blackhole(f, s))
			flow_anomaly(f, ANOMALY_MTU_BLACKHOLE, s, p,
				     f->extra->lost[s].len,
				     f->extra->lost[s].cut);
		me->lost = p->seq;
		me->lost_tries = is_full(f, p->len);
		return;
	}
	if (!flow_extra(f, 0))
		return;
	l = &f->extra->lost[s];
	if (me->lost_tries == 1)
		*l = (struct lost){
			.frame = (uint32_t)p->number,
			.len = p->len,
			.heard = you->packets,
		};
	if (p->len >= l->len)
		me->lost_tries += me->lost_tries < UINT8_MAX;
	else if (me->lost_tries >= CUT)
		l->cut = p->len;
	else /* it was not its size */
		me->lost_tries = 0;
}

bool flow_blackhole(const struct flow *f, enum side s)
{
	const struct half *me = &f->half[s], *you = &f->half[!s];
	const struct lost *l;

	if (me->lost_tries < CUT || !f->extra)
		return false;
	l = &f->extra->lost[s];
	if (you->acked != me->lost)
		return l->cut && seq_gt(you->acked, me->lost);
	for (uint8_t i = 0; i < you->nblocks; i++)
		if (you->block[i].end - you->block[i].start >= l->len)
			return false; /* others of its size arrived */
	return me->lost_tries >= STUCK &&
	       (you->nblocks || you->packets != l->heard);
}

static bool is_full(const struct flow *f, uint32_t len)
{
	uint16_t mss = f->half[CLIENT].mss;

	if (!mss || (f->half[SERVER].mss && f->half[SERVER].mss < mss))
		mss = f->half[SERVER].mss;
	return len > PASSES && len + OPTIONS_MAX >= mss;
}
