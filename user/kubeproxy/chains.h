/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kube-proxy's part of iptables' rules: from what iptables-save prints, what
 * iptables-restore has to be told for it to be gone. Text alone.
 *
 * kube-proxy's are the chains that it makes, by their names, and the rules of
 * the kernel's own chains that lead there. The kubelet's (KUBE-FIREWALL,
 * KUBE-MARK-DROP, KUBE-KUBELET-CANARY, KUBE-IPTABLES-HINT) and everybody
 * else's are not touched: a chain that somebody else's chain leads to is left,
 * empty, and KUBE-MARK-MASQ then as it is, with what heeds the mark.
 */
#ifndef FAIRLEAD_CHAINS_H
#define FAIRLEAD_CHAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct chains_found {
	size_t chains;		/* to be removed */
	size_t rules;		/* of the kernel's chains, that lead there */
	bool are_in_force;	/* some of these are for services */
	bool forward_drops;	/* by policy, what no rule accepts */
	bool masquerade_random;	/* by somebody else's rule, to any port */
};

/* Does kube-proxy make a chain of that name? */
bool chains_is_name(const char *name, size_t len);

/*
 * saved: as iptables-save prints it. restore gets what `iptables-restore
 * --noflush` is to read, nothing where there is nothing to do; list, unless
 * NULL, a line about each thing that goes or has to stay. -ENOMEM.
 */
int chains_plan(const char *saved, FILE *restore, FILE *list,
		struct chains_found *ret);

#endif
