/*
 * ctl_method.c - From a line to a method, and the methods that answer at once
 *
 * A request is checked in this order: JSON, an object, an id to answer under,
 * a method that exists, the right to call it. Parameters that a method does
 * not know are passed over, so that a newer tcphsctl can talk to us.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/nearest.h>

#include "core/assert.h"
#include "ctl_priv.h"
#include "describe.h"
#include "log.h"

#define LISTENER_KEYS_MAX 32

static void method_status(const struct ctl_request *r);
static void method_stats(const struct ctl_request *r);
static void method_listener_list(const struct ctl_request *r);
static void method_listener_add(const struct ctl_request *r);
static void method_listener_set(const struct ctl_request *r);
static void method_listener_del(const struct ctl_request *r);
static void method_listener_enable(const struct ctl_request *r);
static void method_listener_disable(const struct ctl_request *r);
static void method_reload(const struct ctl_request *r);
static void method_log_level(const struct ctl_request *r);
static void method_cancel(const struct ctl_request *r);

static const struct method {
	const char *name;
	enum ctl_rights needs;
	void (*run)(const struct ctl_request *r);
} methods[] = {
	{"status", RIGHTS_VIEW, method_status},
	{"conn.list", RIGHTS_VIEW, ctl_walk_list},
	{"conn.show", RIGHTS_VIEW, ctl_walk_show},
	{"conn.packets", RIGHTS_VIEW, ctl_packets},
	{"conn.recent", RIGHTS_VIEW, ctl_packets_recent},
	{"conn.close", RIGHTS_ADMIN, ctl_walk_close},
	{"conn.kill", RIGHTS_ADMIN, ctl_walk_kill},
	{"conn.open", RIGHTS_ADMIN, ctl_session_open},
	{"conn.attach", RIGHTS_ADMIN, ctl_session_attach},
	{"conn.send", RIGHTS_ADMIN, ctl_session_send},
	{"events.follow", RIGHTS_VIEW, ctl_events_follow},
	{"capture.start", RIGHTS_ADMIN, ctl_capture_start},
	{"capture.stop", RIGHTS_ADMIN, ctl_capture_stop},
	{"capture.list", RIGHTS_ADMIN, ctl_capture_list},
	{"capture.read", RIGHTS_ADMIN, ctl_capture_read},
	{"dump.follow", RIGHTS_ADMIN, ctl_dump_follow},
	{"dump.stop", RIGHTS_ADMIN, ctl_dump_stop},
	{"stats", RIGHTS_VIEW, method_stats},
	{"listener.list", RIGHTS_VIEW, method_listener_list},
	{"listener.add", RIGHTS_ADMIN, method_listener_add},
	{"listener.set", RIGHTS_ADMIN, method_listener_set},
	{"listener.del", RIGHTS_ADMIN, method_listener_del},
	{"listener.enable", RIGHTS_ADMIN, method_listener_enable},
	{"listener.disable", RIGHTS_ADMIN, method_listener_disable},
	{"histogram", RIGHTS_VIEW, ctl_numbers_histogram},
	{"metrics", RIGHTS_VIEW, ctl_numbers_metrics},
	{"alerts", RIGHTS_VIEW, ctl_numbers_alerts},
	{"config.show", RIGHTS_VIEW, ctl_config_show},
	{"config.check", RIGHTS_ADMIN, ctl_config_check},
	{"config.diff", RIGHTS_ADMIN, ctl_config_diff},
	{"reload", RIGHTS_ADMIN, method_reload},
	{"log.level", RIGHTS_ADMIN, method_log_level},
	{"cancel", RIGHTS_VIEW, method_cancel},
};

/* ---- requests ---------------------------------------------------------- */

/** ctl_method_id() - An id as JSON text: a whole number or a short string */
bool ctl_method_id(const json_t *id, char text[CTL_ID_MAX])
{
	size_t n;

	if (!json_is_integer(id) && !json_is_string(id))
		return false;
	n = json_dumpb(id, text, CTL_ID_MAX - 1, JSON_ENCODE_ANY);
	text[n < CTL_ID_MAX ? n : 0] = '\0';
	return n < CTL_ID_MAX;
}

