/*
 * conf_text.c - The lines of a configuration
 *
 * iniparser reads the values, but it keeps no line numbers, lets the last of
 * two equal keys win in silence, gives up on the whole file at the first line
 * it cannot read, and takes "[log] # why" for something else. So a scanner
 * goes over the text first: it notes where every section and key stands,
 * reports what has no place in our files, and empties such lines. iniparser
 * gets the rest, through an unlinked file in memory because it opens what it
 * reads by name; the file itself is read once, so that both see the same.
 *
 * An override "section.key=value" becomes an entry like those of the file and
 * is checked by the same code from there on.
 */
#include "conf_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_SIZE_MAX  ((size_t)256 << 10) /* bytes */
#define LINE_MAX_CHARS 1000		   /* iniparser's own limit is 1023 */

/* Where the scanner is. */
struct scan {
	struct conf_entry here;		/* only its line counts */
	bool known;			/* the section is one of ours */
	char section[CONF_SECTION_MAX]; /* "" before the first */
};

static int read_file(const char *path, char **text, size_t *len);
static void scan_text(struct conf_reader *r, char *text, size_t len);
static bool scan_line(struct conf_reader *r, struct scan *s, char *line,
		      size_t len);
static bool scan_section(struct conf_reader *r, struct scan *s,
			 const char *line);
static bool scan_key(struct conf_reader *r, struct scan *s, char *line);
static bool note_key(struct conf_reader *r, const struct scan *s, char *name,
		     const char *value);
static const char *quoting_error(const char *value);
static struct conf_entry *add_entry(struct conf_reader *r, const char *section,
				    const struct conf_key *k);
static char *trim(char *text);
static void lower(char *text);
static int load_ini(struct conf_reader *r, const char *text, size_t len);
static void take_values(struct conf_reader *r);

/**
 * conf_text_read() - Read the file into entries
 * @r:   Reader; what is wrong with lines is reported to it
 * @err: Gets the reason if the file as a whole cannot be read
 *
 * Return: 0 or a negative errno
 */
int conf_text_read(struct conf_reader *r, FILE *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc;

	rc = read_file(r->path, &text, &len);
	if (rc == -EFBIG) {
		fprintf(err,
			"%s: larger than 256 KiB; is this the right file?\n",
			r->path);
		return rc;
	}
	if (rc < 0) {
		fprintf(err, "%s: cannot be read: %s; name another with -c\n",
			r->path, strerror(-rc));
		return rc;
	}
	scan_text(r, text, len);
	rc = load_ini(r, text, len);
	free(text);
	if (rc < 0) {
		fprintf(err, "%s: cannot be handed to iniparser: %s\n", r->path,
			strerror(-rc));
		return rc;
	}
	take_values(r);
	return 0;
}

/**
 * conf_text_override() - Add "section.key=value" to the entries
 * @r:        Reader; what is wrong is reported to it
 * @override: Must stay while the reader lives
 *
 * Return: the entry, until the next one is added; NULL if it was refused
 */
struct conf_entry *conf_text_override(struct conf_reader *r,
				      const char *override)
{
	const struct conf_entry given = {.override = override};
	char name[2 * CONF_SECTION_MAX], why[CONF_MESSAGE_MAX];
	const struct conf_key *k = NULL;
	size_t len = strcspn(override, "=");
	struct conf_entry *e;
	char *dot;

	if (len >= sizeof(name))
		len = 0;
	snprintf(name, sizeof(name), "%.*s", (int)len, override);
	lower(name);
	dot = strrchr(name, '.');
	if (!dot || override[len] != '=') {
		conf_report(r, &given,
			    "not understood; write section.key=value");
		return NULL;
	}
	*dot = '\0';
	if (conf_schema_section(name, why))
		k = conf_schema_key(name, dot + 1, why);
	if (!k) {
		conf_report(r, &given, "%s", why);
		return NULL;
	}
	e = add_entry(r, name, k);
	if (e) {
		e->override = override;
		e->value = override + len + 1;
	}
	return e;
}

