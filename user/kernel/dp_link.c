// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is attached to interfaces: fl_xdp (see dp_xdp.c) and fl_uplink_out (see
 * dp_tc.c), each with a pin in <abi>/ that ends in the interface's index, so
 * that they stay when we go. Replacing a program loses no packet.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "compat.h"
#include "dp_private.h"
#include "base/log.h"
#include "base/cleanup.h"

static void free_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* f for each pin of the prefix; the first error ends it. */
static int each_pin(const struct dp *dp, const char *prefix,
		    int (*f)(void *arg, const char *path, __u32 ifindex),
		    void *arg)
{
	size_t len = strlen(prefix);
	__cleanup(free_dir) DIR *dir = *dp->dir ? opendir(dp->dir) : NULL;
	char path[DP_PATH_MAX + 256];
	struct dirent *entry;
	int err = 0;

	while (dir && !err && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, len))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dp->dir, entry->d_name);
		err = f(arg, path, strtoul(entry->d_name + len, NULL, 10));
	}
	return err;
}

static void local_place(const struct dp *dp, __u32 ifindex, struct dp_tc *ret)
{
	dp_tc_place(dp->dir, ifindex, COMPAT_TCX_EGRESS, ret);
}

static int xdp_replace(void *arg, const char *path, __u32 ifindex)
{
	struct dp *dp = arg;
	struct dp_xdp at;
	int err;

	dp_xdp_place(dp->dir, ifindex, &at);
	err = dp_xdp_replace(&at, bpf_program__fd(dp->skel->progs.fl_xdp));
	if (err && err != -ENOENT)
		return log_error(err, "cannot replace the program of \"%s\"",
				 path);
	return 0;
}

static int local_replace(void *arg, const char *path, __u32 ifindex)
{
	struct dp *dp = arg;
	struct dp_tc at;
	int err;

	local_place(dp, ifindex, &at);
	err = dp_tc_replace(&at,
			    bpf_program__fd(dp->skel->progs.fl_uplink_out));
	if (err && err != -ENOENT)
		return log_error(err, "cannot replace the program of \"%s\"",
				 path);
	return 0;
}

int dp_link_replace_all(struct dp *dp)
{
	int err = each_pin(dp, DP_XDP_PREFIX, xdp_replace, dp);

	if (!err)
		err = each_pin(dp, DP_XDP_ENTRY_PREFIX, xdp_replace, dp);
	if (!err)
		err = each_pin(dp, DP_TCX_PREFIX, local_replace, dp);
	if (!err)
		err = each_pin(dp, DP_CLSACT_OUT_PREFIX, local_replace, dp);
	return err;
}

/* Who is there already, for the hint of an EBUSY. */
static void log_holder(__u32 ifindex)
{
	struct bpf_prog_info info = {};
	__u32 id = 0, len = sizeof(info);
	int fd;

	if (bpf_xdp_query_id(ifindex, 0, &id) || !id)
		return;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		log_hint("program \"%s\" (id %u) is attached there; detach "
			 "it, or leave the interface out of uplinks",
			 info.name, id);
	/* 6.13: what changes packets may not replace what does not. */
	if (!strcmp(info.name, "xdp_dispatcher"))
		log_hint("this kernel lets programs that change packets into a "
			 "newer libxdp's dispatcher alone");
	close(fd);
}

int dp_attach(struct dp *dp, __u32 ifindex)
{
	enum dp_mechanism mechanism;
	struct dp_xdp at;
	int err;

	dp_xdp_place(dp->dir, ifindex, &at);
	if (dp_xdp_is_attached(&at, &mechanism))
		return 0;
	err = dp_xdp_attach(&at, bpf_program__fd(dp->skel->progs.fl_xdp));
	if (!err)
		return 0;
	log_error(err, "cannot attach XDP to interface %u", ifindex);
	if (err == -EBUSY)
		log_holder(ifindex);
	return err;
}

int dp_detach(struct dp *dp, __u32 ifindex)
{
	struct dp_xdp at;
	int err;

	dp_xdp_place(dp->dir, ifindex, &at);
	err = dp_xdp_detach(&at);
	if (err && err != -ENOENT)
		return log_error(err, "cannot detach XDP from interface %u",
				 ifindex);
	return dp_detach_local(dp, ifindex);
}

