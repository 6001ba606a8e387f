/*
 * test_pcapng.c - Blocks of a capture file, byte for byte
 *
 * The bytes are written out by hand from draft-ietf-opsawg-pcapng, section 4.
 * That Wireshark's own tools read them is for tests/e2e/dump.sh to show.
 */
#include <tcphs/capture_packet.h>
#include <tcphs/pcapng.h>

#include <string.h>

#include "core/assert.h"
#include "unit.h"

#define EXPECT(buf, got, ...)                                        \
	do {                                                         \
		static const uint8_t want[] = {__VA_ARGS__};         \
		CU_ASSERT_EQUAL(got, sizeof(want));                  \
		CU_ASSERT_EQUAL(memcmp(buf, want, sizeof(want)), 0); \
	} while (0)

/* 4.1: the length of the section is not known, -1. */
static void section(void)
{
	const struct pcapng_section s = {.application = "tcphs"};
	uint8_t buf[PCAPNG_HEAD_MAX];
	size_t n = pcapng_section(buf, &s);

	EXPECT(buf, n, 0x0a, 0x0d, 0x0d, 0x0a, 44, 0, 0, 0, /* type, length */
	       0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,	    /* magic, 1.0 */
	       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* -1 */
	       4, 0, 5, 0, 't', 'c', 'p', 'h', 's', 0, 0, 0,   /* userappl */
	       0, 0, 0, 0, 44, 0, 0, 0);
}

/* 4.2: raw IP, nanoseconds. */
static void interface(void)
{
	const struct pcapng_interface i = {
		.link = LINK_RAW,
		.name = "tcphs0",
		.description = "tun",
		.comment = "src :80",
		.snaplen = 262,
	};
	uint8_t buf[PCAPNG_HEAD_MAX];
	size_t n = pcapng_interface(buf, &i);

	EXPECT(buf, n, 1, 0, 0, 0, 64, 0, 0, 0, /* type, length */
	       101, 0, 0, 0, 6, 1, 0, 0,	/* link, snaplen */
	       1, 0, 7, 0, 's', 'r', 'c', ' ', ':', '8', '0', 0, 2, 0, 6, 0,
	       't', 'c', 'p', 'h', 's', '0', 0, 0, 3, 0, 3, 0, 't', 'u', 'n',
	       0,		       /* description */
	       9, 0, 1, 0, 9, 0, 0, 0, /* tsresol */
	       0, 0, 0, 0, 64, 0, 0, 0);
}

/* 4.3: five of 60 bytes, sent, with a comment. */
static void packet(void)
{
	const struct pcapng_packet p = {
		.at_ns = 0x0102030405060708,
		.data = "\x45\0\0\x3c\x77",
		.kept = 5,
		.len = 60,
		.direction = PCAPNG_OUT,
		.comment = "c1",
	};
	uint8_t buf[PCAPNG_PACKET_MAX(5)];
	size_t n = pcapng_packet(buf, &p);

	EXPECT(buf, n, 6, 0, 0, 0, 60, 0, 0, 0,	   /* length */
	       0, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5, /* time */
	       5, 0, 0, 0, 60, 0, 0, 0,		   /* lengths */
	       0x45, 0, 0, 0x3c, 0x77, 0, 0, 0,	   /* padded */
	       1, 0, 2, 0, 'c', '1', 0, 0,	   /* comment */
	       2, 0, 4, 0, 2, 0, 0, 0,		   /* outbound */
	       0, 0, 0, 0, 60, 0, 0, 0);
}

/* 4.3.1: what the device does, and how many are missing before it. */
static void packet_flags_and_losses(void)
{
	const struct pcapng_packet p = {
		.data = "\x60\0\0\0",
		.kept = 4,
		.len = 4,
		.direction = PCAPNG_IN,
		.csum_missing = true,
		.super = true,
		.lost = 300,
	};
	uint8_t buf[PCAPNG_PACKET_MAX(4)];
	size_t n = pcapng_packet(buf, &p);

	EXPECT(buf, n, 6, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	       0, 4, 0, 0, 0, 4, 0, 0, 0, 0x60, 0, 0, 0, 2, 0, 4, 0, 0x01, 0x0a,
	       0, 0,				    /* in, bits 9, 11 */
	       4, 0, 8, 0, 44, 1, 0, 0, 0, 0, 0, 0, /* dropcount */
	       0, 0, 0, 0, 60, 0, 0, 0);
}

