/*
 * script.c - A connection that was seen as a packet script, to be played again
 *
 * The language is that of tests/wire/script.h: the script is the peer, ">" goes
 * to the stack, "<" must come from it. Of the packets it takes what a script can
 * say: flags, numbers counted from each side's SYN, options, times. Text is the
 * script's own pattern; what the service did shows in what left: text that is
 * new was sent, a FIN was a close, a RST of an open connection an abort. Text
 * that ends with PSH was sent in one go (RFC 9293, 3.9.1.2 (MUST-61)).
 *
 * What arrived in one turn of the daemon has the same time, and is a batch, with
 * what the service did then: otherwise the stack would answer each by itself.
 * An answer that took a timer may come after half the time or twice of it, for
 * the round trip is another one when it is played; where somebody else was
 * watched, far from it perhaps, also at once.
 *
 * Where packets are not remembered the script ends.
 */
#include "diagram.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/segment.h>

#define MS_US	  1000
#define TS_LEN	  12
#define UNSEEN	  65536 /* bytes that a service had yet to send, or more */
#define CALLS_MAX 64	/* bytes of the lines of what a service did at once */
#define CLOSED_TO " dport 1" /* scripts listen on 7 alone */

/* A packet, and what is made of it. */
struct step {
	const struct ladder_packet *p;
	struct segment s;
	bool out;
};

enum side { PEER, OURS };

struct writer {
	FILE *out;
	const struct ladder *l;
	struct step *steps;
	size_t n;
	uint32_t first[2]; /* numbers of the SYNs; 0 without one */
	uint32_t most[2];  /* text in a segment to that side; 0 = unknown */
	bool syn[2], ts[2];
	uint32_t given; /* next number that the service has not sent yet */
	bool closed, nobody;
	int64_t last_us;
};

static bool prepare(struct writer *w);
static void put_head(struct writer *w);
static size_t put_arrived(struct writer *w, size_t i);
static void put_left(struct writer *w, size_t i);
static unsigned int call_lines(struct writer *w, size_t i,
			       char text[CALLS_MAX]);
static void put_segment(struct writer *w, const struct step *t, uint32_t from,
			uint32_t len, bool last);
static void put_options(struct writer *w, const struct step *t);
static void put_wait(struct writer *w, int64_t at_us, bool answer);

char *script_text(const struct ladder *l, const struct ladder_style *style)
{
	struct writer w = {.l = l, .last_us = -1, .given = 1};
	char *text = NULL;
	size_t len, i = 0;

	(void)style;
	w.steps = calloc(l->npackets ? l->npackets : 1, sizeof(*w.steps));
	w.out = open_memstream(&text, &len);
	if (w.steps && w.out && prepare(&w)) {
		put_head(&w);
		while (i < w.n) {
			if (w.steps[i].out)
				put_left(&w, i++);
			else
				i = put_arrived(&w, i);
		}
		if (w.n < l->npackets)
			fputs("# What came then is not remembered.\ndrain\n",
			      w.out);
		else
			fputs("nothing\n", w.out);
	} else if (w.out) {
		fprintf(w.out,
			"# The beginning of %s is not remembered: there is "
			"nothing to play.\n",
			l->id);
	}
	if (w.out && fclose(w.out) != 0) {
		free(text);
		text = NULL;
	}
	free(w.steps);
	return text;
}

/* ---- what there is ------------------------------------------------------ */

/* TCP up to the first gap; false if the first one is not a SYN. */
static bool prepare(struct writer *w)
{
	const struct ladder *l = w->l;

	for (size_t i = 0; i < l->npackets; i++) {
		const struct ladder_packet *p = &l->packets[i];
		struct step *t = &w->steps[w->n];
		enum side side = p->out ? OURS : PEER;

		if (p->number != i + 1)
			break;
		*t = (struct step){.p = p, .out = p->out};
		segment_decode(p->data, p->snapped, &t->s);
		w->n++;
		if (t->s.kind != SEGMENT_TCP)
			continue;
		if (t->s.flags & TH_SYN && !w->syn[side]) {
			w->syn[side] = true;
			w->first[side] = t->s.seq;
			w->ts[side] = t->s.options & SEGMENT_TS;
			w->most[side] = t->s.mss;
		}
		if (t->s.flags & TH_RST && t->out && !w->syn[OURS])
			w->nobody = true;
	}
	/* What of the MSS timestamps leave: RFC 9293, 3.7.1 (MUST-67) */
	for (int side = PEER; side <= OURS; side++)
		if (w->ts[PEER] && w->ts[OURS] && w->most[side] > TS_LEN)
			w->most[side] -= TS_LEN;
	return w->n && w->steps[0].s.kind == SEGMENT_TCP &&
	       w->steps[0].s.flags & TH_SYN;
}

