// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Is there room for a plan, and may it have it? See plan.h. */
#include <errno.h>
#include <stdio.h>

#include "plan.h"

static int too_many(char *text, const char *what, const char *limit,
		    __u64 number, __u32 max)
{
	snprintf(text, RECONCILE_TEXT_MAX,
		 "%llu %s are defined, but %s is %u",
		 (unsigned long long)number, what, limit, max);
	return -E2BIG;
}

int plan_check_limits(const struct state *s, const struct plan *p,
		      const struct model *m, char *text)
{
	if (m->max_services && m->nr_services > m->max_services)
		return too_many(text, "services", "max_services",
				m->nr_services, m->max_services);
	if (m->max_backends && p->totals.backends > m->max_backends)
		return too_many(text, "backends", "max_backends",
				p->totals.backends, m->max_backends);
	if (m->max_slots && p->totals.slots > m->max_slots)
		return too_many(text, "slots", "max_slots", p->totals.slots,
				m->max_slots);
	if (p->sources > SOURCES_MAX)
		return too_many(text, "prefixes of sources", "the most",
				p->sources, SOURCES_MAX);
	if (s->nr_admission_entries <= s->t->nr_sources)
		return 0;
	snprintf(text, RECONCILE_TEXT_MAX,
		 "sources changed faster than old lists can go; tried again within seconds");
	return -EAGAIN;
}

/* Room for used and more, and some to come; size if that is enough. */
static __u32 grown(const struct pool *p, __u32 more, bool *is_short)
{
	__u64 needed = (__u64)p->size - p->nr_free + more;

	*is_short |= needed > p->size;
	return table_size_grown(p->size, needed);
}

/* Three of four cells stay free, so that searches stay short. */
static __u32 plan_buckets(const struct plan *p, __u32 buckets)
{
	__u64 keys = p->totals.keys + p->more_keys;

	while (keys * 4 > (__u64)buckets * SERVICE_CELLS)
		buckets *= 2;
	return buckets;
}

static __u64 aligned(__u64 number, __u32 block)
{
	return block ? (number + block - 1) / block * block : number;
}

/* A block begins at a multiple of its size: new room counts from where the
 * largest may begin. */
static __u64 plan_slots_needed(const struct state *s, const struct plan *p)
{
	return aligned(s->t->nr_slots, p->largest_short) +
	       aligned(p->short_slots, p->largest_short);
}

int plan_check_room(const struct state *s, const struct plan *p,
		    struct table_sizes *ret)
{
	bool is_short = p->short_slots > 0;
	__u32 ids = grown(&s->ids, p->new_ids, &is_short);

	*ret = (struct table_sizes){
		.services = grown(&s->entries, p->new_entries, &is_short),
		.backends = grown(&s->backends, p->new_backends, &is_short),
		.slots = table_size_grown(s->t->nr_slots,
					  plan_slots_needed(s, p)),
		.cell_buckets = plan_buckets(p, s->t->cell_buckets),
		.conn_buckets = s->t->conn_buckets,
	};
	if (ids > ret->services)
		ret->services = ids;
	is_short |= ret->cell_buckets > s->t->cell_buckets;
	return is_short ? -ENOSPC : 0;
}

int plan_reserve(struct state *s, const struct plan *p)
{
	/* Ids and backends; entries, each with its address, its range and its
	 * sources; addresses and sources that were planned for nothing. */
	size_t gone = p->nr_removed + p->old_backends + 4 * p->old_entries +
		      2 * p->entries;
	int ret = retired_reserve(s, gone);

	if (!ret)
		ret = prefixes_reserve(s, p->entries);
	if (!ret)
		ret = kept_reserve(s, p->nr_removed, p->old_entries);
	return ret ? ret : layout_reserve(s, p->most_backends);
}
