/*
 * ctl_events.c - Events for a client, those before and those to come
 *
 * A reader is a job with a place in the memory of events (evmemory.h), which is
 * the queue of all of them: a slow one falls behind in it, and once the memory
 * has passed its place it is told in one item (lost) how many went by. Events
 * are turned into text only when the client has room for them.
 *
 * A line takes longer to make than it took to remember the event, and there may
 * be a hundred thousand in a second. So all who follow together have a bounded
 * number of lines a second, and take turns; beyond it they fall behind, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl_priv.h"
#include "evfields.h"
#include "evline.h"
#include "evmemory.h"
#include "log.h"

#define STEP_EVENTS 64
#define SECOND_US   1000000

/* Of those who follow, in microseconds of their common time: what a line takes
 * (10,000 a second), and an event that is passed over; what they may save up
 * while little happens (2,000 lines); and how long one waits for the next. */
#define LINE_US	 100
#define LOOK_US	 4
#define SAVED_US 200000
#define AGAIN_S	 0.01

/* {"id":ID,"item":LINE} */
#define ITEM_MAX (CTL_ID_MAX + EVLINE_MAX + 32)

struct ctl_events {
	TAILQ_ENTRY(ctl_events) link; /* in ctl.followers, if it follows */
	struct ctl_job *job;
	uint64_t place; /* of the next event */
	uint64_t end;	/* the answer ends there, unless it follows */
	uint64_t mask;
	int level;
	bool follow;
};

static bool events_step(struct ctl_job *job);
static void on_again(struct ev_loop *loop, ev_timer *w, int revents);

/** ctl_events_init() - Nobody follows yet */
void ctl_events_init(struct ctl *ctl)
{
	TAILQ_INIT(&ctl->followers);
	ev_init(&ctl->follow_again, on_again);
	ctl->follow_again.data = ctl;
}

/** ctl_events_new() - The memory has something new; at the end of a turn */
void ctl_events_new(void *arg)
{
	struct ctl *ctl = arg;
	struct ctl_events *f = NULL;

	for (f = TAILQ_FIRST(&ctl->followers); f; f = TAILQ_NEXT(f, link)) {
		if (!f->job->asleep)
			continue;
		f->job->asleep = false;
		ctl_client_settle(f->job->client);
	}
}

/** ctl_events_del() - Nobody reads any more; NULL is fine */
void ctl_events_del(struct ctl_events *f)
{
	struct ctl *ctl;

	if (!f)
		return;
	ctl = f->job->client->ctl;
	evmemory_unread(ctl->hooks.events, f->level);
	if (f->follow)
		TAILQ_REMOVE(&ctl->followers, f, link);
	free(f);
}

/* ---- the request ------------------------------------------------------- */

/* RFC 3339 in UTC, with or without a fraction; false if it is not. */
static bool parse_time(const char *text, int64_t *wall_us)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t us = 0, digit = SECOND_US / 10;

	if (end && *end == '.') {
		for (end++; *end >= '0' && *end <= '9'; end++) {
			us += digit * (*end - '0');
			digit /= 10;
		}
	}
	if (!end || strcmp(end, "Z") != 0)
		return false;
	*wall_us = (int64_t)timegm(&tm) * SECOND_US + us;
	return true;
}

static bool take_since(const struct ctl_request *r, const struct evmemory *m,
		       bool follow, uint64_t *place)
{
	int64_t wall_us;
	const char *since;

	if (!ctl_method_string(r, "since", &since))
		return false;
	*place = follow ? m->put : evmemory_first(m);
	if (!since)
		return true;
	if (!parse_time(since, &wall_us)) {
		ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_REQUEST,
				CTL_NO_OFFSET, "2026-01-31T12:00:00.5Z",
				"'%.40s' is no time in UTC", since);
		return false;
	}
	*place = evmemory_since(m, wall_us);
	return true;
}

