// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `diff`: what the definitions would change in the tables as they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net/if.h>

#include "cmd.h"
#include "host/ports.h"
#include "kernel/dp.h"
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

static int diff_json(struct view *v, const struct model *m)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *value;
	int count;

	if (!out)
		return -ENOMEM;
	count = diff_all(v, m, out);
	fclose(out);
	value = json_pack("{s:i, s:o}", "differences", count, "lines",
			  lines_json(text));
	free(text);
	return json_print(value, stdout);
}

static int diff_text(struct view *v, const struct model *m)
{
	if (!diff_all(v, m, stdout))
		puts("no difference");
	return ferror(stdout) ? -EIO : 0;
}

int cmd_diff(const struct options *o)
{
	__cleanup(model_freep) struct model *m = NULL;
	struct given given[NR_OPTIONS_NODE];
	struct definitions_from from = options_from(o, o->arguments[0], given);
	__cleanup(view_close) struct view v = {};
	int err;

	err = definitions_load(&from, &m, stderr);
	if (err)
		return FAILED;
	if (view_open(o, &v))
		return FAILED;
	ports_settle(m);
	err = o->json ? diff_json(&v, m) : diff_text(&v, m);
	return err ? FAILED : DONE;
}
