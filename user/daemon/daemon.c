// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Definitions in, tables out, see daemon.h. A model that was loaded but could
 * not be put in force stays pending: what stands in its way may go.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/epoll.h>

#include "base/addr.h"
#include "base/endpoint.h"
#include "control.h"
#include "daemon.h"
#include "kernel/dp.h"
#include "base/log.h"
#include "model/model.h"
#include "host/nexthop.h"
#include "engine/reconcile.h"
#include "definitions/definitions.h"
#include "base/cleanup.h"

#define TICK_MS 1000
#define REFRESH_MS 10000
#define FRAGMENT_MS 2
#define ERROR_TEXT_MAX 512
#define GROW_TRIES 4

struct uplinks {
	__u32 ifindexes[MODEL_UPLINKS_MAX];
	size_t count;
};

struct daemon {
	struct definitions *files;
	struct dp *dp;
	struct state *state;
	struct nexthops *nexthops;
	struct model *model;	/* in force */
	struct model *pending;	/* loaded, but not in force; or NULL */
	char load_error[ERROR_TEXT_MAX]; /* "": none */
	char apply_error[ERROR_TEXT_MAX];
	bool is_early;		/* what is pending: it may do in a moment */
	struct uplinks uplinks;
	struct loop *loop;
	struct event *tick, *refresh, *fragment_retry;
	struct event *nexthop_events, *fragment_events;
	int64_t since_s;	/* CLOCK_REALTIME, start */
};

static struct tables *tables(struct daemon *d)
{
	return dp_tables(d->dp);
}

/* Why what is wanted is not in force, for status. */
static int refuse(struct daemon *d, int err, const char *what, const char *name)
{
	snprintf(d->apply_error, sizeof(d->apply_error), what, name);
	return err;
}

/* Backends on this host */

static void local_begin(struct daemon *d)
{
	struct runtime *rt = tables(d)->runtime;
	int err;

	__atomic_store_n(&rt->has_local, 1, __ATOMIC_RELEASE);
	for (size_t i = 0; i < d->uplinks.count; i++) {
		err = dp_attach_local(d->dp, d->uplinks.ifindexes[i]);
		if (err)
			refuse(d, err, "cannot attach to an uplink what "
			       "backends on this host need%s", "");
	}
}

static void local_end(struct daemon *d)
{
	struct runtime *rt = tables(d)->runtime;

	__atomic_store_n(&rt->has_local, 0, __ATOMIC_RELEASE);
	for (size_t i = 0; i < d->uplinks.count; i++)
		dp_detach_local(d->dp, d->uplinks.ifindexes[i]);
}

/* Only NAT needs to see what they answer. */
static void local_settle(struct daemon *d)
{
	bool has_local = state_has_local_nat(d->state);

	if (has_local == tables(d)->runtime->has_local)
		return;
	if (has_local)
		local_begin(d);
	else
		local_end(d);
}

/* Next hops */

/* A backend that is here must not get a packet before its answers are seen;
 * which mode its service has is known later (local_settle). */
static void hop_fill(void *arg, __u32 index, struct backend *b)
{
	struct daemon *d = arg;
	struct nexthop hop = {}, found;
	bool is_local = false;

	switch (nexthops_find(d->nexthops, &b->addr, &found)) {
	case NEXTHOP_FOUND:
		hop = found;
		break;
	case NEXTHOP_LOCAL:
		is_local = true;
		break;
	case NEXTHOP_PENDING:
		/* a neighbour that is slow to answer is where it was, rather
		 * than nowhere */
		if (b->hop.link == found.link)
			hop = b->hop;
		break;
	case NEXTHOP_NONE:
		break;
	}
	if (memcmp(&hop, &b->hop, sizeof(hop)))
		table_store(&b->hop, hop);
	if (is_local && !(b->flags & BACKEND_LOCAL) &&
	    !tables(d)->runtime->has_local)
		local_begin(d);
	if (is_local)
		__atomic_or_fetch(&b->flags, BACKEND_LOCAL, __ATOMIC_RELEASE);
	else
		__atomic_and_fetch(&b->flags, (__u8)~BACKEND_LOCAL,
				   __ATOMIC_RELEASE);
}

static bool is_host_addr(void *arg, const struct addr *a)
{
	struct daemon *d = arg;

	return nexthops_is_local(d->nexthops, a);
}

static bool is_uplink(const struct daemon *d, __u32 ifindex)
{
	for (size_t i = 0; i < d->uplinks.count; i++)
		if (d->uplinks.ifindexes[i] == ifindex)
			return true;
	return false;
}

