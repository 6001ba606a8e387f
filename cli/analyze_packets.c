/*
 * analyze_packets.c - Every TCP packet, a row or a block of lines each
 *
 * Numbers are relative to the first of their side, as in Wireshark; the bare
 * ones are columns of their own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tcphs/ipaddr.h>

#include "analyze.h"

#define NS_PER_S     1000000000
#define ABSOLUTE_SEQ "number,since,conn,src,dst,flags,seq_raw,ack_raw,len,win"

/* What the cells of a row are made of. */
struct packet_row {
	const struct packet *p;
	const struct packet_place *at;
	int64_t since_ns;
};

#define PACKET_COLUMNS(C)                                          \
	C(NUMBER, "NUMBER", "number", COLUMN_COUNT, true)          \
	C(SINCE, "SINCE", "since", COLUMN_TEXT, true)              \
	C(TIME, "TIME", "time", COLUMN_TEXT, false)                \
	C(CONN, "CONN", "conn", COLUMN_COUNT, true)                \
	C(SRC, "SRC", "src", COLUMN_END, true)                     \
	C(DST, "DST", "dst", COLUMN_END, true)                     \
	C(FLAGS, "FLAGS", "flags", COLUMN_TEXT, true)              \
	C(FLAGS_HEX, "FLAGS_HEX", "flags_hex", COLUMN_TEXT, false) \
	C(SEQ, "SEQ", "seq", COLUMN_COUNT, true)                   \
	C(ACK, "ACK", "ack", COLUMN_COUNT, true)                   \
	C(SEQ_RAW, "SEQ_RAW", "seq_raw", COLUMN_COUNT, false)      \
	C(ACK_RAW, "ACK_RAW", "ack_raw", COLUMN_COUNT, false)      \
	C(LEN, "LEN", "len", COLUMN_COUNT, true)                   \
	C(WIN, "WIN", "win", COLUMN_COUNT, true)                   \
	C(TTL, "TTL", "ttl", COLUMN_COUNT, false)                  \
	C(OPTIONS, "OPTIONS", "options", COLUMN_TEXT, true)

enum packet_column {
#define COLUMN_ENUM(id, heading, field, kind, shown) PACKET_##id,
	PACKET_COLUMNS(COLUMN_ENUM)
#undef COLUMN_ENUM
};

static const struct column columns[] = {
#define COLUMN(id, heading, field, kind, shown) \
	{heading, field, kind, shown, 0},
	PACKET_COLUMNS(COLUMN)
#undef COLUMN
		{NULL, NULL, COLUMN_TEXT, false, 0},
};

static enum cli_exit begin(struct analyze *z);
static void packet(struct analyze *z, const struct frame *f,
		   const struct packet *p, const struct packet_place *at);
static bool matches(const struct analyze *z, const struct packet *p,
		    const struct packet_place *at);
static void block(const struct analyze *z, const struct packet_row *r);
static void value_of(const void *of, const struct column *c, struct value *v);
static enum cli_exit end(struct analyze *z);

const struct view packets_view = {
	.begin = begin,
	.packet = packet,
	.end = end,
};

static enum cli_exit begin(struct analyze *z)
{
	struct cli *cli = z->cli;

	if (z->filter && !filter_fits_packets(z->filter)) {
		complain("packets have src, dst, sport, dport, host, port and "
			 "id");
		return CLI_USAGE;
	}
	if (cli->absolute_seq && !cli->columns)
		cli->columns = ABSOLUTE_SEQ;
	return table_begin(&z->table, cli, columns);
}

static void packet(struct analyze *z, const struct frame *f,
		   const struct packet *p, const struct packet_place *at)
{
	struct packet_row row = {.p = p, .at = at};

	(void)f;
	if (p->kind != PACKET_TCP)
		return;
	if (!z->packets++)
		z->first_ns = p->ns;
	row.since_ns = p->ns - z->first_ns;
	if (z->filter && !matches(z, p, at))
		return;
	z->matched++;
	if (z->cli->format == FORMAT_NONE)
		return;
	if (z->cli->format == FORMAT_TEXT && z->cli->classic)
		block(z, &row);
	else
		table_values(&z->table, value_of, &row);
}

/* A packet has what the filter asks for where its connection has it. */
static bool matches(const struct analyze *z, const struct packet *p,
		    const struct packet_place *at)
{
	struct verdict v = {.id = at->conn};

	v.side[at->side].addr = p->src;
	v.side[at->side].port = p->sport;
	v.side[!at->side].addr = p->dst;
	v.side[!at->side].port = p->dport;
	return filter_match_verdict(z->filter, &v);
}

static uint32_t relative_ack(const struct packet_row *r)
{
	return r->p->flags & TH_ACK ? r->p->ack - r->at->base[!r->at->side] : 0;
}

