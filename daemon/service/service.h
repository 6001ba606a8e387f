/*
 * service.h - The services behind one table
 */
#ifndef TCPHS_SERVICE_H
#define TCPHS_SERVICE_H

#include <tcphs/stack.h>

extern const struct tcp_service echo_service, discard_service, chargen_service,
	daytime_service, qotd_service, http_service;

/** service_find() - By name, NULL if there is none */
const struct tcp_service *service_find(const char *name);

/** service_names() - All names, NULL-terminated */
const char *const *service_names(void);

#endif
