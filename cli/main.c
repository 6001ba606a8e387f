/*
 * main.c - tcphsctl: from the command line to the exit code
 */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"

/* Files that we share with the daemon assert, and leave it to us to say so. */
_Noreturn void tcphs_assert_failed(const char *expr, const char *file,
				   int line);

static enum cli_exit run(struct cli *cli, char **words, int n);
static enum cli_exit run_command(struct cli *cli, const struct command *cmd,
				 int argc, char **argv);
static enum cli_exit check_words(char **words, int n);
static enum cli_exit check_count(const struct command *cmd, int argc);
static enum cli_exit finish(enum cli_exit e);

int main(int argc, char **argv)
{
	struct client client;
	struct cli cli = {.out = stdout,
			  .terminal = isatty(STDOUT_FILENO),
			  .client = &client};
	struct winsize ws;
	char **words;
	enum cli_exit e;
	int n;

	if (extcap_is(argv[0]))
		return finish(extcap_run(&cli, argc, argv));
	if (cli.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0)
		cli.screen_cols = ws.ws_col;
	words = calloc((size_t)argc + 1, sizeof(*words));
	if (!words)
		return CLI_NO;
	e = options_parse(&cli, argc, argv, words, &n);
	if (e == CLI_OK)
		e = check_words(words, n);
	if (e == CLI_OK)
		e = run(&cli, words, n);
	free(words);
	return finish(e);
}

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "tcphsctl: %s:%d: assertion failed: %s\n", file, line,
		expr);
	abort();
}

static enum cli_exit run(struct cli *cli, char **words, int n)
{
	const struct command *cmd;
	enum cli_exit e;
	int used;

	if (cli->version) {
		printf("tcphsctl %s\n", TCPHS_VERSION);
		return CLI_OK;
	}
	if (cli->help)
		return help_run(cli, n, words);
	cmd = command_find(words, n, &used);
	if (!cmd)
		return command_unknown(words, n);
	e = options_check(cli, cmd);
	if (e == CLI_OK)
		e = check_count(cmd, n - used);
	if (e == CLI_OK)
		e = run_command(cli, cmd, n - used, words + used);
	return e;
}

static enum cli_exit run_command(struct cli *cli, const struct command *cmd,
				 int argc, char **argv)
{
	enum cli_exit e;

	if (cmd->flags & LOCAL ||
	    (cmd->flags & OF_CAPTURES && analyze_names(argv[0])))
		return cmd->run(cli, argc, argv);
	e = client_open(cli->client, cli->socket, cli->timeout_us);
	if (e != CLI_OK)
		return e;
	e = cli->watch ? watch(cli, cmd, argc, argv)
		       : cmd->run(cli, argc, argv);
	client_close(cli->client);
	return e;
}

/* JSON is UTF-8; jansson takes nothing else, so nobody else need check. */
static enum cli_exit check_words(char **words, int n)
{
	for (int i = 0; i < n; i++) {
		json_t *word = json_string(words[i]);

		if (!word) {
			complain("not UTF-8: '%s'", words[i]);
			return CLI_USAGE;
		}
		json_decref(word);
	}
	return CLI_OK;
}

static enum cli_exit check_count(const struct command *cmd, int argc)
{
	unsigned int n = (unsigned int)argc;

	if (n < cmd->min_args)
		complain("'%s' wants %s", cmd->name, cmd->args);
	else if (n > cmd->max_args && cmd->max_args == 0)
		complain("'%s' takes no arguments", cmd->name);
	else if (n > cmd->max_args)
		complain("'%s' takes no more than %s", cmd->name, cmd->args);
	else
		return CLI_OK;
	return CLI_USAGE;
}

/* What was written last may still fail. Nobody reads on: nothing to say. */
static enum cli_exit finish(enum cli_exit e)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return e;
	if (errno != EPIPE)
		complain("cannot write: %s", strerror(errno));
	return e == CLI_OK ? CLI_NO : e;
}
