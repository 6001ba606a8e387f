/*
 * netlink.h - MTU, addresses and state of the interface, by libmnl
 */
#ifndef TCPHS_NETLINK_H
#define TCPHS_NETLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/stack.h>

struct netlink_setup {
	const char *ifname;
	uint32_t mtu;
	uint32_t txqueuelen;
	struct ip_prefix host4, host6; /* len 0 = none */
};

/**
 * netlink_route_overlap() - Does a route of another interface cover a prefix?
 * @route: Gets "198.18.0.0/15 dev eth0" if so
 *
 * The default route does not count.
 *
 * Return: 1 if one overlaps, 0 if none does, or a negative errno
 */
int netlink_route_overlap(const char *ifname, const struct ip_prefix *p,
			  char *route, size_t len);

/**
 * netlink_forwards() - Does this host forward packets of others?
 *
 * If so, others can reach our addresses through it.
 */
bool netlink_forwards(void);

/**
 * netlink_link_up() - Set MTU and queue, add the host addresses, bring it up
 * @err: Gets one sentence on failure
 *
 * On a machine without IPv6 it goes on without, and the log says so.
 *
 * Return: 0; -EPERM without the right, or another negative errno
 */
int netlink_link_up(const struct netlink_setup *s, char *err, size_t errlen);

struct netlink_watch {
	int fd;
	unsigned int ifindex;
	struct ip_prefix host4, host6;
	char ifname[IFNAMSIZ];
};

/**
 * netlink_watch() - Be told when somebody takes addresses or the link away
 * @s: As given to netlink_link_up() before
 *
 * Return: 0, and @w->fd becomes readable when there is something for
 *         netlink_watch_read(); or a negative errno
 */
int netlink_watch(struct netlink_watch *w, const struct netlink_setup *s);

/**
 * netlink_watch_read() - Take one message
 * @what: Gets a sentence if it concerns our interface, else ""
 *
 * Return: false if none waits
 */
bool netlink_watch_read(const struct netlink_watch *w, char *what, size_t len);

#endif
