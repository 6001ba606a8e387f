/*
 * help.c - What can be said, made from the tables of commands and options
 */
#include "cli.h"

#include <string.h>

#define LEFT 28 /* columns of what is typed */

static void print_all(FILE *out);
static void print_command(FILE *out, const struct command *cmd);
static void print_options(FILE *out, unsigned int flags, bool own);

enum cli_exit help_run(struct cli *cli, int argc, char **argv)
{
	const struct command *cmd;
	int used;

	if (argc == 0) {
		print_all(cli->out);
		return CLI_OK;
	}
	cmd = command_find(argv, argc, &used);
	if (!cmd)
		return command_unknown(argv, argc);
	print_command(cli->out, cmd);
	return CLI_OK;
}

static void print_all(FILE *out)
{
	char left[64];

	fputs("usage: tcphsctl [OPTION...] [COMMAND [ARGUMENT...]]\n"
	      "\n"
	      "Without a command: status and list.\n"
	      "\n",
	      out);
	for (const struct command *c = cli_commands; c->name; c++) {
		snprintf(left, sizeof(left), "%s %s", c->name, c->args);
		fprintf(out, "  %-*s%s\n", LEFT, left, c->what);
	}
	fputs("\noptions of all commands:\n", out);
	print_options(out, 0, false);
	fputs("\noptions of some commands:\n", out);
	print_options(out, ~0u, true);
	fputs("\nAbout one: tcphsctl help COMMAND. All: man tcphsctl\n", out);
}

static void print_command(FILE *out, const struct command *cmd)
{
	fprintf(out, "usage: tcphsctl [OPTION...] %s%s%s\n\n%s", cmd->name,
		*cmd->args ? " " : "", cmd->args, cmd->what);
	if (cmd->alias)
		fprintf(out, "; also: %s", cmd->alias);
	fputc('\n', out);
	if (cmd->words == WORDS_FILTER)
		fputs("\nFILTER, as in ss(8): state NAME, exclude NAME, src or "
		      "dst ADDR[/LEN][:PORT],\nsport or dport OP PORT, "
		      "listener = NAME, role = server or client, id = CONN,\n"
		      "age, idle, rtt or hs OP TIME, retrans or bytes OP N, "
		      "alert [= KIND];\nand or not ( )\n",
		      out);
	if (cmd->words == WORDS_CONN)
		fputs("\nCONN: an id such as c42, LOCAL:PORT-PEER:PORT, or "
		      "last\n",
		      out);
	if (cmd->flags & ~LOCAL) {
		fputs("\noptions beside those of all commands:\n", out);
		print_options(out, cmd->flags, true);
	}
}

/* @own: Those that only some commands take, of them the command's */
static void print_options(FILE *out, unsigned int flags, bool own)
{
	char left[64];

	for (const struct cli_option *o = cli_options; o->name; o++) {
		const char *arg = o->arg ? o->arg : "";
		size_t n = 0;

		if (own ? !(o->needs & flags) : o->needs)
			continue;
		if (o->letter)
			n = (size_t)snprintf(left, sizeof(left), "-%c, ",
					     o->letter);
		else
			n = (size_t)snprintf(left, sizeof(left), "    ");
		if (*arg == '[')
			snprintf(left + n, sizeof(left) - n, "--%s[=%s",
				 o->name, arg + 1);
		else
			snprintf(left + n, sizeof(left) - n, "--%s%s%s",
				 o->name, *arg ? " " : "", arg);
		fprintf(out, "  %-*s%s\n", LEFT, left, o->what);
	}
}
