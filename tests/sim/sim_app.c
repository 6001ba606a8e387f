/*
 * sim_app.c - The application at one end of a connection
 *
 * It sends bytes of a pattern from an offset of its own, in chunks, with
 * pauses; it reads in portions, with pauses long enough to close the window;
 * it closes early, late or last, or aborts. Whatever it reads is compared with
 * what the other end was to send. Everything happens inside the callbacks of
 * the stack, pauses by tcp_alarm(), as in a service of the daemon.
 *
 * Two ends find each other by the client's port.
 */
#include "sim.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* A prime length: a shift by any power of two is another text. */
#define PATTERN_LEN 1048573u

#define COOKIE_US     (64 * US_PER_S)
#define CROWD_US      (7 * US_PER_S)
#define OPEN_AGAIN_US US_PER_S

static uint8_t pattern[PATTERN_LEN];

static void app_on_open(struct stack *st, struct tcp_conn *c);
static void app_on_data(struct stack *st, struct tcp_conn *c);
static void app_on_urgent(struct stack *st, struct tcp_conn *c);
static void app_on_writable(struct stack *st, struct tcp_conn *c);
static void app_on_peer_closed(struct stack *st, struct tcp_conn *c);
static void app_on_alarm(struct stack *st, struct tcp_conn *c);
static void app_on_closed(struct stack *st, struct tcp_conn *c,
			  enum close_reason why);

const struct tcp_service app_service = {
	.name = "sim",
	.on_open = app_on_open,
	.on_data = app_on_data,
	.on_urgent = app_on_urgent,
	.on_writable = app_on_writable,
	.on_peer_closed = app_on_peer_closed,
	.on_alarm = app_on_alarm,
	.on_closed = app_on_closed,
};

static void app_send(struct stack *st, struct end *e);
static void app_read(struct stack *st, struct end *e);
static void app_echo(struct stack *st, struct end *e);
static void app_maybe_close(struct stack *st, struct end *e);
static void app_maybe_abort(struct stack *st, struct end *e);
static void app_pause(struct stack *st, struct end *e);
static bool end_may_end(const struct end *e, enum close_reason why);
static bool cookie_expired(const struct sim *sim, unsigned int index);
static bool end_may_miss(const struct end *e);
static bool end_withholds(const struct end *e);
static bool end_may_ask_nobody(const struct end *e);
static bool end_was_turned_away(const struct end *e);
static bool end_waits_for_reader(const struct end *e);
static bool is_given_up(const struct sim *sim, unsigned int index);

static void pattern_init(void)
{
	struct rand r;
	uint64_t v;

	if (pattern[0] || pattern[1])
		return;
	rand_init(&r, 1, 1);
	for (uint32_t i = 0; i + 8 <= PATTERN_LEN; i += 8) {
		v = rand_next(&r);
		memcpy(pattern + i, &v, 8);
	}
}

/** app_init() - Lay out both ends of every connection */
void app_init(struct sim *sim)
{
	const struct sim_opts *o = sim->opts;

	pattern_init();
	for (unsigned int i = 0; i < o->nconns; i++) {
		for (unsigned int side = 0; side < 2; side++) {
			struct end *e = &sim->end[i][side];
			const struct app_plan *peer = &o->conn[i].app[!side];

			*e = (struct end){
				.sim = sim,
				.plan = &o->conn[i].app[side],
				.side = side,
				.index = i,
				.send_at_us = TIME_NEVER,
				.read_at_us = TIME_NEVER,
			};
			rand_init(&e->rand, o->seed, 1000 + 2 * i + side);
			e->tx_base = (2 * i + side) * 7919u % PATTERN_LEN;
			e->rx_base = (2 * i + !side) * 7919u % PATTERN_LEN;
			e->expected = peer->bytes;
			if (peer->kind == APP_ECHO) {
				e->rx_base = e->tx_base;
				e->expected = e->plan->bytes;
			}
		}
	}
}

