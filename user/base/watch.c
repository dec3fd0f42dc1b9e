// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * inotify on the directories that a path leads through. Directories are
 * watched and not files, as what replaces a file is another file; and events
 * that leave a file half written are not listened to.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "watch.h"

#define PLACES_MAX 256
#define LINKS_MAX 16		/* one behind the other */

#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | \
		IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB)

/* A name in a watched directory, or (NULL) all of them. */
struct place {
	int wd;
	char *dir;
	char *name;
};

struct watch {
	int fd;
	char *path;
	struct event *event;
	void (*f)(void *arg, enum watch_change change);
	void *arg;
	bool is_in_dir;		/* while links of a directory are looked at */
	struct place places[PLACES_MAX];
	size_t nr_places;
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void places_clear(struct watch *w)
{
	while (w->nr_places) {
		w->nr_places--;
		free(w->places[w->nr_places].dir);
		free(w->places[w->nr_places].name);
	}
}

static bool has_place(const struct watch *w, int wd, const char *name)
{
	for (size_t i = 0; i < w->nr_places; i++) {
		const struct place *p = &w->places[i];

		if (p->wd == wd &&
		    (!p->name || (name && !strcmp(p->name, name))))
			return true;
	}
	return false;
}

/* A directory may have very many links, but into few directories: these are
 * watched as a whole. */
static void place_add(struct watch *w, const char *dir, const char *name)
{
	int wd = inotify_add_watch(w->fd, dir, EVENTS | IN_ONLYDIR);
	struct place *p = &w->places[w->nr_places];

	if (w->is_in_dir)
		name = NULL;
	if (wd < 0 || has_place(w, wd, name) || w->nr_places == PLACES_MAX)
		return;
	p->wd = wd;
	p->dir = strdup(dir);
	p->name = name ? strdup(name) : NULL;
	w->nr_places++;
}

static void watch_path(struct watch *w, const char *path, int depth);

/* What the symbolic link at path leads to. */
static void watch_link(struct watch *w, const char *path, size_t dir_len,
		       int depth)
{
	char target[PATH_MAX], whole[2 * PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len < 0)
		return;
	target[len] = 0;
	if (target[0] == '/')
		dir_len = 0;
	snprintf(whole, sizeof(whole), "%.*s%s", (int)dir_len, path, target);
	watch_path(w, whole, depth + 1);
}

/* path up to len: its name in the directory before, if that may be switched;
 * the last name of a path always may. */
static void watch_component(struct watch *w, const char *path, size_t len,
			    bool is_last, int depth)
{
	char part[PATH_MAX], dir[PATH_MAX];
	struct stat st;
	size_t name;

	if (!len || len >= sizeof(part))
		return;
	memcpy(part, path, len);
	part[len] = 0;
	for (name = len; name && part[name - 1] != '/';)
		name--;
	memcpy(dir, part, name);
	dir[name] = 0;

	if (lstat(part, &st))
		st.st_mode = 0;
	if (is_last || S_ISLNK(st.st_mode))
		place_add(w, name ? dir : ".", part + name);
	if (S_ISLNK(st.st_mode))
		watch_link(w, part, name, depth);
}

static void watch_path(struct watch *w, const char *path, int depth)
{
	size_t len = strlen(path);

	if (depth > LINKS_MAX)
		return;
	while (len > 1 && path[len - 1] == '/')
		len--;
	for (size_t i = 1; i <= len; i++)
		if (i == len || (path[i] == '/' && path[i - 1] != '/'))
			watch_component(w, path, i, i == len, depth);
}

/* Every name in a directory, and what links among them lead to. */
static void watch_dir(struct watch *w)
{
	__cleanup(closedirp) DIR *dir = opendir(w->path);
	char path[PATH_MAX];
	struct dirent *entry;

	if (!dir)
		return;
	w->is_in_dir = true;
	place_add(w, w->path, NULL);
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", w->path,
			     entry->d_name) < (int)sizeof(path))
			watch_path(w, path, 0);
	}
	w->is_in_dir = false;
}

static bool has_wd(const struct watch *w, int wd)
{
	for (size_t i = 0; i < w->nr_places; i++)
		if (w->places[i].wd == wd)
			return true;
	return false;
}

/* A directory that another one took the place of is let go of: it may live on
 * elsewhere, and change, for as long as it likes. */
static void watch_all(struct watch *w)
{
	size_t nr_old = w->nr_places;
	int old[PLACES_MAX];

	for (size_t i = 0; i < nr_old; i++)
		old[i] = w->places[i].wd;
	places_clear(w);
	watch_path(w, w->path, 0);
	watch_dir(w);
	for (size_t i = 0; i < nr_old; i++)
		if (!has_wd(w, old[i]))
			inotify_rm_watch(w->fd, old[i]);
}

/* A name that was just made stands for a whole file only if it is a link; the
 * content of a new file comes with IN_CLOSE_WRITE. */
static bool is_link(const struct place *p, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (!p->dir || snprintf(path, sizeof(path), "%s/%s", p->dir, name) >=
		       (int)sizeof(path))
		return false;
	return !lstat(path, &st) && (!S_ISREG(st.st_mode) || st.st_nlink > 1);
}

static bool concerns_us(struct watch *w, const struct inotify_event *e)
{
	if (e->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF))
		return true;
	for (size_t i = 0; i < w->nr_places; i++) {
		const struct place *p = &w->places[i];

		if (p->wd != e->wd || !e->len)
			continue;
		if (!p->name || !strcmp(p->name, e->name))
			return !(e->mask & IN_CREATE) || is_link(p, e->name);
	}
	return false;
}

static void on_readable(void *arg, __u32 events)
{
	char buffer[16384] __attribute__((aligned(8)));
	bool is_gone = false, is_written = false;
	struct watch *w = arg;
	ssize_t len;

	while ((len = read(w->fd, buffer, sizeof(buffer))) > 0) {
		for (char *at = buffer; at < buffer + len;) {
			const struct inotify_event *e = (void *)at;

			at += sizeof(*e) + e->len;
			if (!concerns_us(w, e))
				continue;
			if (e->mask & (IN_DELETE | IN_MOVED_FROM))
				is_gone = true;
			else
				is_written = true;
		}
	}
	if (!is_gone && !is_written)
		return;
	watch_all(w);
	w->f(w->arg, is_written ? WATCH_WRITTEN : WATCH_GONE);
}

int watch_new(struct loop *l, const char *path,
	      void (*f)(void *arg, enum watch_change change), void *arg,
	      struct watch **ret)
{
	struct watch *w = calloc(1, sizeof(*w));
	int err = -ENOMEM;

	if (!w)
		return err;
	w->f = f;
	w->arg = arg;
	w->path = strdup(path);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		err = -errno;
	else if (w->path)
		err = loop_add_fd(l, w->fd, EPOLLIN, on_readable, w,
				  &w->event);
	if (err) {
		watch_free(w);
		return err;
	}
	watch_all(w);
	*ret = w;
	return 0;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	event_remove(w->event);
	if (w->fd >= 0)
		close(w->fd);
	places_clear(w);
	free(w->path);
	free(w);
}
