/*
 * privacy.c - What events tell of other people's addresses
 *
 * The address of the other side is replaced in the event itself, before it
 * becomes words and fields: so it is hidden wherever it would have stood. What
 * replaces it is an address, too, so that whoever reads a log needs to know
 * nothing of this. A hash is keyed with a secret that nobody keeps, and lies in
 * fd00::/8, where nobody has addresses by accident (RFC 4193, 3.1).
 *
 * Those who are asked, not told, are left as they are: the tables of
 * connections and their packets are for who runs the daemon.
 */
#include "privacy.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

#define PREFIX4_LEN (96 + 24)
#define PREFIX6_LEN 48
#define ALL_LEN	    128

static struct {
	enum privacy how;
	uint8_t key[crypto_shorthash_KEYBYTES];
} hide;

_Static_assert(crypto_shorthash_KEYBYTES == 16, "as privacy_key() wants it");

static void cut(struct ip_addr *a, unsigned int len);

void privacy_key(const uint8_t key[16])
{
	memcpy(hide.key, key, sizeof(hide.key));
}

void privacy_set(enum privacy how)
{
	hide.how = how;
}

enum privacy privacy(void)
{
	return hide.how;
}

void privacy_address(struct ip_addr *a)
{
	uint8_t hash[crypto_shorthash_BYTES];

	switch (hide.how) {
	case PRIVACY_FULL:
		break;
	case PRIVACY_PREFIX:
		cut(a, ip_addr_is4(a) ? PREFIX4_LEN : PREFIX6_LEN);
		break;
	case PRIVACY_HASH:
		crypto_shorthash(hash, a->b, sizeof(a->b), hide.key);
		*a = (struct ip_addr){{0xfd}};
		memcpy(a->b + 1, hash, 7);
		break;
	}
}

void privacy_prefix(struct ip_prefix *p)
{
	uint8_t least = ip_addr_is4(&p->addr) ? PREFIX4_LEN : PREFIX6_LEN;

	if (hide.how == PRIVACY_FULL || !p->len)
		return;
	privacy_address(&p->addr);
	if (hide.how == PRIVACY_HASH)
		p->len = ALL_LEN;
	else if (p->len > least)
		p->len = least;
}

const struct evbus_record *privacy_record(const struct evbus_record *r,
					  struct evbus_record *copy,
					  struct event *e)
{
	static const struct ip_addr nobody;

	if (hide.how == PRIVACY_FULL ||
	    memcmp(&r->e->peer, &nobody, sizeof(nobody)) == 0)
		return r;
	*e = *r->e;
	privacy_address(&e->peer);
	*copy = *r;
	copy->e = e;
	return copy;
}

static void cut(struct ip_addr *a, unsigned int len)
{
	for (unsigned int i = len / 8; i < sizeof(a->b); i++)
		a->b[i] = 0;
}
