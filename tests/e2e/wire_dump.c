/*
 * wire_dump.c - Write packets as wire_*_build() make them into captures
 *
 *	wire_dump FILE.pcap ERRORS.pcap >expected
 *
 * One segment for each combination of family, options, number of SACK blocks
 * and length of text. On stdout, a line for each with the values that went in,
 * in the columns of wire_tshark.sh: what a dissector that is not ours should
 * read out of the bytes. The other capture has every ICMP error, about packets
 * of several lengths, and a packet in pieces.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/wire.h"

#define LINKTYPE_RAW 101
#define TEXT_MAX     1400

struct pcap_head {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, linktype;
};

struct pcap_record {
	uint32_t sec, usec, caplen, len;
};

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static void write_or_die(const void *p, size_t len, FILE *f)
{
	if (fwrite(p, len, 1, f) != 1) {
		perror("wire_dump");
		exit(1);
	}
}

/* Blocks that fit beside the other options, as RFC 2018, 3, counts them. */
static int blocks(const struct tcp_seg *s)
{
	int max = s->opts & OPT_TS ? 3 : 4;

	if (!(s->opts & OPT_SACK))
		return 0;
	return s->nsack < max ? s->nsack : max;
}

static void print_sack(const struct tcp_seg *s, bool ends)
{
	for (int i = 0; i < blocks(s); i++)
		printf("%s%" PRIu32, i ? "," : "",
		       ends ? s->sack[i].end : s->sack[i].start);
	putchar('\t');
}

static void print_expected(const struct tcp_seg *s)
{
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
	bool v4 = ip_mapped(s->src.b);

	inet_ntop(v4 ? AF_INET : AF_INET6, s->src.b + (v4 ? 12 : 0), a,
		  sizeof(a));
	inet_ntop(v4 ? AF_INET : AF_INET6, s->dst.b + (v4 ? 12 : 0), b,
		  sizeof(b));
	printf("%s\t%s\t%u\t%u\t", a, b, s->ttl, s->tos);
	printf("%u\t%u\t%" PRIu32 "\t%" PRIu32 "\t0x%04x\t%u\t%u\t%" PRIu32
	       "\t",
	       s->sport, s->dport, s->seq, s->ack, s->flags, s->wnd, s->up,
	       s->len);
	if (s->opts & OPT_MSS)
		printf("%u", s->mss);
	printf("\t%s\t", s->opts & OPT_SACK_OK ? "0402" : "");
	if (s->opts & OPT_WSCALE)
		printf("%u", s->wscale);
	putchar('\t');
	if (s->opts & OPT_TS)
		printf("%" PRIu32 "\t%" PRIu32 "\t", s->ts_val, s->ts_ecr);
	else
		printf("\t\t");
	print_sack(s, false);
	print_sack(s, true);
	putchar('\n');
}

static void write_packet(const uint8_t *pkt, uint32_t len, uint32_t n, FILE *f)
{
	struct pcap_record rec = {
		.sec = 1,
		.usec = n,
		.caplen = len,
		.len = len,
	};

	write_or_die(&rec, sizeof(rec), f);
	write_or_die(pkt, len, f);
}

static void dump(struct tcp_seg *s, uint32_t n, FILE *f)
{
	static uint8_t pkt[WIRE_HEAD_MAX + TEXT_MAX], text[TEXT_MAX];
	uint32_t head, off;

	for (uint32_t i = 0; i < s->len; i++)
		text[i] = (uint8_t)(i * 31 + n);
	head = wire_tcp_build(pkt, s, (uint16_t)n, WIRE_CSUM_FULL,
			      csum_partial(text, s->len, 0), &off);
	memcpy(pkt + head, text, s->len);
	write_packet(pkt, head + s->len, n, f);
	print_expected(s);
}

/* The @n-th segment: as plausible as its flags allow. */
static struct tcp_seg segment(uint32_t n, bool v6, uint8_t flags, uint8_t opts,
			      uint8_t nsack, uint32_t len)
{
	struct tcp_seg s = {
		.src = {{[10] = 0xff, [11] = 0xff, 198, 18, 66, 2}},
		.dst = {{[10] = 0xff, [11] = 0xff, 198, 18, 66, 1}},
		.sport = (uint16_t)(50000 + n),
		.dport = (uint16_t)(60000 - n),
		.seq = 0xfffff000 + n * 7919,
		.ack = flags & TH_ACK ? 0x80000000 + n * 104729 : 0,
		.wnd = (uint16_t)(1 + n * 257),
		.up = flags & TH_URG ? 1 : 0,
		.flags = flags,
		.opts = opts,
		.tos = n % 4 == 3 ? 0 : (uint8_t)(n % 64 * 4 + n % 3),
		.ttl = (uint8_t)(64 + n % 190),
		.mss = (uint16_t)(536 + n),
		.wscale = n % 15,
		.nsack = nsack,
		.ts_val = 0x7fffff00 + n,
		.ts_ecr = flags & TH_ACK ? 0xffffff00 + n : 0,
		.len = len,
	};

	for (uint32_t i = 0; i < SACK_BLOCKS_MAX; i++) {
		s.sack[i].start = s.ack + 1000 + i * 3000;
		s.sack[i].end = s.sack[i].start + 1000 + i;
	}
	if (v6) {
		s.src = (struct ip_addr){{0xfd, 0x74, 0x63, 0x70, [15] = 2}};
		s.dst = (struct ip_addr){{0xfd, 0x74, 0x63, 0x70, [15] = 1}};
	}
	return s;
}

