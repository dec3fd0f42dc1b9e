// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Random nodes, random packets: the tc programs against the reference, verdict,
 * reason and every byte, with connections that go through several of them. As
 * `differential`, which does so for fl_xdp; what is for tc goes through that
 * first where it comes from outside.
 */
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <linux/bpf.h>

#include "bytes.h"
#include "chance.h"
#include "differ.h"
#include "world.h"

#define FLOWS 40
#define SERVICES_MAX 6
#define PODS 8

static const struct {
	const char *vips[4], *pods[PODS], *outside[3], *stranger;
	const char *nodes[2];	/* addresses of this one */
	const char *nat[2];	/* ... that NAT lends */
	const char *any;	/* of node ports */
	const char *cidr;	/* of pods */
	const char *sources[4];
} families[] = {
	{
		{ "10.96.0.1", "10.96.0.2", "10.96.0.3", "10.96.0.4" },
		{ "10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4",
		  "10.1.0.5", "10.1.0.6", "10.1.0.7", "10.1.0.8" },
		{ "192.0.2.7", "198.51.100.1", "203.0.113.200" },
		"10.97.0.1", { "10.9.9.1", "10.9.8.1" },
		{ "10.9.9.1", "10.9.9.2" }, "0.0.0.0", "10.1.0.0",
		{ "0.0.0.0/0", "10.1.0.0/29", "192.0.2.0/24",
		  "198.51.100.0/23" },
	}, {
		{ "fd00:96::1", "fd00:96::2", "fd00:96::3", "fd00:96::4" },
		{ "fd00:1::1", "fd00:1::2", "fd00:1::3", "fd00:1::4",
		  "fd00:1::5", "fd00:1::6", "fd00:1::7", "fd00:1::8" },
		{ "2001:db8::7", "2001:db8:1::9", "2600::1" },
		"fd00:97::1", { "fd00:99::1", "fd00:98::1" },
		{ "fd00:99::1", "fd00:99::2" }, "::", "fd00:1::",
		{ "::/0", "fd00:1::/125", "2001:db8::/32",
		  "2001:db8:1::/48" },
	},
};

/* A way that packets come: a program, at which interface, from which. */
struct place {
	const char *program;
	__u32 ifindex, from;
};

static const struct place from_pod = { "fl_pod_in", LINK_POD, LINK_POD };
static const struct place from_pod2 = { "fl_pod_in", LINK_POD2, LINK_POD2 };
static const struct place to_pod = { "fl_pod_out", LINK_POD, LINK_POD2 };
static const struct place to_pod2 = { "fl_pod_out", LINK_POD2, LINK_POD };
static const struct place from_outside = { "fl_uplink_in", LINK_TX, LINK_TX };
static const struct place from_node = { "fl_uplink_in", LINK_REDIRECT,
					LINK_REDIRECT };
static const struct place to_outside = { "fl_uplink_out", LINK_TX, LINK_POD };
static const struct place from_host = { "fl_uplink_out", LINK_TX, 0 };

static const struct place *const places[] = {
	&from_pod, &from_pod2, &to_pod, &to_pod2, &from_outside, &from_node,
	&to_outside, &from_host,
};

struct client_flow {
	const struct service_words *service;
	const char *client, *vip;
	const struct place *begin, *end; /* where it is sent, and received */
	uint16_t sport, dport;
	struct packet forwarded, returned; /* the last ones; len 0: none */
	bool by_stack;		/* its way to the backend */
};

struct scene {
	struct world *w;
	struct service_words services[SERVICES_MAX];
	char names[SERVICES_MAX][24];
	size_t nr_services;
	struct client_flow flows[FLOWS];
	struct queue queue;	/* fragments to come, at place */
	const struct place *place;
};

static bool is_v6(const char *text)
{
	return strchr(text, ':');
}

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

static void any_sources(struct service_words *words)
{
	const char *const *sources = families[is_v6(words->addr)].sources;
	size_t allowed = 0, denied = 0;

	memset(words->allow, 0, sizeof(words->allow));
	memset(words->deny, 0, sizeof(words->deny));
	if (words->kind != KIND_LB_VIP || chance(60))
		return;
	for (int i = 0; i < 4; i++) {
		if (chance(30))
			words->allow[allowed++] = sources[i];
		else if (chance(20))
			words->deny[denied++] = sources[i];
	}
}

