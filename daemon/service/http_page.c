/*
 * http_page.c - The page at /: for whom, what it tells, how numbers look
 *
 * A browser says that it accepts text/html and gets HTML. curl, wget and
 * whoever does not say so get the same page as text for a terminal.
 */
#include "service/http.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/assert.h"
#include "describe.h"
#include "service/service.h"

enum { STEP_TOP, STEP_ROWS, STEP_END };

static http_piece_fn page_piece;

void http_page_begin(struct stack *st, struct tcp_conn *c, struct http_conn *h,
		     const char *rest)
{
	bool html = h->head.accepts_html && !h->head.terminal;

	(void)st;
	(void)c;
	(void)rest;
	h->walk.cursor = 0;
	h->walk.rows = 0;
	h->walk.step = STEP_TOP;
	h->walk.page = html ? &http_html : &http_text;
	h->wide = true;
	if (html)
		http_answer(h, 200, "text/html; charset=utf-8",
			    "Vary: Accept, User-Agent\r\n"
			    "X-Content-Type-Options: nosniff\r\n"
			    "Content-Security-Policy: default-src 'none'; "
			    "style-src 'unsafe-inline'; frame-ancestors "
			    "'none'; base-uri 'none'; form-action 'none'\r\n",
			    HTTP_STREAMED, page_piece);
	else
		http_answer(h, 200, "text/plain; charset=utf-8",
			    "Vary: Accept, User-Agent\r\n", HTTP_STREAMED,
			    page_piece);
}

/* The rows come in bites, so that no table, however long, stops the loop. */
static bool page_rows(struct stack *st, struct tcp_conn *c, struct http_conn *h)
{
	struct conn_info rows[HTTP_ROWS];
	uint32_t n;
	bool more = http_walk(st, &h->walk.cursor, rows, &n);

	for (uint32_t i = 0; i < n && h->walk.rows < HTTP_PAGE_ROWS; i++) {
		h->walk.page->row(st, c, h, &rows[i]);
		h->walk.rows++;
	}
	return more && h->walk.rows < HTTP_PAGE_ROWS;
}

static enum http_piece page_piece(struct stack *st, struct tcp_conn *c,
				  struct http_conn *h)
{
	switch (h->walk.step) {
	case STEP_TOP:
		h->walk.page->top(st, c, h);
		h->walk.step = STEP_ROWS;
		return HTTP_MORE;
	case STEP_ROWS:
		if (!page_rows(st, c, h))
			h->walk.step = STEP_END;
		return HTTP_MORE;
	default:
		h->walk.page->end(st, c, h);
		return HTTP_LAST;
	}
}

void http_facts(struct stack *st, struct tcp_conn *c, struct http_facts *f)
{
	const struct stack_conf *conf = stack_conf(st);
	struct stack_stats stats;
	struct conn_info me;
	char a4[IPADDR_TEXT_MAX] = "", a6[IPADDR_TEXT_MAX] = "";
	int64_t began_us;
	time_t began = service_started(&began_us);
	struct tm tm;
	bool v4 = conf->net4.len, v6 = conf->net6.len, bare;

	http_age(stack_now(st) - began_us, f->up);
	gmtime_r(&began, &tm);
	strftime(f->since, sizeof(f->since), "%F %T UTC", &tm);
	if (v4)
		ipaddr_format(&conf->own4, a4);
	if (v6)
		ipaddr_format(&conf->own6, a6);
	snprintf(f->addresses, sizeof(f->addresses), "%s%s%s", a4,
		 v4 && v6 ? " and " : "", a6);

	tcp_info(st, c, &me, stack_now(st));
	ipaddr_format(&me.local, f->host);
	bare = ip_addr_is4(&me.local);
	snprintf(f->url, sizeof(f->url), "http://%s%s%s", bare ? "" : "[",
		 f->host, bare ? "" : "]");
	if (me.local_port != 80)
		snprintf(f->url + strlen(f->url),
			 sizeof(f->url) - strlen(f->url), ":%u", me.local_port);

	service_stats(st, &stats);
	f->open = stats.full;
	f->half_open = stats.half_open;
	f->time_wait = stats.time_wait;
	f->all = f->open + f->half_open + f->time_wait;
}