static void run_request(struct ctl_client *c, const json_t *request)
{
	const json_t *method = json_object_get(request, "method");
	json_t *params = json_object_get(request, "params");
	char id[CTL_ID_MAX];
	struct ctl_request r = {
		.client = c,
		.id = id,
		.method = json_string_value(method),
		.params = params,
	};

	if (!json_is_object(request)) {
		ctl_reply_error(c, "", CTL_ERROR_BAD_REQUEST, CTL_NO_OFFSET,
				NULL, "a request is a JSON object");
	} else if (!ctl_method_id(json_object_get(request, "id"), id)) {
		ctl_reply_error(c, "", CTL_ERROR_BAD_REQUEST, CTL_NO_OFFSET,
				NULL,
				"'id' must be a whole number or a string of "
				"less than %d bytes",
				CTL_ID_MAX - 2);
	} else if (!r.method) {
		ctl_method_refuse(&r, "'method' must be a string");
	} else if (params && !json_is_object(params)) {
		ctl_method_refuse(&r, "'params' must be an object");
	} else if (ctl_walk_running(c, id)) {
		ctl_method_refuse(&r, "a request with this id is running");
	} else {
		ctl_method_run(&r);
	}
}

/** ctl_method_line() - Take one line of a client that speaks JSON */
void ctl_method_line(struct ctl_client *c, const char *line, size_t len)
{
	json_error_t err;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &err);

	if (!request) {
		ctl_reply_error(c, "", CTL_ERROR_BAD_JSON,
				(size_t)(err.position > 0 ? err.position : 0),
				NULL, "%s", err.text);
		return;
	}
	run_request(c, request);
	json_decref(request);
}

static void not_permitted(const struct ctl_request *r)
{
	const struct ctl *ctl = r->client->ctl;
	char hint[160];

	if (*ctl->admin_group)
		snprintf(hint, sizeof(hint), "join the group %s",
			 ctl->admin_group);
	else
		snprintf(hint, sizeof(hint),
			 "only root and the user of tcphsd may");
	ctl_reply_error(r->client, r->id, CTL_ERROR_NOT_PERMITTED,
			CTL_NO_OFFSET, hint, "%s needs the admin right",
			r->method);
}

static void unknown_method(const struct ctl_request *r)
{
	const char *names[ARRAY_LEN(methods)], *near;
	char hint[64];

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		names[i] = methods[i].name;
	near = nearest(r->method, names, ARRAY_LEN(names));
	if (near)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
	ctl_reply_error(r->client, r->id, CTL_ERROR_UNKNOWN_METHOD,
			CTL_NO_OFFSET, near ? hint : NULL,
			"unknown method '%.40s'", r->method);
}

/** ctl_method_run() - Call the method of a request, if the client may */
void ctl_method_run(const struct ctl_request *r)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (strcmp(methods[i].name, r->method) != 0)
			continue;
		if (r->client->rights < methods[i].needs)
			not_permitted(r);
		else
			methods[i].run(r);
		return;
	}
	unknown_method(r);
}

/* ---- parameters -------------------------------------------------------- */

/** ctl_method_refuse() - Something is wrong with the request itself */
void ctl_method_refuse(const struct ctl_request *r, const char *message)
{
	ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_REQUEST, CTL_NO_OFFSET,
			NULL, "%s", message);
}

/**
 * ctl_method_string() - A parameter that must be a string
 * @value: Set to it; NULL if it is absent
 *
 * Return: false if it is something else; that was answered
 */
bool ctl_method_string(const struct ctl_request *r, const char *name,
		       const char **value)
{
	const json_t *json = json_object_get(r->params, name);
	char message[64];

	*value = json_string_value(json);
	if (!json || *value)
		return true;
	snprintf(message, sizeof(message), "'%s' must be a string", name);
	ctl_method_refuse(r, message);
	return false;
}

/** ctl_method_bool() - The same for true or false, false if absent */
bool ctl_method_bool(const struct ctl_request *r, const char *name, bool *value)
{
	const json_t *json = json_object_get(r->params, name);
	char message[64];

	*value = json_is_true(json);
	if (!json || json_is_boolean(json))
		return true;
	snprintf(message, sizeof(message), "'%s' must be true or false", name);
	ctl_method_refuse(r, message);
	return false;
}

