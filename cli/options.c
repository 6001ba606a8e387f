/*
 * options.c - The options of the command line
 *
 * One table says what options there are; getopt_long(), the help and the
 * completions are fed from it. Options may stand anywhere, so words are taken
 * in order ("-" in front of the option string) and not by permutation, which
 * POSIXLY_CORRECT in the environment would forbid.
 */
#include "cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tcphs/ctl.h>
#include <tcphs/nearest.h>

#define WATCH_US    INT64_C(2000000)
#define INTERVAL_US INT64_C(1000000)
#define TIMEOUT_US  INT64_C(10000000)

enum opt {
	OPT_SOCKET,
	OPT_JSON,
	OPT_NDJSON,
	OPT_CSV,
	OPT_TSV,
	OPT_RAW,
	OPT_COLUMNS,
	OPT_NO_HEADER,
	OPT_RESOLVE,
	OPT_WATCH,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_COLOR,
	OPT_TIMEOUT,
	OPT_RST,
	OPT_ALL,
	OPT_YES,
	OPT_CLASSIC,
	OPT_SOURCE,
	OPT_NODELAY,
	OPT_PORT,
	OPT_SERVICE,
	OPT_COUNT,
	OPT_INTERVAL,
	OPT_EXPECT,
	OPT_LAST,
	OPT_LAST_FAILED,
	OPT_SINCE,
	OPT_FOLLOW,
	OPT_LEVEL,
	OPT_WRITE,
	OPT_SNAPLEN,
	OPT_DURATION,
	OPT_FORMAT,
	OPT_AT,
	OPT_RELATIVE,
	OPT_ABSOLUTE,
	OPT_UTC,
	OPT_LOCAL,
	OPT_VERIFY,
	OPT_SECURITY,
	OPT_STRICT,
	OPT_FILTER,
	OPT_SORT,
	OPT_FAIL_ON,
	OPT_INTERFACE,
	OPT_HTML,
	OPT_SUMMARY,
	OPT_PACKETS,
	OPT_CONNECTION,
	OPT_EXPORT,
	OPT_DEFAULTS,
	OPT_RESET_VIEW,
	OPT_VERSION,
	OPT_HELP,
	NOPTS
};

