/*
 * advice.c - Words behind a label
 */
#include "advice.h"

#include <string.h>

#include "output.h"

#define INDENT	    5
#define LABEL_WIDTH 10

void advice_put(const struct cli *cli, const char *label, const char *words)
{
	if (!words || !*words)
		return;
	fprintf(cli->out, "%*s%s%-*s%s", INDENT, "", output_sgr(cli, SGR_BOLD),
		LABEL_WIDTH, label, output_sgr(cli, SGR_OFF));
	advice_words(cli, words, INDENT + LABEL_WIDTH);
	fputc('\n', cli->out);
}

void advice_words(const struct cli *cli, const char *words, size_t indent)
{
	size_t width = cli->screen_cols ? cli->screen_cols : 80;
	size_t column = indent;

	for (; *words; words += strspn(words, " ")) {
		size_t len = strcspn(words, " ");
		char word[128];

		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		text_clean(word);
		words += len;
		if (column > indent && column + len + 1 > width) {
			fprintf(cli->out, "\n%*s", (int)indent, "");
			column = indent;
		}
		if (column > indent) {
			fputc(' ', cli->out);
			column++;
		}
		fputs(word, cli->out);
		column += len;
	}
}
