// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See ports.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "address.h"
#include "base/addr.h"
#include "ports.h"
#include "words.h"

/* One port in one family, while it is made. */
struct making {
	const struct kube_object *object;
	const struct kube_service *service;
	const struct kube_port *port;
	const struct kube_config *config;
	struct model_service *to;
	struct addr cluster_ip;
	bool is4;
	bool has_any;		/* see kube_members_choose() */
};

bool kube_service_counts(const struct kube_service *s)
{
	return !s->proxy_name && !s->headless &&
	       s->cluster_ip && *s->cluster_ip &&
	       strcmp(s->cluster_ip, "None") &&
	       !kube_is(s->type, "ExternalName", false);
}

static const char *cluster_ip_text(const struct kube_service *s, bool is4)
{
	const char *const *ips = s->cluster_ips.items;
	const char *const *families = s->ip_families.items;

	if (!s->ip_families.count)
		return s->cluster_ip;
	for (__u32 i = 0; i < s->ip_families.count; i++)
		if (!strcmp(families[i], is4 ? "IPv4" : "IPv6") &&
		    i < s->cluster_ips.count)
			return ips[i];
	return NULL;
}

bool kube_cluster_ip(const struct kube_service *s, bool is4, struct addr *ret)
{
	const char *text = cluster_ip_text(s, is4);

	return text && kube_addr(text, ret) && addr_is4(ret) == is4;
}

static bool is_local(const char *policy)
{
	return kube_is(policy, "Local", false);
}

/* In which tunnel packets from outside go on to other nodes; FORWARD_NAT: in
 * none. With the policy Local they go to none. */
static __u8 tunnel_of(const struct kube_service *s)
{
	int forward = kube_tunnel(s->forward);

	return forward > 0 && !is_local(s->external_policy) ? forward :
							      FORWARD_NAT;
}

static bool is_of_family(const char *text, bool is4, struct addr *ret)
{
	return text && kube_addr(text, ret) && addr_is4(ret) == is4 &&
	       !kube_addr_special(ret);
}

/* Where somebody outside reaches it, if it says so in a way that counts. */
static bool is_vip(const struct kube_ingress *i, bool is4, struct addr *ret)
{
	return is_of_family(i->ip, is4, ret) && kube_is(i->ip_mode, "VIP", true);
}

/* Must more be known of who asks than his socket tells? */
static bool is_for_packets(const struct making *m, const struct model_front *f)
{
	return m->to->affinity_s || m->to->proto == IPPROTO_SCTP ||
	       f->flags & SERVICE_EMPTY_DROPS ||
	       (f->kind == KIND_LB_VIP && m->to->nr_sources);
}

/* In order of what they are: the first of several at one address counts. */
static void add_front(struct making *m, const struct addr *a, __u16 port,
		      enum service_kind kind)
{
	const char *policy = kind == KIND_CLUSTER_IP ?
			m->service->internal_policy :
			m->service->external_policy;
	struct model_service *s = m->to;
	struct model_front *f = &s->fronts[s->nr_fronts];

	for (size_t i = 0; i < s->nr_fronts; i++)
		if (s->fronts[i].port_first == port &&
		    !addr_compare(&s->fronts[i].addr, a))
			return;
	if (s->nr_fronts == FRONTS_PER_SERVICE_MAX)
		return;
	*f = (struct model_front){
		.addr = *a,
		.port_first = port,
		.port_last = port,
		.prefix_len = 128,
		.kind = kind,
		.open = kind != KIND_LB_VIP,
	};
	if (kind != KIND_CLUSTER_IP)
		f->tunnel = tunnel_of(m->service);
	if (is_local(policy))
		f->flags |= SERVICE_POLICY_LOCAL;
	if (is_local(policy) && m->has_any)
		f->flags |= SERVICE_EMPTY_DROPS;
	if (kind == KIND_CLUSTER_IP && m->config->masquerade_all)
		f->flags |= SERVICE_MASQUERADE;
	if (is_for_packets(m, f))
		f->flags |= SERVICE_NO_SOCKET;
	s->nr_fronts++;
}

static int compare_fronts(const void *a, const void *b)
{
	return model_front_compare(a, b);
}

