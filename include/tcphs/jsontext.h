/*
 * jsontext.h - Any bytes as a JSON string, or on a terminal
 */
#ifndef TCPHS_JSONTEXT_H
#define TCPHS_JSONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/**
 * jsontext_utf8() - The character at @s, which ends with a zero somewhere
 * @code: Gets which it is
 *
 * Return: how many bytes it has; 0 if it is not UTF-8 (RFC 3629, 4): a stray or
 *         missing continuation, a form longer than needed, a surrogate, or
 *         beyond U+10FFFF
 */
size_t jsontext_utf8(const uint8_t *s, uint32_t *code);

/** jsontext_is_control() - Might a terminal obey it? */
bool jsontext_is_control(uint32_t code);

#endif
