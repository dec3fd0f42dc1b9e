// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fl_xdp_entry: what stands for an XDP program in libxdp's dispatcher. Such a
 * component is bound to the dispatcher that it was loaded for and cannot be
 * updated, so the program itself is behind the one entry of a program array:
 * replacing it is one store, which loses no packet. In an object of its own, as
 * libxdp has to load it. Costs each packet 1 jump and no look-up.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} program SEC(".maps");

/* Empty before it is filled and after cleanup: the packet is not ours. */
SEC("xdp")
int fl_xdp_entry(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &program, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
