/*
 * script.c - Files of packet scripts: see script.h for the language
 *
 * A file is read once from top to bottom. The lines of the test in work are
 * collected; where the next one begins they become a script, or one for each
 * def that its "each" names. What stands above the first test is copied into
 * all of them.
 */
#include "script.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/event.h>

#include "core/assert.h"

#define LINE_LEN  1024
#define DEFS_MAX  64
#define EACH_MAX  16
#define DEPTH_MAX 4 /* of repeat and batch */

struct lines {
	struct script_line *line;
	size_t n;
};

struct def {
	const char *name;
	struct lines lines;
};

struct file {
	struct script_set *set;
	const char *path;
	struct def defs[DEFS_MAX];
	size_t ndefs;
	struct script common, test; /* test.name: one is in work */
	const char *each[EACH_MAX];
	size_t neach;
	struct lines lines; /* of test */
	struct def *def;    /* in work, or NULL */
	struct {
		size_t from; /* the first line inside */
		int times;   /* of a repeat; 0 = a batch */
	} open[DEPTH_MAX];
	unsigned int nopen;
	int used; /* inside how many "use" */
};

static bool read_lines(struct file *f, const char *path);
static void read_line(struct file *f, struct words *w, const char *text);
static bool line_about_file(struct file *f, struct words *w, const char *text);
static bool line_about_test(struct file *f, struct words *w);
static void line_played(struct file *f, struct words *w, const char *text);
static bool line_packet(struct words *w, struct file *f, struct script_line *l);
static bool line_call(struct words *w, struct script_line *l);
static bool line_block(struct file *f, struct words *w, struct lines *to,
		       struct script_line *l);
static void line_check(struct words *w, struct file *f, struct script_line *l);
static void test_begin(struct file *f, struct words *w, const char *text);
static void test_end(struct file *f, struct words *w);
static void script_add(struct file *f, const struct def *start);
static const char *engine_only(const struct script *s);

/* ---- memory ----------------------------------------------------------- */

static void *keep(struct script_set *set, void *p)
{
	set->kept = realloc(set->kept, (set->nkept + 1) * sizeof(void *));
	ASSERT(set->kept && p);
	set->kept[set->nkept++] = p;
	return p;
}

static const char *keep_text(struct script_set *set, const char *text)
{
	return keep(set, strdup(text));
}