/**
 * ctl_method_number() - A whole number from @min to @max
 * @value: Left as it is if it is absent
 *
 * Return: false if it is something else; that was answered
 */
bool ctl_method_number(const struct ctl_request *r, const char *name,
		       json_int_t min, json_int_t max, json_int_t *value)
{
	const json_t *json = json_object_get(r->params, name);
	char message[128];

	if (!json)
		return true;
	if (json_is_integer(json) && json_integer_value(json) >= min &&
	    json_integer_value(json) <= max) {
		*value = json_integer_value(json);
		return true;
	}
	snprintf(message, sizeof(message),
		 "'%s' must be a whole number from %" JSON_INTEGER_FORMAT
		 " to %" JSON_INTEGER_FORMAT,
		 name, min, max);
	ctl_method_refuse(r, message);
	return false;
}

/** ctl_method_needs() - A string that must be there */
bool ctl_method_needs(const struct ctl_request *r, const char *name,
		      const char **value)
{
	char message[64];

	if (!ctl_method_string(r, name, value))
		return false;
	if (*value)
		return true;
	snprintf(message, sizeof(message), "'%s' is missing", name);
	ctl_method_refuse(r, message);
	return false;
}

/* ---- methods ----------------------------------------------------------- */

static unsigned int listeners_enabled(struct shards *s)
{
	struct listener_info info;
	unsigned int n = 0;

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++)
		n += shards_listener_info(s, i, &info) && info.conf.enabled;
	return n;
}

static void add_number(json_t *o, const char *name, uint64_t n)
{
	json_object_set_new(o, name, json_integer((json_int_t)n));
}

static void method_status(const struct ctl_request *r)
{
	const struct ctl *ctl = r->client->ctl;
	struct stack_stats stats;
	json_t *o = json_object();

	ctl->hooks.status(ctl->hooks.arg, o);
	shards_stats(ctl->shards, &stats);
	add_number(o, "connections", stats.full);
	add_number(o, "half_open", stats.half_open);
	add_number(o, "time_wait", stats.time_wait);
	add_number(o, "max_connections", stack_conf(ctl->st)->max_connections);
	add_number(o, "memory", stats.memory);
	add_number(o, "memory_used", stats.memory_used);
	add_number(o, "listeners", listeners_enabled(ctl->shards));
	add_number(o, "events_lost", stats.events_lost);
	ctl_reply_result(r->client, r->id, o);
}

static json_t *own_stats(const struct ctl *ctl)
{
	json_t *o = json_object();

	add_number(o, "clients", ctl->stats.clients);
	add_number(o, "accepted", ctl->stats.accepted);
	add_number(o, "busy", ctl->stats.busy);
	add_number(o, "strangers", ctl->stats.strangers);
	add_number(o, "requests", ctl->stats.requests);
	add_number(o, "too_long", ctl->stats.too_long);
	add_number(o, "stalled", ctl->stats.stalled);
	return o;
}

static void method_stats(const struct ctl_request *r)
{
	const struct ctl *ctl = r->client->ctl;
	struct stack_stats stats;
	json_t *o;

	shards_stats(ctl->shards, &stats);
	o = describe_stats(&stats);
	json_object_set_new(o, "control", own_stats(ctl));
	json_object_set_new(o, "capture", ctl_dump_stats(ctl));
	ctl->hooks.stats(ctl->hooks.arg, o);
	ctl_reply_result(r->client, r->id, o);
}

static void method_listener_list(const struct ctl_request *r)
{
	struct listener_info info;
	json_int_t n = 0;

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		if (!shards_listener_info(r->client->ctl->shards, i, &info))
			continue;
		ctl_reply_item(r->client, r->id, describe_listener(&info));
		n++;
	}
	ctl_reply_result(r->client, r->id, json_pack("{s:I}", "count", n));
}

/** ctl_method_no_listener() - There is none of this name; with a guess */
void ctl_method_no_listener(const struct ctl_request *r, const char *name)
{
	struct listener_info info[STACK_LISTENERS_MAX];
	const char *names[STACK_LISTENERS_MAX], *near;
	char hint[64];

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++)
		names[i] = shards_listener_info(r->client->ctl->shards, i,
						&info[i])
				   ? info[i].conf.name
				   : NULL;
	near = nearest(name, names, ARRAY_LEN(names));
	if (near)
		snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
	ctl_reply_error(r->client, r->id, CTL_ERROR_NOT_FOUND, CTL_NO_OFFSET,
			near ? hint : NULL, "there is no listener '%.40s'",
			name);
}

