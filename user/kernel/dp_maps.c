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
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include <bpf/bpf.h>

#include "dp_private.h"
#include "base/cleanup.h"
#include "base/log.h"

#define WINDOW_MIN (256u << 10) /* bytes: what is asked for next is often near */
#define ENTRIES_BATCH 256	/* that a system call reads: no bucket of a hash has
				 * more */
#define ENTRY_KEY_MAX 64

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

static void memory_release(struct dp_memory *m)
{
	if (m->at)
		munmap(m->at, m->len);
	m->at = NULL;
}

/* Make *m show len bytes of a map from off on. */
static void *memory_map(struct dp_memory *m, int fd, size_t off, size_t len)
{
	size_t page = sysconf(_SC_PAGESIZE), skip = off % page;

	memory_release(m);
	m->off = off - skip;
	m->len = page_round(skip + len);
	m->at = mmap(NULL, m->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		     m->off);
	if (m->at == MAP_FAILED) {
		m->at = NULL;
		return NULL;
	}
	return (char *)m->at + skip;
}

/* All of a map; NULL: errno says why not. */
static void *map_whole(struct dp *dp, enum table_id id)
{
	struct bpf_map_info info;

	if (map_info(dp->fd[id], &info))
		return NULL;
	return memory_map(&dp->memory[id], dp->fd[id], 0,
			  (size_t)info.max_entries *
			  ((info.value_size + 7) & ~7u));
}

/* Of a map that has as many bytes as that. */
static void *window_map(struct dp_memory *m, int fd, size_t off, size_t len,
			size_t bytes)
{
	if (len < WINDOW_MIN)
		len = bytes - off < WINDOW_MIN ? bytes - off : WINDOW_MIN;
	m->end = off + len;
	return memory_map(m, fd, off, len);
}

/* What is mapped, if that will do: services that follow one another in a
 * reconcile have slots that do, most of the time. */
static void *map_window(struct tables *t, enum table_id id, __u32 first,
			__u32 count)
{
	struct dp *dp = (struct dp *)t;
	struct dp_memory *m = &dp->memory[id];
	struct bpf_map_info info;
	size_t off = first * m->entry, end = off + count * m->entry;

	if (m->at && off >= m->off && end <= m->end)
		return (char *)m->at + (off - m->off);
	if (map_info(dp->fd[id], &info) || first > info.max_entries ||
	    count > info.max_entries - first)
		return NULL;
	m->entry = info.value_size;
	return window_map(m, dp->fd[id], (size_t)first * info.value_size,
			  (size_t)count * info.value_size,
			  (size_t)info.max_entries * info.value_size);
}

#define WINDOW_WHOLE(name, of)
#define WINDOW_CALLS(name, of)
#define WINDOW_WINDOW(name, of)						\
static of *window_##name(struct tables *t, __u32 first, __u32 count)	\
{									\
	return map_window(t, TABLE_##name, first, count);		\
}
#define X(name, of, size, reach, growth) WINDOW_##reach(name, of)
TABLES(X)
#undef X

static int entry_set(struct tables *t, enum table_id id, const void *key,
		     const void *value)
{
	struct dp *dp = (struct dp *)t;

	return bpf_map_update_elem(dp->fd[id], key, value, 0) ? -errno : 0;
}

static int entry_del(struct tables *t, enum table_id id, const void *key)
{
	struct dp *dp = (struct dp *)t;

	return bpf_map_delete_elem(dp->fd[id], key) ? -errno : 0;
}

/* membarrier() waits for an RCU grace period, and programs run within one read
 * side each; where it is not to be had (kernels with nohz_full), for longer
 * than any of them takes. */
static void settle(struct tables *t)
{
	const struct timespec a_while = { .tv_nsec = 10 * 1000 * 1000 };

	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&a_while, NULL);
}

/* A batch of entries: first all keys, then all values. */
static int batch_each(const struct bpf_map_info *info, const char *keys,
		      __u32 count,
		      int (*f)(void *arg, const void *key, const void *value),
		      void *arg)
{
	const char *values = keys + ENTRIES_BATCH * info->key_size;
	int ret = 0;

	for (__u32 i = 0; i < count && !ret; i++)
		ret = f(arg, keys + i * info->key_size,
			values + i * info->value_size);
	return ret;
}

/* Somebody else may delete the entry that a call went on from, which then
 * begins anew: never more entries than there can be. */
static int entries_each(struct tables *t, enum table_id id,
			int (*f)(void *arg, const void *key, const void *value),
			void *arg)
{
	struct dp *dp = (struct dp *)t;
	char position[ENTRY_KEY_MAX] = {};
	__cleanup(free_text) char *keys = NULL;
	struct bpf_map_info info;
	void *from = NULL;
	__u32 count;
	int err = map_info(dp->fd[id], &info), ret;

	if (!err)
		keys = malloc(ENTRIES_BATCH * (info.key_size + info.value_size));
	if (err || !keys)
		return err ? err : -ENOMEM;
	for (__u32 total = 0; !err && total < info.max_entries; total += count) {
		count = ENTRIES_BATCH;
		err = bpf_map_lookup_batch(dp->fd[id], from, position, keys,
					   keys + ENTRIES_BATCH * info.key_size,
					   &count, NULL) ? -errno : 0;
		if (err && err != -ENOENT)
			return err;
		ret = batch_each(&info, keys, count, f, arg);
		if (ret)
			return ret;
		from = position;
	}
	return 0;
}

