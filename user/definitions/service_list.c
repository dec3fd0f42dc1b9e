// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See service_list.h. Lines are looked at by their first bytes alone. */
#include <string.h>

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

/* The line behind "services:", and how many lines are before it. */
static const char *find_key(const char *text, const char *end, __u32 *ret_lines)
{
	struct line l;

	*ret_lines = 0;
	while (line_at(text, end, &l)) {
		++*ret_lines;
		if (is_key(&l))
			return l.next;
		text = l.next;
	}
	return NULL;
}

static void find_end(const char *text, const char *end,
		     struct service_list *list)
{
	struct line l;

	list->text = text;
	while (line_at(text, end, &l) && !is_end(&l, list->indent)) {
		list->count += is_item(&l, list->indent);
		list->lines++;
		text = l.next;
	}
	list->len = text - list->text;
}

bool service_list_find(const struct tree_chunk *document,
		       struct service_list *ret)
{
	const char *end = document->text + document->len;
	struct service_list list = {};
	__u32 lines;
	struct line l;
	const char *text = find_key(document->text, end, &lines);

	if (!text)
		return false;
	list.key_line = lines;
	for (;; lines++, text = l.next) {
		if (!line_at(text, end, &l))
			return false;
		if (!is_blank(&l, 0))
			break;
	}
	if (!is_item(&l, l.indent))
		return false;
	list.indent = l.indent;
	list.lines_before = lines;
	find_end(text, end, &list);
	list.head.text = document->text;
	list.head.len = text - document->text;
	list.tail.text = list.text + list.len;
	list.tail.len = end - list.tail.text;
	*ret = list;
	return list.count <= SERVICE_LIST_MAX &&
	       !has_other_breaks(document->text, end);
}

bool service_list_next(const struct service_list *list,
		       struct tree_chunk *item)
{
	const char *end = list->text + list->len;
	const char *text = item->text ? item->text + item->len : list->text;
	struct line l;

	if (text == end)
		return false;
	item->first_line += item->text ? item->lines : list->lines_before;
	item->text = text;
	item->lines = 0;
	while (line_at(text, end, &l)) {
		if (item->lines && is_item(&l, list->indent))
			break;
		item->lines++;
		text = l.next;
	}
	item->len = text - item->text;
	return true;
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
