// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See world.h. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <fairlead/hash.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/addr.h"
#include "bytes.h"
#include "kernel/dp.h"
#include "model/conns.h"
#include "model/words.h"
#include "world.h"

#define CPUS_MAX 512
#define HOSTS_MAX HOST_ADDRS_MAX
#define IFINDEX 1		/* lo, where everything arrives */

struct world {
	struct dp *dp;
	struct state *state;
	struct model *model;
	struct reference *reference;
	struct addr hosts[HOSTS_MAX];
	size_t nr_hosts;
	struct addr locals[HOSTS_MAX];
	size_t nr_locals;
	struct addr nodes[HOSTS_MAX];	/* which are among hosts, too */
	size_t nr_nodes;
	struct addr in_sets[HOSTS_MAX];
	__u8 sets[HOSTS_MAX];	/* BACKEND_SET_FLAGS of in_sets */
	size_t nr_in_sets;
	struct reference_mac macs[REFERENCE_MACS_MAX];
	size_t nr_macs;
	__u32 now_s;
	int link;
	__u16 path_mtu;
	struct tc_place place;	/* of tc's programs, but for the hook */
	__u32 from;		/* the interface that it came by; 0: none */
	int program, counters, limits;
	int cpu, cpus;
	__u64 packets[NR_REASONS];
	__u64 seen;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	abort();
}

/* The map of a program that has the name. */
static int program_map(int program, const char *name)
{
	__u32 ids[64];
	struct bpf_prog_info info = {
		.nr_map_ids = 64,
		.map_ids = (unsigned long)ids,
	};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		die("program info", -errno);
	for (__u32 i = 0; i < info.nr_map_ids && i < 64; i++) {
		struct bpf_map_info map = {};
		__u32 map_len = sizeof(map);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &map_len) &&
		    !strcmp(map.name, name))
			return fd;
		close(fd);
	}
	die(name, -ENOENT);
	return -1;
}

int world_map(const struct world *w, const char *program, const char *map)
{
	return program_map(dp_program_fd(w->dp, program), map);
}

static void stay_on_this_cpu(struct world *w)
{
	cpu_set_t set;

	w->cpu = sched_getcpu();
	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU affinity", -errno);
	w->cpus = libbpf_num_possible_cpus();
	if (w->cpus < 1 || w->cpus > CPUS_MAX)
		die("number of CPUs", -ERANGE);
}

/* As many as there are links; of what came in, to mac_us, it is the host's. */
static void add_devices(void)
{
	char command[200];

	for (int i = LINK_REDIRECT; i <= LINK_POD2; i++) {
		snprintf(command, sizeof(command), "ip link add link%d index %d "
			 "address %02x:%02x:%02x:%02x:%02x:%02x type veth peer "
			 "name peer%d index %d", i, i, mac_us[0], mac_us[1],
			 mac_us[2], mac_us[3], mac_us[4], mac_us[5], i,
			 100 + i);
		if (system(command))
			die(command, -ENODEV);
	}
}

struct world *world_open(void)
{
	struct dp_opts opts = {
		.unpinned = true,
		.has_hash_key = true,
		.sizes = { .services = 256, .backends = 1024, .slots = 1 << 16,
			   .cell_buckets = 256, .conn_buckets = 2000 },
	};
	struct world *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		abort();
	for (int i = 0; i < 16; i++)
		opts.hash_key[i] = 0x9e3779b9u * (i + 1);
	if (unshare(CLONE_NEWNET))
		die("network namespace", -errno);
	add_devices();
	stay_on_this_cpu(w);
	err = dp_open(&opts, &w->dp);
	if (err)
		die("datapath", err);
	w->program = dp_program_fd(w->dp, "fl_xdp");
	if (w->program < 0)
		die("fl_xdp", w->program);
	w->counters = program_map(w->program, "counters");
	w->limits = program_map(dp_program_fd(w->dp, "fl_xdp_answer4"),
				"limits");
	world_reset(w);
	return w;
}

