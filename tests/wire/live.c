/*
 * live.c - The stage of a script: a real daemon behind a real TUN
 *
 * Scripts play the peer on a TUN device of their own, "peer0", and the kernel
 * forwards between it and the daemon's: wire_live.sh sets that up. The daemon
 * is started anew when a script wants a configuration of its own, and what its user does is told to it over the control socket, which also
 * says in which state a connection is and how many segments were dropped.
 *
 * The clock is the real one. What should happen at once may take late_us, and
 * what should not happen is given a moment to do so. What should come later may
 * come early_us sooner: the daemon reads its clock at the beginning of a turn, and
 * may be off the processor before it reads the packet.
 */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tcphs/ctl.h>
#include <tcphs/ipaddr.h>

#include "core/assert.h"
#include "packet.h"

#define EARLY_US  10000
#define LATE_US	  400000
#define START_US  10000000
#define POLL_US	  2000
#define LINE_MAX_ (256 * 1024)
#define CONF_MAX  4096
#define DROPS_MAX DROP_NREASONS

static struct {
	const char *program, *dir;
	pid_t pid;
	int tun, ctl;
	char conf[CONF_MAX]; /* listeners of the daemon that runs */
	unsigned int id;     /* of the last request */
	uint64_t drops[DROPS_MAX];
} live;

static int64_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool fault(struct stage *g, const char *what)
{
	snprintf(g->why, sizeof(g->why), "%s: %s", what, strerror(errno));
	return false;
}

/* ---- the control socket ----------------------------------------------- */

static void ctl_close(void)
{
	if (live.ctl >= 0)
		close(live.ctl);
	live.ctl = -1;
}

static bool ctl_connect(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = CTL_SOCKET};

	live.ctl = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT(live.ctl >= 0);
	if (connect(live.ctl, (struct sockaddr *)&to, sizeof(to)) == 0)
		return true;
	ctl_close();
	return false;
}

static json_t *ctl_line(void)
{
	static char line[LINE_MAX_];
	size_t n = 0;

	while (n < sizeof(line) && read(live.ctl, line + n, 1) == 1)
		if (line[n++] == '\n')
			return json_loadb(line, n, 0, NULL);
	return NULL;
}

/* The answer to a request: its result, or NULL and the error's code. */
static json_t *ctl_ask(const char *method, json_t *params, char code[32])
{
	json_t *ask = json_pack("{s:i, s:s, s:o}", "id", (int)++live.id,
				"method", method, "params", params);
	json_t *answer, *result;
	const json_t *error;
	char *text = json_dumps(ask, JSON_COMPACT);

	ASSERT(text);
	code[0] = '\0';
	if (dprintf(live.ctl, "%s\n", text) < 0)
		snprintf(code, 32, "no daemon");
	free(text);
	json_decref(ask);
	while ((answer = ctl_line())) {
		result = json_incref(json_object_get(answer, "result"));
		error = json_object_get(answer, "error");
		if (error)
			snprintf(code, 32, "%s",
				 json_string_value(
					 json_object_get(error, "code")));
		json_decref(answer);
		if (result || error)
			return result;
	}
	snprintf(code, 32, "no daemon");
	return NULL;
}

static json_t *conn_name(const struct stage *g, const struct stage_conn *c)
{
	char own[IPPORT_TEXT_MAX], peer[IPPORT_TEXT_MAX];

	ipport_format(&g->own, c->own_port, own);
	ipport_format(&g->peer, c->peer_port, peer);
	return json_sprintf("%s-%s", own, peer);
}

/* Counters of what was dropped, by their reasons. */
static bool read_drops(uint64_t drops[DROPS_MAX])
{
	char code[32];
	json_t *stats = ctl_ask("stats", json_object(), code);
	const json_t *dropped = json_object_get(stats, "dropped");

	for (int i = 0; i < DROP_NREASONS; i++)
		drops[i] = (uint64_t)json_integer_value(json_object_get(
			dropped, drop_name((enum drop_reason)i)));
	json_decref(stats);
	return stats != NULL;
}

/* ---- the daemon ------------------------------------------------------- */

