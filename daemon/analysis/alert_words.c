/*
 * alert_words.c - Alerts in sentences
 *
 * "Suspected" where a pattern is all there is to see. Innocent causes come
 * before what to do, because most alerts have one.
 */
#include "alert_priv.h"

#include <stdio.h>
#include <string.h>

#include <tcphs/ipaddr.h>
#include <tcphs/plural.h>

static const struct {
	const char *key, *title;
	int level;
	const char *numbers[ALERT_NUMBERS_MAX];
} kinds[] = {
#define ALERT_ENTRY(name, key, level, title, numbers) \
	{key, title, level, numbers},
	ALERT_LIST(ALERT_ENTRY)
#undef ALERT_ENTRY
};

static const struct {
	const char *meaning, *innocent, *action;
} advice[ALERT_NKINDS] = {
	[ALERT_SYN_FLOOD] =
		{
			"Many SYNs, and most of them are never followed by the "
			"ACK "
			"that completes the handshake: their senders do not "
			"exist, or "
			"do not want to.",
			"a load test without a client behind it; a path that "
			"loses our "
			"SYN-ACKs; clients whose firewall drops them",
			"Nothing, while cookies are on: who answers gets in. "
			"Else set "
			"tcp.cookies = pressure, or allow fewer clients.",
		},
	[ALERT_HALF_OPEN] =
		{
			"Nearly all places for handshakes that wait for their "
			"last ACK "
			"are taken, though SYNs do not come fast.",
			"clients on slow or lossy paths; a burst of new "
			"clients",
			"Raise backlog or limits.max_half_open; tcphsctl "
			"histogram "
			"shows how long handshakes take.",
		},
	[ALERT_PORT_SCAN] =
		{
			"One source asked for many different ports and got few "
			"connections: it looks for what is open.",
			"a monitoring system or an inventory that asks for all "
			"it "
			"knows; a client with an old list of services",
			"Ask whose it is. What is open: tcphsctl listener "
			"list; allow = "
			"of a listener says whom it answers.",
		},
	[ALERT_HOST_SCAN] =
		{
			"One source asked for many of our addresses and got "
			"few "
			"connections: it looks for hosts.",
			"a monitoring system or an inventory that sweeps "
			"networks",
			"Ask whose it is; own_prefix = no answers for one "
			"address "
			"alone.",
		},
	[ALERT_RST_GUESS] =
		{
			"RSTs or SYNs came for open connections with numbers "
			"that do "
			"not fit: somebody may try to end them without seeing "
			"them. "
			"None was obeyed (RFC 5961).",
			"a client that was restarted; a firewall or NAT that "
			"lost its "
			"state and ends what it does not know",
			"Nothing: guesses are challenged or dropped. The "
			"addresses are "
			"as claimed, and may be forged.",
		},
	[ALERT_ICMP_GUESS] =
		{
			"ICMP errors came about packets that we have not in "
			"flight: "
			"somebody may try to end or slow down connections with "
			"them. "
			"None was obeyed (RFC 5927).",
			"routers that answer late, about connections that are "
			"over",
			"Nothing: they are dropped. The addresses are as "
			"claimed, and "
			"may be forged.",
		},
	[ALERT_CONFLICT] =
		{
			"Text came twice with the same numbers and different "
			"bytes: "
			"somebody else may write into the connection. What "
			"came first "
			"was taken.",
			"a client with a fault; a proxy on the way that makes "
			"its "
			"segments anew",
			"Look at the connection's packets; end it if in doubt: "
			"tcphsctl close CONN --rst.",
		},
	[ALERT_TTL] =
		{
			"Some packets of a connection came over another number "
			"of hops "
			"than all others: they may be from somebody else.",
			"a route that flaps; a firewall that answers for the "
			"client",
			"Compare the packets' contents; one route change alone "
			"is not "
			"told.",
		},
	[ALERT_CHECKSUM] =
		{
			"Packets arrive damaged, again and again.",
			"a bad cable or memory on the way; offload that left a "
			"checksum to a device that did not fill it in",
			"tcphsctl stats says which checksum; compare captures "
			"on both "
			"sides.",
		},
};

static int flood_words(const struct alert *al, char *buf, size_t len);
static void append(char *buf, size_t len, const char *text);
static const char *source_words(const struct alert *al,
				char buf[IPPREFIX_TEXT_MAX]);

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == ALERT_NKINDS, "a row each");

const char *alert_name(enum alert_kind k)
{
	return kinds[k].key;
}

int alert_level(enum alert_kind k)
{
	return kinds[k].level;
}

const char *alert_severity(enum alert_kind k)
{
	return kinds[k].level == 4 ? "warning" : "notice";
}

const char *alert_title(enum alert_kind k)
{
	return kinds[k].title;
}

const char *alert_number_name(enum alert_kind k, unsigned int i)
{
	return i < ALERT_NUMBERS_MAX ? kinds[k].numbers[i] : NULL;
}

const char *alert_meaning(enum alert_kind k)
{
	return advice[k].meaning;
}

