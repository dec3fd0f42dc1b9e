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
	ORIGIN_POD, ORIGIN_NODE, ORIGIN_ELSEWHERE, ORIGIN_UNKNOWN,
};

#define ORIGINS 4

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
	check(ask(KIND_CLUSTER_IP, 0, ORIGIN_UNKNOWN), CLUSTER, SNAT_HAIRPIN);
}

/* cluster IP, internal Local: local, whoever asks; the same SNAT. */
static void cluster_ip_with_policy_local(void **state)
{
	const __u16 local = SERVICE_POLICY_LOCAL;

	check(ask(KIND_CLUSTER_IP, local, ORIGIN_POD), LOCAL, SNAT_HAIRPIN);
	check(ask(KIND_CLUSTER_IP, local, ORIGIN_NODE), LOCAL, SNAT_ALWAYS);
	check(ask(KIND_CLUSTER_IP, local, ORIGIN_ELSEWHERE), LOCAL,
	      SNAT_ALWAYS);
	check(ask(KIND_CLUSTER_IP, local, ORIGIN_UNKNOWN), LOCAL,
	      SNAT_HAIRPIN);
}

/* --masquerade-all: SNAT for cluster IPs from pods as well. */
static void masquerade_all(void **state)
{
	for (int i = 0; i < ORIGINS; i++) {
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
		for (int i = 0; i < ORIGINS; i++)
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
		check(ask(externals[i], local, ORIGIN_UNKNOWN), LOCAL,
		      SNAT_HAIRPIN);
	}
}

/* Nobody in the local set: drop if somebody is elsewhere, else reject. Nobody
 * in the cluster's: reject. */
static void an_empty_set_rejects_or_drops(void **state)
{
	const __u16 local = SERVICE_POLICY_LOCAL, some = SERVICE_EMPTY_DROPS;

	for (int i = 0; i < ORIGINS; i++) {
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
					 origins[i] == ORIGIN_ELSEWHERE ||
					 origins[i] == ORIGIN_UNKNOWN);
		}
	}
}

/* fairlead.io/forward: whoever comes from elsewhere keeps his address, unless he
 * has to go on in our name; pods and the node do as before. */
static void external_with_a_tunnel(void **state)
{
	for (int i = 0; i < EXTERNALS; i++) {
		const struct service e = {
			.kind = externals[i], .tunnel = FORWARD_IPIP,
		};

		check(decide(&e, ORIGIN_POD), CLUSTER, SNAT_ALWAYS);
		check(decide(&e, ORIGIN_NODE), CLUSTER, SNAT_ALWAYS);
		check(decide(&e, ORIGIN_ELSEWHERE), CLUSTER, SNAT_AWAY);
		check(decide(&e, ORIGIN_UNKNOWN), CLUSTER, SNAT_AWAY);
		/* another node has chosen one of ours */
		check(decide(&e, ORIGIN_TUNNEL), LOCAL, SNAT_HAIRPIN);
		assert_false(decide(&e, ORIGIN_TUNNEL).drops);
	}
}

/* At the edge replies of backends elsewhere have to come back through us. */
static void the_edge_knows_no_policy(void **state)
{
	for (int i = 0; i < ORIGINS; i++) {
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
		bool is_local, is_client, is_here, expected;
	} cases[] = {
		{ SNAT_HAIRPIN, false, false, false, false },
		{ SNAT_HAIRPIN, true, false, false, false },
		{ SNAT_HAIRPIN, false, true, false, true },
		{ SNAT_HAIRPIN, true, true, false, false },
		{ SNAT_ALWAYS, false, false, false, true },
		{ SNAT_ALWAYS, false, true, false, true },
		{ SNAT_ALWAYS, true, false, false, false },
		{ SNAT_ALWAYS, true, true, false, false },
		{ SNAT_AWAY, false, false, false, true },
		{ SNAT_AWAY, false, true, false, true },
		{ SNAT_AWAY, true, false, false, false },
		{ SNAT_AWAY, false, false, true, false },
		{ SNAT_AWAY, false, true, true, true },
	};
	const struct addr client = { { 0, 0, 0xffff0000, 0x0100000a } };
	const struct addr other = { { 0, 0, 0xffff0000, 0x0200000a } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decision d = { .snat = cases[i].snat };
		struct backend b = {
			.addr = cases[i].is_client ? client : other,
			.flags = (cases[i].is_local ? BACKEND_LOCAL : 0) |
				 (cases[i].is_here ? BACKEND_IN_LOCAL : 0),
		};

		assert_int_equal(decision_snat(&d, &b, &client),
				 cases[i].expected);
	}
}

