/*
 * wire.h - Bytes of IP, TCP and ICMP to structs and back
 */
#ifndef TCPHS_WIRE_H
#define TCPHS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <tcphs/event.h>

#include "seq.h"

#define IP_PROTO_ICMP	1
#define IP_PROTO_TCP	6
#define IP_PROTO_UDP	17
#define IP_PROTO_ICMPV6 58

#define IP4_MF	     0x2000 /* of the third word: more fragments */
#define IP4_OFF_MASK 0x1fff

/* IPv6: what may stand before the last header (RFC 8200, 4; RFC 4302). */
#define IP6_HOPOPTS  0
#define IP6_ROUTING  43
#define IP6_FRAGMENT 44
#define IP6_AUTH     51
#define IP6_NONE     59
#define IP6_DSTOPTS  60
#define IP6_NEXT_AT  6 /* offset of Next Header in the fixed header */
#define IP6_OFF_MASK 0xfff8
#define IP6_MF	     0x0001
#define IP6_EXT_UNIT 8 /* bytes; extension headers are multiples of it */

/* Kinds of TCP options (RFC 9293, 3.2; RFC 7323; RFC 2018). */
#define TCPOPT_EOL     0
#define TCPOPT_NOP     1
#define TCPOPT_MSS     2
#define TCPOPT_WSCALE  3
#define TCPOPT_SACK_OK 4
#define TCPOPT_SACK    5
#define TCPOPT_TS      8

#define WIRE_IP4_LEN  20
#define WIRE_IP6_LEN  40
#define WIRE_TCP_LEN  20
#define WIRE_HEAD_MAX (WIRE_IP6_LEN + WIRE_TCP_LEN + 40)

#define SACK_BLOCKS_MAX 4

/* RFC 3168, 5: the low bits of tos. */
#define IP_ECN_MASK 3
#define IP_ECN_ECT0 2 /* ECN-capable transport */
#define IP_ECN_CE   3 /* congestion experienced */

/* What can be told to the source of a packet: RFC 792; RFC 4443, 3. */
enum icmp_complaint {
	COMPLAIN_NOT,
	COMPLAIN_PROTOCOL, /* a protocol or next header we do not speak */
	COMPLAIN_PORT,	   /* nothing at this port */
	COMPLAIN_TIME,	   /* fragments are missing */
	/* IPv6 alone. */
	COMPLAIN_FIELD,	 /* a header field with an impossible value */
	COMPLAIN_OPTION, /* an option that must not be passed over */
	COMPLAIN_FIRST,	 /* a first fragment without all its headers */
};

/* A parsed IP header: views into the packet. */
struct ip_pkt {
	struct ip_addr src, dst;
	uint8_t proto; /* after IPv6 extension headers */
	uint8_t ttl;
	uint8_t tos; /* traffic class with ECN bits */
	bool v6;
	bool fragment;	     /* any fragment of a larger packet */
	uint16_t frag_off;   /* bytes; if fragment */
	bool frag_more;	     /* if fragment */
	uint32_t frag_id;    /* if fragment */
	uint32_t head_len;   /* with options or extension headers */
	uint8_t complaint;   /* enum icmp_complaint: about DROP_IP_EXTENSION, or
			      * about proto if nobody speaks it */
	uint32_t unknown_at; /* IPv6: offset of what the complaint points at; 0
			      * if there is none */
	const uint8_t *head; /* the IP header */
	const uint8_t *body; /* after it */
	uint32_t body_len;   /* by the IP length, not by what arrived */
};

enum tcp_opt {
	OPT_MSS = 1 << 0,
	OPT_WSCALE = 1 << 1,
	OPT_SACK_OK = 1 << 2,
	OPT_TS = 1 << 3,
	OPT_SACK = 1 << 4,
	OPT_UNKNOWN = 1 << 5, /* at least one that was skipped */
};

struct sack_block {
	tcp_seq start, end;
};

/* A parsed TCP segment. Also what is given to wire_tcp_build(). */
struct tcp_seg {
	struct ip_addr src, dst;
	uint16_t sport, dport; /* host order */
	tcp_seq seq, ack;
	uint16_t wnd; /* as on the wire */
	uint16_t up;  /* urgent pointer; means something with TH_URG */
	uint8_t flags;
	uint8_t opts; /* enum tcp_opt: which of the following are there */
	uint8_t tos;
	uint8_t ttl;
	uint16_t mss;
	uint8_t wscale;
	uint8_t nsack;
	uint32_t ts_val, ts_ecr;
	struct sack_block sack[SACK_BLOCKS_MAX];
	const uint8_t *text;
	uint32_t len;	   /* of text, without SYN and FIN */
	uint16_t gso_size; /* text bytes of each segment, 0 if just one */
};

/* Segment length as the RFC counts it: SYN and FIN take a number each. */
static inline uint32_t seg_len(const struct tcp_seg *s)
{
	return s->len + !!(s->flags & TH_SYN) + !!(s->flags & TH_FIN);
}

/** ip_mapped() - Are these 16 bytes an IPv4-mapped address? */
static inline bool ip_mapped(const uint8_t *b)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(b, prefix, sizeof(prefix)) == 0;
}

