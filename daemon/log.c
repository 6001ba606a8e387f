/*
 * log.c - Sentences for the operator: stderr, the journal, syslog or a file
 *
 * The journal is chosen when stderr leads there: systemd says in JOURNAL_STREAM
 * which device and inode that is (systemd.exec(5)), so a shell below a service
 * whose output goes to a file is not mistaken for one. Then a line is a datagram
 * of fields, KEY=value one a line, as the journal's native protocol wants it
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
 *
 * A log must not stop the daemon. sd_journal_sendv() waits for a journal that
 * does not read, which is why it is not used. stderr may be a pipe nobody reads
 * or a terminal that was stopped with ^S; it is shared with others, so it is not
 * ours to make non-blocking, but it can be asked before each line. A line that
 * would block is left out, counted, and the count is said when there is room
 * again. The same holds for syslog, and for a file on a disk that is full, or
 * whose directory is gone: that is said on stderr, once, and tried again each
 * second that has a line. A line of which a part was written is ended first.
 *
 * A file is opened again by its name alone, in a directory under a number that
 * was opened before: in the sandbox no other way is left.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <tcphs/jsontext.h>
#include <tcphs/plural.h>

#include "core/assert.h"
#include "held_dir.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET  "/dev/log"
#define SYSLOG_DAEMON  (3 << 3) /* its facility: RFC 5424, 6.2.1 */
#define FILE_MODE      0640

/* Less than PIPE_BUF: written whole or not at all. */
#define LOG_RECORD_MAX 4000
#define LOG_LINE_MAX   1024 /* of a sentence */

#define LOG_FIELDS_MIN 3 /* MESSAGE, PRIORITY, SYSLOG_IDENTIFIER */

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",   [LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static struct {
	int level;
	enum log_format format;
	int journal; /* a socket; -1 if stderr is used */
	int syslog;  /* likewise */
	int file;    /* -1 if stderr is used */
	int dir;     /* where it lies */
	char path[LOG_LINE_MAX];
	char name[256]; /* there */
	bool failed;	/* the file; it was said */
	time_t tried_s; /* monotonic; when it was opened in vain */
	char torn[LOG_RECORD_MAX + 32]; /* what is missing of its last line */
	size_t ntorn;
	unsigned int left_out; /* lines since one could last be written */
} out = {.level = LOG_LEVEL_INFO,
	 .journal = -1,
	 .syslog = -1,
	 .file = -1,
	 .dir = -1};

static bool stderr_is_journal(void);
static void sentence(int level, int err, const char *fmt, va_list ap);
static void write_out(int level, const char *line, int64_t wall_us,
		      const struct iovec *fields, int nfields);
static bool say_left_out(void);
static bool write_one(int level, const char *line, int64_t wall_us,
		      const struct iovec *fields, int nfields);
static void make_fields(struct iovec fields[LOG_FIELDS_MIN], char *buf,
			size_t len, int level, const char *text);
static void make_line(char *line, size_t len, int level, const char *text);
static int send_fields(const struct iovec *fields, int nfields);
static int send_syslog(int level, const char *text);
static bool write_line(const char *text, int64_t wall_us);
static size_t stamp_line(char *line, size_t size, const char *text,
			 int64_t wall_us);
static bool write_stderr(const char *line, size_t len);
static bool write_file(const char *line, size_t len);
static bool file_is_there(void);
static bool open_again(void);
static void file_failed(int err);

/**
 * log_init() - Choose where the log goes
 * @to:    LOG_TO_AUTO: the journal if stderr leads there
 * @level: Sentences above it are not written
 * @format: Of lines on stderr
 *
 * Reads the time zone and opens what is needed: later, in a sandbox, it may not.
 */