const struct cli_option cli_options[NOPTS + 1] = {
	[OPT_SOCKET] = {"socket", 's', "PATH", "control socket of the daemon",
			0},
	[OPT_JSON] = {"json", 'j', NULL, "one JSON document", 0},
	[OPT_NDJSON] = {"ndjson", 0, NULL, "one JSON object a line", 0},
	[OPT_CSV] = {"csv", 0, NULL, "comma separated, plain numbers", 0},
	[OPT_TSV] = {"tsv", 0, NULL, "tab separated, plain numbers", 0},
	[OPT_RAW] = {"raw", 0, NULL, "blank separated, plain numbers", 0},
	[OPT_COLUMNS] = {"columns", 'o', "LIST",
			 "columns to show, or +COLUMN to add", TAKES_COLUMNS},
	[OPT_NO_HEADER] = {"no-header", 'H', NULL, "no line of column names",
			   0},
	[OPT_RESOLVE] = {"resolve", 'r', NULL,
			 "names instead of numbers, for people", TAKES_RESOLVE},
	[OPT_WATCH] = {"watch", 'w', "[SEC]", "repeat every SEC seconds (2)",
		       TAKES_WATCH},
	[OPT_QUIET] = {"quiet", 'q', NULL, "only errors and the exit code", 0},
	[OPT_VERBOSE] = {"verbose", 'v', NULL, "more of it", 0},
	[OPT_COLOR] = {"color", 0, "WHEN", "auto, always or never", 0},
	[OPT_TIMEOUT] = {"timeout", 0, "DUR",
			 "longest silence of the daemon (10s)", 0},
	[OPT_RST] = {"rst", 0, NULL, "reset instead of closing", TAKES_RST},
	[OPT_ALL] = {"all", 0, NULL,
		     "all that match a filter; stats: of all time", TAKES_ALL},
	[OPT_YES] = {"yes", 'y', NULL, "do not ask", TAKES_YES},
	[OPT_CLASSIC] = {"classic", 0, NULL, "say who says what",
			 TAKES_CLASSIC},
	[OPT_SOURCE] = {"source", 0, "PORT", "port of ours to connect from",
			TAKES_CONNECT},
	[OPT_NODELAY] = {"nodelay", 0, NULL,
			 "send small pieces at once (no Nagle)", TAKES_CONNECT},
	[OPT_PORT] = {"port", 0, "PORT", "to listen at", TAKES_LISTEN},
	[OPT_SERVICE] = {"service", 0, "SERVICE", "that answers there",
			 TAKES_LISTEN},
	[OPT_COUNT] = {"count", 'c', "N", "so many; else until Ctrl-C",
		       TAKES_COUNT},
	[OPT_INTERVAL] = {"interval", 'i', "DUR", "from one to the next (1s)",
			  TAKES_INTERVAL},
	[OPT_EXPECT] = {"expect", 0, "OUTCOME",
			"exit 0 if all went so, 1 if not", TAKES_PROBE},
	[OPT_LAST] = {"last", 0, NULL, "the connection that was opened last",
		      TAKES_LAST},
	[OPT_LAST_FAILED] = {"last-failed", 0, NULL,
			     "the last handshake that failed", TAKES_LAST},
	[OPT_SINCE] = {"since", 0, "TIME", "10m ago, 14:30, or a time in UTC",
		       TAKES_SINCE},
	[OPT_FOLLOW] = {"follow", 'f', NULL, "go on with what comes",
			TAKES_EVENTS},
	[OPT_LEVEL] = {"level", 0, "LEVEL",
		       "error, warning, notice, info (default) or debug",
		       TAKES_EVENTS},
	[OPT_WRITE] = {"write", 0, "FILE",
		       "file to write (-w FILE), - for a pipe", TAKES_FILE},
	[OPT_SNAPLEN] = {"snaplen", 0, "BYTES", "kept of each packet",
			 TAKES_DUMP},
	[OPT_DURATION] = {"duration", 0, "DUR", "end after so long",
			  TAKES_DUMP},
	[OPT_FORMAT] = {"format", 0, "FORMAT",
			"text, html or another (-f FORMAT)", TAKES_FORMAT},
	[OPT_AT] = {"at", 0, "N", "end with packet N, and all about it",
		    TAKES_LADDER},
	[OPT_RELATIVE] = {"relative-seq", 0, NULL,
			  "numbers from the first SYN on (as always)",
			  TAKES_LADDER},
	[OPT_ABSOLUTE] = {"absolute-seq", 0, NULL, "numbers as they were sent",
			  TAKES_LADDER},
	[OPT_UTC] = {"utc", 0, NULL, "time of day in UTC", TAKES_LADDER},
	[OPT_LOCAL] = {"local", 0, NULL, "time of day here", TAKES_LADDER},
	[OPT_VERIFY] = {"verify", 0, NULL,
			"exit 1 if lines of a log are missing", TAKES_REPORT},
	[OPT_SECURITY] = {"security", 0, NULL,
			  "who scans, floods, guesses or was turned away",
			  TAKES_REPORT},
	[OPT_STRICT] = {"strict", 0, NULL, "exit 1 if a file is damaged",
			TAKES_CAPTURES},
	[OPT_FILTER] = {"filter", 0, "EXPR", "only connections that match",
			TAKES_CAPTURES},
	[OPT_SORT] = {"sort", 0, "COLUMN", "in the order of it; -COLUMN: down",
		      TAKES_CAPTURES},
	[OPT_FAIL_ON] = {"fail-on", 0, "SEVERITY",
			 "exit 10 if there is an anomaly so bad",
			 TAKES_CAPTURES},
	[OPT_INTERFACE] = {"interface", 0, "IFACE",
			   "what passes there (-i IFACE)", TAKES_CAPTURES},
	[OPT_HTML] = {"html", 0, "FILE", "a page for a browser, - for a pipe",
		      TAKES_CAPTURES},
	[OPT_SUMMARY] = {"summary", 0, NULL, "all of them in one screen",
			 TAKES_CAPTURES},
	[OPT_PACKETS] = {"packets", 0, NULL, "every packet; see --classic",
			 TAKES_CAPTURES},
	[OPT_CONNECTION] = {"connection", 0, "N",
			    "one in full: what it means, and its ladder",
			    TAKES_CAPTURES},
	[OPT_EXPORT] = {"export", 0, "N", "the packets of one, into -w FILE",
			TAKES_CAPTURES},
	[OPT_DEFAULTS] = {"defaults", 0, NULL,
			  "keys that have their default, too", TAKES_DEFAULTS},
	[OPT_RESET_VIEW] = {"reset-view", 0, NULL,
			    "have stats count from now on", TAKES_RESET},
	[OPT_VERSION] = {"version", 'V', NULL, "print the version", 0},
	[OPT_HELP] = {"help", 'h', NULL, "print help", 0},
};

