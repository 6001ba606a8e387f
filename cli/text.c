/*
 * text.c - Numbers and words as people read and mistype them
 *
 * Durations and sizes keep two or three digits that matter: enough to compare
 * two lines of a table at a glance. Who wants every digit asks for --raw or
 * --json.
 */
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US_S INT64_C(1000000)

/*
 * Control characters are those below the blank, DEL, and U+0080 to U+009F,
 * which some terminals obey: in UTF-8 0xc2 and a byte below 0xa0.
 */
void text_clean(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p; p++) {
		if (*p < ' ' || *p == 0x7f) {
			*p = '?';
		} else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			p[0] = '?';
			p[1] = '?';
		}
	}
}

const char *text_duration(int64_t us, char buf[TEXT_NUMBER_MAX])
{
	int64_t s = us / US_S;
	double ms = (double)us / 1e3;
	int n;

	if (us < 9995)
		snprintf(buf, TEXT_NUMBER_MAX, "%.2fms", ms);
	else if (us < 99950)
		snprintf(buf, TEXT_NUMBER_MAX, "%.1fms", ms);
	else if (us < 999500)
		snprintf(buf, TEXT_NUMBER_MAX, "%.0fms", ms);
	else if (us < 60 * US_S - 50000) {
		n = snprintf(buf, TEXT_NUMBER_MAX, "%.1f", ms / 1e3);
		if (buf[n - 1] == '0')
			n -= 2; /* "48s", not "48.0s" */
		snprintf(buf + n, TEXT_NUMBER_MAX - (size_t)n, "s");
	} else if (us < 60 * US_S)
		snprintf(buf, TEXT_NUMBER_MAX, "1m0s");
	else if (s < 3600)
		snprintf(buf, TEXT_NUMBER_MAX, "%" PRId64 "m%" PRId64 "s",
			 s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, TEXT_NUMBER_MAX, "%" PRId64 "h%" PRId64 "m",
			 s / 3600, s % 3600 / 60);
	else
		snprintf(buf, TEXT_NUMBER_MAX, "%" PRId64 "d%" PRId64 "h",
			 s / 86400, s % 86400 / 3600);
	return buf;
}

const char *text_bytes(uint64_t n, char buf[TEXT_NUMBER_MAX])
{
	static const char units[] = "KMGTPE";
	double v = (double)n;
	unsigned int u = 0;

	if (n < 1024) {
		snprintf(buf, TEXT_NUMBER_MAX, "%" PRIu64, n);
		return buf;
	}
	for (v /= 1024; v >= 1023.5 && units[u + 1]; u++)
		v /= 1024;
	snprintf(buf, TEXT_NUMBER_MAX, v < 99.95 ? "%.1f%c" : "%.0f%c", v,
		 units[u]);
	return buf;
}

bool text_parse_duration(const char *s, int64_t *us)
{
	static const struct {
		const char *unit;
		double us;
	} units[] = {
		{"", 1e6},  {"us", 1},	 {"ms", 1e3},
		{"s", 1e6}, {"m", 60e6}, {"h", 3600e6},
	};
	char *end;
	double v;

	/* strtod() would take blanks, signs, "inf" and hexadecimal, too. */
	if (*s < '0' || *s > '9' || s[1] == 'x' || s[1] == 'X')
		return false;
	v = strtod(s, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		v *= units[i].us;
		if (v > 365 * 86400e6)
			return false;
		*us = (int64_t)v;
		return true;
	}
	return false;
}

char *text_join(int n, char **words)
{
	size_t len = 1;
	char *s, *end;

	for (int i = 0; i < n; i++)
		len += strlen(words[i]) + 1;
	s = malloc(len);
	if (!s)
		return NULL;
	end = s;
	for (int i = 0; i < n; i++)
		end = stpcpy(stpcpy(end, i > 0 ? " " : ""), words[i]);
	*end = '\0';
	return s;
}

void complain(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_clean(line);
	fflush(stdout); /* what was said before stands before */
	fprintf(stderr, "tcphsctl: %s\n", line);
}