static void any_service(struct scene *s, size_t i)
{
	struct service_words *words = &s->services[i];
	int v6 = differ_family();

	snprintf(s->names[i], sizeof(s->names[i]), "s%zu", i);
	*words = (struct service_words){
		.name = s->names[i], .addr = families[v6].vips[any(4)],
		.proto = protos[any(3)], .port = 80 + 20 * i,
		.kind = KIND_CLUSTER_IP + any(4),
		.algorithm = ALGORITHM_RANDOM,
		.affinity_s = chance(15) ? 1000 : 0,
		.backend_port = chance(70) ? 8080 : 0,
	};
	if (words->kind == KIND_NODE_PORT)
		words->addr = families[v6].any;
	if (chance(40))
		words->flags |= SERVICE_POLICY_LOCAL;
	if (words->flags && chance(50))
		words->flags |= SERVICE_EMPTY_DROPS;
	if (words->kind != KIND_CLUSTER_IP && !words->flags && chance(30))
		words->tunnel = FORWARD_IPIP + any(4);
	if (chance(15))
		words->flags |= SERVICE_MASQUERADE;
	any_sources(words);
	for (uint32_t n = any(6), j = 0; j < n; j++)
		words->backends[j] = families[v6].pods[j];
}

static void any_client(struct client_flow *f, int v6)
{
	uint32_t pod = any(PODS);

	if (chance(45)) {
		f->client = families[v6].pods[pod];
		f->begin = pod & 1 ? &from_pod : &from_pod2;
		f->end = pod & 1 ? &to_pod : &to_pod2;
	} else if (chance(75)) {
		f->client = families[v6].outside[any(3)];
		f->begin = &from_outside;
		f->end = &to_outside;
	} else {
		f->client = families[v6].nodes[any(2)];
		f->begin = &from_host;
		f->end = &to_outside;
	}
	if (chance(3))		/* one that says that it is us */
		f->client = chance(50) ? families[v6].vips[any(4)] :
					 families[v6].nat[any(2)];
}

static void any_flow(struct scene *s, struct client_flow *f)
{
	const struct service_words *svc = &s->services[any(s->nr_services)];
	int v6 = is_v6(svc->addr);

	*f = (struct client_flow){
		.service = svc, .vip = svc->addr,
		.sport = chance(10) ? any(1024) : 1024 + any(64512),
		.dport = svc->port,
	};
	if (svc->kind == KIND_NODE_PORT)
		f->vip = families[v6].nodes[any(2)];
	any_client(f, v6);
}

/* The reference forgets nothing: nor does the table, however long a busy machine
 * takes for a world. */
static void no_time_passes(struct model *m)
{
	m->syn_s = 120;
	m->closing_s = m->half_closed_s = m->fragment_s = 86400;
	m->idle_tcp_s = m->idle_udp_s = m->idle_sctp_s = 86400;
}

static void any_settings(struct scene *s)
{
	struct model *m = world_model(s->w);

	no_time_passes(m);
	world_link(s->w, chance(80) ? LINKS_OF_NODE : (int)any(LINK_POD2 + 1));
	m->detect_local = chance(60) ? DETECT_INTERFACES : DETECT_CLUSTER_CIDR;
	if (m->detect_local == DETECT_CLUSTER_CIDR && chance(70)) {
		m->pods4 = (struct model_prefix){
			.addr = addr(families[0].cidr), .len = 125,
			.is_set = true };
		m->pods6 = (struct model_prefix){
			.addr = addr(families[1].cidr), .len = 125,
			.is_set = true };
	}
	if (chance(20)) {
		m->nat_port_first = 40000;
		m->nat_port_last = 40000 + any(200);
	}
	if (chance(20)) {
		m->answers_per_s = any(3000);
		m->answers_network_per_s = any(300);
	}
	for (int v6 = 0; v6 < 2; v6++) {
		for (int i = 0; i < 2; i++)
			world_node(s->w, families[v6].nodes[i]);
		if (chance(20))
			world_local(s->w, families[v6].pods[any(PODS)]);
		for (int i = 0; i < 3; i++)
			world_in_sets(s->w, families[v6].pods[i],
				      any(4) * BACKEND_IN_LOCAL);
	}
	for (int i = LINK_TX; chance(20) && i <= LINK_POD2; i++)
		world_tables(s->w)->links[i].mtu = 1300 + any(200);
	world_path_mtu(s->w, chance(80) ? 0 : 600 + any(900));
}

/* What the daemon says of a node once its programs are there. */
static void apply(struct scene *s)
{
	world_apply(s->w);
	world_tables(s->w)->runtime->has_local = 1;
	world_tables(s->w)->runtime->has_node = 1;
}

static void new_scene(void *scene, struct world *w)
{
	struct scene *s = scene;
	static const char *const nat[] = {
		"10.9.9.1", "10.9.9.2", "fd00:99::1", "fd00:99::2",
	};

	s->w = w;
	s->queue.count = 0;
	world_reset(w);
	world_nat(w, nat, 4);
	any_settings(s);
	s->nr_services = 1 + any(SERVICES_MAX);
	for (size_t i = 0; i < s->nr_services; i++) {
		any_service(s, i);
		world_define(w, &s->services[i]);
	}
	apply(s);
	for (int i = 0; i < FLOWS; i++)
		any_flow(s, &s->flows[i]);
}

