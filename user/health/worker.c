// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See health.h: carries checks out. Each has one time at which something is
 * due: its next probe, or the end of the one that runs. A heap has them, and
 * one timer wakes for the first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/random.h>

#include "base/clock.h"
#include "base/list.h"
#include "course.h"
#include "health.h"
#include "probe.h"
#include "probe_curl.h"
#include "process/channel.h"

#define PULSE_MS 1000

struct worker_check {
	struct health *health;
	struct health_order order;
	struct course course;
	struct probe *probe;	/* NULL: none runs */
	__u64 begun_ms;		/* of the last one */
	__u64 due_ms;
	size_t at;		/* in the heap */
};

struct health {
	struct loop *loop;
	struct channel *channel;
	struct event *timer, *pulse;
	struct worker_check **by_id;	/* [HEALTH_CHECKS_MAX] */
	struct worker_check **heap;	/* the soonest first */
	size_t count, max;
	__u64 chance;
};

/* xorshift64: for spreading alone. */
static __u32 chance(struct health *h)
{
	h->chance ^= h->chance << 13;
	h->chance ^= h->chance >> 7;
	h->chance ^= h->chance << 17;
	return h->chance >> 32;
}

static void heap_put(struct health *h, size_t at, struct worker_check *c)
{
	h->heap[at] = c;
	c->at = at;
}

/* c's time is another one: it goes where it belongs. */
static void heap_move(struct health *h, struct worker_check *c)
{
	size_t at = c->at, next;

	for (; at && h->heap[(at - 1) / 2]->due_ms > c->due_ms;
	     at = (at - 1) / 2)
		heap_put(h, at, h->heap[(at - 1) / 2]);
	for (;; at = next) {
		next = 2 * at + 1;
		if (next + 1 < h->count &&
		    h->heap[next + 1]->due_ms < h->heap[next]->due_ms)
			next++;
		if (next >= h->count || h->heap[next]->due_ms >= c->due_ms)
			break;
		heap_put(h, at, h->heap[next]);
	}
	heap_put(h, at, c);
}

static void heap_remove(struct health *h, struct worker_check *c)
{
	struct worker_check *last = h->heap[--h->count];

	if (last == c)
		return;
	heap_put(h, c->at, last);
	heap_move(h, last);
}

static void timer_follow(struct health *h)
{
	__u64 now = clock_ms(), due = h->count ? h->heap[0]->due_ms : 0;

	timer_set(h->timer, !h->count ? 0 : due > now ? due - now : 1, 0);
}

static void tell(const struct worker_check *c, const struct probe_result *r)
{
	struct health_result said = {
		.id = c->order.id,
		.outcome = r->outcome,
		.state = c->course.state,
		.flaps = c->course.flaps,
		.run = c->course.run,
		.took_us = (clock_ms() - c->begun_ms) * 1000,
	};
	struct bytes_out b = {};

	for (int i = 0; i < HEALTH_WHY_MAX - 1 && r->why[i]; i++)
		said.why[i] = r->why[i] >= ' ' && r->why[i] < 0x7f ?
			      r->why[i] : '?';
	health_result_put(&b, &said);
	channel_send(c->health->channel, b.data, b.len);
	bytes_free(&b);
}

/* A probe is over. */
static void take(struct worker_check *c, const struct probe_result *r)
{
	const struct model_check *check = &c->order.check;
	__u64 now = clock_ms();

	c->probe = NULL;
	course_take(&c->course, check, r->outcome, now);
	c->due_ms = c->begun_ms +
		    course_pause_ms(&c->course, check, chance(c->health));
	if (c->due_ms <= now)
		c->due_ms = now;
	heap_move(c->health, c);
	tell(c, r);
}

static void on_done(void *arg, const struct probe_result *r)
{
	struct worker_check *c = arg;

	take(c, r);
	timer_follow(c->health);
}

static void give_up(struct worker_check *c)
{
	const char *what = c->probe->type->waiting_for(c->probe);
	struct probe_result r;

	probe_fail(&r, "%s in %u ms", what, c->order.check.spec.timeout_ms);
	c->probe->type->cancel(c->probe);
	take(c, &r);
}

static void begin(struct worker_check *c)
{
	const struct probe_spec *s = &c->order.check.spec;
	const struct probe_type *type = probe_types[s->kind];
	struct probe_result r;
	int err;

	c->begun_ms = clock_ms();
	if (!type) {
		probe_fail(&r, "no checks of this type in this program");
		r.outcome = PROBE_NO_RESULT;
		take(c, &r);
		return;
	}
	err = type->start(c->health->loop, s, on_done, c, &c->probe);
	if (err) {
		probe_fail_errno(&r, err);
		take(c, &r);
		return;
	}
	c->due_ms = c->begun_ms + s->timeout_ms;
	heap_move(c->health, c);
}

