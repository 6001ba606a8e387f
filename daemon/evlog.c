/*
 * evlog.c - Events as lines for people
 *
 * A sink of the bus. Around the sentence of an event come, on a terminal, the
 * time, the connection and both ends, and in the journal the event's numbers as
 * fields.
 *
 * Under load there are more events than anybody reads. Each type has a budget a
 * second; beyond it an event costs a comparison, and at the end of the second
 * one line says how many were left out. What the daemon says of itself is rare
 * and always written.
 */
#include "evlog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"
#include "evwords.h"
#include "log.h"

#define LINES_A_SECOND 200 /* of each event type */
#define SECOND_US      1000000

#define FIELD_MAX 320 /* bytes of one field, MESSAGE is the longest */

/* Fields of one journal record, stored one behind the other. */
struct fields {
	struct iovec iov[LOG_FIELDS_MAX];
	int n;
	size_t used;
	char text[LOG_FIELDS_MAX * FIELD_MAX / 4];
};

static void take(struct evbus_sink *s, const struct evbus_record *r);
static int64_t turn(struct evbus_sink *s, int64_t now_us);
static void say_left_out(struct evlog *l);
static void log_event(const struct evbus_record *r,
		      const struct stack_conf *conf);
static void line_for_stderr(const struct event *e,
			    const struct stack_conf *conf, const char *text,
			    char *buf, size_t len);
static const char *own_end(const struct event *e, const struct stack_conf *conf,
			   char buf[IPPORT_TEXT_MAX]);
static const char *end_text(const struct ip_addr *a, uint16_t port,
			    char buf[IPPORT_TEXT_MAX]);
static void fields_of(struct fields *f, const struct evbus_record *r,
		      const char *text);
