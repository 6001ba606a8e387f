/*
 * alerting.h - Shows the judge what happens, and tells what it says
 */
#ifndef TCPHS_ALERTING_H
#define TCPHS_ALERTING_H

#include <jansson.h>

#include <tcphs/alert.h>

#include "evbus.h"
#include "shards.h"

struct alerting {
	struct evbus_sink sink;
	struct evbus *bus;
	struct shards *shards;
	struct alerts *judge;
	int64_t tick_us; /* when the next one is due */
};

/**
 * alerting_start() - Judge what the bus tells
 *
 * Return: 0 or -ENOMEM
 */
int alerting_start(struct alerting *al, struct evbus *bus,
		   struct shards *shards, const struct alert_conf *conf,
		   int64_t now_us);

/** alerting_stop() - The bus is gone already */
void alerting_stop(struct alerting *al);

/** alerting_describe() - An alert as JSON; NULL without memory */
json_t *alerting_describe(const struct alerting *al, const struct alert *a,
			  int64_t now_us);

/** alerting_active() - How many alerts are active, of all kinds */
unsigned int alerting_active(const struct alerting *al);

#endif
