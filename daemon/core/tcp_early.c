/*
 * tcp_early.c - Who gives way when text beyond holes fills the memory
 *
 * Text that comes before the text in front of it has to be kept, and nobody
 * can read it: a peer that leaves the first byte out could have us keep its
 * whole window, and a few thousand such peers all that we have. While memory is
 * plenty nobody is asked. When it gets short, text of this kind takes no more
 * of it than it has, and who needs a block takes it from the connection that
 * holds most: its farthest text goes, which would be read last. RFC 2018, 8
 * permits it although the peer may have been told of it; ACKs from then on do
 * not speak of it, for blocks are made from what is held (tcp_sack.c), and its
 * sender has its timer.
 *
 * What a connection holds is counted in blocks, those for remembering holes
 * included, so that a byte in each block of the window, or a hole behind each
 * byte, costs its owner what it costs us. Connections stand in lists by that
 * number, in eighths of what doubles it. Nobody gives way to one who has as
 * much: who holds less than the greediest is never touched, and who wants to
 * have most gives up its own. A decision looks at the last block of one
 * connection, whatever it holds.
 */
#include <errno.h>

#include "tcp_priv.h"

#define TEXT_PAGES_KEPT 2 /* one for an answer, one for its flight */

static uint32_t blocks_most(const struct stack *st, bool early);
static tcp_seq early_end(const struct recvq *q, tcp_seq seq);
static bool early_room(struct stack *st, struct tcp_active *a, tcp_seq seq);
static struct tcp_active *early_most(struct stack *st);
static void early_evict(struct stack *st, struct tcp_active *a);
static unsigned int early_rank(uint32_t blocks);

void tcp_early_init(struct stack *st)
{
	for (unsigned int i = 0; i < EARLY_RANKS; i++)
		list_init(&st->early[i], offsetof(struct tcp_active, early));
}

int tcp_early_put(struct stack *st, struct tcp_active *a,
		  const struct tcp_seg *s)
{
	struct recvq *q = &a->rcvq;
	tcp_seq at = s->seq;
	uint32_t done, took, most;
	int err;

	do {
		done = at - s->seq;
		most = blocks_most(st, at != q->next);
		if (most != UINT32_MAX)
			recvq_hold(&st->recv_pools, most);
		err = recvq_put(q, &st->recv_pools, at, s->text + done,
				s->len - done, &took);
		recvq_release(&st->recv_pools);
		at = early_end(q, at);
	} while (err == -ENOMEM && early_room(st, a, at));
	return err;
}

/*
 * For all connections together. The last pages are for what leaves: who reads to
 * answer, as echo does, gives memory back only if there is some for an answer.
 * When memory is short, a thirty-second of all is for text that comes early.
 */
static uint32_t blocks_most(const struct stack *st, bool early)
{
	const struct pool *blk = &st->recv_pools.blk;
	uint32_t most = UINT32_MAX, part;

	if (stack_pages_left(st) <= TEXT_PAGES_KEPT)
		most = blk->in_use + pool_room(blk);
	part = st->arena.npages / 32 * blk->per_page;
	if (early && stack_is_short(st) && part < most)
		most = part;
	return most ? most : 1; /* recvq_hold() wants one */
}

void tcp_early_rank(struct stack *st, struct tcp_active *a)
{
	unsigned int rank = early_rank(recvq_early(&a->rcvq));

	if (rank == a->early_rank)
		return;
	tcp_early_forget(st, a);
	a->early_rank = (uint8_t)rank;
	if (rank)
		list_append(&st->arena, &st->early[rank],
			    ptr_ref(&st->arena, a));
}

void tcp_early_forget(struct stack *st, struct tcp_active *a)
{
	list_remove(&st->arena, &st->early[a->early_rank],
		    ptr_ref(&st->arena, a));
	a->early_rank = 0;
}

/* How far text from @seq on was taken: no room for the rest is found by throwing
 * that away again. */
static tcp_seq early_end(const struct recvq *q, tcp_seq seq)
{
	uint32_t i = ranges_find(&q->ooo, seq);

	if (seq_leq(seq, q->next))
		return q->next;
	if (i < q->ooo.n && seq_leq(q->ooo.r[i].start, seq))
		return q->ooo.r[i].end;
	return seq;
}

/* Make room for text at @seq, a block's worth. All that is kept for its receiver
 * counts against it: who leaves much unread has had a share. */
static bool early_room(struct stack *st, struct tcp_active *a, tcp_seq seq)
{
	struct recvq *q = &a->rcvq;
	struct tcp_active *most = early_most(st);

	if (most && most->early_rank > early_rank(recvq_blocks(q)))
		early_evict(st, most);
	else if (seq_lt(seq, recvq_far(q, &st->recv_pools)))
		early_evict(st, a);
	else
		return false;
	return true;
}

/* The one who holds most, or one of them. */
static struct tcp_active *early_most(struct stack *st)
{
	for (unsigned int i = EARLY_RANKS - 1; i > 0; i--)
		if (st->early[i].n)
			return ref_ptr(&st->arena, st->early[i].head);
	return NULL;
}

static void early_evict(struct stack *st, struct tcp_active *a)
{
	const struct tcp_conn *c = ref_ptr(&st->arena, a->conn);

	recvq_cut(&a->rcvq, &st->recv_pools);
	tcp_early_rank(st, a);
	stack_drop(st, DROP_OOO_EVICTED, NULL, NULL, c);
	stack_limit_hit(st, LIMIT_MEMORY, &c->e.key, c->listener);
}

/* Below 16 each number of blocks is a rank of its own. */
static unsigned int early_rank(uint32_t blocks)
{
	unsigned int shift = 0, rank;

	while (blocks >> shift >= 16)
		shift++;
	rank = shift * 8 + (blocks >> shift);
	ASSERT(rank < EARLY_RANKS);
	return rank;
}
