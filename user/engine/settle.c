// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What time does: entries out of use are given back, slots forget who owned
 * them before, backends that left go, dead connections are swept. A slot may
 * forget when every live flow of it is in conns (its last change is older than
 * the idle limit) and has the slot's own backend; a backend may go when
 * neither a slot nor a live flow names it. So conns is walked, some buckets
 * each tick: soon if anything waits for it, else long before a clock in it
 * comes round and what is dead seems to live again.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/conn.h>
#include <fairlead/hash.h>

#include "base/list.h"
#include "books.h"
#include "model/conns_repair.h"

#define SCAN_INTERVAL_S 10	/* if anything waits, else */
#define SWEEP_INTERVAL_S 30	/* well below CONN_STAMP_TURN_S */
#define PORT_RESTS_S 60		/* likewise, both together */
#define SCAN_WINDOWS 32		/* in a tick */
#define SLOTS_WINDOW 65536

/* A live flow of a slot that is tracked. */
struct scan_flow {
	__u32 slot;		/* index in slots */
	__u32 backend;
};

static void bit_set(__u8 *bits, __u32 i)
{
	bits[i / 8] |= 1 << i % 8;
}

static bool bit_is_set(const __u8 *bits, __u32 i)
{
	return bits[i / 8] >> i % 8 & 1;
}

/* 0 if then is yet to come. */
static __u32 seconds_since(__u32 then, __u32 now_s)
{
	return now_s > then ? now_s - then : 0;
}

/* Nobody's from now on, but records name it until they are swept. */
void unswept_add(struct state *s, __u32 backend, __u32 now_s)
{
	if (!list_room(&s->unswept, s->nr_unswept + 1, &s->max_unswept,
		       sizeof(*s->unswept)))
		return;		/* until the next start */
	s->unswept[s->nr_unswept++] = (struct unswept){ backend, now_s };
}

struct asking {
	struct state *s;
	__u32 now_s;
};

static int ask_record(void *arg, const struct conn_entry *e)
{
	struct asking *a = arg;
	__u32 id = conn_backend(&e->conn);

	if (id < a->s->nr_backends)
		bit_set(a->s->scan.named, id);
	return kept_find(a->s, &e->conn, a->now_s);
}

static bool is_held(const void *arg, __u32 id)
{
	const struct state *s = arg;

	return s->t->backends[id].state != BACKEND_FREE ||
	       bit_is_set(s->scan.named, id);
}

/* What an earlier daemon gave back, records may name yet: it is not given away
 * before they are swept, whatever their few bits of a generation say. */
int conns_ask(struct state *s, __u32 now_s)
{
	struct asking asking = { s, now_s };
	int err = 0;

	if (s->has_asked_conns)
		return 0;
	scan_clear(&s->scan);
	s->scan.named = calloc(1, s->nr_backends / 8 + 1);
	if (!s->scan.named)
		return -ENOMEM;
	if (s->t->conn_buckets)
		err = conns_each(s->t, ask_record, &asking);
	if (!err)
		err = pool_fill(&s->backends, s->nr_backends, is_held, s);
	for (__u32 id = 1; !err && id < s->nr_backends; id++)
		if (bit_is_set(s->scan.named, id) &&
		    s->t->backends[id].state == BACKEND_FREE)
			unswept_add(s, id, now_s);
	scan_clear(&s->scan);
	if (err)
		return err;
	s->has_asked_conns = true;
	filter_repair(s);
	return 0;
}

/* Those that were nobody's when the walk that ends now began. */
static void unswept_give(struct state *s)
{
	size_t i = 0;

	while (i < s->nr_unswept &&
	       seconds_since(s->unswept[i].since_s, s->scan.started_s) > 1)
		pool_give(&s->backends, s->unswept[i++].backend);
	if (!i)
		return;
	s->nr_unswept -= i;
	memmove(s->unswept, s->unswept + i,
		s->nr_unswept * sizeof(*s->unswept));
}

static void give_back(struct state *s, const struct retired *r, __u32 now_s)
{
	switch (r->kind) {
	case RETIRED_ID:
		pool_give(&s->ids, r->index);
		return;
	case RETIRED_ENTRY:
		pool_give(&s->entries, r->index);
		return;
	case RETIRED_RANGE:
		ranges_free(&s->slots, r->index, r->count);
		return;
	case RETIRED_BACKEND:
		backend_state_store(&s->t->backends[r->index], BACKEND_FREE,
				    now_s);
		s->has_freed_backends = true;
		unswept_add(s, r->index, now_s);
		return;
	case RETIRED_ADMISSION:
		admission_give_back(s, r->index);
		return;
	}
}

