/*
 * test_evlog.c - The words of every event, the budget, the journal's fields
 *
 * The stack and the log are small fakes here: events come from an array, and
 * what is logged is kept as text.
 */
#include "unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"
#include "evbus.h"
#include "evlog.h"
#include "evwords.h"
#include "log.h"

#define SECOND_US 1000000

static struct {
	struct stack_conf conf;
	struct evbus bus;
	struct evlog log;
	const struct event *events; /* waiting */
	size_t nevents;
	bool journal;
	enum log_format format;
	char lines[512][1024]; /* logged */
	size_t nlines;
	char fields[4096]; /* of the last record, one a line */
} fake;

const struct event *stack_event_next(struct stack *st)
{
	(void)st;
	if (!fake.nevents)
		return NULL;
	fake.nevents--;
	return fake.events++;
}

void stack_event_mask(struct stack *st, uint64_t mask)
{
	(void)st;
	(void)mask;
}

const struct stack_conf *stack_conf(const struct stack *st)
{
	(void)st;
	return &fake.conf;
}

static void keep(const char *fmt, va_list ap)
{
	CU_ASSERT_FATAL(fake.nlines < ARRAY_LEN(fake.lines));
	vsnprintf(fake.lines[fake.nlines++], sizeof(fake.lines[0]), fmt, ap);
}

void log_at(int level, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	keep(fmt, ap);
	va_end(ap);
}

enum log_format log_format(void)
{
	return fake.format;
}

const char *log_level_name(int level)
{
	return level == LOG_LEVEL_INFO ? "info" : "other";
}

bool stack_listener_info(const struct stack *st, unsigned int index,
			 struct listener_info *info)
{
	(void)st;
	snprintf(info->conf.name, sizeof(info->conf.name), "demo");
	return index == 3;
}

bool log_is_journal(void)
{
	return fake.journal;
}

void log_record(int level, const char *line, int64_t wall_us,
		const struct iovec *fields, int nfields)
{
	(void)level;
	size_t used = 0;

	(void)wall_us;
	log_at(LOG_LEVEL_INFO, "%s", line);
	fake.fields[0] = '\0';
	for (int i = 0; i < nfields; i++)
		used += (size_t)snprintf(fake.fields + used,
					 sizeof(fake.fields) - used, "%.*s\n",
					 (int)fields[i].iov_len,
					 (const char *)fields[i].iov_base);
}

static void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	evbus_init(&fake.bus, NULL, NULL, NULL);
	evlog_start(&fake.log, &fake.bus, LOG_LEVEL_DEBUG, true);
	fake.conf.syn_retries = 6;
	fake.conf.synack_retries = 5;
	fake.conf.cookies = COOKIES_PRESSURE;
	ipaddr_parse("198.18.66.2", &fake.conf.own4);
	ipaddr_parse("fd74:6370:6873::2", &fake.conf.own6);
}

/* Hand events to the bus, as if none had been lost before them. */
static int64_t drain(const struct event *events, size_t n, int64_t now_us)
{
	fake.events = events;
	fake.nevents = n;
	if (n && !fake.bus.core)
		fake.bus.core = events->number - 1;
	return evbus_drain(&fake.bus, now_us);
}

static struct event event(enum event_type type, enum tcp_role role, int64_t a,
			  int64_t b)
{
	static uint64_t number;
	struct event e = {
		.number = ++number,
		.type = (uint8_t)type,
		.role = (uint8_t)role,
		.a = a,
		.b = b,
		.conn = 42,
		.local_port = 8090,
		.peer_port = 50118,
		.listener = LISTENER_NONE,
	};

	ipaddr_parse("198.18.66.2", &e.local);
	ipaddr_parse("198.18.66.1", &e.peer);
	return e;
}

struct sentence {
	enum event_type type;
	enum tcp_role role;
	int64_t a, b;
	uint8_t flags;
	uint32_t len;
	const char *words;
};

