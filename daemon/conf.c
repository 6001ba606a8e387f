/*
 * conf.c - Reading the configuration
 *
 * The defaults come first, then the file's entries over them, then the
 * overrides of the command line. The classic services and the metrics are the
 * default listeners; a file that has a listener of its own means just those it has.
 * Only then is the whole looked at (conf_check.c). Nothing stops at the first
 * error: a person with five mistakes sees five lines.
 */
#include "conf_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"

static const struct {
	const char *name;
	uint16_t port;
} classic[] = {
	{"echo", 7},	 /* RFC 862 */
	{"discard", 9},	 /* RFC 863 */
	{"daytime", 13}, /* RFC 867 */
	{"qotd", 17},	 /* RFC 865 */
	{"chargen", 19}, /* RFC 864 */
	{"http", 80},	 /* RFC 9110 */
	{"metrics", 9107},
};

/* A configuration that is not the running one yet: large, and one at a time. */
static struct conf draft;

static int take_settings(struct conf *c, struct conf_listener *l,
			 const char *const *settings, size_t n, FILE *err);
static void set_defaults(struct conf *c);
static void set_fallbacks(void *base, bool listener);
static void add_classics(struct conf *c);
static void apply(struct conf_reader *r, struct conf *c, struct conf_entry *e);
static struct conf_listener *listener_of(struct conf_reader *r, struct conf *c,
					 const struct conf_entry *e);
static struct conf_listener *find_listener(struct conf *c, const char *name);
static struct conf_listener *add_listener(struct conf *c, const char *name);
static void apply_setting(struct conf_reader *r, struct conf *c,
			  const char *section, const char *setting);
static void finish(struct conf *c);
static void allow_host(struct conf_listener *l, const struct ip_prefix *net4,
		       const struct ip_prefix *net6);

int conf_load(struct conf *c, const char *path, const char *const *overrides,
	      size_t n, FILE *err)
{
	struct conf_reader r = {.path = path};
	bool listeners = false;
	int rc = 0;

	set_defaults(c);
	if (path) {
		if (strlen(path) >= sizeof(c->path)) {
			fprintf(err, "%.40s...: this path is too long\n", path);
			return -ENAMETOOLONG;
		}
		snprintf(c->path, sizeof(c->path), "%s", path);
		rc = conf_text_read(&r, err);
		if (rc < 0)
			goto out;
	}
	for (size_t i = 0; i < r.nentries; i++)
		listeners |= strncmp(r.entries[i].section, CONF_LISTENER,
				     strlen(CONF_LISTENER)) == 0;
	if (!listeners)
		add_classics(c);
	for (size_t i = 0; i < r.nentries; i++)
		apply(&r, c, &r.entries[i]);
	for (size_t i = 0; i < n; i++) {
		struct conf_entry *e = conf_text_override(&r, overrides[i]);

		if (e)
			apply(&r, c, e);
	}
	conf_check(&r, c);
	finish(c);
	conf_report_print(&r, err);
	if (r.no_memory)
		rc = -ENOMEM;
	else if (r.nfaults)
		rc = -EINVAL;
out:
	conf_text_free(&r);
	conf_report_free(&r);
	return rc;
}

int conf_add_listener(struct conf *c, const char *name,
		      const char *const *settings, size_t n, FILE *err)
{
	char section[2 * CONF_SECTION_MAX], why[CONF_MESSAGE_MAX];
	struct conf_listener *l;

	snprintf(section, sizeof(section), CONF_LISTENER "%.48s", name);
	if (!conf_schema_section(section, why)) {
		fprintf(err, "%s\n", why);
		return -EINVAL;
	}
	if (find_listener(c, name)) {
		fprintf(err, "there is a listener '%s' already\n", name);
		return -EEXIST;
	}
	draft = *c;
	l = add_listener(&draft, name);
	if (!l) {
		fprintf(err, "one listener too many; %d are the limit\n",
			STACK_LISTENERS_MAX);
		return -EINVAL;
	}
	l->added = true;
	return take_settings(c, l, settings, n, err);
}