static void give_back_old(struct state *s, __u32 now_s)
{
	size_t i = 0;

	while (i < s->nr_retired &&
	       seconds_since(s->retired[i].since_s, now_s) >= GRACE_S)
		give_back(s, &s->retired[i++], now_s);
	if (!i)
		return;
	s->nr_retired -= i;
	memmove(s->retired, s->retired + i,
		s->nr_retired * sizeof(*s->retired));
	if (!s->nr_retired) {
		free(s->retired);
		s->retired = NULL;
		s->max_retired = 0;
	}
}

void scan_clear(struct scan *scan)
{
	free(scan->needed);
	free(scan->named);
	free(scan->flows);
	free(scan->dead);
	*scan = (struct scan){
		.next_s = scan->next_s,
		.started_s = scan->started_s,
	};
}

/* Was its last change so long ago that every live flow is in conns? */
static bool is_due(const struct state *s, __u32 id, __u32 now_s)
{
	const struct service_info *info = &s->t->infos[id];

	return info->tracked && seconds_since(info->changed_s, now_s) >
					book_entry(s, id)->idle_s;
}

static bool anything_waits(const struct state *s, __u32 now_s)
{
	if (s->nr_unswept || s->kept.nr_gone || nat_addrs_wait(s))
		return true;
	for (size_t i = 0; i < s->nr_order; i++)
		if (s->books[s->order[i]].nr_leaving ||
		    is_due(s, s->order[i], now_s))
			return true;
	return false;
}

static bool scan_start(struct state *s, __u32 now_s)
{
	struct scan *scan = &s->scan;

	if (now_s < scan->next_s ||
	    (seconds_since(scan->started_s, now_s) < SWEEP_INTERVAL_S &&
	     !anything_waits(s, now_s)))
		return false;
	*scan = (struct scan){
		.active = true,
		.started_s = now_s,
		.next_s = now_s + SCAN_INTERVAL_S,
		.conn_buckets = s->t->conn_buckets,
		.nr_slots = s->t->nr_slots,
		.nr_backends = s->t->nr_backends,
		.needed = calloc(1, s->t->nr_slots / 8 + 1),
		.named = calloc(1, s->t->nr_backends / 8 + 1),
		.flows = calloc(CONNS_WINDOW * CONN_WAYS, sizeof(*scan->flows)),
		.dead = malloc(CONNS_WINDOW * CONN_WAYS * sizeof(*scan->dead)),
	};
	if (!scan->needed || !scan->named || !scan->flows || !scan->dead) {
		scan_clear(scan);
		return false;
	}
	nat_addrs_walk(s);
	kept_walk(s);
	return true;
}

const struct backend *conn_owner(const struct state *s, const struct conn *c)
{
	__u32 id = conn_backend(c);
	const struct backend *b;

	if (!id || id >= s->nr_backends)
		return NULL;
	b = &s->t->backends[id];
	return b->state != BACKEND_FREE &&
	       (__u8)b->generation == c->backend >> CONN_BACKEND_BITS ? b :
									NULL;
}

/*
 * Of a connection that both sides have closed: its backend may remember it for
 * a while (RFC 9293, 3.6.1: TIME-WAIT, 60 s in Linux), and refuse what comes
 * from the same address and port with other numbers, which another client's
 * next connection has. The record keeps the port for its client meanwhile; it
 * makes room for whoever needs it.
 */
static bool port_rests(const struct backend *b, const struct conn_entry *e,
		       __u32 now_s)
{
	return b && !backend_left(b) && e->conn.what & CONN_NAT &&
	       conn_entry_state(e) == CONN_CLOSING &&
	       (e->conn.what & CONN_BOTH_FINS) == CONN_BOTH_FINS &&
	       conn_age(e->conn.time, now_s) < PORT_RESTS_S;
}

/* Who was reset may go on, but nothing that is to go waits for that. */
static bool may_have_ended(const struct state *s, const struct conn_entry *e,
			   __u32 now_s)
{
	return conn_entry_state(e) == CONN_CLOSING &&
	       e->conn.what & CONN_RESET &&
	       conn_age(e->conn.time, now_s) > s->t->runtime->closing_s;
}

