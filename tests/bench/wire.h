/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What wire.bpf.c and traffic.c share: packets ready to be sent, and how many
 * were sent and arrived. One CPU alone counts. */
#ifndef FAIRLEAD_BENCH_WIRE_H
#define FAIRLEAD_BENCH_WIRE_H

#include <linux/types.h>

#define WIRE_FLOWS (1 << 12)
#define WIRE_WORDS 16		/* a frame of 64 bytes */

struct wire_packet {
	__u32 word[WIRE_WORDS];
};

struct wire {
	__u64 sent;
	__u64 received;
	struct wire_packet packets[WIRE_FLOWS];
};

#endif