void world_close(struct world *w)
{
	reference_free(w->reference);
	model_free(w->model);
	state_free(w->state);
	close(w->counters);
	close(w->limits);
	dp_close(w->dp);
	free(w);
}

struct tables *world_tables(struct world *w)
{
	return dp_tables(w->dp);
}

struct state *world_state(struct world *w)
{
	return w->state;
}

struct model *world_model(struct world *w)
{
	return w->model;
}

struct reference *world_reference(struct world *w)
{
	return w->reference;
}

int world_program(const struct world *w)
{
	return w->program;
}

__u64 world_seen(const struct world *w)
{
	return w->seen;
}

void world_forget_seen(struct world *w)
{
	w->seen = 0;
}

static void set_links(struct tables *t)
{
	for (__u32 i = LINK_TX; i <= LINK_POD2; i++) {
		t->links[i] = (struct link){
			.ifindex = i == LINK_TX || i == LINK_CLIENTS ? IFINDEX :
									2,
			.mtu = 1500,
			.mac = { 0x02, 0, 0, 0, 0x11, i },
			.addr4 = addr("10.9.9.0"), .addr6 = addr("fd00:99::"),
			.user_ifindex = i,
		};
		t->links[i].addr4.word[3] |= htonl(i);
		t->links[i].addr6.word[3] |= htonl(i);
	}
	t->links[LINK_POD].ifindex = 0;
	t->links[LINK_POD2].ifindex = 0;
	t->links[LINK_VLAN].vlan_proto = htons(0x8100);
	t->links[LINK_VLAN].vlan_id = htons(7);
	t->links[LINK_CLIENTS].vlan_proto = htons(0x8100);
	t->links[LINK_CLIENTS].vlan_id = htons(CLIENT_VLAN);
	for (__u32 i = LINK_TX; i <= LINK_POD2; i++)
		words_put(t->ingress, INGRESS_BUCKETS,
			  ingress_link_word(t->links[i].ifindex ?:
					    t->links[i].user_ifindex,
					    ntohs(t->links[i].vlan_id), i));
}

void world_takes(struct world *w, const uint8_t *mac, int vlan)
{
	__u16 number = vlan < 0 ? (int)INGRESS_ANY_VLAN : vlan;
	__u64 word = ingress_mac_word(IFINDEX, mac_number(mac), number);

	if (w->nr_macs == REFERENCE_MACS_MAX ||
	    !words_put(world_tables(w)->ingress, INGRESS_BUCKETS, word))
		die("MAC addresses", -ENOSPC);
	w->macs[w->nr_macs].vlan = vlan;
	memcpy(w->macs[w->nr_macs++].mac, mac, MAC_LEN);
	reference_macs(w->reference, w->macs, w->nr_macs);
}

static void clear_conns(struct tables *t)
{
	int err = conns_clear(t);

	if (err)
		die("table of connections", err);
}

static void clear_tables(struct tables *t)
{
	struct slot *slots = t->slots(t, 0, t->nr_slots);

	if (!slots)
		die("slots", -ENOMEM);
	memset(slots, 0, t->nr_slots * sizeof(*slots));
	memset(t->services, 0, t->nr_services * sizeof(*t->services));
	memset(t->infos, 0, t->nr_services * sizeof(*t->infos));
	memset(t->cells, 0, t->cell_buckets * SERVICE_CELLS *
			    sizeof(*t->cells));
	memset(t->backends, 0, t->nr_backends * sizeof(*t->backends));
	memset(t->nat_addrs, 0, (2 * NAT_ADDRS_MAX + 1) *
				sizeof(*t->nat_addrs));
	memset(t->vip_filter, 0, VIP_FILTER_SIZE);
	memset(t->ingress, 0, INGRESS_BUCKETS * sizeof(*t->ingress));
	memset(t->own, 0, OWN_BUCKETS * sizeof(*t->own));
	memset(t->own_filter, 0, OWN_BITS / 8);
	memset(t->port_filter, 0, sizeof(struct port_filter));
	memset(t->backend_filter, 0, sizeof(struct backend_filter));
	memset(t->runtime, 0, sizeof(*t->runtime));
	clear_conns(t);
}

