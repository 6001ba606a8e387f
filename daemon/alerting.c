/*
 * alerting.c - Shows the judge what happens, and tells what it says
 *
 * A sink of the bus. Once a second, as long as there is something to watch,
 * the judge gets the counters of the stack; what it says is posted as events
 * alert.raised, alert.changed and alert.ended. An idle daemon is not woken.
 */
#include "alerting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"
#include "privacy.h"

#define SECOND_US    1000000
#define SENTENCE_MAX 256

static void take(struct evbus_sink *s, const struct evbus_record *r);
static int64_t turn(struct evbus_sink *s, int64_t now_us);
static void gather(struct shards *s, struct alert_facts *f);
static void tell(struct alerting *al);
static void post(struct alerting *al, const struct alert *raised,
		 enum alert_step step);
static const char *listener_of(const struct alerting *al, const struct alert *a,
			       struct listener_info *info);

int alerting_start(struct alerting *al, struct evbus *bus,
		   struct shards *shards, const struct alert_conf *conf,
		   int64_t now_us)
{
	void *mem = calloc(1, alerts_size());

	if (!mem)
		return -ENOMEM;
	*al = (struct alerting){
		.sink = {.mask = alerts_mask(), .take = take, .turn = turn},
		.bus = bus,
		.shards = shards,
		.judge = alerts_init(mem, conf, now_us),
		.tick_us = now_us + SECOND_US,
	};
	evbus_add(bus, &al->sink);
	return 0;
}

void alerting_stop(struct alerting *al)
{
	free(al->judge);
	al->judge = NULL;
}

unsigned int alerting_active(const struct alerting *al)
{
	unsigned int n = 0;

	for (unsigned int k = 0; k < ALERT_NKINDS; k++)
		n += alerts_active(al->judge, (enum alert_kind)k);
	return n;
}

static void take(struct evbus_sink *s, const struct evbus_record *r)
{
	alerts_event(((struct alerting *)s)->judge, r->e);
}

static int64_t turn(struct evbus_sink *s, int64_t now_us)
{
	struct alerting *al = (struct alerting *)s;
	struct alert_facts f;

	if (now_us >= al->tick_us) {
		gather(al->shards, &f);
		alerts_tick(al->judge, &f, now_us);
		al->tick_us = now_us + SECOND_US;
	}
	tell(al);
	return alerts_busy(al->judge) ? al->tick_us : TIME_NEVER;
}

static void gather(struct shards *s, struct alert_facts *f)
{
	struct listener_info info;
	struct stack_stats stats;

	*f = (struct alert_facts){
		.half_open_max = stack_conf(s->names)->max_half_open,
		.cookies_always =
			stack_conf(s->names)->cookies == COOKIES_ALWAYS,
	};
	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		if (!shards_listener_info(s, i, &info))
			continue;
		f->listener[i] = (struct alert_listener){
			.used = true,
			.syns = info.syns,
			.opened = info.opened,
			.cookies = info.cookies,
			.half_open = info.half_open,
			.backlog = info.conf.backlog,
		};
	}
	shards_stats(s, &stats);
	f->half_open = stats.half_open;
	f->bad_checksums = stats.dropped[DROP_IP_CHECKSUM] +
			   stats.dropped[DROP_ICMP_CHECKSUM] +
			   stats.dropped[DROP_UDP_HEADER] +
			   stats.dropped[DROP_TCP_CHECKSUM];
}

static void tell(struct alerting *al)
{
	enum alert_step step;
	const struct alert *a;

	while ((a = alerts_step(al->judge, &step)))
		post(al, a, step);
}

/* The kind and its numbers are facts; so is who seems to be behind it. */
static void post(struct alerting *al, const struct alert *raised,
		 enum alert_step step)
{
	static const enum event_type types[] = {
		[ALERT_RAISED] = EVENT_ALERT_RAISED,
		[ALERT_CHANGED] = EVENT_ALERT_CHANGED,
		[ALERT_ENDED] = EVENT_ALERT_ENDED,
	};
	struct alert shown = *raised;
	const struct alert *a = &shown;
	const struct event e = {
		.type = (uint8_t)types[step],
		.a = a->kind,
		.b = a->id,
		.conn = a->conn,
		.listener = a->listener,
	};
	struct evbus_fact facts[ALERT_NUMBERS_MAX + 6];
	char text[SENTENCE_MAX], source[IPPREFIX_TEXT_MAX], id[16];
	struct listener_info info;
	const char *listener = listener_of(al, a, &info);
	unsigned int n = 0;

	privacy_prefix(&shown.source);
	snprintf(id, sizeof(id), "a%u", a->id);
	facts[n++] = (struct evbus_fact){"alert", id, 0};
	facts[n++] = (struct evbus_fact){
		"kind", alert_name((enum alert_kind)a->kind), 0};
	facts[n++] = (struct evbus_fact){
		"severity", alert_severity((enum alert_kind)a->kind), 0};
	if (listener)
		facts[n++] = (struct evbus_fact){"listener", listener, 0};
	if (a->source.len)
		facts[n++] = (struct evbus_fact){
			"source", ipprefix_format(&a->source, source), 0};
	for (unsigned int i = 0; alert_number_name((enum alert_kind)a->kind, i);
	     i++)
		facts[n++] = (struct evbus_fact){
			alert_number_name((enum alert_kind)a->kind, i), NULL,
			a->number[i]};
	ASSERT(n <= ARRAY_LEN(facts));
	alert_sentence(a, listener, step, text, sizeof(text));
	evbus_post(al->bus, &e, facts, n, "[Alert] %s", text);
}

static const char *listener_of(const struct alerting *al, const struct alert *a,
			       struct listener_info *info)
{
	if (a->listener == LISTENER_NONE ||
	    !stack_listener_info(al->bus->st, a->listener, info))
		return NULL;
	return info->conf.name;
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, json_string(text));
}

json_t *alerting_describe(const struct alerting *al, const struct alert *a,
			  int64_t now_us)
{
	enum alert_kind kind = (enum alert_kind)a->kind;
	json_t *o = json_object(), *numbers = json_object();
	char text[SENTENCE_MAX], source[IPPREFIX_TEXT_MAX], id[16];
	struct listener_info info;
	const char *listener = listener_of(al, a, &info);
	int64_t end_us = a->active ? now_us : a->ended_us;

	snprintf(id, sizeof(id), "a%u", a->id);
	alert_sentence(a, listener, a->active ? ALERT_RAISED : ALERT_ENDED,
		       text, sizeof(text));
	put_text(o, "id", id);
	put_text(o, "kind", alert_name(kind));
	put_text(o, "severity", alert_severity(kind));
	put_text(o, "state", a->active ? "active" : "over");
	if (listener)
		put_text(o, "listener", listener);
	if (a->source.len)
		put_text(o, "source", ipprefix_format(&a->source, source));
	if (a->conn) {
		snprintf(id, sizeof(id), "c%u", a->conn);
		put_text(o, "conn", id);
	}
	json_object_set_new(o, "age_us", json_integer(now_us - a->since_us));
	json_object_set_new(o, "duration_us",
			    json_integer(end_us - a->since_us));
	for (unsigned int i = 0; alert_number_name(kind, i); i++)
		json_object_set_new(numbers, alert_number_name(kind, i),
				    json_integer(a->number[i]));
	json_object_set_new(o, "numbers", numbers);
	put_text(o, "message", text);
	put_text(o, "meaning", alert_meaning(kind));
	put_text(o, "innocent", alert_innocent(kind));
	put_text(o, "action", alert_action(kind));
	return o;
}
