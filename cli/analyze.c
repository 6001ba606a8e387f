/*
 * analyze.c - Judge the connections of capture files, or of an interface
 *
 * Frames come from the files, merged by time, or as they pass, go through the decoder to the
 * judge (tcphs/analysis.h), and what he says to one of the views, which is all
 * that differs between the outputs of this command (analyze.h).
 */
#include "analyze.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "findings.h"
#include "summary.h"

#define FRAGMENT_MEMORY (4u << 20)

_Static_assert(CAPSET_NEXT_MAX <= ANALYSIS_AHEAD, "they go there together");

static enum cli_exit check(struct analyze *z, int argc, char **argv);
static enum cli_exit set_up(struct analyze *z, int argc, char **argv);
static enum cli_exit open_source(struct analyze *z, int argc, char **argv);
static void tear_down(struct analyze *z);
static void take_number_off(struct cli *cli, char *path);
static char *number_of(char *path, uint32_t *n);
static const struct view *view_of(const struct cli *cli);
static enum cli_exit parse_filter(struct analyze *z);
static enum cli_exit judge_frames(struct analyze *z);
static void read_files(struct analyze *z);
static void listen(struct analyze *z);
static void take(struct analyze *z, const struct frame *f, unsigned int n);
static unsigned int take_apart(struct analyze *z, const struct frame *f,
			       unsigned int n, struct packet *p);
static void verdict(void *ctx, const struct verdict *v);
static void finding(void *ctx, const struct finding *f);
static enum cli_exit answer(const struct analyze *z);
static int severity_of(const char *name);

enum cli_exit analyze_run(struct cli *cli, int argc, char **argv)
{
	struct analyze z = {.cli = cli, .worst = SEVERITY_NONE};
	enum cli_exit e;

	/* Both are JSON Lines: who reads them need not wait for the end. */
	if (cli->format == FORMAT_JSON)
		cli->format = FORMAT_NDJSON;
	e = check(&z, argc, argv);
	if (e == CLI_OK)
		e = set_up(&z, argc, argv);
	if (e == CLI_OK)
		e = judge_frames(&z);
	tear_down(&z);
	return e;
}

bool analyze_names(char *word)
{
	uint32_t n;

	return number_of(word, &n);
}

enum cli_exit analyze_named(struct cli *cli, char *word)
{
	if (!cli->watch)
		return analyze_run(cli, 1, &word);
	complain("--watch is for connections of the daemon");
	return CLI_USAGE;
}

enum cli_exit analyze_exported(struct cli *cli, char *word)
{
	char *mark = number_of(word, &cli->export_conn);

	if (mark)
		*mark = '\0';
	return analyze_run(cli, 1, &word);
}

static enum cli_exit check(struct analyze *z, int argc, char **argv)
{
	const char *fail_on = z->cli->fail_on;

	if (!argc && !z->cli->interface) {
		complain("'analyze' wants FILE..., or -i IFACE");
		return CLI_USAGE;
	}
	if (argc == 1 && !z->cli->interface)
		take_number_off(z->cli, argv[0]);
	z->view = view_of(z->cli);
	if (!z->view || !analyze_fits(z))
		return CLI_USAGE;
	if (!z->cli->interface && !analyze_spares(z, argc, argv))
		return CLI_USAGE;
	if (!z->cli->interface &&
	    (z->cli->count || z->cli->duration_us || z->cli->snaplen)) {
		complain("--count, --duration and --snaplen go with -i");
		return CLI_USAGE;
	}
	if (z->cli->sort && z->view != &table_view) {
		complain("--sort is for rows of connections");
		return CLI_USAGE;
	}
	if (fail_on && severity_of(fail_on) == SEVERITY_NONE) {
		complain("--fail-on wants info, notice or warning, not '%s'",
			 fail_on);
		return CLI_USAGE;
	}
	return z->cli->filter ? parse_filter(z) : CLI_OK;
}

/* FILE#7 is connection 7 of it, unless there is a file of that name. */
static void take_number_off(struct cli *cli, char *path)
{
	uint32_t n;
	char *mark = cli->connection ? NULL : number_of(path, &n);

	if (!mark)
		return;
	*mark = '\0';
	cli->connection = n;
}

/* Where it begins; NULL if there is none. */
static char *number_of(char *path, uint32_t *n)
{
	char *mark = strrchr(path, '#'), *end;
	unsigned long number;

	if (!mark || mark == path || access(path, F_OK) == 0)
		return NULL;
	number = strtoul(mark + 1, &end, 10);
	if (mark[1] < '1' || mark[1] > '9' || *end || number > UINT32_MAX)
		return NULL;
	*n = (uint32_t)number;
	return mark;
}

/* Each output is the only one. */
static const struct view *view_of(const struct cli *cli)
{
	const struct {
		bool wanted;
		const struct view *view;
	} views[] = {
		{cli->summary, &summary_view}, {cli->packets, &packets_view},
		{cli->connection, &conn_view}, {cli->export_conn, &export_view},
		{cli->html, &html_view},
	};
	const struct view *view = NULL;

	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++) {
		if (!views[i].wanted)
			continue;
		if (view) {
			complain("--summary, --packets, --connection, --export "
				 "and --html: choose one");
			return NULL;
		}
		view = views[i].view;
	}
	return view ? view : &table_view;
}

static enum cli_exit parse_filter(struct analyze *z)
{
	struct filter_error err;

	z->filter = filter_parse_verdicts(z->cli->filter, &err);
	if (z->filter)
		return CLI_OK;
	complain(*err.hint ? "%s (%s)" : "%s", err.message, err.hint);
	complain_at(z->cli->filter, (int64_t)err.at);
	return CLI_USAGE;
}

