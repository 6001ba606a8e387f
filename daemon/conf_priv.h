/*
 * conf_priv.h - Between the files that read a configuration
 *
 * conf_text finds the lines and has iniparser read their values, conf_schema
 * knows which keys there are, conf_value and conf_addr turn a value into a
 * field and conf_print a field into a value, conf_check looks at what no single key can get wrong, and conf_report
 * keeps what was wrong until all of it can be said in the order of the lines.
 * conf.c calls them in this order.
 */
#ifndef TCPHS_CONF_PRIV_H
#define TCPHS_CONF_PRIV_H

#include "conf.h"

#include <iniparser/iniparser.h>

#define CONF_SECTION_MAX 48  /* "listener." and a name, final zero included */
#define CONF_MESSAGE_MAX 512 /* one error without its place */
#define CONF_LISTENER	 "listener."

struct conf_key;

/**
 * conf_set_fn() - Take a value into its field
 * @text: As written, trimmed
 * @base: struct conf, or struct conf_listener for a key of listeners
 * @err:  Gets "what is wrong; what to do" on failure, CONF_MESSAGE_MAX bytes
 *
 * Return: false if it was refused; the field is as before
 */
typedef bool conf_set_fn(const struct conf_key *k, const char *text, void *base,
			 char *err);

struct conf_key {
	const char *name; /* "interface.mtu"; of any listener "listener.port" */
	const char *fallback; /* as one would write it; NULL: must be given */
	conf_set_fn *set;
	size_t at, size;   /* of the field in its struct, bytes */
	uint64_t min, max; /* in the field's unit; family of an address */
	bool off;	   /* 0 is allowed besides, and means "off" */
	const char *const *words; /* min stands for the first */
	bool restart;		  /* cannot be changed while running */
};

/* One `key = value` of the file or of an override; or a section's line. */
struct conf_entry {
	char section[CONF_SECTION_MAX]; /* "interface", "listener.web" */
	const struct conf_key *key;	/* NULL: the section itself */
	const char *value;
	const char *override; /* "section.key=value"; NULL: in the file */
	int line;	      /* from 1; 0 for an override */
	bool bad;	      /* its value was refused: look no further */
};

/* Something that is wrong, until it is printed. */
struct conf_fault {
	unsigned int line; /* overrides come last, in their order */
	size_t number;	   /* order of discovery within a line */
	char *text;
};

/* A configuration while it is being read. */
struct conf_reader {
	const char *path; /* NULL: none */
	dictionary *ini;  /* owns the values of the file's entries */
	struct conf_entry *entries;
	size_t nentries, entries_size;
	struct conf_fault *faults;
	size_t nfaults, faults_size;
	bool no_memory;
	bool bare; /* faults are told without their place */
};

/* conf_text.c */
int conf_text_read(struct conf_reader *r, FILE *err);
struct conf_entry *conf_text_override(struct conf_reader *r,
				      const char *override);
struct conf_entry *conf_text_find(const struct conf_reader *r,
				  const char *section, const char *key);
void conf_text_free(struct conf_reader *r);

/* conf_schema.c */
const struct conf_key *conf_schema_keys(size_t *n);
bool conf_schema_section(const char *section, char *err);
const struct conf_key *conf_schema_key(const char *section, const char *name,
				       char *err);
bool conf_schema_is_listener(const struct conf_key *k);
const char *conf_schema_key_name(const struct conf_key *k);

/* conf_value.c */
conf_set_fn conf_set_number, conf_set_size, conf_set_time, conf_set_word,
	conf_set_auto, conf_set_seed, conf_set_timestamps, conf_set_mode,
	conf_set_ifname, conf_set_socket, conf_set_path, conf_set_directory,
	conf_set_account, conf_set_service;
void conf_value_scaled(const struct conf_key *k, uint64_t n, char *buf,
		       size_t len);
bool conf_refuse(char *err, const struct conf_key *k, const char *text,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* conf_addr.c */
conf_set_fn conf_set_own, conf_set_host, conf_set_listen_address,
	conf_set_allow;

/* conf_check.c */
void conf_check(struct conf_reader *r, struct conf *c);

/* conf_report.c */
void conf_report(struct conf_reader *r, const struct conf_entry *e,
		 const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void conf_report_print(struct conf_reader *r, FILE *err);
void conf_report_free(struct conf_reader *r);

#endif
