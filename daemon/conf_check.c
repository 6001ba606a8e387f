/*
 * conf_check.c - What no single key can get wrong
 *
 * Our address belongs into the host's network and beside the host, a listener
 * needs a port that is free at an address that is ours, a lower bound lies
 * below the upper one. Each complaint names the line that a person is likeliest
 * to have meant to change: the first of the keys involved that the file or the
 * command line sets. A key whose value was refused already is left alone, and
 * with it all that would follow from the value.
 */
#include "conf_priv.h"

#include <string.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"

/* The addresses of one IP version. */
struct family {
	const char *own_key, *host_key;
	struct ip_addr *own;
	struct ip_prefix *host; /* len 0 = the family is off */
};

static void check_family(struct conf_reader *r, const struct family *f);
static const char *misplaced(const struct ip_prefix *net,
			     const struct ip_addr *a);
static void check_order(struct conf_reader *r, const char *section,
			const char *low, bool in_order, const char *high);
static void check_listener(struct conf_reader *r, const struct conf *c,
			   const struct conf_listener *l);
static void check_listen_address(struct conf_reader *r, const struct conf *c,
				 const struct conf_listener *l);
static const char *not_ours(const struct conf *c, const struct ip_prefix *at,
			    bool v4);
static void check_overlap(struct conf_reader *r, const struct conf_listener *a,
			  const struct conf_listener *b);
static bool overlap(const struct ip_prefix *a, const struct ip_prefix *b);
static bool refused(const struct conf_reader *r, const char *section,
		    const char *key);
static struct conf_entry *blame(const struct conf_reader *r,
				const char *section, const char *key,
				const char *other);

/**
 * conf_check() - Look at the keys together
 * @r: Reader; what is wrong is reported to it
 * @c: All values taken; addresses of a family that is off are cleared
 */
void conf_check(struct conf_reader *r, struct conf *c)
{
	struct stack_conf *s = &c->stack;
	const struct family families[] = {
		{"address4", "host_address4", &s->own4, &c->host4},
		{"address6", "host_address6", &s->own6, &c->host6},
	};

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		check_family(r, &families[i]);
	if (!c->host4.len && !c->host6.len)
		conf_report(r, blame(r, "interface", "address4", "address6"),
			    "neither IPv4 nor IPv6 is left; set host_address4"
			    " and address4, or those of IPv6");
	if (c->host6.len && s->mtu < 1280 && !refused(r, "interface", "mtu"))
		conf_report(r, blame(r, "interface", "mtu", NULL),
			    "mtu = %u is too small for IPv6 (RFC 8200, 5);"
			    " write 1280 or more, or empty address6",
			    s->mtu);
	check_order(r, "timers", "rto_min", s->rto_min_us <= s->rto_initial_us,
		    "rto_initial");
	check_order(r, "timers", "rto_initial",
		    s->rto_initial_us <= s->rto_max_us, "rto_max");
	check_order(r, "limits", "rcvbuf", s->rcvbuf <= s->rcvbuf_max,
		    "rcvbuf_max");
	if (c->log_target == LOG_FILE && !c->log_target_file[0])
		conf_report(r, blame(r, "log", "target", "target_file"),
			    "target = file needs a target_file");
	for (unsigned int i = 0; i < c->nlisteners; i++) {
		check_listener(r, c, &c->listeners[i]);
		for (unsigned int j = 0; j < i; j++)
			check_overlap(r, &c->listeners[i], &c->listeners[j]);
	}
}

static void check_family(struct conf_reader *r, const struct family *f)
{
	static const struct ip_addr none;
	char host[IPPREFIX_TEXT_MAX], own[IPADDR_TEXT_MAX];
	const struct conf_entry *e;
	struct ip_prefix net;
	const char *why;

	if (refused(r, "interface", f->own_key) ||
	    refused(r, "interface", f->host_key))
		return;
	if (!f->host->len || memcmp(f->own, &none, sizeof(none)) == 0) {
		memset(f->host, 0, sizeof(*f->host));
		memset(f->own, 0, sizeof(*f->own));
		return;
	}
	net = *f->host;
	ipprefix_mask(&net);
	ipprefix_format(f->host, host);
	ipaddr_format(f->own, own);
	why = misplaced(&net, &f->host->addr);
	if (why)
		conf_report(r, blame(r, "interface", f->host_key, f->own_key),
			    "%s = %s is %s; choose another", f->host_key, host,
			    why);
	e = blame(r, "interface", f->own_key, f->host_key);
	if (!ip_prefix_has(&net, f->own))
		conf_report(r, e,
			    "%s = %s is outside of %s = %s; choose one inside",
			    f->own_key, own, f->host_key, host);
	else if (memcmp(f->own, &f->host->addr, sizeof(*f->own)) == 0)
		conf_report(r, e,
			    "%s = %s is the host's own address; choose a"
			    " neighbour",
			    f->own_key, own);
	else if ((why = misplaced(&net, f->own)))
		conf_report(r, e, "%s = %s is %s; choose another", f->own_key,
			    own, why);
}

/* Addresses of a network that no host may have. A /31 and a /127 have none
 * (RFC 3021, RFC 6164). */