static bool link_is_uplink(const struct daemon *d, const struct link *l)
{
	return is_uplink(d, l->ifindex) || is_uplink(d, l->user_ifindex);
}

static void addr_append(struct addr *list, size_t *count, const struct addr *a)
{
	if (!addr_is_zero(a) && *count < 2 * MODEL_NAT_ADDRS_MAX &&
	    !addr_is_in(list, *count, a))
		list[(*count)++] = *a;
}

/* Before addresses lose their places in nat_addrs. */
static void links_nat_clear(struct tables *t, const struct addr *list,
			    size_t count)
{
	for (__u32 i = 1; i < t->nr_links; i++) {
		struct link *l = &t->links[i];

		if (l->nat4 && !addr_is_in(list, count, &l->addr4))
			l->nat4 = 0;
		if (l->nat6 && !addr_is_in(list, count, &l->addr6))
			l->nat6 = 0;
	}
}

/* Where nothing else is defined, what leaves by an uplink comes from its own
 * address: a backend there may know no way to another's. */
static void links_nat_store(struct daemon *d)
{
	const struct model *m = d->model;
	struct tables *t = tables(d);

	for (__u32 i = 1; i < t->nr_links; i++) {
		struct link *l = &t->links[i];
		bool own = link_is_uplink(d, l);

		l->nat4 = own && !m->nr_nat4 ?
				  state_nat_index(d->state, &l->addr4) : 0;
		l->nat6 = own && !m->nr_nat6 ?
				  state_nat_index(d->state, &l->addr6) : 0;
	}
}

/* The model's, and for a family of which it has none, the uplinks' own. */
static int nat_addrs_fill(struct daemon *d)
{
	struct addr list[2 * MODEL_NAT_ADDRS_MAX];
	const struct model *m = d->model;
	struct tables *t = tables(d);
	size_t count = 0;

	for (size_t i = 0; i < m->nr_nat4; i++)
		addr_append(list, &count, &m->nat4[i]);
	for (size_t i = 0; i < m->nr_nat6; i++)
		addr_append(list, &count, &m->nat6[i]);
	for (__u32 i = 1; i < t->nr_links; i++) {
		const struct link *l = &t->links[i];

		if (!link_is_uplink(d, l))
			continue;
		if (!m->nr_nat4)
			addr_append(list, &count, &l->addr4);
		if (!m->nr_nat6)
			addr_append(list, &count, &l->addr6);
	}
	links_nat_clear(t, list, count);
	if (state_nat_addrs(d->state, list, count))
		return -E2BIG;
	links_nat_store(d);
	return 0;
}

/* Of what is in the tables already. */
static void hops_fill(struct daemon *d)
{
	state_each_backend(d->state, hop_fill, d);
	state_host_addrs(d->state);
}

/* All anew, as links, routes or neighbours have changed. */
static void ways_fill(struct daemon *d)
{
	hops_fill(d);
	local_settle(d);
	if (nat_addrs_fill(d))
		log_warning(0, "cannot use every address of NAT");
}

/* Uplinks */

/* An interface that was there may go and come back; a name that is new and
 * means nothing is a mistake. */
static bool is_known_uplink(const struct daemon *d, const char *name)
{
	for (size_t i = 0; d->model && i < d->model->nr_uplinks; i++)
		if (!strcmp(d->model->uplinks[i], name))
			return true;
	return false;
}

/* What m's uplinks are now. Nothing is attached yet. */
static int uplinks_find(struct daemon *d, const struct model *m,
			struct uplinks *ret)
{
	__u32 ifindex;

	*ret = (struct uplinks){};
	for (size_t i = 0; i < m->nr_uplinks; i++) {
		ifindex = if_nametoindex(m->uplinks[i]);
		if (ifindex)
			ret->ifindexes[ret->count++] = ifindex;
		else if (!is_known_uplink(d, m->uplinks[i]))
			return refuse(d, -ENODEV, "uplink \"%s\": no such "
				      "interface", m->uplinks[i]);
	}
	if (m->nr_uplinks)
		return 0;
	ifindex = nexthops_default_ifindex(d->nexthops);
	if (ifindex)
		*ret = (struct uplinks){ { ifindex }, 1 };
	else if (d->uplinks.count)
		*ret = d->uplinks; /* lost for a moment, perhaps */
	else
		return refuse(d, -ENODEV, "no default route to find the uplink "
			      "by%s; name it in uplinks:", "");
	return 0;
}

