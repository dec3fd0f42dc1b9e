// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Workloads, namespaces and policies as people write them. Labels, and the spec
 * of a policy, are read as those of a Kubernetes object are, but that a field
 * which is not known is a mistake.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "kubernetes/reader.h"
#include "manifest.h"
#include "native.h"

#define ITEM_NAME_MAX 253
#define NAMESPACE_MAX 63
#define PORT_NAME_MAX 63
#define PORTS_MAX 1024
#define BITS_MAX 1000000000000ull

enum item_key { KEY_NAME, KEY_NAMESPACE, KEY_LABELS, KEY_INTERFACE,
		KEY_ADDRESSES, KEY_PORTS, KEY_LIMITS, KEY_SPOOFING, KEY_AUDIT,
		KEY_SPEC, NR_ITEM_KEYS };

/* What is written of one, by key. */
struct item_reading {
	struct reader *r;
	const struct tree_node *at;
	const struct tree_node *v[NR_ITEM_KEYS];
	__u64 digest;
};

static const char *const key_names[NR_ITEM_KEYS] = {
	[KEY_NAME] = "name",
	[KEY_NAMESPACE] = "namespace",
	[KEY_LABELS] = "labels",
	[KEY_INTERFACE] = "interface",
	[KEY_ADDRESSES] = "addresses",
	[KEY_PORTS] = "ports",
	[KEY_LIMITS] = "limits",
	[KEY_SPOOFING] = "spoofing",
	[KEY_AUDIT] = "audit",
	[KEY_SPEC] = "spec",
};

#define HAS(key) (1u << KEY_##key)

static const struct {
	const char *what, *list;
	enum kube_kind kind;
	unsigned int keys, needs;
} specs[] = {
	[POLICY_ITEM_WORKLOAD] = {
		"a workload", "workloads", KUBE_POD,
		HAS(NAME) | HAS(NAMESPACE) | HAS(LABELS) | HAS(INTERFACE) |
		HAS(ADDRESSES) | HAS(PORTS) | HAS(LIMITS) | HAS(SPOOFING),
		HAS(NAME) | HAS(ADDRESSES)
	},
	[POLICY_ITEM_NAMESPACE] = {
		"a namespace", "namespaces", KUBE_NAMESPACE,
		HAS(NAME) | HAS(LABELS), HAS(NAME)
	},
	[POLICY_ITEM_POLICY] = {
		"a policy", "policies", KUBE_POLICY,
		HAS(NAME) | HAS(NAMESPACE) | HAS(AUDIT) | HAS(SPEC),
		HAS(NAME) | HAS(SPEC)
	},
};

static void digest_add(struct item_reading *i, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		i->digest = (i->digest ^ *p++) * 0x100000001b3ull;
	i->digest = hash_mix(i->digest + 1);
}

static bool read_keys(struct item_reading *i, enum policy_item kind)
{
	const struct tree_node *values[NR_ITEM_KEYS] = {};
	const char *keys[NR_ITEM_KEYS + 1] = {};
	enum item_key places[NR_ITEM_KEYS];
	unsigned int before = i->r->report->count;
	int count = 0;

	for (int k = 0; k < NR_ITEM_KEYS; k++) {
		if (!(specs[kind].keys >> k & 1))
			continue;
		places[count] = k;
		keys[count++] = key_names[k];
	}
	value_keys(i->r, i->at, specs[kind].what, keys, values);
	for (int k = 0; k < count; k++)
		i->v[places[k]] = values[k];
	for (int k = 0; k < NR_ITEM_KEYS; k++)
		if (i->at->kind == TREE_MAPPING && !i->v[k] &&
		    specs[kind].needs >> k & 1)
			reader_error(i->r, i->at, "%s needs \"%s\"",
				     specs[kind].what, key_names[k]);
	return i->r->report->count == before;
}

/* As the names of Kubernetes' objects are, but for capitals and "_". */
static bool check_name(struct item_reading *i, enum item_key key, size_t max)
{
	const struct tree_node *n = i->v[key];
	const char *text;

	if (!n)
		return true;
	if (!value_name(i->r, n, key_names[key], max, &text))
		return false;
	return !strpbrk(text, ":/@") ||
	       reader_error(i->r, n,
			    "%s \"%.64s\" has other characters than letters, digits and \"-_.\"",
			    key_names[key], text);
}

static void tell_key(struct kube_reader *k, const char *key,
		     const struct tree_node *value)
{
	if (!value)
		return;
	kube_read_key(k, key, strlen(key));
	manifest_tell(k, value);
}

/* As the object that it would be in Kubernetes. */
static void tell_object(struct item_reading *i, struct kube_reader *k)
{
	kube_read_map(k);
	kube_read_key(k, "metadata", strlen("metadata"));
	kube_read_map(k);
	tell_key(k, "name", i->v[KEY_NAME]);
	tell_key(k, "namespace", i->v[KEY_NAMESPACE]);
	tell_key(k, "labels", i->v[KEY_LABELS]);
	kube_read_end(k);
	tell_key(k, "spec", i->v[KEY_SPEC]);
	kube_read_end(k);
}

