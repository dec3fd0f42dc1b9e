// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See enforcing.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "control.h"
#include "enforcing.h"
#include "open_limits.h"
#include "policy_answers.h"

static void registered_clear(struct registered *r)
{
	free(r->namespace);
	free(r->name);
}

void enforcing_clear(struct enforcing *p)
{
	policy_free(p->state);
	policy_set_free(p->set);
	free(p->placed);
	for (size_t i = 0; i < p->nr_registered; i++)
		registered_clear(&p->registered[i]);
	free(p->registered);
}

bool enforcing_is_wanted(const struct model *m)
{
	const struct policy_set *s = m->policy;

	return s && (s->nr_workloads || s->nr_policies || s->knows_all);
}

static struct registered *registered_find(const struct enforcing *p,
					  const char *namespace,
					  const char *name)
{
	for (size_t i = 0; i < p->nr_registered; i++)
		if (!strcmp(p->registered[i].namespace, namespace) &&
		    !strcmp(p->registered[i].name, name))
			return &p->registered[i];
	return NULL;
}

static struct registered *registered_at(const struct enforcing *p,
					__u32 ifindex)
{
	for (size_t i = 0; i < p->nr_registered; i++)
		if (p->registered[i].ifindex == ifindex)
			return &p->registered[i];
	return NULL;
}

/* NULL: out of memory. */
static struct registered *registered_add(struct enforcing *p,
					 const char *namespace,
					 const char *name, __u32 ifindex,
					 const __u8 *mac)
{
	struct registered *list, r = {
		.namespace = strdup(namespace),
		.name = strdup(name),
		.ifindex = ifindex,
	};

	if (mac)
		memcpy(r.mac, mac, sizeof(r.mac));
	list = realloc(p->registered, (p->nr_registered + 1) * sizeof(*list));
	if (list)
		p->registered = list;
	if (!list || !r.namespace || !r.name) {
		registered_clear(&r);
		return NULL;
	}
	list[p->nr_registered] = r;
	return &list[p->nr_registered++];
}

static __u32 find_interface(const struct enforcing *p,
			    const struct model_workload *w)
{
	const struct registered *r = registered_find(p, w->namespace, w->name);
	struct nexthops *n = p->parts->nexthops;
	__u32 ifindex = 0;

	if (r)
		return r->ifindex;

	if (*w->interface)
		return nexthops_ifindex(n, w->interface, &ifindex) ? 0 :
								     ifindex;
	for (size_t i = 0; i < w->nr_addrs && !ifindex; i++)
		ifindex = nexthops_container(n, &w->addrs[i]);
	return ifindex;
}

/* A name may have gone to another interface; who is found by address is asked
 * for again when its interface is gone. */
static bool is_where_it_was(const struct enforcing *p, const struct placed *at)
{
	const struct model_workload *w = at->workload;
	const char *name = at->ifindex ? nexthops_ifname(p->parts->nexthops,
							 at->ifindex) : NULL;
	const struct registered *r;

	if (!name)
		return false;
	if (!*w->interface || !strcmp(name, w->interface))
		return true;
	r = registered_find(p, w->namespace, w->name);
	return r && r->ifindex == at->ifindex;
}

static void take_away(struct enforcing *p, __u32 ifindex)
{
	policy_unplace(p->state, ifindex, dp_now_s());
}

static struct placed *placed_at(const struct enforcing *p, __u32 ifindex)
{
	for (size_t i = 0; i < p->nr_placed; i++)
		if (p->placed[i].ifindex == ifindex)
			return &p->placed[i];
	return NULL;
}

static struct placed *placed_find(const struct enforcing *p,
				  const char *namespace, const char *name)
{
	for (size_t i = 0; i < p->nr_placed; i++)
		if (!strcmp(p->placed[i].workload->namespace, namespace) &&
		    !strcmp(p->placed[i].workload->name, name))
			return &p->placed[i];
	return NULL;
}

/* Who may have an interface, the larger the rather: people name what they like
 * in an object, and addresses are used again by who comes later. */
enum surety { NAMED, ADDRESSED_ONCE, ADDRESSED, REGISTERED };

