// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The table of paths, and how values find their way through it, see reader.h.
 * Keys of a path are separated by ">", as keys have dots in them; "[]" is each
 * element of a list, "**" all that is in a value. Paths that begin alike stand
 * together, a list before what is in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "reader.h"

enum path_type {
	PATH_TEXT,
	PATH_PORT,	/* __u16, 0 is absent */
	PATH_SECONDS,	/* __u32 */
	PATH_BOOL,	/* enum kube_bool, in a byte */
	PATH_LIST,	/* of structs */
	PATH_TEXTS,	/* of text */
	PATH_TREE,	/* struct kube_value *, whatever is in it */
};

struct kube_path {
	const char *path;
	enum path_type type;
	size_t offset;		/* in the object, or in the list's element */
	size_t size;		/* of an element */
	size_t place;		/* and where in it its place goes */
	bool is_aside;		/* another value makes no other object */
};

#define OBJECT(type_, field) \
	.type = type_, .offset = offsetof(struct kube_object, field)
#define OF(struct_, type_, field) \
	.type = type_, .offset = offsetof(struct struct_, field)
#define LIST(struct_, field, element) \
	.type = PATH_LIST, .offset = offsetof(struct struct_, field), \
	.size = sizeof(struct element), .place = offsetof(struct element, at)

#define METADATA \
	{ "metadata>name", OBJECT(PATH_TEXT, name) }, \
	{ "metadata>namespace", OBJECT(PATH_TEXT, namespace) }, \
	{ "metadata>creationTimestamp", OBJECT(PATH_TEXT, created) }

static const struct kube_path service_paths[] = {
	METADATA,
	{ "metadata>labels>service.kubernetes.io/service-proxy-name",
	  OBJECT(PATH_TEXT, service.proxy_name) },
	{ "metadata>labels>service.kubernetes.io/headless",
	  OBJECT(PATH_TEXT, service.headless) },
	{ "metadata>annotations>fairlead.io/forward",
	  OBJECT(PATH_TEXT, service.forward) },
	{ "spec>type", OBJECT(PATH_TEXT, service.type) },
	{ "spec>clusterIP", OBJECT(PATH_TEXT, service.cluster_ip) },
	{ "spec>clusterIPs[]", OBJECT(PATH_TEXTS, service.cluster_ips) },
	{ "spec>ipFamilies[]", OBJECT(PATH_TEXTS, service.ip_families) },
	{ "spec>externalIPs[]", OBJECT(PATH_TEXTS, service.external_ips) },
	{ "spec>loadBalancerSourceRanges[]",
	  OBJECT(PATH_TEXTS, service.source_ranges) },
	{ "spec>externalTrafficPolicy",
	  OBJECT(PATH_TEXT, service.external_policy) },
	{ "spec>internalTrafficPolicy",
	  OBJECT(PATH_TEXT, service.internal_policy) },
	{ "spec>sessionAffinity", OBJECT(PATH_TEXT, service.affinity) },
	{ "spec>sessionAffinityConfig>clientIP>timeoutSeconds",
	  OBJECT(PATH_SECONDS, service.affinity_s) },
	{ "spec>healthCheckNodePort", OBJECT(PATH_PORT, service.health_port) },
	{ "spec>ports[]", LIST(kube_object, service.ports, kube_port) },
	{ "spec>ports[]>name", OF(kube_port, PATH_TEXT, name) },
	{ "spec>ports[]>protocol", OF(kube_port, PATH_TEXT, protocol) },
	{ "spec>ports[]>port", OF(kube_port, PATH_PORT, port) },
	{ "spec>ports[]>nodePort", OF(kube_port, PATH_PORT, node_port) },
	{ "status>loadBalancer>ingress[]",
	  LIST(kube_object, service.ingress, kube_ingress) },
	{ "status>loadBalancer>ingress[]>ip", OF(kube_ingress, PATH_TEXT, ip) },
	{ "status>loadBalancer>ingress[]>ipMode",
	  OF(kube_ingress, PATH_TEXT, ip_mode) },
};

