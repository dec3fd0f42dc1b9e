/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The books of what is in the tables, private to this folder: whoever is
 * outside includes reconcile.h, its door. Books hold what the tables do not
 * say by themselves, and indexes rather than copies.
 */
#ifndef FAIRLEAD_BOOKS_H
#define FAIRLEAD_BOOKS_H

#include "maglev.h"
#include "pool.h"
#include "ranges.h"
#include "reconcile.h"
#include "model/conns_repair.h"
#include "model/service_set.h"

#define GRACE_S 2	/* packets that read an entry are gone after that */

/* By service id. No entries: the id is not in use. */
struct service_book {
	__u64 digest;		/* of the definition in force; 0: unknown */
	__u32 *entries;		/* in tables.services, one a front end */
	__u32 *backends;	/* indexes, sorted by address and port */
	__u32 nr_entries;
	__u32 nr_backends;
	__u32 nr_leaving;	/* of them */
	__u32 nr_defined;	/* as the definition in force has them */
	__u32 written_s;	/* last time that a slot was written */
	bool has_local_nat;	/* counted in state.nr_local_nat */
};

/* By entry of tables.services, for those that are SERVICE_VIP. */
struct vip_book {
	__u32 services;		/* at the address */
	__u32 single;		/* of them, not CIDRs: seen by vip_filter */
	__u32 nat;		/* of those, FORWARD_NAT */
	bool is_node;		/* and held by node_addrs.c */
};

/* Which of the host's addresses have node ports. */
struct node_addrs {
	struct model_prefix prefixes[MODEL_NODEPORT_PREFIXES_MAX];
	__u32 nr_prefixes;	/* 0: the primary ones */
	struct addr primary4, primary6;	/* zero: not known */
	__u32 nr_held;
	bool is_defined;	/* false after a restart, until all is read */
};

struct prefix_book {
	struct prefix_key key;
	__u32 services;
	__u32 nat;
};

/*
 * By list id: what is in the map sources, or will be. Held by service entries
 * in force, and by a plan for what it will write; by nobody, it is to go.
 */
struct admission_book {
	__u64 digest;		/* 0: not whole, nobody else may share it */
	struct model_source *sources;	/* owned; as a model's */
	__u32 nr_sources;
	__u32 holders;
	__u32 next;		/* of its bucket, or of the free ones */
	bool is_written;
	bool is_counted;	/* in plan.sources */
};

#define ADMISSION_BUCKETS 4096

/* How many reasons a byte of vip_filter has to have each of its bits. */
struct filter_book {
	__u16 service;
	__u16 conns;
	__u16 replies;
	__u16 node;
};

enum retired_kind { RETIRED_ID, RETIRED_ENTRY, RETIRED_RANGE, RETIRED_BACKEND,
		    RETIRED_ADMISSION };

/* Out of use since; not to be given away before the grace period is over. */
struct retired {
	__u32 since_s;
	enum retired_kind kind;
	__u32 index;
	__u32 count;		/* RETIRED_RANGE */
};

/* An id that is nobody's, but that connections may name yet. */
struct unswept {
	__u32 backend;
	__u32 since_s;
};

/* Looked at for the sake of connections alone. */
struct kept_addr {
	struct addr addr;
	__u32 since_s;
	bool is_named;		/* by a record, in the walk that goes on */
};

/* See kept.c. A service that is gone has an id, a name and a book with backends
 * that left, but no entries. */
struct kept {
	__u32 *gone;		/* ids; owned */
	size_t nr_gone, max_gone;
	struct kept_addr *addrs;	/* owned */
	size_t nr_addrs, max_addrs;
	size_t nr_walked;	/* the first of them, which are in order */
};

/* A walk over conns, some buckets each tick. */
struct scan {
	bool active;
	__u32 started_s;
	__u32 next_s;		/* not before */
	__u32 bucket;
	__u32 conn_buckets, nr_slots, nr_backends; /* when it started */
	__u8 *needed;		/* by slot: a live flow is not its owner's */
	__u8 *named;		/* by backend: a live flow or a slot has it */
	bool nat_named[2 * NAT_ADDRS_MAX + 1];	/* by place in nat_addrs */
	struct conn_entry *dead;	/* of a window, */
	struct scan_flow *flows;	/* and those that live */
	size_t nr_flows;
	struct conns_locked locked;
};

/* What the services of a model take together. */
struct totals {
	__u64 keys, slots, backends;
};

