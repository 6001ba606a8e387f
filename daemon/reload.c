/*
 * reload.c - Taking a new configuration without a restart
 *
 * The file is read into a configuration of its own. Only when all of it is
 * right and nothing in it needs a restart does anything change; so a wrong file
 * leaves the daemon as it was. The file is read as the user the daemon became:
 * one that only root may read was good for the start alone.
 */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tcphs/plural.h>

#include "log.h"
#include "privacy.h"
#include "service/service.h"

/* What the configuration says is wrong with it, a line each. */
struct complaints {
	FILE *to;
	char *text;
	size_t len;
};

static int listen_one(struct shards *s, const struct conf_listener *conf);
static int load(const struct run_source *s, struct conf *c, char *err,
		size_t errlen);
static int complaints_begin(struct complaints *c, char *err, size_t errlen);
static void complaints_end(struct complaints *c, int ret, bool log, char *err,
			   size_t errlen);
static int keep_added(const struct run *r, struct conf *new, char *err,
		      size_t errlen);
static int has_places(struct run *r, const struct conf *new, char *err,
		      size_t errlen);
static int listen_anew(struct run *r, const struct conf_listener *l, char *err,
		       size_t errlen);
static int refuse(struct run *r, const char *err);
static void remove_listeners(struct shards *s, const struct conf *old,
			     const struct conf *new);
static bool same_place(const struct stack_listener *a,
		       const struct stack_listener *b);

int run_listen(struct shards *s, const struct conf *conf)
{
	int ret, worst = 0;

	for (unsigned int i = 0; i < conf->nlisteners; i++) {
		ret = listen_one(s, &conf->listeners[i]);
		if (ret < 0)
			worst = ret;
	}
	return worst;
}

static int listen_one(struct shards *s, const struct conf_listener *conf)
{
	struct stack_listener l = conf->l;
	int ret;

	l.service = service_find(conf->service);
	ret = shards_listen(s, &l);
	if (ret < 0)
		log_errorx("Listener %s cannot be opened: %s", l.name,
			   strerror(-ret));
	return ret;
}

int run_reload(struct run *r, char *err, size_t errlen)
{
	static struct conf new; /* large, and one reload at a time */
	struct evfile_conf file;
	const char *key;

	if (load(&r->source, &new, err, errlen) < 0)
		return refuse(r, err);
	if (keep_added(r, &new, err, errlen) < 0)
		return refuse(r, err);
	if (has_places(r, &new, err, errlen) < 0)
		return refuse(r, err);
	key = conf_needs_restart(&r->conf, &new);
	if (key) {
		snprintf(err, errlen, "restart needed: %s", key);
		log_errorx("%s", err);
		return refuse(r, err);
	}
	new.stack.csum_offload = r->conf.stack.csum_offload;
	new.stack.gso_max = r->conf.stack.gso_max;
	r->conf_ok = true;
	r->conf_at = time(NULL);
	r->conf_error[0] = '\0';
	notify_remark(&r->notify, NULL);
	/* conf_load() clears both, padding included; and a difference too many
	 * costs nothing. */
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	if (memcmp(&new, &r->conf, sizeof(new)) == 0) {
		evbus_say(&r->bus, EVENT_DAEMON_RELOADED, 0,
			  "Configuration read again, nothing changed");
		return 0;
	}
	remove_listeners(&r->shards, &r->conf, &new);
	shards_reconf(&r->shards, &new.stack);
	(void)run_listen(&r->shards, &new);
	log_set_level(new.log_level);
	log_set_format(new.log_format);
	privacy_set(new.log_privacy);
	evlog_level(&r->evlog, new.log_level, new.log_handshakes);
	r->capture.snaplen = new.snaplen;
	if (r->pktmem)
		pktmem_snaplen(r->pktmem, new.snaplen);
	file = run_file_conf(&new);
	evfile_level(&r->evfile, &file);
	r->files.rotate_size = new.rotate_size;
	r->files.rotate_keep = new.rotate_keep;
	r->conf = new;
	run_measure_listeners(r);
	run_kick(r);
	evbus_say(&r->bus, EVENT_DAEMON_RELOADED, 1,
		  "Configuration read again, %u listener%s", new.nlisteners,
		  plural(new.nlisteners));
	return 1;
}

/* @err gets the first complaint, the log all of them. */
static int load(const struct run_source *s, struct conf *c, char *err,
		size_t errlen)
{
	struct complaints said;
	int ret = complaints_begin(&said, err, errlen);

	if (ret < 0)
		return ret;
	ret = run_read_again(s, c, said.to);
	complaints_end(&said, ret, true, err, errlen);
	run_explain_rights(ret, err, errlen);
	return ret;
}

/* Listeners that were added by command stay, unless the file has them now. */
static int keep_added(const struct run *r, struct conf *new, char *err,
		      size_t errlen)
{
	struct complaints said;
	int ret = complaints_begin(&said, err, errlen);

	if (ret < 0)
		return ret;
	ret = conf_keep_added(new, &r->conf, said.to);
	complaints_end(&said, ret, true, err, errlen);
	return ret;
}

/* A listener that is removed keeps its place until its last connection ends;
 * those that come need theirs at once. */
