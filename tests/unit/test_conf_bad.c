/*
 * test_conf_bad.c - What is wrong with a configuration, line by line
 */
#include "conf_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bad {
	const char *text, *want;
};

static void expect_bad(const char *text, const char *want)
{
	char *said;

	CU_ASSERT_EQUAL(
		conf_load_bytes(&conf, text, strlen(text), NULL, 0, &said),
		-EINVAL);
	expect_said(said, want);
	free(said);
}

static void expect_all_bad(const struct bad *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect_bad(b[i].text, b[i].want);
}

#define EXPECT_ALL_BAD(b) expect_all_bad(b, ARRAY_LEN(b))

/* ---- lines that are wrong --------------------------------------------- */

static void unknown_sections(void)
{
	static const struct bad bad[] = {
		{"\n[interfaces]\nnmae = a\n",
		 "F:2: unknown section [interfaces]; did you mean"
		 " 'interface'?\n"},
		{"[listner.web]\nport = 0\n",
		 "F:1: unknown section [listner.web]; did you mean"
		 " 'listener.web'?\n"},
		{"[listeners]\n",
		 "F:1: unknown section [listeners]; did you mean"
		 " 'listener.NAME'?\n"},
		{"[tcp.x]\n",
		 "F:1: unknown section [tcp.x]; did you mean 'tcp'?\n"},
		{"[wardrobe]\n",
		 "F:1: unknown section [wardrobe]; there are tcphsd,"
		 " interface, stack, limits, timers, tcp, listener.NAME, "
		 "detect,"
		 " log, capture and control\n"},
		{"[]\n", "F:1: unknown section []; there are tcphsd,"
			 " interface, stack, limits, timers, tcp, "
			 "listener.NAME, detect,"
			 " log, capture and control\n"},
		{"[listener]\n",
		 "F:1: this listener has no name; write [listener.NAME]\n"},
		{"[listener.]\n",
		 "F:1: this listener has no name; write [listener.NAME]\n"},
		{"[listener.a:b]\n",
		 "F:1: 'a:b' cannot name a listener; use letters, digits, -"
		 " and _\n"},
		{"[listener.a.b]\n",
		 "F:1: 'a.b' cannot name a listener; use letters, digits, -"
		 " and _\n"},
		{"[listener.abcdefghijklmnopqrstuvwxyz-12345]\n",
		 "F:1: the listener name 'abcdefghijklmnopqrstuvwxyz-12345'"
		 " is too long; use up to 31 characters\n"},
	};

	EXPECT_ALL_BAD(bad);
}

static void unknown_keys(void)
{
	static const struct bad bad[] = {
		{"[listener.web]\nservice = http\nport = 80\nprot = 80\n",
		 "F:4: unknown key 'prot' in [listener.web]; did you mean"
		 " 'port'?\n"},
		{"[limits]\nmtu = 1500\n",
		 "F:2: unknown key 'mtu' in [limits]; it belongs to"
		 " [interface]\n"},
		{"[tcp]\nbacklog = 1\n",
		 "F:2: unknown key 'backlog' in [tcp]; it belongs to"
		 " [listener.NAME]\n"},
		{"[log]\nx:y = 1\n",
		 "F:2: unknown key 'x:y' in [log]; tcphsd.conf(5) lists what"
		 " there is\n"},
		{"mtu = 1500\n",
		 "F:1: a key before the first section; begin with [tcphsd] or"
		 " another\n"},
	};

	EXPECT_ALL_BAD(bad);
}

/* iniparser would take the last one in silence. */
static void duplicates(void)
{
	static const struct bad bad[] = {
		{"[interface]\nmtu = 1500\n\nMTU = 1400\n",
		 "F:4: 'mtu' was set before, in line 2; keep one\n"},
		{"[tcp]\nsack = no\n[log]\n[tcp]\nsack = yes\n",
		 "F:4: [tcp] was there before, in line 1; put its keys"
		 " together\n"
		 "F:5: 'sack' was set before, in line 2; keep one\n"},
		{"[listener.a]\nport=1\nservice=echo\n[listener.A]\n",
		 "F:4: [listener.a] was there before, in line 1; put its keys"
		 " together\n"},
	};

	EXPECT_ALL_BAD(bad);
}

