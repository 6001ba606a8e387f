/*
 * test_capture_files.c - A capture in files that take turns
 *
 * Packets are shown by hand, files are real ones in a directory of the test.
 */
#include "capture_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/assert.h"
#include "log.h"
#include "unit.h"

#define MIB (1u << 20)

static char dir[64], sub[80];
static struct ev_loop *loop;
static struct pktbus bus;
static struct capture cap;
static struct capture_files f;
static struct stack_watcher watcher;

void stack_watch(struct stack *st, const struct stack_watcher *w)
{
	static const struct stack_watcher none;

	(void)st;
	watcher = w ? *w : none;
}

bool stack_listener_info(const struct stack *st, unsigned int index,
			 struct listener_info *info)
{
	(void)st;
	(void)index;
	(void)info;
	return false;
}

static void setup(void)
{
	strcpy(dir, "/tmp/test_capture.XXXXXX");
	if (!mkdtemp(dir))
		abort();
	snprintf(sub, sizeof(sub), "%s/cap", dir);
	loop = ev_loop_new(EVFLAG_AUTO);
	pktbus_init(&bus, NULL);
	capture_init(&cap, &bus, "tcphs0");
	cap.snaplen = CAPTURE_PACKET_MAX;
	memset(&f, 0, sizeof(f));
	f.rotate_size = MIB;
	f.rotate_keep = 3;
	CU_ASSERT_EQUAL(capture_files_init(&f, &cap, loop, sub), 0);
}

static void cleanup(void)
{
	char command[96];

	capture_files_free(&f);
	ev_loop_destroy(loop);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void start(void)
{
	char err[256];

	CU_ASSERT_EQUAL_FATAL(
		capture_files_start(&f, NULL, NULL, err, sizeof(err)), 0);
}

/* A packet of 60,000 bytes. */
static void show(void)
{
	static uint8_t data[60000];
	static const struct tcp_key nowhere;
	const struct iovec iov = {data, sizeof(data)};
	const struct stack_packet p = {
		.ends = &nowhere,
		.iov = &iov,
		.iov_len = 1,
		.len = sizeof(data),
		.listener = LISTENER_NONE,
	};

	if (watcher.packet)
		watcher.packet(watcher.ctx, &p);
}

/* Until everything shown is written, or could not be. */
static void written(void)
{
	while (f.taker.used && !f.bad)
		ev_run(loop, EVRUN_ONCE);
}

static int list(struct capture_file **files)
{
	return capture_files_list(&f, files);
}

/* Blocks of a file by type; every length must be followed by the next block,
 * and the last end with the file. */
static unsigned int count_blocks(const char *name, uint32_t type)
{
	static uint8_t data[4 * MIB];
	int fd = capture_files_open(&f, name);
	ssize_t len = read(fd, data, sizeof(data)), at = 0;
	uint32_t head[2];
	unsigned int n = 0;

	CU_ASSERT_TRUE(fd >= 0);
	close(fd);
	while (at + 12 <= len) {
		memcpy(head, data + at, sizeof(head));
		if (head[1] < 12)
			break;
		n += head[0] == type;
		at += head[1];
	}
	CU_ASSERT_EQUAL(at, len);
	return n;
}

#define SECTIONS   0x0a0d0d0a
#define STATISTICS 5
#define PACKETS	   6

static void starts_and_stops(void)
{
	struct capture_file *files;
	char err[256];

	setup();
	CU_ASSERT_EQUAL(list(&files), -ENOENT);
	start();
	CU_ASSERT_EQUAL(capture_files_start(&f, NULL, NULL, err, sizeof(err)),
			-EBUSY);
	show();
	show();
	CU_ASSERT_EQUAL(list(&files), 1);
	CU_ASSERT_TRUE(files[0].current);
	free(files);
	capture_files_stop(&f);
	CU_ASSERT_PTR_NULL(watcher.packet);
	CU_ASSERT_EQUAL(f.taker.kept, 2);
	CU_ASSERT_EQUAL_FATAL(list(&files), 1);
	CU_ASSERT_FALSE(files[0].current);
	CU_ASSERT_EQUAL(files[0].bytes, f.bytes);
	CU_ASSERT_EQUAL(count_blocks(files[0].name, SECTIONS), 1);
	CU_ASSERT_EQUAL(count_blocks(files[0].name, PACKETS), 2);
	CU_ASSERT_EQUAL(count_blocks(files[0].name, STATISTICS), 1);
	free(files);
	/* In the same second the next has another number. */
	start();
	capture_files_stop(&f);
	CU_ASSERT_EQUAL(list(&files), 2);
	free(files);
	cleanup();
}

/* None is too long, none is without its head and its end, three stay. */
static void rotates(void)
{
	struct capture_file *files;
	unsigned int packets = 0;

	setup();
	start();
	for (int i = 0; i < 100; i++) {
		show();
		if (i % 10 == 9)
			written();
	}
	capture_files_stop(&f);
	CU_ASSERT_EQUAL(f.taker.kept, 100);
	CU_ASSERT_EQUAL(f.taker.lost, 0);
	CU_ASSERT_EQUAL_FATAL(list(&files), 3);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(files[i].bytes <= MIB + PCAPNG_HEAD_MAX);
		CU_ASSERT_EQUAL(count_blocks(files[i].name, SECTIONS), 1);
		CU_ASSERT_EQUAL(count_blocks(files[i].name, STATISTICS), 1);
		packets += count_blocks(files[i].name, PACKETS);
	}
	CU_ASSERT_TRUE(packets > 30 && packets < 100);
	CU_ASSERT_TRUE(f.number > 5);
	free(files);
	cleanup();
}

