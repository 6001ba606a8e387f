/*
 * tcp_tx.c - The list of transmissions
 *
 * Every transmission is a record [start, end) with the time it left, in the
 * order of sequence numbers and without gaps from snd_una to snd_nxt; a super-
 * segment is one record until an ACK, or a loss of a part of it, splits it.
 * What was sent again is the same record with a later time. What was SACKed
 * becomes one with its neighbours: nobody asks any more when it left, and all
 * who walk the list walk over holes and not over segments.
 */
#include "tcp_loss.h"

static bool alike(const struct tx_rec *t, const struct tx_rec *n);
static void absorb(struct stack *st, struct tcp_active *a, struct tx_rec *t,
		   struct tx_rec *n);

bool tcp_tx_append(struct stack *st, struct tcp_active *a, tcp_seq start,
		   tcp_seq end, uint8_t flags)
{
	struct tx_rec *t = pool_get(&st->pool_tx);
	ref_t ref;

	if (!t)
		return false;
	ref = ptr_ref(&st->arena, t);
	*t = (struct tx_rec){
		.prev = a->tx_tail,
		.start = start,
		.end = end,
		.sent_us = st->now_us,
		.flags = flags,
	};
	if (a->tx_tail)
		tx_ptr(st, a->tx_tail)->next = ref;
	else
		a->tx_head = ref;
	a->tx_tail = ref;
	return true;
}

void tcp_tx_unlink(struct stack *st, struct tcp_active *a, struct tx_rec *t)
{
	if (t->prev)
		tx_ptr(st, t->prev)->next = t->next;
	else
		a->tx_head = t->next;
	if (t->next)
		tx_ptr(st, t->next)->prev = t->prev;
	else
		a->tx_tail = t->prev;
	pool_put(&st->pool_tx, t);
}

bool tcp_tx_split(struct stack *st, struct tcp_active *a, struct tx_rec *t,
		  tcp_seq at)
{
	struct tx_rec *n = pool_get(&st->pool_tx);
	ref_t ref;

	ASSERT(seq_lt(t->start, at));
	ASSERT(seq_lt(at, t->end));
	if (!n) {
		stack_limit_hit(st, LIMIT_MEMORY, NULL, LISTENER_NONE);
		return false;
	}
	ref = ptr_ref(&st->arena, n);
	*n = *t;
	n->start = at;
	n->prev = ptr_ref(&st->arena, t);
	if (n->next)
		tx_ptr(st, n->next)->prev = ref;
	else
		a->tx_tail = ref;
	t->next = ref;
	t->end = at;
	t->flags &= (uint8_t)~TX_FIN;
	return true;
}

void tcp_tx_lost(struct tcp_active *a, struct tx_rec *t)
{
	if (t->flags & (TX_SACKED | TX_LOST))
		return;
	t->flags |= TX_LOST;
	a->lost += tx_len(t);
}

struct tx_rec *tcp_tx_sacked(struct stack *st, struct tcp_active *a,
			     struct tx_rec *t)
{
	struct tx_rec *prev = t->prev ? tx_ptr(st, t->prev) : NULL;
	struct tx_rec *next = t->next ? tx_ptr(st, t->next) : NULL;

	if (t->flags & TX_LOST)
		a->lost -= tx_len(t);
	t->flags &= (uint8_t)~TX_LOST;
	t->flags |= TX_SACKED;
	a->sacked += tx_len(t);
	if (prev && alike(prev, t)) {
		absorb(st, a, prev, t);
		t = prev;
	}
	if (next && alike(t, next))
		absorb(st, a, t, next);
	return t;
}

struct tx_rec *tcp_tx_next(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	if (!a->lost)
		return NULL;
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next)
		if (tx_ptr(st, r)->flags & TX_LOST)
			return tx_ptr(st, r);
	ASSERT(!"lost bytes without a lost record");
	return NULL;
}

void tcp_tx_join(struct stack *st, struct tcp_conn *c, struct tx_rec *t,
		 uint32_t most)
{
	struct tcp_active *a = conn_active(st, c);

	while (t->next) {
		struct tx_rec *n = tx_ptr(st, t->next);

		if (!(n->flags & TX_LOST) || n->end - t->start > most)
			return;
		absorb(st, a, t, n);
	}
}

/* Whether any of it was sent again is asked later (Eifel), so those stay apart
 * from the others. */
static bool alike(const struct tx_rec *t, const struct tx_rec *n)
{
	const uint8_t sort = TX_SACKED | TX_RETRANS;

	return t->flags & TX_SACKED && (t->flags & sort) == (n->flags & sort);
}

/* @n, the next one, becomes a part of @t. */
static void absorb(struct stack *st, struct tcp_active *a, struct tx_rec *t,
		   struct tx_rec *n)
{
	t->end = n->end;
	t->flags |= n->flags & (TX_FIN | TX_RETRANS);
	tcp_tx_unlink(st, a, n);
}
