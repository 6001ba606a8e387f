/*
 * kept.h - Packets of a captured connection, kept for its ladder
 */
#ifndef TCPHS_CLI_KEPT_H
#define TCPHS_CLI_KEPT_H

#include <tcphs/analysis.h>

#include "diagram.h"

struct kept;

/**
 * kept_new() - Keep the first packets, and as many of the last ones
 * @half: So many each
 *
 * Return: to be freed with kept_free(); NULL without memory
 */
struct kept *kept_new(uint32_t half);
void kept_free(struct kept *k);

/** kept_add() - A packet of the connection, or an ICMP error that speaks of it */
void kept_add(struct kept *k, const struct packet *p,
	      const struct packet_place *at);

/** kept_bytes() - What it takes, for who keeps many */
size_t kept_bytes(uint32_t half);

/**
 * kept_draw() - The ladder of a connection
 * @draw: ladder_text() and the like
 * @id:   How the reader calls it
 * @v:    Its verdict
 *
 * Return: to be freed; NULL without memory
 */
char *kept_draw(const struct kept *k, diagram_fn *draw,
		const struct ladder_style *style, const char *id,
		const struct verdict *v);

#endif
