/*
 * reasm_rig.c - Packets cut into fragments, and what becomes of them
 */
#include "reasm_rig.h"

#include <string.h>

#include <tcphs/stack.h>

#include "core/be.h"
#include "unit.h"

void rig_init(struct reasm_rig *r, uint32_t pages)
{
	static const uint8_t key[16] = "no secret at all", tags[3] = {1, 2, 3};

	arena_rig_init(&r->mem, pages);
	reasm_init(&r->r, &r->mem.arena, key, tags);
	r->now_us = RIG_NOW;
}

void rig_free(struct reasm_rig *r)
{
	struct reasm_lost lost;

	while (reasm_deadline(&r->r) != TIME_NEVER)
		CU_ASSERT_TRUE_FATAL(
			reasm_expire(&r->r, reasm_deadline(&r->r), &lost));
	CU_ASSERT_FALSE(reasm_expire(&r->r, r->now_us + (1ll << 40), &lost));
	CU_ASSERT_EQUAL(r->r.dgrams.in_use, 0);
	CU_ASSERT_EQUAL(r->r.blks.in_use, 0);
	CU_ASSERT(r->mem.arena.used <= 2);
	for (size_t i = 0; i < REASM_BUCKETS; i++)
		CU_ASSERT_EQUAL(r->r.held[i], 0);
	arena_rig_free(&r->mem);
}

/* RFC 1071, one word after the other. */
void whole_seal(struct whole *w)
{
	uint32_t sum = 0;

	be_put16(w->b + 10, 0);
	for (uint32_t i = 0; i < w->head; i += 2)
		sum += be_get16(w->b + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	be_put16(w->b + 10, (uint16_t)~sum);
}

static void fill(struct whole *w, uint32_t len, uint8_t with)
{
	for (uint32_t i = 0; i < len; i++)
		w->b[w->head + i] = (uint8_t)(i * 7 + (i >> 8) * 5 + with);
	w->len = w->head + len;
}

void whole4(struct whole *w, uint8_t proto, uint32_t opts, uint32_t len)
{
	static const uint8_t head[20] = {
		0x45, [8] = 64, [12] = 198, 18, 66, 1, 198, 18, 66, 2,
	};

	memcpy(w->b, head, sizeof(head));
	memset(w->b + sizeof(head), 1, opts);
	w->b[0] = (uint8_t)(0x45 + opts / 4);
	w->b[9] = proto;
	w->v6 = false;
	w->head = (uint32_t)sizeof(head) + opts;
	fill(w, len, 4);
	be_put16(w->b + 2, w->len);
	be_put16(w->b + 4, RIG_ID);
	whole_seal(w);
}

void whole6(struct whole *w, uint8_t proto, bool ext, uint32_t len)
{
	static const uint8_t head[40] = {
		0x60, [7] = 64, 0xfd, 0x74, [23] = 1, 0xfd, 0x74, [39] = 2,
	};
	/* Destination options, padding only, and a route that is over. */
	static const uint8_t more[24] = {
		IP6_ROUTING, 1, 1, 12, [16] = 0, 0, 4, 0,
	};

	memcpy(w->b, head, sizeof(head));
	memcpy(w->b + sizeof(head), more, sizeof(more));
	w->v6 = true;
	w->head = ext ? sizeof(head) + sizeof(more) : sizeof(head);
	w->next_at = ext ? 56 : 6;
	w->b[6] = IP6_DSTOPTS;
	w->b[w->next_at] = proto;
	fill(w, len, 6);
	be_put16(w->b + 4, w->len - 40);
}

void whole_tcp(struct whole *w, bool v6, uint32_t len)
{
	if (v6)
		whole6(w, IP_PROTO_TCP, false, len);
	else
		whole4(w, IP_PROTO_TCP, 0, len);
}

void whole_cut(struct whole *f, const struct whole *w, uint32_t id,
	       uint32_t from, uint32_t to, bool more)
{
	*f = *w;
	if (w->v6) {
		f->head += 8;
		f->b[f->next_at] = 44;
		f->b[w->head] = w->b[w->next_at];
		f->b[w->head + 1] = 0;
		be_put16(f->b + w->head + 2, from | more);
		be_put16(f->b + w->head + 4, 0xabcd);
		be_put16(f->b + w->head + 6, id);
	}
	memcpy(f->b + f->head, w->b + w->head + from, to - from);
	f->len = f->head + to - from;
	if (w->v6) {
		be_put16(f->b + 4, f->len - 40);
		return;
	}
	be_put16(f->b + 2, f->len);
	be_put16(f->b + 4, id);
	be_put16(f->b + 6, from / 8 | (uint32_t)more << 13);
	whole_seal(f);
}

enum reasm_verdict rig_input(struct reasm_rig *r, const struct whole *f)
{
	struct ip_pkt ip;

	CU_ASSERT_EQUAL_FATAL(wire_ip_parse(f->b, f->len, &ip), DROP_NONE);
	CU_ASSERT_TRUE_FATAL(ip.fragment);
	return reasm_input(&r->r, &ip, r->now_us, &r->out);
}

enum reasm_verdict rig_put(struct reasm_rig *r, const struct whole *w,
			   uint32_t id, uint32_t from, uint32_t to)
{
	static struct whole f;

	whole_cut(&f, w, id, from, to, to < w->len - w->head);
	return rig_input(r, &f);
}

void rig_expect(struct reasm_rig *r, const struct whole *w)
{
	struct ip_pkt ip;

	CU_ASSERT_EQUAL_FATAL(r->out.len, w->len);
	CU_ASSERT_EQUAL(memcmp(r->out.data, w->b, w->len), 0);
	CU_ASSERT_EQUAL(wire_ip_parse(r->out.data, r->out.len, &ip), DROP_NONE);
	CU_ASSERT_FALSE(ip.fragment);
	CU_ASSERT_EQUAL(ip.body_len, w->len - w->head);
	reasm_release(&r->r);
}
