/*
 * judged_words.c - What may be behind an outcome, and what to do about it
 *
 * Harmless causes first: most captures are of networks that work.
 */
#include <tcphs/analysis.h>

#include "core/assert.h"

static const struct {
	const char *causes, *next;
} words[JUDGED_NJUDGED] = {
	[JUDGED_COMPLETED] =
		{"The opening went as it should. If it was slow, its steps "
		 "say on which side: the answer to the SYN is the server's "
		 "and the way to it, the ACK the client's.",
		 "Look at what came again, at closed windows and at who ended "
		 "it."},
	[JUDGED_REFUSED] =
		{"Nobody listens on that port of the server, or a firewall "
		 "answers in its name.",
		 "On the server: ss -ltn. The RST of a firewall often has "
		 "another TTL than the server's own packets."},
	[JUDGED_TIMEOUT] =
		{"The server is down or its address is wrong; a firewall drops "
		 "the SYN; or the answer takes a way that was not captured.",
		 "Capture at the server: if the SYN arrives there, look for "
		 "the answer and its way back."},
	[JUDGED_RESET_MID] =
		{"A client that gave up, or that asked only whether the port "
		 "is open; an answer to somebody who never called; a device "
		 "between both that ends connections.",
		 "See who sent the RST, and with which TTL; a scan leaves "
		 "many of these from one address."},
	[JUDGED_HALF_OPEN] =
		{"The client's ACK was lost or took another way; the client "
		 "is gone; or it never called, and its address was forged.",
		 "Count them by client and by server: tcphsctl analyze FILE "
		 "--filter 'outcome = half_open' --sort client"},
	[JUDGED_MIDSTREAM] =
		{"The capture began later than the connection.",
		 "Who called is a guess here, and so are scaled windows: "
		 "capture from before the opening to know them."},
	[JUDGED_SYN_MISSING] =
		{"The capture began between both steps, or has one way only; "
		 "or these are answers to SYNs that somebody else sent in the "
		 "name of this address.",
		 "If the client says nothing in the whole capture, and many "
		 "such answers come, somebody forges its address."},
	[JUDGED_SYNACK_MISSING] =
		{"The server's packets take another way than the client's, or "
		 "the capture lost them.",
		 "Capture where both ways pass, or on both and judge the two "
		 "files as one: tcphsctl analyze A B"},
};

const char *judged_causes(unsigned int outcome)
{
	ASSERT(outcome < JUDGED_NJUDGED);
	return words[outcome].causes;
}

const char *judged_next(unsigned int outcome)
{
	ASSERT(outcome < JUDGED_NJUDGED);
	return words[outcome].next;
}
