/*
 * test_capfile.c - Both formats of capture files, whole and damaged
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "../../cli/capfile.h"
#include "core/assert.h"
#include "unit.h"

static struct file {
	uint8_t bytes[4096];
	size_t len;
	bool swapped;
	struct capfile *c;
	char words[CAPFILE_WORDS_MAX];
} file;

static void put16(uint16_t v)
{
	if (file.swapped)
		v = __builtin_bswap16(v);
	memcpy(file.bytes + file.len, &v, sizeof(v));
	file.len += sizeof(v);
}

static void put32(uint32_t v)
{
	if (file.swapped)
		v = __builtin_bswap32(v);
	memcpy(file.bytes + file.len, &v, sizeof(v));
	file.len += sizeof(v);
}

static void put_text(const char *s)
{
	size_t n = strlen(s);

	memcpy(file.bytes + file.len, s, n);
	file.len += n;
}

static void new_file(bool swapped)
{
	memset(&file, 0, sizeof(file));
	file.swapped = swapped;
}

static void open_file(void)
{
	file.c = capfile_open(bytes_of(file.bytes, file.len), file.words);
}

static void pcap_head(uint32_t magic, uint16_t minor, uint32_t link)
{
	put32(magic);
	put16(2);
	put16(minor);
	put32(0);
	put32(0);
	put32(65535);
	put32(link);
}

static void pcap_frame(uint32_t s, uint32_t fraction, const char *text,
		       uint32_t len)
{
	put32(s);
	put32(fraction);
	put32((uint32_t)strlen(text));
	put32(len);
	put_text(text);
}

static void expect_frame(int64_t ns, const char *text, uint32_t len)
{
	struct frame f;

	CU_ASSERT_EQUAL_FATAL(capfile_next(file.c, &f), CAPFILE_FRAME);
	CU_ASSERT_EQUAL(f.ns, ns);
	CU_ASSERT_EQUAL(f.len, len);
	CU_ASSERT_EQUAL_FATAL(f.cap_len, strlen(text));
	CU_ASSERT_EQUAL(memcmp(f.bytes, text, strlen(text)), 0);
}

static void expect_end(void)
{
	struct frame f;

	CU_ASSERT_EQUAL(capfile_next(file.c, &f), CAPFILE_END);
	capfile_close(file.c);
}

static void expect_damage(uint64_t at, const char *words)
{
	struct frame f;
	uint64_t offset;
	const char *what;

	CU_ASSERT_EQUAL(capfile_next(file.c, &f), CAPFILE_DAMAGED);
	CU_ASSERT_EQUAL(capfile_next(file.c, &f), CAPFILE_DAMAGED);
	what = capfile_damage(file.c, &offset);
	CU_ASSERT_PTR_NOT_NULL_FATAL(what);
	CU_ASSERT_STRING_EQUAL(what, words);
	CU_ASSERT_EQUAL(offset, at);
	capfile_close(file.c);
}

static void pcap(void)
{
	for (int swapped = 0; swapped < 2; swapped++) {
		new_file(swapped);
		pcap_head(0xa1b2c3d4, 4, LINK_ETHERNET);
		pcap_frame(1700000000, 5, "one", 3);
		pcap_frame(1700000001, 999999, "two", 100);
		open_file();
		CU_ASSERT_PTR_NOT_NULL_FATAL(file.c);
		CU_ASSERT_STRING_EQUAL(capfile_format(file.c), "pcap");
		expect_frame(1700000000000005000, "one", 3);
		expect_frame(1700000001999999000, "two", 100);
		expect_end();
	}
}

static void pcap_nanoseconds(void)
{
	new_file(false);
	pcap_head(0xa1b23c4d, 4, LINK_ETHERNET);
	pcap_frame(1700000000, 5, "one", 3);
	open_file();
	expect_frame(1700000000000000005, "one", 3);
	expect_end();
}

/* Before 2.3 the lengths stood the other way round. */
static void pcap_2_2(void)
{
	new_file(false);
	pcap_head(0xa1b2c3d4, 2, LINK_ETHERNET);
	put32(1);
	put32(0);
	put32(90); /* sent */
	put32(3);  /* kept */
	put_text("one");
	open_file();
	expect_frame(1000000000, "one", 90);
	expect_end();
}

