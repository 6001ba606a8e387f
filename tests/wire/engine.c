/*
 * engine.c - The stage of a script: the engine on a virtual clock
 *
 * One stack, made for the script. Each packet and each call is a turn, and the
 * clock jumps to the stack's next deadline while the script waits. Every turn
 * ends with stack_check().
 */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "conf.h"
#include "core/assert.h"
#include "core/seq.h"
#include "service/service.h"

#define MEMORY	    (16u << 20)
#define OUT_MAX	    4096 /* packets nobody has looked at */
#define TURNS_MAX   1000 /* without the clock moving */
#define SPARE_PAGES 24	 /* what pools and the table may keep */
#define START_US    100000000

/* What the user of one connection saw. */
struct user {
	struct tcp_conn *c;
	bool silent; /* "read off" */
	bool opened, eof, wrong;
	uint32_t received, sent;
	enum close_reason reason, told; /* by the event; by on_closed */
	unsigned int closed;
	unsigned int urgent, trouble; /* so often told */
};

struct out {
	uint8_t *pkt;
	size_t len;
};

static struct engine {
	struct stack *st;
	void *map;
	size_t map_len;
	struct user users[SCRIPT_CONNS];
	uint16_t first_port;
	struct out out[OUT_MAX];
	unsigned int out_at, out_n;
	bool batch, stuck;
	uint64_t memory; /* used by an idle stack */
	uint64_t events[EVENT_NTYPES];
} eng;

static void turn(struct stage *g);

/* ---- the service "app" ------------------------------------------------ */

static struct user *user_at(uint16_t port)
{
	unsigned int n = (uint16_t)(port - eng.first_port);

	return n < SCRIPT_CONNS ? &eng.users[n] : NULL;
}

static struct user *user_of(struct stack *st, struct tcp_conn *c)
{
	struct conn_info info;

	tcp_info(st, c, &info, stack_now(st));
	return user_at(info.peer_port);
}

static void consume(struct user *u, uint32_t max)
{
	const uint8_t *text;
	size_t n;

	while (max && (n = tcp_peek(eng.st, u->c, &text)) > 0) {
		if (n > max)
			n = max;
		for (size_t i = 0; i < n; i++)
			u->wrong |= text[i] != stage_pattern(1 + u->received +
							     (uint32_t)i);
		tcp_consume(eng.st, u->c, n);
		u->received += (uint32_t)n;
		max -= (uint32_t)n;
	}
}

static void app_open(struct stack *st, struct tcp_conn *c)
{
	struct user *u = user_of(st, c);

	if (!u)
		return;
	u->c = c;
	u->opened = true;
	tcp_set_user(c, u);
}

static void app_data(struct stack *st, struct tcp_conn *c)
{
	struct user *u = tcp_user(c);

	(void)st;
	if (u && !u->silent)
		consume(u, UINT32_MAX);
}

static void app_urgent(struct stack *st, struct tcp_conn *c)
{
	struct user *u = tcp_user(c);

	(void)st;
	if (u)
		u->urgent++;
}

static void app_trouble(struct stack *st, struct tcp_conn *c,
			const struct tcp_trouble *t)
{
	struct user *u = tcp_user(c);

	(void)st;
	(void)t;
	if (u)
		u->trouble++;
}

static void app_peer_closed(struct stack *st, struct tcp_conn *c)
{
	struct user *u = tcp_user(c);

	(void)st;
	if (u)
		u->eof = true;
}

static void app_closed(struct stack *st, struct tcp_conn *c,
		       enum close_reason why)
{
	struct user *u = tcp_user(c);

	(void)st;
	if (!u)
		return; /* the event says it */
	u->c = NULL;
	u->told = why;
}

static const struct tcp_service app = {
	.name = "app",
	.on_open = app_open,
	.on_data = app_data,
	.on_urgent = app_urgent,
	.on_trouble = app_trouble,
	.on_peer_closed = app_peer_closed,
	.on_closed = app_closed,
};

/* ---- begin and end ---------------------------------------------------- */

/* The services of the daemon, and "app". */
static const char *const *names(void)
{
	static const char *all[16];
	const char *const *from = service_names();
	size_t n = 0;

	all[n++] = app.name;
	while (*from && n < ARRAY_LEN(all) - 1)
		all[n++] = *from++;
	all[n] = NULL;
	return all;
}

