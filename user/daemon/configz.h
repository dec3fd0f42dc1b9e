/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The settings in force, as /configz shows them: by the names that they have in
 * kube-proxy's configuration (kubeproxy.config.k8s.io/v1alpha1). */
#ifndef FAIRLEAD_CONFIGZ_H
#define FAIRLEAD_CONFIGZ_H

#include "model/model.h"

/* JSON, the caller's; NULL: no memory. */
char *configz_text(const struct model *m);

#endif
