// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See announce.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "base/addr.h"

static const char *const names[] = {
	[ANNOUNCE_ANNOUNCED] = "announced",
	[ANNOUNCE_DRAINING] = "draining",
	[ANNOUNCE_DRAINED] = "drained",
	[ANNOUNCE_HELD] = "held",
	[ANNOUNCE_UNCHECKED] = "unchecked",
	[ANNOUNCE_DOWN] = "down",
	[ANNOUNCE_CUT_OFF] = "cut-off",
	[ANNOUNCE_WITHDRAWN] = "withdrawn",
};

const char *announce_state_name(enum announce_state state)
{
	return names[state];
}

void announcer_clear(struct announcer *a)
{
	free(a->list);
	*a = (struct announcer){};
}

static int compare(const struct addr *a, __u8 a_len, const struct addr *b,
		   __u8 b_len)
{
	return addr_compare(a, b) ?: (int)a_len - (int)b_len;
}

static int compare_services(const void *left, const void *right)
{
	const struct announce_service *a = left, *b = right;

	return compare(&a->addr, a->len, &b->addr, b->len);
}

static int compare_addresses(const void *left, const void *right)
{
	const struct announce_address *a = left, *b = right;

	return compare(&a->addr, a->len, &b->addr, b->len);
}

const struct announce_address *announce_find(const struct announcer *a,
					     const struct addr *addr,
					     __u8 len)
{
	const struct announce_address like = { .addr = *addr, .len = len };

	return a->count ? bsearch(&like, a->list, a->count, sizeof(like),
				  compare_addresses) : NULL;
}

