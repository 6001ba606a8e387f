/*
 * watch.c - The same again, until the user has seen enough
 *
 * On a terminal a pass is written into memory first, then drawn over the last
 * one line by line, so nothing flickers and nothing scrolls; the table stops
 * asking when the screen is full. Elsewhere the passes follow each other.
 *
 * INT and TERM are blocked but while waiting for the daemon or the next pass,
 * so a line is never cut in the middle and no wait misses a signal.
 */
#include "cli.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"
#include "names.h"

#define HOME	 "\033[H"
#define NO_WRAP	 "\033[?7l"
#define WRAP	 "\033[?7h"
#define ERASE_LN "\033[K"
#define ERASE_DN "\033[J"

static void catch_signals(sigset_t *waiting);
static void on_signal(int sig);
static enum cli_exit one_pass(struct cli *cli, const struct command *cmd,
			      int argc, char **argv);
static void draw(const char *frame, unsigned int rows);

static volatile sig_atomic_t caught;

enum cli_exit watch(struct cli *cli, const struct command *cmd, int argc,
		    char **argv)
{
	struct timespec ts = {.tv_sec = cli->watch_us / 1000000,
			      .tv_nsec = cli->watch_us % 1000000 * 1000};
	enum cli_exit e;
	sigset_t waiting;

	names_patience(NAMES_LIVE_US);
	catch_signals(&waiting);
	cli->client->waiting = &waiting;
	do {
		e = one_pass(cli, cmd, argc, argv);
		if (caught || e > CLI_NO || ferror(stdout))
			break;
		/* A signal that came since then ends this at once. */
		ppoll(NULL, 0, &ts, &waiting);
	} while (!caught);
	cli->client->waiting = NULL;
	if (caught && cli->screen_rows)
		fputc('\n', stdout); /* behind the ^C */
	return caught ? CLI_OK : e;
}

static void catch_signals(sigset_t *waiting)
{
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, waiting);
	sigdelset(waiting, SIGINT);
	sigdelset(waiting, SIGTERM);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static void on_signal(int sig)
{
	caught = sig;
}

static enum cli_exit one_pass(struct cli *cli, const struct command *cmd,
			      int argc, char **argv)
{
	struct winsize ws = {0};
	enum cli_exit e;
	char *frame = NULL;
	size_t len;

	if (!cli->terminal || cli->format == FORMAT_NDJSON ||
	    cli->format == FORMAT_NONE ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_row < 2) {
		e = cmd->run(cli, argc, argv);
		fflush(stdout);
		return e;
	}
	cli->screen_cols = ws.ws_col;
	cli->screen_rows = ws.ws_row;
	cli->out = open_memstream(&frame, &len);
	if (!cli->out) {
		complain("no memory");
		cli->out = stdout;
		return CLI_NO;
	}
	e = cmd->run(cli, argc, argv);
	fclose(cli->out);
	cli->out = stdout;
	if (e <= CLI_NO && !caught)
		draw(frame, ws.ws_row);
	free(frame);
	return e;
}

/* The last row stays empty: the cursor rests there, and messages come there. */
static void draw(const char *frame, unsigned int rows)
{
	fputs(HOME NO_WRAP, stdout);
	for (unsigned int row = 1; *frame && row < rows; row++) {
		size_t len = strcspn(frame, "\n");

		/* First, or it would erase what stands in the last column. */
		fputs(ERASE_LN, stdout);
		fwrite(frame, 1, len, stdout);
		fputc('\n', stdout);
		frame += len + (frame[len] == '\n');
	}
	fputs(ERASE_DN WRAP, stdout);
	if (*frame)
		fputs("...", stdout);
	fflush(stdout);
}
