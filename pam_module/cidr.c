#include "pam_module/cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { LITERAL_BYTES = INET6_ADDRSTRLEN };

/* ADDRESS alone, all of its bits fixed. */
static bool
take_address(const char *text, size_t len, struct cidr *out)
{
	char literal[LITERAL_BYTES];

	*out = (struct cidr){ .family = AF_UNSPEC };
	if (len == 0 || len >= sizeof literal)
		return false;
	memcpy(literal, text, len);
	literal[len] = '\0';
	if (inet_pton(AF_INET, literal, out->address) == 1) {
		out->family = AF_INET;
		out->bits = 32;
	} else if (inet_pton(AF_INET6, literal, out->address) == 1) {
		out->family = AF_INET6;
		out->bits = 128;
	}
	return out->family != AF_UNSPEC;
}

/* One to three digits, without a zero in front. */
static bool
take_bits(const char *text, size_t len, unsigned max, unsigned *out)
{
	*out = 0;
	if (len == 0 || len > 3 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*out = *out * 10 + (unsigned)(text[i] - '0');
	}
	return *out <= max;
}

static bool
bit(const struct cidr *of, unsigned number)
{
	return (of->address[number / 8] >> (7 - number % 8) & 1) != 0;
}

bool
cidr_parse(const char *text, size_t len, struct cidr *out)
{
	const char *slash = memchr(text, '/', len);
	struct in6_addr six;
	unsigned bits;

	if (slash == NULL || !take_address(text, (size_t)(slash - text), out) ||
	    !take_bits(slash + 1, len - (size_t)(slash - text) - 1, out->bits, &bits))
		return false;
	for (unsigned i = bits; i < out->bits; i++)
		if (bit(out, i))
			return false;
	memcpy(&six, out->address, sizeof six);
	if (out->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six))
		return false;
	out->bits = bits;
	return true;
}

static bool
has(const struct cidr *network, const struct cidr *address)
{
	if (network->family != address->family)
		return false;
	for (unsigned i = 0; i < network->bits; i++)
		if (bit(network, i) != bit(address, i))
			return false;
	return true;
}

bool
cidr_list_has(const char *list, const char *address)
{
	struct cidr where, network;

	if (!take_address(address, strlen(address), &where))
		return false;
	for (const char *at = list; *at != '\0';) {
		size_t word = strcspn(at, " ");

		if (cidr_parse(at, word, &network) && has(&network, &where))
			return true;
		at += word;
		at += strspn(at, " ");
	}
	return false;
}
