/*
 * ctl_walk.c - Methods that walk over the connections
 *
 * The stack has no index by id, and a listing may have a million items. So
 * these methods are jobs: each turn of their client (ctl.c) looks at
 * STEP_PLACES places of the table and goes on from there the next time. Jobs
 * of one client take turns, so their answers are interleaved.
 *
 * Ids have 32 bits and wrap, so conn.show and conn.close walk to the end to
 * see whether a second connection has the same one. conn.close and others that
 * do something to a connection then walk again, for the four-tuple that they
 * found: only inside a walk is there a struct tcp_conn, and it must not be kept
 * between turns.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/nearest.h>
#include <tcphs/plural.h>

#include "ctl_priv.h"
#include "describe.h"
#include "log.h"

#define STEP_PLACES   128
#define PROGRESS_US   INT64_C(1000000)
#define CONN_NAME_MAX (2 * IPPORT_TEXT_MAX)

static bool list_step(struct ctl_job *job);
static bool kill_step(struct ctl_job *job);
static bool show_step(struct ctl_job *job);
static bool find_to_act_step(struct ctl_job *job);
static bool act_step(struct ctl_job *job);

/* ---- jobs -------------------------------------------------------------- */

/** ctl_job_new() - NULL if the client has too many; that was answered */
struct ctl_job *ctl_job_new(const struct ctl_request *r,
			    bool (*step)(struct ctl_job *job))
{
	struct ctl_client *c = r->client;
	struct ctl_job *job = NULL;

	if (c->njobs < CTL_JOBS_MAX)
		job = calloc(1, sizeof(*job));
	if (!job) {
		ctl_reply_error(c, r->id, CTL_ERROR_BUSY, CTL_NO_OFFSET, NULL,
				"at most %d requests run at once",
				CTL_JOBS_MAX);
		return NULL;
	}
	job->client = c;
	job->step = step;
	snprintf(job->id, sizeof(job->id), "%s", r->id);
	TAILQ_INSERT_TAIL(&c->jobs, job, link);
	c->njobs++;
	return job;
}

/** ctl_job_del() - It was answered, or nobody waits for the answer */
void ctl_job_del(struct ctl_job *job)
{
	TAILQ_REMOVE(&job->client->jobs, job, link);
	job->client->njobs--;
	filter_free(job->filter);
	ctl_session_del(job->session);
	ctl_events_del(job->events);
	ctl_dump_del(job->dump);
	ctl_copy_del(job->copy);
	free(job);
}

/** ctl_job_find() - The client's job of this id, or NULL */
struct ctl_job *ctl_job_find(const struct ctl_client *c, const char *id)
{
	struct ctl_job *job = TAILQ_FIRST(&c->jobs);

	while (job && strcmp(job->id, id) != 0)
		job = TAILQ_NEXT(job, link);
	return job;
}

/** ctl_walk_running() - Has the client a job of this id? */
bool ctl_walk_running(const struct ctl_client *c, const char *id)
{
	return ctl_job_find(c, id);
}

/** ctl_walk_cancel() - End a job; false if there is none of this id */
bool ctl_walk_cancel(struct ctl_client *c, const char *id)
{
	struct ctl_job *job = ctl_job_find(c, id);

	if (!job)
		return false;
	ctl_reply_error(c, id, CTL_ERROR_CANCELLED, CTL_NO_OFFSET, NULL,
			"cancelled");
	ctl_job_del(job);
	return true;
}

/* Go on with the walk; true when it is over. */
static bool walk(struct ctl_job *job, stack_walk_fn *fn)
{
	return !shards_walk(job->client->ctl->shards, &job->cursor, STEP_PLACES,
			    ctl_now_us(), fn, job);
}

static const char *listener_of(const struct ctl_job *job,
			       const struct conn_info *info)
{
	const struct ctl *ctl = job->client->ctl;

	if (info->listener >= STACK_LISTENERS_MAX ||
	    !*ctl->listeners[info->listener])
		return NULL;
	return ctl->listeners[info->listener];
}

