/*
 * extcap.c - tcphsd in Wireshark's list of interfaces
 *
 * Wireshark runs every program of its extcap directory and asks what it has to
 * offer (extcap(4)). A link to tcphsctl lies there, and by its name we know that
 * it is Wireshark who asks: first which interfaces there are, then what can be
 * set, whether a filter is one, and in the end for packets, into a pipe, until
 * it sends us SIGTERM. What we say on stderr it shows to the user.
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/ctl.h>
#include <tcphs/filter.h>

#include "client.h"
#include "dump.h"

#define PROGRAM	   "tcphs-extcap"
#define INTERFACE  "tcphs"
#define WHOLE	   65575 /* bytes of the longest packet */
#define TIMEOUT_US 10000000

enum question {
	ASK_NOTHING,
	ASK_INTERFACES,
	ASK_DLTS,
	ASK_CONFIG,
	ASK_PACKETS
};

struct asked {
	enum question what;
	const char *interface, *filter, *fifo, *snaplen, *socket;
};

static bool parse(struct asked *a, int argc, char **argv)
{
	enum {
		OPT_INTERFACES = 1,
		OPT_VERSION,
		OPT_INTERFACE,
		OPT_DLTS,
		OPT_CONFIG,
		OPT_CAPTURE,
		OPT_FILTER,
		OPT_FIFO,
		OPT_SNAPLEN,
		OPT_SOCKET,
	};
	static const struct option longs[] = {
		{"extcap-interfaces", no_argument, NULL, OPT_INTERFACES},
		{"extcap-version", optional_argument, NULL, OPT_VERSION},
		{"extcap-interface", required_argument, NULL, OPT_INTERFACE},
		{"extcap-dlts", no_argument, NULL, OPT_DLTS},
		{"extcap-config", no_argument, NULL, OPT_CONFIG},
		{"capture", no_argument, NULL, OPT_CAPTURE},
		{"extcap-capture-filter", required_argument, NULL, OPT_FILTER},
		{"fifo", required_argument, NULL, OPT_FIFO},
		{"snaplen", required_argument, NULL, OPT_SNAPLEN},
		{"socket", required_argument, NULL, OPT_SOCKET},
		{NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (opt) {
		case OPT_INTERFACES:
			a->what = ASK_INTERFACES;
			break;
		case OPT_VERSION: /* of Wireshark */
			break;
		case OPT_INTERFACE:
			a->interface = optarg;
			break;
		case OPT_DLTS:
			a->what = ASK_DLTS;
			break;
		case OPT_CONFIG:
			a->what = ASK_CONFIG;
			break;
		case OPT_CAPTURE:
			a->what = ASK_PACKETS;
			break;
		case OPT_FILTER:
			a->filter = optarg;
			break;
		case OPT_FIFO:
			a->fifo = optarg;
			break;
		case OPT_SNAPLEN:
			a->snaplen = optarg;
			break;
		case OPT_SOCKET:
			a->socket = optarg;
			break;
		default: /* getopt said what is wrong */
			return false;
		}
	}
	return true;
}

static void print_interfaces(void)
{
	puts("extcap {version=" TCPHS_VERSION "}{display=tcphsd}");
	puts("interface {value=" INTERFACE
	     "}{display=tcphsd: packets as its TCP takes and sends them}");
}

static void print_config(void)
{
	printf("arg {number=0}{call=--snaplen}{display=Bytes of each packet}"
	       "{type=integer}{range=64,%d}{default=%d}\n",
	       WHOLE, WHOLE);
	puts("arg {number=1}{call=--socket}{display=Control socket of tcphsd}"
	     "{type=string}{default=" CTL_SOCKET "}");
}

/* Wireshark takes silence for consent. */
static void check_filter(const char *text)
{
	struct filter_error err;
	struct filter *f = filter_parse(text, &err);

	if (!f)
		printf("%s%s%s\n", err.message, *err.hint ? "; " : "",
		       err.hint);
	else if (!filter_fits_packets(f))
		puts("packets have state, src, dst, sport, dport, listener, "
		     "role and id");
	filter_free(f);
}

static enum cli_exit capture(struct cli *cli, const struct asked *a)
{
	json_t *params, *result = NULL;
	enum cli_exit e;
	FILE *out;

	if (!a->fifo) {
		complain("--capture wants --fifo");
		return CLI_USAGE;
	}
	out = fopen(a->fifo, "we");
	if (!out) {
		complain("%s: %s", a->fifo, strerror(errno));
		return CLI_NO;
	}
	params = json_pack("{s:i}", "snaplen",
			   a->snaplen ? atoi(a->snaplen) : WHOLE);
	if (a->filter && *a->filter)
		json_object_set_new(params, "filter", json_string(a->filter));
	e = client_open(cli->client, cli->socket, TIMEOUT_US);
	if (e == CLI_OK) {
		e = dump_to(cli, out, params, &result);
		client_close(cli->client);
	} else {
		json_decref(params);
	}
	json_decref(result);
	if (fclose(out) && e == CLI_OK && errno != EPIPE)
		e = CLI_NO;
	return e;
}

bool extcap_is(const char *program)
{
	const char *slash = strrchr(program, '/');

	return strcmp(slash ? slash + 1 : program, PROGRAM) == 0;
}

enum cli_exit extcap_run(struct cli *cli, int argc, char **argv)
{
	const char *socket = getenv("TCPHS_SOCKET");
	struct asked a = {.socket = socket && *socket ? socket : CTL_SOCKET};

	if (!parse(&a, argc, argv))
		return CLI_USAGE;
	cli->socket = a.socket;
	if (a.what == ASK_INTERFACES) {
		print_interfaces();
		return CLI_OK;
	}
	if (!a.interface || strcmp(a.interface, INTERFACE) != 0) {
		complain("the one interface is " INTERFACE
			 "; this is for Wireshark, see " PROGRAM "(1)");
		return CLI_USAGE;
	}
	if (a.what == ASK_PACKETS)
		return capture(cli, &a);
	if (a.what == ASK_DLTS)
		puts("dlt {number=101}{name=RAW}{display=Raw IP}");
	else if (a.what == ASK_CONFIG)
		print_config();
	else if (a.filter)
		check_filter(a.filter);
	return CLI_OK;
}
