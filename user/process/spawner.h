/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes processes without rights. A fork of `serve` would have its maps and
 * secrets in memory, and `serve` gives up early what it takes to change a
 * process's user; so a small process is forked before anything is open, gives
 * up its rights, and from then on forks what `serve` asks for, one at a time.
 * It reads nothing but that.
 */
#ifndef FAIRLEAD_SPAWNER_H
#define FAIRLEAD_SPAWNER_H

struct spawner;
struct worker;

/* Before anything is open that a process without rights must not have: for
 * processes that do as w, which stays the caller's, says. Logs. -errno. */
int spawner_start(const struct worker *w, struct spawner **ret);
/* Ends what it has made, too. NULL is fine. */
void spawner_end(struct spawner *s);

const struct worker *spawner_worker(const struct spawner *s);

/* A new process, in place of the one that is there, if one is; the other end of its socket pair, or -errno. */
int spawner_make(struct spawner *s);

/* What a process that is gone ended with, as of waitpid(); 1: not known. */
int spawner_status(struct spawner *s, int *ret_status);

#endif
