/*
 * drain.c - Letting those who are there finish, and nobody else in
 *
 * Disables what shall be drained and looks again and again who is left. The
 * daemon counts connections by listener, so a look costs it nothing.
 */
#include "cli.h"

#include <string.h>
#include <time.h>

#include <tcphs/plural.h>

#include "client.h"
#include "output.h"

#define LOOK_AGAIN_NS 100000000

struct drain {
	const char *name; /* NULL = all listeners */
	json_t *enabled;  /* names of those that are */
	json_int_t left;  /* connections, and those that are being opened */
};

static enum cli_exit disable(struct cli *cli, const struct drain *d);
static enum cli_exit look(struct cli *cli, struct drain *d);
static int take_listener(void *arg, const char *text, size_t len);
static enum cli_exit tell(const struct cli *cli, const struct drain *d);
static int64_t now_us(void);

enum cli_exit drain_run(struct cli *cli, int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
	struct drain d = {.name = argc ? argv[0] : NULL};
	int64_t until_us = now_us() + cli->timeout_us;
	enum cli_exit e;

	e = look(cli, &d);
	if (e == CLI_OK)
		e = disable(cli, &d);
	while (e == CLI_OK) {
		e = look(cli, &d);
		if (e != CLI_OK || !d.left || now_us() >= until_us)
			break;
		nanosleep(&pause, NULL);
	}
	json_decref(d.enabled);
	return e == CLI_OK ? tell(cli, &d) : e;
}

static enum cli_exit disable(struct cli *cli, const struct drain *d)
{
	enum cli_exit e = CLI_OK;
	json_t *name;
	size_t i;

	if (d->name) /* which need not be there */
		return client_call(cli->client, "listener.disable",
				   json_pack("{s:s}", "name", d->name), NULL,
				   NULL, NULL);
	json_array_foreach(d->enabled, i, name) if (e == CLI_OK) e =
		client_call(cli->client, "listener.disable",
			    json_pack("{s:O}", "name", name), NULL, NULL, NULL);
	return e;
}

static enum cli_exit look(struct cli *cli, struct drain *d)
{
	json_decref(d->enabled);
	d->enabled = json_array();
	d->left = 0;
	return client_call(cli->client, "listener.list", NULL, take_listener, d,
			   NULL);
}

static int take_listener(void *arg, const char *text, size_t len)
{
	struct drain *d = arg;
	json_t *l = json_loadb(text, len, 0, NULL);
	json_t *name = json_object_get(l, "name");

	if (json_is_string(name) &&
	    (!d->name || strcmp(json_string_value(name), d->name) == 0)) {
		d->left +=
			json_integer_value(json_object_get(l, "connections")) +
			json_integer_value(json_object_get(l, "half_open"));
		if (json_is_true(json_object_get(l, "enabled")))
			json_array_append(d->enabled, name);
	}
	json_decref(l);
	return ITEM_NEXT;
}

static enum cli_exit tell(const struct cli *cli, const struct drain *d)
{
	json_t *doc = json_pack("{s:I}", "left", d->left);
	char who[80] = "all listeners";

	if (d->name)
		snprintf(who, sizeof(who), "listener %.60s", d->name);
	if (d->left)
		output_sentence(cli, doc,
				"%s disabled, %" JSON_INTEGER_FORMAT
				" connection%s left",
				who, d->left, plural(d->left));
	else
		output_sentence(cli, doc, "%s drained", who);
	json_decref(doc);
	return d->left ? CLI_TIMEOUT : CLI_OK;
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
