/*
 * test_verdict_cells.c - Verdicts as cells of a table
 */
#include "../../cli/verdict.h"

#include <string.h>

#include "core/assert.h"
#include "unit.h"

static struct verdict v;

static const char *anomalies(void)
{
	static struct value cell;

	cell = (struct value){.type = VALUE_NONE};
	verdict_value(&v, &verdict_columns[VERDICT_ANOMALIES], &cell);
	return cell.type == VALUE_TEXT ? cell.text : NULL;
}

static void note(unsigned int kind)
{
	v.anomaly[v.nanomalies++].kind = (uint8_t)kind;
}

static void what_is_odd_is_named_once(void)
{
	memset(&v, 0, sizeof(v));
	CU_ASSERT_PTR_NULL(anomalies());
	note(ANOMALY_NO_MSS); /* information */
	CU_ASSERT_PTR_NULL(anomalies());
	note(ANOMALY_RST_NOT_EXACT);
	note(ANOMALY_CHECKSUM_BAD);
	note(ANOMALY_RST_NOT_EXACT); /* of the other side */
	CU_ASSERT_STRING_EQUAL(anomalies(), "rst_not_exact,checksum_bad");
	note(ANOMALY_SYNACK_TWO_ISN); /* a warning */
	CU_ASSERT_STRING_EQUAL(anomalies(),
			       "synack_two_isn,rst_not_exact,checksum_bad");
}

/* Those of the longest names, as many as a verdict can have. */
static void all_of_them_fit(void)
{
	const char *names;
	uint64_t used = 0;

	memset(&v, 0, sizeof(v));
	while (v.nanomalies < ANOMALIES_MAX) {
		unsigned int longest = ANOMALY_NKINDS;

		for (unsigned int k = 0; k < ANOMALY_NKINDS; k++)
			if (!(used >> k & 1) &&
			    anomaly_severity(k) != SEVERITY_INFO &&
			    (longest == ANOMALY_NKINDS ||
			     strlen(anomaly_name(k)) >
				     strlen(anomaly_name(longest))))
				longest = k;
		used |= UINT64_C(1) << longest;
		note(longest);
	}
	names = anomalies();
	CU_ASSERT_PTR_NOT_NULL_FATAL(names);
	for (int i = 0; i < v.nanomalies; i++)
		CU_ASSERT_PTR_NOT_NULL(
			strstr(names, anomaly_name(v.anomaly[i].kind)));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(what_is_odd_is_named_once),
		UNIT_TEST(all_of_them_fit),
	};

	return unit_run("verdict_cells", tests, ARRAY_LEN(tests), argc, argv);
}
