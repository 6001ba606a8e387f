/*
 * top.c - The connections on a live screen
 *
 * One thread, but for names: it waits for a key or for the second to be over, fetches what is
 * shown, and draws all of it; ncurses sends what differs. Signals that end it
 * are let in only while it waits, for the user or for the daemon, so the
 * terminal is given back by one path, however it ends. A daemon that goes is
 * looked for every second, and the last that it said stays on the screen.
 */
#define NCURSES_WIDECHAR 1
#include "top.h"

#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <time.h>
#include <unistd.h>

#include "names.h"

#define SECOND_US    INT64_C(1000000)
#define SILENCE_US   (3 * SECOND_US) /* of the daemon: the keys wait for it */
#define ESC_DELAY_MS 25		     /* before Esc is no arrow key's */
#define KEY_ESC	     27
#define KEY_CTRL_U   21
#define KEY_DELETE   127

static enum cli_exit check(const struct cli *cli);
static int enough(void *arg, const char *text, size_t len);
static SCREEN *screen_open(const struct cli *cli);
static void catch_signals(sigset_t *user, sigset_t *daemon);
static void on_signal(int sig);
static void run(struct top *t, const sigset_t *user);
static bool wait_for_key(const sigset_t *user, int64_t until_us);
static bool take_key(struct top *t, int key);
static void look_key(struct top *t, int key);
static void go_key(struct top *t, int key);
static void filter_key(struct top *t, int key);
static void close_something(struct top *t);
static void open_pane(struct top *t, bool help);
static void scroll_pane(struct top *t, long by);

static volatile sig_atomic_t caught;

enum cli_exit top_run(struct cli *cli, int argc, char **argv)
{
	struct top t = {.cli = cli};
	sigset_t user, daemon;
	enum cli_exit e = check(cli);
	SCREEN *screen;
	char *filter;

	if (e != CLI_OK)
		return e;
	filter = text_join(argc, argv);
	if (!filter) {
		complain("no memory");
		return CLI_NO;
	}
	top_init(&t);
	names_patience(NAMES_LIVE_US);
	snprintf(t.table[0].filter, TOP_TEXT_MAX, "%s", filter);
	free(filter);
	if (cli->timeout_us > SILENCE_US)
		cli->client->timeout_us = cli->timeout_us = SILENCE_US;
	/* Before there is a screen: what is wrong is said as ever. */
	e = client_call(cli->client, top_views[0].method,
			json_pack("{s:s}", "filter", t.table[0].filter), enough,
			NULL, NULL);
	screen = e == CLI_OK ? screen_open(cli) : NULL;
	if (screen) {
		catch_signals(&user, &daemon);
		cli->client->waiting = &daemon;
		run(&t, &user);
		endwin();
		delscreen(screen);
		e = t.gone ? CLI_NO_DAEMON : CLI_OK;
		if (t.gone)
			complain("the daemon is gone");
	} else if (e == CLI_OK) {
		complain("TERM does not name a terminal that can be drawn on");
		e = CLI_USAGE;
	}
	top_free(&t);
	return e;
}

static enum cli_exit check(const struct cli *cli)
{
	if (cli->format != FORMAT_TEXT) {
		complain("top is for people; for programs there is: "
			 "tcphsctl list --watch --ndjson");
		return CLI_USAGE;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		complain("top wants a terminal; without one there is: "
			 "tcphsctl list --watch");
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* One row is as good as all of them. */
static int enough(void *arg, const char *text, size_t len)
{
	(void)arg;
	(void)text;
	(void)len;
	return ITEM_ENOUGH;
}

static SCREEN *screen_open(const struct cli *cli)
{
	SCREEN *screen;
	int missing;

	setlocale(LC_CTYPE, "");
	/* newterm() forgets what it began where there is no such terminal. */
	if (setupterm(NULL, STDOUT_FILENO, &missing) != OK)
		return NULL;
	del_curterm(cur_term);
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return NULL;
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESC_DELAY_MS);
	if (cli->colour && has_colors()) {
		static const short colours[] = {COLOR_GREEN, COLOR_YELLOW,
						COLOR_RED, COLOR_CYAN};

		start_color();
		use_default_colors();
		for (short i = 0; i < 4; i++)
			init_pair((short)(i + 1), colours[i], -1);
	}
	return screen;
}

/*
 * @user:   What is blocked while waiting for a key: nothing of ours
 * @daemon: While waiting for the daemon: a change of size comes later
 */
static void catch_signals(sigset_t *user, sigset_t *daemon)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	static const int later[] = {SIGWINCH, SIGTSTP};
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < 3; i++) {
		sigaddset(&block, ends[i]);
		sigaction(ends[i], &sa, NULL);
	}
	for (size_t i = 0; i < 2; i++)
		sigaddset(&block, later[i]);
	sigprocmask(SIG_BLOCK, &block, user);
	*daemon = block;
	for (size_t i = 0; i < 3; i++) {
		sigdelset(user, ends[i]);
		sigdelset(daemon, ends[i]);
	}
	for (size_t i = 0; i < 2; i++)
		sigdelset(user, later[i]);
}

