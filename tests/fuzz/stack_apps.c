/*
 * stack_apps.c - Applications that are as awkward as the interface allows
 *
 * Echo, discard and source, with an appetite that may be small or nothing, and
 * with mischief: aborting and closing inside callbacks. They hold the stack to
 * its word: text is what its sequence numbers say, on_closed comes once.
 */
#include <errno.h>
#include <string.h>

#include "stack_fuzz.h"

/* From a segment at the right edge of the widest window. */
#define URGENT_AHEAD_MAX ((1u << 20) + UINT16_MAX)
#define SOURCE_PERIOD	 65521 /* a prime: a shift by a power of two shows */

enum mischief {
	ABORT_IN_OPEN = 1,
	CLOSE_IN_OPEN,
	ABORT_IN_DATA,
	CLOSE_IN_DATA,
	ABORT_IN_WRITABLE,
	ABORT_IN_PEER_CLOSED,
	ALARM_IN_OPEN,
	ABORT_IN_TROUBLE,
	CLOSE_IN_TROUBLE,
	ABORT_IN_URGENT,
	CLOSE_IN_URGENT,
	DISMISS_IN_OPEN,
	URGENT_IN_OPEN,
	QUIET_IN_OPEN,
};

static struct fuzz *fuzz; /* of the run: tcp_service has no argument */
static uint8_t source_text[SOURCE_PERIOD + 65536];

static struct app_conn *conn_new(enum app_kind kind);
static void source_fill(struct stack *st, struct app_conn *a);
static void send_urgent(struct stack *st, struct app_conn *a, uint32_t len);

void apps_init(struct fuzz *f)
{
	fuzz = f;
	if (source_text[0])
		return;
	for (uint32_t i = 0; i < sizeof(source_text); i++)
		source_text[i] = pattern(i % SOURCE_PERIOD + 1);
}

const uint8_t *source_at(uint64_t off)
{
	return source_text + off % SOURCE_PERIOD;
}

bool app_open(const struct ip_addr *peer, uint16_t peer_port,
	      const struct ip_addr *local, uint16_t local_port)
{
	struct app_conn *a = conn_new(APP_SOURCE);
	int err;

	if (!a)
		return false;
	err = stack_open(fuzz->st, &fuzz_source, a, peer, peer_port, local,
			 local_port, fuzz->now_us, &a->c);
	if (err) {
		ASSERT(err < 0);
		a->c = NULL;
		fuzz->nconns--;
		return false;
	}
	ASSERT(a->c != NULL);
	return true;
}

static void do_abort(struct stack *st, struct app_conn *a)
{
	a->closed = true;
	tcp_abort(st, a->c, CLOSE_ADMIN);
}

static void do_close(struct stack *st, struct app_conn *a)
{
	a->closed = true;
	tcp_close(st, a->c);
}

/* One of those that exist; NULL if there is none. */
static struct app_conn *conn_some(unsigned int which)
{
	if (!fuzz->nconns)
		return NULL;
	which %= fuzz->nconns;
	for (unsigned int i = 0; i < CONNS_MAX; i++) {
		if (fuzz->conns[i].c && which-- == 0)
			return &fuzz->conns[i];
	}
	ASSERT(!"as many as are counted");
	return NULL;
}

void app_poke(unsigned int which, uint8_t what)
{
	struct app_conn *a = conn_some(which);
	struct stack *st = fuzz->st;
	struct conn_info info;

	if (!a)
		return;
	switch (what % 6) {
	case 0:
		do_close(st, a);
		break;
	case 1:
		do_abort(st, a);
		break;
	case 2:
		tcp_resume(st, a->c);
		break;
	case 3:
		tcp_want_write(st, a->c);
		break;
	case 4:
		tcp_alarm(st, a->c, fuzz->now_us + what * 1000);
		break;
	case 5:
		tcp_info(st, a->c, &info, fuzz->now_us);
		ASSERT(info.id == tcp_id(a->c));
		ASSERT(info.state == tcp_conn_state(a->c));
		break;
	}
}

static void do_dismiss(struct stack *st, struct app_conn *a)
{
	a->closed = true;
	tcp_dismiss(st, a->c);
}

