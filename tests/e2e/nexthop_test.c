// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Next hops against the kernel. Each test has a network namespace of its own,
 * ours, joined by a veth pair, left to right, to one that a child process
 * holds, the peer's: 10.1.0.1 and 2001:db8:1::1 here, .2 and ::2 there. Both
 * are gone with the processes. Needs root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/netlink.h>

#include <cmocka.h>

#include <fairlead/hash.h>

#include "base/addr.h"
#include "host/nexthop.h"
#include "model/words.h"

#define LINKS 8
#define DEADLINE_MS 10000
#define LEFT_MAC "02:00:00:00:00:01"
#define RIGHT_MAC "02:00:00:00:00:02"

struct net {
	pid_t peer;
	struct nexthops *n;
	struct link links[LINKS];
	struct word_bucket ingress[INGRESS_BUCKETS];
	bool changed;		/* some nexthops_read() said so */
};

static void run_text(const char *command)
{
	if (system(command))
		fail_msg("failed: %s", command);
}

static void __attribute__((format(printf, 1, 2))) run(const char *fmt, ...)
{
	char command[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	run_text(command);
}

static void run_peer(const struct net *net, const char *command)
{
	run("nsenter --target %d --net -- %s", net->peer, command);
}

/* Lives as long as its namespace is needed. */
static void be_peer(int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) || write(ready, "x", 1) != 1)
		_exit(1);
	while (true)
		pause();
}

