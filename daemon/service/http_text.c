/*
 * http_text.c - The page at / for a terminal of 80 columns
 */
#include "service/http.h"

#include <stdio.h>

static void text_top(struct stack *st, struct tcp_conn *c, struct http_conn *h)
{
	struct listener_info l;
	struct http_facts f;
	char status[HTTP_STATUS_MAX];

	http_facts(st, c, &f);
	http_put(h,
		 "TCP Connection Analyzer \u00b7 tcphsd " TCPHS_VERSION "\n"
		 "\n"
		 "tcphsd answered this with a TCP of its own, on connection "
		 "c%u.\n"
		 "\n"
		 "up           %s, since %s\n"
		 "addresses    %s\n"
		 "connections  %u open, %u half-open, %u in TIME-WAIT\n"
		 "\n"
		 "%-12s %-9s %5s  %s\n",
		 tcp_id(c), f.up, f.since, f.addresses, f.open, f.half_open,
		 f.time_wait, "LISTENER", "SERVICE", "PORT", "STATUS");
	for (unsigned int i = 0; http_listener(st, &i, &l, status);)
		http_put(h, "%-12s %-9s %5u  %s\n", l.conf.name,
			 l.conf.service->name, l.conf.port, status);
	http_put(h, "\n%-6s %-12s %-8s %-25s %6s %7s %4s %4s\n", "ID", "STATE",
		 "LISTENER", "PEER", "AGE", "RTT", "IN", "OUT");
}

static void text_row(struct stack *st, struct tcp_conn *c, struct http_conn *h,
		     const struct conn_info *info)
{
	char id[16], peer[IPPORT_TEXT_MAX], age[HTTP_SHORT_MAX],
		rtt[HTTP_SHORT_MAX], in[HTTP_SHORT_MAX], out[HTTP_SHORT_MAX];
	struct listener_info l;
	bool named = service_listener(st, info->listener, &l);

	snprintf(id, sizeof(id), "c%u%s", info->id,
		 info->id == tcp_id(c) ? "*" : "");
	http_put(h, "%-6s %-12s %-8s %-25s %6s %7s %4s %4s\n", id,
		 tcp_state_name(info->state), named ? l.conf.name : "-",
		 ipport_format(&info->peer, info->peer_port, peer),
		 http_age(info->age_us, age),
		 http_rtt(info->half_open ? 0 : info->srtt_us, rtt),
		 http_traffic(info, info->bytes_in, in),
		 http_traffic(info, info->bytes_out, out));
}

static void text_end(struct stack *st, struct tcp_conn *c, struct http_conn *h)
{
	struct http_facts f;

	http_facts(st, c, &f);
	http_put(h, "* this page\n");
	if (f.all > h->walk.rows)
		http_put(h, "%u of %u are shown; connections.json has all.\n",
			 h->walk.rows, f.all);
	http_put(h, "\nTry next\n");
	http_advice(st, c, h);
}

const struct http_page http_text = {
	.top = text_top,
	.row = text_row,
	.end = text_end,
};
