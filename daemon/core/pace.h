/*
 * pace.h - Spread a window over the round trip
 */
#ifndef TCPHS_PACE_H
#define TCPHS_PACE_H

#include <stdint.h>

/** pace_rate() - Bytes a second at which @cwnd leaves; 0 without @srtt_us */
uint64_t pace_rate(uint32_t cwnd, uint32_t ssthresh, uint32_t srtt_us);

/** pace_burst() - Bytes that may leave at once: a millisecond's, two segments
 * at least */
uint32_t pace_burst(uint64_t rate, uint32_t mss);

/**
 * pace_shift() - How much later than at once the answer to an ACK may leave
 *
 * As long as a segment takes at @rate, and no more than the 256th part of
 * @srtt_us; 0 if no timer is as exact as that.
 */
uint32_t pace_shift(uint64_t rate, uint32_t mss, uint32_t srtt_us);

/**
 * pace_next() - @len bytes left: when the next may
 * @next_us: What it returned last, or any earlier time
 *
 * A sender that was late, for its timer or for want of text, may catch up a
 * little and no more.
 */
int64_t pace_next(int64_t next_us, uint64_t rate, uint32_t len, int64_t now_us);

#endif
