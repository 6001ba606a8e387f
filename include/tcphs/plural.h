/*
 * plural.h - One packet, two packets
 */
#ifndef TCPHS_PLURAL_H
#define TCPHS_PLURAL_H

#include <stdint.h>

/** plural() - What stands behind the noun of a number: "%u packet%s" */
static inline const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

#endif
