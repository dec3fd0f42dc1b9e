// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_index.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "policy_index.h"

static void said_clear(enum policy_item kind, struct policy_said *s)
{
	policy_item_free(kind, s->item);
	kube_object_free(s->object);
}

/* Room for one more of that size. NULL: no memory. */
static void *append(void *list, size_t *count, size_t *room, size_t size)
{
	char **to = list;

	return list_room(list, *count + 1, room, size) ?
		       *to + size * (*count)++ : NULL;
}

static struct policy_said *came(struct policy_list *l)
{
	return append(&l->came, &l->nr_came, &l->came_room, sizeof(*l->came));
}

int policy_index_native(struct policy_index *x, struct native_item *n)
{
	struct policy_said *s = came(&x->lists[n->kind]);

	if (!s)
		return -ENOMEM;
	*s = (struct policy_said){
		.item = policy_item_hold(n->kind, n->item),
		.native = n,
	};
	return 0;
}

int policy_index_object(struct policy_index *x, enum policy_item kind,
			void *item, const struct kube_object *from)
{
	struct policy_said *s = came(&x->lists[kind]);

	if (!s)
		return -ENOMEM;
	*s = (struct policy_said){
		.item = policy_item_hold(kind, item),
		.object = kube_object_hold((struct kube_object *)from),
	};
	return 0;
}

int policy_index_went(struct policy_index *x, enum policy_item kind,
		      void *item)
{
	struct policy_list *l = &x->lists[kind];
	void **to = append(&l->went, &l->nr_went, &l->went_room, sizeof(*to));

	if (!to)
		return -ENOMEM;
	*to = policy_item_hold(kind, item);
	return 0;
}

/* Where in list item belongs; `after`: behind those that have its name. */
static size_t place(enum policy_item kind, const struct policy_said *list,
		    size_t count, const void *item, bool after)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = policy_item_compare(kind, list[middle].item, item);

		if (order < 0 || (!order && after))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* NULL: it is not in the list. */
static struct policy_said *find(enum policy_item kind, struct policy_said *list,
				size_t count, const void *item)
{
	size_t i = place(kind, list, count, item, false);

	for (; i < count && !policy_item_compare(kind, list[i].item, item); i++)
		if (list[i].item == item && !list[i].is_gone)
			return &list[i];
	return NULL;
}

/* A document that was read anew says most of its items as before: those go on
 * being the same. */
static bool comes_again(struct policy_list *l, enum policy_item kind,
			struct policy_said *s)
{
	size_t i = place(kind, l->came, l->nr_came, s->item, false);

	for (; s->native && i < l->nr_came; i++) {
		struct policy_said *c = &l->came[i];

		if (policy_item_compare(kind, c->item, s->item))
			break;
		if (c->is_gone || !c->native ||
		    c->native->digest != s->native->digest)
			continue;
		policy_item_free(kind, c->native->item);
		c->native->item = policy_item_hold(kind, s->item);
		s->native = c->native;
		c->is_gone = true;
		return true;
	}
	return false;
}

/* What went before it was in force is among those that came. False: it goes on
 * as something else. */
static bool take_out(struct policy_list *l, enum policy_item kind,
		     const void *item)
{
	struct policy_said *s = find(kind, l->said, l->count, item);

	if (s && comes_again(l, kind, s))
		return false;
	if (!s)
		s = find(kind, l->came, l->nr_came, item);
	if (s)
		s->is_gone = true;
	return s;
}

/* Without those that are gone. */
static size_t compact(enum policy_item kind, struct policy_said *list,
		      size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (list[i].is_gone)
			said_clear(kind, &list[i]);
		else if (kept++ != i)
			list[kept - 1] = list[i];
	}
	return kept;
}

