/*
 * ctl.h - What tcphsd and tcphsctl must agree on
 *
 * The protocol is one JSON object a line, both ways, UTF-8 (RFC 8259):
 *
 *	<- {"tcphs":{"proto":1,"version":"0.1.0","instance":"tcphs0",
 *	             "rights":"admin","features":[]}}
 *	-> {"id":7,"method":"conn.list","params":{"filter":"state established"}}
 *	<- {"id":7,"item":{...}}                       (none, one or many)
 *	<- {"id":7,"result":{"count":2}}  or  {"id":7,"error":{"code":"...",
 *	             "message":"...","hint":"...","at":12}}
 *
 * Who may not come in, or comes when CTL_CLIENTS_MAX are there, reads
 * {"error":{...}} in place of the greeting, and the end. An error without an id
 * is about a line whose id could not be read; the connection goes on.
 *
 * An id is a whole number or a string of less than 62 bytes. Requests may
 * overlap, up to 8 of them; {"id":8,"method":"cancel","params":{"id":7}} ends
 * one (it answers with error "cancelled"). New fields and methods may appear at
 * any time: readers ignore the fields and parameters they do not know, and an
 * unknown method is answered with "unknown_method". "at" is the offset in bytes
 * of the word that is wrong in a filter, or where the JSON parser gave up. A
 * client that does not read is not read either, and is dropped after 30 s.
 *
 * A first byte other than '{' selects text mode: one command line, words as in
 * tcphsctl ("help" lists them), plain text back behind the greeting, close.
 *
 * tcphs-protocol(7) has all methods, what they want and what they answer; a test
 * compares it with those there are.
 */
#ifndef TCPHS_CTL_H
#define TCPHS_CTL_H

#define CTL_PROTO	1
#define CTL_SOCKET	"/run/tcphsd/control.sock"
#define CTL_REQUEST_MAX (64 * 1024) /* bytes of a line, line feed included */
#define CTL_CLIENTS_MAX 1024

/* Error codes: name on the wire, exit code of tcphsctl. */
#define CTL_ERROR_LIST(E)                      \
	E(BAD_JSON, "bad_json", 2)             \
	E(TOO_LONG, "too_long", 2)             \
	E(BAD_REQUEST, "bad_request", 2)       \
	E(UNKNOWN_METHOD, "unknown_method", 6) \
	E(BAD_FILTER, "bad_filter", 2)         \
	E(NOT_PERMITTED, "not_permitted", 4)   \
	E(NOT_FOUND, "not_found", 5)           \
	E(CONFIG, "config", 1)                 \
	E(CANCELLED, "cancelled", 1)           \
	E(FAILED, "failed", 1)                 \
	E(BUSY, "busy", 7)                     \
	E(REFUSED, "refused", 20)              \
	E(TIMEOUT, "timeout", 21)              \
	E(UNREACHABLE, "unreachable", 22)      \
	E(VIOLATION, "protocol_error", 24)     \
	E(NOT_OPENED, "local", 25)

enum ctl_error {
#define CTL_ERROR_ENUM(name, wire, exit) CTL_ERROR_##name,
	CTL_ERROR_LIST(CTL_ERROR_ENUM)
#undef CTL_ERROR_ENUM
};

#endif