/* The upper bits are not of the link type. */
static void pcap_checksum_bits(void)
{
	struct frame f;

	new_file(false);
	pcap_head(0xa1b2c3d4, 4, LINK_ETHERNET | 0x24000000);
	pcap_frame(1, 0, "one", 3);
	open_file();
	CU_ASSERT_EQUAL(capfile_next(file.c, &f), CAPFILE_FRAME);
	CU_ASSERT_EQUAL(f.link, LINK_ETHERNET);
	CU_ASSERT_EQUAL(f.number, 1);
	expect_end();
}

static void pcap_damaged(void)
{
	new_file(false);
	pcap_head(0xa1b2c3d4, 4, LINK_ETHERNET);
	pcap_frame(1, 0, "one", 3);
	pcap_frame(1, 0, "cut", 3);
	file.len--;
	open_file();
	expect_frame(1000000000, "one", 3);
	expect_damage(24 + 19, "the file ends inside of a packet");

	new_file(false);
	pcap_head(0xa1b2c3d4, 4, LINK_ETHERNET);
	pcap_frame(1, 0, "one", 3);
	put32(1);
	put32(1000000); /* no fraction of a second */
	put32(3);
	put32(3);
	put_text("bad");
	open_file();
	expect_frame(1000000000, "one", 3);
	expect_damage(24 + 19, "no packet begins here");
}

static void no_capture(void)
{
	new_file(false);
	put_text("GIF89a, not a capture");
	open_file();
	CU_ASSERT_PTR_NULL(file.c);
	CU_ASSERT_PTR_NOT_NULL(strstr(file.words, "neither pcap nor pcapng"));
	new_file(false);
	open_file();
	CU_ASSERT_PTR_NULL(file.c);
	CU_ASSERT_STRING_EQUAL(file.words, "it is empty");
	new_file(false);
	pcap_head(0xa1b2c3d4, 4, LINK_ETHERNET);
	file.len = 20;
	open_file();
	CU_ASSERT_PTR_NULL(file.c);
	CU_ASSERT_STRING_EQUAL(file.words,
			       "the file ends inside of its header");
}

/* ---- pcapng -------------------------------------------------------------- */

static size_t block_begin(uint32_t type)
{
	size_t at = file.len;

	put32(type);
	put32(0);
	return at;
}

static void block_end(size_t at)
{
	size_t end;
	uint32_t len;

	while (file.len % 4)
		file.bytes[file.len++] = 0;
	len = (uint32_t)(file.len - at + 4);
	put32(len);
	end = file.len;
	file.len = at + 4;
	put32(len);
	file.len = end;
}

static void section(void)
{
	size_t at = block_begin(0x0a0d0d0a);

	put32(0x1a2b3c4d);
	put16(1);
	put16(0);
	put32(UINT32_MAX);
	put32(UINT32_MAX);
	block_end(at);
}

/* @resolution: of if_tsresol; 0 = without the option */
static void face(uint16_t link, uint8_t resolution, uint32_t offset_s)
{
	size_t at = block_begin(1);

	put16(link);
	put16(0);
	put32(262144);
	put16(2); /* if_name, of five bytes */
	put16(5);
	put_text("eth42");
	file.len += 3;
	if (resolution) {
		put16(9);
		put16(1);
		file.bytes[file.len] = resolution;
		file.len += 4;
	}
	if (offset_s) {
		put16(14);
		put16(8);
		put32(file.swapped ? 0 : offset_s);
		put32(file.swapped ? offset_s : 0);
	}
	put32(0);
	block_end(at);
}

