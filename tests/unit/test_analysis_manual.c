/*
 * test_analysis_manual.c - tcphs-analysis(7) explains every word, and its
 * examples are judged as it says
 *
 * A section of the page has a word as its title. Its block of code is a capture
 * (flow_script.h), and the judge must use the title's word for it.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/analysis.h>

#include "core/assert.h"
#include "flow_script.h"
#include "unit.h"

#define MANUAL	  "daemon/tcphs-analysis.7.scd"
#define LINE_LEN  256
#define WORDS_MAX 128

struct section {
	char title[64];
	char text[SCRIPT_LEN];	/* without markup, blanks single */
	char block[SCRIPT_LEN]; /* lines */
};

static struct section sections[WORDS_MAX];
static size_t nsections;

/* ---- the page ------------------------------------------------------------ */

static void add_text(char *to, size_t size, const char *line)
{
	size_t n = strlen(to);

	for (; *line && n + 2 < size; line++) {
		if (*line == '*' || (*line == '_' && line[1] == ' '))
			continue;
		if (isspace((unsigned char)*line)) {
			if (n && to[n - 1] != ' ')
				to[n++] = ' ';
		} else {
			to[n++] = *line;
		}
	}
	to[n] = '\0';
}

static void read_manual(void)
{
	char line[LINE_LEN];
	struct section *s = NULL;
	bool code = false;
	FILE *f = fopen(MANUAL, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	memset(sections, 0, sizeof(sections));
	nsections = 0;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "```", 3) == 0) {
			code = !code;
		} else if (strncmp(line, "# ", 2) == 0 && !code) {
			s = NULL;
		} else if (strncmp(line, "## ", 3) == 0 && !code) {
			CU_ASSERT_FATAL(nsections < WORDS_MAX);
			s = &sections[nsections++];
			line[strcspn(line, "\n")] = '\0';
			snprintf(s->title, sizeof(s->title), "%.60s", line + 3);
		} else if (s && code) {
			strncat(s->block, line,
				sizeof(s->block) - strlen(s->block) - 1);
		} else if (s) {
			add_text(s->text, sizeof(s->text), line);
		}
	}
	fclose(f);
}

static const struct section *section(const char *title)
{
	for (size_t i = 0; i < nsections; i++)
		if (strcmp(sections[i].title, title) == 0)
			return &sections[i];
	fprintf(stderr, "the page has no section %s\n", title);
	return NULL;
}

static void example(const char *word)
{
	const struct section *s = section(word);

	CU_ASSERT_PTR_NOT_NULL(s);
	if (!s)
		return;
	CU_ASSERT(s->block[0]);
	script_play(s->block);
	if (!script_says(word))
		fprintf(stderr, "the example of %s is judged%s\n", word,
			script_said());
	CU_ASSERT(script_says(word));
}

static void has(const char *title, const char *words)
{
	const struct section *s = section(title);

	if (!s)
		return;
	/* A sentence begins with a capital letter. */
	if (!strcasestr(s->text, words))
		fprintf(stderr, "%s lacks: %s\n", title, words);
	CU_ASSERT_PTR_NOT_NULL(strcasestr(s->text, words));
}

/* ---- the tests ----------------------------------------------------------- */

static void every_outcome(void)
{
	read_manual();
	for (unsigned int i = 0; i < JUDGED_NJUDGED; i++) {
		example(judged_name(i));
		has(judged_name(i), judged_meaning(i));
	}
}

static void every_stage(void)
{
	read_manual();
	for (unsigned int i = 0; i < REACHED_NREACHED; i++)
		if (i != REACHED_NONE)
			example(reached_name(i));
}

static void every_ending(void)
{
	read_manual();
	for (unsigned int i = 0; i < ENDING_NENDINGS; i++)
		if (i != ENDING_NONE) {
			example(ending_name(i));
			has(ending_name(i), ending_meaning(i));
		}
}

static void other_words(void)
{
	static const char *const words[] = {
		"inferred", "simultaneous", "split", "cookie_like",
		"tfo",	    "seen_before",  "late",  "filled_hole",
		"needless", "missed",
	};

	read_manual();
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		example(words[i]);
}

static void every_anomaly(void)
{
	read_manual();
	for (unsigned int i = 0; i < ANOMALY_NKINDS; i++) {
		example(anomaly_name(i));
		has(anomaly_name(i), anomaly_meaning(i));
		has(anomaly_name(i), severity_name(anomaly_severity(i)));
		has(anomaly_name(i), anomaly_clause(i));
		has(anomaly_name(i), anomaly_causes(i));
		has(anomaly_name(i), anomaly_advice(i));
	}
}

/* conn_state of Zeek's conn.log. */
static void every_state_of_zeek(void)
{
	static const char *const states[] = {
		"S0",	"S1",	  "SF",	   "REJ", "S2",	 "S3",	"RSTO",
		"RSTR", "RSTOS0", "RSTRH", "SH",  "SHR", "OTH",
	};

	read_manual();
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		example(states[i]);
}

/* The dullest of connections raises nothing. */
static void no_anomaly(void)
{
	const struct section *s;

	read_manual();
	s = section("fin_both");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	script_play(s->block);
	for (unsigned int i = 0; i < ANOMALY_NKINDS; i++)
		CU_ASSERT_FALSE(script_says(anomaly_name(i)));
}

static void every_finding(void)
{
	read_manual();
	for (unsigned int i = 0; i < FINDING_NKINDS; i++) {
		example(finding_name(i));
		has(finding_name(i), finding_meaning(i));
		has(finding_name(i), finding_causes(i));
		has(finding_name(i), finding_advice(i));
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(every_outcome), UNIT_TEST(every_stage),
		UNIT_TEST(every_ending),  UNIT_TEST(other_words),
		UNIT_TEST(every_anomaly), UNIT_TEST(no_anomaly),
		UNIT_TEST(every_finding), UNIT_TEST(every_state_of_zeek),
	};

	return unit_run("analysis_manual", tests, ARRAY_LEN(tests), argc, argv);
}
