// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Policies into tables that are memory. The heart of it: after every single
 * write, what the tables say of a set of flows is put to them as the programs
 * would, and it is what was true before the change or what is after it.
 */
#include <errno.h>

#include <fairlead/hash.h>

#include "fake_tables.h"
#include "model/words.h"
#include "policy/state.h"
#include "policy_world.h"

#define TEST(name) static void name(void **state)
#define CASE(name) cmocka_unit_test(name)

#define PREFIXES 64

struct known_prefix {
	struct prefix_key key;
	__u32 value;
};

struct world {
	struct fake *f;
	struct policy_state *s;
	__u32 now_s;
	char text[POLICY_TEXT_MAX];
	struct policy_result result;
	struct known_prefix prefixes[PREFIXES];	/* as of note_prefixes() */
	size_t nr_prefixes;
};

static const struct fake_sizes sizes = {
	.services = 2, .cell_buckets = 1, .backends = 2, .slots = 1,
	.conn_buckets = 1,
};

static void setup(struct world *w)
{
	*w = (struct world){ .now_s = 1000 };
	w->f = fake_new(sizes);
	assert_int_equal(policy_new(&w->f->t, w->now_s, &w->s), 0);
}

static void teardown(struct world *w)
{
	policy_free(w->s);
	fake_free(w->f);
}

static void restart(struct world *w)
{
	policy_free(w->s);
	w->s = NULL;
	assert_int_equal(policy_new(&w->f->t, ++w->now_s, &w->s), 0);
}

static void apply(struct world *w, struct policy_set *s)
{
	assert_int_equal(policy_apply(w->s, s, w->now_s, &w->result, w->text),
			 0);
}

static void pass(struct world *w)
{
	for (int i = 0; i < 5; i++)
		policy_tick(w->s, ++w->now_s);
}

static void place(struct world *w, const char *namespace, const char *name,
		  __u32 ifindex)
{
	assert_int_equal(policy_place(w->s, namespace, name, ifindex, NULL,
				      false, w->now_s), 0);
}

/* What fl_pod_in and fl_pod_out find of an interface; NULL: no cell. */
static const struct workload *workload_at(const struct world *w, __u32 ifindex)
{
	const struct word_bucket *b = w->f->t.workload_cells;

	for (__u32 probe = 0; probe < WORD_PROBES; probe++) {
		__u32 at = (word_bucket_of(workload_word(ifindex, 0),
					   WORKLOAD_BUCKETS) + probe) &
			   (WORKLOAD_BUCKETS - 1);

		for (int i = 0; i < WORD_WAYS; i++)
			if (b[at].word[i] >> 32 == ifindex)
				return &w->f->t.workloads[(__u32)b[at].word[i]];
	}
	return NULL;
}

static int note_prefix(void *arg, const void *key, const void *value)
{
	struct world *w = arg;
	struct known_prefix *to = &w->prefixes[w->nr_prefixes++];

	assert_true(w->nr_prefixes <= PREFIXES);
	memcpy(&to->key, key, sizeof(to->key));
	memcpy(&to->value, value, sizeof(to->value));
	return 0;
}

/* To be called before peer_value(), whenever they may be others. */
static void note_prefixes(struct world *w)
{
	struct tables *t = &w->f->t;

	w->nr_prefixes = 0;
	assert_int_equal(t->entries_each(t, TABLE_peer_prefixes, note_prefix,
					 w), 0);
}

static __u32 peer_value(const struct world *w, const struct addr *a)
{
	const __u32 *v = fake_entry(w->f, TABLE_peers, a);
	const struct known_prefix *best = NULL, *p = w->prefixes;

	for (size_t i = 0; i < w->nr_prefixes; i++, p++)
		if (addr_in(a, &p->key.addr, p->key.len) &&
		    (!best || p->key.len > best->key.len))
			best = p;
	return v ? *v : best ? best->value : 0;
}

static struct rule_mask either(const struct rule_mask *a,
			       const struct rule_mask *b)
{
	struct rule_mask ret = *a;

	for (int i = 0; b && i < POLICY_WORDS; i++)
		ret.word[i] |= b->word[i];
	return ret;
}

