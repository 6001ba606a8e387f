/*
 * packet.c - Packets written by hand
 */
#include "packet.h"

#include <string.h>

static const uint8_t head4[20] = {
	0x45, 0, 0,   0,  0x12, 0x34, 0x40, 0,	64, 0,
	0,    0, 198, 18, 66,	1,    198,  18, 66, 2,
};

static const uint8_t head6[40] = {
	0x60, 0,    0,	  0,	0,    0,    0,	      64, /* */
	0xfd, 0x74, 0x63, 0x70, 0x68, 0x73, [23] = 1,	  /* source */
	0xfd, 0x74, 0x63, 0x70, 0x68, 0x73, [39] = 2,	  /* destination */
};

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

uint16_t packet_csum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

void packet_ip4(struct packet *p, uint8_t proto, const void *body, size_t len)
{
	memcpy(p->b, head4, sizeof(head4));
	p->b[9] = proto;
	p->body = sizeof(head4);
	p->len = p->body + len;
	put16(p->b + 2, p->len);
	if (len)
		memcpy(p->b + p->body, body, len);
	packet_seal(p);
}

void packet_ip6(struct packet *p, uint8_t proto, const void *body, size_t len)
{
	memcpy(p->b, head6, sizeof(head6));
	p->b[6] = proto;
	p->body = sizeof(head6);
	p->len = p->body + len;
	put16(p->b + 4, len);
	if (len)
		memcpy(p->b + p->body, body, len);
	packet_seal(p);
}

void packet_tcp(struct packet *p, int v6, uint8_t flags, const void *opts,
		size_t optlen, const void *text, size_t len)
{
	uint8_t t[PACKET_MAX - 40] = {
		0x9c, 0x40, 0, 7, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
		0x07, 0x08, 0, 0, 0xab, 0xcd, 0,    0,	  0x11, 0x12,
	};

	t[12] = (uint8_t)((20 + optlen) / 4 << 4);
	t[13] = flags;
	if (optlen)
		memcpy(t + 20, opts, optlen);
	if (len)
		memcpy(t + 20 + optlen, text, len);
	(v6 ? packet_ip6 : packet_ip4)(p, 6, t, 20 + optlen + len);
}

void packet_icmp(struct packet *p, int v6, uint8_t type, uint8_t code,
		 uint32_t rest, const void *data, size_t len)
{
	uint8_t m[PACKET_MAX - 40] = {type, code};

	put16(m + 4, rest >> 16);
	put16(m + 6, rest & 0xffff);
	if (len)
		memcpy(m + 8, data, len);
	if (v6)
		packet_ip6(p, 58, m, 8 + len);
	else
		packet_ip4(p, 1, m, 8 + len);
}

/* The checksum over a pseudo-header and @len bytes at @body. */
static uint16_t with_pseudo(const struct packet *p, uint8_t proto)
{
	uint8_t all[PACKET_MAX + 40];
	size_t addrs = p->b[0] >> 4 == 4 ? 8 : 32, len = p->len - p->body;

	memset(all, 0, addrs + 8);
	memcpy(all, p->b + (addrs == 8 ? 12 : 8), addrs);
	put16(all + addrs + 2, len);
	all[addrs + 7] = proto;
	memcpy(all + addrs + 8, p->b + p->body, len);
	return packet_csum(all, addrs + 8 + len);
}

void packet_seal(struct packet *p)
{
	uint8_t *body = p->b + p->body;
	size_t len = p->len - p->body;
	uint8_t proto = p->b[p->b[0] >> 4 == 4 ? 9 : 6];

	if (p->b[0] >> 4 == 4) {
		put16(p->b + 10, 0);
		put16(p->b + 10, packet_csum(p->b, p->body));
	}
	if (proto == 6 && len >= 18) {
		put16(body + 16, 0);
		put16(body + 16, with_pseudo(p, 6));
	} else if (proto == 58 && len >= 4) {
		put16(body + 2, 0);
		put16(body + 2, with_pseudo(p, 58));
	} else if (proto == 1 && len >= 4) {
		put16(body + 2, 0);
		put16(body + 2, packet_csum(body, len));
	}
}
