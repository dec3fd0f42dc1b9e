// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Packets that tc's programs get in another shape than most: in a VLAN, to
 * another host's MAC address, in parts, too large, with a route of their own.
 */
#include "family.h"

#define POD_PORT 8080

static struct service_words service(const struct family *f,
				    enum service_kind kind, uint8_t proto)
{
	return (struct service_words){
		.addr = f->vip, .port = 80, .proto = proto, .kind = kind,
		.algorithm = ALGORITHM_RANDOM, .backends = { f->backend },
		.backend_port = POD_PORT,
	};
}

static void define(const struct service_words *words)
{
	world_model(world)->detect_local = DETECT_INTERFACES;
	world_define(world, words);
	world_apply(world);
	world_tables(world)->runtime->has_local = 1;
}

/* A node port's backend in a pod: what is for it passes by the stack. */
static void serve_pod(const struct family *f, uint8_t proto)
{
	struct service_words words = service(f, KIND_NODE_PORT, proto);

	world_link(world, LINK_POD);
	define(&words);
}

/* What the program makes of in, as the reference has it, counted so; 0: it
 * passes untouched. */
static struct packet run(const char *program, const struct packet *in,
			 __u64 reasons)
{
	struct outcome got;

	world_run_tc(world, program, in, &got);
	assert_true(world_agrees_tc(world, program, in, &got));
	assert_int_equal(got.reasons, reasons);
	return got.packet;
}

#define in_by_uplink(in, why) run("fl_uplink_in", in, REASON_BIT(why))
#define in_by_pod(in, why) run("fl_pod_in", in, REASON_BIT(why))

static struct words syn(const struct family *f)
{
	return (struct words){
		l4_words(IPPROTO_TCP, f->client, 4321, f->vip, 80),
		.flags = SYN,
	};
}

/* A switch that floods, or a card that listens to all, shows them to us. */
static void frames_for_others_are_left_alone(void **state)
{
	static const uint8_t macs[][MAC_LEN] = {
		{ 0x02, 0, 0, 0, 0, 0x99 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0, 0x5e, 1, 2, 3 },
	};
	const struct family *f = *state;
	struct words w = syn(f);
	struct packet p;

	serve_pod(f, IPPROTO_TCP);
	for (size_t i = 0; i < 3; i++) {
		memcpy(w.dmac, macs[i], MAC_LEN);
		p = packet_build(&w);
		run("fl_uplink_in", &p, 0);
	}
	/* but a pod's gateway may be the bridge that it is at */
	for (size_t i = 0; i < 3; i++) {
		memcpy(w.dmac, macs[i], MAC_LEN);
		p = packet_build(&w);
		run("fl_pod_in", &p, i ? 0 : REASON_BIT(FORWARDED));
	}
}

/* A virtual router's, or a macvlan's: fl_xdp takes them as well. */
static void frames_to_all_our_addresses_are_served(void **state)
{
	static const uint8_t mac[MAC_LEN] = { 0, 0, 0x5e, 0, 1, 7 };
	const struct family *f = *state;
	struct words w = syn(f);
	struct packet p;

	memcpy(w.dmac, mac, MAC_LEN);
	p = packet_build(&w);
	world_takes(world, mac, -1);
	serve_pod(f, IPPROTO_TCP);
	in_by_uplink(&p, FORWARDED);
}

/* A pod is in no VLAN; its answers go back to where the client is in one. */
static void tags_end_with_their_link(void **state)
{
	const struct family *f = *state;
	struct words w = syn(f);
	struct packet p, sent, reply;
	struct layers l;

	w.vlan[0] = (struct vlan){ 0x8100, CLIENT_VLAN };
	p = packet_build(&w);
	serve_pod(f, IPPROTO_TCP);
	sent = in_by_uplink(&p, FORWARDED);
	packet_layers(&sent, &l);
	assert_int_equal(l.vlans, 0);
	reply = tcp(f->backend, POD_PORT, f->nat, 4321, .flags = SYN | ACK);
	in_by_pod(&reply, RETURNED);
}

/* No link has two tags, so no answer can leave. */
static void who_is_in_two_vlans_gets_no_connection(void **state)
{
	const struct family *f = *state;
	struct words w = syn(f);
	struct packet p;

	w.vlan[0] = (struct vlan){ 0x88a8, CLIENT_VLAN };
	w.vlan[1] = (struct vlan){ 0x8100, CLIENT_VLAN };
	p = packet_build(&w);
	serve_pod(f, IPPROTO_TCP);
	in_by_uplink(&p, NO_NEXT_HOP);
}

