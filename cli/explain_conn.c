/*
 * explain_conn.c - What became of a connection
 *
 * The record of conn.packets has the outcome, and how the connection ended if it
 * has: that chooses the entry of the catalogue, and its numbers fill the places.
 * The evidence are the packets that began and ended it, and those that were
 * dropped or sent again. Alerts about the connection are named beside them.
 */
#include "explain.h"

#include <inttypes.h>
#include <sodium/utils.h>
#include <string.h>

#include <tcphs/plural.h>
#include <tcphs/segment.h>
#include <tcphs/stack.h>

#include "client.h"
#include "output.h"

#define EVIDENCE_MAX 6
#define END_MAX	     80
#define PACKET_MAX   2048 /* bytes of it that are kept */

/* What the daemon said, and texts made of it. */
struct record {
	json_t *conn, *evidence, *alerts;
	char peer[END_MAX], local[END_MAX], port[8], after[32], times[32];
	char listener_list[256];
	struct explain_facts facts;
	enum tcp_role role;
};

static int take_packet(void *arg, const char *text, size_t len);
static bool is_evidence(const json_t *packet, const struct segment *s);
static void packet_words(const struct segment *s, char *buf, size_t size);
static int take_listener(void *arg, const char *text, size_t len);
static int take_alert(void *arg, const char *text, size_t len);
static const char *code_of(const struct record *r);
static bool failed(const char *outcome);
static void know(struct record *r);
static void ms_text(int64_t us, char *buf, size_t size);
static void trim_evidence(json_t *evidence);
static json_t *document(const struct record *r, const struct explain_entry *e);
static void conn_text(const struct cli *cli, const json_t *doc);
static void evidence_text(const struct cli *cli, const json_t *doc);
static const char *text_of(const json_t *o, const char *name);
static void end_text(const json_t *end, char *buf, size_t size);

enum cli_exit explain_conn(struct cli *cli, const char *conn)
{
	struct record r = {.evidence = json_array(), .alerts = json_array()};
	const struct explain_entry *entry;
	enum cli_exit e;
	json_t *doc;

	e = client_call(cli->client, "conn.packets",
			json_pack("{s:s}", "conn", conn), take_packet, &r,
			&r.conn);
	if (e == CLI_OK)
		e = client_call(cli->client, "listener.list", NULL,
				take_listener, &r, NULL);
	if (e == CLI_OK)
		e = client_call(cli->client, "alerts", NULL, take_alert, &r,
				NULL);
	if (e == CLI_OK) {
		know(&r);
		entry = explain_find(code_of(&r), r.role);
		if (!entry) {
			complain("tcphsd says '%s', which this tcphsctl does "
				 "not know",
				 code_of(&r));
			e = CLI_PROTOCOL;
		} else {
			trim_evidence(r.evidence);
			doc = document(&r, entry);
			output_document(cli, doc, conn_text);
			json_decref(doc);
		}
	}
	json_decref(r.conn);
	json_decref(r.evidence);
	json_decref(r.alerts);
	return e;
}

/* ---- what the daemon says ---------------------------------------------- */

static int take_packet(void *arg, const char *text, size_t len)
{
	struct record *r = arg;
	json_t *packet = json_loadb(text, len, 0, NULL);
	const char *base64 = text_of(packet, "data");
	uint8_t data[PACKET_MAX];
	char words[32];
	struct segment s;
	size_t n = 0;

	if (base64 &&
	    sodium_base642bin(data, sizeof(data), base64, strlen(base64), NULL,
			      &n, NULL, sodium_base64_VARIANT_ORIGINAL) == 0) {
		segment_decode(data, n, &s);
		packet_words(&s, words, sizeof(words));
		if (is_evidence(packet, &s))
			json_array_append_new(
				r->evidence,
				json_pack("{s:O, s:s}", "number",
					  json_object_get(packet, "number"),
					  "packet", words));
	}
	json_decref(packet);
	return ITEM_NEXT;
}

