// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is attached to interfaces, by the rows of DP_HOOKS: each has a pin in
 * <abi>/ that ends in the interface's index, so that it stays when we go.
 * Replacing a program loses no packet.
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

#include "dp_private.h"
#include "base/log.h"
#include "base/cleanup.h"

static void free_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* 0: none, or the interface that it was on is gone. */
__u32 dp_link_ifindex(int link)
{
	struct bpf_link_info info;
	__u32 len = sizeof(info);

	memset(&info, 0, len);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &len))
		return 0;
	if (info.type == BPF_LINK_TYPE_CGROUP)
		return info.cgroup.cgroup_id;
	return info.xdp.ifindex;	/* tcx has it at the same place */
}

/* Another program behind a link that lives; -ENOENT: there is none. */
int dp_link_update(const char *pin, int prog)
{
	__cleanup(close_fd) int link = bpf_obj_get(pin);

	if (link < 0)
		return -errno;
	if (!dp_link_ifindex(link))
		return -ENOENT;
	return bpf_link_update(link, prog, NULL) ? -errno : 0;
}

/* A pin that goes takes its link along, but later: detach it now. */
int dp_link_remove(const char *pin)
{
	__cleanup(close_fd) int link = bpf_obj_get(pin);

	if (link < 0 || (dp_link_ifindex(link) && bpf_link_detach(link)) ||
	    unlink(pin))
		return -errno;
	return 0;
}

/* f for each hook of an interface that has a pin; the first error ends it. */
static int each_point(const struct dp *dp,
		      int (*f)(void *arg, const struct dp_point *at), void *arg)
{
	__cleanup(free_dir) DIR *dir = *dp->dir ? opendir(dp->dir) : NULL;
	struct dirent *entry;
	struct dp_point at;
	int err = 0;

	while (dir && !err && (entry = readdir(dir)))
		if (dp_point_of_pin(dp->dir, entry->d_name, &at))
			err = f(arg, &at);
	return err;
}

static int point_replace(void *arg, const struct dp_point *at)
{
	struct dp *dp = arg;
	int err = at->hook->kind->replace(at, dp_program_fd(dp,
							    at->hook->program));

	if (err && err != -ENOENT)
		return log_error(err, "cannot replace %s on interface %u",
				 at->hook->program, at->ifindex);
	return 0;
}

int dp_link_replace_all(struct dp *dp)
{
	return each_point(dp, point_replace, dp);
}

static int point_is_there(void *arg, const struct dp_point *at)
{
	return 1;
}

bool dp_link_has_any(const struct dp *dp)
{
	return each_point(dp, point_is_there, NULL);
}

/* The number of the program on an interface, whoever's it is; 0: there is none.
 * Its name, to whom the kernel tells it: CAP_SYS_ADMIN. */
