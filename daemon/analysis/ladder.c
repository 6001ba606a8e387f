/*
 * ladder.c - Packets to rows
 *
 * A row is a packet in the words of people: its kind and its numbers, relative
 * to the first of its side unless asked otherwise, what is special about it,
 * and the states that are new with it. All formats draw the same rows.
 */
#include <tcphs/ladder.h>
#include <tcphs/plural.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/stack.h>

#include "ladder_priv.h"

#define SECOND_US 1000000
#define DAY_US	  (INT64_C(86400) * SECOND_US)

/* The number that a side counts from; it is relative to it. */
struct base {
	bool known;
	uint32_t seq;
};

static void find_bases(const struct ladder_view *v, struct base base[2]);
static void fill_row(struct ladder_view *v, size_t i, const struct base *base,
		     struct ladder_peer *peer, struct ladder_peer *us);
static void label(struct ladder_row *r, const struct base *base);
static void label_tcp(struct ladder_row *r, const struct base *base);
static void label_icmp(struct ladder_row *r);
static void note(struct ladder_view *v, size_t i);
static void add(char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void set_times(struct ladder_view *v, size_t i);
static void set_state(char *to, const char *state, const char *old);

bool ladder_look(struct ladder_view *v, const struct ladder *l,
		 const struct ladder_style *style)
{
	struct base base[2] = {{false, 0}, {false, 0}};
	struct ladder_peer peer, us;
	const char *own =
		l->npackets && !l->watched ? l->packets[0].before : "";

	*v = (struct ladder_view){
		.l = l,
		.style = style,
		.left = l->client ? l->local : l->peer,
		.right = l->client ? l->peer : l->local,
		.left_name = l->watched	 ? "client"
			     : l->client ? "tcphsd"
					 : "client (inferred)",
		.right_name = l->watched  ? "server"
			      : l->client ? "server (inferred)"
					  : "tcphsd",
	};
	while (v->n < l->npackets &&
	       (!style->at || l->packets[v->n].number <= style->at))
		v->n++;
	v->rows = calloc(v->n ? v->n : 1, sizeof(*v->rows));
	if (!v->rows)
		return false;
	for (size_t i = 0; i < v->n; i++) {
		v->rows[i].p = &l->packets[i];
		segment_decode(l->packets[i].data, l->packets[i].snapped,
			       &v->rows[i].seg);
	}
	find_bases(v, base);
	if (style->absolute)
		base[0] = base[1] = (struct base){true, 0};
	ladder_peer_init(&peer, !l->client);
	ladder_peer_init(&us, false);
	if (!v->n || v->rows[0].p->number != 1 ||
	    (l->watched && !(v->rows[0].seg.flags & TH_SYN)))
		peer.state = "";
	/* An active open leaves CLOSED with its SYN. */
	set_state(l->client ? v->left_state : v->right_state,
		  l->client && v->n && v->rows[0].p->number == 1 ? "CLOSED"
								 : own,
		  "");
	set_state(l->client ? v->right_state : v->left_state, peer.state, "");
	for (size_t i = 0; i < v->n; i++)
		fill_row(v, i, base, &peer, l->watched ? &us : NULL);
	if (!style->at)
		v->missing = l->seen - (v->n ? v->rows[v->n - 1].p->number : 0);
	return true;
}

void ladder_unlook(struct ladder_view *v)
{
	free(v->rows);
}

void ladder_span(int64_t us, char text[TIME_MAX])
{
	if (us < 1000)
		snprintf(text, TIME_MAX, "%d us", (int)us);
	else if (us < 999500) /* or it would be rounded to 1000 */
		snprintf(text, TIME_MAX, "%.*f ms",
			 us < 9995    ? 2
			 : us < 99950 ? 1
				      : 0,
			 (double)us / 1000);
	else
		snprintf(text, TIME_MAX, "%.*f s",
			 us < 9995000	 ? 2
			 : us < 99950000 ? 1
					 : 0,
			 (double)us / SECOND_US);
}

void ladder_verdict(const struct ladder_end *e, char *text, size_t len)
{
	bool completed = strncmp(e->outcome, "completed", 9) == 0;
	char span[TIME_MAX];
	size_t at;

	if (completed && e->handshake_us >= 0) {
		ladder_span(e->handshake_us, span);
		snprintf(text, len, "%s in %s", e->outcome, span);
	} else if (completed) {
		snprintf(text, len, "%s", e->outcome);
	} else {
		snprintf(text, len, "%s: %s", e->outcome,
			 e->drop ? e->drop : e->words);
	}
	at = strlen(text);
	if (completed && e->closed)
		snprintf(text + at, len - at, "; %s", e->closed);
	at = strlen(text);
	ladder_span(e->life_us, span);
	if (e->life_us > 0)
		snprintf(text + at, len - at, " after %s", span);
	at = strlen(text);
	if (e->bytes_in >= 0 && e->bytes_out >= 0)
		snprintf(text + at, len - at,
			 "; %" PRId64 " byte%s in, %" PRId64 " out",
			 e->bytes_in, plural(e->bytes_in), e->bytes_out);
	at = strlen(text);
	if (e->retrans > 0)
		snprintf(text + at, len - at, "; %" PRId64 " sent again",
			 e->retrans);
}

/* By the SYN of a side; if that was not kept, by its first segment. */
static void find_bases(const struct ladder_view *v, struct base base[2])
{
	for (int syn = 1; syn >= 0; syn--)
		for (size_t i = 0; i < v->n; i++) {
			const struct ladder_row *r = &v->rows[i];
			struct base *b = &base[r->p->out];

			if (r->seg.kind != SEGMENT_TCP || b->known ||
			    (syn && !(r->seg.flags & TH_SYN)))
				continue;
			*b = (struct base){true, r->seg.seq};
		}
}

/* @us: Our own side, if its states have to be inferred, too */
static void fill_row(struct ladder_view *v, size_t i, const struct base *base,
		     struct ladder_peer *peer, struct ladder_peer *us)
{
	struct ladder_row *r = &v->rows[i];
	const struct ladder_packet *p = r->p;
	const struct ladder_packet *last = i ? v->rows[i - 1].p : NULL;
	bool client = v->l->client;
	char *own = client ? r->left_state : r->right_state;
	char *other = client ? r->right_state : r->left_state;
	const char *was = peer->state;

	r->right = p->out == client;
	r->missing = p->number - (last ? last->number : 0) - 1;
	label(r, base);
	note(v, i);
	set_times(v, i);
	if (p->drop)
		snprintf(r->drop, sizeof(r->drop), "%s%s%s%s", p->drop,
			 p->clause && *p->clause ? " [" : "",
			 p->clause ? p->clause : "",
			 p->clause && *p->clause ? "]" : "");
	/* What we did not take says nothing of who seems to have sent it. */
	if (!p->drop)
		ladder_peer_see(peer, &r->seg, p->out);
	set_state(other, peer->state, was);
	if (us) {
		was = us->state;
		if (!p->drop)
			ladder_peer_see(us, &r->seg, !p->out);
		set_state(own, us->state, was);
		return;
	}
	set_state(own, p->after,
		  last	   ? last->after
		  : client ? v->left_state
			   : v->right_state);
}

static void label(struct ladder_row *r, const struct base *base)
{
	switch (r->seg.kind) {
	case SEGMENT_TCP:
		label_tcp(r, base);
		break;
	case SEGMENT_ICMP:
		label_icmp(r);
		break;
	default:
		add(r->label, "%s, %" PRIu32 " bytes",
		    r->seg.fragment ? "fragment" : "packet", r->p->len);
	}
}

/* "SYN-ACK"; data and pure ACKs are named by their flags, too. */
static void flag_names(uint8_t flags, char *text)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} names[] = {
		{TH_SYN, "SYN"}, {TH_FIN, "FIN"}, {TH_RST, "RST"},
		{TH_PSH, "PSH"}, {TH_URG, "URG"}, {TH_ACK, "ACK"},
		{TH_ECE, "ECE"}, {TH_CWR, "CWR"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flags & names[i].flag)
			add(text, "%s%s", *text ? "-" : "", names[i].name);
	if (!*text)
		add(text, "no flags");
}