/* Somebody changes something while traffic flows. */
static void any_change(void *scene)
{
	struct scene *s = scene;
	static const enum backend_state states[] = {
		BACKEND_ACTIVE, BACKEND_ACTIVE, BACKEND_DRAIN, BACKEND_DOWN,
	};
	struct service_words *words = &s->services[any(s->nr_services)];
	int v6 = is_v6(words->addr);
	size_t n = 0;

	if (chance(40)) {
		world_backend_state(s->w, families[v6].pods[any(PODS)],
				    states[any(4)]);
		return;
	}
	while (n < PODS && words->backends[n])
		n++;
	if (chance(30))
		any_sources(words);
	else if (chance(50) && n)
		words->backends[n - 1] = NULL;
	else if (n < PODS)
		words->backends[n] = families[v6].pods[n];
	world_define(s->w, words);
	apply(s);
}

static struct words flow_words(const struct client_flow *f)
{
	static uint8_t chunks[CHUNKS_MAX];
	struct words w = {
		l4_words(f->service->proto, f->client, f->sport, f->vip,
			 f->dport),
		.flags = any_flags(), .chunk = any_chunk(),
	};

	any_shape(&w);
	if (w.proto == IPPROTO_SCTP && chance(40))
		more_chunks(&w, chunks);
	if (chance(80))
		memset(w.vlan, 0, sizeof(w.vlan));
	return w;
}

static struct packet to_port_of_none(const struct client_flow *f)
{
	struct client_flow other = *f;
	struct words w;

	other.dport = chance(50) ? 79 : any(65536);
	w = flow_words(&other);
	w.proto = protos[any(3)];
	return packet_build(&w);
}

static struct packet to_stranger(const struct client_flow *f)
{
	struct client_flow other = *f;
	struct words w;

	other.vip = families[is_v6(f->vip)].stranger;
	w = flow_words(&other);
	return packet_build(&w);
}

static struct packet echo(const struct client_flow *f)
{
	bool v6 = is_v6(f->vip);
	struct words w = {
		.src = addr(f->client), .dst = addr(f->vip),
		.proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.type = chance(80) ? (v6 ? 128 : 8) : any(256),
		.rest = any(~0u),
	};

	any_shape(&w);
	return packet_build(&w);
}

/* Who got it, or a router on the way there, complains about p. */
static struct packet error_about(const struct packet *p)
{
	static const uint8_t types4[] = { 3, 3, 11, 12 };
	struct addr router;
	struct layers l;

	packet_layers(p, &l);
	router = addr(l.v6 ? "2001:db8:ffff::1" : "203.0.113.1");
	return icmp_error(chance(50) ? &router : &l.dst, &l.src,
			  l.v6 ? 1 + any(4) : types4[any(4)], any(5),
			  any(1500), p,
			  chance(50) ? (l.v6 ? 48u : 28u) + any(60) :
				       PACKET_MAX);
}

/* The backend's answer to what it was sent. */
static struct packet from_backend(const struct client_flow *f)
{
	const struct packet *sent = &f->forwarded;
	struct layers l;
	struct words w;

	packet_layers(sent, &l);
	w = (struct words){
		.src = l.dst, .dst = l.src, .proto = l.proto,
		.sport = get16(sent->data + l.l4 + 2),
		.dport = get16(sent->data + l.l4), .flags = any_flags(),
		.chunk = any_chunk(),
	};
	any_shape(&w);
	if (chance(90))
		memset(w.vlan, 0, sizeof(w.vlan));
	if (chance(3))
		w.sport++;
	return packet_build(&w);
}

/* Where the answers of its backend come by: the last hook before a client that
 * knows the service alone, else the first one behind the backend. */
static const struct place *answers_at(const struct client_flow *f)
{
	if (f->by_stack)
		return f->end;
	return chance(60) ? (chance(50) ? &from_pod : &from_pod2) : &from_node;
}

/* In one piece, or in several for the place. */
static struct packet whole_or_not(struct scene *s, const struct packet *p,
				  const struct place *at)
{
	if (!chance(12))
		return *p;
	s->place = at;
	return in_fragments(&s->queue, p);
}

