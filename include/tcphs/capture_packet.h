/*
 * capture_packet.h - A captured frame, and what is in it for who judges TCP
 *
 * A frame comes from a file, an interface or the daemon's own TUN. The decoder
 * takes it apart down to a TCP segment, or to an ICMP error that speaks of one.
 * Unlike the endpoint's own parser (daemon/core/wire.h) it drops nothing that
 * can still be told about: a cut, damaged or impossible packet is described,
 * with a note of what is wrong with it.
 */
#ifndef TCPHS_CAPTURE_PACKET_H
#define TCPHS_CAPTURE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/event.h>

/* Link types, as tcpdump.org numbers them. Others: LINK_NAME of 0. */
#define LINK_LIST(L)                 \
	L(NULL, 0, "null")           \
	L(ETHERNET, 1, "ethernet")   \
	L(PPP, 9, "ppp")             \
	L(RAW_12, 12, "raw")         \
	L(RAW_14, 14, "raw")         \
	L(PPP_HDLC, 50, "ppp_hdlc")  \
	L(PPP_ETHER, 51, "pppoe")    \
	L(RAW, 101, "raw")           \
	L(IEEE802_11, 105, "802.11") \
	L(LOOP, 108, "loop")         \
	L(LINUX_SLL, 113, "sll")     \
	L(RADIOTAP, 127, "radiotap") \
	L(IPV4, 228, "ipv4")         \
	L(IPV6, 229, "ipv6")         \
	L(LINUX_SLL2, 276, "sll2")

enum link_type {
#define LINK_ENUM(name, number, words) LINK_##name = (number),
	LINK_LIST(LINK_ENUM)
#undef LINK_ENUM
};

enum frame_direction { FRAME_UNKNOWN, FRAME_IN, FRAME_OUT };

struct frame {
	int64_t ns;	  /* since 1970 */
	uint64_t number;  /* in its source, from 1 */
	uint32_t link;	  /* enum link_type, or another number */
	uint32_t iface;	  /* of the source, from 0 */
	uint32_t len;	  /* bytes on the wire */
	uint32_t cap_len; /* bytes that were kept, from the first on */
	uint8_t direction;
	const uint8_t *bytes;
};

/* What is around the IP packet; each with its number, 0 if it has none. */
#define ENCAP_LIST(E)        \
	E(VLAN, "vlan")      \
	E(MPLS, "mpls")      \
	E(PPPOE, "pppoe")    \
	E(GRE, "gre")        \
	E(IPIP, "ipip")      \
	E(SIXINFOUR, "6in4") \
	E(IPIN6, "ipin6")    \
	E(ERSPAN, "erspan")  \
	E(VXLAN, "vxlan")    \
	E(GENEVE, "geneve")  \
	E(GTPU, "gtp-u")

enum encap_kind {
#define ENCAP_ENUM(name, words) ENCAP_##name,
	ENCAP_LIST(ENCAP_ENUM)
#undef ENCAP_ENUM
		ENCAP_NKINDS
};

#define ENCAPS_MAX 6 /* tags, labels and tunnels around each other */

struct encap {
	uint8_t kind;	 /* enum encap_kind */
	uint32_t number; /* VLAN, label, session, key, VNI, TEID */
};

enum packet_kind {
	PACKET_TCP,
	PACKET_ICMP,	 /* an error that quotes a TCP segment */
	PACKET_FRAGMENT, /* one piece; the last one gives the whole */
	PACKET_OTHER,	 /* not ours: UDP, ARP, an unknown link type ... */
	PACKET_BROKEN,	 /* claims to be ours and cannot be read: see fault */
	PACKET_NKINDS
};

/* Why a packet is PACKET_BROKEN: name, words. */
#define FAULT_LIST(F)                                               \
	F(NONE, "nothing")                                          \
	F(CUT, "cut off before its TCP header ends")                \
	F(LINK, "impossible link header")                           \
	F(DEPTH, "more tunnels in each other than are looked into") \
	F(IP_HEADER, "impossible IP header")                        \
	F(IP_LENGTH, "IP length shorter than its headers")          \
	F(FRAGMENT, "fragments that cannot be put together")        \
	F(TCP_OFFSET, "impossible TCP data offset")

enum packet_fault {
#define FAULT_ENUM(name, words) FAULT_##name,
	FAULT_LIST(FAULT_ENUM)
#undef FAULT_ENUM
		FAULT_NFAULTS
};

