// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See service_index.h. Two sorted arrays of pointers: a change merges what is
 * new into what is there, and a service's neighbours are its rivals. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "service_index.h"

typedef int compare_fn(const void *, const void *);

/* The order in which people would read them. */
static int compare_places(const struct native_service *a,
			  const struct native_service *b)
{
	int order = strcmp(a->owner->path, b->owner->path);
	__u32 a_line = a->owner->first_line + a->name_at.line;
	__u32 b_line = b->owner->first_line + b->name_at.line;

	if (order)
		return order;
	if (a_line != b_line)
		return a_line < b_line ? -1 : 1;
	return (a->name_at.column > b->name_at.column) -
	       (a->name_at.column < b->name_at.column);
}

static int compare_names(const void *x, const void *y)
{
	const struct native_service *a = *(struct native_service *const *)x;
	const struct native_service *b = *(struct native_service *const *)y;

	return strcmp(a->service.name, b->service.name) ?:
	       compare_places(a, b);
}

/* A prefix comes before what is in it. */
static int compare_addrs(const void *x, const void *y)
{
	const struct native_service *a = *(struct native_service *const *)x;
	const struct native_service *b = *(struct native_service *const *)y;
	int order = addr_compare(&a->service.fronts->addr, &b->service.fronts->addr);

	if (order)
		return order;
	if (a->service.fronts->prefix_len != b->service.fronts->prefix_len)
		return a->service.fronts->prefix_len - b->service.fronts->prefix_len;
	if (a->service.proto != b->service.proto)
		return a->service.proto - b->service.proto;
	if (a->service.fronts->port_first != b->service.fronts->port_first)
		return a->service.fronts->port_first - b->service.fronts->port_first;
	return compare_places(a, b);
}

/* list, which is sorted, without the dead and with fresh[], into ret. */
static size_t merge(struct native_service **ret,
		    struct native_service *const *list, size_t count,
		    struct native_service **fresh, size_t nr_fresh,
		    compare_fn *compare)
{
	size_t n = 0, j = 0;

	qsort(fresh, nr_fresh, sizeof(*fresh), compare);
	for (size_t i = 0; i < count; i++) {
		if (!list[i]->owner->is_live)
			continue;
		while (j < nr_fresh && compare(&fresh[j], &list[i]) < 0)
			ret[n++] = fresh[j++];
		ret[n++] = list[i];
	}
	while (j < nr_fresh)
		ret[n++] = fresh[j++];
	return n;
}

/* Which packets a service is for. */
static __u64 addr_hash(const struct native_service *s)
{
	__u64 words[2];

	memcpy(words, &s->service.fronts->addr, sizeof(words));
	words[0] = hash_mix(words[0] ^ (__u64)s->service.fronts->port_first << 48 ^
			    (__u64)s->service.fronts->port_last << 32 ^
			    s->service.proto << 8 ^ s->service.fronts->prefix_len);
	return hash_mix(words[0] + words[1]);
}

static __u64 addrs_next(const struct service_index *index,
			struct native_service *const *fresh, size_t nr_fresh)
{
	__u64 addrs = index->addrs;

	for (size_t i = 0; i < index->count; i++)
		if (!index->by_addr[i]->owner->is_live)
			addrs -= addr_hash(index->by_addr[i]);
	for (size_t i = 0; i < nr_fresh; i++)
		addrs += addr_hash(fresh[i]);
	return addrs;
}

int service_index_update(struct service_index *index,
			 struct native_service **fresh, size_t nr_fresh)
{
	size_t room = index->count + nr_fresh + 1;
	struct service_index next = {
		.by_name = calloc(room, sizeof(*next.by_name)),
		.by_addr = calloc(room, sizeof(*next.by_addr)),
		.addrs = addrs_next(index, fresh, nr_fresh),
		.fresh = fresh,
		.nr_fresh = nr_fresh,
		.checked_addrs = index->checked_addrs,
		.is_checked = index->is_checked && !index->fresh,
	};

	if (!next.by_name || !next.by_addr) {
		free(next.by_name);
		free(next.by_addr);
		return -ENOMEM;
	}
	merge(next.by_name, index->by_name, index->count, fresh, nr_fresh,
	      compare_names);
	next.count = merge(next.by_addr, index->by_addr, index->count, fresh,
			   nr_fresh, compare_addrs);
	service_index_clear(index);
	*index = next;
	return 0;
}

void service_index_clear(struct service_index *index)
{
	free(index->by_name);
	free(index->by_addr);
	free(index->fresh);
	*index = (struct service_index){};
}

static void check_names(const struct service_index *index, struct report *r)
{
	for (size_t i = 1; i < index->count; i++) {
		const struct native_service *a = index->by_name[i - 1];
		const struct native_service *b = index->by_name[i];
		char place[PLACE_TEXT_MAX];

		if (strcmp(a->service.name, b->service.name))
			continue;
		part_error(r, b->owner, b->name_at,
			   "service \"%s\" is defined already at %s",
			   b->service.name,
			   part_place(a->owner, a->name_at, place));
	}
}

/* Of two services: the later one is where the mistake is reported. */
static void report_pair(struct report *r, const struct native_service *a,
			const struct native_service *b, const char *how)
{
	char a_text[FRONT_TEXT_MAX], b_text[FRONT_TEXT_MAX];
	char place[PLACE_TEXT_MAX];

	if (compare_places(a, b) > 0) {
		const struct native_service *first = b;

		b = a;
		a = first;
	}
	part_error(r, b->owner, b->addr_at, "%s %s %s of service \"%s\" at %s",
		   model_front_text(b->service.fronts, b->service.proto,
				    b_text), how,
		   model_front_text(a->service.fronts, a->service.proto,
				    a_text), a->service.name,
		   part_place(a->owner, a->addr_at, place));
}

