/*
 * analyze_html.c - What goes into a page
 *
 * A page names the connections that have most to say, and draws the ladders of
 * some of them. Which these are is known at the end, so for every connection
 * that is open the first and last packets are kept, as long as there is room;
 * of a connection that has ended they stay only if it is among the best so far.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze.h"
#include "kept.h"
#include "page.h"
#include "summary.h"

#define KEPT_HALF   12
#define KEPT_MEMORY (48u << 20)
#define BUCKETS	    (1u << 14)

struct keeping {
	struct keeping *next;
	uint64_t conn;
	struct kept *kept;
};

struct one {
	FILE *out;
	struct page page;
	struct keeping *bucket[BUCKETS];
	size_t room; /* bytes for packets */
};

static enum cli_exit begin(struct analyze *z);
static void packet(struct analyze *z, const struct frame *f,
		   const struct packet *p, const struct packet_place *at);
static void verdict(struct analyze *z, const struct verdict *v);
static enum cli_exit end(struct analyze *z);
static void free_all(struct analyze *z);
static struct keeping **find(struct one *one, uint64_t conn);
static struct kept *take_out(struct one *one, uint64_t conn);
static void let_go(struct one *one, struct kept *kept);
static void count_slot(struct page *p, const struct verdict *v);
static uint64_t score(const struct verdict *v);
static struct page_row *place(struct one *one, uint64_t points);
static void fewer_ladders(struct one *one);
static void source_name(const struct analyze *z, char *buf, size_t size);

const struct view html_view = {
	.begin = begin,
	.packet = packet,
	.verdict = verdict,
	.end = end,
	.free = free_all,
};

static enum cli_exit begin(struct analyze *z)
{
	struct one *one = calloc(1, sizeof(*one));

	if (!one)
		return CLI_NO;
	z->own = one;
	one->room = KEPT_MEMORY;
	one->page.slot_ns = 1000000;
	z->summary = summary_new();
	if (!z->summary)
		return CLI_NO;
	one->out = strcmp(z->cli->html, "-") == 0 ? z->cli->out
						  : fopen(z->cli->html, "we");
	if (one->out)
		return CLI_OK;
	complain("%s: %s", z->cli->html, strerror(errno));
	return CLI_NO;
}

static void packet(struct analyze *z, const struct frame *f,
		   const struct packet *p, const struct packet_place *at)
{
	struct one *one = z->own;
	struct keeping **link, *k;

	(void)f;
	if (!at->conn)
		return;
	if (!one->page.begin_ns)
		one->page.begin_ns = p->ns;
	link = find(one, at->conn);
	if (!*link) {
		if (one->room < kept_bytes(KEPT_HALF))
			return;
		k = calloc(1, sizeof(*k));
		if (!k)
			return;
		k->kept = kept_new(KEPT_HALF);
		if (!k->kept) {
			free(k);
			return;
		}
		k->conn = at->conn;
		*link = k;
		one->room -= kept_bytes(KEPT_HALF);
	}
	kept_add((*link)->kept, p, at);
}

static void verdict(struct analyze *z, const struct verdict *v)
{
	struct one *one = z->own;
	struct kept *kept = take_out(one, v->id);
	uint64_t points = score(v);
	struct page_row *row = place(one, points);

	count_slot(&one->page, v);
	if (!row) {
		let_go(one, kept);
		return;
	}
	row->v = *v;
	row->score = points;
	row->kept = kept;
	fewer_ladders(one);
}

static int by_score(const void *a, const void *b)
{
	const struct page_row *x = *(struct page_row *const *)a;
	const struct page_row *y = *(struct page_row *const *)b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->v.id < y->v.id ? -1 : 1;
}

static enum cli_exit end(struct analyze *z)
{
	struct one *one = z->own;
	struct page *p = &one->page;
	char source[256];
	json_t *doc = analyze_summary(z);

	qsort(p->row, p->nrows, sizeof(*p->row), by_score);
	source_name(z, source, sizeof(source));
	p->source = source;
	p->summary = z->summary;
	p->doc = doc;
	page_write(p, one->out);
	json_decref(doc);
	if (fflush(one->out) == 0 && !ferror(one->out))
		return CLI_OK;
	complain("cannot write %s: %s", z->cli->html, strerror(errno));
	return CLI_NO;
}

