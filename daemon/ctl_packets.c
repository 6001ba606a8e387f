/*
 * ctl_packets.c - What is remembered of a connection, and its packets
 *
 * Both live as long as the memory of packets has room (pktmem.h), so this
 * answers for connections that are closed, too, and for SYNs that opened
 * nothing. The list of all that ended is a job, as any listing (ctl_walk.c).
 * What people wrote to each other is the admins' to see: others get the headers.
 */
#include <inttypes.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>

#include <tcphs/ipaddr.h>
#include <tcphs/segment.h>

#include "ctl_priv.h"
#include "evline.h"
#include "pktmem.h"
#include "wallclock.h"

#define BASE64	   sodium_base64_VARIANT_ORIGINAL
#define SECOND_US  1000000
#define SAME_US	   100 /* clocks that were set differ by more */
#define STEP_CONNS 64

static bool recent_step(struct ctl_job *job);
static void recent_item(struct ctl_job *job, pktmem_ref ref);
static struct ctl_job *no_packets(const struct ctl_request *r);
static pktmem_ref look(const struct pktmem *m, const struct ctl_target *t);
static bool find(const struct ctl_request *r, pktmem_ref *ref);
static json_t *packet_json(const struct pktmem_packet *p, bool text);
static json_t *conn_json(const struct pktmem_conn *c, const char *listener);
static json_t *flags_json(unsigned int flags);
static void put_end(json_t *o, const char *key, const struct ip_addr *addr,
		    uint16_t port);
static void put_moment(json_t *o, const char *key, int64_t mono_us);
static void put_leg(json_t *o, const char *key, int64_t from_us,
		    int64_t until_us);
static void put_drop(json_t *o, enum drop_reason why);

/** ctl_packets() - conn.packets */
void ctl_packets(const struct ctl_request *r)
{
	static struct pktmem_packet p;
	const struct pktmem *m = r->client->ctl->hooks.packets;
	bool text = r->client->rights == RIGHTS_ADMIN;
	struct pktmem_conn c;
	struct listener_info l;
	uint64_t cursor = 0;
	bool named;
	pktmem_ref ref;

	if (!find(r, &ref))
		return;
	while (pktmem_next(m, ref, &cursor, &p))
		ctl_reply_item(r->client, r->id, packet_json(&p, text));
	pktmem_conn(m, ref, &c);
	named = c.listener != LISTENER_NONE &&
		stack_listener_info(r->client->ctl->st, c.listener, &l);
	ctl_reply_result(r->client, r->id,
			 conn_json(&c, named ? l.conf.name : NULL));
}

/**
 * ctl_packets_ended() - A connection that is not there any more, perhaps
 * @job: Has looked for it everywhere else
 *
 * Return: false if nothing is known of it; otherwise that was answered
 */
bool ctl_packets_ended(const struct ctl_job *job)
{
	const struct pktmem *m = job->client->ctl->hooks.packets;
	struct pktmem_conn c = {.ended = false};
	char hint[64];
	pktmem_ref ref;

	ref = m && job->target.kind != TARGET_LAST ? look(m, &job->target) : 0;
	if (ref)
		pktmem_conn(m, ref, &c);
	if (!c.ended)
		return false;
	snprintf(hint, sizeof(hint), "its packets: tcphsctl ladder c%" PRIu32,
		 c.id);
	ctl_reply_error(job->client, job->id, CTL_ERROR_NOT_FOUND,
			CTL_NO_OFFSET, hint,
			"c%" PRIu32 " ended %" PRId64 " s ago: %s", c.id,
			(ctl_now_us() - c.ended_us) / SECOND_US,
			c.reason != CLOSE_NONE ? close_words(c.reason)
					       : outcome_words(c.outcome));
	return true;
}

/** ctl_packets_recent() - conn.recent */
void ctl_packets_recent(const struct ctl_request *r)
{
	struct filter *f = ctl_walk_filter(r);
	struct ctl_job *job;

	if (!f)
		return;
	job = r->client->ctl->hooks.packets ? ctl_job_new(r, recent_step)
					    : no_packets(r);
	if (job)
		job->filter = f;
	else
		filter_free(f);
}

