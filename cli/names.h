/*
 * names.h - Names instead of numbers
 */
#ifndef TCPHS_CLI_NAMES_H
#define TCPHS_CLI_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define NAMES_LIVE_US 200000 /* patience where somebody looks on */

/**
 * names_patience() - For how long names are waited for
 * @us: At once; of what comes later a tenth of the time. 3 s unless set
 */
void names_patience(int64_t us);

/** names_ask() - Begin to look for the name of an end, which is text */
void names_ask(const char *end);

/**
 * names_put() - Write names in the place of numbers
 * @end:  "198.18.66.1:80", "[fd74::1]:80" or an address alone; anything else,
 *        and what has no name or none yet, stays as it is
 * @size: Of its buffer
 *
 * Return: its length
 */
size_t names_put(char *end, size_t size);

#endif
