// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A random universe that becomes another one step by step: after each step the
 * tables say what the evaluator reads in the API's text, and while they are
 * written each packet is told what held before or what holds after. Now and
 * then a map takes no more, so that what was in force has to stay, or the
 * daemon begins anew over what the tables hold.
 *
 *   story_test [--steps N] [--seed N]
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "chance.h"
#include "fake_tables.h"
#include "policy_questions.h"
#include "policy_tables.h"
#include "seeded.h"

#define PROGRESS 100	/* stories between two words of how far it is */
#define STORY_STEPS 60

static struct seeded options = { .what = "steps", .count = 300 };

#define PLACED_MAX 400
#define SAMPLES 40
#define FIRST_IFINDEX 100

/* An interface that was given to a pod; its number is its place here. */
struct placed {
	char namespace[32], name[32];
	bool is_placed;
};

/* What is asked while the tables are written: it is as it was, or as it is
 * going to be. */
struct sample {
	const struct placed *pod;
	__u32 ifindex;
	enum policy_direction direction;
	struct addr peer;
	__u8 proto;
	__u16 port;
	bool was, is;
};

struct story {
	struct universe u;
	struct fake *f;
	struct policy_state *s;
	struct policy_set *set;		/* in force */
	__u32 now_s;
	struct placed placed[PLACED_MAX];
	size_t nr_placed;
	struct sample samples[SAMPLES];
	size_t nr_samples;
	const char *between;	/* what was wrong while it was written */
	uint64_t seed;
	unsigned long step;
	char edit[UNIVERSE_TEXT_MAX];
};

static struct story *story;	/* of those that are called back */
static int (*real_set)(struct tables *t, enum table_id id, const void *key,
		       const void *value);
static int (*real_del)(struct tables *t, enum table_id id, const void *key);

/* While the tables were written. */
static void say_between(const struct sample *p, const struct tables_answer *a)
{
	char peer[ADDR_TEXT_MAX];

	fprintf(stderr, "# %s of %s/%s, %s, protocol %u, port %u: was %s, is "
		"going to be %s, is %s by bit %u of target %u\n",
		p->direction == POLICY_IN ? "ingress" : "egress",
		p->pod->namespace, p->pod->name, addr_format(&p->peer, peer),
		p->proto, p->port, p->was ? "allowed" : "denied",
		p->is ? "allowed" : "denied",
		a->allowed ? "allowed" : "denied", a->rule, a->target);
}

static void look_between(void)
{
	for (size_t i = 0; i < story->nr_samples && !story->between; i++) {
		struct sample *p = &story->samples[i];
		struct tables_answer a = tables_ask(story->f, p->ifindex,
						    p->direction, &p->peer,
						    p->proto, p->port);

		if (a.wrong)
			story->between = a.wrong;
		else if (a.allowed != p->was && a.allowed != p->is)
			story->between = "by neither the old nor the new set";
		if (story->between)
			say_between(p, &a);
	}
}

static int watched_set(struct tables *t, enum table_id id, const void *key,
		       const void *value)
{
	int err;

	look_between();
	err = real_set(t, id, key, value);
	look_between();
	return err;
}

static int watched_del(struct tables *t, enum table_id id, const void *key)
{
	int err;

	look_between();
	err = real_del(t, id, key);
	look_between();
	return err;
}

static struct placed *placed_of(struct story *y,
				const struct model_workload *w)
{
	struct placed *p;

	for (size_t i = 0; i < y->nr_placed; i++) {
		p = &y->placed[i];
		if (!strcmp(p->namespace, w->namespace) &&
		    !strcmp(p->name, w->name))
			return p;
	}
	if (y->nr_placed == PLACED_MAX)
		abort();
	p = &y->placed[y->nr_placed++];
	snprintf(p->namespace, sizeof(p->namespace), "%s", w->namespace);
	snprintf(p->name, sizeof(p->name), "%s", w->name);
	return p;
}

static __u32 ifindex_of(const struct story *y, const struct placed *p)
{
	return FIRST_IFINDEX + (p - y->placed);
}

static bool has_interface(const struct model_workload *w)
{
	return w->is_here && !w->is_host_network;
}

static void place(struct story *y, struct placed *p)
{
	assert_int_equal(policy_place(y->s, p->namespace, p->name,
				      ifindex_of(y, p), NULL, false,
				      y->now_s), 0);
	p->is_placed = true;
	assert_int_not_equal(tables_workload(y->f, ifindex_of(y, p)), 0);
}

