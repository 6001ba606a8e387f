/*
 * outcome.c - Names of outcomes and stages
 */
#include <tcphs/outcome.h>

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
