/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether the node is well, by what serve said of itself and how long ago, and
 * how kube-proxy says so. Pure: times are arguments, as struct web_pulse has
 * them.
 */
#ifndef FAIRLEAD_WEB_HEALTH_H
#define FAIRLEAD_WEB_HEALTH_H

#include "web.h"

/* A change may wait for so long, or serve be silent: twice kube-proxy's
 * syncPeriod. */
#define WEB_PATIENCE_MS 60000

struct web_health {
	struct web_pulse pulse;	/* the last one */
	__u64 heard_ms;		/* when it came; 0: none has */
};

struct web_now {
	__u64 ms;		/* CLOCK_MONOTONIC */
	__s64 us;		/* CLOCK_REALTIME */
};

/* Has serve said nothing for too long? */
bool web_is_silent(const struct web_health *h, const struct web_now *now);

/* Is what serve was told in force, or will be in time? */
bool web_is_healthy(const struct web_health *h, const struct web_now *now);

#define WEB_BODY_MAX 1024

/* Both write a body, and return the status that goes with it. */
unsigned int web_healthz_body(const struct web_health *h,
			      const struct web_now *now,
			      char ret[static WEB_BODY_MAX]);
/* As _healthz_, whatever is to become of the Node. */
unsigned int web_livez_body(const struct web_health *h,
			    const struct web_now *now,
			    char ret[static WEB_BODY_MAX]);
unsigned int web_health_port_body(const struct web_health *h,
				  const struct web_now *now,
				  const struct web_listener *l,
				  char ret[static WEB_BODY_MAX]);

/* RFC 3339 with as many digits as it takes; "0001-01-01T00:00:00Z" for 0, as
 * Go writes a time that is none. */
#define WEB_TIME_MAX 40
const char *web_time(__s64 us, char ret[static WEB_TIME_MAX]);

#endif
