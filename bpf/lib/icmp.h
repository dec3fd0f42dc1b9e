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

/*
 * ICMP to an address of ours. REASON_NONE: an error, and the packet's flow is
 * now the one that it is about.
 */
static __always_inline enum reason icmp_flow(struct frame *f, const bool v6)
{
	struct pkt *p = &f->pkt;
	struct addr dst = p->flow.dst;
	__u8 type;

	/* Verifier: it does not know that only later fragments have none */
	if (!f->l4)
		return REASON_ICMP_UNRELATED;
	type = *(__u8 *)f->l4;
	if (type == (v6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO))
		return REASON_ECHO;
	if (icmp_is_error(type, v6) && parse_quoted(f, v6) == REASON_NONE &&
	    addr_eq(&p->flow.dst, &dst))
		return REASON_NONE;
	p->flow.dst = dst;
	return REASON_ICMP_UNRELATED;
}
/*
 * Translating an ICMP error changes the addresses and ports that it quotes,
 * the quoted checksums as far as they are there, and with all of that the
 * error's own checksum.
 *
 * An IP header at at gets other addresses. Returns the length of the header,
 * or 0; *delta is what that does to a sum over the addresses.
 */
static __always_inline __u32 ip_readdress(const struct bytes *in, __u32 at,
					  const struct addr *src,
					  const struct addr *dst, __u64 *delta,
					  const bool v6)
{
	struct scratch *s = map_only(scratch);

	if (!s)
		return 0;
	if (v6) {
		if (bytes_load(in, at, &s->ip6, sizeof(s->ip6)))
			return 0;
		*delta = csum_delta4((__u32 *)&s->ip6.saddr, src->word) +
			 csum_delta4((__u32 *)&s->ip6.daddr, dst->word);
		__builtin_memcpy(&s->ip6.saddr, src, sizeof(*src));
		__builtin_memcpy(&s->ip6.daddr, dst, sizeof(*dst));
		if (bytes_store(in, at, &s->ip6, sizeof(s->ip6)))
			return 0;
		return sizeof(s->ip6);
	}
	if (bytes_load(in, at, &s->ip4, sizeof(s->ip4)))
		return 0;
	*delta = csum_delta(s->ip4.saddr, src->word[3]) +
		 csum_delta(s->ip4.daddr, dst->word[3]);
	s->ip4.check = csum_apply(s->ip4.check, *delta);
	s->ip4.saddr = src->word[3];
	s->ip4.daddr = dst->word[3];
	if (bytes_store(in, at, &s->ip4, sizeof(s->ip4)))
		return 0;
	return s->ip4.ihl * 4;
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
	__u32 icmp = p->l2_len + p->l4_off, len;
	__u64 delta = 0, quoted = 0, outer = 0;
	__u16 check;

	len = ip_readdress(in, icmp + 8, &to->dst, &to->src, &quoted, v6);
	if (!len ||
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