/* As bpf/ is to do it, by the description of the tables. */
static bool allows(const struct world *w, __u32 id, __u32 value, __u8 proto,
		   __u16 number)
{
	const struct target *t = fake_entry(w->f, TABLE_targets, &id);
	struct mask_key key = { .target = id,
				.class = value & PEER_CLASS_MASK };
	struct rule_mask peers, ports;
	int i = policy_port_index(proto, number);
	__u32 bit;

	if (!id || value & PEER_HOST)
		return true;
	assert_non_null(t);
	peers = either(&t->peer_any,
		       value & PEER_POD ? &t->peer_pod : NULL);
	peers = either(&peers, fake_entry(w->f, TABLE_peer_masks, &key));
	if (i >= 0)
		key.class = port_class_key(i >> 16, w->f->t.port_classes[i]);
	ports = either(&t->port_any, i < 0 ? NULL :
		       fake_entry(w->f, TABLE_port_masks, &key));
	for (int j = 0; j < POLICY_WORDS; j++)
		peers.word[j] &= ports.word[j];
	bit = policy_first(&peers, &t->audit, t->words, 0);
	if (bit != POLICY_NO_RULE && t->pass.word[bit / 64] >> (bit & 63) & 1)
		bit = policy_first(&peers, &t->audit, t->words, t->network);
	return bit == POLICY_NO_RULE ||
	       !(t->deny.word[bit / 64] >> (bit & 63) & 1);
}

static bool end_allows(const struct world *w, __u32 ifindex,
		       enum policy_direction d, const struct addr *peer,
		       __u8 proto, __u16 number)
{
	const struct workload *e = workload_at(w, ifindex);

	assert_non_null(e);
	if (e->flags & WORKLOAD_CLOSED)
		return false;
	return allows(w, d == POLICY_IN ? e->target.in : e->target.out,
		      peer_value(w, peer), proto, number);
}

static bool in(struct world *w, __u32 ifindex, const char *peer, __u16 number)
{
	const struct addr a = addr_of(peer);

	note_prefixes(w);
	return end_allows(w, ifindex, POLICY_IN, &a, IPPROTO_TCP, number);
}

static size_t entries(const struct world *w, enum table_id id)
{
	return w->f->maps[id] ? w->f->maps[id]->count : 0;
}

#define WEB "10.0.0.1"
#define FRONT "10.0.0.2"
#define OUTSIDE "192.0.2.7"
#define WEB_IF 5
#define FRONT_IF 6

static struct policy_set *two(void)
{
	struct policy_set *s = policy_set_new();

	assert_non_null(s);
	namespace(s, "a", "kubernetes.io/metadata.name=a");
	workload(s, "a", "web", WEB, "app=web");
	workload(s, "a", "front", FRONT, "app=front");
	return s;
}

/* app=front may reach app=web at port 80. */
static struct policy_set *two_with_policy(void)
{
	struct policy_set *s = two();
	struct model_rule *r = rule(policy(s, "a", "web", "app=web"), POLICY_IN,
				    POLICY_ACCEPT);

	peer_pods(r, NULL, "app=front");
	port(r, IPPROTO_TCP, 80);
	return s;
}

TEST(a_workload_is_closed_until_its_policy_is_there)
{
	struct policy_set *s = two_with_policy();
	const struct workload *e;
	struct world w;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	e = workload_at(&w, WEB_IF);
	assert_true(e->flags & WORKLOAD_CLOSED);
	assert_int_equal(w.f->t.runtime->policing, POLICE_NOBODY);
	apply(&w, s);
	e = workload_at(&w, WEB_IF);
	assert_false(e->flags & WORKLOAD_CLOSED);
	assert_int_equal(w.f->t.runtime->policing, POLICE_WORKLOADS);
	assert_int_not_equal(w.f->t.runtime->policy_epoch, 0);
	assert_int_equal(e->addr[0].word[3], addr_of(WEB).word[3]);
	assert_true(in(&w, WEB_IF, FRONT, 80));
	assert_false(in(&w, WEB_IF, FRONT, 81) || in(&w, WEB_IF, OUTSIDE, 80));
	place(&w, "a", "stranger", FRONT_IF);
	assert_true(workload_at(&w, FRONT_IF)->flags & WORKLOAD_CLOSED);
	assert_int_equal(policy_unplace(w.s, FRONT_IF, w.now_s), 0);
	assert_null(workload_at(&w, FRONT_IF));
	place(&w, "a", "front", FRONT_IF);
	assert_true(in(&w, FRONT_IF, OUTSIDE, 1));
	apply(&w, NULL);
	assert_int_equal(w.f->t.runtime->policing, POLICE_NOBODY);
	pass(&w);
	for (int id = 0; id < NR_TABLES; id++)
		assert_int_equal(entries(&w, id), 0);
	teardown(&w);
	policy_set_free(s);
}

