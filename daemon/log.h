/*
 * log.h - Sentences for the operator
 *
 * log_warn() and log_error() append the meaning of errno; the *x forms do not.
 * They go to stderr with the time, or to the journal under systemd
 * (log_init() finds out). Rare: what happens to packets is an event.
 */
#ifndef TCPHS_LOG_H
#define TCPHS_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define LOG_LEVEL_ERROR	 3
#define LOG_LEVEL_WARN	 4
#define LOG_LEVEL_NOTICE 5
#define LOG_LEVEL_INFO	 6
#define LOG_LEVEL_DEBUG	 7

enum log_to { LOG_TO_AUTO, LOG_TO_JOURNAL, LOG_TO_STDERR };
enum log_format { LOG_CLASSIC, LOG_LOGFMT, LOG_JSON }; /* on stderr */

void log_init(enum log_to to, int level, enum log_format format);

/**
 * log_to_syslog() - To the local syslog in place of stderr
 *
 * Where none listens, lines go to stderr as before.
 */
void log_to_syslog(void);

/**
 * log_to_file() - To the end of a file in place of stderr; an absolute path
 *
 * Return: 0 or a negative errno
 */
int log_to_file(const char *path);

/** log_reopen() - The file may have been renamed: open it by its name again */
void log_reopen(void);

/** log_file_fd(), log_dir_fd() - To be given to somebody else; -1 = none */
int log_file_fd(void);
int *log_dir_fd(void);
void log_set_level(int level);
void log_set_format(enum log_format format);
enum log_format log_format(void);
int log_level(void);
/** log_level_parse() - "debug" to 7; -1 if it is no level */
int log_level_parse(const char *name);
const char *log_level_name(int level);
bool log_is_journal(void);

void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_errorx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * log_at() - Log at a level given as a number
 * @level: LOG_LEVEL_*
 */
void log_at(int level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define LOG_FIELDS_MAX 40

/**
 * log_record() - Log what is known in parts, whatever the level
 * @level:  For syslog
 * @line:   For stderr, as log_format() says; without line feed, and without the
 *          time if that is LOG_CLASSIC
 * @wall_us: When it happened, since 1970
 * @fields: For the journal: "KEY=value" without line feeds, MESSAGE and PRIORITY
 *          among them; at most LOG_FIELDS_MAX
 */
void log_record(int level, const char *line, int64_t wall_us,
		const struct iovec *fields, int nfields);

#endif
