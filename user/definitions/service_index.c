// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See service_index.h. Two sorted arrays of pointers: a change merges what is
 * new into what is there, and a service's neighbours are its rivals. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "base/cleanup.h"
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

static __u8 proto_of(const struct native_front *f)
{
	return f->service->service->proto;
}

static int compare_names(const void *x, const void *y)
{
	const struct native_service *a = *(struct native_service *const *)x;
	const struct native_service *b = *(struct native_service *const *)y;

	return strcmp(a->service->name, b->service->name) ?:
	       compare_places(a, b);
}

/* A prefix comes before what is in it. */
static int compare_addrs(const void *x, const void *y)
{
	const struct native_front *a = *(struct native_front *const *)x;
	const struct native_front *b = *(struct native_front *const *)y;
	int order = addr_compare(&a->front->addr, &b->front->addr);

	if (order)
		return order;
	if (a->front->prefix_len != b->front->prefix_len)
		return a->front->prefix_len - b->front->prefix_len;
	if (proto_of(a) != proto_of(b))
		return proto_of(a) - proto_of(b);
	if (a->front->port_first != b->front->port_first)
		return a->front->port_first - b->front->port_first;
	return compare_places(a->service, b->service);
}

static bool service_is_live(const void *item)
{
	const struct native_service *s = item;

	return s->owner->is_live;
}

static bool front_is_live(const void *item)
{
	const struct native_front *f = item;

	return f->service->owner->is_live;
}

/* list, which is sorted, without the dead and with fresh[], into ret. */
static size_t merge(void **ret, void *const *list, size_t count, void **fresh,
		    size_t nr_fresh, compare_fn *compare,
		    bool (*is_live)(const void *item))
{
	size_t n = 0, j = 0;

	qsort(fresh, nr_fresh, sizeof(*fresh), compare);
	for (size_t i = 0; i < count; i++) {
		if (!is_live(list[i]))
			continue;
		while (j < nr_fresh && compare(&fresh[j], &list[i]) < 0)
			ret[n++] = fresh[j++];
		ret[n++] = list[i];
	}
	while (j < nr_fresh)
		ret[n++] = fresh[j++];
	return n;
}

/* Which packets a front end is for. */
static __u64 addr_hash(const struct native_front *f)
{
	__u64 words[2];

	memcpy(words, &f->front->addr, sizeof(words));
	words[0] = hash_mix(words[0] ^ (__u64)f->front->port_first << 48 ^
			    (__u64)f->front->port_last << 32 ^
			    proto_of(f) << 8 ^ f->front->prefix_len);
	return hash_mix(words[0] + words[1]);
}

static __u64 addrs_next(const struct service_index *index,
			struct native_front *const *fresh, size_t nr_fresh)
{
	__u64 addrs = index->addrs;

	for (size_t i = 0; i < index->nr_fronts; i++)
		if (!front_is_live(index->by_addr[i]))
			addrs -= addr_hash(index->by_addr[i]);
	for (size_t i = 0; i < nr_fresh; i++)
		addrs += addr_hash(fresh[i]);
	return addrs;
}

/* The front ends of services, in an array of their own; NULL: no memory. */
static struct native_front **fronts_of(struct native_service *const *services,
				       size_t count, size_t *ret_count)
{
	struct native_front **ret;
	size_t nr = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		nr += services[i]->service->nr_fronts;
	ret = calloc(nr + 1, sizeof(*ret));
	for (size_t i = 0; ret && i < count; i++)
		for (size_t j = 0; j < services[i]->service->nr_fronts; j++)
			ret[at++] = &services[i]->fronts[j];
	*ret_count = nr;
	return ret;
}

static void free_fronts(struct native_front ***fronts)
{
	free(*fronts);
}

int service_index_next(const struct service_index *index,
		       struct native_service **fresh, size_t nr_fresh,
		       struct service_index *ret)
{
	size_t nr_fronts;
	__cleanup(free_fronts) struct native_front **fronts =
		fronts_of(fresh, nr_fresh, &nr_fronts);
	struct service_index next = {
		.by_name = calloc(index->count + nr_fresh + 1,
				  sizeof(*next.by_name)),
		.by_addr = calloc(index->nr_fronts + nr_fronts + 1,
				  sizeof(*next.by_addr)),
		.fresh = fresh,
		.nr_fresh = nr_fresh,
		.checked_addrs = index->checked_addrs,
		.is_checked = index->is_checked && !index->fresh,
		.nr_lens = index->nr_lens,
	};