/* Return: false if memory is short now */
static bool open_from(struct sim *sim, unsigned int index, unsigned int side)
{
	const struct sim_opts *o = sim->opts;
	bool crossing = o->conn[index].crossing;
	struct end *e = &sim->end[index][side];
	struct ip_addr peer = swarm_addr(o->v6, !side);
	uint16_t port = (uint16_t)(SIM_PORT_CROSSING + 2 * index);
	struct conn_info info;
	struct tcp_conn *c;
	int err;

	if (sim->host[side].peer) {
		peer_open(sim->host[side].peer, index);
		return true;
	}
	err = stack_open(sim->host[side].st, &app_service, e, &peer,
			 crossing ? (uint16_t)(port + !side) : SIM_PORT, NULL,
			 crossing ? (uint16_t)(port + side) : 0, sim->now_us,
			 &c);
	if (err == -ENOBUFS && o->memory[side] < MEMORY_ENOUGH)
		return false;
	SIM_REQUIRE(!err, "connection %u: stack_open() says %d", index, err);
	tcp_info(sim->host[side].st, c, &info, sim->now_us);
	SIM_REQUIRE(info.state == TCP_SYN_SENT, "open in %s",
		    tcp_state_name((enum tcp_state)info.state));
	if (!crossing)
		sim->port_conn[info.local_port] = (uint16_t)(index + 1);
	e->c = c;
	end_begin(e);
	SIM_REQUIRE(tcp_user(c) == e, "stack_open() lost the user pointer");
	stack_check(sim->host[side].st);
	return true;
}

/** app_open() - Begin the next connection, or try again later */
void app_open(struct sim *sim)
{
	unsigned int sides = sim->opts->conn[sim->opened].crossing ? 2 : 1;

	for (; sim->opened_sides < sides; sim->opened_sides++) {
		if (!open_from(sim, sim->opened, sim->opened_sides)) {
			sim->open_again_us = sim->now_us + OPEN_AGAIN_US;
			return;
		}
	}
	sim->opened_sides = 0;
	sim->opened++;
}

/* All keep-alives, or their answers, were lost in outages or while a path was
 * gone: as good as an abort, of which the other end hears nothing. */
static bool is_silenced(const struct sim *sim, unsigned int index)
{
	const struct link_opts *l = sim->opts->link;

	if (!l[0].outage_us && !l[1].outage_us && !l[0].gone_to_us &&
	    !l[1].gone_to_us)
		return false;
	return sim->end[index][0].reason == CLOSE_TIMEOUT_KEEPALIVE ||
	       sim->end[index][1].reason == CLOSE_TIMEOUT_KEEPALIVE;
}

static bool is_aborted(const struct sim *sim, unsigned int index)
{
	return sim->opts->conn[index].app[0].abort_at ||
	       sim->opts->conn[index].app[1].abort_at ||
	       is_silenced(sim, index);
}

bool end_is_aborted(const struct end *e)
{
	return is_aborted(e->sim, e->index);
}

/** app_check() - When all is over: did every end get what it should? */
void app_check(const struct sim *sim)
{
	for (unsigned int i = 0; i < sim->opts->nconns; i++) {
		for (unsigned int side = 0; side < 2; side++) {
			const struct end *e = &sim->end[i][side];

			if (is_given_up(sim, i))
				continue;
			if (end_may_miss(e) &&
			    (e->reason == CLOSE_RESET_BY_PEER ||
			     e->reason == CLOSE_TIMEOUT_KEEPALIVE))
				continue;
			SIM_REQUIRE(e->opened && e->closed && e->peer_closed,
				    "connection %u.%u: opened %d closed %d, "
				    "peer closed %d",
				    i, side, e->opened, e->closed,
				    e->peer_closed);
			SIM_REQUIRE(e->received == e->expected,
				    "connection %u.%u: got %" PRIu32
				    " of %" PRIu32,
				    i, side, e->received, e->expected);
			/* Without memory a mark waits for the next segment,
			 * and there may be none. */
			SIM_REQUIRE(e->urgent_heard == sim->end[i][!side]
							       .urgent_sent ||
					    sim->opts->memory[side] <
						    MEMORY_ENOUGH,
				    "connection %u.%u: urgent up to %" PRIu32
				    ", heard of %" PRIu32,
				    i, side, sim->end[i][!side].urgent_sent,
				    e->urgent_heard);
			SIM_REQUIRE(e->plan->kind == APP_ECHO ||
					    e->sent == e->plan->bytes,
				    "connection %u.%u: sent %" PRIu32
				    " of %" PRIu32,
				    i, side, e->sent, e->plan->bytes);
		}
		/* A reset is forgiven to one end whose peer is gone cleanly
		 * (its last ACK was lost and 2 MSL are over), never to both. */
		SIM_REQUIRE(is_given_up(sim, i) ||
				    sim->end[i][0].reason == CLOSE_FIN ||
				    sim->end[i][1].reason == CLOSE_FIN,
			    "connection %u: both ends were reset", i);
	}
}

