/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One-arm NAT: what a packet of a translated connection becomes, and how a
 * new connection gets its translation. Decisions only; rewrite.h makes bytes
 * of them.
 */
#ifndef FAIRLEAD_BPF_NAT_H
#define FAIRLEAD_BPF_NAT_H

#include "egress.h"
#include "reply.h"
#include "scratch.h"
#include "service.h"

#define NAT_PROBES 64
#define NAT_TAKE_AFTER 8	/* probes: then the oldest half-open one's */

/* dst and dport of packets to b, for a client that dialled dport. */
static __always_inline void nat_to_backend(struct flow *to,
					   const struct backend *b,
					   __be16 dport)
{
	to->dst = b->addr;
	to->dport = b->port ? b->port : dport;
}

/* The client's direction, from its record c. False: the backend is no more. */
static __always_inline bool nat_forward(const struct conn *c, struct pkt *p,
					struct nat *n)
{
	__u32 id = conn_backend(c), idx = c->nat_addr;
	const struct backend *b = backend_find(id);
	const struct addr *src;

	if (!backend_has(b, c))
		return false;
	n->to.src = p->flow.src;
	n->to.sport = c->nat_port;
	if (idx) {
		src = bpf_map_lookup_elem(&nat_addrs, &idx);
		if (!src)
			return false;
		n->to.src = *src;
	}
	nat_to_backend(&n->to, b, p->flow.dport);
	n->hop = b->hop;
	n->mtu = b->mtu;
	p->backend = id;
	n->is_reply = false;
	n->has_source = idx;
	n->is_local = b->flags & BACKEND_LOCAL;
	return true;
}

/* The backend's direction. */
static __always_inline void nat_reply(const struct conn *c, struct pkt *p,
				      struct nat *n)
{
	n->to.src = c->vip;
	n->to.sport = c->vport;
	n->to.dst = c->client;
	n->to.dport = c->cport;
	n->hop = c->hop;
	n->mtu = 0;
	p->backend = conn_backend(c);
	n->is_reply = true;
	n->has_source = c->nat_addr;
	n->is_local = false;
}

/* Does p, of a backend, carry data? More than a TCP header has, at least. */
static __always_inline bool nat_has_data(const struct pkt *p)
{
	return p->flow.proto == IPPROTO_TCP && !(p->tcp_flags & 0x06) &&
	       p->l3_len - p->l4_off > 60;
}

/* Does the client's packet p acknowledge what its backend has offered? Then it
 * is no old one, of an earlier connection, and nobody else's. */
static __always_inline bool nat_confirms(const struct conn_ref *r,
					 const struct pkt *p)
{
	__u32 offered = READ_ONCE(r->conn->offered);

	return offered && p->number == offered && !p->opens;
}

/*
 * Does p say that r, which is half-open or closing, is a connection in use?
 * The client does by the very number that the backend offered. Of a half-open
 * one, the backend's packets prove nothing but by data: it has some only for
 * a client whose cookie was right (RFC 7413), and who may acknowledge more than
 * the number, or for one that it has long known. Of one that was reset, any
 * packet of a backend does: who has received a reset sends none but resets
 * (RFC 9293, 3.5.2), so it was forged, or had a wrong number (RFC 5961, 3).
 * Where both have closed, only what is sent again is to come.
 */
static __always_inline bool nat_proves(const struct conn_ref *r,
				       const struct pkt *p, bool is_reply)
{
	__u8 fins = r->conn->what & CONN_BOTH_FINS;

	if (!is_reply)
		return nat_confirms(r, p);
	if (conn_state(r) == CONN_HALF)
		return nat_has_data(p);
	return fins != CONN_BOTH_FINS && !p->offers && !p->opens;
}

/* A FIN of one side of what is open; keep: which ones from before count. */
static __always_inline enum conn_state nat_fin(struct conn_ref *r, __u8 keep,
					       bool is_reply)
{
	__u8 fins;

	fins = conn_note_ends(r, keep,
			      is_reply ? CONN_BACKEND_FIN : CONN_CLIENT_FIN);
	return fins == CONN_BOTH_FINS ? CONN_CLOSING : CONN_HALF_CLOSED;
}