static const struct kube_path slice_paths[] = {
	METADATA,
	{ "metadata>labels>kubernetes.io/service-name",
	  OBJECT(PATH_TEXT, slice.service) },
	{ "metadata>annotations>endpoints.kubernetes.io/last-change-trigger-time",
	  OBJECT(PATH_TEXT, slice.triggered), .is_aside = true },
	{ "addressType", OBJECT(PATH_TEXT, slice.address_type) },
	{ "ports[]", LIST(kube_object, slice.ports, kube_slice_port) },
	{ "ports[]>name", OF(kube_slice_port, PATH_TEXT, name) },
	{ "ports[]>protocol", OF(kube_slice_port, PATH_TEXT, protocol) },
	{ "ports[]>port", OF(kube_slice_port, PATH_PORT, port) },
	{ "endpoints[]", LIST(kube_object, slice.endpoints, kube_endpoint) },
	{ "endpoints[]>addresses[]", OF(kube_endpoint, PATH_TEXTS, addresses) },
	{ "endpoints[]>nodeName", OF(kube_endpoint, PATH_TEXT, node) },
	{ "endpoints[]>topology>kubernetes.io/hostname",
	  OF(kube_endpoint, PATH_TEXT, host) },
	{ "endpoints[]>conditions>ready", OF(kube_endpoint, PATH_BOOL, ready) },
	{ "endpoints[]>conditions>serving",
	  OF(kube_endpoint, PATH_BOOL, serving) },
	{ "endpoints[]>conditions>terminating",
	  OF(kube_endpoint, PATH_BOOL, terminating) },
	{ "endpoints[]>hints>forZones[]",
	  LIST(kube_endpoint, zones, kube_hint) },
	{ "endpoints[]>hints>forZones[]>name", OF(kube_hint, PATH_TEXT, name) },
	{ "endpoints[]>hints>forNodes[]",
	  LIST(kube_endpoint, nodes, kube_hint) },
	{ "endpoints[]>hints>forNodes[]>name", OF(kube_hint, PATH_TEXT, name) },
};

static const struct kube_path node_paths[] = {
	METADATA,
	{ "metadata>labels**", OBJECT(PATH_TREE, node.labels) },
	{ "metadata>deletionTimestamp", OBJECT(PATH_TEXT, node.deleted) },
	{ "spec>podCIDR", OBJECT(PATH_TEXT, node.pod_cidr) },
	{ "spec>podCIDRs[]", OBJECT(PATH_TEXTS, node.pod_cidrs) },
	{ "spec>taints[]", LIST(kube_object, node.taints, kube_taint) },
	{ "spec>taints[]>key", OF(kube_taint, PATH_TEXT, key) },
	{ "status>addresses[]",
	  LIST(kube_object, node.addresses, kube_node_address) },
	{ "status>addresses[]>type", OF(kube_node_address, PATH_TEXT, type) },
	{ "status>addresses[]>address",
	  OF(kube_node_address, PATH_TEXT, address) },
};

#define CONTAINERS(key, field) \
	{ "spec>" key "[]", LIST(kube_object, pod.field, kube_container) }, \
	{ "spec>" key "[]>restartPolicy", \
	  OF(kube_container, PATH_TEXT, restart) }, \
	{ "spec>" key "[]>ports[]", \
	  LIST(kube_container, ports, kube_container_port) }, \
	{ "spec>" key "[]>ports[]>name", \
	  OF(kube_container_port, PATH_TEXT, name) }, \
	{ "spec>" key "[]>ports[]>protocol", \
	  OF(kube_container_port, PATH_TEXT, protocol) }, \
	{ "spec>" key "[]>ports[]>containerPort", \
	  OF(kube_container_port, PATH_PORT, port) }

static const struct kube_path pod_paths[] = {
	METADATA,
	{ "metadata>labels**", OBJECT(PATH_TREE, pod.labels) },
	{ "metadata>annotations>fairlead.io/interface",
	  OBJECT(PATH_TEXT, pod.interface) },
	{ "spec>nodeName", OBJECT(PATH_TEXT, pod.node) },
	{ "spec>hostNetwork", OBJECT(PATH_BOOL, pod.host_network) },
	CONTAINERS("containers", containers),
	CONTAINERS("initContainers", starters),
	{ "status>phase", OBJECT(PATH_TEXT, pod.phase) },
	{ "status>podIP", OBJECT(PATH_TEXT, pod.ip) },
	{ "status>podIPs[]", LIST(kube_object, pod.ips, kube_pod_ip) },
	{ "status>podIPs[]>ip", OF(kube_pod_ip, PATH_TEXT, ip) },
};

static const struct kube_path namespace_paths[] = {
	METADATA,
	{ "metadata>labels**", OBJECT(PATH_TREE, of_namespace.labels) },
};

static const struct kube_path policy_paths[] = {
	METADATA,
	{ "metadata>annotations>fairlead.io/audit",
	  OBJECT(PATH_TEXT, policy.audit) },
	{ "spec**", OBJECT(PATH_TREE, policy.spec) },
};

