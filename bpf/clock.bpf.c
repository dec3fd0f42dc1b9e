// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* fl_clock: run by user/ before load, to learn how long a jiffy is. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Writes jiffies and CLOCK_MONOTONIC (ns) over the packet's first bytes. */
SEC("xdp")
int fl_clock(struct xdp_md *ctx)
{
	__u64 *out = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if ((void *)(out + 2) > end)
		return XDP_DROP;
	out[0] = bpf_jiffies64();
	out[1] = bpf_ktime_get_ns();
	return XDP_PASS;
}
