// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See definitions.h. Settings may come from any part of any source and must
 * agree. A reload looks at what changed: what did not is in the index, the
 * cluster and the set of services from the reload before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "definitions.h"
#include "manifests.h"
#include "news.h"
#include "policy_index.h"
#include "report.h"
#include "rivals.h"
#include "service_index.h"

#define SOURCES_OF_DEFINITIONS_MAX 8

/* What has been in force: while something is wrong with that which is not of
 * objects, this stands in its place. */
struct standing {
	struct model *settings;	/* owned; NULL: nothing has been yet */
	__u8 sha256[SOURCES_OF_DEFINITIONS_MAX][32];
};

struct definitions {
	struct source *sources[SOURCES_OF_DEFINITIONS_MAX];
	size_t nr_sources;
	struct standing standing;
	struct service_index index;	/* of services in files */
	struct manifests *manifests;	/* objects of all sources */
	struct rivals rivals;
	struct service_set *set;	/* of the last model; NULL: none yet */
	struct news news;		/* since */
	struct policy_index policy;	/* of files and of objects */
	struct definitions_work work;
	__u8 last[32];		/* digest of the model that was handed out */
	const struct policy_set *last_policy;	/* its; may be gone */
	bool has_last, was_partial;
	bool may_lack_services;
};

/* After running out of memory half way: start from nothing next time. */
static void forget_all(struct definitions *d)
{
	news_clear(&d->news);
	service_set_free(d->set);
	d->set = NULL;
	rivals_clear(&d->rivals);
	policy_index_clear(&d->policy);
	service_index_clear(&d->index);
	manifests_clear(d->manifests);
	model_free(take_ptr(d->standing.settings));
	for (size_t i = 0; i < d->nr_sources; i++) {
		d->sources[i]->is_held = false;
		d->sources[i]->ops->clear(d->sources[i]);
	}
}

static int refresh_all(struct definitions *d, struct report *r)
{
	for (size_t i = 0; i < d->nr_sources; i++) {
		struct source *s = d->sources[i];
		int err = s->ops->refresh(s, r, &d->work);

		if (err)
			return err;
	}
	return 0;
}

/* Services of new parts; with ret, into it. */
static size_t collect_new(const struct source *s, struct native_service **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < s->nr_parts; i++) {
		struct part *p = s->parts[i];

		if (p->is_taken)
			continue;
		for (size_t j = 0; ret && j < p->native.nr_services; j++)
			ret[count + j] = &p->native.services[j];
		count += p->native.nr_services;
	}
	return count;
}

static size_t collect_all_new(const struct definitions *d,
			      struct native_service **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < d->nr_sources; i++)
		count += collect_new(d->sources[i], ret ? ret + count : NULL);
	return count;
}

static size_t count_dead(const struct definitions *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->nr_sources; i++)
		for (const struct part *p = d->sources[i]->dead; p;
		     p = p->next_dead)
			count += p->native.nr_services;
	return count;
}

static int items_went(struct definitions *d, const struct part *p)
{
	int err = 0;

	for (size_t i = 0; i < p->native.nr_items && !err; i++)
		err = policy_index_went(&d->policy, p->native.items[i].kind,
					p->native.items[i].item);
	return err;
}

static int services_went(struct definitions *d, const struct part *p)
{
	int err = 0;

	for (size_t i = 0; i < p->native.nr_services && !err; i++)
		err = news_went(&d->news, p->native.services[i].service);
	return err;
}

static int tell_dead(struct definitions *d, const struct source *s)
{
	int err = 0;

	for (const struct part *p = s->dead; p && !err; p = p->next_dead)
		if (p->is_taken)
			err = services_went(d, p) ?: items_went(d, p);
	return err;
}

/* The index with what came and went since, if anything did. Of files: what
 * objects make is no part of it. */
