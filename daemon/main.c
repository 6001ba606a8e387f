/*
 * main.c - How the daemon starts and ends
 *
 * Everything that can be refused is tried in the order in which people want to
 * hear of it: the command line, the configuration, another instance, the
 * device, the addresses. Each refusal is one sentence and an exit code of
 * sysexits(3). Then the memory is reserved, all rights are given up, and only
 * then does the first packet get parsed.
 *
 * The interface ends with its file descriptor, so the way out needs no right.
 */
#include <errno.h>
#include <ev.h>
#include <getopt.h>
#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf.h"
#include "core/assert.h"
#include "ctl.h"
#include "lab.h"
#include "log.h"
#include "privacy.h"
#include "netlink.h"
#include "priv.h"
#include "run.h"
#include "service/service.h"
#include "tun.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#define DEFAULT_CONFIG SYSCONFDIR "/tcphsd/tcphsd.conf"

#define OVERRIDES_MAX 64

#define AUTO_THREADS_MAX 8

#define FILES_MIN 2048 /* CTL_CLIENTS_MAX of them clients */

struct options {
	struct run_source source;
	const char *overrides[OVERRIDES_MAX];
	char level[32]; /* --log-level, as an override */
	char seed[64];	/* --seed likewise */
	bool check, foreground, dump;
};

static bool is_verb(int argc, char **argv, const char *verb);
static void parse_options(struct options *o, int argc, char **argv);
static void take_seed(struct options *o, const char *text);
static void add_override(struct options *o, const char *text);
_Noreturn static void usage(FILE *f, int code);
static int load(struct run *r, const struct options *o);
static int dump_defaults(const struct conf *c);
static int start_log(const struct conf *c, bool foreground);
static void raise_file_limit(void);
static int start(struct run *r, int *ctl_fd, int64_t now_us);
static int make_socket_dir(const char *path, const struct priv_user *u);
static void make_capture_dir(const char *path, const struct priv_user *u);
static int open_control(const struct conf *c, int *fd);
static int open_interface(struct run *r);
static void close_queues(struct run *r);
static int refused(int error, const char *err);
static bool overlaps(const struct conf *c, const struct ip_prefix *p);
static unsigned int thread_count(const struct conf *c);
static int start_stack(struct run *r, int64_t now_us);
static int make_stacks(struct run *r, int64_t now_us);
static int make_shards(struct run *r, void *mem, const uint8_t seed[32],
		       int64_t now_us);
static int start_pktmem(struct run *r);
static void warn_if_reachable(const struct conf *c);
static void *reserve(size_t len);
static void make_seed(const struct conf *c, uint8_t seed[32]);
static void give_log_file(const struct priv_user *u);
static int confine(struct run *r, const struct priv_user *u, int ctl_fd,
		   int64_t now_us);

