/*
 * describe.h - Connections, listeners and counters as JSON
 *
 * The control protocol and the http service say the same thing in the same
 * words; the fields are listed in tcphs/ctl.h.
 */
#ifndef TCPHS_DESCRIBE_H
#define TCPHS_DESCRIBE_H

#include <jansson.h>

#include <tcphs/stack.h>

/**
 * describe_conn() - One connection
 * @listener: Name of its listener, NULL if none
 * @tcb:      With the control block
 *
 * Return: a new reference; NULL without memory
 */
json_t *describe_conn(const struct conn_info *info, const char *listener,
		      bool tcb);
json_t *describe_listener(const struct listener_info *info);
json_t *describe_stats(const struct stack_stats *stats);

/* The members of a connection but "tcb", in the order they are written. */
#define CONN_FIELD_LIST(F) \
	F(id)              \
	F(state)           \
	F(role)            \
	F(local)           \
	F(peer)            \
	F(listener)        \
	F(age_us)          \
	F(idle_us)         \
	F(handshake_us)    \
	F(rtt_us)          \
	F(retrans)         \
	F(bytes_in)        \
	F(bytes_out)

enum conn_field {
#define CONN_FIELD_ENUM(name) CONN_FIELD_##name,
	CONN_FIELD_LIST(CONN_FIELD_ENUM)
#undef CONN_FIELD_ENUM
		CONN_NFIELDS
};

#define CONN_FIELDS_ALL ((1u << CONN_NFIELDS) - 1)
#define CONN_TEXT_MAX	768 /* enough for describe_conn_text() */

/**
 * describe_conn_text() - describe_conn() without tcb, written out at once
 * @fields: Bits 1 << enum conn_field: which members
 * @buf:    CONN_TEXT_MAX bytes; gets no final zero
 *
 * For a listing of a million: the same bytes as json_dumps(JSON_COMPACT)
 * makes, in a tenth of the time.
 *
 * Return: bytes written
 */
size_t describe_conn_text(const struct conn_info *info, const char *listener,
			  uint32_t fields, char *buf);

#endif
