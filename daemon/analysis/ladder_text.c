/*
 * ladder_text.c - A connection as a sequence diagram, in a terminal
 *
 *	TIME  DELTA  left state  ----- label ------------> right state
 *
 * A label that does not fit into its arrow stands above it. States are shown
 * where they change. Plain ASCII: this is pasted into mails.
 */
#include <stdio.h>
#include <string.h>

#include <tcphs/plural.h>

#include "ladder_priv.h"

#define DELTA_WIDTH 9
#define STATE_WIDTH 12

/* Where what begins, for this width and these times. */
struct layout {
	size_t width, time, left, arrow, arrow_len, right;
};

static struct layout lay_out(const struct ladder_style *style);
static void put_head(struct paper *p, const struct ladder_view *v,
		     const struct layout *o);
static void put_two(struct paper *p, const struct layout *o, const char *left,
		    const char *right);
static void put_gap(struct paper *p, const struct layout *o, uint32_t n);
static void put_row(struct paper *p, const struct ladder_row *r,
		    const struct layout *o);
static void put_arrow(struct paper *p, const struct ladder_row *r,
		      const char *label, size_t len);
static void put_wrapped(struct paper *p, const char *text, size_t at,
			size_t width);

char *ladder_text(const struct ladder *l, const struct ladder_style *style)
{
	struct layout o = lay_out(style);
	struct paper p = {NULL, 0, 0, false};
	struct ladder_view v;

	if (!ladder_look(&v, l, style))
		return NULL;
	put_head(&p, &v, &o);
	for (size_t i = 0; i < v.n; i++) {
		put_gap(&p, &o, v.rows[i].missing);
		put_row(&p, &v.rows[i], &o);
	}
	put_gap(&p, &o, v.missing);
	if (style->at && v.n) {
		paper_put(&p, "\n");
		ladder_detail(&p, &v, &v.rows[v.n - 1]);
	} else {
		paper_put(&p, "verdict: ");
		put_wrapped(&p, l->verdict, strlen("verdict: "), o.width);
	}
	ladder_unlook(&v);
	return paper_end(&p);
}

static struct layout lay_out(const struct ladder_style *style)
{
	size_t w = style->width;
	struct layout o;

	w = w < LADDER_WIDTH_MIN ? LADDER_WIDTH_MIN : w;
	w = w > LADDER_WIDTH_MAX ? LADDER_WIDTH_MAX : w;
	o.width = w;
	o.time = style->times == LADDER_CLOCK ? 15 : 11;
	o.left = o.time + 1 + DELTA_WIDTH + 1;
	o.arrow = o.left + STATE_WIDTH + 1;
	o.right = w - STATE_WIDTH;
	o.arrow_len = o.right - 1 - o.arrow;
	return o;
}

static void put_head(struct paper *p, const struct ladder_view *v,
		     const struct layout *o)
{
	const struct ladder *l = v->l;

	paper_put(p, "%s  %s -> %s%s%s\n\n", l->id, v->left, v->right,
		  l->listener ? "  " : "", l->listener ? l->listener : "");
	paper_put(p, "%-*s %-*s ", (int)o->time, "TIME", DELTA_WIDTH, "DELTA");
	put_two(p, o, v->left_name, v->right_name);
	paper_fill(p, ' ', o->left);
	put_two(p, o, v->left, v->right);
	if (*v->left_state || *v->right_state) {
		paper_fill(p, ' ', o->left);
		paper_put(p, "%s", v->left_state);
		if (*v->right_state) {
			paper_fill(p, ' ',
				   o->right - o->left - strlen(v->left_state));
			paper_put(p, "%s", v->right_state);
		}
		paper_put(p, "\n");
	}
}

/* From the left side to the right edge; on two lines if they are too long. */
static void put_two(struct paper *p, const struct layout *o, const char *left,
		    const char *right)
{
	size_t room = o->width - o->left, both = strlen(left) + strlen(right);

	if (both + 1 > room) {
		paper_put(p, "%s\n", left);
		paper_fill(p, ' ', o->width - strlen(right));
		paper_put(p, "%s\n", right);
		return;
	}
	paper_put(p, "%s", left);
	paper_fill(p, ' ', room - both);
	paper_put(p, "%s\n", right);
}

static void put_gap(struct paper *p, const struct layout *o, uint32_t n)
{
	if (!n)
		return;
	paper_fill(p, ' ', o->arrow);
	paper_put(p, "... %u packet%s not kept ...\n", n, plural(n));
}

static void put_row(struct paper *p, const struct ladder_row *r,
		    const struct layout *o)
{
	char label[2 * ROW_TEXT_MAX + 8];
	bool fits;

	snprintf(label, sizeof(label), "%s%s%s%s", r->label,
		 *r->note ? " (" : "", r->note, *r->note ? ")" : "");
	fits = strlen(label) + 6 <= o->arrow_len;
	paper_put(p, "%-*s %*s ", (int)o->time, r->time, DELTA_WIDTH, r->delta);
	if (!fits) {
		paper_fill(p, ' ', o->arrow - o->left);
		put_wrapped(p, label, o->arrow, o->width);
		paper_fill(p, ' ', o->left);
	}
	paper_put(p, "%-*s ", STATE_WIDTH, r->left_state);
	put_arrow(p, r, fits ? label : "", o->arrow_len);
	if (*r->right_state)
		paper_put(p, " %s", r->right_state);
	paper_put(p, "\n");
	if (*r->drop) {
		char drop[ROW_TEXT_MAX + 16];

		snprintf(drop, sizeof(drop), "x dropped: %s", r->drop);
		paper_fill(p, ' ', o->arrow);
		put_wrapped(p, drop, o->arrow, o->width);
	}
}

/* "-- SYN seq=0 ---->", "<---- SYN-ACK --", "-- ACK -----x" if dropped. */
static void put_arrow(struct paper *p, const struct ladder_row *r,
		      const char *label, size_t len)
{
	size_t words = strlen(label), line = len - 1 - (words ? words + 4 : 0);
	char tip = *r->drop ? 'x' : r->right ? '>' : '<';

	if (!r->right)
		paper_fill(p, tip, 1);
	if (words)
		paper_put(p, "-- %s ", label);
	paper_fill(p, '-', line);
	if (r->right)
		paper_fill(p, tip, 1);
}

/* @text from column @at on, where we are, broken at blanks. */
static void put_wrapped(struct paper *p, const char *text, size_t at,
			size_t width)
{
	size_t room = width - at, n;

	for (bool first = true; *text; first = false) {
		if (!first)
			paper_fill(p, ' ', at);
		n = strlen(text);
		if (n > room) {
			for (n = room; n > 0 && text[n] != ' '; n--)
				;
			n = n ? n : room;
		}
		paper_put(p, "%.*s\n", (int)n, text);
		text += n;
		text += *text == ' ';
	}
}