int main(int argc, char **argv)
{
	static struct options o;
	static struct run r;
	int64_t now_us;
	int ctl_fd = -1, code;

	if (is_verb(argc, argv, "lab"))
		return lab_main(argc - 1, argv + 1);
	o.check = is_verb(argc, argv, "check-config");
	if (o.check || is_verb(argc, argv, "run")) {
		argv[1] = argv[0]; /* for getopt's complaints */
		argc--;
		argv++;
	}
	r.tun.fd = r.watch.fd = -1;
	parse_options(&o, argc, argv);
	code = load(&r, &o);
	if (!code && o.dump)
		return dump_defaults(&r.conf);
	if (code || o.check) {
		if (!code)
			printf("%s: configuration is valid\n",
			       r.conf.path[0] ? r.conf.path : "defaults");
		return code;
	}
	if (start_log(&r.conf, o.foreground) < 0)
		return EX_CONFIG;
	/* Readers that go, and ulimit -f: a write that failed is answer enough. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	raise_file_limit();
	now_us = loop_now_us();
	code = start(&r, &ctl_fd, now_us);
	if (!code)
		code = run_forever(&r);
	if (ctl_fd >= 0 && unlink(r.conf.socket) < 0 && errno != ENOENT)
		log_warn("%s cannot be removed", r.conf.socket);
	close_queues(&r);
	if (!code)
		log_notice("Stopped");
	return code;
}

static bool is_verb(int argc, char **argv, const char *verb)
{
	return argc > 1 && strcmp(argv[1], verb) == 0;
}

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	log_errorx("%s:%d: assertion failed: %s", file, line, expr);
	abort();
}

static void parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"test", no_argument, NULL, 't'},
		{"define", required_argument, NULL, 'D'},
		{"foreground", no_argument, NULL, 'f'},
		{"log-level", required_argument, NULL, 'l'},
		{"seed", required_argument, NULL, 's'},
		{"dump-defaults", no_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	o->source.overrides = o->overrides;
	while ((opt = getopt_long(argc, argv, "c:tD:Vh", longs, NULL)) != -1) {
		switch (opt) {
		case 'c':
			o->source.path = optarg;
			break;
		case 't':
			o->check = true;
			break;
		case 'D':
			if (!strchr(optarg, '='))
				usage(stderr, EX_USAGE);
			add_override(o, optarg);
			break;
		case 'f':
			o->foreground = true;
			break;
		case 'l':
			if (log_level_parse(optarg) < 0) {
				fprintf(stderr,
					"tcphsd: '%s' is no log level: error "
					"warning notice info debug\n",
					optarg);
				usage(stderr, EX_USAGE);
			}
			snprintf(o->level, sizeof(o->level), "log.level=%s",
				 optarg);
			break;
		case 's':
			take_seed(o, optarg);
			break;
		case 'd':
			o->dump = true;
			break;
		case 'V':
			puts("tcphsd " TCPHS_VERSION);
			exit(EX_OK);
		case 'h':
			usage(stdout, EX_OK);
		default:
			usage(stderr, EX_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tcphsd: '%s' is not expected here\n",
			argv[optind]);
		usage(stderr, EX_USAGE);
	}
	if (o->level[0])
		add_override(o, o->level);
	if (o->seed[0])
		add_override(o, o->seed);
	if (o->dump && (o->source.path || o->source.noverrides || o->check)) {
		fputs("tcphsd: --dump-defaults goes alone; `tcphsctl config "
		      "show' tells what a daemon runs with\n",
		      stderr);
		exit(EX_USAGE);
	}
	if (!o->source.path && !o->dump && access(DEFAULT_CONFIG, F_OK) == 0)
		o->source.path = DEFAULT_CONFIG;
}

/* What is no number would be said of a -D that nobody typed. */
static void take_seed(struct options *o, const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits] || digits > 20) {
		fprintf(stderr,
			"tcphsd: --seed wants a number, 0 to "
			"18446744073709551615, not '%s'\n",
			text);
		usage(stderr, EX_USAGE);
	}
	snprintf(o->seed, sizeof(o->seed), "tcphsd.seed=%s", text);
}

static void add_override(struct options *o, const char *text)
{
	if (o->source.noverrides == OVERRIDES_MAX) {
		fprintf(stderr, "tcphsd: more than %d options -D\n",
			OVERRIDES_MAX);
		exit(EX_USAGE);
	}
	o->overrides[o->source.noverrides++] = text;
}

