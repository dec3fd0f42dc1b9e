// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `diff`: what the definitions would change in the tables as they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include "cmd.h"
#include "host/ports.h"
#include "kernel/dp.h"
#include "ipvs_diff.h"
#include "base/log.h"
#include "model/model.h"
#include "model/setting.h"
#include "definitions/definitions.h"
#include "base/print.h"
#include "base/cleanup.h"
#include "view.h"

/* The uplinks in force are what is attached to. */
static void uplinks_read(struct view *v, struct model *ret)
{
	struct dp_attachment list[2 * MODEL_UPLINKS_MAX];
	size_t room = sizeof(list) / sizeof(*list);
	int count = dp_attachments(v->dp, list, room);
	char name[IF_NAMESIZE];

	for (int i = 0; i < count && (size_t)i < room; i++) {
		size_t at = 0;

		if (list[i].hook != DP_HOOK_fl_xdp ||
		    !if_indextoname(list[i].ifindex, name))
			continue;
		while (at < ret->nr_uplinks && strcmp(ret->uplinks[at], name))
			at++;
		if (at < ret->nr_uplinks || at == MODEL_UPLINKS_MAX)
			continue;
		ret->uplinks[ret->nr_uplinks++] = strdup(name);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Where none is named, those in force are as good as any. */
static unsigned int uplinks_diff(struct view *v, const struct model *m,
				 FILE *out)
{
	__cleanup(model_freep) struct model *old = model_new();
	struct model new = *m;

	if (!old || !m->nr_uplinks)
		return 0;
	uplinks_read(v, old);
	qsort(old->uplinks, old->nr_uplinks, sizeof(char *), compare_names);
	qsort(new.uplinks, new.nr_uplinks, sizeof(char *), compare_names);
	return setting_diff(SETTING_UPLINKS, old, &new, out);
}

static unsigned int diff_all(struct view *v, const struct model *m, FILE *out)
{
	unsigned int count = uplinks_diff(v, m, out);

	return count + reconcile_diff(v->state, m, out);
}

/* What there is a difference to: the tables in force, or IPVS's. */
struct other {
	struct view *view;		/* NULL: */
	const struct ipvs_table *ipvs;
	__u64 hz;			/* of its kernel; 0: not known */
};

static unsigned int diff_other(const struct other *other,
			       const struct model *m, FILE *out)
{
	return other->view ? diff_all(other->view, m, out) :
			     ipvs_diff(other->ipvs, m, other->hz, out);
}

static int diff_json(const struct other *other, const struct model *m)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *value;
	int count;

	if (!out)
		return -ENOMEM;
	count = diff_other(other, m, out);
	fclose(out);
	value = json_pack("{s:i, s:o}", "differences", count, "lines",
			  lines_json(text));
	free(text);
	return json_print(value, stdout);
}

static int diff_text(const struct other *other, const struct model *m)
{
	if (!diff_other(other, m, stdout))
		puts("no difference");
	return ferror(stdout) ? -EIO : 0;
}

static int diff_print(const struct options *o, const struct other *other,
		      const struct model *m)
{
	int err = o->json ? diff_json(other, m) : diff_text(other, m);

	return err ? FAILED : DONE;
}

/* "ipvs", "ipvs:FILE" */
static const char *ipvs_path(const char *against)
{
	if (strncmp(against, "ipvs", 4))
		return NULL;
	if (!against[4])
		return IPVS_TABLE;
	return against[4] == ':' && against[5] ? against + 5 : NULL;
}

static int ipvs_read(const char *path, struct ipvs_table *ret)
{
	__cleanup(close_file) FILE *from = fopen(path, "re");
	unsigned int line = 0;
	int err;

	if (!from && errno == ENOENT && !strcmp(path, IPVS_TABLE))
		return log_error(-ENOENT, "IPVS is not here: there is no "
				 IPVS_TABLE);
	if (!from)
		return log_error(-errno, "cannot read \"%s\"", path);
	err = ipvs_table_read(from, ret, &line);
	if (err == -EINVAL)
		return log_error(0, "%s:%u: not a line of the kernel's table of IPVS (%s)",
				 path, line, IPVS_TABLE), err;
	return err ? log_error(err, "cannot read \"%s\"", path) : 0;
}

static int diff_ipvs(const struct options *o, const struct model *m)
{
	__cleanup(ipvs_table_clear) struct ipvs_table table = {};
	struct other other = { .ipvs = &table };
	const char *path = ipvs_path(o->against);
	__u64 start;

	if (!path) {
		log_error(0, "--against \"%s\" is neither ipvs nor ipvs:FILE",
			  o->against);
		return MISUSED;
	}
	if (!strcmp(path, IPVS_TABLE))
		dp_clock(&other.hz, &start);
	return ipvs_read(path, &table) ? FAILED : diff_print(o, &other, m);
}

int cmd_diff(const struct options *o)
{
	__cleanup(model_freep) struct model *m = NULL;
	struct given given[NR_OPTIONS_NODE];
	struct definitions_from from = options_from(o, o->arguments[0], given);
	__cleanup(view_close) struct view v = {};

	if (definitions_load(&from, &m, stderr))
		return FAILED;
	if (o->against)
		return diff_ipvs(o, m);
	if (view_open(o, &v))
		return FAILED;
	ports_settle(m);
	return diff_print(o, &(struct other){ .view = &v }, m);
}
