/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What policy.bpf.c and who runs it share. */
#ifndef FAIRLEAD_POLICY_BENCH_H
#define FAIRLEAD_POLICY_BENCH_H

#include <linux/types.h>

/* Of client's ports, whose upper half is used. */
#define POLICY_FLOWS (1 << 15)

/* Which packet is the next. */
struct policy_bench {
	__u32 mask;		/* how many flows, less one */
	__u32 step;		/* odd: from one to the next */
	__u32 next;
	__u32 v6;
};

/* Where a packet is sent to once it is another one. */
enum policy_bench_program { POLICY_BENCH_NOTHING, POLICY_BENCH_IN,
			    POLICY_BENCH_OUT, NR_POLICY_BENCH };

#endif
