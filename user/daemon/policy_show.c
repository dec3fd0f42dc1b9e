// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One policy: whom it selects here, its rules in words, and what each decided. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "model/policy_text.h"
#include "policy_answers.h"

#define SELECTING_MAX 1024

/* Decisions of a policy by rule; of its isolation as a whole, in the last. */
struct tally {
	const struct model_policy *policy;
	__u64 *allowed[NR_POLICY_DIRECTIONS], *denied[NR_POLICY_DIRECTIONS];
};

static void tally_free(struct tally *t)
{
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++) {
		free(t->allowed[d]);
		free(t->denied[d]);
	}
}

static bool tally_init(struct tally *t, const struct model_policy *p)
{
	bool is_whole = true;

	*t = (struct tally){ .policy = p };
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++) {
		t->allowed[d] = calloc(p->rules[d].count + 1, sizeof(__u64));
		t->denied[d] = calloc(p->rules[d].count + 1, sizeof(__u64));
		is_whole &= t->allowed[d] && t->denied[d];
	}
	return is_whole;
}

static int tally_add(void *arg, const struct policy_count *c)
{
	const struct policy_rule_info *r = &c->rule;
	struct tally *t = arg;
	size_t at = t->policy->rules[r->direction].count;

	if (r->policy == t->policy && r->number < at)
		at = r->number;
	else if (r->policy || r->of != t->policy)
		return 0;
	(c->denied ? t->denied : t->allowed)[r->direction][at] += c->count;
	return 0;
}

/* Words, as they are written. */
struct words {
	FILE *out;	/* NULL: out of memory */
	char *text;
	size_t len;
};

static bool words_begin(struct words *w)
{
	*w = (struct words){};
	w->out = open_memstream(&w->text, &w->len);
	return w->out;
}

/* Nothing was written: otherwise. */
static json_t *words_end(struct words *w, const char *otherwise)
{
	json_t *ret;

	fclose(w->out);
	ret = json_string(w->len ? w->text : otherwise);
	free(w->text);
	return ret;
}

static json_t *rule_words(void (*write)(FILE *out, const struct model_rule *r),
			  const struct model_rule *r, const char *otherwise)
{
	struct words w;

	if (!words_begin(&w))
		return NULL;
	if (r)
		write(w.out, r);
	return words_end(&w, otherwise);
}

static json_t *rule_json(const struct tally *t, enum policy_direction d,
			 size_t at)
{
	const bool is_rule = at < t->policy->rules[d].count;
	const struct model_rule *r = is_rule ? &t->policy->rules[d].rule[at] :
					       NULL;

	return json_pack("{s:s, s:o, s:s?, s:s, s:o, s:o, s:I, s:I}",
			 "direction", policy_direction_name(d),
			 "rule", r ? json_integer(at) : json_null(),
			 "name", r ? r->name : NULL,
			 "action", policy_action_name(r ? r->action : POLICY_DENY),
			 "who", rule_words(policy_write_peers, r,
				      r ? "everybody" : "everybody else"),
			 "ports", rule_words(policy_write_ports, r, "all"),
			 "allowed", (json_int_t)t->allowed[d][at],
			 "denied", (json_int_t)t->denied[d][at]);
}

static json_t *rules_json(const struct tally *t)
{
	json_t *ret = json_array();

	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++)
		for (size_t i = 0; i < t->policy->rules[d].count +
				       t->policy->isolates[d]; i++)
			json_array_append_new(ret, rule_json(t, d, i));
	return ret;
}

static bool selects(const struct policy_compiled *c,
		    const struct model_policy *p,
		    const struct model_workload *w)
{
	const struct model_policy *list[SELECTING_MAX];

	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++) {
		size_t nr = policy_selecting(c, w, d, list, SELECTING_MAX);

		for (size_t i = 0; i < nr && i < SELECTING_MAX; i++)
			if (list[i] == p)
				return true;
	}
	return false;
}

/* Names of those that are here. */
static json_t *selected_json(const struct policy_set *set,
			     struct policy_state *state,
			     const struct model_policy *p)
{
	const struct policy_compiled *c = policy_compiled(state);
	json_t *ret = json_array();

	for (size_t i = 0; c && i < set->nr_workloads; i++) {
		const struct model_workload *w = set->workloads[i];

		if (w->is_here && !w->is_host_network && selects(c, p, w))
			json_array_append_new(ret, json_sprintf("%s/%s",
						w->namespace, w->name));
	}
	return ret;
}

static json_t *subject_json(const struct model_policy *p)
{
	struct words w;

	if (!words_begin(&w))
		return NULL;
	policy_write_subject(w.out, p);
	return words_end(&w, "");
}

static json_t *show(const struct policy_set *set, struct policy_state *state,
		    const struct model_policy *p)
{
	char name[POLICY_NAME_MAX];
	struct tally t;
	json_t *ret = NULL;

	if (tally_init(&t, p)) {
		policy_counts(state, tally_add, &t);
		ret = json_pack("{s:b, s:s, s:b, s:o, s:o, s:o}", "ok", 1,
				"policy", policy_text(p, name),
				"audit", p->audit,
				"selects", subject_json(p),
				"workloads", selected_json(set, state, p),
				"rules", rules_json(&t));
	}
	tally_free(&t);
	return ret;
}

json_t *policy_show_json(const struct policy_set *set,
			 struct policy_state *state, const char *name)
{
	char text[POLICY_NAME_MAX], full[POLICY_NAME_MAX];

	snprintf(full, sizeof(full), "%s%s", strchr(name, '/') ? "" :
		 "default/", name);
	for (size_t i = 0; set && i < set->nr_policies; i++) {
		policy_text(set->policies[i], text);
		if (!strcmp(text, name) || !strcmp(text, full))
			return show(set, state, set->policies[i]);
	}
	return control_refuse("there is no policy \"%s\"", name);
}
