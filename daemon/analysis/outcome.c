/*
 * outcome.c - What a failed handshake came to; names of outcomes and stages
 */
#include <tcphs/outcome.h>

enum outcome outcome_failed(enum close_reason why, enum tcp_role role, bool odd)
{
	bool client = role == ROLE_CLIENT;

	switch (why) {
	case CLOSE_REFUSED:
		return ATTEMPT_REFUSED;
	case CLOSE_UNREACHABLE:
		return ATTEMPT_UNREACHABLE;
	case CLOSE_TIMEOUT_SYN:
	case CLOSE_TIMEOUT_USER:
		if (odd)
			return ATTEMPT_PROTOCOL_ERROR;
		return client ? ATTEMPT_TIMEOUT_SYN : ATTEMPT_TIMEOUT_ACK;
	case CLOSE_TIMEOUT_SYNACK:
		return ATTEMPT_TIMEOUT_ACK;
	case CLOSE_RESET_BY_PEER:
		return client ? ATTEMPT_RESET_BY_SERVER
			      : ATTEMPT_RESET_BY_CLIENT;
	case CLOSE_NO_MEMORY:
	case CLOSE_LIMIT:
		return ATTEMPT_REJECTED;
	default: /* we gave it up ourselves */
		return client ? ATTEMPT_RESET_BY_CLIENT
			      : ATTEMPT_RESET_BY_SERVER;
	}
}

const char *outcome_name(enum outcome o)
{
	static const char *const names[] = {
#define OUTCOME_NAME(name, key, words) key,
		OUTCOME_LIST(OUTCOME_NAME)
#undef OUTCOME_NAME
	};

	return names[o];
}

const char *outcome_words(enum outcome o)
{
	static const char *const sentences[] = {
#define OUTCOME_WORDS(name, key, words) words,
		OUTCOME_LIST(OUTCOME_WORDS)
#undef OUTCOME_WORDS
	};

	return sentences[o];
}

const char *stage_name(enum stage s)
{
	static const char *const names[] = {
#define STAGE_NAME(name, key) key,
		STAGE_LIST(STAGE_NAME)
#undef STAGE_NAME
	};

	return names[s];
}
