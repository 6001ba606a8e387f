/*
 * conf_print.c - A configuration in the words of its file
 *
 * The way back: what conf_value.c and conf_addr.c read is written so that they
 * read the same again. How a key is written follows from how it is taken. A key
 * that has its default is written as the schema writes that, so that 60s does
 * not come back as 1m.
 */
#include "conf_priv.h"

#include <string.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"

#define VALUE_MAX 512 /* an allow-list of IPv6 prefixes */

/* Where a key's field is, and what it is written with. */
struct place {
	const struct conf_key *key;
	const struct conf *conf;
	const struct conf_listener *listener; /* NULL: the field is conf's */
};

typedef void write_fn(const struct place *p, char buf[VALUE_MAX]);

static write_fn write_scaled, write_word, write_auto, write_seed,
	write_timestamps, write_mode, write_text, write_own, write_host,
	write_listen_address, write_allow;

static const struct {
	conf_set_fn *taken;
	write_fn *write;
} ways[] = {
	{conf_set_number, write_scaled},
	{conf_set_size, write_scaled},
	{conf_set_time, write_scaled},
	{conf_set_word, write_word},
	{conf_set_auto, write_auto},
	{conf_set_seed, write_seed},
	{conf_set_timestamps, write_timestamps},
	{conf_set_mode, write_mode},
	{conf_set_ifname, write_text},
	{conf_set_socket, write_text},
	{conf_set_path, write_text},
	{conf_set_directory, write_text},
	{conf_set_account, write_text},
	{conf_set_service, write_text},
	{conf_set_own, write_own},
	{conf_set_host, write_host},
	{conf_set_listen_address, write_listen_address},
	{conf_set_allow, write_allow},
};

static const struct conf *defaults(void);
static bool listeners_are_classic(const struct conf *c);
static bool same_listener(const struct conf *a, const struct conf_listener *x,
			  const struct conf *b, const struct conf_listener *y);
static void tell_listener(const struct conf *c, const struct conf_listener *l,
			  bool classic, conf_setting_fn *each, void *arg);
static void tell(const struct place *p, const char *section, bool classic,
		 conf_setting_fn *each, void *arg);
static void write_value(const struct place *p, char buf[VALUE_MAX]);
static const void *field(const struct place *p);
static uint64_t load(const struct place *p);
static conf_setting_fn print_setting;

void conf_settings(const struct conf *c, conf_setting_fn *each, void *arg)
{
	bool classic = listeners_are_classic(c), listeners = false;
	const struct conf_key *keys;
	char section[CONF_SECTION_MAX];
	size_t n;

	keys = conf_schema_keys(&n);
	for (size_t i = 0; i < n; i++) {
		const struct place p = {&keys[i], c, NULL};

		if (conf_schema_is_listener(&keys[i])) {
			for (unsigned int j = 0;
			     j < c->nlisteners && !listeners; j++)
				tell_listener(c, &c->listeners[j], classic,
					      each, arg);
			listeners = true;
			continue;
		}
		snprintf(section, sizeof(section), "%.*s",
			 (int)strcspn(keys[i].name, "."), keys[i].name);
		tell(&p, section, false, each, arg);
	}
}

/* What is being printed, and how far. */
struct print {
	FILE *out;
	char section[CONF_SECTION_MAX];
};

void conf_print(const struct conf *c, FILE *out)
{
	struct print to = {.out = out};

	conf_settings(c, print_setting, &to);
}

static void print_setting(void *arg, const struct conf_setting *s)
{
	struct print *to = arg;

	if (strcmp(to->section, s->section) != 0)
		fprintf(to->out, "\n[%s]\n", s->section);
	snprintf(to->section, sizeof(to->section), "%s", s->section);
	fprintf(to->out, "%s =%s%s\n", s->key, *s->value ? " " : "", s->value);
}

static const struct conf *defaults(void)
{
	static struct conf c;
	int rc = 0;

	if (!c.nlisteners)
		rc = conf_load(&c, NULL, NULL, 0, stderr);
	ASSERT(rc == 0);
	return &c;
}

static bool listeners_are_classic(const struct conf *c)
{
	const struct conf *d = defaults();

	if (c->nlisteners != d->nlisteners)
		return false;
	for (unsigned int i = 0; i < c->nlisteners; i++) {
		if (!same_listener(c, &c->listeners[i], d, &d->listeners[i]))
			return false;
	}
	return true;
}

static bool same_listener(const struct conf *a, const struct conf_listener *x,
			  const struct conf *b, const struct conf_listener *y)
{
	char of_x[VALUE_MAX], of_y[VALUE_MAX];
	const struct conf_key *keys;
	size_t n;

	if (strcmp(x->l.name, y->l.name) != 0)
		return false;
	keys = conf_schema_keys(&n);
	for (size_t i = 0; i < n; i++) {
		if (!conf_schema_is_listener(&keys[i]))
			continue;
		write_value(&(struct place){&keys[i], a, x}, of_x);
		write_value(&(struct place){&keys[i], b, y}, of_y);
		if (strcmp(of_x, of_y) != 0)
			return false;
	}
	return true;
}