/* The listeners in a file, for a daemon whose file has none has others; the
 * settings as overrides. */
static bool configure(struct stage *g, const struct script *s, struct conf *c)
{
	const char *all[STAGE_SUITS + SCRIPT_SETTINGS];
	size_t n = stage_settings(s, all), len;
	int fd = memfd_create("listeners", MFD_CLOEXEC);
	FILE *file = fdopen(fd, "we"), *err;
	char path[32], *text = NULL;
	bool ok;

	ASSERT(file);
	stage_listeners(s, app.name, file);
	fflush(file);
	err = open_memstream(&text, &len);
	ASSERT(err);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	conf_services(names());
	ok = conf_load(c, path, all, n, err) == 0;
	fclose(err);
	fclose(file);
	if (!ok)
		snprintf(g->why, sizeof(g->why), "%s", text);
	free(text);
	return ok;
}

static void listen_all(const struct conf *c)
{
	for (unsigned int i = 0; i < c->nlisteners; i++) {
		struct stack_listener l = c->listeners[i].l;
		const char *name = c->listeners[i].service;

		l.service =
			strcmp(name, app.name) == 0 ? &app : service_find(name);
		if (stack_listen(eng.st, &l) < 0)
			ASSERT(!"a listener");
	}
}

static bool engine_begin(struct stage *g, const struct script *s)
{
	static struct conf c;
	uint8_t seed[32];
	struct stack_stats stats;
	uintptr_t at;

	if (!configure(g, s, &c))
		return false;
	memset(&eng, 0, sizeof(eng));
	eng.first_port = g->first_port;
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)(i * 41 + 3);
	g->now_us = START_US;
	g->own = g->v6 ? c.stack.own6 : c.stack.own4;
	g->peer = g->v6 ? c.stack.host6 : c.stack.host4;
	g->early_us = 1000; /* as much as it rounds */
	g->late_us = g->early_us;
	eng.map_len = c.memory + STACK_ALIGN;
	eng.map = mmap(NULL, eng.map_len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT(eng.map != MAP_FAILED);
	at = STACK_ALIGN - (uintptr_t)eng.map % STACK_ALIGN;
	eng.st = stack_init((uint8_t *)eng.map + at, c.memory, &c.stack, seed,
			    g->now_us);
	ASSERT(eng.st);
	service_start(g->now_us, 0);
	stack_event_mask(eng.st, UINT64_MAX);
	listen_all(&c);
	stack_stats(eng.st, &stats);
	eng.memory = stats.memory_used;
	g->why[0] = '\0';
	return true;
}

/* Reset all, wait until TIME-WAIT is over, and see what is left. */
static bool engine_end(struct stage *g)
{
	static uint8_t pkt[STACK_SEGMENT_MAX + 1];
	struct stack_stats s;
	int64_t until_us = g->now_us + 3 * stack_conf(eng.st)->msl_us +
			   600 * (int64_t)1000000;

	while (!stack_abort_all(eng.st, g->now_us))
		turn(g);
	turn(g);
	while (g->now_us < until_us && stack_deadline(eng.st) != TIME_NEVER &&
	       !eng.stuck)
		g->ops->next(g, pkt, until_us);
	stack_stats(eng.st, &s);
	if (eng.stuck)
		snprintf(g->why, sizeof(g->why), "the clock stands still");
	else if (s.full || s.half_open || s.time_wait)
		snprintf(g->why, sizeof(g->why),
			 "connections are left: %u full, %u half-open, %u in "
			 "TIME-WAIT",
			 s.full, s.half_open, s.time_wait);
	else if (s.memory_used > eng.memory + SPARE_PAGES * STACK_ALIGN)
		snprintf(g->why, sizeof(g->why), "memory is left in use");
	while (eng.out_n--)
		free(eng.out[eng.out_at++ % OUT_MAX].pkt);
	munmap(eng.map, eng.map_len);
	eng.st = NULL;
	return !g->why[0];
}

/* ---- turns ------------------------------------------------------------ */

