/*
 * wire_tcp.c - TCP headers and their options
 *
 * Almost every segment of a connection carries no option or exactly NOP, NOP,
 * Timestamps; both are recognised by length and first word before the loop over
 * options is entered. A header is written as 32-bit words, options included, as
 * Linux lays them out, and summed while it is written.
 */
#include "wire.h"

#include <string.h>

#include "be.h"

#define TCP_OFF_AT  12
#define TCP_CSUM_AT 16
#define TCP_OPT_MAX 40

#define LEN_MSS	    4
#define LEN_WSCALE  3
#define LEN_SACK_OK 2
#define LEN_TS	    10
#define LEN_BLOCK   8

#define WSCALE_MAX 14

/* Four bytes that stand together, as a word. */
#define OPT_WORD(a, b, c, d)                                              \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | \
	 (uint32_t)(d))
#define WORD_NOP_NOP_TS OPT_WORD(TCPOPT_NOP, TCPOPT_NOP, TCPOPT_TS, LEN_TS)
#define WORD_SACK_OK_TS OPT_WORD(TCPOPT_SACK_OK, LEN_SACK_OK, TCPOPT_TS, LEN_TS)
#define WORD_NOP_NOP_SACK_OK \
	OPT_WORD(TCPOPT_NOP, TCPOPT_NOP, TCPOPT_SACK_OK, LEN_SACK_OK)

/* Where the next word goes, and the sum of those before. */
struct words {
	uint8_t *p;
	uint64_t sum;
};

static bool parse_options(struct tcp_seg *seg, const uint8_t *o, uint32_t len);
static bool parse_option(struct tcp_seg *seg, const uint8_t *o, uint32_t n);
static bool parse_sack(struct tcp_seg *seg, const uint8_t *o, uint32_t n);
static uint32_t other_optlen(const struct tcp_seg *seg);
static uint32_t sack_fit(const struct tcp_seg *seg, uint32_t other);
static void put_options(struct words *w, const struct tcp_seg *seg);

static inline void put_word(struct words *w, uint32_t v)
{
	be_put32(w->p, v);
	w->p += 4;
	w->sum += v;
}

enum drop_reason wire_tcp_parse(const struct ip_pkt *ip, bool csum_ok,
				struct tcp_seg *seg)
{
	const uint8_t *h = ip->body;
	uint32_t head_len, sum;

	if (ip->body_len < WIRE_TCP_LEN)
		return DROP_TCP_SHORT;
	head_len = (h[TCP_OFF_AT] >> 4) * 4u;
	if (head_len < WIRE_TCP_LEN || head_len > ip->body_len)
		return DROP_TCP_OFFSET;
	if (!csum_ok) { /* RFC 9293, 3.1 (MUST-3) */
		sum = csum_pseudo(&ip->src, &ip->dst, IP_PROTO_TCP,
				  ip->body_len);
		if (csum_fold(csum_partial(h, ip->body_len, sum)) != 0)
			return DROP_TCP_CHECKSUM;
	}

	seg->src = ip->src;
	seg->dst = ip->dst;
	seg->sport = be_get16(h);
	seg->dport = be_get16(h + 2);
	seg->seq = be_get32(h + 4);
	seg->ack = be_get32(h + 8);
	seg->flags = h[13];
	seg->wnd = be_get16(h + 14);
	seg->up = be_get16(h + 18);
	seg->opts = 0;
	seg->tos = ip->tos;
	seg->ttl = ip->ttl;
	seg->mss = 0;
	seg->wscale = 0;
	seg->nsack = 0;
	seg->ts_val = seg->ts_ecr = 0;
	seg->text = h + head_len;
	seg->len = ip->body_len - head_len;
	seg->gso_size = 0;
	if (seg->sport == 0 || seg->dport == 0)
		return DROP_TCP_PORT;
	if (!parse_options(seg, h + WIRE_TCP_LEN, head_len - WIRE_TCP_LEN))
		return DROP_TCP_OPTION; /* RFC 9293, 3.1 (MUST-7) */
	return DROP_NONE;
}

uint32_t wire_tcp_optlen(const struct tcp_seg *seg)
{
	uint32_t len = other_optlen(seg);
	uint32_t n = sack_fit(seg, len);

	return n ? len + 4 + n * LEN_BLOCK : len;
}

uint32_t wire_tcp_build(uint8_t *buf, const struct tcp_seg *seg, uint16_t ip_id,
			enum wire_csum how, uint32_t text_sum,
			uint32_t *tcp_off)
{
	uint32_t head_len = WIRE_TCP_LEN + wire_tcp_optlen(seg);
	uint32_t len = head_len + seg->len;
	uint32_t pseudo = csum_pseudo(&seg->src, &seg->dst, IP_PROTO_TCP, len);
	struct words w = {.sum = (uint64_t)pseudo + text_sum};
	uint16_t csum;

	*tcp_off = wire_ip_build(buf, &seg->src, &seg->dst, IP_PROTO_TCP,
				 seg->ttl, seg->tos, ip_id, true, len);
	w.p = buf + *tcp_off;
	put_word(&w, (uint32_t)seg->sport << 16 | seg->dport);
	put_word(&w, seg->seq);
	put_word(&w, seg->flags & TH_ACK ? seg->ack : 0);
	put_word(&w,
		 head_len / 4 << 28 | (uint32_t)seg->flags << 16 | seg->wnd);
	put_word(&w, seg->flags & TH_URG ? seg->up : 0);
	put_options(&w, seg);

	if (how == WIRE_CSUM_FULL)
		csum = csum_fold(
			csum_fold64(w.sum)); /* RFC 9293, 3.1 (MUST-2) */
	else
		csum = (uint16_t)~csum_fold(pseudo);
	be_put16(buf + *tcp_off + TCP_CSUM_AT, csum);
	return *tcp_off + head_len;
}

