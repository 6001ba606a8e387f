/*
 * pktmem.c - Which connections are remembered, and for how long
 *
 * Everything lies in one piece of memory that is never added to, in blocks of a
 * kilobyte. A connection has one, which begins with what is known of it, the
 * trace; its packets follow in cells, and in more blocks if it has more. A
 * packet costs a look-up by the connection's id, which counts up and so fills
 * its table evenly, and a copy into the next cell: nothing is allocated, and
 * what has no trace touches nothing.
 *
 * When no block is free, a trace is forgotten with all it has. There are three
 * classes (pktmem_priv.h) with shares of the blocks, and the one that is the
 * furthest over its share loses its oldest, so a flood of SYNs pushes out other
 * SYNs, and many short connections push out other closed ones. Of those that
 * live, one that had packets since the last look is passed over a few times.
 *
 * A connection has a trace from its first packet on. One that was forgotten, or
 * came before the daemon looked, gets another one only if that costs nobody his.
 *
 * A SYN that is refused, dropped or answered with a cookie leaves no record in
 * the stack, and when it comes again it has a new id. Those traces are also
 * found by their ends: the same SYN continues its trace, and so does the ACK
 * that brings a cookie back.
 */
#include "pktmem_priv.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

#include "core/assert.h"

#define CHANCES 4 /* traces passed over because they were touched */

static void on_packet(struct pktbus_sink *s, const struct stack_packet *p);
static void on_ended(struct pktbus_sink *s, const struct conn_info *info);
static void take(struct pktmem *m, uint32_t ref, const struct stack_packet *p);
static struct trace *trace_begin(struct pktmem *m,
				 const struct stack_packet *p);
static struct trace *trace_new(struct pktmem *m, uint32_t id,
			       enum trace_class class, bool evict);
static void trace_note(struct pktmem *m, struct trace *t,
		       const struct stack_packet *p);
static void trace_note_handshake(struct pktmem *m, struct trace *t,
				 const struct stack_packet *p);
static void trace_set_class(struct pktmem *m, struct trace *t,
			    enum trace_class class);
static struct trace *trace_to_forget(struct pktmem *m,
				     const struct trace *spared);
static void trace_forget(struct pktmem *m, struct trace *t);
static void list_push(struct pktmem *m, struct trace *t);
static void list_cut(struct pktmem *m, struct trace *t);
static uint32_t id_find(const struct pktmem *m, uint32_t id);
static void id_insert(struct pktmem *m, struct trace *t);
static void id_remove(struct pktmem *m, const struct trace *t);
static uint32_t *ends_slot(const struct pktmem *m, const struct ip_addr *local,
			   uint16_t local_port, const struct ip_addr *peer,
			   uint16_t peer_port);
static void ends_insert(struct pktmem *m, struct trace *t);
static void ends_remove(struct pktmem *m, struct trace *t);
static struct trace *ends_find(struct pktmem *m, const struct stack_packet *p);
static bool syn_number(const struct stack_packet *p, uint32_t *seq);
static bool has_text(const struct stack_packet *p);

struct pktmem *pktmem_init(void *mem, size_t len, const struct stack *st,
			   const struct pktmem_conf *conf)
{
	const size_t block = BLOCK_CELLS * sizeof(struct cell);
	/* With its part of next, ids and ends. */
	const size_t unit = block + 5 * sizeof(uint32_t);
	struct pktmem *m = mem;
	uint8_t *at = mem;

	ASSERT(len >= PKTMEM_MIN);
	ASSERT(conf->packets >= 2 && conf->packets <= PKTMEM_PACKETS_MAX);
	*m = (struct pktmem){
		.sink = {.packet = on_packet,
			 .ended = on_ended,
			 .snap = PKTMEM_SNAP_MAX},
		.st = st,
		.conf = *conf,
		.latest_max = conf->packets - conf->packets / 2,
		.nblocks = (uint32_t)((len - sizeof(*m) - block) / unit),
		.used = 1,
	};
	pktmem_snaplen(m, conf->snaplen);
	while (m->mask < m->nblocks)
		m->mask = m->mask * 2 + 1;
	at += sizeof(*m);
	at += -(uintptr_t)at % block;
	m->cells = (struct cell *)(void *)at;
	m->next = (uint32_t *)(void *)(at + m->nblocks * block);
	m->ids = m->next + m->nblocks;
	m->ends = m->ids + m->mask + 1;
	ASSERT((uint8_t *)(m->ends + m->mask + 1) <= (uint8_t *)mem + len);
	return m;
}

