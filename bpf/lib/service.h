/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which service a packet is for, and which backend of it. Decisions only:
 * read maps and record choices in conns; touch no packet, know no hook.
 */
#ifndef FAIRLEAD_BPF_SERVICE_H
#define FAIRLEAD_BPF_SERVICE_H

#include "conn_claim.h"
#include "lookup.h"
#include "scratch.h"

/* As vip_class(), of an address that may be in a CIDR VIP. */
static __always_inline __u8 prefix_class(const struct lookup *look)
{
	const struct prefix *prefix;
	struct prefix_key key = { .len = 128 };

	key.addr = look->flow.dst;
	prefix = bpf_map_lookup_elem(&prefixes, &key);
	return prefix ? prefix->class : 0;
}

/* A byte may be there for another address, so only one that makes us ask conns
 * spares the prefixes. */
static __always_inline __u8 with_prefixes(const struct lookup *look, __u8 class)
{
	if (!(class & VIP_CONNS))
		class |= class & VIP_REPLIES ? VIP_CONNS : prefix_class(look);
	return class ? class | VIP_PREFIXES : 0;
}

/* enum vip_class bits of where p goes; 0: a stranger's. */
static __always_inline __u8 vip_class(struct lookup *look)
{
	const struct vip_filter *filter = map_only(vip_filter);
	const struct runtime *rt = map_only(runtime);
	__u8 class;

	look->dst_sum = hash_dst(hash_key, &look->flow.dst);
	if (!filter || !rt)
		return 0;
	class = filter->class[vip_filter_index(look->dst_sum)];
	return rt->has_prefixes ? with_prefixes(look, class) : class;
}

static __always_inline bool service_is(const struct service *svc,
				       const struct addr *dst, __be16 port,
				       __u8 proto)
{
	const __u64 *a = (const __u64 *)&svc->addr, *b = (const __u64 *)dst;
	__u16 number = bpf_ntohs(port);

	return a[0] == b[0] && a[1] == b[1] && svc->proto == proto &&
	       svc->port_first <= number && number <= svc->port_last;
}

/* The first cell of a bucket with this tag; NULL: none. */
static __always_inline const struct service_cell *
bucket_match(const struct service_bucket *bucket, __u32 tag)
{
	const struct service_cell *cell = bucket->cell;
	__u32 mask;

	if (cell[0].tag == tag)	/* most often: the CPU reads on at a guess */
		return cell;
	mask = match_bit(cell[0].tag, tag, 0) | match_bit(cell[1].tag, tag, 1) |
	       match_bit(cell[2].tag, tag, 2) | match_bit(cell[3].tag, tag, 3) |
	       match_bit(cell[4].tag, tag, 4) | match_bit(cell[5].tag, tag, 5) |
	       match_bit(cell[6].tag, tag, 6) | match_bit(cell[7].tag, tag, 7);
	return mask ? &cell[lowest_bit(mask)] : NULL;
}

static __always_inline bool bucket_is_full(const struct service_bucket *bucket)
{
	const struct service_cell *cell = bucket->cell;

	return cell[0].service && cell[1].service && cell[2].service &&
	       cell[3].service && cell[4].service && cell[5].service &&
	       cell[6].service && cell[7].service;
}

/*
 * (dst, port, proto): an index in services, or 0. Through as many buckets as
 * it takes; one tag twice in a bucket, a chance of 2^-32 for a pair, finds
 * the first. sum: hash_dst().
 */
__global __u32 service_search(const struct addr *dst, __u64 sum, __u32 port,
			      __u32 proto)
{
	__u64 hash = service_hash(hash_key, sum, port, proto);
	const struct service_bucket *bucket;
	const struct service_cell *cell;
	const struct service *svc;
	__u32 idx;

	if (!dst)
		return 0;
	for (int probe = 0; probe < SERVICE_PROBES; probe++) {
		idx = ((__u32)hash + probe) & (cfg.cell_buckets - 1);
		bucket = bpf_map_lookup_elem(&cells, &idx);
		if (!bucket)
			return 0;
		cell = bucket_match(bucket, hash >> 32);
		idx = cell ? cell->service : 0;
		svc = idx ? bpf_map_lookup_elem(&services, &idx) : NULL;
		if (svc && service_is(svc, dst, port, proto))
			return idx;
		if (!bucket_is_full(bucket))
			return 0;
	}
	return 0;
}

