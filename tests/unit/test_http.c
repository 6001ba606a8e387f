/*
 * test_http.c - The http service over a scripted stack
 *
 * Every request in `cases` is sent whole, cut at every byte, and answered
 * through a send queue that takes one byte at a time: the answer must be the
 * same. What cannot be seen in one answer (time, back-pressure, half-close,
 * memory) has a test of its own below.
 */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_conn.h"
#include "service/http.h"
#include "service/service.h"

#define S 1000000 /* a second */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static const struct http_case {
	const char *name, *request;
	const char *answers; /* statuses, in order */
	bool closes;
	const char *has; /* is in the output; NULL for nothing */
} cases[] = {
	{"page for a terminal",
	 "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: curl/7.88.1\r\n"
	 "Accept: */*\r\n\r\n",
	 "200", false, "Content-Type: text/plain; charset=utf-8\r\n"},
	{"page for a browser",
	 "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: Mozilla/5.0\r\n"
	 "Accept: text/html,application/xml;q=0.9,*/*;q=0.8\r\n\r\n",
	 "200", false, "<title>TCP Connection Analyzer \u00b7 tcphsd</title>"},
	{"curl that accepts anything",
	 "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: curl/8\r\n"
	 "Accept: text/html\r\n\r\n",
	 "200", false, "Content-Type: text/plain"},
	{"absolute form, query", GET("http://h:80/?x=1"), "200", false,
	 "TCP Connection Analyzer"},
	{"absolute form, no path", GET("http://h?x"), "200", false, NULL},
	{"lines ended by LF", "GET /bytes/3 HTTP/1.0\n\n", "200", true,
	 "Content-Length: 3\r\n"},
	{"empty lines first", "\r\n\n\r\n" GET("/bytes/0"), "200", false,
	 "Content-Length: 0\r\n"},
	{"half an empty line first", "\r\n\r\x01", "400", false,
	 "a CR without its LF"},
	{"HTTP/1.0 closes", "GET / HTTP/1.0\r\n\r\n", "200", true,
	 "Connection: close\r\n"},
	{"HTTP/1.0 keep-alive",
	 "GET /bytes/5 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "200",
	 false, "Connection: keep-alive\r\n"},
	{"HTTP/1.0 cannot keep a stream alive",
	 "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "200", true,
	 "Connection: close\r\n"},
	{"HTTP/1.1 asked to close",
	 "GET /bytes/5 HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n",
	 "200", true, "Connection: close\r\n"},
	{"HTTP/1.7 is HTTP/1.1", "GET /bytes/5 HTTP/1.7\r\nHost: h\r\n\r\n",
	 "200", false, NULL},
	{"pipelined",
	 GET("/bytes/1") GET("/nothing") GET("/") GET("/connections.json")
		 GET("/bytes/2"),
	 "200 404 200 200 200", false, NULL},
	{"pipelined, the middle one closes",
	 GET("/bytes/1") "GET / HTTP/1.1\r\nHost: h\r\n"
			 "Connection: close\r\n\r\n" GET("/bytes/2"),
	 "200 200", false /* lingers */, NULL},
	{"HEAD /", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" GET("/bytes/1"),
	 "200 200", false, "Transfer-Encoding: chunked\r\n"},
	{"HEAD /bytes", "HEAD /bytes/1099511627776 HTTP/1.1\r\nHost: h\r\n\r\n",
	 "200", false, "Content-Length: 1099511627776\r\n"},
	{"HEAD of nothing", "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", "404", false,
	 NULL},
	{"404 tells the paths", GET("/index.html"), "404", false,
	 "/connections.json"},
	{"too many bytes", GET("/bytes/1099511627777"), "404", false, NULL},
	{"overflowing bytes", GET("/bytes/99999999999999999999999"), "404",
	 false, NULL},
	{"no bytes", GET("/bytes/"), "404", false, NULL},
	{"signed bytes", GET("/bytes/-1"), "404", false, NULL},
	{"405", "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", "405", false,
	 "Allow: GET, HEAD\r\n"},
	{"405 of upload", GET("/upload"), "405", false, "Allow: POST, PUT\r\n"},
	{"405 for a part of a method", "HEA / HTTP/1.1\r\nHost: h\r\n\r\n",
	 "405", false, NULL},
	{"405 for the list", "GET, / HTTP/1.1\r\nHost: h\r\n\r\n", "400", false,
	 NULL},
	{"a body for GET ends the connection",
	 "GET /bytes/1 HTTP/1.1\r\nHost: h\r\nContent-Length: "
	 "5\r\n\r\nhello" GET("/"),
	 "200", false /* lingers */, "Connection: close\r\n"},
	{"upload",
	 "PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" GET(
		 "/bytes/1"),
	 "200 200", false,
	 "{\"length\":3,\"sha256\":\"ba7816bf8f01cfea414140de5dae2223"
	 "b00361a396177a9cb410ff61f20015ad\"}\n"},
	{"upload of nothing",
	 "POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "200",
	 false,
	 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"upload in chunks",
	 "POST /upload HTTP/1.1\r\nHost: h\r\n"
	 "Transfer-Encoding: Chunked\r\n\r\n"
	 "1;ext=\"1\"\r\na\r\n02\r\nbc\r\n0\r\nA: b\r\n\r\n" GET("/bytes/1"),
	 "200 200", false,
	 "{\"length\":3,\"sha256\":\"ba7816bf8f01cfea414140de5dae2223"},
	{"upload too large",
	 "POST /upload HTTP/1.1\r\nHost: h\r\n"
	 "Content-Length: 17179869185\r\n\r\nabc",
	 "413", false, "Connection: close\r\n"},
	{"chunk too large",
	 "POST /upload HTTP/1.1\r\nHost: h\r\n"
	 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n400000000\r\n",
	 "413", false, NULL},
	{"bad and too large",
	 "POST /upload HTTP/1.1\r\nHost: h\r\n"
	 "Transfer-Encoding: chunked\r\n\r\n400000000\r~",
	 "400", false, "a malformed chunk"},
	{"bad chunk",
	 "POST /upload HTTP/1.1\r\nHost: h\r\n"
	 "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
	 "400", false, "a malformed chunk (RFC 9112, 7.1)"},
	{"no Host", "GET / HTTP/1.1\r\n\r\n", "400", false, "Host"},
	{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400",
	 false, NULL},
	{"space before colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", "400",
	 false, "RFC 9112, 5.1"},
	{"folded line", "GET / HTTP/1.1\r\nHost: h\r\n x\r\n\r\n", "400", false,
	 NULL},
	{"lone CR", "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", "400", false,
	 NULL},
	{"two lengths",
	 "PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
	 "Content-Length: 4\r\n\r\nabcd",
	 "400", false, "more than one Content-Length"},
	{"length and coding",
	 "PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
	 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	 "400", false, "Content-Length beside Transfer-Encoding"},
	{"length is a list",
	 "PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc",
	 "400", false, NULL},
	{"length overflows",
	 "PUT /upload HTTP/1.1\r\nHost: h\r\n"
	 "Content-Length: 18446744073709551619\r\n\r\nabc",
	 "400", false, NULL},
	{"unknown coding",
	 "PUT /upload HTTP/1.1\r\nHost: h\r\n"
	 "Transfer-Encoding: gzip, chunked\r\n\r\n",
	 "501", false, NULL},
	{"coding in HTTP/1.0",
	 "PUT /upload HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400",
	 false, NULL},
	{"other expectation",
	 "PUT /upload HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n", "417",
	 false, NULL},
	{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", false, NULL},
	{"HTTP/0.9", "GET /\r\n", "400", false, NULL},
	{"TLS", "\x16\x03\x01\x02", "400", false, NULL},
	{"SSH", "SSH-2.0-OpenSSH_9.2\r\n", "501", false, NULL},
};

static struct stack *http_open_drip(size_t drip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct stack *st = fake_open_drip(&http_service, drip);
	struct listener_info *l = st->listeners;

	memcpy(st->conf.own4.b, mapped, 12);
	memcpy(st->conf.own4.b + 12, "\xc6\x12\x42\x02", 4);
	st->conf.host4 = st->conf.own4;
	st->conf.host4.b[15] = 1;
	st->conf.net4.len = 120;
	st->nlisteners = 2;
	strcpy(l[0].conf.name, "http");
	l[0].conf.service = &http_service;
	l[0].conf.port = 80;
	l[0].conf.enabled = true;
	strcpy(l[1].conf.name, "<echo&\">");
	l[1].conf.service = &echo_service;
	l[1].conf.port = 7;
	l[1].conf.enabled = true;
	st->rows = 3;
	return st;
}

static struct stack *http_open(void)
{
	return http_open_drip(SIZE_MAX / 2);
}

/* The output so far as a string; its zero is not sent. */
static const char *out(struct stack *st)
{
	struct tcp_conn *c = &st->conn;

	c->out = realloc(c->out, c->out_len + 1);
	c->out_size = c->out_len + 1;
	CU_ASSERT_PTR_NOT_NULL_FATAL(c->out);
	c->out[c->out_len] = '\0';
	return (const char *)c->out;
}

static void start_over(struct stack *st)
{
	st->conn.out_len = 0;
}

/* Take the body of the answer at *@p; the text is to be freed. */
static char *take_answer(const char **p, const char *end, bool head_only,
			 int *status, size_t *len)
{
	const char *body = strstr(*p, "\r\n\r\n");
	const char *length, *coding;
	struct http_head h = {0};
	struct http_body b;
	const uint8_t *run;
	size_t n, run_len;
	char *text;

	if (strncmp(*p, "HTTP/1.1 ", 9) != 0 || !body)
		return NULL;
	*status = atoi(*p + 9);
	body += 4;
	length = strstr(*p, "Content-Length: ");
	coding = strstr(*p, "Transfer-Encoding: chunked");
	h.chunked = coding && coding < body;
	if (length && length < body)
		h.length = strtoull(length + 16, NULL, 10);
	else if (!h.chunked)
		h.length = (uint64_t)(end - body); /* to the end */
	if (head_only)
		h.length = h.chunked = 0;
	http_body_init(&b, &h);
	text = calloc(1, (size_t)(end - body) + 1);
	*len = 0;
	while (text && !b.done && !b.fault && body < end) {
		n = http_body_take(&b, body, (size_t)(end - body), &run,
				   &run_len);
		memcpy(text + *len, run, run_len);
		*len += run_len;
		body += n;
	}
	*p = body;
	if (!b.done) {
		free(text);
		return NULL;
	}
	return text;
}

/* Does the output consist of whole answers with these statuses? */
static bool answers_are(struct stack *st, const char *want, bool head_first)
{
	const char *p = out(st), *end = p + st->conn.out_len;
	char got[128] = "", *text;
	size_t len;
	int status;

	while (p < end && strlen(got) < 100) {
		text = take_answer(&p, end, head_first && !*got, &status, &len);
		if (!text)
			return false;
		free(text);
		sprintf(got + strlen(got), "%s%d", *got ? " " : "", status);
	}
	return !strcmp(got, want);
}

static void run_case(const struct http_case *k, size_t drip, size_t run,
		     bool bytewise, char **same)
{
	struct stack *st = http_open_drip(drip);
	bool good;

	st->conn.run_max = run;
	for (size_t i = 0; bytewise && k->request[i]; i++) {
		fake_rx(st, k->request + i, 1);
		fake_run(st);
	}
	if (!bytewise)
		fake_rx_text(st, k->request);
	fake_run(st);
	good = answers_are(st, k->answers, !strncmp(k->request, "HEAD", 4)) &&
	       (!k->has || strstr(out(st), k->has)) &&
	       (bytewise || st->conn.closed == k->closes) && !st->conn.over;
	if (!*same)
		*same = strdup(out(st));
	good = good && (bytewise || !strcmp(*same, out(st)));
	if (!good)
		fprintf(stderr, "%s (drip %zu, run %zu%s):\n%s\n", k->name,
			drip, run, bytewise ? ", bytewise" : "", out(st));
	CU_ASSERT_TRUE(good);
	fake_end(st);
}

static void http_cases_any_cut(void)
{
	char *same;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		same = NULL;
		run_case(&cases[i], SIZE_MAX / 2, SIZE_MAX, false, &same);
		run_case(&cases[i], SIZE_MAX / 2, 1, false, &same);
		run_case(&cases[i], 1, SIZE_MAX, false, &same);
		run_case(&cases[i], 13, 5, false, &same);
		run_case(&cases[i], 1000, 3, true, &same);
		free(same);
	}
}

