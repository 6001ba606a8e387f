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
 * that brings a cookie back. Of a flood of them the first of each tenth of a
 * second are kept, which says enough about it: all would cost 0.9 us each, for
 * their memory is cold, where the engine takes 0.6 and the device 3.4.
 */
#include "pktmem_priv.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

#include "core/assert.h"

#define CHANCES	       4 /* traces passed over because they were touched */
#define FLOOD_EVERY_US 100000
#define FLOOD_KEPT     1000

static void on_packet(void *sink, const struct stack_packet *p);
static void on_ended(void *sink, const struct conn_end *end);
static void take(struct pktmem *m, const struct stack_packet *p,
		 struct trace *t);
static void take_first(struct pktmem *m, const struct stack_packet *p);
static void end_unseen(struct pktmem *m, const struct conn_end *end);
static bool one_of_a_flood(struct pktmem *m, const struct stack_packet *p);
static uint32_t trace_continued(struct pktmem *m, const struct stack_packet *p);
static inline uint32_t trace_begin(struct pktmem *m,
				   const struct stack_packet *p, bool begins);
static inline struct trace *trace_new(struct pktmem *m, uint32_t ref,
				      uint32_t id, enum trace_class class);
static bool has_free(const struct pktmem *m);
static inline void trace_answered(const struct stack_packet *p,
				  struct trace *t);
static void trace_refused(struct pktmem *m, const struct stack_packet *p,
			  struct trace *t);
static void trace_established(struct pktmem *m, const struct stack_packet *p,
			      struct trace *t);
static void cookie_returned(struct pktmem *m, const struct stack_packet *p,
			    struct trace *t);
static inline void trace_end(struct pktmem *m, uint32_t ref,
			     const struct conn_end *end);
static uint32_t block_of_another(struct pktmem *m, uint32_t spared);
static uint32_t trace_to_forget(struct pktmem *m, uint32_t spared);
static inline void link_add(struct pktmem *m, uint32_t ref,
			    enum trace_class class);
static inline void link_cut(struct pktmem *m, uint32_t ref);
static inline void class_change(struct pktmem *m, struct trace *t, uint32_t ref,
				enum trace_class from, enum trace_class to);
static inline uint32_t id_find(const struct pktmem *m, uint32_t id);
static void id_insert(struct pktmem *m, struct trace *t, uint32_t ref);
static void id_remove(struct pktmem *m, const struct trace *t, uint32_t ref);
static uint32_t *ends_slot(const struct pktmem *m, const struct tcp_key *ends);
static void ends_insert(struct pktmem *m, const struct stack_packet *p,
			struct trace *t);
static void ends_remove(struct pktmem *m, struct trace *t);
static uint32_t ends_find(struct pktmem *m, const struct tcp_key *ends);
static int64_t syn_number(const struct stack_packet *p);

struct pktmem *pktmem_init(void *mem, size_t len,
			   const struct pktmem_conf *conf)
{
	const size_t block = BLOCK_CELLS * sizeof(struct cell);
	/* With its part of links, next, ids and ends. */
	const size_t unit =
		block + sizeof(struct trace_link) + 5 * sizeof(uint32_t);
	uint8_t *at = (uint8_t *)mem + -(uintptr_t)mem % block;
	struct pktmem *m = (struct pktmem *)(void *)at;

	ASSERT(len >= PKTMEM_MIN);
	ASSERT(conf->packets >= 2 && conf->packets <= PKTMEM_PACKETS_MAX);
	*m = (struct pktmem){
		.sink = {.packet = on_packet,
			 .ended = on_ended,
			 .snap = PKTMEM_SNAP_MAX},
		.conf = *conf,
		.first_max = conf->packets / 2,
		.latest_max = conf->packets - conf->packets / 2,
		.nblocks = (uint32_t)((len - block) / unit),
		.used = TRACE_CLASSES,
	};
	pktmem_snaplen(m, conf->snaplen);
	while (m->mask < m->nblocks)
		m->mask = m->mask * 2 + 1;
	m->links = (struct trace_link *)(void *)(at + m->nblocks * block);
	m->next = (uint32_t *)(m->links + m->nblocks);
	m->ids = m->next + m->nblocks;
	m->ends = m->ids + m->mask + 1;
	ASSERT((uint8_t *)(m->ends + m->mask + 1) <= (uint8_t *)mem + len);
	for (uint32_t c = TRACE_ATTEMPT; c < TRACE_CLASSES; c++)
		m->links[c].newer = m->links[c].older = c;
	return m;
}

