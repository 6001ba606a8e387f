/*
 * ipaddr.h - Addresses and prefixes as text
 */
#ifndef TCPHS_IPADDR_H
#define TCPHS_IPADDR_H

#include <stdbool.h>
#include <stddef.h>

#include <tcphs/stack.h>

#define IPADDR_TEXT_MAX	  46 /* with the final zero */
#define IPPREFIX_TEXT_MAX 50
#define IPPORT_TEXT_MAX	  54 /* "[fd74::2]:65535" */

/** ipaddr_parse() - "198.18.66.2" or "fd74::2"; false if it is neither */
bool ipaddr_parse(const char *text, struct ip_addr *a);

/**
 * ipprefix_parse() - "198.18.66.1/24", "fd74::1/64", or an address alone
 * @p: Keeps the host bits; an address alone is a /32 or /128
 */
bool ipprefix_parse(const char *text, struct ip_prefix *p);

/** ipprefix_mask() - Clear the host bits: "198.18.66.1/24" to ".0/24" */
void ipprefix_mask(struct ip_prefix *p);

/** ipaddr_format() - IPv4 dotted, IPv6 as RFC 5952 wants; returns @buf */
const char *ipaddr_format(const struct ip_addr *a, char buf[IPADDR_TEXT_MAX]);

/** ipprefix_format() - "198.18.66.0/24"; returns @buf */
const char *ipprefix_format(const struct ip_prefix *p,
			    char buf[IPPREFIX_TEXT_MAX]);

/** ipport_format() - "198.18.66.2:80" or "[fd74::2]:80"; returns @buf */
const char *ipport_format(const struct ip_addr *a, unsigned int port,
			  char buf[IPPORT_TEXT_MAX]);

#endif
