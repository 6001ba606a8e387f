/*
 * completion.c - Completion scripts, made from the tables
 *
 * bash and zsh run nearly the same words: go through what was typed, leave out
 * options and their arguments, and look the rest up. fish wants one line for
 * each thing that can be typed. Names of listeners are asked of the daemon when
 * they are needed; nothing is asked that could be long.
 */
#include "cli.h"

#include <string.h>

#include <tcphs/alert.h>
#include <tcphs/stack.h>

#define FILTER_WORDS                                                        \
	"state exclude src dst sport dport host port listener role id age " \
	"idle rtt hs retrans bytes outcome alert and or not"
#define STATE_GROUPS "all connected synchronized bucket big"
#define LEVELS	     "error warning notice info debug"
#define MODULES                                                             \
	" syn synack handshake cookie data ack loss fin conn segment path " \
	"limit alert daemon"
#define SHELLS	   "bash zsh fish"
#define COLORS	   "auto always never"
#define SEVERITIES "info notice warning"
#define FILES	   "FILES" /* of the directory; each shell has its way */
#define NAMES	   "$(tcphsctl listener list --raw -H -o name 2>/dev/null)"

static void print_bash(FILE *out);
static void print_zsh(FILE *out);
static void print_fish(FILE *out);
static void print_lookup(FILE *out);
static void print_choices(FILE *out, const struct command *cmd);
static void print_first_words(FILE *out);
static void print_second_words(FILE *out, const char *first, size_t len);
static bool begins_group(const struct command *cmd);
static void print_options(FILE *out, bool with_arg);
static void print_states(FILE *out);
static void print_alerts(FILE *out);
static void print_fish_option(FILE *out, const struct cli_option *o);
static void print_fish_command(FILE *out, const struct command *cmd);

