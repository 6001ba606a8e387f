/*
 * http_html.c - The page at / for a browser
 *
 * One document without scripts, images or anything to fetch. It follows the
 * reader's light or dark setting and narrows to 400 pixels: the tables scroll
 * in their own boxes and leave out the columns of class "w".
 */
#include "service/http.h"

#include <string.h>

#include <tcphs/plural.h>

static const char head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, "
	"initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n"
	"<title>TCP Connection Analyzer \u00b7 tcphsd</title>\n"
	"<style>\n"
	":root{--ink:#1b1f24;--dim:#59636e;--paper:#fff;--line:#d1d9e0;"
	"--mark:#ddf4ff;--link:#0550ae}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;"
	"--paper:#0d1117;--line:#3d444d;--mark:#12314f;--link:#79c0ff}}\n"
	"body{margin:0 auto;padding:1rem;max-width:70rem;color:var(--ink);"
	"background:var(--paper);font:1rem/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.5rem;margin:0}\n"
	"h2{font-size:1.1rem;margin:2rem 0 .5rem}\n"
	"p,.dim{color:var(--dim);margin:.3rem 0}\n"
	"a{color:var(--link)}\n"
	"dl{display:grid;grid-template-columns:auto 1fr;gap:.2rem 1rem}\n"
	"dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}\n"
	".t{overflow-x:auto}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem;"
	"font-variant-numeric:tabular-nums}\n"
	"th,td{text-align:left;padding:.3rem .7rem .3rem 0;white-space:nowrap;"
	"border-bottom:1px solid var(--line)}\n"
	"th{color:var(--dim);font-weight:600}\n"
	".n{text-align:right}\n"
	".me{background:var(--mark)}\n"
	"pre{overflow-x:auto;border:1px solid var(--line);padding:.7rem;"
	"font-size:.85rem}\n"
	"@media(max-width:40rem){.w{display:none}}\n"
	"</style>\n"
	"</head>\n"
	"<body>\n"
	"<header>\n"
	"<h1>TCP Connection Analyzer</h1>\n";

static void html_escape(struct http_conn *h, const char *text)
{
	static const char special[] = "&<>\"'";
	static const char *const entities[] = {"&amp;", "&lt;", "&gt;",
					       "&quot;", "&#39;"};
	size_t n;

	while (*text) {
		n = strcspn(text, special);
		http_put_bytes(h, text, n);
		text += n;
		if (*text)
			http_put(h, "%s",
				 entities[strchr(special, *text++) - special]);
	}
}

static void html_listener(struct http_conn *h, const struct listener_info *l,
			  const char *status)
{
	http_put(h, "<tr><td>");
	html_escape(h, l->conf.name);
	http_put(h, "<td>");
	html_escape(h, l->conf.service->name);
	http_put(h, "<td class=\"n\">%u<td>", l->conf.port);
	html_escape(h, status);
	http_put(h, "<td class=\"n w\">%llu\n", (unsigned long long)l->opened);
}

static void html_top(struct stack *st, struct tcp_conn *c, struct http_conn *h)
{
	struct listener_info l;
	struct http_facts f;
	char status[HTTP_STATUS_MAX];

	http_facts(st, c, &f);
	http_put_bytes(h, head, sizeof(head) - 1);
	http_put(h,
		 "<p>tcphsd " TCPHS_VERSION " answered this request with a "
		 "TCP of its own, on connection c%u. "
		 "<a href=\"/\">Reload</a></p>\n"
		 "</header>\n"
		 "<main>\n"
		 "<dl>\n"
		 "<dt>Up<dd>%s, since %s\n"
		 "<dt>Addresses<dd>%s\n"
		 "<dt>Connections<dd>%u open, %u half-open, %u in TIME-WAIT\n"
		 "</dl>\n"
		 "<h2>Listeners</h2>\n"
		 "<div class=\"t\"><table>\n"
		 "<thead><tr><th scope=\"col\">Name<th scope=\"col\">Service"
		 "<th scope=\"col\" class=\"n\">Port<th scope=\"col\">Status"
		 "<th scope=\"col\" class=\"n w\">Opened</thead>\n<tbody>\n",
		 tcp_id(c), f.up, f.since, f.addresses, f.open, f.half_open,
		 f.time_wait);
	for (unsigned int i = 0; http_listener(st, &i, &l, status);)
		html_listener(h, &l, status);
	http_put(h, "</tbody></table></div>\n"
		    "<h2>Connections</h2>\n"
		    "<div class=\"t\"><table>\n"
		    "<thead><tr><th scope=\"col\">Id<th scope=\"col\">State"
		    "<th scope=\"col\">Listener<th scope=\"col\">Peer"
		    "<th scope=\"col\" class=\"n\">Age"
		    "<th scope=\"col\" class=\"n w\">Handshake"
		    "<th scope=\"col\" class=\"n w\">RTT"
		    "<th scope=\"col\" class=\"n w\">Bytes in"
		    "<th scope=\"col\" class=\"n w\">Bytes out"
		    "<th scope=\"col\" class=\"n w\">Resent"
		    "</thead>\n<tbody>\n");
}

static void html_row(struct stack *st, struct tcp_conn *c, struct http_conn *h,
		     const struct conn_info *info)
{
	char peer[IPPORT_TEXT_MAX], age[HTTP_SHORT_MAX], hs[HTTP_SHORT_MAX],
		rtt[HTTP_SHORT_MAX], in[HTTP_SHORT_MAX], out[HTTP_SHORT_MAX];
	struct listener_info l;

	http_put(h, "<tr%s><td>c%u<td>%s<td>",
		 info->id == tcp_id(c) ? " class=\"me\"" : "", info->id,
		 tcp_state_name(info->state));
	if (service_listener(st, info->listener, &l))
		html_escape(h, l.conf.name);
	http_put(h,
		 "<td>%s<td class=\"n\">%s<td class=\"n w\">%s"
		 "<td class=\"n w\">%s<td class=\"n w\">%s"
		 "<td class=\"n w\">%s<td class=\"n w\">%u\n",
		 ipport_format(&info->peer, info->peer_port, peer),
		 http_age(info->age_us, age), http_rtt(info->handshake_us, hs),
		 http_rtt(info->half_open ? 0 : info->srtt_us, rtt),
		 http_traffic(info, info->bytes_in, in),
		 http_traffic(info, info->bytes_out, out), info->retrans);
}

static void html_end(struct stack *st, struct tcp_conn *c, struct http_conn *h)
{
	struct http_facts f;

	http_facts(st, c, &f);
	http_put(h,
		 "</tbody></table></div>\n"
		 "<p>%u of %u connection%s. This page's own is marked; "
		 "<a href=\"/connections.json\">connections.json</a> has "
		 "them all.</p>\n"
		 "<h2>Try next</h2>\n"
		 "<pre>",
		 h->walk.rows, f.all, plural(f.all));
	http_advice(st, c, h);
	http_put(h, "</pre>\n"
		    "</main>\n"
		    "</body>\n"
		    "</html>\n");
}

const struct http_page http_html = {
	.top = html_top,
	.row = html_row,
	.end = html_end,
};
