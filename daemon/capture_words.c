/*
 * capture_words.c - What a capture file says about a packet
 *
 * Only what the bytes do not tell: whose it is and what became of it here. A
 * packet that did what it was expected to do has the name of its connection, by
 * which Wireshark finds all of one, and no more, so the others stand out.
 */
#include "capture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <tcphs/plural.h>

#define TCP_FLAGS_AT 13 /* RFC 9293, 3.1 */

struct words {
	char *buf;
	size_t len;
	bool begun; /* something but the name is in it */
};

static void add(struct words *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct words *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->len)
		w->len += (size_t)snprintf(w->buf + w->len,
					   CAPTURE_COMMENT_MAX - w->len, "%s",
					   w->begun ? "; " : " ");
	va_start(ap, fmt);
	n = vsnprintf(w->buf + w->len, CAPTURE_COMMENT_MAX - w->len, fmt, ap);
	va_end(ap);
	w->len += (size_t)n; /* all of it together is shorter than buf */
	w->begun = true;
}

/*
 * What brought the connection into the state it is in: a packet that came, or
 * our first SYN or FIN, which the RFC counts as the moment (RFC 9293, 3.10.1,
 * 3.10.4) though the service asked for it earlier.
 */
static enum tcp_state came_from(const struct stack_packet *p)
{
	const uint8_t *head;
	uint8_t flags;

	if (p->state_before != p->state_after || !(p->flags & PACKET_OUT) ||
	    p->flags & PACKET_RETRANSMIT || !p->csum_start || !p->iov_len)
		return (enum tcp_state)p->state_before;
	head = p->iov[0].iov_base;
	flags = head[p->csum_start + TCP_FLAGS_AT];
	if (flags & TH_SYN && p->state_after == TCP_SYN_SENT)
		return TCP_CLOSED;
	if (flags & TH_FIN && p->state_after == TCP_FIN_WAIT_1)
		return TCP_ESTABLISHED;
	if (flags & TH_FIN && p->state_after == TCP_LAST_ACK)
		return TCP_CLOSE_WAIT;
	return (enum tcp_state)p->state_before;
}

/* An id without a connection is that of a SYN (or of the answer to it). */
static bool refused(const struct stack_packet *p)
{
	return p->conn && !(p->flags & PACKET_OUT) && !p->drop &&
	       p->state_before == TCP_CLOSED && p->state_after == TCP_CLOSED;
}

const char *capture_comment(const struct stack_packet *p, uint64_t lost,
			    char buf[CAPTURE_COMMENT_MAX])
{
	static const struct {
		uint8_t flag;
		const char *words;
	} flags[] = {
		{PACKET_RETRANSMIT, "retransmission"},
		{PACKET_PROBE, "probe"},
		{PACKET_KEEPALIVE, "keep-alive probe"},
		{PACKET_CHALLENGE, "challenge ACK"},
		{PACKET_COOKIE, "SYN cookie"},
	};
	enum tcp_state before = came_from(p);
	struct words w = {.buf = buf};

	if (p->conn)
		w.len = (size_t)snprintf(buf, CAPTURE_COMMENT_MAX, "c%" PRIu32,
					 p->conn);
	if (before != p->state_after)
		add(&w, "%s -> %s", tcp_state_name(before),
		    tcp_state_name((enum tcp_state)p->state_after));
	if (refused(p))
		add(&w, "nobody listens");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (p->flags & flags[i].flag)
			add(&w, "%s", flags[i].words);
	}
	if (p->drop)
		add(&w, "dropped: %s (%s)",
		    drop_words((enum drop_reason)p->drop),
		    drop_clause((enum drop_reason)p->drop));
	if (lost)
		add(&w, "%" PRIu64 " packet%s before it %s not in this file",
		    lost, plural(lost), lost == 1 ? "is" : "are");
	if (!w.len)
		add(&w, "no connection");
	return buf;
}
