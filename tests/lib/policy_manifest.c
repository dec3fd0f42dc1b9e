// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_manifest.h. */
#include <netinet/in.h>

#include "base/addr.h"
#include "policy_manifest.h"

static const char *comma(size_t i)
{
	return i ? ", " : "";
}

static void labels(FILE *f, const struct model_labels *l)
{
	fprintf(f, "labels: {");
	for (size_t i = 0; i < l->count; i++)
		fprintf(f, "%s%s: '%s'", comma(i), l->label[i].key,
			l->label[i].value);
	fputc('}', f);
}

static void selector(FILE *f, const struct model_selector *s)
{
	static const char *const ops[] = {
		[LABEL_IN] = "In", [LABEL_NOT_IN] = "NotIn",
		[LABEL_EXISTS] = "Exists",
		[LABEL_DOES_NOT_EXIST] = "DoesNotExist",
	};

	fprintf(f, "%s", s->count ? "{matchExpressions: [" : "{");
	for (size_t i = 0; i < s->count; i++) {
		const struct model_requirement *r = &s->requirement[i];

		fprintf(f, "%s{key: %s, operator: %s", comma(i), r->key,
			ops[r->op]);
		for (size_t n = 0; n < r->nr_values; n++)
			fprintf(f, "%s'%s'", n ? ", " : ", values: [",
				r->values[n]);
		fprintf(f, "%s}", r->nr_values ? "]" : "");
	}
	fprintf(f, "%s", s->count ? "]}" : "}");
}

static void prefix(FILE *f, const struct model_prefix *p)
{
	char text[ADDR_TEXT_MAX];
	bool v4 = addr_is4(&p->addr) && p->len >= 96;

	fprintf(f, "'%s/%u'", addr_format(&p->addr, text),
		v4 ? p->len - 96 : p->len);
}

static void addrs(FILE *f, const char *before, const struct addr *a,
		  size_t count)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		fprintf(f, "%s{%s'%s'}", comma(i), before,
			addr_format(&a[i], text));
}

static const char *proto_text(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_SCTP:
		return "SCTP";
	default:
		return "any";
	}
}

static void document(FILE *f, const char *api, const char *kind)
{
	fprintf(f, "---\napiVersion: %s\nkind: %s\n", api, kind);
}

void manifest_namespace(FILE *f, const struct model_namespace *n)
{
	document(f, "v1", "Namespace");
	fprintf(f, "metadata: {name: %s, ", n->name);
	labels(f, &n->labels);
	fputs("}\n", f);
}

void manifest_node(FILE *f, const struct model_policy_node *n)
{
	document(f, "v1", "Node");
	fprintf(f, "metadata: {name: %s, ", n->name);
	labels(f, &n->labels);
	fputs("}\nstatus: {addresses: [", f);
	addrs(f, "type: InternalIP, address: ", n->addrs, n->nr_addrs);
	fputs("]}\n", f);
}

void manifest_pod(FILE *f, const struct model_workload *w)
{
	document(f, "v1", "Pod");
	fprintf(f, "metadata: {namespace: %s, name: %s, ", w->namespace,
		w->name);
	labels(f, &w->labels);
	if (w->interface[0])
		fprintf(f, ", annotations: {fairlead.io/interface: %s}",
			w->interface);
	fprintf(f, "}\nspec:\n  nodeName: %s\n  hostNetwork: %s\n"
		"  containers:\n  - {name: c, ports: [",
		w->is_here ? "here" : "elsewhere",
		w->is_host_network ? "true" : "false");
	for (size_t i = 0; i < w->nr_ports; i++)
		fprintf(f, "%s{name: '%s', containerPort: %u, protocol: %s}",
			comma(i), w->ports[i].name, w->ports[i].port,
			proto_text(w->ports[i].proto));
	fputs("]}\nstatus: {phase: Running, podIPs: [", f);
	addrs(f, "ip: ", w->addrs, w->nr_addrs);
	fputs("]}\n", f);
}

/* NetworkPolicy */

static void block(FILE *f, const struct model_peer *p)
{
	fputs("{ipBlock: {cidr: ", f);
	prefix(f, &p->network);
	for (size_t i = 0; i < p->nr_except; i++) {
		fputs(i ? ", " : ", except: [", f);
		prefix(f, &p->except[i]);
	}
	fputs(p->nr_except ? "]}}" : "}}", f);
}

static void peer(FILE *f, const struct model_peer *p)
{
	if (p->kind == PEER_NETWORK) {
		block(f, p);
		return;
	}
	fputc('{', f);
	if (p->has_namespaces) {
		fputs("namespaceSelector: ", f);
		selector(f, &p->namespaces);
	}
	if (!p->has_namespaces || p->pods.count) {
		fputs(p->has_namespaces ? ", podSelector: " : "podSelector: ",
		      f);
		selector(f, &p->pods);
	}
	fputc('}', f);
}

static void port(FILE *f, const struct model_policy_port *p)
{
	fprintf(f, "{protocol: %s", proto_text(p->proto));
	if (p->name)
		fprintf(f, ", port: '%s'", p->name);
	else if (p->first || p->last != 65535)
		fprintf(f, ", port: %u", p->first);
	if (!p->name && p->first && p->first != p->last)
		fprintf(f, ", endPort: %u", p->last);
	fputc('}', f);
}

