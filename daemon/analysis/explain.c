/*
 * explain.c - From an entry of the catalogue to sentences
 *
 * A place in a text is a name in braces. What is not known gets words that are
 * true of every connection, so that the same text serves a manual and a case.
 */
#include <tcphs/explain.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <tcphs/stack.h>

static size_t fill(const struct explain_facts *f, const char *name, size_t len,
		   char *buf, size_t size);

const char *explain_part_name(enum explain_part part)
{
	static const char *const names[] = {
		[EXPLAIN_HAPPENED] = "What happened",
		[EXPLAIN_WHY] = "Why",
		[EXPLAIN_RULE] = "Rule",
		[EXPLAIN_SAW] = "Client saw",
		[EXPLAIN_NEXT] = "Next",
	};

	return names[part];
}

const struct explain_entry *explain_find(const char *code, enum tcp_role role)
{
	const struct explain_entry *e;

	for (e = explain_catalogue; e->code; e++)
		if (e->roles & 1u << role && strcmp(e->code, code) == 0)
			return e;
	return NULL;
}

enum drop_reason explain_drop(const char *code)
{
	for (int r = DROP_NONE + 1; r < DROP_NREASONS; r++)
		if (strcmp(code, drop_name((enum drop_reason)r)) == 0)
			return (enum drop_reason)r;
	return DROP_NONE;
}

size_t explain_compose(const struct explain_entry *e, enum explain_part part,
		       const struct explain_facts *facts, char *buf,
		       size_t size)
{
	static const struct explain_facts nothing;
	const char *s = e->text[part];
	size_t n = 0;

	if (!facts)
		facts = &nothing;
	if (size)
		buf[0] = '\0';
	while (*s) {
		size_t len = strcspn(s, "{");
		size_t room = n < size ? size - n : 0;

		n += (size_t)snprintf(room ? buf + n : NULL, room, "%.*s",
				      (int)len, s);
		s += len;
		if (!*s)
			break;
		len = strcspn(s, "}");
		room = n < size ? size - n : 0;
		n += fill(facts, s + 1, len - 1, room ? buf + n : NULL, room);
		s += len + 1;
	}
	/* A sentence may begin with a place. */
	if (e->text[part][0] == '{' && size)
		buf[0] = (char)toupper((unsigned char)buf[0]);
	return n;
}

/* What stands in a place: the fact between @before and @behind, or @without. */
static size_t fill(const struct explain_facts *f, const char *name, size_t len,
		   char *buf, size_t size)
{
	const struct {
		const char *name, *fact, *before, *behind, *without;
	} places[] = {
		{"conn", f->conn, "", "", "CONN"},
		{"peer", f->peer, "", "", "the other side"},
		{"addr", f->peer_addr, "", "", "its address"},
		{"port", f->port, "port ", "", "that port"},
		{"number", f->port, "", "", "PORT"},
		{"listener", f->listener, "listener ", "", "the listener"},
		{"name", f->listener, "", "", "NAME"},
		{"listeners", f->listeners, " (listeners: ", ")", ""},
		{"after", f->after, " after ", "", ""},
		{"times", f->times, "", "", "again and again"},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strlen(places[i].name) != len ||
		    strncmp(places[i].name, name, len) != 0)
			continue;
		if (!places[i].fact)
			return (size_t)snprintf(buf, size, "%s",
						places[i].without);
		return (size_t)snprintf(buf, size, "%s%s%s", places[i].before,
					places[i].fact, places[i].behind);
	}
	return (size_t)snprintf(buf, size, "{%.*s}", (int)len, name);
}
