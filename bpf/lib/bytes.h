/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copies out of and into a packet, where no pointer to it is needed: one code
 * for XDP and tc, whose helpers differ in their names alone. */
#ifndef FAIRLEAD_BPF_BYTES_H
#define FAIRLEAD_BPF_BYTES_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum hook { HOOK_XDP, HOOK_TC };

/* A packet by its context. */
struct bytes {
	void *ctx;
	enum hook hook;		/* a constant wherever one is made */
};

static __always_inline long bytes_load(const struct bytes *in, __u32 at,
				       void *to, __u32 len)
{
	return in->hook == HOOK_XDP ?
		       bpf_xdp_load_bytes(in->ctx, at, to, len) :
		       bpf_skb_load_bytes(in->ctx, at, to, len);
}

static __always_inline long bytes_store(const struct bytes *in, __u32 at,
					void *from, __u32 len)
{
	return in->hook == HOOK_XDP ?
		       bpf_xdp_store_bytes(in->ctx, at, from, len) :
		       bpf_skb_store_bytes(in->ctx, at, from, len, 0);
}

/* The packet becomes len bytes long, at its end: zeros, if it grows. */
static __always_inline long bytes_resize(const struct bytes *in, __u32 was,
					 __u32 len)
{
	return in->hook == HOOK_XDP ?
		       bpf_xdp_adjust_tail(in->ctx, (int)len - (int)was) :
		       bpf_skb_change_tail(in->ctx, len, 0);
}

#endif
