// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Labels, and selectors of them (meta/v1 LabelSelector), see making.h. */
#include <stdlib.h>
#include <string.h>

#include "making.h"

#define KEY_PART_MAX 63
#define KEY_PREFIX_MAX 253

static bool has_only(const char *text, size_t len, const char *others)
{
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= '0' && text[i] <= '9') ||
		      ((text[i] | 32) >= 'a' && (text[i] | 32) <= 'z') ||
		      strchr(others, text[i])))
			return false;
	return true;
}

/* "app", "example.com/app". */
static bool is_key(const char *text)
{
	const char *slash = strchr(text, '/');
	const char *part = slash ? slash + 1 : text;
	size_t len = strlen(part);

	if (slash && (slash == text || slash - text > KEY_PREFIX_MAX ||
		      !has_only(text, slash - text, "-.")))
		return false;
	return len && len <= KEY_PART_MAX && has_only(part, len, "-_.");
}

static bool check_key(struct making *m, const struct kube_value *at,
		      const char *key)
{
	return is_key(key) ||
	       making_mistake(m, at, "\"%.80s\" is not the key of a label",
			      key);
}

const char *kube_label(const struct kube_value *labels, const char *key)
{
	if (!labels || labels->kind != KUBE_VALUE_MAP)
		return NULL;
	for (const struct kube_value *v = labels->first; v; v = v->next)
		if (!strcmp(v->key, key) && v->kind <= KUBE_VALUE_TEXT)
			return v->text ?: "";
	return NULL;
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct model_label *)a)->key,
		      ((const struct model_label *)b)->key);
}

/* null is "", as in the API. */
static bool read_label(struct making *m, const struct kube_value *v,
		       struct model_label *ret)
{
	const struct kube_value key = { .at = v->key_at };

	if (!check_key(m, &key, v->key))
		return false;
	if (v->kind > KUBE_VALUE_TEXT)
		return making_mistake(m, v, "label \"%.80s\" needs text",
				      v->key);
	ret->key = making_text(m, v->key);
	ret->value = making_text(m, v->text ?: "");
	return ret->key && ret->value;
}

/* One key twice: the last one counts, as in JSON. */
static void drop_doubles(struct model_labels *l)
{
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (i + 1 < l->count &&
		    !strcmp(l->label[i].key, l->label[i + 1].key)) {
			free(l->label[i].key);
			free(l->label[i].value);
		} else {
			l->label[count++] = l->label[i];
		}
	}
	l->count = count;
}

bool making_labels(struct making *m, const struct kube_value *v,
		   struct model_labels *ret)
{
	bool ok = true;

	if (value_is_absent(v))
		return true;
	if (v->kind != KUBE_VALUE_MAP)
		return making_mistake(m, v, "labels need keys and values") ||
		       m->is_closing;
	ret->label = making_alloc(m, v->count, sizeof(*ret->label));
	if (!ret->label)
		return false;
	for (v = v->first; v; v = v->next) {
		ok &= read_label(m, v, &ret->label[ret->count]);
		ret->count += ret->label[ret->count].key != NULL;
	}
	if (m->no_memory || (!ok && !m->is_closing))
		return false;
	qsort(ret->label, ret->count, sizeof(*ret->label), compare_labels);
	drop_doubles(ret);
	return true;
}

/* As read: key, op, values of what is in memory of its own. */
static bool read_values(struct making *m, const struct kube_value *v,
			struct model_requirement *ret)
{
	ret->values = making_alloc(m, v->count, sizeof(*ret->values));
	if (!ret->values)
		return false;
	for (v = v->first; v; v = v->next) {
		const char *text = making_word(m, v, "a value");

		if (!text)
			return false;
		ret->values[ret->nr_values++] = making_text(m, text);
	}
	return !m->no_memory;
}

static bool read_match_label(struct making *m, const struct kube_value *v,
			     struct model_requirement *ret)
{
	struct model_label l = {};

	if (!read_label(m, v, &l)) {
		free(l.key);
		free(l.value);
		return false;
	}
	ret->key = l.key;
	ret->op = LABEL_IN;
	ret->values = making_alloc(m, 1, sizeof(*ret->values));
	if (!ret->values) {
		free(l.value);
		return false;
	}
	ret->values[ret->nr_values++] = l.value;
	return true;
}

