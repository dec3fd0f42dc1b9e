/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The services of all documents in order of name and of address, kept sorted
 * from one load to the next, and what is wrong between them: a name twice,
 * two services for the same packets.
 */
#ifndef FAIRLEAD_SERVICE_INDEX_H
#define FAIRLEAD_SERVICE_INDEX_H

#include "native.h"
#include "report.h"

/* One document: what services have as their owner. */
struct document {
	__u8 digest[32];
	const char *path;	/* its file's */
	__u32 first_line;	/* lines of the file before it */
	struct native *native;	/* NULL: it could not be parsed */
	bool is_live;		/* it is in its file still */
	bool is_new;		/* its services are not in the index yet */
	bool has_mistakes;
	struct document *next_dead;
};

struct service_index {
	struct native_service **by_name, **by_addr;
	size_t count;
};

/* Take services of documents that are not live out, put fresh[] in (it is
 * sorted meanwhile). -ENOMEM: nothing was changed. */
int service_index_update(struct service_index *index,
			 struct native_service **fresh, size_t nr_fresh);
void service_index_clear(struct service_index *index);

void service_index_check(const struct service_index *index, struct report *r);

#endif
