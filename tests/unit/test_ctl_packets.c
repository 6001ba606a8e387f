/*
 * test_ctl_packets.c - What is told of connections that may be gone
 */
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "ctl_rig.h"
#include "ctl_priv.h"

/* A SYN from 10.0.0.1:40000 to 10.0.0.2:7, and text the other way. */
static uint8_t syn[40] = {0x45, 0,    0,    40,	  0,	0,    0x40, 0,	64, 6,
			  0,	0,    10,   0,	  0,	1,    10,   0,	0,  2,
			  0x9c, 0x40, 0,    7,	  0,	0,    0,    99, 0,  0,
			  0,	0,    0x50, 0x02, 0xff, 0xff, 0,    0,	0,  0};
static uint8_t text[44] = {0x45, 0, 0, 44, 0,	 0,    0x40, 0,	   64,
			   6,	 0, 0, 10, 0,	 0,    2,    10,   0,
			   0,	 1, 0, 7,  0x9c, 0x40, 0,    0,	   1,
			   0,	 0, 0, 0,  100,	 0x50, 0x18, 0xff, 0xff,
			   0,	 0, 0, 0,  'k',	 'e',  'y',  '!'};

static void begin(struct rig *r, struct peer *p)
{
	rig_start(r, p, 2);
	pktbus_add(&r->packets, pktmem_sink(r->pktmem));
}

static void show(struct rig *r, uint8_t *bytes, size_t len, uint16_t peer_port,
		 struct stack_packet p)
{
	const struct iovec iov = {bytes, len};
	const struct tcp_key ends = {
		.local = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2}},
		.peer = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}},
		.local_port = 7,
		.peer_port = peer_port,
	};

	p.at_us = stack_now(r->st);
	p.iov = &iov;
	p.iov_len = 1;
	p.len = (uint32_t)len;
	p.ends = &ends;
	r->st->watcher.packet(r->st->watcher.ctx, &p);
}

/* c5 was opened, spoke, and was closed; it is in no table any more. */
static void a_life(struct rig *r)
{
	const struct conn_end end = {.id = 5,
				     .reason = CLOSE_FIN,
				     .at_us = stack_now(r->st),
				     .handshake_us = 7,
				     .bytes_out = 4};

	show(r, syn, sizeof(syn), 40000,
	     (struct stack_packet){.conn = 5,
				   .state_before = TCP_LISTEN,
				   .state_after = TCP_SYN_RECEIVED});
	show(r, syn, sizeof(syn), 40000,
	     (struct stack_packet){.conn = 5,
				   .state_before = TCP_SYN_RECEIVED,
				   .state_after = TCP_ESTABLISHED});
	show(r, text, sizeof(text), 40000,
	     (struct stack_packet){.conn = 5,
				   .state_before = TCP_ESTABLISHED,
				   .state_after = TCP_ESTABLISHED,
				   .flags = PACKET_OUT | PACKET_RETRANSMIT});
	r->st->watcher.ended(r->st->watcher.ctx, &end);
}

static void refusal(struct rig *r)
{
	show(r, syn, sizeof(syn), 40000,
	     (struct stack_packet){.conn = 6,
				   .state_before = TCP_LISTEN,
				   .state_after = TCP_LISTEN,
				   .listener = 1,
				   .drop = DROP_SYN_DENIED});
}

static bool says(struct peer *p, const char *what)
{
	char *line = peer_line(p);
	bool found = line && strstr(line, what);

	if (!found)
		printf("\n%s\n  does not say %s\n", line ? line : "-", what);
	free(line);
	return found;
}

static void of_one_that_ended(void)
{
	struct rig r;
	struct peer p;

	begin(&r, &p);
	a_life(&r);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\","
		     "\"params\":{\"conn\":\"c5\"}}");
	CU_ASSERT(says(&p, "\"state_after\":\"syn-received\""));
	CU_ASSERT(says(&p, "\"number\":2"));
	CU_ASSERT(says(&p, "\"direction\":\"out\",\"state_before\":"
			   "\"established\",\"state_after\":\"established\","
			   "\"flags\":[\"retransmit\"],\"len\":44"));
	CU_ASSERT(says(&p, "\"ended\":true,\"state\":\"closed\",\"outcome\":"
			   "\"completed\""));
	/* Who looks for it among those that live is told where it went. */
	peer_say(&p, "{\"id\":2,\"method\":\"conn.show\","
		     "\"params\":{\"conn\":\"c5\"}}");
	peer_expect_error(&p, "not_found",
			  "c5 ended 0 s ago: closed by both sides",
			  "its packets: tcphsctl ladder c5");
	peer_say(&p, "{\"id\":2,\"method\":\"conn.show\","
		     "\"params\":{\"conn\":\"10.0.0.2:7-10.0.0.1:40000\"}}");
	peer_expect_error(&p, "not_found",
			  "c5 ended 0 s ago: closed by both sides",
			  "its packets: tcphsctl ladder c5");
	rig_stop(&r, &p);
}

/* Text is the admins'; headers are everybody's who may look. */
static void text_is_not_for_everybody(void)
{
	struct rig r;
	struct peer p;

	begin(&r, &p);
	a_life(&r);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\","
		     "\"params\":{\"conn\":\"last\"}}");
	CU_ASSERT(says(&p, "\"data\":\""));
	CU_ASSERT(says(&p, "\"data\":\""));
	CU_ASSERT(says(&p, "AAAAGtleSE=\"")); /* "key!" */
	CU_ASSERT(says(&p, "\"result\""));
	TAILQ_FIRST(&r.ctl->clients)->rights = RIGHTS_VIEW;
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\","
		     "\"params\":{\"conn\":\"last\"}}");
	CU_ASSERT(says(&p, "\"data\":\""));
	CU_ASSERT(says(&p, "\"data\":\""));
	CU_ASSERT(says(&p, "AAAA==\"")); /* its headers, and no more */
	CU_ASSERT(says(&p, "\"result\""));
	rig_stop(&r, &p);
}

