/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The datapath's tables as memory. dp.c fills this struct from mmap-ed maps,
 * tests from calloc: who works on tables does not know which.
 *
 * Sizes are in entries. Every pointer stays valid until dp replaces the maps
 * by larger ones (dp_grow), which fills the struct anew.
 */
#ifndef FAIRLEAD_TABLES_H
#define FAIRLEAD_TABLES_H

#include <stddef.h>

#include <fairlead/config.h>
#include <fairlead/types.h>

/* Entries of each table. What is 0 takes a default (a small node). */
struct table_sizes {
	__u32 services;		/* ids too */
	__u32 backends;
	__u32 slots;
	__u32 cell_buckets;	/* power of two */
	__u32 conn_buckets;	/* power of two; CONN_WAYS entries each */
};

struct tables {
	const __u32 *hash_key;		/* 16 words */
	struct service *services;	/* [nr_services], 0 unused */
	struct service_info *infos;	/* [nr_services], by service id */
	struct service_cell *cells;	/* [cell_buckets * SERVICE_CELLS] */
	struct backend *backends;	/* [nr_backends], 0 unused */
	struct link *links;		/* [nr_links], 0 unused */
	struct addr *nat_addrs;		/* [2 * NAT_ADDRS_MAX + 1] */
	__u8 *vip_filter;		/* [VIP_FILTER_SIZE] */
	struct runtime *runtime;
	struct applied *applied;
	__u32 nr_services, nr_backends, nr_slots, nr_links;
	__u32 cell_buckets, conn_buckets;
	__u32 nr_sources;		/* most entries of all lists */

	/*
	 * Slots and connections are too many to keep mapped (they would count
	 * as memory of the daemon): a window at a time. The pointer is good
	 * until the next call of the same function; NULL: cannot be mapped.
	 */
	struct slot *(*slots)(struct tables *t, __u32 base, __u32 count);
	union conn_line *(*conns)(struct tables *t, __u32 bucket, __u32 count);

	/* CIDR VIPs: a table that needs system calls. 0 or -errno. */
	int (*prefix_set)(struct tables *t, const struct prefix_key *key,
			  const struct prefix *value);
	int (*prefix_del)(struct tables *t, const struct prefix_key *key);

	/*
	 * Lists of sources, by system calls as well. flags: enum source_flag.
	 * sources_each() ends early when f returns other than 0, which it
	 * returns then. Nothing may be set or deleted from within.
	 */
	int (*source_set)(struct tables *t, const struct source_key *key,
			  __u32 flags);
	int (*source_del)(struct tables *t, const struct source_key *key);
	int (*sources_each)(struct tables *t,
			    int (*f)(void *arg, const struct source_key *key,
				     __u32 flags),
			    void *arg);

	/* Statistics of an id that is given away start at zero again. */
	void (*backend_stats_reset)(struct tables *t, __u32 backend);
};

/* Publish x at *p, which may be read by the other side at any moment. */
#define table_store(p, x) do {						\
	union { __typeof__(*(p)) value; __u64 word; } u_ = { .value = (x) }; \
	_Static_assert(sizeof(*(p)) == 8, "one word, or torn");		\
	__atomic_store_n((__u64 *)(p), u_.word, __ATOMIC_RELEASE);	\
} while (0)

#endif
