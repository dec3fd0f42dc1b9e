/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All that a kube-proxy which does not run any more has left on this host: its
 * rules, of iptables and nftables, sets, and its IPVS mode's things. Nobody
 * else's is touched, the kubelet's neither.
 */
#ifndef FAIRLEAD_LEFTOVERS_H
#define FAIRLEAD_LEFTOVERS_H

#include <stdbool.h>
#include <stdio.h>

struct leftovers;

/* Look. said has a line for what could not be looked at. -errno. */
int leftovers_find(FILE *said, struct leftovers **ret);
void leftovers_free(struct leftovers *l);	/* NULL is fine */
void leftovers_freep(struct leftovers **l);

bool leftovers_are_any(const struct leftovers *l);

/* A line for each of them, and for what has to stay. */
void leftovers_list(const struct leftovers *l, FILE *out);

/* Remove them; said has a line for what could not be. -errno of the first. */
int leftovers_remove(struct leftovers *l, FILE *said);

/* What rules are in force that concern who serves a node. */
struct leftovers_seen {
	bool in_force;		/* kube-proxy's, which take services' packets */
	bool forward_drops;	/* FORWARD's policy */
	bool masquerade_random;	/* somebody's rule, with --random-fully */
};

/* All false where it cannot be told. */
void leftovers_look(struct leftovers_seen *ret);

#endif
