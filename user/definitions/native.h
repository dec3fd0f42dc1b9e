/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One document in Fairlead's own dialect of definitions: from the tree of its
 * values to checked services and the settings of the node. What only several
 * documents can contradict is definitions.c's to find.
 */
#ifndef FAIRLEAD_NATIVE_H
#define FAIRLEAD_NATIVE_H

#include "model/model.h"
#include "model/policy_item.h"
#include "model/setting.h"
#include "value.h"
#include "yaml_tree.h"

/* Line 0: nowhere. Lines count from the document's first one. */
struct place {
	__u32 line, column;
};

struct part;

/* One of a service's front ends. */
struct native_front {
	const struct native_service *service;
	const struct model_front *front;	/* one of service's */
	struct place at;
	__u16 reach;		/* of service_index.c */
};

struct native_service {
	struct model_service *service;	/* held */
	struct native_front *fronts;	/* owned; as service.fronts */
	struct place name_at;
	struct part *owner;	/* set by part_adopt() */
};

/* Zeroed front ends of both kinds, tied together; s stays where it is from
 * here on. -ENOMEM: some of them may be there, and are cleared with s. */
int native_fronts_make(struct native_service *s, size_t count);

struct native_settings {
	struct model *model;	/* without services */
	__u64 given;		/* a bit for each enum setting */
	struct place at[NR_SETTINGS];
};

_Static_assert(NR_SETTINGS <= 64, "a bit each");

/* A workload, a namespace or a policy. */
struct native_item {
	enum policy_item kind;
	void *item;		/* held */
	__u64 digest;		/* of what is written of it */
	struct place at;
	struct part *owner;	/* set by part_adopt() */
};

struct native {
	struct native_settings *settings; /* NULL: none is given */
	struct native_service *services; /* as written; without mistakes */
	size_t nr_services;
	bool says_services;	/* a list of them is written, maybe empty */
	struct native_item *items;	/* as written; without mistakes */
	size_t nr_items;
	bool says_policy;	/* a list of some of them is written */
};

/*
 * A document, or one service of its list, into *ret, which starts zeroed.
 * -EINVAL: r->report has mistakes, *ret is what is right; -ENOMEM.
 */
int native_read(struct reader *r, const struct tree_node *root,
		struct native *ret);
/* A document whose services are read by themselves; see service_list.h. */
int native_read_frame(struct reader *r, const struct tree_node *root,
		      struct native *ret);
int native_read_item(struct reader *r, const struct tree_node *item,
		     struct native *ret);
void native_clear(struct native *n);

/* Used by native.c alone: the parts of a document. */
bool native_read_service(struct reader *r, const struct tree_node *n,
			 struct native_service *ret);
void native_read_setting(struct reader *r, const struct tree_node *n,
			 enum setting s, struct model *m);

void native_read_items(struct reader *r, const struct tree_node *list,
		       enum policy_item kind, struct native *ret);

/* Used by native_service.c alone. knows_addr: ret's own is right. */
void native_read_sources(struct reader *r, const struct tree_node *n,
			 bool knows_addr, struct model_service *ret);

/* native_health.c: what "health:" of a service says. */
void native_read_health(struct reader *r, const struct tree_node *n,
			struct model_health *ret);

#endif
