/*
 * test_analysis_manual.c - tcphs-analysis(7) explains every word, and its
 * examples are judged as it says
 *
 * A section of the page has a word as its title. Its block of code is a capture,
 * a packet a line:
 *
 *	[+MS] c|s FLAGS SEQ [ACK [LEN]] [KEY=VALUE...]
 *
 * from client or server, MS milliseconds (1) after the one before; "i" in the
 * place of the flags is an ICMP error about a packet of that side. A line "many
 * N clients|hosts|ports" first has all of it happen so often. The judge must use
 * the title's word for it.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/analysis.h>

#include "core/assert.h"
#include "unit.h"

#define MANUAL	    "daemon/tcphs-analysis.7.scd"
#define LINE_LEN    256
#define SECTION_LEN 4096
#define WORDS_MAX   128
#define MS	    1000000ll

struct section {
	char title[64];
	char text[SECTION_LEN];	 /* without markup, blanks single */
	char block[SECTION_LEN]; /* lines */
};

static struct section sections[WORDS_MAX];
static size_t nsections;

/* What was said of one example: words in blanks. */
static char said[4096];

static void say(const char *word)
{
	char padded[80];

	snprintf(padded, sizeof(padded), " %s ", word);
	if (!strstr(said, padded))
		strncat(said, padded, sizeof(said) - strlen(said) - 1);
}

static void say_if(bool yes, const char *word)
{
	if (yes)
		say(word);
}

static void take_verdict(void *ctx, const struct verdict *v)
{
	(void)ctx;
	say(judged_name(v->outcome));
	say(reached_name(v->stage));
	say(ending_name(v->ending));
	say_if(v->inferred, "inferred");
	say_if(v->simultaneous, "simultaneous");
	say_if(v->split, "split");
	say_if(v->cookie_like, "cookie_like");
	say_if(v->tfo != TFO_NONE, "tfo");
	for (int s = CLIENT; s <= SERVER; s++) {
		say_if(v->side[s].seen_before, "seen_before");
		say_if(v->side[s].filled_hole, "filled_hole");
		say_if(v->side[s].late, "late");
		say_if(v->side[s].needless, "needless");
		say_if(v->side[s].by_seq != v->side[s].captured, "missed");
	}
	for (int i = 0; i < v->nanomalies; i++)
		say(anomaly_name(v->anomaly[i].kind));
}

static void take_finding(void *ctx, const struct finding *f)
{
	(void)ctx;
	say(finding_name(f->kind));
}

/* ---- the page ------------------------------------------------------------ */

static void add_text(char *to, size_t size, const char *line)
{
	size_t n = strlen(to);

	for (; *line && n + 2 < size; line++) {
		if (*line == '*' || (*line == '_' && line[1] == ' '))
			continue;
		if (isspace((unsigned char)*line)) {
			if (n && to[n - 1] != ' ')
				to[n++] = ' ';
		} else {
			to[n++] = *line;
		}
	}
	to[n] = '\0';
}

static void read_manual(void)
{
	char line[LINE_LEN];
	struct section *s = NULL;
	bool code = false;
	FILE *f = fopen(MANUAL, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	memset(sections, 0, sizeof(sections));
	nsections = 0;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "```", 3) == 0) {
			code = !code;
		} else if (strncmp(line, "# ", 2) == 0 && !code) {
			s = NULL;
		} else if (strncmp(line, "## ", 3) == 0 && !code) {
			CU_ASSERT_FATAL(nsections < WORDS_MAX);
			s = &sections[nsections++];
			line[strcspn(line, "\n")] = '\0';
			snprintf(s->title, sizeof(s->title), "%.60s", line + 3);
		} else if (s && code) {
			strncat(s->block, line,
				sizeof(s->block) - strlen(s->block) - 1);
		} else if (s) {
			add_text(s->text, sizeof(s->text), line);
		}
	}
	fclose(f);
}

static const struct section *section(const char *title)
{
	for (size_t i = 0; i < nsections; i++)
		if (strcmp(sections[i].title, title) == 0)
			return &sections[i];
	fprintf(stderr, "the page has no section %s\n", title);
	return NULL;
}

/* ---- an example ---------------------------------------------------------- */

struct capture {
	struct analysis *judge;
	int64_t ns;
	uint64_t number;
	unsigned int nth; /* of the repetitions */
	char varies;	  /* first letter of what is different in each */
};

