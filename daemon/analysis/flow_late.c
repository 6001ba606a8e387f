/*
 * flow_late.c - What is odd about a connection, as it shows at its end
 *
 * These need no packet of their own: they follow from what was counted, and are
 * added to the anomalies that were noted while the packets passed.
 */
#include "flow.h"

#define SLOW_NS	    1000000000ll /* a handshake; half of it a leg of one */
#define SILENCE_NS  60000000000ll
#define FIN_WAIT_NS 10000000000ll

static void add(struct verdict *v, enum anomaly_kind kind, enum side s,
		uint64_t frame, uint32_t count, int64_t expected, int64_t got);
static void handshake(const struct flow *f, struct verdict *v);
static void came_again(const struct flow *f, enum side s, struct verdict *v);
static uint64_t first_of(const struct flow *f, enum counted what, enum side s);
static void lost(const struct flow *f, enum side s, struct verdict *v);
static void closing(const struct flow *f, int64_t now_ns, struct verdict *v);
static void sums(const struct flow *f, enum side s, struct verdict *v);
static void unseen(const struct flow *f, enum side s, struct verdict *v);

void flow_late_anomalies(const struct flow *f, int64_t now_ns,
			 struct verdict *v)
{
	handshake(f, v);
	closing(f, now_ns, v);
	for (int s = CLIENT; s <= SERVER; s++) {
		came_again(f, (enum side)s, v);
		lost(f, (enum side)s, v);
		sums(f, (enum side)s, v);
		unseen(f, (enum side)s, v);
	}
}

/* If there is no room, those are told that came first. */
static void add(struct verdict *v, enum anomaly_kind kind, enum side s,
		uint64_t frame, uint32_t count, int64_t expected, int64_t got)
{
	if (v->nanomalies == ANOMALIES_MAX)
		return;
	v->anomaly[v->nanomalies++] = (struct anomaly){
		.kind = (uint8_t)kind,
		.side = (uint8_t)s,
		.count = count,
		.frame = frame,
		.expected = expected,
		.got = got,
	};
}

static void handshake(const struct flow *f, struct verdict *v)
{
	const uint8_t granted = POPT_WSCALE | POPT_SACK_OK | POPT_TS;
	uint8_t missing =
		v->side[CLIENT].opts & ~v->side[SERVER].opts & granted;
	int64_t leg = f->ack_ns - f->last_synack_ns;

	if (v->syn.tries > 1)
		add(v, ANOMALY_SYN_RETRANSMITTED, CLIENT, v->syn.frame,
		    v->syn.tries - 1, 1, v->syn.tries);
	if (v->synack.tries > 1)
		add(v, ANOMALY_SYNACK_RETRANSMITTED, SERVER, v->synack.frame,
		    v->synack.tries - 1, 1, v->synack.tries);
	if (v->syn.frame && v->synack.frame && missing &&
	    !(f->half[SERVER].flags & HALF_OPTS_CUT))
		add(v, ANOMALY_OFFERED_NOT_GRANTED, SERVER, v->synack.frame, 1,
		    v->side[CLIENT].opts, v->side[SERVER].opts);
	if (v->total_ns >= SLOW_NS)
		add(v, ANOMALY_SLOW_HANDSHAKE, CLIENT, v->syn.frame, 1, SLOW_NS,
		    v->total_ns);
	if (v->last_syn_synack_ns >= SLOW_NS / 2)
		add(v, ANOMALY_SLOW_LEG_SERVER, SERVER, v->synack.frame, 1,
		    SLOW_NS / 2, v->last_syn_synack_ns);
	/* One SYN is lost now and then. */
	if (v->syn.tries > 2 && v->synack.frame &&
	    v->last_syn_synack_ns < SLOW_NS / 2)
		add(v, ANOMALY_BACKLOG_WAIT, SERVER, v->synack.frame, 1,
		    v->last_syn_synack_ns, v->syn_synack_ns);
	if (v->synack.frame && v->ack.frame && leg >= SLOW_NS / 2)
		add(v, ANOMALY_SLOW_LEG_CLIENT, CLIENT, v->ack.frame, 1,
		    SLOW_NS / 2, leg);
}

