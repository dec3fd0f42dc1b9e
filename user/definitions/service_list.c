// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See service_list.h. Lines are looked at by their first bytes alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "service_list.h"

#define KEY "services:"
#define KEY_LEN (sizeof(KEY) - 1)

/* A line of a text that is being cut: without its line feed. */
struct line {
	const char *text, *next;
	size_t len;
	size_t indent;		/* spaces before anything else */
};

static bool line_at(const char *text, const char *end, struct line *ret)
{
	const char *feed;

	if (text == end)
		return false;
	feed = memchr(text, '\n', end - text);
	*ret = (struct line){
		.text = text,
		.len = (feed ? feed : end) - text,
		.next = feed ? feed + 1 : end,
	};
	while (ret->indent < ret->len && text[ret->indent] == ' ')
		ret->indent++;
	return true;
}

/* Nothing but blanks and a comment, from byte at on. */
static bool is_blank(const struct line *l, size_t at)
{
	while (at < l->len && (l->text[at] == ' ' || l->text[at] == '\t' ||
			       l->text[at] == '\r'))
		at++;
	return at == l->len || l->text[at] == '#';
}

static bool is_key(const struct line *l)
{
	return l->len >= KEY_LEN && !memcmp(l->text, KEY, KEY_LEN) &&
	       (l->len == KEY_LEN || strchr(" \t\r", l->text[KEY_LEN])) &&
	       is_blank(l, KEY_LEN);
}

static bool is_item(const struct line *l, size_t indent)
{
	return l->indent == indent && l->len > indent &&
	       l->text[indent] == '-' &&
	       (l->len == indent + 1 || l->text[indent + 1] == ' ');
}

/* The list is over where something else begins in the first column. */
static bool is_end(const struct line *l, size_t indent)
{
	return !l->indent && !is_blank(l, 0) && !is_item(l, indent);
}

/*
 * Breaks of YAML that end no line here: a carriage return by itself, and those
 * of Unicode (U+0085, U+2028, U+2029). Behind one there may be a key where we
 * see the rest of a comment.
 */
static bool has_other_breaks(const char *text, const char *end)
{
	const char *p = text;

	for (; (p = memchr(p, '\r', end - p)); p++)
		if (p + 1 == end || p[1] != '\n')
			return true;
	for (p = text; (p = memchr(p, '\xc2', end - p)); p++)
		if (p + 1 < end && p[1] == '\x85')
			return true;
	for (p = text; (p = memchr(p, '\xe2', end - p)); p++)
		if (p + 2 < end && p[1] == '\x80' &&
		    (p[2] == '\xa8' || p[2] == '\xa9'))
			return true;
	return false;
}

/* The line behind "services:", and how many lines are before it; NULL: the
 * document has none. */
static const char *find_key(const char *text, const char *end, __u32 *ret_lines)
{
	struct line l;

	*ret_lines = 0;
	while (line_at(text, end, &l)) {
		if (*ret_lines && yaml_is_document_start(l.text, l.len))
			return NULL;
		++*ret_lines;
		if (is_key(&l))
			return l.next;
		text = l.next;
	}
	return NULL;
}

bool service_list_ends_item(const struct service_list *list, const char *text,
			    const char *end)
{
	struct line l;

	if (text == end)
		return true;
	return text[-1] == '\n' && line_at(text, end, &l) &&
	       (is_item(&l, list->indent) || is_end(&l, list->indent));
}

static int item_add(struct service_list *list, struct service_item item)
{
	if (list->count == SERVICE_LIST_MAX)
		return -EAGAIN;
	if (!list_room(&list->items, list->count + 1, &list->max, sizeof(item)))
		return -ENOMEM;
	list->items[list->count++] = item;
	list->lines += item.lines;
	return 0;
}

/* What begins here with an item's line, up to the next one's. False: it cannot
 * be cut out. */
