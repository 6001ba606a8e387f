/*
 * jsontext.c - Any bytes as a JSON string
 *
 * jansson makes a tree first and refuses what is not UTF-8. A line of the event
 * file is written once a microsecond, and its texts come from file names and
 * configurations, which may hold anything.
 */
#include "jsontext.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\\ufffd"

/*
 * The character at @s: its length, and its code. Length 0 if it is not UTF-8
 * (RFC 3629, 4): a stray or missing continuation, a form longer than needed, a
 * surrogate, or beyond U+10FFFF.
 */
static size_t utf8(const uint8_t *s, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	if (len <= 1) {
		*code = s[0];
		return len;
	}
	*code = s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return len;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

size_t jsontext(char *to, size_t room, const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	char escape[8], *at = to, *end = to + room;
	const char *put;
	size_t len, n;
	uint32_t code;

	if (room < 2)
		return 0;
	*at++ = '"';
	while (*p) {
		len = utf8(p, &code);
		put = (const char *)p;
		n = len;
		if (len == 0) {
			put = REPLACEMENT;
			n = sizeof(REPLACEMENT) - 1;
			len = 1;
		} else if (code == '"' || code == '\\' || is_control(code)) {
			n = (size_t)snprintf(escape, sizeof(escape),
					     is_control(code) ? "\\u%04x"
							      : "\\%c",
					     (unsigned int)code);
			put = escape;
		}
		if ((size_t)(end - at) < n + 1)
			return 0;
		memcpy(at, put, n);
		at += n;
		p += len;
	}
	*at++ = '"';
	return (size_t)(at - to);
}

void jsontext_clean(char *s)
{
	uint8_t *p = (uint8_t *)s;
	uint32_t code;
	size_t len;

	for (; *p; p += len) {
		len = utf8(p, &code);
		if (len != 0 && !is_control(code))
			continue;
		len = len ? len : 1;
		memset(p, '?', len);
	}
}
