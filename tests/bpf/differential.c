// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Random worlds, random packets: fl_xdp against the reference, verdict,
 * reason and every byte. Each world has a seed of its own; a difference
 * prints it, and `differential --seed N --worlds 1` repeats it.
 */
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <linux/bpf.h>

#include <fairlead/hash.h>

#include "bytes.h"
#include "chance.h"
#include "differ.h"
#include "world.h"

#define FLOWS 48
#define SERVICES_MAX 6

static const struct {
	const char *vips[3], *backends[8], *clients[4], *strangers[2];
	struct {
		const char *base;
		unsigned int bits;
		const char *addrs[4];
	} nets[2];		/* the first one has the VIPs in it */
	const char *sources[8];	/* each in the one before, most of them */
} families[] = {
	{
		{ "10.96.0.1", "10.96.0.2", "10.96.0.3" },
		{ "10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4",
		  "10.1.0.5", "10.1.0.6", "10.1.0.7", "10.1.0.8" },
		{ "192.0.2.7", "192.0.2.8", "198.51.100.1", "203.0.113.200" },
		{ "10.97.0.1", "224.0.0.5" },
		{ { "10.96.0.0", 29, { "10.96.0.0", "10.96.0.2", "10.96.0.4",
				       "10.96.0.7" } },
		  { "10.98.0.0", 17, { "10.98.0.0", "10.98.1.2", "10.98.64.1",
				       "10.98.127.255" } } },
		{ "0.0.0.0/0", "192.0.0.0/8", "192.0.2.0/24", "192.0.2.7",
		  "192.0.2.8/30", "198.51.100.0/23", "203.0.113.200/32",
		  "203.0.113.128/25" },
	}, {
		{ "fd00:96::1", "fd00:96::2", "fd00:96::3" },
		{ "fd00:1::1", "fd00:1::2", "fd00:1::3", "fd00:1::4",
		  "fd00:1::5", "fd00:1::6", "fd00:1::7", "fd00:1::8" },
		{ "2001:db8::7", "2001:db8::8", "2001:db8:1::9", "2600::1" },
		{ "fd00:97::1", "ff02::1" },
		{ { "fd00:96::", 125, { "fd00:96::", "fd00:96::2",
					"fd00:96::4", "fd00:96::7" } },
		  { "fd00:98::", 33, { "fd00:98::", "fd00:98::1",
				       "fd00:98:1::", "fd00:98:7fff::f" } } },
		{ "::/0", "2000::/3", "2001:db8::/32", "2001:db8::7",
		  "2001:db8::8/126", "2001:db8:1::/48", "2600::1/128",
		  "2600::/64" },
	},
};

static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

struct client_flow {
	const char *client, *vip;
	const struct service_words *service;
	uint16_t sport, dport;
	struct packet sent, forwarded;	/* the last ones; len 0: none */
	struct packet outer;	/* the last in a tunnel, likewise */
};

struct scene {
	struct world *w;
	struct service_words services[SERVICES_MAX];
	char names[SERVICES_MAX][24];
	size_t nr_services;
	struct client_flow flows[FLOWS];
	struct queue queue;	/* fragments to come */
};

static bool is_v6(const char *text)
{
	return strchr(text, ':');
}

/* A service's own list of who may come; for most, no list. */
static void any_sources(struct service_words *words)
{
	const char *const *sources = families[is_v6(words->addr)].sources;
	size_t allowed = 0, denied = 0;

	memset(words->allow, 0, sizeof(words->allow));
	memset(words->deny, 0, sizeof(words->deny));
	if (chance(60))
		return;
	for (int i = 0; i < 8; i++) {
		if (chance(25))
			words->allow[allowed++] = sources[i];
		else if (chance(25))
			words->deny[denied++] = sources[i];
	}
}

static void any_service(struct scene *s, size_t i)
{
	struct service_words *words = &s->services[i];
	int v6 = differ_family(), backends_v6;

	snprintf(s->names[i], sizeof(s->names[i]), "s%zu", i);
	*words = (struct service_words){
		.name = s->names[i], .addr = families[v6].vips[any(3)],
		.proto = protos[any(3)], .port = 80 + 20 * i,
		.forward = any(FORWARD_GENEVE + 1),
		.algorithm = chance(70) ? ALGORITHM_MAGLEV : any(3),
		.affinity_s = chance(15) ? 1000 : 0,
		.backend_port = chance(50) ? 8080 : 0,
	};
	if (chance(20))
		words->port_last = words->port + any(10);
	if (words->forward != FORWARD_NAT)
		words->backend_port = 0;
	if (!i && chance(20))
		words->port = words->port_last = 0;
	if (chance(15)) {
		int net = any(2);

		words->addr = families[v6].nets[net].base;
		words->prefix_len = families[v6].nets[net].bits;
	}
	words->stateless = words->proto == IPPROTO_UDP && chance(20) &&
			   words->algorithm == ALGORITHM_MAGLEV &&
			   !words->affinity_s;
	any_sources(words);
	backends_v6 = words->forward >= FORWARD_IPIP ? any(2) : (uint32_t)v6;
	for (uint32_t n = any(9), j = 0; j < n; j++)
		words->backends[j] = families[backends_v6].backends[j];
}

