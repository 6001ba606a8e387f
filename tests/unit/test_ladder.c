/*
 * test_ladder.c - Diagrams of connections, compared with files
 *
 * The files lie in tests/unit/ladder. LADDER_WRITE=1 in the environment writes
 * them anew; what changed is then to be looked at, not believed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/ladder.h>
#include <tcphs/segment.h>
#include <tcphs/stack.h>

#include "core/wire.h"
#include "unit.h"

#define GOLDEN	    "tests/unit/ladder/"
#define PACKETS_MAX 24
#define CLIENT	    1000u /* first numbers of both sides */
#define SERVER	    0xfffffff0u

static struct ladder ladder;
static struct ladder_packet packets[PACKETS_MAX];
static uint8_t bytes[PACKETS_MAX][256];
static int64_t now_us;
static bool v6;

static void begin(bool client, const char *listener)
{
	static const char *const ends[2][2] = {
		{"198.18.66.2:8090", "198.18.66.1:50118"},
		{"[fd74:6370:6873::2]:8090", "[fd74:6370:6873::1]:50118"},
	};

	memset(packets, 0, sizeof(packets));
	now_us = INT64_C(5000000000);
	ladder = (struct ladder){
		.id = "c42",
		.local = ends[v6][0],
		.peer = ends[v6][1],
		.listener = listener,
		.client = client,
		.verdict = "",
		.packets = packets,
	};
}

static struct ladder_packet *next(int64_t after_us, bool out)
{
	struct ladder_packet *p = &packets[ladder.npackets];

	now_us += after_us;
	p->at_us = now_us;
	p->number = ++ladder.seen;
	p->out = out;
	p->before = p->after = ladder.npackets ? p[-1].after : "";
	p->data = bytes[ladder.npackets++];
	return p;
}

/* A segment of the client or the server, numbers from those of its SYN on. */
static struct ladder_packet *segment(int64_t after_us, bool from_client,
				     struct tcp_seg s, const char *text)
{
	struct ladder_packet *p = next(after_us, from_client == ladder.client);
	uint8_t *to = bytes[ladder.npackets - 1];
	uint32_t off;

	memset(&s.src, 0, sizeof(s.src));
	if (v6) {
		s.src.b[0] = 0xfd;
		s.src.b[1] = 0x74;
	} else {
		memset(s.src.b + 10, 0xff, 2);
		memcpy(s.src.b + 12, "\306\022\102", 3);
	}
	s.dst = s.src;
	s.src.b[15] = from_client ? 1 : 2;
	s.dst.b[15] = from_client ? 2 : 1;
	s.sport = from_client ? 50118 : 8090;
	s.dport = from_client ? 8090 : 50118;
	s.seq += from_client ? CLIENT : SERVER;
	if (s.flags & TH_ACK)
		s.ack += from_client ? SERVER : CLIENT;
	s.len = text ? (uint32_t)strlen(text) : 0;
	s.ttl = 64;
	p->snapped = wire_tcp_build(to, &s, 7, WIRE_CSUM_PARTIAL, 0, &off);
	if (text) {
		memcpy(to + p->snapped, text, s.len);
		p->snapped += s.len;
	}
	p->len = (uint32_t)p->snapped;
	return p;
}

#define SYN_OPTIONS                                                       \
	.opts = OPT_MSS | OPT_SACK_OK | OPT_TS | OPT_WSCALE, .mss = 1460, \
	.wscale = 7, .ts_val = 100, .wnd = 64240
#define CLIENT_SENDS(us, text, ...) \
	segment(us, true, (struct tcp_seg){__VA_ARGS__}, text)
#define SERVER_SENDS(us, text, ...) \
	segment(us, false, (struct tcp_seg){__VA_ARGS__}, text)

static void state(struct ladder_packet *p, const char *before,
		  const char *after)
{
	p->before = before;
	p->after = after;
}

/* ---- comparing --------------------------------------------------------- */

static char *contents(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	if (f) {
		size_t n = fread(text, 1, (1 << 20) - 1, f);

		text[n] = '\0';
		fclose(f);
	}
	return text;
}

