/*
 * lab_net.c - Two stacks and the wire between them
 *
 * The client's stack and the server's are the daemon's own engine with the
 * daemon's defaults, and each takes the same turn as there. The wire is a
 * queue: each packet takes DELAY_US, so they arrive in the order in which they
 * left.
 * The clock stands still while somebody has something to do, and then jumps to
 * what comes next, an arrival or a deadline: a minute in TIME-WAIT takes no
 * time, and the same seed gives the same lines.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#include "conf.h"
#include "core/assert.h"
#include "lab.h"
#include "service/service.h"

#define DELAY_US  10000
#define TURNS_MAX 10000 /* a lesson takes some dozens */

#define SHOWN \
	(~(1ULL << EVENT_STATE | 1ULL << EVENT_ACK_SENT)) /* the packets say \
							   * it */

static int host_init(struct lab *l, enum lab_side side,
		     const struct stack_conf *conf, uint64_t seed);
static int listen_at(struct lab_host *h);
static void deliver(struct lab *l);
static void turn(struct lab *l, enum lab_side side);
static unsigned int collect(struct lab *l, enum lab_side side);
static void lose(struct lab *l, unsigned int i);
static int64_t next_us(const struct lab *l);
static bool look(struct stack *st, struct tcp_conn *c,
		 const struct conn_info *info, void *arg);

/* ---- the two services -------------------------------------------------- */

static void on_open(struct stack *st, struct tcp_conn *c)
{
	struct lab_host *h = tcp_service_arg(st, c);

	if (!h) /* opened by the client, who gave it along */
		h = tcp_user(c);
	tcp_set_user(c, h);
	h->conn = c;
}

static void on_data(struct stack *st, struct tcp_conn *c)
{
	struct lab_host *h = tcp_user(c);
	const uint8_t *data;
	size_t n = tcp_peek(st, c, &data);

	n = n < sizeof(h->heard) ? n : sizeof(h->heard) - 1;
	memcpy(h->heard, data, n);
	h->heard[n] = '\0';
	tcp_consume(st, c, n);
}

static void on_closed(struct stack *st, struct tcp_conn *c,
		      enum close_reason why)
{
	struct lab_host *h = tcp_user(c);

	(void)st;
	(void)why;
	if (h)
		h->conn = NULL;
}

static const struct tcp_service service = {
	.name = "lab",
	.on_open = on_open,
	.on_data = on_data,
	.on_closed = on_closed,
};

/* ---- life -------------------------------------------------------------- */

int lab_init(struct lab *l, uint64_t seed)
{
	static struct conf conf;
	struct stack_conf of[2];
	int err;

	conf_services(service_names());
	err = conf_load(&conf, NULL, NULL, 0, stderr);
	if (err < 0)
		return err;
	/* The server has the daemon's address and the client the host's. */
	of[LAB_SERVER] = of[LAB_CLIENT] = conf.stack;
	of[LAB_CLIENT].own4 = conf.stack.host4;
	of[LAB_CLIENT].host4 = conf.stack.own4;
	of[LAB_CLIENT].net6.len = of[LAB_SERVER].net6.len = 0;
	err = host_init(l, LAB_CLIENT, &of[LAB_CLIENT], seed);
	if (!err)
		err = host_init(l, LAB_SERVER, &of[LAB_SERVER], seed);
	return err ? err : listen_at(&l->host[LAB_SERVER]);
}

static int host_init(struct lab *l, enum lab_side side,
		     const struct stack_conf *conf, uint64_t seed)
{
	struct lab_host *h = &l->host[side];
	uint8_t bytes[32] = {[31] = (uint8_t)side};

	memcpy(bytes, &seed, sizeof(seed));
	h->mem = aligned_alloc(STACK_ALIGN, STACK_MEM_MIN);
	if (!h->mem)
		return -ENOMEM;
	memset(h->mem, 0, STACK_MEM_MIN);
	h->st = stack_init(h->mem, STACK_MEM_MIN, conf, bytes, l->now_us);
	if (!h->st)
		return -EINVAL;
	stack_event_mask(h->st, SHOWN);
	return 0;
}

static int listen_at(struct lab_host *h)
{
	const struct stack_listener at = {
		.name = "lab",
		.service = &service,
		.service_arg = h,
		.port = LAB_PORT,
		.enabled = true,
		.backlog = 1,
	};
	int err = stack_listen(h->st, &at);

	return err < 0 ? err : 0;
}

void lab_free(struct lab *l)
{
	free(l->host[LAB_CLIENT].mem);
	free(l->host[LAB_SERVER].mem);
}

/* ---- what people do ---------------------------------------------------- */

void lab_open(struct lab *l)
{
	struct lab_host *h = &l->host[LAB_CLIENT];
	struct ip_addr peer = stack_conf(l->host[LAB_SERVER].st)->own4;
	struct tcp_conn *c;
	int err = stack_open(h->st, &service, h, &peer, LAB_PORT, NULL, 0,
			     l->now_us, &c);

	ASSERT(err == 0);
}

