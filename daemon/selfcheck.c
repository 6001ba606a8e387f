/*
 * selfcheck.c - The passive judge on trial
 *
 * The judge of captures (tcphs/analysis.h) sees the heads of all our packets,
 * as if they were a capture, and its verdict on each connection is compared
 * with what we know of it as an end: how the handshake went. A difference is a
 * bug of one of the two, is counted and told in the log.
 *
 * The two are of one connection if they began at the same time. What the memory
 * of packets has forgotten or has not decided itself is not compared; nor is one
 * whose last ACK a limit turned away, for whoever looks on sees a handshake; nor
 * one whose SYN came in fragments longer than their heads, of which the judge knows
 * only the answer. With several threads a connection's packets come in their
 * order, for all of them are one thread's; but some may be lost on the way here
 * (feed.c), and then no connection that was there at that time is compared.
 */
#include "selfcheck.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <tcphs/ipaddr.h>
#include <tcphs/plural.h>

#include "log.h"

#define SNAP	256 /* headers, with the longest options and extensions */
#define MEMORY	(4u << 20)
#define TOLD	20 /* differences; more are only counted */
#define IDLE_NS (3600ll * 1000000000)

static void show(void *sink, const struct stack_packet *p);
static void missed(void *sink, int64_t before_us);
static analysis_fn compare;

int selfcheck_start(struct selfcheck *c, struct pktbus *packets,
		    const struct pktmem *known)
{
	const struct analysis_conf conf = {
		.memory = MEMORY,
		.embryonic_ns = 130ll * 1000000000,
		.idle_ns = IDLE_NS,
		.closed_ns = 2ll * 1000000000,
	};

	*c = (struct selfcheck){
		.sink = {.packet = show, .missed = missed, .snap = SNAP},
		.known = known,
		.missed_us = INT64_MIN / 1000,
	};
	c->judge = analysis_new(&conf, compare, c);
	c->decoder = decoder_new(DECODER_MIN);
	c->pieces = decoder_new(0);
	if (!c->judge || !c->decoder || !c->pieces) {
		analysis_free(c->judge);
		decoder_free(c->decoder);
		decoder_free(c->pieces);
		c->judge = NULL;
		return -ENOMEM;
	}
	pktbus_add(packets, &c->sink);
	return 0;
}

void selfcheck_stop(struct selfcheck *c)
{
	if (!c->judge)
		return;
	analysis_end(c->judge);
	log_info("Self-check: %" PRIu64 " verdict%s in agreement, %" PRIu64
		 " different, %" PRIu64 " not compared",
		 c->agreed, plural(c->agreed), c->differed, c->unknown);
	analysis_free(c->judge);
	decoder_free(c->decoder);
	decoder_free(c->pieces);
	c->judge = NULL;
}

json_t *selfcheck_describe(const struct selfcheck *c)
{
	if (!c->judge)
		return NULL;
	return json_pack("{s:I, s:I, s:I}", "agreed", (json_int_t)c->agreed,
			 "differed", (json_int_t)c->differed, "unknown",
			 (json_int_t)c->unknown);
}

/* Whoever looks on cannot tell why a SYN was turned away. */
bool selfcheck_agrees(const struct verdict *v, const struct pktmem_conn *c)
{
	bool open = v->outcome == JUDGED_COMPLETED;

	switch (c->outcome) {
	case ATTEMPT_COMPLETED:
		return open && !v->simultaneous;
	case ATTEMPT_COMPLETED_COOKIE:
		/* In a flood the judge may have to forget the SYN, too. */
		return open || v->outcome == JUDGED_MIDSTREAM;
	case ATTEMPT_COMPLETED_SIMULTANEOUS:
		return open && v->simultaneous;
	case ATTEMPT_REFUSED:
		return v->outcome == JUDGED_REFUSED;
	case ATTEMPT_UNREACHABLE:
		return v->outcome == JUDGED_TIMEOUT && v->icmp;
	case ATTEMPT_TIMEOUT_SYN:
		return v->outcome == JUDGED_TIMEOUT;
	case ATTEMPT_TIMEOUT_ACK:
		return v->outcome == JUDGED_HALF_OPEN;
	case ATTEMPT_RESET_BY_CLIENT:
		/* Who gives up its SYN says nothing (RFC 9293, 3.10.5). */
		if (c->role == ROLE_CLIENT && v->outcome == JUDGED_TIMEOUT)
			return true;
		return v->outcome == JUDGED_RESET_MID;
	case ATTEMPT_RESET_BY_SERVER:
		/* Nor who gives up a handshake beyond limits.rst_rate. */
		if (c->role == ROLE_SERVER && v->outcome == JUDGED_HALF_OPEN)
			return true;
		return v->outcome == JUDGED_RESET_MID;
	case ATTEMPT_REJECTED:
		return v->outcome == JUDGED_REFUSED ||
		       v->outcome == JUDGED_TIMEOUT;
	case ATTEMPT_PROTOCOL_ERROR:
		return !open;
	default:
		return true;
	}
}

