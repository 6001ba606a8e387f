/*
 * test_events_manual.c - tcphs-events(7) and the catalogue know every event
 *
 * By name and level, in the order of event.h; every field that an event can
 * have; and the entry of each MESSAGE_ID for `journalctl -x`.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/ipaddr.h>
#include <tcphs/stack.h>

#include "core/assert.h"
#include "evfields.h"
#include "evid.h"
#include "log.h"
#include "unit.h"

#define MANUAL	  "daemon/tcphs-events.7.scd"
#define CATALOGUE "systemd/tcphs.catalog"

bool stack_listener_info(const struct stack *st, unsigned int index,
			 struct listener_info *info)
{
	(void)st;
	snprintf(info->conf.name, sizeof(info->conf.name), "l%u", index);
	return true;
}

static char *read_all(const char *path)
{
	char *text = calloc(1, 256 * 1024);
	FILE *f = fopen(path, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(fread(text, 1, 256 * 1024 - 1, f) > 0);
	fclose(f);
	return text;
}

/* Says what is missing, for whoever added an event. */
static const char *must_have(const char *text, const char *from,
			     const char *file, const char *line)
{
	const char *at = strstr(from, line);

	if (!at)
		fprintf(stderr,
			strstr(text, line) ? "%s: out of order: %s\n"
					   : "%s: missing: %s\n",
			file, line + (*line == '\n'));
	CU_ASSERT_PTR_NOT_NULL(at);
	return at ? at + strlen(line) : from;
}

static void every_event_with_its_level_in_order(void)
{
	char *text = read_all(MANUAL), line[64];
	const char *at = strstr(text, "\n# EVENTS");
	size_t n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	for (int t = 0; t < EVENT_NTYPES; t++) {
		snprintf(line, sizeof(line), "\n*%s* (%s)\n",
			 event_name((enum event_type)t),
			 log_level_name(event_level((enum event_type)t)));
		at = must_have(text, at - 1, MANUAL, line);
	}
	/* And no event that there is not. */
	for (at = strstr(text, "\n# EVENTS"); at; at = strstr(at + 1, "\n*"))
		n += strcspn(at + 1, "(") < strcspn(at + 1, "\n");
	CU_ASSERT_EQUAL(n, EVENT_NTYPES + 1); /* SEE ALSO */
	free(text);
}

static void check_field(void *arg, const char *key, const char *text,
			int64_t number)
{
	const char *manual = arg;
	char bold[64];

	(void)text;
	(void)number;
	snprintf(bold, sizeof(bold), "\n*%s*", key);
	(void)must_have(manual, manual, MANUAL, bold);
}

static void every_field(void)
{
	struct event e = {
		.conn = 42,
		.local_port = 80,
		.peer_port = 50000,
		.seg_flags = TH_SYN | TH_ACK,
		.seg_len = 5,
	};
	const struct evbus_record r = {.seq = 1, .e = &e};
	char *text = read_all(MANUAL);

	ipaddr_parse("198.18.66.1", &e.peer);
	for (int t = 0; t < EVENT_NTYPES; t++) {
		e.type = (uint8_t)t;
		for (int b = 0; b < 3; b++) {
			e.a = 1;
			e.b = b;
			evfields(&r, (const struct stack *)&r, check_field,
				 text);
		}
	}
	free(text);
}

static void every_id_once_in_the_catalogue(void)
{
	char *text = read_all(CATALOGUE), line[64];
	size_t n = 0;

	for (int t = 0; t < EVENT_NTYPES; t++) {
		const char *id = evid((enum event_type)t), *at;

		snprintf(line, sizeof(line), "\n-- %s\nSubject: ", id);
		at = must_have(text, text, CATALOGUE, line);
		if (at == text)
			fprintf(stderr, "for %s\n",
				event_name((enum event_type)t));
		CU_ASSERT_PTR_NULL(strstr(at, id));
	}
	for (const char *at = text; (at = strstr(at + 1, "\n-- "));)
		n++;
	CU_ASSERT_EQUAL(n, EVENT_NTYPES);
	free(text);
}

/* It is a name that others filter by: it must not change. */
static void ids_stay(void)
{
	CU_ASSERT_STRING_EQUAL(evid(EVENT_SYN_SENT),
			       "efd5c7a4bab4264a93e7093f36d8dbc6");
	CU_ASSERT_STRING_EQUAL(evid(EVENT_SYN_SENT), evid(EVENT_SYN_SENT));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(every_event_with_its_level_in_order),
		UNIT_TEST(every_field),
		UNIT_TEST(every_id_once_in_the_catalogue),
		UNIT_TEST(ids_stay),
	};

	return unit_run("events_manual", tests, ARRAY_LEN(tests), argc, argv);
}