static void uplinks_detach_others(struct daemon *d)
{
	struct dp_attachment list[4 * MODEL_UPLINKS_MAX];
	size_t room = sizeof(list) / sizeof(list[0]);
	int count = dp_attachments(d->dp, list, room);

	for (int i = 0; i < count && (size_t)i < room; i++)
		if (!is_uplink(d, list[i].ifindex))
			dp_detach(d->dp, list[i].ifindex);
}

static int uplink_attach(struct daemon *d, __u32 ifindex)
{
	int err = 0;

	if (tables(d)->runtime->has_local)
		err = dp_attach_local(d->dp, ifindex);
	return err ? err : dp_attach(d->dp, ifindex);
}

static int uplinks_attach(struct daemon *d)
{
	char name[IF_NAMESIZE] = "?";
	int err;

	for (size_t i = 0; i < d->uplinks.count; i++) {
		err = uplink_attach(d, d->uplinks.ifindexes[i]);
		if (!err)
			continue;
		if_indextoname(d->uplinks.ifindexes[i], name);
		return refuse(d, err, "cannot attach to \"%s\"", name);
	}
	uplinks_detach_others(d);
	d->apply_error[0] = 0;
	return 0;
}

/* Definitions */

static __u32 grown(__u32 size, __u32 needed)
{
	__u64 wanted = needed + (__u64)needed / 4;
	__u64 ret = size ? size : 1;

	if (needed <= size)
		return size;
	while (ret < wanted)
		ret *= 2;
	return ret > UINT32_MAX ? needed : ret;
}

/* Larger tables, filled before traffic goes by them. */
static int tables_grow(struct daemon *d, const struct table_sizes *needed)
{
	struct table_sizes sizes;
	int err;

	dp_sizes(d->dp, &sizes);
	sizes.services = grown(sizes.services, needed->services);
	sizes.backends = grown(sizes.backends, needed->backends);
	sizes.slots = grown(sizes.slots, needed->slots);
	sizes.cell_buckets = grown(sizes.cell_buckets, needed->cell_buckets);
	sizes.conn_buckets = grown(sizes.conn_buckets, needed->conn_buckets);
	err = dp_grow(d->dp, &sizes);
	if (err)
		return err;
	nexthops_move(d->nexthops, tables(d)->links);
	err = state_resize(d->state);
	return err ? err : dp_switch(d->dp);
}

static int model_reconcile(struct daemon *d, const struct model *m,
			   struct reconcile_result *result)
{
	char text[RECONCILE_TEXT_MAX] = "";
	int err = -ENOSPC;

	for (int i = 0; i < GROW_TRIES && err == -ENOSPC; i++) {
		*result = (struct reconcile_result){};
		err = reconcile(d->state, m, dp_now_s(), result, text);
		if (err == -ENOSPC && tables_grow(d, &result->needed))
			return refuse(d, -ENOSPC, "cannot make the tables "
				      "larger%s", "");
	}
	if (!err)
		return 0;
	return refuse(d, err, "%s", *text ? text : strerror(-err));
}

static void put(FILE *out, const char **before, unsigned int count,
		const char *what)
{
	if (!count)
		return;
	fprintf(out, "%s%u %s", *before, count, what);
	*before = ", ";
}

static void applied_log(__u64 generation, const struct reconcile_result *r)
{
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");
	const char *before = " services: ";

	if (!out)
		return;
	put(out, &before, r->added, "added");
	put(out, &before, r->changed, "changed");
	put(out, &before, r->removed, "removed");
	before = *before == ',' ? "; backends: " : " backends: ";
	put(out, &before, r->backends_added, "added");
	put(out, &before, r->backends_changed, "changed");
	put(out, &before, r->backends_removed, "removed");
	fclose(out);
	log_info("applied generation %llu:%s", generation,
		 *text ? text : " no service changed");
}

/* Last of all: who waits for a generation may rely on the rest. */
static void applied_store(struct daemon *d, const struct reconcile_result *r)
{
	struct applied *a = tables(d)->applied;
	bool is_same = !r->added && !r->changed && !r->removed &&
		       !r->backends_added && !r->backends_changed &&
		       !r->backends_removed;

	if (is_same && a->generation &&
	    !memcmp(a->sha256, d->model->sha256, sizeof(a->sha256)))
		return;
	memcpy(a->sha256, d->model->sha256, sizeof(a->sha256));
	a->since_s = time(NULL);
	__atomic_store_n(&a->generation, a->generation + 1, __ATOMIC_RELEASE);
	applied_log(a->generation, r);
}