/* Which state r comes into by p, that of one which is not open, or ends. */
static __always_inline enum conn_state
nat_next_state(struct conn_ref *r, const struct pkt *p, bool is_reply)
{
	bool is_fin = tcp_is_fin(&p->lookup);
	__u8 keep = CONN_BOTH_FINS;

	if (p->closes && !is_fin) {
		if (conn_is_open(r))
			conn_note_ends(r, keep, CONN_RESET);
		return CONN_CLOSING;
	}
	if (!conn_is_open(r)) {
		if (!nat_proves(r, p, is_reply))
			return conn_state(r);
		if (!is_reply)	/* it is of a new handshake */
			keep = 0;
	}
	if (is_fin)
		return nat_fin(r, keep, is_reply);
	return conn_note_ends(r, keep, 0) ? CONN_HALF_CLOSED : CONN_LIVE;
}

/*
 * Live is what the client has confirmed. A connection that was reset, or seems
 * to have been, is live again when that is disproved; its client's next one,
 * from the same port, stays with the backend. What proves nothing of one that
 * is closing does not keep it either, if it is the client's. word: the head at
 * position, as it was found.
 */
__global int nat_change(const struct pkt *p, __u32 position, __u32 word,
			__u32 is_reply)
{
	struct conn_ref r = conn_at(position);
	__u32 now = now_8th(), state;

	if (!p || !r.head)
		return 0;
	r.word = word;
	state = nat_next_state(&r, p, is_reply);
	if (state == CONN_CLOSING && (p->closes || p->opens))
		conn_set_offered(&r, p->closes || is_reply ?
					     0 : bpf_get_prandom_u32() | 1);
	else if (!conn_is_open(&r) && is_reply && p->offers)
		conn_set_offered(&r, p->number);
	if (state != conn_state(&r))
		conn_set_state(&r, now, state);
	else if (state == CONN_HALF ? !is_reply :
		 is_reply || p->opens || p->closes)
		conn_seen(&r, now);
	return 0;
}

/* A packet of r was seen. Most are of an open one, and change nothing. */
static __always_inline void nat_touch(struct conn_ref *r, const struct pkt *p,
				      bool is_reply, __u32 now)
{
	if (conn_is_open(r) && !p->closes)
		conn_seen(r, now);
	else
		nat_change(p, r->position, r->word, is_reply);
}

/* The client at position has another way. But of what came in by XDP (from.link
 * is 0) not by way of an interface that is not XDP's: who comes by another one
 * says that he is of this node, and is not. Nor is who says that he is the
 * host, and comes in. */
__global int nat_move_client(__u32 position, const struct nexthop *from)
{
	struct conn_ref r = conn_at(position);
	const __u64 mac = ~0ull >> 16;
	const struct link *link;
	__u64 known, word;
	__u32 idx;

	if (!r.head || !from)
		return 0;
	known = READ_ONCE(*(__u64 *)&r.conn->hop);
	word = *(const __u64 *)from;
	if (word >> 48 == 0) {
		idx = known >> 48;
		link = bpf_map_lookup_elem(&links, &idx);
		if (!link || !link->ifindex)
			return 0;
		word |= known & ~mac;
	}
	if (known >> 48 & LINK_TO_HOST && !(word >> 48 & LINK_TO_HOST))
		return 0;
	WRITE_ONCE(*(__u64 *)&r.conn->hop, word);
	return 0;
}

/* The client's packets come from where its replies must go; a router that
 * fails over changes its MAC, or (as far as tc knows it) the link. */
static __always_inline void nat_learn_hop(const struct conn_ref *r,
					  const struct pkt *p)
{
	__u64 known = READ_ONCE(*(__u64 *)&r->conn->hop);
	__u64 from = *(const __u64 *)&p->from, other = known ^ from;

	/* the first 6 bytes, little-endian, and the link behind them */
	if (other << 16 || (other && from >> 48))
		nat_move_client(r->position, &p->from);
}

