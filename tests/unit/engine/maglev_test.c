// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tables of slots: even, fair to weights, stable, the same everywhere. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/maglev.h"

#define SIZE MAGLEV_SIZE_MAX

static __u32 owners[SIZE], before[SIZE], counts[65536];

/* Members 1 to nr, at 10.0.0.0/8. Must be freed. */
static struct maglev_member *members_new(__u32 nr, __u32 weight)
{
	struct maglev_member *m = calloc(nr, sizeof(*m));
	struct addr a = { { 0, 0, htonl(0xffff), 0 } };

	assert_non_null(m);
	for (__u32 i = 0; i < nr; i++) {
		a.word[3] = htonl(0x0a000001 + i);
		m[i].hash = maglev_hash(&a, 8080);
		m[i].value = i + 1;
		m[i].weight = weight;
	}
	return m;
}

static void count_owners(__u32 size)
{
	memset(counts, 0, sizeof(counts));
	for (__u32 i = 0; i < size; i++) {
		assert_in_range(owners[i], 1, 65535);
		counts[owners[i]]++;
	}
}

static void equal_members_share_to_within_one_slot(void **state)
{
	static const __u32 numbers[] = { 1, 2, 3, 10, 100, 999, 1000, 65535 };

	for (size_t n = 0; n < sizeof(numbers) / sizeof(*numbers); n++) {
		struct maglev_member *m = members_new(numbers[n], 100);

		maglev_fill(m, numbers[n], owners, SIZE);
		count_owners(SIZE);
		for (__u32 i = 1; i <= numbers[n]; i++)
			assert_in_range(counts[i], SIZE / numbers[n],
					SIZE / numbers[n] + 1);
		free(m);
	}
}

static void weights_are_met_to_one_percent(void **state)
{
	struct maglev_member *m = members_new(20, 1);
	double worst = 0, share, error;
	__u32 sum = 0;

	for (__u32 i = 0; i < 20; i++) {
		m[i].weight = 50 + 45 * i;
		sum += m[i].weight;
	}
	maglev_fill(m, 20, owners, SIZE);
	count_owners(SIZE);
	for (__u32 i = 0; i < 20; i++) {
		share = (double)SIZE * (50 + 45 * i) / sum;
		error = counts[i + 1] / share - 1;
		error = error < 0 ? -error : error;
		worst = error > worst ? error : worst;
	}
	print_message("worst share with weights 50 to 905: off by %.3f %%\n",
		      100 * worst);
	assert_true(worst < 0.01);
	free(m);
}

/* Per cent of the slots that were not the removed one's and moved. */
static double disruption(__u32 nr, __u32 removed)
{
	struct maglev_member *m = members_new(nr, 100);
	__u32 moved = 0, others = 0;

	maglev_fill(m, nr, owners, SIZE);
	memcpy(before, owners, sizeof(before));
	for (__u32 i = 0; i < nr; i++)
		if (m[i].value == removed) {
			m[i] = m[nr - 1];
			break;
		}
	maglev_fill(m, nr - 1, owners, SIZE);
	for (__u32 i = 0; i < SIZE; i++) {
		others += before[i] != removed;
		moved += before[i] != removed && before[i] != owners[i];
	}
	free(m);
	return 100.0 * moved / others;
}

static void removal_moves_few_other_slots(void **state)
{
	static const struct { __u32 nr; double limit; } cases[] = {
		{ 10, 0.3 }, { 100, 0.6 }, { 1000, 0.6 },
	};

	for (int c = 0; c < 3; c++) {
		double sum = 0, worst = 0, d;

		for (__u32 i = 1; i <= 10; i++) {
			d = disruption(cases[c].nr, i * cases[c].nr / 10);
			sum += d;
			worst = d > worst ? d : worst;
		}
		print_message("one of %u removed: %.3f %% of others' slots "
			      "moved, %.3f %% at worst\n",
			      cases[c].nr, sum / 10, worst);
		assert_true(sum / 10 < cases[c].limit);
	}
}

static void order_of_members_does_not_matter(void **state)
{
	struct maglev_member *m = members_new(50, 100), swap;

	for (int weighted = 0; weighted < 2; weighted++) {
		for (__u32 i = 0; weighted && i < 50; i++)
			m[i].weight = 10 + m[i].value;
		maglev_fill(m, 50, before, 8192);
		for (int i = 0; i < 25; i++) {
			swap = m[i];
			m[i] = m[49 - i];
			m[49 - i] = swap;
		}
		maglev_fill(m, 50, owners, 8192);
		assert_memory_equal(owners, before, 8192 * sizeof(*owners));
	}
	free(m);
}

