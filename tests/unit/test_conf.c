/*
 * test_conf.c - What a configuration may say, and where it comes from
 */
#include "conf_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/ipaddr.h>

/* Tests run in the top directory. */
#define SHIPPED "conf/tcphsd.conf"
#define MANUAL	"conf/tcphsd.conf.5.scd"

static struct conf other;

static void expect_override(const char *text, const char *override,
			    const char *want)
{
	char *said;

	CU_ASSERT_EQUAL(
		conf_load_bytes(&conf, text, strlen(text), &override, 1, &said),
		*want ? -EINVAL : 0);
	expect_said(said, want);
	free(said);
}

/* ---- defaults --------------------------------------------------------- */

static void defaults_are_the_classics(void)
{
	static const struct {
		const char *name;
		uint16_t port;
	} want[] = {{"echo", 7},      {"discard", 9},  {"daytime", 13},
		    {"qotd", 17},     {"chargen", 19}, {"http", 80},
		    {"metrics", 9107}};
	char text[IPPREFIX_TEXT_MAX];

	CU_ASSERT_EQUAL_FATAL(conf_load(&conf, NULL, NULL, 0, stderr), 0);
	CU_ASSERT_STRING_EQUAL(conf.path, "");
	CU_ASSERT_EQUAL_FATAL(conf.nlisteners, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct conf_listener *l = &conf.listeners[i];

		CU_ASSERT_STRING_EQUAL(l->l.name, want[i].name);
		CU_ASSERT_STRING_EQUAL(l->service, want[i].name);
		CU_ASSERT_EQUAL(l->l.port, want[i].port);
		CU_ASSERT_TRUE(l->l.enabled);
		CU_ASSERT_EQUAL(l->l.address.len, 0);
		CU_ASSERT_EQUAL_FATAL(l->l.nallow, 2);
		CU_ASSERT_STRING_EQUAL(ipprefix_format(&l->l.allow[0], text),
				       "198.18.66.0/24");
		CU_ASSERT_STRING_EQUAL(ipprefix_format(&l->l.allow[1], text),
				       "fd74:6370:6873::/64");
	}
	CU_ASSERT_EQUAL(conf.memory, 512u << 20);
	CU_ASSERT_EQUAL(conf.stop_timeout_us, 5000000);
	CU_ASSERT_EQUAL(conf.socket_mode, 0660);
	CU_ASSERT_EQUAL(conf.log_level, 6);
	CU_ASSERT_EQUAL(conf.stack.rcvbuf, 64u << 10);
	CU_ASSERT_EQUAL(conf.stack.rcvbuf_max, 4u << 20);
	CU_ASSERT_EQUAL(conf.stack.delayed_ack_us, 40000);
	CU_ASSERT_EQUAL(conf.stack.quick_acks, 16);
	CU_ASSERT_EQUAL(conf.stack.cookies, COOKIES_PRESSURE);
	CU_ASSERT_TRUE(conf.stack.timestamps);
	CU_ASSERT_FALSE(conf.stack.timestamps_strict);
}

static void shipped_file_says_the_defaults(void)
{
	CU_ASSERT_EQUAL_FATAL(conf_load(&conf, NULL, NULL, 0, stderr), 0);
	CU_ASSERT_EQUAL_FATAL(conf_load(&other, SHIPPED, NULL, 0, stderr), 0);
	CU_ASSERT_STRING_EQUAL(other.path, SHIPPED);
	memset(other.path, 0, sizeof(other.path));
	for (unsigned int i = 0; i < other.nlisteners; i++)
		other.listeners[i].line = 0;
	CU_ASSERT_EQUAL(memcmp(&conf, &other, sizeof(conf)), 0);
}

static void shipped_file_has_every_key(void)
{
	struct conf_reader r = {.path = SHIPPED};
	const struct conf_key *keys;
	size_t n;

	CU_ASSERT_EQUAL_FATAL(conf_text_read(&r, stderr), 0);
	keys = conf_schema_keys(&n);
	for (size_t i = 0; i < n; i++) {
		const char *key = conf_schema_key_name(&keys[i]);
		char section[CONF_SECTION_MAX];

		snprintf(section, sizeof(section), "%.*s%s",
			 (int)strcspn(keys[i].name, "."), keys[i].name,
			 conf_schema_is_listener(&keys[i]) ? ".echo" : "");
		if (!conf_text_find(&r, section, key))
			fprintf(stderr, "%s: no %s\n", SHIPPED, keys[i].name);
		CU_ASSERT_PTR_NOT_NULL(conf_text_find(&r, section, key));
	}
	conf_text_free(&r);
	conf_report_free(&r);
}

