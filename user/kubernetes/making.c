// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See making.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "base/suggest.h"
#include "making.h"

#define MISTAKE_MAX 160

static struct kube_place place_of(const struct making *m,
				  const struct kube_value *v)
{
	return v ? v->at : m->o->at;
}

bool making_mistake(struct making *m, const struct kube_value *v,
		    const char *fmt, ...)
{
	char text[MISTAKE_MAX];
	va_list args;

	if (m->is_closing) {
		m->has_unknown = true;
		return false;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	kube_mistake(m->o, place_of(m, v), "%s%s%s", m->where,
		     *m->where ? ": " : "", text);
	return false;
}

void making_doubt(struct making *m, const struct kube_value *v,
		  const char *fmt, ...)
{
	char text[MISTAKE_MAX];
	va_list args;

	if (m->is_closing)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	kube_doubt(m->o, place_of(m, v), "%s%s%s", m->where,
		   *m->where ? ": " : "", text);
}

size_t making_enter(struct making *m, const char *key, int index)
{
	size_t before = strlen(m->where);

	snprintf(m->where + before, sizeof(m->where) - before,
		 index < 0 ? "%s%s" : "%s%s[%d]", before ? "." : "", key,
		 index);
	return before;
}

void making_leave(struct making *m, size_t before)
{
	m->where[before] = '\0';
}

void *making_alloc(struct making *m, size_t count, size_t size)
{
	void *ret = calloc(count ?: 1, size);

	m->no_memory |= !ret;
	return ret;
}

char *making_text(struct making *m, const char *text)
{
	char *ret = strdup(text);

	m->no_memory |= !ret;
	return ret;
}

bool value_is_absent(const struct kube_value *v)
{
	return !v || v->kind == KUBE_VALUE_NULL;
}

static const char *kind_text(const struct kube_value *v)
{
	static const char *const names[] = {
		[KUBE_VALUE_NULL] = "nothing",
		[KUBE_VALUE_TEXT] = "a single value",
		[KUBE_VALUE_LIST] = "a list",
		[KUBE_VALUE_MAP] = "keys and values",
	};

	return names[v->kind];
}

static bool is_kind(struct making *m, const struct kube_value *v,
		    const char *what, enum kube_value_kind kind)
{
	const struct kube_value wanted = { .kind = kind };

	if (v->kind == kind)
		return true;
	return making_mistake(m, v, "%s needs %s, not %s", what,
			      kind_text(&wanted), kind_text(v));
}

/* Who writes by hand makes slips; what an API has is of a newer one. */
static void unknown_field(struct making *m, const struct kube_value *v,
			  const char *what, const char *const *keys)
{
	const char *near = suggest(v->key, keys);
	struct kube_value at = { .at = v->key_at };

	m->has_unknown = true;
	if (m->o->is_strict && near)
		making_mistake(m, &at,
			       "unknown field \"%.40s\" in %s; did you mean \"%s\"?",
			       v->key, what, near);
	else if (m->o->is_strict)
		making_mistake(m, &at, "unknown field \"%.40s\" in %s",
			       v->key, what);
	else
		making_doubt(m, &at, "unknown field \"%.40s\" in %s: it is closed",
			     v->key, what);
}

bool making_fields(struct making *m, const struct kube_value *v,
		   const char *what, const char *const *keys,
		   const struct kube_value **ret)
{
	if (!is_kind(m, v, what, KUBE_VALUE_MAP))
		return false;
	for (const struct kube_value *f = v->first; f; f = f->next) {
		int i = 0;

		while (keys[i] && strcmp(keys[i], f->key))
			i++;
		if (!keys[i])
			unknown_field(m, f, what, keys);
		else if (!value_is_absent(f))
			ret[i] = f;
	}
	return true;
}

bool making_list(struct making *m, const struct kube_value *v,
		 const char *what)
{
	return is_kind(m, v, what, KUBE_VALUE_LIST);
}

const char *making_word(struct making *m, const struct kube_value *v,
			const char *what)
{
	return is_kind(m, v, what, KUBE_VALUE_TEXT) ? v->text : NULL;
}

bool making_number(struct making *m, const struct kube_value *v,
		   const char *what, __u32 min, __u32 max, __u32 *ret)
{
	const char *text = making_word(m, v, what);
	__u64 number = 0;

	if (!text)
		return false;
	for (const char *p = text; *p >= '0' && *p <= '9' && number <= max; p++)
		number = 10 * number + *p - '0';
	if (!v->is_number || *text == '-' || number < min || number > max)
		return making_mistake(m, v,
				      "%s \"%.40s\" is not a number from %u to %u",
				      what, text, min, max);
	*ret = number;
	return true;
}

bool making_prefix(struct making *m, const struct kube_value *v,
		   const char *what, struct model_prefix *ret)
{
	const char *text = making_word(m, v, what);

	if (!text)
		return false;
	if (!kube_prefix(text, ret))
		return making_mistake(m, v,
				      "%s \"%.64s\" is not a prefix such as \"192.0.2.0/24\"",
				      what, text);
	return true;
}

/* As IANA has names of services, but "80" is one as well: of no port. */
static bool is_port_name(const char *text)
{
	size_t len = strlen(text);

	return len && len <= 15 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
	       text[0] != '-' && text[len - 1] != '-';
}

bool making_port_name(struct making *m, const struct kube_value *v,
		      struct model_policy_port *ret)
{
	const char *text = making_word(m, v, "port");

	if (!text)
		return false;
	if (!is_port_name(text))
		return making_mistake(m, v,
				      "port \"%.40s\" is neither a number from 1 to 65535 nor the name of one",
				      text);
	ret->name = making_text(m, text);
	return ret->name;
}

bool making_port(struct making *m, const struct kube_value *v,
		 struct model_policy_port *ret)
{
	__u32 port = 0;

	if (v->kind == KUBE_VALUE_TEXT && !v->is_number)
		return making_port_name(m, v, ret);
	if (!making_number(m, v, "port", 1, 65535, &port))
		return false;
	ret->first = ret->last = port;
	return true;
}

void rule_close(struct making *m, struct model_rule *rule)
{
	struct model_peer *nobody = making_alloc(m, 1, sizeof(*nobody));
	const enum policy_action action = rule->action;

	if (!nobody)
		return;
	nobody->kind = PEER_NOBODY;
	model_rule_clear(rule);
	*rule = (struct model_rule){ .action = action, .peers = nobody,
				     .nr_peers = 1 };
}
