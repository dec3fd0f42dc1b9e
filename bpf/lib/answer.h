/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answers that we make ourselves: ICMP errors, TCP resets, echo replies.
 * Off the fast path, so by helpers that copy (bytes.h) and no packet pointers:
 * nothing to check.
 *
 * What must not be answered (RFC 1122, 3.2.2; RFC 4443, 2.4 e): ICMP errors,
 * later fragments, TCP resets. What came to a group's MAC address is nobody's
 * here (ingress.h).
 */
#ifndef FAIRLEAD_BPF_ANSWER_H
#define FAIRLEAD_BPF_ANSWER_H

#include "bytes.h"
#include "csum.h"
#include "limit.h"
#include "maps.h"
#include "parse.h"
#include "scratch.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* An Ethernet header with tags: in parts of fixed length, as a helper's
 * length that the verifier must bound is one that it loses (6.1). */
struct l2 {
	struct ethhdr eth;
	struct vlan_tag tags[VLAN_TAGS];
};

/* The frame's own, turned round. */
static __always_inline bool l2_load_turned(const struct bytes *in,
					   struct l2 *l2)
{
	__u8 mac[6];

	if (bytes_load(in, 0, &l2->eth, sizeof(l2->eth)) ||
	    bytes_load(in, ETH_HLEN, l2->tags, sizeof(l2->tags)))
		return false;
	__builtin_memcpy(mac, l2->eth.h_dest, 6);
	__builtin_memcpy(l2->eth.h_dest, l2->eth.h_source, 6);
	__builtin_memcpy(l2->eth.h_source, mac, 6);
	return true;
}

static __always_inline bool l2_store(const struct bytes *in, __u32 len,
				     struct l2 *l2)
{
	const __u32 tag = sizeof(*l2->tags);

	if (!len)
		return true;
	if (bytes_store(in, 0, &l2->eth, sizeof(l2->eth)))
		return false;
	if (len > ETH_HLEN &&
	    bytes_store(in, ETH_HLEN, &l2->tags[0], tag))
		return false;
	return len <= ETH_HLEN + tag ||
	       !bytes_store(in, ETH_HLEN + tag, &l2->tags[1], tag);
}

/* An IP header of ours and what follows it, in one piece for one store. */
struct reply4 {
	struct iphdr ip;
	union {
		struct icmp_header icmp;
		struct tcphdr tcp;
	};
};

struct reply6 {
	struct ipv6hdr ip;
	union {
		struct icmp_header icmp;
		struct tcphdr tcp;
	};
};

/* dst to src; len: of what follows the header. */
static __always_inline void reply_ip4(struct iphdr *ip, const struct flow *f,
				      __u8 proto, __u16 len)
{
	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = bpf_htons(sizeof(*ip) + len),
		.frag_off = bpf_htons(IP_DF),
		.ttl = 64,
		.protocol = proto,
		.saddr = f->dst.word[3],
		.daddr = f->src.word[3],
	};
	ip->check = ~csum_fold(csum_ip4(ip));
}

static __always_inline void reply_ip6(struct ipv6hdr *ip, const struct flow *f,
				      __u8 proto, __u16 len)
{
	*(__be32 *)ip = bpf_htonl(6u << 28);
	ip->payload_len = bpf_htons(len);
	ip->nexthdr = proto;
	ip->hop_limit = 64;
	__builtin_memcpy(&ip->saddr, &f->dst, sizeof(f->dst));
	__builtin_memcpy(&ip->daddr, &f->src, sizeof(f->src));
}

/* The pseudo-header's part of a checksum (RFC 9293, RFC 8200 8.1). */
static __always_inline __u64 pseudo_sum(const struct flow *f, __u8 proto,
					__u16 len, const bool v6)
{
	__u64 sum = bpf_htonl(proto) + (__u64)bpf_htonl(len);

	if (!v6)
		return sum + f->src.word[3] + f->dst.word[3];
	for (int i = 0; i < 4; i++)
		sum += (__u64)f->src.word[i] + f->dst.word[i];
	return sum;
}

struct complaint {
	__u8 type;
	__u8 code;
	__be32 info;		/* an MTU, or where the fault is */
};

