/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What becomes of a new connection, by the front end that it was made to and
 * by who makes it: traffic policies and masquerading as Kubernetes has them,
 * and the balancer at the edge, which has neither. Pure, once for all hooks;
 * what it decides stays for as long as the connection.
 */
#ifndef FAIRLEAD_DECIDE_H
#define FAIRLEAD_DECIDE_H

#include <stdbool.h>

#include <fairlead/config.h>
#include <fairlead/types.h>

#define DECIDE_INLINE static inline __attribute__((always_inline, unused))

/* Whose packets they are. */
enum origin {
	ORIGIN_POD,		/* a pod's; of this node, as far as one sees */
	ORIGIN_NODE,		/* an address of the node itself */
	ORIGIN_ELSEWHERE,
	ORIGIN_UNKNOWN,		/* a pod's, or from elsewhere: nothing tells */
	ORIGIN_TUNNEL,		/* from elsewhere, by way of another node, which
				 * has chosen an endpoint here */
};

/* Among which backends. */
enum backend_set {
	SET_CLUSTER,		/* struct service's slots */
	SET_LOCAL,		/* its local slots */
};

/* When may the backend see the client's address? */
enum snat {
	SNAT_HAIRPIN,		/* unless it is the backend's own */
	SNAT_ALWAYS,		/* if it is the host itself */
	SNAT_AWAY,		/* unless it is on another node */
};

struct decision {
	__u8 set;		/* enum backend_set */
	__u8 snat;		/* enum snat */
	bool drops;		/* if the set is empty: else rejects */
};

/* len: of struct addr. */
DECIDE_INLINE bool addr_is_under(const struct addr *a, const struct addr *net,
				 __u8 len)
{
	for (int i = 0; i < 4; i++) {
		int bits = len - 32 * i;
		__u32 mask = bits >= 32 ? ~0u :
			     bits <= 0  ? 0 : ~0u << (32 - bits);

		if ((a->word[i] ^ net->word[i]) & __constant_htonl(mask))
			return false;
	}
	return true;
}

/* hook: of whom the programs there are. A family that has no prefix of pods has
 * nothing to tell them by, unless interfaces do. */
DECIDE_INLINE enum origin decide_origin(const struct runtime *rt,
					enum origin hook,
					const struct addr *client)
{
	bool is4 = !client->word[0] && !client->word[1] &&
		   client->word[2] == __constant_htonl(0xffff);
	const struct addr *pods = is4 ? &rt->pods4 : &rt->pods6;
	__u8 len = is4 ? rt->pods4_len : rt->pods6_len;

	if (hook == ORIGIN_NODE || hook == ORIGIN_TUNNEL ||
	    rt->pods_by_interface)
		return hook;
	if (!len)
		return ORIGIN_UNKNOWN;
	return addr_is_under(client, pods, len) ? ORIGIN_POD : ORIGIN_ELSEWHERE;
}

DECIDE_INLINE struct decision decide_external(const struct service *e,
					      enum origin origin)
{
	bool is_local = e->flags & SERVICE_POLICY_LOCAL;
	bool is_here = origin == ORIGIN_POD || origin == ORIGIN_NODE;

	if (e->tunnel && !is_here)
		return (struct decision){ SET_CLUSTER, SNAT_AWAY, false };
	return (struct decision){
		.set = is_local && !is_here ? SET_LOCAL : SET_CLUSTER,
		.snat = is_local && origin != ORIGIN_NODE ? SNAT_HAIRPIN :
							    SNAT_ALWAYS,
	};
}

/* The node's own packets pass by the stack, from the node's address on the way
 * there, whether or not pods can be told. */
DECIDE_INLINE struct decision decide_cluster_ip(const struct service *e,
						enum origin origin)
{
	bool keeps = origin == ORIGIN_POD || origin == ORIGIN_UNKNOWN;

	return (struct decision){
		.set = e->flags & SERVICE_POLICY_LOCAL ? SET_LOCAL :
							 SET_CLUSTER,
		.snat = keeps ? SNAT_HAIRPIN : SNAT_ALWAYS,
	};
}

DECIDE_INLINE struct decision decide(const struct service *e,
				     enum origin origin)
{
	struct decision d = { .set = SET_CLUSTER, .snat = SNAT_ALWAYS };

	if (e->kind == KIND_EDGE)
		return d;
	if (origin == ORIGIN_TUNNEL)
		return (struct decision){ SET_LOCAL, SNAT_HAIRPIN, false };
	d = e->kind == KIND_CLUSTER_IP ? decide_cluster_ip(e, origin) :
					 decide_external(e, origin);
	if (e->flags & SERVICE_MASQUERADE)
		d.snat = SNAT_ALWAYS;
	d.drops = d.set == SET_LOCAL && e->flags & SERVICE_EMPTY_DROPS;
	return d;
}

/* Is a connection of client to b to come from an address of ours? Never to the
 * host itself, which takes what comes in from one of its addresses for forged,
 * and answers by way of itself. */
DECIDE_INLINE bool decision_snat(const struct decision *d,
				 const struct backend *b,
				 const struct addr *client)
{
	const __u64 *x = (const __u64 *)&b->addr, *y = (const __u64 *)client;

	if (b->flags & BACKEND_LOCAL)
		return false;
	return d->snat == SNAT_ALWAYS || (x[0] == y[0] && x[1] == y[1]) ||
	       (d->snat == SNAT_AWAY && !(b->flags & BACKEND_IN_LOCAL));
}

#endif
