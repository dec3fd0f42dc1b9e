// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The spec of networking.k8s.io/v1 NetworkPolicy. What is absent, empty and
 * null is the same everywhere but for a rule and a peer: `{}` is a rule for
 * everybody, and no peer at all.
 */
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "base/addr.h"
#include "making.h"
#include "model/policy_text.h"
#include "words.h"

/* By direction: what a rule calls its peers. */
static const char *const peers_names[] = { "from", "to" };

static bool is_inside(const struct model_prefix *p, const struct model_prefix *of)
{
	return addr_is4(&p->addr) == addr_is4(&of->addr) && p->len > of->len &&
	       addr_in(&p->addr, &of->addr, of->len);
}

static bool read_except(struct making *m, const struct kube_value *list,
			struct model_peer *ret)
{
	bool ok = true;

	if (!making_list(m, list, "except"))
		return false;
	ret->except = making_alloc(m, list->count, sizeof(*ret->except));
	if (!ret->except)
		return false;
	for (const struct kube_value *v = list->first; v; v = v->next) {
		struct model_prefix *p = &ret->except[ret->nr_except++];

		if (!making_prefix(m, v, "except", p))
			ok = false;
		else if (!is_inside(p, &ret->network))
			ok = making_mistake(m, v,
					    "except \"%.64s\" is not a part of its cidr",
					    v->text);
	}
	return ok;
}

static bool read_block(struct making *m, const struct kube_value *v,
		       struct model_peer *ret)
{
	enum { CIDR, EXCEPT, NR };
	static const char *const keys[] = { "cidr", "except", NULL };
	const struct kube_value *f[NR] = {};

	ret->kind = PEER_NETWORK;
	if (!making_fields(m, v, "ipBlock", keys, f))
		return false;
	if (!f[CIDR])
		return making_mistake(m, v, "ipBlock needs a cidr");
	return making_prefix(m, f[CIDR], "cidr", &ret->network) &&
	       (!f[EXCEPT] || read_except(m, f[EXCEPT], ret));
}

static bool read_known_peer(struct making *m, const struct kube_value *v,
			    struct model_peer *ret)
{
	enum { PODS, NAMESPACES, BLOCK, NR };
	static const char *const keys[] = {
		"podSelector", "namespaceSelector", "ipBlock", NULL
	};
	const struct kube_value *f[NR] = {};

	if (!making_fields(m, v, "a peer", keys, f))
		return false;
	if (f[BLOCK] && (f[PODS] || f[NAMESPACES]))
		return making_mistake(m, v,
				      "a peer with ipBlock has no selectors");
	if (f[BLOCK])
		return read_block(m, f[BLOCK], ret);
	if (!f[PODS] && !f[NAMESPACES] && !m->has_unknown)
		return making_mistake(m, v,
				      "a peer needs podSelector, namespaceSelector or ipBlock");
	ret->has_namespaces = f[NAMESPACES];
	return making_selector(m, f[NAMESPACES], &ret->namespaces) &&
	       making_selector(m, f[PODS], &ret->pods);
}

/* With anything in it that is not known, it is nobody. */
static bool read_peer(struct making *m, const struct kube_value *v,
		      struct model_peer *ret)
{
	bool before = m->has_unknown, ok;

	m->has_unknown = false;
	ok = read_known_peer(m, v, ret);
	if (m->has_unknown)
		ret->kind = PEER_NOBODY;
	m->has_unknown = before;
	return ok;
}

static bool read_peers(struct making *m, const struct kube_value *list,
		       const char *key, struct model_rule *ret)
{
	bool ok = true;

	if (!making_list(m, list, key))
		return false;
	ret->peers = making_alloc(m, list->count, sizeof(*ret->peers));
	if (!ret->peers)
		return false;
	for (const struct kube_value *v = list->first; v; v = v->next) {
		size_t before = making_enter(m, key, ret->nr_peers);

		ok &= read_peer(m, v, &ret->peers[ret->nr_peers++]);
		making_leave(m, before);
	}
	return ok;
}

static bool read_end_port(struct making *m, const struct kube_value *v,
			  struct model_policy_port *ret)
{
	__u32 last = 0;

	if (ret->name || !ret->first)
		return making_mistake(m, v, "endPort needs a port that is a number");
	if (!making_number(m, v, "endPort", 1, 65535, &last))
		return false;
	if (last < ret->first)
		return making_mistake(m, v, "endPort %u is below port %u", last,
				      ret->first);
	ret->last = last;
	return true;
}

static bool read_proto(struct making *m, const struct kube_value *v,
		       __u8 *ret)
{
	const char *text = making_word(m, v, "protocol");

	*ret = text && *text ? kube_proto(text) : 0;
	if (text && !*ret)
		return making_mistake(m, v,
				      "protocol \"%.40s\" is none of TCP, UDP, SCTP",
				      text);
	return text;
}

/* *ret_is_known false: it is not known which ports. */
static bool read_port(struct making *m, const struct kube_value *v,
		      struct model_policy_port *ret, bool *ret_is_known)
{
	enum { PROTOCOL, PORT, END, NR };
	static const char *const keys[] = {
		"protocol", "port", "endPort", NULL
	};
	const struct kube_value *f[NR] = {};
	bool before = m->has_unknown, ok;

