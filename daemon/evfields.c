/*
 * evfields.c - What is known of an event, by name
 *
 * The journal, logfmt and JSON show the same fields under the same names; here
 * they are named once. a and b of an event mean something else for each type:
 * own_fields() is the place that knows.
 */
#include "evfields.h"

#include <stdio.h>
#include <string.h>

#include <tcphs/community_id.h>
#include <tcphs/ipaddr.h>

#include "evwords.h"
#include "privacy.h"

struct out {
	evfield_fn *fn;
	void *arg;
};

static void text(const struct out *o, const char *key, const char *value)
{
	o->fn(o->arg, key, value, 0);
}

static void number(const struct out *o, const char *key, int64_t value)
{
	o->fn(o->arg, key, NULL, value);
}

/* As tcpdump writes them, with A for ACK: "SA", "FPA". */
static void flags(const struct out *o, uint8_t bits)
{
	static const char letters[] = "FSRPAUEC";
	char set[9];
	int n = 0;

	for (int i = 0; i < 8; i++) {
		if (bits & (1 << i))
			set[n++] = letters[i];
	}
	set[n] = '\0';
	text(o, "seg_flags", set);
}

static void listener(const struct out *o, const struct stack *st,
		     uint16_t index)
{
	struct listener_info info;

	if (st && index != LISTENER_NONE &&
	    stack_listener_info(st, index, &info))
		text(o, "listener", info.conf.name);
}

static void ends(const struct out *o, const struct event *e)
{
	char addr[IPADDR_TEXT_MAX];

	text(o, "local_addr", ipaddr_format(&e->local, addr));
	if (e->local_port)
		number(o, "local_port", e->local_port);
	text(o, "peer_addr", ipaddr_format(&e->peer, addr));
	if (e->peer_port)
		number(o, "peer_port", e->peer_port);
}

/* It is made of the addresses, and tells them to whoever tries all. */
static void flow(const struct out *o, const struct event *e)
{
	char id[COMMUNITY_ID_MAX];

	if (e->local_port && e->peer_port && privacy() == PRIVACY_FULL)
		text(o, "community_id",
		     community_id(&e->local, e->local_port, &e->peer,
				  e->peer_port, id));
}

/* Those of a SYN, as the ladder writes them. */
static void options(const struct out *o, int64_t has)
{
	char words[64] = "";
	size_t n = 0;

	if (has & SYN_HAS_MSS)
		n = (size_t)snprintf(words, sizeof(words), " mss=%u",
				     (unsigned int)(has & SYN_HAS_MSS));
	if (has & SYN_HAS_SACK_OK)
		n += (size_t)snprintf(words + n, sizeof(words) - n, " sackok");
	if (has & SYN_HAS_TS)
		n += (size_t)snprintf(words + n, sizeof(words) - n, " ts");
	if (has & SYN_HAS_WSCALE)
		n += (size_t)snprintf(words + n, sizeof(words) - n, " ws%u",
				      (unsigned int)(has & SYN_HAS_SHIFT) >>
					      16);
	if (n)
		text(o, "options", words + 1);
}

/* Text of a segment without flags is that of several. */
static void segment(const struct out *o, const struct event *e)
{
	if (!e->seg_flags)
		return;
	flags(o, e->seg_flags);
	number(o, "seg_seq", e->seg_seq);
	if (e->seg_flags & TH_ACK)
		number(o, "seg_ack", e->seg_ack);
	number(o, "seg_len", e->seg_len);
	number(o, "seg_win", e->seg_wnd);
}

static void tries(const struct out *o, const struct event *e)
{
	number(o, "try", e->a);
	number(o, "waited_us", e->b);
}

enum outcome evfields_outcome(const struct event *e)
{
	if (e->type == EVENT_HANDSHAKE_COMPLETED)
		return e->b & HANDSHAKE_COOKIE ? ATTEMPT_COMPLETED_COOKIE
					       : ATTEMPT_COMPLETED;
	if (e->type != EVENT_HANDSHAKE_FAILED)
		return e->state == TCP_SYN_SENT || e->state == TCP_SYN_RECEIVED
			       ? ATTEMPT_OPEN
			       : ATTEMPT_COMPLETED;
	return outcome_failed((enum close_reason)e->a, (enum tcp_role)e->role,
			      e->b & HANDSHAKE_ODD);
}