static void lines_that_are_no_lines(void)
{
	static const struct bad bad[] = {
		{"[tcp\nsack = maybe\n",
		 "F:1: ']' is missing; write [section]\n"},
		{"[tcp] # Comment = 1\n",
		 "F:1: something follows ']'; put it on a line of its own\n"},
		{"[tcp]\nsack\n",
		 "F:2: no '=' in this line; write key = value, or # before a"
		 " comment\n"},
		{"[tcp]\nx",
		 "F:2: no '=' in this line; write key = value, or # before a"
		 " comment\n"},
		{"[tcp]\n = yes\n",
		 "F:2: no key before '='; write key = value\n"},
		{"[tcp]\nsack = \\\nyes\n",
		 "F:2: '\\' does not continue a line here; write it as one\n"
		 "F:3: no '=' in this line; write key = value, or # before a"
		 " comment\n"},
		{"[tcp]\nsack = \"yes\" no\n",
		 "F:2: something follows the quoted value; quotes are not"
		 " needed here\n"},
		{"[tcp]\nsack = 'yes\n",
		 "F:2: the quote is not closed; quotes are not needed here\n"},
	};

	EXPECT_ALL_BAD(bad);
}

static void bytes_that_are_no_text(void)
{
	static const char nul[] = "[tcp]\nsack\0 = yes\nsack = \x1b[2J\n";
	char longest[1200], *said;

	CU_ASSERT_EQUAL(
		conf_load_bytes(&conf, nul, sizeof(nul) - 1, NULL, 0, &said),
		-EINVAL);
	expect_said(said, "F:2: this line holds a NUL byte; is this a text"
			  " file?\n"
			  "F:3: sack = ?[2J is unknown; write no or yes\n");
	free(said);

	memset(longest, ' ', sizeof(longest));
	memcpy(longest, "[tcp]\nsack=no", 13);
	longest[6 + 1000] = '\n';
	longest[sizeof(longest) - 1] = '\0';
	expect_good(&conf, longest);
	longest[6 + 1000] = '#';
	longest[6 + 1001] = '\n';
	expect_bad(longest,
		   "F:2: this line has 1001 characters; 1000 are the limit\n");
}

/* ---- values that are wrong -------------------------------------------- */

static void bad_numbers(void)
{
	static const struct bad bad[] = {
		{"[interface]\nmtu = 042\n",
		 "F:2: mtu = 042 begins with a zero; write 42, numbers are"
		 " decimal\n"},
		{"[tcphsd]\nseed = 000\n",
		 "F:2: seed = 000 begins with a zero; write 0, numbers are"
		 " decimal\n"},
		{"[interface]\nmtu = 0x5dc\n",
		 "F:2: mtu = 0x5dc is not a number; write 576 to 65520\n"},
		{"[interface]\nmtu = -1\n",
		 "F:2: mtu = -1 is not a number; write 576 to 65520\n"},
		{"[interface]\nmtu = 1500KiB\n",
		 "F:2: mtu = 1500KiB is not a number; write 576 to 65520\n"},
		{"[interface]\nmtu =\n",
		 "F:2: mtu = (nothing) is not a number; write 576 to"
		 " 65520\n"},
		{"[interface]\nmtu = 575\n",
		 "F:2: mtu = 575 is out of range; write 576 to 65520\n"},
		{"[interface]\nmtu = 65521\n",
		 "F:2: mtu = 65521 is out of range; write 576 to 65520\n"},
		{"[limits]\nmax_connections = 16777217\n",
		 "F:2: max_connections = 16777217 is out of range; write 1 to"
		 " 16777216\n"},
		{"[limits]\nmax_per_source = 16777217\n",
		 "F:2: max_per_source = 16777217 is out of range; write 0, or"
		 " 1 to 16777216\n"},
		{"[tcphsd]\nseed = 18446744073709551616\n",
		 "F:2: seed = 18446744073709551616 is out of range; write 0"
		 " to 18446744073709551615\n"},
		{"[listener.a]\nservice = echo\nport = 0\n",
		 "F:3: port = 0 is out of range; write 1 to 65535\n"},
		{"[listener.a]\nport = 70000\nservice = echo\n",
		 "F:2: port = 70000 is out of range; write 1 to 65535\n"},
	};

	EXPECT_ALL_BAD(bad);
}