static void show(void *sink, const struct stack_packet *p)
{
	struct selfcheck *c = sink; /* its first member */
	uint8_t head[SNAP];
	struct frame f = {
		.ns = p->at_us * 1000,
		.number = ++c->packets,
		.link = LINK_RAW,
		.len = p->len,
		.bytes = head,
	};
	struct packet seg;

	for (unsigned int i = 0; i < p->iov_len && f.cap_len < SNAP; i++) {
		size_t n = SNAP - f.cap_len;

		if (n > p->iov[i].iov_len)
			n = p->iov[i].iov_len;
		memcpy(head + f.cap_len, p->iov[i].iov_base, n);
		f.cap_len += (uint32_t)n;
	}
	if (decode(c->decoder, &f, &seg) <= PACKET_ICMP)
		analysis_take(c->judge, &seg);
}

static void missed(void *sink, int64_t before_us)
{
	struct selfcheck *c = sink;

	c->missed_us = before_us;
}

static void tell(const struct verdict *v, const struct pktmem_conn *c)
{
	char client[IPADDR_TEXT_MAX], server[IPADDR_TEXT_MAX];

	log_warnx("Self-check: c%u, %s port %u to %s port %u: the judge says "
		  "%s, we know %s (its packets %" PRIu64 " to %" PRIu64 ")",
		  c->id, ipaddr_format(&v->side[CLIENT].addr, client),
		  (unsigned int)v->side[CLIENT].port,
		  ipaddr_format(&v->side[SERVER].addr, server),
		  (unsigned int)v->side[SERVER].port, judged_name(v->outcome),
		  outcome_name(c->outcome), v->first_frame, v->last_frame);
}

/* Were its packets in pieces when they came, and has the judge not put them
 * together? */
static bool began_in_pieces(const struct selfcheck *c, pktmem_ref ref)
{
	struct pktmem_packet first;
	uint64_t cursor = 0;
	struct packet seg;
	struct frame f = {.link = LINK_RAW, .bytes = first.data};

	if (!pktmem_next(c->known, ref, &cursor, &first))
		return false;
	f.len = first.len;
	f.cap_len = first.snapped;
	return decode(c->pieces, &f, &seg) == PACKET_FRAGMENT;
}

/* Which of the two ends is ours does not matter: one of them is. */
static void compare(void *ctx, const struct verdict *v)
{
	const struct verdict_side *a = &v->side[CLIENT], *b = &v->side[SERVER];
	struct selfcheck *c = ctx;
	struct pktmem_conn known;
	pktmem_ref ref;

	ref = pktmem_by_ends(c->known, &b->addr, b->port, &a->addr, a->port);
	if (!ref)
		ref = pktmem_by_ends(c->known, &a->addr, a->port, &b->addr,
				     b->port);
	if (ref)
		pktmem_conn(c->known, ref, &known);
	if (!ref || known.opened_us * 1000 != v->start_ns ||
	    known.opened_us <= c->missed_us || known.outcome == ATTEMPT_OPEN ||
	    known.outcome == ATTEMPT_MIDSTREAM ||
	    known.drop == DROP_ACK_LIMIT ||
	    (v->outcome == JUDGED_SYN_MISSING && began_in_pieces(c, ref))) {
		c->unknown++;
	} else if (selfcheck_agrees(v, &known)) {
		c->agreed++;
	} else if (c->differed++ < TOLD) {
		tell(v, &known);
	}
}
