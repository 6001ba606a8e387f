/*
 * ctl_session.c - Connections that a client reads and writes
 *
 * conn.open and conn.attach are jobs that last as long as their connection.
 * What the peer says becomes items, as fast as the client reads them and no
 * faster: until then it stays in the connection's receive queue, whose window
 * shuts. What the client says comes in requests of its own (conn.send) that
 * name the job; each is answered when all of it is in the send queue, and only
 * one may wait, so a client that waits for its answer never sends too much.
 *
 * A job with nothing to do sleeps. The chat service wakes it (on_changed()). If
 * the connection's stack is run by another thread, that thread leaves a note and
 * rings (ctl->news); and the reader, which both see, is touched by us only while
 * we hold the stack.
 */
#include <errno.h>
#include <inttypes.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/plural.h>

#include "ctl_priv.h"
#include "describe.h"
#include "service/chat.h"

#define CHUNK	 (24 * 1024) /* bytes of text in one item */
#define BASE64	 sodium_base64_VARIANT_ORIGINAL
#define SEND_MAX (CTL_REQUEST_MAX * 3 / 4)

#define PATIENCE_MAX_US INT64_C(3600000000) /* an hour */

struct ctl_session {
	struct chat_reader reader;
	struct ctl_job *job;
	unsigned int shard; /* whose connection it is */
	bool changed;	    /* noted by another thread; atomic */
	bool told_open, told_peer_closed;
	/* The conn.send that waits, if its id is not "". */
	char send_id[CTL_ID_MAX];
	uint8_t *text;
	size_t len, done;
	bool end; /* FIN after it */
};

static bool session_step(struct ctl_job *job);

static void on_changed(struct chat_reader *r)
{
	struct ctl_session *s = (struct ctl_session *)r;

	struct ctl *ctl = s->job->client->ctl;

	if (ctl->shards->n > 1) {
		__atomic_store_n(&s->changed, true, __ATOMIC_RELEASE);
		ev_async_send(ctl->loop, &ctl->news);
		return;
	}
	s->job->asleep = false;
	ctl_client_settle(s->job->client);
}

/** ctl_session_news() - Wake the jobs that another thread left a note for */
void ctl_session_news(struct ctl_client *c)
{
	struct ctl_job *job;

	for (job = TAILQ_FIRST(&c->jobs); job; job = TAILQ_NEXT(job, link)) {
		if (!job->session ||
		    !__atomic_exchange_n(&job->session->changed, false,
					 __ATOMIC_ACQUIRE))
			continue;
		job->asleep = false;
		ctl_client_settle(c);
	}
}

static struct stack *stack_of(const struct ctl_session *s)
{
	return s->job->client->ctl->shards->st[s->shard];
}

static void hold(const struct ctl_session *s)
{
	shards_hold(s->job->client->ctl->shards, s->shard);
}

static void release(const struct ctl_session *s)
{
	shards_release(s->job->client->ctl->shards, s->shard);
}

static struct ctl_session *session_new(struct ctl_job *job, bool ends)
{
	struct ctl_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->reader.changed = on_changed;
	s->reader.ends = ends;
	s->job = job;
	job->session = s;
	return s;
}

/** ctl_session_del() - Nobody reads any more; NULL is fine */
void ctl_session_del(struct ctl_session *s)
{
	struct ctl *ctl;

	if (!s)
		return;
	ctl = s->job->client->ctl;
	hold(s);
	if (s->reader.c) {
		chat_detach(stack_of(s), &s->reader);
		ctl->hooks.kick(ctl->hooks.arg);
	}
	release(s);
	free(s->text);
	free(s);
}

/* ---- conn.open --------------------------------------------------------- */

static bool take_address(const struct ctl_request *r, const char *name,
			 struct ip_addr *addr, bool *given)
{
	const char *text;

	*given = false;
	if (!ctl_method_string(r, name, &text))
		return false;
	if (!text)
		return true;
	*given = true;
	if (ipaddr_parse(text, addr))
		return true;
	ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_REQUEST, CTL_NO_OFFSET,
			"198.18.66.1, or fd74:6370:6873::1",
			"'%.100s' is no address", text);
	return false;
}

static void not_opened(const struct ctl_job *job, int err)
{
	const char *why = "no memory, or too many connections";

	if (err == -EADDRNOTAVAIL)
		why = "no address of ours to open it from";
	else if (err == -EADDRINUSE)
		why = "the port is in use";
	else if (err == -EINVAL)
		why = "nobody can be connected to there";
	ctl_reply_error(job->client, job->id, CTL_ERROR_NOT_OPENED,
			CTL_NO_OFFSET, NULL, "%s", why);
}

