/*
 * analysis.c - Which connection does a packet belong to, and when is it over?
 *
 * All flows lie in one array, reserved at the start and touched as it is used;
 * numbers link them. A chained table finds them by both ends. Three lists hold
 * them in the order of their last packet, for attempts, open connections and
 * closed ones have different patience; whoever has been silent for too long is
 * at the front of its list. If the array is full, the closed ones go first,
 * then attempts, then the connection that was silent longest.
 *
 * Hundreds of thousands of flows are larger than any cache, and their packets
 * come in turn: each would wait for memory several times. So links have an array
 * of their own, which is small; and who has several packets at hand says so
 * before (analysis_ahead), and memory is asked for what all of them need at
 * once.
 *
 * Time is that of the packets, and it only goes forward here: a packet that is
 * older than one before is counted, and judged by what it says. It goes on when
 * two packets in a row say so, for a damaged record may name any year, and
 * silence is counted in this time, not by what the packets say. Whoever breaks a
 * long silence was heard at the time that the next packet confirms.
 */
#include <tcphs/analysis.h>

#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_shorthash.h>

#include "copies.h"
#include "core/assert.h"
#include "crowd.h"
#include "flow.h"

#define TABLE_BITS_MIN 10
#define TABLE_BITS_MAX 26
#define CACHE_LINE     64 /* bytes, nearly everywhere */
#define COPIES_PART    8  /* of the memory, for text */
#define COPIES_MAX     (1u << 20)

/* Of a flow. Numbers are number + 1, 0 = none. */
struct link {
	uint32_t chain; /* next in the table, or of those that are free */
	uint32_t older, newer; /* in the list of its age */
};

#define LIVE_SIZE (sizeof(struct flow) + sizeof(struct link))

_Static_assert(LIVE_SIZE <= 512, "of a live connection");

/* Where a packet belongs. */
struct place {
	struct flow_key key;
	uint32_t *slot;
	uint8_t from; /* which end of the key sent it */
};

struct age_list {
	uint32_t oldest, newest; /* number + 1, 0 = none */
	int64_t patience_ns;
};

struct analysis {
	struct analysis_conf conf;
	analysis_fn *fn;
	void *ctx;
	struct flow *flows;
	struct link *links; /* of the flows */
	struct copies *copies;
	struct crowds *crowds;
	uint32_t nflows, used; /* of the array; how many were ever in use */
	uint32_t free;	       /* number + 1 */
	uint32_t *table;
	uint32_t mask;
	uint32_t last_id;
	uint32_t last; /* flow of the last packet; number + 1, 0 = none */
	uint8_t last_from;
	const struct packet *ahead; /* those to come, and where they belong */
	struct place ahead_place[ANALYSIS_AHEAD];
	unsigned int nahead, ahead_at; /* how many, and which is next */
	int64_t now_ns, packet_ns;     /* the latter of the packet before */
	uint32_t heard; /* flow of that; number + 1, 0 = of none */
	struct age_list age[NAGES];
	struct analysis_stats stats;
};

static void fetch(const struct flow *f);
static void take_tcp(struct analysis *a, const struct packet *p,
		     const struct place *at);
static void take_icmp(struct analysis *a, const struct packet *p,
		      const struct place *at);
static bool has_place(const struct packet *p);
static void place_of(struct analysis *a, const struct packet *p,
		     struct place *at);
static void key_of(const struct packet *p, struct flow_key *k, uint8_t *from);
static uint32_t network_of(const struct packet *p);
static uint32_t *slot_of(struct analysis *a, const struct flow_key *k);
static uint32_t find(const struct analysis *a, const struct place *at);
static uint32_t begin(struct analysis *a, const struct packet *p,
		      const struct place *at);
static uint32_t get(struct analysis *a);
static void finish(struct analysis *a, uint32_t n);
static void advance(struct analysis *a, int64_t now_ns);
static void list_add(struct analysis *a, uint32_t n);
static void list_del(struct analysis *a, uint32_t n, uint8_t age);

struct analysis *analysis_new(const struct analysis_conf *conf, analysis_fn *fn,
			      void *ctx)
{
	struct analysis *a = calloc(1, sizeof(*a));
	uint32_t bits = TABLE_BITS_MIN;

	if (!a)
		return NULL;
	a->conf = *conf;
	a->fn = fn;
	a->ctx = ctx;
	a->age[AGE_EMBRYONIC].patience_ns = conf->embryonic_ns;
	a->age[AGE_OPEN].patience_ns = conf->idle_ns;
	a->age[AGE_CLOSED].patience_ns = conf->closed_ns;
	a->now_ns = a->packet_ns = INT64_MIN;
	a->nflows = (uint32_t)(conf->memory / LIVE_SIZE);
	while (bits < TABLE_BITS_MAX && 1u << bits < a->nflows)
		bits++;
	a->mask = (1u << bits) - 1;
	a->flows = calloc(a->nflows, sizeof(*a->flows));
	a->links = calloc(a->nflows, sizeof(*a->links));
	a->table = calloc(1u << bits, sizeof(*a->table));
	a->copies = copies_new(conf->memory / COPIES_PART < COPIES_MAX
				       ? conf->memory / COPIES_PART
				       : COPIES_MAX);
	a->crowds = crowds_new(conf->key);
	if (!a->copies || !a->crowds || !a->flows || !a->links || !a->table ||
	    !a->nflows) {
		analysis_free(a);
		return NULL;
	}
	return a;
}

