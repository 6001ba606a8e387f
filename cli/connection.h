/*
 * connection.h - The columns of a connection
 */
#ifndef TCPHS_CLI_CONNECTION_H
#define TCPHS_CLI_CONNECTION_H

#include "output.h"

/* Of list and of the first line of show. */
extern const struct column connection_columns[];

#endif