static bool job_matches(const struct ctl_job *job, const struct conn_info *info)
{
	return filter_match(job->filter, info, listener_of(job, info),
			    ctl_walk_alerts(job, info));
}

/** ctl_walk_alerts() - Those that concern a connection, if the filter asks */
uint32_t ctl_walk_alerts(const struct ctl_job *job,
			 const struct conn_info *info)
{
	const struct alerts *judge = job->client->ctl->hooks.judge;

	if (!judge || !filter_asks_alerts(job->filter))
		return 0;
	return alerts_about(judge, info);
}

/* Ends a connection; what is not one yet, or no more, is left to the stack. */
static bool end_conn(struct ctl_job *job, struct stack *st, struct tcp_conn *c)
{
	if (!c)
		return false;
	if (job->rst)
		tcp_abort(st, c, CLOSE_ADMIN);
	else
		tcp_dismiss(st, c);
	return true;
}

static void kick(const struct ctl_job *job)
{
	const struct ctl_hooks *hooks = &job->client->ctl->hooks;

	hooks->kick(hooks->arg);
}

/* ---- conn.list --------------------------------------------------------- */

static const char *const field_names[] = {
#define FIELD_NAME(name) #name,
	CONN_FIELD_LIST(FIELD_NAME)
#undef FIELD_NAME
};

static bool field_bit(const char *name, uint32_t *fields)
{
	for (unsigned int i = 0; i < CONN_NFIELDS; i++) {
		if (strcmp(name, field_names[i]) == 0) {
			*fields |= 1u << i;
			return true;
		}
	}
	return false;
}

/* The members that are wanted; all without the parameter. */
static bool take_fields(const struct ctl_request *r, uint32_t *fields)
{
	const json_t *list = json_object_get(r->params, "fields");
	const char *name, *near;
	json_t *item;
	char hint[64];
	size_t i;

	*fields = list ? 0 : CONN_FIELDS_ALL;
	if (list && !json_is_array(list)) {
		ctl_method_refuse(r, "'fields' must be an array of names");
		return false;
	}
	json_array_foreach(list, i, item)
	{
		name = json_string_value(item);
		if (!name) {
			ctl_method_refuse(r, "'fields' must be names");
			return false;
		}
		if (field_bit(name, fields))
			continue;
		near = nearest(name, field_names, CONN_NFIELDS);
		if (near)
			snprintf(hint, sizeof(hint), "did you mean '%s'?",
				 near);
		ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_REQUEST,
				CTL_NO_OFFSET, near ? hint : NULL,
				"unknown field '%.40s'", name);
		return false;
	}
	return true;
}

/**
 * ctl_walk_filter() - The parameter "filter", if it is a good one
 *
 * Return: an absent one matches everything; NULL if it is wrong, which was
 *         answered
 */
struct filter *ctl_walk_filter(const struct ctl_request *r)
{
	struct filter_error err;
	struct filter *f;
	const char *text;

	if (!ctl_method_string(r, "filter", &text))
		return NULL;
	f = filter_parse(text ? text : "", &err);
	if (!f)
		ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_FILTER, err.at,
				err.hint, "%s", err.message);
	return f;
}

/** ctl_walk_list() - conn.list */
void ctl_walk_list(const struct ctl_request *r)
{
	struct ctl_job *job;
	struct filter *f;
	uint32_t fields;

	if (!take_fields(r, &fields))
		return;
	f = ctl_walk_filter(r);
	if (!f)
		return;
	job = ctl_job_new(r, list_step);
	if (!job) {
		filter_free(f);
		return;
	}
	job->filter = f;
	job->fields = fields;
	if (r->client->mode == MODE_TEXT)
		ctl_text_conn_head(r->client);
}

static bool list_item(struct stack *st, struct tcp_conn *c,
		      const struct conn_info *info, void *arg)
{
	struct ctl_job *job = arg;

	(void)st;
	(void)c;
	if (!job_matches(job, info))
		return true;
	ctl_reply_conn(job, info, listener_of(job, info));
	job->count++;
	return ctl_client_may_write(job->client);
}