TEST(one_more_of_a_known_kind_is_one_write_and_the_epoch)
{
	struct policy_set *s = two_with_policy(), *next;
	struct world w;
	unsigned int calls;
	__u32 epoch;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	apply(&w, s);
	next = set_copy(s);
	workload(next, "a", "front-2", "10.0.0.3", "app=front,id=7");
	calls = w.f->entry_calls;
	epoch = w.f->t.runtime->policy_epoch;
	assert_false(in(&w, WEB_IF, "10.0.0.3", 80));
	apply(&w, next);
	assert_int_equal(w.f->entry_calls, calls + 1);
	assert_int_equal(w.result.writes, 2);
	assert_int_equal(w.f->t.runtime->policy_epoch, epoch + 1);
	assert_true(in(&w, WEB_IF, "10.0.0.3", 80));
	apply(&w, s);
	assert_int_equal(w.f->entry_calls, calls + 2);
	assert_false(in(&w, WEB_IF, "10.0.0.3", 80));
	apply(&w, s);
	assert_int_equal(w.f->entry_calls, calls + 2);
	assert_int_equal(w.f->t.runtime->policy_epoch, epoch + 2);
	teardown(&w);
	policy_set_free(s);
	policy_set_free(next);
}

TEST(a_restart_writes_nothing_that_is_there)
{
	struct policy_set *s = two_with_policy();
	struct world w;
	unsigned int calls;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	apply(&w, s);
	pass(&w);
	calls = w.f->entry_calls;
	restart(&w);
	assert_true(in(&w, WEB_IF, FRONT, 80));
	place(&w, "a", "web", WEB_IF);
	assert_true(in(&w, WEB_IF, FRONT, 80));
	apply(&w, s);
	pass(&w);
	assert_int_equal(w.f->entry_calls, calls);
	assert_true(in(&w, WEB_IF, FRONT, 80));
	teardown(&w);
	policy_set_free(s);
}

TEST(what_is_not_named_any_more_is_taken_out_in_time)
{
	struct policy_set *s = two_with_policy(), *none = two();
	struct world w;
	struct hit_key hit = { .rule = 0 };
	__u64 count = 7;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	apply(&w, s);
	hit.target = workload_at(&w, WEB_IF)->target.in;
	assert_int_equal(w.f->t.entry_set(&w.f->t, TABLE_policy_hits, &hit,
					  &count), 0);
	apply(&w, none);
	assert_true(in(&w, WEB_IF, OUTSIDE, 81));
	assert_int_equal(entries(&w, TABLE_targets), 1);
	assert_true(policy_tick(w.s, w.now_s));
	assert_int_equal(entries(&w, TABLE_targets), 1);
	pass(&w);
	assert_int_equal(entries(&w, TABLE_targets), 0);
	assert_int_equal(entries(&w, TABLE_peer_masks), 0);
	assert_int_equal(entries(&w, TABLE_port_masks), 0);
	assert_int_equal(entries(&w, TABLE_policy_hits), 0);
	assert_int_equal(entries(&w, TABLE_peers), 2);
	teardown(&w);
	policy_set_free(s);
	policy_set_free(none);
}

TEST(a_set_that_exceeds_a_limit_leaves_all_as_it_was)
{
	struct policy_set *s = two_with_policy(), *large = two();
	struct model_workload *front = large->workloads[0];
	struct world w;
	unsigned int calls;

	for (int i = 0; i < POLICY_PEERS_MAX; i++) {
		struct addr *to = MORE(front->addrs, front->nr_addrs);

		*to = addr_of("11.0.0.0");
		to->word[3] += htonl(i);
	}
	setup(&w);
	place(&w, "a", "web", WEB_IF);
	apply(&w, s);
	calls = w.f->entry_calls;
	assert_int_equal(policy_apply(w.s, large, w.now_s, NULL, w.text),
			 -E2BIG);
	assert_non_null(strstr(w.text, "65538 addresses"));
	assert_int_equal(w.f->entry_calls, calls);
	assert_true(in(&w, WEB_IF, FRONT, 80));
	assert_false(in(&w, WEB_IF, FRONT, 81));
	teardown(&w);
	policy_set_free(s);
	policy_set_free(large);
}

/* Others go on, and follow their changes; who has too many is never open. */
TEST(too_many_rules_of_one_workload_are_nobody_elses)
{
	struct policy_set *s = two_with_policy(), *large = two();
	struct model_policy *p = policy(large, "a", "many", "app=web");
	struct world w;

	for (int i = 1; i <= POLICY_RULES_MAX; i++)
		port(rule(p, POLICY_IN, POLICY_ACCEPT), IPPROTO_TCP, i);
	port(rule(policy(large, "a", "front", "app=front"), POLICY_IN,
		  POLICY_ACCEPT), IPPROTO_TCP, 8080);
	setup(&w);
	place(&w, "a", "web", WEB_IF);
	place(&w, "a", "front", FRONT_IF);
	apply(&w, s);
	assert_true(in(&w, FRONT_IF, WEB, 1));
	apply(&w, large);
	assert_true(in(&w, FRONT_IF, WEB, 8080));
	assert_false(in(&w, FRONT_IF, WEB, 1));
	assert_true(in(&w, WEB_IF, FRONT, 1) && in(&w, WEB_IF, FRONT, 1023));
	assert_false(in(&w, WEB_IF, FRONT, POLICY_RULES_MAX));
	apply(&w, s);
	assert_true(in(&w, WEB_IF, FRONT, 80));
	assert_true(in(&w, FRONT_IF, WEB, 1));
	teardown(&w);
	policy_set_free(s);
	policy_set_free(large);
}

