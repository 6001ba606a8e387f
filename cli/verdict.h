/*
 * verdict.h - A verdict as JSON
 */
#ifndef TCPHS_CLI_VERDICT_H
#define TCPHS_CLI_VERDICT_H

#include <jansson.h>

#include <tcphs/analysis.h>

/** verdict_json() - All of it, as tcphs-json(5) has it; a new reference */
json_t *verdict_json(const struct verdict *v);

/** verdict_row() - What a table shows of it, flat; a new reference */
json_t *verdict_row(const struct verdict *v);

/** summary_json() - What was seen in all; a new reference */
json_t *summary_json(const struct analysis_stats *s);

#endif
