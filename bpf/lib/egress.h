/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a frame leaves and with which Ethernet header. User space has put the
 * way to each backend into its entry; without it the kernel's FIB is asked,
 * and if that knows no neighbour the host's own forwarding takes over.
 */
#ifndef FAIRLEAD_BPF_EGRESS_H
#define FAIRLEAD_BPF_EGRESS_H

#include "maps.h"
#include "parse.h"
#include "scratch.h"

#define AF_INET 2
#define AF_INET6 10

/* Ask the kernel; dst's family decides. False: leave it to the stack. */
__global int egress_fib(struct xdp_md *ctx, const struct addr *dst,
			  struct egress *e)
{
	struct bpf_fib_lookup fib = { .ifindex = ctx->ingress_ifindex };
	bool v6;

	if (!dst || !e)
		return false;
	v6 = !addr_is_mapped(dst);
	if (v6) {
		fib.family = AF_INET6;
		__builtin_memcpy(fib.ipv6_dst, dst, sizeof(*dst));
	} else {
		fib.family = AF_INET;
		fib.ipv4_dst = dst->word[3];
	}
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) !=
	    BPF_FIB_LKUP_RET_SUCCESS)
		return false;
	e->ifindex = fib.ifindex;
	e->mtu = 0xffff;	/* the kernel has checked nothing; nor do we */
	e->link = 0;
	e->vlan_proto = fib.h_vlan_proto;
	e->vlan_id = fib.h_vlan_TCI;
	__builtin_memcpy(e->to, fib.dmac, 6);
	__builtin_memcpy(e->from, fib.smac, 6);
	return true;
}

/* By a next hop that we keep; false: it names no link. */
static __always_inline bool egress_hop(const struct nexthop *hop,
				       struct egress *e)
{
	union {
		struct nexthop hop;
		__u64 word;
	} u = { .word = *(const volatile __u64 *)hop };
	__u32 idx = u.hop.link;
	const struct link *link;

	link = idx ? bpf_map_lookup_elem(&links, &idx) : NULL;
	if (!link || !link->ifindex)
		return false;
	e->ifindex = link->ifindex;
	e->mtu = link->mtu;
	e->link = idx;
	e->vlan_proto = link->vlan_proto;
	e->vlan_id = link->vlan_id;
	__builtin_memcpy(e->to, u.hop.mac, 6);
	__builtin_memcpy(e->from, link->mac, 6);
	return true;
}

/* The stack knows better: it gets the frame with the header that it had. */
static __always_inline void egress_stack(const struct frame *f,
					 struct egress *e)
{
	const struct ethhdr *eth = f->data;

	e->ifindex = 0;
	e->mtu = 0xffff;
	e->link = 0;
	e->vlan_proto = f->pkt.vlan_proto;
	e->vlan_id = f->pkt.vlan_id;
	__builtin_memcpy(e->to, eth->h_dest, 6);
	__builtin_memcpy(e->from, eth->h_source, 6);
}

/* To dst by hop, else by the FIB. e->ifindex == 0: neither knows. */
static __always_inline void egress_find(struct xdp_md *ctx,
					const struct frame *f,
					const struct nexthop *hop,
					const struct addr *dst,
					struct egress *e)
{
	if (!egress_hop(hop, e) && !egress_fib(ctx, dst, e))
		egress_stack(f, e);
}

/*
 * The way on from where e leads may be narrower (mtu; 0: nothing is known), but
 * not under least bytes: nobody can make an IPv6 packet of 1280 bytes smaller
 * (RFC 8200, 5), and what is told of the way may be forged.
 */
static __always_inline void egress_narrow(struct egress *e, __u32 mtu,
					  __u32 least)
{
	if (!mtu)
		return;
	if (mtu < least)
		mtu = least;
	if (mtu < e->mtu)
		e->mtu = mtu;
}

/*
 * Give the frame a new Ethernet header with extra bytes of room behind it;
 * proto: of what follows. Moves f->l3 to that room (to the old L3 if extra is
 * 0); other pointers of f are void. False: the kernel has no headroom.
 */
static __always_inline bool egress_push(struct xdp_md *ctx, struct frame *f,
					const struct egress *e, __u32 extra,
					__be16 proto)
{
	__u32 l2_len = ETH_HLEN + (e->vlan_proto ? 4 : 0);
	struct ethhdr *eth = f->data;
	struct vlan_tag *tag;
	int delta;

	delta = (int)(l2_len + extra) - (int)f->pkt.l2_len;
	if (delta) {
		if (bpf_xdp_adjust_head(ctx, -delta))
			return false;
		f->data = (void *)(long)ctx->data;
		f->end = (void *)(long)ctx->data_end;
		eth = f->data;
	}
	tag = (void *)(eth + 1);
	if (!pkt_has(f, eth, sizeof(*eth)))
		return false;
	__builtin_memcpy(eth->h_dest, e->to, 6);
	__builtin_memcpy(eth->h_source, e->from, 6);
	eth->h_proto = proto;
	f->l3 = tag;
	f->pkt.ifindex = e->ifindex;
	if (l2_len == ETH_HLEN)
		return true;
	if (!pkt_has(f, tag, sizeof(*tag)))
		return false;
	eth->h_proto = e->vlan_proto;
	tag->id = e->vlan_id;
	tag->proto = proto;
	f->l3 = tag + 1;
	return true;
}

#endif
