/*
 * icmp.c - Echo replies, and errors for the connections that caused them
 *
 * An error is believed only if it quotes a segment we may have in flight
 * (RFC 5927, 4.1): anybody can send one. Even then it ends a connection only
 * while that is being opened; once established, hard errors are treated as
 * soft ones (RFC 5927, 5.2), for a path that heals is worth more than a quick
 * error. All of them show in the counters and as events.
 */
#include <string.h>

#include "tcp_priv.h"

#define IP6_MTU_MIN 1280 /* RFC 8200, 5: passes everywhere */

static void icmp_echo(struct stack *st, const struct ip_pkt *ip);
static uint16_t echo_mtu(const struct stack *st, const struct ip_pkt *ip);
static void icmp_error(struct stack *st, const struct icmp_msg *m);
static void soft_error(struct stack *st, struct tcp_conn *c,
		       const struct icmp_msg *m);
static bool icmp_is_hard(const struct icmp_msg *m);
static uint8_t icmp_type4(const struct icmp_msg *m);

void icmp_input(struct stack *st, const struct ip_pkt *ip)
{
	const struct tcp_key ends = {.local = ip->dst, .peer = ip->src};
	struct icmp_msg m;
	enum drop_reason why = wire_icmp_parse(ip, &m);

	if (why == DROP_NONE) {
		switch (m.kind) {
		case ICMP_ECHO:
			icmp_echo(st, ip);
			return;
		case ICMP_UNREACHABLE:
		case ICMP_TIME_EXCEEDED:
		case ICMP_PARAM_PROBLEM:
		case ICMP_TOO_BIG:
			icmp_error(st, &m);
			return;
		case ICMP_QUENCH: /* RFC 9293, 3.9.2.2 (MUST-55) */
			why = DROP_ICMP_QUENCH;
			break;
		case ICMP_NONE:
		case ICMP_OTHER:
			why = DROP_ICMP_TYPE;
			break;
		}
	}
	stack_drop(st, why, &ends, NULL, NULL);
}

static void icmp_echo(struct stack *st, const struct ip_pkt *ip)
{
	uint32_t sum, len = ip->body_len;
	const uint8_t *text = ip->body + WIRE_ICMP_LEN;
	uint8_t *h;
	uint16_t csum;
	struct reply *r;

	st->stats.echo_in++;
	if (!st->conf.icmp_echo) {
		stack_drop(st, DROP_ICMP_TYPE, NULL, NULL, NULL);
		return;
	}
	if (!bucket_take(&st->echo_bucket, st->conf.icmp_rate, st->now_us)) {
		stack_drop(st, DROP_ICMP_RATE, NULL, NULL, NULL);
		return;
	}
	r = reply_new(st);
	if (!r)
		return;
	r->ipv6 = ip->v6;
	r->len = (uint16_t)wire_ip_build(
		r->head, &ip->dst, &ip->src, ip->proto, st->conf.ttl,
		ip->tos & 0xfc, (uint16_t)stack_random(st), false, len);
	r->mtu = echo_mtu(st, ip);
	if (ip->v6)
		r->frag_id = (uint32_t)stack_random(st); /* RFC 7739, 5.2 */
	h = r->head + r->len;
	memcpy(h, ip->body, WIRE_ICMP_LEN);
	h[0] = ip->v6 ? 129 : 0; /* echo reply: RFC 4443, 4.2; RFC 792 */
	h[2] = h[3] = 0;
	sum = ip->v6 ? csum_pseudo(&ip->dst, &ip->src, ip->proto, len) : 0;
	sum = csum_partial(h, WIRE_ICMP_LEN, sum);
	csum = csum_fold(csum_partial(text, len - WIRE_ICMP_LEN, sum));
	h[2] = (uint8_t)(csum >> 8);
	h[3] = (uint8_t)csum;
	r->len += WIRE_ICMP_LEN;
	/* RFC 1122, 3.2.2.6: the data is returned whole, or there is no
	 * reply. */
	if (reply_queue(st, r, text, len - WIRE_ICMP_LEN))
		st->stats.echo_out++;
}

/*
 * The longest packet that a reply may leave in. Routers cut an IPv4 one that
 * is too long for them. An IPv6 one they cannot, and nobody remembers the path
 * of a ping (RFC 8200, 5): if the request had to be cut, its answer is cut so
 * that it passes everywhere.
 */
static uint16_t echo_mtu(const struct stack *st, const struct ip_pkt *ip)
{
	bool came_cut = st->reasm.page;

	return ip->v6 && came_cut ? IP6_MTU_MIN : st->conf.mtu;
}

/* RFC 9293, 3.9.2.2 (MUST-54). Errors about a SYN-ACK are left alone: its own
 * timer decides. */
static void icmp_error(struct stack *st, const struct icmp_msg *m)
{
	const struct tcp_key key = {
		.local = m->q_src,
		.peer = m->q_dst,
		.local_port = m->q_sport,
		.peer_port = m->q_dport,
	};
	ref_t ref = m->quoted ? table_find(&st->table, &key) : 0;
	struct tcp_conn *c = ref ? ref_ptr(&st->arena, ref) : NULL;

	if (tap_on(st) && m->quoted)
		tap_quoted(st, &key, ref);
	if (!c || c->kind != KIND_CONN || seq_lt(m->q_seq, c->snd_una) ||
	    seq_geq(m->q_seq, c->snd_max)) {
		stack_drop(st, DROP_ICMP_STALE, &key, NULL, NULL);
		return;
	}
	st->stats.icmp_errors_in++;
	if (m->kind == ICMP_TOO_BIG)
		tcp_pmtu_too_big(st, c, m->mtu, m->q_seq);
	else if (c->state == TCP_SYN_SENT && icmp_is_hard(m))
		tcp_dead(st, c, CLOSE_UNREACHABLE);
	else
		soft_error(st, c, m);
}

/* RFC 9293, 3.9.2.2 (MUST-56, SHLD-25). If nothing better comes, it is why the
 * attempt failed: tcp_timer.c. */
static void soft_error(struct stack *st, struct tcp_conn *c,
		       const struct icmp_msg *m)
{
	if (c->state == TCP_SYN_SENT && m->kind == ICMP_UNREACHABLE)
		conn_active(st, c)->unreachable = true;
	tcp_trouble(st, c,
		    &(struct tcp_trouble){.what = TROUBLE_ICMP,
					  .tries = c->rexmt_count,
					  .icmp_type = icmp_type4(m),
					  .icmp_code = m->code});
}

/* RFC 9293, 3.9.2.2 (SHLD-26): protocol and port unreachable. Prohibitions (9,
 * 10, 13: RFC 1812, 5.2.7.1) are as final. Unreachable networks and hosts are
 * soft, even for a SYN (MUST-56): the route may come back before R2. */
static bool icmp_is_hard(const struct icmp_msg *m)
{
	if (m->kind != ICMP_UNREACHABLE)
		return false;
	return m->code == 2 || m->code == 3 || m->code == 9 || m->code == 10 ||
	       m->code == 13;
}

static uint8_t icmp_type4(const struct icmp_msg *m)
{
	switch (m->kind) {
	case ICMP_TIME_EXCEEDED:
		return 11;
	case ICMP_PARAM_PROBLEM:
		return 12;
	default:
		return 3;
	}
}
