/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `fairlead: http`: answers those who ask over HTTP how this node is, at
 * sockets that `serve` gives it, from what `serve` last said. It has no right,
 * and makes no sockets. Here is what the two say to one another, in records
 * (process/record.h).
 *
 * The paths, bodies and headers are kube-proxy's: pkg/proxy/healthcheck and
 * cmd/kube-proxy of Kubernetes.
 */
#ifndef FAIRLEAD_WEB_H
#define FAIRLEAD_WEB_H

#include <stdbool.h>

#include <linux/types.h>

#include "process/worker.h"

extern const struct worker web_worker;

/* What is answered at a socket. */
enum web_place {
	WEB_HEALTH_PORT,	/* a Service's healthCheckNodePort */
	WEB_HEALTHZ,		/* /healthz, /livez */
	WEB_METRICS,		/* /metrics, /proxyMode ...; /: the page */
	NR_WEB_PLACES,
};

/* What serve is asked for, of which it says the whole. */
enum web_text {
	WEB_TEXT_METRICS,	/* Prometheus' format */
	WEB_TEXT_OVERVIEW,	/* JSON, for the page: daemon/overview.h */
	NR_WEB_TEXTS,
};
#define WEB_TEXT_LAST 0x80	/* beside it, in its last part */

#define WEB_NAME_MAX 256
#define WEB_LISTENERS_MAX 16384	/* and their ids are below it */

struct web_listener {
	__u32 id;		/* serve's own name for it; not 0 */
	/* of a health port: */
	__u32 local;		/* ready endpoints here */
	char namespace[WEB_NAME_MAX], name[WEB_NAME_MAX];
};

/*
 * How serve is: every second, and when it changes. Times of CLOCK_MONOTONIC
 * are milliseconds; of CLOCK_REALTIME, microseconds. 0: never.
 */
struct web_pulse {
	__u64 waits_since_ms;	/* the oldest change that is not in force */
	__s64 updated_us;	/* last time that changes came into force */
	__u8 is_eligible;	/* the Node is there, and stays */
	__u8 pad[7];
};

#endif