static pid_t start_peer(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		be_peer(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static const char no_dad[] =
	"sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'";

static int setup(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	assert_non_null(net);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	net->peer = start_peer();
	run_text(no_dad);
	run_peer(net, no_dad);
	run("ip link add left address " LEFT_MAC " type veth peer name right "
	    "address " RIGHT_MAC " netns %d", net->peer);
	run("ip addr add 10.1.0.1/24 dev left");
	run("ip addr add 2001:db8:1::1/64 dev left nodad");
	run_peer(net, "ip addr add 10.1.0.2/24 dev right");
	run_peer(net, "ip addr add 2001:db8:1::2/64 dev right nodad");
	run_peer(net, "ip link set right up");
	run("ip link set left up && ip link set lo up");
	assert_int_equal(nexthops_open(net->links, LINKS, &net->n), 0);
	*state = net;
	return 0;
}

static int teardown(void **state)
{
	struct net *net = *state;

	nexthops_close(net->n);
	kill(net->peer, SIGKILL);
	waitpid(net->peer, NULL, 0);
	free(net);
	return 0;
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

/* Take in what comes within a moment. */
static void follow(struct net *net)
{
	struct pollfd fd = { .fd = nexthops_fd(net->n), .events = POLLIN };
	bool changed;

	if (poll(&fd, 1, 50) != 1)
		return;
	assert_int_equal(nexthops_read(net->n, &changed), 0);
	net->changed |= changed;
}

static enum nexthop_result find(struct net *net, const char *text,
				struct nexthop *ret)
{
	const struct addr a = addr(text);

	memset(ret, 0, sizeof(*ret));
	return nexthops_find(net->n, &a, ret);
}

static struct nexthop await(struct net *net, const char *text,
			    enum nexthop_result wanted)
{
	const __u64 start = now_ms();
	enum nexthop_result result;
	struct nexthop hop;

	while (true) {
		result = find(net, text, &hop);
		if (result == wanted)
			return hop;
		if (now_ms() - start > DEADLINE_MS)
			fail_msg("%s: %d, not %d", text, result, wanted);
		follow(net);
	}
}

static void assert_mac(struct nexthop hop, const char *wanted)
{
	char mac[18];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x",
		 hop.mac[0], hop.mac[1], hop.mac[2], hop.mac[3], hop.mac[4],
		 hop.mac[5]);
	assert_string_equal(mac, wanted);
}

static void await_mac(struct net *net, const char *text, const char *wanted)
{
	const __u64 start = now_ms();
	struct nexthop hop;

	do {
		hop = await(net, text, NEXTHOP_FOUND);
		if (hop.mac[5] == strtol(wanted + 15, NULL, 16))
			break;
		follow(net);
	} while (now_ms() - start < DEADLINE_MS);
	assert_mac(hop, wanted);
}

static __u32 ifindex_of(const struct net *net, const char *name)
{
	__u32 ifindex;

	assert_int_equal(nexthops_ifindex(net->n, name, &ifindex), 0);
	return ifindex;
}

static const struct link *link_of(const struct net *net, struct nexthop hop)
{
	assert_in_range(hop.link, 1, LINKS - 1);
	return &net->links[hop.link];
}

/* The only interface that is an uplink by default; 0: none. */
static __u32 default_of(const struct net *net)
{
	__u32 list[2] = {};

	assert_in_range(nexthops_default_uplinks(net->n, list, 2), 0, 1);
	return list[0];
}

/* Until a change was reported. */
static void await_change(struct net *net)
{
	const __u64 start = now_ms();

	for (net->changed = false; !net->changed; follow(net))
		assert_true(now_ms() - start < DEADLINE_MS);
}

/* Another interface, whose peer is here too, and that needs no neighbours. */
static void add_other(struct net *net, const char *name, const char *net4)
{
	const __u64 start = now_ms();
	__u32 ifindex;

	run("ip link add %s type veth peer name %s-peer && "
	    "ip link set %s arp off && ip addr add %s dev %s && "
	    "ip link set %s up && ip link set %s-peer up", name, name, name,
	    net4, name, name, name);
	while (nexthops_ifindex(net->n, name, &ifindex)) {
		assert_true(now_ms() - start < DEADLINE_MS);
		follow(net);
	}
}

static void neighbour_on_link_is_pending_then_found(void **state)
{
	static const char *const texts[] = { "10.1.0.2", "2001:db8:1::2" };
	struct net *net = *state;
	struct nexthop hop;
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(find(net, texts[i], &hop), NEXTHOP_PENDING);
		assert_int_equal(link_of(net, hop)->ifindex,
				 ifindex_of(net, "left"));
		await_change(net);
		hop = await(net, texts[i], NEXTHOP_FOUND);
		assert_mac(hop, RIGHT_MAC);
	}
}

static void link_entry_says_what_the_interface_is(void **state)
{
	struct net *net = *state;
	struct nexthop hop = await(net, "10.1.0.2", NEXTHOP_FOUND);
	const struct link *link = link_of(net, hop);
	const struct addr addr4 = addr("10.1.0.1");
	const struct addr addr6 = addr("2001:db8:1::1");
	const __u64 start = now_ms();

	assert_int_equal(link->mtu, 1500);
	assert_int_equal(link->mac[5], 1);
	assert_int_equal(link->vlan_proto, 0);
	assert_int_equal(link->user_ifindex, link->ifindex);
	assert_memory_equal(&link->addr4, &addr4, sizeof(addr4));
	assert_memory_equal(&link->addr6, &addr6, sizeof(addr6));
	assert_string_equal(nexthops_ifname(net->n, link->ifindex), "left");

	run("ip link set left mtu 1400 address 02:00:00:00:00:11");
	while ((link->mtu != 1400 || link->mac[5] != 0x11) &&
	       now_ms() - start < DEADLINE_MS)
		follow(net);
	assert_int_equal(link->mtu, 1400);
	assert_int_equal(link->mac[5], 0x11);
}

static void gateway_is_resolved_in_place_of_the_address(void **state)
{
	struct net *net = *state;
	struct nexthop hop;

	assert_int_equal(find(net, "192.0.2.7", &hop), NEXTHOP_NONE);
	assert_int_equal(default_of(net), 0);
	run("ip route add default via 10.1.0.2");
	hop = await(net, "192.0.2.7", NEXTHOP_FOUND);
	assert_mac(hop, RIGHT_MAC);
	assert_int_equal(default_of(net),
			 ifindex_of(net, "left"));
}

/* The address that the kernel says packets to a come from. */
static struct addr kernels_source(const char *text)
{
	char command[128], line[ADDR_TEXT_MAX] = "";
	FILE *out;

	snprintf(command, sizeof(command),
		 "ip -json route get %s | jq -r '.[0].prefsrc'", text);
	out = popen(command, "r");
	assert_non_null(out);
	assert_non_null(fgets(line, sizeof(line), out));
	pclose(out);
	line[strcspn(line, "\n")] = '\0';
	return addr(line);
}

static void assert_source_is_the_kernels(struct net *net, const char *text)
{
	const struct addr wanted = kernels_source(text);
	const __u64 start = now_ms();
	char found[ADDR_TEXT_MAX];
	const struct addr *source;
	const struct link *l;

	do {
		l = link_of(net, await(net, text, NEXTHOP_FOUND));
		source = addr_is4(&wanted) ? &l->addr4 : &l->addr6;
		if (!addr_compare(source, &wanted))
			return;
		follow(net);
	} while (now_ms() - start < DEADLINE_MS);
	fail_msg("%s: from %s", text, addr_format(source, found));
}

/* Two subnets on one interface, a source that a route names, addresses that
 * others of the host have, scopes: all as the kernel has it. */
static void sources_are_the_kernels(void **state)
{
	static const char *const texts[] = {
		"10.1.0.2", "10.2.0.2", "192.0.2.7", "198.51.100.7",
		"203.0.113.7", "203.0.113.129", "2001:db8:1::2",
		"2001:db8:2::2", "2001:db8:3::7", "2001:db8:4::7",
		"2001:db8:5::7", "fd00:7::7",
	};
	struct net *net = *state;

	run("ip addr add 10.2.0.1/24 dev left && "
	    "ip addr add 10.2.0.9/24 dev left && "
	    "ip addr add 172.16.0.1/32 dev lo && "
	    "ip addr add 2001:db8:2::1/64 dev left nodad && "
	    "ip addr add 2001:db8:2::3/128 dev left nodad && "
	    "ip addr add fd00:9::1/128 dev lo && "
	    "ip addr add 2001:db8:5::1/128 dev lo");
	run("ip route add 192.0.2.0/24 via 10.2.0.2 && "
	    "ip route add 198.51.100.0/24 via 10.2.0.2 src 10.2.0.9 && "
	    "ip route add 203.0.113.0/25 via 10.1.0.2 src 172.16.0.1 && "
	    "ip route add 203.0.113.128/25 dev left && "
	    "ip route add 2001:db8:3::/64 via 2001:db8:1::2 && "
	    "ip route add 2001:db8:4::/64 via 2001:db8:1::2 src 2001:db8:2::1 && "
	    "ip route add 2001:db8:5::/64 via 2001:db8:1::2 && "
	    "ip route add fd00:7::/64 via 2001:db8:1::2");
	run_peer(net, "sh -c 'ip addr add 10.2.0.2/24 dev right; "
		      "ip addr add 203.0.113.129/25 dev right; "
		      "ip addr add 2001:db8:2::2/64 dev right nodad'");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		await(net, texts[i], NEXTHOP_FOUND);
		assert_source_is_the_kernels(net, texts[i]);
	}
	/* an address that comes, or goes, changes what the kernel says */
	run("ip addr del 10.2.0.1/24 dev left && "
	    "ip addr add fd00:7:0:8::1/64 dev left nodad");
	await_change(net);
	follow(net);
	run("ip route replace 192.0.2.0/24 via 10.1.0.2");
	await(net, "192.0.2.7", NEXTHOP_FOUND);
	assert_source_is_the_kernels(net, "192.0.2.7");
	assert_source_is_the_kernels(net, "fd00:7::7");
}

