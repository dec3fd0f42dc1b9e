// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What user/host/host.c makes of netlink messages: built here, so that there
 * are VLANs, cut messages and orders of events that no kernel gives on demand.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cmocka.h>

#include "base/addr.h"
#include "host/host_private.h"
#include "base/netlink.h"
#include "model/words.h"

#define LINKS 4
#define UP (IFF_UP | IFF_RUNNING)

struct net {
	struct host *host;
	struct addr told_source, told_via;	/* the kernel's answers */
	__u32 told_ifindex;
	unsigned int asked;
	struct link links[LINKS];
	struct word_bucket ingress[INGRESS_BUCKETS];
	union {
		struct nlmsghdr m;
		char bytes[1024];
	};
};

static int setup(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	assert_non_null(net);
	assert_int_equal(host_new(net->links, LINKS, &net->host), 0);
	*state = net;
	return 0;
}

static int teardown(void **state)
{
	struct net *net = *state;

	host_free(net->host);
	free(net);
	return 0;
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static __u8 family_of(const struct addr *a)
{
	return addr_is4(a) ? AF_INET : AF_INET6;
}

static void *start(struct net *net, __u16 type, __u16 flags, size_t header)
{
	memset(net->bytes, 0, sizeof(net->bytes));
	mnl_nlmsg_put_header(net->bytes);
	net->m.nlmsg_type = type;
	net->m.nlmsg_flags = flags;
	return mnl_nlmsg_put_extra_header(&net->m, header);
}

static void take(struct net *net)
{
	assert_int_equal(host_take(net->host, &net->m), 0);
}

static void build_link(struct net *net, __u16 type, __u32 ifindex,
		       __u32 flags)
{
	const __u8 mac[ETH_ALEN] = { 2, 0, 0, 0, 0, ifindex };
	struct ifinfomsg *header = start(net, type, 0, sizeof(*header));
	char name[IF_NAMESIZE];

	header->ifi_index = ifindex;
	header->ifi_flags = flags;
	snprintf(name, sizeof(name), "link%u", ifindex);
	mnl_attr_put_strz(&net->m, IFLA_IFNAME, name);
	mnl_attr_put(&net->m, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_put_u32(&net->m, IFLA_MTU, 1500);
}

static void link_is(struct net *net, __u32 ifindex, __u32 flags)
{
	build_link(net, RTM_NEWLINK, ifindex, flags);
	take(net);
}

static void build_vlan(struct net *net, __u32 ifindex, __u32 parent,
		       __u16 proto, __u16 id)
{
	struct nlattr *info, *data;

	build_link(net, RTM_NEWLINK, ifindex, UP);
	mnl_attr_put_u32(&net->m, IFLA_LINK, parent);
	info = mnl_attr_nest_start(&net->m, IFLA_LINKINFO);
	mnl_attr_put_strz(&net->m, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(&net->m, IFLA_INFO_DATA);
	mnl_attr_put_u16(&net->m, IFLA_VLAN_ID, id);
	mnl_attr_put_u16(&net->m, IFLA_VLAN_PROTOCOL, htons(proto));
	mnl_attr_nest_end(&net->m, data);
	mnl_attr_nest_end(&net->m, info);
}

static void build_addr(struct net *net, __u16 type, __u32 ifindex,
		       const char *text, __u32 flags)
{
	struct ifaddrmsg *header = start(net, type, 0, sizeof(*header));
	const struct addr a = addr(text);

	header->ifa_family = family_of(&a);
	header->ifa_index = ifindex;
	header->ifa_prefixlen = 24;
	netlink_put_addr(&net->m, IFA_ADDRESS, &a);
	mnl_attr_put_u32(&net->m, IFA_FLAGS, flags);
}

static void address_is(struct net *net, __u32 ifindex, const char *text,
		       __u32 flags)
{
	build_addr(net, RTM_NEWADDR, ifindex, text, flags);
	take(net);
}

static void build_neighbour(struct net *net, __u32 ifindex, const char *text,
			    __u16 state, __u8 mac5)
{
	struct ndmsg *header = start(net, RTM_NEWNEIGH, 0, sizeof(*header));
	const __u8 mac[ETH_ALEN] = { 2, 0, 0, 0, 1, mac5 };
	const struct addr a = addr(text);

	header->ndm_family = family_of(&a);
	header->ndm_ifindex = ifindex;
	header->ndm_state = state;
	netlink_put_addr(&net->m, NDA_DST, &a);
	mnl_attr_put(&net->m, NDA_LLADDR, sizeof(mac), mac);
}

static void neighbour_is(struct net *net, __u32 ifindex, const char *text,
			 __u16 state, __u8 mac5)
{
	build_neighbour(net, ifindex, text, state, mac5);
	take(net);
}

struct route_told {
	__u16 type;
	__u16 flags;
	const char *dst;
	__u8 len;
	__u32 metric;
	const char *via[3];	/* of interface 1, 2, 3 */
};

static void put_hop(struct net *net, __u32 ifindex, const char *via)
{
	const struct addr a = addr(via);
	struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(&net->m);
	const __u32 before = net->m.nlmsg_len;

	mnl_nlmsg_put_extra_header(&net->m, sizeof(*nh));
	nh->rtnh_ifindex = ifindex;
	netlink_put_addr(&net->m, RTA_GATEWAY, &a);
	nh->rtnh_len = net->m.nlmsg_len - before;
}

static void build_route(struct net *net, const struct route_told *r)
{
	struct rtmsg *header = start(net, r->type, r->flags, sizeof(*header));
	const struct addr dst = addr(r->dst);
	struct nlattr *nest;
	__u32 i;

	header->rtm_family = family_of(&dst);
	header->rtm_dst_len = r->len;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_type = RTN_UNICAST;
	netlink_put_addr(&net->m, RTA_DST, &dst);
	mnl_attr_put_u32(&net->m, RTA_PRIORITY, r->metric);
	nest = mnl_attr_nest_start(&net->m, RTA_MULTIPATH);
	for (i = 0; i < 3; i++) {
		if (r->via[i])
			put_hop(net, i + 1, r->via[i]);
	}
	mnl_attr_nest_end(&net->m, nest);
}

static void route_is(struct net *net, const struct route_told *r)
{
	build_route(net, r);
	take(net);
}

/* What the kernel says to questions; zero: that it does not know. */
static void build_told(struct net *net, const struct question *q)
{
	struct rtmsg *header = start(net, RTM_NEWROUTE, 0, sizeof(*header));

	header->rtm_family = family_of(&q->dst);
	header->rtm_flags = RTM_F_CLONED;
	header->rtm_type = RTN_UNICAST;
	header->rtm_dst_len = addr_is4(&q->dst) ? 32 : 128;
	netlink_put_addr(&net->m, RTA_DST, &q->dst);
	mnl_attr_put_u32(&net->m, RTA_OIF, net->told_ifindex ?: q->oif);
	if (!addr_is_zero(&net->told_via))
		netlink_put_addr(&net->m, RTA_GATEWAY, &net->told_via);
	if (!addr_is_zero(&net->told_source))
		netlink_put_addr(&net->m, RTA_PREFSRC, &net->told_source);
}

/* How many there were. */
static unsigned int answer_questions(struct net *net, bool is_awaited)
{
	struct question *q;
	unsigned int count = 0;

	while ((q = host_next_question(net->host))) {
		build_told(net, q);
		host_question_told(net->host, q, &net->m, is_awaited);
		count++;
	}
	net->asked += count;
	return count;
}

static enum nexthop_result find(struct net *net, const char *text,
				struct nexthop *ret)
{
	const struct addr a = addr(text);
	enum nexthop_result result;
	struct neighbour *b;

	do {
		memset(ret, 0, sizeof(*ret));
		result = host_find(net->host, &a, ret, &b);
	} while (answer_questions(net, false));
	return result;
}

/* The interface that text is reached by; 0: none. */
static __u32 way(struct net *net, const char *text)
{
	struct nexthop hop;

	if (find(net, text, &hop) == NEXTHOP_NONE)
		return 0;
	return net->links[hop.link].user_ifindex;
}

static const struct route_told by1 = {
	.type = RTM_NEWROUTE, .dst = "192.0.2.0", .len = 24,
	.via = { "10.1.0.2" },
};
static const struct route_told by2 = {
	.type = RTM_NEWROUTE, .dst = "192.0.2.0", .len = 24,
	.via = { NULL, "10.2.0.2" },
};

static struct route_told told(struct route_told r, __u16 type, __u16 flags)
{
	r.type = type;
	r.flags = flags;
	return r;
}

static void vlan_sends_by_its_parent_with_its_tag(void **state)
{
	struct net *net = *state;
	const struct link *link;
	struct nexthop hop;

	link_is(net, 1, UP);
	build_vlan(net, 2, 1, ETH_P_8021AD, 100);
	take(net);
	route_is(net, &by2);
	assert_int_equal(find(net, "192.0.2.1", &hop), NEXTHOP_PENDING);
	neighbour_is(net, 2, "10.2.0.2", NUD_REACHABLE, 7);
	assert_int_equal(find(net, "192.0.2.1", &hop), NEXTHOP_FOUND);
	assert_int_equal(hop.mac[5], 7);
	link = &net->links[hop.link];
	assert_int_equal(link->ifindex, 1);
	assert_int_equal(link->user_ifindex, 2);
	assert_int_equal(link->vlan_proto, htons(ETH_P_8021AD));
	assert_int_equal(link->vlan_id, htons(100));
	assert_int_equal(link->mac[5], 2);
}

static void vlan_without_a_plain_parent_here_is_none(void **state)
{
	struct net *net = *state;

	link_is(net, 1, UP);
	route_is(net, &by2);
	build_vlan(net, 2, 9, ETH_P_8021Q, 100);
	take(net);
	assert_int_equal(way(net, "192.0.2.1"), 0);
	build_vlan(net, 3, 1, ETH_P_8021Q, 7);
	take(net);
	build_vlan(net, 2, 3, ETH_P_8021Q, 100);
	take(net);
	assert_int_equal(way(net, "192.0.2.1"), 0);
	build_vlan(net, 2, 1, ETH_P_8021Q, 100);
	mnl_attr_put_u32(&net->m, IFLA_LINK_NETNSID, 0);
	take(net);
	assert_int_equal(way(net, "192.0.2.1"), 0);
	build_vlan(net, 2, 1, ETH_P_8021Q, 100);
	take(net);
	assert_int_equal(way(net, "192.0.2.1"), 2);
}

static void only_neighbours_with_a_mac_are_found(void **state)
{
	static const __u16 good[] = { NUD_REACHABLE, NUD_STALE, NUD_DELAY,
				      NUD_PROBE, NUD_PERMANENT, NUD_NOARP };
	static const __u16 bad[] = { NUD_NONE, NUD_INCOMPLETE, NUD_FAILED };
	struct net *net = *state;
	struct nexthop hop;
	size_t i;

	link_is(net, 1, UP);
	route_is(net, &by1);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		neighbour_is(net, 1, "10.1.0.2", good[i], 1);
		assert_int_equal(find(net, "192.0.2.1", &hop), NEXTHOP_FOUND);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		neighbour_is(net, 1, "10.1.0.2", bad[i], 1);
		assert_int_equal(find(net, "192.0.2.1", &hop),
				 NEXTHOP_PENDING);
		assert_int_equal(hop.mac[0], 0);
	}
}

static void only_what_alters_an_answer_is_a_change(void **state)
{
	struct net *net = *state;
	struct nexthop hop;

	link_is(net, 1, UP);
	route_is(net, &by1);
	assert_true(host_changed(net->host));
	assert_false(host_changed(net->host));
	route_is(net, &by1);
	link_is(net, 1, UP);
	neighbour_is(net, 1, "10.1.0.2", NUD_REACHABLE, 1);
	neighbour_is(net, 1, "10.1.0.3", NUD_REACHABLE, 1);
	assert_false(host_changed(net->host));
	find(net, "192.0.2.1", &hop);
	neighbour_is(net, 1, "10.1.0.2", NUD_STALE, 1);
	neighbour_is(net, 1, "10.1.0.3", NUD_STALE, 2);
	assert_false(host_changed(net->host));
	neighbour_is(net, 1, "10.1.0.2", NUD_STALE, 2);
	assert_true(host_changed(net->host));
	find(net, "192.0.2.1", &hop);
	neighbour_is(net, 1, "10.1.0.2", NUD_FAILED, 2);
	assert_true(host_changed(net->host));
}

static void source_is_the_first_lasting_address(void **state)
{
	const struct addr none = {}, first = addr("10.1.0.5");
	const struct addr old = addr("10.1.0.4"), six = addr("2001:db8::2");
	struct net *net = *state;
	struct nexthop hop;

	link_is(net, 1, UP);
	route_is(net, &by1);
	find(net, "192.0.2.1", &hop);
	address_is(net, 1, "10.1.0.4", IFA_F_DEPRECATED);
	address_is(net, 2, "10.2.0.1", 0);
	address_is(net, 1, "2001:db8::1", IFA_F_TENTATIVE);
	assert_memory_equal(&net->links[1].addr4, &old, sizeof(old));
	assert_memory_equal(&net->links[1].addr6, &none, sizeof(none));
	address_is(net, 1, "10.1.0.5", 0);
	address_is(net, 1, "10.1.0.3", 0);
	address_is(net, 1, "2001:db8::2", IFA_F_TEMPORARY);
	assert_memory_equal(&net->links[1].addr4, &first, sizeof(first));
	assert_memory_equal(&net->links[1].addr6, &six, sizeof(six));
	build_addr(net, RTM_DELADDR, 1, "10.1.0.5", 0);
	take(net);
	assert_true(host_is_stale(net->host));
	assert_false(host_is_local(net->host, &first));
	assert_true(host_is_local(net->host, &old));
}

static void address_that_is_not_checked_yet_is_not_the_hosts(void **state)
{
	static const __u32 not_yet[] = { IFA_F_TENTATIVE,
					 IFA_F_TENTATIVE | IFA_F_DADFAILED,
					 IFA_F_DADFAILED };
	const struct addr a = addr("2001:db8::1");
	struct net *net = *state;

	link_is(net, 1, UP);
	for (size_t i = 0; i < sizeof(not_yet) / sizeof(not_yet[0]); i++) {
		address_is(net, 1, "2001:db8::1", not_yet[i]);
		assert_false(host_is_local(net->host, &a));
	}
	host_changed(net->host);
	address_is(net, 1, "2001:db8::1", IFA_F_TENTATIVE | IFA_F_OPTIMISTIC);
	assert_true(host_is_local(net->host, &a));
	assert_true(host_changed(net->host));
	address_is(net, 1, "2001:db8::1", IFA_F_DEPRECATED);
	assert_true(host_is_local(net->host, &a));
}

static void uplinks_and_their_vlans_have_entries(void **state)
{
	const __u32 uplinks[] = { 1 };
	struct net *net = *state;

	link_is(net, 1, UP);
	link_is(net, 5, UP);
	build_vlan(net, 2, 1, ETH_P_8021Q, 100);
	take(net);
	build_vlan(net, 6, 5, ETH_P_8021Q, 100);
	take(net);
	host_set_uplinks(net->host, uplinks, 1);
	assert_int_equal(net->links[1].user_ifindex +
			 net->links[2].user_ifindex, 3);
	assert_int_equal(net->links[3].user_ifindex, 0);
	host_changed(net->host);

	build_vlan(net, 3, 1, ETH_P_8021AD, 7);
	take(net);
	assert_true(host_changed(net->host));
	assert_int_equal(net->links[3].user_ifindex, 3);
	assert_int_equal(net->links[3].ifindex, 1);
	assert_int_equal(net->links[3].vlan_id, htons(7));
	address_is(net, 3, "10.3.0.1", 0);
	assert_int_equal(net->links[3].addr4.word[3], htonl(0x0a030001));
}

/* A restart reads IPv6 addresses newest first. */
static void source_of_an_entry_stays_while_it_may(void **state)
{
	const struct addr old = addr("2001:db8::1"), new = addr("2001:db8::2");
	struct net *net = *state;

	net->links[1] = (struct link){ .ifindex = 1, .user_ifindex = 1,
				       .addr6 = old };
	link_is(net, 1, UP);
	address_is(net, 1, "2001:db8::2", 0);
	address_is(net, 1, "2001:db8::1", 0);
	host_adopt_links(net->host);
	assert_memory_equal(&net->links[1].addr6, &old, sizeof(old));
	address_is(net, 1, "2001:db8::1", IFA_F_DEPRECATED);
	assert_memory_equal(&net->links[1].addr6, &new, sizeof(new));
}

static bool is_not(void *arg, const struct addr *a)
{
	return addr_compare(arg, a);
}

static void another_source_is_of_the_same_subnet(void **state)
{
	struct addr vip = addr("10.2.0.9"), found;
	const struct addr want = addr("10.2.0.1"), far = addr("10.1.0.1");
	const struct addr_test test = { is_not, &vip };
	const __u32 uplinks[] = { 1 };
	struct net *net = *state;

	link_is(net, 1, UP);
	host_set_uplinks(net->host, uplinks, 1);
	assert_false(host_source_like(net->host, 1, &vip, &test, &found));
	address_is(net, 1, "10.2.0.9", 0);
	assert_false(host_source_like(net->host, 1, &vip, &test, &found));
	address_is(net, 1, "2001:db8::1", 0);
	address_is(net, 1, "10.1.0.1", 0);
	assert_true(host_source_like(net->host, 1, &vip, &test, &found));
	assert_memory_equal(&found, &far, sizeof(far));
	address_is(net, 1, "10.2.0.1", 0);
	assert_true(host_source_like(net->host, 1, &vip, &test, &found));
	assert_memory_equal(&found, &want, sizeof(want));
}

static void default_uplinks_are_those_of_both_families(void **state)
{
	struct route_told r = {
		.type = RTM_NEWROUTE, .dst = "0.0.0.0", .len = 0,
		.via = { "10.1.0.2", "10.2.0.2" },
	};
	struct net *net = *state;
	__u32 list[4];

	link_is(net, 1, UP);
	link_is(net, 2, UP);
	link_is(net, 3, UP);
	assert_int_equal(host_default_uplinks(net->host, list, 4), 0);
	route_is(net, &r);
	assert_int_equal(host_default_uplinks(net->host, list, 4), 2);
	r = (struct route_told){
		.type = RTM_NEWROUTE, .dst = "::", .len = 0,
		.via = { NULL, NULL, "fe80::1" },
	};
	route_is(net, &r);
	r.via[1] = "fe80::2";
	r.via[2] = NULL;
	r.metric = 100;
	route_is(net, &r);
	assert_int_equal(host_default_uplinks(net->host, list, 4), 3);
	assert_int_equal(list[0] * 100 + list[1] * 10 + list[2], 123);
	assert_int_equal(host_default_uplinks(net->host, list, 2), 2);
	link_is(net, 3, 0);
	assert_int_equal(host_default_uplinks(net->host, list, 4), 2);
}

static const struct link *link_to(struct net *net, const char *text)
{
	struct nexthop hop;

	assert_int_not_equal(find(net, text, &hop), NEXTHOP_NONE);
	return &net->links[hop.link];
}

static void assert_source4(struct net *net, const char *to, const char *wanted)
{
	const struct addr a = addr(wanted);

	assert_memory_equal(&link_to(net, to)->addr4, &a, sizeof(a));
}

/* RTA_PREFSRC: asks nobody. */
static void source_of_a_route_has_an_entry_of_its_own(void **state)
{
	const struct addr source = addr("10.1.0.9");
	struct route_told r = by1;
	struct net *net = *state;
	const struct link *own, *l;

	link_is(net, 1, UP);
	address_is(net, 1, "10.1.0.1", 0);
	address_is(net, 1, "10.1.0.9", 0);
	net->told_source = addr("10.1.0.1");
	route_is(net, &r);
	r.dst = "198.51.100.0";
	build_route(net, &r);
	netlink_put_addr(&net->m, RTA_PREFSRC, &source);
	take(net);
	own = link_to(net, "192.0.2.1");
	l = link_to(net, "198.51.100.1");
	assert_ptr_not_equal(own, l);
	assert_source4(net, "192.0.2.1", "10.1.0.1");
	assert_source4(net, "198.51.100.1", "10.1.0.9");
	assert_int_equal(l->source_of, 4);
	assert_int_equal(own->source_of, 0);
	assert_int_equal(l->user_ifindex, 1);
	assert_int_equal(l->mtu, 1500);
	assert_ptr_equal(link_to(net, "198.51.100.2"), l);
	/* both follow the interface */
	build_link(net, RTM_NEWLINK, 1, UP);
	mnl_attr_put_u32(&net->m, IFLA_MTU, 1400);
	take(net);
	assert_int_equal(own->mtu, 1400);
	assert_int_equal(l->mtu, 1400);
	assert_source4(net, "198.51.100.1", "10.1.0.9");
}

static void build_route_with_mtu(struct net *net, const struct route_told *r,
				 __u32 mtu)
{
	struct nlattr *metrics;

	build_route(net, r);
	metrics = mnl_attr_nest_start(&net->m, RTA_METRICS);
	mnl_attr_put_u32(&net->m, RTAX_ADVMSS, 77);
	mnl_attr_put_u32(&net->m, RTAX_MTU, mtu);
	mnl_attr_nest_end(&net->m, metrics);
}

static void mtu_of_a_route_is_known(void **state)
{
	const struct addr a = addr("192.0.2.1"), b = addr("2001:db8::1");
	const struct route_told v6 = {
		.type = RTM_NEWROUTE, .dst = "2001:db8::", .len = 64,
		.via = { "fe80::1" },
	};
	struct net *net = *state;

	link_is(net, 1, UP);
	assert_int_equal(host_mtu(net->host, &a), 0);
	route_is(net, &by1);
	assert_int_equal(host_mtu(net->host, &a), 0);
	host_changed(net->host);
	build_route_with_mtu(net, &by1, 1400);
	net->m.nlmsg_flags |= NLM_F_REPLACE;
	take(net);
	assert_true(host_changed(net->host));
	assert_int_equal(host_mtu(net->host, &a), 1400);
	build_route_with_mtu(net, &v6, 1280);
	take(net);
	assert_int_equal(host_mtu(net->host, &b), 1280);
	build_route_with_mtu(net, &by1, 1400);
	net->m.nlmsg_type = RTM_DELROUTE;
	take(net);
	assert_int_equal(host_mtu(net->host, &a), 0);
}

/* One question for all that go by one gateway; none for what is known. */
static void source_is_asked_once_a_gateway(void **state)
{
	struct net *net = *state;

	link_is(net, 1, UP);
	net->told_source = addr("203.0.113.7");
	route_is(net, &by1);
	assert_source4(net, "192.0.2.1", "203.0.113.7");
	assert_source4(net, "192.0.2.99", "203.0.113.7");
	assert_int_equal(net->asked, 1);
	/* what it may depend on has changed */
	net->told_source = addr("203.0.113.8");
	address_is(net, 1, "203.0.113.8", 0);
	assert_source4(net, "192.0.2.1", "203.0.113.8");
	assert_int_equal(net->asked, 2);
}

/* The kernel weighs destinations of IPv6 by how much of one of our addresses
 * they share, no further than its prefix. */
static void sources_of_ipv6_are_asked_once_a_subnet(void **state)
{
	struct route_told r = {
		.type = RTM_NEWROUTE, .dst = "2001:db8::", .len = 32,
		.via = { "fe80::1" },
	};
	struct net *net = *state;
	struct nexthop hop;

	link_is(net, 1, UP);
	route_is(net, &r);
	find(net, "2001:db8:0:1::1", &hop);
	find(net, "2001:db8:0:1::2", &hop);
	assert_int_equal(net->asked, 1);
	find(net, "2001:db8:0:2::2", &hop);
	assert_int_equal(net->asked, 2);
	build_addr(net, RTM_NEWADDR, 1, "2001:db8:0:1::9", 0);
	((struct ifaddrmsg *)mnl_nlmsg_get_payload(&net->m))->ifa_prefixlen =
		128;
	take(net);
	find(net, "2001:db8:0:1::1", &hop);
	find(net, "2001:db8:0:1::2", &hop);
	assert_int_equal(net->asked, 4);
}

static void what_waits_for_an_answer_is_pending(void **state)
{
	const struct addr a = addr("192.0.2.1");
	struct net *net = *state;
	struct neighbour *b;
	struct nexthop hop;

	link_is(net, 1, UP);
	neighbour_is(net, 1, "10.1.0.2", NUD_STALE, 1);
	route_is(net, &by1);
	host_changed(net->host);
	assert_int_equal(host_find(net->host, &a, &hop, &b), NEXTHOP_PENDING);
	assert_int_equal(host_find(net->host, &a, &hop, &b), NEXTHOP_PENDING);
	assert_false(host_changed(net->host));
	assert_int_equal(answer_questions(net, true), 1);
	assert_true(host_changed(net->host));
	assert_int_equal(host_find(net->host, &a, &hop, &b), NEXTHOP_FOUND);
	/* the old answer holds until there is a new one */
	link_is(net, 2, UP);
	address_is(net, 2, "10.2.0.1", 0);
	assert_int_equal(host_find(net->host, &a, &hop, &b), NEXTHOP_FOUND);
	assert_true(host_has_questions(net->host));
}

static void build_rule(struct net *net, __u16 type, __u32 priority,
		       __u8 table)
{
	struct fib_rule_hdr *header = start(net, type, 0, sizeof(*header));

	header->family = AF_INET;
	header->table = table;
	header->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(&net->m, FRA_TABLE, table);
	mnl_attr_put_u32(&net->m, FRA_PRIORITY, priority);
	mnl_attr_put_u32(&net->m, FRA_SUPPRESS_PREFIXLEN, ~0u);
	mnl_attr_put_u8(&net->m, FRA_PROTOCOL, 2);
}

static void first_rules_are(struct net *net)
{
	build_rule(net, RTM_NEWRULE, 0, RT_TABLE_LOCAL);
	take(net);
	build_rule(net, RTM_NEWRULE, 32766, RT_TABLE_MAIN);
	take(net);
	build_rule(net, RTM_NEWRULE, 32767, RT_TABLE_DEFAULT);
	take(net);
}

static void what_links_and_routes_were_read(struct net *net)
{
	link_is(net, 1, UP);
	link_is(net, 2, UP);
	route_is(net, &by1);
}

/* Where rules are, the kernel says which way; and again when they are gone. */
static void rules_are_left_to_the_kernel(void **state)
{
	struct net *net = *state;
	__u32 selects = htonl(0x01020304);

	host_reading_begin(net->host);
	what_links_and_routes_were_read(net);
	first_rules_are(net);
	host_reading_end(net->host, true);
	net->told_ifindex = 2;
	assert_int_equal(way(net, "192.0.2.1"), 1);

	build_rule(net, RTM_NEWRULE, 100, RT_TABLE_MAIN);
	take(net);
	assert_true(host_is_stale(net->host));
	host_reading_begin(net->host);
	what_links_and_routes_were_read(net);
	first_rules_are(net);
	build_rule(net, RTM_NEWRULE, 100, 100);
	mnl_attr_put_u32(&net->m, FRA_DST, selects);
	take(net);
	host_reading_end(net->host, true);
	assert_int_equal(way(net, "192.0.2.1"), 2);
	assert_true(host_changed(net->host));

	host_reading_begin(net->host);
	what_links_and_routes_were_read(net);
	first_rules_are(net);
	host_reading_end(net->host, true);
	assert_true(host_changed(net->host));
	assert_int_equal(way(net, "192.0.2.1"), 1);
}

/* Uplinks of a VRF: its table is asked, by its interface. */
static void vrf_of_an_uplink_is_where_routes_are_looked_for(void **state)
{
	const __u32 uplinks[] = { 1 };
	struct net *net = *state;
	struct question *q;
	struct neighbour *b;
	struct nexthop hop;
	const struct addr a = addr("192.0.2.1");
	struct nlattr *info;

	build_link(net, RTM_NEWLINK, 7, UP);
	info = mnl_attr_nest_start(&net->m, IFLA_LINKINFO);
	mnl_attr_put_strz(&net->m, IFLA_INFO_KIND, "vrf");
	mnl_attr_nest_end(&net->m, info);
	take(net);
	link_is(net, 2, UP);
	route_is(net, &by2);
	link_is(net, 1, UP);
	host_set_uplinks(net->host, uplinks, 1);
	assert_int_equal(way(net, "192.0.2.1"), 2);
	build_link(net, RTM_NEWLINK, 1, UP);
	mnl_attr_put_u32(&net->m, IFLA_MASTER, 7);
	host_changed(net->host);
	take(net);
	assert_true(host_changed(net->host));
	assert_int_equal(host_find(net->host, &a, &hop, &b), NEXTHOP_PENDING);
	assert_int_equal(hop.link, 0);
	q = host_next_question(net->host);
	assert_non_null(q);
	assert_int_equal(q->oif, 7);
	net->told_ifindex = 1;
	build_told(net, q);
	host_question_told(net->host, q, &net->m, true);
	assert_int_equal(way(net, "192.0.2.1"), 1);
}

/* After a restart, with the numbers that backends have. */
static void entries_of_other_sources_are_adopted(void **state)
{
	const struct addr source = addr("10.1.0.9");
	struct net *net = *state;

	net->links[1] = (struct link){ .ifindex = 1, .user_ifindex = 1,
				       .addr4 = source, .source_of = 4 };
	net->links[3] = (struct link){ .ifindex = 1, .user_ifindex = 1,
				       .addr4 = addr("10.1.0.1") };
	link_is(net, 1, UP);
	address_is(net, 1, "10.1.0.9", 0);
	address_is(net, 1, "10.1.0.1", 0);
	route_is(net, &by1);
	host_adopt_links(net->host);
	net->told_source = source;
	assert_ptr_equal(link_to(net, "192.0.2.1"), &net->links[1]);
	/* the address goes: the entry is nobody's, and found no more */
	build_addr(net, RTM_DELADDR, 1, "10.1.0.9", 0);
	take(net);
	net->told_source = addr("10.1.0.1");
	assert_ptr_equal(link_to(net, "192.0.2.1"), &net->links[3]);
}

static void order_of_equal_ipv4_routes_is_the_kernels(void **state)
{
	const struct route_told append2 = told(by2, RTM_NEWROUTE, NLM_F_APPEND);
	const struct route_told gone1 = told(by1, RTM_DELROUTE, 0);
	const struct route_told by2_first = told(by2, RTM_NEWROUTE, 0);
	const struct route_told replace = told(by2, RTM_NEWROUTE,
					       NLM_F_REPLACE);
	struct net *net = *state;

	link_is(net, 1, UP);
	link_is(net, 2, UP);
	route_is(net, &by1);
	route_is(net, &append2);
	assert_int_equal(way(net, "192.0.2.1"), 1);
	route_is(net, &gone1);
	assert_int_equal(way(net, "192.0.2.1"), 2);
	route_is(net, &by1);
	assert_int_equal(way(net, "192.0.2.1"), 1);
	/* Which of two is replaced the message does not say. */
	assert_false(host_is_stale(net->host));
	route_is(net, &replace);
	assert_true(host_is_stale(net->host));

	host_reading_begin(net->host);
	link_is(net, 1, UP);
	link_is(net, 2, UP);
	route_is(net, &by2_first);
	host_reading_end(net->host, true);
	assert_int_equal(way(net, "192.0.2.1"), 2);
	assert_false(host_is_stale(net->host));
}

static void ipv6_route_gains_and_loses_hops(void **state)
{
	struct route_told r = {
		.type = RTM_NEWROUTE, .dst = "2001:db8:2::", .len = 48,
		.via = { "fe80::1" },
	};
	struct net *net = *state;

	link_is(net, 1, UP);
	link_is(net, 2, UP);
	route_is(net, &r);
	r.via[1] = "fe80::2";
	r.flags = NLM_F_APPEND;
	route_is(net, &r);
	r.type = RTM_DELROUTE;
	r.via[1] = NULL;
	route_is(net, &r);
	assert_int_equal(way(net, "2001:db8:2::1"), 2);
	r.via[0] = NULL;
	r.via[1] = "fe80::2";
	route_is(net, &r);
	assert_int_equal(way(net, "2001:db8:2::1"), 0);
}

static void hop_of_a_link_that_is_down_is_passed_over(void **state)
{
	struct route_told wide = by2;
	struct net *net = *state;

	wide.len = 16;
	wide.dst = "192.0.0.0";
	link_is(net, 1, UP);
	link_is(net, 2, UP);
	route_is(net, &by1);
	route_is(net, &wide);
	assert_int_equal(way(net, "192.0.2.1"), 1);
	link_is(net, 1, 0);
	assert_true(host_is_stale(net->host));
	assert_int_equal(way(net, "192.0.2.1"), 2);
}

static void reading_forgets_what_it_does_not_mention(void **state)
{
	const struct addr a = addr("10.1.0.1");
	struct net *net = *state;

	link_is(net, 1, UP);
	address_is(net, 1, "10.1.0.1", 0);
	route_is(net, &by1);
	host_reading_begin(net->host);
	host_reading_end(net->host, false);
	assert_true(host_is_stale(net->host));
	assert_true(host_is_local(net->host, &a));
	assert_int_equal(way(net, "192.0.2.1"), 1);

	host_reading_begin(net->host);
	link_is(net, 1, UP);
	host_reading_end(net->host, true);
	assert_false(host_is_stale(net->host));
	assert_false(host_is_local(net->host, &a));
	assert_int_equal(way(net, "192.0.2.1"), 0);
	assert_int_equal(host_ifindex(net->host, "link1"), 1);
}

static void entries_of_an_earlier_process_are_kept(void **state)
{
	struct net *net = *state;

	net->links[1] = (struct link){ .ifindex = 77, .user_ifindex = 77 };
	net->links[3] = (struct link){ .ifindex = 1, .user_ifindex = 1 };
	link_is(net, 1, UP);
	link_is(net, 2, UP);
	host_adopt_links(net->host);
	assert_int_equal(net->links[3].mtu, 1500);
	route_is(net, &by1);
	assert_int_equal(way(net, "192.0.2.1"), 1);
	assert_int_equal(net->links[2].ifindex, 0);
	route_is(net, &(struct route_told){ .type = RTM_NEWROUTE, .len = 24,
					    .dst = "198.51.100.0",
					    .via = { NULL, "10.2.0.2" } });
	assert_int_equal(way(net, "198.51.100.1"), 2);
	assert_int_equal(net->links[2].user_ifindex, 2);
	assert_int_equal(net->links[1].ifindex, 77);
}

/* A cut message in memory of just its size: the sanitizer watches. */
static void take_cut(struct net *net, __u32 size)
{
	struct nlmsghdr *cut = malloc(size);

	assert_non_null(cut);
	memcpy(cut, net->bytes, size);
	cut->nlmsg_len = size;
	assert_int_equal(host_take(net->host, cut), 0);
	free(cut);
}

static void take_all_cuts(struct net *net)
{
	__u32 size;

	for (size = sizeof(net->m); size <= net->m.nlmsg_len; size++)
		take_cut(net, size);
}

static void message_cut_short_anywhere_does_no_harm(void **state)
{
	struct net *net = *state;
	struct route_told r = by1;

	build_vlan(net, 2, 1, ETH_P_8021Q, 100);
	take_all_cuts(net);
	build_addr(net, RTM_NEWADDR, 1, "2001:db8::1", 0);
	take_all_cuts(net);
	build_neighbour(net, 1, "10.1.0.2", NUD_STALE, 1);
	take_all_cuts(net);
	r.via[1] = "10.2.0.2";
	build_route(net, &r);
	take_all_cuts(net);
	r = told(r, RTM_DELROUTE, 0);
	build_route(net, &r);
	take_all_cuts(net);
}

static void message_with_any_byte_altered_does_no_harm(void **state)
{
	struct net *net = *state;
	struct route_told r = by1;
	__u32 i, value;

	r.via[1] = "10.2.0.2";
	for (value = 0; value < 256; value += 15) {
		build_route(net, &r);
		for (i = sizeof(net->m); i < net->m.nlmsg_len; i++) {
			build_route(net, &r);
			net->bytes[i] = value;
			take_cut(net, net->m.nlmsg_len);
		}
		build_vlan(net, 2, 1, ETH_P_8021Q, 100);
		for (i = sizeof(net->m); i < net->m.nlmsg_len; i++) {
			build_vlan(net, 2, 1, ETH_P_8021Q, 100);
			net->bytes[i] = value;
			take_cut(net, net->m.nlmsg_len);
		}
	}
}

static void add_many_routes(struct net *net)
{
	struct route_told r = by1;
	char text[32];
	int i;

	r.dst = text;
	for (i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "10.%d.%d.0", i % 250, i % 8 * 32);
		r.len = 19 + i % 14;
		route_is(net, &r);
	}
	r.len = 0;
	snprintf(text, sizeof(text), "0.0.0.0");
	route_is(net, &r);
}

/* The longest way that a look-up in t has to go. */
static unsigned int longest_chain(const struct hash_table *t)
{
	unsigned int longest = 0, len;

	for (__u32 i = 0; i <= t->mask; i++) {
		len = 0;
		for (const struct node *b = t->buckets[i]; b; b = b->next)
			len++;
		if (len > longest)
			longest = len;
	}
	return longest;
}

/* An answer costs a look-up for each length of prefix that there is, and one
 * each for address, interface and neighbour: records read are counted, as
 * time says more of the machine. With at most one record for each bucket, 16
 * in one are a matter of 1 in 10^8. */
static void an_answer_reads_few_records_of_many(void **state)
{
	struct net *net = *state;
	struct addr a = addr("10.0.0.0");
	struct neighbour *b;
	struct nexthop ret;
	char text[32];

	link_is(net, 1, UP);
	neighbour_is(net, 1, "10.1.0.2", NUD_STALE, 1);
	add_many_routes(net);
	for (__u32 i = 0; i < 4000; i++) {
		snprintf(text, sizeof(text), "11.0.%u.%u", i >> 8, i & 255);
		address_is(net, 1, text, 0);
		neighbour_is(net, 1, text, NUD_STALE, 1);
		a.word[3] = htonl(0x0a000000 + i * 4175);
		assert_false(host_is_local(net->host, &a));
		while (host_find(net->host, &a, &ret, &b) == NEXTHOP_PENDING)
			assert_true(answer_questions(net, false));
	}
	assert_in_range(longest_chain(&net->host->routes), 1, 15);
	assert_in_range(longest_chain(&net->host->addresses), 1, 15);
	assert_in_range(longest_chain(&net->host->neighbours), 1, 15);
}

/* Whose MAC address frames may have that come in by an interface. */
static bool takes(struct net *net, __u32 ifindex, __u32 whose, int vlan)
{
	const __u8 mac[ETH_ALEN] = { 2, 0, 0, 0, 0, whose };
	__u16 number = vlan < 0 ? (int)INGRESS_ANY_VLAN : vlan;

	return words_find(net->ingress, INGRESS_BUCKETS,
			  ingress_mac_word(ifindex, mac_number(mac), number));
}

static void build_on(struct net *net, __u32 ifindex, __u32 lower,
		     const char *kind)
{
	struct nlattr *info;

	build_link(net, RTM_NEWLINK, ifindex, UP);
	mnl_attr_put_u32(&net->m, IFLA_LINK, lower);
	info = mnl_attr_nest_start(&net->m, IFLA_LINKINFO);
	mnl_attr_put_strz(&net->m, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(&net->m, info);
}

static void extra_mac_is(struct net *net, __u16 type, __u32 ifindex,
			 __u32 whose, __u8 flags)
{
	struct ndmsg *header = start(net, type, 0, sizeof(*header));
	const __u8 mac[ETH_ALEN] = { 2, 0, 0, 0, 0, whose };

	header->ndm_family = AF_BRIDGE;
	header->ndm_ifindex = ifindex;
	header->ndm_state = NUD_PERMANENT;
	header->ndm_flags = flags;
	mnl_attr_put(&net->m, NDA_LLADDR, sizeof(mac), mac);
	take(net);
}

/* 1: an interface; 2: VLAN 7 on it; 3: a macvlan on that; 4: VLAN 8 on 1. */
static void vlans_take_their_mac_addresses_in_their_vlan_alone(void **state)
{
	struct net *net = *state;

	host_set_ingress(net->host, net->ingress);
	link_is(net, 1, UP);
	build_vlan(net, 2, 1, ETH_P_8021Q, 7);
	take(net);
	build_on(net, 3, 2, "macvlan");
	take(net);
	build_vlan(net, 4, 1, ETH_P_8021Q, 8);
	take(net);
	/* the kernel has all in the list of 1, without their VLANs */
	for (__u32 whose = 2; whose <= 4; whose++)
		extra_mac_is(net, RTM_NEWNEIGH, 1, whose, NTF_SELF);
	host_update_ingress(net->host);
	assert_true(takes(net, 1, 1, -1));
	for (__u32 whose = 2; whose <= 4; whose++) {
		assert_int_equal(takes(net, 1, whose, 7), whose != 4);
		assert_int_equal(takes(net, 1, whose, 8), whose == 4);
		assert_false(takes(net, 1, whose, 0));
		assert_false(takes(net, 1, whose, -1));
	}
	assert_true(takes(net, 2, 1, -1));
	assert_true(takes(net, 2, 3, -1));
	assert_false(takes(net, 2, 4, -1));
}

static void only_mac_addresses_of_its_own_are_added(void **state)
{
	struct net *net = *state;

	host_set_ingress(net->host, net->ingress);
	link_is(net, 1, UP);
	build_on(net, 3, 1, "veth");	/* the other end, not one below */
	take(net);
	extra_mac_is(net, RTM_NEWNEIGH, 1, 5, NTF_SELF);
	extra_mac_is(net, RTM_NEWNEIGH, 1, 6, NTF_MASTER); /* a bridge's */
	extra_mac_is(net, RTM_NEWNEIGH, 9, 7, NTF_SELF); /* of nobody */
	host_update_ingress(net->host);
	assert_false(takes(net, 1, 3, -1));
	assert_true(takes(net, 1, 5, -1));
	assert_false(takes(net, 1, 6, -1));
	assert_false(takes(net, 9, 7, -1));
	extra_mac_is(net, RTM_DELNEIGH, 1, 5, NTF_SELF);
	host_update_ingress(net->host);
	assert_false(takes(net, 1, 5, -1));
}

/* A bond, 1, of 2 and 3, with VLAN 7, 4, on it: a ring, too, comes to an
 * end. */
static void ports_take_what_is_sent_to_their_bond(void **state)
{
	struct net *net = *state;

	host_set_ingress(net->host, net->ingress);
	build_on(net, 1, 4, "bond");
	take(net);
	build_vlan(net, 4, 1, ETH_P_8021Q, 7);
	take(net);
	for (__u32 port = 2; port <= 3; port++) {
		build_link(net, RTM_NEWLINK, port, UP);
		mnl_attr_put_u32(&net->m, IFLA_MASTER, 1);
		take(net);
	}
	host_update_ingress(net->host);
	for (__u32 port = 2; port <= 3; port++) {
		assert_true(takes(net, port, 1, -1));
		assert_true(takes(net, port, 4, 7));
		assert_false(takes(net, port, 5 - port, -1));
		assert_true(takes(net, 1, port, -1));
	}
	build_on(net, 5, 6, "macvlan");
	take(net);
	build_on(net, 6, 5, "macvlan");
	take(net);
	host_update_ingress(net->host);
	assert_true(takes(net, 5, 6, -1));
}

/* The host's end of a veth; master: 0, or a bridge's. */
static void pod_is(struct net *net, __u32 ifindex, bool is_elsewhere,
		   __u32 master)
{
	build_on(net, ifindex, 1, "veth");
	if (is_elsewhere)
		mnl_attr_put_u32(&net->m, IFLA_LINK_NETNSID, 0);
	if (master)
		mnl_attr_put_u32(&net->m, IFLA_MASTER, master);
	take(net);
}

static void pods_are(struct net *net, const __u32 *want, size_t count)
{
	__u32 found[LINKS];
	size_t got = host_pods(net->host, found, LINKS);

	assert_int_equal(got, count);
	for (size_t i = 0; i < count; i++) {
		bool is_there = false;

		for (size_t j = 0; j < got; j++)
			is_there |= found[j] == want[i];
		assert_true(is_there);
	}
}

#define expect_pods(net, ...) do {					\
	const __u32 want_[] = { __VA_ARGS__ };				\
	pods_are(net, want_, sizeof(want_) / sizeof(*want_));		\
} while (0)

/* 1 the uplink, 2 a bridge; of the veths, 6 has both of its ends here. */
static void pods_are_known_by_what_they_are(void **state)
{
	const struct pod_match veths = {}, ports = { .bridge = "link2" };
	const struct pod_match names = { .prefix = "link5" };
	struct net *net = *state;
	const __u32 uplink = 1;

	pod_is(net, 1, true, 0);
	build_on(net, 2, 0, "bridge");
	take(net);
	pod_is(net, 3, true, 0);
	pod_is(net, 4, true, 2);
	pod_is(net, 5, false, 0);
	pod_is(net, 6, false, 2);
	host_set_uplinks(net->host, &uplink, 1);
	pods_are(net, NULL, 0);
	host_set_pods(net->host, &veths);
	expect_pods(net, 3, 4);
	host_set_pods(net->host, &ports);
	expect_pods(net, 4, 6);
	host_set_pods(net->host, &names);
	expect_pods(net, 5);
	host_set_pods(net->host, NULL);
	pods_are(net, NULL, 0);
}

static void a_pod_that_comes_or_goes_is_a_change(void **state)
{
	const struct pod_match veths = {};
	struct net *net = *state;

	host_set_pods(net->host, &veths);
	host_changed(net->host);
	pod_is(net, 3, true, 0);
	assert_true(host_changed(net->host));
	expect_pods(net, 3);
	assert_true(host_reaches_pods(net->host, 3));
	build_link(net, RTM_DELLINK, 3, 0);
	take(net);
	assert_true(host_changed(net->host));
	pods_are(net, NULL, 0);
	assert_false(host_reaches_pods(net->host, 3));
}

static void a_bridge_reaches_the_pods_at_its_ports(void **state)
{
	const struct pod_match veths = {};
	struct net *net = *state;

	host_set_pods(net->host, &veths);
	build_on(net, 2, 0, "bridge");
	take(net);
	assert_false(host_reaches_pods(net->host, 2));
	pod_is(net, 4, true, 2);
	assert_true(host_reaches_pods(net->host, 2));
}

/* The interface's entry, by the pods' veth; XDP has it if it is an uplink's. */
static void xdp_sends_by_uplinks_alone_where_pods_are(void **state)
{
	const struct pod_match veths = {};
	struct net *net = *state;
	const __u32 uplink = 1;

	link_is(net, 1, UP);
	build_vlan(net, 5, 1, ETH_P_8021Q, 7);
	take(net);
	host_set_uplinks(net->host, &uplink, 1);
	pod_is(net, 3, true, 0);
	host_set_pods(net->host, &veths);
	for (__u32 i = 1; i < LINKS; i++) {
		const struct link *l = &net->links[i];

		if (l->user_ifindex == 1 || l->user_ifindex == 5)
			assert_int_equal(l->ifindex, 1);
		else if (l->user_ifindex)
			assert_int_equal(l->user_ifindex, 3);
		if (l->user_ifindex == 3)
			assert_int_equal(l->ifindex, 0);
	}
	host_set_pods(net->host, NULL);
	for (__u32 i = 1; i < LINKS; i++)
		if (net->links[i].user_ifindex == 3)
			assert_int_equal(net->links[i].ifindex, 3);
}

/* The way back to an entry of links. */
static void links_are_found_by_interface_and_vlan(void **state)
{
	struct net *net = *state;
	struct nexthop ret;

	host_set_ingress(net->host, net->ingress);
	link_is(net, 1, UP);
	build_vlan(net, 2, 1, ETH_P_8021Q, 7);
	take(net);
	host_update_ingress(net->host);
	route_is(net, &by2);
	find(net, "192.0.2.1", &ret);
	host_update_ingress(net->host);
	assert_non_null(words_find(net->ingress, INGRESS_BUCKETS,
				   ingress_link_word(1, 7, ret.link)));
	build_link(net, RTM_DELLINK, 2, 0);
	take(net);
	host_update_ingress(net->host);
	assert_null(words_find(net->ingress, INGRESS_BUCKETS,
			       ingress_link_word(1, 7, ret.link)));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(vlan_sends_by_its_parent_with_its_tag),
		CASE(vlan_without_a_plain_parent_here_is_none),
		CASE(only_neighbours_with_a_mac_are_found),
		CASE(only_what_alters_an_answer_is_a_change),
		CASE(source_is_the_first_lasting_address),
		CASE(address_that_is_not_checked_yet_is_not_the_hosts),
		CASE(uplinks_and_their_vlans_have_entries),
		CASE(source_of_an_entry_stays_while_it_may),
		CASE(another_source_is_of_the_same_subnet),
		CASE(default_uplinks_are_those_of_both_families),
		CASE(source_of_a_route_has_an_entry_of_its_own),
		CASE(mtu_of_a_route_is_known),
		CASE(source_is_asked_once_a_gateway),
		CASE(sources_of_ipv6_are_asked_once_a_subnet),
		CASE(what_waits_for_an_answer_is_pending),
		CASE(rules_are_left_to_the_kernel),
		CASE(vrf_of_an_uplink_is_where_routes_are_looked_for),
		CASE(entries_of_other_sources_are_adopted),
		CASE(order_of_equal_ipv4_routes_is_the_kernels),
		CASE(ipv6_route_gains_and_loses_hops),
		CASE(hop_of_a_link_that_is_down_is_passed_over),
		CASE(reading_forgets_what_it_does_not_mention),
		CASE(entries_of_an_earlier_process_are_kept),
		CASE(message_cut_short_anywhere_does_no_harm),
		CASE(message_with_any_byte_altered_does_no_harm),
		CASE(an_answer_reads_few_records_of_many),
		CASE(vlans_take_their_mac_addresses_in_their_vlan_alone),
		CASE(only_mac_addresses_of_its_own_are_added),
		CASE(ports_take_what_is_sent_to_their_bond),
		CASE(links_are_found_by_interface_and_vlan),
		CASE(pods_are_known_by_what_they_are),
		CASE(a_pod_that_comes_or_goes_is_a_change),
		CASE(a_bridge_reaches_the_pods_at_its_ports),
		CASE(xdp_sends_by_uplinks_alone_where_pods_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
