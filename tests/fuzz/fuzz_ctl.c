/*
 * fuzz_ctl.c - Whatever a control client sends, in whatever pieces
 *
 * The input is what the client sends; a 0xff byte ends a piece (it is no UTF-8
 * and not sent). The client reads everything, and each line that it gets must
 * be JSON, unless its own first byte chose text mode.
 */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"
#include "ctl_priv.h"
#include "../unit/fake_stack.h"
#include "log.h"

#define PIECE_END 0xff

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static int hook_reload(void *arg, char *err, size_t errlen)
{
	(void)arg;
	snprintf(err, errlen, "no");
	return -EINVAL;
}

static void hook_json(void *arg, json_t *o)
{
	(void)arg;
	(void)o;
}

static void hook_kick(void *arg)
{
	(void)arg;
}

/* All that arrived; each line must be JSON if @json. */
static void read_all(int fd, bool json, char **rest, size_t *len)
{
	char *end;
	ssize_t n;

	for (;;) {
		*rest = realloc(*rest, *len + 65536);
		ASSERT(*rest);
		n = recv(fd, *rest + *len, 65536, MSG_DONTWAIT);
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
	while (json && (end = memchr(*rest, '\n', *len))) {
		size_t line = (size_t)(end - *rest);
		json_t *o = json_loadb(*rest, line, 0, NULL);

		ASSERT(json_is_object(o));
		json_decref(o);
		*len -= line + 1;
		memmove(*rest, end + 1, *len);
	}
}

static void play(struct ev_loop *loop, struct ctl *ctl, int fd,
		 const uint8_t *data, size_t size)
{
	char *rest = NULL;
	size_t len = 0;
	bool json;

	while (size && *data == PIECE_END) {
		data++;
		size--;
	}
	json = !size || *data == '{';
	for (size_t i = 0; i < size && !TAILQ_EMPTY(&ctl->clients);) {
		const uint8_t *end = memchr(data + i, PIECE_END, size - i);
		size_t n = end ? (size_t)(end - data) - i : size - i;

		if (send(fd, data + i, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		ev_run(loop, EVRUN_NOWAIT);
		read_all(fd, json, &rest, &len);
		i += n + !!end;
	}
	shutdown(fd, SHUT_WR);
	while (!TAILQ_EMPTY(&ctl->clients)) {
		ev_run(loop, EVRUN_NOWAIT);
		read_all(fd, json, &rest, &len);
	}
	free(rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ev_loop *loop;
	const struct ctl_hooks hooks = {.reload = hook_reload,
					.status = hook_json,
					.stats = hook_json,
					.kick = hook_kick};
	const struct ctl_conf conf = {.path = "",
				      .admin_group = "",
				      .reader_group = "",
				      .instance = "tcphs0"};
	struct stack *st = fake_stack_new(300);
	struct ctl_client *c;
	struct ctl *ctl;
	int pair[2];

	if (!loop) {
		loop = ev_loop_new(EVFLAG_AUTO);
		log_set_level(LOG_LEVEL_ERROR);
	}
	st->conns[3].info.half_open = true;
	st->conns[4].info.state = TCP_TIME_WAIT;
	st->conns[5].info.id = 1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		abort();
	ctl = ctl_new(loop, socket(AF_UNIX, SOCK_STREAM, 0), &conf, st, &hooks);
	ASSERT(ctl);
	ev_io_stop(loop, &ctl->acceptable);
	c = ctl_client_new(ctl, pair[0], RIGHTS_ADMIN);
	ASSERT(c);
	ctl_reply_greeting(c);
	ctl_client_settle(c);
	play(loop, ctl, pair[1], data, size);
	ctl_del(ctl);
	close(pair[1]);
	fake_stack_del(st);
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}
