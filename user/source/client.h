/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Follows all kinds of objects at an API server, and says what it sees in
 * records. This is what runs as `fairlead: source`, without any right: it waits
 * for a RECORD_ACCESS, and goes.
 */
#ifndef FAIRLEAD_CLIENT_H
#define FAIRLEAD_CLIENT_H

#include "process/worker.h"

extern const struct worker client_worker;

#endif
