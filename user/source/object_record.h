/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a RECORD_PUT tells of an object, to the object, as serve reads it. */
#ifndef FAIRLEAD_OBJECT_RECORD_H
#define FAIRLEAD_OBJECT_RECORD_H

#include "kubernetes/object.h"
#include "process/record.h"

/* The caller's. NULL: no memory. What is broken in it is among its mistakes:
 * whoever sent it may say anything, in any order. */
struct kube_object *object_record_read(enum kube_kind kind, struct record *r);

#endif