/*
 * The options, in any order and number, aligned or not, in any segment (RFC
 * 9293, 3.1 (MUST-5), 3.2 (MUST-64)). False if a length is illegal: beyond the
 * header, too short to count itself, or not the one a known kind has.
 */
static bool parse_options(struct tcp_seg *seg, const uint8_t *o, uint32_t len)
{
	uint32_t n;

	if (len == 12 && be_get32(o) == WORD_NOP_NOP_TS) {
		seg->opts = OPT_TS;
		seg->ts_val = be_get32(o + 4);
		seg->ts_ecr = be_get32(o + 8);
		return true;
	}
	for (; len && *o != TCPOPT_EOL; o += n, len -= n) {
		n = 1;
		if (*o == TCPOPT_NOP)
			continue;
		if (len < 2 || o[1] < 2 || o[1] > len)
			return false;
		n = o[1]; /* RFC 9293, 3.1 (MUST-68) */
		if (!parse_option(seg, o, n))
			return false;
	}
	return true;
}

/* One option of @n bytes; false if the kind is known and has another length.
 * End of Option List and NOP are the caller's: RFC 9293, 3.1 (MUST-4). */
static bool parse_option(struct tcp_seg *seg, const uint8_t *o, uint32_t n)
{
	bool syn = (seg->flags & TH_SYN) != 0;

	switch (o[0]) {
	case TCPOPT_MSS:
		if (n != LEN_MSS)
			return false;
		if (syn) {
			seg->opts |= OPT_MSS;
			seg->mss = be_get16(o + 2);
		}
		return true;
	case TCPOPT_WSCALE:
		if (n != LEN_WSCALE)
			return false;
		if (syn) {
			seg->opts |= OPT_WSCALE;
			/* RFC 7323, 2.3 */
			seg->wscale = o[2] < WSCALE_MAX ? o[2] : WSCALE_MAX;
		}
		return true;
	case TCPOPT_SACK_OK:
		if (n != LEN_SACK_OK)
			return false;
		if (syn)
			seg->opts |= OPT_SACK_OK;
		return true;
	case TCPOPT_TS:
		if (n != LEN_TS)
			return false;
		seg->opts |= OPT_TS;
		seg->ts_val = be_get32(o + 2);
		seg->ts_ecr = be_get32(o + 6);
		return true;
	case TCPOPT_SACK:
		return parse_sack(seg, o, n);
	default: /* RFC 9293, 3.1 (MUST-6) */
		seg->opts |= OPT_UNKNOWN;
		return true;
	}
}

/* RFC 2018, 3. Forty bytes of options hold no more than four blocks. */
static bool parse_sack(struct tcp_seg *seg, const uint8_t *o, uint32_t n)
{
	if (n < 2 + LEN_BLOCK || (n - 2) % LEN_BLOCK != 0)
		return false;
	seg->opts |= OPT_SACK;
	seg->nsack = (uint8_t)((n - 2) / LEN_BLOCK);
	o += 2;
	for (int i = 0; i < seg->nsack; i++, o += LEN_BLOCK) {
		seg->sack[i].start = be_get32(o);
		seg->sack[i].end = be_get32(o + 4);
	}
	return true;
}

/* Bytes of all options but SACK. */
static uint32_t other_optlen(const struct tcp_seg *seg)
{
	uint32_t len = 0;

	if (seg->opts & OPT_MSS)
		len += 4;
	if (seg->opts & OPT_TS)
		len += 12; /* with SACK-permitted in place of the NOPs */
	else if (seg->opts & OPT_SACK_OK)
		len += 4;
	if (seg->opts & OPT_WSCALE)
		len += 4;
	return len;
}

/* How many SACK blocks fit behind the other options. */
static uint32_t sack_fit(const struct tcp_seg *seg, uint32_t other)
{
	uint32_t fit = (TCP_OPT_MAX - 4 - other) / LEN_BLOCK;

	if (!(seg->opts & OPT_SACK))
		return 0;
	return seg->nsack < fit ? seg->nsack : fit;
}

/* Padded with NOPs in front, never with End of Option List, so nothing lies
 * behind one (RFC 9293, 3.1 (MUST-69)). */
static void put_options(struct words *w, const struct tcp_seg *seg)
{
	uint32_t n;

	if (seg->opts & OPT_MSS)
		put_word(w, OPT_WORD(TCPOPT_MSS, LEN_MSS, seg->mss >> 8,
				     seg->mss & 0xff));
	if (seg->opts & OPT_TS) {
		put_word(w, seg->opts & OPT_SACK_OK ? WORD_SACK_OK_TS
						    : WORD_NOP_NOP_TS);
		put_word(w, seg->ts_val);
		put_word(w, seg->ts_ecr);
	} else if (seg->opts & OPT_SACK_OK) {
		put_word(w, WORD_NOP_NOP_SACK_OK);
	}
	if (seg->opts & OPT_WSCALE)
		put_word(w, OPT_WORD(TCPOPT_NOP, TCPOPT_WSCALE, LEN_WSCALE,
				     seg->wscale));
	n = sack_fit(seg, other_optlen(seg));
	if (!n)
		return;
	put_word(w, OPT_WORD(TCPOPT_NOP, TCPOPT_NOP, TCPOPT_SACK,
			     2 + n * LEN_BLOCK));
	for (uint32_t i = 0; i < n; i++) {
		put_word(w, seg->sack[i].start);
		put_word(w, seg->sack[i].end);
	}
}