/* What p becomes if r is its connection. False: it is one no more. */
static __always_inline bool nat_known(struct conn_ref *r, struct pkt *p,
				      struct nat *n, const bool is_reply)
{
	const __u32 now = now_8th();

	if (r->word <= CONN_BUSY ||
	    conn_is_over(r, now >> 3, !is_reply && p->opens))
		return false;
	if (is_reply)
		nat_reply(r->conn, p, n);
	else if (!nat_forward(r->conn, p, n))
		return false;
	if (!conn_is_still(r))
		return false;
	n->is_again = !is_reply && conn_begins_anew(r, &p->lookup);
	if (p->is_error || n->is_again)	/* who may not, changes nothing */
		return true;
	if (!is_reply)
		nat_learn_hop(r, p);
	nat_touch(r, p, is_reply, now);
	return true;
}

/*
 * p offers a connection where one is closing. Is it another one, not to the
 * service but to the backend itself, from the port that the client had towards
 * the service? So it is if the client has not begun anew here since. It is the
 * client's own address alone that others than we send from. Then what is
 * closing is no more: it would take all that is said in the other one.
 */
__global int nat_is_direct(const struct pkt *p, __u32 position, __u32 word)
{
	struct conn_ref r = conn_at(position);

	if (!p || !r.head || p->is_error || p->closes || r.conn->nat_addr ||
	    READ_ONCE(r.conn->offered))
		return false;
	return conn_drop(position, word);
}

/* What p, a backend's packet, becomes. */
static __always_inline bool nat_of_reply(struct pkt *p, struct nat *n)
{
	struct conn_ref r = reply_find(&p->flow, p->hash);

	if (!r.head || (p->offers && conn_state(&r) == CONN_CLOSING &&
			nat_is_direct(p, r.position, r.word)))
		return false;
	return nat_known(&r, p, n, true);
}

/*
 * What p, the packet of scratch and of a client, becomes: s->nat. False: it is
 * of no connection, and what conns has of it, s->old, is to go. If it begins
 * anew, s->old is what it has been. Global, as the verifier would follow all
 * that it knows of a record to the end of the program.
 */
__global int nat_of_client(struct pkt *p, struct scratch *s)
{
	struct conn_ref r;
	bool is_known;

	if (!p || !s)
		return false;
	r = conn_find(&p->flow, p->hash);
	is_known = r.head && r.conn->what & CONN_NAT &&
		   nat_known(&r, p, &s->nat, false);
	if (is_known && !s->nat.is_again)
		return true;
	s->old.position = r.head ? r.position : 0;
	s->old.word = r.word;
	return is_known;
}

/* The packet of scratch begins anew what s->old was, and may. */
static __always_inline void nat_begin_anew(const struct scratch *s)
{
	struct conn_ref r = conn_at(s->old.position);

	if (!r.head)
		return;
	r.word = s->old.word;
	nat_learn_hop(&r, &s->pkt);
	nat_touch(&r, &s->pkt, false, now_8th());
}

/* Index in nat_addrs of the source for p's flow to b: the link's own, or one
 * of all; 0: there is none. */
static __always_inline __u32 nat_addr_of(const struct pkt *p,
					 const struct backend *b)
{
	const struct runtime *rt = map_only(runtime);
	const bool v6 = !addr_is_mapped(&p->flow.src);
	__u32 hash = p->hash >> 8, idx = b->hop.link, count, at;
	const struct link *link = bpf_map_lookup_elem(&links, &idx);

	if (!rt || !link)
		return 0;
	idx = v6 ? link->nat6 : link->nat4;
	if (idx)
		return idx == NAT_SOURCE_NONE ? 0 : idx;
	count = v6 ? rt->nat_addrs6 : rt->nat_addrs4;
	if (!count)
		return 0;
	at = hash % count & NAT_ADDRS_MAX;
	return v6 ? rt->nat_pick6[at] : rt->nat_pick4[at];
}

/* The reply's flow, but for the port that is yet to be found, into scratch.
 * False: there is no address of ours to send from. A backend that sees the
 * client's own address is on this host, or answers by way of it. */
