// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See checking.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "checking.h"
#include "process/child.h"

#define KEEP_S 60
#define SILENT_MS 5000	/* a process that is for so long stands still */

static __u64 key_of(__u64 digest, const struct model_check *c)
{
	const __u32 words[] = { c->interval_ms, c->fast_ms, c->rise, c->fall,
				c->jitter, c->spec.timeout_ms };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		digest = hash_mix(digest ^ words[i]) + 0x9e3779b97f4a7c15ull;
	return digest;
}

/* What is known of the same question already, however often it was asked. */
static const struct checked *find_kin(const struct checking *c, __u64 digest)
{
	const struct checked *ret = NULL;

	for (__u32 id = 1; c->nr_services && id <= c->last_id; id++) {
		const struct checked *k = c->by_id[id];

		if (k && k->digest == digest &&
		    k->last.state != CHECK_UNKNOWN)
			ret = k;
	}
	return ret;
}

static __u32 free_id(const struct checking *c)
{
	for (__u32 id = 1; id < HEALTH_CHECKS_MAX; id++)
		if (!c->by_id[id])
			return id;
	return 0;
}

static void checked_free(struct checked *k)
{
	if (k)
		probe_spec_clear(&k->order.check.spec);
	free(k);
}

/* Of another check of now, or of a daemon before us. */
static void verdict_inherit(const struct checking *c, struct checked *k)
{
	const struct checked *kin = find_kin(c, k->digest);
	const struct kept_verdict *kept = kept_verdicts_find(&c->kept,
							     k->digest);

	if (kin) {
		k->last = kin->last;
		k->since_s = kin->since_s;
	} else if (kept) {
		k->last.state = kept->state;
		k->last.flaps = kept->flaps;
		memcpy(k->last.why, kept->why, sizeof(kept->why));
		k->since_s = kept->since_s;
	}
	k->last.run = 0;
}

static struct checked *checked_new(struct checking *c,
				   const struct model_check *check,
				   __u64 digest)
{
	struct checked *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	memcpy(&k->order.check, check, sizeof(*check));
	if (probe_spec_copy(&k->order.check.spec, &check->spec)) {
		free(k);
		return NULL;
	}
	k->digest = digest;
	verdict_inherit(c, k);
	return k;
}

/* The one that makes it, of a backend of s. */
static struct checked *checked_get(struct checking *c,
				   const struct model_check *of,
				   const struct model_service *s,
				   const struct model_backend *b)
{
	struct model_check check;
	struct checked *k, **chain;
	__u64 digest, key;
	__u32 id;

	memcpy(&check, of, sizeof(check));
	if (addr_is_zero(&check.spec.addr))
		check.spec.addr = b->addr;
	if (!check.spec.port)
		check.spec.port = b->port ?: s->fronts[0].port_first;
	digest = probe_spec_digest(&check.spec);
	key = key_of(digest, &check);
	chain = &c->chains[key % CHECKING_CHAINS];
	for (k = *chain; k; k = k->next)
		if (k->key == key) {
			k->is_wanted = true;
			return k;
		}
	id = free_id(c);
	k = id ? checked_new(c, &check, digest) : NULL;
	if (!k)
		return NULL;
	k->key = key;
	k->order.id = k->last.id = id;
	k->is_wanted = true;
	k->next = *chain;
	*chain = k;
	c->by_id[id] = k;
	c->last_id = id > c->last_id ? id : c->last_id;
	c->nr_checks++;
	return k;
}

static void service_clear(struct checked_service *s)
{
	for (size_t i = 0; i < s->nr_backends; i++)
		free(s->backends[i].checks);
	free(s->backends);
	free(s->name);
}

static void services_free(struct checked_service *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		service_clear(&list[i]);
	free(list);
}

static int backend_fill(struct checking *c, const struct model_service *s,
			const struct model_backend *b,
			struct checked_backend *ret)
{
	ret->addr = b->addr;
	ret->port = b->port;
	ret->weight = b->state == BACKEND_ACTIVE ? b->weight : 0;
	ret->checks = calloc(s->health.nr_checks, sizeof(*ret->checks));
	if (!ret->checks)
		return -ENOMEM;
	for (size_t i = 0; i < s->health.nr_checks; i++) {
		ret->checks[i] = checked_get(c, &s->health.checks[i], s, b);
		if (!ret->checks[i])
			return -ENOSPC;
	}
	return 0;
}

static int service_fill(struct checking *c, const struct model_service *s,
			struct checked_service *ret)
{
	int err = 0;

