/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fragments follow their first one: its ports are kept in conns under
 * (source, destination, protocol, id), as RFC 791 names a packet. IPv6 names
 * it without the protocol (RFC 8200, 4.5), which the first one alone knows: a
 * fragment header's next one may be of options. So that is kept as well. One
 * that comes before its first goes to user space, which puts it through this
 * program again when the first has been here; one of tc by way of its
 * interface, see node_comes_again(). So do IPv4 packets that must be cut in
 * pieces.
 */
#ifndef FAIRLEAD_BPF_FRAGMENT_H
#define FAIRLEAD_BPF_FRAGMENT_H

#include "conn_claim.h"
#include "csum.h"
#include "parse.h"
#include "scratch.h"

static __always_inline struct flow fragment_key(const struct pkt *p)
{
	const bool v6 = !addr_is_mapped(&p->flow.dst);
	struct flow key = {
		.src = p->flow.src,
		.dst = p->flow.dst,
		.proto = v6 ? CONN_FRAGMENT6_PROTO : p->flow.proto,
		.kind = FLOW_FRAGMENT,
	};

	key.sport = p->fragment_id >> 16;
	key.dport = p->fragment_id;
	return key;
}

__global int fragment_remember(const struct pkt *p)
{
	struct scratch *s = map_only(scratch);
	struct conn_ref r;
	__u32 position;
	__u64 hash;

	if (!p || !s)
		return 0;
	s->key = fragment_key(p);
	hash = flow_hash(hash_key, p->dst_sum, &s->key);
	r = conn_find(&s->key, hash);
	if (r.head && !conn_drop(r.position, r.word))
		return 0;
	position = conn_claim(hash);
	r = conn_at(position);
	if (!position || !r.head)
		return 0;
	conn_set_key(r.conn, &s->key, 0);
	r.conn->backend = 0;
	r.conn->time = conn_time(now_s(), 0);
	r.conn->reply = (__u32)p->flow.sport << 16 | p->flow.dport;
	r.conn->nat_port = p->flow.proto;
	return conn_publish(hash, position);
}

/* Ports, protocol of a later fragment. False: its first has not been here. */
__global int fragment_recall(struct pkt *p)
{
	const struct runtime *rt = map_only(runtime);
	struct conn_ref r;
	struct flow key;
	__u64 hash;
	__u32 ports;
	__u8 proto;

	if (!p || !rt)
		return false;
	key = fragment_key(p);
	hash = flow_hash(hash_key, p->dst_sum, &key);
	r = conn_find(&key, hash);
	if (!r.head || conn_age(r.conn->time, now_s()) > rt->fragment_s)
		return false;
	ports = r.conn->reply;
	proto = r.conn->nat_port;
	if (!conn_is_still(&r))
		return false;
	p->flow.sport = ports >> 16;
	p->flow.dport = ports;
	p->flow.proto = proto;
	return true;
}

/* What user space gets. */
struct kept_frame {
	struct early_fragment head;
	__u8 frame[EARLY_FRAGMENT_MAX];
};

/* Hand the frame to user space. mtu: of FRAME_CUT. */
__global int fragment_keep(struct xdp_md *ctx, __u32 mtu, __u32 kind)
{
	__u64 more = (__u64)ctx->data_end - ctx->data - ETH_HLEN;
	struct kept_frame *event;

	if (more > EARLY_FRAGMENT_MAX - ETH_HLEN)
		return REASON_FRAGMENT_LOST;
	event = bpf_ringbuf_reserve(&early_fragments, sizeof(*event), 0);
	if (!event)
		return REASON_FRAGMENT_LOST;
	event->head.ifindex = ctx->ingress_ifindex;
	event->head.len = ETH_HLEN + more;
	event->head.mtu = mtu;
	event->head.kind = kind;
	/* Verifier (6.1): as in quote_load() */
	asm volatile("" : "+r"(more));
	if (more > EARLY_FRAGMENT_MAX - ETH_HLEN ||
	    bpf_xdp_load_bytes(ctx, 0, event->frame, ETH_HLEN + more)) {
		bpf_ringbuf_discard(event, 0);
		return REASON_FRAGMENT_LOST;
	}
	bpf_ringbuf_submit(event, 0);
	return kind == FRAME_CUT   ? REASON_CUT :
	       kind == FRAME_ERROR ? REASON_TUNNEL_ERROR :
				     REASON_FRAGMENT_EARLY;
}

