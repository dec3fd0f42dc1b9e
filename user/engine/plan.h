/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What has to be written to bring the tables in step with a model, with all
 * the memory and the ranges of slots that it takes. Private to who makes it
 * (plan.c: all services; change.c: one; digest.c; room.c), carries it out
 * (reconcile.c) and says it (diff.c).
 */
#ifndef FAIRLEAD_PLAN_H
#define FAIRLEAD_PLAN_H

#include "base/arena.h"
#include "books.h"

struct wanted {
	const struct model_backend *def; /* NULL: not defined (any more) */
	__u32 index;		/* in tables.backends; 0: a new one */
	__u8 leaves;		/* the state it leaves with; 0: it stays */
	__u8 health;		/* of a new one: see struct backend */
};

struct wanted_entry {
	struct service entry;	/* as it is to be; holds its sources */
	__u32 index;		/* in tables.services, says that; 0: none */
};

/* A service that is new or differs. */
struct change {
	const struct model_service *def; /* NULL: as it is, but by hand */
	__u32 id;		/* 0: a new one */
	size_t place;		/* in the new order */
	__u64 digest;
	struct wanted *wanted;	/* sorted; all that have an entry, or will */
	size_t nr_wanted;
	__u32 *backends;	/* the book's next; owned */
	bool *leaves;
	struct wanted_entry *entries; /* one a front end */
	__u32 nr_entries;
	__u32 *next_entries;	/* the book's next; owned */
	__u32 *old_entries;	/* what the book had, once written; owned */
	__u32 nr_old;
	bool moves;		/* to a range of its own */
	bool differs;		/* something but slots has to be written */
};

struct plan {
	struct arena memory;	/* what changes have that books do not keep */
	struct change *changes;
	size_t nr_changes, max_changes;
	__u32 *order;		/* ids by name; 0: given later */
	size_t nr_order;
	__u32 *removed;		/* ids */
	bool has_node_ports;	/* among the changes */
	size_t nr_removed;
	struct totals totals;
	__u64 more_keys;	/* besides those of services */
	__u64 short_slots;	/* of ranges that found no room, as blocks, */
	__u32 largest_short;	/* the largest of them */
	size_t entries, old_entries; /* of changes; of what was before them */
	__u64 sources;		/* prefixes, of each list once */
	__u32 new_ids, new_entries, new_backends;
	size_t most_backends, old_backends;
};

/* Everything of m. Undo it, or carry it out; clear it in any case. */
int plan_all(struct state *s, struct plan *p, const struct model *m);
/* The same plan by what differs from what is in force. Sources are counted that
 * are about to go as well. -ESTALE: what differs is not known, or too much. */
int plan_changes(struct state *s, struct plan *p, const struct model *m);
/* One service, whose backends were set by hand. */
int plan_relayout(struct state *s, struct plan *p, __u32 id);
void plan_undo(struct state *s, struct plan *p);
/* The lists of sources are those of entries now, or nobody's. */
void plan_release(struct state *s, struct plan *p, __u32 now_s);
void plan_clear(struct plan *p);

/* digest.c: of a definition with the node's idle time; never 0. */
__u64 service_digest(struct model_service *def, __u32 idle_s);
__u32 service_idle(const struct model *m, const struct model_service *def);

/* change.c: c->id and c->def are set. m NULL: with the entries that it has. */
int plan_service(struct state *s, struct plan *p, const struct model *m,
		 struct change *c);
/* plan.c: one change more, zeroed. NULL: out of memory. */
struct change *plan_add(struct plan *p);
/* Of each list once: services may share it. */
void plan_count_admission(struct state *s, struct plan *p, __u32 list);

/* room.c, to plan_reserve().
 * -E2BIG: more than m itself allows, or than there can be. -EAGAIN: old lists
 * of sources take the room, for a moment. */
int plan_check_limits(const struct state *s, const struct plan *p,
		      const struct model *m, char *text);
/* -ENOSPC: does not fit. *ret is what would do. */
int plan_check_room(const struct state *s, const struct plan *p,
		    struct table_sizes *ret);
/* Memory that the writes must not lack. */
int plan_reserve(struct state *s, const struct plan *p);

/* The entry of a backend as it is to be. */
struct backend backend_wanted(const struct state *s, const struct wanted *w);
/* Of a backend of service e that is no longer defined. */
__u8 leaving_state(const struct service *e);
bool backend_differs(const struct state *s, const struct wanted *w);

#endif