/* A member of "settings" as the line "key=value"; NULL, which was answered. To
 * be freed. */
static char *setting(const struct ctl_request *r, const char *key,
		     const json_t *value)
{
	char message[96], *line = NULL;
	int n = -1;

	if (json_is_string(value))
		n = asprintf(&line, "%s=%s", key, json_string_value(value));
	else if (json_is_integer(value))
		n = asprintf(&line, "%s=%" JSON_INTEGER_FORMAT, key,
			     json_integer_value(value));
	if (n >= 0)
		return line;
	snprintf(message, sizeof(message),
		 "'%.40s' must be a string or a whole number", key);
	ctl_method_refuse(r, message);
	return NULL;
}

/* Where it listens: for people, who ask "demo 198.18.66.2:8090?" */
static json_t *listener_ends(const struct stack_conf *c,
			     const struct stack_listener *l)
{
	const struct {
		const struct ip_prefix *net;
		const struct ip_addr *own;
	} families[] = {{&c->net4, &c->own4}, {&c->net6, &c->own6}};
	char text[IPPORT_TEXT_MAX + IPPREFIX_TEXT_MAX], net[IPPREFIX_TEXT_MAX];
	json_t *ends = json_array();

	for (size_t i = 0; i < ARRAY_LEN(families) && !l->address.len; i++)
		if (families[i].net->len)
			json_array_append_new(
				ends, json_string(ipport_format(
					      families[i].own, l->port, text)));
	if (l->address.len == 128) {
		json_array_append_new(
			ends, json_string(ipport_format(&l->address.addr,
							l->port, text)));
	} else if (l->address.len) {
		snprintf(text, sizeof(text), "%s port %u",
			 ipprefix_format(&l->address, net), l->port);
		json_array_append_new(ends, json_string(text));
	}
	return ends;
}

static void tell_listener(const struct ctl_request *r, const char *name)
{
	struct shards *s = r->client->ctl->shards;
	struct listener_info info;
	json_t *o;

	if (shards_listener_named(s, name, &info)) {
		o = describe_listener(&info);
		json_object_set_new(
			o, "ends",
			listener_ends(stack_conf(s->names), &info.conf));
	} else {
		o = json_object();
	}
	ctl_reply_result(r->client, r->id, o);
}

typedef int set_listener_fn(void *arg, const char *name,
			    const char *const *settings, size_t n, char *err,
			    size_t errlen);

static void set_listener(const struct ctl_request *r, set_listener_fn *set,
			 const char *done, const char *name, char *const *lines,
			 size_t n)
{
	char err[200] = "", words[256] = "";
	int ret = set(r->client->ctl->hooks.arg, name,
		      (const char *const *)lines, n, err, sizeof(err));

	if (ret == -ENOENT) {
		ctl_method_no_listener(r, name);
		return;
	}
	if (ret < 0) {
		ctl_reply_error(r->client, r->id, CTL_ERROR_CONFIG,
				CTL_NO_OFFSET, NULL, "%s", err);
		return;
	}
	for (size_t i = 0; i < n; i++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words),
			 " %s", lines[i]);
	log_notice("listener %s %s by the operator:%s", name, done, words);
	tell_listener(r, name);
}

/* Name and settings, to one of the hooks. */
static void take_listener(const struct ctl_request *r, set_listener_fn *set,
			  const char *done)
{
	json_t *settings = json_object_get(r->params, "settings"), *value;
	char *lines[LISTENER_KEYS_MAX];
	const char *name, *key;
	size_t n = 0;
	bool ok = true;

	if (!ctl_method_needs(r, "name", &name))
		return;
	if (settings && (!json_is_object(settings) ||
			 json_object_size(settings) > LISTENER_KEYS_MAX)) {
		ctl_method_refuse(r, "'settings' must be an object of keys");
		return;
	}
	json_object_foreach(settings, key, value)
	{
		lines[n] = setting(r, key, value);
		ok = lines[n] != NULL;
		if (!ok)
			break;
		n++;
	}
	if (ok)
		set_listener(r, set, done, name, lines, n);
	while (n > 0)
		free(lines[--n]);
}

