/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where definitions come from. A source keeps the whole of what it says as a
 * set of parts; definitions.c asks it to bring the set up to date and makes
 * one model of the sets of all sources. A source knows nothing of the others.
 *
 * Another process can stand behind a source: what it sends (a service, gone,
 * "this is all") becomes parts that come and go, and is_complete.
 */
#ifndef FAIRLEAD_SOURCE_H
#define FAIRLEAD_SOURCE_H

#include <stdbool.h>

#include "kubernetes/object.h"
#include "native.h"
#include "report.h"

/*
 * What comes and goes as a whole: a document of a file without its services,
 * one service of it, an object of an API. Messages name a place in it as
 * "path:line:column", or as "path" where places have line 0.
 */
struct part {
	__u64 hash[2];		/* of its bytes; as len, lines for the source */
	size_t len;
	__u32 lines;
	const char *path;	/* the source's */
	__u32 first_line;	/* lines of path before the part */
	bool is_live;		/* false: it is among the dead */
	bool is_new;		/* of file_parts.c: the reading that runs made it */
	bool is_taken;		/* a round of definitions.c made use of it */
	bool has_mistakes;	/* they were reported; settings do not count */
	bool has_refused;	/* objects that do not count */
	bool is_broken;		/* it has objects, but which is not known */
	bool is_kept;		/* its file says it no more, or is broken */
	struct kube_object **objects;	/* owned */
	size_t nr_objects;
	struct native native;
	struct part *next_dead;
};

void part_free(struct part *p);

/* One that is an object, which is its own from here on, also on failure; path
 * stays the caller's. NULL: no memory, or no object. */
struct part *part_of_object(const char *path, struct kube_object *object);

/* Services and items of native get their owner. */
void part_adopt(struct part *p);

/* How much of a refresh was not cached. */
struct definitions_work {
	unsigned int files_read, documents_parsed;
};

struct source;

struct source_ops {
	/*
	 * Bring parts, is_complete and sha256 up to date. What left since is
	 * in dead. Mistakes are reported and are no failure of this function.
	 * -ENOMEM: the set may have holes, clear() follows.
	 */
	int (*refresh)(struct source *s, struct report *r,
		       struct definitions_work *work);
	/* Forget everything: every part is freed, nobody points at one. */
	void (*clear)(struct source *s);
	void (*free)(struct source *s);	/* cleared before */
};

/* The first member of what a source keeps. */
struct source {
	const struct source_ops *ops;
	const char *name;	/* for messages: a path, a server */
	/*
	 * In the order of places, which messages follow. A source with very
	 * many may leave out those that a round need not look at: that are not
	 * new, have no settings, and are neither refused nor kept.
	 */
	struct part **parts;
	size_t nr_parts;
	struct part *dead;	/* definitions.c frees them when it let go */
	/*
	 * The first whole list is there. Until it is, nothing that is in force
	 * is withdrawn, as this source may be about to name it.
	 */
	bool is_complete;
	bool says_services;	/* without a part as well */
	/* It says which pods there are, or is about to: those that it has not
	 * named are not known. */
	bool knows_pods;
	/* What it says of network policy is not all yet: as is_complete has
	 * it of services, which do not wait for one another. */
	bool lacks_policy;
	bool is_of_objects;	/* each of which counts by itself: it has no
				 * mistakes as a whole */
	/*
	 * Something in it is wrong, or does not go with another one: what it
	 * said before stands, its parts that are taken, the dead ones as well.
	 */
	bool is_held;
	__u8 sha256[32];	/* of what it says, as `status` shows it */
};

/* A mistake at a place of p, and the place as other messages name it. */
void part_error(struct report *r, const struct part *p, struct place at,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Something that does not count, while the rest does. */
void part_refuse(struct report *r, const struct part *p, struct place at,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
#define PLACE_TEXT_MAX 512
const char *part_place(const struct part *p, struct place at,
		       char text[static PLACE_TEXT_MAX]);

/* Each part of a source that counts. */
struct part_walk {
	const struct source *s;
	size_t at;
	struct part *dead;
};

#define PART_WALK(s) ((struct part_walk){ (s), 0, (s)->dead })
struct part *part_walk_next(struct part_walk *w);	/* NULL: no more */

void source_bury(struct source *s, struct part *p);
/* Those that do not count. */
void source_free_dead(struct source *s);

#endif
