/*
 * rig_service.c - The application above the stack of a rig
 *
 * Its callbacks count and compare; its calls are those of the script.
 */
#include "rig_priv.h"

#include <stdlib.h>

/* ---- the service ---- */

static struct rig_conn *service_conn(struct stack *st, struct tcp_conn *c)
{
	struct conn_info info;

	tcp_info(st, c, &info, rig.now_us);
	return rig_conn(info.peer_port);
}

static enum syn_verdict on_syn(struct stack *st, const struct stack_listener *l,
			       const struct ip_addr *peer, uint16_t port)
{
	(void)st;
	(void)l;
	(void)peer;
	(void)port;
	rig.syns++;
	return rig.on_syn;
}

static void on_open(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = service_conn(st, c);

	rc->c = c;
	rc->opened++;
	rc->rx_base = rc->irs + 1;
	tcp_set_user(c, rc);
}

static void consume(struct rig_conn *rc, uint32_t max)
{
	const uint8_t *data;
	size_t n;

	while (max && (n = tcp_peek(rig.st, rc->c, &data)) > 0) {
		if (n > max)
			n = max;
		for (size_t i = 0; i < n; i++) {
			if (data[i] ==
			    rig_pattern_at(rc->rx_base + rc->received +
					   (tcp_seq)i))
				continue;
			rig_check(!"the text received is what was sent");
			break;
		}
		tcp_consume(rig.st, rc->c, n);
		rc->received += (uint32_t)n;
		max -= (uint32_t)n;
	}
}

static void on_data(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	if (rc->reading)
		consume(rc, UINT32_MAX);
}

static void on_urgent(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	rc->urgents++;
	rc->urgent_left = tcp_urgent_left(st, c);
}

static void on_writable(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	rc->writable++;
}

static void on_peer_closed(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	rc->peer_closed++;
	if (rig.close_with_peer)
		tcp_close(st, c);
}

static void on_alarm(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	rc->alarms++;
}

static void on_trouble(struct stack *st, struct tcp_conn *c,
		       const struct tcp_trouble *t)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	rc->troubles++;
	rc->trouble = *t;
}

static void on_closed(struct stack *st, struct tcp_conn *c,
		      enum close_reason why)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	rc->closed++;
	rc->reason = why;
	rc->c = NULL;
}

const struct tcp_service rig_service = {
	.name = "rig",
	.on_syn = on_syn,
	.on_open = on_open,
	.on_data = on_data,
	.on_urgent = on_urgent,
	.on_writable = on_writable,
	.on_peer_closed = on_peer_closed,
	.on_alarm = on_alarm,
	.on_trouble = on_trouble,
	.on_closed = on_closed,
};

/* ---- connections ---- */

void rig_handshake(const struct rig_seg *syn)
{
	uint16_t port = syn->peer_port ? syn->peer_port : RIG_PEER_PORT;
	struct tcp_seg s;

	rig_rx(syn);
	if (rig.failed)
		return;
	rig_check(rig_take(&s));
	rig_check(s.flags == (TH_SYN | TH_ACK) && s.dport == port);
	rig_check(s.ack == syn->seq + 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = syn->seq + 1, .ack = RIG_ISS + 1,
		   .peer_port = port, .has_wnd = syn->has_wnd,
		   .wnd = syn->wnd));
	rig_check(rig_conn(port)->opened == 1);
	rig_expect_silence();
}

void rig_established(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = RIG_IRS, MSS(RIG_PEER_MSS)));
}

void rig_established_all(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = RIG_IRS, MSS(RIG_PEER_MSS),
			  SACK_OK, TS(1), SCALE(7)));
}

void rig_open(void)
{
	struct tcp_conn *c;
	int err;

	rig_start();
	rig_only()->irs = RIG_IRS;
	err = stack_open(rig.st, &rig_service, rig_only(), &rig.peer,
			 RIG_PEER_PORT, NULL, 0, rig.now_us, &c);
	rig_check(err == 0);
	if (err)
		return;
	stack_check(rig.st);
	rig_only()->c = c;
	rig_turn();
}

static ssize_t send_with(ssize_t (*send)(struct stack *, struct tcp_conn *,
					 const void *, size_t),
			 uint32_t len)
{
	struct rig_conn *rc = rig_only();
	uint8_t *text = malloc(len ? len : 1);
	ssize_t took;

	ASSERT(text);
	if (!rc->c) {
		rig_check(!"a connection to send on");
		free(text);
		return -1;
	}
	rig_pattern_fill(text, len, RIG_ISS + 1 + rc->sent);
	took = send(rig.st, rc->c, text, len);
	free(text);
	if (took > 0)
		rc->sent += (uint32_t)took;
	stack_check(rig.st);
	rig_turn();
	return took;
}

ssize_t rig_send(uint32_t len)
{
	return send_with(tcp_send, len);
}

ssize_t rig_send_urgent(uint32_t len)
{
	return send_with(tcp_send_urgent, len);
}

void rig_close(void)
{
	if (!rig_only()->c) {
		rig_check(!"a connection to close");
		return;
	}
	tcp_close(rig.st, rig_only()->c);
	stack_check(rig.st);
	rig_turn();
}

void rig_abort(void)
{
	if (!rig_only()->c) {
		rig_check(!"a connection to abort");
		return;
	}
	tcp_abort(rig.st, rig_only()->c, CLOSE_RESET_BY_US);
	rig_turn();
}

void rig_read_stop(void)
{
	rig_only()->reading = false;
}

void rig_read(uint32_t len)
{
	if (!rig_only()->c) {
		rig_check(!"a connection to read from");
		return;
	}
	consume(rig_only(), len);
	stack_check(rig.st);
	rig_turn();
}

void rig_read_on(void)
{
	if (!rig_only()->c) {
		rig_check(!"a connection to read from");
		return;
	}
	rig_only()->reading = true;
	tcp_resume(rig.st, rig_only()->c);
	rig_turn();
}

struct search {
	uint16_t port;
	bool found;
	struct conn_info *info;
};

static bool search_see(struct stack *st, struct tcp_conn *c,
		       const struct conn_info *info, void *arg)
{
	struct search *s = arg;

	(void)st;
	(void)c;
	if (info->peer_port != s->port)
		return true;
	*s->info = *info;
	s->found = true;
	return false;
}

bool rig_info(uint16_t peer_port, struct conn_info *info)
{
	struct search s = {.port = peer_port, .info = info};
	uint64_t cursor = 0;

	rig_start();
	while (!s.found &&
	       stack_walk(rig.st, &cursor, 100, rig.now_us, search_see, &s))
		;
	return s.found;
}

enum tcp_state rig_state_of(uint16_t peer_port)
{
	struct conn_info info;

	return rig_info(peer_port, &info) ? (enum tcp_state)info.state
					  : TCP_CLOSED;
}

enum tcp_state rig_state(void)
{
	return rig_state_of(RIG_PEER_PORT);
}

struct stack_stats rig_stats(void)
{
	struct stack_stats s;

	stack_stats(rig.st, &s);
	return s;
}

uint64_t rig_dropped(enum drop_reason why)
{
	return rig_stats().dropped[why];
}

uint16_t rig_mss(void)
{
	return (uint16_t)(rig.conf.mtu - (rig.v6 ? 60 : 40));
}

uint16_t rig_default_mss(void)
{
	return rig.v6 ? 1220 : 536;
}
