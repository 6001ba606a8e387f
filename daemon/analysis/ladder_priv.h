/*
 * ladder_priv.h - What the ladder's formats share
 *
 *	ladder.c          packets to rows: names, numbers, states, repetitions
 *	ladder_peer.c     the state of the other side, as far as it shows
 *	ladder_paper.c    text that grows
 *	ladder_text.c ladder_mermaid.c ladder_svg.c ladder_html.c   the formats
 */
#ifndef TCPHS_LADDER_PRIV_H
#define TCPHS_LADDER_PRIV_H

#include <tcphs/ladder.h>
#include <tcphs/segment.h>

#define ROW_TEXT_MAX 192
#define STATE_MAX    16
#define TIME_MAX     24

/* One packet on its way from one side to the other. */
struct ladder_row {
	const struct ladder_packet *p;
	struct segment seg;
	char label[ROW_TEXT_MAX]; /* "SYN seq=0 win=64240 mss=1460" */
	char note[ROW_TEXT_MAX];  /* "retransmission 1, +1.01 s"; or "" */
	char drop[ROW_TEXT_MAX];  /* "wrong TCP checksum [RFC ...]"; or "" */
	char time[TIME_MAX], delta[TIME_MAX];
	bool right; /* from left to right: from the client */
	/* States that are new with it; "" = as before. */
	char left_state[STATE_MAX], right_state[STATE_MAX];
	uint32_t missing; /* packets before it that were not kept */
};

struct ladder_view {
	const struct ladder *l;
	const struct ladder_style *style;
	struct ladder_row *rows;
	size_t n;
	uint32_t missing;		    /* packets behind the last row */
	const char *left, *right;	    /* addresses */
	const char *left_name, *right_name; /* "client (inferred)", "tcphsd" */
	/* Before the first packet; "" = unknown. */
	char left_state[STATE_MAX], right_state[STATE_MAX];
};

/** ladder_look() - Make the rows; false without memory */
bool ladder_look(struct ladder_view *v, const struct ladder *l,
		 const struct ladder_style *style);
void ladder_unlook(struct ladder_view *v);

/** ladder_span() - A time span: "41 us", "1.01 s" */
void ladder_span(int64_t us, char text[TIME_MAX]);

/* ---- ladder_peer.c ----------------------------------------------------- */

/* What the other side's packets tell of its state. */
struct ladder_peer {
	const char *state;    /* "" = unknown */
	bool fin_out, fin_in; /* it sent one; it knows of ours */
	bool fin_acked;	      /* we acknowledged its FIN before ours left */
	bool fin_seen;	      /* we sent one */
	uint32_t our_fin, its_fin; /* the numbers behind them */
};

void ladder_peer_init(struct ladder_peer *peer, bool client);
/** ladder_peer_see() - A segment left (@out) or came from it */
void ladder_peer_see(struct ladder_peer *peer, const struct segment *s,
		     bool out);

/* ---- ladder_paper.c ---------------------------------------------------- */

struct paper {
	char *text;
	size_t len, size;
	bool failed;
};

void paper_put(struct paper *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** paper_fill() - @n times the same */
void paper_fill(struct paper *p, char c, size_t n);
/** paper_xml() - Text that may hold anything, for SVG and HTML */
void paper_xml(struct paper *p, const char *text);
/** paper_end() - Hand it over */
char *paper_end(struct paper *p);

/* ---- ladder_svg.c, for ladder_html.c ----------------------------------- */

void ladder_svg_draw(struct paper *p, const struct ladder_view *v);

/* ---- ladder_detail.c --------------------------------------------------- */

/** ladder_detail() - All that one packet says, a fact a line */
void ladder_detail(struct paper *p, const struct ladder_view *v,
		   const struct ladder_row *row);

#endif
