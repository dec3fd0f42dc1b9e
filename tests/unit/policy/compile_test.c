// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the compiler makes of sets that are small enough to say by heart who may
 * reach whom. Random ones are put beside an evaluator of the API's text in
 * universe_test.c.
 */
#include <errno.h>

#include "policy_world.h"

#define TEST(name) static void name(void **state)
#define CASE(name) cmocka_unit_test(name)

/* Of every workload of s, whether it is here or not. */
static struct policy_compiled *compiled(struct policy_set *s)
{
	struct policy_compiled *c = NULL;
	char text[POLICY_TEXT_MAX];

	assert_int_equal(policy_compile(s, NULL, 0, POLICY_EVERYWHERE, &c,
					text), 0);
	return c;
}

static bool may(const struct policy_compiled *c, const char *from,
		const char *to, __u8 proto, __u16 number)
{
	struct policy_judgement j[NR_POLICY_DIRECTIONS];
	const struct addr src = addr_of(from), dst = addr_of(to);

	return policy_may(c, &src, &dst, proto, number, j);
}

#define tcp(c, from, to, number) may(c, from, to, IPPROTO_TCP, number)

#define WEB "10.0.0.1"
#define FRONT "10.0.0.2"
#define OTHER "10.0.1.1"
#define OUTSIDE "192.0.2.7"

static struct policy_set *three(void)
{
	struct policy_set *s = policy_set_new();

	assert_non_null(s);
	namespace(s, "a", "kubernetes.io/metadata.name=a,team=x");
	namespace(s, "b", "kubernetes.io/metadata.name=b");
	workload(s, "a", "web", WEB ",2001:db8::1", "app=web");
	workload(s, "a", "front", FRONT ",2001:db8::2", "app=front");
	workload(s, "b", "other", OTHER ",2001:db8:1::1", "app=front");
	return s;
}

TEST(nobody_is_isolated_without_policies)
{
	struct policy_set *s = three();
	struct policy_compiled *c = compiled(s);

	assert_true(tcp(c, FRONT, WEB, 80));
	assert_true(tcp(c, OUTSIDE, WEB, 80));
	policy_compiled_free(c);
	policy_set_free(s);
}

TEST(a_policy_isolates_whom_it_selects_in_its_direction)
{
	struct policy_set *s = three();
	struct model_policy *p = policy(s, "a", "deny", "app=web");
	struct policy_compiled *c;

	p->isolates[POLICY_IN] = true;
	c = compiled(s);
	assert_false(tcp(c, FRONT, WEB, 80));
	assert_false(tcp(c, OUTSIDE, WEB, 80));
	assert_false(may(c, OUTSIDE, WEB, IPPROTO_ICMP, 0));
	assert_true(tcp(c, WEB, FRONT, 80));
	assert_true(tcp(c, WEB, WEB, 80));	/* itself */
	policy_compiled_free(c);
	policy_set_free(s);
}

TEST(peers_and_ports_of_a_rule_are_both_asked_for)
{
	struct policy_set *s = three();
	struct model_policy *p = policy(s, "a", "web", "app=web");
	struct model_rule *r = rule(p, POLICY_IN, POLICY_ACCEPT);
	struct policy_compiled *c;

	peer_pods(r, NULL, "app=front");
	port(r, IPPROTO_TCP, 80);
	r = rule(p, POLICY_IN, POLICY_ACCEPT);
	peer_pods(r, "kubernetes.io/metadata.name=b", "");
	ports(r, IPPROTO_UDP, 50, 60);
	c = compiled(s);
	assert_true(tcp(c, FRONT, WEB, 80));
	assert_true(tcp(c, "2001:db8::2", "2001:db8::1", 80));
	assert_false(tcp(c, FRONT, WEB, 81));
	assert_false(may(c, FRONT, WEB, IPPROTO_UDP, 55));
	assert_false(tcp(c, OTHER, WEB, 80));
	for (int number = 49; number <= 61; number++)
		assert_int_equal(may(c, OTHER, WEB, IPPROTO_UDP, number),
				 number >= 50 && number <= 60);
	assert_false(may(c, OTHER, WEB, IPPROTO_SCTP, 55));
	policy_compiled_free(c);
	policy_set_free(s);
}