static void http_bytes_pattern(void)
{
	static const size_t sizes[] = {0,     1,     250,   251,    252,
				       65510, 65511, 65512, 1000000};
	char request[128], *text;
	const char *p;
	size_t len, wrong;
	int status;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct stack *st = http_open_drip(i % 2 ? 777 : 100000);

		sprintf(request, GET("/bytes/%zu"), sizes[i]);
		fake_rx_text(st, request);
		fake_run(st);
		p = out(st);
		text = take_answer(&p, p + st->conn.out_len, false, &status,
				   &len);
		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		CU_ASSERT_EQUAL(len, sizes[i]);
		wrong = 0;
		for (size_t b = 0; b < len; b++)
			wrong += (uint8_t)text[b] != b % 251;
		CU_ASSERT_EQUAL(wrong, 0);
		CU_ASSERT_EQUAL(*p, '\0');
		free(text);
		fake_end(st);
	}
}

/* A table of any size is listed once, whole, and in bites. */
static void http_json_all_rows(void)
{
	static const uint32_t rows[] = {0, 1, 31, 32, 33, 64, 1000};
	const char *p;
	char *text;
	size_t len;
	int status;
	json_t *j;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stack *st = http_open_drip(i % 2 ? 1 : 3000);

		st->rows = rows[i];
		st->gaps = (uint32_t)i * 100;
		fake_rx_text(st, GET("/connections.json"));
		fake_run(st);
		p = out(st);
		text = take_answer(&p, p + st->conn.out_len, false, &status,
				   &len);
		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		j = json_loads(text, 0, NULL);
		CU_ASSERT_PTR_NOT_NULL_FATAL(j);
		CU_ASSERT_EQUAL(json_integer_value(json_object_get(j, "count")),
				rows[i]);
		CU_ASSERT_EQUAL(
			json_array_size(json_object_get(j, "connections")),
			rows[i]);
		CU_ASSERT_TRUE(st->bite_max <= 1024);
		json_decref(j);
		free(text);
		fake_end(st);
	}
}

