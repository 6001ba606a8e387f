/*
 * path.h - One direction of a bad network, as a rule for packets
 */
#ifndef TCPHS_E2E_PATH_H
#define TCPHS_E2E_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_LOST INT64_MIN

/* Chances are per million, for each packet. 0 = no such thing. */
struct path_opts {
	uint64_t loss_ppm;
	uint64_t burst_ppm, burst_end_ppm; /* all are lost in between */
	uint64_t burst_most_us;		   /* of which it ends at last */
	uint64_t late_ppm, late_us;	   /* overtaken by those behind */
	uint64_t mark_ppm;		   /* congestion experienced */
	uint64_t delay_us;
	uint64_t rate;	/* bits a second */
	uint64_t queue; /* bytes that may wait for the transmitter */
};

/* What decides for one packet after the other, of a path or of one flow there. */
struct path_dice {
	uint64_t chance;  /* state of the generator */
	bool burst;	  /* one is going on */
	int64_t burst_ns; /* since then */
};

struct path {
	const struct path_opts *opts;
	struct path_dice dice;
	uint64_t mark;	 /* state of another generator */
	int64_t free_ns; /* when the transmitter will be */
	uint64_t seen, lost, full, late, marked;
};

/** path_init() - @which makes both directions of one seed differ */
void path_init(struct path *p, const struct path_opts *opts, uint64_t seed,
	       unsigned int which);

/**
 * path_take() - Decide what becomes of the next packet
 * @len:    Bytes
 * @at_ns:  Now, monotonic
 * @doomed: Lost whatever chance says
 *
 * Return: when it arrives, on the same clock, or PATH_LOST
 */
int64_t path_take(struct path *p, size_t len, int64_t at_ns, bool doomed);

/** path_dice_init() - For a flow of its own, of so many (1 and up) of a seed */
void path_dice_init(struct path_dice *d, uint64_t seed, unsigned int which,
		    unsigned int flow);

/** path_take_by() - The same, with dice of a flow instead of the path's */
int64_t path_take_by(struct path *p, struct path_dice *d, size_t len,
		     int64_t at_ns, bool doomed);

/** path_mark() - Mark a packet that may be? (RFC 3168, 5) */
bool path_mark(struct path *p);

#endif
