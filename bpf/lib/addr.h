/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* struct addr: the only file that knows how IPv4 sits in IPv6. */
#ifndef FAIRLEAD_BPF_ADDR_H
#define FAIRLEAD_BPF_ADDR_H

#include <stdbool.h>

#include <linux/in6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <fairlead/types.h>

static __always_inline struct addr addr_from4(__be32 ip)
{
	return (struct addr){ .word = { 0, 0, bpf_htonl(0xffff), ip } };
}

static __always_inline struct addr addr_from6(const struct in6_addr *ip)
{
	return *(const struct addr *)ip;
}

static __always_inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1] &&
	       a->word[2] == b->word[2] && a->word[3] == b->word[3];
}

static __always_inline bool addr_is_zero(const struct addr *a)
{
	return !(a->word[0] | a->word[1] | a->word[2] | a->word[3]);
}

/* ::ffff:0:0/96, which only we write: on the wire it is forged (RFC 4942). */
static __always_inline bool addr_is_mapped(const struct addr *a)
{
	return !a->word[0] && !a->word[1] && a->word[2] == bpf_htonl(0xffff);
}

/* 127.0.0.0/8 */
static __always_inline bool addr_is_loopback4(const struct addr *a)
{
	return addr_is_mapped(a) &&
	       (a->word[3] & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
}

/* And ::1 */
static __always_inline bool addr_is_loopback(const struct addr *a)
{
	return addr_is_loopback4(a) ||
	       (!a->word[0] && !a->word[1] && !a->word[2] &&
		a->word[3] == bpf_htonl(1));
}

/* ff02::/16, which no router sends on. */
static __always_inline bool addr_is_of_link(const struct addr *a)
{
	return (a->word[0] & bpf_htonl(0xffff0000)) == bpf_htonl(0xff020000);
}

static __always_inline bool addr_is_link_local6(const struct addr *a)
{
	return (a->word[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

#endif