static void bad_units(void)
{
	static const struct bad bad[] = {
		{"[timers]\nmsl = 30\n",
		 "F:2: msl = 30 has no unit; write 30ms, 30s, 30m or 30h\n"},
		{"[timers]\nmsl = 30sec\n",
		 "F:2: msl = 30sec has the unknown unit 'sec'; use ms, s, m"
		 " or h\n"},
		{"[timers]\nmsl = 1.5s\n",
		 "F:2: msl = 1.5s has the unknown unit '.5s'; use ms, s, m or"
		 " h\n"},
		{"[timers]\nmsl = 1h\n",
		 "F:2: msl = 1h is out of range; write 10ms to 10m\n"},
		{"[timers]\nkeepalive = 999ms\n",
		 "F:2: keepalive = 999ms is out of range; write 0, or 1s to"
		 " 720h\n"},
		{"[timers]\nmsl = 18446744073709551615h\n",
		 "F:2: msl = 18446744073709551615h is out of range; write"
		 " 10ms to 10m\n"},
		/* RFC 9293, 3.8.6.3 (MUST-40) */
		{"[timers]\ndelayed_ack = 500ms\n",
		 "F:2: delayed_ack = 500ms is out of range; write 0, or 1ms"
		 " to 499ms\n"},
		{"[limits]\nmemory = 512mb\n",
		 "F:2: memory = 512mb has the unknown unit 'mb'; use KiB, MiB"
		 " or GiB, or none for bytes\n"},
		{"[limits]\nmemory = 1MiB\n",
		 "F:2: memory = 1MiB is out of range; write 2MiB to"
		 " 1024GiB\n"},
	};

	EXPECT_ALL_BAD(bad);
}

static void bad_words(void)
{
	static const struct bad bad[] = {
		{"[tcp]\nsack = y\n",
		 "F:2: sack = y is unknown; write no or yes\n"},
		{"[tcp]\ncookies = presure\n",
		 "F:2: cookies = presure is not never, pressure or always; did"
		 " you mean 'pressure'?\n"},
		{"[tcp]\ncongestion = cubik\n",
		 "F:2: congestion = cubik is unknown; write newreno or"
		 " cubic\n"},
		{"[log]\nlevel = chatty\n",
		 "F:2: level = chatty is unknown; write error, warning,"
		 " notice, info or debug\n"},
		{"[listener.a]\nport = 1\nservice = ecko\n",
		 "F:3: service = ecko is no service; did you mean 'echo'?\n"},
		{"[listener.a]\nport = 1\nservice = teapot\n",
		 "F:3: service = teapot is no service; write echo, discard,"
		 " daytime, qotd, chargen, http, chat or metrics\n"},
		{"[control]\nsocket_mode = 0x1b0\n",
		 "F:2: socket_mode = 0x1b0 is no file mode; write three octal"
		 " digits such as 0660\n"},
		{"[control]\nsocket_mode = 7777\n",
		 "F:2: socket_mode = 7777 is no file mode; write three octal"
		 " digits such as 0660\n"},
	};

	EXPECT_ALL_BAD(bad);
}

