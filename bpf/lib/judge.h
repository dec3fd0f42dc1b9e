/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is said of a flow that peers.h does not know to be allowed: who began it,
 * what the workload's target for that direction says, and that it is recorded.
 */
#ifndef FAIRLEAD_BPF_JUDGE_H
#define FAIRLEAD_BPF_JUDGE_H

#include "own.h"
#include "peers.h"
#include "policy.h"
#include "workload.h"

/* A packet that is dropped for what is not a rule's; flow as far as known. */
static __always_inline enum reason police_drop(struct scratch *s, __u32 rule,
					       enum reason why)
{
	s->police.target = 0;
	policy_report(&s->police, rule, s->police.direction,
		      POLICY_EVENT_DENIED);
	return why;
}

/* The other end of l's flow: its address. */
static __always_inline const struct addr *police_peer(const struct police *l)
{
	return l->direction == POLICY_OUT ? &l->flow.dst : &l->flow.src;
}

/* As if the flow ran so: does the workload's own policy allow it? */
static __always_inline bool police_allows(struct police *l, bool is_reply,
					  __u32 peer)
{
	__be16 port = is_reply ? l->flow.sport : l->flow.dport;
	__u32 target;

	l->is_reply = is_reply;
	target = peers_slot(l) ? (__u32)l->targets : l->targets >> 32;
	l->target = 0;
	l->rule = l->audited = POLICY_NO_RULE;
	return !target ||
	       policy_allows(l, target, peer,
			     policy_port_index(l->flow.proto,
					       bpf_ntohs(port)));
}

/* Does a packet of l's protocol say whether it begins something? Of others,
 * datagrams say, any may. */
static __always_inline bool police_says(const struct police *l)
{
	return l->flow.proto == IPPROTO_TCP || l->flow.proto == IPPROTO_SCTP;
}

/* What is under way, and older than the policy, may have begun at either end. */
static __always_inline bool police_adopts(const struct police *l)
{
	const struct workload *w = workload_at(l->index);

	return w && w->adopt_until_s && police_says(l) && !l->opens &&
	       !l->is_known &&
	       !l->is_lone &&
	       (__s32)(READ_ONCE(w->adopt_until_s) - now_s()) > 0;
}

/* Linux takes a client's port from 32768 on, IANA's begin at 49152. */
static __always_inline bool port_is_clients(__be16 port)
{
	return port & bpf_htons(0x8000);
}

/* What is adopted began at the end whose port is a client's. False: both are, or
 * neither, and l is as it was. */
static __always_inline bool police_guesses(struct police *l)
{
	const bool is_clients = port_is_clients(l->flow.sport);
	const bool is_servers = port_is_clients(l->flow.dport);

	if (is_clients == is_servers)
		return false;
	l->is_reply = is_servers;
	return true;
}

/* Self, and who is on its host. A source may be forged: what the host sends was
 * known by where it came from, and so is what comes back to who sent it, but
 * for what NAT knows the client of. */
static __always_inline bool police_is_free(const struct police *l, __u32 peer)
{
	const struct workload *w = workload_at(l->index);

	if (l->direction == POLICY_OUT && peer & PEER_HOST)
		return true;
	return (l->direction == POLICY_OUT || l->is_real) && w &&
	       workload_has(w, police_peer(l));
}

/*
 * A datagram that seems to answer what this workload was never asked about, or
 * refused: the other end uses the same ports, and was recorded as the client,
 * for no better reason than that it spoke first. May the workload, or who
 * speaks to it, do so himself?
 */
static __always_inline bool police_allows_itself(struct police *l, __u32 peer)
{
	bool allowed;

	if (!l->is_known || !l->is_unasked || !l->is_reply || police_says(l))
		return false;
	allowed = police_allows(l, false, peer);
	if (!allowed)	/* it is refused for what it seems to be */
		police_allows(l, true, peer);
	return allowed;
}

