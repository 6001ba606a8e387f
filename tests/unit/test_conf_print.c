/*
 * test_conf_print.c - What is written of a configuration reads the same again
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf_rig.h"

static struct conf again;

/* All of it as a file; to be freed. */
static char *printed(const struct conf *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	conf_print(c, f);
	fclose(f);
	return text;
}

/* What is not as always, a line each: "section.key=value" */
static void note_unusual(void *arg, const struct conf_setting *s)
{
	if (!s->usual)
		fprintf(arg, "%s.%s=%s\n", s->section, s->key, s->value);
}

static char *unusual(const struct conf *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	conf_settings(c, note_unusual, f);
	fclose(f);
	return text;
}

/* Where it was read, and on which lines, is not what it says. */
static void forget_place(struct conf *c)
{
	memset(c->path, 0, sizeof(c->path));
	for (unsigned int i = 0; i < c->nlisteners; i++)
		c->listeners[i].line = 0;
}

static void expect_the_same(struct conf *c)
{
	char *text = printed(c);

	expect_good(&again, text);
	forget_place(c);
	forget_place(&again);
	CU_ASSERT_EQUAL(memcmp(c, &again, sizeof(again)), 0);
	free(text);
}

static void expect_unusual(const char *file, const char *want)
{
	char *got;

	expect_good(&conf, file);
	got = unusual(&conf);
	expect_said(got, want);
	free(got);
	expect_the_same(&conf);
}

static void defaults_are_usual(void)
{
	const struct conf_key *keys;
	char line[128], *text;
	size_t n;

	expect_unusual("", "");
	text = printed(&conf);
	keys = conf_schema_keys(&n);
	for (size_t i = 0; i < n; i++) {
		const char *fallback = keys[i].fallback;

		if (!fallback)
			continue;
		snprintf(line, sizeof(line), "\n%s =%s%s\n",
			 conf_schema_key_name(&keys[i]), *fallback ? " " : "",
			 fallback);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
	}
	free(text);
}

static void every_form_comes_back(void)
{
	expect_unusual("[tcphsd]\nseed = 18446744073709551615\n"
		       "stop_timeout = 90s\nuser = nobody\n"
		       "[interface]\nname = t.1\nhost_address4 = 10.1.0.1/16\n"
		       "address4 = 10.1.2.3\nmtu = 9000\noffload = off\n"
		       "[stack]\nthreads = 3\n"
		       "[limits]\nmemory = 1536MiB\nrcvbuf = 5000\n"
		       "[timers]\nkeepalive = 7200s\ndelayed_ack = 0\n"
		       "[tcp]\ntimestamps = strict\ncongestion = newreno\n"
		       "[log]\nlevel = debug\nfile = /var/log/t.json\n"
		       "[control]\nsocket_mode = 666\nreader_group = *\n",
		       "tcphsd.seed=18446744073709551615\n"
		       "tcphsd.stop_timeout=90s\n"
		       "tcphsd.user=nobody\n"
		       "interface.name=t.1\n"
		       "interface.host_address4=10.1.0.1/16\n"
		       "interface.address4=10.1.2.3\n"
		       "interface.mtu=9000\n"
		       "interface.offload=off\n"
		       "stack.threads=3\n"
		       "limits.memory=1536MiB\n"
		       "limits.rcvbuf=5000\n"
		       "timers.keepalive=2h\n"
		       "timers.delayed_ack=0\n"
		       "tcp.congestion=newreno\n"
		       "tcp.timestamps=strict\n"
		       "log.level=debug\n"
		       "log.file=/var/log/t.json\n"
		       "control.socket_mode=0666\n"
		       "control.reader_group=*\n");
}

static void a_seed_of_zero_is_one(void)
{
	expect_unusual("[tcphsd]\nseed = 0\n", "tcphsd.seed=0\n");
}

static void one_family(void)
{
	expect_unusual("[interface]\naddress6 =\n",
		       "interface.host_address6=\ninterface.address6=\n");
	expect_unusual("[interface]\nhost_address4 =\n"
		       "[listener.a]\n" ECHO "allow = host,10.0.0.0/8\n",
		       "interface.host_address4=\ninterface.address4=\n"
		       "listener.a.port=7\nlistener.a.service=echo\n"
		       "listener.a.allow=host,10.0.0.0/8\n");
}

