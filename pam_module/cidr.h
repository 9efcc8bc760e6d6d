/* cidr.h: networks of addresses, for a policy that depends on where somebody comes from.  libc only. */
#ifndef COUNTERFOIL_PAM_CIDR_H
#define COUNTERFOIL_PAM_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cidr {
	int family;             /* AF_INET or AF_INET6 */
	unsigned bits;          /* of the address that are fixed */
	uint8_t address[16];    /* network byte order; the rest is zero */
};

/* "192.0.2.0/24", "2001:db8::/32".  False: another form, bits behind the fixed ones, or an IPv4 network in IPv6 clothes,
 * which no address would match (who.h undresses them). */
bool cidr_parse(const char *text, size_t len, struct cidr *out);

/* Is ADDRESS, a literal, in one of the networks of LIST, which have a space between? */
bool cidr_list_has(const char *list, const char *address);

#endif
