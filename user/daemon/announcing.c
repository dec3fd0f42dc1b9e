// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See announcing.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include <sys/epoll.h>

#include "announcing.h"
#include "base/addr.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "control.h"
#include "serving.h"

#define PREFIX_TEXT_MAX (ADDR_TEXT_MAX + 5)

static const struct model_announce off;

static const struct model_announce *settings_of(const struct announcing *a)
{
	return a->applying->model ? &a->applying->model->announce : &off;
}

static struct routes_place place_of(const struct model_announce *s)
{
	return (struct routes_place){ s->table, s->protocol };
}

static bool is_same_place(const struct routes_place *a,
			  const struct routes_place *b)
{
	return a->table == b->table && a->protocol == b->protocol;
}

/* As routers have it: with its length, also of a single address. */
static const char *prefix_text(const struct addr *addr, __u8 len,
			       char text[static PREFIX_TEXT_MAX])
{
	size_t end;

	addr_format(addr, text);
	end = strlen(text);
	snprintf(text + end, PREFIX_TEXT_MAX - end, "/%u",
		 addr_is4(addr) ? len - 96u : len);
	return text;
}

static void keep(struct announcing *a)
{
	int err = a->run_dir ? announce_kept_save(a->run_dir, &a->kept) : 0;

	if (err)
		log_warning(err, "cannot keep in \"%s\" what is announced, so that who comes after this daemon does not know",
			    a->run_dir);
}

/* Of a service of Kubernetes, what it is reached at from outside of its
 * cluster, and is not a node's. */
static bool is_announced_kind(const struct service *front)
{
	return front->kind == KIND_EDGE || front->kind == KIND_LB_VIP ||
	       front->kind == KIND_EXTERNAL_IP;
}

struct wanted {
	struct state_service *services;	/* owned */
	struct announce_service *list;	/* owned */
	size_t count;
};

static void wanted_free(struct wanted *w)
{
	free(w->services);
	free(w->list);
}

static void wanted_add(const struct announcing *a,
		       const struct state_service *s, struct wanted *w)
{
	const struct tables *t = parts_tables(a->parts);

	for (size_t i = 0; i < s->nr_entries; i++) {
		const struct service *front = &t->services[s->entries[i]];

		if (!is_announced_kind(front))
			continue;
		w->list[w->count++] = (struct announce_service){
			.addr = front->addr,
			.len = front->prefix_len,
			.verdict = serving_verdict(a->parts, a->checking, s,
						   front->flags &
						   SERVICE_POLICY_LOCAL),
			.name = s->info->name,
		};
	}
}

/* Of what is in force, not of what is wanted: nothing else is served. */
static int wanted_find(const struct announcing *a, struct wanted *w)
{
	const struct state *s = a->parts->state;
	size_t count = state_services(s, NULL, 0), fronts = 0;

	w->services = calloc(count + 1, sizeof(*w->services));
	if (!w->services)
		return -ENOMEM;
	count = state_services(s, w->services, count);
	for (size_t i = 0; i < count; i++)
		fronts += w->services[i].nr_entries;
	w->list = calloc(fronts + 1, sizeof(*w->list));
	if (!w->list)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		wanted_add(a, &w->services[i], w);
	return 0;
}

/* One uplink that works is a way in; routers see which of them it is. */
static bool is_cut_off(const struct announcing *a)
{
	const struct uplink_set *set = &a->uplinks->set;

	for (size_t i = 0; i < set->count; i++) {
		__u32 flags = nexthops_ifflags(a->parts->nexthops,
					       set->ifindexes[i]);

		if (flags & IFF_UP && flags & IFF_RUNNING &&
		    dp_is_attached(a->parts->dp, DP_HOOK_fl_xdp,
				   set->ifindexes[i]))
			return false;
	}
	return true;
}

static int decide(struct announcing *a)
{
	__cleanup(wanted_free) struct wanted w = {};
	const struct model *m = a->applying->model;
	int err = wanted_find(a, &w);

	return err ?: announce_decide(&a->announcer, &(struct announce_input){
		.settings = settings_of(a),
		.services = w.list,
		.nr_services = w.count,
		.is_known = m && !m->is_partial && !a->applying->pending,
		.is_cut_off = is_cut_off(a),
		.is_withdrawn = a->is_withdrawn,
		.is_drained = a->kept.is_drained,
		.drained_ms = a->kept.drained_ms,
		.now_ms = clock_ms(),
	});
}

static bool has(const struct announcing *a, const struct announce_route *route)
{
	return a->nr_have && bsearch(route, a->have, a->nr_have, sizeof(*route),
				     announce_route_compare);
}

static bool wants(const struct announcing *a,
		  const struct announce_route *route)
{
	const struct announce_address *at =
		announce_find(&a->announcer, &route->addr, route->len);

	return at && at->metric == route->metric;
}