/* From the last one on, so that each of the others moves once. */
static int put_in(struct policy_list *l, enum policy_item kind)
{
	size_t end = l->count, to = l->count + l->nr_came;
	struct policy_said *larger;

	if (!list_room(&l->said, to, &l->room, sizeof(*larger)))
		return -ENOMEM;
	larger = l->said;
	l->count = to;
	for (size_t i = l->nr_came; i-- > 0; ) {
		const struct policy_said *c = &l->came[i];
		size_t at = place(kind, larger, end, c->item, true);

		memmove(&larger[to - (end - at)], &larger[at],
			(end - at) * sizeof(*larger));
		to -= end - at;
		larger[--to] = *c;
		end = at;
		l->has_doubles |= (at && !policy_item_compare(kind,
						larger[at - 1].item, c->item)) ||
				  (i && !policy_item_compare(kind,
						l->came[i - 1].item, c->item));
	}
	l->nr_came = 0;
	return 0;
}

static int compare_said(const void *a, const void *b, void *kind)
{
	return policy_item_compare(*(enum policy_item *)kind,
				   ((const struct policy_said *)a)->item,
				   ((const struct policy_said *)b)->item);
}

/* *ret_is_new: there is something else in it now. */
static int list_settle(struct policy_list *l, enum policy_item kind,
		       bool *ret_is_new)
{
	bool is_less = false;

	if (l->nr_came > 1)
		qsort_r(l->came, l->nr_came, sizeof(*l->came), compare_said,
			&kind);
	for (size_t i = 0; i < l->nr_went; i++)
		is_less |= take_out(l, kind, l->went[i]);
	for (size_t i = 0; i < l->nr_went; i++)
		policy_item_free(kind, l->went[i]);
	if (is_less)
		l->count = compact(kind, l->said, l->count);
	if (l->nr_went)
		l->nr_came = compact(kind, l->came, l->nr_came);
	*ret_is_new |= is_less || l->nr_came;
	l->nr_went = 0;
	return l->nr_came ? put_in(l, kind) : 0;
}

/* The order in which people would read them. */
static int compare_places(const struct native_item *a,
			  const struct native_item *b)
{
	int order = strcmp(a->owner->path, b->owner->path);
	__u32 a_line = a->owner->first_line + a->at.line;
	__u32 b_line = b->owner->first_line + b->at.line;

	if (order)
		return order;
	if (a_line != b_line)
		return a_line < b_line ? -1 : 1;
	return (a->at.column > b->at.column) - (a->at.column < b->at.column);
}

static int compare_names(const struct native_item *a,
			 const struct native_item *b)
{
	return a->kind != b->kind ? (int)a->kind - (int)b->kind :
	       policy_item_compare(a->kind, a->item, b->item);
}

static int compare_native(const void *x, const void *y)
{
	const struct native_item *a = *(struct native_item *const *)x;
	const struct native_item *b = *(struct native_item *const *)y;

	return compare_names(a, b) ?: compare_places(a, b);
}

void policy_index_check(struct native_item **list, size_t count,
			struct report *r)
{
	char name[POLICY_NAME_MAX], at[PLACE_TEXT_MAX];
	size_t first = 0;

	qsort(list, count, sizeof(*list), compare_native);
	for (size_t i = 1; i < count; i++) {
		if (compare_names(list[first], list[i])) {
			first = i;
			continue;
		}
		policy_item_text(list[i]->kind, list[i]->item, name);
		part_place(list[first]->owner, list[first]->at, at);
		part_error(r, list[i]->owner, list[i]->at,
			   "%s \"%s\" is defined already at %s",
			   policy_item_kind(list[i]->kind), name, at);
	}
}

static struct place place_of(const struct kube_object *o)
{
	return (struct place){ o->at.line, o->at.column };
}

static const char *said_place(const struct policy_said *s,
			      char text[static PLACE_TEXT_MAX])
{
	static const struct part nowhere = { .path = "what was read before" };

	if (s->native)
		return part_place(s->native->owner, s->native->at, text);
	return part_place(s->object->origin ?: &nowhere, place_of(s->object),
			  text);
}

