/*
 * filter_lex.c - Words and signs of a filter
 *
 * A word is whatever lies between blanks and signs: addresses, prefixes, ports
 * with their colon, durations and names are all words, and what they mean is
 * decided where they stand (filter.c). So 'and', 'or', 'not', 'eq' and the
 * like are words as well, and a listener may be called 'and'.
 */
#include "filter_priv.h"

#include <string.h>

static const struct {
	char text[3];
	enum token_kind kind;
	enum compare compare;
} signs[] = {
	/* Longer ones first. */
	{"==", TOKEN_COMPARE, COMPARE_EQ},
	{"!=", TOKEN_COMPARE, COMPARE_NE},
	{"<=", TOKEN_COMPARE, COMPARE_LE},
	{">=", TOKEN_COMPARE, COMPARE_GE},
	{"&&", TOKEN_AND, 0},
	{"||", TOKEN_OR, 0},
	{"=", TOKEN_COMPARE, COMPARE_EQ},
	{"<", TOKEN_COMPARE, COMPARE_LT},
	{">", TOKEN_COMPARE, COMPARE_GT},
	{"&", TOKEN_AND, 0},
	{"|", TOKEN_OR, 0},
	{"!", TOKEN_NOT, 0},
	{"(", TOKEN_OPEN, 0},
	{")", TOKEN_CLOSE, 0},
	{",", TOKEN_COMMA, 0},
};

struct token filter_lex(const char *text, size_t *at)
{
	struct token t = {.kind = TOKEN_END};

	*at += strspn(text + *at, " \t\r\n");
	t.text = text + *at;
	t.at = *at;
	if (!*t.text)
		return t;

	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		size_t len = strlen(signs[i].text);

		if (strncmp(t.text, signs[i].text, len) == 0) {
			t.kind = signs[i].kind;
			t.compare = signs[i].compare;
			t.len = len;
			*at += len;
			return t;
		}
	}
	t.kind = TOKEN_WORD;
	t.len = strcspn(t.text, " \t\r\n=!<>&|(),");
	*at += t.len;
	return t;
}