const char *alert_innocent(enum alert_kind k)
{
	return advice[k].innocent;
}

const char *alert_action(enum alert_kind k)
{
	return advice[k].action;
}

/* The numbers of each kind, behind its title. */
static int details(const struct alert *al, char *buf, size_t len)
{
	const int64_t *n = al->number;

	switch ((enum alert_kind)al->kind) {
	case ALERT_SYN_FLOOD:
		return flood_words(al, buf, len);
	case ALERT_HALF_OPEN:
		return snprintf(buf, len, "%lld of %lld half-open",
				(long long)n[0], (long long)n[1]);
	case ALERT_PORT_SCAN:
	case ALERT_HOST_SCAN:
		return snprintf(buf, len,
				"%lld %s in %.1f s, %lld probe%s, %lld "
				"handshake%s completed",
				(long long)n[0],
				al->kind == ALERT_PORT_SCAN ? "ports"
							    : "addresses",
				(double)n[3] / SECOND_US, (long long)n[1],
				plural(n[1]), (long long)n[2], plural(n[2]));
	case ALERT_RST_GUESS:
		return snprintf(buf, len,
				"%lld segment%s that fit no number, %lld "
				"connection%s",
				(long long)n[0], plural(n[0]), (long long)n[1],
				plural(n[1]));
	case ALERT_ICMP_GUESS:
		return snprintf(buf, len,
				"%lld error%s about nothing in flight",
				(long long)n[0], plural(n[0]));
	case ALERT_CONFLICT:
		return snprintf(buf, len,
				"%lld segment%s with other bytes than before",
				(long long)n[0], plural(n[0]));
	case ALERT_TTL:
		return snprintf(buf, len,
				"%lld packet%s, TTL %lld, usually %lld",
				(long long)n[0], plural(n[0]), (long long)n[1],
				(long long)n[2]);
	case ALERT_CHECKSUM:
		return snprintf(buf, len, "%lld packet%s", (long long)n[0],
				plural(n[0]));
	case ALERT_NKINDS:
		break;
	}
	return 0;
}

/* Of a pattern it is said that it is no more than that. */
static const char *suspected(uint8_t kind)
{
	switch ((enum alert_kind)kind) {
	case ALERT_PORT_SCAN:
	case ALERT_HOST_SCAN:
	case ALERT_RST_GUESS:
	case ALERT_ICMP_GUESS:
		return " suspected";
	default:
		return "";
	}
}

int alert_sentence(const struct alert *al, const char *listener,
		   enum alert_step step, char *buf, size_t len)
{
	char what[128], who[96] = "", source[IPPREFIX_TEXT_MAX];

	details(al, what, sizeof(what));
	if (listener)
		snprintf(who, sizeof(who), " on listener %s", listener);
	else if (al->conn)
		snprintf(who, sizeof(who), " on c%u from %s", al->conn,
			 source_words(al, source));
	else if (al->source.len)
		snprintf(who, sizeof(who), " from %s",
			 source_words(al, source));
	if (step == ALERT_ENDED)
		return snprintf(buf, len, "%s%s is over after %.0f s: %s",
				kinds[al->kind].title, who,
				(double)(al->ended_us - al->since_us) /
					SECOND_US,
				what);
	return snprintf(buf, len, "%s%s%s: %s", kinds[al->kind].title,
			suspected(al->kind), who, what);
}

/* When it is over the rate is nobody's concern, the highest is. */
static int flood_words(const struct alert *al, char *buf, size_t len)
{
	const int64_t *n = al->number;
	char source[IPPREFIX_TEXT_MAX], more[64] = "";

	if (!al->active)
		return snprintf(buf, len, "at most %lld SYN/s",
				(long long)n[FLOOD_PEAK]);
	snprintf(buf, len, "%lld SYN/s, %lld %% completed, %lld half-open%s",
		 (long long)n[FLOOD_RATE], (long long)n[FLOOD_COMPLETED],
		 (long long)n[FLOOD_HALF_OPEN],
		 n[FLOOD_COOKIES] ? ", cookies on" : "");
	if (n[FLOOD_SOURCE] >= FLOOD_SOURCE_TOLD)
		snprintf(more, sizeof(more), ", %lld %% from %s",
			 (long long)n[FLOOD_SOURCE], source_words(al, source));
	else if (n[FLOOD_SOURCE] > 0)
		snprintf(more, sizeof(more), ", from everywhere");
	append(buf, len, more);
	return (int)strlen(buf);
}

static void append(char *buf, size_t len, const char *text)
{
	size_t used = strlen(buf);

	snprintf(buf + used, len - used, "%s", text);
}

/* A whole IPv4 address is one without its length. */
static const char *source_words(const struct alert *al,
				char buf[IPPREFIX_TEXT_MAX])
{
	if (!al->source.len)
		return "?";
	if (al->source.len == 128)
		return ipaddr_format(&al->source.addr, buf);
	return ipprefix_format(&al->source, buf);
}
