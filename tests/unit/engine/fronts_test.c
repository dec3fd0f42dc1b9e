// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Services with several front ends, and what only a node has: they share id,
 * slots, backends; each goes from one entry to the next by itself. And the
 * slots of random choice, one an endpoint, local ones first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "engine_world.h"

#define VIP 0xc000020au		/* 192.0.2.10 */
#define HOST 0x0a000001u	/* 10.0.0.1, the first backend */
#define GRACE 2
#define WALKS 60		/* seconds in which all records are looked at */

static void setup(struct world *w)
{
	setup_sizes(w, (struct fake_sizes){ 64, 256, 1 << 16, 64, 4096 });
}

/* At VIP, VIP + 1 and so on. */
static struct model_service *web(struct world *w, int fronts, int backends)
{
	struct model_service *svc = fake_service(w->m, "web", VIP, 443,
						 IPPROTO_TCP);

	for (int i = 1; i < fronts; i++)
		fake_front(svc, VIP + i, 443);
	for (int i = 0; i < backends; i++)
		fake_backend(svc, HOST + i, 8443, 100);
	return svc;
}

static const struct service *find(struct world *w, int vip, __u16 port,
				  __u8 proto)
{
	struct addr a = fake_addr4(VIP + vip);

	return fake_find(w->f, &a, port, proto);
}

static const struct service *found(struct world *w, int vip)
{
	const struct service *e = find(w, vip, 443, IPPROTO_TCP);

	assert_non_null(e);
	assert_int_equal(e->proto, IPPROTO_TCP);
	return e;
}

static struct table_sizes used(struct world *w)
{
	struct table_sizes ret;

	state_usage(w->s, &ret);
	return ret;
}

static struct backend *backend_at(struct world *w, __u32 addr)
{
	struct addr a = fake_addr4(addr);

	for (__u32 i = 1; i < w->f->t.nr_backends; i++)
		if (w->f->t.backends[i].state != BACKEND_FREE &&
		    !addr_compare(&w->f->t.backends[i].addr, &a))
			return &w->f->t.backends[i];
	return NULL;
}

static void front_ends_share_all_but_where_they_are(void **state)
{
	struct model_service *svc;
	const struct service *a, *b;
	struct world w;

	setup(&w);
	svc = web(&w, 3, 2);
	fake_front(svc, VIP, 8080)->kind = KIND_EXTERNAL_IP;
	svc->fronts[1].flags = SERVICE_POLICY_LOCAL;
	apply(&w);
	assert_int_equal(w.r.added, 1);
	a = found(&w, 0);
	for (int i = 1; i < 3; i++) {
		b = found(&w, i);
		assert_ptr_not_equal(a, b);
		assert_int_equal(b->id, a->id);
		assert_int_equal(b->slot_base, a->slot_base);
		assert_int_equal(b->slot_count, a->slot_count);
	}
	b = find(&w, 0, 8080, IPPROTO_TCP);
	assert_int_equal(b->id, a->id);
	assert_int_equal(b->kind, KIND_EXTERNAL_IP);
	assert_int_equal(b->flags, SERVICE_POLICY_LOCAL);
	assert_int_equal(a->kind, KIND_EDGE);
	assert_int_equal(a->flags, 0);
	/* four front ends at three addresses */
	assert_int_equal(used(&w).services, 7);
	assert_int_equal(used(&w).backends, 2);
	assert_int_equal(used(&w).slots, a->slot_count);
	teardown(&w);
}

