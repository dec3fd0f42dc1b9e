// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See leaves.h. */
#include <errno.h>
#include <string.h>

#include "leaves.h"

#define DEPTH_MAX 1024		/* json_stream.h has fewer */

struct leaves leaves_of(const struct record *r)
{
	return (struct leaves){ .record = *r };
}

/* The key of what is in the mapping that was opened last. */
static bool take_key(struct leaves *l, const struct record_field *f)
{
	if (!l->depth)
		return false;
	if (l->depth <= LEAF_KEYS_MAX)
		l->keys[l->depth - 1] = *f;
	return true;
}

static bool open_one(struct leaves *l)
{
	if (l->depth == DEPTH_MAX)
		return false;
	if (l->depth++ < LEAF_KEYS_MAX)
		l->keys[l->depth - 1] = (struct record_field){ .data = "" };
	return true;
}

static bool close_one(struct leaves *l)
{
	if (!l->depth)
		return false;
	l->depth--;
	return true;
}

int leaves_next(struct leaves *l, struct record_field *ret)
{
	int more;

	while ((more = record_next(&l->record, ret)) > 0) {
		bool ok = true;

		if (ret->id == RECORD_KEY)
			ok = take_key(l, ret);
		else if (ret->id == RECORD_MAP || ret->id == RECORD_LIST)
			ok = open_one(l);
		else if (ret->id == RECORD_END)
			ok = close_one(l);
		else if (l->depth && l->depth <= LEAF_KEYS_MAX &&
			 ret->id >= RECORD_STRING && ret->id <= RECORD_BOOLEAN)
			return 1;
		if (!ok)
			return -EBADMSG;
	}
	return more;
}

static bool is_key(const struct record_field *key, const char *name, size_t len)
{
	return (len == 1 && *name == '*') ||
	       (key->len == len && !memcmp(key->data, name, len));
}

bool leaves_at(const struct leaves *l, const char *path)
{
	for (unsigned int i = 0; i < l->depth; i++) {
		size_t len = strcspn(path, ">");

		if (!is_key(&l->keys[i], path, len) ||
		    (i + 1 < l->depth) != (path[len] == '>'))
			return false;
		path += len + (path[len] == '>');
	}
	return l->depth;
}

const struct record_field *leaves_key(const struct leaves *l,
				      unsigned int depth)
{
	return depth < l->depth && depth < LEAF_KEYS_MAX ? &l->keys[depth] :
							   NULL;
}

bool leaf_text(const struct record_field *f, char *ret, size_t size)
{
	if (f->len >= size || memchr(f->data, '\0', f->len))
		return false;
	memcpy(ret, f->data, f->len);
	ret[f->len] = '\0';
	return true;
}

bool leaf_is(const struct record_field *f, const char *text)
{
	return f->len == strlen(text) && !memcmp(f->data, text, f->len);
}