void app_set(unsigned int which, uint8_t what, uint8_t value)
{
	static const int64_t times_us[] = {0, 100000, 30000000, 7200000000};
	struct app_conn *a = conn_some(which);
	struct stack *st = fuzz->st;
	uint32_t room;

	if (!a)
		return;
	switch (what % 8) {
	case 0:
		tcp_set_nodelay(st, a->c, value & 1);
		break;
	case 1:
		tcp_set_user_timeout(st, a->c, times_us[value & 3]);
		break;
	case 2:
		tcp_set_keepalive(st, a->c, times_us[value & 3]);
		break;
	case 3:
		tcp_set_dscp(a->c, value & 63);
		break;
	case 4:
		tcp_report_trouble(a->c, value & 1);
		break;
	case 5:
		do_dismiss(st, a);
		break;
	case 6:
		send_urgent(st, a, value * 16u);
		break;
	case 7:
		room = (uint32_t)tcp_send_room(st, a->c);
		ASSERT(room <= fuzz->conf.sndbuf);
		ASSERT(tcp_urgent_left(st, a->c) <= URGENT_AHEAD_MAX);
		ASSERT(!tcp_service_arg(st, a->c));
		break;
	}
}

static struct app_conn *conn_new(enum app_kind kind)
{
	for (unsigned int i = 0; i < CONNS_MAX; i++) {
		struct app_conn *a = &fuzz->conns[i];

		if (a->c)
			continue;
		memset(a, 0, sizeof(*a));
		a->kind = kind;
		fuzz->nconns++;
		return a;
	}
	return NULL;
}

/* Text that @a reads is what the numbers say. */
static void check_text(const struct app_conn *a, const uint8_t *p, size_t n)
{
	if (!fuzz->pattern_only)
		return;
	for (size_t i = 0; i < n; i++)
		ASSERT(p[i] == pattern(a->irs + 1 + a->got + (uint32_t)i));
}

/* What tcp_send() may answer: an error only after our own close. */
static size_t sent(struct app_conn *a, ssize_t n)
{
	ASSERT(n >= 0 || a->closed);
	if (n <= 0)
		return 0;
	a->put += (uint64_t)n;
	return (size_t)n;
}

/* Only a source knows what comes next. The connection may have ended, and its
 * service not been told yet. */
static void send_urgent(struct stack *st, struct app_conn *a, uint32_t len)
{
	ssize_t n;

	if (a->kind != APP_SOURCE)
		return;
	n = tcp_send_urgent(st, a->c, source_at(a->put), len);
	if (n != -ECONNRESET)
		sent(a, n);
}

static enum syn_verdict on_syn(struct stack *st, const struct stack_listener *l,
			       const struct ip_addr *peer, uint16_t port)
{
	ASSERT(st == fuzz->st);
	ASSERT(l->enabled);
	ASSERT(port != 0);
	ASSERT(ip_addr_is4(peer) == ip_mapped(peer->b));
	return fuzz->verdict;
}

static void on_open(struct stack *st, struct tcp_conn *c, enum app_kind kind)
{
	struct app_conn *a = tcp_user(c);
	struct conn_info info;

	if (!a) {
		a = conn_new(kind);
		ASSERT(a != NULL);
		a->c = c;
		tcp_set_user(c, a);
	}
	ASSERT(a->c == c);
	ASSERT(!a->open);
	a->open = true;
	tcp_info(st, c, &info, stack_now(st));
	a->irs = info.irs;
	if (fuzz->mischief == ABORT_IN_OPEN)
		do_abort(st, a);
	else if (fuzz->mischief == CLOSE_IN_OPEN)
		do_close(st, a);
	else if (fuzz->mischief == ALARM_IN_OPEN)
		tcp_alarm(st, c, stack_now(st) + 1000);
	else if (fuzz->mischief == DISMISS_IN_OPEN)
		do_dismiss(st, a);
	else if (fuzz->mischief == URGENT_IN_OPEN)
		send_urgent(st, a, 3000);
	else if (fuzz->mischief == QUIET_IN_OPEN)
		tcp_report_trouble(c, false);
	if (kind == APP_SOURCE)
		source_fill(st, a);
}

static void echo_open(struct stack *st, struct tcp_conn *c)
{
	on_open(st, c, APP_ECHO);
}

static void discard_open(struct stack *st, struct tcp_conn *c)
{
	on_open(st, c, APP_DISCARD);
}

static void source_open(struct stack *st, struct tcp_conn *c)
{
	on_open(st, c, APP_SOURCE);
}

/* Read at most the appetite; an echo no more than it can send. */
static void on_data(struct stack *st, struct tcp_conn *c)
{
	struct app_conn *a = tcp_user(c);
	uint32_t hunger = fuzz->appetite;
	const uint8_t *p;
	size_t n;

	ASSERT(a->open);
	while (hunger && (n = tcp_peek(st, c, &p)) > 0) {
		if (n > hunger)
			n = hunger;
		check_text(a, p, n);
		if (a->kind == APP_ECHO && !a->closed) {
			n = sent(a, tcp_send(st, c, p, n));
			if (!n) {
				tcp_want_write(st, c);
				break;
			}
		}
		tcp_consume(st, c, n);
		a->got += (uint32_t)n;
		hunger -= (uint32_t)n;
		if (fuzz->mischief == ABORT_IN_DATA) {
			do_abort(st, a);
			return;
		}
		if (fuzz->mischief == CLOSE_IN_DATA)
			do_close(st, a);
	}
}