/* The classic lines. Rewording one breaks those who match them. */
static const struct sentence sentences[] = {
	{EVENT_SYN_SENT, ROLE_CLIENT, 1, 0, TH_SYN, 0,
	 "[Client] Sending SYN to 198.18.66.1:50118"},
	{EVENT_SYN_RECEIVED, ROLE_SERVER, 0, 0, TH_SYN, 0,
	 "[Server] Received SYN, sending SYN-ACK"},
	{EVENT_SYNACK_RECEIVED, ROLE_CLIENT, 0, 0, TH_SYN | TH_ACK, 0,
	 "[Client] Received SYN-ACK, sending ACK"},
	{EVENT_HANDSHAKE_COMPLETED, ROLE_SERVER, 213, 0, TH_ACK, 0,
	 "[Server] Received ACK, handshake completed"},
	{EVENT_HANDSHAKE_COMPLETED, ROLE_CLIENT, 213, 0, TH_SYN | TH_ACK, 0,
	 "[Client] Handshake completed in 0.213 ms"},
	{EVENT_HANDSHAKE_SIMULTANEOUS, ROLE_CLIENT, 0, 0, TH_SYN, 0,
	 "[Client] Received SYN while waiting for SYN-ACK, sending SYN-ACK "
	 "(simultaneous open)"},
	{EVENT_HANDSHAKE_FAILED, ROLE_CLIENT, CLOSE_REFUSED, 0, TH_RST, 0,
	 "[Client] Handshake failed: refused by 198.18.66.1:50118 (RST)"},
	{EVENT_HANDSHAKE_FAILED, ROLE_SERVER, CLOSE_TIMEOUT_SYNACK, 0, 0, 0,
	 "[Server] Handshake failed: no answer to our SYN-ACK"},
	{EVENT_SYN_RETRANSMIT, ROLE_CLIENT, 2, 1000000, TH_SYN, 0,
	 "[Client] No answer after 1.0 s, sending SYN again (2 of 7)"},
	{EVENT_SYNACK_RETRANSMIT, ROLE_SERVER, 3, 2000000, TH_SYN | TH_ACK, 0,
	 "[Server] No answer after 2.0 s, sending SYN-ACK again (3 of 6)"},
	{EVENT_COOKIE_SENT, ROLE_SERVER, 0, 0, TH_SYN, 0,
	 "[Server] Half-open table full, sending SYN cookie"},
	{EVENT_COOKIE_ACCEPTED, ROLE_SERVER, 0, 0, TH_ACK, 0,
	 "[Server] Received ACK with a valid SYN cookie"},
	{EVENT_COOKIE_REJECTED, ROLE_SERVER, 0, 0, TH_ACK, 0,
	 "[Server] Received ACK without a valid SYN cookie"},
	{EVENT_DATA_RECEIVED, ROLE_SERVER, 12, 0, TH_ACK, 12,
	 "[Server] Received 12 bytes, sending ACK"},
	{EVENT_ACK_SENT, ROLE_SERVER, 4294967295, 0, TH_ACK, 0,
	 "[Server] Sending ACK 4294967295"},
	{EVENT_DATA_RETRANSMIT, ROLE_SERVER, 1448, 400000, TH_ACK, 1448,
	 "[Server] Retransmitting 1448 bytes (RTO 400 ms)"},
	{EVENT_DATA_RETRANSMIT, ROLE_SERVER, 1448, 0, TH_ACK, 1448,
	 "[Server] Retransmitting 1448 bytes (fast)"},
	{EVENT_DATA_RETRANSMIT, ROLE_SERVER, 1448, -1, TH_ACK, 1448,
	 "[Server] Retransmitting 1448 bytes (tail loss probe)"},
	{EVENT_DATA_RETRANSMIT, ROLE_SERVER, 0, 200000, TH_FIN | TH_ACK, 0,
	 "[Server] Retransmitting FIN (RTO 200 ms)"},
	{EVENT_LOSS_UNDONE, ROLE_SERVER, 14480, 1, TH_ACK, 0,
	 "[Server] The timeout was too early; cwnd is 14480 again"},
	{EVENT_LOSS_UNDONE, ROLE_SERVER, 14480, 0, TH_ACK, 0,
	 "[Server] What seemed lost was late; cwnd is 14480 again"},
	{EVENT_FIN_RECEIVED, ROLE_SERVER, 0, 0, TH_FIN | TH_ACK, 0,
	 "[Server] Received FIN, sending ACK"},
	{EVENT_FIN_SENT, ROLE_SERVER, 0, 0, TH_FIN | TH_ACK, 0,
	 "[Server] Sending FIN"},
	{EVENT_STATE, ROLE_SERVER, TCP_ESTABLISHED, TCP_CLOSE_WAIT, 0, 0,
	 "[Server] ESTABLISHED -> CLOSE-WAIT"},
	{EVENT_CONN_CLOSED, ROLE_SERVER, CLOSE_FIN, 0, 0, 0,
	 "[Server] Connection closed (FIN-ACK complete)"},
	{EVENT_CONN_CLOSED, ROLE_SERVER, CLOSE_TIMEOUT_DATA, 0, 0, 0,
	 "[Server] Connection closed (peer stopped acknowledging)"},
	{EVENT_RESET_RECEIVED, ROLE_SERVER, 0, 0, TH_RST, 0,
	 "[Server] Connection reset by client"},
	{EVENT_RESET_RECEIVED, ROLE_CLIENT, 0, 0, TH_RST, 0,
	 "[Client] Connection reset by server"},
	{EVENT_RESET_SENT, ROLE_SERVER, CLOSE_ADMIN, 0, 0, 0,
	 "[Server] Connection reset by us, sending RST (closed by the "
	 "operator)"},
	{EVENT_RESET_NOBODY, ROLE_SERVER, 0, 0, TH_SYN, 0,
	 "[Server] Received SYN, nobody listens on port 8090, sending RST"},
	{EVENT_RESET_NOBODY, ROLE_SERVER, 0, 0, TH_FIN | TH_ACK, 0,
	 "[Server] Received FIN for no connection, sending RST"},
	{EVENT_SEGMENT_DROPPED, ROLE_SERVER, DROP_ACK_FUTURE, 0, TH_ACK, 0,
	 "[Server] Dropped ACK: ack number beyond what was sent"},
	{EVENT_SEGMENT_DROPPED, ROLE_SERVER, DROP_SEQ, 0, TH_ACK | TH_PSH, 5,
	 "[Server] Dropped data: outside the receive window"},
	{EVENT_SEGMENT_DROPPED, ROLE_SERVER, DROP_SYN_CHALLENGED, 0, TH_SYN, 0,
	 "[Server] Dropped SYN: SYN inside a connection"},
	{EVENT_SEGMENT_DROPPED, ROLE_SERVER, DROP_SEQ, 0, TH_SYN | TH_ACK, 0,
	 "[Server] Dropped SYN-ACK: outside the receive window"},
	{EVENT_SEGMENT_DROPPED, ROLE_SERVER, DROP_RST_WINDOW, 0, TH_RST, 0,
	 "[Server] Dropped RST: RST outside the window"},
	{EVENT_SEGMENT_DROPPED, ROLE_SERVER, DROP_IP_SHORT, 0, 0, 0,
	 "[Server] Dropped packet: shorter than its IP header"},
	{EVENT_URGENT, ROLE_SERVER, 5, 0, TH_ACK | TH_URG, 5,
	 "[Server] Received urgent mark, 5 bytes ahead"},
	{EVENT_TROUBLE, ROLE_SERVER, 3, 0, 0, 0,
	 "[Server] No acknowledgement after 3 tries, going on"},
	{EVENT_DATA_RECEIVED, ROLE_SERVER, 1, 0, TH_ACK, 1,
	 "[Server] Received 1 byte, sending ACK"},
	{EVENT_DATA_RETRANSMIT, ROLE_CLIENT, 1, 0, TH_ACK, 1,
	 "[Client] Retransmitting 1 byte (fast)"},
	{EVENT_URGENT, ROLE_SERVER, 1, 0, TH_ACK | TH_URG, 1,
	 "[Server] Received urgent mark, 1 byte ahead"},
	{EVENT_TROUBLE, ROLE_SERVER, 1, 0, 0, 0,
	 "[Server] No acknowledgement after 1 try, going on"},
	{EVENT_TTL_ODD, ROLE_CLIENT, 1, 49 << 8 | 64, 0, 0,
	 "[Client] Received 1 packet with TTL 49, usually 64"},
	{EVENT_TROUBLE, ROLE_SERVER, 0, 3 << 8 | 1, 0, 0,
	 "[Server] The path says: host unreachable (ICMP 3/1), going on"},
	{EVENT_TROUBLE, ROLE_SERVER, 0, 3 << 8 | 13, 0, 0,
	 "[Server] The path says: prohibited (ICMP 3/13), going on"},
	{EVENT_TROUBLE, ROLE_SERVER, 0, 11 << 8, 0, 0,
	 "[Server] The path says: hop limit exceeded (ICMP 11/0), going on"},
	{EVENT_PMTU, ROLE_SERVER, 1280, 1500, 0, 0,
	 "[Server] Path MTU is 1280 now, was 1500"},
	{EVENT_TEXT_CONFLICT, ROLE_SERVER, 5, 0, 0, 0,
	 "[Server] Received other bytes than before under the same numbers, "
	 "from byte 5 on"},
	{EVENT_TTL_ODD, ROLE_CLIENT, 5, 49 << 8 | 64, 0, 0,
	 "[Client] Received 5 packets with TTL 49, usually 64"},
	{EVENT_LIMIT, ROLE_SERVER, LIMIT_HALF_OPEN, 0, 0, 0,
	 "[Server] Limit reached: half-open connections (max_half_open)"},
};