static void unplace(struct story *y, struct placed *p)
{
	assert_int_equal(policy_unplace(y->s, ifindex_of(y, p), y->now_s), 0);
	p->is_placed = false;
	assert_int_equal(tables_workload(y->f, ifindex_of(y, p)), 0);
}

/* Interfaces come and go before what is defined does, or after it. */
static void place_some(struct story *y, const struct policy_set *s,
		       uint32_t percent)
{
	bool is_wanted[PLACED_MAX] = {};

	for (size_t i = 0; i < s->nr_workloads; i++) {
		const struct model_workload *w = s->workloads[i];

		if (has_interface(w))
			is_wanted[placed_of(y, w) - y->placed] = true;
	}
	for (size_t i = 0; i < y->nr_placed; i++) {
		struct placed *p = &y->placed[i];

		if (is_wanted[i] == p->is_placed || !chance(percent))
			continue;
		if (is_wanted[i])
			place(y, p);
		else
			unplace(y, p);
	}
}

static bool check_tables(const void *arg, const struct question *q)
{
	struct evaluator_answer right = question_answer(q);
	struct tables_answer a;
	struct placed *p;

	if (!has_interface(q->pod))
		return true;
	p = placed_of((struct story *)arg, q->pod);
	if (!p->is_placed)
		return true;
	a = tables_ask(story->f, ifindex_of(story, p), q->direction, q->peer,
		       q->proto, q->port);
	if (a.wrong)
		return question_differs(q, "tables", a.wrong);
	if (a.allowed != right.is.allowed)
		return question_differs(q, "tables", a.allowed ? "allowed" : "denied");
	if (a.audited != (right.is.allowed && !right.would.allowed))
		return question_differs(q, "tables, audit",
			       a.audited ? "denied" : "nothing");
	return true;
}

static const struct model_workload *same_pod(const struct policy_set *s,
					     const struct model_workload *w)
{
	const struct model_workload *other =
		policy_set_workload(s, w->namespace, w->name);

	if (!other || other->nr_addrs != w->nr_addrs || !has_interface(other) ||
	    memcmp(other->addrs, w->addrs, w->nr_addrs * sizeof(*w->addrs)))
		return NULL;
	return other;
}

/* Of a pod that both sets have, at the same addresses. */
static bool take_sample(struct story *y, struct policy_set *next,
			struct sample *ret)
{
	struct question q = { .u = &y->u, .set = y->set, .direction = any(2) };
	struct placed *p;

	if (!y->set->nr_workloads)
		return false;
	q.pod = y->set->workloads[any(y->set->nr_workloads)];
	if (!q.pod->nr_addrs || !same_pod(next, q.pod))
		return false;
	p = placed_of(y, q.pod);
	q.own = &q.pod->addrs[any(q.pod->nr_addrs)];
	q.peer = universe_addr(&y->u);
	question_port(&q);
	if (!p->is_placed || addr_is4(q.own) != addr_is4(q.peer))
		return false;
	*ret = (struct sample){
		.pod = p, .ifindex = ifindex_of(y, p),
		.direction = q.direction, .peer = *q.peer,
		.proto = q.proto, .port = q.port,
		.was = question_answer(&q).is.allowed,
	};
	q.set = next;
	ret->is = question_answer(&q).is.allowed;
	return true;
}

/* A change of a namespace's labels changes who is selected and who is let in
 * at once, so that each packet may meet half of it. */
static void take_samples(struct story *y, struct policy_set *next)
{
	bool is_whole = strncmp(y->edit, "labels of ns", 12);

	y->nr_samples = 0;
	for (int i = 0; is_whole && i < SAMPLES; i++)
		y->nr_samples += take_sample(y, next,
					     &y->samples[y->nr_samples]);
}

static void say_step(const struct story *y, const char *what)
{
	fprintf(stderr, "# %s: step %lu of seed %" PRIu64 ": %s\n", what,
		y->step, y->seed, y->edit);
	questions_print(&y->u);
}

/* The tables say what set does, and so does who asks without them. */
static void check_story(struct story *y, const struct policy_set *s,
			const char *when)
{
	const struct policy_compiled *c = policy_compiled(y->s);

	if (questions_ask(&y->u, s, check_tables, y) && c &&
	    questions_ask(&y->u, s, question_judged_here, c))
		return;
	say_step(y, when);
	fail();
}

