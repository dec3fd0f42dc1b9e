// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What this kernel has, found out by trying once. Nothing of it is needed:
 * each row says what happens without.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "compat.h"
#include "dp_private.h"

/* A program that returns ret and does nothing else. */
static int program_that_returns(enum bpf_prog_type type, int ret)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0,
		  .imm = ret },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(type, "fl_probe", "GPL", insns, 2, NULL);
}

/* Links on an interface that cannot be: which errno comes says what failed. */
static bool has_tcx(void)
{
	int prog = program_that_returns(BPF_PROG_TYPE_SCHED_CLS, -1), link;
	bool has = false;

	if (prog < 0)
		return false;
	link = bpf_link_create(prog, 0x7fffffff, COMPAT_TCX_INGRESS, NULL);
	has = link >= 0 || errno == ENODEV;
	if (link >= 0)
		close(link);
	close(prog);
	return has;
}

static bool has_xdp_link(void)
{
	int prog = program_that_returns(BPF_PROG_TYPE_XDP, XDP_PASS), link;
	bool has;

	if (prog < 0)
		return false;
	link = bpf_link_create(prog, 0x7fffffff, BPF_XDP, NULL);
	has = link >= 0 || errno == ENODEV || errno == EINVAL;
	if (link >= 0)
		close(link);
	close(prog);
	return has;
}

static bool has_live_frames(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.repeat = 1,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
	);
	__u8 frame[64] = {};
	int prog = program_that_returns(BPF_PROG_TYPE_XDP, XDP_DROP);
	bool has;

	if (prog < 0)
		return false;
	opts.data_in = frame;
	opts.data_size_in = sizeof(frame);
	has = !bpf_prog_test_run_opts(prog, &opts);
	close(prog);
	return has;
}

/* A trampoline into a kernel function: what freplace needs as well. */
static bool has_trampolines(void)
{
	return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_TRACING, NULL) > 0 &&
	       compat_has_fentry();
}

int dp_features(struct dp_feature ret[static DP_FEATURES_MAX])
{
	const struct dp_feature all[] = {
		{ "xdp link", has_xdp_link(),
		  "nothing: fl_xdp cannot be attached" },
		{ "live frames", has_live_frames(),
		  "fragments that overtake their first one are lost" },
		{ "tcx", has_tcx(), "tc programs attach through clsact" },
		{ "freplace", has_trampolines(),
		  "XDP holds the interface alone, without a dispatcher" },
		{ "conntrack kfuncs",
		  compat_has_kfunc("bpf_skb_ct_lookup", "nf_conntrack") &&
		  compat_has_kfunc("bpf_xdp_ct_lookup", "nf_conntrack"),
		  "cannot keep the connections that kube-proxy began" },
	};
	int count = sizeof(all) / sizeof(*all);

	for (int i = 0; i < count; i++)
		ret[i] = all[i];
	return count;
}