static void method_listener_add(const struct ctl_request *r)
{
	take_listener(r, r->client->ctl->hooks.add_listener, "added");
}

static void method_listener_set(const struct ctl_request *r)
{
	if (json_object_size(json_object_get(r->params, "settings")) == 0)
		ctl_method_refuse(r, "'settings' must have a key at least");
	else
		take_listener(r, r->client->ctl->hooks.set_listener, "changed");
}

static void method_listener_del(const struct ctl_request *r)
{
	const struct ctl_hooks *hooks = &r->client->ctl->hooks;
	const char *name;

	if (!ctl_method_needs(r, "name", &name))
		return;
	if (hooks->del_listener(hooks->arg, name) < 0) {
		ctl_method_no_listener(r, name);
		return;
	}
	log_notice("listener %s deleted by the operator", name);
	ctl_reply_result(r->client, r->id, json_object());
}

static void enable(const struct ctl_request *r, bool on)
{
	struct ctl *ctl = r->client->ctl;
	const char *name;

	if (!ctl_method_needs(r, "name", &name))
		return;
	if (shards_enable(ctl->shards, name, on) < 0) {
		ctl_method_no_listener(r, name);
		return;
	}
	log_notice("listener %s %s by the operator", name,
		   on ? "enabled" : "disabled");
	ctl->hooks.kick(ctl->hooks.arg);
	ctl_reply_result(r->client, r->id, json_object());
}

static void method_listener_enable(const struct ctl_request *r)
{
	enable(r, true);
}

static void method_listener_disable(const struct ctl_request *r)
{
	enable(r, false);
}

static void method_reload(const struct ctl_request *r)
{
	const struct ctl_hooks *hooks = &r->client->ctl->hooks;
	char err[200] = "";
	int ret = hooks->reload(hooks->arg, err, sizeof(err));

	if (ret < 0)
		ctl_reply_error(r->client, r->id, CTL_ERROR_CONFIG,
				CTL_NO_OFFSET,
				"the running configuration stays", "%s", err);
	else
		ctl_reply_result(r->client, r->id,
				 json_pack("{s:b}", "changed", ret > 0));
}

/* Modules are the first words of the names of events. */
static void no_module(const struct ctl_request *r, const char *module)
{
	ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_REQUEST, CTL_NO_OFFSET,
			"the first word of an event, as handshake or segment",
			"'%.40s' is no module of the log", module);
}

static void method_log_level(const struct ctl_request *r)
{
	const struct ctl_hooks *hooks = &r->client->ctl->hooks;
	int was = log_level(), level;
	const char *name, *module;

	if (!ctl_method_needs(r, "level", &name) ||
	    !ctl_method_string(r, "module", &module))
		return;
	level = log_level_parse(name);
	if (level < 0) {
		ctl_reply_error(r->client, r->id, CTL_ERROR_BAD_REQUEST,
				CTL_NO_OFFSET,
				"error, warning, notice, info or debug",
				"'%.40s' is no log level", name);
		return;
	}
	if (!hooks->log_level(hooks->arg, module, level)) {
		no_module(r, module);
		return;
	}
	if (module) {
		ctl_reply_result(r->client, r->id,
				 json_pack("{s:s, s:s}", "module", module,
					   "level", log_level_name(level)));
		return;
	}
	log_set_level(level);
	ctl_reply_result(r->client, r->id,
			 json_pack("{s:s, s:s}", "level", log_level_name(level),
				   "was", log_level_name(was)));
}

static void method_cancel(const struct ctl_request *r)
{
	char id[CTL_ID_MAX];

	if (!ctl_method_id(json_object_get(r->params, "id"), id)) {
		ctl_method_refuse(r, "'id' must be that of a request");
		return;
	}
	if (!ctl_walk_cancel(r->client, id)) {
		ctl_reply_error(r->client, r->id, CTL_ERROR_NOT_FOUND,
				CTL_NO_OFFSET, NULL, "no request %s is running",
				id);
		return;
	}
	ctl_reply_result(r->client, r->id, json_object());
}
