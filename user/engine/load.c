// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Fills the books from the tables, which an earlier process filled, and may
 * have left half-way. Cells say what is in force; what nothing leads to is
 * free. What contradicts itself is dropped: the next reconcile() makes it
 * anew, and checks every slot of the rest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "books.h"

static bool id_is_used(const void *state, __u32 id)
{
	const struct state *s = state;

	return s->books[id].nr_entries || s->books[id].nr_backends;
}

static bool entry_is_used(const void *state, __u32 entry)
{
	return entry_is_in_force(state, entry);
}

static bool backend_is_used(const void *state, __u32 backend)
{
	const struct state *s = state;

	return s->t->backends[backend].state != BACKEND_FREE;
}

/* Local slots begin the others, or follow them. */
static bool local_makes_sense(const struct service *e)
{
	if (!e->local_count)
		return true;
	return slots_are_dense(e) &&
	       ((e->local_base == e->slot_base &&
		 e->local_count <= e->slot_count) ||
		e->local_base == e->slot_base + e->slot_count);
}

static bool entry_makes_sense(const struct state *s, const struct service *e)
{
	if (e->flags & SERVICE_VIP || !e->proto || !e->id ||
	    e->id >= s->nr_services || e->port_first > e->port_last ||
	    !e->prefix_len || e->prefix_len > 128 ||
	    e->slot_count > MAGLEV_SIZE_MAX ||
	    e->local_count > MAGLEV_SIZE_MAX || !local_makes_sense(e) ||
	    (!slots_are_dense(e) && e->slot_count & (e->slot_count - 1)) ||
	    e->sources >= s->t->nr_sources)
		return false;
	return s->t->infos[e->id].name[0] &&
	       memchr(s->t->infos[e->id].name, '\0', SERVICE_NAME_MAX);
}

/* No more cells than a quarter of them is ever put in use: an entry with more
 * ports than that lies, and would have cells everywhere. */
static bool cells_fit(struct state *s, const struct service *e)
{
	__u64 cells = s->cells_used + cells_of(e->port_first, e->port_last);

	if (cells * 4 > (__u64)s->t->cell_buckets * SERVICE_CELLS)
		return false;
	s->cells_used = cells;
	return true;
}

/* Do two entries say the same but for where they are reached, and for their
 * slots, which a change that ended half-way has moved for one of them? */
static bool is_one_service(const struct service *a, const struct service *b)
{
	return a->proto == b->proto && a->forward == b->forward &&
	       a->algorithm == b->algorithm && a->affinity_s == b->affinity_s &&
	       a->idle_s == b->idle_s &&
	       !((a->flags ^ b->flags) & ~SERVICE_FRONT_FLAGS);
}

static bool has_front(const struct state *s, const struct service_book *book,
		      const struct service *e)
{
	struct model_front front = entry_front(e), other;

	for (__u32 i = 0; i < book->nr_entries; i++) {
		other = entry_front(&s->t->services[book->entries[i]]);
		if (!model_front_compare(&front, &other))
			return true;
	}
	return false;
}

