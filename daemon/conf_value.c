/*
 * conf_value.c - From the text of one value to one field
 *
 * iniparser would read 042 as 34, "yellow" as yes and 15x0 as 15; here the
 * whole value must make sense, numbers are decimal, and a refusal says what
 * would be taken instead. Numbers, sizes and times are the same thing with
 * other units: digits, then the name of a factor. Words are numbered from the
 * key's min on.
 */
#include "conf_priv.h"

#include <stdarg.h>
#include <string.h>
#include <sys/un.h>

#include <tcphs/nearest.h>

#include "core/assert.h"

#define SHOWN 60 /* characters of a value that an error repeats */

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit plain[] = {{"", 1}, {NULL, 0}};
static const struct unit sizes[] = {{"GiB", UINT64_C(1) << 30},
				    {"MiB", UINT64_C(1) << 20},
				    {"KiB", UINT64_C(1) << 10},
				    {"", 1},
				    {NULL, 0}};
static const struct unit times[] = {{"h", UINT64_C(3600000000)},
				    {"m", UINT64_C(60000000)},
				    {"s", UINT64_C(1000000)},
				    {"ms", UINT64_C(1000)},
				    {NULL, 0}};

static const char *const no_services[] = {NULL};
static const char *const *services = no_services;

static bool set_scaled(const struct conf_key *k, const struct unit *units,
		       const char *text, void *base, char *err);
static bool read_digits(const struct conf_key *k, const char *text, uint64_t *n,
			const char *range, char *err);
static const struct unit *find_unit(const struct conf_key *k,
				    const struct unit *units, const char *text,
				    size_t digits, const char *range,
				    char *err);
static void describe_range(const struct conf_key *k, const struct unit *units,
			   char *buf, size_t len);
static void format_scaled(uint64_t n, const struct unit *units, char *buf,
			  size_t len);
static int find_word(const struct conf_key *k, const char *text, char *err);
static void join(const char *const *words, char *buf, size_t len);
static void store(const struct conf_key *k, void *base, uint64_t n);
static bool store_text(const struct conf_key *k, void *base, const char *text,
		       char *err);

void conf_services(const char *const *names)
{
	services = names;
}

/** conf_set_number() - "1500" */
bool conf_set_number(const struct conf_key *k, const char *text, void *base,
		     char *err)
{
	return set_scaled(k, plain, text, base, err);
}

/** conf_set_size() - "64KiB"; bytes without a unit */
bool conf_set_size(const struct conf_key *k, const char *text, void *base,
		   char *err)
{
	return set_scaled(k, sizes, text, base, err);
}

/** conf_set_time() - "200ms", to microseconds; only 0 needs no unit */
bool conf_set_time(const struct conf_key *k, const char *text, void *base,
		   char *err)
{
	return set_scaled(k, times, text, base, err);
}

/** conf_set_word() - One of the key's words, to an enum or a bool */
bool conf_set_word(const struct conf_key *k, const char *text, void *base,
		   char *err)
{
	int i = find_word(k, text, err);

	if (i < 0)
		return false;
	store(k, base, k->min + (uint64_t)i);
	return true;
}

/** conf_set_auto() - A number, or "auto", which is 0 */
bool conf_set_auto(const struct conf_key *k, const char *text, void *base,
		   char *err)
{
	if (strcmp(text, "auto") != 0)
		return set_scaled(k, plain, text, base, err);
	store(k, base, 0);
	return true;
}

/** conf_set_seed() - A number, or nothing for random */
bool conf_set_seed(const struct conf_key *k, const char *text, void *base,
		   char *err)
{
	struct conf *c = base;

	if (*text && !set_scaled(k, plain, text, base, err))
		return false;
	c->seeded = *text != '\0';
	if (!c->seeded)
		c->seed = 0;
	return true;
}

/** conf_set_timestamps() - no, yes or strict: two fields */
bool conf_set_timestamps(const struct conf_key *k, const char *text, void *base,
			 char *err)
{
	struct conf *c = base;
	int i = find_word(k, text, err);

	if (i < 0)
		return false;
	c->stack.timestamps = i != 0;
	c->stack.timestamps_strict = strcmp(k->words[i], "strict") == 0;
	return true;
}

/** conf_set_mode() - Permissions as chmod(1) takes them: the one octal key */
bool conf_set_mode(const struct conf_key *k, const char *text, void *base,
		   char *err)
{
	size_t len = strlen(text);
	uint64_t mode = 0;

	if (len < 3 || len > 4 || strspn(text, "01234567") != len ||
	    (len == 4 && text[0] != '0'))
		return conf_refuse(
			err, k, text,
			"is no file mode; write three octal digits such as"
			" 0660");
	for (size_t i = 0; i < len; i++)
		mode = mode * 8 + (uint64_t)(text[i] - '0');
	store(k, base, mode);
	return true;
}

