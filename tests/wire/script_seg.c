/*
 * script_seg.c - The words of one packet
 */
#include "script.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/event.h>

#include "core/assert.h"

static const char letters[] = "FSRPAUEC"; /* in the order of the bits */

static void seg_number(struct words *w, struct script_seg *s);
static bool seg_option(struct words *w, struct script_seg *s, const char *word);
static bool seg_header(struct words *w, struct script_seg *s, const char *word,
		       unsigned int *conn);
static bool seg_ip(struct words *w, struct script_seg *s, const char *word);
static struct seg_opt *opt_add(struct words *w, struct script_seg *s,
			       enum opt_kind kind);
static void opt_ts(struct words *w, struct script_seg *s);
static void opt_sack(struct words *w, struct script_seg *s);
static void seg_pieces(struct words *w, struct script_seg *s);
static enum who seg_who(struct words *w);
static uint8_t words_hex(struct words *w, uint8_t *raw);
static bool number_parse(const char *text, const char *end, struct number *n);

int script_flags(const char *word)
{
	int flags = 0;
	const char *at;

	if (strcmp(word, "-") == 0)
		return 0;
	for (; *word; word++) {
		at = strchr(letters, *word);
		if (!at)
			return -1;
		flags |= 1 << (at - letters);
	}
	return flags;
}

const char *script_flag_letters(uint8_t flags, char buf[9])
{
	static const char order[] = "SFRPAUEC";
	char *p = buf;

	for (const char *c = order; *c; c++)
		if (flags & 1 << (strchr(letters, *c) - letters))
			*p++ = *c;
	if (p == buf)
		*p++ = '-';
	*p = '\0';
	return buf;
}

void script_seg_parse(struct words *w, struct script_seg *s, unsigned int *conn)
{
	const char *word = words_next(w, "flags, icmp or proto");
	int flags;

	memset(s, 0, sizeof(*s));
	s->dport = s->ttl = s->tos = s->doff = s->iplen = s->ext = -1;
	if (!word)
		return;
	if (strcmp(word, "icmp") == 0) {
		s->icmp = words_next(w, "what the message says");
	} else if (strcmp(word, "proto") == 0) {
		s->proto = (uint8_t)words_int(w, 255);
	} else {
		flags = script_flags(word);
		if (flags < 0) {
			words_fail(w, "'%s' are no flags", word);
			return;
		}
		s->flags = (uint8_t)flags;
		seg_number(w, s);
	}
	while (!w->failed && w->at < w->n) {
		if (w->quoted[w->at]) {
			s->text = w->word[w->at++];
			continue;
		}
		word = w->word[w->at++];
		if (!seg_option(w, s, word) && !seg_header(w, s, word, conn) &&
		    !seg_ip(w, s, word))
			words_fail(w, "what is '%s'?", word);
	}
}

/* SEQ, or SEQ:END. */
static void seg_number(struct words *w, struct script_seg *s)
{
	const char *word, *colon;

	if (w->at == w->n || w->quoted[w->at])
		return;
	word = w->word[w->at];
	colon = strchr(word, ':');
	if (!number_parse(word, colon ? colon : word + strlen(word), &s->seq))
		return; /* a keyword */
	w->at++;
	if (colon && !number_parse(colon + 1, word + strlen(word), &s->end))
		words_fail(w, "'%s' has no end", word);
}