static bool take_level(const struct ctl_request *r, int *level)
{
	const char *name;

	*level = LOG_LEVEL_INFO;
	if (!ctl_method_string(r, "level", &name))
		return false;
	if (name)
		*level = log_level_parse(name);
	if (*level >= 0)
		return true;
	ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_REQUEST, CTL_NO_OFFSET,
			"error, warning, notice, info or debug",
			"'%.40s' is no log level", name);
	return false;
}

static void begin(const struct ctl_request *r, struct filter *filter,
		  const struct ctl_events *like)
{
	struct ctl *ctl = r->client->ctl;
	struct ctl_job *job = ctl_job_new(r, events_step);
	struct ctl_events *f;

	if (!job) {
		filter_free(filter);
		return;
	}
	job->filter = filter;
	f = malloc(sizeof(*f));
	if (!f) {
		ctl_reply_error(r->client, r->id, CTL_ERROR_BUSY, CTL_NO_OFFSET,
				NULL, "no memory");
		ctl_job_del(job);
		return;
	}
	*f = *like;
	f->job = job;
	job->events = f;
	evmemory_read(ctl->hooks.events, f->level);
	if (f->follow)
		TAILQ_INSERT_TAIL(&ctl->followers, f, link);
}

/** ctl_events_follow() - events.follow */
void ctl_events_follow(const struct ctl_request *r)
{
	const struct evmemory *m = r->client->ctl->hooks.events;
	struct ctl_events f = {.place = 0};
	struct filter *filter;

	if (!m || !m->size) {
		ctl_reply_error(r->client, r->id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, "set log.recent",
				"no events are remembered");
		return;
	}
	if (!ctl_method_bool(r, "follow", &f.follow) ||
	    !take_since(r, m, f.follow, &f.place) || !take_level(r, &f.level))
		return;
	f.end = m->put;
	f.mask = evbus_level_mask(f.level);
	filter = ctl_walk_filter(r);
	if (filter)
		begin(r, filter, &f);
}

/* ---- the answer -------------------------------------------------------- */

/* What a filter can ask of an event. */
static void facts_of(const struct event *e, struct conn_info *info)
{
	*info = (struct conn_info){
		.id = e->conn,
		.state = e->state,
		.role = e->role,
		.listener = e->listener,
		.local = e->local,
		.peer = e->peer,
		.local_port = e->local_port,
		.peer_port = e->peer_port,
		.age_us = -1,
		.idle_us = -1,
		.handshake_us = -1,
	};
	if (e->type == EVENT_HANDSHAKE_COMPLETED)
		info->handshake_us = e->a;
}

/* What it tells of is its kind, a. */
static bool is_alert(const struct event *e)
{
	return e->type == EVENT_ALERT_RAISED ||
	       e->type == EVENT_ALERT_CHANGED || e->type == EVENT_ALERT_ENDED;
}

static bool matches(const struct ctl_events *f, const struct event *e)
{
	const struct ctl *ctl = f->job->client->ctl;
	const char *listener = NULL;
	struct conn_info info;
	uint32_t alerts;
	bool alert;

	if (!(f->mask & EVBUS_BIT(e->type)))
		return false;
	if (filter_is_empty(f->job->filter))
		return true;
	alert = is_alert(e) && filter_asks_alerts(f->job->filter);
	if (!e->peer_port && !alert)
		return false; /* of no connection */
	if (e->listener < STACK_LISTENERS_MAX && *ctl->listeners[e->listener])
		listener = ctl->listeners[e->listener];
	facts_of(e, &info);
	alerts = alert ? 1u << e->a : ctl_walk_alerts(f->job, &info);
	return filter_match_ended(f->job->filter, &info, listener,
				  evfields_outcome(e), alerts);
}

