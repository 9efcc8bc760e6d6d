/* forwarded.h: whose request it is when proxies of our own stand in between: X-Forwarded-For, believed from them alone.
 * Addresses are numeric text; an IPv4 address within IPv6 (::ffff:192.0.2.1) counts as the IPv4 address. */
#ifndef COUNTERFOIL_AUTHD_FORWARDED_H
#define COUNTERFOIL_AUTHD_FORWARDED_H

#include <netinet/in.h>
#include <stdbool.h>

#define FORWARDED_CHAIN_BYTES 1024

/* Is PROXIES a list of addresses and networks ("192.0.2.1 10.0.0.0/8 2001:db8::/32"), separated by white space? */
bool forwarded_proxies_fit(const char *proxies);

/* PEER is who is connected to us, CHAIN all lines of X-Forwarded-For in their order, joined by commas.
 * OUT is PEER, or, while the address in hand is one of PROXIES, the one to its left in CHAIN.  What is further left was
 * written by strangers.  An entry that is no address ends the way: OUT is the proxy that passed it on. */
void forwarded_source(const char *proxies, const char *peer, const char *chain, char out[static INET6_ADDRSTRLEN]);

#endif
