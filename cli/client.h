/*
 * client.h - The control socket, seen from the client
 */
#ifndef TCPHS_CLI_CLIENT_H
#define TCPHS_CLI_CLIENT_H

#include <jansson.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"

#define CLIENT_LINE_MAX \
	(1024 * 1024) /* of the daemon; ours are CTL_REQUEST_MAX */

struct client {
	int fd;
	int64_t timeout_us;
	const sigset_t *waiting; /* signal mask while waiting; NULL: as it is */
	bool interrupted;	 /* a signal ended the last wait: CLI_NO */
	char *buf;		 /* what was read: buf[start..end) */
	size_t start, end, size;
	size_t looked; /* no line feed in buf[start..start + looked) */
	json_int_t id; /* of the last request */
};

/* What client_call()'s caller wants after an item; or an enum cli_exit to end
 * with that. */
#define ITEM_NEXT   0
#define ITEM_ENOUGH (-1)

/*
 * Called for each item: its JSON text, one object, not zero-terminated, valid
 * until the function returns.
 */
typedef int client_item_fn(void *arg, const char *text, size_t len);

/**
 * client_open() - Connect and read the greeting
 * @path:       Of the socket
 * @timeout_us: Longest silence, here and later
 */
enum cli_exit client_open(struct client *c, const char *path,
			  int64_t timeout_us);

/** client_attach() - The same on a connected socket; @fd belongs to @c now */
enum cli_exit client_attach(struct client *c, int fd, int64_t timeout_us);

void client_close(struct client *c);

/** client_filter() - Parameters of a request: "filter" of @n words, if any */
json_t *client_filter(int n, char **words);

/**
 * client_begin() - Make a request whose answer is read by client_line()
 * @params: Reference taken; NULL for none
 */
enum cli_exit client_begin(struct client *c, const char *method, json_t *params,
			   json_int_t *id);

/** client_line() - Read one line; a new reference */
enum cli_exit client_line(struct client *c, json_t **line);

/** client_has_line() - Is there one that was read already? */
bool client_has_line(const struct client *c);

/** client_failed() - Say what an error object says; its exit code */
enum cli_exit client_failed(const json_t *error, const json_t *params);

/**
 * client_call() - Make one request and read all of its answer
 * @params: Reference taken; NULL for none
 * @item:   NULL if the items do not matter
 * @result: Gets a new reference; NULL if it does not matter. Set to NULL if
 *          @item had enough: the rest is cancelled then.
 */
enum cli_exit client_call(struct client *c, const char *method, json_t *params,
			  client_item_fn *item, void *arg, json_t **result);

#endif
