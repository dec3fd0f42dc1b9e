/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What kube-proxy leaves in the kernel beside iptables' rules: its tables of
 * nftables, its ipsets, and of its IPVS mode the interface kube-ipvs0 and the
 * virtual servers. By netlink, so that no tool has to be there.
 */
#ifndef FAIRLEAD_NETFILTER_H
#define FAIRLEAD_NETFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/netlink.h"

#define IPSET_NAME_MAX 32	/* with its NUL */
#define IPSETS_MAX 64		/* kube-proxy has twice 18 */

/* A virtual server of IPVS. */
struct virtual_server {
	__u16 family;		/* AF_INET, AF_INET6 */
	__u16 protocol;
	__be16 port;
	__u8 addr[16];		/* as the kernel has it: IPv4 in the first 4 */
};

struct netfilter {
	struct netlink *netlink;	/* NULL: not open */
	bool has_table4, has_table6;	/* "ip kube-proxy", "ip6 kube-proxy" */
	bool has_nft_chains;		/* iptables-nft's, KUBE-SERVICES is */
	bool has_iptables4, has_iptables6; /* any table of iptables-nft */
	char ipsets[IPSETS_MAX][IPSET_NAME_MAX];
	size_t nr_ipsets;
	__u8 tcp_ports[65536 / 8];	/* that its sets say are node ports */
	__u8 udp_ports[65536 / 8];
	__u8 sctp_ports[65536 / 8];
	__u32 ipvs0;			/* kube-ipvs0's index; 0: it is not */
	struct virtual_server *servers;	/* kube-proxy's; owned */
	size_t nr_servers;
};

/* Look. What this kernel has no subsystem for is not there. -errno. */
int netfilter_find(struct netfilter *n);
void netfilter_clear(struct netfilter *n);

/* A line for each of what was found. Of many servers, their count. */
void netfilter_list(const struct netfilter *n, FILE *out);

/* Remove what was found; said has a line for what could not be. The first
 * error, after all was tried. */
int netfilter_remove(struct netfilter *n, FILE *said);

/* Has kube-proxy an ipset of that name? */
bool netfilter_is_ipset(const char *name);

#endif
