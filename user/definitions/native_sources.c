// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who may use a service: prefixes that are allowed, and that are denied. */
#include <stdlib.h>

#include "base/addr.h"
#include "native.h"

enum sources_key { SOURCES_KEY_ALLOW, SOURCES_KEY_DENY, NR_SOURCES_KEYS };

static const char *const sources_keys[] = {
	[SOURCES_KEY_ALLOW] = "allow",
	[SOURCES_KEY_DENY] = "deny",
	[NR_SOURCES_KEYS] = NULL,
};

/* A source, and where it stands once they are sorted. */
struct read_source {
	struct model_source source;
	const struct tree_node *at;
};

struct read_sources {
	struct reader *r;
	const struct model_service *service; /* NULL: addresses unknown */
	struct read_source *list;
	size_t count;
};

/* Has the service an address of a's family? */
static bool has_family(const struct model_service *s, const struct addr *a)
{
	for (size_t i = 0; i < s->nr_fronts; i++)
		if (addr_is4(&s->fronts[i].addr) == addr_is4(a))
			return true;
	return false;
}

static void read_source(struct read_sources *to, const struct tree_node *n,
			bool allow)
{
	unsigned int len = 0;
	struct addr a;

	if (!value_prefix(to->r, n, "source", &a, &len))
		return;
	if (to->service && !has_family(to->service, &a)) {
		reader_error(to->r, n, "source \"%s\" is %s, the service %s",
			     n->text, addr_is4(&a) ? "IPv4" : "IPv6",
			     addr_is4(&a) ? "IPv6" : "IPv4");
		return;
	}
	to->list[to->count++] = (struct read_source){
		.source = { .addr = a, .len = len, .allow = allow },
		.at = n,
	};
}

/* How many there are in it; those that have a list. */
static size_t list_count(struct reader *r, const struct tree_node *list,
			 const char *what)
{
	return list && value_list(r, list, what) ? list->count : 0;
}

static int compare_sources(const void *a, const void *b)
{
	const struct read_source *x = a, *y = b;
	int order = addr_compare(&x->source.addr, &y->source.addr);

	if (order)
		return order;
	if (x->source.len != y->source.len)
		return x->source.len < y->source.len ? -1 : 1;
	if (x->at->line != y->at->line)
		return x->at->line < y->at->line ? -1 : 1;
	return x->at->column < y->at->column ? -1 : 1;
}

static void check_duplicates(const struct read_sources *s)
{
	for (size_t i = 1; i < s->count; i++) {
		const struct read_source *a = &s->list[i - 1], *b = &s->list[i];

		if (a->source.len != b->source.len ||
		    addr_compare(&a->source.addr, &b->source.addr))
			continue;
		reader_error(s->r, b->at,
			     a->source.allow == b->source.allow ?
			     "source \"%s\" is listed already at %s:%u:%u" :
			     "source \"%s\" is both allowed and denied, see %s:%u:%u",
			     b->at->text, s->r->path,
			     s->r->first_line + a->at->line, a->at->column);
	}
}

static void keep_sources(struct read_sources *from, struct model_service *to)
{
	qsort(from->list, from->count, sizeof(*from->list), compare_sources);
	check_duplicates(from);
	if (!from->count)
		return;
	to->sources = calloc(from->count, sizeof(*to->sources));
	if (!to->sources) {
		from->r->no_memory = true;
		return;
	}
	for (size_t i = 0; i < from->count; i++)
		to->sources[i] = from->list[i].source;
	to->nr_sources = from->count;
}

void native_read_sources(struct reader *r, const struct tree_node *n,
			 bool knows_addr, struct model_service *ret)
{
	const struct tree_node *v[NR_SOURCES_KEYS] = {};
	struct read_sources s = {
		.r = r,
		.service = knows_addr ? ret : NULL,
	};
	size_t count[NR_SOURCES_KEYS], most;

	value_keys(r, n, "sources", sources_keys, v);
	count[0] = list_count(r, v[0], "sources: allow");
	count[1] = list_count(r, v[1], "sources: deny");
	most = count[0] + count[1];
	if (most > SOURCES_MAX) {
		reader_error(r, n,
			     "a service has %zu sources; at most %u are allowed",
			     most, SOURCES_MAX);
		return;
	}
	s.list = calloc(most + 1, sizeof(*s.list));
	if (!s.list) {
		r->no_memory = true;
		return;
	}
	for (int key = 0; key < NR_SOURCES_KEYS; key++)
		for (const struct tree_node *i = count[key] ? v[key]->first :
			     NULL; i; i = i->next)
			read_source(&s, i, key == SOURCES_KEY_ALLOW);
	keep_sources(&s, ret);
	free(s.list);
}