/*
 * The whole of it: whoever asks, wherever, and however pods are told from
 * others. What is expected is the contract's text, sentence by sentence.
 */
enum who { LOCAL_POD, OTHER_NODES_POD, THE_NODE, OUTSIDE, NR_WHO };
enum detector { NO_DETECTOR, CLUSTER_CIDR, NODE_CIDR, BY_INTERFACE,
		NR_DETECTORS };

struct question {
	enum detector detector;
	enum who who;
	__u8 kind;
	bool is_v6, is_policy_local, masquerades_all, is_hairpin;
};

/* "a local pod (per detector)": the cluster's CIDR has pods of all nodes. */
static bool is_local_pod(const struct question *q)
{
	if (q->detector == NO_DETECTOR)
		return false;
	return q->who == LOCAL_POD ||
	       (q->who == OTHER_NODES_POD && q->detector == CLUSTER_CIDR);
}

static bool contract_snat(const struct question *q)
{
	bool is_cluster_ip = q->kind == KIND_CLUSTER_IP;

	/* external policy Cluster and the destination is node port, LB VIP or
	 * externalIP (also from pods) */
	if (!is_cluster_ip && !q->is_policy_local)
		return true;
	/* to a cluster IP from a source that is not a local pod; with no
	 * detector, cluster IP traffic is never masqueraded: the node's own
	 * alone, which has the node's address before and after */
	if (is_cluster_ip && q->detector != NO_DETECTOR && !is_local_pod(q))
		return true;
	if (is_cluster_ip && q->who == THE_NODE)
		return true;
	/* --masquerade-all and to a cluster IP */
	if (is_cluster_ip && q->masquerades_all)
		return true;
	/* external policy Local and the source is the node's own address */
	if (!is_cluster_ip && q->is_policy_local && q->who == THE_NODE)
		return true;
	/* the chosen endpoint is the client itself */
	return q->is_hairpin;
}

static enum outcome contract_set(const struct question *q)
{
	if (!q->is_policy_local)
		return CLUSTER;
	if (q->kind == KIND_CLUSTER_IP)
		return LOCAL;
	/* short circuits: a local pod's, and the node's */
	return is_local_pod(q) || q->who == THE_NODE ? CLUSTER : LOCAL;
}

/* 10.244.1.5 is a pod's here, 10.244.2.5 elsewhere; fd44:1::5 and so on. */
static struct addr addr_of(const struct question *q)
{
	static const __u32 addrs[][2] = {
		[LOCAL_POD] = { 0x0af40105, 0xfd440001 },
		[OTHER_NODES_POD] = { 0x0af40205, 0xfd440002 },
		[THE_NODE] = { 0x0a5b0002, 0xfd910000 },
		[OUTSIDE] = { 0xc0000207, 0x20010db8 },
	};
	const __u32 word = __cpu_to_be32(addrs[q->who][q->is_v6]);

	if (q->is_v6)
		return (struct addr){ { word, 0, 0, __cpu_to_be32(5) } };
	return (struct addr){ { 0, 0, __cpu_to_be32(0xffff), word } };
}

/* Of the cluster 10.244.0.0/16 and fd44::/16, of the node 10.244.1.0/24 and
 * fd44:1::/32. */
