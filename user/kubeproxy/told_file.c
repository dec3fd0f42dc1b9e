// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A KubeProxyConfiguration. kube-proxy decodes strictly and, where only that
 * fails (a field that there is not), once more leniently: so what is unknown is
 * said and left out, and what has a wrong value is a mistake.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/contents.h"
#include "base/suggest.h"
#include "definitions/value.h"
#include "told.h"

#define FILE_MAX (1 << 20)
#define FIELD_MAX 200

struct file {
	struct told *told;
	struct reader reader;
	struct report report;
	const char *path;
	FILE *notes;
};

/* Text is kept where there is none before it: "a,b". */
static void append(char *text, size_t size, const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s", len ? "," : "", word);
}

static void place_text(const struct file *f, const struct tree_node *n,
		       const char *field, char *text, size_t size)
{
	snprintf(text, size, "%s:%u:%u: %s", f->path, n->line, n->column,
		 field);
}

/* The last word of what may stand in group, "" or "conntrack". */
static const char *near_field(const char *group, const char *word,
			      char room[static FIELD_MAX])
{
	static char names[TOLD_ROWS_MAX][FIELD_MAX];
	const char *known[TOLD_ROWS_MAX + 1] = {};
	size_t len = strlen(group), count = 0;

	for (size_t i = 0; i < nr_rows; i++) {
		const char *field = rows[i].field;

		if (!field || strncmp(field, group, len) ||
		    (len && field[len] != '.'))
			continue;
		field += len ? len + 1 : 0;
		snprintf(names[count], FIELD_MAX, "%.*s",
			 (int)strcspn(field, "."), field);
		known[count] = names[count];
		count++;
	}
	word = suggest(word, known);
	return word ? strcpy(room, word) : NULL;
}

static void note_unknown(struct file *f, const struct tree_node *key,
			 const char *group)
{
	char room[FIELD_MAX];
	const char *near = near_field(group, key->text, room);

	fprintf(f->notes, "%s:%u:%u: unknown field \"%s%s%.64s\"%s%s%s; it is left out, as kube-proxy does\n",
		f->path, key->line, key->column, group, *group ? "." : "",
		key->text, near ? "; did you mean \"" : "", near ?: "",
		near ? "\"?" : "");
}

/* Its elements, with commas. */
static bool take_list(struct file *f, const struct tree_node *n,
		      const char *what, char *text, size_t size)
{
	const char *word;

	if (!value_list(&f->reader, n, what))
		return false;
	for (n = n->first; n; n = n->next) {
		if (!value_text(&f->reader, n, what, &word))
			return false;
		append(text, size, word);
	}
	return true;
}

static bool take_gates(struct file *f, const struct tree_node *n,
		       const char *what, char *text, size_t size)
{
	char word[FIELD_MAX];
	bool is_on = false;

	if (n->kind != TREE_MAPPING)
		return reader_error(&f->reader, n, "%s needs keys and values",
				    what);
	for (const struct tree_node *k = n->first; k; k = k->next->next) {
		if (!value_bool(&f->reader, k->next, k->text, &is_on))
			return false;
		snprintf(word, sizeof(word), "%s=%s", k->text,
			 is_on ? "true" : "false");
		append(text, size, word);
	}
	return true;
}

/* A list of {filePattern: ..., verbosity: ...}. */
static bool take_levels(struct file *f, const struct tree_node *n,
			const char *what, char *text, size_t size)
{
	static const char *const keys[] = { "filePattern", "verbosity", NULL };
	const char *words[2] = { "", "0" };
	char word[FIELD_MAX];

	if (!value_list(&f->reader, n, what))
		return false;
	for (n = n->first; n; n = n->next) {
		const struct tree_node *found[2] = {};

		value_keys(&f->reader, n, what, keys, found);
		for (int i = 0; i < 2; i++)
			if (found[i] && !value_text(&f->reader, found[i],
						    keys[i], &words[i]))
				return false;
		snprintf(word, sizeof(word), "%s=%s", words[0], words[1]);
		append(text, size, word);
	}
	return true;
}

