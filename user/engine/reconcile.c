// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Carries a plan out. Everything that it takes is there, so what can fail
 * here is a map that cannot be mapped or a refused system call. Writes go in
 * the order that reconcile.h promises, and all removals come last: a cell
 * that goes from one service to another is never empty in between.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "plan.h"
#include "settings.h"

static void free_flags(bool **flags)
{
	free(*flags);
}

static __u32 backend_make(struct state *s, struct backend b, __u32 id,
			  __u32 now_s)
{
	__u32 index = pool_take(&s->backends);
	struct backend *entry = &s->t->backends[index];
	const bool was_used = entry->generation;

	b.generation = entry->generation + 1;
	if (!b.generation)
		b.generation = 1;
	b.service = id;
	b.changed_s = now_s;
	*entry = b;
	filter_backend(s->t, index);
	if (s->host.way)
		s->host.way(s->host.arg, index, entry);
	if (was_used && s->t->backend_stats_reset)
		s->t->backend_stats_reset(s->t, index);
	return index;
}

/* Entries of all that stay or come; those that leave are left alone. */
static void write_backends(struct state *s, struct change *c,
			   struct reconcile_result *ret, __u32 now_s)
{
	for (size_t i = 0; i < c->nr_wanted; i++) {
		struct wanted *w = &c->wanted[i];
		struct backend *b, want = backend_wanted(s, w);

		c->leaves[i] = w->leaves;
		if (!w->index) {
			w->index = backend_make(s, want, c->id, now_s);
			ret->backends_added++;
		} else if (w->def && backend_differs(s, w)) {
			b = &s->t->backends[w->index];
			b->weight_defined = want.weight_defined;
			b->state_defined = want.state_defined;
			b->state_health = want.state_health;
			b->weight = want.weight;
			b->flags = want.flags;
			ret->backends_added += backend_left(b);
			ret->backends_changed += !backend_left(b);
			backend_state_store(b, want.state, now_s);
		}
		c->backends[i] = w->index;
	}
}

/* An entry that no cell leads to yet, at an address that is held. */
static int make_entry(struct state *s, struct wanted_entry *w)
{
	int ret = admission_write(s, w->entry.sources);

	if (ret)
		return ret;
	w->index = pool_take(&s->entries);
	s->t->services[w->index] = w->entry;
	ret = vip_hold(s, &w->entry);
	if (ret) {
		pool_give(&s->entries, w->index);
		w->index = 0;
	}
	return ret;
}

/* Entries that differ from those in force, made; all of them, or none. made:
 * a bit for each, as others have an index as well. */
static int make_entries(struct state *s, struct change *c, bool *made,
			__u32 now_s)
{
	struct wanted_entry *w = c->entries;
	__u32 i;
	int ret = 0;

	for (i = 0; i < c->nr_entries && !ret; i++) {
		made[i] = !w[i].index;
		ret = made[i] ? make_entry(s, &w[i]) : 0;
	}
	if (!ret)
		return 0;
	for (made[--i] = false; i--;) {
		if (!made[i])
			continue;
		vip_drop(s, &w[i].entry, now_s);
		pool_give(&s->entries, w[i].index);
		w[i].index = 0;
	}
	return ret;
}

/* From here on the book has them; what cannot be found yet, for want of cells,
 * is so after they have grown. */
static int publish_entries(struct state *s, struct change *c, const bool *made)
{
	struct service_book *book = &s->books[c->id];
	int ret = 0, err;

	c->old_entries = book->entries;
	c->nr_old = book->nr_entries;
	book->entries = take_ptr(c->next_entries);
	book->nr_entries = c->nr_entries;
	for (__u32 i = 0; i < c->nr_entries; i++)
		book->entries[i] = c->entries[i].index;
	for (__u32 i = 0; i < c->nr_entries; i++) {
		if (!made[i])
			continue;
		admission_hold(s, c->entries[i].entry.sources);
		err = cells_put(s, c->entries[i].index);
		ret = ret ? ret : err;
		err = filter_hold(s, &c->entries[i].entry);
		ret = ret ? ret : err;
	}
	return ret;
}

/* Publish entries of c that differ from those in force. */
static int write_entries(struct state *s, struct change *c, __u32 now_s)
{
	__cleanup(free_flags) bool *made = calloc(c->nr_entries, sizeof(*made));
	int ret = made ? make_entries(s, c, made, now_s) : -ENOMEM;

	return ret ? ret : publish_entries(s, c, made);
}

static void write_info(struct state *s, const struct change *c, __u32 now_s)
{
	struct service_info *info = &s->t->infos[c->id];

	*info = (struct service_info){ .changed_s = now_s };
	strncpy(info->name, c->def->name, sizeof(info->name) - 1);
}

static int write_slots(struct state *s, struct change *c, __u32 now_s)
{
	const struct service *old = s->books[c->id].nr_entries ?
				    book_entry(s, c->id) : NULL;
	struct layout layout = {
		.id = c->id,
		.old = old,
		.new = &c->entries[0].entry,
		.backends = s->books[c->id].backends,
		.leaves = c->leaves,
		.nr_backends = c->nr_wanted,
	};

	return layout_write(s, &layout, now_s);
}