__global int nat_reply_flow(const struct pkt *p, __u32 id)
{
	const struct backend *b = backend_find(id);
	struct scratch *s = map_only(scratch);
	const struct addr *src;
	__u32 idx;

	if (!p || !b || !s)
		return false;
	s->nat_addr = 0;
	s->reply = (struct flow){
		.src = b->addr,
		.dst = p->flow.src,
		.sport = b->port ? b->port : p->flow.dport,
		.proto = p->flow.proto,
	};
	if (!decision_snat(&s->decision, b, &p->flow.src))
		return true;
	idx = nat_addr_of(p, b);
	src = idx ? bpf_map_lookup_elem(&nat_addrs, &idx) : NULL;
	if (!src)
		return false;
	s->nat_addr = idx;
	s->reply.dst = *src;
	return true;
}

/* How gladly r's port is given away: 0 never, dead ones first, what was dead
 * for longest before others, then what was half open for longest; the backends
 * of those that ended may remember them, the longer ago, the less. */
static __always_inline __u32 nat_worth(const struct conn_ref *r, __u32 now)
{
	__u32 age = (now - (r->word >> CONN_STAMP_SHIFT)) & CONN_STAMP_MASK;
	const __u32 dead = 1 << 20;

	if (r->word <= CONN_BUSY)
		return 0;
	if (conn_is_dead(r, now >> 3))
		return dead + (conn_age(r->conn->time, now >> 3) & (dead - 1));
	if (conn_is_open(r))
		return 0;
	return 1 + age + (conn_state(r) == CONN_HALF ? 1 << 16 : 0);
}

/*
 * Is port free, for scratch's reply flow? Then the record at position, which
 * is locked, has it: REASON_NONE. Else REASON_NO_PORT, and who has it is
 * remembered if it has to make room; or REASON_NO_ROOM.
 */
__global int nat_try_port(__u32 position, __u32 port)
{
	struct scratch *s = map_only(scratch);
	struct conn_ref r;
	__u32 worth;
	__u64 hash;

	if (!s)
		return REASON_INTERNAL;
	s->reply.dport = bpf_htons(port);
	hash = flow_hash(hash_key, hash_dst(hash_key, &s->reply.dst),
			 &s->reply);
	r = reply_find(&s->reply, hash);
	if (r.head) {
		worth = nat_worth(&r, now_8th());
		if (worth > s->taken.worth) {
			s->taken.position = r.position;
			s->taken.word = r.word;
			s->taken.worth = worth;
			s->taken.tag = reply_tag(hash);
			s->taken.port = s->reply.dport;
		}
		return REASON_NO_PORT;
	}
	r = conn_at(position);
	if (!r.head)
		return REASON_INTERNAL;
	r.conn->nat_port = s->reply.dport;
	worth = reply_publish(hash, position);
	return worth == REPLY_TAKEN ? REASON_NO_PORT :
	       worth ? REASON_NONE : REASON_NO_ROOM;
}

/* As nat_try_port(), with the port that was found to be the first to go. */
static __always_inline int nat_take_port(__u32 position)
{
	struct scratch *s = map_only(scratch);
	struct conn_ref r = conn_at(position);

	if (!s || !r.head || !s->taken.worth || s->taken.position == position)
		return REASON_NO_PORT;
	s->reply.dport = s->taken.port;
	r.conn->nat_port = s->taken.port;
	return reply_take_over(s->taken.position, s->taken.word, position,
			       s->taken.tag) ? REASON_NONE : REASON_NO_PORT;
}

/*
 * A packet that is refused must not cost more than others: where no port was
 * found, half as many are tried for the same backend, and half of those, as
 * long as none is found in the same eighth of a second. So where few are left,
 * most of who comes gets one, and where there is none, that is known soon.
 */
#define NAT_HALVINGS 5

/* id: 24 bits, time: 5 bits, how often it was halved: 3 bits. */
static __always_inline __u32 nat_mark(__u32 id)
{
	return id << 8 | (now_8th() & 31) << 3;
}

