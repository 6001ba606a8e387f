/*
 * ctl_text.c - Text mode: a command line in, lines for people out
 *
 * For those who have nothing but socat at hand:
 *
 *	echo 'list state established' | socat - UNIX:/run/tcphsd/control.sock
 *
 * A command is translated to the same method with the same parameters as in
 * JSON, so rights and errors are the same. The first line of the answer is the
 * greeting, which every client gets before it has said what it speaks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/assert.h"
#include "ctl_priv.h"

#define LINE_MAX_TEXT 256
#define PATH_MAX_TEXT 128

/* Words, the method, and the parameter that takes the rest of the line. */
static const struct command {
	const char *words, *method, *param;
	bool rst; /* may end in --rst */
	const char *help;
} commands[] = {
	{"status", "status", NULL, false, "status"},
	{"list", "conn.list", "filter", false, "list [FILTER]"},
	{"ls", "conn.list", "filter", false, NULL},
	{"ss", "conn.list", "filter", false, NULL},
	{"show", "conn.show", "conn", false, "show CONN"},
	{"recent", "conn.recent", "filter", false, "recent [FILTER]"},
	{"events", "events.follow", "filter", false, "events [FILTER]"},
	{"stats", "stats", NULL, false, "stats"},
	{"alerts", "alerts", "filter", false, "alerts [FILTER]"},
	{"histogram", "histogram", "listener", false, "histogram [LISTENER]"},
	{"listener list", "listener.list", NULL, false, "listener list"},
	{"listener del", "listener.del", "name", false, "listener del NAME"},
	{"listener enable", "listener.enable", "name", false,
	 "listener enable NAME"},
	{"listener disable", "listener.disable", "name", false,
	 "listener disable NAME"},
	{"close --all", "conn.kill", "filter", true,
	 "close --all FILTER [--rst]"},
	{"close", "conn.close", "conn", true, "close CONN [--rst]"},
	{"kill", "conn.kill", "filter", true, "kill FILTER [--rst]"},
	{"config show", "config.show", NULL, false, "config show"},
	{"config check", "config.check", NULL, false, "config check"},
	{"config diff", "config.diff", NULL, false, "config diff"},
	{"reload", "reload", NULL, false, "reload"},
	{"log level", "log.level", "level", false, "log level LEVEL"},
};

/* ---- in ---------------------------------------------------------------- */

static const char *blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* Behind the words of a command, or NULL if it is another one. */
static const char *after_words(const char *line, const char *words)
{
	while (*words) {
		size_t n = strcspn(words, " ");

		line = blanks(line);
		if (strncmp(line, words, n) != 0 || !strchr(" \t", line[n]))
			return NULL;
		line += n;
		words += n + (words[n] == ' ');
	}
	return blanks(line);
}

/* Cuts "--rst" off the end. */
static bool cut_rst(char *rest)
{
	size_t len = strlen(rest);

	if (len < 5 || strcmp(rest + len - 5, "--rst") != 0 ||
	    (len > 5 && !strchr(" \t", rest[len - 6])))
		return false;
	rest[len - 5] = '\0';
	return true;
}

static void trim(char *s)
{
	size_t len = strlen(s);

	while (len && strchr(" \t\r", s[len - 1]))
		s[--len] = '\0';
}

static void run(struct ctl_client *c, const struct command *cmd, char *rest)
{
	struct ctl_request r = {.client = c, .id = "", .method = cmd->method};
	bool rst = cmd->rst && cut_rst(rest);
	json_t *value = NULL;

	trim(rest);
	if (!cmd->param && *rest) {
		ctl_reply_error(c, "", CTL_ERROR_BAD_REQUEST, CTL_NO_OFFSET,
				NULL, "nothing follows '%s'", cmd->words);
		return;
	}
	r.params = json_object();
	if (*rest) {
		value = json_string(rest);
		json_object_set_new(r.params, cmd->param, value);
	}
	json_object_set_new(r.params, "rst", json_boolean(rst));
	if (*rest && !value)
		ctl_method_refuse(&r, "the command is not UTF-8");
	else
		ctl_method_run(&r);
	json_decref(r.params);
}

static void print_help(struct ctl_client *c)
{
	char line[LINE_MAX_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!commands[i].help)
			continue;
		ctl_client_write(c, line,
				 (size_t)snprintf(line, sizeof(line), "%s\n",
						  commands[i].help));
	}
}