static bool seg_option(struct words *w, struct script_seg *s, const char *word)
{
	struct seg_opt *o;

	if (strcmp(word, "mss") == 0) {
		o = opt_add(w, s, SEG_MSS);
		if (!words_is(w, "*"))
			o->a = words_number(w);
	} else if (strcmp(word, "ws") == 0) {
		o = opt_add(w, s, SEG_WS);
		if (!words_is(w, "*"))
			o->a = words_number(w);
	} else if (strcmp(word, "sackok") == 0) {
		opt_add(w, s, SEG_SACKOK);
	} else if (strcmp(word, "ts") == 0) {
		opt_ts(w, s);
	} else if (strcmp(word, "ecr") == 0) {
		opt_add(w, s, SEG_TS)->b = words_number(w);
	} else if (strcmp(word, "nots") == 0) {
		s->no_ts = true;
	} else if (strcmp(word, "sack") == 0) {
		opt_sack(w, s);
	} else if (strcmp(word, "nop") == 0) {
		opt_add(w, s, SEG_NOP);
	} else if (strcmp(word, "eol") == 0) {
		opt_add(w, s, SEG_EOL);
	} else if (strcmp(word, "opt") == 0) {
		o = opt_add(w, s, SEG_RAW);
		o->nraw = words_hex(w, o->raw);
	} else {
		return false;
	}
	return true;
}

static bool seg_header(struct words *w, struct script_seg *s, const char *word,
		       unsigned int *conn)
{
	if (strcmp(word, "ack") == 0)
		s->ack = words_number(w);
	else if (strcmp(word, "win") == 0)
		s->win = words_number(w);
	else if (strcmp(word, "up") == 0)
		s->up = words_number(w);
	else if (strcmp(word, "conn") == 0)
		*conn = (unsigned int)words_int(w, SCRIPT_CONNS - 1);
	else if (strcmp(word, "dport") == 0)
		s->dport = words_int(w, 65535);
	else if (strcmp(word, "badsum") == 0)
		s->bad_sum = true;
	else if (strcmp(word, "doff") == 0)
		s->doff = words_int(w, 15);
	else if (strcmp(word, "quote") == 0)
		s->quote = words_number(w);
	else if (strcmp(word, "mtu") == 0)
		s->mtu = words_number(w);
	else if (strcmp(word, "len") == 0)
		s->icmp_len = words_number(w);
	else
		return false;
	return true;
}

static bool seg_ip(struct words *w, struct script_seg *s, const char *word)
{
	if (strcmp(word, "from") == 0) {
		s->from = seg_who(w);
	} else if (strcmp(word, "to") == 0) {
		s->to = seg_who(w);
	} else if (strcmp(word, "ttl") == 0) {
		s->ttl = words_int(w, 255);
	} else if (strcmp(word, "tos") == 0) {
		s->tos = words_int(w, 255);
	} else if (strcmp(word, "badipsum") == 0) {
		s->bad_ip_sum = true;
	} else if (strcmp(word, "iplen") == 0) {
		s->iplen = words_int(w, 65535);
	} else if (strcmp(word, "ipopts") == 0) {
		s->n_ip_raw = words_hex(w, s->ip_raw);
	} else if (strcmp(word, "ext") == 0) {
		s->ext = words_int(w, 255);
		s->n_ip_raw = words_hex(w, s->ip_raw);
	} else if (strcmp(word, "pieces") == 0) {
		seg_pieces(w, s);
	} else {
		return false;
	}
	return true;
}

static struct seg_opt *opt_add(struct words *w, struct script_seg *s,
			       enum opt_kind kind)
{
	if (s->nopts == SCRIPT_OPTS) {
		words_fail(w, "too many options");
		s->nopts--;
	}
	s->opts[s->nopts].kind = kind;
	return &s->opts[s->nopts++];
}

static bool next_is_number(const struct words *w)
{
	return w->at < w->n && isdigit((unsigned char)w->word[w->at][0]);
}

static void opt_ts(struct words *w, struct script_seg *s)
{
	struct seg_opt *o = opt_add(w, s, SEG_TS);

	if (next_is_number(w))
		o->a = words_number(w);
	if (words_is(w, "ecr"))
		o->b = words_number(w);
}

static void opt_sack(struct words *w, struct script_seg *s)
{
	struct seg_opt *o;
	const char *word, *colon;

	while (w->at < w->n) {
		word = w->word[w->at];
		colon = strchr(word, ':');
		if (!colon)
			return;
		w->at++;
		o = opt_add(w, s, SEG_SACK);
		if (!number_parse(word, colon, &o->a) ||
		    !number_parse(colon + 1, word + strlen(word), &o->b))
			words_fail(w, "'%s' is no block", word);
	}
}