/* The node port, at whichever address of dst's family. */
static __always_inline __u32 node_port_search(const struct addr *dst,
					      __u32 port, __u32 proto)
{
	const __u64 *words = (const __u64 *)dst;
	struct addr node = node_addr(
		!words[0] && dst->word[2] == bpf_htonl(0xffff));

	return service_search(&node, hash_dst(hash_key, &node), port, proto);
}

/* At (dst, port, proto), else at every port of dst, else the node port if dst
 * is the node's, else what stands for the address itself (SERVICE_VIP). */
__global __u32 service_search_addr(const struct addr *dst, __u32 port,
				   __u32 proto)
{
	const struct service *vip;
	__u32 entry, node = 0;
	__u64 sum;

	if (!dst)
		return 0;
	sum = hash_dst(hash_key, dst);
	entry = service_search(dst, sum, port, proto);
	if (!entry)
		entry = service_search(dst, sum, 0, proto);
	if (entry)
		return entry;
	entry = service_search(dst, sum, 0, 0);
	vip = entry ? bpf_map_lookup_elem(&services, &entry) : NULL;
	if (vip && vip->flags & SERVICE_NODE)
		node = node_port_search(dst, port, proto);
	return node ? node : entry;
}

/* The same, and a CIDR VIP's address counts as the CIDR's base. */
__global __u32 service_otherwise(const struct lookup *look)
{
	const struct runtime *rt = map_only(runtime);
	const struct prefix *prefix;
	struct prefix_key key = { .len = 128 };
	__u32 entry;

	if (!look || !rt)
		return 0;
	key.addr = look->flow.dst;
	entry = service_search_addr(&key.addr, look->flow.dport,
				    look->flow.proto);
	if (!entry && look->is_tunnelled)
		return node_port_search(&look->flow.dst, look->flow.dport,
					look->flow.proto);
	if (entry || !rt->has_prefixes)
		return entry;
	prefix = bpf_map_lookup_elem(&prefixes, &key);
	return prefix ? service_search_addr(&prefix->base, look->flow.dport,
					    look->flow.proto) : 0;
}

/* Where p goes. The usual case is decided here: one bucket, one service. */
static __always_inline const struct service *
service_find(const struct lookup *look)
{
	__u64 hash = service_hash(hash_key, look->dst_sum, look->flow.dport,
				  look->flow.proto);
	__u32 idx = (__u32)hash & (cfg.cell_buckets - 1);
	const struct service_bucket *bucket;
	const struct service_cell *cell;
	const struct service *svc;

	bucket = bpf_map_lookup_elem(&cells, &idx);
	cell = bucket ? bucket_match(bucket, hash >> 32) : NULL;
	if (cell) {
		idx = cell->service;
		svc = bpf_map_lookup_elem(&services, &idx);
		if (svc && service_is(svc, &look->flow.dst, look->flow.dport,
				      look->flow.proto))
			return svc;
	}
	idx = service_otherwise(look);
	return idx ? bpf_map_lookup_elem(&services, &idx) : NULL;
}

/* Is p's client, or that of the flow it is about, let in by a list? */
__global int sources_admit(const struct lookup *look, __u32 list)
{
	struct source_key key = { .len = SOURCE_LIST_BITS + 128, .list = list };
	const __u32 *flags;

	if (!look)
		return 0;
	key.addr = look->flow.src;
	flags = bpf_map_lookup_elem(&sources, &key);
	return flags && *flags & SOURCE_ALLOW;
}

/* Is it one of a node's? Services at the edge alone are fl_xdp's. */
static __always_inline bool service_is_node(const struct service *svc)
{
	return svc->kind != KIND_EDGE && svc->forward == FORWARD_NAT;
}

/* Is it a cluster IP that somebody on the host has taken, as a cache of names
 * does? What the host itself asks there is for him. */
