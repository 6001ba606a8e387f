/*
 * item.h - The values of an item, straight from its text
 */
#ifndef TCPHS_CLI_ITEM_H
#define TCPHS_CLI_ITEM_H

#include "output.h"

/**
 * item_values() - What an item has for each column
 * @text:   JSON object
 * @values: Gets @ncols of them, VALUE_NONE for what the item has not
 *
 * Return: false if it is not as plain as what the daemon writes of its own
 *         accord; that says nothing about whether it is JSON
 */
bool item_values(const char *text, size_t len, const struct column *const *col,
		 unsigned int ncols, struct value *values);

#endif
