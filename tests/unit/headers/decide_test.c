// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who gets a new connection, as the contract of a Kubernetes service proxy has
 * it: every kind of front end, policy, origin, and whether any of the set, or
 * of the cluster, is there. Written from the contract's tables, a row each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fairlead/decide.h>

#define EXTERNALS 3
static const __u8 externals[EXTERNALS] = {
	KIND_NODE_PORT, KIND_LB_VIP, KIND_EXTERNAL_IP,
};

static const enum origin origins[] = {
	ORIGIN_POD, ORIGIN_NODE, ORIGIN_ELSEWHERE,
};

enum outcome { CLUSTER, LOCAL };

static struct decision ask(__u8 kind, __u16 flags, enum origin origin)
{
	struct service e = { .kind = kind, .flags = flags };

	return decide(&e, origin);
}

static void check(struct decision d, enum outcome set, enum snat snat)
{
	assert_int_equal(d.set, set == LOCAL ? SET_LOCAL : SET_CLUSTER);
	assert_int_equal(d.snat, snat);
}

/* cluster IP, internal Cluster: cluster. SNAT from what is not a local pod. */
static void cluster_ip(void **state)
{
	check(ask(KIND_CLUSTER_IP, 0, ORIGIN_POD), CLUSTER, SNAT_HAIRPIN);
	check(ask(KIND_CLUSTER_IP, 0, ORIGIN_NODE), CLUSTER, SNAT_ALWAYS);
	check(ask(KIND_CLUSTER_IP, 0, ORIGIN_ELSEWHERE), CLUSTER, SNAT_ALWAYS);
}

/* cluster IP, internal Local: local, whoever asks; the same SNAT. */
static void cluster_ip_with_policy_local(void **state)
{
	const __u16 local = SERVICE_POLICY_LOCAL;

	check(ask(KIND_CLUSTER_IP, local, ORIGIN_POD), LOCAL, SNAT_HAIRPIN);
	check(ask(KIND_CLUSTER_IP, local, ORIGIN_NODE), LOCAL, SNAT_ALWAYS);
	check(ask(KIND_CLUSTER_IP, local, ORIGIN_ELSEWHERE), LOCAL,
	      SNAT_ALWAYS);
}

/* --masquerade-all: SNAT for cluster IPs from pods as well. */
static void masquerade_all(void **state)
{
	for (int i = 0; i < 3; i++) {
		check(ask(KIND_CLUSTER_IP, SERVICE_MASQUERADE, origins[i]),
		      CLUSTER, SNAT_ALWAYS);
		check(ask(KIND_CLUSTER_IP, SERVICE_MASQUERADE |
			  SERVICE_POLICY_LOCAL, origins[i]), LOCAL,
		      SNAT_ALWAYS);
	}
}

/* node port, LB VIP, external IP, external Cluster: cluster, always SNAT, also
 * from pods. */
static void external(void **state)
{
	for (int kind = 0; kind < EXTERNALS; kind++)
		for (int i = 0; i < 3; i++)
			check(ask(externals[kind], 0, origins[i]), CLUSTER,
			      SNAT_ALWAYS);
}

/* The same, external Local: from pods cluster and no SNAT ("short circuit"),
 * from the node cluster and SNAT, from elsewhere local and no SNAT. */
static void external_with_policy_local(void **state)
{
	const __u16 local = SERVICE_POLICY_LOCAL;

	for (int i = 0; i < EXTERNALS; i++) {
		check(ask(externals[i], local, ORIGIN_POD), CLUSTER,
		      SNAT_HAIRPIN);
		check(ask(externals[i], local, ORIGIN_NODE), CLUSTER,
		      SNAT_ALWAYS);
		check(ask(externals[i], local, ORIGIN_ELSEWHERE), LOCAL,
		      SNAT_HAIRPIN);
	}
}

/* Nobody in the local set: drop if somebody is elsewhere, else reject. Nobody
 * in the cluster's: reject. */
static void an_empty_set_rejects_or_drops(void **state)
{
	const __u16 local = SERVICE_POLICY_LOCAL, some = SERVICE_EMPTY_DROPS;

	for (int i = 0; i < 3; i++) {
		assert_false(ask(KIND_CLUSTER_IP, 0, origins[i]).drops);
		assert_false(ask(KIND_CLUSTER_IP, local, origins[i]).drops);
		assert_true(ask(KIND_CLUSTER_IP, local | some,
				origins[i]).drops);
		for (int kind = 0; kind < EXTERNALS; kind++) {
			assert_false(ask(externals[kind], 0,
					 origins[i]).drops);
			assert_false(ask(externals[kind], local,
					 origins[i]).drops);
			assert_int_equal(ask(externals[kind], local | some,
					     origins[i]).drops,
					 origins[i] == ORIGIN_ELSEWHERE);
		}
	}
}

/* At the edge replies of backends elsewhere have to come back through us. */
static void the_edge_knows_no_policy(void **state)
{
	for (int i = 0; i < 3; i++) {
		check(ask(KIND_EDGE, 0, origins[i]), CLUSTER, SNAT_ALWAYS);
		check(ask(KIND_EDGE, SERVICE_AFFINITY | SERVICE_TRACKED,
			  origins[i]), CLUSTER, SNAT_ALWAYS);
		assert_false(ask(KIND_EDGE, 0, origins[i]).drops);
	}
}

/* Hairpin: the chosen endpoint is the client itself. The host as a backend sees
 * everybody, as it would believe nobody else. */
static void who_sees_the_clients_address(void **state)
{
	static const struct {
		__u8 snat;
		bool is_local, is_client, expected;
	} cases[] = {
		{ SNAT_HAIRPIN, false, false, false },
		{ SNAT_HAIRPIN, true, false, false },
		{ SNAT_HAIRPIN, false, true, true },
		{ SNAT_HAIRPIN, true, true, false },
		{ SNAT_ALWAYS, false, false, true },
		{ SNAT_ALWAYS, false, true, true },
		{ SNAT_ALWAYS, true, false, false },
		{ SNAT_ALWAYS, true, true, false },
	};
	const struct addr client = { { 0, 0, 0xffff0000, 0x0100000a } };
	const struct addr other = { { 0, 0, 0xffff0000, 0x0200000a } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decision d = { .snat = cases[i].snat };
		struct backend b = {
			.addr = cases[i].is_client ? client : other,
			.flags = cases[i].is_local ? BACKEND_LOCAL : 0,
		};

		assert_int_equal(decision_snat(&d, &b, &client),
				 cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cluster_ip),
		cmocka_unit_test(cluster_ip_with_policy_local),
		cmocka_unit_test(masquerade_all),
		cmocka_unit_test(external),
		cmocka_unit_test(external_with_policy_local),
		cmocka_unit_test(an_empty_set_rejects_or_drops),
		cmocka_unit_test(the_edge_knows_no_policy),
		cmocka_unit_test(who_sees_the_clients_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