void log_init(enum log_to to, int level, enum log_format format)
{
	tzset();
	out.level = level;
	out.format = format;
	if (out.journal >= 0)
		close(out.journal);
	out.journal = -1;
	if (to == LOG_TO_JOURNAL || (to == LOG_TO_AUTO && stderr_is_journal()))
		out.journal = socket(
			AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

void log_to_syslog(void)
{
	out.syslog =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* At the start we may be root, and the directory the user's that we become: a
 * link that somebody else may put there is not followed. */
static int no_strange_link(void)
{
	struct stat st;

	if (fstat(out.dir, &st) == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
	    (st.st_uid == 0 || st.st_uid == geteuid()))
		return 0;
	return O_NOFOLLOW;
}

/* Nobody reads a FIFO that nobody opened: do not wait for him. */
static int open_file(void)
{
	return openat(out.dir, out.name,
		      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			      O_NONBLOCK | no_strange_link(),
		      FILE_MODE);
}

int log_to_file(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return -EINVAL;
	snprintf(out.path, sizeof(out.path), "%.*s",
		 slash > path ? (int)(slash - path) : 1, path);
	snprintf(out.name, sizeof(out.name), "%s", slash + 1);
	out.dir = open(out.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	out.file = out.dir < 0 ? -1 : open_file();
	return out.file < 0 ? -errno : 0;
}

void log_reopen(void)
{
	if (out.dir >= 0 && !open_again())
		log_error("Cannot open the log %s again", out.name);
}

int log_file_fd(void)
{
	return out.file;
}

int *log_dir_fd(void)
{
	return &out.dir;
}

void log_set_level(int level)
{
	out.level = level;
}

void log_set_format(enum log_format format)
{
	out.format = format;
}

enum log_format log_format(void)
{
	return out.format;
}

int log_level(void)
{
	return out.level;
}

int log_level_parse(const char *name)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(name, level_names[i]) == 0)
			return i;
	}
	return -1;
}

const char *log_level_name(int level)
{
	if (level < LOG_LEVEL_ERROR || level > LOG_LEVEL_DEBUG)
		return "unknown";
	return level_names[level];
}

bool log_is_journal(void)
{
	return out.journal >= 0;
}

/* Each of the seven differs in its level and in whether errno is told. */
#define LOG_FUNCTION(name, level, err)         \
	void name(const char *fmt, ...)        \
	{                                      \
		va_list ap;                    \
                                               \
		va_start(ap, fmt);             \
		sentence(level, err, fmt, ap); \
		va_end(ap);                    \
	}

LOG_FUNCTION(log_warn, LOG_LEVEL_WARN, errno)
LOG_FUNCTION(log_warnx, LOG_LEVEL_WARN, 0)
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR, errno)
LOG_FUNCTION(log_errorx, LOG_LEVEL_ERROR, 0)
LOG_FUNCTION(log_notice, LOG_LEVEL_NOTICE, 0)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO, 0)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG, 0)

void log_at(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sentence(level, 0, fmt, ap);
	va_end(ap);
}

void log_record(int level, const char *line, int64_t wall_us,
		const struct iovec *fields, int nfields)
{
	write_out(level, line, wall_us, fields, nfields);
}

/* JOURNAL_STREAM is "device:inode", both decimal. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

static void sentence(int level, int err, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX], buf[LOG_LINE_MAX + 64], line[LOG_RECORD_MAX];
	struct iovec fields[LOG_FIELDS_MIN];
	int len;

	if (level > out.level)
		return;
	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (err && len >= 0 && (size_t)len < sizeof(text))
		snprintf(text + len, sizeof(text) - (size_t)len, ": %s",
			 strerror(err));
	/* One line is one record, whatever a file name holds. */
	jsontext_clean(text);
	make_fields(fields, buf, sizeof(buf), level, text);
	make_line(line, sizeof(line), level, text);
	write_out(level, line, 0, fields, LOG_FIELDS_MIN);
}

/* Write a line, after saying how many could not be. */
static void write_out(int level, const char *line, int64_t wall_us,
		      const struct iovec *fields, int nfields)
{
	if (out.left_out && !say_left_out())
		out.left_out++;
	else if (!write_one(level, line, wall_us, fields, nfields))
		out.left_out++;
}