static void a_listener_of_the_file_is_told(void)
{
	expect_unusual(
		"[listener.a]\n" ECHO "address = 198.18.66.2\n"
		"allow = any\noverflow = reset\nslow_handshake = 0\n"
		"[listener.b]\nport = 8\nservice = echo\n"
		"address = 198.18.66.9/31\nallow = 10.0.0.0/8 , fd00::/8\n"
		"congestion = newreno\n[interface]\nown_prefix = yes\n",
		"interface.own_prefix=yes\n"
		"listener.a.address=198.18.66.2\n"
		"listener.a.port=7\nlistener.a.service=echo\n"
		"listener.a.overflow=reset\n"
		"listener.a.allow=any\n"
		"listener.a.slow_handshake=0\n"
		"listener.b.address=198.18.66.8/31\n"
		"listener.b.port=8\nlistener.b.service=echo\n"
		"listener.b.allow=10.0.0.0/8,fd00::/8\n"
		"listener.b.congestion=newreno\n");
}

/* Those that there are without a file must be in a file if one is not. */
static void one_classic_changed_brings_all(void)
{
	const char *override = "listener.chargen.backlog=3";
	char *said, *got;

	CU_ASSERT_EQUAL(conf_load_bytes(&conf, "", 0, &override, 1, &said), 0);
	expect_said(said, "");
	got = unusual(&conf);
	expect_said(got, "listener.echo.port=7\nlistener.echo.service=echo\n"
			 "listener.discard.port=9\n"
			 "listener.discard.service=discard\n"
			 "listener.daytime.port=13\n"
			 "listener.daytime.service=daytime\n"
			 "listener.qotd.port=17\nlistener.qotd.service=qotd\n"
			 "listener.chargen.port=19\n"
			 "listener.chargen.service=chargen\n"
			 "listener.chargen.backlog=3\n"
			 "listener.http.port=80\nlistener.http.service=http\n"
			 "listener.metrics.port=9107\n"
			 "listener.metrics.service=metrics\n");
	expect_the_same(&conf);
	free(said);
	free(got);
}

static void what_was_set_while_running_is_told(void)
{
	const char *setting = "allow=host,198.18.67.0/24";

	expect_good(&conf, "[listener.a]\n" ECHO);
	CU_ASSERT_EQUAL(conf_set_listener(&conf, "a", &setting, 1, stderr), 0);
	expect_the_same(&conf);
}

/* Eight prefixes of the greatest length. */
static void the_longest_list(void)
{
	char file[1000] = "[listener.a]\n" ECHO "allow = ", *got;

	for (int i = 1; i <= 8; i++)
		snprintf(file + strlen(file), sizeof(file) - strlen(file),
			 "%sfd74:1111:2222:3333:4444:5555:6666:777%d/128",
			 i > 1 ? "," : "", i);
	strcat(file, "\n");
	expect_good(&conf, file);
	got = unusual(&conf);
	CU_ASSERT_PTR_NOT_NULL(strstr(got, ":7778/128\n"));
	free(got);
	expect_the_same(&conf);
}

static void note_marks(void *arg, const struct conf_setting *s)
{
	unsigned int *n = arg;

	n[0] += s->secret;
	n[1] += s->restart && strcmp(s->key, "mtu") == 0;
	n[2] += s->restart && strcmp(s->section, "timers") == 0;
}

static void secrets_and_restarts_are_marked(void)
{
	unsigned int n[3] = {0};

	expect_good(&conf, "");
	conf_settings(&conf, note_marks, n);
	CU_ASSERT_EQUAL(n[0], 1);
	CU_ASSERT_EQUAL(n[1], 1);
	CU_ASSERT_EQUAL(n[2], 0);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(defaults_are_usual),
		UNIT_TEST(every_form_comes_back),
		UNIT_TEST(a_seed_of_zero_is_one),
		UNIT_TEST(one_family),
		UNIT_TEST(a_listener_of_the_file_is_told),
		UNIT_TEST(one_classic_changed_brings_all),
		UNIT_TEST(what_was_set_while_running_is_told),
		UNIT_TEST(the_longest_list),
		UNIT_TEST(secrets_and_restarts_are_marked),
	};

	return conf_rig_run("conf_print", tests, ARRAY_LEN(tests), argc, argv);
}
