/*
 * flow_script.c - A capture in lines of text, and the words that the judge has
 * for it
 */
#include "flow_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/analysis.h>

#include "core/assert.h"
#include "unit.h"

#define MS	 1000000ll
#define TEXT_MAX 65536
#define PERIOD	 251 /* of the text that everybody sends */

/* Of the last script: words in blanks. */
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
	say_if(v->stage == REACHED_NONE, "no_stage");
	say(ending_name(v->ending));
	say_if(v->ending == ENDING_NONE, "no_ending");
	say_if(v->inferred, "inferred");
	say_if(v->simultaneous, "simultaneous");
	say_if(v->split, "split");
	say_if(v->cookie_like, "cookie_like");
	say_if(v->tfo != TFO_NONE, "tfo");
	say(v->zeek_state);
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
		{"ECE", 0x40},	 {"CWR", 0x80},	  {"AE", 0x100},
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
	static uint8_t text[TEXT_MAX];
	unsigned int n = (unsigned int)strtoul(value, NULL, 10);

	if (strcmp(key, "ttl") == 0) {
		p->ttl = (uint8_t)n;
	} else if (strcmp(key, "id") == 0) {
		p->has_ip_id = true;
		p->ip_id = (uint16_t)n;
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

/* Bytes that follow from their numbers. */
static const uint8_t *text_at(uint32_t seq)
{
	static uint8_t text[TEXT_MAX + PERIOD];

	if (!text[1])
		for (uint32_t i = 0; i < sizeof(text); i++)
			text[i] = (uint8_t)(i % PERIOD);
	return text + seq % PERIOD;
}

static void play_line(struct capture *c, char *line)
{
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
			ASSERT(n < ARRAY_LEN(number));
			*number[n++] = (uint32_t)strtoul(word, NULL, 10);
		}
	}
	p.cap_len = p.len;
	if (!p.text)
		p.text = text_at(p.seq);
	analysis_take(c->judge, &p);
}

void script_play(const char *block)
{
	const struct analysis_conf conf = ANALYSIS_DEFAULTS;
	struct capture c = {.ns = 1000000000000000000};
	char copy[SCRIPT_LEN], *line, *next, what[16] = "";
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

bool script_says(const char *word)
{
	char padded[80];

	snprintf(padded, sizeof(padded), " %s ", word);
	return strstr(said, padded);
}

const char *script_said(void)
{
	return said;
}