static int make_fronts(struct making *m)
{
	const struct kube_service *s = m->service;
	const struct addr node = node_addr(m->is4);
	size_t most = 2 + s->ingress.count + s->external_ips.count;
	const struct kube_ingress *ingress;
	const char *const *text;
	struct addr a;

	m->to->fronts = calloc(most, sizeof(*m->to->fronts));
	if (!m->to->fronts)
		return -ENOMEM;
	add_front(m, &m->cluster_ip, m->port->port, KIND_CLUSTER_IP);
	if (m->port->node_port)
		add_front(m, &node, m->port->node_port, KIND_NODE_PORT);
	kube_each(ingress, &s->ingress)
		if (is_vip(ingress, m->is4, &a))
			add_front(m, &a, m->port->port, KIND_LB_VIP);
	kube_each(text, &s->external_ips)
		if (is_of_family(*text, m->is4, &a))
			add_front(m, &a, m->port->port, KIND_EXTERNAL_IP);
	qsort(m->to->fronts, m->to->nr_fronts, sizeof(*m->to->fronts),
	      compare_fronts);
	return 0;
}

/* Is it reached at more than its cluster IP? */
static bool is_external(const struct kube_service *s,
			const struct kube_port *p, bool is4)
{
	const struct kube_ingress *ingress;
	const char *const *text;
	struct addr a;

	if (p->node_port)
		return true;
	kube_each(ingress, &s->ingress)
		if (is_vip(ingress, is4, &a))
			return true;
	kube_each(text, &s->external_ips)
		if (is_of_family(*text, is4, &a))
			return true;
	return false;
}

static int compare_sources(const void *x, const void *y)
{
	const struct model_source *a = x, *b = y;

	return addr_compare(&a->addr, &b->addr) ?: a->len - b->len;
}

static void add_source(struct model_service *s, const struct addr *a,
		       unsigned int len)
{
	s->sources[s->nr_sources++] = (struct model_source){
		.addr = *a, .len = len, .allow = true,
	};
}

static void sort_sources(struct model_service *s)
{
	size_t count = 0;

	qsort(s->sources, s->nr_sources, sizeof(*s->sources), compare_sources);
	for (size_t i = 0; i < s->nr_sources; i++)
		if (!count || compare_sources(&s->sources[count - 1],
					      &s->sources[i]))
			s->sources[count++] = s->sources[i];
	s->nr_sources = count;
}

/* A node that may come may come from the VIP as well: so packets of its own
 * look that go to a VIP which it has on an interface. */
static void add_vips(struct making *m)
{
	const struct kube_ingress *ingress;
	struct addr a;

	kube_each(ingress, &m->service->ingress)
		if (is_vip(ingress, m->is4, &a))
			add_source(m->to, &a, 128);
}

static int make_sources(struct making *m)
{
	const struct kube_service *s = m->service;
	const struct addr *node = m->is4 ? &m->config->node4 :
					   &m->config->node6;
	const unsigned int none = m->is4 ? 96 : 0;
	bool has_node = false;
	const char *const *text;
	struct model_prefix p;

	m->to->sources = calloc(s->source_ranges.count + s->ingress.count + 1,
				sizeof(*m->to->sources));
	if (!m->to->sources)
		return -ENOMEM;
	kube_each(text, &s->source_ranges) {
		if (!kube_prefix(*text, &p) || addr_is4(&p.addr) != m->is4)
			continue;
		if (p.len == none) {
			m->to->nr_sources = 0;
			return 0;
		}
		add_source(m->to, &p.addr, p.len);
		has_node |= !addr_is_zero(node) &&
			    addr_in(node, &p.addr, p.len);
	}
	if (has_node)
		add_vips(m);
	sort_sources(m->to);
	return 0;
}

/* Whoever serves yet stays, though it may get nothing new. */
static int make_backends(struct making *m, const struct kube_members *members)
{
	struct model_service *s = m->to;

	s->backends = calloc(members->count + 1, sizeof(*s->backends));
	if (!s->backends)
		return -ENOMEM;
	for (size_t i = 0; i < members->count; i++) {
		const struct kube_member *e = &members->list[i];

		if (!e->in_cluster && !e->in_local && !e->is_serving)
			continue;
		s->backends[s->nr_backends++] = (struct model_backend){
			.addr = e->addr,
			.port = e->port,
			.weight = 1,
			.state = e->in_cluster || e->in_local ?
					 BACKEND_ACTIVE : BACKEND_DRAIN,
			.flags = (e->in_local ? BACKEND_IN_LOCAL : 0) |
				 (e->in_cluster ? 0 : BACKEND_NOT_IN_CLUSTER),
		};
	}
	return 0;
}