static void http_page_tells(void)
{
	struct stack *st = http_open();
	const char *page;

	service_start(st->now_us - 192 * S, fake_wall - 192);
	fake_rx_text(st, GET("/"));
	fake_run(st);
	page = out(st);
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "tcphsd " TCPHS_VERSION));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(page, "3m12s, since 2026-11-21 09:04:14 UTC"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "198.18.66.2"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "waiting for client"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "198.18.66.1:49152"));
	CU_ASSERT_PTR_NOT_NULL(strstr(page, "nc 198.18.66.2 7"));
	CU_ASSERT_PTR_NULL(strstr(page, "are shown"));
	fake_end(st);
}

static void http_page_html_escaped(void)
{
	struct stack *st = http_open();

	fake_rx_text(st, "GET / HTTP/1.1\r\nHost: h\r\n"
			 "Accept: text/html\r\n\r\n");
	fake_run(st);
	CU_ASSERT_PTR_NOT_NULL(strstr(out(st), "&lt;echo&amp;&quot;&gt;"));
	CU_ASSERT_PTR_NULL(strstr(out(st), "<echo&"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out(st), "3 of 3 connections"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out(st), "\r\n0\r\n\r\n"));
	CU_ASSERT_PTR_NULL(strstr(out(st), "<script"));
	fake_end(st);
}