static __always_inline struct complaint
complaint_about(enum reason why, __u16 number, const bool v6)
{
	switch (why) {
	case REASON_TOO_BIG:
		return v6 ? (struct complaint){ ICMPV6_PKT_TOOBIG, 0,
						bpf_htonl(number) } :
			    (struct complaint){ ICMP_DEST_UNREACH,
						ICMP_FRAG_NEEDED,
						bpf_htonl(number) };
	case REASON_HOPS_EXCEEDED:
		return v6 ? (struct complaint){ ICMPV6_TIME_EXCEED, 0, 0 } :
			    (struct complaint){ ICMP_TIME_EXCEEDED, 0, 0 };
	case REASON_ROUTED:
		return (struct complaint){ ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD,
					   bpf_htonl(number) };
	default:
		return v6 ? (struct complaint){ ICMPV6_DEST_UNREACH,
						ICMPV6_PORT_UNREACH, 0 } :
			    (struct complaint){ ICMP_DEST_UNREACH,
						ICMP_PORT_UNREACH, 0 };
	}
}

/* Our IP and ICMP headers before a quote of len bytes that sums up to sum. */
static __always_inline long complain_store(const struct bytes *in,
					   const struct pkt *p,
					   const struct complaint *c,
					   __u32 len, __u64 sum, const bool v6)
{
	struct reply6 r6 = {};
	struct reply4 r4 = {};

	if (v6) {
		len += sizeof(r6.icmp);
		reply_ip6(&r6.ip, &p->flow, IPPROTO_ICMPV6, len);
		r6.icmp.type = c->type;
		r6.icmp.code = c->code;
		r6.icmp.info = c->info;
		sum += pseudo_sum(&p->flow, IPPROTO_ICMPV6, len, true) +
		       ((__u32 *)&r6.icmp)[0] + c->info;
		r6.icmp.check = ~csum_fold(sum);
		return bytes_store(in, p->l2_len, &r6,
					   sizeof(r6.ip) + sizeof(r6.icmp));
	}
	len += sizeof(r4.icmp);
	reply_ip4(&r4.ip, &p->flow, IPPROTO_ICMP, len);
	r4.icmp.type = c->type;
	r4.icmp.code = c->code;
	r4.icmp.info = c->info;
	sum += ((__u32 *)&r4.icmp)[0] + (__u64)c->info;
	r4.icmp.check = ~csum_fold(sum);
	return bytes_store(in, p->l2_len, &r4,
				   sizeof(r4.ip) + sizeof(r4.icmp));
}

/* The packet's first len bytes, which then are QUOTE_MIN to QUOTE_MAX, into
 * s->quote, with zeros behind them: its sum is that of all QUOTE_MAX bytes. */
static __always_inline bool quote_load(const struct bytes *in,
				       struct scratch *s,
				       __u32 at, __u64 len)
{
	__u64 more = len - QUOTE_MIN;

	__builtin_memset(s->quote, 0, sizeof(s->quote));
	/* Verifier (6.1): one comparison, of the very register that is used;
	 * of two it forgets one ("invalid zero-sized read") */
	asm volatile("" : "+r"(more));
	return more <= QUOTE_MAX - QUOTE_MIN &&
	       !bytes_load(in, at, s->quote, QUOTE_MIN + more);
}

/*
 * How much of p an error with head bytes before it quotes: so much that the
 * error is no larger than p, which would make us worth abusing; but the IP
 * header and 8 bytes always (RFC 792), or its sender cannot tell which of his
 * packets it is about. No more than 576 (RFC 1812) or 1280 (RFC 4443) bytes in
 * all, which QUOTE_MAX is far from.
 */
static __always_inline __u32 quote_len(const struct pkt *p, __u32 head)
{
	__u32 len = p->l3_len > head ? p->l3_len - head : 0;

	if (len < p->l4_off + 8u)
		len = p->l4_off + 8;
	if (len > p->l3_len)
		len = p->l3_len;
	return (len > QUOTE_MAX ? QUOTE_MAX : len) & ~3u;
}

/* Room for head bytes before the first len of p's IP packet, which s->quote has
 * as well, and none behind them. What the device was to sum up of an skb may
 * not be cut off at its front, so its quote is moved. */
static __always_inline bool quote_place(const struct bytes *in,
					const struct scratch *s,
					const struct pkt *p, __u32 head,
					__u32 len)
{
	const __u32 l2_len = p->l2_len, frame_len = p->frame_len;

	if (in->hook == HOOK_TC)
		return !bytes_resize(in, 0, l2_len + head + QUOTE_MAX) &&
		       !bytes_store(in, l2_len + head, (void *)s->quote,
				    QUOTE_MAX) &&
		       !bytes_resize(in, 0, l2_len + head + len);
	if (frame_len > l2_len + len &&
	    bytes_resize(in, frame_len, l2_len + len))
		return false;
	return !bpf_xdp_adjust_head(in->ctx, -(int)head);
}

