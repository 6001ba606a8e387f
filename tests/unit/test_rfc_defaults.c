/*
 * test_rfc_defaults.c - Values of RFC 9293 that the built-in defaults must keep
 */
#include <stdio.h>

#include "conf.h"
#include "rig.h"

/* Timers as they are when nobody configures anything. */
static void with_defaults(void)
{
	static struct conf c;

	rig_check(conf_load(&c, NULL, NULL, 0, stderr) == 0);
	rig.conf.rto_initial_us = c.stack.rto_initial_us;
	rig.conf.rto_min_us = c.stack.rto_min_us;
	rig.conf.rto_max_us = c.stack.rto_max_us;
	rig.conf.syn_retries = c.stack.syn_retries;
	rig.conf.synack_retries = c.stack.synack_retries;
	rig.conf.retries = c.stack.retries;
	rig.conf.user_timeout_us = c.stack.user_timeout_us;
	rig.conf.keepalive_us = c.stack.keepalive_us;
}

/* RFC 9293, 3.8.3 (MUST-23): three minutes for a SYN. */
static void syn_gives_up_after_minutes(void)
{
	with_defaults();
	rig_open();
	rig_wait(S(179));
	rig_check(rig_state() == TCP_SYN_SENT);
	rig_wait(S(60));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_SYN);
	rig_forget();
	rig_end();
}

/* RFC 9293, 3.8.3 (SHLD-11): 100 s for text, however short the round trip. */
static void text_gives_up_after_100_seconds(void)
{
	with_defaults();
	rig_established();
	rig_send(10);
	rig_wait(MS(1));
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1011));
	rig_send(10);
	rig_wait(S(99));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_wait(S(3600));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_DATA);
	rig_forget();
	rig_end();
}

/* RFC 9293, 3.8.4 (MUST-25, MUST-28): no keep-alive, in two hours and after. */
static void no_keepalive(void)
{
	with_defaults();
	rig_check(rig.conf.keepalive_us == 0);
	rig_established();
	rig_expect_silence_for(S(2 * 3600 + 60));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 9293, 3.8.4 (MUST-27): the interval is a setting. */
static void keepalive_interval(void)
{
	for (int64_t hours = 1; hours <= 4; hours += 3) {
		with_defaults();
		rig.conf.keepalive_us = S(hours * 3600);
		rig_established();
		rig_expect_after(
			S(hours * 3600),
			SEG(.flags = TH_ACK, .seq = 1000, .ack = 5001));
		rig_end();
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(syn_gives_up_after_minutes),
	UNIT_TEST(text_gives_up_after_100_seconds),
	UNIT_TEST(no_keepalive),
	UNIT_TEST(keepalive_interval),
};

int main(int argc, char **argv)
{
	return rig_main("rfc_defaults", tests, ARRAY_LEN(tests), argc, argv);
}
