/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A Service with its slices to services of the model: one for each port and
 * each family in which it has an address, named namespace/name:port/protocol
 * (IPv6's: tcp6, udp6, sctp6). A port is called by its name, or by its number
 * if it has none.
 */
#ifndef FAIRLEAD_KUBERNETES_PORTS_H
#define FAIRLEAD_KUBERNETES_PORTS_H

#include "endpoints.h"
#include "model/model.h"

struct kube_config {
	struct kube_here here;
	struct addr node4, node6;	/* the node's own; zero: not known */
	bool masquerade_all;
};

/* TCP that nothing is seen of is kept as long as the kernel keeps it. */
#define KUBE_IDLE_TCP_S 86400
#define KUBE_AFFINITY_S 10800

/* Is it ours to serve? Headless ones are not, nor those of another proxy. */
bool kube_service_counts(const struct kube_service *s);

/* The cluster IP of a family; false: it is not served in that. */
bool kube_cluster_ip(const struct kube_service *s, bool is4, struct addr *ret);

/*
 * *ret: an array of *ret_count, the caller's, as are its elements
 * (model_service_clear()); sorted by name. -ENOMEM.
 */
int kube_ports(const struct kube_object *service,
	       const struct kube_object *const *slices, size_t nr_slices,
	       const struct kube_config *config, struct model_service **ret,
	       size_t *ret_count);
void kube_ports_free(struct model_service *list, size_t count);

#endif