static void label_tcp(struct ladder_row *r, const struct base *base)
{
	const struct segment *s = &r->seg;
	const struct base *own = &base[r->p->out], *its = &base[!r->p->out];
	uint32_t off = its->known ? its->seq : 0;
	char *t = r->label;

	flag_names(s->flags, t);
	add(t, " seq=%" PRIu32, s->seq - own->seq);
	if (s->flags & TH_ACK)
		add(t, " ack=%" PRIu32, s->ack - off);
	if (s->text_len)
		add(t, " len=%" PRIu32, s->text_len);
	if (r->p->gso_size && s->text_len > r->p->gso_size)
		add(t, " (%u segments)",
		    (unsigned int)((s->text_len + r->p->gso_size - 1) /
				   r->p->gso_size));
	if (!(s->flags & TH_RST))
		add(t, " win=%u", s->wnd);
	if (s->flags & TH_URG)
		add(t, " urg=%u", s->up);
	if (s->options & SEGMENT_MSS)
		add(t, " mss=%u", s->mss);
	if (s->options & SEGMENT_SACK_OK)
		add(t, " sackok");
	if (s->flags & TH_SYN && s->options & SEGMENT_TS)
		add(t, " ts");
	if (s->options & SEGMENT_WSCALE)
		add(t, " ws%u", s->wscale);
	for (int i = 0; i < s->nsack; i++)
		add(t, "%s%" PRIu32 "-%" PRIu32,
		    i ? "," : " sack=", s->sack[i].start - off,
		    s->sack[i].end - off);
	if (s->options & SEGMENT_BAD)
		add(t, " bad options");
}

