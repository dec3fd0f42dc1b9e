/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What load balancers ask a node at healthCheckNodePort: how many endpoints of
 * a Service it has itself, in each family ([0] IPv6, [1] IPv4).
 */
#ifndef FAIRLEAD_KUBERNETES_HEALTH_H
#define FAIRLEAD_KUBERNETES_HEALTH_H

#include "endpoints.h"

struct kube_health {
	__u16 port;		/* 0: it is not asked for */
	bool has[2];		/* it is served in that family */
	__u32 local[2];		/* addresses that are ready */
};

/* service: one that counts; slices: its own. -ENOMEM. */
int kube_health_make(const struct kube_object *service,
		     const struct kube_object *const *slices, size_t count,
		     const struct kube_here *here, struct kube_health *ret);

/* "2026-11-30T01:02:03.456789Z" in microseconds since 1970; false: it is no
 * time of RFC 3339. */
bool kube_time(const char *text, __s64 *ret_us);

#endif
