// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See event.h; the fields are those that client-go's recorder fills in. */
#include <stdio.h>
#include <time.h>

#include <jansson.h>

#include "event.h"

#define CONTROLLER "fairlead"

const char *kube_event_namespace(const struct kube_event *e)
{
	return e->namespace ?: "default";
}

/* MicroTime: always six digits. */
static const char *micro_time(__s64 us, char ret[static 40])
{
	const time_t s = us / 1000000;
	struct tm tm = {};
	size_t len;

	gmtime_r(&s, &tm);
	len = strftime(ret, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + len, 40 - len, ".%06dZ", (int)(us % 1000000));
	return ret;
}

char *kube_event_json(const struct kube_event *e, const char *node,
		      __s64 now_us)
{
	char name[300], instance[300], time[40], *ret;
	json_t *json;

	snprintf(name, sizeof(name), "%s.%llx", e->name, now_us * 1000ull);
	snprintf(instance, sizeof(instance), "%s-%s", CONTROLLER, node);
	json = json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:s, "
			 "s:s, s:{s:s, s:s, s:s*, s:s, s:s}}",
			 "apiVersion", "events.k8s.io/v1", "kind", "Event",
			 "metadata", "name", name,
			 "namespace", kube_event_namespace(e),
			 "eventTime", micro_time(now_us, time),
			 "reportingController", CONTROLLER,
			 "reportingInstance", instance,
			 "type", e->is_warning ? "Warning" : "Normal",
			 "reason", e->reason, "action", e->action,
			 "note", e->note,
			 "regarding", "apiVersion", "v1", "kind", e->kind,
			 "namespace", e->namespace, "name", e->name,
			 "uid", e->uid);
	ret = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return ret;
}
