// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Backends set by hand: a state, a weight, and back to the definition. */
#include <errno.h>

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

/* What state follows from definition and weight, if nobody set another. */
static void state_follows(struct backend *b, __u32 now_s)
{
	__u8 state = b->weight ? b->state_defined : BACKEND_DRAIN;

	if (!(b->flags & BACKEND_SET_STATE) && b->state != BACKEND_DOWN)
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
	backend_state_store(b, state, now_s);
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
	if (flags & b->flags & BACKEND_SET_STATE)
		backend_state_store(b, b->state_defined, now_s);
	b->flags &= ~flags;
	if (!(b->flags & BACKEND_SET_WEIGHT))
		b->weight = b->weight_defined;
	state_follows(b, now_s);
	return service_relayout(s, id, now_s);
}
