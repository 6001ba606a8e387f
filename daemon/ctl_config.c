/*
 * ctl_config.c - Methods about the configuration
 *
 * What the daemon runs with, what its file says by now, and whether that would
 * be taken. Nothing is changed here: that is `reload`.
 */
#include "ctl_priv.h"

struct answer {
	const struct ctl_request *r;
	json_int_t n;
};

static void finish(const struct answer *a, json_t *result);
static ctl_put_fn put_item;

/** ctl_config_show() - What the daemon runs with */
void ctl_config_show(const struct ctl_request *r)
{
	const struct ctl_hooks *hooks = &r->client->ctl->hooks;
	bool admin = r->client->rights >= RIGHTS_ADMIN, all;
	struct answer a = {.r = r};

	if (ctl_method_bool(r, "defaults", &all))
		finish(&a, hooks->config_show(hooks->arg, all, admin, put_item,
					      &a));
}

/** ctl_config_check() - Would a reload take the file? */
void ctl_config_check(const struct ctl_request *r)
{
	const struct ctl_hooks *hooks = &r->client->ctl->hooks;

	ctl_reply_result(r->client, r->id, hooks->config_check(hooks->arg));
}

/** ctl_config_diff() - What the file says otherwise */
void ctl_config_diff(const struct ctl_request *r)
{
	const struct ctl_hooks *hooks = &r->client->ctl->hooks;
	struct answer a = {.r = r};
	char err[200] = "";
	json_t *result =
		hooks->config_diff(hooks->arg, put_item, &a, err, sizeof(err));

	if (result)
		finish(&a, result);
	else
		ctl_reply_error(r->client, r->id, CTL_ERROR_CONFIG,
				CTL_NO_OFFSET,
				"tcphsctl config check has all that is wrong",
				"%s", err);
}

static void finish(const struct answer *a, json_t *result)
{
	json_object_set_new(result, "count", json_integer(a->n));
	ctl_reply_result(a->r->client, a->r->id, result);
}

static void put_item(void *to, json_t *item)
{
	struct answer *a = to;

	ctl_reply_item(a->r->client, a->r->id, item);
	a->n++;
}
