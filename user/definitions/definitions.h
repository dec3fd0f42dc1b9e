/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The definitions of several sources (source.h) to one model. Whatever is wrong
 * in one of them, or between two, is said with its place and nothing of it gets
 * into a model.
 */
#ifndef FAIRLEAD_DEFINITIONS_H
#define FAIRLEAD_DEFINITIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "files.h"
#include "given.h"
#include "model/model.h"
#include "source.h"

#define DEFINITIONS_OTHERS_MAX 2

/* Where they usually are: a file or a directory, and settings by name. */
struct definitions_from {
	const char *path;	/* NULL: no files */
	/* NULL, or theirs from now on, also if it fails */
	struct source *others[DEFINITIONS_OTHERS_MAX];
	const struct given *given;	/* NULL: none */
	size_t nr_given;
	bool may_lack_services;	/* the node has them from elsewhere, perhaps */
};

/*
 * Once to a model. -EINVAL: errors has a line for each mistake (and for what
 * cannot be read), "path:line:column: what". -ENOMEM: it may have some.
 */
int definitions_load(const struct definitions_from *from, struct model **ret,
		     FILE *errors);

struct definitions;

int definitions_new(struct definitions **ret);
/* It is freed with them, or at once on failure (-ENOMEM, -E2BIG). */
int definitions_add(struct definitions *d, struct source *s);
int definitions_open(const struct definitions_from *from,
		     struct definitions **ret);

/*
 * As definitions_load(), each time. Of what is refused by itself errors has
 * lines as well, and the model nr_refused: an object of Kubernetes; and, once
 * all was right and if a server has objects too, what files say as a whole,
 * where what they said before stands. The model is the caller's and lives on
 * its own, also after definitions_close().
 * *ret_changed: it is not the one handed out last. It is_partial until every
 * source has delivered its first list.
 */
int definitions_reload(struct definitions *d, struct model **ret, FILE *errors,
		       bool *ret_changed);

/* Of the last reload. */
struct definitions_work definitions_work(const struct definitions *d);

/* What became of Kubernetes objects; NULL: there are none. See cluster.h. */
struct kube_news;
struct kube_news *definitions_news(struct definitions *d);

void definitions_close(struct definitions *d);	/* NULL is fine */
void definitions_closep(struct definitions **d);

#endif
