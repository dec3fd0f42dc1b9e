// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who is held to its policy behind which interface of a host that is made up;
 * the tables are memory. */
#include <errno.h>

#include "../policy/policy_world.h"
#include "daemon/enforcing.h"
#include "fake_tables.h"

#define TEST(name) static void name(void **state)
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define IFACES 8

static const __u8 mac[6] = { 2, 0, 0, 0, 0, 7 };

/* The interface that container with addr is behind, or "". */
static struct {
	struct iface {
		__u32 ifindex;	/* 0: none */
		const char *name, *addr;
	} ifaces[IFACES];
	const char *own;	/* NULL: no address */
} host;

static struct fake *tables;
static struct enforcing e;
static struct parts parts;
static __u32 attached[] = { 4, 5, 6, 7, 8 };
static struct pods pods;
static struct model model;
static unsigned int unplaced;
static __u32 clock_s;
static unsigned int host_tries;
static bool refuses_host;
static int (*entry_del)(struct tables *t, enum table_id id, const void *key);

struct tables *__wrap_dp_tables(struct dp *dp);
struct tables *__wrap_dp_tables(struct dp *dp)
{
	return &tables->t;
}

__u32 __wrap_dp_now_s(void);
__u32 __wrap_dp_now_s(void)
{
	return clock_s;
}

int __real_policy_set_host(struct policy_state *s, const struct addr *addrs,
			   size_t count, __u32 now,
			   char text[static POLICY_TEXT_MAX]);
int __wrap_policy_set_host(struct policy_state *s, const struct addr *addrs,
			   size_t count, __u32 now,
			   char text[static POLICY_TEXT_MAX]);
int __wrap_policy_set_host(struct policy_state *s, const struct addr *addrs,
			   size_t count, __u32 now,
			   char text[static POLICY_TEXT_MAX])
{
	host_tries++;
	return refuses_host ? -EIO :
	       __real_policy_set_host(s, addrs, count, now, text);
}

const char *__wrap_nexthops_ifname(const struct nexthops *n, __u32 ifindex);
const char *__wrap_nexthops_ifname(const struct nexthops *n, __u32 ifindex)
{
	for (int i = 0; i < IFACES; i++)
		if (host.ifaces[i].ifindex == ifindex)
			return host.ifaces[i].name;
	return NULL;
}

int __wrap_nexthops_ifindex(const struct nexthops *n, const char *name,
			    __u32 *ret);
int __wrap_nexthops_ifindex(const struct nexthops *n, const char *name,
			    __u32 *ret)
{
	for (int i = 0; i < IFACES; i++)
		if (host.ifaces[i].ifindex &&
		    !strcmp(host.ifaces[i].name, name)) {
			*ret = host.ifaces[i].ifindex;
			return 0;
		}
	return -ENODEV;
}

__u32 __wrap_nexthops_container(struct nexthops *n, const struct addr *addr);
__u32 __wrap_nexthops_container(struct nexthops *n, const struct addr *addr)
{
	for (int i = 0; i < IFACES; i++) {
		const struct iface *at = &host.ifaces[i];
		struct addr a = at->ifindex ? addr_of(at->addr) :
					      (struct addr){};

		if (at->ifindex && !addr_compare(&a, addr))
			return at->ifindex;
	}
	return 0;
}

void __wrap_nexthops_each_local(const struct nexthops *n,
				void (*f)(void *data, const struct addr *a),
				void *data);
void __wrap_nexthops_each_local(const struct nexthops *n,
				void (*f)(void *data, const struct addr *a),
				void *data)
{
	struct addr a;

	if (!host.own)
		return;
	a = addr_of(host.own);
	f(data, &a);
}

int __real_policy_unplace(struct policy_state *s, __u32 ifindex, __u32 now_s);
int __wrap_policy_unplace(struct policy_state *s, __u32 ifindex, __u32 now_s);
int __wrap_policy_unplace(struct policy_state *s, __u32 ifindex, __u32 now_s)
{
	int ret = __real_policy_unplace(s, ifindex, now_s);

	unplaced += !ret;
	return ret;
}

static void start(void)
{
	e = (struct enforcing){ .parts = &parts, .pods = &pods };
}

static int setup(void **state)
{
	static const struct fake_sizes sizes = {
		.services = 2, .cell_buckets = 1, .backends = 2, .slots = 1,
		.conn_buckets = 1,
	};

	memset(&host, 0, sizeof(host));
	unplaced = host_tries = 0;
	refuses_host = false;
	clock_s = 1000;
	tables = fake_new(sizes);
	model = (struct model){};
	pods = (struct pods){ .are_here = true, .ifindexes = attached,
			      .count = sizeof(attached) / sizeof(*attached) };
	start();
	return 0;
}

