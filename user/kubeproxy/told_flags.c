// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Flags as pflag reads them: "--name=value" or "--name value", where a flag
 * that is true or false takes no next word; "-v" and "-h" are short. */
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "told.h"

struct words {
	unsigned int count;
	char **list;
};

static void unknown(struct told *t, const char *flag, size_t len)
{
	const char *known[TOLD_ROWS_MAX + 1] = {}, *near;
	char name[64];
	size_t count = 0;

	for (size_t i = 0; i < nr_rows; i++)
		if (rows[i].flag)
			known[count++] = rows[i].flag;
	snprintf(name, sizeof(name), "%.*s", (int)(len < 60 ? len : 60), flag);
	near = suggest(name, known);
	told_mistake(t, "kube-proxy has no flag \"--%s\"%s%s%s", name,
		     near ? "; did you mean \"--" : "", near ?: "",
		     near ? "\"?" : "");
}

static void set(struct told *t, const struct row *r, const char *text)
{
	char place[64];

	snprintf(place, sizeof(place), "--%s", r->flag);
	told_set(t, r, text, place);
}

/* Behind a "=", or else the next word. Moves w on. */
static void take_value(struct told *t, struct words *w, const struct row *r,
		       const char *value)
{
	w->list++;
	w->count--;
	if (!value && r->kind == ROW_BOOL) {
		value = "true";
	} else if (!value) {
		if (!w->count) {
			told_mistake(t, "--%s needs a value", r->flag);
			return;
		}
		value = *w->list++;
		w->count--;
	}
	/* --version=raw is another way to write it */
	if (r->use == ROW_VERSION && !strcmp(value, "raw"))
		value = "true";
	set(t, r, value);
}

static void take_long(struct told *t, struct words *w)
{
	const char *flag = *w->list + 2;
	size_t len = strcspn(flag, "=");
	const struct row *r = row_by_flag(flag, len);

	if (!r) {
		unknown(t, flag, len);
		w->list++;
		w->count--;
		return;
	}
	take_value(t, w, r, flag[len] ? flag + len + 1 : NULL);
}

/* "-h", "-v 2", "-v2" or "-v=2". */
static void take_short(struct told *t, struct words *w, enum row_use use)
{
	const char *rest = *w->list + 2;

	take_value(t, w, row_by_use(use),
		   *rest ? rest + (*rest == '=') : NULL);
}

void told_flags(struct told *t, unsigned int argc, char **argv)
{
	struct words w = { argc, argv };

	while (w.count) {
		const char *word = *w.list;

		if (!strncmp(word, "--", 2) && word[2]) {
			take_long(t, &w);
		} else if (!strncmp(word, "-h", 2)) {
			take_short(t, &w, ROW_HELP);
		} else if (!strncmp(word, "-v", 2)) {
			take_short(t, &w, ROW_VERBOSITY);
		} else {
			told_mistake(t, "kube-proxy takes flags alone: what is \"%.100s\"?",
				     word);
			w.list++;
			w.count--;
		}
	}
}