/** end_begin() - There is a connection */
void end_begin(struct end *e)
{
	SIM_REQUIRE(!e->started, "connection %u.%u begins twice", e->index,
		    e->side);
	e->started = true;
	e->sim->open_ends++;
}

/* The server's end of a connection, found by the client's port; NULL if it is
 * over already. */
static struct end *end_accept(struct sim *sim, struct stack *st,
			      struct tcp_conn *c)
{
	struct conn_info info;
	struct stack_stats s;
	struct end *e;
	unsigned int n;

	tcp_info(st, c, &info, sim->now_us);
	n = sim->port_conn[info.peer_port];
	SIM_REQUIRE(n > 0,
		    "accepted a connection from port %u, which nobody "
		    "opened",
		    info.peer_port);
	e = &sim->end[n - 1][1];
	if (e->started || e->aborted) { /* see app_on_open() */
		stack_stats(st, &s);
		SIM_REQUIRE(s.cookies_accepted > 0 ||
				    sim->opts->forge.replay_ppm,
			    "connection %u.1 begins twice", e->index);
		return NULL;
	}
	e->c = c;
	end_begin(e);
	tcp_set_user(c, e);
	return e;
}

static void app_on_open(struct stack *st, struct tcp_conn *c)
{
	struct end *e = tcp_user(c);

	/* A cookie proves only that it was given out. When the connection is
	 * gone, even if its service does not know yet, a late copy of its first
	 * segment opens a ghost (RFC 4987, 3.6: nothing was remembered), as in
	 * every stack. So does a replayed SYN, if what was sent before in a few
	 * microseconds has overtaken the clock of initial numbers: then the old
	 * last ACK fits (RFC 9293, 3.4.1). Its peer will reset it; we do. */
	if (!e && !(e = end_accept(tcp_service_arg(st, c), st, c))) {
		tcp_abort(st, c, CLOSE_RESET_BY_US);
		return;
	}
	SIM_REQUIRE(e->c == c && !e->closed, "open of a dead connection");
	SIM_REQUIRE(!e->opened, "connection %u.%u opens twice", e->index,
		    e->side);
	SIM_REQUIRE(stack_now(st) == e->sim->now_us, "stack_now() is off");
	e->opened = true;
	app_send(st, e);
	app_maybe_close(st, e);
	app_maybe_abort(st, e);
}

static struct end *end_of(struct tcp_conn *c, const char *callback)
{
	struct end *e = tcp_user(c);

	SIM_REQUIRE(e && e->c == c && e->opened && !e->closed,
		    "%s for a connection that is not open", callback);
	return e;
}

static void app_on_data(struct stack *st, struct tcp_conn *c)
{
	struct end *e = end_of(c, "on_data");

	app_read(st, e);
	app_maybe_close(st, e);
	app_maybe_abort(st, e);
}

static void app_on_urgent(struct stack *st, struct tcp_conn *c)
{
	struct end *e = end_of(c, "on_urgent");
	uint32_t left = tcp_urgent_left(st, c);

	SIM_REQUIRE(left > 0, "connection %u.%u: urgent is nothing", e->index,
		    e->side);
	SIM_REQUIRE(e->received + left > e->urgent_heard,
		    "connection %u.%u: urgent data told twice", e->index,
		    e->side);
	end_urgent(e, e->received + left);
}

/* What is too far ahead for the pointer is marked as far as it goes. */
void end_urgent(struct end *e, uint32_t at)
{
	const struct end *peer = &e->sim->end[e->index][!e->side];

	SIM_REQUIRE(at <= peer->urgent_sent,
		    "connection %u.%u: urgent up to %" PRIu32 " of %" PRIu32,
		    e->index, e->side, at, peer->urgent_sent);
	if (at > e->urgent_heard)
		e->urgent_heard = at;
}

static void app_on_writable(struct stack *st, struct tcp_conn *c)
{
	struct end *e = end_of(c, "on_writable");

	if (e->plan->kind == APP_ECHO)
		app_read(st, e);
	else
		app_send(st, e);
	app_maybe_close(st, e);
	app_maybe_abort(st, e);
}

