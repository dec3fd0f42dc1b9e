// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How the datapath finds services: the cells, the entries that stand for
 * addresses (SERVICE_VIP), vip_filter and the prefixes of CIDRs. A search
 * ends in the first bucket that has an empty cell, so a cell of a bucket
 * without one is not emptied but marked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "books.h"

struct cell_key {
	const struct addr *addr;
	__u16 port;		/* host order */
	__u8 proto;
};

static void free_bits(__u8 **bits)
{
	free(*bits);
}

bool entry_is_in_force(const struct state *s, __u32 entry)
{
	const struct service *e = &s->t->services[entry];

	if (s->vips[entry].services)
		return true;
	return !(e->flags & SERVICE_VIP) && e->id < s->nr_services &&
	       book_has(&s->books[e->id], entry);
}

static bool is_every_port(const struct service *e)
{
	return e->port_first == 0 && e->port_last == 65535;
}

bool service_is_cidr(const struct service *e)
{
	return e->prefix_len < 128;
}

static bool entry_has_key(const struct service *e, const struct cell_key *key)
{
	bool is_vip = e->flags & SERVICE_VIP;

	if (e->proto != key->proto || is_vip != !key->proto ||
	    addr_compare(&e->addr, key->addr))
		return false;
	if (is_vip || is_every_port(e))
		return !key->port;
	return e->port_first <= key->port && key->port <= e->port_last;
}

static bool cell_is_used(const struct state *s, const struct service_cell *c)
{
	return c->service && c->service < s->t->nr_services;
}

static __u64 key_hash(const struct state *s, const struct cell_key *key)
{
	return service_hash(s->t->hash_key, hash_dst(s->t->hash_key, key->addr),
			    htons(key->port), key->proto);
}

static struct service_cell *bucket_at(const struct state *s, __u64 hash,
				      int probe)
{
	__u32 bucket = ((__u32)hash + probe) & (s->t->cell_buckets - 1);

	return s->t->cells + (size_t)bucket * SERVICE_CELLS;
}

static bool bucket_is_full(const struct service_cell *bucket)
{
	for (int i = 0; i < SERVICE_CELLS; i++)
		if (!bucket[i].service)
			return false;
	return true;
}

static struct service_cell *cell_find(const struct state *s,
				      const struct cell_key *key, __u64 hash)
{
	struct service_cell *cell, *bucket;

	for (int probe = 0; probe < SERVICE_PROBES; probe++) {
		bucket = bucket_at(s, hash, probe);
		for (cell = bucket; cell < bucket + SERVICE_CELLS; cell++)
			if (cell->tag == hash >> 32 && cell_is_used(s, cell) &&
			    entry_has_key(&s->t->services[cell->service], key))
				return cell;
		if (!bucket_is_full(bucket))
			break;
	}
	return NULL;
}

static struct service_cell *cell_room(const struct state *s, __u64 hash)
{
	struct service_cell *cell, *bucket;

	for (int probe = 0; probe < SERVICE_PROBES; probe++) {
		bucket = bucket_at(s, hash, probe);
		for (cell = bucket; cell < bucket + SERVICE_CELLS; cell++)
			if (!cell_is_used(s, cell))
				return cell;
	}
	return NULL;
}

/* The cell of key, which names entry from now on. NULL: no room. */
static struct service_cell *cell_put(struct state *s,
				     const struct cell_key *key, __u32 entry)
{
	__u64 hash = key_hash(s, key);
	struct service_cell *cell = cell_find(s, key, hash);
	struct service_cell new = { .tag = hash >> 32, .service = entry };

	if (!cell) {
		cell = cell_room(s, hash);
		if (!cell)
			return NULL;
		s->cells_used++;
	}
	if (cell->service != entry)
		table_store(cell, new);
	return cell;
}

static void cell_empty(struct state *s, struct service_cell *cell)
{
	size_t position = cell - s->t->cells;
	struct service_cell gone = {};

	if (bucket_is_full(cell - position % SERVICE_CELLS))
		gone.service = SERVICE_CELL_GONE;
	table_store(cell, gone);
	s->cells_used--;
}