static int teardown(void **state)
{
	enforcing_clear(&e);
	policy_set_free(model.policy);
	fake_free(tables);
	return 0;
}

static void restart(void)
{
	enforcing_clear(&e);
	start();
}

static void link_add(__u32 ifindex, const char *name, const char *addr)
{
	struct iface *to = host.ifaces;

	while (to->ifindex)
		to++;
	*to = (struct iface){ ifindex, name, addr };
}

static void link_del(__u32 ifindex)
{
	for (int i = 0; i < IFACES; i++)
		if (host.ifaces[i].ifindex == ifindex)
			host.ifaces[i] = (struct iface){};
}

/* s is the model's from now on. */
static void apply(struct policy_set *s)
{
	struct refusal why = {};

	policy_set_free(model.policy);
	model.policy = s;
	assert_int_equal(enforcing_apply(&e, &model, &why), 0);
}

static struct model_workload *named(struct policy_set *s, const char *name,
				    const char *addr, const char *interface)
{
	struct model_workload *w = workload(s, "shop", name, addr, "");

	strcpy(w->interface, interface);
	return w;
}

struct looking {
	__u32 ifindex;
	char name[256];
	const struct workload *entry;
};

static int look(void *arg, const struct policy_place *p)
{
	struct looking *l = arg;

	if (p->ifindex != l->ifindex)
		return 0;
	snprintf(l->name, sizeof(l->name), "%s", p->name);
	l->entry = p->entry;
	return 1;
}

/* Who is behind an interface; "": nobody. */
static struct looking at(__u32 ifindex)
{
	struct looking l = { .ifindex = ifindex };

	policy_places(e.state, look, &l);
	return l;
}

#define assert_at(ifindex, who) assert_string_equal(at(ifindex).name, who)

TEST(an_interface_is_that_of_whose_address_is_there)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	named(s, "web", "10.0.0.5", "");
	named(s, "a", "10.0.0.9", "veth5");
	apply(s);
	assert_at(5, "web");
	assert_non_null(strstr(e.refusal.text, "\"shop/a\""));

	/* and if the other one was first */
	s = policy_set_new();
	named(s, "a", "10.0.0.9", "veth5");
	apply(s);
	assert_at(5, "a");
	assert_string_equal(e.refusal.text, "");
	s = set_copy(s);
	named(s, "web", "10.0.0.5", "");
	apply(s);
	assert_at(5, "web");
	assert_non_null(strstr(e.refusal.text, "\"shop/a\""));
	enforcing_check(&e);
	assert_at(5, "web");
	assert_non_null(strstr(e.refusal.text, "\"shop/a\""));
}

TEST(an_address_that_is_used_again_is_that_of_who_came)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	named(s, "a", "10.0.0.5", "");
	apply(s);
	link_del(5);
	link_add(6, "veth6", "10.0.0.5");
	enforcing_follow(&e);
	s = set_copy(s);
	named(s, "b", "10.0.0.5", "");
	apply(s);
	assert_at(5, "");
	assert_at(6, "b");

	/* who is gone takes nobody else's policy along */
	s = set_copy(s);
	workload_remove(s, 0);
	apply(s);
	assert_at(6, "b");
	assert_string_equal(e.refusal.text, "");
}

/* Of pods that say when they were made, whoever is found first. */
TEST(an_address_twice_is_a_hint_and_keeps_nobody_waiting)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	named(s, "a", "10.0.0.5", "")->since_us = 1;
	named(s, "b", "10.0.0.5", "")->since_us = 2;
	named(s, "c", "10.0.0.6", "")->since_us = 1;
	link_add(6, "veth6", "10.0.0.6");
	apply(s);
	assert_at(5, "b");
	assert_at(6, "c");
	assert_string_equal(e.refusal.text, "");
	assert_string_equal(e.contest.text, "the address 10.0.0.5 is that of "
			    "\"shop/b\", and not of \"shop/a\", which is older");
	s = set_copy(s);
	workload_remove(s, 1);
	apply(s);
	assert_at(5, "a");
	assert_string_equal(e.contest.text, "");
}

TEST(who_leaves_takes_no_interface_along_that_another_has)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	named(s, "a", "10.0.0.5", "veth5");
	named(s, "b", "10.0.0.5", "veth5");
	apply(s);
	assert_at(5, "a");
	s = set_copy(s);
	workload_remove(s, 0);
	unplaced = 0;
	apply(s);
	assert_at(5, "b");
	assert_int_equal(unplaced, 0);
}

