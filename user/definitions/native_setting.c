// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The settings of a node: how each is read. model/setting.c has the table. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include <openssl/evp.h>

#include "base/addr.h"
#include "base/endpoint.h"
#include "native.h"

#define HASH_KEY_MIN 16
#define HASH_KEY_MAX 4096

/* A flow's hash fills no more bits of a tunnel's source than it has. */
#define TUNNEL_BITS_MAX 32

/* A list, or its only element without the brackets. */
static const struct tree_node *first_of(const struct tree_node *n)
{
	return n->kind == TREE_SEQUENCE ? n->first : n;
}

static const struct tree_node *next_of(const struct tree_node *list,
				       const struct tree_node *n)
{
	return n == list ? NULL : n->next;
}

static void read_node(struct reader *r, const struct tree_node *n,
		      struct model *m)
{
	const char *text;

	if (value_name(r, n, "node", MODEL_NODE_NAME_MAX, &text))
		m->node = reader_strdup(r, text);
}

static bool read_uplink(struct reader *r, const struct tree_node *n,
			struct model *m)
{
	const char *text;

	if (!value_text(r, n, "uplink", &text))
		return false;
	if (!value_is_link_name(text))
		return reader_error(r, n,
				    "uplink \"%.64s\" is not an interface name",
				    text);
	for (size_t i = 0; i < m->nr_uplinks; i++)
		if (!strcmp(m->uplinks[i], text))
			return reader_error(r, n,
					    "uplink \"%s\" is listed twice",
					    text);
	if (m->nr_uplinks == MODEL_UPLINKS_MAX)
		return reader_error(r, n, "more than %u uplinks",
				    MODEL_UPLINKS_MAX);
	m->uplinks[m->nr_uplinks] = reader_strdup(r, text);
	if (!m->uplinks[m->nr_uplinks])
		return false;
	m->nr_uplinks++;
	return true;
}

static void read_uplinks(struct reader *r, const struct tree_node *list,
			 struct model *m)
{
	const struct tree_node *n = first_of(list);

	for (; n; n = next_of(list, n))
		if (!read_uplink(r, n, m))
			return;
}

/* Half of the key: as numbers, so that every machine hashes alike. */
static bool expand_half(const char *text, char half, __u32 key[static 8])
{
	char input[sizeof("fairlead hash key 0") + HASH_KEY_MAX] =
		"fairlead hash key 0";
	size_t prefix = sizeof("fairlead hash key 0");
	__be32 digest[8];

	input[prefix - 2] = half;
	memcpy(input + prefix, text, strlen(text));
	if (!EVP_Digest(input, prefix + strlen(text), (void *)digest, NULL,
			EVP_sha256(), NULL))
		return false;
	for (int i = 0; i < 8; i++)
		key[i] = ntohl(digest[i]);
	return true;
}

/* The key is a secret: no message repeats it. */
static void read_hash_key(struct reader *r, const struct tree_node *n,
			  struct model *m)
{
	const char *text;

	if (!value_text(r, n, "hash-key", &text))
		return;
	if (n->count < HASH_KEY_MIN || n->count > HASH_KEY_MAX) {
		reader_error(r, n,
			     "hash-key has %u bytes; it needs %u to %u, hard to guess",
			     n->count, HASH_KEY_MIN, HASH_KEY_MAX);
		return;
	}
	if (!expand_half(text, '0', m->hash_key) ||
	    !expand_half(text, '1', m->hash_key + 8)) {
		r->no_memory = true;
		return;
	}
	m->has_hash_key = true;
}

static void read_tunnel_source(struct reader *r, const struct tree_node *list,
			       struct model *m)
{
	const struct tree_node *n = first_of(list);