/* No address on the interface that packets leave by, but on lo. */
static void interface_without_an_address_sends_from_los(void **state)
{
	struct net *net = *state;

	run("ip addr flush dev left && ip addr add 172.16.0.1/32 dev lo && "
	    "ip addr add fd00:9::1/128 dev lo && "
	    "ip link set left down && ip link set left up && "
	    "ip route add 192.0.2.0/24 via inet6 fe80::2 dev left && "
	    "ip route add 2001:db8:3::/64 via fe80::2 dev left");
	run_peer(net, "ip addr add fe80::2/64 dev right nodad");
	assert_source_is_the_kernels(net, "192.0.2.7");
	assert_source_is_the_kernels(net, "2001:db8:3::7");
}

/* Rules send an address, a network, to another table, and back again. */
static void rules_are_followed(void **state)
{
	struct net *net = *state;
	struct nexthop hop;

	add_other(net, "other", "10.9.0.1/24");
	run("ip route add 192.0.2.0/24 via 10.1.0.2");
	assert_mac(await(net, "192.0.2.7", NEXTHOP_FOUND), RIGHT_MAC);
	run("ip route add 192.0.2.0/24 dev other src 10.9.0.1 table 100 && "
	    "ip rule add to 192.0.2.0/25 lookup 100");
	await_mac(net, "192.0.2.7", "00:00:00:00:00:00");
	hop = await(net, "192.0.2.7", NEXTHOP_FOUND);
	assert_int_equal(link_of(net, hop)->ifindex, ifindex_of(net, "other"));
	assert_source_is_the_kernels(net, "192.0.2.7");
	assert_mac(await(net, "192.0.2.200", NEXTHOP_FOUND), RIGHT_MAC);
	run("ip route replace unreachable 192.0.2.0/24 table 100");
	await(net, "192.0.2.7", NEXTHOP_NONE);
	run("ip rule del to 192.0.2.0/25 lookup 100");
	await_mac(net, "192.0.2.7", RIGHT_MAC);
}