/* Where nobody may use all of them, the local ones are all. */
static void make_cluster_of_local(struct kube_members *members)
{
	for (size_t i = 0; i < members->count; i++)
		members->list[i].in_cluster = members->list[i].in_local;
}

static int choose(struct making *m, const struct kube_question *q,
		  const struct kube_object *const *slices, size_t nr_slices,
		  struct kube_members *ret)
{
	const struct kube_service *s = m->service;
	bool is_outside = is_external(s, m->port, m->is4);
	bool uses_cluster = is_outside || !is_local(s->internal_policy);
	bool uses_local = is_local(s->internal_policy) ||
			  (is_outside && (is_local(s->external_policy) ||
					  tunnel_of(s)));
	int err;

	err = kube_members_collect(ret, slices, nr_slices, q, &m->config->here);
	if (err)
		return err;
	m->has_any = kube_members_choose(ret, uses_cluster, uses_local,
					 &m->config->here);
	if (!uses_cluster)
		make_cluster_of_local(ret);
	return 0;
}

static int make_name(struct making *m)
{
	const struct kube_port *p = m->port;
	const char *proto = proto_name(m->to->proto);
	const char *family = m->is4 ? "" : "6";
	char text[400];
	int len = 0;

	if (p->name && *p->name)
		len = snprintf(text, sizeof(text), "%s/%s:%s/%s%s",
			       m->object->namespace, m->object->name, p->name,
			       proto, family);
	if (!len || len >= SERVICE_NAME_MAX)
		snprintf(text, sizeof(text), "%s/%s:%u/%s%s",
			 m->object->namespace, m->object->name, p->port, proto,
			 family);
	m->to->name = strdup(text);
	return m->to->name ? 0 : -ENOMEM;
}

static void make_plain(struct making *m)
{
	const struct kube_service *s = m->service;

	m->to->forward = FORWARD_NAT;
	m->to->algorithm = ALGORITHM_RANDOM;
	if (kube_is(s->affinity, "ClientIP", false))
		m->to->affinity_s = s->affinity_s ?: KUBE_AFFINITY_S;
	if (m->to->proto == IPPROTO_TCP)
		m->to->idle_s = KUBE_IDLE_TCP_S;
}

static int make(struct making *m, const struct kube_object *const *slices,
		size_t nr_slices)
{
	struct kube_question q = {
		.port = m->port->name ?: "",
		.proto = kube_proto(m->port->protocol),
		.is4 = m->is4,
	};
	struct kube_members members = {};
	int err;

	m->to->proto = q.proto;
	make_plain(m);
	err = choose(m, &q, slices, nr_slices, &members) ?: make_name(m) ?:
	      make_sources(m) ?: make_fronts(m) ?: make_backends(m, &members);
	kube_members_clear(&members);
	return err;
}

static int compare_names(const void *a, const void *b)
{
	const struct model_service *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void kube_ports_free(struct model_service *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		model_service_clear(&list[i]);
	free(list);
}

/* Of one family, from list[*count] on, for which there is room. */
static int make_family(const struct kube_object *service, bool is4,
		       const struct kube_object *const *slices, size_t nr,
		       const struct kube_config *config,
		       struct model_service *list, size_t *count)
{
	struct making m = {
		.object = service,
		.service = &service->service,
		.config = config,
		.is4 = is4,
	};
	int err = 0;

	if (!kube_cluster_ip(m.service, is4, &m.cluster_ip))
		return 0;
	kube_each(m.port, &m.service->ports) {
		m.to = &list[(*count)++];
		err = make(&m, slices, nr);
		if (err)
			break;
	}
	return err;
}

int kube_ports(const struct kube_object *service,
	       const struct kube_object *const *slices, size_t nr_slices,
	       const struct kube_config *config, struct model_service **ret,
	       size_t *ret_count)
{
	size_t most = 2 * service->service.ports.count, count = 0;
	struct model_service *list = calloc(most + 1, sizeof(*list));
	int err;

	if (!list)
		return -ENOMEM;
	err = make_family(service, true, slices, nr_slices, config, list,
			  &count) ?:
	      make_family(service, false, slices, nr_slices, config, list,
			  &count);
	if (err) {
		kube_ports_free(list, count);
		return err;
	}
	qsort(list, count, sizeof(*list), compare_names);
	*ret = list;
	*ret_count = count;
	return 0;
}
