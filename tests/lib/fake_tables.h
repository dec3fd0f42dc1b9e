/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The datapath's tables from calloc, models made by hand, and the datapath's
 * look-ups over again in user space, to see what a packet would find.
 */
#ifndef FAIRLEAD_FAKE_TABLES_H
#define FAIRLEAD_FAKE_TABLES_H

#include "model/model.h"
#include "model/tables.h"

struct fake_prefix {
	struct prefix_key key;
	struct prefix value;
};

/* An entry of a map that is reached by entry_set(). */
struct fake_entry {
	struct fake_entry *next;
	char bytes[];		/* the key, then the value */
};

#define FAKE_CHAINS 16384

struct fake_map {
	struct fake_entry *chain[FAKE_CHAINS];
	__u32 count;
};

struct fake {
	struct tables t;	/* first: the callbacks find the rest by it */
	__u32 hash_key[16];
	struct slot *slot_memory;
	struct conn_bucket *conn_memory;
	struct reply_bucket *reply_memory;
	struct fake_prefix prefixes[16];
	size_t nr_prefixes;
	struct fake_source *sources;
	size_t nr_sources, max_sources;	/* max: more are refused */
	unsigned int slot_windows; /* how often slots() was called */
	bool slots_fail;
	struct fake_map *maps[NR_TABLES];	/* NULL: nothing was set */
	__u32 max_entries[NR_TABLES];	/* of maps: more are refused */
	unsigned int entry_calls;	/* entry_set() and entry_del() */
};

struct fake_source {
	struct source_key key;
	__u32 flags;
};

struct fake_sizes {
	__u32 services, backends, slots, cell_buckets, conn_buckets;
};

/* Aborts when out of memory. */
struct fake *fake_new(struct fake_sizes sizes);
void fake_free(struct fake *f);

/* As dp_grow(): larger copies of everything; cells are copied as they are. */
void fake_grow(struct fake *f, struct fake_sizes sizes);

/* The value of an entry; NULL: there is none. */
const void *fake_entry(const struct fake *f, enum table_id id, const void *key);

/* All tables but conns and those of policy, for a comparison. */
__u64 fake_digest(const struct fake *f);

struct addr fake_addr4(__u32 host_order);

/* A service of m, which keeps them sorted by name. */
struct model_service *fake_service(struct model *m, const char *name,
				   __u32 addr, __u16 port, __u8 proto);
/* One more front end of svc, which keeps them sorted. */
struct model_front *fake_front(struct model_service *svc, __u32 addr,
			       __u16 port);
void fake_front_remove(struct model_service *svc, size_t at);
void fake_backend(struct model_service *svc, __u32 addr, __u16 port,
		  __u16 weight);
void fake_backend_remove(struct model_service *svc, __u32 addr, __u16 port);
void fake_service_remove(struct model *m, const char *name);

/* text: a prefix, such as "198.51.100.0/24". */
void fake_source(struct model_service *svc, const char *text, bool allow);

/* May the client use what svc says? As bpf/lib/service.h finds it. */
bool fake_admits(struct fake *f, const struct service *svc, __u32 client);

/* What bpf/lib/service.h finds; NULL: nothing. port: host order. */
const struct service *fake_find(struct fake *f, const struct addr *dst,
				__u16 port, __u8 proto);
struct slot fake_slot(struct fake *f, const struct service *svc,
		      const struct flow *flow);

struct flow fake_flow(const struct addr *dst, __u16 port, __u8 proto,
		      __u32 client, __u16 sport);

/* As the datapath: who serves a packet of flow. opens: the first of one. */
__u32 fake_packet(struct fake *f, const struct flow *flow, bool opens,
		  __u32 now_s);

#endif
