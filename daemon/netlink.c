/*
 * netlink.c - The host's side of the interface
 *
 * Addresses, MTU and queue of the interface are set as `ip link` and `ip addr`
 * would. The route to us comes with the prefix of the host's address. No
 * address of the kernel's own invention is wanted on a link with one
 * neighbour that does not answer neighbour discovery: link-local addresses are
 * switched off and duplicate address detection is skipped. Even so the kernel
 * takes an IPv6 address into use a moment later, from a work queue, and packets
 * that we send until then are thrown away: so that moment is awaited.
 *
 * Beforehand the routes are looked through: the prefix must not belong to
 * somebody else, or packets meant for that one would end here. Afterwards a
 * second socket watches, for managers of networks that tidy up interfaces they
 * did not make.
 */
#include "netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <tcphs/ipaddr.h>

#include "log.h"

/* Prefix of IPv4 addresses in struct ip_addr, ::ffff:0:0/96. */
#define V4_BITS 96

/*
 * Routes wider than this are the default route in two halves, as VPN clients
 * set it: 0.0.0.0/1 and 128.0.0.0/1.
 */
#define DEFAULT_ROUTE_BITS 1

/* How long an IPv6 address may take to come into use. */
#define USABLE_TRIES   1000
#define USABLE_WAIT_NS 1000000

union request {
	struct nlmsghdr nlh; /* for its alignment */
	char buf[1024];
};

struct overlap {
	const struct ip_prefix *p;
	unsigned int ifindex; /* of our own interface; 0 if there is none yet */
	char *route;
	size_t len;
	bool found;
};

struct change {
	const struct netlink_watch *w;
	char *what;
	size_t len;
};

static int transact(struct nlmsghdr *nlh, mnl_cb_t cb, void *arg);
static int overlap_cb(const struct nlmsghdr *nlh, void *arg);
static struct ip_prefix route_prefix(const struct rtmsg *rt,
				     const struct nlattr *dst);
static bool prefixes_overlap(const struct ip_prefix *a,
			     const struct ip_prefix *b);
static int forwards_cb(const struct nlmsghdr *nlh, void *arg);
static int set_link(const struct netlink_setup *s, unsigned int ifindex);
static int set_up(unsigned int ifindex);
static int add_address(unsigned int ifindex, const struct ip_prefix *p);
static void await_address(const struct ip_prefix *p, const char *ifname);
static int local_cb(const struct nlmsghdr *nlh, void *arg);
static bool without_ipv6(int error);
static int failed(int error, const char *what, const char *ifname, char *err,
		  size_t errlen);
static int change_cb(const struct nlmsghdr *nlh, void *arg);
static void address_gone(const struct nlmsghdr *nlh, const struct ip_prefix *p,
			 const struct change *c);

int netlink_route_overlap(const char *ifname, const struct ip_prefix *p,
			  char *route, size_t len)
{
	struct overlap o = {p, if_nametoindex(ifname), route, len, false};
	union request req;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req.buf);
	struct rtmsg *rt;
	int ret;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	rt->rtm_family = ip_addr_is4(&p->addr) ? AF_INET : AF_INET6;
	ret = transact(nlh, overlap_cb, &o);
	return ret < 0 ? ret : o.found;
}

bool netlink_forwards(void)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	union request req;
	struct nlmsghdr *nlh;
	struct netconfmsg *ncm;
	bool on = false;

	for (size_t i = 0; i < sizeof(families); i++) {
		nlh = mnl_nlmsg_put_header(req.buf);
		nlh->nlmsg_type = RTM_GETNETCONF;
		nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
		ncm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ncm));
		ncm->ncm_family = families[i];
		mnl_attr_put_u32(nlh, NETCONFA_IFINDEX,
				 (uint32_t)NETCONFA_IFINDEX_ALL);
		/* A family that is not there forwards nothing. */
		(void)transact(nlh, forwards_cb, &on);
	}
	return on;
}

int netlink_link_up(const struct netlink_setup *s, char *err, size_t errlen)
{
	unsigned int ifindex = if_nametoindex(s->ifname);
	bool ipv6 = s->host6.len;
	int ret;

	if (!ifindex)
		return failed(-errno, "find", s->ifname, err, errlen);
	ret = set_link(s, ifindex);
	if (ret < 0)
		return failed(ret, "set MTU and queue of", s->ifname, err,
			      errlen);
	if (s->host4.len) {
		ret = add_address(ifindex, &s->host4);
		if (ret < 0)
			return failed(ret, "add the IPv4 address to", s->ifname,
				      err, errlen);
	}
	/* Addresses first: an interface that comes up without an IPv6 address
	 * would start to look for routers. */
	if (ipv6) {
		ret = add_address(ifindex, &s->host6);
		ipv6 = ret == 0;
		if (without_ipv6(ret))
			log_warnx("No IPv6 on %s: it is switched off on this "
				  "machine",
				  s->ifname);
		else if (ret < 0)
			return failed(ret, "add the IPv6 address to", s->ifname,
				      err, errlen);
	}
	ret = set_up(ifindex);
	if (ret < 0)
		return failed(ret, "bring up", s->ifname, err, errlen);
	if (ipv6)
		await_address(&s->host6, s->ifname);
	return 0;
}