static __always_inline bool service_is_hosts(const struct service *svc,
					     const struct lookup *look)
{
	const struct service *vip = NULL;
	__u32 idx;

	if (svc->kind != KIND_CLUSTER_IP)
		return false;
	idx = service_search(&look->flow.dst, look->dst_sum, 0, 0);
	if (idx)
		vip = bpf_map_lookup_elem(&services, &idx);
	return vip && vip->flags & SERVICE_HOST;
}

static __always_inline const struct backend *backend_find(__u32 id)
{
	return id ? bpf_map_lookup_elem(&backends, &id) : NULL;
}

/* May a flow that it has already stay with it? */
static __always_inline bool backend_keeps(const struct backend *b)
{
	_Static_assert(BACKEND_ACTIVE == 1 && BACKEND_DRAIN == 2 &&
		       BACKEND_LEAVING == 3, "those who keep flows");
	return b && (__u32)b->state - BACKEND_ACTIVE <=
			    BACKEND_LEAVING - BACKEND_ACTIVE;
}

/* And is it still the one that was recorded, as conn_backend_word() has it? */
static __always_inline bool backend_is(const struct backend *b, __u32 word)
{
	return backend_keeps(b) &&
	       (__u8)b->generation == word >> CONN_BACKEND_BITS;
}

static __always_inline bool backend_has(const struct backend *b,
					const struct conn *c)
{
	return backend_is(b, c->backend);
}

/* The last packet of one side, which the other does not need to end with. */
static __always_inline bool tcp_is_fin(const struct lookup *look)
{
	return (look->tcp_flags & 0x05) == 0x01;
}

/* The first packet of a connection where one of the same client is ending, or
 * seems to: a client's end can be forged. */
static __always_inline bool conn_begins_anew(const struct conn_ref *r,
					     const struct lookup *look)
{
	return look->opens && conn_state(r) == CONN_CLOSING;
}

/* Slots among which one is to be chosen. */
struct slot_range {
	__u32 base;
	__u32 count;
};

static __always_inline struct slot_range slots_all(const struct service *svc)
{
	return (struct slot_range){ svc->slot_base, svc->slot_count };
}

/* set: enum backend_set. */
static __always_inline struct slot_range slots_in(const struct service *svc,
						  __u32 set)
{
	if (set == SET_LOCAL)
		return (struct slot_range){ svc->local_base,
					    svc->local_count };
	return slots_all(svc);
}

/* number: less than count. */
static __always_inline struct slot slot_read(struct slot_range range,
					     __u32 number)
{
	__u32 idx = range.base + number;
	const struct slot *slot = bpf_map_lookup_elem(&slots, &idx);
	union {
		struct slot slot;
		__u64 word;
	} u = {};

	if (slot)
		u.word = READ_ONCE(*(const __u64 *)slot);
	return u.slot;
}

/* The slot that p's flow is in; its client's, if clients stick. */
static __always_inline struct slot slot_of(const struct lookup *look,
					   const struct service *svc,
					   struct slot_range range)
{
	__u64 hash = look->hash;

	if (svc->flags & SERVICE_AFFINITY)
		hash = client_hash(hash_key, &look->flow.src);
	return slot_read(range, slot_index(hash, range.count));
}

/* Is it a packet of a connection that there may have been before? */
static __always_inline bool lookup_is_older(const struct lookup *look,
					 const struct service *svc)
{
	if (look->flow.proto == IPPROTO_UDP)
		return !(svc->flags & SERVICE_TRACKED) || look->is_error;
	return !look->opens;
}

/* For a new connection: the slot's backend, chance's, or whose turn it is. */
static __always_inline __u32 slot_for_new(const struct service *svc,
					  struct slot_range range,
					  struct slot slot)
{
	__u64 *turn;
	__u32 id = svc->id, number;

