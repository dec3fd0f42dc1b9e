// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of connections as user space reads it, see conns.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "model/conns.h"

#define LINE (CONN_WAYS + 1)	/* positions of a bucket */

__u32 conn_buckets_for(__u32 conns)
{
	const __u64 tenths = CONN_WAYS * 7;

	if (conns > CONNS_MAX)
		conns = CONNS_MAX;
	return (conns * 10ull + tenths - 1) / tenths;
}

__u32 conns_for(__u32 buckets)
{
	return (__u64)buckets * CONN_WAYS * 7 / 10;
}

struct flow conn_flow(const struct conn *c)
{
	return (struct flow){
		.src = c->client,
		.dst = c->vip,
		.sport = c->cport,
		.dport = c->vport,
		.proto = conn_proto(c),
		.kind = conn_kind(c),
	};
}

bool conn_is_dead(const struct tables *t, const struct conn_entry *e,
		  __u32 now_s)
{
	const struct runtime *rt = t->runtime;
	__u32 time = e->conn.time, limit;

	switch (conn_kind(&e->conn)) {
	case FLOW_FRAGMENT:
		limit = rt->fragment_s;
		break;
	case FLOW_AFFINITY:
		limit = conn_life_s(conn_life(time));
		break;
	default:
		limit = conn_limit(conn_entry_state(e), e->conn.what, time,
				   rt);
	}
	return conn_age(time, now_s) > limit;
}

static bool entry_read(const struct conn_bucket *b, __u32 way,
		       struct conn_entry *ret)
{
	__u32 word = __atomic_load_n(&b->head[way], __ATOMIC_ACQUIRE);

	if (word <= CONN_BUSY)
		return false;
	ret->word = word;
	ret->conn = b->conn[1 + way];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	word ^= __atomic_load_n(&b->head[way], __ATOMIC_RELAXED);
	return !(word & CONN_TAG_MASK);
}

bool conn_walk_start(struct conn_walk *w, struct tables *t, __u32 first,
		     __u32 count)
{
	*w = (struct conn_walk){
		.at = t->conns(t, first, count),
		.first = first,
		.count = count,
	};
	return w->at;
}

bool conn_walk_next(struct conn_walk *w, struct conn_entry *ret)
{
	while (w->next < w->count * CONN_WAYS) {
		__u32 bucket = w->next / CONN_WAYS, way = w->next % CONN_WAYS;

		w->next++;
		if (!entry_read(&w->at[bucket], way, ret))
			continue;
		ret->position = (w->first + bucket) * LINE + 1 + way;
		return true;
	}
	return false;
}