int conf_set_listener(struct conf *c, const char *name,
		      const char *const *settings, size_t n, FILE *err)
{
	struct conf_listener *l;

	draft = *c;
	l = find_listener(&draft, name);
	if (!l) {
		fprintf(err, "there is no listener '%s'\n", name);
		return -ENOENT;
	}
	return take_settings(c, l, settings, n, err);
}

/* Give @l of the draft these settings. If all is right then, @c becomes it. */
static int take_settings(struct conf *c, struct conf_listener *l,
			 const char *const *settings, size_t n, FILE *err)
{
	struct conf_reader r = {.bare = true};
	char section[CONF_SECTION_MAX + STACK_NAME_MAX];
	int rc;

	snprintf(section, sizeof(section), CONF_LISTENER "%s", l->l.name);
	for (size_t i = 0; i < n; i++)
		apply_setting(&r, &draft, section, settings[i]);
	conf_check(&r, &draft);
	conf_report_print(&r, err);
	rc = r.nfaults || r.no_memory ? -EINVAL : 0;
	if (!rc) {
		if (l->allow_host)
			allow_host(l, &c->stack.net4, &c->stack.net6);
		*c = draft;
	}
	for (size_t i = 0; i < r.nentries; i++)
		free((char *)(uintptr_t)r.entries[i].override);
	conf_text_free(&r);
	conf_report_free(&r);
	return rc;
}

/* The entry keeps the text until the reader is freed. */
static void apply_setting(struct conf_reader *r, struct conf *c,
			  const char *section, const char *setting)
{
	struct conf_entry *e;
	char *text;

	if (asprintf(&text, "%s.%s", section, setting) < 0) {
		r->no_memory = true;
		return;
	}
	e = conf_text_override(r, text);
	if (e)
		apply(r, c, e);
	else
		free(text);
}

int conf_del_listener(struct conf *c, const char *name)
{
	struct conf_listener *l = find_listener(c, name), *end;

	if (!l)
		return -ENOENT;
	end = &c->listeners[--c->nlisteners];
	memmove(l, l + 1, (size_t)(end - l) * sizeof(*l));
	memset(end, 0, sizeof(*end));
	return 0;
}

int conf_keep_added(struct conf *new, const struct conf *old, FILE *err)
{
	struct conf_reader r = {.bare = true};
	const struct conf_listener *l;
	int rc;

	for (unsigned int i = 0; i < old->nlisteners; i++) {
		l = &old->listeners[i];
		if (!l->added || find_listener(new, l->l.name))
			continue;
		if (new->nlisteners == STACK_LISTENERS_MAX)
			conf_report(&r, NULL,
				    "no place for listener '%s', which was "
				    "added by command; delete it first",
				    l->l.name);
		else
			new->listeners[new->nlisteners++] = *l;
	}
	conf_check(&r, new);
	conf_report_print(&r, err);
	rc = r.nfaults || r.no_memory ? -EINVAL : 0;
	conf_report_free(&r);
	return rc;
}

const char *conf_needs_restart(const struct conf *old, const struct conf *new)
{
	const struct conf_key *keys;
	size_t n;

	keys = conf_schema_keys(&n);
	for (size_t i = 0; i < n; i++) {
		const struct conf_key *k = &keys[i];

		if (k->restart &&
		    memcmp((const char *)old + k->at, (const char *)new + k->at,
			   k->size) != 0)
			return k->name;
	}
	/* A seed of 0 is not the same as none. */
	return old->seeded != new->seeded ? "tcphsd.seed" : NULL;
}

static void set_defaults(struct conf *c)
{
	memset(c, 0, sizeof(*c));
	set_fallbacks(c, false);
}

