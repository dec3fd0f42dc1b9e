// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fl_xdp's own code with a wrapper: BPF_PROG_TEST_RUN repeats on one buffer,
 * so each repetition ends by making the packet whole again, for the next flow.
 * What that costs is measured by programs that do nothing else. Besides, the
 * floor (parse and rewrite with fixed values, no map), and fl_xdp cut short.
 */
#include "xdp.bpf.c"

#include "bench.h"

#define L4_WORD(v6) ((v6) ? 10 : 5)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_setup);
} bench_setup SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_FLOWS_MAX);
	__type(key, __u32);
	__type(value, struct bench_flow);
} bench_flows SEC(".maps");

static __always_inline void packet_words(__u32 *to,
					 const struct bench_setup *s,
					 const struct bench_flow *flow,
					 const bool v6)
{
	const int l4 = L4_WORD(v6);

#pragma clang loop unroll(full)
	for (int i = 0; i < l4 + 5; i++)
		to[i] = s->word[i];
	if (!v6)
		to[2] = (s->word[2] & 0xffff) | (__u32)flow->l3_check << 16;
	to[v6 ? 5 : 3] = flow->src;
	to[v6 ? 9 : 4] = flow->dst;
	to[l4] = flow->ports;
	to[l4 + 4] = flow->l4_check;
}

/* The packet's words, which are stored as no card stores them, have to be in
 * the cache before they are read: an atomic operation waits for that. Else a
 * load of more than one of them would wait, in the next repetition. */
static __always_inline void packet_write(struct xdp_md *ctx,
					 struct bench_setup *s)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 idx = s->next & s->mask, *eth = data;
	const struct bench_flow *flow;

	flow = bpf_map_lookup_elem(&bench_flows, &idx);
	if (!flow || data + 64 > end)
		return;
	eth[0] = s->eth[0];
	eth[1] = s->eth[1];
	eth[2] = s->eth[2];
	*(__u16 *)(eth + 3) = s->eth[3];
	if (!s->v6)
		packet_words(data + ETH_HLEN, s, flow, false);
	else if (data + 74 <= end)
		packet_words(data + ETH_HLEN, s, flow, true);
	__sync_fetch_and_add(&s->next, 1);
}

/* The end of every repetition. */
static __always_inline int again(struct xdp_md *ctx, int verdict)
{
	struct bench_setup *s = map_only(bench_setup);
	int grown;

	if (!s)
		return XDP_ABORTED;
	grown = ctx->data_end - ctx->data - s->len;
	if (grown && bpf_xdp_adjust_head(ctx, grown))
		return XDP_ABORTED;
	packet_write(ctx, s);
	return verdict;
}

SEC("xdp")
int bench_empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int bench_again(struct xdp_md *ctx)
{
	return again(ctx, XDP_TX);
}

/* Two moves of the head (again() has the second) and four: half of the
 * difference is the price of one. */
SEC("xdp")
int bench_move2(struct xdp_md *ctx)
{
	if (bpf_xdp_adjust_head(ctx, -20))
		return XDP_ABORTED;
	return again(ctx, XDP_TX);
}

SEC("xdp")
int bench_move4(struct xdp_md *ctx)
{
	if (bpf_xdp_adjust_head(ctx, -20) || bpf_xdp_adjust_head(ctx, 20) ||
	    bpf_xdp_adjust_head(ctx, -20))
		return XDP_ABORTED;
	return again(ctx, XDP_TX);
}

static __always_inline int finish_again(struct xdp_md *ctx,
					const struct pkt *p, __u32 why)
{
	return again(ctx, finish_xdp(ctx, p, why));
}

SEC("xdp")
int bench_fairlead(struct xdp_md *ctx)
{
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	enum reason why = classify(ctx, &f);

	return finish_again(ctx, &p, why);
}

PROGRAMS(bench_, finish_again)