/* "12:00:00.123456 c42 [Server] ...": in the time zone of the daemon. */
static size_t text_line(const struct evbus_record *r, const struct stack *st,
			char *to)
{
	time_t s = (time_t)(r->wall_us / SECOND_US);
	struct tm tm;
	size_t n;

	localtime_r(&s, &tm);
	n = strftime(to, 16, "%H:%M:%S", &tm);
	n += (size_t)snprintf(to + n, 16, ".%06d ",
			      (int)(r->wall_us % SECOND_US));
	return n + evline_classic(r, st, to + n);
}

static void show(const struct ctl_events *f, const struct evbus_record *r)
{
	struct ctl_client *c = f->job->client;
	char *line = ctl_client_reserve(c, ITEM_MAX), *p = line;

	if (!line)
		return;
	if (c->mode == MODE_TEXT) {
		p += text_line(r, c->ctl->st, p);
	} else {
		p = stpcpy(p, "{\"id\":");
		p = stpcpy(p, f->job->id);
		p = stpcpy(p, ",\"item\":");
		p += evline_json(r, c->ctl->st, p);
		*p++ = '}';
	}
	*p++ = '\n';
	ctl_client_commit(c, (size_t)(p - line));
}

/* The memory went past this reader: how many, and up to which number. */
static void tell_lost(struct ctl_events *f, struct evmemory *m)
{
	uint64_t first = evmemory_first(m);
	struct evbus_record r;
	struct event e;

	evmemory_get(m, first, &r);
	e = (struct event){
		.type = EVENT_LOST,
		.at_us = r.e->at_us,
		.a = (int64_t)(first - f->place),
		.listener = LISTENER_NONE,
	};
	m->missed += first - f->place;
	r.e = &e;
	r.note = NULL;
	r.seq--;
	f->place = first;
	show(f, &r);
}

/* Events from the reader's place on, as many as there is room and, until
 * @until_us of the time of all who follow, time for. */
static void show_some(struct ctl_events *f, uint64_t end, int64_t until_us)
{
	struct ctl_job *job = f->job;
	struct ctl *ctl = job->client->ctl;
	struct evmemory *m = ctl->hooks.events;
	struct evbus_record r;

	if (f->place < evmemory_first(m))
		tell_lost(f, m);
	for (int i = 0;
	     i < STEP_EVENTS && f->place < end && ctl->followed_us < until_us &&
	     ctl_client_may_write(job->client);
	     i++) {
		evmemory_get(m, f->place++, &r);
		if (!matches(f, r.e)) {
			ctl->followed_us += f->follow ? LOOK_US : 0;
			continue;
		}
		ctl->followed_us += f->follow ? LINE_US : 0;
		show(f, &r);
		job->count++;
	}
}

static void follow_step(struct ctl_events *f)
{
	struct ctl *ctl = f->job->client->ctl;
	const struct evmemory *m = ctl->hooks.events;
	int64_t now_us = ctl_now_us();

	if (ctl->followed_us < now_us - SAVED_US)
		ctl->followed_us = now_us - SAVED_US;
	if (ctl->followed_us < now_us) {
		show_some(f, m->put, now_us);
		/* Whoever was served is served last the next time. */
		TAILQ_REMOVE(&ctl->followers, f, link);
		TAILQ_INSERT_TAIL(&ctl->followers, f, link);
	}
	if (f->place < m->put && ctl->followed_us < now_us)
		return;
	f->job->asleep = true;
	if (f->place < m->put && !ev_is_active(&ctl->follow_again)) {
		ev_timer_set(&ctl->follow_again, AGAIN_S, 0.);
		ev_timer_start(ctl->loop, &ctl->follow_again);
	}
}

static void on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	ctl_events_new(w->data);
}

static bool events_step(struct ctl_job *job)
{
	struct ctl_events *f = job->events;

	if (f->follow) {
		follow_step(f);
		return false;
	}
	show_some(f, f->end, INT64_MAX);
	if (f->place < f->end)
		return false;
	ctl_reply_result(job->client, job->id,
			 json_pack("{s:I}", "count", (json_int_t)job->count));
	return true;
}
