// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A backend that is a service's address, its own service's or another's, gets
 * packets that come back to be balanced again: one datagram becomes as many as
 * its hop limit allows. Few backends are, so a filter of all services'
 * addresses is asked before the index.
 */
#include <stdlib.h>

#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "service_index.h"

#define BITS_PER_FRONT 16
#define FILTER_BITS_MIN 4096
#define FILTER_BACKENDS_MIN 1024	/* fewer are looked up in the index at once */

struct filter {
	__u64 *words;		/* NULL: everything may be in it */
	__u64 mask;		/* of bits */
};

static void filter_clear(struct filter *f)
{
	free(f->words);
}

static __u64 addr_bit(const struct filter *f, const struct addr *a)
{
	__u64 words[2];

	memcpy(words, a, sizeof(words));
	return hash_mix(words[0] * 0x9e3779b97f4a7c15ull + words[1]) & f->mask;
}

static size_t count_fronts(struct native_service *const *list, size_t count)
{
	size_t fronts = 0;

	for (size_t i = 0; i < count; i++)
		fronts += list[i]->service->nr_fronts;
	return fronts;
}

static void filter_add(struct filter *f, const struct model_service *s)
{
	for (size_t i = 0; i < s->nr_fronts; i++) {
		__u64 bit = addr_bit(f, &s->fronts[i].addr);

		f->words[bit / 64] |= 1ull << bit % 64;
	}
}

/* With the front ends of list. */
static void filter_fill(struct filter *f, struct native_service *const *list,
			size_t count)
{
	const size_t fronts = count_fronts(list, count);
	__u64 bits = FILTER_BITS_MIN;

	while (bits < BITS_PER_FRONT * fronts)
		bits *= 2;
	f->mask = bits - 1;
	f->words = calloc(bits / 64, sizeof(*f->words));
	for (size_t i = 0; i < count && f->words; i++)
		filter_add(f, list[i]->service);
}

static bool filter_may_have(const struct filter *f, const struct addr *a)
{
	__u64 bit = addr_bit(f, a);

	return !f->words || f->words[bit / 64] >> bit % 64 & 1;
}

static void report_backend(struct report *r, const struct native_service *s,
			   const struct model_backend *b,
			   const struct native_front *target)
{
	const struct native_service *other = target->service;
	char addr[ADDR_TEXT_MAX], text[FRONT_TEXT_MAX], place[PLACE_TEXT_MAX];

	part_error(r, s->owner, s->fronts[0].at,
		   "backend \"%s\" of service \"%s\" is %s of service \"%s\" at %s: its packets would come back to be balanced again",
		   addr_format(&b->addr, addr), s->service->name,
		   model_front_text(target->front, other->service->proto, text),
		   other->service->name,
		   part_place(other->owner, target->at, place));
}

/* Whose packets those to b would be; NULL: nobody's. */
static const struct native_front *
backend_target(const struct service_index *index, const struct filter *f,
	       const struct model_service *s, const struct model_backend *b)
{
	__u16 first = b->port ? b->port : s->fronts->port_first;
	__u16 last = b->port ? b->port : s->fronts->port_last;

	for (unsigned int i = 0; i < index->nr_lens; i++) {
		struct addr a = addr_prefix(b->addr, index->lens[i]);
		const struct native_front *target;

		if (!filter_may_have(f, &a))
			continue;
		target = service_index_find(index, &a, index->lens[i],
					    s->proto, first, last);
		if (target)
			return target;
	}
	return NULL;
}

static size_t count_backends(struct native_service *const *list, size_t count)
{
	size_t backends = 0;

	for (size_t i = 0; i < count; i++)
		backends += list[i]->service->nr_backends;
	return backends;
}

static bool are_right(const struct service_index *index,
		      const struct filter *f,
		      struct native_service *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct model_service *s = list[i]->service;

		for (size_t j = 0; j < s->nr_backends; j++)
			if (backend_target(index, f, s, &s->backends[j]))
				return false;
	}
	return true;
}

/* Who was right before is, but at an address that a new service has. */
static bool known_are_right(const struct service_index *index)
{
	__cleanup(filter_clear) struct filter f = {};

	if (!index->nr_fresh || service_index_knows_fronts(index))
		return true;
	filter_fill(&f, index->fresh, index->nr_fresh);
	return are_right(index, &f, index->by_name, index->count);
}

static bool fresh_are_right(const struct service_index *index)
{
	__cleanup(filter_clear) struct filter f = {};

	if (count_backends(index->fresh, index->nr_fresh) >=
	    FILTER_BACKENDS_MIN)
		filter_fill(&f, index->by_name, index->count);
	return are_right(index, &f, index->fresh, index->nr_fresh);
}

static void check_all(const struct service_index *index, struct report *r)
{
	__cleanup(filter_clear) struct filter f = {};

	if (count_backends(index->by_name, index->count) >=
	    FILTER_BACKENDS_MIN)
		filter_fill(&f, index->by_name, index->count);
	for (size_t i = 0; i < index->count; i++) {
		const struct native_service *n = index->by_name[i];
		const struct model_service *s = n->service;

		for (size_t j = 0; j < s->nr_backends; j++) {
			const struct model_backend *b = &s->backends[j];
			const struct native_front *target =
				backend_target(index, &f, s, b);

			if (target)
				report_backend(r, n, b, target);
		}
	}
}

void backends_check(const struct service_index *index, struct report *r)
{
	if (!index->is_checked || !known_are_right(index) ||
	    !fresh_are_right(index))
		check_all(index, r);
}
