/*
 * crowd.c - Floods, scans and echoes of them, from the verdicts
 *
 * A rate says little: a busy server has more SYNs than a flooded one, and a slow
 * scan hardly any. What counts is how many of the attempts came to something,
 * and how many different peers or ports they went to:
 *
 *	SYN flood	SYNs to one port within SLOT_NS, sent once and given
 *			up, from anybody; most of all attempts are like that.
 *			Clients of a dead server send theirs again.
 *	half-open	the same, too slow for a flood; but so many are half open
 *			within HANG_SLOTS that they fill a queue
 *	port scan	one source, one target, many of its ports
 *	host scan	one source, one port, many hosts. Who looks for peers
 *			knocks at many hosts, too, but each has its own port.
 *	backscatter	SYN-ACKs or RSTs of one port to many who never asked: it
 *			is being flooded in their names. A capture of one
 *			direction has more of each connection.
 *	land		a SYN from a socket to itself
 *
 * Each kind counts by a key of its own, in one table of rows of WAYS places. One
 * key more takes the place with the least in it, so that single sources of a
 * flood push out each other. Different values are counted exactly up to SAMPLE_MAX;
 * beyond it a sample is kept, of each second, fourth, ... one (Wegman).
 */
#include "crowd.h"

#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_shorthash.h>

#define ROWS	   2048
#define WAYS	   4
#define SAMPLE_MAX 48
#define LEVEL_MAX  26

#define SLOT_NS	     10000000000ll
#define FLOOD_MIN    100 /* attempts that were given up, in a slot */
#define HANG_SLOTS   6	 /* as long as a server keeps one, about */
#define HANG_MIN     100 /* half-open ones in so many slots */
#define SCAN_MIN     20	 /* different ports or hosts */
#define ECHO_MIN     20	 /* different hosts that never asked */
#define PROBE_TO_MAX 2	 /* packets of a probe without a SYN */

struct crowd_key {
	struct ip_addr source, target;
	int64_t slot;
	uint16_t port;
	uint16_t kind;
	uint32_t zero;
};

struct crowd {
	struct crowd_key key;
	int64_t from_ns, to_ns;
	/* Attempts that came to nothing as the kind has it; all of them. */
	uint64_t bad, count, answered, completed;
	uint32_t hang; /* half open */
	uint8_t level, nsample;
	uint32_t sample[SAMPLE_MAX]; /* hashes whose low bits are 0 */
};

struct crowds {
	uint8_t key[16];
	struct crowd place[ROWS * WAYS];
};

static bool given_up(const struct verdict *v);
static bool is_probe(const struct verdict *v);
static bool is_echo(const struct verdict *v);
static bool is_land(const struct verdict *v);
static void note(struct crowds *c, const struct crowd_key *key, bool bad,
		 const struct verdict *v, const void *value, size_t len);
static struct crowd *find(struct crowds *c, const struct crowd_key *key);
static uint64_t hash(const struct crowds *c, const void *p, size_t len);
static void sample_add(struct crowd *d, uint32_t h);
static bool in_vain(const struct crowd *d);
static bool is_enough(const struct crowd *d);
static bool goes_on(const struct crowd *d, const struct crowd *next);
static int by_key(const void *a, const void *b);
static uint64_t hanging(struct crowd *const *last, uint32_t slots);
static void merge(struct crowd *to, const struct crowd *more);
static void tell(const struct crowd *d, finding_fn *fn, void *ctx);

struct crowds *crowds_new(const uint8_t key[16])
{
	struct crowds *c = calloc(1, sizeof(*c));

	if (c)
		memcpy(c->key, key, sizeof(c->key));
	return c;
}

void crowds_free(struct crowds *c)
{
	free(c);
}

void crowds_take(struct crowds *c, const struct verdict *v)
{
	const struct verdict_side *cl = &v->side[CLIENT];
	const struct verdict_side *sv = &v->side[SERVER];
	struct crowd_key key;

	memset(&key, 0, sizeof(key));
	key.target = sv->addr;
	key.port = sv->port;
	if (is_land(v)) {
		key.kind = FINDING_LAND;
		note(c, &key, true, v, &sv->port, sizeof(sv->port));
		return;
	}
	key.kind = FINDING_SYN_FLOOD;
	key.slot = v->start_ns / SLOT_NS;
	if (v->syn.frame)
		note(c, &key, given_up(v), v, &cl->addr, sizeof(cl->addr));
	key.slot = 0;
	key.kind = FINDING_PORT_SCAN;
	key.source = cl->addr;
	key.port = 0;
	note(c, &key, is_probe(v), v, &sv->port, sizeof(sv->port));
	key.kind = FINDING_HOST_SCAN;
	key.port = sv->port;
	memset(&key.target, 0, sizeof(key.target));
	note(c, &key, is_probe(v), v, &sv->addr, sizeof(sv->addr));
	key.kind = FINDING_BACKSCATTER;
	key.source = sv->addr;
	note(c, &key, is_echo(v), v, &cl->addr, sizeof(cl->addr));
}

