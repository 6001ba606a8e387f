/*
 * capset.c - Several capture files as one, in the order of time
 *
 * Files of several interfaces or queues are not quite in order. Of each file,
 * AHEAD frames are held in a heap by their times, and the earliest of all heaps
 * comes next: what is displaced by fewer frames than that comes in its place.
 */
#include "capset.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define AHEAD 64

struct held {
	struct frame frame;
	uint8_t *bytes; /* of the frame */
	size_t size;
};

struct source {
	const char *path;
	struct capfile *file;
	uint64_t frames;
	struct held *heap[AHEAD + 1]; /* the earliest first, from 1 */
	unsigned int n;
	bool end;
	struct held held[AHEAD + 1]; /* one is handed out */
	struct held *spare[AHEAD + 1];
	unsigned int nspare;
};

struct capset {
	struct source *source;
	unsigned int n, damaged;
	uint64_t frames;
	struct source *last; /* whose frame was handed out, and which */
	struct held *out;
};

static bool open_source(struct source *s, const char *path);
static bool refill(struct capset *set, struct source *s);
static bool keep(struct source *s, const struct frame *f);
static bool earlier(const struct held *a, const struct held *b);
static void push(struct source *s, struct held *h);
static struct held *pop(struct source *s);

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
		for (unsigned int k = 0; k <= AHEAD; k++)
			free(set->source[i].held[k].bytes);
	}
	free(set->source);
	free(set);
}

bool capset_next(struct capset *set, struct frame *f)
{
	struct source *first = NULL;

	if (set->out)
		set->last->spare[set->last->nspare++] = set->out;
	set->out = NULL;
	for (unsigned int i = 0; i < set->n; i++) {
		struct source *s = &set->source[i];

		if (!refill(set, s))
			return false;
		if (s->n && (!first || earlier(s->heap[1], first->heap[1])))
			first = s;
	}
	if (!first)
		return false;
	set->last = first;
	set->out = pop(first);
	*f = set->out->frame;
	set->frames++;
	if (set->n > 1)
		f->number = set->frames;
	return true;
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
	for (unsigned int k = 0; k <= AHEAD; k++)
		s->spare[s->nspare++] = &s->held[k];
	return true;
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
				 ": %s; the %" PRIu64
				 " packets before it are judged",
				 s->path, offset, words, s->frames);
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
	push(s, h);
	return true;
}

/* Of the same time the one that came first. */
static bool earlier(const struct held *a, const struct held *b)
{
	if (a->frame.ns != b->frame.ns)
		return a->frame.ns < b->frame.ns;
	return a->frame.number < b->frame.number;
}

static void push(struct source *s, struct held *h)
{
	unsigned int i = ++s->n;

	for (; i > 1 && earlier(h, s->heap[i / 2]); i /= 2)
		s->heap[i] = s->heap[i / 2];
	s->heap[i] = h;
}

static struct held *pop(struct source *s)
{
	struct held *top = s->heap[1], *h = s->heap[s->n--];
	unsigned int i = 1, child;

	for (; 2 * i <= s->n; i = child) {
		child = 2 * i;
		if (child < s->n && earlier(s->heap[child + 1], s->heap[child]))
			child++;
		if (!earlier(s->heap[child], h))
			break;
		s->heap[i] = s->heap[child];
	}
	s->heap[i] = h;
	return top;
}
