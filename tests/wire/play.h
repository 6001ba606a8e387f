/*
 * play.h - Playing one script on a stage
 */
#ifndef TCPHS_WIRE_PLAY_H
#define TCPHS_WIRE_PLAY_H

#include "packet.h"
#include "script.h"
#include "stage.h"

#define PLAY_WHY_MAX 512

/* What the peer knows of one of its connections. Numbers are relative. */
struct peer {
	struct stage_conn at;
	bool used;	 /* something was sent or came */
	bool iss_known;	 /* the stack's SYN was seen */
	bool iss_old;	 /* and the peer has sent another SYN since */
	bool opened;	 /* the user did; the peer has sent no SYN yet */
	uint32_t iss;	 /* the stack's initial number */
	uint32_t syn;	 /* number of the peer's SYN, relative */
	int64_t nxt;	 /* the peer's next number in order */
	int64_t own_nxt; /* the stack's */
	int64_t edge;	 /* right edge of the stack's window */
	bool peer_ts, own_ts, peer_ws, own_ws;
	uint8_t wscale; /* the stack's */
	bool ts_known;
	uint32_t ts_first, ts_last; /* of the stack */
};

struct play {
	struct stage *g;
	const struct script *s;
	struct peer peers[SCRIPT_CONNS];
	unsigned int exchanges; /* of the lines of the test itself */
	bool moved;		/* something happened that may be answered */
	bool batch;
	int64_t begin_us;
	int64_t mark_us; /* of what happened last: times count from there */
	enum tcp_state begin_state;
	const struct script_line *line; /* in work */
	char why[PLAY_WHY_MAX];
	char *told; /* what went over the wire so far, as text */
	size_t told_len;
	FILE *teller;
};

/**
 * play() - Play a script; what is wrong is printed
 * @exchanges: Is increased by those there were
 */
bool play(struct stage *g, const struct script *s, unsigned int *exchanges);

/* ---- judge.c ---------------------------------------------------------- */

/** judge() - Is @p what @e says? false with words in w->why */
bool judge(struct play *w, const struct peer *c, const struct script_seg *e,
	   const struct packet *p);

/** judge_describe() - @p in the words of a script; c may be NULL */
void judge_describe(char *buf, size_t len, const struct peer *c,
		    const struct packet *p, bool sent);

/** play_number() - What @n means for the sender of a segment */
int64_t play_number(const struct number *n, const struct peer *c, bool peers);

#endif
