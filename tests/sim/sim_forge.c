/*
 * sim_forge.c - What nobody sent
 *
 * An attacker who is not on the path knows the addresses and ports of a
 * connection and guesses the rest; a network sends copies of what was long
 * delivered; a router complains about what it did not understand. None of it
 * may change a byte of a stream or end a connection (RFC 5961, RFC 5927,
 * RFC 9293, 3.10.7.4). To hit hard, forgeries are better than guesses: they
 * come from what the watch knows, and miss by as little as the RFCs say they
 * must. What no stack can tell from the truth is not forged.
 */
#include "sim.h"

#include <string.h>

#include "sim_segment.h"

/* Answers to forgeries pass by as well, and must not keep it going. */
#define FORGED_MAX 3000

enum forgery {
	FORGE_RST_BLIND,
	FORGE_RST_WINDOW, /* in the window, not at its left edge */
	FORGE_SYN_BLIND,
	FORGE_SYN_WINDOW,
	FORGE_SYNACK_WINDOW,
	FORGE_TEXT_NO_ACK,
	FORGE_TEXT_ACK_FUTURE,
	FORGE_TEXT_ACK_OLD,
	FORGE_TEXT_CLOCK, /* and a timestamp from the future */
	FORGE_ACK_FUTURE,
	FORGE_ACK_OLD,
	FORGE_FIN_NO_ACK,
	FORGE_ICMP_SOFT,
	FORGE_ICMP_HARD,
	FORGE_ICMP_STALE,
	FORGE_ICMP_STALE_BIG,
	FORGE_NOISE,
	FORGERIES,
};

static void forge_segment(struct sim *sim, unsigned int to,
			  const struct segment *seen, enum forgery what);
static void forge_icmp(struct sim *sim, unsigned int to, const uint8_t *pkt,
		       uint32_t len, enum forgery what);
static void forge_noise(struct sim *sim, unsigned int to, const uint8_t *pkt,
			uint32_t len);

/** forge_again() - Keep a packet, and let an older one come again */
void forge_again(struct link *l, const uint8_t *pkt, uint32_t len)
{
	struct sim *sim = l->sim;
	uint32_t ppm = sim->opts->forge.replay_ppm;
	struct old_packet *old;
	struct segment s;

	if (!ppm || sim->forged == FORGED_MAX || !segment_parse(pkt, len, &s) ||
	    s.flags & TH_RST)
		return;
	old = &sim->old[rand_between(&sim->forge, 0, OLD_PACKETS - 1)];
	if (old->len && rand_chance(&sim->forge, ppm) && ++sim->forged)
		link_inject(sim, old->to, old->data, old->len,
			    sim->now_us +
				    (int64_t)rand_log(&sim->forge, 1, 20000000),
			    false);
	if (len > sizeof(old->data))
		return;
	old->to = !l->from;
	old->len = len;
	memcpy(old->data, pkt, len);
}

/** forge_beside() - A packet passes: time to forge something? */
void forge_beside(struct link *l, const uint8_t *pkt, uint32_t len)
{
	const struct forge_opts *o = &l->sim->opts->forge;
	struct sim *sim = l->sim;
	unsigned int to;
	enum forgery what;
	struct segment s;

	if (!rand_chance(&sim->forge, o->ppm) || sim->forged == FORGED_MAX ||
	    !segment_parse(pkt, len, &s))
		return;
	sim->forged++;
	what = (enum forgery)rand_between(&sim->forge, 0, FORGERIES - 1);
	to = (unsigned int)rand_between(&sim->forge, 0, 1);
	if (what >= FORGE_ICMP_SOFT && what <= FORGE_ICMP_STALE_BIG)
		to = l->from; /* it is about what this side sent */
	if (!sim->host[to].st)
		return;
	if (what == FORGE_NOISE)
		forge_noise(sim, to, pkt, len);
	else if (what >= FORGE_ICMP_SOFT)
		forge_icmp(sim, to, pkt, len, what);
	else
		forge_segment(sim, to, &s, what);
}

/* A number in the window of @w that its peer has not reached yet. */
static bool window_number(struct sim *sim, const struct watch *w,
			  const struct watch *peer, unsigned int to,
			  uint32_t *seq)
{
	uint32_t next = peer->max + sim_shift(sim, !to);

	if (!w->has_edge || ahead(w->edge, next) < 3)
		return false;
	*seq = next +
	       (uint32_t)rand_between(&sim->forge, 1, w->edge - next - 2);
	return true;
}

static void forge_clock(struct sim *sim, const struct watch *peer,
			struct segment *s)
{
	uint8_t body[8];

	put32(body, peer->ts_val[0] + 0x70000000);
	put32(body + 4, (uint32_t)rand_next(&sim->forge));
	segment_opt_add(s, KIND_TS, body, 8);
}

static void forge_text(struct segment *s)
{
	static const uint8_t lies[40] = "none of this may ever be delivered";

	s->text = lies;
	s->len = sizeof(lies);
	s->flags |= TH_PSH;
}

/* An ACK beyond what was sent, or older than the largest window. */
static void forge_ack(struct sim *sim, const struct watch *w, bool future,
		      struct segment *s)
{
	uint32_t off = (uint32_t)rand_between(&sim->forge, 1, 1u << 29);

	s->flags |= TH_ACK;
	s->ack = future ? w->max + off + 100000000
			: w->heard_ack - (1u << 30) - off;
}

static bool forge_shape(struct sim *sim, unsigned int to, const struct watch *w,
			const struct watch *peer, enum forgery what,
			struct segment *s)
{
	bool in_window = window_number(sim, w, peer, to, &s->seq);

