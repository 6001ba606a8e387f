/*
 * community_id.c - One name for a flow, the same in every tool
 *
 * Community ID 1 (github.com/corelight/community-id-spec): the SHA-1 of a seed,
 * 0 here, both addresses, the protocol and both ports, the lower end first.
 */
#include <tcphs/community_id.h>

#include <nettle/sha1.h>
#include <sodium/utils.h>
#include <stdbool.h>
#include <string.h>

const char *community_id(const struct ip_addr *a, uint16_t a_port,
			 const struct ip_addr *b, uint16_t b_port,
			 char buf[COMMUNITY_ID_MAX])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	size_t skip = memcmp(a, mapped, sizeof(mapped)) == 0 ? 12 : 0;
	int order = memcmp(a, b, sizeof(*a));
	bool turn = order > 0 || (order == 0 && a_port > b_port);
	uint16_t first = turn ? b_port : a_port, then = turn ? a_port : b_port;
	const uint8_t tail[6] = {
		6, /* TCP */
		0,
		(uint8_t)(first >> 8),
		(uint8_t)first,
		(uint8_t)(then >> 8),
		(uint8_t)then,
	};
	static const uint8_t seed[2];
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx sha;

	sha1_init(&sha);
	sha1_update(&sha, sizeof(seed), seed);
	sha1_update(&sha, sizeof(*a) - skip, (turn ? b : a)->b + skip);
	sha1_update(&sha, sizeof(*a) - skip, (turn ? a : b)->b + skip);
	sha1_update(&sha, sizeof(tail), tail);
	sha1_digest(&sha, sizeof(digest), digest);
	buf[0] = '1';
	buf[1] = ':';
	sodium_bin2base64(buf + 2, COMMUNITY_ID_MAX - 2, digest, sizeof(digest),
			  sodium_base64_VARIANT_ORIGINAL);
	return buf;
}
