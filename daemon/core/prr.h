/*
 * prr.h - How much may leave during fast recovery (RFC 9937)
 */
#ifndef TCPHS_PRR_H
#define TCPHS_PRR_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes, since the recovery began. */
struct prr {
	uint32_t recover_fs; /* RecoverFS: what was in flight at its start */
	uint32_t delivered;  /* prr_delivered */
	uint32_t out;	     /* prr_out, sent again and new */
};

/* What an ACK says during recovery; the counts as they are behind it. */
struct prr_ack {
	uint32_t delivered; /* newly acknowledged or SACKed, bytes */
	uint32_t in_flight; /* without what is SACKed or lost */
	uint32_t ssthresh;  /* where recovery shall end */
	uint32_t mss;
	bool safe; /* SafeACK: snd_una advanced, and no new loss */
};

/**
 * prr_enter() - Recovery begins (RFC 9937, 6)
 * @recover_fs: Bytes sent and not acknowledged before the ACK that revealed the
 *              loss, less those that had been SACKed before it; at least 1
 *
 * That ACK itself goes to prr_ack() next.
 */
void prr_enter(struct prr *p, uint32_t recover_fs);

/**
 * prr_ack() - What this ACK allows (RFC 9937, 6)
 *
 * To be called with each ACK of a recovery, the first one included, and, with
 * nothing delivered, when a timer found something lost: what leaves flight
 * without having arrived makes no room.
 *
 * Return: bytes that may leave now; cwnd is in_flight and this
 */
uint32_t prr_ack(struct prr *p, const struct prr_ack *ack);

/** prr_sent() - @len bytes left during recovery, for the first time or again */
void prr_sent(struct prr *p, uint32_t len);

#endif