/* Put the pending model in force: tables, ways to backends, and only then the
 * uplinks. apply_error says why not; not logged. */
static int apply(struct daemon *d)
{
	struct reconcile_result result;
	struct uplinks uplinks;
	int err;

	err = uplinks_find(d, d->pending, &uplinks);
	if (!err)
		err = model_reconcile(d, d->pending, &result);
	if (err)
		return err;
	model_free(d->model);
	d->model = take_ptr(d->pending);
	d->uplinks = uplinks;
	local_settle(d);
	if (nat_addrs_fill(d))
		log_warning(0, "cannot use every address of NAT");
	err = uplinks_attach(d);
	if (err)
		return err;
	applied_store(d, &result);
	return 0;
}

static void apply_pending(struct daemon *d)
{
	char before[ERROR_TEXT_MAX];
	int err;

	if (!d->pending)
		return;
	memcpy(before, d->apply_error, sizeof(before));
	err = apply(d);
	d->is_early = err == -EAGAIN;
	if (err && strcmp(before, d->apply_error))
		log_error(0, "%s", d->apply_error);
}

static void log_lines(const char *text)
{
	while (*text) {
		int len = strcspn(text, "\n");

		log_error(0, "%.*s", len, text);
		text += len + (text[len] == '\n');
	}
}

/* Keeps the first line, for status. */
static void load_failed(struct daemon *d, int err, const char *errors)
{
	char line[ERROR_TEXT_MAX];

	if (!*errors)
		errors = strerror(-err);
	snprintf(line, sizeof(line), "%s", errors);
	line[strcspn(line, "\n")] = 0;
	if (!strcmp(line, d->load_error))
		return;
	strcpy(d->load_error, line);
	log_lines(errors);
	if (d->model)
		log_warning(0, "the definitions do not check out; what was in "
			    "force stays");
}

static void work_log(const struct daemon *d, bool has_changed)
{
	struct definitions_work work = definitions_work(d->files);

	log_debug("read %u files, parsed %u documents: %s", work.files_read,
		  work.documents_parsed, has_changed ? "changed" : "no change");
}

static int load(struct daemon *d, enum daemon_patience patience)
{
	struct model *m = NULL;
	bool has_changed = false;
	char *errors = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&errors, &len);
	int err = -ENOMEM;

	if (out) {
		err = definitions_reload(d->files, &m, out, &has_changed);
		fclose(out);
	}
	if (!err) {
		d->load_error[0] = 0;
	} else if (patience == DAEMON_FINAL) {
		load_failed(d, err, errors ? errors : "");
	}
	free(errors);
	if (!err)
		work_log(d, has_changed);
	if (err || !has_changed) {
		model_free(m);
		return err;
	}
	model_free(d->pending);
	d->pending = m;
	d->apply_error[0] = 0;
	return 0;
}

int daemon_reload(struct daemon *d, enum daemon_patience patience)
{
	int err = load(d, patience);

	if (err)
		return err;
	apply_pending(d);
	return *d->apply_error ? -EINVAL : 0;
}

/* Life */

/*
 * Room for so many connections, in buckets. One with NAT has two entries, and
 * at a load of 40 % one bucket in a hundred is full.
 */
static __u32 conn_buckets(__u32 conns)
{
	__u64 ret = conns ? 1 : 0;

	while (ret * CONN_WAYS < conns * 5ull && ret < 1u << 24)
		ret *= 2;
	return ret;
}

static int datapath_open(struct daemon *d, const char *pin_root)
{
	const struct model *m = d->pending;
	struct dp_opts opts = {
		.sizes.conn_buckets = conn_buckets(m->max_conns),
		.has_hash_key = m->has_hash_key,
		.pin_root = pin_root,
	};
	unsigned int dropped = 0;
	int err;

	memcpy(opts.hash_key, m->hash_key, sizeof(opts.hash_key));
	err = dp_open(&opts, &d->dp);
	if (err)
		return err;
	err = state_load(tables(d), dp_now_s(), &d->state, &dropped);
	if (err)
		return log_error(err, "cannot read what is in the tables");
	if (dropped)
		log_warning(0, "dropped %u entries that contradict themselves",
			    dropped);
	err = nexthops_open(tables(d)->links, tables(d)->nr_links,
			    &d->nexthops);
	if (err)
		return log_error(err, "cannot read links and routes");
	state_set_host(d->state, &(struct state_host){
		.is_host = is_host_addr,
		.way = hop_fill,
		.arg = d,
	});
	hops_fill(d);
	return 0;
}

