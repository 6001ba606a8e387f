/*
 * conf_addr.c - Values that are addresses
 *
 * Ours, the host's, where a listener listens and whom it answers. Here each
 * is looked at alone; whether they fit together is seen in conf_check.c.
 */
#include "conf_priv.h"

#include <ctype.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"

static bool is_unicast(const struct ip_addr *a);
static bool allow_one(struct conf_listener *l, const char *text, size_t len,
		      char *err);

/** conf_set_own() - Our address of one family; nothing for none */
bool conf_set_own(const struct conf_key *k, const char *text, void *base,
		  char *err)
{
	struct ip_addr *field = (void *)((char *)base + k->at);
	bool want4 = k->min == 4;
	struct ip_addr a;

	if (!*text) {
		memset(field, 0, sizeof(*field));
		return true;
	}
	if (!ipaddr_parse(text, &a) || ip_addr_is4(&a) != want4)
		return conf_refuse(err, k, text,
				   "is no IPv%s address; write one such as %s",
				   want4 ? "4" : "6", k->fallback);
	if (!is_unicast(&a))
		return conf_refuse(
			err, k, text,
			"is not the address of a host; write one such"
			" as %s",
			k->fallback);
	*field = a;
	return true;
}

/** conf_set_host() - The kernel's address and its network; nothing for none */
bool conf_set_host(const struct conf_key *k, const char *text, void *base,
		   char *err)
{
	struct ip_prefix *field = (void *)((char *)base + k->at);
	bool want4 = k->min == 4;
	unsigned int shortest = want4 ? 96 + 8 : 16;
	struct ip_prefix p;

	if (!*text) {
		memset(field, 0, sizeof(*field));
		return true;
	}
	if (!ipprefix_parse(text, &p) || ip_addr_is4(&p.addr) != want4 ||
	    !strchr(text, '/'))
		return conf_refuse(
			err, k, text,
			"is no IPv%s address with a prefix length; write"
			" one such as %s",
			want4 ? "4" : "6", k->fallback);
	if (!is_unicast(&p.addr))
		return conf_refuse(
			err, k, text,
			"is not the address of a host; write one such"
			" as %s",
			k->fallback);
	/* Two hosts need two addresses: RFC 3021 and RFC 6164 allow for /31
	 * and /127. */
	if (p.len > 127 || p.len < shortest)
		return conf_refuse(
			err, k, text,
			"has an unusable prefix length; write /%d to /%d",
			want4 ? 8 : 16, want4 ? 31 : 127);
	*field = p;
	return true;
}

/** conf_set_listen_address() - own, an address, or a prefix */
bool conf_set_listen_address(const struct conf_key *k, const char *text,
			     void *base, char *err)
{
	struct ip_prefix *field = (void *)((char *)base + k->at);
	struct ip_prefix p;

	if (strcmp(text, "own") == 0) {
		memset(field, 0, sizeof(*field));
		return true;
	}
	if (!ipprefix_parse(text, &p))
		return conf_refuse(err, k, text,
				   "is no address; write own, an address or a"
				   " prefix");
	ipprefix_mask(&p);
	*field = p;
	return true;
}

/** conf_set_allow() - any, or a list of prefixes and `host` */
bool conf_set_allow(const struct conf_key *k, const char *text, void *base,
		    char *err)
{
	struct conf_listener *l = base, got = {.allow_host = false};
	const char *p = text;

	(void)k;
	if (strcmp(text, "any") != 0) {
		do {
			size_t len = strcspn(p, ",");

			if (!allow_one(&got, p, len, err))
				return false;
			p += len;
		} while (*p++ == ',');
	}
	l->allow_host = got.allow_host;
	l->l.nallow = got.l.nallow;
	memcpy(l->l.allow, got.l.allow, sizeof(l->l.allow));
	return true;
}

/* RFC 1122, 3.2.1.3 and RFC 4291, 2.4: what an interface may be called. */
static bool is_unicast(const struct ip_addr *a)
{
	static const char *const never[] = {
		"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3",
		"::/96",     "fe80::/10",   "ff00::/8",
	};
	struct ip_prefix p;

	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		if (ipprefix_parse(never[i], &p) && ip_prefix_has(&p, a))
			return false;
	}
	return true;
}

/* One part of an allow-list, between commas. `host` takes the room of a network of each
 * family; conf.c puts them there when the addresses are known. */
static bool allow_one(struct conf_listener *l, const char *text, size_t len,
		      char *err)
{
	size_t room = STACK_ALLOW_MAX - (l->allow_host ? 2u : 0u);
	char word[2 * IPPREFIX_TEXT_MAX]; /* no prefix is cut short */
	struct ip_prefix p;

	for (; len && isspace((unsigned char)*text); len--)
		text++;
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	snprintf(word, sizeof(word), "%.*s", (int)len, text);
	if (strcmp(word, "host") == 0) {
		l->allow_host = true;
		if (l->l.nallow <= STACK_ALLOW_MAX - 2)
			return true;
	} else if (!ipprefix_parse(word, &p)) {
		snprintf(err, CONF_MESSAGE_MAX,
			 "allow has '%s'; write any, or host and prefixes such"
			 " as 10.0.0.0/8, with commas",
			 word);
		return false;
	} else if (l->l.nallow < room) {
		ipprefix_mask(&p);
		l->l.allow[l->l.nallow++] = p;
		return true;
	}
	snprintf(err, CONF_MESSAGE_MAX,
		 "allow has too many prefixes; %d are the limit, host counts"
		 " as 2",
		 STACK_ALLOW_MAX);
	return false;
}
