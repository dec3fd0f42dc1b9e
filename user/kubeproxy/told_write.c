// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What kube-proxy writes with --write-config-to: every field, by its name. */
#include <errno.h>
#include <string.h>

#include "definitions/yaml_text.h"
#include "told.h"

/* How far field is in the groups that the last one was in: "a.b.c" behind
 * "a.b.d" is 4. */
static size_t groups_shared(const char *last, const char *field)
{
	size_t ret = 0;

	for (size_t i = 0; field[i] && last[i] == field[i]; i++)
		if (field[i] == '.')
			ret = i + 1;
	return ret;
}

static void indent(FILE *out, int depth)
{
	fprintf(out, "%*s", 2 * depth, "");
}

/* Open the groups that the last field was not in. The last word's depth. */
static int put_groups(FILE *out, const char *last, const char *field)
{
	size_t from = groups_shared(last, field);
	int depth = 0;

	for (size_t at = 0; ; depth++) {
		size_t len = strcspn(field + at, ".");

		if (!field[at + len])
			return depth;
		if (at >= from) {
			indent(out, depth);
			fprintf(out, "%.*s:\n", (int)len, field + at);
		}
		at += len + 1;
	}
}

/* A line for each word between commas. */
static void put_words(FILE *out, const char *text, enum row_kind kind,
		      int depth)
{
	for (size_t len; *text; text += len + (text[len] == ',')) {
		size_t name = strcspn(text, "=");

		len = strcspn(text, ",");
		indent(out, depth);
		if (kind == ROW_LEVELS) {
			fputs("- filePattern: ", out);
			yaml_put_quoted(out, text, name);
			fputc('\n', out);
			indent(out, depth + 1);
			fprintf(out, "verbosity: %.*s\n",
				(int)(len - name - 1), text + name + 1);
		} else if (kind == ROW_GATES) {
			fprintf(out, "  %.*s: %s\n", (int)name, text,
				strncasecmp(text + name + 1, "true", 4) ?
				"false" : "true");
		} else {
			fputs("- ", out);
			yaml_put_quoted(out, text, len);
			fputc('\n', out);
		}
	}
}

static void put_value(FILE *out, const struct row *r, const char *text,
		      int depth)
{
	switch (r->kind) {
	case ROW_BOOL:
	case ROW_NUMBER:
	case ROW_FLOAT:
		fprintf(out, " %s\n", text);
		return;
	case ROW_LIST:
		if (r->use == ROW_SETTING)
			break;
		/* fall through */
	case ROW_GATES:
	case ROW_LEVELS:
		fputs(*text ? "\n" : " null\n", out);
		put_words(out, text, r->kind, depth);
		return;
	default:
		break;
	}
	fputc(' ', out);
	yaml_put_quoted(out, text, strlen(text));
	fputc('\n', out);
}

static void put_all(FILE *out, const struct told *t)
{
	const char *last = "";

	fputs("apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
	      "kind: KubeProxyConfiguration\n", out);
	for (size_t i = 0; i < nr_rows && rows[i].field; i++) {
		const char *name = strrchr(rows[i].field, '.');
		int depth = put_groups(out, last, rows[i].field);

		indent(out, depth);
		fprintf(out, "%s:", name ? name + 1 : rows[i].field);
		put_value(out, &rows[i], told_text(t, &rows[i]), depth);
		last = rows[i].field;
	}
}

int told_write(const struct told *t, const char *path)
{
	FILE *out = fopen(path, "we");
	int err;

	if (!out)
		return -errno;
	put_all(out, t);
	err = ferror(out) ? -EIO : 0;
	if (fclose(out) && !err)
		err = -errno;
	return err;
}
