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
	_Static_assert(LINK_REDIRECTS == 1, "becomes the highest bit, alone");
	return link->ifindex | (__u32)link->flags << 31;
}

/*
 * Two MACs, each in the low 48 bits. In the words that egress_push() loads: a
 * CPU that loads a word whose halves have just been stored waits for both.
 */
static __always_inline void egress_macs(struct egress *e, __u64 to, __u64 from)
{
	e->macs[0] = to;
	e->macs[1] = (to >> 32 & 0xffff) | from << 16;
	e->macs[2] = from >> 16;
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
	_Static_assert(offsetof(struct link, mac) == 10, "ends a word");
	egress_macs(e, u.word, *(const __u64 *)&link->vlan_id >> 16);
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
	struct vlan_tag *tag;
	__u32 *macs;
	int delta;

	delta = (int)(l2_len + extra) - (int)f->pkt->l2_len;
	if (delta) {
		if (bpf_xdp_adjust_head(ctx, -delta))
			return false;
		f->data = (void *)(long)ctx->data;
		f->end = (void *)(long)ctx->data_end;
	}
	macs = f->data;		/* struct ethhdr is packed: byte by byte */
	tag = f->data + ETH_HLEN;
	if (!pkt_has(f, f->data, ETH_HLEN))
		return false;
	macs[0] = e->macs[0];
	macs[1] = e->macs[1];
	macs[2] = e->macs[2];
	f->l3 = tag;
	f->pkt->ifindex = e->ifindex;
	if (l2_len == ETH_HLEN) {
		*(__be16 *)(macs + 3) = proto;
		return true;
	}
	if (!pkt_has(f, tag, sizeof(*tag)))
		return false;
	*(__be16 *)(macs + 3) = e->vlan_proto;
	tag->id = e->vlan_id;
	tag->proto = proto;
	f->l3 = tag + 1;
	return true;
}

#endif