static bool list_step(struct ctl_job *job)
{
	if (!walk(job, list_item))
		return false;
	if (job->client->mode == MODE_JSON)
		ctl_reply_result(
			job->client, job->id,
			json_pack("{s:I}", "count", (json_int_t)job->count));
	return true;
}

/* ---- conn.kill --------------------------------------------------------- */

/** ctl_walk_kill() - conn.kill */
void ctl_walk_kill(const struct ctl_request *r)
{
	struct ctl_job *job;
	struct filter *f;
	bool rst;

	if (!ctl_method_bool(r, "rst", &rst))
		return;
	f = ctl_walk_filter(r);
	if (!f)
		return;
	if (filter_is_empty(f)) {
		filter_free(f);
		ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_REQUEST,
				CTL_NO_OFFSET,
				"'state all' closes every connection",
				"conn.kill needs a filter");
		return;
	}
	job = ctl_job_new(r, kill_step);
	if (!job) {
		filter_free(f);
		return;
	}
	job->filter = f;
	job->rst = rst;
	job->told_us = ctl_now_us();
}

static bool kill_item(struct stack *st, struct tcp_conn *c,
		      const struct conn_info *info, void *arg)
{
	struct ctl_job *job = arg;

	if (!job_matches(job, info))
		return true;
	if (end_conn(job, st, c))
		job->count++;
	else
		job->skipped++;
	return true;
}

static json_t *kill_counts(const struct ctl_job *job)
{
	return json_pack("{s:I, s:I}", "count", (json_int_t)job->count,
			 "skipped", (json_int_t)job->skipped);
}

/* With very many it takes longer than a client bears silence. */
static void kill_progress(struct ctl_job *job)
{
	int64_t now_us = ctl_now_us();

	if (job->client->mode != MODE_JSON ||
	    now_us - job->told_us < PROGRESS_US)
		return;
	job->told_us = now_us;
	ctl_reply_item(job->client, job->id, kill_counts(job));
}

static bool kill_step(struct ctl_job *job)
{
	bool over = walk(job, kill_item);

	kick(job);
	if (!over) {
		kill_progress(job);
		return false;
	}
	log_notice("%" PRIu64 " connection%s %s by the operator", job->count,
		   plural(job->count), job->rst ? "reset" : "closed");
	ctl_reply_result(job->client, job->id, kill_counts(job));
	return true;
}

/* ---- which connection -------------------------------------------------- */

static bool parse_id(const char *text, struct ctl_target *t)
{
	uint64_t id = 0;

	text += *text == 'c';
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		id = id * 10 + (uint64_t)(*text - '0');
		if (id > UINT32_MAX)
			return false;
	}
	t->kind = TARGET_ID;
	t->id = (uint32_t)id;
	return true;
}

/* "198.18.66.2:80" or "[fd74::2]:80" */
static bool parse_end(const char *text, size_t len, struct ip_addr *addr,
		      uint16_t *port)
{
	char host[IPPORT_TEXT_MAX], *colon, *end;
	unsigned long n;

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	colon = strrchr(host, ':');
	if (!colon || colon == host || colon[1] < '0' || colon[1] > '9')
		return false;
	n = strtoul(colon + 1, &end, 10);
	if (*end || n > UINT16_MAX)
		return false;
	*port = (uint16_t)n;
	*colon = '\0';
	if (host[0] != '[')
		return !strchr(host, ':') && ipaddr_parse(host, addr);
	if (colon[-1] != ']')
		return false;
	colon[-1] = '\0';
	return ipaddr_parse(host + 1, addr);
}

static bool parse_ends(const char *text, struct ctl_target *t)
{
	const char *dash = strchr(text, '-');

	t->kind = TARGET_ENDS;
	return dash &&
	       parse_end(text, (size_t)(dash - text), &t->local,
			 &t->local_port) &&
	       parse_end(dash + 1, strlen(dash + 1), &t->peer, &t->peer_port);
}

/**
 * ctl_walk_target() - Which connection "conn" names
 *
 * Return: false if it names none; that was answered
 */
