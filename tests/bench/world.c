// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See world.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fairlead/programs.h>

#include <fairlead/hash.h>

#include "bytes.h"
#include "confirm.h"
#include "model/conns.h"
#include "model/words.h"
#include "pkt.h"
#include "world.h"

#define PORT 80
#define BACKEND_PORT 8080

static const struct table_sizes sizes = {
	.services = 32768, .backends = 262144, .slots = 1 << 25,
	.cell_buckets = 1 << 15,
	.conn_buckets = 99865,	/* conn_buckets_for(BENCH_FLOWS_MAX) */
};

static void die(const char *what, int err)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(-err));
	abort();
}

static struct addr addr_at(bool v6, const char *base4, const char *base6,
			   __u32 i)
{
	struct addr a = addr(v6 ? base6 : base4);

	a.word[3] = htonl(ntohl(a.word[3]) + i);
	return a;
}

static struct addr vip_at(bool v6, __u32 i)
{
	return addr_at(v6, "10.96.0.1", "fd00:96::1", i);
}

static struct addr backend_at(bool v6, __u32 i)
{
	return addr_at(v6, "10.128.0.1", "fd00:1::1", i);
}

static struct addr client_at(bool v6, __u32 i)
{
	return addr_at(v6, "172.16.0.0", "2001:db8::", i);
}

static struct addr stranger_at(bool v6, __u32 i)
{
	return addr_at(v6, "10.200.0.0", "fd00:200::", i);
}

static struct addr nat_at(bool v6)
{
	return addr(v6 ? "fd00:99::1" : "10.9.9.1");
}

/* splitmix64: the same flows in every run. */
static __u64 random_next(__u64 *state)
{
	__u64 x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* The maps of fl_xdp: f is called with each, until it returns true. */
static void each_map(int program, bool (*f)(void *arg, int fd,
		     const struct bpf_map_info *info), void *arg)
{
	__u32 ids[64];
	struct bpf_prog_info info = {
		.nr_map_ids = 64,
		.map_ids = (unsigned long)ids,
	};
	__u32 len = sizeof(info);
	bool done = false;

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		die("program info", -errno);
	for (__u32 i = 0; i < info.nr_map_ids && i < 64 && !done; i++) {
		struct bpf_map_info map = {};
		__u32 map_len = sizeof(map);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &map, &map_len))
			die("map info", -errno);
		done = f(arg, fd, &map);
		close(fd);
	}
}

static bool map_share(void *arg, int fd, const struct bpf_map_info *info)
{
	struct bench_bpf *skel = arg;
	struct bpf_map *map = bpf_object__find_map_by_name(skel->obj,
							   info->name);
	int err = map && map != skel->maps.xdp_programs ?
			  bpf_map__reuse_fd(map, fd) : 0;

	if (err)
		die(info->name, err);
	return false;
}

/* fl_xdp's configuration is in read-only data, and begins with the key. */
static bool config_copy(void *arg, int fd, const struct bpf_map_info *info)
{
	struct world *w = arg;
	const size_t key_size = sizeof(w->skel->rodata->cfg.hash_key);
	char *value = malloc(info->value_size), *at = NULL;
	__u32 zero = 0;

	if (!value)
		abort();
	if (strstr(info->name, ".rodata") &&
	    !bpf_map_lookup_elem(fd, &zero, value))
		at = memmem(value, info->value_size,
			    dp_tables(w->dp)->hash_key, key_size);
	if (at)
		memcpy((void *)&w->skel->rodata->cfg, at,
		       sizeof(w->skel->rodata->cfg));
	free(value);
	return at;
}

static void *map_memory(struct bpf_map *map, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(map), 0);

	if (at == MAP_FAILED)
		die(bpf_map__name(map), -errno);
	return at;
}

/* By their place in xdp_programs, without "fl_" or "bench_". */
static const char *const called[] = {
#define X(name) [XDP_PROGRAM_##name] = #name,
	FAIRLEAD_XDP_PROGRAMS(X)
#undef X
};

static int fl_program(struct world *w, const char *name)
{
	char full[64];
	int fd;

	snprintf(full, sizeof(full), "fl_%s", name);
	fd = dp_program_fd(w->dp, full);
	if (fd < 0)
		die(full, fd);
	return fd;
}

/* Our programs call one another, not those that they are made of. */
static void programs_link(struct world *w)
{
	int map = bpf_map__fd(w->skel->maps.xdp_programs), fd;
	char name[64];

	for (__u32 i = 0; i < NR_XDP_PROGRAMS; i++) {
		snprintf(name, sizeof(name), "bench_%s", called[i]);
		fd = bpf_program__fd(bpf_object__find_program_by_name(
			w->skel->obj, name));
		if (bpf_map_update_elem(map, &i, &fd, BPF_ANY))
			die(name, -errno);
	}
}

