/*
 * test_drops_manual.c - tcphs-drops(7) says of each reason what event.h says
 */
#include <stdio.h>
#include <string.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "unit.h"

#define MANUAL	 "daemon/tcphs-drops.7.scd"
#define LINE_LEN 128

/* A row of its tables; markup removed. */
struct row {
	char name[LINE_LEN], words[LINE_LEN], clause[LINE_LEN];
};

static struct row rows[2 * DROP_NREASONS];
static size_t nrows;

/* What follows the mark of a cell, "|  " or ":[ ", without *bold*. */
static void cell(char *to, const char *line)
{
	size_t len = strcspn(line, "\n");

	line += len < 3 ? len : 3;
	len = strcspn(line, "\n");
	if (len > 1 && line[0] == '*' && line[len - 1] == '*') {
		line++;
		len -= 2;
	}
	memcpy(to, line, len);
	to[len] = '\0';
}

static void read_manual(void)
{
	char line[LINE_LEN], *cells[3];
	unsigned int at = 0;
	FILE *f = fopen(MANUAL, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	nrows = 0;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '|') {
			CU_ASSERT_FATAL(nrows < ARRAY_LEN(rows));
			cells[0] = rows[nrows].name;
			cells[1] = rows[nrows].words;
			cells[2] = rows[nrows].clause;
			nrows++;
			at = 0;
		} else if (line[0] != ':') {
			continue;
		}
		CU_ASSERT_FATAL(nrows > 0 && at < 3);
		cell(cells[at++], line);
	}
	fclose(f);
}

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < nrows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static void every_reason_once(void)
{
	read_manual();
	CU_ASSERT_EQUAL(nrows, DROP_NREASONS - 1); /* but "not dropped" */
	for (int r = DROP_NONE + 1; r < DROP_NREASONS; r++) {
		const struct row *row = find(drop_name(r));

		if (!row)
			fprintf(stderr, "%s lacks %s\n", MANUAL, drop_name(r));
		CU_ASSERT_PTR_NOT_NULL(row);
	}
}

static void words_and_clauses(void)
{
	read_manual();
	for (int r = DROP_NONE + 1; r < DROP_NREASONS; r++) {
		const struct row *row = find(drop_name(r));

		if (!row)
			continue;
		CU_ASSERT_STRING_EQUAL(row->words, drop_words(r));
		CU_ASSERT_STRING_EQUAL(row->clause, drop_clause(r));
		CU_ASSERT_EQUAL(strncmp(row->clause, "RFC ", 4), 0);
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(every_reason_once),
		UNIT_TEST(words_and_clauses),
	};

	return unit_run("drops_manual", tests, ARRAY_LEN(tests), argc, argv);
}
