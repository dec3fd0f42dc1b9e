/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The datapath's tables: which there are, and those in memory as user/ sees
 * them. dp.c fills struct tables from mmap-ed maps, tests from calloc: who
 * works on tables does not know which.
 *
 * Sizes are in entries. Every pointer stays valid until dp replaces the maps
 * by larger ones (dp_grow), which fills the struct anew.
 */
#ifndef FAIRLEAD_TABLES_H
#define FAIRLEAD_TABLES_H

#include <stddef.h>

#include <fairlead/config.h>
#include <fairlead/conn.h>
#include <fairlead/policy.h>
#include <fairlead/types.h>

/*
 * What tables are measured by, in entries: the field of struct table_sizes,
 * that of struct tables, and the default, which fits a small node.
 */
#define TABLE_SIZES(X)							\
	X(services,	nr_services,	1024)	/* ids too */		\
	X(backends,	nr_backends,	4096)				\
	X(slots,	nr_slots,	1 << 17)			\
	X(cell_buckets,	cell_buckets,	512)	/* power of two */	\
	X(conn_buckets,	conn_buckets,	25000)	/* 262 500 connections */ \
	X(reply_buckets, reply_buckets,	93751)	/* reply_buckets_for() */ \
	X(links,	nr_links,	LINKS_MAX)			\
	X(sources,	nr_sources,	SOURCE_ENTRIES_MAX) /* of all lists */

struct table_sizes {			/* 0: the default */
#define X(name, field, by_default) __u32 name;
	TABLE_SIZES(X)
#undef X
};

enum table_size {
	TABLE_SIZE_fixed,		/* the map has but one size */
#define X(name, field, by_default) TABLE_SIZE_##name,
	TABLE_SIZES(X)
#undef X
	NR_TABLE_SIZES,
};

/*
 * Every map that outlives its programs. A new one is a row here, and its
 * meaning in bpf/lib/maps.h, by the same name. What struct tables has of it,
 * and what its memory is an array of; what measures it; how user/ gets at it:
 *	WHOLE	it is mapped, [0 ... size - 1]
 *	WINDOW	it is too large to stay mapped (it would count as memory of the
 *		daemon): a function maps a part of it
 *	CALLS	by system calls, or not at all
 * and what a larger one begins with, when the tables grow:
 *	SAME	it never grows: the programs before and after share it
 *	COPY	what the smaller one holds
 *	EMPTY	nothing: its owner fills it
 *	MOVE	nothing: records come while traffic goes on, see conns_move.h
 *	OWN	it belongs to its programs: whenever they are loaded anew, there
 *		is a new one
 * Where 0 is no valid index, the first entry is not used.
 */
