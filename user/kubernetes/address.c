// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See address.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <asm/byteorder.h>

#include "address.h"
#include "base/addr.h"

#define TEXT_MAX 64

/* Up to three digits and as many zeros before them; what is behind it. */
static const char *read_byte(const char *text, __u32 *ret)
{
	const char *p = text;

	*ret = 0;
	for (; *p >= '0' && *p <= '9' && *ret < 1000; p++)
		*ret = 10 * *ret + *p - '0';
	return p == text || *ret > 255 ? NULL : p;
}

static bool read4(const char *text, struct addr *ret)
{
	__u32 ip = 0, byte;

	for (int i = 0; i < 4; i++) {
		text = read_byte(text, &byte);
		if (!text || *text != (i < 3 ? '.' : '\0'))
			return false;
		ip = ip << 8 | byte;
		text++;
	}
	*ret = addr_from4(htonl(ip));
	return true;
}

bool kube_addr(const char *text, struct addr *ret)
{
	return read4(text, ret) || addr_parse(text, ret);
}

static void mask(struct addr *a, unsigned int len)
{
	for (unsigned int bit = len; bit < 128; bit++)
		a->word[bit / 32] &= ~htonl(1u << (31 - bit % 32));
}

bool kube_prefix(const char *text, struct model_prefix *ret)
{
	struct model_prefix p = { .is_set = true };
	unsigned int len;
	char host[TEXT_MAX];
	int end = 0;

	if (sscanf(text, " %63[0-9a-fA-F:.]/%u%n", host, &len, &end) != 2 ||
	    text[end + strspn(text + end, " \t")] || len > 128 ||
	    !kube_addr(host, &p.addr))
		return false;
	len += addr_is4(&p.addr) ? 96 : 0;
	if (len > 128)
		return false;
	mask(&p.addr, len);
	p.len = len;
	*ret = p;
	return true;
}

#define NET4(ip) { { 0, 0, __constant_htonl(0xffff), __constant_htonl(ip) } }
#define NET6(first, last) \
	{ { __constant_htonl(first), 0, 0, __constant_htonl(last) } }

const char *kube_addr_special(const struct addr *a)
{
	static const struct {
		struct addr addr;
		unsigned int len;
		const char *kind;
	} nets[] = {
		{ NET4(0x00000000), 128, "an unspecified" },
		{ NET4(0x7f000000), 96 + 8, "a loopback" },
		{ NET4(0xa9fe0000), 96 + 16, "a link-local" },
		{ NET4(0xe0000000), 96 + 4, "a multicast" },
		{ NET4(0xffffffff), 128, "a broadcast" },
		{ NET6(0, 0), 128, "an unspecified" },
		{ NET6(0, 1), 128, "a loopback" },
		{ NET6(0xfe800000, 0), 10, "a link-local" },
		{ NET6(0xff000000, 0), 8, "a multicast" },
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(*nets); i++)
		if (addr_in(a, &nets[i].addr, nets[i].len))
			return nets[i].kind;
	return NULL;
}