static const char *misplaced(const struct ip_prefix *net,
			     const struct ip_addr *a)
{
	struct ip_prefix inverse = {.len = net->len}, masked;
	bool v4 = ip_addr_is4(a);

	if (net->len >= 127)
		return NULL;
	if (memcmp(a, &net->addr, sizeof(*a)) == 0)
		return v4 ? "the network's own address"
			  : "the subnet-router anycast address";
	/* Every host bit is set if masking the complement changes nothing. */
	for (size_t i = 0; i < sizeof(a->b); i++)
		inverse.addr.b[i] = (uint8_t)~a->b[i];
	masked = inverse;
	ipprefix_mask(&masked);
	if (v4 && memcmp(&masked.addr, &inverse.addr, sizeof(*a)) == 0)
		return "the broadcast address";
	return NULL;
}

static void check_order(struct conf_reader *r, const char *section,
			const char *low, bool in_order, const char *high)
{
	if (in_order || refused(r, section, low) || refused(r, section, high))
		return;
	conf_report(r, blame(r, section, low, high),
		    "%s is more than %s; lower the one or raise the other", low,
		    high);
}

static void check_listener(struct conf_reader *r, const struct conf *c,
			   const struct conf_listener *l)
{
	char section[CONF_SECTION_MAX];

	snprintf(section, sizeof(section), CONF_LISTENER "%s", l->l.name);
	if (!l->l.port && !refused(r, section, "port"))
		conf_report(r, blame(r, section, NULL, "service"),
			    "listener '%s' has no port; add port = 1 to 65535",
			    l->l.name);
	if (!l->service[0] && !refused(r, section, "service"))
		conf_report(r, blame(r, section, NULL, "port"),
			    "listener '%s' has no service; add service = echo"
			    " or another",
			    l->l.name);
	if (l->l.address.len && !refused(r, section, "address"))
		check_listen_address(r, c, l);
}

static void check_listen_address(struct conf_reader *r, const struct conf *c,
				 const struct conf_listener *l)
{
	const struct ip_prefix *at = &l->l.address;
	bool v4 = at->len >= 96 && ip_addr_is4(&at->addr);
	char section[CONF_SECTION_MAX], text[IPPREFIX_TEXT_MAX];
	const char *why;

	if (refused(r, "interface", v4 ? "address4" : "address6") ||
	    refused(r, "interface", v4 ? "host_address4" : "host_address6") ||
	    refused(r, "interface", "own_prefix"))
		return;
	why = not_ours(c, at, v4);
	if (!why)
		return;
	snprintf(section, sizeof(section), CONF_LISTENER "%s", l->l.name);
	if (at->len == 128)
		ipaddr_format(&at->addr, text);
	else
		ipprefix_format(at, text);
	conf_report(r, blame(r, section, "address", NULL),
		    "address = %s is %s; write own, or one of ours", text, why);
}

/* Something of ours must lie in the address or prefix of a listener.
 * Return: what it is instead, NULL if something does */
static const char *not_ours(const struct conf *c, const struct ip_prefix *at,
			    bool v4)
{
	const struct ip_prefix *host = v4 ? &c->host4 : &c->host6;
	const struct ip_addr *own = v4 ? &c->stack.own4 : &c->stack.own6;
	bool whole = at->len == 128;
	struct ip_prefix net = *host;
	const char *why;

	ipprefix_mask(&net);
	if (!host->len)
		return v4 ? "IPv4, which is off" : "IPv6, which is off";
	if (!overlap(at, &net))
		return "outside of our network";
	if (whole && memcmp(&at->addr, &host->addr, sizeof(at->addr)) == 0)
		return "the host's own address";
	why = whole ? misplaced(&net, &at->addr) : NULL;
	if (why)
		return why;
	if (!c->stack.own_prefix && !ip_prefix_has(at, own))
		return "not ours unless own_prefix = yes";
	return NULL;
}

static void check_overlap(struct conf_reader *r, const struct conf_listener *a,
			  const struct conf_listener *b)
{
	char mine[CONF_SECTION_MAX], theirs[CONF_SECTION_MAX];
	const struct conf_entry *e;

	snprintf(mine, sizeof(mine), CONF_LISTENER "%s", a->l.name);
	snprintf(theirs, sizeof(theirs), CONF_LISTENER "%s", b->l.name);
	if (!a->l.port || a->l.port != b->l.port ||
	    !overlap(&a->l.address, &b->l.address) ||
	    refused(r, mine, "address") || refused(r, theirs, "address"))
		return;
	e = blame(r, mine, "port", NULL);
	conf_report(r, e ? e : blame(r, theirs, "port", NULL),
		    "listeners '%s' and '%s' share port %u and an address;"
		    " change either",
		    b->l.name, a->l.name, a->l.port);
}

/* len 0, every address of ours, overlaps with everything. */
static bool overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len <= b->len ? ip_prefix_has(a, &b->addr)
				: ip_prefix_has(b, &a->addr);
}

static bool refused(const struct conf_reader *r, const char *section,
		    const char *key)
{
	const struct conf_entry *e = conf_text_find(r, section, key);

	return e && e->bad;
}

/* The entry of the first key that has one; NULL names the section's line. */
static struct conf_entry *blame(const struct conf_reader *r,
				const char *section, const char *key,
				const char *other)
{
	struct conf_entry *e = conf_text_find(r, section, key);

	return e ? e : conf_text_find(r, section, other);
}
