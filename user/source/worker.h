/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `fairlead: source` does, from its first line to its last. */
#ifndef FAIRLEAD_WORKER_H
#define FAIRLEAD_WORKER_H

#define WORKER_TITLE "fairlead: source"

/* Without rights, follow what the other end of fd says. For spawner_start(). */
void worker_run(int fd);

#endif
