/*
 * test_catalogue.c - For every word of the judge two captures: one that it must
 * use it for, and the nearest harmless one, for which it must not
 *
 * The tables have a place for each value of an enum, and an empty place fails.
 * tcphs-analysis(7) says what the lines mean (flow_script.h).
 */
#include <stdio.h>

#include <tcphs/analysis.h>

#include "catalogue.h"
#include "core/assert.h"
#include "flow_script.h"
#include "unit.h"

static const struct row outcomes[JUDGED_NJUDGED] = {
	[JUDGED_COMPLETED] = {OPENED,
			      /* An ACK of something else. */
			      SYN SYNACK "c ACK 1001 5100\n"},
	[JUDGED_REFUSED] = {SYN "s RST-ACK 0 1001\n",
			    /* A RST for another SYN, and the real answer. */
			    SYN "s RST-ACK 0 1002\n" SYNACK
				"c ACK 1001 5001\n"},
	[JUDGED_TIMEOUT] = {SYN "+1000 " SYN "+2000 " SYN,
			    SYN "+1000 " SYN "+2000 " SYN SYNACK},
	[JUDGED_RESET_MID] = {SYN SYNACK "c RST 1001\n", OPENED "c RST 1001\n"},
	[JUDGED_HALF_OPEN] = {SYN SYNACK "+1000 " SYNACK,
			      /* Its ACK was not captured: it goes on. */
			      SYN SYNACK "s PSH-ACK 5001 1001 300\n"},
	[JUDGED_MIDSTREAM] = {"c PSH-ACK 1001 5001 100\n"
			      "s ACK 5001 1101\n",
			      SYNACK "c PSH-ACK 1001 5001 100\n"
				     "s ACK 5001 1101\n"},
	[JUDGED_SYN_MISSING] = {SYNACK "c ACK 1001 5001\n",
				/* Its answer was written down first. */
				SYNACK "+0 " SYN "c ACK 1001 5001\n"},
	[JUDGED_SYNACK_MISSING] = {SYN "c ACK 1001 5001\n"
				       "c PSH-ACK 1001 5001 100\n",
				   /* It gives up. */
				   SYN "c RST 1001\n"},
};

static const struct row stages[REACHED_NREACHED] = {
	[REACHED_NONE] = {"c ACK 1001 5001\n", SYN},
	[REACHED_SYN] = {SYN, SYN SYNACK},
	[REACHED_SYNACK] = {SYN SYNACK, OPENED},
	[REACHED_HSACK] = {OPENED, OPENED "c PSH-ACK 1001 5001 100\n"},
	[REACHED_FIRST_DATA] = {OPENED "c PSH-ACK 1001 5001 100\n",
				/* A keep-alive is no text. */
				OPENED "s ACK 5001 1001\n"
				       "+60000 c ACK 1000 5001 1\n"},
	[REACHED_LATER] = {TALKED, OPENED "c PSH-ACK 1001 5001 100\n"
					  "c PSH-ACK 1101 5001 100\n"},
};

static const struct row endings[ENDING_NENDINGS] = {
	[ENDING_OPEN] = {TALKED, TALKED "c FIN-ACK 1101 5301\n"},
	[ENDING_NONE] = {SYN "s RST-ACK 0 1001\n", OPENED},
	[ENDING_FIN_BOTH] = {CLOSED, TALKED "c FIN-ACK 1101 5301\n"
					    "s ACK 5301 1102\n"},
	[ENDING_HALF_CLIENT] = {TALKED "c FIN-ACK 1101 5301\n", CLOSED},
	[ENDING_HALF_SERVER] = {TALKED "s FIN-ACK 5301 1101\n",
				TALKED "c FIN-ACK 1101 5301\n"},
	[ENDING_RST_CLIENT] = {TALKED "c RST-ACK 1101 5301\n",
			       /* None that its receiver may take. */
			       TALKED "c RST 90001101\n"},
	[ENDING_RST_SERVER] = {TALKED "s RST-ACK 5301 1101\n",
			       TALKED "c RST-ACK 1101 5301\n"},
};