	switch (what) {
	case FORGE_RST_BLIND:
	case FORGE_SYN_BLIND:
		s->flags = what == FORGE_RST_BLIND ? TH_RST : TH_SYN;
		s->seq = w->ack + (1u << 31) +
			 (uint32_t)rand_between(&sim->forge, 0, 1u << 29);
		return true;
	case FORGE_RST_WINDOW:
		s->flags = TH_RST;
		return in_window;
	case FORGE_SYN_WINDOW:
		s->flags = TH_SYN;
		return in_window;
	case FORGE_SYNACK_WINDOW:
		s->flags = TH_SYN;
		forge_ack(sim, w, false, s);
		return in_window;
	case FORGE_TEXT_NO_ACK:
		forge_text(s);
		return in_window;
	case FORGE_FIN_NO_ACK:
		s->flags = TH_FIN;
		return in_window;
	case FORGE_TEXT_CLOCK:
		forge_clock(sim, peer, s);
		s->seq = w->ack - 5; /* spans the left edge */
		forge_ack(sim, w, rand_one_in(&sim->forge, 2), s);
		forge_text(s);
		return peer->has_ts_val[0];
	case FORGE_TEXT_ACK_FUTURE:
	case FORGE_TEXT_ACK_OLD:
		forge_text(s);
		forge_ack(sim, w, what == FORGE_TEXT_ACK_FUTURE, s);
		return in_window;
	default:
		forge_ack(sim, w, what == FORGE_ACK_FUTURE, s);
		return in_window;
	}
}

static void forge_segment(struct sim *sim, unsigned int to,
			  const struct segment *seen, enum forgery what)
{
	uint16_t client =
		sim->watch[seen->sport][0].text ? seen->sport : seen->dport;
	const struct watch *w = &sim->watch[client][to],
			   *peer = &sim->watch[client][!to];
	static uint8_t buf[SIM_PACKET_MAX];
	struct ip_addr src = swarm_addr(seen->v6, !to),
		       dst = swarm_addr(seen->v6, to);
	uint32_t skip = seen->v6 ? 0 : 12, size = seen->v6 ? 16 : 4;
	bool from_here = seen->sport == client;
	struct segment s = {.v6 = seen->v6, .ttl = 250, .wnd = 1000};

	/* The handshake is weak by nature, and TIME-WAIT gives way to a SYN that
	 * could be a new one (RFC 6191). */
	if (!w->text || !peer->text || w->mixed || w->fin)
		return;
	memcpy(s.src, src.b + skip, size);
	memcpy(s.dst, dst.b + skip, size);
	s.sport = to == 1 ? client : from_here ? seen->dport : seen->sport;
	s.dport = to == 0 ? client : from_here ? seen->dport : seen->sport;
	if (forge_shape(sim, to, w, peer, what, &s))
		link_inject(sim, to, buf, segment_build(buf, &s), sim->now_us,
			    true);
}

/* About a packet that @to sent. Errors about a SYN are believed, and may be. */
static void forge_icmp(struct sim *sim, unsigned int to, const uint8_t *pkt,
		       uint32_t len, enum forgery what)
{
	static const uint8_t hard4[] = {2, 3, 9, 10, 13}, soft4[] = {0, 1, 5},
			     hard6[] = {1, 4, 5, 6}, soft6[] = {0, 2, 3};
	static uint8_t buf[SIM_PACKET_MAX], quote[128];
	uint32_t head = pkt[0] >> 4 == 6 ? 40 : 20, n;
	bool v6 = head == 40, big = what == FORGE_ICMP_STALE_BIG;
	struct rand *r = &sim->forge;
	uint8_t code;

	n = len < sizeof(quote) ? len : sizeof(quote);
	memcpy(quote, pkt, n);
	if (what >= FORGE_ICMP_STALE)
		put32(quote + head + 4,
		      get32(pkt + head + 4) + (1u << 30) +
			      (uint32_t)rand_between(r, 0, 1u << 31));
	else if (pkt[head + 13] & TH_SYN)
		return;
	if (what == FORGE_ICMP_SOFT)
		code = v6 ? soft6[rand_between(r, 0, ARRAY_LEN(soft6) - 1)]
			  : soft4[rand_between(r, 0, ARRAY_LEN(soft4) - 1)];
	else
		code = v6 ? hard6[rand_between(r, 0, ARRAY_LEN(hard6) - 1)]
			  : hard4[rand_between(r, 0, ARRAY_LEN(hard4) - 1)];
	if (big)
		n = icmp_about(buf, quote, n, v6 ? 2 : 3, v6 ? 0 : 4, 68);
	else
		n = icmp_about(buf, quote, n, v6 ? 1 : 3, code, 0);
	link_inject(sim, to, buf, n, sim->now_us, true);
}

/* A packet with one wrong byte behind the IP header, or cut short. */
static void forge_noise(struct sim *sim, unsigned int to, const uint8_t *pkt,
			uint32_t len)
{
	static uint8_t buf[SIM_PACKET_MAX];
	uint32_t head = pkt[0] >> 4 == 6 ? 40 : 20;
	struct rand *r = &sim->forge;

	memcpy(buf, pkt, len);
	if (rand_one_in(r, 2))
		len = (uint32_t)rand_between(r, 1, len - 1);
	else
		buf[rand_between(r, head, len - 1)] ^=
			(uint8_t)rand_between(r, 1, 255);
	link_inject(sim, to, buf, len, sim->now_us, true);
}