/* Every bucket full. */
static void clear_limits(struct world *w)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), *keys;
	__u64 *zero;

	if (bpf_obj_get_info_by_fd(w->limits, &info, &len))
		die("limits", -errno);
	keys = calloc(info.max_entries, sizeof(*keys));
	zero = calloc(info.max_entries, sizeof(*zero));
	if (!keys || !zero)
		abort();
	for (__u32 i = 0; i < info.max_entries; i++)
		keys[i] = i;
	if (bpf_map_update_batch(w->limits, keys, zero, &info.max_entries,
				 NULL))
		die("limits", -errno);
	free(keys);
	free(zero);
}

/* The reason that has one packet more than before. */
static __u64 counted(struct world *w)
{
	static struct counter values[NR_REASONS * CPUS_MAX];
	__u32 keys[NR_REASONS], count = NR_REASONS, position;
	__u64 reasons = 0;

	if (bpf_map_lookup_batch(w->counters, NULL, &position, keys, values,
				 &count, NULL) && errno != ENOENT)
		die("counters", -errno);
	for (__u32 i = 0; i < count; i++) {
		__u64 now = values[i * w->cpus + w->cpu].packets;

		if (now != w->packets[keys[i]])
			reasons |= 1ull << keys[i];
		w->packets[keys[i]] = now;
	}
	w->seen |= reasons;
	return reasons;
}

/* Answers without a limit: tests run faster than any that is sane. */
static struct model *new_model(void)
{
	struct model *m = model_new();

	if (!m)
		abort();
	m->answers_per_s = 0;
	m->answers_network_per_s = 0;
	return m;
}

void world_reset(struct world *w)
{
	struct tables *t = world_tables(w);
	static const char *const nat[] = { "10.9.9.1", "fd00:99::1" };
	int err;

	if (w->state) {		/* prefixes, sources are no memory: undo them */
		model_free(w->model);
		w->model = new_model();
		world_apply(w);
		state_free(w->state);
	} else {
		w->model = new_model();
	}
	w->nr_hosts = 0;
	w->nr_locals = 0;
	w->nr_in_sets = 0;
	w->nr_nodes = 0;
	w->nr_macs = 0;
	w->link = LINK_TX;
	w->path_mtu = 0;
	w->place = (struct tc_place){ .ifindex = IFINDEX };
	w->from = 0;
	w->now_s = dp_now_s();
	clear_tables(t);
	clear_limits(w);
	dp_fragments_read(w->dp);	/* room for new ones; may send */
	counted(w);
	set_links(t);
	err = state_load(t, w->now_s, &w->state, NULL);
	if (err)
		die("state", err);
	reference_free(w->reference);
	w->reference = reference_new(t, IFINDEX);
	world_takes(w, mac_us, -1);
	world_nat(w, nat, 2);
	world_apply(w);
}