static const struct egress fixed_egress = {
	.ifindex = 1,
	.mtu = 1500,
	.to = { 2, 0, 0, 0, 0, 1 },
	.from = { 2, 0, 0, 0, 0, 2 },
};

static __always_inline struct addr fixed_addr(const bool v6, __u32 low)
{
	return v6 ? (struct addr){ { bpf_htonl(0xfd000001), 0, 0,
				     bpf_htonl(low) } } :
		    addr_from4(bpf_htonl(0x0a000000 | low));
}

static __always_inline bool fixed_middle(struct frame *f, void *at,
					 const enum forward forward,
					 __u16 len, __be16 inner)
{
	struct geneve *geneve = at + sizeof(struct udphdr);

	if (!pkt_has(f, at, encap_len(forward)))
		return false;
	if (forward == FORWARD_GUE || forward == FORWARD_GENEVE)
		outer_udp(at, len, 6080, f->pkt->flow.sport);
	if (forward == FORWARD_GENEVE)
		*geneve = (struct geneve){ .proto = inner };
	if (forward == FORWARD_GRE)
		*(struct gre *)at = (struct gre){ .proto = inner };
	return true;
}

static __always_inline bool fixed_encap(struct xdp_md *ctx, struct frame *f,
					const enum forward forward,
					const bool outer_v6, const bool v6)
{
	const __u32 ip_len = outer_v6 ? 40 : 20, middle = encap_len(forward);
	struct addr src = fixed_addr(outer_v6, 1);
	struct addr dst = fixed_addr(outer_v6, 2);
	struct outer o = {
		.dst = &dst,
		.len = f->pkt->l3_len + middle,
		.proto = encap_proto(forward, v6),
	};

	if (!egress_push(ctx, f, &fixed_egress, ip_len + middle,
			 ether_type(outer_v6)) ||
	    !pkt_has(f, f->l3, ip_len))
		return false;
	if (outer_v6)
		outer6(f->l3, &src, &o);
	else
		outer4(f->l3, &src, &o);
	return fixed_middle(f, f->l3 + ip_len, forward, o.len, ether_type(v6));
}

static __always_inline bool fixed_ip(struct xdp_md *ctx, struct frame *f,
				     const enum forward forward,
				     const bool outer_v6, const bool v6)
{
	const struct bytes in = { ctx, HOOK_XDP };
	const struct flow to = {
		.src = fixed_addr(v6, 1),
		.dst = fixed_addr(v6, 2),
		.sport = bpf_htons(1024),
		.dport = bpf_htons(80),
	};

	if (parse_dst(f, v6) != REASON_NONE ||
	    parse_rest(&in, f, v6) != REASON_NONE)
		return false;
	rewrite_hops(f, v6);
	if (forward != FORWARD_NAT && forward != FORWARD_L2)
		return fixed_encap(ctx, f, forward, outer_v6, v6);
	if (forward == FORWARD_NAT)
		rewrite_flow(f, &to, v6);
	return egress_push(ctx, f, &fixed_egress, 0, ether_type(v6));
}

/* The least that a balancer does: parse, and make the packet the backend's. */
static __always_inline int fixed(struct xdp_md *ctx,
				 const enum forward forward,
				 const bool outer_v6)
{
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	bool done = false;
	__be16 proto;

	if (parse_eth(&f, ctx->data, ctx->data_end, &proto) != REASON_NONE)
		return XDP_ABORTED;
	if (proto == bpf_htons(ETH_P_IP))
		done = fixed_ip(ctx, &f, forward, outer_v6, false);
	else if (proto == bpf_htons(ETH_P_IPV6))
		done = fixed_ip(ctx, &f, forward, outer_v6, true);
	return again(ctx, done ? XDP_TX : XDP_ABORTED);
}

#define FIXED(name, forward)						\
	SEC("xdp") int bench_##name##4(struct xdp_md *ctx)		\
	{								\
		return fixed(ctx, forward, false);			\
	}								\
	SEC("xdp") int bench_##name##6(struct xdp_md *ctx)		\
	{								\
		return fixed(ctx, forward, true);			\
	}