static bool say_left_out(void)
{
	struct iovec fields[LOG_FIELDS_MIN];
	char text[64], buf[128], line[256];

	snprintf(text, sizeof(text), "%u line%s left out: %s", out.left_out,
		 plural(out.left_out),
		 log_is_journal()  ? "the journal was stuck"
		 : out.syslog >= 0 ? "syslog was stuck"
		 : out.file >= 0   ? "the file could not be written"
				   : "stderr was stuck");
	make_fields(fields, buf, sizeof(buf), LOG_LEVEL_WARN, text);
	make_line(line, sizeof(line), LOG_LEVEL_WARN, text);
	if (!write_one(LOG_LEVEL_WARN, line, 0, fields, LOG_FIELDS_MIN))
		return false;
	out.left_out = 0;
	return true;
}

/* Where there is no journal after all, stderr is next best. */
static bool write_one(int level, const char *line, int64_t wall_us,
		      const struct iovec *fields, int nfields)
{
	int ret;

	if (out.syslog >= 0) {
		ret = send_syslog(level, line);
		return ret == 0 || (ret != -EAGAIN && ret != -ENOBUFS &&
				    write_line(line, wall_us));
	}
	if (!log_is_journal())
		return write_line(line, wall_us);
	ret = send_fields(fields, nfields);
	if (ret == 0)
		return true;
	return ret != -EAGAIN && ret != -ENOBUFS && write_line(line, wall_us);
}

/* The fields that each record has. */
static void make_fields(struct iovec fields[LOG_FIELDS_MIN], char *buf,
			size_t len, int level, const char *text)
{
	static char identifier[] = "SYSLOG_IDENTIFIER=tcphsd";
	int priority = snprintf(buf, len, "PRIORITY=%d", level);
	char *message = buf + priority;
	int n = snprintf(message, len - (size_t)priority, "MESSAGE=%s", text);

	fields[0] = (struct iovec){message, (size_t)n};
	fields[1] = (struct iovec){buf, (size_t)priority};
	fields[2] = (struct iovec){identifier, sizeof(identifier) - 1};
}