/* An address that svc is at. */
static const char *vip_of(const struct service_words *svc)
{
	const char *const *addrs;
	int v6 = is_v6(svc->addr), net;

	if (!svc->prefix_len)
		return svc->addr;
	net = svc->addr == families[v6].nets[1].base;
	addrs = families[v6].nets[net].addrs;
	return addrs[any(4)];
}

/* Now and then one that says that it is us. */
static const char *any_client(int v6)
{
	if (chance(95))
		return families[v6].clients[any(4)];
	switch (any(3)) {
	case 0: return families[v6].vips[any(3)];
	case 1: return families[v6].nets[any(2)].addrs[any(4)];
	default: return v6 ? "fd00:99::1" : "10.9.9.1";
	}
}

static void any_flow(struct scene *s, struct client_flow *f)
{
	const struct service_words *svc = &s->services[any(s->nr_services)];
	uint32_t ports = svc->port_last ? svc->port_last - svc->port + 1 : 1;

	*f = (struct client_flow){
		.service = svc,
		.vip = vip_of(svc),
		.client = any_client(is_v6(svc->addr)),
		.sport = chance(10) ? any(1024) : 1024 + any(64512),
		.dport = svc->port + any(ports),
	};
	if (!svc->port)
		f->dport = any(65536);
}

static void any_settings(struct scene *s)
{
	static const char *const nat[] = {
		"10.9.9.1", "10.9.9.2", "10.9.9.3",
		"fd00:99::1", "fd00:99::2", "fd00:99::3",
	};
	struct model *m = world_model(s->w);

	world_link(s->w, chance(50) ? -1 : (int)(1 + any(3)));
	if (chance(30))
		world_nat(s->w, nat, 6);
	if (chance(20)) {
		m->nat_port_first = 40000;
		m->nat_port_last = 40000 + any(200);
	}
	if (chance(30)) {
		m->tunnel4 = addr("172.16.0.0");
		m->tunnel6 = addr("fd00:aaaa::");
		m->tunnel4_bits = any(17);
		m->tunnel6_bits = any(33);
	}
	m->geneve_vni = any(1 << 24);
	if (chance(20)) {
		m->answers_per_s = any(3000);
		m->answers_network_per_s = any(300);
	}
	for (int n = chance(20) ? 1 + any(4) : 0; n; n--)
		world_local(s->w, families[differ_family()].backends[any(8)]);
	for (int i = LINK_TX; chance(20) && i <= LINK_VLAN; i++)
		world_tables(s->w)->links[i].mtu = 1300 + any(200);
	world_path_mtu(s->w, chance(80) ? 0 : 600 + any(900));
}

/* Other addresses of ours whose bytes in the filter are those of addrs. */
static void any_collisions(struct tables *t, const char *const *addrs,
			   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct addr a = addr(addrs[i]);
		__u64 sum = hash_dst(t->hash_key, &a);

		if (chance(10))
			t->vip_filter[vip_filter_index(sum)] |= 1 + any(3);
	}
}

static void new_scene(void *scene, struct world *w)
{
	struct scene *s = scene;
	s->w = w;
	s->queue.count = 0;
	world_reset(w);
	world_takes(w, (const uint8_t[]){ 0, 0, 0x5e, 0, 1, 7 }, -1);
	world_takes(w, (const uint8_t[]){ 0, 0, 0x5e, 0, 1, 8 }, any(4096));
	world_takes(w, (const uint8_t[]){ 0, 0, 0x5e, 0, 1, 9 }, 0);
	any_settings(s);
	s->nr_services = 1 + any(SERVICES_MAX);
	for (size_t i = 0; i < s->nr_services; i++) {
		any_service(s, i);
		world_define(w, &s->services[i]);
	}
	if (chance(40) && !s->services[0].prefix_len)
		world_host(w, s->services[0].addr);
	world_apply(w);
	for (int v6 = 0; v6 < 2; v6++) {
		any_collisions(world_tables(w), families[v6].strangers, 2);
		any_collisions(world_tables(w), families[v6].nets[0].addrs, 4);
		any_collisions(world_tables(w), families[v6].nets[1].addrs, 4);
	}
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
	size_t n = 0;

	if (chance(60)) {
		world_backend_state(s->w, families[any(2)].backends[any(8)],
				    states[any(4)]);
		return;
	}
	while (n < 8 && words->backends[n])
		n++;
	if (chance(30))
		any_sources(words);
	else if (chance(50) && n)
		words->backends[n - 1] = NULL;
	else if (n && n < 8)
		words->backends[n] = families[is_v6(words->backends[0])]
					     .backends[n];
	world_define(s->w, words);
	world_apply(s->w);
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
	return w;
}