void pktmem_snaplen(struct pktmem *m, uint32_t snaplen)
{
	m->conf.snaplen = snaplen < PKTMEM_SNAP_MAX ? snaplen : PKTMEM_SNAP_MAX;
}

struct pktbus_sink *pktmem_sink(struct pktmem *m)
{
	return &m->sink;
}

uint32_t pktmem_block(struct pktmem *m, const struct trace *spared)
{
	uint32_t block = m->free;

	if (!block && m->used < m->nblocks)
		return m->used++;
	if (!block) {
		struct trace *t = trace_to_forget(m, spared);

		if (!t)
			return 0;
		trace_forget(m, t);
		block = m->free;
	}
	m->free = m->next[block];
	m->next[block] = 0;
	return block;
}

static void on_packet(struct pktbus_sink *s, const struct stack_packet *p)
{
	struct pktmem *m = (struct pktmem *)s;
	uint32_t ref = m->latest;
	struct trace *t;

	if (!p->conn)
		return;
	/* Packets of a connection come in rows. */
	if (!ref || trace_at(m, ref)->id != p->conn)
		ref = id_find(m, p->conn);
	t = trace_at(m, ref);
	/* Most of them: there is nothing new to see and all cells are there. */
	if (ref && t->last == m->latest_max &&
	    (t->marks & (TRACE_MORE | TRACE_ENDED)) == TRACE_MORE) {
		m->latest = ref;
		t->packets++;
		t->marks |= TRACE_TOUCHED;
		t->state = p->state_after;
		pktmem_renew(m, t, p);
		return;
	}
	take(m, ref, p);
}

/* Not inlined: what it needs on the stack is for the few. */
static void __attribute__((noinline))
take(struct pktmem *m, uint32_t ref, const struct stack_packet *p)
{
	struct trace *t = ref ? trace_at(m, ref) : trace_begin(m, p);

	m->latest = ref;
	if (!t)
		return;
	trace_note(m, t, p);
	pktmem_keep(m, t, p);
}

static void on_ended(struct pktbus_sink *s, const struct conn_info *info)
{
	struct pktmem *m = (struct pktmem *)s;
	uint32_t ref = id_find(m, info->id);
	struct trace *t = ref ? trace_at(m, ref) : NULL;

	if (!t) {
		t = trace_new(m, info->id, TRACE_CLOSED, true);
		if (!t)
			return;
		t->marks |= TRACE_MIDSTREAM;
		t->local = info->local;
		t->peer = info->peer;
		t->local_port = info->local_port;
		t->peer_port = info->peer_port;
		t->listener = info->listener;
		t->role = info->role;
		t->opened_us = stack_now(m->st) - info->age_us;
	}
	t->marks |= TRACE_ENDED | (info->odd ? TRACE_ODD : 0);
	t->ended_us = stack_now(m->st);
	t->state = info->state;
	t->reason = (uint8_t)info->reason;
	t->handshake_us = info->handshake_us;
	t->retrans = info->retrans;
	t->bytes_in = info->bytes_in;
	t->bytes_out = info->bytes_out;
	if (t->class == TRACE_LIVE)
		trace_set_class(m, t, TRACE_CLOSED);
}

/* ---- traces ------------------------------------------------------------ */

