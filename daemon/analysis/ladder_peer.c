/*
 * ladder_peer.c - The state of the other side, as far as it shows
 *
 * We know our own state. The other side's is inferred from what it sent, and
 * from nothing else: that a packet of ours left does not say that it arrived.
 * So states that change without a packet, as FIN-WAIT-2, never show, and the
 * last one stays the last that could be told.
 */
#include <string.h>

#include "ladder_priv.h"

static bool acks(const struct segment *s, uint32_t number);
static void see_from_it(struct ladder_peer *peer, const struct segment *s);
static const char *closing(const struct ladder_peer *peer);

void ladder_peer_init(struct ladder_peer *peer, bool client)
{
	memset(peer, 0, sizeof(*peer));
	/* A server listens, or does not: its answer tells. */
	peer->state = client ? "CLOSED" : "";
}

void ladder_peer_see(struct ladder_peer *peer, const struct segment *s,
		     bool out)
{
	if (s->kind != SEGMENT_TCP)
		return;
	if (!out) {
		see_from_it(peer, s);
		return;
	}
	if (s->flags & TH_FIN && !peer->fin_seen) {
		peer->fin_seen = true;
		peer->our_fin = s->seq + s->text_len + 1;
		peer->fin_acked = peer->fin_out && acks(s, peer->its_fin);
	}
}

static bool acks(const struct segment *s, uint32_t number)
{
	return s->flags & TH_ACK && (int32_t)(s->ack - number) >= 0;
}

static void see_from_it(struct ladder_peer *peer, const struct segment *s)
{
	if (s->flags & TH_RST) {
		peer->state = "CLOSED";
		return;
	}
	if (s->flags & TH_SYN) {
		peer->state = s->flags & TH_ACK ? "SYN-RECEIVED" : "SYN-SENT";
		return;
	}
	if (s->flags & TH_FIN && !peer->fin_out) {
		peer->fin_out = true;
		peer->its_fin = s->seq + s->text_len + 1;
	}
	if (peer->fin_seen && acks(s, peer->our_fin))
		peer->fin_in = true;
	peer->state = closing(peer);
}

/* RFC 9293, 3.3.2, figure 5: from both FINs, and from who was first. */
static const char *closing(const struct ladder_peer *peer)
{
	if (!peer->fin_out)
		return peer->fin_in ? "CLOSE-WAIT" : "ESTABLISHED";
	if (strcmp(peer->state, "CLOSE-WAIT") == 0 ||
	    strcmp(peer->state, "LAST-ACK") == 0)
		return "LAST-ACK";
	if (!peer->fin_in)
		return "FIN-WAIT-1";
	if (peer->fin_acked || strcmp(peer->state, "TIME-WAIT") == 0)
		return "TIME-WAIT";
	/* Its FIN came with the ACK of ours: it was closed by us first. */
	return strcmp(peer->state, "FIN-WAIT-1") == 0 ? "CLOSING" : "LAST-ACK";
}
