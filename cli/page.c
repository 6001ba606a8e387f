/*
 * page.c - What was judged as a page for a browser
 *
 * Whatever comes from packets or from the command line is escaped.
 */
#include "page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tcphs/ipaddr.h>

#include "findings.h"
#include "kept.h"
#include "member.h"
#include "output.h"
#include "verdict.h"

static const char style[] =
	".tiles { display: grid; gap: .7em; margin-top: 1em; "
	"grid-template-columns: repeat(auto-fit, minmax(7.4em, 1fr)) }\n"
	".tile { background: var(--card); border: 1px solid var(--line); "
	"border-radius: 8px; padding: .6em .8em } "
	".tile b { display: block; font-size: 1.5em }\n"
	"td, th { vertical-align: top } "
	"td.n, th.n, td.end { white-space: nowrap }\n"
	"td.end { font-family: ui-monospace, monospace; font-size: .9em }\n"
	".chart { width: 100%; height: auto; display: block } "
	".chart text { font: 11px ui-monospace, monospace; fill: var(--dim) } "
	".scroll .chart { min-width: 620px } .chart line { stroke: var(--line) "
	"}\n"
	".legend { color: var(--dim) } "
	".legend span { white-space: nowrap; margin-right: 1.2em } "
	".legend i { display: inline-block; width: .8em; height: .8em; "
	"border-radius: 2px; margin-right: .35em }\n"
	".good, .completed { fill: var(--good); background: var(--good) }\n"
	".failed, .timeout { fill: var(--bad); background: var(--bad) }\n"
	".refused { fill: var(--warn); background: var(--warn) }\n"
	".reset_mid { fill: var(--violet); background: var(--violet) }\n"
	".half_open { fill: #e64980; background: #e64980 }\n"
	".other, .midstream { fill: var(--grey); background: var(--grey) }\n"
	".syn_missing, .synack_missing { fill: var(--blue); "
	"background: var(--blue) }\n"
	".opening { fill: var(--opening); background: var(--opening) } "
	".reset { fill: var(--fg); background: var(--fg) }\n"
	".warning { color: var(--bad) } .notice { color: var(--warn) }\n"
	"details { border: 1px solid var(--line); border-radius: 8px; "
	"margin: .5em 0; padding: .4em .8em } summary { cursor: pointer; "
	"overflow-wrap: anywhere }\n"
	"details > div { overflow-x: auto }\n";

static void head(const struct page *p, FILE *out);
static void tiles(const struct page *p, FILE *out);
static void tile(FILE *out, const char *value, const char *label);
static void charts(const struct page *p, FILE *out);
static void findings(const struct page *p, FILE *out);
static void anomalies(const struct page *p, FILE *out);
static void talkers(const struct page *p, FILE *out, const char *key,
		    const char *title);
static void rows(const struct page *p, FILE *out);
static void row(const struct page_row *r, FILE *out);
static void ladders(const struct page *p, FILE *out);
static void list_cell(FILE *out, char *words);
static void cell(FILE *out, const char *class, const char *text);

void page_write(const struct page *p, FILE *out)
{
	head(p, out);
	tiles(p, out);
	if (p->summary->connections) {
		charts(p, out);
		anomalies(p, out);
		rows(p, out);
		ladders(p, out);
		talkers(p, out, "clients", "Clients");
		talkers(p, out, "services", "Services");
	}
	fputs("</body>\n</html>\n", out);
}

static void head(const struct page *p, FILE *out)
{
	time_t s = (time_t)(p->summary->first_ns / 1000000000);
	char when[64] = "";
	struct tm tm;

	page_head(out, "TCP connections of ", p->source, style);
	if (p->summary->connections && gmtime_r(&s, &tm))
		strftime(when, sizeof(when), "from %Y-%m-%d %H:%M:%S UTC, ",
			 &tm);
	fprintf(out,
		"<p class=\"dim\">%sjudged by tcphsctl " TCPHS_VERSION "</p>\n",
		when);
}