TEST(every_network_counts_that_an_address_is_in)
{
	struct policy_set *s = three();
	struct model_policy *p = policy(s, "a", "web", "app=web");
	struct model_rule *r = rule(p, POLICY_IN, POLICY_ACCEPT);
	struct policy_compiled *c;
	struct model_peer *net;

	peer_network(r, "10.0.0.0/16");
	port(r, IPPROTO_TCP, 81);
	r = rule(p, POLICY_IN, POLICY_ACCEPT);
	net = peer_network(r, "10.0.1.0/24");
	peer_except(net, "10.0.1.128/25");
	port(r, IPPROTO_TCP, 80);
	r = rule(p, POLICY_IN, POLICY_ACCEPT);
	peer_network(r, "10.0.1.200/32");
	port(r, IPPROTO_TCP, 82);
	c = compiled(s);
	assert_true(tcp(c, OTHER, WEB, 81) && tcp(c, OTHER, WEB, 80));
	assert_true(tcp(c, FRONT, WEB, 81) && !tcp(c, FRONT, WEB, 80));
	assert_true(tcp(c, "10.0.1.129", WEB, 81));
	assert_false(tcp(c, "10.0.1.129", WEB, 80));
	assert_false(tcp(c, "10.0.1.200", WEB, 80));
	assert_true(tcp(c, "10.0.1.200", WEB, 82));
	assert_false(tcp(c, "10.1.0.1", WEB, 81));
	policy_compiled_free(c);
	policy_set_free(s);
}

TEST(a_network_has_addresses_of_its_family_alone)
{
	struct policy_set *s = three();
	struct model_policy *p = policy(s, "a", "web", "app=web");
	struct model_rule *r = rule(p, POLICY_IN, POLICY_ACCEPT);
	struct policy_compiled *c;

	peer_network(r, "::/0");
	port(r, IPPROTO_TCP, 86);
	r = rule(p, POLICY_IN, POLICY_ACCEPT);
	peer_network(r, "0.0.0.0/0");
	port(r, IPPROTO_TCP, 84);
	c = compiled(s);
	assert_true(tcp(c, "2001:db8:9::1", "2001:db8::1", 86));
	assert_false(tcp(c, "2001:db8:9::1", "2001:db8::1", 84));
	assert_true(tcp(c, OUTSIDE, WEB, 84) && tcp(c, FRONT, WEB, 84));
	assert_false(tcp(c, OUTSIDE, WEB, 86) || tcp(c, FRONT, WEB, 86));
	policy_compiled_free(c);
	policy_set_free(s);
}

TEST(selectors_match_pods_alone)
{
	struct policy_set *s = three();
	struct model_policy *p = policy(s, "a", "web", "app=web");
	struct model_rule *r = rule(p, POLICY_IN, POLICY_ACCEPT);
	struct policy_compiled *c;

	peer_pods(r, "", "");
	workload(s, "b", "agent", "198.51.100.1", "app=front")
		->is_host_network = true;
	c = compiled(s);
	assert_true(tcp(c, FRONT, WEB, 80) && tcp(c, OTHER, WEB, 80));
	assert_false(tcp(c, OUTSIDE, WEB, 80));
	assert_false(tcp(c, "198.51.100.1", WEB, 80));
	policy_compiled_free(c);
	policy_set_free(s);
}

