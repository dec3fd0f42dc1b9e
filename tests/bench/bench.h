/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What bench.bpf.c and those who run it share: the packet, and its flows. */
#ifndef FAIRLEAD_BENCH_H
#define FAIRLEAD_BENCH_H

#include <linux/types.h>

#define BENCH_FLOWS_MAX (1 << 20)

/* What differs between the packets of a run; addresses by their last word. */
struct bench_flow {
	__be32 src;
	__be32 dst;
	__u32 ports;		/* source first, as in the packet */
	__u16 l3_check;
	__u16 l4_check;
};

/* The packet that each repetition starts with. */
struct bench_setup {
	__u32 len;		/* of the frame */
	__u32 mask;		/* how many flows, less one */
	__u32 next;		/* which is the next one's */
	__u32 v6;
	__u32 eth[4];		/* 14 bytes */
	__u32 word[16];		/* IP and TCP */
};

#endif
