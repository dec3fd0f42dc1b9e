// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The daemon's life: what it joins is opened, told of events and closed here.
 * What each object does stands in its own file; see daemon.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <netinet/ether.h>

#include <sys/epoll.h>

#include "announcing.h"
#include "answers.h"
#include "applying.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/cleanup.h"
#include "control.h"
#include "daemon.h"
#include "hints.h"
#include "host/veth.h"
#include "loading.h"
#include "metrics.h"
#include "overview.h"
#include "model/conns_repair.h"
#include "parts.h"
#include "pods.h"
#include "enforcing.h"
#include "policy_answers.h"
#include "probes.h"
#include "size_errors.h"
#include "sockets.h"
#include "source/api.h"
#include "source/containers.h"
#include "source/event.h"
#include "sync.h"
#include "uplinks.h"
#include "verdicts.h"
#include "ways.h"

#define TICK_MS 1000
#define REFRESH_MS 10000
#define FRAGMENT_MS 2

struct daemon {
	struct parts parts;
	struct loading loading;
	struct uplinks uplinks;
	struct ways ways;
	struct pods pods;
	struct enforcing enforcing;
	struct verdicts verdicts;
	struct sockets sockets;
	struct applying applying;
	struct hints hints;
	struct answers answers;
	struct size_errors size_errors;
	struct sync sync;
	struct metrics metrics;
	struct overview overview;
	struct probes probes;
	struct announcing announcing;
	const char *run_dir;
	struct checking checking;
	__u64 probed;		/* what was in force at the last update */
	bool is_taking_over;
	bool wants_policy;	/* by what was read last: the API's, too */
	struct event *tick, *refresh, *fragment_retry;
	struct event *nexthop_events, *fragment_events;
};

static int datapath_open(struct daemon *d, const struct daemon_places *places)
{
	const struct model *m = d->applying.pending;
	struct dp_opts opts = {
		.sizes.conn_buckets = conn_buckets_for(m->max_conns),
		.has_hash_key = m->has_hash_key,
		.pin_root = places->pin_root,
		.is_shadow = places->is_shadow,
	};

	memcpy(opts.hash_key, m->hash_key, sizeof(opts.hash_key));
	return dp_open(&opts, &d->parts.dp);
}

/* What somebody left who was killed while he worked on connections. */
static void conns_mend(struct tables *t)
{
	struct conns_repaired repaired;

	if (conns_repair(t, dp_wait_for_programs, &repaired))
		log_warning(0, "cannot look for locks that are left over in "
			    "the table of connections");
	else if (repaired.locks || repaired.cells)
		log_info("mended the table of connections: %zu locks, %zu "
			 "cells", repaired.locks, repaired.cells);
}

static int parts_open(struct daemon *d, const struct daemon_places *places)
{
	struct parts *p = &d->parts;
	unsigned int dropped = 0;
	struct tables *t;
	int err;

	err = datapath_open(d, places);
	if (err)
		return err;
	t = parts_tables(p);
	conns_mend(t);
	err = state_load(t, dp_now_s(), &p->state, &dropped);
	if (err)
		return log_error(err, "cannot read what is in the tables");
	if (dropped)
		log_warning(0, "dropped %u entries that contradict themselves",
			    dropped);
	err = nexthops_open(t->links, t->nr_links, &p->nexthops);
	if (err)
		return log_error(err, "cannot read links and routes");
	nexthops_ingress(p->nexthops, t->ingress);
	return 0;
}

static void parts_close(struct parts *p)
{
	nexthops_close(p->nexthops);
	state_free(p->state);
	dp_close(p->dp);
}

static void probes_join(struct daemon *d)
{
	sync_init(&d->sync, &d->loading);
	d->metrics = (struct metrics){
		.parts = &d->parts,
		.applying = &d->applying,
		.loading = &d->loading,
		.sync = &d->sync,
		.enforcing = &d->enforcing,
		.announcing = &d->announcing,
		.checking = &d->checking,
	};
	d->probes = (struct probes){
		.parts = &d->parts,
		.applying = &d->applying,
		.metrics = &d->metrics,
		.overview = &d->overview,
		.sync = &d->sync,
	};
	d->overview = (struct overview){
		.parts = &d->parts,
		.answers = &d->answers,
		.metrics = &d->metrics,
		.checking = &d->checking,
	};
}

