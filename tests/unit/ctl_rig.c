/*
 * ctl_rig.c - The control socket, with real clients on a real loop
 */
#include "ctl_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int hook_reload(void *arg, char *err, size_t errlen)
{
	struct rig *r = arg;

	if (r->reload_answer < 0)
		snprintf(err, errlen, "tcphsd.conf:3: unknown key 'prot'");
	return r->reload_answer;
}

static int hook_listener(struct rig *r, const char *verb, const char *name,
			 const char *const *settings, size_t n, char *err,
			 size_t errlen)
{
	snprintf(r->asked, sizeof(r->asked), "%s %s", verb, name);
	for (size_t i = 0; i < n; i++)
		snprintf(r->asked + strlen(r->asked),
			 sizeof(r->asked) - strlen(r->asked), " %s",
			 settings[i]);
	snprintf(err, errlen, "port = 0 is out of range; write 1 to 65535");
	return r->refuses ? -EINVAL : 0;
}

static int hook_add_listener(void *arg, const char *name,
			     const char *const *settings, size_t n, char *err,
			     size_t errlen)
{
	return hook_listener(arg, "add", name, settings, n, err, errlen);
}

static int hook_set_listener(void *arg, const char *name,
			     const char *const *settings, size_t n, char *err,
			     size_t errlen)
{
	int ret = hook_listener(arg, "set", name, settings, n, err, errlen);

	return strcmp(name, "web") ? -ENOENT : ret;
}

static int hook_del_listener(void *arg, const char *name)
{
	struct rig *r = arg;

	snprintf(r->asked, sizeof(r->asked), "del %s", name);
	return r->refuses ? -ENOENT : 0;
}

static void hook_status(void *arg, json_t *status)
{
	(void)arg;
	json_object_set_new(status, "state", json_string("ready"));
}

static void hook_stats(void *arg, json_t *stats)
{
	(void)arg;
	json_object_set_new(stats, "tun", json_pack("{s:i}", "read_errors", 4));
}

static void hook_kick(void *arg)
{
	struct rig *r = arg;

	r->kicks++;
}

/* There is one module: segment. */
static bool hook_level(void *arg, const char *module, int level)
{
	struct rig *r = arg;

	r->level = level;
	return !module || strcmp(module, "segment") == 0;
}

static void hook_histogram(void *arg, const char *listener, ctl_put_fn *put,
			   void *to)
{
	(void)arg;
	put(to, json_pack("{s:s}", "listener", listener ? listener : "echo"));
	if (!listener)
		put(to, json_pack("{s:s}", "role", "client"));
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
	put(to, json_pack("{s:b, s:i, s:s}", "active", filter->active, "kind",
			  filter->kind, "listener", filter->listener));
}

/* A seed, and what is usual if that is asked for. */
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
	struct rig *r = arg;

	return json_pack("{s:b}", "valid", !r->refuses);
}

static json_t *hook_config_diff(void *arg, ctl_put_fn *put, void *to, char *err,
				size_t errlen)
{
	struct rig *r = arg;

	if (r->refuses) {
		snprintf(err, errlen, "t.conf:3: unknown key 'prot'");
		return NULL;
	}
	put(to, json_pack("{s:s, s:s}", "key", "mtu", "file", "9000"));
	return json_object();
}

/* See ctl.mk: calls of calloc() come here. */
static unsigned int calloc_fails;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (calloc_fails && !--calloc_fails) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(n, size);
}

void rig_no_memory(unsigned int nth)
{
	calloc_fails = nth;
}

void rig_init(struct rig *r, unsigned int nconns)
{
	struct ctl_hooks hooks = {
		.arg = r,
		.reload = hook_reload,
		.status = hook_status,
		.stats = hook_stats,
		.kick = hook_kick,
		.add_listener = hook_add_listener,
		.set_listener = hook_set_listener,
		.del_listener = hook_del_listener,
		.log_level = hook_level,
		.events = &r->memory,
		.histogram = hook_histogram,
		.capture = &r->capture,
		.files = &r->files,
		.metrics = hook_metrics,
		.alerts = hook_alerts,
		.config_show = hook_config_show,
		.config_check = hook_config_check,
		.config_diff = hook_config_diff,
	};
	const struct pktmem_conf packets = {.packets = 8, .snaplen = 200};
	char err[256] = "", captures[48];
	int fd;

	memset(r, 0, sizeof(*r));
	r->level = -1;
	strcpy(r->dir, "/tmp/test_ctl.XXXXXX");
	if (!mkdtemp(r->dir))
		abort();
	snprintf(r->path, sizeof(r->path), "%s/sock", r->dir);
	r->conf = (struct ctl_conf){.path = r->path,
				    .mode = 0660,
				    .admin_group = "",
				    .reader_group = "",
				    .instance = "tcphs0"};
	r->st = fake_stack_new(nconns);
	evbus_init(&r->bus, r->st, NULL, NULL);
	if (evmemory_start(&r->memory, &r->bus, RIG_EVENTS) < 0)
		abort();
	pktbus_init(&r->packets, r->st);
	capture_init(&r->capture, &r->packets, "tcphs0");
	r->capture.snaplen = 262;
	r->pktmem_room = calloc(1, PKTMEM_MIN);
	if (!r->pktmem_room)
		abort();
	r->pktmem = pktmem_init(r->pktmem_room, PKTMEM_MIN, &packets);
	hooks.packets = r->pktmem;
	r->loop = ev_loop_new(EVFLAG_AUTO);
	snprintf(captures, sizeof(captures), "%s/cap", r->dir);
	r->files.rotate_size = 1 << 20;
	r->files.rotate_keep = 2;
	if (capture_files_init(&r->files, &r->capture, r->loop, captures))
		abort();
	fd = ctl_listen(&r->conf, err, sizeof(err));
	if (fd < 0) {
		fprintf(stderr, "%s\n", err);
		abort();
	}
	r->ctl = ctl_new(r->loop, fd, &r->conf, r->st, &hooks);
}

