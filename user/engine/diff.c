// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Says what a plan would do, a line each, and does nothing of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "model/service_field.h"
#include "plan.h"
#include "settings.h"

struct diff {
	FILE *out;
	const char *service;
	unsigned int nr;
};

/* As people write them: what is in force looks like a definition. */
static const char *entry_text(const struct service *e,
			      char text[static FRONT_TEXT_MAX])
{
	struct model_front front = entry_front(e);

	return model_front_text(&front, e->proto, text);
}

static void say_front(struct diff *d, char sign, const struct service *e)
{
	char text[FRONT_TEXT_MAX];

	fprintf(d->out, "%c address %s: %s%s%s\n", sign, d->service,
		entry_text(e, text), e->tunnel ? ", " : "",
		e->tunnel ? forward_name(e->tunnel) : "");
	d->nr++;
}

static void say_service(struct diff *d, char sign, const struct service *e)
{
	char text[FRONT_TEXT_MAX];

	fprintf(d->out, "%c service %s: %s, %s, %s\n", sign, d->service,
		entry_text(e, text), forward_name(e->forward),
		algorithm_name(e->algorithm));
	d->nr++;
}

static bool is_same_front(const struct service *a, const struct service *b)
{
	struct model_front x = entry_front(a), y = entry_front(b);

	return a->proto == b->proto && !model_front_compare(&x, &y);
}

/* The entry in force at e's address and ports; NULL: none is. */
static const struct service *in_force(const struct state *s, __u32 id,
				      const struct service *e)
{
	const struct service_book *book = &s->books[id];
	const struct service *entry;

	for (__u32 i = 0; i < book->nr_entries; i++) {
		entry = &s->t->services[book->entries[i]];
		if (is_same_front(entry, e))
			return entry;
	}
	return NULL;
}

static bool is_wanted(const struct change *c, const struct service *e)
{
	for (__u32 i = 0; i < c->nr_entries; i++)
		if (is_same_front(&c->entries[i].entry, e))
			return true;
	return false;
}

static void say_change(struct diff *d, const char *what, const char *old,
		       const char *new)
{
	if (!strcmp(old, new))
		return;
	fprintf(d->out, "~ service %s: %s %s -> %s\n", d->service, what, old,
		new);
	d->nr++;
}

/* That stays where it is. */
static void say_tunnel(struct diff *d, const struct service *old,
		       const struct service *new)
{
	char text[FRONT_TEXT_MAX];

	if (old->tunnel == new->tunnel)
		return;
	fprintf(d->out, "~ address %s: %s, %s -> %s\n", d->service,
		entry_text(new, text), forward_name(old->tunnel),
		forward_name(new->tunnel));
	d->nr++;
}

/* Front ends, but for a service that has one and had one: it moves. */
static void say_fronts(struct diff *d, const struct state *s,
		       const struct change *c)
{
	const struct service_book *book = &s->books[c->id];
	char text[2][FRONT_TEXT_MAX];
	const struct service *e;

	if (book->nr_entries == 1 && c->nr_entries == 1) {
		say_change(d, "address", entry_text(book_entry(s, c->id),
						    text[0]),
			   entry_text(&c->entries[0].entry, text[1]));
		return;
	}
	for (__u32 i = 0; i < book->nr_entries; i++) {
		e = &s->t->services[book->entries[i]];
		if (!is_wanted(c, e))
			say_front(d, '-', e);
	}
	for (__u32 i = 0; i < c->nr_entries; i++) {
		e = in_force(s, c->id, &c->entries[i].entry);
		if (e)
			say_tunnel(d, e, &c->entries[i].entry);
		else
			say_front(d, '+', &c->entries[i].entry);
	}
}

/* What an entry says of a definition's fields. */
static struct model_service entry_definition(const struct service *e)
{
	return (struct model_service){
		.proto = e->proto,
		.forward = e->forward,
		.algorithm = e->algorithm,
		.stateless = e->flags & SERVICE_STATELESS,
		.affinity_s = e->affinity_s,
		.idle_s = e->idle_s,
	};
}

