/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the services and settings of files have that a Kubernetes object may
 * name as well: files are before objects, as who writes them is root here.
 */
#ifndef FAIRLEAD_RIVALS_H
#define FAIRLEAD_RIVALS_H

#include "kubernetes/cluster.h"
#include "service_index.h"

struct rival_backend;

struct rivals {			/* starts zeroed */
	const struct service_index *index;
	const struct model *settings;
	const struct part *nat_from;	/* who gives "nat: addresses", or NULL */
	struct rival_backend *backends;	/* owned; sorted */
	size_t nr_backends;
	bool is_new;		/* services are others than backends are of */
	__u64 services_version;
	struct kube_others others;
};

/* Before objects are looked at. -ENOMEM. */
int rivals_begin(struct rivals *r);
void rivals_clear(struct rivals *r);

/* What a Service lost to others, or its endpoint: "is that of service \"edge\"
 * at edge.yaml:3:5". */
#define RIVAL_TEXT_MAX 1024
const char *rivals_text(const struct rivals *r, const struct loss *loss,
			char text[static RIVAL_TEXT_MAX]);
/* Of a name, that of a port of "namespace/name". */
const char *rivals_name_text(const struct rivals *r, const char *service,
			     char text[static RIVAL_TEXT_MAX]);

#endif
