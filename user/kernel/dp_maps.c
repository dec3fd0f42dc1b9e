// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Maps as memory: what struct tables points at, windows of the large ones,
 * and what the kernel tells of each.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "dp_private.h"
#include "base/log.h"

const char *const dp_map_names[NR_DP_MAPS] = {
#define X(name) [DP_MAP_##name] = #name,
	DP_MAPS(X)
#undef X
};

#define SOURCES_BATCH 256	/* entries that a system call reads */

static size_t page_round(size_t len)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (len + page - 1) / page * page;
}

/* Key, value and number of entries of a map. */
static int map_info(int fd, struct bpf_map_info *ret)
{
	__u32 len = sizeof(*ret);

	memset(ret, 0, len);
	return bpf_obj_get_info_by_fd(fd, ret, &len) ? -errno : 0;
}

int dp_map_entries(int fd, __u32 *ret)
{
	struct bpf_map_info info;
	int err = map_info(fd, &info);

	if (!err)
		*ret = info.max_entries;
	return err;
}

static int map_whole(struct dp *dp, enum dp_map_id id)
{
	struct bpf_map_info info;
	void *at;
	int err;

	err = map_info(dp->fd[id], &info);
	if (err)
		return err;
	dp->len[id] = page_round((size_t)info.max_entries *
				 ((info.value_size + 7) & ~7u));
	at = mmap(NULL, dp->len[id], PROT_READ | PROT_WRITE, MAP_SHARED,
		  dp->fd[id], 0);
	if (at == MAP_FAILED)
		return -errno;
	dp->at[id] = at;
	return 0;
}

/* Make *w show len bytes of a map from off on. */
static void *window_move(struct dp_window *w, int fd, size_t off, size_t len)
{
	size_t page = sysconf(_SC_PAGESIZE), skip = off % page;

	if (w->at)
		munmap(w->at, w->len);
	w->len = page_round(skip + len);
	w->at = mmap(NULL, w->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		     off - skip);
	if (w->at == MAP_FAILED) {
		w->at = NULL;
		return NULL;
	}
	return (char *)w->at + skip;
}

static struct slot *window_slots(struct tables *t, __u32 base, __u32 count)
{
	struct dp *dp = (struct dp *)t;

	if (base > t->nr_slots || count > t->nr_slots - base)
		return NULL;
	return window_move(&dp->slots, dp->fd[DP_MAP_slots],
			   (size_t)base * sizeof(struct slot),
			   (size_t)count * sizeof(struct slot));
}

static union conn_line *window_conns(struct tables *t, __u32 bucket,
				     __u32 count)
{
	struct dp *dp = (struct dp *)t;

	if (bucket > t->conn_buckets || count > t->conn_buckets - bucket)
		return NULL;
	return window_move(&dp->conns, dp->fd[DP_MAP_conns],
			   (size_t)bucket * sizeof(struct conn_bucket),
			   (size_t)count * sizeof(struct conn_bucket));
}

static int prefix_set(struct tables *t, const struct prefix_key *key,
		      const struct prefix *value)
{
	struct dp *dp = (struct dp *)t;

	return bpf_map_update_elem(dp->fd[DP_MAP_prefixes], key, value, 0) ?
		       -errno : 0;
}

static int prefix_del(struct tables *t, const struct prefix_key *key)
{
	struct dp *dp = (struct dp *)t;

	return bpf_map_delete_elem(dp->fd[DP_MAP_prefixes], key) ? -errno : 0;
}

static int source_set(struct tables *t, const struct source_key *key,
		      __u32 flags)
{
	struct dp *dp = (struct dp *)t;

	return bpf_map_update_elem(dp->fd[DP_MAP_sources], key, &flags, 0) ?
		       -errno : 0;
}

static int source_del(struct tables *t, const struct source_key *key)
{
	struct dp *dp = (struct dp *)t;

	return bpf_map_delete_elem(dp->fd[DP_MAP_sources], key) ? -errno : 0;
}

/* Somebody else may delete the entry that a call went on from, which then
 * begins anew: never more entries than there can be. */
static int sources_each(struct tables *t,
			int (*f)(void *arg, const struct source_key *key,
				 __u32 flags),
			void *arg)
{
	struct dp *dp = (struct dp *)t;
	struct source_key keys[SOURCES_BATCH], position;
	__u32 flags[SOURCES_BATCH], count, total = 0;
	void *from = NULL;
	int err = 0, ret;

	while (!err && total < t->nr_sources) {
		count = SOURCES_BATCH;
		err = bpf_map_lookup_batch(dp->fd[DP_MAP_sources], from,
					   &position, keys, flags, &count,
					   NULL) ? -errno : 0;
		if (err && err != -ENOENT)
			return err;
		for (__u32 i = 0; i < count; i++) {
			ret = f(arg, &keys[i], flags[i]);
			if (ret)
				return ret;
		}
		total += count;
		from = &position;
	}
	return 0;
}

static void backend_stats_reset(struct tables *t, __u32 backend)
{
	struct dp *dp = (struct dp *)t;
	struct backend_stats zero[dp->nr_cpus];

	memset(zero, 0, sizeof(zero));
	bpf_map_update_elem(dp->fd[DP_MAP_backend_stats], &backend, zero, 0);
}

