/*
 * sim_trace.c - What happens, a line each
 *
 * Side 0 is printed on the left of the arrow: `>` leaves side 0, `<` side 1.
 * Times are milliseconds since the start of the run.
 */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/wire.h"

static double since_ms(const struct sim *sim)
{
	return (double)(sim->now_us - sim->opts->start_us) / US_PER_MS;
}

static const char *flags_text(uint8_t flags, char buf[9])
{
	static const char letters[] = "FSRPAUEC";
	char *p = buf;

	for (unsigned int i = 0; i < 8; i++)
		if (flags & 1u << i)
			*p++ = letters[i];
	*p = '\0';
	return buf;
}

static void print_options(const struct tcp_seg *s)
{
	if (s->opts & OPT_MSS)
		printf(" mss %u", s->mss);
	if (s->opts & OPT_WSCALE)
		printf(" ws %u", s->wscale);
	if (s->opts & OPT_SACK_OK)
		printf(" sackok");
	if (s->opts & OPT_TS)
		printf(" ts %" PRIu32 "/%" PRIu32, s->ts_val, s->ts_ecr);
	for (unsigned int i = 0; s->opts & OPT_SACK && i < s->nsack; i++)
		printf(" sack %" PRIu32 "-%" PRIu32, s->sack[i].start,
		       s->sack[i].end);
}

void trace_packet(const struct sim *sim, unsigned int from, const char *what,
		  const uint8_t *pkt, uint32_t len, uint16_t gso_size)
{
	char arrow = from ? '<' : '>', flags[9];
	struct ip_pkt ip;
	struct tcp_seg s;

	if (!sim->verbose)
		return;
	printf("%12.3f %c ", since_ms(sim), arrow);
	if (wire_ip_parse(pkt, len, &ip) != DROP_NONE ||
	    ip.proto != IP_PROTO_TCP ||
	    wire_tcp_parse(&ip, true, &s) != DROP_NONE) {
		printf("%" PRIu32 " bytes %s\n", len, what);
		return;
	}
	printf("%u:%u %s seq %" PRIu32, s.sport, s.dport,
	       flags_text(s.flags, flags), s.seq);
	if (s.len)
		printf("+%" PRIu32, s.len);
	if (s.flags & TH_ACK)
		printf(" ack %" PRIu32, s.ack);
	printf(" wnd %u", s.wnd);
	if (s.tos & IP_ECN_MASK)
		printf(" ecn %u", s.tos & IP_ECN_MASK);
	if (s.flags & TH_URG)
		printf(" up %u", s.up);
	print_options(&s);
	if (gso_size)
		printf(" gso %u", gso_size);
	printf("%s%s\n", *what ? " " : "", what);
}

void trace_event(const struct host *h, const struct event *e)
{
	if (!h->sim->verbose)
		return;
	printf("%12.3f %c   %s c%" PRIu32, since_ms(h->sim),
	       h->side ? '<' : '>', event_name((enum event_type)e->type),
	       e->conn);
	if (e->type == EVENT_STATE)
		printf(" %s to %s\n", tcp_state_name((enum tcp_state)e->a),
		       tcp_state_name((enum tcp_state)e->b));
	else if (e->type == EVENT_SEGMENT_DROPPED)
		printf(" %s\n", drop_name((enum drop_reason)e->a));
	else
		printf(" %" PRId64 " %" PRId64 "\n", e->a, e->b);
}

static void print_link(const struct sim_opts *o, unsigned int from)
{
	const struct link_opts *l = &o->link[from];

	printf("link %u: delay %" PRId64 "+%" PRId64 " us%s, loss %" PRIu32
	       ", dup %" PRIu32 ", damage %" PRIu32 ", reorder %" PRIu32
	       " ppm by %" PRId64 " us, mark %" PRIu32 " ppm, rate %" PRIu32
	       " queue %" PRIu32 ", batch %" PRId64 " us, out %" PRId64
	       " of %" PRId64 " us%s\n",
	       from, l->delay_us, l->jitter_us, l->fifo ? " fifo" : "",
	       l->loss_ppm, l->dup_ppm, l->corrupt_ppm, l->reorder_ppm,
	       l->reorder_us, l->mark_ppm, l->rate, l->queue, l->batch_us,
	       l->outage_us, l->outage_every_us, l->whole ? ", whole" : "");
}

static void print_path(const struct link_opts *l)
{
	printf("  bursts %" PRIu32 "/%" PRIu32 " ppm %" PRId64
	       " us, gone %" PRId64 "-%" PRId64 " us, mtu %" PRIu32
	       " from %" PRId64 " us%s%s, says %u/%u, fragments %" PRIu32
	       "%s%s, marks %" PRIu32 ", aims",
	       l->burst_ppm, l->burst_loss_ppm, l->burst_us, l->gone_from_us,
	       l->gone_to_us, l->mtu, l->mtu_from_us,
	       l->mtu_silent ? " silent" : "", l->mtu_unsaid ? " unsaid" : "",
	       l->gone_type, l->gone_code, l->fragment,
	       l->fragment_last_first ? " last first" : "",
	       l->fragment_twice ? " twice" : "", l->ce_queue);
	for (unsigned int i = 0; i < AIMS_MAX; i++)
		printf(" %d:%" PRIu32 "+%" PRIu32, (int)l->aim[i].kind,
		       l->aim[i].nth, l->aim[i].count);
	printf("\n");
}