__u32 cells_find(const struct state *s, const struct addr *addr, __u16 port,
		 __u8 proto)
{
	struct cell_key key = { .addr = addr, .port = port, .proto = proto };
	struct service_cell *cell = cell_find(s, &key, key_hash(s, &key));

	return cell ? cell->service : 0;
}

__u32 cells_of(__u16 port_first, __u16 port_last)
{
	if (port_first == 0 && port_last == 65535)
		return 1;
	return port_last - port_first + 1;
}

/* The ports that an entry has cells for. The cell of port 0 means every port
 * to the datapath, so a range from 0 has its cells from 1 on. */
static void key_ports(const struct service *e, __u32 *ret_first,
		      __u32 *ret_last)
{
	bool one = e->flags & SERVICE_VIP || is_every_port(e);

	*ret_first = one ? 0 : e->port_first ? e->port_first : 1;
	*ret_last = one ? 0 : e->port_last;
}

/* Bits of good, if not NULL: the cells that are right. */
static int cells_put_marked(struct state *s, __u32 entry, __u8 *good)
{
	const struct service *e = &s->t->services[entry];
	struct cell_key key = { .addr = &e->addr, .proto = e->proto };
	const struct service_cell *cell;
	__u32 port, last;
	size_t position;

	for (key_ports(e, &port, &last); port <= last; port++) {
		key.port = port;
		cell = cell_put(s, &key, entry);
		if (!cell)
			return -ENOSPC;
		position = cell - s->t->cells;
		if (good)
			good[position / 8] |= 1 << position % 8;
	}
	return 0;
}

int cells_put(struct state *s, __u32 entry)
{
	return cells_put_marked(s, entry, NULL);
}

static int book_put_marked(struct state *s, const struct service_book *book,
			   __u8 *good)
{
	int ret = 0;

	for (__u32 i = 0; i < book->nr_entries && !ret; i++)
		ret = cells_put_marked(s, book->entries[i], good);
	return ret;
}

void cells_del(struct state *s, __u32 entry)
{
	const struct service *e = &s->t->services[entry];
	struct cell_key key = { .addr = &e->addr, .proto = e->proto };
	struct service_cell *cell;
	__u32 port, last;

	for (key_ports(e, &port, &last); port <= last; port++) {
		key.port = port;
		cell = cell_find(s, &key, key_hash(s, &key));
		if (cell && cell->service == entry)
			cell_empty(s, cell);
	}
}

static __u32 cells_count(const struct state *s)
{
	size_t count = (size_t)s->t->cell_buckets * SERVICE_CELLS;
	__u32 used = 0;

	for (size_t i = 0; i < count; i++)
		used += cell_is_used(s, &s->t->cells[i]);
	return used;
}

int cells_repair(struct state *s)
{
	size_t count = (size_t)s->t->cell_buckets * SERVICE_CELLS;
	__cleanup(free_bits) __u8 *good = calloc(1, count / 8 + 1);
	int ret = 0;

	if (!good)
		return -ENOMEM;
	s->cells_used = cells_count(s);
	for (size_t i = 0; i < count; i++)
		if (cell_is_used(s, &s->t->cells[i]) &&
		    !entry_is_in_force(s, s->t->cells[i].service))
			cell_empty(s, &s->t->cells[i]);
	for (__u32 i = 1; i < s->nr_services && !ret; i++)
		if (s->vips[i].services)
			ret = cells_put_marked(s, i, good);
	for (size_t i = 0; i < s->nr_order && !ret; i++)
		ret = book_put_marked(s, &s->books[s->order[i]], good);
	for (size_t i = 0; i < count && !ret; i++)
		if (!(good[i / 8] >> i % 8 & 1) &&
		    cell_is_used(s, &s->t->cells[i]))
			cell_empty(s, &s->t->cells[i]);
	if (!ret)
		s->cell_buckets = s->t->cell_buckets;
	return ret;
}

