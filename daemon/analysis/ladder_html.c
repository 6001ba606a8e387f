/*
 * ladder_html.c - A connection as a page: the picture, and a table beside it
 *
 * One file that can be mailed: it loads nothing and runs nothing.
 */
#include <inttypes.h>

#include "ladder_priv.h"

static void put_cell(struct paper *p, const char *text);
static void put_row(struct paper *p, const struct ladder_view *v,
		    const struct ladder_row *r);

char *ladder_html(const struct ladder *l, const struct ladder_style *style)
{
	struct paper p = {NULL, 0, 0, false};
	struct ladder_view v;

	if (!ladder_look(&v, l, style))
		return NULL;
	paper_put(&p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		      "<meta charset=\"utf-8\">\n<title>");
	paper_xml(&p, l->id);
	paper_put(&p,
		  "</title>\n<style>\n"
		  "body { font: 14px sans-serif; margin: 2em; color: #222 }\n"
		  "table { border-collapse: collapse; font: 12px monospace }\n"
		  "td, th { text-align: left; padding: 2px 10px; "
		  "border-bottom: 1px solid #ddd }\n"
		  "tr.drop td { color: #b91c1c }\n"
		  "@media (prefers-color-scheme: dark) {\n"
		  "  body { background: #16181c; color: #ddd }\n"
		  "  td, th { border-color: #444 }\n"
		  "  tr.drop td { color: #f87171 }\n"
		  "}\n"
		  "</style>\n</head>\n<body>\n<h1>");
	paper_xml(&p, l->id);
	paper_put(&p, ": ");
	paper_xml(&p, v.left);
	paper_put(&p, " to ");
	paper_xml(&p, v.right);
	paper_put(&p, "</h1>\n<p>");
	paper_xml(&p, l->verdict);
	paper_put(&p, "</p>\n");
	ladder_svg_draw(&p, &v);
	paper_put(&p,
		  "<table>\n<tr><th>#</th><th>time</th><th>delta</th>"
		  "<th>from</th><th>packet</th><th>note</th>"
		  "<th>%s</th></tr>\n",
		  l->watched ? "frame" : "our state");
	for (size_t i = 0; i < v.n; i++)
		put_row(&p, &v, &v.rows[i]);
	paper_put(&p, "</table>\n</body>\n</html>\n");
	ladder_unlook(&v);
	return paper_end(&p);
}

static void put_cell(struct paper *p, const char *text)
{
	paper_put(p, "<td>");
	paper_xml(p, text);
	paper_put(p, "</td>");
}

static void put_row(struct paper *p, const struct ladder_view *v,
		    const struct ladder_row *r)
{
	paper_put(p, "<tr%s><td>%u</td>", *r->drop ? " class=\"drop\"" : "",
		  r->p->number);
	put_cell(p, r->time);
	put_cell(p, r->delta);
	if (v->l->watched)
		put_cell(p, r->right ? v->left_name : v->right_name);
	else
		put_cell(p, r->p->out ? "tcphsd" : "peer");
	put_cell(p, r->label);
	put_cell(p, *r->drop ? r->drop : r->note);
	if (v->l->watched)
		paper_put(p, "<td>%" PRIu64 "</td>", r->p->frame);
	else
		put_cell(p, r->p->after);
	paper_put(p, "</tr>\n");
}
