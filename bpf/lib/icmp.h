/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP that comes in: which flow an error is about, and the error translated
 * as that flow's packets are. Off the fast path, so by helpers that copy and
 * no packet pointers: nothing to check.
 */
#ifndef FAIRLEAD_BPF_ICMP_H
#define FAIRLEAD_BPF_ICMP_H

#include "bytes.h"
#include "csum.h"
#include "maps.h"
#include "parse.h"
#include "scratch.h"

static __always_inline bool icmp_is_error(__u8 type, const bool v6)
{
	if (v6)
		return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/* The headers of the packet that an ICMP error quotes at at, with its flow
 * turned round. Returns their length; 0: there is no L4 behind them. */
static __always_inline __u32 parse_quoted4(const struct bytes *in,
					   struct pkt *p, __u32 at)
{
	struct iphdr ip;

	if (bytes_load(in, at, &ip, sizeof(ip)) || ip.version != 4 ||
	    ip.ihl < 5 || ip.frag_off & bpf_htons(IP_OFFSET))
		return 0;
	p->flow.proto = ip.protocol;
	p->flow.src = addr_from4(ip.daddr);
	p->flow.dst = addr_from4(ip.saddr);
	return ip.ihl * 4;
}

static __always_inline __u32 parse_quoted6(const struct bytes *in,
					   struct pkt *p, __u32 at)
{
	struct ip6_walk w = { .at = at + sizeof(struct ipv6hdr) };
	struct scratch *s = map_only(scratch);

	if (!s || bytes_load(in, at, &s->ip6, sizeof(s->ip6)))
		return 0;
	w.proto = s->ip6.nexthdr;
	p->flow.src = addr_from6(&s->ip6.daddr);
	p->flow.dst = addr_from6(&s->ip6.saddr);
	if (is_ip6_ext(w.proto) &&
	    (ip6_walk(in, &w) != REASON_NONE || w.routed ||
	     w.fragment == FRAGMENT_LATER))
		return 0;
	p->flow.proto = w.proto;
	return w.at - at;
}

/*
 * The packet that an ICMP error at p->l4_off quotes: p->flow becomes the flow
 * of the packets that it was an answer to, its protocol the quoted one's. At
 * least 8 bytes of its L4 must be there (RFC 792; RFC 4443 quotes more).
 */
static __always_inline enum reason parse_quoted(const struct bytes *in,
						struct pkt *p, const bool v6)
{
	__u32 at = p->l2_len + p->l4_off + 8, len;
	struct {
		struct ports ports;
		__u32 more;
	} l4;

	len = v6 ? parse_quoted6(in, p, at) : parse_quoted4(in, p, at);
	if (!len || bytes_load(in, at + len, &l4, sizeof(l4)) ||
	    at + len + sizeof(l4) > p->l2_len + p->l3_len)
		return REASON_ICMP_UNRELATED;
	p->quoted_len = len;
	p->flow.sport = l4.ports.dst;
	p->flow.dport = l4.ports.src;
	p->is_error = true;
	return REASON_NONE;
}

/* Global for the verifier's sake, see parse_ip6_exts_xdp(). */
__global int parse_quoted_xdp(struct xdp_md *ctx, struct pkt *p, int v6)
{
	const struct bytes in = { ctx, HOOK_XDP };

	if (!p)
		return REASON_INTERNAL;
	return v6 ? parse_quoted(&in, p, true) : parse_quoted(&in, p, false);
}

__global int parse_quoted_tc(struct __sk_buff *skb, struct pkt *p, int v6)
{
	const struct bytes in = { skb, HOOK_TC };

	if (!p)
		return REASON_INTERNAL;
	return v6 ? parse_quoted(&in, p, true) : parse_quoted(&in, p, false);
}

/* What the host says to its neighbours and they to it, be it to an address
 * that services have: neighbour discovery (RFC 4861), group membership (RFC
 * 2710, 3810). */
static __always_inline bool icmp_is_neighbours(__u8 type, const bool v6)
{
	return v6 && ((type >= ICMPV6_MGM_QUERY && type <= NDISC_REDIRECT) ||
		      type == ICMPV6_MLD2_REPORT);
}

/*
 * ICMP to an address of ours. REASON_NONE: an error, and the packet's flow is
 * now the one that it is about.
 */
static __always_inline enum reason icmp_flow(const struct bytes *in,
					     struct frame *f, const bool v6)
{
	struct pkt *p = f->pkt;
	struct addr dst = p->flow.dst;
	enum reason why;
	__u8 type;

	/* Verifier: it does not know that only later fragments have none */
	if (!f->l4)
		return REASON_ICMP_UNRELATED;
	type = *(__u8 *)f->l4;
	if (type == (v6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO))
		return REASON_ECHO;
	if (icmp_is_neighbours(type, v6))
		return REASON_NOT_OURS;
	if (!icmp_is_error(type, v6))
		return REASON_ICMP_UNRELATED;
	why = in->hook == HOOK_XDP ? parse_quoted_xdp(in->ctx, p, v6) :
				     parse_quoted_tc(in->ctx, p, v6);
	if (why == REASON_NONE && addr_eq(&p->flow.dst, &dst))
		return REASON_NONE;
	p->flow.dst = dst;
	return REASON_ICMP_UNRELATED;
}

/*
 * Translating an ICMP error changes the addresses and ports that it quotes,
 * the quoted checksums as far as they are there, and with all of that the
 * error's own checksum.
 *
 * An IP header at at gets other addresses; *delta is what that does to a sum
 * over the addresses.
 */
static __always_inline bool ip_readdress(const struct bytes *in, __u32 at,
					  const struct addr *src,
					  const struct addr *dst, __u64 *delta,
					  const bool v6)
{
	struct scratch *s = map_only(scratch);

	if (!s)
		return false;
	if (v6) {
		if (bytes_load(in, at, &s->ip6, sizeof(s->ip6)))
			return false;
		*delta = csum_delta4((__u32 *)&s->ip6.saddr, src->word) +
			 csum_delta4((__u32 *)&s->ip6.daddr, dst->word);
		__builtin_memcpy(&s->ip6.saddr, src, sizeof(*src));
		__builtin_memcpy(&s->ip6.daddr, dst, sizeof(*dst));
		return !bytes_store(in, at, &s->ip6, sizeof(s->ip6));
	}
	if (bytes_load(in, at, &s->ip4, sizeof(s->ip4)))
		return false;
	*delta = csum_delta(s->ip4.saddr, src->word[3]) +
		 csum_delta(s->ip4.daddr, dst->word[3]);
	s->ip4.check = csum_apply(s->ip4.check, *delta);
	s->ip4.saddr = src->word[3];
	s->ip4.daddr = dst->word[3];
	return !bytes_store(in, at, &s->ip4, sizeof(s->ip4));
}

/* Where the quoted L4 keeps its checksum; 0: nowhere that we keep right. */
static __always_inline __u32 quoted_check_at(__u8 proto)
{
	return proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : 0;
}

/* The quoted ports and checksum, the latter if it is before limit; adds to
 * *icmp what that changes. */
static __always_inline bool quoted_rewrite_l4(const struct bytes *in, __u32 at,
					      __u32 limit,
					      const struct flow *to,
					      __u64 sum, __u64 *icmp)
{
	struct ports ports, new = { to->dport, to->sport };
	__u32 off = quoted_check_at(to->proto);
	__u64 delta;
	__u16 check, was;

	if (bytes_load(in, at, &ports, sizeof(ports)) ||
	    bytes_store(in, at, &new, sizeof(new)))
		return false;
	delta = csum_delta(*(__u32 *)&ports, *(__u32 *)&new);
	sum += delta;
	*icmp += delta;
	if (!off || at + off + sizeof(was) > limit ||
	    bytes_load(in, at + off, &was, sizeof(was)))
		return true;
	if (to->proto == IPPROTO_UDP && !was)
		return true;
	check = csum_apply(was, sum);
	if (to->proto == IPPROTO_UDP && !check)
		check = 0xffff;
	*icmp += csum_delta(was, check);
	return !bytes_store(in, at + off, &check, sizeof(check));
}

/*
 * An error at L4 of p about the flow whose packets become to: the quoted
 * packet turns into one that runs against to, the outer header into one that
 * comes from where to comes from. A quoted IPv4 header's checksum takes its
 * addresses back out of the error's sum; IPv6 has none, but a pseudo-header.
 */
static __always_inline bool icmp_translate(const struct bytes *in,
					   const struct pkt *p,
					   const struct flow *to, const bool v6)
{
	__u32 icmp = p->l2_len + p->l4_off, len = p->quoted_len;
	__u64 delta = 0, quoted = 0, outer = 0;
	__u16 check;

	if (!ip_readdress(in, icmp + 8, &to->dst, &to->src, &quoted, v6) ||
	    !quoted_rewrite_l4(in, icmp + 8 + len, p->l2_len + p->l3_len, to,
			       quoted, &delta) ||
	    !ip_readdress(in, p->l2_len, &to->src, &to->dst, &outer, v6) ||
	    bytes_load(in, icmp + 2, &check, sizeof(check)))
		return false;
	if (v6)
		delta += quoted + outer;
	check = csum_apply(check, delta);
	return !bytes_store(in, icmp + 2, &check, sizeof(check));
}

__global int icmp_translate4(struct xdp_md *ctx, const struct pkt *p,
			     const struct flow *to)
{
	const struct bytes in = { ctx, HOOK_XDP };

	if (!p || !to)
		return false;
	return icmp_translate(&in, p, to, false);
}

__global int icmp_translate6(struct xdp_md *ctx, const struct pkt *p,
			     const struct flow *to)
{
	const struct bytes in = { ctx, HOOK_XDP };

	if (!p || !to)
		return false;
	return icmp_translate(&in, p, to, true);
}

#endif
