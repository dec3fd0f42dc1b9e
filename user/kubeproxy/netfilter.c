// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See netfilter.h. Which virtual servers are kube-proxy's: those at an address
 * that is on kube-ipvs0, where it puts the addresses of services; and those at
 * another one of the node's at a port that its ipsets call a node port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/ip_vs.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "netfilter.h"

#define NFT_TABLE "kube-proxy"
#define IPVS_LINK "kube-ipvs0"
#define NR(list) (sizeof(list) / sizeof(*(list)))

/* Room for a question of netfilter's with a name or two. */
typedef char question[256] __attribute__((aligned(8)));

/* Without "KUBE-", or "KUBE-6-" for IPv6. */
static const char *const ipset_names[] = {
	"LOOP-BACK", "CLUSTER-IP", "EXTERNAL-IP", "EXTERNAL-IP-LOCAL",
	"LOAD-BALANCER", "LOAD-BALANCER-FW", "LOAD-BALANCER-LOCAL",
	"LOAD-BALANCER-SOURCE-IP", "LOAD-BALANCER-SOURCE-CIDR",
	"NODE-PORT-TCP", "NODE-PORT-LOCAL-TCP", "NODE-PORT-UDP",
	"NODE-PORT-LOCAL-UDP", "NODE-PORT-SCTP-HASH",
	"NODE-PORT-LOCAL-SCTP-HASH", "HEALTH-CHECK-NODE-PORT", "IPVS-IPS",
};

bool netfilter_is_ipset(const char *name)
{
	char known[2 * IPSET_NAME_MAX];

	for (size_t i = 0; i < NR(ipset_names); i++)
		for (int is6 = 0; is6 < 2; is6++) {
			snprintf(known, sizeof(known), "KUBE-%s%s",
				 is6 ? "6-" : "", ipset_names[i]);
			known[IPSET_NAME_MAX - 1] = '\0';
			if (!strcmp(name, known))
				return true;
		}
	return false;
}

/* Nothing of the kind is in this kernel, or nothing that we may see. */
static int or_none(int err)
{
	return err == -ENOENT || err == -EOPNOTSUPP || err == -EINVAL ||
	       err == -EPROTONOSUPPORT ? 0 : err;
}

static const char *text_of(const struct nlattr *attr)
{
	const char *text = attr ? mnl_attr_get_payload(attr) : NULL;
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	return len && !text[len - 1] ? text : NULL;
}

/* nftables */

static __u8 family_of(const struct nlmsghdr *m)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(m);

	return mnl_nlmsg_get_payload_len(m) < sizeof(*header) ? 0 :
		       header->nfgen_family;
}

/* Those that kube-proxy and the warnings are about. */
static bool is_iptables(const char *table)
{
	return !strcmp(table, "nat") || !strcmp(table, "filter") ||
	       !strcmp(table, "mangle");
}

static int take_table(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[NFTA_TABLE_MAX + 1];
	struct netfilter *n = data;
	const char *name;

	netlink_attrs(m, sizeof(struct nfgenmsg), attrs, NFTA_TABLE_MAX + 1);
	name = text_of(attrs[NFTA_TABLE_NAME]);
	if (!name)
		return 0;
	if (is_iptables(name)) {
		n->has_iptables4 |= family_of(m) == NFPROTO_IPV4;
		n->has_iptables6 |= family_of(m) == NFPROTO_IPV6;
	}
	if (strcmp(name, NFT_TABLE))
		return 0;
	n->has_table4 |= family_of(m) == NFPROTO_IPV4;
	n->has_table6 |= family_of(m) == NFPROTO_IPV6;
	return 0;
}

static int take_chain(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[NFTA_CHAIN_MAX + 1];
	struct netfilter *n = data;
	const char *name;

	netlink_attrs(m, sizeof(struct nfgenmsg), attrs, NFTA_CHAIN_MAX + 1);
	name = text_of(attrs[NFTA_CHAIN_NAME]);
	n->has_nft_chains |= name && !strcmp(name, "KUBE-SERVICES");
	return 0;
}

static int nft_dump(struct netfilter *n, __u8 message, netlink_fn take)
{
	question buffer = {};
	struct nlmsghdr *m = netlink_netfilter(buffer, NFNL_SUBSYS_NFTABLES,
					       message, NFPROTO_UNSPEC,
					       NLM_F_DUMP);
	int err;

	/* who changes rules meanwhile makes it say so: what was read is read */
	err = netlink_ask(n->netlink, m, take, n);
	return err == -EINTR ? 0 : or_none(err);
}

