/*
 * advice.h - Words behind a label
 */
#ifndef TCPHS_CLI_ADVICE_H
#define TCPHS_CLI_ADVICE_H

#include "cli.h"

/**
 * advice_put() - A line, broken between words where the screen ends
 * @words: Control characters are replaced; nothing is written of none
 */
void advice_put(const struct cli *cli, const char *label, const char *words);

/**
 * advice_words() - Words from column @indent on, broken in the same way
 */
void advice_words(const struct cli *cli, const char *words, size_t indent);

#endif