void analysis_free(struct analysis *a)
{
	if (!a)
		return;
	for (uint32_t n = 0; a->flows && n < a->used; n++)
		flow_end(&a->flows[n]);
	copies_free(a->copies);
	crowds_free(a->crowds);
	free(a->flows);
	free(a->links);
	free(a->table);
	free(a);
}

/* First the places in the table, then what they point to: the second round
 * waits once for what the first one has asked for. */
void analysis_ahead(struct analysis *a, const struct packet *p, unsigned int n)
{
	ASSERT(a->ahead_at == a->nahead);
	ASSERT(n <= ANALYSIS_AHEAD);
	a->ahead = p;
	a->nahead = n;
	a->ahead_at = 0;
	for (unsigned int i = 0; i < n; i++) {
		if (!has_place(&p[i]))
			continue;
		place_of(a, &p[i], &a->ahead_place[i]);
		__builtin_prefetch(a->ahead_place[i].slot, 1);
	}
	for (unsigned int i = 0; i < n; i++)
		if (has_place(&p[i]) && *a->ahead_place[i].slot)
			fetch(&a->flows[*a->ahead_place[i].slot - 1]);
}

void analysis_take(struct analysis *a, const struct packet *p)
{
	const struct place *at = NULL; /* of what has none nobody asks */
	struct place own;

	a->stats.packets[p->kind]++;
	if (p->kind == PACKET_BROKEN)
		a->stats.faults[p->fault]++;
	if (a->packet_ns == INT64_MIN)
		a->packet_ns = p->ns;
	if (p->ns < a->packet_ns)
		a->stats.unordered++;
	advance(a, p->ns < a->packet_ns ? p->ns : a->packet_ns);
	a->packet_ns = p->ns;
	a->heard = 0;
	a->last = 0;
	if (a->ahead_at < a->nahead) {
		ASSERT(p == &a->ahead[a->ahead_at]);
		at = &a->ahead_place[a->ahead_at++];
	} else if (has_place(p)) {
		place_of(a, p, &own);
		at = &own;
	}
	if (p->kind == PACKET_TCP)
		take_tcp(a, p, at);
	else if (p->kind == PACKET_ICMP)
		take_icmp(a, p, at);
}

void analysis_place(const struct analysis *a, struct packet_place *place)
{
	const struct flow *f;

	memset(place, 0, sizeof(*place));
	if (!a->last)
		return;
	f = &a->flows[a->last - 1];
	place->conn = f->id;
	place->side = a->last_from == f->client ? CLIENT : SERVER;
	place->base[CLIENT] = f->half[CLIENT].isn;
	place->base[SERVER] = f->half[SERVER].isn;
}

void analysis_tick(struct analysis *a, int64_t now_ns)
{
	advance(a, now_ns);
}

/* In the order of their first packets would need a sort; this is the order of
 * their last ones. */
void analysis_end(struct analysis *a)
{
	for (int i = 0; i < NAGES; i++)
		while (a->age[i].oldest)
			finish(a, a->age[i].oldest - 1);
}

void analysis_findings(struct analysis *a, finding_fn *fn, void *ctx)
{
	crowds_tell(a->crowds, fn, ctx);
}

const struct analysis_stats *analysis_stats(const struct analysis *a)
{
	return &a->stats;
}

static void fetch(const struct flow *f)
{
	for (size_t at = 0; at < sizeof(*f); at += CACHE_LINE)
		__builtin_prefetch((const char *)f + at, 1);
}

static void take_tcp(struct analysis *a, const struct packet *p,
		     const struct place *at)
{
	uint32_t n = find(a, at);
	uint8_t from = at->from, age;
	bool again = false;

	if (n && flow_starts_anew(&a->flows[n - 1], p, from)) {
		again = a->flows[n - 1].age == AGE_CLOSED &&
			!(a->flows[n - 1].flags & FLOW_RST);
		finish(a, n - 1);
		n = 0;
	}
	if (!n) {
		n = begin(a, p, at);
		if (again)
			flow_reused(&a->flows[n - 1], p);
	}
	a->last = n;
	a->last_from = from;
	age = a->flows[n - 1].age;
	flow_take(&a->flows[n - 1], p, from, a->copies);
	a->flows[n - 1].seen_ns = a->now_ns;
	a->heard = n;
	list_del(a, n - 1, age);
	list_add(a, n - 1);
}

static void take_icmp(struct analysis *a, const struct packet *p,
		      const struct place *at)
{
	uint32_t n = find(a, at);

	a->last = n;
	a->last_from = at->from;
	if (n)
		flow_icmp(&a->flows[n - 1], p, at->from);
}