static void each_sentence_is_as_agreed(void)
{
	char text[160];

	fake_reset();
	for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
		const struct sentence *s = &sentences[i];
		struct event e = event(s->type, s->role, s->a, s->b);

		e.seg_flags = s->flags;
		e.seg_len = s->len;
		CU_ASSERT_EQUAL(
			evwords(&e, NULL, &fake.conf, text, sizeof(text)),
			(int)strlen(s->words));
		CU_ASSERT_STRING_EQUAL(text, s->words);
		if (strcmp(text, s->words) != 0)
			fprintf(stderr, "wanted: %s\ngot:    %s\n", s->words,
				text);
	}
}

/* A new event needs words here before it can be released. */
static void every_event_has_a_sentence(void)
{
	bool seen[EVENT_NTYPES] = {false};

	for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
		seen[sentences[i].type] = true;
	for (int t = 0; t < EVENT_NCORE; t++) {
		CU_ASSERT_TRUE(seen[t]);
		if (!seen[t])
			fprintf(stderr, "no sentence for %s\n",
				event_name((enum event_type)t));
	}
}

/* "Half-open table full" would be a lie if cookies are always sent. */
static void cookies_always_is_not_called_full(void)
{
	struct event e = event(EVENT_COOKIE_SENT, ROLE_SERVER, 0, 0);
	char text[160];

	fake_reset();
	fake.conf.cookies = COOKIES_ALWAYS;
	evwords(&e, NULL, &fake.conf, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text,
			       "[Server] Received SYN, sending SYN cookie");
}

