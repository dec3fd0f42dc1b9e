// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See applying.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "applying.h"
#include "base/log.h"
#include "base/cleanup.h"
#include "growth.h"
#include "nat_sources.h"

void applying_clear(struct applying *a)
{
	model_free(a->model);
	model_free(a->pending);
}

void applying_set(struct applying *a, struct model *m)
{
	model_free(a->pending);
	a->pending = m;
	a->refusal = (struct refusal){};
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
	if (nat_sources_store(a->parts, a->uplinks, a->model))
		log_warning(0, "cannot use every address of NAT");
}

static int uplinks_apply(struct applying *a)
{
	int err = uplinks_attach(a->uplinks, &a->refusal);

	if (!err)
		a->refusal = (struct refusal){};
	return err;
}

int applying_do(struct applying *a)
{
	struct reconcile_result result;
	struct uplink_set set;
	int err;

	err = uplinks_find(a->uplinks, a->pending, a->model, &set,
			   &a->refusal);
	if (!err)
		err = growth_reconcile(a->parts, a->pending, &result,
				       &a->refusal);
	if (err)
		return err;
	model_free(a->model);
	a->model = take_ptr(a->pending);
	uplinks_set(a->uplinks, &set);
	ways_settle_local(a->ways);
	nat_sources_fill(a);
	err = uplinks_apply(a);
	if (err)
		return err;
	applied_store(a, &result);
	return 0;
}

void applying_try(struct applying *a)
{
	struct refusal before = a->refusal;
	int err;

	if (!a->pending)
		return;
	err = applying_do(a);
	a->is_early = err == -EAGAIN;
	if (err && strcmp(before.text, a->refusal.text))
		log_error(0, "%s", a->refusal.text);
}

/* An interface that was made anew under its old name has another index; and
 * what could not be attached to may let us now. */
static void uplinks_follow(struct applying *a)
{
	struct refusal before = a->refusal;
	struct uplink_set set;

	if (uplinks_find(a->uplinks, a->model, a->model, &set, &a->refusal))
		return;
	if (!*before.text && !memcmp(&set, &a->uplinks->set, sizeof(set)))
		return;
	uplinks_set(a->uplinks, &set);
	if (!uplinks_apply(a))
		applied_store(a, &(struct reconcile_result){});
	else if (strcmp(before.text, a->refusal.text))
		log_error(0, "%s", a->refusal.text);
}

void applying_follow(struct applying *a)
{
	if (a->pending)
		applying_try(a);
	else
		uplinks_follow(a);
	ways_fill(a->ways);
	ways_settle_local(a->ways);
	nat_sources_fill(a);
}