static void programs_open(struct world *w)
{
	struct bpf_program *program;
	int err;

	w->skel = bench_bpf__open();
	if (!w->skel)
		die("programs", -errno);
	bpf_object__for_each_program(program, w->skel->obj)
		if (!strncmp(bpf_program__name(program), "fl_", 3))
			bpf_program__set_autoload(program, false);
	each_map(fl_program(w, "xdp"), map_share, w->skel);
	for (__u32 i = 0; i < NR_XDP_PROGRAMS; i++)
		each_map(fl_program(w, called[i]), map_share, w->skel);
	each_map(fl_program(w, "xdp"), config_copy, w);
	if (!w->skel->rodata->cfg.conn_buckets)
		die("configuration", -ENOENT);
	err = bench_bpf__load(w->skel);
	if (err)
		die("programs", err);
	programs_link(w);
	w->setup = map_memory(w->skel->maps.bench_setup, sizeof(*w->setup));
	w->flows = map_memory(w->skel->maps.bench_flows,
			      BENCH_FLOWS_MAX * sizeof(*w->flows));
}

struct world *world_open(void)
{
	struct dp_opts opts = {
		.unpinned = true, .has_hash_key = true, .sizes = sizes,
	};
	struct world *w = calloc(1, sizeof(*w));
	__u64 seed = 1;
	int err;

	if (!w)
		abort();
	for (int i = 0; i < 16; i++)
		opts.hash_key[i] = random_next(&seed);
	err = dp_open(&opts, &w->dp);
	if (err)
		die("datapath", err);
	programs_open(w);
	dp_tables(w->dp)->links[1] = (struct link){
		.ifindex = 1, .mtu = 1500, .mac = { 2, 0, 0, 0, 0x11, 1 },
		.addr4 = addr("10.9.9.1"), .addr6 = addr("fd00:99::1"),
		.user_ifindex = 1,
	};
	if (!words_put(dp_tables(w->dp)->ingress, INGRESS_BUCKETS,
		       ingress_mac_word(1, mac_number(mac_us),
					INGRESS_ANY_VLAN)) ||
	    !words_put(dp_tables(w->dp)->ingress, INGRESS_BUCKETS,
		       ingress_link_word(1, 0, 1)))
		die("MAC address and link", -ENOSPC);
	w->now_s = dp_now_s();
	err = state_load(dp_tables(w->dp), w->now_s, &w->state, NULL);
	if (err)
		die("state", err);
	return w;
}

void world_close(struct world *w)
{
	state_free(w->state);
	bench_bpf__destroy(w->skel);
	dp_close(w->dp);
	free(w);
}

void world_forget_conns(struct world *w)
{
	int err = conns_clear(dp_tables(w->dp));

	if (err)
		die("table of connections", err);
}

void world_confirm_conns(struct world *w)
{
	if (!conns_confirm(dp_tables(w->dp)))
		die("table of connections", -ENOMEM);
}

static void set_service(struct model_service *s, const struct shape *shape,
			unsigned int i)
{
	if (asprintf(&s->name, "s%05u", i) < 0)
		abort();
	s->fronts = calloc(1, sizeof(*s->fronts));
	if (!s->fronts)
		abort();
	s->fronts[0] = (struct model_front){
		.addr = vip_at(shape->v6, i), .prefix_len = 128,
		.port_first = PORT, .port_last = PORT,
	};
	s->nr_fronts = 1;
	s->proto = IPPROTO_TCP;
	s->forward = shape->forward;
	s->algorithm = shape->tracked ? ALGORITHM_RANDOM : ALGORITHM_MAGLEV;
	s->nr_backends = shape->backends;
	s->backends = calloc(shape->backends, sizeof(*s->backends));
	if (!s->backends)
		abort();
	for (unsigned int j = 0; j < shape->backends; j++)
		s->backends[j] = (struct model_backend){
			.addr = backend_at(shape->backend_v6,
					   i * shape->backends + j),
			.port = shape->forward == FORWARD_NAT ? BACKEND_PORT :
								PORT,
			.weight = 100, .state = BACKEND_ACTIVE,
		};
}

static void apply(struct world *w, const struct model *m)
{
	char text[RECONCILE_TEXT_MAX] = "";
	struct reconcile_result result;
	int err = reconcile(w->state, m, w->now_s, &result, text);

	if (err == -ENOSPC)
		fprintf(stderr, "bench: needs %u services, %u backends, %u "
			"slots, %u buckets of cells\n", result.needed.services,
			result.needed.backends, result.needed.slots,
			result.needed.cell_buckets);
	if (err)
		die(*text ? text : "reconcile", err);
}

static void set_hop(void *arg, __u32 index, struct backend *b)
{
	struct nexthop hop = { .mac = { 0x02, 0xbb }, .link = 1 };

	put32(hop.mac + 2, ntohl(b->addr.word[3]));
	table_store(&b->hop, hop);
}

static struct model *model_of(const struct shape *shape)
{
	struct model *m = model_new();

	if (!m)
		abort();
	for (unsigned int i = 0; i < shape->services; i++) {
		struct model_service *s = model_service_add(m);

		if (!s)
			abort();
		set_service(s, shape, i);
	}
	return m;
}