/* @flags: 0 = without the option */
static void enhanced(uint32_t iface, uint64_t ticks, const char *text,
		     uint32_t len, uint32_t flags)
{
	size_t at = block_begin(6);

	put32(iface);
	put32((uint32_t)(ticks >> 32));
	put32((uint32_t)ticks);
	put32((uint32_t)strlen(text));
	put32(len);
	put_text(text);
	while (file.len % 4)
		file.bytes[file.len++] = 0;
	if (flags) {
		put16(1); /* a comment before it */
		put16(3);
		put_text("hey");
		file.len++;
		put16(2);
		put16(4);
		put32(flags);
		put32(0);
	}
	block_end(at);
}

static void pcapng(void)
{
	struct frame f;

	for (int swapped = 0; swapped < 2; swapped++) {
		new_file(swapped);
		section();
		face(LINK_ETHERNET, 0, 0);
		face(LINK_RAW, 9, 100);
		enhanced(0, 1700000000000005, "one", 3, 0);
		enhanced(1, 1700000000000000005, "two", 70, 2);
		open_file();
		CU_ASSERT_PTR_NOT_NULL_FATAL(file.c);
		CU_ASSERT_STRING_EQUAL(capfile_format(file.c), "pcapng");
		expect_frame(1700000000000005000, "one", 3);
		CU_ASSERT_EQUAL(capfile_next(file.c, &f), CAPFILE_FRAME);
		CU_ASSERT_EQUAL(f.ns, 1700000100000000005);
		CU_ASSERT_EQUAL(f.link, LINK_RAW);
		CU_ASSERT_EQUAL(f.iface, 1);
		CU_ASSERT_EQUAL(f.direction, FRAME_OUT);
		CU_ASSERT_EQUAL(f.len, 70);
		expect_end();
	}
}

/* Units of time from coarse to finer than a nanosecond. */
static void pcapng_resolutions(void)
{
	new_file(false);
	section();
	face(LINK_RAW, 3, 0);
	face(LINK_RAW, 12, 0);
	face(LINK_RAW, 0x80 | 20, 0);
	face(LINK_RAW, 0x80 | 40, 0);
	enhanced(0, 5001, "ms", 2, 0);
	enhanced(1, 5000000001999, "ps", 2, 0);
	enhanced(2, 5 << 20 | 1 << 19, "2^-20", 5, 0);
	enhanced(3, 5ull << 40 | 1ull << 39, "2^-40", 5, 0);
	open_file();
	expect_frame(5001000000, "ms", 2);
	expect_frame(5000000001, "ps", 2);
	expect_frame(5500000000, "2^-20", 5);
	expect_frame(5500000000, "2^-40", 5);
	expect_end();
}

/* Each section has its own interfaces, and may have another byte order. */
static void pcapng_sections(void)
{
	struct frame f;

	new_file(false);
	section();
	face(LINK_ETHERNET, 0, 0);
	enhanced(0, 1, "one", 3, 0);
	file.swapped = true;
	section();
	face(LINK_RAW, 0, 0);
	enhanced(0, 2, "two", 3, 0);
	open_file();
	expect_frame(1000, "one", 3);
	CU_ASSERT_EQUAL(capfile_next(file.c, &f), CAPFILE_FRAME);
	CU_ASSERT_EQUAL(f.link, LINK_RAW);
	CU_ASSERT_EQUAL(f.iface, 1);
	CU_ASSERT_EQUAL(f.number, 2);
	expect_end();
}

static void pcapng_simple(void)
{
	size_t at;

	new_file(false);
	section();
	face(LINK_RAW, 0, 0);
	enhanced(0, 7, "one", 3, 0);
	at = block_begin(3);
	put32(3);
	put_text("two");
	block_end(at);
	at = block_begin(0x0bad); /* of no kind that we know */
	put_text("whatever");
	block_end(at);
	open_file();
	expect_frame(7000, "one", 3);
	expect_frame(7000, "two", 3);
	expect_end();
}

/* Readers hold some eighty frames: none of them may be of any length. */
static void pcapng_simple_too_long(void)
{
	static uint8_t bytes[(2 << 20) + sizeof(file.bytes)];
	const uint32_t text = 2 << 20, all = text + 16;
	size_t at;

	new_file(false);
	section();
	at = file.len;
	face(LINK_RAW, 0, 0);
	memset(file.bytes + at + 12, 0, 4); /* no snaplen */
	at = file.len;
	put32(3);
	put32(all);
	put32(text);
	memcpy(bytes, file.bytes, file.len);
	memcpy(bytes + at + all - 4, &all, 4);
	file.c = capfile_open(bytes_of(bytes, at + all), file.words);
	expect_damage(at, "a packet that no link carries");
}