/* After the clock was set back the newest file has the oldest name. */
static void files_of_the_future(void)
{
	struct capture_file *files;
	char command[256];
	int packets = 0;

	setup();
	snprintf(command, sizeof(command),
		 "mkdir %s && cd %s && for i in 1 2 3; do "
		 "touch capture-29990101-000000-00000$i.pcapng; done",
		 sub, sub);
	CU_ASSERT_EQUAL(system(command), 0);
	start();
	for (int i = 0; i < 20; i++) {
		show();
		written();
	}
	capture_files_stop(&f);
	CU_ASSERT_EQUAL(f.number, 2);
	CU_ASSERT_EQUAL_FATAL(list(&files), 3);
	for (int i = 0; i < 2; i++)
		packets += (int)count_blocks(files[i].name, PACKETS);
	CU_ASSERT_EQUAL(packets, 20);
	CU_ASSERT_STRING_EQUAL(files[2].name,
			       "capture-29990101-000000-000003.pcapng");
	free(files);
	cleanup();
}

/* Half a block is never left in a file: here the limit is one of the process,
 * later it would be the disk. */
static void full_disk_is_survived(void)
{
	struct rlimit was, now;
	struct capture_file *files;
	uint64_t lost;

	setup();
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	start();
	now = was;
	now.rlim_cur = 500000;
	setrlimit(RLIMIT_FSIZE, &now);
	for (int i = 0; i < 10; i++) {
		show();
		written();
	}
	CU_ASSERT_TRUE(f.bad);
	CU_ASSERT_TRUE(f.size <= 500000);
	CU_ASSERT_EQUAL_FATAL(list(&files), 1);
	CU_ASSERT_EQUAL(files[0].bytes, f.size);
	count_blocks(files[0].name, PACKETS);
	free(files);
	while (!f.taker.lost)
		show();
	lost = f.taker.lost;
	setrlimit(RLIMIT_FSIZE, &was);
	while (f.bad)
		ev_run(loop, EVRUN_ONCE);
	show();
	capture_files_stop(&f);
	CU_ASSERT_EQUAL(f.taker.lost, lost);
	CU_ASSERT_TRUE(list(&files) > 1);
	free(files);
	cleanup();
}

/* What the disk had no room for to the end is lost, in whichever part of the way
 * it waits. */
