/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of connections as user space reads it: one reader for all who
 * want to know what is in it, and the only ones who take anything out. The
 * programs go on writing meanwhile: an entry is a copy, and it counts if its
 * head was the same before and after.
 */
#ifndef FAIRLEAD_CONNS_H
#define FAIRLEAD_CONNS_H

#include <stdbool.h>

#include <fairlead/conn.h>

#include "model/tables.h"

/* Buckets that are mapped at a time: 1 MB of conns, 4 MB of replies. */
#define CONNS_WINDOW 1024u
#define REPLIES_WINDOW 65536u

/* A consistent copy of a record, and where it was. */
struct conn_entry {
	struct conn conn;
	__u32 word;		/* its head */
	__u32 position;
};

/* Buckets, by number of connections: 70 % of the records are used then. The
 * most that can be named is CONNS_MAX. */
#define CONNS_MAX (1u << 30)

__u32 conn_buckets_for(__u32 conns);	/* 0: 0 */
__u32 conns_for(__u32 buckets);

/* Key of a record. */
struct flow conn_flow(const struct conn *c);

static inline enum conn_state conn_entry_state(const struct conn_entry *e)
{
	return e->word & CONN_STATE_MASK;
}

/* Seen for so long no more that it is nobody's, whatever kind it is of. */
bool conn_is_dead(const struct tables *t, const struct conn_entry *e,
		  __u32 now_s);

/* What is at a way of b, all but its position, which is the caller's to say.
 * False: nothing, or it changes. */
bool conn_read(const struct conn_bucket *b, __u32 way, struct conn_entry *ret);

/* What is in some buckets, one record after the other. */
struct conn_walk {
	const struct conn_bucket *at;	/* the first bucket */
	__u32 first, count;
	__u32 next;			/* head to look at, of all of them */
};

/* At most CONNS_WINDOW buckets. False: they cannot be mapped. Good until
 * t->conns() is called again. */
bool conn_walk_start(struct conn_walk *w, struct tables *t, __u32 first,
		     __u32 count);
bool conn_walk_next(struct conn_walk *w, struct conn_entry *ret);

/* f for every record; f's failure ends it, and is returned. -EIO: cannot be
 * mapped. f may call t->replies(), but not t->conns(). */
int conns_each(struct tables *t,
	       int (*f)(void *arg, const struct conn_entry *e), void *arg);

/* What is recorded under a key. */
bool conns_find(struct tables *t, const struct flow *f,
		struct conn_entry *ret);

/*
 * Take records out that are what they were when they were copied: cell first,
 * by compare-and-swap. Entries of one window (CONNS_WINDOW buckets at most
 * between them), which are sorted by their cells. Returns how many went; less,
 * if they changed or cannot be mapped. Ends a walk.
 */
size_t conns_free(struct tables *t, struct conn_entry *list, size_t count);

/*
 * Put a record where its key belongs, with its cell: word's state and stamp
 * stay. False: there is no room, or its key or its reply's is there already.
 * Ends a walk.
 */
bool conns_insert(struct tables *t, const struct conn_entry *e);

/* Position of the record that has the cell which replies to c would be found
 * by, with c or without it; 0: none has. */
__u32 conns_reply_holder(struct tables *t, const struct conn *c);

/* Empty the cell that c says is its own, if it names a position. */
void conns_clear_cell(struct tables *t, const struct conn *c, __u32 position);

/* The record at a position. False: there is none. */
bool conns_read(struct tables *t, __u32 position, struct conn_entry *ret);

/* Records of each state, cells, and what there is room for. */
struct conns_usage {
	__u64 room, half, live, closing;
	__u64 cells_room, cells;
};

int conns_usage(struct tables *t, struct conns_usage *ret);

/* Empty, whatever it holds: for tests. */
int conns_clear(struct tables *t);

#endif