static void http_page_200_rows(void)
{
	struct stack *st = http_open();

	st->rows = 1000;
	fake_rx_text(st, GET("/"));
	fake_run(st);
	CU_ASSERT_PTR_NOT_NULL(strstr(out(st), "200 of 1000 are shown"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out(st), "\nc200 "));
	CU_ASSERT_PTR_NULL(strstr(out(st), "\nc201 "));
	fake_end(st);
}

/* Between requests a connection has nothing but its alarm. */
static void http_idle_holds_nothing(void)
{
	struct stack *st = http_open();

	CU_ASSERT_PTR_NULL(st->conn.user);
	fake_rx_text(st, "GET / HT");
	fake_run(st);
	CU_ASSERT_PTR_NOT_NULL(st->conn.user);
	fake_rx_text(st, "TP/1.1\r\nHost: h\r\n\r\n\r\n");
	fake_run(st);
	CU_ASSERT_PTR_NULL(st->conn.user);
	CU_ASSERT_EQUAL(st->conn.in_len, 0);
	CU_ASSERT_EQUAL(st->conn.alarm_at_us, st->now_us + 60 * S);
	start_over(st);
	fake_pass(st, 60 * S);
	CU_ASSERT_TRUE(st->conn.closed);
	CU_ASSERT_EQUAL(st->conn.out_len, 0); /* without a word */
	fake_end(st);
}

