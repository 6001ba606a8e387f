/*
 * ladder.c - A connection as a sequence diagram
 *
 * Fetches what the daemon remembers of it, and has daemon/analysis draw it.
 */
#include "cli.h"

#include <inttypes.h>
#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tcphs/ladder.h>
#include <tcphs/stack.h>

#include "client.h"
#include "diagram.h"
#include "member.h"
#include "output.h"

#define ADDRESS_MAX 64
#define PACKETS_MAX 256
#define WIDTH	    80 /* unless the terminal says otherwise */

/* What is drawn, and the memory it lies in. */
struct drawing {
	struct ladder ladder;
	struct ladder_packet packets[PACKETS_MAX];
	char local[ADDRESS_MAX], peer[ADDRESS_MAX], verdict[256];
};

static int take_packet(void *arg, const char *text, size_t len);
static void draw_text(const struct cli *cli, const json_t *doc);
static bool drawing_init(struct drawing *d, const json_t *doc);
static void drawing_free(struct drawing *d);
static void take(struct ladder_packet *p, const json_t *packet);
static void verdict(const json_t *doc, char *text, size_t len);
static int64_t clock_offset(const struct cli *cli, const json_t *packet);

enum cli_exit ladder_run(struct cli *cli, int argc, char **argv)
{
	struct ladder_style s;
	enum cli_exit e;
	json_t *doc;

	(void)argc;
	if (analyze_names(argv[0])) {
		cli->draw = cli->draw ? cli->draw : "text";
		return analyze_named(cli, argv[0]);
	}
	e = diagram_style(cli, &s);
	if (e == CLI_OK)
		e = diagram_fetch(cli->client, argv[0], &doc);
	if (e != CLI_OK)
		return e;
	output_document(cli, doc, draw_text);
	json_decref(doc);
	return CLI_OK;
}

enum cli_exit diagram_fetch(struct client *c, const char *conn, json_t **doc)
{
	json_t *packets = json_array();
	enum cli_exit e;

	e = client_call(c, "conn.packets", json_pack("{s:s}", "conn", conn),
			take_packet, packets, doc);
	if (e == CLI_OK)
		json_object_set(*doc, "kept_packets", packets);
	json_decref(packets);
	return e;
}

char *diagram_draw(const json_t *doc, const struct ladder_style *s,
		   diagram_fn *draw)
{
	struct drawing *d = calloc(1, sizeof(*d));
	char *text = NULL;

	if (d && drawing_init(d, doc))
		text = draw(&d->ladder, s);
	if (d)
		drawing_free(d);
	free(d);
	return text;
}

diagram_fn *diagram_format(const struct cli *cli)
{
	static const struct {
		const char *name;
		diagram_fn *draw;
	} formats[] = {
		{"text", ladder_text},	 {"mermaid", ladder_mermaid},
		{"svg", ladder_svg},	 {"html", ladder_html},
		{"script", script_text},
	};
	const char *name = cli->draw ? cli->draw : "text";

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return formats[i].draw;
	complain("-f wants text, svg, mermaid, html or script, not '%s'", name);
	return NULL;
}

enum cli_exit diagram_style(const struct cli *cli, struct ladder_style *s)
{
	const char *columns = getenv("COLUMNS");
	unsigned int width = cli->screen_cols;

	if (!diagram_format(cli))
		return CLI_USAGE;
	if (cli->relative_seq && cli->absolute_seq) {
		complain("--relative-seq and --absolute-seq: choose one");
		return CLI_USAGE;
	}
	if (cli->utc && cli->local) {
		complain("--utc and --local: choose one");
		return CLI_USAGE;
	}
	if (!width && columns)
		width = (unsigned int)strtoul(columns, NULL, 10);
	*s = (struct ladder_style){
		.width = width ? width : WIDTH,
		.absolute = cli->absolute_seq,
		.times = cli->utc || cli->local ? LADDER_CLOCK
						: LADDER_SINCE_FIRST,
		.at = cli->at,
	};
	return CLI_OK;
}

static int take_packet(void *arg, const char *text, size_t len)
{
	json_t *packet = json_loadb(text, len, 0, NULL);

	if (!packet)
		return CLI_PROTOCOL;
	json_array_append_new(arg, packet);
	return ITEM_NEXT;
}

static void draw_text(const struct cli *cli, const json_t *doc)
{
	const json_t *packets = json_object_get(doc, "kept_packets");
	struct ladder_style s;
	char *text;

	(void)diagram_style(cli, &s);
	if (json_array_size(packets))
		s.clock_us = clock_offset(cli, json_array_get(packets, 0));
	text = diagram_draw(doc, &s, diagram_format(cli));
	if (text)
		fputs(text, cli->out);
	else
		complain("no memory for the ladder");
	free(text);
}

/* -1 if it is not there. */
static int64_t number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return v ? json_integer_value(v) : -1;
}

/* A copy that cannot do anything to a terminal; NULL if it is not there. */
static char *words(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	char *copy = s ? strdup(s) : NULL;

	if (copy)
		text_clean(copy);
	return copy;
}

