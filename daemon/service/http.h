/*
 * http.h - One request and its answer; for the files of the http service
 *
 * An answer is a queue of bytes (http_put()) and a function that makes the next
 * piece when the queue is empty. So no answer, however long, holds more than
 * one piece, and none is made faster than the client reads.
 */
#ifndef TCPHS_HTTP_H
#define TCPHS_HTTP_H

#include <sodium.h>

#include <tcphs/ipaddr.h>
#include <tcphs/stack.h>

#include "service/http_parse.h"
#include "service/service.h"

#define HTTP_BYTES_MAX	(1ULL << 40) /* of /bytes/N */
#define HTTP_UPLOAD_MAX (1ULL << 34) /* 16 GiB; more is answered with 413 */

#define HTTP_HEAD_US   10000000 /* to finish a head that was begun */
#define HTTP_BODY_US   30000000 /* without a byte of a body */
#define HTTP_IDLE_US   60000000 /* between requests, and before the first */
#define HTTP_LINGER_US 5000000	/* reading on after a refused body */

#define HTTP_ROWS 32 /* connections looked at for one piece */

enum http_phase {
	HTTP_HEAD,   /* reading a request */
	HTTP_BODY,   /* reading the body of an upload */
	HTTP_ANSWER, /* sending; input waits in the receive queue */
	HTTP_LINGER, /* answered; discarding, so that no RST overtakes it */
	HTTP_CLOSED, /* after tcp_close() */
};

enum http_piece {
	HTTP_MORE, /* call again when the queue is empty */
	HTTP_WAIT, /* call again when there is room to send */
	HTTP_LAST,
};

struct http_conn;
struct http_page;
typedef enum http_piece http_piece_fn(struct stack *st, struct tcp_conn *c,
				      struct http_conn *h);

struct http_conn {
	enum http_phase phase;
	bool head_only;	  /* HEAD */
	bool keep;	  /* the connection, after this answer */
	bool framed;	  /* the answer is chunked */
	bool peer_closed; /* no further request will come */
	bool linger;
	bool no_memory;
	bool wide; /* the piece looks at all connections */
	struct service_wait wait;

	struct http_head head;
	struct http_body body;

	char *out; /* queue: made, but not yet taken by tcp_send() */
	size_t out_len, out_off, out_size;
	http_piece_fn *piece; /* NULL when the queue is all there is left */

	union { /* what the answer under way needs */
		struct {
			uint64_t cursor;
			uint32_t rows;
			uint8_t step;
			const struct http_page *page;
		} walk;
		unsigned int part; /* of /metrics, to be made next */
		struct {
			uint64_t at, len;
		} bytes;
		struct {
			crypto_hash_sha256_state sha256;
			int64_t turn_us; /* when it last hashed */
			size_t left;	 /* bytes it may hash in that turn */
		} upload;
	};
};

/** http_put() - Queue bytes of the answer, as printf() */
void http_put(struct http_conn *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** http_put_bytes() - Queue bytes as they are */
void http_put_bytes(struct http_conn *h, const void *data, size_t len);

/**
 * http_answer() - Queue the head of an answer
 * @type:  Content-Type
 * @extra: Further fields, each ended with CR LF; may be empty
 * @len:   Of the body, or HTTP_STREAMED: @piece makes it
 * @piece: NULL if the caller puts the body
 *
 * After a HEAD request the body is left out, whoever would have made it.
 */
#define HTTP_STREAMED UINT64_MAX
void http_answer(struct http_conn *h, int status, const char *type,
		 const char *extra, uint64_t len, http_piece_fn *piece);

/** http_answer_text() - Queue a whole answer with a short text */
void http_answer_text(struct http_conn *h, int status, const char *extra,
		      const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** http_fail() - Queue a refusal; the connection ends with it */
void http_fail(struct http_conn *h, int status, const char *words,
	       const char *clause);

/**
 * http_send() - Hand over as much of the answer as there is room for
 *
 * Return: is all of it with TCP? If not, on_writable goes on.
 */
bool http_send(struct stack *st, struct tcp_conn *c, struct http_conn *h);

/** http_writable() - Go on with the answer under way; on_writable */
void http_writable(struct stack *st, struct tcp_conn *c);

/**
 * http_walk() - Look at the next connections, at most HTTP_ROWS
 * @rows: HTTP_ROWS of them
 * @n:    Set to how many were filled in; may be 0 before the end
 *
 * Return: false when that was the end of the table
 */
bool http_walk(struct stack *st, uint64_t *cursor, struct conn_info *rows,
	       uint32_t *n);

/* What is answered to a request whose path was found. */
typedef void http_begin_fn(struct stack *st, struct tcp_conn *c,
			   struct http_conn *h, const char *rest);
http_begin_fn http_page_begin, http_json_begin, http_bytes_begin,
	http_upload_begin, http_metrics_begin, http_metrics_root;

/**
 * http_upload_take() - Hash what arrived, a bounded amount at a time
 *
 * Return: true when the body is complete or refused, and answered
 */
bool http_upload_take(struct stack *st, struct tcp_conn *c,
		      struct http_conn *h);

/* A way of writing the page at /. */
struct http_page {
	void (*top)(struct stack *st, struct tcp_conn *c, struct http_conn *h);
	void (*row)(struct stack *st, struct tcp_conn *c, struct http_conn *h,
		    const struct conn_info *info);
	void (*end)(struct stack *st, struct tcp_conn *c, struct http_conn *h);
};

extern const struct http_page http_text, http_html;

#define HTTP_PAGE_ROWS	200 /* connections shown, at most */
#define HTTP_SHORT_MAX	24  /* a short form, with the final zero */
#define HTTP_STATUS_MAX 80  /* the status of a listener, the same */

/* What the top of the page tells. */
struct http_facts {
	char up[HTTP_SHORT_MAX];
	char since[32];				 /* "2026-11-21 09:07:26 UTC" */
	char addresses[2 * IPADDR_TEXT_MAX + 8]; /* "A and B" */
	char url[IPPORT_TEXT_MAX + 16]; /* of this service, without path */
	char host[IPADDR_TEXT_MAX];	/* ours, as this client reached it */
	uint32_t open, half_open, time_wait, all;
};

void http_facts(struct stack *st, struct tcp_conn *c, struct http_facts *f);

/**
 * http_listener() - Find the next listener
 * @index:  Where to begin; moved behind the one that was found
 * @status: Set to its status as the control protocol says it
 *
 * Return: false if there is no more
 */
bool http_listener(struct stack *st, unsigned int *index,
		   struct listener_info *l, char status[HTTP_STATUS_MAX]);

/** http_advice() - Put what to try next, a command a line */
void http_advice(struct stack *st, struct tcp_conn *c, struct http_conn *h);

/** http_age() - "850ms", "42s", "3m12s", "5h03m", "2d07h"; "-" below 0 */
const char *http_age(int64_t us, char buf[HTTP_SHORT_MAX]);

/** http_size() - "999", "1.4K", "23M", in powers of 1024 */
const char *http_size(uint64_t bytes, char buf[HTTP_SHORT_MAX]);

/**
 * http_traffic() - http_size() of the text of a connection
 *
 * Half-open ones and those in TIME-WAIT do not keep it: "-".
 */
const char *http_traffic(const struct conn_info *info, uint64_t bytes,
			 char buf[HTTP_SHORT_MAX]);

/** http_rtt() - "0.21ms"; "-" before the first sample */
const char *http_rtt(int64_t us, char buf[HTTP_SHORT_MAX]);

#endif
