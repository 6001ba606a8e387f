/*
 * unit.c - Run a table of CUnit tests and say what failed, in few lines
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

int unit_run(const char *suite, const struct unit_test *tests, size_t n,
	     int argc, char **argv)
{
	CU_pSuite s;
	CU_pFailureRecord f;
	unsigned int failed, ran;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	s = CU_add_suite(suite, NULL, NULL);
	if (!s)
		return 1;
	for (size_t i = 0; i < n; i++) {
		if (argc > 1 && strcmp(argv[1], tests[i].name) != 0)
			continue;
		if (!CU_add_test(s, tests[i].name, tests[i].fn))
			return 1;
	}
	CU_set_error_action(CUEA_IGNORE);
	CU_run_all_tests();
	for (f = CU_get_failure_list(); f; f = f->pNext)
		fprintf(stderr, "%s:%u: %s: %s\n", f->strFileName,
			f->uiLineNumber, f->pTest ? f->pTest->pName : suite,
			f->strCondition);
	failed = CU_get_number_of_tests_failed();
	ran = CU_get_number_of_tests_run();
	printf("%s: %u passed, %u failed\n", suite, ran - failed, failed);
	CU_cleanup_registry();
	return failed || !ran;
}