_Static_assert(NOPTS <= 64, "bits of struct cli.given");

static void make_tables(struct option *longs, char *shorts);
static enum cli_exit take(struct cli *cli, enum opt opt, const char *arg);
static enum cli_exit take_time(enum opt opt, const char *arg, int64_t *us);
static enum cli_exit take_number(enum opt opt, const char *arg, uint32_t *n);
struct other;
static const struct other *means_other(char **words, int n, int c);
static enum cli_exit take_other(struct cli *cli, const struct other *other,
				const char *arg);
static enum cli_exit take_color(struct cli *cli, const char *arg);
static enum cli_exit unknown(const char *arg, int letter);
static int index_of_letter(int letter);

#define LONG_BASE 256 /* getopt's code of option i is LONG_BASE + i */

enum cli_exit options_parse(struct cli *cli, int argc, char **argv,
			    char **words, int *n)
{
	struct option longs[NOPTS + 1];
	char shorts[4 * NOPTS + 3];
	const struct other *other;
	enum cli_exit e = CLI_OK;
	int c;

	cli->socket = getenv("TCPHS_SOCKET");
	if (!cli->socket || !*cli->socket)
		cli->socket = CTL_SOCKET;
	cli->header = true;
	cli->timeout_us = TIMEOUT_US;
	cli->watch_us = WATCH_US;
	cli->interval_us = INTERVAL_US;
	take_color(cli, "auto");

	make_tables(longs, shorts);
	opterr = 0;
	*n = 0;
	while (e == CLI_OK &&
	       (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == 1)
			words[(*n)++] = optarg;
		else if (c == ':') {
			complain("%s wants an argument", argv[optind - 1]);
			e = CLI_USAGE;
		} else if (c == '?')
			e = unknown(argv[optind - 1], optopt);
		else if ((other = means_other(words, *n, c)))
			e = take_other(cli, other,
				       optarg || optind == argc
					       ? optarg
					       : argv[optind++]);
		else
			e = take(cli,
				 (enum opt)(c >= LONG_BASE
						    ? c - LONG_BASE
						    : index_of_letter(c)),
				 optarg);
	}
	while (optind < argc)
		words[(*n)++] = argv[optind++]; /* after "--" */
	cli->raw = cli->format == FORMAT_RAW;
	if (cli->quiet)
		cli->format = FORMAT_NONE;
	return e;
}

enum cli_exit options_check(const struct cli *cli, const struct command *cmd)
{
	for (unsigned int i = 0; i < NOPTS; i++) {
		const struct cli_option *o = &cli_options[i];

		if (!(cli->given & UINT64_C(1) << i) ||
		    !(o->needs & ~cmd->flags))
			continue;
		if (*cmd->name)
			complain("'%s' takes no --%s", cmd->name, o->name);
		else
			complain("--%s needs a command", o->name);
		return CLI_USAGE;
	}
	return CLI_OK;
}

static void make_tables(struct option *longs, char *shorts)
{
	*shorts++ = '-';
	*shorts++ = ':';
	for (int i = 0; i < NOPTS; i++) {
		const struct cli_option *o = &cli_options[i];
		int has = !o->arg	     ? no_argument
			  : o->arg[0] == '[' ? optional_argument
					     : required_argument;

		longs[i] = (struct option){o->name, has, NULL, LONG_BASE + i};
		if (!o->letter)
			continue;
		*shorts++ = o->letter;
		for (int colons = has; colons > 0; colons--)
			*shorts++ = ':';
	}
	longs[NOPTS] = (struct option){0};
	*shorts = '\0';
}

/* Letters that are another option behind some commands: -w is not --watch[=SEC]
 * where a file is written. */
