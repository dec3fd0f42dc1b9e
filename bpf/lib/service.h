/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which service a packet is for, and which backend of it. Decisions only:
 * read maps and record choices in conns; touch no packet, know no hook.
 */
#ifndef FAIRLEAD_BPF_SERVICE_H
#define FAIRLEAD_BPF_SERVICE_H

#include "conn.h"
#include "parse.h"

/* As vip_class(), of an address that may be in a CIDR VIP. */
static __always_inline __u8 prefix_class(const struct pkt *p)
{
	const struct prefix *prefix;
	struct prefix_key key = { .len = 128 };

	key.addr = p->flow.dst;
	prefix = bpf_map_lookup_elem(&prefixes, &key);
	return prefix ? prefix->class : 0;
}

/* enum vip_class bits of where p goes; 0: a stranger's. A byte may be there
 * for another address, so only one with all bits spares the prefixes. */
static __always_inline __u8 vip_class(struct pkt *p)
{
	const struct vip_filter *filter = map_only(vip_filter);
	const struct runtime *rt = map_only(runtime);
	__u8 class;

	p->dst_sum = hash_dst(hash_key, &p->flow.dst);
	if (!filter || !rt)
		return 0;
	class = filter->class[vip_filter_index(p->dst_sum)];
	if (rt->has_prefixes && !(class & VIP_CONNS))
		class |= prefix_class(p);
	return class;
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

/* At (dst, port, proto), else at every port of dst, else what stands for the
 * address itself (SERVICE_VIP). */
__global __u32 service_search_addr(const struct addr *dst, __u32 port,
				   __u32 proto)
{
	__u64 sum;
	__u32 entry;

	if (!dst)
		return 0;
	sum = hash_dst(hash_key, dst);
	entry = service_search(dst, sum, port, proto);
	if (!entry)
		entry = service_search(dst, sum, 0, proto);
	return entry ? entry : service_search(dst, sum, 0, 0);
}

/* The same, and a CIDR VIP's address counts as the CIDR's base. */
__global __u32 service_otherwise(const struct pkt *p)
{
	const struct runtime *rt = map_only(runtime);
	const struct prefix *prefix;
	struct prefix_key key = { .len = 128 };
	__u32 entry;

	if (!p || !rt)
		return 0;
	key.addr = p->flow.dst;
	entry = service_search_addr(&key.addr, p->flow.dport, p->flow.proto);
	if (entry || !rt->has_prefixes)
		return entry;
	prefix = bpf_map_lookup_elem(&prefixes, &key);
	return prefix ? service_search_addr(&prefix->base, p->flow.dport,
					    p->flow.proto) : 0;
}

/* Where p goes. The usual case is decided here: one bucket, one service. */
static __always_inline const struct service *service_find(const struct pkt *p)
{
	__u64 hash = service_hash(hash_key, p->dst_sum, p->flow.dport,
				  p->flow.proto);
	__u32 idx = (__u32)hash & (cfg.cell_buckets - 1);
	const struct service_bucket *bucket;
	const struct service_cell *cell;
	const struct service *svc;

	bucket = bpf_map_lookup_elem(&cells, &idx);
	cell = bucket ? bucket_match(bucket, hash >> 32) : NULL;
	if (cell) {
		idx = cell->service;
		svc = bpf_map_lookup_elem(&services, &idx);
		if (svc && service_is(svc, &p->flow.dst, p->flow.dport,
				      p->flow.proto))
			return svc;
	}
	idx = service_otherwise(p);
	return idx ? bpf_map_lookup_elem(&services, &idx) : NULL;
}

/* Is p's client, or that of the flow it is about, let in by a list? */
__global int sources_admit(const struct pkt *p, __u32 list)
{
	struct source_key key = { .len = SOURCE_LIST_BITS + 128, .list = list };
	const __u32 *flags;

	if (!p)
		return 0;
	key.addr = p->flow.src;
	flags = bpf_map_lookup_elem(&sources, &key);
	return flags && *flags & SOURCE_ALLOW;
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

/* number: less than slot_count. */
static __always_inline struct slot slot_read(const struct service *svc,
					     __u32 number)
{
	__u32 idx = svc->slot_base + number;
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
static __always_inline struct slot slot_of(const struct pkt *p,
					   const struct service *svc)
{
	__u64 hash = p->hash;

	if (svc->flags & SERVICE_AFFINITY)
		hash = client_hash(hash_key, p->dst_sum, &p->flow.src);
	return slot_read(svc, slot_index(hash, svc->slot_count));
}

/* Is it a packet of a connection that there may have been before? */
static __always_inline bool pkt_is_older(const struct pkt *p,
					 const struct service *svc)
{
	if (p->flow.proto == IPPROTO_UDP)
		return !(svc->flags & SERVICE_TRACKED) || p->is_error;
	return !p->opens;
}

/* For a new connection: the slot's backend, or chance's, or whose turn it is. */
static __always_inline __u32 slot_for_new(const struct service *svc,
					  struct slot slot)
{
	__u64 *turn;
	__u32 id = svc->id, number;

	switch (svc->algorithm) {
	case ALGORITHM_RANDOM:
		number = (__u64)bpf_get_prandom_u32() * svc->slot_count >> 32;
		return slot_read(svc, number).backend;
	case ALGORITHM_ROUND_ROBIN:
		turn = bpf_map_lookup_elem(&turns, &id);
		if (!turn)
			return 0;
		number = __sync_fetch_and_add(turn, 1);
		return slot_read(svc, number & (svc->slot_count - 1)).backend;
	default:
		return slot.backend;
	}
}

/* As slot_for_new(), but a client that came within the time limit goes where
 * it went then. */
static __always_inline __u32 slot_for_client(const struct pkt *p,
					     const struct service *svc,
					     struct slot slot)
{
	struct flow client = p->flow;
	const struct backend *b;
	struct conn_ref r;
	__u32 id, now = now_s();
	__u64 hash;

	client.kind = FLOW_AFFINITY;
	client.sport = 0;
	hash = flow_hash(hash_key, p->dst_sum, &client);
	r = conn_find(&client, hash);
	if (r.head && conn_age(r.head->time, now) <= svc->affinity_s) {
		id = r.conn->backend;
		b = backend_find(id);
		if (b && b->state == BACKEND_ACTIVE &&
		    b->generation == r.conn->generation) {
			conn_touch(&r, now, CONN_LIVE);
			return id;
		}
	}
	id = slot_for_new(svc, slot);
	b = backend_find(id);
	if (b)
		conn_record(&r, &client, hash, id, b->generation,
			    svc->affinity_life);
	return id;
}

/*
 * The backend of a flow that conns does not know. Called for a first packet
 * only, so not worth its place in the fast path.
 */
__global __u32 service_choose(const struct pkt *p, const struct service *svc)
{
	struct slot slot;

	if (!p || !svc || !svc->slot_count)
		return 0;
	slot = slot_of(p, svc);
	if (!pkt_is_older(p, svc))
		return svc->flags & SERVICE_AFFINITY ?
			       slot_for_client(p, svc, slot) :
			       slot_for_new(svc, slot);
	if (slot.previous && backend_keeps(backend_find(slot.previous)))
		return slot.previous;
	return slot.backend;
}

static __always_inline enum conn_state pkt_conn_state(const struct pkt *p)
{
	if (p->closes)
		return CONN_CLOSING;
	return p->opens ? CONN_NEW : CONN_LIVE;
}

/* Record the choice of a backend: in the entry at position if not 0. */
__global int service_record(const struct pkt *p, __u32 id, __u32 life,
			    __u32 position)
{
	const struct backend *b = backend_find(id);
	struct conn_ref r = {};

	if (!p || !b)
		return 0;
	if (position)
		r = conn_at(position);
	conn_record(&r, &p->flow, p->hash, id, b->generation, life);
	return 0;
}

/* A backend for a flow that conns does not know, or not rightly (position). */
static __always_inline __u32 service_admit(struct pkt *p,
					   const struct service *svc,
					   __u32 position)
{
	__u32 id = service_choose(p, svc);

	p->new_conn = !pkt_is_older(p, svc);
	if (id && !p->is_error)
		service_record(p, id, svc->idle_life, position);
	return id;
}

/* Tracked: what conns says, else service_choose(), recorded. */
static __always_inline __u32 service_track(struct pkt *p,
					   const struct service *svc)
{
	struct conn_ref r = conn_find(&p->flow, p->hash);
	const struct backend *b;
	__u32 id;

	if (!r.head)
		return service_admit(p, svc, 0);
	id = r.conn->backend;
	b = backend_find(id);
	/* a dead entry may name an owner from before the slot was settled */
	if (!backend_keeps(b) || b->generation != r.conn->generation ||
	    conn_is_dead(r.head->time, now_s()) ||
	    !conn_is_still(&r) ||
	    (p->opens && conn_state(r.head->time) == CONN_CLOSING))
		return service_admit(p, svc, r.position);
	if (!p->is_error)
		conn_touch(&r, now_s(), pkt_conn_state(p));
	return id;
}

/* Who serves p (p->hash is set): an index in backends; 0: nobody can. */
static __always_inline __u32 service_pick(struct pkt *p,
					  const struct service *svc)
{
	struct slot slot;

	if (!(svc->flags & SERVICE_TRACKED)) {
		if (!svc->slot_count)
			return 0;
		slot = slot_of(p, svc);
		if (!slot.previous || svc->flags & SERVICE_STATELESS) {
			p->new_conn = p->opens;
			return slot.backend;
		}
	}
	return service_track(p, svc);
}

#endif
