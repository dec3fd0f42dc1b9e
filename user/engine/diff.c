// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Says what a plan would do, a line each, and does nothing of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "plan.h"

struct diff {
	FILE *out;
	const char *service;
	unsigned int nr;
};

/* As people write them: what is in force looks like a definition. */
static const char *entry_text(const struct service *e,
			      char text[static SERVICE_TEXT_MAX])
{
	struct model_service def = {
		.addr = e->addr,
		.prefix_len = e->prefix_len,
		.proto = e->proto,
		.port_first = e->port_first,
		.port_last = e->port_last,
	};

	return model_service_text(&def, text);
}

static void say_service(struct diff *d, char sign, const struct service *e)
{
	char text[SERVICE_TEXT_MAX];

	fprintf(d->out, "%c service %s: %s, %s, %s\n", sign, d->service,
		entry_text(e, text), forward_name(e->forward),
		algorithm_name(e->algorithm));
	d->nr++;
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

static void say_seconds(struct diff *d, const char *what, __u32 old, __u32 new)
{
	if (old == new)
		return;
	fprintf(d->out, "~ service %s: %s %u s -> %u s\n", d->service, what,
		old, new);
	d->nr++;
}

static const char *stateless_text(const struct service *e)
{
	return e->flags & SERVICE_STATELESS ? "yes" : "no";
}

static void say_entry(struct diff *d, const struct service *old,
		      const struct service *new)
{
	char text[2][SERVICE_TEXT_MAX];

	say_change(d, "address", entry_text(old, text[0]),
		   entry_text(new, text[1]));
	say_change(d, "forward", forward_name(old->forward),
		   forward_name(new->forward));
	say_change(d, "algorithm", algorithm_name(old->algorithm),
		   algorithm_name(new->algorithm));
	say_change(d, "stateless", stateless_text(old), stateless_text(new));
	say_seconds(d, "affinity", old->affinity_s, new->affinity_s);
	say_seconds(d, "idle", old->idle_s, new->idle_s);
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
	} else if (!w->index || old->state == BACKEND_LEAVING) {
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

static void say_planned(struct diff *d, const struct state *s,
			const struct change *c)
{
	d->service = c->def->name;
	if (!c->id)
		say_service(d, '+', &c->entry);
	else
		say_entry(d, book_entry(s, c->id), &c->entry);
	say_sources(d, &s->admissions[c->id ? book_entry(s, c->id)->sources : 0],
		    c->def);
	for (size_t i = 0; i < c->nr_wanted; i++)
		say_wanted(d, s, &c->wanted[i]);
}

unsigned int reconcile_diff(struct state *s, const struct model *m, FILE *out)
{
	__cleanup(plan_clear) struct plan p = {};
	struct diff d = { .out = out };

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