/* So many that two such sets do not fit at once. */
static struct policy_set *many_networks(const char *first)
{
	struct policy_set *s = two_with_policy();
	struct model_rule *r = rule(policy(s, "b", "wide", "app=wide"),
				    POLICY_IN, POLICY_ACCEPT);

	workload(s, "b", "wide", "10.0.2.1", "app=wide");
	for (int i = 0; i < 10000; i++)
		peer_network(r, first)->network.addr.word[3] += htonl(i);
	return s;
}

/* It is closed for as long as the change takes, and nobody else is. */
TEST(a_namespace_that_changes_too_much_at_once_is_its_own_trouble)
{
	struct policy_set *s = many_networks("11.0.0.0/32");
	struct policy_set *next = many_networks("12.0.0.0/32");
	struct world w;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	place(&w, "b", "wide", FRONT_IF);
	apply(&w, s);
	assert_int_equal(entries(&w, TABLE_peer_prefixes), 10000);
	policy_remove(next, 0);
	apply(&w, next);
	assert_true(in(&w, WEB_IF, FRONT, 81));
	assert_int_equal(entries(&w, TABLE_peer_prefixes), 0);
	assert_true(policy_closed(policy_compiled(w.s), w.text));
	assert_non_null(strstr(w.text, "namespace \"b\""));
	pass(&w);
	workload(next, "b", "more", "10.0.2.2", "app=more");
	struct policy_set *later = set_copy(next);
	policy(later, "c", "any", "app=none");
	apply(&w, later);
	assert_int_equal(entries(&w, TABLE_peer_prefixes), 10000);
	assert_false(policy_closed(policy_compiled(w.s), w.text));
	teardown(&w);
	policy_set_free(s);
	policy_set_free(next);
	policy_set_free(later);
}

/* Wherever a table says no, what comes next puts it right. */
TEST(a_change_that_ended_half_way_is_mended_by_the_next)
{
	struct policy_set *none = two(), *s = two_with_policy();
	struct world w;

	for (__u32 room = 0; room < 4; room++) {
		setup(&w);
		place(&w, "a", "web", WEB_IF);
		apply(&w, none);
		w.f->max_entries[TABLE_targets] = room & 1;
		w.f->max_entries[TABLE_peer_masks] = room >> 1;
		w.f->max_entries[TABLE_port_masks] = 0;
		assert_int_equal(policy_apply(w.s, s, w.now_s, NULL, w.text),
				 -E2BIG);
		assert_non_null(strstr(w.text, "is full"));
		assert_true(in(&w, WEB_IF, FRONT, 81));
		w.f->max_entries[TABLE_targets] = 9;
		w.f->max_entries[TABLE_peer_masks] = 9;
		w.f->max_entries[TABLE_port_masks] = 9;
		apply(&w, s);
		assert_false(in(&w, WEB_IF, FRONT, 81));
		assert_true(in(&w, WEB_IF, FRONT, 80));
		teardown(&w);
	}
	policy_set_free(s);
	policy_set_free(none);
}

/* Of a change before, and of the one that ended for want of room. */
TEST(what_nothing_names_makes_room_for_what_is_wanted)
{
	struct policy_set *s[3];
	struct world w;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	w.f->max_entries[TABLE_targets] = 2;
	w.f->max_entries[TABLE_port_masks] = 3;
	for (int i = 0; i < 3; i++) {
		s[i] = two();
		port(rule(policy(s[i], "a", "web", "app=web"), POLICY_IN,
			  POLICY_ACCEPT), IPPROTO_TCP, 80 + i);
		apply(&w, s[i]);
		for (int number = 79; number < 85; number++)
			assert_int_equal(in(&w, WEB_IF, FRONT, number),
					 number == 80 + i);
	}
	teardown(&w);
	for (int i = 0; i < 3; i++)
		policy_set_free(s[i]);
}

TEST(an_interface_of_another_workload_is_never_without_policy)
{
	struct policy_set *s = two_with_policy();
	struct world w;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	apply(&w, s);
	place(&w, "a", "nobody", WEB_IF);
	assert_true(workload_at(&w, WEB_IF)->flags & WORKLOAD_CLOSED);
	assert_int_equal(workload_at(&w, WEB_IF)->target.in, 0);
	place(&w, "a", "front", WEB_IF);
	assert_false(workload_at(&w, WEB_IF)->flags & WORKLOAD_CLOSED);
	assert_true(in(&w, WEB_IF, OUTSIDE, 81));
	assert_int_equal(workload_at(&w, WEB_IF)->addr[0].word[3],
			 addr_of(FRONT).word[3]);
	restart(&w);
	apply(&w, s);
	assert_true(in(&w, WEB_IF, OUTSIDE, 81));
	teardown(&w);
	policy_set_free(s);
}