/* In the order of their keys: by kind, then target or source, then time; slots
 * of one flood are one. */
void crowds_tell(struct crowds *c, finding_fn *fn, void *ctx)
{
	struct crowd **list = calloc(ROWS * WAYS, sizeof(struct crowd *)), *d;
	uint32_t n = 0;

	if (!list)
		return;
	for (uint32_t i = 0; i < ROWS * WAYS; i++)
		if (c->place[i].bad && in_vain(&c->place[i]))
			list[n++] = &c->place[i];
	qsort(list, n, sizeof(struct crowd *), by_key);
	for (uint32_t i = 0; i < n; i++) {
		bool enough = is_enough(d = list[i]);
		uint64_t hang = d->hang;
		uint32_t slots = 1;

		while (i + 1 < n && goes_on(d, list[i + 1])) {
			uint64_t now = hanging(&list[++i], ++slots);

			enough |= is_enough(list[i]);
			hang = now > hang ? now : hang;
			merge(d, list[i]);
		}
		if (!enough && d->key.kind == FINDING_SYN_FLOOD &&
		    hang >= HANG_MIN) {
			d->key.kind = FINDING_HALF_OPEN_HIGH;
			enough = true;
		}
		if (enough)
			tell(d, fn, ctx);
	}
	free(list);
}

/* Whoever means it sends the SYN again, or answers the SYN-ACK. */
static bool given_up(const struct verdict *v)
{
	if (v->syn.tries != 1 || v->icmp)
		return false;
	return v->outcome == JUDGED_TIMEOUT || v->outcome == JUDGED_HALF_OPEN ||
	       (v->outcome == JUDGED_RESET_MID && v->synack.frame);
}

/* What did not become a connection; or a lone segment of an odd kind. */
static bool is_probe(const struct verdict *v)
{
	switch (v->outcome) {
	case JUDGED_REFUSED:
	case JUDGED_TIMEOUT:
	case JUDGED_RESET_MID:
	case JUDGED_HALF_OPEN:
		return true;
	case JUDGED_MIDSTREAM:
		return v->side[CLIENT].packets &&
		       v->side[CLIENT].packets <= PROBE_TO_MAX &&
		       v->side[SERVER].packets <= 1 &&
		       !v->side[CLIENT].by_seq && !v->side[SERVER].by_seq;
	default:
		return false;
	}
}

/* Answers alone; who got them may have said that it never asked. */
static bool is_echo(const struct verdict *v)
{
	const struct verdict_side *cl = &v->side[CLIENT];
	const struct verdict_side *sv = &v->side[SERVER];
	bool denied = v->ending == ENDING_RST_CLIENT && cl->packets == 1;

	if (cl->packets && !denied)
		return false;
	if (v->outcome == JUDGED_SYN_MISSING)
		return sv->packets == v->synack.tries;
	return v->outcome == JUDGED_MIDSTREAM &&
	       v->ending == ENDING_RST_SERVER && sv->packets == 1;
}

/* A socket may call itself, and then that works. */
static bool is_land(const struct verdict *v)
{
	return v->syn.frame && v->outcome != JUDGED_COMPLETED &&
	       v->side[CLIENT].port == v->side[SERVER].port &&
	       memcmp(&v->side[CLIENT].addr, &v->side[SERVER].addr,
		      sizeof(v->side[CLIENT].addr)) == 0;
}

static void note(struct crowds *c, const struct crowd_key *key, bool bad,
		 const struct verdict *v, const void *value, size_t len)
{
	struct crowd *d = find(c, key);

	d->count++;
	d->answered += v->synack.frame || v->outcome == JUDGED_REFUSED;
	d->completed += v->outcome == JUDGED_COMPLETED;
	d->hang += v->outcome == JUDGED_HALF_OPEN;
	if (!bad)
		return;
	if (!d->bad++ || v->start_ns < d->from_ns)
		d->from_ns = v->start_ns;
	if (d->bad == 1 || v->start_ns > d->to_ns)
		d->to_ns = v->start_ns;
	sample_add(d, (uint32_t)hash(c, value, len));
}

static struct crowd *find(struct crowds *c, const struct crowd_key *key)
{
	struct crowd *d = &c->place[hash(c, key, sizeof(*key)) % ROWS * WAYS];
	struct crowd *least = d;

