// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What an API server would have refused: files can say anything, and so can a
 * server that lies. An object with a mistake says nothing at all.
 */
#include <string.h>

#include <netinet/in.h>

#include "address.h"
#include "base/addr.h"
#include "policy_object.h"
#include "words.h"

bool kube_is(const char *text, const char *word, bool by_default)
{
	return text && *text ? !strcmp(text, word) : by_default;
}

__u8 kube_proto(const char *text)
{
	static const struct {
		const char *name;
		__u8 proto;
	} known[] = {
		{ "TCP", IPPROTO_TCP },
		{ "UDP", IPPROTO_UDP },
		{ "SCTP", IPPROTO_SCTP },
	};

	if (!text || !*text)
		return IPPROTO_TCP;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(text, known[i].name))
			return known[i].proto;
	return 0;
}

int kube_tunnel(const char *text)
{
	static const enum forward known[] = {
		FORWARD_NAT, FORWARD_IPIP, FORWARD_GUE, FORWARD_GRE,
		FORWARD_GENEVE,
	};

	if (!text || !*text)
		return FORWARD_NAT;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(text, forward_name(known[i])))
			return known[i];
	return -1;
}

/* One of two words, or absent. */
static void check_word(struct kube_object *o, const char *field,
		       const char *text, const char *a, const char *b)
{
	if (!kube_is(text, a, true) && !kube_is(text, b, false))
		kube_mistake(o, o->at, "%s \"%.64s\" is neither %s nor %s",
			     field, text, a, b);
}

static void check_proto(struct kube_object *o, struct kube_place at,
			const char *text)
{
	if (!kube_proto(text))
		kube_mistake(o, at, "protocol \"%.64s\" is none of TCP, UDP, SCTP",
			     text);
}

static void check_addr(struct kube_object *o, struct kube_place at,
		       const char *field, const char *text)
{
	struct addr a;

	if (!kube_addr(text, &a))
		kube_mistake(o, at,
			     "%s \"%.64s\" is not an IPv4 or IPv6 address",
			     field, text);
	else if (kube_addr_special(&a))
		kube_mistake(o, at, "%s \"%.64s\" is %s address", field, text,
			     kube_addr_special(&a));
}

static bool is_same_port(const struct kube_port *a, const struct kube_port *b)
{
	return kube_proto(a->protocol) == kube_proto(b->protocol) &&
	       (!strcmp(a->name ?: "", b->name ?: "") || a->port == b->port);
}

/* Names are what slices are matched by, numbers what packets are. */
static void check_port(struct kube_object *o, const struct kube_port *p)
{
	const struct kube_port *before = o->service.ports.items;

	if (!p->port)
		kube_mistake(o, p->at, "a port has no number");
	check_proto(o, p->at, p->protocol);
	for (; before < p; before++) {
		if (!is_same_port(before, p))
			continue;
		kube_mistake(o, p->at,
			     "port %u has the number or the name of another of its protocol",
			     p->port);
		return;
	}
}

static void check_cluster_ip(struct kube_object *o, const char *text)
{
	if (text && *text && strcmp(text, "None"))
		check_addr(o, o->at, "spec.clusterIP", text);
}

/* A range that cannot be read must not be as good as none: without any, every
 * client may come. */
static void check_ranges(struct kube_object *o)
{
	const char *const *text;
	struct model_prefix p;

	kube_each(text, &o->service.source_ranges)
		if (!kube_prefix(*text, &p))
			kube_mistake(o, o->at,
				     "spec.loadBalancerSourceRanges: \"%.64s\" is not a prefix",
				     *text);
}

static void check_fronts(struct kube_object *o)
{
	const struct kube_service *s = &o->service;

	if (1 + s->ingress.count + s->external_ips.count >
	    FRONTS_PER_SERVICE_MAX - 1)
		kube_mistake(o, o->at, "more than %u addresses",
			     FRONTS_PER_SERVICE_MAX - 1);
}