static bool recent_step(struct ctl_job *job)
{
	const struct pktmem *m = job->client->ctl->hooks.packets;
	pktmem_ref ref = 0;

	for (int i = 0; i < STEP_CONNS && ctl_client_may_write(job->client);
	     i++) {
		ref = pktmem_walk(m, &job->cursor);
		if (!ref) {
			ctl_reply_result(job->client, job->id,
					 json_pack("{s:I}", "count",
						   (json_int_t)job->count));
			return true;
		}
		recent_item(job, ref);
	}
	return false;
}

/* What a filter asks for of one that ended: idle is since then. */
static void recent_item(struct ctl_job *job, pktmem_ref ref)
{
	const struct ctl *ctl = job->client->ctl;
	const char *listener = NULL;
	struct conn_info info;
	struct pktmem_conn c;

	pktmem_conn(ctl->hooks.packets, ref, &c);
	if (!c.ended)
		return;
	if (c.listener < STACK_LISTENERS_MAX && *ctl->listeners[c.listener])
		listener = ctl->listeners[c.listener];
	info = (struct conn_info){
		.id = c.id,
		.state = c.state,
		.role = c.role,
		.listener = c.listener,
		.local = c.local,
		.peer = c.peer,
		.local_port = c.local_port,
		.peer_port = c.peer_port,
		.age_us = c.ended_us - c.opened_us,
		.idle_us = ctl_now_us() - c.ended_us,
		.handshake_us = c.handshake_us,
		.retrans = c.retrans,
		.bytes_in = c.bytes_in,
		.bytes_out = c.bytes_out,
	};
	if (!filter_match_ended(job->filter, &info, listener, c.outcome,
				ctl_walk_alerts(job, &info)))
		return;
	ctl_reply_item(job->client, job->id, conn_json(&c, listener));
	job->count++;
}

static struct ctl_job *no_packets(const struct ctl_request *r)
{
	ctl_reply_error(r->client, r->id, CTL_ERROR_NOT_FOUND, CTL_NO_OFFSET,
			"set capture.ring_packets", "no packets are kept");
	return NULL;
}

static pktmem_ref look(const struct pktmem *m, const struct ctl_target *t)
{
	switch (t->kind) {
	case TARGET_ID:
		return pktmem_by_id(m, t->id);
	case TARGET_ENDS:
		return pktmem_by_ends(m, &t->local, t->local_port, &t->peer,
				      t->peer_port);
	case TARGET_LAST:
		break;
	}
	return pktmem_last(m, false);
}

/* False if it is not there; that was answered. */
static bool find(const struct ctl_request *r, pktmem_ref *ref)
{
	const struct pktmem *m = r->client->ctl->hooks.packets;
	const char *text, *who = "an attempt that failed";
	char buf[CTL_TARGET_MAX];
	struct ctl_target t;

	if (!m) {
		no_packets(r);
		return false;
	}
	if (!ctl_method_needs(r, "conn", &text))
		return false;
	if (strcmp(text, "last-failed") == 0) {
		*ref = pktmem_last(m, true);
	} else {
		if (!ctl_walk_target(r, &t))
			return false;
		*ref = look(m, &t);
		who = t.kind == TARGET_LAST ? "any connection"
					    : ctl_walk_target_text(&t, buf);
	}
	if (!*ref)
		ctl_reply_error(r->client, r->id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, NULL,
				"nothing is remembered of %s", who);
	return *ref != 0;
}

static json_t *packet_json(const struct pktmem_packet *p, bool text)
{
	char base64[sodium_base64_ENCODED_LEN(PKTMEM_SNAP_MAX, BASE64)];
	uint32_t len = p->snapped;
	json_t *o = json_object();
	struct segment s;

	segment_decode(p->data, p->snapped, &s);
	if (!text)
		len = s.head_len;
	sodium_bin2base64(base64, sizeof(base64), p->data, len, BASE64);
	json_object_set_new(o, "number", json_integer(p->number));
	put_moment(o, "time", p->at_us);
	json_object_set_new(o, "mono_us", json_integer(p->at_us));
	json_object_set_new(o, "direction",
			    json_string(p->flags & PACKET_OUT ? "out" : "in"));
	json_object_set_new(o, "state_before",
			    json_string(tcp_state_key(p->before)));
	json_object_set_new(o, "state_after",
			    json_string(tcp_state_key(p->after)));
	put_drop(o, p->drop);
	if (p->flags & ~PACKET_OUT)
		json_object_set_new(o, "flags", flags_json(p->flags));
	json_object_set_new(o, "len", json_integer(p->len));
	if (p->gso_size)
		json_object_set_new(o, "gso_size", json_integer(p->gso_size));
	json_object_set_new(o, "data", json_string(base64));
	return o;
}

