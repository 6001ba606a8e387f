/*
 * schema.c - What programs may rely on: the JSON Schema of an output
 *
 * Two files are part of the program. That of analyze is written by hand and
 * printed as it is. Those of all other commands are made from tcphs-json(5) by
 * schema.awk when the program is built (the assembler looks for them there): a
 * document for each command and the objects that these name. Printed are one
 * document and what it needs.
 */
#include "cli.h"

#include <jansson.h>
#include <string.h>

#include "output.h"

#define DEFS	"#/$defs/"
#define DIALECT "https://json-schema.org/draft/2020-12/schema"

__asm__(".section .rodata\n"
	"analyze_schema:\n"
	".incbin \"cli/analyze.schema.json\"\n"
	".byte 0\n"
	"schemas:\n"
	".incbin \"cli/schemas.json\"\n"
	".byte 0\n"
	".previous\n");

extern const char analyze_schema[], schemas[];

static enum cli_exit put_schema(const struct cli *cli, const char *name);
static void take_needed(json_t *needed, const json_t *all, json_t *schema);

enum cli_exit schema_run(struct cli *cli, int argc, char **argv)
{
	const struct command *cmd;
	const char *name = "";
	int used = 0;

	if (argc) {
		cmd = command_find(argv, argc, &used);
		if (!cmd || used < argc)
			return command_unknown(argv, argc);
		name = cmd->name;
	}
	if (strcmp(name, "analyze") != 0)
		return put_schema(cli, name);
	if (cli->format != FORMAT_NONE)
		fputs(analyze_schema, cli->out);
	return CLI_OK;
}

/* @name: "" is tcphsctl without a command. */
static enum cli_exit put_schema(const struct cli *cli, const char *name)
{
	json_t *all = json_loads(schemas, 0, NULL), *schema, *needed;
	const json_t *document =
		json_object_get(json_object_get(all, "documents"), name);

	if (!document) {
		complain("%s prints no JSON", name);
		json_decref(all);
		return CLI_NOT_FOUND;
	}
	needed = json_object();
	schema = json_pack(
		"{s:s, s:o}", "$schema", DIALECT, "title",
		json_sprintf("tcphsctl %s%s--json", name, *name ? " " : ""));
	json_object_update(schema, (json_t *)(uintptr_t)document);
	take_needed(needed, json_object_get(all, "$defs"), schema);
	json_object_set_new(schema, "$defs", needed);
	if (cli->format != FORMAT_NONE) {
		json_dumpf(schema, cli->out,
			   JSON_INDENT(2) | output_flags(cli));
		fputc('\n', cli->out);
	}
	json_decref(schema);
	json_decref(all);
	return CLI_OK;
}

/* What a schema refers to, what that refers to, and so on. */
static void take_needed(json_t *needed, const json_t *all, json_t *schema)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));
	const char *key;
	json_t *v;
	size_t i;

	if (ref && !json_object_get(needed, ref + strlen(DEFS))) {
		v = json_object_get(all, ref + strlen(DEFS));
		json_object_set(needed, ref + strlen(DEFS), v);
		take_needed(needed, all, v);
	}
	json_object_foreach(schema, key, v)
	{
		take_needed(needed, all, v);
	}
	json_array_foreach(schema, i, v)
	{
		take_needed(needed, all, v);
	}
}
