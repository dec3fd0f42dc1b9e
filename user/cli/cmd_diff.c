// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* `diff`: what the definitions would change in the tables as they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "base/log.h"
#include "model/model.h"
#include "definitions/definitions.h"
#include "base/print.h"
#include "base/cleanup.h"
#include "view.h"

static int diff_json(struct view *v, const struct model *m)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *value;
	int count;

	if (!out)
		return -ENOMEM;
	count = reconcile_diff(v->state, m, out);
	fclose(out);
	value = json_pack("{s:i, s:o}", "differences", count, "lines",
			  lines_json(text));
	free(text);
	return json_print(value, stdout);
}

static int diff_text(struct view *v, const struct model *m)
{
	if (!reconcile_diff(v->state, m, stdout))
		puts("no difference");
	return ferror(stdout) ? -EIO : 0;
}

int cmd_diff(const struct options *o)
{
	__cleanup(model_freep) struct model *m = NULL;
	const char *path = o->arguments[0];
	__cleanup(view_close) struct view v = {};
	int err;

	err = definitions_load(path, &m, stderr);
	if (err)
		return FAILED;
	if (view_open(o, &v))
		return FAILED;
	err = o->json ? diff_json(&v, m) : diff_text(&v, m);
	return err ? FAILED : DONE;
}
