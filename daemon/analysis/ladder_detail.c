/*
 * ladder_detail.c - All that one packet says
 */
#include <inttypes.h>
#include <stdio.h>

#include "ladder_priv.h"

#define BYTES_A_LINE 16

static void put_tcp(struct paper *p, const struct segment *s);
static void put_bytes(struct paper *p, const struct ladder_packet *packet,
		      uint32_t from);

void ladder_detail(struct paper *p, const struct ladder_view *v,
		   const struct ladder_row *r)
{
	const struct ladder_packet *packet = r->p;
	const struct segment *s = &r->seg;

	paper_put(p, "packet %" PRIu32 ", %s%s, %" PRIu32 " bytes\n",
		  packet->number,
		  v->l->watched ? "from the "
		  : packet->out ? "sent"
				: "received",
		  !v->l->watched ? ""
		  : r->right	 ? v->left_name
				 : v->right_name,
		  packet->len);
	if (packet->frame)
		paper_put(p, "  frame     %" PRIu64 "\n", packet->frame);
	paper_put(p, "  what      %s\n", r->label);
	if (*r->note)
		paper_put(p, "  note      %s\n", r->note);
	if (!v->l->watched)
		paper_put(p, "  our state %s -> %s\n", packet->before,
			  packet->after);
	if (*r->drop)
		paper_put(p, "  dropped   %s\n", r->drop);
	paper_put(p, "  IP        version %d, ttl %u, tos 0x%02x%s\n",
		  s->v6 ? 6 : 4, s->ttl, s->tos,
		  s->fragment ? ", a fragment" : "");
	if (s->kind == SEGMENT_TCP)
		put_tcp(p, s);
	put_bytes(p, packet, s->head_len);
}

static void put_tcp(struct paper *p, const struct segment *s)
{
	paper_put(p,
		  "  TCP       port %u -> %u, seq %" PRIu32 ", ack %" PRIu32
		  "\n",
		  s->sport, s->dport, s->seq, s->ack);
	paper_put(
		p,
		"            flags 0x%02x, window %u, checksum 0x%04x, urgent "
		"%u\n",
		s->flags, s->wnd, s->csum, s->up);
	if (s->options & SEGMENT_TS)
		paper_put(p, "  timestamp %" PRIu32 ", echo %" PRIu32 "\n",
			  s->ts_val, s->ts_ecr);
}

/* The text, as far as it was kept. */
static void put_bytes(struct paper *p, const struct ladder_packet *packet,
		      uint32_t from)
{
	for (size_t at = from; at < packet->snapped; at += BYTES_A_LINE) {
		size_t n = packet->snapped - at;

		n = n < BYTES_A_LINE ? n : BYTES_A_LINE;
		paper_put(p, "  %s", at == from ? "text      " : "          ");
		for (size_t i = 0; i < BYTES_A_LINE; i++)
			if (i < n)
				paper_put(p, "%02x ", packet->data[at + i]);
			else
				paper_put(p, "   ");
		paper_put(p, " ");
		for (size_t i = 0; i < n; i++) {
			uint8_t c = packet->data[at + i];

			paper_put(p, "%c", c >= ' ' && c < 0x7f ? c : '.');
		}
		paper_put(p, "\n");
	}
}