	m->has_unknown = false;
	ok = making_fields(m, v, "a port", keys, f);
	*ret_is_known = !m->has_unknown;
	m->has_unknown = before;
	ret->proto = IPPROTO_TCP;
	ok = ok && (!f[PROTOCOL] || read_proto(m, f[PROTOCOL], &ret->proto)) &&
	     (!f[PORT] || making_port(m, f[PORT], ret)) &&
	     (!f[END] || read_end_port(m, f[END], ret));
	if (!f[PORT])
		ret->last = 65535;
	return ok;
}

/* A port of which not all is known is none; none that are left are not all. */
static bool read_ports(struct making *m, const struct kube_value *list,
		       struct model_rule *ret)
{
	bool ok = true;
	int i = 0;

	if (!making_list(m, list, "ports"))
		return false;
	ret->ports = making_alloc(m, list->count, sizeof(*ret->ports));
	if (!ret->ports)
		return false;
	for (const struct kube_value *v = list->first; v; v = v->next) {
		size_t before = making_enter(m, "ports", i++);
		struct model_policy_port *p = &ret->ports[ret->nr_ports];
		bool is_known = true;

		ok &= read_port(m, v, p, &is_known);
		making_leave(m, before);
		if (is_known) {
			ret->nr_ports++;
			continue;
		}
		free(p->name);
		*p = (struct model_policy_port){};
	}
	if (list->count && !ret->nr_ports)
		m->has_unknown = true;
	return ok;
}

/* With anything in it that is not known, it allows nothing. */
static bool read_rule(struct making *m, const struct kube_value *v,
		      enum policy_direction direction, struct model_rule *ret)
{
	enum { PEERS, PORTS, NR };
	const char *const keys[] = { peers_names[direction], "ports", NULL };
	const struct kube_value *f[NR] = {};
	bool ok, before = m->has_unknown;

	m->has_unknown = false;
	ok = making_fields(m, v, "a rule", keys, f);
	if (f[PORTS])
		ok &= read_ports(m, f[PORTS], ret);
	if (f[PEERS] && !m->has_unknown)
		ok &= read_peers(m, f[PEERS], keys[PEERS], ret);
	if (m->has_unknown)
		rule_close(m, ret);
	m->has_unknown = before;
	return ok;
}

static bool read_rules(struct making *m, const struct kube_value *list,
		       enum policy_direction direction, struct model_policy *p)
{
	const char *key = policy_direction_name(direction);
	bool ok = true;

	if (!making_list(m, list, key))
		return false;
	p->rules[direction].rule =
		making_alloc(m, list->count, sizeof(struct model_rule));
	if (!p->rules[direction].rule)
		return false;
	for (const struct kube_value *v = list->first; v; v = v->next) {
		size_t at = p->rules[direction].count++;
		size_t before = making_enter(m, key, at);

		ok &= read_rule(m, v, direction, &p->rules[direction].rule[at]);
		making_leave(m, before);
	}
	return ok;
}

static bool read_type(struct making *m, const struct kube_value *v,
		      struct model_policy *p)
{
	const char *text = making_word(m, v, "policyTypes");

	if (text && !strcmp(text, "Ingress"))
		return p->isolates[POLICY_IN] = true;
	if (text && !strcmp(text, "Egress"))
		return p->isolates[POLICY_OUT] = true;
	return text && making_mistake(m, v,
				      "policyTypes: \"%.40s\" is neither Ingress nor Egress",
				      text);
}

static bool read_types(struct making *m, const struct kube_value *list,
		       bool has_egress, struct model_policy *p)
{
	bool ok = true;

	if (list && !making_list(m, list, "policyTypes"))
		return false;
	if (!list || !list->count) {
		p->isolates[POLICY_IN] = true;
		p->isolates[POLICY_OUT] = has_egress;
		return true;
	}
	if (list->count > 2)
		making_mistake(m, list, "more than 2 policyTypes");
	for (const struct kube_value *v = list->first; v; v = v->next)
		ok &= read_type(m, v, p);
	return ok;
}

static void isolate(struct model_policy *p)
{
	p->isolates[POLICY_IN] = p->isolates[POLICY_OUT] = true;
}

/* Rules of a direction that is not isolated say nothing, but are to be right. */
static void read_direction(struct making *m, const struct kube_value *list,
			   enum policy_direction direction,
			   struct model_policy *p)
{
	struct model_policy *ignored;

	if (p->isolates[direction]) {
		read_rules(m, list, direction, p);
		return;
	}
	ignored = making_alloc(m, 1, sizeof(*ignored));
	if (ignored)
		read_rules(m, list, direction, ignored);
	model_policy_free(ignored);
}

/* Where it is not all known whom it is for, or what it allows, it isolates
 * and allows nothing. */
void network_policy_make(struct making *m, struct model_policy *p)
{
	enum { PODS, TYPES, INGRESS, EGRESS, NR };
	static const char *const keys[] = {
		"podSelector", "policyTypes", "ingress", "egress", NULL
	};
	const struct kube_value *spec = m->o->policy.spec, *f[NR] = {};

	p->tier = TIER_NETWORK;
	if (!value_is_absent(spec) && !making_fields(m, spec, "spec", keys, f))
		return isolate(p);
	making_selector(m, f[PODS], &p->pods);
	if (!read_types(m, f[TYPES], f[EGRESS] && f[EGRESS]->count, p))
		isolate(p);
	for (int i = 0; i < NR_POLICY_DIRECTIONS && !m->has_unknown; i++)
		if (f[INGRESS + i])
			read_direction(m, f[INGRESS + i], i, p);
}
