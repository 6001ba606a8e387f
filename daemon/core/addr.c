/*
 * addr.c - What an address is and which prefix it belongs to
 */
#include <string.h>

#include <tcphs/stack.h>

bool ip_addr_is4(const struct ip_addr *a)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0,    0,
					   0, 0, 0, 0, 0xff, 0xff};

	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

bool ip_prefix_has(const struct ip_prefix *p, const struct ip_addr *a)
{
	unsigned int whole = p->len / 8, rest = p->len % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	if (memcmp(p->addr.b, a->b, whole) != 0)
		return false;
	return !rest || ((p->addr.b[whole] ^ a->b[whole]) & mask) == 0;
}