static void backend_stats_reset(struct tables *t, __u32 backend)
{
	struct dp *dp = (struct dp *)t;
	struct backend_stats zero[dp->nr_cpus];

	memset(zero, 0, sizeof(zero));
	bpf_map_update_elem(dp->fd[TABLE_backend_stats], &backend, zero, 0);
}

static int refuse_size(enum table_id id, __u32 entries, __u32 others)
{
	log_error(0, "map \"%s\" has %u entries, where others that belong to "
		  "it have %u", table_rows[id].name, entries, others);
	log_hint("\"fairlead cleanup\" removes them; until a daemon serves "
		 "again, nothing is balanced");
	return -EPROTO;
}

/* Maps that are measured by one size are as large as one another: what is
 * written by an index of one must fit the others. */
static int read_sizes(struct dp *dp)
{
	struct table_sizes sizes = {};
	__u32 entries, *size;
	int err;

	for (int id = 0; id < NR_TABLES; id++) {
		size = table_size_at(&sizes, table_rows[id].size);
		if (!size)
			continue;
		err = dp_map_entries(dp->fd[id], &entries);
		if (err)
			return log_error(err, "cannot read about map \"%s\"",
					 table_rows[id].name);
		if (*size && *size != entries)
			return refuse_size(id, entries, *size);
		*size = entries;
	}
#define X(name, field, by_default) dp->tables.field = sizes.name;
	TABLE_SIZES(X)
#undef X
	return 0;
}

static int fill_memory(struct dp *dp)
{
	struct tables *t = &dp->tables;
	enum table_id id;

#define FILL_CALLS(name)
#define FILL_WINDOW(name) t->name = window_##name;
#define FILL_WHOLE(name)						\
	id = TABLE_##name;						\
	t->name = map_whole(dp, id);					\
	if (!t->name)							\
		goto fail;
#define X(name, of, size, reach, growth) FILL_##reach(name)
	TABLES(X)
#undef X
	return 0;
fail:
	return log_error(-errno, "cannot map \"%s\"", table_rows[id].name);
}

int dp_map_fill_tables(struct dp *dp)
{
	int err;

	dp->tables = (struct tables){
		.hash_key = dp->hash_key,
		.entry_set = entry_set,
		.entry_del = entry_del,
		.entries_each = entries_each,
		.settle = settle,
		.backend_stats_reset = backend_stats_reset,
	};
	err = read_sizes(dp);
	return err ? err : fill_memory(dp);
}

void dp_map_release(struct dp *dp)
{
	for (int id = 0; id < NR_TABLES; id++)
		memory_release(&dp->memory[id]);
}

struct tables *dp_tables(struct dp *dp)
{
	return &dp->tables;
}

int dp_counters(struct dp *dp, struct counter ret[static NR_REASONS])
{
	struct counter per_cpu[dp->nr_cpus];

	for (__u32 why = 0; why < NR_REASONS; why++) {
		ret[why] = (struct counter){};
		if (bpf_map_lookup_elem(dp->fd[TABLE_counters], &why,
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

		if (bpf_map_lookup_elem(dp->fd[TABLE_backend_stats], &key,
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

int dp_conn_stats(struct dp *dp, struct conn_stats *ret)
{
	struct conn_stats per_cpu[dp->nr_cpus];
	const __u32 zero = 0;

	if (bpf_map_lookup_elem(dp->fd[TABLE_conn_stats], &zero, per_cpu))
		return log_error(-errno, "cannot read statistics of "
				 "connections");
	*ret = (struct conn_stats){};
	for (int cpu = 0; cpu < dp->nr_cpus; cpu++)
		ret->evicted += per_cpu[cpu].evicted;
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

	_Static_assert(NR_TABLES <= DP_MAPS_MAX, "room for every map");
	for (int id = 0; id < NR_TABLES; id++) {
		err = map_info(dp->fd[id], &info);
		if (err)
			return log_error(err, "cannot read about map \"%s\"",
					 table_rows[id].name);
		snprintf(ret[id].name, sizeof(ret[id].name), "%s",
			 table_rows[id].name);
		ret[id].size = table_rows[id].size;
		ret[id].entries = info.max_entries;
		ret[id].entry_bytes = info.key_size + info.value_size;
		if (info.type == BPF_MAP_TYPE_PERCPU_ARRAY)
			ret[id].entry_bytes = info.key_size +
					      info.value_size * dp->nr_cpus;
		ret[id].bytes = map_bytes(dp->fd[id]);
	}
	return NR_TABLES;
}

int dp_udp_peer(const struct dp *dp, __u64 cookie, struct socket_peer *ret)
{
	return bpf_map_lookup_elem(dp->fd[TABLE_udp_peers], &cookie, ret) ?
		       -errno : 0;
}

int dp_socket_pod_set(struct dp *dp, __u64 cookie, const struct socket_pod *pod)
{
	return bpf_map_update_elem(dp->fd[TABLE_socket_pods], &cookie, pod,
				   BPF_ANY) ? -errno : 0;
}

/* What is asked for is what follows the last that was kept: one that goes has
 * none. */
void dp_socket_pods_sift(struct dp *dp, bool (*keep)(void *arg, __u64 cookie),
			 void *arg)
{
	const int fd = dp->fd[TABLE_socket_pods];
	__u64 last, cookie;
	bool has_last = false;

	for (int i = 0; i < 2 * SOCKET_PODS_MAX; i++) {
		if (bpf_map_get_next_key(fd, has_last ? &last : NULL, &cookie))
			return;
		if (keep(arg, cookie)) {
			last = cookie;
			has_last = true;
		} else {
			bpf_map_delete_elem(fd, &cookie);
		}
	}
}
