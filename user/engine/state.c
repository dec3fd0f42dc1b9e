// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The books of what is in the tables: their making and growing, and what the
 * daemon and the listings ask about them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "books.h"

/* Not by realloc(): what calloc() zeroes takes no memory until it is used. */
static int grow_zeroed(void *array, size_t had, size_t want, size_t size)
{
	void **p = array;
	void *grown = calloc(want, size);

	if (!grown)
		return -ENOMEM;
	if (had)
		memcpy(grown, *p, had * size);
	free(*p);
	*p = grown;
	return 0;
}

static int resize_books(struct state *s)
{
	__u32 want = s->t->nr_services;

	if (want <= s->nr_services)
		return 0;
	if (grow_zeroed(&s->books, s->nr_services, want, sizeof(*s->books)) ||
	    grow_zeroed(&s->vips, s->nr_services, want, sizeof(*s->vips)) ||
	    pool_grow(&s->ids, want) || pool_grow(&s->entries, want))
		return -ENOMEM;
	s->nr_services = want;
	return 0;
}

int state_resize(struct state *s)
{
	int ret = resize_books(s);

	if (ret)
		return ret;
	ret = pool_grow(&s->backends, s->t->nr_backends);
	if (ret)
		return ret;
	s->nr_backends = s->t->nr_backends;
	ret = ranges_grow(&s->slots, s->t->nr_slots);
	if (ret || s->cell_buckets == s->t->cell_buckets)
		return ret;
	return cells_repair(s);
}

void state_free(struct state *s)
{
	if (!s)
		return;
	for (__u32 i = 0; i < s->nr_services; i++) {
		free(s->books[i].entries);
		free(s->books[i].backends);
	}
	state_forget_set(s);
	free(s->books);
	free(s->vips);
	free(s->order);
	free(s->ids.free);
	free(s->entries.free);
	free(s->backends.free);
	ranges_clear(&s->slots);
	free(s->filter);
	free(s->prefixes);
	admission_clear(s);
	kept_clear(s);
	free(s->retired);
	free(s->unswept);
	free(s->members);
	free(s->owners);
	free(s->old_slots);
	scan_clear(&s->scan);
	free(s);
}

void state_freep(struct state **s)
{
	state_free(*s);
}

int state_load(struct tables *t, __u32 now_s, struct state **ret,
	       unsigned int *ret_dropped)
{
	__cleanup(state_freep) struct state *s = calloc(1, sizeof(*s));
	unsigned int dropped = 0;
	int r;

	if (!s)
		return -ENOMEM;
	s->t = t;
	s->nr_backends = t->nr_backends;
	s->books = calloc(t->nr_services + 1, sizeof(*s->books));
	s->vips = calloc(t->nr_services + 1, sizeof(*s->vips));
	s->filter = calloc(VIP_FILTER_SIZE, sizeof(*s->filter));
	if (!s->books || !s->vips || !s->filter)
		return -ENOMEM;
	s->nr_services = t->nr_services;
	r = state_read(s, now_s, &dropped);
	if (r)
		return r;
	if (ret_dropped)
		*ret_dropped = dropped;
	*ret = take_ptr(s);
	return 0;
}

static bool is_local(const struct backend *b)
{
	return b->flags & BACKEND_LOCAL;
}

static void each_of_service(struct state *s, __u32 id,
			    void (*f)(void *arg, __u32 index,
				      struct backend *b),
			    void *arg)
{
	const struct service_book *book = &s->books[id];
	bool was_local, has_changed = false;
	struct backend *b;

	for (__u32 i = 0; i < book->nr_backends; i++) {
		b = &s->t->backends[book->backends[i]];
		was_local = is_local(b);
		f(arg, book->backends[i], b);
		has_changed |= was_local != is_local(b);
	}
	if (has_changed)
		local_nat_count(s, id);
}

void state_each_backend(struct state *s,
			void (*f)(void *arg, __u32 index, struct backend *b),
			void *arg)
{
	for (size_t i = 0; i < s->nr_order; i++)
		each_of_service(s, s->order[i], f, arg);
	for (size_t i = 0; i < s->kept.nr_gone; i++)
		each_of_service(s, s->kept.gone[i], f, arg);
}

bool state_is_nat(const struct state *s, const struct backend *b)
{
	return b->service < s->nr_services && s->books[b->service].nr_entries &&
	       book_entry(s, b->service)->forward == FORWARD_NAT;
}

bool state_is_tunnelled(const struct state *s, const struct backend *b)
{
	const struct service_book *book;

	if (b->service >= s->nr_services)
		return false;
	book = &s->books[b->service];
	for (__u32 i = 0; i < book->nr_entries; i++)
		if (s->t->services[book->entries[i]].tunnel)
			return true;
	return false;
}

bool state_has_local_nat(const struct state *s)
{
	return s->nr_local_nat > 0;
}

bool state_serves(const struct state *s, const struct addr *a)
{
	for (size_t i = 0; i < s->nr_prefixes; i++)
		if (addr_in(a, &s->prefixes[i].key.addr,
			    s->prefixes[i].key.len))
			return true;
	return s->vips[cells_find(s, a, 0, 0)].single;
}

void state_set_host(struct state *s, const struct state_host *host)
{
	s->host = *host;
}

int state_host_addrs(struct state *s, __u32 now_s)
{
	struct service *e;
	__u16 flags;

	for (__u32 i = 1; i < s->nr_services; i++) {
		if (!s->vips[i].services)
			continue;
		e = &s->t->services[i];
		flags = e->flags & ~SERVICE_HOST;
		if (addr_is_host(s, &e->addr))
			flags |= SERVICE_HOST;
		if (flags != e->flags)
			__atomic_store_n(&e->flags, flags, __ATOMIC_RELEASE);
	}
	s->is_own_old = true;
	own_update(s);
	return node_addrs_update(s, now_s);
}

/* The list of sources of its front ends: all that have one have the same. */
static const struct admission_book *book_admission(const struct state *s,
						   const struct service_book *b)
{
	__u32 list = 0;

	for (__u32 i = 0; i < b->nr_entries && !list; i++)
		list = s->t->services[b->entries[i]].sources;
	return &s->admissions[list];
}

size_t state_services(const struct state *s, struct state_service *ret,
		      size_t max)
{
	const struct admission_book *admission;
	const struct service_book *book;
	size_t nr = 0;

	for (__u32 id = 1; id < s->nr_services; id++) {
		book = &s->books[id];
		if (!book->nr_entries || nr++ >= max)
			continue;
		admission = book_admission(s, book);
		ret[nr - 1] = (struct state_service){
			.id = id,
			.service = book_entry(s, id),
			.entries = book->entries,
			.nr_entries = book->nr_entries,
			.info = &s->t->infos[id],
			.backends = book->backends,
			.nr_backends = book->nr_backends,
			.sources = admission->sources,
			.nr_sources = admission->nr_sources,
		};
	}
	return nr;
}

void state_usage(const struct state *s, struct table_sizes *ret_used)
{
	*ret_used = (struct table_sizes){
		.services = s->entries.size - s->entries.nr_free - 1,
		.backends = s->backends.size - s->backends.nr_free - 1,
		.slots = s->slots.used,
		.cell_buckets = (s->cells_used + SERVICE_CELLS - 1) /
				SERVICE_CELLS,
		.sources = s->nr_admission_entries,
	};
	for (__u32 i = 1; i < s->t->nr_links; i++)
		ret_used->links += s->t->links[i].ifindex != 0;
}
