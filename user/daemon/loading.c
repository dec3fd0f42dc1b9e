// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See loading.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/cleanup.h"
#include "definitions/definitions.h"
#include "loading.h"

int loading_open(struct loading *l, const struct definitions_from *from)
{
	int err = definitions_open(from, &l->files);

	return err ? log_error(err, "cannot read \"%s\"", from->path ?: "") : 0;
}

void loading_close(struct loading *l)
{
	definitions_close(l->files);
	free(l->said);
}

/* What is refused by itself, or only of interest, while the rest counts. The
 * first line of what is refused is for status. */
static void partly(struct loading *l, unsigned int nr_refused, const char *text)
{
	l->refusal = (struct refusal){};
	if (nr_refused)
		refuse(&l->refusal, 0, "%.*s", (int)strcspn(text, "\n"), text);
	if (l->said && !strcmp(l->said, text))
		return;
	free(l->said);
	l->said = strdup(text);
	log_lines(nr_refused ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, text);
	if (nr_refused)
		log_warning(0, "of what is refused, what was in force stays; "
			    "the rest goes on");
}

/* Keeps the first line, for status. */
static void failed(struct loading *l, int err, const char *errors)
{
	struct refusal why;

	if (!*errors)
		errors = strerror(-err);
	refuse(&why, err, "%s", errors);
	why.text[strcspn(why.text, "\n")] = 0;
	if (!strcmp(why.text, l->refusal.text))
		return;
	l->refusal = why;
	log_lines(LOG_LEVEL_ERROR, errors);
	if (l->has_model)
		log_warning(0, "the definitions do not check out; what was in "
			    "force stays");
}

static void work_log(const struct loading *l, bool has_changed)
{
	struct definitions_work work = definitions_work(l->files);

	log_debug("read %u files, parsed %u documents: %s", work.files_read,
		  work.documents_parsed, has_changed ? "changed" : "no change");
}

int loading_read(struct loading *l, enum daemon_patience patience,
		 struct model **ret)
{
	__cleanup(model_freep) struct model *m = NULL;
	bool has_changed = false;
	char *errors = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&errors, &len);
	int err = -ENOMEM;

	if (out) {
		err = definitions_reload(l->files, &m, out, &has_changed);
		fclose(out);
	}
	l->nr_refused = err ? 0 : m->nr_refused;
	if (err && patience == DAEMON_FINAL)
		failed(l, err, errors ? errors : "");
	else if (!err && (!l->nr_refused || patience == DAEMON_FINAL))
		partly(l, l->nr_refused, errors ? errors : "");
	free(errors);
	if (err)
		return err;
	work_log(l, has_changed);
	l->has_model = true;
	*ret = has_changed ? take_ptr(m) : NULL;
	return 0;
}