static void manual_has_every_key(void)
{
	static char text[64 << 10];
	const struct conf_key *keys;
	size_t n;
	FILE *f;

	f = fopen(MANUAL, "re");
	CU_ASSERT_FATAL(f != NULL);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	CU_ASSERT_FATAL(n > 0);
	keys = conf_schema_keys(&n);
	for (size_t i = 0; i < n; i++) {
		char item[64];

		snprintf(item, sizeof(item),
			 "*%s* = ", conf_schema_key_name(&keys[i]));
		if (!strstr(text, item))
			fprintf(stderr, "%s: no %s\n", MANUAL, keys[i].name);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, item));
	}
}

/* ---- what a file may say ---------------------------------------------- */

static void numbers_and_units(void)
{
	static const struct {
		const char *text;
		int64_t want_us;
	} times[] = {{"10ms", 10000},	  {"30s", 30000000},
		     {"10m", 600000000},  {"250 ms", 250000},
		     {"600s", 600000000}, {"\"3s\"", 3000000}};
	static const struct {
		const char *text;
		uint64_t want;
	} sizes[] = {{"2097152", 2097152},
		     {"2048KiB", 2097152},
		     {"3MiB", 3145728},
		     {"1GiB", 1073741824},
		     {"1024GiB", UINT64_C(1) << 40}};
	char text[128];

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		snprintf(text, sizeof(text), "[timers]\nmsl = %s\n",
			 times[i].text);
		expect_good(&conf, text);
		CU_ASSERT_EQUAL(conf.stack.msl_us, times[i].want_us);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		snprintf(text, sizeof(text), "[limits]\nmemory = %s\n",
			 sizes[i].text);
		expect_good(&conf, text);
		CU_ASSERT_EQUAL(conf.memory, sizes[i].want);
	}
	expect_good(&conf, "[timers]\nkeepalive = 2h\nuser_timeout = 0\n");
	CU_ASSERT_EQUAL(conf.stack.keepalive_us, INT64_C(7200000000));
	CU_ASSERT_EQUAL(conf.stack.user_timeout_us, 0);
	expect_good(&conf, "[limits]\nmax_connections = 16777216\n");
	CU_ASSERT_EQUAL(conf.stack.max_connections, 1u << 24);
	expect_good(&conf, "[tcphsd]\nseed = 18446744073709551615\n");
	CU_ASSERT_TRUE(conf.seeded);
	CU_ASSERT_EQUAL(conf.seed, UINT64_MAX);
}

static void words(void)
{
	expect_good(&conf, "[tcp]\ntimestamps = strict\ncookies = always\n"
			   "[interface]\noffload = off\nown_prefix = yes\n"
			   "[log]\ntarget = stderr\nlevel = error\n"
			   "[control]\nsocket_mode = 600\nreader_group = *\n"
			   "admin_group =\n");
	CU_ASSERT_TRUE(conf.stack.timestamps);
	CU_ASSERT_TRUE(conf.stack.timestamps_strict);
	CU_ASSERT_EQUAL(conf.stack.cookies, COOKIES_ALWAYS);
	CU_ASSERT_EQUAL(conf.offload, OFFLOAD_OFF);
	CU_ASSERT_TRUE(conf.stack.own_prefix);
	CU_ASSERT_EQUAL(conf.log_target, LOG_STDERR);
	CU_ASSERT_EQUAL(conf.log_level, 3);
	CU_ASSERT_EQUAL(conf.socket_mode, 0600);
	CU_ASSERT_STRING_EQUAL(conf.reader_group, "*");
	CU_ASSERT_STRING_EQUAL(conf.admin_group, "");
	expect_good(&conf, "[tcp]\ntimestamps = no\n[log]\nlevel = debug\n");
	CU_ASSERT_FALSE(conf.stack.timestamps);
	CU_ASSERT_EQUAL(conf.log_level, 7);
}