	for (; n; n = next_of(list, n)) {
		unsigned int len, bits;
		struct addr a, *to;

		if (!value_cidr(r, n, "tunnel-source", &a, &len))
			continue;
		to = addr_is4(&a) ? &m->tunnel4 : &m->tunnel6;
		if (!addr_is_zero(to)) {
			reader_error(r, n,
				     "a second tunnel-source of %s; one of each family is used",
				     addr_is4(&a) ? "IPv4" : "IPv6");
			continue;
		}
		bits = 128 - len;
		if (bits > TUNNEL_BITS_MAX)
			bits = TUNNEL_BITS_MAX;
		*to = a;
		*(addr_is4(&a) ? &m->tunnel4_bits : &m->tunnel6_bits) = bits;
	}
}

static bool read_nat_addr(struct reader *r, const struct tree_node *n,
			  struct addr *list, size_t *count,
			  const struct addr *a)
{
	for (size_t i = 0; i < *count; i++)
		if (!addr_compare(&list[i], a))
			return reader_error(r, n,
					    "nat address \"%s\" is listed twice",
					    n->text);
	if (*count == MODEL_NAT_ADDRS_MAX)
		return reader_error(r, n, "more than %u nat addresses of %s",
				    MODEL_NAT_ADDRS_MAX,
				    addr_is4(a) ? "IPv4" : "IPv6");
	list[(*count)++] = *a;
	return true;
}

static void read_nat_addrs(struct reader *r, const struct tree_node *list,
			   struct model *m)
{
	const struct tree_node *n = first_of(list);
	struct addr a;

	for (; n; n = next_of(list, n)) {
		if (!value_addr(r, n, "nat address", &a))
			continue;
		if (addr_is4(&a))
			read_nat_addr(r, n, m->nat4, &m->nr_nat4, &a);
		else
			read_nat_addr(r, n, m->nat6, &m->nr_nat6, &a);
	}
}

/* Does text name an interface, or begin the names of some? */
static void read_link_name(struct reader *r, const struct tree_node *n,
			   enum setting s, char ret[MODEL_LINK_NAME_MAX + 1])
{
	const char *text;

	if (!value_text(r, n, setting_name(s), &text))
		return;
	if (value_is_link_name(text))
		strcpy(ret, text);
	else
		reader_error(r, n, "%s \"%.64s\" is not an interface name",
			     setting_name(s), text);
}

/* As the API has it: blanks around it and capitals do not count. */
static void read_hostname(struct reader *r, const struct tree_node *n,
			  struct model *m)
{
	const char *text;
	size_t len;

	if (!value_text(r, n, "hostname-override", &text))
		return;
	text += strspn(text, " \t");
	len = strcspn(text, " \t");
	if (!len || len > MODEL_NODE_NAME_MAX ||
	    text[len + strspn(text + len, " \t")]) {
		reader_error(r, n,
			     "hostname-override \"%.64s\" is not a node's name",
			     n->text);
		return;
	}
	for (size_t i = 0; i < len; i++)
		m->hostname_override[i] = tolower((unsigned char)text[i]);
}

static bool read_network(struct reader *r, const struct tree_node *n,
			 const char *what, struct model_prefix *ret)
{
	unsigned int len;

	if (!value_prefix(r, n, what, &ret->addr, &len))
		return false;
	ret->len = len;
	ret->is_set = true;
	return true;
}

/* The first of each family counts. */
static void read_cluster_cidr(struct reader *r, const struct tree_node *list,
			      struct model *m)
{
	const struct tree_node *n = first_of(list);

	for (; n; n = next_of(list, n)) {
		struct model_prefix p = {}, *to;

		if (!read_network(r, n, "cluster-cidr", &p))
			continue;
		to = addr_is4(&p.addr) ? &m->cluster_cidr4 : &m->cluster_cidr6;
		if (!to->is_set)
			*to = p;
	}
}

