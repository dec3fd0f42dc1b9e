// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include <fairlead/conn.h>
#include <fairlead/policy.h>

static struct flow turned(const struct flow *f)
{
	return (struct flow){
		.src = f->dst, .dst = f->src, .sport = f->dport,
		.dport = f->sport, .proto = f->proto,
	};
}

/* One key, whoever sends; and who does is told apart. */
static void expect_one_key(const struct flow *f)
{
	struct flow back = turned(f), a, b;
	bool first = peers_flow(f, &a), second = peers_flow(&back, &b);

	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_not_equal(first, second);
	assert_int_equal(a.kind, FLOW_PEERS);
}

static void both_directions_have_one_key(void **state)
{
	struct flow f = {
		.src = { { 0, 0, htonl(0xffff), htonl(0x0a000001) } },
		.dst = { { 0, 0, htonl(0xffff), htonl(0x0a000002) } },
		.sport = htons(4321), .dport = htons(80), .proto = 6,
	};

	expect_one_key(&f);
	f.src = f.dst;		/* with itself: by the ports */
	expect_one_key(&f);
	for (int i = 0; i < 4; i++) {
		f.src = (struct addr){ { 1, 2, 3, 4 } };
		f.dst = f.src;
		f.dst.word[i] = htonl(9);
		expect_one_key(&f);
	}
}

static void protocols_without_ports_have_one_key(void **state)
{
	struct flow echo = {
		.src.word = { 1 }, .dst.word = { 2 },
		.sport = htons(77), .dport = htons(77), .proto = 1,
	};
	struct flow other = echo, a, b;

	expect_one_key(&echo);
	other.sport = other.dport = htons(78);
	peers_flow(&echo, &a);
	peers_flow(&other, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
	other = echo;
	other.proto = 47;
	peers_flow(&other, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
}

static void a_port_has_a_class_by_protocol(void **state)
{
	assert_int_equal(policy_port_index(6, 80), 80);
	assert_int_equal(policy_port_index(17, 65535), 0x1ffff);
	assert_int_equal(policy_port_index(132, 0), 0x20000);
	assert_int_equal(policy_port_index(1, 0), -1);
	assert_true(policy_port_index(132, 65535) < PORT_CLASSES);
}

/* From every bit on, with one behind it. */
static void the_first_rule_is_found(void **state)
{
	struct rule_mask none = {}, rules, skip;

	assert_int_equal(policy_first(&none, &none, POLICY_WORDS, 0),
			 POLICY_NO_RULE);
	for (unsigned int i = 0; i < POLICY_RULES_MAX; i++) {
		rules = skip = none;
		rules.word[i / 64] = 1ull << (i & 63);
		rules.word[POLICY_WORDS - 1] |= 1ull << 63;
		skip.word[i / 64] = 1ull << (i & 63);
		assert_int_equal(policy_first(&rules, &none, POLICY_WORDS, 0),
				 i);
		assert_int_equal(policy_first(&rules, &none, POLICY_WORDS, i),
				 i);
		if (i == POLICY_RULES_MAX - 1)
			break;
		assert_int_equal(policy_first(&rules, &none, POLICY_WORDS,
					      i + 1), POLICY_RULES_MAX - 1);
		assert_int_equal(policy_first(&rules, &skip, POLICY_WORDS, 0),
				 POLICY_RULES_MAX - 1);
	}
}

static void lives_are_as_they_say(void **state)
{
	assert_int_equal(conn_life_s(PEERS_LIFE_STREAM), 8192);
	assert_int_equal(conn_life_s(PEERS_LIFE_DATAGRAM), 320);
	assert_int_equal(conn_life_s(PEERS_LIFE_ECHO), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_have_one_key),
		cmocka_unit_test(protocols_without_ports_have_one_key),
		cmocka_unit_test(a_port_has_a_class_by_protocol),
		cmocka_unit_test(the_first_rule_is_found),
		cmocka_unit_test(lives_are_as_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