/* Upper case, CRLF, blanks, comments behind values: all as iniparser does. */
static void spelling_is_forgiven(void)
{
	expect_good(&conf, "\r\n[Listener.Web]\r\n  PORT=8080;why\r\n"
			   "\tService = http # because\r\n");
	CU_ASSERT_EQUAL_FATAL(conf.nlisteners, 1);
	CU_ASSERT_STRING_EQUAL(conf.listeners[0].l.name, "web");
	CU_ASSERT_EQUAL(conf.listeners[0].l.port, 8080);
	CU_ASSERT_EQUAL(conf.listeners[0].line, 2);
	expect_good(&conf, "");
	CU_ASSERT_EQUAL(conf.nlisteners, 7);
	expect_good(&conf, "# nothing\n; at all");
}

static void a_family_is_off_when_empty(void)
{
	expect_good(&conf, "[interface]\naddress6 =\nmtu = 576\n");
	CU_ASSERT_EQUAL(conf.host6.len, 0);
	CU_ASSERT_EQUAL(conf.stack.net6.len, 0);
	CU_ASSERT_EQUAL(conf.listeners[0].l.nallow, 1);
	expect_good(&conf, "[interface]\nhost_address4 =\n");
	CU_ASSERT_EQUAL(conf.stack.net4.len, 0);
	CU_ASSERT_EQUAL(conf.stack.net6.len, 64);
}

static void addresses_follow_from_the_host_side(void)
{
	char text[IPPREFIX_TEXT_MAX];

	expect_good(&conf, "[interface]\nhost_address4 = 10.1.2.3/16\n"
			   "address4 = 10.1.0.9\n");
	CU_ASSERT_STRING_EQUAL(ipprefix_format(&conf.stack.net4, text),
			       "10.1.0.0/16");
	CU_ASSERT_STRING_EQUAL(ipprefix_format(&conf.host4, text),
			       "10.1.2.3/16");
	CU_ASSERT_STRING_EQUAL(ipaddr_format(&conf.stack.host4, text),
			       "10.1.2.3");
	CU_ASSERT_STRING_EQUAL(ipaddr_format(&conf.stack.own4, text),
			       "10.1.0.9");
	/* RFC 3021: both addresses of a /31 are hosts. */
	expect_good(&conf, "[interface]\nhost_address4 = 10.0.0.0/31\n"
			   "address4 = 10.0.0.1\n");
}

static void allow_takes_host_any_and_prefixes(void)
{
	char text[IPPREFIX_TEXT_MAX];

	expect_good(&conf, "[listener.a]\nport = 1\nservice = echo\n"
			   "allow = any\n");
	CU_ASSERT_EQUAL(conf.listeners[0].l.nallow, 0);
	expect_good(&conf, "[listener.a]\nport = 1\nservice = echo\n"
			   "allow = 10.1.2.3/8 , host,fd00::1\n");
	CU_ASSERT_EQUAL_FATAL(conf.listeners[0].l.nallow, 4);
	CU_ASSERT_STRING_EQUAL(
		ipprefix_format(&conf.listeners[0].l.allow[0], text),
		"198.18.66.0/24");
	CU_ASSERT_STRING_EQUAL(
		ipprefix_format(&conf.listeners[0].l.allow[2], text),
		"10.0.0.0/8");
	CU_ASSERT_STRING_EQUAL(
		ipprefix_format(&conf.listeners[0].l.allow[3], text),
		"fd00::1/128");
}

static void listeners_share_a_port_on_different_addresses(void)
{
	expect_good(&conf, "[listener.a]\nport = 80\nservice = http\n"
			   "address = 198.18.66.2\n"
			   "[listener.b]\nport = 80\nservice = echo\n"
			   "address = fd74:6370:6873::2\n"
			   "[listener.c]\nport = 81\nservice = echo\n");
	CU_ASSERT_EQUAL(conf.nlisteners, 3);
	expect_good(&conf, "[interface]\nown_prefix = yes\n"
			   "[listener.a]\nport = 80\nservice = http\n"
			   "address = 198.18.66.16/28\n"
			   "[listener.b]\nport = 80\nservice = http\n"
			   "address = 198.18.66.32/28\n");
}

/* ---- files ------------------------------------------------------------ */