static uint16_t flags_of(char *words)
{
	static const struct {
		const char *name;
		uint16_t bit;
	} all[] = {
		{"SYN", TH_SYN}, {"ACK", TH_ACK}, {"FIN", TH_FIN},
		{"RST", TH_RST}, {"PSH", TH_PSH}, {"URG", TH_URG},
		{"res", 0x400},	 {"none", 0},
	};
	uint16_t flags = 0;

	for (char *next, *w = words; w; w = next) {
		size_t i = 0;

		next = strchr(w, '-');
		if (next)
			*next++ = '\0';
		while (i < ARRAY_LEN(all) && strcmp(all[i].name, w) != 0)
			i++;
		if (i == ARRAY_LEN(all))
			fprintf(stderr, "what is the flag %s?\n", w);
		CU_ASSERT_FATAL(i < ARRAY_LEN(all));
		flags |= all[i].bit;
	}
	return flags;
}

static void set(struct packet *p, const char *key, const char *value)
{
	static uint8_t text[2048];
	unsigned int n = (unsigned int)strtoul(value, NULL, 10);

	if (strcmp(key, "ttl") == 0) {
		p->ttl = (uint8_t)n;
	} else if (strcmp(key, "wnd") == 0) {
		p->wnd = (uint16_t)n;
	} else if (strcmp(key, "mss") == 0) {
		p->mss = (uint16_t)n;
		p->opts = n ? p->opts | POPT_MSS : p->opts & ~POPT_MSS;
	} else if (strcmp(key, "ws") == 0) {
		p->wscale = (uint8_t)n;
	} else if (strcmp(key, "opts") == 0) {
		p->opts = strcmp(value, "mss") == 0 ? POPT_MSS : 0;
	} else if (strcmp(key, "ts") == 0) {
		p->opts |= POPT_TS;
		p->ts_val = n;
	} else if (strcmp(key, "sack") == 0) {
		p->opts |= POPT_SACK;
		p->nsacks = 1;
		p->sack[0].start = n;
		p->sack[0].end =
			(uint32_t)strtoul(strchr(value, '-') + 1, NULL, 10);
	} else if (strcmp(key, "text") == 0) {
		memset(text, value[0], sizeof(text));
		p->text = text;
	} else if (strcmp(key, "sum") == 0) {
		p->notes |= value[0] == 'b' ? NOTE_TCP_SUM : NOTE_TCP_SUM_PART;
	} else if (strcmp(key, "option") == 0) {
		p->notes |= NOTE_OPTION;
	} else if (strcmp(key, "tfo") == 0) {
		p->opts |= POPT_TFO;
		p->tfo_len = (uint8_t)n;
	} else if (strcmp(key, "mtu") == 0) {
		p->icmp_mtu = n;
		p->icmp_type = 3;
		p->icmp_code = 4;
	} else if (strcmp(key, "code") == 0) {
		p->icmp_type = 3;
		p->icmp_code = (uint8_t)n;
	} else if (strcmp(key, "same") == 0) { /* both ends are one socket */
		p->src = p->dst;
		p->sport = p->dport;
	} else {
		fprintf(stderr, "what is %s=%s?\n", key, value);
		CU_FAIL_FATAL("a key that is none");
	}
}

static void ends(const struct capture *c, struct packet *p, bool server)
{
	static const struct ip_addr addr[2] = {
		{.b = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}},
		{.b = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2}},
	};
	struct ip_addr a[2] = {addr[0], addr[1]};
	uint16_t port[2] = {40000, 80};

	if (c->varies == 'c' || c->varies == 'h') {
		a[c->varies == 'h'].b[13] = (uint8_t)(1 + c->nth / 250);
		a[c->varies == 'h'].b[14] = (uint8_t)(c->nth % 250);
	} else if (c->varies == 'p') {
		port[1] = (uint16_t)(20 + c->nth);
	}
	p->src = a[server];
	p->dst = a[!server];
	p->sport = port[server];
	p->dport = port[!server];
}

static void play_line(struct capture *c, char *line)
{
	static const uint8_t text[2048] = {1, 2, 3};
	struct packet p = {.kind = PACKET_TCP, .ttl = 64, .wnd = 60000};
	uint32_t *number[] = {&p.seq, &p.ack, &p.len};
	char *word = strtok(line, " \t\n"), *eq;
	size_t n = 0;

	if (!word)
		return;
	c->ns += MS;
	if (*word == '+') {
		c->ns += (strtol(word + 1, NULL, 10) - 1) * MS;
		word = strtok(NULL, " \t\n");
	}
	ends(c, &p, *word == 's');
	p.ns = c->ns;
	p.number = ++c->number;
	p.text = text;
	word = strtok(NULL, " \t\n");
	if (strcmp(word, "i") == 0)
		p.kind = PACKET_ICMP;
	else
		p.flags = flags_of(word);
	if (p.flags & TH_SYN) {
		p.opts = POPT_MSS | POPT_SACK_OK | POPT_WSCALE;
		p.mss = 1460;
	}
	while ((word = strtok(NULL, " \t\n"))) {
		eq = strchr(word, '=');
		if (eq) {
			*eq = '\0';
			set(&p, word, eq + 1);
		} else {
			CU_ASSERT_FATAL(n < ARRAY_LEN(number));
			*number[n++] = (uint32_t)strtoul(word, NULL, 10);
		}
	}
	p.cap_len = p.len;
	analysis_take(c->judge, &p);
}