void pktmem_snaplen(struct pktmem *m, uint32_t snaplen)
{
	m->conf.snaplen = snaplen < PKTMEM_SNAP_MAX ? snaplen : PKTMEM_SNAP_MAX;
	m->head_max = snaplen < CELL_DATA ? snaplen : CELL_DATA;
}

struct pktbus_sink *pktmem_sink(struct pktmem *m)
{
	return &m->sink;
}

uint32_t pktmem_block(struct pktmem *m, uint32_t spared)
{
	uint32_t block = m->free;

	if (block) {
		m->free = m->next[block];
		return block;
	}
	if (m->used < m->nblocks)
		return m->used++;
	return block_of_another(m, spared);
}

static void on_packet(void *sink, const struct stack_packet *p)
{
	struct pktmem *m = sink;
	uint32_t ref = id_find(m, p->conn);
	struct trace *t = trace_at(m, ref);

	if (!ref) {
		take_first(m, p);
		return;
	}
	t->packets++;
	if (!t->established_us) {
		take(m, p, t);
		return;
	}
	/* A handshake alone does not make it one that is in use. */
	t->touched = true;
	/* Most of them: there is nothing new to see and all cells are there. */
	if (t->full && (t->marks & (TRACE_MORE | TRACE_ENDED)) == TRACE_MORE) {
		t->state = p->state_after;
		pktmem_renew(m, p, t);
		return;
	}
	if (!(t->marks & TRACE_ENDED))
		t->state = p->state_after;
	if (p->text)
		t->marks |= t->marks & TRACE_DATA ||
					    p->state_after > TCP_ESTABLISHED
				    ? TRACE_MORE
				    : TRACE_DATA;
	pktmem_keep(m, p, t);
}

/* A packet of what is not established. */
static void __attribute__((noinline))
take(struct pktmem *m, const struct stack_packet *p, struct trace *t)
{
	bool record = p->state_after > TCP_LISTEN;

	if (!(t->marks & TRACE_ENDED))
		t->state = p->state_after;
	if (p->flags & PACKET_COOKIE)
		t->marks |= TRACE_COOKIE;
	if (p->state_after >= TCP_ESTABLISHED) {
		trace_established(m, p, t);
		return;
	}
	if (p->drop == DROP_ACK_LIMIT) /* perhaps for good */
		t->drop = p->drop;
	if (p->flags & PACKET_OUT) {
		if (p->flags & PACKET_COOKIE ||
		    (p->state_before == TCP_SYN_RECEIVED && record))
			trace_answered(p, t);
		else if (!record) /* nothing else leaves then */
			t->marks |= TRACE_RST_OUT;
	} else if (p->state_before <= TCP_LISTEN && !record) {
		trace_refused(m, p, t);
		return;
	} else if (p->state_before == TCP_SYN_SENT &&
		   p->state_after == TCP_SYN_RECEIVED) {
		t->marks |= TRACE_SIMULTANEOUS;
	}
	pktmem_keep(m, p, t);
}

static void on_ended(void *sink, const struct conn_end *end)
{
	struct pktmem *m = sink;
	uint32_t ref = id_find(m, end->id);

	if (ref)
		trace_end(m, ref, end);
	else
		end_unseen(m, end);
}

/* ---- traces ------------------------------------------------------------ */

/* A SYN that makes a record in the stack: nothing else is to be seen in it. */
static inline bool opens(const struct stack_packet *p)
{
	return p->state_before == TCP_LISTEN &&
	       p->state_after == TCP_SYN_RECEIVED;
}

