/*
 * rig_pieces.c - Segments that the peer sends in fragments
 */
#include <string.h>

#include "core/be.h"
#include "core/wire.h"
#include "core/reasm.h"
#include "rig.h"

#define IP6_FRAG  44
#define FRAG6_LEN 8

struct rig_whole *rig_whole(const struct rig_seg *s, uint32_t id)
{
	static struct rig_whole w;

	w.len = rig_packet(w.pkt, s);
	w.head = rig.v6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	w.id = id;
	return &w;
}

void rig_seal4(uint8_t *head)
{
	be_put16(head + 10, 0);
	be_put16(head + 10, csum_fold(csum_partial(head, WIRE_IP4_LEN, 0)));
}

uint32_t rig_cut(uint8_t *pkt, const struct rig_whole *w, uint32_t from,
		 uint32_t to)
{
	uint32_t body = w->head;
	bool more = to < w->len - w->head;

	memcpy(pkt, w->pkt, w->head);
	if (rig.v6) {
		pkt[body] = pkt[6];
		pkt[body + 1] = 0;
		pkt[6] = IP6_FRAG;
		be_put16(pkt + body + 2, (uint16_t)(from | more));
		be_put32(pkt + body + 4, w->id);
		body += FRAG6_LEN;
		be_put16(pkt + 4, (uint16_t)(FRAG6_LEN + to - from));
	} else {
		be_put16(pkt + 2, (uint16_t)(body + to - from));
		be_put16(pkt + 4, (uint16_t)w->id);
		be_put16(pkt + 6, (uint16_t)(from / 8 | more << 13));
		rig_seal4(pkt);
	}
	memcpy(pkt + body, w->pkt + w->head + from, to - from);
	return body + to - from;
}

void rig_rx_piece(const struct rig_whole *w, uint32_t from, uint32_t to)
{
	static uint8_t pkt[RIG_PACKET_MAX];

	rig_rx_packet(pkt, rig_cut(pkt, w, from, to));
}
