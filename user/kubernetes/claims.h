/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who has an address and port: two Services can name the same external IP, as
 * nobody forbids it. The one that was made first has it, and of two that do
 * not say when they were made the one that came first; the other is served at
 * its other addresses, and has it when it is free.
 */
#ifndef FAIRLEAD_KUBERNETES_CLAIMS_H
#define FAIRLEAD_KUBERNETES_CLAIMS_H

#include <stddef.h>

#include "model/model.h"

struct claim;
struct joined;

/* Who claims; zeroed but for joined. */
struct claimant {
	struct joined *joined;	/* for the caller */
	const char *created;	/* RFC 3339; NULL: later than any other */
	struct claim *claims;
	/* One of those that did not get all, and what is an example. */
	struct claimant *next_loser;
	bool is_loser;
	struct claimant *lost_to;
	struct model_front lost;
	__u8 lost_proto;
	struct claimant *next_robbed;
	bool is_robbed;
};

/* Zeroed: none. */
struct claims {
	struct claim **chains;
	size_t size, count;
	struct claimant *losers, *robbed;
};

/*
 * All that list says, for who, in place of what who had. Front ends that
 * others have are taken out of list, and services that have none left; *count
 * follows. *ret_freed: who had some that it has no more. Those who lost one to
 * who are among the robbed. -ENOMEM: list is as it was.
 */
int claims_take(struct claims *c, struct claimant *who,
		struct model_service *list, size_t *count, bool *ret_freed);
/* One that was robbed since, and is no more; NULL: none. */
struct claimant *claims_robbed(struct claims *c);
void claims_clear(struct claims *c, struct claimant *who);
void claims_free(struct claims *c);

#endif
