// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See given.h. Each setting is a document of its own, read as a file's is, so
 * that the same is right and the same is wrong. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "given.h"
#include "source.h"
#include "yaml_text.h"
#include "yaml_tree.h"

struct given_source {
	struct source source;
	char *text;		/* "place\0document\0", over and over */
	size_t len;
};

/* A list, if there are commas; true and false are words of YAML's. */
static void put_value(FILE *out, const char *value)
{
	size_t len = strcspn(value, ",");

	if (!value[len]) {
		if (!strcmp(value, "true") || !strcmp(value, "false"))
			fputs(value, out);
		else
			yaml_put_quoted(out, value, len);
		return;
	}
	fputc('[', out);
	for (; ; value += len + 1) {
		len = strcspn(value, ",");
		yaml_put_quoted(out, value, len);
		if (!value[len])
			break;
		fputs(", ", out);
	}
	fputc(']', out);
}

static int part_parse(struct part *p, struct report *r, const char *text)
{
	__cleanup(yaml_tree_freep) struct yaml_tree *tree = NULL;
	struct reader reader = {
		.report = r, .path = p->path, .has_no_lines = true,
	};
	struct tree_error error;
	int err = yaml_tree_parse(text, strlen(text), &tree, &error);

	if (err == -EINVAL)
		report_error(r, p->path, 0, 0, "%s", error.text);
	else if (!err)
		err = native_read(&reader, yaml_tree_root(tree), &p->native);
	if (err && err != -EINVAL)
		return err;
	p->has_mistakes = err;
	if (p->native.settings)
		memset(p->native.settings->at, 0,
		       sizeof(p->native.settings->at));
	return 0;
}

static int add_part(struct given_source *s, struct report *r, const char *path,
		    const char *document)
{
	struct part *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->path = path;
	p->is_live = true;
	s->source.parts[s->source.nr_parts++] = p;
	err = part_parse(p, r, document);
	return err;
}

static size_t count_parts(const struct given_source *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->len; i++)
		count += !s->text[i];
	return count / 2;
}

static void given_clear(struct source *source)
{
	for (size_t i = 0; i < source->nr_parts; i++)
		part_free(source->parts[i]);
	free(source->parts);
	source->parts = NULL;
	source->nr_parts = 0;
}

/* Read once; with a mistake again each time, so that it is said each time. */
static int given_refresh(struct source *source, struct report *r,
			 struct definitions_work *work)
{
	struct given_source *s = (struct given_source *)source;
	const char *text = s->text, *end = text + s->len;
	unsigned int before = r->count;
	int err = 0;

	if (source->is_complete)
		return 0;
	given_clear(source);
	source->parts = calloc(count_parts(s) + 1, sizeof(*source->parts));
	if (!source->parts)
		return -ENOMEM;
	while (text < end && !err) {
		const char *document = text + strlen(text) + 1;

		err = add_part(s, r, text, document);
		text = document + strlen(document) + 1;
	}
	source->is_complete = !err && r->count == before;
	return err;
}

static void given_free(struct source *source)
{
	struct given_source *s = (struct given_source *)source;

	free(s->text);
	free(s);
}

static int write_texts(const struct given *list, size_t count, char **ret,
		       size_t *ret_len)
{
	FILE *out = open_memstream(ret, ret_len);

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *in_group = strstr(list[i].key, ": ");
		int len = in_group ? in_group - list[i].key : 0;

		if (list[i].place)
			fputs(list[i].place, out);
		else
			fprintf(out, "--%s", list[i].key);
		fputc('\0', out);
		fprintf(out, "%.*s%s%s: ", len, list[i].key,
			in_group ? ": {" : "",
			list[i].key + (in_group ? len + 2 : 0));
		put_value(out, list[i].value);
		if (in_group)
			fputc('}', out);
		fputc('\0', out);
	}
	return fclose(out) ? -ENOMEM : 0;
}

int given_new(const struct given *list, size_t count, struct source **ret)
{
	static const struct source_ops ops = {
		.refresh = given_refresh,
		.clear = given_clear,
		.free = given_free,
	};
	__cleanup(free_text) char *text = NULL;
	struct given_source *s;
	size_t len = 0;
	int err = write_texts(list, count, &text, &len);

	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->source.ops = &ops;
	s->source.name = "the command line";
	s->text = take_ptr(text);
	s->len = len;
	if (!EVP_Digest(s->text, len, s->source.sha256, NULL, EVP_sha256(),
			NULL)) {
		given_free(&s->source);
		return -ENOMEM;
	}
	*ret = &s->source;
	return 0;
}
