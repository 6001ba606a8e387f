/*
 * filter_priv.h - Between filter.c, filter_lex.c, filter_word.c and the words of
 * what else is filtered, filter_verdict.c
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

enum step_kind {
	STEP_STATE,
	STEP_EXCLUDE,
	STEP_LOCAL,
	STEP_PEER,
	STEP_LOCAL_PORT,
	STEP_PEER_PORT,
	STEP_HOST,
	STEP_PORT,
	STEP_LISTENER,
	STEP_ROLE,
	STEP_ID,
	/* what a packet alone does not tell, up to STEP_SEVERITY */
	STEP_AGE,
	STEP_IDLE,
	STEP_RTT,
	STEP_HANDSHAKE,
	STEP_RETRANS,
	STEP_BYTES,
	STEP_OUTCOME,
	STEP_ALERT,
	/* of a judged connection alone */
	STEP_ENDING,
	STEP_SEVERITY,
	STEP_NOT,
	STEP_SKIP_IF_FALSE,
	STEP_SKIP_IF_TRUE,
};

struct step {
	uint8_t kind;
	uint8_t compare;
	bool any; /* of STYLE_MAYBE: nothing was compared */
	union {
		uint32_t states;   /* bits */
		uint32_t outcomes; /* likewise */
		uint32_t to;	   /* the step to skip to */
		int64_t number;
		struct endpoint end;
		char name[STACK_NAME_MAX];
	};
};

struct filter {
	unsigned int n;
	struct step step[];
};

/* How a field is compared: ss lets its own go without '=', and some of ours say
 * something without a value. */
enum field_style {
	STYLE_SS,
	STYLE_ORDERED_SS,
	STYLE_NAME,
	STYLE_ORDERED,
	STYLE_MAYBE
};

struct filter_field {
	const char *word;
	enum step_kind kind;
	enum field_style style;
	bool (*value)(const struct token *t, struct step *s);
	const char *what, *example;
};

/* What can be asked of one kind of thing. */
struct filter_words {
	const struct filter_field *field;
	size_t n;
	const char *example;
};

/** filter_compile() - filter_parse() with the words of its choice */
struct filter *filter_compile(const char *text,
			      const struct filter_words *words,
			      struct filter_error *err);

/** filter_run() - Run a filter, each test by @test over @of */
typedef bool filter_test_fn(const struct step *s, const void *of);
bool filter_run(const struct filter *f, filter_test_fn *test, const void *of);

/* What tests are made of. A time below 0 is none, and matches nothing. */
bool filter_compare(enum compare op, int64_t a, int64_t b);
bool filter_same(const struct step *s, bool equal);
bool filter_time_matches(const struct step *s, int64_t us);
bool filter_state_matches(const struct step *s, enum tcp_state state);
/** filter_ends_match() - STEP_LOCAL to STEP_PORT: of the end that is src, and
 * that which is dst */
bool filter_ends_match(const struct step *s, const struct ip_addr *src,
		       uint16_t sport, const struct ip_addr *dst,
		       uint16_t dport);

/* Values of fields: false if the token is none. */
bool filter_value_end(const struct token *t, struct step *s);
bool filter_value_port(const struct token *t, struct step *s);
bool filter_value_id(const struct token *t, struct step *s);
bool filter_value_duration(const struct token *t, struct step *s);
bool filter_value_count(const struct token *t, struct step *s);
bool filter_value_size(const struct token *t, struct step *s);

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
