/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Follows the containers of an engine, and says what it sees in records. This
 * is what runs as `fairlead: source`, without any right: sockets that answers
 * come by are given to it (dial.h), and it can ask nothing but for those.
 */
#ifndef FAIRLEAD_CONTAINERS_WORKER_H
#define FAIRLEAD_CONTAINERS_WORKER_H

#include "process/worker.h"

#define CONTAINERS_MAX 4096	/* that run at a time */

extern const struct worker containers_worker;

#endif
