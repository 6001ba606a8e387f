/*
 * explain.c - What happened, why, by which rule, and what to do next
 *
 * Of a word: whatever the catalogue has under it, without a daemon. Of a
 * connection: explain_conn.c.
 */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

#include <tcphs/alert.h>
#include <tcphs/analysis.h>
#include <tcphs/nearest.h>
#include <tcphs/stack.h>

#include "client.h"
#include "output.h"

#define LABEL_WIDTH 16
#define WIDTH	    80 /* of lines, unless the terminal says otherwise */
#define CODES_MAX \
	(64 + DROP_NREASONS + ANOMALY_NKINDS + FINDING_NKINDS + ALERT_NKINDS)

static enum cli_exit of_daemon(struct cli *cli, const char *conn);
static bool is_conn(const char *word);
static enum cli_exit explain_code(struct cli *cli, const char *code);
static enum cli_exit no_code(const char *code);
static json_t *alert_json(const char *code);
static json_t *code_json(const char *code);
static json_t *entry_json(const struct explain_entry *e);
static void code_text(const struct cli *cli, const json_t *doc);
static void judged_text(const struct cli *cli, const char *code,
			const json_t *odd);

static const char *const keys[EXPLAIN_NPARTS] = {
	[EXPLAIN_HAPPENED] = "happened", [EXPLAIN_WHY] = "why",
	[EXPLAIN_RULE] = "rule",	 [EXPLAIN_SAW] = "client_saw",
	[EXPLAIN_NEXT] = "next",
};

enum cli_exit explain_run(struct cli *cli, int argc, char **argv)
{
	const char *what;

	if (argc + cli->last + cli->last_failed != 1) {
		complain("explain wants one of CONN, FILE#N, --last, "
			 "--last-failed and CODE");
		return CLI_USAGE;
	}
	if (cli->last)
		what = "last";
	else
		what = cli->last_failed ? "last-failed" : argv[0];
	if (argc && analyze_names(argv[0])) {
		cli->no_ladder = true;
		return analyze_named(cli, argv[0]);
	}
	return is_conn(what) ? of_daemon(cli, what) : explain_code(cli, what);
}

static enum cli_exit of_daemon(struct cli *cli, const char *conn)
{
	enum cli_exit e =
		client_open(cli->client, cli->socket, cli->timeout_us);

	if (e != CLI_OK)
		return e;
	e = explain_conn(cli, conn);
	client_close(cli->client);
	return e;
}

/* "c42", "42", "last", "last-failed", a four-tuple; no code looks like one. */
static bool is_conn(const char *word)
{
	return strncmp(word, "last", 4) == 0 || strchr(word, ':') ||
	       strchr("0123456789", word[word[0] == 'c']);
}

/* ---- a word ------------------------------------------------------------ */

static enum cli_exit explain_code(struct cli *cli, const char *code)
{
	json_t *doc = code_json(code);

	if (!doc)
		return no_code(code);
	output_document(cli, doc, code_text);
	json_decref(doc);
	return CLI_OK;
}

static enum cli_exit no_code(const char *code)
{
	const char *names[CODES_MAX], *near;
	const struct explain_entry *e;
	size_t n = 0;

	for (e = explain_catalogue; e->code && n < CODES_MAX; e++)
		names[n++] = e->code;
	for (int r = DROP_NONE + 1; r < DROP_NREASONS && n < CODES_MAX; r++)
		names[n++] = drop_name((enum drop_reason)r);
	for (unsigned int i = 0; i < ANOMALY_NKINDS && n < CODES_MAX; i++)
		names[n++] = anomaly_name(i);
	for (unsigned int i = 0; i < FINDING_NKINDS && n < CODES_MAX; i++)
		names[n++] = finding_name(i);
	for (unsigned int i = 0; i < ALERT_NKINDS && n < CODES_MAX; i++)
		names[n++] = alert_name((enum alert_kind)i);
	near = nearest(code, names, n);
	if (near)
		complain("nothing is called '%s'; did you mean '%s'?", code,
			 near);
	else
		complain("nothing is called '%s'; man 7 tcphs-explain has all "
			 "that is",
			 code);
	return CLI_NOT_FOUND;
}

/* NULL if there is no such word. */
static json_t *code_json(const char *code)
{
	enum drop_reason drop = explain_drop(code);
	json_t *doc, *alert, *entries = json_array();
	const struct explain_entry *e;
	struct explain_judged odd;

	for (e = explain_catalogue; e->code; e++)
		if (strcmp(e->code, code) == 0)
			json_array_append_new(entries, entry_json(e));
	doc = json_pack("{s:s, s:o}", "code", code, "entries", entries);
	if (drop != DROP_NONE) {
		json_object_set_new(doc, "drop", json_string(drop_words(drop)));
		json_object_set_new(doc, "clause",
				    json_string(drop_clause(drop)));
	}
	if (explain_judged(code, &odd))
		json_object_set_new(
			doc, "analysis",
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "meaning",
				  odd.meaning, "severity", odd.severity,
				  "clause", odd.clause, "causes", odd.causes,
				  "advice", odd.advice));
	else if ((alert = alert_json(code)))
		json_object_set_new(doc, "alert", alert);
	if (json_array_size(entries) > 0 || drop != DROP_NONE ||
	    json_object_get(doc, "analysis") || json_object_get(doc, "alert"))
		return doc;
	json_decref(doc);
	return NULL;
}

