/*
 * advice.c - Words behind a label
 */
#include "advice.h"

#include <string.h>

#include "output.h"

#define LABEL_WIDTH 10

void advice_put(const struct cli *cli, const char *label, const char *words)
{
	size_t width = cli->screen_cols ? cli->screen_cols : 80;
	size_t column = 5 + LABEL_WIDTH, len;

	if (!words || !*words)
		return;
	fprintf(cli->out, "     %s%-*s%s", output_sgr(cli, SGR_BOLD),
		LABEL_WIDTH, label, output_sgr(cli, SGR_OFF));
	for (; *words; words += strspn(words, " ")) {
		char word[128];

		len = strcspn(words, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		text_clean(word);
		words += len;
		if (column > 5 + LABEL_WIDTH && column + len + 1 > width) {
			fprintf(cli->out, "\n%*s", 5 + LABEL_WIDTH, "");
			column = 5 + LABEL_WIDTH;
		}
		if (column > 5 + LABEL_WIDTH) {
			fputc(' ', cli->out);
			column++;
		}
		fputs(word, cli->out);
		column += len;
	}
	fputc('\n', cli->out);
}