/* From the shard that will get the answers. */
static int open_from(struct ctl_session *s, const struct chat_target *to)
{
	struct ctl *ctl = s->job->client->ctl;
	const struct ctl_hooks *hooks = &ctl->hooks;
	int err;

	if (hooks->opener)
		s->shard = shards_index(ctl->shards,
					hooks->opener(hooks->arg, to->local,
						      to->local_port, &to->peer,
						      to->peer_port));
	hold(s);
	err = chat_open(stack_of(s), to, ctl_now_us(), &s->reader);
	release(s);
	return err;
}

/** ctl_session_open() - conn.open */
void ctl_session_open(const struct ctl_request *r)
{
	struct ctl *ctl = r->client->ctl;
	json_int_t port = 0, local_port = 0, patience_us = 0;
	struct chat_target to = {0};
	struct ip_addr local;
	bool peer_given, local_given;
	struct ctl_session *s;
	struct ctl_job *job;
	int err = -ENOBUFS;

	if (!take_address(r, "address", &to.peer, &peer_given) ||
	    !take_address(r, "local_address", &local, &local_given) ||
	    !ctl_method_number(r, "port", 1, UINT16_MAX, &port) ||
	    !ctl_method_number(r, "local_port", 1, UINT16_MAX, &local_port) ||
	    !ctl_method_number(r, "patience_us", 1, PATIENCE_MAX_US,
			       &patience_us) ||
	    !ctl_method_bool(r, "nodelay", &to.nodelay))
		return;
	if (!peer_given || !port) {
		ctl_method_refuse(r, peer_given ? "'port' is missing"
						: "'address' is missing");
		return;
	}
	job = ctl_job_new(r, session_step);
	if (!job)
		return;
	to.peer_port = (uint16_t)port;
	to.local = local_given ? &local : NULL;
	to.local_port = (uint16_t)local_port;
	to.patience_us = patience_us;
	s = session_new(job, true);
	if (s)
		s->reader.asks = patience_us > 0;
	if (s)
		err = open_from(s, &to);
	if (err) {
		not_opened(job, err);
		ctl_job_del(job);
		return;
	}
	ctl->hooks.kick(ctl->hooks.arg);
}

/* ---- conn.attach ------------------------------------------------------- */

/* Inside a walk. Without a session: not a connection to attach to. */
static bool attach(struct ctl_job *job, struct stack *st, struct tcp_conn *c)
{
	struct ctl_session *s = session_new(job, false);

	if (!s)
		return true;
	s->shard = shards_index(job->client->ctl->shards, st);
	job->skipped = chat_attach(st, c, &s->reader) == -EBUSY;
	if (!s->reader.c) {
		job->session = NULL;
		free(s);
	}
	return true;
}

static bool attached(struct ctl_job *job)
{
	if (!job->session) {
		ctl_reply_error(job->client, job->id,
				job->skipped ? CTL_ERROR_BUSY
					     : CTL_ERROR_BAD_REQUEST,
				CTL_NO_OFFSET, NULL,
				job->skipped ? "c%" PRIu32 " has a reader"
					     : "c%" PRIu32 " is not a "
					       "connection of service chat",
				job->found.id);
		return true;
	}
	job->step = session_step;
	return false;
}

/** ctl_session_attach() - conn.attach */
void ctl_session_attach(const struct ctl_request *r)
{
	const struct ctl_job like = {
		.act = attach,
		.acted = attached,
		.verb = "attach to",
	};

	ctl_walk_act(r, &like);
}

/* ---- what is new ------------------------------------------------------- */

static void item(const struct ctl_job *job, json_t *o)
{
	ctl_reply_item(job->client, job->id, o);
}

static void tell_open(struct ctl_session *s)
{
	struct ctl_job *job = s->job;
	struct conn_info info;
	json_t *o;

	tcp_info(stack_of(s), s->reader.c, &info, ctl_now_us());
	o = describe_conn(&info, NULL, false);
	json_object_set_new(o, "event", json_string("open"));
	item(job, o);
	s->told_open = true;
}

/* Text as items, while the client reads them. */
static void tell_text(struct ctl_session *s)
{
	struct ctl *ctl = s->job->client->ctl;
	char text[sodium_base64_ENCODED_LEN(CHUNK, BASE64)];
	const uint8_t *data;
	size_t len;

	while (s->reader.c && ctl_client_may_write(s->job->client) &&
	       (len = tcp_peek(stack_of(s), s->reader.c, &data)) > 0) {
		if (len > CHUNK)
			len = CHUNK;
		sodium_bin2base64(text, sizeof(text), data, len, BASE64);
		item(s->job,
		     json_pack("{s:s, s:s}", "event", "text", "base64", text));
		tcp_consume(stack_of(s), s->reader.c, len);
		ctl->hooks.kick(ctl->hooks.arg);
	}
}