static void of_an_attempt_that_failed(void)
{
	struct rig r;
	struct peer p;

	begin(&r, &p);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\","
		     "\"params\":{\"conn\":\"last-failed\"}}");
	peer_expect_error(&p, "not_found",
			  "nothing is remembered of an attempt that failed",
			  NULL);
	a_life(&r);
	refusal(&r);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\","
		     "\"params\":{\"conn\":\"last-failed\"}}");
	CU_ASSERT(says(&p, "\"drop\":\"syn_denied\""));
	CU_ASSERT(says(&p,
		       "\"id\":\"c6\",\"role\":\"server\",\"local\":{\"ip\":"
		       "\"10.0.0.2\",\"port\":7},\"peer\":{\"ip\":"
		       "\"10.0.0.1\",\"port\":40000},\"listener\":\"web\","
		       "\"ended\":true,\"state\":\"listen\",\"outcome\":"
		       "\"rejected\""));
	rig_stop(&r, &p);
}

/* In no order; what lives is not among them. */
static void recent(void)
{
	struct rig r;
	struct peer p;

	begin(&r, &p);
	a_life(&r);
	refusal(&r);
	show(&r, syn, sizeof(syn), 40001,
	     (struct stack_packet){.conn = 7,
				   .state_before = TCP_LISTEN,
				   .state_after = TCP_SYN_RECEIVED});
	peer_say(&p, "{\"id\":1,\"method\":\"conn.recent\"}");
	CU_ASSERT(says(&p, "{\"id\":1,\"item\":{\"id\":\"c5\""));
	CU_ASSERT(says(&p, "{\"id\":1,\"item\":{\"id\":\"c6\""));
	CU_ASSERT(says(&p, "\"result\":{\"count\":2}"));
	peer_say(&p, "{\"id\":2,\"method\":\"conn.recent\",\"params\":"
		     "{\"filter\":\"outcome = failed listener = web\"}}");
	CU_ASSERT(says(&p, "\"item\":{\"id\":\"c6\""));
	CU_ASSERT(says(&p, "\"result\":{\"count\":1}"));
	peer_say(&p, "{\"id\":3,\"method\":\"conn.recent\",\"params\":"
		     "{\"filter\":\"outcome = completed bytes = 4\"}}");
	CU_ASSERT(says(&p, "\"item\":{\"id\":\"c5\""));
	CU_ASSERT(says(&p, "\"result\":{\"count\":1}"));
	peer_say(&p, "{\"id\":4,\"method\":\"conn.recent\",\"params\":"
		     "{\"filter\":\"outcome = lost\"}}");
	peer_expect_error(&p, "bad_filter", "'lost' is not an outcome",
			  "for example: outcome = refused");
	r.ctl->hooks.packets = NULL;
	peer_say(&p, "{\"id\":5,\"method\":\"conn.recent\"}");
	peer_expect_error(&p, "not_found", "no packets are kept",
			  "set capture.ring_packets");
	rig_stop(&r, &p);
}

/* More than one slice has. */
static void recent_of_many(void)
{
	struct rig r;
	struct peer p;

	begin(&r, &p);
	for (uint16_t i = 0; i < 150; i++)
		show(&r, syn, sizeof(syn), 40000 + i,
		     (struct stack_packet){.conn = 1000u + i,
					   .state_before = TCP_LISTEN,
					   .state_after = TCP_LISTEN,
					   .listener = 1,
					   .drop = DROP_SYN_DENIED});
	peer_say(&p, "{\"id\":1,\"method\":\"conn.recent\"}");
	for (int i = 0; i < 150; i++)
		CU_ASSERT(says(&p, "\"item\":{\"id\":\"c1"));
	CU_ASSERT(says(&p, "\"result\":{\"count\":150}"));
	rig_stop(&r, &p);
}

static void of_nothing(void)
{
	struct rig r;
	struct peer p;

	begin(&r, &p);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\"}");
	peer_expect_error(&p, "bad_request", "'conn' is missing", NULL);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\","
		     "\"params\":{\"conn\":\"last\"}}");
	peer_expect_error(&p, "not_found",
			  "nothing is remembered of any connection", NULL);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\","
		     "\"params\":{\"conn\":\"c77\"}}");
	peer_expect_error(&p, "not_found",
			  "nothing is remembered of connection c77", NULL);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\","
		     "\"params\":{\"conn\":\"pigeon\"}}");
	peer_expect_error(&p, "bad_request",
			  "'pigeon' does not name a connection",
			  "c42, last, or 198.18.66.2:80-198.18.66.1:50112");
	r.ctl->hooks.packets = NULL;
	peer_say(&p, "{\"id\":1,\"method\":\"conn.packets\","
		     "\"params\":{\"conn\":\"c1\"}}");
	peer_expect_error(&p, "not_found", "no packets are kept",
			  "set capture.ring_packets");
	rig_stop(&r, &p);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(of_one_that_ended),
		UNIT_TEST(text_is_not_for_everybody),
		UNIT_TEST(of_an_attempt_that_failed),
		UNIT_TEST(recent),
		UNIT_TEST(recent_of_many),
		UNIT_TEST(of_nothing),
	};

	return unit_run("ctl_packets", tests, sizeof(tests) / sizeof(*tests),
			argc, argv);
}