/* Routes of the VRF that the uplink is in, and no others. */
static void uplink_in_a_vrf_is_followed(void **state)
{
	const struct addr source = addr("10.1.0.1");
	struct net *net = *state;
	struct nexthop hop;
	__u32 left;

	if (system("ip link add red type vrf table 10 2>/dev/null"))
		skip();
	run("ip link set red up && ip link set left master red && "
	    "ip route add 192.0.2.0/24 via 10.1.0.2 vrf red");
	add_other(net, "other", "10.9.0.1/24");
	run("ip route add 192.0.2.0/24 dev other");
	hop = await(net, "192.0.2.7", NEXTHOP_FOUND);
	assert_int_equal(link_of(net, hop)->ifindex, ifindex_of(net, "other"));
	left = ifindex_of(net, "left");
	nexthops_set_uplinks(net->n, &left, 1);
	await_mac(net, "192.0.2.7", RIGHT_MAC);
	hop = await(net, "192.0.2.7", NEXTHOP_FOUND);
	assert_memory_equal(&link_of(net, hop)->addr4, &source,
			    sizeof(source));
	run("ip link set left nomaster");
	await_mac(net, "192.0.2.7", "00:00:00:00:00:00");
}

static bool has_vlan(const struct net *net, __u16 id)
{
	for (int i = 1; i < LINKS; i++)
		if (net->links[i].vlan_id == htons(id))
			return true;
	return false;
}

/* Clients may be in it, whether backends are or not. */
static void vlan_on_an_uplink_has_an_entry(void **state)
{
	struct net *net = *state;
	const __u32 left = ifindex_of(net, "left");
	const __u64 start = now_ms();

	nexthops_set_uplinks(net->n, &left, 1);
	if (system("ip link add link left name left.7 type vlan id 7 "
		   "2>/dev/null"))
		skip();
	run("ip link set left.7 up");
	while (!has_vlan(net, 7)) {
		assert_true(now_ms() - start < DEADLINE_MS);
		follow(net);
	}
}

/* All of them find their way, without one system call each. */
static void thousands_of_backends_by_rules_are_asked_in_batches(void **state)
{
	struct net *net = *state;
	struct nexthop hop;
	const __u64 start = now_ms();
	unsigned int missing;
	char text[32];

	add_other(net, "other", "10.9.0.1/24");
	run("ip route add 172.16.0.0/12 dev other table 100 && "
	    "ip rule add to 172.16.0.0/12 lookup 100");
	await(net, "172.16.0.1", NEXTHOP_FOUND);
	do {
		missing = 0;
		for (unsigned int i = 0; i < 20000; i++) {
			snprintf(text, sizeof(text), "172.16.%u.%u", i >> 8,
				 i & 255);
			missing += find(net, text, &hop) != NEXTHOP_FOUND;
		}
		follow(net);
		assert_true(now_ms() - start < 3 * DEADLINE_MS);
	} while (missing);
}

static void ipv6_goes_through_a_link_local_gateway(void **state)
{
	struct net *net = *state;

	run_peer(net, "ip addr add fe80::2/64 dev right nodad");
	run("ip -6 route add 2001:db8:2::/48 via fe80::2 dev left");
	assert_mac(await(net, "2001:db8:2::7", NEXTHOP_FOUND), RIGHT_MAC);
}

static void ipv4_goes_through_an_ipv6_gateway(void **state)
{
	struct net *net = *state;

	run("ip route add 192.0.2.0/24 via inet6 2001:db8:1::2 dev left");
	assert_mac(await(net, "192.0.2.7", NEXTHOP_FOUND), RIGHT_MAC);
}

static void more_specific_route_wins(void **state)
{
	struct net *net = *state;
	struct nexthop hop;

	add_other(net, "other", "10.9.0.1/24");
	run("ip route add 192.0.2.0/24 via 10.1.0.2");
	run("ip route add 192.0.2.128/25 dev other");
	run("ip route add unreachable 192.0.2.129");
	await(net, "192.0.2.129", NEXTHOP_NONE);
	hop = await(net, "192.0.2.128", NEXTHOP_FOUND);
	assert_string_equal(nexthops_ifname(net->n,
					    link_of(net, hop)->ifindex),
			    "other");
	assert_mac(hop, "00:00:00:00:00:00");
	assert_mac(await(net, "192.0.2.127", NEXTHOP_FOUND), RIGHT_MAC);
	await(net, "192.0.2.129", NEXTHOP_NONE);
}

