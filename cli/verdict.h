/*
 * verdict.h - A verdict as JSON, and as cells of a table
 */
#ifndef TCPHS_CLI_VERDICT_H
#define TCPHS_CLI_VERDICT_H

#include <tcphs/analysis.h>
#include <tcphs/community_id.h>

#include "output.h"

#define VERDICT_JSON_MAX 16384 /* twice the longest there can be */

/**
 * verdict_json() - All of it as an object, as cli/analyze.schema.json has it
 * @buf: Gets no final zero
 *
 * Return: bytes written
 */
size_t verdict_json(const struct verdict *v, char buf[VERDICT_JSON_MAX]);

#define VERDICT_COLUMNS(C)                                                   \
	C(ID, "ID", "id", COLUMN_COUNT, true, 0)                             \
	C(CLIENT, "CLIENT", "client", COLUMN_END, true, 0)                   \
	C(SERVER, "SERVER", "server", COLUMN_END, true, 0)                   \
	C(OUTCOME, "OUTCOME", "outcome", COLUMN_TEXT, true, 0)               \
	C(STAGE, "STAGE", "stage", COLUMN_TEXT, false, 0)                    \
	C(HS, "HS", "handshake_us", COLUMN_TIME, true, 6)                    \
	C(SYNACK, "SYNACK", "synack_us", COLUMN_TIME, false, 0)              \
	C(ACK, "ACK", "ack_us", COLUMN_TIME, false, 0)                       \
	C(RTT, "RTT", "rtt_us", COLUMN_TIME, false, 0)                       \
	C(PACKETS, "PACKETS", "packets", COLUMN_COUNT, true, 1)              \
	C(C2S, "C2S", "bytes_c2s", COLUMN_BYTES, true, 4)                    \
	C(S2C, "S2C", "bytes_s2c", COLUMN_BYTES, true, 5)                    \
	C(RETR, "RETR", "retrans", COLUMN_COUNT, true, 2)                    \
	C(ENDING, "ENDING", "ending", COLUMN_TEXT, true, 3)                  \
	C(ANOMALIES, "ANOMALIES", "anomalies", COLUMN_LIST, true, 7)         \
	C(START, "START", "start", COLUMN_TEXT, false, 0)                    \
	C(DURATION, "DURATION", "duration_us", COLUMN_TIME, false, 0)        \
	C(ZEEK, "ZEEK", "zeek_state", COLUMN_TEXT, false, 0)                 \
	C(HISTORY, "HISTORY", "zeek_history", COLUMN_TEXT, false, 0)         \
	C(COMPLETENESS, "COMPLETENESS", "completeness", COLUMN_COUNT, false, \
	  0)                                                                 \
	C(COMMUNITY, "COMMUNITY", "community_id", COLUMN_TEXT, false, 0)

enum verdict_column {
#define COLUMN_ENUM(id, heading, field, kind, shown, leaves) VERDICT_##id,
	VERDICT_COLUMNS(COLUMN_ENUM)
#undef COLUMN_ENUM
};

extern const struct column verdict_columns[];

/** verdict_value() - One cell; a value_fn of a struct verdict */
void verdict_value(const void *of, const struct column *column,
		   struct value *to);

/** verdict_community() - Its community id, version 1 */
void verdict_community(const struct verdict *v, char buf[COMMUNITY_ID_MAX]);

#endif