bool ctl_walk_target(const struct ctl_request *r, struct ctl_target *t)
{
	const char *text;

	*t = (struct ctl_target){.kind = TARGET_LAST};
	if (!ctl_method_needs(r, "conn", &text))
		return false;
	if (strcmp(text, "last") == 0 || parse_id(text, t) ||
	    parse_ends(text, t))
		return true;
	ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_REQUEST, CTL_NO_OFFSET,
			"c42, last, or 198.18.66.2:80-198.18.66.1:50112",
			"'%.100s' does not name a connection", text);
	return false;
}

static bool has_ends(const struct conn_info *info, const struct ctl_target *t)
{
	return info->local_port == t->local_port &&
	       info->peer_port == t->peer_port &&
	       memcmp(&info->local, &t->local, sizeof(t->local)) == 0 &&
	       memcmp(&info->peer, &t->peer, sizeof(t->peer)) == 0;
}

static bool same_ends(const struct conn_info *a, const struct conn_info *b)
{
	return a->local_port == b->local_port && a->peer_port == b->peer_port &&
	       memcmp(&a->local, &b->local, sizeof(a->local)) == 0 &&
	       memcmp(&a->peer, &b->peer, sizeof(a->peer)) == 0;
}

static const char *ends_text(const struct ip_addr *local, uint16_t local_port,
			     const struct ip_addr *peer, uint16_t peer_port,
			     char text[CONN_NAME_MAX])
{
	char a[IPPORT_TEXT_MAX], b[IPPORT_TEXT_MAX];

	snprintf(text, CONN_NAME_MAX, "%s-%s",
		 ipport_format(local, local_port, a),
		 ipport_format(peer, peer_port, b));
	return text;
}

/**
 * ctl_walk_target_text() - The same in words
 * @text: Room for them
 *
 * Return: the words, which may lie elsewhere
 */
const char *ctl_walk_target_text(const struct ctl_target *t,
				 char text[CTL_TARGET_MAX])
{
	switch (t->kind) {
	case TARGET_ID:
		snprintf(text, CONN_NAME_MAX, "connection c%" PRIu32, t->id);
		return text;
	case TARGET_ENDS:
		return ends_text(&t->local, t->local_port, &t->peer,
				 t->peer_port, text);
	case TARGET_LAST:
		break;
	}
	return "connection";
}

static bool find_item(struct stack *st, struct tcp_conn *c,
		      const struct conn_info *info, void *arg)
{
	struct ctl_job *job = arg;
	const struct ctl_target *t = &job->target;

	(void)st;
	if (t->kind == TARGET_ID && info->id != t->id)
		return true;
	if (t->kind == TARGET_ENDS && !has_ends(info, t))
		return true;
	if (t->kind == TARGET_LAST && job->count && info->id < job->found.id)
		return true;
	if (t->kind == TARGET_LAST)
		job->count = 1;
	else if (!job->count || !same_ends(info, &job->found))
		job->count++; /* not the same, in TIME-WAIT by now */
	job->found = *info;
	job->found_full = c;
	return t->kind != TARGET_ENDS; /* there is one at most */
}

/*
 * Go on looking for the target. False while the walk goes on; when it is over
 * and there is not exactly one, that is answered and job->count is 0.
 */
static bool find_step(struct ctl_job *job)
{
	const struct conn_info *i = &job->found;
	char text[CONN_NAME_MAX], hint[CONN_NAME_MAX + 32];
	bool over = walk(job, find_item);

	if (!over && !(job->target.kind == TARGET_ENDS && job->count))
		return false;
	if (job->count == 1)
		return true;
	if (job->count) {
		snprintf(hint, sizeof(hint), "name it by its ends, like %s",
			 ends_text(&i->local, i->local_port, &i->peer,
				   i->peer_port, text));
		ctl_reply_error(job->client, job->id, CTL_ERROR_BAD_REQUEST,
				CTL_NO_OFFSET, hint,
				"%" PRIu64 " connections have the id c%" PRIu32,
				job->count, job->target.id);
		job->count = 0;
	} else if (!ctl_packets_ended(job)) {
		ctl_reply_error(job->client, job->id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, NULL, "there is no %s",
				ctl_walk_target_text(&job->target, text));
	}
	return true;
}

