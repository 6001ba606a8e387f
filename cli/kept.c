/*
 * kept.c - Packets of a captured connection, kept for its ladder
 *
 * The first ones stay; behind them lies a ring of the last ones. Of each there
 * are as many bytes as headers take, from the IP header on.
 */
#include "kept.h"

#include <stdlib.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#define SNAP 128

struct kept_packet {
	int64_t ns;
	uint64_t frame;
	uint32_t number, len;
	bool out; /* of the server */
	uint8_t snapped;
	uint8_t bytes[SNAP];
};

struct kept {
	uint32_t half, seen;
	struct kept_packet packet[];
};

static void take(struct ladder_packet *to, const struct kept_packet *p,
		 const struct verdict *v);

struct kept *kept_new(uint32_t half)
{
	struct kept *k = malloc(kept_bytes(half));

	if (k)
		*k = (struct kept){.half = half};
	return k;
}

void kept_free(struct kept *k)
{
	free(k);
}

size_t kept_bytes(uint32_t half)
{
	return sizeof(struct kept) +
	       2 * (size_t)half * sizeof(struct kept_packet);
}

void kept_add(struct kept *k, const struct packet *p,
	      const struct packet_place *at)
{
	uint32_t n = k->seen++, half = k->half;
	struct kept_packet *to =
		&k->packet[n < half ? n : half + (n - half) % half];

	to->ns = p->ns;
	to->frame = p->number;
	to->number = n + 1;
	to->len = p->ip_len;
	/* An error goes to the one whose segment it quotes. */
	to->out = (at->side == SERVER) == (p->kind == PACKET_TCP);
	to->snapped = (uint8_t)(p->ip_cap < SNAP ? p->ip_cap : SNAP);
	if (to->snapped)
		memcpy(to->bytes, p->ip, to->snapped);
}

char *kept_draw(const struct kept *k, diagram_fn *draw,
		const struct ladder_style *style, const char *id,
		const struct verdict *v)
{
	uint32_t all = 2 * k->half, n = k->seen < all ? k->seen : all;
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];
	char client[IPPORT_TEXT_MAX], server[IPPORT_TEXT_MAX], words[256];
	struct ladder_packet *packets = calloc(n ? n : 1, sizeof(*packets));
	struct ladder l = {
		.id = id,
		.local = ipport_format(&s->addr, s->port, server),
		.peer = ipport_format(&c->addr, c->port, client),
		.watched = true,
		.verdict = words,
		.packets = packets,
		.npackets = n,
		.seen = k->seen,
	};
	char *text;

	if (!packets)
		return NULL;
	verdict_sentence(v, words, sizeof(words));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t slot = i;

		if (k->half && i >= k->half && k->seen > all)
			slot = k->half +
			       (k->seen - all + i - k->half) % k->half;
		take(&packets[i], &k->packet[slot], v);
	}
	text = draw(&l, style);
	free(packets);
	/* cppcheck-suppress returnDanglingLifetime ; it is of the heap */
	return text;
}

/* A RST that nobody may take changes no state, so it is drawn as lost. */
static void take(struct ladder_packet *to, const struct kept_packet *p,
		 const struct verdict *v)
{
	*to = (struct ladder_packet){
		.at_us = p->ns / 1000,
		.number = p->number,
		.len = p->len,
		.out = p->out,
		.before = "",
		.after = "",
		.frame = p->frame,
		.data = p->bytes,
		.snapped = p->snapped,
	};
	for (int i = 0; i < v->nanomalies; i++) {
		const struct anomaly *a = &v->anomaly[i];

		if (a->kind != ANOMALY_RST_OUT_OF_WINDOW ||
		    a->frame != p->frame)
			continue;
		to->drop = anomaly_meaning(a->kind);
		to->clause = anomaly_clause(a->kind);
	}
}