/* Send p back as an ICMP error that quotes it. */
static __always_inline bool answer_complain(const struct bytes *in,
					    const struct pkt *p,
					    enum reason why, const bool v6)
{
	const int head = v6 ? sizeof(struct ipv6hdr) + 8 :
			      sizeof(struct iphdr) + 8;
	struct complaint c = complaint_about(why, p->mtu_left, v6);
	__u32 len = quote_len(p, head), l2_len = p->l2_len;
	struct scratch *s = map_only(scratch);
	struct l2 l2;
	__s64 sum;

	if (!s || !l2_load_turned(in, &l2) ||
	    !quote_load(in, s, l2_len, len))
		return false;
	sum = bpf_csum_diff(NULL, 0, (__be32 *)s->quote, QUOTE_MAX, 0);
	if (sum < 0)
		return false;
	return quote_place(in, s, p, head, len) && l2_store(in, l2_len, &l2) &&
	       !complain_store(in, p, &c, len, sum, v6);
}

/* The reset that p's segment deserves (RFC 9293, 3.10.7.1). */
static __always_inline void reset_for(const struct pkt *p,
				      const struct tcphdr *in,
				      struct tcphdr *out)
{
	__u32 len = p->l3_len - p->l4_off - in->doff * 4;

	if (p->tcp_flags & TCP_SYN)
		len++;
	if (p->tcp_flags & TCP_FIN)
		len++;
	*out = (struct tcphdr){
		.source = p->flow.dport,
		.dest = p->flow.sport,
		.doff = sizeof(*out) / 4,
		.rst = 1,
	};
	if (p->tcp_flags & TCP_ACK) {
		out->seq = in->ack_seq;
		return;
	}
	out->ack = 1;
	out->ack_seq = bpf_htonl(bpf_ntohl(in->seq) + len);
}

static __always_inline __u16 tcp_check(const struct pkt *p,
				       const struct tcphdr *tcp, const bool v6)
{
	const __u32 *word = (const __u32 *)tcp;
	__u64 sum = pseudo_sum(&p->flow, IPPROTO_TCP, sizeof(*tcp), v6);

#pragma unroll
	for (int i = 0; i < 5; i++)
		sum += word[i];
	return ~csum_fold(sum);
}

/* An skb keeps where its device was to put a checksum, if there are options
 * before the header that has it: what is behind the IP packet is padding. */
static __always_inline __u32 reset_frame_len(const struct bytes *in,
					     const struct pkt *p, __u32 len)
{
	__u32 least = p->l2_len + p->l4_off + sizeof(struct tcphdr);

	return in->hook == HOOK_TC && least > len ? least : len;
}

static __always_inline bool answer_reset(const struct bytes *in,
					 const struct pkt *p, const bool v6)
{
	const __u32 ip_len = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	__u32 l2_len = p->l2_len, len = l2_len + ip_len + sizeof(struct tcphdr);
	struct reply6 r6 = {};
	struct reply4 r4 = {};
	struct tcphdr tcp;
	struct l2 l2;

	if (bytes_load(in, l2_len + p->l4_off, &tcp, sizeof(tcp)) ||
	    !l2_load_turned(in, &l2) ||
	    bytes_resize(in, p->frame_len, reset_frame_len(in, p, len)) ||
	    !l2_store(in, l2_len, &l2))
		return false;
	if (v6) {
		reply_ip6(&r6.ip, &p->flow, IPPROTO_TCP, sizeof(r6.tcp));
		reset_for(p, &tcp, &r6.tcp);
		r6.tcp.check = tcp_check(p, &r6.tcp, true);
		return !bytes_store(in, l2_len, &r6, sizeof(r6));
	}
	reply_ip4(&r4.ip, &p->flow, IPPROTO_TCP, sizeof(r4.tcp));
	reset_for(p, &tcp, &r4.tcp);
	r4.tcp.check = tcp_check(p, &r4.tcp, false);
	return !bytes_store(in, l2_len, &r4, sizeof(r4));
}

