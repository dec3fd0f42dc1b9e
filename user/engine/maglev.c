// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Maglev (Eisenbud et al., NSDI 2016, 3.4) over tables whose sizes are powers
 * of two: with an odd skip, as gcd(odd, 2^k) = 1, each member's preferences
 * are a permutation of the slots. Turns come in proportion to the weights.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>

#include <fairlead/hash.h>

#include "maglev.h"

#define SLOTS_PER_MEMBER 100
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

void maglev_fill(struct maglev_member *members, __u32 nr, __u32 *owners,
		 __u32 count)
{
	__u64 taken[MAGLEV_SIZE_MAX / 64];
	const __u32 mask = count - 1;
	struct maglev_member *m;
	struct turns turns;
	__u32 slot;

	for (__u32 i = 0; i < count / 64; i++)
		taken[i] = 0;
	prepare(members, nr, mask);
	turns = turns_start(members, nr);
	for (__u32 i = 0; i < count; i++) {
		m = &members[turns_next(&turns)];
		slot = m->next;
		while (taken[slot / 64] >> (slot % 64) & 1)
			slot = (slot + m->skip) & mask;
		taken[slot / 64] |= 1ull << (slot % 64);
		owners[slot] = m->value;
		m->next = (slot + m->skip) & mask;
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