static void on_timer(void *arg)
{
	struct health *h = arg;
	__u64 now = clock_ms();

	while (h->count && h->heap[0]->due_ms <= now) {
		if (h->heap[0]->probe)
			give_up(h->heap[0]);
		else
			begin(h->heap[0]);
		if (h->heap[0]->due_ms == now)
			break;	/* a pause of nothing: others first */
	}
	timer_follow(h);
}

static void check_free(struct worker_check *c)
{
	if (c->probe)
		c->probe->type->cancel(c->probe);
	probe_spec_clear(&c->order.check.spec);
	free(c);
}

static const char *on_check(struct health *h, struct record *r)
{
	struct worker_check *c = calloc(1, sizeof(*c));
	const char *why = c ? health_order_get(r, &c->order) : "no memory";

	if (why) {
		free(c);
		return why;
	}
	if (h->by_id[c->order.id] ||
	    !list_room(&h->heap, h->count + 1, &h->max, sizeof(*h->heap))) {
		check_free(c);
		return "a check that is there already";
	}
	c->health = h;
	c->course = (struct course){ .state = c->order.state,
				     .flaps = c->order.flaps };
	c->due_ms = clock_ms() + course_first_ms(&c->order.check, chance(h));
	h->by_id[c->order.id] = c;
	heap_put(h, h->count++, c);
	heap_move(h, c);
	timer_follow(h);
	return NULL;
}

static const char *on_uncheck(struct health *h, struct record *r)
{
	__u32 id;

	if (!record_bytes(r, RECORD_FIELD_BYTES, &id, sizeof(id)) ||
	    id >= HEALTH_CHECKS_MAX || !h->by_id[id])
		return "the end of no check";
	heap_remove(h, h->by_id[id]);
	check_free(h->by_id[id]);
	h->by_id[id] = NULL;
	timer_follow(h);
	return NULL;
}

static const char *on_record(void *arg, struct record *r)
{
	if (r->type == RECORD_CHECK)
		return on_check(arg, r);
	if (r->type == RECORD_UNCHECK)
		return on_uncheck(arg, r);
	return "a record that is not for us";
}

static void on_pulse(void *arg)
{
	struct health *h = arg;
	struct bytes_out b = {};
	size_t begin_at = record_begin(&b, RECORD_ALIVE, 0);

	if (record_end(&b, begin_at))
		channel_send(h->channel, b.data, b.len);
	bytes_free(&b);
}

static void on_closed(void *arg, const char *why)
{
	struct health *h = arg;

	loop_stop(h->loop);
}

static const struct channel_ops channel_ops = {
	.record = on_record,
	.closed = on_closed,
};

static void health_close(void *arg)
{
	struct health *h = arg;

	if (!h)
		return;
	while (h->count)
		check_free(h->heap[--h->count]);
	probe_curl_close();
	free(h->heap);
	free(h->by_id);
	event_remove(h->timer);
	event_remove(h->pulse);
	channel_close(h->channel);
	free(h);
}

static int health_open(struct loop *l, int fd, void **ret)
{
	struct health *h = calloc(1, sizeof(*h));
	int err = -ENOMEM;

	if (h)
		h->by_id = calloc(HEALTH_CHECKS_MAX, sizeof(*h->by_id));
	if (!h || !h->by_id) {
		close(fd);
		free(h);
		return err;
	}
	h->loop = l;
	probe_curl_open(l);	/* without it, such checks say that */
	if (getrandom(&h->chance, sizeof(h->chance), 0) < 0)
		h->chance = clock_ms();
	h->chance |= 1;
	err = channel_open(l, fd, &channel_ops, h, &h->channel) ?:
	      loop_add_timer(l, on_timer, h, &h->timer) ?:
	      loop_add_timer(l, on_pulse, h, &h->pulse) ?:
	      timer_set(h->pulse, PULSE_MS, PULSE_MS);
	if (err) {
		health_close(h);
		return err;
	}
	*ret = h;
	return 0;
}

/* Where there is no libcurl, all else is checked. */
static int health_prepare(void)
{
	probe_curl_prepare();
	return 0;
}

const struct worker health_worker = {
	.title = "fairlead: health",
	.sandbox = SANDBOX_PROBER,
	.prepare = health_prepare,
	.open = health_open,
	.close = health_close,
};