static struct vip_book *vip_find(const struct state *s, const struct addr *addr)
{
	__u32 entry = cells_find(s, addr, 0, 0);

	return entry ? &s->vips[entry] : NULL;
}

static __u32 vip_add(struct state *s, const struct addr *addr)
{
	__u32 entry = pool_take(&s->entries);

	if (!entry)
		return 0;
	s->vips[entry] = (struct vip_book){};
	s->t->services[entry] = (struct service){
		.addr = *addr,
		.port_last = 65535,
		.flags = SERVICE_VIP |
			 (addr_is_host(s, addr) ? SERVICE_HOST : 0),
		.prefix_len = 128,
	};
	if (!cells_put(s, entry))
		return entry;
	pool_give(&s->entries, entry);
	return 0;
}

int vip_hold(struct state *s, const struct service *e)
{
	__u32 entry = cells_find(s, &e->addr, 0, 0);

	if (!entry)
		entry = vip_add(s, &e->addr);
	if (!entry)
		return -ENOSPC;
	s->vips[entry].services++;
	return 0;
}

/* As vip_hold(), of what is there already. */
bool vip_adopt(struct state *s, const struct service *e)
{
	struct vip_book *vip = vip_find(s, &e->addr);

	if (vip)
		vip->services++;
	return vip;
}

void vip_drop(struct state *s, const struct service *e, __u32 now_s)
{
	struct vip_book *vip = vip_find(s, &e->addr);
	__u32 entry;

	if (!vip || --vip->services)
		return;
	entry = vip - s->vips;
	cells_del(s, entry);
	retire(s, RETIRED_ENTRY, entry, 0, now_s);
}

static __u32 filter_index(const struct state *s, const struct addr *addr)
{
	return vip_filter_index(hash_dst(s->t->hash_key, addr));
}

static void filter_store(struct state *s, __u32 idx)
{
	const struct filter_book *f = &s->filter[idx];
	__u8 class = (f->service ? VIP_SERVICE : 0) |
		     (f->conns ? VIP_CONNS : 0) |
		     (f->replies ? VIP_REPLIES : 0) |
		     (f->node ? VIP_NODE : 0);

	if (s->has_asked_conns && s->t->vip_filter[idx] != class)
		__atomic_store_n(&s->t->vip_filter[idx], class,
				 __ATOMIC_RELEASE);
}

static void count_up(__u16 *count)
{
	if (*count < UINT16_MAX)
		++*count;
}

/* A count that was at its end has lost its number: the bit stays. */
static void count_down(__u16 *count)
{
	if (*count && *count < UINT16_MAX)
		--*count;
}

void filter_add(struct state *s, const struct addr *addr, __u8 class)
{
	__u32 idx = filter_index(s, addr);

	s->is_own_old |= class != VIP_CONNS;
	if (class & VIP_SERVICE)
		count_up(&s->filter[idx].service);
	if (class & VIP_CONNS)
		count_up(&s->filter[idx].conns);
	if (class & VIP_REPLIES)
		count_up(&s->filter[idx].replies);
	if (class & VIP_NODE)
		count_up(&s->filter[idx].node);
	filter_store(s, idx);
}

void filter_del(struct state *s, const struct addr *addr, __u8 class)
{
	__u32 idx = filter_index(s, addr);

	s->is_own_old |= class != VIP_CONNS;
	if (class & VIP_SERVICE)
		count_down(&s->filter[idx].service);
	if (class & VIP_CONNS)
		count_down(&s->filter[idx].conns);
	if (class & VIP_REPLIES)
		count_down(&s->filter[idx].replies);
	if (class & VIP_NODE)
		count_down(&s->filter[idx].node);
	filter_store(s, idx);
}

void filter_repair(struct state *s)
{
	for (__u32 i = 0; i < VIP_FILTER_SIZE; i++)
		filter_store(s, i);
}

