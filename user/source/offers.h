/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The services that containers make together, see offer.h, as parts of their
 * source: those that did not change are the same from one time to the next. */
#ifndef FAIRLEAD_OFFERS_H
#define FAIRLEAD_OFFERS_H

#include "base/list.h"
#include "definitions/source.h"
#include "offer.h"

/* Where a service is reached. */
struct offered {
	char namespace[64], service[64];
	struct addr at[2];
};

struct offers {
	LIST(struct part *) parts;	/* owned, but for those that are buried */
	/* of the time before */
	LIST(struct offered) services;
};

/*
 * What list, of nr, makes now; it is sorted on the way. What left is buried in
 * s. path: of the source. -ENOMEM: nothing is lost, and what is there may not
 * be all of it; ask again.
 */
int offers_make(struct offers *o, struct source *s, const char *path,
		const struct offer **list, size_t nr);
void offers_clear(struct offers *o);

/* A sum over all parts, whatever their order. */
__u64 offers_digest(const struct offers *o);

#endif