static void sent(struct ctl_session *s, ssize_t err)
{
	struct ctl_client *c = s->job->client;

	if (err < 0)
		ctl_reply_error(c, s->send_id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, NULL, "%s",
				err == -EPIPE ? "our end is closed already"
					      : "the connection has ended");
	else
		ctl_reply_result(
			c, s->send_id,
			json_pack("{s:I}", "sent", (json_int_t)s->len));
	*s->send_id = '\0';
	free(s->text);
	s->text = NULL;
}

/* As much of the conn.send that waits as there is room for. */
static void push(struct ctl_session *s)
{
	struct ctl *ctl = s->job->client->ctl;
	ssize_t n = 0;

	if (!*s->send_id)
		return;
	if (!s->reader.c) {
		sent(s, -ECONNRESET);
		return;
	}
	if (!s->reader.open)
		return;
	if (s->done < s->len)
		n = tcp_send(stack_of(s), s->reader.c, s->text + s->done,
			     s->len - s->done);
	s->done += n > 0 ? (size_t)n : 0;
	if (n >= 0 && s->done < s->len)
		return;
	if (n >= 0 && s->end)
		tcp_close(stack_of(s), s->reader.c);
	sent(s, n);
	ctl->hooks.kick(ctl->hooks.arg);
}

/* A handshake that failed: which way, and for how long it was tried. */
static void tell_failed(const struct ctl_session *s)
{
	const struct chat_reader *r = &s->reader;
	enum ctl_error code = CTL_ERROR_NOT_OPENED;
	const char *words = close_words(r->reason);
	char peer[IPPORT_TEXT_MAX];

	if (r->reason == CLOSE_REFUSED)
		code = CTL_ERROR_REFUSED;
	else if (r->reason == CLOSE_TIMEOUT_SYN ||
		 r->reason == CLOSE_TIMEOUT_SYNACK ||
		 r->reason == CLOSE_TIMEOUT_USER)
		code = CTL_ERROR_TIMEOUT;
	else if (r->reason == CLOSE_UNREACHABLE)
		code = CTL_ERROR_UNREACHABLE;
	if (r->reason == CLOSE_TIMEOUT_USER) /* our patience, of that kind */
		words = close_words(CLOSE_TIMEOUT_SYN);
	if (code == CTL_ERROR_TIMEOUT && r->last.odd) {
		code = CTL_ERROR_VIOLATION;
		words = "answered against the protocol";
	}
	ipport_format(&r->last.peer, r->last.peer_port, peer);
	ctl_reply_failure(s->job->client, s->job->id, code,
			  json_pack("{s:s, s:I, s:I, s:o}", "reason",
				    close_name(r->reason), "time_us",
				    (json_int_t)r->last.age_us, "retrans",
				    (json_int_t)r->last.retrans, "conn",
				    json_sprintf("c%" PRIu32, r->last.id)),
			  "%s: %s after %" PRIu32 " SYN%s, %.1f ms", peer,
			  words, r->last.retrans + 1,
			  plural(r->last.retrans + 1ull),
			  (double)r->last.age_us / 1000);
}

static void tell_end(const struct ctl_session *s)
{
	const struct chat_reader *r = &s->reader;
	json_t *o = describe_conn(&r->last, NULL, false);

	json_object_set_new(o, "reason", json_string(close_name(r->reason)));
	json_object_set_new(o, "words", json_string(close_words(r->reason)));
	ctl_reply_result(s->job->client, s->job->id, o);
}

static bool go_on(struct ctl_job *job, struct ctl_session *s)
{
	struct chat_reader *r = &s->reader;

	if (r->open && r->c && !s->told_open)
		tell_open(s);
	tell_text(s);
	if (!ctl_client_may_write(job->client))
		return false; /* goes on when the client has read */
	if (r->peer_closed && !s->told_peer_closed) {
		item(job, json_pack("{s:s}", "event", "peer_closed"));
		s->told_peer_closed = true;
	}
	push(s);
	if (r->c) {
		job->asleep = true;
		return false;
	}
	if (r->open)
		tell_end(s);
	else
		tell_failed(s);
	return true;
}

static bool session_step(struct ctl_job *job)
{
	struct ctl_session *s = job->session;
	bool over;

	hold(s);
	over = go_on(job, s);
	release(s);
	return over;
}

