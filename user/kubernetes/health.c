// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See health.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "health.h"
#include "ports.h"
#include "words.h"

/* Addresses, each as often as it was said. */
struct gathered {
	struct addr *list;	/* owned */
	size_t count, room;
};

static int gather(struct gathered *g, const struct kube_members *m)
{
	struct addr *larger;

	if (g->count + m->count > g->room) {
		g->room = g->count + m->count;
		larger = realloc(g->list, g->room * sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		g->list = larger;
	}
	for (size_t i = 0; i < m->count; i++)
		if (m->list[i].is_local && m->list[i].is_ready)
			g->list[g->count++] = m->list[i].addr;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return addr_compare(a, b);
}

static __u32 count_distinct(struct gathered *g)
{
	__u32 count = 0;

	if (g->count)
		qsort(g->list, g->count, sizeof(*g->list), compare);
	for (size_t i = 0; i < g->count; i++)
		count += !i || addr_compare(&g->list[i - 1], &g->list[i]);
	return count;
}

/* Of all ports together. */
static int count_local(const struct kube_object *service,
		       const struct kube_object *const *slices, size_t count,
		       const struct kube_here *here, bool is4, __u32 *ret)
{
	struct gathered g = {};
	const struct kube_port *p;
	int err = 0;

	kube_each(p, &service->service.ports) {
		const struct kube_question q = {
			.port = p->name ?: "",
			.proto = kube_proto(p->protocol),
			.is4 = is4,
		};
		struct kube_members members = {};

		err = kube_members_collect(&members, slices, count, &q, here) ?:
		      gather(&g, &members);
		kube_members_clear(&members);
		if (err)
			break;
	}
	*ret = count_distinct(&g);
	free(g.list);
	return err;
}

int kube_health_make(const struct kube_object *service,
		     const struct kube_object *const *slices, size_t count,
		     const struct kube_here *here, struct kube_health *ret)
{
	const struct kube_service *s = &service->service;
	struct addr a;
	int err = 0;

	*ret = (struct kube_health){};
	if (!s->health_port || !kube_is(s->type, "LoadBalancer", false) ||
	    !kube_is(s->external_policy, "Local", false))
		return 0;
	ret->port = s->health_port;
	for (int is4 = 0; !err && is4 < 2; is4++) {
		ret->has[is4] = kube_cluster_ip(s, is4, &a);
		if (ret->has[is4])
			err = count_local(service, slices, count, here, is4,
					  &ret->local[is4]);
	}
	return err;
}

/* Digits behind the point, as microseconds; where they end. */
static const char *fraction(const char *text, __s64 *ret_us)
{
	__s64 unit = 100000;

	*ret_us = 0;
	for (; *text >= '0' && *text <= '9'; text++, unit /= 10)
		*ret_us += unit * (*text - '0');
	return text;
}

/* "Z", "+01:00". */
static bool zone(const char *text, __s64 *ret_s)
{
	unsigned int hours, minutes;
	int len = 0;

	*ret_s = 0;
	if (!strcmp(text, "Z"))
		return true;
	if ((*text != '+' && *text != '-') ||
	    sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &len) != 2 ||
	    len != 5 || text[6] || hours > 23 || minutes > 59)
		return false;
	*ret_s = (*text == '+' ? 60 : -60) * (__s64)(60 * hours + minutes);
	return true;
}

bool kube_time(const char *text, __s64 *ret_us)
{
	struct tm tm = {};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	__s64 us = 0, offset_s;

	if (rest && *rest == '.')
		rest = fraction(rest + 1, &us);
	if (!rest || !zone(rest, &offset_s))
		return false;
	*ret_us = (timegm(&tm) - offset_s) * 1000000 + us;
	return true;
}
