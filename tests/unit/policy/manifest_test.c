// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Random universes that are written as manifests and read as definitions: what
 * they are then says the same of each connection.
 */
#include <inttypes.h>
#include <time.h>

#include "../kubernetes/said.h"

#include "base/cleanup.h"
#include "chance.h"
#include "policy_manifest.h"
#include "policy_questions.h"

#define UNIVERSES 150

/* What was written and what was read, as check() has them. */
struct pair {
	const struct universe *u;
	const struct policy_set *read;
};

static struct said said;

static char *manifests(const struct universe *u)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	for (size_t i = 0; i < u->namespaces.count; i++)
		manifest_namespace(f, u->namespaces.item[i]);
	for (size_t i = 0; i < u->nodes.count; i++)
		manifest_node(f, u->nodes.item[i]);
	for (size_t i = 0; i < u->workloads.count; i++)
		manifest_pod(f, u->workloads.item[i]);
	for (size_t i = 0; i < u->policies.count; i++)
		manifest_policy(f, u->policies.item[i]);
	fclose(f);
	return text;
}

static bool is_same_verdict(const struct evaluator_verdict *a,
			    const struct evaluator_verdict *b)
{
	if (a->allowed != b->allowed || a->why != b->why ||
	    a->rule != b->rule || !a->policy != !b->policy)
		return false;
	return !a->policy || !strcmp(a->policy->name, b->policy->name);
}

static bool check(const void *arg, const struct question *q)
{
	const struct pair *pair = arg;
	struct evaluator_answer written = question_answer(q), read;
	const struct model_workload *w =
		policy_set_workload(pair->read, q->pod->namespace,
				    q->pod->name);
	struct question other = *q;
	char text[EVALUATOR_TEXT_MAX];

	if (!q->port)	/* which a ClusterNetworkPolicy cannot name */
		return true;
	if (!w || w->is_here != q->pod->is_here ||
	    w->is_host_network != q->pod->is_host_network)
		return question_differs(q, "pod", "another one");
	other.set = pair->read;
	other.pod = w;
	read = question_answer(&other);
	return (is_same_verdict(&read.is, &written.is) &&
		is_same_verdict(&read.would, &written.would)) ||
	       question_differs(q, "read again",
				evaluator_text(&read.is, text));
}

static void one_universe(uint64_t seed)
{
	struct universe_size size;
	struct universe u = { .as_api = true };
	__cleanup(model_freep) struct model *m = NULL;
	__cleanup(free_text) char *errors = NULL;
	__cleanup(free_text) char *text = NULL;
	struct policy_set *s;
	bool right;

	random_start(seed);
	size = (struct universe_size){ 1 + any(3), 1 + any(2), 1 + any(6),
				       any(7) };
	universe_begin(&u, &size);
	questions_begin();
	text = manifests(&u);
	right = !said_now(&said, text, &m, &errors) && !*errors && m->policy;
	s = universe_set(&u);
	if (right)
		right = questions_ask(&u, s, check,
				      &(struct pair){ &u, m->policy });
	if (!right)
		fprintf(stderr, "%sseed %" PRIu64 "\n%s", text, seed, errors);
	assert_true(right);
	policy_set_free(s);
	universe_end(&u);
}

static void what_is_read_says_what_was_written(void **state)
{
	uint64_t seed = time(NULL) * 1000;

	for (uint64_t n = 0; n < UNIVERSES; n++)
		one_universe(seed + n);
}

static int set_up(void **state)
{
	static const struct given here = { .key = "hostname-override",
					   .value = "here" };

	return said_open(&said, &here);
}

static int tear_down(void **state)
{
	said_close(&said);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_says_what_was_written),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