#define TABLES(X)							\
	X(runtime,	struct runtime,		fixed,	      WHOLE,  SAME)  \
	X(applied,	struct applied,		fixed,	      WHOLE,  SAME)  \
	X(vip_filter,	__u8,			fixed,	      WHOLE,  SAME)  \
	X(port_filter,	__u64,			fixed,	      WHOLE,  SAME)  \
	X(backend_filter, __u64,		fixed,	      WHOLE,  SAME)  \
	X(cells,	struct service_cell,	cell_buckets, WHOLE,  EMPTY) \
	X(services,	struct service,		services,     WHOLE,  COPY)  \
	X(infos,	struct service_info,	services,     WHOLE,  COPY)  \
	X(turns,	__u64,			services,     CALLS,  COPY)  \
	X(slots,	struct slot,		slots,	      WINDOW, COPY)  \
	X(backends,	struct backend,		backends,     WHOLE,  COPY)  \
	X(backend_stats, struct backend_stats,	backends,     CALLS,  COPY)  \
	X(links,	struct link,		links,	      WHOLE,  SAME)  \
	X(ingress,	struct word_bucket,	fixed,	      WHOLE,  SAME)  \
	X(own_filter,	__u64,			fixed,	      WHOLE,  SAME)  \
	X(own,		struct word_bucket,	fixed,	      WHOLE,  SAME)  \
	X(nat_addrs,	struct addr,		fixed,	      WHOLE,  SAME)  \
	X(prefixes,	struct prefix,		fixed,	      CALLS,  SAME)  \
	X(sources,	__u32,			sources,      CALLS,  SAME)  \
	X(conns,	struct conn_bucket,	conn_buckets, WINDOW, MOVE)  \
	X(replies,	struct reply_bucket,	reply_buckets, WINDOW, MOVE) \
	X(socket_peers, struct socket_peer,	fixed,	      CALLS,  SAME)  \
	X(socket_flows, struct socket_flows,	fixed,	      CALLS,  SAME)  \
	X(udp_peers,	struct socket_peer,	fixed,	      CALLS,  SAME)  \
	X(socket_pods,	struct socket_pod,	fixed,	      CALLS,  SAME)  \
	X(workloads,	struct workload,	fixed,	      WHOLE,  SAME)  \
	X(workload_cells, struct word_bucket,	fixed,	      WHOLE,  SAME)  \
	X(workload_infos, struct workload_info,	fixed,	      WHOLE,  SAME)  \
	X(port_classes,	__u16,			fixed,	      WHOLE,  SAME)  \
	X(peers,	__u32,			fixed,	      CALLS,  SAME)  \
	X(peer_prefixes, __u32,			fixed,	      CALLS,  SAME)  \
	X(targets,	struct target,		fixed,	      CALLS,  SAME)  \
	X(peer_masks,	struct rule_mask,	fixed,	      CALLS,  SAME)  \
	X(port_masks,	struct rule_mask,	fixed,	      CALLS,  SAME)  \
	X(policy_hits,	__u64,			fixed,	      CALLS,  SAME)  \
	X(workload_limits, struct workload_limit, fixed,      CALLS,  SAME)  \
	X(events,	struct policy_event,	fixed,	      CALLS,  SAME)  \
	X(conn_stats,	struct conn_stats,	fixed,	      CALLS,  SAME)  \
	X(counters,	struct counter,		fixed,	      CALLS,  SAME)  \
	X(early_fragments, struct early_fragment, fixed,      CALLS,  SAME)  \
	X(xdp_programs,	__u32,			fixed,	      CALLS,  OWN)  \
	X(tc_programs,	__u32,			fixed,	      CALLS,  OWN)

enum table_id {
#define X(name, of, size, reach, growth) TABLE_##name,
	TABLES(X)
#undef X
	NR_TABLES,
};

enum table_reach { TABLE_WHOLE, TABLE_WINDOW, TABLE_CALLS };
enum table_growth { TABLE_SAME, TABLE_COPY, TABLE_EMPTY, TABLE_MOVE,
		    TABLE_OWN };

struct table_row {
	const char *name;
	enum table_size size;
	enum table_reach reach;
	enum table_growth growth;
};

extern const struct table_row table_rows[NR_TABLES];
extern const struct table_sizes table_sizes_default;

/* One of the sizes; TABLE_SIZE_fixed is none of them. */
__u32 *table_size_at(struct table_sizes *sizes, enum table_size which);

/*
 * The one rule of growth. Room for needed entries where there is room for
 * size: size, if that will do; else twice of it at least, as growing is dear,
 * and a quarter more than needed, as there will be others.
 */
__u32 table_size_grown(__u32 size, __u64 needed);

struct tables {
	const __u32 *hash_key;		/* 16 words */
#define TABLE_FIELD_WHOLE(name, of) of *name;
/* [first ... first + count - 1]. The pointer is good until the next call of
 * the same function; NULL: cannot be mapped. */
#define TABLE_FIELD_WINDOW(name, of) \
	of *(*name)(struct tables *t, __u32 first, __u32 count);
#define TABLE_FIELD_CALLS(name, of)
#define X(name, of, size, reach, growth) TABLE_FIELD_##reach(name, of)
	TABLES(X)
#undef X
#define X(name, field, by_default) __u32 field;
	TABLE_SIZES(X)
#undef X

	/*
	 * Maps that are reached by CALLS and have keys, each with its own and
	 * its value (bpf/lib/maps.h). 0 or -errno: -E2BIG or -ENOSPC, it is
	 * full; -ENOENT, there is no such entry. entries_each() ends early when
	 * f returns other than 0, which it returns then; nothing may be set or
	 * deleted from within, and what others add or take out meanwhile may be
	 * left out, or come twice.
	 */
	int (*entry_set)(struct tables *t, enum table_id id, const void *key,
			 const void *value);
	int (*entry_del)(struct tables *t, enum table_id id, const void *key);
	int (*entries_each)(struct tables *t, enum table_id id,
			    int (*f)(void *arg, const void *key,
				     const void *value),
			    void *arg);

	/* Returns when no program runs any more that ran before: nobody goes by
	 * what it has read. Takes tens of milliseconds. NULL: not needed. */
	void (*settle)(struct tables *t);

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