static bool is_evidence(const json_t *packet, const struct segment *s)
{
	const uint8_t telling = TH_SYN | TH_FIN | TH_RST;

	return s->kind == SEGMENT_ICMP ||
	       (s->kind == SEGMENT_TCP && s->flags & telling) ||
	       json_object_get(packet, "drop") ||
	       json_object_get(packet, "flags");
}

static void packet_words(const struct segment *s, char *buf, size_t size)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} flags[] = {
		{TH_SYN, "SYN"},
		{TH_FIN, "FIN"},
		{TH_RST, "RST"},
		{TH_ACK, "ACK"},
	};
	size_t n = 0;

	*buf = '\0';
	if (s->kind == SEGMENT_ICMP)
		n = (size_t)snprintf(buf, size, "ICMP %u/%u", s->icmp_type,
				     s->icmp_code);
	for (size_t i = 0; s->kind == SEGMENT_TCP && i < 4; i++)
		if (s->flags & flags[i].flag)
			n += (size_t)snprintf(buf + n, size - n, "%s%s",
					      n ? "," : "", flags[i].name);
	if (s->kind == SEGMENT_TCP && s->text_len)
		snprintf(buf + n, size - n, "%s%" PRIu32 " byte%s",
			 n ? " " : "", s->text_len, plural(s->text_len));
}

static int take_listener(void *arg, const char *text, size_t len)
{
	struct record *r = arg;
	json_t *l = json_loadb(text, len, 0, NULL);
	size_t n = strlen(r->listener_list);

	if (json_is_true(json_object_get(l, "enabled")))
		snprintf(r->listener_list + n, sizeof(r->listener_list) - n,
			 "%s%" JSON_INTEGER_FORMAT " %s", n ? ", " : "",
			 json_integer_value(json_object_get(l, "port")),
			 text_of(l, "name"));
	json_decref(l);
	return ITEM_NEXT;
}

/* Those about this connection. */
static int take_alert(void *arg, const char *text, size_t len)
{
	struct record *r = arg;
	json_t *alert = json_loadb(text, len, 0, NULL);
	const char *conn = text_of(alert, "conn"), *id = text_of(r->conn, "id");

	if (conn && id && strcmp(conn, id) == 0)
		json_array_append(r->alerts, alert);
	json_decref(alert);
	return ITEM_NEXT;
}

/* ---- what follows ------------------------------------------------------ */

/*
 * A handshake that failed is explained by its outcome, a connection that ended
 * by its reason. What turned a SYN away says more than that it was, and who
 * broke off a handshake more than that it was reset.
 */
static const char *code_of(const struct record *r)
{
	const char *outcome = text_of(r->conn, "outcome");
	const char *reason = text_of(r->conn, "reason");
	const char *drop = text_of(r->conn, "drop");

	if (!outcome)
		return "";
	if (strcmp(outcome, "rejected") == 0 && drop &&
	    explain_find(drop, r->role))
		return drop;
	if (!reason)
		return outcome;
	if (!failed(outcome) || !explain_find(outcome, r->role) ||
	    strcmp(reason, "admin") == 0 || strcmp(reason, "stopping") == 0)
		return reason;
	return outcome;
}

static bool failed(const char *outcome)
{
	return strncmp(outcome, "completed", 9) != 0 &&
	       strcmp(outcome, "midstream") != 0 &&
	       strcmp(outcome, "open") != 0;
}

static void know(struct record *r)
{
	const json_t *c = r->conn, *end;
	const json_t *us = json_object_get(c, "life_us");
	const json_t *again = json_object_get(c, "retrans");
	const char *role = text_of(c, "role");

	r->role =
		role && strcmp(role, "client") == 0 ? ROLE_CLIENT : ROLE_SERVER;
	end_text(json_object_get(c, "peer"), r->peer, sizeof(r->peer));
	end_text(json_object_get(c, "local"), r->local, sizeof(r->local));
	end = json_object_get(c, r->role == ROLE_CLIENT ? "peer" : "local");
	snprintf(r->port, sizeof(r->port), "%d",
		 (int)json_integer_value(json_object_get(end, "port")));
	if (!us)
		us = json_object_get(c, "handshake_us");
	if (us && json_integer_value(us) > 0)
		ms_text(json_integer_value(us), r->after, sizeof(r->after));
	if (again && json_integer_value(again) == 0)
		snprintf(r->times, sizeof(r->times), "once");
	else if (again)
		snprintf(r->times, sizeof(r->times),
			 "%" JSON_INTEGER_FORMAT " times",
			 json_integer_value(again) + 1);
	r->facts = (struct explain_facts){
		.conn = text_of(c, "id"),
		.peer = r->peer,
		.peer_addr = text_of(json_object_get(c, "peer"), "ip"),
		.port = r->port,
		.listener = text_of(c, "listener"),
		.listeners = *r->listener_list ? r->listener_list : NULL,
		.after = *r->after ? r->after : NULL,
		.times = *r->times ? r->times : NULL,
	};
}