static const char *const op_names[] = {
	[LABEL_IN] = "In",
	[LABEL_NOT_IN] = "NotIn",
	[LABEL_EXISTS] = "Exists",
	[LABEL_DOES_NOT_EXIST] = "DoesNotExist",
};

static bool read_op(struct making *m, const struct kube_value *v,
		    enum label_op *ret)
{
	const char *text = making_word(m, v, "operator");

	for (int i = 0; text && i <= LABEL_DOES_NOT_EXIST; i++) {
		if (strcmp(text, op_names[i]))
			continue;
		*ret = i;
		return true;
	}
	return text && making_mistake(m, v,
				      "operator \"%.40s\" is none of In, NotIn, Exists, DoesNotExist",
				      text);
}

static bool read_expression(struct making *m, const struct kube_value *v,
			    struct model_requirement *ret)
{
	enum { KEY, OPERATOR, VALUES, NR };
	static const char *const keys[] = { "key", "operator", "values", NULL };
	const struct kube_value *f[NR] = {};
	const char *key;
	bool wants_values;

	if (!making_fields(m, v, "matchExpressions", keys, f))
		return false;
	if (!f[KEY] || !f[OPERATOR])
		return making_mistake(m, v, "matchExpressions: \"%s\" is missing",
				      keys[f[KEY] ? OPERATOR : KEY]);
	key = making_word(m, f[KEY], "key");
	if (!key || !check_key(m, f[KEY], key) ||
	    !read_op(m, f[OPERATOR], &ret->op))
		return false;
	if (f[VALUES] && !making_list(m, f[VALUES], "values"))
		return false;
	wants_values = ret->op <= LABEL_NOT_IN;
	if (wants_values != (f[VALUES] && f[VALUES]->count))
		return making_mistake(m, f[VALUES] ?: v,
				      "operator %s %s", op_names[ret->op],
				      wants_values ? "needs values" :
						     "has no values");
	ret->key = making_text(m, key);
	return ret->key && (!wants_values || read_values(m, f[VALUES], ret));
}

static int compare_requirements(const void *a, const void *b)
{
	const struct model_requirement *x = a, *y = b;

	return strcmp(x->key, y->key) ?: (int)x->op - (int)y->op;
}

/* Those that were begun are the selector's, so that they are freed with it. */
static bool read_all(struct making *m, const struct kube_value *labels,
		     const struct kube_value *expressions,
		     struct model_selector *ret)
{
	bool ok = true;

	for (const struct kube_value *v = labels ? labels->first : NULL; v;
	     v = v->next)
		ok &= read_match_label(m, v, &ret->requirement[ret->count++]);
	for (const struct kube_value *v = expressions ? expressions->first :
							NULL; v; v = v->next)
		ok &= read_expression(m, v, &ret->requirement[ret->count++]);
	if (ok && ret->count > 1)
		qsort(ret->requirement, ret->count, sizeof(*ret->requirement),
		      compare_requirements);
	return ok;
}

static bool read_selector(struct making *m, const struct kube_value *v,
			  struct model_selector *ret)
{
	enum { LABELS, EXPRESSIONS, NR };
	static const char *const keys[] = {
		"matchLabels", "matchExpressions", NULL
	};
	const struct kube_value *f[NR] = {};

	if (value_is_absent(v))
		return true;
	if (!making_fields(m, v, "a selector", keys, f))
		return false;
	if (f[LABELS] && f[LABELS]->kind != KUBE_VALUE_MAP)
		return making_mistake(m, f[LABELS],
				      "matchLabels needs keys and values");
	if (f[EXPRESSIONS] &&
	    !making_list(m, f[EXPRESSIONS], "matchExpressions"))
		return false;
	ret->requirement = making_alloc(m,
			(f[LABELS] ? f[LABELS]->count : 0) +
			(f[EXPRESSIONS] ? f[EXPRESSIONS]->count : 0),
			sizeof(*ret->requirement));
	return ret->requirement &&
	       read_all(m, f[LABELS], f[EXPRESSIONS], ret);
}

/* One that has a mistake is of everything: what it is a part of is closed, to
 * all that it may have been meant for. */
bool making_selector(struct making *m, const struct kube_value *v,
		     struct model_selector *ret)
{
	if (read_selector(m, v, ret))
		return true;
	if (m->is_closing)
		model_selector_clear(ret);
	return false;
}