static void say_double(struct report *r, enum policy_item kind,
		       const struct policy_said *s,
		       const struct policy_said *first)
{
	char name[POLICY_NAME_MAX], at[PLACE_TEXT_MAX];
	/* two of files are policy_index_check()'s to say */
	struct part *p = s->object ? s->object->origin : NULL;

	if (!p)
		return;
	policy_item_text(kind, s->item, name);
	said_place(first, at);
	p->has_refused = true;
	part_refuse(r, p, place_of(s->object), "%s \"%s\" is defined already at %s",
		    policy_item_kind(kind), name, at);
}

/* Of those with one name, from first on: who says it in files is before
 * objects. How many they are. */
static size_t look_at_name(struct policy_list *l, enum policy_item kind,
			   size_t first, struct report *r)
{
	size_t end = first + 1, best = first;

	while (end < l->count &&
	       !policy_item_compare(kind, l->said[first].item,
				    l->said[end].item))
		end++;
	for (size_t i = end; i-- > first; )
		if (l->said[i].native)
			best = i;
	for (size_t i = first; i < end; i++) {
		l->said[i].is_double = i != best;
		if (i != best)
			say_double(r, kind, &l->said[i], &l->said[best]);
	}
	return end - first;
}

static void look_at_doubles(struct policy_list *l, enum policy_item kind,
			    struct report *r)
{
	size_t count;

	l->has_doubles = false;
	for (size_t i = 0; i < l->count; i += count) {
		count = look_at_name(l, kind, i, r);
		l->has_doubles |= count > 1;
	}
}

int policy_index_settle(struct policy_index *x, struct report *r)
{
	for (int kind = 0; kind < NR_POLICY_ITEMS; kind++) {
		struct policy_list *l = &x->lists[kind];
		int err = list_settle(l, kind, &x->is_new);

		if (err)
			return err;
		if (l->has_doubles)
			look_at_doubles(l, kind, r);
	}
	return 0;
}

/* What is in force is held by the set as well. */
static int fill(const struct policy_list *l, enum policy_item kind,
		struct policy_set *set)
{
	size_t *count;
	void ***to = policy_set_list(set, kind, &count);

	*to = malloc((l->count + 1) * sizeof(**to));
	if (!*to)
		return -ENOMEM;
	for (size_t i = 0; i < l->count; i++)
		if (!l->said[i].is_double)
			(*to)[(*count)++] = policy_item_hold(kind,
							     l->said[i].item);
	return 0;
}

static void made_clear(struct policy_index *x)
{
	for (size_t i = 0; i < x->nr_made; i++)
		model_namespace_free(x->made[i]);
	free(x->made);
	x->made = NULL;
	x->nr_made = 0;
}

static struct model_namespace *namespace_make(const char *name)
{
	struct model_namespace *n = calloc(1, sizeof(*n));
	struct model_label *l = calloc(1, sizeof(*l));

	if (!n || !l) {
		free(n);
		free(l);
		return NULL;
	}
	n->users = 1;
	n->name = strdup(name);
	l->key = strdup(POLICY_NAME_LABEL);
	l->value = strdup(name);
	n->labels = (struct model_labels){ l, 1 };
	if (n->name && l->key && l->value)
		return n;
	model_namespace_free(n);
	return NULL;
}

/* Where the workloads of another namespace begin: a namespace has many. */
static size_t next_namespace(const struct policy_set *set, size_t from)
{
	const char *name = set->workloads[from]->namespace;
	size_t low = from + 1, high = set->nr_workloads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(set->workloads[middle]->namespace, name))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The same as the last time, if it was there. */
