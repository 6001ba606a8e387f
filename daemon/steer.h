/*
 * steer.h - Whose is a packet, or a connection, when there are several shards?
 */
#ifndef TCPHS_STEER_H
#define TCPHS_STEER_H

#include <stddef.h>
#include <stdint.h>

#include <tcphs/event.h>

struct steer {
	unsigned int shards;
	uint8_t key[16]; /* secret: nobody shall aim at one shard */
};

/** steer_ends() - The shard of the connection between two ends, in any order */
unsigned int steer_ends(const struct steer *s, const struct ip_addr *a,
			uint16_t a_port, const struct ip_addr *b,
			uint16_t b_port);

/**
 * steer_packet() - The shard that takes a packet
 * @pkt:  From the version on
 * @here: Who read it; takes what is no good for anybody
 */
unsigned int steer_packet(const struct steer *s, const void *pkt, size_t len,
			  unsigned int here);

#endif