/* A packet of what has no trace: it gets one, if it is to be kept. */
static void __attribute__((noinline))
take_first(struct pktmem *m, const struct stack_packet *p)
{
	bool begins = p->state_before <= TCP_SYN_RECEIVED ||
		      (p->state_before == TCP_TIME_WAIT &&
		       p->state_after == TCP_SYN_RECEIVED);
	uint32_t ref = 0;
	struct trace *t;

	if (!p->conn || (!opens(p) && one_of_a_flood(m, p)))
		return;
	if (begins && m->nby_ends && !(p->flags & PACKET_OUT))
		ref = trace_continued(m, p);
	if (!ref && (begins || has_free(m)))
		ref = trace_begin(m, p, begins);
	if (!ref)
		return;
	t = trace_at(m, ref);
	t->packets++;
	if (opens(p)) {
		t->state = p->state_after;
		pktmem_keep(m, p, t);
	} else {
		take(m, p, t);
	}
}

/* The end of what has no trace: it gets one for that. */
static void __attribute__((noinline))
end_unseen(struct pktmem *m, const struct conn_end *end)
{
	uint32_t ref = pktmem_block(m, 0);
	struct trace *t = trace_new(m, ref, end->id, TRACE_CLOSED);

	t->marks = TRACE_MIDSTREAM;
	t->ends = *end->ends;
	t->listener = end->listener;
	t->role = end->role;
	t->opened_us = end->opened_us;
	trace_end(m, ref, end);
}

/* What leaves no record begins with a packet from the peer: what we send is our
 * answer, and its first packet was not kept either. Who returns a cookie is not
 * counted, for he means it. */
static bool one_of_a_flood(struct pktmem *m, const struct stack_packet *p)
{
	if (p->state_before > TCP_LISTEN || p->state_after > TCP_LISTEN)
		return false;
	if (p->flags & (PACKET_OUT | PACKET_COOKIE))
		return p->flags & PACKET_OUT;
	if (p->at_us - m->flood_us >= FLOOD_EVERY_US) {
		m->flood_us = p->at_us;
		m->flood = 0;
	}
	return ++m->flood > FLOOD_KEPT;
}

/* The trace that has been there under another id; 0 if there is none. */
static uint32_t __attribute__((noinline))
trace_continued(struct pktmem *m, const struct stack_packet *p)
{
	uint32_t ref = ends_find(m, p->ends);
	struct trace *t = trace_at(m, ref);

	if (!ref || !(p->flags & PACKET_COOKIE || t->syn == syn_number(p)))
		return 0;
	id_remove(m, t, ref);
	t->id = p->conn;
	id_insert(m, t, ref);
	return ref;
}

/* One whose first packet for us is @p, and perhaps (@begins) its own. */
static inline uint32_t trace_begin(struct pktmem *m,
				   const struct stack_packet *p, bool begins)
{
	uint32_t ref = pktmem_block(m, 0);
	struct trace *t =
		trace_new(m, ref, p->conn,
			  p->role == ROLE_CLIENT ? TRACE_LIVE : TRACE_ATTEMPT);

	if (!begins || (!opens(p) && syn_number(p) < 0))
		t->marks = TRACE_MIDSTREAM;
	t->ends = *p->ends;
	t->listener = p->listener;
	t->role = p->role;
	t->opened_us = p->at_us;
	return ref;
}

static inline struct trace *trace_new(struct pktmem *m, uint32_t ref,
				      uint32_t id, enum trace_class class)
{
	struct trace *t = trace_at(m, ref);

	ASSERT(ref);
	/* What is left is set before it means something. */
	t->id = t->first_id = id;
	t->marks = 0;
	t->class = class;
	t->state = TCP_CLOSED;
	t->touched = t->full = false;
	t->packets = t->first = t->last = 0;
	t->block = ref;
	t->next_cell = ref * BLOCK_CELLS + TRACE_CELLS;
	t->established_us = t->synack_us = t->ended_us = 0;
	t->nblocks = 1;
	t->reason = CLOSE_NONE;
	t->drop = DROP_NONE;
	t->retrans = 0;
	t->handshake_us = -1;
	t->bytes_in = t->bytes_out = 0;
	id_insert(m, t, ref);
	link_add(m, ref, class);
	m->held[class]++;
	return t;
}

/* Is there a block without taking one from somebody? */
static bool has_free(const struct pktmem *m)
{
	return m->free || m->used < m->nblocks;
}