int daemon_open(const char *config, const char *pin_root, struct daemon **ret)
{
	__cleanup(daemon_closep) struct daemon *d = NULL;
	int err;

	d = calloc(1, sizeof(*d));
	if (!d)
		return log_error(-ENOMEM, "cannot start");
	d->since_s = time(NULL);
	err = definitions_open(config, &d->files);
	if (err)
		return log_error(err, "cannot read \"%s\"", config);
	err = load(d, DAEMON_FINAL);
	if (err)
		return err;
	err = datapath_open(d, pin_root);
	if (err)
		return err;
	err = apply(d);
	if (err)
		return log_error(0, "%s", d->apply_error), err;
	*ret = take_ptr(d);
	return 0;
}

void daemon_close(struct daemon *d)
{
	if (!d)
		return;
	event_remove(d->tick);
	event_remove(d->refresh);
	event_remove(d->fragment_retry);
	event_remove(d->nexthop_events);
	event_remove(d->fragment_events);
	nexthops_close(d->nexthops);
	state_free(d->state);
	dp_close(d->dp);
	definitions_close(d->files);
	model_free(d->model);
	model_free(d->pending);
	free(d);
}

void daemon_closep(struct daemon **d)
{
	daemon_close(*d);
}

/* Events */

static void on_tick(void *arg)
{
	struct daemon *d = arg;

	reconcile_tick(d->state, dp_now_s());
	if (d->is_early)
		apply_pending(d);
	if (tables(d)->runtime->has_local)
		local_settle(d);
}

static void on_refresh(void *arg)
{
	struct daemon *d = arg;

	nexthops_refresh(d->nexthops);
}

/* An interface that was made anew under its old name has another index; and
 * what could not be attached to may let us now. */
static void uplinks_follow(struct daemon *d)
{
	char before[ERROR_TEXT_MAX];
	struct uplinks uplinks;

	memcpy(before, d->apply_error, sizeof(before));
	if (uplinks_find(d, d->model, &uplinks))
		return;
	if (!*before && !memcmp(&uplinks, &d->uplinks, sizeof(uplinks)))
		return;
	d->uplinks = uplinks;
	if (!uplinks_attach(d))
		applied_store(d, &(struct reconcile_result){});
	else if (strcmp(before, d->apply_error))
		log_error(0, "%s", d->apply_error);
}

static void on_nexthops(void *arg, __u32 events)
{
	struct daemon *d = arg;
	bool has_changed = false;
	int err = nexthops_read(d->nexthops, &has_changed);

	if (err)
		log_error(err, "cannot follow links and routes");
	if (!has_changed)
		return;
	if (d->pending)
		apply_pending(d);
	else
		uplinks_follow(d);
	ways_fill(d);
}

static void on_fragment(void *arg, __u32 events)
{
	struct daemon *d = arg;

	dp_fragments_read(d->dp);
	timer_set(d->fragment_retry, FRAGMENT_MS, FRAGMENT_MS);
}

static void on_fragment_retry(void *arg)
{
	struct daemon *d = arg;

	if (!dp_fragments_retry(d->dp))
		timer_set(d->fragment_retry, 0, 0);
}

static int timers_start(struct daemon *d)
{
	int err;

	err = loop_add_timer(d->loop, on_tick, d, &d->tick);
	if (!err)
		err = timer_set(d->tick, TICK_MS, TICK_MS);
	if (!err)
		err = loop_add_timer(d->loop, on_refresh, d, &d->refresh);
	if (!err)
		err = timer_set(d->refresh, REFRESH_MS, REFRESH_MS);
	if (!err)
		err = loop_add_timer(d->loop, on_fragment_retry, d,
				     &d->fragment_retry);
	return err;
}

int daemon_start(struct daemon *d, struct loop *l)
{
	int err;

	d->loop = l;
	err = timers_start(d);
	if (!err)
		err = loop_add_fd(l, nexthops_fd(d->nexthops), EPOLLIN,
				  on_nexthops, d, &d->nexthop_events);
	if (!err && dp_fragments_fd(d->dp) >= 0)
		err = loop_add_fd(l, dp_fragments_fd(d->dp), EPOLLIN,
				  on_fragment, d, &d->fragment_events);
	if (err)
		return log_error(err, "cannot wait for events");
	return 0;
}

/* Answers */

