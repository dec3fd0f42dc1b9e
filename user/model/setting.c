// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of settings, and what follows from it, see setting.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/endpoint.h"
#include "setting.h"

#define LIMIT_MAX (1u << 28)
#define ANSWERS_MAX 1000000

/* A run of fields of struct model, from first to last. */
#define FIELDS(first, last) \
	.offset = offsetof(struct model, first), \
	.size = offsetof(struct model, last) - offsetof(struct model, first) + \
		sizeof(((struct model *)0)->last)
#define FIELD(field) FIELDS(field, field)
#define TOP(key_) .name = key_, .key = key_
#define IN(group_, key_) \
	.name = group_ ": " key_, .group = group_, .key = key_
#define NUMBER(min_, max_, default_) \
	.type = SETTING_IS_NUMBER, .min = min_, .max = max_, \
	.by_default = default_
#define SECONDS(default_) \
	.type = SETTING_IS_SECONDS, .by_default = default_

/* Settings of one group stand together. */
const struct setting_spec setting_specs[NR_SETTINGS] = {
	[SETTING_NODE] = { TOP("node"), FIELD(node) },
	[SETTING_UPLINKS] = { TOP("uplinks"), FIELDS(uplinks, nr_uplinks) },
	[SETTING_HASH_KEY] = { TOP("hash-key"),
			       FIELDS(has_hash_key, hash_key) },
	[SETTING_TUNNEL_SOURCE] = { TOP("tunnel-source"),
				    FIELDS(tunnel4, tunnel6_bits) },
	[SETTING_NAT_ADDRESSES] = { IN("nat", "addresses"),
				    FIELDS(nat4, nr_nat6) },
	[SETTING_NAT_PORTS] = { IN("nat", "ports"),
				FIELDS(nat_port_first, nat_port_last),
				.type = SETTING_IS_PORTS, .by_default = 1024 },
	[SETTING_GUE_PORT] = { TOP("gue-port"), FIELD(gue_port),
			       NUMBER(1, 65535, 6080) },
	[SETTING_GENEVE_PORT] = { TOP("geneve-port"), FIELD(geneve_port),
				  NUMBER(1, 65535, 6081) },
	[SETTING_GENEVE_VNI] = { TOP("geneve-vni"), FIELD(geneve_vni),
				 NUMBER(0, 0xffffff, 0) },
	[SETTING_IDLE_TCP] = { IN("timeouts", "tcp"), FIELD(idle_tcp_s),
			       SECONDS(900) },
	[SETTING_IDLE_UDP] = { IN("timeouts", "udp"), FIELD(idle_udp_s),
			       SECONDS(60) },
	[SETTING_IDLE_SCTP] = { IN("timeouts", "sctp"), FIELD(idle_sctp_s),
				SECONDS(900) },
	[SETTING_SYN] = { IN("timeouts", "syn"), FIELD(syn_s), SECONDS(60) },
	[SETTING_HALF_CLOSED] = { IN("timeouts", "half-closed"),
				  FIELD(half_closed_s), SECONDS(3600) },
	[SETTING_CLOSING] = { IN("timeouts", "closing"), FIELD(closing_s),
			      SECONDS(10) },
	[SETTING_FRAGMENT] = { IN("timeouts", "fragment"), FIELD(fragment_s),
			       SECONDS(30) },
	[SETTING_MAX_SERVICES] = { IN("limits", "services"),
				   FIELD(max_services),
				   NUMBER(1, LIMIT_MAX, 0) },
	[SETTING_MAX_BACKENDS] = { IN("limits", "backends"),
				   FIELD(max_backends),
				   NUMBER(1, LIMIT_MAX, 0) },
	[SETTING_MAX_SLOTS] = { IN("limits", "slots"), FIELD(max_slots),
				NUMBER(1, LIMIT_MAX, 0) },
	[SETTING_MAX_CONNS] = { IN("limits", "connections"), FIELD(max_conns),
				NUMBER(1, LIMIT_MAX, 0) },
	[SETTING_ANSWERS] = { IN("answers", "per-second"),
			      FIELD(answers_per_s),
			      NUMBER(0, ANSWERS_MAX, 10000) },
	[SETTING_ANSWERS_NETWORK] = { IN("answers", "per-network"),
				      FIELD(answers_network_per_s),
				      NUMBER(0, ANSWERS_MAX, 100) },
	[SETTING_ANNOUNCE] = { TOP("announce"), FIELD(announce) },
	[SETTING_HOSTNAME_OVERRIDE] = { TOP("hostname-override"),
					FIELD(hostname_override) },
	[SETTING_DETECT_LOCAL] = { TOP("detect-local-mode"),
				   FIELD(detect_local) },
	[SETTING_CLUSTER_CIDR] = { TOP("cluster-cidr"),
				   FIELDS(cluster_cidr4, cluster_cidr6) },
	[SETTING_POD_BRIDGE] = { TOP("pod-bridge-interface"),
				 FIELD(pod_bridge) },
	[SETTING_POD_INTERFACES] = { TOP("pod-interface-name-prefix"),
				     FIELD(pod_interfaces) },
	[SETTING_NODEPORT_ADDRESSES] = { TOP("nodeport-addresses"),
					 FIELDS(nodeport, nr_nodeport) },
	[SETTING_MASQUERADE_ALL] = { TOP("masquerade-all"),
				     FIELD(masquerade_all),
				     .type = SETTING_IS_FLAG },
	[SETTING_HEALTHZ] = { TOP("healthz-bind-address"), FIELD(healthz),
			      .type = SETTING_IS_LISTEN, .by_default = 10256 },
	[SETTING_METRICS] = { TOP("metrics-bind-address"), FIELD(metrics),
			      .type = SETTING_IS_LISTEN, .by_default = 10249 },
	[SETTING_SOCKETS] = { TOP("sockets"), FIELD(sockets) },
	[SETTING_SOCKET_PODS] = { TOP("socket-pods"),
				  FIELDS(socket_pods, nr_socket_pods) },
	[SETTING_NETWORK_POLICY] = { TOP("network-policy"),
				     FIELD(network_policy),
				     .type = SETTING_IS_FLAG },
};

