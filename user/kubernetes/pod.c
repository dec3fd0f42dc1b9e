// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who is there: Pods, Namespaces and Nodes as items, see policy_object.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "base/addr.h"
#include "health.h"
#include "making.h"
#include "words.h"

enum policy_item kube_item_kind(enum kube_kind kind)
{
	switch (kind) {
	case KUBE_POD:
		return POLICY_ITEM_WORKLOAD;
	case KUBE_NAMESPACE:
		return POLICY_ITEM_NAMESPACE;
	case KUBE_NODE:
		return POLICY_ITEM_NODE;
	case KUBE_POLICY:
	case KUBE_CLUSTER_POLICY:
		return POLICY_ITEM_POLICY;
	default:
		return NR_POLICY_ITEMS;
	}
}

void kube_item_free(enum kube_kind kind, void *item)
{
	if (item)
		policy_item_free(kube_item_kind(kind), item);
}

static bool has_addr(const struct addr *list, size_t count,
		     const struct addr *a)
{
	return addr_is_in(list, count, a);
}

/* podIPs has podIP as its first one, but where a server is old. */
static void read_addrs(struct making *m, struct model_workload *w)
{
	const struct kube_pod *pod = &m->o->pod;
	const struct kube_pod_ip alone = { pod->ip, m->o->at }, *ip;
	const struct kube_list one = { (void *)&alone, pod->ip ? 1 : 0 };
	const struct kube_list *list = pod->ips.count ? &pod->ips : &one;
	struct addr a;

	w->addrs = making_alloc(m, list->count, sizeof(*w->addrs));
	if (!w->addrs)
		return;
	kube_each(ip, list) {
		if (!ip->ip || !*ip->ip)
			continue;
		if (!kube_addr(ip->ip, &a) || kube_addr_special(&a))
			kube_mistake(m->o, ip->at,
				     "status.podIPs: \"%.64s\" is not an address that a pod can have",
				     ip->ip);
		else if (!has_addr(w->addrs, w->nr_addrs, &a))
			w->addrs[w->nr_addrs++] = a;
	}
}

static size_t count_names(const struct kube_list *containers)
{
	const struct kube_container_port *p;
	const struct kube_container *c;
	size_t count = 0;

	kube_each(c, containers)
		kube_each(p, &c->ports)
			count += p->name && *p->name;
	return count;
}

static void read_port(struct making *m, const struct kube_container_port *p,
		      struct model_workload *w)
{
	struct model_named_port *to = &w->ports[w->nr_ports];
	const __u8 proto = kube_proto(p->protocol);

	if (!p->name || !*p->name)
		return;
	if (!proto || !p->port) {
		kube_mistake(m->o, p->at, "port \"%.40s\" %s", p->name,
			     proto ? "has no number" :
				     "has a protocol that is none of TCP, UDP, SCTP");
		return;
	}
	w->nr_ports++;
	to->name = making_text(m, p->name);
	to->proto = proto;
	to->port = p->port;
}

/* Of those that are there as long as the pod is: of initContainers, such as
 * are started again when they end. */
static void read_ports(struct making *m, struct model_workload *w)
{
	const struct kube_pod *pod = &m->o->pod;
	const struct kube_container_port *p;
	const struct kube_container *c;

	w->ports = making_alloc(m, count_names(&pod->containers) +
				   count_names(&pod->starters),
				sizeof(*w->ports));
	if (!w->ports)
		return;
	kube_each(c, &pod->containers)
		kube_each(p, &c->ports)
			read_port(m, p, w);
	kube_each(c, &pod->starters)
		if (kube_is(c->restart, "Always", false))
			kube_each(p, &c->ports)
				read_port(m, p, w);
}

static void read_interface(struct making *m, struct model_workload *w)
{
	const char *text = m->o->pod.interface;

	if (!text || !*text)
		return;
	if (strlen(text) <= MODEL_LINK_NAME_MAX && !strpbrk(text, "/: \t\n"))
		strcpy(w->interface, text);
	else
		kube_mistake(m->o, m->o->at,
			     "annotation fairlead.io/interface \"%.40s\" is not the name of an interface",
			     text);
}

