/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who talks to whom, as far as policy asks: a record in conns for each flow of
 * a workload that is policed, whichever way its packets go (FLOW_PEERS). It
 * says since which epoch the client's policy allows it, and the server's. A
 * packet of one that was judged in this epoch reads heads and record, and no
 * more.
 *
 * Its states, its life and who makes room are as those of NAT's connections:
 * live is what its client has confirmed.
 */
#ifndef FAIRLEAD_BPF_PEERS_H
#define FAIRLEAD_BPF_PEERS_H

#include <fairlead/policy.h>

#include "nat.h"
#include "scratch.h"

enum peers_state {
	PEERS_NEW,		/* unknown, or it begins anew */
	PEERS_STALE,		/* to be judged again */
	PEERS_KNOWN,
};

/* Which of a record's epochs is the workload's: 0, it is the client. */
static __always_inline __u32 peers_slot(const struct police *l)
{
	return (l->direction == POLICY_OUT) == l->is_reply;
}

/* Is l->flow, of the packet p, recorded? Then l says where, and which way p
 * goes in it. Errors do not keep what they are about alive. */
__global int peers_find(const struct pkt *p, struct police *l)
{
	const __u32 now = now_8th();
	struct conn_ref r;
	__u32 epoch;

	if (!p || !l)
		return PEERS_NEW;
	l->is_reply = false;
	l->position = 0;
	l->is_turned = peers_flow(&l->flow, &l->key);
	l->hash = flow_hash(hash_key, hash_dst(hash_key, &l->key.dst),
			    &l->key);
	r = conn_find(&l->key, l->hash);
	if (!r.head || r.word <= CONN_BUSY)
		return PEERS_NEW;
	l->position = r.position;
	l->word = r.word;
	l->is_reply = l->is_turned != !!r.conn->client_second;
	epoch = READ_ONCE(r.conn->epoch[peers_slot(l) & 1]);
	if (conn_is_over(&r, now >> 3, l->opens) || !conn_is_still(&r) ||
	    (l->opens && l->is_reply) || (p->is_error && !epoch)) {
		l->is_reply = false;
		return PEERS_NEW;
	}
	if (p->is_error)
		return PEERS_KNOWN;
	l->is_unasked = !epoch;
	if (epoch != l->epoch)
		return PEERS_STALE;
	nat_touch(&r, p, l->is_reply, now);
	return PEERS_KNOWN;
}

/*
 * The record that was found is of this epoch from now on. By compare-and-swap,
 * and taken back if the record was given away in the meantime: nobody else may
 * be allowed by it.
 */
static __always_inline void peers_stamp(const struct pkt *p,
					const struct police *l)
{
	struct conn_ref r = conn_at(l->position);
	__u32 *epoch, was;

	if (!r.head || (r.word ^ l->word) & CONN_TAG_MASK ||
	    !conn_is(r.conn, &l->key))
		return;
	epoch = &r.conn->epoch[peers_slot(l) & 1];
	was = READ_ONCE(*epoch);
	if (__sync_val_compare_and_swap(epoch, was, l->epoch) != was)
		return;
	if (!conn_is_still(&r))
		__sync_val_compare_and_swap(epoch, l->epoch, 0);
	else
		nat_touch(&r, p, l->is_reply, now_8th());
}

static __always_inline __u32 peers_life(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_SCTP:
		return PEERS_LIFE_STREAM;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return PEERS_LIFE_ECHO;
	default:
		return PEERS_LIFE_DATAGRAM;
	}
}

static __always_inline void peers_fill(const struct police *l, struct conn *c)
{
	const __u32 slot = peers_slot(l);

	conn_set_key(c, &l->key, 0);
	c->client_second = l->is_turned != l->is_reply;
	c->nat_port = 0;
	c->backend = 0;
	c->time = conn_time(now_s(), peers_life(l->flow.proto));
	c->reply = 0;
	c->offered = 0;
	c->epoch[0] = slot ? 0 : l->epoch;
	c->epoch[1] = slot ? l->epoch : 0;
}

/* What was there under the key is over, or gone? A live one is not given up for
 * who says that he begins. */
static __always_inline bool peers_make_way(const struct police *l)
{
	struct conn_ref r = conn_at(l->position);

	if (!l->position || !r.head || r.word != l->word)
		return !l->position;
	return conn_is_over(&r, now_s(), l->opens) &&
	       conn_drop(l->position, l->word);
}

/* A flow that is allowed from here on is recorded, if there is room; else it is
 * judged each time. */
__global int peers_record(const struct pkt *p, struct police *l)
{
	struct conn_ref r;
	__u32 position;

	if (!p || !l)
		return 0;
	if (l->is_known) {
		peers_stamp(p, l);
		return 0;
	}
	if (!peers_make_way(l))
		return 0;
	position = conn_claim(l->hash);
	r = conn_at(position);
	if (!position || !r.head)
		return 0;
	peers_fill(l, r.conn);
	if (!conn_publish(l->hash, position) || !l->is_reply)
		return 0;
	r = conn_at(position);	/* what the server says may prove it */
	if (r.head && r.word > CONN_BUSY)
		nat_touch(&r, p, true, now_8th());
	return 0;
}

/*
 * Of a flow to the workload that comes from an address of ours: the real one.
 * Either its client has got that for his own (then it is an answer's reversal
 * that finds him), or it is a service's, whose backend answers. False: neither
 * is known. Ports are as NAT has them between the two, which both hooks see.
 */
__global int peers_real(struct police *l)
{
	struct flow back = {};
	const struct backend *b;
	struct conn_ref r;
	__u64 hash;

	if (!l)
		return false;
	back.src = l->flow.dst;
	back.dst = l->flow.src;
	back.sport = l->flow.dport;
	back.dport = l->flow.sport;
	back.proto = l->flow.proto;
	hash = flow_hash(hash_key, hash_dst(hash_key, &back.dst), &back);
	r = reply_find(&back, hash);
	if (r.head && r.word > CONN_BUSY) {
		l->flow.src = r.conn->client;
		return conn_is_still(&r);
	}
	r = conn_find(&back, hash);
	b = r.head && r.conn->what & CONN_NAT ?
		    backend_find(conn_backend(r.conn)) : NULL;
	if (!b || !backend_has(b, r.conn))
		return false;
	l->flow.src = b->addr;
	l->flow.sport = b->port ? b->port : r.conn->vport;
	l->flow.dport = r.conn->nat_port;
	return conn_is_still(&r);
}

#endif
