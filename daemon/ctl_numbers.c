/*
 * ctl_numbers.c - Methods about what was measured
 *
 * The figures are those of the daemon (ctl.h, hooks); here they become answers.
 */
#include <stdio.h>
#include <string.h>

#include <tcphs/alert.h>
#include <tcphs/nearest.h>

#include "ctl_priv.h"

struct answer {
	const struct ctl_request *r;
	json_int_t n;
};

static bool alert_filter(const struct ctl_request *r, const char *text,
			 struct ctl_alert_filter *f);
static bool alert_kind_word(const char *word, size_t len, int *kind);
static void bad_alert_word(const struct ctl_request *r, const char *text,
			   const char *word, size_t len);
static bool listener_exists(const struct ctl *ctl, const char *name);
static ctl_put_fn put_item;

/** ctl_numbers_histogram() - How long handshakes took */
void ctl_numbers_histogram(const struct ctl_request *r)
{
	const struct ctl *ctl = r->client->ctl;
	struct answer a = {.r = r};
	const char *listener;

	if (!ctl_method_string(r, "listener", &listener))
		return;
	if (listener && !listener_exists(ctl, listener)) {
		ctl_method_no_listener(r, listener);
		return;
	}
	ctl->hooks.histogram(ctl->hooks.arg, listener, put_item, &a);
	ctl_reply_result(r->client, r->id, json_pack("{s:I}", "count", a.n));
}

/** ctl_numbers_metrics() - What /metrics of the metrics service answers */
void ctl_numbers_metrics(const struct ctl_request *r)
{
	const struct ctl *ctl = r->client->ctl;
	struct answer a = {.r = r};

	ctl->hooks.metrics(ctl->hooks.arg, put_item, &a);
	ctl_reply_result(r->client, r->id, json_pack("{s:I}", "count", a.n));
}

/** ctl_numbers_alerts() - What looks wrong, or did lately */
void ctl_numbers_alerts(const struct ctl_request *r)
{
	const struct ctl *ctl = r->client->ctl;
	struct ctl_alert_filter filter = {.kind = -1};
	struct answer a = {.r = r};
	const char *text;

	if (!ctl_method_string(r, "filter", &text) ||
	    (text && !alert_filter(r, text, &filter)))
		return;
	ctl->hooks.alerts(ctl->hooks.arg, &filter, put_item, &a);
	ctl_reply_result(r->client, r->id, json_pack("{s:I}", "count", a.n));
}

/* Words that must all hold: "active", a kind, "listener=NAME". */
static bool alert_filter(const struct ctl_request *r, const char *text,
			 struct ctl_alert_filter *f)
{
	const char *word = text;
	size_t len;

	for (; *(word += strspn(word, " \t")); word += len) {
		len = strcspn(word, " \t");
		if (len == 6 && strncmp(word, "active", len) == 0) {
			f->active = true;
		} else if (len > 9 && strncmp(word, "listener=", 9) == 0) {
			snprintf(f->listener, sizeof(f->listener), "%.*s",
				 (int)len - 9, word + 9);
		} else if (!alert_kind_word(word, len, &f->kind)) {
			bad_alert_word(r, text, word, len);
			return false;
		}
	}
	return true;
}

static bool alert_kind_word(const char *word, size_t len, int *kind)
{
	for (int k = 0; k < ALERT_NKINDS; k++) {
		const char *name = alert_name((enum alert_kind)k);

		if (strlen(name) == len && strncmp(word, name, len) == 0) {
			*kind = k;
			return true;
		}
	}
	return false;
}

static void bad_alert_word(const struct ctl_request *r, const char *text,
			   const char *word, size_t len)
{
	const char *names[ALERT_NKINDS + 1] = {"active"}, *near;
	char typed[40], hint[64] = "a kind, active, or listener=NAME";

	for (int k = 0; k < ALERT_NKINDS; k++)
		names[k + 1] = alert_name((enum alert_kind)k);
	snprintf(typed, sizeof(typed), "%.*s", (int)len, word);
	near = nearest(typed, names, ALERT_NKINDS + 1);
	if (near)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
	ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_FILTER,
			(size_t)(word - text), hint,
			"'%s' says nothing about alerts", typed);
}

static bool listener_exists(const struct ctl *ctl, const char *name)
{
	struct listener_info info;

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++)
		if (shards_listener_info(ctl->shards, i, &info) &&
		    strcmp(info.conf.name, name) == 0)
			return true;
	return false;
}

static void put_item(void *to, json_t *item)
{
	struct answer *a = to;

	ctl_reply_item(a->r->client, a->r->id, item);
	a->n++;
}
