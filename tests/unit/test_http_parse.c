/*
 * test_http_parse.c - The request parser, alone and beside another one
 *
 * The other one is Debian's http-parser, the ancestor of most. The claim is
 * one-sided, because ours is meant to be stricter: whatever ours takes for a
 * request, http-parser takes too, and sees the same method, target, version,
 * body and end; and some faults (`agreed`) it sees as well. Requests are made from good and bad parts at random,
 * from one seed.
 */
#include "unit.h"

#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "service/http_parse.h"

#define REQUEST_MAX 32768
#define GENERATED   100000

/* What both say about one message. */
struct verdict {
	bool done;
	enum http_fault fault; /* ours */
	enum http_errno error; /* theirs */
	size_t len;	       /* of the message */
	char method[HTTP_METHOD_MAX + 1];
	char target[HTTP_TARGET_MAX + 64];
	unsigned int major, minor;
	bool keep_alive, upgrade;
	uint8_t body[REQUEST_MAX];
	size_t body_len;
};

/* Here theirs is as strict. */
static const enum http_fault agreed[] = {
	HTTP_FAULT_METHOD,
	HTTP_FAULT_LENGTH,
	HTTP_FAULT_LENGTH_TWICE,
	HTTP_FAULT_LENGTH_CODING,
};

static void ours_body(struct verdict *v, const struct http_head *h,
		      const uint8_t *data, size_t len, size_t step)
{
	const uint8_t *run;
	struct http_body b;
	size_t n, run_len;

	http_body_init(&b, h);
	while (!b.done && !b.fault && v->len < len) {
		n = len - v->len < step ? len - v->len : step;
		v->len += http_body_take(&b, data + v->len, n, &run, &run_len);
		memcpy(v->body + v->body_len, run, run_len);
		v->body_len += run_len;
	}
	v->done = b.done;
	v->fault = b.fault;
}

static void ours(struct verdict *v, const void *data, size_t len, size_t step)
{
	struct http_head h;
	size_t n;

	memset(v, 0, sizeof(*v));
	http_head_init(&h);
	while (!h.done && !h.fault && v->len < len) {
		n = len - v->len < step ? len - v->len : step;
		v->len += http_head_take(&h, (const uint8_t *)data + v->len, n);
	}
	v->fault = h.fault;
	if (!h.done)
		return;
	strcpy(v->method, h.method);
	strcpy(v->target, h.target);
	v->major = 1;
	v->minor = h.minor;
	v->keep_alive = h.keep_alive;
	ours_body(v, &h, data, len, step);
}

static int take_url(http_parser *p, const char *at, size_t len)
{
	struct verdict *v = p->data;

	if (strlen(v->target) + len < sizeof(v->target))
		strncat(v->target, at, len);
	return 0;
}

static int take_body(http_parser *p, const char *at, size_t len)
{
	struct verdict *v = p->data;

	memcpy(v->body + v->body_len, at, len);
	v->body_len += len;
	return 0;
}

static int take_end(http_parser *p)
{
	struct verdict *v = p->data;

	v->done = true;
	v->keep_alive = http_should_keep_alive(p);
	return 0;
}

static void theirs(struct verdict *v, const char *data, size_t len)
{
	static const http_parser_settings settings = {
		.on_url = take_url,
		.on_body = take_body,
		.on_message_complete = take_end,
	};
	http_parser p;

	memset(v, 0, sizeof(*v));
	http_parser_init(&p, HTTP_REQUEST);
	p.data = v;
	while (v->len < len && !v->done) {
		if (http_parser_execute(&p, &settings, data + v->len, 1) != 1 &&
		    !p.upgrade)
			break;
		v->len++;
		if (p.upgrade)
			break;
	}
	v->error = HTTP_PARSER_ERRNO(&p);
	v->upgrade = p.upgrade;
	v->major = p.http_major;
	v->minor = p.http_minor;
	if (v->done)
		snprintf(v->method, sizeof(v->method), "%s",
			 http_method_str(p.method));
}

static bool is_agreed(enum http_fault f)
{
	for (size_t i = 0; i < ARRAY_LEN(agreed); i++)
		if (agreed[i] == f)
			return true;
	return false;
}

/* Where theirs refuses what RFC 9110 and 9112 allow. */
static bool excused(const struct verdict *a, const struct verdict *b,
		    const char *data)
{
	const char *coding = strcasestr(data, "transfer-encoding");

	return b->upgrade ||
	       b->error == HPE_INVALID_METHOD || /* it has a list */
	       strstr(data, "\t\r") || strstr(data, "\t\n") || /* OWS */
	       (b->error == HPE_INVALID_URL && a->target[0] != '/') ||
	       /* It takes Transfer-EncodingX for Transfer-Encoding. */
	       (b->error == HPE_INVALID_TRANSFER_ENCODING && coding &&
		coding[17] != ':' && coding[17] != ' ');
}

