/*
 * flow_script.h - A capture in lines of text, and the words that the judge has
 * for it
 *
 * tcphs-analysis(7) has its examples in this form. A line is a packet:
 *
 *	[+MS] c|s FLAGS SEQ [ACK [LEN]] [KEY=VALUE...]
 *
 * from client or server, MS milliseconds (1) after the one before; "i" in the
 * place of the flags is an ICMP error about a packet of that side. A line "many
 * N clients|hosts|ports" first has all of it happen so often.
 */
#ifndef TCPHS_FLOW_SCRIPT_H
#define TCPHS_FLOW_SCRIPT_H

#include <stdbool.h>

#define SCRIPT_LEN 4096

/** script_play() - Have the judge see it */
void script_play(const char *script);

/** script_says() - Did it use that word? Until the next one is played
 *
 * A stage and an ending are "none"; they are "no_stage" and "no_ending", too. */
bool script_says(const char *word);

/** script_said() - All of its words */
const char *script_said(void);

#endif
