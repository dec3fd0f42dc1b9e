/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Struct pkt back to bytes, for an skb: by the helpers that know whether the
 * checksum of L4 is still left to the device (CHECKSUM_PARTIAL: it holds the
 * pseudo-header's sum, which ports are no part of). The destination's address
 * stays, as the way has been chosen by it.
 */
#ifndef FAIRLEAD_BPF_REWRITE_SKB_H
#define FAIRLEAD_BPF_REWRITE_SKB_H

#include "csum.h"
#include "icmp.h"
#include "parse.h"
#include "rewrite.h"

/* SCTP's checksum is all or nothing: 0 was left to the device. */
static __always_inline long skb_rewrite_crc(struct __sk_buff *skb,
					    const struct pkt *p, __u32 diff)
{
	__u32 at = p->l2_len + p->l4_off + offsetof(struct sctp_header, check);
	__u32 check;

	if (!diff || bpf_skb_load_bytes(skb, at, &check, sizeof(check)) ||
	    !check)
		return 0;
	check ^= crc32c_change(diff, p->l3_len - p->l4_off - 4);
	return bpf_skb_store_bytes(skb, at, &check, sizeof(check), 0);
}

/* addrs: what the new address changes in a sum. */
static __always_inline bool skb_rewrite_l4(struct __sk_buff *skb,
					   const struct pkt *p,
					   const struct flow *to, __u16 addrs)
{
	__u32 old = ports_word(p->flow.sport, p->flow.dport);
	__u32 ports = ports_word(to->sport, to->dport);
	__u32 at = p->l2_len + p->l4_off;
	__u32 check = at + quoted_check_at(to->proto);
	__u64 zero = to->proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	if (to->proto == IPPROTO_SCTP) {
		if (skb_rewrite_crc(skb, p, old ^ ports))
			return false;
	} else if (bpf_l4_csum_replace(skb, check, 0, addrs,
				       zero | BPF_F_PSEUDO_HDR) ||
		   bpf_l4_csum_replace(skb, check, old, ports,
				       zero | sizeof(ports))) {
		return false;
	}
	return !bpf_skb_store_bytes(skb, at, &ports, sizeof(ports), 0);
}

/* Give skb the source and the ports of to. A later fragment (no f->l4) has
 * none. False: out of memory, nobody must see it. Pointers in f are invalid. */
static __always_inline bool skb_rewrite_flow(struct __sk_buff *skb,
					     struct frame *f,
					     const struct flow *to,
					     const bool v6)
{
	const struct pkt *p = f->pkt;
	__u32 at = p->l2_len + (v6 ? offsetof(struct ipv6hdr, saddr) :
				     offsetof(struct iphdr, saddr));
	__u32 check = p->l2_len + offsetof(struct iphdr, check);
	__u64 delta = csum_delta_addr(&p->flow.src, &to->src, v6);

	if (f->l4 && !skb_rewrite_l4(skb, p, to, csum_fold(delta)))
		return false;
	if (v6)
		return !bpf_skb_store_bytes(skb, at, &to->src, sizeof(to->src),
					    0);
	return !bpf_l3_csum_replace(skb, check, p->flow.src.word[3],
				    to->src.word[3], 4) &&
	       !bpf_skb_store_bytes(skb, at, &to->src.word[3], 4, 0);
}

#endif