static void sentence_is_cut_not_overrun(void)
{
	struct event e = event(EVENT_SYN_RECEIVED, ROLE_SERVER, 0, 0);
	char text[20];

	memset(text, 'x', sizeof(text));
	CU_ASSERT_EQUAL(evwords(&e, NULL, &fake.conf, text, 16), 38);
	CU_ASSERT_STRING_EQUAL(text, "[Server] Receiv");
	CU_ASSERT_EQUAL(text[16], 'x');
}

static void mask_follows_level(void)
{
	uint64_t info = evlog_mask(LOG_LEVEL_INFO, true);

	CU_ASSERT_EQUAL(evlog_mask(LOG_LEVEL_DEBUG, true),
			(1ULL << EVENT_NTYPES) - 1);
	CU_ASSERT_TRUE(info & 1ULL << EVENT_SYN_RECEIVED);
	CU_ASSERT_FALSE(info & 1ULL << EVENT_DATA_RECEIVED);
	CU_ASSERT_EQUAL(evlog_mask(LOG_LEVEL_ERROR, true),
			EVBUS_BIT(EVENT_DAEMON_REFUSED));
	CU_ASSERT_TRUE(evlog_mask(LOG_LEVEL_WARN, true) &
		       1ULL << EVENT_HANDSHAKE_FAILED);
}

