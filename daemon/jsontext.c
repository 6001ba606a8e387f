/*
 * jsontext.c - Any bytes as a JSON string
 *
 * jansson makes a tree first and refuses what is not UTF-8. A line of the event
 * file is written once a microsecond, and its texts come from file names and
 * configurations, which may hold anything.
 */
#include <tcphs/jsontext.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\\ufffd"

size_t jsontext_utf8(const uint8_t *s, uint32_t *code)
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

bool jsontext_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* How many characters stand for themselves; nearly always all of them. */
static size_t plain(const uint8_t *s)
{
	size_t n = 0;

	while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

/* The character at *@s, which moves on, as it stands in a string. */
static size_t special(const uint8_t **s, char put[8])
{
	uint32_t code;
	size_t len = jsontext_utf8(*s, &code);

	if (len == 0) {
		*s += 1;
		memcpy(put, REPLACEMENT, sizeof(REPLACEMENT));
		return sizeof(REPLACEMENT) - 1;
	}
	memcpy(put, *s, len);
	*s += len;
	if (jsontext_is_control(code))
		return (size_t)snprintf(put, 8, "\\u%04x", (unsigned int)code);
	if (len > 1)
		return len;
	put[0] = '\\'; /* a quote or a backslash */
	put[1] = (char)code;
	return 2;
}

size_t jsontext(char *to, size_t room, const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	char *at = to, *end = to + room;
	const void *put;
	char one[8];
	size_t n;

	if (room < 2)
		return 0;
	*at++ = '"';
	while (*p) {
		put = p;
		n = plain(p);
		p += n;
		if (!n) {
			put = one;
			n = special(&p, one);
		}
		if ((size_t)(end - at) < n + 1)
			return 0;
		memcpy(at, put, n);
		at += n;
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
		len = jsontext_utf8(p, &code);
		if (len != 0 && !jsontext_is_control(code))
			continue;
		len = len ? len : 1;
		memset(p, '?', len);
	}
}
