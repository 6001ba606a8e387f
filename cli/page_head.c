/*
 * page_head.c - What all pages have in common
 *
 * Each is one file that can be mailed: it loads nothing and runs nothing, is
 * light or dark as its reader likes, and readable on a narrow screen. The names
 * of colours are for whatever a page adds.
 */
#include "page.h"

static const char style[] =
	":root { color-scheme: light dark; --bg: #fff; --fg: #1c1e21; "
	"--dim: #6b7280; --line: #d7dbe0; --card: #f5f6f8; --good: #2f9e44; "
	"--bad: #e03131; --warn: #e8890c; --violet: #8f4bd8; --grey: #868e96; "
	"--blue: #2b7bd6; --opening: #74c0fc }\n"
	"@media (prefers-color-scheme: dark) { :root { --bg: #16181c; "
	"--fg: #e4e6e9; --dim: #9aa2ad; --line: #3a3f47; --card: #20242a; "
	"--good: #51cf66; --bad: #ff6b6b; --warn: #ffa94d; "
	"--violet: #c08bf5; --grey: #868e96; --blue: #74a9f0; "
	"--opening: #1971c2 } }\n"
	"body { font: 15px/1.45 system-ui, sans-serif; background: var(--bg); "
	"color: var(--fg); max-width: 1080px; margin: 0 auto; "
	"padding: 1.2em }\n"
	"h1 { font-size: 1.5em; margin: 0; overflow-wrap: anywhere } "
	"h2 { font-size: 1.1em; margin: 2em 0 .5em }\n"
	".dim { color: var(--dim) } a { color: var(--blue) }\n"
	".scroll { overflow-x: auto } .scroll table { width: 100% }\n"
	"table { border-collapse: collapse } "
	"td, th { text-align: left; padding: .25em 1em .25em 0; "
	"border-bottom: 1px solid var(--line) } "
	"td.n, th.n { text-align: right }\n";

void page_head(FILE *out, const char *title, const char *of, const char *more)
{
	fprintf(out,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\">\n<title>%s",
		title);
	page_escape(out, of);
	fprintf(out, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n<h1>%s",
		style, more, title);
	page_escape(out, of);
	fputs("</h1>\n", out);
}

/* Control characters are nothing in HTML, not even escaped. */
void page_escape(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			putc((unsigned char)*text < ' ' || *text == 0x7f
				     ? '?'
				     : *text,
			     out);
		}
	}
}
