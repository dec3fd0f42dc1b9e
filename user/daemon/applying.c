// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See applying.h. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "applying.h"
#include "base/log.h"
#include "base/cleanup.h"
#include "growth.h"
#include "host/ports.h"
#include "model/conns.h"
#include "nat_sources.h"

#define PINS_RETRY 10		/* calls of applying_check() between tries */
#define TRIM_SERVICES 4096	/* a change of more has memory to give back */

void applying_clear(struct applying *a)
{
	model_free(a->model);
	model_free(a->pending);
}

void applying_set(struct applying *a, struct model *m)
{
	model_free(a->pending);
	ports_settle(m);
	a->pending = m;
	a->refusal = (struct refusal){};
	sync_queued(a->sync);
}

static void put(FILE *out, const char **before, unsigned int count,
		const char *what)
{
	if (!count)
		return;
	fprintf(out, "%s%u %s", *before, count, what);
	*before = ", ";
}

static void applied_log(__u64 generation, const struct reconcile_result *r)
{
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");
	const char *before = " services: ";

	if (!out)
		return;
	put(out, &before, r->added, "added");
	put(out, &before, r->changed, "changed");
	put(out, &before, r->removed, "removed");
	before = *before == ',' ? "; backends: " : " backends: ";
	put(out, &before, r->backends_added, "added");
	put(out, &before, r->backends_changed, "changed");
	put(out, &before, r->backends_removed, "removed");
	fclose(out);
	log_info("applied generation %llu:%s", generation,
		 *text ? text : " no service changed");
}

/* Last of all: who waits for a generation may rely on the rest. */
static void applied_store(struct applying *a, const struct reconcile_result *r)
{
	struct applied *applied = parts_tables(a->parts)->applied;
	bool is_same = !r->added && !r->changed && !r->removed &&
		       !r->backends_added && !r->backends_changed &&
		       !r->backends_removed;

	if (is_same && applied->generation &&
	    !memcmp(applied->sha256, a->model->sha256, sizeof(applied->sha256)))
		return;
	memcpy(applied->sha256, a->model->sha256, sizeof(applied->sha256));
	applied->since_s = time(NULL);
	__atomic_store_n(&applied->generation, applied->generation + 1,
			 __ATOMIC_RELEASE);
	applied_log(applied->generation, r);
}

static void nat_sources_fill(struct applying *a)
{
	if (nat_sources_store(a->ways, a->model))
		log_warning(0, "cannot use every address of NAT");
}

/* The table of connections never becomes smaller while it is in use. */
static void connections_say(const struct applying *a)
{
	__u32 have = conns_for(parts_tables(a->parts)->conn_buckets);
	__u32 wanted = a->pending->max_conns;

	if (!wanted || conn_buckets_for(wanted) ==
			       parts_tables(a->parts)->conn_buckets ||
	    (a->model && a->model->max_conns == wanted))
		return;
	if (wanted > have) {
		log_warning(0, "limits: connections: %u is not in force: more "
			    "are live than it has safe room for", wanted);
		log_hint("a larger one comes into force at once");
		return;
	}
	log_warning(0, "limits: connections: %u is not in force: the table has "
		    "room for %u, and grows only", wanted, have);
	log_hint("\"fairlead cleanup\" and a new start make a smaller one");
}

/* What a large change took for a moment lies at the end of the heap, where
 * malloc() keeps up to 64 MB for the next time. */
static void memory_trim(const struct reconcile_result *r)
{
	if (r->added + r->changed + r->removed > TRIM_SERVICES)
		malloc_trim(0);
}

/* What is pending is not to be: as it was before it was tried. */
static void go_back(struct applying *a)
{
	struct refusal why;

	if (!a->model)
		return;
	enforcing_apply(a->enforcing, a->model, &why);
	pods_begin(a->pods, a->model);
	checking_begin(a->checking, a->model);
}