static int index_next(struct definitions *d, struct service_index *ret,
		      bool *ret_changed)
{
	size_t count = collect_all_new(d, NULL);
	struct native_service **fresh;
	int err;

	*ret_changed = count || count_dead(d);
	if (!*ret_changed)
		return 0;
	fresh = calloc(count + 1, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	collect_all_new(d, fresh);
	err = service_index_next(&d->index, fresh, count, ret);
	if (err)
		free(fresh);
	return err;
}

static int items_came(struct definitions *d, struct part *p)
{
	int err = 0;

	for (size_t i = 0; i < p->native.nr_items && !err; i++)
		err = policy_index_native(&d->policy, &p->native.items[i]);
	return err;
}

static int services_came(struct definitions *d, const struct part *p)
{
	const struct native *n = &p->native;
	int err = 0;

	for (size_t i = 0; i < n->nr_services && !err; i++)
		err = news_came(&d->news, n->services[i].service);
	return err;
}

static int tell_new(struct definitions *d, const struct source *s)
{
	int err = 0;

	for (size_t i = 0; i < s->nr_parts && !err; i++)
		if (!s->parts[i]->is_taken)
			err = services_came(d, s->parts[i]) ?:
			      items_came(d, s->parts[i]);
	return err;
}

static int tell_all(struct definitions *d)
{
	int err = 0;

	for (size_t i = 0; i < d->nr_sources && !err; i++)
		err = tell_dead(d, d->sources[i]) ?:
		      tell_new(d, d->sources[i]);
	return err;
}

/* Everything that the sources say has been looked at. Of one that is held,
 * what nobody has taken and is gone again is all that can be let go. */
static void round_end(struct definitions *d)
{
	for (size_t i = 0; i < d->nr_sources; i++) {
		struct source *s = d->sources[i];

		for (size_t j = 0; j < s->nr_parts && !s->is_held; j++)
			s->parts[j]->is_taken = true;
		source_free_dead(s);
	}
}

/* Put p's settings into m, unless they contradict earlier ones in from[]. */
static int merge_settings(struct model *m, const struct part *p,
			  const struct part **from, struct report *r)
{
	const struct native_settings *n = p->native.settings;

	for (int i = 0; i < NR_SETTINGS; i++) {
		char text[PLACE_TEXT_MAX];
		int err;

		if (!(n->given >> i & 1))
			continue;
		if (!from[i]) {
			from[i] = p;
			err = setting_copy(i, m, n->model);
			if (err)
				return err;
			continue;
		}
		if (setting_is_equal(i, m, n->model))
			continue;
		part_error(r, p, n->at[i], "\"%s\" is set differently at %s",
			   setting_name(i),
			   part_place(from[i], from[i]->native.settings->at[i],
				      text));
	}
	return 0;
}

/* What one setting needs of another. */
static void check_settings(const struct model *m, const struct part **from,
			   struct report *r)
{
	const struct part *p = from[SETTING_DETECT_LOCAL];
	const char *missing = NULL;

	if (!p)
		return;
	if (m->detect_local == DETECT_BRIDGE && !*m->pod_bridge)
		missing = setting_name(SETTING_POD_BRIDGE);
	else if (m->detect_local == DETECT_INTERFACES && !*m->pod_interfaces)
		missing = setting_name(SETTING_POD_INTERFACES);
	if (missing)
		part_error(r, p, p->native.settings->at[SETTING_DETECT_LOCAL],
			   "detect-local-mode \"%s\" needs \"%s\"",
			   detect_local_names[m->detect_local], missing);
}

static void check_nat_addrs(const struct definitions *d, const struct part *p,
			    const struct addr *addrs, size_t count,
			    struct report *r)
{
	struct place at = p->native.settings->at[SETTING_NAT_ADDRESSES];
	char text[FRONT_TEXT_MAX], place[PLACE_TEXT_MAX];

	for (size_t i = 0; i < count; i++) {
		const struct native_front *f = service_index_at(&d->index,
								&addrs[i]);
		const struct native_service *s;

		if (!f)
			continue;
		s = f->service;
		part_error(r, s->owner, f->at,
			   "%s of service \"%s\" is an address of \"nat: addresses\" at %s: answers to NAT would be taken for clients' packets",
			   model_front_text(f->front, s->service->proto, text),
			   s->service->name, part_place(p, at, place));
	}
}

/* What comes to a service's address is a client's, so that no answer of a
 * backend may come there: it is no source for NAT. */
static void check_nat(const struct definitions *d, const struct model *m,
		      const struct part *p, struct report *r)
{
	if (!p)
		return;
	check_nat_addrs(d, p, m->nat4, m->nr_nat4, r);
	check_nat_addrs(d, p, m->nat6, m->nr_nat6, r);
}

/* from[NR_SETTINGS], which is empty: the part that gives each setting. */
static int build_settings(const struct definitions *d, struct model *m,
			  const struct part **from, struct report *r)
{
	for (size_t i = 0; i < d->nr_sources; i++) {
		const struct source *s = d->sources[i];

		for (size_t j = 0; j < s->nr_parts; j++) {
			const struct part *p = s->parts[j];
			int err;

			if (!p->native.settings || p->has_mistakes)
				continue;
			err = merge_settings(m, p, from, r);
			if (err)
				return err;
		}
	}
	check_settings(m, from, r);
	return 0;
}

/* Of one source, its own; else one of all of theirs, in the order in which
 * they were added. */
static int build_digest(const struct definitions *d, struct model *m)
{
	__u8 all[SOURCES_OF_DEFINITIONS_MAX][32];

	for (size_t i = 0; i < d->nr_sources; i++) {
		const struct source *s = d->sources[i];

		memcpy(all[i], s->is_held ? d->standing.sha256[i] : s->sha256,
		       32);
		m->is_partial |= !s->is_complete;
	}
	if (d->nr_sources == 1) {
		memcpy(m->sha256, all[0], 32);
		return 0;
	}
	return EVP_Digest(all, 32 * d->nr_sources, m->sha256, NULL,
			  EVP_sha256(), NULL) ? 0 : -ENOMEM;
}

/* What people have written, if anything is; there is a source. */
static const char *files_name(const struct definitions *d)
{
	for (size_t i = 0; i < d->nr_sources; i++)
		if (!d->sources[i]->is_of_objects)
			return d->sources[i]->name;
	return d->sources[0]->name;
}

/*
 * What lacks its services (a file that was cut off, a directory that is not
 * mounted yet) must not withdraw those in force.
 */
static void check_services(const struct definitions *d, struct report *r)
{
	for (size_t i = 0; i < d->nr_sources; i++) {
		const struct source *s = d->sources[i];

		if (!s->is_complete || s->says_services)
			return;
		for (size_t j = 0; j < s->nr_parts; j++)
			if (s->parts[j]->native.says_services ||
			    s->parts[j]->native.says_policy)
				return;
	}
	if (d->may_lack_services)
		report_note(r, files_name(d), 0, 0,
			    "no \"services\" in it, which is right where somebody else has them, as with --kubernetes");
	else if (d->nr_sources)
		report_error(r, files_name(d), 0, 0,
			     "no \"services\" in it; an empty list is written \"services: []\"");
}

/* Node ports without a node's address are served nowhere. */
static void check_node_ports(const struct definitions *d, const struct model *m,
			     struct report *r)
{
	for (int is4 = 1; is4 >= 0 && !m->nr_nodeport; is4--)
		if (addr_is_zero(is4 ? &m->node4 : &m->node6) &&
		    manifests_have_node_ports(d->manifests, is4))
			report_refused(r, d->sources[0]->name, 0, 0,
				       "node ports of %s are not served: no Node of this node's name says its address, nor does nodeport-addresses",
				       is4 ? "IPv4" : "IPv6");
}

static size_t collect_items(const struct definitions *d,
			    struct native_item **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < d->nr_sources; i++) {
		const struct source *s = d->sources[i];

		for (size_t j = 0; j < s->nr_parts; j++) {
			struct native *n = &s->parts[j]->native;

			for (size_t k = 0; ret && k < n->nr_items; k++)
				ret[count + k] = &n->items[k];
			count += n->nr_items;
		}
	}
	return count;
}