static void say(const struct announcing *a, const char *what,
		const struct announce_route *route, const char *why)
{
	char text[PREFIX_TEXT_MAX];

	log_info("route %s: %s, metric %u%s%s", what,
		 prefix_text(&route->addr, route->len, text), route->metric,
		 *why ? ": " : "", why);
}

static void refuse_route(struct announcing *a, int err, const char *what,
			 const struct announce_route *route,
			 struct refusal *why)
{
	char text[PREFIX_TEXT_MAX];

	if (err == -EEXIST)
		refuse(why, 0, "a route of somebody else's is where %s is to be announced, in table %u with metric %u",
		       prefix_text(&route->addr, route->len, text),
		       a->kept.place.table, route->metric);
	else
		refuse(why, err, "cannot %s the route of %s: %s", what,
		       prefix_text(&route->addr, route->len, text),
		       strerror(-err));
}

/* Before others go: an address whose metric changes is never without. */
static void add_missing(struct announcing *a, struct refusal *why)
{
	for (size_t i = 0; i < a->announcer.count; i++) {
		const struct announce_address *at = &a->announcer.list[i];
		const struct announce_route route = { at->addr, at->len,
						      at->metric };
		int err;

		if (!at->metric || has(a, &route))
			continue;
		a->is_old = true;
		err = routes_add(a->routes, &a->kept.place, &route);
		if (err)
			refuse_route(a, err, "add", &route, why);
		else
			say(a, "added", &route, "");
	}
}

static const char *why_of(const struct announcing *a,
			  const struct announce_route *route,
			  char text[static ANNOUNCE_WHY_MAX])
{
	const struct announce_address *at =
		announce_find(&a->announcer, &route->addr, route->len);

	return at ? announce_why(at, clock_ms(), text) :
		    "no service is there any more";
}

static void remove_others(struct announcing *a, struct refusal *why)
{
	char text[ANNOUNCE_WHY_MAX];

	for (size_t i = 0; i < a->nr_have; i++) {
		const struct announce_route *route = &a->have[i];
		int err;

		if (wants(a, route))
			continue;
		a->is_old = true;
		err = routes_remove(a->routes, &a->kept.place, route);
		if (err)
			refuse_route(a, err, "delete", route, why);
		else
			say(a, "deleted", route, why_of(a, route, text));
	}
}

static int have_read(struct announcing *a)
{
	struct announce_route *list;
	size_t count;
	int err = routes_list(a->routes, &a->kept.place, &list, &count);

	if (err)
		return err;
	free(a->have);
	a->have = list;
	a->nr_have = count;
	a->is_old = false;
	return 0;
}

/* What was there before us is wanted until more is known. */
static int adopt(struct announcing *a)
{
	int err = 0;

	for (size_t i = 0; i < a->nr_have && !err; i++)
		err = announce_adopt(&a->announcer, &a->have[i].addr,
				     a->have[i].len, a->have[i].metric);
	a->is_adopted = !err;
	return err;
}

static void on_news(void *arg, __u32 events)
{
	struct announcing *a = arg;

	if (!routes_read(a->routes, &a->kept.place))
		return;
	a->is_old = true;
	announcing_check(a);
}

static int routes_begin(struct announcing *a)
{
	int err;

	if (a->routes)
		return 0;
	err = routes_open(&a->routes);
	if (!err)
		err = loop_add_fd(a->loop, routes_fd(a->routes), EPOLLIN,
				  on_news, a, &a->news);
	if (err) {
		routes_close(a->routes);
		a->routes = NULL;
	}
	a->is_old = true;
	return err;
}

/* They are somewhere else now: those are added there before these go. */
static int move(struct announcing *a, const struct routes_place *to,
		struct refusal *why)
{
	const struct routes_place from = a->kept.place;
	size_t count;
	int err = 0;

	a->kept.place = *to;
	keep(a);
	if (to->table) {
		err = have_read(a) ?: adopt(a);
		if (!err)
			add_missing(a, why);
	} else {
		announcer_clear(&a->announcer);
	}
	if (err || !from.table)
		return err;
	err = routes_remove_all(a->routes, &from, &count);
	log_info("%zu routes deleted: table %u and protocol %u are ours no more",
		 count, from.table, from.protocol);
	return err;
}

static int step(struct announcing *a, struct refusal *why)
{
	const struct routes_place to = place_of(settings_of(a));
	int err = routes_begin(a);

	if (!err && a->kept.place.table && a->is_old)
		err = have_read(a);
	if (!err && a->kept.place.table && !a->is_adopted)
		err = adopt(a);
	if (!err)
		err = decide(a);
	if (err)
		return err;
	if (!is_same_place(&a->kept.place, &to))
		err = move(a, &to, why);
	if (err || !to.table)
		return err;
	add_missing(a, why);
	remove_others(a, why);
	return a->is_old ? have_read(a) : 0;
}

