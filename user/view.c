// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The pinned tables for reading, see view.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "suggest.h"
#include "view.h"

static int compare_names(const void *a, const void *b)
{
	const struct state_service *x = a, *y = b;

	return strcmp(x->info->name, y->info->name);
}

static int services_read(struct view *v)
{
	size_t count = state_services(v->state, NULL, 0);

	v->services = calloc(count + 1, sizeof(*v->services));
	v->by_id = calloc(v->tables->nr_services, sizeof(*v->by_id));
	if (!v->services || !v->by_id)
		return -ENOMEM;
	v->nr_services = state_services(v->state, v->services, count);
	if (v->nr_services > count)
		v->nr_services = count;
	qsort(v->services, v->nr_services, sizeof(*v->services),
	      compare_names);
	for (size_t i = 0; i < v->nr_services; i++)
		if (v->services[i].id < v->tables->nr_services)
			v->by_id[v->services[i].id] = &v->services[i];
	return 0;
}

int view_try(const struct options *o, struct view *ret)
{
	struct view v = {};
	int err;

	err = dp_view(o->pin_root, &v.dp);
	if (err)
		return err;
	v.tables = dp_tables(v.dp);
	err = state_load(v.tables, dp_now_s(), &v.state, NULL);
	if (!err)
		err = services_read(&v);
	v.stats = calloc(v.tables->nr_backends, sizeof(*v.stats));
	if (!err && !v.stats)
		err = -ENOMEM;
	if (err)
		log_error(err, "cannot read the tables");
	else
		err = dp_backend_stats(v.dp, 0, v.tables->nr_backends, v.stats);
	if (err) {
		view_close(&v);
		return err == -ENOENT ? -EIO : err;
	}
	*ret = v;
	return 0;
}

int view_open(const struct options *o, struct view *ret)
{
	int err = view_try(o, ret);

	if (err == -ENOENT)
		log_error(0, "no datapath is loaded\nfairlead: hint: "
			  "fairlead serve --config FILE loads it");
	return err;
}

void view_close(struct view *v)
{
	free(v->services);
	free(v->by_id);
	free(v->stats);
	state_free(v->state);
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

const struct state_service *view_service_id(const struct view *v, __u32 id)
{
	return id < v->tables->nr_services ? v->by_id[id] : NULL;
}
