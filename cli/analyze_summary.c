/*
 * analyze_summary.c - All connections in one screen
 */
#include "analyze.h"
#include "summary.h"

static enum cli_exit begin(struct analyze *z);
static enum cli_exit end(struct analyze *z);

const struct view summary_view = {
	.begin = begin,
	.end = end,
};

static enum cli_exit begin(struct analyze *z)
{
	z->summary = summary_new();
	return z->summary ? CLI_OK : CLI_NO;
}

static enum cli_exit end(struct analyze *z)
{
	json_t *doc = analyze_summary(z);

	output_document(z->cli, doc, summary_text);
	json_decref(doc);
	return CLI_OK;
}

json_t *analyze_summary(const struct analyze *z)
{
	json_t *doc = summary_json(z->summary, analysis_stats(z->judge));

	json_object_set(doc, "findings", z->findings);
	if (z->live)
		json_object_set_new(
			doc, "captured",
			json_pack("{s:I, s:I, s:I}", "seen",
				  (json_int_t)z->captured.seen, "dropped",
				  (json_int_t)z->captured.dropped,
				  "dropped_by_card",
				  (json_int_t)z->captured.dropped_by_card));
	return doc;
}