static void front_ends_come_and_go_without_touching_others(void **state)
{
	const struct service *first, *second;
	struct model_service *svc;
	struct world w;

	setup(&w);
	svc = web(&w, 2, 2);
	apply(&w);
	first = found(&w, 0);
	second = found(&w, 1);
	fake_front(svc, VIP + 2, 443);
	apply(&w);
	assert_int_equal(w.r.changed, 1);
	assert_int_equal(w.r.slots_written, 0);
	assert_ptr_equal(found(&w, 0), first);
	assert_ptr_equal(found(&w, 1), second);
	assert_int_equal(found(&w, 2)->id, first->id);
	fake_front_remove(svc, 0);
	apply(&w);
	assert_null(find(&w, 0, 443, IPPROTO_TCP));
	assert_ptr_equal(found(&w, 1), second);
	pass(&w, GRACE);
	assert_int_equal(used(&w).services, 4);
	fake_service_remove(w.m, "web");
	apply(&w);
	for (int i = 0; i < 3; i++)
		assert_null(find(&w, i, 443, IPPROTO_TCP));
	pass(&w, GRACE);
	assert_int_equal(used(&w).services, 0);
	assert_int_equal(used(&w).slots, 0);
	for (size_t i = 0; i < VIP_FILTER_SIZE; i++)
		assert_int_equal(w.f->t.vip_filter[i], 0);
	teardown(&w);
}

static void an_address_goes_from_one_service_to_another(void **state)
{
	struct model_service *svc;
	struct world w;
	__u32 id;

	setup(&w);
	web(&w, 2, 1);
	svc = fake_service(w.m, "other", VIP + 9, 443, IPPROTO_TCP);
	fake_backend(svc, HOST, 1, 1);
	apply(&w);
	id = found(&w, 9)->id;
	fake_front_remove(w.m->services[1], 1);
	fake_front(w.m->services[0], VIP + 1, 443);
	apply(&w);
	assert_int_equal(w.r.changed, 2);
	assert_int_equal(found(&w, 1)->id, id);
	assert_int_not_equal(found(&w, 0)->id, id);
	pass(&w, GRACE);
	assert_int_equal(found(&w, 1)->id, id);
	assert_int_equal(used(&w).services, 6);
	teardown(&w);
}

static void every_front_end_follows_the_slots(void **state)
{
	struct model_service *svc;
	__u32 count;
	struct world w;

	setup(&w);
	svc = web(&w, 3, 1);
	apply(&w);
	count = found(&w, 0)->slot_count;
	for (int i = 1; i < 5; i++)
		fake_backend(svc, HOST + i, 8443, 100);
	apply(&w);
	assert_true(found(&w, 0)->slot_count > count);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(found(&w, i)->slot_base,
				 found(&w, 0)->slot_base);
		assert_int_equal(found(&w, i)->slot_count,
				 found(&w, 0)->slot_count);
	}
	assert_int_equal(used(&w).slots, count + found(&w, 0)->slot_count);
	pass(&w, GRACE);
	assert_int_equal(used(&w).slots, found(&w, 0)->slot_count);
	assert_int_equal(used(&w).services, 6);
	teardown(&w);
}

static void a_restart_finds_every_front_end(void **state)
{
	struct world w;
	__u64 before;

	setup(&w);
	fake_source(web(&w, 4, 3), "198.51.100.0/24", true);
	w.m->services[0]->fronts[2].open = true;
	apply(&w);
	before = fake_digest(w.f);
	restart(&w);
	assert_true(fake_digest(w.f) == before);
	apply(&w);
	assert_int_equal(w.r.unchanged, 1);
	assert_true(fake_digest(w.f) == before);
	assert_true(fake_admits(w.f, found(&w, 2), VIP));
	assert_false(fake_admits(w.f, found(&w, 1), VIP));
	fake_front_remove(w.m->services[0], 0);
	apply(&w);
	pass(&w, GRACE);
	assert_null(find(&w, 0, 443, IPPROTO_TCP));
	assert_int_equal(used(&w).services, 6);
	teardown(&w);
}

/* The cell of a front end that a change has not come to yet. */
static struct service_cell *cell_of(struct world *w, const struct service *e)
{
	__u32 entry = e - w->f->t.services;

	for (size_t i = 0; i < 64 * SERVICE_CELLS; i++)
		if (w->f->t.cells[i].service == entry)
			return &w->f->t.cells[i];
	abort();
}