int dp_attach_local(struct dp *dp, __u32 ifindex)
{
	struct dp_tc at;
	int err;

	local_place(dp, ifindex, &at);
	err = dp_tc_attach(&at,
			   bpf_program__fd(dp->skel->progs.fl_uplink_out));
	return err ? log_error(err, "cannot attach tc egress to interface %u",
			       ifindex) : 0;
}

int dp_detach_local(struct dp *dp, __u32 ifindex)
{
	struct dp_tc at;
	int err;

	local_place(dp, ifindex, &at);
	err = dp_tc_detach(&at);
	if (!err || err == -ENOENT)
		return 0;
	return log_error(err, "cannot detach tc egress from interface %u",
			 ifindex);
}

const char *dp_mechanism_name(enum dp_mechanism mechanism)
{
	static const char *const names[] = {
		[DP_XDP_NATIVE] = "xdp native",
		[DP_XDP_GENERIC] = "xdp generic",
		[DP_XDP_DISPATCHER] = "xdp dispatcher",
		[DP_XDP_DISPATCHER_GENERIC] = "xdp dispatcher (generic)",
		[DP_TCX] = "tcx",
		[DP_CLSACT] = "clsact",
	};

	return names[mechanism];
}

struct attachments {
	struct dp *dp;
	struct dp_attachment *ret;
	size_t max;
	int count;
};

static void attachment_add(struct attachments *all, __u32 ifindex,
			   const char *program, enum dp_mechanism mechanism)
{
	struct dp_attachment *a = &all->ret[all->count];

	if ((size_t)all->count++ >= all->max)
		return;
	*a = (struct dp_attachment){
		.ifindex = ifindex,
		.mechanism = mechanism,
	};
	snprintf(a->program, sizeof(a->program), "%s", program);
}

static int xdp_add(void *arg, const char *path, __u32 ifindex)
{
	struct attachments *all = arg;
	enum dp_mechanism mechanism;
	struct dp_xdp at;

	dp_xdp_place(all->dp->dir, ifindex, &at);
	if (dp_xdp_is_attached(&at, &mechanism))
		attachment_add(all, ifindex, "fl_xdp", mechanism);
	return 0;
}

static int local_add(void *arg, const char *path, __u32 ifindex)
{
	struct attachments *all = arg;
	enum dp_mechanism mechanism;
	struct dp_tc at;

	local_place(all->dp, ifindex, &at);
	if (dp_tc_is_attached(&at, &mechanism))
		attachment_add(all, ifindex, "fl_uplink_out", mechanism);
	return 0;
}

int dp_attachments(struct dp *dp, struct dp_attachment *ret, size_t max)
{
	struct attachments all = { dp, ret, max, 0 };

	each_pin(dp, DP_XDP_PREFIX, xdp_add, &all);
	each_pin(dp, DP_XDP_ENTRY_PREFIX, xdp_add, &all);
	each_pin(dp, DP_TCX_PREFIX, local_add, &all);
	each_pin(dp, DP_CLSACT_OUT_PREFIX, local_add, &all);
	return all.count;
}

/* Everything below path, and path itself. */
static int remove_tree(const char *path, bool verbose)
{
	__cleanup(free_dir) DIR *dir = opendir(path);
	char below[DP_PATH_MAX + 256];
	struct dirent *entry;
	struct stat st;
	int err = 0;

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (!lstat(below, &st) && S_ISDIR(st.st_mode)) {
			err = remove_tree(below, verbose) ?: err;
			continue;
		}
		if (dp_tc_release(below) || dp_xdp_release(below))
			err = log_error(-EBUSY, "cannot detach the program of "
					"\"%s\"", below);
		if (unlink(below))
			err = log_error(-errno, "cannot remove \"%s\"", below);
		else if (verbose)
			printf("removed %s\n", below);
	}
	if (rmdir(path) && errno != ENOENT)
		err = log_error(-errno, "cannot remove \"%s\"", path);
	return err;
}

int dp_cleanup(const char *pin_root, bool verbose)
{
	const char *root = pin_root ? pin_root : DP_PIN_ROOT;
	__cleanup(close_fd) int lock = dp_pin_lock(root);

	if (lock == -EBUSY)
		return log_error(0, "a daemon works on the tables in \"%s\"; "
				 "stop it first", root), lock;
	return remove_tree(root, verbose);
}
