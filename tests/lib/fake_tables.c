// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See fake_tables.h. Written from the description of the tables, not from
 * bpf/: that the two agree is for the tests of bpf/ to show. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "model/conns.h"
#include "fake_tables.h"

static void *must_alloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

static void *grown(void *old, size_t had, size_t want, size_t size)
{
	char *p = realloc(old, (want ? want : 1) * size);

	if (!p)
		abort();
	if (want > had)
		memset(p + had * size, 0, (want - had) * size);
	return p;
}

static struct slot *fake_slots(struct tables *t, __u32 base, __u32 count)
{
	struct fake *f = (struct fake *)t;

	f->slot_windows++;
	if (f->slots_fail || (__u64)base + count > t->nr_slots)
		return NULL;
	return f->slot_memory + base;
}

static struct conn_bucket *fake_conns(struct tables *t, __u32 bucket,
				      __u32 count)
{
	struct fake *f = (struct fake *)t;

	if ((__u64)bucket + count > t->conn_buckets)
		return NULL;
	return f->conn_memory + bucket;
}

static struct reply_bucket *fake_replies(struct tables *t, __u32 bucket,
					 __u32 count)
{
	struct fake *f = (struct fake *)t;

	if ((__u64)bucket + count > t->reply_buckets)
		return NULL;
	return f->reply_memory + bucket;
}

static struct fake_prefix *prefix_at(struct fake *f,
				     const struct prefix_key *key)
{
	for (size_t i = 0; i < f->nr_prefixes; i++)
		if (!memcmp(&f->prefixes[i].key, key, sizeof(*key)))
			return &f->prefixes[i];
	return NULL;
}

static int prefix_set(struct fake *f, const struct prefix_key *key,
		      const struct prefix *value)
{
	struct fake_prefix *p = prefix_at(f, key);

	if (!p && f->nr_prefixes == 16)
		return -ENOSPC;
	if (!p)
		p = &f->prefixes[f->nr_prefixes++];
	*p = (struct fake_prefix){ *key, *value };
	return 0;
}

static int prefix_del(struct fake *f, const struct prefix_key *key)
{
	struct fake_prefix *p = prefix_at(f, key);

	if (!p)
		return -ENOENT;
	*p = f->prefixes[--f->nr_prefixes];
	return 0;
}

/* What is behind a prefix's length makes no other key of it. */
static bool is_same_source(const struct source_key *a,
			   const struct source_key *b)
{
	__u32 bits = a->len > SOURCE_LIST_BITS ? a->len - SOURCE_LIST_BITS : 0;

	return a->len == b->len && a->list == b->list &&
	       addr_in(&a->addr, &b->addr, bits);
}

static struct fake_source *source_at(struct fake *f,
				     const struct source_key *key)
{
	for (size_t i = 0; i < f->nr_sources; i++)
		if (is_same_source(&f->sources[i].key, key))
			return &f->sources[i];
	return NULL;
}

static int source_set(struct fake *f, const struct source_key *key,
		      const __u32 *flags)
{
	struct fake_source *s = source_at(f, key);

	if (key->len > SOURCE_LIST_BITS + 128)
		return -EINVAL;
	if (!s && f->nr_sources >= f->max_sources)
		return -ENOSPC;
	if (!s) {
		f->sources = grown(f->sources, f->nr_sources,
				   f->nr_sources + 1, sizeof(*f->sources));
		s = &f->sources[f->nr_sources++];
	}
	*s = (struct fake_source){ *key, *flags };
	return 0;
}

static int source_del(struct fake *f, const struct source_key *key)
{
	struct fake_source *s = source_at(f, key);

	if (!s)
		return -ENOENT;
	*s = f->sources[--f->nr_sources];
	return 0;
}

static int sources_each(struct fake *f,
			int (*each)(void *arg, const void *key,
				    const void *value),
			void *arg)
{
	int ret = 0;

	for (size_t i = 0; i < f->nr_sources && !ret; i++)
		ret = each(arg, &f->sources[i].key, &f->sources[i].flags);
	return ret;
}

/* Maps with keys, but for the two above: their sizes, and what they have room
 * for. */