static void compare(char *drawn, const char *name)
{
	char path[128];
	char *want;

	snprintf(path, sizeof(path), GOLDEN "%s", name);
	CU_ASSERT_PTR_NOT_NULL_FATAL(drawn);
	if (getenv("LADDER_WRITE")) {
		FILE *f = fopen(path, "w");

		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		fputs(drawn, f);
		fclose(f);
	}
	want = contents(path);
	CU_ASSERT_STRING_EQUAL(drawn, want);
	if (strcmp(drawn, want) != 0)
		printf("\n%s differs:\n%s", path, drawn);
	free(want);
	free(drawn);
}

static size_t longest_line(const char *text)
{
	size_t longest = 0, n;

	for (; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		longest = n > longest ? n : longest;
	}
	return longest;
}

static void compare_text(const char *stem, struct ladder_style style)
{
	static const unsigned int widths[] = {80, 120};
	char name[64], *text;

	for (size_t i = 0; i < 2; i++) {
		style.width = widths[i];
		text = ladder_text(&ladder, &style);
		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		CU_ASSERT(longest_line(text) <= widths[i]);
		CU_ASSERT_PTR_NULL(strstr(text, " \n"));
		snprintf(name, sizeof(name), "%s.%u.txt", stem, widths[i]);
		compare(text, name);
	}
}

/* ---- the connections --------------------------------------------------- */

static void a_life(void)
{
	v6 = false;
	begin(false, "demo");
	state(CLIENT_SENDS(0, NULL, .flags = TH_SYN, SYN_OPTIONS), "LISTEN",
	      "SYN-RECEIVED");
	SERVER_SENDS(41, NULL, .flags = TH_SYN | TH_ACK, .ack = 1, SYN_OPTIONS);
	state(CLIENT_SENDS(85, NULL, .flags = TH_ACK, .seq = 1, .ack = 1,
			   .wnd = 502),
	      "SYN-RECEIVED", "ESTABLISHED");
	CLIENT_SENDS(1300, "hello\n", .flags = TH_ACK | TH_PSH, .seq = 1,
		     .ack = 1, .wnd = 502);
	SERVER_SENDS(20, "hello\n", .flags = TH_ACK | TH_PSH, .seq = 1,
		     .ack = 7, .wnd = 512);
	CLIENT_SENDS(60, NULL, .flags = TH_ACK, .seq = 7, .ack = 7, .wnd = 502);
	state(CLIENT_SENDS(2500000, NULL, .flags = TH_ACK | TH_FIN, .seq = 7,
			   .ack = 7, .wnd = 502),
	      "ESTABLISHED", "CLOSE-WAIT");
	state(SERVER_SENDS(12, NULL, .flags = TH_ACK | TH_FIN, .seq = 7,
			   .ack = 8, .wnd = 512),
	      "LAST-ACK", "LAST-ACK");
	state(CLIENT_SENDS(50, NULL, .flags = TH_ACK, .seq = 8, .ack = 8,
			   .wnd = 502),
	      "LAST-ACK", "CLOSED");
	ladder.verdict = "completed in 126 us; closed by both sides after "
			 "2.50 s; 6 bytes in, 6 out";
}

