// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See enforcing.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "control.h"
#include "enforcing.h"
#include "host_addrs.h"
#include "others.h"
#include "policy_answers.h"

#define HOST_RETRY_MAX_S 64

void enforcing_clear(struct enforcing *p)
{
	policy_free(p->state);
	policy_set_free(p->set);
	free(p->placed);
	registry_clear(&p->registry);
}

bool enforcing_is_wanted(const struct model *m)
{
	const struct policy_set *s = m->policy;

	return s && (s->nr_workloads || s->nr_policies || s->knows_all);
}

/* All is compiled for it: what failed is tried less and less often. */
static void retry_later(struct enforcing *p, __u64 host, int err,
			const char *text)
{
	struct host_retry *r = &p->retry;

	r->wait_s = r->host != host ? 1 :
		    r->wait_s < HOST_RETRY_MAX_S ? 2 * r->wait_s : r->wait_s;
	r->host = host;
	r->next_s = dp_now_s() + r->wait_s;
	refuse(&r->why, err, "policies do not know this host's addresses: %.400s",
	       *text ? text : strerror(-err));
}

static bool is_too_early(const struct enforcing *p, __u64 host)
{
	return p->retry.host == host &&
	       (__s32)(dp_now_s() - p->retry.next_s) < 0;
}

static void follow_host(struct enforcing *p)
{
	struct host_addrs h = host_count(p->parts->nexthops);
	char text[POLICY_TEXT_MAX] = "";
	int err = 0;

	if (h.digest != p->host && is_too_early(p, h.digest)) {
		p->refusal = p->retry.why;
		return;
	}
	if (h.digest != p->host) {
		if (!host_list(p->parts->nexthops, &h))
			return;
		err = policy_set_host(p->state, h.list, h.count, dp_now_s(),
				      text);
	}
	if (err) {
		retry_later(p, h.digest, err, text);
		p->refusal = p->retry.why;
	} else {
		p->host = h.digest;
		p->retry = (struct host_retry){};
	}
	free(h.list);
}

/* The first of those whose policies are too many, and how many there are. */
static void find_cut(struct enforcing *p)
{
	const struct policy_compiled *c = policy_compiled(p->state);
	char first[POLICY_TEXT_MAX], text[POLICY_TEXT_MAX];
	unsigned int count = 0;

	for (size_t i = 0; c && i < p->nr_placed; i++)
		if (policy_is_cut(c, p->placed[i].workload,
				  count ? text : first))
			count++;
	p->cut = (struct refusal){};
	if (count == 1)
		refuse(&p->cut, 0, "%.480s", first);
	else if (count)
		refuse(&p->cut, 0, "%.420s; %u more have too many rules",
		       first, count - 1);
}

static void find_given_up(struct enforcing *p)
{
	char text[POLICY_TEXT_MAX];

	p->contest = p->closed = (struct refusal){};
	if (policy_closed(policy_compiled(p->state), text))
		refuse(&p->closed, 0, "%.500s", text);
	if (policy_contest(policy_compiled(p->state), text))
		refuse(&p->contest, 0, "%.500s", text);
}

void enforcing_follow(struct enforcing *p)
{
	struct refusal before = p->refusal;

	if (!p->set)
		return;
	p->refusal = (struct refusal){};
	follow_host(p);
	placed_follow(p);
	find_cut(p);
	find_given_up(p);
	if (*p->refusal.text && strcmp(before.text, p->refusal.text))
		log_error(0, "%s", p->refusal.text);
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
		others_adopt(p, &others);
	others_replace(p, &others);
	p->retry = (struct host_retry){};
	policy_set_free(p->set);
	p->set = s ? policy_set_hold(s) : NULL;
	if (!s)
		p->refusal = p->missing = p->cut = p->contest = p->closed =
			(struct refusal){};
	enforcing_follow(p);
	others_take_away_left(p, &others);
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
	open_limits_check(&p->limits, parts_tables(p->parts), p->state,
			  dp_now_s());
}

/* Whoever was said to be there is not, nor is that name elsewhere. */
static void forget_before(struct enforcing *p, const char *namespace,
			  const char *name, __u32 ifindex)
{
	struct placed *there = placed_at(p, ifindex);
	struct placed *at = placed_find(p, namespace, name);
	struct registered *r = registered_at(&p->registry, ifindex);

	if (there)
		there->ifindex = 0;
	if (at)
		at->has_moved = true;
	if (r)
		registered_drop(&p->registry, r);
	r = registered_find(&p->registry, namespace, name);
	if (!r)
		return;
	if (!placed_at(p, r->ifindex))
		placed_take_away(p, r->ifindex);
	registered_drop(&p->registry, r);
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
	if (!registered_add(&p->registry, namespace, name, ifindex, mac))
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
	json_t *ret = NULL, *end;
	struct host_addrs h;
	size_t i;

	if (json_unpack((json_t *)request, "{s:s, s:s, s:s}", "from", &from,
			"to", &to, "what", &what))
		return control_refuse("from, to and what are needed");
	if (!p->set)
		return control_refuse("no policies are in force");
	h = host_count(p->parts->nexthops);
	if (host_list(p->parts->nexthops, &h))
		ret = policy_explain_json(p->set, h.list, h.count, from, to,
					  what);
	free(h.list);
	json_array_foreach(json_object_get(ret, "ends"), i, end)
		tell_held(p, end);
	return ret;
}
