/*
 * evlog.c - Events of the stack as lines for people
 *
 * One function makes the sentence of an event; it is the same in the journal,
 * on the terminal and in tests, and its words are a contract. Around it come,
 * on a terminal, the time, the connection and both ends, and in the journal the
 * event's numbers as fields.
 *
 * Under load there are more events than anybody reads. Each type has a budget a
 * second; beyond it an event costs a comparison, and at the end of the second
 * one line says how many were left out.
 */
#include "evlog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"
#include "log.h"

#define LINES_A_SECOND 200 /* of each event type */
#define SECOND_US      1000000

#define FIELD_MAX 320 /* bytes of one field, MESSAGE is the longest */

static struct {
	int64_t until_us; /* end of the second; 0 = none has begun */
	uint64_t last;	  /* number of the last event seen */
	uint64_t lost;	  /* events the ring had no room for */
	uint32_t lines[EVENT_NTYPES];
	uint32_t left_out[EVENT_NTYPES];
} budget;

/* Fields of one journal record, stored one behind the other. */
struct fields {
	struct iovec iov[LOG_FIELDS_MAX];
	int n;
	size_t used;
	char text[LOG_FIELDS_MAX * FIELD_MAX / 4];
};

static int words(const struct event *e, const struct stack_conf *conf,
		 char *buf, size_t len);
static int words_failed(const struct event *e, char *buf, size_t len);
static int words_icmp(const struct event *e, char *buf, size_t len);
static int words_cookie(const struct stack_conf *conf, char *buf, size_t len);
static int words_retransmit(const struct event *e, char *buf, size_t len);
static int words_nobody(const struct event *e, char *buf, size_t len);
static const char *segment_kind(const struct event *e);
static bool second_over(int64_t now_us);
static void say_left_out(void);
static void log_event(const struct event *e, const struct stack_conf *conf);
static void line_for_stderr(const struct event *e,
			    const struct stack_conf *conf, const char *text,
			    char *buf, size_t len);
static const char *own_end(const struct event *e, const struct stack_conf *conf,
			   char buf[IPPORT_TEXT_MAX]);
static const char *end_text(const struct ip_addr *a, uint16_t port,
			    char buf[IPPORT_TEXT_MAX]);
static void fields_of(struct fields *f, const struct event *e,
		      const char *text);
