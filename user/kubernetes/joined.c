// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a Service and its slices make: their ports, without what somebody else
 * has, in place of what they made before. See cluster_private.h.
 *
 * Who gets what does not depend on the order of events: others are before
 * Kubernetes, cluster IPs before endpoints, and these before any other address,
 * also where their own Service is reached nowhere; of two Services it is the
 * older one. So a round comes to an end, and ends as one that begins from
 * nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "cluster_private.h"

static struct kube_config config_of(const struct kube_cluster *c)
{
	struct kube_config config = {
		.here.node = c->node_name,
		.masquerade_all = c->masquerade_all,
	};

	if (!c->node)
		return config;
	config.here.zone = c->node->node.zone;
	kube_node_addr(&c->node->node, true, &config.node4);
	kube_node_addr(&c->node->node, false, &config.node6);
	return config;
}

static void free_slices(const struct kube_object ***slices)
{
	free(*slices);
}

/* What s is to be, by itself. */
static int make(const struct kube_cluster *c, const struct joined *s,
		struct model_service **ret, size_t *ret_count,
		struct kube_health *ret_health)
{
	__cleanup(free_slices) const struct kube_object **slices =
		calloc(s->nr_slices + 1, sizeof(*slices));
	struct kube_config config = config_of(c);
	size_t count = 0;

	*ret = NULL;
	*ret_count = 0;
	*ret_health = (struct kube_health){};
	if (!slices)
		return -ENOMEM;
	if (!s->entry || !kube_service_counts(&s->entry->object->service))
		return 0;
	for (const struct entry *e = s->slices; e; e = e->next_of_service)
		slices[count++] = e->object;
	return kube_health_make(s->entry->object, slices, count, &config.here,
				ret_health) ?:
	       kube_ports(s->entry->object, slices, count, &config, ret,
			  ret_count);
}

static bool is_same_fronts(const struct model_service *a,
			   const struct model_service *b)
{
	if (a->nr_fronts != b->nr_fronts)
		return false;
	for (size_t i = 0; i < a->nr_fronts; i++) {
		const struct model_front *x = &a->fronts[i], *y = &b->fronts[i];

		if (model_front_compare(x, y) || x->kind != y->kind ||
		    x->flags != y->flags || x->open != y->open ||
		    x->tunnel != y->tunnel)
			return false;
	}
	return true;
}

static bool is_same_backends(const struct model_service *a,
			     const struct model_service *b)
{
	if (a->nr_backends != b->nr_backends)
		return false;
	for (size_t i = 0; i < a->nr_backends; i++) {
		const struct model_backend *x = &a->backends[i];
		const struct model_backend *y = &b->backends[i];

		if (addr_compare(&x->addr, &y->addr) || x->port != y->port ||
		    x->weight != y->weight || x->state != y->state ||
		    x->flags != y->flags)
			return false;
	}
	return true;
}

static bool is_same_sources(const struct model_service *a,
			    const struct model_service *b)
{
	if (a->nr_sources != b->nr_sources)
		return false;
	for (size_t i = 0; i < a->nr_sources; i++)
		if (a->sources[i].len != b->sources[i].len ||
		    a->sources[i].allow != b->sources[i].allow ||
		    addr_compare(&a->sources[i].addr, &b->sources[i].addr))
			return false;
	return true;
}

/* Of one name, so of one protocol. */
static bool is_same(const struct model_service *a,
		    const struct model_service *b)
{
	return a->affinity_s == b->affinity_s && a->idle_s == b->idle_s &&
	       is_same_fronts(a, b) && is_same_sources(a, b) &&
	       is_same_backends(a, b);
}

static bool others_serve(const struct kube_cluster *c,
			 const struct model_front *f, __u8 proto)
{
	return c->others && c->others->serve(c->others->arg, f, proto);
}

static bool others_use(const struct kube_cluster *c,
		       const struct model_front *f, __u8 proto)
{
	return c->others && c->others->use(c->others->arg, f, proto);
}

static bool has_backend(const struct joined *s, const struct addr *a,
			__u16 port, __u8 proto)
{
	for (size_t i = 0; i < s->nr_served; i++) {
		const struct model_service *service = s->served[i];

		if (service->proto != proto)
			continue;
		for (size_t j = 0; j < service->nr_backends; j++)
			if (service->backends[j].port == port &&
			    !addr_compare(&service->backends[j].addr, a))
				return true;
	}
	return false;
}

/* Who has a backend there, one after another, NULL at last; *at begins as 0.
 * The index knows hashes. */
static struct joined *backend_owner(const struct kube_cluster *c,
				    const struct addr *a, __u16 port,
				    __u8 proto, size_t *at)
{
	__u64 key = endpoint_key(a, port, proto);
	struct joined *s;

	while ((s = endpoints_next(&c->endpoints, key, at)))
		if (has_backend(s, a, port, proto))
			return s;
	return NULL;
}

