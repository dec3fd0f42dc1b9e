/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who has an address and port: two Services can name the same external IP, as
 * nobody forbids it. A cluster IP, which the API server gave out, is before
 * any other address. Else the Service that was made first has it, and of two
 * that do not say when they were made the one that came first; the other is
 * served at its other addresses, and has it when it is free.
 */
#ifndef FAIRLEAD_KUBERNETES_CLAIMS_H
#define FAIRLEAD_KUBERNETES_CLAIMS_H

#include <stddef.h>

#include "model/model.h"

struct claim;
struct joined;

/* What somebody does not get, and why. */
enum loss_kind {
	LOST_NAME,		/* others have a service of that name */
	LOST_FRONT,		/* to another Service, or to others */
	LOST_TO_ENDPOINT,	/* it is where a Service has an endpoint */
	LOST_ENDPOINT,		/* it is where a Service, or others, are
				 * reached */
};

struct claimant;

struct loss {
	enum loss_kind kind;
	struct model_front front;	/* of an endpoint: address and port */
	__u8 proto;
	struct claimant *to;		/* NULL: others */
};

/* Who claims; zeroed but for joined. */
struct claimant {
	struct joined *joined;	/* for the caller */
	const char *created;	/* RFC 3339; NULL: later than any other */
	struct claim *claims;
	/* One of those that did not get all, and what is an example. */
	struct claimant *next_loser;
	bool is_loser;
	struct loss loss;
	struct claimant *next_robbed;
	bool is_robbed;
};

/* Zeroed: none. */
struct claims {
	struct claim **chains;
	size_t size, count;
	size_t nr_node_ports[2];	/* of IPv6, of IPv4 */
	struct claimant *losers, *robbed;
};

/* Who has lost nothing, until something is said of it. */
void claims_begin(struct claims *c, struct claimant *who);
void claims_lose(struct claims *c, struct claimant *who,
		 const struct loss *loss);

/*
 * All that list says, for who, in place of what who had. Front ends that
 * others have are taken out of list. *ret_freed: who had some that it has no
 * more. Those who lost one to who are among the robbed. -ENOMEM: some of it
 * may have been done.
 */
int claims_take(struct claims *c, struct claimant *who,
		struct model_service *list, size_t count, bool *ret_freed);
/* Who is reached at that address and port; NULL: nobody. */
struct claimant *claims_find(const struct claims *c, const struct addr *a,
			     __u16 port, __u8 proto, bool *ret_is_cluster_ip);
/* Who is to try again with all that it has. */
void claims_rob(struct claims *c, struct claimant *who);
/* One that was robbed since, and is no more; NULL: none. */
struct claimant *claims_robbed(struct claims *c);
void claims_clear(struct claims *c, struct claimant *who);
void claims_free(struct claims *c);

#endif