FIXED(nat, FORWARD_NAT)
FIXED(l2, FORWARD_L2)
FIXED(ipip, FORWARD_IPIP)
FIXED(gue, FORWARD_GUE)
FIXED(gre, FORWARD_GRE)
FIXED(geneve, FORWARD_GENEVE)

enum stage { STAGE_ADDRS, STAGE_FILTER, STAGE_PARSE, STAGE_HASH, STAGE_SERVICE,
	     STAGE_SLOT, STAGE_EGRESS, STAGE_SEND, STAGE_FINISH };

/* clang: what is known so far must not be computed later, or never. */
#define reached(f) asm volatile("" : : "r"(f) : "memory")

/* Stages STAGE_HASH and on of an IPv4 packet to a tunnel. */
static __always_inline int cut_flow(struct xdp_md *ctx, struct frame *f,
				    struct scratch *s, const enum stage last)
{
	struct conn_ref r = {};
	const struct service *svc;
	const struct backend *b;
	struct pkt *p = f->pkt;

	p->hash = flow_hash(hash_key, p->dst_sum, &p->flow);
	reached(f);
	if (last == STAGE_HASH)
		return XDP_TX;
	svc = service_find(&p->lookup);
	if (!svc)
		return XDP_ABORTED;
	reached(svc);
	if (last == STAGE_SERVICE)
		return XDP_TX;
	p->backend = service_pick(&p->lookup, svc, &r);
	reached(f);
	if (last == STAGE_SLOT)
		return XDP_TX;
	b = backend_find(p->backend);
	if (!b || b->flags & BACKEND_LOCAL)
		return XDP_ABORTED;
	if (!egress_find(&b->hop, &s->out))
		return XDP_ABORTED;
	reached(s);
	if (last == STAGE_EGRESS)
		return XDP_TX;
	if (tunnel_send(ctx, f, &s->out, b, svc->forward, false) !=
	    REASON_FORWARDED)
		return XDP_ABORTED;
	reached(f);
	return last == STAGE_SEND ? XDP_TX :
				    finish_xdp(ctx, p, REASON_FORWARDED);
}

static __always_inline int cut(struct xdp_md *ctx, const enum stage last)
{
	const struct bytes in = { ctx, HOOK_XDP };
	struct scratch *s = map_only(scratch);
	struct frame f = {};
	__be16 proto;

	if (!s)
		return XDP_ABORTED;
	s->pkt = (struct pkt){};
	f.pkt = &s->pkt;
	if (parse_eth(&f, ctx->data, ctx->data_end, &proto) != REASON_NONE ||
	    parse_dst(&f, false) != REASON_NONE)
		return XDP_ABORTED;
	reached(&f);
	if (last == STAGE_ADDRS)
		return XDP_TX;
	if (!vip_class(&f.pkt->lookup))
		return XDP_ABORTED;
	reached(&f);
	if (last == STAGE_FILTER)
		return XDP_TX;
	if (parse_rest(&in, &f, false) != REASON_NONE)
		return XDP_ABORTED;
	reached(&f);
	return last == STAGE_PARSE ? XDP_TX : cut_flow(ctx, &f, s, last);
}

#define CUT(name, last)							\
	SEC("xdp") int bench_cut_##name(struct xdp_md *ctx)		\
	{								\
		return again(ctx, cut(ctx, last));			\
	}

CUT(addrs, STAGE_ADDRS)
CUT(filter, STAGE_FILTER)
CUT(parse, STAGE_PARSE)
CUT(hash, STAGE_HASH)
CUT(service, STAGE_SERVICE)
CUT(slot, STAGE_SLOT)
CUT(egress, STAGE_EGRESS)
CUT(send, STAGE_SEND)
CUT(finish, STAGE_FINISH)
