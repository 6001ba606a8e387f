/*
 * pktmem_look.c - What is read out of the memory of packets
 *
 * Nothing here is in a hurry, as long as it ends: people ask for one connection
 * at a time. Only the id has a table that knows every trace; what is searched
 * by anything else is searched from the newest on.
 */
#include <string.h>

#include "pktmem_priv.h"

static enum outcome outcome_of(const struct trace *t);
static enum outcome refusal_of(const struct trace *t);
static enum stage stage_of(const struct trace *t);
static bool failed(const struct trace *t);
static void copy_out(const struct pktmem *m, uint32_t ref,
		     struct pktmem_packet *out);

pktmem_ref pktmem_by_id(const struct pktmem *m, uint32_t id)
{
	uint32_t ref = m->ids[id & m->mask];

	while (ref && trace_at(m, ref)->id != id)
		ref = trace_at(m, ref)->next_id;
	if (ref || !id)
		return ref;
	/* The id that a SYN had when it came for the first time. */
	FOR_EACH_TRACE(m, ref, TRACE_ATTEMPT)
	if (trace_at(m, ref)->first_id == id)
		return ref;
	return 0;
}

pktmem_ref pktmem_by_ends(const struct pktmem *m, const struct ip_addr *local,
			  uint16_t local_port, const struct ip_addr *peer,
			  uint16_t peer_port)
{
	uint32_t best = 0, ref;

	for (int c = TRACE_ATTEMPT; c < TRACE_CLASSES; c++) {
		FOR_EACH_TRACE(m, ref, c)
		{
			const struct trace *t = trace_at(m, ref);

			if (t->ends.local_port == local_port &&
			    t->ends.peer_port == peer_port &&
			    memcmp(&t->ends.local, local, sizeof(*local)) ==
				    0 &&
			    memcmp(&t->ends.peer, peer, sizeof(*peer)) == 0 &&
			    (!best ||
			     t->opened_us > trace_at(m, best)->opened_us))
				best = ref;
		}
	}
	return best;
}

pktmem_ref pktmem_last(const struct pktmem *m, bool want_failed)
{
	uint32_t best = 0, ref;

	for (int c = TRACE_ATTEMPT; c < TRACE_CLASSES; c++) {
		FOR_EACH_TRACE(m, ref, c)
		{
			const struct trace *t = trace_at(m, ref);

			if (want_failed && !failed(t))
				continue;
			if (!best ||
			    t->opened_us > trace_at(m, best)->opened_us)
				best = ref;
		}
	}
	return best;
}

void pktmem_conn(const struct pktmem *m, pktmem_ref ref,
		 struct pktmem_conn *out)
{
	const struct trace *t = trace_at(m, ref);

	*out = (struct pktmem_conn){
		.id = t->id,
		.local = t->ends.local,
		.peer = t->ends.peer,
		.local_port = t->ends.local_port,
		.peer_port = t->ends.peer_port,
		.listener = t->listener,
		.role = t->role,
		.state = t->state,
		.reason = t->reason,
		.drop = t->drop,
		.ended = t->marks & TRACE_ENDED,
		.outcome = outcome_of(t),
		.stage = stage_of(t),
		.opened_us = t->opened_us,
		.synack_us = t->synack_us,
		.established_us = t->established_us,
		.ended_us = t->ended_us,
		.handshake_us = t->handshake_us,
		.bytes_in = t->bytes_in,
		.bytes_out = t->bytes_out,
		.retrans = t->retrans,
		.packets = t->packets,
		.kept = t->first + t->last,
	};
	if (out->handshake_us < 0 && t->established_us &&
	    !(t->marks & TRACE_MIDSTREAM))
		out->handshake_us = t->established_us - t->opened_us;
}

bool pktmem_next(const struct pktmem *m, pktmem_ref ref, uint64_t *cursor,
		 struct pktmem_packet *out)
{
	const struct trace *t = trace_at(m, ref);
	uint32_t n = (uint32_t)(*cursor >> 32), at = (uint32_t)*cursor;