	switch (svc->algorithm) {
	case ALGORITHM_RANDOM:
		number = (__u64)bpf_get_prandom_u32() * range.count >> 32;
		return slot_read(range, number).backend;
	case ALGORITHM_ROUND_ROBIN:
		turn = bpf_map_lookup_elem(&turns, &id);
		if (!turn)
			return 0;
		number = __sync_fetch_and_add(turn, 1);
		return slot_read(range, number & (range.count - 1)).backend;
	default:
		return slot.backend;
	}
}

/* Of a flow whose packets all look alike, as none is recorded. */
static __always_inline __u32 slot_for_all(struct slot slot)
{
	if (slot.previous && backend_keeps(backend_find(slot.previous)))
		return slot.previous;
	return slot.backend;
}

/* Record what f's packets go to, in a place that is claimed. Returns the
 * backend: another CPU's choice, if that was made in the same moment.
 * life_tunnel: the record's life, and from bit 8 on its tunnel. */
__global __u32 service_record(const struct flow *f, __u64 hash, __u32 position,
			      __u32 id, __u32 life_tunnel)
{
	const struct backend *b = backend_find(id);
	struct conn_ref r = conn_at(position);

	if (!f || !r.head)
		return id;
	conn_set_key(r.conn, f, 0);
	r.conn->backend = conn_backend_word(id, b ? b->generation : 0);
	r.conn->tunnel = life_tunnel >> 8;
	r.conn->time = conn_time(now_s(), life_tunnel & 0xff);
	r.conn->offered = 0;
	if (conn_publish(hash, position))
		return id;
	r = conn_find(f, hash);
	return r.head ? conn_backend(r.conn) : id;
}

/* set: enum backend_set. */
static __always_inline bool backend_is_in(const struct backend *b, __u32 set)
{
	return set == SET_LOCAL ? b->flags & BACKEND_IN_LOCAL :
				  !(b->flags & BACKEND_NOT_IN_CLUSTER);
}

/* Where the client that r is of went when it came last; 0: it may not stay. */
static __always_inline __u32 client_backend(struct conn_ref *r,
					    const struct service *svc,
					    __u32 set)
{
	const struct backend *b = backend_find(conn_backend(r->conn));
	__u32 now = now_8th();

	if (!backend_has(b, r->conn) || b->state != BACKEND_ACTIVE ||
	    !backend_is_in(b, set) ||
	    conn_age(r->conn->time, now >> 3) > svc->affinity_s ||
	    !conn_is_still(r))
		return 0;
	conn_set_state(r, now, CONN_LIVE);
	return conn_backend(r->conn);
}

/* Which backend is to have the client again; 0: none, and what is recorded of
 * it is gone. Apart from slot_for_client(), which calls conn_claim(): the
 * stack is that of the deepest chain. */
__global __u32 client_recall(const struct flow *client, __u64 hash,
			     const struct service *svc, __u32 set)
{
	struct conn_ref r;
	__u32 id;

	if (!client || !svc)
		return 0;
	r = conn_find(client, hash);
	if (!r.head)
		return 0;
	id = client_backend(&r, svc, set);
	if (!id)
		conn_drop(r.position, r.word);
	return id;
}

/* As slot_for_new(), but a client that came within the time limit goes where
 * it went then. key: room for what conns knows the client by. */
static __always_inline __u32 slot_for_client(struct lookup *look,
					     const struct service *svc,
					     __u32 set, struct slot slot,
					     struct flow *key)
{
	__u32 id, position;
	__u64 hash;

	affinity_flow(&look->flow.src, svc, key);
	hash = flow_hash(hash_key, hash_dst(hash_key, &key->dst), key);
	id = client_recall(key, hash, svc, set);
	if (id)
		return id;
	position = conn_claim(hash);
	if (!position) {
		look->unrecorded = true;
		return slot_for_all(slot);
	}
	id = slot_for_new(svc, slots_in(svc, set), slot);
	return service_record(key, hash, position, id, svc->affinity_life);
}

/* A backend for a new connection, out of a set that is not empty; slot: its
 * slot_of(). The same for packets and for sockets. */
static __always_inline __u32 slot_choose(struct lookup *look,
					 const struct service *svc, __u32 set,
					 struct slot slot, struct flow *key)
{
	return svc->flags & SERVICE_AFFINITY ?
		       slot_for_client(look, svc, set, slot, key) :
		       slot_for_new(svc, slots_in(svc, set), slot);
}

