/*
 * export.c - One connection, for another program
 *
 * As a capture file: of a connection of the daemon the packets that it remembers,
 * with comments that say what became of each, as dump has them; of a captured one
 * analyze writes all. As JSON, as a diagram or as a packet script it is what
 * ladder says, in a file.
 */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tcphs/capture_packet.h>
#include <tcphs/pcapng.h>
#include <tcphs/plural.h>

#include "diagram.h"
#include "dump.h"
#include "member.h"
#include "output.h"
#include "since.h"

#define COMMENT_MAX 512

static enum cli_exit draw_run(struct cli *cli, int argc, char **argv);
static bool is_same_file(const char *read, const char *written);
static enum cli_exit write_text(struct cli *cli, const char *text, size_t len);
static enum cli_exit write_file(struct cli *cli, const json_t *doc);
static void write_head(FILE *out, const char *id);
static bool write_packet(FILE *out, const char *id, const json_t *packet);
static const char *comment(const char *id, const json_t *packet,
			   char text[COMMENT_MAX]);
static void tell(const struct cli *cli, const json_t *doc);

enum cli_exit export_run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit e;
	json_t *doc;

	if (cli->draw && strcmp(cli->draw, "pcapng") != 0)
		return draw_run(cli, argc, argv);
	cli->draw = NULL;
	if (!cli->file) {
		complain("export wants -w FILE, or -w - for a pipe");
		return CLI_USAGE;
	}
	if (analyze_names(argv[0]))
		return analyze_exported(cli, argv[0]);
	e = diagram_fetch(cli->client, argv[0], &doc);
	if (e != CLI_OK)
		return e;
	e = write_file(cli, doc);
	if (e == CLI_OK && strcmp(cli->file, "-") != 0)
		tell(cli, doc);
	json_decref(doc);
	return e;
}

/* What ladder would print, into the file if there is one. */
static enum cli_exit draw_run(struct cli *cli, int argc, char **argv)
{
	const char *file = cli->file;
	FILE *out = cli->out, *held;
	char *text = NULL;
	enum cli_exit e;
	size_t len = 0;

	if (cli->format != FORMAT_TEXT && cli->format != FORMAT_NONE) {
		complain("export has one format, that of -f");
		return CLI_USAGE;
	}
	cli->format =
		strcmp(cli->draw, "json") == 0 ? FORMAT_JSON : FORMAT_TEXT;
	if (cli->format == FORMAT_JSON)
		cli->draw = NULL;
	else if (!diagram_format(cli))
		return CLI_USAGE;
	cli->file = NULL; /* this is not analyze's */
	if (!file || strcmp(file, "-") == 0)
		return ladder_run(cli, argc, argv);
	held = open_memstream(&text, &len);
	if (!held)
		return CLI_NO;
	cli->out = held;
	cli->terminal = false;
	e = ladder_run(cli, argc, argv);
	cli->out = out;
	cli->file = file;
	if (fclose(held) == 0 && e == CLI_OK)
		e = is_same_file(argv[0], file) ? CLI_USAGE
						: write_text(cli, text, len);
	free(text);
	return e;
}

