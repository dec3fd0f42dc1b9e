// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "service_index.h"

typedef int compare_fn(const void *, const void *);

static const struct document *owner(const struct native_service *s)
{
	return s->owner;
}

/* The order in which people would read them. */
static int compare_places(const struct native_service *a,
			  const struct native_service *b)
{
	int order = strcmp(owner(a)->path, owner(b)->path);
	__u32 a_line = owner(a)->first_line + a->name_at.line;
	__u32 b_line = owner(b)->first_line + b->name_at.line;

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
	int order = addr_compare(&a->service.addr, &b->service.addr);

	if (order)
		return order;
	if (a->service.prefix_len != b->service.prefix_len)
		return a->service.prefix_len - b->service.prefix_len;
	if (a->service.proto != b->service.proto)
		return a->service.proto - b->service.proto;
	if (a->service.port_first != b->service.port_first)
		return a->service.port_first - b->service.port_first;
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
		if (!owner(list[i])->is_live)
			continue;
		while (j < nr_fresh && compare(&fresh[j], &list[i]) < 0)
			ret[n++] = fresh[j++];
		ret[n++] = list[i];
	}
	while (j < nr_fresh)
		ret[n++] = fresh[j++];
	return n;
}

int service_index_update(struct service_index *index,
			 struct native_service **fresh, size_t nr_fresh)
{
	size_t room = index->count + nr_fresh + 1;
	struct native_service **by_name = calloc(room, sizeof(*by_name));
	struct native_service **by_addr = calloc(room, sizeof(*by_addr));
	size_t count;

	if (!by_name || !by_addr) {
		free(by_name);
		free(by_addr);
		return -ENOMEM;
	}
	merge(by_name, index->by_name, index->count, fresh, nr_fresh,
	      compare_names);
	count = merge(by_addr, index->by_addr, index->count, fresh, nr_fresh,
		      compare_addrs);
	service_index_clear(index);
	*index = (struct service_index){ by_name, by_addr, count };
	return 0;
}

void service_index_clear(struct service_index *index)
{
	free(index->by_name);
	free(index->by_addr);
	*index = (struct service_index){};
}

static void check_names(const struct service_index *index, struct report *r)
{
	for (size_t i = 1; i < index->count; i++) {
		const struct native_service *a = index->by_name[i - 1];
		const struct native_service *b = index->by_name[i];

		if (strcmp(a->service.name, b->service.name))
			continue;
		report_error(r, owner(b)->path,
			     owner(b)->first_line + b->name_at.line,
			     b->name_at.column,
			     "service \"%s\" is defined already at %s:%u:%u",
			     b->service.name, owner(a)->path,
			     owner(a)->first_line + a->name_at.line,
			     a->name_at.column);
	}
}

/* Of two services: the later one is where the mistake is reported. */
static void report_pair(struct report *r, const struct native_service *a,
			const struct native_service *b, const char *how)
{
	char a_text[SERVICE_TEXT_MAX], b_text[SERVICE_TEXT_MAX];

	if (compare_places(a, b) > 0) {
		const struct native_service *swap = a;

		a = b;
		b = swap;
	}
	report_error(r, owner(b)->path,
		     owner(b)->first_line + b->addr_at.line,
		     b->addr_at.column,
		     "%s %s %s of service \"%s\" at %s:%u:%u",
		     model_service_text(&b->service, b_text), how,
		     model_service_text(&a->service, a_text), a->service.name,
		     owner(a)->path,
		     owner(a)->first_line + a->addr_at.line,
		     a->addr_at.column);
}

/* Services of one address or prefix: by_addr[first] up to end. */
struct group {
	size_t first, end;
};

static bool is_same_group(const struct model_service *a,
			  const struct model_service *b)
{
	return a->prefix_len == b->prefix_len &&
	       !addr_compare(&a->addr, &b->addr);
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

static void check_group(const struct service_index *index, struct report *r,
			struct group g)
{
	const struct native_service *last = index->by_addr[g.first];

	for (size_t i = g.first + 1; i < g.end; i++) {
		const struct native_service *s = index->by_addr[i];

		if (s->service.proto != last->service.proto) {
			last = s;
			continue;
		}
		if (s->service.port_first <= last->service.port_last)
			report_pair(r, last, s, "overlaps");
		if (s->service.port_last > last->service.port_last)
			last = s;
	}
}

/* The last of the group that begins at or before s ends, in its protocol. */
static void check_inside(const struct service_index *index, struct report *r,
			 struct group g, const struct native_service *s)
{
	const struct model_service *a, *b = &s->service;
	size_t low = g.first, high = g.end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		a = &index->by_addr[middle]->service;
		if (a->proto < b->proto ||
		    (a->proto == b->proto && a->port_first <= b->port_last))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == g.first)
		return;
	a = &index->by_addr[low - 1]->service;
	if (a->proto == b->proto && a->port_last >= b->port_first)
		report_pair(r, index->by_addr[low - 1], s, "overlaps");
}

/* Tables know a prefix by its first address, which must have one meaning. */
static bool check_base(const struct service_index *index, struct report *r,
		       struct group outer, struct group inner)
{
	const struct native_service *a = index->by_addr[outer.first];
	const struct native_service *b = index->by_addr[inner.first];

	if (addr_compare(&a->service.addr, &b->service.addr))
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

			if (addr_in(&s->addr, &outer->addr, outer->prefix_len))
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

void service_index_check(const struct service_index *index, struct report *r)
{
	check_names(index, r);
	check_addrs(index, r);
}
