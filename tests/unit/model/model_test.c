// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "base/addr.h"
#include "model/model.h"
#include "base/suggest.h"
#include "base/cleanup.h"

static void a_new_model_has_the_defaults(void **state)
{
	struct model *m __cleanup(model_freep) = model_new();

	assert_non_null(m);
	assert_null(m->node);
	assert_int_equal(m->nr_uplinks, 0);
	assert_int_equal(m->nr_services, 0);
	assert_false(m->has_hash_key);
	assert_int_equal(m->nat_port_first, 1024);
	assert_int_equal(m->nat_port_last, 65535);
	assert_int_equal(m->gue_port, 6080);
	assert_int_equal(m->geneve_port, 6081);
	assert_int_equal(m->geneve_vni, 0);
	assert_int_equal(m->idle_tcp_s, 900);
	assert_int_equal(m->idle_udp_s, 60);
	assert_int_equal(m->idle_sctp_s, 900);
	assert_int_equal(m->syn_s, 60);
	assert_int_equal(m->half_closed_s, 3600);
	assert_int_equal(m->closing_s, 10);
	assert_int_equal(m->fragment_s, 30);
	assert_int_equal(m->max_services, 0);
	assert_int_equal(m->answers_per_s, 10000);
	assert_int_equal(m->answers_network_per_s, 100);
	model_free(NULL);
}

static void services_are_named_by_what_they_serve(void **state)
{
	static const struct {
		const char *addr;
		__u16 first, last;
		__u8 proto;
		const char *text;
	} cases[] = {
		{ "192.0.2.10", 443, 443, IPPROTO_TCP, "192.0.2.10:443/tcp" },
		{ "192.0.2.0/24", 53, 53, IPPROTO_UDP, "192.0.2.0/24:53/udp" },
		{ "2001:db8::1", 1, 2, IPPROTO_TCP, "[2001:db8::1]:1-2/tcp" },
		{ "2001:db8::/64", 8000, 8999, IPPROTO_UDP,
		  "[2001:db8::]/64:8000-8999/udp" },
		{ "10.0.0.1", 0, 65535, IPPROTO_SCTP, "10.0.0.1:any/sctp" },
	};
	char text[FRONT_TEXT_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct model_front f = {
			.port_first = cases[i].first,
			.port_last = cases[i].last,
		};
		unsigned int len;

		assert_true(addr_parse_cidr(cases[i].addr, &f.addr, &len));
		f.prefix_len = len;
		assert_string_equal(model_front_text(&f, cases[i].proto, text),
				    cases[i].text);
	}
}

static void every_value_has_a_name(void **state)
{
	assert_string_equal(forward_name(FORWARD_NAT), "nat");
	assert_string_equal(forward_name(FORWARD_L2), "l2");
	assert_string_equal(forward_name(FORWARD_IPIP), "ipip");
	assert_string_equal(forward_name(FORWARD_GUE), "gue");
	assert_string_equal(forward_name(FORWARD_GRE), "gre");
	assert_string_equal(forward_name(FORWARD_GENEVE), "geneve");
	assert_string_equal(forward_name(77), "unknown");
	assert_string_equal(algorithm_name(ALGORITHM_MAGLEV), "maglev");
	assert_string_equal(algorithm_name(ALGORITHM_RANDOM), "random");
	assert_string_equal(algorithm_name(ALGORITHM_ROUND_ROBIN),
			    "round-robin");
	assert_string_equal(algorithm_name(77), "unknown");
	assert_string_equal(backend_state_name(BACKEND_FREE), "free");
	assert_string_equal(backend_state_name(BACKEND_ACTIVE), "active");
	assert_string_equal(backend_state_name(BACKEND_DRAIN), "drain");
	assert_string_equal(backend_state_name(BACKEND_LEAVING), "leaving");
	assert_string_equal(backend_state_name(BACKEND_DOWN), "down");
	assert_string_equal(backend_state_name(BACKEND_GONE), "gone");
	assert_string_equal(kind_name(KIND_EDGE), "edge");
	assert_string_equal(kind_name(KIND_CLUSTER_IP), "cluster-ip");
	assert_string_equal(kind_name(KIND_NODE_PORT), "node-port");
	assert_string_equal(kind_name(KIND_LB_VIP), "load-balancer");
	assert_string_equal(kind_name(KIND_EXTERNAL_IP), "external-ip");
	assert_string_equal(backend_state_name(77), "unknown");
	assert_string_equal(proto_name(IPPROTO_TCP), "tcp");
	assert_string_equal(proto_name(IPPROTO_UDP), "udp");
	assert_string_equal(proto_name(IPPROTO_SCTP), "sctp");
	assert_string_equal(proto_name(77), "unknown");
}

