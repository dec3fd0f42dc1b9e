/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a definition says of a service in one word or number. From this list
 * come the parser's keys, the digest that tells whether a definition is another
 * one, and the lines of `fairlead diff`. A new field is a row here, a field of
 * struct model_service, its reader in definitions/native_service.c, where it
 * goes in an entry (engine/plan.c, and back in engine/diff.c), and its part of
 * the manual.
 */
#ifndef FAIRLEAD_SERVICE_FIELD_H
#define FAIRLEAD_SERVICE_FIELD_H

#include "model.h"

/* name, key, field of struct model_service, how its value is written. They are
 * read in this order. */
#define SERVICE_FIELDS(X)						\
	X(PROTOCOL, "protocol", proto, proto_text)			\
	X(FORWARD, "forward", forward, forward_text)			\
	X(ALGORITHM, "algorithm", algorithm, algorithm_text)		\
	X(AFFINITY, "affinity", affinity_s, seconds_text)		\
	X(UDP, "udp", stateless, udp_text)				\
	X(IDLE, "idle", idle_s, seconds_text)

enum service_field {
#define X(name, key, field, text) SERVICE_FIELD_##name,
	SERVICE_FIELDS(X)
#undef X
	NR_SERVICE_FIELDS,
};

const char *service_field_key(enum service_field f);

#define SERVICE_FIELD_TEXT_MAX 16
const char *service_field_text(enum service_field f,
			       const struct model_service *s,
			       char text[static SERVICE_FIELD_TEXT_MAX]);

#endif