/* By now the capture of FILE#N goes by its name. */
static bool is_same_file(const char *read, const char *written)
{
	struct stat a, b;

	if (stat(read, &a) < 0 || stat(written, &b) < 0 ||
	    a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		return false;
	complain("%s is what is read: write to another file", written);
	return true;
}

static enum cli_exit write_text(struct cli *cli, const char *text, size_t len)
{
	FILE *f = dump_open(cli);
	bool ok;

	if (!f)
		return CLI_NO;
	dump_begin(f);
	ok = fwrite(text, 1, len, f) == len;
	if (dump_close(cli, f) == 0 && ok)
		return CLI_OK;
	complain("cannot write: %s", strerror(errno));
	return CLI_NO;
}

static enum cli_exit write_file(struct cli *cli, const json_t *doc)
{
	const char *id = member_text(doc, "id");
	FILE *out = dump_open(cli);
	bool ok = true;
	json_t *packet;
	size_t i;

	if (!out)
		return CLI_NO;
	dump_begin(out);
	write_head(out, id);
	json_array_foreach(json_object_get(doc, "kept_packets"), i, packet)
		ok &= write_packet(out, id, packet);
	ok &= !ferror(out);
	if (dump_close(cli, out) == 0 && ok)
		return CLI_OK;
	complain("cannot write: %s", strerror(errno));
	return CLI_NO;
}

static void write_head(FILE *out, const char *id)
{
	static const struct pcapng_section section = {
		.application = "tcphsctl " TCPHS_VERSION,
	};
	char words[64];
	const struct pcapng_interface interface = {
		.name = "tcphsd",
		.description = words,
		.link = LINK_RAW,
	};
	uint8_t head[PCAPNG_HEAD_MAX];
	size_t len;

	snprintf(words, sizeof(words), "what tcphsd remembers of %.20s", id);
	len = pcapng_section(head, &section);
	fwrite(head, 1, len, out);
	len = pcapng_interface(head, &interface);
	fwrite(head, 1, len, out);
}

/* False without memory. */
static bool write_packet(FILE *out, const char *id, const json_t *packet)
{
	const char *base64 = member_text(packet, "data");
	size_t most = strlen(base64) / 4 * 3 + 3, len = 0;
	uint8_t *block = malloc(PCAPNG_PACKET_MAX(most));
	uint8_t *data = malloc(most);
	char text[COMMENT_MAX];
	struct pcapng_packet p = {
		.data = data,
		.len = (uint32_t)json_integer_value(
			json_object_get(packet, "len")),
		.direction =
			strcmp(member_text(packet, "direction"), "out") == 0
				? PCAPNG_OUT
				: PCAPNG_IN,
		.super = json_object_get(packet, "gso_size") != NULL,
		.comment = comment(id, packet, text),
	};
	bool ok = block && data;
	int64_t wall_us = 0;

	if (ok &&
	    sodium_base642bin(data, most, base64, strlen(base64), NULL, &len,
			      NULL, sodium_base64_VARIANT_ORIGINAL) == 0) {
		(void)since_utc(member_text(packet, "time"), &wall_us);
		p.at_ns = wall_us * 1000;
		p.kept = (uint32_t)len;
		if (p.len < p.kept)
			p.len = p.kept;
		len = pcapng_packet(block, &p);
		fwrite(block, 1, len, out);
	}
	free(block);
	free(data);
	return ok;
}

/* Appends, behind "; " if something but the name is there. */
static void add(char text[COMMENT_MAX], size_t name, const char *words)
{
	size_t n = strlen(text);

	snprintf(text + n, COMMENT_MAX - n, "%s%s", n > name ? "; " : " ",
		 words);
}

/* Of most packets it is the name alone. */
static const char *comment(const char *id, const json_t *packet,
			   char text[COMMENT_MAX])
{
	static const struct {
		const char *flag, *words;
	} flags[] = {
		{"retransmit", "retransmission"},
		{"probe", "probe"},
		{"keepalive", "keep-alive probe"},
		{"challenge", "challenge ACK"},
		{"cookie", "SYN cookie"},
	};
	const char *before = member_text(packet, "state_before");
	const char *after = member_text(packet, "state_after");
	size_t name = (size_t)snprintf(text, COMMENT_MAX, "%.20s", id), i;
	char words[COMMENT_MAX - 128];
	json_t *flag;

	if (strcmp(before, after) != 0) {
		snprintf(words, sizeof(words), "%.20s -> %.20s", before, after);
		for (char *c = words; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		add(text, name, words);
	}
	json_array_foreach(json_object_get(packet, "flags"), i,
			   flag) for (size_t k = 0;
				      k < sizeof(flags) / sizeof(*flags);
				      k++) if (json_is_string(flag) &&
					       strcmp(json_string_value(flag),
						      flags[k].flag) == 0)
		add(text, name, flags[k].words);
	if (json_object_get(packet, "drop_words")) {
		snprintf(words, sizeof(words), "dropped: %.200s (%.100s)",
			 member_text(packet, "drop_words"),
			 member_text(packet, "drop_clause"));
		add(text, name, words);
	}
	return text;
}

static void tell(const struct cli *cli, const json_t *doc)
{
	json_int_t seen = json_integer_value(json_object_get(doc, "packets"));
	json_int_t kept = (json_int_t)json_array_size(
		json_object_get(doc, "kept_packets"));
	json_t *result = json_pack("{s:s, s:I, s:I}", "file", cli->file,
				   "packets", kept, "seen", seen);
	char others[64] = "";

	if (seen > kept)
		snprintf(others, sizeof(others),
			 "; %" JSON_INTEGER_FORMAT " are not remembered",
			 seen - kept);
	output_sentence(cli, result,
			"%" JSON_INTEGER_FORMAT " packet%s in %s%s", kept,
			plural(kept), cli->file, others);
	json_decref(result);
}
