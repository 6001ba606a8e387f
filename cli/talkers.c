/*
 * talkers.c - Who has how many connections, in bounded memory
 *
 * An open hash table that grows up to TALKERS_MAX. Who comes later is only
 * counted: in a flood with forged addresses nobody is anybody.
 */
#include "talkers.h"

#include <stdlib.h>
#include <string.h>

#include <sodium/crypto_shorthash.h>
#include <tcphs/ipaddr.h>

#define TALKERS_MAX (1u << 17)
#define TALKERS_MIN (1u << 8)

struct talker {
	struct ip_addr addr;
	int32_t port;
	uint64_t connections; /* 0 = a free place */
	uint64_t failed, bytes;
};

struct talkers {
	struct talker *place;
	uint32_t size, n;
	uint64_t uncounted;
};

static bool grow(struct talkers *t);
static struct talker *find(const struct talkers *t, const struct ip_addr *addr,
			   int port);
static int by_bytes(const void *a, const void *b);

struct talkers *talkers_new(void)
{
	struct talkers *t = calloc(1, sizeof(*t));

	if (t && grow(t))
		return t;
	free(t);
	return NULL;
}

void talkers_free(struct talkers *t)
{
	if (!t)
		return;
	free(t->place);
	free(t);
}

void talkers_add(struct talkers *t, const struct ip_addr *addr, int port,
		 bool failed, uint64_t bytes)
{
	struct talker *a = find(t, addr, port);

	if (!a->connections) {
		if (2 * t->n >= t->size && !grow(t)) {
			t->uncounted++;
			return;
		}
		a = find(t, addr, port);
		a->addr = *addr;
		a->port = port;
		t->n++;
	}
	a->connections++;
	a->failed += failed;
	a->bytes += bytes;
}

uint64_t talkers_count(const struct talkers *t, uint64_t *uncounted)
{
	*uncounted = t->uncounted;
	return t->n;
}

json_t *talkers_json(const struct talkers *t, unsigned int max)
{
	const struct talker **all = calloc(t->n ? t->n : 1, sizeof(*all));
	json_t *list = json_array(), *o;
	char ip[IPADDR_TEXT_MAX];
	uint32_t n = 0;

	if (!all)
		return list;
	for (uint32_t i = 0; i < t->size; i++)
		if (t->place[i].connections)
			all[n++] = &t->place[i];
	qsort(all, n, sizeof(*all), by_bytes);
	for (uint32_t i = 0; i < n && i < max; i++) {
		o = json_pack("{s:s}", "ip", ipaddr_format(&all[i]->addr, ip));
		if (all[i]->port >= 0)
			json_object_set_new(o, "port",
					    json_integer(all[i]->port));
		json_object_set_new(
			o, "connections",
			json_integer((json_int_t)all[i]->connections));
		json_object_set_new(o, "failed",
				    json_integer((json_int_t)all[i]->failed));
		json_object_set_new(o, "bytes",
				    json_integer((json_int_t)all[i]->bytes));
		json_array_append_new(list, o);
	}
	free(all);
	return list;
}

static bool grow(struct talkers *t)
{
	struct talkers bigger = {.size = t->size ? 2 * t->size : TALKERS_MIN};

	if (bigger.size > 2 * TALKERS_MAX)
		return false;
	bigger.place = calloc(bigger.size, sizeof(*bigger.place));
	if (!bigger.place)
		return false;
	for (uint32_t i = 0; i < t->size; i++) {
		const struct talker *a = &t->place[i];

		if (a->connections)
			*find(&bigger, &a->addr, a->port) = *a;
	}
	free(t->place);
	t->place = bigger.place;
	t->size = bigger.size;
	return true;
}

/* The place of this one, or the free one where it would be. */
static struct talker *find(const struct talkers *t, const struct ip_addr *addr,
			   int port)
{
	static const uint8_t key[crypto_shorthash_KEYBYTES];
	uint8_t name[sizeof(*addr) + sizeof(port)];
	uint8_t h[crypto_shorthash_BYTES];
	uint32_t i;

	memcpy(name, addr, sizeof(*addr));
	memcpy(name + sizeof(*addr), &port, sizeof(port));
	crypto_shorthash(h, name, sizeof(name), key);
	memcpy(&i, h, sizeof(i));
	for (i &= t->size - 1; t->place[i].connections;
	     i = (i + 1) & (t->size - 1)) {
		const struct talker *a = &t->place[i];

		if (a->port == port &&
		    memcmp(&a->addr, addr, sizeof(*addr)) == 0)
			break;
	}
	return &t->place[i];
}

static int by_bytes(const void *a, const void *b)
{
	const struct talker *x = *(const struct talker *const *)a;
	const struct talker *y = *(const struct talker *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->connections != y->connections)
		return x->connections > y->connections ? -1 : 1;
	return memcmp(&x->addr, &y->addr, sizeof(x->addr));
}