static void bad_names(void)
{
	static const struct bad bad[] = {
		{"[interface]\nname = tcphs0/../x\n",
		 "F:2: name = tcphs0/../x cannot name an interface; use up to"
		 " 15 letters, digits, '.', '_' and '-'\n"},
		{"[interface]\nname =\n",
		 "F:2: name = (nothing) cannot name an interface; use up to 15"
		 " letters, digits, '.', '_' and '-'\n"},
		{"[interface]\nname = a123456789abcdef\n",
		 "F:2: name = a123456789abcdef cannot name an interface; use"
		 " up to 15 letters, digits, '.', '_' and '-'\n"},
		{"[control]\nsocket = run/x\n",
		 "F:2: socket = run/x is not absolute; begin the path with"
		 " /\n"},
		{"[control]\nsocket = /a123456789123456789123456789123456789"
		 "12345678912345678912345678912345678912345678912345678912345"
		 "678912345678\n",
		 "F:2: socket = /a1234567891234567891234567891234567891234567"
		 "891234567891234 is too long; use up to 107 bytes\n"},
		{"[control]\nadmin_group = *\n",
		 "F:2: admin_group = * is no account; write a name\n"},
		{"[control]\nreader_group = a b\n",
		 "F:2: reader_group = a b is no account; write a name, or *"
		 " for everybody\n"},
		{"[tcphsd]\nuser = 12345678901234567890123456789012345678901"
		 "23456789012345678901234\n",
		 "F:2: user = 123456789012345678901234567890123456789012345678"
		 "901234567890 is too long; use up to 63 bytes\n"},
	};

	EXPECT_ALL_BAD(bad);
}

/* ---- what does not fit together --------------------------------------- */

static void bad_addresses(void)
{
	static const struct bad bad[] = {
		{"[interface]\naddress4 = 198.18.66\n",
		 "F:2: address4 = 198.18.66 is no IPv4 address; write one such"
		 " as 198.18.66.2\n"},
		{"[interface]\naddress6 = 198.18.66.2\n",
		 "F:2: address6 = 198.18.66.2 is no IPv6 address; write one"
		 " such as fd74:6370:6873::2\n"},
		{"[interface]\naddress4 = 127.0.0.1\n",
		 "F:2: address4 = 127.0.0.1 is not the address of a host;"
		 " write one such as 198.18.66.2\n"},
		{"[interface]\naddress6 = ff02::1\n",
		 "F:2: address6 = ff02::1 is not the address of a host; write"
		 " one such as fd74:6370:6873::2\n"},
		{"[interface]\nhost_address4 = 198.18.66.1\n",
		 "F:2: host_address4 = 198.18.66.1 is no IPv4 address with a"
		 " prefix length; write one such as 198.18.66.1/24\n"},
		{"[interface]\nhost_address4 = 224.0.0.1/24\n",
		 "F:2: host_address4 = 224.0.0.1/24 is not the address of a"
		 " host; write one such as 198.18.66.1/24\n"},
		{"[interface]\nhost_address4 = 198.18.66.1/32\n",
		 "F:2: host_address4 = 198.18.66.1/32 has an unusable prefix"
		 " length; write /8 to /31\n"},
		{"[interface]\nhost_address6 = fd74:6370:6873::1/15\n",
		 "F:2: host_address6 = fd74:6370:6873::1/15 has an unusable"
		 " prefix length; write /16 to /127\n"},
		{"[interface]\naddress4 = 198.18.67.2\n",
		 "F:2: address4 = 198.18.67.2 is outside of host_address4 ="
		 " 198.18.66.1/24; choose one inside\n"},
		/* The line that was written is to blame, not the default. */
		{"[interface]\nhost_address4 = 10.0.0.1/8\n",
		 "F:2: address4 = 198.18.66.2 is outside of host_address4 ="
		 " 10.0.0.1/8; choose one inside\n"},
		{"[interface]\naddress4 = 198.18.66.1\n",
		 "F:2: address4 = 198.18.66.1 is the host's own address;"
		 " choose a neighbour\n"},
		{"[interface]\naddress4 = 198.18.66.0\n",
		 "F:2: address4 = 198.18.66.0 is the network's own address;"
		 " choose another\n"},
		{"[interface]\naddress4 = 198.18.66.255\n",
		 "F:2: address4 = 198.18.66.255 is the broadcast address;"
		 " choose another\n"},
		{"[interface]\nhost_address4 = 198.18.66.255/24\n",
		 "F:2: host_address4 = 198.18.66.255/24 is the broadcast"
		 " address; choose another\n"},
		/* RFC 4291, 2.6.1 */
		{"[interface]\naddress6 = fd74:6370:6873::\n",
		 "F:2: address6 = fd74:6370:6873:: is the subnet-router"
		 " anycast address; choose another\n"},
		{"[interface]\naddress4 =\naddress6 =\n",
		 "F:2: neither IPv4 nor IPv6 is left; set host_address4 and"
		 " address4, or those of IPv6\n"},
		/* RFC 8200, 5 */
		{"[interface]\nmtu = 1279\n",
		 "F:2: mtu = 1279 is too small for IPv6 (RFC 8200, 5); write"
		 " 1280 or more, or empty address6\n"},
	};

	EXPECT_ALL_BAD(bad);
}

