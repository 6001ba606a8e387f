/*
 * capset.c - Several capture files as one, in the order of time
 *
 * Files of several interfaces or queues are not quite in order. Of each file,
 * AHEAD frames are held in the order of their times, and the earliest of all
 * files comes next: what is displaced by fewer frames than that comes in its
 * place. Nearly every frame is later than all that are held, and is put in its
 * place by one comparison.
 */
#include "capset.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/plural.h>

#include "text.h"

#define AHEAD 64 /* divides the numbers of an unsigned int */

#define HELD_MAX (AHEAD + CAPSET_NEXT_MAX)

struct source;

struct held {
	struct source *of;
	struct frame frame;
	uint8_t *bytes; /* of the frame */
	size_t size;
};

struct source {
	const char *path;
	struct capfile *file;
	uint64_t frames;
	struct held *ring[AHEAD]; /* from first on, the earliest first */
	unsigned int first, n;
	bool end;
	struct held held[HELD_MAX];
	struct held *spare[HELD_MAX];
	unsigned int nspare;
};

struct capset {
	struct source *source;
	unsigned int n, damaged;
	uint64_t frames;
	struct held *out[CAPSET_NEXT_MAX]; /* handed out */
	unsigned int nout;
};

static bool open_source(struct source *s, const char *path);
static struct source *earliest(struct capset *set);
static bool refill(struct capset *set, struct source *s);
static bool keep(struct source *s, const struct frame *f);
static bool earlier(const struct held *a, const struct held *b);
static struct held **place(struct source *s, unsigned int i);
static void insert(struct source *s, struct held *h);

struct capset *capset_open(int n, char **paths)
{
	struct capset *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->source = calloc((size_t)n, sizeof(*set->source));
	for (int i = 0; i < n; i++) {
		if (!set->source || !open_source(&set->source[i], paths[i])) {
			capset_close(set);
			return NULL;
		}
		set->n++;
	}
	return set;
}

void capset_close(struct capset *set)
{
	for (unsigned int i = 0; i < set->n; i++) {
		capfile_close(set->source[i].file);
		for (unsigned int k = 0; k < HELD_MAX; k++)
			free(set->source[i].held[k].bytes);
	}
	free(set->source);
	free(set);
}

unsigned int capset_next(struct capset *set, struct frame *f, unsigned int max)
{
	struct source *s;
	struct held *h;

	while (set->nout) {
		h = set->out[--set->nout];
		h->of->spare[h->of->nspare++] = h;
	}
	while (set->nout < max && (s = earliest(set))) {
		h = *place(s, 0);
		s->first++;
		s->n--;
		set->frames++;
		*f = h->frame;
		if (set->n > 1)
			f->number = set->frames;
		f++;
		set->out[set->nout++] = h;
	}
	return set->nout;
}

unsigned int capset_count(const struct capset *set)
{
	return set->n;
}

const char *capset_path(const struct capset *set, unsigned int file)
{
	return set->source[file].path;
}

const char *capset_format(const struct capset *set, unsigned int file)
{
	return capfile_format(set->source[file].file);
}

bool capset_progress(const struct capset *set, uint64_t *done, uint64_t *all)
{
	uint64_t part, whole;

	*done = *all = 0;
	for (unsigned int i = 0; i < set->n; i++) {
		if (!bytes_progress(capfile_bytes(set->source[i].file), &part,
				    &whole))
			return false;
		*done += part;
		*all += whole;
	}
	return true;
}

unsigned int capset_damaged(const struct capset *set)
{
	return set->damaged;
}

static bool open_source(struct source *s, const char *path)
{
	char words[CAPFILE_WORDS_MAX];
	struct bytes *b = bytes_open(path);

	if (!b) {
		complain("cannot open %s: %s", path, strerror(errno));
		return false;
	}
	s->path = path;
	s->file = capfile_open(b, words);
	if (!s->file) {
		complain("cannot read %s: %s", path, words);
		return false;
	}
	for (unsigned int k = 0; k < HELD_MAX; k++) {
		s->held[k].of = s;
		s->spare[s->nspare++] = &s->held[k];
	}
	return true;
}

/* Whose frame is next; NULL at the end, and without memory. */
static struct source *earliest(struct capset *set)
{
	struct source *first = NULL, *s;

	for (unsigned int i = 0; i < set->n; i++) {
		s = &set->source[i];
		if (!refill(set, s))
			return NULL;
		if (s->n && (!first || earlier(*place(s, 0), *place(first, 0))))
			first = s;
	}
	return first;
}

/* False without memory. */
static bool refill(struct capset *set, struct source *s)
{
	const char *words;
	struct frame f;
	uint64_t offset;

	while (!s->end && s->n < AHEAD) {
		switch (capfile_next(s->file, &f)) {
		case CAPFILE_FRAME:
			s->frames++;
			if (!keep(s, &f)) {
				complain("out of memory");
				set->damaged++;
				return false;
			}
			break;
		case CAPFILE_DAMAGED:
			set->damaged++;
			words = capfile_damage(s->file, &offset);
			complain("%s is damaged at offset %" PRIu64
				 ": %s; %" PRIu64 " packet%s before it judged",
				 s->path, offset, words, s->frames,
				 plural(s->frames));
			s->end = true;
			break;
		case CAPFILE_END:
			s->end = true;
			break;
		}
	}
	return true;
}

static bool keep(struct source *s, const struct frame *f)
{
	struct held *h = s->spare[--s->nspare];
	uint8_t *bytes;

	if (h->size < f->cap_len) {
		bytes = realloc(h->bytes, f->cap_len);
		if (!bytes)
			return false;
		h->bytes = bytes;
		h->size = f->cap_len;
	}
	h->frame = *f;
	if (f->cap_len)
		memcpy(h->bytes, f->bytes, f->cap_len);
	h->frame.bytes = h->bytes;
	insert(s, h);
	return true;
}

/* Of the same time the one that came first. */
static bool earlier(const struct held *a, const struct held *b)
{
	if (a->frame.ns != b->frame.ns)
		return a->frame.ns < b->frame.ns;
	return a->frame.number < b->frame.number;
}

static struct held **place(struct source *s, unsigned int i)
{
	return &s->ring[(s->first + i) % AHEAD];
}

static void insert(struct source *s, struct held *h)
{
	unsigned int i = s->n++;

	for (; i > 0 && earlier(h, *place(s, i - 1)); i--)
		*place(s, i) = *place(s, i - 1);
	*place(s, i) = h;
}
