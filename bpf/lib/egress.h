/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a frame leaves and with which Ethernet header. User space has put the
 * way to each backend into its entry, and has neighbours resolved ahead. What
 * has no way is refused: the host's own forwarding would take a packet with an
 * address of its own as source for a martian and drop it in silence.
 */
#ifndef FAIRLEAD_BPF_EGRESS_H
#define FAIRLEAD_BPF_EGRESS_H

#include "maps.h"
#include "parse.h"
#include "scratch.h"

/* As pkt.ifindex. */
static __always_inline __u32 egress_ifindex(const struct link *link)
{
	_Static_assert(LINK_REDIRECTS == 1, "becomes the highest bit");
	return link->ifindex | (__u32)link->flags << 31;
}

/* By hop; false: where that is is not known, or not any more. */
static __always_inline bool egress_find(const struct nexthop *hop,
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
	e->ifindex = egress_ifindex(link);
	e->mtu = link->mtu;
	e->link = idx;
	e->vlan_proto = link->vlan_proto;
	e->vlan_id = link->vlan_id;
	__builtin_memcpy(e->to, u.hop.mac, 6);
	__builtin_memcpy(e->from, link->mac, 6);
	return true;
}

/* Is there an interface, though it is not for XDP to send by? Off the way that
 * packets usually take, so the verifier is to see it once. */
__global int link_is_not_xdps(__u32 link)
{
	__u32 idx = link & ~LINK_TO_HOST;
	const struct link *l = bpf_map_lookup_elem(&links, &idx);

	return idx && l && l->user_ifindex;
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

	delta = (int)(l2_len + extra) - (int)f->pkt->l2_len;
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
	f->pkt->ifindex = e->ifindex;
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
