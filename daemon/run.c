/*
 * run.c - What happens between start and end
 *
 * Everything is open and every right is gone. libev waits for packets, timers,
 * control clients and signals; loop.c takes the turns. Here is what is neither
 * packet nor client: HUP reads the configuration again, TERM and INT end the
 * daemon, and somebody else may take our interface away.
 *
 * The end has stages, because a peer should get a FIN and a chance to answer
 * it: RUN_CLOSING sends FINs and waits up to stop_timeout, RUN_RESETTING sends
 * RSTs to those who are still there. A second signal goes on to that at once.
 * Both walk over the connections in slices, one slice a turn.
 */
#include "run.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <tcphs/ipaddr.h>
#include <tcphs/plural.h>

#include "log.h"
#include "service/service.h"
#include "tun_queue.h"

#define SECOND_US 1000000

static int start_turns(struct run *r);
static int64_t hook_drain(void *arg, int64_t now_us);
static int start_ctl(struct run *r, int fd);
static void start_signals(struct run *r);
static void stop_watchers(struct run *r);
static void say_ready(struct run *r);
static void on_stop(struct ev_loop *ev, ev_signal *w, int revents);
static void on_hangup(struct ev_loop *ev, ev_signal *w, int revents);
static void on_patience(struct ev_loop *ev, ev_timer *w, int revents);
static void on_link_changed(struct ev_loop *ev, ev_io *w, int revents);
static void hook_gone(void *arg);
static bool hook_turn(void *arg, int64_t now_us);
static bool closing(struct run *r, int64_t now_us);
static bool resetting(struct run *r, int64_t now_us);
static int hook_reload(void *arg, char *err, size_t errlen);
static bool in_all(struct run *r, bool (*work)(struct stack *, int64_t),
		   int64_t now_us);
static int hook_add_listener(void *arg, const char *name,
			     const char *const *settings, size_t n, char *err,
			     size_t errlen);
static int hook_set_listener(void *arg, const char *name,
			     const char *const *settings, size_t n, char *err,
			     size_t errlen);
static int hook_del_listener(void *arg, const char *name);
static void hook_kick(void *arg);
static void hook_settle(void *arg);
static struct stack *hook_opener(void *arg, const struct ip_addr *local,
				 uint16_t local_port,
				 const struct ip_addr *peer,
				 uint16_t peer_port);
static bool hook_log_level(void *arg, const char *module, int level);
static void hook_status(void *arg, json_t *status);
static json_t *threads_json(struct run *r);
static json_t *spin_json(struct run *r);
static void hook_stats(void *arg, json_t *stats);
static void put_text(json_t *o, const char *key, const char *text);
static void put_address(json_t *o, const char *key, const struct ip_addr *a,
			const struct ip_prefix *net);

int run_begin(struct run *r, int ctl_fd, int64_t now_us)
{
	r->started_us = now_us;
	r->started_at = time(NULL);
	r->conf_ok = true;
	service_start(r->started_us, r->started_at);
	if (run_measure(r) < 0)
		return -ENOMEM;
	if (start_turns(r) < 0)
		return -EAGAIN;
	r->bus.kick = hook_kick;
	r->bus.kick_arg = r;
	capture_init(&r->capture, &r->packets, r->tun.name);
	r->capture.snaplen = r->conf.snaplen;
	r->files.rotate_size = r->conf.rotate_size;
	r->files.rotate_keep = r->conf.rotate_keep;
	if (capture_files_init(&r->files, &r->capture, r->ev,
			       r->conf.capture_dir) < 0) {
		log_error("Cannot start: no descriptor for %s",
			  r->conf.capture_dir);
		return -EMFILE;
	}
	start_signals(r);
	if (r->watch.fd >= 0) {
		ev_io_init(&r->link_changed, on_link_changed, r->watch.fd,
			   EV_READ);
		r->link_changed.data = r;
		ev_io_start(r->ev, &r->link_changed);
	}
	return start_ctl(r, ctl_fd);
}

struct evfile_conf run_file_conf(const struct conf *c)
{
	return (struct evfile_conf){
		.path = c->log_file,
		.level = c->log_file_level,
		.size = c->log_file_size,
		.keep = c->log_file_keep,
	};
}

int run_start_file(struct run *r)
{
	const struct evfile_conf conf = run_file_conf(&r->conf);

	return evfile_start(&r->evfile, &r->bus, &conf);
}