static struct model_namespace *made_find(const struct policy_index *x,
					 const char *name)
{
	size_t low = 0, high = x->nr_made;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(x->made[middle]->name, name);

		if (!order)
			return x->made[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Those that set has workloads in and does not have, sorted. */
static int make_missing(const struct policy_index *x,
			const struct policy_set *set, struct policy_index *ret)
{
	for (size_t i = 0; i < set->nr_workloads; i = next_namespace(set, i)) {
		const char *name = set->workloads[i]->namespace;
		struct model_namespace **larger, *n;

		if (policy_set_namespace(set, name))
			continue;
		larger = realloc(ret->made, (ret->nr_made + 1) * sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		ret->made = larger;
		n = made_find(x, name);
		if (n)
			policy_item_hold(POLICY_ITEM_NAMESPACE, n);
		else
			n = namespace_make(name);
		if (!n)
			return -ENOMEM;
		ret->made[ret->nr_made++] = n;
	}
	return 0;
}

/* Of two sorted lists one; what is made is held once more. */
static int add_made(const struct policy_index *x, struct policy_set *set)
{
	size_t i = 0, j = 0, count = set->nr_namespaces + x->nr_made;
	struct model_namespace **both = malloc((count + 1) * sizeof(*both));

	if (!both)
		return -ENOMEM;
	for (size_t k = 0; k < count; k++) {
		if (j == x->nr_made ||
		    (i < set->nr_namespaces &&
		     strcmp(set->namespaces[i]->name, x->made[j]->name) < 0))
			both[k] = set->namespaces[i++];
		else
			both[k] = policy_item_hold(POLICY_ITEM_NAMESPACE,
						   x->made[j++]);
	}
	free(set->namespaces);
	set->namespaces = both;
	set->nr_namespaces = count;
	return 0;
}

/* A namespace that nobody describes has its name for a label. */
static int complete_namespaces(struct policy_index *x, struct policy_set *set)
{
	struct policy_index next = {};
	int err = make_missing(x, set, &next);

	if (err) {
		made_clear(&next);
		return err;
	}
	made_clear(x);
	x->made = next.made;
	x->nr_made = next.nr_made;
	return x->nr_made ? add_made(x, set) : 0;
}

static void policy_set_freep(struct policy_set **s)
{
	policy_set_free(*s);
}

static int set_make(struct policy_index *x,
		    const struct policy_index_round *round)
{
	__cleanup(policy_set_freep) struct policy_set *set = policy_set_new();
	int err = set ? 0 : -ENOMEM;

	for (int kind = 0; kind < NR_POLICY_ITEMS && !err; kind++)
		err = fill(&x->lists[kind], kind, set);
	err = err ?: complete_namespaces(x, set);
	if (err)
		return err;
	set->knows_all = round->knows_all;
	set->is_partial = round->is_partial;
	set->lacks_refused = round->lacks_refused;
	policy_set_free(x->set);
	x->set = take_ptr(set);
	x->is_new = false;
	return 0;
}

/* Nodes alone are there for services, too. */
static bool says_nothing(const struct policy_index *x,
			 const struct policy_index_round *round)
{
	return !round->says_policy &&
	       !x->lists[POLICY_ITEM_WORKLOAD].count &&
	       !x->lists[POLICY_ITEM_NAMESPACE].count &&
	       !x->lists[POLICY_ITEM_POLICY].count;
}

static bool is_round_of(const struct policy_set *set,
			const struct policy_index_round *round)
{
	return set->knows_all == round->knows_all &&
	       set->is_partial == round->is_partial &&
	       set->lacks_refused == round->lacks_refused;
}

int policy_index_set(struct policy_index *x,
		     const struct policy_index_round *round,
		     struct policy_set **ret)
{
	int err = 0;

	*ret = NULL;
	if (says_nothing(x, round)) {
		policy_set_free(x->set);
		x->set = NULL;
		return 0;
	}
	if (!x->set || x->is_new || !is_round_of(x->set, round))
		err = set_make(x, round);
	if (!err)
		*ret = policy_set_hold(x->set);
	return err;
}

static void list_clear(struct policy_list *l, enum policy_item kind)
{
	for (size_t i = 0; i < l->count; i++)
		said_clear(kind, &l->said[i]);
	for (size_t i = 0; i < l->nr_came; i++)
		said_clear(kind, &l->came[i]);
	for (size_t i = 0; i < l->nr_went; i++)
		policy_item_free(kind, l->went[i]);
	free(l->said);
	free(l->came);
	free(l->went);
}

void policy_index_clear(struct policy_index *x)
{
	for (int kind = 0; kind < NR_POLICY_ITEMS; kind++)
		list_clear(&x->lists[kind], kind);
	policy_set_free(x->set);
	made_clear(x);
	*x = (struct policy_index){};
}