static void make_id(struct state *s, struct change *c, __u32 now_s)
{
	c->id = pool_take(&s->ids);
	free(s->books[c->id].entries);	/* of one that made no sense */
	free(s->books[c->id].backends);
	s->books[c->id] = (struct service_book){};
	for (__u32 i = 0; i < c->nr_entries; i++)
		c->entries[i].entry.id = c->id;
	write_info(s, c, now_s);
}

/* Backends, slots, sources, service, cells, filter. */
static int write_change(struct state *s, struct change *c,
			struct reconcile_result *ret, __u32 now_s)
{
	const struct service *e = &c->entries[0].entry;
	struct service_book *book;
	int written, err;

	if (!c->id)
		make_id(s, c, now_s);
	book = &s->books[c->id];
	write_backends(s, c, ret, now_s);
	free(book->backends);
	book->backends = take_ptr(c->backends);
	book->nr_backends = c->nr_wanted;
	if (c->def)
		book->nr_defined = c->def->nr_backends;
	written = write_slots(s, c, now_s);
	err = written < 0 ? written : write_entries(s, c, now_s);
	if (err && c->moves && c->next_entries)	/* nothing is published */
		ranges_free(&s->slots, e->slot_base, service_slots(e));
	if (written > 0)
		ret->slots_written += written;
	c->differs |= written > 0;
	return err;
}

static void leave(struct state *s, struct change *c,
		  struct reconcile_result *ret, __u32 now_s)
{
	struct service_book *book = &s->books[c->id];
	struct backend *b;

	book->nr_leaving = 0;
	for (size_t i = 0; i < c->nr_wanted; i++) {
		if (!c->wanted[i].leaves)
			continue;
		book->nr_leaving++;
		b = &s->t->backends[c->wanted[i].index];
		if (backend_left(b))
			continue;
		b->flags &= ~(BACKEND_SET_STATE | BACKEND_SET_WEIGHT);
		backend_state_store(b, c->wanted[i].leaves, now_s);
		ret->backends_removed++;
	}
}

/* Filter, cells, service, sources: what an entry that is out of force had. */
static int give_up_entry(struct state *s, __u32 entry, __u32 now_s)
{
	const struct service *e = &s->t->services[entry];
	int ret;

	if (front_is_kept(e) && !front_is_node(&e->addr))
		kept_hold(s, &e->addr, now_s);
	ret = filter_drop(s, e);
	cells_del(s, entry);
	vip_drop(s, e, now_s);
	retire(s, RETIRED_ENTRY, entry, 0, now_s);
	admission_drop(s, e->sources, now_s);
	return ret;
}

/* Entries that the service had, but those that it has still; and ranges of
 * slots that none of them has now. */
static int give_up_entries(struct state *s, const __u32 *entries, __u32 nr,
			   const struct service_book *book, __u32 now_s)
{
	const struct service *e, *now = book->nr_entries ?
			&s->t->services[book->entries[0]] : NULL;
	int ret = 0, err;

	for (__u32 i = 0; i < nr; i++) {
		e = &s->t->services[entries[i]];
		if (range_is_first(s, entries, i) &&
		    (!now || !service_slots(now) ||
		     now->slot_base != e->slot_base))
			retire(s, RETIRED_RANGE, e->slot_base, service_slots(e),
			       now_s);
		err = book_has(book, entries[i]) ?
			      0 : give_up_entry(s, entries[i], now_s);
		ret = ret ? ret : err;
	}
	return ret;
}

static int finish_change(struct state *s, struct change *c,
			 struct reconcile_result *ret, __u32 now_s)
{
	struct service_book *book = &s->books[c->id];
	int r = give_up_entries(s, c->old_entries, c->nr_old, book, now_s);

	leave(s, c, ret, now_s);
	local_nat_count(s, c->id);
	book->digest = c->digest;
	return r;
}

/* Backends and id of a service that has no entries any more, to be given away
 * after the grace period. */
static void retire_service(struct state *s, __u32 id, __u32 now_s)
{
	struct service_book *book = &s->books[id];

	for (__u32 i = 0; i < book->nr_backends; i++)
		retire(s, RETIRED_BACKEND, book->backends[i], 0, now_s);
	free(book->backends);
	*book = (struct service_book){};
	s->t->infos[id] = (struct service_info){};
	retire(s, RETIRED_ID, id, 0, now_s);
}

static int remove_service(struct state *s, __u32 id,
			  struct reconcile_result *ret, __u32 now_s)
{
	struct service_book *book = &s->books[id], was = *book;
	const __u8 left = leaving_state(book_entry(s, id));
	const bool is_kept = was.nr_backends &&
			     front_is_kept(book_entry(s, id));
	int r;

