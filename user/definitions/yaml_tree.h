/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A front to libyaml: one document of YAML or JSON becomes a tree of nodes
 * that know their line and column. What surprises is refused: anchors,
 * aliases, merge keys, tags, keys given twice. A hundred thousand backends in
 * one file are usual, so nodes are small and live in large chunks.
 */
#ifndef FAIRLEAD_YAML_TREE_H
#define FAIRLEAD_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define TREE_DEPTH_MAX 32
#define TREE_NODES_MAX (1 << 23)
#define TREE_KEYS_MAX 256	/* of one mapping */

enum tree_kind { TREE_SCALAR, TREE_SEQUENCE, TREE_MAPPING };

struct tree_node {
	struct tree_node *next;	/* in its parent; a key's next is its value */
	union {
		char *text;		/* of a scalar; ends in NUL, has none */
		struct tree_node *first; /* of a mapping: the first key */
	};
	__u32 count;		/* bytes of text, elements, or keys */
	__u32 line;		/* from 1, of the document's first line */
	__u32 column : 29;	/* from 1 */
	__u32 kind : 2;		/* enum tree_kind */
	__u32 quoted : 1;	/* a scalar in quotes: never null */
};

_Static_assert(sizeof(struct tree_node) <= 40, "many of them");

struct tree_error {
	__u32 line, column;
	char text[200];
};

struct yaml_tree;

/*
 * The tree of one document. -EINVAL: *ret_error says why; -ENOMEM. A document
 * without contents has a null scalar as its root.
 */
int yaml_tree_parse(const char *text, size_t len, struct yaml_tree **ret,
		    struct tree_error *ret_error);
void yaml_tree_free(struct yaml_tree *t);	/* NULL is fine */
void yaml_tree_freep(struct yaml_tree **t);

const struct tree_node *yaml_tree_root(const struct yaml_tree *t);

/* Nodes behind line so and so stand that many lines further down. */
void yaml_tree_shift(struct yaml_tree *t, __u32 line, __u32 lines);

/* Nothing was written, or "~" or "null". */
bool tree_is_null(const struct tree_node *n);

/* A part of a stream. */
struct tree_chunk {
	const char *text;
	size_t len;
	__u32 first_line;	/* lines of the stream before it */
	__u32 lines;		/* of its own */
};

/*
 * Cut a stream in documents without parsing it: a line that starts with "---"
 * begins one wherever it stands, so each can be parsed by itself.
 *
 * The next document with contents, behind *pos, which starts zeroed; *pos
 * reaches to the end of the stream then. False: no more.
 */
bool yaml_tree_start(const char *stream, size_t len, struct tree_chunk *pos);

/* Up to where the next document begins; sets len and lines. */
void yaml_tree_cut(struct tree_chunk *text);

/* Of a line: len bytes without the line feed. */
bool yaml_is_document_start(const char *line, size_t len);

#endif