/* A sentence for stderr; write_line() gives it the time if it is for people. */
static void make_line(char *line, size_t len, int level, const char *text)
{
	char time[64], quoted[LOG_RECORD_MAX - 128];
	struct timespec now;
	struct tm tm;
	size_t n;

	if (out.format == LOG_CLASSIC) {
		snprintf(line, len, "%s", text);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(time + n, sizeof(time) - n, ".%06ldZ", now.tv_nsec / 1000);
	n = jsontext(quoted, sizeof(quoted) - 1, text);
	quoted[n] = '\0';
	snprintf(line, len,
		 out.format == LOG_JSON
			 ? "{\"time\":\"%s\",\"level\":\"%s\",\"message\":%s}"
			 : "time=%s level=%s msg=%s",
		 time, log_level_name(level), quoted);
}

/* One datagram; 0 or a negative errno. */
static int send_fields(const struct iovec *fields, int nfields)
{
	static struct sockaddr_un journal = {AF_UNIX, JOURNAL_SOCKET};
	static char newline[] = "\n";
	struct iovec iov[2 * LOG_FIELDS_MAX];
	struct msghdr msg = {
		.msg_name = &journal,
		.msg_namelen = sizeof(journal),
		.msg_iov = iov,
		.msg_iovlen = 2 * (size_t)nfields,
	};

	ASSERT(nfields <= LOG_FIELDS_MAX);
	for (int i = 0; i < nfields; i++) {
		iov[2 * i] = fields[i];
		iov[2 * i + 1] = (struct iovec){newline, 1};
	}
	return sendmsg(out.journal, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* As syslog(3) sends it: the priority, the time, who, and the line. */
static int send_syslog(int level, const char *text)
{
	static const struct sockaddr_un to = {AF_UNIX, SYSLOG_SOCKET};
	char line[LOG_RECORD_MAX], when[32];
	time_t now = time(NULL);
	struct tm tm;
	int len;

	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	len = snprintf(line, sizeof(line), "<%d>%s tcphsd[%d]: %s",
		       SYSLOG_DAEMON | level, when, (int)getpid(), text);
	if ((size_t)len >= sizeof(line))
		len = sizeof(line) - 1;
	return sendto(out.syslog, line, (size_t)len, MSG_NOSIGNAL,
		      (const struct sockaddr *)&to, sizeof(to)) < 0
		       ? -errno
		       : 0;
}

/* A line, if it can be written at once; @wall_us: 0 = now */
static bool write_line(const char *text, int64_t wall_us)
{
	char line[sizeof(out.torn)];
	size_t len = stamp_line(line, sizeof(line), text, wall_us);

	return out.file >= 0 ? write_file(line, len) : write_stderr(line, len);
}

/* "12:00:00.123456 text" */
static size_t stamp_line(char *line, size_t size, const char *text,
			 int64_t wall_us)
{
	struct timespec now;
	struct tm tm;
	size_t len = 0;

	if (out.format == LOG_CLASSIC) {
		clock_gettime(CLOCK_REALTIME, &now);
		if (wall_us) {
			now.tv_sec = (time_t)(wall_us / 1000000);
			now.tv_nsec = (long)(wall_us % 1000000 * 1000);
		}
		localtime_r(&now.tv_sec, &tm);
		len = strftime(line, size, "%H:%M:%S", &tm);
		len += (size_t)snprintf(line + len, size - len, ".%06ld ",
					now.tv_nsec / 1000);
	}
	return len + (size_t)snprintf(line + len, size - len, "%.*s\n",
				      LOG_RECORD_MAX, text);
}

static bool write_stderr(const char *line, size_t len)
{
	struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (poll(&pfd, 1, 0) != 1)
		return false;
	/* A reader that went away (EPIPE) is no reason to count forever. */
	return write(STDERR_FILENO, line, len) >= 0 || errno != EAGAIN;
}

static bool write_file(const char *line, size_t len)
{
	ssize_t n = 0;

	if (!file_is_there()) {
		file_failed(errno);
		return false;
	}
	while (out.ntorn && (n = write(out.file, out.torn, out.ntorn)) > 0) {
		out.ntorn -= (size_t)n;
		memmove(out.torn, out.torn + n, out.ntorn);
	}
	if (!out.ntorn)
		n = write(out.file, line, len);
	if (n <= 0) {
		file_failed(errno);
		return false;
	}
	out.failed = false;
	out.ntorn = len - (size_t)n;
	memcpy(out.torn, line + n, out.ntorn);
	return true;
}

/* Is it still in its directory? If not, it is opened again. */
static bool file_is_there(void)
{
	struct timespec now;

	if (held_dir_has(out.file))
		return true;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (out.failed && now.tv_sec == out.tried_s)
		return false;
	out.tried_s = now.tv_sec;
	return open_again();
}

/* Its directory may be another one by now. */
static bool open_again(void)
{
	int fd = open_file();

	if (fd < 0 && held_dir_look(out.dir, out.path))
		fd = open_file();
	if (fd < 0)
		return false;
	close(out.file);
	out.file = fd;
	/* The rest of a line says nothing in another file. */
	out.left_out += out.ntorn > 0;
	out.ntorn = 0;
	return true;
}

static void file_failed(int err)
{
	char text[LOG_LINE_MAX + 512], line[LOG_RECORD_MAX];
	char stamped[sizeof(out.torn)];

	if (out.failed)
		return;
	out.failed = true;
	snprintf(text, sizeof(text), "Cannot write the log %s/%s: %s", out.path,
		 out.name, strerror(err));
	make_line(line, sizeof(line), LOG_LEVEL_ERROR, text);
	(void)write_stderr(stamped,
			   stamp_line(stamped, sizeof(stamped), line, 0));
}