/** ip_map4() - Write the four bytes of an IPv4 address as an ip_addr */
static inline void ip_map4(struct ip_addr *a, const uint8_t *b)
{
	static const uint8_t prefix[4] = {[2] = 0xff, [3] = 0xff};
	uint32_t __attribute__((vector_size(16))) mapped = {0};
	uint32_t word;

	/* In one store: who reads it at once, in larger pieces than it was
	 * written in, would wait until all of them are in the cache. */
	memcpy(&word, prefix, sizeof(word));
	mapped[2] = word;
	memcpy(&word, b, sizeof(word));
	mapped[3] = word;
	memcpy(a->b, &mapped, sizeof(mapped));
}

/**
 * csum_partial() - Ones' complement sum of bytes (RFC 1071), not folded
 * @data: At any address
 * @len:  If odd, a zero is thought behind the last byte (RFC 1071, 4.1)
 * @sum:  Of what came before, which had an even length; the value of a header
 *        field may be added to it
 */
uint32_t csum_partial(const void *data, size_t len, uint32_t sum);

/**
 * csum_fold() - Fold and complement
 *
 * Return: the checksum in host order; 0 if the sum was taken over bytes that
 *         contain their own, right one
 */
uint16_t csum_fold(uint32_t sum);

/** csum_fold64() - A 64-bit sum of sums as one of 32 bits */
static inline uint32_t csum_fold64(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return (uint32_t)(sum + (sum >> 32));
}

/**
 * csum_pseudo() - Sum of the pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1)
 * @src, @dst: Both IPv4 or both IPv6
 * @len:       Bytes of the body
 */
uint32_t csum_pseudo(const struct ip_addr *src, const struct ip_addr *dst,
		     uint8_t proto, uint32_t len);

/**
 * wire_ip_parse() - Check and take apart an IP header
 * @pkt: From the version on
 * @len: Bytes that arrived; more than the IP length is padding
 *
 * IPv6 extension headers are skipped (RFC 8200, 4: at most 8 of them); an
 * unfragmentable one that is malformed drops the packet. IPv4 options are
 * skipped (RFC 9293, 3.9.2 (MUST-50)). A fragment is returned as such, with
 * body behind the fragment header and proto naming what begins the body, which
 * may be another extension header; an "atomic" IPv6 fragment (offset 0, no
 * more) is no fragment (RFC 6946).
 *
 * Sources nobody can have (unspecified, loopback, multicast, broadcast, mapped
 * inside IPv6) and group destinations are dropped; a subnet's broadcast address
 * is the stack's business. Filled for DROP_IP_EXTENSION too.
 *
 * Return: DROP_NONE, or why the packet is no good. DROP_IP_PROTOCOL is not
 *         decided here.
 */
enum drop_reason wire_ip_parse(const void *pkt, size_t len, struct ip_pkt *ip);

/**
 * wire_tcp_parse() - Check and take apart a TCP segment
 * @csum_ok: Somebody vouches for the checksum; do not compute it
 *
 * Options are read in any segment (MUST-5), aligned or not (MUST-64), unknown
 * ones skipped by their length (MUST-6). MSS, window scale and SACK-permitted
 * count only with SYN; a window scale above 14 is taken for 14 (RFC 7323, 2.3).
 * A known option of another length than its own is as illegal as one that is
 * longer than the header. All of @seg is set but the blocks of sack beyond
 * nsack; gso_size is 0.
 *
 * Return: DROP_NONE, TCP_SHORT, TCP_OFFSET, TCP_CHECKSUM, TCP_OPTION, TCP_PORT
 */
enum drop_reason wire_tcp_parse(const struct ip_pkt *ip, bool csum_ok,
				struct tcp_seg *seg);

/*
 * How wire_tcp_build() leaves the TCP checksum: of header and text (text_sum),
 * or only the pseudo-header's sum in the field, for a device that completes it.
 */
enum wire_csum { WIRE_CSUM_FULL, WIRE_CSUM_PARTIAL };

/**
 * wire_tcp_build() - Write IP and TCP header of a segment
 * @buf: WIRE_HEAD_MAX bytes
 * @seg: All fields but text; len is the length of the text to follow. The
 *       acknowledgment number goes out with ACK, the urgent pointer with URG
 *       only. Options in the order MSS, SACK-permitted or NOPs, TS, WS, SACK,
 *       padded with NOP so that they look like what Linux sends; as many SACK
 *       blocks as fit into 40 bytes.
 * @ip_id: IPv4 identification; DF is set (RFC 1191)
 * @text_sum: csum_partial() of the text, for WIRE_CSUM_FULL; 0 if there is
 *            none. Text at an odd offset is the caller's business.
 * @tcp_off: Set to where the TCP header starts
 *
 * Return: bytes written
 */
uint32_t wire_tcp_build(uint8_t *buf, const struct tcp_seg *seg, uint16_t ip_id,
			enum wire_csum how, uint32_t text_sum,
			uint32_t *tcp_off);

/** wire_tcp_optlen() - Bytes of options wire_tcp_build() would write */
uint32_t wire_tcp_optlen(const struct tcp_seg *seg);

