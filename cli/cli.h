/*
 * cli.h - What the parts of tcphsctl share
 *
 * A run is: options.c turns the arguments into a struct cli and words, main.c
 * finds the command of these words, opens the client unless the command needs
 * no daemon, and calls its function, once or (watch.c) again and again.
 *
 * Functions that can fail return an enum cli_exit, having said why on stderr.
 */
#ifndef TCPHS_CLI_H
#define TCPHS_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "text.h"

struct client;

enum cli_exit {
	CLI_OK,
	CLI_NO, /* the answer is no: no match, refused reload */
	CLI_USAGE,
	CLI_NO_DAEMON,
	CLI_DENIED,
	CLI_NOT_FOUND,
	CLI_PROTOCOL, /* daemon and client do not understand each other */
	CLI_TIMEOUT,
	CLI_ANOMALY = 10, /* analyze --fail-on */
	/* connect and probe */
	CLI_REFUSED = 20,
	CLI_NO_ANSWER,
	CLI_UNREACHABLE,
	CLI_RESET,     /* after the handshake */
	CLI_VIOLATION, /* answered against the protocol */
	CLI_LOCAL,
};

enum cli_format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_NDJSON,
	FORMAT_CSV,
	FORMAT_TSV,
	FORMAT_RAW,
	FORMAT_NONE, /* --quiet: the exit code is the answer */
};

struct cli {
	const char *socket;
	enum cli_format format;
	const char *columns; /* of -o; NULL = the command's own choice */
	bool header;
	bool quiet, verbose;
	bool colour;
	bool rst, yes, all; /* of close and kill */
	bool classic, nodelay, strict;
	bool raw;	    /* also of what a peer says, which --quiet leaves */
	const char *source; /* port */
	const char *port, *service; /* of listener add and set */
	const char *since, *level;
	bool follow;
	uint32_t count; /* probes, packets; 0 = until interrupted */
	int64_t interval_us;
	bool last, last_failed; /* of explain: which connection */
	const char *expect;	/* outcome; NULL = none in particular */
	const char *file;	/* to write; "-" = stdout; NULL = none given */
	bool file_made;		/* it was not there before: dump_open() */
	uint32_t snaplen;	/* 0 = as the daemon is told */
	int64_t duration_us;	/* 0 = until interrupted */
	const char *draw;	/* format of ladder or report; NULL = text */
	bool verify;		/* that log files have no gaps */
	bool security;		/* a report of what looks hostile */
	bool defaults;		/* keys that have theirs, too */
	bool reset_view;	/* count from now on */
	bool resolve;		/* names instead of numbers, for people */
	uint32_t at;		/* its last packet; 0 = all */
	const char *filter, *sort, *fail_on; /* of analyze */
	const char *interface, *html;
	bool summary, packets;
	bool no_ladder;			  /* words are enough */
	uint32_t connection, export_conn; /* which; 0 = none */
	bool relative_seq, absolute_seq, utc, local;
	bool watch, version, help;
	int64_t watch_us, timeout_us;
	bool timeout_set;
	uint64_t given; /* options seen: bit 1 << index in cli_options */

	FILE *out;		  /* stdout, or a frame of --watch */
	bool terminal;		  /* what is written there goes to a terminal */
	unsigned int screen_cols; /* 0 = not a terminal, no limit */
	unsigned int screen_rows; /* 0 unless --watch redraws */
	struct client *client;	  /* open, unless the command is LOCAL */
};

/* What a command takes beside the options that every command takes. */
#define TAKES_COLUMNS  (1u << 0)
#define TAKES_WATCH    (1u << 1)
#define TAKES_RST      (1u << 2)
#define TAKES_YES      (1u << 3)
#define LOCAL	       (1u << 4) /* needs no daemon */
#define TAKES_CLASSIC  (1u << 5)
#define TAKES_CONNECT  (1u << 6)
#define TAKES_PROBE    (1u << 7)
#define TAKES_EVENTS   (1u << 8)
#define TAKES_COUNT    (1u << 9)
#define TAKES_FILE     (1u << 10)
#define TAKES_DUMP     (1u << 11)
#define TAKES_LAST     (1u << 12)
#define TAKES_LADDER   (1u << 13)
#define TAKES_CAPTURES (1u << 14)
#define TAKES_SINCE    (1u << 15)
#define TAKES_INTERVAL (1u << 16)
#define TAKES_FORMAT   (1u << 17)
#define TAKES_REPORT   (1u << 18)
#define OF_CAPTURES    (1u << 19) /* FILE#N is a CONN that needs no daemon */
#define TAKES_LISTEN   (1u << 20)
#define TAKES_ALL      (1u << 21)
#define TAKES_DEFAULTS (1u << 22)
#define TAKES_RESOLVE  (1u << 23)
#define TAKES_RESET    (1u << 24)

/* What stands in the place of its arguments, for completion. */
enum cli_words {
	WORDS_NONE,
	WORDS_FILTER,
	WORDS_CONN,
	WORDS_LISTENER,
	WORDS_ALERTS,
	WORDS_LEVEL,
	WORDS_SHELL,
	WORDS_COMMAND,
	WORDS_FILE,
};

