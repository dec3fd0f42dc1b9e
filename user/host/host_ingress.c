// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which MAC addresses are this host's, at which interface and in which VLAN:
 * the set that the datapath tells frames of others by. Made anew whenever the
 * interfaces change, so that nothing is in it twice or too long; what is in
 * both the old and the new one is never out of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "base/log.h"
#include "base/netlink.h"
#include "host_private.h"
#include "model/words.h"

/* VLANs on bonds on VLANs: an end, should the kernel tell of a ring. */
#define DEPTH_MAX 8

struct update {
	struct host *h;
	__u8 wanted[INGRESS_BUCKETS];	/* a bit for each word of a bucket */
	bool is_full;
};

void host_set_ingress(struct host *h, struct word_bucket *ingress)
{
	h->ingress = ingress;
	h->is_ingress_old = ingress;
}

static void put(struct update *u, __u64 word)
{
	__u64 *at = words_put(u->h->ingress, INGRESS_BUCKETS, word);
	size_t place = at - u->h->ingress->word;

	if (at)
		u->wanted[place / WORD_WAYS] |= 1 << place % WORD_WAYS;
	else
		u->is_full = true;
}

static bool has_mac(const struct iface *i)
{
	return i->mac_len == ETH_ALEN;
}

/* At interface at, frames in vlan (host order) to mac are ours. */
static void put_mac(struct update *u, const struct iface *at, const __u8 *mac,
		    __u16 vlan)
{
	if (has_mac(at))
		put(u, ingress_mac_word(at->ifindex, mac_number(mac), vlan));
}

static void put_link(struct update *u, const struct iface *i)
{
	__u32 ifindex = i->vlan_proto ? i->lower : i->ifindex;

	if (i->entry)
		put(u, ingress_link_word(ifindex, ntohs(i->vlan_id), i->entry));
}

static bool is_port_of(const struct iface *port, const struct iface *master)
{
	return master->role == IFACE_ON_PORTS &&
	       port->master == master->ifindex;
}

static void descend(struct update *u, const struct iface *on, const __u8 *mac,
		    __u16 vlan, int depth);

static void descend_to(struct update *u, const struct iface *i,
		       const __u8 *mac, __u16 vlan, int depth)
{
	put_mac(u, i, mac, vlan);
	if (depth < DEPTH_MAX)
		descend(u, i, mac, vlan, depth + 1);
}

/*
 * What is sent to mac comes in by each interface that on is on top of. The
 * tag that is seen there is the lowest VLAN's.
 */
static void descend(struct update *u, const struct iface *on, const __u8 *mac,
		    __u16 vlan, int depth)
{
	const struct iface *lower = iface_find(u->h, on->lower);
	const struct hash_table *all = &u->h->ifaces;
	const struct node *node;

	if (on->vlan_proto)
		vlan = ntohs(on->vlan_id);
	if (lower)
		descend_to(u, lower, mac, vlan, depth);
	if (on->role != IFACE_ON_PORTS)
		return;
	for (__u32 b = 0; b <= all->mask; b++)
		for (node = all->buckets[b]; node; node = node->next)
			if (is_port_of((const struct iface *)node, on))
				descend_to(u, (const struct iface *)node, mac,
					   vlan, depth);
}

/* The kernel takes at a VLAN what is sent to the interface below, and at a
 * bridge or a bond what is sent to its ports. */
static void put_macs_below(struct update *u, const struct iface *i)
{
	const struct iface *lower = iface_find(u->h, i->lower);
	const struct iface *master = iface_find(u->h, i->master);

	if (i->vlan_proto && lower && has_mac(lower))
		put_mac(u, i, lower->mac, INGRESS_ANY_VLAN);
	if (master && is_port_of(i, master))
		put_mac(u, master, i->mac, INGRESS_ANY_VLAN);
}

static void put_iface(struct update *u, const struct iface *i)
{
	const __u32 ready = IFF_UP | IFF_RUNNING;

	put_link(u, i);
	if (!has_mac(i))
		return;
	put_mac(u, i, i->mac, INGRESS_ANY_VLAN);
	put_macs_below(u, i);
	/* a virtual router that another host has now is down here */
	if (i->role != IFACE_ENDS && (i->flags & ready) == ready)
		descend(u, i, i->mac, INGRESS_ANY_VLAN, 0);
}

static bool is_some_iface(const struct host *h, const __u8 *mac)
{
	const struct hash_table *all = &h->ifaces;
	const struct iface *i;

	for (__u32 b = 0; b <= all->mask; b++) {
		for (struct node *node = all->buckets[b]; node;
		     node = node->next) {
			i = (const struct iface *)node;
			if (has_mac(i) && !memcmp(i->mac, mac, ETH_ALEN))
				return true;
		}
	}
	return false;
}