static void report_mistakes(struct item_reading *i, const struct kube_object *o)
{
	for (const struct kube_mistake *m = o->mistakes; m; m = m->next) {
		const struct tree_node at = {
			.line = m->at.line, .column = m->at.column,
		};

		reader_error(i->r, m->at.line ? &at : i->at, "%s", m->text);
	}
}

/* NULL: mistakes, or no memory; both are noted. */
static void *read_object(struct item_reading *i, enum policy_item kind)
{
	__cleanup(kube_object_freep) struct kube_object *o =
		kube_object_new(specs[kind].kind);
	struct kube_reader k = { .object = o };

	if (!o) {
		i->r->no_memory = true;
		return NULL;
	}
	o->is_strict = true;
	o->at = (struct kube_place){ i->at->line, i->at->column };
	tell_object(i, &k);
	if (k.no_memory || kube_object_default(o) || kube_object_check(o)) {
		i->r->no_memory = true;
		return NULL;
	}
	report_mistakes(i, o);
	digest_add(i, &o->digest, sizeof(o->digest));
	return take_ptr(o->item);
}

static bool read_addr(struct item_reading *i, const struct tree_node *n,
		      struct model_workload *w)
{
	struct addr a;

	if (!value_addr(i->r, n, "address", &a))
		return false;
	if (addr_is_in(w->addrs, w->nr_addrs, &a))
		return reader_error(i->r, n, "address \"%s\" is listed twice",
				    n->text);
	if (w->nr_addrs == WORKLOAD_ADDRS)
		return reader_error(i->r, n, "more than %u addresses",
				    WORKLOAD_ADDRS);
	w->addrs[w->nr_addrs++] = a;
	return true;
}

static void read_addrs(struct item_reading *i, struct model_workload *w)
{
	const struct tree_node *list = i->v[KEY_ADDRESSES];

	if (!value_list(i->r, list, "addresses"))
		return;
	if (!list->count)
		reader_error(i->r, list, "a workload needs an address");
	free(w->addrs);
	w->addrs = calloc(WORKLOAD_ADDRS, sizeof(*w->addrs));
	if (!w->addrs) {
		i->r->no_memory = true;
		return;
	}
	for (const struct tree_node *n = list->first; n; n = n->next)
		if (!read_addr(i, n, w))
			return;
	digest_add(i, w->addrs, w->nr_addrs * sizeof(*w->addrs));
}

static void read_port(struct item_reading *i, const struct tree_node *n,
		      struct model_named_port *ret)
{
	enum { NAME, PORT, PROTOCOL, NR };
	static const char *const keys[] = { "name", "port", "protocol", NULL };
	static const char *const names[] = {
		"tcp", "udp", "sctp", "TCP", "UDP", "SCTP", NULL
	};
	const struct tree_node *v[NR] = {};
	const char *name;
	int proto = 0;

	value_keys(i->r, n, "a port", keys, v);
	if (n->kind == TREE_MAPPING && (!v[NAME] || !v[PORT]))
		reader_error(i->r, n, "a port needs \"%s\"",
			     keys[v[NAME] ? PORT : NAME]);
	if (v[PORT])
		value_port(i->r, v[PORT], "port", &ret->port);
	if (v[PROTOCOL])
		proto = value_choice(i->r, v[PROTOCOL], "protocol", names);
	if (proto >= 0)
		ret->proto = proto_number(names[proto]);
	if (!v[NAME] || !value_name(i->r, v[NAME], "name", PORT_NAME_MAX, &name))
		return;
	ret->name = reader_strdup(i->r, name);
	digest_add(i, name, strlen(name));
	digest_add(i, &ret->port, sizeof(ret->port));
	digest_add(i, &ret->proto, sizeof(ret->proto));
}

static void read_ports(struct item_reading *i, struct model_workload *w)
{
	const struct tree_node *list = i->v[KEY_PORTS];

	if (!value_list(i->r, list, "ports"))
		return;
	if (list->count > PORTS_MAX) {
		reader_error(i->r, list, "more than %d ports", PORTS_MAX);
		return;
	}
	free(w->ports);
	w->ports = calloc(list->count ?: 1, sizeof(*w->ports));
	if (!w->ports) {
		i->r->no_memory = true;
		return;
	}
	for (const struct tree_node *n = list->first; n; n = n->next)
		read_port(i, n, &w->ports[w->nr_ports++]);
}