static void put_head(struct writer *w)
{
	const struct ladder *l = w->l;
	const struct segment *ours = NULL, *theirs = NULL;

	fprintf(w->out, "# %s %s -> %s%s%s: %s\n", l->id,
		l->client ? l->local : l->peer, l->client ? l->peer : l->local,
		l->listener ? " " : "", l->listener ? l->listener : "",
		l->verdict);
	fprintf(w->out, "test %s\nonly %s\n", l->id,
		w->steps[0].s.v6 ? "ipv6" : "ipv4");
	for (size_t i = 0; i < w->n; i++) {
		if (!(w->steps[i].s.flags & TH_SYN))
			continue;
		if (w->steps[i].out && !ours)
			ours = &w->steps[i].s;
		else if (!w->steps[i].out && !theirs)
			theirs = &w->steps[i].s;
	}
	/* What the peer offered and did not get was switched off. */
	if (ours && theirs && theirs->options & ~ours->options & SEGMENT_TS)
		fputs("set tcp.timestamps no\n", w->out);
	if (ours && theirs &&
	    theirs->options & ~ours->options & SEGMENT_SACK_OK)
		fputs("set tcp.sack no\n", w->out);
	if (ours && ours->options & SEGMENT_WSCALE)
		fprintf(w->out, "set tcp.window_scale %u\n", ours->wscale);
	/* Scripts have defaults of their own where a daemon has these. */
	fputs("set tcp.quick_acks 16\nset limits.rcvbuf_max 4MiB\n", w->out);
	if (l->client)
		fputs("open\n", w->out);
}

/* ---- lines -------------------------------------------------------------- */

static bool at_once(const struct writer *w, size_t i, size_t next)
{
	int64_t took_us = w->steps[next].p->at_us - w->steps[i].p->at_us;

	/* On the way nobody knows where turns begin. */
	return took_us == 0 || (w->l->watched && took_us < MS_US);
}

/* Segments that it is, or was before the device joined them. */
static uint32_t pieces(const struct writer *w, const struct step *t)
{
	uint32_t most =
		t->p->gso_size ? t->p->gso_size : w->most[t->out ? PEER : OURS];

	return most && t->s.text_len > most ? (t->s.text_len + most - 1) / most
					    : 1;
}

static void put_packet(struct writer *w, const struct step *t)
{
	uint32_t n = pieces(w, t), seq = t->s.seq, left = t->s.text_len, len;
	uint32_t most =
		t->p->gso_size ? t->p->gso_size : w->most[t->out ? PEER : OURS];

	if (t->s.kind != SEGMENT_TCP) {
		fputs("# What is no TCP is left out.\n", w->out);
		return;
	}
	for (; n > 0; n--) {
		len = n > 1 ? most : left;
		put_segment(w, t, seq, len, n == 1);
		seq += len;
		left -= len;
	}
	if (t->p->drop)
		fprintf(w->out, "# dropped: %s (%s)\n", t->p->drop,
			t->p->clause ? t->p->clause : "");
}

/* All that arrived in one turn. Return: the place behind it */
static size_t put_arrived(struct writer *w, size_t i)
{
	uint32_t lines = pieces(w, &w->steps[i]);
	char text[CALLS_MAX] = "";
	size_t end = i + 1;

	for (; end < w->n && !w->steps[end].out && at_once(w, end - 1, end);
	     end++)
		lines += pieces(w, &w->steps[end]);
	if (end < w->n && w->steps[end].out && at_once(w, end - 1, end))
		lines += call_lines(w, end, text);
	put_wait(w, w->steps[i].p->at_us, false);
	if (lines > 1)
		fputs("batch\n", w->out);
	for (; i < end; i++)
		put_packet(w, &w->steps[i]);
	fprintf(w->out, lines > 1 ? "%send\n" : "%s", text);
	return end;
}

/* What the service did before, and the packet. */
static void put_left(struct writer *w, size_t i)
{
	const struct step *t = &w->steps[i];
	char text[CALLS_MAX] = "";
	unsigned int calls = call_lines(w, i, text);

	put_wait(w, t->p->at_us, !calls);
	fprintf(w->out, calls > 1 ? "batch\n%send\n" : "%s", text);
	put_packet(w, t);
}

/* What the service had queued when packet @i left: up to the next PSH. */
static const struct step *queued_with(const struct writer *w, size_t i)
{
	const struct step *last = &w->steps[i];

	for (; i < w->n && !(last->s.flags & (TH_PSH | TH_FIN)); i++)
		if (w->steps[i].out && w->steps[i].s.text_len)
			last = &w->steps[i];
	return last;
}

/* The stack's own ones change no state, or answer what was no connection. */
static bool aborts(const struct writer *w, const struct step *t)
{
	return t->s.flags & TH_RST && w->syn[OURS] &&
	       (w->l->watched || strcmp(t->p->before, t->p->after) != 0);
}

