/*
 * run_numbers.c - What the daemon measures while it runs, and who may see it
 */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "service/service.h"

static void sum_up(struct run *r);
static bool hook_metrics(void *arg, unsigned int family, FILE *out);
static void hook_ctl_metrics(void *arg, ctl_put_fn *put, void *to);
static void hook_alerts(void *arg, const struct ctl_alert_filter *filter,
			ctl_put_fn *put, void *to);
static int64_t slow_of(const struct conf *c, const char *listener);
static void hook_histogram(void *arg, const char *listener, ctl_put_fn *put,
			   void *to);

int run_measure(struct run *r)
{
	handshakes_start(&r->handshakes, &r->bus, loop_now_us);
	r->conf_at = r->started_at;
	r->metrics = (struct metrics){
		.shards = &r->shards,
		.bus = &r->bus,
		.log = &r->evlog,
		.file = &r->evfile,
		.memory = &r->memory,
		.capture = &r->capture,
		.handshakes = &r->handshakes,
		.alerts = &r->alerting,
		.loop_lag = &r->loop.lag,
		.tun = &r->tun,
		.conf_ok = &r->conf_ok,
		.conf_at = &r->conf_at,
		.started_at = &r->started_at,
	};
	service_report(hook_metrics, r);
	if (r->threads) {
		handshakes_of_turns(&r->handshakes, threads_told_us);
		r->metrics.loop_lag = &r->lag_sum;
		r->metrics.tun = &r->tun_sum;
	}
	if (alerting_start(&r->alerting, &r->bus, &r->shards, &r->conf.detect,
			   r->started_us) < 0) {
		log_errorx("Cannot start: no memory to watch for attacks");
		return -ENOMEM;
	}
	if (r->conf.self_check && r->pktmem &&
	    selfcheck_start(&r->selfcheck, &r->packets, r->pktmem) < 0) {
		log_errorx("Cannot start: no memory for detect.self_check");
		return -ENOMEM;
	}
	run_measure_listeners(r);
	return 0;
}

void run_measure_stop(struct run *r)
{
	selfcheck_stop(&r->selfcheck);
	alerting_stop(&r->alerting);
}

void run_measure_listeners(struct run *r)
{
	struct listener_info info;

	alerts_conf(r->alerting.judge, &r->conf.detect);
	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		if (!shards_listener_info(&r->shards, i, &info))
			info.conf.name[0] = '\0';
		handshakes_listener(&r->handshakes, i, info.conf.name,
				    slow_of(&r->conf, info.conf.name));
	}
}

/* What threads measure each for itself. */
static void sum_up(struct run *r)
{
	if (!r->threads)
		return;
	(void)run_tun(r);
	r->lag_sum = (struct histogram){.count = 0};
	threads_lag(r->threads, &r->lag_sum);
}

const struct tun *run_tun(struct run *r)
{
	if (!r->threads)
		return &r->tun;
	r->tun_sum = r->tun; /* its name; the threads count */
	threads_tun(r->threads, &r->tun_sum);
	return &r->tun_sum;
}

static bool hook_metrics(void *arg, unsigned int family, FILE *out)
{
	struct run *r = arg;

	if (family == 0)
		sum_up(r);
	return metrics_write(&r->metrics, family, out);
}

void run_numbers_hooks(struct ctl_hooks *hooks)
{
	hooks->histogram = hook_histogram;
	hooks->metrics = hook_ctl_metrics;
	hooks->alerts = hook_alerts;
}

void run_numbers_status(const struct run *r, json_t *status)
{
	const struct alerts *judge = r->alerting.judge;
	uint64_t total = 0;

	for (unsigned int k = 0; k < ALERT_NKINDS; k++)
		total += alerts_total(judge, (enum alert_kind)k);
	json_object_set_new(status, "alerts",
			    json_integer(alerting_active(&r->alerting)));
	json_object_set_new(status, "alerts_total",
			    json_integer((json_int_t)total));
}

static int64_t slow_of(const struct conf *c, const char *listener)
{
	for (unsigned int i = 0; i < c->nlisteners; i++)
		if (strcmp(c->listeners[i].l.name, listener) == 0)
			return c->listeners[i].slow_handshake_us;
	return 0;
}

static void hook_histogram(void *arg, const char *listener, ctl_put_fn *put,
			   void *to)
{
	const struct handshakes *h = &((const struct run *)arg)->handshakes;

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		const struct handshake_group *g = &h->server[i];

		if (g->name[0] && (!listener || !strcmp(listener, g->name)))
			put(to, handshakes_describe(g, ROLE_SERVER));
	}
	if (!listener)
		put(to, handshakes_describe(&h->client, ROLE_CLIENT));
}

static void hook_ctl_metrics(void *arg, ctl_put_fn *put, void *to)
{
	struct run *r = arg;
	const struct metrics_family *f;

	sum_up(r);
	for (unsigned int i = 0; (f = metrics_family(i)); i++) {
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		if (!out)
			return;
		(void)metrics_write(&r->metrics, i, out);
		fclose(out);
		put(to,
		    json_pack("{s:s, s:s, s:s, s:s}", "name", f->name, "type",
			      f->type, "help", f->help, "text", text));
		free(text);
	}
}

/* The newest first. */
static void hook_alerts(void *arg, const struct ctl_alert_filter *filter,
			ctl_put_fn *put, void *to)
{
	const struct alerting *al = &((const struct run *)arg)->alerting;
	int64_t now_us = loop_now_us();
	const struct alert *a;

	for (unsigned int i = 0; (a = alerts_get(al->judge, i)); i++) {
		struct listener_info info = {.conf.name = ""};

		if (a->listener != LISTENER_NONE)
			stack_listener_info(al->bus->st, a->listener, &info);
		if ((filter->active && !a->active) ||
		    (filter->kind >= 0 && a->kind != filter->kind) ||
		    (*filter->listener &&
		     strcmp(filter->listener, info.conf.name) != 0))
			continue;
		put(to, alerting_describe(al, a, now_us));
	}
}
