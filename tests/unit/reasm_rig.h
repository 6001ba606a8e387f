/*
 * reasm_rig.h - Packets cut into fragments, and what becomes of them
 *
 * A whole packet is made by hand and cut by hand; what comes out must be that
 * packet, byte for byte. Nothing of daemon/core/wire*.c helps to make one.
 */
#ifndef TCPHS_REASM_RIG_H
#define TCPHS_REASM_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "arena_rig.h"
#include "core/reasm.h"

#define RIG_NOW 1000000
#define RIG_ID	0x4711 /* of IPv4 packets that are whole */

struct reasm_rig {
	struct arena_rig mem;
	struct reasm r;
	struct reasm_pkt out;
	int64_t now_us;
};

/* A packet, or one fragment of it. */
struct whole {
	uint8_t b[66000];
	uint32_t len, head;
	uint32_t next_at; /* IPv6: of the field that names the text */
	bool v6;
};

/** rig_init() - No fragments, and @pages of memory */
void rig_init(struct reasm_rig *r, uint32_t pages);

/** rig_free() - All that is held goes in time, and all memory is back */
void rig_free(struct reasm_rig *r);

/** rig_input() - Put in a fragment */
enum reasm_verdict rig_input(struct reasm_rig *r, const struct whole *f);

/** rig_put() - Put in text [from, to) of @w; the last one if it ends there */
enum reasm_verdict rig_put(struct reasm_rig *r, const struct whole *w,
			   uint32_t id, uint32_t from, uint32_t to);

/** rig_expect() - What was handed out must be @w; it is released */
void rig_expect(struct reasm_rig *r, const struct whole *w);

/** whole4() - 198.18.66.1 to .2; @opts bytes of no-operation options */
void whole4(struct whole *w, uint8_t proto, uint32_t opts, uint32_t len);

/** whole6() - fd74::1 to fd74::2; with extension headers if @ext */
void whole6(struct whole *w, uint8_t proto, bool ext, uint32_t len);

/** whole_tcp() - Either of them, without options */
void whole_tcp(struct whole *w, bool v6, uint32_t len);

/** whole_seal() - Set the checksum of an IPv4 header again */
void whole_seal(struct whole *w);

/** whole_cut() - Text [from, to) of @w as a fragment of its own */
void whole_cut(struct whole *f, const struct whole *w, uint32_t id,
	       uint32_t from, uint32_t to, bool more);

#endif