/*
 * What the service must have done for packet @i to leave: as lines into @text,
 * which is left as it is if that is nothing. Return: how many lines
 */
static unsigned int call_lines(struct writer *w, size_t i, char text[CALLS_MAX])
{
	const struct step *t = &w->steps[i], *last;
	uint32_t end = t->s.seq + t->s.text_len - w->first[OURS];
	unsigned int lines = 0;

	if (t->s.kind != SEGMENT_TCP || t->s.flags & TH_SYN)
		return 0;
	if (t->s.flags & TH_RST) {
		snprintf(text, CALLS_MAX, "%s", aborts(w, t) ? "abort\n" : "");
		return *text != '\0';
	}
	last = queued_with(w, i);
	if (t->s.text_len && (int32_t)(end - w->given) > 0) {
		end = last->s.seq + last->s.text_len - w->first[OURS];
		if (!(last->s.flags & (TH_PSH | TH_FIN)))
			end += UNSEEN; /* there was more */
		snprintf(text, CALLS_MAX, "send %" PRIu32 "\n", end - w->given);
		w->given = end;
		lines++;
	}
	if (!w->closed && (t->s.flags | last->s.flags) & TH_FIN) {
		snprintf(text + strlen(text), CALLS_MAX - strlen(text),
			 "close\n");
		w->closed = true;
		lines++;
	}
	return lines;
}

/* Below 0 it is a difference: scripts have no sign. */
static void put_number(struct writer *w, const char *before, uint32_t n)
{
	bool below = (int32_t)n < 0;

	fprintf(w->out, "%s%s%" PRIu32, before, below ? "0-" : "",
		below ? 0u - n : n);
}

static void put_segment(struct writer *w, const struct step *t, uint32_t from,
			uint32_t len, bool last)
{
	static const struct {
		uint8_t flag;
		char letter;
	} letters[] = {
		{TH_FIN, 'F'}, {TH_SYN, 'S'}, {TH_RST, 'R'}, {TH_PSH, 'P'},
		{TH_ACK, 'A'}, {TH_URG, 'U'}, {TH_ECE, 'E'}, {TH_CWR, 'C'},
	};
	enum side side = t->out ? OURS : PEER;
	uint8_t flags = t->s.flags;
	uint32_t seq = from - w->first[side];

	if (!last)
		flags &= (uint8_t) ~(TH_FIN | TH_PSH);
	fputs(t->out ? "< " : "> ", w->out);
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (flags & letters[i].flag)
			fputc(letters[i].letter, w->out);
	fputs(flags ? "" : "-", w->out);
	put_number(w, " ", seq);
	if (len)
		put_number(w, ":", seq + len);
	if (flags & TH_ACK)
		put_number(w, " ack ", t->s.ack - w->first[!side]);
	if (!t->out)
		fprintf(w->out, " win %u", t->s.wnd);
	if (flags & TH_URG)
		fprintf(w->out, " up %u", t->s.up);
	if (!t->out && t->s.tos)
		fprintf(w->out, " tos %u", t->s.tos);
	put_options(w, t);
	if (!t->out && w->nobody)
		fputs(CLOSED_TO, w->out);
	fputc('\n', w->out);
}

/* Timestamps are the script's business where both agreed on them. */
static void put_options(struct writer *w, const struct step *t)
{
	const struct segment *s = &t->s;
	enum side side = t->out ? OURS : PEER;

	if (s->flags & TH_SYN) {
		if (s->options & SEGMENT_MSS && !t->out)
			fprintf(w->out, " mss %u", s->mss);
		if (s->options & SEGMENT_SACK_OK)
			fputs(" sackok", w->out);
		if (s->options & SEGMENT_TS)
			fputs(" ts", w->out);
		if (s->options & SEGMENT_WSCALE)
			fprintf(w->out, " ws %u", s->wscale);
	} else if (w->ts[PEER] && w->ts[OURS] && !(s->options & SEGMENT_TS) &&
		   !(s->flags & TH_RST)) {
		fputs(" nots", w->out);
	}
	for (uint8_t i = 0; s->options & SEGMENT_SACK && i < s->nsack; i++) {
		put_number(w, i ? " " : " sack ",
			   s->sack[i].start - w->first[!side]);
		put_number(w, ":", s->sack[i].end - w->first[!side]);
	}
}

/* The time since the packet before, if it is worth a word. */
static void put_wait(struct writer *w, int64_t at_us, bool answer)
{
	int64_t ms = w->last_us < 0 ? 0 : (at_us - w->last_us) / MS_US;

	w->last_us = at_us;
	if (ms <= 0)
		return;
	if (answer)
		fprintf(w->out, "+%" PRId64 "ms..%" PRId64 "ms ",
			w->l->watched ? 0 : ms / 2, 2 * ms + 1);
	else
		fprintf(w->out, "+%" PRId64 "ms ", ms);
}
