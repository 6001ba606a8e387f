/*
 * tcp_cookie.c - A handshake that the client remembers for us
 *
 * While cookies are out, the clock of the sequence numbers is the counter in
 * them and moves every 64 seconds instead of every 4 us (RFC 9293, 3.4.1).
 *
 * When the half-open table is full, the SYN-ACK's sequence number says what a
 * record would have kept (RFC 4987, 3.6): five bits of a minute counter, three
 * of an index into common MSS values, 24 of a keyed hash over the addresses,
 * the client's ISN, the whole counter and the index. What does not fit goes
 * into the low six bits of our timestamp, which the client echoes: window scale
 * (15 = none), SACK and ECN. Without timestamps those options are given up. Our
 * own window scale is in the hash: it is that of the configuration, or of the one
 * before, if that changed since.
 *
 * 24 bits and two valid counters mean that a blind attacker needs some eight
 * million ACKs for one connection.
 */
#include <sodium/crypto_shorthash.h>
#include <string.h>

#include "tcp_priv.h"

#define COOKIE_PERIODS	 2 /* how many counters back are still good */
#define COOKIE_PERIOD_US (COOKIE_LIFE_US / COOKIE_PERIODS)
#define TS_BITS		 0x3fu
#define TS_ECN		 0x20u
#define TS_SACK		 0x10u
#define TS_NO_WSCALE	 0x0fu

/* Downwards; the largest that is not above the client's is used. */
static const uint16_t mss_values[8] = {8940, 1460, 1440, 1400,
				       1360, 1220, 536,	 MSS_LEAST};

static uint32_t cookie_count(const struct stack *st)
{
	return (uint32_t)(st->now_us / COOKIE_PERIOD_US);
}

static uint32_t cookie_hash(const struct stack *st, const struct tcp_key *key,
			    tcp_seq irs, uint32_t count, uint32_t mss_index,
			    uint8_t rcv_wscale)
{
	struct {
		struct tcp_key key;
		uint32_t irs, count;
		uint16_t mss_index, rcv_wscale;
	} in = {*key, irs, count, (uint16_t)mss_index, rcv_wscale};
	uint64_t out;

	_Static_assert(sizeof(in) == 48, "no padding may be hashed");
	crypto_shorthash((unsigned char *)&out, (const unsigned char *)&in,
			 sizeof(in), st->cookie_key);
	return (uint32_t)out & 0xffffff;
}

tcp_seq cookie_make(const struct stack *st, const struct tcp_key *key,
		    const struct tcp_seg *syn, uint32_t ts_offset, uint32_t *ts)
{
	uint32_t count = cookie_count(st);
	uint32_t mss =
		syn->opts & OPT_MSS ? syn->mss : tcp_default_mss(&key->peer);
	uint32_t i = 0, now = tcp_ts_now(st, ts_offset), bits;

	while (i < ARRAY_LEN(mss_values) - 1 && mss_values[i] > mss)
		i++;
	bits = syn->opts & OPT_WSCALE ? syn->wscale : TS_NO_WSCALE;
	if (syn->opts & OPT_SACK_OK && st->conf.sack)
		bits |= TS_SACK;
	if (tcp_ecn_syn(st, syn))
		bits |= TS_ECN;
	/* Never ahead of the clock: later segments must not look older. */
	*ts = (now & ~TS_BITS) | bits;
	if (seq_gt(*ts, now))
		*ts -= TS_BITS + 1;
	return count << 27 | i << 24 |
	       cookie_hash(st, key, syn->seq, count, i, tcp_syn_wscale(st));
}

/* How many periods ago it was made, or 32 more of them, or 64 ... */
static uint32_t cookie_age(const struct stack *st, const struct tcp_seg *ack)
{
	return (cookie_count(st) - ((ack->ack - 1) >> 27)) & 31;
}

bool cookie_recent(const struct stack *st, const struct tcp_seg *ack)
{
	return cookie_age(st, ack) < COOKIE_PERIODS;
}

bool cookie_check(const struct stack *st, const struct tcp_key *key,
		  const struct tcp_seg *ack, struct cookie *k)
{
	tcp_seq c = ack->ack - 1;
	uint32_t count = cookie_count(st) - cookie_age(st, ack);
	uint32_t i = c >> 24 & 7;
	uint8_t rcv_wscale = tcp_syn_wscale(st);

	if (!cookie_recent(st, ack))
		return false;
	if (cookie_hash(st, key, ack->seq - 1, count, i, rcv_wscale) !=
	    (c & 0xffffff)) {
		rcv_wscale = st->old_wscale;
		if (st->now_us >= st->old_wscale_until_us ||
		    cookie_hash(st, key, ack->seq - 1, count, i, rcv_wscale) !=
			    (c & 0xffffff))
			return false;
	}
	*k = (struct cookie){.mss = mss_values[i],
			     .wscale = TS_NO_WSCALE,
			     .rcv_wscale = rcv_wscale};
	if (ack->opts & OPT_TS && st->conf.timestamps) {
		k->ts = true;
		k->wscale = ack->ts_ecr & 0x0f;
		k->sack = ack->ts_ecr & TS_SACK;
		k->ecn = ack->ts_ecr & TS_ECN;
	}
	return true;
}
