// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a file says, in parts: a document or service whose bytes are those of a
 * part that was read before is that part, wherever it is now.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "files_private.h"
#include "manifest.h"
#include "old_parts.h"
#include "service_list.h"
#include "yaml_tree.h"

/* A file that is being read. */
struct file_reading {
	struct service_known known;
	struct reading *all;
	struct file *f;
	struct old_parts old;
};

/* Room for one more; it grows at powers of two, so need not be remembered. */
static int make_room(struct file *f)
{
	size_t count = f->nr_parts;
	struct part **larger;

	if (count & (count - 1))
		return 0;
	larger = realloc(f->parts, (count ? 2 * count : 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	f->parts = larger;
	return 0;
}

/* p is the file's from here on, or freed. */
static int part_keep(struct file_reading *fr, struct part *p, __u32 first_line)
{
	int err = make_room(fr->f);

	if (err) {
		if (p->is_new)
			part_free(p);
		return err;
	}
	p->is_live = true;
	p->is_kept = false;
	p->first_line = first_line;
	fr->f->is_stale |= p->has_mistakes;
	fr->f->parts[fr->f->nr_parts++] = p;
	return 0;
}

/* What a piece of text is to be read as. */
enum piece { PIECE_DOCUMENT, PIECE_FRAME, PIECE_ITEM };

static void piece_hash(const struct file_reading *fr, enum piece piece,
		       const char *text, size_t len, __u64 ret[static 2])
{
	text_hash(fr->all->s->key, text, len, ret);
	ret[0] ^= piece;
}

/*
 * The service that was read from here the last time, if the same bytes are
 * here and nothing follows that would belong to it: it has the same lines then,
 * and they need not be looked for.
 */
static struct part *item_next(struct service_known *known,
			      const struct service_list *list,
			      const char *text, const char *end)
{
	struct file_reading *fr = (struct file_reading *)known;
	struct old_parts *old = &fr->old;
	struct part *p = NULL;
	__u64 hash[2];

	while (old->next < old->count && !old->list[old->next]->len)
		old->next++;	/* frames and documents */
	if (old->next < old->count)
		p = old->list[old->next];
	if (!p || p->len > (size_t)(end - text) ||
	    !service_list_ends_item(list, text + p->len, end))
		return NULL;
	piece_hash(fr, PIECE_ITEM, text, p->len, hash);
	if (!old_part_is_wanted(p, hash))
		return NULL;
	old->next++;
	p->is_live = true;
	return p;
}

/* Or that was read from elsewhere; from there on the next ones are looked
 * for. */
static struct part *item_find(struct service_known *known,
			      const struct service_item *item)
{
	struct file_reading *fr = (struct file_reading *)known;
	struct part *p = NULL;
	__u64 hash[2];

	if (!fr->old.count)
		return NULL;
	piece_hash(fr, PIECE_ITEM, item->text, item->len, hash);
	if (old_part_find(&fr->old, hash, &p) || !p)
		return NULL;
	p->is_live = true;
	return p;
}

static int tree_read(struct reader *r, enum piece piece,
		     const struct service_list *list,
		     const struct tree_node *root, struct part *p)
{
	const struct tree_node *item;
	struct native *ret = &p->native;

	switch (piece) {
	case PIECE_DOCUMENT:
		return manifest_is(root) ? manifest_read(r, root, p) :
					   native_read(r, root, ret);
	case PIECE_FRAME:
		if (!service_list_fits(list, root))
			return -EAGAIN;
		return native_read_frame(r, root, ret);
	default:
		item = service_list_item(list, root);
		return item ? native_read_item(r, item, ret) : -EAGAIN;
	}
}

/* Of a text that is not YAML: whose mistakes are they? What has a list of
 * services is ours, whatever else is in it: some of its mistakes may have been
 * told already, of a part that was read by itself. */
static bool is_like_manifest(const struct tree_chunk *text)
{
	static const char key[] = "apiVersion";

	return memmem(text->text, text->len, key, sizeof(key) - 1) &&
	       !service_list_has_key(text);
}

/* -EAGAIN: a piece that is not what it looked like; nothing was reported. */
static int part_parse(struct file_reading *fr, enum piece piece,
		      const struct service_list *list,
		      const struct tree_chunk *text, struct part *p)
{
	__cleanup(yaml_tree_freep) struct yaml_tree *tree = NULL;
	struct reader reader = {
		.report = fr->all->r,
		.path = fr->f->path,
		.first_line = text->first_line,
	};
	const unsigned int refused = fr->all->r->refused;
	struct tree_error error;
	int err;

	err = yaml_tree_parse(text->text, text->len, &tree, &error);
	if (err == -EINVAL && piece != PIECE_DOCUMENT)
		return -EAGAIN;
	if (err == -EINVAL && is_like_manifest(text)) {
		p->has_mistakes = p->is_broken = true;
		p->native.says_services = true;
		report_refused(fr->all->r, fr->f->path,
			       text->first_line + error.line, error.column,
			       "a Kubernetes manifest: %s", error.text);
		return 0;
	}
	if (err == -EINVAL) {
		p->has_mistakes = true;
		report_error(fr->all->r, fr->f->path,
			     text->first_line + error.line, error.column, "%s",
			     error.text);
		return 0;
	}
	if (err)
		return err;
	if (piece == PIECE_FRAME)
		yaml_tree_shift(tree, list->lines_before, list->lines);
	err = tree_read(&reader, piece, list, yaml_tree_root(tree), p);
	if (err && err != -EINVAL)
		return err;
	p->is_broken |= fr->all->r->refused != refused;
	p->has_mistakes = err || p->is_broken;
	part_adopt(p);
	return 0;
}

/* The part that text says: an old one if that says the same, else a new one.
 * list: NULL for a document. */
static int part_read(struct file_reading *fr, enum piece piece,
		     const struct service_list *list,
		     const struct tree_chunk *text)
{
	struct part *p = NULL;
	__u64 hash[2];
	int err;

	piece_hash(fr, piece, text->text, text->len, hash);
	if (piece == PIECE_FRAME)
		hash[1] ^= (__u64)list->lines_before << 32 | list->lines;
	err = old_part_find(&fr->old, hash, &p);
	if (err || p)
		return err ?: part_keep(fr, p, text->first_line);
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	memcpy(p->hash, hash, sizeof(hash));
	if (piece == PIECE_ITEM) {
		p->len = text->len;
		p->lines = text->lines;
	}
	p->path = fr->f->path;
	p->is_new = true;
	err = part_parse(fr, piece, list, text, p);
	if (err) {
		part_free(p);
		return err;
	}
	fr->all->work->documents_parsed++;
	return part_keep(fr, p, text->first_line);
}

/* The document without its services. */
static int frame_read(struct file_reading *fr, const struct service_list *list,
		      __u32 first_line)
{
	size_t len = list->head.len + list->tail.len;
	__cleanup(free_text) char *text = malloc(len + 1);
	struct tree_chunk chunk = {
		.text = text, .len = len, .first_line = first_line,
	};

	if (!text)
		return -ENOMEM;
	memcpy(text, list->head.text, list->head.len);
	memcpy(text + list->head.len, list->tail.text, list->tail.len);
	text[len] = '\0';
	return part_read(fr, PIECE_FRAME, list, &chunk);
}

/* Of what was kept from part number count on: new ones go, old ones are
 * nobody's again. */
static void parts_take_back(struct file *f, size_t count)
{
	while (f->nr_parts > count) {
		struct part *p = f->parts[--f->nr_parts];

		p->is_live = false;
		if (p->is_new)
			part_free(p);
	}
}

static int items_read(struct file_reading *fr, const struct service_list *list,
		      __u32 line)
{
	const struct service_item *item = list->items;
	int err = 0;

	for (size_t i = 0; i < list->count && !err; i++, item++) {
		const struct tree_chunk text = {
			.text = item->text,
			.len = item->len,
			.first_line = line,
			.lines = item->lines,
		};

		err = item->known ? part_keep(fr, item->known, line) :
				    part_read(fr, PIECE_ITEM, list, &text);
		line += item->lines;
	}
	return err;
}

static void items_forget(const struct service_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].known)
			list->items[i].known->is_live = false;
}