static enum cli_exit set_up(struct analyze *z, int argc, char **argv)
{
	const struct analysis_conf conf = ANALYSIS_DEFAULTS;
	enum cli_exit e;

	e = open_source(z, argc, argv);
	if (e != CLI_OK)
		return e;
	z->decoder = decoder_new(FRAGMENT_MEMORY);
	z->judge = analysis_new(&conf, verdict, z);
	if (z->decoder && z->judge)
		return z->view->begin(z);
	complain("out of memory");
	return CLI_NO;
}

static enum cli_exit open_source(struct analyze *z, int argc, char **argv)
{
	enum cli_exit e;
	char *bpf;

	if (!z->cli->interface) {
		z->set = capset_open(argc, argv);
		return z->set ? CLI_OK : CLI_NO;
	}
	bpf = text_join(argc, argv);
	e = live_open(z->cli, bpf, &z->live);
	free(bpf);
	return e;
}

static void tear_down(struct analyze *z)
{
	if (z->view && z->view->free)
		z->view->free(z);
	summary_free(z->summary);
	json_decref(z->findings);
	analysis_free(z->judge);
	decoder_free(z->decoder);
	if (z->set)
		capset_close(z->set);
	live_close(z->live);
	filter_free(z->filter);
}

static enum cli_exit judge_frames(struct analyze *z)
{
	enum cli_exit e;

	if (z->live)
		listen(z);
	else
		read_files(z);
	analysis_end(z->judge);
	z->findings = json_array();
	if (!z->filter)
		analysis_findings(z->judge, finding, z);
	e = z->view->end(z);
	if (z->failed) {
		complain("out of memory");
		return CLI_NO;
	}
	return e == CLI_OK ? answer(z) : e;
}

/* Rows that flow to the same terminal are progress enough. */
static void read_files(struct analyze *z)
{
	const struct cli *cli = z->cli;
	bool rows_flow =
		cli->terminal && (z->view == &packets_view ||
				  (z->view == &table_view && !cli->sort));
	struct frame f[CAPSET_NEXT_MAX];
	uint64_t done, all;
	unsigned int n;

	progress_begin(&z->progress, !cli->quiet && !rows_flow);
	while (!z->failed && !z->enough &&
	       (n = capset_next(z->set, f, CAPSET_NEXT_MAX))) {
		take(z, f, n);
		if (!progress_packets(&z->progress, n))
			continue;
		if (!capset_progress(z->set, &done, &all))
			all = 0;
		progress_show(&z->progress, done, all,
			      analysis_stats(z->judge)->connections);
	}
	progress_end(&z->progress);
}

/* Connections end by silence, too, and rows are to be seen when they come. */
static void listen(struct analyze *z)
{
	enum live_status status;
	struct timespec now;
	struct frame f;

	while (!z->failed && !z->enough) {
		status = live_next(z->live, &f);
		if (status == LIVE_END)
			break;
		if (status == LIVE_FRAME) {
			take(z, &f, 1);
			continue;
		}
		clock_gettime(CLOCK_REALTIME, &now);
		analysis_tick(z->judge,
			      now.tv_sec * 1000000000ll + now.tv_nsec);
		fflush(z->cli->out);
	}
	live_stats(z->live, &z->captured);
}

static void take(struct analyze *z, const struct frame *f, unsigned int n)
{
	struct packet p[CAPSET_NEXT_MAX];
	struct packet_place at;

	for (unsigned int some; n > 0; f += some, n -= some) {
		some = take_apart(z, f, n, p);
		analysis_ahead(z->judge, p, some);
		for (unsigned int i = 0; i < some; i++) {
			analysis_take(z->judge, &p[i]);
			if (!z->view->packet)
				continue;
			analysis_place(z->judge, &at);
			z->view->packet(z, &f[i], &p[i], &at);
		}
	}
}

/* What is put together from fragments is gone with the next call. */
static unsigned int take_apart(struct analyze *z, const struct frame *f,
			       unsigned int n, struct packet *p)
{
	unsigned int some = 0;

	while (some < n) {
		decode(z->decoder, &f[some], &p[some]);
		if (p[some++].notes & NOTE_WHOLE)
			break;
	}
	return some;
}

static void verdict(void *ctx, const struct verdict *v)
{
	struct analyze *z = ctx;
	int worst;

	if (z->filter && !filter_match_verdict(z->filter, v))
		return;
	z->matched++;
	worst = verdict_worst(v);
	z->worst = worst > z->worst ? worst : z->worst;
	if (z->summary)
		summary_add(z->summary, v);
	if (z->view->verdict)
		z->view->verdict(z, v);
}

/* Crowds are counted before any filter: with one nothing is said of them. */
static void finding(void *ctx, const struct finding *f)
{
	struct analyze *z = ctx;

	json_array_append_new(z->findings, finding_json(f));
	z->worst = SEVERITY_WARNING;
}

static enum cli_exit answer(const struct analyze *z)
{
	const char *fail_on = z->cli->fail_on;

	if (z->set && capset_damaged(z->set) && z->cli->strict)
		return CLI_NO;
	if (fail_on && z->worst >= severity_of(fail_on))
		return CLI_ANOMALY;
	return z->filter && !z->matched ? CLI_NO : CLI_OK; /* as grep */
}

static int severity_of(const char *name)
{
	for (int i = SEVERITY_INFO; i <= SEVERITY_WARNING; i++)
		if (strcmp(name, severity_name((enum severity)i)) == 0)
			return i;
	return SEVERITY_NONE;
}