static void app_on_peer_closed(struct stack *st, struct tcp_conn *c)
{
	struct end *e = end_of(c, "on_peer_closed");
	const uint8_t *data;

	SIM_REQUIRE(!e->peer_closed, "on_peer_closed twice");
	SIM_REQUIRE(tcp_peek(st, c, &data) == 0,
		    "on_peer_closed before the text was read");
	SIM_REQUIRE(tcp_urgent_left(st, c) == 0, "urgent data after the end");
	SIM_REQUIRE(e->sim->opts->conn[e->index].app[!e->side].abort_at ||
			    e->received == e->expected ||
			    e->plan->kind == APP_ECHO,
		    "connection %u.%u: FIN after %" PRIu32 " of %" PRIu32,
		    e->index, e->side, e->received, e->expected);
	e->peer_closed = true;
	app_maybe_close(st, e);
}

static void app_on_alarm(struct stack *st, struct tcp_conn *c)
{
	struct end *e = end_of(c, "on_alarm");
	int64_t now_us = stack_now(st);

	SIM_REQUIRE(now_us >= e->send_at_us || now_us >= e->read_at_us,
		    "on_alarm before its time");
	if (now_us >= e->send_at_us) {
		e->send_at_us = TIME_NEVER;
		app_send(st, e);
	}
	if (now_us >= e->read_at_us) {
		e->read_at_us = TIME_NEVER;
		if (rand_one_in(&e->rand, 2))
			tcp_resume(st, c);
		else
			app_read(st, e);
	}
	app_pause(st, e);
	app_maybe_close(st, e);
	app_maybe_abort(st, e);
}

static void app_on_closed(struct stack *st, struct tcp_conn *c,
			  enum close_reason why)
{
	struct end *e = tcp_user(c);

	(void)st;
	if (!e)
		return; /* a ghost */
	SIM_REQUIRE(e->c == c && !e->closed, "on_closed twice");
	e->c = NULL;
	end_over(e, why);
}

/** end_over() - There is no connection any more */
void end_over(struct end *e, enum close_reason why)
{
	e->reason = why;
	SIM_REQUIRE(end_may_end(e, why), "connection %u.%u: %s", e->index,
		    e->side, close_name(why));
	e->closed = true;
	e->sim->open_ends--;
}

/* Alarm at the earlier of two pauses. */
static void app_pause(struct stack *st, struct end *e)
{
	tcp_alarm(st, e->c,
		  e->send_at_us < e->read_at_us ? e->send_at_us
						: e->read_at_us);
}

static void app_send(struct stack *st, struct end *e)
{
	const struct app_plan *p = e->plan;
	uint32_t n, off;
	ssize_t took;
	bool urgent;

	while (p->kind == APP_STREAM && e->sent < p->bytes && !e->aborted &&
	       e->send_at_us == TIME_NEVER) {
		n = (uint32_t)rand_between(&e->rand, 1, p->chunk_max);
		if (n > p->bytes - e->sent)
			n = p->bytes - e->sent;
		off = (e->tx_base + e->sent) % PATTERN_LEN;
		if (n > PATTERN_LEN - off)
			n = PATTERN_LEN - off;
		urgent = rand_chance(&e->rand, p->urgent_ppm);
		if (urgent)
			took = tcp_send_urgent(st, e->c, pattern + off, n);
		else if (p->by_ref)
			took = tcp_send_ref(st, e->c, pattern + off, n);
		else
			took = tcp_send(st, e->c, pattern + off, n);
		if (took == -ECONNRESET)
			return; /* it ended, and on_closed is on its way */
		SIM_REQUIRE(took >= 0 && took <= n,
			    "connection %u.%u: tcp_send() of %" PRIu32
			    " says %zd",
			    e->index, e->side, n, took);
		e->sent += (uint32_t)took;
		if (urgent && took)
			e->urgent_sent = e->sent;
		if (took < n)
			return; /* on_writable */
		if (rand_chance(&e->rand, p->send_pause_ppm)) {
			e->send_at_us = stack_now(st) + p->send_pause_us;
			app_pause(st, e);
		}
	}
}