static void read_networks(struct reader *r, const struct tree_node *list,
			  enum setting s,
			  struct model_prefix to[MODEL_NODEPORT_PREFIXES_MAX],
			  __u32 *count)
{
	const struct tree_node *n = first_of(list);

	for (; n; n = next_of(list, n)) {
		if (*count == MODEL_NODEPORT_PREFIXES_MAX) {
			reader_error(r, n, "more than %u %s",
				     MODEL_NODEPORT_PREFIXES_MAX,
				     setting_name(s));
			return;
		}
		*count += read_network(r, n, setting_name(s), &to[*count]);
	}
}

static void read_nodeport(struct reader *r, const struct tree_node *list,
			  struct model *m)
{
	const struct tree_node *n = first_of(list);

	if (n && n->kind == TREE_SCALAR && !strcmp(n->text, "primary")) {
		if (next_of(list, n))
			reader_error(r, n,
				     "nodeport-addresses: \"primary\" stands alone");
		return;
	}
	read_networks(r, list, SETTING_NODEPORT_ADDRESSES, m->nodeport,
		      &m->nr_nodeport);
}

static void read_detect_local(struct reader *r, const struct tree_node *n,
			      struct model *m)
{
	int i = value_choice(r, n, "detect-local-mode", detect_local_names);

	if (i >= 0)
		m->detect_local = i;
}

/* As kube-proxy has it: an address, with a port or not; "" for nowhere. */
static void read_listen(struct reader *r, const struct tree_node *n,
			const struct setting_spec *spec,
			struct model_listen *ret)
{
	const char *text;
	struct addr addr;
	int port;

	if (!value_text(r, n, spec->name, &text))
		return;
	if (!*text) {
		*ret = (struct model_listen){ .is_set = true, .is_off = true };
		return;
	}
	if (!endpoint_parse(text, &addr, &port)) {
		reader_error(r, n,
			     "%s \"%.64s\" is not an address and port such as \"127.0.0.1:%u\"",
			     spec->name, text, spec->by_default);
		return;
	}
	*ret = (struct model_listen){
		.addr = addr,
		.port = port < 0 ? spec->by_default : (__u32)port,
		.is_set = true,
	};
}

static void read_sockets(struct reader *r, const struct tree_node *n,
			 struct model *m)
{
	int i = value_choice(r, n, "sockets", sockets_names);

	if (i >= 0)
		m->sockets = i;
}

/* "main", or a number; the tables of the kernel's own are not for routes of
 * ours. */
static bool read_announce_table(struct reader *r, const struct tree_node *n,
				__u32 *ret)
{
	const char *text;

	if (n->kind == TREE_SCALAR && value_text(r, n, "table", &text) &&
	    !strcmp(text, "main")) {
		*ret = RT_TABLE_MAIN;
		return true;
	}
	if (!value_number(r, n, "announce: table", 1, UINT32_MAX, ret))
		return false;
	if (*ret != RT_TABLE_LOCAL && *ret != RT_TABLE_DEFAULT)
		return true;
	return reader_error(r, n, "announce: table %u is the kernel's own; take one that no rule reads, such as %u, or \"main\"",
			    *ret, ANNOUNCE_TABLE);
}

/* Not the kernel's own, nor those of daemons that have a number in
 * rtnetlink.h, whose routes would pass for ours. */
static bool read_announce_protocol(struct reader *r,
				   const struct tree_node *n, __u8 *ret)
{
	__u32 number;

	if (!value_number(r, n, "announce: protocol", 1, 255, &number))
		return false;
	if (number <= RTPROT_KEEPALIVED || number == RTPROT_BABEL ||
	    (number >= RTPROT_BGP && number <= RTPROT_EIGRP))
		return reader_error(r, n, "announce: protocol %u has a meaning already: routes of others would pass for ours; take another one, such as %u",
				    number, ANNOUNCE_PROTOCOL);
	*ret = number;
	return true;
}

