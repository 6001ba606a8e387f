/*
 * priv.h - Giving up every right that is not needed any more
 */
#ifndef TCPHS_PRIV_H
#define TCPHS_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PRIV_DIR_EVENTS	 100
#define PRIV_DIR_CAPTURE 101
#define PRIV_DIR_FIRST	 PRIV_DIR_EVENTS
#define PRIV_DIR_LOG	 102
#define PRIV_DIR_LAST	 PRIV_DIR_LOG

struct priv_user {
	uid_t uid;
	gid_t gid;
	bool change; /* we are root and become somebody else */
};

/**
 * priv_find_user() - Who are we going to be?
 * @name: tcphsd.user; "" = who we are. Without being root it is ignored: only
 *        root can become somebody else.
 * @err:  Gets one sentence on failure
 *
 * Return: 0; -ENOENT if there is no such user
 */
int priv_find_user(const char *name, struct priv_user *u, char *err,
		   size_t errlen);

/**
 * priv_drop() - Become @u, with no capability and none to be had again
 *
 * Return: 0 or a negative errno, with one sentence in @err
 */
int priv_drop(const struct priv_user *u, char *err, size_t errlen);

/**
 * priv_sandbox() - From here on allow only the system calls of the loop
 *
 * Files are opened for writing in directories with the numbers PRIV_DIR_FIRST to
 * PRIV_DIR_LAST alone, see priv_place().
 *
 * Return: 0 or a negative errno, with one sentence in @err
 */
int priv_sandbox(char *err, size_t errlen);

/**
 * priv_reserve() - Keep these numbers from whatever else is opened
 *
 * To be called before anything is: with many threads there are more descriptors
 * than numbers below.
 *
 * Return: 0 or a negative errno
 */
int priv_reserve(void);

/**
 * priv_place() - Give the descriptor of such a directory its number
 * @fd:     Set to it; -1 is left alone
 * @number: One of them, the caller's own
 *
 * Return: 0 or a negative errno
 */
int priv_place(int *fd, int number);

#endif
