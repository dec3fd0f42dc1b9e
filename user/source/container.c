// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See container.h; fields: ContainerInspect of Docker Engine's API 1.41. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/ether.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "container.h"
#include "digest.h"
#include "kubernetes/policy_object.h"
#include "leaves.h"

const char *const container_paths[] = {
	"Id", "Name", "State>Running", "State>Health>Status",
	"HostConfig>NetworkMode",
	"Config>Labels**", "NetworkSettings>SandboxKey",
	"NetworkSettings>Networks**", NULL,
};

bool container_is_id(const char *text, size_t len)
{
	return len == CONTAINER_ID_LEN &&
	       strspn(text, "0123456789abcdef") >= len;
}

static bool is_name(const char *text)
{
	return *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-_.")];
}

void container_clear(struct container *c)
{
	for (size_t i = 0; i < c->labels.count; i++) {
		free(c->labels.at[i].key);
		free(c->labels.at[i].value);
	}
	free(c->labels.at);
	*c = (struct container){};
}

static const char *take_id(struct container *c, const struct record_field *f)
{
	if (!leaf_text(f, c->id, sizeof(c->id)) ||
	    !container_is_id(c->id, f->len)) {
		c->id[0] = '\0';
		return "its id is none";
	}
	return NULL;
}

/* "/web" */
static const char *take_name(struct container *c, const struct record_field *f)
{
	struct record_field name = *f;

	if (name.len && *name.data == '/') {
		name.data++;
		name.len--;
	}
	return leaf_text(&name, c->name, sizeof(c->name)) && is_name(c->name) ?
	       NULL : "its name is none";
}

static const char *take_label(struct container *c, const struct leaves *l,
			      const struct record_field *f)
{
	const struct record_field *key = leaves_key(l, 2);
	struct model_label *to;

	if (memchr(key->data, '\0', key->len) ||
	    memchr(f->data, '\0', f->len))
		return "a label has a NUL in it";
	to = list_add(&c->labels);
	if (!to)
		return "no memory";
	to->key = strndup(key->data, key->len);
	to->value = strndup(f->data, f->len);
	return to->key && to->value ? NULL : "no memory";
}

/* NULL: there are too many, or it has no name. */
static struct container_end *end_of(struct container *c,
				    const struct record_field *network)
{
	char name[CONTAINER_NAME_MAX];

	if (!leaf_text(network, name, sizeof(name)) || !is_name(name))
		return NULL;
	for (size_t i = 0; i < c->nr_ends; i++)
		if (!strcmp(c->ends[i].network, name))
			return &c->ends[i];
	if (c->nr_ends == CONTAINER_NETWORKS_MAX)
		return NULL;
	strcpy(c->ends[c->nr_ends].network, name);
	return &c->ends[c->nr_ends++];
}

static const char *take_addr(struct container_end *e,
			     const struct record_field *f)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;

	if (!leaf_text(f, text, sizeof(text)) || !addr_parse(text, &a))
		return "an address of it is none";
	if (addr_is_in(e->addrs, e->nr_addrs, &a))
		return NULL;
	if (e->nr_addrs == WORKLOAD_ADDRS)
		return "it has too many addresses";
	e->addrs[e->nr_addrs++] = a;
	return NULL;
}

static const char *take_mac(struct container_end *e,
			    const struct record_field *f)
{
	struct ether_addr mac;
	char text[18];

	if (!leaf_text(f, text, sizeof(text)) || !ether_aton_r(text, &mac))
		return "its MAC address is none";
	memcpy(e->mac, mac.ether_addr_octet, sizeof(e->mac));
	return NULL;
}