void lab_say(struct lab *l, enum lab_side from, const char *text)
{
	struct lab_host *h = &l->host[from];

	ASSERT(h->conn);
	ASSERT(tcp_send(h->st, h->conn, text, strlen(text)) ==
	       (ssize_t)strlen(text));
}

void lab_close(struct lab *l, enum lab_side side)
{
	struct lab_host *h = &l->host[side];

	ASSERT(h->conn);
	tcp_close(h->st, h->conn);
}

/* ---- time -------------------------------------------------------------- */

bool lab_run(struct lab *l, bool (*until)(const struct lab *l))
{
	int64_t at_us;

	for (int i = 0; i < TURNS_MAX; i++) {
		deliver(l);
		turn(l, LAB_CLIENT);
		turn(l, LAB_SERVER);
		if (until(l))
			return true;
		at_us = next_us(l);
		if (at_us == TIME_NEVER)
			return false;
		if (at_us > l->now_us)
			l->now_us = at_us;
	}
	return false;
}

/* What has arrived by now. */
static void deliver(struct lab *l)
{
	struct lab_packet *p = l->packet;

	while (l->npackets && p->at_us <= l->now_us) {
		stack_input(l->host[!p->from].st, p->data, p->len, NULL,
			    l->now_us);
		memmove(p, p + 1, --l->npackets * sizeof(*p));
	}
}

/* The daemon's turn (tcphs/stack.h). The sentences about what was received and
 * is about to leave stand before the packets that leave. */
static void turn(struct lab *l, enum lab_side side)
{
	struct lab_host *h = &l->host[side];
	struct stack *st = h->st;
	const struct event *e;
	unsigned int first;

	stack_services(st, l->now_us);
	stack_expire(st, l->now_us);
	first = collect(l, side);
	stack_reap(st, l->now_us);
	while ((e = stack_event_next(st)))
		lab_show_event(l, e, stack_conf(st));
	if (*h->heard)
		lab_show_line(l, "%s: %s",
			      side == LAB_SERVER ? "Client" : "Server",
			      h->heard);
	h->heard[0] = '\0';
	for (unsigned int i = first; i < l->npackets; i++) {
		if (l->lose)
			lose(l, i--);
		else
			lab_show_packet(l, &l->packet[i], false);
	}
}

/* Put what a stack sends on the wire. Return: where it begins in the queue */
static unsigned int collect(struct lab *l, enum lab_side side)
{
	unsigned int first = l->npackets;
	struct stack_pkt out;

	while (stack_output(l->host[side].st, &out, l->now_us)) {
		struct lab_packet *p = &l->packet[l->npackets++];

		ASSERT(l->npackets <= LAB_PACKETS_MAX);
		ASSERT(out.len <= sizeof(p->data));
		p->at_us = l->now_us + DELAY_US;
		p->from = side;
		p->len = 0;
		for (unsigned int i = 0; i < out.iov_len; i++) {
			memcpy(p->data + p->len, out.iov[i].iov_base,
			       out.iov[i].iov_len);
			p->len += (uint32_t)out.iov[i].iov_len;
		}
	}
	return first;
}

static void lose(struct lab *l, unsigned int i)
{
	l->lose = false;
	lab_show_packet(l, &l->packet[i], true);
	l->npackets--;
	memmove(&l->packet[i], &l->packet[i + 1],
		(l->npackets - i) * sizeof(l->packet[0]));
}

static int64_t next_us(const struct lab *l)
{
	int64_t at_us = l->npackets ? l->packet[0].at_us : TIME_NEVER;

	for (int side = 0; side < 2; side++) {
		int64_t due_us = stack_deadline(l->host[side].st);

		if (due_us < at_us)
			at_us = due_us;
	}
	return at_us;
}

/* ---- looking ----------------------------------------------------------- */

static bool look(struct stack *st, struct tcp_conn *c,
		 const struct conn_info *info, void *arg)
{
	(void)st;
	(void)c;
	*(struct conn_info *)arg = *info;
	return false;
}

/* The one connection of a side, of whatever size. */
static bool find(const struct lab *l, enum lab_side side,
		 struct conn_info *info)
{
	uint64_t cursor = 0;

	memset(info, 0, sizeof(*info));
	stack_walk(l->host[side].st, &cursor, UINT32_MAX, l->now_us, look,
		   info);
	return info->id != 0;
}

enum tcp_state lab_state(const struct lab *l, enum lab_side side)
{
	struct conn_info info;

	if (find(l, side, &info))
		return (enum tcp_state)info.state;
	return side == LAB_SERVER ? TCP_LISTEN : TCP_CLOSED;
}

bool lab_settled(const struct lab *l)
{
	struct conn_info info;

	for (int side = 0; side < 2; side++) {
		if (find(l, (enum lab_side)side, &info) && !info.half_open &&
		    (info.in_flight || info.send_queued ||
		     info.delack_in_us >= 0))
			return false;
	}
	return l->npackets == 0;
}