#define PATHS(list) { list, list + sizeof(list) / sizeof(*(list)) }

static const struct {
	const struct kube_path *first, *end;
} paths[NR_KUBE_KINDS] = {
	[KUBE_SERVICE] = PATHS(service_paths),
	[KUBE_SLICE] = PATHS(slice_paths),
	[KUBE_NODE] = PATHS(node_paths),
	[KUBE_POD] = PATHS(pod_paths),
	[KUBE_NAMESPACE] = PATHS(namespace_paths),
	[KUBE_POLICY] = PATHS(policy_paths),
	[KUBE_CLUSTER_POLICY] = PATHS(policy_paths),
};

const char *kube_path(enum kube_kind kind, size_t i)
{
	return paths[kind].first + i < paths[kind].end ?
	       paths[kind].first[i].path : NULL;
}

/* As people write it. */
#define PATH_TEXT_MAX 100
static const char *path_text(const char *path, char text[static PATH_TEXT_MAX])
{
	snprintf(text, PATH_TEXT_MAX, "%s", path);
	for (char *p = text; *p; p++)
		if (*p == '>')
			*p = '.';
	return text;
}

static struct kube_frame *top(struct kube_reader *r)
{
	return &r->frames[r->depth ? r->depth - 1 : 0];
}

static void digest_add(struct kube_object *o, const struct kube_path *p,
		       const char *text, size_t len)
{
	__u64 digest = o->digest ^ (p - paths[o->kind].first + 1);

	for (size_t i = 0; i < len; i++)
		digest = (digest ^ (unsigned char)text[i]) * 0x100000001b3ull;
	o->digest = hash_mix(digest + len);
}

/* Is the key that path begins with this one? A key may hold anything, a NUL as
 * well. */
static bool begins_with(const char *path, const char *key, size_t len)
{
	return strcspn(path, ">[*") == len && !memcmp(path, key, len);
}

static bool is_null(enum kube_scalar type, const char *text, size_t len)
{
	if (type == KUBE_PLAIN)
		return !len || (len == 1 && *text == '~') ||
		       (len == 4 && !memcmp(text, "null", 4));
	return type == KUBE_NULL;
}

/* Is what comes now kept as a whole, or a part of what is? */
static bool is_in_tree(const struct kube_reader *r, const struct kube_frame *f)
{
	return r->tree_depth || (!f->list && f->key_first != f->key_end &&
				 f->key_first->type == PATH_TREE &&
				 f->key_first->path[f->key_at] == '*');
}

static void tree_key(struct kube_reader *r, const char *key, size_t len)
{
	r->tree_key = kube_text(r->object, key, len);
	r->tree_key_at = r->at;
	r->no_memory |= !r->tree_key;
	digest_add(r->object, r->tree_path, key, len);
}

/* One more, at its place among the others. NULL: no memory. */
static struct kube_value *tree_add(struct kube_reader *r,
				   enum kube_value_kind kind)
{
	const struct kube_frame *f = top(r);
	struct kube_value *v = kube_alloc(r->object, sizeof(*v)), *in;

	if (!v) {
		r->no_memory = true;
		return NULL;
	}
	v->kind = kind;
	v->at = v->key_at = r->at;
	if (!r->tree_depth) {
		r->tree_path = f->key_first;
		*(struct kube_value **)((char *)f->base + f->key_first->offset) = v;
		return v;
	}
	in = r->tree[r->tree_depth - 1];
	if (in->kind == KUBE_VALUE_MAP) {
		v->key = r->tree_key ?: "";
		v->key_at = r->tree_key_at;
	}
	*(in->last ? &in->last->next : &in->first) = v;
	in->last = v;
	in->count++;
	return v;
}

static void tree_open(struct kube_reader *r, enum kube_value_kind kind)
{
	struct kube_value *v = NULL;

	if (r->tree_depth == KUBE_TREE_DEPTH_MAX)
		kube_mistake(r->object, r->at, "is nested too deeply");
	else
		v = tree_add(r, kind);
	if (!v) {
		r->skipped++;
		return;
	}
	r->tree[r->tree_depth++] = v;
	digest_add(r->object, r->tree_path,
		   kind == KUBE_VALUE_MAP ? "{" : "[", 1);
}

static void tree_close(struct kube_reader *r)
{
	r->tree_depth--;
	digest_add(r->object, r->tree_path, "]", 1);
}

