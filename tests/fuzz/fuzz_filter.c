/*
 * fuzz_filter.c - Any text is a filter or an error that points into it
 */
#include <tcphs/filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first bytes make the connection, the rest is the filter. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conn_info info = {.srtt_us = 5};
	struct filter_error err;
	struct filter *f;
	char *text;

	if (size < 8)
		return 0;
	info.state = data[0] % TCP_NSTATES;
	info.role = data[1] & 1;
	info.half_open = data[1] & 2;
	info.age_us = (int8_t)data[2];
	info.idle_us = (int8_t)data[3];
	info.local_port = data[4];
	info.retrans = data[5];
	info.id = data[6];
	memset(&info.peer, data[7], sizeof(info.peer));
	text = strndup((const char *)data + 8, size - 8);
	if (!text)
		return 0;

	f = filter_parse(text, &err);
	if (f) {
		bool yes = filter_match(f, &info, "web", 5);

		ASSERT(filter_match(f, &info, "web", 5) == yes);
	} else {
		ASSERT(err.message[0]);
		ASSERT(err.at <= strlen(text));
	}
	filter_free(f);
	free(text);
	return 0;
}