/* The echo reply to p, made of p itself: options and payload stay. */
static __always_inline bool answer_echo(const struct bytes *in, struct pkt *p,
					const bool v6)
{
	__u32 l2_len = p->l2_len, l4 = l2_len + p->l4_off;
	struct ipv6hdr ip6;
	struct iphdr ip4;
	struct icmp_header icmp;
	__u32 old, new;
	struct l2 l2;

	if (!l2_load_turned(in, &l2) || !l2_store(in, l2_len, &l2) ||
	    bytes_load(in, l4, &icmp, 4))
		return false;
	old = icmp.type;
	icmp.type = v6 ? ICMPV6_ECHO_REPLY : ICMP_ECHOREPLY;
	new = icmp.type;
	icmp.check = csum_apply(icmp.check, csum_delta(old, new));
	/* ICMP alone can have nothing but zeros to sum up (RFC 792), and then
	 * 0xffff is right; else receivers take both zeros (RFC 1071, 1) */
	if (!v6 && !icmp.check)
		icmp.check = 0xffff;
	if (bytes_store(in, l4, &icmp, 4))
		return false;
	if (v6) {
		if (bytes_load(in, l2_len, &ip6, sizeof(ip6)))
			return false;
		ip6.hop_limit = 64;
		__builtin_memcpy(&ip6.saddr, &p->flow.dst, 16);
		__builtin_memcpy(&ip6.daddr, &p->flow.src, 16);
		return !bytes_store(in, l2_len, &ip6, sizeof(ip6));
	}
	if (bytes_load(in, l2_len, &ip4, sizeof(ip4)))
		return false;
	old = ip4.ttl;
	ip4.ttl = 64;
	new = ip4.ttl;
	ip4.check = csum_apply(ip4.check, csum_delta(old, new));
	ip4.saddr = p->flow.dst.word[3];
	ip4.daddr = p->flow.src.word[3];
	return !bytes_store(in, l2_len, &ip4, sizeof(ip4));
}

/* What came broken is dropped without a word (RFC 1122, 3.2.1.2): who sent it
 * is not known. */
static __always_inline bool answer_header_is_right(const struct bytes *in,
						   const struct pkt *p)
{
	struct scratch *s = map_only(scratch);

	return s && quote_load(in, s, p->l2_len, p->l4_off + 8u) &&
	       csum_is_right_ip4((const __u32 *)s->quote);
}

static __always_inline bool pkt_may_be_answered(const struct pkt *p)
{
	return !p->is_error && p->fragment != FRAGMENT_LATER &&
	       !(p->flow.proto == IPPROTO_TCP && p->tcp_flags & TCP_RST);
}

/* Turn p into the answer that why stands for; the reason as it then is. */
static __always_inline enum reason answer(const struct bytes *in,
					  struct pkt *p, enum reason why,
					  const bool v6)
{
	const struct scratch *s = map_only(scratch);
	bool done;

	if (!pkt_may_be_answered(p))
		return REASON_UNANSWERED;
	if (!v6 && !answer_header_is_right(in, p))
		return REASON_BAD_HEADER;
	/* as the kernel has it (icmp_ratemask): an echo is not an error */
	if (why == REASON_ECHO)
		return answer_echo(in, p, v6) ? why : REASON_INTERNAL;
	/* what goes back into a pod, or stays here, reaches nobody else */
	if ((in->hook == HOOK_XDP || !s || s->origin == ORIGIN_ELSEWHERE ||
	     s->origin == ORIGIN_TUNNEL) &&
	    !limit_answers(&p->flow.src))
		return REASON_LIMITED;
	if (p->flow.proto == IPPROTO_TCP &&
	    (why == REASON_NO_SERVICE || why == REASON_NO_BACKEND))
		done = answer_reset(in, p, v6);
	else
		done = answer_complain(in, p, why, v6);
	return done ? why : REASON_INTERNAL;
}

__global int answer4(struct xdp_md *ctx, struct pkt *p, int why)
{
	const struct bytes in = { ctx, HOOK_XDP };

	if (!p)
		return REASON_INTERNAL;
	return answer(&in, p, why, false);
}

__global int answer6(struct xdp_md *ctx, struct pkt *p, int why)
{
	const struct bytes in = { ctx, HOOK_XDP };

	if (!p)
		return REASON_INTERNAL;
	return answer(&in, p, why, true);
}

__global int answer4_tc(struct __sk_buff *skb, struct pkt *p, int why)
{
	const struct bytes in = { skb, HOOK_TC };

	if (!p)
		return REASON_INTERNAL;
	return answer(&in, p, why, false);
}

__global int answer6_tc(struct __sk_buff *skb, struct pkt *p, int why)
{
	const struct bytes in = { skb, HOOK_TC };

	if (!p)
		return REASON_INTERNAL;
	return answer(&in, p, why, true);
}

#endif