static void bounds_out_of_order(void)
{
	static const struct bad bad[] = {
		{"[timers]\nrto_min = 2s\n",
		 "F:2: rto_min is more than rto_initial; lower the one or"
		 " raise the other\n"},
		{"[timers]\nrto_max = 1s\n\nrto_initial = 2s\n",
		 "F:4: rto_initial is more than rto_max; lower the one or"
		 " raise the other\n"},
		{"[limits]\nrcvbuf = 5MiB\n",
		 "F:2: rcvbuf is more than rcvbuf_max; lower the one or raise"
		 " the other\n"},
		{"[limits]\nrcvbuf_max = 32KiB\n",
		 "F:2: rcvbuf is more than rcvbuf_max; lower the one or raise"
		 " the other\n"},
	};

	EXPECT_ALL_BAD(bad);
}

static void bad_listeners(void)
{
	static const struct bad bad[] = {
		{"\n[listener.a]\nservice = echo\n",
		 "F:2: listener 'a' has no port; add port = 1 to 65535\n"},
		{"[listener.a]\nport = 7\n",
		 "F:1: listener 'a' has no service; add service = echo or"
		 " another\n"},
		{"[listener.a]\n" ECHO "[listener.b]\n" ECHO,
		 "F:6: listeners 'a' and 'b' share port 7 and an address;"
		 " change either\n"},
		{"[listener.a]\n" ECHO "enabled = no\n[listener.b]\n" ECHO
		 "address = 198.18.66.2\n",
		 "F:7: listeners 'a' and 'b' share port 7 and an address;"
		 " change either\n"},
		{"[listener.a]\n" ECHO "address = 198.18.66.0/29\n"
		 "[listener.b]\n" ECHO "address = 198.18.66.2\n",
		 "F:7: listeners 'a' and 'b' share port 7 and an address;"
		 " change either\n"},
		{"[listener.a]\n" ECHO "address = everywhere\n",
		 "F:4: address = everywhere is no address; write own, an"
		 " address or a prefix\n"},
		{"[listener.a]\n" ECHO "address = 10.0.0.1\n",
		 "F:4: address = 10.0.0.1 is outside of our network; write"
		 " own, or one of ours\n"},
		{"[listener.a]\n" ECHO "address = 198.18.66.3\n",
		 "F:4: address = 198.18.66.3 is not ours unless own_prefix ="
		 " yes; write own, or one of ours\n"},
		{"[listener.a]\n" ECHO "address = 198.18.66.128/25\n",
		 "F:4: address = 198.18.66.128/25 is not ours unless"
		 " own_prefix = yes; write own, or one of ours\n"},
		{"[listener.a]\n" ECHO "address = 198.18.66.1\n"
		 "[interface]\nown_prefix = yes\n",
		 "F:4: address = 198.18.66.1 is the host's own address; write"
		 " own, or one of ours\n"},
		{"[listener.a]\n" ECHO "address = 198.18.66.255\n"
		 "[interface]\nown_prefix = yes\n",
		 "F:4: address = 198.18.66.255 is the broadcast address; write"
		 " own, or one of ours\n"},
		{"[listener.a]\n" ECHO "address = fd74:6370:6873::2\n"
		 "[interface]\naddress6 =\n",
		 "F:4: address = fd74:6370:6873::2 is IPv6, which is off;"
		 " write own, or one of ours\n"},
		{"[listener.a]\n" ECHO "allow = any, 10.0.0.0/8\n",
		 "F:4: allow has 'any'; write any, or host and prefixes such"
		 " as 10.0.0.0/8, with commas\n"},
		{"[listener.a]\n" ECHO "allow =\n",
		 "F:4: allow has ''; write any, or host and prefixes such as"
		 " 10.0.0.0/8, with commas\n"},
		{"[listener.a]\n" ECHO "allow = 10.0.0.0/8 11.0.0.0/8\n",
		 "F:4: allow has '10.0.0.0/8 11.0.0.0/8'; write any, or host"
		 " and prefixes such as 10.0.0.0/8, with commas\n"},
		{"[listener.a]\n" ECHO
		 "allow = 1.0.0.0,2.0.0.0,3.0.0.0,4.0.0.0,5.0.0.0,6.0.0.0,"
		 "7.0.0.0,host\n",
		 "F:4: allow has too many prefixes; 8 are the limit, host"
		 " counts as 2\n"},
		{"[listener.a]\n" ECHO
		 "allow = host,1.0.0.0,2.0.0.0,3.0.0.0,4.0.0.0,5.0.0.0,"
		 "6.0.0.0,7.0.0.0\n",
		 "F:4: allow has too many prefixes; 8 are the limit, host"
		 " counts as 2\n"},
	};

	EXPECT_ALL_BAD(bad);
}

