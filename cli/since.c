/*
 * since.c - A moment in the past, as people type it
 */
#include "since.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

#define SECOND_US INT64_C(1000000)

static bool of_today(const char *text, int64_t *wall_us);

bool since_parse(const char *text, int64_t *wall_us)
{
	int64_t us;

	if (text_parse_duration(text, &us)) {
		*wall_us = since_now_us() - us;
		return true;
	}
	if (since_utc(text, wall_us) || of_today(text, wall_us))
		return true;
	complain("'%s' is no time; 10m, 14:30 or 2026-01-31T12:00:00Z is",
		 text);
	return false;
}

/* By the clock on the wall here. */
static bool of_today(const char *text, int64_t *wall_us)
{
	time_t now = time(NULL);
	const char *rest;
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_sec = 0;
	rest = strptime(text, "%H:%M", &tm);
	if (rest && *rest == ':')
		rest = strptime(text, "%H:%M:%S", &tm);
	if (!rest || *rest)
		return false;
	tm.tm_isdst = -1;
	*wall_us = (int64_t)mktime(&tm) * SECOND_US;
	return true;
}

bool since_utc(const char *text, int64_t *wall_us)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t us = 0, digit = SECOND_US / 10;

	if (rest && *rest == '.') {
		for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
			us += digit * (*rest - '0');
			digit /= 10;
		}
	}
	if (!rest || strcmp(rest, "Z") != 0)
		return false;
	*wall_us = (int64_t)timegm(&tm) * SECOND_US + us;
	return true;
}

const char *since_text(int64_t wall_us, char text[SINCE_TEXT_MAX])
{
	time_t s = (time_t)(wall_us / SECOND_US);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(text, SINCE_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, SINCE_TEXT_MAX - n, ".%06dZ",
		 (int)(wall_us % SECOND_US));
	return text;
}

int64_t since_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}