/* Until something is to be announced, or was, nothing is asked of anybody. */
static bool is_needed(const struct announcing *a)
{
	if (dp_is_shadow(a->parts->dp))
		return false;	/* nothing is served */
	return a->loop && a->applying->model &&
	       (settings_of(a)->table || a->kept.place.table);
}

void announcing_check(struct announcing *a)
{
	struct refusal why = {};
	int err;

	if (!is_needed(a))
		return;
	err = step(a, &why);
	/* Routes changed while they were read: next time. */
	if (err && err != -EINTR)
		refuse(&why, err, "cannot keep routes of table %u in step: %s",
		       a->kept.place.table, strerror(-err));
	if (*why.text && strcmp(why.text, a->refusal.text))
		log_warning(0, "%s", why.text);
	a->refusal = why;
}

void announcing_refresh(struct announcing *a)
{
	a->is_old = true;
}

void announcing_start(struct announcing *a, struct loop *l, const char *run_dir)
{
	a->loop = l;
	a->run_dir = run_dir;
	if (run_dir)
		announce_kept_load(run_dir, &a->kept);
	if (!a->kept.place.table)
		a->kept.place = place_of(settings_of(a));
	/* Of another boot, perhaps: it is drained, and for long enough. */
	if (a->kept.is_drained && a->kept.drained_ms > clock_ms())
		a->kept.drained_ms = 0;
	if (a->kept.place.table)
		keep(a);
	announcing_check(a);
}

void announcing_stop(struct announcing *a)
{
	event_remove(a->news);
	routes_close(a->routes);
	announcer_clear(&a->announcer);
	free(a->have);
	a->news = NULL;
	a->routes = NULL;
	a->have = NULL;
	a->loop = NULL;
}

static bool is_in_kernel(const struct announcing *a,
			 const struct announce_address *at)
{
	const struct announce_route route = { at->addr, at->len, at->metric };

	return at->metric && has(a, &route);
}

void announcing_each(const struct announcing *a,
		     void (*fn)(void *arg, const char *prefix, bool is_so),
		     void *arg)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < a->announcer.count; i++) {
		const struct announce_address *at = &a->announcer.list[i];

		fn(arg, prefix_text(&at->addr, at->len, text),
		   is_in_kernel(a, at));
	}
}

static json_t *address_json(const struct announcing *a,
			    const struct announce_address *at)
{
	char text[PREFIX_TEXT_MAX], why[ANNOUNCE_WHY_MAX];
	bool is_so = is_in_kernel(a, at);
	const char *reason = announce_why(at, clock_ms(), why);

	if (at->metric && !is_so)
		reason = *a->refusal.text ? a->refusal.text : "in a moment";
	return json_pack("{s:s, s:b, s:s, s:o, s:s}", "address",
			 prefix_text(&at->addr, at->len, text), "announced",
			 is_so, "state", announce_state_name(at->state),
			 "metric", is_so ? json_integer(at->metric) :
					   json_null(),
			 "why", reason);
}

static json_t *addresses_json(const struct announcing *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->announcer.count; i++)
		json_array_append_new(list,
				      address_json(a, &a->announcer.list[i]));
	return list;
}

json_t *announcing_list(const struct announcing *a)
{
	const struct model_announce *s = settings_of(a);

	return json_pack("{s:b, s:b, s:I, s:i, s:b, s:b, s:o}", "ok", 1,
			 "on", s->table != 0, "table", (json_int_t)s->table,
			 "protocol", s->protocol, "drained",
			 a->kept.is_drained, "withdrawn", a->is_withdrawn,
			 "addresses", addresses_json(a));
}

json_t *announcing_status(const struct announcing *a)
{
	if (!settings_of(a)->table && !a->kept.is_drained)
		return json_null();
	return announcing_list(a);
}

json_t *announcing_act(struct announcing *a, const json_t *request)
{
	const char *action = json_string_value(json_object_get(request,
							       "action"));

	if (!action)
		return control_refuse("an action is needed");
	if (!strcmp(action, "drain")) {
		if (!settings_of(a)->table)
			return control_refuse("there is nothing to drain: definitions do not say \"announce:\"");
		if (!a->kept.is_drained)
			a->kept.drained_ms = clock_ms();
		a->kept.is_drained = true;
	} else if (!strcmp(action, "undrain")) {
		a->kept.is_drained = false;
		a->is_withdrawn = false;
	} else if (!strcmp(action, "withdraw")) {
		a->is_withdrawn = true;
	} else {
		return control_refuse("no action \"%s\"", action);
	}
	log_info("by hand: %s of this node's addresses", action);
	keep(a);
	announcing_check(a);
	return announcing_list(a);
}