static void on_signal(int sig)
{
	caught = sig;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

static void run(struct top *t, const sigset_t *user)
{
	int64_t next_us = 0;
	bool stay = true;
	int key;

	while (stay && !caught) {
		if (now_us() >= next_us) {
			t->cli->screen_cols = (unsigned int)COLS;
			top_fetch(t);
			next_us = now_us() + t->cli->interval_us;
		}
		top_draw(t);
		if (caught || !wait_for_key(user, next_us))
			break;
		while (stay && (key = getch()) != ERR)
			stay = take_key(t, key);
	}
}

/* False if there will be none any more. */
static bool wait_for_key(const sigset_t *user, int64_t until_us)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t us = until_us - now_us();
	struct timespec ts = {.tv_sec = us / SECOND_US,
			      .tv_nsec = us % SECOND_US * 1000};

	if (us <= 0)
		ts = (struct timespec){0};
	ppoll(&p, 1, &ts, user);
	return !(p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* False to quit. */
static bool take_key(struct top *t, int key)
{
	if (key == KEY_RESIZE)
		return true;
	if (t->mode == TOP_FILTER) {
		filter_key(t, key);
		return true;
	}
	t->message[0] = '\0';
	if (key == 'q' || key == 'Q')
		return false;
	look_key(t, key);
	return true;
}

static void look_key(struct top *t, int key)
{
	if (key >= '1' && key < '1' + TOP_VIEWS)
		top_show(t, (unsigned int)(key - '1'));
	else if (key >= KEY_F(1) && key < KEY_F(1 + TOP_VIEWS))
		top_show(t, (unsigned int)(key - KEY_F(1)));
	else if (key == '/' && top_views[t->view].filters) {
		t->mode = TOP_FILTER;
		memcpy(t->typed, top_table(t)->filter, TOP_TEXT_MAX);
	} else if (key == '/')
		snprintf(t->message, TOP_TEXT_MAX, "no filter goes here");
	else if (key == '<' || key == KEY_LEFT)
		top_sort_by(t, -1);
	else if (key == '>' || key == KEY_RIGHT)
		top_sort_by(t, 1);
	else if (key == 'r')
		top_sort_by(t, 0);
	else if (key == '\r' || key == '\n' || key == KEY_ENTER)
		open_pane(t, false);
	else if (key == '?' || key == 'h')
		open_pane(t, true);
	else if (key == '\t')
		t->whole = t->pane && !t->whole;
	else if (key == KEY_ESC)
		close_something(t);
	else
		go_key(t, key);
}

static void go_key(struct top *t, int key)
{
	long page = (long)top_page(t, t->pane);

	switch (key) {
	case KEY_PPAGE:
	case KEY_NPAGE:
		if (t->pane) {
			scroll_pane(t, key == KEY_PPAGE ? -page : page);
			return;
		}
		top_move(t, key == KEY_PPAGE ? -page : page);
		break;
	case KEY_UP:
	case 'k':
		top_move(t, -1);
		break;
	case KEY_DOWN:
	case 'j':
		top_move(t, 1);
		break;
	case KEY_HOME:
		top_move(t, -TOP_ROWS_MAX);
		break;
	case KEY_END:
		top_move(t, TOP_ROWS_MAX);
		break;
	default:
		return;
	}
	if (t->pane && !t->help)
		top_fetch(t);
}

static void open_pane(struct top *t, bool is_help)
{
	if (t->pane && t->help == is_help) {
		close_something(t);
		return;
	}
	t->pane = true;
	t->help = is_help;
	t->detail_first = 0;
	top_fetch(t);
}

/* The last that was opened. */
static void close_something(struct top *t)
{
	if (t->whole) {
		t->whole = false;
	} else if (t->pane) {
		t->pane = false;
	} else if (*top_table(t)->filter) {
		top_table(t)->filter[0] = '\0';
		top_fetch(t);
	}
}

static void scroll_pane(struct top *t, long by)
{
	size_t n = 0;

	for (const char *p = t->detail; p && *p; p++)
		n += *p == '\n';
	if (by < 0 && (size_t)-by > t->detail_first)
		t->detail_first = 0;
	else if (by < 0 || t->detail_first + (size_t)by < n)
		t->detail_first += (size_t)by;
}

/* A wrong one stays in the line to be mended; the old one goes on. */
static void filter_key(struct top *t, int key)
{
	size_t len = strlen(t->typed);
	char *filter = top_table(t)->filter, was[TOP_TEXT_MAX];

	t->message[0] = '\0';
	if (key == KEY_ESC) {
		t->mode = TOP_LOOK;
	} else if (key == '\r' || key == '\n' || key == KEY_ENTER) {
		memcpy(was, filter, sizeof(was));
		memcpy(filter, t->typed, TOP_TEXT_MAX);
		if (top_fetch(t)) {
			t->mode = TOP_LOOK;
		} else {
			memcpy(filter, was, sizeof(was));
		}
	} else if (key == KEY_BACKSPACE || key == KEY_DELETE || key == '\b') {
		if (len > 0)
			t->typed[len - 1] = '\0';
	} else if (key == KEY_CTRL_U) {
		t->typed[0] = '\0';
	} else if (key >= ' ' && key <= '~' && len + 1 < TOP_TEXT_MAX) {
		t->typed[len] = (char)key;
		t->typed[len + 1] = '\0';
	}
}
