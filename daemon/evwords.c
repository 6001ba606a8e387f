/*
 * evwords.c - An event as a sentence for people
 *
 * The same words in the journal, on the terminal, in files and streams, and in
 * tests: they are a contract. Events of the shell bring their own.
 */
#include "evwords.h"

#include <stdio.h>
#include <string.h>

#include <tcphs/ipaddr.h>
#include <tcphs/plural.h>

static int words(const struct event *e, const struct stack_conf *conf,
		 char *buf, size_t len);
static int words_failed(const struct event *e, char *buf, size_t len);
static int words_icmp(const struct event *e, char *buf, size_t len);
static int words_cookie(const struct stack_conf *conf, char *buf, size_t len);
static int words_retransmit(const struct event *e, char *buf, size_t len);
static int words_nobody(const struct event *e, char *buf, size_t len);
static const char *segment_kind(const struct event *e);

int evwords(const struct event *e, const struct evbus_note *note,
	    const struct stack_conf *conf, char *buf, size_t len)
{
	int head = 0, tail;

	if (note)
		return snprintf(buf, len, "%s", note->text);
	if (e->type < EVENT_NCORE)
		head = snprintf(buf, len, "[%s] ",
				e->role == ROLE_CLIENT ? "Client" : "Server");
	if ((size_t)head >= len)
		return 0;
	tail = words(e, conf, buf + head, len - (size_t)head);
	return tail ? head + tail : 0;
}

bool evwords_has_ends(const struct event *e)
{
	static const struct ip_addr none;

	return memcmp(&e->peer, &none, sizeof(none)) != 0;
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
		return snprintf(buf, len, "Received %lld byte%s, sending ACK",
				(long long)e->a, plural(e->a));
	case EVENT_URGENT:
		return snprintf(buf, len,
				"Received urgent mark, %lld byte%s ahead",
				(long long)e->a, plural(e->a));
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
				"No acknowledgement after %lld %s, going on",
				(long long)e->a, e->a == 1 ? "try" : "tries");
	case EVENT_PMTU:
		return snprintf(buf, len, "Path MTU is %lld now, was %lld",
				(long long)e->a, (long long)e->b);
	case EVENT_TEXT_CONFLICT:
		return snprintf(buf, len,
				"Received other bytes than before under the "
				"same numbers, from byte %lld on",
				(long long)e->a);
	case EVENT_TTL_ODD:
		return snprintf(buf, len,
				"Received %lld packet%s with TTL %u, usually "
				"%u",
				(long long)e->a, plural(e->a),
				(unsigned int)e->b >> 8,
				(unsigned int)e->b & 0xff);
	case EVENT_LIMIT:
		return snprintf(buf, len, "Limit reached: %s (%s)",
				limit_words((enum stack_limit)e->a),
				limit_name((enum stack_limit)e->a));
	case EVENT_LOST:
		return snprintf(buf, len,
				"%lld event%s came faster than %s could be "
				"taken",
				(long long)e->a, plural(e->a),
				e->a == 1 ? "it" : "they");
	default: /* the shell's bring their own */
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
	if (e->b & HANDSHAKE_ODD &&
	    (e->a == CLOSE_TIMEOUT_SYN || e->a == CLOSE_TIMEOUT_USER))
		return snprintf(buf, len,
				"Handshake failed: answered against the "
				"protocol, and no answer to our SYN");
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
		snprintf(what, sizeof(what), "%lld byte%s", (long long)e->a,
			 plural(e->a));
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