enum packet_note {
	NOTE_CUT = 1 << 0,	    /* less text was kept than was sent */
	NOTE_IP_SUM = 1 << 1,	    /* wrong IP header checksum */
	NOTE_TCP_SUM = 1 << 2,	    /* wrong TCP checksum */
	NOTE_TCP_SUM_PART = 1 << 3, /* only begun: a network card was to
				     * complete it */
	NOTE_OPTION = 1 << 4,	    /* an option of impossible length */
	NOTE_WHOLE = 1 << 5,	    /* put together from fragments */
	NOTE_LENGTH_0 = 1 << 6,	    /* IP length 0: a super-segment */
	NOTE_LENGTH = 1 << 7,	    /* the IP length exceeds the frame's */
	NOTE_OPTIONS_CUT = 1 << 8,  /* less options were kept than were sent */
};

enum packet_opt {
	POPT_MSS = 1 << 0,
	POPT_WSCALE = 1 << 1,
	POPT_SACK_OK = 1 << 2,
	POPT_SACK = 1 << 3,
	POPT_TS = 1 << 4,
	POPT_TFO = 1 << 5, /* RFC 7413, or its experimental form */
	POPT_MPTCP = 1 << 6,
	POPT_OTHER = 1 << 7,
};

#define PACKET_SACKS_MAX 4

/* Bit 9 and up are reserved (RFC 9293, 3.1); bit 8 is AE (RFC 9768). */
#define PACKET_FLAGS_RESERVED 0xe00

struct packet {
	/* Of the frame. */
	int64_t ns;
	uint64_t number;
	uint32_t iface;
	uint8_t direction;

	uint8_t kind;	/* enum packet_kind */
	uint8_t fault;	/* enum packet_fault */
	uint16_t notes; /* enum packet_note */

	uint8_t nencaps;
	struct encap encap[ENCAPS_MAX];

	/* Of the innermost IP header. */
	struct ip_addr src, dst;
	uint8_t ttl, tos;
	bool has_ip_id;
	uint16_t ip_id;
	uint32_t ip_len; /* with its header; what was sent, not what was kept */
	/* That header and what follows, as far as it was kept; until the next
	 * call, as text. Of an ICMP error itself, not of what it quotes. */
	const uint8_t *ip;
	uint32_t ip_cap;

	/* PACKET_TCP; PACKET_ICMP: of the segment that is quoted, ports and seq
	 * alone, and src and dst are those of the quoted packet. */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint16_t flags; /* 12 bits */
	uint16_t wnd, up;
	uint8_t opts; /* enum packet_opt */
	uint8_t wscale;
	uint8_t nsacks;
	uint8_t tfo_len; /* of the cookie; 0 = asks for one */
	uint16_t mss;
	uint32_t ts_val, ts_ecr;
	struct {
		uint32_t start, end;
	} sack[PACKET_SACKS_MAX];
	uint32_t len;	  /* of the text, as sent */
	uint32_t cap_len; /* of the text, as kept */
	const uint8_t *text;

	/* PACKET_ICMP. */
	struct ip_addr reporter;
	uint8_t icmp_type, icmp_code; /* of its own family */
	bool icmp6;
	uint32_t icmp_mtu; /* of "too big"; 0 if it does not say */
};

struct decoder;

/* Bytes for fragments: their table, records and text, and the whole packet. */
#define DECODER_MIN (512u << 10)

/**
 * decoder_new() - Needed for what is put together from several frames
 * @memory: Bytes for fragments, DECODER_MIN or more; 0 = do not put fragments
 *          together
 *
 * Return: to be freed with decoder_free(); NULL without memory
 */
struct decoder *decoder_new(size_t memory);
void decoder_free(struct decoder *d);

/**
 * decode() - Take a frame apart
 * @p: All of it is set; text points into @f or into the decoder, until the next
 *     call
 *
 * Return: p->kind
 */
enum packet_kind decode(struct decoder *d, const struct frame *f,
			struct packet *p);

/** link_name() - "ethernet"; NULL if frames of this type are not read */
const char *link_name(uint32_t link);

/**
 * packet_flags_name() - All flags of a segment in words
 * @buf: Gets "SYN-ACK", "PSH-ACK", "SYN+FIN (invalid)"; at least
 *       FLAGS_NAME_MAX bytes
 *
 * Return: @buf
 */
#define FLAGS_NAME_MAX 64
const char *packet_flags_name(uint16_t flags, char *buf);

#endif