static const char *disagreement(const struct verdict *a,
				const struct verdict *b, const char *data)
{
	if (a->fault)
		return b->done && is_agreed(a->fault) ? "only we refuse" : NULL;
	if (excused(a, b, data))
		return NULL;
	if (b->error != HPE_OK)
		return a->done ? "only they refuse" : NULL;
	if (a->done != b->done)
		return "end";
	if (!a->done)
		return NULL;
	if (a->len != b->len)
		return "length";
	if (strcmp(a->method, b->method) != 0)
		return "method";
	if (strcmp(a->target, b->target) != 0)
		return "target";
	if (a->major != b->major || a->minor != b->minor)
		return "version";
	if (a->body_len != b->body_len ||
	    memcmp(a->body, b->body, a->body_len) != 0)
		return "body";
	/* Asked for both, theirs keeps HTTP/1.0 alive; RFC 9112, 9.3 not. */
	if (a->keep_alive != b->keep_alive &&
	    !(strcasestr(data, "close") && strcasestr(data, "keep-alive")))
		return "keep-alive";
	return NULL;
}

static size_t accepted;

static bool agree(const char *data, size_t len)
{
	static struct verdict a, b, cut;
	const char *what;

	ours(&a, data, len, len);
	theirs(&b, data, len);
	what = disagreement(&a, &b, data);
	accepted += a.done;
	for (size_t step = 1; !what && step <= 3; step += 2) {
		ours(&cut, data, len, step);
		if (memcmp(&a, &cut, sizeof(a)) != 0)
			what = "cut";
	}
	if (what)
		fprintf(stderr,
			"%s: we say %d %s at %zu of %zu, they %s at %zu:\n"
			"%.*s\n---\n",
			what, a.done, http_fault_words(a.fault), a.len, len,
			http_errno_name(b.error), b.len, (int)len, data);
	return !what;
}

static uint64_t seed;

