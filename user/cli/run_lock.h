/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One daemon a run directory: the lock of its file serve.pid. Nobody but root
 * and the daemon's user can hold it, or stand in its place.
 */
#ifndef FAIRLEAD_RUN_LOCK_H
#define FAIRLEAD_RUN_LOCK_H

#include "options.h"

/* Make the directory and take the lock: a descriptor that holds it while it is
 * open, however the process ends. -EBUSY: a daemon has it. Logs. */
int run_lock_take(const struct options *o);

/* The same of a directory and a file that are there already: -ENOENT, not
 * logged, if they are not, or not of a kind that a daemon would use. */
int run_lock_take_existing(const struct options *o);

#endif