/* Nothing of what was defined before is left, not even a grace period. */
void world_define(struct world *w, const struct shape *shape)
{
	const struct addr nat[] = { nat_at(false), nat_at(true) };
	struct model *m = model_new();
	int err;

	world_forget_conns(w);
	if (!m)
		abort();
	apply(w, m);
	model_free(m);
	for (int i = 0; i < 20; i++)
		reconcile_tick(w->state, w->now_s += 100);
	m = model_of(shape);
	err = state_nat_addrs(w->state, nat, 2);
	if (err)
		die("NAT addresses", err);
	apply(w, m);
	state_each_backend(w->state, set_hop, w);
	model_free(m);
	for (int i = 0; i < 20; i++)
		reconcile_tick(w->state, w->now_s += 100);
}

/* Addresses' last words and both ports are the flows' and 0 here. */
static void set_packet(struct world *w, struct addr src, struct addr dst,
		       __u8 flags)
{
	const bool v6 = addr_v6(&src);
	struct packet p;

	src.word[3] = dst.word[3] = 0;
	p = packet_of(.src = src, .dst = dst, .proto = IPPROTO_TCP,
		      .flags = flags, .payload = v6 ? 4 : 10);
	*w->setup = (struct bench_setup){
		.len = p.len, .v6 = v6, .mask = BENCH_FLOWS_MAX - 1,
	};
	memcpy(w->setup->eth, p.data, ETH_LEN);
	memcpy(w->setup->word, p.data + ETH_LEN, p.len - ETH_LEN);
}

/* A flow from its ends; checksums by difference to the packet's. */
static void set_flow(struct world *w, __u32 i, const struct addr *src,
		     const struct addr *dst, __be16 sport, __be16 dport)
{
	const struct bench_setup *s = w->setup;
	const __u8 *ip = (const __u8 *)s->word;
	__u8 sum[12];
	struct bench_flow *f = &w->flows[i];

	f->src = src->word[3];
	f->dst = dst->word[3];
	f->ports = (__u32)dport << 16 | sport;
	memcpy(sum, &f->src, 4);
	memcpy(sum + 4, &f->dst, 4);
	memcpy(sum + 8, &f->ports, 4);
	f->l3_check = htons(~sum16((__u16)~get16(ip + 10), sum, 8));
	f->l4_check = htons(~fold16(sum16((__u16)~get16(ip + (s->v6 ? 56 : 36)),
				   sum, 12)));
}

static void set_flows(struct world *w, bool v6, unsigned int services,
		      bool strangers)
{
	__u64 seed = 2;

	for (__u32 i = 0; i < BENCH_FLOWS_MAX; i++) {
		__u64 r = random_next(&seed);
		/* odd factor: a permutation, so that no two are the same */
		struct addr src = client_at(v6, i * 0x9e375u & 0xfffff);
		struct addr dst = strangers ?
			stranger_at(v6, r & 0xfffff) :
			vip_at(v6, (r >> 32) % services);

		set_flow(w, i, &src, &dst, htons(1024 + (r & 0xffff) % 60000),
			 htons(PORT));
	}
}

static void shuffle(struct bench_flow *flows, __u32 count)
{
	__u64 seed = 3;

	for (__u32 i = count - 1; i; i--) {
		__u32 j = random_next(&seed) % (i + 1);
		struct bench_flow f = flows[i];

		flows[i] = flows[j];
		flows[j] = f;
	}
}

/* Packets that do not open a connection come in another order than those that
 * do: what was recorded in a row must not be read in one. */
void world_clients(struct world *w, const struct shape *shape, bool syn)
{
	const bool v6 = shape->v6;

	set_packet(w, client_at(v6, 0), vip_at(v6, 0), syn ? SYN : ACK);
	set_flows(w, v6, shape->services, false);
	if (!syn)
		shuffle(w->flows, BENCH_FLOWS_MAX);
}

void world_strangers(struct world *w, bool v6)
{
	set_packet(w, client_at(v6, 0), stranger_at(v6, 0), ACK);
	set_flows(w, v6, 1, true);
}

struct reply_flows {
	struct world *w;
	__u32 count;
};

/* The backend's packets of a connection. */
static int add_reply(void *arg, const struct conn_entry *e)
{
	struct reply_flows *r = arg;
	const struct tables *t = dp_tables(r->w->dp);
	const struct conn *c = &e->conn;
	const struct backend *b = &t->backends[conn_backend(c)];

	if (c->what & CONN_NAT && r->count < BENCH_FLOWS_MAX)
		set_flow(r->w, r->count++, &b->addr,
			 &t->nat_addrs[c->nat_addr], b->port, c->nat_port);
	return 0;
}

void world_replies(struct world *w, const struct shape *shape)
{
	struct reply_flows r = { .w = w };
	int err;

	set_packet(w, backend_at(shape->v6, 0), nat_at(shape->v6), ACK);
	err = conns_each(dp_tables(w->dp), add_reply, &r);
	if (err || !r.count)
		die("replies", err ? err : -ENOENT);
	for (__u32 i = r.count; i < BENCH_FLOWS_MAX; i++)
		w->flows[i] = w->flows[i % r.count];
	shuffle(w->flows, BENCH_FLOWS_MAX);
}
