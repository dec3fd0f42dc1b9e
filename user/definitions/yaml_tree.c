// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libyaml's events to a tree, see yaml_tree.h. libyaml bounds nothing but its
 * own buffers: depth, values and keys are counted here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/cleanup.h"
#include "yaml_tree.h"

#define CHUNK_MIN 4096
#define CHUNK_MAX (256 * 1024)

struct chunk {
	struct chunk *next;
	char bytes[];
};

struct yaml_tree {
	struct chunk *chunks;
	char *free;		/* room in the newest chunk */
	size_t left;
	size_t chunk_size;	/* of the next one */
	unsigned int nr_nodes;
	struct tree_node *root;
};

struct parser {
	yaml_parser_t yaml;
	yaml_event_t event;	/* the newest; freed when the next is read */
	struct yaml_tree *tree;
	struct tree_error *error;
	const char *text;
	size_t len;
	unsigned int depth;
};

void yaml_tree_free(struct yaml_tree *t)
{
	if (!t)
		return;
	while (t->chunks) {
		struct chunk *next = t->chunks->next;

		free(t->chunks);
		t->chunks = next;
	}
	free(t);
}

void yaml_tree_freep(struct yaml_tree **t)
{
	yaml_tree_free(*t);
}

const struct tree_node *yaml_tree_root(const struct yaml_tree *t)
{
	return t->root;
}

static int add_chunk(struct yaml_tree *t, size_t least)
{
	size_t size = least > t->chunk_size ? least : t->chunk_size;
	struct chunk *c = malloc(sizeof(*c) + size);

	if (!c)
		return -ENOMEM;
	c->next = t->chunks;
	t->chunks = c;
	t->free = c->bytes;
	t->left = size;
	if (t->chunk_size < CHUNK_MAX)
		t->chunk_size *= 2;
	return 0;
}

/* Bytes from the front of the room for nodes, from its end for texts: so
 * neither needs padding for the other's sake. */
static void *tree_alloc_node(struct yaml_tree *t)
{
	const size_t size = sizeof(struct tree_node);
	void *p;

	if (t->left < size && add_chunk(t, size))
		return NULL;
	p = t->free;
	t->free += size;
	t->left -= size;
	return p;
}

static char *tree_copy_text(struct yaml_tree *t, const void *text, size_t len)
{
	char *p;

	if (t->left < len + 1 && add_chunk(t, len + 1))
		return NULL;
	t->left -= len + 1;
	p = t->free + t->left;
	memcpy(p, text, len);
	p[len] = '\0';
	return p;
}

static int fail(struct parser *p, yaml_mark_t at, const char *what)
{
	p->error->line = at.line + 1;
	p->error->column = at.column + 1;
	snprintf(p->error->text, sizeof(p->error->text), "%s", what);
	return -EINVAL;
}

/* libyaml tells where bad bytes are by their offset alone. */
static yaml_mark_t mark_of_offset(const char *text, size_t offset)
{
	yaml_mark_t at = { .index = offset };

	for (size_t i = 0; i < offset; i++) {
		at.column++;
		if (text[i] == '\n') {
			at.line++;
			at.column = 0;
		}
	}
	return at;
}

/* The byte at a mark, whose column counts characters; NUL: there is none. */
static char byte_at(const struct parser *p, yaml_mark_t at)
{
	const char *text = p->text, *end = p->text + p->len;

	for (size_t line = 0; line < at.line && text < end; text++)
		line += *text == '\n';
	for (size_t column = 0; text < end; text++)
		if ((*text & 0xc0) != 0x80 && column++ == at.column)
			return *text;
	return '\0';
}

/* The mistakes that people make most, in their terms; false: another one. */
static bool explain(const struct parser *p, char *text, size_t size,
		    yaml_mark_t *ret_at)
{
	const yaml_parser_t *y = &p->yaml;
	const char *problem = y->problem ?: "";
	char c = byte_at(p, y->problem_mark);

	*ret_at = y->problem_mark;
	if (y->context && strstr(y->context, "an alias")) {
		*ret_at = y->context_mark;
		snprintf(text, size, "\"*\" needs quotes around it: \"*\" by itself begins a reference in YAML");
	} else if (strstr(problem, "tab character") || c == '\t') {
		snprintf(text, size, "not YAML: a tab in the indentation, where only spaces may be");
	} else if (c && strchr("@`%", c)) {
		snprintf(text, size, "a value that begins with \"%c\" needs quotes around it", c);
	} else {
		return false;
	}
	return true;
}

static int fail_yaml(struct parser *p)
{
	const yaml_parser_t *y = &p->yaml;
	yaml_mark_t at;
	char text[160];

	switch (y->error) {
	case YAML_MEMORY_ERROR:
		return -ENOMEM;
	case YAML_READER_ERROR:
		snprintf(text, sizeof(text), "not YAML: %s", y->problem);
		return fail(p, mark_of_offset(p->text, y->problem_offset),
			    text);
	default:
		if (explain(p, text, sizeof(text), &at))
			return fail(p, at, text);
		snprintf(text, sizeof(text), "not YAML: %s%s%s",
			 y->context ?: "", y->context ? ", " : "",
			 y->problem ?: "unknown error");
		return fail(p, y->problem_mark, text);
	}
}