static const char *keep_print(struct script_set *set, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static const char *keep_print(struct script_set *set, const char *fmt, ...)
{
	char text[LINE_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return keep_text(set, text);
}

static void lines_add(struct lines *to, const struct script_line *l, size_t n)
{
	to->line = realloc(to->line, (to->n + n + 1) * sizeof(*l));
	ASSERT(to->line);
	if (n)
		memcpy(to->line + to->n, l, n * sizeof(*l));
	to->n += n;
}

/* The lines behind @from, so many times in all. */
static void lines_repeat(struct lines *to, size_t from, int times)
{
	size_t n = to->n - from;
	struct script_line *copy = malloc((n + 1) * sizeof(*copy));

	ASSERT(copy);
	memcpy(copy, to->line + from, n * sizeof(*copy));
	while (--times > 0)
		lines_add(to, copy, n);
	free(copy);
}

static void lines_free(struct lines *l)
{
	free(l->line);
	*l = (struct lines){NULL, 0};
}

void script_free(struct script_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		free(set->scripts[i].lines);
	for (size_t i = 0; i < set->nkept; i++)
		free(set->kept[i]);
	free(set->scripts);
	free(set->kept);
	*set = (struct script_set){NULL, 0, NULL, 0};
}

/* ---- files ------------------------------------------------------------ */

bool script_read(struct script_set *set, const char *path)
{
	struct file f = {.set = set};
	struct words w = {.path = path};
	bool ok;

	f.path = keep_text(set, path);
	f.common.ipv4 = f.common.ipv6 = true;
	ok = read_lines(&f, f.path);
	if (ok)
		test_end(&f, &w);
	for (size_t i = 0; i < f.ndefs; i++)
		lines_free(&f.defs[i].lines);
	lines_free(&f.lines);
	return ok && !w.failed;
}

/* Take a line apart; # begins a comment where a word could. */
static void split(struct words *w, char *line)
{
	char *p = line;

	for (;;) {
		while (isspace((unsigned char)*p))
			p++;
		if (!*p || *p == '#')
			return;
		if (w->n == ARRAY_LEN(w->word)) {
			words_fail(w, "too many words");
			return;
		}
		if (*p == '"') {
			w->quoted[w->n] = true;
			w->word[w->n++] = ++p;
			p = strchr(p, '"');
			if (!p) {
				words_fail(w, "a quote without its end");
				return;
			}
		} else {
			w->word[w->n++] = p;
			while (*p && !isspace((unsigned char)*p))
				p++;
		}
		if (*p)
			*p++ = '\0';
	}
}

static bool read_lines(struct file *f, const char *path)
{
	char line[LINE_LEN], text[LINE_LEN];
	FILE *in = fopen(path, "re");
	bool ok = true;

	if (!in) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	for (int n = 1; ok && fgets(line, sizeof(line), in); n++) {
		struct words w = {.path = path, .line = n};
		char *end = line + strcspn(line, "\n");
		const char *begin = line + strspn(line, " \t");

		*end = '\0';
		snprintf(text, sizeof(text), "%s", begin);
		split(&w, line);
		if (!w.failed)
			read_line(f, &w, text);
		if (!w.failed && w.at < w.n)
			words_fail(&w, "what is '%s' for?", w.word[w.at]);
		ok = !w.failed;
	}
	fclose(in);
	return ok;
}

static void read_line(struct file *f, struct words *w, const char *text)
{
	if (!w->n) {
		if (!*text) /* an empty line, not a comment */
			f->def = NULL;
		return;
	}
	if (line_about_file(f, w, text) || line_about_test(f, w))
		return;
	if (f->def || f->test.name)
		line_played(f, w, text);
	else
		words_fail(w, "'%s' belongs into a test", w->word[0]);
}

static void use(struct file *f, struct words *w)
{
	const char *name = words_next(w, "a file");
	const char *slash = strrchr(f->path, '/');
	char path[LINE_LEN];

	if (!name)
		return;
	snprintf(path, sizeof(path), "%.*s%s",
		 slash ? (int)(slash - f->path) + 1 : 0, f->path, name);
	f->used++;
	if (!read_lines(f, keep_text(f->set, path)))
		w->failed = true;
	f->used--;
	f->def = NULL;
}

static void def_begin(struct file *f, struct words *w)
{
	const char *name = words_next(w, "a name");

	if (!name)
		return;
	if (f->ndefs == DEFS_MAX || f->test.name) {
		words_fail(w, "no def here");
		return;
	}
	f->def = &f->defs[f->ndefs++];
	f->def->name = keep_text(f->set, name);
}

static bool line_about_file(struct file *f, struct words *w, const char *text)
{
	if (words_is(w, "use")) {
		use(f, w);
	} else if (words_is(w, "def")) {
		def_begin(f, w);
	} else if (words_is(w, "test")) {
		f->def = NULL;
		test_end(f, w);
		test_begin(f, w, text);
		w->at = w->n;
	} else {
		return false;
	}
	return true;
}

static void setting(struct file *f, struct words *w, struct script *s)
{
	const char *key = words_next(w, "a key");
	const char *value = words_next(w, "a value");

	if (!value)
		return;
	if (s->nsettings == SCRIPT_SETTINGS)
		words_fail(w, "too many settings");
	else
		s->settings[s->nsettings++] =
			keep_print(f->set, "%s=%s", key, value);
}

/* Its other keys become settings of a section named after the port. */
static void listener(struct file *f, struct words *w, struct script *s)
{
	int port = words_int(w, 65535);
	const char *service = words_next(w, "a service");

	if (!service)
		return;
	if (s->nlisteners == SCRIPT_LISTENERS) {
		words_fail(w, "too many listeners");
		return;
	}
	s->listeners[s->nlisteners].port = (uint16_t)port;
	s->listeners[s->nlisteners++].service = keep_text(f->set, service);
	while (w->at < w->n && s->nsettings < SCRIPT_SETTINGS)
		s->settings[s->nsettings++] = keep_print(
			f->set, "listener.port%d.%s", port, w->word[w->at++]);
}

static bool line_about_test(struct file *f, struct words *w)
{
	struct script *s = f->test.name ? &f->test : &f->common;

	if (words_is(w, "set")) {
		setting(f, w, s);
	} else if (words_is(w, "listen")) {
		listener(f, w, s);
	} else if (words_is(w, "only")) {
		s->ipv4 = words_is(w, "ipv4");
		s->ipv6 = !s->ipv4;
		if (s->ipv6 && !words_is(w, "ipv6"))
			words_fail(w, "only ipv4, or only ipv6");
	} else if (words_is(w, "each")) {
		while (w->at < w->n && f->neach < EACH_MAX)
			f->each[f->neach++] =
				keep_text(f->set, w->word[w->at++]);
	} else {
		return false;
	}
	return true;
}

/* ---- lines that are played -------------------------------------------- */

int64_t script_time(const char *word)
{
	static const struct {
		const char *name;
		double us;
	} units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}};
	char *end;
	double n = strtod(word, &end);

	if (end == word || n < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strcmp(end, units[i].name) == 0)
			return (int64_t)(n * units[i].us + 0.5);
	return -1;
}

