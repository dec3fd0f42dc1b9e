/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the tables of policy hold, or are to hold, in memory of our own: made
 * by the compiler, or read back. Everything is sorted, and looked up as the
 * programs do. Private to policy/.
 */
#ifndef FAIRLEAD_POLICY_IMAGE_H
#define FAIRLEAD_POLICY_IMAGE_H

#include <fairlead/policy.h>

#include "keys.h"
#include "model/tables.h"

/* Of peer_masks, or of port_masks. */
struct mask_row {
	struct mask_key key;
	struct rule_mask mask;
};

struct masks {
	LIST(struct mask_row) list;	/* by class, target */
};

struct target_row {
	__u32 id;
	struct target target;
};

/* Of peers: what one address is. */
struct peer_row {
	struct addr addr;
	__u32 value;		/* class and enum peer_flag */
	__u32 users;		/* workloads that have it */
	__u32 group;		/* of one of them */
	/* The one that has it, see policy_has_address(); NULL: none, or not
	 * known. */
	const struct model_workload *owner;
	bool is_plain;		/* one workload's, and nothing else's */
};

/* Of peer_prefixes. */
struct prefix_row {
	struct prefix_key key;
	__u32 value;
	__u32 parent;		/* the next shorter one around it; NONE */
};

struct image {
	LIST(struct target_row) targets;	/* by id */
	struct masks peer_masks, port_masks;
	LIST(struct peer_row) peers;		/* by address */
	LIST(struct prefix_row) prefixes;	/* by address, length */
	__u16 *port_classes;			/* of PORT_CLASSES; owned */
};

int image_init(struct image *m);	/* -ENOMEM */
void image_free(struct image *m);

/* Once all rows are there, in any order: sorts them, and finds parents. */
void image_sort(struct image *m);

/* What the tables hold. -ENOMEM, or what a table says. */
int image_load(struct image *m, struct tables *t);

/* NULL: none. */
const struct target *image_target(const struct image *m, __u32 id);
const struct rule_mask *masks_find(const struct masks *m, __u32 class,
				   __u32 target);
/* The first row of a class, and how many there are. */
const struct mask_row *masks_of(const struct masks *m, __u32 class,
				size_t *ret_count);
struct peer_row *image_peer(const struct image *m, const struct addr *a);
struct prefix_row *image_prefix(const struct image *m,
				const struct prefix_key *key);
/* Where in peers an address is, or belongs. */
size_t image_peer_at(const struct image *m, const struct addr *a);

/* The longest prefix that an address is in, of those up to len; NONE. */
__u32 image_prefix_of(const struct image *m, const struct addr *a, __u32 len);
/* What an address is by prefixes no longer than len; and by all. */
__u32 image_prefix_value(const struct image *m, const struct addr *a,
			 __u32 len);
__u32 image_value(const struct image *m, const struct addr *a);

/* In port_masks, in place of a class. */
__u32 image_port_class(const struct image *m, __u8 proto, __u16 port);

/* What a target says of a new connection. */
struct verdict {
	bool allowed;
	bool audited;		/* not if audited rules were in force */
	__u16 rule, audit_rule;
};
struct verdict image_judge(const struct image *m, __u32 target,
			   __u32 peer_value, __u8 proto, __u16 port);

#endif
