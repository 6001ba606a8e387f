/*
 * privacy.h - What events tell of other people's addresses
 */
#ifndef TCPHS_PRIVACY_H
#define TCPHS_PRIVACY_H

#include <stdint.h>

#include <tcphs/stack.h>

#include "evbus.h"

enum privacy {
	PRIVACY_FULL,
	PRIVACY_PREFIX, /* the network: /24, /48 */
	PRIVACY_HASH,	/* another address, always the same for the same one */
};

/** privacy_key() - What PRIVACY_HASH depends on; once */
void privacy_key(const uint8_t key[16]);

void privacy_set(enum privacy how);
enum privacy privacy(void);

/** privacy_address() - Hide an address of somebody else */
void privacy_address(struct ip_addr *a);

/** privacy_prefix() - The same for a prefix */
void privacy_prefix(struct ip_prefix *p);

/**
 * privacy_record() - What may be told of an event
 * @copy, @e: Room for it
 *
 * Return: @r if that is all of it, or @copy
 */
const struct evbus_record *privacy_record(const struct evbus_record *r,
					  struct evbus_record *copy,
					  struct event *e);

#endif