static void daemon_stop(void)
{
	ctl_close();
	if (live.pid <= 0)
		return;
	kill(live.pid, SIGTERM);
	waitpid(live.pid, NULL, 0);
	live.pid = 0;
	live.conf[0] = '\0';
}

static void daemon_exec(const char *path, const struct script *s)
{
	const char *settings[STAGE_SUITS + SCRIPT_SETTINGS];
	const char *argv[8 + 2 * (STAGE_SUITS + SCRIPT_SETTINGS)];
	size_t n = stage_settings(s, settings), argc = 0;
	char log[256];
	int fd;

	argv[argc++] = live.program;
	argv[argc++] = "--foreground";
	argv[argc++] = "-c";
	argv[argc++] = path;
	argv[argc++] = "-Dtcphsd.stop_timeout=0";
	for (size_t i = 0; i < n; i++) {
		argv[argc++] = "-D";
		argv[argc++] = settings[i];
	}
	argv[argc] = NULL;
	snprintf(log, sizeof(log), "%s/wire.log", live.dir);
	fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execv(live.program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static bool daemon_ready(struct stage *g)
{
	int64_t until_us = clock_us() + START_US;
	json_t *greeting;

	while (!ctl_connect()) {
		if (clock_us() > until_us ||
		    waitpid(live.pid, NULL, WNOHANG) == live.pid) {
			snprintf(g->why, sizeof(g->why),
				 "the daemon did not start, see %s/wire.log",
				 live.dir);
			return false;
		}
		usleep(POLL_US);
	}
	greeting = ctl_line();
	json_decref(greeting);
	return greeting != NULL;
}

/* The configuration for @s, but for its settings. */
static void conf_text(const struct script *s, char text[CONF_MAX])
{
	FILE *to = fmemopen(text, CONF_MAX, "w");

	ASSERT(to);
	stage_listeners(s, "discard", to);
	fclose(to);
}

static bool daemon_start(struct stage *g, const struct script *s,
			 const char *conf)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/wire.conf", live.dir);
	file = fopen(path, "we");
	if (!file)
		return fault(g, "its configuration");
	fputs(conf, file);
	fclose(file);
	live.pid = fork();
	if (live.pid < 0)
		return fault(g, "fork");
	if (live.pid == 0)
		daemon_exec(path, s);
	return daemon_ready(g);
}

bool live_open(const char *program, const char *dir)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI,
			    .ifr_name = "peer0"};

	live.program = program;
	live.dir = dir;
	live.ctl = -1;
	live.tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (live.tun < 0 || ioctl(live.tun, TUNSETIFF, &ifr) < 0) {
		perror("peer0");
		return false;
	}
	return true;
}

void live_close(void)
{
	daemon_stop();
	close(live.tun);
}

/* ---- the stage -------------------------------------------------------- */

static bool live_begin(struct stage *g, const struct script *s)
{
	char text[CONF_MAX] = "";

	ipaddr_parse(g->v6 ? "fd74:6370:6873::2" : "198.18.66.2", &g->own);
	ipaddr_parse(g->v6 ? "fd74:6370:6874::1" : "198.18.67.1", &g->peer);
	g->early_us = EARLY_US;
	g->late_us = LATE_US;
	conf_text(s, text);
	/* One with settings is for one script: a limit of so many a second may
	 * have been used up by it. */
	if (s->nsettings || strcmp(text, live.conf) != 0) {
		daemon_stop();
		if (!daemon_start(g, s, text))
			return false;
		if (!s->nsettings)
			memcpy(live.conf, text, sizeof(text));
	}
	if (!read_drops(live.drops)) {
		snprintf(g->why, sizeof(g->why), "the daemon is gone");
		live.conf[0] = '\0';
		return false;
	}
	g->now_us = clock_us();
	return true;
}

static bool live_end(struct stage *g)
{
	if (waitpid(live.pid, NULL, WNOHANG) != live.pid)
		return true;
	live.pid = 0;
	live.conf[0] = '\0';
	snprintf(g->why, sizeof(g->why), "the daemon is gone");
	return false;
}

static void live_send(struct stage *g, const uint8_t *pkt, size_t len)
{
	g->now_us = clock_us();
	if (write(live.tun, pkt, len) < 0)
		perror("peer0");
}