static const struct {
	__u32 key, value, max;
} map_sizes[NR_TABLES] = {
	[TABLE_peers] = { sizeof(struct addr), 4, POLICY_PEERS_MAX },
	[TABLE_peer_prefixes] = { sizeof(struct prefix_key), 4,
				  POLICY_PREFIXES_MAX },
	[TABLE_targets] = { 4, sizeof(struct target), POLICY_TARGETS_MAX },
	[TABLE_peer_masks] = { sizeof(struct mask_key),
			       sizeof(struct rule_mask), POLICY_MASKS_MAX },
	[TABLE_port_masks] = { sizeof(struct mask_key),
			       sizeof(struct rule_mask), POLICY_MASKS_MAX },
	[TABLE_policy_hits] = { sizeof(struct hit_key), 8, POLICY_HITS_MAX },
	[TABLE_workload_limits] = { 4, sizeof(struct workload_limit),
				    WORKLOADS_MAX },
};

/* Of an entry, the value: behind the key, aligned for anything. */
static char *value_of(struct fake_entry *e, enum table_id id)
{
	return e->bytes + (map_sizes[id].key + 7) / 8 * 8;
}

/* Where an entry hangs, or would be hung. */
static struct fake_entry **entry_at(struct fake_map *m, enum table_id id,
				    const void *key)
{
	const __u8 *k = key;
	struct fake_entry **e;
	__u32 hash = 0;

	for (__u32 i = 0; i < map_sizes[id].key; i++)
		hash = (hash ^ k[i]) * 0x01000193u;
	e = &m->chain[(hash ^ hash >> 16) % FAKE_CHAINS];
	while (*e && memcmp((*e)->bytes, key, map_sizes[id].key))
		e = &(*e)->next;
	return e;
}

static int fake_entry_set(struct tables *t, enum table_id id, const void *key,
			  const void *value)
{
	__u32 key_size = map_sizes[id].key, size = map_sizes[id].value;
	struct fake *f = (struct fake *)t;
	struct fake_entry **e, *new;

	if (id == TABLE_prefixes)
		return prefix_set(f, key, value);
	if (id == TABLE_sources)
		return source_set(f, key, value);
	if (!key_size)
		return -EINVAL;
	if (!f->maps[id])
		f->maps[id] = must_alloc(1, sizeof(*f->maps[id]));
	f->entry_calls++;
	e = entry_at(f->maps[id], id, key);
	if (!*e) {
		if (f->maps[id]->count >= f->max_entries[id])
			return -E2BIG;
		new = must_alloc(1, sizeof(*new) + key_size + 7 + size);
		memcpy(new->bytes, key, key_size);
		*e = new;
		f->maps[id]->count++;
	}
	memcpy(value_of(*e, id), value, size);
	return 0;
}

static int fake_entry_del(struct tables *t, enum table_id id, const void *key)
{
	struct fake *f = (struct fake *)t;
	struct fake_entry **at, *e;

	if (id == TABLE_prefixes)
		return prefix_del(f, key);
	if (id == TABLE_sources)
		return source_del(f, key);
	f->entry_calls++;
	at = f->maps[id] ? entry_at(f->maps[id], id, key) : NULL;
	if (!at || !*at)
		return -ENOENT;
	e = *at;
	*at = e->next;
	free(e);
	f->maps[id]->count--;
	return 0;
}

static int fake_entries_each(struct tables *t, enum table_id id,
			     int (*each)(void *arg, const void *key,
					 const void *value),
			     void *arg)
{
	struct fake *f = (struct fake *)t;
	struct fake_entry *e;
	int ret = 0;

	if (id == TABLE_sources)
		return sources_each(f, each, arg);
	for (int i = 0; f->maps[id] && i < FAKE_CHAINS; i++)
		for (e = f->maps[id]->chain[i]; e && !ret; e = e->next)
			ret = each(arg, e->bytes, value_of(e, id));
	return ret;
}

const void *fake_entry(const struct fake *f, enum table_id id, const void *key)
{
	struct fake_entry *e;

	if (!f->maps[id])
		return NULL;
	e = *entry_at(f->maps[id], id, key);
	return e ? value_of(e, id) : NULL;
}

static void map_free(struct fake_map *m)
{
	struct fake_entry *e, *next;

	for (int i = 0; m && i < FAKE_CHAINS; i++)
		for (e = m->chain[i]; e; e = next) {
			next = e->next;
			free(e);
		}
	free(m);
}

