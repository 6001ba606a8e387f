/*
 * analyze_sort.c - Rows in another order than they come
 *
 * A row waits as a string of its values, packed: a type, then a number, an
 * address and a port, or a text with its zero. In front of it is a key that
 * memcmp() puts in order. Rows of the same key stay as they came.
 */
#include <stdlib.h>
#include <string.h>

#include "analyze.h"

#define KEY_MAX 24

struct sorted_row {
	uint8_t key[KEY_MAX];
	bool none; /* no value to sort by */
	uint32_t number;
	uint8_t packed[];
};

struct sorted {
	const struct column *by;
	bool down;
	struct sorted_row **row;
	uint32_t n, size;
};

static bool room(struct sorted *s);
static void set_key(struct sorted_row *row, const struct value *v);
static void put_number(uint8_t *key, int64_t n);
static uint8_t *pack(uint8_t *to, const struct value *v);
static const uint8_t *unpack(const uint8_t *from, struct value *v);
static int up(const void *a, const void *b);
static int down(const void *a, const void *b);

struct sorted *sorted_new(const struct column *columns, const char *order)
{
	bool is_down = *order == '-';
	const struct column *by;
	struct sorted *s;

	order += is_down;
	by = column_find(columns, order, strlen(order));
	if (!by)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		complain("out of memory");
		return NULL;
	}
	s->by = by;
	s->down = is_down;
	return s;
}

void sorted_free(struct sorted *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		free(s->row[i]);
	free(s->row);
	free(s);
}

bool sorted_add(struct sorted *s, const struct table *t, value_fn *value,
		const void *of)
{
	uint8_t packed[OUTPUT_COLUMNS_MAX * (VALUE_TEXT_MAX + 1)];
	uint8_t *end = packed;
	struct sorted_row *row;
	struct value v;

	for (unsigned int i = 0; i < t->ncols; i++) {
		value(of, t->col[i], &v);
		end = pack(end, &v);
	}
	row = calloc(1, sizeof(*row) + (size_t)(end - packed));
	if (!row || !room(s)) {
		free(row);
		return false;
	}
	memcpy(row->packed, packed, (size_t)(end - packed));
	value(of, s->by, &v);
	set_key(row, &v);
	row->number = s->n;
	s->row[s->n++] = row;
	return true;
}

void sorted_write(struct sorted *s, struct table *t)
{
	struct value v[OUTPUT_COLUMNS_MAX];

	if (s->n)
		qsort(s->row, s->n, sizeof(*s->row), s->down ? down : up);
	for (uint32_t i = 0; i < s->n; i++) {
		const uint8_t *from = s->row[i]->packed;

		for (unsigned int k = 0; k < t->ncols; k++)
			from = unpack(from, &v[k]);
		table_made_row(t, v);
	}
}

static bool room(struct sorted *s)
{
	uint32_t size = s->size ? 2 * s->size : 1024;
	struct sorted_row **row;

	if (s->n < s->size)
		return true;
	row = reallocarray(s->row, size, sizeof(*row));
	if (!row)
		return false;
	s->row = row;
	s->size = size;
	return true;
}

static void set_key(struct sorted_row *row, const struct value *v)
{
	size_t len;

	switch (v->type) {
	case VALUE_NONE:
		row->none = true;
		break;
	case VALUE_NUMBER:
		put_number(row->key, v->number);
		break;
	case VALUE_TEXT:
		len = strlen(v->text);
		memcpy(row->key, v->text, len < KEY_MAX ? len : KEY_MAX);
		break;
	case VALUE_END:
		memcpy(row->key, &v->addr, sizeof(v->addr));
		put_number(row->key + sizeof(v->addr), v->number);
		break;
	}
}

/* Big endian, so that bytes compare as the number does. */
static void put_number(uint8_t *key, int64_t n)
{
	uint64_t v = (uint64_t)n ^ UINT64_C(1) << 63;

	for (int i = 7; i >= 0; i--, v >>= 8)
		key[i] = (uint8_t)v;
}

static uint8_t *pack(uint8_t *to, const struct value *v)
{
	*to++ = (uint8_t)v->type;
	if (v->type == VALUE_TEXT)
		return (uint8_t *)stpcpy((char *)to, v->text) + 1;
	if (v->type == VALUE_END) {
		memcpy(to, &v->addr, sizeof(v->addr));
		to += sizeof(v->addr);
	}
	if (v->type != VALUE_NONE) {
		memcpy(to, &v->number, sizeof(v->number));
		to += sizeof(v->number);
	}
	return to;
}

static const uint8_t *unpack(const uint8_t *from, struct value *v)
{
	size_t len;

	v->type = (enum value_type) * from++;
	if (v->type == VALUE_TEXT) {
		len = strlen((const char *)from) + 1;
		memcpy(v->text, from, len);
		return from + len;
	}
	if (v->type == VALUE_END) {
		memcpy(&v->addr, from, sizeof(v->addr));
		from += sizeof(v->addr);
	}
	if (v->type != VALUE_NONE) {
		memcpy(&v->number, from, sizeof(v->number));
		from += sizeof(v->number);
	}
	return from;
}

static int compare(const struct sorted_row *a, const struct sorted_row *b,
		   int sign)
{
	int order = memcmp(a->key, b->key, KEY_MAX);

	if (a->none != b->none)
		return a->none ? 1 : -1;
	if (order)
		return order > 0 ? sign : -sign;
	return a->number < b->number ? -1 : 1;
}

static int up(const void *a, const void *b)
{
	return compare(*(struct sorted_row *const *)a,
		       *(struct sorted_row *const *)b, 1);
}

static int down(const void *a, const void *b)
{
	return compare(*(struct sorted_row *const *)a,
		       *(struct sorted_row *const *)b, -1);
}