static int64_t words_time(struct words *w)
{
	const char *word = words_next(w, "a time");
	int64_t us = word ? script_time(word) : 0;

	if (us < 0)
		words_fail(w, "'%s' is no time", word);
	return us;
}

/* "+1s", or "+1s..2s". */
static void line_time(struct words *w, struct script_line *l)
{
	char *dots;

	l->after_us = l->most_us = -1;
	if (w->at == w->n || w->word[w->at][0] != '+')
		return;
	w->word[w->at]++;
	dots = strstr(w->word[w->at], "..");
	if (dots) {
		*dots = '\0';
		l->most_us = script_time(dots + 2);
		if (l->most_us < 0)
			words_fail(w, "'%s' is no time", dots + 2);
	}
	l->after_us = words_time(w);
}

static const struct def *def_find(const struct file *f, const char *name)
{
	for (size_t i = 0; i < f->ndefs; i++)
		if (strcmp(f->defs[i].name, name) == 0)
			return &f->defs[i];
	return NULL;
}

static void line_played(struct file *f, struct words *w, const char *text)
{
	struct lines *to = f->def ? &f->def->lines : &f->lines;
	struct script_line l = {
		.path = w->path,
		.line = w->line,
		.text = keep_text(f->set, text),
		.shared = f->def != NULL,
		.ipv4 = true,
		.ipv6 = true,
	};
	const struct def *d;

	if (words_is(w, "ipv4"))
		l.ipv6 = false;
	else if (words_is(w, "ipv6"))
		l.ipv4 = false;
	line_time(w, &l);
	if (w->at == w->n) {
		words_fail(w, "and then?");
		return;
	}
	d = def_find(f, w->word[w->at]);
	if (d) {
		w->at++;
		lines_add(to, d->lines.line, d->lines.n);
		return;
	}
	if (line_block(f, w, to, &l))
		return;
	if (!line_packet(w, f, &l) && !line_call(w, &l)) {
		if (words_is(w, "expect"))
			line_check(w, f, &l);
		else
			words_fail(w, "what is '%s'?", w->word[w->at]);
	}
	lines_add(to, &l, 1);
}

