/*
 * test_log.c - Sentences on stderr: level, form, and a reader that is stuck
 *
 * stderr is a pipe here, read after each call.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/assert.h"
#include "log.h"

static struct {
	int saved; /* the real stderr */
	int fd;	   /* reading end */
} rig;

static void rig_begin(void)
{
	int fds[2];

	CU_ASSERT_FATAL(pipe2(fds, O_CLOEXEC) == 0);
	CU_ASSERT_FATAL(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
	rig.saved = dup(STDERR_FILENO);
	CU_ASSERT_FATAL(dup2(fds[1], STDERR_FILENO) >= 0);
	close(fds[1]);
	rig.fd = fds[0];
}

static void rig_end(void)
{
	close(rig.fd);
	dup2(rig.saved, STDERR_FILENO);
	close(rig.saved);
	unsetenv("JOURNAL_STREAM");
}

static const char *rig_text(void)
{
	static char text[65536 * 2];
	ssize_t n = read(rig.fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool matches(const char *text, const char *pattern)
{
	regex_t re;
	bool ok;

	CU_ASSERT_FATAL(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) == 0);
	ok = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return ok;
}

static void line_has_time_and_text(void)
{
	rig_begin();
	log_init(LOG_TO_STDERR, LOG_LEVEL_INFO, LOG_CLASSIC);
	log_notice("Ready on %s", "tcphs0");
	CU_ASSERT_TRUE(matches(rig_text(), "^[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
					   "\\.[0-9]{6} Ready on tcphs0\n$"));
	rig_end();
}

static void errno_is_told_by_the_two_that_do(void)
{
	rig_begin();
	log_init(LOG_TO_STDERR, LOG_LEVEL_INFO, LOG_CLASSIC);
	errno = ENOENT;
	log_warn("file");
	CU_ASSERT_TRUE(
		matches(rig_text(), " file: No such file or directory\n$"));
	errno = EACCES;
	log_error("file");
	CU_ASSERT_TRUE(matches(rig_text(), " file: Permission denied\n$"));
	errno = ENOENT;
	log_warnx("file");
	CU_ASSERT_TRUE(matches(rig_text(), " file\n$"));
	log_errorx("file");
	CU_ASSERT_TRUE(matches(rig_text(), " file\n$"));
	rig_end();
}

static void level_decides(void)
{
	rig_begin();
	log_init(LOG_TO_STDERR, LOG_LEVEL_WARN, LOG_CLASSIC);
	log_notice("too much");
	log_at(LOG_LEVEL_INFO, "too much");
	CU_ASSERT_STRING_EQUAL(rig_text(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	CU_ASSERT_EQUAL(log_level(), LOG_LEVEL_DEBUG);
	log_debug("enough");
	CU_ASSERT_TRUE(matches(rig_text(), " enough\n$"));
	rig_end();
}

static void level_names_go_both_ways(void)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
		CU_ASSERT_EQUAL(log_level_parse(log_level_name(i)), i);
	CU_ASSERT_EQUAL(log_level_parse("loud"), -1);
	CU_ASSERT_EQUAL(log_level_parse(""), -1);
	CU_ASSERT_STRING_EQUAL(log_level_name(99), "unknown");
}

/* A record goes out whatever the level: who asked for the event decided. */
static void record_is_written_as_it_is(void)
{
	rig_begin();
	log_init(LOG_TO_STDERR, LOG_LEVEL_ERROR, LOG_CLASSIC);
	log_record(LOG_LEVEL_INFO, "c42 [Server] Received SYN, sending SYN-ACK",
		   0, NULL, 0);
	CU_ASSERT_TRUE(matches(rig_text(),
			       " c42 \\[Server\\] Received SYN, sending "
			       "SYN-ACK\n$"));
	rig_end();
}

/* The pipe is full: nothing blocks, and later it is said what is missing. */
static void stuck_reader_costs_lines_not_time(void)
{
	const char *text;

	rig_begin();
	log_init(LOG_TO_STDERR, LOG_LEVEL_INFO, LOG_CLASSIC);
	for (int i = 0; i < 3000; i++)
		log_info("line %d of a flood that nobody reads", i);
	text = rig_text();
	CU_ASSERT_TRUE(matches(text, " line 0 of a flood"));
	CU_ASSERT_FALSE(matches(text, " line 2999 of a flood"));
	while (rig_text()[0])
		;
	log_info("read again");
	text = rig_text();
	CU_ASSERT_TRUE(matches(text, " [0-9]{3,4} lines left out: stderr was "
				     "stuck\n"));
	CU_ASSERT_TRUE(matches(text, " read again\n$"));
	rig_end();
}

static void long_line_is_cut(void)
{
	static char words[4096];
	const char *text;

	memset(words, 'w', sizeof(words) - 1);
	rig_begin();
	log_init(LOG_TO_STDERR, LOG_LEVEL_INFO, LOG_CLASSIC);
	log_info("%s", words);
	text = rig_text();
	CU_ASSERT_TRUE(strlen(text) < 1100);
	CU_ASSERT_EQUAL(text[strlen(text) - 1], '\n');
	rig_end();
}

/* A file name may hold a line feed; a forged line or field it must not make. */
static void line_feed_makes_no_second_line(void)
{
	rig_begin();
	log_init(LOG_TO_STDERR, LOG_LEVEL_INFO, LOG_CLASSIC);
	log_info("one\nPRIORITY=0");
	CU_ASSERT_TRUE(matches(rig_text(), " one\\?PRIORITY=0\n$"));
	rig_end();
}

/* systemd.exec(5): JOURNAL_STREAM names the device and inode of the stream;
 * a child whose stderr leads elsewhere inherits the variable, too. */
static void journal_is_found_by_its_inode(void)
{
	char stream[64];
	struct stat st;

	rig_begin();
	log_init(LOG_TO_AUTO, LOG_LEVEL_INFO, LOG_CLASSIC);
	CU_ASSERT_FALSE(log_is_journal());
	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init(LOG_TO_AUTO, LOG_LEVEL_INFO, LOG_CLASSIC);
	CU_ASSERT_TRUE(log_is_journal());
	log_init(LOG_TO_STDERR, LOG_LEVEL_INFO, LOG_CLASSIC);
	CU_ASSERT_FALSE(log_is_journal());
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_init(LOG_TO_AUTO, LOG_LEVEL_INFO, LOG_CLASSIC);
	CU_ASSERT_FALSE(log_is_journal());
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_init(LOG_TO_AUTO, LOG_LEVEL_INFO, LOG_CLASSIC);
	CU_ASSERT_FALSE(log_is_journal());
	rig_end();
}

/* It is opened again at each SIGHUP, too: nobody's absence stops the daemon. */
static void fifo_without_a_reader_is_no_log(void)
{
	char dir[] = "/tmp/test_log.XXXXXX", path[64];

	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/log", dir);
	CU_ASSERT_FATAL(mkfifo(path, 0600) == 0);
	alarm(10);
	CU_ASSERT_EQUAL(log_to_file(path), -ENXIO);
	alarm(0);
	close(*log_dir_fd());
	*log_dir_fd() = -1;
	unlink(path);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(line_has_time_and_text),
		UNIT_TEST(errno_is_told_by_the_two_that_do),
		UNIT_TEST(level_decides),
		UNIT_TEST(level_names_go_both_ways),
		UNIT_TEST(record_is_written_as_it_is),
		UNIT_TEST(stuck_reader_costs_lines_not_time),
		UNIT_TEST(long_line_is_cut),
		UNIT_TEST(line_feed_makes_no_second_line),
		UNIT_TEST(journal_is_found_by_its_inode),
		UNIT_TEST(fifo_without_a_reader_is_no_log),
	};

	return unit_run("log", tests, ARRAY_LEN(tests), argc, argv);
}