_Noreturn static void usage(FILE *f, int code)
{
	fputs("usage: tcphsd [-c FILE] [-t] [-D SECTION.KEY=VALUE]... "
	      "[--foreground]\n"
	      "              [--log-level LEVEL] [--seed N] [-V] [-h]\n"
	      "       tcphsd --dump-defaults\n"
	      "       tcphsd lab [--classic] [--step] [--seed N]\n",
	      f);
	if (code == EX_OK)
		fputs("\n"
		      "  -c, --config FILE   read FILE instead "
		      "of " DEFAULT_CONFIG "\n"
		      "  -t, --test          check the configuration and exit\n"
		      "  -D, --define SECTION.KEY=VALUE\n"
		      "                      set one key, whatever the file "
		      "says\n"
		      "      --foreground    log to the terminal, whatever "
		      "log.target says\n"
		      "      --log-level LEVEL\n"
		      "                      error, warning, notice, info or "
		      "debug\n"
		      "      --seed N        make every random choice "
		      "repeatable: for tests\n"
		      "      --dump-defaults print the default configuration "
		      "and exit\n"
		      "  -V, --version       print the version\n"
		      "  -h, --help          print this\n"
		      "\n"
		      "  lab                 watch two TCPs talk; needs no "
		      "right\n",
		      f);
	exit(code);
}

static int load(struct run *r, const struct options *o)
{
	const struct run_source *s = &o->source;

	r->source = *s;
	conf_services(service_names());
	if (conf_load(&r->conf, s->path, s->overrides, s->noverrides, stderr) <
	    0)
		return EX_CONFIG;
	return EX_OK;
}

static int dump_defaults(const struct conf *c)
{
	fputs("# The defaults of tcphsd " TCPHS_VERSION
	      "; tcphsd.conf(5) explains each key.\n",
	      stdout);
	conf_print(c, stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EX_OK;
	fprintf(stderr, "tcphsd: cannot write: %s\n", strerror(errno));
	return EX_IOERR;
}

static int start_log(const struct conf *c, bool foreground)
{
	static const enum log_to to[] = {
		[LOG_AUTO] = LOG_TO_AUTO,     [LOG_JOURNAL] = LOG_TO_JOURNAL,
		[LOG_STDERR] = LOG_TO_STDERR, [LOG_SYSLOG] = LOG_TO_STDERR,
		[LOG_FILE] = LOG_TO_STDERR,
	};
	int ret = 0;

	log_init(foreground ? LOG_TO_STDERR : to[c->log_target], c->log_level,
		 c->log_format);
	if (!foreground && c->log_target == LOG_SYSLOG)
		log_to_syslog();
	if (!foreground && c->log_target == LOG_FILE)
		ret = log_to_file(c->log_target_file);
	if (ret < 0)
		log_errorx("Cannot start: %s: %s", c->log_target_file,
			   strerror(-ret));
	privacy_set(c->log_privacy);
	return ret;
}

/* A shell gives 1024, which clients of the control socket could use up, and
 * captures and the configuration could not be opened then. */
static void raise_file_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= FILES_MIN)
		return;
	l.rlim_cur = l.rlim_max < FILES_MIN ? l.rlim_max : FILES_MIN;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0)
		log_warn("The limit of open files stays as it is");
}

/* Everything up to the point where packets may come. */
static int start(struct run *r, int *ctl_fd, int64_t now_us)
{
	struct priv_user user;
	char err[256];
	int code;

	if (priv_find_user(r->conf.user, &user, err, sizeof(err)) < 0) {
		log_errorx("Cannot start: %s", err);
		return EX_CONFIG;
	}
	if (priv_reserve() < 0) {
		log_error("Cannot start: no descriptors for directories");
		return EX_OSERR;
	}
	make_capture_dir(r->conf.capture_dir, &user);
	code = make_socket_dir(r->conf.socket, &user);
	if (!code)
		code = open_control(&r->conf, ctl_fd);
	if (!code)
		code = open_interface(r);
	if (!code)
		code = start_stack(r, now_us);
	if (code)
		return code;
	r->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!r->ev) {
		log_errorx("Cannot start: no event loop (epoll)");
		return EX_OSERR;
	}
	return confine(r, &user, *ctl_fd, now_us);
}

