/*
 * zero.c - Counters since a moment that the user chose
 *
 * The daemon's counters begin with the daemon and belong to everybody, so it is
 * the user who remembers: a file of his, one for each control socket, has the
 * counters as they were and which daemon that was. After a restart it means
 * nothing any more. It lies where it goes when the user logs out, if there is
 * such a place.
 */
#include "zero.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client.h"

/* What grows in "stats": everything else is as it is now. */
static const char *const growing[] = {"counters", "dropped",   "limits",
				      "tun",	  "busy_poll", "self_check"};

static char *make_path(const struct cli *cli, bool make);
static bool make_directories(char *path, const char *from);
static json_t *this_daemon(const struct cli *cli);
static void subtract(json_t *group, const json_t *before);

enum cli_exit zero_keep(const struct cli *cli, const json_t *stats)
{
	json_t *life = this_daemon(cli), *zero;
	char *path = make_path(cli, true), *next = NULL;
	bool good;

	if (!life || !path) {
		json_decref(life);
		free(path);
		return CLI_NO;
	}
	zero = json_pack("{s:o, s:O}", "daemon", life, "stats", stats);
	good = asprintf(&next, "%s.new", path) >= 0 &&
	       json_dump_file(zero, next, JSON_COMPACT) == 0 &&
	       rename(next, path) == 0;
	if (!good)
		complain("cannot keep what was counted in %s: %s", path,
			 strerror(errno));
	json_decref(zero);
	free(path);
	free(next);
	return good ? CLI_OK : CLI_NO;
}

bool zero_subtract(const struct cli *cli, json_t *stats, int64_t *age_us)
{
	char *path = make_path(cli, false);
	json_t *zero = path ? json_load_file(path, 0, NULL) : NULL;
	json_t *then = json_object_get(zero, "daemon"), *now = NULL;
	const json_t *before = json_object_get(zero, "stats");
	bool same = false;

	free(path);
	if (before)
		now = this_daemon(cli);
	if (now)
		same = json_equal(json_object_get(now, "started"),
				  json_object_get(then, "started")) &&
		       json_equal(json_object_get(now, "pid"),
				  json_object_get(then, "pid"));
	for (size_t i = 0; same && i < sizeof(growing) / sizeof(*growing); i++)
		subtract(json_object_get(stats, growing[i]),
			 json_object_get(before, growing[i]));
	*age_us = json_integer_value(json_object_get(now, "uptime_us")) -
		  json_integer_value(json_object_get(then, "uptime_us"));
	json_decref(now);
	json_decref(zero);
	return same;
}

/* To be freed. NULL, and why is said if @make. */
static char *make_path(const struct cli *cli, bool make)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
	bool temporary = runtime && *runtime == '/';
	const char *base = temporary ? runtime : home;
	char *path;
	int n;

	if (!base || *base != '/') {
		if (make)
			complain("no place to keep what was counted: neither "
				 "XDG_RUNTIME_DIR nor HOME is a path");
		return NULL;
	}
	n = asprintf(&path, "%s%s/tcphsctl/stats.%s", base,
		     temporary ? "" : "/.local/state", cli->socket);
	if (n < 0)
		return NULL;
	/* The socket's own path becomes one name. */
	for (char *p = path + n - strlen(cli->socket); *p; p++)
		if (*p == '/')
			*p = '_';
	if (make && !make_directories(path, path + strlen(base) + 1)) {
		complain("no place to keep what was counted: %s: %s", path,
			 strerror(errno));
		free(path);
		return NULL;
	}
	return path;
}

/* Those above @path, from @from on; on failure it names the one. */
static bool make_directories(char *path, const char *from)
{
	char *slash = path + (from - path);

	while ((slash = strchr(slash, '/'))) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return false;
		*slash++ = '/';
	}
	return true;
}

/* NULL, and why was said. */
static json_t *this_daemon(const struct cli *cli)
{
	json_t *status;

	if (client_call(cli->client, "status", NULL, NULL, NULL, &status) !=
	    CLI_OK)
		return NULL;
	return status;
}

static void subtract(json_t *group, const json_t *before)
{
	const char *key;
	json_t *v;

	json_object_foreach(group, key, v)
	{
		json_int_t was =
			json_integer_value(json_object_get(before, key));

		if (json_is_integer(v))
			json_integer_set(v, json_integer_value(v) - was);
	}
}