static void ms_text(int64_t us, char *buf, size_t size)
{
	if (us < 1000000)
		snprintf(buf, size, "%.2f ms", (double)us / 1e3);
	else
		snprintf(buf, size, "%.1f s", (double)us / 1e6);
}

/* Of many the first and the last. */
static void trim_evidence(json_t *evidence)
{
	while (json_array_size(evidence) > EVIDENCE_MAX)
		json_array_remove(evidence, EVIDENCE_MAX / 2);
}

static json_t *document(const struct record *r, const struct explain_entry *e)
{
	json_t *doc = json_pack("{s:O, s:s, s:O}", "conn", r->conn, "code",
				e->code, "evidence", r->evidence);

	if (json_array_size(r->alerts) > 0)
		json_object_set(doc, "alerts", r->alerts);
	explain_put(doc, e, &r->facts);
	return doc;
}

/* ---- for people -------------------------------------------------------- */

static void conn_text(const struct cli *cli, const json_t *doc)
{
	const json_t *c = json_object_get(doc, "conn");
	const char *role = text_of(c, "role"), *reason = text_of(c, "reason");
	const char *drop = text_of(c, "drop_words");
	bool client = role && strcmp(role, "client") == 0;
	char peer[END_MAX], local[END_MAX], words[256];
	const json_t *alert;
	size_t i;

	end_text(json_object_get(c, "peer"), peer, sizeof(peer));
	end_text(json_object_get(c, "local"), local, sizeof(local));
	snprintf(words, sizeof(words), "%s  %s -> %s   outcome: %s%s%s",
		 text_of(c, "id"), client ? local : peer, client ? peer : local,
		 text_of(c, "outcome"), reason ? ", ended: " : "",
		 reason ? reason : "");
	text_clean(words);
	fprintf(cli->out, "%s%s%s\n", output_sgr(cli, SGR_BOLD), words,
		output_sgr(cli, SGR_OFF));
	explain_parts_text(cli, doc);
	if (drop) {
		snprintf(words, sizeof(words), "%s (%s)", drop,
			 text_of(c, "drop_clause"));
		explain_text(cli, "Dropped", words);
	}
	json_array_foreach(json_object_get(doc, "alerts"), i, alert)
	{
		snprintf(words, sizeof(words), "%s; tcphsctl explain %s",
			 text_of(alert, "message"), text_of(alert, "kind"));
		explain_text(cli, "Alert", words);
	}
	evidence_text(cli, doc);
}

static void evidence_text(const struct cli *cli, const json_t *doc)
{
	const json_t *all = json_object_get(doc, "evidence");
	const char *id = text_of(json_object_get(doc, "conn"), "id");
	char words[512] = "packets";
	size_t n = strlen(words);

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *p = json_array_get(all, i);

		n += (size_t)snprintf(
			words + n, sizeof(words) - n,
			"%s #%" JSON_INTEGER_FORMAT " (%s)", i ? "," : "",
			json_integer_value(json_object_get(p, "number")),
			text_of(p, "packet"));
	}
	snprintf(words + n, sizeof(words) - n, "%s tcphsctl ladder %s",
		 json_array_size(all) ? ";" : ":", id);
	explain_text(cli, "Evidence", words);
}

static const char *text_of(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static void end_text(const json_t *end, char *buf, size_t size)
{
	output_cell(end, COLUMN_TEXT, true, buf, size);
}
