/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Brings the tables in step with a model, in an order that is safe for
 * traffic: backend, slots, sources, service, cell, filter; removal the other
 * way, and nothing is reused before a grace period is over. Knows no kernel:
 * works on struct tables, and time is an argument.
 *
 * The door of this folder: nobody outside it includes another header of it.
 * From the top: reconcile.c, by_hand.c, diff.c; plan.c, load.c, settle.c;
 * change.c, room.c, digest.c; layout.c, cells.c, admission.c; books.c, pool.c,
 * ranges.c, maglev.c.
 */
#ifndef FAIRLEAD_RECONCILE_H
#define FAIRLEAD_RECONCILE_H

#include <stdbool.h>
#include <stdio.h>

#include "model/model.h"
#include "model/tables.h"

/* What is in the tables, as user/ keeps the books of it. */
struct state;

/*
 * Read back what the tables hold (a restart finds them full). What
 * contradicts itself is dropped, and counted in *ret_dropped if not NULL.
 */
int state_load(struct tables *t, __u32 now_s, struct state **ret,
	       unsigned int *ret_dropped);
void state_free(struct state *s);
void state_freep(struct state **s);

/* The tables have grown (dp_grow()): books and cells follow. */
int state_resize(struct state *s);

/* What a reconcile did, and what it would need. */
struct reconcile_result {
	unsigned int added, changed, removed, unchanged; /* services */
	unsigned int backends_added, backends_changed, backends_removed;
	unsigned int slots_written;
	struct table_sizes needed; /* with -ENOSPC: call dp_grow(), then again */
};

/*
 * Make the tables say what m says. -ENOSPC: nothing was changed, needed is
 * filled. -E2BIG: m exceeds a limit of its own (max_services ...), nothing
 * was changed and text says which, with numbers. -EAGAIN: nothing was changed,
 * text says why, and a few seconds later it will be possible. Not logged.
 */
#define RECONCILE_TEXT_MAX 200
int reconcile(struct state *s, const struct model *m, __u32 now_s,
	      struct reconcile_result *ret,
	      char text[static RECONCILE_TEXT_MAX]);

/* Say to out what reconcile() would do, a line each: "+ service ...",
 * "- backend ...", "~ service ...: algorithm maglev -> random". Returns the
 * number of differences. */
unsigned int reconcile_diff(struct state *s, const struct model *m, FILE *out);

/*
 * To be called every second or so: gives entries that are out of use and past
 * their grace period back, frees backends that left and that no slot names,
 * and settles slots whose last change is older than the service's idle limit
 * and that no live connection needs. Returns the number of slots settled.
 */
unsigned int reconcile_tick(struct state *s, __u32 now_s);

/* Set by hand, until unset; stays through reconciles and restarts (flags in
 * struct backend). service: a name. addr, port: host order. -ENOENT: none. */
int state_backend_set_state(struct state *s, const char *service,
			    const struct addr *addr, __u16 port,
			    enum backend_state state, __u32 now_s);
int state_backend_set_weight(struct state *s, const char *service,
			     const struct addr *addr, __u16 port,
			     __u16 weight, __u32 now_s);
/* Back to what the definition says: BACKEND_SET_STATE | BACKEND_SET_WEIGHT. */
int state_backend_unset(struct state *s, const char *service,
			const struct addr *addr, __u16 port, __u8 flags,
			__u32 now_s);

/*
 * What reconcile() asks about the host before anybody sees a new entry, so
 * that the first packet finds its way and no port of the host is rejected.
 * Not set: no address is the host's, no way is known.
 */
struct state_host {
	bool (*is_host)(void *arg, const struct addr *a);
	/* Writes hop and the BACKEND_LOCAL flag, as for
	 * state_each_backend(). */
	void (*way)(void *arg, __u32 index, struct backend *b);
	/* Calls f for each address of the host. NULL: it has none. */
	void (*each_addr)(void *arg,
			  void (*f)(void *data, const struct addr *a),
			  void *data);
	void *arg;
};
void state_set_host(struct state *s, const struct state_host *host);

/*
 * What health checks say of a backend of a service, as struct backend's
 * state_health: asked for new backends before anybody sees them, and by
 * state_health_look().
 */
