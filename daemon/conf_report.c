/*
 * conf_report.c - Everything that is wrong with a configuration, in order
 *
 * The checks run in the order that suits them; people read by line. So the
 * sentences are kept and sorted, and each becomes one line whatever bytes the
 * file held: control characters, which could also steer a terminal, are shown
 * as '?'.
 */
#include "conf_priv.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_OVERRIDE UINT_MAX

static void add(struct conf_reader *r, unsigned int line, const char *place,
		const char *fmt, va_list ap);
static int by_line(const void *a, const void *b);

/**
 * conf_report() - Say what is wrong with an entry
 * @r:   Reader
 * @e:   Where; NULL if the file itself is meant
 * @fmt: "what is wrong; what to do"
 */
void conf_report(struct conf_reader *r, const struct conf_entry *e,
		 const char *fmt, ...)
{
	char place[CONF_PATH_MAX + 16] = "";
	va_list ap;

	va_start(ap, fmt);
	if (r->bare) {
		add(r, LINE_OVERRIDE, NULL, fmt, ap);
	} else if (e && e->override) {
		snprintf(place, sizeof(place), "-D %s", e->override);
		add(r, LINE_OVERRIDE, place, fmt, ap);
	} else if (e) {
		snprintf(place, sizeof(place), "%s:%d", r->path, e->line);
		add(r, (unsigned int)e->line, place, fmt, ap);
	} else {
		add(r, 0, r->path ? r->path : "defaults", fmt, ap);
	}
	va_end(ap);
}

/**
 * conf_report_print() - Print all of it, one line each, sorted
 * @r:   Reader
 * @err: Where to
 */
void conf_report_print(struct conf_reader *r, FILE *err)
{
	if (r->nfaults)
		qsort(r->faults, r->nfaults, sizeof(*r->faults), by_line);
	for (size_t i = 0; i < r->nfaults; i++) {
		for (char *p = r->faults[i].text; *p; p++) {
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				*p = '?';
		}
		fprintf(err, "%s\n", r->faults[i].text);
	}
}

/** conf_report_free() - Forget what was wrong */
void conf_report_free(struct conf_reader *r)
{
	for (size_t i = 0; i < r->nfaults; i++)
		free(r->faults[i].text);
	free(r->faults);
}

static void add(struct conf_reader *r, unsigned int line, const char *place,
		const char *fmt, va_list ap)
{
	char what[CONF_MESSAGE_MAX];
	struct conf_fault *f;

	vsnprintf(what, sizeof(what), fmt, ap);
	if (r->nfaults == r->faults_size) {
		size_t size = r->faults_size ? 2 * r->faults_size : 16;

		f = reallocarray(r->faults, size, sizeof(*f));
		if (!f) {
			r->no_memory = true;
			return;
		}
		r->faults = f;
		r->faults_size = size;
	}
	f = &r->faults[r->nfaults];
	f->line = line;
	f->number = r->nfaults;
	if (asprintf(&f->text, "%s%s%s", place ? place : "", place ? ": " : "",
		     what) < 0)
		r->no_memory = true;
	else
		r->nfaults++;
}

static int by_line(const void *a, const void *b)
{
	const struct conf_fault *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}