static int nft_find(struct netfilter *n)
{
	return nft_dump(n, NFT_MSG_GETTABLE, take_table) ?:
	       nft_dump(n, NFT_MSG_GETCHAIN, take_chain);
}

static int nft_remove(struct netfilter *n, __u8 family)
{
	question buffer = {};
	struct nlmsghdr *m = netlink_netfilter(buffer, NFNL_SUBSYS_NFTABLES,
					       NFT_MSG_DELTABLE, family, 0);

	mnl_attr_put_strz(m, NFTA_TABLE_NAME, NFT_TABLE);
	return netlink_commit(n->netlink, m);
}

/* ipset */

static struct nlmsghdr *ipset_ask(char *buffer, enum ipset_cmd command,
				  __u16 flags, const char *name)
{
	struct nlmsghdr *m = netlink_netfilter(buffer, NFNL_SUBSYS_IPSET,
					       command, AF_INET, flags);

	mnl_attr_put_u8(m, IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL_MIN);
	if (name)
		mnl_attr_put_strz(m, IPSET_ATTR_SETNAME, name);
	return m;
}

static int take_ipset(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[IPSET_ATTR_CMD_MAX + 1];
	struct netfilter *n = data;
	const char *name;

	netlink_attrs(m, sizeof(struct nfgenmsg), attrs,
		      IPSET_ATTR_CMD_MAX + 1);
	name = text_of(attrs[IPSET_ATTR_SETNAME]);
	if (name && netfilter_is_ipset(name) && n->nr_ipsets < IPSETS_MAX)
		snprintf(n->ipsets[n->nr_ipsets++], IPSET_NAME_MAX, "%s",
			 name);
	return 0;
}

static int ipsets_find(struct netfilter *n)
{
	question buffer = {};
	struct nlmsghdr *m = ipset_ask(buffer, IPSET_CMD_LIST, NLM_F_DUMP,
				       NULL);

	mnl_attr_put_u32(m, IPSET_ATTR_FLAGS, htonl(IPSET_FLAG_LIST_SETNAME));
	return or_none(netlink_ask(n->netlink, m, take_ipset, n));
}

/* Each element of a set has a port, or it is not what we look for. */
static int take_ports(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[IPSET_ATTR_CMD_MAX + 1];
	const struct nlattr *element;
	__u8 *ports = data;
	__u16 port;

	netlink_attrs(m, sizeof(struct nfgenmsg), attrs,
		      IPSET_ATTR_CMD_MAX + 1);
	if (!attrs[IPSET_ATTR_ADT])
		return 0;
	mnl_attr_for_each_nested(element, attrs[IPSET_ATTR_ADT]) {
		const struct nlattr *of[IPSET_ATTR_ADT_MAX + 1];

		netlink_nested(element, of, IPSET_ATTR_ADT_MAX + 1);
		if (!netlink_u16(of[IPSET_ATTR_PORT], &port))
			continue;
		port = ntohs(port);
		ports[port / 8] |= 1 << port % 8;
	}
	return 0;
}

static int node_ports_find(struct netfilter *n)
{
	const struct { const char *name; __u8 *ports; } sets[] = {
		{ "NODE-PORT-TCP", n->tcp_ports },
		{ "NODE-PORT-UDP", n->udp_ports },
		{ "NODE-PORT-SCTP-HASH", n->sctp_ports },
	};
	int err = 0;

	for (size_t i = 0; i < n->nr_ipsets && !err; i++)
		for (size_t j = 0; j < NR(sets) && !err; j++) {
			const char *name = n->ipsets[i] + strlen("KUBE-");
			question buffer = {};

			name += 2 * !strncmp(name, "6-", 2);
			if (strcmp(name, sets[j].name))
				continue;
			err = or_none(netlink_ask(n->netlink,
				ipset_ask(buffer, IPSET_CMD_LIST, NLM_F_DUMP,
					  n->ipsets[i]),
				take_ports, sets[j].ports));
		}
	return err;
}

static int ipset_remove(struct netfilter *n, const char *name)
{
	question buffer = {};

	return netlink_ask(n->netlink,
			   ipset_ask(buffer, IPSET_CMD_DESTROY, 0, name),
			   NULL, NULL);
}

/* IPVS */