static int tables_sizes(struct dp *dp)
{
	struct tables *t = &dp->tables;
	const struct {
		enum dp_map_id id;
		__u32 *ret;
	} sizes[] = {
		{ DP_MAP_services, &t->nr_services },
		{ DP_MAP_backends, &t->nr_backends },
		{ DP_MAP_slots, &t->nr_slots },
		{ DP_MAP_links, &t->nr_links },
		{ DP_MAP_cells, &t->cell_buckets },
		{ DP_MAP_conns, &t->conn_buckets },
		{ DP_MAP_sources, &t->nr_sources },
	};
	int err;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		err = dp_map_entries(dp->fd[sizes[i].id], sizes[i].ret);
		if (err)
			return err;
	}
	dp->sizes = (struct table_sizes){
		.services = t->nr_services,
		.backends = t->nr_backends,
		.slots = t->nr_slots,
		.cell_buckets = t->cell_buckets,
		.conn_buckets = t->conn_buckets,
	};
	return 0;
}

int dp_map_fill_tables(struct dp *dp)
{
	static const enum dp_map_id whole[] = {
		DP_MAP_services, DP_MAP_infos, DP_MAP_cells, DP_MAP_backends,
		DP_MAP_links, DP_MAP_nat_addrs, DP_MAP_vip_filter,
		DP_MAP_runtime, DP_MAP_applied,
	};
	struct tables *t = &dp->tables;
	int err;

	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		err = map_whole(dp, whole[i]);
		if (err)
			return log_error(err, "cannot map \"%s\"",
					 dp_map_names[whole[i]]);
	}
	*t = (struct tables){
		.hash_key = dp->hash_key,
		.services = dp->at[DP_MAP_services],
		.infos = dp->at[DP_MAP_infos],
		.cells = dp->at[DP_MAP_cells],
		.backends = dp->at[DP_MAP_backends],
		.links = dp->at[DP_MAP_links],
		.nat_addrs = dp->at[DP_MAP_nat_addrs],
		.vip_filter = dp->at[DP_MAP_vip_filter],
		.runtime = dp->at[DP_MAP_runtime],
		.applied = dp->at[DP_MAP_applied],
		.slots = window_slots,
		.conns = window_conns,
		.prefix_set = prefix_set,
		.prefix_del = prefix_del,
		.source_set = source_set,
		.source_del = source_del,
		.sources_each = sources_each,
		.backend_stats_reset = backend_stats_reset,
	};
	return tables_sizes(dp);
}

static void window_close(struct dp_window *w)
{
	if (w->at)
		munmap(w->at, w->len);
	w->at = NULL;
}

void dp_map_release(struct dp *dp)
{
	window_close(&dp->slots);
	window_close(&dp->conns);
	for (int id = 0; id < NR_DP_MAPS; id++) {
		if (dp->at[id])
			munmap(dp->at[id], dp->len[id]);
		dp->at[id] = NULL;
	}
}

struct tables *dp_tables(struct dp *dp)
{
	return &dp->tables;
}

void dp_sizes(const struct dp *dp, struct table_sizes *ret)
{
	*ret = dp->sizes;
}

int dp_counters(struct dp *dp, struct counter ret[static NR_REASONS])
{
	struct counter per_cpu[dp->nr_cpus];

	for (__u32 why = 0; why < NR_REASONS; why++) {
		ret[why] = (struct counter){};
		if (bpf_map_lookup_elem(dp->fd[DP_MAP_counters], &why,
					per_cpu)) {
			/* an older daemon's programs know fewer reasons */
			if (errno == ENOENT)
				continue;
			return log_error(-errno, "cannot read counter %u", why);
		}
		for (int cpu = 0; cpu < dp->nr_cpus; cpu++) {
			ret[why].packets += per_cpu[cpu].packets;
			ret[why].bytes += per_cpu[cpu].bytes;
		}
	}
	return 0;
}

int dp_backend_stats(struct dp *dp, __u32 first, __u32 count,
		     struct backend_stats *ret)
{
	struct backend_stats per_cpu[dp->nr_cpus];

	for (__u32 i = 0; i < count; i++) {
		__u32 key = first + i;

		if (bpf_map_lookup_elem(dp->fd[DP_MAP_backend_stats], &key,
					per_cpu))
			return log_error(-errno,
					 "cannot read statistics of backend %u",
					 key);
		ret[i] = (struct backend_stats){};
		for (int cpu = 0; cpu < dp->nr_cpus; cpu++) {
			ret[i].packets += per_cpu[cpu].packets;
			ret[i].bytes += per_cpu[cpu].bytes;
			ret[i].connections += per_cpu[cpu].connections;
		}
	}
	return 0;
}

/* "memlock:" of a map, which bpf_map_info does not tell. */
static __u64 map_bytes(int fd)
{
	unsigned long long bytes = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	fclose(f);
	return bytes;
}

int dp_maps(struct dp *dp, struct dp_map ret[static DP_MAPS_MAX])
{
	struct bpf_map_info info;
	int err;

	_Static_assert(NR_DP_MAPS <= DP_MAPS_MAX, "room for every map");
	for (int id = 0; id < NR_DP_MAPS; id++) {
		err = map_info(dp->fd[id], &info);
		if (err)
			return log_error(err, "cannot read about map \"%s\"",
					 dp_map_names[id]);
		snprintf(ret[id].name, sizeof(ret[id].name), "%s",
			 dp_map_names[id]);
		ret[id].entries = info.max_entries;
		ret[id].entry_bytes = info.key_size + info.value_size;
		if (info.type == BPF_MAP_TYPE_PERCPU_ARRAY)
			ret[id].entry_bytes = info.key_size +
					      info.value_size * dp->nr_cpus;
		ret[id].bytes = map_bytes(dp->fd[id]);
	}
	return NR_DP_MAPS;
}