/* AddressSanitizer tells when the first clear already frees, or none does. */
static void what_is_shared_lives_until_the_last_user(void **state)
{
	struct model_service by_hand = { .name = strdup("web") };
	struct model_service *s = model_service_share(&by_hand);

	assert_non_null(s);
	assert_null(by_hand.name);
	model_service_hold(s);
	model_service_free(s);
	assert_string_equal(s->name, "web");	/* ASAN knows whether it is */
	model_service_free(s);
}

static void the_nearest_word_is_suggested(void **state)
{
	static const char *const known[] = { "name", "address", "port",
					     "protocol", "udp", NULL };

	assert_string_equal(suggest("adress", known), "address");
	assert_string_equal(suggest("addresss", known), "address");
	assert_string_equal(suggest("prot", known), "port");
	assert_string_equal(suggest("nmae", known), "name");
	assert_string_equal(suggest("protcol", known), "protocol");
	assert_string_equal(suggest("upd", known), "udp");
	assert_null(suggest("colour", known));
	assert_null(suggest("x", known));
	assert_null(suggest("", known));
	assert_null(suggest("a-word-longer-than-any-we-compare", known));
}

/* Of services that others have as well. */
static struct model *model_of(struct model_service **list)
{
	struct model *m = model_new();

	assert_non_null(m);
	for (; *list; list++) {
		model_service_free(model_service_add(m));
		m->services[m->nr_services - 1] = model_service_hold(*list);
	}
	return m;
}

static struct model_service *service_of(const char *name)
{
	struct model_service by_hand = { .name = strdup(name) };
	struct model_service *s = model_service_share(&by_hand);

	assert_true(s && s->name);
	return s;
}

/* "-a" is gone, "~b" is another one, "+c" is new. */
static void check_delta(const struct model *was, const struct model *is,
			const char *expected)
{
	struct model_delta d = { .was = was, .is = is };
	const struct model_service *a, *b;
	char text[64] = "";

	while (model_delta_next(&d, &a, &b))
		sprintf(text + strlen(text), "%c%s ",
			!b ? '-' : !a ? '+' : '~', (a ?: b)->name);
	assert_string_equal(text, expected);
	assert_false(model_delta_next(&d, &a, &b));
}

static void a_delta_has_what_differs_alone(void **state)
{
	struct model_service *a = service_of("a"), *b = service_of("b");
	struct model_service *b2 = service_of("b"), *c = service_of("c");
	struct model_service *all[] = { a, b, b2, c };
	struct model *x __cleanup(model_freep) =
		model_of((struct model_service *[]){ a, b, NULL });
	struct model *y __cleanup(model_freep) =
		model_of((struct model_service *[]){ a, b2, c, NULL });
	struct model *z __cleanup(model_freep) =
		model_of((struct model_service *[]){ b, NULL });

	check_delta(NULL, x, "+a +b ");
	check_delta(x, y, "~b +c ");
	check_delta(y, x, "~b -c ");
	check_delta(x, z, "-a ");
	check_delta(z, x, "+a ");
	check_delta(z, z, "");
	for (int i = 0; i < 4; i++)
		model_service_free(all[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_model_has_the_defaults),
		cmocka_unit_test(services_are_named_by_what_they_serve),
		cmocka_unit_test(every_value_has_a_name),
		cmocka_unit_test(what_is_shared_lives_until_the_last_user),
		cmocka_unit_test(the_nearest_word_is_suggested),
		cmocka_unit_test(a_delta_has_what_differs_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
