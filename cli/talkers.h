/*
 * talkers.h - Who has how many connections, in bounded memory
 */
#ifndef TCPHS_CLI_TALKERS_H
#define TCPHS_CLI_TALKERS_H

#include <jansson.h>
#include <tcphs/analysis.h>

struct talkers;

struct talkers *talkers_new(void);
void talkers_free(struct talkers *t);

/**
 * talkers_add() - One more connection of an end
 * @port: Of a service; -1 if the end is a whole host
 */
void talkers_add(struct talkers *t, const struct ip_addr *addr, int port,
		 bool failed, uint64_t bytes);

/** talkers_json() - The @max first by bytes, then by connections */
json_t *talkers_json(const struct talkers *t, unsigned int max);

/** talkers_count() - How many there are; @uncounted: connections of those for
 * whom there was no room any more */
uint64_t talkers_count(const struct talkers *t, uint64_t *uncounted);

#endif