static int put_in_force(struct applying *a)
{
	struct reconcile_result result;
	struct uplink_change change = {
		.needs = ways_need(a->ways, a->pending, a->model),
	};
	int err;

	err = uplinks_find(a->uplinks, a->pending, a->model, &change.set,
			   &a->refusal);
	if (!err)
		err = uplinks_prepare(a->uplinks, &change, &a->refusal);
	if (err)
		return err;
	pods_begin(a->pods, a->pending);
	sockets_begin(a->sockets, a->pending);
	checking_begin(a->checking, a->pending);
	err = enforcing_apply(a->enforcing, a->pending, &a->refusal);
	if (!err)
		err = growth_reconcile(a->parts, a->pending, a->model, &result,
				       &a->refusal);
	if (err) {
		uplinks_undo(a->uplinks, &change);
		go_back(a);
		return err;
	}
	connections_say(a);
	model_free(a->model);
	a->model = take_ptr(a->pending);
	a->refusal = (struct refusal){};
	checking_settle(a->checking);
	uplinks_commit(a->uplinks, &change);
	pods_settle(a->pods, a->model);
	sockets_settle(a->sockets, a->model);
	if (result.removed || result.changed)
		sockets_sweep(a->sockets);
	uplinks_set_node(a->uplinks, a->pods->are_here);
	a->ways->changes++;
	if (result.backends_removed)
		ways_gone(a->ways);
	ways_settle_local(a->ways);
	ways_settle_others(a->ways);
	nat_sources_fill(a);
	applied_store(a, &result);
	memory_trim(&result);
	return 0;
}

int applying_do(struct applying *a)
{
	const __s64 begin_us = sync_now_us();
	int err = put_in_force(a);

	sync_tried(a->sync, (sync_now_us() - begin_us) / 1e6, !err);
	return err;
}

/* A limit of its own does not go away by waiting, nor does what others have
 * attached above an uplink without an event. */
static bool is_worth_trying(int err)
{
	return err && err != -E2BIG && err != -EEXIST;
}

void applying_try(struct applying *a)
{
	struct refusal before = a->refusal;
	int err;

	if (!a->pending)
		return;
	err = applying_do(a);
	a->is_early = err == -EAGAIN;
	a->is_blocked = is_worth_trying(err);
	if (err && strcmp(before.text, a->refusal.text))
		log_error(0, "%s", a->refusal.text);
}

/* An interface that was made anew under its old name has another index. */
static void uplinks_follow(struct applying *a)
{
	struct uplink_change change = {};
	struct refusal why;

	if (uplinks_find(a->uplinks, a->model, a->model, &change.set, &why))
		return;
	if (!memcmp(&change.set, &a->uplinks->set, sizeof(change.set)))
		return;
	/* those that can be attached serve, whatever others say */
	uplinks_commit(a->uplinks, &change);
	uplinks_attach(a->uplinks);
	a->ways->changes++;
}

void applying_follow(struct applying *a)
{
	applying_try(a);
	uplinks_follow(a);
	pods_follow(a->pods);
	enforcing_follow(a->enforcing);
	ways_fill(a->ways);
	ways_settle_local(a->ways);
	ways_settle_others(a->ways);
	nat_sources_fill(a);
}

static void pins_check(struct applying *a)
{
	struct dp *dp = a->parts->dp;

	if (dp_pin_is_whole(dp)) {
		a->pins = (struct refusal){};
	} else if (!a->pins_wait) {
		a->pins_wait = PINS_RETRY;
		if (dp_pin_repair(dp))
			refuse(&a->pins, 0, "what was pinned is gone, and "
			       "cannot be pinned again");
		else
			a->pins = (struct refusal){};
	} else {
		a->pins_wait--;
	}
}

/* Connections of services that are no more may have been what the programs of
 * a node were there for. */
static void node_check(struct applying *a)
{
	if (!a->pods->are_here)
		return;
	pods_settle(a->pods, a->model);
	if (a->pods->are_here)
		return;
	uplinks_set_node(a->uplinks, false);
	ways_settle_local(a->ways);
	ways_settle_others(a->ways);
}

void applying_check(struct applying *a)
{
	pins_check(a);
	if (a->is_blocked)
		applying_try(a);
	/* a name may have gone to another interface without an event of ours */
	uplinks_follow(a);
	if (ways_check(a->ways)) {
		ways_settle_others(a->ways);
		nat_sources_fill(a);
	}
	uplinks_check(a->uplinks);
	node_check(a);
	pods_check(a->pods);
	enforcing_check(a->enforcing);
	sockets_check(a->sockets);
}