/* The class that is the furthest over its share, of all but one. */
static inline uint32_t class_over(const struct pktmem *m, uint32_t without)
{
	/* Of four parts; as a shift. */
	static const uint8_t share[TRACE_CLASSES] = {
		[TRACE_ATTEMPT] = 0,
		[TRACE_CLOSED] = 0,
		[TRACE_LIVE] = 1,
	};
	uint32_t class = 0, most = 0;

	for (uint32_t c = TRACE_ATTEMPT; c < TRACE_CLASSES; c++) {
		uint32_t over = m->held[c] >> share[c];

		if (over > most && c != without) {
			class = c;
			most = over;
		}
	}
	return class;
}

/* None is free: a trace is forgotten for its blocks. 0 if there is none but
 * @spared. */
static uint32_t __attribute__((noinline))
block_of_another(struct pktmem *m, uint32_t spared)
{
	uint32_t ref = trace_to_forget(m, spared);
	struct trace *t = trace_at(m, ref);

	if (!ref)
		return 0;
	link_cut(m, ref);
	m->held[t->class] -= t->nblocks;
	id_remove(m, t, ref);
	/* The others of its chain are free then. */
	m->next[t->block] = 0;
	m->free = m->next[ref];
	if (t->marks & TRACE_BY_ENDS)
		ends_remove(m, t);
	return ref;
}

/* The oldest of the class that gives way. */
static uint32_t trace_to_forget(struct pktmem *m, uint32_t spared)
{
	uint32_t class = class_over(m, 0);

	if (m->links[class].newer == spared && m->links[class].older == spared)
		class = class_over(m, class);
	if (!class)
		return 0;
	for (int i = 0;; i++) {
		uint32_t ref = m->links[class].newer;
		struct trace *t = trace_at(m, ref);

		ASSERT(ref >= TRACE_CLASSES);
		if (ref != spared &&
		    (class != TRACE_LIVE || i >= CHANCES || !t->touched))
			return ref;
		t->touched = false;
		link_cut(m, ref);
		link_add(m, ref, class);
	}
}

/* A SYN-ACK of ours: the attempt goes on. */
static inline void trace_answered(const struct stack_packet *p, struct trace *t)
{
	t->marks &= (uint16_t)~TRACE_ENDED;
	t->ended_us = 0;
	t->synack_us = t->synack_us ? t->synack_us : p->at_us;
}

/* A SYN that nothing is kept of in the stack; unless a cookie follows. */
static void __attribute__((noinline))
trace_refused(struct pktmem *m, const struct stack_packet *p, struct trace *t)
{
	t->drop = t->drop ? t->drop : p->drop;
	t->marks |= TRACE_ENDED;
	t->ended_us = p->at_us;
	if (!(t->marks & TRACE_BY_ENDS))
		ends_insert(m, p, t);
	pktmem_keep(m, p, t);
}

static void __attribute__((noinline))
trace_established(struct pktmem *m, const struct stack_packet *p,
		  struct trace *t)
{
	if (p->state_before == TCP_SYN_SENT)
		t->synack_us = p->at_us;
	t->established_us = p->at_us;
	t->drop = DROP_NONE;
	t->marks &= (uint16_t)~TRACE_ENDED;
	t->ended_us = 0;
	if (p->text)
		t->marks |= TRACE_DATA;
	if (t->class == TRACE_ATTEMPT)
		class_change(m, t, trace_ref(m, t), TRACE_ATTEMPT, TRACE_LIVE);
	if (t->marks & TRACE_BY_ENDS)
		cookie_returned(m, p, t);
	else
		pktmem_keep(m, p, t);
}

static void __attribute__((noinline))
cookie_returned(struct pktmem *m, const struct stack_packet *p, struct trace *t)
{
	ends_remove(m, t);
	pktmem_keep_any(m, p, t);
}

static inline void trace_end(struct pktmem *m, uint32_t ref,
			     const struct conn_end *end)
{
	struct trace *t = trace_at(m, ref);

	t->marks |= TRACE_ENDED;
	if (end->odd)
		t->marks |= TRACE_ODD;
	t->ended_us = end->at_us;
	t->state = end->state;
	t->reason = end->reason;
	t->handshake_us = end->handshake_us;
	t->retrans = end->retrans;
	t->bytes_in = end->bytes_in;
	t->bytes_out = end->bytes_out;
	if (t->class == TRACE_LIVE)
		class_change(m, t, ref, TRACE_LIVE, TRACE_CLOSED);
}