static struct model_service *find(struct world *w, const char *name)
{
	for (size_t i = 0; i < w->model->nr_services; i++) {
		if (!strcmp(w->model->services[i]->name, name))
			return w->model->services[i];
	}
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	const struct model_service *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int compare_backends(const void *a, const void *b)
{
	const struct model_backend *x = a, *y = b;
	int order = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return order ?: x->port - y->port;
}

void world_undefine(struct world *w, const char *name)
{
	struct model_service *s = find(w, name), **list = w->model->services;
	size_t count = w->model->nr_services, i = 0;

	if (!s)
		return;
	while (list[i] != s)
		i++;
	memmove(&list[i], &list[i + 1], (count - i - 1) * sizeof(*list));
	w->model->nr_services--;
	model_service_free(s);
}

static void add_front(struct model_service *s,
		      const struct service_words *words, const char *address)
{
	struct model_front *f = &s->fronts[s->nr_fronts++];

	*f = (struct model_front){
		.addr = addr(address), .prefix_len = 128,
		.port_first = words->port, .port_last = words->port_last,
		.kind = words->kind, .flags = words->flags,
		.tunnel = words->tunnel,
	};
	if (words->prefix_len)
		f->prefix_len = words->prefix_len +
				(addr_v6(&f->addr) ? 0 : 96);
	if (!words->port)
		f->port_last = 65535;
	else if (!words->port_last)
		f->port_last = words->port;
}

static int compare_fronts(const void *a, const void *b)
{
	return model_front_compare(a, b);
}

static void set_fronts(struct model_service *s,
		       const struct service_words *words)
{
	s->fronts = calloc(WORLD_FRONTS_MAX, sizeof(*s->fronts));
	if (!s->fronts)
		abort();
	add_front(s, words, words->addr);
	for (int i = 0; i < WORLD_FRONTS_MAX - 1 && words->also[i]; i++)
		add_front(s, words, words->also[i]);
	qsort(s->fronts, s->nr_fronts, sizeof(*s->fronts), compare_fronts);
}

static void set_backends(struct model_service *s,
			 const struct service_words *words)
{
	s->backends = calloc(WORLD_BACKENDS_MAX, sizeof(*s->backends));
	for (int i = 0; i < WORLD_BACKENDS_MAX && words->backends[i]; i++)
		s->backends[s->nr_backends++] = (struct model_backend){
			.addr = addr(words->backends[i]), .weight = 100,
			.port = words->backend_port, .state = BACKEND_ACTIVE,
		};
	qsort(s->backends, s->nr_backends, sizeof(*s->backends),
	      compare_backends);
}

static int compare_sources(const void *a, const void *b)
{
	const struct model_source *x = a, *y = b;
	int order = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	return order ?: x->len - y->len;
}

static void add_sources(struct model_service *s, const char *const *texts,
			bool allow)
{
	for (int i = 0; i < WORLD_SOURCES_MAX && texts[i]; i++) {
		struct model_source *to = &s->sources[s->nr_sources++];
		unsigned int len;

		if (!addr_parse_cidr(texts[i], &to->addr, &len))
			die(texts[i], -EINVAL);
		to->len = len;
		to->allow = allow;
	}
}

static void set_sources(struct model_service *s,
			const struct service_words *words)
{
	s->sources = calloc(2 * WORLD_SOURCES_MAX, sizeof(*s->sources));
	if (!s->sources)
		abort();
	add_sources(s, words->allow, true);
	add_sources(s, words->deny, false);
	qsort(s->sources, s->nr_sources, sizeof(*s->sources),
	      compare_sources);
}

void world_define(struct world *w, const struct service_words *words)
{
	const char *name = words->name ?: "web";
	struct model *m = w->model;
	struct model_service *s;

	world_undefine(w, name);
	s = model_service_add(m);
	if (!s)
		abort();
	*s = (struct model_service){
		.name = strdup(name), .proto = words->proto ?: IPPROTO_TCP,
		.forward = words->forward, .algorithm = words->algorithm,
		.stateless = words->stateless, .affinity_s = words->affinity_s,
	};
	set_fronts(s, words);
	set_backends(s, words);
	set_sources(s, words);
	qsort(m->services, m->nr_services, sizeof(*m->services), compare_names);
}

static bool among(const struct addr *list, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++) {
		if (!memcmp(&list[i], a, sizeof(*a)))
			return true;
	}
	return false;
}

/* The next hop of a backend: its address is in the MAC. */
static void set_hop(void *arg, __u32 index, struct backend *b)
{
	static const __u16 of_node[] = {
		LINK_POD, LINK_POD2, LINK_POD, LINK_REDIRECT,
	};
	struct world *w = arg;
	__u32 low = ntohl(b->addr.word[3]);
	struct nexthop hop = { .mac = { 0x02, 0xbb } };

	put32(hop.mac + 2, low);
	hop.link = w->link == LINKS_BY_ADDR ? LINK_TX + low % 3 :
		   w->link == LINKS_OF_NODE ? of_node[low % 4] :
					      (__u32)w->link;
	table_store(&b->hop, hop);
	b->mtu = w->path_mtu;
	b->flags &= ~BACKEND_LOCAL;
	if (among(w->locals, w->nr_locals, &b->addr))
		b->flags |= BACKEND_LOCAL;
}