void end_compare(const struct end *e, uint32_t off, const uint8_t *text,
		 size_t len)
{
	uint32_t at;
	size_t part;

	SIM_REQUIRE(off + len <= e->expected,
		    "connection %u.%u: more than %" PRIu32 " bytes", e->index,
		    e->side, e->expected);
	for (size_t done = 0; done < len; done += part) {
		at = (uint32_t)((e->rx_base + off + done) % PATTERN_LEN);
		part = len - done;
		if (part > PATTERN_LEN - at)
			part = PATTERN_LEN - at;
		SIM_REQUIRE(memcmp(text + done, pattern + at, part) == 0,
			    "connection %u.%u: wrong text after %" PRIu32,
			    e->index, e->side, off);
	}
}

void end_fill(const struct end *e, uint32_t off, uint8_t *text, uint32_t len)
{
	uint32_t base = e->plan->kind == APP_ECHO ? e->rx_base : e->tx_base;

	for (uint32_t i = 0; i < len; i++)
		text[i] = pattern[(base + off + i) % PATTERN_LEN];
}

static void app_read(struct stack *st, struct end *e)
{
	const struct app_plan *p = e->plan;
	const uint8_t *data;
	size_t n;

	if (p->kind == APP_ECHO) {
		app_echo(st, e);
		return;
	}
	while (!e->aborted && e->read_at_us == TIME_NEVER &&
	       (n = tcp_peek(st, e->c, &data)) > 0) {
		if (n > p->read_max)
			n = p->read_max;
		end_compare(e, e->received, data, n);
		tcp_consume(st, e->c, n);
		e->received += (uint32_t)n;
		if (rand_chance(&e->rand, p->read_pause_ppm)) {
			e->read_at_us = stack_now(st) + p->read_pause_us;
			app_pause(st, e);
		}
	}
}

/* What cannot be sent stays unread: the window tells the peer. */
static void app_echo(struct stack *st, struct end *e)
{
	const uint8_t *data;
	ssize_t took;
	size_t n;

	while (!e->aborted && (n = tcp_peek(st, e->c, &data)) > 0) {
		took = tcp_send(st, e->c, data, n);
		if (took <= 0)
			return;
		tcp_consume(st, e->c, (size_t)took);
		e->received += (uint32_t)took;
		e->sent += (uint32_t)took;
	}
}

static void app_maybe_close(struct stack *st, struct end *e)
{
	bool done = e->plan->kind == APP_ECHO ? e->peer_closed
					      : e->sent == e->plan->bytes;

	if (!done || e->closing || e->aborted || !e->opened)
		return;
	if (e->plan->close == APP_CLOSE_READ && e->received < e->expected)
		return;
	if (e->plan->close == APP_CLOSE_AFTER_PEER && !e->peer_closed)
		return;
	e->closing = true;
	tcp_close(st, e->c);
}

static void app_maybe_abort(struct stack *st, struct end *e)
{
	if (!e->plan->abort_at || e->aborted ||
	    e->sent + e->received < e->plan->abort_at)
		return;
	e->aborted = true;
	tcp_abort(st, e->c, CLOSE_RESET_BY_US);
}

/* May this end end like this? */
static bool end_may_end(const struct end *e, enum close_reason why)
{
	if (e->aborted)
		return why == CLOSE_RESET_BY_US;
	if (why == CLOSE_FIN)
		return e->closing && e->peer_closed;
	if (why == CLOSE_RESET_BY_PEER && cookie_expired(e->sim, e->index))
		return true;
	if (why == CLOSE_RESET_BY_PEER && e->closing &&
	    (e->peer_closed || end_may_miss(e)))
		return true;
	if (why == CLOSE_TIMEOUT_DATA && end_may_ask_nobody(e))
		return true;
	if (why == CLOSE_TIMEOUT_KEEPALIVE && end_may_miss(e) &&
	    end_withholds(e))
		return true;
	if (why == CLOSE_TIMEOUT_SYN && end_was_turned_away(e))
		return true;
	if (why == CLOSE_TIMEOUT_FIN_WAIT2 && end_waits_for_reader(e))
		return true;
	if (why == CLOSE_RESET_BY_PEER &&
	    e->sim->end[e->index][!e->side].reason == CLOSE_TIMEOUT_FIN_WAIT2)
		return true; /* which was judged when it happened */
	if (!is_aborted(e->sim, e->index))
		return false;
	return why == CLOSE_RESET_BY_PEER || why == CLOSE_REFUSED ||
	       why == CLOSE_TIMEOUT_KEEPALIVE || why == CLOSE_TIMEOUT_DATA ||
	       why == CLOSE_TIMEOUT_FIN_WAIT2;
}