static enum surety how_sure(const struct enforcing *p, const struct placed *at,
			    __u32 ifindex)
{
	const struct model_workload *w = at->workload;
	const struct registered *r = registered_find(p, w->namespace, w->name);

	if (r)
		return r->ifindex == ifindex ? REGISTERED : NAMED;
	for (size_t i = 0; i < w->nr_addrs; i++)
		if (nexthops_container(p->parts->nexthops, &w->addrs[i]) ==
		    ifindex)
			return at->has_lost ? ADDRESSED_ONCE : ADDRESSED;
	return NAMED;
}

static void refuse_interface(struct enforcing *p, const struct placed *at,
			     __u32 ifindex, const char *namespace,
			     const char *name)
{
	refuse(&p->refusal, 0, "workload \"%s/%s\" cannot be policed: its "
	       "interface \"%s\" is that of \"%s/%s\"",
	       at->workload->namespace, at->workload->name,
	       nexthops_ifname(p->parts->nexthops, ifindex) ?: "?", namespace,
	       name);
}

/* An interface has one workload: whoever else seems to be there is without. */
static bool may_have(struct enforcing *p, const struct placed *at,
		     __u32 ifindex)
{
	const struct registered *r = registered_at(p, ifindex);
	const struct model_workload *w = at->workload;
	struct placed *other = placed_at(p, ifindex);
	bool is_there;

	if (r && r != registered_find(p, w->namespace, w->name)) {
		refuse_interface(p, at, ifindex, r->namespace, r->name);
		return false;
	}
	if (!other || other == at)
		return true;
	is_there = is_where_it_was(p, other) && !other->has_moved;
	if (is_there &&
	    how_sure(p, at, ifindex) <= how_sure(p, other, ifindex)) {
		refuse_interface(p, at, ifindex, other->workload->namespace,
				 other->workload->name);
		return false;
	}
	other->ifindex = 0;
	if (is_there)
		refuse_interface(p, other, ifindex, w->namespace, w->name);
	return true;
}

/* Where unknown interfaces are closed, who was not known has no connections. */
static void put_at(struct enforcing *p, struct placed *at, __u32 ifindex)
{
	const struct model_workload *w = at->workload;
	const struct registered *r = registered_find(p, w->namespace, w->name);
	int err;

	if (ifindex && !may_have(p, at, ifindex))
		ifindex = 0;
	if (at->ifindex && at->ifindex != ifindex) {
		take_away(p, at->ifindex);
		at->has_lost = true;
	}
	at->ifindex = ifindex;
	if (!ifindex)
		return;
	err = policy_place(p->state, w->namespace, w->name, ifindex,
			   r ? r->mac : NULL, !p->set->knows_all, dp_now_s());
	if (!err)
		return;
	refuse(&p->refusal, err, "workload \"%s/%s\" cannot be policed: %s",
	       w->namespace, w->name, strerror(-err));
	at->ifindex = 0;
}

/* Those whose interface is gone are forgotten. */
static void follow_registered(struct enforcing *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->nr_registered; i++) {
		struct registered *r = &p->registered[i];

		if (nexthops_ifname(p->parts->nexthops, r->ifindex)) {
			p->registered[kept++] = *r;
			continue;
		}
		take_away(p, r->ifindex);
		registered_clear(r);
	}
	p->nr_registered = kept;
}

static void follow_each(struct enforcing *p)
{
	for (size_t i = 0; i < p->nr_placed; i++) {
		struct placed *at = &p->placed[i];
		const bool is_there = is_where_it_was(p, at);
		__u32 ifindex;

		if (is_there && !at->has_moved)
			continue;
		ifindex = find_interface(p, at->workload);
		if (is_there && !ifindex)
			continue;
		at->has_moved = false;
		put_at(p, at, ifindex);
	}
}

/* Not to be found yet, or not any more: it may be that it does not run. */
static void count_missing(struct enforcing *p)
{
	const struct model_workload *first = NULL, *w;
	unsigned int count = 0;

	for (size_t i = 0; i < p->nr_placed; i++) {
		w = p->placed[i].workload;
		if (p->placed[i].ifindex || (!*w->interface && !w->nr_addrs))
			continue;
		if (!count++)
			first = w;
	}
	p->missing = (struct refusal){};
	if (count)
		refuse(&p->missing, 0, "%u workloads of this node are behind "
		       "no interface that is known, one of them \"%s/%s\", so "
		       "that %s", count, first->namespace, first->name,
		       p->set->knows_all ? "they are closed" :
					   "nothing holds them to policies");
}

