/*
 * unit.h - A CUnit suite as a table
 */
#ifndef TCPHS_UNIT_H
#define TCPHS_UNIT_H

#include <CUnit/CUnit.h>
#include <stddef.h>

struct unit_test {
	const char *name;
	void (*fn)(void);
};

#define UNIT_TEST(fn)   \
	{               \
#fn, fn \
	}

/**
 * unit_run() - Run a suite; argv[1], if given, names the only test to run
 *
 * Prints each failure with file and line and closes with "N passed, N failed".
 *
 * Return: exit code for main(): 0 if all passed and at least one ran
 */
int unit_run(const char *suite, const struct unit_test *tests, size_t n,
	     int argc, char **argv);

#endif
