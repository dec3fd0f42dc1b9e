// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See address.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

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
	p.addr = addr_prefix(p.addr, len);
	p.len = len;
	*ret = p;
	return true;
}

const char *kube_addr_special(const struct addr *a)
{
	return addr_is_link_local(a) ? "a link-local" : addr_unusable(a, 128);
}
