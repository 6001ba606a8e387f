/*
 * interop_pattern.c - What is sent: each byte depends on its place and its way
 *
 * Chance of a prime length, again and again. No block, segment or buffer has a
 * multiple of that length, so text at the wrong place is wrong text. The two
 * ways begin at different places: who gets his own text back notices.
 */
#include <string.h>

#include "interop.h"

#define PATTERN_LEN 1048573 /* a prime */
#define PATTERN_OUT 500009  /* where the text we send begins */

static uint8_t pattern[PATTERN_LEN + PATTERN_RUN];

void pattern_init(void)
{
	uint64_t x = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < PATTERN_LEN; i++) { /* xorshift64* */
		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		pattern[i] = (uint8_t)(x * 0x2545f4914f6cdd1d >> 56);
	}
	memcpy(pattern + PATTERN_LEN, pattern, PATTERN_RUN);
}

const uint8_t *pattern_at(enum way way, uint64_t pos)
{
	return pattern +
	       (pos + (way == WAY_OUT ? PATTERN_OUT : 0)) % PATTERN_LEN;
}
