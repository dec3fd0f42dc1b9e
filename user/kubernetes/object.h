/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Objects of the Kubernetes API, as far as a service proxy and network policy
 * read them: fields as they are written, in memory of the object's own. reader.h
 * fills them, whatever they come from; what they mean is for ports.h,
 * endpoints.h and, of network policy, policy_object.h. Text is NULL where a
 * field is absent.
 */
#ifndef FAIRLEAD_KUBERNETES_OBJECT_H
#define FAIRLEAD_KUBERNETES_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

enum kube_kind {
	KUBE_SERVICE,
	KUBE_SLICE,
	KUBE_NODE,
	KUBE_POD,		/* from here on: of network policy alone */
	KUBE_NAMESPACE,
	KUBE_POLICY,		/* NetworkPolicy */
	KUBE_CLUSTER_POLICY,	/* ClusterNetworkPolicy */
	NR_KUBE_KINDS,
};

/* Is it of no use to who only balances? */
static inline bool kube_kind_is_policy(enum kube_kind kind)
{
	return kind >= KUBE_POD;
}

/* Items of any one type; kube_object_free() frees them. */
struct kube_list {
	void *items;
	__u32 count;
};

/* For each item of a list. */
#define kube_each(item, list) \
	for (item = (list)->items; \
	     item && item < (__typeof__(item))(list)->items + (list)->count; \
	     item++)

enum kube_bool { KUBE_ABSENT, KUBE_FALSE, KUBE_TRUE };

/* Where something was written; line 0: nowhere that has lines. */
struct kube_place {
	__u32 line, column;
};

/*
 * A value that is kept with all that is in it: labels, and what must be known
 * to the last field, as what is not known of it is not to be allowed.
 */
enum kube_value_kind { KUBE_VALUE_NULL, KUBE_VALUE_TEXT, KUBE_VALUE_LIST,
		       KUBE_VALUE_MAP };

struct kube_value {
	enum kube_value_kind kind;
	bool is_number;		/* text without quotes that is an integer */
	__u32 count;		/* of what is in it */
	struct kube_place at, key_at;
	const char *key;	/* in a mapping */
	const char *text;
	struct kube_value *first, *last, *next;
};

struct kube_port {
	const char *name;
	const char *protocol;
	__u16 port;		/* 0: absent */
	__u16 node_port;
	struct kube_place at;
};

struct kube_ingress {
	const char *ip;
	const char *ip_mode;
	struct kube_place at;
};

struct kube_service {
	const char *proxy_name;	/* a label */
	const char *headless;	/* likewise */
	const char *forward;	/* an annotation */
	const char *type;
	const char *cluster_ip;
	struct kube_list cluster_ips;	/* of const char * */
	struct kube_list ip_families;
	struct kube_list external_ips;
	struct kube_list source_ranges;
	const char *external_policy;
	const char *internal_policy;
	const char *affinity;
	__u32 affinity_s;		/* 0: absent */
	__u16 health_port;		/* healthCheckNodePort; 0: absent */
	struct kube_list ports;		/* of struct kube_port */
	struct kube_list ingress;	/* of struct kube_ingress */
};

struct kube_slice_port {
	const char *name;	/* NULL is not "" */
	const char *protocol;
	__u16 port;
	struct kube_place at;
};

struct kube_hint {
	const char *name;
	struct kube_place at;
};

struct kube_endpoint {
	struct kube_list addresses;	/* of const char * */
	const char *node;
	const char *host;	/* v1beta1: names the node without a nodeName */
	struct kube_list zones, nodes;	/* hints; of struct kube_hint */
	__u8 ready, serving, terminating; /* enum kube_bool */
	struct kube_place at;
};

struct kube_slice {
	const char *service;	/* a label; NULL: nobody's */
	const char *address_type;
	/* RFC 3339: when what made the slice change last happened; an
	 * annotation, and no part of the digest */
	const char *triggered;
	struct kube_list ports;		/* of struct kube_slice_port */
	struct kube_list endpoints;	/* of struct kube_endpoint */
};

struct kube_node_address {
	const char *type;
	const char *address;
	struct kube_place at;
};

struct kube_taint {
	const char *key;
	struct kube_place at;
};

struct kube_node {
	const struct kube_value *labels;
	const char *zone;	/* one of them */
	const char *deleted;	/* since then it is about to go; or NULL */
	struct kube_list taints;	/* of struct kube_taint */
	const char *pod_cidr;
	struct kube_list pod_cidrs;	/* of const char * */
	struct kube_list addresses;	/* of struct kube_node_address */
};

