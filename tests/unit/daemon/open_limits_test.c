// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whose connections are too many, of a table that is memory. */
#include <arpa/inet.h>

#include "../policy/policy_world.h"
#include "daemon/open_limits.h"
#include "fake_tables.h"
#include "model/conns.h"

#define TEST(name) static void name(void **state)
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define BUCKETS 4096		/* more than is looked at at a time */
#define ROOM 43008		/* connections */
#define NOW_S 5000
#define NAMES 12

static struct fake *f;
static struct policy_state *policies;
static struct policy_set *set;
static struct open_limits limits;
static unsigned int talks;

/* "a" to "l": 10.0.0.1 to 12, behind 1 to 12; "a" alone has a limit, of 2000. */
static int setup(void **state)
{
	char name[] = "a", addr[32], text[POLICY_TEXT_MAX];

	f = fake_new((struct fake_sizes){ 2, 1, 2, 1, BUCKETS });
	assert_int_equal(conns_for(BUCKETS), ROOM);
	f->t.runtime->syn_s = 60;
	f->t.runtime->closing_s = 10;
	set = policy_set_new();
	for (int i = 0; i < NAMES; i++, name[0]++) {
		sprintf(addr, "10.0.0.%d", i + 1);
		workload(set, "x", name, addr, "")->conns_open =
			i ? 0 : 2000;
	}
	assert_int_equal(policy_new(&f->t, NOW_S, &policies), 0);
	name[0] = 'a';
	for (int i = 0; i < NAMES; i++, name[0]++)
		assert_int_equal(policy_place(policies, "x", name, i + 1, NULL,
					      false, NOW_S), 0);
	assert_int_equal(policy_apply(policies, set, NOW_S, NULL, text), 0);
	limits = (struct open_limits){};
	talks = 0;
	return 0;
}

static int teardown(void **state)
{
	policy_free(policies);
	policy_set_free(set);
	fake_free(f);
	return 0;
}

/* So many more that 10.0.0.who has begun. */
static void talk(int who, int count, enum conn_state state, bool is_second)
{
	const struct addr client = fake_addr4(0x0a000000 + who),
			  server = fake_addr4(0xc0000201);

	for (int i = 0; i < count; i++, talks++) {
		struct flow flow = {
			.src = is_second ? server : client,
			.dst = is_second ? client : server,
			.sport = htons(talks >> 16), .dport = htons(talks),
			.proto = IPPROTO_TCP, .kind = FLOW_PEERS,
		};
		struct conn_entry e = {
			.conn = {
				.client = flow.src, .vip = flow.dst,
				.cport = flow.sport, .vport = flow.dport,
				.what = conn_what(&flow),
				.client_second = is_second,
				.time = conn_time(NOW_S, conn_life_from(900)),
			},
			.word = state,
		};

		assert_true(conns_insert(&f->t, &e));
	}
}

static int note(void *arg, const struct policy_place *p)
{
	if (p->entry->flags & WORKLOAD_FULL)
		strcat(arg, p->name);
	return 0;
}

/* Names of those who are full, after each part of the table was looked at. */
static const char *full(void)
{
	static char names[NAMES + 1];

	for (int i = 0; i < 2; i++)
		assert_int_equal(open_limits_check(&limits, &f->t, policies,
						   NOW_S), 0);
	*names = '\0';
	policy_places(policies, note, names);
	return names;
}

#define assert_full(who) assert_string_equal(full(), who)

TEST(who_has_a_limit_is_held_to_it_alone)
{
	talk(1, 1999, CONN_LIVE, false);
	talk(1, 500, CONN_CLOSING, false);
	assert_full("");
	talk(1, 1, CONN_LIVE, true);
	assert_full("a");
	assert_string_equal(limits.greedy.text, "");
	assert_int_equal(conns_clear(&f->t), 0);
	assert_full("");
}

/* Which parts are looked at makes a difference of a few in a hundred. */
TEST(one_has_a_quarter_of_the_table_and_no_more)
{
	talk(2, ROOM / 4 - ROOM / 40, CONN_LIVE, false);
	talk(3, 1000, CONN_LIVE, false);
	assert_full("");
	talk(2, ROOM / 20, CONN_LIVE, true);
	assert_full("b");
	assert_non_null(strstr(limits.greedy.text, "\"x/b\""));
	assert_int_equal(conns_clear(&f->t), 0);
	assert_full("");
	assert_string_equal(limits.greedy.text, "");
}

TEST(those_who_conspire_leave_a_quarter_to_the_rest)
{
	for (int who = 2; who < 12; who++)
		talk(who, ROOM / 13 - ROOM / 130, CONN_LIVE, false);
	assert_full("");
	for (int who = 2; who < 12; who++)
		talk(who, ROOM / 65, CONN_LIVE, false);
	assert_full("bcdefghijk");
}

/* Half-open ones make room, and those who have little are never full. */
TEST(who_has_little_goes_on)
{
	talk(2, ROOM / 2, CONN_HALF, false);
	assert_full("");
	assert_int_equal(conns_clear(&f->t), 0);
	talk(99, ROOM, CONN_LIVE, false);
	talk(2, ROOM / 300, CONN_LIVE, false);
	talk(3, ROOM / 200, CONN_LIVE, false);
	assert_full("c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(who_has_a_limit_is_held_to_it_alone),
		CASE(one_has_a_quarter_of_the_table_and_no_more),
		CASE(those_who_conspire_leave_a_quarter_to_the_rest),
		CASE(who_has_little_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
