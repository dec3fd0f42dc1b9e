/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keys of a check that only some types of it take. For native_health.c. */
#ifndef FAIRLEAD_NATIVE_PROBE_H
#define FAIRLEAD_NATIVE_PROBE_H

#include "model/check.h"
#include "value.h"

/* In the order of native_probe.c's table. */
#define PROBE_KEY_NAMES							\
	"method", "status", "body", "sni", "alpn", "verify", "expires",	\
	"name", "rcode", "transport"
#define NR_PROBE_KEYS 10

/* v: values by that order, NULL where nothing is said. s has its kind. */
void native_read_probe(struct reader *r, const struct tree_node *const *v,
		       struct probe_spec *s);

#endif
