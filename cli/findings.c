/*
 * findings.c - What many connections show together, as JSON and as words
 *
 * Whoever is many has no key.
 */
#include "findings.h"

#include <stdio.h>
#include <string.h>

#include <tcphs/ipaddr.h>
#include <tcphs/plural.h>

#include "member.h"
#include "text.h"

static void add_addr(json_t *o, const char *key, const struct ip_addr *addr);

json_t *finding_json(const struct finding *f)
{
	json_t *o = json_pack("{s:s, s:i, s:s, s:s, s:s}", "type", "finding",
			      "schema", 1, "kind", finding_name(f->kind),
			      "severity", severity_name(SEVERITY_WARNING),
			      "text", finding_meaning(f->kind));

	add_addr(o, "source", &f->source);
	add_addr(o, "target", &f->target);
	if (f->port)
		json_object_set_new(o, "port", json_integer(f->port));
	json_object_set_new(o, "from_ns", json_integer(f->from_ns));
	json_object_set_new(o, "to_ns", json_integer(f->to_ns));
	json_object_set_new(o, "count", json_integer((json_int_t)f->count));
	json_object_set_new(o, "answered",
			    json_integer((json_int_t)f->answered));
	json_object_set_new(o, "completed",
			    json_integer((json_int_t)f->completed));
	json_object_set_new(o, "distinct", json_integer(f->distinct));
	json_object_set_new(o, "estimated", json_boolean(f->estimated));
	return o;
}

const char *finding_words(const json_t *f, char buf[FINDING_WORDS_MAX])
{
	const char *source = json_string_value(json_object_get(f, "source"));
	const char *target = json_string_value(json_object_get(f, "target"));
	char port[16] = "", span[TEXT_NUMBER_MAX];

	if (json_object_get(f, "port"))
		snprintf(port, sizeof(port), " port %d",
			 (int)member_number(f, "port"));
	snprintf(buf, FINDING_WORDS_MAX,
		 "%s (%s): %s; %s to %s%s in %s: %" JSON_INTEGER_FORMAT
		 " attempt%s, %" JSON_INTEGER_FORMAT
		 " answered, %" JSON_INTEGER_FORMAT
		 " completed, %s%" JSON_INTEGER_FORMAT " different",
		 json_string_value(json_object_get(f, "kind")),
		 json_string_value(json_object_get(f, "severity")),
		 json_string_value(json_object_get(f, "text")),
		 source ? source : "many", target ? target : "many", port,
		 text_duration((member_number(f, "to_ns") -
				member_number(f, "from_ns")) /
				       1000,
			       span),
		 member_number(f, "count"), plural(member_number(f, "count")),
		 member_number(f, "answered"), member_number(f, "completed"),
		 json_is_true(json_object_get(f, "estimated")) ? "about " : "",
		 member_number(f, "distinct"));
	return buf;
}

static void add_addr(json_t *o, const char *key, const struct ip_addr *addr)
{
	static const struct ip_addr many;
	char ip[IPADDR_TEXT_MAX];

	if (memcmp(addr, &many, sizeof(many)) != 0)
		json_object_set_new(o, key,
				    json_string(ipaddr_format(addr, ip)));
}
