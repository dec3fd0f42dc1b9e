// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lists of who may use a service: when they are written, shared, given up. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "fake_tables.h"
#include "engine/reconcile.h"

#define VIP 0xc000020au		/* 192.0.2.10 */
#define HOST 0x0a000001u	/* 10.0.0.1, the backend */
#define NET 0xc6336400u		/* 198.51.100.0 */
#define GRACE_S 2

struct world {
	struct fake *f;
	struct state *s;
	struct model *m;
	struct reconcile_result r;
	char text[RECONCILE_TEXT_MAX];
	__u32 now_s;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->now_s = 1000;
	w->f = fake_new((struct fake_sizes){ 64, 256, 1 << 16, 64, 64 });
	w->m = model_new();
	assert_non_null(w->m);
	assert_int_equal(state_load(&w->f->t, w->now_s, &w->s, NULL), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	state_free(w->s);
	model_free(w->m);
	fake_free(w->f);
	free(w);
	return 0;
}

static int try(struct world *w)
{
	return reconcile(w->s, w->m, w->now_s, &w->r, w->text);
}

static void apply(struct world *w)
{
	assert_int_equal(try(w), 0);
}

/* Returns how much contradicted itself. */
static unsigned int restart(struct world *w)
{
	unsigned int dropped = 0;

	state_free(w->s);
	assert_int_equal(state_load(&w->f->t, w->now_s, &w->s, &dropped), 0);
	return dropped;
}

static void pass(struct world *w, __u32 seconds)
{
	while (seconds--)
		reconcile_tick(w->s, ++w->now_s);
}

/* Services of one address are told apart by their ports. */
static struct model_service *serve(struct world *w, const char *name,
				   __u16 port)
{
	struct model_service *svc = fake_service(w->m, name, VIP, port,
						 IPPROTO_TCP);

	fake_backend(svc, HOST, 80, 100);
	return svc;
}

static struct model_service *named(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->m->nr_services; i++)
		if (!strcmp(w->m->services[i]->name, name))
			return w->m->services[i];
	fail_msg("no service %s", name);
	return NULL;
}

static void forget_sources(struct model_service *svc)
{
	free(svc->sources);
	svc->sources = NULL;
	svc->nr_sources = 0;
}

static const struct service *at(struct world *w, __u16 port)
{
	struct addr vip = fake_addr4(VIP);
	const struct service *e = fake_find(w->f, &vip, port, IPPROTO_TCP);

	assert_non_null(e);
	assert_false(e->flags & SERVICE_VIP);
	return e;
}

static bool admits(struct world *w, __u16 port, const char *client)
{
	struct addr a;

	assert_true(addr_parse(client, &a));
	return fake_admits(w->f, at(w, port), ntohl(a.word[3]));
}

static void without_sources_everybody_may_come(void **state)
{
	struct world *w = *state;

	serve(w, "web", 80);
	apply(w);
	assert_int_equal(at(w, 80)->sources, 0);
	assert_int_equal(w->f->nr_sources, 0);
	assert_true(admits(w, 80, "203.0.113.1"));
}

static void the_longest_prefix_decides(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);

	fake_source(svc, "198.51.100.0/24", true);
	fake_source(svc, "198.51.100.64/26", false);
	fake_source(svc, "198.51.100.65", true);
	apply(w);
	assert_true(admits(w, 80, "198.51.100.1"));
	assert_false(admits(w, 80, "198.51.100.64"));
	assert_true(admits(w, 80, "198.51.100.65"));
	assert_false(admits(w, 80, "198.51.100.66"));
	assert_true(admits(w, 80, "198.51.100.128"));
	assert_false(admits(w, 80, "198.51.101.1"));
}

static void who_is_not_named_may_come_if_nobody_is_allowed(void **state)
{
	struct world *w = *state;

	fake_source(serve(w, "open", 80), "198.51.100.0/24", false);
	fake_source(serve(w, "shut", 81), "198.51.100.0/24", true);
	apply(w);
	assert_true(admits(w, 80, "203.0.113.1"));
	assert_false(admits(w, 80, "198.51.100.1"));
	assert_false(admits(w, 81, "203.0.113.1"));
	assert_true(admits(w, 81, "198.51.100.1"));
}

