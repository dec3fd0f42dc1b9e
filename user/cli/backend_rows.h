/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Backends as rows, for `backend list` and `service show`. */
#ifndef FAIRLEAD_BACKEND_ROWS_H
#define FAIRLEAD_BACKEND_ROWS_H

#include "base/print.h"
#include "view.h"

extern const struct column backend_columns[];

/* Every backend of the service, one call of f each; f's failure ends it. */
int backend_rows(struct view *v, const struct state_service *s,
		 int (*f)(void *arg, const void *row), void *arg);

#endif
