// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a model owns, and the words for what it says, see model.h. */
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "model.h"
#include "policy.h"
#include "service_set.h"
#include "setting.h"

struct model *model_new(void)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	settings_default(m);
	return m;
}

void model_service_clear(struct model_service *s)
{
	free(s->name);
	model_health_clear(&s->health);
	free(s->fronts);
	free(s->sources);
	free(s->backends);
}

struct model_service *model_service_share(struct model_service *s)
{
	struct model_service *ret = malloc(sizeof(*ret));

	if (!ret)
		return NULL;
	*ret = *s;
	ret->users = 1;
	ret->is_in_set = false;
	*s = (struct model_service){};
	return ret;
}

struct model_service *model_service_hold(struct model_service *s)
{
	s->users++;
	return s;
}

void model_service_free(struct model_service *s)
{
	if (!s || (s->users && --s->users))
		return;
	model_service_clear(s);
	free(s);
}

struct model_service *model_service_add(struct model *m)
{
	struct model_service **larger = realloc(m->services,
			(m->nr_services + 1) * sizeof(*m->services));
	struct model_service *s = calloc(1, sizeof(*s));

	m->services = larger ?: m->services;
	if (!larger || !s) {
		free(s);
		return NULL;
	}
	m->services[m->nr_services++] = s;
	return s;
}

void model_use(struct model *m, struct service_set *set)
{
	m->set = service_set_hold(set);
	m->services = set->list;
	m->nr_services = set->count;
}

static void health_ports_free(struct model *m)
{
	for (size_t i = 0; i < m->nr_health_ports; i++) {
		free(m->health_ports[i].namespace);
		free(m->health_ports[i].name);
	}
	free(m->health_ports);
}

static void services_free(struct model *m)
{
	if (m->set) {
		service_set_free(m->set);
		return;
	}
	for (size_t i = 0; i < m->nr_services; i++)
		model_service_free(m->services[i]);
	free(m->services);
}

void model_free(struct model *m)
{
	if (!m)
		return;
	services_free(m);
	policy_set_free(m->policy);
	health_ports_free(m);
	for (size_t i = 0; i < m->nr_uplinks; i++)
		free(m->uplinks[i]);
	free(m->node);
	free(m);
}

void model_freep(struct model **m)
{
	model_free(*m);
}

bool model_has_node(const struct model *m)
{
	if (m->set)
		return m->set->nr_node;
	for (size_t i = 0; i < m->nr_services; i++)
		if (m->services[i]->fronts[0].kind != KIND_EDGE)
			return true;
	return false;
}

const char *forward_name(enum forward forward)
{
	switch (forward) {
	case FORWARD_NAT:
		return "nat";
	case FORWARD_L2:
		return "l2";
	case FORWARD_IPIP:
		return "ipip";
	case FORWARD_GUE:
		return "gue";
	case FORWARD_GRE:
		return "gre";
	case FORWARD_GENEVE:
		return "geneve";
	}
	return "unknown";
}

const char *algorithm_name(enum algorithm algorithm)
{
	switch (algorithm) {
	case ALGORITHM_MAGLEV:
		return "maglev";
	case ALGORITHM_RANDOM:
		return "random";
	case ALGORITHM_ROUND_ROBIN:
		return "round-robin";
	}
	return "unknown";
}

const char *kind_name(enum service_kind kind)
{
	switch (kind) {
	case KIND_EDGE:
		return "edge";
	case KIND_CLUSTER_IP:
		return "cluster-ip";
	case KIND_NODE_PORT:
		return "node-port";
	case KIND_LB_VIP:
		return "load-balancer";
	case KIND_EXTERNAL_IP:
		return "external-ip";
	}
	return "unknown";
}

const char *backend_state_name(enum backend_state state)
{
	switch (state) {
	case BACKEND_FREE:
		return "free";
	case BACKEND_ACTIVE:
		return "active";
	case BACKEND_DRAIN:
		return "drain";
	case BACKEND_LEAVING:
		return "leaving";
	case BACKEND_DOWN:
		return "down";
	case BACKEND_GONE:
		return "gone";
	}
	return "unknown";
}

const char *proto_name(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	}
	return "unknown";
}