/*
 * A peer that has everything and heard everything acknowledged is done, and
 * after 2 MSL it is gone. If this end still asks (its last segment was not
 * acknowledged in that time), it is reset, and what it had not read is lost
 * (RFC 9293, 3.10.7.4): a reader that sleeps longer than 2 MSL can miss text.
 */
static bool end_may_miss(const struct end *e)
{
	const struct end *peer = &e->sim->end[e->index][!e->side];

	return e->closing && e->plan->read_pause_ppm && peer->closed &&
	       peer->reason == CLOSE_FIN;
}

/* Or no reset comes: while cookies are out the other side withholds it for two
 * minutes, and keep-alives may have given up by then (seed 96504597 of old). */
static bool end_withholds(const struct end *e)
{
	const struct end *peer = &e->sim->end[e->index][!e->side];
	struct stack_stats s;

	if (!peer->sim->host[peer->side].st)
		return false;
	stack_stats(peer->sim->host[peer->side].st, &s);
	return s.cookies_sent > 0;
}

/* And then it may get lost, for few time-outs are left that ask for another one
 * (seed 96532966 of old). Nor does TIME-WAIT answer, if there was no memory for
 * it. */
static bool end_may_ask_nobody(const struct end *e)
{
	const struct end *peer = &e->sim->end[e->index][!e->side];
	const struct link_opts *l = &e->sim->opts->link[!e->side];
	struct stack_stats s;

	if (!e->closing || !e->peer_closed || !peer->closed ||
	    peer->reason != CLOSE_FIN || !end_withholds(e))
		return false;
	stack_stats(peer->sim->host[peer->side].st, &s);
	return l->outage_us || l->gone_to_us || l->burst_ppm || l->loss_ppm ||
	       s.limits[LIMIT_MEMORY] > 0;
}

/* A slow reader or sender may hold the little memory of the other side for as
 * long as SYNs are sent: nearly all of those that came were turned away for
 * that, so it is not the path that swallowed them. */
static bool end_was_turned_away(const struct end *e)
{
	const struct sim *sim = e->sim;

	return sim->opts->memory[!e->side] < MEMORY_ENOUGH &&
	       !sim->end[e->index][!e->side].started &&
	       e->turned_away > sim->opts->conf[e->side].syn_retries / 2;
}

/* Who has closed waits for the other's FIN no longer than fin_wait2, an hour;
 * a reader that pauses again and again may need longer for what it has. It has
 * all of it, or this end would not be where it is, and nothing to wait for but
 * the end of its pause. */
static bool end_waits_for_reader(const struct end *e)
{
	const struct end *peer = &e->sim->end[e->index][!e->side];

	return e->closing && peer->opened && !peer->closing &&
	       peer->plan->close != APP_CLOSE_SENT &&
	       peer->read_at_us != TIME_NEVER;
}

/* Did one end end before it was done, as it may? */
static bool is_given_up(const struct sim *sim, unsigned int index)
{
	for (unsigned int side = 0; side < 2; side++)
		if (sim->end[index][side].reason == CLOSE_TIMEOUT_SYN ||
		    sim->end[index][side].reason == CLOSE_TIMEOUT_FIN_WAIT2)
			return true;
	return is_aborted(sim, index) || cookie_expired(sim, index);
}

/* A cookie is good for two periods of 64 s, and where places are few a record
 * for 7 s. A client that got an answer and could not make itself heard for that
 * long is reset, for nobody knows it. */
static bool cookie_expired(const struct sim *sim, unsigned int index)
{
	const struct conn_plan *p = &sim->opts->conn[index];
	int64_t since_us = sim->now_us - sim->opts->start_us - p->open_at_us;
	struct stack_stats s;

	if (p->crossing || sim->end[index][1].started || !sim->host[1].st)
		return false;
	if (sim->opts->conf[1].max_half_open == 1 && since_us >= CROWD_US)
		return true;
	if (since_us < COOKIE_US)
		return false;
	stack_stats(sim->host[1].st, &s);
	return s.cookies_sent > 0;
}