/* Dead, or of a backend that is gone. */
static bool is_nobodys(const struct state *s, const struct conn_entry *e,
		       __u32 now_s)
{
	const struct backend *b = conn_owner(s, &e->conn);

	if (conn_is_dead(s->t, e, now_s))
		return !port_rests(b, e, now_s);
	switch (conn_kind(&e->conn)) {
	case FLOW_FRAGMENT:
	case FLOW_PEERS:	/* of no backend's */
		return false;
	case FLOW_AFFINITY:	/* only flows may stay with who leaves */
		return !b || backend_left(b);
	default:
		return !b || b->state == BACKEND_GONE ||
		       (backend_left(b) && may_have_ended(s, e, now_s));
	}
}

/* Flows of tracked services are found in conns, settled slots or not. */
static bool needs_slots(const struct service *e)
{
	return e->slot_count && e->forward != FORWARD_NAT &&
	       !(e->flags & (SERVICE_TRACKED | SERVICE_STATELESS));
}

static void scan_conn(struct state *s, const struct conn_entry *entry)
{
	const struct conn *c = &entry->conn;
	const struct backend *b = conn_owner(s, c);
	const __u32 *key = s->t->hash_key;
	const struct service *e;
	struct flow flow;
	__u64 hash;

	if (!b || conn_kind(c) == FLOW_FRAGMENT)
		return;
	bit_set(s->scan.named, conn_backend(c));
	if (c->what & CONN_NAT && c->nat_addr <= 2 * NAT_ADDRS_MAX)
		s->scan.nat_named[c->nat_addr] = true;
	kept_see(s, c);
	if (conn_kind(c) != FLOW_PACKET || b->service >= s->nr_services ||
	    !s->books[b->service].nr_entries)
		return;
	e = book_entry(s, b->service);
	if (!s->t->infos[e->id].tracked || !needs_slots(e))
		return;
	flow = conn_flow(c);
	hash = flow_hash(key, hash_dst(key, &flow.dst), &flow);
	s->scan.flows[s->scan.nr_flows++] = (struct scan_flow){
		.slot = e->slot_base + slot_index(hash, e->slot_count),
		.backend = conn_backend(c),
	};
}