/* When started by hand: the service manager makes it for a service. */
static int make_socket_dir(const char *path, const struct priv_user *u)
{
	char copy[CONF_PATH_MAX];
	const char *dir;

	snprintf(copy, sizeof(copy), "%s", path);
	dir = dirname(copy);
	if (mkdir(dir, 0755) < 0) {
		if (errno == EEXIST)
			return 0;
		log_error("Cannot start: directory %s cannot be made", dir);
		return errno == EACCES || errno == EPERM ? EX_NOPERM : EX_OSERR;
	}
	/* Whatever the umask says, clients must get through to the socket. */
	if (chmod(dir, 0755) < 0 ||
	    (u->change && chown(dir, u->uid, u->gid) < 0)) {
		log_error("Cannot start: directory %s cannot be set up", dir);
		return EX_OSERR;
	}
	return 0;
}

/* The user that we become may not be able to. If that fails, `capture start`
 * says so. */
static void make_capture_dir(const char *path, const struct priv_user *u)
{
	if (u->change && mkdir(path, 0750) == 0 &&
	    chown(path, u->uid, u->gid) < 0)
		log_warn("%s cannot be given to user %u", path,
			 (unsigned int)u->uid);
}

static int open_control(const struct conf *c, int *fd)
{
	const struct ctl_conf conf = {
		.path = c->socket,
		.mode = c->socket_mode,
		.admin_group = c->admin_group,
		.reader_group = c->reader_group,
		.instance = c->ifname,
	};
	char err[256];
	int ret = ctl_listen(&conf, err, sizeof(err));

	if (ret < 0)
		return refused(ret, err);
	*fd = ret;
	return 0;
}

static int open_interface(struct run *r)
{
	struct conf *c = &r->conf;
	const struct netlink_setup setup = {
		.ifname = c->ifname,
		.mtu = c->stack.mtu,
		.txqueuelen = c->txqueuelen,
		.host4 = c->host4,
		.host6 = c->host6,
	};
	char err[256];
	struct tun queue[SHARDS_MAX];
	int ret;

	r->nthreads = thread_count(c);
	ret = tun_open_many(queue, r->nthreads, c->ifname,
			    c->offload != OFFLOAD_OFF, err, sizeof(err));

	if (ret < 0)
		return refused(ret, err);
	r->tun = queue[0];
	memcpy(r->more_tun, queue + 1, (r->nthreads - 1) * sizeof(queue[0]));
	if (overlaps(c, &c->host4) || overlaps(c, &c->host6))
		return EX_OSERR;
	ret = netlink_link_up(&setup, err, sizeof(err));
	if (ret < 0)
		return refused(ret, err);
	if (c->offload == OFFLOAD_ON && !r->tun.offload) {
		log_errorx("Cannot start: %s does no offload; set "
			   "interface.offload = auto",
			   c->ifname);
		return EX_OSERR;
	}
	if (c->offload == OFFLOAD_AUTO && !r->tun.offload)
		log_warnx("The kernel does no offload on %s: each segment is a "
			  "packet of its own now, which is slower",
			  c->ifname);
	if (c->persist && tun_persist(&r->tun, true) < 0)
		log_warn("%s will not persist", c->ifname);
	ret = netlink_watch(&r->watch, &setup);
	if (ret < 0)
		log_warnx("Changes of %s by others go unnoticed: %s", c->ifname,
			  strerror(-ret));
	return 0;
}

static int refused(int error, const char *err)
{
	log_errorx("Cannot start: %s", err);
	return error == -EPERM || error == -EACCES ? EX_NOPERM : EX_OSERR;
}

/* Does the prefix, if there is one, belong to somebody else? */
static bool overlaps(const struct conf *c, const struct ip_prefix *p)
{
	char route[128];
	int ret;

	if (!p->len)
		return false;
	ret = netlink_route_overlap(c->ifname, p, route, sizeof(route));
	if (ret < 0)
		log_errorx("Cannot start: the routes cannot be read: %s",
			   strerror(-ret));
	else if (ret)
		log_errorx("Cannot start: our addresses overlap the route %s; "
			   "set other ones in [interface]",
			   route);
	return ret;
}

