/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From one program to the next, of XDP or of tc. A tail call takes a fresh
 * stack and leaves nothing behind but the packet. What is known of it is in
 * scratch all the time (struct pkt); pointers into the packet are made anew
 * (frame_again()).
 *
 * All of this is inlined into the main program: a tail call from a function of
 * its own would limit the stack to 256 bytes and slow down every call. The
 * place in the array is a constant, which the JIT makes a jump of.
 */
#ifndef FAIRLEAD_BPF_GO_ON_H
#define FAIRLEAD_BPF_GO_ON_H

#include <fairlead/programs.h>

#include "maps.h"
#include "parse.h"

/* By user/, before a link leads here. Two for each load of the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NR_XDP_PLACES);
	__type(key, __u32);
	__type(value, __u32);
} xdp_programs __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NR_TC_PLACES);
	__type(key, __u32);
	__type(value, __u32);
} tc_programs __weak SEC(".maps");

/* These return only if there is no such program. */
static __always_inline enum reason go_on(struct xdp_md *ctx,
					 const enum xdp_program program)
{
	bpf_tail_call_static(ctx, &xdp_programs, program);
	return REASON_NO_PROGRAM;
}

static __always_inline enum reason go_on_tc(struct __sk_buff *skb,
					    const enum tc_program program)
{
	bpf_tail_call_static(skb, &tc_programs, program);
	return REASON_NO_PROGRAM;
}

/* A reply that conns does not know may be known to those that these programs
 * replace, while a larger table takes over from theirs; what would be opened is
 * asked of them by their first program in the place of xdp_open and tc_open.
 * These return if there are none. */
static __always_inline void ask_older(struct xdp_md *ctx)
{
	bpf_tail_call_static(ctx, &xdp_programs, XDP_PROGRAM_OLDER);
}

static __always_inline void ask_older_tc(struct __sk_buff *skb)
{
	bpf_tail_call_static(skb, &tc_programs, TC_PROGRAM_OLDER);
}

/* The same of a flow of a workload that is policed, which begins no more. */
static __always_inline void ask_older_police(struct __sk_buff *skb)
{
	bpf_tail_call_static(skb, &tc_programs, TC_PROGRAM_OLDER_POLICE);
}

/* A connection of TCP that conns does not know, and that does not begin, may be
 * one of a proxy that was here before. These return if nobody asks. */
static __always_inline bool may_be_taken_over(const struct pkt *p)
{
	return p->flow.proto == IPPROTO_TCP && !p->opens;
}

static __always_inline void ask_takeover(struct xdp_md *ctx,
					 const struct pkt *p)
{
	if (may_be_taken_over(p))
		bpf_tail_call_static(ctx, &xdp_programs, XDP_PROGRAM_TAKEOVER);
}

static __always_inline void ask_takeover_tc(struct __sk_buff *skb,
					    const struct pkt *p)
{
	if (may_be_taken_over(p))
		bpf_tail_call_static(skb, &tc_programs, TC_PROGRAM_TAKEOVER);
}

#endif
