/*
 * ladder_mermaid.c - A connection as a diagram in Mermaid's words
 *
 * For pages that draw it themselves. A semicolon would end a statement there,
 * and a number sign begins a character's name: both are written by theirs.
 */
#include <string.h>

#include <tcphs/plural.h>

#include "ladder_priv.h"

static void put_words(struct paper *p, const char *text);
static void put_row(struct paper *p, const struct ladder_row *r);
static void put_state(struct paper *p, const char *side, const char *state);
static void put_gap(struct paper *p, uint32_t n);

char *ladder_mermaid(const struct ladder *l, const struct ladder_style *style)
{
	struct paper p = {NULL, 0, 0, false};
	struct ladder_view v;

	if (!ladder_look(&v, l, style))
		return NULL;
	paper_put(&p, "sequenceDiagram\n    participant C as %s<br/>",
		  v.left_name);
	put_words(&p, v.left);
	paper_put(&p, "\n    participant S as %s<br/>", v.right_name);
	put_words(&p, v.right);
	paper_put(&p, "\n");
	put_state(&p, "C", v.left_state);
	put_state(&p, "S", v.right_state);
	for (size_t i = 0; i < v.n; i++) {
		put_gap(&p, v.rows[i].missing);
		put_row(&p, &v.rows[i]);
	}
	put_gap(&p, v.missing);
	paper_put(&p, "    Note over C,S: ");
	put_words(&p, l->verdict);
	paper_put(&p, "\n");
	ladder_unlook(&v);
	return paper_end(&p);
}

static void put_words(struct paper *p, const char *text)
{
	for (; *text; text++)
		if (strchr(";#<>", *text))
			paper_put(p, "#%d;", *text);
		else
			paper_put(p, "%c", *text);
}

static void put_row(struct paper *p, const struct ladder_row *r)
{
	paper_put(p, "    %s%s%s: ", r->right ? "C" : "S",
		  *r->drop ? "-x" : "->>", r->right ? "S" : "C");
	put_words(p, r->label);
	if (*r->note) {
		paper_put(p, " (");
		put_words(p, r->note);
		paper_put(p, ")");
	}
	paper_put(p, "<br/>%s", r->time);
	if (*r->drop) {
		paper_put(p, "<br/>dropped, ");
		put_words(p, r->drop);
	}
	paper_put(p, "\n");
	put_state(p, "C", r->left_state);
	put_state(p, "S", r->right_state);
}

static void put_state(struct paper *p, const char *side, const char *state)
{
	if (*state)
		paper_put(p, "    Note over %s: %s\n", side, state);
}

static void put_gap(struct paper *p, uint32_t n)
{
	if (n)
		paper_put(p, "    Note over C,S: %u packet%s not kept\n", n,
			  plural(n));
}
