// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Backends set by hand: a state, a weight, and back to the definition. And
 * what health checks say of them.
 */
#include <errno.h>

#include <arpa/inet.h>

#include "books.h"

static int find_backend(struct state *s, const char *service,
			const struct addr *addr, __u16 port, __u32 *ret_id,
			struct backend **ret)
{
	const struct service_book *book;
	struct backend *b;
	bool found;
	size_t at = order_find(s, service, &found);

	if (!found)
		return -ENOENT;
	*ret_id = s->order[at];
	book = &s->books[*ret_id];
	for (__u32 i = 0; i < book->nr_backends; i++) {
		b = &s->t->backends[book->backends[i]];
		if (backend_left(b) ||
		    backend_compare(b, addr, port))
			continue;
		*ret = b;
		return 0;
	}
	return -ENOENT;
}

static void state_follows(struct backend *b, __u32 now_s)
{
	const __u8 state = backend_state_of(b);

	if (state != b->state)
		backend_state_store(b, state, now_s);
}

int state_backend_set_state(struct state *s, const char *service,
			    const struct addr *addr, __u16 port,
			    enum backend_state state, __u32 now_s)
{
	struct backend *b;
	__u32 id;
	int ret;

	if (state != BACKEND_ACTIVE && state != BACKEND_DRAIN &&
	    state != BACKEND_DOWN)
		return -EINVAL;
	ret = find_backend(s, service, addr, port, &id, &b);
	if (ret)
		return ret;
	b->flags |= BACKEND_SET_STATE;
	b->state_set = state;
	state_follows(b, now_s);
	return service_relayout(s, id, now_s);
}

int state_backend_set_weight(struct state *s, const char *service,
			     const struct addr *addr, __u16 port,
			     __u16 weight, __u32 now_s)
{
	struct backend *b;
	__u32 id;
	int ret;

	if (weight > BACKEND_WEIGHT_MAX)
		return -EINVAL;
	ret = find_backend(s, service, addr, port, &id, &b);
	if (ret)
		return ret;
	b->flags |= BACKEND_SET_WEIGHT;
	b->weight = weight;
	state_follows(b, now_s);
	return service_relayout(s, id, now_s);
}

int state_backend_unset(struct state *s, const char *service,
			const struct addr *addr, __u16 port, __u8 flags,
			__u32 now_s)
{
	struct backend *b;
	__u32 id;
	int ret;

	flags &= BACKEND_SET_STATE | BACKEND_SET_WEIGHT;
	ret = find_backend(s, service, addr, port, &id, &b);
	if (ret)
		return ret;
	b->flags &= ~flags;
	if (!(b->flags & BACKEND_SET_WEIGHT))
		b->weight = b->weight_defined;
	state_follows(b, now_s);
	return service_relayout(s, id, now_s);
}

void state_set_health(struct state *s, const struct state_health *health)
{
	s->health = *health;
}

static int health_look(struct state *s, __u32 id, __u32 now_s)
{
	const struct service_book *book = &s->books[id];
	const char *name = s->t->infos[id].name;
	bool differs = false;

	for (__u32 i = 0; i < book->nr_backends; i++) {
		struct backend *b = &s->t->backends[book->backends[i]];
		__u8 said;

		if (backend_left(b))
			continue;
		said = s->health.of(s->health.arg, name, &b->addr,
				    ntohs(b->port));
		if (said == b->state_health)
			continue;
		b->state_health = said;
		state_follows(b, now_s);
		differs = true;
	}
	return differs ? service_relayout(s, id, now_s) : 0;
}

int state_health_look(struct state *s, const char *service, __u32 now_s)
{
	bool found = false;
	int err = 0, r;
	size_t at;

	if (service) {
		at = order_find(s, service, &found);
		return found ? health_look(s, s->order[at], now_s) : -ENOENT;
	}
	for (at = 0; at < s->nr_order; at++) {
		r = health_look(s, s->order[at], now_s);
		err = err ?: r;
	}
	return err;
}
