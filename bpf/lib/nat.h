/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One-arm NAT: what a packet of a translated connection becomes, and how a
 * new connection gets its translation. Two entries in conns: the client's
 * packets (CONN_NAT) hold everything, the backend's (CONN_REPLY) their peer's
 * position. Decisions only; rewrite.h makes bytes of them.
 */
#ifndef FAIRLEAD_BPF_NAT_H
#define FAIRLEAD_BPF_NAT_H

#include "conn.h"
#include "egress.h"
#include "scratch.h"
#include "service.h"

#define NAT_PROBES 32

/* dst and dport of packets to b, for a client that dialled dport. */
static __always_inline void nat_to_backend(struct flow *to,
					   const struct backend *b,
					   __be16 dport)
{
	to->dst = b->addr;
	to->dport = b->port ? b->port : dport;
}

/* The client's direction, from its entry c. False: the backend is no more. */
static __always_inline bool nat_forward(const struct conn *c, struct pkt *p,
					struct nat *n)
{
	const struct backend *b = backend_find(c->backend);
	__u32 idx = c->nat_addr;
	const struct addr *src;

	if (!backend_keeps(b) || b->generation != c->generation)
		return false;
	n->to.src = p->flow.src;
	n->to.sport = c->port;
	if (idx) {
		src = bpf_map_lookup_elem(&nat_addrs, &idx);
		if (!src)
			return false;
		n->to.src = *src;
	}
	nat_to_backend(&n->to, b, p->flow.dport);
	n->hop = b->hop;
	n->mtu = b->mtu;
	p->backend = c->backend;
	n->is_reply = false;
	n->is_local = b->flags & BACKEND_LOCAL;
	return true;
}

/* The backend's direction, from its entry r. False: the client's entry has
 * made room for another. */
static __always_inline bool nat_reply(const struct conn_ref *r, struct pkt *p,
				      struct nat *n)
{
	struct conn_ref peer = conn_at(r->conn->peer);

	if (!peer.head || !peer.tag || peer.conn->peer != r->position ||
	    !(peer.conn->flags & CONN_NAT) ||
	    peer.conn->port != p->flow.dport || peer.tag == CONN_BUSY)
		return false;
	n->to.src = peer.conn->flow.dst;
	n->to.sport = peer.conn->flow.dport;
	n->to.dst = peer.conn->flow.src;
	n->to.dport = peer.conn->flow.sport;
	n->hop = peer.conn->hop;
	n->mtu = 0;
	p->backend = peer.conn->backend;
	n->is_reply = true;
	n->is_local = false;
	return conn_is_still(&peer);
}

/* Once a second both entries are marked as seen, so that neither makes room
 * while the other lives. */
static __always_inline void nat_touch(struct conn_ref *r, const struct pkt *p)
{
	enum conn_state state = p->closes ? CONN_CLOSING :
				p->opens  ? CONN_NEW : CONN_LIVE;
	struct conn_ref peer;
	__u32 now = now_s();

	if (!conn_touch(r, now, state))
		return;
	peer = conn_at(r->conn->peer);
	if (peer.head && peer.conn->peer == r->position)
		conn_touch(&peer, now, state);
}

/* The client's packets come from where its replies must go; a router that
 * fails over changes its MAC. */
static __always_inline void nat_learn_hop(struct conn *c, const struct pkt *p)
{
	const __u64 mac = ~0ull >> 16;	/* the first 6 bytes, little-endian */
	__u64 known = READ_ONCE(*(__u64 *)&c->hop);
	__u64 from = *(const __u64 *)&p->from;

	if ((known ^ from) & mac)
		WRITE_ONCE(*(__u64 *)&c->hop, (from & mac) | (known & ~mac));
}

/* What p becomes if conns knows its flow (r). False: it is a new one. */
static __always_inline bool nat_established(struct conn_ref *r, struct pkt *p,
					    struct nat *n)
{
	bool known;

	if (r->conn->flags & CONN_REPLY)
		known = nat_reply(r, p, n);
	else
		known = nat_forward(r->conn, p, n) &&
			!(p->opens &&
			  conn_state(r->head->time) == CONN_CLOSING);
	if (!known || !conn_is_still(r))
		return false;
	if (p->is_error)
		return true;
	if (!n->is_reply)
		nat_learn_hop(r->conn, p);
	nat_touch(r, p);
	return true;
}

/* Is the reply flow free? Then its entry is claimed, a dead one of the same
 * flow before any other: the position, else 0. */
__global __u32 nat_claim_reply(const struct flow *reply, __u64 hash)
{
	struct conn_ref r;

	if (!reply)
		return 0;
	r = conn_find(reply, hash);
	if (r.head && !conn_is_dead(r.head->time, now_s()))
		return 0;
	return conn_claim(hash);
}

/*
 * A source port towards the backend that no other connection has: the
 * client's own if it is in the range, then hashed probes. reply is filled but
 * for its destination port, which is found here. Returns the position of its
 * entry, claimed; 0: no port is left.
 */
