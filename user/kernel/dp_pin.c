// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Where the tables are pinned, so that they outlive us:
 *
 *	<root>/			held by a lock while a daemon works on it
 *	<root>/<abi>/		what is attached to interfaces, see dp_link.c
 *	<root>/<abi>/<n>/	the tables of one generation of programs
 *	<root>/<abi>/tables	a symbolic link to the generation in force
 *	<root>/<abi>/moving_to	likewise, to the one that its connections are
 *				on their way to
 *
 * Whatever is pinned anew is pinned whole, beside the old, and comes into
 * force by one rename: a death at any moment leaves tables that belong
 * together. The old generation goes last, when no program needs it any more.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/magic.h>
#include <linux/membarrier.h>

#include "dp_private.h"
#include "base/log.h"
#include "base/cleanup.h"

#define IN_FORCE "tables"
#define IN_FORCE_NEXT "tables_next"
#define MOVING "moving_to"
#define MOVING_NEXT "moving_to_next"

static void free_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int make_dir(const char *path)
{
	char part[DP_PATH_MAX];
	const char *slash = path;

	while (slash && *slash) {
		slash = strchr(slash + 1, '/');
		snprintf(part, sizeof(part), "%.*s",
			 slash ? (int)(slash - path) : (int)strlen(path), path);
		if (mkdir(part, 0700) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* Pins need bpffs; a bare machine may not have it mounted yet. */
int dp_bpffs_ensure(const char *dir)
{
	struct statfs fs;
	int err;

	if (statfs("/sys/fs/bpf", &fs) == 0 && fs.f_type != BPF_FS_MAGIC &&
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"))
		return log_error(-errno, "cannot mount bpffs on \"/sys/fs/bpf\"");
	err = make_dir(dir);
	if (err)
		return log_error(err, "cannot make \"%s\"", dir);
	if (statfs(dir, &fs) || fs.f_type != BPF_FS_MAGIC)
		return log_error(-EINVAL, "\"%s\" is not on a bpffs", dir);
	return 0;
}

int dp_pin_over(int fd, const char *path)
{
	char next[DP_PATH_MAX + 8];

	snprintf(next, sizeof(next), "%s_next", path);
	unlink(next);
	if (bpf_obj_pin(fd, next))
		return -errno;
	return rename(next, path) ? -errno : 0;
}

/* Is fd what path names? A directory may have been removed meanwhile, or have
 * another file system mounted over it. */
static bool is_at(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Nobody but root can open the directory, so nobody else can hold the lock,
 * which goes with the process however that ends. */
int dp_pin_lock(const char *root)
{
	for (;;) {
		int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			close(fd);
			return errno == EWOULDBLOCK ? -EBUSY : -errno;
		}
		if (is_at(fd, root))
			return fd;
		close(fd);
	}
}

static int lock(struct dp *dp)
{
	int fd = dp_pin_lock(dp->root);

	if (fd == -EBUSY) {
		log_error(0, "another daemon works on the tables in \"%s\"",
			  dp->root);
		log_hint("stop it first: whatever its run directory is, one "
			 "daemon at a time");
		return fd;
	}
	if (fd < 0)
		return log_error(fd, "cannot lock \"%s\"", dp->root);
	if (dp->lock_fd >= 0)
		close(dp->lock_fd);
	dp->lock_fd = fd;
	return 0;
}

/* The number that a name is; 0: it is none. */
static unsigned int number(const char *name)
{
	char *end;
	unsigned long ret = strtoul(name, &end, 10);

	return *end || name[0] < '1' || name[0] > '9' || ret >= UINT32_MAX ?
		       0 : ret;
}

/* What another version has pinned: its programs would go on beside ours. */
static int check_abi(const struct dp *dp)
{
	__cleanup(free_dir) DIR *dir = opendir(dp->root);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		unsigned int abi = number(entry->d_name);

		if (!abi || abi == FAIRLEAD_ABI)
			continue;
		log_error(0, "\"%s/%s\" was made by another version, with "
			  "other tables", dp->root, entry->d_name);
		log_hint("\"fairlead cleanup\" makes room for this version; "
			 "until it serves, nothing is balanced");
		return -EPROTO;
	}
	return 0;
}

/* Which generation a symbolic link names; 0: none. */
static unsigned int generation_of(const struct dp *dp, const char *what)
{
	char path[DP_PATH_MAX], name[16] = "";

	snprintf(path, sizeof(path), "%s/%s", dp->dir, what);
	return readlink(path, name, sizeof(name) - 1) < 0 ? 0 : number(name);
}

static unsigned int generation_in_force(const struct dp *dp)
{
	return generation_of(dp, IN_FORCE);
}

/* By one rename. */
static int name_generation(const struct dp *dp, unsigned int generation,
			   const char *what, const char *beside)
{
	char path[DP_PATH_MAX], next[DP_PATH_MAX], name[16];

	snprintf(name, sizeof(name), "%u", generation);
	snprintf(path, sizeof(path), "%s/%s", dp->dir, what);
	snprintf(next, sizeof(next), "%s/%s", dp->dir, beside);
	unlink(next);
	if (symlink(name, next) || rename(next, path))
		return log_error(-errno, "cannot make \"%s\"", path);
	return 0;
}

int dp_pin_open(struct dp *dp)
{
	int err = dp_bpffs_ensure(dp->root);

	if (!err)
		err = lock(dp);
	if (!err)
		err = check_abi(dp);
	if (!err)
		err = dp_bpffs_ensure(dp->dir);
	if (!err)
		dp->generation = generation_in_force(dp);
	return err;
}

int dp_pin_get_from(const struct dp *dp, unsigned int generation,
		    enum table_id id)
{
	char path[DP_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%u/%s", dp->dir, generation,
		 table_rows[id].name);
	fd = generation ? bpf_obj_get(path) : -1;
	if (fd < 0 && (!generation || errno == ENOENT))
		return -ENOENT;
	return fd < 0 ? log_error(-errno, "cannot open \"%s\"", path) : fd;
}

int dp_pin_get(const struct dp *dp, enum table_id id)
{
	return dp_pin_get_from(dp, dp->generation, id);
}

/* Who may not look there cannot say that there is nothing. */
static bool may_not_look(const struct dp *dp)
{
	char path[DP_PATH_MAX], name[16];

	snprintf(path, sizeof(path), "%s/" IN_FORCE, dp->dir);
	return readlink(path, name, sizeof(name)) < 0 && errno == EACCES;
}

/* A switch while we look leaves us without some: then the next is whole. */
int dp_pin_get_all(struct dp *dp)
{
	unsigned int tried = 0;
	int err = -ENOENT;

	if (may_not_look(dp))
		return log_error(-EACCES, "cannot look into \"%s\"", dp->dir);
	while ((dp->generation = generation_in_force(dp)) &&
	       dp->generation != tried) {
		err = 0;
		tried = dp->generation;
		for (int id = 0; id < NR_TABLES && !err; id++) {
			close_fd(&dp->fd[id]);
			dp->fd[id] = dp_pin_get(dp, id);
			err = dp->fd[id] < 0 ? dp->fd[id] : 0;
		}
		if (err != -ENOENT)
			return err;
	}
	return err;
}

/* A number that nothing is pinned under. */
static unsigned int generation_new(const struct dp *dp)
{
	__cleanup(free_dir) DIR *dir = opendir(dp->dir);
	unsigned int highest = 0;
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (number(entry->d_name) > highest)
			highest = number(entry->d_name);
	return highest + 1;
}

int dp_pin_tables(const struct dp *dp, const int fd[static NR_TABLES],
		  unsigned int *ret)
{
	unsigned int generation = generation_new(dp);
	char path[DP_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%u", dp->dir, generation);
	if (mkdir(path, 0700))
		return log_error(-errno, "cannot make \"%s\"", path);
	for (int id = 0; id < NR_TABLES; id++) {
		snprintf(path, sizeof(path), "%s/%u/%s", dp->dir, generation,
			 table_rows[id].name);
		if (bpf_obj_pin(fd[id], path))
			return log_error(-errno, "cannot pin \"%s\"", path);
	}
	*ret = generation;
	return 0;
}

int dp_pin_moving(const struct dp *dp, unsigned int generation)
{
	return name_generation(dp, generation, MOVING, MOVING_NEXT);
}

unsigned int dp_pin_moving_to(const struct dp *dp)
{
	unsigned int generation = *dp->dir ? generation_of(dp, MOVING) : 0;

	return generation == dp->generation ? 0 : generation;
}

int dp_pin_switch(struct dp *dp, unsigned int generation)
{
	char path[DP_PATH_MAX];
	int err = name_generation(dp, generation, IN_FORCE, IN_FORCE_NEXT);

	if (err)
		return err;
	dp->generation = generation;
	snprintf(path, sizeof(path), "%s/" MOVING, dp->dir);
	unlink(path);
	return 0;
}

static void generation_remove(const struct dp *dp, const char *name)
{
	char below[DP_PATH_MAX], path[DP_PATH_MAX + 256];
	__cleanup(free_dir) DIR *dir = NULL;
	struct dirent *entry;

	snprintf(below, sizeof(below), "%s/%.16s", dp->dir, name);
	dir = opendir(below);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", below, entry->d_name);
		unlink(path);
	}
	rmdir(below);
}

/* A grace period of RCU. A kernel without the system call lets it finish in
 * the time that the next lines take, most probably. */
void dp_wait_for_programs(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void dp_pin_sweep(const struct dp *dp)
{
	__cleanup(free_dir) DIR *dir = opendir(dp->dir);
	struct dirent *entry;

	dp_wait_for_programs();
	while (dir && (entry = readdir(dir)))
		if (number(entry->d_name) &&
		    number(entry->d_name) != dp->generation)
			generation_remove(dp, entry->d_name);
}

bool dp_pin_is_whole(const struct dp *dp)
{
	char path[DP_PATH_MAX];

	if (!*dp->dir)
		return true;
	if (!is_at(dp->lock_fd, dp->root) ||
	    generation_in_force(dp) != dp->generation)
		return false;
	for (int id = 0; id < NR_TABLES; id++) {
		snprintf(path, sizeof(path), "%s/%u/%s", dp->dir,
			 dp->generation, table_rows[id].name);
		if (access(path, F_OK))
			return false;
	}
	return true;
}

int dp_pin_repair(struct dp *dp)
{
	unsigned int generation;
	int err;

	log_warning(0, "what was pinned in \"%s\" is gone: it is made again",
		    dp->dir);
	err = dp_bpffs_ensure(dp->dir);
	if (!err && !is_at(dp->lock_fd, dp->root))
		err = lock(dp);
	if (!err)
		err = dp_pin_tables(dp, dp->fd, &generation);
	if (!err)
		err = dp_pin_switch(dp, generation);
	if (!err)
		dp_pin_sweep(dp);
	return err;
}