/* RFC 7126, 4.3 and 4.4; RFC 8200, 4.4. */
static void who_asks_to_be_sent_on_is_refused(void **state)
{
	static const uint8_t loose[40] = { 131, 7, 4, 10, 0, 0, 1, 0 };
	const struct family *f = *state;
	struct words w = syn(f);
	struct packet p;

	w.options = 8;
	w.options_content = loose;
	w.extensions[0] = EXTENSION_ROUTED;
	p = packet_build(&w);
	serve_pod(f, IPPROTO_TCP);
	run("fl_pod_in", &p,
	    f->v6 ? REASON_BIT(ROUTED) : REASON_BIT(BAD_HEADER));
	run("fl_uplink_in", &p,
	    f->v6 ? REASON_BIT(ROUTED) : REASON_BIT(BAD_HEADER));
}

/* RFC 6890, RFC 4291. */
static void sources_that_nobody_has_are_dropped(void **state)
{
	const struct family *f = *state;
	struct packet in = tcp(f->v6 ? "::1" : "127.0.0.1", 4321, f->vip, 80,
			       .flags = SYN);

	serve_pod(f, IPPROTO_TCP);
	in_by_pod(&in, BAD_ADDR);
	in_by_uplink(&in, BAD_ADDR);
}

/* The same router, in another VLAN: replies leave where packets come in now. */
static void replies_follow_their_client_to_another_link(void **state)
{
	const struct family *f = *state;
	struct words w = syn(f);
	struct packet p = packet_build(&w), reply;

	serve_pod(f, IPPROTO_TCP);
	in_by_uplink(&p, FORWARDED);
	world_place(world, LINK_REDIRECT, LINK_REDIRECT);
	in_by_uplink(&p, FORWARDED);
	world_place(world, LINK_POD, LINK_POD);
	reply = tcp(f->backend, POD_PORT, f->nat, 4321, .flags = SYN | ACK);
	in_by_pod(&reply, RETURNED);
}

/* RFC 791, 3.2: who may be cut is. */
static void what_is_too_large_is_cut_or_told(void **state)
{
	const struct family *f = *state;
	struct words w = {
		l4_words(IPPROTO_UDP, f->client, 4321, f->vip, 80),
		.payload = 1460,
	};
	struct packet p;

	serve_pod(f, IPPROTO_UDP);
	world_tables(world)->links[LINK_POD].mtu = 1400;
	p = packet_build(&w);
	run("fl_uplink_in", &p,
	    f->v6 ? REASON_BIT(TOO_BIG) : REASON_BIT(CUT));
	w.df = true;
	p = packet_build(&w);
	in_by_uplink(&p, TOO_BIG);
}

static void answers_that_are_too_large_are_cut_or_told(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->client, 4321, f->vip, 80, .payload = 9);
	struct packet reply = udp(f->backend, POD_PORT, f->nat, 4321,
				  .payload = 1460);

	serve_pod(f, IPPROTO_UDP);
	in_by_uplink(&in, FORWARDED);
	world_tables(world)->links[LINK_TX].mtu = 1400;
	world_place(world, LINK_POD, LINK_POD);
	run("fl_pod_in", &reply,
	    f->v6 ? REASON_BIT(TOO_BIG) : REASON_BIT(CUT));
}

/* What the device cuts is known by its parts alone; nobody else may. */
static void many_packets_in_one_are_told(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->client, 4321, f->vip, 80, .payload = 1900);

	serve_pod(f, IPPROTO_UDP);
	world_gso(world, 1480);
	in_by_uplink(&in, TOO_BIG);
}

static void early_fragments_are_kept(void **state)
{
	const struct family *f = *state;
	struct packet in = udp(f->client, 4321, f->vip, 80, .payload = 400);
	struct packet first = packet_fragment(&in, 0, 200, 77);
	struct packet later = packet_fragment(&in, 200, 200, 77);

	serve_pod(f, IPPROTO_UDP);
	in_by_pod(&later, FRAGMENT_EARLY);
	in_by_pod(&first, FORWARDED);
	in_by_pod(&later, FORWARDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(frames_for_others_are_left_alone),
		BOTH(frames_to_all_our_addresses_are_served),
		BOTH(tags_end_with_their_link),
		BOTH(who_is_in_two_vlans_gets_no_connection),
		BOTH(who_asks_to_be_sent_on_is_refused),
		BOTH(sources_that_nobody_has_are_dropped),
		BOTH(replies_follow_their_client_to_another_link),
		BOTH(what_is_too_large_is_cut_or_told),
		BOTH(answers_that_are_too_large_are_cut_or_told),
		BOTH(many_packets_in_one_are_told),
		BOTH(early_fragments_are_kept),
	};

	return run_both(tests);
}
