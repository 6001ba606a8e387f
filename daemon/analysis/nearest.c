/*
 * nearest.c - "did you mean ...?"
 *
 * The distance between two words is the number of typing mistakes that make
 * one into the other: a letter too many, one missing, a wrong one, two
 * neighbours swapped (optimal string alignment). One mistake in three letters
 * is still a guess; beyond that it would be noise.
 */
#include <tcphs/nearest.h>

#include <string.h>

#define WORD_MAX 40 /* longer words are not guessed at */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned int min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Three rows of the usual matrix are enough: this one and the last two. */
static unsigned int distance(const char *a, size_t alen, const char *b,
			     size_t blen)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *was2 = rows[0], *was = rows[1], *now = rows[2], *t;

	for (size_t j = 0; j <= blen; j++)
		was[j] = (unsigned int)j;
	for (size_t i = 1; i <= alen; i++) {
		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= blen; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);

			now[j] = min(was[j - 1] + (x != y),
				     min(was[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && x == lower(b[j - 2]) &&
			    y == lower(a[i - 2]))
				now[j] = min(now[j], was2[j - 2] + 1);
		}
		t = was2;
		was2 = was;
		was = now;
		now = t;
	}
	return was[blen];
}

const char *nearest(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word);
	const char *best = NULL;
	unsigned int bound = len < 3 ? 2 : (unsigned int)len / 3 + 1;

	if (!len || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t nlen = names[i] ? strlen(names[i]) : 0;
		unsigned int d;

		if (!nlen || nlen > WORD_MAX)
			continue;
		d = distance(word, len, names[i], nlen);
		if (d < bound) {
			bound = d;
			best = names[i];
		}
	}
	return best;
}