#define MACS_LEN (2 * ETH_ALEN)
#define SKB_REST_MAX (EARLY_FRAGMENT_MAX - MACS_LEN - sizeof(struct vlan_tag))

/* The tag that the kernel took out, where it was: returns its length. */
static __always_inline __u32 kept_tag(const struct __sk_buff *skb,
				      struct kept_frame *event)
{
	__be16 *at = (void *)(event->frame + MACS_LEN);

	if (!skb->vlan_present)
		return 0;
	at[0] = skb->vlan_proto;
	at[1] = bpf_htons(skb->vlan_tci);
	return sizeof(struct vlan_tag);
}

/* All of skb into event. */
static __always_inline bool kept_fill(struct __sk_buff *skb,
				      struct kept_frame *event)
{
	__u64 more = (__u64)skb->len - MACS_LEN - 1;
	__u32 tag;

	if (bpf_skb_load_bytes(skb, 0, event->frame, MACS_LEN))
		return false;
	tag = kept_tag(skb, event);
	event->head.len = skb->len + tag;
	/* Verifier (6.1): as in quote_load() */
	asm volatile("" : "+r"(more));
	if (more >= SKB_REST_MAX)
		return false;
	return !bpf_skb_load_bytes(skb, MACS_LEN, event->frame + MACS_LEN + tag,
				   more + 1);
}

/* The same for tc. */
__global int fragment_keep_tc(struct __sk_buff *skb, __u32 mtu, __u32 kind)
{
	struct kept_frame *event;

	event = bpf_ringbuf_reserve(&early_fragments, sizeof(*event), 0);
	if (!event)
		return REASON_FRAGMENT_LOST;
	event->head.ifindex = skb->ifindex;
	event->head.mtu = mtu;
	event->head.kind = kind;
	if (!kept_fill(skb, event)) {
		bpf_ringbuf_discard(event, 0);
		return REASON_FRAGMENT_LOST;
	}
	bpf_ringbuf_submit(event, 0);
	return kind == FRAME_CUT_TC ? REASON_CUT : REASON_FRAGMENT_EARLY;
}

/* Is the IPv4 header at at as it was sent? The pieces get new checksums, which
 * must not make a broken one right (RFC 1812, 5.2.2). */
static __always_inline bool fragment_is_intact(const struct bytes *in, __u32 at)
{
	struct scratch *s = map_only(scratch);

	_Static_assert(IP4_HEADER_MAX <= QUOTE_MAX, "room");
	return s && !bytes_load(in, at, s->quote, IP4_HEADER_MAX) &&
	       csum_is_right_ip4((const __u32 *)s->quote);
}

/* Have p, of IPv4, sent on in pieces of p->mtu_left bytes at most. */
__global int fragment_cut(struct xdp_md *ctx, const struct pkt *p)
{
	const struct bytes in = { ctx, HOOK_XDP };

	if (!p || !fragment_is_intact(&in, p->l2_len))
		return REASON_BAD_HEADER;
	return fragment_keep(ctx, p->mtu_left, FRAME_CUT);
}

__global int fragment_cut_tc(struct __sk_buff *skb, const struct pkt *p)
{
	const struct bytes in = { skb, HOOK_TC };

	if (!p || !fragment_is_intact(&in, p->l2_len))
		return REASON_BAD_HEADER;
	return fragment_keep_tc(skb, p->mtu_left, FRAME_CUT_TC);
}

#endif
