/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A datapath to test: fl_xdp loaded but attached nowhere, its tables filled
 * from a model as the daemon fills them, next hops by hand, and packets run
 * through BPF_PROG_TEST_RUN. What fl_xdp gets arrives on lo of a network
 * namespace of its own: a backend of link 1 is hairpinned (XDP_TX), one of link
 * 2 is behind another interface (XDP_REDIRECT), one of link 3 in a VLAN of it,
 * those of links 5 and 6 are in pods, whose interfaces XDP does not send by.
 * There are devices by all those numbers. Each packet is put to the reference
 * as well.
 */
#ifndef FAIRLEAD_TEST_WORLD_H
#define FAIRLEAD_TEST_WORLD_H

#include <fairlead/programs.h>

#include "model/model.h"
#include "engine/reconcile.h"
#include "reference.h"

/* What backends are reached by, and what clients in CLIENT_VLAN come in by. */
enum { LINK_TX = 1, LINK_REDIRECT, LINK_VLAN, LINK_CLIENTS, LINK_POD,
       LINK_POD2 };
#define CLIENT_VLAN 9

#define WORLD_BACKENDS_MAX 16
#define WORLD_FRONTS_MAX 4
#define WORLD_SOURCES_MAX 8

struct world;

/* A service in words; what is 0 takes the model's default. */
struct service_words {
	const char *name;	/* NULL: "web" */
	const char *addr;
	const char *also[WORLD_FRONTS_MAX - 1]; /* more addresses, same ports */
	enum service_kind kind;	/* of every front end */
	__u16 flags;		/* of SERVICE_FRONT_FLAGS, likewise */
	__u8 tunnel;		/* of a node's, enum forward, likewise */
	unsigned int prefix_len; /* bits of the family's address; 0: all */
	__u8 proto;		/* 0: TCP */
	__u16 port, port_last;	/* 0: every port; last 0: one port */
	enum forward forward;
	enum algorithm algorithm;
	bool stateless;
	__u32 affinity_s;
	const char *backends[WORLD_BACKENDS_MAX];
	__u16 backend_port;	/* 0: the client's */
	const char *allow[WORLD_SOURCES_MAX]; /* prefixes of clients */
	const char *deny[WORLD_SOURCES_MAX];
};

/* One datapath a process; aborts on failure: without it nothing can be
 * tested. */
struct world *world_open(void);
void world_close(struct world *w);

/* No services, connections, host addresses; every setting a default, but that
 * answers have no limit. */
void world_reset(struct world *w);

/* Into the model, replacing what has the name; nothing applied yet. */
void world_define(struct world *w, const struct service_words *words);
void world_undefine(struct world *w, const char *name);

/* Bring the tables in step. */
void world_apply(struct world *w);

/* world_define() and world_apply(). */
#define world_service(w, ...) do {					\
	world_define(w, &(struct service_words){ __VA_ARGS__ });	\
	world_apply(w);							\
} while (0)

/* The state of a backend, set by hand, at every service that has it. */
void world_backend_state(struct world *w, const char *addr,
			 enum backend_state state);

/* Where a backend's frames go from the next world_apply() on: LINK_* or 0,
 * unknown; by its address to what XDP sends by, or to pods and other nodes. */
enum { LINKS_BY_ADDR = -1, LINKS_OF_NODE = -2 };
void world_link(struct world *w, int link);
/* What is known of the way to every backend, likewise; 0: nothing. */
void world_path_mtu(struct world *w, __u16 mtu);
/* BACKEND_LOCAL, _IN_LOCAL */
void world_local(struct world *w, const char *addr);
/* The sets that it is in at services of a node: BACKEND_SET_FLAGS. */
void world_in_sets(struct world *w, const char *addr, __u8 flags);

/* Frames to this MAC address are for the host, in one VLAN or (-1) all, from
 * world_reset() on those to mac_us. */
void world_takes(struct world *w, const uint8_t *mac, int vlan);

void world_host(struct world *w, const char *addr);  /* the host owns it */
/* And node ports are served there, alone of its family. */
void world_node(struct world *w, const char *addr);
void world_nat(struct world *w, const char *const *addrs, size_t count);

/* Let so much time pass for the daemon that every slot settles. */
void world_settle(struct world *w);

/* Also forget what conns has. */
void world_forget(struct world *w);

struct tables *world_tables(struct world *w);
struct state *world_state(struct world *w);
/* What is changed in it comes into force by world_apply(). */
struct model *world_model(struct world *w);
struct reference *world_reference(struct world *w);
int world_program(const struct world *w);
/* A descriptor of the map that a program uses; to close. */
int world_map(const struct world *w, const char *program, const char *map);

/* What fl_xdp makes of in. */
void world_run(struct world *w, const struct packet *in, struct outcome *ret);

/* A larger table of connections, in two steps: programs over it, which ask
 * those of the old one; and all is over there. */
void world_grow(struct world *w, __u32 conns);
void world_grown(struct world *w);

/* One of the programs that fl_xdp calls is not there, until it is shown. */
void world_hide_program(struct world *w, enum xdp_program program);
void world_show_program(struct world *w, enum xdp_program program);

/* What a tc program makes of it; returns what it returned. */
int world_run_tc(struct world *w, const char *program, const struct packet *in,
		 struct outcome *ret);
/* And does the reference agree? */
bool world_agrees_tc(struct world *w, const char *program,
		     const struct packet *in, const struct outcome *got);

/* tc's packets arrive at a pod's interface, LINK_POD; false: where fl_xdp's
 * do. */
void world_pod(struct world *w, bool is_pod);
/* Or at any other, and come (to leave) from another; 0: from the host. */
void world_place(struct world *w, __u32 ifindex, __u32 from);

/* From now on what tc programs get is of so many bytes of payload a packet;
 * 0: one packet. */
void world_gso(struct world *w, __u32 size);

/* What fl_xdp makes of in, and whether the reference agrees; got may be
 * NULL. */
bool world_check(struct world *w, const struct packet *in,
		 struct outcome *got);

/* Everything that is recorded was seen so many seconds before it was; the
 * reference, which forgets nothing, does not know. */
void world_age(struct world *w, __u32 seconds);

/* Reasons that were seen since world_open() or world_forget_seen(). */
__u64 world_seen(const struct world *w);
void world_forget_seen(struct world *w);

#endif