int announce_adopt(struct announcer *a, const struct addr *addr, __u8 len,
		   __u32 metric)
{
	const struct announce_address adopted = {
		.addr = *addr, .len = len, .metric = metric, .is_up = true,
		.state = metric < ANNOUNCE_METRIC_DRAINED ?
				 ANNOUNCE_ANNOUNCED : ANNOUNCE_DRAINING,
	};
	struct announce_address *list;

	if (announce_find(a, addr, len))
		return 0;
	list = realloc(a->list, (a->count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	list[a->count++] = adopted;
	qsort(list, a->count, sizeof(*list), compare_addresses);
	a->list = list;
	return 0;
}

/* What all services at one address come to, and the first that is not well. */
struct group {
	enum announce_verdict verdict;
	const char *failing;
};

static struct group group_of(const struct announce_service *s, size_t count,
			     bool requires_all)
{
	struct group g = {
		.verdict = requires_all ? ANNOUNCE_WORKS : ANNOUNCE_FAILS,
	};

	for (size_t i = 0; i < count; i++) {
		if (requires_all ? s[i].verdict < g.verdict :
				   s[i].verdict > g.verdict)
			g.verdict = s[i].verdict;
	}
	for (size_t i = 0; i < count && !g.failing; i++)
		if (s[i].verdict == g.verdict)
			g.failing = s[i].name;
	return g;
}

/* Whoever was up and is not any more has to be well for a while before it is
 * announced again: routers would hold flapping against it. */
static void fall(struct announce_address *a)
{
	a->has_fallen |= a->is_up;
	a->is_up = false;
	a->works_ms = 0;
}

static void rise(struct announce_address *a, const struct announce_input *in)
{
	__u64 hold_ms = in->settings->hold_s * 1000ull;

	if (!a->works_ms)
		a->works_ms = in->now_ms ?: 1;
	a->until_ms = a->works_ms + hold_ms;
	if (!a->has_fallen || in->now_ms >= a->until_ms)
		a->is_up = true;
}

static enum announce_state state_up(const struct announce_address *a,
				    const struct announce_input *in)
{
	__u64 end = in->drained_ms + in->settings->linger_s * 1000ull;
	bool had_route = a->state == ANNOUNCE_ANNOUNCED ||
			 a->state == ANNOUNCE_DRAINING;

	if (!in->is_drained)
		return ANNOUNCE_ANNOUNCED;
	return had_route && in->now_ms < end ? ANNOUNCE_DRAINING :
					       ANNOUNCE_DRAINED;
}

static enum announce_state state_of(struct announce_address *a,
				    const struct announce_input *in,
				    const struct group *g)
{
	if (in->is_withdrawn)
		return ANNOUNCE_WITHDRAWN;
	if (in->is_cut_off) {
		fall(a);
		return ANNOUNCE_CUT_OFF;
	}
	if (g->verdict == ANNOUNCE_FAILS)
		fall(a);
	else if (g->verdict == ANNOUNCE_WORKS && !a->is_up)
		rise(a, in);
	if (a->is_up)
		return state_up(a, in);
	if (in->is_drained)
		return ANNOUNCE_DRAINED;
	if (g->verdict == ANNOUNCE_FAILS)
		return ANNOUNCE_DOWN;
	return g->verdict == ANNOUNCE_UNKNOWN ? ANNOUNCE_UNCHECKED :
						ANNOUNCE_HELD;
}

static void decide(struct announce_address *a, const struct announce_input *in,
		   const struct group *g)
{
	a->state = state_of(a, in, g);
	a->metric = a->state == ANNOUNCE_ANNOUNCED ? in->settings->metric :
		    a->state == ANNOUNCE_DRAINING ? ANNOUNCE_METRIC_DRAINED : 0;
	if (a->state == ANNOUNCE_DRAINING)
		a->until_ms = in->drained_ms +
			      in->settings->linger_s * 1000ull;
	a->service[0] = '\0';
	if (a->state == ANNOUNCE_DOWN || a->state == ANNOUNCE_UNCHECKED)
		snprintf(a->service, sizeof(a->service), "%s", g->failing);
}

/* Nobody is at this address, as far as is known: it stays as it was while more
 * may be told, but for what concerns the node as a whole. */
static bool keep(struct announce_address *a, const struct announce_input *in)
{
	const struct group nothing = { ANNOUNCE_UNKNOWN, "" };

	if (in->is_known)
		return false;
	decide(a, in, &nothing);
	return true;
}

/* A list as it is made, and how far the old one has been gone through. */
struct making {
	struct announce_address *list;
	size_t count;
	const struct announcer *old;
	size_t at;
};

/* Those of the old list before where, or all, that nobody is at any more;
 * the old one that is where is given back, or NULL. */
static const struct announce_address *
pass(struct making *m, const struct announce_address *where,
     const struct announce_input *in)
{
	for (; m->at < m->old->count; m->at++) {
		const struct announce_address *was = &m->old->list[m->at];
		int sign = where ? compare_addresses(was, where) : -1;

		if (!sign)
			return &m->old->list[m->at++];
		if (sign > 0)
			return NULL;
		m->list[m->count] = *was;
		m->count += keep(&m->list[m->count], in);
	}
	return NULL;
}

/* How many from the first on are at one address. */
static size_t same_address(const struct announce_service *s, size_t count)
{
	size_t n = 1;

	while (n < count && !compare_services(&s[0], &s[n]))
		n++;
	return n;
}

int announce_decide(struct announcer *a, const struct announce_input *in)
{
	struct making m = { .old = a };
	size_t n;

	m.list = calloc(a->count + in->nr_services + 1, sizeof(*m.list));
	if (!m.list)
		return -ENOMEM;
	if (in->nr_services)
		qsort(in->services, in->nr_services, sizeof(*in->services),
		      compare_services);
	for (size_t i = 0; i < in->nr_services; i += n) {
		const struct announce_service *s = &in->services[i];
		struct announce_address new = { .addr = s->addr, .len = s->len,
						.state = ANNOUNCE_DOWN };
		const struct announce_address *was = pass(&m, &new, in);
		struct group g;

		n = same_address(s, in->nr_services - i);
		g = group_of(s, n, in->settings->require_all);
		m.list[m.count] = was ? *was : new;
		decide(&m.list[m.count++], in, &g);
	}
	pass(&m, NULL, in);
	free(a->list);
	*a = (struct announcer){ m.list, m.count };
	return 0;
}

static unsigned int seconds_to(__u64 until_ms, __u64 now_ms)
{
	return until_ms > now_ms ? (until_ms - now_ms + 999) / 1000 : 0;
}

const char *announce_why(const struct announce_address *a, __u64 now_ms,
			 char text[static ANNOUNCE_WHY_MAX])
{
	switch (a->state) {
	case ANNOUNCE_ANNOUNCED:
		return "";
	case ANNOUNCE_DRAINING:
		snprintf(text, ANNOUNCE_WHY_MAX,
			 "the node is drained: gone in %u s",
			 seconds_to(a->until_ms, now_ms));
		return text;
	case ANNOUNCE_DRAINED:
		return "the node is drained";
	case ANNOUNCE_HELD:
		snprintf(text, ANNOUNCE_WHY_MAX,
			 "it works again: announced in %u s",
			 seconds_to(a->until_ms, now_ms));
		return text;
	case ANNOUNCE_UNCHECKED:
		snprintf(text, ANNOUNCE_WHY_MAX,
			 "service \"%s\" is not checked yet", a->service);
		return text;
	case ANNOUNCE_DOWN:
		snprintf(text, ANNOUNCE_WHY_MAX,
			 "service \"%s\" has no backend that works",
			 a->service);
		return text;
	case ANNOUNCE_CUT_OFF:
		return "no uplink is up and attached to";
	case ANNOUNCE_WITHDRAWN:
		return "withdrawn by hand, until \"node undrain\"";
	}
	return "";
}
