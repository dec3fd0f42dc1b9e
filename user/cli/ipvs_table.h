/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What IPVS serves, as the kernel tells it in /proc/net/ip_vs of a network
 * namespace (net/netfilter/ipvs/ip_vs_ctl.c: ip_vs_info_seq_show). Pure.
 */
#ifndef FAIRLEAD_IPVS_TABLE_H
#define FAIRLEAD_IPVS_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include <fairlead/types.h>

#include "base/list.h"

#define IPVS_TABLE "/proc/net/ip_vs"

struct ipvs_server {
	struct addr addr;
	__u16 port;		/* host order */
	char forward[16];	/* "Masq", "Route", "Tunnel", "Local" */
	__u32 weight;
	__u32 active, inactive;	/* connections */
};

struct ipvs_service {
	__u8 proto;		/* IPPROTO_*; 0: what bears a mark */
	__u32 mark;
	struct addr addr;
	__u16 port;		/* host order; 0: all, if it is persistent */
	char scheduler[32];
	__u32 persistent;	/* jiffies; 0: it is not */
	LIST(struct ipvs_server) servers;
};

struct ipvs_table {
	LIST(struct ipvs_service) services;
};

/* Into *ret, to be cleared, also on failure. 0; -ENOMEM; -EIO; -EINVAL: line
 * *ret_line, from 1, is not of such a table. */
int ipvs_table_read(FILE *from, struct ipvs_table *ret, unsigned int *ret_line);
void ipvs_table_clear(struct ipvs_table *t);

#endif