/* "200", "10k", "100M", "1G": thousands, not 1024s. */
static bool value_amount(struct reader *r, const struct tree_node *n,
			 const char *what, __u64 max, __u64 *ret)
{
	static const char units[] = "kMG";
	const char *text, *p, *unit;
	__u64 amount = 0;

	if (!value_text(r, n, what, &text))
		return false;
	for (p = text; *p >= '0' && *p <= '9' && amount <= max; p++)
		amount = 10 * amount + *p - '0';
	unit = *p && p > text ? strchr(units, *p) : NULL;
	for (const char *u = units; unit && u <= unit && amount <= max; u++)
		amount *= 1000;
	if (p == text || (*p && (!unit || p[1])) || !amount || amount > max)
		return reader_error(r, n,
				    "%s \"%.40s\" is not an amount from 1 to %llu such as \"200\", \"10k\" or \"100M\"",
				    what, text, max);
	*ret = amount;
	return true;
}

static void read_limits(struct item_reading *i, struct model_workload *w)
{
	static const char *const keys[] = {
		"packets", "bits", "connections-per-second", "connections", NULL
	};
	__u32 *const to[] = {
		&w->packets_per_s, NULL, &w->conns_per_s, &w->conns_open
	};
	const struct tree_node *v[4] = {};

	value_keys(i->r, i->v[KEY_LIMITS], "limits", keys, v);
	for (int k = 0; k < 4; k++) {
		__u64 amount = 0;

		if (v[k] && value_amount(i->r, v[k], keys[k],
					 to[k] ? 0xffffffffull : BITS_MAX,
					 &amount)) {
			if (to[k])
				*to[k] = amount;
			else
				w->bits_per_s = amount;
		}
		digest_add(i, &amount, sizeof(amount));
	}
}

static void read_interface(struct item_reading *i, struct model_workload *w)
{
	const struct tree_node *n = i->v[KEY_INTERFACE];
	const char *text;

	if (!value_text(i->r, n, "interface", &text))
		return;
	if (!value_is_link_name(text)) {
		reader_error(i->r, n,
			     "interface \"%.64s\" is not an interface name",
			     text);
		return;
	}
	strcpy(w->interface, text);
	digest_add(i, text, strlen(text));
}

static void read_workload(struct item_reading *i, struct model_workload *w)
{
	static const char *const spoofing[] = { "deny", "allow", NULL };

	read_addrs(i, w);
	if (i->v[KEY_INTERFACE])
		read_interface(i, w);
	if (i->v[KEY_PORTS])
		read_ports(i, w);
	if (i->v[KEY_LIMITS])
		read_limits(i, w);
	if (i->v[KEY_SPOOFING])
		w->may_spoof = value_choice(i->r, i->v[KEY_SPOOFING],
					    "spoofing", spoofing) == 1;
	digest_add(i, &w->may_spoof, sizeof(w->may_spoof));
}

static void read_audit(struct item_reading *i, struct model_policy *p)
{
	if (i->v[KEY_AUDIT])
		value_bool(i->r, i->v[KEY_AUDIT], "audit", &p->audit);
	digest_add(i, &p->audit, sizeof(p->audit));
}

static void *read_item(struct item_reading *i, enum policy_item kind)
{
	unsigned int before = i->r->report->count;
	void *item = NULL;

	if (!read_keys(i, kind))
		return NULL;
	if (check_name(i, KEY_NAME, kind == POLICY_ITEM_NAMESPACE ?
				    NAMESPACE_MAX : ITEM_NAME_MAX) &&
	    check_name(i, KEY_NAMESPACE, NAMESPACE_MAX))
		item = read_object(i, kind);
	if (item && kind == POLICY_ITEM_WORKLOAD)
		read_workload(i, item);
	else if (item && kind == POLICY_ITEM_POLICY)
		read_audit(i, item);
	if (i->r->report->count == before && !i->r->no_memory)
		return item;
	policy_item_free(kind, item);
	return NULL;
}

/* Room for one more; it was counted before. */
static void add_item(struct reader *r, const struct tree_node *at,
		     enum policy_item kind, struct native *n)
{
	struct item_reading i = { .r = r, .at = at };
	void *item = read_item(&i, kind);

	if (!item)
		return;
	n->items[n->nr_items++] = (struct native_item){
		.kind = kind,
		.item = item,
		.digest = i.digest,
		.at = { i.v[KEY_NAME]->line, i.v[KEY_NAME]->column },
	};
}

void native_read_items(struct reader *r, const struct tree_node *list,
		       enum policy_item kind, struct native *ret)
{
	struct native_item *larger;

	if (!value_list(r, list, specs[kind].list))
		return;
	ret->says_policy = true;
	larger = realloc(ret->items, (ret->nr_items + list->count + 1) *
					     sizeof(*larger));
	if (!larger) {
		r->no_memory = true;
		return;
	}
	ret->items = larger;
	for (const struct tree_node *n = list->first; n; n = n->next)
		add_item(r, n, kind, ret);
}