/* Without it the service is as good, so that it is served. */
static void check_forward(struct kube_object *o)
{
	const char *text = o->service.forward;

	if (kube_tunnel(text) < 0)
		kube_doubt(o, o->at,
			   "annotation fairlead.io/forward \"%.64s\" is none of nat, ipip, gue, gre, geneve: it is as \"nat\"",
			   text);
}

static void check_service(struct kube_object *o)
{
	const struct kube_service *s = &o->service;
	const struct kube_port *p;
	const char *const *text;

	kube_each(p, &s->ports)
		check_port(o, p);
	check_cluster_ip(o, s->cluster_ip);
	kube_each(text, &s->cluster_ips)
		if (!s->cluster_ip || strcmp(*text, s->cluster_ip))
			check_cluster_ip(o, *text);
	kube_each(text, &s->ip_families)
		check_word(o, "spec.ipFamilies", *text, "IPv4", "IPv6");
	check_word(o, "spec.externalTrafficPolicy", s->external_policy,
		   "Cluster", "Local");
	check_word(o, "spec.internalTrafficPolicy", s->internal_policy,
		   "Cluster", "Local");
	check_word(o, "spec.sessionAffinity", s->affinity, "None", "ClientIP");
	check_ranges(o);
	check_fronts(o);
	check_forward(o);
}

static void check_endpoint(struct kube_object *o, const struct kube_endpoint *e)
{
	const char *const *first = e->addresses.items;
	struct addr a;

	if (!e->addresses.count)
		return;
	check_addr(o, e->at, "endpoint", *first);
	if (kube_addr(*first, &a) &&
	    addr_is4(&a) != kube_is(o->slice.address_type, "IPv4", false))
		kube_mistake(o, e->at, "endpoint \"%.64s\" in a slice of %s",
			     *first, o->slice.address_type);
}

static void check_slice(struct kube_object *o)
{
	const struct kube_slice_port *p;
	const struct kube_endpoint *e;

	if (kube_is(o->slice.address_type, "FQDN", false))
		return;
	check_word(o, "addressType", o->slice.address_type ?: "absent", "IPv4",
		   "IPv6");
	kube_each(p, &o->slice.ports)
		check_proto(o, p->at, p->protocol);
	if (o->nr_mistakes)
		return;
	kube_each(e, &o->slice.endpoints)
		check_endpoint(o, e);
}

static void check_node(struct kube_object *o)
{
	const char *const *text;
	struct model_prefix p;

	kube_each(text, &o->node.pod_cidrs)
		if (!kube_prefix(*text, &p))
			kube_mistake(o, o->at,
				     "spec.podCIDRs: \"%.64s\" is not a prefix",
				     *text);
}

/* No character that means something in a service's name, or to a terminal. */
static void check_name(struct kube_object *o, const char *field,
		       const char *name, size_t max)
{
	size_t len = name ? strlen(name) : 0;

	if (!len)
		kube_mistake(o, o->at, "%s is missing", field);
	else if (len > max || name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
					  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789-_.")])
		kube_mistake(o, o->at, "%s \"%.64s\" is not a name", field,
			     name);
}

static bool has_namespace(enum kube_kind kind)
{
	return kind == KUBE_SERVICE || kind == KUBE_SLICE ||
	       kind == KUBE_POD || kind == KUBE_POLICY;
}

static size_t name_max(enum kube_kind kind)
{
	return kind == KUBE_SERVICE || kind == KUBE_NAMESPACE ? 63 : 253;
}

int kube_object_check(struct kube_object *o)
{
	const unsigned int before = o->nr_mistakes;
	bool has_name;

	check_name(o, "metadata.name", o->name, name_max(o->kind));
	if (has_namespace(o->kind))
		check_name(o, "metadata.namespace", o->namespace, 63);
	has_name = o->nr_mistakes == before;
	switch (o->kind) {
	case KUBE_SERVICE:
		check_service(o);
		break;
	case KUBE_SLICE:
		check_slice(o);
		break;
	case KUBE_NODE:
		check_node(o);
		break;
	default:
		break;
	}
	return has_name ? kube_item_make(o) : 0;
}
