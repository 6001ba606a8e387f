/*
 * conf_rig.c - A configuration written by a test, and what is said of it
 */
#include "conf_rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct conf conf;

/* "PATH:3: ..." becomes "F:3: ..." */
static void shorten(char *text, const char *path)
{
	size_t n = strlen(path);
	char *p;

	for (p = text; (p = strstr(p, path));) {
		*p++ = 'F';
		memmove(p, p + n - 1, strlen(p + n - 1) + 1);
	}
}

int conf_load_bytes(struct conf *c, const void *text, size_t len,
		    const char *const *overrides, size_t n, char **said)
{
	char path[32];
	size_t saidlen;
	FILE *err;
	int fd, rc;

	fd = memfd_create("test_conf", 0);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_FATAL(write(fd, text, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = open_memstream(said, &saidlen);
	CU_ASSERT_FATAL(err != NULL);
	rc = conf_load(c, path, overrides, n, err);
	fclose(err);
	close(fd);
	shorten(*said, path);
	return rc;
}

void expect_said(const char *got, const char *want)
{
	if (strcmp(got, want) != 0)
		fprintf(stderr, "--- want\n%s--- got\n%s", want, got);
	CU_ASSERT_STRING_EQUAL(got, want);
}

void expect_good(struct conf *c, const char *text)
{
	char *said;

	CU_ASSERT_EQUAL(conf_load_bytes(c, text, strlen(text), NULL, 0, &said),
			0);
	expect_said(said, "");
	free(said);
}

int conf_rig_run(const char *suite, const struct unit_test *tests, size_t n,
		 int argc, char **argv)
{
	static const char *const services[] = {"echo", "discard", "daytime",
					       "qotd", "chargen", "http",
					       "chat", "metrics", NULL};

	conf_services(services);
	return unit_run(suite, tests, n, argc, argv);
}
