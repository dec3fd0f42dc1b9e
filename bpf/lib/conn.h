/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of connections: finding what is in it, and noting that it was
 * seen. A packet of a client reads a line of heads and a record, both at once
 * if the record is where it was guessed to be, and calls no helper (an LRU
 * hash map: 45 ns hot, 190 cold). Who gets in, and who makes room for it, is
 * in conn_claim.h; how a backend's packets find it, in reply.h.
 *
 * A reader copies what it needs and looks whether the tag is still the same
 * (conn_is_still): loads are not reordered on x86; elsewhere the window is as
 * wide as the load buffer, and a wrong guess sends one packet of one flow
 * astray.
 */
#ifndef FAIRLEAD_BPF_CONN_H
#define FAIRLEAD_BPF_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/conn.h>
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

/* CLOCK_MONOTONIC in eighths of a second, from jiffies: no helper call. */
static __always_inline __u32 now_8th(void)
{
	return (bpf_jiffies64() - cfg.jiffies_start) * cfg.hz_reciprocal >> 29;
}

static __always_inline __u32 now_s(void)
{
	return (bpf_jiffies64() - cfg.jiffies_start) * cfg.hz_reciprocal >> 32;
}

/* A place in the table. head == NULL: nothing found. */
struct conn_ref {
	__u32 *head;
	struct conn *conn;
	__u32 word;		/* what *head was */
	__u32 position;
};

static __always_inline struct conn_bucket *conn_bucket(__u32 idx)
{
	return bpf_map_lookup_elem(&conns, &idx);
}

static __always_inline __u32 conn_state(const struct conn_ref *r)
{
	return r->word & CONN_STATE_MASK;
}

/*
 * Which heads are word, as far as the bits of mask go? All at once: bit i of
 * the result stands for way 2i, bit 8 + i for way 2i + 1.
 */
static __always_inline __u32 conn_match(const struct conn_bucket *b,
					__u32 word, __u32 mask)
{
	const __u64 both = (__u64)word << 32 | word;
	const __u64 bits = (__u64)mask << 32 | mask;
	const __u64 low = 0x7fffffff7fffffffull;
	__u64 x, found = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < (CONN_WAYS + 1) / 2; i++) {
		x = (READ_ONCE(b->heads[i]) ^ both) & bits;
		x = ~(((x & low) + low) | x) & ~low;
		found |= x >> (31 - i);
	}
	return (found | found >> 24) & 0x7fff;
}

/* Of a mask as conn_match() gives: the first way, and a way's bit. */
static __always_inline __u32 conn_first_way(__u32 mask)
{
	__u32 even = mask & 0xff, odd = (even - 1) >> 31;

	return lowest_bit(odd ? mask >> 8 : even) * 2 + odd;
}

static __always_inline __u32 conn_way_bit(__u32 way)
{
	return 1u << ((way >> 1) + (way & 1) * 8);
}

static __always_inline bool conn_is(const struct conn *c, const struct flow *f)
{
	const __u64 *x = (const __u64 *)c, *y = (const __u64 *)f;
	__u64 rest = (y[4] & 0xffffffff) | (__u64)conn_what(f) << 32;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3] &&
	       !((x[4] ^ rest) << 28);
}

/* The other half of conn_is(): the key's part of a new record. */
static __always_inline void conn_set_key(struct conn *c, const struct flow *f,
					 __u8 flags)
{
	c->client = f->src;
	c->vip = f->dst;
	c->cport = f->sport;
	c->vport = f->dport;
	c->what = conn_what(f) | flags;
}

/*
 * Verifier: it loses what it knows of a way when that is copied, and Linux 6.1
 * never knew it of what is multiplied: hence & 15, which clang would leave out
 * where it can prove the same.
 */
static __always_inline __u32 conn_way(__u32 way)
{
	asm volatile("" : "+r"(way));
	return way & 15;
}