struct state {
	struct tables *t;
	/*
	 * What is in force, so that of a model that was made from it what
	 * differs is enough to look at. NULL: some of it may not be, or not as
	 * it was defined, and a plan looks at all.
	 */
	struct service_set *set;
	struct totals totals;		/* of set */
	__u32 idle_tcp_s, idle_udp_s, idle_sctp_s;	/* with set */
	struct node_addrs node;
	__u8 nat_held[2 * NAT_ADDRS_MAX + 1];	/* see nat_addrs.c */
	struct service_book *books;	/* [nr_services] */
	struct vip_book *vips;		/* [nr_services] */
	__u32 nr_services, nr_backends;	/* as tables had when last looked */
	__u32 cell_buckets;
	__u32 *order;			/* ids by name */
	size_t nr_order;
	struct pool ids, entries, backends;
	struct ranges slots;
	__u32 cells_used;
	__u32 nr_local_nat;		/* services with NAT, a backend here */
	bool is_own_old;		/* own.c has to look at all again */
	bool has_freed_backends;	/* filters.c, likewise */
	__u32 backends_renewed_s;
	struct filter_book *filter;	/* [VIP_FILTER_SIZE] */
	struct prefix_book *prefixes;
	size_t nr_prefixes, max_prefixes;
	struct admission_book *admissions;	/* [max_lists], by id, from 1 */
	__u32 nr_lists, max_lists;
	__u32 free_list;		/* below nr_lists; 0: none */
	__u32 nr_admission_entries;	/* in the map, or will be */
	__u32 admission_buckets[ADMISSION_BUCKETS]; /* by digest; 0: none */
	struct retired *retired;	/* oldest first */
	size_t nr_retired, max_retired;
	struct unswept *unswept;	/* oldest first */
	size_t nr_unswept, max_unswept;
	struct maglev_member *members;	/* scratch of layout_write() */
	size_t max_members;
	__u32 *owners;			/* [2 * MAGLEV_SIZE_MAX], scratch */
	struct slot *old_slots;		/* [MAGLEV_SIZE_MAX], scratch */
	struct scan scan;
	struct conns_locked locked;	/* when the last scan met them */
	struct kept kept;
	bool has_asked_conns;		/* what records name, at first: until
					 * then vip_filter stays as it is */
	struct state_host host;
	struct state_health health;
};

/* books.c */
int retired_reserve(struct state *s, size_t more);
void retire(struct state *s, enum retired_kind kind, __u32 index, __u32 count,
	    __u32 now_s);		/* reserved before */
size_t order_find(const struct state *s, const char *name, bool *ret_found);
/* Is it not defined any more? */
static inline bool backend_left(const struct backend *b)
{
	return b->state == BACKEND_LEAVING || b->state == BACKEND_GONE;
}

/* What follows from what is defined, set by hand and found by checks: the worst
 * of it. */
__u8 backend_state_of(const struct backend *b);
void backend_state_store(struct backend *b, __u8 state, __u32 now_s);
/* The sign of a after b, the order of service_book.backends. port: host's. */
int backend_compare(const struct backend *b, const struct addr *addr,
		    __u16 port);

/* The next plan looks at everything. */
void state_forget_set(struct state *s);

/* What all front ends of a service say alike, any of its entries says; entry
 * 0, which says nothing, if it could not be given one. */
static inline struct service *book_entry(const struct state *s, __u32 id)
{
	const struct service_book *book = &s->books[id];

	return &s->t->services[book->nr_entries ? book->entries[0] : 0];
}

bool book_has(const struct service_book *book, __u32 entry);
/* Is entries[i] the first of them to have its range of slots? After a death
 * amid a change, some of a service's have the old one. */
bool range_is_first(const struct state *s, const __u32 *entries, __u32 i);
/* What an entry says of a definition's front. */
struct model_front entry_front(const struct service *e);

bool addr_is_host(const struct state *s, const struct addr *a);

/* After a change of its backends, their BACKEND_LOCAL, or how it forwards. */
void local_nat_count(struct state *s, __u32 id);

/* cells.c: how services are found */
bool entry_is_in_force(const struct state *s, __u32 entry);
bool service_is_cidr(const struct service *e);
/* Wrong proto, addr or port: 0. port: host order. */
__u32 cells_find(const struct state *s, const struct addr *addr, __u16 port,
		 __u8 proto);
/* How many cells a range of ports takes. */
__u32 cells_of(__u16 port_first, __u16 port_last);
int cells_put(struct state *s, __u32 entry);
void cells_del(struct state *s, __u32 entry); /* those that still name it */
/* Every cell right and no other: after a restart, after a growth. */
int cells_repair(struct state *s);
int vip_hold(struct state *s, const struct service *e);	/* before the cells */
void vip_drop(struct state *s, const struct service *e, __u32 now_s);
bool vip_adopt(struct state *s, const struct service *e);
int prefixes_reserve(struct state *s, size_t more);
int filter_hold(struct state *s, const struct service *e); /* after them */
int filter_drop(struct state *s, const struct service *e);
/* An address is a service's or NAT's from now on, or is so no more. */
void filter_add(struct state *s, const struct addr *addr, __u8 class);
void filter_del(struct state *s, const struct addr *addr, __u8 class);
void filter_repair(struct state *s);

