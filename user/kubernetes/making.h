/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From values of an object to parts of the model, for who makes the items of
 * network policy: pod.c, network_policy.c and cluster_policy.c, private to
 * them. False, or NULL: it was a mistake, which is among the object's now, or
 * there is no memory.
 */
#ifndef FAIRLEAD_KUBERNETES_MAKING_H
#define FAIRLEAD_KUBERNETES_MAKING_H

#include "policy_object.h"

struct making {
	struct kube_object *o;
	char where[96];		/* "ingress[0].from[1]", for messages */
	bool no_memory;
	bool has_unknown;	/* a field that is not known; who cares for it
				 * sets it to false before */
	bool is_closing;	/* mistakes are known by now: what has one is as
				 * if it were not known */
};

/* v NULL: the object's place. Always false. */
bool making_mistake(struct making *m, const struct kube_value *v,
		    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Of what is not known here. */
void making_doubt(struct making *m, const struct kube_value *v,
		  const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "ingress[0].from[1]" for as long as what is in it is made. */
size_t making_enter(struct making *m, const char *key, int index);
void making_leave(struct making *m, size_t before);

/* Zeroed, one at least. */
void *making_alloc(struct making *m, size_t count, size_t size);
char *making_text(struct making *m, const char *text);

/* Absent is as good as null. */
bool value_is_absent(const struct kube_value *v);

/*
 * The values of a mapping by the position of their key in keys[], which ends in
 * NULL; NULL for those that are absent. Others are unknown.
 */
bool making_fields(struct making *m, const struct kube_value *v,
		   const char *what, const char *const *keys,
		   const struct kube_value **ret);
bool making_list(struct making *m, const struct kube_value *v,
		 const char *what);
/* NULL: it is a mistake. */
const char *making_word(struct making *m, const struct kube_value *v,
			const char *what);
bool making_number(struct making *m, const struct kube_value *v,
		   const char *what, __u32 min, __u32 max, __u32 *ret);

/* v is a mapping, or absent, which is none. Sorted. */
bool making_labels(struct making *m, const struct kube_value *v,
		   struct model_labels *ret);
/* v is a LabelSelector, or absent, which is an empty one. */
bool making_selector(struct making *m, const struct kube_value *v,
		     struct model_selector *ret);
bool making_prefix(struct making *m, const struct kube_value *v,
		   const char *what, struct model_prefix *ret);
/* A number, or a port's name, into port. */
bool making_port(struct making *m, const struct kube_value *v,
		 struct model_policy_port *ret);
bool making_port_name(struct making *m, const struct kube_value *v,
		      struct model_policy_port *ret);

/* It matches nobody from now on. */
void rule_close(struct making *m, struct model_rule *rule);

/* Into p, whose names are set. */
void network_policy_make(struct making *m, struct model_policy *p);
void cluster_policy_make(struct making *m, struct model_policy *p);

#endif
