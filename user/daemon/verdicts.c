// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See verdicts.h. */
#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include <sys/epoll.h>

#include "base/endpoint.h"
#include "base/log.h"
#include "model/model.h"
#include "model/policy_text.h"
#include "verdicts.h"

static void listen_is(const struct verdicts *v, bool is_on)
{
	parts_tables(v->parts)->runtime->policy_events = is_on;
}

/* The name of who has an address, or the address. */
static json_t *end_json(const struct enforcing *p, const struct addr *a,
			__be16 port)
{
	const struct policy_compiled *c = policy_compiled(p->state);
	const struct model_workload *w = c ? policy_workload_of(c, a) : NULL;
	char at[ENDPOINT_TEXT_MAX];
	json_t *ret = json_pack("{s:s}", "address",
				endpoint_format(a, ntohs(port), at));

	if (w)
		json_object_set_new(ret, "workload",
				    json_sprintf("%s/%s", w->namespace,
						 w->name));
	return ret;
}

static const char *effect_name(const struct policy_event *e)
{
	if (e->flags & POLICY_EVENT_DENIED)
		return "denied";
	return e->flags & POLICY_EVENT_AUDIT ? "audited" : "allowed";
}

static json_t *why_json(const struct enforcing *p, const struct policy_event *e)
{
	char text[POLICY_TEXT_MAX];
	struct policy_rule_info info;

	if (e->rule == POLICY_UNKNOWN)
		return json_string("its policies are not known yet");
	if (e->rule == POLICY_SPOOFED)
		return json_string("not an address of its own");
	if (e->rule == POLICY_LIMITED)
		return json_string("more than its limits allow");
	if (!policy_rule(p->state, e->target, e->rule, &info))
		return json_string("a policy that is no more");
	return json_string(policy_rule_text(&info, text));
}

/* Seconds since 1970, of an event's time. */
static double since_epoch(__u64 time_ns)
{
	struct timespec wall, mono;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return wall.tv_sec - mono.tv_sec +
	       (wall.tv_nsec - mono.tv_nsec + (double)time_ns) / 1e9;
}

static json_t *event_json(const struct verdicts *v,
			  const struct policy_event *e)
{
	return json_pack("{s:I, s:f, s:s, s:s, s:o, s:o, s:s, s:b, s:o}",
			 "number", (json_int_t)v->next,
			 "time", since_epoch(e->time_ns),
			 "verdict", effect_name(e),
			 "direction", policy_direction_name(e->direction),
			 "from", end_json(v->enforcing, &e->flow.src,
					  e->flow.sport),
			 "to", end_json(v->enforcing, &e->flow.dst,
					e->flow.dport),
			 "protocol", proto_name(e->flow.proto),
			 "live", !!(e->flags & POLICY_EVENT_LIVE),
			 "why", why_json(v->enforcing, e));
}

static void on_verdict(void *arg, const struct policy_event *e)
{
	struct verdicts *v = arg;
	json_t **at = &v->kept[v->next % VERDICTS_KEPT];

	if (!v->enforcing->state)
		return;
	json_decref(*at);
	*at = event_json(v, e);
	v->next++;
	v->this_second++;
}

static void on_readable(void *arg, __u32 events)
{
	struct verdicts *v = arg;
	unsigned int left = VERDICTS_PER_S - v->this_second;

	if (!left || !dp_events_read(v->parts->dp, left))
		return;
	listen_is(v, false);
	event_set_mask(v->source, 0);
	v->missed++;
}

int verdicts_start(struct verdicts *v, struct loop *l)
{
	int fd = dp_events_open(v->parts->dp, on_verdict, v);
	int err = fd < 0 ? fd : loop_add_fd(l, fd, EPOLLIN, on_readable, v,
					    &v->source);

	v->next = 1;
	if (!err)
		listen_is(v, true);
	return err;
}

void verdicts_stop(struct verdicts *v)
{
	if (v->source)
		listen_is(v, false);
	event_remove(v->source);
	for (size_t i = 0; i < VERDICTS_KEPT; i++)
		json_decref(v->kept[i]);
}

void verdicts_check(struct verdicts *v)
{
	if (!v->source)
		return;
	if (v->this_second >= VERDICTS_PER_S) {
		event_set_mask(v->source, EPOLLIN);
		listen_is(v, true);
	}
	v->this_second = 0;
}

json_t *verdicts_json(const struct verdicts *v, __u64 first)
{
	__u64 oldest = v->next > VERDICTS_KEPT ? v->next - VERDICTS_KEPT : 1;
	json_t *list = json_array();

	for (__u64 i = first > oldest ? first : oldest; i < v->next; i++)
		json_array_append(list, v->kept[i % VERDICTS_KEPT]);
	return json_pack("{s:b, s:o, s:I, s:I}", "ok", 1, "verdicts", list,
			 "next", (json_int_t)v->next,
			 "missed", (json_int_t)v->missed);
}