/*
 * The backend of a flow that conns does not know, out of a set (enum
 * backend_set). Called for a first packet only, so not worth its place in the
 * fast path.
 */
__global __u32 service_choose(struct lookup *look, const struct service *svc,
			      __u32 set)
{
	struct scratch *s = map_only(scratch);
	struct slot_range range;
	struct slot slot;

	if (!look || !svc || !s)
		return 0;
	range = slots_in(svc, set);
	if (!range.count)
		return 0;
	slot = slot_of(look, svc, range);
	if (look->unrecorded || lookup_is_older(look, svc))
		return slot_for_all(slot);
	return slot_choose(look, svc, set, slot, &s->key);
}

/* What conns had of the flow is void, but only when there is another to go to:
 * a backend that is down may come back. */
static __always_inline void drop_old(struct scratch *s)
{
	if (s->old.position)
		conn_drop(s->old.position, s->old.word);
}

/* A place for a flow; that of the record which it replaces, where there is no
 * other: both of a flow's buckets may be one, which has its tag but once. */
static __always_inline __u32 claim_anew(struct scratch *s, __u64 hash)
{
	__u32 position = conn_claim(hash);

	if (position || !s->old.position)
		return position;
	drop_old(s);
	return conn_claim(hash);
}

/* As struct conn has it. */
static __always_inline __u8 service_tunnel(const struct service *svc)
{
	if (svc->tunnel && svc->kind == KIND_NODE_PORT)
		return svc->tunnel | CONN_TUNNEL_DIALLED;
	return svc->tunnel;
}

/* A backend for a flow that conns does not know. What cannot be recorded is
 * decided by its hash, so that all of its packets go one way. */
static __always_inline __u32 service_admit(struct lookup *look,
						  const struct service *svc)
{
	struct scratch *s = map_only(scratch);
	__u32 position = 0, id;

	if (!look || !svc || !s)
		return 0;
	if (!look->is_error) {
		position = claim_anew(s, look->hash);
		look->unrecorded = !position;
	}
	id = service_choose(look, svc, SET_CLUSTER);
	look->new_conn = !lookup_is_older(look, svc);
	if (id)
		drop_old(s);
	if (!position)
		return id;
	if (id)
		return service_record(&look->flow, look->hash, position, id,
				      svc->idle_life |
				      service_tunnel(svc) << 8);
	conn_release(position);
	return 0;
}

/* Seconds after an end in which its last packets may come yet, and prove
 * nothing. */
#define CHOICE_LAST_S 2

/* Which state a choice comes into by look, of which it ends nothing. */
static __always_inline enum conn_state
choice_next_state(struct conn_ref *r, const struct lookup *look, __u32 now)
{
	bool is_fin = r->conn->what & CONN_CLIENT_FIN;

	if (look->opens)
		return conn_state(r);
	if (conn_state(r) != CONN_CLOSING || r->conn->offered)
		return CONN_LIVE;
	if (!is_fin && conn_age(r->conn->time, now >> 3) >= CHOICE_LAST_S)
		return CONN_LIVE;
	return CONN_CLOSING;
}

/* What ends it: a FIN, after which its client may listen yet, or a reset. */
static __always_inline void choice_end(struct conn_ref *r,
				       const struct lookup *look, __u32 now)
{
	const __u8 in_use = CONN_CLIENT_FIN | CONN_RESET;
	__u8 end = CONN_CLIENT_FIN;

	if (!tcp_is_fin(look))
		end = conn_is_open(r) || r->conn->what & in_use ?
			      CONN_RESET : 0;
	conn_note_ends(r, 0, end);
	conn_set_offered(r, 0);
	if (conn_state(r) == CONN_CLOSING)
		conn_seen(r, now);
	else
		conn_set_state(r, now, CONN_CLOSING);
}

