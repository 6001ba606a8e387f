/*
 * ladder_svg.c - A connection as a picture
 *
 * Everything is in the file: no fonts, scripts or styles from elsewhere. What
 * is written in it comes from packets and configurations, and is escaped.
 */
#include <stdio.h>

#include <tcphs/plural.h>

#include "ladder_priv.h"

#define WIDTH	 900
#define LEFT_X	 290 /* of the client's line */
#define RIGHT_X	 730
#define CUT_X	 150 /* from the middle: how far a dropped one gets */
#define HEAD_Y	 64
#define ROW_Y	 44
#define TIP	 9 /* of an arrow: its length, half of its width */
#define TIP_HALF 4

static const char style[] =
	"  <style>\n"
	"    .ladder text { font: 12px monospace; fill: #222 }\n"
	"    .ladder .paper { fill: #fff }\n"
	"    .ladder .head { font-weight: bold }\n"
	"    .ladder .state { fill: #15803d }\n"
	"    .ladder .note { fill: #b45309 }\n"
	"    .ladder .drop { fill: #b91c1c }\n"
	"    .ladder .dim { fill: #777 }\n"
	"    .ladder path { fill: #222 }\n"
	"    .ladder line { stroke: #222 }\n"
	"    .ladder line.life { stroke: #999 }\n"
	"    .ladder line.dropped { stroke: #b91c1c; stroke-dasharray: 5 3 }\n"
	"    @media (prefers-color-scheme: dark) {\n"
	"      .ladder text { fill: #ddd }\n"
	"      .ladder .paper { fill: #16181c }\n"
	"      .ladder .state { fill: #4ade80 }\n"
	"      .ladder .note { fill: #fbbf24 }\n"
	"      .ladder .drop { fill: #f87171 }\n"
	"      .ladder .dim { fill: #999 }\n"
	"      .ladder path { fill: #ddd }\n"
	"      .ladder line { stroke: #ddd }\n"
	"      .ladder line.life { stroke: #666 }\n"
	"      .ladder line.dropped { stroke: #f87171 }\n"
	"    }\n"
	"  </style>\n";

static void put_head(struct paper *p, const struct ladder_view *v,
		     unsigned int height);
static void put_text(struct paper *p, unsigned int x, unsigned int y,
		     const char *anchor, const char *class, const char *text);
static void put_row(struct paper *p, const struct ladder_row *r,
		    unsigned int y);
static unsigned int put_gap(struct paper *p, uint32_t n, unsigned int y);

char *ladder_svg(const struct ladder *l, const struct ladder_style *s)
{
	struct paper p = {NULL, 0, 0, false};
	struct ladder_view v;

	if (!ladder_look(&v, l, s))
		return NULL;
	paper_put(&p, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	ladder_svg_draw(&p, &v);
	ladder_unlook(&v);
	return paper_end(&p);
}

void ladder_svg_draw(struct paper *p, const struct ladder_view *v)
{
	unsigned int rows = (unsigned int)v->n + (v->missing ? 1 : 0);
	unsigned int y = HEAD_Y + ROW_Y, height;

	for (size_t i = 0; i < v->n; i++)
		rows += v->rows[i].missing ? 1 : 0;
	height = HEAD_Y + (rows + 2) * ROW_Y;
	put_head(p, v, height);
	for (size_t i = 0; i < v->n; i++, y += ROW_Y) {
		y = put_gap(p, v->rows[i].missing, y);
		put_row(p, &v->rows[i], y);
	}
	y = put_gap(p, v->missing, y);
	put_text(p, WIDTH / 2, y + ROW_Y / 2, "middle", "head", v->l->verdict);
	paper_put(p, "</svg>\n");
}

static void put_head(struct paper *p, const struct ladder_view *v,
		     unsigned int height)
{
	paper_put(p,
		  "<svg class=\"ladder\" "
		  "xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		  "height=\"%u\" viewBox=\"0 0 %d %u\">\n  <title>",
		  WIDTH, height, WIDTH, height);
	paper_xml(p, v->l->id);
	paper_put(p, ": ");
	paper_xml(p, v->left);
	paper_put(p, " to ");
	paper_xml(p, v->right);
	paper_put(p, "</title>\n%s", style);
	paper_put(p, "  <rect class=\"paper\" width=\"100%%\" "
		     "height=\"100%%\"/>\n");
	put_text(p, LEFT_X, 20, "middle", "head", v->left_name);
	put_text(p, LEFT_X, 36, "middle", "", v->left);
	put_text(p, RIGHT_X, 20, "middle", "head", v->right_name);
	put_text(p, RIGHT_X, 36, "middle", "", v->right);
	for (int x = LEFT_X; x <= RIGHT_X; x += RIGHT_X - LEFT_X)
		paper_put(p,
			  "  <line class=\"life\" x1=\"%d\" y1=\"%d\" "
			  "x2=\"%d\" y2=\"%u\"/>\n",
			  x, HEAD_Y - 16, x, height - ROW_Y);
	put_text(p, LEFT_X - 8, HEAD_Y, "end", "state", v->left_state);
	put_text(p, RIGHT_X + 8, HEAD_Y, "start", "state", v->right_state);
}

static void put_text(struct paper *p, unsigned int x, unsigned int y,
		     const char *anchor, const char *class, const char *text)
{
	if (!*text)
		return;
	paper_put(p, "  <text x=\"%u\" y=\"%u\" text-anchor=\"%s\"", x, y,
		  anchor);
	if (*class)
		paper_put(p, " class=\"%s\"", class);
	paper_put(p, ">");
	paper_xml(p, text);
	paper_put(p, "</text>\n");
}

static void put_row(struct paper *p, const struct ladder_row *r, unsigned int y)
{
	const unsigned int middle = (LEFT_X + RIGHT_X) / 2;
	unsigned int from = r->right ? LEFT_X : RIGHT_X;
	unsigned int to = r->right ? RIGHT_X : LEFT_X, tail;

	put_text(p, 8, y, "start", "", r->time);
	put_text(p, 8, y + 14, "start", "dim", r->delta);
	put_text(p, middle, y - 5, "middle", "", r->label);
	if (*r->drop) {
		put_text(p, middle, y + 13, "middle", "drop", r->drop);
		to = r->right ? middle + CUT_X : middle - CUT_X;
	} else {
		put_text(p, middle, y + 13, "middle", "note", r->note);
	}
	tail = r->right ? to - TIP : to + TIP;
	paper_put(p,
		  "  <line%s x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n"
		  "  <path d=\"M%u %uL%u %uL%u %uz\"/>\n",
		  *r->drop ? " class=\"dropped\"" : "", from, y, to, y, tail,
		  y - TIP_HALF, to, y, tail, y + TIP_HALF);
	put_text(p, LEFT_X - 8, y + 4, "end", "state", r->left_state);
	put_text(p, RIGHT_X + 8, y + 4, "start", "state", r->right_state);
}

static unsigned int put_gap(struct paper *p, uint32_t n, unsigned int y)
{
	char words[48];

	if (!n)
		return y;
	snprintf(words, sizeof(words), "%u packet%s not kept", n, plural(n));
	put_text(p, (LEFT_X + RIGHT_X) / 2, y, "middle", "dim", words);
	return y + ROW_Y;
}