static void lower_metric_wins_and_the_other_follows(void **state)
{
	static const char *const nets[] = { "192.0.2.0/24", "2001:db8:2::/48" };
	static const char *const texts[] = { "192.0.2.7", "2001:db8:2::7" };
	struct net *net = *state;
	int i;

	add_other(net, "other", "10.9.0.1/24");
	for (i = 0; i < 2; i++) {
		run("ip route add %s dev other metric 200", nets[i]);
		assert_mac(await(net, texts[i], NEXTHOP_FOUND),
			   "00:00:00:00:00:00");
		run("ip route add %s via %s metric 100", nets[i],
		    i ? "2001:db8:1::2" : "10.1.0.2");
		await_mac(net, texts[i], RIGHT_MAC);
		run("ip route del %s metric 100", nets[i]);
		await_mac(net, texts[i], "00:00:00:00:00:00");
	}
}

static void replaced_route_is_followed(void **state)
{
	struct net *net = *state;

	add_other(net, "other", "10.9.0.1/24");
	run("ip route add 192.0.2.0/24 dev other");
	await_mac(net, "192.0.2.7", "00:00:00:00:00:00");
	run("ip route replace 192.0.2.0/24 via 10.1.0.2");
	await_mac(net, "192.0.2.7", RIGHT_MAC);
	run("ip route del 192.0.2.0/24");
	await(net, "192.0.2.7", NEXTHOP_NONE);
}

static void multipath_spreads_addresses_and_avoids_what_is_down(void **state)
{
	static const char *const nets[] = { "192.0.2.0/24", "2001:db8:2::/64" };
	struct net *net = *state;
	unsigned int f, i, count[2];
	struct nexthop hop, again;
	char text[48];

	add_other(net, "one", "10.8.0.1/24");
	add_other(net, "two", "10.9.0.1/24");
	for (f = 0; f < 2; f++) {
		memset(count, 0, sizeof(count));
		run("ip route add %s nexthop via %s dev one "
		    "nexthop via %s dev two", nets[f],
		    f ? "fe80::8" : "10.8.0.2", f ? "fe80::9" : "10.9.0.2");
		await(net, f ? "2001:db8:2::1" : "192.0.2.1", NEXTHOP_FOUND);
		for (i = 1; i < 200; i++) {
			snprintf(text, sizeof(text), f ? "2001:db8:2::%u" :
				 "192.0.2.%u", i);
			hop = await(net, text, NEXTHOP_FOUND);
			again = await(net, text, NEXTHOP_FOUND);
			assert_int_equal(hop.link, again.link);
			count[link_of(net, hop)->ifindex ==
			      ifindex_of(net, "two")]++;
		}
		assert_in_range(count[0], 60, 140);
	}
	run("ip link set two down");
	await_change(net);
	for (i = 1; i < 200; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", i);
		hop = await(net, text, NEXTHOP_FOUND);
		assert_string_equal(nexthops_ifname(net->n,
					link_of(net, hop)->ifindex), "one");
	}
}

static void nexthop_objects_are_followed(void **state)
{
	struct net *net = *state;

	run("ip nexthop add id 7 via 10.1.0.2 dev left");
	run("ip route add 192.0.2.0/24 nhid 7");
	await_mac(net, "192.0.2.7", RIGHT_MAC);
	run("echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode");
	run("ip route add 198.51.100.0/24 nhid 7");
	await_mac(net, "198.51.100.7", RIGHT_MAC);
	run("ip nexthop replace id 7 blackhole");
	await(net, "198.51.100.7", NEXTHOP_NONE);
}

static void other_tables_and_blackholes_lead_nowhere(void **state)
{
	struct net *net = *state;
	struct nexthop hop;

	run("ip route add default via 10.1.0.2");
	run("ip route add 192.0.2.0/24 via 10.1.0.2 table 99");
	run("ip route add blackhole 192.0.2.0/24");
	run("ip route add prohibit 198.51.100.0/24");
	run("ip -6 route add unreachable 2001:db8:2::/48");
	await(net, "203.0.113.1", NEXTHOP_FOUND);
	await(net, "2001:db8:2::1", NEXTHOP_NONE);
	await(net, "198.51.100.1", NEXTHOP_NONE);
	assert_int_equal(find(net, "192.0.2.1", &hop), NEXTHOP_NONE);
}

static void changed_mac_of_a_neighbour_is_reported(void **state)
{
	struct net *net = *state;

	assert_mac(await(net, "10.1.0.2", NEXTHOP_FOUND), RIGHT_MAC);
	run("ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:33 dev left "
	    "nud reachable");
	await_change(net);
	await_mac(net, "10.1.0.2", "02:00:00:00:00:33");
}

