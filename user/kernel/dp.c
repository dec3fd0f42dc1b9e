// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Loading, adopting, growing. Pins are the truth: what is pinned is taken
 * over map by map, and a program is replaced through the links that hold it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp_private.h"
#include "dp_rights.h"
#include "base/log.h"
#include "base/cleanup.h"

void dp_close(struct dp *dp)
{
	if (!dp)
		return;
	fragments_free(dp->fragments);
	dp_events_free(dp->events);
	dp_map_release(dp);
	close_fd(&dp->old_counters);
	for (int id = 0; id < NR_TABLES && !dp->skel; id++)
		close_fd(&dp->fd[id]);
	fairlead_bpf__destroy(dp->older);
	fairlead_bpf__destroy(dp->skel);
	close_fd(&dp->cgroup_fd);
	close_fd(&dp->lock_fd);
	free(dp);
}

void dp_closep(struct dp **dp)
{
	dp_close(*dp);
}

static struct dp *dp_new(const char *pin_root)
{
	struct dp *dp = calloc(1, sizeof(*dp));

	if (!dp)
		return NULL;
	for (int id = 0; id < NR_TABLES; id++)
		dp->fd[id] = -1;
	dp->old_counters = -1;
	dp->lock_fd = -1;
	dp->cgroup_fd = -1;
	dp->nr_cpus = libbpf_num_possible_cpus();
	if (dp->nr_cpus < 1)
		dp->nr_cpus = 1;
	snprintf(dp->root, sizeof(dp->root), "%s",
		 pin_root ? pin_root : DP_PIN_ROOT);
	snprintf(dp->dir, sizeof(dp->dir), "%s/%d", dp->root, FAIRLEAD_ABI);
	return dp;
}

static struct bpf_map *skel_map(struct fairlead_bpf *skel, enum table_id id)
{
	struct bpf_map *const maps[NR_TABLES] = {
#define X(name, of, size, reach, growth) [TABLE_##name] = skel->maps.name,
		TABLES(X)
#undef X
	};

	return maps[id];
}

/* The maps whose size is ours to choose. */
static void skel_set_sizes(struct fairlead_bpf *skel,
			   const struct table_sizes *s)
{
	struct table_sizes sizes = *s;

	for (int id = 0; id < NR_TABLES; id++) {
		const __u32 *size = table_size_at(&sizes, table_rows[id].size);

		if (size)
			bpf_map__set_max_entries(skel_map(skel, id), *size);
	}
}

static void skel_set_config(struct dp *dp, struct fairlead_bpf *skel)
{
	struct fairlead_config *cfg = (void *)&skel->rodata->cfg;

	memcpy(cfg->hash_key, dp->hash_key, sizeof(cfg->hash_key));
	cfg->hz_reciprocal = ((1ull << 32) + dp->hz - 1) / dp->hz;
	cfg->jiffies_start = dp->jiffies_start;
	cfg->cell_buckets = bpf_map__max_entries(skel->maps.cells);
	cfg->conn_buckets = bpf_map__max_entries(skel->maps.conns);
	cfg->reply_buckets = bpf_map__max_entries(skel->maps.replies);
}

/* Use the map behind fd, with its size, in place of a new one. */
static int skel_reuse(struct fairlead_bpf *skel, enum table_id id, int fd)
{
	struct bpf_map *map = skel_map(skel, id);
	__u32 entries;
	int err;

	err = dp_map_entries(fd, &entries);
	if (!err)
		err = bpf_map__set_max_entries(map, entries);
	return err ? err : bpf_map__reuse_fd(map, fd);
}

/* Is what is pinned of the layout that we know? */
static int check_layout(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return log_error(-errno, "cannot read about map \"%s\"",
				 bpf_map__name(map));
	if (info.key_size == bpf_map__key_size(map) &&
	    info.value_size == bpf_map__value_size(map))
		return 0;
	log_error(0, "the pinned map \"%s\" was made by another version, with "
		  "other fields", bpf_map__name(map));
	log_hint("\"fairlead cleanup\" makes room for this version; "
		 "until it serves, nothing is balanced");
	return -EPROTO;
}