static struct runtime runtime_of(const struct question *q)
{
	struct runtime rt = {
		.pods_by_interface = q->detector == BY_INTERFACE,
		.pods4 = { { 0, 0, __cpu_to_be32(0xffff),
			     __cpu_to_be32(0x0af40000) } },
		.pods6 = { { __cpu_to_be32(0xfd440000) } },
	};

	if (q->detector == CLUSTER_CIDR) {
		rt.pods4_len = 96 + 16;
		rt.pods6_len = 16;
	} else if (q->detector == NODE_CIDR) {
		rt.pods4.word[3] = __cpu_to_be32(0x0af40100);
		rt.pods6.word[0] = __cpu_to_be32(0xfd440001);
		rt.pods4_len = 96 + 24;
		rt.pods6_len = 32;
	}
	return rt;
}

static void answer(const struct question *q)
{
	static const enum origin hooks[] = {
		[LOCAL_POD] = ORIGIN_POD, [THE_NODE] = ORIGIN_NODE,
		[OTHER_NODES_POD] = ORIGIN_ELSEWHERE,
		[OUTSIDE] = ORIGIN_ELSEWHERE,
	};
	const struct service e = {
		.kind = q->kind,
		.flags = (q->is_policy_local ? SERVICE_POLICY_LOCAL |
					       SERVICE_EMPTY_DROPS : 0) |
			 (q->masquerades_all ? SERVICE_MASQUERADE : 0),
	};
	struct addr client = addr_of(q);
	struct backend b = { .addr = client };
	struct runtime rt = runtime_of(q);
	struct decision d =
		decide(&e, decide_origin(&rt, hooks[q->who], &client));

	b.addr.word[3] ^= q->is_hairpin ? 0 : __cpu_to_be32(64);
	assert_int_equal(d.set == SET_LOCAL, contract_set(q) == LOCAL);
	assert_int_equal(d.drops, contract_set(q) == LOCAL);
	assert_int_equal(decision_snat(&d, &b, &client), contract_snat(q));
}

static void every_question_has_the_contracts_answer(void **state)
{
	struct question q = {};

	for (int i = 0; i < NR_DETECTORS * NR_WHO * 4 * 16; i++) {
		q = (struct question){
			.detector = i / 64 % NR_DETECTORS,
			.who = i / 256,
			.kind = KIND_CLUSTER_IP + i / 16 % 4,
			.is_v6 = i & 1,
			.is_policy_local = i & 2,
			.masquerades_all = i & 4,
			.is_hairpin = i & 8,
		};
		/* the option is put in cluster IPs' entries alone */
		if (q.kind == KIND_CLUSTER_IP || !q.masquerades_all)
			answer(&q);
	}
}

/* A family without a prefix has no detector, whatever the other has. */
static void families_are_told_apart(void **state)
{
	struct question q = { .detector = CLUSTER_CIDR, .who = LOCAL_POD };
	struct runtime rt = runtime_of(&q);
	struct addr client = addr_of(&q);

	rt.pods6_len = 0;
	assert_int_equal(decide_origin(&rt, ORIGIN_POD, &client), ORIGIN_POD);
	q.is_v6 = true;
	client = addr_of(&q);
	assert_int_equal(decide_origin(&rt, ORIGIN_POD, &client),
			 ORIGIN_UNKNOWN);
	assert_int_equal(decide_origin(&rt, ORIGIN_NODE, &client), ORIGIN_NODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cluster_ip),
		cmocka_unit_test(cluster_ip_with_policy_local),
		cmocka_unit_test(masquerade_all),
		cmocka_unit_test(external),
		cmocka_unit_test(external_with_policy_local),
		cmocka_unit_test(external_with_a_tunnel),
		cmocka_unit_test(an_empty_set_rejects_or_drops),
		cmocka_unit_test(the_edge_knows_no_policy),
		cmocka_unit_test(who_sees_the_clients_address),
		cmocka_unit_test(every_question_has_the_contracts_answer),
		cmocka_unit_test(families_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
