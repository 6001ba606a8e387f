/*
 * crowd.h - What many connections show together
 */
#ifndef TCPHS_CROWD_H
#define TCPHS_CROWD_H

#include <tcphs/analysis.h>

struct crowds;

/** crowds_new() - @key: of the hash; to be freed with crowds_free() */
struct crowds *crowds_new(const uint8_t key[16]);
void crowds_free(struct crowds *c);

/** crowds_take() - A connection was judged */
void crowds_take(struct crowds *c, const struct verdict *v);

/** crowds_tell() - All that is to be said, by kind and time */
void crowds_tell(struct crowds *c, finding_fn *fn, void *ctx);

#endif