static int next_event(struct parser *p)
{
	yaml_event_delete(&p->event);
	if (!yaml_parser_parse(&p->yaml, &p->event))
		return fail_yaml(p);
	return 0;
}

static int add_node(struct parser *p, enum tree_kind kind,
		    struct tree_node **ret)
{
	const yaml_mark_t at = p->event.start_mark;
	struct tree_node *n;

	if (p->tree->nr_nodes++ >= TREE_NODES_MAX) {
		char text[80];

		snprintf(text, sizeof(text),
			 "document has more than %u values", TREE_NODES_MAX);
		return fail(p, at, text);
	}
	n = tree_alloc_node(p->tree);
	if (!n)
		return -ENOMEM;
	*n = (struct tree_node){
		.line = at.line + 1,
		.column = at.column + 1,
		.kind = kind,
	};
	*ret = n;
	return 0;
}

static int parse_scalar(struct parser *p, struct tree_node **ret)
{
	const yaml_char_t *text = p->event.data.scalar.value;
	size_t len = p->event.data.scalar.length;
	struct tree_node *n;
	int err;

	if (memchr(text, '\0', len))
		return fail(p, p->event.start_mark, "text with a NUL in it");
	err = add_node(p, TREE_SCALAR, &n);
	if (err)
		return err;
	n->text = tree_copy_text(p->tree, text, len);
	if (!n->text)
		return -ENOMEM;
	n->count = len;
	n->quoted = p->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	*ret = n;
	return 0;
}

static int check_key(struct parser *p, const struct tree_node *map,
		     const struct tree_node *key)
{
	const yaml_mark_t at = { .line = key->line - 1,
				 .column = key->column - 1 };
	char text[200];

	if (key->kind != TREE_SCALAR)
		return fail(p, at, "a key must be a word");
	if (!key->quoted && !strcmp(key->text, "<<"))
		return fail(p, at, "merge keys are not supported");
	if (map->count >= TREE_KEYS_MAX) {
		snprintf(text, sizeof(text),
			 "more than %u keys in a mapping", TREE_KEYS_MAX);
		return fail(p, at, text);
	}
	for (const struct tree_node *k = map->first; k; k = k->next->next) {
		if (strcmp(k->text, key->text))
			continue;
		snprintf(text, sizeof(text),
			 "key \"%.100s\" is given already in this mapping",
			 key->text);
		return fail(p, at, text);
	}
	return 0;
}

static int parse_node(struct parser *p, struct tree_node **ret);

static int parse_sequence(struct parser *p, struct tree_node **ret)
{
	struct tree_node **tail;
	int err;

	err = add_node(p, TREE_SEQUENCE, ret);
	if (err)
		return err;
	tail = &(*ret)->first;
	for (;;) {
		err = next_event(p);
		if (err || p->event.type == YAML_SEQUENCE_END_EVENT)
			return err;
		err = parse_node(p, tail);
		if (err)
			return err;
		tail = &(*tail)->next;
		(*ret)->count++;
	}
}

static int parse_mapping(struct parser *p, struct tree_node **ret)
{
	struct tree_node *map, *key, **tail;
	int err;

	err = add_node(p, TREE_MAPPING, &map);
	if (err)
		return err;
	*ret = map;
	tail = &map->first;
	for (;;) {
		err = next_event(p);
		if (err || p->event.type == YAML_MAPPING_END_EVENT)
			return err;
		err = parse_node(p, &key);
		if (!err)
			err = check_key(p, map, key);
		if (!err)
			err = next_event(p);
		if (!err)
			err = parse_node(p, &key->next);
		if (err)
			return err;
		*tail = key;
		tail = &key->next->next;
		map->count++;
	}
}

static int check_plain(struct parser *p, const void *anchor, const void *tag)
{
	if (anchor)
		return fail(p, p->event.start_mark,
			    "anchors and aliases are not supported");
	if (tag)
		return fail(p, p->event.start_mark, "tags are not supported");
	return 0;
}

/* A node that nests: depth is what bounds the recursion. */
static int parse_collection(struct parser *p, struct tree_node **ret)
{
	char text[80];
	int err;

	if (p->depth >= TREE_DEPTH_MAX) {
		snprintf(text, sizeof(text),
			 "nested deeper than %u levels", TREE_DEPTH_MAX);
		return fail(p, p->event.start_mark, text);
	}
	p->depth++;
	if (p->event.type == YAML_SEQUENCE_START_EVENT)
		err = parse_sequence(p, ret);
	else
		err = parse_mapping(p, ret);
	p->depth--;
	return err;
}

