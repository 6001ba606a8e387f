/*
 * test_conf_listener.c - Listeners that change while the daemon runs
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_rig.h"

static struct conf before;

typedef int change_fn(struct conf *c, const char *name,
		      const char *const *settings, size_t n, FILE *err);

/* One setting; what was said is compared, "" if nothing was wrong. A refused
 * one changes nothing. */
static int change(change_fn *fn, const char *name, const char *setting,
		  const char *want)
{
	char *said = NULL;
	size_t len;
	FILE *f = open_memstream(&said, &len);
	int ret;

	before = conf;
	ret = fn(&conf, name, &setting, setting ? 1 : 0, f);
	fclose(f);
	CU_ASSERT_STRING_EQUAL(said, want);
	free(said);
	if (ret < 0)
		CU_ASSERT_EQUAL(memcmp(&conf, &before, sizeof(conf)), 0);
	return ret;
}

static const struct conf_listener *named(const char *name)
{
	for (unsigned int i = 0; i < conf.nlisteners; i++)
		if (strcmp(conf.listeners[i].l.name, name) == 0)
			return &conf.listeners[i];
	CU_FAIL_FATAL("there is no such listener");
	return NULL;
}

static void set_changes_one_key(void)
{
	expect_good(&conf, "[listener.a]\n" ECHO "backlog = 5\n"
			   "[listener.b]\nservice = echo\nport = 8\n");
	CU_ASSERT_EQUAL(change(conf_set_listener, "a", "backlog=9", ""), 0);
	CU_ASSERT_EQUAL(named("a")->l.backlog, 9);
	CU_ASSERT_EQUAL(named("a")->l.port, 7);
	CU_ASSERT_EQUAL(change(conf_set_listener, "a", "port=70", ""), 0);
	CU_ASSERT_EQUAL(named("a")->l.port, 70);
	CU_ASSERT_EQUAL(named("a")->l.backlog, 9);
	CU_ASSERT_EQUAL(named("b")->l.port, 8);
	CU_ASSERT_FALSE(named("a")->added);
	CU_ASSERT_EQUAL(conf.nlisteners, 2);
}

/* The host's networks are in the list once, however often it is set. */
static void set_keeps_or_changes_who_may_come(void)
{
	uint8_t n;

	expect_good(&conf, "[listener.a]\n" ECHO);
	n = named("a")->l.nallow;
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_EQUAL(change(conf_set_listener, "a", "backlog=9", ""), 0);
	CU_ASSERT_EQUAL(named("a")->l.nallow, n);
	CU_ASSERT_EQUAL(
		change(conf_set_listener, "a", "allow=host,10.0.0.0/8", ""), 0);
	CU_ASSERT_EQUAL(named("a")->l.nallow, n + 1);
	CU_ASSERT_EQUAL(change(conf_set_listener, "a", "allow=host", ""), 0);
	CU_ASSERT_EQUAL(named("a")->l.nallow, n);
	CU_ASSERT_EQUAL(change(conf_set_listener, "a", "allow=10.0.0.0/8", ""),
			0);
	CU_ASSERT_EQUAL(named("a")->l.nallow, 1);
	CU_ASSERT_EQUAL(change(conf_set_listener, "a", "allow=any", ""), 0);
	CU_ASSERT_EQUAL(named("a")->l.nallow, 0);
}

static void set_refuses_in_words(void)
{
	expect_good(&conf, "[listener.a]\n" ECHO
			   "[listener.b]\nservice = echo\nport = 8\n");
	CU_ASSERT_EQUAL(change(conf_set_listener, "c", "backlog=9",
			       "there is no listener 'c'\n"),
			-ENOENT);
	CU_ASSERT_EQUAL(change(conf_set_listener, "a", "port=0",
			       "port = 0 is out of range; write 1 to 65535\n"),
			-EINVAL);
	CU_ASSERT_EQUAL(change(conf_set_listener, "a", "port=8",
			       "listeners 'a' and 'b' share port 8 and an "
			       "address; change either\n"),
			-EINVAL);
	CU_ASSERT_EQUAL(change(conf_set_listener, "a", "service=ecko",
			       "service = ecko is no service; did you mean "
			       "'echo'?\n"),
			-EINVAL);
}

/* What was added and then set is still one that a reload keeps. */
static void added_ones_are_set_and_kept(void)
{
	struct conf file;

	expect_good(&conf, "[listener.a]\n" ECHO);
	file = conf;
	CU_ASSERT_EQUAL(change(conf_add_listener, "b", NULL,
			       "listener 'b' has no port; add port = 1 to "
			       "65535\nlistener 'b' has no service; "
			       "add service = echo or another\n"),
			-EINVAL);
	CU_ASSERT_EQUAL(conf.nlisteners, 1);
	{
		static const char *const settings[] = {"port=9",
						       "service=echo"};

		CU_ASSERT_EQUAL(
			conf_add_listener(&conf, "b", settings, 2, stderr), 0);
	}
	CU_ASSERT_EQUAL(change(conf_set_listener, "b", "port=10", ""), 0);
	CU_ASSERT_EQUAL(conf_keep_added(&file, &conf, stderr), 0);
	conf = file;
	CU_ASSERT_EQUAL(named("b")->l.port, 10);
	CU_ASSERT_EQUAL(conf_del_listener(&conf, "b"), 0);
	CU_ASSERT_EQUAL(conf_del_listener(&conf, "b"), -ENOENT);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(set_changes_one_key),
		UNIT_TEST(set_keeps_or_changes_who_may_come),
		UNIT_TEST(set_refuses_in_words),
		UNIT_TEST(added_ones_are_set_and_kept),
	};

	return conf_rig_run("conf_listener", tests, ARRAY_LEN(tests), argc,
			    argv);
}
