// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See rivals.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "rivals.h"

struct rival_backend {
	struct addr addr;
	__u16 port;		/* 0: that of whom it serves */
	__u8 proto;
	const struct native_service *service;
};

static int compare_backends(const void *x, const void *y)
{
	const struct rival_backend *a = x, *b = y;

	return addr_compare(&a->addr, &b->addr);
}

static size_t count_backends(const struct service_index *index)
{
	size_t count = 0;

	for (size_t i = 0; i < index->count; i++)
		count += index->by_name[i]->service->nr_backends;
	return count;
}

static int backends_list(struct rivals *r)
{
	struct rival_backend *list = calloc(count_backends(r->index) + 1,
					    sizeof(*list));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < r->index->count; i++) {
		const struct native_service *n = r->index->by_name[i];
		const struct model_service *s = n->service;

		for (size_t j = 0; j < s->nr_backends; j++)
			list[count++] = (struct rival_backend){
				s->backends[j].addr, s->backends[j].port,
				s->proto, n,
			};
	}
	qsort(list, count, sizeof(*list), compare_backends);
	free(r->backends);
	r->backends = list;
	r->nr_backends = count;
	return 0;
}

static __u64 addr_hash(const struct addr *a, __u64 more)
{
	__u64 words[2];

	memcpy(words, a, sizeof(words));
	return hash_mix(hash_mix(words[0] ^ more) + words[1]);
}

static __u64 name_hash(const char *name)
{
	__u64 hash = 0xcbf29ce484222325ull;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3ull;
	return hash_mix(hash);
}

/* Of everything that is asked about, in any order. */
static __u64 services_version(const struct rivals *r)
{
	__u64 version = r->index->addrs;

	for (size_t i = 0; i < r->index->count; i++)
		version += name_hash(r->index->by_name[i]->service->name);
	for (size_t i = 0; i < r->nr_backends; i++)
		version += addr_hash(&r->backends[i].addr,
				     r->backends[i].port << 8 |
					     r->backends[i].proto);
	return version;
}

static __u64 nat_version(const struct model *m)
{
	__u64 version = 0;

	for (size_t i = 0; i < m->nr_nat4; i++)
		version += addr_hash(&m->nat4[i], 1ull << 32);
	for (size_t i = 0; i < m->nr_nat6; i++)
		version += addr_hash(&m->nat6[i], 1ull << 32);
	return version;
}

/* The first service whose name begins with this; NULL: none does. */
static const struct native_service *find_name(const struct rivals *r,
					      const char *begin)
{
	size_t low = 0, high = r->index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(r->index->by_name[middle]->service->name, begin) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == r->index->count ||
	    strncmp(r->index->by_name[low]->service->name, begin,
		    strlen(begin)))
		return NULL;
	return r->index->by_name[low];
}

static bool has_name(void *arg, const char *name)
{
	const struct native_service *s = find_name(arg, name);

	return s && !strcmp(s->service->name, name);
}

static bool serve(void *arg, const struct model_front *f, __u8 proto)
{
	const struct rivals *r = arg;

	return service_index_rival(r->index, f, proto);
}

static const struct rival_backend *
backend_find(const struct rivals *r, const struct model_front *f, __u8 proto)
{
	size_t low = 0, high = r->nr_backends;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr_compare(&r->backends[middle].addr, &f->addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < r->nr_backends &&
	       !addr_compare(&r->backends[low].addr, &f->addr); low++)
		if (r->backends[low].proto == proto &&
		    (!r->backends[low].port ||
		     r->backends[low].port == f->port_first))
			return &r->backends[low];
	return NULL;
}

/* A node port is a few ports of the node's own address. */
static bool is_nat(const struct model *m, const struct model_front *f)
{
	const bool is4 = addr_is4(&f->addr);

	return f->kind != KIND_NODE_PORT &&
	       addr_is_in(is4 ? m->nat4 : m->nat6,
			  is4 ? m->nr_nat4 : m->nr_nat6, &f->addr);
}

static bool use(void *arg, const struct model_front *f, __u8 proto)
{
	const struct rivals *r = arg;

	return is_nat(r->settings, f) || backend_find(r, f, proto);
}

int rivals_begin(struct rivals *r)
{
	if (r->is_new) {
		if (backends_list(r))
			return -ENOMEM;
		r->services_version = services_version(r);
		r->is_new = false;
	}
	r->others = (struct kube_others){
		.version = r->services_version + nat_version(r->settings),
		.has_name = has_name,
		.serve = serve,
		.use = use,
		.arg = r,
	};
	return 0;
}

void rivals_clear(struct rivals *r)
{
	free(r->backends);
	*r = (struct rivals){};
}

static void service_text(const struct native_service *s, struct place at,
			 const char *what, char text[static RIVAL_TEXT_MAX])
{
	char place[PLACE_TEXT_MAX];

	snprintf(text, RIVAL_TEXT_MAX, "%s of service \"%.160s\" at %s", what,
		 s->service->name, part_place(s->owner, at, place));
}

/* A network's first address can be nobody else's, at whatever port. */
static void front_text(const struct native_front *f, const struct loss *loss,
		       char text[static RIVAL_TEXT_MAX])
{
	char front[FRONT_TEXT_MAX], lost[FRONT_TEXT_MAX];
	char what[FRONT_TEXT_MAX + 40] = "is that";
	const bool overlaps =
		f->front->port_first <= loss->front.port_first &&
		f->front->port_last >= loss->front.port_first;

	model_front_text(f->front, f->service->service->proto, front);
	model_front_text(&loss->front, loss->proto, lost);
	if (strcmp(front, lost))
		snprintf(what, sizeof(what), "%s %s",
			 overlaps ? "overlaps" : "is at the first address of",
			 front);
	service_text(f->service, f->at, what, text);
}

static void use_text(const struct rivals *r, const struct loss *loss,
		     char text[static RIVAL_TEXT_MAX])
{
	const struct rival_backend *b = backend_find(r, &loss->front,
						     loss->proto);
	char place[PLACE_TEXT_MAX] = "?";

	if (b && !is_nat(r->settings, &loss->front)) {
		service_text(b->service, b->service->fronts[0].at,
			     "is a backend", text);
		return;
	}
	if (r->nat_from)
		part_place(r->nat_from,
			   r->nat_from->native.settings->at
				   [SETTING_NAT_ADDRESSES], place);
	snprintf(text, RIVAL_TEXT_MAX,
		 "is an address of \"nat: addresses\" at %s", place);
}

const char *rivals_text(const struct rivals *r, const struct loss *loss,
			char text[static RIVAL_TEXT_MAX])
{
	const struct native_front *f = service_index_rival(r->index,
					&loss->front, loss->proto);

	if (f)
		front_text(f, loss, text);
	else
		use_text(r, loss, text);
	return text;
}

const char *rivals_name_text(const struct rivals *r, const char *service,
			     char text[static RIVAL_TEXT_MAX])
{
	const struct native_service *s;
	char begin[512], place[PLACE_TEXT_MAX];

	snprintf(begin, sizeof(begin), "%.500s:", service);
	s = find_name(r, begin);
	snprintf(text, RIVAL_TEXT_MAX, "service \"%.160s\" is defined already at %s",
		 s ? s->service->name : service,
		 s ? part_place(s->owner, s->name_at, place) : "?");
	return text;
}