	if (!fronts || !next.by_name || !next.by_addr) {
		free(next.by_name);
		free(next.by_addr);
		return -ENOMEM;
	}
	memcpy(next.lens, index->lens, sizeof(next.lens));
	next.addrs = addrs_next(index, fronts, nr_fronts);
	next.count = merge((void **)next.by_name, (void **)index->by_name,
			   index->count, (void **)fresh, nr_fresh,
			   compare_names, service_is_live);
	next.nr_fronts = merge((void **)next.by_addr, (void **)index->by_addr,
			       index->nr_fronts, (void **)fronts, nr_fronts,
			       compare_addrs, front_is_live);
	*ret = next;
	return 0;
}

void service_index_clear(struct service_index *index)
{
	free(index->by_name);
	free(index->by_addr);
	free(index->fresh);
	*index = (struct service_index){};
}

/*
 * Places change when what stands before a service does, and the arrays are not
 * sorted anew for that: those from `at` on that are the same but for their
 * places are, before they are reported. Where they end.
 */
static size_t sort_same(void **list, size_t at, size_t count,
			bool (*is_same)(const void *, const void *),
			compare_fn *compare)
{
	size_t end = at + 1;

	while (end < count && is_same(list[at], list[end]))
		end++;
	if (end > at + 1)
		qsort(list + at, end - at, sizeof(*list), compare);
	return end;
}

static bool has_same_name(const void *x, const void *y)
{
	const struct native_service *a = x, *b = y;

	return !strcmp(a->service->name, b->service->name);
}

static void report_name(struct report *r, const struct native_service *a,
			const struct native_service *b)
{
	char place[PLACE_TEXT_MAX];

	part_error(r, b->owner, b->name_at,
		   "service \"%s\" is defined already at %s", b->service->name,
		   part_place(a->owner, a->name_at, place));
}

static void check_names(const struct service_index *index, struct report *r)
{
	size_t end;

	for (size_t i = 0; i < index->count; i = end) {
		end = sort_same((void **)index->by_name, i, index->count,
				has_same_name, compare_names);
		while (++i < end)
			report_name(r, index->by_name[i - 1],
				    index->by_name[i]);
	}
}

/* Of two front ends: the later one is where the mistake is reported. */
static void report_pair(struct report *r, const struct native_front *a,
			const struct native_front *b, const char *how)
{
	char a_text[FRONT_TEXT_MAX], b_text[FRONT_TEXT_MAX];
	char place[PLACE_TEXT_MAX];

	if (compare_places(a->service, b->service) > 0) {
		const struct native_front *first = b;

		b = a;
		a = first;
	}
	part_error(r, b->service->owner, b->at,
		   "%s %s %s of service \"%s\" at %s",
		   model_front_text(b->front, proto_of(b), b_text), how,
		   model_front_text(a->front, proto_of(a), a_text),
		   a->service->service->name,
		   part_place(a->service->owner, a->at, place));
}

/* Front ends of one address or prefix: by_addr[first] up to end. */
struct group {
	size_t first, end;
};

static bool is_same_group(const struct model_front *a,
			  const struct model_front *b)
{
	return a->prefix_len == b->prefix_len &&
	       !addr_compare(&a->addr, &b->addr);
}

static struct group next_group(const struct service_index *index, size_t first)
{
	struct group g = { first, first + 1 };

	while (g.end < index->nr_fronts &&
	       is_same_group(index->by_addr[first]->front,
			     index->by_addr[g.end]->front))
		g.end++;
	return g;
}

/*
 * Every front end from by_addr[end] down to the group's first that takes one
 * of f's ports. They are sorted by their first ports, and reach says up to
 * where those so far go. Once there is more to report than is shown, one is
 * enough.
 */
static void report_overlaps(const struct service_index *index, struct report *r,
			    size_t first, size_t end,
			    const struct native_front *f)
{
	for (size_t i = end; i-- > first;) {
		const struct native_front *a = index->by_addr[i];

		if (proto_of(a) != proto_of(f) ||
		    a->reach < f->front->port_first)
			return;
		if (a->front->port_last < f->front->port_first)
			continue;
		report_pair(r, a, f, "overlaps");
		if (r->count > REPORT_MAX)
			return;
	}
}

