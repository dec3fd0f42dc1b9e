/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who has a backend at an address and port: asked about each address that a
 * Service wants to be reached at, as packets to it would be balanced again.
 * Private to cluster.h.
 */
#ifndef FAIRLEAD_KUBERNETES_ENDPOINT_INDEX_H
#define FAIRLEAD_KUBERNETES_ENDPOINT_INDEX_H

#include <stddef.h>

#include "model/model.h"

struct endpoint {
	__u64 key;		/* 0: none */
	void *owner;
};

/* Zeroed: none. */
struct endpoint_index {
	struct endpoint *slots;	/* owned; size of them, a power of two */
	size_t size, count;
};

/* Of an address, port and protocol; others may have the same. Never 0. */
__u64 endpoint_key(const struct addr *a, __u16 port, __u8 proto);

/* Room for so many more. -ENOMEM. */
int endpoints_reserve(struct endpoint_index *index, size_t more);
/* Reserved before; an owner may have one several times. */
void endpoints_add(struct endpoint_index *index, __u64 key, void *owner);
/* One that is there. */
void endpoints_del(struct endpoint_index *index, __u64 key, void *owner);
void endpoints_free(struct endpoint_index *index);

/* The owners of a key, one after another; NULL: no more. *at starts as 0. */
void *endpoints_next(const struct endpoint_index *index, __u64 key, size_t *at);

#endif