static __always_inline bool conn_in(struct conn_bucket *b, __u32 idx,
				    const struct flow *f, __u32 tag,
				    struct conn_ref *r)
{
	__u32 way = conn_way(conn_guess(tag)), mask;

	/* the record's line is on its way before the heads' has come */
	(void)READ_ONCE(b->conn[(1 + way) & 15].hop);
	r->word = READ_ONCE(b->head[way]);
	if ((r->word ^ tag) & CONN_TAG_MASK) {
		mask = conn_match(b, tag, CONN_TAG_MASK);
		if (!mask)
			return false;
		way = conn_way(conn_first_way(mask));
		r->word = READ_ONCE(b->head[way]);
		if ((r->word ^ tag) & CONN_TAG_MASK)
			return false;
	}
	if (!conn_is(&b->conn[(1 + way) & 15], f))
		return false;
	r->head = &b->head[way];
	r->conn = &b->conn[(1 + way) & 15];
	r->position = idx * (CONN_WAYS + 1) + 1 + way;
	return true;
}

/* What is recorded under f's own key. A bucket has no tag twice, so what is
 * found first is all that there can be (conn_claim). */
static __always_inline struct conn_ref conn_find(const struct flow *f,
						 __u64 hash)
{
	__u32 first = conn_bucket1(hash, cfg.conn_buckets);
	__u32 second = conn_bucket2(hash, cfg.conn_buckets);
	struct conn_bucket *b = conn_bucket(first);
	__u32 tag = conn_tag(hash);
	struct conn_ref r = {};

	if (!b || conn_in(b, first, f, tag, &r))
		return r;
	b = conn_bucket(second);
	if (b)
		conn_in(b, second, f, tag, &r);
	return r;
}

/* The record at a position, used or not; NULL only for a lying position. */
static __always_inline struct conn_ref conn_at(__u32 position)
{
	struct conn_bucket *b = conn_bucket(position / (CONN_WAYS + 1));
	__u32 way = position % (CONN_WAYS + 1) - 1;
	struct conn_ref r = { .position = position };

	if (!b || way >= CONN_WAYS)
		return r;
	way = conn_way(way);
	r.head = &b->head[way];
	r.conn = &b->conn[(1 + way) & 15];
	r.word = READ_ONCE(*r.head);
	return r;
}

static __always_inline bool conn_is_still(const struct conn_ref *r)
{
	return !((READ_ONCE(*r->head) ^ r->word) & CONN_TAG_MASK);
}

/*
 * conn_limit() of a record that is not live, as few packets' are; opens: for a
 * first packet of its client. Where both sides were seen to close, which nobody
 * outside can say for a backend, that is of another connection, and may go to
 * another backend. So is one where the client alone is seen, and was done for
 * longer than an end is waited for.
 */
__global __u32 conn_limit_other(__u32 state, __u32 what, __u32 time,
				__u32 opens)
{
	const struct runtime *rt = map_only(runtime);

	if (!rt)
		return 0;
	if (!opens || state != CONN_CLOSING)
		return conn_limit(state, what, time, rt);
	return (what & CONN_BOTH_FINS) == CONN_BOTH_FINS ? 0 : rt->closing_s;
}

/* Nobody's, though still there: unseen for longer than its state allows; or
 * opens, and it was another one's. */
static __always_inline bool conn_is_over(const struct conn_ref *r, __u32 now,
					 __u32 opens)
{
	__u32 time = READ_ONCE(r->conn->time), limit = conn_limit_live(time);

	if (conn_state(r) != CONN_LIVE)
		limit = conn_limit_other(conn_state(r), r->conn->what, time,
					 opens);
	return conn_age(time, now) >= limit;
}

static __always_inline bool conn_is_dead(const struct conn_ref *r, __u32 now)
{
	return conn_is_over(r, now, false);
}