static void silent_neighbour_stays_pending_until_it_answers(void **state)
{
	struct net *net = *state;
	struct nexthop hop;

	assert_int_equal(find(net, "10.1.0.77", &hop), NEXTHOP_PENDING);
	run_peer(net, "ip addr add 10.1.0.77/24 dev right");
	nexthops_refresh(net->n);
	assert_mac(await(net, "10.1.0.77", NEXTHOP_FOUND), RIGHT_MAC);
}

static void refresh_revives_the_stale_and_spares_the_fixed(void **state)
{
	struct net *net = *state;

	run("ip neigh add 10.1.0.50 lladdr 02:00:00:00:00:50 dev left "
	    "nud permanent");
	run("ip neigh add 10.1.0.2 lladdr " RIGHT_MAC " dev left nud stale");
	await_mac(net, "10.1.0.50", "02:00:00:00:00:50");
	await_mac(net, "10.1.0.2", RIGHT_MAC);
	nexthops_refresh(net->n);
	run("ip neigh show 10.1.0.50 | grep -q PERMANENT");
	run("! ip neigh show 10.1.0.2 | grep -q STALE");
}

static void link_down_and_up_takes_routes_and_brings_them_back(void **state)
{
	struct net *net = *state;

	run("ip route add 192.0.2.0/24 via 10.1.0.2");
	await(net, "192.0.2.7", NEXTHOP_FOUND);
	await(net, "2001:db8:1::2", NEXTHOP_FOUND);
	run("ip link set left down");
	await_change(net);
	await(net, "192.0.2.7", NEXTHOP_NONE);
	await(net, "10.1.0.2", NEXTHOP_NONE);
	await(net, "2001:db8:1::2", NEXTHOP_NONE);
	run("ip link set left up");
	await(net, "10.1.0.2", NEXTHOP_FOUND);
	assert_int_equal(find(net, "192.0.2.7", &(struct nexthop){}),
			 NEXTHOP_NONE);
}

static void addresses_come_and_go(void **state)
{
	const struct addr second = addr("10.1.0.9"), first = addr("10.1.0.1");
	const struct addr broadcast = addr("10.1.0.255");
	const struct addr loopback = addr("127.3.2.1"), one = addr("::1");
	struct net *net = *state;
	const struct link *link;
	const __u64 start = now_ms();

	link = link_of(net, await(net, "10.1.0.2", NEXTHOP_FOUND));
	assert_true(nexthops_is_local(net->n, &first));
	assert_true(nexthops_is_local(net->n, &loopback));
	assert_true(nexthops_is_local(net->n, &one));
	assert_false(nexthops_is_local(net->n, &broadcast));
	assert_false(nexthops_is_local(net->n, &second));

	run("echo 1 >/proc/sys/net/ipv4/conf/left/promote_secondaries");
	run("ip addr add 10.1.0.9/24 brd + dev left");
	await_change(net);
	await(net, "10.1.0.9", NEXTHOP_LOCAL);
	assert_memory_equal(&link->addr4, &first, sizeof(first));
	run("ip addr del 10.1.0.1/24 dev left");
	while (nexthops_is_local(net->n, &first) &&
	       now_ms() - start < DEADLINE_MS)
		follow(net);
	assert_false(nexthops_is_local(net->n, &first));
	assert_memory_equal(&link->addr4, &second, sizeof(second));
}

static void last_address_takes_its_routes_along(void **state)
{
	struct net *net = *state;

	run("ip route add 192.0.2.0/24 dev left");
	await(net, "192.0.2.7", NEXTHOP_PENDING);
	run("ip addr del 10.1.0.1/24 dev left");
	await(net, "192.0.2.7", NEXTHOP_NONE);
}

static void bridge_is_a_link_of_its_own(void **state)
{
	struct net *net = *state;
	struct nexthop hop;

	run("ip link add bridge type bridge && ip addr flush dev left && "
	    "ip link set left master bridge && ip link set bridge up && "
	    "ip addr add 10.1.0.1/24 dev bridge");
	hop = await(net, "10.1.0.2", NEXTHOP_FOUND);
	assert_mac(hop, RIGHT_MAC);
	assert_string_equal(nexthops_ifname(net->n,
					    link_of(net, hop)->user_ifindex),
			    "bridge");
	run("ip link set left nomaster");
	await_change(net);
	assert_int_not_equal(ifindex_of(net, "left"), 0);
}

