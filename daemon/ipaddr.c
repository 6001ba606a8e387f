/*
 * ipaddr.c - Addresses and prefixes as text
 *
 * Inside, every address has 16 bytes and IPv4 is ::ffff:a.b.c.d (RFC 4291,
 * 2.5.5.2), so an IPv4 /24 is a prefix of 96 + 24 bits. Outside, people see
 * and write dotted quads and /24. The C library does the addresses; what is
 * added here is the mapping, the prefix lengths, and the strictness: the whole
 * text must be an address, and a length has digits and no leading zero.
 */
#include <tcphs/ipaddr.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define IP4_BITS 96 /* of ::ffff:0:0/96, in front of the IPv4 address */

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void format4(const uint8_t b[4], char *to);
static bool parse_length(const char *text, unsigned int max, unsigned int *len);

/**
 * ipaddr_parse() - Read an address
 * @text: The address and nothing else
 * @a:    Untouched on failure
 *
 * An IPv4 address may also be written as ::ffff:198.18.66.2: it is the same.
 *
 * Return: false if it is neither an IPv4 nor an IPv6 address
 */
bool ipaddr_parse(const char *text, struct ip_addr *a)
{
	struct ip_addr got;

	if (inet_pton(AF_INET, text, &got.b[sizeof(mapped)]) == 1)
		memcpy(got.b, mapped, sizeof(mapped));
	else if (inet_pton(AF_INET6, text, got.b) != 1)
		return false;
	*a = got;
	return true;
}

/**
 * ipprefix_parse() - Read a prefix or an address
 * @text: "198.18.66.1/24", "fd74::1/64", or an address alone
 * @p:    Keeps the host bits; an address alone is a /32 or /128
 *
 * Return: false, and @p untouched, if it is neither
 */
bool ipprefix_parse(const char *text, struct ip_prefix *p)
{
	const char *slash = strchr(text, '/');
	char host[IPADDR_TEXT_MAX];
	unsigned int base = 0, len;
	struct ip_addr a;
	size_t n;

	n = slash ? (size_t)(slash - text) : strlen(text);
	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	if (!ipaddr_parse(host, &a))
		return false;
	if (!strchr(host, ':'))
		base = IP4_BITS; /* the length counts bits of a dotted quad */
	len = 128 - base;
	if (slash && !parse_length(slash + 1, 128 - base, &len))
		return false;
	p->addr = a;
	p->len = (uint8_t)(base + len);
	return true;
}

/**
 * ipprefix_mask() - Clear the bits behind the prefix
 * @p: 198.18.66.1/24 becomes 198.18.66.0/24
 */
void ipprefix_mask(struct ip_prefix *p)
{
	unsigned int whole = p->len / 8, rest = p->len % 8;

	if (rest) {
		p->addr.b[whole] &= (uint8_t)(0xff << (8 - rest));
		whole++;
	}
	memset(p->addr.b + whole, 0, sizeof(p->addr.b) - whole);
}

/**
 * ipaddr_format() - Write an address
 * @a:   Address
 * @buf: Gets IPv4 dotted, IPv6 in the form of RFC 5952
 *
 * Return: @buf
 */
const char *ipaddr_format(const struct ip_addr *a, char buf[IPADDR_TEXT_MAX])
{
	if (ip_addr_is4(a))
		format4(a->b + sizeof(mapped), buf);
	else
		inet_ntop(AF_INET6, a->b, buf, IPADDR_TEXT_MAX);
	return buf;
}

/* inet_ntop() goes through printf(): 150 ns, and each event has two. */
static void format4(const uint8_t b[4], char *to)
{
	for (int i = 0; i < 4; i++) {
		if (b[i] >= 100)
			*to++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*to++ = (char)('0' + b[i] / 10 % 10);
		*to++ = (char)('0' + b[i] % 10);
		*to++ = i < 3 ? '.' : '\0';
	}
}

/**
 * ipprefix_format() - Write a prefix
 * @p:   Prefix; one that reaches beyond IPv4 is written as IPv6
 * @buf: Gets "198.18.66.0/24"
 *
 * Return: @buf
 */
const char *ipprefix_format(const struct ip_prefix *p,
			    char buf[IPPREFIX_TEXT_MAX])
{
	unsigned int len = p->len;
	size_t n;

	if (ip_addr_is4(&p->addr) && len >= IP4_BITS) {
		ipaddr_format(&p->addr, buf);
		len -= IP4_BITS;
	} else {
		inet_ntop(AF_INET6, p->addr.b, buf, IPADDR_TEXT_MAX);
	}
	n = strlen(buf);
	snprintf(buf + n, IPPREFIX_TEXT_MAX - n, "/%u", len);
	return buf;
}

/**
 * ipport_format() - Write one end of a connection
 * @a:    Address
 * @port: Port, host order
 * @buf:  Gets "198.18.66.2:80" or "[fd74::2]:80" (RFC 5952, 6)
 *
 * Return: @buf
 */
const char *ipport_format(const struct ip_addr *a, unsigned int port,
			  char buf[IPPORT_TEXT_MAX])
{
	unsigned int div = 10000;
	char *to = buf;

	if (ip_addr_is4(a)) {
		format4(a->b + sizeof(mapped), to);
	} else {
		*to++ = '[';
		inet_ntop(AF_INET6, a->b, to, IPADDR_TEXT_MAX);
	}
	to += strlen(to);
	if (!ip_addr_is4(a))
		*to++ = ']';
	*to++ = ':';
	port &= 0xffff;
	while (div > 1 && port < div)
		div /= 10;
	for (; div; div /= 10)
		*to++ = (char)('0' + port / div % 10);
	*to = '\0';
	return buf;
}

/* At most three digits, none of them a leading zero. */
static bool parse_length(const char *text, unsigned int max, unsigned int *len)
{
	size_t digits = strspn(text, "0123456789");
	unsigned int n = 0;

	if (digits == 0 || digits > 3 || text[digits] ||
	    (digits > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (unsigned int)(text[i] - '0');
	if (n > max)
		return false;
	*len = n;
	return true;
}
