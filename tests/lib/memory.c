// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the reference remembers: a chained hash table that never forgets. */
#include <stdlib.h>
#include <string.h>

#include "model/conns.h"
#include "reference_impl.h"

static struct memory **bucket_of(struct reference *r, const struct flow *f)
{
	const uint8_t *p = (const uint8_t *)f;
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < sizeof(*f); i++)
		hash = (hash ^ p[i]) * 16777619u;
	return &r->buckets[hash % MEMORY_BUCKETS];
}

struct memory *memory_find(struct reference *r, const struct flow *f)
{
	for (struct memory *m = *bucket_of(r, f); m; m = m->next) {
		if (!memcmp(&m->flow, f, sizeof(*f)))
			return m;
	}
	return NULL;
}

static bool is_reply(const struct memory *m, const struct flow *f)
{
	return m->nat && m->flow.proto == f->proto &&
	       m->server_port == f->sport && m->nat_port == f->dport &&
	       !memcmp(&m->server, &f->src, sizeof(m->server)) &&
	       !memcmp(&m->nat_addr, &f->dst, sizeof(m->nat_addr));
}

struct memory *memory_find_reply(struct reference *r, const struct flow *f)
{
	for (int i = 0; i < MEMORY_BUCKETS; i++) {
		for (struct memory *m = r->buckets[i]; m; m = m->next) {
			if (is_reply(m, f))
				return m;
		}
	}
	return NULL;
}

static struct memory *add(struct reference *r, const struct flow *f)
{
	struct memory *m = calloc(1, sizeof(*m)), **bucket = bucket_of(r, f);

	if (!m)
		abort();
	m->next = *bucket;
	m->flow = *f;
	*bucket = m;
	r->nr_memories++;
	return m;
}

struct memory *memory_put(struct reference *r, const struct flow *f,
			  const struct memory *m)
{
	struct memory *place = memory_find(r, f), *next;

	if (!place)
		place = add(r, f);
	next = place->next;
	*place = *m;
	if (!place->state)
		place->state = CONN_HALF;
	place->next = next;
	place->flow = *f;
	return place;
}

void memory_drop(struct reference *r, const struct flow *f)
{
	struct memory **at = bucket_of(r, f), *m = memory_find(r, f);

	if (!m)
		return;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	free(m);
	r->nr_memories--;
}

bool memory_is_much(const struct reference *r)
{
	return r->nr_memories > CONN_WAYS;
}

bool recorded(const struct reference *r, const struct flow *f,
	      struct conn *ret)
{
	struct conn_entry e;

	if (!conns_find(r->tables, f, &e))
		return false;
	*ret = e.conn;
	return true;
}

struct reference *reference_new(struct tables *t, __u32 ifindex)
{
	struct reference *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->tables = t;
	r->ifindex = ifindex;
	return r;
}

static void services_free(struct reference *r)
{
	for (size_t i = 0; i < r->nr_services; i++) {
		free(r->services[i].slots);
		free(r->services[i].sources);
	}
	free(r->services);
}

void reference_free(struct reference *r)
{
	if (!r)
		return;
	services_free(r);
	for (int i = 0; i < MEMORY_BUCKETS; i++) {
		for (struct memory *m = r->buckets[i], *next; m; m = next) {
			next = m->next;
			free(m);
		}
	}
	free(r);
}

void reference_services(struct reference *r, struct reference_service *s,
			size_t count)
{
	services_free(r);
	r->services = s;
	r->nr_services = count;
}

void reference_host_addrs(struct reference *r, const struct addr *addrs,
			  size_t count)
{
	memcpy(r->host_addrs, addrs, count * sizeof(*addrs));
	r->nr_host_addrs = count;
}

void reference_node_addrs(struct reference *r, const struct addr *addrs,
			  size_t count)
{
	memcpy(r->node_addrs, addrs, count * sizeof(*addrs));
	r->nr_node_addrs = count;
}

void reference_macs(struct reference *r, const struct reference_mac *macs,
		    size_t count)
{
	memcpy(r->macs, macs, count * sizeof(*macs));
	r->nr_macs = count;
}
