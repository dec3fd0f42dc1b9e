/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What host*.c share, and nobody else includes. */
#ifndef FAIRLEAD_HOST_PRIVATE_H
#define FAIRLEAD_HOST_PRIVATE_H

#include <net/if.h>

#include <linux/if_ether.h>

#include <fairlead/hash.h>

#include "host.h"

#define ADDR_BITS 128
#define V4_BITS 96		/* of struct addr, before IPv4's own */
#define UPLINKS_MAX 64

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
/* It frees it, too. */
void table_remove(struct hash_table *t, struct node *node);
/* After a node was put into its chain by hand. */
void table_grown(struct hash_table *t);

/* Call fn for each; it may remove the one that it gets. */
void table_each(struct host *h, const struct hash_table *t,
		void (*fn)(struct host *h, struct node *node));

/* How an interface carries what others send and get. */
enum iface_role {
	IFACE_ENDS,		/* what comes in by it is its own */
	IFACE_ON_LOWER,		/* a VLAN, a macvlan: on top of one other */
	IFACE_ON_PORTS,		/* a bridge, a bond: on top of its ports */
};

struct iface {
	struct node node;
	__u32 ifindex;
	__u32 flags;		/* IFF_* */
	__u32 mtu;
	__u32 entry;		/* index in links; 0: none yet */
	struct address *addresses;	/* here, by next_here */
	enum iface_role role;
	__u32 lower;		/* IFACE_ON_LOWER: ifindex; 0: in another
				 * namespace */
	__u32 master;		/* whose port it is; 0: nobody's */
	__be16 vlan_proto;	/* 0: no VLAN */
	__be16 vlan_id;
	bool is_vrf;
	bool is_elsewhere;	/* a veth whose other end is in another netns */
	bool is_veth;
	__u8 mac[ETH_ALEN];
	__u8 mac_len;		/* 0: has no MACs; other than 6: not Ethernet */
	bool is_l3;		/* packets there begin with IP */
	char name[IF_NAMESIZE];
};

/* A MAC address that an interface takes besides its own. */
struct extra_mac {
	struct node node;
	__u32 ifindex;
	__u8 mac[ETH_ALEN];
};

struct address {
	struct node node;
	struct address *next_here;
	struct addr addr;
	struct addr net;	/* the subnet, of so many bits of struct addr */
	__u8 bits;
	__u8 len;		/* as told: the kernel's key has it */
	__u8 rank;		/* the lowest is the interface's source */
	__u32 ifindex;
	__u64 serial;		/* order of arrival */
};

enum address_rank {
	RANK_PRIMARY,
	RANK_SECONDARY,		/* or temporary */
	RANK_DEPRECATED,	/* a source only where nothing else is */
	RANK_UNFIT,		/* never one: link scope */
	RANK_NOT_OURS,		/* nor this host's: may be somebody else's */
};

/* Whose an entry of links[] is. */
struct link_book {
	__u32 ifindex;		/* 0: nobody's */
	__u16 next;		/* one more of the same interface; 0: none */
};

/* VRFs that uplinks are in, the first one that an uplink is in first. */
struct domains {
	__u32 vrfs[UPLINKS_MAX];	/* ifindexes; 0: in none */
	__u32 count;			/* 1 at least */
};

/* How many rules there are: see host_rules.c. */
struct rules {
	__u32 all, main, others;
};

struct rules_of_host {
	struct rules of[2];	/* IPv4's, IPv6's */
};

enum question_kind {
	QUESTION_ROUTE,		/* by which hop, to an address */
	QUESTION_SOURCE,	/* from where, by an interface */
};

/* And the kernel's answer. */
struct question {
	struct node node;
	enum question_kind kind;
	struct addr key;	/* what the answer is the same for */
	struct addr dst;	/* what the kernel is asked about */
	__u32 oif;		/* 0: any */
	bool is_queued, is_known;
	__u32 asked;		/* struct host's revision when it was asked, */
	__u32 revision;		/* and when what is known was */
	__u32 answer;		/* needed since that change */
	enum route_result result;
	struct hop hop;
	struct question *next_queued;
};