TEST(a_workload_with_another_name_is_never_without_policy)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	named(s, "b", "10.0.0.5", "veth5");
	apply(s);
	s = policy_set_new();
	named(s, "a", "10.0.0.5", "veth5");
	apply(s);
	assert_at(5, "a");
	assert_int_equal(unplaced, 0);
}

TEST(names_of_interfaces_may_be_exchanged)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	link_add(6, "veth6", "10.0.0.6");
	named(s, "a", "10.0.0.5", "veth5");
	named(s, "b", "10.0.0.6", "veth6");
	apply(s);
	s = policy_set_new();
	named(s, "a", "10.0.0.6", "veth6");
	named(s, "b", "10.0.0.5", "veth5");
	apply(s);
	assert_at(6, "a");
	assert_at(5, "b");
	assert_string_equal(e.refusal.text, "");
}

TEST(where_another_address_is_found_the_workload_is)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	link_add(6, "veth6", "10.0.0.6");
	named(s, "a", "10.0.0.5", "");
	apply(s);
	assert_at(5, "a");
	s = policy_set_new();
	named(s, "a", "10.0.0.6", "");
	apply(s);
	assert_at(5, "");
	assert_at(6, "a");
}

TEST(who_is_registered_is_where_it_was_registered)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	namespace(s, "shop", "kubernetes.io/metadata.name=shop");
	s->knows_all = true;
	apply(s);
	assert_int_equal(enforcing_register(&e, "shop", "web", "veth5", mac),
			 0);
	assert_true(at(5).entry->flags & WORKLOAD_CLOSED);
	s = set_copy(s);
	named(s, "web", "10.0.0.5", "");
	named(s, "a", "10.0.0.9", "veth5");
	apply(s);
	assert_at(5, "web");
	assert_false(at(5).entry->flags & WORKLOAD_CLOSED);
	assert_memory_equal(at(5).entry->mac, mac, sizeof(mac));
	enforcing_check(&e);
	assert_memory_equal(at(5).entry->mac, mac, sizeof(mac));

	/* until it is registered elsewhere, */
	link_add(6, "veth6", "10.0.0.6");
	assert_int_equal(enforcing_register(&e, "shop", "web", "veth6", NULL),
			 0);
	assert_at(6, "web");
	assert_at(5, "a");
	/* or somebody else there */
	assert_int_equal(enforcing_register(&e, "shop", "new", "veth6", NULL),
			 0);
	assert_at(6, "new");
	link_del(6);
	enforcing_follow(&e);
	assert_at(6, "");
}

TEST(after_a_restart_places_are_those_that_are_wanted)
{
	struct policy_set *s = policy_set_new();

	for (__u32 i = 4; i < 8; i++)
		link_add(i, (const char *[]){ "v4", "v5", "v6", "v7" }[i - 4],
			 (const char *[]){ "10.0.0.4", "10.0.0.5", "10.0.0.6",
					   "10.0.0.7" }[i - 4]);
	named(s, "gone", "10.0.0.4", "v4");
	named(s, "left", "10.0.0.5", "v5");
	named(s, "moved", "10.0.0.6", "v6");
	apply(s);
	assert_int_equal(enforcing_register(&e, "shop", "new", "v7", NULL), 0);
	restart();
	link_del(4);
	link_add(8, "v8", "10.0.0.8");
	s = policy_set_new();
	named(s, "gone", "10.0.0.4", "v4");
	named(s, "moved", "10.0.0.8", "v8");
	apply(s);
	assert_at(4, "");
	assert_at(5, "");
	assert_at(6, "");
	assert_at(8, "moved");
	/* nobody says what it is, as before */
	assert_at(7, "new");
	assert_true(at(7).entry->flags & WORKLOAD_CLOSED);
	s = set_copy(s);
	named(s, "new", "10.0.0.7", "v8");
	restart();
	apply(s);
	assert_at(7, "new");
	assert_false(at(7).entry->flags & WORKLOAD_CLOSED);
	link_del(7);
	enforcing_follow(&e);
	assert_at(7, "");
}

TEST(who_is_where_no_program_is_is_reported)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	link_add(9, "tap9", "10.0.0.9");
	named(s, "a", "10.0.0.5", "veth5");
	apply(s);
	assert_string_equal(e.refusal.text, "");
	s = set_copy(s);
	named(s, "b", "10.0.0.9", "tap9");
	apply(s);
	assert_non_null(strstr(e.refusal.text, "\"shop/b\" is not policed"));
	enforcing_check(&e);
	assert_non_null(strstr(e.refusal.text, "\"tap9\""));
}

