/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The backend's way to a connection: a cell of the map replies, which names
 * the record that names it back. Nothing else is compared but the port and
 * the protocol: the cell has 32 bits of the reply's hash under a secret key,
 * and user space gives no backend's id nor address of NAT away while a record
 * names it.
 */
#ifndef FAIRLEAD_BPF_REPLY_H
#define FAIRLEAD_BPF_REPLY_H

#include "conn_claim.h"

#define REPLY_FIRST_MAX 5	/* as CONN_FIRST_MAX */
#define REPLY_TRIES 4

/* Instead of a position: somebody else has the port. */
#define REPLY_TAKEN 0xffffffffu

static __always_inline struct reply_bucket *reply_bucket(__u32 idx)
{
	return bpf_map_lookup_elem(&replies, &idx);
}

/* Which cells have the tag; 0: which are empty. */
static __always_inline __u32 reply_match(const struct reply_bucket *b,
					 __u32 tag)
{
	__u32 mask = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < REPLY_CELLS; i++)
		mask |= match_bit(READ_ONCE(b->cell[i]) >> 32, tag, i);
	return mask;
}

/* The way of a cell that is taken if it is empty, and looked at first. */
static __always_inline __u32 reply_guess(__u32 tag)
{
	return tag >> 29;
}

/* Does the record, locked or not, say that its reply is found by this cell? */
static __always_inline bool reply_is(const struct conn *c, __u32 cell,
				     const struct flow *reply)
{
	return c->reply == cell && c->what & CONN_NAT &&
	       c->nat_port == reply->dport &&
	       !((c->what ^ conn_what(reply)) & CONN_KEY_MASK);
}

static __always_inline bool reply_in(const struct reply_bucket *b, __u32 idx,
				     const struct flow *reply, __u32 tag,
				     struct conn_ref *r)
{
	__u32 way = reply_guess(tag), mask;
	__u64 cell = READ_ONCE(b->cell[way]);

	if (cell >> 32 != tag) {
		mask = reply_match(b, tag);
		if (!mask)
			return false;
		way = lowest_bit(mask) & 7;
		cell = READ_ONCE(b->cell[way]);
		if (cell >> 32 != tag)
			return false;
	}
	*r = conn_at(cell);
	if (r->head && !reply_is(r->conn, idx * REPLY_CELLS + way, reply))
		r->head = NULL;
	return r->head;
}

/* The connection that reply, a packet of a backend, is of. Its head may be
 * CONN_BUSY. */
static __always_inline struct conn_ref reply_find(const struct flow *reply,
						  __u64 hash)
{
	__u32 first = conn_bucket1(hash, cfg.reply_buckets);
	__u32 second = conn_bucket2(hash, cfg.reply_buckets);
	const struct reply_bucket *b = reply_bucket(first);
	__u32 tag = reply_tag(hash);
	struct conn_ref r = {};

	if (!b || reply_in(b, first, reply, tag, &r))
		return r;
	b = reply_bucket(second);
	if (b)
		reply_in(b, second, reply, tag, &r);
	return r;
}

/* Both buckets are full: a half-open one that has a cell here goes. */
__global int reply_make_room(__u32 idx, __u32 except)
{
	struct reply_bucket *b = reply_bucket(idx);
	struct conn_ref r;
	__u32 position;

	if (!b)
		return false;
#pragma clang loop unroll(disable)
	for (int i = 0; i < REPLY_CELLS; i++) {
		position = READ_ONCE(b->cell[i]);
		r = conn_at(position);
		if (!r.head || position == except || !(r.word & 1) ||
		    r.conn->reply != idx * REPLY_CELLS + i)
			continue;
		if (conn_drop(position, r.word))
			return true;
	}
	return false;
}

/* The bucket that a new cell goes to: the first while it is not too full. */
static __always_inline __u32 reply_choose(__u32 first, __u32 second,
					  __u32 empty1, __u32 empty2)
{
	__u32 used1 = REPLY_CELLS - count_bits(empty1);
	__u32 used2 = REPLY_CELLS - count_bits(empty2);

	return used1 > REPLY_FIRST_MAX && used2 < used1 ? second : first;
}