static int has_places(struct run *r, const struct conf *new, char *err,
		      size_t errlen)
{
	struct listener_info info;
	unsigned int ending = 0;
	bool stays;

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		if (!shards_listener_info(&r->shards, i, &info) ||
		    !(info.connections || info.half_open))
			continue;
		stays = false;
		for (unsigned int j = 0; j < new->nlisteners; j++)
			stays |= strcmp(new->listeners[j].l.name,
					info.conf.name) == 0;
		ending += !stays;
	}
	if (new->nlisteners + ending <= STACK_LISTENERS_MAX)
		return 0;
	snprintf(err, errlen,
		 "%u listeners, and %u removed ones that have connections "
		 "yet: %d are the limit; try again when those have ended",
		 new->nlisteners, ending, STACK_LISTENERS_MAX);
	log_errorx("%s", err);
	return -ENOSPC;
}

int run_add_listener(struct run *r, const char *name,
		     const char *const *settings, size_t n, char *err,
		     size_t errlen)
{
	struct complaints said;
	int ret = complaints_begin(&said, err, errlen);

	if (ret < 0)
		return ret;
	ret = conf_add_listener(&r->conf, name, settings, n, said.to);
	complaints_end(&said, ret, false, err, errlen);
	if (ret < 0)
		return ret;
	ret = listen_anew(r, &r->conf.listeners[r->conf.nlisteners - 1], err,
			  errlen);
	if (ret < 0)
		(void)conf_del_listener(&r->conf, name);
	return ret;
}

int run_set_listener(struct run *r, const char *name,
		     const char *const *settings, size_t n, char *err,
		     size_t errlen)
{
	struct conf_listener *l = NULL, was;
	struct listener_info now;
	struct complaints said;
	int ret;

	for (unsigned int i = 0; i < r->conf.nlisteners && !l; i++)
		if (strcmp(r->conf.listeners[i].l.name, name) == 0)
			l = &r->conf.listeners[i];
	if (!l)
		return -ENOENT;
	ret = complaints_begin(&said, err, errlen);
	if (ret < 0)
		return ret;
	was = *l;
	/* One that was disabled by command stays so, unless it is set, too. */
	if (shards_listener_named(&r->shards, name, &now))
		l->l.enabled = now.conf.enabled;
	ret = conf_set_listener(&r->conf, name, settings, n, said.to);
	complaints_end(&said, ret, false, err, errlen);
	if (ret == 0)
		ret = listen_anew(r, l, err, errlen);
	if (ret < 0)
		*l = was;
	return ret;
}

/* What is new in the configuration comes to the stacks. */
static int listen_anew(struct run *r, const struct conf_listener *l, char *err,
		       size_t errlen)
{
	int ret = listen_one(&r->shards, l);

	if (ret < 0) {
		snprintf(err, errlen, "%s", strerror(-ret));
		return ret;
	}
	run_measure_listeners(r);
	run_kick(r);
	return 0;
}

int run_del_listener(struct run *r, const char *name)
{
	int ret = conf_del_listener(&r->conf, name);

	if (ret < 0)
		return ret;
	shards_unlisten(&r->shards, name);
	run_measure_listeners(r);
	run_kick(r);
	return 0;
}

static int complaints_begin(struct complaints *c, char *err, size_t errlen)
{
	*c = (struct complaints){0};
	c->to = open_memstream(&c->text, &c->len);
	if (c->to)
		return 0;
	snprintf(err, errlen, "no memory to read the configuration");
	return -ENOMEM;
}

/* If it failed, @err gets the first of them; @log: the log has them all. */
static void complaints_end(struct complaints *c, int ret, bool log, char *err,
			   size_t errlen)
{
	char *rest;

	fclose(c->to);
	err[0] = '\0';
	for (char *line = strtok_r(c->text, "\n", &rest); line && ret < 0;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (log)
			log_errorx("%s", line);
		if (!err[0])
			snprintf(err, errlen, "%s", line);
	}
	free(c->text);
}

int run_read_again(const struct run_source *s, struct conf *c, FILE *err)
{
	struct stat st;

	if (s->path && stat(s->path, &st) == 0 && S_ISFIFO(st.st_mode)) {
		fprintf(err,
			"%s: a pipe is read once, at the start; name a file "
			"with -c\n",
			s->path);
		return -ESPIPE;
	}
	return conf_load(c, s->path, s->overrides, s->noverrides, err);
}

void run_explain_rights(int error, char *err, size_t errlen)
{
	size_t used = strlen(err);

	if (error != -EACCES && error != -EPERM)
		return;
	snprintf(err + used, errlen - used,
		 "; the daemon gave up its rights and reads it as user %u now",
		 (unsigned int)geteuid());
}

static int refuse(struct run *r, const char *err)
{
	r->conf_ok = false;
	snprintf(r->conf_error, sizeof(r->conf_error), "%s", err);
	evbus_say(&r->bus, EVENT_DAEMON_REFUSED, 0,
		  "Reload refused, everything stays as it was");
	notify_remark(&r->notify, "the new configuration was refused");
	return -EINVAL;
}

/*
 * Before the new ones come: the listeners that are not wanted any more, and
 * those that move, so that two can change places.
 */
static void remove_listeners(struct shards *s, const struct conf *old,
			     const struct conf *new)
{
	const struct stack_listener *o;
	bool stays;

	for (unsigned int i = 0; i < old->nlisteners; i++) {
		o = &old->listeners[i].l;
		stays = false;
		for (unsigned int j = 0; j < new->nlisteners; j++)
			stays |= same_place(o, &new->listeners[j].l);
		if (!stays)
			shards_unlisten(s, o->name);
	}
}

static bool same_place(const struct stack_listener *a,
		       const struct stack_listener *b)
{
	return strcmp(a->name, b->name) == 0 && a->port == b->port &&
	       a->address.len == b->address.len &&
	       memcmp(&a->address.addr, &b->address.addr,
		      sizeof(a->address.addr)) == 0;
}
