/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The time of an entry in conns, one word for both sides:
 *
 *	31                     9 8         2 1      0
 *	| seconds, last seen    | life      | state |
 *
 * Every entry carries its own life, so that one of UDP which looks for room
 * does not take a connection of TCP for dead. A life is a small float, two bits
 * of mantissa, rounded up: at most a quarter longer than what was asked for,
 * 4 s at least, 42 days at most. Seconds (CLOCK_MONOTONIC) come round after
 * 97 days; an age is right up to half of that.
 */
#ifndef FAIRLEAD_CONN_TIME_H
#define FAIRLEAD_CONN_TIME_H

#include <fairlead/types.h>

#define CONN_INLINE static inline __attribute__((always_inline, unused))

#define CONN_STATE_BITS 2
#define CONN_LIFE_BITS 7
#define CONN_LIFE_MAX (19 << 2 | 3)	/* 7 << 19 seconds */
#define CONN_SECONDS_SHIFT (CONN_STATE_BITS + CONN_LIFE_BITS)

/* In seconds. */
CONN_INLINE __u32 conn_life_s(__u32 life)
{
	return (4 + (life & 3)) << (life >> 2 & 31);
}

/* The shortest life that is no shorter than this. For user/: it loops. */
CONN_INLINE __u8 conn_life_from(__u32 seconds)
{
	__u32 life = 0;

	while (life < CONN_LIFE_MAX && conn_life_s(life) < seconds)
		life++;
	return life;
}

CONN_INLINE __u32 conn_time(__u32 now_s, __u32 life, enum conn_state state)
{
	return now_s << CONN_SECONDS_SHIFT | life << CONN_STATE_BITS | state;
}

CONN_INLINE enum conn_state conn_state(__u32 time)
{
	return time & ((1 << CONN_STATE_BITS) - 1);
}

CONN_INLINE __u32 conn_life(__u32 time)
{
	return time >> CONN_STATE_BITS & ((1 << CONN_LIFE_BITS) - 1);
}

/* Seconds not seen; 0 if a CPU whose clock is ahead has seen it. */
CONN_INLINE __u32 conn_age(__u32 time, __u32 now_s)
{
	const __u32 seconds = ~0u << CONN_SECONDS_SHIFT;
	__s32 age = (__s32)((now_s << CONN_SECONDS_SHIFT) - (time & seconds)) >>
		    CONN_SECONDS_SHIFT;

	return age & ~(age >> 31);
}

/* How long it may go unseen. Arithmetic, for the verifier's sake. */
CONN_INLINE __u32 conn_limit(__u32 time, __u32 syn_s, __u32 closing_s)
{
	__u32 is_live = time & CONN_LIVE, is_closing = time >> 1 & 1;

	_Static_assert(CONN_LIVE == 1 && CONN_CLOSING == 2, "bits");
	return (conn_life_s(conn_life(time)) & -is_live) |
	       (closing_s & -is_closing) |
	       (syn_s & (is_live + is_closing - 1));
}

#endif
