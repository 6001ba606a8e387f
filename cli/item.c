/*
 * item.c - The values of an item, straight from its text
 *
 * A listing may have a million items, and to jansson each is a tree of some
 * forty pieces of memory: 5 us. What the daemon writes is a small part of JSON:
 * no blanks, words of ASCII without escapes, whole numbers, and ends of
 * connections, {"ip":"fd74::2","port":80}. That is read here, in 0.2 us.
 * An item with anything else in it is refused as a whole and left to jansson,
 * so there is one judge of what is JSON and what is not.
 */
#include "item.h"

#include <string.h>

#include <tcphs/ipaddr.h>

#define DIGITS_MAX 18 /* that many fit an int64_t, whatever they are */

struct reader {
	const char *at, *end;
};

/* Of a member; as in struct value, but it points into the item. */
struct found {
	enum value_type type;
	const char *word; /* of VALUE_END: its address */
	size_t len;
	int64_t number;
};

static bool take(struct reader *r, const char *what, size_t len);
static bool take_word(struct reader *r, const char **word, size_t *len);
static bool take_number(struct reader *r, int64_t *n);
static bool take_value(struct reader *r, struct found *f);
static bool is_field(const struct column *c, const char *key, size_t len);
static void put(const struct found *f, struct value *v);

#define TAKE(r, literal) take(r, literal, sizeof(literal) - 1)

bool item_values(const char *text, size_t len, const struct column *const *col,
		 unsigned int ncols, struct value *values)
{
	struct reader r = {text, text + len};
	struct found f;
	const char *key;

	for (unsigned int i = 0; i < ncols; i++)
		values[i].type = VALUE_NONE;
	if (!TAKE(&r, "{"))
		return false;
	do {
		if (!take_word(&r, &key, &len) || !TAKE(&r, ":") ||
		    !take_value(&r, &f))
			return false;
		for (unsigned int i = 0; i < ncols; i++)
			if (is_field(col[i], key, len))
				put(&f, &values[i]);
	} while (TAKE(&r, ","));
	return TAKE(&r, "}") && r.at == r.end;
}

static inline bool take(struct reader *r, const char *what, size_t len)
{
	if ((size_t)(r->end - r->at) < len || memcmp(r->at, what, len) != 0)
		return false;
	r->at += len;
	return true;
}

static bool take_word(struct reader *r, const char **word, size_t *len)
{
	const char *p;

	if (!TAKE(r, "\""))
		return false;
	for (p = r->at; p < r->end && *p != '"'; p++)
		if ((signed char)*p < ' ' || *p == '\\')
			return false; /* or it is beyond ASCII */
	*word = r->at;
	*len = (size_t)(p - r->at);
	r->at = p;
	return TAKE(r, "\"") && *len < VALUE_TEXT_MAX;
}

static bool take_number(struct reader *r, int64_t *n)
{
	bool negative = TAKE(r, "-");
	const char *first = r->at;

	*n = 0;
	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
		if (r->at - first == DIGITS_MAX)
			return false;
		*n = *n * 10 + (*r->at - '0');
	}
	if (negative)
		*n = -*n;
	return r->at - first == 1 || (r->at > first && *first != '0');
}

static bool take_value(struct reader *r, struct found *f)
{
	if (r->at < r->end && *r->at == '"') {
		f->type = VALUE_TEXT;
		return take_word(r, &f->word, &f->len);
	}
	if (r->at < r->end && *r->at == '{') {
		f->type = VALUE_END;
		return TAKE(r, "{\"ip\":") && take_word(r, &f->word, &f->len) &&
		       f->len < IPADDR_TEXT_MAX && TAKE(r, ",\"port\":") &&
		       take_number(r, &f->number) && TAKE(r, "}");
	}
	f->type = VALUE_NUMBER;
	return take_number(r, &f->number);
}

static inline bool is_field(const struct column *c, const char *key, size_t len)
{
	return *c->field == *key && strncmp(c->field, key, len) == 0 &&
	       !c->field[len];
}

/* What it says is kept as text, for it was text: of an end, too. */
static void put(const struct found *f, struct value *v)
{
	char *to = v->text;
	bool v6;

	v->type = f->type == VALUE_NUMBER ? VALUE_NUMBER : VALUE_TEXT;
	v->number = f->number;
	if (f->type == VALUE_NUMBER)
		return;
	v6 = f->type == VALUE_END && memchr(f->word, ':', f->len);
	if (v6)
		*to++ = '[';
	memcpy(to, f->word, f->len);
	to += f->len;
	if (v6)
		*to++ = ']';
	if (f->type == VALUE_END) {
		*to++ = ':';
		to += text_integer(f->number, to);
	}
	*to = '\0';
}