static void set_policy(struct fake *f)
{
	struct tables *t = &f->t;

	t->workloads = must_alloc(WORKLOADS_MAX, sizeof(*t->workloads));
	t->workload_cells = must_alloc(WORKLOAD_BUCKETS,
				       sizeof(*t->workload_cells));
	t->workload_infos = must_alloc(WORKLOADS_MAX,
				       sizeof(*t->workload_infos));
	t->port_classes = must_alloc(PORT_CLASSES, sizeof(*t->port_classes));
	t->entry_set = fake_entry_set;
	t->entry_del = fake_entry_del;
	t->entries_each = fake_entries_each;
	for (int id = 0; id < NR_TABLES; id++)
		f->max_entries[id] = map_sizes[id].max;
}

static void free_policy(struct fake *f)
{
	free(f->t.workloads);
	free(f->t.workload_cells);
	free(f->t.workload_infos);
	free(f->t.port_classes);
	for (int id = 0; id < NR_TABLES; id++)
		map_free(f->maps[id]);
}

struct fake *fake_new(struct fake_sizes z)
{
	struct fake *f = must_alloc(1, sizeof(*f));

	for (int i = 0; i < 16; i++)
		f->hash_key[i] = 0x9e3779b9u * (i + 1);
	f->slot_memory = must_alloc(z.slots, sizeof(struct slot));
	f->conn_memory = must_alloc(z.conn_buckets,
				    sizeof(struct conn_bucket));
	f->reply_memory = must_alloc(reply_buckets_for(z.conn_buckets),
				     sizeof(struct reply_bucket));
	f->t = (struct tables){
		.hash_key = f->hash_key,
		.services = must_alloc(z.services, sizeof(struct service)),
		.infos = must_alloc(z.services, sizeof(struct service_info)),
		.cells = must_alloc((size_t)z.cell_buckets * SERVICE_CELLS,
				    sizeof(struct service_cell)),
		.backends = must_alloc(z.backends, sizeof(struct backend)),
		.links = must_alloc(1, sizeof(struct link)),
		.own_filter = must_alloc(OWN_BITS / 64, sizeof(__u64)),
		.port_filter = must_alloc(1, sizeof(struct port_filter)),
		.backend_filter = must_alloc(1, sizeof(struct backend_filter)),
		.own = must_alloc(OWN_BUCKETS, sizeof(struct word_bucket)),
		.ingress = must_alloc(INGRESS_BUCKETS,
				      sizeof(struct word_bucket)),
		.nat_addrs = must_alloc(2 * NAT_ADDRS_MAX + 1,
					sizeof(struct addr)),
		.vip_filter = must_alloc(VIP_FILTER_SIZE, 1),
		.runtime = must_alloc(1, sizeof(struct runtime)),
		.applied = must_alloc(1, sizeof(struct applied)),
		.nr_services = z.services,
		.nr_backends = z.backends,
		.nr_slots = z.slots,
		.nr_links = 1,
		.cell_buckets = z.cell_buckets,
		.conn_buckets = z.conn_buckets,
		.reply_buckets = reply_buckets_for(z.conn_buckets),
		.nr_sources = SOURCE_ENTRIES_MAX,
		.slots = fake_slots,
		.conns = fake_conns,
		.replies = fake_replies,
	};
	f->max_sources = SOURCE_ENTRIES_MAX;
	set_policy(f);
	return f;
}

void fake_free(struct fake *f)
{
	free_policy(f);
	free(f->slot_memory);
	free(f->conn_memory);
	free(f->reply_memory);
	free(f->sources);
	free(f->t.services);
	free(f->t.infos);
	free(f->t.cells);
	free(f->t.backends);
	free(f->t.links);
	free(f->t.ingress);
	free(f->t.own_filter);
	free(f->t.port_filter);
	free(f->t.backend_filter);
	free(f->t.own);
	free(f->t.nat_addrs);
	free(f->t.vip_filter);
	free(f->t.runtime);
	free(f->t.applied);
	free(f);
}

