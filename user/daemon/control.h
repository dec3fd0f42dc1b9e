/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control socket of `serve`: a request is a line of JSON, {"cmd": ...},
 * and so is its answer, {"ok": true, ...} or {"ok": false, "error": "..."}.
 * Answers root, the daemon's own user and members of the socket's group. Who
 * asks does so by process/ask.h.
 */
#ifndef FAIRLEAD_CONTROL_H
#define FAIRLEAD_CONTROL_H

#include <jansson.h>

#include "base/loop.h"

#define CONTROL_LINE_MAX 65536	/* of a request */

struct control;

/* answer returns a new object, or NULL when out of memory. A socket that was
 * left at path is replaced: one daemon per directory is the caller's care. */
int control_open(struct loop *l, const char *path,
		 json_t *(*answer)(void *arg, const json_t *request),
		 void *arg, struct control **ret);
void control_close(struct control *c);	/* NULL is fine; removes the socket */

/* {"ok": false, "error": ...}. */
json_t *control_refuse(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

#endif
