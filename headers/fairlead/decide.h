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

#include <fairlead/types.h>

#define DECIDE_INLINE static inline __attribute__((always_inline, unused))

/* Whose packets they are. Where nothing tells pods from others, to cluster IPs
 * all are pods, and to the rest none is. */
enum origin {
	ORIGIN_POD,		/* of this node */
	ORIGIN_NODE,		/* an address of the node itself */
	ORIGIN_ELSEWHERE,
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
};

struct decision {
	__u8 set;		/* enum backend_set */
	__u8 snat;		/* enum snat */
	bool drops;		/* if the set is empty: else rejects */
};

DECIDE_INLINE struct decision decide_external(const struct service *e,
					      enum origin origin)
{
	bool is_local = e->flags & SERVICE_POLICY_LOCAL;

	return (struct decision){
		.set = is_local && origin == ORIGIN_ELSEWHERE ? SET_LOCAL :
								SET_CLUSTER,
		.snat = is_local && origin != ORIGIN_NODE ? SNAT_HAIRPIN :
							    SNAT_ALWAYS,
	};
}

DECIDE_INLINE struct decision decide_cluster_ip(const struct service *e,
						enum origin origin)
{
	return (struct decision){
		.set = e->flags & SERVICE_POLICY_LOCAL ? SET_LOCAL :
							 SET_CLUSTER,
		.snat = origin == ORIGIN_POD ? SNAT_HAIRPIN : SNAT_ALWAYS,
	};
}

DECIDE_INLINE struct decision decide(const struct service *e,
				     enum origin origin)
{
	struct decision d = { .set = SET_CLUSTER, .snat = SNAT_ALWAYS };

	if (e->kind == KIND_EDGE)
		return d;
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
	return d->snat != SNAT_HAIRPIN || (x[0] == y[0] && x[1] == y[1]);
}

#endif
