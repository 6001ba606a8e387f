/*
 * capture.h - Packets as pcapng, for whoever wants them
 */
#ifndef TCPHS_CAPTURE_H
#define TCPHS_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <tcphs/filter.h>
#include <tcphs/pcapng.h>
#include <tcphs/stack.h>

#include "pktbus.h"

#define CAPTURE_QUEUE	    (4u << 20) /* bytes that may wait for one taker */
#define CAPTURE_TAKERS_MAX  16
#define CAPTURE_SNAPLEN_MIN 64
#define CAPTURE_HEAD_MAX    (2 * PCAPNG_HEAD_MAX)
#define CAPTURE_COMMENT_MAX 256
#define CAPTURE_PACKET_MAX  (STACK_SEGMENT_MAX + 40) /* with IPv6's header */

/* What is shown to nobody costs nothing: the stack is watched from the first
 * taker to the last. */
struct capture {
	struct pktbus_sink sink; /* on the bus while there are takers */
	struct pktbus *bus;
	const char *interface; /* name */
	TAILQ_HEAD(capture_takers, capture_taker) takers;
	unsigned int ntakers;
	uint32_t snaplen;	/* of takers that do not say */
	uint64_t packets, lost; /* queued and lost, all takers, since start */
	/* The packet in work; they are the same for all of them. */
	uint8_t bytes[CAPTURE_PACKET_MAX];
	uint8_t block[PCAPNG_PACKET_MAX(CAPTURE_PACKET_MAX)];
};

/* Somebody with a queue of blocks. What has no room is lost, counted, and told
 * in the next packet that has. */
struct capture_taker {
	TAILQ_ENTRY(capture_taker) link;
	struct capture *cap;
	struct filter *filter; /* the taker's own; NULL = every packet */
	uint32_t snaplen;
	uint64_t limit; /* packets; 0 = no end */
	/* There is something in the queue, or it is over. From inside the
	 * stack: to note it, no more. */
	void (*ready)(struct capture_taker *t);

	bool over; /* the last block is in the queue */
	uint64_t seen, matched, kept, lost;
	uint64_t lost_told; /* of lost, those that a packet spoke of */
	int64_t begin_ns, wall_off_ns;
	uint8_t *queue; /* a ring */
	size_t head, used;
};

/** capture_init() - Nobody takes anything yet; @interface has to stay */
void capture_init(struct capture *cap, struct pktbus *bus,
		  const char *interface);

/**
 * capture_begin() - Have packets queued, behind the head of a file
 * @t: filter, snaplen, limit and ready are set; zero otherwise
 * @words: The filter as it was written, for the file; NULL if there is none
 *
 * Return: 0; -EBUSY if there are CAPTURE_TAKERS_MAX; -ENOMEM
 */
int capture_begin(struct capture *cap, struct capture_taker *t,
		  const char *words);

/**
 * capture_head() - What a file begins with
 * @words: The filter, or NULL
 * @buf:   Gets it; CAPTURE_HEAD_MAX bytes
 *
 * Return: its length
 */
size_t capture_head(const struct capture_taker *t, const char *words,
		    uint8_t *buf);

/** capture_tail() - What it ends with; PCAPNG_HEAD_MAX bytes at most */
size_t capture_tail(const struct capture_taker *t, uint8_t *buf);

/** capture_finish() - No more packets; the end of the file is queued */
void capture_finish(struct capture_taker *t);

/** capture_take() - Move up to @len bytes out of the queue */
size_t capture_take(struct capture_taker *t, uint8_t *buf, size_t len);

/**
 * capture_take_blocks() - Move as many whole blocks out of it as fit
 * @len: At least PCAPNG_PACKET_MAX(CAPTURE_PACKET_MAX)
 */
size_t capture_take_blocks(struct capture_taker *t, uint8_t *buf, size_t len);

/** capture_end() - Forget the taker and what waits for it */
void capture_end(struct capture_taker *t);

/* ---- capture_bytes.c --------------------------------------------------- */

/**
 * capture_bytes() - The bytes of a packet in one piece
 * @keep: At most so many, and CAPTURE_PACKET_MAX
 * @buf:  Gets them; has CAPTURE_PACKET_MAX
 * @csum_missing: Set if the TCP checksum in them is unfinished
 *
 * What the device leaves to the next one is done here: a whole packet gets its
 * TCP checksum.
 *
 * Return: how many
 */
uint32_t capture_bytes(const struct stack_packet *p, uint32_t keep,
		       uint8_t *buf, bool *csum_missing);

/* ---- capture_words.c --------------------------------------------------- */

/**
 * capture_comment() - What there is to say about a packet
 * @lost: Packets that are missing before it
 *
 * Return: @buf
 */
const char *capture_comment(const struct stack_packet *p, uint64_t lost,
			    char buf[CAPTURE_COMMENT_MAX]);

#endif