/* log.handshakes = no leaves the ordinary life of connections out, and
 * nothing that went wrong. */
static void mask_without_handshakes_keeps_trouble(void)
{
	uint64_t mask = evlog_mask(LOG_LEVEL_INFO, false);

	CU_ASSERT_FALSE(mask & 1ULL << EVENT_SYN_RECEIVED);
	CU_ASSERT_FALSE(mask & 1ULL << EVENT_HANDSHAKE_COMPLETED);
	CU_ASSERT_FALSE(mask & 1ULL << EVENT_CONN_CLOSED);
	CU_ASSERT_TRUE(mask & 1ULL << EVENT_HANDSHAKE_FAILED);
	CU_ASSERT_TRUE(mask & 1ULL << EVENT_RESET_NOBODY);
}

static void line_names_connection_and_both_ends(void)
{
	struct event e = event(EVENT_SYN_RECEIVED, ROLE_SERVER, 0, 0);

	fake_reset();
	drain(&e, 1, 1 * SECOND_US);
	CU_ASSERT_STRING_EQUAL(fake.lines[0],
			       "c42 [Server] Received SYN, sending SYN-ACK  "
			       "198.18.66.1:50118 -> :8090");

	e = event(EVENT_SYN_SENT, ROLE_CLIENT, 1, 0);
	drain(&e, 1, 1 * SECOND_US);
	CU_ASSERT_STRING_EQUAL(fake.lines[1],
			       "c42 [Client] Sending SYN to 198.18.66.1:50118  "
			       ":8090 -> 198.18.66.1:50118");
}

/* With own_prefix we have many addresses; then it matters which. */
static void line_names_an_unusual_address_of_ours(void)
{
	struct event e = event(EVENT_RESET_NOBODY, ROLE_SERVER, 0, 0);

	fake_reset();
	e.conn = 0;
	e.seg_flags = TH_SYN;
	ipaddr_parse("198.18.66.77", &e.local);
	drain(&e, 1, 10 * SECOND_US);
	CU_ASSERT_STRING_EQUAL(fake.lines[0],
			       "[Server] Received SYN, nobody listens on port "
			       "8090, sending RST  198.18.66.1:50118 -> "
			       "198.18.66.77:8090");
}

static void line_without_ports_shows_addresses(void)
{
	struct event e =
		event(EVENT_SEGMENT_DROPPED, ROLE_SERVER, DROP_ICMP_TYPE, 0);

	fake_reset();
	e.conn = 0;
	e.local_port = e.peer_port = 0;
	drain(&e, 1, 20 * SECOND_US);
	CU_ASSERT_STRING_EQUAL(fake.lines[0],
			       "[Server] Dropped packet: an ICMP message we do "
			       "not use  198.18.66.1 -> 198.18.66.2");
}