/* Does any service that packets can find name the list? */
static bool is_named(struct fake *f, __u32 list)
{
	for (size_t i = 0; i < f->t.cell_buckets * SERVICE_CELLS; i++) {
		__u32 entry = f->t.cells[i].service;

		if (entry && entry < f->t.nr_services &&
		    f->t.services[entry].sources == list)
			return true;
	}
	return false;
}

static int (*real_set)(struct tables *t, enum table_id id, const void *key,
		       const void *value);
static unsigned int sets;

static int set_unseen(struct tables *t, enum table_id id, const void *key,
		      const void *value)
{
	const struct source_key *k = key;

	assert_int_equal(id, TABLE_sources);
	assert_false(is_named((struct fake *)t, k->list));
	sets++;
	return real_set(t, id, key, value);
}

static int (*real_del)(struct tables *t, enum table_id id, const void *key);

static int del_unseen(struct tables *t, enum table_id id, const void *key)
{
	const struct source_key *k = key;

	assert_int_equal(id, TABLE_sources);
	assert_false(is_named((struct fake *)t, k->list));
	return real_del(t, id, key);
}

static void watch(struct world *w)
{
	sets = 0;
	real_set = w->f->t.entry_set;
	real_del = w->f->t.entry_del;
	w->f->t.entry_set = set_unseen;
	w->f->t.entry_del = del_unseen;
}

static void nothing_of_a_list_changes_while_a_service_names_it(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);

	watch(w);
	fake_source(svc, "198.51.100.0/24", true);
	apply(w);
	fake_source(svc, "203.0.113.0/24", true);
	apply(w);
	pass(w, 5);
	forget_sources(svc);
	apply(w);
	assert_true(admits(w, 80, "192.0.2.1"));
	pass(w, 5);
	assert_int_equal(sets, 2 + 3);
	assert_int_equal(w->f->nr_sources, 0);
}

static void a_change_is_another_list_and_the_old_one_stays_a_while(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);
	struct service old;

	fake_source(svc, "198.51.100.0/24", true);
	apply(w);
	assert_int_equal(w->r.added, 1);
	old = *at(w, 80);
	svc->sources[0].allow = false;
	apply(w);
	assert_int_equal(w->r.changed, 1);
	assert_int_equal(w->r.slots_written, 0);
	assert_int_not_equal(at(w, 80)->sources, old.sources);
	assert_int_equal(at(w, 80)->slot_base, old.slot_base);
	assert_false(admits(w, 80, "198.51.100.1"));
	assert_true(fake_admits(w->f, &old, NET + 1)); /* seen just before */
	pass(w, GRACE_S - 1);
	assert_int_equal(w->f->nr_sources, 4);
	pass(w, 1);
	assert_int_equal(w->f->nr_sources, 2);
	assert_false(admits(w, 80, "198.51.100.1"));
}

static void expect_changed(struct world *w)
{
	apply(w);
	assert_int_equal(w->r.changed, 1);
	pass(w, GRACE_S);
}

static void every_change_of_a_list_is_one(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);
	char text[ADDR_TEXT_MAX];

	fake_source(svc, "198.51.100.0/24", false);
	apply(w);
	for (int i = 0; i < 64; i++) {
		sprintf(text, "198.51.%d.0", 101 + i);
		assert_true(addr_parse(text, &svc->sources[0].addr));
		expect_changed(w);
		svc->sources[0].allow = !svc->sources[0].allow;
		expect_changed(w);
		svc->sources[0].len = svc->sources[0].len == 128 ? 120 : 128;
		expect_changed(w);
	}
}

static void back_within_the_grace_period_is_a_list_of_its_own(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);

	fake_source(svc, "198.51.100.0/24", true);
	apply(w);
	for (int i = 0; i < 7; i++) {
		svc->sources[0].allow = i & 1;
		apply(w);
		pass(w, 1);
	}
	pass(w, 10);
	assert_int_equal(w->f->nr_sources, 2);
	assert_false(admits(w, 80, "198.51.100.1"));
}