static void say_entry(struct diff *d, const struct service *old,
		      const struct service *new)
{
	struct model_service was = entry_definition(old);
	struct model_service is = entry_definition(new);
	char text[2][SERVICE_FIELD_TEXT_MAX];

	for (int i = 0; i < NR_SERVICE_FIELDS; i++)
		say_change(d, service_field_key(i),
			   service_field_text(i, &was, text[0]),
			   service_field_text(i, &is, text[1]));
}

static void say_backend(struct diff *d, char sign, const struct backend *b)
{
	char addr[ADDR_TEXT_MAX];

	fprintf(d->out, addr_is4(&b->addr) ? "%c backend %s: %s:%u" :
					     "%c backend %s: [%s]:%u",
		sign, d->service, addr_format(&b->addr, addr), ntohs(b->port));
	d->nr++;
}

static void say_wanted(struct diff *d, const struct state *s,
		       const struct wanted *w)
{
	const struct backend *old = &s->t->backends[w->index];
	struct backend new = backend_wanted(s, w);

	if (!backend_differs(s, w))
		return;
	if (w->leaves) {
		say_backend(d, '-', old);
		fputs("\n", d->out);
	} else if (!w->index || backend_left(old)) {
		say_backend(d, '+', &new);
		fprintf(d->out, ", weight %u, %s\n", new.weight_defined,
			backend_state_name(new.state));
	} else {
		say_backend(d, '~', old);
		fprintf(d->out, ", weight %u -> %u, %s -> %s\n",
			old->weight_defined, new.weight_defined,
			backend_state_name(old->state_defined),
			backend_state_name(new.state_defined));
	}
}

static void say_source(struct diff *d, char sign, const struct model_source *m)
{
	char text[SOURCE_TEXT_MAX];

	fprintf(d->out, "%c source %s: %s %s\n", sign, d->service,
		m->allow ? "allow" : "deny", model_source_text(m, text));
	d->nr++;
}

/* Of two sorted lists, what only one of them says. */
static void say_sources(struct diff *d, const struct admission_book *old,
			const struct model_service *def)
{
	const struct model_source *was = old->sources, *is = def->sources;
	const struct model_source *was_end = was + old->nr_sources;
	const struct model_source *is_end = is + def->nr_sources;
	int order;

	while (was < was_end || is < is_end) {
		order = was == was_end ? 1 : is == is_end ? -1 :
			admission_compare(was, is);
		if (!order && was->allow == is->allow) {
			was++;
			is++;
			continue;
		}
		if (order <= 0)
			say_source(d, '-', was++);
		if (order >= 0)
			say_source(d, '+', is++);
	}
}

/* A service that is there already. */
static void say_changed(struct diff *d, const struct state *s,
			const struct change *c)
{
	say_fronts(d, s, c);
	say_entry(d, book_entry(s, c->id), &c->entries[0].entry);
}

static void say_new(struct diff *d, const struct change *c)
{
	say_service(d, '+', &c->entries[0].entry);
	for (__u32 i = 1; i < c->nr_entries; i++)
		say_front(d, '+', &c->entries[i].entry);
}

static void say_planned(struct diff *d, const struct state *s,
			const struct change *c)
{
	__u32 list = c->id ? book_entry(s, c->id)->sources : 0;

	d->service = c->def->name;
	if (c->id)
		say_changed(d, s, c);
	else
		say_new(d, c);
	say_sources(d, &s->admissions[list], c->def);
	for (size_t i = 0; i < c->nr_wanted; i++)
		say_wanted(d, s, &c->wanted[i]);
}

unsigned int reconcile_diff(struct state *s, const struct model *m, FILE *out)
{
	__cleanup(plan_clear) struct plan p = {};
	struct diff d = { .out = out, .nr = settings_diff(s->t, m, out) };

	if (!state_resize(s) && !plan_all(s, &p, m)) {
		for (size_t i = 0; i < p.nr_changes; i++)
			if (p.changes[i].differs)
				say_planned(&d, s, &p.changes[i]);
		for (size_t i = 0; i < p.nr_removed; i++) {
			d.service = s->t->infos[p.removed[i]].name;
			say_service(&d, '-', book_entry(s, p.removed[i]));
		}
	}
	plan_undo(s, &p);
	return d.nr;
}
