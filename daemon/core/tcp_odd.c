/*
 * tcp_odd.c - What does not fit the connection it names
 *
 * Who speaks into a connection of others may guess every number right and still
 * be seen: its packets come over another number of hops, and its text is not
 * what the peer sent under the same numbers. Both are told as events, and while
 * nobody wants those (path.ttl, data.conflict) nothing is looked at.
 *
 * Of text only the first bytes of each segment are kept, by number, for the last
 * few thousand: a segment of the same number must begin the same. A single byte
 * is not compared: keep-alives carry one that is not theirs (RFC 1122, 4.2.3.6).
 *
 * A TTL counts as odd when the usual one comes back: a route that changed does
 * not. Both memories are tables in which newcomers overwrite; what is forgotten
 * is not told, and nothing is told wrongly.
 */
#include <string.h>

#include "tcp_priv.h"

#define ROUTE_CHANGED 3 /* odd TTLs in a row: the usual one is another now */
#define TTL_NEAR      1 /* paths of a bundle differ by so much */
/* Older text of the same number may be 4 GiB away, unless it came twice. */
#define TEXT_FRESH_MS 500

_Static_assert(ODD_TEXTS == 1 << 12, "text_place() has 12 bits");
_Static_assert(ODD_TEXT_BYTES <= UINT8_MAX, "len has eight");

static bool ttl_comes_back(struct odd_ttl *t, const struct tcp_seg *s);
static uint32_t text_place(uint32_t conn, uint32_t seq);
static uint8_t equal_bytes(const uint8_t *a, const uint8_t *b, uint8_t n);

void tcp_odd_ttl(struct stack *st, const struct tcp_conn *c,
		 const struct tcp_seg *s)
{
	struct odd_ttl *t = &st->odd_ttl[c->id % ODD_TTLS];

	if (t->conn == c->id && t->usual == s->ttl && !t->odd)
		return;
	if (t->conn != c->id) {
		*t = (struct odd_ttl){.conn = c->id, .usual = s->ttl};
	} else if (ttl_comes_back(t, s)) {
		EVENT_CONN(st, c, TTL_ODD, .a = t->odd,
			   .b = t->other << 8 | t->usual,
			   .seg = s->ttl == t->other ? s : NULL);
		t->odd = 0;
	}
}

void tcp_odd_text(struct stack *st, const struct tcp_conn *c,
		  const struct tcp_seg *s, bool again)
{
	struct odd_text *t = &st->odd_text[text_place(c->id, s->seq)];
	uint8_t len =
		s->len < ODD_TEXT_BYTES ? (uint8_t)s->len : ODD_TEXT_BYTES;
	uint32_t now_ms = stack_ms(st);

	if (t->conn == c->id && t->seq == s->seq &&
	    (again || now_ms - t->at_ms < TEXT_FRESH_MS)) {
		uint8_t both = len < t->len ? len : t->len,
			equal = equal_bytes(t->bytes, s->text, both);

		if (equal < both) {
			EVENT_CONN(st, c, TEXT_CONFLICT, .a = equal, .seg = s);
			return; /* the first one was taken */
		}
		if (len <= t->len)
			return;
	}
	t->conn = c->id;
	t->seq = s->seq;
	t->at_ms = now_ms;
	t->len = len;
	memcpy(t->bytes, s->text, len);
}

/* One that differs is counted, and told when the usual one is back; or at once
 * if it resets, for then nothing may come back. */
static bool ttl_comes_back(struct odd_ttl *t, const struct tcp_seg *s)
{
	unsigned int off =
		s->ttl > t->usual ? s->ttl - t->usual : t->usual - s->ttl;

	if (off <= TTL_NEAR)
		return t->odd;
	t->other = s->ttl;
	t->odd++;
	if (s->flags & TH_RST)
		return true;
	if (t->odd == ROUTE_CHANGED)
		*t = (struct odd_ttl){.conn = t->conn, .usual = s->ttl};
	return false;
}

/* One multiplication (Knuth's): it is made for each segment with text. */
static uint32_t text_place(uint32_t conn, uint32_t seq)
{
	return (seq + conn * 0x85ebca6bu) * 0x9e3779b1u >> 20;
}

static uint8_t equal_bytes(const uint8_t *a, const uint8_t *b, uint8_t n)
{
	uint8_t i = 0;

	if (memcmp(a, b, n) == 0)
		return n;
	while (a[i] == b[i])
		i++;
	return i;
}