struct command {
	const char *name;  /* one or two words; "" is the command of no word */
	const char *alias; /* more names, separated by blanks; or NULL */
	const char *args;  /* as in the manual */
	const char *what;  /* one line */
	unsigned int min_args, max_args;
	enum cli_words words;
	unsigned int flags;
	enum cli_exit (*run)(struct cli *cli, int argc, char **argv);
};

extern const struct command cli_commands[]; /* ends with a NULL name */

/**
 * command_find() - Which command do these words begin with?
 * @used: Gets how many words name it
 *
 * Return: NULL if there is none
 */
const struct command *command_find(char **words, int n, int *used);

/** command_unknown() - Say so, with a guess; CLI_USAGE */
enum cli_exit command_unknown(char **words, int n);

struct cli_option {
	const char *name; /* long form */
	char letter;	  /* 0 = none */
	const char *arg;  /* "PATH"; "[SEC]" may be left out; NULL = none */
	const char *what;
	unsigned int needs; /* TAKES_*; 0 = goes with every command */
};

extern const struct cli_option cli_options[]; /* ends with a NULL name */

/**
 * options_parse() - Read the command line
 * @cli:   Gets the options
 * @words: Gets what is no option, in order; room for @argc pointers
 * @n:     Gets their number
 */
enum cli_exit options_parse(struct cli *cli, int argc, char **argv,
			    char **words, int *n);

/** options_check() - Does each option that was given go with the command? */
enum cli_exit options_check(const struct cli *cli, const struct command *cmd);

/** watch() - Run a command until it fails or the user has seen enough */
enum cli_exit watch(struct cli *cli, const struct command *cmd, int argc,
		    char **argv);

/** analyze_names() - Is that FILE#N, a connection of a capture? */
bool analyze_names(char *word);

/** analyze_named() - What analyze says of it, or what ladder and explain want */
enum cli_exit analyze_named(struct cli *cli, char *word);

/** analyze_exported() - The packets of it, to cli->file */
enum cli_exit analyze_exported(struct cli *cli, char *word);

/** extcap_is() - Did Wireshark call us, by the name of its link? */
bool extcap_is(const char *program);

/** extcap_run() - Answer it */
enum cli_exit extcap_run(struct cli *cli, int argc, char **argv);

/* The commands, each in the file of its group. */
enum cli_exit overview_run(struct cli *cli, int argc, char **argv);
enum cli_exit status_run(struct cli *cli, int argc, char **argv);
enum cli_exit list_run(struct cli *cli, int argc, char **argv);
enum cli_exit recent_run(struct cli *cli, int argc, char **argv);
enum cli_exit show_run(struct cli *cli, int argc, char **argv);
enum cli_exit ladder_run(struct cli *cli, int argc, char **argv);
enum cli_exit top_run(struct cli *cli, int argc, char **argv);
enum cli_exit stats_run(struct cli *cli, int argc, char **argv);
enum cli_exit histogram_run(struct cli *cli, int argc, char **argv);
enum cli_exit alerts_run(struct cli *cli, int argc, char **argv);
enum cli_exit metrics_run(struct cli *cli, int argc, char **argv);
enum cli_exit report_run(struct cli *cli, int argc, char **argv);
enum cli_exit listener_list_run(struct cli *cli, int argc, char **argv);
enum cli_exit listener_add_run(struct cli *cli, int argc, char **argv);
enum cli_exit listener_set_run(struct cli *cli, int argc, char **argv);
enum cli_exit listener_del_run(struct cli *cli, int argc, char **argv);
enum cli_exit listener_enable_run(struct cli *cli, int argc, char **argv);
enum cli_exit listener_disable_run(struct cli *cli, int argc, char **argv);
enum cli_exit events_run(struct cli *cli, int argc, char **argv);
enum cli_exit close_run(struct cli *cli, int argc, char **argv);
enum cli_exit drain_run(struct cli *cli, int argc, char **argv);
enum cli_exit connect_run(struct cli *cli, int argc, char **argv);
enum cli_exit capture_start_run(struct cli *cli, int argc, char **argv);
enum cli_exit capture_stop_run(struct cli *cli, int argc, char **argv);
enum cli_exit capture_list_run(struct cli *cli, int argc, char **argv);
enum cli_exit dump_run(struct cli *cli, int argc, char **argv);
enum cli_exit probe_run(struct cli *cli, int argc, char **argv);
enum cli_exit export_run(struct cli *cli, int argc, char **argv);
enum cli_exit explain_run(struct cli *cli, int argc, char **argv);
enum cli_exit attach_run(struct cli *cli, int argc, char **argv);
enum cli_exit send_run(struct cli *cli, int argc, char **argv);
enum cli_exit kill_run(struct cli *cli, int argc, char **argv);
enum cli_exit schema_run(struct cli *cli, int argc, char **argv);
enum cli_exit analyze_run(struct cli *cli, int argc, char **argv);
enum cli_exit config_show_run(struct cli *cli, int argc, char **argv);
enum cli_exit config_check_run(struct cli *cli, int argc, char **argv);
enum cli_exit config_diff_run(struct cli *cli, int argc, char **argv);
enum cli_exit reload_run(struct cli *cli, int argc, char **argv);
enum cli_exit log_level_run(struct cli *cli, int argc, char **argv);
enum cli_exit completion_run(struct cli *cli, int argc, char **argv);
enum cli_exit help_run(struct cli *cli, int argc, char **argv);

#endif
