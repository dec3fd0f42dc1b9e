/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cuts a document at its services, without parsing it, so that each can be
 * parsed by itself: of ten thousand in a file, those alone whose bytes changed.
 *
 * Only a list that stands as most people write it is found: "services:" at the
 * beginning of a line, and below it items that begin with "-", all at one
 * indentation. What is found may be something else (lines of a text in quotes
 * that look so), which shows when the pieces are parsed: each must be YAML of
 * its own, the items lists of one element, and the rest a mapping in which
 * "services" is a key without a value where the list stood. If every piece is,
 * then the document says what they say: a text in quotes, or brackets, that
 * was cut in two would be open at the end of its first piece.
 */
#ifndef FAIRLEAD_SERVICE_LIST_H
#define FAIRLEAD_SERVICE_LIST_H

#include "yaml_tree.h"

#define SERVICE_LIST_MAX (1u << 20)	/* items; a longer one is not cut */

struct service_list {
	struct tree_chunk head;	/* up to the list, the key's line included */
	struct tree_chunk tail;	/* what follows the list; may be empty */
	__u32 key_line;		/* of "services:", in the document */
	size_t indent;
	const char *text;	/* the first item's first line */
	size_t len;
	__u32 lines_before;	/* in the document */
	__u32 lines;
	__u32 count;		/* items */
};

/* False: there is none, or it is written in another way. */
bool service_list_find(const struct tree_chunk *document,
		       struct service_list *ret);

/* The next item; *item starts zeroed, but for first_line: lines before the
 * document. False: no more. */
bool service_list_next(const struct service_list *list,
		       struct tree_chunk *item);

/* The frame's root is as service_list_find() took it to be. */
bool service_list_fits(const struct service_list *list,
		       const struct tree_node *root);

/* The item's node in the root of its own piece; NULL: it is no item. */
const struct tree_node *service_list_item(const struct service_list *list,
					  const struct tree_node *root);

#endif