/* Of networks that it has no address in, nothing is kept. */
static const char *take_network(struct container *c, const struct leaves *l,
				const struct record_field *f)
{
	const bool is_mac = leaves_at(l, "*>*>*>MacAddress");
	struct container_end *e;

	if (!f->len || (!is_mac && !leaves_at(l, "*>*>*>IPAddress") &&
			!leaves_at(l, "*>*>*>GlobalIPv6Address")))
		return NULL;
	e = end_of(c, leaves_key(l, 2));
	if (!e)
		return "a network's name is none, or there are too many";
	return is_mac ? take_mac(e, f) : take_addr(e, f);
}

static const char *take(struct container *c, const struct leaves *l,
			const struct record_field *f)
{
	if (leaves_at(l, "Id"))
		return take_id(c, f);
	if (leaves_at(l, "Name"))
		return take_name(c, f);
	if (leaves_at(l, "State>Running"))
		c->runs = leaf_is(f, "true");
	else if (leaves_at(l, "State>Health>Status"))
		c->is_unwell = !leaf_is(f, "healthy") && !leaf_is(f, "none");
	else if (leaves_at(l, "HostConfig>NetworkMode"))
		return leaf_text(f, c->mode, sizeof(c->mode)) ? NULL :
		       "its network mode is none";
	else if (leaves_at(l, "NetworkSettings>SandboxKey"))
		return leaf_text(f, c->sandbox, sizeof(c->sandbox)) ? NULL :
		       "its network namespace is none";
	else if (leaves_at(l, "Config>Labels>*"))
		return take_label(c, l, f);
	else if (leaves_at(l, "NetworkSettings>Networks>*>*"))
		return take_network(c, l, f);
	return NULL;
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct model_label *)a)->key,
		      ((const struct model_label *)b)->key);
}

static const char *labels_settle(struct container *c)
{
	struct model_label *l = c->labels.at;

	if (c->labels.count)
		qsort(l, c->labels.count, sizeof(*l), compare_labels);
	for (size_t i = 1; i < c->labels.count; i++)
		if (!strcmp(l[i - 1].key, l[i].key))
			return "a label is there twice";
	return NULL;
}

static const char *namespace_settle(struct container *c)
{
	strcpy(c->namespace, CONTAINER_NAMESPACE);
	for (size_t i = 0; i < c->labels.count; i++) {
		const struct model_label *l = &c->labels.at[i];

		if (strcmp(l->key, CONTAINER_NAMESPACE_LABEL))
			continue;
		if (strlen(l->value) >= sizeof(c->namespace) ||
		    !is_name(l->value))
			return "its label " CONTAINER_NAMESPACE_LABEL
			       " names no namespace";
		strcpy(c->namespace, l->value);
	}
	return NULL;
}

/* The network that it was made with is its first one: it has its name. */
static void ends_settle(struct container *c)
{
	const char *mode = strcmp(c->mode, "default") ? c->mode : "bridge";
	size_t first = 0;

	for (size_t i = 1; i < c->nr_ends; i++) {
		const bool is_better = !strcmp(c->ends[i].network, mode);

		if (is_better || (strcmp(c->ends[first].network, mode) &&
				  strcmp(c->ends[i].network,
					 c->ends[first].network) < 0))
			first = i;
	}
	if (first) {
		struct container_end e = c->ends[first];

		c->ends[first] = c->ends[0];
		c->ends[0] = e;
	}
}

const char *container_read(const struct record *r, struct container *ret)
{
	struct leaves l = leaves_of(r);
	const char *why = NULL, *other;
	struct record_field f;
	int more;

	*ret = (struct container){};
	while ((more = leaves_next(&l, &f)) > 0) {
		other = take(ret, &l, &f);
		why = why ?: other;
	}
	if (more)
		return "what is said of it is broken";
	ends_settle(ret);
	why = why ?: labels_settle(ret) ?: namespace_settle(ret);
	if (!*ret->id || !*ret->name)
		why = why ?: "it has no id, or no name";
	return why;
}

static bool is_of_host(const struct container *c)
{
	return !strcmp(c->mode, "host");
}

