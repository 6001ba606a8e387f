/*
 * evid.h - MESSAGE_ID of an event in the journal
 */
#ifndef TCPHS_EVID_H
#define TCPHS_EVID_H

#include <tcphs/event.h>

#define EVID_LEN 32 /* hexadecimal digits */

/**
 * evid() - The id of a type, as sd_id128 writes it
 *
 * It never changes while the name of the type stays; systemd/tcphs.catalog says
 * what it means.
 *
 * Return: a constant of EVID_LEN digits
 */
const char *evid(enum event_type type);

#endif