	/* The packets that were given, and the cell of the next one. */
	if (n == t->first + t->last)
		return false;
	if (n == 0)
		at = ref * BLOCK_CELLS + TRACE_CELLS;
	if (n == t->first)
		at = t->ring_next;
	copy_out(m, at, out);
	if (n >= t->first)
		at = ring_after(m, t, at);
	else
		for (uint32_t i = pktmem_cells(out->snapped); i > 0; i--)
			at = cell_next(m, at);
	*cursor = (uint64_t)(n + 1) << 32 | at;
	return true;
}

pktmem_ref pktmem_walk(const struct pktmem *m, uint64_t *cursor)
{
	uint32_t ref = *cursor ? (uint32_t)*cursor + 1 : TRACE_CLASSES;

	for (; ref < m->used; ref++) {
		*cursor = ref;
		if (m->links[ref].newer)
			return ref;
	}
	return 0;
}

static enum outcome outcome_of(const struct trace *t)
{
	if (t->established_us && t->marks & TRACE_COOKIE)
		return ATTEMPT_COMPLETED_COOKIE;
	if (t->established_us && t->marks & TRACE_SIMULTANEOUS)
		return ATTEMPT_COMPLETED_SIMULTANEOUS;
	if (t->established_us && !(t->marks & TRACE_MIDSTREAM))
		return ATTEMPT_COMPLETED;
	if (t->handshake_us >= 0)
		return ATTEMPT_COMPLETED;
	if (t->marks & TRACE_MIDSTREAM)
		return ATTEMPT_MIDSTREAM;
	return t->marks & TRACE_ENDED ? refusal_of(t) : ATTEMPT_OPEN;
}

/* Of what ended before it was established. */
static enum outcome refusal_of(const struct trace *t)
{
	if (t->reason == CLOSE_NONE) /* a SYN that opened nothing */
		return t->drop == DROP_NONE ? ATTEMPT_REFUSED
					    : ATTEMPT_REJECTED;
	return outcome_failed((enum close_reason)t->reason,
			      (enum tcp_role)t->role, t->marks & TRACE_ODD);
}

static enum stage stage_of(const struct trace *t)
{
	if (t->marks & TRACE_MORE || t->bytes_in + t->bytes_out > 0 ||
	    (t->marks & TRACE_DATA && t->state != TCP_ESTABLISHED))
		return t->marks & TRACE_MORE || t->state != TCP_ESTABLISHED
			       ? STAGE_LATER
			       : STAGE_FIRST_DATA;
	if (t->marks & TRACE_DATA)
		return STAGE_FIRST_DATA;
	if (t->established_us)
		return t->state > TCP_ESTABLISHED ? STAGE_LATER : STAGE_HSACK;
	return t->synack_us ? STAGE_SYNACK : STAGE_SYN;
}

static bool failed(const struct trace *t)
{
	enum outcome o = outcome_of(t);

	return o != ATTEMPT_OPEN && o != ATTEMPT_MIDSTREAM &&
	       o != ATTEMPT_COMPLETED && o != ATTEMPT_COMPLETED_COOKIE &&
	       o != ATTEMPT_COMPLETED_SIMULTANEOUS;
}

static void copy_out(const struct pktmem *m, uint32_t ref,
		     struct pktmem_packet *out)
{
	const struct cell *c = cell_at(m, ref);
	uint32_t left = c->lens >> LEN_BITS,
		 n = left < CELL_DATA ? left : CELL_DATA;
	uint8_t *to = out->data;

	out->at_us = c->fate.at_us;
	out->number = c->number;
	out->len = c->lens & LEN_MASK;
	out->gso_size = c->fate.gso_size;
	out->before = c->fate.before;
	out->after = c->fate.after;
	out->drop = c->fate.drop;
	out->flags = c->fate.flags & (uint8_t)~PACKET_CSUM_PARTIAL;
	out->csum_partial = c->fate.flags & PACKET_CSUM_PARTIAL;
	out->snapped = left;
	memcpy(to, c->data, n);
	while (left -= n) {
		to += n;
		ref = cell_next(m, ref);
		n = left < CELL_SIZE ? left : CELL_SIZE;
		memcpy(to, cell_at(m, ref), n);
	}
}
