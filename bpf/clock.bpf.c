// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* fl_clock: run by user/ before load, to learn how long a jiffy is. */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/parse.h"

/* Writes jiffies and CLOCK_MONOTONIC (ns) over the packet's first bytes. */
SEC("xdp")
int fl_clock(struct xdp_md *ctx)
{
	struct frame f = { .end = (void *)(long)ctx->data_end };
	__u64 *out = (void *)(long)ctx->data;

	if (!pkt_has(&f, out, 2 * sizeof(*out)))
		return XDP_DROP;
	out[0] = bpf_jiffies64();
	out[1] = bpf_ktime_get_ns();
	return XDP_PASS;
}
