/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which values of a JSON document somebody wants: a list of paths becomes a
 * tree that a parser descends along with the document, so that all others cost
 * one look-up for their topmost stranger.
 *
 * A path is keys with ">" between them, as keys have dots and slashes in them;
 * "[]" behind one is any element of its list: "endpoints[]>addresses[]"; "**"
 * behind the last one is all that is in its value.
 */
#ifndef FAIRLEAD_PATHS_H
#define FAIRLEAD_PATHS_H

#include <stddef.h>

#include <linux/types.h>

struct path_row {
	const char *path;
	__u16 id;		/* not 0 */
};

struct path_node;

/* Rows are not needed after it. -ENOMEM; a path twice has the first id. */
int paths_new(const struct path_row *rows, size_t count,
	      struct path_node **ret_root);
void paths_free(struct path_node *root);	/* NULL is fine */

/* One more, below root: -ENOMEM. */
int paths_add(struct path_node *root, const char *path, __u16 id);

/* NULL: nothing that is wanted; n may be NULL. */
const struct path_node *path_child(const struct path_node *n, const char *key,
				   size_t len);
const struct path_node *path_element(const struct path_node *n);

/* 0: it only leads on; n may be NULL. */
__u16 path_id(const struct path_node *n);

#endif
