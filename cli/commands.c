/*
 * commands.c - The table of commands, and finding the one that is meant
 *
 * A command has one word or two. Help, completion and the check of arguments
 * are made from the table.
 */
#include "cli.h"

#include <string.h>

#include <tcphs/nearest.h>

#define WORD_MAX  24
#define WORDS_MAX 128

#define LOOK (TAKES_COLUMNS | TAKES_WATCH)

const struct command cli_commands[] = {
	{"status", NULL, "", "the daemon as a whole", 0, 0, WORDS_NONE,
	 TAKES_WATCH, status_run},
	{"list", "ls ss", "[FILTER...]", "connections, all or those that match",
	 0, UINT32_MAX, WORDS_FILTER, LOOK | TAKES_RESOLVE, list_run},
	{"recent", NULL, "[FILTER...]",
	 "connections and attempts that ended, latest first", 0, UINT32_MAX,
	 WORDS_FILTER, LOOK | TAKES_COUNT | TAKES_SINCE | TAKES_RESOLVE,
	 recent_run},
	{"show", NULL, "CONN", "one connection and all its numbers", 1, 1,
	 WORDS_CONN, TAKES_WATCH | TAKES_RESOLVE, show_run},
	{"explain", NULL, "CONN|FILE#N|CODE",
	 "what happened, why, and what to do", 0, 1, WORDS_CONN,
	 LOCAL | TAKES_LAST, explain_run},
	{"ladder", NULL, "CONN|FILE#N",
	 "its packets as a diagram, closed or not", 1, 1, WORDS_CONN,
	 OF_CAPTURES | TAKES_LADDER | TAKES_FORMAT | TAKES_WATCH, ladder_run},
	{"top", NULL, "[FILTER...]", "the same on a live screen", 0, UINT32_MAX,
	 WORDS_FILTER, TAKES_INTERVAL | TAKES_RESOLVE, top_run},
	{"stats", NULL, "", "every counter; drops by reason", 0, 0, WORDS_NONE,
	 TAKES_WATCH | TAKES_ALL | TAKES_RESET, stats_run},
	{"histogram", NULL, "[listener=NAME]",
	 "how long handshakes took, as bars", 0, 1, WORDS_LISTENER, LOOK,
	 histogram_run},
	{"events", NULL, "[FILTER...]", "what happened, and what happens", 0,
	 UINT32_MAX, WORDS_FILTER,
	 TAKES_COLUMNS | TAKES_CLASSIC | TAKES_EVENTS | TAKES_SINCE |
		 TAKES_RESOLVE,
	 events_run},
	{"alerts", NULL, "[FILTER...]", "what looks wrong, or did lately", 0,
	 UINT32_MAX, WORDS_ALERTS, LOOK, alerts_run},
	{"metrics", NULL, "", "every figure, as Prometheus reads it", 0, 0,
	 WORDS_NONE, TAKES_WATCH, metrics_run},
	{"report", NULL, "[FILE...]",
	 "what happened over a time, also of log files", 0, UINT32_MAX,
	 WORDS_FILE, LOCAL | TAKES_SINCE | TAKES_FORMAT | TAKES_REPORT,
	 report_run},
	{"listener list", NULL, "", "listeners and who came", 0, 0, WORDS_NONE,
	 LOOK, listener_list_run},
	{"listener add", NULL, "NAME [KEY=VALUE...]",
	 "listen at one more port, until the daemon ends", 1, UINT32_MAX,
	 WORDS_NONE, TAKES_LISTEN, listener_add_run},
	{"listener set", NULL, "NAME KEY=VALUE...",
	 "other settings for it, until a reload or the end", 1, UINT32_MAX,
	 WORDS_LISTENER, TAKES_LISTEN, listener_set_run},
	{"listener del", NULL, "NAME", "listen there no more", 1, 1,
	 WORDS_LISTENER, 0, listener_del_run},
	{"listener enable", NULL, "NAME", "take new connections again", 1, 1,
	 WORDS_LISTENER, 0, listener_enable_run},
	{"listener disable", NULL, "NAME", "take no new connections", 1, 1,
	 WORDS_LISTENER, 0, listener_disable_run},
	{"close", NULL, "CONN|--all FILTER...",
	 "close one connection, or all that match", 0, UINT32_MAX, WORDS_FILTER,
	 TAKES_RST | TAKES_ALL, close_run},
	{"kill", NULL, "FILTER...", "the same for all that match, but ask", 1,
	 UINT32_MAX, WORDS_FILTER, TAKES_RST | TAKES_YES, kill_run},
	{"drain", NULL, "[LISTENER]",
	 "let nobody in, and wait for those who are there", 0, 1,
	 WORDS_LISTENER, 0, drain_run},
	{"connect", NULL, "ADDR PORT", "open a connection, and talk", 1, 2,
	 WORDS_NONE, TAKES_CLASSIC | TAKES_CONNECT, connect_run},
	{"probe", NULL, "ADDR PORT", "time handshakes, like a ping", 1, 2,
	 WORDS_NONE, TAKES_PROBE | TAKES_COUNT | TAKES_INTERVAL, probe_run},
	{"dump", NULL, "[FILTER...] -w FILE",
	 "packets to a pcapng file, or to Wireshark", 0, UINT32_MAX,
	 WORDS_FILTER, TAKES_FILE | TAKES_DUMP | TAKES_COUNT, dump_run},
	{"export", NULL, "CONN|FILE#N -w FILE",
	 "one connection as a pcapng file or a script", 1, 1, WORDS_CONN,
	 OF_CAPTURES | TAKES_FILE | TAKES_FORMAT, export_run},
	{"capture start", NULL, "[FILTER...]",
	 "have the daemon write packets to files", 0, UINT32_MAX, WORDS_FILTER,
	 0, capture_start_run},
	{"capture stop", NULL, "[-w FILE]", "end that; fetch what it wrote", 0,
	 0, WORDS_NONE, TAKES_FILE, capture_stop_run},
	{"capture list", NULL, "", "its files", 0, 0, WORDS_NONE, LOOK,
	 capture_list_run},
	{"attach", NULL, "CONN", "talk on a connection of service chat", 1, 1,
	 WORDS_CONN, TAKES_CLASSIC, attach_run},
	{"send", NULL, "CONN TEXT...", "say one line there", 2, UINT32_MAX,
	 WORDS_CONN, 0, send_run},
	{"analyze", NULL, "FILE...|-i IFACE",
	 "judge the connections of captures", 0, UINT32_MAX, WORDS_FILE,
	 LOCAL | TAKES_COLUMNS | TAKES_CAPTURES | TAKES_CLASSIC | TAKES_FILE |
		 TAKES_LADDER | TAKES_FORMAT | TAKES_DUMP | TAKES_COUNT |
		 TAKES_RESOLVE,
	 analyze_run},
	{"schema", NULL, "[COMMAND]", "JSON Schema of what it says with --json",
	 0, 2, WORDS_COMMAND, LOCAL, schema_run},
	{"config show", NULL, "", "what the daemon runs with, as a file", 0, 0,
	 WORDS_NONE, LOOK | TAKES_DEFAULTS, config_show_run},
	{"config check", NULL, "", "would a reload take the file?", 0, 0,
	 WORDS_NONE, TAKES_WATCH, config_check_run},
	{"config diff", NULL, "", "what the file says otherwise by now", 0, 0,
	 WORDS_NONE, LOOK, config_diff_run},
	{"reload", NULL, "", "read the configuration again", 0, 0, WORDS_NONE,
	 0, reload_run},
	{"log level", NULL, "[MODULE] LEVEL", "how much the daemon logs", 1, 2,
	 WORDS_LEVEL, 0, log_level_run},
	{"completion", NULL, "SHELL", "script for bash, zsh or fish", 1, 1,
	 WORDS_SHELL, LOCAL, completion_run},
	{"help", NULL, "[COMMAND]", "this, or about one command", 0, 2,
	 WORDS_COMMAND, LOCAL, help_run},
	{NULL, NULL, NULL, NULL, 0, 0, WORDS_NONE, 0, NULL},
};

