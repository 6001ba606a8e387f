/*
 * jsontext.h - Any bytes as a JSON string
 */
#ifndef TCPHS_JSONTEXT_H
#define TCPHS_JSONTEXT_H

#include <stddef.h>

/**
 * jsontext() - Write a quoted string (RFC 8259, 7)
 * @to:   Gets no final zero
 * @room: Bytes there
 * @s:    Need not be UTF-8; what is not becomes U+FFFD
 *
 * Control characters are escaped, also U+007F to U+009F, which some terminals
 * obey.
 *
 * Return: bytes written; 0 if there is not enough room, which 6 * strlen(@s) + 2
 *         bytes always are
 */
size_t jsontext(char *to, size_t room, const char *s);

/**
 * jsontext_clean() - Replace what a terminal might obey, in place
 *
 * Control characters and bytes that are no UTF-8 become '?'.
 */
void jsontext_clean(char *s);

#endif