static void fields_of_reason(struct fields *f, const struct event *e);
static void put(struct fields *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static const char *flags_text(uint8_t flags, char buf[9]);

int evlog_sentence(const struct event *e, const struct stack_conf *conf,
		   char *buf, size_t len)
{
	int head, tail;

	head = snprintf(buf, len, "[%s] ",
			e->role == ROLE_CLIENT ? "Client" : "Server");
	if ((size_t)head >= len)
		return 0;
	tail = words(e, conf, buf + head, len - (size_t)head);
	return tail ? head + tail : 0;
}

uint64_t evlog_mask(int level, bool handshakes)
{
	static const uint64_t ordinary =
		1ULL << EVENT_SYN_SENT | 1ULL << EVENT_SYN_RECEIVED |
		1ULL << EVENT_SYNACK_RECEIVED |
		1ULL << EVENT_HANDSHAKE_COMPLETED | 1ULL << EVENT_FIN_RECEIVED |
		1ULL << EVENT_FIN_SENT | 1ULL << EVENT_CONN_CLOSED;
	uint64_t mask = 0;

	_Static_assert(EVENT_NTYPES <= 64, "a mask has 64 bits");
	for (int t = 0; t < EVENT_NTYPES; t++) {
		if (event_level((enum event_type)t) <= level)
			mask |= 1ULL << t;
	}
	return handshakes ? mask : mask & ~ordinary;
}

int64_t evlog_drain(struct stack *st, int64_t now_us)
{
	const struct event *e;

	if (second_over(now_us))
		say_left_out();
	while ((e = stack_event_next(st))) {
		if (budget.last && e->number > budget.last + 1)
			budget.lost += e->number - budget.last - 1;
		budget.last = e->number;
		if (!budget.until_us)
			budget.until_us = now_us + SECOND_US;
		if (budget.lines[e->type] >= LINES_A_SECOND) {
			budget.left_out[e->type]++;
			continue;
		}
		budget.lines[e->type]++;
		log_event(e, stack_conf(st));
	}
	return budget.until_us ? budget.until_us : TIME_NEVER;
}

static int words(const struct event *e, const struct stack_conf *conf,
		 char *buf, size_t len)
{
	char peer[IPPORT_TEXT_MAX];

	switch ((enum event_type)e->type) {
	case EVENT_SYN_SENT:
		return snprintf(buf, len, "Sending SYN to %s",
				ipport_format(&e->peer, e->peer_port, peer));
	case EVENT_SYN_RECEIVED:
		return snprintf(buf, len, "Received SYN, sending SYN-ACK");
	case EVENT_SYNACK_RECEIVED:
		return snprintf(buf, len, "Received SYN-ACK, sending ACK");
	case EVENT_HANDSHAKE_COMPLETED:
		if (e->role == ROLE_SERVER)
			return snprintf(buf, len,
					"Received ACK, handshake completed");
		return snprintf(buf, len, "Handshake completed in %.3f ms",
				(double)e->a / 1e3);
	case EVENT_HANDSHAKE_SIMULTANEOUS:
		return snprintf(buf, len,
				"Received SYN while waiting for SYN-ACK, "
				"sending SYN-ACK (simultaneous open)");
	case EVENT_HANDSHAKE_FAILED:
		return words_failed(e, buf, len);
	case EVENT_SYN_RETRANSMIT:
		return snprintf(buf, len,
				"No answer after %.1f s, sending SYN again "
				"(%lld of %u)",
				(double)e->b / 1e6, (long long)e->a,
				conf->syn_retries + 1);
	case EVENT_SYNACK_RETRANSMIT:
		return snprintf(buf, len,
				"No answer after %.1f s, sending SYN-ACK again "
				"(%lld of %u)",
				(double)e->b / 1e6, (long long)e->a,
				conf->synack_retries + 1);
	case EVENT_COOKIE_SENT:
		return words_cookie(conf, buf, len);
	case EVENT_COOKIE_ACCEPTED:
		return snprintf(buf, len,
				"Received ACK with a valid SYN cookie");
	case EVENT_COOKIE_REJECTED:
		return snprintf(buf, len,
				"Received ACK without a valid SYN cookie");
	case EVENT_DATA_RECEIVED:
		return snprintf(buf, len, "Received %lld bytes, sending ACK",
				(long long)e->a);
	case EVENT_URGENT:
		return snprintf(buf, len,
				"Received urgent mark, %lld bytes ahead",
				(long long)e->a);
	case EVENT_ACK_SENT:
		return snprintf(buf, len, "Sending ACK %lld", (long long)e->a);
	case EVENT_DATA_RETRANSMIT:
		return words_retransmit(e, buf, len);
	case EVENT_LOSS_UNDONE:
		return snprintf(buf, len, "%s; cwnd is %lld again",
				e->b ? "The timeout was too early"
				     : "What seemed lost was late",
				(long long)e->a);
	case EVENT_FIN_RECEIVED:
		return snprintf(buf, len, "Received FIN, sending ACK");
	case EVENT_FIN_SENT:
		return snprintf(buf, len, "Sending FIN");
	case EVENT_STATE:
		return snprintf(buf, len, "%s -> %s",
				tcp_state_name((enum tcp_state)e->a),
				tcp_state_name((enum tcp_state)e->b));
	case EVENT_CONN_CLOSED:
		return snprintf(buf, len, "Connection closed (%s)",
				e->a == CLOSE_FIN
					? "FIN-ACK complete"
					: close_words((enum close_reason)e->a));
	case EVENT_RESET_RECEIVED:
		return snprintf(buf, len, "Connection reset by %s",
				e->role == ROLE_SERVER ? "client" : "server");
	case EVENT_RESET_SENT:
		return snprintf(buf, len,
				"Connection reset by us, sending RST "
				"(%s)",
				close_words((enum close_reason)e->a));
	case EVENT_RESET_NOBODY:
		return words_nobody(e, buf, len);
	case EVENT_SEGMENT_DROPPED:
		return snprintf(buf, len, "Dropped %s: %s", segment_kind(e),
				drop_words((enum drop_reason)e->a));
	case EVENT_TROUBLE:
		if (e->b)
			return words_icmp(e, buf, len);
		return snprintf(buf, len,
				"No acknowledgement after %lld tries, going on",
				(long long)e->a);
	case EVENT_PMTU:
		return snprintf(buf, len, "Path MTU is %lld now, was %lld",
				(long long)e->a, (long long)e->b);
	case EVENT_LIMIT:
		return snprintf(buf, len, "Limit reached: %s (%s)",
				limit_words((enum stack_limit)e->a),
				limit_name((enum stack_limit)e->a));
	case EVENT_NTYPES:
		break;
	}
	return 0;
}

/* RFC 792, RFC 1812, 5.2.7 */
static int words_icmp(const struct event *e, char *buf, size_t len)
{
	static const char *const unreachable[] = {
		"network unreachable",	"host unreachable",
		"protocol unreachable", "port unreachable",
		"packet too big",	"source route failed",
	};
	unsigned int type = (unsigned int)e->b >> 8, code = e->b & 0xff;
	const char *what = "prohibited";

	if (type == 11)
		what = code ? "fragments timed out" : "hop limit exceeded";
	else if (type == 12)
		what = "parameter problem";
	else if (code < sizeof(unreachable) / sizeof(unreachable[0]))
		what = unreachable[code];
	return snprintf(buf, len, "The path says: %s (ICMP %u/%u), going on",
			what, type, code);
}

static int words_failed(const struct event *e, char *buf, size_t len)
{
	char peer[IPPORT_TEXT_MAX];

	if (e->a == CLOSE_REFUSED)
		return snprintf(buf, len,
				"Handshake failed: refused by %s (RST)",
				ipport_format(&e->peer, e->peer_port, peer));
	return snprintf(buf, len, "Handshake failed: %s",
			close_words((enum close_reason)e->a));
}

static int words_cookie(const struct stack_conf *conf, char *buf, size_t len)
{
	const char *why = "Half-open table full";

	if (conf->cookies == COOKIES_ALWAYS)
		why = "Received SYN";
	return snprintf(buf, len, "%s, sending SYN cookie", why);
}

/* a: bytes of text, none in a lone FIN; b: RTO, 0 on evidence of loss, -1 as a
 * probe. */
static int words_retransmit(const struct event *e, char *buf, size_t len)
{
	char what[32] = "FIN", why[32] = "fast";

	if (e->a)
		snprintf(what, sizeof(what), "%lld bytes", (long long)e->a);
	if (e->b < 0)
		snprintf(why, sizeof(why), "tail loss probe");
	else if (e->b)
		snprintf(why, sizeof(why), "RTO %lld ms",
			 (long long)(e->b / 1000));
	return snprintf(buf, len, "Retransmitting %s (%s)", what, why);
}

static int words_nobody(const struct event *e, char *buf, size_t len)
{
	if ((e->seg_flags & (TH_SYN | TH_ACK)) == TH_SYN)
		return snprintf(buf, len,
				"Received SYN, nobody listens on port %u, "
				"sending RST",
				e->local_port);
	return snprintf(buf, len, "Received %s for no connection, sending RST",
			segment_kind(e));
}

/* What people call a segment: by the most telling of its flags. */
static const char *segment_kind(const struct event *e)
{
	uint8_t f = e->seg_flags;

	if (!f && !e->seg_len)
		return "packet";
	if (f & TH_RST)
		return "RST";
	if (f & TH_SYN)
		return f & TH_ACK ? "SYN-ACK" : "SYN";
	if (f & TH_FIN)
		return "FIN";
	if (e->seg_len)
		return "data";
	return f & TH_ACK ? "ACK" : "segment";
}

/* Is a second over in which lines were counted? If so, a new one may begin. */
static bool second_over(int64_t now_us)
{
	if (!budget.until_us || now_us < budget.until_us)
		return false;
	budget.until_us = 0;
	memset(budget.lines, 0, sizeof(budget.lines));
	return true;
}

static void say_left_out(void)
{
	for (int t = 0; t < EVENT_NTYPES; t++) {
		if (!budget.left_out[t])
			continue;
		log_at(event_level((enum event_type)t),
		       "%u more lines of %s suppressed", budget.left_out[t],
		       event_name((enum event_type)t));
		budget.left_out[t] = 0;
	}
	if (budget.lost)
		log_warnx("%llu events came faster than they could be taken",
			  (unsigned long long)budget.lost);
	budget.lost = 0;
}

static void log_event(const struct event *e, const struct stack_conf *conf)
{
	char text[FIELD_MAX - 16], line[FIELD_MAX + 2 * IPPORT_TEXT_MAX + 32];
	struct fields f = {.n = 0, .used = 0};

	line[0] = '\0';
	if (!evlog_sentence(e, conf, text, sizeof(text)))
		return;
	if (log_is_journal())
		fields_of(&f, e, text);
	else
		line_for_stderr(e, conf, text, line, sizeof(line));
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

static void fields_of(struct fields *f, const struct event *e, const char *text)
{
	char addr[IPADDR_TEXT_MAX], flags[9];

	put(f, "MESSAGE=%s", text);
	put(f, "PRIORITY=%d", event_level((enum event_type)e->type));
	put(f, "SYSLOG_IDENTIFIER=tcphsd");
	put(f, "TCPHS_EVENT=%s", event_name((enum event_type)e->type));
	put(f, "TCPHS_SEQNO=%llu", (unsigned long long)e->number);
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