static json_t *text_json(const char *text)
{
	json_t *ret = *text ? json_string(text) : json_null();

	return ret ? ret : json_string("not UTF-8");
}

static json_t *answer_status(struct daemon *d)
{
	const struct applied *a = tables(d)->applied;
	const char *error = *d->load_error ? d->load_error : d->apply_error;
	char sha256[2 * sizeof(a->sha256) + 1];

	for (size_t i = 0; i < sizeof(a->sha256); i++)
		sprintf(sha256 + 2 * i, "%02x", a->sha256[i]);
	return json_pack("{s:b, s:b, s:b, s:o, s:s, s:I, s:i, s:I}", "ok", 1,
			 "synced", !*error, "early", d->is_early,
			 "error", text_json(error),
			 "sha256", sha256,
			 "generation", (json_int_t)a->generation,
			 "pid", (int)getpid(),
			 "since", (json_int_t)d->since_s);
}

/* The backend of service that is at addr, if its port does not matter or is
 * the only one. Returns the port, -ENOENT or -EEXIST. */
static int port_find(struct daemon *d, const char *service,
		     const struct addr *addr)
{
	size_t count = state_services(d->state, NULL, 0);
	struct state_service *list = calloc(count + 1, sizeof(*list));
	int port = -ENOENT;

	if (!list)
		return -ENOMEM;
	count = state_services(d->state, list, count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].info->name, service))
			continue;
		for (size_t j = 0; j < list[i].nr_backends; j++) {
			const struct backend *b =
				&tables(d)->backends[list[i].backends[j]];

			if (addr_compare(&b->addr, addr))
				continue;
			port = port == -ENOENT ? ntohs(b->port) : -EEXIST;
		}
	}
	free(list);
	return port;
}

static int backend_act(struct daemon *d, const char *action,
		       const char *service, const struct addr *addr,
		       __u16 port, int weight)
{
	__u32 now_s = dp_now_s();

	if (!strcmp(action, "drain"))
		return state_backend_set_state(d->state, service, addr, port,
					       BACKEND_DRAIN, now_s);
	if (!strcmp(action, "undrain"))
		return state_backend_set_state(d->state, service, addr, port,
					       BACKEND_ACTIVE, now_s);
	if (!strcmp(action, "weight"))
		return weight < 0 || weight > BACKEND_WEIGHT_MAX ? -ERANGE :
		       state_backend_set_weight(d->state, service, addr, port,
						weight, now_s);
	if (!strcmp(action, "default"))
		return state_backend_unset(d->state, service, addr, port,
					   BACKEND_SET_STATE |
					   BACKEND_SET_WEIGHT, now_s);
	return -EOPNOTSUPP;
}

static json_t *answer_backend(struct daemon *d, const json_t *request)
{
	const char *action, *service, *backend;
	int weight = -1, port, err;
	struct addr addr;

	if (json_unpack((json_t *)request, "{s:s, s:s, s:s, s?i}",
			"action", &action, "service", &service,
			"backend", &backend, "weight", &weight))
		return control_refuse("action, service and backend are needed");
	if (!endpoint_parse(backend, &addr, &port))
		return control_refuse("\"%s\" is not an address and port",
				      backend);
	if (port < 0)
		port = port_find(d, service, &addr);
	if (port == -EEXIST)
		return control_refuse("service \"%s\" has several backends at "
				      "\"%s\": add the port", service, backend);
	err = port < 0 ? port :
	      backend_act(d, action, service, &addr, port, weight);
	if (err == -ENOENT)
		return control_refuse("no backend \"%s\" of service \"%s\"",
				      backend, service);
	if (err)
		return control_refuse("cannot %s \"%s\" of service \"%s\": %s",
				      action, backend, service, strerror(-err));
	log_info("by hand: %s \"%s\" of service \"%s\"", action, backend,
		 service);
	return json_pack("{s:b}", "ok", 1);
}

json_t *daemon_answer(void *arg, const json_t *request)
{
	const char *cmd = json_string_value(json_object_get(request, "cmd"));
	struct daemon *d = arg;

	if (!cmd)
		return control_refuse("a request needs \"cmd\"");
	if (!strcmp(cmd, "status"))
		return answer_status(d);
	if (!strcmp(cmd, "sync")) {
		daemon_reload(d, DAEMON_FINAL);
		return answer_status(d);
	}
	if (!strcmp(cmd, "backend"))
		return answer_backend(d, request);
	return control_refuse("no command \"%s\"", cmd);
}