/* Of a packet that has none; NULL if it is not to be kept. */
static struct trace *trace_begin(struct pktmem *m, const struct stack_packet *p)
{
	bool begins = p->state_before <= TCP_SYN_RECEIVED ||
		      (p->state_before == TCP_TIME_WAIT &&
		       p->state_after == TCP_SYN_RECEIVED);
	uint32_t seq = 0;
	bool syn = syn_number(p, &seq);
	struct trace *t;

	if (begins && m->nby_ends && !(p->flags & PACKET_OUT)) {
		t = ends_find(m, p);
		if (t && (p->flags & PACKET_COOKIE || (syn && t->syn == seq))) {
			id_remove(m, t);
			t->id = p->conn;
			id_insert(m, t);
			return t;
		}
	}
	t = trace_new(m, p->conn,
		      p->role == ROLE_CLIENT ? TRACE_LIVE : TRACE_ATTEMPT,
		      begins);
	if (!t)
		return NULL;
	t->marks |= syn ? 0 : TRACE_MIDSTREAM;
	t->syn = seq;
	t->local = p->local;
	t->peer = p->peer;
	t->local_port = p->local_port;
	t->peer_port = p->peer_port;
	t->listener = p->listener;
	t->role = p->role;
	t->opened_us = p->at_us;
	return t;
}

static struct trace *trace_new(struct pktmem *m, uint32_t id,
			       enum trace_class class, bool evict)
{
	struct trace *t;
	uint32_t ref;

	if (!evict && !m->free && m->used == m->nblocks)
		return NULL;
	ref = pktmem_block(m, NULL);
	m->next[ref] = BLOCK_HOME;
	t = trace_at(m, ref);
	*t = (struct trace){
		.id = id,
		.first_id = id,
		.class = class,
		.block = ref,
		.nblocks = 1,
		.next_cell = TRACE_CELLS,
		.handshake_us = -1,
	};
	id_insert(m, t);
	list_push(m, t);
	return t;
}

/* The class that is the furthest over its share gives up its oldest. */
static struct trace *trace_to_forget(struct pktmem *m,
				     const struct trace *spared)
{
	static const uint32_t share[TRACE_NCLASSES] = {
		[TRACE_ATTEMPT] = 1,
		[TRACE_CLOSED] = 1,
		[TRACE_LIVE] = 2,
	};
	struct trace_list *l = NULL;
	struct trace *t;
	uint32_t most = 0;

	for (int c = 0; c < TRACE_NCLASSES; c++) {
		struct trace_list *k = &m->class[c];
		uint32_t over = k->blocks / share[c];

		if (k->oldest && over >= most &&
		    !(k->oldest == k->newest &&
		      trace_at(m, k->oldest) == spared)) {
			l = k;
			most = over;
		}
	}
	if (!l)
		return NULL;
	for (int i = 0;; i++) {
		t = trace_at(m, l->oldest);
		ASSERT(t);
		if (t != spared && (!(t->marks & TRACE_TOUCHED) ||
				    i >= CHANCES || t->class != TRACE_LIVE))
			return t;
		t->marks &= (uint16_t)~TRACE_TOUCHED;
		list_cut(m, t);
		list_push(m, t);
	}
}

static void trace_note(struct pktmem *m, struct trace *t,
		       const struct stack_packet *p)
{
	t->packets++;
	/* A handshake alone does not make it one that is in use. */
	t->marks |= t->established_us ? TRACE_TOUCHED : 0;
	if (!(t->marks & TRACE_ENDED))
		t->state = p->state_after;
	if (t->marks & TRACE_MORE) /* there is nothing new to see */
		return;
	if (!t->established_us)
		trace_note_handshake(m, t, p);
	else if (t->marks & TRACE_DATA || p->state_after > TCP_ESTABLISHED)
		t->marks |= has_text(p) ? TRACE_MORE : 0;
	else
		t->marks |= has_text(p) ? TRACE_DATA : 0;
}

