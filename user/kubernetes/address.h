/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses and prefixes as the API has them, which is laxer than addr.h. */
#ifndef FAIRLEAD_KUBERNETES_ADDRESS_H
#define FAIRLEAD_KUBERNETES_ADDRESS_H

#include <stdbool.h>

#include <fairlead/types.h>

#include "model/model.h"

/* Numbers of IPv4 may have leading zeros and are decimal: 10.96.0.041. */
bool kube_addr(const char *text, struct addr *ret);

/* Host bits do not count; blanks around it neither. */
bool kube_prefix(const char *text, struct model_prefix *ret);

/* What no host has for its own: "a loopback"; NULL: it may have it. */
const char *kube_addr_special(const struct addr *a);

#endif
