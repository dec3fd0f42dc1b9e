// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Definitions in files, see files.h. Three caches, each within the other: a
 * file whose times are those of the last reading is not opened; of one that was
 * read again, a document or service whose bytes are the same is not parsed; and
 * what was not parsed hands out the same pointers.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "files.h"
#include "old_parts.h"
#include "manifest.h"
#include "report.h"
#include "service_list.h"
#include "source.h"
#include "yaml_tree.h"

/* What tells that a file is the one that was read. */
struct signature {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct file {
	char *path;		/* parts point at it */
	struct signature signature;
	bool is_stale;		/* to be read again, whatever signature says */
	bool lacks;		/* objects that it said before the first reading
				 * may be among what is broken since */
	__u8 digest[32];
	struct part **parts;
	size_t nr_parts;
	unsigned int nr_documents;
};

struct file_list {
	struct file **files;	/* in byte order of paths */
	size_t count;
};

struct files {
	struct source source;
	char *path;
	enum files_kind kind;
	__u64 key[4];		/* of text_hash(); a secret of this process */
	struct file_list list;
	bool was_read;		/* once, without a mistake of the whole */
};

/* One reading of all files. */
struct reading {
	struct files *s;
	struct report *r;
	struct definitions_work *work;
};

/* Its parts go on until the index has let go of them. */
static void file_drop(struct files *s, struct file *f)
{
	for (size_t i = 0; i < f->nr_parts; i++)
		source_bury(&s->source, f->parts[i]);
	free(f->parts);
	free(f->path);
	free(f);
}

static void list_drop(struct files *s, struct file_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		file_drop(s, list->files[i]);
	free(list->files);
	*list = (struct file_list){};
}

static void free_charp(char **p)
{
	free(*p);
}

/* All of it, to *ret with a NUL behind. -EFBIG: more than is allowed. */
static int read_all(int fd, size_t expected, char **ret, size_t *ret_len)
{
	__cleanup(free_charp) char *text = NULL;
	size_t size = 0, len = 0;

	for (;;) {
		ssize_t n;

		if (len + 1 >= size) {
			char *larger;

			size = size ? 2 * size : expected + 2;
			larger = realloc(text, size);
			if (!larger)
				return -ENOMEM;
			text = larger;
		}
		n = read(fd, text + len, size - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += n;
		if (len > SOURCE_FILE_BYTES_MAX)
			return -EFBIG;
	}
	text[len] = '\0';
	*ret = take_ptr(text);
	*ret_len = len;
	return 0;
}

static int digest(const void *text, size_t len, __u8 ret[static 32])
{
	return EVP_Digest(text, len, ret, NULL, EVP_sha256(), NULL) ? 0 :
	       -ENOMEM;
}

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
	__cleanup(free_charp) char *text = malloc(len + 1);
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

static int file_parse(struct reading *all, struct file *f, const char *text,
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
		fr.old.list[i]->is_live = false;
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

static struct signature signature_of(const struct stat *st)
{
	return (struct signature){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
	};
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same_file(const struct signature *a, const struct signature *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       is_same_time(a->mtime, b->mtime) &&
	       is_same_time(a->ctime, b->ctime);
}

/*
 * A file that was written just now may be written once more within the same
 * tick of its file system's clock, and look the same.
 */
static bool is_too_young(const struct signature *s)
{
	const __s64 tick_ns = s->ctime.tv_nsec ? 100000000 : 2000000000;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - s->ctime.tv_sec) * 1000000000ll +
	       (now.tv_nsec - s->ctime.tv_nsec) < tick_ns;
}

static int report_errno(struct report *r, const char *path, int err)
{
	if (err == -ENOMEM)
		return err;
	if (err == -EFBIG)
		report_error(r, path, 0, 0,
			     "has more than %u bytes, the most that is read",
			     SOURCE_FILE_BYTES_MAX);
	else
		report_error(r, path, 0, 0, "cannot be read: %s",
			     strerror(-err));
	return -EINVAL;
}

static int report_kind(struct report *r, const char *path, const char *kind)
{
	report_error(r, path, 0, 0, "is %s, not a regular file", kind);
	return -EINVAL;
}

/* What a file is, where it is none that can be read to its end. */
static const char *other_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return NULL;
	}
}

/*
 * Text and signature of what path is now. Who follows a file must not wait for
 * the other end of a FIFO, nor for a device: without O_NONBLOCK the opening
 * would. -EBADF: *ret_kind says what it is instead.
 */
static int read_path(const struct files *s, const char *path, char **ret,
		     size_t *ret_len, struct signature *ret_signature,
		     const char **ret_kind)
{
	const int wait = s->kind == FILES_ONCE ? 0 : O_NONBLOCK;
	__cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC |
					  O_NOCTTY | wait);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret_kind = other_kind(st.st_mode);
	if (*ret_kind && s->kind != FILES_ONCE)
		return -EBADF;
	if (st.st_size > SOURCE_FILE_BYTES_MAX)
		return -EFBIG;
	*ret_signature = signature_of(&st);
	return read_all(fd, st.st_size, ret, ret_len);
}