struct kube_container_port {
	const char *name;
	const char *protocol;
	__u16 port;
	struct kube_place at;
};

struct kube_container {
	const char *restart;		/* restartPolicy, of one for the start */
	struct kube_list ports;		/* of struct kube_container_port */
	struct kube_place at;
};

struct kube_pod_ip {
	const char *ip;
	struct kube_place at;
};

struct kube_pod {
	const struct kube_value *labels;
	const char *interface;		/* an annotation */
	const char *node;
	const char *phase;
	const char *ip;
	struct kube_list ips;		/* of struct kube_pod_ip */
	struct kube_list containers;	/* of struct kube_container */
	struct kube_list starters;	/* initContainers; likewise */
	__u8 host_network;		/* enum kube_bool */
	bool is_here;			/* whatever node: it is on this one */
};

struct kube_namespace {
	const struct kube_value *labels;
};

/* A NetworkPolicy or ClusterNetworkPolicy. */
struct kube_policy {
	const struct kube_value *spec;
	const char *audit;		/* an annotation */
};

struct kube_mistake {
	struct kube_mistake *next;
	struct kube_place at;
	char text[200];
};

struct kube_text;

struct kube_object {
	enum kube_kind kind;
	const char *namespace;	/* NULL: a kind that has none */
	const char *name;
	const char *created;	/* RFC 3339, in UTC: sorts as text does */
	struct kube_place at;
	__u64 digest;		/* of the fields that are read, and no other */
	union {
		struct kube_service service;
		struct kube_slice slice;
		struct kube_node node;
		struct kube_pod pod;
		struct kube_namespace of_namespace;
		struct kube_policy policy;
	};
	/* What it is to network policy; held. NULL: nothing, as a pod that is
	 * over. See policy_object.h. */
	void *item;
	bool is_strict;		/* fields that are not known are mistakes */
	struct kube_mistake *mistakes;	/* with any it says nothing else */
	/* What of it is not known here, so that it allows nothing. */
	struct kube_mistake *doubts;
	unsigned int nr_mistakes, nr_doubts;
	unsigned int users;	/* kube_object_hold() and _free() */
	void *origin;		/* of who made it, for messages */
	struct kube_text *memory;	/* of all of the above; NULL: */
	void *packed;			/* this is */
};

/* NULL: no memory. */
struct kube_object *kube_object_new(enum kube_kind kind);
/* One user more, or less; NULL is fine to free. */
struct kube_object *kube_object_hold(struct kube_object *o);
void kube_object_free(struct kube_object *o);
void kube_object_freep(struct kube_object **o);

/* Memory that lives as long as o, zeroed. NULL: no memory. */
void *kube_alloc(struct kube_object *o, size_t size);
/* Room for one more, zeroed. */
void *kube_append(struct kube_object *o, struct kube_list *list, size_t size);
/* A copy; the same pointer for the same text, most often. */
const char *kube_text(struct kube_object *o, const char *text, size_t len);

/*
 * For one that is read and is going to be kept: into as much memory as it
 * takes, of what reading left many times as much. No more is allocated for it
 * then. Without memory it stays as it is.
 */
void kube_object_pack(struct kube_object *o);

/* What is wrong with o; up to KUBE_MISTAKES_MAX are kept. */
#define KUBE_MISTAKES_MAX 8
void kube_mistake(struct kube_object *o, struct kube_place at, const char *fmt,
		  ...) __attribute__((format(printf, 3, 4)));
/* Likewise of what is only not known. */
void kube_doubt(struct kube_object *o, struct kube_place at, const char *fmt,
		...) __attribute__((format(printf, 3, 4)));

/* "Service": for messages. */
const char *kube_kind_name(enum kube_kind kind);

/* "Service default/web". */
#define KUBE_OBJECT_TEXT_MAX 400
const char *kube_object_text(const struct kube_object *o,
			     char text[static KUBE_OBJECT_TEXT_MAX]);

/* By apiVersion and kind; of a list, what its items are. */
enum kube_found { KUBE_OTHER, KUBE_OBJECT, KUBE_ITEMS, KUBE_ITEMS_OF_ANY };
enum kube_found kube_kind_find(const char *api_version, const char *kind,
			       enum kube_kind *ret);

/* What an API server fills in where it is absent, of what is read here. */
int kube_object_default(struct kube_object *o);

/* What the API would refuse of it, and what it has to have; makes its item.
 * -ENOMEM. */
int kube_object_check(struct kube_object *o);

#endif