static void expect_unreadable(const char *path, int rc, const char *want)
{
	size_t len;
	char *said;
	FILE *err;

	err = open_memstream(&said, &len);
	CU_ASSERT_FATAL(err != NULL);
	CU_ASSERT_EQUAL(conf_load(&conf, path, NULL, 0, err), rc);
	fclose(err);
	expect_said(said, want);
	free(said);
}

static void files_that_cannot_be_read(void)
{
	char longest[CONF_PATH_MAX + 1];
	static char big[(256 << 10) + 1];
	char *said;

	expect_unreadable("/nonexistent/tcphsd.conf", -ENOENT,
			  "/nonexistent/tcphsd.conf: cannot be read: No such"
			  " file or directory; name another with -c\n");
	expect_unreadable("/", -EISDIR,
			  "/: cannot be read: Is a directory; name another"
			  " with -c\n");
	memset(longest, 'x', sizeof(longest));
	longest[CONF_PATH_MAX] = '\0';
	expect_unreadable(longest, -ENAMETOOLONG,
			  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: this"
			  " path is too long\n");
	memset(big, '\n', sizeof(big));
	CU_ASSERT_EQUAL(
		conf_load_bytes(&conf, big, sizeof(big) - 1, NULL, 0, &said),
		0);
	free(said);
	CU_ASSERT_EQUAL(
		conf_load_bytes(&conf, big, sizeof(big), NULL, 0, &said),
		-EFBIG);
	expect_said(said, "F: larger than 256 KiB; is this the right file?\n");
	free(said);
}

/* ---- overrides -------------------------------------------------------- */

static void overrides_win_over_the_file(void)
{
	expect_override("[interface]\nmtu = 1400\n", "interface.mtu=9000", "");
	CU_ASSERT_EQUAL(conf.stack.mtu, 9000);
	expect_override("", "listener.echo.port=7007", "");
	CU_ASSERT_EQUAL(conf.nlisteners, 7);
	CU_ASSERT_EQUAL(conf.listeners[0].l.port, 7007);
	expect_override("[listener.web]\nport = 80\nservice = http\n",
			"Listener.Web.Enabled=no", "");
	CU_ASSERT_EQUAL(conf.nlisteners, 1);
	CU_ASSERT_FALSE(conf.listeners[0].l.enabled);
	expect_override("", "interface.address6=", "");
	CU_ASSERT_EQUAL(conf.host6.len, 0);
}

static void overrides_are_checked_like_the_file(void)
{
	expect_override("", "interface.mtu=1",
			"-D interface.mtu=1: mtu = 1 is out of range; write"
			" 576 to 65520\n");
	expect_override("", "interface.mut=1500",
			"-D interface.mut=1500: unknown key 'mut' in"
			" [interface]; did you mean 'mtu'?\n");
	expect_override("", "interfaec.mtu=1500",
			"-D interfaec.mtu=1500: unknown section [interfaec];"
			" did you mean 'interface'?\n");
	expect_override("", "mtu=1500",
			"-D mtu=1500: not understood; write"
			" section.key=value\n");
	expect_override("", "interface.mtu",
			"-D interface.mtu: not understood; write"
			" section.key=value\n");
	expect_override("", "",
			"-D : not understood; write section.key=value\n");
	expect_override("", "listener.echo.port=9",
			"-D listener.echo.port=9: listeners 'echo' and"
			" 'discard' share port 9 and an address; change"
			" either\n");
	expect_override("[interface]\naddress4 = 198.18.66.9\n",
			"interface.host_address4=198.18.66.9/24",
			"F:2: address4 = 198.18.66.9 is the host's own"
			" address; choose a neighbour\n");
	expect_override("", "interface.mtu=1500\n\x1b[0m",
			"-D interface.mtu=1500??[0m: mtu = 1500??[0m is not a"
			" number; write 576 to 65520\n");
}

static void overrides_complain_in_their_order(void)
{
	static const char *const overrides[] = {"log.level=x", "nonsense",
						"tcp.sack=x"};
	size_t len;
	char *said;
	FILE *err;

	err = open_memstream(&said, &len);
	CU_ASSERT_FATAL(err != NULL);
	CU_ASSERT_EQUAL(
		conf_load(&conf, NULL, overrides, ARRAY_LEN(overrides), err),
		-EINVAL);
	fclose(err);
	expect_said(said,
		    "-D log.level=x: level = x is unknown; write error,"
		    " warning, notice, info or debug\n"
		    "-D nonsense: not understood; write section.key=value\n"
		    "-D tcp.sack=x: sack = x is unknown; write no or yes\n");
	free(said);
}