/* ---- conn.show --------------------------------------------------------- */

/** ctl_walk_show() - conn.show */
void ctl_walk_show(const struct ctl_request *r)
{
	struct ctl_target t;
	struct ctl_job *job;

	if (!ctl_walk_target(r, &t))
		return;
	job = ctl_job_new(r, show_step);
	if (job)
		job->target = t;
}

static bool show_step(struct ctl_job *job)
{
	if (!find_step(job))
		return false;
	if (job->count)
		ctl_reply_result(job->client, job->id,
				 describe_conn(&job->found,
					       listener_of(job, &job->found),
					       job->found_full));
	return true;
}

/* ---- one connection ---------------------------------------------------- */

/**
 * ctl_walk_act() - Do something to the connection that "conn" names
 * @like: Has what: act, acted, verb and rst
 *
 * Return: the job; NULL if there is none, which was answered
 */
struct ctl_job *ctl_walk_act(const struct ctl_request *r,
			     const struct ctl_job *like)
{
	struct ctl_target t;
	struct ctl_job *job;

	if (!ctl_walk_target(r, &t))
		return NULL;
	job = ctl_job_new(r, find_to_act_step);
	if (!job)
		return NULL;
	job->target = t;
	job->rst = like->rst;
	job->act = like->act;
	job->acted = like->acted;
	job->verb = like->verb;
	return job;
}

/* Half-open and TIME-WAIT records are the stack's own: it forgets them. */
static void not_there(struct ctl_job *job)
{
	const struct conn_info *i = &job->found;

	if (i->half_open)
		ctl_reply_error(job->client, job->id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, NULL,
				"c%" PRIu32 " is half-open: there is no "
				"connection to %s yet",
				i->id, job->verb);
	else
		ctl_reply_error(job->client, job->id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, NULL,
				"c%" PRIu32 " is in TIME-WAIT: the connection "
				"is closed already",
				i->id);
}

static bool find_to_act_step(struct ctl_job *job)
{
	const struct conn_info *i = &job->found;

	if (!find_step(job))
		return false;
	if (!job->count)
		return true;
	if (!job->found_full) {
		not_there(job);
		return true;
	}
	/* Again from the start, for exactly this one. */
	job->target.kind = TARGET_ENDS;
	job->target.local = i->local;
	job->target.peer = i->peer;
	job->target.local_port = i->local_port;
	job->target.peer_port = i->peer_port;
	job->cursor = 0;
	job->count = 0;
	job->step = act_step;
	return false;
}

static bool act_item(struct stack *st, struct tcp_conn *c,
		     const struct conn_info *info, void *arg)
{
	struct ctl_job *job = arg;

	if (!has_ends(info, &job->target))
		return true;
	/* A new connection between the same ends is not the one meant. */
	if (info->id == job->found.id && c)
		job->count += job->act(job, st, c);
	return false;
}

static bool act_step(struct ctl_job *job)
{
	bool over = walk(job, act_item);

	if (!over && !job->count)
		return false;
	if (!job->count) {
		ctl_reply_error(job->client, job->id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, NULL,
				"c%" PRIu32 " ended by itself", job->found.id);
		return true;
	}
	kick(job);
	return job->acted(job);
}

/* ---- conn.close -------------------------------------------------------- */

static bool closed(struct ctl_job *job)
{
	log_notice("c%" PRIu32 " %s by the operator", job->found.id,
		   job->rst ? "reset" : "closed");
	ctl_reply_result(job->client, job->id,
			 json_pack("{s:o}", "id",
				   json_sprintf("c%" PRIu32, job->found.id)));
	return true;
}

/** ctl_walk_close() - conn.close */
void ctl_walk_close(const struct ctl_request *r)
{
	struct ctl_job like = {
		.act = end_conn,
		.acted = closed,
		.verb = "close",
	};

	if (ctl_method_bool(r, "rst", &like.rst))
		ctl_walk_act(r, &like);
}