/* Nodes of a cluster may be of different versions: a table is a contract. */
static void table_is_the_same_in_every_version(void **state)
{
	static const __u32 first[] = { 3, 2, 1, 1, 1, 1, 1, 4,
					1, 3, 4, 2, 5, 3, 2, 5 };
	struct maglev_member *m = members_new(5, 100);

	maglev_fill(m, 5, owners, 512);
	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		assert_int_equal(owners[i], first[i]);
	free(m);
}

/* The paper's own loop: each in turn walks along its preferences. */
static void fill_by_walking(const struct maglev_member *m, __u32 nr,
			    __u32 *ret, __u32 count)
{
	__u32 *next = calloc(nr, sizeof(*next));

	assert_non_null(next);
	memset(ret, 0, count * sizeof(*ret));
	for (__u32 i = 0; i < nr; i++)
		next[i] = (m[i].hash >> 32) & (count - 1);
	for (__u32 i = 0; i < count; i++) {
		__u32 *at = &next[i % nr], skip = (m[i % nr].hash | 1);

		while (ret[*at])
			*at = (*at + skip) & (count - 1);
		ret[*at] = m[i % nr].value;
	}
	free(next);
}

static void every_slot_is_whose_preference_comes_first(void **state)
{
	static const __u32 numbers[] = { 1, 2, 3, 10, 63, 64, 700, 5000 };

	for (size_t n = 0; n < sizeof(numbers) / sizeof(*numbers); n++) {
		struct maglev_member *m = members_new(numbers[n], 100);

		for (__u32 size = MAGLEV_SIZE_MIN; size <= SIZE; size *= 2) {
			maglev_fill(m, numbers[n], owners, size);
			fill_by_walking(m, numbers[n], before, size);
			assert_memory_equal(owners, before,
					    size * sizeof(*owners));
		}
		free(m);
	}
}

static void size_is_near_a_hundred_slots_for_each(void **state)
{
	assert_int_equal(maglev_size(1, 100, 100), 64);
	assert_int_equal(maglev_size(2, 200, 100), 256);
	assert_int_equal(maglev_size(10, 1000, 100), 1024);
	assert_int_equal(maglev_size(2, 150, 50), 512);
	assert_int_equal(maglev_size(100, 10000, 100), 16384);
	assert_int_equal(maglev_size(1000, 100000, 100), 65536);
	assert_int_equal(maglev_size(65535, 65535000, 1), 65536);
}

/* In any stretch of the walk, each has had its turns to within limit. */
static void check_smooth(const __u32 *weights, __u32 nr, __u32 size,
			 double limit)
{
	struct maglev_member *m = members_new(nr, 1);
	__u32 seen[64] = {};
	double sum = 0;

	for (__u32 i = 0; i < nr; i++) {
		m[i].weight = weights[i];
		sum += weights[i];
	}
	round_robin_fill(m, nr, owners, size);
	for (__u32 i = 0; i < size; i++) {
		seen[owners[i]]++;
		for (__u32 j = 0; j < nr; j++) {
			double due = (i + 1) * weights[j] / sum;

			assert_true(seen[j + 1] > due - limit &&
				    seen[j + 1] < due + limit);
		}
	}
	free(m);
}

static void round_robin_is_smooth_and_exact(void **state)
{
	static const __u32 equal[] = { 7, 7, 7, 7, 7 };
	static const __u32 one_heavy[] = { 5, 1, 1 };
	static const __u32 mixed[] = { 100, 50, 25, 25, 1, 300 };
	static const __u32 many_light[] = { 20, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
					    1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

	check_smooth(equal, 5, 1024, 1.001);
	check_smooth(one_heavy, 3, 1024, 1.5);
	check_smooth(mixed, 6, 65536, 2);
	check_smooth(many_light, 21, 4096, 1.5);
}

static void round_robin_of_equals_goes_around(void **state)
{
	struct maglev_member *m = members_new(6, 10);

	round_robin_fill(m, 6, owners, 1024);
	for (__u32 i = 6; i < 1024; i++)
		assert_int_equal(owners[i], owners[i - 6]);
	count_owners(1024);
	for (__u32 i = 1; i <= 6; i++)
		assert_in_range(counts[i], 170, 171);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_members_share_to_within_one_slot),
		cmocka_unit_test(weights_are_met_to_one_percent),
		cmocka_unit_test(removal_moves_few_other_slots),
		cmocka_unit_test(order_of_members_does_not_matter),
		cmocka_unit_test(table_is_the_same_in_every_version),
		cmocka_unit_test(every_slot_is_whose_preference_comes_first),
		cmocka_unit_test(size_is_near_a_hundred_slots_for_each),
		cmocka_unit_test(round_robin_is_smooth_and_exact),
		cmocka_unit_test(round_robin_of_equals_goes_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