/* Of a connection of ours; the kernel has things to say on any interface. */
static bool is_ours(const struct stage *g, const uint8_t *pkt, size_t len)
{
	struct packet p;
	const char *wrong = packet_read(pkt, len, &p);

	if (memcmp(&p.src, &g->own, sizeof(p.src)) != 0)
		return false;
	return wrong || p.icmp ||
	       (uint16_t)(p.dport - g->first_port) < SCRIPT_CONNS;
}

static size_t live_next(struct stage *g, uint8_t *pkt, int64_t until_us)
{
	struct pollfd fd = {.fd = live.tun, .events = POLLIN};
	struct timespec wait;
	int64_t left_us;
	ssize_t n;

	for (;;) {
		n = read(live.tun, pkt, PACKET_MAX);
		g->now_us = clock_us();
		if (n > 0 && is_ours(g, pkt, (size_t)n))
			return (size_t)n;
		if (n > 0)
			continue;
		left_us = until_us - g->now_us;
		if (left_us <= 0)
			return 0;
		wait.tv_sec = left_us / 1000000;
		wait.tv_nsec = left_us % 1000000 * 1000;
		ppoll(&fd, 1, &wait, NULL);
	}
}

static void live_batch(struct stage *g, bool on)
{
	(void)g;
	(void)on;
	ASSERT(!"no script with a batch is played here");
}

/* What the peer sent may not have got there yet: until it has, ask again. */
static bool live_call(struct stage *g, struct stage_conn *c, const char *what,
		      int64_t n)
{
	int64_t until_us = clock_us() + LATE_US;
	char code[32];
	json_t *result;

	(void)n;
	do {
		result =
			ctl_ask("conn.close",
				json_pack("{s:o, s:b}", "conn", conn_name(g, c),
					  "rst", strcmp(what, "abort") == 0),
				code);
		json_decref(result);
		g->now_us = clock_us();
	} while (!result && g->now_us < until_us);
	if (!result)
		snprintf(g->why, sizeof(g->why), "conn.close: %s", code);
	return result != NULL;
}

static enum tcp_state live_state(struct stage *g, const struct stage_conn *c)
{
	char code[32];
	json_t *conn = ctl_ask(
		"conn.show", json_pack("{s:o}", "conn", conn_name(g, c)), code);
	const char *name = json_string_value(json_object_get(conn, "state"));
	int state = name ? stage_state(name) : TCP_CLOSED;

	json_decref(conn);
	g->now_us = clock_us();
	return state < 0 ? TCP_CLOSED : (enum tcp_state)state;
}

static bool dropped(struct stage *g, const struct script_line *l)
{
	uint64_t now[DROPS_MAX];

	read_drops(now);
	for (int i = 0; i < DROP_NREASONS; i++) {
		int64_t n = (int64_t)(now[i] - live.drops[i]);

		if (strcmp(l->arg, drop_name((enum drop_reason)i)) != 0)
			continue;
		snprintf(g->why, sizeof(g->why), "%s is %lld, expected %lld",
			 l->arg, (long long)n, (long long)l->n);
		return n == l->n;
	}
	snprintf(g->why, sizeof(g->why), "there is no reason %s", l->arg);
	return false;
}

/* Why a connection ended is not to be had any more; that it did, is. */
static bool closed(struct stage *g, const struct stage_conn *c)
{
	enum tcp_state state = live_state(g, c);

	snprintf(g->why, sizeof(g->why), "the connection is in %s",
		 tcp_state_name(state));
	return state == TCP_CLOSED || state == TCP_TIME_WAIT;
}

static bool live_check(struct stage *g, const struct stage_conn *c,
		       const struct script_line *l)
{
	int64_t until_us = clock_us() + LATE_US;
	bool ok;

	do
		ok = strcmp(l->word, "drop") == 0 ? dropped(g, l)
						  : closed(g, c);
	while (!ok && clock_us() < until_us);
	g->now_us = clock_us();
	return ok;
}

const struct stage_ops live_ops = {
	.begin = live_begin,
	.end = live_end,
	.send = live_send,
	.next = live_next,
	.batch = live_batch,
	.call = live_call,
	.state = live_state,
	.check = live_check,
};
