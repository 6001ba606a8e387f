/*
 * security.c - Events of a period, added up by pattern and by source
 *
 * Alerts are patterns that the daemon saw by itself. Beside them each source is
 * looked at over the whole period: what became of its attempts, at how many
 * ports it knocked, whether its SYNs offer what a kernel's do, and whether one
 * could guess its next initial sequence number.
 *
 * Sources lie in an open hash table that grows up to SOURCES_MAX. Who comes
 * later is only counted: in a flood with forged addresses nobody is anybody.
 */
#include "security.h"

#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_shorthash.h>

#include "member.h"

#define SOURCES_MAX (1u << 15)
#define SOURCES_MIN (1u << 6)

/* Two numbers of a random 32 bits are so near once in 2000 times; those of a
 * clock of 4 microseconds (RFC 9293, 3.4.1) are, within 4 seconds. */
#define NEAR	  (1 << 20)
#define STEPS_MIN 3

static void take_alert(struct security *s, const json_t *o, const char *event);
static void name_source(struct security_alerts *a, const char *source);
static void take_syn(struct security_source *src, const json_t *o,
		     bool options);
static void take_failed(struct security *s, const json_t *o);
static void take_refused(struct security *s, const json_t *o);
static void take_cookie(struct security *s, const char *what);
static struct security_source *source_of(struct security *s, const char *addr,
					 json_int_t port, const char *time);
static struct security_source *place_of(const struct security *s,
					const char *addr);
static bool grow(struct security *s);

struct security *security_new(void)
{
	struct security *s = calloc(1, sizeof(*s));

	if (!s || !grow(s)) {
		free(s);
		return NULL;
	}
	s->limits = json_object();
	return s;
}

void security_free(struct security *s)
{
	if (!s)
		return;
	json_decref(s->limits);
	free(s->source);
	free(s);
}

static struct security_source *peer_of(struct security *s, const json_t *o)
{
	return source_of(s, member_text(o, "peer_addr"),
			 member_number(o, "local_port"),
			 member_text(o, "time"));
}

/* Our own attempts are no business of others. */
void security_event(struct security *s, const json_t *o)
{
	const char *event = member_text(o, "event");
	struct security_source *src;

	if (strncmp(event, "alert.", 6) == 0) {
		take_alert(s, o, event + 6);
	} else if (strncmp(event, "cookie.", 7) == 0) {
		take_cookie(s, event + 7);
	} else if (strcmp(event, "limit.reached") == 0) {
		const char *why = member_text(o, "reason");

		json_object_set_new(
			s->limits, why,
			json_integer(member_number(s->limits, why) + 1));
	} else if (strcmp(event, "daemon.ready") == 0) {
		for (int k = 0; k < ALERT_NKINDS; k++)
			s->alert[k].open = 0;
	} else if (strcmp(event, "segment.refused") == 0) {
		take_refused(s, o);
	} else if (strcmp(member_text(o, "role"), "server") != 0) {
		return;
	} else if (strcmp(event, "syn.received") == 0) {
		src = peer_of(s, o);
		if (src)
			take_syn(src, o, true);
	} else if (strcmp(event, "handshake.completed") == 0) {
		src = peer_of(s, o);
		if (src)
			src->n[SECURITY_COMPLETED]++;
	} else if (strcmp(event, "handshake.failed") == 0) {
		take_failed(s, o);
	}
}

void security_turned_away(struct security *s, const json_t *o)
{
	struct security_source *src =
		source_of(s, member_text(json_object_get(o, "peer"), "ip"),
			  member_number(json_object_get(o, "local"), "port"),
			  member_text(o, "closed"));

	if (src)
		src->n[SECURITY_REJECTED]++;
}

const char *security_isn(const struct security_source *src)
{
	if (src->steps < STEPS_MIN)
		return NULL;
	return 2 * src->same > src->steps   ? "constant"
	       : 2 * src->near > src->steps ? "predictable"
					    : "random";
}

/* One that is changed or ended and was never raised began before. */
static void take_alert(struct security *s, const json_t *o, const char *event)
{
	const char *kind = member_text(o, "kind"),
		   *time = member_text(o, "time");
	struct security_alerts *a;
	const char *name;
	int k = 0;

	while (k < ALERT_NKINDS &&
	       strcmp(kind, alert_name((enum alert_kind)k)) != 0)
		k++;
	if (k == ALERT_NKINDS)
		return; /* of a newer daemon */
	a = &s->alert[k];
	if (strcmp(event, "raised") == 0 || !a->open) {
		a->n++;
		a->open++;
	}
	a->open -= strcmp(event, "ended") == 0;
	for (unsigned int i = 0;
	     (name = alert_number_name((enum alert_kind)k, i)); i++)
		if (member_number(o, name) > a->most[i])
			a->most[i] = member_number(o, name);
	name_source(a, member_text(o, "source"));
	if (!*a->first)
		snprintf(a->first, sizeof(a->first), "%s", time);
	snprintf(a->last, sizeof(a->last), "%s", time);
	snprintf(a->message, sizeof(a->message), "%s",
		 member_text(o, "message"));
}

