/*
 * community_id.h - One name for a flow, the same in every tool
 */
#ifndef TCPHS_COMMUNITY_ID_H
#define TCPHS_COMMUNITY_ID_H

#include <tcphs/event.h>

#define COMMUNITY_ID_MAX 32 /* "1:", 28 of base64, and its zero */

/**
 * community_id() - Of a TCP connection, whichever end comes first
 *
 * Return: @buf
 */
const char *community_id(const struct ip_addr *a, uint16_t a_port,
			 const struct ip_addr *b, uint16_t b_port,
			 char buf[COMMUNITY_ID_MAX]);

#endif
