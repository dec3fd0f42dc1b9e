// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See configz.h. */
#include <jansson.h>

#include "base/endpoint.h"
#include "configz.h"
#include "model/setting.h"

/* As kube-proxy: those that are not given are "". */
static json_t *prefixes(const struct model_prefix *list, size_t count)
{
	json_t *ret = json_array();
	char text[SOURCE_TEXT_MAX];

	for (size_t i = 0; i < count; i++) {
		const struct model_source s = {
			.addr = list[i].addr, .len = list[i].len,
		};

		json_array_append_new(ret,
				      json_string(model_source_text(&s, text)));
	}
	return ret;
}

static json_t *listen_text(const struct model_listen *l)
{
	char text[ENDPOINT_TEXT_MAX] = "";

	if (l->is_set && !l->is_off)
		endpoint_format(&l->addr, l->port, text);
	return json_string(text);
}

static json_t *cluster_cidr(const struct model *m)
{
	char text[SETTING_TEXT_MAX] = "";

	if (m->cluster_cidr4.is_set || m->cluster_cidr6.is_set)
		setting_text(SETTING_CLUSTER_CIDR, m, text);
	return json_string(text);
}

char *configz_text(const struct model *m)
{
	char node[MODEL_NODE_NAME_MAX + 1], *ret;
	json_t *json;

	model_node_name(m, node);
	json = json_pack("{s:{s:s, s:s, s:o, s:s, s:{s:s, s:s}, s:o, s:{s:b}, "
			 "s:o, s:o}}", "kubeproxy.config.k8s.io",
			 "mode", "fairlead",
			 "hostnameOverride", node,
			 "clusterCIDR", cluster_cidr(m),
			 "detectLocalMode", detect_local_names[m->detect_local],
			 "detectLocal", "bridgeInterface", m->pod_bridge,
			 "interfaceNamePrefix", m->pod_interfaces,
			 "nodePortAddresses",
			 prefixes(m->nodeport, m->nr_nodeport),
			 "nftables", "masqueradeAll", m->masquerade_all,
			 "healthzBindAddress", listen_text(&m->healthz),
			 "metricsBindAddress", listen_text(&m->metrics));
	ret = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return ret;
}
