/*
 * script.h - Packet scripts: a conversation with the stack, written down
 *
 * A file NAME.wire is read line by line; # begins a comment, and a label of
 * RFC 9293 in brackets in one is counted by `make rfc`. Each "test" is a script
 * of its own, played against a new stack, over IPv4 and over IPv6. The script
 * is the peer.
 *
 *	# RFC 5961, 3.2
 *	test a RST inside the window but off its edge is challenged
 *	> S 0 mss 1000
 *	< SA 0 ack 1
 *	> A 1 ack 1
 *	> R 11
 *	< A 1 ack 1
 *	expect drop rst_inexact 1
 *	nothing for 1s
 *
 * Segments. ">" goes to the stack, "<" must come from it, and what comes
 * without being asked for is a failure. Then the flags (letters of FSRPAUEC, or
 * - for none), the number with or without the end of the text (1:101 are 100
 * bytes), and, in any order:
 *
 *	ack N  win N  up N	header fields; win as on the wire
 *	mss N  ws N  sackok	options, sent in this order
 *	ts [N] [ecr N]  nots	a timestamp; or none although both agreed on it.
 *				The peer's clock shows 1000 ms at first, the
 *				stack's counts from its first timestamp
 *	sack A:B ...  nop  eol  opt HEX
 *	conn N  dport N		another port of the peer, or of ours
 *	from WHO  to WHO	peer own other none loopback broadcast multicast
 *				subnet
 *	ttl N  tos N		of the IP header
 *	badsum  badipsum	a checksum is wrong
 *	doff N  iplen N		data offset in words; IP length in bytes
 *	ipopts HEX		IPv4 options, or with "ext TYPE HEX" an IPv6
 *				extension header without its first byte
 *	pieces A:B ...		sent as fragments, each these bytes of the
 *				datagram's text; without B to the end
 *	"TEXT"			this text, not the pattern
 *
 * Numbers count from the sender's SYN, which is 0. N may be a sum of decimal
 * numbers and of "nxt", the next number in order, and "wnd", the bytes that the
 * stack's window still takes. Without a number, or "ack", it is nxt. What is
 * not said of a "<" is not judged, but for options, which must be those named;
 * beside an MSS with SYN and timestamps where both agreed. Text is a pattern
 * that depends on the number, and is compared.
 *
 *	> icmp KIND [quote N] [mtu N] [len N]	KIND: see packet.c
 *	< icmp reply | port | protocol ...
 *	> proto N [len N]	a packet of another protocol; 17 is whole UDP
 *
 * Time. "+1s" before any line lets time pass in which nothing may happen,
 * counted from what happened last. A "<" must come at once, or then, give or
 * take the millisecond that timers round; "+1s..2s <" somewhere between.
 *
 *	nothing [for TIME]	the stack says nothing
 *	drain [for TIME]	whatever it says is passed over
 *	batch ... end		segments that arrive in one turn, and what the
 *				user does then
 *	repeat N ... end	the lines again and again
 *
 * The user: send N, urgent N (sends, and says so), read N, read off, read on,
 * close, abort, open; nodelay 1, dscp N, keepalive TIME, timeout TIME.
 *
 * What can be looked at:
 *
 *	expect state NAME	as the RFC names it, or "same" as at first
 *	expect closed REASON	names of enum close_reason
 *	expect drop REASON N	so often in this script, for this reason
 *	expect stat NAME N	a counter
 *	expect event NAME N	an event came so often
 *	expect received N	bytes the user got; "eof": and the end of them
 *	expect told_urgent N	so often the user was told; "told_trouble"
 *	expect FIELD N		of struct conn_info: cwnd rto pmtu ...
 *
 * Around them: "set KEY VALUE" and "listen PORT SERVICE [KEY=VALUE...]" as in
 * tcphsd.conf, above the first test of a file for all of it; "only ipv4|ipv6";
 * "irs N" the peer's initial number; a line that begins with "ipv4" or "ipv6"
 * is for that only. "def NAME" begins lines that stand wherever NAME does, to
 * the next empty line; "use FILE" takes the defs of another file; "each NAME
 * ..." makes a script of the test for each of these defs, played before it.
 * The service "app", on port 7 if nothing listens, reads all and does no more
 * than the script says.
 */
#ifndef TCPHS_WIRE_SCRIPT_H
#define TCPHS_WIRE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SCRIPT_CONNS	 16
#define SCRIPT_OPTS	 16
#define SCRIPT_PIECES	 8
#define SCRIPT_RAW	 40
#define SCRIPT_SETTINGS	 32
#define SCRIPT_LISTENERS 4