static void beyond_the_budget_lines_are_counted(void)
{
	static struct event e[301];
	struct event other;

	fake_reset();
	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		e[i] = event(EVENT_SYN_RECEIVED, ROLE_SERVER, 0, 0);
	/* The count is owed at the end of the second that began here. */
	CU_ASSERT_EQUAL(drain(e, ARRAY_LEN(e), 30 * SECOND_US), 31 * SECOND_US);
	CU_ASSERT_EQUAL(fake.nlines, 200);

	/* Another type has a budget of its own. */
	other = event(EVENT_FIN_SENT, ROLE_SERVER, 0, 0);
	drain(&other, 1, 30 * SECOND_US + 1);
	CU_ASSERT_EQUAL(fake.nlines, 201);

	drain(NULL, 0, 31 * SECOND_US - 1);
	CU_ASSERT_EQUAL(fake.nlines, 201);
	CU_ASSERT_EQUAL(drain(NULL, 0, 31 * SECOND_US), TIME_NEVER);
	CU_ASSERT_EQUAL(fake.nlines, 202);
	CU_ASSERT_STRING_EQUAL(fake.lines[201],
			       "101 more lines of syn.received suppressed");

	/* And the next second starts afresh. */
	other = event(EVENT_SYN_RECEIVED, ROLE_SERVER, 0, 0);
	drain(&other, 1, 31 * SECOND_US + 1);
	CU_ASSERT_EQUAL(fake.nlines, 203);
}

static void events_that_were_lost_are_said(void)
{
	struct event e[2];

	fake_reset();
	e[0] = event(EVENT_FIN_SENT, ROLE_SERVER, 0, 0);
	(void)event(EVENT_FIN_SENT, ROLE_SERVER, 0, 0);
	(void)event(EVENT_FIN_SENT, ROLE_SERVER, 0, 0);
	e[1] = event(EVENT_FIN_SENT, ROLE_SERVER, 0, 0);
	drain(e, 2, 40 * SECOND_US);
	CU_ASSERT_EQUAL(fake.nlines, 3);
	CU_ASSERT_STRING_EQUAL(fake.lines[1],
			       "2 events came faster than they could be taken");

	fake_reset();
	e[0] = event(EVENT_FIN_SENT, ROLE_SERVER, 0, 0);
	(void)event(EVENT_FIN_SENT, ROLE_SERVER, 0, 0);
	e[1] = event(EVENT_FIN_SENT, ROLE_SERVER, 0, 0);
	drain(e, 2, 40 * SECOND_US);
	CU_ASSERT_STRING_EQUAL(fake.lines[1],
			       "1 event came faster than it could be taken");
}

/* What the daemon says of itself has no budget and names no connection. */
static void the_daemon_is_never_suppressed(void)
{
	fake_reset();
	for (int i = 0; i < 250; i++)
		evbus_say(&fake.bus, EVENT_DAEMON_RELOADED, 1, "Read %d", i);
	drain(NULL, 0, 45 * SECOND_US);
	CU_ASSERT_EQUAL(fake.nlines, 250);
	CU_ASSERT_STRING_EQUAL(fake.lines[249], "Read 249");
}

/* No events, no second to close, no timer. */
static void silence_owes_nothing(void)
{
	fake_reset();
	CU_ASSERT_EQUAL(drain(NULL, 0, 50 * SECOND_US), TIME_NEVER);
	CU_ASSERT_EQUAL(fake.nlines, 0);
}

static bool has_field(const char *field)
{
	char line[128];

	snprintf(line, sizeof(line), "%s\n", field);
	if (strstr(fake.fields, line))
		return true;
	fprintf(stderr, "no field %s in:\n%s", field, fake.fields);
	return false;
}

