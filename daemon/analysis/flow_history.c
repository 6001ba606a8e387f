/*
 * flow_history.c - What passed, in the letters of Zeek's history
 *
 * The client's are capitals. Most come once for each side: s (a SYN), h (a
 * SYN-ACK), a (a mere ACK), d (text), f (a FIN) and r (a RST). So do i (FIN and
 * RST in one segment), q (SYN and one of them), w (a closed window) and g
 * (acknowledged, and not captured). t (text came again) and c (a wrong checksum)
 * come with the first, the tenth, the hundredth. ^ stands first if the first
 * packet was the server's.
 *
 * There are few bytes for it. Those of every connection have their places, and
 * the others what is left.
 */
#include "flow.h"

#include <string.h>

#define LETTERS "shadfr"
#define USUAL \
	0xff9 /* bits of seen; no SYN of a server, no SYN-ACK of a client */
#define NUSUAL 10

static void write_letter(struct flow *f, char letter, enum side s);
static void write_once(struct flow *f, char letter, enum side s);
static char letter_of(char letter, enum side s);

void flow_history(struct flow *f, const struct packet *p, enum side s)
{
	uint16_t kind = p->flags & (TH_SYN | TH_FIN | TH_RST);

	if (!p->wnd && !(p->flags & TH_RST))
		write_once(f, 'w', s);
	if (kind & (kind - 1)) {
		write_once(f, kind & TH_SYN ? 'q' : 'i', s);
		return;
	}
	if (p->flags & TH_SYN)
		write_letter(f, p->flags & TH_ACK ? 'h' : 's', s);
	if (p->flags & TH_RST)
		write_letter(f, 'r', s);
	if (p->len && !(p->flags & (TH_SYN | TH_RST)))
		write_letter(f, 'd', s);
	if (p->flags & TH_FIN)
		write_letter(f, 'f', s);
	if ((p->flags & (TH_ACK | TH_SYN | TH_FIN | TH_RST)) == TH_ACK &&
	    !p->len)
		write_letter(f, 'a', s);
}

void flow_history_turned(struct flow *f)
{
	f->history[0] = '^';
}

void flow_history_gap(struct flow *f, enum side s)
{
	write_once(f, 'g', s);
}

void flow_history_nth(struct flow *f, char letter, enum side s, uint32_t n)
{
	size_t len = strlen(f->history);

	while (n && n % 10 == 0)
		n /= 10;
	if (n == 1 &&
	    len + NUSUAL - (size_t)__builtin_popcount(f->seen & USUAL) <
		    HISTORY_MAX)
		f->history[len] = letter_of(letter, s);
}

static void write_letter(struct flow *f, char letter, enum side s)
{
	static const char letters[] = LETTERS;
	size_t i = (size_t)(strchr(letters, letter) - letters);
	size_t len;
	uint16_t bit = (uint16_t)(1u << (2 * i + s));

	if (f->seen & bit)
		return;
	f->seen |= bit;
	len = strlen(f->history);
	if (len < HISTORY_MAX)
		f->history[len] = letter_of(letter, s);
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