/* Of the sockets that this process follows groups by. */
static void shrink_receive_buffers(void)
{
	struct sockaddr_nl name = {};
	socklen_t len;
	int bytes = 1, found = 0;

	for (int fd = 3; fd < 64; fd++) {
		len = sizeof(name);
		if (getsockname(fd, (struct sockaddr *)&name, &len) ||
		    name.nl_family != AF_NETLINK || !name.nl_groups)
			continue;
		found++;
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes,
					    sizeof(bytes)), 0);
	}
	assert_in_range(found, 1, 63);
}

static void lost_messages_are_mended(void **state)
{
	struct net *net = *state;

	shrink_receive_buffers();
	run("for i in $(seq 1 250); do echo route add 192.0.2.$i via 10.1.0.2;"
	    "done | ip -batch -");
	run("ip neigh add 10.1.0.60 lladdr 02:00:00:00:00:60 dev left "
	    "nud permanent && ip addr add 10.7.0.1/24 dev left");
	run("ip route del 192.0.2.3");
	await_change(net);
	await(net, "192.0.2.250", NEXTHOP_FOUND);
	await(net, "192.0.2.3", NEXTHOP_NONE);
	await_mac(net, "10.1.0.60", "02:00:00:00:00:60");
	await(net, "10.7.0.1", NEXTHOP_LOCAL);
}

static void entries_survive_a_restart_and_a_move(void **state)
{
	struct link moved[LINKS] = {};
	struct net *net = *state;
	struct nexthop before, after;

	add_other(net, "other", "10.9.0.1/24");
	await(net, "10.9.0.2", NEXTHOP_FOUND);
	before = await(net, "10.1.0.2", NEXTHOP_FOUND);
	memcpy(moved, net->links, sizeof(moved));
	nexthops_move(net->n, moved);
	memset(net->links, 0xff, sizeof(net->links));
	after = await(net, "10.1.0.2", NEXTHOP_FOUND);
	assert_int_equal(before.link, after.link);

	memcpy(net->links, moved, sizeof(moved));
	nexthops_close(net->n);
	net->n = NULL;
	assert_int_equal(nexthops_open(net->links, LINKS, &net->n), 0);
	after = await(net, "10.1.0.2", NEXTHOP_FOUND);
	assert_int_equal(before.link, after.link);
	assert_memory_equal(net->links, moved, sizeof(moved));
}

static void full_links_answer_none_and_gone_ones_are_reused(void **state)
{
	struct net *net = *state;
	struct link links[2] = {};
	struct nexthop hop;

	nexthops_close(net->n);
	net->n = NULL;
	assert_int_equal(nexthops_open(links, 2, &net->n), 0);
	add_other(net, "other", "10.9.0.1/24");
	hop = await(net, "10.9.0.2", NEXTHOP_FOUND);
	assert_int_equal(hop.link, 1);
	await(net, "10.1.0.2", NEXTHOP_NONE);
	run("ip link del other");
	hop = await(net, "10.1.0.2", NEXTHOP_FOUND);
	assert_int_equal(hop.link, 1);
	assert_int_equal(links[1].ifindex, ifindex_of(net, "left"));
}

#define ANY_VLAN (-1)

static bool is_taken(struct net *net, const char *name, const char *mac,
		     int vlan)
{
	__u16 number = vlan < 0 ? (int)INGRESS_ANY_VLAN : vlan;
	unsigned int x[6];
	__u8 bytes[6];

	assert_int_equal(sscanf(mac, "%x:%x:%x:%x:%x:%x", &x[0], &x[1], &x[2],
				&x[3], &x[4], &x[5]), 6);
	for (int i = 0; i < 6; i++)
		bytes[i] = x[i];
	return words_find(net->ingress, INGRESS_BUCKETS,
			  ingress_mac_word(ifindex_of(net, name),
					   mac_number(bytes), number));
}

/* Until frames to mac at an interface are (not) for this host. */
static void await_taken(struct net *net, const char *name, const char *mac,
			int vlan, bool want)
{
	const __u64 start = now_ms();

	while (is_taken(net, name, mac, vlan) != want) {
		if (now_ms() - start > DEADLINE_MS)
			fail_msg("%s at %s in %d", mac, name, vlan);
		follow(net);
	}
}

static unsigned int words_used(const struct net *net)
{
	unsigned int used = 0;

	for (int i = 0; i < INGRESS_BUCKETS; i++)
		for (int j = 0; j < WORD_WAYS; j++)
			used += net->ingress[i].word[j] != 0;
	return used;
}

#define VMAC "00:00:5e:00:01:07"
#define OWN_MAC "02:00:00:00:07:01"