/* An error about a segment of ours, sent back. */
static void dump_error(bool v6, enum icmp_complaint what, uint32_t len,
		       uint32_t n, FILE *f)
{
	static uint8_t pkt[1280], quote[WIRE_HEAD_MAX + TEXT_MAX];
	struct tcp_seg s = segment(n, v6, TH_ACK, OPT_TS, 0, len);
	uint32_t most = v6 ? WIRE_QUOTE6_MAX : WIRE_QUOTE4_MAX, head, off;

	memset(quote, (int)n, sizeof(quote));
	head = wire_tcp_build(quote, &s, (uint16_t)n, WIRE_CSUM_FULL,
			      csum_partial(quote, len, 0), &off);
	memset(quote + head, (int)n, len);
	len += head;
	len = len < most ? len : most;
	head = wire_icmp_build(pkt, &s.dst, &s.src, 64, (uint16_t)n, what, 6,
			       quote, len);
	memcpy(pkt + head, quote, len);
	write_packet(pkt, head + len, n, f);
}

/* A segment cut in three. */
static void dump_pieces(bool v6, uint32_t n, FILE *f)
{
	static uint8_t pkt[WIRE_HEAD_MAX + TEXT_MAX], piece[TEXT_MAX];
	struct tcp_seg s = segment(n, v6, TH_ACK | TH_PSH, 0, 0, 1200);
	uint32_t head, off, body, len;

	memset(pkt, (int)n, sizeof(pkt));
	head = wire_tcp_build(pkt, &s, (uint16_t)n, WIRE_CSUM_FULL,
			      csum_partial(pkt + 200, s.len, 0), &off);
	body = head + s.len - off;
	for (uint32_t at = 0; at < body; at += 512, n++) {
		len = body - at < 512 ? body - at : 512;
		head = wire_ip_piece(piece, pkt, 77, at, len, at + len < body);
		memcpy(piece + head, pkt + off + at, len);
		write_packet(piece, head + len, n, f);
	}
}

static void dump_errors(FILE *f)
{
	static const uint32_t lens[] = {0, 1, 499, 1400};
	uint32_t n = 1;

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		for (int what = COMPLAIN_PROTOCOL; what <= COMPLAIN_FIRST;
		     what++) {
			if (!v6 && what > COMPLAIN_TIME)
				break;
			for (size_t i = 0; i < ARRAY_LEN(lens); i++)
				dump_error(v6, (enum icmp_complaint)what,
					   lens[i], n++, f);
		}
		dump_pieces(v6, n, f);
		n += 3;
	}
}

static FILE *open_capture(const char *path)
{
	static const struct pcap_head head = {
		.magic = 0xa1b2c3d4,
		.major = 2,
		.minor = 4,
		.snaplen = 65535,
		.linktype = LINKTYPE_RAW,
	};
	FILE *f = fopen(path, "wb");

	if (!f) {
		perror(path);
		exit(1);
	}
	write_or_die(&head, sizeof(head), f);
	return f;
}

static void close_capture(FILE *f, const char *path)
{
	if (fclose(f) == 0)
		return;
	perror(path);
	exit(1);
}

int main(int argc, char **argv)
{
	static const uint8_t syn[] = {TH_SYN, TH_SYN | TH_ACK,
				      TH_SYN | TH_ECE | TH_CWR},
			     data[] = {TH_ACK, TH_ACK | TH_PSH, TH_ACK | TH_FIN,
				       TH_ACK | TH_PSH | TH_URG};
	static const uint32_t lens[] = {0, 1, 2, 63, 64, 65, 1399, 1400};
	struct tcp_seg s;
	uint32_t n = 0;
	FILE *f;

	if (argc != 3) {
		fprintf(stderr, "usage: wire_dump FILE ERRORS\n");
		return 2;
	}
	f = open_capture(argv[1]);
	for (unsigned int i = 0; i < 2 * 3 * 16; i++, n++) {
		s = segment(n, i % 2, syn[i / 2 % 3], i / 6, 0, 0);
		dump(&s, n, f);
	}
	for (unsigned int i = 0; i < 2 * 4 * 2 * 5; i++) {
		uint8_t nsack = i / 16 % 5;
		uint8_t opts = i / 8 % 2 ? OPT_TS : 0;

		if (nsack)
			opts |= OPT_SACK;
		for (size_t j = 0; j < ARRAY_LEN(lens); j++, n++) {
			s = segment(n, i % 2, data[i / 2 % 4], opts, nsack,
				    lens[j]);
			if (s.len || !(s.flags & (TH_PSH | TH_URG)))
				dump(&s, n, f);
		}
	}
	for (unsigned int i = 0; i < 4; i++, n++) {
		s = segment(n, i % 2, i / 2 ? TH_RST : TH_RST | TH_ACK, 0, 0,
			    0);
		s.wnd = 0;
		dump(&s, n, f);
	}
	close_capture(f, argv[1]);
	f = open_capture(argv[2]);
	dump_errors(f);
	close_capture(f, argv[2]);
	return 0;
}