/* plus, and so many times nxt and wnd. */
struct number {
	int64_t plus;
	int8_t nxt, wnd;
	bool given;
};

enum opt_kind {
	SEG_MSS,
	SEG_WS,
	SEG_SACKOK,
	SEG_TS,
	SEG_SACK,
	SEG_NOP,
	SEG_EOL,
	SEG_RAW,
};

struct seg_opt {
	enum opt_kind kind;
	struct number a, b; /* value; of ts value and echo; ends of a block */
	uint8_t raw[SCRIPT_RAW];
	uint8_t nraw;
};

enum who {
	WHO_DEFAULT,
	WHO_PEER,
	WHO_OWN,
	WHO_OTHER,
	WHO_NONE,
	WHO_LOOPBACK,
	WHO_BROADCAST,
	WHO_MULTICAST,
	WHO_SUBNET,
};

/* A packet as a script says it. */
struct script_seg {
	const char *icmp; /* its kind; NULL for TCP */
	uint8_t proto;	  /* of neither; 0 = it is one of them */
	uint8_t flags;
	struct number seq, end, ack, win, up;
	struct number quote, mtu, icmp_len;
	struct seg_opt opts[SCRIPT_OPTS];
	unsigned int nopts;
	bool no_ts, bad_sum, bad_ip_sum;
	enum who from, to;
	int dport, ttl, tos, doff, iplen; /* -1 = not said */
	uint8_t ip_raw[SCRIPT_RAW];	  /* options or extension header */
	uint8_t n_ip_raw;
	int ext; /* its type; -1 = IPv4 options */
	struct {
		int from, to; /* -1 = to the end */
	} pieces[SCRIPT_PIECES];
	unsigned int npieces;
	const char *text;
};

enum line_kind {
	LINE_SEND,
	LINE_EXPECT,
	LINE_NOTHING,
	LINE_DRAIN,
	LINE_BATCH,
	LINE_BATCH_END,
	LINE_CALL,  /* word: what, n: how much */
	LINE_CHECK, /* word: what, arg, n */
	LINE_IRS,
	LINE_BODY, /* the test itself begins: its "each" is done */
};

struct script_line {
	enum line_kind kind;
	const char *path, *text;
	int line;
	bool shared;		   /* of a def */
	bool ipv4, ipv6;	   /* for which it is */
	int64_t after_us, most_us; /* -1 = at once */
	unsigned int conn;
	const struct script_seg *seg;
	const char *word, *arg;
	int64_t n;
};

struct script {
	const char *path, *name, *start; /* start: its "each", or NULL */
	int line;
	bool ipv4, ipv6;
	const char *settings[SCRIPT_SETTINGS]; /* "section.key=value" */
	unsigned int nsettings;
	struct {
		uint16_t port;
		const char *service;
	} listeners[SCRIPT_LISTENERS];
	unsigned int nlisteners;
	struct script_line *lines;
	size_t nlines;
	const char *engine_only; /* why it cannot be played live, or NULL */
};

struct script_set {
	struct script *scripts;
	size_t n;
	void **kept; /* what the scripts point at */
	size_t nkept;
};

/**
 * script_read() - Add the scripts of a file
 *
 * Return: false if it cannot be read or understood; that was printed
 */
bool script_read(struct script_set *set, const char *path);

void script_free(struct script_set *set);

/** script_time() - "40ms", "1.5s", "200us" in microseconds; -1 if it is none */
int64_t script_time(const char *word);

/** script_flags() - Bits of TH_* for letters, -1 if it is something else */
int script_flags(const char *word);

/** script_flag_letters() - The other way round */
const char *script_flag_letters(uint8_t flags, char buf[9]);

/* ---- script_seg.c, for script.c --------------------------------------- */

/* The words of one line, taken one after the other. */
struct words {
	const char *path;
	int line;
	char *word[96];
	bool quoted[96];
	unsigned int n, at;
	bool failed;
};

/** words_fail() - Say what is wrong with a line, once */
void words_fail(struct words *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** words_next() - The next word; NULL and a fault if there is none */
const char *words_next(struct words *w, const char *what);
/** words_is() - Take the next word if it is this one */
bool words_is(struct words *w, const char *word);
/** words_number() - Take a number; a fault if it is none */
struct number words_number(struct words *w);
/** words_int() - Take a plain number from 0 to @max */
int words_int(struct words *w, int max);
/** script_seg_parse() - The words of a segment; sets *@conn if they say so */
void script_seg_parse(struct words *w, struct script_seg *s,
		      unsigned int *conn);

#endif
