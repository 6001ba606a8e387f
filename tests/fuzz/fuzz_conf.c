/*
 * fuzz_conf.c - Whatever a configuration says, it is taken whole or refused
 *
 * The input is a file; lines "-D section.key=value" at its top are overrides.
 * What is taken must keep the promises of conf.h, and what is refused must be
 * said in lines that begin with a place. The scanner and iniparser have to
 * agree on every line that both get to see.
 */
#include "conf.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/assert.h"

#define OVERRIDES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

/* Cut the overrides off the top; Return: where the file begins */
static char *take_overrides(char *text, const char **overrides, size_t *n)
{
	while (strncmp(text, "-D ", 3) == 0 && *n < OVERRIDES_MAX) {
		char *end = strchr(text, '\n');

		if (!end)
			break;
		*end = '\0';
		overrides[(*n)++] = text + 3;
		text = end + 1;
	}
	return text;
}

static void check_taken(const struct conf *c)
{
	const struct stack_conf *s = &c->stack;

	ASSERT(c->host4.len != 0 || c->host6.len != 0);
	ASSERT(s->net4.len == c->host4.len);
	ASSERT(s->net6.len == c->host6.len);
	if (s->net4.len) {
		ASSERT(ip_addr_is4(&s->own4));
		ASSERT(ip_prefix_has(&s->net4, &s->own4));
		ASSERT(memcmp(&s->own4, &s->host4, sizeof(s->own4)) != 0);
	}
	if (s->net6.len) {
		ASSERT(!ip_addr_is4(&s->own6));
		ASSERT(ip_prefix_has(&s->net6, &s->own6));
		ASSERT(s->mtu >= 1280);
	}
	ASSERT(s->mtu >= 576);
	ASSERT(s->mtu <= 65520);
	ASSERT(s->rto_min_us <= s->rto_initial_us);
	ASSERT(s->rto_initial_us <= s->rto_max_us);
	ASSERT(s->rcvbuf <= s->rcvbuf_max);
	ASSERT(s->window_scale <= 14);
	ASSERT(c->memory >= STACK_MEM_MIN);
	ASSERT(c->ifname[0] != '\0');
	ASSERT(c->nlisteners <= STACK_LISTENERS_MAX);
	for (unsigned int i = 0; i < c->nlisteners; i++) {
		const struct conf_listener *l = &c->listeners[i];

		ASSERT(l->l.name[0] != '\0');
		ASSERT(l->service[0] != '\0');
		ASSERT(l->l.port != 0);
		ASSERT(l->l.nallow <= STACK_ALLOW_MAX);
		ASSERT(!l->allow_host || l->l.nallow != 0);
	}
}

/* Did the scanner let a line through that iniparser reads differently? */
static bool disagreed(const char *line, const char *path)
{
	const char *what = line + strlen(path);

	what += strspn(what, ":0123456789 ");
	return strncmp(what, "iniparser reads", 15) == 0;
}

/* Each line: a place, then what is wrong, printable. */
static void check_said(char *said, const char *path)
{
	ASSERT(*said != '\0');
	for (char *line = said, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		ASSERT(end != NULL);
		*end = '\0';
		ASSERT(strncmp(line, path, strlen(path)) == 0 ||
		       strncmp(line, "-D ", 3) == 0);
		ASSERT(strstr(line, ": ") != NULL);
		ASSERT(*line == '-' || !disagreed(line, path));
		for (const char *p = line; *p; p++)
			ASSERT((unsigned char)*p >= ' ');
	}
}

static void load(const char *file, size_t len, const char *const *overrides,
		 size_t n)
{
	static struct conf c, again;
	size_t saidlen;
	char path[32], *said;
	FILE *err;
	int fd, rc;

	fd = memfd_create("fuzz_conf", MFD_CLOEXEC);
	ASSERT(fd >= 0);
	ASSERT(write(fd, file, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = open_memstream(&said, &saidlen);
	ASSERT(err != NULL);
	rc = conf_load(&c, path, overrides, n, err);
	fclose(err);
	if (rc == 0) {
		ASSERT(saidlen == 0);
		check_taken(&c);
		ASSERT(conf_load(&again, path, overrides, n, stderr) == 0);
		ASSERT(memcmp(&c, &again, sizeof(c)) == 0);
		ASSERT(conf_needs_restart(&c, &again) == NULL);
	} else {
		ASSERT(rc == -EINVAL || rc == -EFBIG);
		check_said(said, path);
	}
	free(said);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const services[] = {
		"echo", "discard", "daytime", "qotd", "chargen", "http", NULL};
	const char *overrides[OVERRIDES_MAX];
	char *text, *file;
	size_t n = 0;

	conf_services(services);
	text = malloc(size + 1);
	ASSERT(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	file = take_overrides(text, overrides, &n);
	load(file, size - (size_t)(file - text), overrides, n);
	free(text);
	return 0;
}
