/*
 * alert_scan.c - Port and host scans, by source
 *
 * A probe is what got no connection: a SYN that nobody listens for or that the
 * allow-list refused, flags that open nothing, a handshake that the client
 * reset. A source that asked for scan_ports different ports, or addresses of
 * ours, within scan_window and completed few handshakes meanwhile looks like a
 * scan; a client that uses many services completes, and one that repeats itself
 * asks for the same port. The alert is over when a window passed without a
 * probe.
 *
 * SCANNERS sources are watched. One more takes the place of the one with the
 * fewest probes in its row of WAYS, so that a flood of forged sources pushes
 * out the single ones before those that scan. Ports are remembered as a set of
 * bits (linear counting): exact for a few, some percent off for hundreds.
 */
#include "alert_priv.h"

#include <string.h>

#define WAYS	   4  /* places a source may have */
#define ACTIVE_MAX 16 /* alerts of a kind at once; more scanners are the same */

static struct scanner *find(struct alerts *a, const struct ip_prefix *source,
			    bool make, int64_t now_us);
static void forget(struct alerts *a, struct scanner *s, int64_t now_us);
static void judge(struct alerts *a, struct scanner *s, enum alert_kind kind,
		  struct alert **al, const struct value_set *set,
		  int64_t now_us);
static void set_add(struct value_set *s, uint32_t hash);
static uint32_t set_size(const struct value_set *s);

void scan_probe(struct alerts *a, const struct event *e)
{
	struct ip_prefix source = source_prefix(&e->peer, false);
	struct scanner *s = find(a, &source, true, e->at_us);

	if (!s)
		return;
	s->probes++;
	s->last_us = e->at_us;
	set_add(&s->ports, alert_hash(&e->local_port, sizeof(e->local_port)));
	set_add(&s->hosts, alert_hash(&e->local, sizeof(e->local)));
	judge(a, s, ALERT_PORT_SCAN, &s->port_scan, &s->ports, e->at_us);
	judge(a, s, ALERT_HOST_SCAN, &s->host_scan, &s->hosts, e->at_us);
}

void scan_completed(struct alerts *a, const struct event *e)
{
	struct ip_prefix source = source_prefix(&e->peer, false);
	struct scanner *s = find(a, &source, false, e->at_us);

	if (s)
		s->completed++;
}

void scan_tick(struct alerts *a, int64_t now_us)
{
	for (unsigned int i = 0; i < SCANNERS; i++) {
		struct scanner *s = &a->scanner[i];

		if (s->source.len &&
		    now_us - s->last_us > a->conf.scan_window_us)
			forget(a, s, now_us);
	}
}

/* The record of a source; with @make a new one if there is room. */
static struct scanner *find(struct alerts *a, const struct ip_prefix *source,
			    bool make, int64_t now_us)
{
	uint32_t row = alert_hash(source, sizeof(*source)) % (SCANNERS / WAYS);
	struct scanner *s = &a->scanner[row * WAYS], *least = NULL;

	for (unsigned int i = 0; i < WAYS; i++, s++) {
		if (s->source.len == source->len &&
		    memcmp(&s->source.addr, &source->addr,
			   sizeof(source->addr)) == 0)
			break;
		if (s->port_scan || s->host_scan)
			continue;
		if (!least || s->probes < least->probes)
			least = s;
	}
	if (s < &a->scanner[(row + 1) * WAYS]) {
		/* Slower than the window: it begins anew. */
		if (now_us - s->since_us <= a->conf.scan_window_us ||
		    s->port_scan || s->host_scan)
			return s;
		least = s;
	} else if (!make || !least) {
		return NULL;
	}
	memset(least, 0, sizeof(*least));
	least->source = *source;
	least->since_us = least->last_us = now_us;
	return least;
}

static void forget(struct alerts *a, struct scanner *s, int64_t now_us)
{
	if (s->port_scan)
		alert_end(a, &s->port_scan, now_us);
	if (s->host_scan)
		alert_end(a, &s->host_scan, now_us);
	memset(s, 0, sizeof(*s));
}

static void judge(struct alerts *a, struct scanner *s, enum alert_kind kind,
		  struct alert **al, const struct value_set *set,
		  int64_t now_us)
{
	uint32_t distinct = set_size(set);

	if (!*al) {
		if (distinct < a->conf.scan_ports ||
		    s->completed * 2 >= s->probes ||
		    alerts_active(a, kind) >= ACTIVE_MAX)
			return;
		*al = alert_raise(a, kind, LISTENER_NONE, &s->source, now_us);
		if (!*al)
			return;
	}
	(*al)->last_us = now_us;
	(*al)->number[0] = distinct;
	(*al)->number[1] = s->probes;
	(*al)->number[2] = s->completed;
	(*al)->number[3] = now_us - s->since_us;
}

/* So many draws it takes, on average, to set so many bits: a new one when i of m
 * are set takes m / (m - i) of them. */
static void set_add(struct value_set *s, uint32_t hash)
{
	uint32_t bit = (hash ^ hash >> 16) % SET_BITS;
	uint64_t mask = UINT64_C(1) << bit % 64;

	if (s->bits[bit / 64] & mask)
		return;
	s->bits[bit / 64] |= mask;
	s->draws += 1000u * SET_BITS / (SET_BITS - s->set);
	s->set++;
}

static uint32_t set_size(const struct value_set *s)
{
	return (uint32_t)(s->draws / 1000);
}