TEST(the_host_is_never_blocked)
{
	struct policy_set *s = two_with_policy();
	const struct addr host = addr_of(OUTSIDE);
	struct world w;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	apply(&w, s);
	assert_false(in(&w, WEB_IF, OUTSIDE, 81));
	assert_int_equal(policy_set_host(w.s, &host, 1, w.now_s, w.text), 0);
	assert_true(in(&w, WEB_IF, OUTSIDE, 81));
	assert_int_equal(policy_set_host(w.s, NULL, 0, w.now_s, w.text), 0);
	assert_false(in(&w, WEB_IF, OUTSIDE, 81));
	teardown(&w);
	policy_set_free(s);
}

TEST(what_is_under_way_goes_on_when_it_becomes_isolated)
{
	struct policy_set *none = two(), *s = two_with_policy();
	struct world w;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	apply(&w, none);
	assert_int_equal(workload_at(&w, WEB_IF)->adopt_until_s, 0);
	apply(&w, s);
	assert_int_equal(workload_at(&w, WEB_IF)->adopt_until_s,
			 w.now_s + ADOPT_S);
	teardown(&w);

	setup(&w);	/* it was never open, and has run, or has not */
	place(&w, "a", "web", WEB_IF);
	assert_int_equal(policy_place(w.s, "a", "web", FRONT_IF, NULL, true,
				      w.now_s), 0);
	apply(&w, s);
	assert_int_equal(workload_at(&w, WEB_IF)->adopt_until_s, 0);
	assert_int_equal(workload_at(&w, FRONT_IF)->adopt_until_s,
			 w.now_s + ADOPT_S);
	teardown(&w);
	policy_set_free(s);
	policy_set_free(none);
}

/* As many as there may be, all with other addresses: w0001 at 10.first.0.1 ... */
static struct policy_set *crowd(int first)
{
	struct policy_set *s = policy_set_new();
	char name[16], addr[ADDR_TEXT_MAX];

	assert_non_null(s);
	for (int i = 1; i < WORKLOADS_MAX; i++) {
		sprintf(name, "w%04d", i);
		sprintf(addr, "10.%d.%d.%d", first, i / 256, i % 256);
		workload(s, "a", name, addr, "");
	}
	policy(s, "a", "deny", "")->isolates[POLICY_IN] = true;
	return s;
}

TEST(all_workloads_that_there_may_be_change_at_once)
{
	struct policy_set *s[] = { crowd(1), crowd(2) };
	const struct workload *e;
	struct world w;
	char name[16];

	setup(&w);
	for (int i = 1; i < WORKLOADS_MAX; i++) {
		sprintf(name, "w%04d", i);
		place(&w, "a", name, i);
	}
	assert_int_equal(policy_place(w.s, "a", "more", WORKLOADS_MAX, NULL,
				      false, w.now_s), -ENOSPC);
	for (int j = 0; j < 2; j++) {
		apply(&w, s[j]);
		for (int i = 1; i < WORKLOADS_MAX; i++) {
			e = workload_at(&w, i);
			assert_int_equal(ntohl(e->addr[0].word[3]),
					 10 << 24 | (j + 1) << 16 | i);
			assert_false(e->flags & WORKLOAD_CLOSED);
			assert_int_not_equal(e->target.in, 0);
		}
	}
	teardown(&w);
	policy_set_free(s[0]);
	policy_set_free(s[1]);
}

/* As many addresses as there may be, of no network that the policy knows. */
static struct policy_set *full(int first)
{
	struct policy_set *s = two_with_policy();
	char name[16], addr[4 * ADDR_TEXT_MAX];
	struct model_workload *w;

	for (int i = 0; i < 1000; i++) {
		sprintf(name, "w%04d", i);
		w = workload(s, "z", name, "", "");
		w->is_here = false;
		for (int j = 0; j < 64; j++) {
			sprintf(addr, "10.%d.%d.%d", first + i / 250, i % 250,
				j);
			*MORE(w->addrs, w->nr_addrs) = addr_of(addr);
		}
	}
	return s;
}

TEST(all_addresses_that_there_may_be_are_others_at_once)
{
	struct policy_set *s[] = { full(10), full(20) };
	struct world w;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	for (int i = 0; i < 2; i++) {
		apply(&w, s[i]);
		assert_int_equal(entries(&w, TABLE_peers), 64002);
		assert_true(in(&w, WEB_IF, FRONT, 80));
	}
	policy(s[0], "a", "more", "app=web")->isolates[POLICY_IN] = true;
	assert_int_equal(policy_apply(w.s, s[0], w.now_s, NULL, w.text),
			 -E2BIG);
	assert_non_null(strstr(w.text, "128002 addresses"));
	assert_true(in(&w, WEB_IF, FRONT, 80));
	teardown(&w);
	policy_set_free(s[0]);
	policy_set_free(s[1]);
}