/* The kernel lists there what is on top as well, without its VLAN and whether
 * it is up: put_iface() knows better. */
static void put_extra(struct update *u, const struct extra_mac *e)
{
	const struct iface *at = iface_find(u->h, e->ifindex);

	if (at && !is_some_iface(u->h, e->mac))
		put_mac(u, at, e->mac, INGRESS_ANY_VLAN);
}

static void put_all(struct update *u)
{
	const struct hash_table *t = &u->h->ifaces;

	u->is_full = false;
	for (__u32 b = 0; b <= t->mask; b++)
		for (struct node *n = t->buckets[b]; n; n = n->next)
			put_iface(u, (const struct iface *)n);
	t = &u->h->extra_macs;
	for (__u32 b = 0; b <= t->mask; b++)
		for (struct node *n = t->buckets[b]; n; n = n->next)
			put_extra(u, (const struct extra_mac *)n);
}

static void drop_others(struct update *u)
{
	struct word_bucket *set = u->h->ingress;

	for (__u32 b = 0; b < INGRESS_BUCKETS; b++)
		for (int i = 0; i < WORD_WAYS; i++)
			if (set[b].word[i] && !(u->wanted[b] >> i & 1))
				words_drop(&set[b].word[i]);
}

static void tell_full(struct host *h)
{
	if (h->is_ingress_full_told)
		return;
	h->is_ingress_full_told = true;
	log_error(0, "this host has more MAC addresses than can be kept "
		     "apart (%u): what is sent to some of them is not balanced",
		  INGRESS_BUCKETS * WORD_WAYS);
}

void host_update_ingress(struct host *h)
{
	struct update *u;

	if (!h->ingress || !h->is_ingress_old)
		return;
	u = calloc(1, sizeof(*u));
	if (!u)
		return;		/* stays old: again at the next message */
	u->h = h;
	put_all(u);
	drop_others(u);
	if (u->is_full)
		put_all(u);	/* there is more room now */
	if (u->is_full)
		tell_full(h);
	h->is_ingress_old = false;
	free(u);
}

static struct extra_mac *mac_find(const struct host *h,
				  const struct extra_mac *like)
{
	struct node *node = *table_bucket(&h->extra_macs, like->node.hash);
	struct extra_mac *e;

	for (; node; node = node->next) {
		e = (struct extra_mac *)node;
		if (e->ifindex == like->ifindex &&
		    !memcmp(e->mac, like->mac, ETH_ALEN))
			return e;
	}
	return NULL;
}

/* False: none that the interface takes for itself. Others are what a bridge
 * has learned, groups, and the far ends of a tunnel (NDA_DST). */
static bool mac_read(const struct nlmsghdr *m, struct extra_mac *ret)
{
	const struct ndmsg *header = mnl_nlmsg_get_payload(m);
	const struct nlattr *attrs[NDA_MAX + 1];
	const __u8 *mac;

	netlink_attrs(m, sizeof(*header), attrs, NDA_MAX + 1);
	if (!(header->ndm_flags & NTF_SELF) ||
	    !(header->ndm_state & NUD_PERMANENT) || attrs[NDA_DST] ||
	    !attrs[NDA_LLADDR] ||
	    mnl_attr_get_payload_len(attrs[NDA_LLADDR]) != ETH_ALEN)
		return false;
	mac = mnl_attr_get_payload(attrs[NDA_LLADDR]);
	*ret = (struct extra_mac){ .ifindex = header->ndm_ifindex };
	memcpy(ret->mac, mac, ETH_ALEN);
	ret->node.hash = hash_mix(mac_number(mac) ^ ret->ifindex);
	return !(mac[0] & 1);
}

int host_take_mac(struct host *h, const struct nlmsghdr *m)
{
	struct extra_mac *e, new;

	if (!mac_read(m, &new))
		return 0;
	e = mac_find(h, &new);
	if (m->nlmsg_type == RTM_DELNEIGH) {
		if (e)
			table_remove(&h->extra_macs, &e->node);
		h->is_ingress_old |= e != NULL;
		return 0;
	}
	if (!e) {
		e = malloc(sizeof(*e));
		if (!e)
			return -ENOMEM;
		*e = new;
		table_add(&h->extra_macs, &e->node);
		h->is_ingress_old = true;
	}
	e->node.reading = h->reading;
	return 0;
}

static void sweep_mac(struct host *h, struct node *node)
{
	if (node->reading == h->reading)
		return;
	table_remove(&h->extra_macs, node);
	h->is_ingress_old = true;
}

void host_sweep_macs(struct host *h)
{
	table_each(h, &h->extra_macs, sweep_mac);
}
