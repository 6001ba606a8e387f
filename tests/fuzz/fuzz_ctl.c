/*
 * fuzz_ctl.c - Whatever a control client sends, in whatever pieces
 *
 * The input is what the client sends; a 0xff byte ends a piece (it is no UTF-8
 * and not sent). The client reads everything, and each line that it gets must
 * be JSON, unless its own first byte chose text mode. Everything that a session
 * may ask for is there, and a place for capture files that nobody can write.
 */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/fake_stack.h"
#include "capture.h"
#include "capture_files.h"
#include "core/assert.h"
#include "ctl_priv.h"
#include "evbus.h"
#include "evmemory.h"
#include "log.h"
#include "pktbus.h"
#include "pktmem.h"

#define PIECE_END 0xff
#define EVENTS	  16 /* remembered */

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

/* Reads every setting, as a real one does. */
static int hook_add_listener(void *arg, const char *name,
			     const char *const *settings, size_t n, char *err,
			     size_t errlen)
{
	size_t len = strlen(name);

	(void)arg;
	for (size_t i = 0; i < n; i++)
		len += strlen(settings[i]);
	snprintf(err, errlen, "%s", name);
	return len % 2 ? 0 : -EINVAL;
}

static int hook_set_listener(void *arg, const char *name,
			     const char *const *settings, size_t n, char *err,
			     size_t errlen)
{
	if (strcmp(name, "echo") != 0)
		return -ENOENT;
	return hook_add_listener(arg, name, settings, n, err, errlen);
}

static int hook_del_listener(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "echo") == 0 ? 0 : -ENOENT;
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

static bool hook_log_level(void *arg, const char *module, int level)
{
	(void)arg;
	(void)level;
	return !module || strcmp(module, "loop") == 0;
}

static void hook_histogram(void *arg, const char *listener, ctl_put_fn *put,
			   void *to)
{
	(void)arg;
	put(to, json_pack("{s:s*}", "listener", listener));
}

static void hook_metrics(void *arg, ctl_put_fn *put, void *to)
{
	(void)arg;
	put(to, json_pack("{s:s}", "text", "tcphs_up 1\n"));
}

static void hook_alerts(void *arg, const struct ctl_alert_filter *filter,
			ctl_put_fn *put, void *to)
{
	(void)arg;
	put(to, json_pack("{s:b, s:i}", "active", filter->active, "kind",
			  filter->kind));
}

static json_t *hook_config_show(void *arg, bool all, bool secrets,
				ctl_put_fn *put, void *to)
{
	(void)arg;
	put(to, json_pack("{s:s, s:b}", "key", "seed", "hidden", !secrets));
	if (all)
		put(to, json_pack("{s:s}", "key", "mtu"));
	return json_pack("{s:s}", "file", "/etc/t.conf");
}

static json_t *hook_config_check(void *arg)
{
	(void)arg;
	return json_pack("{s:b}", "valid", true);
}

/* The file is good every other time. */
static json_t *hook_config_diff(void *arg, ctl_put_fn *put, void *to, char *err,
				size_t errlen)
{
	bool *good = arg;

	*good = !*good;
	if (!*good) {
		snprintf(err, errlen, "t.conf:3: unknown key 'prot'");
		return NULL;
	}
	put(to, json_pack("{s:s, s:s}", "key", "mtu", "file", "9000"));
	return json_object();
}

/* What the sessions of an input look at, beside the stack. */
struct sources {
	struct evbus bus;
	struct evmemory events;
	struct pktbus packets;
	struct capture capture;
	struct capture_files files;
	struct pktmem *memory;
};

static void sources_init(struct sources *s, struct stack *st,
			 struct ev_loop *loop)
{
	static uint8_t room[PKTMEM_MIN];
	const struct pktmem_conf conf = {.packets = 8, .snaplen = 200};

	memset(s, 0, sizeof(*s));
	memset(room, 0, sizeof(room));
	evbus_init(&s->bus, st, NULL, NULL);
	ASSERT(evmemory_start(&s->events, &s->bus, EVENTS) >= 0);
	pktbus_init(&s->packets, st);
	capture_init(&s->capture, &s->packets, "tcphs0");
	s->capture.snaplen = 262;
	s->files.rotate_size = 1 << 20;
	s->files.rotate_keep = 2;
	ASSERT(!capture_files_init(&s->files, &s->capture, loop, "/proc/none"));
	s->memory = pktmem_init(room, sizeof(room), &conf);
	ASSERT(s->memory);
}

static void sources_free(struct sources *s)
{
	capture_files_free(&s->files);
	evmemory_free(&s->events);
	evbus_free(&s->bus);
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
	static struct sources sources;
	bool file_good = false;
	struct ctl_hooks hooks = {
		.arg = &file_good,
		.reload = hook_reload,
		.status = hook_json,
		.stats = hook_json,
		.kick = hook_kick,
		.add_listener = hook_add_listener,
		.set_listener = hook_set_listener,
		.del_listener = hook_del_listener,
		.log_level = hook_log_level,
		.histogram = hook_histogram,
		.metrics = hook_metrics,
		.alerts = hook_alerts,
		.config_show = hook_config_show,
		.config_check = hook_config_check,
		.config_diff = hook_config_diff,
		.events = &sources.events,
		.capture = &sources.capture,
		.files = &sources.files,
	};
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
	sources_init(&sources, st, loop);
	hooks.packets = sources.memory;
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
	sources_free(&sources);
	fake_stack_del(st);
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}