/** conf_set_ifname() - An interface name that the kernel takes */
bool conf_set_ifname(const struct conf_key *k, const char *text, void *base,
		     char *err)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	if (!*text || text[len] || len >= IFNAMSIZ || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return conf_refuse(
			err, k, text,
			"cannot name an interface; use up to %d letters,"
			" digits, '.', '_' and '-'",
			IFNAMSIZ - 1);
	return store_text(k, base, text, err);
}

/** conf_set_socket() - An absolute path that fits into an address */
bool conf_set_socket(const struct conf_key *k, const char *text, void *base,
		     char *err)
{
	size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (text[0] != '/')
		return conf_refuse(err, k, text,
				   "is not absolute; begin the path with /");
	if (strlen(text) > max)
		return conf_refuse(err, k, text,
				   "is too long; use up to %zu bytes", max);
	return store_text(k, base, text, err);
}

/** conf_set_path() - Of a file, absolute; nothing for none */
bool conf_set_path(const struct conf_key *k, const char *text, void *base,
		   char *err)
{
	if (*text && text[0] != '/')
		return conf_refuse(err, k, text,
				   "is not absolute; begin the path with /");
	if (*text && !strrchr(text, '/')[1])
		return conf_refuse(err, k, text,
				   "is a directory; add the file's name");
	return store_text(k, base, text, err);
}

/** conf_set_directory() - An absolute path */
bool conf_set_directory(const struct conf_key *k, const char *text, void *base,
			char *err)
{
	if (text[0] != '/')
		return conf_refuse(err, k, text,
				   "is not absolute; begin the path with /");
	return store_text(k, base, text, err);
}

/** conf_set_account() - A user or group, by name; nothing for none */
bool conf_set_account(const struct conf_key *k, const char *text, void *base,
		      char *err)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
	bool group = strcmp(k->name, "control.reader_group") == 0;

	if (group && strcmp(text, "*") == 0)
		return store_text(k, base, text, err);
	if (text[len] || *text == '-')
		return conf_refuse(err, k, text,
				   "is no account; write a name%s",
				   group ? ", or * for everybody" : "");
	return store_text(k, base, text, err);
}

/** conf_set_service() - A name that conf_services() was told */
bool conf_set_service(const struct conf_key *k, const char *text, void *base,
		      char *err)
{
	const char *near;
	char list[256];
	size_t n = 0;

	for (; services[n]; n++) {
		if (strcmp(services[n], text) == 0)
			return store_text(k, base, text, err);
	}
	near = nearest(text, services, n);
	if (near)
		return conf_refuse(err, k, text,
				   "is no service; did you mean '%s'?", near);
	join(services, list, sizeof(list));
	return conf_refuse(err, k, text, "is no service; write %s", list);
}

/**
 * conf_value_scaled() - A number, size or time as its key takes it
 * @k:   Key
 * @n:   In the unit of the field
 * @buf: Gets "64KiB": in the largest unit that leaves no rest
 * @len: Of @buf
 */
void conf_value_scaled(const struct conf_key *k, uint64_t n, char *buf,
		       size_t len)
{
	const struct unit *units = k->set == conf_set_size   ? sizes
				   : k->set == conf_set_time ? times
							     : plain;

	format_scaled(n, units, buf, len);
}

/**
 * conf_refuse() - Say why a value is not taken
 * @err:  Gets "KEY = TEXT what; what to do", CONF_MESSAGE_MAX bytes
 * @k:    Key
 * @text: The value
 * @fmt:  "what; what to do"
 *
 * Return: false
 */
