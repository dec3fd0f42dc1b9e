// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Checks of `selftest` with real packets: a datapath of its own, filled by
 * reconcile() as the daemon does, with a service for each forwarding mode and
 * family, between the two cables of selftest_net.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "kernel/dp_selftest.h"
#include "engine/reconcile.h"
#include "model/words.h"
#include "selftest.h"
#include "selftest_packet.h"
#include "base/cleanup.h"

#define NR_FORWARDS (FORWARD_GENEVE + 1)
#define NR_FAMILIES 2
#define LINK_IN 1
#define LINK_OUT 2
#define MTU 1500
#define SERVICE_PORT 1000	/* and up: one for each forwarding mode */
#define BACKEND_PORT 8080	/* of NAT alone */
#define CLIENT_PORT 40000
#define TRIES 5
#define TRY_MS 100

/* Documentation's addresses (RFC 5737, RFC 3849). */
static const struct family {
	const char *name, *client, *vip, *own, *backend;
} families[NR_FAMILIES] = {
	{ "IPv4", "203.0.113.5", "192.0.2.10", "198.51.100.2",
	  "198.51.100.11" },
	{ "IPv6", "2001:db8:3::5", "2001:db8:1::10", "2001:db8:2::2",
	  "2001:db8:2::11" },
};

static struct addr address(const char *text)
{
	struct addr ret = {};

	addr_parse(text, &ret);
	return ret;
}

/* Services */

static int service_define(struct model_service *s, const struct family *f,
			  enum forward forward)
{
	if (!s)
		return -ENOMEM;
	*s = (struct model_service){
		.proto = IPPROTO_UDP, .forward = forward,
		.fronts = calloc(1, sizeof(*s->fronts)),
		.nr_fronts = 1,
		.backends = calloc(1, sizeof(*s->backends)),
		.nr_backends = 1,
	};
	if (!s->fronts || !s->backends ||
	    asprintf(&s->name, "%s-%s", forward_name(forward), f->name) < 0)
		return -ENOMEM;
	s->fronts[0] = (struct model_front){
		.addr = address(f->vip), .prefix_len = 128,
		.port_first = SERVICE_PORT + forward,
		.port_last = SERVICE_PORT + forward,
	};
	s->backends[0] = (struct model_backend){
		.addr = address(f->backend), .weight = 100,
		.port = forward == FORWARD_NAT ? BACKEND_PORT : 0,
		.state = BACKEND_ACTIVE,
	};
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct model_service *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int services_define(struct model *m)
{
	int err = 0;

	for (int i = 0; i < NR_FORWARDS * NR_FAMILIES && !err; i++)
		err = service_define(model_service_add(m),
				     &families[i % NR_FAMILIES],
				     i / NR_FAMILIES);
	if (!err)
		qsort(m->services, m->nr_services, sizeof(*m->services),
		      compare_names);
	return err;
}

static struct link link_of(const struct selftest_cable *c)
{
	struct link ret = {
		.ifindex = c->ifindex, .user_ifindex = c->ifindex, .mtu = MTU,
		.addr4 = address(families[0].own),
		.addr6 = address(families[1].own),
	};
	memcpy(ret.mac, c->mac, sizeof(ret.mac));
	return ret;
}

static int link_set(struct tables *t, __u32 number,
		    const struct selftest_cable *c)
{
	const __u64 words[] = {
		ingress_mac_word(c->ifindex, mac_number(c->mac),
				 INGRESS_ANY_VLAN),
		ingress_link_word(c->ifindex, 0, number),
	};

	t->links[number] = link_of(c);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!words_put(t->ingress, INGRESS_BUCKETS, words[i]))
			return -ENOSPC;
	return 0;
}

static void hop_set(void *arg, __u32 index, struct backend *b)
{
	const struct selftest_net *net = arg;
	struct nexthop hop = { .link = LINK_OUT };

	memcpy(hop.mac, net->out.far_mac, sizeof(hop.mac));
	table_store(&b->hop, hop);
}

static bool is_nobody(void *arg, const struct addr *a)
{
	return false;
}

static int tables_fill(struct selftest *t, struct state *state)
{
	__cleanup(model_freep) struct model *m = model_new();
	struct addr own[] = { address(families[0].own),
			      address(families[1].own) };
	char text[RECONCILE_TEXT_MAX] = "";
	struct reconcile_result result = {};
	int err = m ? services_define(m) : -ENOMEM;

	state_set_host(state, &(struct state_host){
		.is_host = is_nobody, .way = hop_set, .arg = &t->net,
	});
	if (!err)
		err = state_nat_addrs(state, own, NR_FAMILIES);
	return err ? err : reconcile(state, m, dp_now_s(), &result, text);
}

