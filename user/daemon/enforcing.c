// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See enforcing.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

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
static bool is_where_it_was(struct nexthops *n, const struct placed *p)
{
	__u32 ifindex;

	if (!p->ifindex || !nexthops_ifname(n, p->ifindex))
		return false;
	return !*p->workload->interface ||
	       (!nexthops_ifindex(n, p->workload->interface, &ifindex) &&
		ifindex == p->ifindex);
}

static void take_away(struct enforcing *p, __u32 ifindex)
{
	policy_unplace(p->state, ifindex, dp_now_s());
}

/* Where unknown interfaces are closed, who was not known has no connections. */
static void put_at(struct enforcing *p, struct placed *at, __u32 ifindex)
{
	const struct model_workload *w = at->workload;
	int err;

	if (at->ifindex && at->ifindex != ifindex)
		take_away(p, at->ifindex);
	at->ifindex = ifindex;
	if (!ifindex)
		return;
	err = policy_place(p->state, w->namespace, w->name, ifindex, NULL,
			   !p->set->knows_all, dp_now_s());
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
	struct nexthops *n = p->parts->nexthops;

	for (size_t i = 0; i < p->nr_placed; i++) {
		struct placed *at = &p->placed[i];

		if (!is_where_it_was(n, at))
			put_at(p, at, find_interface(p, at->workload));
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

/* The list is the caller's; NULL: out of memory. */
static struct host_addrs host_addrs(const struct enforcing *p)
{
	struct host_addrs h = {};

	nexthops_each_local(p->parts->nexthops, add_addr, &h);
	h.room = h.count;
	h.list = calloc(h.room + 1, sizeof(*h.list));
	h.count = h.digest = 0;
	if (h.list)
		nexthops_each_local(p->parts->nexthops, add_addr, &h);
	return h;
}

static void follow_host(struct enforcing *p)
{
	struct host_addrs h = host_addrs(p);
	char text[POLICY_TEXT_MAX] = "";
	int err = 0;

	if (h.list && h.digest != p->host)
		err = policy_set_host(p->state, h.list, h.count, dp_now_s(),
				      text);
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
	if (*p->refusal.text && strcmp(before.text, p->refusal.text))
		log_error(0, "%s", p->refusal.text);
}

static int compare(const struct model_workload *a,
		   const struct model_workload *b)
{
	int sign = strcmp(a->namespace, b->namespace);

	return sign ? sign : strcmp(a->name, b->name);
}

/* In place of those before; both in order of names. Whoever stays is where it
 * was, until that turns out not to be so. */
static void replace(struct enforcing *p, struct placed *list, size_t count)
{
	size_t j = 0;

	for (size_t i = 0; i < p->nr_placed; i++) {
		const struct placed *old = &p->placed[i];

		while (j < count &&
		       compare(list[j].workload, old->workload) < 0)
			j++;
		if (j < count && !compare(list[j].workload, old->workload))
			list[j].ifindex = old->ifindex;
		else if (old->ifindex)
			take_away(p, old->ifindex);
	}
	free(p->placed);
	p->placed = list;
	p->nr_placed = count;
}

/* Those of s that are here; s NULL: none. */
static struct placed *list_here(const struct policy_set *s, size_t *ret_count)
{
	struct placed *list = calloc((s ? s->nr_workloads : 0) + 1,
				     sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; list && s && i < s->nr_workloads; i++)
		if (s->workloads[i]->is_here &&
		    !s->workloads[i]->is_host_network)
			list[count++].workload = s->workloads[i];
	*ret_count = count;
	return list;
}

static int put_in_force(struct enforcing *p, struct policy_set *s,
			struct refusal *why)
{
	char text[POLICY_TEXT_MAX] = "";
	struct policy_result result;
	struct placed *list;
	size_t count;
	int err;

	list = list_here(s, &count);
	if (!list)
		return refuse(why, -ENOMEM, "no memory for workloads");
	err = policy_apply(p->state, s, dp_now_s(), &result, text);
	if (err) {
		free(list);
		return refuse(why, err, "%s", *text ? text : strerror(-err));
	}
	replace(p, list, count);
	policy_set_free(p->set);
	p->set = s ? policy_set_hold(s) : NULL;
	enforcing_follow(p);
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

/* NULL: out of memory. */
static struct registered *registered_add(struct enforcing *p,
					 const char *namespace,
					 const char *name)
{
	struct registered *list, r = {
		.namespace = strdup(namespace),
		.name = strdup(name),
	};

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

int enforcing_register(struct enforcing *p, const char *namespace,
		       const char *name, const char *interface,
		       const __u8 *mac)
{
	struct registered *r = registered_find(p, namespace, name);
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
	if (!r)
		r = registered_add(p, namespace, name);
	if (!r)
		return -ENOMEM;
	r->ifindex = ifindex;
	return 0;
}

json_t *enforcing_explain(const struct enforcing *p, const json_t *request)
{
	const char *from, *to, *what;
	struct host_addrs h;
	json_t *ret;

	if (json_unpack((json_t *)request, "{s:s, s:s, s:s}", "from", &from,
			"to", &to, "what", &what))
		return control_refuse("from, to and what are needed");
	if (!p->set)
		return control_refuse("no policies are in force");
	h = host_addrs(p);
	ret = h.list ? policy_explain_json(p->set, h.list, h.count, from, to,
					   what) : NULL;
	free(h.list);
	return ret;
}
