/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who gets into the table of connections, and who makes room for it: what is
 * empty, else what is dead, else the oldest that the client has not confirmed,
 * or that is closing. A live one never. So no flood of first packets
 * takes anything from who is known; what it costs is what it finds.
 *
 * conn_claim() gives a place that is locked: fill its record, then either
 * conn_publish() or conn_release().
 */
#ifndef FAIRLEAD_BPF_CONN_CLAIM_H
#define FAIRLEAD_BPF_CONN_CLAIM_H

#include "conn.h"

#define CONN_FIRST_MAX 11	/* used ways up to which the first bucket is
				 * not left for an emptier second one */
#define CONN_UNEVEN 1		/* live ones that one may have more of */
#define CONN_TRIES 4

/* Instead of a position, or of a bucket. */
#define CONN_NOT_NOW 0xffffffffu

/* The cell by which replies find the record at r, if it is still r's. */
static __always_inline void reply_clear(const struct conn_ref *r)
{
	__u32 idx = r->conn->reply / REPLY_CELLS;
	struct reply_bucket *b;
	__u64 *cell, word;

	if (!(r->conn->what & CONN_NAT))
		return;
	b = bpf_map_lookup_elem(&replies, &idx);
	if (!b)
		return;
	cell = &b->cell[r->conn->reply % REPLY_CELLS];
	word = READ_ONCE(*cell);
	if ((__u32)word == r->position)
		__sync_val_compare_and_swap(cell, word, 0);
}

/* What is locked becomes nobody's. */
__global int conn_release(__u32 position)
{
	struct conn_ref r = conn_at(position);

	if (!r.head)
		return 0;
	reply_clear(&r);
	__sync_lock_test_and_set(r.head, 0);
	return 0;
}

/* The same of a record whose head is yet word. False: it is no more. */
__global int conn_drop(__u32 position, __u32 word)
{
	struct conn_ref r = conn_at(position);

	if (!r.head || word <= CONN_BUSY ||
	    __sync_val_compare_and_swap(r.head, word, CONN_BUSY) != word)
		return false;
	reply_clear(&r);
	__sync_lock_test_and_set(r.head, 0);
	return true;
}

/* How old a half or closing one is, in eighths of a second and one, before
 * its way; 0 if word is of neither. */
static __always_inline __u32 conn_head_age(__u32 word, __u32 way, __u32 now)
{
	__u32 odd = -(word & word / CONN_TAG_BIT & 1);

	asm volatile("" : "+r"(odd));	/* clang 19 makes branches of it */
	return ((((now - (word >> CONN_STAMP_SHIFT)) & CONN_STAMP_MASK) + 1)
		<< 4 | way) & odd;
}

/* The oldest of a bucket, as conn_head_age() has it; 0: none makes room. */
__global __u32 conn_oldest(__u32 idx, __u32 now)
{
	struct conn_bucket *b = conn_bucket(idx);
	__u32 best = 0;

	if (!b)
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < CONN_WAYS; i++)
		best = max31(best, conn_head_age(READ_ONCE(b->head[i]), i,
						 now));
	return best;
}

static __always_inline __u32 conn_count(const struct conn_bucket *b,
					__u32 word, __u32 mask)
{
	return count_bits(conn_match(b, word, mask));
}

/*
 * Which bucket gets the flow: bit 0; bit 1: the other one must not, as it has
 * another flow of our tag. The first, while it has room. Where half-open ones
 * fill it, the live ones must stay even (else two to choose from are as one),
 * and then the older one goes.
 */
__global __u32 conn_choose(__u64 hash, __u32 now)
{
	__u32 first = conn_bucket1(hash, cfg.conn_buckets);
	__u32 second = conn_bucket2(hash, cfg.conn_buckets);
	struct conn_bucket *a = conn_bucket(first), *b = conn_bucket(second);
	__u32 tag = conn_tag(hash), in_a, in_b;

	if (!a || !b)
		return CONN_NOT_NOW;
	in_a = conn_match(a, tag, CONN_TAG_MASK);
	in_b = conn_match(b, tag, CONN_TAG_MASK);
	if (in_a && in_b)
		return CONN_NOT_NOW;
	if (in_a | in_b)
		return 2 | !!in_a;
	in_a = CONN_WAYS - conn_count(a, 0, ~0u);
	in_b = CONN_WAYS - conn_count(b, 0, ~0u);
	if (in_a < CONN_WAYS)
		return in_a > CONN_FIRST_MAX && in_b < in_a;
	/* even heads are those of open ones, and empty ones */
	in_a = conn_count(a, 0, 1);
	in_b = conn_count(b, 0, 1) + in_b - CONN_WAYS;
	if (in_a > in_b + CONN_UNEVEN || in_b > in_a + CONN_UNEVEN)
		return in_b < in_a;
	return conn_match(b, 0, ~0u) ||
	       conn_oldest(second, now) >> 4 > conn_oldest(first, now) >> 4;
}

/* How long the open one at a position was not seen, in seconds and one, if it is
 * dead; else 0. Verifier: apart, as its branches would count for each way. */
__global __u32 conn_dead_age(__u32 position, __u32 now_s)
{
	const struct runtime *rt = map_only(runtime);
	struct conn_ref r = conn_at(position);
	__u32 time, age;

	if (!rt || !r.head || !conn_is_open(&r))
		return 0;
	time = READ_ONCE(r.conn->time);
	age = conn_age(time, now_s);
	if (age < conn_limit(conn_state(&r), r.conn->what, time, rt))
		return 0;
	return age + 1;
}