static void journal_gets_the_numbers_as_fields(void)
{
	struct event e =
		event(EVENT_SEGMENT_DROPPED, ROLE_SERVER, DROP_ACK_FUTURE, 0);

	fake_reset();
	fake.journal = true;
	e.seg_flags = TH_ACK | TH_PSH;
	e.seg_seq = 7;
	e.seg_ack = 4000000000;
	e.seg_wnd = 512;
	drain(&e, 1, 60 * SECOND_US);
	CU_ASSERT_TRUE(has_field("MESSAGE=[Server] Dropped ACK: ack number "
				 "beyond what was sent"));
	CU_ASSERT_TRUE(has_field("PRIORITY=7"));
	CU_ASSERT_TRUE(has_field("TCPHS_EVENT=segment.dropped"));
	CU_ASSERT_TRUE(has_field("TCPHS_CONN=c42"));
	CU_ASSERT_TRUE(has_field("TCPHS_ROLE=server"));
	CU_ASSERT_TRUE(has_field("TCPHS_LOCAL_ADDR=198.18.66.2"));
	CU_ASSERT_TRUE(has_field("TCPHS_LOCAL_PORT=8090"));
	CU_ASSERT_TRUE(has_field("TCPHS_PEER_ADDR=198.18.66.1"));
	CU_ASSERT_TRUE(has_field("TCPHS_PEER_PORT=50118"));
	CU_ASSERT_TRUE(has_field("TCPHS_FLAGS=PA"));
	CU_ASSERT_TRUE(has_field("TCPHS_SEQ=7"));
	CU_ASSERT_TRUE(has_field("TCPHS_ACK=4000000000"));
	CU_ASSERT_TRUE(has_field("TCPHS_WIN=512"));
	CU_ASSERT_TRUE(has_field("TCPHS_REASON=ack_future"));
	CU_ASSERT_TRUE(has_field("TCPHS_RFC=RFC 9293, 3.10.7.4"));
}

/* Every type fits into the space for fields. */
static void journal_takes_every_event(void)
{
	struct event e;

	fake_reset();
	fake.journal = true;
	for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
		e = event(sentences[i].type, sentences[i].role, sentences[i].a,
			  sentences[i].b);
		e.conn = e.seg_seq = e.seg_ack = e.seg_wnd = UINT32_MAX;
		e.seg_flags = 0xff;
		e.local_port = e.peer_port = UINT16_MAX;
		ipaddr_parse("fd74:6370:6873:1111:2222:3333:4444:5555",
			     &e.local);
		e.peer = e.local;
		drain(&e, 1, (int64_t)(70 + i) * SECOND_US);
		CU_ASSERT_TRUE(has_field("TCPHS_FLAGS=FSRPAUEC"));
	}
	e = event(EVENT_HANDSHAKE_COMPLETED, ROLE_CLIENT, 213, 0);
	drain(&e, 1, 200 * SECOND_US);
	CU_ASSERT_TRUE(has_field("TCPHS_HS_US=213"));
	e = event(EVENT_STATE, ROLE_SERVER, TCP_LISTEN, TCP_SYN_RECEIVED);
	drain(&e, 1, 201 * SECOND_US);
	CU_ASSERT_TRUE(has_field("TCPHS_STATE_FROM=listen"));
	CU_ASSERT_TRUE(has_field("TCPHS_STATE_TO=syn-received"));
	e = event(EVENT_CONN_CLOSED, ROLE_SERVER, CLOSE_TIMEOUT_USER, 0);
	drain(&e, 1, 202 * SECOND_US);
	CU_ASSERT_TRUE(has_field("TCPHS_REASON=timeout_user"));
	e = event(EVENT_LIMIT, ROLE_SERVER, LIMIT_BACKLOG, 0);
	drain(&e, 1, 203 * SECOND_US);
	CU_ASSERT_TRUE(has_field("TCPHS_REASON=backlog"));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(each_sentence_is_as_agreed),
		UNIT_TEST(every_event_has_a_sentence),
		UNIT_TEST(cookies_always_is_not_called_full),
		UNIT_TEST(sentence_is_cut_not_overrun),
		UNIT_TEST(mask_follows_level),
		UNIT_TEST(mask_without_handshakes_keeps_trouble),
		UNIT_TEST(line_names_connection_and_both_ends),
		UNIT_TEST(line_names_an_unusual_address_of_ours),
		UNIT_TEST(line_without_ports_shows_addresses),
		UNIT_TEST(beyond_the_budget_lines_are_counted),
		UNIT_TEST(events_that_were_lost_are_said),
		UNIT_TEST(the_daemon_is_never_suppressed),
		UNIT_TEST(silence_owes_nothing),
		UNIT_TEST(journal_gets_the_numbers_as_fields),
		UNIT_TEST(journal_takes_every_event),
	};

	return unit_run("evlog", tests, ARRAY_LEN(tests), argc, argv);
}
