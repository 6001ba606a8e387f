/*
 * cell.c - One value of an item as text
 *
 * The daemon may be newer than we are: a value of an unexpected type is shown
 * as well as can be, never an error.
 */
#include "output.h"

#include <inttypes.h>
#include <string.h>

#include <tcphs/ipaddr.h>
#include <tcphs/stack.h>

static void put_string(const char *s, enum column_kind kind, bool human,
		       char *buf, size_t size);
static void put_integer(json_int_t n, enum column_kind kind, bool human,
			char *buf, size_t size);
static void put_list(const json_t *list, char *buf, size_t size);
static void put_endpoint(const json_t *end, char *buf, size_t size);
static const char *state_words(const char *wire);

size_t output_cell(const json_t *v, enum column_kind kind, bool human,
		   char *buf, size_t size)
{
	*buf = '\0';
	if (!v || json_is_null(v))
		put_string(human ? "-" : "", COLUMN_TEXT, human, buf, size);
	else if (json_is_string(v))
		put_string(json_string_value(v), kind, human, buf, size);
	else if (json_is_integer(v))
		put_integer(json_integer_value(v), kind, human, buf, size);
	else if (json_is_boolean(v))
		put_string(json_is_true(v) ? "yes" : "no", COLUMN_TEXT, human,
			   buf, size);
	else if (json_is_real(v))
		snprintf(buf, size, "%g", json_real_value(v));
	else if (json_is_array(v))
		put_list(v, buf, size);
	else
		put_endpoint(v, buf, size);
	text_clean(buf);
	return strlen(buf);
}

size_t output_value(const struct value *v, enum column_kind kind, bool human,
		    char *buf, size_t size)
{
	char end[IPPORT_TEXT_MAX];

	*buf = '\0';
	switch (v->type) {
	case VALUE_NONE:
		put_string(human ? "-" : "", COLUMN_TEXT, human, buf, size);
		break;
	case VALUE_NUMBER:
		put_integer(v->number, kind, human, buf, size);
		break;
	case VALUE_TEXT:
		put_string(v->text, kind, human, buf, size);
		text_clean(buf);
		break;
	case VALUE_END:
		ipport_format(&v->addr, (unsigned int)v->number, end);
		put_string(end, COLUMN_TEXT, human, buf, size);
		break;
	}
	return strlen(buf);
}

static void put_string(const char *s, enum column_kind kind, bool human,
		       char *buf, size_t size)
{
	if (human && kind == COLUMN_STATE)
		s = state_words(s);
	if (!memccpy(buf, s, '\0', size))
		buf[size - 1] = '\0';
}

static void put_integer(json_int_t n, enum column_kind kind, bool human,
			char *buf, size_t size)
{
	char number[TEXT_NUMBER_MAX];

	if (human && kind == COLUMN_TIME && n >= 0)
		put_string(text_duration(n, number), COLUMN_TEXT, human, buf,
			   size);
	else if (human && kind == COLUMN_BYTES && n >= 0)
		put_string(text_bytes((uint64_t)n, number), COLUMN_TEXT, human,
			   buf, size);
	else
		put_string((text_integer(n, number), number), COLUMN_TEXT,
			   human, buf, size);
}

static void put_list(const json_t *list, char *buf, size_t size)
{
	size_t i, len = 0;
	json_t *v;

	json_array_foreach(list, i, v)
	{
		if (i > 0 && len + 1 < size)
			buf[len++] = ',';
		len += output_cell(v, COLUMN_TEXT, false, buf + len,
				   size - len);
	}
	buf[len] = '\0';
}

/* {"ip":"fd74::2","port":80} as [fd74::2]:80. */
static void put_endpoint(const json_t *end, char *buf, size_t size)
{
	const char *ip = json_string_value(json_object_get(end, "ip"));
	json_int_t port = json_integer_value(json_object_get(end, "port"));

	if (!ip)
		snprintf(buf, size, "?");
	else if (strchr(ip, ':'))
		snprintf(buf, size, "[%s]:%" JSON_INTEGER_FORMAT, ip, port);
	else
		snprintf(buf, size, "%s:%" JSON_INTEGER_FORMAT, ip, port);
}

static const char *state_words(const char *wire)
{
	for (int s = 0; s < TCP_NSTATES; s++)
		if (strcmp(wire, tcp_state_key((enum tcp_state)s)) == 0)
			return tcp_state_ss_name((enum tcp_state)s);
	return wire;
}

const char *output_state_sgr(const char *name)
{
	if (strcmp(name, tcp_state_ss_name(TCP_ESTABLISHED)) == 0)
		return SGR_GREEN;
	if (strcmp(name, tcp_state_ss_name(TCP_SYN_RECEIVED)) == 0 ||
	    strcmp(name, tcp_state_ss_name(TCP_SYN_SENT)) == 0)
		return SGR_YELLOW;
	if (strcmp(name, tcp_state_ss_name(TCP_TIME_WAIT)) == 0)
		return SGR_DIM;
	return SGR_CYAN;
}