static void http_open_silent(void)
{
	struct stack *st = http_open();

	fake_rx_text(st, "\r\n\r\n"); /* no request: the time goes on */
	fake_run(st);
	fake_pass(st, 59 * S);
	CU_ASSERT_FALSE(st->conn.closed);
	fake_pass(st, 1 * S);
	CU_ASSERT_TRUE(st->conn.closed);
	CU_ASSERT_EQUAL(st->conn.out_len, 0);
	fake_end(st);
}

/* A head has 10 seconds, however often a byte of it comes. */
static void http_head_slow(void)
{
	struct stack *st = http_open();

	fake_pass(st, 50 * S);
	for (int i = 0; i < 5; i++) {
		fake_rx_text(st, "G");
		fake_run(st);
		CU_ASSERT_EQUAL(st->conn.out_len, 0);
		fake_pass(st, 2 * S);
	}
	CU_ASSERT_TRUE(answers_are(st, "408", false));
	CU_ASSERT_FALSE(st->conn.closed);
	fake_rx_fin(st);
	fake_run(st);
	CU_ASSERT_TRUE(st->conn.closed);
	fake_end(st);
}

/* A body has 30 seconds from each byte to the next. */
static void http_body_slow(void)
{
	struct stack *st = http_open();

	fake_rx_text(st, "PUT /upload HTTP/1.1\r\nHost: h\r\n"
			 "Content-Length: 9\r\n\r\n");
	fake_run(st);
	for (int i = 0; i < 4; i++) {
		fake_rx_text(st, "G");
		fake_run(st);
		fake_pass(st, 29 * S);
		CU_ASSERT_EQUAL(st->conn.out_len, 0);
	}
	fake_pass(st, 1 * S);
	CU_ASSERT_TRUE(answers_are(st, "408", false));
	fake_pass(st, 5 * S);
	CU_ASSERT_TRUE(st->conn.closed);
	fake_end(st);
}

/* RFC 9110, 10.1.1 */
static void http_expect_continue(void)
{
	struct stack *st = http_open_drip(1);

	fake_rx_text(st, "PUT /upload HTTP/1.1\r\nHost: h\r\n"
			 "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
	fake_run(st);
	CU_ASSERT_STRING_EQUAL(out(st), "HTTP/1.1 100 Continue\r\n\r\n");
	start_over(st);
	fake_rx_text(st, "abc");
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "200", false));
	fake_end(st);
}

