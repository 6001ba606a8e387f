/*
 * tun_queue.c - What the kernel's queue in front of the device lost
 *
 * interface.txqueuelen packets wait for us in the kernel; what comes when the
 * queue is full is thrown away there, and no read tells. The kernel counts it as
 * what the interface did not transmit, for to the kernel we are the wire.
 *
 * /proc/self/net/dev says so of the network namespace we are in, which a file
 * below /sys may not, and takes no lock that somebody who sets up interfaces
 * might hold while packets wait for us, which netlink does.
 */
#include "tun_queue.h"

#include <inttypes.h>
#include <string.h>

#define COUNTERS "/proc/self/net/dev"
#define LINE_MAX 512

bool tun_queue_lost(const char *name, uint64_t *lost)
{
	FILE *f = fopen(COUNTERS, "re");
	bool found;

	if (!f)
		return false;
	found = tun_queue_parse(f, name, lost);
	(void)fclose(f);
	return found;
}

/* "name: 8 counters of what it received, then bytes, packets, errs, drop ..." */
bool tun_queue_parse(FILE *f, const char *name, uint64_t *lost)
{
	const size_t len = strlen(name);
	char line[LINE_MAX], *p;

	while (fgets(line, sizeof(line), f)) {
		p = line + strspn(line, " ");
		if (strncmp(p, name, len) != 0 || p[len] != ':')
			continue;
		return sscanf(p + len + 1,
			      "%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%" SCNu64,
			      lost) == 1;
	}
	return false;
}