/* The node that the newest event begins. */
static int parse_node(struct parser *p, struct tree_node **ret)
{
	const yaml_event_t *e = &p->event;
	int err;

	switch (e->type) {
	case YAML_SCALAR_EVENT:
		err = check_plain(p, e->data.scalar.anchor, e->data.scalar.tag);
		return err ?: parse_scalar(p, ret);
	case YAML_SEQUENCE_START_EVENT:
		err = check_plain(p, e->data.sequence_start.anchor,
				  e->data.sequence_start.tag);
		return err ?: parse_collection(p, ret);
	case YAML_MAPPING_START_EVENT:
		err = check_plain(p, e->data.mapping_start.anchor,
				  e->data.mapping_start.tag);
		return err ?: parse_collection(p, ret);
	case YAML_ALIAS_EVENT:
		return check_plain(p, e, NULL);
	default:
		return fail(p, e->start_mark, "expected a value");
	}
}

/* Text without contents: as good as "~". */
static int parse_nothing(struct parser *p)
{
	int err = add_node(p, TREE_SCALAR, &p->tree->root);

	if (err)
		return err;
	p->tree->root->text = tree_copy_text(p->tree, "", 0);
	return p->tree->root->text ? 0 : -ENOMEM;
}

static int parse_stream(struct parser *p)
{
	int err;

	err = next_event(p);			/* start of stream */
	if (!err)
		err = next_event(p);		/* start of document */
	if (err)
		return err;
	if (p->event.type == YAML_STREAM_END_EVENT)
		return parse_nothing(p);
	err = next_event(p);
	if (!err)
		err = parse_node(p, &p->tree->root);
	if (!err)
		err = next_event(p);		/* end of document */
	if (!err)
		err = next_event(p);
	if (err)
		return err;
	if (p->event.type != YAML_STREAM_END_EVENT)
		return fail(p, p->event.start_mark,
			    "a new document must start with \"---\"");
	return 0;
}

static void parser_delete(struct parser *p)
{
	yaml_event_delete(&p->event);
	yaml_parser_delete(&p->yaml);
}

int yaml_tree_parse(const char *text, size_t len, struct yaml_tree **ret,
		    struct tree_error *ret_error)
{
	__cleanup(yaml_tree_freep) struct yaml_tree *tree = NULL;
	__cleanup(parser_delete) struct parser p = {
		.error = ret_error,
		.text = text,
		.len = len,
	};
	int err;

	if (!yaml_parser_initialize(&p.yaml))
		return -ENOMEM;
	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return -ENOMEM;
	tree->chunk_size = CHUNK_MIN;
	p.tree = tree;
	yaml_parser_set_input_string(&p.yaml, (const void *)text, len);
	yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
	err = parse_stream(&p);
	if (err)
		return err;
	*ret = take_ptr(tree);
	return 0;
}

static void shift(struct tree_node *n, __u32 line, __u32 lines)
{
	for (; n; n = n->next) {
		if (n->line > line)
			n->line += lines;
		if (n->kind != TREE_SCALAR)
			shift(n->first, line, lines);
	}
}

void yaml_tree_shift(struct yaml_tree *t, __u32 line, __u32 lines)
{
	shift(t->root, line, lines);
}

bool tree_is_null(const struct tree_node *n)
{
	return n->kind == TREE_SCALAR && !n->quoted &&
	       (!n->count || !strcmp(n->text, "~") || !strcmp(n->text, "null"));
}

bool yaml_is_document_start(const char *line, size_t len)
{
	return len >= 3 && !memcmp(line, "---", 3) &&
	       (len == 3 || line[3] == ' ' || line[3] == '\t' ||
		line[3] == '\r');
}

/* Blank, a comment, a directive or an end mark: no contents. */
static bool is_empty_line(const char *line, size_t len)
{
	if (len && line[0] == '%')
		return true;
	if (len >= 3 && !memcmp(line, "...", 3))
		return true;
	while (len && (*line == ' ' || *line == '\t' || *line == '\r')) {
		line++;
		len--;
	}
	return !len || *line == '#';
}

static size_t line_length(const char *line, const char *end)
{
	const char *feed = memchr(line, '\n', end - line);

	return (feed ?: end) - line;
}

/* The line behind this one, whose length is len. */
static const char *line_next(const char *line, size_t len, const char *end)
{
	return line + len < end ? line + len + 1 : end;
}

bool yaml_tree_start(const char *stream, size_t len, struct tree_chunk *pos)
{
	const char *end = stream + len;
	const char *line = pos->text ? pos->text + pos->len : stream;
	bool is_found = false;

	pos->text = line;
	pos->first_line += pos->lines;
	for (pos->lines = 0; line < end && !is_found; pos->lines++) {
		size_t n = line_length(line, end);

		if (yaml_is_document_start(line, n)) {
			pos->first_line += pos->lines;
			pos->lines = 0;
			pos->text = line;
			is_found = !is_empty_line(line + 3, n - 3);
		} else {
			is_found = !is_empty_line(line, n);
		}
		line = line_next(line, n, end);
	}
	pos->len = end - pos->text;
	return is_found;
}

void yaml_tree_cut(struct tree_chunk *text)
{
	const char *line = text->text, *end = line + text->len;

	text->lines = 0;
	while (line < end) {
		size_t len = line_length(line, end);

		if (line != text->text && yaml_is_document_start(line, len))
			break;
		text->lines += line + len < end;
		line = line_next(line, len, end);
	}
	text->len = line - text->text;
}
