// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sets of services that are made from one another, used and let go of in any
 * order, beside plain lists of the same. Who frees too much or too little is
 * found by ASAN; here, by the users that are left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/service_set.h"

#define NAMES 12
#define HELD 6

static struct model_service *service(int number, bool is_node)
{
	struct model_service by_hand = { .nr_fronts = 1 };
	struct model_service *s;

	by_hand.fronts = calloc(1, sizeof(*by_hand.fronts));
	assert_non_null(by_hand.fronts);
	by_hand.fronts[0].kind = is_node ? KIND_CLUSTER_IP : KIND_EDGE;
	assert_true(asprintf(&by_hand.name, "s%02d", number) > 0);
	s = model_service_share(&by_hand);
	assert_non_null(s);
	return s;
}

/* A set, and what is in it. */
struct held {
	struct service_set *set;
	struct model_service *plain[NAMES];
};

static void check(const struct held *h)
{
	size_t at = 0, nodes = 0;

	for (int i = 0; i < NAMES; i++) {
		if (!h->plain[i])
			continue;
		assert_true(at < h->set->count);
		assert_ptr_equal(h->set->list[at++], h->plain[i]);
		nodes += h->plain[i]->fronts[0].kind != KIND_EDGE;
	}
	assert_int_equal(at, h->set->count);
	assert_int_equal(nodes, h->set->nr_node);
}

static void check_changes(const struct held *was, const struct held *is)
{
	const struct service_change *c;
	size_t count, at = 0;

	if (!service_set_changes(was->set, is->set, &c, &count))
		return;
	for (int i = 0; i < NAMES; i++) {
		if (was->plain[i] == is->plain[i])
			continue;
		assert_true(at < count);
		assert_ptr_equal(c[at].was, was->plain[i]);
		assert_ptr_equal(c[at++].is, is->plain[i]);
	}
	assert_int_equal(at, count);
}

static void shuffle(struct model_service **list, size_t count)
{
	for (size_t i = count; i-- > 1; ) {
		size_t j = rand() % (i + 1);
		struct model_service *s = list[i];

		list[i] = list[j];
		list[j] = s;
	}
}

/* The next of newest, in place of it. */
static void step(struct held *newest)
{
	struct model_service *came[NAMES], *went[NAMES];
	size_t nr_came = 0, nr_went = 0;
	struct service_set *next;

	for (int i = 0; i < NAMES; i++) {
		if (rand() % 4)
			continue;
		if (newest->plain[i])
			went[nr_went++] = newest->plain[i];
		newest->plain[i] = rand() % 3 ? service(i, rand() % 2) : NULL;
		if (newest->plain[i])
			came[nr_came++] = newest->plain[i];
	}
	shuffle(came, nr_came);
	shuffle(went, nr_went);
	assert_int_equal(service_set_next(newest->set, came, nr_came, went,
					  nr_went, &next), 0);
	service_set_free(newest->set);
	newest->set = next;
}

static void sets_follow_one_another(void **state)
{
	struct held newest = { .set = service_set_new() }, held[HELD] = {};

	srand(7);
	for (int i = 0; i < 30000; i++) {
		struct held *h = &held[rand() % HELD];

		step(&newest);
		check(&newest);
		if (rand() % 2) {
			service_set_free(h->set);
			*h = newest;
			service_set_hold(h->set);
		} else if (rand() % 3 == 0) {
			service_set_free(h->set);
			h->set = NULL;
		}
		for (int j = 0; j < HELD; j++) {
			if (!held[j].set)
				continue;
			check(&held[j]);
			check_changes(&held[j], &newest);
		}
	}
	for (int j = 0; j < HELD; j++)
		service_set_free(held[j].set);
	service_set_free(newest.set);
}

/* Whoever has one in force knows what differs, however many were between. */
static void what_differs_is_known_over_many_steps(void **state)
{
	struct held first = { .set = service_set_new() }, newest;
	const struct service_change *c;
	size_t count;

	srand(8);
	newest = first;
	service_set_hold(newest.set);
	for (int i = 0; i < 100; i++)
		step(&newest);
	assert_true(service_set_changes(first.set, newest.set, &c, &count));
	check_changes(&first, &newest);
	assert_true(count <= NAMES);
	service_set_free(first.set);
	service_set_free(newest.set);
}

static void a_service_lives_as_long_as_a_set_has_it(void **state)
{
	struct model_service *s = service(1, false), *one[] = { s };
	struct service_set *a = service_set_new(), *b, *c;

	model_service_hold(s);
	assert_int_equal(service_set_next(a, one, 1, NULL, 0, &b), 0);
	service_set_free(a);
	assert_int_equal(service_set_next(b, NULL, 0, one, 1, &c), 0);
	assert_int_equal(s->users, 2);
	service_set_free(c);
	assert_int_equal(s->users, 2);
	service_set_free(b);
	assert_int_equal(s->users, 1);
	model_service_free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_follow_one_another),
		cmocka_unit_test(what_differs_is_known_over_many_steps),
		cmocka_unit_test(a_service_lives_as_long_as_a_set_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
