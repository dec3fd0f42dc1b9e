/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The page that people look at: files of user/web/page/, which are a part of
 * the program. */
#ifndef FAIRLEAD_WEB_STATIC_H
#define FAIRLEAD_WEB_STATIC_H

#include "server.h"

/* False: there is none at path. */
bool web_static_find(const char *path, struct web_answer *ret);

#endif
