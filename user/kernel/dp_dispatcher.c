// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * XDP beside other programs, through libxdp's dispatcher: fl_xdp_entry is one
 * of its components and tail-calls into a program array, which is pinned. The
 * pin says where we are attached, its map tells our component from others, and
 * without it the array would lose its entry.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "compat.h"
#include "dp_private.h"
#include "entry.skel.h"
#include "base/cleanup.h"

#define FILE_MAX (DP_PATH_MAX + 288)	/* below a directory of libxdp's */

static void all_close(struct xdp_multiprog **all)
{
	xdp_multiprog__close(*all);
}

static void program_close(struct xdp_program **p)
{
	xdp_program__close(*p);
}

static void entry_free(struct entry_bpf **skel)
{
	entry_bpf__destroy(*skel);
}

/* libxdp makes libbpf speak of objects that are not ours: where it attaches
 * and detaches, that is kept from stderr. */
static void print_restore(libbpf_print_fn_t *print)
{
	libbpf_set_print(*print);
}

/* What runs on the interface; -ENOENT: nothing. What libxdp would say to
 * stderr is in what it returns. */
static int all_open(__u32 ifindex, struct xdp_multiprog **ret)
{
	struct xdp_multiprog *all;
	int err;

	libxdp_set_print(NULL);
	all = xdp_multiprog__get_from_ifindex(ifindex);
	err = libxdp_get_error(all);
	if (err)
		return err;
	*ret = all;
	return 0;
}

static int map_id(const char *pin, __u32 *ret)
{
	__cleanup(close_fd) int map = bpf_obj_get(pin);
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &len))
		return -errno;
	*ret = info.id;
	return 0;
}

/* Is it an fl_xdp_entry (which has no other map) with this map? */
static bool program_has_map(int prog, __u32 map)
{
	__u32 id = 0;
	struct bpf_prog_info info = {
		.nr_map_ids = 1,
		.map_ids = (uintptr_t)&id,
	};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(prog, &info, &len) && id == map;
}

/* Our component, which all owns. */
static int component_find(const struct dp_point *at, struct xdp_multiprog **all,
			  struct xdp_program **ret)
{
	struct xdp_program *p = NULL;
	__u32 map;
	int err;

	err = map_id(at->other, &map);
	if (!err)
		err = all_open(at->ifindex, all);
	if (err)
		return err;
	while ((p = xdp_multiprog__next_prog(p, *all)))
		if (program_has_map(xdp_program__fd(p), map))
			break;
	if (!p)
		return -ENOENT;
	*ret = p;
	return 0;
}

bool dp_dispatcher_has(const struct dp_point *at, enum dp_mechanism *ret)
{
	__cleanup(all_close) struct xdp_multiprog *all = NULL;
	struct xdp_program *ours;

	if (component_find(at, &all, &ours))
		return false;
	*ret = xdp_multiprog__attach_mode(all) == XDP_MODE_SKB ?
		       DP_XDP_DISPATCHER_GENERIC : DP_XDP_DISPATCHER;
	return true;
}

static int entry_fill(int map, int prog)
{
	const __u32 first = 0;

	return bpf_map_update_elem(map, &first, &prog, BPF_ANY) ? -errno : 0;
}

int dp_dispatcher_replace(const struct dp_point *at, int prog)
{
	__cleanup(close_fd) int map = bpf_obj_get(at->other);
	enum dp_mechanism mechanism;

	if (map < 0)
		return -errno;
	if (!dp_dispatcher_has(at, &mechanism))
		return -ENOENT;
	return entry_fill(map, prog);
}

/* libxdp attaches a program without a dispatcher, and without a word, if it
 * cannot have one: that would shut others out, and could not be replaced. */
static int component_check(const struct dp_point *at, struct xdp_program *p,
			   enum xdp_attach_mode mode)
{
	enum dp_mechanism mechanism;

	if (dp_dispatcher_has(at, &mechanism))
		return 0;
	xdp_program__detach(p, at->ifindex, mode, 0);
	return -EOPNOTSUPP;
}

static int component_attach(const struct dp_point *at, int map,
			    enum xdp_attach_mode mode)
{
	__cleanup(entry_free) struct entry_bpf *skel = entry_bpf__open();
	__cleanup(program_close) struct xdp_program *p = NULL;
	int err;

