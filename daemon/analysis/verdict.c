/*
 * verdict.c - What follows from a verdict
 */
#include <tcphs/analysis.h>

uint32_t verdict_retransmissions(const struct verdict *v)
{
	uint32_t n = 0;

	if (v->syn.tries > 1)
		n += v->syn.tries - 1;
	if (v->synack.tries > 1)
		n += v->synack.tries - 1;
	for (int i = CLIENT; i <= SERVER; i++)
		n += v->side[i].seen_before + v->side[i].filled_hole +
		     v->side[i].needless;
	return n;
}

int64_t verdict_round_trip_ns(const struct verdict *v)
{
	if (v->last_syn_synack_ns < 0 || v->synack_ack_ns < 0)
		return -1;
	return v->last_syn_synack_ns + v->synack_ack_ns;
}

int verdict_worst(const struct verdict *v)
{
	int worst = SEVERITY_NONE;

	for (int i = 0; i < v->nanomalies; i++) {
		int severity = (int)anomaly_severity(v->anomaly[i].kind);

		worst = severity > worst ? severity : worst;
	}
	return worst;
}