/* One front end is on the new slots, the other on the old ones. */
static void a_death_amid_a_change_loses_no_front_end(void **state)
{
	struct model_service *svc;
	struct service_cell *cell;
	__u32 entry, had;
	struct world w;

	setup(&w);
	svc = web(&w, 2, 1);
	apply(&w);
	cell = cell_of(&w, found(&w, 1));
	entry = cell->service;
	had = found(&w, 1)->slot_count;
	for (int i = 1; i < 5; i++)
		fake_backend(svc, HOST + i, 8443, 100);
	apply(&w);
	cell->service = entry;
	restart(&w);
	assert_int_equal(found(&w, 1)->slot_count, had);
	assert_true(found(&w, 0)->slot_count > had);
	assert_int_equal(found(&w, 1)->id, found(&w, 0)->id);
	apply(&w);
	assert_int_equal(w.r.changed, 1);
	assert_int_equal(found(&w, 1)->slot_base, found(&w, 0)->slot_base);
	assert_int_equal(found(&w, 1)->slot_count, found(&w, 0)->slot_count);
	pass(&w, GRACE);
	assert_int_equal(used(&w).slots, found(&w, 0)->slot_count);
	assert_int_equal(used(&w).services, 4);
	teardown(&w);
}

static void what_cannot_be_written_leaves_all_as_they_were(void **state)
{
	struct model_service *svc;
	const struct service *first, *second;
	struct world w;

	setup(&w);
	svc = web(&w, 2, 1);
	apply(&w);
	first = found(&w, 0);
	second = found(&w, 1);
	svc->fronts[0].open = true;
	fake_front(svc, VIP + 2, 443)->open = true;
	fake_source(svc, "198.51.100.0/24", false);
	w.f->max_sources = 0;
	assert_int_not_equal(reconcile(w.s, w.m, w.now_s, &w.r, w.text), 0);
	assert_ptr_equal(found(&w, 0), first);
	assert_ptr_equal(found(&w, 1), second);
	assert_null(find(&w, 2, 443, IPPROTO_TCP));
	w.f->max_sources = 100;
	apply(&w);
	assert_int_equal(found(&w, 2)->id, first->id);
	assert_false(fake_admits(w.f, found(&w, 1), 0xc6336401u));
	assert_true(fake_admits(w.f, found(&w, 2), 0xc6336401u));
	pass(&w, GRACE);
	assert_int_equal(used(&w).services, 6);
	teardown(&w);
}

static void too_few_cells_are_asked_for_and_then_do(void **state)
{
	struct model_service *svc;
	struct table_sizes *n;
	struct world w;

	setup_sizes(&w, (struct fake_sizes){ 8, 8, 64, 1, 0 });
	svc = web(&w, 20, 1);
	assert_int_equal(reconcile(w.s, w.m, w.now_s, &w.r, w.text), -ENOSPC);
	n = &w.r.needed;
	assert_true(n->services > 40);
	assert_true(n->cell_buckets * SERVICE_CELLS >= 4 * 40);
	fake_grow(w.f, (struct fake_sizes){ n->services, n->backends, n->slots,
					    n->cell_buckets, 0 });
	apply(&w);
	for (size_t i = 0; i < svc->nr_fronts; i++)
		assert_int_equal(found(&w, i)->id, found(&w, 0)->id);
	teardown(&w);
}

static void diff_names_front_ends(void **state)
{
	char *text = NULL;
	size_t len;
	struct world w;
	FILE *out;

	setup(&w);
	web(&w, 2, 0);
	out = open_memstream(&text, &len);
	assert_int_equal(reconcile_diff(w.s, w.m, out), 2);
	fclose(out);
	assert_string_equal(text,
			    "+ service web: 192.0.2.10:443/tcp, ipip, maglev\n"
			    "+ address web: 192.0.2.11:443/tcp\n");
	free(text);
	apply(&w);
	fake_front_remove(w.m->services[0], 0);
	fake_front(w.m->services[0], VIP + 7, 443);
	out = open_memstream(&text, &len);
	assert_int_equal(reconcile_diff(w.s, w.m, out), 2);
	fclose(out);
	assert_string_equal(text, "- address web: 192.0.2.10:443/tcp\n"
				  "+ address web: 192.0.2.17:443/tcp\n");
	free(text);
	teardown(&w);
}

