/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The memory of an object that is being read: of object.c, object_pack.c. */
#ifndef FAIRLEAD_KUBERNETES_OBJECT_PRIVATE_H
#define FAIRLEAD_KUBERNETES_OBJECT_PRIVATE_H

#include "object.h"

#define KUBE_KNOWN_TEXTS 64	/* a power of two */

struct kube_block {
	struct kube_block *next;
	char room[] __attribute__((aligned(16)));
};

/* Grows by blocks that are freed at once. */
struct kube_text {
	struct kube_block *blocks;
	size_t size, used;	/* of the newest */
	/* Texts, by a hash; the newest ones. */
	const char *known[KUBE_KNOWN_TEXTS];
};

void kube_text_free(struct kube_text *t);	/* NULL is fine */

#endif