/* The defaults of the daemon's keys, or of a listener's. */
static void set_fallbacks(void *base, bool listener)
{
	char why[CONF_MESSAGE_MAX];
	const struct conf_key *keys;
	size_t n;

	keys = conf_schema_keys(&n);
	for (size_t i = 0; i < n; i++) {
		const struct conf_key *k = &keys[i];

		bool ok = true;

		if (conf_schema_is_listener(k) == listener && k->fallback)
			ok = k->set(k, k->fallback, base, why);
		ASSERT(ok);
	}
}

static void add_classics(struct conf *c)
{
	for (size_t i = 0; i < ARRAY_LEN(classic); i++) {
		struct conf_listener *l = add_listener(c, classic[i].name);

		l->l.port = classic[i].port;
		snprintf(l->service, sizeof(l->service), "%s", classic[i].name);
	}
}

static void apply(struct conf_reader *r, struct conf *c, struct conf_entry *e)
{
	char why[CONF_MESSAGE_MAX];
	void *base = c;

	if (strncmp(e->section, CONF_LISTENER, strlen(CONF_LISTENER)) == 0) {
		base = listener_of(r, c, e);
		if (!base)
			return;
	}
	if (!e->key || e->bad)
		return;
	if (!e->key->set(e->key, e->value, base, why)) {
		e->bad = true;
		conf_report(r, e, "%s", why);
	}
}

/* The listener an entry speaks of; the first to speak of it makes it. */
static struct conf_listener *listener_of(struct conf_reader *r, struct conf *c,
					 const struct conf_entry *e)
{
	const char *name = e->section + strlen(CONF_LISTENER);
	struct conf_listener *l = find_listener(c, name);

	if (l)
		return l;
	l = add_listener(c, name);
	if (l)
		l->line = e->line;
	else if (!e->key || e->override)
		conf_report(r, e, "one listener too many; %d are the limit",
			    STACK_LISTENERS_MAX);
	return l;
}

static struct conf_listener *find_listener(struct conf *c, const char *name)
{
	for (unsigned int i = 0; i < c->nlisteners; i++) {
		if (strcmp(c->listeners[i].l.name, name) == 0)
			return &c->listeners[i];
	}
	return NULL;
}

static struct conf_listener *add_listener(struct conf *c, const char *name)
{
	struct conf_listener *l;

	if (c->nlisteners == STACK_LISTENERS_MAX)
		return NULL;
	l = &c->listeners[c->nlisteners++];
	set_fallbacks(l, true);
	snprintf(l->l.name, sizeof(l->l.name), "%s", name);
	return l;
}

/* What follows from the addresses. */
static void finish(struct conf *c)
{
	struct stack_conf *s = &c->stack;

	s->host4 = c->host4.addr;
	s->host6 = c->host6.addr;
	s->net4 = c->host4;
	s->net6 = c->host6;
	ipprefix_mask(&s->net4);
	ipprefix_mask(&s->net6);
	for (unsigned int i = 0; i < c->nlisteners; i++) {
		if (c->listeners[i].allow_host)
			allow_host(&c->listeners[i], &s->net4, &s->net6);
	}
}

static void allow_host(struct conf_listener *l, const struct ip_prefix *net4,
		       const struct ip_prefix *net6)
{
	const struct ip_prefix *nets[] = {net4, net6};
	struct ip_prefix all[STACK_ALLOW_MAX + 2];
	uint8_t n = 0;

	memset(all, 0, sizeof(all));
	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		if (nets[i]->len)
			all[n++] = *nets[i];
	}
	/* A listener whose allow-list was not set anew has them already. */
	if (l->l.nallow >= n && memcmp(l->l.allow, all, n * sizeof(*all)) == 0)
		return;
	memcpy(all + n, l->l.allow, l->l.nallow * sizeof(*all));
	n = (uint8_t)(n + l->l.nallow);
	ASSERT(n <= STACK_ALLOW_MAX);
	memcpy(l->l.allow, all, n * sizeof(*all));
	l->l.nallow = n;
}
