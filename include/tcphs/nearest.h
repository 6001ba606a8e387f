/*
 * nearest.h - "did you mean ...?"
 */
#ifndef TCPHS_NEAREST_H
#define TCPHS_NEAREST_H

#include <stddef.h>

/**
 * nearest() - Which of these names was probably meant?
 * @names: @n of them; NULL entries are skipped
 *
 * Return: the name with the fewest typing mistakes between it and @word, case
 *         aside; NULL if even that one is too far off to be worth a guess
 */
const char *nearest(const char *word, const char *const *names, size_t n);

#endif
