/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Struct pkt back to bytes, for an skb: by the helpers that know whether the
 * checksum of L4 is still left to the device (CHECKSUM_PARTIAL: it holds the
 * pseudo-header's sum, which ports are no part of).
 *
 * What a device has summed up (CHECKSUM_COMPLETE) stays right as well. In IPv4
 * the header's own checksum takes back what new addresses change, so that
 * BPF_F_PSEUDO_HDR has the rest. IPv6 has none, but until 6.16 the flag does
 * the same there, which BPF_F_RECOMPUTE_CSUM, of the addresses, makes good.
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

static __always_inline bool skb_rewrite_l3(struct __sk_buff *skb,
					   const struct pkt *p,
					   const struct flow *to, const bool v6)
{
	__u32 check = p->l2_len + offsetof(struct iphdr, check);
	__u32 addrs[2] = { to->src.word[3], to->dst.word[3] };

	/* both addresses lie side by side */
	if (v6)
		return !bpf_skb_store_bytes(skb, p->l2_len +
					    offsetof(struct ipv6hdr, saddr),
					    &to->src, 2 * sizeof(to->src),
					    BPF_F_RECOMPUTE_CSUM |
					    BPF_F_INVALIDATE_HASH);
	return !bpf_l3_csum_replace(skb, check, p->flow.src.word[3], addrs[0],
				    4) &&
	       !bpf_l3_csum_replace(skb, check, p->flow.dst.word[3], addrs[1],
				    4) &&
	       !bpf_skb_store_bytes(skb, p->l2_len +
				    offsetof(struct iphdr, saddr), addrs,
				    sizeof(addrs), BPF_F_INVALIDATE_HASH);
}

/* Give skb the addresses and ports of to. A later fragment (no f->l4) has no
 * ports. False: no memory, nobody must see it. Pointers in f are invalid. */
static __always_inline bool skb_rewrite_flow(struct __sk_buff *skb,
					     struct frame *f,
					     const struct flow *to,
					     const bool v6)
{
	const struct pkt *p = f->pkt;
	__u64 delta = csum_delta_addr(&p->flow.src, &to->src, v6) +
		      csum_delta_addr(&p->flow.dst, &to->dst, v6);

	_Static_assert(offsetof(struct flow, dst) ==
		       offsetof(struct flow, src) + sizeof(struct addr),
		       "one store of both");
	if (f->l4 && !skb_rewrite_l4(skb, p, to, csum_fold(delta)))
		return false;
	return skb_rewrite_l3(skb, p, to, v6);
}

#endif