static void who_says_the_same_shares_a_list(void **state)
{
	struct world *w = *state;
	__u32 list;

	for (int i = 0; i < 3; i++) {
		char name[2] = { 'a' + i };
		struct model_service *svc = serve(w, name, 80 + i);

		fake_source(svc, "203.0.113.0/24", false);
		fake_source(svc, "198.51.100.0/24", true);
	}
	apply(w);
	list = at(w, 80)->sources;
	assert_int_equal(at(w, 81)->sources, list);
	assert_int_equal(at(w, 82)->sources, list);
	assert_int_equal(w->f->nr_sources, 3);
	fake_service_remove(w->m, "a");
	named(w, "b")->sources[0].allow = false;
	apply(w);
	pass(w, 5);
	assert_int_not_equal(at(w, 81)->sources, list);
	assert_int_equal(at(w, 82)->sources, list);
	assert_int_equal(w->f->nr_sources, 6);
	fake_service_remove(w->m, "b");
	fake_service_remove(w->m, "c");
	apply(w);
	pass(w, 5);
	assert_int_equal(w->f->nr_sources, 0);
}

static void what_was_set_by_hand_leaves_the_list_alone(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);
	struct addr a = fake_addr4(HOST);
	__u32 list;

	for (int i = 1; i < 4; i++)
		fake_backend(svc, HOST + i, 80, 100);
	fake_source(svc, "198.51.100.0/24", true);
	apply(w);
	list = at(w, 80)->sources;
	assert_int_equal(state_backend_set_weight(w->s, "web", &a, 80, 1,
						  w->now_s), 0);
	pass(w, 5);
	apply(w);
	assert_int_equal(at(w, 80)->sources, list);
	assert_int_equal(w->f->nr_sources, 2);
	assert_true(admits(w, 80, "198.51.100.1"));
}

static void a_restart_finds_the_lists_and_writes_nothing(void **state)
{
	struct world *w = *state;
	__u64 before;

	fake_source(serve(w, "a", 80), "198.51.100.0/24", true);
	fake_source(serve(w, "b", 81), "198.51.100.0/24", true);
	fake_source(serve(w, "c", 82), "0.0.0.0/0", false);
	serve(w, "d", 83);
	apply(w);
	pass(w, 5);
	before = fake_digest(w->f);
	assert_int_equal(restart(w), 0);
	apply(w);
	assert_int_equal(w->r.unchanged, 4);
	assert_true(fake_digest(w->f) == before);
	fake_source(serve(w, "e", 84), "198.51.100.0/24", true);
	apply(w);
	assert_int_equal(at(w, 84)->sources, at(w, 80)->sources);
	fake_source(serve(w, "f", 85), "198.51.100.0/25", true);
	apply(w);
	assert_int_equal(w->f->nr_sources, 6);
}

/* ::/0 has the place of the entry of those that no prefix has. */
static void every_address_of_ipv6_can_be_named(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "six", 80);
	__u64 before;

	assert_true(addr_parse("2001:db8::1", &svc->fronts->addr));
	fake_source(svc, "2001:db8:1::/48", false);
	fake_source(svc, "::/0", true);
	apply(w);
	assert_int_equal(w->f->nr_sources, 2);
	assert_int_equal(w->f->sources[0].flags, SOURCE_ALLOW);
	before = fake_digest(w->f);
	assert_int_equal(restart(w), 0);
	apply(w);
	assert_int_equal(w->r.unchanged, 1);
	assert_true(fake_digest(w->f) == before);
	forget_sources(svc);
	apply(w);
	pass(w, 5);
	assert_int_equal(w->f->nr_sources, 0);
}

static void a_restart_removes_what_no_service_names(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);
	struct source_key half = { .len = 32 + 120, .list = 77 };
	const __u32 allow = SOURCE_ALLOW;

	fake_source(svc, "198.51.100.0/24", true);
	apply(w);
	svc->sources[0].allow = false;
	apply(w);
	half.addr = fake_addr4(NET);
	w->f->t.entry_set(&w->f->t, TABLE_sources, &half, &allow);
	half.len = 8;
	half.list = at(w, 80)->sources;
	w->f->t.entry_set(&w->f->t, TABLE_sources, &half, &allow);
	assert_int_equal(w->f->nr_sources, 6);
	assert_int_equal(restart(w), 0);
	assert_int_equal(w->f->nr_sources, 2);
	apply(w);
	assert_int_equal(w->r.unchanged, 1);
	assert_false(admits(w, 80, "198.51.100.1"));
	svc->sources[0].allow = true;
	apply(w);
	assert_true(at(w, 80)->sources < 4); /* numbers are used again */
}