void rig_free(struct rig *r)
{
	ctl_del(r->ctl);
	capture_files_free(&r->files);
	evmemory_free(&r->memory);
	free(r->pktmem_room);
	evbus_free(&r->bus);
	ev_loop_destroy(r->loop);
	fake_stack_del(r->st);
	unlink(r->path);
	rmdir(r->dir);
}

void peer_init(struct peer *p, struct rig *r)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	memset(p, 0, sizeof(*p));
	p->rig = r;
	strcpy(addr.sun_path, r->path);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&addr, sizeof(addr)))
		abort();
}

void peer_free(struct peer *p)
{
	close(p->fd);
	free(p->text);
}

void peer_read(struct peer *p)
{
	ssize_t n;

	/* Seldom: there may be megabytes that a test has not looked at. */
	if (p->start && p->size - p->len < 65536 && p->start >= p->size / 2) {
		p->len -= p->start;
		memmove(p->text, p->text + p->start, p->len);
		p->start = 0;
	}
	while (p->size - p->len < 65536) {
		p->size += p->size + 65536;
		p->text = realloc(p->text, p->size);
	}
	n = recv(p->fd, p->text + p->len, p->size - p->len, MSG_DONTWAIT);
	if (n > 0)
		p->len += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		p->ended = true;
}

size_t rig_memory(const struct rig *r)
{
	const struct ctl_client *c;
	size_t n = 0;

	TAILQ_FOREACH(c, &r->ctl->clients, link)
	n += sizeof(*c) + c->in.size + c->out.size;
	return n;
}

void rig_turn(struct rig *r)
{
	ev_run(r->loop, EVRUN_NOWAIT);
}

char *peer_line(struct peer *p)
{
	ev_tstamp until = ev_time() + PATIENCE_S;
	char *end, *line;
	size_t n;

	for (;;) {
		line = p->text ? p->text + p->start : NULL;
		end = p->len > p->start ? memchr(line, '\n', p->len - p->start)
					: NULL;
		if (end)
			break;
		if (p->ended)
			return NULL;
		if (ev_time() > until) {
			CU_FAIL_FATAL("nothing came in time");
			return NULL;
		}
		rig_turn(p->rig);
		peer_read(p);
	}
	n = (size_t)(end - line);
	p->start += n + 1;
	return strndup(line, n);
}

void peer_send(struct peer *p, const char *data, size_t len)
{
	ev_tstamp until = ev_time() + PATIENCE_S;

	while (len) {
		ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno != EAGAIN) {
			return;
		}
		if (ev_time() > until) {
			CU_FAIL_FATAL("could not send in time");
			return;
		}
		rig_turn(p->rig);
	}
}

void peer_say(struct peer *p, const char *line)
{
	peer_send(p, line, strlen(line));
	peer_send(p, "\n", 1);
}

void peer_expect(struct peer *p, const char *want)
{
	char *line = peer_line(p);

	if (!line || strcmp(line, want) != 0)
		fprintf(stderr, "got  %s\nnot  %s\n", line ? line : "(end)",
			want);
	CU_ASSERT(line && strcmp(line, want) == 0);
	free(line);
}

void peer_expect_end(struct peer *p)
{
	char *line = peer_line(p);

	if (line)
		fprintf(stderr, "got  %s\nnot  the end\n", line);
	CU_ASSERT_PTR_NULL(line);
	free(line);
}

json_t *peer_json(struct peer *p)
{
	char *line = peer_line(p);
	json_t *json = line ? json_loads(line, 0, NULL) : NULL;

	CU_ASSERT_PTR_NOT_NULL(json);
	free(line);
	return json;
}

void peer_greeted(struct peer *p, struct rig *r)
{
	peer_init(p, r);
	peer_expect(p, GREETING);
}

void rig_start(struct rig *r, struct peer *p, unsigned int nconns)
{
	rig_init(r, nconns);
	peer_greeted(p, r);
}

void rig_stop(struct rig *r, struct peer *p)
{
	peer_free(p);
	rig_free(r);
}

void peer_ask(struct peer *p, const char *request, const char *answer)
{
	peer_say(p, request);
	peer_expect(p, answer);
}

void peer_expect_error(struct peer *p, const char *code, const char *message,
		       const char *hint)
{
	json_t *json = peer_json(p);
	json_t *e = json_object_get(json, "error");
	const char *got = json_string_value(json_object_get(e, "code"));
	const char *msg = json_string_value(json_object_get(e, "message"));
	const char *h = json_string_value(json_object_get(e, "hint"));

	if (!got || !msg || strcmp(got, code) || strcmp(msg, message))
		fprintf(stderr, "got  %s: %s\n", got ? got : "-",
			msg ? msg : "-");
	CU_ASSERT(got && strcmp(got, code) == 0);
	CU_ASSERT(msg && strcmp(msg, message) == 0);
	CU_ASSERT(hint ? h && strcmp(h, hint) == 0 : !h);
	json_decref(json);
}