static void came_again(const struct flow *f, enum side s, struct verdict *v)
{
	const struct verdict_side *me = &v->side[s];
	uint32_t again = me->seen_before + me->filled_hole;

	if (again)
		add(v, ANOMALY_RETRANSMIT, s, first_of(f, COUNTED_AGAIN, s),
		    again, 0, again);
	if (me->needless)
		add(v, ANOMALY_SPURIOUS_RETRANSMIT, s,
		    first_of(f, COUNTED_NEEDLESS, s), me->needless, 0,
		    me->needless);
	if (me->late)
		add(v, ANOMALY_REORDERED, s, first_of(f, COUNTED_LATE, s),
		    me->late, 0, me->late);
}

/* That of the connection if there was no memory to remember it. */
static uint64_t first_of(const struct flow *f, enum counted what, enum side s)
{
	uint32_t frame = f->extra ? f->extra->counted[s][what] : 0;

	return frame ? frame : f->first_frame;
}

static void lost(const struct flow *f, enum side s, struct verdict *v)
{
	const struct lost *l;

	if (!flow_blackhole(f, s))
		return;
	l = &f->extra->lost[s];
	add(v, ANOMALY_MTU_BLACKHOLE, s, l->frame, f->half[s].lost_tries,
	    l->len, l->cut);
}

static void closing(const struct flow *f, int64_t now_ns, struct verdict *v)
{
	enum side s = v->ending == ENDING_HALF_CLIENT ? CLIENT : SERVER;
	int64_t half_ns;
	bool acked;

	if (v->ending == ENDING_RST_CLIENT || v->ending == ENDING_RST_SERVER)
		add(v, ANOMALY_CLOSE_BY_RESET, (enum side)f->rst_side,
		    v->ending_frame, 1, 0, 0);
	if (v->ending == ENDING_FIN_BOTH) {
		s = (enum side)f->first_fin;
		half_ns = f->half[!s].next_ns - f->fin_ns;
		if (half_ns >= SILENCE_NS)
			add(v, ANOMALY_HALF_CLOSED_LONG, !s, v->ending_frame, 1,
			    SILENCE_NS, half_ns);
	}
	if (v->ending != ENDING_HALF_CLIENT && v->ending != ENDING_HALF_SERVER)
		return;
	acked = f->half[s].flags & HALF_FIN_ACKED;
	if (f->end_ns - f->fin_ns >= SILENCE_NS)
		add(v, ANOMALY_HALF_CLOSED_LONG, !s, v->ending_frame, 1,
		    SILENCE_NS, f->end_ns - f->fin_ns);
	else if (acked && now_ns - f->end_ns >= SILENCE_NS)
		add(v, ANOMALY_FIN_WAIT2_STUCK, !s, v->ending_frame, 1,
		    SILENCE_NS, now_ns - f->end_ns);
	/* If the other side was seen at all, since. */
	else if (!acked && !v->inferred && f->half[!s].packets &&
		 now_ns - f->fin_ns >= FIN_WAIT_NS)
		add(v, ANOMALY_FIN_UNACKED, s, v->ending_frame, 1, FIN_WAIT_NS,
		    now_ns - f->fin_ns);
}

/* A checksum was not wrong if the other side took the segment. */
static void sums(const struct flow *f, enum side s, struct verdict *v)
{
	const struct half *h = &f->half[s];
	uint64_t frame = first_of(f, COUNTED_BAD_SUM, s);

	if (h->flags & (HALF_PART_SUM | HALF_BAD_SUM_ACKED))
		add(v, ANOMALY_CHECKSUM_OFFLOAD, s, frame, 1, 0, 0);
	else if (h->bad_sums)
		add(v, ANOMALY_CHECKSUM_BAD, s, frame, h->bad_sums, 0,
		    h->bad_sums);
}

/* Its ACKs and answers show in those of the other side. A SYN-ACK alone may be
 * the answer to nothing. */
static void unseen(const struct flow *f, enum side s, struct verdict *v)
{
	const struct half *you = &f->half[!s];

	if (!f->half[s].packets && you->flags & HALF_ACK &&
	    you->packets > f->synack_tries)
		add(v, ANOMALY_ASYMMETRIC, s, v->first_frame, 1, 0, 0);
}
