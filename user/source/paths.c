// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See paths.h. A node has a few children at most: a list of them will do. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "paths.h"

struct path_node {
	struct path_node *child, *next;
	bool has_all;		/* whatever is in it is it */
	__u16 id;
	size_t len;
	char key[];
};

void paths_free(struct path_node *n)
{
	while (n) {
		struct path_node *next = n->next;

		paths_free(n->child);
		free(n);
		n = next;
	}
}

static void paths_freep(struct path_node **n)
{
	paths_free(*n);
}

static struct path_node *find(const struct path_node *n, const char *key,
			      size_t len)
{
	struct path_node *c = n ? n->child : NULL;

	if (n && n->has_all)
		return (struct path_node *)n;
	while (c && (c->len != len || memcmp(c->key, key, len)))
		c = c->next;
	return c;
}

static struct path_node *find_or_add(struct path_node *n, const char *key,
				     size_t len)
{
	struct path_node *c = find(n, key, len);

	if (c)
		return c;
	c = calloc(1, sizeof(*c) + len + 1);
	if (!c)
		return NULL;
	memcpy(c->key, key, len);
	c->len = len;
	c->next = n->child;
	n->child = c;
	return c;
}

/* A key, or "[]", which no key begins with. */
static size_t step_len(const char *path)
{
	return *path == '[' ? 2 : strcspn(path, ">[*");
}

int paths_add(struct path_node *root, const char *path, __u16 id)
{
	struct path_node *n = root;

	while (*path && *path != '*') {
		size_t len = step_len(path);

		n = find_or_add(n, path, len);
		if (!n)
			return -ENOMEM;
		path += len + (path[len] == '>');
	}
	n->has_all = *path;
	n->id = n->id ?: id;
	return 0;
}

int paths_new(const struct path_row *rows, size_t count,
	      struct path_node **ret_root)
{
	__cleanup(paths_freep) struct path_node *root =
		calloc(1, sizeof(*root) + 1);

	if (!root)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (paths_add(root, rows[i].path, rows[i].id))
			return -ENOMEM;
	*ret_root = take_ptr(root);
	return 0;
}

const struct path_node *path_child(const struct path_node *n, const char *key,
				   size_t len)
{
	return find(n, key, len);
}

const struct path_node *path_element(const struct path_node *n)
{
	return find(n, "[]", 2);
}

__u16 path_id(const struct path_node *n)
{
	return n ? n->id : 0;
}