static bool begins_alike(const void *x, const void *y)
{
	const struct native_front *a = x, *b = y;

	return proto_of(a) == proto_of(b) &&
	       a->front->port_first == b->front->port_first;
}

static void check_group(const struct service_index *index, struct report *r,
			struct group g)
{
	for (size_t i = g.first; i < g.end;)
		i = sort_same((void **)index->by_addr, i, g.end, begins_alike,
			      compare_addrs);
	for (size_t i = g.first; i < g.end; i++) {
		struct native_front *f = index->by_addr[i];
		const struct native_front *a = i > g.first ?
			index->by_addr[i - 1] : NULL;

		f->reach = f->front->port_last;
		if (!a || proto_of(a) != proto_of(f))
			continue;
		report_overlaps(index, r, g.first, i, f);
		if (a->reach > f->reach)
			f->reach = a->reach;
	}
}

/* The end of the group's front ends that begin at or before this port. */
static size_t find_end(const struct service_index *index, struct group g,
		       __u8 proto, __u16 port)
{
	size_t low = g.first, high = g.end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct native_front *a = index->by_addr[middle];

		if (proto_of(a) < proto ||
		    (proto_of(a) == proto && a->front->port_first <= port))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void check_inside(const struct service_index *index, struct report *r,
			 struct group g, const struct native_front *f)
{
	report_overlaps(index, r, g.first,
			find_end(index, g, proto_of(f), f->front->port_last),
			f);
}

/* Tables know a prefix by its first address, which must have one meaning. */
static bool check_base(const struct service_index *index, struct report *r,
		       struct group outer, struct group inner)
{
	const struct native_front *a = index->by_addr[outer.first];
	const struct native_front *b = index->by_addr[inner.first];

	if (addr_compare(&a->front->addr, &b->front->addr))
		return true;
	report_pair(r, a, b, "begins at the same address as");
	return false;
}

static void check_addrs(const struct service_index *index, struct report *r)
{
	struct group open[130];	/* prefixes around the current one, nested */
	size_t depth = 0;

	for (size_t i = 0; i < index->nr_fronts; i = open[depth - 1].end) {
		struct group g = next_group(index, i);
		const struct model_front *f = index->by_addr[i]->front;

		while (depth) {
			const struct model_front *outer =
				index->by_addr[open[depth - 1].first]->front;

			if (addr_in(&f->addr, &outer->addr, outer->prefix_len))
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
	size_t low = 0, high = index->nr_fronts;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct model_front *f = index->by_addr[middle]->front;
		int order = addr_compare(&f->addr, a) ?:
			    (int)f->prefix_len - (int)prefix_len;

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == index->nr_fronts ||
	    index->by_addr[low]->front->prefix_len != prefix_len ||
	    addr_compare(&index->by_addr[low]->front->addr, a))
		return (struct group){};
	return next_group(index, low);
}

const struct native_front *
service_index_find(const struct service_index *index, const struct addr *a,
		   unsigned int prefix_len, __u8 proto, __u16 port_first,
		   __u16 port_last)
{
	struct group g = find_group(index, a, prefix_len);
	size_t i = g.end ? find_end(index, g, proto, port_last) : 0;

	while (i-- > g.first) {
		const struct native_front *f = index->by_addr[i];

		if (proto_of(f) != proto || f->reach < port_first)
			break;
		if (f->front->port_last >= port_first)
			return f;
	}
	return NULL;
}

const struct native_front *
service_index_rival(const struct service_index *index,
		    const struct model_front *f, __u8 proto)
{
	for (unsigned int i = 0; i < index->nr_lens; i++) {
		struct addr base = addr_prefix(f->addr, index->lens[i]);
		const struct native_front *found;
		struct group g;

		found = service_index_find(index, &base, index->lens[i], proto,
					   f->port_first, f->port_last);
		if (found)
			return found;
		if (index->lens[i] == 128 || addr_compare(&base, &f->addr))
			continue;
		/* tables know a prefix by its first address */
		g = find_group(index, &base, index->lens[i]);
		if (g.end)
			return index->by_addr[g.first];
	}
	return NULL;
}

static bool is_name_alone(const struct service_index *index, const char *name)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(index->by_name[middle]->service->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low + 1 >= index->count ||
	       strcmp(index->by_name[low + 1]->service->name, name);
}

/* As check_group() without its reports. False: there would be some. */
static bool group_is_right(const struct service_index *index, struct group g)
{
	for (size_t i = g.first; i < g.end; i++) {
		struct native_front *f = index->by_addr[i];
		const struct native_front *a = i > g.first ?
			index->by_addr[i - 1] : NULL;

		f->reach = f->front->port_last;
		if (a && proto_of(a) == proto_of(f) &&
		    a->reach >= f->front->port_first)
			return false;
	}
	return true;
}

/* May f be in the prefixes that have its address in them? */
static bool outer_are_right(const struct service_index *index,
			    const struct model_front *f, __u8 proto)
{
	for (unsigned int i = 0; i < index->nr_lens; i++) {
		const __u8 len = index->lens[i];
		struct addr base = addr_prefix(f->addr, len);

		if (len >= f->prefix_len ||
		    !find_group(index, &base, len).end)
			continue;
		if (!addr_compare(&base, &f->addr) ||
		    service_index_find(index, &base, len, proto, f->port_first,
				       f->port_last))
			return false;
	}
	return true;
}

/* And what is in it, which begins at by_addr[at]? */
static bool inner_are_right(const struct service_index *index, size_t at,
			    const struct model_front *f, __u8 proto)
{
	for (; at < index->nr_fronts; at++) {
		const struct native_front *a = index->by_addr[at];

		if (!addr_in(&a->front->addr, &f->addr, f->prefix_len))
			return true;
		if (!addr_compare(&a->front->addr, &f->addr) ||
		    (proto_of(a) == proto &&
		     a->front->port_first <= f->port_last &&
		     a->front->port_last >= f->port_first))
			return false;
	}
	return true;
}

static bool fronts_are_right(const struct service_index *index,
			     const struct model_service *s)
{
	for (size_t i = 0; i < s->nr_fronts; i++) {
		const struct model_front *f = &s->fronts[i];
		struct group g = find_group(index, &f->addr, f->prefix_len);

		if (!group_is_right(index, g) ||
		    !outer_are_right(index, f, s->proto) ||
		    !inner_are_right(index, g.end, f, s->proto))
			return false;
	}
	return true;
}

/* The longest first. */
static void lens_add(struct service_index *index, __u8 len)
{
	unsigned int at = 0;

	while (at < index->nr_lens && index->lens[at] > len)
		at++;
	if (at < index->nr_lens && index->lens[at] == len)
		return;
	memmove(index->lens + at + 1, index->lens + at, index->nr_lens - at);
	index->lens[at] = len;
	index->nr_lens++;
}

/* All of them once more, or those that are new besides. */
static void lens_find(struct service_index *index)
{
	if (!index->is_checked)
		index->nr_lens = 0;
	for (size_t i = 0; i < index->nr_fronts && !index->is_checked; i++)
		lens_add(index, index->by_addr[i]->front->prefix_len);
	for (size_t i = 0; i < index->nr_fresh; i++)
		for (size_t j = 0; j < index->fresh[i]->service->nr_fronts; j++)
			lens_add(index, index->fresh[i]->service->fronts[j]
						.prefix_len);
}

/*
 * What was there before is right, so that the new services alone can be wrong:
 * another one of their names, and what is at their addresses. False: something
 * is, or all have to be looked at.
 */
static bool fresh_are_right(const struct service_index *index)
{
	if (!index->is_checked)
		return false;
	for (size_t i = 0; i < index->nr_fresh; i++)
		if (!is_name_alone(index, index->fresh[i]->service->name) ||
		    !fronts_are_right(index, index->fresh[i]->service))
			return false;
	return true;
}

bool service_index_knows_fronts(const struct service_index *index)
{
	return index->is_checked && index->addrs == index->checked_addrs;
}

const struct native_front *
service_index_at(const struct service_index *index, const struct addr *a)
{
	for (unsigned int len = 129; len-- > 0;) {
		struct addr base = addr_prefix(*a, len);
		struct group g = find_group(index, &base, len);

		if (g.end)
			return index->by_addr[g.first];
	}
	return NULL;
}

void service_index_check(struct service_index *index, struct report *r)
{
	lens_find(index);
	if (!fresh_are_right(index)) {
		check_names(index, r);
		check_addrs(index, r);
	}
	backends_check(index, r);
	if (r->count)
		return;
	free(index->fresh);
	index->fresh = NULL;
	index->nr_fresh = 0;
	index->checked_addrs = index->addrs;
	index->is_checked = true;
}