static bool has_new_items(const struct definitions *d)
{
	for (size_t i = 0; i < d->nr_sources; i++)
		for (size_t j = 0; j < d->sources[i]->nr_parts; j++)
			if (!d->sources[i]->parts[j]->is_taken &&
			    d->sources[i]->parts[j]->native.nr_items)
				return true;
	return false;
}

/* Of network policy, what files say by themselves. */
static int check_items(const struct definitions *d, struct report *r)
{
	struct native_item **list;
	size_t count;

	if (!has_new_items(d))
		return 0;
	count = collect_items(d, NULL);
	list = calloc(count, sizeof(*list));
	if (!list)
		return -ENOMEM;
	collect_items(d, list);
	policy_index_check(list, count, r);
	free(list);
	return 0;
}

/* What settings and services would be: all of files, or nothing. */
struct attempt {
	struct model *m;	/* owned */
	const struct part *from[NR_SETTINGS];	/* who gives each setting */
	struct service_index before;	/* owned, if the index is another one */
	bool has_index;
};

static void attempt_clear(struct attempt *a)
{
	model_free(a->m);
	service_index_clear(&a->before);
}

static int attempt_make(struct definitions *d, struct attempt *a,
			struct report *r)
{
	struct service_index next;
	int err;

	a->m = model_new();
	err = a->m ? build_settings(d, a->m, a->from, r) : -ENOMEM;
	err = err ?: index_next(d, &next, &a->has_index);
	if (err)
		return err;
	if (a->has_index) {
		a->before = d->index;
		d->index = next;
	}
	service_index_check(&d->index, r);
	check_nat(d, a->m, a->from[SETTING_NAT_ADDRESSES], r);
	err = check_items(d, r);
	if (!err && !r->count)
		check_services(d, r);
	return err;
}