/* Who has an address no more sends nothing from it, until it has it again. */
TEST(an_address_of_a_later_one_is_taken_away)
{
	struct policy_set *s = two(), *both = set_copy(s);
	const struct addr addr = addr_of(FRONT), none = {};
	struct world w;

	((struct model_workload *)policy_set_workload(s, "a", "front"))
		->since_us = 1;
	workload(both, "a", "young", FRONT, "app=front")->since_us = 2;
	setup(&w);
	place(&w, "a", "front", FRONT_IF);
	place(&w, "a", "young", WEB_IF);
	for (int i = 0; i < 2; i++) {
		apply(&w, s);
		assert_memory_equal(&workload_at(&w, FRONT_IF)->addr[0], &addr,
				    sizeof(addr));
		apply(&w, both);
		assert_memory_equal(&workload_at(&w, FRONT_IF)->addr[0], &none,
				    sizeof(addr));
		assert_memory_equal(&workload_at(&w, WEB_IF)->addr[0], &addr,
				    sizeof(addr));
	}
	teardown(&w);
	policy_set_free(s);
	policy_set_free(both);
}

/* An address of a workload in use is not changed in two steps. */
TEST(a_workload_with_another_address_is_another_entry)
{
	struct policy_set *s = two_with_policy(), *next = set_copy(s);
	const struct workload *before, *after;
	struct world w;

	setup(&w);
	place(&w, "a", "web", WEB_IF);
	apply(&w, s);
	before = workload_at(&w, WEB_IF);
	workload_remove(next, 1);
	workload(next, "a", "web", "10.0.0.9", "app=web");
	apply(&w, next);
	after = workload_at(&w, WEB_IF);
	assert_ptr_not_equal(before, after);
	assert_int_equal(before->addr[0].word[3], addr_of(WEB).word[3]);
	assert_int_equal(after->addr[0].word[3], addr_of("10.0.0.9").word[3]);
	assert_true(in(&w, WEB_IF, FRONT, 80) && !in(&w, WEB_IF, FRONT, 81));
	assert_string_equal(w.f->t.workload_infos[after->id].name, "a/web");
	pass(&w);
	restart(&w);
	assert_ptr_equal(workload_at(&w, WEB_IF), after);
	teardown(&w);
	policy_set_free(s);
	policy_set_free(next);
}

/* ---- Every single write ---- */

#define PLACES 4
#define PEERS 12
#define PORTS 5

static const char *const names[] = { "a", "b" };
static const char *const values[] = { "x", "y", "z" };
static const char *const networks[] = {
	"10.0.0.0/8", "10.0.0.0/24", "10.0.0.4/30", "10.0.0.5/32", "0.0.0.0/0",
	"192.0.2.0/24", "192.0.2.128/25", "::/0", "2001:db8::/32",
};
static const __u16 numbers[PORTS] = { 79, 80, 81, 443, 8080 };

static unsigned int any(unsigned int below)
{
	return (unsigned int)rand() % below;
}

#define ANY(list) ((list)[any(sizeof(list) / sizeof(*(list)))])

static void random_labels(char text[static 32])
{
	*text = '\0';
	if (any(4))
		sprintf(text, "app=%s", ANY(values));
	if (!any(3))
		sprintf(text + strlen(text), "%stier=%s", *text ? "," : "",
			ANY(values));
}

static const char *random_selector(void)
{
	static const char *const all[] = {
		"", "app=x", "app=y", "app=z", "app!=x", "tier", "!tier",
		"app=x,tier=y", "tier!=z",
	};

	return ANY(all);
}

static void random_peer(struct model_rule *r)
{
	struct model_peer *p;

	switch (any(6)) {
	case 0:
		p = peer_network(r, "10.0.0.0/24");
		peer_except(p, "10.0.0.4/30");
		break;
	case 5:
		peer_nodes(r, any(2) ? "role=x" : "");
		break;
	case 1:
		peer_network(r, ANY(networks));
		break;
	case 2:
		peer_pods(r, any(2) ? "" : "team=x", random_selector());
		break;
	default:
		peer_pods(r, NULL, random_selector());
	}
}