static void note_events(void)
{
	const struct event *e;
	struct user *u;

	while ((e = stack_event_next(eng.st))) {
		eng.events[e->type]++;
		if (e->type != EVENT_CONN_CLOSED &&
		    e->type != EVENT_HANDSHAKE_FAILED)
			continue;
		u = user_at(e->peer_port);
		if (!u)
			continue;
		u->closed++;
		u->reason = (enum close_reason)e->a;
	}
}

static void collect(const struct stack_pkt *p)
{
	struct out *o = &eng.out[(eng.out_at + eng.out_n) % OUT_MAX];
	size_t len = 0;

	if (eng.out_n == OUT_MAX) {
		eng.stuck = true;
		return;
	}
	o->pkt = malloc(p->len);
	ASSERT(o->pkt);
	for (unsigned int i = 0; i < p->iov_len; i++) {
		memcpy(o->pkt + len, p->iov[i].iov_base, p->iov[i].iov_len);
		len += p->iov[i].iov_len;
	}
	ASSERT(len == p->len);
	o->len = len;
	eng.out_n++;
}

static void turn(struct stage *g)
{
	struct stack_pkt p;

	stack_services(eng.st, g->now_us);
	stack_expire(eng.st, g->now_us);
	while (!eng.stuck && stack_output(eng.st, &p, g->now_us))
		collect(&p);
	stack_check(eng.st);
	stack_reap(eng.st, g->now_us);
	note_events();
}

static void engine_send(struct stage *g, const uint8_t *pkt, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	/* So that a sanitizer sees a step beyond its end. */
	ASSERT(copy);
	memcpy(copy, pkt, len);
	stack_input(eng.st, copy, len, NULL, g->now_us);
	free(copy);
	stack_check(eng.st);
	if (!eng.batch)
		turn(g);
}

static size_t engine_next(struct stage *g, uint8_t *pkt, int64_t until_us)
{
	unsigned int turns = 0;
	struct out *o;
	int64_t at_us;
	size_t len;

	while (!eng.out_n && !eng.stuck) {
		at_us = stack_deadline(eng.st);
		if (at_us > until_us) {
			g->now_us = until_us;
			return 0;
		}
		if (at_us > g->now_us) {
			g->now_us = at_us;
			turns = 0;
		}
		eng.stuck = ++turns > TURNS_MAX;
		turn(g);
	}
	if (!eng.out_n)
		return 0;
	o = &eng.out[eng.out_at];
	eng.out_at = (eng.out_at + 1) % OUT_MAX;
	eng.out_n--;
	len = o->len;
	memcpy(pkt, o->pkt, len);
	free(o->pkt);
	return len;
}

static void engine_batch(struct stage *g, bool on)
{
	eng.batch = on;
	if (!on)
		turn(g);
}

/* ---- the user --------------------------------------------------------- */

static bool user_open(struct stage *g, struct stage_conn *c, struct user *u)
{
	struct conn_info info;
	int err;

	err = stack_open(eng.st, &app, u, &g->peer, c->peer_port, NULL, 0,
			 g->now_us, &u->c);
	if (err) {
		snprintf(g->why, sizeof(g->why), "stack_open: %s",
			 strerror(-err));
		return false;
	}
	tcp_info(eng.st, u->c, &info, g->now_us);
	c->own_port = info.local_port;
	return true;
}

static bool user_send(struct stage *g, struct user *u, int64_t n, bool urgent)
{
	uint8_t *text = malloc((size_t)n + 1);
	ssize_t took;

	ASSERT(text);
	for (int64_t i = 0; i < n; i++)
		text[i] = stage_pattern(1 + u->sent + (uint32_t)i);
	took = (urgent ? tcp_send_urgent : tcp_send)(eng.st, u->c, text,
						     (size_t)n);
	free(text);
	if (took != n) {
		snprintf(g->why, sizeof(g->why), "tcp_send took %zd of %lld",
			 took, (long long)n);
		return false;
	}
	u->sent += (uint32_t)n;
	return true;
}

