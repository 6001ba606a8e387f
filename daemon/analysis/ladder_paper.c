/*
 * ladder_paper.c - Text that grows
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ladder_priv.h"

static bool make_room(struct paper *p, size_t n)
{
	size_t size = p->size ? p->size : 4096;
	char *text;

	if (p->failed)
		return false;
	if (p->len + n + 1 <= p->size)
		return true;
	while (size < p->len + n + 1)
		size *= 2;
	text = realloc(p->text, size);
	if (!text) {
		p->failed = true;
		return false;
	}
	p->text = text;
	p->size = size;
	return true;
}

void paper_put(struct paper *p, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !make_room(p, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(p->text + p->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	p->len += (size_t)n;
}

void paper_fill(struct paper *p, char c, size_t n)
{
	if (!make_room(p, n))
		return;
	memset(p->text + p->len, c, n);
	p->len += n;
	p->text[p->len] = '\0';
}

void paper_xml(struct paper *p, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&':
			paper_put(p, "&amp;");
			break;
		case '<':
			paper_put(p, "&lt;");
			break;
		case '>':
			paper_put(p, "&gt;");
			break;
		case '"':
			paper_put(p, "&quot;");
			break;
		case '\'':
			paper_put(p, "&#39;");
			break;
		default:
			paper_put(p, "%c", *text);
		}
}

char *paper_end(struct paper *p)
{
	if (p->failed) {
		free(p->text);
		return NULL;
	}
	return p->text;
}
