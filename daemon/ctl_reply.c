/*
 * ctl_reply.c - Answers
 *
 * Every answer goes through here and comes out as the client speaks: a line of
 * JSON with the id of the request, or text (ctl_text.c). An id is kept as the
 * JSON it was, so that it comes back byte for byte.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl_priv.h"
#include "describe.h"

#define ITEM_HEAD_MAX (CTL_ID_MAX + 32)

static const char *const error_codes[] = {
#define ERROR_CODE(name, wire, exit) wire,
	CTL_ERROR_LIST(ERROR_CODE)
#undef ERROR_CODE
};

static int write_part(const char *data, size_t len, void *client)
{
	ctl_client_write(client, data, len);
	return 0;
}

/** ctl_reply_value() - A value as JSON, however long */
void ctl_reply_value(struct ctl_client *c, const json_t *value)
{
	json_dump_callback(value, write_part, c,
			   JSON_COMPACT | JSON_ENCODE_ANY);
}

/* {"id":ID,"KIND":VALUE}, or without the id if there is none */
static void write_answer(struct ctl_client *c, const char *id, const char *kind,
			 const json_t *value)
{
	char head[ITEM_HEAD_MAX];
	int n = snprintf(head, sizeof(head),
			 "{%s%s%s\"%s\":", *id ? "\"id\":" : "", id,
			 *id ? "," : "", kind);

	if (!value) {
		c->dead = true; /* out of memory */
		return;
	}
	ctl_client_write(c, head, (size_t)n);
	ctl_reply_value(c, value);
	ctl_client_write(c, "}\n", 2);
}

/** ctl_reply_greeting() - The first line of all */
void ctl_reply_greeting(struct ctl_client *c)
{
	json_t *hello = json_pack(
		"{s:i, s:s, s:s, s:s, s:[]}", "proto", CTL_PROTO, "version",
		TCPHS_VERSION, "instance", c->ctl->instance, "rights",
		c->rights == RIGHTS_ADMIN ? "admin" : "view", "features");

	write_answer(c, "", "tcphs", hello);
	json_decref(hello);
}

/** ctl_reply_conn() - One connection of a listing; the path of a million */
void ctl_reply_conn(struct ctl_job *job, const struct conn_info *info,
		    const char *listener)
{
	struct ctl_client *c = job->client;
	char *line, *p;

	if (c->mode == MODE_TEXT) {
		ctl_text_conn(c, info, listener);
		return;
	}
	line = ctl_client_reserve(c, ITEM_HEAD_MAX + CONN_TEXT_MAX + 2);
	if (!line)
		return;
	p = stpcpy(line, "{\"id\":");
	p = stpcpy(p, job->id);
	p = stpcpy(p, ",\"item\":");
	p += describe_conn_text(info, listener, job->fields, p);
	*p++ = '}';
	*p++ = '\n';
	ctl_client_commit(c, (size_t)(p - line));
}

/** ctl_reply_item() - Takes the reference */
void ctl_reply_item(struct ctl_client *c, const char *id, json_t *item)
{
	if (c->mode == MODE_TEXT && item)
		ctl_text_item(c, item);
	else
		write_answer(c, id, "item", item);
	json_decref(item);
}

/** ctl_reply_result() - The last line of an answer; takes the reference */
void ctl_reply_result(struct ctl_client *c, const char *id, json_t *result)
{
	if (c->mode == MODE_TEXT && result)
		ctl_text_result(c, result);
	else
		write_answer(c, id, "result", result);
	json_decref(result);
}

/* What a client sent may have been cut in the middle of a character. */
json_t *ctl_reply_text(const char *text)
{
	char ascii[512];
	json_t *json = json_string(text);
	size_t i;

	if (json)
		return json;
	for (i = 0; i < sizeof(ascii) && text[i]; i++)
		ascii[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	return json_stringn(ascii, i);
}

static json_t *error_json(enum ctl_error code, size_t at, const char *message,
			  const char *hint)
{
	json_t *o = json_pack("{s:s, s:o}", "code", error_codes[code],
			      "message", ctl_reply_text(message));

	if (hint && *hint)
		json_object_set_new(o, "hint", ctl_reply_text(hint));
	if (at != CTL_NO_OFFSET)
		json_object_set_new(o, "at", json_integer((json_int_t)at));
	return o;
}

/* The same in both forms; takes the reference of @more. */
static void write_error(struct ctl_client *c, const char *id,
			enum ctl_error code, size_t at, const char *hint,
			json_t *more, const char *message)
{
	bool hinted = hint && *hint;
	char text[512];
	json_t *error;
	int n;

	if (c->mode == MODE_TEXT) {
		n = snprintf(text, sizeof(text), "error: %s%s%s%s\n", message,
			     hinted ? " (" : "", hinted ? hint : "",
			     hinted ? ")" : "");
		ctl_client_write(c, text, (size_t)n);
	} else {
		error = error_json(code, at, message, hint);
		json_object_update(error, more);
		write_answer(c, id, "error", error);
		json_decref(error);
	}
	json_decref(more);
}

/**
 * ctl_reply_error() - The last line of an answer that failed
 * @id:   "" if it could not be read
 * @at:   Offset in what is wrong, or CTL_NO_OFFSET
 * @hint: What to do about it, or NULL
 */
void ctl_reply_error(struct ctl_client *c, const char *id, enum ctl_error code,
		     size_t at, const char *hint, const char *fmt, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	write_error(c, id, code, at, hint, NULL, message);
}

/**
 * ctl_reply_failure() - The same with numbers
 * @more: Members beside code and message; takes the reference
 */
void ctl_reply_failure(struct ctl_client *c, const char *id,
		       enum ctl_error code, json_t *more, const char *fmt, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	write_error(c, id, code, CTL_NO_OFFSET, NULL, more, message);
}

/**
 * ctl_reply_refusal() - The line for somebody who never becomes a client
 *
 * Return: bytes in @buf, at most @len
 */
size_t ctl_reply_refusal(char *buf, size_t len, enum ctl_error code,
			 const char *message, const char *hint)
{
	json_t *error = error_json(code, CTL_NO_OFFSET, message, hint);
	json_t *line = json_pack("{s:o}", "error", error);
	size_t n = json_dumpb(line, buf, len - 1, JSON_COMPACT);

	json_decref(line);
	if (n > len - 1)
		return 0;
	buf[n] = '\n';
	return n + 1;
}
