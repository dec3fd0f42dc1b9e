/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The engine on tables that are memory, at a time that the test says: what is
 * wanted, what is in force, and what became of the last attempt.
 */
#ifndef FAIRLEAD_TEST_ENGINE_WORLD_H
#define FAIRLEAD_TEST_ENGINE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/reconcile.h"
#include "fake_tables.h"

struct world {
	struct fake *f;
	struct state *s;
	struct model *m;
	struct reconcile_result r;
	char text[RECONCILE_TEXT_MAX];
	__u32 now_s;
};

static inline void setup_sizes(struct world *w, struct fake_sizes sizes)
{
	*w = (struct world){ .now_s = 1000 };
	w->f = fake_new(sizes);
	w->m = model_new();
	assert_non_null(w->m);
	assert_int_equal(state_load(&w->f->t, w->now_s, &w->s, NULL), 0);
}

static inline void teardown(struct world *w)
{
	state_free(w->s);
	model_free(w->m);
	fake_free(w->f);
}

static inline void apply(struct world *w)
{
	assert_int_equal(reconcile(w->s, w->m, w->now_s, &w->r, w->text), 0);
}

/* Nothing of what was in force is lost. */
static inline void restart(struct world *w)
{
	unsigned int dropped = 1;

	state_free(w->s);
	w->s = NULL;
	assert_int_equal(state_load(&w->f->t, w->now_s, &w->s, &dropped), 0);
	assert_int_equal(dropped, 0);
}

/* Seconds pass; returns how often something was settled. */
static inline unsigned int pass(struct world *w, __u32 seconds)
{
	unsigned int settled = 0;

	while (seconds--)
		settled += reconcile_tick(w->s, ++w->now_s);
	return settled;
}

#endif
