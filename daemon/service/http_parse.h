/*
 * http_parse.h - An HTTP/1.1 request, byte by byte
 *
 * Both parsers take whatever is there, a byte or a megabyte, keep their place
 * and allocate nothing. Only what the http service uses is kept; the rest is
 * checked and forgotten.
 */
#ifndef TCPHS_HTTP_PARSE_H
#define TCPHS_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_METHOD_MAX 16
#define HTTP_TARGET_MAX 2048
#define HTTP_NAME_MAX	24  /* longer names are none of ours */
#define HTTP_VALUE_MAX	256 /* of a field that we read */
#define HTTP_HEAD_MAX	16384

/* What is wrong with a request: status, clause, words. */
#define HTTP_FAULT_LIST(F)                                                     \
	F(NONE, 200, "", "nothing")                                            \
	F(METHOD, 400, "RFC 9110, 9.1", "the method is no token")              \
	F(METHOD_LONG, 501, "RFC 9112, 3", "no method is that long")           \
	F(TARGET, 400, "RFC 9112, 3.2", "the target has illegal characters")   \
	F(TARGET_LONG, 414, "RFC 9112, 3", "the target is longer than 2 KiB")  \
	F(VERSION, 400, "RFC 9112, 2.3",                                       \
	  "no HTTP version in the request line")                               \
	F(VERSION_MAJOR, 505, "RFC 9110, 2.5", "only HTTP/1.x is spoken here") \
	F(BARE_CR, 400, "RFC 9112, 2.2", "a CR without its LF")                \
	F(FOLD, 400, "RFC 9112, 5.2", "a field line begins with space")        \
	F(NAME, 400, "RFC 9112, 5.1", "a field name is no token and colon")    \
	F(VALUE, 400, "RFC 9110, 5.5", "a field has control characters")       \
	F(HEAD_LONG, 431, "RFC 6585, 5", "the head is longer than 16 KiB")     \
	F(VALUE_LONG, 431, "RFC 6585, 5", "a field that matters is too long")  \
	F(HOST, 400, "RFC 9112, 3.2", "HTTP/1.1 needs exactly one Host")       \
	F(LENGTH, 400, "RFC 9112, 6.3", "Content-Length is no number")         \
	F(LENGTH_TWICE, 400, "RFC 9112, 6.3", "more than one Content-Length")  \
	F(LENGTH_CODING, 400, "RFC 9112, 6.1",                                 \
	  "Content-Length beside Transfer-Encoding")                           \
	F(CODING_TWICE, 400, "RFC 9112, 6.1",                                  \
	  "more than one Transfer-Encoding")                                   \
	F(CODING_OLD, 400, "RFC 9112, 6.1", "Transfer-Encoding in HTTP/1.0")   \
	F(CODING, 501, "RFC 9112, 6.1",                                        \
	  "a transfer coding other than chunked")                              \
	F(EXPECT, 417, "RFC 9110, 10.1.1",                                     \
	  "only 100-continue can be expected")                                 \
	F(CHUNK, 400, "RFC 9112, 7.1", "a malformed chunk")                    \
	F(TRAILER, 400, "RFC 9112, 7.1.2", "a malformed trailer")

enum http_fault {
#define HTTP_FAULT_ENUM(name, status, clause, words) HTTP_FAULT_##name,
	HTTP_FAULT_LIST(HTTP_FAULT_ENUM)
#undef HTTP_FAULT_ENUM
};

int http_fault_status(enum http_fault f);
const char *http_fault_clause(enum http_fault f);
const char *http_fault_words(enum http_fault f);

struct http_head {
	/* The result, once done. */
	bool done;
	enum http_fault fault; /* HTTP_FAULT_NONE so far */
	char method[HTTP_METHOD_MAX + 1];
	char target[HTTP_TARGET_MAX + 1];
	uint8_t minor;	 /* HTTP/1.minor, at most 9 */
	bool keep_alive; /* RFC 9112, 9.3 */
	bool chunked;
	bool expect_continue;
	bool has_length;
	uint64_t length;   /* of the body; 0 if there is none */
	bool accepts_html; /* Accept names text/html */
	bool terminal;	   /* User-Agent is curl or another of its kind */

	/* The place. */
	uint8_t state;
	bool has_coding, close_asked, keep_asked;
	uint8_t hosts;	/* Host fields, counted to 2 */
	uint8_t field;	/* which one is being read */
	uint32_t taken; /* bytes */
	uint16_t method_len, target_len, name_len, value_len;
	char name[HTTP_NAME_MAX + 1];
	char value[HTTP_VALUE_MAX + 1];
};

void http_head_init(struct http_head *h);

/** http_head_begun() - Has more than an empty line before it arrived? */
bool http_head_begun(const struct http_head *h);

/** http_head_blank() - Is it as http_head_init() left it? */
bool http_head_blank(const struct http_head *h);

/**
 * http_head_take() - Read on
 *
 * Lines may end with LF alone, so that a request can be typed into nc (RFC
 * 9112, 2.2 leaves it open); a CR must be followed by LF.
 *
 * Return: bytes taken; less than @len if the head is done or at fault
 */
size_t http_head_take(struct http_head *h, const void *data, size_t len);

struct http_body {
	bool done;
	enum http_fault fault;
	bool chunked;
	uint8_t state;
	uint8_t digits;	 /* of the chunk size */
	uint32_t line;	 /* bytes of chunk extensions or trailers so far */
	uint64_t left;	 /* bytes of the body or of this chunk */
	uint64_t length; /* bytes announced so far */
};

/** http_body_init() - As the head says; done at once if there is no body */
void http_body_init(struct http_body *b, const struct http_head *h);

/**
 * http_body_take() - Read on
 * @text: Set to the next run of the body in @data, and its length; maybe none
 *
 * In chunk framing every line ends with CR LF: here a disagreement about where
 * a message ends is how requests are smuggled.
 *
 * Return: bytes taken, of which the run is the end; call it again for the rest
 *         unless done or at fault
 */
size_t http_body_take(struct http_body *b, const void *data, size_t len,
		      const uint8_t **text, size_t *text_len);

#endif