static void random_rule(struct model_policy *p, enum policy_direction d)
{
	struct model_rule *r;

	r = rule(p, d, p->tier == TIER_NETWORK ? POLICY_ACCEPT :
		 p->tier == TIER_ADMIN ? any(3) : any(2));
	for (unsigned int i = any(3); i; i--)
		random_peer(r);
	for (unsigned int i = any(3); i; i--)
		if (!any(4))
			port_name(r, IPPROTO_TCP, "http");
		else if (any(2))
			port(r, any(4) ? IPPROTO_TCP : IPPROTO_UDP,
			     ANY(numbers));
		else
			ports(r, IPPROTO_TCP, 80, 80 + any(400));
}

static void random_policy(struct policy_set *s)
{
	static const char *const policies[] = { "p", "q", "r", "s" };
	const char *name = ANY(policies);
	struct model_policy *p;

	for (size_t i = 0; i < s->nr_policies; i++)
		if (!strcmp(s->policies[i]->name, name)) {
			policy_remove(s, i);
			break;
		}
	if (!any(4))
		return;
	if (any(3))
		p = policy(s, ANY(names), name, random_selector());
	else
		p = cluster_policy(s, name, any(2) ? TIER_ADMIN : TIER_BASELINE,
				   any(3), random_selector());
	p->audit = !any(6);
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++) {
		if (p->tier == TIER_NETWORK)
			p->isolates[d] = any(2);
		for (unsigned int i = any(3); i; i--)
			random_rule(p, d);
	}
}

/* Workload i, of those that are placed or others, made anew. */
static void random_workload(struct policy_set *s, int i, bool must_be)
{
	const char *namespace = names[i % 2];
	char name[16], addrs[64], labels[32];
	struct model_workload *w;
	int at = must_be || any(6) ? i + 1 : (int)any(12) + 1;

	sprintf(name, "w%d", i);
	for (size_t j = 0; j < s->nr_workloads; j++)
		if (!strcmp(s->workloads[j]->name, name)) {
			workload_remove(s, j);
			break;
		}
	if (!must_be && !any(5))
		return;
	random_labels(labels);
	sprintf(addrs, "10.0.0.%d,2001:db8::%d", at, at);
	w = workload(s, namespace, name, addrs, labels);
	w->is_here = must_be || any(2);
	w->is_host_network = !must_be && !any(6);
	if (any(2))
		named_port(w, "http", IPPROTO_TCP, ANY(numbers));
}

static void random_namespaces(struct policy_set *s)
{
	for (size_t i = 0; i < s->nr_namespaces; i++)
		model_namespace_free(s->namespaces[i]);
	s->nr_namespaces = 0;
	for (int i = 0; i < 2; i++)
		namespace(s, names[i], any(2) ? "team=x" : "team=y");
}

static void random_nodes(struct policy_set *s)
{
	for (size_t i = 0; i < s->nr_nodes; i++)
		model_policy_node_free(s->nodes[i]);
	s->nr_nodes = 0;
	if (any(3))
		node(s, "n1", any(2) ? "role=x" : "role=y", "192.0.2.1");
	if (any(3))
		node(s, "n2", any(2) ? "role=x" : "", any(2) ? "10.0.0.7" :
							      "192.0.2.129");
}

/* Where all flows go, one answer each. */
struct answers {
	bool is[PEERS][PLACES][NR_POLICY_DIRECTIONS][PORTS + 2];
};

static struct addr peer_at(int i)
{
	static const char *const more[] = { "192.0.2.1", "192.0.2.129",
					    "2001:db8:1::1" };
	char text[ADDR_TEXT_MAX];

	sprintf(text, i % 3 ? "10.0.0.%d" : "2001:db8::%d", i + 1);
	return addr_of(i < PEERS - 3 ? text : more[i - PEERS + 3]);
}

static bool *ask_end(const struct world *w, __u32 target, __u32 value,
		     bool *ret)
{
	for (int i = 0; i < PORTS; i++)
		*ret++ = allows(w, target, value, IPPROTO_TCP, numbers[i]);
	*ret++ = allows(w, target, value, IPPROTO_UDP, numbers[0]);
	*ret++ = allows(w, target, value, IPPROTO_ICMP, 0);
	return ret;
}

static void ask(struct world *w, struct answers *ret)
{
	bool *to = (bool *)ret;

	note_prefixes(w);
	for (int i = 0; i < PEERS; i++) {
		const struct addr a = peer_at(i);
		__u32 value = peer_value(w, &a);

		for (int p = 1; p <= PLACES; p++) {
			const struct workload *e = workload_at(w, p);

			assert_non_null(e);
			assert_false(e->flags & WORKLOAD_CLOSED);
			to = ask_end(w, e->target.in, value, to);
			to = ask_end(w, e->target.out, value, to);
		}
	}
}

