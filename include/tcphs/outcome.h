/*
 * outcome.h - How an attempt to connect ended, in one word
 *
 * The same words whether we were an end of it or only looked on. Beside it
 * stands how far it got: the stage.
 */
#ifndef TCPHS_OUTCOME_H
#define TCPHS_OUTCOME_H

#include <stdbool.h>

#include <tcphs/event.h>

/* name, key, words */
#define OUTCOME_LIST(O)                                                    \
	O(OPEN, "open", "not decided yet")                                 \
	O(COMPLETED, "completed", "the handshake completed")               \
	O(COMPLETED_COOKIE, "completed_cookie",                            \
	  "the handshake completed with a SYN cookie")                     \
	O(COMPLETED_SIMULTANEOUS, "completed_simultaneous",                \
	  "the handshake completed, both sides having sent a SYN")         \
	O(REFUSED, "refused", "the SYN was answered with a reset")         \
	O(UNREACHABLE, "unreachable",                                      \
	  "an ICMP error said that nobody can be "                         \
	  "reached")                                                       \
	O(TIMEOUT_SYN, "timeout_syn", "nobody answered the SYN")           \
	O(TIMEOUT_ACK, "timeout_ack", "nobody answered the SYN-ACK")       \
	O(RESET_BY_CLIENT, "reset_by_client",                              \
	  "the client reset it during the handshake")                      \
	O(RESET_BY_SERVER, "reset_by_server",                              \
	  "the server reset it during the handshake")                      \
	O(REJECTED, "rejected", "a limit or an allow-list turned it away") \
	O(PROTOCOL_ERROR, "protocol_error", "a side broke the protocol")   \
	O(MIDSTREAM, "midstream", "its handshake was not seen")

enum outcome {
#define OUTCOME_ENUM(name, key, words) ATTEMPT_##name,
	OUTCOME_LIST(OUTCOME_ENUM)
#undef OUTCOME_ENUM
		ATTEMPT_NOUTCOMES
};

/* The last step that was seen. */
#define STAGE_LIST(S)               \
	S(SYN, "syn")               \
	S(SYNACK, "synack")         \
	S(HSACK, "hsack")           \
	S(FIRST_DATA, "first_data") \
	S(LATER, "later")

enum stage {
#define STAGE_ENUM(name, key) STAGE_##name,
	STAGE_LIST(STAGE_ENUM)
#undef STAGE_ENUM
		STAGE_N
};

/**
 * outcome_failed() - What a handshake of ours came to that did not complete
 * @why: How its connection ended
 * @odd: Our SYN was answered, but by what answers no SYN
 */
enum outcome outcome_failed(enum close_reason why, enum tcp_role role,
			    bool odd);

const char *outcome_name(enum outcome o);  /* "timeout_syn" */
const char *outcome_words(enum outcome o); /* a sentence without its point */
const char *stage_name(enum stage s);

#endif