static void hold(struct definitions *d, bool is_held)
{
	for (size_t i = 0; i < d->nr_sources; i++)
		d->sources[i]->is_held = is_held &&
					 !d->sources[i]->is_of_objects;
}

static int take(struct definitions *d, struct attempt *a, struct model **ret)
{
	hold(d, false);
	d->rivals.is_new |= a->has_index;
	d->rivals.index = &d->index;
	d->rivals.nat_from = a->from[SETTING_NAT_ADDRESSES];
	*ret = take_ptr(a->m);
	return tell_all(d);
}

static int settings_copy(const struct model *from, struct model **ret)
{
	__cleanup(model_freep) struct model *m = model_new();
	int err = m ? 0 : -ENOMEM;

	for (int i = 0; i < NR_SETTINGS && !err; i++)
		if (!setting_is_equal(i, m, from))
			err = setting_copy(i, m, from);
	if (!err)
		*ret = take_ptr(m);
	return err;
}

/* Objects have to do with what stands. */
static int fall_back(struct definitions *d, struct attempt *a,
		     struct model **ret)
{
	hold(d, true);
	if (a->has_index) {
		service_index_clear(&d->index);
		d->index = a->before;
		a->before = (struct service_index){};
	}
	return settings_copy(d->standing.settings, ret);
}

static int stand(struct definitions *d, const struct model *m)
{
	struct model *settings = NULL;
	int err = settings_copy(m, &settings);

	if (err)
		return err;
	model_free(d->standing.settings);
	d->standing.settings = settings;
	for (size_t i = 0; i < d->nr_sources; i++)
		memcpy(d->standing.sha256[i], d->sources[i]->sha256, 32);
	return 0;
}

/* After files, on which it depends what objects may have. */
static int look_at_objects(struct definitions *d, struct model *m,
			   struct report *r)
{
	const struct manifests_round round = {
		m, &d->rivals, &d->news, &d->policy, r
	};
	int err;

	d->rivals.settings = m;
	err = manifests_refresh(d->manifests, d->sources, d->nr_sources,
				&round) ?: policy_index_settle(&d->policy, r);
	if (!err)
		check_node_ports(d, m, r);
	return err;
}

/* Something is left that can change while files are held. */
static bool goes_on(const struct definitions *d)
{
	for (size_t i = 0; i < d->nr_sources; i++)
		if (d->sources[i]->is_of_objects)
			return true;
	return false;
}

/* -EINVAL: nothing comes of it. */
static int look(struct definitions *d, struct report *r, struct model **ret)
{
	__cleanup(attempt_clear) struct attempt a = {};
	int err = attempt_make(d, &a, r);
	const bool is_wrong = r->count, has_stood = d->standing.settings;

	if (err)
		return err;
	err = is_wrong && has_stood ? fall_back(d, &a, ret) : take(d, &a, ret);
	if (!err && !(is_wrong && has_stood && !goes_on(d)))
		err = look_at_objects(d, *ret, r);
	if (err)
		return err;
	round_end(d);
	return is_wrong && !(has_stood && goes_on(d)) ? -EINVAL : 0;
}

/* Does a source say something of network policy, even if that is nothing? */
static bool says_policy(const struct source *s)
{
	struct part_walk w = PART_WALK(s);
	const struct part *p;

	while ((p = part_walk_next(&w)))
		if (p->native.says_policy)
			return true;
	return s->knows_pods;
}

/* A pod that is refused is closed, where all are that are not known. */
static int build_policy(struct definitions *d, struct model *m)
{
	const bool lacks = manifests_lack_policy(d->manifests),
		   lacks_pods = manifests_lack_pods(d->manifests);
	struct policy_index_round round = {
		.says_policy = lacks || lacks_pods, .lacks_refused = lacks,
	};

	for (size_t i = 0; i < d->nr_sources; i++) {
		const struct source *s = d->sources[i];

		round.says_policy |= says_policy(s);
		round.knows_all |= s->knows_pods;
		round.is_partial |= s->lacks_policy;
	}
	round.lacks_refused |= lacks_pods && !round.knows_all;
	return policy_index_set(&d->policy, &round, &m->policy);
}