/* ---- reload ----------------------------------------------------------- */

static void reload_names_what_needs_a_restart(void)
{
	static const struct {
		const char *text, *key;
	} cases[] = {
		{"[tcphsd]\nseed = 1\n", "tcphsd.seed"},
		{"[tcphsd]\nseed = 0\n", "tcphsd.seed"},
		{"[tcphsd]\nuser = nobody\n", "tcphsd.user"},
		{"[interface]\nname = tcphs1\n", "interface.name"},
		{"[interface]\nhost_address4 = 198.18.66.9/24\n",
		 "interface.host_address4"},
		{"[interface]\nhost_address4 = 198.18.66.1/25\n",
		 "interface.host_address4"},
		{"[interface]\naddress4 = 198.18.66.3\n", "interface.address4"},
		{"[interface]\naddress6 =\n", "interface.host_address6"},
		{"[interface]\naddress6 = fd74:6370:6873::3\n",
		 "interface.address6"},
		{"[interface]\nown_prefix = yes\n", "interface.own_prefix"},
		{"[interface]\nmtu = 1400\n", "interface.mtu"},
		{"[interface]\noffload = off\n", "interface.offload"},
		{"[interface]\ntxqueuelen = 1\n", "interface.txqueuelen"},
		{"[interface]\npersist = yes\n", "interface.persist"},
		{"[interface]\nicmp_echo = no\n", "interface.icmp_echo"},
		{"[interface]\nttl = 63\n", "interface.ttl"},
		{"[limits]\nmemory = 1GiB\n", "limits.memory"},
		{"[control]\nsocket = /run/x\n", "control.socket"},
		{"[control]\nsocket_mode = 0600\n", "control.socket_mode"},
		{"[control]\nadmin_group =\n", "control.admin_group"},
		{"[control]\nreader_group = *\n", "control.reader_group"},
	};

	expect_good(&conf, "");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *key;

		expect_good(&other, cases[i].text);
		key = conf_needs_restart(&conf, &other);
		CU_ASSERT_PTR_NOT_NULL_FATAL(key);
		CU_ASSERT_STRING_EQUAL(key, cases[i].key);
	}
}

static void reload_takes_the_rest(void)
{
	expect_good(&conf, "");
	expect_good(&other, "[tcphsd]\nstop_timeout = 1s\n"
			    "[limits]\nmax_connections = 5\nrcvbuf = 4KiB\n"
			    "[timers]\nmsl = 1s\n[tcp]\nsack = no\n"
			    "[log]\nlevel = debug\n[listener.new]\n" ECHO);
	CU_ASSERT_PTR_NULL(conf_needs_restart(&conf, &other));
	CU_ASSERT_PTR_NULL(conf_needs_restart(&other, &conf));
	/* Other words for the same thing. */
	expect_good(&other, "[limits]\nmemory = 524288KiB\n"
			    "[interface]\naddress6 = FD74:6370:6873:0::2\n");
	CU_ASSERT_PTR_NULL(conf_needs_restart(&conf, &other));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(defaults_are_the_classics),
		UNIT_TEST(shipped_file_says_the_defaults),
		UNIT_TEST(shipped_file_has_every_key),
		UNIT_TEST(manual_has_every_key),
		UNIT_TEST(numbers_and_units),
		UNIT_TEST(words),
		UNIT_TEST(spelling_is_forgiven),
		UNIT_TEST(a_family_is_off_when_empty),
		UNIT_TEST(addresses_follow_from_the_host_side),
		UNIT_TEST(allow_takes_host_any_and_prefixes),
		UNIT_TEST(listeners_share_a_port_on_different_addresses),
		UNIT_TEST(files_that_cannot_be_read),
		UNIT_TEST(overrides_win_over_the_file),
		UNIT_TEST(overrides_are_checked_like_the_file),
		UNIT_TEST(overrides_complain_in_their_order),
		UNIT_TEST(reload_names_what_needs_a_restart),
		UNIT_TEST(reload_takes_the_rest),
	};

	return conf_rig_run("conf", tests, ARRAY_LEN(tests), argc, argv);
}