/* ---- conn.send --------------------------------------------------------- */

/* The text of a request, from either of two parameters; NULL if it is wrong,
 * which was answered. To be freed. */
static uint8_t *take_text(const struct ctl_request *r, size_t *len)
{
	const char *text, *base64;
	uint8_t *out;

	if (!ctl_method_string(r, "text", &text) ||
	    !ctl_method_string(r, "base64", &base64))
		return NULL;
	out = malloc(SEND_MAX);
	*len = 0;
	if (!out) {
		ctl_method_refuse(r, "there is no memory for the text");
		return NULL;
	}
	if (text) {
		*len = strlen(text); /* less than a request */
		if (*len <= SEND_MAX) {
			memcpy(out, text, *len);
			return out;
		}
	} else if (!base64 ||
		   !sodium_base642bin(out, SEND_MAX, base64, strlen(base64),
				      NULL, len, NULL, BASE64)) {
		return out;
	}
	free(out);
	ctl_method_refuse(r, text ? "'text' is too long"
				  : "'base64' is wrong, or too long");
	return NULL;
}

/* To a session: waits there for room (push()). */
static void send_session(const struct ctl_request *r, const json_t *session,
			 bool end)
{
	struct ctl_job *job = NULL;
	struct ctl_session *s;
	char id[CTL_ID_MAX];

	if (ctl_method_id(session, id))
		job = ctl_job_find(r->client, id);
	/* A conn.send by connection has a session, too, but reads nothing. */
	if (!job || job->step != session_step) {
		ctl_method_refuse(r, "'session' is no conn.open or "
				     "conn.attach that runs");
		return;
	}
	s = job->session;
	if (*s->send_id) {
		ctl_reply_error(r->client, r->id, CTL_ERROR_BUSY, CTL_NO_OFFSET,
				NULL, "a conn.send of this session waits");
		return;
	}
	s->text = take_text(r, &s->len);
	if (!s->text)
		return;
	snprintf(s->send_id, sizeof(s->send_id), "%s", r->id);
	s->done = 0;
	s->end = end;
	job->asleep = false;
}

/* Inside a walk, whoever reads the connection: all of it or nothing. */
static bool say(struct ctl_job *job, struct stack *st, struct tcp_conn *c)
{
	const struct ctl_session *s = job->session;
	ssize_t n;

	if (!chat_is(st, c))
		job->said = -EINVAL;
	else if (tcp_send_room(st, c) < s->len)
		job->said = -EBUSY;
	else {
		n = tcp_send(st, c, s->text, s->len);
		job->said = n < 0 ? (int)n : 0;
		if (n >= 0 && s->end)
			tcp_close(st, c);
	}
	return true;
}

static bool said(struct ctl_job *job)
{
	const char *why = "c%" PRIu32 "'s queue has no room for it";
	enum ctl_error code = CTL_ERROR_BUSY;

	if (!job->said) {
		ctl_reply_result(job->client, job->id,
				 json_pack("{s:I}", "sent",
					   (json_int_t)job->session->len));
		return true;
	}
	if (job->said == -EINVAL) {
		code = CTL_ERROR_BAD_REQUEST;
		why = "c%" PRIu32 " is not a connection of service chat";
	} else if (job->said != -EBUSY) {
		code = CTL_ERROR_NOT_FOUND;
		why = "c%" PRIu32 " is closed already";
	}
	ctl_reply_error(job->client, job->id, code, CTL_NO_OFFSET, NULL, why,
			job->found.id);
	return true;
}

static void send_conn(const struct ctl_request *r, bool end)
{
	const struct ctl_job like = {
		.act = say,
		.acted = said,
		.verb = "talk on",
	};
	struct ctl_session *s;
	struct ctl_job *job;
	uint8_t *text;
	size_t len;

	text = take_text(r, &len);
	if (!text)
		return;
	job = ctl_walk_act(r, &like);
	s = job ? session_new(job, false) : NULL;
	if (!s) {
		free(text);
		if (job) {
			ctl_method_refuse(r, "there is no memory for the text");
			ctl_job_del(job);
		}
		return;
	}
	s->text = text;
	s->len = len;
	s->end = end;
}

/** ctl_session_send() - conn.send */
void ctl_session_send(const struct ctl_request *r)
{
	const json_t *session = json_object_get(r->params, "session");
	bool end;

	if (!ctl_method_bool(r, "end", &end))
		return;
	if (session)
		send_session(r, session, end);
	else
		send_conn(r, end);
}