	s->nr_local_nat -= was.has_local_nat;
	*book = (struct service_book){
		.backends = was.backends,
		.nr_backends = was.nr_backends,
		.nr_leaving = was.nr_backends,
		.written_s = now_s,
	};
	/* before the entries go: it tells what a death in between leaves */
	for (__u32 i = 0; i < book->nr_backends; i++) {
		struct backend *b = &s->t->backends[book->backends[i]];

		ret->backends_removed += !backend_left(b);
		backend_state_store(b, left, now_s);
	}
	r = give_up_entries(s, was.entries, was.nr_entries, book, now_s);
	free(was.entries);
	if (is_kept)
		kept_add_gone(s, id);
	else
		retire_service(s, id, now_s);
	ret->removed++;
	return r;
}

/* Everything is there that it takes; what fails yet (a map that cannot be
 * mapped) leaves its service as it was, to be tried again. */
static int carry_out(struct state *s, struct plan *p,
		     struct reconcile_result *ret, __u32 now_s)
{
	struct change *c;
	int err = 0, r;
	bool is_new;

	for (c = p->changes; c < p->changes + p->nr_changes; c++) {
		is_new = !c->id;
		r = write_change(s, c, ret, now_s);
		if (r) {
			c->digest = 0;
			err = err ? err : r;
		}
		if (p->order)
			p->order[c->place] = c->id;
		ret->added += is_new;
		ret->changed += !is_new && c->differs;
	}
	for (size_t i = 0; i < p->nr_changes; i++) {
		r = finish_change(s, &p->changes[i], ret, now_s);
		err = err ? err : r;
	}
	for (size_t i = 0; i < p->nr_removed; i++) {
		r = remove_service(s, p->removed[i], ret, now_s);
		err = err ? err : r;
	}
	plan_release(s, p, now_s);
	return err;
}

/* Cells are few enough, and yet four buckets in a row are full: it takes
 * chance of a kind that nobody sees, and other buckets. */
static struct table_sizes more_cells(const struct state *s)
{
	return (struct table_sizes){
		.services = s->t->nr_services,
		.backends = s->t->nr_backends,
		.slots = s->t->nr_slots,
		.cell_buckets = 2 * s->t->cell_buckets,
		.conn_buckets = s->t->conn_buckets,
	};
}

/* By what differs, if that is known; a limit that it seems to pass is looked at
 * with all that there is. */
static int plan_model(struct state *s, struct plan *p, const struct model *m,
		      char *text)
{
	int err = plan_changes(s, p, m);

	if (!err)
		err = plan_check_limits(s, p, m, text);
	if (err != -ESTALE && err != -E2BIG)
		return err;
	plan_undo(s, p);
	plan_clear(p);
	*p = (struct plan){};
	return plan_all(s, p, m) ?: plan_check_limits(s, p, m, text);
}

/* What is in force from now on, if nothing of it failed. */
static void remember(struct state *s, const struct model *m,
		     const struct plan *p, int err)
{
	state_forget_set(s);
	if (err || !m->set || m->is_partial)
		return;
	s->set = service_set_hold(m->set);
	s->totals = p->totals;
	s->idle_tcp_s = m->idle_tcp_s;
	s->idle_udp_s = m->idle_udp_s;
	s->idle_sctp_s = m->idle_sctp_s;
}

int reconcile(struct state *s, const struct model *m, __u32 now_s,
	      struct reconcile_result *ret,
	      char text[static RECONCILE_TEXT_MAX])
{
	__cleanup(plan_clear) struct plan p = {};
	int err;

	*ret = (struct reconcile_result){};
	text[0] = '\0';
	ret->needed = more_cells(s);
	err = state_resize(s);
	if (!err)
		err = conns_ask(s, now_s);
	if (!err)
		err = plan_model(s, &p, m, text);
	if (!err)
		err = plan_check_room(s, &p, &ret->needed);
	if (!err)
		err = plan_reserve(s, &p);
	if (err) {
		plan_undo(s, &p);
		return err;
	}

	settings_write(s->t, m);
	node_addrs_define(s, m);
	err = carry_out(s, &p, ret, now_s);
	if (!err)
		err = node_addrs_update(s, now_s);
	if (err == -ENOSPC)
		ret->needed = more_cells(s);
	ret->unchanged = p.nr_order - ret->added - ret->changed;
	free(s->order);
	s->order = take_ptr(p.order);
	s->nr_order = p.nr_order;
	remember(s, m, &p, err);
	own_update(s);
	return err;
}

int service_relayout(struct state *s, __u32 id, __u32 now_s)
{
	__cleanup(plan_clear) struct plan p = {};
	struct reconcile_result result = {};
	struct table_sizes needed;
	int err;

	state_forget_set(s);
	err = plan_relayout(s, &p, id);
	if (!err)
		err = plan_check_room(s, &p, &needed);
	if (!err)
		err = plan_reserve(s, &p);
	if (err) {
		s->books[id].digest = 0;
		plan_undo(s, &p);
		return err;
	}
	return carry_out(s, &p, &result, now_s);
}
