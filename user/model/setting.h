/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is said once for a node. One table has of each setting its keys, where
 * in struct model it is, what it may be and what it is by default: the parser,
 * the defaults, conflicts between files and `fairlead diff` all come from it. A
 * new setting is a row there, a field of struct model, and its part of the
 * manual.
 */
#ifndef FAIRLEAD_SETTING_H
#define FAIRLEAD_SETTING_H

#include <stdio.h>

#include "model.h"

enum setting {
	SETTING_NODE,
	SETTING_UPLINKS,
	SETTING_HASH_KEY,
	SETTING_TUNNEL_SOURCE,
	SETTING_NAT_ADDRESSES,
	SETTING_NAT_PORTS,
	SETTING_GUE_PORT,
	SETTING_GENEVE_PORT,
	SETTING_GENEVE_VNI,
	SETTING_IDLE_TCP,
	SETTING_IDLE_UDP,
	SETTING_IDLE_SCTP,
	SETTING_SYN,
	SETTING_HALF_CLOSED,
	SETTING_CLOSING,
	SETTING_FRAGMENT,
	SETTING_MAX_SERVICES,
	SETTING_MAX_BACKENDS,
	SETTING_MAX_SLOTS,
	SETTING_MAX_CONNS,
	SETTING_ANSWERS,
	SETTING_ANSWERS_NETWORK,
	SETTING_ANNOUNCE,
	SETTING_HOSTNAME_OVERRIDE,
	SETTING_DETECT_LOCAL,
	SETTING_CLUSTER_CIDR,
	SETTING_POD_BRIDGE,
	SETTING_POD_INTERFACES,
	SETTING_NODEPORT_ADDRESSES,
	SETTING_MASQUERADE_ALL,
	SETTING_HEALTHZ,
	SETTING_METRICS,
	SETTING_SOCKETS,
	SETTING_SOCKET_PODS,
	SETTING_NETWORK_POLICY,
	NR_SETTINGS,
};

enum setting_type {
	SETTING_IS_SPECIAL,	/* read and shown by code of its own */
	SETTING_IS_NUMBER,	/* __u16 or __u32, by its size */
	SETTING_IS_SECONDS,	/* __u32 */
	SETTING_IS_PORTS,	/* two __u16, the first and the last */
	SETTING_IS_FLAG,	/* bool */
	SETTING_IS_LISTEN,	/* struct model_listen */
};

struct setting_spec {
	const char *name;	/* "timeouts: tcp", for messages */
	const char *group;	/* "timeouts"; NULL: it is of the document */
	const char *key;	/* "tcp" */
	size_t offset, size;	/* in struct model */
	enum setting_type type;
	__u32 min, max;		/* of a number */
	__u32 by_default;	/* of a number or seconds; of ports the first;
				 * of where to listen, the port */
};

extern const struct setting_spec setting_specs[NR_SETTINGS];

/* By enum detect_local, as people write them; NULL ends them. */
extern const char *const detect_local_names[];
extern const char *const sockets_names[];	/* likewise enum socket_mode */

const char *setting_name(enum setting s);
void setting_store(enum setting s, struct model *m, __u32 number);
/* What model_new() begins with. */
void settings_default(struct model *m);
bool setting_is_equal(enum setting s, const struct model *a,
		      const struct model *b);
/* to has the default yet. -ENOMEM. */
int setting_copy(enum setting s, struct model *to, const struct model *from);

/* For people; of the hash key, only whether there is one. Cut where it is too
 * long. */
#define SETTING_TEXT_MAX 1024
const char *setting_text(enum setting s, const struct model *m,
			 char text[static SETTING_TEXT_MAX]);

/* "~ setting NAME: OLD -> NEW", a line, if they differ; how many were
 * written. */
unsigned int setting_diff(enum setting s, const struct model *old,
			  const struct model *new, FILE *out);

#endif