static void a_list_that_is_not_whole_is_made_anew(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 3; round++) {
		fake_source(serve(w, "web", 80), "198.51.100.0/24", true);
		apply(w);
		if (round == 0)
			w->f->nr_sources = 0;
		for (size_t i = 0; i < w->f->nr_sources; i++)
			if (round == 1 + !!(w->f->sources[i].flags &
					    SOURCE_OTHERS))
				w->f->sources[i].flags ^= SOURCE_ALLOW;
		assert_int_equal(restart(w), 1);
		apply(w);
		pass(w, 5);
		assert_int_equal(w->f->nr_sources, 2);
		assert_true(admits(w, 80, "198.51.100.1"));
		assert_false(admits(w, 80, "203.0.113.1"));
		fake_service_remove(w->m, "web");
		apply(w);
		pass(w, 5);
		assert_int_equal(w->f->nr_sources, 0);
	}
}

/* Some byte of some entry; a map has no key twice. */
static void spoil_source(struct fake *f)
{
	struct fake_source s = f->sources[rand() % f->nr_sources];

	f->t.entry_del(&f->t, TABLE_sources, &s.key);
	((__u8 *)&s)[rand() % sizeof(s)] = rand();
	f->t.entry_set(&f->t, TABLE_sources, &s.key, &s.flags);
}

static void garbage_in_the_map_is_survived(void **state)
{
	struct world *w = *state;

	srand(11);
	fake_source(serve(w, "a", 80), "198.51.100.0/24", true);
	fake_source(named(w, "a"), "198.51.100.64/26", false);
	fake_source(serve(w, "b", 81), "198.51.100.0/24", false);
	for (int round = 0; round < 300; round++) {
		apply(w);
		pass(w, 5);
		assert_int_equal(w->f->nr_sources, 5);
		assert_true(admits(w, 80, "198.51.100.1"));
		assert_false(admits(w, 80, "198.51.100.65"));
		assert_false(admits(w, 81, "198.51.100.1"));
		for (int i = 0; i < 3; i++)
			spoil_source(w->f);
		w->f->t.services[rand() % 8].sources = rand() % 8;
		restart(w);
	}
}

static void more_than_there_can_be_is_told_with_numbers(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "big", 80);
	const size_t count = SOURCES_MAX - 1;
	__u64 before;

	free(svc->sources);
	svc->sources = calloc(count, sizeof(*svc->sources));
	assert_non_null(svc->sources);
	svc->nr_sources = count;
	for (size_t i = 0; i < count; i++)
		svc->sources[i] = (struct model_source){
			.addr = fake_addr4(0x0a000000 + i),
			.len = 128,
		};
	fake_source(serve(w, "small", 81), "198.51.100.0/24", true);
	fake_source(named(w, "small"), "203.0.113.0/24", true);
	before = fake_digest(w->f);
	assert_int_equal(try(w), -E2BIG);
	assert_string_equal(w->text, "65537 prefixes of sources are defined, "
			    "but the most is 65536");
	assert_true(fake_digest(w->f) == before);
	fake_service_remove(w->m, "big");
	apply(w);
	assert_int_equal(w->f->nr_sources, 3);
}

/* Each change takes an id and two entries, until old ones may go. */
static void changes_that_are_too_fast_have_to_wait(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);
	int tries = 0, err;
	__u64 before;

	w->f->t.nr_sources = 16;
	fake_source(svc, "198.51.100.0/24", true);
	do {
		svc->sources[0].allow = tries++ & 1;
		before = fake_digest(w->f);
		err = try(w);
	} while (!err);
	assert_int_equal(tries, 9);
	assert_int_equal(err, -EAGAIN);
	assert_string_equal(w->text, "sources changed faster than old lists "
			    "can go; tried again within seconds");
	assert_true(fake_digest(w->f) == before);
	assert_true(admits(w, 80, "198.51.100.1"));
	pass(w, GRACE_S);
	apply(w);
	assert_false(admits(w, 80, "198.51.100.1"));
}