static __always_inline __u32 nat_halvings(const struct scratch *s, __u32 id)
{
	__u32 word = s->no_port[id & 15];

	return (word ^ nat_mark(id)) & ~7u ? 0 : word & 7;
}

/* why: of who looked for a port. */
static __always_inline int nat_note_port(struct scratch *s, __u32 id, int why)
{
	__u32 halvings = nat_halvings(s, id);

	if (why != REASON_NONE)
		s->no_port[id & 15] = nat_mark(id) |
				      (halvings < NAT_HALVINGS ?
						halvings + 1 : NAT_HALVINGS);
	else if (halvings)
		s->no_port[id & 15] = 0;
	return why;
}

/* How far from the first of so many ports the i-th is that a flow tries. Where
 * they are few, each is to come up; else they are as if by chance: what is lent
 * may lie together. Verifier: a branch would be two loops. */
static __always_inline __u32 nat_offset(__u32 i, __u32 range, __u64 hash)
{
	__u32 are_many = (__s32)(NAT_PROBES - range) >> 31;
	__u32 x = i * ((__u32)(hash >> 32) | 1);

	asm volatile("" : "+r"(are_many));
	x = (x ^ x >> 16) * 0x85ebca6b;
	x ^= x >> 15;
	return i ^ ((i ^ (__u64)x * range >> 32) & are_many);
}

/*
 * A source port towards backend id that no other connection has: the client's
 * own if it is in the range, then hashed probes; where those of half-open ones
 * were met, after a few, the oldest of them. REASON_NONE: the record at
 * position has it.
 */
__global int nat_find_port(const struct pkt *p, __u32 id, __u32 position)
{
	const struct runtime *rt = map_only(runtime);
	struct scratch *s = map_only(scratch);
	__u32 range, port;
	int why = REASON_NO_PORT;

	if (!p || !rt || !s)
		return REASON_INTERNAL;
	range = rt->nat_port_last - rt->nat_port_first + 1;
	port = bpf_ntohs(p->flow.sport) - rt->nat_port_first;
	if (port >= range)
		port = (__u32)p->hash % range;
	s->taken.worth = 0;
	if (!s->nat_addr) {	/* the client's own address: all ports are */
		why = nat_try_port(position, bpf_ntohs(p->flow.sport));
		if (why != REASON_NO_PORT)
			return why;
	}
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < NAT_PROBES; i++) {
		if (i >= NAT_PROBES >> nat_halvings(s, id) ||
		    (i >= NAT_TAKE_AFTER && s->taken.worth))
			break;
		why = nat_try_port(position, rt->nat_port_first +
				   (port + nat_offset(i, range, p->hash)) %
					   range);
		if (why != REASON_NO_PORT)
			break;
	}
	if (why == REASON_NO_PORT)
		why = nat_take_port(position);
	return nat_note_port(s, id, why);
}

/* The record of p's connection to backend id: locked, so ours. */
static __always_inline void nat_fill(const struct pkt *p,
				     const struct scratch *s, __u32 id,
				     __u32 life, struct conn *c)
{
	const struct backend *b = backend_find(id);

	conn_set_key(c, &p->flow, CONN_NAT);
	c->nat_addr = s->nat_addr;
	c->backend = conn_backend_word(id, b ? b->generation : 0);
	c->time = conn_time(now_s(), life);
	c->offered = 0;
	c->hop = p->from;
}

/* Another CPU was faster with p's connection: p goes by its record. */
static __always_inline int nat_join(struct pkt *p, struct scratch *s)
{
	struct conn_ref r = conn_find(&p->flow, p->hash);

	return r.head && r.conn->what & CONN_NAT &&
	       nat_forward(r.conn, p, &s->nat) ? REASON_NONE : REASON_NO_ROOM;
}

/* The record at position, which is claimed, for p's connection to id. */
static __always_inline int nat_connect(struct pkt *p, __u32 id, __u32 life,
				       __u32 position)
{
	struct conn_ref r = conn_at(position);
	struct scratch *s = map_only(scratch);
	int why;

	if (!p || !s || !r.head)
		return REASON_INTERNAL;
	if (!nat_reply_flow(p, id))
		return REASON_NO_SOURCE;
	nat_fill(p, s, id, life, r.conn);
	why = nat_find_port(p, id, position);
	if (why != REASON_NONE)
		return why;
	return nat_forward(r.conn, p, &s->nat) ? REASON_NONE :
						 REASON_NO_BACKEND;
}

