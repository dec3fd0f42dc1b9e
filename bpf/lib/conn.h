/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of connections: ours, not the kernel's. A flow's bucket is a line
 * of 7 heads and 7 entries; a hit reads two cache lines and calls no helper
 * (an LRU hash map: 45 ns hot, 190 cold), an insert is a few stores (LRU: 820
 * ns). Under a flood of new flows, entries that are dead, closed or saw one
 * packet only make room; a live one never does.
 *
 * A head is the lock of its entry. Writers take it by compare-and-swap to
 * CONN_BUSY. A reader copies what it needs and looks whether the tag is still
 * the same (conn_is_still): loads are not reordered on x86; elsewhere the
 * window is as wide as the load buffer, and a wrong guess sends one packet of
 * one flow astray.
 */
#ifndef FAIRLEAD_BPF_CONN_H
#define FAIRLEAD_BPF_CONN_H

#include <stdbool.h>

#include <fairlead/conn_time.h>
#include <fairlead/hash.h>

#include "bits.h"
#include "maps.h"
#include "scratch.h"

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* clang (14, 19): what is read of cfg through a pointer that is not volatile
 * is folded to the initialiser; not so through one of unknown origin. */
static __always_inline const __u32 *hash_key_get(void)
{
	const __u32 *key = (const __u32 *)cfg.hash_key;

	asm volatile("" : "+r"(key));
	return key;
}

#define hash_key hash_key_get()

/* CLOCK_MONOTONIC in seconds, from jiffies: no helper call. */
static __always_inline __u32 now_s(void)
{
	return (bpf_jiffies64() - cfg.jiffies_start) * cfg.hz_reciprocal >> 32;
}

static __always_inline bool flow_eq(const struct flow *a, const struct flow *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] &&
	       x[3] == y[3] && x[4] == y[4];
}

/* A place in the table. head == NULL: nothing found. */
struct conn_ref {
	struct conn_head *head;
	struct conn *conn;
	__u32 position;
	__u32 tag;
};

static __always_inline struct conn_bucket *conn_bucket(__u64 hash, __u32 *idx)
{
	*idx = (__u32)hash & (cfg.conn_buckets - 1);
	return bpf_map_lookup_elem(&conns, idx);
}

static __always_inline bool conn_is_still(const struct conn_ref *r)
{
	return READ_ONCE(r->head->tag) == r->tag;
}

/* Two flows of one bucket with one tag, a chance of 2^-31 for a pair, have
 * one entry between them (conn_claim). */
static __always_inline struct conn_ref conn_find(const struct flow *f,
						 __u64 hash)
{
	struct conn_ref r = { .tag = conn_tag(hash) };
	struct conn_bucket *bucket;
	const struct conn_head *head;
	struct conn *conn;
	__u32 idx, way, mask;

	bucket = conn_bucket(hash, &idx);
	if (!bucket)
		return r;
	head = bucket->line[0].head;
	mask = match_bit(head[0].tag, r.tag, 0) |
	       match_bit(head[1].tag, r.tag, 1) |
	       match_bit(head[2].tag, r.tag, 2) |
	       match_bit(head[3].tag, r.tag, 3) |
	       match_bit(head[4].tag, r.tag, 4) |
	       match_bit(head[5].tag, r.tag, 5) |
	       match_bit(head[6].tag, r.tag, 6);
	if (!mask)
		return r;
	way = lowest_bit(mask);
	conn = &bucket->line[(1 + way) & CONN_WAYS].conn;
	if (!flow_eq(&conn->flow, f))
		return r;
	r.head = &bucket->line[0].head[way];
	r.conn = conn;
	r.position = idx * (CONN_WAYS + 1) + 1 + way;
	return r;
}

/* The entry at a position, e.g. a peer's; NULL only for a lying position. */
static __always_inline struct conn_ref conn_at(__u32 position)
{
	__u32 idx = position / (CONN_WAYS + 1);
	__u32 line = position % (CONN_WAYS + 1);
	struct conn_bucket *bucket = bpf_map_lookup_elem(&conns, &idx);
	struct conn_ref r = { .position = position };

	if (!bucket || !line)
		return r;
	r.head = &bucket->line[0].head[(line - 1) & CONN_WAYS];
	r.conn = &bucket->line[line].conn;
	r.tag = READ_ONCE(r.head->tag);
	return r;
}