/* What is not pinned is made anew, of the size that its like have. */
static int adopt_map(struct dp *dp, struct fairlead_bpf *skel, enum table_id id)
{
	__cleanup(close_fd) int fd = dp_pin_get(dp, id);
	__u32 entries = 0;
	int err;

	if (fd == -ENOENT || table_rows[id].growth == TABLE_OWN)
		return 0;
	err = fd < 0 ? fd : check_layout(skel_map(skel, id), fd);
	if (err)
		return err;
	if (id == TABLE_counters && !dp_map_entries(fd, &entries) &&
	    entries < NR_REASONS) {
		dp->old_counters = fd;
		fd = -1;
		return 0;
	}
	err = skel_reuse(skel, id, fd);
	return err ? log_error(err, "cannot adopt the map \"%s\"",
			       table_rows[id].name) : 0;
}

/* The sizes of what is pinned in place of those that are wanted. */
static void adopt_sizes(struct dp *dp, struct table_sizes *sizes)
{
	for (int id = 0; id < NR_TABLES; id++) {
		__u32 *size = table_size_at(sizes, table_rows[id].size);
		__cleanup(close_fd) int fd = size ? dp_pin_get(dp, id) : -1;

		if (fd >= 0)
			dp_map_entries(fd, size);
	}
}

static int skel_adopt(struct dp *dp, struct fairlead_bpf *skel)
{
	int err = 0;

	for (int id = 0; id < NR_TABLES && !err; id++)
		err = adopt_map(dp, skel, id);
	return err;
}

static void take_fds(struct dp *dp, struct fairlead_bpf *skel)
{
	for (int id = 0; id < NR_TABLES; id++)
		dp->fd[id] = bpf_map__fd(skel_map(skel, id));
	dp->skel = skel;
}

static void skel_freep(struct fairlead_bpf **skel)
{
	fairlead_bpf__destroy(*skel);
}

static int skel_load(struct fairlead_bpf *skel)
{
	int err;

	dp_programs_choose(skel);
	err = fairlead_bpf__load(skel);
	if (err)
		return log_error(err, "cannot load the datapath "
				 "(needs Linux 6.1)");
	return dp_programs_fill(skel);
}

/* The key in force: a pinned one that fits what is wanted, what is wanted, or
 * a random one. */
static int choose_key(struct dp *dp, const struct dp_opts *opts)
{
	static const __u32 none[16];
	__u32 pinned[16] = {};
	int fd = dp_pin_get(dp, TABLE_applied);
	struct applied applied;
	const __u32 zero = 0;

	if (fd >= 0) {
		if (!bpf_map_lookup_elem(fd, &zero, &applied))
			memcpy(pinned, applied.hash_key, sizeof(pinned));
		close(fd);
	}
	if (memcmp(pinned, none, sizeof(none))) {
		memcpy(dp->hash_key, pinned, sizeof(pinned));
		if (!opts->has_hash_key ||
		    !memcmp(pinned, opts->hash_key, sizeof(pinned)))
			return 0;
		log_error(0, "the hash key is not the one that is in force");
		log_hint("every connection depends on it; run \"fairlead "
			 "cleanup\" first");
		return -EEXIST;
	}
	if (opts->has_hash_key)
		memcpy(dp->hash_key, opts->hash_key, sizeof(dp->hash_key));
	else if (getrandom(dp->hash_key, sizeof(dp->hash_key), 0) !=
		 sizeof(dp->hash_key))
		return log_error(-EIO, "cannot make a hash key");
	return 0;
}

static struct table_sizes sizes_or_default(const struct table_sizes *wanted)
{
	struct table_sizes ret = *wanted, by_default = table_sizes_default;

	if (ret.conn_buckets && !ret.reply_buckets)
		ret.reply_buckets = reply_buckets_for(ret.conn_buckets);
	for (int at = TABLE_SIZE_fixed + 1; at < NR_TABLE_SIZES; at++) {
		__u32 *size = table_size_at(&ret, at);

		if (!*size)
			*size = *table_size_at(&by_default, at);
	}
	return ret;
}

static int open_prepare(struct dp *dp, const struct dp_opts *opts)
{
	int err = dp_rights_check("cannot load the datapath");

	if (err)
		return err;
	if (opts->unpinned)
		*dp->dir = '\0';
	else
		err = dp_pin_open(dp);
	if (!err && opts->is_shadow && dp_link_has_any(dp))
		err = log_error(-EBUSY, "packets are served already, and what a shadow does would be done to them");
	dp->is_shadow = opts->is_shadow;
	if (!err)
		err = choose_key(dp, opts);
	if (err)
		return err;
	err = dp_clock(&dp->hz, &dp->jiffies_start);
	return err ? log_error(err, "cannot run BPF programs") : 0;
}