/* Compare-and-swap: the record may be another's by now. */
static __always_inline void conn_set_time(struct conn_ref *r, __u32 now_s)
{
	__u32 was = READ_ONCE(r->conn->time);
	__u32 time = conn_time(now_s, conn_life(was));

	if (was != time)
		__sync_val_compare_and_swap(&r->conn->time, was, time);
}

static __always_inline void conn_set_state(struct conn_ref *r, __u32 now,
					   enum conn_state state)
{
	__u32 word = (r->word & CONN_TAG_MASK) |
		     (now & CONN_STAMP_MASK) << CONN_STAMP_SHIFT | state;
	__u32 was;

	/* an end again, if it is but in another state by now: both sides may
	 * close in one moment, and who comes last knows of both */
	was = __sync_val_compare_and_swap(r->head, r->word, word);
	if (was != r->word && !((was ^ word) & CONN_TAG_MASK) &&
	    state == CONN_CLOSING)
		was = __sync_val_compare_and_swap(r->head, r->word = was, word);
	if (was == r->word)
		r->word = word;
	conn_set_time(r, now >> 3);
}

/* Live or half-closed: it never makes room. */
static __always_inline bool conn_is_open(const struct conn_ref *r)
{
	return !(r->word & 1);
}

/* Seen now, in the state that it is in: written at most once in a second, of
 * an open one once in a 16th of its life. */
static __always_inline void conn_seen(struct conn_ref *r, __u32 now)
{
	__u32 time = READ_ONCE(r->conn->time), least = 0;

	if (conn_state(r) == CONN_LIVE)
		least = conn_slack(conn_life_s(conn_life(time)));
	else if (conn_is_open(r))	/* a 16th, and what that leaves */
		least = conn_limit_other(conn_state(r), r->conn->what, time,
					 false) / 17;
	if (conn_age(time, now >> 3) <= least)
		return;
	if (conn_is_open(r))
		conn_set_time(r, now >> 3);
	else
		conn_set_state(r, now, conn_state(r));
}

#define CONN_ENDS_SHIFT \
	(8 * (offsetof(struct conn, what) - offsetof(struct conn, cport)))

/*
 * Of the ends that were seen (FINs, CONN_RESET), forget what is not in keep,
 * and note add. Returns the FINs. By compare-and-swap of the word that they are
 * in, as the record may be another's by now; and again, as both sides may close
 * in one moment.
 */
static __always_inline __u8 conn_note_ends(struct conn_ref *r, __u8 keep,
					   __u8 add)
{
	const __u64 mask = (__u64)(CONN_BOTH_FINS | CONN_RESET)
			   << CONN_ENDS_SHIFT;
	__u64 *word = (__u64 *)&r->conn->cport, was = READ_ONCE(*word), now;
	__u64 next = 0;

	_Static_assert(offsetof(struct conn, cport) % 8 == 0, "a word");
#pragma clang loop unroll(full)
	for (int i = 0; i < 2; i++) {
		next = (was & ~mask) |
		       (was & (__u64)keep << CONN_ENDS_SHIFT) |
		       (__u64)add << CONN_ENDS_SHIFT;
		if (next == was)
			break;
		now = __sync_val_compare_and_swap(word, was, next);
		if (now == was || (now ^ was) & ~mask)
			break;
		was = now;
	}
	return next >> CONN_ENDS_SHIFT & CONN_BOTH_FINS;
}

/* What the client has to acknowledge: 0 after what ended a connection, so that
 * no old number makes it live again; one that nobody can know, once the client
 * has begun anew. */
static __always_inline void conn_set_offered(struct conn_ref *r, __u32 number)
{
	__u64 *word = (__u64 *)&r->conn->reply, was = READ_ONCE(*word), next;

	_Static_assert(offsetof(struct conn, reply) % 8 == 0, "a word");
	next = (was & 0xffffffff) | (__u64)number << 32;
	if (next != was)
		__sync_val_compare_and_swap(word, was, next);
}

#endif
