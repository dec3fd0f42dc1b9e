// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verdicts of policy, as the programs tell them, through a ring buffer. */
#include <errno.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include <fairlead/policy.h>

#include "base/log.h"
#include "dp_private.h"

struct dp_events {
	struct ring_buffer *ring;
	dp_event_fn *f;
	void *arg;
	unsigned int left;	/* of this reading */
};

void dp_events_free(struct dp_events *e)
{
	if (!e)
		return;
	ring_buffer__free(e->ring);
	free(e);
}

static int on_event(void *arg, void *data, size_t len)
{
	struct dp_events *e = arg;

	if (len >= sizeof(struct policy_event))
		e->f(e->arg, data);
	return --e->left ? 0 : -ECANCELED;
}

int dp_events_open(struct dp *dp, dp_event_fn *f, void *arg)
{
	struct dp_events *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	*e = (struct dp_events){ .f = f, .arg = arg };
	e->ring = ring_buffer__new(dp->fd[TABLE_events], on_event, e, NULL);
	if (!e->ring) {
		dp_events_free(e);
		return log_error(-errno, "cannot open the ring buffer of "
				 "policies' verdicts");
	}
	dp->events = e;
	return ring_buffer__epoll_fd(e->ring);
}

bool dp_events_read(struct dp *dp, unsigned int max)
{
	struct dp_events *e = dp->events;

	e->left = max;
	return ring_buffer__consume(e->ring) == -ECANCELED;
}
