// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The host's end of a pod's interface. fl_pod_in: what a pod sends to a service
 * goes to a backend, and what it answers to one of our addresses goes back to
 * who had its source replaced by that. fl_pod_out: what is sent to a pod by the
 * backend of a service that it dialled comes from the service. Where workloads
 * are policed, each of them asks lib/police.h first, see tc.bpf.c.
 *
 * What a packet costs: as in uplink.bpf.c.
 *   in, stranger	vip_filter, runtime
 *   in, ours		and ingress; 1 jump, see tc.bpf.c
 *   out, of no backend	runtime, backend_filter
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
	const struct runtime *rt = map_only(runtime);
	struct scratch *s = map_only(scratch);

	if (!s || !rt)
		return TCX_NEXT;
	if (rt->policing)
		return finish(s, go_on_tc(skb, TC_PROGRAM_tc_police_in));
	return finish(s, node_classify(skb, ORIGIN_POD));
}

SEC("tc")
int fl_pod_out(struct __sk_buff *skb)
{
	const struct runtime *rt = map_only(runtime);
	struct scratch *s = map_only(scratch);

	if (node_comes_again(skb))
		return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
	if (!s || !rt)
		return TCX_NEXT;
	if (rt->policing)
		return finish(s, go_on_tc(skb, TC_PROGRAM_tc_police_out));
	return finish(s, node_leave(skb, ORIGIN_ELSEWHERE));
}

char _license[] SEC("license") = "Dual BSD/GPL";