static int datapath_open(struct selftest *t)
{
	const struct dp_opts opts = {
		.pin_root = t->pin_root,
		.sizes = { .services = 128, .backends = 128, .slots = 1 << 14,
			   .cell_buckets = 64, .conn_buckets = 1 << 10 },
	};
	__cleanup(state_freep) struct state *state = NULL;
	struct tables *tables;
	int err = dp_open(&opts, &t->dp);

	if (err)
		return err;
	tables = dp_tables(t->dp);
	err = link_set(tables, LINK_IN, &t->net.in);
	if (!err)
		err = link_set(tables, LINK_OUT, &t->net.out);
	if (!err)
		err = state_load(tables, dp_now_s(), &state, NULL);
	return err ? err : tables_fill(t, state);
}

void selftest_network(struct selftest *t, const char *name)
{
	struct selftest_row *row = selftest_add(t, name);
	const char *what;
	int err;

	row->weight = SELFTEST_NEEDED;
	if (!t->pin_root) {
		selftest_say(row, SELFTEST_NO, "not tried: no bpffs of its own "
			     "for this test");
		return;
	}
	err = selftest_net_make(&t->net, &what);
	if (err) {
		selftest_say(row, SELFTEST_NO, "%s cannot be made: %s", what,
			     strerror(-err));
		return;
	}
	t->has_net = true;
	if (!t->does_load)
		return;
	err = datapath_open(t);
	if (!err)
		return;
	selftest_say(row, SELFTEST_NO, "the tables cannot be made: %s",
		     strerror(-err));
	dp_close(take_ptr(t->dp));
}

/* Packets */

/* NULL: it arrived as it must; else why not. into: DATAGRAM_BYTES_MAX. */
static const char *pass(const struct selftest_cable *from,
			const struct datagram *d,
			const struct selftest_cable *to,
			const struct arrival *want, __u8 *into)
{
	__u8 frame[DATAGRAM_BYTES_MAX], got[2 * DATAGRAM_BYTES_MAX];
	size_t len = datagram_build(d, frame);
	const char *why = ARRIVAL_STRANGER;
	int bytes = 0;

	for (int i = 0; i < TRIES && why == ARRIVAL_STRANGER; i++) {
		if (selftest_net_send(from, frame, len))
			return "no packet can be sent";
		do {
			bytes = selftest_net_receive(to, got, sizeof(got),
						     TRY_MS);
			if (bytes > 0)
				why = arrival_judge(want, got, bytes);
		} while (bytes > 0 && why == ARRIVAL_STRANGER);
	}
	if (why == ARRIVAL_STRANGER)
		return "the packet did not arrive";
	if (into)
		memcpy(into, got, DATAGRAM_BYTES_MAX);
	return why;
}

static __u32 token_next(void)
{
	static __u32 token = 0x666c7374;

	return ++token;
}

/* What a backend of NAT got, it answers; the client must get it as from the
 * service. */
static const char *answer_comes_back(const struct selftest_net *net,
				     const struct family *f, const __u8 *got)
{
	struct datagram answer = { .token = token_next() };
	struct arrival want = {
		.forward = FORWARD_NAT, .outer_dst = address(f->client),
		.src = address(f->vip), .dport = CLIENT_PORT,
		.token = answer.token,
	};

	datagram_answer(got, &answer);
	memcpy(want.to, net->in.far_mac, sizeof(want.to));
	return pass(&net->out, &answer, &net->in, &want, NULL);
}

static const char *service_works(const struct selftest_net *net,
				 const struct family *f, enum forward forward)
{
	struct datagram d = {
		.src = address(f->client), .dst = address(f->vip),
		.sport = CLIENT_PORT, .dport = SERVICE_PORT + forward,
		.token = token_next(),
	};
	struct arrival want = {
		.forward = forward, .inner_dst = d.dst, .token = d.token,
		.src = address(f->own), .dport = BACKEND_PORT,
		.outer_dst = forward == FORWARD_L2 ? d.dst :
						     address(f->backend),
	};
	__u8 got[DATAGRAM_BYTES_MAX];
	const char *why;

	memcpy(d.from, net->in.far_mac, sizeof(d.from));
	memcpy(d.to, net->in.mac, sizeof(d.to));
	memcpy(want.to, net->out.far_mac, sizeof(want.to));
	why = pass(&net->in, &d, &net->out, &want, got);
	if (why || forward != FORWARD_NAT)
		return why;
	return answer_comes_back(net, f, got);
}