static void name_source(struct security_alerts *a, const char *source)
{
	if (!*source || a->nfrom == SECURITY_FROM_MAX)
		return;
	for (unsigned int i = 0; i < a->nfrom; i++)
		if (strcmp(a->from[i], source) == 0)
			return;
	snprintf(a->from[a->nfrom++], sizeof(a->from[0]), "%s", source);
}

/* @options: What it offers is told. A SYN that came again is no new one. */
static void take_syn(struct security_source *src, const json_t *o, bool options)
{
	uint16_t from = (uint16_t)member_number(o, "peer_port");
	uint16_t to = (uint16_t)member_number(o, "local_port");
	uint32_t isn = (uint32_t)member_number(o, "seg_seq");
	int32_t step = (int32_t)(isn - src->isn);

	if (src->from == from && src->to == to && step == 0)
		return;
	if (src->from) {
		src->steps++;
		src->same += step == 0;
		src->near += step > -NEAR && step < NEAR;
	}
	src->from = from;
	src->to = to;
	src->isn = isn;
	if (!options)
		return;
	src->bare += !*member_text(o, "options");
	snprintf(src->options, sizeof(src->options), "%s",
		 member_text(o, "options"));
}

static void take_failed(struct security *s, const json_t *o)
{
	static const struct {
		const char *outcome;
		enum security_class class;
	} classes[] = {
		{"timeout_ack", SECURITY_UNANSWERED},
		{"reset_by_client", SECURITY_RESET},
		{"rejected", SECURITY_REJECTED},
	};
	struct security_source *src = peer_of(s, o);
	enum security_class class = SECURITY_OTHER;

	if (!src)
		return;
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (strcmp(member_text(o, "outcome"), classes[i].outcome) == 0)
			class = classes[i].class;
	src->n[class]++;
}

/* A RST answered it: a SYN to a port without a listener, or anything else that
 * belongs to no connection. */
static void take_refused(struct security *s, const json_t *o)
{
	struct security_source *src = peer_of(s, o);

	if (!src)
		return;
	if (strcmp(member_text(o, "seg_flags"), "S") == 0) {
		src->n[SECURITY_REFUSED]++;
		take_syn(src, o, false);
	} else {
		src->strays++;
	}
}

static void take_cookie(struct security *s, const char *what)
{
	s->cookies_sent += strcmp(what, "sent") == 0;
	s->cookies_accepted += strcmp(what, "accepted") == 0;
	s->cookies_rejected += strcmp(what, "rejected") == 0;
}

/* ---- sources -------------------------------------------------------------- */

/* NULL if there is no room for one more. */
static struct security_source *source_of(struct security *s, const char *addr,
					 json_int_t port, const char *time)
{
	struct security_source *src;
	unsigned int i = 0;

	if (!*addr)
		return NULL;
	src = place_of(s, addr);
	if (!*src->addr) {
		if (2 * s->nsources >= s->size && !grow(s)) {
			s->uncounted++;
			return NULL;
		}
		src = place_of(s, addr);
		snprintf(src->addr, sizeof(src->addr), "%s", addr);
		snprintf(src->first, sizeof(src->first), "%s", time);
		s->nsources++;
	}
	if (strcmp(time, src->last) > 0)
		snprintf(src->last, sizeof(src->last), "%s", time);
	while (i < src->nports && src->port[i] != (uint16_t)port)
		i++;
	if (i == src->nports && i < SECURITY_PORTS_MAX)
		src->port[src->nports++] = (uint16_t)port;
	return src;
}

/* Where it is, or where it would be. Names beyond the field's size are none of
 * ours and share a place. */
static struct security_source *place_of(const struct security *s,
					const char *addr)
{
	/* Known to all; but the table is small, whatever they aim at. */
	static const uint8_t key[crypto_shorthash_KEYBYTES];
	char name[sizeof(s->source->addr)];
	uint8_t digest[crypto_shorthash_BYTES];
	uint32_t at;

	snprintf(name, sizeof(name), "%s", addr);
	crypto_shorthash(digest, (const uint8_t *)name, strlen(name), key);
	memcpy(&at, digest, sizeof(at));
	for (at &= s->size - 1;
	     *s->source[at].addr && strcmp(s->source[at].addr, name) != 0;)
		at = (at + 1) & (s->size - 1);
	return &s->source[at];
}

static bool grow(struct security *s)
{
	struct security_source *old = s->source;
	uint32_t size = s->size;

	if (size >= SOURCES_MAX)
		return false;
	s->size = size ? 2 * size : SOURCES_MIN;
	s->source = calloc(s->size, sizeof(*s->source));
	if (!s->source) {
		s->source = old;
		s->size = size;
		return false;
	}
	for (uint32_t i = 0; i < size; i++)
		if (*old[i].addr)
			*place_of(s, old[i].addr) = old[i];
	free(old);
	return true;
}
