/*
 * member.h - What an object of JSON has under a name
 */
#ifndef TCPHS_CLI_MEMBER_H
#define TCPHS_CLI_MEMBER_H

#include <jansson.h>

/** member_number() - 0 if it has none */
static inline json_int_t member_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/** member_text() - Empty if it has none */
static inline const char *member_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

#endif
