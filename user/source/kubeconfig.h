/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The part of a kubeconfig that its current context names. What it takes to
 * run a program of somebody else's (exec, auth-provider) is refused by name.
 */
#ifndef FAIRLEAD_KUBECONFIG_H
#define FAIRLEAD_KUBECONFIG_H

#include "access.h"

/*
 * Fill what is said; paths in it are relative to its directory, and nothing is
 * read from them. -EINVAL: errors has a line for each mistake,
 * "path:line:column: what"; -ENOMEM.
 */
int kubeconfig_read(const char *path, struct access *ret, FILE *errors);

#endif