static int book_add(struct service_book *book, __u32 entry)
{
	size_t want = book->nr_entries + 1;
	__u32 *entries = realloc(book->entries, want * sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	entries[book->nr_entries++] = entry;
	book->entries = entries;
	return 0;
}

/* Its range of slots and its address. */
static bool hold_entry(struct state *s, const struct service_book *book)
{
	__u32 last = book->nr_entries - 1;
	const struct service *e = &s->t->services[book->entries[last]];
	bool takes = range_is_first(s, book->entries, last);

	if (takes && ranges_reserve(&s->slots, e->slot_base,
				     service_slots(e)))
		return false;
	if (vip_adopt(s, e))
		return true;
	if (takes)
		ranges_free(&s->slots, e->slot_base, service_slots(e));
	return false;
}

/* What stands for an address is held by the services there; and as one of the
 * node's, by itself. */
static void read_vip(struct state *s, __u32 entry)
{
	if (!(s->t->services[entry].flags & SERVICE_NODE) ||
	    s->vips[entry].is_node)
		return;
	s->vips[entry].is_node = true;
	s->vips[entry].services++;
}

/* The service of an entry that a cell names. False: it has none. */
static bool read_entry(struct state *s, __u32 entry)
{
	const struct service *e = &s->t->services[entry];
	struct service_book *book;

	if (e->flags & SERVICE_VIP)
		read_vip(s, entry);
	if (!entry_makes_sense(s, e))
		return e->flags & SERVICE_VIP;
	book = &s->books[e->id];
	if (book_has(book, entry))
		return true;
	if ((book->nr_entries && !is_one_service(e, book_entry(s, e->id))) ||
	    has_front(s, book, e) || !cells_fit(s, e) || book_add(book, entry))
		return false;
	if (hold_entry(s, book))
		return true;
	book->nr_entries--;
	return false;
}

static void read_entries(struct state *s, unsigned int *dropped)
{
	size_t count = (size_t)s->t->cell_buckets * SERVICE_CELLS;
	__u32 entry;

	for (size_t i = 0; i < count; i++) {
		entry = s->t->cells[i].service;
		if (!entry || entry == SERVICE_CELL_GONE)
			continue;
		if (entry >= s->nr_services || !read_entry(s, entry))
			++*dropped;
	}
}

static int compare_names(const void *a, const void *b, void *arg)
{
	const struct service_info *infos = arg;
	const __u32 *x = a, *y = b;
	int order = strcmp(infos[*x].name, infos[*y].name);

	return order ? order : *x < *y ? -1 : 1;
}

static void drop_service(struct state *s, __u32 id)
{
	struct service_book *book = &s->books[id];
	const struct service *e;

	for (__u32 i = 0; i < book->nr_entries; i++) {
		e = &s->t->services[book->entries[i]];
		if (range_is_first(s, book->entries, i))
			ranges_free(&s->slots, e->slot_base, service_slots(e));
		s->vips[cells_find(s, &e->addr, 0, 0)].services--;
	}
	book->nr_entries = 0;
}

static int compare_entries(const void *a, const void *b, void *arg)
{
	const struct service *services = arg;
	struct model_front x = entry_front(&services[*(const __u32 *)a]);
	struct model_front y = entry_front(&services[*(const __u32 *)b]);

	return model_front_compare(&x, &y);
}

static int read_names(struct state *s, __u32 now_s, unsigned int *dropped)
{
	struct service_info *infos = s->t->infos;
	size_t nr = 0;

	s->order = calloc(s->nr_services + 1, sizeof(*s->order));
	if (!s->order)
		return -ENOMEM;
	for (__u32 id = 1; id < s->nr_services; id++) {
		if (!s->books[id].nr_entries)
			continue;
		qsort_r(s->books[id].entries, s->books[id].nr_entries,
			sizeof(__u32), compare_entries, s->t->services);
		s->order[nr++] = id;
		if (infos[id].changed_s > now_s)
			infos[id].changed_s = now_s;
	}
	qsort_r(s->order, nr, sizeof(*s->order), compare_names, infos);
	for (size_t i = 0; i < nr; i++) {
		__u32 id = s->order[i];

		if (s->nr_order && !strcmp(infos[id].name,
				infos[s->order[s->nr_order - 1]].name)) {
			drop_service(s, id);
			++*dropped;
			continue;
		}
		s->order[s->nr_order++] = id;
	}
	return 0;
}

/* Kept for connections of a service that is no more, see kept.c? */
static bool is_of_gone(const struct state *s, const struct backend *b)
{
	const char *name = s->t->infos[b->service].name;

	return b->state == BACKEND_LEAVING && b->service && name[0] &&
	       memchr(name, '\0', SERVICE_NAME_MAX);
}

static bool backend_makes_sense(const struct state *s, const struct backend *b)
{
	return b->state <= BACKEND_GONE && b->service < s->nr_services &&
	       (s->books[b->service].nr_entries || is_of_gone(s, b)) &&
	       b->weight <= BACKEND_WEIGHT_MAX &&
	       (!b->state_health || b->state_health == BACKEND_DRAIN ||
		b->state_health == BACKEND_DOWN) &&
	       (b->state_defined == BACKEND_ACTIVE ||
		b->state_defined == BACKEND_DRAIN);
}

static void drop_backend(struct backend *b, __u32 now_s, unsigned int *dropped)
{
	/* Of a service that was removed: no contradiction. */
	if (!backend_left(b))
		++*dropped;
	backend_state_store(b, BACKEND_FREE, now_s);
}

static int collect_gone(struct state *s)
{
	size_t nr = 0;
	int err;

	for (__u32 id = 1; id < s->nr_services; id++)
		nr += !s->books[id].nr_entries && s->books[id].nr_backends;
	err = kept_reserve(s, nr, 0);
	for (__u32 id = 1; !err && nr && id < s->nr_services; id++)
		if (!s->books[id].nr_entries && s->books[id].nr_backends)
			kept_add_gone(s, id);
	return err;
}

static int collect_backends(struct state *s, __u32 now_s, unsigned int *dropped)
{
	struct backend *b, *backends = s->t->backends;
	struct service_book *book;

	for (b = backends + 1; b < backends + s->nr_backends; b++) {
		if (b->state == BACKEND_FREE)
			continue;
		if (!backend_makes_sense(s, b))
			drop_backend(b, now_s, dropped);
		else
			s->books[b->service].nr_backends++;
	}
	if (collect_gone(s))
		return -ENOMEM;
	for (__u32 id = 1; id < s->nr_services; id++) {
		book = &s->books[id];
		if (!book->nr_entries && !book->nr_backends)
			continue;
		book->backends = calloc(book->nr_backends + 1,
					sizeof(*book->backends));
		if (!book->backends)
			return -ENOMEM;
		book->nr_backends = 0;
	}
	for (__u32 i = 1; i < s->nr_backends; i++) {
		if (backends[i].state == BACKEND_FREE)
			continue;
		book = &s->books[backends[i].service];
		book->backends[book->nr_backends++] = i;
	}
	return 0;
}

static int compare_backends(const void *a, const void *b, void *arg)
{
	const struct backend *backends = arg;
	const __u32 *x = a, *y = b;
	int order = backend_compare(&backends[*x], &backends[*y].addr,
				    ntohs(backends[*y].port));

	return order ? order : *x < *y ? -1 : 1;
}

/* Sorted, and each address and port once. */
static void order_backends(struct state *s, struct service_book *book,
			   __u32 now_s, unsigned int *dropped)
{
	struct backend *b, *last = NULL, *backends = s->t->backends;
	__u32 nr = 0;

	qsort_r(book->backends, book->nr_backends, sizeof(*book->backends),
		compare_backends, backends);
	for (__u32 i = 0; i < book->nr_backends; i++) {
		b = &backends[book->backends[i]];
		if (last &&
		    !backend_compare(last, &b->addr, ntohs(b->port))) {
			drop_backend(b, now_s, dropped);
			continue;
		}
		last = b;
		book->nr_leaving += backend_left(b);
		book->backends[nr++] = book->backends[i];
	}
	book->nr_backends = nr;
}

static int read_filters(struct state *s)
{
	int ret = 0;

	for (size_t i = 0; i < s->nr_order && !ret; i++) {
		struct service_book *book = &s->books[s->order[i]];

		ret = prefixes_reserve(s, book->nr_entries);
		for (__u32 j = 0; j < book->nr_entries && !ret; j++)
			ret = filter_hold(s, &s->t->services[book->entries[j]]);
	}
	if (ret)
		return ret;
	s->t->runtime->has_prefixes = s->nr_prefixes > 0;
	node_addrs_adopt(s);
	nat_addrs_load(s);
	filters_load(s);
	return 0;
}

static int fill_pools(struct state *s)
{
	int ret = pool_fill(&s->ids, s->nr_services, id_is_used, s);

	if (!ret)
		ret = pool_fill(&s->entries, s->nr_services, entry_is_used, s);
	if (!ret)
		ret = pool_fill(&s->backends, s->nr_backends, backend_is_used,
				s);
	return ret;
}

int state_read(struct state *s, __u32 now_s, unsigned int *ret_dropped)
{
	int ret = ranges_grow(&s->slots, s->t->nr_slots);

	if (ret)
		return ret;
	read_entries(s, ret_dropped);
	ret = read_names(s, now_s, ret_dropped);
	if (!ret)
		ret = admission_read(s, ret_dropped);
	if (!ret)
		ret = collect_backends(s, now_s, ret_dropped);
	if (ret)
		return ret;
	for (size_t i = 0; i < s->nr_order; i++) {
		order_backends(s, &s->books[s->order[i]], now_s, ret_dropped);
		local_nat_count(s, s->order[i]);
	}
	for (size_t i = 0; i < s->kept.nr_gone; i++)
		order_backends(s, &s->books[s->kept.gone[i]], now_s,
			       ret_dropped);
	s->is_own_old = true;
	ret = fill_pools(s);
	if (!ret)
		ret = cells_repair(s);
	return ret ? ret : read_filters(s);
}