static bool is_integer(enum kube_scalar type, const char *text, size_t len)
{
	size_t i = len && *text == '-';

	if (type != KUBE_NUMBER && type != KUBE_PLAIN)
		return false;
	while (i < len && text[i] >= '0' && text[i] <= '9')
		i++;
	return i == len && text[len - 1] != '-';
}

static void tree_scalar(struct kube_reader *r, enum kube_scalar type,
			const char *text, size_t len)
{
	const bool is_absent = is_null(type, text, len);
	struct kube_value *v = tree_add(r, is_absent ? KUBE_VALUE_NULL :
						       KUBE_VALUE_TEXT);

	if (!v || is_absent)
		return;
	v->is_number = len && is_integer(type, text, len);
	v->text = kube_text(r->object, text, len);
	r->no_memory |= !v->text;
	digest_add(r->object, r->tree_path, v->is_number ? "0" : "a", 1);
	digest_add(r->object, r->tree_path, text, len);
}

void kube_read_key(struct kube_reader *r, const char *key, size_t len)
{
	struct kube_frame *f = top(r);
	const struct kube_path *p = f->first;

	if (r->skipped)
		return;
	if (r->tree_depth) {
		tree_key(r, key, len);
		return;
	}
	if (!r->depth || f->list)
		return;
	while (p < f->end && !begins_with(p->path + f->at, key, len))
		p++;
	f->key_first = p;
	while (p < f->end && begins_with(p->path + f->at, key, len))
		p++;
	f->key_end = p;
	f->key_at = f->at + len;
}

static void wrong_type(struct kube_reader *r, const struct kube_path *p,
		       size_t at, const char *what)
{
	char text[PATH_TEXT_MAX];

	path_text(p->path, text);
	if (p->path[at] && at < PATH_TEXT_MAX)
		text[at] = '\0';
	kube_mistake(r->object, r->at, "%s needs %s", text, what);
}

/* What is the next value to be, by the path that leads there? */
static const char *wanted_at(const struct kube_path *p, size_t at)
{
	switch (p->path[at]) {
	case '>':
		return "keys and values";
	case '[':
		return "a list";
	default:
		return "a single value";
	}
}

static void push(struct kube_reader *r, struct kube_frame f)
{
	if (r->depth == KUBE_DEPTH_MAX)
		r->skipped++;
	else
		r->frames[r->depth++] = f;
}

/* Does a value stand where paths lead? Else it is passed by. */
static bool leads_on(const struct kube_frame *f)
{
	return f->list || f->key_first != f->key_end;
}

static void push_root(struct kube_reader *r)
{
	const enum kube_kind kind = r->object->kind;

	push(r, (struct kube_frame){
		.first = paths[kind].first,
		.end = paths[kind].end,
		.base = r->object,
	});
}

/* An element of f's list. */
static void push_element(struct kube_reader *r, const struct kube_frame *f)
{
	const struct kube_path *p = f->list;
	char *element;

	if (p->type != PATH_LIST) {
		wrong_type(r, p, strlen(p->path), "text in it");
		r->skipped++;
		return;
	}
	element = kube_append(r->object, (void *)((char *)f->base + p->offset),
			      p->size);
	if (!element) {
		r->no_memory = true;
		r->skipped++;
		return;
	}
	digest_add(r->object, p, "", 0);
	*(struct kube_place *)(element + p->place) = r->at;
	push(r, (struct kube_frame){
		.first = p + 1,
		.end = f->end,
		.at = f->at,
		.base = element,
	});
}

void kube_read_map(struct kube_reader *r)
{
	const struct kube_frame *f = top(r);

	if (!r->depth && !r->skipped) {
		push_root(r);
		return;
	}
	if (r->skipped || (!r->tree_depth && !leads_on(f))) {
		r->skipped++;
	} else if (is_in_tree(r, f)) {
		tree_open(r, KUBE_VALUE_MAP);
	} else if (f->list) {
		push_element(r, f);
	} else if (f->key_first->path[f->key_at] != '>') {
		wrong_type(r, f->key_first, f->key_at,
			   wanted_at(f->key_first, f->key_at));
		r->skipped++;
	} else {
		push(r, (struct kube_frame){
			.first = f->key_first,
			.end = f->key_end,
			.at = f->key_at + 1,
			.base = f->base,
		});
	}
}