/* Services of one address or prefix: by_addr[first] up to end. */
struct group {
	size_t first, end;
};

static bool is_same_group(const struct model_service *a,
			  const struct model_service *b)
{
	return a->fronts->prefix_len == b->fronts->prefix_len &&
	       !addr_compare(&a->fronts->addr, &b->fronts->addr);
}

static struct group next_group(const struct service_index *index, size_t first)
{
	struct group g = { first, first + 1 };

	while (g.end < index->count &&
	       is_same_group(&index->by_addr[first]->service,
			     &index->by_addr[g.end]->service))
		g.end++;
	return g;
}

/*
 * Every service from by_addr[from] down to the group's first that takes one of
 * s's ports. They are sorted by their first ports, and reach says up to where
 * those so far go. Once there is more to report than is shown, one is enough.
 */
static void report_overlaps(const struct service_index *index, struct report *r,
			    size_t first, size_t end,
			    const struct native_service *s)
{
	for (size_t i = end; i-- > first;) {
		const struct native_service *a = index->by_addr[i];

		if (a->service.proto != s->service.proto ||
		    a->reach < s->service.fronts->port_first)
			return;
		if (a->service.fronts->port_last < s->service.fronts->port_first)
			continue;
		report_pair(r, a, s, "overlaps");
		if (r->count > REPORT_MAX)
			return;
	}
}

static void check_group(const struct service_index *index, struct report *r,
			struct group g)
{
	for (size_t i = g.first; i < g.end; i++) {
		struct native_service *s = index->by_addr[i];
		const struct native_service *a = i > g.first ?
			index->by_addr[i - 1] : NULL;

		s->reach = s->service.fronts->port_last;
		if (!a || a->service.proto != s->service.proto)
			continue;
		report_overlaps(index, r, g.first, i, s);
		if (a->reach > s->reach)
			s->reach = a->reach;
	}
}

/* The end of the group's services that begin at or before this port. */
static size_t find_end(const struct service_index *index, struct group g,
		       __u8 proto, __u16 port)
{
	size_t low = g.first, high = g.end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct model_service *a =
			&index->by_addr[middle]->service;

		if (a->proto < proto ||
		    (a->proto == proto && a->fronts->port_first <= port))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void check_inside(const struct service_index *index, struct report *r,
			 struct group g, const struct native_service *s)
{
	report_overlaps(index, r, g.first,
			find_end(index, g, s->service.proto,
				 s->service.fronts->port_last), s);
}

/* Tables know a prefix by its first address, which must have one meaning. */
static bool check_base(const struct service_index *index, struct report *r,
		       struct group outer, struct group inner)
{
	const struct native_service *a = index->by_addr[outer.first];
	const struct native_service *b = index->by_addr[inner.first];

	if (addr_compare(&a->service.fronts->addr, &b->service.fronts->addr))
		return true;
	report_pair(r, a, b, "begins at the same address as");
	return false;
}

static void check_addrs(const struct service_index *index, struct report *r)
{
	struct group open[130];	/* prefixes around the current one, nested */
	size_t depth = 0;

	for (size_t i = 0; i < index->count; i = open[depth - 1].end) {
		struct group g = next_group(index, i);
		const struct model_service *s = &index->by_addr[i]->service;

		while (depth) {
			const struct model_service *outer =
				&index->by_addr[open[depth - 1].first]->service;

			if (addr_in(&s->fronts->addr, &outer->fronts->addr,
				    outer->fronts->prefix_len))
				break;
			depth--;
		}
		check_group(index, r, g);
		for (size_t j = 0; j < depth; j++) {
			if (!check_base(index, r, open[j], g))
				continue;
			for (size_t k = g.first; k < g.end; k++)
				check_inside(index, r, open[j],
					     index->by_addr[k]);
		}
		open[depth++] = g;
	}
}

/* The group of one address or prefix; empty if there is none. */
static struct group find_group(const struct service_index *index,
			       const struct addr *a, unsigned int prefix_len)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct model_service *s =
			&index->by_addr[middle]->service;
		int order = addr_compare(&s->fronts->addr, a) ?:
			    (int)s->fronts->prefix_len - (int)prefix_len;

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == index->count ||
	    index->by_addr[low]->service.fronts->prefix_len != prefix_len ||
	    addr_compare(&index->by_addr[low]->service.fronts->addr, a))
		return (struct group){};
	return next_group(index, low);
}

const struct native_service *
service_index_find(const struct service_index *index, const struct addr *a,
		   unsigned int prefix_len, __u8 proto, __u16 port_first,
		   __u16 port_last)
{
	struct group g = find_group(index, a, prefix_len);
	size_t i = g.end ? find_end(index, g, proto, port_last) : 0;

	while (i-- > g.first) {
		const struct native_service *s = index->by_addr[i];

		if (s->service.proto != proto || s->reach < port_first)
			break;
		if (s->service.fronts->port_last >= port_first)
			return s;
	}
	return NULL;
}

void service_index_check(struct service_index *index, struct report *r)
{
	check_names(index, r);
	check_addrs(index, r);
	backends_check(index, r);
	if (r->count)
		return;
	free(index->fresh);
	index->fresh = NULL;
	index->nr_fresh = 0;
	index->checked_addrs = index->addrs;
	index->is_checked = true;
}