static void section(FILE *f, const struct model_policy *policy,
		    enum policy_direction d)
{
	fprintf(f, "  %s:%s\n", d == POLICY_IN ? "ingress" : "egress",
		policy->rules[d].count ? "" : " []");
	for (size_t i = 0; i < policy->rules[d].count; i++) {
		const struct model_rule *r = &policy->rules[d].rule[i];

		fprintf(f, "  - %s: [", d == POLICY_IN ? "from" : "to");
		for (size_t n = 0; n < r->nr_peers; n++) {
			fputs(comma(n), f);
			peer(f, &r->peers[n]);
		}
		fputs("]\n    ports: [", f);
		for (size_t n = 0; n < r->nr_ports; n++) {
			fputs(comma(n), f);
			port(f, &r->ports[n]);
		}
		fputs("]\n", f);
	}
}

static void network_policy(FILE *f, const struct model_policy *p)
{
	bool in = p->isolates[POLICY_IN], out = p->isolates[POLICY_OUT];

	fputs("spec:\n  podSelector: ", f);
	selector(f, &p->pods);
	fprintf(f, "\n  policyTypes: [%s%s%s]\n", in ? "Ingress" : "",
		in && out ? ", " : "", out ? "Egress" : "");
	section(f, p, POLICY_IN);
	section(f, p, POLICY_OUT);
}

/* ClusterNetworkPolicy */

static void cluster_pods(FILE *f, const struct model_selector *namespaces,
			 const struct model_selector *pods)
{
	if (!pods->count) {
		fputs("{namespaces: ", f);
		selector(f, namespaces);
		fputc('}', f);
		return;
	}
	fputs("{pods: {namespaceSelector: ", f);
	selector(f, namespaces);
	fputs(", podSelector: ", f);
	selector(f, pods);
	fputs("}}", f);
}

static void cluster_peer(FILE *f, const struct model_peer *p)
{
	switch (p->kind) {
	case PEER_PODS:
		cluster_pods(f, &p->namespaces, &p->pods);
		break;
	case PEER_NETWORK:
		fputs("{networks: [", f);
		prefix(f, &p->network);
		for (size_t i = 0; i < p->nr_except; i++) {
			fputs(" but ", f);
			prefix(f, &p->except[i]);
		}
		fputs("]}", f);
		break;
	case PEER_NODES:
		fputs("{nodes: ", f);
		selector(f, &p->pods);
		fputc('}', f);
		break;
	case PEER_NOBODY:
		fputs("{nobody: {}}", f);
	}
}

static void cluster_port(FILE *f, const struct model_policy_port *p)
{
	static const char *const by_proto[] = {
		[IPPROTO_TCP] = "tcp", [IPPROTO_UDP] = "udp",
		[IPPROTO_SCTP] = "sctp",
	};

	if (p->name && p->proto)
		fprintf(f, "{%s: {destinationNamedPort: %s}}",
			by_proto[p->proto], p->name);
	else if (p->name)
		fprintf(f, "{destinationNamedPort: %s}", p->name);
	else if (p->first == p->last)
		fprintf(f, "{%s: {destinationPort: {number: %u}}}",
			by_proto[p->proto], p->first);
	else
		fprintf(f, "{%s: {destinationPort: {range: "
			"{start: %u, end: %u}}}}", by_proto[p->proto],
			p->first ? p->first : 1, p->last);
}

static void cluster_rule(FILE *f, const struct model_rule *r,
			 enum policy_direction d)
{
	static const char *const actions[] = {
		[POLICY_ACCEPT] = "Accept", [POLICY_DENY] = "Deny",
		[POLICY_PASS] = "Pass",
	};

	fprintf(f, "  - action: %s\n", actions[r->action]);
	if (r->name)
		fprintf(f, "    name: %s\n", r->name);
	fprintf(f, "    %s: [", d == POLICY_IN ? "from" : "to");
	for (size_t i = 0; i < r->nr_peers; i++) {
		fputs(comma(i), f);
		cluster_peer(f, &r->peers[i]);
	}
	fputs("]\n", f);
	for (size_t i = 0; i < r->nr_ports; i++) {
		fputs(i ? ", " : "    protocols: [", f);
		cluster_port(f, &r->ports[i]);
	}
	fputs(r->nr_ports ? "]\n" : "", f);
}

static void cluster_policy(FILE *f, const struct model_policy *p)
{
	fprintf(f, "spec:\n  tier: %s\n  priority: %u\n  subject: ",
		p->tier == TIER_ADMIN ? "Admin" : "Baseline", p->priority);
	cluster_pods(f, &p->namespaces, &p->pods);
	fputc('\n', f);
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++) {
		if (p->rules[d].count)
			fprintf(f, "  %s:\n",
				d == POLICY_IN ? "ingress" : "egress");
		for (size_t i = 0; i < p->rules[d].count; i++)
			cluster_rule(f, &p->rules[d].rule[i], d);
	}
}

void manifest_policy(FILE *f, const struct model_policy *p)
{
	bool is_cluster = p->tier != TIER_NETWORK;

	if (is_cluster)
		document(f, "policy.networking.k8s.io/v1alpha2",
			 "ClusterNetworkPolicy");
	else
		document(f, "networking.k8s.io/v1", "NetworkPolicy");
	fprintf(f, "metadata: {name: %s", p->name);
	if (!is_cluster)
		fprintf(f, ", namespace: %s", p->namespace);
	if (p->audit)
		fputs(", annotations: {fairlead.io/audit: 'true'}", f);
	fputs("}\n", f);
	if (is_cluster)
		cluster_policy(f, p);
	else
		network_policy(f, p);
}