static void pcapng_damaged(void)
{
	size_t at;

	new_file(false);
	section();
	face(LINK_RAW, 0, 0);
	at = file.len;
	enhanced(0, 7, "one", 3, 0);
	file.bytes[file.len - 4] ^= 4;
	open_file();
	expect_damage(at, "a block whose two lengths differ");

	new_file(false);
	section();
	at = file.len;
	enhanced(0, 7, "one", 3, 0);
	open_file();
	expect_damage(at, "a packet of an interface that nobody described");

	new_file(false);
	section();
	face(LINK_RAW, 0, 0);
	at = file.len;
	put32(6);
	put32(0xfffffff0);
	put32(0);
	open_file();
	expect_damage(at, "a block of impossible length");

	new_file(false);
	section();
	face(LINK_RAW, 0, 0);
	at = file.len;
	enhanced(0, 7, "one", 3, 0);
	file.len -= 7;
	open_file();
	expect_damage(at, "the file ends inside of a packet");
}

/* No end of whatever kind makes it read what is not there. */
static void every_length(void)
{
	struct frame f;
	size_t len;

	new_file(false);
	section();
	face(LINK_RAW, 9, 100);
	enhanced(0, 7, "one", 3, 2);
	len = file.len;
	for (file.len = 0; file.len < len; file.len++) {
		open_file();
		if (!file.c)
			continue;
		CU_ASSERT_NOT_EQUAL(capfile_next(file.c, &f), CAPFILE_FRAME);
		capfile_close(file.c);
	}
}

/* ---- packed -------------------------------------------------------------- */

static void to_gzip(void)
{
	uint8_t out[4096];
	z_stream z = {.next_in = file.bytes,
		      .avail_in = (uInt)file.len,
		      .next_out = out,
		      .avail_out = sizeof(out)};

	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	deflate(&z, Z_FINISH);
	file.len = z.total_out;
	memcpy(file.bytes, out, file.len);
	deflateEnd(&z);
}

static void packed(void)
{
	uint8_t out[4096];

	new_file(false);
	pcap_head(0xa1b2c3d4, 4, LINK_ETHERNET);
	pcap_frame(1, 0, "one", 3);
	to_gzip();
	open_file();
	CU_ASSERT_PTR_NOT_NULL_FATAL(file.c);
	expect_frame(1000000000, "one", 3);
	expect_end();

	/* Cut off. */
	file.len -= 12;
	open_file();
	if (file.c)
		expect_damage(24, "the compressed file ends too early");

	new_file(false);
	pcap_head(0xa1b2c3d4, 4, LINK_ETHERNET);
	pcap_frame(1, 0, "one", 3);
	file.len = ZSTD_compress(out, sizeof(out), file.bytes, file.len, 3);
	memcpy(file.bytes, out, file.len);
	open_file();
	CU_ASSERT_PTR_NOT_NULL_FATAL(file.c);
	expect_frame(1000000000, "one", 3);
	expect_end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(pcap),
		UNIT_TEST(pcap_nanoseconds),
		UNIT_TEST(pcap_2_2),
		UNIT_TEST(pcap_checksum_bits),
		UNIT_TEST(pcap_damaged),
		UNIT_TEST(no_capture),
		UNIT_TEST(pcapng),
		UNIT_TEST(pcapng_resolutions),
		UNIT_TEST(pcapng_sections),
		UNIT_TEST(pcapng_simple),
		UNIT_TEST(pcapng_simple_too_long),
		UNIT_TEST(pcapng_damaged),
		UNIT_TEST(every_length),
		UNIT_TEST(packed),
	};

	return unit_run("capfile", tests, ARRAY_LEN(tests), argc, argv);
}