void fake_grow(struct fake *f, struct fake_sizes z)
{
	struct tables *t = &f->t;

	t->services = grown(t->services, t->nr_services, z.services,
			    sizeof(struct service));
	t->infos = grown(t->infos, t->nr_services, z.services,
			 sizeof(struct service_info));
	t->backends = grown(t->backends, t->nr_backends, z.backends,
			    sizeof(struct backend));
	f->slot_memory = grown(f->slot_memory, t->nr_slots, z.slots,
			       sizeof(struct slot));
	t->cells = grown(t->cells, (size_t)t->cell_buckets * SERVICE_CELLS,
			 (size_t)z.cell_buckets * SERVICE_CELLS,
			 sizeof(struct service_cell));
	t->nr_services = z.services;
	t->nr_backends = z.backends;
	t->nr_slots = z.slots;
	t->cell_buckets = z.cell_buckets;
}

static __u64 digest(__u64 h, const void *data, size_t size)
{
	const __u8 *p = data;

	for (size_t i = 0; i < size; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h;
}

__u64 fake_digest(const struct fake *f)
{
	const struct tables *t = &f->t;
	__u64 h = 0xcbf29ce484222325ull;

	h = digest(h, t->services, t->nr_services * sizeof(*t->services));
	h = digest(h, t->infos, t->nr_services * sizeof(*t->infos));
	h = digest(h, t->backends, t->nr_backends * sizeof(*t->backends));
	h = digest(h, t->cells, (size_t)t->cell_buckets * SERVICE_CELLS *
					sizeof(*t->cells));
	h = digest(h, f->slot_memory, t->nr_slots * sizeof(*f->slot_memory));
	h = digest(h, t->vip_filter, VIP_FILTER_SIZE);
	h = digest(h, t->nat_addrs,
		   (2 * NAT_ADDRS_MAX + 1) * sizeof(*t->nat_addrs));
	h = digest(h, t->runtime, sizeof(*t->runtime));
	h = digest(h, f->sources, f->nr_sources * sizeof(*f->sources));
	return digest(h, f->prefixes, sizeof(f->prefixes));
}

struct addr fake_addr4(__u32 host_order)
{
	return (struct addr){ { 0, 0, htonl(0xffff), htonl(host_order) } };
}

struct model_front *fake_front(struct model_service *svc, __u32 addr,
			       __u16 port)
{
	struct model_front f = {
		.addr = fake_addr4(addr),
		.prefix_len = 128,
		.port_first = port,
		.port_last = port,
	};
	size_t at = svc->nr_fronts;

	svc->fronts = grown(svc->fronts, at, at + 1, sizeof(*svc->fronts));
	for (; at && model_front_compare(&svc->fronts[at - 1], &f) > 0; at--)
		svc->fronts[at] = svc->fronts[at - 1];
	svc->fronts[at] = f;
	svc->nr_fronts++;
	return &svc->fronts[at];
}

void fake_front_remove(struct model_service *svc, size_t at)
{
	memmove(&svc->fronts[at], &svc->fronts[at + 1],
		(--svc->nr_fronts - at) * sizeof(*svc->fronts));
}

struct model_service *fake_service(struct model *m, const char *name,
				   __u32 addr, __u16 port, __u8 proto)
{
	struct model_service *svc = model_service_add(m);
	size_t at = m->nr_services - 1;

	if (!svc)
		abort();
	svc->name = strdup(name);
	if (!svc->name)
		abort();
	svc->proto = proto;
	svc->forward = FORWARD_IPIP;
	for (; at && strcmp(m->services[at - 1]->name, name) > 0; at--)
		m->services[at] = m->services[at - 1];
	m->services[at] = svc;
	fake_front(svc, addr, port);
	return svc;
}

static int backend_order(const struct model_backend *b, const struct addr *addr,
			 __u16 port)
{
	int order = addr_compare(&b->addr, addr);

	return order ? order : b->port - port;
}

void fake_backend(struct model_service *svc, __u32 addr, __u16 port,
		  __u16 weight)
{
	struct addr a = fake_addr4(addr);
	size_t at = svc->nr_backends;

	svc->backends = grown(svc->backends, at, at + 1,
			      sizeof(*svc->backends));
	while (at && backend_order(&svc->backends[at - 1], &a, port) > 0) {
		svc->backends[at] = svc->backends[at - 1];
		at--;
	}
	svc->nr_backends++;
	svc->backends[at] = (struct model_backend){
		.addr = a,
		.port = port,
		.weight = weight,
		.state = BACKEND_ACTIVE,
	};
}

void fake_source(struct model_service *svc, const char *text, bool allow)
{
	size_t at = svc->nr_sources;
	struct model_source s = { .allow = allow }, *to;
	unsigned int len;
	int order;

	if (!addr_parse_cidr(text, &s.addr, &len))
		abort();
	s.len = len;
	svc->sources = grown(svc->sources, at, at + 1, sizeof(*svc->sources));
	for (; at; at--) {
		to = &svc->sources[at - 1];
		order = addr_compare(&to->addr, &s.addr);
		if (order < 0 || (!order && to->len < s.len))
			break;
		to[1] = to[0];
	}
	svc->sources[at] = s;
	svc->nr_sources++;
}

void fake_backend_remove(struct model_service *svc, __u32 addr, __u16 port)
{
	struct addr a = fake_addr4(addr);

	for (size_t i = 0; i < svc->nr_backends; i++)
		if (!backend_order(&svc->backends[i], &a, port)) {
			memmove(&svc->backends[i], &svc->backends[i + 1],
				(--svc->nr_backends - i) *
					sizeof(*svc->backends));
			return;
		}
}

void fake_service_remove(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->nr_services; i++)
		if (!strcmp(m->services[i]->name, name)) {
			model_service_free(m->services[i]);
			memmove(&m->services[i], &m->services[i + 1],
				(--m->nr_services - i) *
					sizeof(*m->services));
			return;
		}
}

