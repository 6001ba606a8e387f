/*
 * filter_priv.h - Between filter.c, filter_lex.c and filter_word.c
 */
#ifndef TCPHS_FILTER_PRIV_H
#define TCPHS_FILTER_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/filter.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
	TOKEN_COMPARE,
	TOKEN_COMMA,
};

enum compare {
	COMPARE_EQ,
	COMPARE_NE,
	COMPARE_LT,
	COMPARE_GT,
	COMPARE_LE,
	COMPARE_GE
};

struct token {
	enum token_kind kind;
	enum compare compare; /* of TOKEN_COMPARE */
	const char *text;     /* in the filter, not terminated */
	size_t len;
	size_t at; /* offset in the filter */
};

/* One end as src and dst name it. */
struct endpoint {
	struct ip_prefix prefix; /* len 0 = any address */
	int32_t port;		 /* -1 = any */
};

/**
 * filter_lex() - Read the next token
 * @text: The whole filter
 * @at:   Where to begin; moved behind the token
 *
 * Every byte is part of some token: there are no errors here.
 */
struct token filter_lex(const char *text, size_t *at);

/** filter_word_is() - Is the token this word, in any case? */
bool filter_word_is(const struct token *t, const char *word);

/** filter_word_quote() - A copy for messages: printable and short */
const char *filter_word_quote(const struct token *t, char buf[40]);

/* Values of words: false if the word is none. */
bool filter_word_compare(const struct token *t, enum compare *op);
bool filter_word_states(const struct token *t, uint32_t *states);
bool filter_word_endpoint(const struct token *t, struct endpoint *e);
bool filter_word_port(const struct token *t, int64_t *port);
bool filter_word_duration(const struct token *t, int64_t *us);
bool filter_word_size(const struct token *t, int64_t *bytes);
bool filter_word_count(const struct token *t, int64_t *n);
bool filter_word_id(const struct token *t, int64_t *id);
bool filter_word_outcomes(const struct token *t, uint32_t *outcomes);

/** filter_word_nearest_state() - A state or group spelled much like it */
const char *filter_word_nearest_state(const struct token *t);

#endif