/* Rounded up; none are some as well. */
static void read_some_seconds(struct reader *r, const struct tree_node *n,
			      const char *what, __u32 *ret)
{
	__u32 ms;

	if (value_ms(r, n, what, 0, SECONDS_MAX * 1000u, &ms))
		*ret = (ms + 999) / 1000;
}

static void read_announce(struct reader *r, const struct tree_node *n,
			  struct model *m)
{
	static const char *const keys[] = { "table", "protocol", "metric",
					    "hold", "linger", "require", NULL };
	static const char *const requires[] = { "any", "all", NULL };
	const struct tree_node *v[6] = {};
	struct model_announce a = {
		.table = ANNOUNCE_TABLE,
		.protocol = ANNOUNCE_PROTOCOL,
		.metric = 100, .hold_s = 10, .linger_s = 10,
	};

	value_keys(r, n, "announce", keys, v);
	if (v[0])
		read_announce_table(r, v[0], &a.table);
	if (v[1])
		read_announce_protocol(r, v[1], &a.protocol);
	if (v[2])
		value_number(r, v[2], "announce: metric", 1,
			     ANNOUNCE_METRIC_DRAINED - 1, &a.metric);
	if (v[3])
		read_some_seconds(r, v[3], "announce: hold", &a.hold_s);
	if (v[4])
		read_some_seconds(r, v[4], "announce: linger", &a.linger_s);
	if (v[5])
		a.require_all = value_choice(r, v[5], "announce: require",
					     requires) == 1;
	m->announce = a;
}

static void read_special(struct reader *r, const struct tree_node *n,
			 enum setting s, struct model *m)
{
	switch (s) {
	case SETTING_NODE:
		return read_node(r, n, m);
	case SETTING_UPLINKS:
		return read_uplinks(r, n, m);
	case SETTING_HASH_KEY:
		return read_hash_key(r, n, m);
	case SETTING_TUNNEL_SOURCE:
		return read_tunnel_source(r, n, m);
	case SETTING_ANNOUNCE:
		return read_announce(r, n, m);
	case SETTING_HOSTNAME_OVERRIDE:
		return read_hostname(r, n, m);
	case SETTING_DETECT_LOCAL:
		return read_detect_local(r, n, m);
	case SETTING_CLUSTER_CIDR:
		return read_cluster_cidr(r, n, m);
	case SETTING_POD_BRIDGE:
		return read_link_name(r, n, s, m->pod_bridge);
	case SETTING_POD_INTERFACES:
		return read_link_name(r, n, s, m->pod_interfaces);
	case SETTING_NODEPORT_ADDRESSES:
		return read_nodeport(r, n, m);
	case SETTING_SOCKETS:
		return read_sockets(r, n, m);
	case SETTING_SOCKET_PODS:
		return read_networks(r, n, s, m->socket_pods,
				     &m->nr_socket_pods);
	default:
		return read_nat_addrs(r, n, m);
	}
}

void native_read_setting(struct reader *r, const struct tree_node *n,
			 enum setting s, struct model *m)
{
	const struct setting_spec *spec = &setting_specs[s];
	__u16 *ports = (void *)((char *)m + spec->offset);
	__u32 number = 0;

	switch (spec->type) {
	case SETTING_IS_SPECIAL:
		read_special(r, n, s, m);
		break;
	case SETTING_IS_NUMBER:
		if (value_number(r, n, spec->name, spec->min, spec->max,
				 &number))
			setting_store(s, m, number);
		break;
	case SETTING_IS_SECONDS:
		if (value_seconds(r, n, spec->name, &number))
			setting_store(s, m, number);
		break;
	case SETTING_IS_PORTS:
		value_port_range(r, n, spec->name, &ports[0], &ports[1]);
		break;
	case SETTING_IS_FLAG:
		value_bool(r, n, spec->name,
			   (bool *)((char *)m + spec->offset));
		break;
	case SETTING_IS_LISTEN:
		read_listen(r, n, spec, (void *)((char *)m + spec->offset));
		break;
	}
}