/* Does the service lose f before anybody else is asked? */
static bool front_is_lost(const struct kube_cluster *c,
			  const struct model_front *f, __u8 proto,
			  struct loss *ret)
{
	struct joined *owner = NULL;
	size_t at = 0;

	*ret = (struct loss){ .kind = LOST_FRONT, .front = *f, .proto = proto };
	if (others_serve(c, f, proto) || others_use(c, f, proto))
		return true;
	if (f->kind != KIND_CLUSTER_IP)
		owner = backend_owner(c, &f->addr, f->port_first, proto, &at);
	if (!owner)
		return false;
	ret->kind = LOST_TO_ENDPOINT;
	ret->to = &owner->claimant;
	return true;
}

static void fronts_refuse(struct kube_cluster *c, struct joined *s,
			  struct model_service *service)
{
	size_t count = 0;
	struct loss loss;

	for (size_t i = 0; i < service->nr_fronts; i++) {
		if (front_is_lost(c, &service->fronts[i], service->proto,
				  &loss))
			claims_lose(&c->claims, &s->claimant, &loss);
		else
			service->fronts[count++] = service->fronts[i];
	}
	service->nr_fronts = count;
}

static void name_refuse(struct kube_cluster *c, struct joined *s,
			struct model_service *service)
{
	const struct loss loss = {
		.kind = LOST_NAME,
		.front = service->fronts[0],
		.proto = service->proto,
	};

	if (!c->others || !c->others->has_name(c->others->arg, service->name))
		return;
	claims_lose(&c->claims, &s->claimant, &loss);
	service->nr_fronts = 0;
}

/* May b not be used, as packets to it would be balanced again? Whoever is
 * reached there by another address than a cluster IP loses it instead. */
static bool backend_is_lost(struct kube_cluster *c,
			    const struct model_backend *b, __u8 proto,
			    struct loss *ret)
{
	bool is_cluster_ip = false;

	*ret = (struct loss){
		.kind = LOST_ENDPOINT,
		.front = { .addr = b->addr, .prefix_len = 128,
			   .port_first = b->port, .port_last = b->port },
		.proto = proto,
	};
	if (others_serve(c, &ret->front, proto))
		return true;
	ret->to = claims_find(&c->claims, &b->addr, b->port, proto,
			      &is_cluster_ip);
	if (ret->to && !is_cluster_ip)
		claims_rob(&c->claims, ret->to);
	return ret->to && is_cluster_ip;
}

static void backends_refuse(struct kube_cluster *c, struct joined *s,
			    struct model_service *service)
{
	size_t count = 0;
	struct loss loss;

	for (size_t i = 0; i < service->nr_backends; i++) {
		if (backend_is_lost(c, &service->backends[i], service->proto,
				    &loss))
			claims_lose(&c->claims, &s->claimant, &loss);
		else
			service->backends[count++] = service->backends[i];
	}
	service->nr_backends = count;
}

/* Who has an endpoint where a cluster IP is now does not have it any more. */
static void owners_wake(struct kube_cluster *c,
			const struct model_service *service)
{
	for (size_t i = 0; i < service->nr_fronts; i++) {
		const struct model_front *f = &service->fronts[i];
		struct joined *owner;
		size_t at = 0;

		if (f->kind != KIND_CLUSTER_IP)
			continue;
		while ((owner = backend_owner(c, &f->addr, f->port_first,
					      service->proto, &at)))
			mark_dirty(c, owner);
	}
}

static void endpoints_put(struct kube_cluster *c, struct joined *s,
			  const struct model_service *service)
{
	for (size_t i = 0; i < service->nr_backends; i++)
		endpoints_add(&c->endpoints,
			      endpoint_key(&service->backends[i].addr,
					   service->backends[i].port,
					   service->proto), s);
}

static void endpoints_take(struct kube_cluster *c, struct joined *s,
			   const struct model_service *service)
{
	for (size_t i = 0; i < service->nr_backends; i++)
		endpoints_del(&c->endpoints,
			      endpoint_key(&service->backends[i].addr,
					   service->backends[i].port,
					   service->proto), s);
}

static size_t count_backends(struct model_service *const *list, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += list[i]->nr_backends;
	return sum;
}

static void list_free(struct model_service **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		model_service_free(list[i]);
	free(list);
}

/* list[], which is freed, as services that can be shared. NULL: no memory. */
static struct model_service **share_all(struct model_service *list,
					size_t count)
{
	struct model_service **ret = calloc(count + 1, sizeof(*ret));
	bool is_whole = ret;

	for (size_t i = 0; i < count && is_whole; i++) {
		ret[i] = model_service_share(&list[i]);
		is_whole = ret[i];
	}
	kube_ports_free(list, count);
	if (is_whole)
		return ret;
	if (ret)
		list_free(ret, count);
	return NULL;
}

