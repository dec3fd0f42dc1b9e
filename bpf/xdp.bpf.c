// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What comes in on an uplink. fl_xdp sends strangers on their way; a packet of
 * ours goes to the program of its family (fl_xdp4, fl_xdp6), and from there to
 * others only if it is an answer's turn, an ICMP error about a NAT connection,
 * or the first packet of what is to be recorded: a NAT connection, one that is
 * tracked, a fragmented packet.
 *
 * What a packet costs: the reads of memory that depend on one another, each a
 * cache miss where there are many flows and backends, and what it reads
 * besides, which all packets share.
 *   stranger                vip_filter; runtime
 *   a node's own port       vip_filter; runtime, port_filter; so do answers to
 *                           NAT there read that
 *   each one of ours        vip_filter; runtime, ingress, links, and scratch
 *                           once in each program
 *   tunnel, l2, settled     and cells, services, slots, backends; own_filter
 *   the same, tracked       and conns: heads and record are read at once
 *   nat, client             and conns, backends; nat_addrs
 *   nat, backend            and replies, conns
 *   nat, new                and conns, cells, services, slots, backends, then a
 *                           record and a cell, of a few stores each
 *   a service with sources  and 1 look-up in a trie of the kernel
 * Who counts reads counters, and backend_stats, which nothing waits for.
 * All of these are arrays: a look-up is an address computation, but that of a
 * per-CPU array (scratch and the statistics) is a call on kernels before 6.10.
 * Helpers: bpf_xdp_adjust_head() for tunnels, bpf_redirect() where a packet
 * leaves by another interface; no hash map of the kernel, no FIB look-up, no
 * clock but jiffies. Each other program is 1 jump (1 to 2 ns).
 * Of a packet of one hot flow by l2 over IPv4 (49 ns), what does not serve to
 * send it: whether the frame is for this host takes 2 ns, whether it claims to
 * come from an address of ours 1, the jump to the family's program and what is
 * kept in scratch for it 2. No memory that they read waits for another's, so it
 * is their instructions that cost: more of these do.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/balance.h"
#include "lib/finish_xdp.h"

/* What is known of a stranger is not worth the stores to scratch. */
SEC("xdp")
int fl_xdp(struct xdp_md *ctx)
{
	struct pkt p = {};
	struct frame f = { .pkt = &p };
	enum reason why = classify(ctx, &f);

	return finish_xdp(ctx, &p, why);
}

/* decide: an expression of ctx and s. leave: finish_xdp(), or more. */
#define PROGRAM(name, leave, decide)					\
	SEC("xdp") int name(struct xdp_md *ctx)				\
	{								\
		struct scratch *s = map_only(scratch);			\
									\
		return s ? leave(ctx, &s->pkt, decide) : XDP_DROP;	\
	}

/* As FAIRLEAD_XDP_PROGRAMS has them; each is of one family if that is a
 * constant. */
#define PROGRAMS(prefix, leave)						\
	PROGRAM(prefix##xdp4, leave, balance(ctx, s, false))		\
	PROGRAM(prefix##xdp6, leave, balance(ctx, s, true))		\
	PROGRAM(prefix##xdp_answer4, leave, answer_reply(ctx, s, false)) \
	PROGRAM(prefix##xdp_answer6, leave, answer_reply(ctx, s, true))	\
	PROGRAM(prefix##xdp_icmp4, leave, nat_send_icmp(ctx, s, false))	\
	PROGRAM(prefix##xdp_icmp6, leave, nat_send_icmp(ctx, s, true))	\
	PROGRAM(prefix##xdp_error4, leave, take_tunnel_error(ctx, s, false)) \
	PROGRAM(prefix##xdp_error6, leave, take_tunnel_error(ctx, s, true)) \
	PROGRAM(prefix##xdp_open, leave, open_or_ask(ctx, s))		\
	PROGRAM(prefix##xdp_again, leave, send_or(ctx, s, open_again(s))) \
	PROGRAM(prefix##xdp_send4, leave, send_opened(ctx, s, false))	\
	PROGRAM(prefix##xdp_send6, leave, send_opened(ctx, s, true))	\
	PROGRAM(prefix##xdp_fragment, leave, remember_fragment(ctx, s))

PROGRAMS(fl_, finish_xdp)

char _license[] SEC("license") = "Dual BSD/GPL";