/* Seen now. Writes at most once a second, unless the state changes; true: it
 * has written. A closing connection stays so. */
static __always_inline bool conn_touch(struct conn_ref *r, __u32 now,
				       enum conn_state state)
{
	__u32 old = READ_ONCE(r->head->time);
	__u32 new;

	if (conn_state(old) > state)
		state = conn_state(old);
	new = conn_time(now, conn_life(old), state);
	if (new == old)
		return false;
	WRITE_ONCE(r->head->time, new);
	return true;
}

static __always_inline bool conn_is_dead(__u32 time, __u32 now)
{
	const struct runtime *rt = map_only(runtime);

	return rt && conn_age(time, now) >= conn_limit(time, rt->syn_s,
						       rt->closing_s);
}

/*
 * How gladly an entry makes room: 0 never; most of all one that has our tag,
 * an empty one, then dead ones, then those that saw one packet or are
 * closing, the oldest first. Arithmetic, for the verifier's sake.
 */
static __always_inline __u64 conn_worth(const struct conn_head *head,
					__u32 tag, __u32 now,
					const struct runtime *rt)
{
	__u32 word = READ_ONCE(head->tag), time = READ_ONCE(head->time);
	__u32 is_live = time & CONN_LIVE;
	__u64 age = conn_age(time, now), dead;

	dead = (conn_limit(time, rt->syn_s, rt->closing_s) - 1ull - age) >> 63;
	return ((__u64)match_bit(word, tag, 0) << 35 |
		(__u64)match_bit(word, 0, 0) << 34 | dead << 33 |
		((age + 1) & -(__u64)(1 - is_live))) &
	       ((__u64)match_bit(word, CONN_BUSY, 0) - 1);
}

/*
 * Take an entry for a flow that has none, locked: fill it, then conn_publish
 * or conn_give_back. Returns its position; 0: all of the bucket are alive.
 */
__global __u32 conn_claim(__u64 hash)
{
	const struct runtime *rt = map_only(runtime);
	struct scratch *s = map_only(scratch);
	struct conn_bucket *bucket;
	struct conn_head *head;
	__u64 was, busy, worth, best = 0;
	__u32 idx, way, now = now_s();

	bucket = conn_bucket(hash, &idx);
	if (!bucket || !rt || !s)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < CONN_WAYS; i++) {
		worth = conn_worth(&bucket->line[0].head[i], conn_tag(hash),
				   now, rt) << 3 | i;
		best = max64(best, worth);
	}
	/* Verifier: through memory it forgets each value's every history, which
	 * it would follow one by one (clang 19: 40 000 instructions) */
	WRITE_ONCE(s->best, best);
	best = READ_ONCE(s->best);
	way = best & 7;
	if (best < 8 || way >= CONN_WAYS)
		return 0;
	head = &bucket->line[0].head[way];
	was = READ_ONCE(*(__u64 *)head);
	if ((__u32)was == CONN_BUSY)
		return 0;
	busy = (was & ~0xffffffffull) | CONN_BUSY;
	if (__sync_val_compare_and_swap((__u64 *)head, was, busy) != was)
		return 0;
	return idx * (CONN_WAYS + 1) + 1 + way;
}

/* Everybody may read it from here on. */
static __always_inline void conn_publish(struct conn_ref *r, __u64 hash,
					 __u32 time)
{
	__u64 word = (__u64)time << 32 | conn_tag(hash);

	r->tag = conn_tag(hash);
	__sync_lock_test_and_set((__u64 *)r->head, word);
}

static __always_inline void conn_give_back(struct conn_ref *r)
{
	WRITE_ONCE(r->head->tag, 0);
}

/* Record f -> backend, or change the record that r found. CONN_NEW whatever
 * the packet was: any flag can be forged, a second packet is more trouble. */
static __always_inline void
conn_record(struct conn_ref *r, const struct flow *f, __u64 hash, __u32 backend,
	    __u32 generation, __u32 life)
{
	if (!r->head) {
		*r = conn_at(conn_claim(hash));
		if (!r->head)
			return;
		r->conn->flow = *f;
	}
	r->conn->peer = 0;	/* NAT's it may have been, and is no more */
	r->conn->flags = 0;
	WRITE_ONCE(*(__u64 *)&r->conn->backend,
		   (__u64)generation << 32 | backend);
	conn_publish(r, hash, conn_time(now_s(), life, CONN_NEW));
}

#endif
