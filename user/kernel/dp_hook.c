// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The list of DP_HOOKS as data, and where each has its pins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "compat.h"
#include "dp_private.h"

#define KIND_XDP .kind = &dp_kind_xdp
#define KIND_TC_IN .kind = &dp_kind_tc, .point = COMPAT_TCX_INGRESS
#define KIND_TC_OUT .kind = &dp_kind_tc, .point = COMPAT_TCX_EGRESS
#define KIND_CGROUP(point_) .kind = &dp_kind_cgroup, .point = point_
#define KIND_CONNECT4 KIND_CGROUP(BPF_CGROUP_INET4_CONNECT)
#define KIND_CONNECT6 KIND_CGROUP(BPF_CGROUP_INET6_CONNECT)
#define KIND_SENDMSG4 KIND_CGROUP(BPF_CGROUP_UDP4_SENDMSG)
#define KIND_SENDMSG6 KIND_CGROUP(BPF_CGROUP_UDP6_SENDMSG)
#define KIND_RECVMSG4 KIND_CGROUP(BPF_CGROUP_UDP4_RECVMSG)
#define KIND_RECVMSG6 KIND_CGROUP(BPF_CGROUP_UDP6_RECVMSG)
#define KIND_GETPEERNAME4 KIND_CGROUP(BPF_CGROUP_INET4_GETPEERNAME)
#define KIND_GETPEERNAME6 KIND_CGROUP(BPF_CGROUP_INET6_GETPEERNAME)

const struct dp_hook_row dp_hook_rows[NR_DP_HOOKS] = {
#define X(name, kind_, rank_, need_)					\
	[DP_HOOK_##name] = {						\
		.program = #name,					\
		.rank = rank_,						\
		.need = DP_NEED_##need_,				\
		KIND_##kind_,						\
	},
	DP_HOOKS(X)
#undef X
};

const char *dp_hook_name(enum dp_hook hook)
{
	return dp_hook_rows[hook].program;
}

enum dp_need dp_hook_need(enum dp_hook hook)
{
	return dp_hook_rows[hook].need;
}

void dp_point_at(const char *dir, enum dp_hook hook, __u32 ifindex,
		 struct dp_point *ret)
{
	const struct dp_hook_row *row = &dp_hook_rows[hook];

	ret->hook = row;
	ret->ifindex = ifindex;
	ret->cgroup = -1;
	snprintf(ret->link, sizeof(ret->link), "%s/%s_link_%u", dir,
		 row->program, ifindex);
	snprintf(ret->other, sizeof(ret->other), "%s/%s_%s_%u", dir,
		 row->program, row->kind->other, ifindex);
}

/* The number at the end of a name that begins so; 0: it is none. */
static __u32 number_after(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) ? 0 : strtoul(name + len, NULL, 10);
}

static __u32 is_pin_of(const char *name, enum dp_hook hook)
{
	const struct dp_hook_row *row = &dp_hook_rows[hook];
	char prefix[64];
	__u32 ret;

	snprintf(prefix, sizeof(prefix), "%s_link_", row->program);
	ret = number_after(name, prefix);
	if (ret)
		return ret;
	snprintf(prefix, sizeof(prefix), "%s_%s_", row->program,
		 row->kind->other);
	return number_after(name, prefix);
}

bool dp_point_of_pin(const char *dir, const char *name, struct dp_point *ret)
{
	__u32 ifindex;

	for (int hook = 0; hook < NR_DP_HOOKS; hook++) {
		ifindex = is_pin_of(name, hook);
		if (!ifindex)
			continue;
		dp_point_at(dir, hook, ifindex, ret);
		return true;
	}
	return false;
}

/* What ABI 1 called those pins with which more has to go than the pin. */
bool dp_point_of_abi1(const char *dir, const char *name, struct dp_point *ret)
{
	static const struct {
		const char *prefix;
		enum dp_hook hook;
	} known[] = {
		{ "xdp_entry_", DP_HOOK_fl_xdp },
		{ "clsact_in_", DP_HOOK_fl_decap_tc },
		{ "clsact_out_", DP_HOOK_fl_uplink_out },
	};
	__u32 ifindex;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		ifindex = number_after(name, known[i].prefix);
		if (!ifindex)
			continue;
		dp_point_at(dir, known[i].hook, ifindex, ret);
		snprintf(ret->other, sizeof(ret->other), "%s/%s", dir, name);
		return true;
	}
	return false;
}