static void label_icmp(struct ladder_row *r)
{
	static const struct {
		uint8_t type4, type6;
		const char *name;
	} names[] = {
		{3, 1, "unreachable"},	   {255, 2, "packet too big"},
		{11, 3, "time exceeded"},  {12, 4, "parameter problem"},
		{8, 128, "echo request"},  {0, 129, "echo reply"},
		{4, 255, "source quench"}, {5, 137, "redirect"},
	};
	const struct segment *s = &r->seg;

	add(r->label, "ICMP");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (s->icmp_type == (s->v6 ? names[i].type6 : names[i].type4))
			add(r->label, " %s", names[i].name);
	add(r->label, " (type %u code %u)", s->icmp_type, s->icmp_code);
}

static uint32_t span_of(const struct segment *s)
{
	return s->text_len + !!(s->flags & TH_SYN) + !!(s->flags & TH_FIN);
}

/* Which of several packets with the same numbers it is; by what both sides
 * really sent, so the other side's repetitions are seen as ours are. */
static void note_again(struct ladder_view *v, size_t i)
{
	struct ladder_row *r = &v->rows[i];
	const struct ladder_row *before = NULL;
	uint32_t len = span_of(&r->seg), n = 0;
	char span[TIME_MAX];

	for (size_t k = 0; k < i; k++) {
		const struct ladder_row *o = &v->rows[k];

		if (o->seg.kind != SEGMENT_TCP || o->p->out != r->p->out ||
		    o->seg.flags & TH_RST)
			continue;
		if ((int32_t)(o->seg.seq - (r->seg.seq + len)) >= 0 ||
		    (int32_t)(o->seg.seq + span_of(&o->seg) - r->seg.seq) <= 0)
			continue;
		before = o;
		n++;
	}
	if (before) {
		ladder_span(r->p->at_us - before->p->at_us, span);
		add(r->note, "retransmission %" PRIu32 ", +%s", n, span);
	} else if (r->p->flags & PACKET_RETRANSMIT) {
		add(r->note, "retransmission");
	}
}

static void note(struct ladder_view *v, size_t i)
{
	static const struct {
		unsigned int flag;
		const char *words;
	} names[] = {
		{PACKET_PROBE, "probe"},
		{PACKET_KEEPALIVE, "keep-alive probe"},
		{PACKET_CHALLENGE, "challenge ACK"},
		{PACKET_COOKIE, "SYN cookie"},
	};
	struct ladder_row *r = &v->rows[i];

	if (r->seg.kind == SEGMENT_TCP && span_of(&r->seg) > 0 &&
	    !(r->seg.flags & TH_RST))
		note_again(v, i);
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
		if (r->p->flags & names[k].flag)
			add(r->note, "%s%s", *r->note ? ", " : "",
			    names[k].words);
}

/* To the end of a text of ROW_TEXT_MAX bytes. */
static void add(char *text, const char *fmt, ...)
{
	size_t at = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + at, ROW_TEXT_MAX - at, fmt, ap);
	va_end(ap);
}

static void set_times(struct ladder_view *v, size_t i)
{
	struct ladder_row *r = &v->rows[i];
	int64_t us = r->p->at_us - v->rows[0].p->at_us;
	char span[TIME_MAX];
	int s;

	if (v->style->times == LADDER_CLOCK) {
		us = (r->p->at_us + v->style->clock_us) % DAY_US;
		us = us < 0 ? us + DAY_US : us;
		s = (int)(us / SECOND_US);
		snprintf(r->time, sizeof(r->time), "%02d:%02d:%02d.%06d",
			 s / 3600, s / 60 % 60, s % 60, (int)(us % SECOND_US));
	} else {
		snprintf(r->time, sizeof(r->time), "+%d.%06d",
			 (int)(us / SECOND_US), (int)(us % SECOND_US));
	}
	if (i == 0)
		return;
	ladder_span(r->p->at_us - v->rows[i - 1].p->at_us, span);
	snprintf(r->delta, sizeof(r->delta), "+%.20s", span);
}

/* Shown only when it changes. */
static void set_state(char *to, const char *state, const char *old)
{
	if (strcmp(state, old) != 0)
		snprintf(to, STATE_MAX, "%s", state);
}