static __always_inline __u32 nat_probe(struct flow *reply, const struct pkt *p)
{
	const struct runtime *rt = map_only(runtime);
	__u64 sum = hash_dst(hash_key, &reply->dst);
	__u32 range, port, position, step;

	if (!rt)
		return 0;
	range = rt->nat_port_last - rt->nat_port_first + 1;
	/* in a small range, every port comes up */
	step = range <= NAT_PROBES ? 1 : (p->hash >> 40) | 1;
	port = bpf_ntohs(p->flow.sport) - rt->nat_port_first;
	if (port >= range)
		port = (__u32)p->hash % range;
	for (int i = 0; i < NAT_PROBES; i++) {
		reply->dport = bpf_htons(rt->nat_port_first + port);
		position = nat_claim_reply(reply,
					   flow_hash(hash_key, sum, reply));
		if (position)
			return position;
		port = (port + step) % range;
	}
	return 0;
}

/* Index in nat_addrs of the source for p's flow to b: the link's own, or one
 * of all; 0: there is none. */
static __always_inline __u32 nat_addr_of(const struct pkt *p,
					 const struct backend *b)
{
	const struct runtime *rt = map_only(runtime);
	const bool v6 = !addr_is_mapped(&p->flow.src);
	__u32 hash = p->hash >> 8, idx = b->hop.link;
	const struct link *link = bpf_map_lookup_elem(&links, &idx);

	if (!rt || !link)
		return 0;
	idx = v6 ? link->nat6 : link->nat4;
	if (idx)
		return idx;
	if (!v6)
		return rt->nat_addrs4 ? 1 + hash % rt->nat_addrs4 : 0;
	return rt->nat_addrs6 ? NAT_ADDRS_MAX + 1 + hash % rt->nat_addrs6 : 0;
}

/*
 * The first half of a translation for p's flow, to backend id: the reply's
 * flow in scratch and its entry claimed. Returns the entry's position; 0: no
 * port. A backend on this host sees the client's own address, as the reply
 * passes here in any case.
 */
__global __u32 nat_reserve(const struct pkt *p, __u32 id)
{
	const struct backend *b = backend_find(id);
	struct scratch *s = map_only(scratch);
	const struct addr *src;
	__u32 idx;

	if (!p || !b || !s)
		return 0;
	s->nat_addr = 0;
	s->reply = (struct flow){
		.src = b->addr,
		.dst = p->flow.src,
		.sport = b->port ? b->port : p->flow.dport,
		.proto = p->flow.proto,
	};
	if (!(b->flags & BACKEND_LOCAL)) {
		idx = nat_addr_of(p, b);
		src = idx ? bpf_map_lookup_elem(&nat_addrs, &idx) : NULL;
		if (!src)
			return 0;
		s->nat_addr = idx;
		s->reply.dst = *src;
	}
	return nat_probe(&s->reply, p);
}

/* Fill both entries; they are ours until they are published. */
static __always_inline void nat_fill(const struct pkt *p,
				     const struct scratch *s, __u32 id,
				     struct conn_ref *fwd,
				     struct conn_ref *back, __u16 link)
{
	const struct backend *b = backend_find(id);
	struct conn *c = fwd->conn;

	c->flow = p->flow;
	c->backend = id;
	c->generation = b ? b->generation : 0;
	c->peer = back->position;
	c->port = s->reply.dport;
	c->nat_addr = s->nat_addr;
	c->flags = CONN_NAT;
	c->hop = p->from;
	c->hop.link = link;

	c = back->conn;
	c->flow = s->reply;
	c->backend = id;
	c->peer = fwd->position;
	c->flags = CONN_REPLY;
}

/* An ended connection's entries make room at once: the next one of the same
 * client may have the same port, which its backend knows how to tell apart. */
__global int nat_drop(__u32 position)
{
	struct conn_ref old = conn_at(position), peer;

	if (!old.head || !(old.conn->flags & CONN_NAT))
		return 0;
	peer = conn_at(old.conn->peer);
	if (peer.head && peer.conn->peer == position)
		conn_give_back(&peer);
	conn_give_back(&old);
	return 0;
}

/*
 * The second half: the client's entry, and both published. back: the position
 * that nat_reserve() gave. Then s->nat says what p becomes.
 */
__global int nat_open(struct pkt *p, __u32 id, __u32 life, __u32 back_at,
		      __u32 link)
{
	struct scratch *s = map_only(scratch);
	struct conn_ref fwd, back = conn_at(back_at);
	__u32 time;

	if (!p || !s || !back.head)
		return REASON_INTERNAL;
	fwd = conn_at(conn_claim(p->hash));
	if (!fwd.head) {
		conn_give_back(&back);
		return REASON_NO_ROOM;
	}
	nat_fill(p, s, id, &fwd, &back, link);
	time = conn_time(now_s(), life, CONN_NEW);	/* as conn_record() */
	conn_publish(&back, flow_hash(hash_key,
				      hash_dst(hash_key, &s->reply.dst),
				      &s->reply), time);
	conn_publish(&fwd, p->hash, time);
	p->new_conn = true;
	return nat_forward(fwd.conn, p, &s->nat) ? REASON_NONE :
						   REASON_INTERNAL;
}

#endif
