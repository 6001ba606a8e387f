/*
 * netlink.h - MTU, addresses and state of the interface, by libmnl
 */
#ifndef TCPHS_NETLINK_H
#define TCPHS_NETLINK_H

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
 * netlink_link_up() - Set MTU and queue, add the host addresses, bring it up
 * @err: Gets one sentence on failure
 *
 * Return: 0 or a negative errno
 */
int netlink_link_up(const struct netlink_setup *s, char *err, size_t errlen);

/** netlink_link_del() - Remove the interface; 0 or a negative errno */
int netlink_link_del(const char *ifname);

#endif
