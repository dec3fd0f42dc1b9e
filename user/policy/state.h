/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is in force, and how it is changed: places.c has who is behind which
 * interface, plan.c what is to be written and in which order, apply.c does it,
 * delta.c the same for a few workloads without compiling anything, sweep.c
 * removes what is left. Private to policy/.
 */
#ifndef FAIRLEAD_POLICY_STATE_H
#define FAIRLEAD_POLICY_STATE_H

#include "compiled.h"

#define GRACE_S 2	/* packets that read an entry are gone after that */
#define ADOPT_S 900	/* as long as TCP may be idle, by default */

/* A workload's interface. */
struct place {
	char *name;		/* "namespace/name" as workload_infos has it */
	size_t namespace_len;	/* of name */
	__u32 ifindex;
	__u32 index;		/* in tables.workloads */
	__u8 mac[6];
	bool has_run;
	bool is_registered;
};

struct retired_place {
	__u32 index;
	__u32 since_s;
};

struct policy_state {
	struct tables *t;
	struct policy_compiled *now;	/* NULL: nothing yet */
	struct policy_compiled *before;	/* for the names of its rules */
	/* The tables do not hold what now says, or nobody knows. */
	bool is_unsure;
	struct addr *host;		/* owned */
	size_t nr_host;
	LIST(struct place) places;
	LIST(struct retired_place) retired;
	__u8 used_indexes[WORKLOADS_MAX];
	/* What the tables name since the last sweep: port classes, and classes
	 * of peers that stood for two of them. */
	__u8 port_ids[65536 / 8];
	struct numbers pair_ids;
	__u32 last_pair;		/* the lowest of these; 0: none */
	bool sweep_is_due;
	__u32 changed_s;
};

/* A step, in memory or by a call; in the order in which they are taken. */
enum write_kind {
	WRITE_TARGET,		/* row: in the image that comes */
	WRITE_PEER_MASK,	/* row: in struct change, masks */
	WRITE_PORT_MASK,
	WRITE_PREFIX,
	DELETE_PEER,		/* it is as its networks are */
	WRITE_PEER,
	WRITE_PORTS,		/* one port after another */
	WRITE_PLACES,		/* one place after another */
	WRITE_EPOCH,
	WRITE_SETTLE,		/* no packet is under way that saw less */
	DELETE_PREFIX,
};

struct write {
	enum write_kind kind;
	union {
		size_t row;
		struct prefix_key prefix;
		struct addr addr;
		struct {
			__u32 first, count;
		};
	};
	__u32 value;
};

/* From one set to the next. */
struct change {
	struct policy_state *s;
	struct policy_compiled *to;
	__u32 now_s;
	LIST(struct write) writes;
	size_t at;		/* the next one */
	LIST(struct mask_row) masks;
	/* It does not fit for what rules say, and not for who is there. */
	bool is_too_much;
	struct policy_result result;
};

/* Compiles set and plans; nothing is written. As policy_apply(). */
int change_begin(struct policy_state *s, struct policy_set *set, __u32 now_s,
		 struct change *ret, char text[static POLICY_TEXT_MAX]);
/* One write: 1; 0: nothing is left to do, change_end() is to be called. */
int change_step(struct change *c, char text[static POLICY_TEXT_MAX]);
/* It is in force; or, before the last step, it never will be. */
void change_end(struct change *c);

/* was: what the tables hold. -ENOMEM, -E2BIG. */
int plan(struct change *c, const struct image *was,
	 char text[static POLICY_TEXT_MAX]);
struct write *write_add(struct change *c, enum write_kind kind);

/* -EAGAIN: not so simple, all is to be compiled. */
int delta_begin(struct policy_state *s, struct policy_set *set,
		struct change *ret);

/* The two targets of a place by a compiled set; false: it is closed. */
struct place_targets {
	__u32 in, out;
};
bool place_targets(const struct policy_compiled *c, const struct place *p,
		   struct place_targets *ret);
/* In the set; NULL: it has none of that name, or one that is not here. */
const struct model_workload *place_workload(const struct policy_compiled *c,
					    const struct place *p);
/* Its entry is as c says from now on. False: it was. */
bool place_store(struct policy_state *s, const struct policy_compiled *c,
		 struct place *p, __u32 now_s);
/* What is placed, by what the tables say. */
int places_load(struct policy_state *s, __u32 now_s);
void places_tick(struct policy_state *s, __u32 now_s);
/* Takes out what nothing names; no packet may be under way. */
int sweep(struct policy_state *s);
void places_free(struct policy_state *s);
void epoch_store(struct policy_state *s);
void port_ids_note(struct policy_state *s, const __u16 *classes);

#endif
