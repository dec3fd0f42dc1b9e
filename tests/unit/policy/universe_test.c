// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Random universes of namespaces, pods and policies: what the compiler says of
 * each pair, protocol and port is what the evaluator reads in the API's text.
 *
 *   universe_test [--universes N] [--seed N]
 *
 * What differs is made as small as it can be, and printed as manifests; its
 * seed alone repeats it. 100 000 universes take some minutes.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chance.h"
#include "policy_questions.h"
#include "seeded.h"

#define PROGRESS 10000	/* universes between two words of how far it is */

static struct seeded options = { .what = "universes", .count = 400 };

/* Both ends at once, which answer for whoever has the address. */
static bool is_connection_right(const struct policy_compiled *c,
				const struct question *q)
{
	struct evaluator_world w = { q->set, q->u->host, 2 };
	struct evaluator_try t = { *q->own, *q->peer, q->proto, q->port };
	bool out = evaluator_ask(&w, POLICY_OUT, &t).is.allowed;
	bool in = evaluator_ask(&w, POLICY_IN, &t).is.allowed;
	struct policy_judgement j[NR_POLICY_DIRECTIONS];
	bool may = policy_may(c, q->own, q->peer, q->proto, q->port, j);

	return (may == (out && in) && j[POLICY_OUT].allowed == out &&
		j[POLICY_IN].allowed == in) ||
	       question_differs(q, "both ends", may ? "allowed" : "denied");
}

static bool check_everywhere(const void *arg, const struct question *q)
{
	if (q->direction == POLICY_OUT && q->proto == IPPROTO_UDP &&
	    !is_connection_right(arg, q))
		return false;
	return question_judged(arg, q, !q->pod->is_host_network);
}

static bool compile_is_right(struct universe *u, enum policy_scope scope)
{
	struct policy_set *s = universe_set(u);
	check_fn *check = scope == POLICY_HERE ? question_judged_here :
						 check_everywhere;
	struct policy_compiled *c = NULL;
	char text[POLICY_TEXT_MAX] = "";
	bool right = false;

	if (policy_compile(s, u->host, 2, scope, &c, text))
		fprintf(stderr, "# refused: %s\n", text);
	else
		right = questions_ask(u, s, check, c);
	policy_compiled_free(c);
	policy_set_free(s);
	return right;
}

static bool differs_here(struct universe *u)
{
	return !compile_is_right(u, POLICY_HERE);
}

static bool differs_everywhere(struct universe *u)
{
	return !compile_is_right(u, POLICY_EVERYWHERE);
}

static void make_small(struct universe *u, enum policy_scope scope)
{
	questions_quiet = true;
	universe_shrink(u, scope == POLICY_HERE ? differs_here :
			differs_everywhere);
	questions_quiet = false;
	compile_is_right(u, scope);
	questions_print(u);
}

static void universe_is_right(uint64_t seed)
{
	struct universe_size size;
	struct universe u = {};
	enum policy_scope scope;

	random_start(seed);
	size = universe_any_size();
	scope = chance(30) ? POLICY_HERE : POLICY_EVERYWHERE;
	universe_begin(&u, &size);
	questions_begin();
	if (!compile_is_right(&u, scope)) {
		fprintf(stderr, "# seed %" PRIu64 ", made smaller:\n", seed);
		make_small(&u, scope);
		fail();
	}
	universe_end(&u);
}

static void universes_are_as_the_api_has_them(void **state)
{
	for (unsigned long n = 0; n < options.count; n++) {
		universe_is_right(options.seed + n);
		if (options.is_long && n % PROGRESS == PROGRESS - 1)
			fprintf(stderr, "# %lu universes\n", n + 1);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(universes_are_as_the_api_has_them),
	};

	if (!seeded_parse(&options, argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