/* Both families; false: one of them does not work. */
static bool forward_works(const struct selftest *t, enum forward forward,
			  struct selftest_row *row)
{
	const char *why;
	size_t len = 0;

	for (int i = 0; i < NR_FAMILIES; i++) {
		why = service_works(&t->net, &families[i], forward);
		if (why)
			row->result = SELFTEST_NO;
		len += snprintf(row->text + len, sizeof(row->text) - len,
				"%s%s%s%s", i ? ", " : "", families[i].name,
				why ? ": " : "", why ? why : "");
	}
	return row->result == SELFTEST_OK;
}

static void forward_check(struct selftest *t, enum forward forward,
			  enum dp_mechanism mechanism)
{
	struct selftest_row *row = selftest_add(t, forward_name(forward));

	strcpy(row->mode, dp_mechanism_name(mechanism));
	if (!forward_works(t, forward, row))
		return;
	if (mechanism == DP_XDP_NATIVE)
		t->works_native = true;
	else
		t->works_generic = true;
}

/* In every forwarding mode, with fl_xdp on both interfaces. */
static void traffic_check(struct selftest *t, const char *name,
			  enum dp_mechanism mechanism)
{
	__cleanup(close_fd) int in = -1;
	__cleanup(close_fd) int out = -1;
	struct selftest_row *row;
	int err;

	if (!t->dp)
		return;
	in = dp_selftest_attach(t->dp, t->net.in.ifindex, mechanism);
	out = dp_selftest_attach(t->dp, t->net.out.ifindex, mechanism);
	err = in < 0 ? in : out < 0 ? out : 0;
	if (err) {
		row = selftest_add(t, name);
		selftest_say(row, SELFTEST_NO, "cannot be attached to a veth "
			     "interface: %s", strerror(-err));
		return;
	}
	for (int i = 0; i < NR_FORWARDS; i++)
		forward_check(t, i, mechanism);
}

void selftest_native(struct selftest *t, const char *name)
{
	traffic_check(t, name, DP_XDP_NATIVE);
}

void selftest_generic(struct selftest *t, const char *name)
{
	traffic_check(t, name, DP_XDP_GENERIC);
}

/* Attaching as serve does it */

static bool say_mechanism(struct selftest *t, struct selftest_row *row,
			  enum dp_hook hook)
{
	struct dp_attachment list[8];
	int count = dp_attachments(t->dp, list, 8);

	for (int i = 0; i < count && i < 8; i++)
		if (list[i].hook == hook)
			snprintf(row->mode, sizeof(row->mode), "%s",
				 dp_mechanism_name(list[i].mechanism));
	if (!*row->mode)
		selftest_say(row, SELFTEST_NO, "%s was attached, but is not "
			     "there", dp_hook_name(hook));
	return *row->mode;
}

static bool attach(struct selftest *t, struct selftest_row *row,
		   enum dp_hook hook, __u32 ifindex)
{
	char text[DP_ATTACH_TEXT_MAX];
	int err = dp_attach(t->dp, hook, ifindex);

	if (err)
		selftest_say(row, SELFTEST_NO, "%s cannot be attached: %s",
			     dp_hook_name(hook),
			     dp_attach_text(hook, ifindex, err, text));
	return !err;
}

void selftest_attach(struct selftest *t, const char *name)
{
	__u32 in = t->net.in.ifindex, out = t->net.out.ifindex;
	struct selftest_row *row;

	if (!t->dp)
		return;
	row = selftest_add(t, name);
	row->weight = SELFTEST_NEEDED;
	if (attach(t, row, DP_HOOK_fl_xdp, in) &&
	    attach(t, row, DP_HOOK_fl_xdp, out) &&
	    say_mechanism(t, row, DP_HOOK_fl_xdp))
		forward_works(t, FORWARD_NAT, row);
	dp_detach(t->dp, DP_HOOK_fl_xdp, in);
	dp_detach(t->dp, DP_HOOK_fl_xdp, out);
}

void selftest_tc(struct selftest *t, const char *name)
{
	struct selftest_row *row;

	if (!t->dp)
		return;
	row = selftest_add(t, name);
	row->weight = SELFTEST_NEEDED;
	if (attach(t, row, DP_HOOK_fl_uplink_out, t->net.in.ifindex))
		say_mechanism(t, row, DP_HOOK_fl_uplink_out);
	dp_detach(t->dp, DP_HOOK_fl_uplink_out, t->net.in.ifindex);
}