bool conf_refuse(char *err, const struct conf_key *k, const char *text,
		 const char *fmt, ...)
{
	va_list ap;
	int n;

	if (*text)
		n = snprintf(err, CONF_MESSAGE_MAX, "%s = %.*s ",
			     conf_schema_key_name(k), SHOWN, text);
	else
		n = snprintf(err, CONF_MESSAGE_MAX, "%s = (nothing) ",
			     conf_schema_key_name(k));
	va_start(ap, fmt);
	vsnprintf(err + n, CONF_MESSAGE_MAX - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static bool set_scaled(const struct conf_key *k, const struct unit *units,
		       const char *text, void *base, char *err)
{
	size_t digits = strspn(text, "0123456789");
	char range[80];
	uint64_t n = 0;

	describe_range(k, units, range, sizeof(range));
	if (!read_digits(k, text, &n, range, err))
		return false;
	if (n != 0 || text[digits]) {
		const struct unit *u =
			find_unit(k, units, text, digits, range, err);

		if (!u)
			return false;
		if (__builtin_mul_overflow(n, u->factor, &n))
			n = UINT64_MAX;
	}
	if ((n < k->min && !(n == 0 && k->off)) || n > k->max)
		return conf_refuse(err, k, text, "is out of range; write %s",
				   range);
	store(k, base, n);
	return true;
}

static bool read_digits(const struct conf_key *k, const char *text, uint64_t *n,
			const char *range, char *err)
{
	size_t digits = strspn(text, "0123456789");
	bool over = false;

	if (!digits)
		return conf_refuse(err, k, text, "is not a number; write %s",
				   range);
	if (text[0] == '0' && digits > 1)
		return conf_refuse(err, k, text,
				   "begins with a zero; write %s, numbers are"
				   " decimal",
				   text + strspn(text, "0") -
					   (strspn(text, "0") == digits));
	*n = 0;
	for (size_t i = 0; i < digits; i++) {
		over |= __builtin_mul_overflow(*n, 10, n);
		over |= __builtin_add_overflow(*n, text[i] - '0', n);
	}
	if (over)
		return conf_refuse(err, k, text, "is out of range; write %s",
				   range);
	return true;
}

/* The unit behind the digits; a blank between them is nothing wrong. */
static const struct unit *find_unit(const struct conf_key *k,
				    const struct unit *units, const char *text,
				    size_t digits, const char *range, char *err)
{
	const char *name = text + digits;

	name += strspn(name, " \t");
	for (const struct unit *u = units; u->name; u++) {
		if (strcmp(name, u->name) == 0)
			return u;
	}
	if (units == plain)
		conf_refuse(err, k, text, "is not a number; write %s", range);
	else if (!*name)
		conf_refuse(err, k, text,
			    "has no unit; write %.*sms, %.*ss, %.*sm"
			    " or %.*sh",
			    (int)digits, text, (int)digits, text, (int)digits,
			    text, (int)digits, text);
	else if (units == times)
		conf_refuse(err, k, text,
			    "has the unknown unit '%.20s'; use ms, s, m or h",
			    name);
	else
		conf_refuse(
			err, k, text,
			"has the unknown unit '%.20s'; use KiB, MiB or GiB, or"
			" none for bytes",
			name);
	return NULL;
}

static void describe_range(const struct conf_key *k, const struct unit *units,
			   char *buf, size_t len)
{
	char min[24], max[24];

	format_scaled(k->min, units, min, sizeof(min));
	format_scaled(k->max, units, max, sizeof(max));
	snprintf(buf, len, "%s%s%s to %s", k->off ? "0, or " : "",
		 k->set == conf_set_auto ? "auto, or " : "", min, max);
}

/* In the largest unit that leaves no rest. */
static void format_scaled(uint64_t n, const struct unit *units, char *buf,
			  size_t len)
{
	while (units[1].name && (n % units->factor || !n))
		units++;
	snprintf(buf, len, "%llu%s", (unsigned long long)(n / units->factor),
		 n ? units->name : "");
}

static int find_word(const struct conf_key *k, const char *text, char *err)
{
	const char *near;
	char list[128];
	int n = 0;

	for (; k->words[n]; n++) {
		if (strcmp(k->words[n], text) == 0)
			return n;
	}
	near = nearest(text, k->words, (size_t)n);
	join(k->words, list, sizeof(list));
	if (near && n > 2)
		conf_refuse(err, k, text, "is not %s; did you mean '%s'?", list,
			    near);
	else
		conf_refuse(err, k, text, "is unknown; write %s", list);
	return -1;
}

/* "drop, reset or wait" */
static void join(const char *const *words, char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; words[i] && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s",
				       !i	      ? ""
				       : words[i + 1] ? ", "
						      : " or ",
				       words[i]);
}

static void store(const struct conf_key *k, void *base, uint64_t n)
{
	void *field = (char *)base + k->at;

	switch (k->size) {
	case sizeof(uint8_t):
		*(uint8_t *)field = (uint8_t)n;
		return;
	case sizeof(uint16_t):
		*(uint16_t *)field = (uint16_t)n;
		return;
	case sizeof(uint32_t):
		*(uint32_t *)field = (uint32_t)n;
		return;
	}
	ASSERT(k->size == sizeof(uint64_t));
	*(uint64_t *)field = n;
}

/* The rest of the field becomes zero: two equal texts are equal bytes. */
static bool store_text(const struct conf_key *k, void *base, const char *text,
		       char *err)
{
	char *field = (char *)base + k->at;
	size_t len = strlen(text);

	if (len >= k->size)
		return conf_refuse(err, k, text,
				   "is too long; use up to %zu bytes",
				   k->size - 1);
	memset(field, 0, k->size);
	memcpy(field, text, len + 1);
	return true;
}