	ret->name = strdup(s->name);
	ret->health = s->health;
	ret->health.checks = NULL;
	ret->nr_checks = s->health.nr_checks;
	ret->backends = calloc(s->nr_backends + 1, sizeof(*ret->backends));
	if (!ret->name || !ret->backends)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr_backends && !err; i++)
		err = backend_fill(c, s, &s->backends[i],
				   &ret->backends[ret->nr_backends++]);
	return err;
}

/* The worst of its checks'. */
static __u8 verdict_of(const struct checked_service *s,
		       const struct checked_backend *b)
{
	__u8 ret = CHECK_UP;

	for (size_t i = 0; i < s->nr_checks; i++) {
		__u8 state = b->checks[i]->last.state;

		if (state == CHECK_DOWN)
			return CHECK_DOWN;
		if (state == CHECK_UNKNOWN)
			ret = CHECK_UNKNOWN;
	}
	return ret;
}

/* Which check says it is as it is, the worst one. */
static const struct checked *telling(const struct checked_service *s,
				     const struct checked_backend *b)
{
	for (size_t i = 0; i < s->nr_checks; i++)
		if (b->checks[i]->last.state == b->verdict)
			return b->checks[i];
	return b->checks[0];
}

static void log_change(const struct checked_service *s,
		       const struct checked_backend *b, __u8 was)
{
	const struct checked *k = telling(s, b);
	char text[ENDPOINT_TEXT_MAX];

	if (was == CHECK_UNKNOWN && b->verdict == CHECK_UP)
		return;
	log_info("health: service \"%s\" %s: %s > %s%s%s", s->name,
		 endpoint_format(&b->addr, b->port, text),
		 check_state_name(was), check_state_name(b->verdict),
		 *k->last.why ? ": " : "", k->last.why);
}

/* True: something of it is to be written. */
static bool service_look(struct checked_service *s)
{
	struct rule_member *list = calloc(s->nr_backends + 1, sizeof(*list));
	bool differs = false;

	if (!list)
		return false;	/* the next look finds it */
	for (size_t i = 0; i < s->nr_backends; i++) {
		struct checked_backend *b = &s->backends[i];
		const __u8 was = b->verdict;

		b->verdict = verdict_of(s, b);
		if (b->verdict != was) {
			b->changes++;
			log_change(s, b, was);
		}
		list[i] = (struct rule_member){ b->weight, b->verdict, 0 };
	}
	rule_find(&s->health, list, s->nr_backends, &s->found);
	for (size_t i = 0; i < s->nr_backends; i++) {
		differs |= s->backends[i].said != list[i].said;
		s->backends[i].said = list[i].said;
	}
	free(list);
	return differs;
}