static struct packet next_packet(struct scene *s, struct client_flow *f,
				 const struct place **at)
{
	uint32_t what = any(100);
	struct packet p;
	struct words w;

	*at = f->begin;
	if (s->queue.count) {
		*at = s->place;
		return s->queue.at[--s->queue.count];
	}
	if (what < 5)
		return to_port_of_none(f);
	if (what < 8)
		return to_stranger(f);
	if (what < 11)
		return echo(f);
	if (what < 16 && f->returned.len)
		return error_about(&f->returned);
	if (what < 60 && f->forwarded.len) {
		*at = answers_at(f);
		if (what < 23)
			return error_about(&f->forwarded);
		p = from_backend(f);
		return whole_or_not(s, &p, *at);
	}
	w = flow_words(f);
	if (f->service->proto == IPPROTO_UDP && chance(30))
		w.payload = 100 + any(900);
	p = packet_build(&w);
	return whole_or_not(s, &p, *at);
}

/* What a backend can answer to, and a client complain about. */
static void note(struct client_flow *f, const struct outcome *got)
{
	struct layers l;

	packet_layers(&got->packet, &l);
	if (l.fragment || l.state != LAYERS_OK ||
	    l.proto != f->service->proto)
		return;
	if (got->reasons == REASON_BIT(FORWARDED)) {
		f->forwarded = got->packet;
		f->by_stack = got->actions & 1 << XDP_PASS;
	}
	if (got->reasons == REASON_BIT(RETURNED))
		f->returned = got->packet;
}

/* To others, by a switch or a bridge that floods. */
static void any_mac(struct packet *p)
{
	static const uint8_t macs[][MAC_LEN] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0, 0x5e, 1, 2, 3 }, { 0x02, 0, 0, 0, 0, 0x99 },
	};

	memcpy(p->data, macs[any(sizeof(macs) / MAC_LEN)], MAC_LEN);
}

/* No packet for a test run, which wants the addresses of IP. */
static bool is_too_short(const struct packet *p)
{
	return p->len < ETH_LEN + 40 + 2 * VLAN_LEN;
}

/* What the device is to cut apart. */
static void any_gso(struct scene *s, const struct packet *p)
{
	struct layers l;

	world_gso(s->w, 0);
	packet_layers(p, &l);
	if (l.state != LAYERS_OK || l.fragment || p->len != l.end ||
	    l.end - l.l4 < 200 ||
	    !(l.proto == IPPROTO_TCP || l.proto == IPPROTO_UDP))
		return;
	if (chance(30))
		world_gso(s->w, 60 + any(l.end - l.l4 - 60));
}

/* What comes from outside meets fl_xdp first. False: it did not go on, or (ok
 * false) should not have. */
static bool xdp_passes(struct scene *s, const struct place *at,
		       const struct packet *in, struct outcome *got, bool *ok)
{
	if (at != &from_outside || chance(20))
		return true;
	*ok = world_check(s->w, in, got);
	return *ok && got->actions & 1 << XDP_PASS &&
	       !(got->reasons & REASON_BIT(LOCAL));
}

static bool run(struct scene *s, const struct place *at,
		const struct packet *in, struct outcome *got)
{
	char text[DESCRIPTION_MAX];
	bool ok = true;

	if (differ_is_verbose)
		fprintf(stderr, "> %s %u: %s\n", at->program, at->ifindex,
			packet_describe(in, text));
	world_place(s->w, at->ifindex, at->from);
	any_gso(s, in);
	if (xdp_passes(s, at, in, got, &ok)) {
		world_run_tc(s->w, at->program, in, got);
		ok = world_agrees_tc(s->w, at->program, in, got);
	}
	if (differ_is_verbose)
		fprintf(stderr, "< %s %s\n",
			got->reasons ?
				reason_name(__builtin_ctzll(got->reasons)) :
				"passed",
			packet_describe(&got->packet, text));
	return ok && (!got->reasons || sums_kept(in, got));
}

static bool one_packet(void *scene)
{
	struct scene *s = scene;
	struct client_flow *f = &s->flows[any(FLOWS)];
	const struct place *at;
	struct outcome got;
	struct packet in;

	if (chance(2))
		any_flow(s, f);
	in = next_packet(s, f, &at);
	if (chance(3))
		any_mac(&in);
	if (chance(3))
		at = places[any(sizeof(places) / sizeof(*places))];
	if (chance(8))
		spoil(&in);
	if (is_too_short(&in))
		return true;
	if (!run(s, at, &in, &got)) {
		print_bytes(&in);
		return false;
	}
	if (packet_checksums_ok(&in))
		note(f, &got);
	return true;
}

int main(int argc, char **argv)
{
	static struct scene scene;
	const struct differ d = {
		.name = "node_differential",
		.scene = &scene,
		.begin = new_scene,
		.change = any_change,
		.packet = one_packet,
	};

	return differ(&d, argc, argv);
}