/* A cookie, losses, what is dropped, a hole in what was kept; over IPv6. */
static void a_bad_day(void)
{
	struct ladder_packet *p;

	v6 = true;
	begin(false, "a<b>&\"c\";#9");
	state(CLIENT_SENDS(0, NULL, .flags = TH_SYN, SYN_OPTIONS), "LISTEN",
	      "LISTEN");
	p = SERVER_SENDS(30, NULL, .flags = TH_SYN | TH_ACK, .ack = 1,
			 SYN_OPTIONS);
	p->flags = PACKET_COOKIE;
	state(CLIENT_SENDS(1010233, NULL, .flags = TH_SYN, SYN_OPTIONS),
	      "LISTEN", "LISTEN");
	p = SERVER_SENDS(28, NULL, .flags = TH_SYN | TH_ACK, .ack = 1,
			 SYN_OPTIONS);
	p->flags = PACKET_COOKIE;
	state(CLIENT_SENDS(90, NULL, .flags = TH_ACK, .seq = 1, .ack = 1,
			   .wnd = 502),
	      "LISTEN", "ESTABLISHED");
	p = CLIENT_SENDS(10, NULL, .flags = TH_ACK, .seq = 1, .ack = 90000,
			 .wnd = 502);
	p->drop = "ack number beyond what was sent";
	p->clause = "RFC 9293, 3.10.7.4";
	p = SERVER_SENDS(15, NULL, .flags = TH_ACK, .seq = 1, .ack = 1,
			 .wnd = 512);
	p->flags = PACKET_CHALLENGE;
	ladder.seen += 100;
	SERVER_SENDS(3000, "text text", .flags = TH_ACK | TH_PSH, .seq = 1,
		     .ack = 1, .wnd = 512);
	p = SERVER_SENDS(12345, "text text", .flags = TH_ACK | TH_PSH, .seq = 1,
			 .ack = 1, .wnd = 512);
	p->flags = PACKET_RETRANSMIT | PACKET_PROBE;
	CLIENT_SENDS(70, NULL, .flags = TH_ACK, .seq = 1, .ack = 1, .wnd = 502,
		     .opts = OPT_SACK, .nsack = 1,
		     .sack = {{SERVER + 5, SERVER + 10}});
	p = SERVER_SENDS(100, NULL, .flags = TH_ACK, .seq = 9, .ack = 1,
			 .wnd = 512);
	p->flags = PACKET_KEEPALIVE;
	state(CLIENT_SENDS(400, NULL, .flags = TH_RST, .seq = 1), "ESTABLISHED",
	      "CLOSED");
	ladder.seen += 1;
	ladder.verdict = "completed_cookie; <reset> by \"peer\" & gone";
}

/* We open, and a router answers. */
static void unreachable(void)
{
	struct ladder_packet *p;

	v6 = false;
	begin(true, NULL);
	state(CLIENT_SENDS(0, NULL, .flags = TH_SYN, SYN_OPTIONS), "SYN-SENT",
	      "SYN-SENT");
	p = CLIENT_SENDS(1000123, NULL, .flags = TH_SYN, SYN_OPTIONS);
	p->flags = PACKET_RETRANSMIT;
	p = next(77, false);
	p->before = "SYN-SENT";
	p->after = "CLOSED";
	memcpy(bytes[ladder.npackets - 1],
	       "\x45\0\0\x38\0\0\0\0\x40\x01\0\0\306\022\102\1\306\022\102\2"
	       "\x03\x0a\0\0\0\0\0\0",
	       28);
	p->snapped = 28;
	p->len = 56;
	ladder.verdict = "unreachable: an ICMP error said that nobody can be "
			 "reached after 1.00 s";
}

static void text(void)
{
	a_life();
	compare_text("life", (struct ladder_style){.at = 0});
	compare_text(
		"life-absolute",
		(struct ladder_style){.absolute = true,
				      .times = LADDER_CLOCK,
				      .clock_us = 86395000000 - 5000000000});
	compare_text("life-at", (struct ladder_style){.at = 4});
	a_bad_day();
	compare_text("bad", (struct ladder_style){.at = 0});
	unreachable();
	compare_text("unreachable", (struct ladder_style){.at = 0});
}

static void mermaid(void)
{
	const struct ladder_style style = {.width = 80};

	a_life();
	compare(ladder_mermaid(&ladder, &style), "life.mmd");
	a_bad_day();
	compare(ladder_mermaid(&ladder, &style), "bad.mmd");
}

static void svg(void)
{
	const struct ladder_style style = {.width = 80};

	a_life();
	compare(ladder_svg(&ladder, &style), "life.svg");
	a_bad_day();
	compare(ladder_svg(&ladder, &style), "bad.svg");
}