static void listings_have_every_front_end(void **state)
{
	struct state_service list[2];
	struct world w;

	setup(&w);
	fake_source(web(&w, 3, 1), "198.51.100.0/24", true);
	w.m->services[0]->fronts[0].open = true;
	apply(&w);
	assert_int_equal(state_services(w.s, list, 2), 1);
	assert_int_equal(list[0].nr_entries, 3);
	assert_int_equal(list[0].nr_sources, 1);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(&w.f->t.services[list[0].entries[i]],
				 found(&w, i));
	teardown(&w);
}

/* protocol, kind; the state of a backend that is no longer defined. TCP and
 * SCTP of a node may live on without their service, until all records have been
 * looked through. */
static void udp_of_a_node_leaves_at_once(void **state)
{
	static const struct { __u8 proto, kind, left; } cases[] = {
		{ IPPROTO_UDP, KIND_EDGE, BACKEND_LEAVING },
		{ IPPROTO_UDP, KIND_CLUSTER_IP, BACKEND_GONE },
		{ IPPROTO_UDP, KIND_NODE_PORT, BACKEND_GONE },
		{ IPPROTO_UDP, KIND_LB_VIP, BACKEND_GONE },
		{ IPPROTO_UDP, KIND_EXTERNAL_IP, BACKEND_GONE },
		{ IPPROTO_TCP, KIND_CLUSTER_IP, BACKEND_LEAVING },
		{ IPPROTO_SCTP, KIND_CLUSTER_IP, BACKEND_LEAVING },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct model_service *svc;
		const struct backend *b;
		struct world w;

		setup(&w);
		svc = web(&w, 1, 2);
		svc->proto = cases[i].proto;
		svc->forward = FORWARD_NAT;
		svc->fronts[0].kind = cases[i].kind;
		apply(&w);
		b = backend_at(&w, HOST);
		fake_backend_remove(svc, HOST, 8443);
		apply(&w);
		assert_int_equal(w.r.backends_removed, 1);
		assert_int_equal(b->state, cases[i].left);
		restart(&w);
		assert_int_equal(b->state, cases[i].left);
		fake_backend(svc, HOST, 8443, 100);
		apply(&w);
		assert_int_equal(w.r.backends_added, 1);
		assert_int_equal(b->state, BACKEND_ACTIVE);
		fake_service_remove(w.m, "web");
		apply(&w);
		assert_int_equal(b->state, cases[i].left);
		pass(&w, cases[i].kind == KIND_EDGE ||
			 cases[i].proto == IPPROTO_UDP ? GRACE : WALKS);
		assert_int_equal(b->state, BACKEND_FREE);
		teardown(&w);
	}
}

/* The first so many are in the local set, too. */
static struct model_service *pods(struct world *w, int backends, int local)
{
	struct model_service *svc = web(w, 2, backends);

	svc->forward = FORWARD_NAT;
	svc->algorithm = ALGORITHM_RANDOM;
	svc->fronts[0].kind = svc->fronts[1].kind = KIND_CLUSTER_IP;
	for (int i = 0; i < local; i++)
		svc->backends[i].flags = BACKEND_IN_LOCAL;
	return svc;
}

static unsigned int slots_of(struct world *w, const struct service *e,
			     __u32 addr)
{
	__u32 backend = backend_at(w, addr) - w->f->t.backends;
	unsigned int nr = 0;

	for (__u32 i = 0; i < e->slot_count; i++)
		nr += w->f->slot_memory[e->slot_base + i].backend == backend;
	return nr;
}

/* count slots from base on are those of backends with these flags. */
static void check_range(struct world *w, __u32 base, __u32 count, __u8 mask,
			__u8 flags)
{
	const struct slot *slot = w->f->slot_memory + base;

	for (__u32 i = 0; i < count; i++)
		assert_int_equal(w->f->t.backends[slot[i].backend].flags & mask,
				 flags);
}

/* The first of e's slots are those of the local set, and no other is. */
static void check_local(struct world *w, const struct service *e, __u32 count)
{
	assert_int_equal(e->local_count, count);
	assert_int_equal(e->local_base, count ? e->slot_base : 0);
	check_range(w, e->slot_base, count, BACKEND_IN_LOCAL, BACKEND_IN_LOCAL);
	check_range(w, e->slot_base + count, e->slot_count - count,
		    BACKEND_IN_LOCAL, 0);
}