static void tiles(const struct page *p, FILE *out)
{
	const json_t *times = json_object_get(p->doc, "handshake_us");
	const struct summary *s = p->summary;
	char text[64], span[TEXT_NUMBER_MAX];
	uint64_t failed = 0, odd = 0;

	for (unsigned int i = 0; i < JUDGED_NJUDGED; i++)
		failed += judged_failed(i) ? s->outcomes[i] : 0;
	for (unsigned int i = 0; i < ANOMALY_NKINDS; i++)
		odd += anomaly_severity(i) == SEVERITY_WARNING ? s->anomalies[i]
							       : 0;
	fputs("<div class=\"tiles\">\n", out);
	snprintf(text, sizeof(text), "%" PRIu64, s->connections);
	tile(out, text, "connections");
	snprintf(text, sizeof(text), "%" PRIu64, s->outcomes[JUDGED_COMPLETED]);
	tile(out, text, "handshakes completed");
	snprintf(text, sizeof(text), "%" PRIu64, failed);
	tile(out, text, "attempts failed");
	if (member_number(times, "count")) {
		tile(out, text_duration(member_number(times, "p50"), span),
		     "handshake, median");
		tile(out, text_duration(member_number(times, "p99"), span),
		     "handshake, 99 of 100");
	}
	snprintf(text, sizeof(text), "%" PRIu64, s->retransmissions);
	tile(out, text, "segments sent again");
	tile(out, text_bytes(s->bytes, span), "bytes of text");
	snprintf(text, sizeof(text), "%" PRIu64, odd);
	tile(out, text, "warnings");
	fputs("</div>\n", out);
}

static void tile(FILE *out, const char *value, const char *label)
{
	fprintf(out, "<div class=\"tile\"><b>%s</b>%s</div>\n", value, label);
}

static void legend(FILE *out, const char *class, const char *text)
{
	fprintf(out, "<span><i class=\"%s\"></i>%s</span>\n", class, text);
}

static void in_scroll(void (*chart)(const struct page *p, FILE *out),
		      const struct page *p, FILE *out)
{
	fputs("<div class=\"scroll\">\n", out);
	chart(p, out);
	fputs("</div>\n", out);
}

static void charts(const struct page *p, FILE *out)
{
	const struct summary *s = p->summary;
	char text[64];

	fputs("<h2>Outcomes</h2>\n", out);
	page_chart_outcomes(p, out);
	fputs("<p class=\"legend\">\n", out);
	for (unsigned int i = 0; i < JUDGED_NJUDGED; i++) {
		if (!s->outcomes[i])
			continue;
		snprintf(text, sizeof(text), "%s %" PRIu64, judged_name(i),
			 s->outcomes[i]);
		legend(out, judged_name(i), text);
	}
	fputs("</p>\n", out);
	if (s->handshake.count) {
		fputs("<h2>Handshake times</h2>\n<p class=\"dim\">From the "
		      "first SYN to the ACK of the SYN-ACK; each bar up to the "
		      "time below it.</p>\n",
		      out);
		in_scroll(page_chart_handshakes, p, out);
	}
	fputs("<h2>Timeline</h2>\n<p class=\"legend\">Connections that began: "
	      "\n",
	      out);
	legend(out, "good", "completed");
	legend(out, "failed", "failed");
	legend(out, "other", "not seen whole");
	fputs("</p>\n", out);
	in_scroll(page_chart_rate, p, out);
	fputs("<p class=\"legend\">Their lives, those with most to say: \n",
	      out);
	legend(out, "opening", "handshake");
	legend(out, "completed", "open");
	legend(out, "reset", "reset");
	fputs("</p>\n", out);
	in_scroll(page_chart_lives, p, out);
}