static uint32_t chance(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

/* Mostly good parts: a request with two bad ones tells little. */
static const char *part(const char *const *parts, uint32_t n, uint32_t good)
{
	return parts[chance(12) ? chance(good) : chance(n)];
}

#define PART(parts, good) part(parts, ARRAY_LEN(parts), good)

static size_t generate(char *buf)
{
	static const char *const methods[] = {"GET", "PUT",  "POST", "HEAD",
					      "get", "G\tT", "",     "GET "};
	static const char *const targets[] = {
		"/",	 "/bytes/12", "/a?b=c#d", "*",	 "http://h/x",
		"/a\tb", "/\x80",     "",	  "/ x", "x"};
	static const char *const versions[] = {
		" HTTP/1.1", " HTTP/1.0", " HTTP/1.9",	" HTTP/2.0",
		"",	     " HTTP/1",	  " HTTP/1.10", "  HTTP/1.1",
		" http/1.1", " HTTP/1.1 "};
	static const char *const ends[] = {"\r\n", "\n", "\r", "\r\r\n",
					   "\n\r\n"};
	static const char *const lines[] = {
		"Host: h",
		"Content-Length: 5",
		"Transfer-Encoding: chunked",
		"Connection: close",
		"Connection: keep-alive, x",
		"Expect: 100-continue",
		"X-A: b",
		"Empty:",
		"Content-length:5 ",
		"transfer-encoding:\tCHUNKED",
		"Connection: closed",
		"Host : h",
		" folded",
		"Content-Length: +5",
		"Content-Length: 5, 5",
		"Content-Length: 0x5",
		"Content-Length: ",
		"Content-Length: 18446744073709551616",
		"Transfer-Encoding: gzip, chunked",
		"Transfer-Encoding: chunked, chunked",
		"Transfer-Encoding: xchunked",
		"Transfer-Encoding : chunked",
		": none",
		"X: \x01",
		"X: \x80\xff",
		"X: a\rb",
		"No colon",
		"Content-Length: 4\n5",
		"Content-Length\x0b: 5",
	};
	static const char *const bodies[] = {
		"hello",
		"5\r\nhello\r\n0\r\n\r\n",
		"2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nT: x\r\n\r\n",
		"00005\r\nhello\r\n00\r\n\r\n",
		"5\nhello\n0\n\n",
		"5 \r\nhello\r\n0\r\n\r\n",
		"-5\r\nhello\r\n0\r\n\r\n",
		"5\r\nhello!\r\n0\r\n\r\n",
		"0x5\r\nhello\r\n0\r\n\r\n",
		"fffffffffffffffff\r\nhello",
		"\r\n",
		"g\r\n",
		"5\r\nhello\r\n0\r\n bad\r\n\r\n",
		"5\r\nhello\r0\r\n\r\n",
		"5;\x01\r\nhello\r\n0\r\n\r\n",
		"5;a\nb\r\nhello\r\n0\r\n\r\n"};
	size_t n;

	n = (size_t)sprintf(buf, "%s %s%s%s", PART(methods, 4),
			    PART(targets, 5), PART(versions, 3), PART(ends, 2));
	if (chance(8))
		n += (size_t)sprintf(buf + n, "Host: h\r\n");
	for (uint32_t i = chance(4); i > 0; i--)
		n += (size_t)sprintf(buf + n, "%s%s", PART(lines, 10),
				     PART(ends, 2));
	n += (size_t)sprintf(buf + n, "%s%s", PART(ends, 2), PART(bodies, 4));
	if (!chance(8))
		buf[chance((uint32_t)n)] = (char)chance(256);
	if (!chance(16))
		n = chance((uint32_t)n);
	return n;
}

static void parse_generated_agree(void)
{
	char buf[4096];
	size_t bad = 0;

	seed = 0x7463706873;
	for (int i = 0; i < GENERATED && bad < 5; i++) {
		size_t len = generate(buf);

		buf[len] = '\0';
		bad += !agree(buf, len);
	}
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_TRUE(accepted > GENERATED / 5); /* or it tells nothing */
}

/* One request for each fault, each refused as that and at once. */
static void parse_fault_each(void)
{
	static const struct {
		enum http_fault fault;
		const char *head, *body;
	} bad[] = {
		{HTTP_FAULT_METHOD, "G(", NULL},
		{HTTP_FAULT_METHOD, " ", NULL},
		{HTTP_FAULT_METHOD_LONG, "ABCDEFGHIJKLMNOPQ", NULL},
		{HTTP_FAULT_TARGET, "GET  ", NULL},
		{HTTP_FAULT_TARGET, "GET /\x7f", NULL},
		{HTTP_FAULT_VERSION, "GET /\r", NULL},
		{HTTP_FAULT_VERSION, "GET / h", NULL},
		{HTTP_FAULT_VERSION, "GET / HTTP/1.12", NULL},
		{HTTP_FAULT_VERSION_MAJOR, "GET / HTTP/3.0\n", NULL},
		{HTTP_FAULT_VERSION_MAJOR, "GET / HTTP/0.9\n", NULL},
		{HTTP_FAULT_BARE_CR, "\rG", NULL},
		{HTTP_FAULT_BARE_CR, "GET / HTTP/1.1\r\r", NULL},
		{HTTP_FAULT_BARE_CR, "GET / HTTP/1.1\r\nA: b\rc", NULL},
		{HTTP_FAULT_BARE_CR, "GET / HTTP/1.1\r\nA: b\r\n\rX", NULL},
		{HTTP_FAULT_FOLD, "GET / HTTP/1.1\r\nA: b\r\n\t", NULL},
		{HTTP_FAULT_NAME, "GET / HTTP/1.1\r\n:", NULL},
		{HTTP_FAULT_NAME, "GET / HTTP/1.1\r\nA ", NULL},
		{HTTP_FAULT_NAME, "GET / HTTP/1.1\r\nA\n", NULL},
		{HTTP_FAULT_VALUE, "GET / HTTP/1.1\r\nA: \x7f", NULL},
		{HTTP_FAULT_HOST, "GET / HTTP/1.1\n\n", NULL},
		{HTTP_FAULT_HOST, "GET / HTTP/1.0\nHost:\nHost:\n\n", NULL},
		{HTTP_FAULT_LENGTH, "GET / HTTP/1.0\nContent-Length:\n", NULL},
		{HTTP_FAULT_LENGTH, "GET / HTTP/1.0\nContent-Length: 1 2\n",
		 NULL},
		{HTTP_FAULT_LENGTH,
		 "GET / HTTP/1.0\nContent-Length: 18446744073709551616\n",
		 NULL},
		{HTTP_FAULT_LENGTH_TWICE,
		 "GET / HTTP/1.0\nContent-Length: 1\nContent-Length: 1\n",
		 NULL},
		{HTTP_FAULT_LENGTH_CODING,
		 "GET / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n"
		 "Content-Length: 1\n\n",
		 NULL},
		{HTTP_FAULT_CODING_TWICE,
		 "GET / HTTP/1.1\nTransfer-Encoding: chunked\n"
		 "Transfer-Encoding: chunked\n",
		 NULL},
		{HTTP_FAULT_CODING_OLD,
		 "GET / HTTP/1.0\nTransfer-Encoding: chunked\n\n", NULL},
		{HTTP_FAULT_CODING, "GET / HTTP/1.1\nTransfer-Encoding: br\n",
		 NULL},
		{HTTP_FAULT_EXPECT, "GET / HTTP/1.1\nExpect: x\n", NULL},
		{HTTP_FAULT_CHUNK, NULL, "\r"},
		{HTTP_FAULT_CHUNK, NULL, "5\n"},
		{HTTP_FAULT_CHUNK, NULL, "5\r5"},
		{HTTP_FAULT_CHUNK, NULL, "5\t"},
		{HTTP_FAULT_CHUNK, NULL, ";"},
		{HTTP_FAULT_CHUNK, NULL, "1234567890abcdef"},
		{HTTP_FAULT_CHUNK, NULL, "1\r\na\n"},
		{HTTP_FAULT_CHUNK, NULL, "1\r\na\r0"},
		{HTTP_FAULT_CHUNK, NULL, "1;\n"},
		{HTTP_FAULT_TRAILER, NULL, "0\r\n\n"},
		{HTTP_FAULT_TRAILER, NULL, "0\r\nA:\n"},
		{HTTP_FAULT_TRAILER, NULL, "0\r\nA "},
		{HTTP_FAULT_TRAILER, NULL, "0\r\n\r\r"},
	};
	static struct verdict v;
	char request[512];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(request, sizeof(request), "%s%s",
			 bad[i].head ? bad[i].head
				     : "GET / HTTP/1.1\r\nHost: h\r\n"
				       "Transfer-Encoding: chunked\r\n\r\n",
			 bad[i].body ? bad[i].body : "");
		ours(&v, request, strlen(request), 7);
		CU_ASSERT_EQUAL(v.fault, bad[i].fault);
		CU_ASSERT_EQUAL(v.len, strlen(request));
		/* A byte less and it was still fine. */
		ours(&v, request, strlen(request) - 1, 7);
		CU_ASSERT_EQUAL(v.fault, HTTP_FAULT_NONE);
		CU_ASSERT_FALSE(v.done);
	}
}

