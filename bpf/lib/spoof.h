/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Does a workload send from addresses of its own, and say of no others, by ARP
 * or to its neighbours (RFC 826, RFC 4861), that it has them?
 */
#ifndef FAIRLEAD_BPF_SPOOF_H
#define FAIRLEAD_BPF_SPOOF_H

#include "bytes.h"
#include "filters.h"
#include "icmp.h"
#include "policy.h"
#include "skb.h"
#include "workload.h"

/* A client of DHCP has no address yet (RFC 2131, 4.1). */
static __always_inline bool source_is_dhcp(const struct frame *f)
{
	const struct iphdr *ip = f->l3;
	const struct ports *l4 = f->l3 + sizeof(*ip);

	return !ip->saddr && ip->daddr == bpf_htonl(0xffffffff) &&
	       ip->protocol == IPPROTO_UDP && ip->ihl == 5 &&
	       !(ip->frag_off & bpf_htons(IP_OFFSET)) &&
	       pkt_has(f, l4, sizeof(*l4)) && l4->dst == bpf_htons(67);
}

/* May w send from there? */
static __always_inline bool source_is_right(const struct workload *w,
					    const struct frame *f,
					    const bool v6)
{
	const struct addr *src = &f->pkt->flow.src;

	if (!v6)
		return workload_has(w, src) || source_is_dhcp(f);
	if (addr_is_zero(src))	/* who looks whether he may have an address */
		return addr_is_of_link(&f->pkt->flow.dst);
	if (workload_has(w, src))
		return !addr_is_mapped(src);
	return addr_is_link_local6(src) && !(policy_peer(src) & PEER_HOST);
}

/* ARP for IPv4 over Ethernet (RFC 826). (<linux/if_arp.h> wants libc's.) */
struct arp_packet {
	__be16 link;
	__be16 protocol;
	__u8 mac_len;
	__u8 ip_len;
	__be16 operation;
	__u8 sender_mac[6];
	__be32 sender_ip;
	__u8 target_mac[6];
	__be32 target_ip;
} __attribute__((packed));

/* May w, if it is known, say of an address that it has it? Link-local ones are
 * not told to us. What is the host's, gateways among it, nobody else has. */
static __always_inline bool workload_may_claim(const struct workload *w,
					       const struct addr *a)
{
	if (w && workload_has(w, a))
		return true;
	if (policy_peer(a) & PEER_HOST)
		return false;
	return addr_is_link_local6(a) || !w || workload_has_no_addrs(w);
}

/* Does w say of no address but its own that it has it? Of none at all, who looks
 * whether one is free (RFC 5227, 2.1). */
__global int arp_is_right(struct __sk_buff *skb, const struct workload *w,
			  __u32 at)
{
	struct arp_packet a;
	struct addr sender;

	if (bpf_skb_load_bytes(skb, at, &a, sizeof(a)) ||
	    a.protocol != bpf_htons(ETH_P_IP) || a.ip_len != 4 ||
	    a.mac_len != 6)
		return false;
	sender = addr_from4(a.sender_ip);
	if (w && mac_number(w->mac) &&
	    mac_number(w->mac) != mac_number(a.sender_mac))
		return false;
	return !a.sender_ip || workload_may_claim(w, &sender);
}

/* What an advertisement begins with (RFC 4861, 4.4). */
struct neighbour {
	struct icmp_header icmp;
	struct addr target;
};

/*
 * The same in IPv6, of whom the header at at has proto behind it: does w speak
 * for no neighbour but itself, and for no router? Who asks for an address from
 * none says that he is about to have it. Behind more headers than are walked
 * through, nobody has anything to say.
 */
__global int neighbour_is_right(struct __sk_buff *skb, const struct workload *w,
				__u32 at, __u32 proto)
{
	struct ip6_walk walk = {
		.at = at + sizeof(struct ipv6hdr),
		.proto = proto,
	};
	const struct bytes in = { skb, HOOK_TC };
	struct neighbour n = {};
	struct addr src;

	if (ip6_walk(&in, &walk) != REASON_NONE ||
	    bpf_skb_load_bytes(skb, at + offsetof(struct ipv6hdr, saddr), &src,
			       sizeof(src)))
		return false;
	if (walk.proto != IPPROTO_ICMPV6 || walk.fragment == FRAGMENT_LATER)
		return !is_ip6_ext(walk.proto);
	if (bpf_skb_load_bytes(skb, walk.at, &n.icmp, sizeof(n.icmp)))
		return false;
	if (n.icmp.type == NDISC_ROUTER_ADVERTISEMENT ||
	    n.icmp.type == NDISC_REDIRECT)
		return false;
	if (n.icmp.type != NDISC_NEIGHBOUR_ADVERTISEMENT &&
	    (n.icmp.type != NDISC_NEIGHBOUR_SOLICITATION ||
	     !addr_is_zero(&src)))
		return true;
	return !bpf_skb_load_bytes(skb, walk.at, &n, sizeof(n)) &&
	       workload_may_claim(w, &n.target);
}

static __always_inline bool source_is_spoofed(struct __sk_buff *skb,
					      const struct workload *w,
					      const struct frame *f,
					      const bool v6)
{
	const __u8 proto = first_proto(f, v6);

	if (w && (!workload_has_mac(w, f->pkt) ||
		  (!workload_has_no_addrs(w) && !source_is_right(w, f, v6))))
		return true;
	return v6 && (proto == IPPROTO_ICMPV6 || is_ip6_ext(proto)) &&
	       !neighbour_is_right(skb, w, f->pkt->l2_len, proto);
}

#endif