static void full_disk_to_the_end(void)
{
	struct capture_file *files;
	struct rlimit was, now;
	int shown = 0;

	setup();
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	start();
	now = was;
	now.rlim_cur = 500000;
	setrlimit(RLIMIT_FSIZE, &now);
	for (; !f.bad; shown++) {
		show();
		written();
	}
	for (int i = 0; i < 20; i++, shown++)
		show();
	CU_ASSERT_TRUE(f.len > 0 && f.taker.used > sizeof(f.chunk));
	capture_files_stop(&f);
	setrlimit(RLIMIT_FSIZE, &was);
	CU_ASSERT_EQUAL_FATAL(list(&files), 1);
	CU_ASSERT_EQUAL(count_blocks(files[0].name, PACKETS), f.taker.kept);
	CU_ASSERT_EQUAL(f.taker.kept + f.taker.lost, (uint64_t)shown);
	free(files);
	cleanup();
}

static void lost_directory_is_found_again(void)
{
	struct capture_file *files;
	char command[192];

	setup();
	start();
	show();
	written();
	snprintf(command, sizeof(command), "rm -r %s && touch %s", sub, sub);
	CU_ASSERT_EQUAL(system(command), 0);
	show();
	written();
	CU_ASSERT_TRUE(f.bad);
	unlink(sub);
	while (f.bad)
		ev_run(loop, EVRUN_ONCE);
	capture_files_stop(&f);
	CU_ASSERT_EQUAL_FATAL(list(&files), 1);
	CU_ASSERT_EQUAL(count_blocks(files[0].name, SECTIONS), 1);
	CU_ASSERT_EQUAL(count_blocks(files[0].name, PACKETS), 1);
	free(files);
	cleanup();
}

/* A name from a client leads to nothing but a capture file. */
static void names_are_ours(void)
{
	static const char *const wrong[] = {
		"",
		"..",
		"../cap/capture-20260101-000000-000001.pcapng",
		"/etc/passwd",
		"capture-20260101-000000-000001.pcapng.gz",
		"capture-20260101-000000-00000a.pcapng",
		"capture-20260101-000000-000001.pcapn",
	};
	char path[160];

	setup();
	start();
	capture_files_stop(&f);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		CU_ASSERT_EQUAL(capture_files_open(&f, wrong[i]), -EINVAL);
	CU_ASSERT_EQUAL(
		capture_files_open(&f, "capture-20260101-000000-000001.pcapng"),
		-ENOENT);
	snprintf(path, sizeof(path), "%s/capture-20260101-000000-000002.pcapng",
		 sub);
	CU_ASSERT_EQUAL(symlink("/etc/passwd", path), 0);
	CU_ASSERT_EQUAL(
		capture_files_open(&f, "capture-20260101-000000-000002.pcapng"),
		-ELOOP);
	cleanup();
}

/* What a daemon before us captured is there before we capture anything. */
static void read_after_a_restart(void)
{
	char name[CAPTURE_NAME_MAX];

	setup();
	start();
	snprintf(name, sizeof(name), "%s", f.name);
	capture_files_free(&f);
	CU_ASSERT_EQUAL(capture_files_init(&f, &cap, loop, sub), 0);
	CU_ASSERT_EQUAL(count_blocks(name, SECTIONS), 1);
	cleanup();
}

/* Where no file can be, nothing is begun. */
static void start_refused(void)
{
	char err[256];

	setup();
	capture_files_free(&f);
	CU_ASSERT_EQUAL(capture_files_init(&f, &cap, loop, "/proc/none/cap"),
			0);
	CU_ASSERT_EQUAL(capture_files_start(&f, NULL, NULL, err, sizeof(err)),
			-ENOENT);
	CU_ASSERT_STRING_EQUAL(err,
			       "/proc/none/cap: No such file or directory");
	CU_ASSERT_FALSE(f.running);
	CU_ASSERT_PTR_NULL(watcher.packet);
	cleanup();
}

static const struct unit_test tests[] = {
	UNIT_TEST(starts_and_stops),
	UNIT_TEST(rotates),
	UNIT_TEST(files_of_the_future),
	UNIT_TEST(full_disk_is_survived),
	UNIT_TEST(full_disk_to_the_end),
	UNIT_TEST(lost_directory_is_found_again),
	UNIT_TEST(names_are_ours),
	UNIT_TEST(read_after_a_restart),
	UNIT_TEST(start_refused),
};

int main(int argc, char **argv)
{
	log_set_level(3); /* what the tests cause is no news */
	return unit_run("capture_files", tests, ARRAY_LEN(tests), argc, argv);
}