static void seg_pieces(struct words *w, struct script_seg *s)
{
	char *end;

	while (next_is_number(w) && s->npieces < SCRIPT_PIECES) {
		const char *word = w->word[w->at++];

		s->pieces[s->npieces].from = (int)strtol(word, &end, 10);
		s->pieces[s->npieces].to = -1;
		if (*end == ':' && end[1])
			s->pieces[s->npieces].to =
				(int)strtol(end + 1, &end, 10);
		else if (*end == ':')
			end++;
		if (*end)
			words_fail(w, "'%s' is no piece", word);
		s->npieces++;
	}
}

static enum who seg_who(struct words *w)
{
	static const char *const names[] = {
		[WHO_PEER] = "peer",	       [WHO_OWN] = "own",
		[WHO_OTHER] = "other",	       [WHO_NONE] = "none",
		[WHO_LOOPBACK] = "loopback",   [WHO_BROADCAST] = "broadcast",
		[WHO_MULTICAST] = "multicast", [WHO_SUBNET] = "subnet",
	};
	const char *word = words_next(w, "an address");

	for (size_t i = WHO_PEER; word && i < ARRAY_LEN(names); i++)
		if (strcmp(word, names[i]) == 0)
			return (enum who)i;
	if (word)
		words_fail(w, "who is '%s'?", word);
	return WHO_DEFAULT;
}

/* ---- words ------------------------------------------------------------ */

void words_fail(struct words *w, const char *fmt, ...)
{
	va_list ap;

	if (w->failed)
		return;
	w->failed = true;
	fprintf(stderr, "%s:%d: ", w->path, w->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

const char *words_next(struct words *w, const char *what)
{
	if (w->at < w->n)
		return w->word[w->at++];
	words_fail(w, "%s is missing", what);
	return NULL;
}

bool words_is(struct words *w, const char *word)
{
	if (w->at == w->n || strcmp(w->word[w->at], word) != 0)
		return false;
	w->at++;
	return true;
}

struct number words_number(struct words *w)
{
	struct number n = {.given = false};
	const char *word = words_next(w, "a number");

	if (word && !number_parse(word, word + strlen(word), &n))
		words_fail(w, "'%s' is no number", word);
	return n;
}

int words_int(struct words *w, int max)
{
	const char *word = words_next(w, "a number");
	char *end;
	long n;

	if (!word)
		return 0;
	n = strtol(word, &end, 0);
	if (*end || end == word || n < 0 || n > max) {
		words_fail(w, "'%s' is no number from 0 to %d", word, max);
		return 0;
	}
	return (int)n;
}

static uint8_t words_hex(struct words *w, uint8_t *raw)
{
	const char *word = words_next(w, "hexadecimal bytes");
	unsigned int byte;
	uint8_t n = 0;

	for (; word && *word; word += 2) {
		if (n == SCRIPT_RAW || sscanf(word, "%2x", &byte) != 1 ||
		    !word[1]) {
			words_fail(w, "'%s' are no bytes", word);
			break;
		}
		raw[n++] = (uint8_t)byte;
	}
	return n;
}

/* A sum of numbers, nxt and wnd that ends at @end. */
static bool number_parse(const char *text, const char *end, struct number *n)
{
	int sign = 1;
	char *stop;

	*n = (struct number){.given = true};
	if (text == end)
		return false;
	while (text < end) {
		if (strncmp(text, "nxt", 3) == 0) {
			n->nxt += (int8_t)sign;
			text += 3;
		} else if (strncmp(text, "wnd", 3) == 0) {
			n->wnd += (int8_t)sign;
			text += 3;
		} else if (isdigit((unsigned char)*text)) {
			n->plus += sign * strtoll(text, &stop, 0);
			text = stop;
		} else {
			return false;
		}
		if (text == end)
			return true;
		if (*text != '+' && *text != '-')
			return false;
		sign = *text++ == '+' ? 1 : -1;
	}
	return false;
}