static void close_queues(struct run *r)
{
	for (unsigned int i = 1; i < r->nthreads; i++)
		tun_close(&r->more_tun[i - 1]);
	tun_close(&r->tun);
}

/* On two processors a second thread would take one from the programs that talk
 * to us, and the control thread needs some of another. */
static unsigned int thread_count(const struct conf *c)
{
	unsigned int cores = 1;
	cpu_set_t set;

	if (c->threads)
		return c->threads;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cores = (unsigned int)CPU_COUNT(&set);
	if (cores < 4)
		return 1;
	return cores / 2 < AUTO_THREADS_MAX ? cores / 2 : AUTO_THREADS_MAX;
}

static int start_stack(struct run *r, int64_t now_us)
{
	struct conf *c = &r->conf;
	int ret = make_stacks(r, now_us);

	if (ret)
		return ret;
	evbus_init(&r->bus, r->st, NULL, NULL);
	pktbus_init(&r->packets, r->st);
	if (r->threads)
		threads_observe(r->threads, &r->bus, &r->packets);
	evlog_start(&r->evlog, &r->bus, c->log_level, c->log_handshakes);
	if (c->log_packets)
		pktlog_start(&r->pktlog, &r->bus, &r->packets);
	if (evmemory_start(&r->memory, &r->bus, c->log_recent) < 0) {
		log_errorx("Cannot start: no memory for log.recent");
		return EX_OSERR;
	}
	if (c->ring_packets && start_pktmem(r) < 0) {
		log_errorx("Cannot start: no memory for capture.ring_memory");
		return EX_OSERR;
	}
	warn_if_reachable(c);
	return run_listen(&r->shards, c) < 0 ? EX_CONFIG : 0;
}

static int make_stacks(struct run *r, int64_t now_us)
{
	struct conf *c = &r->conf;
	uint8_t seed[32];
	void *mem;
	int ret = 0;

	mem = reserve(c->memory);
	if (!mem) {
		log_error("Cannot start: %llu bytes cannot be reserved",
			  (unsigned long long)c->memory);
		return EX_OSERR;
	}
	c->stack.csum_offload = r->tun.offload;
	c->stack.gso_max = r->tun.offload ? STACK_SEGMENT_MAX : 0;
	make_seed(c, seed);
	privacy_key(seed + sizeof(seed) / 2);
	if (r->nthreads > 1)
		ret = make_shards(r, mem, seed, now_us);
	else
		r->st = stack_init(mem, c->memory, &c->stack, seed, now_us);
	explicit_bzero(seed, sizeof(seed));
	if (ret)
		return ret;
	if (!r->st) {
		log_errorx("Cannot start: limits.memory is too small");
		return EX_CONFIG;
	}
	if (r->nthreads == 1)
		shards_one(&r->shards, r->st);
	return 0;
}

/* A stack for each thread, and one that knows only the configuration. */
static int make_shards(struct run *r, void *mem, const uint8_t seed[32],
		       int64_t now_us)
{
	const struct conf *c = &r->conf;
	struct tun queue[SHARDS_MAX] = {r->tun};
	void *names = reserve(STACK_MEM_MIN);
	int ret;

	if (c->memory / r->nthreads < STACK_MEM_MIN + STACK_ALIGN) {
		log_errorx("Cannot start: limits.memory is too small for %u "
			   "threads",
			   r->nthreads);
		return EX_CONFIG;
	}
	memcpy(queue + 1, r->more_tun, sizeof(r->more_tun));
	if (names)
		r->st = stack_init(names, STACK_MEM_MIN, &c->stack, seed,
				   now_us);
	if (r->st)
		r->threads =
			threads_new(&r->shards, queue, r->nthreads, mem,
				    c->memory, &c->stack, seed, r->st, now_us);
	if (!r->threads) {
		log_errorx("Cannot start: no memory for %u threads",
			   r->nthreads);
		return EX_OSERR;
	}
	ret = threads_steer(r->threads);
	if (ret < 0)
		log_notice("%s deals packets in the kernel's own way: %s",
			   r->tun.name, strerror(-ret));
	return 0;
}

