/*
 * test_csum.c - The Internet checksum against its definition
 */
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "packet.h"
#include "unit.h"

/* RFC 1071, 3: the example, and its sum before the complement. */
static void sum_of_rfc1071_example(void)
{
	static const uint8_t b[] = {0x00, 0x01, 0xf2, 0x03,
				    0xf4, 0xf5, 0xf6, 0xf7};

	CU_ASSERT_EQUAL(csum_fold(csum_partial(b, sizeof(b), 0)),
			0xffff - 0xddf2);
}

/* RFC 1071, 2: the sum in two parts, of which the first is even. */
static void sum_in_parts(void)
{
	uint8_t b[301];
	uint32_t sum;

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(i * 37 + 11);
	for (size_t cut = 0; cut <= sizeof(b); cut += 2) {
		sum = csum_partial(b, cut, 0);
		sum = csum_partial(b + cut, sizeof(b) - cut, sum);
		CU_ASSERT_EQUAL(csum_fold(sum), packet_csum(b, sizeof(b)));
	}
}

/* An odd length counts as if a zero followed: RFC 1071, 4.1. */
static void odd_byte_is_a_high_byte(void)
{
	static const uint8_t b[] = {0x12, 0x34, 0x56};

	CU_ASSERT_EQUAL(csum_fold(csum_partial(b, 3, 0)),
			0xffff - (0x1234 + 0x5600));
	CU_ASSERT_EQUAL(csum_fold(csum_partial(b, 1, 0)), 0xffff - 0x1200);
	CU_ASSERT_EQUAL(csum_fold(csum_partial(b, 0, 0)), 0xffff);
}

/* The value of a header field may be added to a sum. */
static void sum_is_in_network_order(void)
{
	static const uint8_t b[] = {0x00, 0x06, 0x12, 0x34};

	CU_ASSERT_EQUAL(csum_fold(csum_partial(b, 4, 0)),
			csum_fold(csum_partial(b + 2, 2, 6)));
}

/* No carry is lost, wherever it comes from. */
static void all_ones(void)
{
	static uint8_t b[65535 + 1];

	memset(b, 0xff, sizeof(b));
	for (size_t len = 2; len <= sizeof(b); len += len < 200 ? 2 : 4094)
		CU_ASSERT_EQUAL(csum_fold(csum_partial(b, len, UINT32_MAX)), 0);
	memset(b, 0, sizeof(b));
	CU_ASSERT_EQUAL(csum_fold(csum_partial(b, sizeof(b), 0)), 0xffff);
}

static void random_lengths_and_alignments(void)
{
	static uint8_t b[65536 + 16];
	unsigned int seed = 1071, wrong = 0;

	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)rand_r(&seed);
	for (int i = 0; i < 20000; i++) {
		size_t at = (size_t)rand_r(&seed) % 16;
		size_t len = (size_t)rand_r(&seed) % (i % 50 ? 300 : 65536);
		uint16_t got = csum_fold(csum_partial(b + at, len, 0));

		wrong += got != packet_csum(b + at, len);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

/* The same pseudo-header as bytes, for both families. */
static void pseudo_header(void)
{
	static const uint8_t p4[] = {198, 18, 66, 1, 198,  18,
				     66,  2,  0,  6, 0xff, 0xeb};
	static const struct ip_addr
		src4 = {{[10] = 0xff, [11] = 0xff, 198, 18, 66, 1}},
		dst4 = {{[10] = 0xff, [11] = 0xff, 198, 18, 66, 2}},
		src6 = {{0xfd, 0x74, [15] = 1}},
		dst6 = {{0xfd, 0x74, [15] = 2}};
	uint8_t p6[40] = {0};

	CU_ASSERT_EQUAL(csum_fold(csum_pseudo(&src4, &dst4, 6, 0xffeb)),
			packet_csum(p4, sizeof(p4)));
	memcpy(p6, src6.b, 16);
	memcpy(p6 + 16, dst6.b, 16);
	p6[33] = 0x01; /* RFC 8200, 8.1: the length has 32 bits */
	p6[35] = 0x05;
	p6[39] = 58;
	CU_ASSERT_EQUAL(csum_fold(csum_pseudo(&src6, &dst6, 58, 0x10005)),
			packet_csum(p6, sizeof(p6)));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(sum_of_rfc1071_example),
		UNIT_TEST(sum_in_parts),
		UNIT_TEST(odd_byte_is_a_high_byte),
		UNIT_TEST(sum_is_in_network_order),
		UNIT_TEST(all_ones),
		UNIT_TEST(random_lengths_and_alignments),
		UNIT_TEST(pseudo_header),
	};

	return unit_run("csum", tests, sizeof(tests) / sizeof(tests[0]), argc,
			argv);
}