static void http_expect_refused(void)
{
	struct stack *st = http_open();

	fake_rx_text(st, "PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: "
			 "99999999999999\r\nExpect: 100-continue\r\n\r\n");
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "413", false));
	fake_end(st);
}

/* Stuck in the middle of 100 Continue when the body comes after all. */
static void http_expect_stuck(void)
{
	struct stack *st = http_open_drip(5);

	st->conn.stop = 5;
	fake_rx_text(st, "PUT /upload HTTP/1.1\r\nHost: h\r\n"
			 "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
	fake_run(st);
	CU_ASSERT_STRING_EQUAL(out(st), "HTTP/");
	fake_rx_text(st, "abc");
	fake_run(st);
	st->conn.stop = 0;
	fake_run(st);
	CU_ASSERT_FALSE(strncmp(
		out(st), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", 40));
	fake_end(st);
}

/* Hashed a slice a turn; the deadline is that of the last byte. */
static void http_upload_large(void)
{
	static uint8_t body[1000000];
	uint8_t sum[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(sum) + 1];
	struct stack *st = http_open();
	int64_t began_us;

	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * i >> 7);
	crypto_hash_sha256(sum, body, sizeof(body));
	sodium_bin2hex(hex, sizeof(hex), sum, sizeof(sum));
	fake_rx_text(st, "POST /upload HTTP/1.1\r\nHost: h\r\n"
			 "Content-Length: 1000000\r\n\r\n");
	fake_rx(st, body, 600000);
	began_us = st->now_us;
	fake_run(st);
	CU_ASSERT_EQUAL(st->conn.in_len, 0);
	CU_ASSERT_EQUAL(st->now_us, began_us + 600000 / 65536); /* turns */
	CU_ASSERT_EQUAL(st->conn.alarm_at_us, st->now_us + 30 * S);
	fake_pass(st, 29 * S);
	fake_rx(st, body + 600000, 400000);
	fake_rx_text(st, GET("/bytes/1"));
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "200 200", false));
	CU_ASSERT_PTR_NOT_NULL(strstr(out(st), hex));
	fake_end(st);
}

/* A client that pipelines and does not read: its requests stay outside. */
static void http_pipeline_stuck(void)
{
	struct stack *st = http_open_drip(100);
	size_t left = strlen(GET("/bytes/1")) + strlen(GET("/"));

	st->conn.stop = 1000;
	fake_rx_text(st, GET("/bytes/100000") GET("/bytes/1") GET("/"));
	fake_run(st);
	CU_ASSERT_EQUAL(st->conn.out_len, 1000);
	CU_ASSERT_EQUAL(st->conn.in_len, left);
	CU_ASSERT_EQUAL(st->conn.alarm_at_us, TIME_NEVER);
	st->conn.stop = 0;
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "200 200 200", false));
	fake_end(st);
}

/* However many come at once, each is answered. */
static void http_pipeline_long(void)
{
	struct stack *st = http_open();
	size_t n = 0;

	for (int i = 0; i < 500; i++)
		fake_rx_text(st, GET("/bytes/0"));
	fake_run(st);
	for (const char *p = out(st); (p = strstr(p, "HTTP/1.1 200")); p++)
		n++;
	CU_ASSERT_EQUAL(n, 500);
	CU_ASSERT_PTR_NULL(st->conn.user);
	fake_end(st);
}

/* A client may close its side after the request. */
static void http_half_close_answered(void)
{
	struct stack *st = http_open_drip(10);

	fake_rx_text(st, GET("/bytes/10000") GET("/bytes/5"));
	fake_rx_fin(st);
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "200 200", false));
	CU_ASSERT_TRUE(st->conn.closed);
	fake_end(st);
}

static void http_half_close_amid_head(void)
{
	struct stack *st = http_open();

	fake_rx_text(st, "GET / HTTP/1.1\r\nHost: h\r\n");
	fake_rx_fin(st);
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "400", false));
	CU_ASSERT_TRUE(st->conn.closed);
	fake_end(st);
}

