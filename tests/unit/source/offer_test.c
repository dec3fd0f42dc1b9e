// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What containers offer by their labels, as the manual says (CONTAINERS): to
 * Services and slices, and what is wrong with it, to a mistake of whose it is.
 */
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
#include "source/offers.h"

/* A container with these labels; NULL: it has not that one. */
static struct offer offer_of(const char *name, const char *service,
			     const char *address, const char *ports)
{
	struct model_label labels[3];
	struct container c = { .namespace = "docker", .mode = "bridge" };
	struct offer o;

	snprintf(c.name, sizeof(c.name), "%s", name);
	c.labels.at = labels;
	if (service)
		labels[c.labels.count++] = (struct model_label){
			"fairlead.service", (char *)service };
	if (address)
		labels[c.labels.count++] = (struct model_label){
			"fairlead.address", (char *)address };
	if (ports)
		labels[c.labels.count++] = (struct model_label){
			"fairlead.ports", (char *)ports };
	c.nr_ends = 1;
	c.ends[0].nr_addrs = 2;
	assert_true(addr_parse("172.17.0.2", &c.ends[0].addrs[0]));
	assert_true(addr_parse("fd00::2", &c.ends[0].addrs[1]));
	assert_int_equal(offer_read(&c, &o), service != NULL);
	return o;
}

static void without_a_service_it_offers_nothing(void **state)
{
	offer_of("a", NULL, "192.0.2.1", "80");
}

static void ports(void **state)
{
	struct offer o = offer_of("a", "web", "192.0.2.1,2001:db8::1",
				  " 80:8080, 53/udp ,53:5353/TCP, 9/sctp");
	static const struct offer_port want[] = {
		{ 80, 8080, IPPROTO_TCP }, { 53, 53, IPPROTO_UDP },
		{ 53, 5353, IPPROTO_TCP }, { 9, 9, IPPROTO_SCTP },
	};

	assert_string_equal(o.mistake, "");
	assert_int_equal(o.nr_ports, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(o.ports[i].port, want[i].port);
		assert_int_equal(o.ports[i].target, want[i].target);
		assert_int_equal(o.ports[i].proto, want[i].proto);
	}
}