/* Per-CPU values of all entries that from has. */
static int copy_per_cpu(struct dp *dp, int from, int to)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(from, &info, &len))
		return -errno;
	char values[dp->nr_cpus][(info.value_size + 7) & ~7u];

	for (__u32 key = 0; key < info.max_entries; key++)
		if (bpf_map_lookup_elem(from, &key, values) ||
		    bpf_map_update_elem(to, &key, values, 0))
			return -errno;
	return 0;
}

/* Adopt or make maps, and load the programs over them. */
static int open_skel(struct dp *dp, struct table_sizes sizes)
{
	__cleanup(skel_freep) struct fairlead_bpf *skel = fairlead_bpf__open();
	int err;

	if (!skel)
		return log_error(-errno, "cannot open the BPF object");
	adopt_sizes(dp, &sizes);
	skel_set_sizes(skel, &sizes);
	err = skel_adopt(dp, skel);
	if (err)
		return err;
	skel_set_config(dp, skel);
	err = skel_load(skel);
	if (!err)
		take_fds(dp, take_ptr(skel));
	return err;
}

static int open_tables(struct dp *dp)
{
	int err = dp_map_fill_tables(dp);

	if (!err && dp->old_counters >= 0)
		err = copy_per_cpu(dp, dp->old_counters,
				   dp->fd[TABLE_counters]);
	if (err)
		return err;
	memcpy(dp->tables.applied->hash_key, dp->hash_key,
	       sizeof(dp->hash_key));
	if (*dp->dir)
		err = dp_pin_tables(dp, dp->fd, &dp->next_generation);
	if (!err)
		err = dp_move_resume(dp);
	return err ? err : dp_switch(dp);
}

int dp_open(const struct dp_opts *opts, struct dp **ret)
{
	__cleanup(dp_closep) struct dp *dp = dp_new(opts->pin_root);
	int err;

	if (!dp)
		return log_error(-ENOMEM, "cannot open the datapath");
	err = open_prepare(dp, opts);
	if (!err)
		err = open_skel(dp, sizes_or_default(&opts->sizes));
	if (!err)
		err = open_tables(dp);
	if (err)
		return err;
	*ret = take_ptr(dp);
	return 0;
}

int dp_view(const char *pin_root, struct dp **ret)
{
	__cleanup(dp_closep) struct dp *dp = dp_new(pin_root);
	int err;

	if (!dp)
		return log_error(-ENOMEM, "cannot open the datapath");
	err = dp_pin_get_all(dp);
	if (!err)
		err = dp_map_fill_tables(dp);
	if (err)
		return err;
	memcpy(dp->hash_key, dp->tables.applied->hash_key,
	       sizeof(dp->hash_key));
	*ret = take_ptr(dp);
	return 0;
}

/* Entries of from to the larger to, array by array. */
static int copy_array(int from, int to)
{
	struct bpf_map_info info;
	__u32 len = sizeof(info);
	size_t bytes;
	void *a, *b;

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(from, &info, &len))
		return -errno;
	bytes = (size_t)info.max_entries * info.value_size;
	a = mmap(NULL, bytes, PROT_READ, MAP_SHARED, from, 0);
	if (a == MAP_FAILED)
		return -errno;
	b = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
	if (b != MAP_FAILED) {
		memcpy(b, a, bytes);
		munmap(b, bytes);
	}
	munmap(a, bytes);
	return b == MAP_FAILED ? -errno : 0;
}

static bool is_larger(const struct bpf_map *map, const struct bpf_map *than)
{
	return bpf_map__max_entries(map) > bpf_map__max_entries(than);
}

/* The same map for both, unless it is to grow. */
static int grow_reuse(struct dp *dp, struct fairlead_bpf *skel)
{
	int err = 0;

	for (int id = 0; id < NR_TABLES && !err; id++) {
		const struct bpf_map *map = skel_map(skel, id);
		enum table_growth growth = table_rows[id].growth;

		if (growth == TABLE_SAME ||
		    (growth != TABLE_OWN &&
		     !is_larger(map, skel_map(dp->skel, id))))
			err = skel_reuse(skel, id, dp->fd[id]);
	}
	/* what one of the programs knows of a packet, the others go on with */
	if (!err && is_larger(skel->maps.conns, dp->skel->maps.conns))
		err = bpf_map__reuse_fd(skel->maps.scratch,
					bpf_map__fd(dp->skel->maps.scratch));
	return err;
}