/* What is placed where none of our programs is holds nobody to anything. */
static void check_attached(struct enforcing *p)
{
	for (size_t i = 0; i < p->nr_placed; i++) {
		const struct placed *at = &p->placed[i];

		if (!at->ifindex || pods_are_at(p->pods, at->ifindex))
			continue;
		refuse(&p->refusal, 0, "workload \"%s/%s\" is not policed: its "
		       "interface \"%s\" does not look like a container's",
		       at->workload->namespace, at->workload->name,
		       nexthops_ifname(p->parts->nexthops, at->ifindex) ?: "?");
		return;
	}
}

struct host_addrs {
	struct addr *list;
	size_t count, room;
	__u64 digest;
};

static void add_addr(void *data, const struct addr *a)
{
	static const __u32 key[4] = { 1, 2, 3, 4 };
	struct host_addrs *h = data;

	if (h->count < h->room)
		h->list[h->count] = *a;
	h->count++;
	/* in any order */
	h->digest += hash_mix(hash_addr(key, 0, a));
}

/* Without a list. */
static struct host_addrs host_count(const struct enforcing *p)
{
	struct host_addrs h = {};

	nexthops_each_local(p->parts->nexthops, add_addr, &h);
	return h;
}

/* The list of what host_count() counted is the caller's; false: out of memory. */
static bool host_list(const struct enforcing *p, struct host_addrs *h)
{
	h->room = h->count;
	h->list = calloc(h->room + 1, sizeof(*h->list));
	h->count = h->digest = 0;
	if (h->list)
		nexthops_each_local(p->parts->nexthops, add_addr, h);
	return h->list;
}

static void follow_host(struct enforcing *p)
{
	struct host_addrs h = host_count(p);
	char text[POLICY_TEXT_MAX] = "";
	int err;

	if (h.digest == p->host || !host_list(p, &h))
		return;
	err = policy_set_host(p->state, h.list, h.count, dp_now_s(), text);
	if (err)
		refuse(&p->refusal, err, "policies do not know this host's addresses: %s",
		       *text ? text : strerror(-err));
	else
		p->host = h.digest;
	free(h.list);
}

void enforcing_follow(struct enforcing *p)
{
	struct refusal before = p->refusal;

	if (!p->set)
		return;
	p->refusal = (struct refusal){};
	follow_host(p);
	follow_registered(p);
	follow_each(p);
	check_attached(p);
	count_missing(p);
	if (*p->refusal.text && strcmp(before.text, p->refusal.text))
		log_error(0, "%s", p->refusal.text);
}

static int compare(const struct model_workload *a,
		   const struct model_workload *b)
{
	int sign = strcmp(a->namespace, b->namespace);

	return sign ? sign : strcmp(a->name, b->name);
}

/* Those that are here, and interfaces of some that are not any more. */
struct others {
	struct placed *list;	/* owned, but for what p takes */
	size_t count;
	__u32 *left;		/* owned */
	size_t nr_left;
};

/* What was known of a workload goes on being so, until it turns out not to. */
static void inherit(struct placed *to, const struct placed *from)
{
	const struct model_workload *is = to->workload, *was = from->workload;

	to->ifindex = from->ifindex;
	to->has_lost = from->has_lost;
	to->has_moved = from->has_moved || is->nr_addrs != was->nr_addrs ||
			(is->nr_addrs && memcmp(is->addrs, was->addrs,
						is->nr_addrs *
						sizeof(*is->addrs)));
}

/* In place of those before; both in order of names. */
static void replace(struct enforcing *p, struct others *o)
{
	size_t j = 0;

	for (size_t i = 0; i < p->nr_placed; i++) {
		const struct placed *old = &p->placed[i];

		while (j < o->count &&
		       compare(o->list[j].workload, old->workload) < 0)
			j++;
		if (j < o->count &&
		    !compare(o->list[j].workload, old->workload))
			inherit(&o->list[j], old);
		else if (old->ifindex)
			o->left[o->nr_left++] = old->ifindex;
	}
	free(p->placed);
	p->placed = take_ptr(o->list);
	p->nr_placed = o->count;
}

