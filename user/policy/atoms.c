// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What rules ask of peers, each once; and which groups satisfy it. */
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "compiled.h"

/* The atom of these bytes; *ret_new: it is to be filled. */
static __u32 atom_number(struct policy_compiled *c, struct content *b,
			 struct atom **ret_new)
{
	struct digest digest;
	__u32 number = NONE;

	if (!content_digest(b, &digest))
		number = digests_add(&c->atom_index, &digest);
	content_free(b);
	if (number == NONE || number < c->atoms.count)
		return number;
	*ret_new = list_add(&c->atoms);
	return *ret_new ? number : NONE;
}

static void content_prefix(struct content *b, const struct model_prefix *p)
{
	const struct addr first = addr_prefix(p->addr, p->len);

	content_add(b, &first, sizeof(first));
	content_number(b, p->len);
}

static enum atom_kind atom_kind_of(const struct model_peer *p)
{
	return p->kind == PEER_NETWORK ? ATOM_NETWORK :
	       p->kind == PEER_NODES ? ATOM_NODES : ATOM_PODS;
}

__u32 atom_of(struct policy_compiled *c, const struct model_peer *peer,
	      const char *namespace)
{
	const bool is_own = peer->kind == PEER_PODS && !peer->has_namespaces;
	struct atom *new = NULL;
	struct content b = {};
	__u32 number;

	content_number(&b, atom_kind_of(peer));
	content_text(&b, is_own ? namespace : NULL);
	if (peer->kind == PEER_NETWORK) {
		content_prefix(&b, &peer->network);
		for (size_t i = 0; i < peer->nr_except; i++)
			content_prefix(&b, &peer->except[i]);
	} else {
		content_selector(&b, &peer->namespaces);
		content_selector(&b, &peer->pods);
	}
	number = atom_number(c, &b, &new);
	if (new)
		*new = (struct atom){ .kind = atom_kind_of(peer), .peer = peer,
				      .namespace = is_own ? namespace : NULL };
	return number;
}

__u32 atom_of_port(struct policy_compiled *c,
		   const struct model_policy_port *port, __u8 proto,
		   __u16 at)
{
	struct atom *new = NULL;
	struct content b = {};
	__u32 number;

	content_number(&b, ATOM_PORT);
	content_text(&b, port->name);
	content_number(&b, proto << 16 | at);
	number = atom_number(c, &b, &new);
	if (new)
		*new = (struct atom){ .kind = ATOM_PORT, .port = port,
				      .proto = proto, .number = at };
	return number;
}

bool peer_is_every_pod(const struct model_peer *p)
{
	return p->kind == PEER_PODS && p->has_namespaces &&
	       !p->namespaces.count && !p->pods.count;
}

bool port_has_name(const struct model_policy_port *asked,
		   const struct model_named_port *port)
{
	return !strcmp(asked->name, port->name) &&
	       (!asked->proto || asked->proto == port->proto);
}

static bool has_port(const struct model_workload *w, const struct atom *a)
{
	for (size_t i = 0; i < w->nr_ports; i++)
		if (w->ports[i].proto == a->proto &&
		    w->ports[i].port == a->number &&
		    !strcmp(w->ports[i].name, a->port->name))
			return true;
	return false;
}

bool atom_matches(const struct atom *a, const struct group *g)
{
	if (a->kind == ATOM_PORT)
		return has_port(g->example, a);
	if (a->kind != ATOM_PODS)
		return false;
	if (a->namespace ? strcmp(a->namespace, g->example->namespace) :
	    !selector_matches(&a->peer->namespaces, &g->namespace))
		return false;
	return selector_matches(&a->peer->pods, &g->example->labels);
}

int groups_match(struct policy_compiled *c)
{
	int ret = 0;

	for (size_t i = 0; i < c->groups.count; i++)
		for (size_t j = 0; j < c->atoms.count && !ret; j++)
			if (atom_matches(&c->atoms.at[j], &c->groups.at[i]))
				ret = numbers_add(&c->groups.at[i].atoms, j);
	return ret;
}