static void own_mac_address_is_taken_and_followed(void **state)
{
	struct net *net = *state;

	net->ingress[5].word[3] = 12345; /* an earlier process's */
	nexthops_ingress(net->n, net->ingress);
	assert_int_equal(net->ingress[5].word[3], 0);
	await_taken(net, "left", LEFT_MAC, ANY_VLAN, true);
	await_taken(net, "left", RIGHT_MAC, ANY_VLAN, false);
	run("ip link set left address " OWN_MAC);
	await_taken(net, "left", OWN_MAC, ANY_VLAN, true);
	await_taken(net, "left", LEFT_MAC, ANY_VLAN, false);
}

/* As VRRP has it: one that is down here is another host's. */
static void macvlan_is_taken_while_it_is_up(void **state)
{
	struct net *net = *state;
	unsigned int before;

	nexthops_ingress(net->n, net->ingress);
	before = words_used(net);
	run("ip link add link left vrrp address " VMAC " type macvlan");
	await_taken(net, "left", VMAC, ANY_VLAN, false);
	run("ip link set vrrp up");
	await_taken(net, "left", VMAC, ANY_VLAN, true);
	await_taken(net, "vrrp", VMAC, ANY_VLAN, true);
	run("ip link set vrrp down");
	await_taken(net, "left", VMAC, ANY_VLAN, false);
	run("ip link set vrrp up");
	await_taken(net, "left", VMAC, ANY_VLAN, true);
	run("ip link del vrrp");
	await_taken(net, "left", VMAC, ANY_VLAN, false);
	assert_int_equal(words_used(net), before);
}

static void bridge_and_its_ports_take_each_others(void **state)
{
	struct net *net = *state;

	nexthops_ingress(net->n, net->ingress);
	run("ip link add name br address " OWN_MAC " type bridge");
	run("ip link set left master br && ip link set dev br up");
	await_taken(net, "left", OWN_MAC, ANY_VLAN, true);
	await_taken(net, "br", LEFT_MAC, ANY_VLAN, true);
	run("ip link set left nomaster");
	await_taken(net, "left", OWN_MAC, ANY_VLAN, false);
	await_taken(net, "br", LEFT_MAC, ANY_VLAN, false);
}

static void addresses_that_were_added_by_hand_are_taken(void **state)
{
	struct net *net = *state;

	run("bridge fdb add " VMAC " dev left self");
	nexthops_close(net->n);
	assert_int_equal(nexthops_open(net->links, LINKS, &net->n), 0);
	nexthops_ingress(net->n, net->ingress);
	await_taken(net, "left", VMAC, ANY_VLAN, true);
	run("bridge fdb add " OWN_MAC " dev left self");
	await_taken(net, "left", OWN_MAC, ANY_VLAN, true);
	run("bridge fdb del " VMAC " dev left self");
	await_taken(net, "left", VMAC, ANY_VLAN, false);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(neighbour_on_link_is_pending_then_found),
		CASE(link_entry_says_what_the_interface_is),
		CASE(gateway_is_resolved_in_place_of_the_address),
		CASE(ipv6_goes_through_a_link_local_gateway),
		CASE(sources_are_the_kernels),
		CASE(interface_without_an_address_sends_from_los),
		CASE(rules_are_followed),
		CASE(uplink_in_a_vrf_is_followed),
		CASE(vlan_on_an_uplink_has_an_entry),
		CASE(thousands_of_backends_by_rules_are_asked_in_batches),
		CASE(ipv4_goes_through_an_ipv6_gateway),
		CASE(more_specific_route_wins),
		CASE(lower_metric_wins_and_the_other_follows),
		CASE(replaced_route_is_followed),
		CASE(multipath_spreads_addresses_and_avoids_what_is_down),
		CASE(nexthop_objects_are_followed),
		CASE(other_tables_and_blackholes_lead_nowhere),
		CASE(changed_mac_of_a_neighbour_is_reported),
		CASE(silent_neighbour_stays_pending_until_it_answers),
		CASE(refresh_revives_the_stale_and_spares_the_fixed),
		CASE(link_down_and_up_takes_routes_and_brings_them_back),
		CASE(addresses_come_and_go),
		CASE(last_address_takes_its_routes_along),
		CASE(bridge_is_a_link_of_its_own),
		CASE(lost_messages_are_mended),
		CASE(entries_survive_a_restart_and_a_move),
		CASE(full_links_answer_none_and_gone_ones_are_reused),
		CASE(own_mac_address_is_taken_and_followed),
		CASE(macvlan_is_taken_while_it_is_up),
		CASE(bridge_and_its_ports_take_each_others),
		CASE(addresses_that_were_added_by_hand_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