static const struct other {
	int letter;
	unsigned int behind;
	enum opt opt;
	const char *wants;
} others[] = {
	{'w', TAKES_FILE, OPT_WRITE, "a file, or - for a pipe"},
	{'f', TAKES_FORMAT, OPT_FORMAT, "a format, such as text or html"},
	{'i', TAKES_CAPTURES, OPT_INTERFACE, "an interface"},
};

static const struct other *means_other(char **words, int n, int c)
{
	const struct command *cmd;
	int used;

	cmd = n ? command_find(words, n, &used) : NULL;
	for (size_t i = 0; cmd && i < sizeof(others) / sizeof(*others); i++)
		if (others[i].letter == c && cmd->flags & others[i].behind)
			return &others[i];
	return NULL;
}

static enum cli_exit take_other(struct cli *cli, const struct other *other,
				const char *arg)
{
	if (arg)
		return take(cli, other->opt, arg);
	complain("-%c wants %s", other->letter, other->wants);
	return CLI_USAGE;
}

/* Where each goes, as what. */
static const struct target {
	enum {
		TO_FLAG,
		TO_TEXT,
		TO_NUMBER,
		TO_TIME,
		TO_WATCH, /* a flag, and a time that may be left out */
		TO_FORMAT,
		TO_COLOUR,
	} kind;
	size_t at; /* in struct cli */
	int value; /* of a flag or format */
	const char *wants;
} targets[NOPTS] = {
#define AT(f)	       .at = offsetof(struct cli, f)
#define FLAG(f)	       .kind = TO_FLAG, AT(f), .value = true
#define TEXT(f)	       .kind = TO_TEXT, AT(f)
#define NUMBER(f)      .kind = TO_NUMBER, AT(f), .wants = "a number"
#define TIME(f, words) .kind = TO_TIME, AT(f), .wants = words
#define AS(f)	       .kind = TO_FORMAT, .value = FORMAT_##f
	[OPT_SOCKET] = {TEXT(socket)},
	[OPT_JSON] = {AS(JSON)},
	[OPT_NDJSON] = {AS(NDJSON)},
	[OPT_CSV] = {AS(CSV)},
	[OPT_TSV] = {AS(TSV)},
	[OPT_RAW] = {AS(RAW)},
	[OPT_COLUMNS] = {TEXT(columns)},
	[OPT_NO_HEADER] = {.kind = TO_FLAG, AT(header)},
	[OPT_RESOLVE] = {FLAG(resolve)},
	[OPT_WATCH] = {.kind = TO_WATCH, AT(watch_us), .wants = "seconds"},
	[OPT_QUIET] = {FLAG(quiet)},
	[OPT_VERBOSE] = {FLAG(verbose)},
	[OPT_COLOR] = {.kind = TO_COLOUR},
	[OPT_TIMEOUT] = {TIME(timeout_us, "a time such as 500ms or 5s")},
	[OPT_RST] = {FLAG(rst)},
	[OPT_ALL] = {FLAG(all)},
	[OPT_YES] = {FLAG(yes)},
	[OPT_CLASSIC] = {FLAG(classic)},
	[OPT_SOURCE] = {TEXT(source)},
	[OPT_NODELAY] = {FLAG(nodelay)},
	[OPT_PORT] = {TEXT(port)},
	[OPT_SERVICE] = {TEXT(service)},
	[OPT_COUNT] = {NUMBER(count)},
	[OPT_INTERVAL] = {TIME(interval_us, "a time such as 200ms or 5s")},
	[OPT_LAST] = {FLAG(last)},
	[OPT_LAST_FAILED] = {FLAG(last_failed)},
	[OPT_EXPECT] = {TEXT(expect)},
	[OPT_SINCE] = {TEXT(since)},
	[OPT_FOLLOW] = {FLAG(follow)},
	[OPT_LEVEL] = {TEXT(level)},
	[OPT_WRITE] = {TEXT(file)},
	[OPT_SNAPLEN] = {NUMBER(snaplen)},
	[OPT_DURATION] = {TIME(duration_us, "a time such as 500ms or 1m")},
	[OPT_FORMAT] = {TEXT(draw)},
	[OPT_AT] = {NUMBER(at)},
	[OPT_RELATIVE] = {FLAG(relative_seq)},
	[OPT_ABSOLUTE] = {FLAG(absolute_seq)},
	[OPT_UTC] = {FLAG(utc)},
	[OPT_LOCAL] = {FLAG(local)},
	[OPT_VERIFY] = {FLAG(verify)},
	[OPT_SECURITY] = {FLAG(security)},
	[OPT_STRICT] = {FLAG(strict)},
	[OPT_FILTER] = {TEXT(filter)},
	[OPT_SORT] = {TEXT(sort)},
	[OPT_FAIL_ON] = {TEXT(fail_on)},
	[OPT_INTERFACE] = {TEXT(interface)},
	[OPT_HTML] = {TEXT(html)},
	[OPT_SUMMARY] = {FLAG(summary)},
	[OPT_PACKETS] = {FLAG(packets)},
	[OPT_CONNECTION] = {NUMBER(connection)},
	[OPT_EXPORT] = {NUMBER(export_conn)},
	[OPT_DEFAULTS] = {FLAG(defaults)},
	[OPT_RESET_VIEW] = {FLAG(reset_view)},
	[OPT_VERSION] = {FLAG(version)},
	[OPT_HELP] = {FLAG(help)},
#undef AT
#undef FLAG
#undef TEXT
#undef NUMBER
#undef TIME
#undef AS
};