struct addresses {
	__u32 ifindex;
	struct addr *list;	/* owned */
	size_t count;
	bool no_memory;
};

static int take_address(const struct nlmsghdr *m, void *data)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[IFA_MAX + 1];
	struct addresses *a = data;
	struct addr *list, addr;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*header) ||
	    header->ifa_index != a->ifindex)
		return 0;
	netlink_attrs(m, sizeof(*header), attrs, IFA_MAX + 1);
	if (!netlink_addr(attrs[IFA_LOCAL] ?: attrs[IFA_ADDRESS],
			  header->ifa_family, &addr))
		return 0;
	list = realloc(a->list, (a->count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	a->list = list;
	a->list[a->count++] = addr;
	return 0;
}

static bool has_port(const struct netfilter *n, const struct virtual_server *v)
{
	const __u8 *ports = v->protocol == IPPROTO_TCP	? n->tcp_ports :
			    v->protocol == IPPROTO_UDP	? n->udp_ports :
							  n->sctp_ports;
	__u16 port = ntohs(v->port);

	return ports[port / 8] >> port % 8 & 1;
}

static bool server_addr(const struct virtual_server *v, struct addr *ret)
{
	return netlink_addr_in(v->addr, v->family == AF_INET ? 4 : 16,
			       v->family, ret);
}

static bool is_kube_proxys(const struct netfilter *n,
			   const struct addresses *a,
			   const struct virtual_server *v)
{
	struct addr addr;

	if (!server_addr(v, &addr))
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!addr_compare(&a->list[i], &addr))
			return true;
	return has_port(n, v);
}

struct servers {
	struct netfilter *netfilter;
	const struct addresses *addresses;
};

