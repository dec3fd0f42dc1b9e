// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of connections as user space reads it, see conns.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "model/conns.h"

#define LINE (CONN_WAYS + 1)	/* positions of a bucket */
#define CONN_KEY_BYTES offsetof(struct conn, what)

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

bool conn_read(const struct conn_bucket *b, __u32 way, struct conn_entry *ret)
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
		if (!conn_read(&w->at[bucket], way, ret))
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
	const struct conn_bucket *b = t->conns(t, bucket, 1);
	struct flow key;

	for (__u32 way = 0; b && way < CONN_WAYS; way++) {
		if ((__atomic_load_n(&b->head[way], __ATOMIC_RELAXED) ^ tag) &
			    CONN_TAG_MASK ||
		    !conn_read(b, way, ret))
			continue;
		ret->position = bucket * LINE + 1 + way;
		key = conn_flow(&ret->conn);
		if (!memcmp(&key, f, sizeof(key)))
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

bool conns_read(struct tables *t, __u32 position, struct conn_entry *ret)
{
	__u32 way = position % LINE - 1;
	const struct conn_bucket *b;

	if (way >= CONN_WAYS || position / LINE >= t->conn_buckets)
		return false;
	b = t->conns(t, position / LINE, 1);
	ret->position = position;
	return b && conn_read(b, way, ret);
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

/* The cell of the record at position, if it is yet that one's. */
static void clear_cell(__u64 *cell, __u32 position)
{
	__u64 was = __atomic_load_n(cell, __ATOMIC_RELAXED);

	if ((__u32)was == position)
		__atomic_compare_exchange_n(cell, &was, 0, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* The record's cell is mapped before anything is locked: what is locked and
 * never given back would be lost. */
static bool free_one(struct conn_bucket *b, const struct conn_entry *e,
		     struct reply_bucket *reply)
{
	__u32 way = e->position % LINE - 1, word = e->word;
	struct conn *c = &b->conn[1 + way];

	if (!__atomic_compare_exchange_n(&b->head[way], &word, CONN_BUSY,
					 false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return false;
	if (c->time != e->conn.time || c->reply != e->conn.reply) {
		__atomic_store_n(&b->head[way], e->word, __ATOMIC_RELEASE);
		return false;
	}
	if (e->conn.what & CONN_NAT)
		clear_cell(&reply->cell[e->conn.reply % REPLY_CELLS],
			   e->position);
	/* by an exchange, as whoever was stopped here for long has lost it */
	word = CONN_BUSY;
	return __atomic_compare_exchange_n(&b->head[way], &word, 0, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
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

/* How many cells of a bucket have the tag; *ret_position: what one names. */
static int count_tag(struct tables *t, __u32 bucket, __u32 tag,
		     __u32 *ret_position)
{
	const struct reply_bucket *b = t->replies(t, bucket, 1);
	int count = 0;
	__u64 cell;

	for (int i = 0; b && i < REPLY_CELLS; i++) {
		cell = __atomic_load_n(&b->cell[i], __ATOMIC_ACQUIRE);
		if (cell >> 32 != tag)
			continue;
		*ret_position = cell;
		count++;
	}
	return count;
}

/* Where a reply's cell may be. */
struct reply_place {
	__u32 first, second, tag;
};

static struct reply_place reply_place(struct tables *t, const struct conn *c)
{
	struct flow f = reply_flow(t, c);
	__u64 hash = flow_hash(t->hash_key, hash_dst(t->hash_key, &f.dst), &f);

	return (struct reply_place){
		.first = conn_bucket1(hash, t->reply_buckets),
		.second = conn_bucket2(hash, t->reply_buckets),
		.tag = reply_tag(hash),
	};
}

static int count_cells_of(struct tables *t, const struct reply_place *p,
			  __u32 *ret_position)
{
	int count = count_tag(t, p->first, p->tag, ret_position);

	return p->first == p->second ? count :
	       count + count_tag(t, p->second, p->tag, ret_position);
}

__u32 conns_reply_holder(struct tables *t, const struct conn *c)
{
	struct reply_place p = reply_place(t, c);
	__u32 position = 0;

	count_cells_of(t, &p, &position);
	return position;
}

static __u32 used_cells(struct tables *t, __u32 bucket)
{
	const struct reply_bucket *b = t->replies(t, bucket, 1);
	__u32 used = 0;

	for (int i = 0; b && i < REPLY_CELLS; i++)
		used += !!b->cell[i];
	return used;
}

/* Put word in one bucket: its place in *ret, which the record has to say
 * before anybody finds the cell. */
static bool put_cell_in(struct tables *t, __u32 bucket, __u64 word, __u32 *ret)
{
	struct reply_bucket *b = t->replies(t, bucket, 1);
	__u64 empty;

	for (int i = 0; b && i < REPLY_CELLS; i++) {
		__atomic_store_n(ret, bucket * REPLY_CELLS + i,
				 __ATOMIC_RELAXED);
		empty = 0;
		if (__atomic_compare_exchange_n(&b->cell[i], &empty, word,
						false, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/* Looked at again when all can see it: a program may have put the same one at
 * the same moment, each sees both then, and ours goes. The fence pairs with
 * the full order of the programs' compare-and-swap (reply_put()). */
static bool put_cell(struct tables *t, const struct conn *c, __u32 position,
		     __u32 *ret)
{
	struct reply_place p = reply_place(t, c);
	__u64 word = (__u64)p.tag << 32 | position;
	struct reply_bucket *b;
	__u32 other, bucket;

	if (count_cells_of(t, &p, &other))
		return false;
	bucket = used_cells(t, p.second) < used_cells(t, p.first) ? p.second :
								    p.first;
	if (!put_cell_in(t, bucket, word, ret))
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (count_cells_of(t, &p, &other) == 1)
		return true;
	b = t->replies(t, bucket, 1);
	if (b)
		clear_cell(&b->cell[*ret % REPLY_CELLS], position);
	return false;
}

/* As the programs choose: the first, unless it is rather full and the second
 * is not (CONN_FIRST_MAX in bpf/lib/conn_claim.h). */
#define FIRST_EMPTY_MIN (CONN_WAYS - 11)

static __u32 empty_ways(struct tables *t, __u32 bucket)
{
	const struct conn_bucket *b = t->conns(t, bucket, 1);
	__u32 empty = 0;

	for (int way = 0; b && way < CONN_WAYS; way++)
		empty += !b->head[way];
	return empty;
}

static __u32 bucket_for(struct tables *t, __u64 hash)
{
	__u32 first = conn_bucket1(hash, t->conn_buckets);
	__u32 second = conn_bucket2(hash, t->conn_buckets);
	__u32 empty = empty_ways(t, first);

	return empty >= FIRST_EMPTY_MIN || empty_ways(t, second) <= empty ?
		       first : second;
}

/* An empty way of a bucket, locked: its position; 0: it is full. */
static __u32 lock_way(struct conn_bucket *b, __u32 bucket)
{
	__u32 empty;

	for (__u32 way = 0; b && way < CONN_WAYS; way++) {
		empty = 0;
		if (__atomic_compare_exchange_n(&b->head[way], &empty,
						CONN_BUSY, false,
						__ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return bucket * LINE + 1 + way;
	}
	return 0;
}

/* Is e's key in a bucket, anywhere but at position? */
static bool has_twin(struct tables *t, __u32 bucket, __u32 position,
		     const struct conn_entry *e)
{
	const struct conn_bucket *b = t->conns(t, bucket, 1);
	struct conn_entry other;

	for (__u32 way = 0; b && way < CONN_WAYS; way++)
		if (bucket * LINE + 1 + way != position &&
		    !((__atomic_load_n(&b->head[way], __ATOMIC_ACQUIRE) ^
		       e->word) & CONN_TAG_MASK) &&
		    conn_read(b, way, &other) &&
		    !memcmp(&other.conn, &e->conn, CONN_KEY_BYTES) &&
		    !((other.conn.what ^ e->conn.what) & CONN_KEY_MASK))
			return true;
	return false;
}

/* The record at position, which is locked, with its cell and for all to see;
 * or away again, as a program has recorded the same at the same moment. The
 * exchange orders what is written before and looked at after, as the programs'
 * own does (conn_publish()): each of the two sees the other, or one does. */
static bool publish(struct tables *t, __u32 position, __u64 hash,
		    struct conn_entry *e)
{
	__u32 first = conn_bucket1(hash, t->conn_buckets);
	__u32 second = conn_bucket2(hash, t->conn_buckets);
	struct conn_bucket *b;

	e->position = position;
	b = t->conns(t, position / LINE, 1);
	__atomic_exchange_n(&b->head[position % LINE - 1], e->word,
			    __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!has_twin(t, first, position, e) &&
	    !has_twin(t, second, position, e))
		return true;
	conns_free(t, e, 1);
	return false;
}

static bool put_record(struct tables *t, __u64 hash, struct conn_entry *e)
{
	__u32 bucket = bucket_for(t, hash), position;
	struct conn_bucket *b = t->conns(t, bucket, 1);

	position = lock_way(b, bucket);
	if (!position)
		return false;
	/* before its cell: who dies in between leaves nothing but a lock */
	b->conn[position % LINE] = e->conn;
	if (e->conn.what & CONN_NAT &&
	    !put_cell(t, &e->conn, position, &b->conn[position % LINE].reply)) {
		__atomic_store_n(&b->head[position % LINE - 1], 0,
				 __ATOMIC_RELEASE);
		return false;
	}
	e->conn.reply = b->conn[position % LINE].reply;
	return publish(t, position, hash, e);
}

bool conns_insert(struct tables *t, const struct conn_entry *entry)
{
	struct flow f = conn_flow(&entry->conn);
	__u64 hash = flow_hash(t->hash_key, hash_dst(t->hash_key, &f.dst), &f);
	struct conn_entry e = *entry, other;

	if (conns_find(t, &f, &other))
		return false;
	e.word = (e.word & ~CONN_TAG_MASK) | conn_tag(hash);
	return put_record(t, hash, &e);
}

void conns_clear_cell(struct tables *t, const struct conn *c, __u32 position)
{
	__u32 bucket = c->reply / REPLY_CELLS;
	struct reply_bucket *b;

	if (!(c->what & CONN_NAT) || bucket >= t->reply_buckets)
		return;
	b = t->replies(t, bucket, 1);
	if (b)
		clear_cell(&b->cell[c->reply % REPLY_CELLS], position);
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
