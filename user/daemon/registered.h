/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Workloads of which somebody said, before they ran, behind which interface
 * they are: who made it (`fairlead-cni`). Of enforcing.h.
 */
#ifndef FAIRLEAD_REGISTERED_H
#define FAIRLEAD_REGISTERED_H

#include <stddef.h>

#include <linux/types.h>

/* Somebody said so who made the interface. */
struct registered {
	char *namespace, *name;	/* owned */
	__u32 ifindex;
	__u8 mac[6];		/* zero: any */
};

struct registry {
	struct registered *list;	/* owned */
	size_t count;
};

void registry_clear(struct registry *all);

/* NULL: not among them, here and below. What is found is valid until one is
 * added or dropped. */
struct registered *registered_find(const struct registry *all,
				   const char *namespace, const char *name);
struct registered *registered_at(const struct registry *all, __u32 ifindex);

/* It is not among them yet. mac NULL: any. NULL: out of memory. */
struct registered *registered_add(struct registry *all, const char *namespace,
				  const char *name, __u32 ifindex,
				  const __u8 *mac);

/* r is of all; the last takes its place. */
void registered_drop(struct registry *all, struct registered *r);

#endif