/* tcphsctl without a command. */
static const struct command overview = {
	"",
	NULL,
	"",
	"status and list",
	0,
	0,
	WORDS_NONE,
	LOOK | TAKES_RESOLVE,
	overview_run,
};

static bool is_word(const char *list, const char *word);
static bool in_group(const struct command *cmd, const char *group);
static size_t add_words(char (*all)[WORD_MAX], size_t n, const char *list);
static const char *guess(const char *typed, char (*all)[WORD_MAX], size_t n);

const struct command *command_find(char **words, int n, int *used)
{
	const struct command *cmd;

	*used = 0;
	if (n == 0)
		return &overview;
	for (cmd = cli_commands; cmd->name; cmd++) {
		const char *second = strchr(cmd->name, ' ');
		size_t first = strcspn(cmd->name, " ");

		if (second && n > 1 && strlen(words[0]) == first &&
		    strncmp(words[0], cmd->name, first) == 0 &&
		    strcmp(words[1], second + 1) == 0) {
			*used = 2;
			return cmd;
		}
		if (!second &&
		    (strcmp(words[0], cmd->name) == 0 ||
		     (cmd->alias && is_word(cmd->alias, words[0])))) {
			*used = 1;
			return cmd;
		}
	}
	return NULL;
}

static bool is_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list) {
		if (strcspn(list, " ") == len && strncmp(list, word, len) == 0)
			return true;
		list = strchr(list, ' ');
		list += list != NULL;
	}
	return false;
}

