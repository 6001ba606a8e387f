/*
 * evid.c - MESSAGE_ID of an event in the journal
 *
 * 128 bits of BLAKE2b of "tcphs event NAME": as fixed as the name, with nothing
 * to invent or to mix up for a new event.
 */
#include "evid.h"

#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>

#include <tcphs/stack.h>

const char *evid(enum event_type type)
{
	static char ids[EVENT_NTYPES][EVID_LEN + 1];
	unsigned char hash[EVID_LEN / 2];
	char name[64];

	if (ids[type][0])
		return ids[type];
	snprintf(name, sizeof(name), "tcphs event %s", event_name(type));
	crypto_generichash(hash, sizeof(hash), (unsigned char *)name,
			   strlen(name), NULL, 0);
	return sodium_bin2hex(ids[type], sizeof(ids[type]), hash, sizeof(hash));
}
