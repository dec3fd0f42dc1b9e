/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The services of all parts in order of name and of address, kept sorted from
 * one load to the next, and what is wrong between them: a name twice, two
 * services for the same packets, a backend that is a service's address.
 */
#ifndef FAIRLEAD_SERVICE_INDEX_H
#define FAIRLEAD_SERVICE_INDEX_H

#include "native.h"
#include "report.h"
#include "source.h"

struct service_index {
	struct native_service **by_name;
	struct native_front **by_addr;
	size_t count, nr_fronts;
	__u64 addrs;		/* sum of a hash of each front end's packets */

	/* Since the last check without mistakes; a change of anybody's address
	 * means that all have to be checked again. */
	struct native_service **fresh;
	size_t nr_fresh;
	__u64 checked_addrs;
	bool is_checked;
	__u8 lens[129];		/* of checked front ends' prefixes */
	unsigned int nr_lens;
};

/* Another one, without services of parts that are not live and with fresh[]
 * (it is sorted meanwhile, and *ret's from here on). -ENOMEM. */
int service_index_next(const struct service_index *index,
		       struct native_service **fresh, size_t nr_fresh,
		       struct service_index *ret);
void service_index_clear(struct service_index *index);

void service_index_check(struct service_index *index, struct report *r);

/* All front ends were there at the last check without mistakes, and no
 * other. */
bool service_index_knows_fronts(const struct service_index *index);

/* The first front end, in order of address, that packets to a, of this
 * protocol and one of these ports, belong to; NULL: none. */
const struct native_front *
service_index_find(const struct service_index *index, const struct addr *a,
		   unsigned int prefix_len, __u8 proto, __u16 port_first,
		   __u16 port_last);

/* One that f, a single address and port, could not be beside; NULL: none. */
const struct native_front *
service_index_rival(const struct service_index *index,
		    const struct model_front *f, __u8 proto);

/* A front end of the longest prefix that has a in it; NULL: none has. */
const struct native_front *
service_index_at(const struct service_index *index, const struct addr *a);

/* Backends that are addresses of services: their packets would come back. */
void backends_check(const struct service_index *index, struct report *r);

#endif