/* Of a full bucket's open ones, which was dead for longest: its age, before its
 * way; 0: all are alive. */
__global __u32 conn_oldest_dead(__u32 idx, __u32 now_s)
{
	__u32 best = 0, position = idx * (CONN_WAYS + 1) + 1;

#pragma clang loop unroll(disable)
	for (int i = 0; i < CONN_WAYS; i++)
		best = max31(best, conn_dead_age(position + i, now_s) << 4 | i);
	return best >> 4 ? best : 0;
}

/*
 * Who goes from a full bucket: its way, below its age; 0: all are alive. First
 * what nobody waits for any more: user space sweeps, but not at every moment,
 * and may not be there. A look at all records is dear, and what it finds changes
 * with the seconds: where it was nothing, there is none again in the same one.
 */
static __always_inline __u32 conn_first_to_go(struct conn_bucket *b, __u32 idx,
					      __u32 now)
{
	__u32 *all_alive_s = &b->head[CONN_WAYS], way;

	if (READ_ONCE(*all_alive_s) != now >> 3) {
		way = conn_oldest_dead(idx, now >> 3);
		if (way)
			return way;
		WRITE_ONCE(*all_alive_s, now >> 3);
	}
	return conn_oldest(idx, now);
}

/* Apart, so that its map costs nobody else stack. */
__global int conn_evicted(void)
{
	struct conn_stats *stats = map_only(conn_stats);

	if (stats)
		stats->evicted++;
	return 0;
}

/* A place in one bucket. 0: all are alive; CONN_NOT_NOW: ask again. */
__global __u32 conn_take(__u32 idx, __u32 guess, __u32 now)
{
	struct conn_bucket *b = conn_bucket(idx);
	__u32 empty, way, position, word = 0;
	struct conn_ref r;

	if (!b)
		return 0;
	empty = conn_match(b, 0, ~0u);
	if (empty) {
		way = empty & conn_way_bit(guess & 15) ? guess :
							 conn_first_way(empty);
	} else {
		way = conn_first_to_go(b, idx, now);
		if (!way)
			return 0;
		way &= 15;
	}
	position = idx * (CONN_WAYS + 1) + 1 + way;
	r = conn_at(position);
	if (!r.head)
		return 0;
	if (!empty) {
		word = r.word;
		if (word <= CONN_BUSY)
			return CONN_NOT_NOW;
	}
	if (__sync_val_compare_and_swap(r.head, word, CONN_BUSY) != word)
		return CONN_NOT_NOW;
	if (word) {
		reply_clear(&r);
		conn_evicted();
	}
	return position;
}

/* A place for a flow, locked: its position; 0: there is no room. */
__global __u32 conn_claim(__u64 hash)
{
	__u32 now = now_8th(), pick = conn_choose(hash, now), position, idx;

	if (pick == CONN_NOT_NOW)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < CONN_TRIES; i++) {
		idx = pick & 1 ? conn_bucket2(hash, cfg.conn_buckets) :
				 conn_bucket1(hash, cfg.conn_buckets);
		position = conn_take(idx, conn_guess(conn_tag(hash)), now);
		if (position && position != CONN_NOT_NOW)
			return position;
		if (position)
			continue;
		if (pick & 2)
			return 0;
		pick = (pick ^ 1) | 2;
	}
	return 0;
}

/* Are two records of one flow? */
static __always_inline bool conn_is_twin(const struct conn *a,
					 const struct conn *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3] &&
	       !((x[4] ^ y[4]) << 28);
}

/*
 * Did another CPU publish our flow at the same moment? In our own bucket one
 * tag is enough, as it may be there once only.
 */
static __always_inline bool conn_has_twin(const struct conn_ref *r,
					  __u64 hash)
{
	__u32 first = conn_bucket1(hash, cfg.conn_buckets);
	__u32 second = conn_bucket2(hash, cfg.conn_buckets);
	__u32 own = r->position / (CONN_WAYS + 1), tag = conn_tag(hash), mask;
	struct conn_bucket *b = conn_bucket(own);

	if (!b)
		return true;
	mask = conn_match(b, tag, CONN_TAG_MASK);
	if (mask & ~conn_way_bit(r->position % (CONN_WAYS + 1) - 1))
		return true;
	b = conn_bucket(own == first ? second : first);
	if (!b || first == second)
		return false;
	mask = conn_match(b, tag, CONN_TAG_MASK);
	return mask &&
	       conn_is_twin(&b->conn[(1 + conn_first_way(mask)) & 15],
			    r->conn);
}

/*
 * Everybody may read the record from here on, as a half-open one. False:
 * another CPU has recorded the flow in the same moment; ours is gone again.
 */
__global int conn_publish(__u64 hash, __u32 position)
{
	struct conn_ref r = conn_at(position);

	if (!r.head)
		return false;
	r.word = conn_tag(hash) | CONN_HALF |
		 (now_8th() & CONN_STAMP_MASK) << CONN_STAMP_SHIFT;
	__sync_lock_test_and_set(r.head, r.word);
	if (!conn_has_twin(&r, hash))
		return true;
	conn_drop(position, r.word);
	return false;
}

#endif
