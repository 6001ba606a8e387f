/*
 * stats.c - Every counter, in words
 *
 * The words are those of the lists in stack.h and event.h. A counter that they
 * do not have comes from a newer daemon and stands under its name alone.
 */
#include "cli.h"

#include <inttypes.h>
#include <string.h>

#include <tcphs/stack.h>

#include "client.h"
#include "output.h"
#include "zero.h"

#define NUMBER_WIDTH 14
#define NAME_WIDTH   24

/* Puts the meaning of a name into @buf; leaves it empty if there is none. */
typedef void words_fn(const char *name, char *buf, size_t size);

static void put_since(const struct cli *cli, json_t *doc);
static void stats_text(const struct cli *cli, const json_t *doc);
static void put_group(const struct cli *cli, const json_t *group,
		      const char *title, const char *none, words_fn *words);
static void put_words(const struct cli *cli, const char *words);
static words_fn self_check_words, counter_words, drop_reason_words,
	limit_name_words, tun_words, busy_poll_words;

enum cli_exit stats_run(struct cli *cli, int argc, char **argv)
{
	bool people = cli->format == FORMAT_TEXT;
	enum cli_exit e;
	json_t *doc;

	(void)argc;
	(void)argv;
	e = client_call(cli->client, "stats", NULL, NULL, NULL, &doc);
	if (e != CLI_OK)
		return e;
	if (cli->reset_view)
		e = zero_keep(cli, doc);
	if (cli->reset_view && e == CLI_OK && people && !cli->watch) {
		fputs("counting from now on; since the daemon began: tcphsctl "
		      "stats --all\n",
		      cli->out);
	} else if (e == CLI_OK) {
		if (people && !cli->all)
			put_since(cli, doc);
		output_document(cli, doc, stats_text);
	}
	cli->reset_view = false; /* once, if it is repeated */
	json_decref(doc);
	return e;
}

static void put_since(const struct cli *cli, json_t *doc)
{
	char age[TEXT_NUMBER_MAX];
	int64_t age_us;

	if (zero_subtract(cli, doc, &age_us))
		fprintf(cli->out,
			"%sin the last %s; all: tcphsctl stats --all"
			"%s\n",
			output_sgr(cli, SGR_DIM), text_duration(age_us, age),
			output_sgr(cli, SGR_OFF));
}

static void stats_text(const struct cli *cli, const json_t *doc)
{
	put_group(cli, json_object_get(doc, "counters"), "Counters",
		  "nothing happened yet", counter_words);
	put_group(cli, json_object_get(doc, "dropped"), "Dropped", "nothing",
		  drop_reason_words);
	put_group(cli, json_object_get(doc, "limits"), "Refused by a limit",
		  "nothing", limit_name_words);
	put_group(cli, json_object_get(doc, "states"), "Connections", "none",
		  NULL);
	put_group(cli, json_object_get(doc, "tun"), "Device", "no errors",
		  tun_words);
	if (json_object_get(doc, "busy_poll"))
		put_group(cli, json_object_get(doc, "busy_poll"), "Busy poll",
			  "no rhythm", busy_poll_words);
	if (json_object_get(doc, "self_check"))
		put_group(cli, json_object_get(doc, "self_check"), "Self-check",
			  "nothing was judged yet", self_check_words);
}

static void put_group(const struct cli *cli, const json_t *group,
		      const char *title, const char *none, words_fn *words)
{
	char name[64], buf[160];
	bool any = false;
	const char *key;
	json_t *v;

	fprintf(cli->out, "%s%s%s\n", output_sgr(cli, SGR_BOLD), title,
		output_sgr(cli, SGR_OFF));
	/* jansson's macro takes no const object; it is not changed. */
	json_object_foreach((json_t *)(uintptr_t)group, key, v)
	{
		json_int_t n = json_integer_value(v);

		if (n == 0 && !cli->verbose)
			continue;
		any = true;
		snprintf(name, sizeof(name), "%s", key);
		text_clean(name);
		buf[0] = '\0';
		if (words)
			words(key, buf, sizeof(buf));
		fprintf(cli->out, "%*" JSON_INTEGER_FORMAT "  %-*s",
			NUMBER_WIDTH, n, *buf ? NAME_WIDTH : 0, name);
		put_words(cli, buf);
	}
	if (!any)
		fprintf(cli->out, "%*s  %s\n", NUMBER_WIDTH, "-", none);
}

/* The rest of a line, or more below one another if the terminal is narrow. */
static void put_words(const struct cli *cli, const char *words)
{
	const size_t left = NUMBER_WIDTH + 2 + NAME_WIDTH + 2;
	size_t column = left, len;

	for (; *words; words += len + strspn(words + len, " ")) {
		len = strcspn(words, " ");
		if (column == left) {
			fputs("  ", cli->out);
		} else if (cli->screen_cols &&
			   column + 1 + len > cli->screen_cols) {
			fprintf(cli->out, "\n%*s", (int)left, "");
			column = left;
		} else {
			fputc(' ', cli->out);
			column++;
		}
		fwrite(words, 1, len, cli->out);
		column += len;
	}
	fputc('\n', cli->out);
}

static void self_check_words(const char *name, char *buf, size_t size)
{
	static const struct {
		const char *name, *words;
	} all[] = {
		{"agreed", "connections judged as we know them"},
		{"differed", "judged otherwise: a bug, see the log"},
		{"unknown", "not compared: forgotten, or not decided"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(name, all[i].name) == 0)
			snprintf(buf, size, "%s", all[i].words);
}

static void counter_words(const char *name, char *buf, size_t size)
{
	static const struct {
		const char *name, *words;
	} stats[] = {
#define STAT_WORDS(name, words) {#name, words},
		STACK_STAT_LIST(STAT_WORDS)
#undef STAT_WORDS
	};

	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++)
		if (strcmp(name, stats[i].name) == 0)
			snprintf(buf, size, "%s", stats[i].words);
}

static void drop_reason_words(const char *name, char *buf, size_t size)
{
	for (int i = 0; i < DROP_NREASONS; i++) {
		enum drop_reason r = (enum drop_reason)i;

		if (strcmp(name, drop_name(r)) == 0)
			snprintf(buf, size, "%s (%s)", drop_words(r),
				 drop_clause(r));
	}
}

static void limit_name_words(const char *name, char *buf, size_t size)
{
	for (int i = 0; i < LIMIT_NLIMITS; i++) {
		enum stack_limit l = (enum stack_limit)i;

		if (strcmp(name, limit_name(l)) == 0)
			snprintf(buf, size, "%s", limit_words(l));
	}
}

static void tun_words(const char *name, char *buf, size_t size)
{
	static const struct {
		const char *name, *words;
	} tun[] = {
		{"read_errors", "reads that failed"},
		{"write_errors", "packets that the kernel refused"},
		{"write_full", "packets lost to a full queue"},
		{"queue_dropped",
		 "packets for us lost in the kernel's full queue"},
	};

	for (size_t i = 0; i < sizeof(tun) / sizeof(tun[0]); i++)
		if (strcmp(name, tun[i].name) == 0)
			snprintf(buf, size, "%s", tun[i].words);
}

static void busy_poll_words(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s",
		 strcmp(name, "paid") == 0     ? "a packet came meanwhile"
		 : strcmp(name, "missed") == 0 ? "none came"
					       : "");
}
