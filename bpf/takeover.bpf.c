// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * While the connections of another proxy, kube-proxy, live on: a packet of TCP
 * that begins none, and that conns does not know, is left to the host's stack
 * if conntrack knows it, which translates it as it always has. fl_xdp_open and
 * fl_tc_open ask here first, for as long as these programs are at the place
 * TAKEOVER; for the rest they do all that those do.
 *
 * In an object of their own: conntrack's functions are in the BTF of the
 * kernel, or of its module, and where they are not, all else has to load.
 *
 * What a packet costs
 *   known to conntrack	1 look-up there
 *   else			that, and what fl_xdp_open, fl_tc_open cost
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/balance.h"
#include "lib/finish_tc.h"
#include "lib/finish_xdp.h"
#include "lib/node.h"
#include "lib/police.h"

/* 5.18: include/net/netfilter/nf_conntrack_bpf.h, of which later kernels take
 * this size as well. */
struct bpf_ct_opts {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

struct nf_conn {
	unsigned long status;
} __attribute__((preserve_access_index));

extern struct nf_conn *
bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple,
		  __u32 tuple_size, struct bpf_ct_opts *opts,
		  __u32 opts_size) __ksym;
extern struct nf_conn *
bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
		  __u32 tuple_size, struct bpf_ct_opts *opts,
		  __u32 opts_size) __ksym;
extern void bpf_ct_release(struct nf_conn *conn) __ksym;

/* By user/ before load: when nobody waits for them any more (now_s()). */
const volatile __u32 takeover_until_s __weak = 0;

static __always_inline bool takeover_is_over(void)
{
	return (__s32)(now_s() - takeover_until_s) >= 0;
}

/* Verifier: sizes have to be constants where they are used. */
#define CONNTRACK_KNOWS(lookup, ctx, f) ({				\
	struct bpf_ct_opts opts_ = { .netns_id = -1,			\
				     .l4proto = IPPROTO_TCP };		\
	struct bpf_sock_tuple t_ = {};					\
	struct nf_conn *conn_;						\
									\
	if (addr_is_mapped(&(f)->src)) {				\
		t_.ipv4.saddr = (f)->src.word[3];			\
		t_.ipv4.daddr = (f)->dst.word[3];			\
		t_.ipv4.sport = (f)->sport;				\
		t_.ipv4.dport = (f)->dport;				\
		conn_ = lookup(ctx, &t_, sizeof(t_.ipv4), &opts_,	\
			       sizeof(opts_));				\
	} else {							\
		__builtin_memcpy(t_.ipv6.saddr, &(f)->src, 16);		\
		__builtin_memcpy(t_.ipv6.daddr, &(f)->dst, 16);		\
		t_.ipv6.sport = (f)->sport;				\
		t_.ipv6.dport = (f)->dport;				\
		conn_ = lookup(ctx, &t_, sizeof(t_.ipv6), &opts_,	\
			       sizeof(opts_));				\
	}								\
	if (conn_)							\
		bpf_ct_release(conn_);					\
	conn_ != NULL;							\
})

/* Functions of their own for their stack, which the main program's would be
 * added to. */
__global int conntrack_knows_tc(struct __sk_buff *skb, const struct flow *f)
{
	return f && CONNTRACK_KNOWS(bpf_skb_ct_lookup, skb, f);
}

__global int conntrack_knows_xdp(struct xdp_md *ctx, const struct flow *f)
{
	return f && CONNTRACK_KNOWS(bpf_xdp_ct_lookup, ctx, f);
}

/* What pods and the host send, and what fl_xdp leaves. */
static __always_inline enum reason take_over_tc(struct __sk_buff *skb,
						struct scratch *s)
{
	if (!takeover_is_over() && conntrack_knows_tc(skb, &s->pkt.flow))
		return REASON_NOT_OURS;
	return node_open(skb, s);
}

SEC("tc")
int fl_tc_takeover(struct __sk_buff *skb)
{
	struct scratch *s = map_only(scratch);

	return s ? finish_judged(s, police_rest(skb, s, take_over_tc(skb, s))) :
		   TC_ACT_SHOT;
}

/* Services at the edge were not another proxy's of this node. */
static __always_inline enum reason take_over_xdp(struct xdp_md *ctx,
						 struct scratch *s)
{
	const struct service *svc = service_find(&s->pkt.lookup);

	if (svc && svc->kind != KIND_EDGE && !takeover_is_over() &&
	    conntrack_knows_xdp(ctx, &s->pkt.flow))
		return REASON_HANDED_ON;
	return open_flow(ctx, s);
}

SEC("xdp")
int fl_xdp_takeover(struct xdp_md *ctx)
{
	struct scratch *s = map_only(scratch);

	return s ? finish_xdp(ctx, &s->pkt, take_over_xdp(ctx, s)) : XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
