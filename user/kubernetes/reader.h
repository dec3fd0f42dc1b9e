/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads an object as it comes by, value after value, whether from a tree or
 * from a stream that is parsed as it arrives: one table of paths says which
 * values are read and where they go. All others are passed by, unknown ones
 * too, as the API asks of its clients.
 *
 * A value of the wrong type, or out of its range, is a mistake of the object
 * (struct kube_object, mistakes); null is as good as absent.
 */
#ifndef FAIRLEAD_KUBERNETES_READER_H
#define FAIRLEAD_KUBERNETES_READER_H

#include "object.h"

struct kube_path;

/* Levels of paths that are read; deeper ones are none of ours. */
#define KUBE_DEPTH_MAX 12
/* Of a value that is kept as a whole (struct kube_value). */
#define KUBE_TREE_DEPTH_MAX 16

/* A mapping or list that is being read. */
struct kube_frame {
	const struct kube_path *first, *end;	/* paths that lead through it */
	const struct kube_path *key_first, *key_end; /* and its last key */
	size_t at, key_at;	/* bytes of theirs up to it, and to the key */
	void *base;		/* what they are fields of */
	const struct kube_path *list;	/* NULL: a mapping */
};

/* Zeroed, but for object, which is the caller's. */
struct kube_reader {
	struct kube_object *object;
	struct kube_place at;	/* of what comes next, a key or a value */
	bool no_memory;
	unsigned int depth, skipped;	/* levels that are read, that are not */
	struct kube_frame frames[KUBE_DEPTH_MAX];
	/* The value that is kept as a whole, down to where the next one goes. */
	struct kube_value *tree[KUBE_TREE_DEPTH_MAX];
	unsigned int tree_depth;
	const struct kube_path *tree_path;
	const char *tree_key;
	struct kube_place tree_key_at;
};

/*
 * The paths of what is read, one by one; NULL: no more. Keys with ">" between
 * them, "[]" for any element of a list: "spec>ports[]>port"; "**" for all that is in
 * a value. For who wants to send on what will be read, and no more.
 */
const char *kube_path(enum kube_kind kind, size_t i);

enum kube_scalar { KUBE_NULL, KUBE_STRING, KUBE_NUMBER, KUBE_BOOLEAN,
		   KUBE_PLAIN };	/* KUBE_PLAIN: any, as YAML writes it */

void kube_read_map(struct kube_reader *r);
void kube_read_list(struct kube_reader *r);
void kube_read_end(struct kube_reader *r);	/* of either */
void kube_read_key(struct kube_reader *r, const char *key, size_t len);
void kube_read_scalar(struct kube_reader *r, enum kube_scalar type,
		      const char *text, size_t len);

#endif
