/*
 * ladder.h - A connection as a sequence diagram
 */
#ifndef TCPHS_LADDER_H
#define TCPHS_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One packet. Texts are the caller's, and may hold anything. */
struct ladder_packet {
	int64_t at_us;	 /* monotonic */
	uint32_t number; /* of its connection, from 1; a jump = not kept */
	uint32_t len;
	uint16_t gso_size;	    /* text bytes of each segment; 0 = one */
	bool out;		    /* sent by us */
	unsigned int flags;	    /* enum packet_flags */
	const char *before, *after; /* our state: "SYN-RECEIVED", if we are */
	uint64_t frame;		    /* of the capture; 0 = none */
	const char *drop, *clause;  /* why it was dropped, the rule; or NULL */
	const uint8_t *data;
	size_t snapped; /* bytes at data */
};

struct ladder {
	const char *id; /* "c42" */
	const char *local, *peer;
	const char *listener; /* NULL = none */
	bool client;	      /* we opened it */
	/* We only looked on: local is the server, peer the client, and the
	 * states of both are inferred. */
	bool watched;
	const char *verdict; /* one sentence */
	const struct ladder_packet *packets;
	size_t npackets;
	uint32_t seen; /* packets that there were */
};

enum ladder_times { LADDER_SINCE_FIRST, LADDER_CLOCK };

struct ladder_style {
	unsigned int width; /* columns, of text; at least LADDER_WIDTH_MIN */
	bool absolute;	    /* sequence numbers as on the wire */
	enum ladder_times times;
	int64_t clock_us; /* LADDER_CLOCK: add to at_us, for a time of day */
	uint32_t at;	  /* end with this packet, and all about it; 0 = all */
};

#define LADDER_WIDTH_MIN 80
#define LADDER_WIDTH_MAX 200

/* Each draws all of it. Return: text, to be freed; NULL without memory. */
char *ladder_text(const struct ladder *l, const struct ladder_style *style);
char *ladder_mermaid(const struct ladder *l, const struct ladder_style *style);
char *ladder_svg(const struct ladder *l, const struct ladder_style *style);
char *ladder_html(const struct ladder *l, const struct ladder_style *style);

/* What a verdict is made of. */
struct ladder_end {
	const char *outcome; /* "completed", "refused", ... */
	const char *words;   /* the same as a sentence */
	const char *closed;  /* how it closed; NULL = it lives, or never did */
	const char *drop;    /* why a SYN was turned away; NULL */
	int64_t handshake_us, life_us; /* -1 = unknown */
	int64_t bytes_in, bytes_out;   /* -1 = unknown */
	int64_t retrans;
};

/** ladder_verdict() - In one sentence; at most @len bytes with its zero */
void ladder_verdict(const struct ladder_end *e, char *text, size_t len);

#endif
