/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FAIRLEAD_LOG_H
#define FAIRLEAD_LOG_H

/* One line to stderr: "fairlead: <message>[: <strerror>]". Returns err as is. */
int log_error(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