static bool item_cut(const struct service_list *list, const char *text,
		     const char *end, struct service_item *ret)
{
	const char *start = text;
	struct line l;

	*ret = (struct service_item){ .text = start };
	while (line_at(text, end, &l)) {
		if (ret->lines && (is_item(&l, list->indent) ||
				   is_end(&l, list->indent)))
			break;
		ret->lines++;
		text = l.next;
	}
	ret->len = text - start;
	return !has_other_breaks(start, text);
}

static int find_items(const char *text, const char *end,
		      struct service_known *known, struct service_list *list)
{
	struct line l;

	while (line_at(text, end, &l) && !is_end(&l, list->indent)) {
		struct part *p = known->next(known, list, text, end);
		struct service_item item = { .text = text, .known = p };
		int err;

		if (p) {
			item.len = p->len;
			item.lines = p->lines;
		} else if (item_cut(list, text, end, &item)) {
			item.known = known->find(known, &item);
		} else {
			return -EAGAIN;
		}
		err = item_add(list, item);
		if (err)
			return err;
		text += item.len;
	}
	list->tail.text = text;
	return 0;
}

/* What follows the list in its document. */
static void find_tail(struct service_list *list, const char *end)
{
	struct tree_chunk *tail = &list->tail;
	struct line l;

	if (!line_at(tail->text, end, &l) ||
	    yaml_is_document_start(l.text, l.len))
		return;
	tail->len = end - tail->text;
	yaml_tree_cut(tail);
}

/* The list's first line, and what is known before items are looked for. */
static const char *find_list(const struct tree_chunk *stream,
			     struct service_list *list)
{
	const char *end = stream->text + stream->len;
	__u32 lines;
	struct line l;
	const char *text = find_key(stream->text, end, &lines);

	if (!text)
		return NULL;
	list->key_line = lines;
	for (;; lines++, text = l.next) {
		if (!line_at(text, end, &l))
			return NULL;
		if (!is_blank(&l, 0))
			break;
	}
	if (!is_item(&l, l.indent))
		return NULL;
	list->indent = l.indent;
	list->lines_before = lines;
	list->head.text = stream->text;
	list->head.len = text - stream->text;
	return text;
}

bool service_list_has_key(const struct tree_chunk *document)
{
	__u32 lines;

	return find_key(document->text, document->text + document->len, &lines);
}

int service_list_find(struct tree_chunk *stream, struct service_known *known,
		      struct service_list *ret)
{
	const char *end = stream->text + stream->len;
	const char *text;
	int err;

	*ret = (struct service_list){};
	text = find_list(stream, ret);
	if (!text || has_other_breaks(stream->text, text))
		return -EAGAIN;
	err = find_items(text, end, known, ret);
	if (err)
		return err;
	find_tail(ret, end);
	end = ret->tail.text + ret->tail.len;
	if (has_other_breaks(ret->tail.text, end))
		return -EAGAIN;
	stream->len = end - stream->text;
	stream->lines = ret->lines_before + ret->lines + ret->tail.lines;
	return 0;
}

void service_list_clear(struct service_list *list)
{
	free(list->items);
}

/* Of another dialect, which is not for us to cut. */
static bool is_foreign_key(const struct tree_node *key)
{
	return !strcmp(key->text, "kind") || !strcmp(key->text, "apiVersion");
}

/* A mapping without brackets begins where its first key does. */
bool service_list_fits(const struct service_list *list,
		       const struct tree_node *root)
{
	bool fits = false;

	if (root->kind != TREE_MAPPING || !root->count ||
	    root->first->line != root->line ||
	    root->first->column != root->column)
		return false;
	for (const struct tree_node *k = root->first; k; k = k->next->next) {
		if (is_foreign_key(k))
			return false;
		if (k->line == list->key_line && k->column == 1 &&
		    !strcmp(k->text, "services"))
			fits = tree_is_null(k->next);
	}
	return fits;
}

const struct tree_node *service_list_item(const struct service_list *list,
					  const struct tree_node *root)
{
	if (root->kind != TREE_SEQUENCE || root->count != 1 ||
	    root->line != 1 || root->column != list->indent + 1)
		return NULL;
	return root->first;
}
