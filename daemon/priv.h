/*
 * priv.h - Giving up every right that is not needed any more
 */
#ifndef TCPHS_PRIV_H
#define TCPHS_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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
 * @dir_fd: Files below this directory may be opened for writing; -1 for none
 *
 * Return: 0 or a negative errno, with one sentence in @err
 */
int priv_sandbox(int dir_fd, char *err, size_t errlen);

#endif
