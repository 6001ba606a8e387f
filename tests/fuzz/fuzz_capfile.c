/*
 * fuzz_capfile.c - Any file is frames, and then its end or damage
 *
 * The input is read as it is, unpacked if it begins like something packed. Some
 * are read once more, packed by gzip or zstd as their length says: the same
 * frames must come. All frames are taken apart, too, for the lengths that they state are
 * those that the decoder believes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "../../cli/capfile.h"
#include "core/assert.h"

#define INPUT_MAX (64u << 10)

struct read_of {
	uint64_t frames, sum, damage_at;
	const char *damage; /* NULL = read to its end */
	bool refused;
};

static uint8_t packed[INPUT_MAX + 4096];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static void sum(struct read_of *r, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++)
		r->sum = (r->sum ^ p[i]) * 1099511628211u;
}

static void take(struct read_of *r, struct decoder *d, const struct frame *f)
{
	struct packet p;

	ASSERT(f->number == ++r->frames);
	ASSERT(f->direction <= FRAME_OUT);
	sum(r, f->bytes, f->cap_len);
	sum(r, &f->ns, sizeof(f->ns));
	sum(r, &f->len, sizeof(f->len));
	sum(r, &f->link, sizeof(f->link));
	sum(r, &f->iface, sizeof(f->iface));
	ASSERT(decode(d, f, &p) < PACKET_NKINDS);
	ASSERT(p.cap_len <= p.len);
	if (p.kind == PACKET_TCP && p.cap_len)
		sum(r, p.text, p.cap_len);
}

static struct read_of read_file(const uint8_t *data, size_t size)
{
	struct read_of r = {.sum = 14695981039346656037u};
	char words[CAPFILE_WORDS_MAX] = "";
	struct decoder *d;
	enum capfile_status status;
	struct capfile *c;
	struct frame f;

	c = capfile_open(bytes_of(data, size), words);
	if (!c) {
		ASSERT(words[0]);
		r.refused = true;
		return r;
	}
	d = decoder_new(DECODER_MIN);
	ASSERT(d);
	while ((status = capfile_next(c, &f)) == CAPFILE_FRAME)
		take(&r, d, &f);
	r.damage = capfile_damage(c, &r.damage_at);
	ASSERT((status == CAPFILE_DAMAGED) == (r.damage != NULL));
	ASSERT(capfile_next(c, &f) == status);
	decoder_free(d);
	capfile_close(c);
	return r;
}

static void same(const struct read_of *a, const struct read_of *b)
{
	ASSERT(a->refused == b->refused);
	ASSERT(a->frames == b->frames);
	ASSERT(a->sum == b->sum);
	ASSERT(a->damage == b->damage);
	ASSERT(a->damage_at == b->damage_at);
}

static size_t pack_gzip(const uint8_t *data, size_t size)
{
	z_stream z = {.next_out = packed, .avail_out = sizeof(packed)};
	uint8_t *copy = malloc(size);

	ASSERT(copy);
	memcpy(copy, data, size);
	z.next_in = copy;
	z.avail_in = (uInt)size;
	ASSERT(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8,
			    Z_DEFAULT_STRATEGY) == Z_OK);
	ASSERT(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	free(copy);
	return sizeof(packed) - z.avail_out;
}

static bool is_packed(const uint8_t *data)
{
	return (data[0] == 0x1f && data[1] == 0x8b) ||
	       (data[0] == 0x28 && data[1] == 0xb5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct read_of plain, unpacked;
	size_t n;

	if (size < 4 || size > INPUT_MAX)
		return 0;
	plain = read_file(data, size);
	if (is_packed(data) || size % 4 > 1)
		return 0;
	n = size % 4 ? pack_gzip(data, size)
		     : ZSTD_compress(packed, sizeof(packed), data, size, 1);
	ASSERT(!ZSTD_isError(n));
	unpacked = read_file(packed, n);
	same(&plain, &unpacked);
	return 0;
}
