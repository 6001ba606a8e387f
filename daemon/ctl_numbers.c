/*
 * ctl_numbers.c - Methods about what was measured
 *
 * The figures are those of the daemon (ctl.h, hooks); here they become answers.
 */
#include <string.h>

#include "ctl_priv.h"

struct answer {
	const struct ctl_request *r;
	json_int_t n;
};

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

static bool listener_exists(const struct ctl *ctl, const char *name)
{
	struct listener_info info;

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++)
		if (stack_listener_info(ctl->st, i, &info) &&
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
