/*
 * capfile.c - Which format is it?
 */
#include "capfile.h"

#include <stdio.h>
#include <stdlib.h>

#include "capfile_priv.h"

struct capfile *capfile_open(struct bytes *b, char *words)
{
	struct capfile *c = calloc(1, sizeof(*c));
	const uint8_t *first = bytes_peek(b, 4);
	uint8_t magic[4] = {0}; /* what is peeked at moves with the next one */

	if (!c)
		snprintf(words, CAPFILE_WORDS_MAX, "out of memory");
	else if (bytes_fault(b))
		snprintf(words, CAPFILE_WORDS_MAX, "%s", bytes_fault(b));
	else if (!first && !bytes_left_over(b))
		snprintf(words, CAPFILE_WORDS_MAX, "it is empty");
	else
		c->bytes = b;
	if (first)
		memcpy(magic, first, sizeof(magic));
	if (c && c->bytes && first &&
	    (pcap_open(c, magic) || pcapng_open(c, magic)))
		return c;
	if (c && c->bytes)
		snprintf(words, CAPFILE_WORDS_MAX,
			 c->damage ? "%s"
				   : "neither pcap nor pcapng, nor a gzip or "
				     "zstd file with one of them",
			 c->damage);
	free(c);
	bytes_close(b);
	return NULL;
}

void capfile_close(struct capfile *c)
{
	if (!c)
		return;
	bytes_close(c->bytes);
	free(c->faces);
	free(c);
}

enum capfile_status capfile_next(struct capfile *c, struct frame *f)
{
	enum capfile_status status;

	if (c->damage)
		return CAPFILE_DAMAGED;
	memset(f, 0, sizeof(*f));
	status = c->next(c, f);
	if (status == CAPFILE_FRAME)
		f->number = ++c->frames;
	return status;
}

const char *capfile_damage(const struct capfile *c, uint64_t *offset)
{
	*offset = c->damage_at;
	return c->damage;
}

const char *capfile_format(const struct capfile *c)
{
	return c->is_ng ? "pcapng" : "pcap";
}

const struct bytes *capfile_bytes(const struct capfile *c)
{
	return c->bytes;
}

enum capfile_status cap_damaged(struct capfile *c, const char *what)
{
	c->damage = what;
	c->damage_at = bytes_offset(c->bytes);
	return CAPFILE_DAMAGED;
}

enum capfile_status cap_end(struct capfile *c)
{
	if (bytes_fault(c->bytes))
		return cap_damaged(c, bytes_fault(c->bytes));
	if (bytes_left_over(c->bytes))
		return cap_damaged(c, "the file ends inside of a packet");
	return CAPFILE_END;
}