static enum cli_exit take(struct cli *cli, enum opt opt, const char *arg)
{
	const struct target *t = &targets[opt];
	void *field = (char *)cli + t->at;

	cli->given |= UINT64_C(1) << opt;
	switch (t->kind) {
	case TO_FLAG:
		*(bool *)field = t->value;
		return CLI_OK;
	case TO_TEXT:
		*(const char **)field = arg;
		return CLI_OK;
	case TO_NUMBER:
		return take_number(opt, arg, field);
	case TO_WATCH:
		cli->watch = true;
		return arg ? take_time(opt, arg, field) : CLI_OK;
	case TO_TIME:
		cli->timeout_set |= opt == OPT_TIMEOUT;
		return take_time(opt, arg, field);
	case TO_FORMAT:
		cli->format = (enum cli_format)t->value;
		return CLI_OK;
	case TO_COLOUR:
		return take_color(cli, arg);
	}
	return CLI_OK;
}

static enum cli_exit refuse(enum opt opt, const char *arg)
{
	complain("--%s wants %s, not '%s'", cli_options[opt].name,
		 targets[opt].wants, arg);
	return CLI_USAGE;
}

/* A millisecond at least. */
static enum cli_exit take_time(enum opt opt, const char *arg, int64_t *us)
{
	if (text_parse_duration(arg, us) && *us >= 1000)
		return CLI_OK;
	return refuse(opt, arg);
}

static enum cli_exit take_number(enum opt opt, const char *arg, uint32_t *n)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || !v || v > UINT32_MAX)
		return refuse(opt, arg);
	*n = (uint32_t)v;
	return CLI_OK;
}

static enum cli_exit take_color(struct cli *cli, const char *arg)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (strcmp(arg, "always") == 0)
		cli->colour = true;
	else if (strcmp(arg, "never") == 0)
		cli->colour = false;
	else if (strcmp(arg, "auto") == 0)
		cli->colour = isatty(STDOUT_FILENO) &&
			      !(no_color && *no_color) && term &&
			      strcmp(term, "dumb") != 0;
	else {
		complain("--color wants auto, always or never, not '%s'", arg);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* getopt sets optopt to the letter, to 0 for a long option it does not know,
 * and to our code for a long option with an argument too many. */
static enum cli_exit unknown(const char *arg, int letter)
{
	const char *names[NOPTS], *near;
	char name[64];

	if (letter >= LONG_BASE) {
		complain("--%s takes no argument",
			 cli_options[letter - LONG_BASE].name);
		return CLI_USAGE;
	}
	if (letter) {
		complain("unknown option '-%c'; try: tcphsctl help", letter);
		return CLI_USAGE;
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg + 2, "="),
		 arg + 2);
	for (int i = 0; i < NOPTS; i++)
		names[i] = cli_options[i].name;
	near = nearest(name, names, NOPTS);
	if (near)
		complain("unknown option '--%s'; did you mean --%s?", name,
			 near);
	else
		complain("unknown option '--%s'; try: tcphsctl help", name);
	return CLI_USAGE;
}

static int index_of_letter(int letter)
{
	int i = 0;

	while (cli_options[i].letter != letter)
		i++;
	return i;
}