/* Out of what is in force, or into it. */
static int take_out(struct kube_cluster *c, struct joined *s,
		    struct model_service *old,
		    const struct kube_changes *changes)
{
	int err = old->nr_fronts ? changes->remove(changes->arg, old) : 0;

	endpoints_take(c, s, old);
	model_service_free(old);
	return err;
}

static int put_in(struct kube_cluster *c, struct joined *s,
		  struct model_service *now,
		  const struct kube_changes *changes)
{
	endpoints_put(c, s, now);
	return now->nr_fronts ? changes->add(changes->arg, now) : 0;
}

/* In place of what s made before: what is the same stays, the rest is told. Of
 * now[] that becomes s's. *ret_freed: endpoints went. */
static int exchange(struct kube_cluster *c, struct joined *s,
		    struct model_service **now, size_t count,
		    const struct kube_changes *changes, bool *ret_freed)
{
	struct model_service **was = s->served;
	size_t old = 0, i = 0;
	int err = 0, order, came, went;

	while (old < s->nr_served || i < count) {
		order = old == s->nr_served ? 1 : i == count ? -1 :
			strcmp(was[old]->name, now[i]->name);
		if (!order && is_same(was[old], now[i])) {
			model_service_free(now[i]);
			now[i++] = was[old++];
			continue;
		}
		went = order <= 0 ? take_out(c, s, was[old++], changes) : 0;
		came = order >= 0 ? put_in(c, s, now[i++], changes) : 0;
		*ret_freed |= order <= 0;
		err = err ?: went ?: came;
	}
	free(was);
	s->served = now;
	s->nr_served = count;
	return err;
}

/* list[] is freed. */
static int replace(struct kube_cluster *c, struct joined *s,
		   struct model_service *list, size_t count,
		   const struct kube_changes *changes, bool *ret_freed)
{
	struct model_service **now = share_all(list, count);

	if (!now)
		return -ENOMEM;
	if (endpoints_reserve(&c->endpoints, count_backends(now, count))) {
		list_free(now, count);
		return -ENOMEM;
	}
	return exchange(c, s, now, count, changes, ret_freed);
}

static void health_set(struct kube_cluster *c, struct joined *s,
		       const struct kube_health *h)
{
	if (s->health.port) {
		*s->at_health = s->next_health;
		if (s->next_health)
			s->next_health->at_health = s->at_health;
	}
	s->health = *h;
	if (!h->port)
		return;
	s->next_health = c->health;
	s->at_health = &c->health;
	if (c->health)
		c->health->at_health = &s->next_health;
	c->health = s;
}

static void joined_free(struct kube_cluster *c, struct joined *s)
{
	const struct kube_health none = {};

	health_set(c, s, &none);
	chain_remove(&c->services, s->hash, s);
	claims_clear(&c->claims, &s->claimant);
	free(s->served);
	free(s);
}

/* Those who lost something that may be free now try again. */
static void losers_wake(struct kube_cluster *c)
{
	for (struct claimant *l = c->claims.losers; l; l = l->next_loser)
		mark_dirty(c, l->joined);
}

/* list[], which s wants to be, without what somebody else has. */
static int settle(struct kube_cluster *c, struct joined *s,
		  struct model_service *list, size_t count, bool *ret_freed)
{
	int err;

	s->claimant.created = s->entry ? s->entry->object->created : NULL;
	claims_begin(&c->claims, &s->claimant);
	for (size_t i = 0; i < count; i++) {
		name_refuse(c, s, &list[i]);
		fronts_refuse(c, s, &list[i]);
	}
	err = claims_take(&c->claims, &s->claimant, list, count, ret_freed);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		owners_wake(c, &list[i]);
		backends_refuse(c, s, &list[i]);
	}
	return 0;
}

int joined_update(struct kube_cluster *c, struct joined *s,
		  const struct kube_changes *changes)
{
	struct model_service *list;
	struct kube_health health;
	bool has_freed = false;
	size_t count;
	int err;

	err = make(c, s, &list, &count, &health);
	if (err)
		return err;
	health_set(c, s, &health);
	err = settle(c, s, list, count, &has_freed);
	if (err) {
		kube_ports_free(list, count);
		return err;
	}
	err = replace(c, s, list, count, changes, &has_freed);
	for (struct claimant *l; (l = claims_robbed(&c->claims));) {
		mark_dirty(c, l->joined);
		has_freed = true;
	}
	if (has_freed)
		losers_wake(c);
	if (!err && !s->entry && !s->nr_slices && !s->is_dirty)
		joined_free(c, s);
	return err;
}

void losses_tell(const struct kube_cluster *c,
		 const struct kube_changes *changes)
{
	for (struct claimant *l = c->claims.losers; l; l = l->next_loser) {
		const struct claimant *to = l->loss.to;

		changes->lost(changes->arg, l->joined->entry->object, &l->loss,
			      to ? to->joined->entry->object : NULL);
	}
}
