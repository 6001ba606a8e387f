/*
 * findings.h - What many connections show together, as JSON and as words
 */
#ifndef TCPHS_CLI_FINDINGS_H
#define TCPHS_CLI_FINDINGS_H

#include <jansson.h>
#include <tcphs/analysis.h>

#define FINDING_WORDS_MAX 320

/** finding_json() - A new reference */
json_t *finding_json(const struct finding *f);

/** finding_words() - One sentence, from the JSON; returns @buf */
const char *finding_words(const json_t *finding, char buf[FINDING_WORDS_MAX]);

#endif