static bool line_packet(struct words *w, struct file *f, struct script_line *l)
{
	struct script_seg *s;

	if (words_is(w, ">")) {
		l->kind = LINE_SEND;
	} else if (words_is(w, "<")) {
		l->kind = LINE_EXPECT;
	} else if (words_is(w, "nothing") || words_is(w, "drain")) {
		l->kind = w->word[w->at - 1][0] == 'n' ? LINE_NOTHING
						       : LINE_DRAIN;
		l->n = words_is(w, "for") ? words_time(w) : 0;
		return true;
	} else {
		return false;
	}
	s = keep(f->set, malloc(sizeof(*s)));
	script_seg_parse(w, s, &l->conn);
	if (s->text)
		s->text = keep_text(f->set, s->text);
	if (s->icmp)
		s->icmp = keep_text(f->set, s->icmp);
	l->seg = s;
	return true;
}

/* Bytes, or a time. */
static int64_t words_amount(struct words *w)
{
	const char *word = words_next(w, "how much");
	int64_t n;
	char *end;

	if (!word)
		return 0;
	n = strtoll(word, &end, 0);
	if (*end)
		n = script_time(word);
	if (n < 0)
		words_fail(w, "'%s' is no amount", word);
	return n;
}

static bool line_call(struct words *w, struct script_line *l)
{
	static const char *const calls[] = {
		"send",	  "read",    "close",	  "abort", "open",    "irs",
		"urgent", "nodelay", "keepalive", "dscp",  "timeout",
	};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (words_is(w, calls[i]))
			l->word = calls[i];
	if (!l->word)
		return false;
	l->kind = strcmp(l->word, "irs") == 0 ? LINE_IRS : LINE_CALL;
	if (strcmp(l->word, "read") == 0 && words_is(w, "off"))
		l->word = "read off";
	else if (strcmp(l->word, "read") == 0 && words_is(w, "on"))
		l->word = "read on";
	else if (strcmp(l->word, "close") != 0 &&
		 strcmp(l->word, "abort") != 0 && strcmp(l->word, "open") != 0)
		l->n = words_amount(w);
	if (words_is(w, "conn"))
		l->conn = (unsigned int)words_int(w, SCRIPT_CONNS - 1);
	return true;
}

/* batch, repeat and their ends; true if it was one. */
static bool line_block(struct file *f, struct words *w, struct lines *to,
		       struct script_line *l)
{
	bool batch = words_is(w, "batch");

	if (batch || words_is(w, "repeat")) {
		if (f->nopen == DEPTH_MAX) {
			words_fail(w, "too many blocks in blocks");
			return true;
		}
		f->open[f->nopen].times = batch ? 0 : words_int(w, 10000);
		f->open[f->nopen++].from = to->n;
		l->kind = LINE_BATCH;
		if (batch)
			lines_add(to, l, 1);
		return true;
	}
	if (!words_is(w, "end"))
		return false;
	if (!f->nopen) {
		words_fail(w, "the end of what?");
	} else if (!f->open[--f->nopen].times) {
		l->kind = LINE_BATCH_END;
		lines_add(to, l, 1);
	} else {
		lines_repeat(to, f->open[f->nopen].from,
			     f->open[f->nopen].times);
	}
	return true;
}

/* expect WHAT [NAME] [N] */
static void line_check(struct words *w, struct file *f, struct script_line *l)
{
	static const char *const named[] = {"state", "closed", "drop", "stat",
					    "event"};
	const char *word = words_next(w, "what is expected"), *value;
	char *end;

	l->kind = LINE_CHECK;
	if (!word)
		return;
	l->word = keep_text(f->set, word);
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		if (strcmp(word, named[i]) == 0) {
			value = words_next(w, "a name");
			l->arg = value ? keep_text(f->set, value) : NULL;
		}
	}
	if (w->at < w->n && strcmp(w->word[w->at], "conn") != 0) {
		value = w->word[w->at++];
		l->n = strtoll(value, &end, 0);
		if (*end)
			l->n = script_time(value);
		if (l->n < 0 && !l->arg)
			l->arg = keep_text(f->set, value);
	}
	if (words_is(w, "conn"))
		l->conn = (unsigned int)words_int(w, SCRIPT_CONNS - 1);
	words_is(w, "bytes");
}

/* ---- tests ------------------------------------------------------------ */