/* Last of all: whoever came may have been given one of these, and is not
 * without its policy for a moment. */
static void take_away_left(struct enforcing *p, const struct others *o)
{
	for (size_t i = 0; i < o->nr_left; i++)
		if (!placed_at(p, o->left[i]) && !registered_at(p, o->left[i]))
			take_away(p, o->left[i]);
}

/* Those of s that are here; s NULL: none. False: no memory. */
static bool others_of(const struct enforcing *p, const struct policy_set *s,
		      struct others *ret)
{
	size_t count = s ? s->nr_workloads : 0;
	struct policy_usage usage;

	policy_usage(p->state, &usage);
	ret->list = calloc(count + 1, sizeof(*ret->list));
	ret->left = calloc(p->nr_placed + usage.workloads + 1,
			   sizeof(*ret->left));
	if (!ret->list || !ret->left)
		return false;
	for (size_t i = 0; i < count; i++)
		if (s->workloads[i]->is_here &&
		    !s->workloads[i]->is_host_network)
			ret->list[ret->count++].workload = s->workloads[i];
	return true;
}

/* NULL: not among them. */
static struct placed *others_find(const struct others *o,
				  const struct policy_place *at)
{
	size_t low = 0, high = o->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct model_workload *w = o->list[middle].workload;
		int order = strcmp(w->namespace, at->namespace);

		order = order ? order : strcmp(w->name, at->name);
		if (!order)
			return &o->list[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct adopting {
	struct enforcing *p;
	struct others *others;
};

/* Where those are who were not registered, files and addresses say. */
static int adopt(void *arg, const struct policy_place *at)
{
	const struct adopting *a = arg;
	struct others *o = a->others;
	struct placed *to = others_find(o, at);

	if (to && !to->ifindex) {
		to->ifindex = at->ifindex;
		to->has_moved = true;
	} else {
		o->left[o->nr_left++] = at->ifindex;
	}
	if (!(at->entry->flags & WORKLOAD_REGISTERED) ||
	    registered_find(a->p, at->namespace, at->name))
		return 0;
	return registered_add(a->p, at->namespace, at->name, at->ifindex,
			      at->entry->mac) ? 0 : -ENOMEM;
}

/* What a daemon before us has placed, of which much may have changed. */
static void adopt_all(struct enforcing *p, struct others *o)
{
	struct adopting a = { p, o };

	if (!p->has_adopted && policy_places(p->state, adopt, &a))
		log_warning(0, "no memory for who was registered before");
	p->has_adopted = true;
}

static void others_clear(struct others *o)
{
	free(o->list);
	free(o->left);
}

static int put_in_force(struct enforcing *p, struct policy_set *s,
			struct refusal *why)
{
	__cleanup(others_clear) struct others others = {};
	char text[POLICY_TEXT_MAX] = "";
	struct policy_result result;
	int err;

	if (!others_of(p, s, &others))
		return refuse(why, -ENOMEM, "no memory for workloads");
	err = policy_apply(p->state, s, dp_now_s(), &result, text);
	if (err)
		return refuse(why, err, "%s", *text ? text : strerror(-err));
	if (s)
		adopt_all(p, &others);
	replace(p, &others);
	policy_set_free(p->set);
	p->set = s ? policy_set_hold(s) : NULL;
	if (!s)
		p->refusal = p->missing = (struct refusal){};
	enforcing_follow(p);
	take_away_left(p, &others);
	return 0;
}

/* The host's addresses are known before anything is judged without them. */
static int begin(struct enforcing *p, struct refusal *why)
{
	int err = policy_new(parts_tables(p->parts), dp_now_s(), &p->state);

	if (err)
		return refuse(why, err, "cannot read the tables of policies: "
			      "%s", strerror(-err));
	follow_host(p);
	return 0;
}

static bool is_partial(const struct model *m)
{
	return m->policy ? m->policy->is_partial : m->is_partial;
}

/* May what the daemon before put in force be what is refused now? Then it
 * stays, until that is mended. */
static bool may_be_kept(const struct enforcing *p, const struct policy_set *s)
{
	struct policy_usage usage;

	if (p->set || !s || !s->lacks_refused)
		return false;
	policy_usage(p->state, &usage);
	return usage.workloads;
}

int enforcing_apply(struct enforcing *p, const struct model *m,
		   struct refusal *why)
{
	struct policy_set *s = enforcing_is_wanted(m) ? m->policy : NULL;
	const bool is_first = !p->state;
	int err = 0;

	p->is_waiting = is_partial(m);
	if (p->is_waiting || (!is_first && p->set == s))
		return 0;
	if (is_first)
		err = begin(p, why);
	if (err)
		return err;
	p->is_waiting = may_be_kept(p, s);
	return p->is_waiting ? 0 : put_in_force(p, s, why);
}

void enforcing_check(struct enforcing *p)
{
	if (!p->state)
		return;
	enforcing_follow(p);
	policy_tick(p->state, dp_now_s());
	open_limits_check(p->parts, p->state);
}

static void registered_drop(struct enforcing *p, struct registered *r)
{
	registered_clear(r);
	*r = p->registered[--p->nr_registered];
}

/* Whoever was said to be there is not, nor is that name elsewhere. */
static void forget_before(struct enforcing *p, const char *namespace,
			  const char *name, __u32 ifindex)
{
	struct placed *there = placed_at(p, ifindex);
	struct placed *at = placed_find(p, namespace, name);
	struct registered *r = registered_at(p, ifindex);

	if (there)
		there->ifindex = 0;
	if (at)
		at->has_moved = true;
	if (r)
		registered_drop(p, r);
	r = registered_find(p, namespace, name);
	if (!r)
		return;
	if (!placed_at(p, r->ifindex))
		take_away(p, r->ifindex);
	registered_drop(p, r);
}

int enforcing_register(struct enforcing *p, const char *namespace,
		       const char *name, const char *interface,
		       const __u8 *mac)
{
	__u32 ifindex;
	int err;

	if (!p->set)
		return p->is_waiting ? -EAGAIN : 0;
	err = nexthops_ifindex(p->parts->nexthops, interface, &ifindex);
	if (err)
		return err;
	err = policy_place(p->state, namespace, name, ifindex, mac, false,
			   dp_now_s());
	if (err)
		return err;
	policy_set_registered(p->state, ifindex);
	forget_before(p, namespace, name, ifindex);
	if (!registered_add(p, namespace, name, ifindex, mac))
		return -ENOMEM;
	enforcing_follow(p);
	return 0;
}

/* Of workloads of this node: does what is said hold, or where is it not? */
static void tell_held(const struct enforcing *p, json_t *end)
{
	const char *name = json_string_value(json_object_get(end, "workload"));
	const char *slash = name ? strchr(name, '/') : NULL;
	char namespace[256];
	const struct placed *at;

	if (!slash)
		return;
	snprintf(namespace, sizeof(namespace), "%.*s", (int)(slash - name),
		 name);
	at = placed_find(p, namespace, slash + 1);
	if (!at)
		return;
	json_object_set_new(end, "held", json_string(
		at->ifindex && pods_are_at(p->pods, at->ifindex) ? "yes" :
		p->set->knows_all ? "closed" : "no"));
}

json_t *enforcing_explain(const struct enforcing *p, const json_t *request)
{
	const char *from, *to, *what;
	struct host_addrs h;
	json_t *ret, *end;
	size_t i;

	if (json_unpack((json_t *)request, "{s:s, s:s, s:s}", "from", &from,
			"to", &to, "what", &what))
		return control_refuse("from, to and what are needed");
	if (!p->set)
		return control_refuse("no policies are in force");
	h = host_count(p);
	ret = host_list(p, &h) ? policy_explain_json(p->set, h.list, h.count,
						     from, to, what) : NULL;
	free(h.list);
	json_array_foreach(json_object_get(ret, "ends"), i, end)
		tell_held(p, end);
	return ret;
}