static int start_pktmem(struct run *r)
{
	struct pktmem_conf conf = {
		.packets = r->conf.ring_packets,
		.snaplen = r->conf.snaplen,
	};
	void *mem = reserve(r->conf.ring_memory);
	ssize_t n = getrandom(conf.key, sizeof(conf.key), 0);

	ASSERT(n == (ssize_t)sizeof(conf.key));
	if (!mem)
		return -ENOMEM;
	r->pktmem = pktmem_init(mem, r->conf.ring_memory, &conf);
	pktbus_add(&r->packets, pktmem_sink(r->pktmem));
	return 0;
}

/* A listener for everybody on a host that forwards is one for its network. */
static void warn_if_reachable(const struct conf *c)
{
	const struct stack_listener *l;

	if (!netlink_forwards())
		return;
	for (unsigned int i = 0; i < c->nlisteners; i++) {
		l = &c->listeners[i].l;
		if (l->enabled && !l->nallow)
			log_warnx("This host forwards packets, so others can "
				  "reach listener %s: it allows any",
				  l->name);
	}
}

/* Zeroed and aligned for the stack; taken from the system as it is touched, in
 * large pages if it has them: with a million connections, nearly each step to a
 * record would also be one through the tables of small pages. */
static void *reserve(size_t len)
{
	uint8_t *mem = mmap(NULL, len + STACK_ALIGN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED)
		return NULL;
	(void)madvise(mem, len + STACK_ALIGN, MADV_HUGEPAGE);
	return mem + (-(uintptr_t)mem & (STACK_ALIGN - 1));
}

/* A seed from the configuration is for repeating a run, not for secrecy. */
static void make_seed(const struct conf *c, uint8_t seed[32])
{
	ssize_t n;

	if (c->seeded) {
		memset(seed, 0, 32);
		memcpy(seed, &c->seed, sizeof(c->seed));
		return;
	}
	n = getrandom(seed, 32, 0);
	ASSERT(n == 32); /* up to 256 bytes come whole: getrandom(2) */
}

/* So that it can be opened again. A file that has another name, too, may be
 * anybody's. */
static void give_log_file(const struct priv_user *u)
{
	int fd = log_file_fd();
	struct stat st;

	if (!u->change || fd < 0)
		return;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    fchown(fd, u->uid, u->gid) < 0)
		log_warnx("The log file is not ours to open again");
}

/*
 * The control socket looks up groups when it is set up, and a name service may
 * do anything for that: no rights any more, but not yet in the sandbox.
 */
static int confine(struct run *r, const struct priv_user *u, int ctl_fd,
		   int64_t now_us)
{
	char err[256];

	give_log_file(u);
	if (priv_drop(u, err, sizeof(err)) < 0) {
		log_errorx("Cannot start: %s", err);
		return EX_OSERR;
	}
	if (run_begin(r, ctl_fd, now_us) < 0)
		return EX_OSERR;
	if (run_start_file(r) < 0) {
		log_errorx("Cannot start: no memory for log.file");
		return EX_OSERR;
	}
	if (priv_place(&r->evfile.dir_fd, PRIV_DIR_EVENTS) < 0 ||
	    priv_place(log_dir_fd(), PRIV_DIR_LOG) < 0 ||
	    priv_place(&r->files.dir_fd, PRIV_DIR_CAPTURE) < 0) {
		log_error("Cannot start: no descriptors for directories");
		return EX_OSERR;
	}
	if (priv_sandbox(err, sizeof(err)) < 0) {
		log_errorx("Cannot start: %s", err);
		return EX_OSERR;
	}
	evbus_say(&r->bus, EVENT_DAEMON_CONFINED, 0,
		  "Gave up all capabilities, going on as user %u",
		  (unsigned int)u->uid);
	return 0;
}