/* A map takes no more entries; false: that made no difference. */
static bool is_refused(struct story *y, struct policy_set *next)
{
	static const enum table_id ids[] = { TABLE_targets, TABLE_peers,
					     TABLE_peer_masks,
					     TABLE_port_masks };
	enum table_id id = ids[any(4)];
	char text[POLICY_TEXT_MAX] = "";
	struct policy_result r;
	__u32 was = y->f->max_entries[id];
	int err;

	y->f->max_entries[id] = y->f->maps[id] ? y->f->maps[id]->count : 0;
	err = policy_apply(y->s, next, y->now_s, &r, text);
	y->f->max_entries[id] = was;
	assert_true(!err || text[0]);
	return err;
}

static void apply(struct story *y, struct policy_set *next)
{
	char text[POLICY_TEXT_MAX] = "";
	struct policy_result r;

	if (policy_apply(y->s, next, y->now_s, &r, text)) {
		say_step(y, text);
		fail();
	}
}

static void use(struct story *y, struct policy_set *next)
{
	policy_set_free(y->set);
	y->set = next;
}

static void restart(struct story *y)
{
	char text[POLICY_TEXT_MAX];

	policy_free(y->s);
	y->s = NULL;
	assert_int_equal(policy_new(&y->f->t, y->now_s, &y->s), 0);
	assert_int_equal(policy_set_host(y->s, y->u.host, 2, y->now_s, text),
			 0);
	if (!questions_ask(&y->u, y->set, check_tables, y)) {
		say_step(y, "differs after a restart");
		fail();
	}
	for (size_t i = 0; i < y->nr_placed; i++) {
		if (y->placed[i].is_placed)
			place(y, &y->placed[i]);
	}
	apply(y, y->set);
	check_story(y, y->set, "after a restart");
}

static void step(struct story *y)
{
	struct policy_set *next;

	universe_edit(&y->u, y->edit);
	next = universe_set(&y->u);
	questions_begin();
	place_some(y, next, 30);
	take_samples(y, next);
	if (chance(10) && is_refused(y, next))
		check_story(y, y->set, "after it was refused");
	apply(y, next);
	y->nr_samples = 0;
	use(y, next);
	place_some(y, next, 90);
	if (y->between) {
		say_step(y, y->between);
		fail();
	}
	check_story(y, next, "once it is in force");
	y->now_s += any(4);
	policy_tick(y->s, y->now_s);
	if (chance(30))
		check_story(y, next, "later");
	if (chance(5))
		restart(y);
}

static void begin_story(struct story *y, uint64_t seed)
{
	struct universe_size size;
	struct fake_sizes sizes = { 1, 1, 1, 1, 1 };
	char text[POLICY_TEXT_MAX];

	random_start(seed);
	size = universe_any_size();
	story = y;
	y->seed = seed;
	y->now_s = 1000;
	universe_begin(&y->u, &size);
	y->f = fake_new(sizes);
	real_set = y->f->t.entry_set;
	real_del = y->f->t.entry_del;
	y->f->t.entry_set = watched_set;
	y->f->t.entry_del = watched_del;
	assert_int_equal(policy_new(&y->f->t, y->now_s, &y->s), 0);
	y->set = universe_set(&y->u);
	questions_begin();
	assert_int_equal(policy_set_host(y->s, y->u.host, 2, y->now_s, text),
			 0);
	place_some(y, y->set, 50);
	apply(y, y->set);
	check_story(y, y->set, "at first");
}

static void end_story(struct story *y)
{
	policy_free(y->s);
	policy_set_free(y->set);
	fake_free(y->f);
	universe_end(&y->u);
}

static void a_story(uint64_t seed, unsigned long steps)
{
	struct story *y = calloc(1, sizeof(*y));

	assert_non_null(y);
	begin_story(y, seed);
	for (y->step = 0; y->step < steps; y->step++)
		step(y);
	end_story(y);
	free(y);
}

static void a_universe_becomes_another_step_by_step(void **state)
{
	unsigned long done = 0;

	for (uint64_t n = 0; done < options.count; n++, done += STORY_STEPS) {
		a_story(options.seed + n, STORY_STEPS);
		if (options.is_long && n % PROGRESS == PROGRESS - 1)
			fprintf(stderr, "# %lu steps\n", done + STORY_STEPS);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_universe_becomes_another_step_by_step),
	};

	if (!seeded_parse(&options, argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
