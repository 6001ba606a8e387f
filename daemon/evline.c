/*
 * evline.c - An event as one line
 *
 * For people, for tools of lines (logfmt) and for programs (JSON). Written out
 * directly: a line of JSON costs about a microsecond.
 */
#include "evline.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <tcphs/ipaddr.h>
#include <tcphs/jsontext.h>

#include "core/assert.h"
#include "evfields.h"
#include "evwords.h"
#include "log.h"
#include "privacy.h"

#define SECOND_US   1000000
#define WORDS_MAX   600 /* a sentence; those of the bus are shorter */
#define CLOSING_MAX 3	/* what ends a line, with its final zero */

struct writer {
	char *at, *end;
};

static size_t room(const struct writer *w)
{
	return (size_t)(w->end - w->at);
}

static void put(struct writer *w, const char *s, size_t len)
{
	ASSERT(len <= room(w));
	memcpy(w->at, s, len);
	w->at += len;
}

/* All of it or nothing. */
static void putf(struct writer *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void putf(struct writer *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->at, room(w), fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < room(w))
		w->at += n;
}

static size_t finish(struct writer *w, const char *buf, const char *closing)
{
	w->end += CLOSING_MAX;
	put(w, closing, strlen(closing) + 1);
	return (size_t)(w->at - buf) - 1;
}

static void words_of(const struct evbus_record *r, const struct stack *st,
		     char words[WORDS_MAX])
{
	if (evwords(r->e, r->note, stack_conf(st), words, WORDS_MAX) <= 0)
		*words = '\0';
}

const char *evline_time(int64_t wall_us, char buf[EVLINE_TIME_MAX])
{
	/* Thousands of events have the same second. */
	static char second[EVLINE_TIME_MAX];
	static time_t of = -1;
	time_t s = (time_t)(wall_us / SECOND_US);
	int us = (int)(wall_us % SECOND_US);
	struct tm tm;
	size_t len;

	if (s != of) {
		gmtime_r(&s, &tm);
		strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S.", &tm);
		of = s;
	}
	len = strlen(second);
	memcpy(buf, second, len);
	for (size_t i = len + 6; i-- > len; us /= 10)
		buf[i] = (char)('0' + us % 10);
	memcpy(buf + len + 6, "Z", sizeof("Z"));
	return buf;
}

/* ---- JSON -------------------------------------------------------------- */

static void put_digits(struct writer *w, int64_t n)
{
	uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n;
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (n < 0)
		*w->at++ = '-';
	put(w, digits + i, sizeof(digits) - i);
}

static void json_field(void *arg, const char *key, const char *text,
		       int64_t number)
{
	struct writer *w = arg;
	size_t key_len = strlen(key), n;
	char *was = w->at;

	if (room(w) < key_len + 32)
		return;
	put(w, ",\"", 2);
	put(w, key, key_len);
	put(w, "\":", 2);
	if (!text) {
		put_digits(w, number);
		return;
	}
	n = jsontext(w->at, room(w), text);
	w->at = n ? w->at + n : was;
}

size_t evline_json(const struct evbus_record *r, const struct stack *st,
		   char *buf)
{
	struct evbus_record told;
	struct event hidden;
	struct writer w = {buf, buf + EVLINE_MAX - CLOSING_MAX};
	enum event_type type = (enum event_type)r->e->type;
	char time[EVLINE_TIME_MAX], words[WORDS_MAX];

	r = privacy_record(r, &told, &hidden);
	put(&w, "{\"seq\":", 7);
	put_digits(&w, (int64_t)r->seq);
	json_field(&w, "time", evline_time(r->wall_us, time), 0);
	json_field(&w, "mono_us", NULL, r->e->at_us);
	json_field(&w, "event", event_name(type), 0);
	json_field(&w, "level", log_level_name(event_level(type)), 0);
	words_of(r, st, words);
	if (*words)
		json_field(&w, "message", words, 0);
	evfields(r, st, json_field, &w);
	return finish(&w, buf, "}");
}

/* ---- logfmt ------------------------------------------------------------ */

static bool is_word(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s >= 0x7f || strchr("\"=\\", *s))
			return false;
	}
	return true;
}

/* Quoted as JSON is where it is more than a word. */
static void logfmt_field(void *arg, const char *key, const char *text,
			 int64_t number)
{
	struct writer *w = arg;
	char *was = w->at;
	size_t n;

	if (!text) {
		putf(w, " %s=%lld", key, (long long)number);
		return;
	}
	if (*text && is_word(text)) {
		putf(w, " %s=%s", key, text);
		return;
	}
	putf(w, " %s=", key);
	n = jsontext(w->at, room(w), text);
	w->at = n ? w->at + n : was;
}

size_t evline_logfmt(const struct evbus_record *r, const struct stack *st,
		     char *buf)
{
	struct evbus_record told;
	struct event hidden;
	struct writer w = {buf, buf + EVLINE_MAX - CLOSING_MAX};
	enum event_type type = (enum event_type)r->e->type;
	char time[EVLINE_TIME_MAX], words[WORDS_MAX];

	r = privacy_record(r, &told, &hidden);
	putf(&w, "time=%s level=%s", evline_time(r->wall_us, time),
	     log_level_name(event_level(type)));
	logfmt_field(&w, "seq", NULL, (int64_t)r->seq);
	logfmt_field(&w, "event", event_name(type), 0);
	words_of(r, st, words);
	if (*words)
		logfmt_field(&w, "msg", words, 0);
	evfields(r, st, logfmt_field, &w);
	return finish(&w, buf, "");
}

/* ---- for people -------------------------------------------------------- */

/* What has no ports is not TCP. */
static const char *end_text(const struct ip_addr *a, uint16_t port,
			    char buf[IPPORT_TEXT_MAX])
{
	return port ? ipport_format(a, port, buf) : ipaddr_format(a, buf);
}

static const char *own_end(const struct event *e, const struct stack_conf *conf,
			   char buf[IPPORT_TEXT_MAX])
{
	const struct ip_addr *usual =
		ip_addr_is4(&e->local) ? &conf->own4 : &conf->own6;

	if (!e->local_port || memcmp(&e->local, usual, sizeof(*usual)) != 0)
		return end_text(&e->local, e->local_port, buf);
	snprintf(buf, IPPORT_TEXT_MAX, ":%u", e->local_port);
	return buf;
}

size_t evline_classic(const struct evbus_record *r, const struct stack *st,
		      char *buf)
{
	struct evbus_record told;
	struct event hidden;
	char own[IPPORT_TEXT_MAX], peer[IPPORT_TEXT_MAX], words[WORDS_MAX];
	struct writer w = {buf, buf + EVLINE_MAX - CLOSING_MAX};
	bool client = r->e->role == ROLE_CLIENT;
	const struct event *e;

	r = privacy_record(r, &told, &hidden);
	e = r->e;
	words_of(r, st, words);
	if (e->conn)
		putf(&w, "c%u ", e->conn);
	putf(&w, "%s", words);
	if (evwords_has_ends(e)) {
		own_end(e, stack_conf(st), own);
		end_text(&e->peer, e->peer_port, peer);
		putf(&w, "  %s -> %s", client ? own : peer,
		     client ? peer : own);
	}
	return finish(&w, buf, "");
}
