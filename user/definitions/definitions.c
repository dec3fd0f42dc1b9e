// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/evp.h>

#include "report.h"
#include "service_index.h"
#include "definitions.h"
#include "base/cleanup.h"
#include "yaml_tree.h"

/* What tells that a file is the one that was read. */
struct signature {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct file {
	char *path;		/* documents point at it */
	struct signature signature;
	bool is_stale;		/* to be read again, whatever signature says */
	__u8 digest[32];
	struct document **documents;
	size_t nr_documents;
};

struct file_list {
	struct file **files;	/* in byte order of paths */
	size_t count;
};

struct definitions {
	char *path;
	struct file_list list;
	struct document *dead;	/* the index may still have services of them */
	struct service_index index;
	struct definitions_work work;
	__u8 last[32];		/* digest of the model that was handed out */
	bool has_last;
};

static void document_free(struct document *d)
{
	native_free(d->native);
	free(d);
}

static void free_dead(struct definitions *s)
{
	while (s->dead) {
		struct document *next = s->dead->next_dead;

		document_free(s->dead);
		s->dead = next;
	}
}

static void bury(struct definitions *s, struct document *d)
{
	d->is_live = false;
	d->next_dead = s->dead;
	s->dead = d;
}

/* Its documents go on until the index has let go of them. */
static void file_drop(struct definitions *s, struct file *f)
{
	for (size_t i = 0; i < f->nr_documents; i++)
		bury(s, f->documents[i]);
	free(f->documents);
	free(f->path);
	free(f);
}

static void list_drop(struct definitions *s, struct file_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		file_drop(s, list->files[i]);
	free(list->files);
	*list = (struct file_list){};
}

/* After running out of memory half way: start from nothing next time. */
static void forget_all(struct definitions *s)
{
	service_index_clear(&s->index);
	list_drop(s, &s->list);
	free_dead(s);
}

static void free_charp(char **p)
{
	free(*p);
}

/* All of it, to *ret with a NUL behind. -EFBIG: more than is allowed. */
static int read_all(int fd, size_t expected, char **ret, size_t *ret_len)
{
	char *text __cleanup(free_charp) = NULL;
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

static int compare_documents(const void *a, const void *b)
{
	const struct document *x = *(struct document *const *)a;
	const struct document *y = *(struct document *const *)b;

	return memcmp(x->digest, y->digest, sizeof(x->digest));
}

/* One with the same bytes that nobody has taken yet; NULL: none. */
static struct document *find_old(struct document **old, size_t nr_old,
				 struct document *wanted)
{
	struct document **found;

	if (!nr_old)
		return NULL;
	found = bsearch(&wanted, old, nr_old, sizeof(*old), compare_documents);
	if (!found || (*found)->is_live || (*found)->has_mistakes)
		return NULL;
	return *found;
}

/* Models will point at what the services own. */
static int make_shared(struct document *d)
{
	for (size_t i = 0; i < d->native->nr_services; i++) {
		struct native_service *s = &d->native->services[i];

		s->owner = d;
		s->service.shared = malloc(sizeof(*s->service.shared));
		if (!s->service.shared)
			return -ENOMEM;
		*s->service.shared = 1;
	}
	return 0;
}

static int document_parse(struct document *d, struct report *r,
			  const struct tree_chunk *chunk)
{
	struct yaml_tree *tree __cleanup(yaml_tree_freep) = NULL;
	struct reader reader = {
		.report = r,
		.path = d->path,
		.first_line = chunk->first_line,
	};
	struct tree_error error;
	int err;

	err = yaml_tree_parse(chunk->text, chunk->len, &tree, &error);
	if (err == -EINVAL) {
		d->has_mistakes = true;
		report_error(r, d->path, chunk->first_line + error.line,
			     error.column, "%s", error.text);
		return 0;
	}
	if (err)
		return err;
	err = native_read(&reader, yaml_tree_root(tree), &d->native);
	if (err && err != -EINVAL)
		return err;
	d->has_mistakes = err;
	return make_shared(d);
}

/* The document of chunk: one of old[] if it says the same, else a new one. */
static int document_get(struct definitions *s, struct file *f,
			struct report *r, const struct tree_chunk *chunk,
			struct document **old, size_t nr_old,
			struct document **ret)
{
	struct document *d = calloc(1, sizeof(*d));
	struct document *same;
	int err;

	if (!d)
		return -ENOMEM;
	err = digest(chunk->text, chunk->len, d->digest);
	same = err ? NULL : find_old(old, nr_old, d);
	if (same) {
		free(d);
		d = same;
	} else if (!err) {
		d->path = f->path;
		d->is_new = true;
		err = document_parse(d, r, chunk);
		s->work.documents_parsed++;
	}
	if (err) {
		document_free(d);
		return err;
	}
	d->is_live = true;
	d->first_line = chunk->first_line;
	*ret = d;
	return 0;
}

/* Room for one more; it grows at powers of two, so need not be remembered. */
static int make_room(struct file *f)
{
	size_t count = f->nr_documents;
	struct document **larger;

	if (count & (count - 1))
		return 0;
	larger = realloc(f->documents, (count ? 2 * count : 1) *
			 sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	f->documents = larger;
	return 0;
}

static int cut_documents(struct definitions *s, struct file *f,
			 struct report *r, const char *text, size_t len,
			 struct document **old, size_t nr_old)
{
	struct tree_chunk chunk = {};
	int err;

	while (yaml_tree_next(text, len, &chunk)) {
		struct document *d;

		if (f->nr_documents == SOURCE_DOCUMENTS_MAX) {
			f->is_stale = true;
			report_error(r, f->path, chunk.first_line + 1, 1,
				     "more than %u documents in a file",
				     SOURCE_DOCUMENTS_MAX);
			return 0;
		}
		err = make_room(f) ?:
		      document_get(s, f, r, &chunk, old, nr_old, &d);
		if (err)
			return err;
		if (d->has_mistakes)
			f->is_stale = true;
		f->documents[f->nr_documents++] = d;
	}
	return 0;
}

static int file_parse(struct definitions *s, struct file *f, struct report *r,
		      const char *text, size_t len)
{
	struct document **old = f->documents;
	size_t nr_old = f->nr_documents;
	int err;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	f->documents = NULL;
	f->nr_documents = 0;
	for (size_t i = 0; i < nr_old; i++)
		old[i]->is_live = false;
	if (nr_old)
		qsort(old, nr_old, sizeof(*old), compare_documents);
	err = cut_documents(s, f, r, text, len, old, nr_old);
	for (size_t i = 0; i < nr_old; i++)
		if (!old[i]->is_live)
			bury(s, old[i]);
	free(old);
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

/* Text and signature of what path is now. */
static int read_path(const char *path, char **ret, size_t *ret_len,
		     struct signature *ret_signature)
{
	int fd __cleanup(close_fd) = open(path, O_RDONLY | O_CLOEXEC |
					   O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > SOURCE_FILE_BYTES_MAX)
		return -EFBIG;
	*ret_signature = signature_of(&st);
	return read_all(fd, st.st_size, ret, ret_len);
}

/* Read f anew; what it says the same as before is kept. */
static int file_read(struct definitions *s, struct file *f, struct report *r)
{
	char *text __cleanup(free_charp) = NULL;
	__u8 sha256[32];
	size_t len = 0;
	int err;

	s->work.files_read++;
	err = read_path(f->path, &text, &len, &f->signature);
	if (err)
		return report_errno(r, f->path, err);
	f->is_stale = is_too_young(&f->signature);
	err = digest(text, len, sha256);
	if (err)
		return err;
	memcpy(f->digest, sha256, sizeof(sha256));
	return file_parse(s, f, r, text, len);
}

enum presence { FILE_THERE, FILE_GONE, FILE_BAD };

/* Of an entry that a directory had a moment ago, or of the path itself. */
static enum presence look_at(const struct definitions *s, const char *path,
			     struct report *r, struct stat *ret)
{
	const bool is_entry = path != s->path;
	struct stat link;

	if (stat(path, ret) < 0) {
		int err = -errno;

		if (is_entry && err == -ENOENT && lstat(path, &link) < 0)
			return FILE_GONE;
		report_errno(r, path, err);
		return FILE_BAD;
	}
	if (is_entry && !S_ISREG(ret->st_mode)) {
		report_error(r, path, 0, 0, "is not a regular file");
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
static int refresh(struct definitions *s, struct file_list *list,
		   const char *path, struct file *old, struct report *r)
{
	struct signature now;
	struct stat st;
	struct file *f = old;
	int err;

	if (look_at(s, path, r, &st) != FILE_THERE) {
		if (old)
			file_drop(s, old);
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
	err = file_read(s, f, r);
	if (err == -EINVAL) {
		list->count--;
		file_drop(s, f);
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
static int list_dir(const struct definitions *s, struct report *r,
		    struct paths *p)
{
	DIR *dir __cleanup(close_dirp) = opendir(s->path);
	int err = 0;

	if (!dir)
		return report_errno(r, s->path, -errno);
	while (!err) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (!is_definition(entry->d_name))
			continue;
		if (p->count == SOURCE_FILES_MAX) {
			report_error(r, s->path, 0, 0,
				     "has more than %u files, the most that are read",
				     SOURCE_FILES_MAX);
			return -EINVAL;
		}
		err = paths_add(p, s->path, entry->d_name);
	}
	if (err)
		return err;
	if (errno)
		return report_errno(r, s->path, -errno);
	if (p->count)
		qsort(p->list, p->count, sizeof(*p->list), compare_paths);
	return 0;
}

/* Step through the paths and the files that we know side by side. */
static int refresh_all(struct definitions *s, struct report *r,
		       char *const *paths, size_t count)
{
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
		err = refresh(s, &list, paths[j], f, r);
	}
	while (i < old.count)
		file_drop(s, old.files[i++]);
	free(old.files);
	s->list = list;
	return err;
}

static int scan(struct definitions *s, struct report *r, bool *ret_is_dir)
{
	struct paths p __cleanup(paths_clear) = {};
	struct stat st;
	int err;

	*ret_is_dir = stat(s->path, &st) == 0 && S_ISDIR(st.st_mode);
	if (!*ret_is_dir)
		return refresh_all(s, r, &s->path, 1);
	err = list_dir(s, r, &p);
	return err ?: refresh_all(s, r, p.list, p.count);
}

/* Services of new documents, for the index. */
static size_t collect_new(struct definitions *s, struct native_service **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < s->list.count; i++) {
		const struct file *f = s->list.files[i];

		for (size_t j = 0; j < f->nr_documents; j++) {
			struct document *d = f->documents[j];

			if (!d->is_new || !d->native)
				continue;
			for (size_t k = 0; k < d->native->nr_services; k++) {
				if (ret)
					ret[count] = &d->native->services[k];
				count++;
			}
			if (ret)
				d->is_new = false;
		}
	}
	return count;
}

static int update_index(struct definitions *s)
{
	struct native_service **fresh;
	size_t count = collect_new(s, NULL);
	int err;

	if (!count && !s->dead)
		return 0;
	fresh = calloc(count + 1, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	collect_new(s, fresh);
	err = service_index_update(&s->index, fresh, count);
	free(fresh);
	if (!err)
		free_dead(s);
	return err;
}

/* Put d's settings into m, unless they contradict earlier ones in from[]. */
static int merge_settings(struct model *m, const struct document *d,
			  const struct document **from, struct report *r)
{
	const struct native *n = d->native;
	int err;

	for (int i = 0; i < NR_SETTINGS; i++) {
		if (!n->at[i].line)
			continue;
		if (!from[i]) {
			from[i] = d;
			err = setting_copy(i, m, n->settings);
			if (err)
				return err;
			continue;
		}
		if (setting_is_equal(i, m, n->settings))
			continue;
		report_error(r, d->path, d->first_line + n->at[i].line,
			     n->at[i].column,
			     "\"%s\" is set differently at %s:%u:%u",
			     setting_name(i), from[i]->path,
			     from[i]->first_line + from[i]->native->at[i].line,
			     from[i]->native->at[i].column);
	}
	return 0;
}

static int build_settings(const struct definitions *s, struct model *m,
			  struct report *r)
{
	const struct document *from[NR_SETTINGS] = {};

	for (size_t i = 0; i < s->list.count; i++) {
		const struct file *f = s->list.files[i];

		for (size_t j = 0; j < f->nr_documents; j++) {
			const struct document *d = f->documents[j];
			int err;

			if (!d->native || !d->native->settings ||
			    d->has_mistakes)
				continue;
			err = merge_settings(m, d, from, r);
			if (err)
				return err;
		}
	}
	return 0;
}

static int build_services(const struct definitions *s, struct model *m)
{
	m->services = malloc((s->index.count + 1) * sizeof(*m->services));
	if (!m->services)
		return -ENOMEM;
	for (size_t i = 0; i < s->index.count; i++) {
		m->services[i] = s->index.by_name[i]->service;
		++*m->services[i].shared;
	}
	m->nr_services = s->index.count;
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

static int digest_all(const struct definitions *s, bool is_dir,
		      __u8 ret[static 32])
{
	EVP_MD_CTX *md __cleanup(md_freep) = NULL;

	if (!is_dir) {
		memcpy(ret, s->list.files[0]->digest, 32);
		return 0;
	}
	md = EVP_MD_CTX_new();
	if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		return -ENOMEM;
	for (size_t i = 0; i < s->list.count; i++)
		if (!digest_line(md, s->list.files[i]))
			return -ENOMEM;
	return EVP_DigestFinal_ex(md, ret, NULL) ? 0 : -ENOMEM;
}

static int build(struct definitions *s, struct report *r, bool is_dir,
		 struct model **ret)
{
	struct model *m __cleanup(model_freep) = model_new();
	int err;

	if (!m)
		return -ENOMEM;
	err = build_settings(s, m, r);
	if (err)
		return err;
	service_index_check(&s->index, r);
	if (r->count)
		return -EINVAL;
	err = build_services(s, m) ?: digest_all(s, is_dir, m->sha256);
	if (err)
		return err;
	*ret = take_ptr(m);
	return 0;
}

int definitions_reload(struct definitions *s, struct model **ret, FILE *errors,
		       bool *ret_changed)
{
	struct report r = { .out = errors };
	struct model *m = NULL;
	bool is_dir;
	int err;

	s->work = (struct definitions_work){};
	err = scan(s, &r, &is_dir);
	if (!err)
		err = update_index(s) ?: build(s, &r, is_dir, &m);
	if (err == -ENOMEM)
		forget_all(s);
	report_finish(&r);
	if (err)
		return err;
	*ret_changed = !s->has_last || memcmp(s->last, m->sha256, 32);
	s->has_last = true;
	memcpy(s->last, m->sha256, 32);
	*ret = m;
	return 0;
}

struct definitions_work definitions_work(const struct definitions *s)
{
	return s->work;
}

int definitions_open(const char *path, struct definitions **ret)
{
	struct definitions *s __cleanup(definitions_closep) = NULL;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->path = strdup(path);
	if (!s->path)
		return -ENOMEM;
	*ret = take_ptr(s);
	return 0;
}

void definitions_close(struct definitions *s)
{
	if (!s)
		return;
	forget_all(s);
	free(s->path);
	free(s);
}

void definitions_closep(struct definitions **s)
{
	definitions_close(*s);
}

int definitions_load(const char *path, struct model **ret, FILE *errors)
{
	struct definitions *s __cleanup(definitions_closep) = NULL;
	bool changed;
	int err;

	err = definitions_open(path, &s);
	return err ?: definitions_reload(s, ret, errors, &changed);
}