static void http_half_close_amid_body(void)
{
	struct stack *st = http_open();

	fake_rx_text(st, "PUT /upload HTTP/1.1\r\nHost: h\r\n"
			 "Content-Length: 4\r\n\r\nabc");
	fake_rx_fin(st);
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "400", false));
	CU_ASSERT_TRUE(st->conn.closed);
	fake_end(st);
}

/* RFC 9112, 9.6: text of a refused body must not meet a closed endpoint, or
 * the RST takes the answer with it. */
static void http_refused_lingers(void)
{
	struct stack *st = http_open();

	fake_rx_text(st, "PUT /upload HTTP/1.1\r\nHost: h\r\n"
			 "Content-Length: 99999999999999\r\n\r\n");
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "413", false));
	for (int i = 0; i < 4; i++) {
		fake_rx_text(st, GET("/"));
		fake_run(st);
		CU_ASSERT_EQUAL(st->conn.in_len, 0);
		fake_pass(st, 1 * S);
	}
	CU_ASSERT_TRUE(answers_are(st, "413", false));
	CU_ASSERT_FALSE(st->conn.closed);
	fake_pass(st, 1 * S);
	CU_ASSERT_TRUE(st->conn.closed);
	CU_ASSERT_FALSE(st->conn.late);
	fake_end(st);
}

static void http_head_limit(void)
{
	struct stack *st = http_open();

	fake_rx_text(st, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < 400; i++)
		fake_rx_text(st, "X-Padding: 0123456789012345678901234567\r\n");
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "431", false));
	fake_end(st);
}

static void http_target_limit(void)
{
	struct stack *st = http_open();
	char path[HTTP_TARGET_MAX + 1];

	memset(path, 'a', sizeof(path));
	fake_rx_text(st, "GET /");
	fake_rx(st, path, HTTP_TARGET_MAX - 1);
	fake_rx_text(st, " HTTP/1.1\r\nHost: h\r\n\r\nGET /");
	fake_rx(st, path, HTTP_TARGET_MAX);
	fake_run(st);
	CU_ASSERT_TRUE(answers_are(st, "404 414", false));
	fake_end(st);
}

/* A connection may end at any moment. AddressSanitizer says if that leaks. */
static void http_reset_anywhere(void)
{
	static const char request[] = GET("/") GET(
		"/connections.json") "PUT /upload HTTP/1.1\r\n"
				     "Host: h\r\nTransfer-Encoding: "
				     "chunked\r\n\r\n3\r\nabc\r\n"
				     "0\r\n\r\n" GET("/bytes/300") "BAD\r\n";

	for (size_t i = 0; i < sizeof(request); i++) {
		struct stack *st = http_open_drip(50);

		fake_rx(st, request, i);
		fake_run(st);
		fake_end(st);
	}
	for (size_t stop = 1; stop < 5000; stop += 41) {
		struct stack *st = http_open_drip(41);

		st->conn.stop = stop;
		fake_rx_text(st, request);
		fake_run(st);
		fake_end(st);
	}
}

