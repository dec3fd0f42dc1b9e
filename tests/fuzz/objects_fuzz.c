// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any stream of values as Kubernetes objects, told to the reader one by one:
 * half open, too deep, of wrong types. Four objects a run: Services and slices,
 * with which services are made, or any others. What they say must be fit for a
 * model: sorted, each once, of one family; of network policy, that rules have
 * what they count.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "kubernetes/cluster.h"
#include "kubernetes/reader.h"

static const char *const words[] = {
	"metadata", "name", "namespace", "labels", "creationTimestamp",
	"service.kubernetes.io/service-proxy-name", "kubernetes.io/service-name",
	"topology.kubernetes.io/zone", "spec", "type", "clusterIP", "clusterIPs",
	"ipFamilies", "externalIPs", "loadBalancerSourceRanges",
	"externalTrafficPolicy", "internalTrafficPolicy", "sessionAffinity",
	"sessionAffinityConfig", "clientIP", "timeoutSeconds", "ports",
	"protocol", "port", "nodePort", "status", "loadBalancer", "ingress",
	"ip", "ipMode", "addressType", "endpoints", "addresses", "nodeName",
	"conditions", "ready", "serving", "terminating", "hints", "forZones",
	"forNodes", "podCIDR", "podCIDRs", "address", "other", "a", "n1", "z1",
	"10.96.0.1", "10.96.0.041", "fd00::1", "203.0.113.1", "198.51.100.0/24",
	"::/0", "0.0.0.0/0", "IPv4", "IPv6", "FQDN", "None", "Local", "Cluster",
	"ClientIP", "LoadBalancer", "ExternalName", "InternalIP", "TCP", "UDP",
	"SCTP", "VIP", "80", "30080", "99999", "true", "false", "null", "",
	"annotations", "fairlead.io/interface", "fairlead.io/audit",
	"hostNetwork", "containers", "initContainers", "containerPort", "phase",
	"podIP", "podIPs", "podSelector", "namespaceSelector", "matchLabels",
	"matchExpressions", "key", "operator", "values", "In", "NotIn", "Exists",
	"DoesNotExist", "policyTypes", "Ingress", "Egress", "ingress", "egress",
	"from", "to", "endPort", "ipBlock", "cidr", "except", "10.0.0.0/8",
	"10.1.0.0/16", "tier", "Admin", "Baseline", "priority", "subject",
	"namespaces", "pods", "nodes", "networks", "domainNames", "action",
	"Accept", "Deny", "Pass", "protocols", "tcp", "udp", "sctp",
	"destinationPort", "destinationNamedPort", "number", "range", "start",
	"end",
};

#define NR_WORDS (sizeof(words) / sizeof(*words))