/** ctl_text_line() - Run the one command of a client in text mode */
void ctl_text_line(struct ctl_client *c, const char *line, size_t len)
{
	char *copy = strndup(line, len);
	const char *rest;

	if (!copy) {
		c->dead = true;
		return;
	}
	trim(copy);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		rest = after_words(copy, commands[i].words);
		if (rest) {
			run(c, &commands[i], copy + (rest - copy));
			free(copy);
			return;
		}
	}
	if (after_words(copy, "help"))
		print_help(c);
	else
		ctl_reply_error(c, "", CTL_ERROR_UNKNOWN_METHOD, CTL_NO_OFFSET,
				"try 'help'", "unknown command '%.40s'", copy);
	free(copy);
}

/* ---- out --------------------------------------------------------------- */

/** ctl_text_conn_head() - The head of the table that ctl_text_conn() fills */
void ctl_text_conn_head(struct ctl_client *c)
{
	char line[LINE_MAX_TEXT];
	int n = snprintf(line, sizeof(line),
			 "%-8s %-12s %-21s %-21s %-10s %-6s %10s %8s %4s %10s "
			 "%10s\n",
			 "ID", "STATE", "LOCAL", "PEER", "LISTENER", "ROLE",
			 "AGE_MS", "RTT_US", "RETR", "IN", "OUT");

	ctl_client_write(c, line, (size_t)n);
}

static const char *number_text(char text[24], bool known, uint64_t n)
{
	snprintf(text, 24, known ? "%" PRIu64 : "-", n);
	return text;
}

/** ctl_text_conn() - One connection of a listing */
void ctl_text_conn(struct ctl_client *c, const struct conn_info *i,
		   const char *listener)
{
	bool full = !i->half_open && i->age_us >= 0;
	char line[LINE_MAX_TEXT], id[16], local[IPPORT_TEXT_MAX];
	char peer[IPPORT_TEXT_MAX], age[24], rtt[24], retr[24], in[24], out[24];
	int n;

	snprintf(id, sizeof(id), "c%" PRIu32, i->id);
	n = snprintf(
		line, sizeof(line),
		"%-8s %-12s %-21s %-21s %-10s %-6s %10s %8s %4s %10s "
		"%10s\n",
		id, tcp_state_ss_name(i->state),
		ipport_format(&i->local, i->local_port, local),
		ipport_format(&i->peer, i->peer_port, peer),
		listener ? listener : "-",
		i->role == ROLE_CLIENT ? "client" : "server",
		number_text(age, i->age_us >= 0, (uint64_t)i->age_us / 1000),
		number_text(rtt, full && i->srtt_us > 0, (uint64_t)i->srtt_us),
		number_text(retr, full || i->half_open, i->retrans),
		number_text(in, full, i->bytes_in),
		number_text(out, full, i->bytes_out));
	ctl_client_write(c, line, (size_t)n);
}

/* A value without its JSON quotes. */
static void print_value(struct ctl_client *c, const json_t *value)
{
	if (json_is_string(value))
		ctl_client_write(c, json_string_value(value),
				 json_string_length(value));
	else
		ctl_reply_value(c, value);
}

/** ctl_text_item() - One listener: name=value name=value ... */
void ctl_text_item(struct ctl_client *c, json_t *item)
{
	const char *key, *gap = "";
	json_t *value;

	json_object_foreach(item, key, value)
	{
		ctl_client_write(c, gap, strlen(gap));
		ctl_client_write(c, key, strlen(key));
		ctl_client_write(c, "=", 1);
		print_value(c, value);
		gap = " ";
	}
	ctl_client_write(c, "\n", 1);
}

/* Members of members get a line each: "tcb.cwnd 14480". */
static void print_members(struct ctl_client *c, const char *path, json_t *o)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value)
	{
		char name[PATH_MAX_TEXT];

		snprintf(name, sizeof(name), "%s%s%s", path, *path ? "." : "",
			 key);
		if (json_is_object(value)) {
			print_members(c, name, value);
			continue;
		}
		ctl_client_write(c, name, strlen(name));
		ctl_client_write(c, " ", 1);
		print_value(c, value);
		ctl_client_write(c, "\n", 1);
	}
}

/** ctl_text_result() - A line for each member; a mere count is left out */
void ctl_text_result(struct ctl_client *c, json_t *result)
{
	size_t n = json_object_size(result);

	if (!n)
		ctl_client_write(c, "ok\n", 3);
	else if (n > 1 || !json_object_get(result, "count"))
		print_members(c, "", result);
}