static struct packet to_port_of_none(struct scene *s)
{
	struct client_flow f = s->flows[any(FLOWS)];
	struct words w;

	f.sport = any(65536);
	f.dport = chance(50) ? 79 : any(65536);
	w = flow_words(&f);
	w.proto = protos[any(3)];
	if (chance(10))
		w.ttl = 1;
	return packet_build(&w);
}

static struct packet to_stranger(void)
{
	int v6 = differ_family();
	struct words w = {
		l4_words(protos[any(3)], families[v6].clients[any(4)], any(99),
			 families[v6].strangers[any(2)], any(99)),
	};

	any_shape(&w);
	return packet_build(&w);
}

static struct packet echo(void)
{
	static const uint8_t zeros[1500];
	int v6 = differ_family();
	struct words w = {
		.src = addr(any_client(v6)),
		.dst = addr(families[v6].vips[any(3)]),
		.proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.type = chance(80) ? (v6 ? 128 : 8) : any(256),
		.rest = any(~0u),
	};

	any_shape(&w);
	if (chance(20)) {	/* nothing to sum up, but the type */
		w.content = zeros;
		w.rest = 0;
	}
	return packet_build(&w);
}

/* A router on the way complains to from about p, which from has sent. */
static struct packet error_about(const struct packet *p, const struct addr *to)
{
	static const uint8_t types4[] = { 3, 3, 11, 12 };
	bool v6 = addr_v6(to);
	struct addr router = addr(v6 ? "2001:db8:ffff::1" : "203.0.113.1");
	size_t least = v6 ? 48 : 28;

	return icmp_error(&router, to, v6 ? 1 + any(4) : types4[any(4)],
			  any(5), any(1500), p,
			  chance(50) ? least + any(60) : PACKET_MAX);
}

/* About what a backend sent to the client in the service's name. */
static struct packet error_to_vip(struct client_flow *f)
{
	struct words w = {
		l4_words(f->service->proto, f->vip, f->dport, f->client,
			 f->sport),
		.flags = ACK,
	};
	struct packet p;

	any_shape(&w);
	p = packet_build(&w);
	return error_about(&p, &w.src);
}

/* The backend's answer to what it was sent by NAT, or an error about that. */
static struct packet from_backend(struct client_flow *f)
{
	const struct packet *sent = &f->forwarded;
	struct layers l;
	struct words w;

	packet_layers(sent, &l);
	if (chance(30))
		return error_about(sent, &l.src);
	w = (struct words){
		.src = l.dst, .dst = l.src, .proto = l.proto,
		.sport = get16(sent->data + l.l4 + 2),
		.dport = get16(sent->data + l.l4), .flags = any_flags(),
	};
	any_shape(&w);
	if (chance(5))
		w.sport++;
	return packet_build(&w);
}

/* A router on the way to a backend complains about a tunnel's packet; or about
 * one that looks like it. */
static struct packet error_about_tunnel(const struct client_flow *f)
{
	struct packet p = f->outer;
	struct addr router;
	struct layers l;

	packet_layers(&p, &l);
	router = addr(l.v6 ? "2001:db8:ffff::1" : "203.0.113.1");
	if (chance(10))
		p.data[l.l3 + any(l.l4 + 4 - l.l3)] ^= 1 << any(8);
	return icmp_error(&router, &l.src, l.v6 ? 2 : 3, l.v6 ? 0 : 4,
			  any(1500), &p, (l.v6 ? 48 : 28) + any(500));
}

static struct packet next_packet(struct scene *s, struct client_flow *f)
{
	uint32_t what = any(100);
	struct words w;
	struct packet p;

