/*
 * test_selfcheck.c - Which verdicts fit what an endpoint knows
 */
#include "../../daemon/selfcheck.h"
#include "core/assert.h"
#include "unit.h"

static bool agrees(enum outcome known, enum tcp_role role, enum judged says)
{
	const struct pktmem_conn c = {.outcome = known, .role = (uint8_t)role};
	const struct verdict v = {.outcome = (uint8_t)says};

	return selfcheck_agrees(&v, &c);
}

static void what_fits(void)
{
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_COMPLETED, ROLE_SERVER, JUDGED_COMPLETED));
	CU_ASSERT_TRUE(agrees(ATTEMPT_REFUSED, ROLE_CLIENT, JUDGED_REFUSED));
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_TIMEOUT_SYN, ROLE_CLIENT, JUDGED_TIMEOUT));
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_TIMEOUT_ACK, ROLE_SERVER, JUDGED_HALF_OPEN));
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_RESET_BY_CLIENT, ROLE_SERVER, JUDGED_RESET_MID));
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_RESET_BY_CLIENT, ROLE_CLIENT, JUDGED_TIMEOUT));
	CU_ASSERT_TRUE(agrees(ATTEMPT_REJECTED, ROLE_SERVER, JUDGED_TIMEOUT));
}

static void what_does_not(void)
{
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_COMPLETED, ROLE_SERVER, JUDGED_HALF_OPEN));
	CU_ASSERT_FALSE(agrees(ATTEMPT_COMPLETED_SIMULTANEOUS, ROLE_CLIENT,
			       JUDGED_COMPLETED));
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_TIMEOUT_ACK, ROLE_SERVER, JUDGED_COMPLETED));
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_RESET_BY_CLIENT, ROLE_SERVER, JUDGED_TIMEOUT));
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_UNREACHABLE, ROLE_CLIENT, JUDGED_TIMEOUT));
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_PROTOCOL_ERROR, ROLE_CLIENT, JUDGED_COMPLETED));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(what_fits),
		UNIT_TEST(what_does_not),
	};

	return unit_run("selfcheck", tests, ARRAY_LEN(tests), argc, argv);
}
