// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The host's end of a pod's interface. fl_pod_in: what a pod sends to a service
 * goes to a backend, and what it answers to one of our addresses goes back to
 * who had its source replaced by that. fl_pod_out: what is sent to a pod by the
 * backend of a service that it dialled comes from the service.
 *
 * What a packet costs: as in uplink.bpf.c.
 *   in, stranger	vip_filter, runtime
 *   in, ours		and ingress; 1 jump, see tc.bpf.c
 *   out, of no backend	backend_filter
 *   out, of one, no answer	and 2 buckets of replies; 1 jump
 *   out, an answer	and replies -> conns; 2 jumps, see tc.bpf.c
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/finish_tc.h"
#include "lib/node.h"

SEC("tc")
int fl_pod_in(struct __sk_buff *skb)
{
	struct scratch *s = map_only(scratch);

	return s ? finish(s, node_classify(skb, ORIGIN_POD)) : TCX_NEXT;
}

SEC("tc")
int fl_pod_out(struct __sk_buff *skb)
{
	struct scratch *s = map_only(scratch);

	if (node_comes_again(skb))
		return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
	return s ? finish(s, node_leave(skb, ORIGIN_ELSEWHERE)) : TCX_NEXT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
