/*
 * sim_peer.h - A simple TCP that is not ours
 *
 * A second opinion on the engine: written from RFC 9293 alone, on purpose with
 * other means. It has three states and some flags where the engine has eleven
 * states; it goes back and sends everything again where the engine keeps a
 * scoreboard; it acts on each segment as it comes, where the engine works in
 * turns; and it keeps no bytes: each byte of each segment, copies included, is
 * compared with the pattern the moment it arrives, so that a copy that was
 * built wrong is found even if the first one came through.
 *
 *	sim_peer.c      sockets, their timers, the application on top
 *	sim_peer_rx.c   a segment arrived
 *	sim_peer_tx.c   what is sent next
 */
#ifndef TCPHS_SIM_PEER_H
#define TCPHS_SIM_PEER_H

#include "sim.h"
#include "sim_segment.h"

#define SOCK_OOO_MAX 16

enum sock_state {
	SOCK_SYN_SENT,
	SOCK_SYN_RCVD,
	SOCK_OPEN,   /* from here on flags tell who closed */
	SOCK_LINGER, /* TIME-WAIT */
	SOCK_GONE,   /* freed at the end of the turn */
};

struct sock_range {
	uint32_t from, to;
};

struct sock {
	struct peer *peer;
	struct end *e;
	struct sock *next;
	uint16_t port, peer_port;
	enum sock_state state;

	uint32_t iss, una, nxt, max;
	uint32_t snd_wnd, wl1, wl2;
	uint32_t segment; /* text bytes in one, at most */
	uint32_t cwnd;
	uint32_t dupacks, timeouts;
	uint32_t recover; /* what was in flight then, all was sent again */
	int64_t rexmt_at_us;
	bool fin_wanted, fin_acked;

	uint32_t irs, rcv;
	uint32_t edge; /* of the window, the furthest it said */
	bool fin_seen, fin_taken;
	uint32_t fin_seq;		     /* if fin_seen */
	struct sock_range ooo[SOCK_OOO_MAX]; /* the newest first */
	unsigned int nooo;
	unsigned int unacked; /* segments in order without an ACK */
	bool ack_now;
	int64_t ack_at_us;

	bool ts, sack, wscale; /* agreed */
	bool ecn;	       /* the same */
	bool ecn_asked;	       /* by the other side's SYN */
	bool ece;	       /* a mark was seen, and no CWR since */
	bool cwr;	       /* an echo was, and is to be answered */
	uint8_t snd_shift;
	uint32_t ts_recent, ts_base;

	int64_t linger_at_us, heard_us;
	unsigned int keepalives;
};

struct peer {
	struct sim *sim;
	unsigned int side;
	const struct peer_opts *opts;
	struct sock *socks;
	struct rand rand;
	uint16_t ip_id;
};

/* sim_peer.c */
struct sock *sock_new(struct peer *p, struct end *e, uint16_t port,
		      uint16_t peer_port);
void sock_over(struct sock *s, enum close_reason why);
void sock_opened(struct sock *s);
void sock_app(struct sock *s);
uint32_t sock_unread(const struct sock *s);

/* sim_peer_rx.c */
void sock_input(struct sock *s, struct segment *g);
void sock_options(struct sock *s, struct segment *g);

/* sim_peer_tx.c */
void sock_output(struct sock *s);
void sock_timeout(struct sock *s);
void sock_reset(struct sock *s);
void sock_keepalive(struct sock *s);
uint32_t sock_window(const struct sock *s);
uint32_t sock_ts_now(const struct sock *s);
void peer_reset_reply(struct peer *p, const struct segment *g);

/** sock_end() - Number behind all text the application has written */
static inline uint32_t sock_end(const struct sock *s)
{
	return s->iss + 1 + s->e->sent;
}

#endif
