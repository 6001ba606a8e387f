/*
 * assert.h - Assertions about our own state, never about received bytes
 *
 * They stay on in release builds. Two conditions are two assertions.
 */
#ifndef TCPHS_ASSERT_H
#define TCPHS_ASSERT_H

#include <stddef.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The shell provides it: the daemon logs and aborts, tests print and abort. */
_Noreturn void tcphs_assert_failed(const char *expr, const char *file,
				   int line);

#define ASSERT(expr)                                                    \
	do {                                                            \
		if (__builtin_expect(!(expr), 0))                       \
			tcphs_assert_failed(#expr, __FILE__, __LINE__); \
	} while (0)

#endif
