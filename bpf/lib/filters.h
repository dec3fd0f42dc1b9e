/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a packet's ports and source say before anything is looked for: most that
 * comes to a node, or leaves for a pod, is no service's. What has its ports
 * elsewhere than most, or none, is looked at the long way.
 */
#ifndef FAIRLEAD_BPF_FILTERS_H
#define FAIRLEAD_BPF_FILTERS_H

#include "conn.h"
#include "maps.h"
#include "parse.h"

static __always_inline bool proto_has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == IPPROTO_SCTP;
}

/* By the first header alone. */
static __always_inline __u8 first_proto(const struct frame *f, const bool v6)
{
	return v6 ? ((struct ipv6hdr *)f->l3)->nexthdr :
		    ((struct iphdr *)f->l3)->protocol;
}

/*
 * Is f, to an address of class, the host's own? Of a node's address that is no
 * VIP those ports are that neither a service nor NAT has. f is as parse_dst()
 * left it.
 */
static __always_inline bool filter_is_hosts(const struct frame *f, __u8 class,
					    const bool v6)
{
	const struct port_filter *ports;
	const struct runtime *rt;
	const struct iphdr *ip4 = f->l3;
	const struct ports *l4 = f->l3 + (v6 ? sizeof(struct ipv6hdr) :
					       sizeof(*ip4));
	__u16 port;

	if (class & VIP_SERVICE)
		return false;
	ports = map_only(port_filter);
	rt = map_only(runtime);
	if (!ports || !rt || !rt->has_node)
		return false;
	if (!proto_has_ports(first_proto(f, v6)) ||
	    !pkt_has(f, l4, sizeof(*l4)))
		return false;
	if (!v6 && (ip4->ihl != 5 || ip4->frag_off & bpf_htons(IP_OFFSET)))
		return false;
	port = bpf_ntohs(l4->dst);
	return !(ports->bits[port / 64] >> (port & 63) & 1);
}

/* Can f be no answer of a backend's, nor an error about what one got? */
static __always_inline bool filter_is_no_answer(const struct frame *f,
						const bool v6)
{
	const struct backend_filter *filter = map_only(backend_filter);
	__u32 bit = own_bit(hash_src(hash_key, &f->pkt->flow.src));

	return filter && proto_has_ports(first_proto(f, v6)) &&
	       !(filter->bits[bit / 64] >> (bit & 63) & 1);
}

#endif
