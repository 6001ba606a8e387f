/*
 * test_steer.c - Whose is a packet, when there are several shards?
 */
#include "steer.h"

#include <string.h>

#include "core/be.h"
#include "core/wire.h"
#include "unit.h"

#define SHARDS 3
#define HERE   2 /* who read it; not the owner of what is for nobody */

static const struct steer steer = {
	.shards = SHARDS,
	.key = {0x9ae16a3b2f90404f, 0xc949d7c7509e6557, 0xff51afd7ed558ccd,
		0xc4ceb9fe1a85ec53, 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9,
		0x94d049bb133111eb},
};

static struct ip_addr addr4(uint8_t last)
{
	return (struct ip_addr){{[10] = 0xff, 0xff, 198, 18, 66, last}};
}

static struct ip_addr addr6(uint8_t last)
{
	return (struct ip_addr){{0xfd, 0x74, [15] = last}};
}

/* A bare segment; its checksum is nobody's business here. */
static size_t segment(uint8_t *pkt, const struct ip_addr *from, uint16_t port,
		      const struct ip_addr *to, uint16_t to_port)
{
	uint32_t n =
		wire_ip_build(pkt, from, to, IP_PROTO_TCP, 64, 0, 7, true, 20);

	memset(pkt + n, 0, 20);
	be_put16(pkt + n, port);
	be_put16(pkt + n + 2, to_port);
	pkt[n + 12] = 5 << 4;
	return n + 20;
}

static void both_directions_are_one(void)
{
	uint8_t pkt[128];
	unsigned int seen[SHARDS] = {0}, a, b;

	for (int v6 = 0; v6 < 2; v6++) {
		const struct ip_addr own = v6 ? addr6(2) : addr4(2);
		const struct ip_addr peer = v6 ? addr6(1) : addr4(1);

		for (uint16_t port = 1; port <= 900; port++) {
			a = steer_packet(&steer, pkt,
					 segment(pkt, &peer, port, &own, 7),
					 HERE);
			b = steer_packet(&steer, pkt,
					 segment(pkt, &own, 7, &peer, port),
					 HERE);
			CU_ASSERT_EQUAL(a, b);
			CU_ASSERT_EQUAL(
				a, steer_ends(&steer, &own, 7, &peer, port));
			seen[a]++;
		}
	}
	for (unsigned int i = 0; i < SHARDS; i++)
		CU_ASSERT_TRUE(seen[i] > 500 && seen[i] < 700);
}

static void the_key_decides(void)
{
	struct steer other = steer;
	const struct ip_addr own = addr4(2), peer = addr4(1);
	unsigned int moved = 0;

	other.key[6] ^= 0x123456789abcdef0;
	for (uint16_t port = 1; port <= 300; port++)
		moved += steer_ends(&steer, &own, 7, &peer, port) !=
			 steer_ends(&other, &own, 7, &peer, port);
	CU_ASSERT_TRUE(moved > 150);
}

/* The quoted segment is one of ours, so its ends are the other way round. */
static void an_error_goes_to_the_quoted_connection(void)
{
	const struct ip_addr own = addr4(2), peer = addr4(1), hop = addr4(9);
	uint8_t quote[64], pkt[256];
	uint32_t len, n, sum;
	uint16_t csum;

	for (uint16_t port = 1; port <= 50; port++) {
		len = (uint32_t)segment(quote, &own, 7, &peer, port);
		n = wire_icmp_build(pkt, &hop, &own, 64, 1, COMPLAIN_PORT, 0,
				    quote, len);
		memcpy(pkt + n, quote, len);
		CU_ASSERT_EQUAL(steer_packet(&steer, pkt, n + len, HERE),
				steer_ends(&steer, &own, 7, &peer, port));
	}
	/* Broken, it is for nobody. */
	pkt[n + 3] ^= 1;
	CU_ASSERT_EQUAL(steer_packet(&steer, pkt, n + len, HERE), HERE);
	/* A ping is no error. */
	n = wire_ip_build(pkt, &peer, &own, IP_PROTO_ICMP, 64, 0, 1, false,
			  WIRE_ICMP_LEN);
	memset(pkt + n, 0, WIRE_ICMP_LEN);
	pkt[n] = 8;
	sum = csum_partial(pkt + n, WIRE_ICMP_LEN, 0);
	csum = csum_fold(sum);
	be_put16(pkt + n + 2, csum);
	CU_ASSERT_EQUAL(steer_packet(&steer, pkt, n + WIRE_ICMP_LEN, HERE), 0);
}

static void fragments_and_the_rest_have_one_place(void)
{
	const struct ip_addr own = addr4(2), peer = addr4(1);
	uint8_t whole[128], pkt[128];
	uint32_t n;

	for (uint16_t port = 1; port <= 20; port++) {
		segment(whole, &peer, port, &own, 7);
		n = wire_ip_piece(pkt, whole, 0, 0, 16, true);
		memcpy(pkt + n, whole + WIRE_IP4_LEN, 16);
		CU_ASSERT_EQUAL(steer_packet(&steer, pkt, n + 16, HERE), 0);
	}
	n = wire_ip_build(pkt, &peer, &own, IP_PROTO_UDP, 64, 0, 1, false, 8);
	CU_ASSERT_EQUAL(steer_packet(&steer, pkt, n + 8, HERE), 0);
}

static void what_is_no_packet_stays(void)
{
	const struct ip_addr own = addr4(2), peer = addr4(1);
	uint8_t pkt[128];
	size_t len = segment(pkt, &peer, 1, &own, 7);

	CU_ASSERT_EQUAL(steer_packet(&steer, pkt, len - 18, HERE), HERE);
	pkt[10] ^= 1; /* the header's checksum */
	CU_ASSERT_EQUAL(steer_packet(&steer, pkt, len, HERE), HERE);
	CU_ASSERT_EQUAL(steer_packet(&steer, pkt, 0, HERE), HERE);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(both_directions_are_one),
		UNIT_TEST(the_key_decides),
		UNIT_TEST(an_error_goes_to_the_quoted_connection),
		UNIT_TEST(fragments_and_the_rest_have_one_place),
		UNIT_TEST(what_is_no_packet_stays),
	};

	return unit_run("steer", tests, sizeof(tests) / sizeof(tests[0]), argc,
			argv);
}