/* Who works with whom. */
static struct daemon *daemon_new(void)
{
	struct daemon *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->uplinks.parts = &d->parts;
	d->pods.parts = &d->parts;
	d->enforcing.parts = &d->parts;
	d->enforcing.pods = &d->pods;
	d->verdicts.parts = &d->parts;
	d->verdicts.enforcing = &d->enforcing;
	d->ways.parts = &d->parts;
	d->ways.uplinks = &d->uplinks;
	d->sockets.parts = d->sockets.pods.parts = &d->parts;
	d->applying = (struct applying){
		.parts = &d->parts,
		.uplinks = &d->uplinks,
		.ways = &d->ways,
		.pods = &d->pods,
		.enforcing = &d->enforcing,
		.sync = &d->sync,
		.sockets = &d->sockets,
		.checking = &d->checking,
	};
	d->checking.parts = &d->parts;
	d->size_errors = (struct size_errors){ &d->parts, -1, -1 };
	d->hints.parts = &d->parts;
	d->hints.uplinks = &d->uplinks;
	d->hints.ways = &d->ways;
	d->hints.sockets = &d->sockets;
	d->hints.enforcing = &d->enforcing;
	d->announcing = (struct announcing){
		.checking = &d->checking,
		.parts = &d->parts,
		.applying = &d->applying,
		.uplinks = &d->uplinks,
	};
	d->answers = (struct answers){
		.parts = &d->parts,
		.loading = &d->loading,
		.applying = &d->applying,
		.hints = &d->hints,
		.probes = &d->probes,
		.announcing = &d->announcing,
		.checking = &d->checking,
		.since_s = time(NULL),
	};
	probes_join(d);
	return d;
}

static int load(struct daemon *d, enum daemon_patience patience)
{
	struct model *m = NULL;
	int err = loading_read(&d->loading, patience, &m);

	if (err || !m)
		return err;
	d->wants_policy = m->network_policy;
	applying_set(&d->applying, m);
	return 0;
}

/* Definitions say what of the API is followed, which says definitions. */
static int load_all(struct daemon *d, enum daemon_patience patience)
{
	struct api *api = d->answers.api;
	int err = load(d, patience);

	if (!err && api && api_follow_policy(api, d->wants_policy))
		err = load(d, patience);
	return err;
}

static void takeover_begin(struct daemon *d, __u32 seconds)
{
	int err = seconds ? dp_takeover_begin(d->parts.dp, seconds) : 0;

	if (err) {
		log_warning(err, "connections of the proxy before cannot be left to conntrack, so that they break");
		return;
	}
	d->is_taking_over = seconds;
	if (seconds)
		log_info("connections of the proxy before are left to conntrack for %u s",
			 seconds);
}

static void takeover_end(struct daemon *d)
{
	if (!d->is_taking_over)
		return;
	dp_takeover_end(d->parts.dp);
	d->is_taking_over = false;
	log_info("connections of the proxy before are not left to conntrack any more");
}

int daemon_open(const struct definitions_from *from,
		const struct daemon_places *places, __u32 takeover_s,
		struct daemon **ret)
{
	__cleanup(daemon_closep) struct daemon *d = daemon_new();
	int err;

	if (!d)
		return log_error(-ENOMEM, "cannot start");
	err = loading_open(&d->loading, from);
	if (!err)
		err = load(d, DAEMON_FINAL);
	if (!err)
		err = parts_open(d, places);
	if (err)
		return err;
	if (places->health_state)
		checking_keep(&d->checking, places->health_state);
	takeover_begin(d, takeover_s);
	d->sockets.cgroup_root = places->cgroup_root;
	d->run_dir = places->run_dir;
	ways_begin(&d->ways);
	ways_fill(&d->ways);
	err = applying_do(&d->applying);
	if (err)
		return log_error(0, "%s", d->applying.refusal.text), err;
	*ret = take_ptr(d);
	return 0;
}

/* A mistake in a part of what is wanted keeps nothing from coming into force;
 * one that leaves no model does. */
static bool is_waiting(const struct daemon *d)
{
	return d->applying.pending ||
	       (*d->loading.refusal.text && !d->loading.nr_refused);
}

/* What is wanted, or in force, may be something else now. */
static void look(struct daemon *d)
{
	sync_look(&d->sync, is_waiting(d));
	announcing_check(&d->announcing);
	if (d->probed == d->sync.durations.count)
		return;
	d->probed = d->sync.durations.count;
	probes_update(&d->probes);
}

int daemon_reload(struct daemon *d, enum daemon_patience patience)
{
	int err = load_all(d, patience);

	if (!err)
		applying_try(&d->applying);
	look(d);
	if (err)
		return err;
	return *d->applying.refusal.text || d->loading.nr_refused ? -EINVAL : 0;
}