static void chance_needs_one_slot_an_endpoint(void **state)
{
	struct model_service *svc;
	struct world w;

	setup(&w);
	svc = pods(&w, 7, 3);
	apply(&w);
	assert_int_equal(found(&w, 0)->slot_count, 7);
	assert_int_equal(used(&w).slots, 7);
	for (int i = 0; i < 7; i++)
		assert_int_equal(slots_of(&w, found(&w, 1), HOST + i), 1);
	check_local(&w, found(&w, 0), 3);
	check_local(&w, found(&w, 1), 3);
	svc->backends[0].weight = 50;
	svc->backends[6].state = BACKEND_DRAIN;
	apply(&w);
	assert_int_equal(found(&w, 0)->slot_count, 11);
	assert_int_equal(slots_of(&w, found(&w, 0), HOST), 1);
	assert_int_equal(slots_of(&w, found(&w, 0), HOST + 1), 2);
	assert_int_equal(slots_of(&w, found(&w, 0), HOST + 6), 0);
	check_local(&w, found(&w, 0), 5);
	svc->nr_backends = 0;
	apply(&w);
	assert_int_equal(found(&w, 0)->slot_count, 0);
	assert_int_equal(found(&w, 0)->local_count, 0);
	pass(&w, GRACE);
	assert_int_equal(used(&w).slots, 0);
	teardown(&w);
}

/* Packets that may go to local backends alone read the first slots: they must
 * not see others there meanwhile. */
static void dense_slots_are_never_written_over(void **state)
{
	struct service before;
	struct slot slots[7];
	struct model_service *svc;
	struct world w;

	setup(&w);
	svc = pods(&w, 7, 3);
	apply(&w);
	before = *found(&w, 0);
	memcpy(slots, w.f->slot_memory + before.slot_base, sizeof(slots));
	svc->backends[0].addr = fake_addr4(HOST - 1);
	apply(&w);
	assert_int_not_equal(found(&w, 0)->slot_base, before.slot_base);
	assert_memory_equal(slots, w.f->slot_memory + before.slot_base,
			    sizeof(slots));
	check_local(&w, found(&w, 0), 3);
	teardown(&w);
}

static void what_becomes_local_is_laid_out_anew(void **state)
{
	struct model_service *svc;
	struct world w;

	setup(&w);
	svc = pods(&w, 7, 3);
	apply(&w);
	svc->backends[5].flags = BACKEND_IN_LOCAL;
	apply(&w);
	check_local(&w, found(&w, 0), 4);
	check_local(&w, found(&w, 1), 4);
	for (int i = 0; i < 7; i++)
		svc->backends[i].flags = 0;
	apply(&w);
	check_local(&w, found(&w, 0), 0);
	pass(&w, GRACE);
	assert_int_equal(used(&w).slots, 7);
	apply(&w);
	assert_int_equal(w.r.unchanged, 1);
	teardown(&w);
}

/* One that hints keep from the cluster's set, or that is going while others
 * are ready elsewhere: the local set is no part of the other. */
static void a_local_set_of_its_own_has_its_own_slots(void **state)
{
	struct model_service *svc;
	const struct service *e;
	struct world w;
	__u64 before;

	setup(&w);
	svc = pods(&w, 7, 3);
	svc->backends[6].flags = BACKEND_IN_LOCAL | BACKEND_NOT_IN_CLUSTER;
	apply(&w);
	e = found(&w, 1);
	assert_int_equal(e->slot_count, 6);
	assert_int_equal(e->local_count, 4);
	assert_int_equal(e->local_base, e->slot_base + 6);
	check_range(&w, e->slot_base, 6, BACKEND_NOT_IN_CLUSTER, 0);
	check_range(&w, e->local_base, 4, BACKEND_IN_LOCAL, BACKEND_IN_LOCAL);
	assert_int_equal(used(&w).slots, 10);
	before = fake_digest(w.f);
	restart(&w);
	assert_int_equal(used(&w).slots, 10);
	apply(&w);
	assert_int_equal(w.r.unchanged, 1);
	assert_true(fake_digest(w.f) == before);
	svc->backends[6].flags = 0;
	apply(&w);
	check_local(&w, found(&w, 0), 3);
	pass(&w, GRACE);
	assert_int_equal(used(&w).slots, 7);
	teardown(&w);
}

