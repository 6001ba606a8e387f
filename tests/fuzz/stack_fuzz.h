/*
 * stack_fuzz.h - The parts of fuzz_stack: program, peers, applications
 *
 * Text is a function of its sequence number, whoever sends it and however
 * often, so that every copy of a byte is the same byte and both ends of the
 * stack can be checked without keeping what was sent.
 */
#ifndef TCPHS_STACK_FUZZ_H
#define TCPHS_STACK_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "core/seq.h"
#include "core/wire.h"
#include "seal.h"

#define PEERS_MAX	8
#define STARTS_MAX	4
#define CONNS_MAX	512
#define PKT_MAX		70000
#define TCP_OPTIONS_MAX 40 /* bytes */

/* The fuzzer's bytes; zeros when they are used up. */
struct feed {
	const uint8_t *p;
	size_t left;
};

static inline uint8_t feed8(struct feed *f)
{
	if (!f->left)
		return 0;
	f->left--;
	return *f->p++;
}

static inline uint16_t feed16(struct feed *f)
{
	uint8_t high = feed8(f);

	return (uint16_t)(high << 8 | feed8(f));
}

/* What answers, by the port: the application at our end of a connection. */
enum app_kind { APP_ECHO = 7, APP_DISCARD = 9, APP_SOURCE = 19 };

/* First sequence numbers of both sides, as some SYN-ACK of ours told them. */
struct start {
	tcp_seq peer, own;
};

/* A connection as its other end sees it. */
struct peer {
	struct ip_addr addr;
	uint16_t port;
	uint16_t own_port;  /* of the stack; an enum app_kind if it listens */
	struct ip_addr own; /* of the stack */
	bool active;	    /* the stack opened it */
	uint8_t opts;	    /* OPT_TS, OPT_SACK_OK: offered by both */
	tcp_seq snd_nxt;
	tcp_seq acked; /* last acknowledgment from the stack */
	tcp_seq rcv_nxt;
	tcp_seq stream; /* first byte the stack sends, if active */
	uint32_t ts_recent;
	struct start starts[STARTS_MAX]; /* one of them, if not active */
	unsigned int nstarts;		 /* beyond STARTS_MAX: we lost track */
};

/* A connection as the application at our end sees it. */
struct app_conn {
	struct tcp_conn *c; /* NULL = unused */
	enum app_kind kind;
	bool open;
	bool closed; /* by us: tcp_close() or tcp_abort() */
	tcp_seq irs;
	uint32_t got;	     /* bytes consumed */
	uint64_t put;	     /* bytes sent */
	bool urgent;	     /* the peer marked urgent data once */
	uint32_t urgent_end; /* bytes before its end */
};

struct fuzz {
	struct stack *st;
	struct stack_conf conf;
	struct feed in;
	int64_t now_us;
	bool pattern_only; /* no other text than the pattern was put in */
	uint16_t next_port;

	struct peer peers[PEERS_MAX];
	unsigned int peer;    /* the next segment is of this one */
	uint8_t pkt[PKT_MAX]; /* last packet put in */
	size_t pkt_len;
	uint8_t out[PKT_MAX]; /* last packet that came out, checksum complete */
	size_t out_len;

	void *pages[64]; /* of the arena, taken away from the stack */
	unsigned int npages;

	struct app_conn conns[CONNS_MAX];
	unsigned int nconns;
	uint32_t appetite; /* bytes an application reads at a time */
	uint32_t quota;	   /* bytes a source sends */
	uint8_t mischief;  /* what applications do at the wrong moment */
	enum syn_verdict verdict;
};

/** pattern() - The byte of text that has sequence number @seq */
static inline uint8_t pattern(tcp_seq seq)
{
	return (uint8_t)(seq * 2654435761u >> 24);
}

/* stack_apps.c */
extern const struct tcp_service fuzz_echo, fuzz_discard, fuzz_source;

/** apps_init() - For the run of @f; services have no argument of their own */
void apps_init(struct fuzz *f);

/** source_at() - What a source sends from offset @off on, 64 KiB of it */
const uint8_t *source_at(uint64_t off);

/** app_open() - Active open; false if the stack refuses; as stack_open() */
bool app_open(const struct ip_addr *peer, uint16_t peer_port,
	      const struct ip_addr *local, uint16_t local_port);

/** app_poke() - Do something to one of the connections from outside */
void app_poke(unsigned int which, uint8_t what);

/** app_set() - Change a setting of one of the connections */
void app_set(unsigned int which, uint8_t what, uint8_t value);

/* stack_operator.c */

void op_app(struct fuzz *f);
void op_poke(struct fuzz *f);
void op_listener(struct fuzz *f);
void op_listen(struct fuzz *f);
void op_walk(struct fuzz *f);
void op_reconf(struct fuzz *f);
void op_stop(struct fuzz *f);
void op_starve(struct fuzz *f);
void op_open_from(struct fuzz *f);
void op_set(struct fuzz *f);

/** operator_listen() - A listener at every address of ours */
void operator_listen(struct fuzz *f, const char *name,
		     const struct tcp_service *svc, uint16_t port, bool narrow);

/** operator_feed() - Give back what op_starve() took */
void operator_feed(struct fuzz *f);

/* stack_peer.c */

/** peer_choose() - A new peer in the current place */
void peer_choose(struct fuzz *f, bool v6, uint16_t own_port, uint8_t opts);

/** peer_segment() - What the current peer would send next: a pure ACK */
struct tcp_seg peer_segment(const struct fuzz *f);

/** peer_syn() - Its SYN */
struct tcp_seg peer_syn(const struct fuzz *f);

/** peer_packet() - Make a packet of a segment, in f->pkt */
void peer_packet(struct fuzz *f, const struct tcp_seg *s);

/** peer_packet_options() - The same with these @n bytes of options */
void peer_packet_options(struct fuzz *f, const struct tcp_seg *s,
			 const uint8_t *opts, uint8_t n);

/** packet_input() - Put f->pkt into the stack */
void packet_input(struct fuzz *f, const struct stack_rx *meta);

/**
 * peer_icmp() - An ICMP error, in f->pkt
 * @s:     What it quotes: a segment of the stack as its peer would answer it;
 *         NULL for the last packet that came out
 * @quote: Bytes quoted, at most
 */
void peer_icmp(struct fuzz *f, const struct tcp_seg *s, uint8_t type,
	       uint8_t code, uint32_t rest, size_t quote);

/** peer_fragment() - Cut f->pkt in two and put both parts in */
void peer_fragment(struct fuzz *f, uint8_t cut, bool twice);

/** peer_pieces() - Put in @n fragments of f->pkt, cut as the program says */
void peer_pieces(struct fuzz *f, unsigned int n);

/** packet_output() - Check what the stack sent and learn from it */
void packet_output(struct fuzz *f, const struct stack_pkt *out);

#endif