static bool is_host(void *arg, const struct addr *a)
{
	const struct world *w = arg;

	return among(w->hosts, w->nr_hosts, a);
}

static struct model_source *copy_sources(const struct model_service *s)
{
	size_t bytes = s->nr_sources * sizeof(*s->sources);
	struct model_source *ret = malloc(bytes + 1);

	if (!ret)
		abort();
	return memcpy(ret, s->sources, bytes);
}

/* One front end of a service, as the reference has it. */
static struct reference_service reference_of(struct tables *t,
					     const struct service *svc,
					     const struct model_service *s)
{
	__u32 local_end = svc->local_count ?
		svc->local_base - svc->slot_base + svc->local_count : 0;
	__u32 count = local_end > svc->slot_count ? local_end : svc->slot_count;
	size_t bytes = count * sizeof(struct slot);
	struct reference_service ret = {
		.service = *svc,
		.prefix_len = svc->prefix_len,
		.sources = copy_sources(s),
		.nr_sources = s->nr_sources,
		.slots = malloc(bytes + 1),
		.nr_slots = count,
	};

	if (!ret.slots)
		abort();
	if (bytes)
		memcpy(ret.slots, t->slots(t, svc->slot_base, count), bytes);
	return ret;
}

/* Tell the reference what is in force. */
static void update_reference(struct world *w)
{
	struct tables *t = world_tables(w);
	struct state_service list[256];
	size_t n = state_services(w->state, list, 256), count = 0;
	struct reference_service *ret = calloc(n * WORLD_FRONTS_MAX + 1,
					       sizeof(*ret));

	if (!ret)
		abort();
	for (size_t i = 0; i < n; i++) {
		const struct model_service *s = find(w, list[i].info->name);

		if (!s)
			die(list[i].info->name, -ENOENT);
		for (size_t j = 0; j < list[i].nr_entries; j++)
			ret[count++] = reference_of(t,
				&t->services[list[i].entries[j]], s);
	}
	reference_services(w->reference, ret, count);
	reference_host_addrs(w->reference, w->hosts, w->nr_hosts);
	reference_node_addrs(w->reference, w->nodes, w->nr_nodes);
	reference_macs(w->reference, w->macs, w->nr_macs);
}

static void each_host(void *arg, void (*f)(void *data, const struct addr *a),
		      void *data)
{
	const struct world *w = arg;

	for (size_t i = 0; i < w->nr_hosts; i++)
		f(data, &w->hosts[i]);
}

static void refresh(struct world *w)
{
	state_each_backend(w->state, set_hop, w);
	state_host_addrs(w->state, w->now_s);
	update_reference(w);
}

/* What is on this host is in the local set of a node's services. */
static __u8 sets_of(const struct world *w, const struct addr *a)
{
	for (size_t i = 0; i < w->nr_in_sets; i++)
		if (!memcmp(&w->in_sets[i], a, sizeof(*a)))
			return w->sets[i];
	return among(w->locals, w->nr_locals, a) ? BACKEND_IN_LOCAL : 0;
}

static void set_sets(const struct world *w, struct model_service *s)
{
	if (s->fronts->kind == KIND_EDGE)
		return;
	for (size_t i = 0; i < s->nr_backends; i++)
		s->backends[i].flags = sets_of(w, &s->backends[i].addr);
}

void world_apply(struct world *w)
{
	struct reconcile_result result = {};
	char text[RECONCILE_TEXT_MAX] = "";
	int err;

	state_set_host(w->state, &(struct state_host){
		.is_host = is_host,
		.each_addr = each_host,
		.way = set_hop,
		.arg = w,
	});
	for (size_t i = 0; i < w->model->nr_services; i++)
		set_sets(w, w->model->services[i]);
	err = reconcile(w->state, w->model, w->now_s, &result, text);
	if (err)
		die(text[0] ? text : "reconcile", err);
	refresh(w);
}