int netlink_watch(struct netlink_watch *w, const struct netlink_setup *s)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups =
			RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int error;

	w->ifindex = if_nametoindex(s->ifname);
	w->host4 = s->host4;
	w->host6 = s->host6;
	snprintf(w->ifname, sizeof(w->ifname), "%s", s->ifname);
	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       NETLINK_ROUTE);
	if (w->fd < 0)
		return -errno;
	if (bind(w->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return 0;
	error = errno;
	close(w->fd);
	w->fd = -1;
	return -error;
}

bool netlink_watch_read(const struct netlink_watch *w, char *what, size_t len)
{
	struct change change = {w, what, len};
	union {
		struct nlmsghdr nlh;
		char buf[8192];
	} msg;
	ssize_t n = recv(w->fd, msg.buf, sizeof(msg.buf), 0);

	what[0] = '\0';
	/* Messages lost in a storm (ENOBUFS) leave us unwarned, no worse. */
	if (n < 0)
		return errno == ENOBUFS || errno == EINTR;
	mnl_cb_run(msg.buf, (size_t)n, 0, 0, change_cb, &change);
	return true;
}

/* Send one request and hand every answer to @cb, until the acknowledgement. */
static int transact(struct nlmsghdr *nlh, mnl_cb_t cb, void *arg)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	union {
		struct nlmsghdr nlh;
		char buf[16384];
	} answer;
	unsigned int seq = (unsigned int)time(NULL), port;
	ssize_t n;
	int ret = -1;

	if (!nl)
		return -errno;
	nlh->nlmsg_seq = seq;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		goto out;
	port = mnl_socket_get_portid(nl);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		goto out;
	do {
		n = mnl_socket_recvfrom(nl, answer.buf, sizeof(answer.buf));
		if (n < 0)
			goto out;
		ret = mnl_cb_run(answer.buf, (size_t)n, seq, port, cb, arg);
	} while (ret > MNL_CB_STOP);
out:
	ret = ret < 0 ? -errno : 0;
	mnl_socket_close(nl);
	return ret;
}

static int overlap_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct overlap *o = arg;
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	struct nlattr *a, *dst = NULL;
	char text[IPPREFIX_TEXT_MAX], ifname[IFNAMSIZ] = "";
	struct ip_prefix r;
	unsigned int oif = 0;

	mnl_attr_for_each(a, nlh, sizeof(*rt))
	{
		if (mnl_attr_get_type(a) == RTA_DST)
			dst = a;
		else if (mnl_attr_get_type(a) == RTA_OIF)
			oif = mnl_attr_get_u32(a);
	}
	if (o->found || !dst || rt->rtm_dst_len <= DEFAULT_ROUTE_BITS)
		return MNL_CB_OK;
	if ((o->ifindex && oif == o->ifindex) ||
	    rt->rtm_type == RTN_BROADCAST || rt->rtm_type == RTN_MULTICAST)
		return MNL_CB_OK;
	r = route_prefix(rt, dst);
	if (!prefixes_overlap(&r, o->p))
		return MNL_CB_OK;
	o->found = true;
	ipprefix_format(&r, text);
	if (oif && if_indextoname(oif, ifname))
		snprintf(o->route, o->len, "%s dev %s", text, ifname);
	else
		snprintf(o->route, o->len, "%s", text);
	return MNL_CB_OK;
}

static struct ip_prefix route_prefix(const struct rtmsg *rt,
				     const struct nlattr *dst)
{
	struct ip_prefix p = {.len = rt->rtm_dst_len};

	if (rt->rtm_family == AF_INET) {
		p.addr.b[10] = p.addr.b[11] = 0xff;
		memcpy(p.addr.b + 12, mnl_attr_get_payload(dst), 4);
		p.len = (uint8_t)(p.len + V4_BITS);
	} else {
		memcpy(p.addr.b, mnl_attr_get_payload(dst), 16);
	}
	return p;
}

/* Two prefixes overlap if the wider one has the other's address. */
static bool prefixes_overlap(const struct ip_prefix *a,
			     const struct ip_prefix *b)
{
	return a->len <= b->len ? ip_prefix_has(a, &b->addr)
				: ip_prefix_has(b, &a->addr);
}

static int forwards_cb(const struct nlmsghdr *nlh, void *arg)
{
	bool *on = arg;
	struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct netconfmsg))
	{
		if (mnl_attr_get_type(a) == NETCONFA_FORWARDING)
			*on |= mnl_attr_get_u32(a) != 0;
	}
	return MNL_CB_OK;
}

/* MTU, queue, and no link-local address. */
static int set_link(const struct netlink_setup *s, unsigned int ifindex)
{
	union request req;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req.buf);
	struct nlattr *spec, *inet6;
	struct ifinfomsg *ifi;
	int ret;

	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	mnl_attr_put_u32(nlh, IFLA_MTU, s->mtu);
	mnl_attr_put_u32(nlh, IFLA_TXQLEN, s->txqueuelen);
	ret = transact(nlh, NULL, NULL);
	if (ret < 0 || !s->host6.len)
		return ret;

	nlh = mnl_nlmsg_put_header(req.buf);
	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	/* Without IPv6 it is refused, and not needed either. */
	(void)transact(nlh, NULL, NULL);
	return 0;
}