static void test_begin(struct file *f, struct words *w, const char *text)
{
	const char *name = text + strlen("test");

	if (f->used) {
		words_fail(w, "a file of defs has no tests");
		return;
	}
	f->test = f->common;
	f->test.name = keep_text(f->set, name + strspn(name, " \t"));
	f->test.path = f->path;
	f->test.line = w->line;
	f->neach = 0;
}

static void test_end(struct file *f, struct words *w)
{
	if (!f->test.name)
		return;
	if (f->nopen)
		words_fail(w, "'%s' has a block without its end", f->test.name);
	if (!f->neach)
		script_add(f, NULL);
	for (size_t i = 0; i < f->neach; i++) {
		const struct def *d = def_find(f, f->each[i]);

		if (d)
			script_add(f, d);
		else
			words_fail(w, "there is no def %s", f->each[i]);
	}
	lines_free(&f->lines);
	f->test.name = NULL;
}

static void script_add(struct file *f, const struct def *start)
{
	struct script_set *set = f->set;
	const struct script_line body = {.kind = LINE_BODY,
					 .path = f->path,
					 .line = f->test.line,
					 .text = f->test.name,
					 .ipv4 = true,
					 .ipv6 = true,
					 .after_us = -1};
	struct lines all = {NULL, 0};
	struct script s = f->test;

	if (!s.nlisteners) {
		s.nlisteners = 1;
		s.listeners[0].port = 7;
		s.listeners[0].service = "app";
	}
	if (start) {
		s.start = start->name;
		lines_add(&all, start->lines.line, start->lines.n);
	}
	lines_add(&all, &body, 1);
	lines_add(&all, f->lines.line, f->lines.n);
	s.lines = all.line;
	s.nlines = all.n;
	s.engine_only = engine_only(&s);
	set->scripts =
		realloc(set->scripts, (set->n + 1) * sizeof(*set->scripts));
	ASSERT(set->scripts);
	set->scripts[set->n++] = s;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool has_app(const struct script *s)
{
	for (unsigned int i = 0; i < s->nlisteners; i++)
		if (strcmp(s->listeners[i].service, "app") == 0)
			return true;
	return false;
}

/* The kernel forwards what a script sends to a daemon, and would not forward,
 * or would mend, some things. */
static const char *seg_engine_only(const struct script_seg *s)
{
	if (s->from != WHO_DEFAULT || s->to != WHO_DEFAULT)
		return "chooses addresses";
	if (s->n_ip_raw || s->bad_ip_sum || s->iplen >= 0 || s->ttl >= 0)
		return "chooses fields of the IP header";
	return NULL;
}

/*
 * Why a daemon cannot play its part: it has no service that does what a script
 * says, but "close" and "abort" can be told to it, and discard reads all as
 * "app" does, as long as nobody closes in front of it.
 */
static const char *engine_only(const struct script *s)
{
	static const char *const seen[] = {"state", "drop", "closed"};
	bool closed = !has_app(s), live;

	for (unsigned int i = 0; i < s->nsettings; i++)
		if (begins(s->settings[i], "interface.") ||
		    begins(s->settings[i], "tcphsd.") ||
		    begins(s->settings[i], "limits.memory"))
			return "sets up the interface or memory";
	for (size_t i = 0; i < s->nlines; i++) {
		const struct script_line *l = &s->lines[i];
		const char *why = l->seg ? seg_engine_only(l->seg) : NULL;

		if (why)
			return why;
		if (l->kind == LINE_BATCH)
			return "wants segments in one turn";
		if (l->kind == LINE_SEND && l->seg->flags & TH_FIN && !closed)
			return "keeps CLOSE-WAIT open";
		if (l->kind == LINE_CALL) {
			if (strcmp(l->word, "close") != 0 &&
			    strcmp(l->word, "abort") != 0)
				return "calls what only a program can";
			closed = true;
		}
		if (l->kind != LINE_CHECK)
			continue;
		live = false;
		for (size_t k = 0; k < ARRAY_LEN(seen); k++)
			live |= strcmp(l->word, seen[k]) == 0;
		if (!live)
			return "looks inside";
	}
	return NULL;
}