void kube_read_list(struct kube_reader *r)
{
	const struct kube_frame *f = top(r);

	if (r->skipped || !r->depth || (!r->tree_depth && !leads_on(f))) {
		r->skipped++;
	} else if (is_in_tree(r, f)) {
		tree_open(r, KUBE_VALUE_LIST);
	} else if (f->list || f->key_first->path[f->key_at] != '[') {
		wrong_type(r, f->list ? f->list : f->key_first,
			   f->list ? 0 : f->key_at,
			   f->list ? "no list in it" :
				     wanted_at(f->key_first, f->key_at));
		r->skipped++;
	} else {
		push(r, (struct kube_frame){
			.first = f->key_first,
			.end = f->key_end,
			.at = f->key_at + strlen("[]>"),
			.base = f->base,
			.list = f->key_first,
		});
	}
}

void kube_read_end(struct kube_reader *r)
{
	if (r->skipped)
		r->skipped--;
	else if (r->tree_depth)
		tree_close(r);
	else if (r->depth)
		r->depth--;
}

static void store_number(struct kube_reader *r, const struct kube_path *p,
			 void *field, enum kube_scalar type, const char *text,
			 size_t len)
{
	const __u32 max = p->type == PATH_PORT ? 65535 : 86400;
	const __u32 min = p->type == PATH_PORT ? 0 : 1;
	char path[PATH_TEXT_MAX];
	__u32 number = 0;
	size_t i = 0;

	for (; i < len && text[i] >= '0' && text[i] <= '9' && number <= max;
	     i++)
		number = 10 * number + text[i] - '0';
	if (!len || i < len || number < min || number > max ||
	    type == KUBE_STRING || type == KUBE_BOOLEAN)
		kube_mistake(r->object, r->at,
			     "%s \"%.*s\" is not a number from %u to %u",
			     path_text(p->path, path), len < 40 ? (int)len : 40,
			     text, min, max);
	else if (p->type == PATH_PORT)
		*(__u16 *)field = number;
	else
		*(__u32 *)field = number;
}

static void store_bool(struct kube_reader *r, const struct kube_path *p,
		       void *field, enum kube_scalar type, const char *text,
		       size_t len)
{
	const bool is_true = len == 4 && !memcmp(text, "true", 4);
	const bool is_false = len == 5 && !memcmp(text, "false", 5);
	char path[PATH_TEXT_MAX];

	if ((is_true || is_false) && type != KUBE_STRING)
		*(__u8 *)field = is_true ? KUBE_TRUE : KUBE_FALSE;
	else
		kube_mistake(r->object, r->at, "%s \"%.*s\" is not true or false",
			     path_text(p->path, path), len < 40 ? (int)len : 40,
			     text);
}

static void store_text(struct kube_reader *r, const char **field,
		       const char *text, size_t len)
{
	if (!field) {
		r->no_memory = true;
		return;
	}
	*field = kube_text(r->object, text, len);
	if (!*field)
		r->no_memory = true;
}

static void store(struct kube_reader *r, const struct kube_path *p, void *base,
		  enum kube_scalar type, const char *text, size_t len)
{
	void *field = (char *)base + p->offset;

	if (!p->is_aside)
		digest_add(r->object, p, text, len);
	switch (p->type) {
	case PATH_TEXT:
		store_text(r, field, text, len);
		break;
	case PATH_TEXTS:
		store_text(r, kube_append(r->object, field, sizeof(char *)),
			   text, len);
		break;
	case PATH_BOOL:
		store_bool(r, p, field, type, text, len);
		break;
	case PATH_PORT:
	case PATH_SECONDS:
		store_number(r, p, field, type, text, len);
		break;
	case PATH_LIST:
		wrong_type(r, p, strlen(p->path), "keys and values in it");
		break;
	case PATH_TREE:
		break;	/* is_in_tree() */
	}
}

void kube_read_scalar(struct kube_reader *r, enum kube_scalar type,
		      const char *text, size_t len)
{
	const struct kube_frame *f = top(r);

	if (r->skipped)
		return;
	if (!r->depth) {
		kube_mistake(r->object, r->at, "needs keys and values");
		return;
	}
	if (r->tree_depth) {
		tree_scalar(r, type, text, len);
		return;
	}
	if (!leads_on(f) || is_null(type, text, len))
		return;
	if (is_in_tree(r, f))
		tree_scalar(r, type, text, len);
	else if (f->list)
		store(r, f->list, f->base, type, text, len);
	else if (f->key_first->path[f->key_at])
		wrong_type(r, f->key_first, f->key_at,
			   wanted_at(f->key_first, f->key_at));
	else
		store(r, f->key_first, f->base, type, text, len);
}