struct state_health {
	__u8 (*of)(void *arg, const char *service, const struct addr *addr,
		   __u16 port);		/* host order */
	void *arg;
};
void state_set_health(struct state *s, const struct state_health *health);
/* Ask for all backends of a service, and act on it. NULL: of all services. */
int state_health_look(struct state *s, const char *service, __u32 now_s);

/* Backends in use, for next hops: f is called with index and entry; it may
 * write hop (table_store) and the BACKEND_LOCAL flag. */
void state_each_backend(struct state *s,
			void (*f)(void *arg, __u32 index, struct backend *b),
			void *arg);

/* Is b, which is in use, of a service with NAT? */
bool state_is_nat(const struct state *s, const struct backend *b);
/* ... of one that goes in tunnels to other nodes, by any of its front ends? */
bool state_is_tunnelled(const struct state *s, const struct backend *b);

/* Does a service with NAT have a backend on this host, by BACKEND_LOCAL? */
bool state_has_local_nat(const struct state *s);

/* May connections live of services of a node that are no more, or of front ends
 * that these had? */
bool state_keeps(const struct state *s);

/* Is a the address of a front end in force, or in its CIDR? */
bool state_serves(const struct state *s, const struct addr *a);

/* The host has other addresses now: writes SERVICE_HOST of the VIP entries, the
 * sets of our own addresses, and where node ports are. struct state_host's
 * is_host is asked for each VIP. -ENOSPC: not all node ports are everywhere. */
int state_host_addrs(struct state *s, __u32 now_s);

/* Where node ports are, as the last model says, whether there are any or not:
 * at a, if the host has it; at all that a host has of a family. */
bool state_is_node_addr(const struct state *s, const struct addr *a);
bool state_all_are_node_addrs(const struct state *s, bool is4);

/* NAT: addresses that fl_xdp must recognise replies to. Sets nat_addrs,
 * runtime's counts and vip_filter; an address keeps its index for as long as
 * it is in use. Up to NAT_ADDRS_MAX of each family. */
int state_nat_addrs(struct state *s, const struct addr *addrs, size_t count);
/* Its index in nat_addrs; 0: it is none of them. */
__u8 state_nat_index(const struct state *s, const struct addr *addr);

/* For listings: services by id. Fills up to max, returns how many there are. */
struct state_service {
	__u32 id;
	const struct service *service;	/* of the first front end */
	const __u32 *entries;		/* of all: indexes in tables.services */
	size_t nr_entries;
	const struct service_info *info;
	const __u32 *backends;		/* indexes in tables.backends */
	size_t nr_backends;
	const struct model_source *sources; /* sorted; as the map has them */
	size_t nr_sources;
};
size_t state_services(const struct state *s, struct state_service *ret,
		      size_t max);

/*
 * How wide the ways to backends are: as routes say, and as ICMP errors about
 * our tunnels' packets tell (RFC 1191, RFC 8201; for tunnels RFC 2003, 4, RFC
 * 2473, 7.1, RFC 4459). Sends nothing itself.
 *
 * What is learned is forgotten after so long: then larger packets try again
 * (RFC 1191, 6.3; RFC 8201, 4).
 */
#define PATH_MTU_S 600

#define PATH_MTU_ANSWER_MAX 1280

/* An IP packet of ours: the ICMP error for who sent what was in the tunnel. */
struct path_mtu_answer {
	struct addr to;
	size_t len;		/* 0: there is nobody to tell */
	__u8 packet[PATH_MTU_ANSWER_MAX];
};

/*
 * frame: an Ethernet frame with an ICMP error about a packet's size, from
 * anybody. It is believed if its checksum is right and it quotes a packet of
 * ours: from where our tunnels come, to a backend of a service with such a
 * tunnel, with the entropy that the flow inside has under the hash key, as far
 * as the quote shows that. What it says is never taken for less than 576 bytes
 * of IPv4 or 1280 of IPv6. Returns how many backends' ways are narrower now.
 */
unsigned int path_mtu_learn(struct state *s, const __u8 *frame, size_t len,
			    __u32 now_s, struct path_mtu_answer *ret);

/* What the route to b says; 0: nothing. b is an entry of the tables. */
void path_mtu_set_route(struct backend *b, __u32 mtu);

/* Forget what is older than PATH_MTU_S: every 10 s or so. */
void path_mtu_expire(struct state *s, __u32 now_s);

/* Room used, for status. */
void state_usage(const struct state *s, struct table_sizes *ret_used);

#endif