/* filters.c: ports and backends that there are, from now on */
void filter_ports(struct tables *t, __u32 first, __u32 last);
void filter_backend(struct tables *t, __u32 backend);
void filters_load(struct state *s);	/* of all that is in the tables */
/* Once a second: those of backends that are no more go, now and then. */
void filters_tick(struct state *s, __u32 now_s);

/* admission.c: lists of who may use services */
int admission_compare(const struct model_source *a,
		      const struct model_source *b);
__u64 admission_digest(const struct model_source *sources, size_t count);
/* A list that says this, to be written yet unless there is one; held. No
 * sources: 0, which is no list. */
int admission_plan(struct state *s, const struct model_source *sources,
		 size_t count, __u32 *ret);
void admission_hold(struct state *s, __u32 id);
/* The last holder retires it (reserved before), if it was written. */
void admission_drop(struct state *s, __u32 id, __u32 now_s);
int admission_write(struct state *s, __u32 id);	/* all of it, or nothing */
void admission_give_back(struct state *s, __u32 id); /* no packet reads it */
/* After a restart: the lists that services in order name; no others stay. */
int admission_read(struct state *s, unsigned int *ret_dropped);
void admission_clear(struct state *s);

/* node_addrs.c: where node ports are served */
void node_addrs_define(struct state *s, const struct model *m);
bool front_is_node(const struct addr *a);	/* is it node_addr()? */
/* How many more addresses may have to be held, at most. */
__u32 node_addrs_more(const struct state *s);
/* The host's addresses, the definitions or the front ends are others now.
 * -ENOSPC: what there was room for is there. */
int node_addrs_update(struct state *s, __u32 now_s);
/* After a restart: those in the books. */
void node_addrs_adopt(struct state *s);

/* own.c: the sets of our own addresses, after VIPs, NAT's or the host's have
 * changed */
void own_update(struct state *s);

/* layout.c: who owns the slots of a service */
struct layout {
	__u32 id;
	const struct service *old;	/* NULL: a new service */
	const struct service *new;
	const __u32 *backends;		/* those that leave are not ACTIVE, */
	size_t nr_backends;		/* or in leaves */
	const bool *leaves;		/* NULL: none */
};

/* Weights of the backends that may get new flows. */
struct weights {
	__u64 sum;
	__u32 nr, min, divisor;	/* of all of them */
};

/*
 * One slot an endpoint, or as many as the weights need, those of the local set
 * first: choices are by chance, and nobody asks who had a slot before. Has that
 * set backends that the cluster's has not, then it has slots of its own, behind
 * all others.
 */
bool slots_are_dense(const struct service *e);
/* Of both, from slot_base on. */
__u32 service_slots(const struct service *e);
void weights_add(struct weights *w, __u32 weight);
/* How many slots e is to have; had: of its table now, which never gets smaller
 * but where it is dense. */
__u32 layout_size(const struct service *e, const struct weights *w, __u32 had);
int layout_reserve(struct state *s, size_t members);
/* Are the slots of new, dense ones, what layout_write() would write? */
bool layout_is_written(struct state *s, struct layout *l);
/* Write the slots of new; how many were written, or -errno. */
int layout_write(struct state *s, struct layout *l, __u32 now_s);

/* reconcile.c: the slots anew, after a backend was set by hand */
int service_relayout(struct state *s, __u32 id, __u32 now_s);

/* load.c: into the books what is in the tables */
int state_read(struct state *s, __u32 now_s, unsigned int *ret_dropped);

/* kept.c: for connections of what is no more */
/* Do connections to e outlive it? */
bool front_is_kept(const struct service *e);
/* Room for so many more, which are added after that. */
int kept_reserve(struct state *s, size_t services, size_t addrs);
void kept_add_gone(struct state *s, __u32 id);
void kept_hold(struct state *s, const struct addr *a, __u32 now_s);
int kept_find(struct state *s, const struct conn *c, __u32 now_s);
void kept_walk(struct state *s);	/* over conns: one begins */
void kept_see(struct state *s, const struct conn *c);
void kept_walked(struct state *s);	/* ... and is over */
void kept_clear(struct state *s);

/* nat_addrs.c */
void nat_addrs_load(struct state *s);	/* what is in the tables */
bool nat_addrs_wait(const struct state *s);	/* for a walk over conns */
void nat_addrs_walk(struct state *s);	/* one begins */
/* ... and is over: which places live records name. */
void nat_addrs_walked(struct state *s, const bool *is_named);

void unswept_add(struct state *s, __u32 backend, __u32 now_s);
/* What records name: before anything is given away, or the filter written. */
int conns_ask(struct state *s, __u32 now_s);
/* The backend that a record is of, if it is yet the one that was recorded. */
const struct backend *conn_owner(const struct state *s, const struct conn *c);
void scan_clear(struct scan *scan);

#endif
