/*
 * fake_conn.h - A stack with one connection, for tests of services
 *
 * It keeps the promises of tcphs/stack.h to the letter and no more: on_data
 * comes again only after new text, tcp_resume(), or when something but not all
 * was consumed; on_writable only after a send that fell short or
 * tcp_want_write(). A test decides how much a send queue takes at a time, how
 * long the runs are that tcp_peek() shows, what the peer does and what time it
 * is. Text that arrives after tcp_close() is remembered as `late`: who closes
 * with text under way may lose it, and the answer with it (RFC 9112, 9.6).
 */
#ifndef TCPHS_FAKE_CONN_H
#define TCPHS_FAKE_CONN_H

#include <time.h>

#include <tcphs/stack.h>

#define FAKE_REFS 64

struct tcp_conn {
	uint8_t *in; /* arrived and not consumed */
	size_t in_len;
	size_t run_max; /* of what tcp_peek() shows */

	uint8_t *out; /* everything the service sent */
	size_t out_len, out_size;
	size_t room; /* what the send queue takes now */
	size_t drip; /* room that comes when it was full; 0 = none comes */
	size_t stop; /* no room beyond so many bytes of output; 0 = no end */

	bool new_text, resumed, consumed, want_write;
	bool peer_fin, peer_fin_told;
	bool closed; /* tcp_close() */
	bool late;   /* text came after it */
	bool over;
	enum close_reason why; /* given to tcp_abort() */
	void *user;
	int64_t alarm_at_us;

	struct {
		const uint8_t *data;
		size_t len, at; /* at: place in out */
	} refs[FAKE_REFS];	/* the last ones, to see that they stay */
	unsigned int nrefs;
};

struct stack {
	const struct tcp_service *service;
	struct tcp_conn conn;
	int64_t now_us;
	struct stack_conf conf;
	struct stack_stats stats;
	struct listener_info listeners[4];
	unsigned int nlisteners;
	uint32_t rows;	   /* connections in the table */
	uint32_t gaps;	   /* empty places before each */
	uint32_t bite_max; /* places looked at by one stack_walk() so far */
};

/* What time() says. */
extern time_t fake_wall;

/** fake_open() - A connection of @service opens; room without end */
struct stack *fake_open(const struct tcp_service *service);

/** fake_open_drip() - The same; the send queue takes @drip bytes at a time */
struct stack *fake_open_drip(const struct tcp_service *service, size_t drip);

/** fake_rx() - Text arrives; the service is not called yet */
void fake_rx(struct stack *st, const void *data, size_t len);
void fake_rx_text(struct stack *st, const char *text);
void fake_rx_fin(struct stack *st);

/** fake_run() - Call the service until nothing is left to tell it */
void fake_run(struct stack *st);

/** fake_pass() - Time passes; the alarm goes off if it is due */
void fake_pass(struct stack *st, int64_t us);

/** fake_end() - The connection ends (a RST, say); checks references, frees */
void fake_end(struct stack *st);

#endif