void world_backend_state(struct world *w, const char *text,
			 enum backend_state state)
{
	struct addr a = addr(text);

	for (size_t i = 0; i < w->model->nr_services; i++) {
		const struct model_service *s = w->model->services[i];

		for (size_t j = 0; j < s->nr_backends; j++) {
			if (memcmp(&s->backends[j].addr, &a, sizeof(a)))
				continue;
			state_backend_set_state(w->state, s->name, &a,
						s->backends[j].port, state,
						w->now_s);
		}
	}
	refresh(w);
}

void world_link(struct world *w, int link)
{
	w->link = link;
}

/* An empty one's head stays 0. */
static void age_record(__u32 *head, struct conn *c, __u32 seconds)
{
	__u32 stamp = *head >> CONN_STAMP_SHIFT & CONN_STAMP_MASK;

	if (!*head)
		return;
	stamp = (stamp - 8 * seconds) & CONN_STAMP_MASK;
	*head = (*head & ~(CONN_STAMP_MASK << CONN_STAMP_SHIFT)) |
		stamp << CONN_STAMP_SHIFT;
	c->time = conn_time(c->time - seconds, conn_life(c->time));
}

void world_age(struct world *w, __u32 seconds)
{
	struct tables *t = world_tables(w);

	for (__u32 i = 0; i < t->conn_buckets; i++) {
		struct conn_bucket *b = t->conns(t, i, 1);

		for (int way = 0; way < CONN_WAYS; way++)
			age_record(&b->head[way], &b->conn[1 + way], seconds);
	}
}

void world_path_mtu(struct world *w, __u16 mtu)
{
	w->path_mtu = mtu;
}

void world_local(struct world *w, const char *text)
{
	w->locals[w->nr_locals++] = addr(text);
}

void world_in_sets(struct world *w, const char *text, __u8 flags)
{
	w->sets[w->nr_in_sets] = flags;
	w->in_sets[w->nr_in_sets++] = addr(text);
}

void world_host(struct world *w, const char *text)
{
	w->hosts[w->nr_hosts++] = addr(text);
}

void world_node(struct world *w, const char *text)
{
	struct model_prefix *p = &w->model->nodeport[w->model->nr_nodeport++];

	p->addr = addr(text);
	p->len = 128;
	p->is_set = true;
	w->nodes[w->nr_nodes++] = p->addr;
	world_host(w, text);
}

void world_nat(struct world *w, const char *const *addrs, size_t count)
{
	struct addr list[2 * NAT_ADDRS_MAX];
	int err;

	for (size_t i = 0; i < count; i++)
		list[i] = addr(addrs[i]);
	err = state_nat_addrs(w->state, list, count);
	if (err)
		die("NAT addresses", err);
}

void world_settle(struct world *w)
{
	clear_conns(world_tables(w));
	w->now_s += 100000;
	for (int i = 0; i < 10; i++)
		reconcile_tick(w->state, w->now_s += 100);
	update_reference(w);
}

void world_forget(struct world *w)
{
	clear_conns(world_tables(w));
	reference_free(w->reference);
	w->reference = reference_new(world_tables(w), IFINDEX);
	update_reference(w);
}

/* Returns what the program returned. */
static __u32 run(struct world *w, int program, const struct packet *in,
		 struct outcome *ret)
{
	struct __sk_buff skb = {
		.ifindex = w->place.ifindex, .ingress_ifindex = w->from,
		.gso_size = w->place.gso_size,
		.gso_segs = w->place.gso_size ? 2 : 0,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = in->data,
		.data_size_in = in->len,
		.data_out = ret->packet.data,
		.data_size_out = PACKET_MAX,
	);

	if (program != w->program) {
		opts.ctx_in = &skb;
		opts.ctx_size_in = sizeof(skb);
	}
	if (bpf_prog_test_run_opts(program, &opts))
		die("test run", -errno);
	ret->packet.len = opts.data_size_out;
	ret->reasons = counted(w);
	ret->compare = COMPARE_FRAME;
	return opts.retval;
}

