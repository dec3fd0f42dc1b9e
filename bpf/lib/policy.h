/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a target's rules say of a new connection, and who is told of it.
 *
 * It costs a look-up of the peer's address (hash; of who is no workload a trie
 * after it), and of the target, its peers' and its ports' rules (a hash each);
 * and one to count. How many rules, policies and workloads there are, it costs
 * nothing.
 */
#ifndef FAIRLEAD_BPF_POLICY_H
#define FAIRLEAD_BPF_POLICY_H

#include <fairlead/policy.h>

#include "conn.h"
#include "maps.h"
#include "parse.h"
#include "scratch.h"

/* Class and enum peer_flag of an address. */
__global __u32 policy_peer(const struct addr *a)
{
	struct prefix_key key = { .len = 128 };
	const __u32 *peer;

	if (!a)
		return 0;
	key.addr = *a;
	peer = bpf_map_lookup_elem(&peers, &key.addr);
	if (!peer)
		peer = bpf_map_lookup_elem(&peer_prefixes, &key);
	return peer ? *peer : 0;
}

/* policy_first(), apart for the verifier's sake. */
__global __u32 policy_next(const struct rule_mask *rules,
			   const struct rule_mask *skip, __u32 words,
			   __u32 first)
{
	return rules && skip ? policy_first(rules, skip, words, first) :
			       POLICY_NO_RULE;
}

static __always_inline bool mask_has(const struct rule_mask *m, __u32 rule)
{
	return rule < POLICY_RULES_MAX &&
	       m->word[rule / 64 & (POLICY_WORDS - 1)] >> (rule & 63) & 1;
}

/* The rules of t that by_peer and by_port, which may be NULL, are in: l->rules,
 * as many words as t has. Is one of them audited? */
static __always_inline bool policy_match(struct police *l,
					 const struct target *t, __u32 peer,
					 const struct rule_mask *by_peer,
					 const struct rule_mask *by_port)
{
	__u64 audited = 0;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < POLICY_WORDS && i < t->words; i++) {
		__u64 who = t->peer_any.word[i], what = t->port_any.word[i];

		if (peer & PEER_POD)
			who |= t->peer_pod.word[i];
		if (by_peer)
			who |= by_peer->word[i];
		if (by_port)
			what |= by_port->word[i];
		l->rules.word[i] = who & what;
		audited |= who & what & t->audit.word[i];
	}
	return audited;
}

/* The rules that port, an index as policy_port_index() has it, is in. */
static __always_inline const struct rule_mask *policy_port(__u32 target,
							   __u32 port)
{
	const struct port_classes *classes = map_only(port_classes);
	struct mask_key key = { .target = target };

	if (!classes || port >= PORT_CLASSES)
		return NULL;
	key.class = port_class_key(port >> 16, READ_ONCE(classes->class[port]));
	return bpf_map_lookup_elem(&port_masks, &key);
}

/* The one that decides, but for those in skip. */
static __always_inline __u32 policy_decides(const struct police *l,
					    const struct target *t,
					    const struct rule_mask *skip)
{
	__u32 rule = policy_next(&l->rules, skip, t->words, 0);

	return mask_has(&t->pass, rule) ?
		       policy_next(&l->rules, skip, t->words, t->network) :
		       rule;
}

/*
 * What target says of who is peer (policy_peer()) at a port: l->rule, and
 * l->audited, which would have denied it were it in force. A target that is not
 * there is one that nobody may pass. Returns whether it is allowed.
 */
__global int policy_allows(struct police *l, __u32 target, __u32 peer,
			   __u32 port)
{
	struct mask_key key = { target, peer & PEER_CLASS_MASK };
	const struct target *t;
	bool is_audited;

	if (!l)
		return false;
	l->target = target;
	l->audited = POLICY_NO_RULE;
	l->rule = POLICY_UNKNOWN;
	t = bpf_map_lookup_elem(&targets, &target);
	if (!t)
		return false;
	is_audited = policy_match(l, t, peer,
				  bpf_map_lookup_elem(&peer_masks, &key),
				  policy_port(target, port));
	l->rule = policy_decides(l, t, &t->audit);
	if (mask_has(&t->deny, l->rule))
		return false;
	if (!is_audited)
		return true;
	l->audited = policy_decides(l, t, &l->nothing);
	if (!mask_has(&t->deny, l->audited))
		l->audited = POLICY_NO_RULE;
	return true;
}

/* Where there is no room, it is not counted. */
__global int policy_count(__u32 target, __u32 rule, __u32 direction,
			  __u32 denied)
{
	struct hit_key key = {
		.target = target, .rule = rule, .denied = denied,
		.direction = direction,
	};
	__u64 *count = bpf_map_lookup_elem(&policy_hits, &key), one = 1;

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&policy_hits, &key, &one, BPF_NOEXIST);
	return 0;
}

/* flags: enum policy_event_flag. */
__global int policy_tell(const struct police *l, __u32 rule, __u32 direction,
			 __u32 flags)
{
	const struct runtime *rt = map_only(runtime);
	struct policy_event *e;

	if (!l || !rt || !rt->policy_events ||
	    (rt->policy_events == POLICY_EVENTS_DENIED &&
	     !(flags & (POLICY_EVENT_DENIED | POLICY_EVENT_AUDIT))))
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return 0;
	e->time_ns = bpf_ktime_get_ns();
	e->flow = l->flow;
	e->workload = l->index;
	e->ifindex = l->ifindex;
	e->target = l->target;
	e->rule = rule;
	e->direction = direction;
	e->flags = flags;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/* One verdict, to who counts and who listens. */
static __always_inline void policy_report(const struct police *l, __u32 rule,
					  __u32 direction, __u32 flags)
{
	if (l->target || rule < POLICY_NO_RULE)
		policy_count(l->target, rule, direction,
			     !!(flags & (POLICY_EVENT_DENIED |
					 POLICY_EVENT_AUDIT)));
	policy_tell(l, rule, direction, flags);
}

#endif
