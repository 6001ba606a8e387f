/*
 * log.c - Sentences for the operator, on stderr or in the journal
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
 * again.
 */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/assert.h"
#include "jsontext.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

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
	int journal;	       /* a socket; -1 if stderr is used */
	unsigned int left_out; /* lines since one could last be written */
} out = {.level = LOG_LEVEL_INFO, .journal = -1};

static bool stderr_is_journal(void);
static void sentence(int level, int err, const char *fmt, va_list ap);
static void write_out(const char *line, int64_t wall_us,
		      const struct iovec *fields, int nfields);
static bool say_left_out(void);
static bool write_one(const char *line, int64_t wall_us,
		      const struct iovec *fields, int nfields);
static void make_fields(struct iovec fields[LOG_FIELDS_MIN], char *buf,
			size_t len, int level, const char *text);
static void make_line(char *line, size_t len, int level, const char *text);
static int send_fields(const struct iovec *fields, int nfields);
static bool write_line(const char *text, int64_t wall_us);

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

void log_record(const char *line, int64_t wall_us, const struct iovec *fields,
		int nfields)
{
	write_out(line, wall_us, fields, nfields);
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
	write_out(line, 0, fields, LOG_FIELDS_MIN);
}

/* Write a line, after saying how many could not be. */
static void write_out(const char *line, int64_t wall_us,
		      const struct iovec *fields, int nfields)
{
	if (out.left_out && !say_left_out())
		out.left_out++;
	else if (!write_one(line, wall_us, fields, nfields))
		out.left_out++;
}

static bool say_left_out(void)
{
	struct iovec fields[LOG_FIELDS_MIN];
	char text[64], buf[128], line[256];

	snprintf(text, sizeof(text), "%u lines left out: %s was stuck",
		 out.left_out, log_is_journal() ? "the journal" : "stderr");
	make_fields(fields, buf, sizeof(buf), LOG_LEVEL_WARN, text);
	make_line(line, sizeof(line), LOG_LEVEL_WARN, text);
	if (!write_one(line, 0, fields, LOG_FIELDS_MIN))
		return false;
	out.left_out = 0;
	return true;
}

/* Where there is no journal after all, stderr is next best. */
static bool write_one(const char *line, int64_t wall_us,
		      const struct iovec *fields, int nfields)
{
	int ret;

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

/* "12:00:00.123456 text", if that can be written at once; @wall_us: 0 = now */
static bool write_line(const char *text, int64_t wall_us)
{
	struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[LOG_RECORD_MAX + 32];
	struct timespec now;
	struct tm tm;
	size_t len = 0;

	if (poll(&pfd, 1, 0) != 1)
		return false;
	if (out.format == LOG_CLASSIC) {
		clock_gettime(CLOCK_REALTIME, &now);
		if (wall_us) {
			now.tv_sec = (time_t)(wall_us / 1000000);
			now.tv_nsec = (long)(wall_us % 1000000 * 1000);
		}
		localtime_r(&now.tv_sec, &tm);
		len = strftime(line, sizeof(line), "%H:%M:%S", &tm);
		len += (size_t)snprintf(line + len, sizeof(line) - len,
					".%06ld ", now.tv_nsec / 1000);
	}
	len += (size_t)snprintf(line + len, sizeof(line) - len, "%.*s\n",
				LOG_RECORD_MAX, text);
	/* A reader that went away (EPIPE) is no reason to count forever. */
	return write(STDERR_FILENO, line, len) >= 0 || errno != EAGAIN;
}