static bool take_text(struct file *f, const struct row *r,
		      const struct tree_node *n, char *text, size_t size)
{
	const char *word = "";
	bool is_true = false;

	switch (r->kind) {
	case ROW_GATES:
		return take_gates(f, n, r->field, text, size);
	case ROW_LEVELS:
		return take_levels(f, n, r->field, text, size);
	case ROW_BOOL:
		if (!value_bool(&f->reader, n, r->field, &is_true))
			return false;
		append(text, size, is_true ? "true" : "false");
		return true;
	case ROW_LIST:
		/* clusterCIDR is text with a comma */
		if (r->use != ROW_SETTING)
			return take_list(f, n, r->field, text, size);
		/* fall through */
	default:
		if (!value_text(&f->reader, n, r->field, &word))
			return false;
		append(text, size, word);
		return true;
	}
}

static void take_value(struct file *f, const struct row *r,
		       const struct tree_node *n)
{
	char text[4096] = "", place[4096];

	if (tree_is_null(n))
		return;
	if (!take_text(f, r, n, text, sizeof(text)))
		return;
	if (!*text)	/* as if it were not there */
		return;
	place_text(f, n, r->field, place, sizeof(place));
	told_set(f->told, r, text, place);
}

static void take_group(struct file *f, const struct tree_node *n,
		       const char *group);

static void take_field(struct file *f, const struct tree_node *key,
		       const char *group)
{
	const struct tree_node *value = key->next;
	char field[FIELD_MAX];
	const struct row *r;

	snprintf(field, sizeof(field), "%s%s%s", group, *group ? "." : "",
		 key->text);
	r = row_by_field(field);
	if (r)
		take_value(f, r, value);
	else if (!row_is_group(field))
		note_unknown(f, key, group);
	else if (value->kind == TREE_MAPPING)
		take_group(f, value, field);
	else if (!tree_is_null(value))
		reader_error(&f->reader, value,
			     "%s needs keys and values", field);
}

static void take_group(struct file *f, const struct tree_node *n,
		       const char *group)
{
	for (const struct tree_node *k = n->first; k; k = k->next->next)
		if (*group || (strcmp(k->text, "apiVersion") &&
			       strcmp(k->text, "kind")))
			take_field(f, k, group);
}

/* What the document says that it is. */
static bool is_what_it_should_be(struct file *f, const struct tree_node *root,
				 const char *key, const char *expected)
{
	const struct tree_node *k = root->first;

	for (; k; k = k->next->next)
		if (!strcmp(k->text, key))
			break;
	if (!k)
		return reader_error(&f->reader, root, "no %s; it is \"%s\"",
				    key, expected);
	if (k->next->kind != TREE_SCALAR || strcmp(k->next->text, expected))
		return reader_error(&f->reader, k->next,
				    "%s \"%.64s\" is not \"%s\"", key,
				    k->next->kind == TREE_SCALAR ?
				    k->next->text : "...", expected);
	return true;
}

static int take_tree(struct file *f, const char *text, size_t len)
{
	__cleanup(yaml_tree_freep) struct yaml_tree *tree = NULL;
	const struct tree_node *root;
	struct tree_error error;
	int err = yaml_tree_parse(text, len, &tree, &error);

	if (err == -EINVAL)
		report_error(&f->report, f->path, error.line, error.column,
			     "%s", error.text);
	if (err)
		return err;
	root = yaml_tree_root(tree);
	if (root->kind != TREE_MAPPING)
		reader_error(&f->reader, root,
			     "a KubeProxyConfiguration needs keys and values");
	else if (is_what_it_should_be(f, root, "apiVersion",
				      "kubeproxy.config.k8s.io/v1alpha1") &&
		 is_what_it_should_be(f, root, "kind",
				      "KubeProxyConfiguration"))
		take_group(f, root, "");
	return 0;
}

void told_file(struct told *t, const char *path, FILE *notes)
{
	struct file f = {
		.told = t,
		.report = { .out = t->said },
		.path = path,
		.notes = notes,
	};
	char *text = NULL;
	size_t len = 0;
	int err = contents_read(path, FILE_MAX, &text, &len);

	f.reader = (struct reader){ .report = &f.report, .path = path };
	if (err) {
		told_mistake(t, "%s: %s", path, strerror(-err));
		return;
	}
	err = take_tree(&f, text, len);
	free(text);
	report_finish(&f.report);
	t->mistakes += f.report.count;
	t->no_memory |= err == -ENOMEM || f.reader.no_memory;
}
