/*
 * rig.h - One stack on a virtual clock, played against by a script
 *
 * The test is the peer: it sends segments, says what must come back, and lets
 * time pass. It speaks of sequence numbers as if the stack had chosen RIG_ISS;
 * the rig translates. The text of both directions is a pattern that depends on
 * the sequence number only, so it is compared without being written down.
 *
 *	rig_established();
 *	rig_rx(SEG(.flags = TH_RST, .seq = 5001 + 10));
 *	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
 *	rig_expect_silence();
 *	rig_end();
 *
 * A rig is one stack, there is one at a time, and everything works on it. The
 * options may be changed (rig.conf, rig.listener) until the first call. Every
 * call ends in a whole turn with stack_check() after each entry point, but
 * between rig_hold() and rig_release(), which make one turn of many segments.
 *
 * The first expectation that is not met ends a test: what follows is not
 * judged any more.
 */
#ifndef TCPHS_RIG_H
#define TCPHS_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "core/seq.h"
#include "core/wire.h"

#include "unit.h"

#define RIG_PORT      7	    /* the listener's */
#define RIG_PEER_PORT 40000 /* the peer's, if the test does not say */
#define RIG_ISS	      1000u /* the stack's initial number, as tests see it */
#define RIG_IRS	      5000u /* the peer's */
#define RIG_WND	      65535 /* the peer's, if the test does not say */
#define RIG_PEER_MSS  1000  /* what the peer of rig_established() says */

#define RIG_PACKET_MAX (STACK_SEGMENT_MAX + WIRE_HEAD_MAX)

#define MS(n) ((int64_t)(n)*1000)
#define S(n)  ((int64_t)(n)*1000000)

/* A timer may be late by its tick and what the wheel rounds. */
#define RIG_LATE_US 1000

/* A segment to be sent by the peer, or expected from the stack. */
struct rig_seg {
	tcp_seq seq, ack;
	uint32_t len;	    /* of text, from the pattern at seq */
	const char *text;   /* other text; len is its length */
	uint16_t up;	    /* urgent pointer, with TH_URG */
	uint8_t ecn;	    /* low bits of the IP header's traffic class */
	uint8_t ttl;	    /* 0 = 64 */
	uint16_t peer_port; /* 0 = RIG_PEER_PORT */
	uint16_t port;	    /* 0 = RIG_PORT, or what rig_open() chose */
	bool has_wnd, has_mss, has_wscale, has_ts, sack_ok;
	bool no_ts;    /* omit it although it was negotiated */
	bool bad_csum; /* damaged on its way */
	uint16_t wnd;
	uint16_t mss;
	uint8_t wscale;
	uint8_t nsack;
	struct sack_block sack[SACK_BLOCKS_MAX];
	uint32_t ts; /* the peer's clock: sent, or expected back */
	/* It answers a segment that left so long before the last one. */
	uint32_t echo_ago_ms;
	uint8_t flags; /* PSH is compared only if it is expected */
};

#define SEG(...)   (&(struct rig_seg){__VA_ARGS__})
#define WND(n)	   .has_wnd = true, .wnd = (n)
#define MSS(n)	   .has_mss = true, .mss = (n)
#define SCALE(n)   .has_wscale = true, .wscale = (n)
#define TS(n)	   .has_ts = true, .ts = (n)
#define SACK_OK	   .sack_ok = true
#define SACK(a, b) .nsack = 1, .sack = {{a, b}}
#define SACK2(a, b, c, d)           \
	.nsack = 2, .sack = {       \
			    {a, b}, \
			    {c, d}, \
	}
#define SACK3(a, b, c, d, e, f)     \
	.nsack = 3, .sack = {       \
			    {a, b}, \
			    {c, d}, \
			    {e, f}, \
	}

/* What the service saw of one connection, and its end in the rig. */
struct rig_conn {
	struct tcp_conn *c; /* NULL before on_open and after on_closed */
	tcp_seq iss_off;    /* add to the test's number for the real one */
	tcp_seq irs;	    /* of the last SYN */
	bool iss_known;
	bool ts;	 /* both sent the option with SYN */
	bool reading;	 /* consumes what arrives; true at first */
	uint16_t port;	 /* the stack's; 0 = RIG_PORT */
	uint32_t ts_val; /* last from the stack */
	uint32_t sent, received;
	tcp_seq rx_base; /* number of the first byte */
	unsigned int opened, closed, peer_closed, writable, alarms, troubles;
	unsigned int urgents;
	uint32_t urgent_left;	    /* at the last on_urgent */
	struct tcp_trouble trouble; /* the last one */
	enum close_reason reason;
};

struct rig {
	struct stack_conf conf;
	struct stack_listener listener;
	size_t memory;
	bool v6;
	uint64_t event_mask;
	struct stack *st;
	int64_t now_us;
	bool failed;
	bool close_with_peer; /* the service closes in on_peer_closed */
	struct ip_addr own, peer;
	enum syn_verdict on_syn;
	unsigned int syns; /* calls of on_syn */
};

extern struct rig rig;

/* ---- life ---- */