static const struct mark {
	const char *word;
	struct row row;
} marks[] = {
	{"inferred",
	 {SYN SYNACK "s PSH-ACK 5001 1001 300\n",
	  /* The third step has the first text. */
	  SYN SYNACK "c PSH-ACK 1001 5001 100\n"}},
	{"simultaneous",
	 {SYN "s SYN 5000\n"
	      "c SYN-ACK 1000 5001\n"
	      "s SYN-ACK 5000 1001\n",
	  SYN "s ACK 5000 1001\n"
	      "s SYN 5000\n"
	      "c SYN-ACK 1000 5001\n"
	      "s ACK 5001 1001\n"}},
	{"split",
	 {SYN "s ACK 5000 1001\n"
	      "s SYN 5000\n"
	      "c SYN-ACK 1000 5001\n"
	      "s ACK 5001 1001\n",
	  SYN "s SYN 5000\n"
	      "c SYN-ACK 1000 5001\n"
	      "s SYN-ACK 5000 1001\n"}},
	{"cookie_like",
	 {SYN "s SYN-ACK 5000 1001 0 opts=mss mss=1460\n",
	  /* Nothing else was asked for. */
	  "c SYN 1000 0 0 opts=mss mss=1460\n"
	  "s SYN-ACK 5000 1001 0 opts=mss mss=1460\n"}},
	{"tfo",
	 {"c SYN 1000 0 50 tfo=8\n"
	  "s SYN-ACK 5000 1051\n",
	  OPENED "c PSH-ACK 1001 5001 50\n"}},
	{"seen_before",
	 {OPENED "c PSH-ACK 1001 5001 100\n"
		 "+300 c PSH-ACK 1001 5001 100\n",
	  /* Captured twice, that is. */
	  OPENED "c PSH-ACK 1001 5001 100 id=7\n"
		 "c PSH-ACK 1001 5001 100 id=7\n"}},
	{"filled_hole",
	 {OPENED "c PSH-ACK 1101 5001 100\n"
		 "+300 c ACK 1001 5001 100\n",
	  OPENED "c PSH-ACK 1101 5001 100\n"
		 "+0 c ACK 1001 5001 100\n"}},
	{"late",
	 {OPENED "c PSH-ACK 1101 5001 100\n"
		 "+0 c ACK 1001 5001 100\n",
	  OPENED "c PSH-ACK 1101 5001 100\n"
		 "+300 c ACK 1001 5001 100\n"}},
	{"needless",
	 {OPENED "c PSH-ACK 1001 5001 100\n"
		 "s ACK 5001 1101\n"
		 "+300 c PSH-ACK 1001 5001 100\n",
	  OPENED "c PSH-ACK 1001 5001 100\n"
		 "+300 c PSH-ACK 1001 5001 100\n"
		 "s ACK 5001 1101\n"}},
	{"missed",
	 {OPENED "c PSH-ACK 1101 5001 100\n"
		 "s ACK 5001 1201\n",
	  OPENED "c PSH-ACK 1101 5001 100\n"
		 "+300 c ACK 1001 5001 100\n"
		 "s ACK 5001 1201\n"}},
};

static const struct row findings[FINDING_NKINDS] = {
	[FINDING_SYN_FLOOD] = {"many 200 clients\n" SYN SYNACK,
			       /* The server is dead: they try again. */
			       "many 200 clients\n" SYN "+1000 " SYN},
	[FINDING_HALF_OPEN_HIGH] = {"many 150 clients\n+300 " SYN SYNACK,
				    /* They hang, but not at once. */
				    "many 150 clients\n+1000 " SYN SYNACK},
	[FINDING_PORT_SCAN] = {"many 30 ports\n" SYN "s RST-ACK 0 1001\n",
			       "many 30 ports\n" OPENED},
	[FINDING_HOST_SCAN] = {"many 30 hosts\n" SYN, "many 30 hosts\n" OPENED},
	[FINDING_BACKSCATTER] = {"many 30 clients\n" SYNACK,
				 /* One direction of what was asked for. */
				 "many 30 clients\n" SYNACK
				 "s PSH-ACK 5001 1001 300\n"},
	[FINDING_LAND] = {"c SYN 1000 0 0 same=ends\n", SYN},
};

static void check(const char *word, const struct row *row)
{
	if (!row->raises || !row->harmless)
		fprintf(stderr, "%s has no captures\n", word);
	CU_ASSERT_FATAL(row->raises && row->harmless);
	script_play(row->raises);
	if (!script_says(word))
		fprintf(stderr, "what should be %s is%s\n", word,
			script_said());
	CU_ASSERT(script_says(word));
	script_play(row->harmless);
	if (script_says(word))
		fprintf(stderr, "what should not be %s is%s\n", word,
			script_said());
	CU_ASSERT_FALSE(script_says(word));
}

static void every_outcome(void)
{
	for (unsigned int i = 0; i < JUDGED_NJUDGED; i++)
		check(judged_name(i), &outcomes[i]);
}

static void every_stage(void)
{
	for (unsigned int i = 0; i < REACHED_NREACHED; i++)
		check(i == REACHED_NONE ? "no_stage" : reached_name(i),
		      &stages[i]);
}

static void every_ending(void)
{
	for (unsigned int i = 0; i < ENDING_NENDINGS; i++)
		check(i == ENDING_NONE ? "no_ending" : ending_name(i),
		      &endings[i]);
}

static void every_mark(void)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		check(marks[i].word, &marks[i].row);
}

static void every_anomaly(void)
{
	for (unsigned int i = 0; i < ANOMALY_NKINDS; i++)
		check(anomaly_name(i), &catalogue_anomalies[i]);
}

static void every_finding(void)
{
	for (unsigned int i = 0; i < FINDING_NKINDS; i++)
		check(finding_name(i), &findings[i]);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(every_outcome), UNIT_TEST(every_stage),
		UNIT_TEST(every_ending),  UNIT_TEST(every_mark),
		UNIT_TEST(every_anomaly), UNIT_TEST(every_finding),
	};

	return unit_run("catalogue", tests, ARRAY_LEN(tests), argc, argv);
}
