/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An skb to struct pkt, as parse.h makes one of a frame. Its headers may lie
 * outside of direct reach, and it may be many packets at once, which the device
 * is to cut apart (GSO): skb->len counts then, not what the header says.
 */
#ifndef FAIRLEAD_BPF_SKB_H
#define FAIRLEAD_BPF_SKB_H

#include "icmp.h"
#include "parse.h"

#define TCX_NEXT (-1)		/* clsact: TC_ACT_UNSPEC, the next filter */

/* Headers that the stack has in one piece, whoever made them; the longest of
 * IPv6 are out of reach, as nobody sends such. */
#define SKB_HEADERS 256

static __always_inline enum reason skb_parse_eth(struct __sk_buff *skb,
						 struct frame *f,
						 __be16 *proto)
{
	__u32 len = skb->len;

	if (skb->data_end - skb->data < SKB_HEADERS &&
	    skb->data_end - skb->data < len)
		bpf_skb_pull_data(skb, len < SKB_HEADERS ? len : SKB_HEADERS);
	return parse_eth(f, skb->data, skb->data_end, proto);
}

/* Of an interface without Ethernet headers. */
static __always_inline enum reason skb_parse_l3(struct __sk_buff *skb,
						struct frame *f, __be16 *proto)
{
	__u32 len = skb->len;

	if (skb->data_end - skb->data < SKB_HEADERS &&
	    skb->data_end - skb->data < len)
		bpf_skb_pull_data(skb, len < SKB_HEADERS ? len : SKB_HEADERS);
	f->data = (void *)(long)skb->data;
	f->end = (void *)(long)skb->data_end;
	f->l3 = f->data;
	*proto = skb->protocol;
	return REASON_NONE;
}

/* How long p is, by its header as far as that can be. */
static __always_inline enum reason skb_lengths(struct __sk_buff *skb,
					       struct pkt *p)
{
	__u32 len = skb->len, l3_len;

	p->frame_len = len > 0xffff ? 0xffff : len;
	l3_len = p->frame_len - p->l2_len;
	if (skb->gso_size)
		p->l3_len = l3_len;
	if (p->l4_off > p->l3_len)
		return REASON_BAD_HEADER;
	return p->l3_len > l3_len ? REASON_TRUNCATED : REASON_NONE;
}

/* What comes behind parse_dst(), as parse_rest(). */
static __always_inline enum reason skb_parse_rest(struct __sk_buff *skb,
						  struct frame *f,
						  const bool v6)
{
	const struct bytes in = { skb, HOOK_TC };
	enum reason why;

	if (addr_is_bad_source(&f->pkt->flow.src, v6))
		return REASON_BAD_ADDR;
	why = v6 ? parse_ip6(&in, f) : parse_ip4(f);
	if (why == REASON_NONE)
		why = skb_lengths(skb, f->pkt);
	if (why != REASON_NONE)
		return why;
	why = parse_routes(&in, f, v6);
	return why == REASON_NONE ? parse_l4(&in, f, v6) : why;
}

/* Tags of a VLAN: the kernel takes the outer one out of the packet. */
static __always_inline __u32 skb_tags(const struct __sk_buff *skb,
				      const struct pkt *p)
{
	__u32 tags = p->l2_len >> 2;	/* of 14, 18 or 22 bytes; or none */

	return (tags ? tags - 3 : 0) + !!skb->vlan_present;
}

/* Without them: who sends it by an interface in a VLAN adds its own. The first
 * that is left in the packet is taken out of it by the kernel each time. */
static __always_inline bool skb_untag(struct __sk_buff *skb,
				      const struct pkt *p)
{
	return !skb_tags(skb, p) ||
	       (!bpf_skb_vlan_pop(skb) && !bpf_skb_vlan_pop(skb));
}

/* The bytes of IP that the largest packet in it has on the wire. */
static __always_inline __u32 skb_wire_len(struct __sk_buff *skb,
					  const struct frame *f)
{
	const struct pkt *p = f->pkt;
	const struct tcphdr *tcp = f->l4;
	__u32 header = sizeof(struct udphdr);

	if (!skb->gso_size || !f->l4)
		return p->l3_len;
	if (p->flow.proto == IPPROTO_TCP && pkt_has(f, tcp, sizeof(*tcp)))
		header = tcp->doff * 4;
	return p->l4_off + header + skb->gso_size;
}

__global int icmp_translate4_tc(struct __sk_buff *skb, const struct pkt *p,
				const struct flow *to)
{
	const struct bytes in = { skb, HOOK_TC };

	if (!p || !to)
		return false;
	return icmp_translate(&in, p, to, false);
}

__global int icmp_translate6_tc(struct __sk_buff *skb, const struct pkt *p,
				const struct flow *to)
{
	const struct bytes in = { skb, HOOK_TC };

	if (!p || !to)
		return false;
	return icmp_translate(&in, p, to, true);
}

#endif