void daemon_close(struct daemon *d)
{
	if (!d)
		return;
	announcing_stop(&d->announcing);
	event_remove(d->tick);
	event_remove(d->refresh);
	event_remove(d->fragment_retry);
	event_remove(d->nexthop_events);
	event_remove(d->fragment_events);
	probes_stop(&d->probes);
	checking_stop(&d->checking);
	size_errors_end(&d->size_errors);
	verdicts_stop(&d->verdicts);
	pods_clear(&d->pods);
	enforcing_clear(&d->enforcing);
	socket_pods_clear(&d->sockets.pods);
	parts_close(&d->parts);
	loading_close(&d->loading);
	applying_clear(&d->applying);
	free(d);
}

void daemon_closep(struct daemon **d)
{
	daemon_close(*d);
}

static void on_tick(void *arg)
{
	struct daemon *d = arg;

	reconcile_tick(d->parts.state, dp_now_s());
	nexthops_retry(d->parts.nexthops);
	if (parts_tables(&d->parts)->runtime->has_local)
		ways_settle_local(&d->ways);
	applying_check(&d->applying);
	look(d);
	probes_tell(&d->probes);
	checking_tick(&d->checking);
	verdicts_check(&d->verdicts);
	hints_check(&d->hints);
	answers_check(&d->answers);
	if (!dp_takeover_left(d->parts.dp))
		takeover_end(d);
}

static void on_refresh(void *arg)
{
	struct daemon *d = arg;

	nexthops_refresh(d->parts.nexthops);
	announcing_refresh(&d->announcing);
	path_mtu_expire(d->parts.state, dp_now_s());
	probes_update(&d->probes);
}

static void on_nexthops(void *arg, __u32 events)
{
	struct daemon *d = arg;
	bool has_changed = false;
	int err = nexthops_read(d->parts.nexthops, &has_changed);

	if (err)
		log_error(err, "cannot follow links and routes");
	if (!has_changed)
		return;
	applying_follow(&d->applying);
	look(d);
	probes_update(&d->probes);
}

static void on_fragment(void *arg, __u32 events)
{
	struct daemon *d = arg;

	dp_fragments_read(d->parts.dp);
	timer_set(d->fragment_retry, FRAGMENT_MS, FRAGMENT_MS);
}

static void on_fragment_retry(void *arg)
{
	struct daemon *d = arg;

	if (!dp_fragments_retry(d->parts.dp))
		timer_set(d->fragment_retry, 0, 0);
}

static int timers_start(struct daemon *d, struct loop *l)
{
	int err;

	err = loop_add_timer(l, on_tick, d, &d->tick);
	if (!err)
		err = timer_set(d->tick, TICK_MS, TICK_MS);
	if (!err)
		err = loop_add_timer(l, on_refresh, d, &d->refresh);
	if (!err)
		err = timer_set(d->refresh, REFRESH_MS, REFRESH_MS);
	if (!err)
		err = loop_add_timer(l, on_fragment_retry, d,
				     &d->fragment_retry);
	return err;
}

int daemon_start(struct daemon *d, struct loop *l)
{
	int fragments = dp_fragments_fd(d->parts.dp);
	int err;

	size_errors_begin(&d->size_errors);
	err = timers_start(d, l);
	if (!err)
		err = loop_add_fd(l, nexthops_fd(d->parts.nexthops), EPOLLIN,
				  on_nexthops, d, &d->nexthop_events);
	if (!err && fragments >= 0)
		err = loop_add_fd(l, fragments, EPOLLIN, on_fragment, d,
				  &d->fragment_events);
	if (!err)
		err = verdicts_start(&d->verdicts, l);
	if (!err)
		announcing_start(&d->announcing, l, d->run_dir);
	return err ? log_error(err, "cannot wait for events") : 0;
}

/* As kube-proxy does, to whom a Node's uid is its name. */
static void tell_start(struct api *api, const char *node)
{
	const struct kube_event e = {
		.reason = "Starting",
		.action = "StartFairlead",
		.note = "",
		.kind = "Node",
		.name = node,
		.uid = node,
	};

	api_event(api, &e);
}

static void on_probe_failed(void *arg, const struct probe *p)
{
	struct daemon *d = arg;
	char note[KUBE_EVENT_NOTE_MAX], at[ENDPOINT_TEXT_MAX], uid[400];
	const struct kube_event e = {
		.is_warning = true,
		.reason = "FailedToStartServiceHealthcheck",
		.action = "Listen",
		.note = note,
		.kind = "Service",
		.namespace = p->said.namespace,
		.name = p->said.name,
		.uid = uid,
	};

	if (!d->answers.api)
		return;
	snprintf(note, sizeof(note), "cannot listen at %s: %s",
		 endpoint_format(&p->addr, p->port, at), strerror(-p->err));
	snprintf(uid, sizeof(uid), "%.200s/%.190s", p->said.namespace,
		 p->said.name);
	api_event(d->answers.api, &e);
}