/* Egress: of each peer; ingress: of the workload itself. No crossing. */
TEST(a_ports_name_is_the_destinations)
{
	struct policy_set *s = three();
	struct model_policy *p = policy(s, "a", "web", "app=web");
	struct model_rule *r = rule(p, POLICY_OUT, POLICY_ACCEPT);
	struct policy_compiled *c;

	port_name(r, IPPROTO_TCP, "http");
	r = rule(p, POLICY_IN, POLICY_ACCEPT);
	port_name(r, IPPROTO_TCP, "http");
	named_port(s->workloads[0], "http", IPPROTO_TCP, 8080); /* a/front */
	named_port(s->workloads[0], "http", IPPROTO_UDP, 8081);
	named_port(s->workloads[1], "http", IPPROTO_TCP, 80); /* a/web */
	named_port(s->workloads[2], "http", IPPROTO_TCP, 9090); /* b/other */
	c = compiled(s);
	assert_true(tcp(c, WEB, FRONT, 8080) && tcp(c, WEB, OTHER, 9090));
	assert_false(tcp(c, WEB, FRONT, 9090) || tcp(c, WEB, OTHER, 8080));
	assert_false(tcp(c, WEB, FRONT, 8081));
	assert_false(may(c, WEB, FRONT, IPPROTO_UDP, 8081));
	assert_false(tcp(c, WEB, OUTSIDE, 8080));
	assert_true(tcp(c, OUTSIDE, WEB, 80));
	assert_false(tcp(c, OUTSIDE, WEB, 8080));
	policy_compiled_free(c);
	policy_set_free(s);
}

/* Admin by priority, then NetworkPolicies, then Baseline. */
TEST(tiers_are_asked_in_their_order)
{
	struct policy_set *s = three();
	struct model_policy *deny = cluster_policy(s, "z", TIER_ADMIN, 1, ""),
			    *late = cluster_policy(s, "a", TIER_ADMIN, 2, ""),
			    *base = cluster_policy(s, "b", TIER_BASELINE, 0,
						   "");
	struct policy_compiled *c;
	struct model_rule *r;

	r = rule(deny, POLICY_IN, POLICY_PASS);
	peer_pods(r, "", "app=front");
	r = rule(deny, POLICY_IN, POLICY_DENY);
	peer_network(r, "10.0.0.0/8");
	r = rule(deny, POLICY_IN, POLICY_ACCEPT);
	peer_network(r, "192.0.2.0/24");
	port(r, IPPROTO_TCP, 80);
	r = rule(late, POLICY_IN, POLICY_ACCEPT);
	peer_network(r, "0.0.0.0/0");
	port(r, IPPROTO_TCP, 81);
	r = rule(base, POLICY_IN, POLICY_DENY);
	peer_network(r, "192.0.2.0/24");
	peer_pods(r, "", "app=front");
	c = compiled(s);
	assert_false(tcp(c, WEB, FRONT, 81));	/* deny comes before late */
	assert_true(tcp(c, OUTSIDE, WEB, 80));
	assert_true(tcp(c, OUTSIDE, WEB, 81));
	assert_false(tcp(c, OUTSIDE, WEB, 82));	/* Baseline */
	assert_false(tcp(c, FRONT, WEB, 81));	/* passed on to Baseline */
	assert_true(tcp(c, "203.0.113.1", WEB, 82));
	policy_compiled_free(c);

	r = rule(policy(s, "a", "web", "app=web"), POLICY_IN, POLICY_ACCEPT);
	peer_pods(r, NULL, "");
	c = compiled(s);
	assert_true(tcp(c, FRONT, WEB, 81));	/* not as far as Baseline */
	assert_false(tcp(c, OTHER, WEB, 81));	/* isolated */
	assert_false(tcp(c, "203.0.113.1", WEB, 82));
	assert_true(tcp(c, "203.0.113.1", WEB, 81));
	policy_compiled_free(c);
	policy_set_free(s);
}