int run_forever(struct run *r)
{
	say_ready(r);
	notify_ready(&r->notify, r->ev, &r->shards, hook_kick, r);
	shards_release_all(&r->shards);
	ev_run(r->ev, 0);
	if (r->threads) {
		threads_stop(r->threads);
		threads_settle(r->threads);
	}
	(void)evbus_drain(&r->bus, loop_now_us());
	stop_watchers(r);
	capture_files_free(&r->files);
	evfile_stop(&r->evfile);
	evmemory_free(&r->memory);
	evbus_free(&r->bus);
	run_measure_stop(r);
	return r->exit_code;
}

static int start_turns(struct run *r)
{
	const struct loop_hooks hooks = {
		.arg = r,
		.turn = hook_turn,
		.gone = hook_gone,
		.drain = hook_drain,
	};
	const struct threads_hooks control = {r, hook_turn, hook_gone};
	int ret;

	if (!r->threads) {
		ret = loop_init(&r->loop, r->ev, r->st, &r->tun, &hooks,
				r->conf.busy_poll);
		if (ret < 0)
			log_errorx("Cannot start: no timer: %s",
				   strerror(-ret));
		return ret;
	}
	ret = threads_start(r->threads, r->ev, &control, r->conf.busy_poll);
	if (ret < 0)
		log_errorx("Cannot start: %u threads: %s", r->nthreads,
			   strerror(-ret));
	return ret;
}

static int64_t hook_drain(void *arg, int64_t now_us)
{
	return evbus_drain(&((struct run *)arg)->bus, now_us);
}

static int start_ctl(struct run *r, int fd)
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
		.log_level = hook_log_level,
		.events = &r->memory,
		.capture = &r->capture,
		.packets = r->pktmem,
		.files = &r->files,
		.judge = r->alerting.judge,
	};
	const struct ctl_conf conf = {
		.path = r->conf.socket,
		.mode = r->conf.socket_mode,
		.admin_group = r->conf.admin_group,
		.reader_group = r->conf.reader_group,
		.instance = r->tun.name,
	};

	if (r->threads) {
		hooks.shards = &r->shards;
		hooks.settle = hook_settle;
		hooks.opener = hook_opener;
	}
	run_numbers_hooks(&hooks);
	run_config_hooks(&hooks);
	r->ctl = ctl_new(r->ev, fd, &conf, r->st, &hooks);
	if (r->ctl)
		return 0;
	log_errorx("Cannot start: no memory for the control socket");
	return -ENOMEM;
}

static void start_signals(struct run *r)
{
	ev_signal_init(&r->term, on_stop, SIGTERM);
	ev_signal_init(&r->interrupt, on_stop, SIGINT);
	ev_signal_init(&r->hangup, on_hangup, SIGHUP);
	r->term.data = r->interrupt.data = r->hangup.data = r;
	ev_signal_start(r->ev, &r->term);
	ev_signal_start(r->ev, &r->interrupt);
	ev_signal_start(r->ev, &r->hangup);
	ev_init(&r->patience, on_patience);
	r->patience.data = r;
}

static void stop_watchers(struct run *r)
{
	ctl_del(r->ctl);
	notify_stop(&r->notify);
	if (!r->threads)
		loop_stop(&r->loop);
	ev_signal_stop(r->ev, &r->term);
	ev_signal_stop(r->ev, &r->interrupt);
	ev_signal_stop(r->ev, &r->hangup);
	ev_timer_stop(r->ev, &r->patience);
	ev_io_stop(r->ev, &r->link_changed);
}

static void say_ready(struct run *r)
{
	const struct stack_conf *c = stack_conf(r->st);
	char own4[IPADDR_TEXT_MAX] = "", own6[IPADDR_TEXT_MAX] = "";

	if (c->net4.len)
		ipaddr_format(&c->own4, own4);
	if (c->net6.len)
		ipaddr_format(&c->own6, own6);
	evbus_say(&r->bus, EVENT_DAEMON_READY, 0,
		  "Ready on %s: %s%s%s, %u listener%s", r->tun.name, own4,
		  own4[0] && own6[0] ? " and " : "", own6, r->conf.nlisteners,
		  plural(r->conf.nlisteners));
}