const char *const detect_local_names[] = {
	[DETECT_CLUSTER_CIDR] = "ClusterCIDR",
	[DETECT_NODE_CIDR] = "NodeCIDR",
	[DETECT_BRIDGE] = "BridgeInterface",
	[DETECT_INTERFACES] = "InterfaceNamePrefix",
	NULL
};

const char *const sockets_names[] = {
	[SOCKETS_HOST] = "host",
	[SOCKETS_OFF] = "off",
	NULL
};

const char *setting_name(enum setting s)
{
	return setting_specs[s].name;
}

static const void *field_of(enum setting s, const struct model *m)
{
	return (const char *)m + setting_specs[s].offset;
}

static __u32 number_of(enum setting s, const struct model *m)
{
	const void *field = field_of(s, m);

	return setting_specs[s].size == sizeof(__u16) ? *(const __u16 *)field :
							*(const __u32 *)field;
}

void setting_store(enum setting s, struct model *m, __u32 number)
{
	void *field = (char *)m + setting_specs[s].offset;

	if (setting_specs[s].size == sizeof(__u16))
		*(__u16 *)field = number;
	else
		*(__u32 *)field = number;
}

void settings_default(struct model *m)
{
	for (int i = 0; i < NR_SETTINGS; i++)
		if (setting_specs[i].type == SETTING_IS_NUMBER ||
		    setting_specs[i].type == SETTING_IS_SECONDS)
			setting_store(i, m, setting_specs[i].by_default);
	m->nat_port_first = setting_specs[SETTING_NAT_PORTS].by_default;
	m->nat_port_last = 65535;
}

static bool uplinks_are_equal(const struct model *a, const struct model *b)
{
	if (a->nr_uplinks != b->nr_uplinks)
		return false;
	for (size_t i = 0; i < a->nr_uplinks; i++)
		if (strcmp(a->uplinks[i], b->uplinks[i]))
			return false;
	return true;
}

/* What is behind the last one does not count. */
static bool nat_addrs_are_equal(const struct model *a, const struct model *b)
{
	return a->nr_nat4 == b->nr_nat4 && a->nr_nat6 == b->nr_nat6 &&
	       !memcmp(a->nat4, b->nat4, a->nr_nat4 * sizeof(*a->nat4)) &&
	       !memcmp(a->nat6, b->nat6, a->nr_nat6 * sizeof(*a->nat6));
}

bool setting_is_equal(enum setting s, const struct model *a,
		      const struct model *b)
{
	if (s == SETTING_NODE)
		return !strcmp(a->node ?: "", b->node ?: "");
	if (s == SETTING_UPLINKS)
		return uplinks_are_equal(a, b);
	if (s == SETTING_NAT_ADDRESSES)
		return nat_addrs_are_equal(a, b);
	return !memcmp(field_of(s, a), field_of(s, b), setting_specs[s].size);
}

static int copy_uplinks(struct model *to, const struct model *from)
{
	for (size_t i = 0; i < from->nr_uplinks; i++) {
		to->uplinks[i] = strdup(from->uplinks[i]);
		if (!to->uplinks[i])
			return -ENOMEM;
		to->nr_uplinks++;
	}
	return 0;
}

int setting_copy(enum setting s, struct model *to, const struct model *from)
{
	if (s == SETTING_UPLINKS)
		return copy_uplinks(to, from);
	if (s == SETTING_NODE) {
		to->node = strdup(from->node);
		return to->node ? 0 : -ENOMEM;
	}
	memcpy((char *)to + setting_specs[s].offset, field_of(s, from),
	       setting_specs[s].size);
	return 0;
}

/* Text that grows by words, "a, b", and is cut where it is too long. */
static void append(char text[static SETTING_TEXT_MAX], const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, SETTING_TEXT_MAX - len, "%s%s", len ? ", " : "",
		 word);
}

static void append_prefix(char text[static SETTING_TEXT_MAX],
			  const struct addr *a, unsigned int host_bits)
{
	const struct model_source prefix = { *a, .len = 128 - host_bits };
	char word[SOURCE_TEXT_MAX];

	append(text, model_source_text(&prefix, word));
}

