/*
 * csum.c - The Internet checksum (RFC 1071)
 *
 * Ones' complement addition cares neither how words are grouped nor in which
 * byte order they are read: a sum made in the machine's own order is right
 * once its bytes are swapped. So bytes are added as they lie, long runs of them
 * in vector registers, and the sum is swapped at the end. What callers see is a
 * sum of 16-bit words in network order, to which they may add the value of a
 * header field.
 */
#include "wire.h"

#include <endian.h>
#include <string.h>

typedef uint64_t lanes __attribute__((vector_size(16)));

#define RUN 64 /* bytes of one round of sum_runs() */

static uint64_t sum_runs(const uint8_t *p, size_t n);
static uint32_t to_network(uint64_t sum);

uint32_t csum_partial(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;
	uint64_t acc = 0;
	uint32_t w32;
	uint16_t w16 = 0;

	if (len >= RUN) {
		acc = sum_runs(p, len / RUN);
		p += len / RUN * RUN;
		len %= RUN;
	}
	for (; len >= sizeof(w32); p += sizeof(w32), len -= sizeof(w32)) {
		memcpy(&w32, p, sizeof(w32));
		acc += w32;
	}
	if (len >= sizeof(w16)) {
		memcpy(&w16, p, sizeof(w16));
		acc += w16;
		p += sizeof(w16);
		len -= sizeof(w16);
	}
	if (len) {
		w16 = 0;
		memcpy(&w16, p, 1);
		acc += w16;
	}
	return csum_fold64((uint64_t)to_network(acc) + sum);
}

uint16_t csum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/*
 * The prefix of an IPv4-mapped address is zeros and one word of ones, which is
 * the other zero of this arithmetic: one sum serves both families.
 */
uint32_t csum_pseudo(const struct ip_addr *src, const struct ip_addr *dst,
		     uint8_t proto, uint32_t len)
{
	uint64_t w[4], acc = 0;

	memcpy(w, src->b, 16);
	memcpy(w + 2, dst->b, 16);
	for (int i = 0; i < 4; i++)
		acc += (w[i] & UINT32_MAX) + (w[i] >> 32);
	return csum_fold64((uint64_t)to_network(acc) + proto + len);
}

/*
 * Sum of @n runs. @all wraps around, @high does not (for 2^32 rounds), and the
 * low halves are what remains of the one without the other: an addition less
 * for each vector than masking them out.
 */
static uint64_t sum_runs(const uint8_t *p, size_t n)
{
	lanes all[2] = {{0}}, high[2] = {{0}}, v[RUN / sizeof(lanes)];

	for (; n; n--, p += RUN) {
		memcpy(v, p, RUN);
		all[0] += v[0] + v[1];
		all[1] += v[2] + v[3];
		high[0] += (v[0] >> 32) + (v[1] >> 32);
		high[1] += (v[2] >> 32) + (v[3] >> 32);
	}
	all[0] += all[1];
	high[0] += high[1];
	all[0] -= high[0] << 32;
	return (uint64_t)csum_fold64(all[0][0]) + csum_fold64(all[0][1]) +
	       csum_fold64(high[0][0]) + csum_fold64(high[0][1]);
}

static uint32_t to_network(uint64_t sum)
{
	return be32toh(csum_fold64(sum));
}