/* A cell in a bucket for the record at position: its way and one; 0: full. */
__global __u32 reply_put(__u32 idx, __u32 tag, __u32 position)
{
	struct reply_bucket *b = reply_bucket(idx);
	struct conn_ref r = conn_at(position);
	__u32 empty, way;

	if (!b || !r.head)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < REPLY_TRIES; i++) {
		empty = reply_match(b, 0);
		if (!empty)
			return 0;
		way = empty >> reply_guess(tag) & 1 ? reply_guess(tag) :
						      lowest_bit(empty) & 7;
		WRITE_ONCE(r.conn->reply, idx * REPLY_CELLS + way);
		if (!__sync_val_compare_and_swap(&b->cell[way], 0,
						 (__u64)tag << 32 | position))
			return way + 1;
	}
	return 0;
}

/* How many cells of a reply's two buckets have its tag. */
static __always_inline __u32 reply_count(__u32 first, __u32 second, __u32 tag)
{
	const struct reply_bucket *a = reply_bucket(first);
	const struct reply_bucket *b = reply_bucket(second);

	if (!a || !b)
		return 0;
	return count_bits(reply_match(a, tag)) +
	       (first == second ? 0 : count_bits(reply_match(b, tag)));
}

/*
 * A cell for the record at position, which is locked. 1; 0: there is no room;
 * REPLY_TAKEN: another has the tuple, perhaps since this moment.
 */
__global __u32 reply_publish(__u64 hash, __u32 position)
{
	__u32 first = conn_bucket1(hash, cfg.reply_buckets);
	__u32 second = conn_bucket2(hash, cfg.reply_buckets);
	const struct reply_bucket *a = reply_bucket(first);
	const struct reply_bucket *b = reply_bucket(second);
	__u32 tag = reply_tag(hash), empty1, empty2, idx;
	struct conn_ref r;

	if (!a || !b)
		return 0;
	if (reply_match(a, tag) | reply_match(b, tag))
		return REPLY_TAKEN;
	empty1 = reply_match(a, 0);
	empty2 = reply_match(b, 0);
	idx = reply_choose(first, second, empty1, empty2);
	if (!(empty1 | empty2) && !reply_make_room(first, position))
		return 0;
	if (!reply_put(idx, tag, position))
		return 0;
	if (reply_count(first, second, tag) == 1)
		return 1;
	r = conn_at(position);
	if (r.head)
		reply_clear(&r);
	return REPLY_TAKEN;
}

/*
 * The cell of the connection at from becomes that of the one at position,
 * which is locked and has the same reply, of this tag; from is no more. False:
 * from is another's by now, or confirmed. (Its backend may be another one at
 * the same address, of another service.)
 */
__global int reply_take_over(__u32 from, __u32 word, __u32 position, __u32 tag)
{
	struct conn_ref old = conn_at(from), own = conn_at(position);
	struct reply_bucket *b;
	__u64 *cell, was;

	if (!old.head || !own.head || word <= CONN_BUSY ||
	    __sync_val_compare_and_swap(old.head, word, CONN_BUSY) != word)
		return false;
	b = reply_bucket(old.conn->reply / REPLY_CELLS);
	if (b && old.conn->what & CONN_NAT &&
	    old.conn->nat_port == own.conn->nat_port) {
		cell = &b->cell[old.conn->reply % REPLY_CELLS];
		was = (__u64)tag << 32 | from;
		WRITE_ONCE(own.conn->reply, old.conn->reply);
		if (__sync_val_compare_and_swap(cell, was,
				(__u64)tag << 32 | position) == was) {
			__sync_lock_test_and_set(old.head, 0);
			conn_evicted();
			return true;
		}
	}
	__sync_lock_test_and_set(old.head, word);
	return false;
}

#endif