static void a_local_set_may_be_all_there_is(void **state)
{
	struct model_service *svc;
	const struct service *e;
	struct world w;

	setup(&w);
	svc = pods(&w, 3, 0);
	svc->backends[2].flags = BACKEND_IN_LOCAL | BACKEND_NOT_IN_CLUSTER;
	svc->backends[0].state = svc->backends[1].state = BACKEND_DRAIN;
	apply(&w);
	e = found(&w, 0);
	assert_int_equal(e->slot_count, 0);
	assert_int_equal(e->local_count, 1);
	check_range(&w, e->local_base, 1, BACKEND_IN_LOCAL, BACKEND_IN_LOCAL);
	assert_int_equal(used(&w).slots, 1);
	restart(&w);
	assert_int_equal(used(&w).slots, 1);
	fake_service_remove(w.m, "web");
	apply(&w);
	pass(&w, GRACE);
	assert_int_equal(used(&w).slots, 0);
	teardown(&w);
}

static void a_restart_leaves_dense_slots_alone(void **state)
{
	struct world w;
	__u64 before;

	setup(&w);
	pods(&w, 7, 3);
	apply(&w);
	before = fake_digest(w.f);
	restart(&w);
	apply(&w);
	assert_int_equal(w.r.unchanged, 1);
	assert_true(fake_digest(w.f) == before);
	teardown(&w);
}

static void hundred_thousand_endpoints_take_800_kilobytes(void **state)
{
	struct table_sizes *n;
	struct world w;
	char name[16];

	setup_sizes(&w, (struct fake_sizes){ 40000, 100001, 64, 16384, 0 });
	for (int i = 0; i < 10000; i++) {
		struct model_service *svc;

		sprintf(name, "s%05d", i);
		svc = fake_service(w.m, name, VIP + i, 443, IPPROTO_TCP);
		svc->forward = FORWARD_NAT;
		svc->algorithm = ALGORITHM_RANDOM;
		for (int j = 0; j < 10; j++)
			fake_backend(svc, HOST + 10 * i + j, 80, 100);
	}
	assert_int_equal(reconcile(w.s, w.m, w.now_s, &w.r, w.text), -ENOSPC);
	n = &w.r.needed;
	fake_grow(w.f, (struct fake_sizes){ n->services, n->backends, n->slots,
					    n->cell_buckets, 0 });
	apply(&w);
	assert_int_equal(used(&w).slots, 100000);
	_Static_assert(sizeof(struct slot) == 8, "800 KB");
	teardown(&w);
}

/* Whose flows are not in conns: their slots must be able to say who had
 * them. */
static void chance_with_a_tunnel_keeps_a_table_that_remembers(void **state)
{
	struct model_service *svc;
	struct slot slot;
	__u32 count;
	struct world w;

	setup(&w);
	svc = web(&w, 1, 3);
	apply(&w);
	count = found(&w, 0)->slot_count;
	svc->algorithm = ALGORITHM_RANDOM;
	apply(&w);
	assert_int_equal(found(&w, 0)->slot_count, count);
	svc->forward = FORWARD_NAT;
	apply(&w);
	assert_int_equal(found(&w, 0)->slot_count, 3);
	svc->algorithm = ALGORITHM_MAGLEV;
	svc->forward = FORWARD_IPIP;
	apply(&w);
	assert_int_equal(found(&w, 0)->slot_count, count);
	for (__u32 i = 0; i < count; i++) {
		slot = w.f->slot_memory[found(&w, 0)->slot_base + i];
		assert_int_not_equal(slot.previous, 0);
	}
	teardown(&w);
}

static __u32 nr_host_addrs;	/* 192.0.2.1 and on; and 127.0.0.1 */

static bool host_has(void *arg, const struct addr *a)
{
	__u32 number = ntohl(a->word[3]);

	return addr_is4(a) && (number == 0x7f000001u ||
			       number - 0xc0000201u < nr_host_addrs);
}

