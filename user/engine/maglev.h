/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who owns which slot of a service's table. The same set of backends gives
 * the same table on every machine, whatever the order it is told in: nodes
 * agree without speaking to each other.
 */
#ifndef FAIRLEAD_MAGLEV_H
#define FAIRLEAD_MAGLEV_H

#include <fairlead/types.h>

#define MAGLEV_SIZE_MIN 64
#define MAGLEV_SIZE_MAX 65536

struct maglev_member {
	__u64 hash;		/* maglev_hash() */
	__u32 value;		/* what its slots hold */
	__u32 weight;		/* not 0 */

	/* while a table is made */
	__u64 due;		/* when its next turn comes */
	__u64 period;		/* from one turn to the next */
	__u32 next;		/* the slot it wants next */
	__u32 skip;
	__u32 heap;		/* not its own: heap[i] is in member i */
};

/* port: host order. Public and the same everywhere, so never keyed. */
__u64 maglev_hash(const struct addr *addr, __u16 port);

/* Slots for members whose weights add up to sum, the least being min. */
__u32 maglev_size(__u32 nr, __u64 sum, __u32 min);

/* count is a power of two, MAGLEV_SIZE_MIN to _MAX; nr is not 0. Both sort
 * members. */
void maglev_fill(struct maglev_member *members, __u32 nr, __u32 *owners,
		 __u32 count);

/* Owners in the order of their turns, so that a walk along the slots is a
 * smooth weighted round robin: nobody waits longer than its weight says. */
void round_robin_fill(struct maglev_member *members, __u32 nr, __u32 *owners,
		      __u32 count);

#endif
