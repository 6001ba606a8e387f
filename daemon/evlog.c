/*
 * evlog.c - Events as lines for people
 *
 * A sink of the bus. Around the sentence of an event come, on a terminal, the
 * time, the connection and both ends, and in the journal the event's numbers as
 * fields.
 *
 * Each type has a budget a second (evrate.h); one line at its end says how many
 * were left out. What the daemon says of itself is rare and always written.
 */
#include "evlog.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tcphs/plural.h>

#include "evfields.h"
#include "evid.h"
#include "evline.h"
#include "evwords.h"
#include "log.h"
#include "privacy.h"

#define LINES_A_SECOND 200 /* of each event type */

#define WORDS_MAX 600 /* a sentence; those of the bus are shorter */
#define KEY_MAX	  64  /* of a fact's name */

/* Fields of one journal record, stored one behind the other. */
struct fields {
	struct iovec iov[LOG_FIELDS_MAX];
	int n;
	size_t used;
	char text[EVLINE_MAX];
};

static void take(struct evbus_sink *s, const struct evbus_record *r);
static int64_t turn(struct evbus_sink *s, int64_t now_us);
static void say_left_out(void *arg, enum event_type type, uint32_t n);
static void log_event(const struct evbus_record *r, const struct stack *st);
static void fields_of(struct fields *f, const struct evbus_record *r,
		      const struct stack *st);
static void put_field(void *arg, const char *key, const char *text,
		      int64_t number);
static void put(struct fields *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void evlog_start(struct evlog *l, struct evbus *b, int level, bool handshakes)
{
	memset(l, 0, sizeof(*l));
	l->bus = b;
	l->rate.max = LINES_A_SECOND;
	l->sink.mask = evlog_mask(level, handshakes);
	l->sink.take = take;
	l->sink.turn = turn;
	evbus_add(b, &l->sink);
}

void evlog_level(struct evlog *l, int level, bool handshakes)
{
	evbus_want(l->bus, &l->sink, evlog_mask(level, handshakes));
}

bool evlog_module(struct evlog *l, const char *module, int level)
{
	size_t len = strlen(module);
	uint64_t mask = l->sink.mask;
	bool any = false;

	for (int t = 0; t < EVENT_NTYPES; t++) {
		const char *name = event_name((enum event_type)t);

		if (strncmp(name, module, len) != 0 ||
		    (name[len] != '.' && name[len]))
			continue;
		any = true;
		mask &= ~EVBUS_BIT(t);
		if (event_level((enum event_type)t) <= level)
			mask |= EVBUS_BIT(t);
	}
	if (any)
		evbus_want(l->bus, &l->sink, mask);
	return any;
}

uint64_t evlog_mask(int level, bool handshakes)
{
	static const uint64_t ordinary =
		EVBUS_BIT(EVENT_SYN_SENT) | EVBUS_BIT(EVENT_SYN_RECEIVED) |
		EVBUS_BIT(EVENT_SYNACK_RECEIVED) |
		EVBUS_BIT(EVENT_HANDSHAKE_COMPLETED) |
		EVBUS_BIT(EVENT_FIN_RECEIVED) | EVBUS_BIT(EVENT_FIN_SENT) |
		EVBUS_BIT(EVENT_CONN_CLOSED);
	uint64_t mask = evbus_level_mask(level);

	return handshakes ? mask : mask & ~ordinary;
}

static void take(struct evbus_sink *s, const struct evbus_record *r)
{
	struct evlog *l = (struct evlog *)s;

	if (evrate_take(&l->rate, r->e->type))
		log_event(r, l->bus->st);
}

static int64_t turn(struct evbus_sink *s, int64_t now_us)
{
	struct evlog *l = (struct evlog *)s;

	return evrate_turn(&l->rate, now_us, say_left_out, NULL);
}

static void say_left_out(void *arg, enum event_type type, uint32_t n)
{
	(void)arg;
	log_at(event_level(type), "%u more line%s of %s suppressed", n,
	       plural(n), event_name(type));
}

static void log_event(const struct evbus_record *r, const struct stack *st)
{
	struct fields f = {.n = 0, .used = 0};
	char line[EVLINE_MAX];

	/* Where there is no journal after all, the line is next best. */
	if (log_format() == LOG_JSON)
		evline_json(r, st, line);
	else if (log_format() == LOG_LOGFMT)
		evline_logfmt(r, st, line);
	else
		evline_classic(r, st, line);
	if (log_is_journal())
		fields_of(&f, r, st);
	log_record(event_level((enum event_type)r->e->type), line, r->wall_us,
		   f.iov, f.n);
}

static void fields_of(struct fields *f, const struct evbus_record *r,
		      const struct stack *st)
{
	enum event_type type = (enum event_type)r->e->type;
	char words[WORDS_MAX];
	struct evbus_record told;
	struct event hidden;

	r = privacy_record(r, &told, &hidden);
	if (evwords(r->e, r->note, stack_conf(st), words, sizeof(words)) <= 0)
		*words = '\0';
	put(f, "MESSAGE=%s", words);
	put(f, "MESSAGE_ID=%s", evid(type));
	put(f, "PRIORITY=%d", event_level(type));
	put(f, "SYSLOG_IDENTIFIER=tcphsd");
	put(f, "TCPHS_EVENT=%s", event_name(type));
	put(f, "TCPHS_SEQNO=%llu", (unsigned long long)r->seq);
	evfields(r, st, put_field, f);
}

/* seg_ack becomes TCPHS_ACK, hs_us becomes TCPHS_HS_US. */
static void put_field(void *arg, const char *key, const char *text,
		      int64_t number)
{
	char name[KEY_MAX];
	size_t i;

	if (strncmp(key, "seg_", 4) == 0)
		key += 4;
	for (i = 0; i < sizeof(name) - 1 && key[i]; i++)
		name[i] = (char)(key[i] >= 'a' && key[i] <= 'z'
					 ? key[i] - 'a' + 'A'
					 : key[i]);
	name[i] = '\0';
	if (text)
		put(arg, "TCPHS_%s=%s", name, text);
	else
		put(arg, "TCPHS_%s=%lld", name, (long long)number);
}

/* What has no room is left out. */
static void put(struct fields *f, const char *fmt, ...)
{
	size_t room = sizeof(f->text) - f->used;
	char *at = f->text + f->used;
	va_list ap;
	int len;

	if (f->n == LOG_FIELDS_MAX)
		return;
	va_start(ap, fmt);
	len = vsnprintf(at, room, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= room)
		return;
	f->iov[f->n++] = (struct iovec){at, (size_t)len};
	f->used += (size_t)len;
}