int conns_each(struct tables *t,
	       int (*f)(void *arg, const struct conn_entry *e), void *arg)
{
	struct conn_entry e;
	struct conn_walk w;
	__u32 count;
	int ret;

	for (__u32 at = 0; at < t->conn_buckets; at += count) {
		count = t->conn_buckets - at;
		if (count > CONNS_WINDOW)
			count = CONNS_WINDOW;
		if (!conn_walk_start(&w, t, at, count))
			return -EIO;
		while (conn_walk_next(&w, &e)) {
			ret = f(arg, &e);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static bool find_in(struct tables *t, __u32 bucket, __u32 tag,
		    const struct flow *f, struct conn_entry *ret)
{
	struct conn_walk w;
	struct flow key;

	if (!conn_walk_start(&w, t, bucket, 1))
		return false;
	while (conn_walk_next(&w, ret)) {
		key = conn_flow(&ret->conn);
		if (!((ret->word ^ tag) & CONN_TAG_MASK) &&
		    !memcmp(&key, f, sizeof(key)))
			return true;
	}
	return false;
}

bool conns_find(struct tables *t, const struct flow *f, struct conn_entry *ret)
{
	__u64 hash = flow_hash(t->hash_key, hash_dst(t->hash_key, &f->dst), f);

	return find_in(t, conn_bucket1(hash, t->conn_buckets), conn_tag(hash),
		       f, ret) ||
	       find_in(t, conn_bucket2(hash, t->conn_buckets), conn_tag(hash),
		       f, ret);
}

/* A window of a map, wherever the next position lies in it. */
struct window {
	void *at;
	__u32 first, count;
};

static bool window_has(const struct window *w, __u32 idx)
{
	return w->at && idx - w->first < w->count;
}

static struct reply_bucket *reply_at(struct tables *t, struct window *w,
				     __u32 idx)
{
	if (idx >= t->reply_buckets)
		return NULL;
	if (!window_has(w, idx)) {
		w->first = idx;
		w->count = t->reply_buckets - idx;
		if (w->count > REPLIES_WINDOW)
			w->count = REPLIES_WINDOW;
		w->at = t->replies(t, w->first, w->count);
	}
	return w->at ? (struct reply_bucket *)w->at + (idx - w->first) : NULL;
}

/* The record's cell is mapped before anything is locked: what is locked and
 * never given back would be lost. */
static bool free_one(struct conn_bucket *b, const struct conn_entry *e,
		     struct reply_bucket *reply)
{
	__u32 way = e->position % LINE - 1, word = e->word;
	struct conn *c = &b->conn[1 + way];
	__u64 *cell = &reply->cell[e->conn.reply % REPLY_CELLS], was;

	if (!__atomic_compare_exchange_n(&b->head[way], &word, CONN_BUSY,
					 false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return false;
	if (c->time != e->conn.time || c->reply != e->conn.reply) {
		__atomic_store_n(&b->head[way], e->word, __ATOMIC_RELEASE);
		return false;
	}
	if (e->conn.what & CONN_NAT) {
		was = __atomic_load_n(cell, __ATOMIC_RELAXED);
		if ((__u32)was == e->position)
			__atomic_compare_exchange_n(cell, &was, 0, false,
						    __ATOMIC_ACQ_REL,
						    __ATOMIC_RELAXED);
	}
	__atomic_store_n(&b->head[way], 0, __ATOMIC_RELEASE);
	return true;
}

static int compare_cells(const void *a, const void *b)
{
	const struct conn_entry *x = a, *y = b;

	return x->conn.reply < y->conn.reply ? -1 :
	       x->conn.reply > y->conn.reply;
}

/* The buckets from the first that an entry is in to the last. */
static bool map_entries(struct tables *t, struct window *w,
			const struct conn_entry *list, size_t count)
{
	__u32 first = ~0u, last = 0;

	for (size_t i = 0; i < count; i++) {
		__u32 bucket = list[i].position / LINE;

		first = bucket < first ? bucket : first;
		last = bucket > last ? bucket : last;
	}
	w->first = first;
	w->count = last - first + 1;
	w->at = t->conns(t, w->first, w->count);
	return w->at;
}

size_t conns_free(struct tables *t, struct conn_entry *list, size_t count)
{
	static struct reply_bucket none;	/* who has no cell */
	struct window conns = {}, replies = {};
	struct reply_bucket *reply;
	size_t freed = 0;

	if (!count || !map_entries(t, &conns, list, count))
		return 0;
	qsort(list, count, sizeof(*list), compare_cells);
	for (size_t i = 0; i < count; i++) {
		__u32 bucket = list[i].position / LINE - conns.first;

		reply = list[i].conn.what & CONN_NAT ?
				reply_at(t, &replies,
					 list[i].conn.reply / REPLY_CELLS) :
				&none;
		if (reply)
			freed += free_one((struct conn_bucket *)conns.at +
					  bucket, &list[i], reply);
	}
	return freed;
}

/* The key by which a backend's packets find c. */
static struct flow reply_flow(const struct tables *t, const struct conn *c)
{
	__u32 id = conn_backend(c), idx = c->nat_addr;
	const struct backend *b = &t->backends[id < t->nr_backends ? id : 0];

	return (struct flow){
		.src = b->addr,
		.dst = idx && idx <= 2 * NAT_ADDRS_MAX ? t->nat_addrs[idx] :
							 c->client,
		.sport = b->port ? b->port : c->vport,
		.dport = c->nat_port,
		.proto = conn_proto(c),
	};
}

static bool has_cell(struct tables *t, __u32 bucket, __u32 tag)
{
	const struct reply_bucket *b = t->replies(t, bucket, 1);

	for (int i = 0; b && i < REPLY_CELLS; i++)
		if (b->cell[i] >> 32 == tag)
			return true;
	return false;
}

/* A cell in one bucket: its place in *ret. */
static bool put_cell_in(struct tables *t, __u32 bucket, __u64 word, __u32 *ret)
{
	struct reply_bucket *b = t->replies(t, bucket, 1);
	__u64 empty;

	for (int i = 0; b && i < REPLY_CELLS; i++) {
		empty = 0;
		if (!__atomic_compare_exchange_n(&b->cell[i], &empty, word,
						 false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		*ret = bucket * REPLY_CELLS + i;
		return true;
	}
	return false;
}

static bool put_cell(struct tables *t, const struct conn *c, __u32 position,
		     __u32 *ret)
{
	struct flow f = reply_flow(t, c);
	__u64 hash = flow_hash(t->hash_key, hash_dst(t->hash_key, &f.dst), &f);
	__u32 first = conn_bucket1(hash, t->reply_buckets);
	__u32 second = conn_bucket2(hash, t->reply_buckets);
	__u32 tag = reply_tag(hash);
	__u64 word = (__u64)tag << 32 | position;

	return !has_cell(t, first, tag) && !has_cell(t, second, tag) &&
	       (put_cell_in(t, first, word, ret) ||
		put_cell_in(t, second, word, ret));
}

/* The emptier of two buckets; ~0: both are full, or cannot be mapped. */
static __u32 emptier(struct tables *t, __u32 first, __u32 second)
{
	const __u32 buckets[] = { first, second };
	__u32 best = ~0u, most = 0;

	for (int i = 0; i < 2; i++) {
		const struct conn_bucket *b = t->conns(t, buckets[i], 1);
		__u32 empty = 0;

		for (int way = 0; b && way < CONN_WAYS; way++)
			empty += !b->head[way];
		if (empty > most) {
			most = empty;
			best = buckets[i];
		}
	}
	return best;
}

static bool put_record(struct tables *t, __u32 bucket, __u32 tag,
		       const struct conn_entry *e)
{
	struct conn_bucket *b = t->conns(t, bucket, 1);
	__u32 empty, word = (e->word & ~CONN_TAG_MASK) | tag;

	for (__u32 way = 0; b && way < CONN_WAYS; way++) {
		empty = 0;
		if (!__atomic_compare_exchange_n(&b->head[way], &empty,
						 CONN_BUSY, false,
						 __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		b->conn[1 + way] = e->conn;
		if (e->conn.what & CONN_NAT &&
		    !put_cell(t, &e->conn, bucket * LINE + 1 + way,
			      &b->conn[1 + way].reply))
			word = 0;
		__atomic_store_n(&b->head[way], word, __ATOMIC_RELEASE);
		return word;
	}
	return false;
}

bool conns_insert(struct tables *t, const struct conn_entry *e)
{
	struct flow f = conn_flow(&e->conn);
	__u64 hash = flow_hash(t->hash_key, hash_dst(t->hash_key, &f.dst), &f);
	struct conn_entry other;
	__u32 bucket;

	if (conns_find(t, &f, &other))
		return false;
	bucket = emptier(t, conn_bucket1(hash, t->conn_buckets),
			 conn_bucket2(hash, t->conn_buckets));
	return bucket != ~0u && put_record(t, bucket, conn_tag(hash), e);
}

static int count_cells(struct tables *t, __u64 *ret)
{
	const struct reply_bucket *b;
	__u32 count;

	*ret = 0;
	for (__u32 at = 0; at < t->reply_buckets; at += count) {
		count = t->reply_buckets - at;
		if (count > REPLIES_WINDOW)
			count = REPLIES_WINDOW;
		b = t->replies(t, at, count);
		if (!b)
			return -EIO;
		for (__u32 i = 0; i < count * REPLY_CELLS; i++)
			*ret += !!b[i / REPLY_CELLS].cell[i % REPLY_CELLS];
	}
	return 0;
}

/* Heads say it all: the records are not read. */
static void count_heads(const struct conn_bucket *b, struct conns_usage *ret)
{
	for (int way = 0; way < CONN_WAYS; way++) {
		if (b->head[way] <= CONN_BUSY)
			continue;
		switch (b->head[way] & CONN_STATE_MASK) {
		case CONN_HALF:
			ret->half++;
			break;
		case CONN_CLOSING:
			ret->closing++;
			break;
		default:	/* half-closed ones too */
			ret->live++;
		}
	}
}

int conns_usage(struct tables *t, struct conns_usage *ret)
{
	const struct conn_bucket *b;
	__u32 count;

	*ret = (struct conns_usage){
		.room = (__u64)t->conn_buckets * CONN_WAYS,
		.cells_room = (__u64)t->reply_buckets * REPLY_CELLS,
	};
	for (__u32 at = 0; at < t->conn_buckets; at += count) {
		count = t->conn_buckets - at;
		if (count > CONNS_WINDOW)
			count = CONNS_WINDOW;
		b = t->conns(t, at, count);
		if (!b)
			return -EIO;
		for (__u32 i = 0; i < count; i++)
			count_heads(&b[i], ret);
	}
	return count_cells(t, &ret->cells);
}

int conns_clear(struct tables *t)
{
	__u32 count;
	void *at;

	for (__u32 i = 0; i < t->conn_buckets; i += count) {
		count = t->conn_buckets - i;
		if (count > CONNS_WINDOW)
			count = CONNS_WINDOW;
		at = t->conns(t, i, count);
		if (!at)
			return -EIO;
		memset(at, 0, count * sizeof(struct conn_bucket));
	}
	for (__u32 i = 0; i < t->reply_buckets; i += count) {
		count = t->reply_buckets - i;
		if (count > REPLIES_WINDOW)
			count = REPLIES_WINDOW;
		at = t->replies(t, i, count);
		if (!at)
			return -EIO;
		memset(at, 0, count * sizeof(struct reply_bucket));
	}
	return 0;
}