static void must(bool is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

/* Two bytes a value: what it is, and the word. */
static size_t tell(struct kube_reader *r, const uint8_t *data, size_t size)
{
	size_t at = 0;

	for (; at + 1 < size && data[at] != 255; at += 2) {
		const char *word = words[data[at + 1] % NR_WORDS];

		switch (data[at] % 8) {
		case 0:
			kube_read_map(r);
			break;
		case 1:
			kube_read_list(r);
			break;
		case 2:
			kube_read_end(r);
			break;
		case 3:
		case 4:
			kube_read_key(r, word, strlen(word));
			break;
		case 5:
			kube_read_scalar(r, KUBE_STRING, word, strlen(word));
			break;
		case 6:
			kube_read_scalar(r, KUBE_NUMBER, word, strlen(word));
			break;
		default:
			kube_read_scalar(r, KUBE_PLAIN, word, strlen(word));
		}
	}
	return at + 1 < size ? at + 1 : size;
}

static void check_service(const struct model_service *s)
{
	must(s->nr_fronts, "a service is reached somewhere");
	for (size_t i = 1; i < s->nr_fronts; i++)
		must(model_front_compare(&s->fronts[i - 1], &s->fronts[i]) < 0,
		     "front ends are sorted, each once");
	for (size_t i = 0; i < s->nr_fronts; i++)
		must(addr_is4(&s->fronts[i].addr) == addr_is4(&s->fronts->addr),
		     "front ends are of one family");
	for (size_t i = 0; i < s->nr_backends; i++) {
		const struct model_backend *b = &s->backends[i];

		must(b->port && addr_is4(&b->addr) ==
					addr_is4(&s->fronts->addr),
		     "backends are of that family");
		must(!i || addr_compare(&b[-1].addr, &b->addr) < 0 ||
		     (!addr_compare(&b[-1].addr, &b->addr) &&
		      b[-1].port < b->port), "backends are sorted, each once");
	}
	for (size_t i = 1; i < s->nr_sources; i++)
		must(addr_compare(&s->sources[i - 1].addr,
				  &s->sources[i].addr) < 0 ||
		     s->sources[i - 1].len < s->sources[i].len,
		     "sources are sorted, each once");
}

static int on_add(void *arg, struct model_service *s)
{
	check_service(s);
	++*(int *)arg;
	return 0;
}

static int on_remove(void *arg, const struct model_service *s)
{
	--*(int *)arg;
	return 0;
}

static void check_rule(const struct model_rule *r)
{
	for (size_t i = 0; i < r->nr_peers; i++) {
		const struct model_peer *p = &r->peers[i];

		must(p->kind != PEER_NETWORK || p->network.is_set,
		     "a network has an address");
		for (size_t j = 0; j < p->nr_except; j++)
			must(p->except[j].len > p->network.len,
			     "what is excepted is a part");
	}
	for (size_t i = 0; i < r->nr_ports; i++)
		must(r->ports[i].name || r->ports[i].first <= r->ports[i].last,
		     "ports end behind where they begin");
}

static void check_policy(const struct model_policy *p)
{
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++) {
		must(p->tier == TIER_NETWORK ? p->isolates[d] ||
					       !p->rules[d].count :
					       !p->isolates[d],
		     "rules are of who is isolated");
		for (size_t i = 0; i < p->rules[d].count; i++)
			check_rule(&p->rules[d].rule[i]);
	}
}

static void check_labels(const struct model_labels *l)
{
	for (size_t i = 1; i < l->count; i++)
		must(strcmp(l->label[i - 1].key, l->label[i].key) < 0,
		     "labels are sorted, each once");
}

static int on_item(void *arg, enum policy_item kind, void *was, void *is,
		   const struct kube_object *from)
{
	must(was || is, "an item comes or goes");
	*(int *)arg += (is != NULL) - (was != NULL);
	if (is && kind == POLICY_ITEM_POLICY)
		check_policy(is);
	else if (is && kind == POLICY_ITEM_WORKLOAD)
		check_labels(&((struct model_workload *)is)->labels);
	else if (is && kind == POLICY_ITEM_NAMESPACE)
		check_labels(&((struct model_namespace *)is)->labels);
	return 0;
}

static void on_lost(void *arg, const struct kube_object *from,
		    const struct loss *loss, const struct kube_object *other)
{
	must(from && other && (from != other || loss->kind != LOST_FRONT),
	     "losses have two sides");
}

static void put(struct kube_cluster *c, struct kube_object *o)
{
	const struct kube_object *other;

	must(!kube_object_default(o), "memory");
	must(!kube_object_check(o), "memory");
	if (o->mistakes && o->name)
		kube_cluster_refuse(c, o);
	else if (!o->mistakes)
		kube_cluster_put(c, o, &other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kube_settings settings = { .node = "n1" };
	struct kube_object *objects[4] = {};
	struct kube_cluster *c;
	int count = 0;
	const struct kube_changes changes = {
		on_add, on_remove, on_lost, &count, on_item
	};

	must(!kube_cluster_new(&c), "memory");
	kube_cluster_begin(c);
	for (int i = 0; i < 4; i++) {
		enum kube_kind kind = size && *data < 200 ? i % 2 :
				      size ? *data % NR_KUBE_KINDS : KUBE_NODE;
		struct kube_reader r = { .object = kube_object_new(kind) };
		size_t used = tell(&r, data, size);

		objects[i] = r.object;
		data += used;
		size -= used;
		put(c, objects[i]);
	}
	must(!kube_cluster_update(c, &settings, &changes), "memory");
	kube_cluster_begin(c);
	for (int i = 0; i < 4; i++)
		if (objects[i]->name)
			kube_cluster_drop(c, objects[i]);
	must(!kube_cluster_update(c, &settings, &changes), "memory");
	must(!count && !kube_cluster_lacks(c), "what goes takes all along");
	kube_cluster_free(c);
	for (int i = 0; i < 4; i++)
		kube_object_free(objects[i]);
	return 0;
}
