#include "authd/forwarded.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { BITS_MAX = 128, MAPPED_BITS = 96, PREFIX_DIGITS_MAX = 3 };

static const char blank[] = " \t\r\n";

struct network {
	struct in6_addr address;
	unsigned bits;
};

/* LEN characters as an address of 128 bits. */
static bool
parse_address(const char *text, size_t len, struct in6_addr *out)
{
	char copy[INET6_ADDRSTRLEN];
	struct in_addr v4;

	if (len == 0 || len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, out) == 1)
		return true;
	if (inet_pton(AF_INET, copy, &v4) != 1)
		return false;
	memset(out, 0, sizeof *out);
	memset(out->s6_addr + 10, 0xff, 2);
	memcpy(out->s6_addr + 12, &v4, sizeof v4);
	return true;
}

static bool
parse_network(const char *text, size_t len, struct network *out)
{
	const char *slash = memchr(text, '/', len);
	size_t digits = slash != NULL ? (size_t)(text + len - slash) - 1 : 0;
	unsigned bits = 0;

	if (!parse_address(text, len - (slash != NULL ? digits + 1 : 0), &out->address))
		return false;
	out->bits = BITS_MAX;
	if (slash == NULL)
		return true;
	if (digits == 0 || digits > PREFIX_DIGITS_MAX || strspn(slash + 1, "0123456789") < digits)
		return false;
	for (size_t i = 1; i <= digits; i++)
		bits = bits * 10 + (unsigned)(slash[i] - '0');
	if (memchr(text, ':', len) == NULL)
		bits += MAPPED_BITS;
	out->bits = bits;
	return bits <= BITS_MAX;
}

static bool
contains(const struct network *network, const struct in6_addr *address)
{
	size_t whole = network->bits / 8;
	unsigned rest = network->bits % 8;

	if (memcmp(network->address.s6_addr, address->s6_addr, whole) != 0)
		return false;
	return rest == 0 || ((network->address.s6_addr[whole] ^ address->s6_addr[whole]) >> (8 - rest)) == 0;
}

/* The next word of a list from *AT on, 0 characters at its end. */
static size_t
next_word(const char **at, const char **out_word)
{
	size_t len;

	*out_word = *at + strspn(*at, blank);
	len = strcspn(*out_word, blank);
	*at = *out_word + len;
	return len;
}

bool
forwarded_proxies_fit(const char *proxies)
{
	struct network network;
	const char *word;
	size_t len;

	while ((len = next_word(&proxies, &word)) > 0)
		if (!parse_network(word, len, &network))
			return false;
	return true;
}

static bool
is_proxy(const char *proxies, const struct in6_addr *address)
{
	struct network network;
	const char *word;
	size_t len;

	while ((len = next_word(&proxies, &word)) > 0)
		if (parse_network(word, len, &network) && contains(&network, address))
			return true;
	return false;
}

/* The last entry of CHAIN before END; *END becomes the comma in front of it. */
static bool
last_entry(const char *chain, const char **end, struct in6_addr *out)
{
	const char *stop = *end, *start;

	while (stop > chain && strchr(blank, stop[-1]) != NULL)
		stop--;
	for (start = stop; start > chain && start[-1] != ','; start--)
		;
	*end = start > chain ? start - 1 : chain;
	while (start < stop && strchr(blank, *start) != NULL)
		start++;
	return parse_address(start, (size_t)(stop - start), out);
}

static void
print_address(const struct in6_addr *address, char out[static INET6_ADDRSTRLEN])
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		(void)inet_ntop(AF_INET, address->s6_addr + 12, out, INET6_ADDRSTRLEN);
	else
		(void)inet_ntop(AF_INET6, address, out, INET6_ADDRSTRLEN);
}

void
forwarded_source(const char *proxies, const char *peer, const char *chain, char out[static INET6_ADDRSTRLEN])
{
	const char *end = chain + strlen(chain);
	struct in6_addr address, left;

	out[0] = '\0';
	if (!parse_address(peer, strlen(peer), &address))
		return;
	while (end > chain && is_proxy(proxies, &address) && last_entry(chain, &end, &left))
		address = left;
	print_address(&address, out);
}