/* What can be set of one connection. */
static void user_settings(struct user *u, const char *what, int64_t n)
{
	int err = 0;

	if (strcmp(what, "nodelay") == 0)
		tcp_set_nodelay(eng.st, u->c, n);
	else if (strcmp(what, "dscp") == 0)
		tcp_set_dscp(u->c, (uint8_t)n);
	else if (strcmp(what, "keepalive") == 0)
		err = tcp_set_keepalive(eng.st, u->c, n);
	else if (strcmp(what, "timeout") == 0)
		err = tcp_set_user_timeout(eng.st, u->c, n);
	ASSERT(!err);
}

static bool engine_call(struct stage *g, struct stage_conn *c, const char *what,
			int64_t n)
{
	struct user *u = user_at(c->peer_port);
	bool ok = true;

	ASSERT(u);
	if (!u->c && strcmp(what, "open") != 0 &&
	    strcmp(what, "read off") != 0) {
		snprintf(g->why, sizeof(g->why), "there is no connection to %s",
			 what);
		return false;
	}
	if (strcmp(what, "open") == 0)
		ok = user_open(g, c, u);
	else if (strcmp(what, "send") == 0 || strcmp(what, "urgent") == 0)
		ok = user_send(g, u, n, *what == 'u');
	else if (strcmp(what, "close") == 0)
		tcp_close(eng.st, u->c);
	else if (strcmp(what, "abort") == 0)
		tcp_abort(eng.st, u->c, CLOSE_RESET_BY_US);
	else if (strcmp(what, "read") == 0)
		consume(u, (uint32_t)n);
	else
		user_settings(u, what, n);
	u->silent |= strcmp(what, "read off") == 0;
	if (strcmp(what, "read on") == 0) {
		u->silent = false;
		tcp_resume(eng.st, u->c);
	}
	stack_check(eng.st);
	if (!eng.batch)
		turn(g);
	return ok;
}

/* ---- looking ---------------------------------------------------------- */

struct search {
	const struct stage_conn *c;
	struct conn_info *info;
	bool found;
};

static bool search_see(struct stack *st, struct tcp_conn *c,
		       const struct conn_info *info, void *arg)
{
	struct search *s = arg;

	(void)st;
	(void)c;
	if (info->peer_port != s->c->peer_port ||
	    info->local_port != s->c->own_port)
		return true;
	*s->info = *info;
	s->found = true;
	return false;
}

static bool find(struct stage *g, const struct stage_conn *c,
		 struct conn_info *info)
{
	struct search s = {.c = c, .info = info};
	uint64_t cursor = 0;

	while (!s.found &&
	       stack_walk(eng.st, &cursor, 1000, g->now_us, search_see, &s))
		;
	return s.found;
}

static enum tcp_state engine_state(struct stage *g, const struct stage_conn *c)
{
	struct conn_info info;

	return find(g, c, &info) ? (enum tcp_state)info.state : TCP_CLOSED;
}

static bool check_count(struct stage *g, const char *what, uint64_t got,
			int64_t want)
{
	if ((int64_t)got == want)
		return true;
	snprintf(g->why, sizeof(g->why), "%s is %llu, expected %lld", what,
		 (unsigned long long)got, (long long)want);
	return false;
}

static bool check_closed(struct stage *g, const struct user *u,
			 const char *reason)
{
	const char *got = u->closed ? close_name(u->reason) : "still there";

	if ((u->opened || u->told) &&
	    strcmp(close_name(u->told), reason) != 0) {
		snprintf(g->why, sizeof(g->why),
			 "the user was told %s, expected %s",
			 close_name(u->told), reason);
		return false;
	}
	if (strcmp(got, reason) == 0)
		return true;
	snprintf(g->why, sizeof(g->why), "the connection is %s, expected %s",
		 got, reason);
	return false;
}