/* Each fault has a status of 4xx or 5xx, a clause and words. */
static void parse_fault_words(void)
{
	for (int f = HTTP_FAULT_NONE + 1; f <= HTTP_FAULT_TRAILER; f++) {
		CU_ASSERT_TRUE(http_fault_status(f) >= 400);
		CU_ASSERT_TRUE(http_fault_status(f) < 600);
		CU_ASSERT_FALSE(strncmp(http_fault_clause(f), "RFC ", 4));
		CU_ASSERT_TRUE(*http_fault_words(f) != '\0');
	}
}

/* The limits, on their edge and one beyond. */
static void parse_limits_exact(void)
{
	static char request[REQUEST_MAX];
	static struct verdict v;
	int n;

	for (int more = 0; more <= 1; more++) {
		n = sprintf(request, "GET /%0*d HTTP/1.0\n\n",
			    HTTP_TARGET_MAX - 1 + more, 0);
		ours(&v, request, (size_t)n, 100);
		CU_ASSERT_EQUAL(v.fault, more ? HTTP_FAULT_TARGET_LONG
					      : HTTP_FAULT_NONE);

		n = sprintf(request, "GET / HTTP/1.0\nConnection: %0*d\n\n",
			    HTTP_VALUE_MAX + more, 0);
		ours(&v, request, (size_t)n, 100);
		CU_ASSERT_EQUAL(v.fault,
				more ? HTTP_FAULT_VALUE_LONG : HTTP_FAULT_NONE);

		n = sprintf(request, "GET / HTTP/1.0\nX: %0*d\n\n",
			    HTTP_HEAD_MAX - 20 + more, 0);
		CU_ASSERT_EQUAL(n, HTTP_HEAD_MAX + more);
		ours(&v, request, (size_t)n, 1000);
		CU_ASSERT_EQUAL(v.fault,
				more ? HTTP_FAULT_HEAD_LONG : HTTP_FAULT_NONE);
		CU_ASSERT_EQUAL(v.done, !more);
	}
}

/* Names are compared whole, whatever follows where ours end. */
static void parse_names_whole(void)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length-X: 5\r\n"
		"Content-Lengt: 5\r\nTransfer-Encoding-Of-My-Dreams: x\r\n"
		"Transfer-EncodingTransfer-Encoding: x\r\n\r\n";
	static struct verdict v;

	ours(&v, request, strlen(request), 100);
	CU_ASSERT_TRUE(v.done);
	CU_ASSERT_EQUAL(v.body_len, 0);
	CU_ASSERT_EQUAL(v.len, strlen(request));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(parse_generated_agree), UNIT_TEST(parse_fault_each),
		UNIT_TEST(parse_fault_words),	  UNIT_TEST(parse_limits_exact),
		UNIT_TEST(parse_names_whole),
	};

	return unit_run("http_parse", tests, ARRAY_LEN(tests), argc, argv);
}