	for (int i = 0; i < WAYS; i++, d++) {
		if (d->count && memcmp(&d->key, key, sizeof(*key)) == 0)
			return d;
		if (d->bad < least->bad ||
		    (d->bad == least->bad && d->count < least->count))
			least = d;
	}
	memset(least, 0, sizeof(*least));
	least->key = *key;
	return least;
}

static uint64_t hash(const struct crowds *c, const void *p, size_t len)
{
	uint8_t h[crypto_shorthash_BYTES];
	uint64_t n;

	crypto_shorthash(h, p, len, c->key);
	memcpy(&n, h, sizeof(n));
	return n;
}

static bool is_sampled(const struct crowd *d, uint32_t h)
{
	return !(h & ((1u << d->level) - 1));
}

/* Every second one of those that were kept so far. */
static void thin_out(struct crowd *d)
{
	uint8_t kept = 0;

	d->level++;
	for (uint8_t i = 0; i < d->nsample; i++)
		if (is_sampled(d, d->sample[i]))
			d->sample[kept++] = d->sample[i];
	d->nsample = kept;
}

static void sample_add(struct crowd *d, uint32_t h)
{
	if (!is_sampled(d, h))
		return;
	for (uint8_t i = 0; i < d->nsample; i++)
		if (d->sample[i] == h)
			return;
	while (d->nsample == SAMPLE_MAX && d->level < LEVEL_MAX)
		thin_out(d);
	if (is_sampled(d, h) && d->nsample < SAMPLE_MAX)
		d->sample[d->nsample++] = h;
}

static uint32_t distinct(const struct crowd *d)
{
	return (uint32_t)d->nsample << d->level;
}

/* Most of them: a path that loses half of all SYNs is rare enough. */
static bool in_vain(const struct crowd *d)
{
	return d->completed * 2 < d->bad;
}

static bool is_enough(const struct crowd *d)
{
	switch (d->key.kind) {
	case FINDING_SYN_FLOOD:
		return d->bad >= FLOOD_MIN;
	case FINDING_PORT_SCAN:
	case FINDING_HOST_SCAN:
		return distinct(d) >= SCAN_MIN;
	case FINDING_BACKSCATTER:
		return distinct(d) >= ECHO_MIN;
	default:
		return true;
	}
}

/* Is that the same flood, in the next slot? */
static bool goes_on(const struct crowd *d, const struct crowd *next)
{
	return d->key.kind == FINDING_SYN_FLOOD &&
	       next->key.kind == FINDING_SYN_FLOOD &&
	       next->key.port == d->key.port &&
	       next->key.slot == d->key.slot + 1 &&
	       memcmp(&next->key.target, &d->key.target,
		      sizeof(d->key.target)) == 0;
}

/* In the last HANG_SLOTS of these slots. */
static uint64_t hanging(struct crowd *const *last, uint32_t slots)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < slots && i < HANG_SLOTS; i++)
		n += last[-(int)i]->hang;
	return n;
}

static int by_key(const void *a, const void *b)
{
	const struct crowd *x = *(struct crowd *const *)a;
	const struct crowd *y = *(struct crowd *const *)b;
	int order;

	if (x->key.kind != y->key.kind)
		return x->key.kind < y->key.kind ? -1 : 1;
	order = memcmp(&x->key.source, &y->key.source, sizeof(x->key.source));
	if (!order)
		order = memcmp(&x->key.target, &y->key.target,
			       sizeof(x->key.target));
	if (order)
		return order;
	if (x->key.port != y->key.port)
		return x->key.port < y->key.port ? -1 : 1;
	return x->key.slot < y->key.slot ? -1 : x->key.slot > y->key.slot;
}

static void merge(struct crowd *to, const struct crowd *more)
{
	to->key.slot = more->key.slot;
	to->bad += more->bad;
	to->count += more->count;
	to->answered += more->answered;
	to->completed += more->completed;
	if (more->to_ns > to->to_ns)
		to->to_ns = more->to_ns;
	while (to->level < more->level)
		thin_out(to);
	for (uint8_t i = 0; i < more->nsample; i++)
		sample_add(to, more->sample[i]);
}

static void tell(const struct crowd *d, finding_fn *fn, void *ctx)
{
	const struct finding f = {
		.kind = (uint8_t)d->key.kind,
		.source = d->key.source,
		.target = d->key.target,
		.port = d->key.port,
		.from_ns = d->from_ns,
		.to_ns = d->to_ns,
		.count = d->count,
		.answered = d->answered,
		.completed = d->completed,
		.distinct = distinct(d),
		.estimated = d->level > 0,
	};

	fn(ctx, &f);
}
