/*
 * report_doc.c - The sums of a report as one document
 *
 * Percentiles are those of the samples themselves, by nearest rank: no bucket
 * rounds them.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "since.h"

#define STEPS 27 /* upper bounds: 1 us, 2 us, 5 us, ... 500 s */

static json_t *group_json(struct report_group *g, bool named);
static void put_times(json_t *o, const int64_t *us, size_t n);
static json_t *steps_json(const int64_t *us, size_t n);
static void add_to(struct report_group *sum, const struct report_group *g);
static json_t *failure_json(const struct report_failure *f);
static int by_time(const void *a, const void *b);
static int most_first(const void *a, const void *b);
static int by_listener(const void *a, const void *b);

json_t *report_document(struct report *r)
{
	struct report_group total = {.client = false};
	json_t *doc = json_object(), *groups = json_array();
	json_t *failures = json_array();

	if (r->ngroups)
		qsort(r->group, r->ngroups, sizeof(*r->group), by_listener);
	if (r->nfailures)
		qsort(r->failure, r->nfailures, sizeof(*r->failure),
		      most_first);
	for (size_t i = 0; i < r->ngroups; i++)
		add_to(&total, &r->group[i]);
	json_object_set_new(doc, "period", report_period(r));
	json_object_set_new(doc, "total", group_json(&total, false));
	for (size_t i = 0; i < r->ngroups; i++)
		json_array_append_new(groups, group_json(&r->group[i], true));
	json_object_set_new(doc, "groups", groups);
	for (size_t i = 0; i < r->nfailures; i++)
		json_array_append_new(failures, failure_json(&r->failure[i]));
	json_object_set_new(doc, "failures", failures);
	json_object_set(doc, "endings", r->endings);
	json_object_set(doc, "alerts", r->alerts);
	free(total.hs_us);
	return doc;
}

static void put_number(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

json_t *report_period(const struct report *r)
{
	char text[SINCE_TEXT_MAX];
	json_t *o = json_object();

	if (r->since_us)
		json_object_set_new(o, "asked_from",
				    json_string(since_text(r->since_us, text)));
	if (r->from_us)
		json_object_set_new(o, "from",
				    json_string(since_text(r->from_us, text)));
	json_object_set_new(o, "until",
			    json_string(since_text(r->until_us, text)));
	if (r->from_us && r->until_us > r->from_us)
		put_number(o, "covered_us",
			   (uint64_t)(r->until_us - r->from_us));
	json_object_set_new(o, "complete", json_boolean(!r->cut && !r->lost));
	if (r->cut)
		json_object_set_new(o, "cut", json_string(r->cut));
	put_number(o, "events", r->events);
	put_number(o, "lost", r->lost);
	put_number(o, "starts", r->starts);
	if (r->files) {
		put_number(o, "lines", r->lines);
		put_number(o, "gaps", r->gaps);
		put_number(o, "damaged", r->torn);
	}
	return o;
}

static json_t *group_json(struct report_group *g, bool named)
{
	json_t *o = json_object(), *outcomes = json_object();
	uint64_t done = 0, all = 0;

	for (int i = 0; i < ATTEMPT_NOUTCOMES; i++) {
		if (!g->outcome[i])
			continue;
		put_number(outcomes, outcome_name((enum outcome)i),
			   g->outcome[i]);
		all += g->outcome[i];
		if (i == ATTEMPT_COMPLETED || i == ATTEMPT_COMPLETED_COOKIE)
			done += g->outcome[i];
	}
	if (named && *g->listener)
		json_object_set_new(o, "listener", json_string(g->listener));
	if (named)
		json_object_set_new(
			o, "role",
			json_string(g->client ? "client" : "server"));
	put_number(o, "attempts", all);
	put_number(o, "completed", done);
	put_number(o, "failed", all - done);
	json_object_set_new(o, "outcomes", outcomes);
	put_number(o, "resent", g->resent);
	put_number(o, "slow", g->slow);
	if (g->nhs)
		qsort(g->hs_us, g->nhs, sizeof(*g->hs_us), by_time);
	put_times(o, g->hs_us, g->nhs);
	return o;
}

/* By nearest rank; @us is sorted. */
static void put_times(json_t *o, const int64_t *us, size_t n)
{
	static const struct {
		const char *key;
		size_t thousandths;
	} ranks[] = {{"p50_us", 500}, {"p90_us", 900}, {"p99_us", 990}};

	put_number(o, "timed", n);
	if (!n)
		return;
	put_number(o, "min_us", (uint64_t)us[0]);
	for (size_t i = 0; i < sizeof(ranks) / sizeof(*ranks); i++)
		put_number(
			o, ranks[i].key,
			(uint64_t)us[(n * ranks[i].thousandths + 999) / 1000 -
				     1]);
	put_number(o, "max_us", (uint64_t)us[n - 1]);
	json_object_set_new(o, "steps", steps_json(us, n));
}

/* [[upper bound, how many], ...] from the first that has any to the last. */
static json_t *steps_json(const int64_t *us, size_t n)
{
	static const int64_t digits[] = {1, 2, 5};
	json_t *a = json_array();
	int64_t scale = 1, bound;
	size_t at = 0, in;

	for (int i = 0; i < STEPS && at < n; i++) {
		bound = digits[i % 3] * scale;
		scale *= i % 3 == 2 ? 10 : 1;
		for (in = 0; at < n && (us[at] <= bound || i == STEPS - 1);
		     in++)
			at++;
		if (in || json_array_size(a))
			json_array_append_new(a, json_pack("[I, I]",
							   (json_int_t)bound,
							   (json_int_t)in));
	}
	return a;
}

static void add_to(struct report_group *sum, const struct report_group *g)
{
	int64_t *all;

	for (int i = 0; i < ATTEMPT_NOUTCOMES; i++)
		sum->outcome[i] += g->outcome[i];
	sum->resent += g->resent;
	sum->slow += g->slow;
	if (!g->nhs)
		return;
	all = reallocarray(sum->hs_us, sum->nhs + g->nhs, sizeof(*all));
	if (!all)
		return;
	memcpy(all + sum->nhs, g->hs_us, g->nhs * sizeof(*all));
	sum->hs_us = all;
	sum->nhs += g->nhs;
}

static json_t *failure_json(const struct report_failure *f)
{
	json_t *o = json_object();
	const struct {
		const char *key, *text;
	} texts[] = {
		{"listener", f->listener},
		{"role", f->client ? "client" : "server"},
		{"outcome", f->outcome},
		{"reason", f->reason},
		{"last", f->time},
		{"peer", f->peer},
		{"conn", f->conn},
	};

	put_number(o, "count", f->n);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (*texts[i].text)
			json_object_set_new(o, texts[i].key,
					    json_string(texts[i].text));
	return o;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int most_first(const void *a, const void *b)
{
	const struct report_failure *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(x->outcome, y->outcome);
}

/* Our own attempts last. */
static int by_listener(const void *a, const void *b)
{
	const struct report_group *x = a, *y = b;

	if (x->client != y->client)
		return x->client - y->client;
	return strcmp(x->listener, y->listener);
}