static struct checked_service *find_service(const struct checking *c,
					    const char *name)
{
	size_t low = 0, high = c->nr_services;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(c->services[mid].name, name);

		if (!order)
			return &c->services[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static struct checked_backend *find_backend(const struct checked_service *s,
					    const struct addr *addr, __u16 port)
{
	size_t low = 0, high = s ? s->nr_backends : 0;

	while (low < high) {
		size_t mid = (low + high) / 2;
		struct checked_backend *b = &s->backends[mid];
		int order = addr_compare(&b->addr, addr) ?:
			    (int)b->port - port;

		if (!order)
			return b;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static __u8 said_of(void *arg, const char *service, const struct addr *addr,
		    __u16 port)
{
	const struct checked_backend *b =
		find_backend(find_service(arg, service), addr, port);

	return b ? b->said : 0;
}

/* What was found of a backend goes on in the new list. */
static void take_over(const struct checking *old, struct checked_service *s)
{
	const struct checked_service *was = find_service(old, s->name);

	for (size_t i = 0; i < s->nr_backends; i++) {
		struct checked_backend *b = &s->backends[i];
		const struct checked_backend *o =
			find_backend(was, &b->addr, b->port);

		b->verdict = verdict_of(s, b);
		b->changes = o ? o->changes : 0;
	}
	service_look(s);
}

void checking_begin(struct checking *c, const struct model *m)
{
	struct checked_service *list;
	size_t count = 0;
	int err = 0;

	state_set_health(c->parts->state,
			 &(struct state_health){ said_of, c });
	if (!c->by_id)
		c->by_id = calloc(HEALTH_CHECKS_MAX, sizeof(*c->by_id));
	list = calloc(m->nr_services + 1, sizeof(*list));
	if (!list || !c->by_id) {
		free(list);
		return;
	}
	for (size_t i = 0; i < m->nr_services && !err; i++)
		if (m->services[i]->health.nr_checks)
			err = service_fill(c, m->services[i], &list[count++]);
	if (err) {
		log_warning(err, "not all backends are checked: service \"%s\"",
			    list[count - 1].name ?: "");
		service_clear(&list[--count]);
	}
	for (size_t i = 0; i < count; i++)
		take_over(c, &list[i]);
	services_free(c->services, c->nr_services);
	c->services = list;
	c->nr_services = count;
}

static void send_bytes(struct checking *c, const struct bytes_out *b)
{
	struct channel *channel = c->child ? child_channel(c->child) : NULL;

	if (channel && b->len)
		channel_send(channel, b->data, b->len);
}

static void tell(struct checking *c, struct checked *k)
{
	struct bytes_out b = {};

	k->order.state = k->last.state;
	k->order.flaps = k->last.flaps;
	if (health_order_put(&b, &k->order))
		send_bytes(c, &b);
	bytes_free(&b);
	k->is_told = true;
}

static void forget(struct checking *c, struct checked *k)
{
	struct checked **at = &c->chains[k->key % CHECKING_CHAINS];
	struct bytes_out b = {};
	size_t begin = record_begin(&b, RECORD_UNCHECK, 0);

	record_field(&b, RECORD_FIELD_BYTES, &k->order.id,
		     sizeof(k->order.id));
	if (record_end(&b, begin) && k->is_told)
		send_bytes(c, &b);
	bytes_free(&b);
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	c->by_id[k->order.id] = NULL;
	c->nr_checks--;
	checked_free(k);
}

/* Those that nobody asks for any more go. */
static void drop_unwanted(struct checking *c)
{
	for (__u32 id = 1; c->by_id && id <= c->last_id; id++)
		if (c->by_id[id])
			c->by_id[id]->is_wanted = false;
	for (size_t i = 0; i < c->nr_services; i++)
		for (size_t j = 0; j < c->services[i].nr_backends; j++)
			for (size_t k = 0; k < c->services[i].nr_checks; k++)
				c->services[i].backends[j].checks[k]
					->is_wanted = true;
	for (__u32 id = 1; c->by_id && id <= c->last_id; id++)
		if (c->by_id[id] && !c->by_id[id]->is_wanted)
			forget(c, c->by_id[id]);
}

static void find_down(struct checking *c)
{
	size_t len = 0, most = sizeof(c->down.text);

	c->down = (struct refusal){};
	if (c->child && !child_channel(c->child))
		len += snprintf(c->down.text, most,
				"backends are not checked: the process \"%s\" is not there; ",
				health_worker.title);
	for (size_t i = 0; i < c->nr_services && len < most; i++) {
		const struct checked_service *s = &c->services[i];

		if (!s->found.down)
			continue;
		len += snprintf(c->down.text + len, most - len,
				"%sservice \"%.64s\": %u of %zu backends down",
				len ? ", " : "", s->name, s->found.down,
				s->nr_backends);
	}
}

static __u64 boottime_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

void checking_keep(struct checking *c, const char *path)
{
	int err = kept_verdicts_read(path, boottime_s(), &c->kept);

	c->kept_path = path;
	if (err && err != -ENOENT && err != -ESTALE)
		log_warning(err, "what backends were like is not known from \"%s\"",
			    path);
}

/* What of a check outlives us. */
static void keep_one(struct kept_verdicts *k, const struct checked *of)
{
	struct kept_verdict *to = &k->list[k->count++];

	*to = (struct kept_verdict){ .digest = of->digest,
				     .since_s = of->since_s,
				     .state = of->last.state,
				     .flaps = of->last.flaps };
	memcpy(to->why, of->last.why, sizeof(to->why));
}

static void keep(struct checking *c)
{
	struct kept_verdicts k = {
		.list = calloc(c->nr_checks + 1, sizeof(*k.list)),
	};
	int err = k.list ? 0 : -ENOMEM;

	c->written_s = boottime_s();
	for (__u32 id = 1; !err && c->by_id && id <= c->last_id; id++)
		if (c->by_id[id] && c->by_id[id]->last.state != CHECK_UNKNOWN)
			keep_one(&k, c->by_id[id]);
	if (!err && c->kept_path)
		err = kept_verdicts_write(c->kept_path, c->written_s, &k);
	if (err)
		log_warning(err, "what backends are like does not outlive this daemon");
	kept_verdicts_clear(&k);
}

static void on_begun(void *arg, struct channel *channel)
{
	struct checking *c = arg;

	c->alive_ms = clock_ms();
	for (__u32 id = 1; id <= c->last_id; id++)
		if (c->by_id[id])
			tell(c, c->by_id[id]);
}

static const char *on_result(struct checking *c, struct record *r)
{
	struct health_result said;
	struct checked *k;

	if (!health_result_get(r, &said))
		return "a result that is none";
	k = c->by_id[said.id];
	if (!k)
		return NULL;	/* it has crossed our word that it is to go */
	if (said.state != k->last.state) {
		k->since_s = time(NULL);
		c->is_news = true;
	}
	k->last = said;
	k->results[said.outcome]++;
	c->results[said.outcome]++;
	return NULL;
}

static const char *on_record(void *arg, struct record *r)
{
	struct checking *c = arg;

	c->alive_ms = clock_ms();
	if (r->type == RECORD_RESULT)
		return on_result(c, r);
	return r->type == RECORD_ALIVE ? NULL : "a record that is not for us";
}

/* Acts on what has come, of each service once. */
static void on_read_all(void *arg)
{
	struct checking *c = arg;
	int err;

	if (!c->is_news)
		return;
	c->is_news = false;
	for (size_t i = 0; i < c->nr_services; i++) {
		struct checked_service *s = &c->services[i];

		if (!service_look(s))
			continue;
		err = state_health_look(c->parts->state, s->name, dp_now_s());
		if (err && err != -ENOENT)
			log_error(err, "what checks say of service \"%s\" is not in force",
				  s->name);
	}
	find_down(c);
	keep(c);
}

static const struct child_ops child_ops = {
	.begun = on_begun,
	.record = on_record,
	.read_all = on_read_all,
};

/* The process is there while there are checks. */
static void child_look(struct checking *c)
{
	if (!c->nr_checks) {
		child_close(c->child);
		c->child = NULL;
	} else if (!c->child && c->spawner &&
		   child_open(c->loop, c->spawner, &child_ops, c, &c->child)) {
		log_warning(0, "backends are not checked");
	}
}

void checking_settle(struct checking *c)
{
	drop_unwanted(c);
	if (c->nr_services || !c->has_looked || *c->down.text)
		state_health_look(c->parts->state, NULL, dp_now_s());
	c->has_looked = !c->nr_services;
	find_down(c);
	if (!c->loop)
		return;
	for (__u32 id = 1; c->by_id && id <= c->last_id; id++)
		if (c->by_id[id] && !c->by_id[id]->is_told && c->child)
			tell(c, c->by_id[id]);
	child_look(c);
}

void checking_start(struct checking *c, struct loop *l,
		    struct spawner *spawner)
{
	c->loop = l;
	c->spawner = spawner;
	child_look(c);
}

void checking_stop(struct checking *c)
{
	child_close(c->child);
	c->child = NULL;
	for (__u32 id = 1; c->by_id && id <= c->last_id; id++)
		checked_free(c->by_id[id]);
	free(c->by_id);
	services_free(c->services, c->nr_services);
	kept_verdicts_clear(&c->kept);
}

/* Each minute the file is as young as what it says. */
void checking_tick(struct checking *c)
{
	if (c->child && child_channel(c->child) &&
	    clock_ms() - c->alive_ms > SILENT_MS)
		child_renew(c->child, "it does not say that it is alive");
	if (c->nr_checks && boottime_s() - c->written_s >= KEEP_S)
		keep(c);
	find_down(c);
}

bool checking_find(const struct checking *c, const char *service,
		   bool *ret_works, bool *ret_is_known)
{
	const struct checked_service *s = find_service(c, service);

	if (!s)
		return false;
	*ret_works = s->found.works;
	*ret_is_known = s->found.is_known;
	return true;
}

static json_t *backend_json(const struct checked_service *s,
			    const struct checked_backend *b)
{
	const struct checked *k = telling(s, b);
	char text[ENDPOINT_TEXT_MAX], why[HEALTH_WHY_MAX + 40];

	snprintf(why, sizeof(why), "%s%s%s",
		 check_kind_name(k->order.check.spec.kind),
		 *k->last.why ? ": " : "", k->last.why);
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:I}",
			 "service", s->name,
			 "backend", endpoint_format(&b->addr, b->port ?: -1,
						    text),
			 "health", check_state_name(b->verdict),
			 "since", (json_int_t)k->since_s, "why", why,
			 "took_us", (json_int_t)k->last.took_us,
			 "passed", (json_int_t)k->results[PROBE_PASS],
			 "failed", (json_int_t)k->results[PROBE_FAIL],
			 "no_result",
			 (json_int_t)k->results[PROBE_NO_RESULT]);
}

json_t *checking_json(const struct checking *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->nr_services; i++)
		for (size_t j = 0; j < c->services[i].nr_backends; j++)
			json_array_append_new(list, backend_json(
				&c->services[i], &c->services[i].backends[j]));
	return json_pack("{s:b, s:o}", "ok", 1, "backends", list);
}