static void fields_of_reason(struct fields *f, const struct event *e);
static void put(struct fields *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static const char *flags_text(uint8_t flags, char buf[9]);

void evlog_start(struct evlog *l, struct evbus *b, int level, bool handshakes)
{
	memset(l, 0, sizeof(*l));
	l->bus = b;
	l->sink.mask = evlog_mask(level, handshakes);
	l->sink.take = take;
	l->sink.turn = turn;
	evbus_add(b, &l->sink);
}

void evlog_level(struct evlog *l, int level, bool handshakes)
{
	evbus_want(l->bus, &l->sink, evlog_mask(level, handshakes));
}

uint64_t evlog_mask(int level, bool handshakes)
{
	static const uint64_t ordinary =
		EVBUS_BIT(EVENT_SYN_SENT) | EVBUS_BIT(EVENT_SYN_RECEIVED) |
		EVBUS_BIT(EVENT_SYNACK_RECEIVED) |
		EVBUS_BIT(EVENT_HANDSHAKE_COMPLETED) |
		EVBUS_BIT(EVENT_FIN_RECEIVED) | EVBUS_BIT(EVENT_FIN_SENT) |
		EVBUS_BIT(EVENT_CONN_CLOSED);
	uint64_t mask = evbus_level_mask(level);

	return handshakes ? mask : mask & ~ordinary;
}

static void take(struct evbus_sink *s, const struct evbus_record *r)
{
	struct evlog *l = (struct evlog *)s;
	uint8_t type = r->e->type;

	if (type < EVENT_NCORE && l->lines[type]++ >= LINES_A_SECOND) {
		l->left_out[type]++;
		l->owes = true;
		return;
	}
	l->counted = true;
	log_event(r, stack_conf(l->bus->st));
}

/* A second begins with its first line. */
static int64_t turn(struct evbus_sink *s, int64_t now_us)
{
	struct evlog *l = (struct evlog *)s;

	if (l->until_us && now_us >= l->until_us) {
		if (l->owes)
			say_left_out(l);
		memset(l->lines, 0, sizeof(l->lines));
		l->until_us = 0;
	} else if (l->counted && !l->until_us) {
		l->until_us = now_us + SECOND_US;
	}
	l->counted = false;
	return l->until_us ? l->until_us : TIME_NEVER;
}

static void say_left_out(struct evlog *l)
{
	for (int t = 0; t < EVENT_NTYPES; t++) {
		if (!l->left_out[t])
			continue;
		log_at(event_level((enum event_type)t),
		       "%u more lines of %s suppressed", l->left_out[t],
		       event_name((enum event_type)t));
		l->left_out[t] = 0;
	}
	l->owes = false;
}

static void log_event(const struct evbus_record *r,
		      const struct stack_conf *conf)
{
	const struct event *e = r->e;
	char text[FIELD_MAX - 16], line[FIELD_MAX + 2 * IPPORT_TEXT_MAX + 32];
	struct fields f = {.n = 0, .used = 0};

	if (!evwords(e, r->note, conf, text, sizeof(text)))
		return;
	/* Where there is no journal after all, the line is next best. */
	line_for_stderr(e, conf, text, line, sizeof(line));
	if (log_is_journal())
		fields_of(&f, r, text);
	log_record(line, f.iov, f.n);
}

/*
 * "c42 [Server] Received SYN, ...  198.18.66.1:50118 -> :8090", the client at
 * the left. Our own address is left out where there is only one.
 */
static void line_for_stderr(const struct event *e,
			    const struct stack_conf *conf, const char *text,
			    char *buf, size_t len)
{
	char own[IPPORT_TEXT_MAX], peer[IPPORT_TEXT_MAX], conn[16] = "";

	if (e->type >= EVENT_NCORE && !e->peer_port) {
		snprintf(buf, len, "%s", text);
		return;
	}
	own_end(e, conf, own);
	end_text(&e->peer, e->peer_port, peer);
	if (e->conn)
		snprintf(conn, sizeof(conn), "c%u ", e->conn);
	if (e->role == ROLE_CLIENT)
		snprintf(buf, len, "%s%s  %s -> %s", conn, text, own, peer);
	else
		snprintf(buf, len, "%s%s  %s -> %s", conn, text, peer, own);
}

static const char *own_end(const struct event *e, const struct stack_conf *conf,
			   char buf[IPPORT_TEXT_MAX])
{
	const struct ip_addr *usual =
		ip_addr_is4(&e->local) ? &conf->own4 : &conf->own6;

	if (!e->local_port || memcmp(&e->local, usual, sizeof(*usual)) != 0)
		return end_text(&e->local, e->local_port, buf);
	snprintf(buf, IPPORT_TEXT_MAX, ":%u", e->local_port);
	return buf;
}

/* What has no ports is not TCP. */
static const char *end_text(const struct ip_addr *a, uint16_t port,
			    char buf[IPPORT_TEXT_MAX])
{
	return port ? ipport_format(a, port, buf) : ipaddr_format(a, buf);
}

static void fields_of(struct fields *f, const struct evbus_record *r,
		      const char *text)
{
	const struct event *e = r->e;
	char addr[IPADDR_TEXT_MAX], flags[9];

	put(f, "MESSAGE=%s", text);
	put(f, "PRIORITY=%d", event_level((enum event_type)e->type));
	put(f, "SYSLOG_IDENTIFIER=tcphsd");
	put(f, "TCPHS_EVENT=%s", event_name((enum event_type)e->type));
	put(f, "TCPHS_SEQNO=%llu", (unsigned long long)r->seq);
	if (e->type >= EVENT_NCORE && !e->peer_port)
		return;
	put(f, "TCPHS_ROLE=%s", e->role == ROLE_CLIENT ? "client" : "server");
	put(f, "TCPHS_LOCAL_ADDR=%s", ipaddr_format(&e->local, addr));
	put(f, "TCPHS_PEER_ADDR=%s", ipaddr_format(&e->peer, addr));
	if (e->conn)
		put(f, "TCPHS_CONN=c%u", e->conn);
	if (e->local_port)
		put(f, "TCPHS_LOCAL_PORT=%u", e->local_port);
	if (e->peer_port)
		put(f, "TCPHS_PEER_PORT=%u", e->peer_port);
	if (e->seg_flags) {
		put(f, "TCPHS_FLAGS=%s", flags_text(e->seg_flags, flags));
		put(f, "TCPHS_SEQ=%u", e->seg_seq);
		put(f, "TCPHS_ACK=%u", e->seg_ack);
		put(f, "TCPHS_WIN=%u", e->seg_wnd);
	}
	fields_of_reason(f, e);
}

/* The fields made from a and b. */
static void fields_of_reason(struct fields *f, const struct event *e)
{
	switch ((enum event_type)e->type) {
	case EVENT_HANDSHAKE_COMPLETED:
		put(f, "TCPHS_HS_US=%lld", (long long)e->a);
		break;
	case EVENT_STATE:
		put(f, "TCPHS_STATE_FROM=%s",
		    tcp_state_name((enum tcp_state)e->a));
		put(f, "TCPHS_STATE_TO=%s",
		    tcp_state_name((enum tcp_state)e->b));
		break;
	case EVENT_HANDSHAKE_FAILED:
	case EVENT_CONN_CLOSED:
	case EVENT_RESET_SENT:
		put(f, "TCPHS_REASON=%s", close_name((enum close_reason)e->a));
		break;
	case EVENT_SEGMENT_DROPPED:
		put(f, "TCPHS_REASON=%s", drop_name((enum drop_reason)e->a));
		put(f, "TCPHS_RFC=%s", drop_clause((enum drop_reason)e->a));
		break;
	case EVENT_LIMIT:
		put(f, "TCPHS_REASON=%s", limit_name((enum stack_limit)e->a));
		break;
	default:
		break;
	}
}

static void put(struct fields *f, const char *fmt, ...)
{
	size_t room = sizeof(f->text) - f->used;
	char *at = f->text + f->used;
	va_list ap;
	int len;

	ASSERT(f->n < LOG_FIELDS_MAX);
	va_start(ap, fmt);
	len = vsnprintf(at, room, fmt, ap);
	va_end(ap);
	ASSERT(len >= 0);
	ASSERT((size_t)len < room);
	f->iov[f->n++] = (struct iovec){at, (size_t)len};
	f->used += (size_t)len;
}

/* As tcpdump writes them, with A for ACK: "SA", "FPA". */
static const char *flags_text(uint8_t flags, char buf[9])
{
	static const char letters[] = "FSRPAUEC";
	int n = 0;

	for (int i = 0; i < 8; i++) {
		if (flags & (1 << i))
			buf[n++] = letters[i];
	}
	buf[n] = '\0';
	return buf;
}