static void play(const char *block)
{
	const struct analysis_conf conf = ANALYSIS_DEFAULTS;
	struct capture c = {.ns = 1000000000000000000};
	char copy[SECTION_LEN], *line, *next, what[16] = "";
	unsigned int times = 1;

	said[0] = '\0';
	c.judge = analysis_new(&conf, take_verdict, NULL);
	ASSERT(c.judge);
	if (sscanf(block, "many %u %15s", &times, what) == 2)
		block += strcspn(block, "\n") + 1;
	c.varies = what[0];
	for (c.nth = 0; c.nth < times; c.nth++) {
		snprintf(copy, sizeof(copy), "%s", block);
		for (line = copy; *line; line = next) {
			next = line + strcspn(line, "\n");
			if (*next)
				*next++ = '\0';
			play_line(&c, line);
		}
	}
	analysis_end(c.judge);
	analysis_findings(c.judge, take_finding, NULL);
	analysis_free(c.judge);
}

static void example(const char *word)
{
	const struct section *s = section(word);
	char padded[80];

	CU_ASSERT_PTR_NOT_NULL(s);
	if (!s)
		return;
	CU_ASSERT(s->block[0]);
	snprintf(padded, sizeof(padded), " %s ", word);
	play(s->block);
	if (!strstr(said, padded))
		fprintf(stderr, "the example of %s is judged%s\n", word, said);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, padded));
}

static void has(const char *title, const char *words)
{
	const struct section *s = section(title);

	if (!s)
		return;
	/* A sentence begins with a capital letter. */
	if (!strcasestr(s->text, words))
		fprintf(stderr, "%s lacks: %s\n", title, words);
	CU_ASSERT_PTR_NOT_NULL(strcasestr(s->text, words));
}

/* ---- the tests ----------------------------------------------------------- */

static void every_outcome(void)
{
	read_manual();
	for (unsigned int i = 0; i < JUDGED_NJUDGED; i++) {
		example(judged_name(i));
		has(judged_name(i), judged_meaning(i));
	}
}

static void every_stage(void)
{
	read_manual();
	for (unsigned int i = 0; i < REACHED_NREACHED; i++)
		if (i != REACHED_NONE)
			example(reached_name(i));
}

static void every_ending(void)
{
	read_manual();
	for (unsigned int i = 0; i < ENDING_NENDINGS; i++)
		if (i != ENDING_NONE) {
			example(ending_name(i));
			has(ending_name(i), ending_meaning(i));
		}
}

static void other_words(void)
{
	static const char *const words[] = {
		"inferred", "simultaneous", "split", "cookie_like",
		"tfo",	    "seen_before",  "late",  "filled_hole",
		"needless", "missed",
	};

	read_manual();
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		example(words[i]);
}

static void every_anomaly(void)
{
	read_manual();
	for (unsigned int i = 0; i < ANOMALY_NKINDS; i++) {
		example(anomaly_name(i));
		has(anomaly_name(i), anomaly_meaning(i));
		has(anomaly_name(i), severity_name(anomaly_severity(i)));
		has(anomaly_name(i), anomaly_clause(i));
		has(anomaly_name(i), anomaly_causes(i));
		has(anomaly_name(i), anomaly_advice(i));
	}
}

/* The dullest of connections raises nothing. */
static void no_anomaly(void)
{
	const struct section *s;

	read_manual();
	s = section("fin_both");
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	play(s->block);
	for (unsigned int i = 0; i < ANOMALY_NKINDS; i++)
		CU_ASSERT_PTR_NULL(strstr(said, anomaly_name(i)));
}

static void every_finding(void)
{
	read_manual();
	for (unsigned int i = 0; i < FINDING_NKINDS; i++) {
		example(finding_name(i));
		has(finding_name(i), finding_meaning(i));
		has(finding_name(i), finding_causes(i));
		has(finding_name(i), finding_advice(i));
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(every_outcome), UNIT_TEST(every_stage),
		UNIT_TEST(every_ending),  UNIT_TEST(other_words),
		UNIT_TEST(every_anomaly), UNIT_TEST(no_anomaly),
		UNIT_TEST(every_finding),
	};

	return unit_run("analysis_manual", tests, ARRAY_LEN(tests), argc, argv);
}
