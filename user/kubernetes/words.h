/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Words of the API: what an absent one means, and which ones there are. */
#ifndef FAIRLEAD_KUBERNETES_WORDS_H
#define FAIRLEAD_KUBERNETES_WORDS_H

#include <stdbool.h>

#include <linux/types.h>

#include "object.h"

/* Is text that word, or by default when it is absent or empty? */
bool kube_is(const char *text, const char *word, bool by_default);

/* IPPROTO_*; absent is TCP; 0: unknown. */
__u8 kube_proto(const char *text);

/* enum forward of the annotation fairlead.io/forward: FORWARD_NAT, which absent
 * is as well, or a tunnel; -1: unknown. */
int kube_tunnel(const char *text);

#endif
