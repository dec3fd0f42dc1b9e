/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is a packet one in a tunnel that ends at this host, a backend of a balancer
 * at the edge?
 */
#ifndef FAIRLEAD_BPF_DECAP_H
#define FAIRLEAD_BPF_DECAP_H

#include "tunnel.h"

/* Host order; see fairlead_config for how it is filled. */
const volatile __u16 decap_gue_port __weak = 6080;
const volatile __u16 decap_geneve_port __weak = 6081;

/* By user/: the ends of tunnels that are here. Whatever goes elsewhere is not
 * ours to open. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, DECAP_ADDRS_MAX);
	__type(key, struct addr);
	__type(value, __u8);
} decap_addrs __weak SEC(".maps");

static __always_inline bool is_end_of_tunnels(struct addr dst)
{
	return bpf_map_lookup_elem(&decap_addrs, &dst);
}

static __always_inline void tunnel_find4(const struct frame *f,
					 struct tunnel *t)
{
	const struct iphdr *ip = f->l3;

	tunnel_parse4(f, t, decap_gue_port, decap_geneve_port);
	if (t->inner && !is_end_of_tunnels(addr_from4(ip->daddr)))
		t->inner = 0;
}

static __always_inline void tunnel_find6(const struct frame *f,
					 struct tunnel *t)
{
	const struct ipv6hdr *ip = f->l3;

	tunnel_parse6(f, t, decap_gue_port, decap_geneve_port);
	if (t->inner && !is_end_of_tunnels(addr_from6(&ip->daddr)))
		t->inner = 0;
}

/* t->len: from l3 to the inner packet. */
static __always_inline struct tunnel tunnel_find(const struct frame *f,
						 __be16 proto)
{
	struct tunnel t = {};

	if (proto == bpf_htons(ETH_P_IP))
		tunnel_find4(f, &t);
	else if (proto == bpf_htons(ETH_P_IPV6))
		tunnel_find6(f, &t);
	if (t.inner && !inner_is_there(f, &t))
		t.inner = 0;
	return t;
}

#endif
