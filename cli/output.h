/*
 * output.h - Rows and documents in each format
 */
#ifndef TCPHS_CLI_OUTPUT_H
#define TCPHS_CLI_OUTPUT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/event.h>

#include "cli.h"
#include "client.h"

#define OUTPUT_COLUMNS_MAX 24

enum column_kind {
	COLUMN_TEXT,
	COLUMN_STATE, /* "syn-received": SYN-RCVD for people, coloured */
	COLUMN_COUNT,
	COLUMN_BYTES,
	COLUMN_TIME, /* microseconds */
	COLUMN_LIST, /* words; cut off if a terminal is too narrow */
	COLUMN_END,  /* address and port: names by --resolve */
};

struct column {
	const char *heading; /* "AGE" for people and -o */
	const char *field;   /* "age_us" in JSON, in other headers and for -o */
	enum column_kind kind;
	bool shown; /* unless -o says otherwise */
	/* On a terminal too narrow, shown columns leave: 1 first; 0 never. */
	unsigned int leaves;
};

#define VALUE_TEXT_MAX 512 /* all anomalies of a connection */

enum value_type { VALUE_NONE, VALUE_NUMBER, VALUE_TEXT, VALUE_END };

/* What stands in a cell, for rows that are made here. */
struct value {
	enum value_type type;
	int64_t number;	     /* VALUE_NUMBER, and the port of VALUE_END */
	struct ip_addr addr; /* VALUE_END */
	char text[VALUE_TEXT_MAX];
};

struct table;
struct table_ops {
	void (*begin)(struct table *t);
	int (*row)(struct table *t, const char *text, size_t len);
	int (*values)(struct table *t, const struct value *values);
	void (*end)(struct table *t, bool complete);
	bool of_cells; /* rows have what the columns want and no more */
};

/* Rows on their way to cli->out. */
struct table {
	const struct cli *cli;
	const struct table_ops *ops;
	FILE *out;
	const struct column *col[OUTPUT_COLUMNS_MAX];
	unsigned int ncols;
	uint64_t rows;
	bool picked; /* by -o */
	/* Text: rows are held until their widths are known. */
	size_t width[OUTPUT_COLUMNS_MAX];
	bool hidden[OUTPUT_COLUMNS_MAX]; /* no room on this terminal */
	bool cut[OUTPUT_COLUMNS_MAX];	 /* no room for all of it */
	size_t gap;			 /* blanks between two columns */
	char *held;			 /* cells, each with its final zero */
	size_t held_len, held_size;
	unsigned int held_rows;
	bool at_once; /* nothing is held: rows are rare */
	bool flowing;
};

/**
 * column_find() - The column of that name
 * @len: Of @name, which need not end there
 *
 * Return: NULL having said which there are
 */
const struct column *column_find(const struct column *columns, const char *name,
				 size_t len);

/**
 * table_begin() - Start a table in the format of the command line
 * @columns: All that there are; ends with a NULL heading
 */
enum cli_exit table_begin(struct table *t, const struct cli *cli,
			  const struct column *columns);

/**
 * table_row() - Add a row; a client_item_fn
 * @arg:  The table
 * @text: JSON object
 */
int table_row(void *arg, const char *text, size_t len);

/**
 * table_values() - Add a row that is no JSON, which takes a tenth of the time
 * @value: Gets the value of a column; @of is passed on
 */
typedef void value_fn(const void *of, const struct column *c, struct value *v);
int table_values(struct table *t, value_fn *value, const void *of);

/** table_made_row() - The same with all values made, as many as columns */
int table_made_row(struct table *t, const struct value *values);

/**
 * table_end() - Write what is held, and free
 * @complete: False if the rows ended with an error: no table if there is no
 *            row, and no JSON that looks whole
 */
void table_end(struct table *t, bool complete);

/**
 * output_document() - Write one object
 * @doc:  Any; NULL is an empty one
 * @text: Writes it for people
 */
void output_document(const struct cli *cli, const json_t *doc,
		     void (*text)(const struct cli *cli, const json_t *doc));

/** output_item() - An item that came; NULL, having said so, if it is no object */
json_t *output_item(const char *text, size_t len);

/**
 * output_sentence() - Tell people what was done; programs get @doc
 */
void output_sentence(const struct cli *cli, const json_t *doc, const char *fmt,
		     ...) __attribute__((format(printf, 3, 4)));

/**
 * output_cell() - A value as text, control characters replaced
 * @v:     NULL if there is none: "-" for people, empty else
 * @human: Units, for people
 *
 * Return: characters, at most @size - 1
 */
size_t output_cell(const json_t *v, enum column_kind kind, bool human,
		   char *buf, size_t size);

/** output_value() - The same for a value of ours */
size_t output_value(const struct value *v, enum column_kind kind, bool human,
		    char *buf, size_t size);

/** output_flags() - For json_dumpf(): nothing that a terminal would obey */
size_t output_flags(const struct cli *cli);

/* Colours: output_sgr() is "" where there shall be none. */
#define SGR_RED	   "\033[31m"
#define SGR_GREEN  "\033[32m"
#define SGR_YELLOW "\033[33m"
#define SGR_CYAN   "\033[36m"
#define SGR_DIM	   "\033[2m"
#define SGR_BOLD   "\033[1m"
#define SGR_OFF	   "\033[0m"
const char *output_sgr(const struct cli *cli, const char *sgr);

/** output_state_sgr() - Colour of a state by its name in ss(8) */
const char *output_state_sgr(const char *name);

/* Rows for people: text_table.c. */
extern const struct table_ops text_table;

#endif