TEST(nodes_are_peers_by_their_addresses)
{
	struct policy_set *s = three();
	struct model_policy *p = cluster_policy(s, "n", TIER_ADMIN, 0, "");
	struct model_rule *r = rule(p, POLICY_OUT, POLICY_DENY);
	struct policy_compiled *c;

	node(s, "one", "role=control", "198.51.100.1");
	node(s, "two", "role=worker", "198.51.100.2");
	peer_nodes(r, "role=control");
	r = rule(p, POLICY_OUT, POLICY_ACCEPT);
	peer_nobody(r);
	c = compiled(s);
	assert_false(tcp(c, WEB, "198.51.100.1", 443));
	assert_true(tcp(c, WEB, "198.51.100.2", 443));
	policy_compiled_free(c);
	policy_set_free(s);
}

static struct policy_judgement judge(const struct policy_compiled *c,
				     const char *from, const char *to,
				     __u16 number)
{
	struct policy_judgement j[NR_POLICY_DIRECTIONS];
	const struct addr src = addr_of(from), dst = addr_of(to);

	policy_may(c, &src, &dst, IPPROTO_TCP, number, j);
	return j[POLICY_IN];
}

TEST(audited_policies_say_what_they_would_deny)
{
	struct policy_set *s = three();
	struct model_policy *p = policy(s, "a", "try", "app=web");
	struct model_rule *r = rule(p, POLICY_IN, POLICY_ACCEPT);
	struct policy_judgement j;
	struct policy_compiled *c;

	p->audit = true;
	peer_pods(r, NULL, "app=front");
	c = compiled(s);
	j = judge(c, FRONT, WEB, 80);
	assert_true(j.allowed && !j.audited);
	j = judge(c, OUTSIDE, WEB, 80);
	assert_true(j.allowed && j.audited);
	policy_compiled_free(c);

	p = policy(s, "a", "real", "app=web");
	r = rule(p, POLICY_IN, POLICY_ACCEPT);
	peer_pods(r, "", "");
	c = compiled(s);
	j = judge(c, OTHER, WEB, 80);	/* either would let it in */
	assert_true(j.allowed && !j.audited);
	j = judge(c, OUTSIDE, WEB, 80);
	assert_true(!j.allowed && !j.audited);
	policy_compiled_free(c);
	policy_set_free(s);
}

TEST(a_rule_that_decided_has_a_name)
{
	struct policy_set *s = three();
	struct model_policy *p = policy(s, "a", "web", "app=web");
	struct model_rule *r = rule(p, POLICY_IN, POLICY_ACCEPT);
	char text[POLICY_TEXT_MAX];
	struct policy_rule_info info;
	struct policy_judgement j;
	struct policy_compiled *c;

	peer_pods(r, NULL, "app=nobody");
	r = rule(p, POLICY_IN, POLICY_ACCEPT);
	peer_pods(r, NULL, "app=front");
	r->name = text_of("front");
	c = compiled(s);
	j = judge(c, FRONT, WEB, 80);
	assert_true(policy_compiled_rule(c, j.target, j.rule, &info));
	assert_string_equal(policy_rule_text(&info, text),
			    "a/web, ingress rule 1 (front)");
	j = judge(c, OTHER, WEB, 80);
	assert_false(j.allowed);
	assert_true(policy_compiled_rule(c, j.target, j.rule, &info));
	assert_null(info.policy);
	assert_string_equal(policy_rule_text(&info, text), "isolated by a/web");
	policy_compiled_free(c);
	policy_set_free(s);
}

/* Of two that say that they have it, the later one has it, and is alone what
 * rules say of it. */