static int set_up(unsigned int ifindex)
{
	union request req;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req.buf);
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	ifi->ifi_change = ifi->ifi_flags = IFF_UP;
	return transact(nlh, NULL, NULL);
}

static int add_address(unsigned int ifindex, const struct ip_prefix *p)
{
	union request req;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req.buf);
	bool v4 = ip_addr_is4(&p->addr);
	const uint8_t *b = v4 ? p->addr.b + 12 : p->addr.b;
	size_t len = v4 ? 4 : 16;
	struct ifaddrmsg *ifa;

	nlh->nlmsg_type = RTM_NEWADDR;
	nlh->nlmsg_flags =
		NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
	ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = v4 ? AF_INET : AF_INET6;
	ifa->ifa_prefixlen = (uint8_t)(v4 ? p->len - V4_BITS : p->len);
	ifa->ifa_flags = v4 ? 0 : IFA_F_NODAD;
	ifa->ifa_index = ifindex;
	mnl_attr_put(nlh, IFA_LOCAL, len, b);
	mnl_attr_put(nlh, IFA_ADDRESS, len, b);
	return transact(nlh, NULL, NULL);
}

/* The kernel takes packets for an address when its local route is there. */
static void await_address(const struct ip_prefix *p, const char *ifname)
{
	const struct timespec wait = {.tv_nsec = USABLE_WAIT_NS};
	union request req;
	struct nlmsghdr *nlh;
	struct rtmsg *rt;
	bool local = false;

	for (int i = 0; i < USABLE_TRIES; i++) {
		nlh = mnl_nlmsg_put_header(req.buf);
		nlh->nlmsg_type = RTM_GETROUTE;
		nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
		rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
		rt->rtm_family = AF_INET6;
		rt->rtm_dst_len = 128;
		mnl_attr_put(nlh, RTA_DST, sizeof(p->addr.b), p->addr.b);
		(void)transact(nlh, local_cb, &local); /* no route: not yet */
		if (local)
			return;
		(void)nanosleep(&wait, NULL);
	}
	log_warnx("The IPv6 address of %s is not in use yet", ifname);
}

static int local_cb(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);

	*(bool *)arg = rt->rtm_type == RTN_LOCAL;
	return MNL_CB_OK;
}

/* EACCES is what the sysctl disable_ipv6 answers; the others, no IPv6 built. */
static bool without_ipv6(int error)
{
	return error == -EACCES || error == -EOPNOTSUPP ||
	       error == -EAFNOSUPPORT;
}

static int failed(int error, const char *what, const char *ifname, char *err,
		  size_t errlen)
{
	if (error == -EPERM)
		snprintf(err, errlen,
			 "no right to %s interface %s: the capability "
			 "CAP_NET_ADMIN is missing; run as root",
			 what, ifname);
	else
		snprintf(err, errlen, "cannot %s interface %s: %s", what,
			 ifname, strerror(-error));
	return error;
}

static int change_cb(const struct nlmsghdr *nlh, void *arg)
{
	const struct change *c = arg;
	const struct netlink_watch *w = c->w;
	const struct ifinfomsg *ifi;

	if (nlh->nlmsg_type == RTM_DELADDR) {
		address_gone(nlh, &w->host4, c);
		address_gone(nlh, &w->host6, c);
	} else if (nlh->nlmsg_type == RTM_NEWLINK) {
		ifi = mnl_nlmsg_get_payload(nlh);
		if ((unsigned int)ifi->ifi_index == w->ifindex &&
		    ifi->ifi_change & IFF_UP && !(ifi->ifi_flags & IFF_UP))
			snprintf(c->what, c->len,
				 "Interface %s was taken down by someone else; "
				 "nobody can reach us",
				 w->ifname);
	}
	return MNL_CB_OK;
}

static void address_gone(const struct nlmsghdr *nlh, const struct ip_prefix *p,
			 const struct change *c)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const size_t len = ifa->ifa_family == AF_INET ? 4 : 16;
	const uint8_t *own = p->addr.b + 16 - len;
	char text[IPPREFIX_TEXT_MAX];
	struct nlattr *a;

	if (!p->len || ifa->ifa_index != c->w->ifindex ||
	    (len == 4) != ip_addr_is4(&p->addr))
		return;
	mnl_attr_for_each(a, nlh, sizeof(*ifa))
	{
		if (mnl_attr_get_type(a) == IFA_ADDRESS &&
		    mnl_attr_get_payload_len(a) == len &&
		    memcmp(mnl_attr_get_payload(a), own, len) == 0)
			snprintf(
				c->what, c->len,
				"Address %s of %s was removed by someone else; "
				"nobody can reach us",
				ipprefix_format(p, text), c->w->ifname);
	}
}
