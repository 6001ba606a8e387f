/*
 * flow_history.c - What passed, in the letters of Zeek's history
 *
 * The client's are capitals. s is a SYN, h a SYN-ACK, f a FIN and r a RST: once
 * for each side, and again if it comes with another number than before. a (an
 * ACK without text), d (text; a FIN that brings some is an f alone), i (FIN and
 * RST in one segment) and q (SYN and one of them) come once for each side. w (a
 * closed window, unless the other side has nothing more to say), g (acknowledged,
 * and not captured), t (text came again) and c (a wrong checksum, and for Zeek
 * nothing else of that packet) come with the first, the tenth, the hundredth. ^
 * stands first if the first packet was the server's.
 *
 * There are few bytes for it. Those of every connection have their places, and
 * the others what is left.
 */
#include "flow.h"

#include <string.h>

#define LETTERS "sadfr" /* h has the place of s */
#define NUSUAL	10	/* of both sides */

static void syn(struct flow *f, const struct packet *p, enum side s);
static void fin(struct flow *f, const struct packet *p, enum side s);
static void rst(struct flow *f, const struct packet *p, enum side s);
static void closed_window(struct flow *f, const struct packet *p, enum side s);
static bool write_letter(struct flow *f, char letter, enum side s);
static void write_once(struct flow *f, char letter, enum side s);
static char letter_of(char letter, enum side s);

void flow_history(struct flow *f, const struct packet *p, enum side s)
{
	uint16_t kind = p->flags & (TH_SYN | TH_FIN | TH_RST);

	if (p->notes & NOTE_TCP_SUM)
		return;
	if (kind & (kind - 1))
		write_once(f, kind & TH_FIN && kind & TH_RST ? 'i' : 'q', s);
	else if (kind == TH_SYN)
		syn(f, p, s);
	else if (kind == TH_FIN)
		fin(f, p, s);
	else if (kind == TH_RST)
		rst(f, p, s);
	else if (p->len)
		write_letter(f, 'd', s);
	else if (p->flags & TH_ACK)
		write_letter(f, 'a', s);
	if (!p->wnd)
		closed_window(f, p, s);
}

void flow_history_turned(struct flow *f)
{
	f->history[0] = '^';
}

/* Only of what both sides have opened: elsewhere numbers may be anything. */
void flow_history_gap(struct flow *f, enum side s, uint32_t n)
{
	struct flow_extra *x = flow_extra(f, 0);

	if (!x || !(f->half[SERVER].flags & HALF_ISN))
		return;
	while (n--)
		flow_history_nth(f, 'g', s, ++x->gaps[s]);
}

void flow_history_nth(struct flow *f, char letter, enum side s, uint32_t n)
{
	size_t len = strlen(f->history);

	while (n && n % 10 == 0)
		n /= 10;
	if (n == 1 &&
	    len + NUSUAL - (size_t)__builtin_popcount(f->seen) < HISTORY_MAX)
		f->history[len] = letter_of(letter, s);
}

/* An open from both ends has one number in SYN and SYN-ACK, and one letter. */
static void syn(struct flow *f, const struct packet *p, enum side s)
{
	char letter = p->flags & TH_ACK ? 'h' : 's';

	if (!write_letter(f, letter, s) && p->seq != f->half[s].isn)
		flow_history_nth(f, letter, s, 1);
}

static void fin(struct flow *f, const struct packet *p, enum side s)
{
	const struct half *me = &f->half[s];

	if (!write_letter(f, 'f', s) && me->flags & HALF_FIN &&
	    p->seq + p->len != me->fin)
		flow_history_nth(f, 'f', s, 1);
}

static void rst(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];

	if (!write_letter(f, 'r', s) && p->seq != me->rst)
		flow_history_nth(f, 'r', s, 1);
	me->rst = p->seq;
}

static void closed_window(struct flow *f, const struct packet *p, enum side s)
{
	struct flow_extra *x;

	if (p->flags & TH_RST || f->half[!s].flags & HALF_FIN ||
	    (f->flags & FLOW_RST && f->rst_side == s))
		return;
	x = flow_extra(f, 0);
	if (x)
		flow_history_nth(f, 'w', s, ++x->closed_windows[s]);
}

/* False if it is there. */
static bool write_letter(struct flow *f, char letter, enum side s)
{
	static const char letters[] = LETTERS;
	size_t i = (size_t)(strchr(letters, letter == 'h' ? 's' : letter) -
			    letters);
	size_t len;
	uint16_t bit = (uint16_t)(1u << (2 * i + s));

	if (f->seen & bit)
		return false;
	f->seen |= bit;
	len = strlen(f->history);
	if (len < HISTORY_MAX)
		f->history[len] = letter_of(letter, s);
	return true;
}

static void write_once(struct flow *f, char letter, enum side s)
{
	if (!strchr(f->history, letter_of(letter, s)))
		flow_history_nth(f, letter, s, 1);
}

static char letter_of(char letter, enum side s)
{
	return s == CLIENT ? (char)(letter - 'a' + 'A') : letter;
}