/**
 * conf_text_find() - The entry that decides over a key
 * @r:       Reader
 * @section: Section
 * @key:     Its name, NULL for the section's own line
 *
 * Return: the last one, for overrides follow the file; NULL: the default rules
 */
struct conf_entry *conf_text_find(const struct conf_reader *r,
				  const char *section, const char *key)
{
	for (size_t i = r->nentries; i-- > 0;) {
		struct conf_entry *e = &r->entries[i];

		if (strcmp(e->section, section) != 0 || !e->key != !key)
			continue;
		if (!key || strcmp(conf_schema_key_name(e->key), key) == 0)
			return e;
	}
	return NULL;
}

/** conf_text_free() - Forget the entries and their values */
void conf_text_free(struct conf_reader *r)
{
	if (r->ini)
		iniparser_freedict(r->ini);
	free(r->entries);
}

/* Regular files and pipes alike; one byte beyond the limit is enough to know.
 */
static int read_file(const char *path, char **text, size_t *len)
{
	FILE *f = fopen(path, "re");
	int rc = 0;

	if (!f)
		return -errno;
	*text = malloc(FILE_SIZE_MAX + 1);
	if (!*text) {
		rc = -ENOMEM;
		goto out;
	}
	*len = fread(*text, 1, FILE_SIZE_MAX + 1, f);
	if (ferror(f))
		rc = errno ? -errno : -EIO;
	else if (*len > FILE_SIZE_MAX)
		rc = -EFBIG;
out:
	if (rc < 0) {
		free(*text);
		*text = NULL;
	}
	fclose(f);
	return rc;
}

static void scan_text(struct conf_reader *r, char *text, size_t len)
{
	struct scan s = {.known = false};
	char *end = text + len, *line = text;

	while (line < end) {
		char *feed = memchr(line, '\n', (size_t)(end - line));
		size_t n = (size_t)((feed ? feed : end) - line);

		s.here.line++;
		if (!scan_line(r, &s, line, n))
			memset(line, '\n', n);
		line += n + 1;
	}
}

/* Return: whether iniparser shall see the line */
static bool scan_line(struct conf_reader *r, struct scan *s, char *line,
		      size_t len)
{
	char copy[LINE_MAX_CHARS + 1], *text;

	if (len > LINE_MAX_CHARS) {
		conf_report(r, &s->here,
			    "this line has %zu characters; %d are the"
			    " limit",
			    len, LINE_MAX_CHARS);
		return false;
	}
	if (memchr(line, '\0', len)) {
		conf_report(r, &s->here,
			    "this line holds a NUL byte; is this a text"
			    " file?");
		return false;
	}
	memcpy(copy, line, len);
	copy[len] = '\0';
	text = trim(copy);
	if (!*text || *text == '#' || *text == ';')
		return false;
	if (text[strlen(text) - 1] == '\\') {
		conf_report(r, &s->here,
			    "'\\' does not continue a line here; write"
			    " it as one");
		return false;
	}
	return *text == '[' ? scan_section(r, s, text) : scan_key(r, s, text);
}

static bool scan_section(struct conf_reader *r, struct scan *s,
			 const char *line)
{
	char name[LINE_MAX_CHARS + 1], why[CONF_MESSAGE_MAX];
	const char *close = strchr(line, ']');
	const struct conf_entry *first;
	struct conf_entry *e;

	s->known = false;
	snprintf(s->section, sizeof(s->section), "?");
	if (!close || close[1]) {
		conf_report(r, &s->here,
			    !close ? "']' is missing; write [section]"
				   : "something follows ']'; put it on"
				     " a line of its own");
		return false;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(close - line - 1), line + 1);
	lower(name);
	if (!conf_schema_section(trim(name), why)) {
		conf_report(r, &s->here, "%s", why);
		return false;
	}
	snprintf(s->section, sizeof(s->section), "%s", trim(name));
	s->known = true;
	first = conf_text_find(r, s->section, NULL);
	if (first) {
		conf_report(r, &s->here,
			    "[%s] was there before, in line %d; put its"
			    " keys together",
			    s->section, first->line);
		return true;
	}
	e = add_entry(r, s->section, NULL);
	if (e)
		e->line = s->here.line;
	return true;
}