static json_t *conn_json(const struct pktmem_conn *c, const char *listener)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", json_sprintf("c%" PRIu32, c->id));
	json_object_set_new(
		o, "role",
		json_string(c->role == ROLE_CLIENT ? "client" : "server"));
	put_end(o, "local", &c->local, c->local_port);
	put_end(o, "peer", &c->peer, c->peer_port);
	if (listener)
		json_object_set_new(o, "listener", json_string(listener));
	json_object_set_new(o, "ended", json_boolean(c->ended));
	json_object_set_new(o, "state", json_string(tcp_state_key(c->state)));
	json_object_set_new(o, "outcome",
			    json_string(outcome_name(c->outcome)));
	json_object_set_new(o, "outcome_words",
			    json_string(outcome_words(c->outcome)));
	json_object_set_new(o, "stage", json_string(stage_name(c->stage)));
	if (c->reason != CLOSE_NONE) {
		json_object_set_new(o, "reason",
				    json_string(close_name(c->reason)));
		json_object_set_new(o, "words",
				    json_string(close_words(c->reason)));
	}
	put_drop(o, c->drop);
	put_moment(o, "opened", c->opened_us);
	put_moment(o, "closed", c->ended_us);
	put_leg(o, "synack_us", c->opened_us, c->synack_us);
	put_leg(o, "hsack_us", c->synack_us, c->established_us);
	if (c->handshake_us >= 0)
		json_object_set_new(o, "handshake_us",
				    json_integer(c->handshake_us));
	put_leg(o, "life_us", c->opened_us, c->ended_us);
	if (c->ended)
		put_leg(o, "closed_ago_us", c->ended_us, ctl_now_us());
	if (c->ended && c->outcome <= ATTEMPT_COMPLETED_SIMULTANEOUS) {
		json_object_set_new(o, "bytes_in",
				    json_integer((json_int_t)c->bytes_in));
		json_object_set_new(o, "bytes_out",
				    json_integer((json_int_t)c->bytes_out));
	}
	if (c->ended)
		json_object_set_new(o, "retrans", json_integer(c->retrans));
	json_object_set_new(o, "packets", json_integer(c->packets));
	json_object_set_new(o, "kept", json_integer(c->kept));
	return o;
}

static json_t *flags_json(unsigned int flags)
{
	static const struct {
		unsigned int flag;
		const char *name;
	} names[] = {
		{PACKET_RETRANSMIT, "retransmit"},
		{PACKET_PROBE, "probe"},
		{PACKET_KEEPALIVE, "keepalive"},
		{PACKET_CHALLENGE, "challenge"},
		{PACKET_COOKIE, "cookie"},
	};
	json_t *a = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flags & names[i].flag)
			json_array_append_new(a, json_string(names[i].name));
	return a;
}

static void put_end(json_t *o, const char *key, const struct ip_addr *addr,
		    uint16_t port)
{
	char text[IPADDR_TEXT_MAX];

	json_object_set_new(o, key,
			    json_pack("{s:s, s:i}", "ip",
				      ipaddr_format(addr, text), "port", port));
}

/* RFC 3339; by the two clocks as they stand to each other now. */
/* The two clocks are not read at one moment, so what differs by little is what it
 * was: a packet has the same time whenever it is asked for. */
static int64_t wall_off_us(void)
{
	static int64_t off_us;
	int64_t now_us = wallclock_off_ns() / 1000;

	if (now_us - off_us > SAME_US || off_us - now_us > SAME_US)
		off_us = now_us;
	return off_us;
}

static void put_moment(json_t *o, const char *key, int64_t mono_us)
{
	char text[EVLINE_TIME_MAX];

	if (mono_us)
		json_object_set_new(o, key,
				    json_string(evline_time(
					    mono_us + wall_off_us(), text)));
}

static void put_leg(json_t *o, const char *key, int64_t from_us,
		    int64_t until_us)
{
	if (from_us && until_us)
		json_object_set_new(o, key, json_integer(until_us - from_us));
}

static void put_drop(json_t *o, enum drop_reason why)
{
	if (why == DROP_NONE)
		return;
	json_object_set_new(o, "drop", json_string(drop_name(why)));
	json_object_set_new(o, "drop_words", json_string(drop_words(why)));
	json_object_set_new(o, "drop_clause", json_string(drop_clause(why)));
}
