// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See health.h. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "health.h"

bool web_is_silent(const struct web_health *h, const struct web_now *now)
{
	return !h->heard_ms || now->ms - h->heard_ms > WEB_PATIENCE_MS;
}

/* Who is silent may have been told something right behind its last word. */
bool web_is_healthy(const struct web_health *h, const struct web_now *now)
{
	const __u64 since = h->pulse.waits_since_ms;

	return !web_is_silent(h, now) &&
	       (!since || since + WEB_PATIENCE_MS >= now->ms);
}

/* RFC3339Nano: zeros at the end of a fraction are left out. */
const char *web_time(__s64 us, char ret[static WEB_TIME_MAX])
{
	const time_t s = us / 1000000;
	struct tm tm;
	size_t len;

	if (!us || !gmtime_r(&s, &tm))
		return strcpy(ret, "0001-01-01T00:00:00Z");
	len = strftime(ret, WEB_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	if (us % 1000000) {
		len += snprintf(ret + len, WEB_TIME_MAX - len, ".%06d",
				(int)(us % 1000000));
		while (ret[len - 1] == '0')
			len--;
	}
	strcpy(ret + len, "Z");
	return ret;
}

static const char *word(bool is_so)
{
	return is_so ? "true" : "false";
}

/* What one write serves is both families'. */
static void status_body(const struct web_health *h, const struct web_now *now,
			const char *eligible, char ret[static WEB_BODY_MAX])
{
	char at[WEB_TIME_MAX], updated[WEB_TIME_MAX];
	const bool is_healthy = web_is_healthy(h, now);

	web_time(now->us, at);
	web_time(h->pulse.updated_us, updated);
	snprintf(ret, WEB_BODY_MAX,
		 "{\"lastUpdated\":\"%s\",\"currentTime\":\"%s\",%s\"healthy\":%s,\"status\":{\"IPv4\":{\"lastUpdated\":\"%s\",\"healthy\":%s},\"IPv6\":{\"lastUpdated\":\"%s\",\"healthy\":%s}}}",
		 is_healthy ? at : updated, at, eligible, word(is_healthy),
		 updated, word(is_healthy), updated, word(is_healthy));
}

unsigned int web_healthz_body(const struct web_health *h,
			      const struct web_now *now,
			      char ret[static WEB_BODY_MAX])
{
	const bool is_eligible = h->pulse.is_eligible;
	char eligible[32];

	snprintf(eligible, sizeof(eligible), "\"nodeEligible\":%s,",
		 word(is_eligible));
	status_body(h, now, eligible, ret);
	return is_eligible && web_is_healthy(h, now) ? 200 : 503;
}

unsigned int web_livez_body(const struct web_health *h,
			    const struct web_now *now,
			    char ret[static WEB_BODY_MAX])
{
	status_body(h, now, "", ret);
	return web_is_healthy(h, now) ? 200 : 503;
}

unsigned int web_health_port_body(const struct web_health *h,
				  const struct web_now *now,
				  const struct web_listener *l,
				  char ret[static WEB_BODY_MAX])
{
	const bool is_healthy = web_is_healthy(h, now);

	snprintf(ret, WEB_BODY_MAX,
		 "{\n"
		 "\t\"service\": {\n"
		 "\t\t\"namespace\": \"%s\",\n"
		 "\t\t\"name\": \"%s\"\n"
		 "\t},\n"
		 "\t\"localEndpoints\": %u,\n"
		 "\t\"serviceProxyHealthy\": %s\n"
		 "}", l->namespace, l->name, l->local, word(is_healthy));
	return l->local && is_healthy ? 200 : 503;
}