static bool scan_key(struct conf_reader *r, struct scan *s, char *line)
{
	char *equal = strchr(line, '=');
	const char *what = NULL;

	if (!equal)
		what = "no '=' in this line; write key = value, or # before a"
		       " comment";
	else if (equal == line)
		what = "no key before '='; write key = value";
	else if (!*s->section)
		what = "a key before the first section; begin with [tcphsd] or"
		       " another";
	if (what) {
		conf_report(r, &s->here, "%s", what);
		return false;
	}
	if (!s->known)
		return false; /* its section was complained about */
	*equal = '\0';
	return note_key(r, s, trim(line), equal + 1);
}

static bool note_key(struct conf_reader *r, const struct scan *s, char *name,
		     const char *value)
{
	const struct conf_entry *first;
	const struct conf_key *k;
	char why[CONF_MESSAGE_MAX];
	const char *quoting;
	struct conf_entry *e;

	lower(name);
	k = conf_schema_key(s->section, name, why);
	if (!k) {
		conf_report(r, &s->here, "%s", why);
		return false;
	}
	first = conf_text_find(r, s->section, name);
	if (first) {
		conf_report(r, &s->here,
			    "'%s' was set before, in line %d; keep one", name,
			    first->line);
		return false;
	}
	e = add_entry(r, s->section, k);
	if (!e)
		return false;
	e->line = s->here.line;
	quoting = quoting_error(value);
	if (quoting) {
		conf_report(r, e, "%s", quoting);
		e->bad = true;
	}
	return !e->bad;
}

/* iniparser ends a value at the second quote and drops what follows. */
static const char *quoting_error(const char *value)
{
	const char *close;

	value += strspn(value, " \t");
	if (*value != '"' && *value != '\'')
		return NULL;
	close = strchr(value + 1, *value);
	if (!close)
		return "the quote is not closed; quotes are not needed here";
	close += 1 + strspn(close + 1, " \t");
	if (*close && *close != '#' && *close != ';')
		return "something follows the quoted value; quotes are not"
		       " needed here";
	return NULL;
}

static struct conf_entry *add_entry(struct conf_reader *r, const char *section,
				    const struct conf_key *k)
{
	struct conf_entry *e;

	if (r->nentries == r->entries_size) {
		size_t size = r->entries_size ? 2 * r->entries_size : 64;

		e = reallocarray(r->entries, size, sizeof(*e));
		if (!e) {
			r->no_memory = true;
			return NULL;
		}
		r->entries = e;
		r->entries_size = size;
	}
	e = &r->entries[r->nentries++];
	memset(e, 0, sizeof(*e));
	snprintf(e->section, sizeof(e->section), "%s", section);
	e->key = k;
	return e;
}

/* Cuts the text behind; iniparser trims by isspace(), too. */
static char *trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* The scanner has already said what iniparser would say. */
static int say_nothing(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

static int load_ini(struct conf_reader *r, const char *text, size_t len)
{
	char path[32];
	int rc = 0;
	int fd;

	fd = memfd_create("tcphsd.conf", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0) {
			rc = -errno;
			goto out;
		}
		done += (size_t)n;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	iniparser_set_error_callback(say_nothing);
	errno = 0;
	r->ini = iniparser_load(path);
	if (!r->ini)
		rc = errno ? -errno : -EIO;
out:
	close(fd);
	return rc;
}

static void take_values(struct conf_reader *r)
{
	for (size_t i = 0; i < r->nentries; i++) {
		struct conf_entry *e = &r->entries[i];
		char name[2 * CONF_SECTION_MAX];

		if (!e->key || e->bad)
			continue;
		snprintf(name, sizeof(name), "%s:%s", e->section,
			 conf_schema_key_name(e->key));
		e->value = iniparser_getstring(r->ini, name, NULL);
		if (!e->value) {
			e->bad = true;
			conf_report(r, e,
				    "iniparser reads no value here; write key"
				    " = value");
		}
	}
}
