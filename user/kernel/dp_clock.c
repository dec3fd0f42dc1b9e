// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How long a jiffy is. The programs read time from jiffies, as that costs no
 * helper call; the kernel tells nobody its HZ, so it is measured.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dp_private.h"
#include "base/log.h"
#include "base/cleanup.h"

#define SAMPLE_NS 40000000	/* apart: 4 jiffies at the slowest HZ */

struct sample {
	__u64 jiffies;
	__u64 ns;
};

static int clock_sample(int fd, struct sample *ret)
{
	__u64 data[8] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = data,
		.data_out = data,
		.data_size_in = sizeof(data),
		.data_size_out = sizeof(data),
	);

	if (bpf_prog_test_run_opts(fd, &opts))
		return -errno;
	*ret = (struct sample){ data[0], data[1] };
	return 0;
}

/* The sample that is the first of its jiffy. */
static int clock_edge(int fd, struct sample *ret)
{
	struct sample now;
	int err = clock_sample(fd, &now);

	for (ret->jiffies = now.jiffies; !err && now.jiffies == ret->jiffies;)
		err = clock_sample(fd, &now);
	*ret = now;
	return err;
}

static __u64 nearest_hz(__u64 jiffies, __u64 ns)
{
	static const __u64 usual[] = { 100, 250, 300, 1000 };
	__u64 hz = (jiffies * 1000000000ull + ns / 2) / ns;

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (llabs((long long)(usual[i] - hz)) * 20 <
		    (long long)usual[i])
			return usual[i];
	return hz ? hz : 1;
}

static void clock_freep(struct fairlead_bpf **skel)
{
	fairlead_bpf__destroy(*skel);
}

int dp_clock(__u64 *ret_hz, __u64 *ret_start)
{
	__cleanup(clock_freep) struct fairlead_bpf *skel = NULL;
	const struct timespec apart = { .tv_nsec = SAMPLE_NS };
	struct bpf_program *prog;
	struct sample a, b;
	int err, fd;

	skel = fairlead_bpf__open();
	if (!skel)
		return -errno;
	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, prog == skel->progs.fl_clock);
	err = fairlead_bpf__load(skel);
	if (err)
		return err;
	fd = bpf_program__fd(skel->progs.fl_clock);
	err = clock_edge(fd, &a);
	if (err)
		return err;
	nanosleep(&apart, NULL);
	err = clock_edge(fd, &b);
	if (err)
		return err;
	*ret_hz = nearest_hz(b.jiffies - a.jiffies, b.ns - a.ns);
	*ret_start = b.jiffies - b.ns * *ret_hz / 1000000000ull;
	return 0;
}

__u32 dp_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}
