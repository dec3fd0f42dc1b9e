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
static struct model model;
static int (*entry_del)(struct tables *t, enum table_id id, const void *key);

struct tables *__wrap_dp_tables(struct dp *dp);
struct tables *__wrap_dp_tables(struct dp *dp)
{
	return &tables->t;
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

static void start(void)
{
	e = (struct enforcing){ .parts = &parts };
}

static int setup(void **state)
{
	static const struct fake_sizes sizes = {
		.services = 2, .cell_buckets = 1, .backends = 2, .slots = 1,
		.conn_buckets = 1,
	};

	memset(&host, 0, sizeof(host));
	tables = fake_new(sizes);
	model = (struct model){};
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_restart_never_forgets_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