static void on_source(void *arg)
{
	daemon_reload(arg, DAEMON_FINAL);
}

int daemon_follow(struct daemon *d, struct loop *l, struct api *api,
		  struct spawner *spawner, struct access *access)
{
	char node[MODEL_NODE_NAME_MAX + 1];
	int err;

	model_node_name(d->applying.model, node);
	api_follow_policy(api, d->wants_policy);
	err = api_start(api, l, spawner, access, node, on_source, d);
	if (err)
		return log_error(err, "cannot follow %s as node \"%s\"",
				 api_server(api), node);
	d->answers.api = api;
	tell_start(api, node);
	if (d->wants_policy)
		daemon_reload(d, DAEMON_FINAL);
	return 0;
}

int daemon_follow_containers(struct daemon *d, struct loop *l,
			     struct containers *containers,
			     struct spawner *spawner)
{
	static const struct containers_ops ops = {
		.changed = on_source,
		.interface = veth_find,
	};
	int err = containers_start(containers, l, spawner, &ops, d);

	if (err)
		return log_error(err, "cannot follow containers at \"%s\"",
				 containers_socket(containers));
	d->answers.containers = containers;
	return 0;
}

void daemon_probe(struct daemon *d, struct loop *l, struct spawner *spawner)
{
	d->probes.is_following = d->answers.api;
	d->metrics.api = d->answers.api;
	d->metrics.containers = d->answers.containers;
	d->probes.failed = on_probe_failed;
	d->probes.arg = d;
	probes_start(&d->probes, l, spawner);
}

void daemon_check(struct daemon *d, struct loop *l, struct spawner *spawner)
{
	checking_start(&d->checking, l, spawner);
}

static json_t *register_workload(struct daemon *d, const json_t *request)
{
	const char *namespace, *name, *interface, *mac = NULL;
	const struct ether_addr *parsed;
	int err;

	if (json_unpack((json_t *)request, "{s:s, s:s, s:s, s?s}",
			"namespace", &namespace, "name", &name,
			"interface", &interface, "mac", &mac))
		return control_refuse("namespace, name and interface are needed");
	parsed = mac ? ether_aton(mac) : NULL;
	if (mac && !parsed)
		return control_refuse("\"%s\" is not a MAC address", mac);
	on_nexthops(d, 0);	/* it may have been made a moment ago */
	err = enforcing_register(&d->enforcing, namespace, name, interface,
				 parsed ? parsed->ether_addr_octet : NULL);
	if (err == -ENODEV)
		return control_refuse("there is no interface \"%s\"", interface);
	if (err)
		return control_refuse("workload \"%s/%s\" cannot be policed: %s",
				      namespace, name, strerror(-err));
	if (d->enforcing.set && !pods_has(&d->pods, interface))
		return control_refuse("\"%s\" is not attached to: %s", interface,
				      *d->pods.refusal.text ?
				      d->pods.refusal.text :
				      "it does not look like a container's");
	return json_pack("{s:b}", "ok", 1);
}

json_t *daemon_answer(void *arg, const json_t *request)
{
	const char *cmd = json_string_value(json_object_get(request, "cmd"));
	struct daemon *d = arg;

	if (!cmd)
		return control_refuse("a request needs \"cmd\"");
	if (!strcmp(cmd, "status"))
		return answers_status(&d->answers);
	if (!strcmp(cmd, "sync")) {
		daemon_reload(d, DAEMON_FINAL);
		return answers_status(&d->answers);
	}
	if (!strcmp(cmd, "backend"))
		return answers_backend(&d->answers, request);
	if (!strcmp(cmd, "announce"))
		return announcing_list(&d->announcing);
	if (!strcmp(cmd, "node"))
		return announcing_act(&d->announcing, request);
	if (!strcmp(cmd, "health"))
		return checking_json(&d->checking);
	if (!strcmp(cmd, "policies"))
		return policy_list_json(d->enforcing.set, d->enforcing.state);
	if (!strcmp(cmd, "policy"))
		return policy_show_json(d->enforcing.set, d->enforcing.state,
			json_string_value(json_object_get(request, "name")) ?:
			"");
	if (!strcmp(cmd, "workload"))
		return register_workload(d, request);
	if (!strcmp(cmd, "policy-explain"))
		return enforcing_explain(&d->enforcing, request);
	if (!strcmp(cmd, "policy-verdicts"))
		return verdicts_json(&d->verdicts, json_integer_value(
					json_object_get(request, "first")));
	if (!strcmp(cmd, "takeover-end")) {
		takeover_end(d);
		return json_pack("{s:b}", "ok", 1);
	}
	return control_refuse("no command \"%s\"", cmd);
}
