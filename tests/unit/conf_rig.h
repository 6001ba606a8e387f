/*
 * conf_rig.h - A configuration written by a test, and what is said of it
 *
 * A test writes a file and says, line by line, what must be wrong with it:
 * the whole of what conf_load() prints, "F" standing for the file's path. That
 * no line is missing and none too many is part of every test.
 */
#ifndef TCPHS_CONF_RIG_H
#define TCPHS_CONF_RIG_H

#include "conf_priv.h"

#include <stddef.h>

#include "core/assert.h"
#include "unit.h"

/* What a listener needs. */
#define ECHO "service = echo\nport = 7\n"

extern struct conf conf; /* what was loaded last, if a test does not say */

/** conf_load_bytes() - conf_load() of @len bytes; what it printed in @said */
int conf_load_bytes(struct conf *c, const void *text, size_t len,
		    const char *const *overrides, size_t n, char **said);

void expect_said(const char *got, const char *want);

/** expect_good() - Load and be happy */
void expect_good(struct conf *c, const char *text);

/** conf_rig_run() - unit_run() with the services that there are */
int conf_rig_run(const char *suite, const struct unit_test *tests, size_t n,
		 int argc, char **argv);

#endif
