// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Maglev (Eisenbud et al., NSDI 2016, 3.4) over tables whose sizes are powers
 * of two: with an odd skip, as gcd(odd, 2^k) = 1, each member's preferences
 * are a permutation of the slots. Turns come in proportion to the weights.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "maglev.h"

#define SLOTS_PER_MEMBER 100
#define HOLES_MAX 256
#define PERIOD_ONE (1ull << 40)	/* of weight 1: 65536 turns fit 64 bits */

__u64 maglev_hash(const struct addr *addr, __u16 port)
{
	const __u64 step = 0x9e3779b97f4a7c15ull; /* splitmix64's */
	__u64 h = port;

	for (int i = 0; i < 4; i++)
		h = hash_mix(h + step) ^ ntohl(addr->word[i]);
	return hash_mix(h + step);
}

__u32 maglev_size(__u32 nr, __u64 sum, __u32 min)
{
	__u32 size = MAGLEV_SIZE_MIN;
	__u64 want;

	if (nr < 2)
		return size;
	want = SLOTS_PER_MEMBER * sum / min;
	while (size < want && size < MAGLEV_SIZE_MAX)
		size *= 2;
	return size;
}

/* A heap of members by the time of their next turn; or, when all weigh the
 * same, one after the other. */
struct turns {
	struct maglev_member *members;
	__u32 nr;
	__u32 at;
	bool equal;
};

static bool is_before(const struct maglev_member *m, __u32 a, __u32 b)
{
	return m[a].due != m[b].due ? m[a].due < m[b].due : a < b;
}

static void sift_down(struct turns *t, __u32 at)
{
	struct maglev_member *m = t->members;
	__u32 moving = m[at].heap, child;

	while ((child = 2 * at + 1) < t->nr) {
		if (child + 1 < t->nr &&
		    is_before(m, m[child + 1].heap, m[child].heap))
			child++;
		if (!is_before(m, m[child].heap, moving))
			break;
		m[at].heap = m[child].heap;
		at = child;
	}
	m[at].heap = moving;
}

/* Members have their due and period. */
static struct turns turns_start(struct maglev_member *members, __u32 nr)
{
	struct turns t = { .members = members, .nr = nr, .equal = true };

	for (__u32 i = 0; i < nr; i++) {
		members[i].heap = i;
		t.equal &= members[i].weight == members[0].weight;
	}
	for (__u32 i = nr / 2; !t.equal && i-- > 0;)
		sift_down(&t, i);
	return t;
}

static inline __u32 turns_next(struct turns *t)
{
	__u32 first;

	if (t->equal) {
		first = t->at++;
		if (t->at == t->nr)
			t->at = 0;
		return first;
	}
	first = t->members[0].heap;
	t->members[first].due += t->members[first].period;
	sift_down(t, 0);
	return first;
}

static int compare_hash(const void *a, const void *b)
{
	const struct maglev_member *x = a, *y = b;

	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int compare_weight(const void *a, const void *b)
{
	const struct maglev_member *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return compare_hash(a, b);
}

/* The first turn is half a period from the start: shares are rounded to the
 * nearest, not up. */
static void prepare(struct maglev_member *members, __u32 nr, __u32 mask)
{
	qsort(members, nr, sizeof(*members), compare_hash);
	for (struct maglev_member *m = members; m < members + nr; m++) {
		m->next = (m->hash >> 32) & mask;
		m->skip = (m->hash & mask) | 1;
		m->period = PERIOD_ONE / m->weight;
		m->due = m->period / 2;
	}
}

/* A table that is being filled: which slots are taken, and the last ones that
 * are not. */
struct filling {
	__u32 mask;
	__u64 taken[MAGLEV_SIZE_MAX / 64];
	__u32 holes[HOLES_MAX];
	__u32 nr_holes;
};

/* The next of m's preferences that is free. */
static __u32 walk(struct filling *f, const struct maglev_member *m)
{
	__u32 slot = m->next;

	while (f->taken[slot / 64] >> (slot % 64) & 1)
		slot = (slot + m->skip) & f->mask;
	f->taken[slot / 64] |= 1ull << (slot % 64);
	return slot;
}

/* The x for which odd * x is 1 modulo 2^32: Newton's iteration, which doubles
 * the bits that are right, 3 at first. */
static __u32 inverse(__u32 odd)
{
	__u32 x = odd;

	for (int bits = 3; bits < 32; bits *= 2)
		x *= 2 - odd * x;
	return x;
}

/* The same, where few are free and a walk would be long: m is at a hole after
 * (hole - next) / skip steps. */
static __u32 jump(struct filling *f, const struct maglev_member *m)
{
	const __u32 per_slot = inverse(m->skip);
	__u32 best = 0, least = ~0u, slot;

	for (__u32 i = 0; i < f->nr_holes; i++) {
		__u32 steps = (f->holes[i] - m->next) * per_slot & f->mask;

		if (steps >= least)
			continue;
		least = steps;
		best = i;
	}
	slot = f->holes[best];
	f->holes[best] = f->holes[--f->nr_holes];
	return slot;
}

static void find_holes(struct filling *f)
{
	for (__u32 i = 0; i <= f->mask; i++)
		if (!(f->taken[i / 64] >> (i % 64) & 1))
			f->holes[f->nr_holes++] = i;
}

/* When `left` slots are free, a walk takes count / left steps, a jump one for
 * each of them, which cost half as much. */
static bool has_few(__u32 left, __u32 count)
{
	return left <= HOLES_MAX && left * left <= 2 * count;
}

void maglev_fill(struct maglev_member *members, __u32 nr, __u32 *owners,
		 __u32 count)
{
	struct filling f;
	struct maglev_member *m;
	struct turns turns;
	__u32 slot;

	f.mask = count - 1;
	f.nr_holes = 0;
	memset(f.taken, 0, count / 8);
	prepare(members, nr, f.mask);
	turns = turns_start(members, nr);
	for (__u32 i = 0; i < count; i++) {
		m = &members[turns_next(&turns)];
		if (!f.nr_holes && has_few(count - i, count))
			find_holes(&f);
		slot = f.nr_holes ? jump(&f, m) : walk(&f, m);
		owners[slot] = m->value;
		m->next = (slot + m->skip) & f.mask;
	}
}

/* Members of one weight share out the period among them: else they would all
 * come at once, and who weighs more would wait for all of them. */
static void spread(struct maglev_member *first, __u32 nr)
{
	__u64 period = PERIOD_ONE / first->weight;

	for (__u32 i = 0; i < nr; i++) {
		first[i].period = period;
		first[i].due = period / (2 * nr) * (2 * i + 1);
	}
}

void round_robin_fill(struct maglev_member *members, __u32 nr, __u32 *owners,
		      __u32 count)
{
	struct turns turns;
	__u32 end;

	qsort(members, nr, sizeof(*members), compare_weight);
	for (__u32 i = 0; i < nr; i = end) {
		for (end = i + 1; end < nr; end++)
			if (members[end].weight != members[i].weight)
				break;
		spread(members + i, end - i);
	}
	turns = turns_start(members, nr);
	for (__u32 i = 0; i < count; i++)
		owners[i] = members[turns_next(&turns)].value;
}