static void tell_listener(const struct conf *c, const struct conf_listener *l,
			  bool classic, conf_setting_fn *each, void *arg)
{
	char section[CONF_SECTION_MAX + STACK_NAME_MAX];
	const struct conf_key *keys;
	size_t n;

	snprintf(section, sizeof(section), CONF_LISTENER "%s", l->l.name);
	keys = conf_schema_keys(&n);
	for (size_t i = 0; i < n; i++) {
		const struct place p = {&keys[i], c, l};

		if (conf_schema_is_listener(&keys[i]))
			tell(&p, section, classic, each, arg);
	}
}

static void tell(const struct place *p, const char *section, bool classic,
		 conf_setting_fn *each, void *arg)
{
	const struct conf *d = defaults();
	const struct place usual = {p->key, d,
				    p->listener ? &d->listeners[0] : NULL};
	char value[VALUE_MAX], other[VALUE_MAX];
	struct conf_setting s = {
		.section = section,
		.key = conf_schema_key_name(p->key),
		.value = value,
		.fallback = p->key->fallback,
		.usual = classic,
		.restart = p->key->restart,
		.secret = p->key->set == conf_set_seed,
	};

	write_value(p, value);
	write_value(&usual, other);
	if (s.fallback && strcmp(value, other) == 0) {
		s.usual = true;
		s.value = s.fallback;
	}
	each(arg, &s);
}

static void write_value(const struct place *p, char buf[VALUE_MAX])
{
	size_t i = 0;

	while (ways[i].taken != p->key->set) {
		i++;
		ASSERT(i < ARRAY_LEN(ways));
	}
	ways[i].write(p, buf);
}

static const void *field(const struct place *p)
{
	const void *base = p->listener ? (const void *)p->listener : p->conf;

	return (const char *)base + p->key->at;
}

static uint64_t load(const struct place *p)
{
	switch (p->key->size) {
	case sizeof(uint8_t):
		return *(const uint8_t *)field(p);
	case sizeof(uint16_t):
		return *(const uint16_t *)field(p);
	case sizeof(uint32_t):
		return *(const uint32_t *)field(p);
	}
	ASSERT(p->key->size == sizeof(uint64_t));
	return *(const uint64_t *)field(p);
}

static void write_scaled(const struct place *p, char buf[VALUE_MAX])
{
	conf_value_scaled(p->key, load(p), buf, VALUE_MAX);
}

static void write_word(const struct place *p, char buf[VALUE_MAX])
{
	snprintf(buf, VALUE_MAX, "%s", p->key->words[load(p) - p->key->min]);
}

static void write_auto(const struct place *p, char buf[VALUE_MAX])
{
	if (load(p))
		write_scaled(p, buf);
	else
		snprintf(buf, VALUE_MAX, "auto");
}

static void write_seed(const struct place *p, char buf[VALUE_MAX])
{
	*buf = '\0';
	if (p->conf->seeded)
		write_scaled(p, buf);
}

static void write_timestamps(const struct place *p, char buf[VALUE_MAX])
{
	const struct stack_conf *s = &p->conf->stack;

	snprintf(buf, VALUE_MAX, "%s",
		 !s->timestamps		? "no"
		 : s->timestamps_strict ? "strict"
					: "yes");
}

static void write_mode(const struct place *p, char buf[VALUE_MAX])
{
	snprintf(buf, VALUE_MAX, "%04o", (unsigned int)load(p));
}

static void write_text(const struct place *p, char buf[VALUE_MAX])
{
	snprintf(buf, VALUE_MAX, "%s", (const char *)field(p));
}

static void write_own(const struct place *p, char buf[VALUE_MAX])
{
	static const struct ip_addr none;
	const struct ip_addr *a = field(p);

	*buf = '\0';
	if (memcmp(a, &none, sizeof(none)) != 0)
		ipaddr_format(a, buf);
}

static void write_host(const struct place *p, char buf[VALUE_MAX])
{
	const struct ip_prefix *host = field(p);

	*buf = '\0';
	if (host->len)
		ipprefix_format(host, buf);
}

static void write_listen_address(const struct place *p, char buf[VALUE_MAX])
{
	const struct ip_prefix *at = field(p);

	if (!at->len)
		snprintf(buf, VALUE_MAX, "own");
	else if (at->len == 128)
		ipaddr_format(&at->addr, buf);
	else
		ipprefix_format(at, buf);
}

/* The networks of `host` stand first in the list: conf.c put them there. */
static void write_allow(const struct place *p, char buf[VALUE_MAX])
{
	const struct conf_listener *l = p->listener;
	const struct stack_conf *s = &p->conf->stack;
	unsigned int i = 0, len = 0;
	char net[IPPREFIX_TEXT_MAX];

	snprintf(buf, VALUE_MAX, "%s", l->l.nallow ? "" : "any");
	if (l->allow_host) {
		len = (unsigned int)snprintf(buf, VALUE_MAX, "host");
		i = (s->net4.len != 0) + (s->net6.len != 0);
	}
	for (; i < l->l.nallow; i++)
		len += (unsigned int)snprintf(
			buf + len, VALUE_MAX - len, "%s%s", len ? "," : "",
			ipprefix_format(&l->l.allow[i], net));
}
