/*
 * dump.c - Packets from the daemon to a file or a pipe
 *
 * The file comes in pieces, as items of base64, and goes out as it comes. The
 * first signal, or the end of --duration, asks the daemon to finish it, so that
 * it has its last block; a second one leaves it as it is. While whoever reads
 * our pipe pauses, nothing is read from the daemon: what its queue cannot hold
 * meanwhile is lost, and the file says so.
 */
#include "dump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <tcphs/plural.h>

#include "client.h"
#include "output.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL

struct dump {
	struct cli *cli;
	FILE *out;
	json_t *params;		 /* of the request, for errors */
	json_int_t id, stopping; /* requests; 0 = not made */
	int64_t until_us;	 /* INT64_MAX = no end */
	bool over;
	json_t *result;
};

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static enum cli_exit stop(struct dump *d)
{
	d->until_us = INT64_MAX;
	return client_begin(d->cli->client, "dump.stop",
			    json_pack("{s:I}", "id", d->id), &d->stopping);
}

enum cli_exit dump_write(const json_t *item, FILE *out)
{
	const char *base64 = json_string_value(json_object_get(item, "base64"));
	size_t most = base64 ? strlen(base64) : 0, len = 0;
	uint8_t *data = malloc(most + 1);
	enum cli_exit e = CLI_OK;

	if (!data || !base64 ||
	    sodium_base642bin(data, most, base64, most, NULL, &len, NULL,
			      BASE64)) {
		complain("the packets of the daemon are not base64");
		e = CLI_PROTOCOL;
	} else {
		dump_begin(out);
		if (fwrite(data, 1, len, out) < len)
			e = CLI_NO;
	}
	free(data);
	return e;
}

static enum cli_exit take_item(struct dump *d, const json_t *item)
{
	enum cli_exit e = dump_write(item, d->out);

	if (e == CLI_OK && !client_has_line(d->cli->client) && fflush(d->out))
		e = CLI_NO;
	if (e != CLI_NO)
		return e;
	d->over = true;
	if (errno == EPIPE)
		return CLI_OK; /* they have seen enough */
	complain("cannot write: %s", strerror(errno));
	return CLI_NO;
}

static enum cli_exit take_line(struct dump *d, const json_t *line)
{
	const json_t *error = json_object_get(line, "error");
	const json_t *item = json_object_get(line, "item");
	json_t *result = json_object_get(line, "result");
	json_int_t id = json_integer_value(json_object_get(line, "id"));

	if (id && id == d->stopping)
		return CLI_OK; /* refused if it ended by itself before */
	if (error) {
		d->over = true;
		return client_failed(error, d->params);
	}
	if (item)
		return take_item(d, item);
	if (result) {
		d->over = true;
		d->result = json_incref(result);
	}
	return CLI_OK;
}

/* Something from the daemon, a signal, the end of the time, or that of the
 * reader: a pipe without one is an error without a write (pipe(7)). */
static enum cli_exit turn(struct dump *d, const sigset_t *waiting)
{
	struct client *client = d->cli->client;
	struct pollfd p[] = {{.fd = client->fd, .events = POLLIN},
			     {.fd = fileno(d->out)}};
	int64_t left_us = d->until_us - now_us();
	const struct timespec ts = {
		.tv_sec = left_us > 0 ? left_us / 1000000 : 0,
		.tv_nsec = left_us > 0 ? left_us % 1000000 * 1000 : 0,
	};
	enum cli_exit e;
	json_t *line;
	int n;

	if (left_us <= 0)
		return stop(d);
	if (!client_has_line(client)) {
		n = ppoll(p, 2, d->until_us == INT64_MAX ? NULL : &ts, waiting);
		if (n == 0)
			return CLI_OK;
		if (n < 0 && !d->stopping)
			return stop(d);
		if (n < 0) {
			d->over = true;
			return CLI_NO;
		}
		if (p[1].revents & (POLLERR | POLLHUP)) {
			d->over = true;
			return CLI_OK;
		}
	}
	e = client_line(client, &line);
	if (e != CLI_OK)
		return e;
	e = take_line(d, line);
	json_decref(line);
	return e;
}