int prefixes_reserve(struct state *s, size_t more)
{
	size_t want = s->nr_prefixes + more;
	struct prefix_book *prefixes;

	if (want <= s->max_prefixes)
		return 0;
	prefixes = realloc(s->prefixes, want * sizeof(*prefixes));
	if (!prefixes)
		return -ENOMEM;
	s->prefixes = prefixes;
	s->max_prefixes = want;
	return 0;
}

/* Where key is, or belongs. */
static struct prefix_book *prefix_find(const struct state *s,
				       const struct prefix_key *key)
{
	size_t low = 0, high = s->nr_prefixes, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (memcmp(&s->prefixes[mid].key, key, sizeof(*key)) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return &s->prefixes[low];
}

static bool prefix_is(const struct state *s, const struct prefix_book *p,
		      const struct prefix_key *key)
{
	return p < s->prefixes + s->nr_prefixes &&
	       !memcmp(&p->key, key, sizeof(*key));
}

static int prefix_store(struct state *s, const struct prefix_book *p)
{
	struct prefix value = {
		.base = p->key.addr,
		.class = VIP_SERVICE | (p->nat ? VIP_CONNS : 0),
	};

	return s->t->entry_set(s->t, TABLE_prefixes, &p->key, &value);
}

static int prefix_hold(struct state *s, const struct service *e)
{
	struct prefix_key key = { .len = e->prefix_len, .addr = e->addr };
	struct prefix_book *p = prefix_find(s, &key);
	size_t after;
	int ret = 0;

	if (!prefix_is(s, p, &key)) {
		after = s->prefixes + s->nr_prefixes - p;
		memmove(p + 1, p, after * sizeof(*p));
		*p = (struct prefix_book){ .key = key };
		s->nr_prefixes++;
	}
	p->nat += e->forward == FORWARD_NAT;
	if (++p->services == 1 || (p->nat == 1 && e->forward == FORWARD_NAT))
		ret = prefix_store(s, p);
	s->t->runtime->has_prefixes = 1;
	return ret;
}

static int prefix_drop(struct state *s, const struct service *e)
{
	struct prefix_key key = { .len = e->prefix_len, .addr = e->addr };
	struct prefix_book *p = prefix_find(s, &key);
	size_t after;
	int ret;

	if (!prefix_is(s, p, &key))
		return 0;
	p->nat -= e->forward == FORWARD_NAT;
	if (--p->services)
		return e->forward == FORWARD_NAT && !p->nat ?
			       prefix_store(s, p) : 0;

	ret = s->t->entry_del(s->t, TABLE_prefixes, &key);
	after = s->prefixes + s->nr_prefixes - (p + 1);
	memmove(p, p + 1, after * sizeof(*p));
	s->nr_prefixes--;
	s->t->runtime->has_prefixes = s->nr_prefixes > 0;
	return ret == -ENOENT ? 0 : ret;
}

int filter_hold(struct state *s, const struct service *e)
{
	struct vip_book *vip;

	filter_ports(s->t, e->port_first, e->port_last);
	/* for good: connections outlast what their service says */
	if (e->tunnel)
		s->t->runtime->has_tunnels = 1;
	if (service_is_cidr(e))
		return prefix_hold(s, e);
	if (front_is_node(&e->addr))
		return 0;
	vip = vip_find(s, &e->addr);
	if (!vip)
		return 0;
	if (e->forward == FORWARD_NAT && !vip->nat++)
		filter_add(s, &e->addr, VIP_CONNS);
	if (!vip->single++)
		filter_add(s, &e->addr, VIP_SERVICE);
	return 0;
}

int filter_drop(struct state *s, const struct service *e)
{
	struct vip_book *vip;

	if (service_is_cidr(e))
		return prefix_drop(s, e);
	if (front_is_node(&e->addr))
		return 0;
	vip = vip_find(s, &e->addr);
	if (!vip)
		return 0;
	if (!--vip->single)
		filter_del(s, &e->addr, VIP_SERVICE);
	if (e->forward == FORWARD_NAT && !--vip->nat)
		filter_del(s, &e->addr, VIP_CONNS);
	return 0;
}