static void http_numbers_short(void)
{
	static const struct conn_info full, half_open = {.half_open = true},
					    time_wait = {.age_us = -1};
	char buf[HTTP_SHORT_MAX];

	CU_ASSERT_STRING_EQUAL(http_age(-1, buf), "-");
	CU_ASSERT_STRING_EQUAL(http_age(850000, buf), "850ms");
	CU_ASSERT_STRING_EQUAL(http_age(59 * S, buf), "59s");
	CU_ASSERT_STRING_EQUAL(http_age(192 * S, buf), "3m12s");
	CU_ASSERT_STRING_EQUAL(http_age(18180LL * S, buf), "5h03m");
	CU_ASSERT_STRING_EQUAL(http_age(198000LL * S, buf), "2d07h");
	CU_ASSERT_STRING_EQUAL(http_size(0, buf), "0");
	CU_ASSERT_STRING_EQUAL(http_size(999, buf), "999");
	CU_ASSERT_STRING_EQUAL(http_size(1000, buf), "1.0K");
	CU_ASSERT_STRING_EQUAL(http_size(1434, buf), "1.4K");
	CU_ASSERT_STRING_EQUAL(http_size(24117248, buf), "23M");
	CU_ASSERT_STRING_EQUAL(http_size(UINT64_MAX, buf), "16E");
	CU_ASSERT_STRING_EQUAL(http_traffic(&full, 0, buf), "0");
	CU_ASSERT_STRING_EQUAL(http_traffic(&full, 1434, buf), "1.4K");
	CU_ASSERT_STRING_EQUAL(http_traffic(&half_open, 0, buf), "-");
	CU_ASSERT_STRING_EQUAL(http_traffic(&time_wait, 0, buf), "-");
	CU_ASSERT_STRING_EQUAL(http_rtt(0, buf), "-");
	CU_ASSERT_STRING_EQUAL(http_rtt(213, buf), "0.21ms");
	CU_ASSERT_STRING_EQUAL(http_rtt(1500000, buf), "1.50s");
}

static char report_arg[] = "m";

/* Three parts, the second of them long. */
static bool report(void *arg, unsigned int index, FILE *out)
{
	CU_ASSERT_PTR_EQUAL(arg, report_arg);
	if (index == 1)
		for (int i = 0; i < 30000; i++)
			fputc(*report_arg, out);
	else
		fprintf(out, "part %u\n", index);
	return index < 2;
}

/* /metrics is all parts, one after the other; the page of http is not there. */
static void metrics_service_answers(void)
{
	const char *p, *all;
	char *text;
	size_t len;
	int status;

	for (int drip = 0; drip < 2; drip++) {
		struct stack *st =
			fake_open_drip(&metrics_service, drip ? 1 : 3000);

		service_report(report, report_arg);
		fake_rx_text(st, GET("/metrics") GET("/connections.json"));
		fake_run(st);
		all = p = out(st); /* moves what it gave before */
		text = take_answer(&p, p + st->conn.out_len, false, &status,
				   &len);
		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		CU_ASSERT_EQUAL(status, 200);
		CU_ASSERT_EQUAL(len, 30000 + 2 * strlen("part 0\n"));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "mmpart 2\n"));
		CU_ASSERT_PTR_NOT_NULL(
			strstr(all, "text/plain; version=0.0.4"));
		CU_ASSERT_EQUAL(strncmp(p, "HTTP/1.1 404 ", 13), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(p, "/metrics "));
		CU_ASSERT_PTR_NULL(strstr(p, "/upload"));
		free(text);
		fake_end(st);
	}
	service_report(NULL, NULL);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(http_cases_any_cut),
		UNIT_TEST(http_bytes_pattern),
		UNIT_TEST(http_json_all_rows),
		UNIT_TEST(http_page_tells),
		UNIT_TEST(http_page_html_escaped),
		UNIT_TEST(http_page_200_rows),
		UNIT_TEST(http_idle_holds_nothing),
		UNIT_TEST(http_open_silent),
		UNIT_TEST(http_head_slow),
		UNIT_TEST(http_body_slow),
		UNIT_TEST(http_expect_continue),
		UNIT_TEST(http_expect_refused),
		UNIT_TEST(http_expect_stuck),
		UNIT_TEST(http_upload_large),
		UNIT_TEST(http_pipeline_stuck),
		UNIT_TEST(http_pipeline_long),
		UNIT_TEST(http_half_close_answered),
		UNIT_TEST(http_half_close_amid_head),
		UNIT_TEST(http_half_close_amid_body),
		UNIT_TEST(http_refused_lingers),
		UNIT_TEST(http_head_limit),
		UNIT_TEST(http_target_limit),
		UNIT_TEST(http_reset_anywhere),
		UNIT_TEST(http_numbers_short),
		UNIT_TEST(metrics_service_answers),
	};

	return unit_run("http", tests, sizeof(tests) / sizeof(tests[0]), argc,
			argv);
}