static void free_all(struct analyze *z)
{
	struct one *one = z->own;

	if (!one)
		return;
	for (unsigned int i = 0; i < BUCKETS; i++)
		while (one->bucket[i])
			let_go(one, take_out(one, one->bucket[i]->conn));
	for (unsigned int i = 0; i < one->page.nrows; i++) {
		let_go(one, one->page.row[i]->kept);
		free(one->page.row[i]);
	}
	if (one->out && one->out != z->cli->out)
		fclose(one->out);
	free(one);
}

/* The link to the packets of a connection, or to where they would be. */
static struct keeping **find(struct one *one, uint64_t conn)
{
	struct keeping **link = &one->bucket[conn % BUCKETS];

	while (*link && (*link)->conn != conn)
		link = &(*link)->next;
	return link;
}

static struct kept *take_out(struct one *one, uint64_t conn)
{
	struct keeping **link = find(one, conn), *k = *link;
	struct kept *kept;

	if (!k)
		return NULL;
	kept = k->kept;
	*link = k->next;
	free(k);
	return kept;
}

static void let_go(struct one *one, struct kept *kept)
{
	if (kept)
		one->room += kept_bytes(KEPT_HALF);
	kept_free(kept);
}

/* Slots become twice as long when the last one is not late enough. */
static void count_slot(struct page *p, const struct verdict *v)
{
	int64_t since = v->start_ns - p->begin_ns;

	since = since < 0 ? 0 : since;
	while (since / p->slot_ns >= PAGE_SLOTS) {
		for (unsigned int i = 0; i < PAGE_SLOTS; i++)
			for (int r = 0; r < PAGE_NRESULTS; r++)
				p->slot[i][r] =
					2 * i + 1 < PAGE_SLOTS
						? p->slot[2 * i][r] +
							  p->slot[2 * i + 1][r]
						: 0;
		p->slot_ns *= 2;
	}
	p->slot[since / p->slot_ns][page_result(v->outcome)]++;
}

/* What a reader should see first: what is odd, what failed, what was slow. */
static uint64_t score(const struct verdict *v)
{
	uint64_t points = 0, again = verdict_retransmissions(v);

	switch (verdict_worst(v)) {
	case SEVERITY_WARNING:
		points += 400;
		break;
	case SEVERITY_NOTICE:
		points += 200;
		break;
	}
	points += judged_failed(v->outcome) ? 150 : 0;
	points += again < 100 ? again : 100;
	points += v->total_ns > 1000000000 ? 80 : 0;
	return points;
}

/* A row for it: a new one, or that of the one with least to say. */
static struct page_row *place(struct one *one, uint64_t points)
{
	struct page *p = &one->page;
	struct page_row *least;

	if (p->nrows < PAGE_ROWS_MAX) {
		least = calloc(1, sizeof(*least));
		if (least)
			p->row[p->nrows++] = least;
		return least;
	}
	least = p->row[0];
	for (unsigned int i = 1; i < p->nrows; i++)
		if (by_score(&p->row[i], &least) > 0)
			least = p->row[i];
	if (least->score >= points)
		return NULL;
	let_go(one, least->kept);
	return least;
}

/* Of all that are named so many have a ladder. */
static void fewer_ladders(struct one *one)
{
	struct page *p = &one->page;
	struct page_row *least = NULL;
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->nrows; i++) {
		struct page_row *r = p->row[i];

		if (!r->kept)
			continue;
		n++;
		if (!least || by_score(&r, &least) > 0)
			least = r;
	}
	if (n <= PAGE_LADDERS_MAX)
		return;
	let_go(one, least->kept);
	least->kept = NULL;
}

static void source_name(const struct analyze *z, char *buf, size_t size)
{
	unsigned int files = z->set ? capset_count(z->set) : 0;
	const char *path, *slash;

	if (!files) {
		snprintf(buf, size, "%s", z->cli->interface);
		return;
	}
	path = capset_path(z->set, 0);
	slash = strrchr(path, '/');
	path = slash ? slash + 1 : path;
	if (files == 1)
		snprintf(buf, size, "%s",
			 strcmp(path, "-") == 0 ? "standard input" : path);
	else
		snprintf(buf, size, "%s and %u more", path, files - 1);
}