static void findings(const struct page *p, FILE *out)
{
	const json_t *list = json_object_get(p->doc, "findings");
	char words[FINDING_WORDS_MAX];

	if (!json_array_size(list))
		return;
	fputs("<h2>Findings</h2>\n<ul>\n", out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		fputs("<li class=\"warning\">", out);
		page_escape(out, finding_words(json_array_get(list, i), words));
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void anomalies(const struct page *p, FILE *out)
{
	const json_t *list = json_object_get(p->doc, "anomalies");

	findings(p, out);
	fputs("<h2>Anomalies</h2>\n", out);
	if (!json_array_size(list)) {
		fputs("<p>None.</p>\n", out);
		return;
	}
	fputs("<div class=\"scroll\"><table>\n<tr><th>what</th><th>how bad"
	      "</th><th class=\"n\">connections</th><th>meaning</th></tr>\n",
	      out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *a = json_array_get(list, i);
		const char *severity =
			json_string_value(json_object_get(a, "severity"));

		fputs("<tr>", out);
		cell(out, "", json_string_value(json_object_get(a, "kind")));
		cell(out, severity, severity);
		fprintf(out, "<td class=\"n\">%" JSON_INTEGER_FORMAT "</td>",
			member_number(a, "connections"));
		cell(out, "", json_string_value(json_object_get(a, "text")));
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void talkers(const struct page *p, FILE *out, const char *key,
		    const char *title)
{
	const json_t *list = json_object_get(p->doc, key);
	char end[64], bytes[TEXT_NUMBER_MAX];

	fprintf(out,
		"<h2>%s</h2>\n<div class=\"scroll\"><table>\n<tr><th>who</th>"
		"<th class=\"n\">connections</th><th class=\"n\">failed</th>"
		"<th class=\"n\">text</th></tr>\n",
		title);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *t = json_array_get(list, i);

		if (json_object_get(t, "port"))
			output_cell(t, COLUMN_TEXT, true, end, sizeof(end));
		else
			snprintf(end, sizeof(end), "%s",
				 json_string_value(json_object_get(t, "ip")));
		fputs("<tr>", out);
		cell(out, "end", end);
		fprintf(out,
			"<td class=\"n\">%" JSON_INTEGER_FORMAT
			"</td><td class=\"n\">%" JSON_INTEGER_FORMAT
			"</td><td class=\"n\">%s</td></tr>\n",
			member_number(t, "connections"),
			member_number(t, "failed"),
			text_bytes((uint64_t)member_number(t, "bytes"), bytes));
	}
	fputs("</table></div>\n", out);
}

static void rows(const struct page *p, FILE *out)
{
	fputs("<h2>Connections</h2>\n", out);
	if (p->nrows < p->summary->connections)
		fprintf(out,
			"<p class=\"dim\">The %u with most to say, of %" PRIu64
			".</p>\n",
			p->nrows, p->summary->connections);
	fputs("<div class=\"scroll\"><table>\n<tr><th class=\"n\">#</th>"
	      "<th>client</th><th>server</th><th>outcome</th>"
	      "<th class=\"n\">handshake</th><th class=\"n\">c2s</th>"
	      "<th class=\"n\">s2c</th><th class=\"n\">again</th>"
	      "<th>ending</th><th>anomalies</th></tr>\n",
	      out);
	for (unsigned int i = 0; i < p->nrows; i++)
		row(p->row[i], out);
	fputs("</table></div>\n", out);
}

static void row(const struct page_row *r, FILE *out)
{
	static const struct {
		enum verdict_column column;
		const char *class;
	} cells[] = {
		{VERDICT_CLIENT, "end"}, {VERDICT_SERVER, "end"},
		{VERDICT_OUTCOME, ""},	 {VERDICT_HS, "n"},
		{VERDICT_C2S, "n"},	 {VERDICT_S2C, "n"},
		{VERDICT_RETR, "n"},	 {VERDICT_ENDING, ""},
		{VERDICT_ANOMALIES, ""},
	};
	char text[VALUE_TEXT_MAX];
	struct value v;

	fputs("<tr><td class=\"n\">", out);
	if (r->kept)
		fprintf(out, "<a href=\"#c%" PRIu64 "\">%" PRIu64 "</a>",
			r->v.id, r->v.id);
	else
		fprintf(out, "%" PRIu64, r->v.id);
	fputs("</td>", out);
	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		const struct column *c = &verdict_columns[cells[i].column];

		verdict_value(&r->v, c, &v);
		output_value(&v, c->kind, true, text, sizeof(text));
		if (c->kind == COLUMN_LIST)
			list_cell(out, text);
		else
			cell(out, cells[i].class, text);
	}
	fputs("</tr>\n", out);
}

/* ladder_svg() makes a file of its own: what stands before <svg is left out. */
static void ladders(const struct page *p, FILE *out)
{
	const struct ladder_style ladder = {.width = LADDER_WIDTH_MIN};
	char id[24], words[256], *text, *svg;

	fputs("<h2>Ladders</h2>\n", out);
	for (unsigned int i = 0; i < p->nrows; i++) {
		const struct page_row *r = p->row[i];

		if (!r->kept)
			continue;
		snprintf(id, sizeof(id), "#%" PRIu64, r->v.id);
		text = kept_draw(r->kept, ladder_svg, &ladder, id, &r->v);
		svg = text ? strstr(text, "<svg") : NULL;
		verdict_sentence(&r->v, words, sizeof(words));
		fprintf(out, "<details id=\"c%" PRIu64 "\"%s><summary>%s ",
			r->v.id, i ? "" : " open", id);
		page_escape(out, words);
		fputs("</summary>\n<div>\n", out);
		fputs(svg ? svg : "", out);
		fputs("</div></details>\n", out);
		free(text);
	}
}

/* Lines may be broken between its words. */
static void list_cell(FILE *out, char *words)
{
	char *end;

	fputs("<td>", out);
	for (; (end = strchr(words, ',')); words = end + 1) {
		*end = '\0';
		page_escape(out, words);
		fputs(", ", out);
	}
	page_escape(out, words);
	fputs("</td>", out);
}

static void cell(FILE *out, const char *class, const char *text)
{
	if (*class)
		fprintf(out, "<td class=\"%s\">", class);
	else
		fputs("<td>", out);
	page_escape(out, text ? text : "");
	fputs("</td>", out);
}