TEST(who_is_nowhere_is_told)
{
	struct policy_set *s = policy_set_new();

	link_add(5, "veth5", "10.0.0.5");
	named(s, "a", "10.0.0.5", "");
	named(s, "no-address-yet", "", "");
	apply(s);
	assert_string_equal(e.missing.text, "");
	s = set_copy(s);
	named(s, "b", "10.0.0.6", "veth6");
	apply(s);
	assert_non_null(strstr(e.missing.text, "\"shop/b\""));
	assert_string_equal(e.refusal.text, "");
	link_add(6, "veth6", "10.0.0.6");
	enforcing_follow(&e);
	assert_string_equal(e.missing.text, "");
	link_del(5);
	enforcing_follow(&e);
	assert_non_null(strstr(e.missing.text, "\"shop/a\""));
	apply(NULL);
	assert_string_equal(e.missing.text, "");
}

/* What explaining a connection says of its first end. */
static const char *held(void)
{
	static char text[16];
	json_t *request = json_pack("{s:s, s:s, s:s}", "from", "shop/a", "to",
				    "192.0.2.1", "what", "tcp/80");
	json_t *answer = enforcing_explain(&e, request);
	json_t *end = json_array_get(json_object_get(answer, "ends"), 0);
	const char *is = json_string_value(json_object_get(end, "held"));

	snprintf(text, sizeof(text), "%s", is ? is : "");
	json_decref(answer);
	json_decref(request);
	return text;
}

TEST(what_is_explained_is_said_to_hold_or_not)
{
	struct policy_set *s = policy_set_new();

	named(s, "a", "10.0.0.5", "veth5");
	apply(s);
	assert_string_equal(held(), "no");
	link_add(5, "veth5", "10.0.0.5");
	enforcing_follow(&e);
	assert_string_equal(held(), "yes");
	link_del(5);
	s = set_copy(s);
	s->knows_all = true;
	apply(s);
	assert_string_equal(held(), "closed");
	s = policy_set_new();
	named(s, "a", "10.0.0.5", "")->is_here = false;
	apply(s);
	assert_string_equal(held(), "");
}

static int no_host_goes(struct tables *t, enum table_id id, const void *key)
{
	const struct addr own = addr_of(host.own);

	if (id == TABLE_peers)
		assert_int_not_equal(addr_compare(key, &own), 0);
	return entry_del(t, id, key);
}

TEST(a_restart_never_forgets_the_host)
{
	struct policy_set *s = policy_set_new();

	host.own = "10.0.0.1";
	named(s, "a", "10.0.0.5", "veth5");
	apply(s);
	restart();
	entry_del = tables->t.entry_del;
	tables->t.entry_del = no_host_goes;
	apply(set_copy(s));
	tables->t.entry_del = entry_del;
}

/* It is tried again after 1, 2, 4 ... 64 seconds, and at once where there is
 * something else to try. */
TEST(a_host_that_cannot_be_told_is_tried_less_and_less)
{
	struct policy_set *s = policy_set_new();

	s->knows_all = true;
	host.own = "10.0.0.1";
	apply(s);
	assert_int_equal(host_tries, 1);
	refuses_host = true;
	host.own = "10.0.0.2";
	for (int i = 0; i < 256; i++, clock_s++) {
		enforcing_follow(&e);
		enforcing_follow(&e);
		assert_non_null(strstr(e.refusal.text, "host's addresses"));
	}
	/* 1000, 1001, 1003, 1007, ... 1063, 1127, 1191, 1255 */
	assert_int_equal(host_tries, 1 + 10);
	host.own = "10.0.0.3";
	enforcing_follow(&e);
	assert_int_equal(host_tries, 1 + 11);
	refuses_host = false;
	enforcing_follow(&e);
	assert_int_equal(host_tries, 1 + 11);
	apply(set_copy(s));
	assert_int_equal(host_tries, 1 + 12);
	assert_string_equal(e.refusal.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_interface_is_that_of_whose_address_is_there),
		CASE(an_address_that_is_used_again_is_that_of_who_came),
		CASE(an_address_twice_is_a_hint_and_keeps_nobody_waiting),
		CASE(who_leaves_takes_no_interface_along_that_another_has),
		CASE(a_workload_with_another_name_is_never_without_policy),
		CASE(names_of_interfaces_may_be_exchanged),
		CASE(where_another_address_is_found_the_workload_is),
		CASE(who_is_registered_is_where_it_was_registered),
		CASE(after_a_restart_places_are_those_that_are_wanted),
		CASE(who_is_where_no_program_is_is_reported),
		CASE(who_is_nowhere_is_told),
		CASE(what_is_explained_is_said_to_hold_or_not),
		CASE(a_restart_never_forgets_the_host),
		CASE(a_host_that_cannot_be_told_is_tried_less_and_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
