/*
 * page_chart.c - The charts of the page, as SVG
 *
 * Colours are classes, so that the page's style has them for light and dark.
 */
#include <inttypes.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#include "page.h"
#include "text.h"

#define WIDTH	 900
#define LEFT	 70 /* of the axis */
#define RIGHT	 890
#define BARS_MAX 21
#define LANE	 14 /* of one life */
#define LIVES	 120

static const char *const results[PAGE_NRESULTS] = {
	[PAGE_GOOD] = "good",
	[PAGE_FAILED] = "failed",
	[PAGE_OTHER] = "other",
};

static void begin(FILE *out, unsigned int height, const char *title);
static uint64_t most(const uint64_t *n, size_t count);
static void axis(FILE *out, uint64_t max, unsigned int top,
		 unsigned int bottom);
static unsigned int scale(uint64_t n, uint64_t max, unsigned int length);
static void span(int64_t ns, char text[TEXT_NUMBER_MAX]);
static void life(const struct page *p, FILE *out, const struct verdict *v,
		 unsigned int y, int64_t all_ns);

enum page_result page_result(unsigned int outcome)
{
	if (outcome == JUDGED_COMPLETED)
		return PAGE_GOOD;
	return judged_failed(outcome) ? PAGE_FAILED : PAGE_OTHER;
}

/* One bar, a part for each outcome. */
void page_chart_outcomes(const struct page *p, FILE *out)
{
	const struct summary *s = p->summary;
	unsigned int x = 0;
	uint64_t before = 0;

	begin(out, 34, "Connections by outcome");
	for (unsigned int i = 0; i < JUDGED_NJUDGED; i++) {
		unsigned int to;

		if (!s->outcomes[i])
			continue;
		before += s->outcomes[i];
		to = scale(before, s->connections, WIDTH);
		fprintf(out,
			"<rect class=\"%s\" x=\"%u\" y=\"4\" width=\"%u\" "
			"height=\"26\" stroke-width=\"1\"><title>%s: %" PRIu64
			"</title></rect>\n",
			judged_name(i), x, to > x ? to - x : 1, judged_name(i),
			s->outcomes[i]);
		x = to;
	}
	fputs("</svg>\n", out);
}

/* Bars of equal width for steps of 1, 2 and 5: times differ by powers of ten. */
void page_chart_handshakes(const struct page *p, FILE *out)
{
	static const unsigned int steps[] = {1, 2, 5};
	const struct histogram *h = &p->summary->handshake;
	int64_t bound[BARS_MAX], us = 10;
	uint64_t bar[BARS_MAX], before = 0, max;
	unsigned int n = 0, first = 0, last = 0, width;
	char words[TEXT_NUMBER_MAX];

	for (; n < BARS_MAX; n++) {
		bound[n] = us * steps[n % 3];
		bar[n] = histogram_up_to(h, bound[n]) - before;
		before += bar[n];
		us *= n % 3 == 2 ? 10 : 1;
	}
	for (unsigned int i = 0; i < n; i++)
		last = bar[i] ? i : last;
	for (first = 0; first < last && !bar[first]; first++)
		;
	/* Some room on both sides, so that one bar is no wall. */
	first = first > 2 ? first - 2 : 0;
	last = last + 2 < n ? last + 2 : n - 1;
	max = most(bar, n);
	width = (RIGHT - LEFT) / (last - first + 1);
	begin(out, 220, "Handshakes by the time they took");
	axis(out, max, 14, 184);
	for (unsigned int i = first; i <= last; i++) {
		unsigned int x = LEFT + (i - first) * width;
		unsigned int height = scale(bar[i], max, 170);

		text_duration(bound[i], words);
		if (bar[i])
			fprintf(out,
				"<rect class=\"good\" x=\"%u\" y=\"%u\" "
				"width=\"%u\" height=\"%u\"><title>up to %s: "
				"%" PRIu64 "</title></rect>\n",
				x + 1, 184 - height, width - 2,
				height ? height : 1, words, bar[i]);
		fprintf(out,
			"<text x=\"%u\" y=\"202\" text-anchor=\"end\">%s"
			"</text>\n",
			x + width, words);
	}
	fputs("</svg>\n", out);
}