/** rig_main() - Run a suite over IPv4, then over IPv6; exit code for main() */
int rig_main(const char *suite, const struct unit_test *tests, size_t n,
	     int argc, char **argv);

/** rig_start() - Make the stack; done by the others if the test did not */
void rig_start(void);

/** rig_end() - Reset what is left and assert that nothing stays allocated */
void rig_end(void);

/* ---- segments ---- */

/** rig_rx() - The peer sends a segment */
void rig_rx(const struct rig_seg *s);

/** rig_rx_to() - The same to another address */
void rig_rx_to(const struct rig_seg *s, const struct ip_addr *src,
	       const struct ip_addr *dst);

/** rig_rx_super() - The same as a super-segment of segments of @gso_size */
void rig_rx_super(const struct rig_seg *s, uint16_t gso_size);

/** rig_rx_packet() - Any bytes arrive */
void rig_rx_packet(const void *pkt, size_t len);

/** rig_packet() - Only make the packet, of RIG_PACKET_MAX bytes; its length */
uint32_t rig_packet(uint8_t *pkt, const struct rig_seg *s);

/* ---- fragments ---- */

struct rig_whole {
	uint8_t pkt[RIG_PACKET_MAX];
	uint32_t len, head;
	uint32_t id;
};

/** rig_whole() - A segment before it is cut; until the next one is asked for */
struct rig_whole *rig_whole(const struct rig_seg *s, uint32_t id);

/** rig_cut() - Bytes [from, to) of its body as a fragment; its length */
uint32_t rig_cut(uint8_t *pkt, const struct rig_whole *w, uint32_t from,
		 uint32_t to);

/** rig_seal4() - Give an IPv4 header its checksum */
void rig_seal4(uint8_t *head);

/** rig_rx_piece() - That fragment arrives */
void rig_rx_piece(const struct rig_whole *w, uint32_t from, uint32_t to);

void rig_hold(void);
void rig_release(void);

/** rig_expect() - The stack has sent this next */
#define rig_expect(s) rig_expect_seg(s, __FILE__, __LINE__)

/** rig_expect_after() - It is silent for @us, and then sends this */
#define rig_expect_after(us, s) rig_expect_timed(us, s, __FILE__, __LINE__)

/** rig_expect_silence() - It has sent nothing more */
#define rig_expect_silence() rig_expect_nothing(0, __FILE__, __LINE__)

/** rig_expect_silence_for() - ... and sends nothing for @us */
#define rig_expect_silence_for(us) rig_expect_nothing(us, __FILE__, __LINE__)

/** rig_check() - CU_ASSERT that ends the test */
#define rig_check(cond) rig_check_that(!!(cond), #cond, __FILE__, __LINE__)

void rig_expect_seg(const struct rig_seg *s, const char *file, int line);
void rig_expect_timed(int64_t us, const struct rig_seg *s, const char *file,
		      int line);
void rig_expect_nothing(int64_t us, const char *file, int line);
void rig_check_that(bool ok, const char *what, const char *file, int line);

/** rig_take() - The next segment, numbers translated; false if there is none */
bool rig_take(struct tcp_seg *s);

/** rig_take_packet() - The next packet, whatever it is; NULL if there is none */
const uint8_t *rig_take_packet(size_t *len);

/** rig_forget() - Drop what it has sent so far */
void rig_forget(void);

/** rig_wait() - Let time pass, with a turn whenever the stack wants one */
void rig_wait(int64_t us);

/* ---- connections ---- */

/** rig_conn() - That of a port of the peer */
struct rig_conn *rig_conn(uint16_t peer_port);

/** rig_only() - That of RIG_PEER_PORT */
struct rig_conn *rig_only(void);

/** rig_handshake() - Answer @syn's SYN-ACK; no option is judged */
void rig_handshake(const struct rig_seg *syn);

/** rig_established() - A handshake with MSS 1000 and no other option */
void rig_established(void);

/** rig_established_all() - With MSS 1000, timestamps, SACK, window scale 7 */
void rig_established_all(void);

/** rig_open() - Active open from RIG_PORT to RIG_PEER_PORT */
void rig_open(void);

/* The service's calls, on the connection of RIG_PEER_PORT. Each is a turn. */
ssize_t rig_send(uint32_t len);
ssize_t rig_send_urgent(uint32_t len);
void rig_close(void);
void rig_abort(void);
void rig_read_stop(void);
void rig_read(uint32_t len); /* while stopped */
void rig_read_on(void);

/** rig_state() - Of the connection with this peer's port, whatever its size */
enum tcp_state rig_state_of(uint16_t peer_port);
enum tcp_state rig_state(void);

/** rig_info() - What stack_walk() says about it; false if it is not there */
bool rig_info(uint16_t peer_port, struct conn_info *info);

struct stack_stats rig_stats(void);

/** rig_dropped() - Segments dropped for this reason so far */
uint64_t rig_dropped(enum drop_reason why);

/** rig_mss() - What the stack announces: its MTU less the headers */
uint16_t rig_mss(void);

/** rig_default_mss() - RFC 9293, 3.7.1 (MUST-15): of a peer that says none */
uint16_t rig_default_mss(void);

#endif
