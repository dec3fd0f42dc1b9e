// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The far end of the balancer's cable: a veth takes what XDP sends back into
 * its peer only while it has a program itself. */
#include <linux/bpf.h>

__attribute__((section("xdp"), used)) int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

__attribute__((section("license"), used)) char gpl[] = "Dual BSD/GPL";