static bool check_stat(struct stage *g, const struct script_line *l)
{
	struct stack_stats s;

	stack_stats(eng.st, &s);
#define STAT_CHECK(name, words)         \
	if (strcmp(l->arg, #name) == 0) \
		return check_count(g, l->arg, s.name, l->n);
	STACK_STAT_LIST(STAT_CHECK)
#undef STAT_CHECK
	snprintf(g->why, sizeof(g->why), "there is no counter %s", l->arg);
	return false;
}

static bool check_drop(struct stage *g, const struct script_line *l)
{
	struct stack_stats s;

	stack_stats(eng.st, &s);
	for (int i = 0; i < DROP_NREASONS; i++)
		if (strcmp(l->arg, drop_name((enum drop_reason)i)) == 0)
			return check_count(g, l->arg, s.dropped[i], l->n);
	snprintf(g->why, sizeof(g->why), "there is no reason %s", l->arg);
	return false;
}

static bool check_event(struct stage *g, const struct script_line *l)
{
	for (int i = 0; i < EVENT_NTYPES; i++)
		if (strcmp(l->arg, event_name((enum event_type)i)) == 0)
			return check_count(g, l->arg, eng.events[i], l->n);
	snprintf(g->why, sizeof(g->why), "there is no event %s", l->arg);
	return false;
}

static bool check_info(struct stage *g, const struct stage_conn *c,
		       const struct script_line *l)
{
	struct conn_info i = {0};

	if (!find(g, c, &i)) {
		snprintf(g->why, sizeof(g->why), "the connection is gone");
		return false;
	}
	if (strcmp(l->word, "recovery") == 0) {
		if (strcmp(i.recovery, l->arg) == 0)
			return true;
		snprintf(g->why, sizeof(g->why), "recovery is %s, expected %s",
			 i.recovery, l->arg);
		return false;
	}
#define INFO_CHECK(name, field)          \
	if (strcmp(l->word, #name) == 0) \
	return check_count(g, #name, (uint64_t)i.field, l->n)
	INFO_CHECK(cwnd, cwnd);
	INFO_CHECK(ssthresh, ssthresh);
	INFO_CHECK(rto, rto_us);
	INFO_CHECK(srtt, srtt_us);
	INFO_CHECK(min_rtt, min_rtt_us);
	INFO_CHECK(rttvar, rttvar_us);
	INFO_CHECK(mss, snd_mss);
	INFO_CHECK(pmtu, pmtu);
	INFO_CHECK(snd_wnd, snd_wnd);
	INFO_CHECK(snd_wscale, snd_wscale);
	INFO_CHECK(rcv_wscale, rcv_wscale);
	INFO_CHECK(in_flight, in_flight);
	INFO_CHECK(sacked, sacked);
	INFO_CHECK(lost, lost);
	INFO_CHECK(backoff, backoff);
	INFO_CHECK(retrans, retrans);
	INFO_CHECK(recv_ooo, recv_ooo);
	INFO_CHECK(recv_queued, recv_queued);
	INFO_CHECK(send_queued, send_queued);
	INFO_CHECK(urgent, urgent_in);
	INFO_CHECK(ecn, ecn);
#undef INFO_CHECK
	snprintf(g->why, sizeof(g->why), "what is %s?", l->word);
	return false;
}

static bool engine_check(struct stage *g, const struct stage_conn *c,
			 const struct script_line *l)
{
	struct user *u = user_at(c->peer_port);

	ASSERT(u);
	if (strcmp(l->word, "closed") == 0)
		return check_closed(g, u, l->arg);
	if (strcmp(l->word, "drop") == 0)
		return check_drop(g, l);
	if (strcmp(l->word, "stat") == 0)
		return check_stat(g, l);
	if (strcmp(l->word, "event") == 0)
		return check_event(g, l);
	if (strcmp(l->word, "eof") == 0) {
		snprintf(g->why, sizeof(g->why), "%s",
			 u->eof ? "" : "the user saw no end of the text");
		return u->eof;
	}
	if (strcmp(l->word, "told_urgent") == 0)
		return check_count(g, l->word, u->urgent, l->n);
	if (strcmp(l->word, "told_trouble") == 0)
		return check_count(g, l->word, u->trouble, l->n);
	if (strcmp(l->word, "received") != 0)
		return check_info(g, c, l);
	if (u->wrong) {
		snprintf(g->why, sizeof(g->why),
			 "the user got other text than was sent");
		return false;
	}
	return check_count(g, "what the user received", u->received, l->n);
}

const struct stage_ops engine_ops = {
	.begin = engine_begin,
	.end = engine_end,
	.send = engine_send,
	.next = engine_next,
	.batch = engine_batch,
	.call = engine_call,
	.state = engine_state,
	.check = engine_check,
};