TEST(an_address_is_that_of_who_came_last)
{
	struct policy_set *s = three();
	struct model_workload *old = workload(s, "a", "old", FRONT, "app=old");
	struct model_workload *front = (struct model_workload *)
		policy_set_workload(s, "a", "front");
	const struct addr addr = addr_of(FRONT);
	struct model_policy *p = policy(s, "a", "web", "app=web");
	struct policy_compiled *c;
	char text[POLICY_TEXT_MAX];

	peer_pods(rule(p, POLICY_IN, POLICY_ACCEPT), NULL, "app=old");
	old->since_us = 1000;
	for (__s64 since = 2000; since >= 0; since -= 2000) {
		front->since_us = since;
		c = compiled(s);
		assert_ptr_equal(policy_workload_of(c, &addr), front);
		assert_true(policy_has_address(c, front, &addr));
		assert_false(policy_has_address(c, old, &addr));
		assert_false(tcp(c, FRONT, WEB, 80));
		assert_true(policy_contest(c, text));
		assert_string_equal(text, "the address " FRONT " is that of "
				    "\"a/front\", and not of \"a/old\", which "
				    "is older");
		policy_compiled_free(c);
	}
	front->since_us = 500;
	c = compiled(s);
	assert_true(tcp(c, FRONT, WEB, 80));
	assert_false(policy_has_address(c, front, &addr));
	policy_compiled_free(c);
	old->is_host_network = true;
	c = compiled(s);
	assert_false(tcp(c, FRONT, WEB, 80) || policy_contest(c, text));
	policy_compiled_free(c);
	policy_set_free(s);
}

static void many_rules(struct policy_set *s, int count)
{
	struct model_policy *p = policy(s, "a", "many", "app=web");

	for (int i = 1; i <= count; i++)
		port(rule(p, POLICY_IN, POLICY_ACCEPT), IPPROTO_TCP, i);
}

/* The last of the 1 024 is that of isolation. */
TEST(a_workload_may_have_1024_rules)
{
	struct policy_set *s = three();
	const struct model_workload *web = policy_set_workload(s, "a", "web");
	struct policy_compiled *c;
	char text[POLICY_TEXT_MAX];

	many_rules(s, 1023);
	c = compiled(s);
	assert_true(tcp(c, FRONT, WEB, 1) && tcp(c, FRONT, WEB, 1023));
	assert_false(tcp(c, FRONT, WEB, 1024));
	assert_false(policy_is_cut(c, web, text));
	policy_compiled_free(c);
	policy_set_free(s);
}

/* What the first ones say holds; what the others would, is denied. */
TEST(what_more_than_1024_rules_say_is_denied)
{
	struct policy_set *s = three();
	const struct model_workload *web = policy_set_workload(s, "a", "web");
	struct policy_compiled *c;
	struct policy_rule_info info;
	struct policy_judgement j;
	char text[POLICY_TEXT_MAX];

	many_rules(s, 1024);
	port(rule(cluster_policy(s, "late", TIER_BASELINE, 1, "app=web"),
		  POLICY_IN, POLICY_ACCEPT), IPPROTO_TCP, 2000);
	port(rule(policy(s, "b", "other", "app=front"), POLICY_IN,
		  POLICY_ACCEPT), IPPROTO_TCP, 1024);
	c = compiled(s);
	assert_true(tcp(c, FRONT, WEB, 1) && tcp(c, FRONT, WEB, 1023));
	assert_false(tcp(c, FRONT, WEB, 1024) || tcp(c, FRONT, WEB, 2000));
	assert_true(tcp(c, WEB, FRONT, 1) && tcp(c, WEB, OTHER, 1024));
	assert_false(tcp(c, WEB, OTHER, 1));
	j = judge(c, FRONT, WEB, 1024);
	assert_true(policy_compiled_rule(c, j.target, j.rule, &info));
	assert_string_equal(policy_rule_text(&info, text),
			    "beyond the first 1023 of 1026 rules");
	assert_true(policy_is_cut(c, web, text));
	assert_string_equal(text, "workload \"a/web\" has 1026 rules of "
			    "ingress, at most 1024 are possible: what the "
			    "first 1023 do not decide is denied; a/many has "
			    "1024 of them");
	assert_false(policy_is_cut(c, policy_set_workload(s, "b", "other"),
				   text));
	policy_compiled_free(c);
	policy_set_free(s);
}

