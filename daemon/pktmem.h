/*
 * pktmem.h - The first and last packets of each connection, and how it ended
 */
#ifndef TCPHS_PKTMEM_H
#define TCPHS_PKTMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/outcome.h>
#include <tcphs/stack.h>

#include "pktbus.h"

#define PKTMEM_MIN	   (256u << 10) /* bytes */
#define PKTMEM_SNAP_MAX	   2048
#define PKTMEM_PACKETS_MAX 128

struct pktmem;

struct pktmem_conf {
	uint32_t packets; /* kept of a connection: half first, half last */
	uint32_t snaplen; /* bytes kept of a packet */
	uint8_t key[16];  /* secret */
};

/* What is known of a connection or an attempt, whether it lives or not. Times
 * are monotonic; 0 = has not happened, or was not seen. */
struct pktmem_conn {
	uint32_t id;
	struct ip_addr local, peer;
	uint16_t local_port, peer_port;
	uint16_t listener; /* index, or LISTENER_NONE */
	uint8_t role;	   /* enum tcp_role */
	uint8_t state;	   /* enum tcp_state, as it is or was at its end */
	uint8_t reason;	   /* enum close_reason; CLOSE_NONE */
	uint8_t drop;	   /* enum drop_reason of what opened nothing */
	bool ended;	   /* nothing more is expected */
	enum outcome outcome;
	enum stage stage;
	int64_t opened_us; /* the first packet */
	int64_t synack_us; /* the first SYN-ACK, either way */
	int64_t established_us, ended_us;
	int64_t handshake_us;	      /* as the stack measured it; -1 unknown */
	uint64_t bytes_in, bytes_out; /* once it ended */
	uint32_t retrans;	      /* likewise */
	uint32_t packets;	      /* seen */
	uint32_t kept;
};

struct pktmem_packet {
	int64_t at_us;
	uint32_t number; /* of its connection, from 1; a jump = not kept */
	uint32_t len;	 /* as it was */
	uint16_t gso_size;
	uint8_t before, after; /* enum tcp_state */
	uint8_t drop;	       /* enum drop_reason */
	uint8_t flags;	       /* enum packet_flags */
	bool csum_partial;     /* the checksum was left to the device */
	uint32_t snapped;      /* bytes in data */
	uint8_t data[PKTMEM_SNAP_MAX];
};

/**
 * pktmem_init() - Keep packets in @mem
 * @mem: Zeroed, aligned to 8; touched only as it is used; stays the caller's
 * @len: Bytes, at least PKTMEM_MIN
 */
struct pktmem *pktmem_init(void *mem, size_t len,
			   const struct pktmem_conf *conf);

/** pktmem_snaplen() - Keep so much of a packet from now on, up to
 * PKTMEM_SNAP_MAX */
void pktmem_snaplen(struct pktmem *m, uint32_t snaplen);

/** pktmem_sink() - To be given to pktbus_add() */
struct pktbus_sink *pktmem_sink(struct pktmem *m);

/* Where to look; opaque. 0 = no such. */
typedef uint32_t pktmem_ref;

pktmem_ref pktmem_by_id(const struct pktmem *m, uint32_t id);
/** pktmem_by_ends() - The newest between these ends */
pktmem_ref pktmem_by_ends(const struct pktmem *m, const struct ip_addr *local,
			  uint16_t local_port, const struct ip_addr *peer,
			  uint16_t peer_port);
/** pktmem_last() - The one that was opened last
 * @failed: Of those that ended without a handshake */
pktmem_ref pktmem_last(const struct pktmem *m, bool failed);

void pktmem_conn(const struct pktmem *m, pktmem_ref ref,
		 struct pktmem_conn *out);

/**
 * pktmem_next() - The next packet that was kept
 * @cursor: 0 to begin; opaque after that. Valid until the next packet is taken.
 *
 * Return: false if there is none
 */
bool pktmem_next(const struct pktmem *m, pktmem_ref ref, uint64_t *cursor,
		 struct pktmem_packet *out);

/**
 * pktmem_walk() - The next of all that is remembered, in no order
 * @cursor: 0 to begin; opaque after that
 *
 * Others may come or be forgotten while a walk goes on: each is seen at most
 * once, and one that stays is seen.
 *
 * Return: 0 when the walk is over
 */
pktmem_ref pktmem_walk(const struct pktmem *m, uint64_t *cursor);

#endif