static bool has_ends(const struct container *c)
{
	return !is_of_host(c) && strncmp(c->mode, "container:", 10) &&
	       strcmp(c->mode, "none");
}

const char *container_doubt(const struct container *c)
{
	if (is_of_host(c))
		return "has the host's network, and no interface of its own";
	if (!strncmp(c->mode, "container:", 10))
		return "shares another container's interface, so that the policy of that one counts";
	if (!strcmp(c->mode, "none"))
		return NULL;
	if (!c->nr_ends)
		return "has no network that the engine tells of";
	return NULL;
}

size_t container_pods(const struct container *c)
{
	if (is_of_host(c))
		return 1;
	return has_ends(c) ? c->nr_ends : 0;
}

static bool copy_labels(const struct container *c, struct model_labels *ret)
{
	ret->label = calloc(c->labels.count + 1, sizeof(*ret->label));
	for (size_t i = 0; ret->label && i < c->labels.count; i++) {
		struct model_label *to = &ret->label[ret->count++];

		to->key = strdup(c->labels.at[i].key);
		to->value = strdup(c->labels.at[i].value);
		if (!to->key || !to->value)
			return false;
	}
	return ret->label;
}

static bool copy_end(const struct container_end *e, const char *interface,
		     struct model_workload *w)
{
	w->addrs = calloc(WORKLOAD_ADDRS, sizeof(*w->addrs));
	if (!w->addrs)
		return false;
	memcpy(w->addrs, e->addrs, e->nr_addrs * sizeof(*w->addrs));
	w->nr_addrs = e->nr_addrs;
	snprintf(w->interface, sizeof(w->interface), "%s", interface ?: "");
	return true;
}

/* NULL: no memory. */
static struct model_workload *workload_make(const struct container *c,
					    size_t end, const char *interface)
{
	struct model_workload *w = calloc(1, sizeof(*w));
	int len;

	if (!w)
		return NULL;
	w->users = 1;
	w->is_host_network = is_of_host(c);
	w->is_here = w->is_host_network || interface;
	w->namespace = strdup(c->namespace);
	len = end && !w->is_host_network ?
	      asprintf(&w->name, "%s.%s", c->name, c->ends[end].network) :
	      asprintf(&w->name, "%s", c->name);
	if (len < 0)
		w->name = NULL;
	if (w->namespace && w->name && copy_labels(c, &w->labels) &&
	    (w->is_host_network || copy_end(&c->ends[end], interface, w)))
		return w;
	model_workload_free(w);
	return NULL;
}

static __u64 digest_of(const struct model_workload *w)
{
	__u64 d = digest_add(0, w->namespace, strlen(w->namespace));

	d = digest_add(d, w->name, strlen(w->name));
	d = digest_add(d, &w->is_host_network, sizeof(w->is_host_network));
	d = digest_add(d, &w->is_here, sizeof(w->is_here));
	d = digest_add(d, w->interface, strlen(w->interface));
	d = digest_add(d, w->addrs, w->nr_addrs * sizeof(*w->addrs));
	for (size_t i = 0; i < w->labels.count; i++) {
		const struct model_label *l = &w->labels.label[i];

		d = digest_add(d, l->key, strlen(l->key) + 1);
		d = digest_add(d, l->value, strlen(l->value) + 1);
	}
	return d;
}

struct kube_object *container_pod(const struct container *c, size_t end,
				  const char *interface)
{
	__cleanup(kube_object_freep) struct kube_object *o =
		kube_object_new(KUBE_POD);
	struct model_workload *w = o ? workload_make(c, end, interface) : NULL;

	if (!w)
		return NULL;
	o->item = w;
	o->namespace = kube_text(o, w->namespace, strlen(w->namespace));
	o->name = kube_text(o, w->name, strlen(w->name));
	o->pod.is_here = w->is_here;
	o->digest = digest_of(w);
	return o->namespace && o->name ? take_ptr(o) : NULL;
}
