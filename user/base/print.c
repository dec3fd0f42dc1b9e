// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rows as text or JSON, see table.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "print.h"
#include "cleanup.h"

/* Aligned together, and held in memory until then. */
#define BLOCK_ROWS 512

struct print {
	FILE *out;
	bool json;
	const struct column *columns;
	size_t nr_columns;	/* of those with a title, when text */
	char **cells;		/* [BLOCK_ROWS * nr_columns], owned */
	int width[COLUMNS_MAX];
	size_t nr_rows;		/* in cells */
	bool started;
};

static const void *cell(const struct column *c, const void *row)
{
	return (const char *)row + c->offset;
}

static json_t *cell_json(const struct column *c, const void *row)
{
	const char *text;
	__u64 count;

	switch (c->type) {
	case COLUMN_TEXT:
		text = *(const char *const *)cell(c, row);
		return text ? json_string(text) : json_null();
	case COLUMN_COUNT:
		count = *(const __u64 *)cell(c, row);
		return count == COUNT_UNKNOWN ? json_null() :
						json_integer(count);
	case COLUMN_BOOL:
		return json_boolean(*(const bool *)cell(c, row));
	case COLUMN_SHARE:
		return json_real(*(const double *)cell(c, row));
	}
	return NULL;
}

json_t *row_json(const struct column *columns, const void *row)
{
	json_t *object = json_object();

	for (const struct column *c = columns; c->key; c++) {
		if (!json_object_set_new(object, c->key, cell_json(c, row)))
			continue;
		json_decref(object);
		return NULL;
	}
	return object;
}

static char *cell_text(const struct column *c, const void *row)
{
	const char *text;
	char *ret = NULL;
	__u64 count;
	int len = -1;

	switch (c->type) {
	case COLUMN_TEXT:
		text = *(const char *const *)cell(c, row);
		return strdup(text && *text ? text : "-");
	case COLUMN_COUNT:
		count = *(const __u64 *)cell(c, row);
		if (count == COUNT_UNKNOWN)
			return strdup("-");
		len = asprintf(&ret, "%" PRIu64, (uint64_t)count);
		break;
	case COLUMN_BOOL:
		return strdup(*(const bool *)cell(c, row) ? "yes" : "no");
	case COLUMN_SHARE:
		len = asprintf(&ret, "%.1f%%",
			       *(const double *)cell(c, row) * 100);
		break;
	}
	return len < 0 ? NULL : ret;
}

static bool is_right_aligned(const struct column *c)
{
	return c->type == COLUMN_COUNT || c->type == COLUMN_SHARE;
}

/* Columns that follow, in text, after some that JSON alone has. */
static const struct column *next_titled(const struct column *c)
{
	while (c->key && !c->title)
		c++;
	return c;
}

static void line_print(struct print *t, char **cells)
{
	const struct column *c = next_titled(t->columns);
	int pad;

	for (size_t i = 0; i < t->nr_columns; i++) {
		const char *text = cells ? cells[i] : c->title;

		pad = t->width[i] - (int)strlen(text);
		if (is_right_aligned(c))
			fprintf(t->out, "%*s%s", pad, "", text);
		else
			fprintf(t->out, "%s%*s", text,
				i + 1 < t->nr_columns ? pad : 0, "");
		fputs(i + 1 < t->nr_columns ? "  " : "\n", t->out);
		c = next_titled(c + 1);
	}
}

static void block_print(struct print *t)
{
	size_t cells = t->nr_rows * t->nr_columns;

	for (size_t i = 0; i < cells; i++) {
		int len = strlen(t->cells[i]);

		if (t->width[i % t->nr_columns] < len)
			t->width[i % t->nr_columns] = len;
	}
	if (!t->started)
		line_print(t, NULL);
	t->started = true;
	for (size_t i = 0; i < t->nr_rows; i++)
		line_print(t, &t->cells[i * t->nr_columns]);
	for (size_t i = 0; i < cells; i++)
		free(t->cells[i]);
	t->nr_rows = 0;
}

int print_open(FILE *out, bool json, const struct column *columns,
	       struct print **ret)
{
	struct print *t = calloc(1, sizeof(*t));
	const struct column *c;

	if (!t)
		return -ENOMEM;
	t->out = out;
	t->json = json;
	t->columns = columns;
	for (c = next_titled(columns); c->key; c = next_titled(c + 1))
		t->width[t->nr_columns++] = strlen(c->title);
	t->cells = calloc(BLOCK_ROWS * t->nr_columns, sizeof(*t->cells));
	if (!t->cells) {
		free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

static int row_print_json(struct print *t, const void *row)
{
	json_t *object = row_json(t->columns, row);
	int err;

	if (!object)
		return -ENOMEM;
	fputs(t->started ? ",\n" : "[\n", t->out);
	t->started = true;
	err = json_dumpf(object, t->out, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(object);
	return err ? -EIO : 0;
}

int print_row(struct print *t, const void *row)
{
	const struct column *c = next_titled(t->columns);
	char **cells = &t->cells[t->nr_rows * t->nr_columns];

	if (t->json)
		return row_print_json(t, row);
	for (size_t i = 0; i < t->nr_columns; i++) {
		cells[i] = cell_text(c, row);
		if (!cells[i]) {
			while (i)
				free(cells[--i]);
			return -ENOMEM;
		}
		c = next_titled(c + 1);
	}
	if (++t->nr_rows == BLOCK_ROWS)
		block_print(t);
	return 0;
}

int print_close(struct print *t)
{
	int err;

	if (!t)
		return 0;
	if (t->json)
		fputs(t->started ? "\n]\n" : "[]\n", t->out);
	else if (t->nr_rows || !t->started)
		block_print(t);
	err = ferror(t->out) ? -EIO : 0;
	free(t->cells);
	free(t);
	return err;
}

void print_closep(struct print **t)
{
	print_close(*t);
}

json_t *lines_json(char *text)
{
	json_t *list = json_array(), *line;
	char *rest = NULL;

	for (char *at = strtok_r(text, "\n", &rest); at;
	     at = strtok_r(NULL, "\n", &rest)) {
		line = json_string(at);
		json_array_append_new(list, line ? line :
						   json_string("not UTF-8"));
	}
	return list;
}

int json_print(json_t *value, FILE *out)
{
	int err;

	if (!value)
		return -ENOMEM;
	err = json_dumpf(value, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6) |
			 JSON_ENCODE_ANY);
	fputc('\n', out);
	json_decref(value);
	return err || ferror(out) ? -EIO : 0;
}
