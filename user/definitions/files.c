// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Definitions in files, see files.h. Three caches, each within the other: a
 * file whose times are those of the last reading is not opened; of one that was
 * read again, a document or service whose bytes are the same is not parsed; and
 * what was not parsed hands out the same pointers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "files_private.h"

static void list_drop(struct files *s, struct file_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		file_drop(s, list->files[i]);
	free(list->files);
	*list = (struct file_list){};
}

/* Step through the paths and the files that we know side by side. */
static int refresh_list(struct reading *all, char *const *paths, size_t count)
{
	struct files *s = all->s;
	struct file_list old = s->list;
	struct file_list list = { .files = calloc(count + 1,
						  sizeof(*list.files)) };
	int err = list.files ? 0 : -ENOMEM;
	size_t i = 0;

	for (size_t j = 0; j < count && !err; j++) {
		struct file *f = NULL;
		int order = -1;

		while (i < old.count) {
			order = strcmp(old.files[i]->path, paths[j]);
			if (order >= 0)
				break;
			file_drop(s, old.files[i++]);
		}
		if (i < old.count && !order)
			f = old.files[i++];
		err = file_refresh(all, &list, paths[j], f);
	}
	while (i < old.count)
		file_drop(s, old.files[i++]);
	free(old.files);
	s->list = list;
	return err;
}

static int scan(struct reading *all, bool *ret_is_dir)
{
	__cleanup(paths_clear) struct paths p = {};
	struct stat st;
	int err;

	*ret_is_dir = stat(all->s->path, &st) == 0 && S_ISDIR(st.st_mode);
	if (!*ret_is_dir)
		return refresh_list(all, &all->s->path, 1);
	err = paths_list(all, &p);
	return err ?: refresh_list(all, p.list, p.count);
}

/* Every file's parts, in order of files and places. */
static int collect_parts(struct files *s)
{
	size_t count = 0;
	struct part **parts;

	for (size_t i = 0; i < s->list.count; i++)
		count += s->list.files[i]->nr_parts;
	parts = realloc(s->source.parts, (count + 1) * sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	s->source.parts = parts;
	s->source.nr_parts = count;
	for (size_t i = 0; i < s->list.count; i++) {
		const struct file *f = s->list.files[i];

		for (size_t j = 0; j < f->nr_parts; j++)
			*parts++ = f->parts[j];
	}
	return 0;
}

static void md_freep(EVP_MD_CTX **md)
{
	EVP_MD_CTX_free(*md);
}

/* A line of sha256sum: the digest, two spaces, the file's name. */
static bool digest_line(EVP_MD_CTX *md, const struct file *f)
{
	static const char hex[] = "0123456789abcdef";
	const char *name = strrchr(f->path, '/') + 1;
	char text[66];

	for (int i = 0; i < 32; i++) {
		text[2 * i] = hex[f->digest[i] >> 4];
		text[2 * i + 1] = hex[f->digest[i] & 15];
	}
	text[64] = text[65] = ' ';
	return EVP_DigestUpdate(md, text, sizeof(text)) &&
	       EVP_DigestUpdate(md, name, strlen(name)) &&
	       EVP_DigestUpdate(md, "\n", 1);
}

static int digest_all(struct files *s, bool is_dir)
{
	__cleanup(md_freep) EVP_MD_CTX *md = NULL;

	if (!is_dir) {
		memcpy(s->source.sha256, s->list.files[0]->digest, 32);
		return 0;
	}
	md = EVP_MD_CTX_new();
	if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		return -ENOMEM;
	for (size_t i = 0; i < s->list.count; i++)
		if (!digest_line(md, s->list.files[i]))
			return -ENOMEM;
	return EVP_DigestFinal_ex(md, s->source.sha256, NULL) ? 0 : -ENOMEM;
}

static bool lacks(const struct files *s)
{
	for (size_t i = 0; i < s->list.count; i++)
		if (s->list.files[i]->lacks)
			return true;
	return false;
}

static int files_refresh(struct source *source, struct report *r,
			 struct definitions_work *work)
{
	struct files *s = (struct files *)source;
	struct reading all = { .s = s, .r = r, .work = work };
	unsigned int before = r->count;
	bool is_dir;
	int err;

	err = scan(&all, &is_dir);
	if (err == -EINVAL)
		return 0;	/* reported; what was read before stays */
	err = err ?: collect_parts(s);
	if (err)
		return err;
	if (r->count != before)
		return 0;
	s->was_read = true;
	source->is_complete = !lacks(s);
	source->lacks_policy = !source->is_complete;
	return digest_all(s, is_dir);
}

static void files_clear(struct source *source)
{
	struct files *s = (struct files *)source;

	list_drop(s, &s->list);
	free(source->parts);
	source->parts = NULL;
	source->nr_parts = 0;
	while (source->dead) {
		struct part *next = source->dead->next_dead;

		part_free(source->dead);
		source->dead = next;
	}
}

static void files_free(struct source *source)
{
	struct files *s = (struct files *)source;

	free(s->path);
	free(s);
}

int files_new(const char *path, enum files_kind kind, struct source **ret)
{
	static const struct source_ops ops = {
		.refresh = files_refresh,
		.clear = files_clear,
		.free = files_free,
	};
	struct files *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->source.ops = &ops;
	s->kind = kind;
	s->path = strdup(path);
	if (!s->path || getrandom(s->key, sizeof(s->key), 0) < 0) {
		free(s->path);
		free(s);
		return -ENOMEM;
	}
	s->source.name = s->path;
	*ret = &s->source;
	return 0;
}
