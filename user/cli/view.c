// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The pinned tables for reading, see view.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/suggest.h"
#include "view.h"

struct view_copy {
	struct tables tables;	/* first, as its functions are given it */
	struct tables *live;
	struct slot *slots;	/* a window */
};

static void *copied(const void *from, size_t count, size_t size)
{
	void *ret = malloc(count * size + 1);

	return ret ? memcpy(ret, from, count * size) : NULL;
}

static struct slot *slots_window(struct tables *t, __u32 base, __u32 count)
{
	struct view_copy *c = (struct view_copy *)t;
	const struct slot *live = c->live->slots(c->live, base, count);

	free(c->slots);
	c->slots = live ? copied(live, count, sizeof(*live)) : NULL;
	return c->slots;
}

static struct conn_bucket *conns_window(struct tables *t, __u32 bucket,
					__u32 count)
{
	struct view_copy *c = (struct view_copy *)t;

	return c->live->conns(c->live, bucket, count);
}

static struct reply_bucket *replies_window(struct tables *t, __u32 bucket,
					   __u32 count)
{
	struct view_copy *c = (struct view_copy *)t;

	return c->live->replies(c->live, bucket, count);
}

/* Nothing that is done to the copy may reach the kernel. */
static int entry_set_nowhere(struct tables *t, enum table_id id,
			     const void *key, const void *value)
{
	return 0;
}

static int entry_del_nowhere(struct tables *t, enum table_id id,
			     const void *key)
{
	return 0;
}

static int entries_of_live(struct tables *t, enum table_id id,
			   int (*f)(void *arg, const void *key,
				    const void *value),
			   void *arg)
{
	struct view_copy *c = (struct view_copy *)t;

	return c->live->entries_each(c->live, id, f, arg);
}

static void stats_reset_nowhere(struct tables *t, __u32 backend)
{
}

/* What is copied, and how much of it. In the order in which things are found,
 * so that what a daemon adds meanwhile is whole or not there: who names first,
 * the named later. */
#define COPIES(X)							\
	X(hash_key, 16)							\
	X(applied, 1)							\
	X(cells, (size_t)t->cell_buckets * SERVICE_CELLS)		\
	X(services, t->nr_services)					\
	X(infos, t->nr_services)					\
	X(backends, t->nr_backends)					\
	X(links, t->nr_links)						\
	X(nat_addrs, 2 * NAT_ADDRS_MAX + 1)				\
	X(vip_filter, VIP_FILTER_SIZE)					\
	X(workload_cells, WORKLOAD_BUCKETS)				\
	X(workloads, WORKLOADS_MAX)					\
	X(workload_infos, WORKLOADS_MAX)				\
	X(port_classes, PORT_CLASSES)					\
	X(runtime, 1)

static void copy_free(struct view_copy *c)
{
	if (!c)
		return;
#define X(field, count) free((void *)c->tables.field);
	COPIES(X)
#undef X
	free(c->slots);
	free(c);
}

static void copy_functions(struct tables *t)
{
	t->slots = slots_window;
	t->conns = conns_window;
	t->replies = replies_window;
	t->entry_set = entry_set_nowhere;
	t->entry_del = entry_del_nowhere;
	t->entries_each = entries_of_live;
	t->settle = NULL;
	t->backend_stats_reset = stats_reset_nowhere;
}

static struct view_copy *copy_new(struct tables *live)
{
	struct view_copy *c = calloc(1, sizeof(*c));
	bool is_whole = true;
	struct tables *t;

	if (!c)
		return NULL;
	t = &c->tables;
	c->live = live;
	*t = *live;
	t->ingress = NULL;	/* of no interest to people */
	t->own = NULL;
	t->own_filter = NULL;
	t->port_filter = NULL;
	t->backend_filter = NULL;
	copy_functions(t);
#define X(field, count)							\
	t->field = copied(live->field, count, sizeof(*live->field));	\
	is_whole &= t->field != NULL;
	COPIES(X)
#undef X
	if (is_whole)
		return c;
	copy_free(c);
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	const struct state_service *x = a, *y = b;

	return strcmp(x->info->name, y->info->name);
}

static int services_read(struct view *v)
{
	size_t count = state_services(v->state, NULL, 0);

	v->services = calloc(count + 1, sizeof(*v->services));
	if (!v->services)
		return -ENOMEM;
	v->nr_services = state_services(v->state, v->services, count);
	if (v->nr_services > count)
		v->nr_services = count;
	qsort(v->services, v->nr_services, sizeof(*v->services),
	      compare_names);
	return 0;
}

static int view_read(struct view *v)
{
	int err;

	v->copy = copy_new(dp_tables(v->dp));
	if (!v->copy)
		return -ENOMEM;
	v->tables = &v->copy->tables;
	err = state_load(v->tables, dp_now_s(), &v->state, NULL);
	if (!err)
		err = services_read(v);
	if (err)
		return err;
	v->stats = calloc(v->tables->nr_backends, sizeof(*v->stats));
	if (!v->stats)
		return -ENOMEM;
	return dp_backend_stats(v->dp, 0, v->tables->nr_backends, v->stats);
}

int view_try(const struct options *o, struct view *ret)
{
	struct view v = {};
	int err;

	err = dp_view(o->pin_root, &v.dp);
	if (err)
		return err;
	err = view_read(&v);
	if (err) {
		log_error(err, "cannot read the tables");
		view_close(&v);
		return err == -ENOENT ? -EIO : err;
	}
	*ret = v;
	return 0;
}

int view_open(const struct options *o, struct view *ret)
{
	int err = view_try(o, ret);

	if (err == -ENOENT) {
		log_error(0, "no datapath is loaded");
		log_hint("fairlead serve --config FILE loads it");
	}
	return err;
}

void view_close(struct view *v)
{
	free(v->services);
	free(v->stats);
	json_decref(v->health);
	state_free(v->state);
	copy_free(v->copy);
	dp_close(v->dp);
	*v = (struct view){};
}

static void unknown_service(const struct view *v, const char *name)
{
	const char **known = calloc(v->nr_services + 1, sizeof(*known));
	const char *near = NULL;

	if (known) {
		for (size_t i = 0; i < v->nr_services; i++)
			known[i] = v->services[i].info->name;
		near = suggest(name, known);
	}
	if (near)
		log_error(0, "no service \"%s\"; did you mean \"%s\"?", name,
			  near);
	else
		log_error(0, "no service \"%s\"", name);
	free(known);
}

const struct state_service *view_service(const struct view *v,
					 const char *name)
{
	for (size_t i = 0; i < v->nr_services; i++)
		if (!strcmp(v->services[i].info->name, name))
			return &v->services[i];
	unknown_service(v, name);
	return NULL;
}

const char *view_service_name(const struct view *v, __u32 id)
{
	const char *name;

	if (id >= v->tables->nr_services)
		return NULL;
	name = v->tables->infos[id].name;
	return name[0] && !name[SERVICE_NAME_MAX - 1] ? name : NULL;
}
