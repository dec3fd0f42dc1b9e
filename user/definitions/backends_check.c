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
#define FILTER_BACKENDS_MIN 1024	/* fewer are looked up at once */

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

/* The lengths of services' prefixes, each once. */
static void lens_find(struct service_index *index)
{
	bool has_len[129] = {};

	index->nr_lens = 0;
	for (size_t i = 0; i < index->nr_fronts; i++) {
		__u8 len = index->by_addr[i]->front->prefix_len;

		if (!has_len[len])
			index->lens[index->nr_lens++] = len;
		has_len[len] = true;
	}
}

static void filter_fill(struct filter *f, const struct service_index *index)
{
	__u64 bits = 64;

	while (bits < BITS_PER_FRONT * index->nr_fronts)
		bits *= 2;
	f->mask = bits - 1;
	f->words = calloc(bits / 64, sizeof(*f->words));
	for (size_t i = 0; i < index->nr_fronts; i++) {
		const struct model_front *front = index->by_addr[i]->front;
		__u64 bit = addr_bit(f, &front->addr);

		if (f->words)
			f->words[bit / 64] |= 1ull << bit % 64;
	}
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

static void check_backend(const struct service_index *index,
			  const struct filter *f, struct report *r,
			  const struct native_service *s,
			  const struct model_backend *b)
{
	__u16 first = b->port ? b->port : s->service->fronts->port_first;
	__u16 last = b->port ? b->port : s->service->fronts->port_last;

	for (unsigned int i = 0; i < index->nr_lens; i++) {
		struct addr a = addr_prefix(b->addr, index->lens[i]);
		const struct native_front *target;

		if (!filter_may_have(f, &a))
			continue;
		target = service_index_find(index, &a, index->lens[i],
					    s->service->proto, first, last);
		if (!target)
			continue;
		report_backend(r, s, b, target);
		return;
	}
}

static size_t count_backends(struct native_service *const *list, size_t count)
{
	size_t backends = 0;

	for (size_t i = 0; i < count; i++)
		backends += list[i]->service->nr_backends;
	return backends;
}

void backends_check(struct service_index *index, struct report *r)
{
	bool is_all = !service_index_knows_fronts(index);
	struct native_service **list = is_all ? index->by_name : index->fresh;
	size_t count = is_all ? index->count : index->nr_fresh;
	__cleanup(filter_clear) struct filter f = {};

	if (is_all)
		lens_find(index);
	if (count_backends(list, count) >= FILTER_BACKENDS_MIN)
		filter_fill(&f, index);
	for (size_t i = 0; i < count; i++) {
		const struct model_service *s = list[i]->service;

		for (size_t j = 0; j < s->nr_backends; j++)
			check_backend(index, &f, r, list[i], &s->backends[j]);
	}
}
