/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of connections as both sides know it: what a record holds, where
 * it may lie, how it is found, how its time is told.
 *
 * The map conns is made of buckets of one kibibyte: a line of CONN_WAYS heads
 * and as many records. One record is a connection, whichever way its packets
 * go; or a choice that was made for one, a client that sticks to a backend,
 * the ports of a fragmented packet. The key that it was made for (for a
 * connection: the client's packets) has two buckets where it may lie. The
 * backend's packets find a connection by a cell of the map replies, likewise
 * in one of two buckets, which names the record that names it back.
 *
 * A head is the lock of its record. Who writes takes it by compare-and-swap to
 * CONN_BUSY. Who reads looks at it before and after: another tag, and nothing
 * was read. Who has published looks again whether somebody else did so at the
 * same moment: only then is a key never there twice.
 */
#ifndef FAIRLEAD_CONN_H
#define FAIRLEAD_CONN_H

#include <fairlead/config.h>
#include <fairlead/types.h>

#define CONN_INLINE static inline __attribute__((always_inline, unused))

#define CONN_WAYS 15

/* Half-open and closing ones, the odd states, make room for others. */
enum conn_state {
	CONN_HALF_CLOSED = 0,	/* one side's FIN: the other may have much to
				 * say yet (RFC 9293, 3.6) */
	CONN_HALF = 1,		/* not confirmed by the client, see below */
	CONN_LIVE = 2,
	CONN_CLOSING = 3,	/* both sides' FIN, RST or ABORT; of a choice,
				 * of which one side is seen, the client's; what
				 * comes of it see conn_may_go_on() */
};

/*
 * A head: tag (20 bits, one of them always set), stamp (10), state (2). The
 * stamp is when the state was last seen anew, in eighths of a second, and
 * says which of several is oldest; it comes round after CONN_STAMP_TURN_S.
 * 0: empty.
 */
#define CONN_BUSY 1u
#define CONN_TAG_MASK 0xfffff000u
#define CONN_TAG_BIT 0x1000u
#define CONN_STAMP_SHIFT 2
#define CONN_STAMP_MASK 0x3ffu
#define CONN_STATE_MASK 3u
#define CONN_STAMP_TURN_S 128

enum conn_flag {
	CONN_NAT = 1 << 4,	/* translated: has a reply's cell */
	CONN_CLIENT_FIN = 1 << 5,
	CONN_BACKEND_FIN = 1 << 6,
	CONN_RESET = 1 << 7,	/* closing: by a reset, and was in use then */
};

#define CONN_BOTH_FINS (CONN_CLIENT_FIN | CONN_BACKEND_FIN)

/*
 * A record. Its first 36 bytes and the low half of what are its key, a struct
 * flow. What a half or closing one waits for: the number that the backend
 * offered and the client has to acknowledge. TCP: the backend's SYN-ACK's
 * sequence number and one; SCTP: the tag of its INIT ACK, which all packets
 * of the client carry from then on; UDP, which has no such number: 1, that is,
 * an answer was seen, and the client sends again.
 */
struct conn {
	struct addr client;
	struct addr vip;
	__be16 cport;
	__be16 vport;
	__u8 what;		/* protocol, kind: 2 bits each; enum conn_flag */
	union {
		__u8 nat_addr;	/* NAT: index in nat_addrs; 0: the client's */
		__u8 client_second; /* FLOW_PEERS: it is vip, vport */
		__u8 tunnel;	/* choice: struct service's, when it was made,
				 * and CONN_TUNNEL_DIALLED */
	};
	__be16 nat_port;	/* NAT: source port that we gave
				 * fragment: L4's protocol */
	__u32 backend;		/* index (24 bits), its generation (8) */
	__u32 time;		/* life (7 bits), seconds of last seen (25) */
	__u32 reply;		/* NAT: the cell's place in replies, see below;
				 * fragment: both ports */
	__u32 offered;		/* half, closing: see above; 0: nothing yet */
	union {
		struct nexthop hop;	/* NAT: back to the client */
		__u32 epoch[2];	/* FLOW_PEERS: policy_stamp() of when it was
				 * judged by the client's policy, and by the
				 * server's; 0: not yet */
	};
};

/* A node port's: the tunnel comes from the address that was dialled. */
#define CONN_TUNNEL_DIALLED 0x80

#define CONN_BACKEND_BITS 24
#define CONN_BACKENDS_MAX (1u << CONN_BACKEND_BITS)

/* Position of a record: bucket * 16 + 1 + way. 0 is none. */
struct conn_bucket {
	union {
		__u32 head[CONN_WAYS + 1];	/* the last is none: in which
						 * second all were alive */
		__u64 heads[(CONN_WAYS + 1) / 2];
		struct conn conn[CONN_WAYS + 1]; /* from 1 on */
	};
};

/* A cell: tag (32 bits, never 0), position of the record (32). 0: empty. Its
 * place: bucket * REPLY_CELLS + way. */
#define REPLY_CELLS 8

struct reply_bucket {
	__u64 cell[REPLY_CELLS];
};

/* Cells for so many buckets of conns: half of them stay empty when every
 * record is used. */
CONN_INLINE __u32 reply_buckets_for(__u32 conn_buckets)
{
	return conn_buckets * 15ull / 4 + 1;
}

/* Where and under which tag a flow is, from its flow_hash(). Slots are chosen
 * by the top bits: none of those choose a bucket. */
CONN_INLINE __u32 conn_bucket1(__u64 hash, __u32 buckets)
{
	return (__u64)(__u32)hash * buckets >> 32;
}

CONN_INLINE __u32 conn_bucket2(__u64 hash, __u32 buckets)
{
	return (hash >> 16 & 0xffffffff) * buckets >> 32;
}

CONN_INLINE __u32 reply_tag(__u64 hash)
{
	return (__u32)(hash * 0x9e3779b97f4a7c15ull >> 32) | 1;
}

CONN_INLINE __u32 conn_tag(__u64 hash)
{
	return (reply_tag(hash) & CONN_TAG_MASK) | CONN_TAG_BIT;
}

/* The way that a flow is put in if it is free, and is looked for at first. */
CONN_INLINE __u32 conn_guess(__u32 tag)
{
	return (tag >> 24) * CONN_WAYS >> 8;
}

/* The key's part of struct conn's what: TCP, UDP and SCTP, by a bit each; and
 * FLOW_PROTO_OTHER, which has both. */
CONN_INLINE __u8 conn_what(const struct flow *f)
{
	return (f->proto & 1) | (f->proto >> 6 & 2) | (f->kind & 3) << 2;
}

#define CONN_KEY_MASK 0xfu

/* In the key of IPv6 fragments, which are named without a protocol (RFC 8200,
 * 4.5): one that a record keeps, so that its key can be told from it. */
#define CONN_FRAGMENT6_PROTO 6

CONN_INLINE __u8 conn_proto(const struct conn *c)
{
	static const __u8 protos[] = { 6, 17, 132, FLOW_PROTO_OTHER };

	return protos[c->what & 3];	/* IPPROTO_* */
}

CONN_INLINE enum flow_kind conn_kind(const struct conn *c)
{
	return c->what >> 2 & 3;
}

CONN_INLINE __u32 conn_backend(const struct conn *c)
{
	return c->backend & (CONN_BACKENDS_MAX - 1);
}

CONN_INLINE __u32 conn_backend_word(__u32 id, __u32 generation)
{
	return id | generation << CONN_BACKEND_BITS;
}

/*
 * Time. Every record carries its own life, a small float, two bits of
 * mantissa, rounded up: at most a quarter longer than what was asked for, 4 s
 * at least, 42 days at most. Seconds (CLOCK_MONOTONIC) come round after 388
 * days; an age is right up to half of that.
 */
#define CONN_SECONDS_BITS 25
#define CONN_SECONDS_MASK ((1u << CONN_SECONDS_BITS) - 1)
#define CONN_LIFE_MAX (19 << 2 | 3)	/* 7 << 19 seconds */

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

CONN_INLINE __u32 conn_time(__u32 now_s, __u32 life)
{
	return life << CONN_SECONDS_BITS | (now_s & CONN_SECONDS_MASK);
}

CONN_INLINE __u32 conn_life(__u32 time)
{
	return time >> CONN_SECONDS_BITS;
}

/* Seconds not seen; 0 if a CPU whose clock is ahead has seen it. */
CONN_INLINE __u32 conn_age(__u32 time, __u32 now_s)
{
	const int spare = 32 - CONN_SECONDS_BITS;
	__s32 age = (__s32)((now_s - time) << spare) >> spare;

	return age & ~(age >> 31);
}

/* A live one's time is written again after a 16th of its life (conn_seen):
 * until then nobody knows how long it was not seen. */
CONN_INLINE __u32 conn_slack(__u32 life_s)
{
	return life_s / 16;
}

/*
 * Closing, but who knows? Of a choice only the client's side is seen: it has
 * closed that, and may be listening yet. And a reset is believed by who gets it
 * only if its number is the one expected there (RFC 5961, 3.2), which no record
 * has: to keep it would cost a store with each packet. So what was reset makes
 * room for others, as all that is closing, but is not forgotten while there is
 * room: a connection that idles through a forged one goes on with its next
 * packet. Both last for as long as what one side has closed.
 */
CONN_INLINE __u32 conn_may_go_on(__u32 state, __u8 what)
{
	return state == CONN_CLOSING &&
	       (what & CONN_RESET ||
		((what & (CONN_NAT | CONN_CLIENT_FIN)) == CONN_CLIENT_FIN &&
		 (what >> 2 & 3) != FLOW_PEERS));
}

/* Seconds that a connection in this state lasts. */
CONN_INLINE __u32 conn_state_life_s(__u32 state, __u8 what, __u32 time,
				    const struct runtime *rt)
{
	__u32 life_s = conn_life_s(conn_life(time));

	if (state == CONN_LIVE)
		return life_s;
	if (state == CONN_HALF)
		return rt->syn_s;
	if (state == CONN_CLOSING && !conn_may_go_on(state, what))
		return rt->closing_s;
	return life_s < rt->half_closed_s ? life_s : rt->half_closed_s;
}

/* How long it may go unseen, as far as its record knows. */
CONN_INLINE __u32 conn_limit(__u32 state, __u8 what, __u32 time,
			     const struct runtime *rt)
{
	__u32 life_s = conn_state_life_s(state, what, time, rt);

	return life_s + (state & 1 ? 0 : conn_slack(life_s));
}

CONN_INLINE __u32 conn_limit_live(__u32 time)
{
	__u32 life_s = conn_life_s(conn_life(time));

	return life_s + conn_slack(life_s);
}

_Static_assert(sizeof(struct conn) == 64, "pinned ABI");
_Static_assert(sizeof(struct conn_bucket) == 1024, "pinned ABI");
_Static_assert(sizeof(struct reply_bucket) == 64, "pinned ABI");

#endif