/* Nobody is in the set that was decided on. */
static __always_inline int nat_to_nobody(const struct decision *d)
{
	return d->drops ? REASON_NO_LOCAL : REASON_NO_BACKEND;
}

#define ENDPOINTS_TRIED 64

/* Of the endpoints that are here, the one that another node has chosen; 0: it
 * is not among those first ones that are looked at. */
__global __u32 nat_endpoint(const struct service *svc, const struct addr *a)
{
	const struct backend *b;
	struct slot slot;

	if (!svc || !a)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < ENDPOINTS_TRIED; i++) {
		if (i >= svc->local_count)
			break;
		slot = slot_read(slots_in(svc, SET_LOCAL), i);
		b = backend_find(slot.backend);
		if (b && b->addr.word[3] == a->word[3] &&
		    b->addr.word[2] == a->word[2] &&
		    b->addr.word[1] == a->word[1] &&
		    b->addr.word[0] == a->word[0])
			return slot.backend;
	}
	return 0;
}

/* Instead of a backend: he has the connection in a tunnel, and would not know it
 * by another address of its client. */
#define NAT_IN_TUNNEL 0xffffffffu

/* Has p's connection, which is of TCP or SCTP and in use, its backend id on
 * another node? */
static __always_inline bool nat_is_in_tunnel(const struct pkt *p,
					     const struct scratch *s, __u32 id)
{
	const struct backend *b = backend_find(id);

	return b && !(b->flags & (BACKEND_IN_LOCAL | BACKEND_LOCAL)) &&
	       !(s->old.word & 1) && !p->opens &&
	       p->flow.proto != IPPROTO_UDP;
}

/* Who was chosen for p's flow already: by the node that has sent it here, or
 * by fl_xdp, which does not reach him. 0: nobody. */
static __always_inline __u32 nat_chosen(struct pkt *p,
					const struct service *svc,
					struct scratch *s, enum origin origin)
{
	__u32 id;

	if (origin == ORIGIN_TUNNEL)
		return nat_endpoint(svc, &s->endpoint);
	if (!svc->tunnel || !s->old.position)
		return 0;
	id = tunnel_of_known(&p->lookup, s, false) & (CONN_BACKENDS_MAX - 1);
	return nat_is_in_tunnel(p, s, id) ? NAT_IN_TUNNEL : id;
}

/* A translation for p's flow, which conns does not know. Then s->nat says what
 * p becomes. p->from is where replies leave; without a link, they cannot. What
 * there is no room for is not worth a choice; and where nobody can be chosen,
 * nobody has to make room, nor does what the flow had before go. */
static __always_inline int nat_open(struct pkt *p, const struct service *svc,
				    enum origin origin)
{
	struct scratch *s = map_only(scratch);
	__u32 position, id;
	int why;

	if (!p || !s || !svc)
		return REASON_INTERNAL;
	if (!p->from.link)
		return REASON_NO_NEXT_HOP;
	s->decision = decide(svc, origin);
	id = nat_chosen(p, svc, s, origin);
	if (id == NAT_IN_TUNNEL)
		return REASON_NO_NEXT_HOP;
	if (!id && !slots_in(svc, s->decision.set).count)
		return nat_to_nobody(&s->decision);
	position = claim_anew(s, p->hash);
	if (!position)
		return REASON_NO_ROOM;
	if (!id)
		id = service_choose(&p->lookup, svc, s->decision.set);
	if (id)
		drop_old(s);
	why = id ? nat_connect(p, id, svc->idle_life, position) :
		   nat_to_nobody(&s->decision);
	if (why != REASON_NONE) {
		conn_release(position);
		return why;
	}
	p->new_conn = true;
	return conn_publish(p->hash, position) ? REASON_NONE : nat_join(p, s);
}

#endif
