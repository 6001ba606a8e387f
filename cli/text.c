/*
 * text.c - Numbers and words as people read and mistype them
 *
 * Durations and sizes keep two or three digits that matter: enough to compare
 * two lines of a table at a glance. Who wants every digit asks for --raw or
 * --json.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US_S INT64_C(1000000)

static FILE *elsewhere; /* where complaints go; NULL = stderr */

static void put_fixed(char buf[TEXT_NUMBER_MAX], int64_t n, unsigned int digits,
		      const char *unit);

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

/* printf() takes ten times as long, and a listing has many numbers. */
size_t text_integer(int64_t n, char buf[TEXT_NUMBER_MAX])
{
	uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n;
	char digits[TEXT_NUMBER_MAX];
	size_t i = sizeof(digits), len;

	digits[--i] = '\0';
	do {
		digits[--i] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (n < 0)
		digits[--i] = '-';
	len = sizeof(digits) - i;
	memcpy(buf, digits + i, len);
	return len - 1;
}

const char *text_duration(int64_t us, char buf[TEXT_NUMBER_MAX])
{
	long long s = us / US_S;

	if (us < 9995) /* 9.99ms, rounded */
		put_fixed(buf, (us + 5) / 10, 2, "ms");
	else if (us < 99950)
		put_fixed(buf, (us + 50) / 100, 1, "ms");
	else if (us < 999500)
		put_fixed(buf, (us + 500) / 1000, 0, "ms");
	else if (us < 60 * US_S - 50000 && (us + 50000) / 100000 % 10 == 0)
		put_fixed(buf, (us + 50000) / US_S, 0, "s"); /* not "48.0s" */
	else if (us < 60 * US_S - 50000)
		put_fixed(buf, (us + 50000) / 100000, 1, "s");
	else if (us < 60 * US_S)
		snprintf(buf, TEXT_NUMBER_MAX, "1m0s");
	else if (s < 3600)
		snprintf(buf, TEXT_NUMBER_MAX, "%lldm%llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, TEXT_NUMBER_MAX, "%lldh%lldm", s / 3600,
			 s % 3600 / 60);
	else
		snprintf(buf, TEXT_NUMBER_MAX, "%lldd%lldh", s / 86400,
			 s % 86400 / 3600);
	return buf;
}

const char *text_bytes(uint64_t n, char buf[TEXT_NUMBER_MAX])
{
	static const char *const units[] = {"", "K", "M", "G", "T", "P", "E"};
	double v = (double)n;
	unsigned int u = 0;

	for (; v >= (u ? 1023.5 : 1024) && u < 6; u++)
		v /= 1024;
	if (u == 0 || v >= 99.95)
		put_fixed(buf, (int64_t)(v + 0.5), 0, units[u]);
	else
		put_fixed(buf, (int64_t)(v * 10 + 0.5), 1, units[u]);
	return buf;
}

/* @n: The value, times 10 ^ @digits */
static void put_fixed(char buf[TEXT_NUMBER_MAX], int64_t n, unsigned int digits,
		      const char *unit)
{
	static const int scale[] = {1, 10, 100};
	char *to = buf + text_integer(n / scale[digits], buf);

	if (n < 0)
		n = -n;
	if (digits > 0)
		*to++ = '.';
	while (digits-- > 0)
		*to++ = (char)('0' + n / scale[digits] % 10);
	stpcpy(to, unit);
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

bool text_parse_port(const char *s, int *port)
{
	char *end;
	long n = strtol(s, &end, 10);

	*port = (int)n;
	if (*s >= '0' && *s <= '9' && !*end && n > 0 && n < 65536)
		return true;
	complain("'%s' is no port; 1 to 65535 is", s);
	return false;
}

bool text_take_end(int argc, char **argv, char *end[2], int *port)
{
	char *addr = argv[0], *text = argc > 1 ? argv[1] : strrchr(addr, ':');
	size_t len;

	/* What follows the last colon of a bare IPv6 address is no port. */
	if (argc < 2 && (!text || (strchr(addr, ':') != text &&
				   (*addr != '[' || text[-1] != ']')))) {
		complain("'%s' has no port; write it behind, as in: "
			 "198.18.66.1 80",
			 addr);
		return false;
	}
	if (argc < 2)
		*text++ = '\0';
	len = strlen(addr);
	if (*addr == '[' && addr[len - 1] == ']') {
		addr[len - 1] = '\0';
		addr++;
	}
	end[0] = addr;
	end[1] = text;
	return text_parse_port(text, port);
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
	if (elsewhere)
		fprintf(elsewhere, "%s\n", line);
	else
		fprintf(stderr, "tcphsctl: %s\n", line);
}

void complaint(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(elsewhere ? elsewhere : stderr, fmt, ap);
	va_end(ap);
}

void complaints(FILE *out)
{
	elsewhere = out;
}

void complain_at(const char *text, int64_t at)
{
	char *copy;
	int column = 0;

	if (at < 0 || (size_t)at > strlen(text))
		return;
	for (int64_t i = 0; i < at; i++)
		column += ((unsigned char)text[i] & 0xc0) != 0x80;
	copy = strdup(text);
	if (!copy)
		return;
	text_clean(copy);
	complaint("  %s\n  %*s^\n", copy, column, "");
	free(copy);
}