static void print_box(const struct box_opts *b)
{
	printf("box: strips %x/%x, mss %u, numbers %" PRIu32 "/%" PRIu32
	       "%s, no ts after %" PRIu32 ", splits %" PRIu32
	       "%s, joins %" PRIu32 " for %" PRId64 " us%s%s\n",
	       b->syn_strip, b->synack_strip, b->mss_clamp, b->shift[0],
	       b->shift[1], b->sack_as_is ? " but SACK" : "", b->ts_strip_after,
	       b->split, b->backwards ? " backwards" : "", b->join, b->join_us,
	       b->clear_ecn ? ", no ECN" : "",
	       b->clear_dscp ? ", no DSCP" : "");
}

static void print_host(const struct sim_opts *o, unsigned int side)
{
	const struct stack_conf *c = &o->conf[side];

	printf("host %u: mtu %u gso %" PRIu32 "%s, rcvbuf %" PRIu32 "-%" PRIu32
	       " sndbuf %" PRIu32 " scale %u%s%s%s, rto %" PRId64 "-%" PRId64
	       " us, delack %" PRId64 " us after %u, msl %" PRId64
	       " us, keepalive %" PRId64 " us, half-open %" PRIu32
	       " cookies %d ecn %d, memory %zu\n",
	       side, c->mtu, c->gso_max, c->csum_offload ? " csum" : "",
	       c->rcvbuf, c->rcvbuf_max, c->sndbuf, c->window_scale,
	       c->sack ? " sack" : "", c->timestamps ? " ts" : "",
	       c->mtu_probing ? " probing" : "", c->rto_min_us, c->rto_max_us,
	       c->delayed_ack_us, c->quick_acks, c->msl_us, c->keepalive_us,
	       c->max_half_open, (int)c->cookies, (int)c->ecn, o->memory[side]);
}

static void print_peer(const struct peer_opts *p, unsigned int side)
{
	printf("peer %u: mss %u segment %u%s%s%s, iss %" PRIu32
	       "%s, window %" PRIu32 " shift %u, flight %" PRIu32
	       ", ACK every %u or %" PRId64 " us, rto %" PRId64
	       " us, linger %" PRId64 " us, keepalive %" PRId64
	       " us, omits ts %" PRIu32 " ppm, after %" PRIu32
	       ", shrinks %" PRIu32 " reneges %" PRIu32
	       " ppm, SYN with %" PRIu32 ", ecn %d%s%s%s%s%s%s\n",
	       side, p->mss, p->segment, p->sack ? " sack" : "",
	       p->ts ? " ts" : "", p->wscale ? " scale" : "", p->iss,
	       p->iss_set ? "" : " no", p->window, p->shift, p->flight,
	       p->ack_every, p->ack_delay_us, p->rto_us, p->linger_us,
	       p->keepalive_us, p->ts_omit_ppm, p->ts_stop_at, p->shrink_ppm,
	       p->renege_ppm, p->syn_text, (int)p->ecn,
	       p->no_ooo ? ", no ooo" : "", p->no_update ? ", no updates" : "",
	       p->silly ? ", silly" : "", p->fast_rexmt ? ", fast" : "",
	       p->repack ? ", repacks" : "", p->fin_apart ? ", FIN apart" : "");
}

static void print_app(const struct app_plan *a)
{
	static const char *const closes[] = {"when sent", "when read",
					     "after peer"};

	printf("  %s %" PRIu32 " bytes by %" PRIu32 "%s, pauses %" PRIu32
	       " ppm %" PRId64 " us; reads by %" PRIu32 ", pauses %" PRIu32
	       " ppm %" PRId64 " us; closes %s",
	       a->kind == APP_ECHO ? "echo" : "stream", a->bytes, a->chunk_max,
	       a->by_ref ? " (ref)" : "", a->send_pause_ppm, a->send_pause_us,
	       a->read_max, a->read_pause_ppm, a->read_pause_us,
	       closes[a->close]);
	if (a->urgent_ppm)
		printf(", urgent %" PRIu32 " ppm", a->urgent_ppm);
	if (a->abort_at)
		printf(", aborts at %" PRIu32, a->abort_at);
	printf("\n");
}

void trace_opts(const struct sim_opts *o)
{
	printf("seed %" PRIu64 ", %s, start %" PRId64 " us\n", o->seed,
	       o->v6 ? "IPv6" : "IPv4", o->start_us);
	for (unsigned int i = 0; i < 2; i++) {
		if (o->peer[i].on)
			print_peer(&o->peer[i], i);
		else
			print_host(o, i);
		print_link(o, i);
		print_path(&o->link[i]);
	}
	print_box(&o->box);
	printf("forged %" PRIu32 ", again %" PRIu32 " ppm\n", o->forge.ppm,
	       o->forge.replay_ppm);
	for (unsigned int i = 0; i < o->nconns; i++) {
		printf("connection %u at %" PRId64 " us%s\n", i,
		       o->conn[i].open_at_us,
		       o->conn[i].crossing ? ", crossing" : "");
		print_app(&o->conn[i].app[0]);
		print_app(&o->conn[i].app[1]);
	}
}