static void each_of_host(void *arg,
			 void (*f)(void *data, const struct addr *a),
			 void *data)
{
	struct addr a = fake_addr4(0x7f000001u);

	f(data, &a);
	for (__u32 i = 0; i < nr_host_addrs; i++) {
		a = fake_addr4(0xc0000201u + i);
		f(data, &a);
	}
}

static void set_host(struct world *w, __u32 addrs)
{
	nr_host_addrs = addrs;
	state_set_host(w->s, &(struct state_host){
		.is_host = host_has, .each_addr = each_of_host,
	});
}

static void pick(struct world *w, const char *prefix)
{
	struct model_prefix *p = &w->m->nodeport[w->m->nr_nodeport++];
	unsigned int len;

	assert_true(addr_parse_cidr(prefix, &p->addr, &len));
	p->len = len;
	p->is_set = true;
}

/* A service at a cluster IP and a node port, 30080. */
static struct model_service *node_port(struct world *w)
{
	struct model_service *svc = pods(w, 2, 0);

	fake_front(svc, 0, 30080)->kind = KIND_NODE_PORT;
	return svc;
}

/* Are node ports looked for at the host's n-th address? */
static bool is_served(struct world *w, int n)
{
	struct addr a = fake_addr4(n ? 0xc0000200u + n : 0x7f000001u);
	const struct service *e = fake_find(w->f, &a, 1, IPPROTO_TCP);
	__u8 class = w->f->t.vip_filter[vip_filter_index(
		hash_dst(w->f->t.hash_key, &a))];

	if (!e)
		return false;
	assert_true(e->flags & SERVICE_VIP);
	assert_int_equal(!!(e->flags & SERVICE_NODE), !!(class & VIP_NODE));
	return e->flags & SERVICE_NODE;
}

static void node_ports_have_one_entry_wherever_they_are(void **state)
{
	const struct addr a = fake_addr4(0xc0000202u);
	const struct service *e;
	struct world w;

	setup(&w);
	node_port(&w);
	w.m->node4 = fake_addr4(0xc0000202u);
	set_host(&w, 3);
	apply(&w);
	e = fake_find(w.f, &a, 30080, IPPROTO_TCP);
	assert_non_null(e);
	assert_int_equal(e->kind, KIND_NODE_PORT);
	assert_int_equal(e->id, found(&w, 0)->id);
	assert_false(is_served(&w, 1));
	assert_true(is_served(&w, 2));
	assert_false(is_served(&w, 3));
	teardown(&w);
}

static void node_ports_are_where_they_are_wanted(void **state)
{
	struct world w;

	setup(&w);
	node_port(&w);
	set_host(&w, 9);
	apply(&w);
	for (int i = 0; i <= 9; i++)
		assert_false(is_served(&w, i));	/* no primary one is known */
	pick(&w, "192.0.2.4/30");
	apply(&w);
	for (int i = 0; i <= 9; i++)
		assert_int_equal(is_served(&w, i), i >= 4 && i < 8);
	/* those of the other family say nothing, loopback is never one */
	w.m->nr_nodeport = 0;
	pick(&w, "fd00::/8");
	apply(&w);
	for (int i = 0; i <= 9; i++)
		assert_int_equal(is_served(&w, i), i > 0);
	teardown(&w);
}

static void addresses_of_the_host_come_and_go(void **state)
{
	struct world w;
	__u32 had;

	setup(&w);
	node_port(&w);
	pick(&w, "192.0.2.0/24");
	set_host(&w, 1);
	apply(&w);
	had = used(&w).services;
	set_host(&w, 2);
	assert_int_equal(state_host_addrs(w.s, w.now_s), 0);
	assert_true(is_served(&w, 1));
	assert_true(is_served(&w, 2));
	assert_int_equal(used(&w).services, had + 1);
	set_host(&w, 1);
	assert_int_equal(state_host_addrs(w.s, w.now_s), 0);
	assert_false(is_served(&w, 2));
	pass(&w, GRACE);
	assert_int_equal(used(&w).services, had);
	teardown(&w);
}

