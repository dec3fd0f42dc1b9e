/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Arrays that grow. */
#ifndef FAIRLEAD_LIST_H
#define FAIRLEAD_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Room for count elements of size bytes in an array that has some for *max: at
 * twice as many as before, if that is not less. list: where its pointer is,
 * NULL with *max 0. False: no memory, and nothing was changed.
 */
bool list_room(void *list, size_t count, size_t *max, size_t size);

/* Starts zeroed; free(l.at). */
#define LIST(type) struct { type *at; size_t count, max; }

/* A zeroed element more; NULL: no memory. */
#define list_add(l) ({							\
	__auto_type list_ = (l);					\
	list_room(&list_->at, list_->count + 1, &list_->max,		\
		  sizeof(*list_->at)) ?					\
		(__typeof__(list_->at))memset(				\
			&list_->at[list_->count++], 0,			\
			sizeof(*list_->at)) : NULL;			\
})

#endif
