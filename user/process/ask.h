/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A question to the daemon by its control socket, see daemon/control.h. */
#ifndef FAIRLEAD_ASK_H
#define FAIRLEAD_ASK_H

#include <jansson.h>

/*
 * Takes the reference of request. -ENOENT or -ECONNREFUSED: nobody listens;
 * -EACCES: nobody answers us; -ETIMEDOUT; -EBADMSG. Not logged.
 */
int control_ask(const char *path, json_t *request, unsigned int timeout_s,
		json_t **ret);

#endif