/* l's flow is neither known nor free. Is it allowed? */
__global int police_decides(struct police *l)
{
	enum policy_direction direction;
	bool allowed, is_either, was_reply;
	__u32 peer, flags, rule;

	if (!l)
		return false;
	peer = policy_peer(police_peer(l));
	if (police_is_free(l, peer))
		return true;
	is_either = police_adopts(l) && !police_guesses(l);
	was_reply = l->is_known && l->is_reply;
	allowed = police_allows(l, l->is_reply, peer) ||
		  police_allows_itself(l, peer);
	if (!allowed && is_either) {
		allowed = police_allows(l, true, peer);
		if (!allowed)	/* it is refused for what it seems to be */
			police_allows(l, false, peer);
	}
	direction = peers_slot(l) ? POLICY_IN : POLICY_OUT;
	l->is_reply |= was_reply;	/* as it is recorded */
	rule = l->rule;
	flags = (allowed ? 0 : POLICY_EVENT_DENIED) |
		(l->is_known ? POLICY_EVENT_LIVE : 0);
	policy_report(l, rule, direction, flags);
	if (allowed && l->audited != POLICY_NO_RULE)
		policy_report(l, l->audited, direction,
			      flags | POLICY_EVENT_AUDIT);
	return allowed;
}

/* Nothing but the host. */
static __always_inline enum reason police_closed(struct scratch *s)
{
	const struct police *l = &s->police;

	return l->direction == POLICY_OUT &&
			       policy_peer(&l->flow.dst) & PEER_HOST ?
		       REASON_NONE :
		       police_drop(s, POLICY_UNKNOWN, REASON_CLOSED);
}

/* A flow to the workload from an address of ours is known by the real one; or
 * by it, an error about one. */
static __always_inline bool police_knows_real(const struct pkt *p,
					      struct police *l)
{
	const struct runtime *rt = map_only(runtime);
	const struct addr *src = &l->flow.src;
	const __u8 class = rt && rt->has_prefixes ? VIP_PREFIXES : 0;
	int state;

	if (l->direction != POLICY_IN || l->is_known ||
	    !is_own(src, hash_src(hash_key, src), class) || !peers_real(l))
		return false;
	l->is_real = true;
	state = peers_find(p, l);
	l->is_known = state == PEERS_STALE;
	return state == PEERS_KNOWN;
}

/* An error about nothing that is known is as any other packet between those
 * whose addresses it has. */
static __always_inline void police_outer(struct scratch *s)
{
	struct police *l = &s->police;

	l->flow.src = l->outer_src;
	l->flow.dst = l->outer_dst;
	l->flow.sport = l->flow.dport = 0;
	l->flow.proto = l->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	l->is_reply = false;
}

/* Does the workload begin a connection? What is under way, and not known any
 * more, is none. */
static __always_inline bool police_begins(const struct police *l)
{
	return !l->is_known && !peers_slot(l) &&
	       (l->opens || !police_says(l));
}

/* An error about a size that need not be about anything known: a router's. */
static __always_inline bool police_is_size(const struct police *l)
{
	return l->is_size && (l->direction == POLICY_IN ||
			      l->flags & WORKLOAD_SPOOFS);
}

/* REASON_NONE: the packet in s, of a flow that is not known to be allowed,
 * goes on. */
static __always_inline enum reason police_verdict(struct scratch *s)
{
	struct police *l = &s->police;

	if (l->flags & WORKLOAD_CLOSED)
		return police_closed(s);
	if (police_knows_real(&s->pkt, l) || police_is_size(l))
		return REASON_NONE;
	if (s->pkt.is_error)
		police_outer(s);
	if (!police_decides(l))
		return REASON_POLICY;
	if (l->is_lone)
		return REASON_NONE;
	if (police_begins(l) && !workload_may_begin(l->index))
		return police_drop(s, POLICY_LIMITED, REASON_WORKLOAD_LIMIT);
	peers_record(&s->pkt, l);
	return REASON_NONE;
}

#endif