bool http_listener(struct stack *st, unsigned int *index,
		   struct listener_info *l, char status[HTTP_STATUS_MAX])
{
	const char *words;
	json_t *j;

	while (*index < STACK_LISTENERS_MAX) {
		if (!service_listener(st, (*index)++, l))
			continue;
		j = describe_listener(l);
		words = json_string_value(json_object_get(j, "status"));
		snprintf(status, HTTP_STATUS_MAX, "%s", words ? words : "");
		json_decref(j);
		return true;
	}
	return false;
}

static void advise(struct http_conn *h, const char *before, const char *what,
		   const char *after, const char *words)
{
	char command[128];

	snprintf(command, sizeof(command), "%s%s%s", before, what, after);
	http_put(h, "  %-52s %s\n", command, words);
}

void http_advice(struct stack *st, struct tcp_conn *c, struct http_conn *h)
{
	static const struct {
		const char *service, *words;
	} services[] = {
		{"echo", "what you type comes back"},
		{"daytime", "the time; we close first"},
		{"qotd", "a saying"},
		{"chargen", "characters without end"},
	};
	struct listener_info l;
	struct http_facts f;
	char status[HTTP_STATUS_MAX], port[8];

	http_facts(st, c, &f);
	for (unsigned int i = 0; http_listener(st, &i, &l, status);) {
		snprintf(port, sizeof(port), " %u", l.conf.port);
		for (size_t s = 0; s < ARRAY_LEN(services); s++)
			if (l.conf.enabled &&
			    !strcmp(services[s].service, l.conf.service->name))
				advise(h, "nc ", f.host, port,
				       services[s].words);
	}
	advise(h, "curl ", f.url, "/connections.json", "this table as JSON");
	advise(h, "curl -o /dev/null ", f.url, "/bytes/100000000",
	       "how fast are we?");
	advise(h, "curl -T FILE ", f.url, "/upload", "its length and SHA-256");
	advise(h, "tcphsctl", "", "", "status and this table");
	advise(h, "tcphsctl show last", "", "", "all about the newest one");
}

const char *http_age(int64_t us, char buf[HTTP_SHORT_MAX])
{
	long long s = us / 1000000;

	if (us < 0)
		snprintf(buf, HTTP_SHORT_MAX, "-");
	else if (s < 1)
		snprintf(buf, HTTP_SHORT_MAX, "%lldms", (long long)us / 1000);
	else if (s < 60)
		snprintf(buf, HTTP_SHORT_MAX, "%llds", s);
	else if (s < 3600)
		snprintf(buf, HTTP_SHORT_MAX, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, HTTP_SHORT_MAX, "%lldh%02lldm", s / 3600,
			 s / 60 % 60);
	else
		snprintf(buf, HTTP_SHORT_MAX, "%lldd%02lldh", s / 86400,
			 s / 3600 % 24);
	return buf;
}

const char *http_size(uint64_t bytes, char buf[HTTP_SHORT_MAX])
{
	static const char units[] = "KMGTPE";
	double v = (double)bytes;
	int u = -1;

	while (v >= 999.5 && units[u + 1]) {
		v /= 1024;
		u++;
	}
	if (u < 0)
		snprintf(buf, HTTP_SHORT_MAX, "%.0f", v);
	else
		snprintf(buf, HTTP_SHORT_MAX, v < 9.95 ? "%.1f%c" : "%.0f%c", v,
			 units[u]);
	return buf;
}

const char *http_traffic(const struct conn_info *info, uint64_t bytes,
			 char buf[HTTP_SHORT_MAX])
{
	if (!info->half_open && info->age_us >= 0)
		return http_size(bytes, buf);
	snprintf(buf, HTTP_SHORT_MAX, "-");
	return buf;
}

const char *http_rtt(int64_t us, char buf[HTTP_SHORT_MAX])
{
	if (us <= 0)
		snprintf(buf, HTTP_SHORT_MAX, "-");
	else if (us < 100000)
		snprintf(buf, HTTP_SHORT_MAX, "%.2fms", (double)us / 1000);
	else
		snprintf(buf, HTTP_SHORT_MAX, "%.2fs", (double)us / 1000000);
	return buf;
}