static void address(const json_t *end, char text[ADDRESS_MAX])
{
	const char *ip = member_text(end, "ip");

	snprintf(text, ADDRESS_MAX, strchr(ip, ':') ? "[%s]:%d" : "%s:%d", ip,
		 (int)number(end, "port"));
	text_clean(text);
}

static bool drawing_init(struct drawing *d, const json_t *doc)
{
	const json_t *packets = json_object_get(doc, "kept_packets");
	size_t n = json_array_size(packets);

	address(json_object_get(doc, "local"), d->local);
	address(json_object_get(doc, "peer"), d->peer);
	verdict(doc, d->verdict, sizeof(d->verdict));
	text_clean(d->verdict);
	d->ladder = (struct ladder){
		.id = words(doc, "id"),
		.local = d->local,
		.peer = d->peer,
		.listener = words(doc, "listener"),
		.client = strcmp(member_text(doc, "role"), "client") == 0,
		.verdict = d->verdict,
		.packets = d->packets,
		.npackets = n < PACKETS_MAX ? n : PACKETS_MAX,
		.seen = (uint32_t)number(doc, "packets"),
	};
	for (size_t i = 0; i < d->ladder.npackets; i++)
		take(&d->packets[i], json_array_get(packets, i));
	return d->ladder.id != NULL;
}

static void drawing_free(struct drawing *d)
{
	for (size_t i = 0; i < d->ladder.npackets; i++) {
		const struct ladder_packet *p = &d->packets[i];
		const void *parts[] = {p->before, p->after, p->drop, p->clause,
				       p->data};

		for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++)
			free((void *)(uintptr_t)parts[k]);
	}
	free((void *)(uintptr_t)d->ladder.id);
	free((void *)(uintptr_t)d->ladder.listener);
}

/* The RFC's names are in capitals. */
static char *state(const json_t *packet, const char *key)
{
	char *name = words(packet, key);

	for (char *c = name; c && *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	return name ? name : strdup("");
}

static unsigned int flags(const json_t *packet)
{
	static const struct {
		const char *name;
		unsigned int flag;
	} names[] = {
		{"retransmit", PACKET_RETRANSMIT},
		{"probe", PACKET_PROBE},
		{"keepalive", PACKET_KEEPALIVE},
		{"challenge", PACKET_CHALLENGE},
		{"cookie", PACKET_COOKIE},
	};
	const json_t *list = json_object_get(packet, "flags");
	unsigned int all = 0;

	for (size_t k = 0; k < json_array_size(list); k++)
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			const char *name =
				json_string_value(json_array_get(list, k));

			if (name && strcmp(name, names[i].name) == 0)
				all |= names[i].flag;
		}
	return all;
}

static void take(struct ladder_packet *p, const json_t *packet)
{
	const char *base64 = member_text(packet, "data");
	size_t most = strlen(base64) / 4 * 3 + 3;
	uint8_t *data = malloc(most);

	*p = (struct ladder_packet){
		.at_us = number(packet, "mono_us"),
		.number = (uint32_t)number(packet, "number"),
		.len = (uint32_t)number(packet, "len"),
		.out = strcmp(member_text(packet, "direction"), "out") == 0,
		.flags = flags(packet),
		.before = state(packet, "state_before"),
		.after = state(packet, "state_after"),
		.drop = words(packet, "drop_words"),
		.clause = words(packet, "drop_clause"),
		.data = data,
	};
	if (json_object_get(packet, "gso_size"))
		p->gso_size = (uint16_t)number(packet, "gso_size");
	if (!data || sodium_base642bin(data, most, base64, strlen(base64), NULL,
				       &p->snapped, NULL,
				       sodium_base64_VARIANT_ORIGINAL) < 0)
		p->snapped = 0;
}

static void verdict(const json_t *doc, char *text, size_t len)
{
	const struct ladder_end e = {
		.outcome = member_text(doc, "outcome"),
		.words = member_text(doc, "outcome_words"),
		.closed = json_string_value(json_object_get(doc, "words")),
		.drop = json_string_value(json_object_get(doc, "drop_words")),
		.handshake_us = number(doc, "handshake_us"),
		.life_us = number(doc, "life_us"),
		.bytes_in = number(doc, "bytes_in"),
		.bytes_out = number(doc, "bytes_out"),
		.retrans = number(doc, "retrans"),
	};

	ladder_verdict(&e, text, len);
}

/* From the daemon's monotonic clock to the time of day, here or in UTC: by a
 * packet that has both. */
static int64_t clock_offset(const struct cli *cli, const json_t *packet)
{
	const char *text = member_text(packet, "time"), *rest;
	struct tm tm = {0}, local;
	int64_t us;
	time_t s;

	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest || *rest != '.')
		return 0;
	s = timegm(&tm);
	us = (int64_t)s * 1000000 + strtol(rest + 1, NULL, 10);
	if (cli->local && localtime_r(&s, &local))
		us += (int64_t)local.tm_gmtoff * 1000000;
	return us - number(packet, "mono_us");
}