static void what_is_wrong_is_said(void **state)
{
	static const char *const rows[][4] = {
		{ "web", "192.0.2.1", NULL, "names no port" },
		{ "web", "192.0.2.1", "", "names no port" },
		{ "web", "192.0.2.1", " , ", "names no port" },
		{ "web", "192.0.2.1", "0", "\"0\" is not" },
		{ "web", "192.0.2.1", "65536", "\"65536\" is not" },
		{ "web", "192.0.2.1", "4294967376", "is not PORT" },
		{ "web", "192.0.2.1", "80:", "\"80:\" is not" },
		{ "web", "192.0.2.1", "80:0", "is not PORT" },
		{ "web", "192.0.2.1", ":80", "is not PORT" },
		{ "web", "192.0.2.1", "-80", "is not PORT" },
		{ "web", "192.0.2.1", "80/", "is not PORT" },
		{ "web", "192.0.2.1", "80/icmp", "is not PORT" },
		{ "web", "192.0.2.1", "80 90", "is not PORT" },
		{ "web", "192.0.2.1", "80,80:81", "port 80 twice" },
		{ "web", "192.0.2.1", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
		  "more than 16" },
		{ "web", "192.0.2.1",
		  "80000000000000000000000000000000000000", "is not PORT" },
		{ "web", "nowhere", "80", "\"nowhere\" is no address" },
		{ "web", "127.0.0.1", "80", "is no address" },
		{ "web", "0.0.0.0", "80", "is no address" },
		{ "web", "192.0.2.1/24", "80", "is no address" },
		{ "web", "192.0.2.1,192.0.2.2", "80", "two addresses" },
		{ "", "192.0.2.1", "80", "is no name" },
		{ "Web", "192.0.2.1", "80", "is no name" },
		{ "we/b", "192.0.2.1", "80", "is no name" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct offer o = offer_of("a", rows[i][0], rows[i][1],
					  rows[i][2]);

		if (!strstr(o.mistake, rows[i][3]))
			fail_msg("row %zu: \"%s\"", i, o.mistake);
	}
}

static struct kube_object *object(const struct offers *o, enum kube_kind kind,
				  const char *name)
{
	for (size_t i = 0; i < o->parts.count; i++) {
		struct kube_object *at = o->parts.at[i]->objects[0];

		if (at->kind == kind && !strcmp(at->name, name))
			return at;
	}
	return NULL;
}

static void make(struct offers *o, struct source *s, struct offer *list,
		 size_t nr)
{
	const struct offer *pointers[4];

	for (size_t i = 0; i < nr; i++)
		pointers[i] = &list[i];
	assert_int_equal(offers_make(o, s, "unix:///x", pointers, nr), 0);
}

static const char *text_at(const struct kube_list *list, size_t i)
{
	return ((const char **)list->items)[i];
}

static void containers_make_a_service_together(void **state)
{
	struct offer list[] = {
		offer_of("b", "web", NULL, "80:8080,443"),
		offer_of("a", "web", "192.0.2.1,2001:db8::1", "80:8081"),
	};
	const struct kube_endpoint *e;
	const struct kube_object *o;
	const struct kube_port *p;
	struct source s = {};
	struct offers x = {};

	make(&x, &s, list, 2);
	assert_int_equal(x.parts.count, 5);
	o = object(&x, KUBE_SERVICE, "web");
	assert_string_equal(o->namespace, "docker");
	assert_null(o->mistakes);
	assert_int_equal(o->service.cluster_ips.count, 2);
	assert_string_equal(text_at(&o->service.cluster_ips, 0), "192.0.2.1");
	assert_string_equal(text_at(&o->service.cluster_ips, 1),
			    "2001:db8::1");
	assert_int_equal(o->service.ports.count, 2);
	p = o->service.ports.items;
	assert_int_equal(p[0].port, 80);
	assert_int_equal(p[1].port, 443);
	o = object(&x, KUBE_SLICE, "b.IPv6");
	assert_string_equal(o->slice.service, "web");
	assert_string_equal(o->slice.address_type, "IPv6");
	assert_int_equal(o->slice.ports.count, 2);
	assert_int_equal(((struct kube_slice_port *)
			  o->slice.ports.items)->port, 8080);
	e = o->slice.endpoints.items;
	assert_string_equal(text_at(&e->addresses, 0), "fd00::2");
	assert_int_equal(e->ready, KUBE_TRUE);
	offers_clear(&x);
}

/* Who comes with another address does not move the service, whatever its name
 * is; it is told, and the others serve on. */
static void a_newcomer_moves_nothing(void **state)
{
	struct offer list[] = {
		offer_of("b", "web", "192.0.2.1", "80"),
		offer_of("a", "web", "192.0.2.9", "80"),
	};
	struct kube_object *o, *was;
	struct source s = {};
	struct offers x = {};

	make(&x, &s, list, 1);
	was = object(&x, KUBE_SERVICE, "web");
	make(&x, &s, list, 2);
	o = object(&x, KUBE_SERVICE, "web");
	assert_ptr_equal(o, was);
	assert_string_equal(text_at(&o->service.cluster_ips, 0), "192.0.2.1");
	assert_null(object(&x, KUBE_SLICE, "b.IPv4")->mistakes);
	assert_non_null(object(&x, KUBE_SLICE, "a.IPv4")->mistakes);
	assert_null(s.dead);
	/* it alone: now it is right */
	make(&x, &s, list + 1, 1);
	o = object(&x, KUBE_SERVICE, "web");
	assert_string_equal(text_at(&o->service.cluster_ips, 0), "192.0.2.9");
	assert_null(object(&x, KUBE_SLICE, "a.IPv4")->mistakes);
	assert_non_null(s.dead);
	offers_clear(&x);
	source_free_dead(&s);
}

static void mistakes_are_their_own(void **state)
{
	struct offer list[] = {
		offer_of("a", "web", "192.0.2.1", "80"),
		offer_of("b", "web", "192.0.2.1", "http"),
		offer_of("c", "nowhere", NULL, "80"),
		offer_of("d", "../x", "192.0.2.1", "80"),
	};
	struct source s = {};
	struct offers x = {};

	make(&x, &s, list, 4);
	assert_null(object(&x, KUBE_SERVICE, "web")->mistakes);
	assert_null(object(&x, KUBE_SLICE, "a.IPv4")->mistakes);
	assert_non_null(object(&x, KUBE_SLICE, "b.IPv4")->mistakes);
	assert_null(object(&x, KUBE_SLICE, "b.IPv6"));
	assert_non_null(strstr(object(&x, KUBE_SERVICE, "nowhere")->mistakes->text,
			       "fairlead.address"));
	assert_non_null(object(&x, KUBE_SLICE, "d.IPv4")->mistakes);
	assert_null(object(&x, KUBE_SERVICE, ""));
	offers_clear(&x);
}

/* The same again: nothing is another one. */
static void what_did_not_change_is_the_same(void **state)
{
	struct offer list[] = {
		offer_of("a", "web", "192.0.2.1", "80"),
		offer_of("b", "db", "192.0.2.2", "80"),
	};
	struct source s = {};
	struct offers x = {};
	struct kube_object *was;
	__u64 digest;

	make(&x, &s, list, 2);
	digest = offers_digest(&x);
	was = object(&x, KUBE_SLICE, "a.IPv4");
	make(&x, &s, list, 2);
	assert_ptr_equal(object(&x, KUBE_SLICE, "a.IPv4"), was);
	assert_true(offers_digest(&x) == digest);
	assert_null(s.dead);
	list[0].is_ready = false;
	make(&x, &s, list, 2);
	assert_true(offers_digest(&x) != digest);
	assert_int_equal(((struct kube_endpoint *)object(&x, KUBE_SLICE,
		"a.IPv4")->slice.endpoints.items)->ready, KUBE_FALSE);
	make(&x, &s, list, 0);
	assert_int_equal(x.parts.count, 0);
	offers_clear(&x);
	source_free_dead(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_service_it_offers_nothing),
		cmocka_unit_test(ports),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(containers_make_a_service_together),
		cmocka_unit_test(a_newcomer_moves_nothing),
		cmocka_unit_test(mistakes_are_their_own),
		cmocka_unit_test(what_did_not_change_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