static bool has_place(const struct packet *p)
{
	return p->kind == PACKET_TCP || p->kind == PACKET_ICMP;
}

static void place_of(struct analysis *a, const struct packet *p,
		     struct place *at)
{
	key_of(p, &at->key, &at->from);
	at->slot = slot_of(a, &at->key);
}

/* Both directions have the same key. */
static void key_of(const struct packet *p, struct flow_key *k, uint8_t *from)
{
	int order = memcmp(&p->src, &p->dst, sizeof(p->src));

	*from = order > 0 || (order == 0 && p->sport > p->dport);
	memset(k, 0, sizeof(*k));
	k->addr[*from] = p->src;
	k->addr[!*from] = p->dst;
	k->port[*from] = p->sport;
	k->port[!*from] = p->dport;
	k->network = network_of(p);
}

/* The same address may be in use in several virtual networks. VLANs and GTP
 * tunnels differ by direction often enough, and tell nothing apart. */
static uint32_t network_of(const struct packet *p)
{
	for (uint8_t i = p->nencaps; i > 0; i--)
		if (p->encap[i - 1].kind == ENCAP_VXLAN ||
		    p->encap[i - 1].kind == ENCAP_GENEVE)
			return p->encap[i - 1].number + 1;
	return 0;
}

static uint32_t *slot_of(struct analysis *a, const struct flow_key *k)
{
	uint8_t h[crypto_shorthash_BYTES];
	uint32_t hash;

	crypto_shorthash(h, (const uint8_t *)k, sizeof(*k), a->conf.key);
	memcpy(&hash, h, sizeof(hash));
	return &a->table[hash & a->mask];
}

static uint32_t find(const struct analysis *a, const struct place *at)
{
	uint32_t n = *at->slot;

	while (n &&
	       memcmp(&a->flows[n - 1].key, &at->key, sizeof(at->key)) != 0)
		n = a->links[n - 1].chain;
	return n;
}

static uint32_t begin(struct analysis *a, const struct packet *p,
		      const struct place *at)
{
	uint32_t n = get(a);
	struct flow *f = &a->flows[n - 1];

	memset(f, 0, sizeof(*f));
	f->key = at->key;
	f->id = ++a->last_id;
	flow_begin(f, p, at->from);
	a->links[n - 1].chain = *at->slot;
	*at->slot = n;
	list_add(a, n - 1);
	a->stats.connections++;
	a->stats.live++;
	return n;
}

/* A free place, if need be of the one that matters least. */
static uint32_t get(struct analysis *a)
{
	static const uint8_t order[] = {AGE_CLOSED, AGE_EMBRYONIC, AGE_OPEN};
	uint32_t n;

	if (!a->free && a->used < a->nflows)
		return ++a->used;
	for (size_t i = 0; !a->free; i++) {
		ASSERT(i < ARRAY_LEN(order));
		if (!a->age[order[i]].oldest)
			continue;
		a->stats.evicted++;
		finish(a, a->age[order[i]].oldest - 1);
	}
	n = a->free;
	a->free = a->links[n - 1].chain;
	return n;
}

static void finish(struct analysis *a, uint32_t n)
{
	struct flow *f = &a->flows[n];
	uint32_t *link = slot_of(a, &f->key);
	struct verdict v;

	flow_verdict(f, a->now_ns, &v);
	a->stats.outcomes[v.outcome]++;
	a->stats.live--;
	a->fn(a->ctx, &v);
	crowds_take(a->crowds, &v);
	while (*link != n + 1)
		link = &a->links[*link - 1].chain;
	*link = a->links[n].chain;
	list_del(a, n, f->age);
	flow_end(f);
	if (a->heard == n + 1)
		a->heard = 0;
	a->links[n].chain = a->free;
	a->free = n + 1;
}

static void advance(struct analysis *a, int64_t now_ns)
{
	if (now_ns <= a->now_ns)
		return;
	a->now_ns = now_ns;
	if (a->heard)
		a->flows[a->heard - 1].seen_ns =
			now_ns < a->packet_ns ? now_ns : a->packet_ns;
	for (int i = 0; i < NAGES; i++) {
		struct age_list *l = &a->age[i];

		while (l->oldest && now_ns - a->flows[l->oldest - 1].seen_ns >
					    l->patience_ns)
			finish(a, l->oldest - 1);
	}
}

static void list_add(struct analysis *a, uint32_t n)
{
	struct age_list *l = &a->age[a->flows[n].age];
	struct link *k = &a->links[n];

	k->older = l->newest;
	k->newer = 0;
	if (l->newest)
		a->links[l->newest - 1].newer = n + 1;
	else
		l->oldest = n + 1;
	l->newest = n + 1;
}

static void list_del(struct analysis *a, uint32_t n, uint8_t age)
{
	const struct link *k = &a->links[n];
	struct age_list *l = &a->age[age];

	if (k->older)
		a->links[k->older - 1].newer = k->newer;
	else
		l->oldest = k->newer;
	if (k->newer)
		a->links[k->newer - 1].older = k->older;
	else
		l->newest = k->older;
}