/* Of an alert, if the judge of captures has no word like it. */
static json_t *alert_json(const char *code)
{
	for (unsigned int i = 0; i < ALERT_NKINDS; i++) {
		enum alert_kind k = (enum alert_kind)i;

		if (strcmp(code, alert_name(k)) == 0)
			return json_pack("{s:s, s:s, s:s, s:s}", "meaning",
					 alert_meaning(k), "severity",
					 alert_severity(k), "causes",
					 alert_innocent(k), "advice",
					 alert_action(k));
	}
	return NULL;
}

static json_t *entry_json(const struct explain_entry *e)
{
	json_t *o = json_object();

	if (e->roles != EXPLAIN_AS_BOTH)
		json_object_set_new(o, "role",
				    json_string(e->roles == EXPLAIN_AS_SERVER
							? "server"
							: "client"));
	explain_put(o, e, NULL);
	return o;
}

/* ---- the parts --------------------------------------------------------- */

void explain_put(json_t *o, const struct explain_entry *e,
		 const struct explain_facts *facts)
{
	char text[1024];

	for (int i = 0; i < EXPLAIN_NPARTS; i++) {
		explain_compose(e, (enum explain_part)i, facts, text,
				sizeof(text));
		json_object_set_new(o, keys[i], json_string(text));
	}
}

/* ---- for people -------------------------------------------------------- */

static void code_text(const struct cli *cli, const json_t *doc)
{
	const char *code = json_string_value(json_object_get(doc, "code"));
	const char *drop = json_string_value(json_object_get(doc, "drop"));
	const json_t *entries = json_object_get(doc, "entries");
	const json_t *odd = json_object_get(doc, "analysis");
	char words[256];

	if (!odd)
		odd = json_object_get(doc, "alert");
	if (drop) {
		snprintf(words, sizeof(words),
			 "a reason to drop a packet: %s (%s); see "
			 "tcphs-drops(7)",
			 drop,
			 json_string_value(json_object_get(doc, "clause")));
		explain_text(cli, code, words);
	}
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *e = json_array_get(entries, i);
		const char *role =
			json_string_value(json_object_get(e, "role"));

		if (i > 0 || drop)
			fputc('\n', cli->out);
		fprintf(cli->out, "%s%s%s%s%s\n", output_sgr(cli, SGR_BOLD),
			code, role ? ", as " : "", role ? role : "",
			output_sgr(cli, SGR_OFF));
		explain_parts_text(cli, e);
	}
	if (odd && (drop || json_array_size(entries) > 0))
		fputc('\n', cli->out);
	if (odd)
		judged_text(cli, code, odd);
}

/* A word of tcphs-analysis(7), or an alert. */
static void judged_text(const struct cli *cli, const char *code,
			const json_t *odd)
{
	static const struct {
		const char *label, *key;
	} parts[] = {
		{"What it is", "meaning"},
		{"Why", "causes"},
		{"Rule", "clause"},
		{"Next", "advice"},
	};

	fprintf(cli->out, "%s%s, %s%s\n", output_sgr(cli, SGR_BOLD), code,
		json_string_value(json_object_get(odd, "severity")),
		output_sgr(cli, SGR_OFF));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *text =
			json_string_value(json_object_get(odd, parts[i].key));

		if (text && *text)
			explain_text(cli, parts[i].label, text);
	}
}

void explain_parts_text(const struct cli *cli, const json_t *entry)
{
	for (int i = 0; i < EXPLAIN_NPARTS; i++)
		explain_text(
			cli, explain_part_name((enum explain_part)i),
			json_string_value(json_object_get(entry, keys[i])));
}

void explain_text(const struct cli *cli, const char *label, const char *text)
{
	size_t width =
		cli->screen_cols > LABEL_WIDTH + 20 ? cli->screen_cols : WIDTH;
	size_t column = LABEL_WIDTH, len;
	char *copy = strdup(text);

	if (!copy)
		return;
	text_clean(copy); /* names of a daemon's may be in it */
	text = copy;
	fprintf(cli->out, "%-*s", LABEL_WIDTH, label);
	if (strlen(label) >= LABEL_WIDTH)
		fprintf(cli->out, "\n%*s", LABEL_WIDTH, "");
	for (; *text; text += len + strspn(text + len, " ")) {
		len = strcspn(text, " ");
		if (column > LABEL_WIDTH && column + 1 + len > width) {
			fprintf(cli->out, "\n%*s", LABEL_WIDTH, "");
			column = LABEL_WIDTH;
		} else if (column > LABEL_WIDTH) {
			fputc(' ', cli->out);
			column++;
		}
		fwrite(text, 1, len, cli->out);
		column += len;
	}
	fputc('\n', cli->out);
	free(copy);
}
