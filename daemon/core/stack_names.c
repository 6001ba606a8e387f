/*
 * stack_names.c - Words for the numbers of event.h
 *
 * The tables are made from the lists themselves, so a name cannot drift away
 * from its number. tcphsctl links this file alone.
 */
#include <tcphs/stack.h>

#include "assert.h"

static const char *const state_names[] = {
#define STATE_NAME(name, rfc, key, ss) rfc,
	TCP_STATE_LIST(STATE_NAME)
#undef STATE_NAME
};

static const char *const state_keys[] = {
#define STATE_KEY(name, rfc, key, ss) key,
	TCP_STATE_LIST(STATE_KEY)
#undef STATE_KEY
};

static const char *const state_ss_names[] = {
#define STATE_SS(name, rfc, key, ss) ss,
	TCP_STATE_LIST(STATE_SS)
#undef STATE_SS
};

static const struct {
	const char *name;
	int level;
} events[] = {
#define EVENT_ENTRY(name, dotted, level) {dotted, level},
	EVENT_LIST(EVENT_ENTRY) SHELL_EVENT_LIST(EVENT_ENTRY)
#undef EVENT_ENTRY
};

static const struct {
	const char *key, *clause, *words;
} drops[] = {
#define DROP_ENTRY(name, key, clause, words) {key, clause, words},
	DROP_LIST(DROP_ENTRY)
#undef DROP_ENTRY
};

static const struct {
	const char *key, *words;
} closes[] = {
#define CLOSE_ENTRY(name, key, words) {key, words},
	CLOSE_LIST(CLOSE_ENTRY)
#undef CLOSE_ENTRY
};

static const struct {
	const char *key, *words;
} limits[] = {
#define LIMIT_ENTRY(name, key, words) {key, words},
	STACK_LIMIT_LIST(LIMIT_ENTRY)
#undef LIMIT_ENTRY
};

const char *tcp_state_name(enum tcp_state s)
{
	ASSERT(s < TCP_NSTATES);
	return state_names[s];
}

const char *tcp_state_key(enum tcp_state s)
{
	ASSERT(s < TCP_NSTATES);
	return state_keys[s];
}

const char *tcp_state_ss_name(enum tcp_state s)
{
	ASSERT(s < TCP_NSTATES);
	return state_ss_names[s];
}

const char *event_name(enum event_type t)
{
	ASSERT(t < EVENT_NTYPES);
	return events[t].name;
}

int event_level(enum event_type t)
{
	ASSERT(t < EVENT_NTYPES);
	return events[t].level;
}

const char *drop_name(enum drop_reason r)
{
	ASSERT(r < DROP_NREASONS);
	return drops[r].key;
}

const char *drop_clause(enum drop_reason r)
{
	ASSERT(r < DROP_NREASONS);
	return drops[r].clause;
}

const char *drop_words(enum drop_reason r)
{
	ASSERT(r < DROP_NREASONS);
	return drops[r].words;
}

const char *close_name(enum close_reason r)
{
	ASSERT(r < CLOSE_NREASONS);
	return closes[r].key;
}

const char *close_words(enum close_reason r)
{
	ASSERT(r < CLOSE_NREASONS);
	return closes[r].words;
}

const char *limit_name(enum stack_limit l)
{
	ASSERT(l < LIMIT_NLIMITS);
	return limits[l].key;
}

const char *limit_words(enum stack_limit l)
{
	ASSERT(l < LIMIT_NLIMITS);
	return limits[l].words;
}