static __u32 holder(__u32 ifindex, char name[static BPF_OBJ_NAME_LEN])
{
	__cleanup(close_fd) int fd = -1;
	struct bpf_prog_info info = {};
	__u32 id = 0, len = sizeof(info);

	*name = '\0';
	if (bpf_xdp_query_id(ifindex, 0, &id) || !id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
		memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	return id;
}

const char *dp_attach_text(enum dp_hook hook, __u32 ifindex, int err,
			   char text[static DP_ATTACH_TEXT_MAX])
{
	char name[BPF_OBJ_NAME_LEN];
	__u32 id = 0;

	snprintf(text, DP_ATTACH_TEXT_MAX, "%s", strerror(-err));
	if (err == -EBUSY && dp_hook_rows[hook].kind == &dp_kind_xdp)
		id = holder(ifindex, name);
	if (!id)
		return text;
	/* 6.13: what changes packets may not replace what does not. */
	snprintf(text, DP_ATTACH_TEXT_MAX, "program \"%s\" (id %u) is attached "
		 "there; detach it, or leave the interface out of uplinks%s",
		 *name ? name : "?", id, strcmp(name, "xdp_dispatcher") ? "" :
		 " (this kernel lets programs that change packets into a newer "
		 "libxdp's dispatcher alone)");
	return text;
}

int dp_attach(struct dp *dp, enum dp_hook hook, __u32 ifindex)
{
	const struct dp_hook_row *row = &dp_hook_rows[hook];
	char name[BPF_OBJ_NAME_LEN];
	enum dp_mechanism mechanism;
	struct dp_point at;
	int err;

	if (dp->is_shadow)
		return 0;
	dp_point_at(dp->dir, hook, ifindex, &at);
	at.cgroup = dp->cgroup_fd;
	if (row->kind->is_attached(&at, &mechanism))
		return 0;
	err = row->kind->attach(&at, dp_program_fd(dp, row->program));
	return err == -EEXIST && holder(ifindex, name) ? -EBUSY : err;
}

bool dp_is_shadow(const struct dp *dp)
{
	return dp->is_shadow;
}

int dp_detach(struct dp *dp, enum dp_hook hook, __u32 ifindex)
{
	const struct dp_hook_row *row = &dp_hook_rows[hook];
	struct dp_point at;
	int err;

	dp_point_at(dp->dir, hook, ifindex, &at);
	err = row->kind->detach(&at);
	if (!err || err == -ENOENT)
		return 0;
	return log_error(err, "cannot detach %s from interface %u",
			 row->program, ifindex);
}

bool dp_is_attached(struct dp *dp, enum dp_hook hook, __u32 ifindex)
{
	enum dp_mechanism mechanism;
	struct dp_point at;

	if (dp->is_shadow)
		return true;
	dp_point_at(dp->dir, hook, ifindex, &at);
	return at.hook->kind->is_attached(&at, &mechanism);
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
		[DP_CGROUP] = "cgroup",
	};

	return names[mechanism];
}

struct attachments {
	struct dp_attachment *ret;
	size_t max;
	int count;
	enum dp_need need;	/* attachment_of_need(): of this alone */
};

static int attachment_put(struct attachments *all,
			  const struct dp_attachment *found)
{
	if ((size_t)all->count < all->max)
		all->ret[all->count] = *found;
	all->count++;
	return 0;
}

static int attachment_add(void *arg, const struct dp_point *at)
{
	struct attachments *all = arg;
	struct dp_attachment found = {
		.ifindex = at->ifindex,
		.hook = at->hook - dp_hook_rows,
	};

	if (at->hook->need == DP_NEED_POD || at->hook->need == DP_NEED_SOCKET ||
	    !at->hook->kind->is_attached(at, &found.mechanism))
		return 0;
	return attachment_put(all, &found);
}

/* Also of those that are attached no more. */
static int attachment_of_need(void *arg, const struct dp_point *at)
{
	struct attachments *all = arg;
	struct dp_attachment found = {
		.ifindex = at->ifindex,
		.hook = at->hook - dp_hook_rows,
	};

	if (at->hook->need != all->need)
		return 0;
	at->hook->kind->is_attached(at, &found.mechanism);
	return attachment_put(all, &found);
}

int dp_attachments(struct dp *dp, struct dp_attachment *ret, size_t max)
{
	struct attachments all = { .ret = ret, .max = max };

	each_point(dp, attachment_add, &all);
	return all.count;
}

static int attachments_of_need(struct dp *dp, enum dp_need need,
			       struct dp_attachment *ret, size_t max)
{
	struct attachments all = { ret, max, 0, need };

	each_point(dp, attachment_of_need, &all);
	return all.count;
}

int dp_pods(struct dp *dp, struct dp_attachment *ret, size_t max)
{
	return attachments_of_need(dp, DP_NEED_POD, ret, max);
}

int dp_sockets(struct dp *dp, struct dp_attachment *ret, size_t max)
{
	return attachments_of_need(dp, DP_NEED_SOCKET, ret, max);
}

/* If a pin says that something of ours is attached, detach it. */
static int release(const char *dir, const char *name)
{
	struct dp_point at;
	int err;

	if (!dp_point_of_pin(dir, name, &at) &&
	    !dp_point_of_abi1(dir, name, &at))
		return 0;
	err = at.hook->kind->detach(&at);
	return err == -ENOENT ? 0 : err;
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
		if (release(path, entry->d_name))
			err = log_error(-EBUSY, "cannot detach the program of "
					"\"%s\"", below);
		if (unlink(below) && errno != ENOENT)
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
