// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ports that NAT may give away on a node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/ports.h"

static void nobody_elses_ports_are_given_away(void **state)
{
	static const struct {
		struct port_range local, left;
	} cases[] = {
		{ { 32768, 60999 }, { 11000, 29999 } },	/* Linux's own */
		{ { 1024, 60999 }, { 61000, 65535 } },
		{ { 15000, 65535 }, { 1024, 14999 } },
		{ { 1024, 20000 }, { 32768, 65535 } },
		{ { 25000, 31000 }, { 32768, 65535 } },	/* both overlap */
		{ { 31000, 40000 }, { 40001, 65535 } },
		{ { 30000, 32767 }, { 32768, 65535 } },
		{ { 1024, 65535 }, { 1024, 1024 } },	/* nothing is left */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct port_range got = ports_left(cases[i].local);

		assert_int_equal(got.first, cases[i].left.first);
		assert_int_equal(got.last, cases[i].left.last);
	}
}

static struct model *model_of(enum service_kind kind)
{
	struct model *m = model_new();
	struct model_service *s;

	assert_non_null(m);
	s = model_service_add(m);
	assert_non_null(s);
	s->fronts = calloc(1, sizeof(*s->fronts));
	assert_non_null(s->fronts);
	s->fronts[0].kind = kind;
	s->nr_fronts = 1;
	return m;
}

static void an_edge_and_who_says_which_keep_theirs(void **state)
{
	struct model *edge = model_of(KIND_EDGE);
	struct model *node = model_of(KIND_CLUSTER_IP);
	struct model *told = model_of(KIND_CLUSTER_IP);
	struct model *unheard = model_new();

	assert_non_null(unheard);
	unheard->is_partial = true;
	ports_settle(unheard);
	told->nat_port_first = 2000;
	ports_settle(edge);
	ports_settle(node);
	ports_settle(told);
	assert_int_equal(edge->nat_port_first, 1024);
	assert_int_equal(edge->nat_port_last, 65535);
	assert_true(node->nat_port_first != 1024 ||
		    node->nat_port_last != 65535);
	assert_int_equal(unheard->nat_port_first, node->nat_port_first);
	assert_int_equal(unheard->nat_port_last, node->nat_port_last);
	assert_int_equal(told->nat_port_first, 2000);
	assert_int_equal(told->nat_port_last, 65535);
	model_free(edge);
	model_free(node);
	model_free(told);
	model_free(unheard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_elses_ports_are_given_away),
		cmocka_unit_test(an_edge_and_who_says_which_keep_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