void world_run(struct world *w, const struct packet *in, struct outcome *ret)
{
	ret->actions = 1u << run(w, w->program, in, ret);
}

void world_grow(struct world *w, __u32 conns)
{
	__u32 buckets = conn_buckets_for(conns);
	struct table_sizes sizes = {
		.conn_buckets = buckets,
		.reply_buckets = reply_buckets_for(buckets),
	};
	int err = dp_grow(w->dp, &sizes);

	if (err)
		die("larger table", err);
	w->program = dp_program_fd(w->dp, "fl_xdp");
}

void world_grown(struct world *w)
{
	int err = dp_switch(w->dp);

	if (err)
		die("larger table", err);
}

void world_hide_program(struct world *w, enum xdp_program program)
{
	int map = program_map(w->program, "xdp_programs");
	__u32 key = program;

	if (bpf_map_delete_elem(map, &key))
		die("xdp_programs", -errno);
	close(map);
}

void world_show_program(struct world *w, enum xdp_program program)
{
	static const char *const names[] = {
#define X(name) [XDP_PROGRAM_##name] = "fl_" #name,
		FAIRLEAD_XDP_PROGRAMS(X)
#undef X
	};
	int map = program_map(w->program, "xdp_programs");
	int fd = dp_program_fd(w->dp, names[program]);
	__u32 key = program;

	if (bpf_map_update_elem(map, &key, &fd, BPF_ANY))
		die(names[program], -errno);
	close(map);
}

int world_run_tc(struct world *w, const char *program, const struct packet *in,
		 struct outcome *ret)
{
	int fd = dp_program_fd(w->dp, program), verdict;

	if (fd < 0)
		die(program, fd);
	verdict = run(w, fd, in, ret);
	ret->actions = verdict == TC_ACT_SHOT	  ? 1 << XDP_DROP :
		       verdict == TC_ACT_REDIRECT ? 1 << XDP_REDIRECT :
						    1 << XDP_PASS;
	return verdict;
}

static enum tc_hook hook_of(const char *program)
{
	static const char *const names[] = {
		[TC_POD_IN] = "fl_pod_in", [TC_POD_OUT] = "fl_pod_out",
		[TC_UPLINK_IN] = "fl_uplink_in",
		[TC_UPLINK_OUT] = "fl_uplink_out",
		[TC_HOST_OUT] = "fl_host_out",
	};
	int i = 0;

	while (strcmp(names[i], program))
		i++;
	return i;
}

/* What passes and is not counted is as it came. */
bool world_agrees_tc(struct world *w, const char *program,
		     const struct packet *in, const struct outcome *got)
{
	struct tc_place at = w->place;
	char text[DESCRIPTION_MAX];
	__u64 passes = 0;
	struct outcome want;

	at.hook = hook_of(program);
	at.is_hosts = !w->from;
	reference_tc(w->reference, &at, in, got, &want);
	for (int i = 0; i < NR_REASONS; i++)
		if (reason_verdict(i) == VERDICT_PASS)
			passes |= 1ull << i;
	if (outcome_ok(&want, got, true) &&
	    (got->reasons || (want.reasons & passes && packet_eq(in,
							&got->packet))))
		return true;
	fprintf(stderr, "  in:   %s at %s, %u\n", packet_describe(in, text),
		program, at.ifindex);
	return false;
}

void world_pod(struct world *w, bool is_pod)
{
	world_place(w, is_pod ? LINK_POD : IFINDEX, 0);
}

void world_place(struct world *w, __u32 ifindex, __u32 from)
{
	w->place.ifindex = ifindex;
	w->from = from;
}

void world_gso(struct world *w, __u32 size)
{
	w->place.gso_size = size;
}

bool world_check(struct world *w, const struct packet *in,
		 struct outcome *got)
{
	struct outcome own, want;
	char text[DESCRIPTION_MAX];

	got = got ?: &own;
	world_run(w, in, got);
	reference_packet(w->reference, in, got, &want);
	if (outcome_ok(&want, got, true))
		return true;
	fprintf(stderr, "  in:   %s\n", packet_describe(in, text));
	return false;
}
