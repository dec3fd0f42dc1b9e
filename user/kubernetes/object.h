/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Objects of the Kubernetes API, as far as a service proxy reads them: fields
 * as they are written, in memory of the object's own. reader.h fills them,
 * whatever they come from; what they mean is for ports.h and endpoints.h.
 * Text is NULL where a field is absent.
 */
#ifndef FAIRLEAD_KUBERNETES_OBJECT_H
#define FAIRLEAD_KUBERNETES_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

enum kube_kind { KUBE_SERVICE, KUBE_SLICE, KUBE_NODE, NR_KUBE_KINDS };

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
	const char *host;	/* v1beta1: a node without nodeName is known by it */
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
	const char *zone;	/* a label */
	const char *deleted;	/* since then it is about to go; or NULL */
	struct kube_list taints;	/* of struct kube_taint */
	const char *pod_cidr;
	struct kube_list pod_cidrs;	/* of const char * */
	struct kube_list addresses;	/* of struct kube_node_address */
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
	};
	struct kube_mistake *mistakes;	/* with any it says nothing else */
	unsigned int nr_mistakes;
	unsigned int users;	/* kube_object_hold() and _free() */
	void *origin;		/* of who made it, for messages */
	struct kube_text *memory;	/* of all of the above; NULL: */
	void *packed;			/* this is */
};

/* NULL: no memory. */
struct kube_object *kube_object_new(enum kube_kind kind);
struct kube_object *kube_object_hold(struct kube_object *o);	/* one user more */
void kube_object_free(struct kube_object *o);	/* one less; NULL is fine */
void kube_object_freep(struct kube_object **o);

/* Memory that lives as long as o, zeroed. NULL: no memory. */
void *kube_alloc(struct kube_object *o, size_t size);
/* Room for one more, zeroed. */
void *kube_append(struct kube_object *o, struct kube_list *list, size_t size);
/* A copy; the same pointer for the same text, most often. */
const char *kube_text(struct kube_object *o, const char *text, size_t len);

/*
 * For one that is read and is going to be kept: into as much memory as it takes,
 * of what reading left many times as much. No more is allocated for it then.
 * Without memory it stays as it is.
 */
void kube_object_pack(struct kube_object *o);

/* What is wrong with o; up to KUBE_MISTAKES_MAX are kept. */
#define KUBE_MISTAKES_MAX 8
void kube_mistake(struct kube_object *o, struct kube_place at, const char *fmt,
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

/* What the API would refuse of it, and what it has to have. */
void kube_object_check(struct kube_object *o);

#endif
