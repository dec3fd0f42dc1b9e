// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What every source does alike with its parts, see source.h. */
#include <stdlib.h>

#include "source.h"

void part_free(struct part *p)
{
	if (!p)
		return;
	native_clear(&p->native);
	for (size_t i = 0; i < p->nr_objects; i++) {
		p->objects[i]->origin = NULL;
		kube_object_free(p->objects[i]);
	}
	free(p->objects);
	free(p);
}

struct part *part_of_object(const char *path, struct kube_object *object)
{
	struct part *p = calloc(1, sizeof(*p));
	struct kube_object **list = calloc(1, sizeof(*list));

	if (!p || !list || !object) {
		free(p);
		free(list);
		kube_object_free(object);
		return NULL;
	}
	list[0] = object;
	object->origin = p;
	*p = (struct part){
		.path = path, .is_live = true,
		.objects = list, .nr_objects = 1,
	};
	return p;
}

void part_adopt(struct part *p)
{
	for (size_t i = 0; i < p->native.nr_services; i++)
		p->native.services[i].owner = p;
	for (size_t i = 0; i < p->native.nr_items; i++)
		p->native.items[i].owner = p;
}

static __u32 line_of(const struct part *p, struct place at)
{
	return at.line ? p->first_line + at.line : 0;
}

void part_error(struct report *r, const struct part *p, struct place at,
		const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_verror(r, p->path, line_of(p, at), at.column, fmt, args);
	va_end(args);
}

void part_refuse(struct report *r, const struct part *p, struct place at,
		 const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_vrefused(r, p->path, line_of(p, at), at.column, fmt, args);
	va_end(args);
}

const char *part_place(const struct part *p, struct place at,
		       char text[static PLACE_TEXT_MAX])
{
	if (at.line)
		snprintf(text, PLACE_TEXT_MAX, "%.480s:%u:%u", p->path,
			 line_of(p, at), at.column);
	else
		snprintf(text, PLACE_TEXT_MAX, "%.480s", p->path);
	return text;
}

struct part *part_walk_next(struct part_walk *w)
{
	const struct source *s = w->s;

	while (w->at < s->nr_parts) {
		struct part *p = s->parts[w->at++];

		if (!s->is_held || p->is_taken)
			return p;
	}
	while (s->is_held && w->dead) {
		struct part *p = w->dead;

		w->dead = p->next_dead;
		if (p->is_taken)
			return p;
	}
	return NULL;
}

void source_free_dead(struct source *s)
{
	struct part **at = &s->dead, *p;

	while ((p = *at)) {
		if (s->is_held && p->is_taken) {
			at = &p->next_dead;
			continue;
		}
		*at = p->next_dead;
		part_free(p);
	}
}

void source_bury(struct source *s, struct part *p)
{
	p->is_live = false;
	p->next_dead = s->dead;
	s->dead = p;
}