static bool serves(const struct service *e, const struct addr *dst, __u16 port,
		   __u8 proto)
{
	return !addr_compare(&e->addr, dst) && e->proto == proto &&
	       e->port_first <= port && port <= e->port_last;
}

static const struct service *find_at(struct fake *f, const struct addr *dst,
				     __u16 port, __u8 proto)
{
	const __u32 *key = f->hash_key;
	__u64 hash = service_hash(key, hash_dst(key, dst), htons(port), proto);
	const struct service_cell *c;
	bool full = true;

	for (int probe = 0; probe < SERVICE_PROBES && full; probe++) {
		__u32 bucket = ((__u32)hash + probe) & (f->t.cell_buckets - 1);

		c = f->t.cells + (size_t)bucket * SERVICE_CELLS;
		for (int i = 0; i < SERVICE_CELLS; i++, c++) {
			full &= c->service != 0;
			if (c->service && c->tag == hash >> 32 &&
			    c->service < f->t.nr_services &&
			    serves(&f->t.services[c->service], dst, port,
				   proto))
				return &f->t.services[c->service];
		}
	}
	return NULL;
}

static const struct service *find_in(struct fake *f, const struct addr *dst,
				     __u16 port, __u8 proto)
{
	const struct addr node = node_addr(addr_is4(dst));
	const struct service *e = find_at(f, dst, port, proto), *vip;

	if (!e)
		e = find_at(f, dst, 0, proto);
	if (e)
		return e;
	vip = find_at(f, dst, 0, 0);
	if (vip && vip->flags & SERVICE_NODE)
		e = find_at(f, &node, port, proto);
	return e ? e : vip;
}

static const struct fake_prefix *longest_prefix(struct fake *f,
						const struct addr *dst)
{
	const struct fake_prefix *best = NULL, *p = f->prefixes;

	for (size_t i = 0; i < f->nr_prefixes; i++, p++)
		if (addr_in(dst, &p->key.addr, p->key.len) &&
		    (!best || p->key.len > best->key.len))
			best = p;
	return best;
}

const struct service *fake_find(struct fake *f, const struct addr *dst,
				__u16 port, __u8 proto)
{
	__u32 idx = vip_filter_index(hash_dst(f->hash_key, dst));
	const struct service *e = NULL;
	const struct fake_prefix *p;

	if (f->t.vip_filter[idx])
		e = find_in(f, dst, port, proto);
	if (e || !f->t.runtime->has_prefixes)
		return e;
	p = longest_prefix(f, dst);
	return p ? find_in(f, &p->value.base, port, proto) : NULL;
}