enum cli_exit command_unknown(char **words, int n)
{
	char all[WORDS_MAX][WORD_MAX], list[128] = "";
	const struct command *cmd;
	const char *near;
	size_t count = 0;

	for (cmd = cli_commands; cmd->name; cmd++) {
		if (!in_group(cmd, words[0]))
			continue;
		count = add_words(all, count, strchr(cmd->name, ' ') + 1);
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			 "%s%s", *list ? ", " : "", all[count - 1]);
	}
	near = count > 0 && n > 1 ? guess(words[1], all, count) : NULL;
	if (near) {
		complain("unknown command '%s %s'; did you mean '%s %s'?",
			 words[0], words[1], words[0], near);
		return CLI_USAGE;
	}
	if (count > 0) {
		complain("'%s' wants one of: %s", words[0], list);
		return CLI_USAGE;
	}
	for (cmd = cli_commands; cmd->name; cmd++) {
		count = add_words(all, count, cmd->name);
		if (cmd->alias)
			count = add_words(all, count, cmd->alias);
	}
	near = guess(words[0], all, count);
	if (near)
		complain("unknown command '%s'; did you mean '%s'?", words[0],
			 near);
	else
		complain("unknown command '%s'; try: tcphsctl help", words[0]);
	return CLI_USAGE;
}

static bool in_group(const struct command *cmd, const char *group)
{
	size_t len = strcspn(cmd->name, " ");

	return cmd->name[len] == ' ' && strlen(group) == len &&
	       strncmp(cmd->name, group, len) == 0;
}

/* The words of a list that are no words of @all yet. Return: how many now */
static size_t add_words(char (*all)[WORD_MAX], size_t n, const char *list)
{
	while (*list && n < WORDS_MAX) {
		size_t len = strcspn(list, " ");

		snprintf(all[n++], WORD_MAX, "%.*s", (int)len, list);
		list += len + strspn(list + len, " ");
	}
	return n;
}

static const char *guess(const char *typed, char (*all)[WORD_MAX], size_t n)
{
	const char *names[WORDS_MAX];

	for (size_t i = 0; i < n; i++)
		names[i] = all[i];
	return nearest(typed, names, n);
}