/* Read f anew; what it says the same as before is kept. */
static int file_read(struct reading *all, struct file *f)
{
	__cleanup(free_charp) char *text = NULL;
	const char *kind = NULL;
	__u8 sha256[32];
	size_t len = 0;
	int err;

	all->work->files_read++;
	err = read_path(all->s, f->path, &text, &len, &f->signature, &kind);
	if (err == -EBADF && kind)
		return report_kind(all->r, f->path, kind);
	if (err)
		return report_errno(all->r, f->path, err);
	f->is_stale = is_too_young(&f->signature);
	err = digest(text, len, sha256);
	if (err)
		return err;
	memcpy(f->digest, sha256, sizeof(sha256));
	return file_parse(all, f, text, len);
}

enum presence { FILE_THERE, FILE_GONE, FILE_BAD };

/* Of an entry that a directory had a moment ago, or of the path itself. */
static enum presence look_at(const struct reading *all, const char *path,
			     struct stat *ret)
{
	const bool is_entry = path != all->s->path;
	struct stat link;
	const char *kind;

	if (stat(path, ret) < 0) {
		int err = -errno;

		if (is_entry && err == -ENOENT && lstat(path, &link) < 0)
			return FILE_GONE;
		report_errno(all->r, path, err);
		return FILE_BAD;
	}
	kind = other_kind(ret->st_mode);
	if (kind && (is_entry || all->s->kind != FILES_ONCE)) {
		report_kind(all->r, path, kind);
		return FILE_BAD;
	}
	return FILE_THERE;
}

static struct file *file_new(const char *path)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->path = strdup(path);
	if (!f->path) {
		free(f);
		return NULL;
	}
	f->is_stale = true;
	return f;
}

/* Add path's file to list, up to date; old: the one there was, or NULL. */
static int refresh_file(struct reading *all, struct file_list *list,
			const char *path, struct file *old)
{
	struct signature now;
	struct stat st;
	struct file *f = old;
	int err;

	if (look_at(all, path, &st) != FILE_THERE) {
		if (old)
			file_drop(all->s, old);
		return 0;
	}
	now = signature_of(&st);
	if (!f)
		f = file_new(path);
	if (!f)
		return -ENOMEM;
	list->files[list->count++] = f;
	if (!f->is_stale && is_same_file(&now, &f->signature))
		return 0;
	err = file_read(all, f);
	if (err == -EINVAL) {
		list->count--;
		file_drop(all->s, f);
		return 0;
	}
	return err;
}

struct paths {
	char **list;
	size_t count;
};

static void paths_clear(struct paths *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->list[i]);
	free(p->list);
}

static bool is_definition(const char *name)
{
	static const char *const endings[] = { ".yaml", ".yml", ".json" };
	size_t len = strlen(name);

	if (name[0] == '.')
		return false;
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		size_t end = strlen(endings[i]);

		if (len > end && !strcmp(name + len - end, endings[i]))
			return true;
	}
	return false;
}

static int paths_add(struct paths *p, const char *dir, const char *name)
{
	if (!(p->count & (p->count - 1))) {
		size_t room = p->count ? 2 * p->count : 1;
		char **larger = realloc(p->list, room * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		p->list = larger;
	}
	if (asprintf(&p->list[p->count], "%s/%s", dir, name) < 0)
		return -ENOMEM;
	p->count++;
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_dirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* -EINVAL: reported. */
static int list_dir(const struct reading *all, struct paths *p)
{
	__cleanup(close_dirp) DIR *dir = opendir(all->s->path);
	int err = 0;

	if (!dir)
		return report_errno(all->r, all->s->path, -errno);
	while (!err) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (!is_definition(entry->d_name))
			continue;
		if (p->count == SOURCE_FILES_MAX) {
			report_error(all->r, all->s->path, 0, 0,
				     "has more than %u files, the most that are read",
				     SOURCE_FILES_MAX);
			return -EINVAL;
		}
		err = paths_add(p, all->s->path, entry->d_name);
	}
	if (err)
		return err;
	if (errno)
		return report_errno(all->r, all->s->path, -errno);
	if (p->count)
		qsort(p->list, p->count, sizeof(*p->list), compare_paths);
	return 0;
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
		err = refresh_file(all, &list, paths[j], f);
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
	err = list_dir(all, &p);
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