bool fake_admits(struct fake *f, const struct service *svc, __u32 client)
{
	struct addr a = fake_addr4(client);
	const struct fake_source *best = NULL, *s = f->sources;

	if (!svc->sources)
		return true;
	for (size_t i = 0; i < f->nr_sources; i++, s++)
		if (s->key.list == svc->sources &&
		    addr_in(&a, &s->key.addr, s->key.len - SOURCE_LIST_BITS) &&
		    (!best || s->key.len > best->key.len))
			best = s;
	return best && best->flags & SOURCE_ALLOW;
}

struct slot fake_slot(struct fake *f, const struct service *svc,
		      const struct flow *flow)
{
	__u64 sum = hash_dst(f->hash_key, &flow->dst);
	__u64 hash = flow_hash(f->hash_key, sum, flow);

	if (!svc->slot_count)
		return (struct slot){};
	if (svc->flags & SERVICE_AFFINITY)
		hash = client_hash(f->hash_key, &flow->src);
	return f->slot_memory[svc->slot_base +
			      slot_index(hash, svc->slot_count)];
}

struct flow fake_flow(const struct addr *dst, __u16 port, __u8 proto,
		      __u32 client, __u16 sport)
{
	return (struct flow){
		.src = fake_addr4(client),
		.dst = *dst,
		.sport = htons(sport),
		.dport = htons(port),
		.proto = proto,
	};
}

static bool keeps(const struct fake *f, __u32 backend)
{
	return backend && f->t.backends[backend].state != BACKEND_FREE &&
	       f->t.backends[backend].state != BACKEND_DOWN &&
	       f->t.backends[backend].state != BACKEND_GONE;
}

/* The flow's record in conns: its head in *ret_head; NULL: not there. */
static struct conn *conn_of(struct fake *f, const struct flow *flow,
			    __u32 **ret_head)
{
	struct conn_bucket *b;
	struct conn_entry e;

	if (!f->t.conn_buckets || !conns_find(&f->t, flow, &e))
		return NULL;
	b = f->conn_memory + e.position / (CONN_WAYS + 1);
	*ret_head = &b->head[e.position % (CONN_WAYS + 1) - 1];
	return &b->conn[e.position % (CONN_WAYS + 1)];
}

static void record(struct fake *f, const struct flow *flow, __u32 backend,
		   __u32 time)
{
	__u32 generation = f->t.backends[backend].generation;
	struct conn_entry e = {
		.conn = {
			.client = flow->src, .vip = flow->dst,
			.cport = flow->sport, .vport = flow->dport,
			.what = conn_what(flow), .time = time,
			.backend = conn_backend_word(backend, generation),
		},
		.word = CONN_LIVE,
	};

	if (f->t.conn_buckets)
		conns_insert(&f->t, &e);
}

static __u32 packet_tracked(struct fake *f, const struct flow *flow,
			    const struct service *svc, bool older, __u32 now_s)
{
	struct slot slot = fake_slot(f, svc, flow);
	__u32 time = conn_time(now_s, svc->idle_life), backend, *head = NULL;
	struct conn *c = conn_of(f, flow, &head);

	/* One that is dead is not there: the slot may have been settled since,
	 * and the flow be another. */
	if (c && conn_age(c->time, now_s) < conn_limit(CONN_LIVE, c->what,
						       c->time,
						       f->t.runtime) &&
	    keeps(f, conn_backend(c)) &&
	    (__u8)f->t.backends[conn_backend(c)].generation ==
		    c->backend >> CONN_BACKEND_BITS) {
		c->time = time;
		return conn_backend(c);
	}
	backend = older && keeps(f, slot.previous) ? slot.previous :
						     slot.backend;
	if (c)
		*head = 0;
	if (backend)
		record(f, flow, backend, time);
	return backend;
}

__u32 fake_packet(struct fake *f, const struct flow *flow, bool opens,
		  __u32 now_s)
{
	const struct service *svc = fake_find(f, &flow->dst, ntohs(flow->dport),
					      flow->proto);
	bool older = !opens;
	struct slot slot;

	if (!svc || svc->flags & SERVICE_VIP)
		return 0;
	if (flow->proto == IPPROTO_UDP)
		older = !(svc->flags & SERVICE_TRACKED);
	slot = fake_slot(f, svc, flow);
	if (!(svc->flags & SERVICE_TRACKED) &&
	    (!slot.previous || svc->flags & SERVICE_STATELESS))
		return slot.backend;
	return packet_tracked(f, flow, svc, older, now_s);
}