/* *doc, which begins with a document, becomes just that. -EAGAIN: it has to
 * be read as a whole, and may not be cut yet. */
static int services_read(struct file_reading *fr, struct tree_chunk *doc)
{
	__cleanup(service_list_clear) struct service_list list = {};
	size_t before = fr->f->nr_parts, first = fr->old.next, next;
	int err = service_list_find(doc, &fr->known, &list);

	next = fr->old.next;
	fr->old.next = first;	/* a frame comes before its items */
	if (!err)
		err = frame_read(fr, &list, doc->first_line);
	fr->old.next = next;
	if (!err)
		err = items_read(fr, &list,
				 doc->first_line + list.lines_before);
	if (err != -EAGAIN)
		return err;
	items_forget(&list);
	parts_take_back(fr->f, before);
	return -EAGAIN;
}

static int document_read(struct file_reading *fr, struct tree_chunk *doc)
{
	int err = services_read(fr, doc);

	if (err != -EAGAIN)
		return err;
	yaml_tree_cut(doc);
	return part_read(fr, PIECE_DOCUMENT, NULL, doc);
}

static int documents_read(struct file_reading *fr, const char *text, size_t len)
{
	struct tree_chunk chunk = {};
	struct file *f = fr->f;

	f->nr_documents = 0;
	while (yaml_tree_start(text, len, &chunk)) {
		int err;

		if (f->nr_documents++ == SOURCE_DOCUMENTS_MAX) {
			f->is_stale = true;
			report_error(fr->all->r, f->path, chunk.first_line + 1,
				     1, "more than %u documents in a file",
				     SOURCE_DOCUMENTS_MAX);
			return 0;
		}
		err = document_read(fr, &chunk);
		if (err)
			return err;
	}
	return 0;
}

