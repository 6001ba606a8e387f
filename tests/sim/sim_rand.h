/*
 * sim_rand.h - Chance that repeats: splitmix64 (Steele, Lea, Flood, 2014)
 *
 * Each consumer has a stream of its own, so that one more draw in one place
 * does not change what happens in another.
 */
#ifndef TCPHS_SIM_RAND_H
#define TCPHS_SIM_RAND_H

#include <stdbool.h>
#include <stdint.h>

struct rand {
	uint64_t state;
};

static inline uint64_t rand_next(struct rand *r)
{
	uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/** rand_init() - Stream number @stream of a seed */
static inline void rand_init(struct rand *r, uint64_t seed, uint64_t stream)
{
	struct rand s = {.state = stream};

	r->state = seed ^ rand_next(&s);
	r->state = rand_next(r);
}

/** rand_between() - Uniform in [lo, hi]; lo <= hi */
static inline uint64_t rand_between(struct rand *r, uint64_t lo, uint64_t hi)
{
	uint64_t span = hi - lo + 1;

	return span ? lo + rand_next(r) % span : rand_next(r);
}

/** rand_log() - In [lo, hi], each order of magnitude as likely as the next */
static inline uint64_t rand_log(struct rand *r, uint64_t lo, uint64_t hi)
{
	unsigned int bits = 0;
	uint64_t top;

	while (bits < 63 && (lo << (bits + 1)) <= hi)
		bits++;
	top = lo << rand_between(r, 0, bits);
	return rand_between(r, top, top * 2 - 1 > hi ? hi : top * 2 - 1);
}

/** rand_chance() - True @ppm times in a million */
static inline bool rand_chance(struct rand *r, uint32_t ppm)
{
	return ppm && rand_next(r) % 1000000 < ppm;
}

static inline bool rand_one_in(struct rand *r, uint32_t n)
{
	return rand_next(r) % n == 0;
}

/** rand_maybe() - One time in @one_in something of any size, else 0 */
static inline uint32_t rand_maybe(struct rand *r, uint32_t one_in, uint64_t lo,
				  uint64_t hi)
{
	return rand_one_in(r, one_in) ? (uint32_t)rand_log(r, lo, hi) : 0;
}

#endif
