// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Ports to classes: those that the same ranges have are one. A class of the
 * same ports as before keeps its id; others get one that no table names.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiled.h"

#define PORTS 65536
#define NO_ID 0			/* class 0 is that of what no range has */

/* Of classes by number; [0] is class 0. */
struct port_class {
	struct numbers ranges;
	__u32 count;		/* ports */
	__u16 was;		/* the id that its first port had */
	bool is_other;		/* not all of its ports had that */
	__u32 id;
	__u8 proto;
};

struct port_work {
	struct policy_compiled *c;
	const struct compile_from *from;
	struct digests index;
	LIST(struct port_class) classes;
	__u16 *numbers;		/* of PORT_CLASSES: class numbers */
	struct numbers *of_ranges; /* by range: numbers of classes */
};

static int points_of(const struct policy_compiled *c, __u8 proto,
		     struct numbers *ret)
{
	int err = numbers_add(ret, 0);

	for (size_t i = 0; i < c->ranges.count && !err; i++) {
		const struct port_range *r = &c->ranges.at[i];

		if (r->proto != proto)
			continue;
		err = numbers_add(ret, r->first) ?:
		      numbers_add(ret, r->last + 1);
	}
	err = err ?: numbers_add(ret, PORTS);
	numbers_sort(ret);
	return err;
}

static int ranges_at(const struct policy_compiled *c, __u8 proto, __u32 port,
		     struct numbers *ret)
{
	int err = 0;

	for (size_t i = 0; i < c->ranges.count && !err; i++) {
		const struct port_range *r = &c->ranges.at[i];

		if (r->proto == proto && r->first <= port && port <= r->last)
			err = numbers_add(ret, i);
	}
	return err;
}

/* The number of the class of these ranges, which is moved from if it is new. */
static int class_number(struct port_work *w, struct numbers *ranges,
			__u8 proto, __u32 *ret)
{
	struct port_class *to;
	struct digest digest;
	struct content b = {};
	int err = numbers_digest(&b, ranges, &digest);

	content_free(&b);
	*ret = err ? NONE : digests_add(&w->index, &digest);
	if (*ret == NONE)
		return -ENOMEM;
	if (*ret < w->classes.count)
		return 0;
	to = list_add(&w->classes);
	if (!to)
		return -ENOMEM;
	to->ranges = *ranges;
	to->proto = proto;
	*ranges = (struct numbers){};
	for (size_t i = 0; i < to->ranges.list.count && !err; i++)
		err = numbers_add(&w->of_ranges[to->ranges.list.at[i]], *ret);
	return err;
}

/* Ports [first ... end - 1] are the same to all ranges. */
static int interval(struct port_work *w, __u8 proto, __u32 first, __u32 end)
{
	struct numbers ranges = {};
	__u32 number = 0;
	int ret = ranges_at(w->c, proto, first, &ranges);

	ret = ret ?: class_number(w, &ranges, proto, &number);
	free(ranges.list.at);
	if (!ret && number > UINT16_MAX)
		ret = -E2BIG;
	for (__u32 port = first; port < end && !ret && number; port++)
		w->numbers[(__u32)proto * PORTS + port] = number;
	return ret;
}

static int proto_classes(struct port_work *w, __u8 proto)
{
	struct numbers points = {};
	int ret = points_of(w->c, proto, &points);

	for (size_t i = 0; i + 1 < points.list.count && !ret; i++)
		ret = interval(w, proto, points.list.at[i],
			       points.list.at[i + 1]);
	free(points.list.at);
	return ret;
}

/* Which class has the ports that an id has in the tables? */
static int keep_ids(struct port_work *w)
{
	const __u16 *was = w->from->image->port_classes;
	__u32 *counts = calloc(PORTS, sizeof(*counts));

	if (!counts)
		return -ENOMEM;
	for (__u32 i = 0; i < PORT_CLASSES; i++) {
		struct port_class *k = &w->classes.at[w->numbers[i]];

		counts[was[i]]++;
		if (!k->count++)
			k->was = was[i];
		k->is_other |= k->was != was[i];
	}
	for (size_t i = 1; i < w->classes.count; i++) {
		struct port_class *k = &w->classes.at[i];

		if (k->was && !k->is_other && counts[k->was] == k->count)
			k->id = k->was;
	}
	free(counts);
	return 0;
}

