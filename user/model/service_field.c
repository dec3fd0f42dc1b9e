// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See service_field.h. */
#include <stdio.h>

#include "service_field.h"

static const char *proto_text(__u32 value, char *text)
{
	return proto_name(value);
}

static const char *forward_text(__u32 value, char *text)
{
	return forward_name(value);
}

static const char *algorithm_text(__u32 value, char *text)
{
	return algorithm_name(value);
}

static const char *udp_text(__u32 value, char *text)
{
	return value ? "stateless" : "flow";
}

static const char *seconds_text(__u32 value, char *text)
{
	snprintf(text, SERVICE_FIELD_TEXT_MAX, "%u s", value);
	return text;
}

const char *service_field_key(enum service_field f)
{
	static const char *const keys[] = {
#define X(name, key, field, text) key,
		SERVICE_FIELDS(X)
#undef X
	};

	return keys[f];
}

const char *service_field_text(enum service_field f,
			       const struct model_service *s,
			       char text[static SERVICE_FIELD_TEXT_MAX])
{
	switch (f) {
#define X(name, key, field, write) \
	case SERVICE_FIELD_##name: return write(s->field, text);
	SERVICE_FIELDS(X)
#undef X
	default:
		return "";
	}
}