static void trace_note_handshake(struct pktmem *m, struct trace *t,
				 const struct stack_packet *p)
{
	bool out = p->flags & PACKET_OUT;
	bool record = p->state_after > TCP_LISTEN;

	t->marks |= p->flags & PACKET_COOKIE ? TRACE_COOKIE : 0;
	if (p->state_before == TCP_SYN_SENT &&
	    p->state_after == TCP_SYN_RECEIVED)
		t->marks |= TRACE_SIMULTANEOUS;
	if (out && (p->flags & PACKET_COOKIE ||
		    (p->state_before == TCP_SYN_RECEIVED && record))) {
		t->marks &= (uint16_t)~TRACE_ENDED;
		t->ended_us = 0;
		t->synack_us = t->synack_us ? t->synack_us : p->at_us;
	} else if (out && !record) {
		t->marks |= TRACE_RST_OUT; /* nothing else leaves then */
	} else if (!out && p->state_before <= TCP_LISTEN && !record) {
		/* A SYN that nothing is kept of; unless a cookie follows. */
		t->drop = t->drop ? t->drop : p->drop;
		t->marks |= TRACE_ENDED;
		t->ended_us = p->at_us;
		if (!(t->marks & TRACE_BY_ENDS))
			ends_insert(m, t);
	}
	if (p->state_after < TCP_ESTABLISHED)
		return;
	if (p->state_before == TCP_SYN_SENT)
		t->synack_us = p->at_us;
	t->established_us = p->at_us;
	t->drop = DROP_NONE;
	t->marks &= (uint16_t)~TRACE_ENDED;
	t->ended_us = 0;
	t->marks |= has_text(p) ? TRACE_DATA : 0;
	if (t->class == TRACE_ATTEMPT)
		trace_set_class(m, t, TRACE_LIVE);
	if (t->marks & TRACE_BY_ENDS)
		ends_remove(m, t);
}

static void trace_set_class(struct pktmem *m, struct trace *t,
			    enum trace_class class)
{
	list_cut(m, t);
	t->class = class;
	list_push(m, t);
}

static void trace_forget(struct pktmem *m, struct trace *t)
{
	uint32_t ref = trace_ref(m, t);

	list_cut(m, t);
	id_remove(m, t);
	if (t->marks & TRACE_BY_ENDS)
		ends_remove(m, t);
	if (m->latest == ref)
		m->latest = 0;
	/* The whole chain; and this is its first block. */
	m->next[t->block] &= BLOCK_HOME;
	m->next[t->block] |= m->free;
	m->next[ref] &= ~BLOCK_HOME;
	m->free = ref;
}

/* ---- the classes, by age ----------------------------------------------- */

static void list_push(struct pktmem *m, struct trace *t)
{
	struct trace_list *l = &m->class[t->class];
	uint32_t ref = trace_ref(m, t);

	t->newer = 0;
	t->older = l->newest;
	if (l->newest)
		trace_at(m, l->newest)->newer = ref;
	else
		l->oldest = ref;
	l->newest = ref;
	l->blocks += t->nblocks;
}

static void list_cut(struct pktmem *m, struct trace *t)
{
	struct trace_list *l = &m->class[t->class];

	if (t->older)
		trace_at(m, t->older)->newer = t->newer;
	else
		l->oldest = t->newer;
	if (t->newer)
		trace_at(m, t->newer)->older = t->older;
	else
		l->newest = t->older;
	l->blocks -= t->nblocks;
}

/* ---- the tables -------------------------------------------------------- */

static uint32_t id_find(const struct pktmem *m, uint32_t id)
{
	uint32_t ref = m->ids[id & m->mask];

	while (ref && trace_at(m, ref)->id != id)
		ref = trace_at(m, ref)->next_id;
	return ref;
}