/*
 * A choice has no answers to see: the client's second packet makes it live, a
 * FIN of the client ends it, as far as can be seen. While the client listens to
 * what its backend has yet to say, its acknowledgements keep it. A connection
 * that ended, or seems to have, stays with its backend, and is live again when
 * its client has begun anew (offered: a SYN was seen) and gone on; or, after a
 * reset, has just gone on.
 */
__global int choice_change(const struct lookup *look, __u32 position,
			   __u32 word)
{
	struct conn_ref r = conn_at(position);
	__u32 now = now_8th(), state;

	if (!look || !r.head)
		return 0;
	r.word = word;
	if (look->closes) {
		choice_end(&r, look, now);
		return 0;
	}
	state = choice_next_state(&r, look, now);
	if (conn_state(&r) == CONN_CLOSING && look->opens)
		conn_set_offered(&r, 1);
	if (state != conn_state(&r)) {
		conn_note_ends(&r, 0, 0);
		conn_set_offered(&r, 0);
		conn_set_state(&r, now, state);
	} else if (state != CONN_CLOSING || look->opens ||
		   conn_age(r.conn->time, now >> 3) >= CHOICE_LAST_S) {
		conn_seen(&r, now);
	}
	return 0;
}

/* A packet of r was seen. Most are of a live one, and change nothing. */
static __always_inline void choice_touch(struct conn_ref *r,
					 const struct lookup *look, __u32 now)
{
	if (conn_is_open(r) && !look->closes)
		conn_seen(r, now);
	else
		choice_change(look, r->position, r->word);
}

/*
 * What conns has of look's flow, s->old, in a node's tunnel: the tunnel, from
 * bit 24 on, and the backend; 0: it is of none, or not any more. Whatever has
 * become of the service since; of who begins anew, the endpoint's node asks whether
 * he may. touches: look is a packet that goes there.
 */
__global __u32 tunnel_of_known(struct lookup *look, struct scratch *s,
			       __u32 touches)
{
	const __u32 now = now_8th();
	struct conn_ref r;
	__u32 id;

	if (!look || !s)
		return 0;
	r = conn_at(s->old.position);
	if (!r.head || r.conn->what & CONN_NAT || !r.conn->tunnel)
		return 0;
	r.word = s->old.word;
	id = conn_backend(r.conn) | (__u32)r.conn->tunnel << CONN_BACKEND_BITS;
	if (!backend_has(backend_find(conn_backend(r.conn)), r.conn) ||
	    conn_is_over(&r, now >> 3, look->opens) || !conn_is_still(&r))
		return 0;
	if (touches && !look->is_error)
		choice_touch(&r, look, now);
	return id;
}

/* Instead of a backend: conns does not know the flow, but should. */
#define SERVICE_ADMIT 0xffffffffu

/* What conns says; r is what it has, which is to go if SERVICE_ADMIT. */
static __always_inline __u32 service_track(struct lookup *look,
					   struct conn_ref *r)
{
	const __u32 now = now_8th();
	const struct backend *b;
	__u32 id;

	*r = conn_find(&look->flow, look->hash);
	if (!r->head)
		return SERVICE_ADMIT;
	id = conn_backend(r->conn);
	b = backend_find(id);
	/* a dead record may name an owner from before the slot was settled */
	if (!backend_has(b, r->conn) ||
	    conn_is_over(r, now >> 3, look->opens) || !conn_is_still(r))
		return SERVICE_ADMIT;
	if (!look->is_error)
		choice_touch(r, look, now);
	return id;
}

/* Who serves it (look->hash is set): an index in backends; 0: nobody can;
 * SERVICE_ADMIT: service_admit() knows, after what is at r is dropped. */
static __always_inline __u32 service_pick(struct lookup *look,
					  const struct service *svc,
					  struct conn_ref *r)
{
	struct slot slot;

	if (!(svc->flags & SERVICE_TRACKED)) {
		if (!svc->slot_count)
			return 0;
		slot = slot_of(look, svc, slots_all(svc));
		if (!slot.previous || svc->flags & SERVICE_STATELESS) {
			look->new_conn = look->opens;
			return slot.backend;
		}
	}
	return service_track(look, r);
}

#endif