/* Connections that began, by time. */
void page_chart_rate(const struct page *p, FILE *out)
{
	unsigned int used = 1, width, x, y, height;
	uint64_t sum[PAGE_SLOTS], max;
	char words[TEXT_NUMBER_MAX];

	for (unsigned int i = 0; i < PAGE_SLOTS; i++) {
		sum[i] = 0;
		for (int r = 0; r < PAGE_NRESULTS; r++)
			sum[i] += p->slot[i][r];
		used = sum[i] ? i + 1 : used;
	}
	max = most(sum, used);
	width = (RIGHT - LEFT) / used;
	begin(out, 180, "Connections by the time they began");
	axis(out, max, 14, 144);
	for (unsigned int i = 0; i < used; i++) {
		x = LEFT + i * width;
		y = 144;
		for (int r = 0; r < PAGE_NRESULTS; r++) {
			height = scale(p->slot[i][r], max, 130);
			if (!p->slot[i][r])
				continue;
			height = height ? height : 1;
			y -= height;
			fprintf(out,
				"<rect class=\"%s\" x=\"%u\" y=\"%u\" "
				"width=\"%u\" height=\"%u\"/>\n",
				results[r], x, y, width > 2 ? width - 1 : 1,
				height);
		}
	}
	span((int64_t)used * p->slot_ns, words);
	fprintf(out,
		"<text x=\"%d\" y=\"164\">0</text>\n"
		"<text x=\"%u\" y=\"164\" text-anchor=\"end\">%s</text>\n"
		"</svg>\n",
		LEFT, LEFT + used * width, words);
}

/* A lane for each of the connections that are named: from its first packet to
 * its last, the handshake in front, and how it ended as a mark behind. */
void page_chart_lives(const struct page *p, FILE *out)
{
	unsigned int n = p->nrows < LIVES ? p->nrows : LIVES;
	const struct summary *s = p->summary;
	int64_t all_ns = s->last_ns - s->first_ns;
	char words[TEXT_NUMBER_MAX];

	begin(out, n * LANE + 30, "Lives of connections");
	for (unsigned int i = 0; i < n; i++)
		life(p, out, &p->row[i]->v, 6 + i * LANE, all_ns);
	span(all_ns, words);
	fprintf(out,
		"<text x=\"%d\" y=\"%u\">0</text>\n"
		"<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%s</text>\n"
		"</svg>\n",
		LEFT, n * LANE + 22, RIGHT, n * LANE + 22, words);
}

static void life(const struct page *p, FILE *out, const struct verdict *v,
		 unsigned int y, int64_t all_ns)
{
	const int64_t base = p->summary->first_ns;
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];
	char client[IPPORT_TEXT_MAX], server[IPPORT_TEXT_MAX];
	unsigned int from, to, open;
	uint64_t all = all_ns > 0 ? (uint64_t)all_ns : 1;

	from = LEFT + scale((uint64_t)(v->start_ns - base), all, RIGHT - LEFT);
	to = LEFT + scale((uint64_t)(v->end_ns - base), all, RIGHT - LEFT);
	open = v->total_ns >= 0
		       ? from + scale((uint64_t)v->total_ns, all, RIGHT - LEFT)
		       : to;
	fprintf(out,
		"<g><title>#%" PRIu64 " %s to %s: %s, %s</title>\n"
		"<text x=\"%d\" y=\"%u\" text-anchor=\"end\">#%" PRIu64
		"</text>\n",
		v->id, ipport_format(&c->addr, c->port, client),
		ipport_format(&s->addr, s->port, server),
		judged_name(v->outcome), ending_name(v->ending), LEFT - 6,
		y + 8, v->id);
	fprintf(out,
		"<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" "
		"height=\"9\"/>\n",
		judged_name(v->outcome), from, y, to > from ? to - from : 1);
	if (open > from && open < to)
		fprintf(out,
			"<rect class=\"opening\" x=\"%u\" y=\"%u\" "
			"width=\"%u\" height=\"9\"/>\n",
			from, y, open - from);
	if (v->ending == ENDING_RST_CLIENT || v->ending == ENDING_RST_SERVER)
		fprintf(out,
			"<rect class=\"reset\" x=\"%u\" y=\"%u\" width=\"3\" "
			"height=\"11\"/>\n",
			to, y - 1);
	fputs("</g>\n", out);
}

static void begin(FILE *out, unsigned int height, const char *title)
{
	fprintf(out,
		"<svg class=\"chart\" viewBox=\"0 0 %d %u\" role=\"img\" "
		"aria-label=\"%s\">\n",
		WIDTH, height, title);
}

static uint64_t most(const uint64_t *n, size_t count)
{
	uint64_t max = 1;

	for (size_t i = 0; i < count; i++)
		max = n[i] > max ? n[i] : max;
	return max;
}

static void axis(FILE *out, uint64_t max, unsigned int top, unsigned int bottom)
{
	fprintf(out,
		"<line x1=\"%d\" y1=\"%u\" x2=\"%d\" y2=\"%u\"/>\n"
		"<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%" PRIu64
		"</text>\n"
		"<text x=\"%d\" y=\"%u\" text-anchor=\"end\">0</text>\n",
		LEFT, bottom, RIGHT, bottom, LEFT - 6, top + 4, max, LEFT - 6,
		bottom);
}

static unsigned int scale(uint64_t n, uint64_t max, unsigned int length)
{
	return (unsigned int)((double)n / (double)max * length + 0.5);
}

static void span(int64_t ns, char text[TEXT_NUMBER_MAX])
{
	text_duration(ns / 1000, text);
}
