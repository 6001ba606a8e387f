/*
 * log.c - Sentences for the operator, on stderr or in the journal
 *
 * The journal is chosen when stderr leads there: systemd says in JOURNAL_STREAM
 * which device and inode that is (systemd.exec(5)), so a shell below a service
 * whose output goes to a file is not mistaken for one. Then lines are sent
 * by the native protocol, with a priority and with fields.
 *
 * A log must not stop the daemon. stderr may be a pipe nobody reads or a
 * terminal that was stopped with ^S; it is shared with others, so it is not
 * ours to make non-blocking. It is asked before each line; a line that would
 * block is left out, counted, and the count is said when there is room again.
 */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

/* Less than PIPE_BUF: written whole or not at all. */
#define LOG_LINE_MAX 1024

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",   [LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static struct {
	int level;
	bool journal;
	unsigned int left_out; /* lines since stderr was last writable */
} out = {.level = LOG_LEVEL_INFO};

static bool stderr_is_journal(void);
static void sentence(int level, int err, const char *fmt, va_list ap);
static void to_journal(int level, const char *text);
static void to_stderr(const char *text);
static bool write_line(const char *text);

/**
 * log_init() - Choose where the log goes
 * @to:    LOG_TO_AUTO: the journal if stderr leads there
 * @level: Sentences above it are not written
 *
 * Reads the time zone, which cannot be done later in a sandbox.
 */
void log_init(enum log_to to, int level)
{
	tzset();
	out.level = level;
	out.journal = to == LOG_TO_JOURNAL ||
		      (to == LOG_TO_AUTO && stderr_is_journal());
}

void log_set_level(int level)
{
	out.level = level;
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
	return out.journal;
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

void log_record(const char *line, const struct iovec *fields, int nfields)
{
	if (out.journal)
		(void)sd_journal_sendv(fields, nfields);
	else
		to_stderr(line);
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
	char text[LOG_LINE_MAX];
	int len;

	if (level > out.level)
		return;
	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (err && len >= 0 && (size_t)len < sizeof(text))
		snprintf(text + len, sizeof(text) - (size_t)len, ": %s",
			 strerror(err));
	if (out.journal)
		to_journal(level, text);
	else
		to_stderr(text);
}

static void to_journal(int level, const char *text)
{
	char message[LOG_LINE_MAX + 8], priority[] = "PRIORITY=0";
	char identifier[] = "SYSLOG_IDENTIFIER=tcphsd";
	struct iovec iov[] = {
		{message, 0},
		{priority, sizeof(priority) - 1},
		{identifier, sizeof(identifier) - 1},
	};

	iov[0].iov_len =
		(size_t)snprintf(message, sizeof(message), "MESSAGE=%s", text);
	priority[sizeof(priority) - 2] = (char)('0' + level);
	(void)sd_journal_sendv(iov, sizeof(iov) / sizeof(iov[0]));
}

static void to_stderr(const char *text)
{
	char note[64];

	if (out.left_out) {
		snprintf(note, sizeof(note),
			 "%u lines left out: stderr was stuck", out.left_out);
		if (!write_line(note)) {
			out.left_out++;
			return;
		}
		out.left_out = 0;
	}
	if (!write_line(text))
		out.left_out++;
}

/* "12:00:00.123456 text", if that can be written at once. */
static bool write_line(const char *text)
{
	struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[LOG_LINE_MAX + 32];
	struct timespec now;
	struct tm tm;
	size_t len;

	if (poll(&pfd, 1, 0) != 1)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	len = strftime(line, sizeof(line), "%H:%M:%S", &tm);
	len += (size_t)snprintf(line + len, sizeof(line) - len, ".%06ld %.*s\n",
				now.tv_nsec / 1000, LOG_LINE_MAX, text);
	/* A reader that went away (EPIPE) is no reason to count forever. */
	return write(STDERR_FILENO, line, len) >= 0 || errno != EAGAIN;
}
