/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Of what Prometheus is told, what is of a service or of a backend. */
#ifndef FAIRLEAD_METRICS_SERVICES_H
#define FAIRLEAD_METRICS_SERVICES_H

#include <stdio.h>

#include "parts.h"

/* Where there are more backends, they have no series of their own: only their
 * services have, and fairlead_backends_without_series says how many. */
#define METRICS_BACKENDS_MAX 5000

void metrics_services(FILE *out, const struct parts *p);

#endif
