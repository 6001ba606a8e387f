/*
 * bytes.c - A file read from front to back, compressed or not
 *
 * Two buffers: what read() gave, and behind the unpacker what is handed out.
 * A plain file has the second alone. What was not taken yet is moved to the
 * front before more is read, and the buffer grows to what is asked for at once.
 *
 * zlib's and zstd's streams have the same shape: bytes in, bytes out, an end
 * after which another stream may follow, as cat a.gz b.gz makes it.
 */
#include "bytes.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define READ_SIZE  (256u << 10)
#define GZIP_MAGIC 0x8b1fu
#define ZSTD_MAGIC 0xfd2fb528u
#define GZIP_BITS  (15 + 16) /* the largest window, and gzip's own header */

enum packing { PLAIN, GZIP, ZSTD };

struct bytes {
	int fd; /* -1: memory */
	enum packing packing;
	uint8_t *in; /* packed: what was read */
	size_t in_at, in_len;
	bool in_end, in_stream; /* nothing more; inside of a packed stream */
	uint8_t *buf;
	size_t at, len, size;
	uint64_t offset, file_done, file_size;
	const char *fault;
	z_stream gz;
	ZSTD_DStream *zstd;
};

static bool fill(struct bytes *b, size_t n);
static size_t read_some(struct bytes *b, uint8_t *to, size_t n);
static bool grow(struct bytes *b, size_t n);
static bool start(struct bytes *b);
static size_t unpack(struct bytes *b, uint8_t *to, size_t n);
static bool more_in(struct bytes *b);
static size_t unpack_gzip(struct bytes *b, uint8_t *to, size_t n);
static size_t unpack_zstd(struct bytes *b, uint8_t *to, size_t n);

struct bytes *bytes_open(const char *path)
{
	struct bytes *b = calloc(1, sizeof(*b));
	struct stat st;

