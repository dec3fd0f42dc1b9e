/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A container, as the API of Docker Engine (and of Podman, which speaks it,
 * too) tells of one: GET /containers/ID/json. What is read of it, and what it
 * is to network policy. Pure; nothing that is said is believed.
 */
#ifndef FAIRLEAD_CONTAINER_H
#define FAIRLEAD_CONTAINER_H

#include "base/list.h"
#include "kubernetes/object.h"
#include "model/policy.h"
#include "process/record.h"

#define CONTAINER_ID_LEN 64	/* hexadecimal digits */
#define CONTAINER_NAME_MAX 128
#define CONTAINER_NETWORKS_MAX 32

/* Of a container's labels: the namespace that policies know it in, else
 * CONTAINER_NAMESPACE. */
#define CONTAINER_NAMESPACE_LABEL "fairlead.namespace"
#define CONTAINER_NAMESPACE "docker"

/* Where it is connected to one network. */
struct container_end {
	char network[CONTAINER_NAME_MAX];
	struct addr addrs[WORKLOAD_ADDRS];	/* nr_addrs of them */
	size_t nr_addrs;
	__u8 mac[6];		/* zero: it has none */
};

struct container {
	char id[CONTAINER_ID_LEN + 1];
	char name[CONTAINER_NAME_MAX];
	char namespace[64];
	char mode[CONTAINER_NAME_MAX];	/* "bridge", "host", "container:ID" ... */
	char sandbox[256];	/* path of its network namespace; "": none */
	bool runs;
	bool is_unwell;		/* its health check, if it has one, has not
				 * passed */
	LIST(struct model_label) labels;	/* sorted, each once */
	struct container_end ends[CONTAINER_NETWORKS_MAX];
	size_t nr_ends;
};

/* What is read of an answer, as json_stream.h wants it: ends in NULL. */
extern const char *const container_paths[];

/*
 * Into *ret, to be cleared, also on failure. NULL, or what is wrong: then it
 * is to be taken for one that nothing is known of; its id is right, or "".
 */
const char *container_read(const struct record *r, struct container *ret);
void container_clear(struct container *c);

bool container_is_id(const char *text, size_t len);

/* Why it cannot be held to policy, for people; NULL: it can, once it runs and
 * if the host's end of its network interfaces is found. */
const char *container_doubt(const struct container *c);

/* As one of Kubernetes' Pods, for who makes policy of those: its end number
 * `end`, whose interface is called so on the host. "": its name is not known;
 * NULL: it is not on this host, so that it is only a peer of others. Of what has
 * the host's network, neither is looked at. NULL: no memory. */
struct kube_object *container_pod(const struct container *c, size_t end,
				  const char *interface);
/* How many ends it has of its own; 1, if it shares the host's. */
size_t container_pods(const struct container *c);

#endif
