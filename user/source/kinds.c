// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See kinds.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "kubernetes/reader.h"

static const struct reflector_kind kinds[NR_KUBE_KINDS] = {
	[KUBE_SERVICE] = {
		.name = "services",
		.paths = { "/api/v1/services" },
		.label_selector = "!service.kubernetes.io/headless,"
				  "!service.kubernetes.io/service-proxy-name",
		.field_selector = "spec.clusterIP!=None",
	},
	[KUBE_SLICE] = {
		.name = "endpointslices",
		.paths = { "/apis/discovery.k8s.io/v1/endpointslices",
			   "/apis/discovery.k8s.io/v1beta1/endpointslices" },
		.label_selector = "!service.kubernetes.io/headless",
	},
	[KUBE_NODE] = {
		.name = "nodes",
		.paths = { "/api/v1/nodes" },
		.must_filter = true,
	},
	[KUBE_POD] = {
		.name = "pods",
		.paths = { "/api/v1/pods" },
		.field_selector = "status.phase!=Succeeded,"
				  "status.phase!=Failed",
	},
	[KUBE_NAMESPACE] = {
		.name = "namespaces",
		.paths = { "/api/v1/namespaces" },
	},
	[KUBE_POLICY] = {
		.name = "networkpolicies",
		.paths = { "/apis/networking.k8s.io/v1/networkpolicies" },
	},
	[KUBE_CLUSTER_POLICY] = {
		.name = "clusternetworkpolicies",
		.paths = { "/apis/policy.networking.k8s.io/v1beta1/"
			   "clusternetworkpolicies",
			   "/apis/policy.networking.k8s.io/v1alpha2/"
			   "clusternetworkpolicies" },
		.is_optional = true,
	},
};

/* Names of objects are subdomains (RFC 1123); nothing else gets into a URL. */
static bool is_name(const char *text)
{
	size_t len = strlen(text);

	return len && len < 254 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static int fields_make(struct kinds *k)
{
	const char *path;

	for (int i = 0; i < NR_KUBE_KINDS; i++) {
		if (paths_new(NULL, 0, &k->fields[i]))
			return -ENOMEM;
		for (size_t j = 0; (path = kube_path(i, j)); j++)
			if (paths_add(k->fields[i], path, 1))
				return -ENOMEM;
	}
	return 0;
}

int kinds_init(struct kinds *k, const char *node)
{
	if (!is_name(node))
		return -EINVAL;
	memcpy(k->kinds, kinds, sizeof(kinds));
	snprintf(k->node_selector, sizeof(k->node_selector),
		 "metadata.name=%s", node);
	kinds_follow_policy(k, false);
	return fields_make(k);
}

void kinds_follow_policy(struct kinds *k, bool is_on)
{
	struct reflector_kind *node = &k->kinds[KUBE_NODE];

	node->field_selector = is_on ? NULL : k->node_selector;
	node->must_filter = !is_on;
}

void kinds_clear(struct kinds *k)
{
	for (int i = 0; i < NR_KUBE_KINDS; i++)
		paths_free(k->fields[i]);
	*k = (struct kinds){};
}
