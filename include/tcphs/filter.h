/*
 * filter.h - The filter language of list, kill and the control protocol
 *
 * The words of ss(8) first, so that fingers work, and a few of ours:
 *
 *	state NAME[,NAME]   all connected synchronized bucket big, or a state
 *	exclude NAME[,NAME]
 *	src|dst ADDR[/LEN][:PORT]     src is the local side, as in ss
 *	sport|dport OP PORT           = == eq != ne < lt > gt <= le >= ge
 *	host ADDR[/LEN][:PORT]   port OP PORT     either side
 *	listener = NAME    role = server|client    id = c42
 *	age|idle|rtt|hs OP DURATION   10us 1.5ms 5s 2m 1h
 *	retrans|bytes OP N            bytes: both ways; KiB MiB GiB suffixes
 *	outcome = NAME     a name of tcphs/outcome.h, or failed
 *	alert   alert = KIND          an alert, or one of that kind, concerns it
 *	and or not ( ) && || & | !    two words beside each other: and
 *
 * States go by the RFC's names and by those of ss, in any case; so do their
 * groups: connected is all but listen and closed, synchronized is connected
 * but syn-sent, bucket is syn-received and time-wait (what is kept in less
 * than a connection), big is what is not bucket. Ports may carry the colon
 * that ss wants. A connection that has no such time or RTT matches no
 * comparison with one. The outcome completed stands for every way to complete,
 * failed for every way to fail.
 *
 * Of a connection that was judged from a capture src is the client, dst the
 * server. There is no listener and no role, rtt is that of the handshake, and
 * these are there beside the rest:
 *
 *	outcome = NAME        a name of tcphs/analysis.h, or failed
 *	ending = NAME         likewise
 *	alert                 there is an anomaly beyond mere information
 *	alert = CODE          an anomaly of that kind
 *	severity OP info|notice|warning      that of the worst one
 */
#ifndef TCPHS_FILTER_H
#define TCPHS_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/outcome.h>
#include <tcphs/stack.h>

#define FILTER_TEXT_MAX	 4096 /* bytes */
#define FILTER_DEPTH_MAX 64   /* parentheses inside each other */

struct filter;

struct filter_error {
	char message[160]; /* "unknown state 'estblished'" */
	char hint[96];	   /* "did you mean 'established'?"; may be empty */
	size_t at;	   /* offset of the word, in bytes */
};

/**
 * filter_parse() - Compile a filter
 * @text: Zero-terminated; empty matches everything
 *
 * Return: to be freed with filter_free(); NULL with @err filled. Nesting and
 *         length are bounded.
 */
struct filter *filter_parse(const char *text, struct filter_error *err);

/** filter_is_empty() - Does it match everything because it says nothing? */
bool filter_is_empty(const struct filter *f);

/**
 * filter_fits_packets() - Can it be answered for a packet alone?
 *
 * A packet has ends, an id, states, a listener and a role. Age, idle, rtt, hs,
 * retrans and bytes are its connection's, and so is what became of it.
 */
bool filter_fits_packets(const struct filter *f);

/** filter_asks_alerts() - Does it matter which alerts concern a connection? */
bool filter_asks_alerts(const struct filter *f);

/**
 * filter_match() - Does a connection match?
 * @listener: Name of its listener, NULL if none
 * @alerts:   Those that concern it: bits 1 << enum alert_kind
 *
 * Its outcome is taken from its state: open or completed.
 */
bool filter_match(const struct filter *f, const struct conn_info *info,
		  const char *listener, uint32_t alerts);

/** filter_match_ended() - The same for one whose outcome is known */
bool filter_match_ended(const struct filter *f, const struct conn_info *info,
			const char *listener, enum outcome outcome,
			uint32_t alerts);

struct verdict;

/** filter_parse_verdicts() - filter_parse() for connections of a capture */
struct filter *filter_parse_verdicts(const char *text,
				     struct filter_error *err);

/** filter_match_verdict() - Does one match? @f is from filter_parse_verdicts() */
bool filter_match_verdict(const struct filter *f, const struct verdict *v);

void filter_free(struct filter *f);

#endif