/* One that is over has no packets, and its address may be another's. */
static bool is_over(const struct kube_pod *pod)
{
	return kube_is(pod->phase, "Succeeded", false) ||
	       kube_is(pod->phase, "Failed", false);
}

static void *make_workload(struct making *m)
{
	struct model_workload *w;

	if (is_over(&m->o->pod))
		return NULL;
	w = making_alloc(m, 1, sizeof(*w));
	if (!w)
		return NULL;
	w->users = 1;
	w->namespace = making_text(m, m->o->namespace);
	w->name = making_text(m, m->o->name);
	w->is_host_network = m->o->pod.host_network == KUBE_TRUE;
	w->is_here = true;
	if (m->o->created && !kube_time(m->o->created, &w->since_us))
		w->since_us = 0;
	read_addrs(m, w);
	read_ports(m, w);
	read_interface(m, w);
	making_labels(m, m->o->pod.labels, &w->labels);
	return w;
}

/* The label that every namespace has is its name, whatever is written. */
static void add_name_label(struct making *m, struct model_namespace *n)
{
	struct model_label *larger, *l = n->labels.label;
	size_t at = 0, count = n->labels.count;
	char *value = making_text(m, n->name ?: ""), *key;

	while (at < count && strcmp(l[at].key, POLICY_NAME_LABEL) < 0)
		at++;
	if (at < count && !strcmp(l[at].key, POLICY_NAME_LABEL)) {
		free(l[at].value);
		l[at].value = value;
		return;
	}
	key = making_text(m, POLICY_NAME_LABEL);
	larger = realloc(l, (count + 1) * sizeof(*l));
	if (!larger || !key || !value) {
		n->labels.label = larger ?: l;
		m->no_memory = true;
		free(key);
		free(value);
		return;
	}
	memmove(&larger[at + 1], &larger[at], (count - at) * sizeof(*l));
	larger[at] = (struct model_label){ key, value };
	n->labels.label = larger;
	n->labels.count++;
}

static void *make_namespace(struct making *m)
{
	struct model_namespace *n = making_alloc(m, 1, sizeof(*n));

	if (!n)
		return NULL;
	n->users = 1;
	n->name = making_text(m, m->o->name);
	if (making_labels(m, m->o->of_namespace.labels, &n->labels))
		add_name_label(m, n);
	return n;
}

/* Host names are among a Node's addresses, too. */
static void *make_node(struct making *m)
{
	const struct kube_node *node = &m->o->node;
	struct model_policy_node *n = making_alloc(m, 1, sizeof(*n));
	const struct kube_node_address *a;
	struct addr addr;

	if (!n)
		return NULL;
	n->users = 1;
	n->name = making_text(m, m->o->name);
	n->addrs = making_alloc(m, node->addresses.count, sizeof(*n->addrs));
	if (!n->addrs)
		return n;
	kube_each(a, &node->addresses)
		if (a->address && kube_addr(a->address, &addr) &&
		    !has_addr(n->addrs, n->nr_addrs, &addr))
			n->addrs[n->nr_addrs++] = addr;
	making_labels(m, node->labels, &n->labels);
	return n;
}

static void *make_policy(struct making *m)
{
	const bool is_cluster = m->o->kind == KUBE_CLUSTER_POLICY;
	struct model_policy *p = making_alloc(m, 1, sizeof(*p));
	const char *audit = m->o->policy.audit;

	if (!p)
		return NULL;
	p->users = 1;
	p->namespace = making_text(m, is_cluster ? "" : m->o->namespace);
	p->name = making_text(m, m->o->name);
	if (audit && !kube_is(audit, "true", false) &&
	    !kube_is(audit, "false", false))
		making_doubt(m, NULL,
			     "annotation fairlead.io/audit \"%.40s\" is neither true nor false: it is enforced",
			     audit);
	p->audit = kube_is(audit, "true", false);
	if (is_cluster)
		cluster_policy_make(m, p);
	else
		network_policy_make(m, p);
	return p;
}