enum cli_exit completion_run(struct cli *cli, int argc, char **argv)
{
	(void)argc;
	if (strcmp(argv[0], "bash") == 0) {
		print_bash(cli->out);
	} else if (strcmp(argv[0], "zsh") == 0) {
		print_zsh(cli->out);
	} else if (strcmp(argv[0], "fish") == 0) {
		print_fish(cli->out);
	} else {
		complain("completion is for bash, zsh or fish, not '%s'",
			 argv[0]);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* compgen -W expands what it is given, $() and all: only words of ours may come
 * there, never the name of a file. */
static void print_bash(FILE *out)
{
	fputs("# bash completion of tcphsctl\n"
	      "_tcphsctl()\n"
	      "{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	      "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal w skip='' typed='' try=''\n"
	      "\n"
	      "\tfor w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n",
	      out);
	print_lookup(out);
	fputs("\tif [[ $try == " FILES " ]]; then\n"
	      "\t\tcompopt -o filenames 2>/dev/null\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "\telse\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$try\" -- \"$cur\"))\n"
	      "\tfi\n"
	      "}\n"
	      "complete -F _tcphsctl tcphsctl\n",
	      out);
}

/* Works from a directory of $fpath and by eval. */
static void print_zsh(FILE *out)
{
	fputs("#compdef tcphsctl\n"
	      "_tcphsctl()\n"
	      "{\n"
	      "\tlocal cur=${words[CURRENT]} prev=${words[CURRENT-1]}\n"
	      "\tlocal w skip='' typed='' try=''\n"
	      "\n"
	      "\tfor w in \"${(@)words[2,CURRENT-1]}\"; do\n",
	      out);
	print_lookup(out);
	fputs("\tif [[ $try == " FILES " ]]; then\n"
	      "\t\t_files\n"
	      "\telse\n"
	      "\t\tcompadd -- ${=try}\n"
	      "\tfi\n"
	      "}\n"
	      "if [[ $funcstack[1] == _tcphsctl ]]; then\n"
	      "\t_tcphsctl \"$@\"\n"
	      "else\n"
	      "\tcompdef _tcphsctl tcphsctl\n"
	      "fi\n",
	      out);
}

/* The middle part, for both shells: sets $try by what was typed before. */
static void print_lookup(FILE *out)
{
	fputs("\t\tif [[ $skip ]]; then\n"
	      "\t\t\tskip=\n"
	      "\t\t\tcontinue\n"
	      "\t\tfi\n"
	      "\t\tcase $w in\n"
	      "\t\t",
	      out);
	print_options(out, true);
	fputs(") skip=1 ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) typed+=\"$w \" ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\tcase $typed in\n"
	      "\t'') try='",
	      out);
	print_first_words(out);
	fputs("' ;;\n", out);
	for (const struct command *c = cli_commands; c->name; c++)
		print_choices(out, c);
	fputs("\tesac\n"
	      "\t[[ $cur == -* ]] && try='",
	      out);
	print_options(out, false);
	fputs("'\n"
	      "\tif [[ $skip ]]; then\n"
	      "\t\tcase $prev in\n"
	      "\t\t-s|--socket) try=" FILES " ;;\n"
	      "\t\t--color) try='" COLORS "' ;;\n"
	      "\t\t--fail-on) try='" SEVERITIES "' ;;\n"
	      "\t\t*) try= ;;\n"
	      "\t\tesac\n"
	      "\tfi\n",
	      out);
}

/* What may follow a command, and its group if it is the first of one. */
static void print_choices(FILE *out, const struct command *cmd)
{
	static const char *const words[] = {
		[WORDS_LEVEL] = LEVELS MODULES,
		[WORDS_SHELL] = SHELLS,
	};
	size_t first = strcspn(cmd->name, " ");

	if (begins_group(cmd)) {
		fprintf(out, "\t'%.*s ') try='", (int)first, cmd->name);
		print_second_words(out, cmd->name, first);
		fputs("' ;;\n", out);
	}
	switch (cmd->words) {
	case WORDS_NONE:
	case WORDS_CONN:
		break;
	case WORDS_FILTER:
		fprintf(out, "\t'%s '*", cmd->name);
		for (const char *a = cmd->alias; a && *a;
		     a += strcspn(a, " "), a += strspn(a, " "))
			fprintf(out, "|'%.*s '*", (int)strcspn(a, " "), a);
		fputs(")\n"
		      "\t\tcase $prev in\n"
		      "\t\tstate|exclude) try='",
		      out);
		print_states(out);
		fputs("' ;;\n"
		      "\t\t*) try='" FILTER_WORDS "' ;;\n"
		      "\t\tesac ;;\n",
		      out);
		break;
	case WORDS_ALERTS:
		fprintf(out, "\t'%s '*) try='", cmd->name);
		print_alerts(out);
		fputs("' ;;\n", out);
		break;
	case WORDS_LISTENER:
		fprintf(out, "\t'%s ') try=" NAMES " ;;\n", cmd->name);
		break;
	case WORDS_FILE:
		fprintf(out, "\t'%s '*) try=" FILES " ;;\n", cmd->name);
		break;
	case WORDS_LEVEL:
	case WORDS_SHELL:
		fprintf(out, "\t'%s ') try='%s' ;;\n", cmd->name,
			words[cmd->words]);
		break;
	case WORDS_COMMAND:
		fprintf(out, "\t'%s ') try='", cmd->name);
		print_first_words(out);
		fputs("' ;;\n", out);
		break;
	}
}

static void print_first_words(FILE *out)
{
	for (const struct command *c = cli_commands; c->name; c++)
		if (!strchr(c->name, ' ') || begins_group(c))
			fprintf(out, "%s%.*s", c == cli_commands ? "" : " ",
				(int)strcspn(c->name, " "), c->name);
}

static void print_second_words(FILE *out, const char *first, size_t len)
{
	const char *blank = "";

	for (const struct command *c = cli_commands; c->name; c++) {
		if (strncmp(c->name, first, len + 1) != 0)
			continue;
		fprintf(out, "%s%s", blank, c->name + len + 1);
		blank = " ";
	}
}

/* Is it the first command with its first of two words? */
static bool begins_group(const struct command *cmd)
{
	size_t len = strcspn(cmd->name, " ");

	if (cmd->name[len] != ' ')
		return false;
	return cmd == cli_commands ||
	       strncmp(cmd[-1].name, cmd->name, len + 1) != 0;
}

/* A pattern of those that want an argument, or a list of all. */
static void print_options(FILE *out, bool with_arg)
{
	const char *gap = "";

	for (const struct cli_option *o = cli_options; o->name; o++) {
		if (with_arg && (!o->arg || *o->arg == '['))
			continue;
		if (o->letter)
			fprintf(out, "%s-%c%s", gap, o->letter,
				with_arg ? "|" : " ");
		else
			fputs(gap, out);
		fprintf(out, "--%s", o->name);
		gap = with_arg ? "|" : " ";
	}
}

/* As the filter language spells them. */
static void print_alerts(FILE *out)
{
	fputs("active", out);
	for (int k = 0; k < ALERT_NKINDS; k++)
		fprintf(out, " %s", alert_name((enum alert_kind)k));
}

static void print_states(FILE *out)
{
	fputs(STATE_GROUPS, out);
	for (int s = 0; s < TCP_NSTATES; s++)
		fprintf(out, " %s", tcp_state_key((enum tcp_state)s));
}

static void print_fish(FILE *out)
{
	fputs("# fish completion of tcphsctl\n"
	      "complete -c tcphsctl -f\n",
	      out);
	for (const struct cli_option *o = cli_options; o->name; o++)
		print_fish_option(out, o);
	for (const struct command *c = cli_commands; c->name; c++)
		print_fish_command(out, c);
}

static void print_fish_option(FILE *out, const struct cli_option *o)
{
	fputs("complete -c tcphsctl", out);
	if (o->letter)
		fprintf(out, " -s %c", o->letter);
	fprintf(out, " -l %s", o->name);
	if (o->arg && strcmp(o->arg, "PATH") == 0)
		fputs(" -r -F", out);
	else if (o->arg && strcmp(o->arg, "WHEN") == 0)
		fputs(" -x -a '" COLORS "'", out);
	else if (o->arg && strcmp(o->arg, "SEVERITY") == 0)
		fputs(" -x -a '" SEVERITIES "'", out);
	else if (o->arg && *o->arg != '[')
		fputs(" -x", out);
	fprintf(out, " -d '%s'\n", o->what);
}

static void print_fish_command(FILE *out, const struct command *cmd)
{
	size_t first = strcspn(cmd->name, " ");
	const char *second = cmd->name[first] ? cmd->name + first + 1 : NULL;

	if (!second) {
		fprintf(out,
			"complete -c tcphsctl -n __fish_use_subcommand -a %s "
			"-d '%s'\n",
			cmd->name, cmd->what);
	} else {
		if (begins_group(cmd))
			fprintf(out,
				"complete -c tcphsctl -n __fish_use_subcommand "
				"-a %.*s\n",
				(int)first, cmd->name);
		fprintf(out,
			"complete -c tcphsctl -n '__fish_seen_subcommand_from "
			"%.*s; and not __fish_seen_subcommand_from ",
			(int)first, cmd->name);
		print_second_words(out, cmd->name, first);
		fprintf(out, "' -a %s -d '%s'\n", second, cmd->what);
	}
	if (cmd->words == WORDS_NONE || cmd->words == WORDS_CONN)
		return;
	fprintf(out, "complete -c tcphsctl -n '__fish_seen_subcommand_from %s",
		second ? second : cmd->name);
	if (cmd->alias)
		fprintf(out, " %s", cmd->alias);
	if (!second)
		fputs("; and not __fish_seen_subcommand_from listener", out);
	if (cmd->words == WORDS_FILE) {
		fputs("' -F\n", out);
		return;
	}
	fputs("' -a '", out);
	switch (cmd->words) {
	case WORDS_NONE:
	case WORDS_CONN:
	case WORDS_FILE:
		break;
	case WORDS_FILTER:
		fputs(FILTER_WORDS " ", out);
		print_states(out);
		break;
	case WORDS_ALERTS:
		print_alerts(out);
		break;
	case WORDS_LISTENER:
		fputs("(tcphsctl listener list --raw -H -o name 2>/dev/null)",
		      out);
		break;
	case WORDS_LEVEL:
		fputs(LEVELS MODULES, out);
		break;
	case WORDS_SHELL:
		fputs(SHELLS, out);
		break;
	case WORDS_COMMAND:
		print_first_words(out);
		break;
	}
	fputs("'\n", out);
}
