// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tc on uplinks. fl_uplink_in: what fl_xdp has left, because a pod's interface
 * or a device that XDP does not send by is the way. fl_uplink_out: a backend on
 * this host answers through the stack, which knows nothing of the service; on
 * the way out its packets, and ICMP errors about those that it got, become the
 * service's. And on a node, what the host itself sends to a service goes to a
 * backend, past the stack, as far as the route there is one of an uplink. What
 * it sends to addresses of its own, node ports among them, never leaves the
 * loopback: fl_host_out is there.
 *
 * What a packet costs: arrays that it reads, those behind an arrow when the one
 * before has come, each a cache miss where there are many connections. Besides,
 * each program reads scratch, which is the CPU's own.
 *   in, stranger		vip_filter, runtime
 *   in, a port of the node's	and port_filter
 *   in, ours			and ingress; 1 jump, see tc.bpf.c
 *   in, perhaps a tunnel's	runtime, backend_filter; 1 jump, and another one
 *				if it is: by UDP, GRE and IP in IP, as soon as
 *				a service has gone in tunnels
 *   out, no backend here	runtime
 *   out, of no backend		and backend_filter
 *   out, of one, no answer	and that, 2 buckets of replies; 1 jump
 *   out, an answer		and that, replies -> conns; 2 jumps, see
 *				tc.bpf.c
 *   out, the host's own	and vip_filter; to a service then as what
 *				comes in, else as above
 * No helper but bpf_skb_pull_data(), where the headers are not in one piece.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/finish_tc.h"
#include "lib/node.h"

/* What came in by no interface is the host's own. */
static __always_inline enum origin leaving_origin(const struct __sk_buff *skb,
						  const struct runtime *rt)
{
	return rt->has_node && !skb->ingress_ifindex ? ORIGIN_NODE :
						       ORIGIN_ELSEWHERE;
}

SEC("tc")
int fl_uplink_in(struct __sk_buff *skb)
{
	struct scratch *s = map_only(scratch);

	return s ? finish(s, node_classify(skb, ORIGIN_ELSEWHERE)) : TCX_NEXT;
}

SEC("tc")
int fl_uplink_out(struct __sk_buff *skb)
{
	const struct runtime *rt = map_only(runtime);
	struct scratch *s = map_only(scratch);

	if (!s || !rt || !rt->has_local)
		return TCX_NEXT;
	if (node_comes_again(skb))
		return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
	return finish(s, node_leave(skb, leaving_origin(skb, rt)));
}

/* The same where packets have no Ethernet header. */
SEC("tc")
int fl_l3_in(struct __sk_buff *skb)
{
	struct scratch *s = map_only(scratch);

	return s ? finish(s, node_classify_l3(skb, ORIGIN_ELSEWHERE)) :
		   TCX_NEXT;
}

SEC("tc")
int fl_l3_out(struct __sk_buff *skb)
{
	const struct runtime *rt = map_only(runtime);
	struct scratch *s = map_only(scratch);

	if (!s || !rt || !rt->has_local)
		return TCX_NEXT;
	return finish(s, node_leave_l3(skb, leaving_origin(skb, rt)));
}

/* On the loopback: what the host sends to addresses of its own. */
SEC("tc")
int fl_host_out(struct __sk_buff *skb)
{
	const struct runtime *rt = map_only(runtime);
	struct scratch *s = map_only(scratch);

	if (!s || !rt || !rt->has_node)
		return TCX_NEXT;
	return finish(s, node_leave(skb, ORIGIN_NODE));
}

char _license[] SEC("license") = "Dual BSD/GPL";