static int take_server(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[IPVS_CMD_ATTR_MAX + 1];
	const struct nlattr *of[IPVS_SVC_ATTR_MAX + 1];
	struct servers *s = data;
	struct netfilter *n = s->netfilter;
	struct virtual_server v = {}, *list;

	netlink_attrs(m, GENL_HDRLEN, attrs, IPVS_CMD_ATTR_MAX + 1);
	if (!attrs[IPVS_CMD_ATTR_SERVICE])
		return 0;
	netlink_nested(attrs[IPVS_CMD_ATTR_SERVICE], of,
		       IPVS_SVC_ATTR_MAX + 1);
	if (!netlink_u16(of[IPVS_SVC_ATTR_AF], &v.family) ||
	    !netlink_u16(of[IPVS_SVC_ATTR_PROTOCOL], &v.protocol) ||
	    !netlink_u16(of[IPVS_SVC_ATTR_PORT], &v.port) ||
	    !of[IPVS_SVC_ATTR_ADDR] ||
	    mnl_attr_get_payload_len(of[IPVS_SVC_ATTR_ADDR]) > sizeof(v.addr))
		return 0;
	memcpy(v.addr, mnl_attr_get_payload(of[IPVS_SVC_ATTR_ADDR]),
	       mnl_attr_get_payload_len(of[IPVS_SVC_ATTR_ADDR]));
	if (!is_kube_proxys(n, s->addresses, &v))
		return 0;
	list = realloc(n->servers, (n->nr_servers + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	n->servers = list;
	n->servers[n->nr_servers++] = v;
	return 0;
}

static struct nlmsghdr *ipvs_ask(char *buffer, __u16 family, __u8 command,
				 __u16 flags)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(m,
							sizeof(*header));

	m->nlmsg_type = family;
	m->nlmsg_flags = flags;
	header->cmd = command;
	header->version = IPVS_GENL_VERSION;
	return m;
}

static int servers_find(struct netfilter *n, const struct addresses *a)
{
	__cleanup(netlink_closep) struct netlink *generic = NULL;
	struct servers s = { n, a };
	question buffer = {};
	__u16 family;
	int err = netlink_open_generic(&generic);

	if (err)
		return err;
	if (netlink_family(generic, IPVS_GENL_NAME, &family))
		return 0;	/* there is no IPVS */
	return netlink_ask(generic, ipvs_ask(buffer, family,
					     IPVS_CMD_GET_SERVICE, NLM_F_DUMP),
			   take_server, &s);
}

/* kube-ipvs0 is what tells that there was an IPVS mode. */
static int ipvs_find(struct netfilter *n)
{
	__cleanup(netlink_closep) struct netlink *route = NULL;
	struct addresses a = { .ifindex = if_nametoindex(IPVS_LINK) };
	int err;

	n->ipvs0 = a.ifindex;
	if (!a.ifindex)
		return 0;
	err = netlink_open(0, &route) ?:
	      netlink_dump(route, RTM_GETADDR, AF_UNSPEC, take_address, &a) ?:
	      servers_find(n, &a);
	free(a.list);
	return err;
}

static int server_remove(struct netlink *generic, __u16 family,
			 const struct virtual_server *v)
{
	question buffer = {};
	struct nlmsghdr *m = ipvs_ask(buffer, family, IPVS_CMD_DEL_SERVICE, 0);
	struct nlattr *nest = mnl_attr_nest_start(m, IPVS_CMD_ATTR_SERVICE);

	mnl_attr_put_u16(m, IPVS_SVC_ATTR_AF, v->family);
	mnl_attr_put_u16(m, IPVS_SVC_ATTR_PROTOCOL, v->protocol);
	mnl_attr_put(m, IPVS_SVC_ATTR_ADDR, sizeof(v->addr), v->addr);
	mnl_attr_put_u16(m, IPVS_SVC_ATTR_PORT, v->port);
	mnl_attr_nest_end(m, nest);
	return netlink_ask(generic, m, NULL, NULL);
}

static int servers_remove(struct netfilter *n)
{
	__cleanup(netlink_closep) struct netlink *generic = NULL;
	__u16 family;
	int err = netlink_open_generic(&generic) ?:
		  netlink_family(generic, IPVS_GENL_NAME, &family);

	for (size_t i = 0; i < n->nr_servers && !err; i++)
		err = server_remove(generic, family, &n->servers[i]);
	return err;
}

static int link_remove(__u32 ifindex)
{
	__cleanup(netlink_closep) struct netlink *route = NULL;
	question buffer = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(m,
							sizeof(*header));

	m->nlmsg_type = RTM_DELLINK;
	header->ifi_index = ifindex;
	return netlink_open(0, &route) ?: netlink_ask(route, m, NULL, NULL);
}

/* all of it */

int netfilter_find(struct netfilter *n)
{
	int err;

	*n = (struct netfilter){};
	err = netlink_open_netfilter(&n->netlink);
	if (err == -EPROTONOSUPPORT)
		return 0;	/* a kernel without netfilter */
	return err ?: nft_find(n) ?: ipsets_find(n) ?: node_ports_find(n) ?:
		      ipvs_find(n);
}

void netfilter_clear(struct netfilter *n)
{
	netlink_close(n->netlink);
	free(n->servers);
}

void netfilter_list(const struct netfilter *n, FILE *out)
{
	if (n->has_table4)
		fputs("nftables: table ip " NFT_TABLE "\n", out);
	if (n->has_table6)
		fputs("nftables: table ip6 " NFT_TABLE "\n", out);
	for (size_t i = 0; i < n->nr_ipsets; i++)
		fprintf(out, "ipset: %s\n", n->ipsets[i]);
	if (n->nr_servers)
		fprintf(out, "IPVS: %zu virtual servers\n", n->nr_servers);
	if (n->ipvs0)
		fputs("interface: " IPVS_LINK "\n", out);
}

/* 0 stays 0; what is gone by itself is as good. */
static int tried(int err, int before, const char *what, FILE *said)
{
	if (!err || err == -ENOENT || err == -ENODEV)
		return before;
	fprintf(said, "cannot remove %s: %s\n", what, strerror(-err));
	return before ?: err;
}

/* Servers before the interface that says whose they are: who is interrupted
 * can do it again. Sets after the rules that use them, which are iptables'. */
int netfilter_remove(struct netfilter *n, FILE *said)
{
	int err = 0;

	if (n->has_table4)
		err = tried(nft_remove(n, NFPROTO_IPV4), err,
			    "nftables' table ip " NFT_TABLE, said);
	if (n->has_table6)
		err = tried(nft_remove(n, NFPROTO_IPV6), err,
			    "nftables' table ip6 " NFT_TABLE, said);
	if (n->nr_servers)
		err = tried(servers_remove(n), err, "IPVS' virtual servers",
			    said);
	if (n->ipvs0 && !err)
		err = tried(link_remove(n->ipvs0), err,
			    "the interface " IPVS_LINK, said);
	for (size_t i = 0; i < n->nr_ipsets; i++)
		err = tried(ipset_remove(n, n->ipsets[i]), err, n->ipsets[i],
			    said);
	return err;
}