static void on_stop(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct run *r = w->data;
	struct stack_stats s;

	(void)revents;
	run_kick(r);
	shards_stats(&r->shards, &s);
	if (r->stage != RUN_READY) {
		evbus_say(&r->bus, EVENT_DAEMON_STOPPING, s.full,
			  "Stopping at once (%s again), resetting %u "
			  "connection%s",
			  strsignal(w->signum), s.full, plural(s.full));
		r->stage = RUN_RESETTING;
		return;
	}
	evbus_say(&r->bus, EVENT_DAEMON_STOPPING, s.full,
		  "Stopping (%s), closing %u connection%s",
		  strsignal(w->signum), s.full, plural(s.full));
	r->stage = RUN_CLOSING;
	r->patience_us = loop_now_us() + r->conf.stop_timeout_us;
	ev_timer_set(&r->patience, (double)r->conf.stop_timeout_us / SECOND_US,
		     0.);
	ev_timer_start(ev, &r->patience);
	notify_stopping(&r->notify);
}

static void on_hangup(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct run *r = w->data;
	char err[sizeof(r->conf_error)];

	(void)ev;
	(void)revents;
	evfile_reopen(&r->evfile);
	log_reopen();
	(void)run_reload(r, err, sizeof(err));
}

static void on_patience(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct run *r = w->data;

	(void)ev;
	(void)revents;
	run_kick(r);
}

static void on_link_changed(struct ev_loop *ev, ev_io *w, int revents)
{
	struct run *r = w->data;
	char what[160];

	(void)ev;
	(void)revents;
	while (netlink_watch_read(&r->watch, what, sizeof(what))) {
		if (what[0])
			log_warnx("%s", what);
	}
}

static void hook_gone(void *arg)
{
	struct run *r = arg;

	log_errorx("Interface %s was removed by someone else", r->tun.name);
	r->exit_code = EX_OSERR;
	ev_break(r->ev, EVBREAK_ALL);
}

static bool hook_turn(void *arg, int64_t now_us)
{
	struct run *r = arg;

	notify_turn(&r->notify);
	switch (r->stage) {
	case RUN_CLOSING:
		return closing(r, now_us);
	case RUN_RESETTING:
		return resetting(r, now_us);
	case RUN_READY:
		break;
	}
	return false;
}

/* FIN to everybody; over when all of them answered. */
static bool closing(struct run *r, int64_t now_us)
{
	struct stack_stats s;
	uint32_t left;

	if (!r->told_all)
		r->told_all = in_all(r, stack_stop, now_us);
	if (now_us >= r->patience_us) {
		shards_stats(&r->shards, &s);
		left = s.full + s.half_open;
		log_notice("%u connection%s did not close in time, resetting "
			   "%s",
			   left, plural(left), left == 1 ? "it" : "them");
		r->stage = RUN_RESETTING;
		return true;
	}
	if (!r->told_all)
		return true;
	shards_stats(&r->shards, &s);
	if (!s.full && !s.half_open)
		ev_break(r->ev, EVBREAK_ALL);
	return false;
}

/* The RSTs leave in this turn; ev_break() ends the loop after it. Threads have
 * a last turn for them. */
static bool resetting(struct run *r, int64_t now_us)
{
	if (!in_all(r, stack_abort_all, now_us))
		return true;
	ev_break(r->ev, EVBREAK_ALL);
	return false;
}

/* A slice of work in each stack; true when all are through with it. */
static bool in_all(struct run *r, bool (*work)(struct stack *, int64_t),
		   int64_t now_us)
{
	bool over = true;

	for (unsigned int i = 0; i < r->shards.n; i++) {
		shards_hold(&r->shards, i);
		over &= work(r->shards.st[i], now_us);
		shards_release(&r->shards, i);
	}
	if (r->threads)
		threads_kick(r->threads);
	return over;
}

static int hook_reload(void *arg, char *err, size_t errlen)
{
	return run_reload(arg, err, errlen);
}

static int hook_add_listener(void *arg, const char *name,
			     const char *const *settings, size_t n, char *err,
			     size_t errlen)
{
	return run_add_listener(arg, name, settings, n, err, errlen);
}

static int hook_set_listener(void *arg, const char *name,
			     const char *const *settings, size_t n, char *err,
			     size_t errlen)
{
	return run_set_listener(arg, name, settings, n, err, errlen);
}

static int hook_del_listener(void *arg, const char *name)
{
	return run_del_listener(arg, name);
}

static void hook_kick(void *arg)
{
	run_kick(arg);
}

void run_kick(struct run *r)
{
	if (r->threads)
		threads_kick(r->threads);
	else
		loop_kick(&r->loop);
}

static void hook_settle(void *arg)
{
	threads_settle(((struct run *)arg)->threads);
}

