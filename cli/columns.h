/*
 * columns.h - Columns that more than one command shows
 */
#ifndef TCPHS_CLI_COLUMNS_H
#define TCPHS_CLI_COLUMNS_H

#include "output.h"

extern const struct column connection_columns[]; /* list, show, top */
extern const struct column recent_columns[];	 /* recent, top */
extern const struct column listener_columns[];	 /* listener list, top */
extern const struct column alert_columns[];	 /* alerts, top */

#endif