	if (s->queue.count)
		return s->queue.at[--s->queue.count];
	if (what < 6)
		return to_port_of_none(s);
	if (what < 10)
		return to_stranger();
	if (what < 14)
		return echo();
	if (what < 20)
		return error_to_vip(f);
	if (what < 40 && f->forwarded.len)
		return from_backend(f);
	if (what < 42 && f->outer.len)
		return error_about_tunnel(f);
	w = flow_words(f);
	if (what < 50 && f->service->proto != IPPROTO_TCP)
		w.payload = 100 + any(900);
	p = packet_build(&w);
	return what < 50 ? in_fragments(&s->queue, &p) : p;
}

/* What a NAT backend can answer to. */
static void note(struct client_flow *f, const struct outcome *got)
{
	struct layers l;

	packet_layers(&got->packet, &l);
	if (f->service->forward == FORWARD_NAT && !l.fragment &&
	    got->reasons == REASON_BIT(FORWARDED) &&
	    l.proto == f->service->proto)
		f->forwarded = got->packet;
	if (f->service->forward >= FORWARD_IPIP &&
	    got->reasons == REASON_BIT(FORWARDED) && l.state == LAYERS_OK)
		f->outer = got->packet;
}

/* A word of in that nobody changes: what is added to it is added to a sum. */
static size_t free_word(const struct layers *l)
{
	switch (l->proto) {
	case IPPROTO_TCP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return l->l4 + 6;	/* of the number; second half */
	case IPPROTO_UDP:
		return l->l4 + 8 + 2 <= l->end ? l->l4 + 8 : 0;
	default:
		return 0;
	}
}

static void add_to_word(struct packet *p, size_t at, uint16_t n)
{
	put16(p->data + at, fold16((uint32_t)get16(p->data + at) + n));
}

/* in once more, but such that a checksum of what it becomes is zero. */
static bool zero_sum(const struct packet *in, const struct packet *out,
		     struct packet *ret)
{
	struct layers l, m;
	size_t at, word;

	packet_layers(in, &l);
	packet_layers(out, &m);
	if (l.state != LAYERS_OK || m.state != LAYERS_OK || l.v6 != m.v6 ||
	    l.proto != m.proto || l.fragment || !packet_checksums_ok(in))
		return false;
	*ret = *in;
	if (!l.v6 && chance(30)) {
		add_to_word(ret, l.l3 + 4, get16(out->data + m.l3 + 10));
	} else {
		at = checksum_offset(l.proto, l.v6);
		word = free_word(&l);
		if (!at || !word)
			return false;
		add_to_word(ret, word, get16(out->data + m.l4 + at));
	}
	packet_sum(ret);
	return true;
}

/* By a switch that floods, or by the address of a virtual router. */
static void any_mac(struct packet *p)
{
	static const uint8_t macs[][MAC_LEN] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0, 0x5e, 1, 2, 3 }, { 0x33, 0x33, 0, 0, 0, 1 },
		{ 0x02, 0, 0, 0, 0, 0x99 }, { 0x02, 0, 0, 0, 0, 0x99 },
		{ 0, 0, 0x5e, 0, 1, 7 }, { 0, 0, 0x5e, 0, 1, 8 },
		{ 0, 0, 0x5e, 0, 1, 9 },
	};

	memcpy(p->data, macs[any(sizeof(macs) / MAC_LEN)], MAC_LEN);
}

static bool one_packet(void *scene)
{
	struct scene *s = scene;
	struct client_flow *f = &s->flows[any(FLOWS)];
	char text[DESCRIPTION_MAX];
	struct outcome got;
	struct packet in;

	if (chance(2))
		any_flow(s, f);
	in = next_packet(s, f);
	if (chance(5))
		any_mac(&in);
	if (chance(12))
		spoil(&in);
	if (differ_is_verbose)
		fprintf(stderr, "> %s\n", packet_describe(&in, text));
	if (!world_check(s->w, &in, &got)) {
		print_bytes(&in);
		return false;
	}
	if (differ_is_verbose)
		fprintf(stderr, "< %s %s\n",
			reason_name(__builtin_ctzll(got.reasons)),
			packet_describe(&got.packet, text));
	if (!sums_kept(&in, &got)) {
		fprintf(stderr, "  in:   %s\n", packet_describe(&in, text));
		fprintf(stderr, "  out:  %s\n",
			packet_describe(&got.packet, text));
		return false;
	}
	if (packet_checksums_ok(&in))
		note(f, &got);
	if (chance(10) && !s->queue.count &&
	    zero_sum(&in, &got.packet, s->queue.at))
		s->queue.count = 1;
	return true;
}

int main(int argc, char **argv)
{
	static struct scene scene;
	const struct differ d = {
		.name = "differential",
		.scene = &scene,
		.begin = new_scene,
		.change = any_change,
		.packet = one_packet,
	};

	return differ(&d, argc, argv);
}
