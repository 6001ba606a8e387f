/*
 * list.h - Queues of connections, linked by references
 *
 * A connection can wait in a queue at most once, so the links lie in it. The
 * macros want to know the arena, the type and the name of the links.
 */
#ifndef TCPHS_LIST_H
#define TCPHS_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "pool.h"

struct list_link {
	ref_t next, prev; /* LIST_END at the ends; 0, 0 = not queued */
};

#define LIST_END 0xffffffffu

struct list {
	ref_t head, tail; /* LIST_END if empty */
	uint32_t off;	  /* of the link in an object */
	uint32_t n;
};

static inline struct list_link *list_link(const struct arena *a,
					  const struct list *l, ref_t r)
{
	return (struct list_link *)((uint8_t *)ref_ptr(a, r) + l->off);
}

static inline void list_init(struct list *l, size_t off)
{
	l->head = l->tail = LIST_END;
	l->off = (uint32_t)off;
	l->n = 0;
}

static inline bool list_queued(const struct list_link *k)
{
	return k->next != 0;
}

/** list_append() - Put at the end; nothing happens if it is in it already */
static inline void list_append(const struct arena *a, struct list *l, ref_t r)
{
	struct list_link *k = list_link(a, l, r);

	if (list_queued(k))
		return;
	k->next = LIST_END;
	k->prev = l->tail;
	if (l->tail == LIST_END)
		l->head = r;
	else
		list_link(a, l, l->tail)->next = r;
	l->tail = r;
	l->n++;
}

/** list_remove() - Take out; nothing happens if it is not in it */
static inline void list_remove(const struct arena *a, struct list *l, ref_t r)
{
	struct list_link *k = list_link(a, l, r);

	if (!list_queued(k))
		return;
	if (k->prev == LIST_END)
		l->head = k->next;
	else
		list_link(a, l, k->prev)->next = k->next;
	if (k->next == LIST_END)
		l->tail = k->prev;
	else
		list_link(a, l, k->next)->prev = k->prev;
	k->next = k->prev = 0;
	l->n--;
}

/** list_pop() - Take out the first; 0 if empty */
static inline ref_t list_pop(const struct arena *a, struct list *l)
{
	ref_t r = l->head;

	if (r == LIST_END)
		return 0;
	list_remove(a, l, r);
	return r;
}

#endif