enum cli_exit dump_to(struct cli *cli, FILE *out, json_t *params,
		      json_t **result)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP};
	const struct sigaction act = {.sa_handler = on_signal};
	struct dump d = {.cli = cli, .out = out, .params = params};
	sigset_t block, waiting;
	enum cli_exit e;

	d.until_us = cli->duration_us ? now_us() + cli->duration_us : INT64_MAX;
	/* A signal while we write is seen when we wait again. */
	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		sigaddset(&block, caught[i]);
		sigaction(caught[i], &act, NULL);
	}
	sigprocmask(SIG_BLOCK, &block, &waiting);
	signal(SIGPIPE, SIG_IGN);
	e = client_begin(cli->client, "dump.follow", json_incref(params),
			 &d.id);
	while (e == CLI_OK && !d.over)
		e = turn(&d, &waiting);
	sigprocmask(SIG_SETMASK, &waiting, NULL);
	json_decref(params);
	*result = d.result;
	return e;
}

/* Of stdout a copy: what its reader does is not for the others to judge. A file
 * that is there stays as it is until there is something to write: dump_begin(). */
FILE *dump_open(struct cli *cli)
{
	const int mode = O_WRONLY | O_CREAT | O_CLOEXEC;
	bool pipe = strcmp(cli->file, "-") == 0;
	FILE *f;
	int fd;

	if (pipe && isatty(STDOUT_FILENO)) {
		complain("-w - is for a pipe, as in: tcphsctl dump -w - | "
			 "wireshark -k -i -");
		return NULL;
	}
	fd = pipe ? dup(STDOUT_FILENO) : open(cli->file, mode | O_EXCL, 0666);
	cli->file_made = !pipe && fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(cli->file, mode, 0666);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f)
		complain("%s: %s", cli->file, strerror(errno));
	return f;
}

int dump_close(const struct cli *cli, FILE *out)
{
	struct stat st;
	bool empty = cli->file_made && fflush(out) == 0 &&
		     fstat(fileno(out), &st) == 0 && st.st_size == 0;
	int err = fclose(out);

	if (empty && !err)
		(void)unlink(cli->file);
	return err;
}

void dump_begin(FILE *out)
{
	int fd = fileno(out);

	/* What cannot be cut has nothing to lose: a pipe, a device. Not behind
	 * >>, where the end is no 0 either. */
	if (ftello(out) == 0 && !(fcntl(fd, F_GETFL) & O_APPEND) &&
	    ftruncate(fd, 0) != 0)
		errno = 0;
}

static json_t *follow_params(const struct cli *cli, int argc, char **argv)
{
	json_t *params = client_filter(argc, argv);

	if (cli->count)
		json_object_set_new(params, "packets",
				    json_integer(cli->count));
	if (cli->snaplen)
		json_object_set_new(params, "snaplen",
				    json_integer(cli->snaplen));
	return params;
}

/* What is in the file: on stderr, for stdout may be the file. */
static void say_result(const struct cli *cli, const json_t *result)
{
	long long packets =
		json_integer_value(json_object_get(result, "packets"));

	if (cli->quiet || !result)
		return;
	fprintf(stderr, "%lld packet%s written, %lld lost, of %lld seen\n",
		packets, plural(packets),
		(long long)json_integer_value(json_object_get(result, "lost")),
		(long long)json_integer_value(json_object_get(result, "seen")));
}

enum cli_exit dump_run(struct cli *cli, int argc, char **argv)
{
	json_t *result = NULL;
	enum cli_exit e;
	FILE *out;

	if (!cli->file) {
		complain("dump wants -w FILE, or -w - for a pipe");
		return CLI_USAGE;
	}
	out = dump_open(cli);
	if (!out)
		return CLI_USAGE;
	e = dump_to(cli, out, follow_params(cli, argc, argv), &result);
	if (dump_close(cli, out) && e == CLI_OK && errno != EPIPE) {
		complain("cannot write: %s", strerror(errno));
		e = CLI_NO;
	}
	say_result(cli, result);
	json_decref(result);
	return e;
}
