/*
 * live.c - Frames of an interface, as they pass
 *
 * libpcap's descriptor does not block: we wait for it, for a signal and for the
 * end of --duration in one place, and say so when nothing came for a while, for
 * connections end by silence, too.
 */
#include "live.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output.h"

#define SNAPLEN	   262144
#define BUFFER	   (32 << 20)
#define TIMEOUT_MS 100 /* that packets wait for others */
#define LAST_MS	   150 /* after Ctrl-C, for those that wait */
#define QUIET_MS   250
#define NS_PER_S   1000000000ll
#define CLOCK_EACH 64 /* frames between two looks at it */

struct live {
	pcap_t *pcap;
	int64_t until_ms; /* of the monotonic clock; INT64_MAX = no end */
	uint64_t left;	  /* frames; UINT64_MAX = no end */
	uint64_t frames;
	uint32_t link;
	bool ending; /* what waits in the kernel is still taken */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig);
static int64_t now_ms(void);
static enum cli_exit activate(struct live *l, const struct cli *cli);
static enum cli_exit set_filter(struct live *l, const char *filter);
static bool wait_for_packets(struct live *l);

enum cli_exit live_open(const struct cli *cli, const char *filter,
			struct live **live)
{
	const struct sigaction action = {.sa_handler = on_signal};
	char err[PCAP_ERRBUF_SIZE];
	struct live *l = calloc(1, sizeof(*l));
	enum cli_exit e;

	if (!l)
		return CLI_NO;
	l->until_ms = cli->duration_us ? now_ms() + cli->duration_us / 1000
				       : INT64_MAX;
	l->left = cli->count ? cli->count : UINT64_MAX;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	l->pcap = pcap_create(cli->interface, err);
	if (!l->pcap) {
		complain("%s: %s", cli->interface, err);
		live_close(l);
		return CLI_NO;
	}
	e = activate(l, cli);
	if (e == CLI_OK && filter && *filter)
		e = set_filter(l, filter);
	if (e != CLI_OK) {
		live_close(l);
		return e;
	}
	if (!cli->quiet)
		complain("listening on %s (%s); Ctrl-C ends it", cli->interface,
			 link_name(l->link));
	*live = l;
	return CLI_OK;
}

void live_close(struct live *l)
{
	if (!l)
		return;
	if (l->pcap)
		pcap_close(l->pcap);
	free(l);
}

enum live_status live_next(struct live *l, struct frame *f)
{
	struct pcap_pkthdr *head;
	const u_char *bytes;
	int n;

	if (interrupted && !l->ending) {
		l->ending = true;
		l->until_ms = now_ms() + LAST_MS;
	}
	if (interrupted > 1 || !l->left ||
	    (l->frames % CLOCK_EACH == 0 && now_ms() >= l->until_ms))
		return LIVE_END;
	n = pcap_next_ex(l->pcap, &head, &bytes);
	if (n < 0) {
		complain("%s", pcap_geterr(l->pcap));
		return LIVE_END;
	}
	if (n == 0)
		return wait_for_packets(l) ? LIVE_QUIET : LIVE_END;
	l->left--;
	*f = (struct frame){
		.ns = head->ts.tv_sec * NS_PER_S + head->ts.tv_usec,
		.number = ++l->frames,
		.link = l->link,
		.len = head->len,
		.cap_len = head->caplen,
		.bytes = bytes,
	};
	return LIVE_FRAME;
}

uint32_t live_link(const struct live *l)
{
	return l->link;
}

void live_stats(struct live *l, struct live_stats *s)
{
	struct pcap_stat stat;

	memset(s, 0, sizeof(*s));
	if (pcap_stats(l->pcap, &stat) != 0)
		return;
	s->seen = stat.ps_recv;
	s->dropped = stat.ps_drop;
	s->dropped_by_card = stat.ps_ifdrop;
}

static void on_signal(int sig)
{
	(void)sig;
	interrupted++;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static enum cli_exit activate(struct live *l, const struct cli *cli)
{
	char err[PCAP_ERRBUF_SIZE];
	int status;

	pcap_set_snaplen(l->pcap, cli->snaplen ? (int)cli->snaplen : SNAPLEN);
	pcap_set_promisc(l->pcap, 1);
	pcap_set_timeout(l->pcap, TIMEOUT_MS);
	pcap_set_buffer_size(l->pcap, BUFFER);
	pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO);
	status = pcap_activate(l->pcap);
	if (status < 0) {
		complain("%s: %s", cli->interface,
			 *pcap_geterr(l->pcap) ? pcap_geterr(l->pcap)
					       : pcap_statustostr(status));
		return status == PCAP_ERROR_PERM_DENIED	     ? CLI_DENIED
		       : status == PCAP_ERROR_NO_SUCH_DEVICE ? CLI_NOT_FOUND
							     : CLI_NO;
	}
	l->link = (uint32_t)pcap_datalink(l->pcap);
	if (!link_name(l->link)) {
		complain("%s: frames of link type %u are not read",
			 cli->interface, l->link);
		return CLI_NO;
	}
	if (pcap_setnonblock(l->pcap, 1, err) != 0) {
		complain("%s: %s", cli->interface, err);
		return CLI_NO;
	}
	return CLI_OK;
}

static enum cli_exit set_filter(struct live *l, const char *filter)
{
	struct bpf_program program;

	if (pcap_compile(l->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) !=
	    0) {
		complain("capture filter '%s': %s", filter,
			 pcap_geterr(l->pcap));
		return CLI_USAGE;
	}
	if (pcap_setfilter(l->pcap, &program) != 0) {
		complain("%s", pcap_geterr(l->pcap));
		pcap_freecode(&program);
		return CLI_NO;
	}
	pcap_freecode(&program);
	return CLI_OK;
}

/* False if the time is over. */
static bool wait_for_packets(struct live *l)
{
	struct pollfd p = {.fd = pcap_get_selectable_fd(l->pcap),
			   .events = POLLIN};
	int64_t left_ms = l->until_ms - now_ms();

	if (left_ms <= 0)
		return false;
	poll(&p, 1, left_ms < QUIET_MS ? (int)left_ms : QUIET_MS);
	return true;
}
