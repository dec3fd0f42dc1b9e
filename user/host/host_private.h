/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What host*.c share, and nobody else includes. */
#ifndef FAIRLEAD_HOST_PRIVATE_H
#define FAIRLEAD_HOST_PRIVATE_H

#include <net/if.h>

#include <linux/if_ether.h>

#include <fairlead/hash.h>

#include "host.h"

#define ADDR_BITS 128

struct hash_table {
	struct node **buckets;
	__u32 mask;
	__u32 count;
};

static inline struct node **table_bucket(const struct hash_table *t, __u64 hash)
{
	return &t->buckets[hash & t->mask];
}

int table_init(struct hash_table *t);
void table_free(struct hash_table *t);		/* and all that is in it */
void table_add(struct hash_table *t, struct node *node);
void table_remove(struct hash_table *t, struct node *node);	/* frees it too */
/* After a node was put into its chain by hand. */
void table_grown(struct hash_table *t);

/* Call fn for each; it may remove the one that it gets. */
void table_each(struct host *h, const struct hash_table *t,
		void (*fn)(struct host *h, struct node *node));

struct host {
	struct link *links;
	__u32 nr_links;
	__u32 last_entry;	/* last one given away */
	bool is_full_told;
	bool is_reading;
	bool is_stale;
	bool is_changed;
	__u32 reading;
	__u32 answer;
	__u64 serial;
	__u32 key[8];
	struct hash_table ifaces, addresses, neighbours, routes;
	__u32 lengths[ADDR_BITS + 1];	/* routes of each length */
};

static inline __u64 hash_of(const struct host *h, const struct addr *addr,
			    __u32 more)
{
	return hash_mix(hash_addr(h->key, 0, addr) +
			hash_pair(h->key, 4, more, 0));
}

/* Is there such an interface, with all of these IFF_*? */
bool host_has_iface(const struct host *h, __u32 ifindex, __u32 flags);

/* RTM_NEWROUTE and RTM_DELROUTE; forget what a reading did not mention. */
int host_take_route(struct host *h, const struct nlmsghdr *m);
void host_sweep_routes(struct host *h);

#endif
