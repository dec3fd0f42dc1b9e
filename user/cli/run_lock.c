// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See run_lock.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd.h"
#include "run_lock.h"

static bool is_trusted_owner(const struct stat *st)
{
	return !st->st_uid || st->st_uid == geteuid();
}

static int check_dir(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return log_error(-errno, "cannot look at \"%s\"", path);
	if (is_trusted_owner(&st) && !(st.st_mode & S_IWOTH))
		return 0;
	log_error(0, "others than root may write to the run directory \"%s\": "
		  "they could keep the daemon from running", path);
	log_hint("chown root \"%s\"; chmod o-w \"%s\"", path, path);
	return -EPERM;
}

/* Whoever can open a file can lock it, for ever. */
static bool is_private(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	       is_trusted_owner(&st) && !(st.st_mode & 077);
}

static bool is_at(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !lstat(path, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/*
 * A file that others can open, as earlier versions made it, is replaced: they
 * may hold its lock. (That the daemon of an earlier version has it does no
 * harm: what is pinned has a lock of its own.)
 */
static int open_private(const char *path)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			      0600);

		if (fd >= 0 && is_private(fd))
			return fd;
		if (fd < 0 && errno != ELOOP)
			return -errno;
		close_fd(&fd);
		if (unlink(path) && errno != ENOENT)
			return -errno;
	}
}

/* Takes fd. */
static int lock(int fd, const char *path)
{
	if (!flock(fd, LOCK_EX | LOCK_NB) && is_at(fd, path))
		return fd;
	close(fd);
	return -EBUSY;
}

/* The number in the file is for people. */
static int write_pid(int fd)
{
	return ftruncate(fd, 0) || dprintf(fd, "%d\n", getpid()) < 0 ? -errno :
								       0;
}

int run_lock_take(const struct options *o)
{
	char path[RUN_PATH_MAX];
	int fd, err;

	run_path(o, RUN_PID, path);
	if (mkdir(o->run_dir, 0755) && errno != EEXIST)
		return log_error(-errno, "cannot make \"%s\"", o->run_dir);
	err = check_dir(o->run_dir);
	if (err)
		return err;
	fd = open_private(path);
	if (fd < 0)
		return log_error(fd, "cannot open \"%s\"", path);
	fd = lock(fd, path);
	if (fd < 0)
		return log_error(0, "another daemon runs here: it holds \"%s\"",
				 path), fd;
	err = write_pid(fd);
	if (err) {
		close(fd);
		return log_error(err, "cannot write \"%s\"", path);
	}
	return fd;
}

int run_lock_take_existing(const struct options *o)
{
	char path[RUN_PATH_MAX];
	int fd;

	run_path(o, RUN_PID, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && is_private(fd))
		return lock(fd, path);
	close_fd(&fd);
	return -ENOENT;
}
