/*
 * describe_text.c - A connection as a line of JSON, in a hurry
 *
 * A listing of a million connections writes some 300 MB. Through a tree of
 * json_t that costs 3.4 us a connection, most of the time of the whole
 * listing; written out directly it costs 0.2 us. The members and
 * their order are those of describe_conn(), byte for byte.
 */
#include "describe.h"

#include <stdlib.h>
#include <string.h>

#include <tcphs/ipaddr.h>

struct writer {
	char *at;
	uint32_t fields;
	bool first;
};

/* The constants are parts of JSON, never longer than CONN_TEXT_MAX allows. */
static void put_bytes(struct writer *w, const char *s, size_t len)
{
	memcpy(w->at, s, len);
	w->at += len;
}

#define PUT(w, literal) put_bytes(w, literal, sizeof(literal) - 1)

static void put_number(struct writer *w, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	put_bytes(w, digits + i, sizeof(digits) - i);
}

/* ASCII without what JSON escapes. strspn() would make a table of it each time. */
static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* Names are plain words as a rule; what is not goes through jansson. */
static void put_string(struct writer *w, const char *s)
{
	size_t len = 0;
	json_t *json;

	while (is_plain(s[len]))
		len++;

	*w->at++ = '"';
	if (!s[len]) {
		put_bytes(w, s, len);
		*w->at++ = '"';
		return;
	}
	w->at--;
	json = json_string(s);
	w->at += json_dumpb(json, w->at, STACK_NAME_MAX * 6,
			    JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(json);
}

static void put_addr(struct writer *w, const struct ip_addr *a)
{
	char text[IPADDR_TEXT_MAX];

	if (ip_addr_is4(a)) {
		for (int i = 12; i < 16; i++) {
			put_number(w, a->b[i]);
			*w->at++ = '.';
		}
		w->at--;
		return;
	}
	ipaddr_format(a, text);
	put_bytes(w, text, strlen(text));
}

static void put_end(struct writer *w, const struct ip_addr *a, uint16_t port)
{
	PUT(w, "{\"ip\":\"");
	put_addr(w, a);
	PUT(w, "\",\"port\":");
	put_number(w, port);
	*w->at++ = '}';
}

/* The key of a member, if it is wanted. */
static bool member(struct writer *w, enum conn_field field, const char *key,
		   size_t len)
{
	if (!(w->fields >> field & 1))
		return false;
	if (!w->first)
		*w->at++ = ',';
	w->first = false;
	*w->at++ = '"';
	put_bytes(w, key, len);
	PUT(w, "\":");
	return true;
}

#define MEMBER(w, name) member(w, CONN_FIELD_##name, #name, sizeof(#name) - 1)

static void put_names(struct writer *w, const struct conn_info *info,
		      const char *listener)
{
	const char *state = tcp_state_key(info->state);

	if (MEMBER(w, id)) {
		PUT(w, "\"c");
		put_number(w, info->id);
		*w->at++ = '"';
	}
	if (MEMBER(w, state)) {
		*w->at++ = '"';
		put_bytes(w, state, strlen(state));
		*w->at++ = '"';
	}
	if (MEMBER(w, role)) {
		if (info->role == ROLE_CLIENT)
			PUT(w, "\"client\"");
		else
			PUT(w, "\"server\"");
	}
	if (MEMBER(w, local))
		put_end(w, &info->local, info->local_port);
	if (MEMBER(w, peer))
		put_end(w, &info->peer, info->peer_port);
	if (listener && MEMBER(w, listener))
		put_string(w, listener);
}

/* Half-open and TIME-WAIT records know little more than their ends. */
static void put_numbers(struct writer *w, const struct conn_info *info)
{
	bool full = !info->half_open && info->age_us >= 0;

	if (info->age_us >= 0 && MEMBER(w, age_us))
		put_number(w, (uint64_t)info->age_us);
	if (info->idle_us >= 0 && MEMBER(w, idle_us))
		put_number(w, (uint64_t)info->idle_us);
	if (info->handshake_us >= 0 && MEMBER(w, handshake_us))
		put_number(w, (uint64_t)info->handshake_us);
	if (full && info->srtt_us > 0 && MEMBER(w, rtt_us))
		put_number(w, (uint64_t)info->srtt_us);
	if ((full || info->half_open) && MEMBER(w, retrans))
		put_number(w, info->retrans);
	if (full && MEMBER(w, bytes_in))
		put_number(w, info->bytes_in);
	if (full && MEMBER(w, bytes_out))
		put_number(w, info->bytes_out);
}

/**
 * describe_conn_text() - describe_conn() without tcb, written out at once
 * @fields: Bits 1 << enum conn_field: which members
 * @buf:    CONN_TEXT_MAX bytes; gets no final zero
 *
 * Return: bytes written
 */
size_t describe_conn_text(const struct conn_info *info, const char *listener,
			  uint32_t fields, char *buf)
{
	struct writer w = {.at = buf, .fields = fields, .first = true};

	*w.at++ = '{';
	put_names(&w, info, listener);
	put_numbers(&w, info);
	*w.at++ = '}';
	return (size_t)(w.at - buf);
}
