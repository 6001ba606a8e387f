/*
 * verdict.c - A verdict as cells of a table
 */
#include "verdict.h"

#include <string.h>
#include <time.h>

_Static_assert(ANOMALY_NKINDS <= 64, "their set is one number");

static void set_number(struct value *to, uint64_t n);
static void set_us(struct value *to, int64_t ns);
static void set_text(struct value *to, const char *text);
static void set_end(struct value *to, const struct verdict_side *s);
static void set_time(struct value *to, int64_t ns);
static void set_anomalies(struct value *to, const struct verdict *v);
static void add_word(struct value *to, const char *word);

/* In the order of enum verdict_column. */
const struct column verdict_columns[] = {
#define COLUMN(id, heading, field, kind, shown, leaves) \
	{heading, field, kind, shown, leaves},
	VERDICT_COLUMNS(COLUMN)
#undef COLUMN
		{NULL, NULL, COLUMN_TEXT, false, 0},
};

void verdict_value(const void *of, const struct column *column,
		   struct value *to)
{
	const struct verdict *v = of;
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];

	to->type = VALUE_NONE;
	switch ((enum verdict_column)(column - verdict_columns)) {
	case VERDICT_ID:
		set_number(to, v->id);
		break;
	case VERDICT_CLIENT:
		set_end(to, c);
		break;
	case VERDICT_SERVER:
		set_end(to, s);
		break;
	case VERDICT_OUTCOME:
		set_text(to, judged_name(v->outcome));
		break;
	case VERDICT_STAGE:
		set_text(to, reached_name(v->stage));
		break;
	case VERDICT_HS:
		set_us(to, v->total_ns);
		break;
	case VERDICT_SYNACK:
		set_us(to, v->syn_synack_ns);
		break;
	case VERDICT_ACK:
		set_us(to, v->synack_ack_ns);
		break;
	case VERDICT_RTT:
		set_us(to, verdict_round_trip_ns(v));
		break;
	case VERDICT_PACKETS:
		set_number(to, c->packets + s->packets);
		break;
	case VERDICT_C2S:
		set_number(to, c->by_seq);
		break;
	case VERDICT_S2C:
		set_number(to, s->by_seq);
		break;
	case VERDICT_RETR:
		set_number(to, verdict_retransmissions(v));
		break;
	case VERDICT_ENDING:
		set_text(to, ending_name(v->ending));
		break;
	case VERDICT_ANOMALIES:
		set_anomalies(to, v);
		break;
	case VERDICT_START:
		set_time(to, v->start_ns);
		break;
	case VERDICT_DURATION:
		set_us(to, v->end_ns - v->start_ns);
		break;
	case VERDICT_ZEEK:
		set_text(to, v->zeek_state);
		break;
	case VERDICT_HISTORY:
		set_text(to, v->zeek_history);
		break;
	case VERDICT_COMPLETENESS:
		set_number(to, v->completeness);
		break;
	case VERDICT_COMMUNITY:
		to->type = VALUE_TEXT;
		verdict_community(v, to->text);
		break;
	}
}

static void set_number(struct value *to, uint64_t n)
{
	to->type = VALUE_NUMBER;
	to->number = (int64_t)n;
}

static void set_us(struct value *to, int64_t ns)
{
	if (ns >= 0)
		set_number(to, (uint64_t)ns / 1000);
}

static void set_text(struct value *to, const char *text)
{
	to->type = VALUE_TEXT;
	if (!memccpy(to->text, text, '\0', sizeof(to->text)))
		to->text[sizeof(to->text) - 1] = '\0';
}

static void set_end(struct value *to, const struct verdict_side *s)
{
	to->type = VALUE_END;
	to->addr = s->addr;
	to->number = s->port;
}

static void set_time(struct value *to, int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	to->type = VALUE_TEXT;
	strftime(to->text, sizeof(to->text), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* What is more than information, the worst first, each kind once. */
static void set_anomalies(struct value *to, const struct verdict *v)
{
	uint64_t said = 0;

	for (int worst = SEVERITY_WARNING; worst > SEVERITY_INFO; worst--) {
		for (int i = 0; i < v->nanomalies; i++) {
			unsigned int kind = v->anomaly[i].kind;

			if ((int)anomaly_severity(kind) != worst ||
			    said >> kind & 1)
				continue;
			add_word(to, anomaly_name(kind));
			said |= 1ull << kind;
		}
	}
}

static void add_word(struct value *to, const char *word)
{
	size_t n = to->type == VALUE_TEXT ? strlen(to->text) : 0;

	if (n + strlen(word) + 2 > sizeof(to->text))
		return;
	if (n)
		to->text[n++] = ',';
	memcpy(to->text + n, word, strlen(word) + 1);
	to->type = VALUE_TEXT;
}

void verdict_community(const struct verdict *v, char buf[COMMUNITY_ID_MAX])
{
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];

	community_id(&c->addr, c->port, &s->addr, s->port, buf);
}
