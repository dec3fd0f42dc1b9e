// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A file: whether it is the one that was read, by its times, and the reading of
 * it where it is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "files_private.h"

/* Its parts go on until the index has let go of them. */
void file_drop(struct files *s, struct file *f)
{
	for (size_t i = 0; i < f->nr_parts; i++)
		source_bury(&s->source, f->parts[i]);
	free(f->parts);
	free(f->path);
	free(f);
}

/* All of it, to *ret with a NUL behind. -EFBIG: more than is allowed. */
static int read_all(int fd, size_t expected, char **ret, size_t *ret_len)
{
	__cleanup(free_text) char *text = NULL;
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

int file_report(struct report *r, const char *path, int err)
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
	__cleanup(free_text) char *text = NULL;
	const char *kind = NULL;
	__u8 sha256[32];
	size_t len = 0;
	int err;

	all->work->files_read++;
	err = read_path(all->s, f->path, &text, &len, &f->signature, &kind);
	if (err == -EBADF && kind)
		return report_kind(all->r, f->path, kind);
	if (err)
		return file_report(all->r, f->path, err);
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
		file_report(all->r, path, err);
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

int file_refresh(struct reading *all, struct file_list *list,
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