__u8 proto_number(const char *name)
{
	static const __u8 known[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

	for (size_t i = 0; i < sizeof(known); i++)
		if (!strcasecmp(name, proto_name(known[i])))
			return known[i];
	return 0;
}

static const struct model_service *service_or_null(const struct model *m,
						   size_t i)
{
	return m && i < m->nr_services ? m->services[i] : NULL;
}

/* One set was made of the other: what differs is known. */
static bool next_change(struct model_delta *d,
			const struct service_change *changes, size_t count,
			const struct model_service **ret_was,
			const struct model_service **ret_is)
{
	if (d->at_is == count)
		return false;
	*ret_was = changes[d->at_is].was;
	*ret_is = changes[d->at_is++].is;
	return true;
}

bool model_delta_next(struct model_delta *d,
		      const struct model_service **ret_was,
		      const struct model_service **ret_is)
{
	const struct service_change *changes;
	const struct model_service *was, *is;
	size_t count;
	int order;

	if (d->was && service_set_changes(d->was->set, d->is->set, &changes,
					  &count))
		return next_change(d, changes, count, ret_was, ret_is);
	for (;; d->at_was++, d->at_is++) {
		was = service_or_null(d->was, d->at_was);
		is = service_or_null(d->is, d->at_is);
		if (!was || was != is)
			break;
	}
	if (!was && !is)
		return false;
	order = !was ? 1 : !is ? -1 : strcmp(was->name, is->name);
	*ret_was = order <= 0 ? was : NULL;
	*ret_is = order >= 0 ? is : NULL;
	d->at_was += order <= 0;
	d->at_is += order >= 0;
	return true;
}

/* "443", "8000-8999" or "any". */
static void format_ports(const struct model_front *f, char text[static 12])
{
	if (f->port_first == 0 && f->port_last == 65535)
		strcpy(text, "any");
	else if (f->port_first == f->port_last)
		sprintf(text, "%u", f->port_first);
	else
		sprintf(text, "%u-%u", f->port_first, f->port_last);
}

int model_front_compare(const struct model_front *a,
			const struct model_front *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	if (order)
		return order;
	if (a->prefix_len != b->prefix_len)
		return a->prefix_len - b->prefix_len;
	return a->port_first != b->port_first ? a->port_first - b->port_first :
						a->port_last - b->port_last;
}

const char *model_front_text(const struct model_front *f, __u8 proto,
			     char text[static FRONT_TEXT_MAX])
{
	const bool is4 = addr_is4(&f->addr);
	char addr[ADDR_TEXT_MAX];
	char ports[12];
	char len[8] = "";

	if (f->kind == KIND_NODE_PORT) {
		snprintf(text, FRONT_TEXT_MAX, "node port %u/%s%s",
			 f->port_first, proto_name(proto), is4 ? "" : "6");
		return text;
	}
	if (f->prefix_len < 128)
		snprintf(len, sizeof(len), "/%u",
			 f->prefix_len - (is4 ? 96 : 0));
	format_ports(f, ports);
	snprintf(text, FRONT_TEXT_MAX, is4 ? "%s%s:%s/%s" : "[%s]%s:%s/%s",
		 addr_format(&f->addr, addr), len, ports, proto_name(proto));
	return text;
}

const char *model_source_text(const struct model_source *s,
			      char text[static SOURCE_TEXT_MAX])
{
	char addr[ADDR_TEXT_MAX];

	addr_format(&s->addr, addr);
	if (s->len == 128)
		strcpy(text, addr);
	else
		snprintf(text, SOURCE_TEXT_MAX, "%s/%u", addr,
			 s->len - (addr_is4(&s->addr) ? 96 : 0));
	return text;
}

void model_node_name(const struct model *m,
		     char ret[static MODEL_NODE_NAME_MAX + 1])
{
	ret[0] = ret[MODEL_NODE_NAME_MAX] = '\0';
	if (*m->hostname_override)
		strcpy(ret, m->hostname_override);
	else if (m->node)
		strncpy(ret, m->node, MODEL_NODE_NAME_MAX);
	else
		gethostname(ret, MODEL_NODE_NAME_MAX);
	for (char *p = ret; *p; p++)
		*p = tolower((unsigned char)*p);
}