/* A pod that is refused is closed where it is, and a node is nobody's peer. */
static bool can_close(const struct kube_object *o)
{
	return !o->is_strict && (kube_item_kind(o->kind) == POLICY_ITEM_POLICY ||
				 o->kind == KUBE_NAMESPACE);
}

int kube_item_make(struct kube_object *o)
{
	static void *(*const makers[NR_POLICY_ITEMS])(struct making *m) = {
		[POLICY_ITEM_WORKLOAD] = make_workload,
		[POLICY_ITEM_NAMESPACE] = make_namespace,
		[POLICY_ITEM_NODE] = make_node,
		[POLICY_ITEM_POLICY] = make_policy,
	};
	const enum policy_item kind = kube_item_kind(o->kind);
	const bool is_read = !o->mistakes;
	struct making m = { .o = o };

	if (kind == NR_POLICY_ITEMS)
		return 0;
	if (is_read)
		o->item = makers[kind](&m);
	if (o->mistakes && !m.no_memory) {
		kube_item_free(o->kind, o->item);
		m.is_closing = true;
		m.has_unknown = !is_read;
		o->item = can_close(o) ? makers[kind](&m) : NULL;
	}
	if (!m.no_memory)
		return 0;
	kube_item_free(o->kind, o->item);
	o->item = NULL;
	return -ENOMEM;
}

static void copy_labels(struct making *m, const struct model_labels *from,
			struct model_labels *to)
{
	to->label = making_alloc(m, from->count, sizeof(*to->label));
	for (size_t i = 0; to->label && i < from->count; i++) {
		to->label[i].key = making_text(m, from->label[i].key);
		to->label[i].value = making_text(m, from->label[i].value);
		to->count++;
	}
}

static void copy_ports(struct making *m, const struct model_workload *from,
		       struct model_workload *to)
{
	to->ports = making_alloc(m, from->nr_ports, sizeof(*to->ports));
	for (size_t i = 0; to->ports && i < from->nr_ports; i++) {
		to->ports[i] = from->ports[i];
		to->ports[i].name = making_text(m, from->ports[i].name);
		to->nr_ports++;
	}
}

static void copy_addrs(struct making *m, const struct model_workload *from,
		       struct model_workload *to)
{
	to->addrs = making_alloc(m, from->nr_addrs, sizeof(*to->addrs));
	if (!to->addrs)
		return;
	memcpy(to->addrs, from->addrs, from->nr_addrs * sizeof(*to->addrs));
	to->nr_addrs = from->nr_addrs;
}

static struct model_workload *copy_workload(const struct model_workload *w)
{
	struct making m = {};
	struct model_workload *ret = making_alloc(&m, 1, sizeof(*ret));

	if (!ret)
		return NULL;
	*ret = *w;
	ret->users = 1;
	ret->addrs = NULL;
	ret->nr_addrs = ret->nr_ports = 0;
	ret->ports = NULL;
	ret->labels = (struct model_labels){};
	ret->namespace = making_text(&m, w->namespace);
	ret->name = making_text(&m, w->name);
	copy_addrs(&m, w, ret);
	copy_ports(&m, w, ret);
	copy_labels(&m, &w->labels, &ret->labels);
	if (!m.no_memory)
		return ret;
	model_workload_free(ret);
	return NULL;
}

/* While nobody else has seen it, it may be written. */
struct model_workload *kube_pod_item(const struct kube_object *pod,
				     bool is_here)
{
	struct model_workload *w = pod->item;

	if (w->is_here != is_here && w->users > 1) {
		w = copy_workload(w);
		if (w)
			w->is_here = is_here;
		return w;
	}
	w->is_here = is_here;
	return policy_item_hold(POLICY_ITEM_WORKLOAD, w);
}