static bool is_used(const struct port_work *w, __u32 id)
{
	const __u8 *used = w->from ? w->from->port_ids : NULL;

	return used && used[id / 8] >> (id & 7) & 1;
}

static int give_ids(struct port_work *w)
{
	__u32 next = 1;

	for (size_t i = 1; i < w->classes.count; i++) {
		struct port_class *k = &w->classes.at[i];

		if (k->id != NO_ID)
			continue;
		while (next < PORTS && is_used(w, next))
			next++;
		if (next == PORTS)
			return -E2BIG;
		k->id = next++;
	}
	return 0;
}

static int set_rule(struct port_work *w, struct masker *m,
		    const struct book *book, size_t bit)
{
	const struct numbers *ranges = &book->rules.at[bit].bit->ranges;
	int ret = 0;

	for (size_t i = 0; i < ranges->list.count; i++) {
		const struct numbers *n = &w->of_ranges[ranges->list.at[i]];

		for (size_t j = 0; j < n->list.count && !ret; j++) {
			const struct port_class *k =
				&w->classes.at[n->list.at[j]];
			const struct mask_key key = {
				.target = book->id,
				.class = port_class_key(k->proto, k->id),
			};

			ret = mask_add(m, &key, n->list.at[j], bit);
		}
	}
	return ret;
}

static int masks_make(struct port_work *w)
{
	struct masker m = { .masks = &w->c->image.port_masks };
	int ret = 0;

	m.row = calloc(w->classes.count, sizeof(*m.row));
	if (!m.row)
		return -ENOMEM;
	for (size_t i = 0; i < w->c->targets.count; i++) {
		const struct book *book = &w->c->targets.at[i];

		m.first = m.masks->list.count;
		for (size_t j = 0; j < book->rules.count && !ret; j++)
			if (book->rules.at[j].bit)
				ret = set_rule(w, &m, book, j);
	}
	free(m.row);
	return ret;
}

static void work_clear(struct port_work *w)
{
	for (size_t i = 0; i < w->classes.count; i++)
		free(w->classes.at[i].ranges.list.at);
	for (size_t i = 0; w->of_ranges && i < w->c->ranges.count; i++)
		free(w->of_ranges[i].list.at);
	free(w->of_ranges);
	free(w->classes.at);
	digests_free(&w->index);
}

static int classes_make(struct port_work *w)
{
	struct numbers none = {};
	__u32 zero;
	int ret = class_number(w, &none, 0, &zero);

	for (int proto = 0; proto < NR_POLICY_PROTOS && !ret; proto++)
		ret = proto_classes(w, proto);
	if (!ret && w->from && w->from->image)
		ret = keep_ids(w);
	ret = ret ?: give_ids(w);
	if (ret || w->classes.count == 1)
		return ret;
	ret = masks_make(w);
	for (__u32 i = 0; i < PORT_CLASSES; i++)
		w->numbers[i] = w->classes.at[w->numbers[i]].id;
	return ret;
}

int ports_make(struct policy_compiled *c, const struct compile_from *from,
	       char text[static POLICY_TEXT_MAX])
{
	struct port_work w = { .c = c, .from = from,
			       .numbers = c->image.port_classes };
	int ret;

	w.of_ranges = calloc(c->ranges.count + 1, sizeof(*w.of_ranges));
	ret = w.of_ranges ? classes_make(&w) : -ENOMEM;
	if (ret == -E2BIG)
		snprintf(text, POLICY_TEXT_MAX,
			 "the policies' %zu ranges of ports tell more than %u "
			 "classes of ports apart", c->ranges.count, PORTS - 1);
	work_clear(&w);
	return ret;
}
