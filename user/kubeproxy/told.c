// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See told.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "told.h"

void told_mistake(struct told *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(t->said, fmt, args);
	va_end(args);
	fputc('\n', t->said);
	t->mistakes++;
}

static struct told_value *value_of(struct told *t, const struct row *r)
{
	_Static_assert(TOLD_ROWS_MAX >= 100, "a value for each row");

	return &t->values[r - rows];
}

/* With room for "false" in place of "0". */
static char *text_joined(const char *before, const char *text)
{
	char *ret = malloc(strlen(before) + strlen(text) + sizeof(",false"));

	if (ret)
		sprintf(ret, "%s%s%s", before, *before && *text ? "," : "",
			text);
	return ret;
}

static bool is_joined(const struct row *r)
{
	return r->kind == ROW_LIST || r->kind == ROW_GATES ||
	       r->kind == ROW_LEVELS;
}

void told_set(struct told *t, const struct row *r, const char *text,
	      const char *place)
{
	struct told_value *v = value_of(t, r);
	__cleanup(free_text) char *copy = NULL;
	const char *expected = NULL;

	copy = text_joined(is_joined(r) && v->text ? v->text : "", text);
	if (!copy) {
		t->no_memory = true;
		return;
	}
	if (!row_check(r, copy, &expected)) {
		told_mistake(t, "%s \"%.100s\" is not %s", place, text,
			     expected);
		return;
	}
	free(v->text);
	free(v->place);
	v->text = take_ptr(copy);
	v->place = strdup(place);
	t->no_memory |= !v->place;
}

const struct told_value *told_get(const struct told *t, const struct row *r)
{
	const struct told_value *v = &t->values[r - rows];

	return v->text && v->place ? v : NULL;
}

const char *told_text(const struct told *t, const struct row *r)
{
	const struct told_value *v = told_get(t, r);

	return v ? v->text : r->by_default ?: "";
}

bool told_is_true(const struct told *t, enum row_use use)
{
	return !strcmp(told_text(t, row_by_use(use)), "true");
}

void told_clear(struct told *t)
{
	for (size_t i = 0; i < TOLD_ROWS_MAX; i++) {
		free(t->values[i].text);
		free(t->values[i].place);
	}
	memset(t->values, 0, sizeof(t->values));
}
