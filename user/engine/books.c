// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What every file of this folder does with the books: find a service by its
 * name, compare and change backends, put aside what is out of use.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "books.h"

int retired_reserve(struct state *s, size_t more)
{
	size_t want = s->nr_retired + more;
	struct retired *retired;

	if (want <= s->max_retired)
		return 0;
	retired = realloc(s->retired, want * sizeof(*retired));
	if (!retired)
		return -ENOMEM;
	s->retired = retired;
	s->max_retired = want;
	return 0;
}

void retire(struct state *s, enum retired_kind kind, __u32 index, __u32 count,
	    __u32 now_s)
{
	s->retired[s->nr_retired++] = (struct retired){
		.since_s = now_s,
		.kind = kind,
		.index = index,
		.count = count,
	};
}

void state_forget_set(struct state *s)
{
	service_set_free(s->set);
	s->set = NULL;
}

__u8 backend_state_of(const struct backend *b)
{
	__u8 state = b->weight ? b->state_defined : BACKEND_DRAIN;

	if (b->flags & BACKEND_SET_STATE)
		state = b->state_set ?: b->state;
	if (b->state_health == BACKEND_DOWN ||
	    (b->state_health == BACKEND_DRAIN && state == BACKEND_ACTIVE))
		state = b->state_health;
	return state;
}

void backend_state_store(struct backend *b, __u8 state, __u32 now_s)
{
	if (b->state == state)
		return;
	b->changed_s = now_s;
	__atomic_store_n(&b->state, state, __ATOMIC_RELEASE);
}

int backend_compare(const struct backend *b, const struct addr *addr,
		    __u16 port)
{
	int order = addr_compare(&b->addr, addr);

	return order ? order : (int)ntohs(b->port) - port;
}

/* Where in order name is, or belongs. */
size_t order_find(const struct state *s, const char *name, bool *ret_found)
{
	size_t low = 0, high = s->nr_order, mid;
	int order;

	*ret_found = false;
	while (low < high) {
		mid = (low + high) / 2;
		order = strcmp(s->t->infos[s->order[mid]].name, name);
		*ret_found |= !order;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool book_has(const struct service_book *book, __u32 entry)
{
	for (__u32 i = 0; i < book->nr_entries; i++)
		if (book->entries[i] == entry)
			return true;
	return false;
}

bool range_is_first(const struct state *s, const __u32 *entries, __u32 i)
{
	__u32 base = s->t->services[entries[i]].slot_base;

	if (!service_slots(&s->t->services[entries[i]]))
		return false;
	while (i--)
		if (s->t->services[entries[i]].slot_base == base &&
		    service_slots(&s->t->services[entries[i]]))
			return false;
	return true;
}

struct model_front entry_front(const struct service *e)
{
	return (struct model_front){
		.addr = e->addr,
		.port_first = e->port_first,
		.port_last = e->port_last,
		.prefix_len = e->prefix_len,
		.kind = e->kind,
		.flags = e->flags & SERVICE_FRONT_FLAGS,
		.tunnel = e->tunnel,
		.open = !e->sources,
	};
}

void local_nat_count(struct state *s, __u32 id)
{
	struct service_book *book = &s->books[id];
	bool has = false;

	if (book->nr_entries && book_entry(s, id)->forward == FORWARD_NAT)
		for (__u32 i = 0; i < book->nr_backends && !has; i++)
			has = s->t->backends[book->backends[i]].flags &
			      BACKEND_LOCAL;
	s->nr_local_nat += has - book->has_local_nat;
	book->has_local_nat = has;
}

bool addr_is_host(const struct state *s, const struct addr *a)
{
	return s->host.is_host && s->host.is_host(s->host.arg, a);
}