	if (!b)
		return NULL;
	b->fd = strcmp(path, "-") == 0 ? STDIN_FILENO
				       : open(path, O_RDONLY | O_CLOEXEC);
	if (b->fd < 0) {
		free(b);
		return NULL;
	}
	if (fstat(b->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		bytes_close(b);
		errno = EISDIR;
		return NULL;
	}
	if (S_ISREG(st.st_mode))
		b->file_size = (uint64_t)st.st_size;
	if (!start(b)) {
		bytes_close(b);
		errno = ENOMEM;
		return NULL;
	}
	return b;
}

struct bytes *bytes_of(const void *mem, size_t len)
{
	struct bytes *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->fd = -1;
	b->in_end = true;
	if (!grow(b, len)) {
		bytes_close(b);
		return NULL;
	}
	memcpy(b->buf, mem, len);
	b->len = len;
	if (!start(b)) {
		bytes_close(b);
		return NULL;
	}
	return b;
}

void bytes_close(struct bytes *b)
{
	if (!b)
		return;
	if (b->fd > STDIN_FILENO)
		close(b->fd);
	if (b->packing == GZIP)
		inflateEnd(&b->gz);
	ZSTD_freeDStream(b->zstd);
	free(b->in);
	free(b->buf);
	free(b);
}

const uint8_t *bytes_take(struct bytes *b, size_t n)
{
	const uint8_t *p = bytes_peek(b, n);

	if (p) {
		b->at += n;
		b->offset += n;
	}
	return p;
}

const uint8_t *bytes_peek(struct bytes *b, size_t n)
{
	if (b->len - b->at < n && !fill(b, n))
		return NULL;
	return b->buf + b->at;
}

bool bytes_left_over(const struct bytes *b)
{
	return b->at < b->len;
}

uint64_t bytes_offset(const struct bytes *b)
{
	return b->offset;
}

const char *bytes_fault(const struct bytes *b)
{
	return b->fault;
}

bool bytes_progress(const struct bytes *b, uint64_t *done, uint64_t *all)
{
	*done = b->file_done;
	*all = b->file_size;
	return b->file_size > 0;
}

static bool fill(struct bytes *b, size_t n)
{
	if (n > BYTES_TAKE_MAX)
		return false;
	if (b->at) {
		memmove(b->buf, b->buf + b->at, b->len - b->at);
		b->len -= b->at;
		b->at = 0;
	}
	if (!grow(b, n + READ_SIZE)) {
		b->fault = "out of memory";
		return false;
	}
	while (b->len < n) {
		size_t got = b->packing == PLAIN ? read_some(b, b->buf + b->len,
							     b->size - b->len)
						 : unpack(b, b->buf + b->len,
							  b->size - b->len);

		if (!got)
			return false;
		b->len += got;
	}
	return true;
}

/* 0 at the end, and when it cannot be read. */
static size_t read_some(struct bytes *b, uint8_t *to, size_t n)
{
	ssize_t got;

	if (b->in_end)
		return 0;
	do
		got = read(b->fd, to, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		b->fault = strerror(errno);
	if (got <= 0) {
		b->in_end = true;
		return 0;
	}
	b->file_done += (uint64_t)got;
	return (size_t)got;
}

static bool grow(struct bytes *b, size_t n)
{
	uint8_t *buf;

	if (b->size >= n && b->buf)
		return true;
	buf = realloc(b->buf, n + 1);
	if (!buf)
		return false;
	b->buf = buf;
	b->size = n;
	return true;
}

/* Look at the first bytes: a packed file becomes what is read. */
static bool start(struct bytes *b)
{
	uint32_t magic = 0;

	if (fill(b, sizeof(magic)))
		memcpy(&magic, b->buf, sizeof(magic)); /* of little-endian */
	magic = le32toh(magic);
	if ((magic & 0xffff) == GZIP_MAGIC)
		b->packing = GZIP;
	else if (magic == ZSTD_MAGIC)
		b->packing = ZSTD;
	else
		return b->buf != NULL;
	b->in = b->buf;
	b->in_len = b->len;
	b->buf = NULL;
	b->len = b->size = 0;
	if (b->packing == GZIP && inflateInit2(&b->gz, GZIP_BITS) != Z_OK) {
		b->packing = PLAIN;
		return false;
	}
	if (b->packing == ZSTD) {
		b->zstd = ZSTD_createDStream();
		if (!b->zstd)
			return false;
	}
	return grow(b, READ_SIZE);
}

static size_t unpack(struct bytes *b, uint8_t *to, size_t n)
{
	size_t got = 0;

	while (!got && !b->fault && more_in(b))
		got = b->packing == GZIP ? unpack_gzip(b, to, n)
					 : unpack_zstd(b, to, n);
	return got;
}

/* False at the end, which must not be inside of a stream. */
static bool more_in(struct bytes *b)
{
	if (b->in_at < b->in_len)
		return true;
	b->in_at = 0;
	b->in_len = read_some(b, b->in, READ_SIZE);
	if (!b->in_len && b->in_stream && !b->fault)
		b->fault = "the compressed file ends too early";
	return b->in_len > 0;
}

static size_t unpack_gzip(struct bytes *b, uint8_t *to, size_t n)
{
	int done;

	b->gz.next_in = b->in + b->in_at;
	b->gz.avail_in = (uInt)(b->in_len - b->in_at);
	b->gz.next_out = to;
	b->gz.avail_out = (uInt)n;
	b->in_stream = true;
	done = inflate(&b->gz, Z_NO_FLUSH);
	b->in_at = b->in_len - b->gz.avail_in;
	if (done == Z_STREAM_END) {
		inflateReset(&b->gz);
		b->in_stream = false;
	} else if (done != Z_OK && done != Z_BUF_ERROR) {
		b->fault = "damaged gzip data";
	}
	return n - b->gz.avail_out;
}

static size_t unpack_zstd(struct bytes *b, uint8_t *to, size_t n)
{
	ZSTD_inBuffer in = {b->in, b->in_len, b->in_at};
	ZSTD_outBuffer out = {to, n, 0};
	size_t left = ZSTD_decompressStream(b->zstd, &out, &in);

	b->in_at = in.pos;
	b->in_stream = left != 0;
	if (ZSTD_isError(left))
		b->fault = "damaged zstd data";
	return out.pos;
}
