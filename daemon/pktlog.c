/*
 * pktlog.c - Packets as lines of the log
 *
 * What a capture has with its bytes, in one line: ends, flags, numbers, and what
 * became of it here. For a quick look at few; a second has room for
 * LINES_A_SECOND, and the others are counted.
 */
#include "pktlog.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include <tcphs/ipaddr.h>
#include <tcphs/plural.h>
#include <tcphs/segment.h>

#include "capture.h"
#include "log.h"
#include "privacy.h"

#define LINES_A_SECOND 1000
#define SECOND_US      1000000
#define FLAGS_MAX      9

static void take(void *sink, const struct stack_packet *p);
static int64_t turn(struct evbus_sink *s, int64_t now_us);
static void log_packet(const struct stack_packet *p);
static const char *numbers(const struct segment *s, uint32_t len, char *buf,
			   size_t size);

void pktlog_start(struct pktlog *l, struct evbus *b, struct pktbus *packets)
{
	*l = (struct pktlog){.packets.packet = take, .turn.turn = turn};
	evbus_add(b, &l->turn);
	pktbus_add(packets, &l->packets);
}

static void take(void *sink, const struct stack_packet *p)
{
	struct pktlog *l = (struct pktlog *)((char *)sink -
					     offsetof(struct pktlog, packets));

	if (!l->until_us)
		l->until_us = p->at_us + SECOND_US;
	if (l->taken++ < LINES_A_SECOND)
		log_packet(p);
	else
		l->left_out++;
}

static int64_t turn(struct evbus_sink *s, int64_t now_us)
{
	struct pktlog *l = (struct pktlog *)s;

	if (!l->until_us || now_us < l->until_us)
		return l->until_us ? l->until_us : TIME_NEVER;
	if (l->left_out)
		log_info("%" PRIu32 " more packet%s suppressed", l->left_out,
			 plural(l->left_out));
	l->taken = l->left_out = 0;
	l->until_us = 0;
	return TIME_NEVER;
}

static void log_packet(const struct stack_packet *p)
{
	bool out = p->flags & PACKET_OUT;
	char local[IPPORT_TEXT_MAX], peer[IPPORT_TEXT_MAX], words[128];
	char comment[CAPTURE_COMMENT_MAX];
	struct ip_addr other = p->ends->peer;
	const char *more = capture_comment(p, 0, comment);
	struct segment s = {.kind = SEGMENT_NONE};

	if (p->iov_len)
		segment_decode(p->iov[0].iov_base, p->iov[0].iov_len, &s);
	privacy_address(&other);
	ipport_format(&p->ends->local, p->ends->local_port, local);
	ipport_format(&other, p->ends->peer_port, peer);
	log_info("[Packet] %s -> %s %s%s%s", out ? local : peer,
		 out ? peer : local, numbers(&s, p->len, words, sizeof(words)),
		 more ? "  " : "", more ? more : "");
}

/* @len: Of the packet as it is */
static const char *numbers(const struct segment *s, uint32_t len, char *buf,
			   size_t size)
{
	static const char letters[] = "FSRPAUEC";
	char set[FLAGS_MAX];
	int n = 0;

	if (s->kind == SEGMENT_ICMP) {
		snprintf(buf, size, "ICMP %u/%u", s->icmp_type, s->icmp_code);
		return buf;
	}
	if (s->kind != SEGMENT_TCP) {
		snprintf(buf, size, "protocol %u, %" PRIu32 " bytes", s->proto,
			 len);
		return buf;
	}
	for (int i = 0; i < 8; i++)
		if (s->flags & (1 << i))
			set[n++] = letters[i];
	set[n] = '\0';
	snprintf(buf, size,
		 "%s seq=%" PRIu32 " ack=%" PRIu32 " len=%" PRIu32 " win=%u",
		 set, s->seq, s->ack, len > s->head_len ? len - s->head_len : 0,
		 s->wnd);
	return buf;
}