/* Of the capture's own resolution, whatever it is: nanoseconds are exact. */
static void time_text(const struct cli *cli, int64_t ns, char *buf, size_t size)
{
	time_t s = (time_t)(ns / NS_PER_S);
	struct tm tm;
	size_t n;

	if (cli->local)
		localtime_r(&s, &tm);
	else
		gmtime_r(&s, &tm);
	n = strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm);
	n += (size_t)snprintf(buf + n, size - n, ".%09d", (int)(ns % NS_PER_S));
	if (!cli->local)
		snprintf(buf + n, size - n, " UTC");
}

static void block(const struct analyze *z, const struct packet_row *r)
{
	char src[IPADDR_TEXT_MAX], dst[IPADDR_TEXT_MAX];
	char flags[FLAGS_NAME_MAX], when[64];
	const struct packet *p = r->p;

	time_text(z->cli, p->ns, when, sizeof(when));
	fprintf(z->cli->out,
		"Packet: %" PRIu64 "\n"
		"Timestamp: %s\n"
		"Source IP: %s, Destination IP: %s\n"
		"Source Port: %u, Destination Port: %u\n"
		"Sequence Number: %" PRIu32 ", Acknowledgment Number: %" PRIu32
		"\n"
		"Relative: %" PRIu32 ", %" PRIu32 "\n"
		"Flags (Hex): 0x%04x (%s)\n"
		"-----\n",
		p->number, when, ipaddr_format(&p->src, src),
		ipaddr_format(&p->dst, dst), p->sport, p->dport, p->seq, p->ack,
		p->seq - r->at->base[r->at->side], relative_ack(r), p->flags,
		packet_flags_name(p->flags, flags));
}

static void put_options(const struct packet *p, struct value *v)
{
	static const struct {
		uint8_t opt;
		const char *name;
	} names[] = {
		{POPT_SACK_OK, "sackok"}, {POPT_SACK, "sack"},
		{POPT_TS, "ts"},	  {POPT_TFO, "tfo"},
		{POPT_MPTCP, "mptcp"},	  {POPT_OTHER, "other"},
	};
	size_t size = sizeof(v->text), n = 0;

	if (p->opts & POPT_MSS)
		n += (size_t)snprintf(v->text, size, "mss=%u", p->mss);
	if (p->opts & POPT_WSCALE)
		n += (size_t)snprintf(v->text + n, size - n, "%sws=%u",
				      n ? " " : "", p->wscale);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (p->opts & names[i].opt)
			n += (size_t)snprintf(v->text + n, size - n, "%s%s",
					      n ? " " : "", names[i].name);
	v->type = n ? VALUE_TEXT : VALUE_NONE;
}

static void put_end(struct value *v, const struct ip_addr *addr, uint16_t port)
{
	v->type = VALUE_END;
	v->addr = *addr;
	v->number = port;
}

static void value_of(const void *of, const struct column *c, struct value *v)
{
	const struct packet_row *r = of;
	const struct packet *p = r->p;
	const struct cli utc = {0};
	bool ack = p->flags & TH_ACK;

	v->type = VALUE_NUMBER;
	switch ((enum packet_column)(c - columns)) {
	case PACKET_NUMBER:
		v->number = (int64_t)p->number;
		break;
	case PACKET_SINCE:
		v->type = VALUE_TEXT;
		snprintf(v->text, sizeof(v->text), "%s%lld.%09lld",
			 r->since_ns < 0 ? "-" : "",
			 llabs(r->since_ns) / NS_PER_S,
			 llabs(r->since_ns) % NS_PER_S);
		break;
	case PACKET_TIME:
		v->type = VALUE_TEXT;
		time_text(&utc, p->ns, v->text, sizeof(v->text));
		break;
	case PACKET_CONN:
		v->number = (int64_t)r->at->conn;
		break;
	case PACKET_SRC:
		put_end(v, &p->src, p->sport);
		break;
	case PACKET_DST:
		put_end(v, &p->dst, p->dport);
		break;
	case PACKET_FLAGS:
		v->type = VALUE_TEXT;
		packet_flags_name(p->flags, v->text);
		break;
	case PACKET_FLAGS_HEX:
		v->type = VALUE_TEXT;
		snprintf(v->text, sizeof(v->text), "0x%04x", p->flags);
		break;
	case PACKET_SEQ:
		v->number = p->seq - r->at->base[r->at->side];
		break;
	case PACKET_ACK:
		v->type = ack ? VALUE_NUMBER : VALUE_NONE;
		v->number = relative_ack(r);
		break;
	case PACKET_SEQ_RAW:
		v->number = p->seq;
		break;
	case PACKET_ACK_RAW:
		v->type = ack ? VALUE_NUMBER : VALUE_NONE;
		v->number = p->ack;
		break;
	case PACKET_LEN:
		v->number = p->len;
		break;
	case PACKET_WIN:
		v->number = p->wnd;
		break;
	case PACKET_TTL:
		v->number = p->ttl;
		break;
	case PACKET_OPTIONS:
		put_options(p, v);
		break;
	}
}

static enum cli_exit end(struct analyze *z)
{
	if (!z->cli->classic || z->cli->format != FORMAT_TEXT)
		table_end(&z->table, true);
	return CLI_OK;
}