static void append_source(char text[static SETTING_TEXT_MAX],
			  const struct addr *a, unsigned int host_bits)
{
	if (!addr_is_zero(a))
		append_prefix(text, a, host_bits);
}

static void append_networks(char text[static SETTING_TEXT_MAX],
			    const struct model_prefix *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].is_set)
			append_prefix(text, &list[i].addr, 128 - list[i].len);
}

/* What a Kubernetes node is told; "": nothing. */
static void node_text(enum setting s, const struct model *m,
		      char text[static SETTING_TEXT_MAX])
{
	switch (s) {
	case SETTING_HOSTNAME_OVERRIDE:
		append(text, *m->hostname_override ? m->hostname_override :
						     "the host's name");
		break;
	case SETTING_DETECT_LOCAL:
		append(text, detect_local_names[m->detect_local]);
		break;
	case SETTING_CLUSTER_CIDR:
		append_networks(text, &m->cluster_cidr4, 1);
		append_networks(text, &m->cluster_cidr6, 1);
		break;
	case SETTING_POD_BRIDGE:
		append(text, m->pod_bridge);
		break;
	case SETTING_POD_INTERFACES:
		append(text, m->pod_interfaces);
		break;
	case SETTING_SOCKETS:
		append(text, sockets_names[m->sockets]);
		break;
	case SETTING_SOCKET_PODS:
		append_networks(text, m->socket_pods, m->nr_socket_pods);
		break;
	default:
		append_networks(text, m->nodeport, m->nr_nodeport);
		if (!*text)
			append(text, "primary");
	}
	if (!*text)
		append(text, "none");
}

static void announce_text(const struct model_announce *a,
			  char text[static SETTING_TEXT_MAX])
{
	if (!a->table) {
		append(text, "off");
		return;
	}
	snprintf(text, SETTING_TEXT_MAX,
		 "table %u, protocol %u, metric %u, hold %u s, linger %u s, require %s",
		 a->table, a->protocol, a->metric, a->hold_s, a->linger_s,
		 a->require_all ? "all" : "any");
}

static void special_text(enum setting s, const struct model *m,
			 char text[static SETTING_TEXT_MAX])
{
	if (s >= SETTING_HOSTNAME_OVERRIDE) {
		node_text(s, m, text);
		return;
	}
	switch (s) {
	case SETTING_NODE:
		append(text, m->node ?: "the host's name");
		break;
	case SETTING_UPLINKS:
		for (size_t i = 0; i < m->nr_uplinks; i++)
			append(text, m->uplinks[i]);
		break;
	case SETTING_HASH_KEY:
		append(text, m->has_hash_key ? "a secret" : "random");
		break;
	case SETTING_TUNNEL_SOURCE:
		append_source(text, &m->tunnel4, m->tunnel4_bits);
		append_source(text, &m->tunnel6, m->tunnel6_bits);
		break;
	case SETTING_ANNOUNCE:
		announce_text(&m->announce, text);
		break;
	default:
		for (size_t i = 0; i < m->nr_nat4; i++)
			append_prefix(text, &m->nat4[i], 0);
		for (size_t i = 0; i < m->nr_nat6; i++)
			append_prefix(text, &m->nat6[i], 0);
	}
	if (!*text)
		append(text, "the interface's own");
}

static void listen_text(const struct model_listen *l,
			char text[static SETTING_TEXT_MAX])
{
	char word[ENDPOINT_TEXT_MAX];

	if (!l->is_set)
		append(text, "default");
	else if (l->is_off)
		append(text, "none");
	else
		append(text, endpoint_format(&l->addr, l->port, word));
}

const char *setting_text(enum setting s, const struct model *m,
			 char text[static SETTING_TEXT_MAX])
{
	const __u16 *ports = field_of(s, m);

	text[0] = '\0';
	switch (setting_specs[s].type) {
	case SETTING_IS_SPECIAL:
		special_text(s, m, text);
		break;
	case SETTING_IS_NUMBER:
		snprintf(text, SETTING_TEXT_MAX, "%u", number_of(s, m));
		break;
	case SETTING_IS_SECONDS:
		snprintf(text, SETTING_TEXT_MAX, "%u s", number_of(s, m));
		break;
	case SETTING_IS_PORTS:
		snprintf(text, SETTING_TEXT_MAX, "%u-%u", ports[0], ports[1]);
		break;
	case SETTING_IS_FLAG:
		append(text, *(const bool *)field_of(s, m) ? "true" : "false");
		break;
	case SETTING_IS_LISTEN:
		listen_text(field_of(s, m), text);
		break;
	}
	return text;
}

unsigned int setting_diff(enum setting s, const struct model *old,
			  const struct model *new, FILE *out)
{
	char text[2][SETTING_TEXT_MAX];

	if (setting_is_equal(s, old, new))
		return 0;
	fprintf(out, "~ setting %s: %s -> %s\n", setting_name(s),
		setting_text(s, old, text[0]), setting_text(s, new, text[1]));
	return 1;
}
