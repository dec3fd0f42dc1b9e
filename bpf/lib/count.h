/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each hook counts of a packet that leaves it, in finish() alone. */
#ifndef FAIRLEAD_BPF_COUNT_H
#define FAIRLEAD_BPF_COUNT_H

#include "maps.h"
#include "parse.h"

/* Whose packet it was, if a backend got it or sent it. */
static __always_inline void count_backend(const struct pkt *p)
{
	struct backend_stats *stats;
	__u32 id = p->backend;

	stats = id ? bpf_map_lookup_elem(&backend_stats, &id) : NULL;
	if (!stats)
		return;
	stats->packets++;
	stats->bytes += p->l3_len;
	stats->connections += p->new_conn;
}

static __always_inline void count(const struct pkt *p, __u32 why)
{
	struct counter *c = bpf_map_lookup_elem(&counters, &why);

	if (c) {
		c->packets++;
		c->bytes += p->frame_len;
	}
	count_backend(p);
}

#endif