/**
 * wire_ip_build() - Write an IPv4 or IPv6 header without options
 * @buf:      WIRE_IP6_LEN bytes
 * @src, @dst: Both IPv4 or both IPv6
 * @ip_id:    IPv4 identification
 * @df:       IPv4: do not fragment
 * @len:      Of the body
 *
 * Return: bytes written
 */
uint32_t wire_ip_build(uint8_t *buf, const struct ip_addr *src,
		       const struct ip_addr *dst, uint8_t proto, uint8_t ttl,
		       uint8_t tos, uint16_t ip_id, bool df, uint32_t len);

/** wire_ip_label() - Give a packet of wire_ip_build() an IPv6 flow label
 * @label: 20 bits; 0 = none, and for IPv4 */
static inline void wire_ip_label(uint8_t *head, uint32_t label)
{
	head[1] |= (uint8_t)(label >> 16);
	head[2] |= (uint8_t)(label >> 8);
	head[3] |= (uint8_t)label;
}

/**
 * wire_ip_piece() - Write the header of a fragment (RFC 791, 3.2; RFC 8200, 4.5)
 * @buf:  WIRE_PIECE_HEAD_MAX bytes
 * @head: What wire_ip_build() wrote for the packet that is cut
 * @id:   IPv6 identification; IPv4 has it in @head
 * @off:  Of this piece in the body, a multiple of 8
 * @len:  Bytes of the body in it, a multiple of 8 but in the last one
 * @more: It is not the last
 *
 * Return: bytes written: WIRE_IP4_LEN, or WIRE_IP6_LEN and WIRE_FRAG6_LEN
 */
#define WIRE_FRAG6_LEN	    8
#define WIRE_PIECE_HEAD_MAX (WIRE_IP6_LEN + WIRE_FRAG6_LEN)
uint32_t wire_ip_piece(uint8_t *buf, const uint8_t *head, uint32_t id,
		       uint32_t off, uint32_t len, bool more);

#define WIRE_ICMP_LEN 8 /* of the ICMP messages we know */

enum icmp_kind {
	ICMP_NONE,
	ICMP_ECHO,	  /* request */
	ICMP_UNREACHABLE, /* code as in ICMPv4; v6 codes are translated */
	ICMP_TIME_EXCEEDED,
	ICMP_PARAM_PROBLEM,
	ICMP_TOO_BIG, /* v4: unreachable code 4; mtu is set */
	ICMP_QUENCH,
	ICMP_OTHER,
};

struct icmp_msg {
	enum icmp_kind kind;
	uint8_t code; /* ICMPv4's numbers: 0 net, 1 host, 2 protocol, 3 port,
			* 13 admin prohibited */
	uint32_t mtu; /* ICMP_TOO_BIG; 0 if it does not say */
	/* Errors: what they quote. */
	bool quoted; /* a TCP segment of at least 8 bytes was quoted */
	struct ip_addr q_src, q_dst;
	uint16_t q_sport, q_dport;
	tcp_seq q_seq;
};

/**
 * wire_icmp_parse() - Check an ICMP or ICMPv6 message
 * @ip: Of the ICMP of its own family, no fragment
 * @m:  All set; code and mtu are 0 where they mean nothing
 *
 * Return: DROP_NONE, DROP_ICMP_SHORT or DROP_ICMP_CHECKSUM
 */
enum drop_reason wire_icmp_parse(const struct ip_pkt *ip, struct icmp_msg *m);

/* A quote is as long as the error fits into what every path carries: RFC 1812,
 * 4.3.2.3 (576 bytes); RFC 4443, 2.4 (c) (1280). */
#define WIRE_QUOTE4_MAX (576 - WIRE_IP4_LEN - WIRE_ICMP_LEN)
#define WIRE_QUOTE6_MAX (1280 - WIRE_IP6_LEN - WIRE_ICMP_LEN)

/**
 * wire_icmp_build() - Write an error: IP header, ICMP header
 * @buf:   WIRE_HEAD_MAX bytes
 * @src:   Ours; @dst: whoever sent @quote. Both IPv4 or both IPv6
 * @what:  IPv4 knows only COMPLAIN_PROTOCOL, _PORT and _TIME
 * @at:    Where a parameter problem points in @quote
 * @quote: The packet that is complained of, from the version on
 * @len:   Of @quote, at most WIRE_QUOTE4_MAX or WIRE_QUOTE6_MAX; it is to follow
 *
 * Return: bytes written
 */
uint32_t wire_icmp_build(uint8_t *buf, const struct ip_addr *src,
			 const struct ip_addr *dst, uint8_t ttl, uint16_t ip_id,
			 enum icmp_complaint what, uint32_t at,
			 const uint8_t *quote, uint32_t len);

/**
 * wire_icmp_is_error() - Does a packet carry an ICMP error, or a redirect?
 * @pkt: From the version on, perhaps cut off, perhaps a fragment or malformed
 *
 * Return: false if that cannot be told any more
 */
bool wire_icmp_is_error(const uint8_t *pkt, uint32_t len);

#endif