static struct stack *hook_opener(void *arg, const struct ip_addr *local,
				 uint16_t local_port,
				 const struct ip_addr *peer, uint16_t peer_port)
{
	return threads_opener(((struct run *)arg)->threads, local, local_port,
			      peer, peer_port);
}

/* What nobody wants to read is not recorded in the first place. */
static bool hook_log_level(void *arg, const char *module, int level)
{
	struct run *r = arg;

	if (module)
		return evlog_module(&r->evlog, module, level);
	evlog_level(&r->evlog, level, r->conf.log_handshakes);
	return true;
}

static void hook_status(void *arg, json_t *status)
{
	const struct run *r = arg;
	const struct stack_conf *c = stack_conf(r->st);
	char started[32];
	struct tm tm;

	gmtime_r(&r->started_at, &tm);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_text(status, "version", TCPHS_VERSION);
	put_text(status, "instance", r->tun.name);
	put_text(status, "state", r->stage == RUN_READY ? "ready" : "stopping");
	json_object_set_new(status, "pid", json_integer(getpid()));
	json_object_set_new(status, "uptime_us",
			    json_integer(loop_now_us() - r->started_us));
	put_text(status, "started", started);
	put_text(status, "interface", r->tun.name);
	put_address(status, "address4", &c->own4, &c->net4);
	put_address(status, "address6", &c->own6, &c->net6);
	json_object_set_new(status, "mtu", json_integer(c->mtu));
	json_object_set_new(status, "offload", json_boolean(r->tun.offload));
	json_object_set_new(status, "threads", json_integer(r->nthreads));
	if (r->threads)
		json_object_set_new(status, "steered",
				    json_boolean(r->threads->steered));
	put_text(status, "config", r->conf.path);
	json_object_set_new(status, "config_ok", json_boolean(r->conf_ok));
	put_text(status, "config_error", r->conf_error);
	run_numbers_status(r, status);
	put_text(status, "log_level", log_level_name(log_level()));
}

/* What each thread did for the others. */
static json_t *threads_json(struct run *r)
{
	json_t *all = json_array();
	struct threads_stats s;

	for (unsigned int i = 0; i < r->nthreads; i++) {
		threads_stats(r->threads, i, &s);
		json_array_append_new(
			all, json_pack("{s:I, s:I, s:I, s:I, s:I}", "read",
				       (json_int_t)s.read, "handed",
				       (json_int_t)s.handed, "taken",
				       (json_int_t)s.taken, "lost",
				       (json_int_t)s.lost, "unseen",
				       (json_int_t)s.unseen));
	}
	return all;
}

static json_t *spin_json(struct run *r)
{
	uint64_t paid = 0, missed = 0;

	if (r->threads)
		threads_spin(r->threads, &paid, &missed);
	else
		spin_counts(&r->loop.spin, &paid, &missed);
	return json_pack("{s:I, s:I}", "paid", (json_int_t)paid, "missed",
			 (json_int_t)missed);
}

static void hook_stats(void *arg, json_t *stats)
{
	struct run *r = arg;
	const struct tun *t = run_tun(r);
	uint64_t lost;

	if (r->threads)
		json_object_set_new(stats, "threads", threads_json(r));
	json_object_set_new(stats, "tun",
			    json_pack("{s:I, s:I, s:I}", "read_errors",
				      (json_int_t)t->read_errors,
				      "write_errors",
				      (json_int_t)t->write_errors, "write_full",
				      (json_int_t)t->write_full));
	if (r->conf.busy_poll)
		json_object_set_new(stats, "busy_poll", spin_json(r));
	if (tun_queue_lost(t->name, &lost))
		json_object_set_new(json_object_get(stats, "tun"),
				    "queue_dropped",
				    json_integer((json_int_t)lost));
	if (r->selfcheck.judge)
		json_object_set_new(stats, "self_check",
				    selfcheck_describe(&r->selfcheck));
}

/* What is empty does not apply, and is left out. Paths and complaints about a
 * file have whatever bytes it has. */
static void put_text(json_t *o, const char *key, const char *text)
{
	if (text[0])
		json_object_set_new(o, key, ctl_reply_text(text));
}

static void put_address(json_t *o, const char *key, const struct ip_addr *a,
			const struct ip_prefix *net)
{
	char text[IPADDR_TEXT_MAX];

	if (net->len)
		put_text(o, key, ipaddr_format(a, text));
}