/* 4.6 */
static void statistics(void)
{
	const struct pcapng_statistics s = {
		.begin_ns = 0x100000002,
		.end_ns = 0x300000004,
		.seen = 9,
		.matched = 8,
		.kept = 6,
		.lost = 2,
	};
	uint8_t buf[PCAPNG_HEAD_MAX];
	size_t n = pcapng_statistics(buf, &s);

	EXPECT(buf, n, 5, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0,
	       0, 0, 2, 0, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, /* starttime */
	       3, 0, 8, 0, 3, 0, 0, 0, 4, 0, 0, 0,	 /* endtime */
	       4, 0, 8, 0, 9, 0, 0, 0, 0, 0, 0, 0,	 /* ifrecv */
	       5, 0, 8, 0, 2, 0, 0, 0, 0, 0, 0, 0,	 /* ifdrop */
	       6, 0, 8, 0, 8, 0, 0, 0, 0, 0, 0, 0,	 /* filteraccept */
	       8, 0, 8, 0, 6, 0, 0, 0, 0, 0, 0, 0,	 /* usrdeliv */
	       0, 0, 0, 0, 100, 0, 0, 0);
}

/* The comment of a packet without bytes, as it comes out. */
static const char *comment(const char *text, size_t *len)
{
	static uint8_t buf[PCAPNG_PACKET_MAX(0)];
	const struct pcapng_packet p = {.data = "", .comment = text};
	size_t n = pcapng_packet(buf, &p);

	CU_ASSERT_TRUE(n <= sizeof(buf));
	CU_ASSERT_EQUAL(n % 4, 0);
	*len = (size_t)buf[30] | (size_t)buf[31] << 8;
	return (const char *)buf + 32;
}

static void comments_are_escaped(void)
{
	static const struct {
		const char *in, *out;
	} texts[] = {
		{"plain ~", "plain ~"},
		{"a\nb\x1b[2J\x7f", "a\\x0ab\\x1b[2J\\x7f"},
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f",
		 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x9f"},
		{"\xc2\x9b"
		 "2J",
		 "\\xc2\\x9b2J"},		     /* C1 */
		{"\xff\xc0\xaf", "\\xff\\xc0\\xaf"}, /* overlong */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogate */
		{"\xe2\x82", "\\xe2\\x82"},	     /* cut off */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
	};
	const char *got;
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		got = comment(texts[i].in, &len);
		CU_ASSERT_EQUAL(len, strlen(texts[i].out));
		CU_ASSERT_EQUAL(memcmp(got, texts[i].out, len), 0);
	}
}

/* Never in the middle of a character or of an escape. */
static void comments_are_bounded(void)
{
	char text[2 * PCAPNG_TEXT_MAX];
	size_t len;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	comment(text, &len);
	CU_ASSERT_EQUAL(len, PCAPNG_TEXT_MAX);
	memcpy(text + PCAPNG_TEXT_MAX - 2, "\xe2\x82\xac", 3);
	comment(text, &len);
	CU_ASSERT_EQUAL(len, PCAPNG_TEXT_MAX - 2);
	text[PCAPNG_TEXT_MAX - 3] = '\n';
	comment(text, &len);
	CU_ASSERT_EQUAL(len, PCAPNG_TEXT_MAX - 3);
}

/* A head with three texts of the longest kind fits. */
static void heads_are_bounded(void)
{
	uint8_t buf[PCAPNG_HEAD_MAX];
	char text[2 * PCAPNG_TEXT_MAX];

	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CU_ASSERT_TRUE(pcapng_section(buf, &(struct pcapng_section){text, text,
								    text}) <=
		       sizeof(buf));
	CU_ASSERT_TRUE(pcapng_interface(buf, &(struct pcapng_interface){
						     text, text, text, 0,
						     LINK_RAW}) <= sizeof(buf));
}

static const struct unit_test tests[] = {
	UNIT_TEST(section),
	UNIT_TEST(interface),
	UNIT_TEST(packet),
	UNIT_TEST(packet_flags_and_losses),
	UNIT_TEST(statistics),
	UNIT_TEST(comments_are_escaped),
	UNIT_TEST(comments_are_bounded),
	UNIT_TEST(heads_are_bounded),
};

int main(int argc, char **argv)
{
	return unit_run("pcapng", tests, ARRAY_LEN(tests), argc, argv);
}
