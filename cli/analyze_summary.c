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
	json_t *doc = summary_json(z->summary, analysis_stats(z->judge));

	output_document(z->cli, doc, summary_text);
	json_decref(doc);
	return CLI_OK;
}
