// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See sync.h. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "definitions/definitions.h"
#include "kubernetes/cluster.h"
#include "sync.h"

__s64 sync_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

void histogram_add(struct histogram *h, double value)
{
	size_t i = 0;

	while (i < h->nr_bounds && value > h->bounds[i])
		i++;
	h->counts[i]++;
	h->count++;
	h->sum += value;
}

static void bounds_add(struct histogram *h, double first, double step,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		h->bounds[h->nr_bounds++] = first + step * i;
}

/* The bounds are kube-proxy's (pkg/proxy/metrics/metrics.go). */
void sync_init(struct sync *s, const struct loading *loading)
{
	*s = (struct sync){ .loading = loading, .since_us = sync_now_us() };
	for (double bound = 0.001; s->durations.nr_bounds < 15; bound *= 2)
		bounds_add(&s->durations, bound, 0, 1);
	bounds_add(&s->latencies, 0.25, 0.25, 2);
	bounds_add(&s->latencies, 1, 1, 59);
	bounds_add(&s->latencies, 60, 5, 12);
	bounds_add(&s->latencies, 120, 30, 7);
}

void sync_queued(struct sync *s)
{
	s->queued_us = sync_now_us();
	sync_look(s, true);
}

/* What changed before we were there is nobody's latency. */
static void news_done(struct sync *s)
{
	struct kube_news *n = s->loading->files ?
			      definitions_news(s->loading->files) : NULL;

	if (!n)
		return;
	memcpy(s->changes_done, n->changes, sizeof(s->changes_done));
	for (size_t i = 0; i < n->nr_triggers; i++)
		if (n->triggers_us[i] >= s->since_us &&
		    n->triggers_us[i] <= s->updated_us)
			histogram_add(&s->latencies,
				      (s->updated_us - n->triggers_us[i]) /
					      1e6);
	n->nr_triggers = 0;
}

void sync_tried(struct sync *s, double seconds, bool is_in_force)
{
	if (!is_in_force) {
		s->tries_failed++;
		return;
	}
	histogram_add(&s->durations, seconds);
	s->updated_us = sync_now_us();
	news_done(s);
}

void sync_look(struct sync *s, bool waits)
{
	if (!waits)
		s->waits_since_ms = 0;
	else if (!s->waits_since_ms)
		s->waits_since_ms = clock_ms();
}
