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

#include "source.h"
#include "yaml_tree.h"

struct service_list;

#define SERVICE_LIST_MAX (1u << 20)	/* items; a longer one is not cut */

/* An item's text, and the part that is known to say just that; NULL: none. */
struct service_item {
	const char *text;
	size_t len;
	__u32 lines;
	struct part *known;
};

/* Who knows items by their bytes. */
struct service_known {
	/* The item at text, so that its lines need not be looked for; where it
	 * would end, service_list_ends_item() is asked. NULL: look for them. */
	struct part *(*next)(struct service_known *k,
			     const struct service_list *list, const char *text,
			     const char *end);
	/* The item that they make. */
	struct part *(*find)(struct service_known *k,
			     const struct service_item *item);
};

struct service_list {
	struct tree_chunk head;	/* up to the list, the key's line included */
	struct tree_chunk tail;	/* what follows the list; may be empty */
	__u32 key_line;		/* of "services:", in the document */
	size_t indent;
	__u32 lines_before;	/* in the document */
	__u32 lines;
	struct service_item *items;	/* owned */
	size_t count, max;
};

/*
 * *stream begins with a document and becomes just that. -EAGAIN: there is no
 * list, or it is written in another way, and *stream is as before; -ENOMEM.
 * *ret is to be cleared in any case.
 */
int service_list_find(struct tree_chunk *stream, struct service_known *known,
		      struct service_list *ret);
void service_list_clear(struct service_list *list);

/* Has the document a line that is the key of such a list? Without it
 * service_list_find() finds none. */
bool service_list_has_key(const struct tree_chunk *document);

/* Does an item that begins in the list, and has no other before here, end
 * here, at text? */
bool service_list_ends_item(const struct service_list *list, const char *text,
			    const char *end);

/* The frame's root is as service_list_find() took it to be. */
bool service_list_fits(const struct service_list *list,
		       const struct tree_node *root);

/* The item's node in the root of its own piece; NULL: it is no item. */
const struct tree_node *service_list_item(const struct service_list *list,
					  const struct tree_node *root);

#endif
