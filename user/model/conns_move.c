// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See conns_move.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "conns_move.h"

#define WORD_OF_STATE (~CONN_TAG_MASK)	/* stamp and state */

static struct conn_bucket *conns_whole(struct tables *t, __u32 first,
				       __u32 count)
{
	struct conns_move *m = (struct conns_move *)t;

	return (__u64)first + count > t->conn_buckets ? NULL :
							m->conns + first;
}

static struct reply_bucket *replies_whole(struct tables *t, __u32 first,
					  __u32 count)
{
	struct conns_move *m = (struct conns_move *)t;

	return (__u64)first + count > t->reply_buckets ? NULL :
							 m->replies + first;
}

int conns_move_begin(struct conns_move *m, const struct tables *to)
{
	m->to = *to;
	m->to.conns = conns_whole;
	m->to.replies = replies_whole;
	m->moved = m->lost = 0;
	m->seen = calloc(m->from_buckets, sizeof(*m->seen));
	return m->seen ? 0 : -ENOMEM;
}

void conns_move_end(struct conns_move *m)
{
	free(m->seen);
	m->seen = NULL;
}

static __u32 *head_at(struct conns_move *m, __u32 position)
{
	return &m->conns[position / (CONN_WAYS + 1)]
			.head[position % (CONN_WAYS + 1) - 1];
}

/* Not confirmed, or ending. */
static bool makes_room(const struct conn_entry *e)
{
	return conn_entry_state(e) != CONN_LIVE;
}

static void drop(struct conns_move *m, struct conn_entry *e)
{
	conns_free(&m->to, e, 1);
}

/* A live one has no room because of another: if that is no live one, it has to
 * go. Who has the NAT port; else one of the same buckets. */
static void make_room(struct conns_move *m, const struct conn_entry *e)
{
	struct flow f = conn_flow(&e->conn);
	const __u32 *key = m->to.hash_key;
	__u64 hash = flow_hash(key, hash_dst(key, &f.dst), &f);
	__u32 bucket = conn_bucket1(hash, m->to.conn_buckets);
	struct conn_entry other;
	struct conn_walk w;

	if (e->conn.what & CONN_NAT &&
	    conns_read(&m->to, conns_reply_holder(&m->to, &e->conn), &other)) {
		if (makes_room(&other))
			drop(m, &other);
		return;
	}
	conn_walk_start(&w, &m->to, bucket, 1);
	while (conn_walk_next(&w, &other))
		if (makes_room(&other)) {
			drop(m, &other);
			return;
		}
}

static void insert(struct conns_move *m, const struct conn_entry *e)
{
	bool is_there = conns_insert(&m->to, e);

	if (!is_there && !makes_room(e)) {
		make_room(m, e);
		is_there = conns_insert(&m->to, e);
	}
	m->moved += is_there;
	m->lost += !is_there && !makes_room(e);
}

/* What the backend has offered since the record was copied: a head does not
 * tell. Who acknowledges it must find it. */
static void set_offered(struct conns_move *m, __u32 position, __u32 offered)
{
	struct conn *c = &m->conns[position / (CONN_WAYS + 1)]
				  .conn[position % (CONN_WAYS + 1)];
	__u32 none = 0;

	__atomic_compare_exchange_n(&c->offered, &none, offered, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/*
 * It has gone over, and then has changed where it came from: by a program that
 * had not found it here yet. If nobody has seen it here since, that counts. It
 * may also have been void here, so that the flow was opened there again; and
 * clients that stick are asked for there until the very end.
 */
static void merge(struct conns_move *m, const struct conn_entry *e,
		  struct conn_entry *there, __u32 seen, __u32 now_s)
{
	__u32 word = there->word;

	if (e->conn.backend != there->conn.backend ||
	    conn_is_dead(&m->to, there, now_s)) {
		drop(m, there);
		insert(m, e);
		return;
	}
	if ((word ^ seen) & WORD_OF_STATE)
		return;
	__atomic_compare_exchange_n(head_at(m, there->position), &word,
				    (word & CONN_TAG_MASK) |
				    (e->word & WORD_OF_STATE), false,
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static void take(struct conns_move *m, const struct conn_entry *e, __u32 seen,
		 __u32 now_s)
{
	const struct conn *c = &m->from[e->position / (CONN_WAYS + 1)]
				  .conn[e->position % (CONN_WAYS + 1)];
	struct flow f = conn_flow(&e->conn);
	struct conn_entry there;
	__u32 offered;

	if (conn_is_dead(&m->to, e, now_s))
		return;
	if (conns_find(&m->to, &f, &there))
		merge(m, e, &there, seen, now_s);
	else
		insert(m, e);
	offered = __atomic_load_n(&c->offered, __ATOMIC_ACQUIRE);
	if (makes_room(e) && offered && conns_find(&m->to, &f, &there))
		set_offered(m, there.position, offered);
}

/* A head that was another one when it was copied is for the next pass. */
__u64 conns_move_pass(struct conns_move *m, __u32 now_s)
{
	struct conn_entry e;
	__u64 count = 0;
	__u32 word, seen;

	for (__u32 i = 0; i < m->from_buckets; i++)
		for (__u32 way = 0; way < CONN_WAYS; way++) {
			word = __atomic_load_n(&m->from[i].head[way],
					       __ATOMIC_ACQUIRE);
			seen = m->seen[i][way];
			if (word == seen || word == CONN_BUSY)
				continue;
			m->seen[i][way] = word;
			if (!conn_read(&m->from[i], way, &e))
				continue;
			m->seen[i][way] = e.word;
			e.position = i * (CONN_WAYS + 1) + 1 + way;
			take(m, &e, seen, now_s);
			count++;
		}
	return count;
}