static void what_cannot_be_written_changes_nothing(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);

	fake_source(svc, "198.51.100.0/24", true);
	apply(w);
	fake_source(svc, "203.0.113.0/24", true);
	for (w->f->max_sources = 2; w->f->max_sources < 5;
	     w->f->max_sources++) {
		assert_int_equal(try(w), -ENOSPC);
		assert_int_equal(w->f->nr_sources, 2);
		assert_true(admits(w, 80, "198.51.100.1"));
		assert_false(admits(w, 80, "203.0.113.1"));
	}
	apply(w);
	assert_true(admits(w, 80, "203.0.113.1"));
	pass(w, GRACE_S);
	assert_int_equal(w->f->nr_sources, 3);
}

static void diff_says_which_sources(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);
	char *said = NULL;
	size_t size = 0;
	__u64 before;
	FILE *out = open_memstream(&said, &size);

	fake_source(svc, "198.51.100.0/24", true);
	fake_source(svc, "198.51.100.7", false);
	fake_source(svc, "203.0.113.0/24", true);
	apply(w);
	forget_sources(svc);
	fake_source(svc, "0.0.0.0/0", false);
	fake_source(svc, "198.51.100.0/24", false);
	fake_source(svc, "203.0.113.0/24", true);
	fake_source(serve(w, "new", 81), "192.0.2.0/25", true);
	before = fake_digest(w->f);
	assert_int_equal(reconcile_diff(w->s, w->m, out), 7);
	fclose(out);
	assert_string_equal(said,
		"+ service new: 192.0.2.10:81/tcp, ipip, maglev\n"
		"+ source new: allow 192.0.2.0/25\n"
		"+ backend new: 10.0.0.1:80, weight 100, active\n"
		"+ source web: deny 0.0.0.0/0\n"
		"- source web: allow 198.51.100.0/24\n"
		"+ source web: deny 198.51.100.0/24\n"
		"- source web: deny 198.51.100.7\n");
	assert_true(fake_digest(w->f) == before);
	free(said);
}

static void listings_show_what_the_map_has(void **state)
{
	struct world *w = *state;
	struct model_service *svc = serve(w, "web", 80);
	struct state_service list[2];

	fake_source(svc, "203.0.113.0/24", false);
	fake_source(svc, "198.51.100.0/24", true);
	serve(w, "zoo", 81);
	apply(w);
	assert_int_equal(restart(w), 0);
	assert_int_equal(state_services(w->s, list, 2), 2);
	assert_string_equal(list[0].info->name, "web");
	assert_int_equal(list[0].nr_sources, 2);
	assert_true(list[0].sources[0].allow);
	assert_int_equal(list[0].sources[0].len, 96 + 24);
	assert_false(list[0].sources[1].allow);
	assert_int_equal(list[1].nr_sources, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(without_sources_everybody_may_come),
		TEST(the_longest_prefix_decides),
		TEST(who_is_not_named_may_come_if_nobody_is_allowed),
		TEST(nothing_of_a_list_changes_while_a_service_names_it),
		TEST(a_change_is_another_list_and_the_old_one_stays_a_while),
		TEST(every_change_of_a_list_is_one),
		TEST(back_within_the_grace_period_is_a_list_of_its_own),
		TEST(who_says_the_same_shares_a_list),
		TEST(what_was_set_by_hand_leaves_the_list_alone),
		TEST(a_restart_finds_the_lists_and_writes_nothing),
		TEST(every_address_of_ipv6_can_be_named),
		TEST(a_restart_removes_what_no_service_names),
		TEST(a_list_that_is_not_whole_is_made_anew),
		TEST(garbage_in_the_map_is_survived),
		TEST(more_than_there_can_be_is_told_with_numbers),
		TEST(changes_that_are_too_fast_have_to_wait),
		TEST(what_cannot_be_written_changes_nothing),
		TEST(diff_says_which_sources),
		TEST(listings_show_what_the_map_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