static int compare_flows(const void *a, const void *b)
{
	const struct scan_flow *x = a, *y = b;

	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* Which slots have flows that are not their backend's? In the order of the
 * slots, so that each window is mapped once. */
static bool scan_flows(struct state *s)
{
	struct scan *scan = &s->scan;
	const struct slot *slots = NULL;
	__u32 base = 0, count = 0;

	qsort(scan->flows, scan->nr_flows, sizeof(*scan->flows),
	      compare_flows);
	for (size_t i = 0; i < scan->nr_flows; i++) {
		const struct scan_flow *f = &scan->flows[i];

		if (f->slot >= scan->nr_slots)
			continue;
		if (!slots || f->slot - base >= count) {
			base = f->slot - f->slot % SLOTS_WINDOW;
			count = scan->nr_slots - base;
			if (count > SLOTS_WINDOW)
				count = SLOTS_WINDOW;
			slots = s->t->slots(s->t, base, count);
			if (!slots)
				return false;
		}
		if (slots[f->slot - base].backend != f->backend)
			bit_set(scan->needed, f->slot);
	}
	scan->nr_flows = 0;
	return true;
}

static bool scan_window(struct state *s, __u32 now_s)
{
	struct scan *scan = &s->scan;
	__u32 count = scan->conn_buckets - scan->bucket;
	struct conn_entry e;
	struct conn_walk w;
	size_t dead = 0;

	if (count > CONNS_WINDOW)
		count = CONNS_WINDOW;
	conns_locked_find(s->t, scan->bucket, count, &scan->locked);
	if (!conn_walk_start(&w, s->t, scan->bucket, count))
		return false;
	while (conn_walk_next(&w, &e)) {
		if (is_nobodys(s, &e, now_s))
			scan->dead[dead++] = e;
		else
			scan_conn(s, &e);
	}
	conns_free(s->t, scan->dead, dead);
	scan->bucket += count;
	return scan_flows(s);
}

/* The tables are no longer those that it began with. */
static bool scan_is_stale(const struct state *s)
{
	return s->scan.conn_buckets != s->t->conn_buckets ||
	       s->scan.nr_slots != s->t->nr_slots ||
	       s->scan.nr_backends != s->t->nr_backends;
}

/* Settle what may be; name the backends that slots remember yet. */
static unsigned int settle_service(struct state *s, __u32 id, __u32 now_s)
{
	const struct service *e = book_entry(s, id);
	struct slot *slots = s->t->slots(s->t, e->slot_base, e->slot_count);
	unsigned int settled = 0, tracked = 0;
	struct slot slot;

	if (!slots)
		return 0;
	for (__u32 i = 0; i < e->slot_count; i++) {
		slot = slots[i];
		if (!slot.previous)
			continue;
		if (needs_slots(e) &&
		    bit_is_set(s->scan.needed, e->slot_base + i)) {
			tracked++;
			if (slot.previous < s->scan.nr_backends)
				bit_set(s->scan.named, slot.previous);
			continue;
		}
		slot.previous = 0;
		table_store(&slots[i], slot);
		settled++;
	}
	s->t->infos[id].tracked = tracked;
	if (settled)
		s->books[id].written_s = now_s;
	return settled;
}

/* Those that left before the walk began, and that nothing names. */
static void free_leaving(struct state *s, __u32 id, __u32 now_s)
{
	struct service_book *book = &s->books[id];
	__u32 nr = 0, index;
	struct backend *b;

	if (seconds_since(book->written_s, now_s) < GRACE_S)
		return;
	for (__u32 i = 0; i < book->nr_backends; i++) {
		index = book->backends[i];
		b = &s->t->backends[index];
		if (!backend_left(b) ||
		    seconds_since(b->changed_s, s->scan.started_s) < GRACE_S ||
		    bit_is_set(s->scan.named, index)) {
			book->backends[nr++] = index;
			continue;
		}
		backend_state_store(b, BACKEND_FREE, now_s);
		s->has_freed_backends = true;
		pool_give(&s->backends, index);
		book->nr_leaving--;
	}
	book->nr_backends = nr;
	local_nat_count(s, id);
}

/* Of services that are no more, those that no connection needs. */
static void free_gone(struct state *s, __u32 now_s)
{
	struct kept *k = &s->kept;
	struct service_book *book;
	size_t nr = 0;

	for (size_t i = 0; i < k->nr_gone; i++) {
		book = &s->books[k->gone[i]];
		free_leaving(s, k->gone[i], now_s);
		if (book->nr_backends || retired_reserve(s, 1)) {
			k->gone[nr++] = k->gone[i];
			continue;
		}
		free(book->backends);
		*book = (struct service_book){};
		s->t->infos[k->gone[i]] = (struct service_info){};
		retire(s, RETIRED_ID, k->gone[i], 0, now_s);
	}
	k->nr_gone = nr;
}

static unsigned int scan_finish(struct state *s, __u32 now_s)
{
	unsigned int settled = 0;
	__u32 id;

	for (size_t i = 0; i < s->nr_order; i++) {
		id = s->order[i];
		if (s->t->infos[id].tracked) {
			if (!is_due(s, id, s->scan.started_s))
				continue;
			settled += settle_service(s, id, now_s);
		}
		if (s->books[id].nr_leaving)
			free_leaving(s, id, now_s);
	}
	free_gone(s, now_s);
	kept_walked(s);
	conns_locked_free(s->t, &s->locked, &s->scan.locked);
	s->locked = s->scan.locked;
	unswept_give(s);
	nat_addrs_walked(s, s->scan.nat_named);
	scan_clear(&s->scan);
	return settled;
}

unsigned int reconcile_tick(struct state *s, __u32 now_s)
{
	give_back_old(s, now_s);
	filters_tick(s, now_s);
	if (!s->scan.active && !scan_start(s, now_s))
		return 0;
	if (scan_is_stale(s)) {
		scan_clear(&s->scan);
		return 0;
	}
	for (int i = 0; i < SCAN_WINDOWS; i++) {
		if (s->scan.bucket == s->scan.conn_buckets)
			break;
		if (!scan_window(s, now_s)) {
			scan_clear(&s->scan);
			return 0;
		}
	}
	if (s->scan.bucket < s->scan.conn_buckets)
		return 0;
	return scan_finish(s, now_s);
}
