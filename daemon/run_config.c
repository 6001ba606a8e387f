/*
 * run_config.c - What the daemon runs with, and what its file says by now
 *
 * The configuration in force is the file as it was read last, what was changed
 * by command since then, and what the command line sets whatever the file says.
 * The file is read as a reload would read it, into a configuration of its own
 * that nobody gets.
 */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* Settings on their way to a client. */
struct telling {
	ctl_put_fn *put;
	void *to;
	bool all;     /* those that have their default, too */
	bool secrets; /* those of secret keys */
	json_t *left; /* of the file: "section.key" to its setting */
};

static json_t *hook_show(void *arg, bool all, bool secrets, ctl_put_fn *put,
			 void *to);
static json_t *hook_check(void *arg);
static json_t *hook_diff(void *arg, ctl_put_fn *put, void *to, char *err,
			 size_t errlen);
static const struct conf *in_force(struct run *r);
static int read_again(const struct run *r, struct conf *file, json_t *errors);
static void take_lines(char *text, json_t *errors);
static json_t *about(const struct run *r);
static conf_setting_fn tell, note, tell_changed, tell_added;
static json_t *setting_json(const struct conf_setting *s);
static void set_text(json_t *o, const char *key, const char *text);
static const char *full_name(const struct conf_setting *s, char buf[128]);

void run_config_hooks(struct ctl_hooks *hooks)
{
	hooks->config_show = hook_show;
	hooks->config_check = hook_check;
	hooks->config_diff = hook_diff;
}

static json_t *hook_show(void *arg, bool all, bool secrets, ctl_put_fn *put,
			 void *to)
{
	struct telling t = {put, to, all, secrets, NULL};

	conf_settings(in_force(arg), tell, &t);
	return about(arg);
}

static json_t *hook_check(void *arg)
{
	static struct conf file; /* large, and one at a time */
	const struct run *r = arg;
	json_t *result = about(r), *errors = json_array();
	bool valid = read_again(r, &file, errors) == 0;
	const char *key;

	json_object_set_new(result, "valid", json_boolean(valid));
	key = valid ? conf_needs_restart(&r->conf, &file) : NULL;
	if (key)
		set_text(result, "restart", key);
	if (!valid)
		json_object_set(result, "errors", errors);
	json_decref(errors);
	return result;
}

static json_t *hook_diff(void *arg, ctl_put_fn *put, void *to, char *err,
			 size_t errlen)
{
	struct telling t = {put, to, false, true, json_object()};
	static struct conf file; /* as above */
	json_t *errors = json_array(), *result = NULL;
	const char *first;

	if (read_again(arg, &file, errors) < 0) {
		first = json_string_value(json_array_get(errors, 0));
		snprintf(err, errlen, "%s", first ? first : "no memory");
	} else {
		conf_settings(&file, note, &t);
		conf_settings(in_force(arg), tell_changed, &t);
		conf_settings(&file, tell_added, &t);
		result = about(arg);
	}
	json_decref(errors);
	json_decref(t.left);
	return result;
}

/* Commands change some of it in the stacks alone. */
static const struct conf *in_force(struct run *r)
{
	static struct conf c; /* large, and one at a time */
	struct listener_info now;

	c = r->conf;
	c.log_level = log_level();
	for (unsigned int i = 0; i < c.nlisteners; i++) {
		struct stack_listener *l = &c.listeners[i].l;

		if (shards_listener_named(&r->shards, l->name, &now))
			l->enabled = now.conf.enabled;
	}
	return &c;
}

/* @errors gets all that is wrong with it, a line each. */
static int read_again(const struct run *r, struct conf *file, json_t *errors)
{
	const struct run_source *s = &r->source;
	char *text = NULL, rights[128] = "";
	FILE *said;
	size_t len;
	int ret;

	said = open_memstream(&text, &len);
	if (!said)
		return -ENOMEM;
	ret = run_read_again(s, file, said);
	run_explain_rights(ret, rights, sizeof(rights));
	if (*rights)
		fprintf(said, "%s%s\n", s->path, rights);
	fclose(said);
	take_lines(text, errors);
	free(text);
	return ret;
}

static void take_lines(char *text, json_t *errors)
{
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		json_array_append_new(errors, ctl_reply_text(line));
}

/* Which file that is; there may be none. */
static json_t *about(const struct run *r)
{
	json_t *o = json_object();

	if (r->source.path)
		set_text(o, "file", r->source.path);
	return o;
}

static void tell(void *arg, const struct conf_setting *s)
{
	const struct telling *t = arg;
	json_t *item;

	if (s->usual && !t->all)
		return;
	item = setting_json(s);
	if (s->secret && *s->value && !t->secrets)
		json_object_set_new(item, "hidden", json_true());
	else
		set_text(item, "value", s->value);
	if (s->fallback)
		set_text(item, "default", s->fallback);
	t->put(t->to, item);
}

static void note(void *arg, const struct conf_setting *s)
{
	const struct telling *t = arg;
	char name[128];

	json_object_set_new(t->left, full_name(s, name),
			    ctl_reply_text(s->value));
}

/* What is not as in the file; of a listener that is not there, what is not as
 * always. */
static void tell_changed(void *arg, const struct conf_setting *s)
{
	const struct telling *t = arg;
	char name[128];
	const char *other =
		json_string_value(json_object_get(t->left, full_name(s, name)));
	json_t *item, *mine = ctl_reply_text(s->value);

	if (other ? strcmp(other, json_string_value(mine)) != 0 : !s->usual) {
		item = setting_json(s);
		set_text(item, "running", s->value);
		set_text(item, other ? "file" : "only",
			 other ? other : "running");
		if (s->restart)
			json_object_set_new(item, "restart", json_true());
		t->put(t->to, item);
	}
	json_decref(mine);
	json_object_del(t->left, name);
}

static void tell_added(void *arg, const struct conf_setting *s)
{
	const struct telling *t = arg;
	char name[128];
	json_t *item;

	if (s->usual || !json_object_get(t->left, full_name(s, name)))
		return;
	item = setting_json(s);
	set_text(item, "file", s->value);
	set_text(item, "only", "file");
	t->put(t->to, item);
}

static json_t *setting_json(const struct conf_setting *s)
{
	return json_pack("{s:s, s:s}", "section", s->section, "key", s->key);
}

/* What is empty is left out. */
static void set_text(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, ctl_reply_text(text));
}

static const char *full_name(const struct conf_setting *s, char buf[128])
{
	snprintf(buf, 128, "%s.%s", s->section, s->key);
	return buf;
}
