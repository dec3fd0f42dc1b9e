// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses as text and back, and prefixes, see addr.h. */
#include <arpa/inet.h>
#include <string.h>

#include <asm/byteorder.h>

#include "addr.h"

#define PREFIX4_BITS 96		/* of ::ffff:0:0/96 */

struct addr addr_from4(__be32 ip)
{
	return (struct addr){ .word = { 0, 0, htonl(0xffff), ip } };
}

bool addr_is4(const struct addr *a)
{
	return !a->word[0] && !a->word[1] && a->word[2] == htonl(0xffff);
}

bool addr_is_zero(const struct addr *a)
{
	return !a->word[0] && !a->word[1] && !a->word[2] && !a->word[3];
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

bool addr_is_in(const struct addr *addrs, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++)
		if (!addr_compare(&addrs[i], a))
			return true;
	return false;
}

/* The bits of word i that a prefix of len bits covers. */
static __be32 prefix_mask(unsigned int len, int i)
{
	unsigned int start = 32 * i;

	if (len <= start)
		return 0;
	if (len >= start + 32)
		return 0xffffffff;
	return htonl(0xffffffffu << (start + 32 - len));
}

bool addr_in(const struct addr *a, const struct addr *net, unsigned int len)
{
	for (int i = 0; i < 4; i++)
		if ((a->word[i] ^ net->word[i]) & prefix_mask(len, i))
			return false;
	return true;
}

#define NET4(ip) { { 0, 0, __constant_htonl(0xffff), __constant_htonl(ip) } }
#define NET6(first, last) \
	{ { __constant_htonl(first), 0, 0, __constant_htonl(last) } }

bool addr_is_link_local(const struct addr *a)
{
	static const struct addr net4 = NET4(0xa9fe0000);
	static const struct addr net6 = NET6(0xfe800000, 0);

	return addr_in(a, &net4, 96 + 16) || addr_in(a, &net6, 10);
}

const char *addr_unusable(const struct addr *a, unsigned int len)
{
	static const struct {
		struct addr addr;
		unsigned int len;
		const char *kind;
	} nets[] = {
		{ NET4(0x00000000), 128, "an unspecified" },
		{ NET4(0x7f000000), 96 + 8, "a loopback" },
		{ NET4(0xe0000000), 96 + 4, "a multicast" },
		{ NET4(0xffffffff), 128, "a broadcast" },
		{ NET6(0, 0), 128, "an unspecified" },
		{ NET6(0, 1), 128, "a loopback" },
		{ NET6(0xff000000, 0), 8, "a multicast" },
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++)
		if (addr_in(a, &nets[i].addr, len < nets[i].len ? len :
			    nets[i].len))
			return nets[i].kind;
	return NULL;
}

bool addr_parse(const char *text, struct addr *ret)
{
	struct addr a;
	__be32 ip;

	if (inet_pton(AF_INET, text, &ip) == 1) {
		*ret = addr_from4(ip);
		return true;
	}
	if (inet_pton(AF_INET6, text, &a) != 1 || addr_is4(&a))
		return false;
	*ret = a;
	return true;
}

/* Decimal without sign or leading zeros, up to max. */
static bool parse_len(const char *text, unsigned int max, unsigned int *ret)
{
	unsigned int len = 0;

	if (!*text || strlen(text) > 3 || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		len = 10 * len + (*text - '0');
	}
	*ret = len;
	return len <= max;
}

static bool has_host_bits(const struct addr *a, unsigned int len)
{
	for (int i = 0; i < 4; i++)
		if (a->word[i] & ~prefix_mask(len, i))
			return true;
	return false;
}

struct addr addr_prefix(struct addr a, unsigned int len)
{
	for (unsigned int i = 0; i < 4; i++) {
		if (len <= 32 * i)
			a.word[i] = 0;
		else if (len < 32 * i + 32)
			a.word[i] &= htonl(~0u << (32 * i + 32 - len));
	}
	return a;
}

bool addr_parse_cidr(const char *text, struct addr *ret, unsigned int *ret_len)
{
	const char *slash = strchrnul(text, '/');
	char host[ADDR_TEXT_MAX];
	unsigned int len = 128;
	unsigned int skip;
	struct addr a;

	if ((size_t)(slash - text) >= sizeof(host))
		return false;
	memcpy(host, text, slash - text);
	host[slash - text] = '\0';
	if (!addr_parse(host, &a))
		return false;

	skip = addr_is4(&a) ? PREFIX4_BITS : 0;
	if (*slash) {
		if (!parse_len(slash + 1, 128 - skip, &len))
			return false;
		len += skip;
	}
	if (has_host_bits(&a, len))
		return false;
	*ret = a;
	*ret_len = len;
	return true;
}

const char *addr_format(const struct addr *a, char text[static ADDR_TEXT_MAX])
{
	if (addr_is4(a))
		inet_ntop(AF_INET, &a->word[3], text, ADDR_TEXT_MAX);
	else
		inet_ntop(AF_INET6, a, text, ADDR_TEXT_MAX);
	return text;
}
