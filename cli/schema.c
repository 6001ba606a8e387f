/*
 * schema.c - What programs may rely on: the JSON Schema of an output
 *
 * The schema is a file beside this one, and part of the program.
 */
#include "cli.h"

#include <string.h>

__asm__(".section .rodata\n"
	"analyze_schema:\n"
	".incbin \"cli/analyze.schema.json\"\n"
	".byte 0\n"
	".previous\n");

extern const char analyze_schema[];

enum cli_exit schema_run(struct cli *cli, int argc, char **argv)
{
	if (argc && strcmp(argv[0], "analyze") != 0) {
		complain("there is a schema of: analyze");
		return CLI_NOT_FOUND;
	}
	if (cli->format != FORMAT_NONE)
		fputs(analyze_schema, cli->out);
	return CLI_OK;
}