/* What comes from outside stays text. */
static void html(void)
{
	const struct ladder_style style = {.width = 80};
	char *page;

	a_life();
	compare(ladder_html(&ladder, &style), "life.html");
	a_bad_day();
	ladder.id = "<script>";
	page = ladder_html(&ladder, &style);
	CU_ASSERT_PTR_NULL(strstr(page, "<script>"));
	CU_ASSERT_PTR_NULL(strstr(page, "<reset>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "&lt;reset&gt;"));
	compare(page, "bad.html");
}

static void nothing_was_kept(void)
{
	begin(false, NULL);
	ladder.seen = 9;
	ladder.verdict = "midstream: its handshake was not seen";
	compare_text("nothing", (struct ladder_style){.at = 0});
}

/* Whatever bytes were kept: it draws, within its width. */
static void any_bytes(void)
{
	const struct ladder_style style = {.width = 80, .at = 1};
	struct ladder_style all = {.width = 80};
	uint32_t x = 1;
	char *t;

	v6 = false;
	for (int round = 0; round < 20000; round++) {
		begin(round & 1, NULL);
		for (int i = 0; i < 3; i++) {
			struct ladder_packet *p = next(round, i & 1);

			for (size_t k = 0; k < sizeof(bytes[0]); k++) {
				x = x * 1664525 + 1013904223;
				bytes[i][k] = (uint8_t)(x >> 24);
			}
			bytes[i][0] = round & 2 ? 0x45 : 0x60;
			if (round & 4)
				bytes[i][round & 2 ? 9 : 6] = 6;
			if (round & 8)
				bytes[i][round & 2 ? 32 : 52] |= 0xf0;
			p->snapped = x % 200;
			p->before = p->after = "ESTABLISHED";
		}
		t = ladder_text(&ladder, &all);
		CU_ASSERT_PTR_NOT_NULL_FATAL(t);
		CU_ASSERT(longest_line(t) <= 80);
		free(t);
		free(ladder_text(&ladder, &style));
		free(ladder_svg(&ladder, &all));
	}
}

static void verdicts(void)
{
	struct ladder_end e = {
		.outcome = "completed",
		.words = "the handshake completed",
		.handshake_us = 213,
		.life_us = -1,
		.bytes_in = -1,
		.bytes_out = -1,
	};
	char t[256], small[16];

	ladder_verdict(&e, t, sizeof(t));
	CU_ASSERT_STRING_EQUAL(t, "completed in 213 us");
	e.handshake_us = 999951;
	ladder_verdict(&e, t, sizeof(t));
	CU_ASSERT_STRING_EQUAL(t, "completed in 1.00 s");
	e.handshake_us = 9999;
	ladder_verdict(&e, t, sizeof(t));
	CU_ASSERT_STRING_EQUAL(t, "completed in 10.0 ms");
	e.handshake_us = 213;
	e.closed = "reset by peer";
	e.life_us = 61500000;
	e.bytes_in = 1;
	e.bytes_out = 2;
	e.retrans = 3;
	ladder_verdict(&e, t, sizeof(t));
	CU_ASSERT_STRING_EQUAL(t, "completed in 213 us; reset by peer after "
				  "61.5 s; 1 byte in, 2 out; 3 sent again");
	ladder_verdict(&e, small, sizeof(small));
	CU_ASSERT_STRING_EQUAL(small, "completed in 21");
	e = (struct ladder_end){
		.outcome = "rejected",
		.words = "a limit or an allow-list turned it away",
		.drop = "client not on the allow-list",
		.handshake_us = -1,
		.life_us = 0,
		.bytes_in = -1,
		.bytes_out = -1,
	};
	ladder_verdict(&e, t, sizeof(t));
	CU_ASSERT_STRING_EQUAL(t, "rejected: client not on the allow-list");
}

/* Somebody else's connection: both sides are inferred, frames are named. */
static void watched(void)
{
	struct ladder_packet *p;

	a_life();
	ladder.watched = true;
	ladder.listener = NULL;
	for (size_t i = 0; i < ladder.npackets; i++) {
		packets[i].before = packets[i].after = "";
		packets[i].frame = 100 + i;
	}
	p = SERVER_SENDS(9, NULL, .flags = TH_RST, .seq = 90000);
	p->before = p->after = "";
	p->drop = "a RST that no endpoint may take";
	ladder.verdict = "Handshake completed in 126.0 us; closed by both.";
	compare_text("watched", (struct ladder_style){.absolute = false});
	compare_text("watched-at", (struct ladder_style){.at = 4});
	compare(ladder_html(&ladder, &(struct ladder_style){.at = 3}),
		"watched.html");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(text),
		UNIT_TEST(mermaid),
		UNIT_TEST(svg),
		UNIT_TEST(html),
		UNIT_TEST(nothing_was_kept),
		UNIT_TEST(any_bytes),
		UNIT_TEST(verdicts),
		UNIT_TEST(watched),
	};

	return unit_run("ladder", tests, sizeof(tests) / sizeof(*tests), argc,
			argv);
}
