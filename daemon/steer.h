/*
 * steer.h - Whose is a packet, or a connection, when there are several shards?
 */
#ifndef TCPHS_STEER_H
#define TCPHS_STEER_H

#include <stddef.h>
#include <stdint.h>

#include <tcphs/event.h>

#define STEER_KEYS 7

struct steer {
	unsigned int shards;
	uint64_t key[STEER_KEYS]; /* secret: nobody shall aim at one shard */
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

/* ---- steer_bpf.c ------------------------------------------------------- */

/**
 * steer_program() - The same decision as a program for the kernel
 *
 * For segments that are whole and have no IPv6 extension headers; it deals all
 * else to shard 0. Needs a right, as a rule: CAP_BPF.
 *
 * Return: its descriptor, or a negative errno
 */
int steer_program(const struct steer *s);

#endif
