// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tc on uplinks. fl_uplink_in: what fl_xdp has left, because a pod's interface
 * or a device that XDP does not send by is the way. fl_uplink_out: a backend on
 * this host answers through the stack, which knows nothing of the service; on
 * the way out its packets, and ICMP errors about those that it got, become the
 * service's. And on a node, what the host itself sends to a service goes to a
 * backend, past the stack, as far as the route there is one of an uplink.
 *
 * What a packet costs
 *   in, stranger		1 array read (vip_filter)
 *   out, no such backend	1 array read (runtime)
 *   out, else			1 jump and 1 search of replies (2 array reads),
 *				of the host's own 1 array read more
 *   else			see tc.bpf.c
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/finish_tc.h"
#include "lib/node.h"

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
	return finish(s, node_leave(skb, rt->has_node && !skb->ingress_ifindex ?
						 ORIGIN_NODE :
						 ORIGIN_ELSEWHERE));
}

char _license[] SEC("license") = "Dual BSD/GPL";