static int copy_table(struct dp *dp, struct bpf_map *to, enum table_id id)
{
	return bpf_map__type(to) == BPF_MAP_TYPE_PERCPU_ARRAY ?
		       copy_per_cpu(dp, dp->fd[id], bpf_map__fd(to)) :
		       copy_array(dp->fd[id], bpf_map__fd(to));
}

static int grow_copy(struct dp *dp, struct fairlead_bpf *skel)
{
	int err = 0;

	for (int id = 0; id < NR_TABLES && !err; id++)
		if (table_rows[id].growth == TABLE_COPY &&
		    is_larger(skel_map(skel, id), skel_map(dp->skel, id)))
			err = copy_table(dp, skel_map(skel, id), id);
	return err;
}

/* Larger maps in place of those that dp has, if they can be mapped. */
static int grow_take(struct dp *dp, struct fairlead_bpf *skel)
{
	struct dp old = *dp;
	int err;

	memset(dp->memory, 0, sizeof(dp->memory));
	take_fds(dp, skel);
	err = dp_map_fill_tables(dp);
	if (err) {
		dp_map_release(dp);
		*dp = old;
		return err;
	}
	dp_map_release(&old);
	if (is_larger(skel->maps.conns, old.skel->maps.conns))
		dp->older = old.skel;
	else
		fairlead_bpf__destroy(old.skel); /* links hold its programs */
	return 0;
}

static int grow_pin(struct dp *dp, struct fairlead_bpf *skel)
{
	int fd[NR_TABLES];

	for (int id = 0; id < NR_TABLES; id++)
		fd[id] = bpf_map__fd(skel_map(skel, id));
	return *dp->dir ? dp_pin_tables(dp, fd, &dp->next_generation) : 0;
}

/* Programs over larger maps, which are as they were made. */
static int grow_load(struct dp *dp, struct fairlead_bpf *skel, int conns,
		     int replies)
{
	int err = conns < 0 ? 0 : skel_reuse(skel, TABLE_conns, conns);

	if (!err && replies >= 0)
		err = skel_reuse(skel, TABLE_replies, replies);
	if (!err)
		err = grow_reuse(dp, skel);
	if (err)
		return log_error(err, "cannot keep maps");
	skel_set_config(dp, skel);
	err = skel_load(skel);
	if (!err && dp_takeover_left(dp))
		err = dp_takeover_put(dp, skel);
	if (!err && is_larger(skel->maps.conns, dp->skel->maps.conns))
		err = dp_programs_ask(skel, dp->skel);
	return err;
}

int dp_grow_into(struct dp *dp, const struct table_sizes *sizes, int conns,
		 int replies)
{
	__cleanup(skel_freep) struct fairlead_bpf *skel = NULL;
	int err;

	skel = fairlead_bpf__open();
	if (!skel)
		return log_error(-errno, "cannot open the BPF object");
	skel_set_sizes(skel, sizes);
	err = grow_load(dp, skel, conns, replies);
	if (err)
		return err;
	err = grow_copy(dp, skel);
	if (err)
		return log_error(err, "cannot copy maps");
	err = grow_pin(dp, skel);
	if (!err)
		err = grow_take(dp, skel);
	if (err)
		return err;
	skel = NULL;
	return 0;
}

int dp_grow(struct dp *dp, const struct table_sizes *sizes)
{
	return dp_grow_into(dp, sizes, -1, -1);
}

bool dp_must_switch(const struct dp *dp)
{
	return dp->next_generation || dp->older;
}

int dp_switch(struct dp *dp)
{
	bool is_new = dp->next_generation &&
		      dp->next_generation != dp->generation;
	int err = 0;

	if (dp->older)
		err = dp_move_conns(dp);
	if (!err && is_new)
		err = dp_pin_switch(dp, dp->next_generation);
	if (!err && !dp->older)
		err = dp_link_replace_all(dp);
	if (err)
		return err;
	if (dp->older)
		err = dp_programs_ask_nobody(dp->skel);
	if (err)
		return err;
	dp->next_generation = 0;
	if (*dp->dir)
		dp_pin_sweep(dp);
	fairlead_bpf__destroy(dp->older);
	dp->older = NULL;
	dp->is_resumed = false;
	return 0;
}

int dp_program_fd(const struct dp *dp, const char *name)
{
	struct bpf_program *prog;

	if (!dp->skel)
		return -ENOENT;
	prog = bpf_object__find_program_by_name(dp->skel->obj, name);
	return prog && bpf_program__fd(prog) >= 0 ? bpf_program__fd(prog) :
						    -ENOENT;
}