static void id_insert(struct pktmem *m, struct trace *t)
{
	uint32_t *slot = &m->ids[t->id & m->mask];

	t->next_id = *slot;
	*slot = trace_ref(m, t);
}

static void id_remove(struct pktmem *m, const struct trace *t)
{
	uint32_t *slot = &m->ids[t->id & m->mask];

	while (trace_at(m, *slot) != t)
		slot = &trace_at(m, *slot)->next_id;
	*slot = t->next_id;
}

static uint32_t *ends_slot(const struct pktmem *m, const struct ip_addr *local,
			   uint16_t local_port, const struct ip_addr *peer,
			   uint16_t peer_port)
{
	struct {
		struct ip_addr local, peer;
		uint16_t local_port, peer_port;
	} key = {*local, *peer, local_port, peer_port};
	uint64_t hash;

	_Static_assert(sizeof(key) == 36, "no padding may be hashed");
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)&key,
			 sizeof(key), m->conf.key);
	return &m->ends[hash & m->mask];
}

static void ends_insert(struct pktmem *m, struct trace *t)
{
	uint32_t *slot =
		ends_slot(m, &t->local, t->local_port, &t->peer, t->peer_port);

	t->next_ends = *slot;
	*slot = trace_ref(m, t);
	t->marks |= TRACE_BY_ENDS;
	m->nby_ends++;
}

static void ends_remove(struct pktmem *m, struct trace *t)
{
	uint32_t *slot =
		ends_slot(m, &t->local, t->local_port, &t->peer, t->peer_port);

	while (trace_at(m, *slot) != t)
		slot = &trace_at(m, *slot)->next_ends;
	*slot = t->next_ends;
	t->marks &= (uint16_t)~TRACE_BY_ENDS;
	m->nby_ends--;
}

static struct trace *ends_find(struct pktmem *m, const struct stack_packet *p)
{
	uint32_t ref =
		*ends_slot(m, &p->local, p->local_port, &p->peer, p->peer_port);

	for (; ref; ref = trace_at(m, ref)->next_ends) {
		struct trace *t = trace_at(m, ref);

		if (t->local_port == p->local_port &&
		    t->peer_port == p->peer_port &&
		    memcmp(&t->local, &p->local, sizeof(t->local)) == 0 &&
		    memcmp(&t->peer, &p->peer, sizeof(t->peer)) == 0)
			return t;
	}
	return NULL;
}

/* ---- bytes ------------------------------------------------------------- */

/* The TCP header of a packet that the stack took for one, if all of it is in
 * the first part; extension headers of IPv6 hide it. */
static const uint8_t *tcp_header(const struct stack_packet *p, uint32_t *left)
{
	const uint8_t *b = p->iov[0].iov_base;
	uint32_t len = (uint32_t)p->iov[0].iov_len, ip = 40, all;

	if (len < 40)
		return NULL;
	all = 40u + (uint32_t)(b[4] << 8 | b[5]);
	if (b[0] >> 4 == 4) {
		ip = (b[0] & 15u) * 4;
		all = (uint32_t)(b[2] << 8 | b[3]);
	}
	if ((b[0] >> 4 == 4 ? b[9] : b[6]) != 6 || len < ip + 20)
		return NULL;
	*left = all > ip ? all - ip : 0;
	return b + ip;
}

static bool syn_number(const struct stack_packet *p, uint32_t *seq)
{
	uint32_t left;
	const uint8_t *tcp = tcp_header(p, &left);

	if (!tcp || (tcp[13] & (TH_SYN | TH_ACK | TH_RST)) != TH_SYN)
		return false;
	*seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
	       (uint32_t)tcp[6] << 8 | tcp[7];
	return true;
}

static bool has_text(const struct stack_packet *p)
{
	uint32_t left;
	const uint8_t *tcp;

	if (p->flags & PACKET_OUT)
		return p->iov_len > 1;
	tcp = tcp_header(p, &left);
	return tcp && left > (tcp[12] >> 4) * 4u;
}