/* A file that was emptied, or not filled yet, must withdraw nothing. */
static void check_contents(struct file_reading *fr, unsigned int mistakes)
{
	struct file *f = fr->f;

	for (size_t i = 0; i < f->nr_parts; i++)
		if (f->parts[i]->native.says_services ||
		    f->parts[i]->native.says_policy ||
		    f->parts[i]->native.settings)
			return;
	f->is_stale = true;
	if (fr->all->r->count == mistakes)
		report_error(fr->all->r, f->path, 0, 0,
			     "says nothing; an empty list of services is written \"services: []\"");
}

static bool has_broken(const struct file *f)
{
	for (size_t i = 0; i < f->nr_parts; i++)
		if (f->parts[i]->is_broken)
			return true;
	return false;
}

/*
 * Parts that are not said any more go. But objects of a file of which some
 * cannot be told may be among those: they stay, until it is right again.
 */
static int old_parts_settle(struct file_reading *fr)
{
	const bool is_broken = has_broken(fr->f);
	int err;

	fr->f->lacks = is_broken && (fr->f->lacks ||
				     (!fr->old.count && !fr->all->s->was_read));
	for (size_t i = 0; i < fr->old.count; i++) {
		struct part *p = fr->old.list[i];

		if (p->is_live)
			continue;
		if (!is_broken || !p->nr_objects || p->is_broken) {
			source_bury(&fr->all->s->source, p);
			continue;
		}
		err = part_keep(fr, p, p->first_line);
		if (err)
			return err;
		p->is_kept = p->has_refused = true;
	}
	return 0;
}

int file_parse(struct reading *all, struct file *f, const char *text,
	       size_t len)
{
	struct file_reading fr = {
		.known = { .next = item_next, .find = item_find },
		.all = all,
		.f = f,
		.old = { .list = f->parts, .count = f->nr_parts },
	};
	unsigned int mistakes = all->r->count;
	int err;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	f->parts = NULL;
	f->nr_parts = 0;
	for (size_t i = 0; i < fr.old.count; i++)
		fr.old.list[i]->is_live = fr.old.list[i]->is_new = false;
	err = documents_read(&fr, text, len);
	if (!err)
		check_contents(&fr, mistakes);
	err = err ?: old_parts_settle(&fr);
	for (size_t i = 0; err && i < fr.old.count; i++)
		if (!fr.old.list[i]->is_live)
			source_bury(&all->s->source, fr.old.list[i]);
	free(fr.old.list);
	free(fr.old.table);
	return err;
}