static void too_many_listeners(void)
{
	char text[8192];
	size_t at = 0;

	for (int i = 0; i < 64; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "[listener.l%d]\nport = %d\n"
				       "service = echo\n",
				       i, i + 1);
	expect_good(&conf, text);
	CU_ASSERT_EQUAL(conf.nlisteners, 64);
	snprintf(text + at, sizeof(text) - at,
		 "[listener.more]\nport = 99\nservice = echo\n");
	expect_bad(text, "F:193: one listener too many; 64 are the limit\n");
}

/* Five mistakes give five lines, in the order of the file. */
static void all_mistakes_at_once(void)
{
	expect_bad("[listener.a]\n"
		   "port = 0\n"
		   "[interface]\n"
		   "address4 = 198.18.66.1\n"
		   "mtu = big\n"
		   "what is this\n"
		   "[log]\n"
		   "levle = info\n",
		   "F:1: listener 'a' has no service; add service = echo or"
		   " another\n"
		   "F:2: port = 0 is out of range; write 1 to 65535\n"
		   "F:4: address4 = 198.18.66.1 is the host's own address;"
		   " choose a neighbour\n"
		   "F:5: mtu = big is not a number; write 576 to 65520\n"
		   "F:6: no '=' in this line; write key = value, or # before a"
		   " comment\n"
		   "F:8: unknown key 'levle' in [log]; did you mean"
		   " 'level'?\n");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(unknown_sections),
		UNIT_TEST(unknown_keys),
		UNIT_TEST(duplicates),
		UNIT_TEST(lines_that_are_no_lines),
		UNIT_TEST(bytes_that_are_no_text),
		UNIT_TEST(bad_numbers),
		UNIT_TEST(bad_units),
		UNIT_TEST(bad_words),
		UNIT_TEST(bad_names),
		UNIT_TEST(bad_addresses),
		UNIT_TEST(bounds_out_of_order),
		UNIT_TEST(bad_listeners),
		UNIT_TEST(too_many_listeners),
		UNIT_TEST(all_mistakes_at_once),
	};

	return conf_rig_run("conf_bad", tests, ARRAY_LEN(tests), argc, argv);
}