static int build(struct definitions *d, struct report *r, struct model **ret)
{
	__cleanup(model_freep) struct model *m = NULL;
	int err = look(d, r, &m);

	if (err)
		return err;
	if (!d->set)
		d->set = service_set_new();
	err = d->set ? news_take(&d->news, &d->set) : -ENOMEM;
	err = err ?: build_digest(d, m) ?: build_policy(d, m);
	if (!err && !r->count)
		err = stand(d, m);
	if (err)
		return err;
	model_use(m, d->set);
	*ret = take_ptr(m);
	return 0;
}

/* Not all that is handed out is in the digest. */
static bool is_another(struct definitions *d, const struct model *m)
{
	bool ret = !d->has_last || d->was_partial != m->is_partial ||
		   d->last_policy != m->policy ||
		   memcmp(d->last, m->sha256, 32);

	d->has_last = true;
	d->was_partial = m->is_partial;
	d->last_policy = m->policy;
	memcpy(d->last, m->sha256, 32);
	return ret;
}

int definitions_reload(struct definitions *d, struct model **ret, FILE *errors,
		       bool *ret_changed)
{
	struct report r = { .out = errors };
	struct model *m = NULL;
	int err;

	d->work = (struct definitions_work){};
	err = refresh_all(d, &r) ?: build(d, &r, &m);
	if (err == -ENOMEM)
		forget_all(d);
	report_finish(&r);
	if (err)
		return err;
	*ret_changed = is_another(d, m);
	m->nr_refused = r.refused + r.count;
	*ret = m;
	return 0;
}

struct definitions_work definitions_work(const struct definitions *d)
{
	return d->work;
}

struct kube_news *definitions_news(struct definitions *d)
{
	return manifests_news(d->manifests);
}

int definitions_new(struct definitions **ret)
{
	struct definitions *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	if (manifests_new(&d->manifests)) {
		free(d);
		return -ENOMEM;
	}
	*ret = d;
	return 0;
}

int definitions_add(struct definitions *d, struct source *s)
{
	if (d->nr_sources == SOURCES_OF_DEFINITIONS_MAX) {
		s->ops->clear(s);
		s->ops->free(s);
		return -E2BIG;
	}
	d->sources[d->nr_sources++] = s;
	return 0;
}

/* d NULL: there are no definitions that they could be of. */
static int add_others(struct definitions *d, struct source *const *others)
{
	int err = 0;

	for (int i = 0; i < DEFINITIONS_OTHERS_MAX; i++) {
		if (others[i] && d)
			err = definitions_add(d, others[i]) ?: err;
		else if (others[i])
			others[i]->ops->free(others[i]);
	}
	return err;
}

static int open_files(const struct definitions_from *from, enum files_kind kind,
		      struct definitions **ret)
{
	__cleanup(definitions_closep) struct definitions *d = NULL;
	int err = definitions_new(&d);
	struct source *s;

	err = add_others(d, from->others) ?: err;
	if (!err && from->path)
		err = files_new(from->path, kind, &s) ?: definitions_add(d, s);
	if (!err && from->nr_given)
		err = given_new(from->given, from->nr_given, &s) ?:
		      definitions_add(d, s);
	if (err)
		return err;
	d->may_lack_services = from->may_lack_services;
	*ret = take_ptr(d);
	return 0;
}

int definitions_open(const struct definitions_from *from,
		     struct definitions **ret)
{
	return open_files(from, FILES_FOLLOWED, ret);
}

void definitions_close(struct definitions *d)
{
	if (!d)
		return;
	forget_all(d);
	for (size_t i = 0; i < d->nr_sources; i++)
		d->sources[i]->ops->free(d->sources[i]);
	manifests_free(d->manifests);
	free(d);
}

void definitions_closep(struct definitions **d)
{
	definitions_close(*d);
}

int definitions_load(const struct definitions_from *from, struct model **ret,
		     FILE *errors)
{
	__cleanup(definitions_closep) struct definitions *d = NULL;
	bool changed;
	int err;

	err = open_files(from, FILES_ONCE, &d);
	return err ?: definitions_reload(d, ret, errors, &changed);
}
