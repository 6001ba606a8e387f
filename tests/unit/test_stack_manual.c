/*
 * test_stack_manual.c - tcphs-stack(7) says what the code says
 *
 * Each default that it names is that of conf_schema.c, each key that it points
 * at exists, each member that it says a thing is shown as is one of
 * tcphs-json(5), each RFC of its lists is cited in the engine, and its limits
 * are those of the headers.
 */
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_priv.h"
#include "core/tcp_priv.h"
#include "unit.h"

#define MANUAL	 "daemon/tcphs-stack.7.scd"
#define MEMBERS	 "cli/tcphs-json.5.scd"
#define ENGINE	 "daemon/core/*.[ch]"
#define TEXT_MAX (4 << 20)
#define WORD_LEN 64

/* Of all files of the pattern, one behind the other. */
static char *read_all(const char *pattern)
{
	char *text = calloc(1, TEXT_MAX), *to = text;
	glob_t all;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_EQUAL_FATAL(glob(pattern, 0, NULL, &all), 0);
	for (size_t i = 0; i < all.gl_pathc; i++) {
		FILE *f = fopen(all.gl_pathv[i], "re");

		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		to += fread(to, 1, (size_t)(text + TEXT_MAX - 1 - to), f);
		fclose(f);
	}
	globfree(&all);
	return text;
}

static const struct conf_key *key_of(const char *name)
{
	const struct conf_key *keys;
	size_t n;

	keys = conf_schema_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	fprintf(stderr, "%s: there is no key %s\n", MANUAL, name);
	return NULL;
}

/* Bytes of the word that stands here; an underscore may be within it. */
static size_t word_len(const char *at)
{
	size_t len = 0;

	while (isalnum((unsigned char)at[len]) || at[len] == '.' ||
	       (at[len] == '_' && len && isalnum((unsigned char)at[len + 1])))
		len++;
	return len;
}

/* The next word between two of @mark from *@at on; false behind the last. */
static bool marked(const char **at, char mark, char word[WORD_LEN])
{
	size_t len;

	while ((*at = strchr(*at, mark))) {
		bool within = isalnum((unsigned char)(*at)[-1]);

		len = word_len(++*at);
		if (within || !len || len >= WORD_LEN || (*at)[len] != mark)
			continue;
		snprintf(word, WORD_LEN, "%.*s", (int)len, *at);
		*at += len + 1;
		return true;
	}
	return false;
}

static void every_key_exists(void)
{
	char *text = read_all(MANUAL), word[WORD_LEN];
	const char *at = text + 1;
	size_t n = 0;

	while (marked(&at, '*', word)) {
		if (!strchr(word, '.') || strcmp(word, "tcphsd.conf") == 0)
			continue;
		CU_ASSERT_PTR_NOT_NULL(key_of(word));
		n++;
	}
	CU_ASSERT_TRUE(n > 50);
	free(text);
}

/* Rows of "|  *key*" and ":  default". */
static void every_default_is_the_default(void)
{
	char *text = read_all(MANUAL), word[WORD_LEN], value[WORD_LEN];
	const struct conf_key *key;
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, "\n|")); at++) {
		CU_ASSERT_EQUAL_FATAL(sscanf(at,
					     "\n|%*c%*c*%63[^*]*\n:%*c%*c%63s",
					     word, value),
				      2);
		key = key_of(word);
		CU_ASSERT_PTR_NOT_NULL_FATAL(key);
		if (strcmp(key->fallback, value) != 0)
			fprintf(stderr, "%s: %s = %s\n", MANUAL, word, value);
		CU_ASSERT_STRING_EQUAL(key->fallback, value);
		n++;
	}
	CU_ASSERT_TRUE(n >= 34);
	free(text);
}

static void every_member_is_shown(void)
{
	char *text = read_all(MANUAL), *members = read_all(MEMBERS);
	char word[WORD_LEN], bold[WORD_LEN + 2];
	const char *at = text + 1;
	size_t n = 0;

	while (marked(&at, '_', word)) {
		snprintf(bold, sizeof(bold), "*%s*", word);
		if (!strstr(members, bold))
			fprintf(stderr, "%s: no %s\n", MEMBERS, word);
		CU_ASSERT_PTR_NOT_NULL(strstr(members, bold));
		n++;
	}
	CU_ASSERT_TRUE(n > 25);
	free(members);
	free(text);
}

static void every_rfc_is_cited(void)
{
	char *text = read_all(MANUAL), *engine = read_all(ENGINE);
	char rfc[WORD_LEN];
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, "\n*RFC ")); at++) {
		snprintf(rfc, sizeof(rfc), "%.*s", (int)strcspn(at + 2, "*"),
			 at + 2);
		if (!strstr(engine, rfc))
			fprintf(stderr, "%s: no %s\n", ENGINE, rfc);
		CU_ASSERT_PTR_NOT_NULL(strstr(engine, rfc));
		n++;
	}
	CU_ASSERT_TRUE(n > 30);
	free(engine);
	free(text);
}

static void limits_are_those_of_the_headers(void)
{
	char *text = read_all(MANUAL), words[4][128];

	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	snprintf(words[0], sizeof(words[0]), "%d datagrams are put together",
		 REASM_DGRAMS_MAX);
	snprintf(words[1], sizeof(words[1]), "up to %d pieces",
		 REASM_PIECES_MAX);
	snprintf(words[2], sizeof(words[2]), "that is believed is %d.",
		 MSS_LEAST);
	snprintf(words[3], sizeof(words[3]), "up to %d ranges",
		 RECVQ_RANGES_MAX);
	for (size_t i = 0; i < 4; i++) {
		if (!strstr(text, words[i]))
			fprintf(stderr, "%s: no '%s'\n", MANUAL, words[i]);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, words[i]));
	}
	free(text);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(every_key_exists),
		UNIT_TEST(every_default_is_the_default),
		UNIT_TEST(every_member_is_shown),
		UNIT_TEST(every_rfc_is_cited),
		UNIT_TEST(limits_are_those_of_the_headers),
	};

	return unit_run("stack_manual", tests, ARRAY_LEN(tests), argc, argv);
}