static void without_node_ports_no_address_is_looked_at(void **state)
{
	struct model_service *svc;
	struct world w;

	setup(&w);
	svc = node_port(&w);
	pick(&w, "192.0.2.0/24");
	set_host(&w, 1);
	apply(&w);
	assert_true(is_served(&w, 1));
	fake_front_remove(svc, 0);
	apply(&w);
	assert_false(is_served(&w, 1));
	pass(&w, GRACE);
	assert_int_equal(used(&w).services, 4);
	fake_service_remove(w.m, "web");
	apply(&w);
	pass(&w, GRACE);
	assert_int_equal(used(&w).services, 0);
	pass(&w, WALKS);	/* for connections that may live on */
	for (size_t i = 0; i < VIP_FILTER_SIZE; i++)
		assert_int_equal(w.f->t.vip_filter[i], 0);
	teardown(&w);
}

/* No moment without: it is there before the host is known, and stays when only
 * the definitions are not. */
static void a_restart_goes_on_serving_node_ports(void **state)
{
	struct world w;
	__u64 before;

	setup(&w);
	node_port(&w);
	pick(&w, "192.0.2.0/24");
	set_host(&w, 2);
	apply(&w);
	before = fake_digest(w.f);
	restart(&w);
	assert_true(is_served(&w, 1));
	assert_true(is_served(&w, 2));
	set_host(&w, 2);
	assert_int_equal(state_host_addrs(w.s, w.now_s), 0);
	assert_true(is_served(&w, 1));
	assert_true(is_served(&w, 2));
	apply(&w);
	assert_int_equal(w.r.unchanged, 1);
	assert_true(fake_digest(w.f) == before);
	teardown(&w);
}

/* The port of the VIP is the service's; all others go on as of a node. */
static void a_vip_may_be_an_address_of_the_node(void **state)
{
	struct world w;

	setup(&w);
	fake_front(node_port(&w), 0xc0000201u, 80)->kind = KIND_LB_VIP;
	pick(&w, "192.0.2.0/24");
	set_host(&w, 1);
	apply(&w);
	assert_true(is_served(&w, 1));
	fake_front_remove(w.m->services[0], 1);
	apply(&w);
	assert_true(is_served(&w, 1));
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(front_ends_share_all_but_where_they_are),
		cmocka_unit_test(front_ends_come_and_go_without_touching_others),
		cmocka_unit_test(an_address_goes_from_one_service_to_another),
		cmocka_unit_test(every_front_end_follows_the_slots),
		cmocka_unit_test(a_restart_finds_every_front_end),
		cmocka_unit_test(a_death_amid_a_change_loses_no_front_end),
		cmocka_unit_test(what_cannot_be_written_leaves_all_as_they_were),
		cmocka_unit_test(too_few_cells_are_asked_for_and_then_do),
		cmocka_unit_test(diff_names_front_ends),
		cmocka_unit_test(listings_have_every_front_end),
		cmocka_unit_test(udp_of_a_node_leaves_at_once),
		cmocka_unit_test(chance_needs_one_slot_an_endpoint),
		cmocka_unit_test(dense_slots_are_never_written_over),
		cmocka_unit_test(what_becomes_local_is_laid_out_anew),
		cmocka_unit_test(a_local_set_of_its_own_has_its_own_slots),
		cmocka_unit_test(a_local_set_may_be_all_there_is),
		cmocka_unit_test(a_restart_leaves_dense_slots_alone),
		cmocka_unit_test(hundred_thousand_endpoints_take_800_kilobytes),
		cmocka_unit_test(chance_with_a_tunnel_keeps_a_table_that_remembers),
		cmocka_unit_test(node_ports_have_one_entry_wherever_they_are),
		cmocka_unit_test(node_ports_are_where_they_are_wanted),
		cmocka_unit_test(addresses_of_the_host_come_and_go),
		cmocka_unit_test(without_node_ports_no_address_is_looked_at),
		cmocka_unit_test(a_restart_goes_on_serving_node_ports),
		cmocka_unit_test(a_vip_may_be_an_address_of_the_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