struct host {
	struct link *links;
	struct link_book *entries;	/* [nr_links] */
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
	struct hash_table ifaces, addresses, neighbours, routes, extra_macs;
	struct hash_table questions;
	struct question *first_question, *last_question; /* to be asked */
	__u32 revision;		/* of all that the kernel's answers depend on */
	struct rules_of_host rules;
	struct rules_of_host rules_before;	/* this reading */
	struct domains domains;
	__u32 subnets[ADDR_BITS + 1];	/* IPv6 addresses by their prefix */
	struct word_bucket *ingress;	/* NULL: not kept */
	bool is_ingress_old;
	bool is_ingress_full_told;
	__u32 lengths[ADDR_BITS + 1];	/* routes of each length */
	__u32 joining;		/* host_join_addresses(): whose */
	__u32 uplinks[UPLINKS_MAX];
	size_t nr_uplinks;
	bool has_pods;
	char pod_bridge[IF_NAMESIZE];	/* "": see struct pod_match */
	char pod_prefix[IF_NAMESIZE];
};

static inline __u64 hash_of(const struct host *h, const struct addr *addr,
			    __u32 more)
{
	return hash_mix(hash_addr(h->key, 0, addr) +
			hash_pair(h->key, 4, more, 0));
}

/* Each of these takes the messages about its kind, and forgets what a reading
 * did not mention. */
int host_take_link(struct host *h, const struct nlmsghdr *m);
int host_take_address(struct host *h, const struct nlmsghdr *m);
int host_take_neighbour(struct host *h, const struct nlmsghdr *m);
int host_take_route(struct host *h, const struct nlmsghdr *m);
int host_take_rule(struct host *h, const struct nlmsghdr *m);
int host_take_mac(struct host *h, const struct nlmsghdr *m); /* AF_BRIDGE's */
void host_sweep_ifaces(struct host *h);
void host_sweep_addresses(struct host *h);
void host_sweep_neighbours(struct host *h);
void host_sweep_routes(struct host *h);
void host_sweep_macs(struct host *h);


struct iface *iface_find(const struct host *h, __u32 ifindex);
bool iface_is_vlan(const struct iface *iface);
/* One tag at most, on a parent that is here; Ethernet, or no MACs at all. */
bool iface_can_send(const struct host *h, const struct iface *iface);
/* Is there such an interface, with all of these IFF_*? */
bool host_has_iface(const struct host *h, __u32 ifindex, __u32 flags);
/* Is it up, and Ethernet? */
bool host_has_frames(const struct host *h, __u32 ifindex);

/* Of iface's usable addresses of a family the best, of near's subnet if that
 * is not NULL; NULL: there is none. Valid until the next message. */
const struct addr *iface_addr(const struct iface *iface, const bool v6,
			      const struct addr *near);
/* The best of near's family that test lets pass, of its subnet if possible. */
const struct addr *iface_addr_like(const struct iface *iface,
				   const struct addr *near,
				   const struct addr_test *test);
/* Is it one of iface's that may stay its source? */
bool iface_may_send_from(const struct iface *iface, const struct addr *addr);
/* Addresses that were told of before their interface was. */
void host_join_addresses(struct host *h, const struct iface *iface);

/* The first len bits of addr, then zeros. */
struct addr addr_masked(const struct addr *addr, unsigned int len);

bool iface_is_pods(const struct host *h, const struct iface *iface);

/* The entry of links[] that iface has, or gets now; 0: all are in use. */
__u32 link_entry(struct host *h, struct iface *iface);
/* The one for packets from that source; zero: the interface's own. */
__u32 link_entry_from(struct host *h, struct iface *iface,
		      const struct addr *source, const bool v6);
/* iface is gone. */
void link_give_up(struct host *h, struct iface *iface);
/* Entries of sources that are not this host's any more are nobody's. */
void host_forget_sources(struct host *h);
/* An uplink may be in another VRF now. */
void host_find_domains(struct host *h);
/* Is it one of the interfaces of host_set_uplinks()? */
bool host_is_uplink(const struct host *h, __u32 ifindex);

/* Are they such that host_route() finds what the kernel would? */
bool host_rules_are_plain(const struct host *h, const bool v6);

/* What the kernel says, once it is known; else it will be asked about dst, and
 * dst's answer is that of all with this key. NULL: no memory. */
const struct question *host_question(struct host *h, enum question_kind kind,
				     const struct addr *key,
				     const struct addr *dst, __u32 oif);

struct neighbour *neighbour_get(struct host *h, __u32 ifindex,
				const struct addr *addr);
/* Has iface to have an entry, even if no next hop uses it? */
bool link_is_wanted(const struct host *h, const struct iface *iface);
/* What is known of iface, into its entry, if it has one. */
void link_publish(struct host *h, const struct iface *iface);

#endif