/* Of those that differ from both, the first. */
static void check(const struct answers *before, const struct answers *after,
		  const struct answers *now, const struct change *c)
{
	const bool *b = (const bool *)before, *a = (const bool *)after,
		   *n = (const bool *)now;

	for (size_t i = 0; i < sizeof(*now); i++)
		if (n[i] != b[i] && n[i] != a[i]) {
			const size_t peer = sizeof(*now) / PEERS;

			fail_msg("write %zu of %zu, kind %d: peer %zu, port "
				 "%zu is %s", c->at, c->writes.count,
				 c->at ? (int)c->writes.at[c->at - 1].kind : -1,
				 i / peer, i % (PORTS + 2),
				 n[i] ? "open" : "shut");
		}
}

/* The answers of a set, from tables of its own. */
static void answers_of(struct policy_set *s, struct answers *ret)
{
	struct world w;
	char name[16];

	setup(&w);
	apply(&w, s);
	for (int i = 0; i < PLACES; i++) {
		sprintf(name, "w%d", i);
		place(&w, names[i % 2], name, i + 1);
	}
	ask(&w, ret);
	teardown(&w);
}

static void step_by_step(struct world *w, struct policy_set *s,
			 const struct answers *before,
			 const struct answers *after)
{
	struct answers now;
	struct change c;
	int ret;

	assert_int_equal(change_begin(w->s, s, w->now_s, &c, w->text), 0);
	do {
		ret = change_step(&c, w->text);
		assert_true(ret >= 0);
		ask(w, &now);
		check(before, after, &now, &c);
	} while (ret);
	change_end(&c);
	assert_memory_equal(&now, after, sizeof(now));
}

static struct policy_set *random_next(const struct policy_set *s)
{
	struct policy_set *next = set_copy(s);

	for (unsigned int i = 1 + any(3); i; i--)
		switch (any(6)) {
		case 5:
			random_nodes(next);
			break;
		case 0:
			random_workload(next, any(PLACES), true);
			break;
		case 1:
			random_workload(next, PLACES + any(4), false);
			break;
		case 2:
			random_namespaces(next);
			break;
		default:
			random_policy(next);
		}
	return next;
}

static struct policy_set *random_first(struct world *w)
{
	struct policy_set *s = policy_set_new();
	char name[16];

	random_namespaces(s);
	for (int i = 0; i < PLACES + 4; i++)
		random_workload(s, i, true);
	for (int i = 0; i < 3; i++)
		random_policy(s);
	for (int i = 0; i < PLACES; i++) {
		sprintf(name, "w%d", i);
		place(w, names[i % 2], name, i + 1);
	}
	apply(w, s);
	return s;
}

static void one_life(unsigned int seed)
{
	struct answers before, after;
	struct policy_set *s, *next;
	struct world w;

	srand(seed);
	setup(&w);
	s = random_first(&w);
	answers_of(s, &before);
	for (int i = 0; i < 12; i++) {
		next = random_next(s);
		answers_of(next, &after);
		if (!any(6))
			restart(&w);
		step_by_step(&w, next, &before, &after);
		before = after;
		policy_set_free(s);
		s = next;
		if (any(2))
			policy_tick(w.s, w.now_s += any(4));
		ask(&w, &after);
		assert_memory_equal(&before, &after, sizeof(before));
	}
	policy_set_free(s);
	teardown(&w);
}

/* POLICY_SEED, POLICY_LIVES: where to begin, and how many. */
TEST(no_write_makes_an_answer_that_is_neither_old_nor_new)
{
	const char *seed = getenv("POLICY_SEED"),
		   *lives = getenv("POLICY_LIVES");
	unsigned int first = seed ? atoi(seed) : 1;
	unsigned int count = lives ? atoi(lives) : 12;

	for (unsigned int i = first; i < first + count; i++) {
		print_message("seed %u\n", i);
		one_life(i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_workload_is_closed_until_its_policy_is_there),
		CASE(one_more_of_a_known_kind_is_one_write_and_the_epoch),
		CASE(a_restart_writes_nothing_that_is_there),
		CASE(what_is_not_named_any_more_is_taken_out_in_time),
		CASE(a_set_that_exceeds_a_limit_leaves_all_as_it_was),
		CASE(too_many_rules_of_one_workload_are_nobody_elses),
		CASE(a_namespace_that_changes_too_much_at_once_is_its_own_trouble),
		CASE(a_change_that_ended_half_way_is_mended_by_the_next),
		CASE(what_nothing_names_makes_room_for_what_is_wanted),
		CASE(an_interface_of_another_workload_is_never_without_policy),
		CASE(the_host_is_never_blocked),
		CASE(what_is_under_way_goes_on_when_it_becomes_isolated),
		CASE(all_workloads_that_there_may_be_change_at_once),
		CASE(all_addresses_that_there_may_be_are_others_at_once),
		CASE(an_address_of_a_later_one_is_taken_away),
		CASE(a_workload_with_another_address_is_another_entry),
		CASE(no_write_makes_an_answer_that_is_neither_old_nor_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