/* An Admin tier of too many rules that pass on. */
static void many_that_pass(struct policy_set *s, int count)
{
	struct model_policy *p = cluster_policy(s, "pass", TIER_ADMIN, 1,
						"app=web");

	for (int i = 1; i <= count; i++)
		port(rule(p, POLICY_IN, POLICY_PASS), IPPROTO_TCP, i);
}

TEST(what_is_passed_on_to_rules_that_do_not_count_is_denied)
{
	struct policy_set *s = three();
	struct policy_compiled *c;

	many_that_pass(s, 1100);
	port(rule(policy(s, "a", "web", "app=web"), POLICY_IN, POLICY_ACCEPT),
	     IPPROTO_TCP, 1);
	c = compiled(s);
	for (int number = 1; number < 1200; number += 11)
		assert_false(tcp(c, FRONT, WEB, number));
	policy_compiled_free(c);
	policy_set_free(s);
}

/* Of a namespace that has more than all tables hold, nothing is allowed; others
 * are what they are. */
TEST(a_namespace_that_says_too_much_is_closed)
{
	struct policy_set *s = three();
	struct model_rule *r = rule(policy(s, "a", "web", "app=web"), POLICY_IN,
				    POLICY_ACCEPT);
	struct policy_compiled *c;
	char text[POLICY_TEXT_MAX];

	for (int i = 0; i <= POLICY_PREFIXES_MAX; i++)
		peer_network(r, "11.0.0.0/32")->network.addr.word[3] +=
			htonl(i);
	peer_network(r, "192.0.2.0/24");
	peer_network(rule(policy(s, "b", "other", "app=front"), POLICY_IN,
			  POLICY_ACCEPT), "192.0.2.0/24");
	c = compiled(s);
	assert_false(tcp(c, OUTSIDE, WEB, 80) || tcp(c, FRONT, WEB, 80));
	assert_true(tcp(c, OUTSIDE, OTHER, 80));
	assert_false(tcp(c, "192.0.3.1", OTHER, 80));
	assert_true(policy_closed(c, text));
	assert_string_equal(text, "the policies of namespace \"a\" allow "
			    "nothing, as they are the largest: the policies "
			    "need 16386 networks, at most 16384 are possible");
	policy_compiled_free(c);
	policy_set_free(s);
}

/* Nothing of it is in force, so that nothing is denied. */
TEST(too_many_rules_of_audited_policies_deny_nothing)
{
	struct policy_set *s = three();
	struct policy_judgement j;
	struct policy_compiled *c;

	many_rules(s, 1100);
	s->policies[0]->audit = true;
	c = compiled(s);
	j = judge(c, FRONT, WEB, 1100);
	assert_true(j.allowed && j.audited);
	policy_compiled_free(c);
	policy_set_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nobody_is_isolated_without_policies),
		CASE(a_policy_isolates_whom_it_selects_in_its_direction),
		CASE(peers_and_ports_of_a_rule_are_both_asked_for),
		CASE(every_network_counts_that_an_address_is_in),
		CASE(a_network_has_addresses_of_its_family_alone),
		CASE(selectors_match_pods_alone),
		CASE(a_ports_name_is_the_destinations),
		CASE(tiers_are_asked_in_their_order),
		CASE(nodes_are_peers_by_their_addresses),
		CASE(audited_policies_say_what_they_would_deny),
		CASE(a_rule_that_decided_has_a_name),
		CASE(an_address_is_that_of_who_came_last),
		CASE(a_workload_may_have_1024_rules),
		CASE(what_more_than_1024_rules_say_is_denied),
		CASE(what_is_passed_on_to_rules_that_do_not_count_is_denied),
		CASE(a_namespace_that_says_too_much_is_closed),
		CASE(too_many_rules_of_audited_policies_deny_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