	if (!skel)
		return -errno;
	err = bpf_map__reuse_fd(skel->maps.program, map);
	if (err)
		return err;
	p = xdp_program__from_bpf_obj(skel->obj, "xdp");
	err = libxdp_get_error(p);
	if (err) {
		p = NULL;
		return err;
	}
	err = xdp_program__set_run_prio(p, at->hook->rank);
	if (!err)
		err = xdp_program__attach(p, at->ifindex, mode, 0);
	return err ? err : component_check(at, p, mode);
}

/* In the mode of the dispatcher that is there; else native, else generic. */
static int component_attach_any(const struct dp_point *at, int map)
{
	__cleanup(all_close) struct xdp_multiprog *all = NULL;
	int err = all_open(at->ifindex, &all);

	if (!err && xdp_multiprog__is_legacy(all))
		return -EBUSY;
	if (!err)
		return component_attach(at, map,
					xdp_multiprog__attach_mode(all));
	if (err != -ENOENT)
		return err;
	err = component_attach(at, map, XDP_MODE_NATIVE);
	return err && err != -EBUSY ? component_attach(at, map, XDP_MODE_SKB) :
				      err;
}

int dp_dispatcher_attach(const struct dp_point *at, int prog)
{
	__cleanup(close_fd) int map = -1;
	__cleanup(print_restore) libbpf_print_fn_t print =
		libbpf_set_print(NULL);
	int err;

	if (!compat_has_fentry())
		return -EOPNOTSUPP;
	map = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "fl_xdp_program",
			     sizeof(__u32), sizeof(__u32), 1, NULL);
	if (map < 0 || bpf_obj_pin(map, at->other))
		return -errno;
	err = entry_fill(map, prog);
	if (!err)
		err = component_attach_any(at, map);
	if (err)
		unlink(at->other);
	return err;
}

/* The component of one directory of libxdp's, if it is our only one there. */
static bool is_only_ours(const char *dir, __u32 map)
{
	__cleanup(close_fd) int ours = -1;
	char path[FILE_MAX];

	snprintf(path, sizeof(path), "%s/prog1-prog", dir);
	if (!access(path, F_OK))
		return false;
	snprintf(path, sizeof(path), "%s/prog0-prog", dir);
	ours = bpf_obj_get(path);
	return ours >= 0 && program_has_map(ours, map);
}

static void dispatcher_remove(const char *dir)
{
	char path[FILE_MAX];

	snprintf(path, sizeof(path), "%s/prog0-link", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/prog0-prog", dir);
	unlink(path);
	rmdir(dir);
}

static void free_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/*
 * What libxdp has pinned of a dispatcher whose interface is gone, which nobody
 * else would remove. (libxdp_clean_references() does not know of network
 * namespaces and would take away what interfaces of the same number have.)
 */
static void stale_remove(__u32 ifindex, __u32 map)
{
	const char *fs = getenv(XDP_BPFFS_ENVVAR) ?: "/sys/fs/bpf";
	char root[DP_PATH_MAX], path[DP_PATH_MAX + 256], prefix[32];
	__cleanup(free_dir) DIR *dir = NULL;
	struct dirent *entry;

	snprintf(root, sizeof(root), "%s/xdp", fs);
	snprintf(prefix, sizeof(prefix), "dispatch-%u-", ifindex);
	dir = opendir(root);
	if (!dir || flock(dirfd(dir), LOCK_EX))
		return;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", root, entry->d_name);
		if (is_only_ours(path, map))
			dispatcher_remove(path);
	}
}

int dp_dispatcher_leave(const struct dp_point *at)
{
	__cleanup(all_close) struct xdp_multiprog *all = NULL;
	__cleanup(print_restore) libbpf_print_fn_t print =
		libbpf_set_print(NULL);
	struct xdp_program *ours;
	__u32 map;
	int err;

	err = component_find(at, &all, &ours);
	if (!err)
		return xdp_program__detach(ours, at->ifindex,
					   xdp_multiprog__attach_mode(all), 0);
	if (err == -ENOENT && !map_id(at->other, &map))
		stale_remove(at->ifindex, map);
	return err;
}