/* Something is ahead, and it is told again only if there is more of it. */
static void on_urgent(struct stack *st, struct tcp_conn *c)
{
	struct app_conn *a = tcp_user(c);
	uint32_t end = a->got + tcp_urgent_left(st, c);

	ASSERT(a->open);
	ASSERT(seq_gt(end, a->got));
	ASSERT(!a->urgent || seq_gt(end, a->urgent_end));
	a->urgent = true;
	a->urgent_end = end;
	if (fuzz->mischief == ABORT_IN_URGENT)
		do_abort(st, a);
	else if (fuzz->mischief == CLOSE_IN_URGENT)
		do_close(st, a);
}

static void source_fill(struct stack *st, struct app_conn *a)
{
	while (a->put < fuzz->quota && !a->closed) {
		size_t want = fuzz->quota - a->put, n;
		const uint8_t *text = source_at(a->put);

		/* By turns urgent, copied, from where it lies; odd pieces. */
		if (a->put / 1000 % 8 == 3)
			n = sent(a, tcp_send_urgent(st, a->c, text,
						    want < 97 ? want : 97));
		else if (a->put / 1000 % 2)
			n = sent(a, tcp_send(st, a->c, text,
					     want < 701 ? want : 701));
		else
			n = sent(a, tcp_send_ref(st, a->c, text,
						 want < 3001 ? want : 3001));
		if (!n) {
			tcp_want_write(st, a->c);
			break;
		}
	}
}

static void on_writable(struct stack *st, struct tcp_conn *c)
{
	struct app_conn *a = tcp_user(c);

	ASSERT(a->open);
	if (fuzz->mischief == ABORT_IN_WRITABLE) {
		do_abort(st, a);
		return;
	}
	if (a->kind == APP_SOURCE)
		source_fill(st, a);
	else
		tcp_resume(st, c);
}

static void on_peer_closed(struct stack *st, struct tcp_conn *c)
{
	struct app_conn *a = tcp_user(c);

	ASSERT(a->open);
	if (fuzz->mischief == ABORT_IN_PEER_CLOSED)
		do_abort(st, a);
	else if (fuzz->appetite)
		do_close(st, a);
}

static void on_alarm(struct stack *st, struct tcp_conn *c)
{
	struct app_conn *a = tcp_user(c);

	ASSERT(a->c == c);
	if (a->open && a->kind == APP_SOURCE)
		source_fill(st, a);
}

static void on_trouble(struct stack *st, struct tcp_conn *c,
		       const struct tcp_trouble *t)
{
	struct app_conn *a = tcp_user(c);

	ASSERT(a->c == c);
	ASSERT(a->open || tcp_conn_state(c) == TCP_SYN_SENT);
	ASSERT(t->what == TROUBLE_TRIES || t->what == TROUBLE_ICMP);
	if (fuzz->mischief == ABORT_IN_TROUBLE)
		do_abort(st, a);
	else if (fuzz->mischief == CLOSE_IN_TROUBLE)
		do_close(st, a);
}

static void on_closed(struct stack *st, struct tcp_conn *c,
		      enum close_reason why)
{
	struct app_conn *a = tcp_user(c);

	ASSERT(st == fuzz->st);
	ASSERT(a != NULL);
	ASSERT(a->c == c);
	ASSERT(why != CLOSE_NONE);
	ASSERT(why < CLOSE_NREASONS);
	a->c = NULL;
	fuzz->nconns--;
}

const struct tcp_service fuzz_echo = {
	.name = "echo",
	.on_syn = on_syn,
	.on_open = echo_open,
	.on_data = on_data,
	.on_urgent = on_urgent,
	.on_writable = on_writable,
	.on_peer_closed = on_peer_closed,
	.on_alarm = on_alarm,
	.on_trouble = on_trouble,
	.on_closed = on_closed,
};

const struct tcp_service fuzz_discard = {
	.name = "discard",
	.on_syn = on_syn,
	.on_open = discard_open,
	.on_data = on_data,
	.on_urgent = on_urgent,
	.on_peer_closed = on_peer_closed,
	.on_trouble = on_trouble,
	.on_closed = on_closed,
};

const struct tcp_service fuzz_source = {
	.name = "source",
	.on_open = source_open,
	.on_data = on_data,
	.on_urgent = on_urgent,
	.on_writable = on_writable,
	.on_peer_closed = on_peer_closed,
	.on_alarm = on_alarm,
	.on_trouble = on_trouble,
	.on_closed = on_closed,
};