static void handshake(const struct out *o, const struct event *e)
{
	text(o, "outcome", outcome_name(evfields_outcome(e)));
	if (e->a >= 0)
		number(o, "hs_us", e->a);
	number(o, "retrans", e->b & HANDSHAKE_RESENT);
}

static void own_fields(const struct out *o, const struct event *e)
{
	switch ((enum event_type)e->type) {
	case EVENT_HANDSHAKE_COMPLETED:
		handshake(o, e);
		break;
	case EVENT_SYN_RECEIVED:
	case EVENT_SYNACK_RECEIVED:
		options(o, e->b);
		break;
	case EVENT_SYN_RETRANSMIT:
	case EVENT_SYNACK_RETRANSMIT:
		tries(o, e);
		break;
	case EVENT_STATE:
		text(o, "state_from", tcp_state_key((enum tcp_state)e->a));
		text(o, "state_to", tcp_state_key((enum tcp_state)e->b));
		break;
	case EVENT_HANDSHAKE_FAILED:
		text(o, "outcome", outcome_name(evfields_outcome(e)));
		text(o, "reason", close_name((enum close_reason)e->a));
		break;
	case EVENT_CONN_CLOSED:
		if (e->b > 0)
			number(o, "rtt_us", e->b);
		text(o, "reason", close_name((enum close_reason)e->a));
		break;
	case EVENT_RESET_SENT:
		text(o, "reason", close_name((enum close_reason)e->a));
		break;
	case EVENT_SEGMENT_DROPPED:
		text(o, "reason", drop_name((enum drop_reason)e->a));
		if (*drop_clause((enum drop_reason)e->a))
			text(o, "rfc", drop_clause((enum drop_reason)e->a));
		break;
	case EVENT_DATA_RECEIVED:
	case EVENT_URGENT:
		number(o, "bytes", e->a);
		break;
	case EVENT_DATA_RETRANSMIT:
		number(o, "bytes", e->a);
		if (e->b > 0)
			number(o, "rto_us", e->b);
		text(o, "reason",
		     e->b > 0	? "rto"
		     : e->b < 0 ? "probe"
				: "fast");
		break;
	case EVENT_LOSS_UNDONE:
		number(o, "cwnd", e->a);
		text(o, "reason", e->b ? "rto" : "fast");
		break;
	case EVENT_TROUBLE:
		if (e->b) {
			number(o, "icmp_type", e->b >> 8);
			number(o, "icmp_code", e->b & 0xff);
		} else {
			number(o, "try", e->a);
		}
		break;
	case EVENT_PMTU:
		number(o, "mtu", e->a);
		number(o, "mtu_before", e->b);
		break;
	case EVENT_TEXT_CONFLICT:
		number(o, "offset", e->a);
		break;
	case EVENT_TTL_ODD:
		number(o, "packets", e->a);
		number(o, "ttl", e->b >> 8);
		number(o, "usual_ttl", e->b & 0xff);
		break;
	case EVENT_LIMIT:
		text(o, "reason", limit_name((enum stack_limit)e->a));
		break;
	case EVENT_LOST:
		number(o, "count", e->a);
		break;
	case EVENT_DAEMON_STOPPING:
		number(o, "connections", e->a);
		break;
	default:
		break;
	}
}

void evfields(const struct evbus_record *r, const struct stack *st,
	      evfield_fn *fn, void *arg)
{
	const struct out o = {fn, arg};
	const struct event *e = r->e;
	const struct evbus_note *n = r->note;
	char conn[16];

	if (e->conn) {
		snprintf(conn, sizeof(conn), "c%u", e->conn);
		text(&o, "conn", conn);
	}
	listener(&o, st, e->listener);
	if (evwords_has_ends(e)) {
		text(&o, "role", e->role == ROLE_CLIENT ? "client" : "server");
		ends(&o, e);
		flow(&o, e);
	}
	if (e->conn)
		text(&o, "state", tcp_state_key(e->state));
	segment(&o, e);
	own_fields(&o, e);
	for (unsigned int i = 0; n && i < n->nfacts; i++)
		fn(arg, n->facts[i].key, n->facts[i].text, n->facts[i].number);
}
