/*
 * test_kept.c - Which packets of a captured connection stay for its ladder
 */
#include "../../cli/kept.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/wire.h"
#include "unit.h"

#define HALF 4

static struct kept *kept;
static uint64_t frame;

/* The next packet of the client; its sequence number is that of the frame. */
static void add(void)
{
	static const struct packet_place at = {.conn = 1, .side = CLIENT};
	struct tcp_seg s = {.flags = TH_ACK, .ttl = 64};
	struct packet p = {.kind = PACKET_TCP, .ns = 1000000};
	uint8_t bytes[128];
	uint32_t off;

	memset(s.src.b + 10, 0xff, 2);
	s.dst = s.src;
	s.seq = (uint32_t)frame;
	p.number = ++frame;
	p.ip = bytes;
	p.ip_cap = (uint32_t)wire_tcp_build(bytes, &s, 7, WIRE_CSUM_PARTIAL, 0,
					    &off);
	kept_add(kept, &p, &at);
}

/* The numbers of the packets in the ladder of so many; 0 is a gap. */
static void expect(unsigned int n, const uint32_t *numbers, size_t count)
{
	const struct ladder_style style = {.width = 80};
	struct verdict v = {.id = 1};
	char *text, *line;
	uint32_t seq;

	frame = 0;
	kept = kept_new(HALF);
	CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
	for (unsigned int i = 0; i < n; i++)
		add();
	text = kept_draw(kept, ladder_text, &style, "#1", &v);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	line = text;
	for (size_t i = 0; i < count; i++) {
		if (numbers[i]) {
			line = strstr(line, "seq=");
			CU_ASSERT_PTR_NOT_NULL_FATAL(line);
			seq = (uint32_t)strtoul(line + 4, NULL, 10);
			CU_ASSERT_EQUAL(seq + 1, numbers[i]);
		} else {
			line = strstr(line, "not kept");
			CU_ASSERT_PTR_NOT_NULL_FATAL(line);
		}
		line++;
	}
	CU_ASSERT_PTR_NULL(strstr(line, "seq="));
	free(text);
	kept_free(kept);
}

#define EXPECT(n, ...)                                           \
	do {                                                     \
		static const uint32_t numbers[] = {__VA_ARGS__}; \
                                                                 \
		expect(n, numbers, ARRAY_LEN(numbers));          \
	} while (0)

static void all_of_few(void)
{
	EXPECT(1, 1);
	EXPECT(HALF, 1, 2, 3, 4);
	EXPECT(2 * HALF, 1, 2, 3, 4, 5, 6, 7, 8);
}

static void first_and_last_of_many(void)
{
	EXPECT(9, 1, 2, 3, 4, 0, 6, 7, 8, 9);
	EXPECT(11, 1, 2, 3, 4, 0, 8, 9, 10, 11);
	EXPECT(12, 1, 2, 3, 4, 0, 9, 10, 11, 12);
	EXPECT(1001, 1, 2, 3, 4, 0, 998, 999, 1000, 1001);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(all_of_few),
		UNIT_TEST(first_and_last_of_many),
	};

	return unit_run("kept", tests, ARRAY_LEN(tests), argc, argv);
}