/* ---- the classes, by age ----------------------------------------------- */

/* It is the newest. */
static inline void link_add(struct pktmem *m, uint32_t ref,
			    enum trace_class class)
{
	struct trace_link *links = m->links;
	uint32_t newest = links[class].older;

	links[ref] = (struct trace_link){.newer = class, .older = newest};
	links[newest].newer = ref;
	links[class].older = ref;
}

static inline void link_cut(struct pktmem *m, uint32_t ref)
{
	struct trace_link *links = m->links;
	const struct trace_link l = links[ref];

	links[l.older].newer = l.newer;
	links[l.newer].older = l.older;
}

static inline void class_change(struct pktmem *m, struct trace *t, uint32_t ref,
				enum trace_class from, enum trace_class to)
{
	uint32_t n = t->nblocks;

	link_cut(m, ref);
	link_add(m, ref, to);
	m->held[from] -= n;
	m->held[to] += n;
	t->class = to;
}

/* ---- the tables -------------------------------------------------------- */

static inline uint32_t id_find(const struct pktmem *m, uint32_t id)
{
	uint32_t ref = m->ids[id & m->mask];

	while (ref && trace_at(m, ref)->id != id)
		ref = trace_at(m, ref)->next_id;
	return ref;
}

static void id_insert(struct pktmem *m, struct trace *t, uint32_t ref)
{
	uint32_t *slot = &m->ids[t->id & m->mask];

	t->next_id = *slot;
	*slot = ref;
}

static void id_remove(struct pktmem *m, const struct trace *t, uint32_t ref)
{
	uint32_t *slot = &m->ids[t->id & m->mask];

	while (*slot != ref)
		slot = &trace_at(m, *slot)->next_id;
	*slot = t->next_id;
}

static uint32_t *ends_slot(const struct pktmem *m, const struct tcp_key *ends)
{
	uint64_t hash;

	_Static_assert(sizeof(*ends) == 36, "no padding may be hashed");
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)ends,
			 sizeof(*ends), m->conf.key);
	return &m->ends[hash & m->mask];
}

static void __attribute__((noinline))
ends_insert(struct pktmem *m, const struct stack_packet *p, struct trace *t)
{
	uint32_t *slot = ends_slot(m, &t->ends);
	int64_t syn = syn_number(p);

	t->syn = syn < 0 ? 0 : (uint32_t)syn;
	t->next_ends = *slot;
	*slot = trace_ref(m, t);
	t->marks |= TRACE_BY_ENDS;
	m->nby_ends++;
}

static void __attribute__((noinline))
ends_remove(struct pktmem *m, struct trace *t)
{
	uint32_t *slot = ends_slot(m, &t->ends);

	while (trace_at(m, *slot) != t)
		slot = &trace_at(m, *slot)->next_ends;
	*slot = t->next_ends;
	t->marks &= (uint16_t)~TRACE_BY_ENDS;
	m->nby_ends--;
}

static uint32_t ends_find(struct pktmem *m, const struct tcp_key *ends)
{
	uint32_t ref = *ends_slot(m, ends);

	while (ref && memcmp(&trace_at(m, ref)->ends, ends, sizeof(*ends)) != 0)
		ref = trace_at(m, ref)->next_ends;
	return ref;
}

/* ---- bytes ------------------------------------------------------------- */

/* The number of a SYN that opens something, if all of its header is in the
 * first part; extension headers of IPv6 hide it. -1 if it is none. */
static int64_t syn_number(const struct stack_packet *p)
{
	const uint8_t *b = p->iov[0].iov_base, *tcp;
	uint32_t len = (uint32_t)p->iov[0].iov_len, ip = 40;

	if (len < 40)
		return -1;
	if (b[0] >> 4 == 4)
		ip = (b[0] & 15u) * 4;
	if ((b[0] >> 4 == 4 ? b[9] : b[6]) != 6 || len < ip + 20)
		return -1;
	tcp = b + ip;
	if ((tcp[13] & (TH_SYN | TH_ACK | TH_RST)) != TH_SYN)
		return -1;
	return (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
	       (uint32_t)tcp[6] << 8 | tcp[7];
}
