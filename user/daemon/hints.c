// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See hints.h. */
#include <string.h>

#include "base/addr.h"
#include "base/log.h"
#include "hints.h"

/* How many backends a hint is about, and one of them. */
struct found {
	const struct hints *hints;
	unsigned int count[NR_HINTS];
	const struct backend *first[NR_HINTS];
};

static void count(struct found *f, enum hint hint, const struct backend *b)
{
	if (!f->count[hint]++)
		f->first[hint] = b;
}

static void look(void *arg, __u32 index, struct backend *b)
{
	struct found *f = arg;
	const struct hints *h = f->hints;
	const struct link *l = &parts_tables(h->parts)->links[b->hop.link];

	if (b->flags & BACKEND_LOCAL || b->state == BACKEND_LEAVING ||
	    b->state == BACKEND_GONE)
		return;
	if (!b->hop.link)
		count(f, HINT_NO_WAY, b);
	else if (!h->uplinks->is_node && !uplinks_has_link(h->uplinks, l) &&
		 state_is_nat(h->parts->state, b))
		count(f, HINT_NO_UPLINK, b);
	else if (!l->ifindex && !(b->flags & BACKEND_IN_LOCAL) &&
		 state_is_tunnelled(h->parts->state, b))
		count(f, HINT_NO_TUNNEL, b);
}

/* An interface by which its answers would come in, to be named. */
static void say_no_uplink(const struct hints *h, const struct found *f,
			  struct refusal *ret)
{
	const struct backend *b = f->first[HINT_NO_UPLINK];
	const struct link *l = &parts_tables(h->parts)->links[b->hop.link];
	const char *name = nexthops_ifname(h->parts->nexthops, l->user_ifindex);

	refuse(ret, 0, "%u backends of services with NAT are reached by \"%s\" "
	       "or others that are no uplinks, so that their answers are not "
	       "seen: add it to uplinks:",
	       f->count[HINT_NO_UPLINK], name ? name : "?");
}

static void say_no_way(const struct hints *h, const struct found *f,
		       struct refusal *ret)
{
	const struct backend *b = f->first[HINT_NO_WAY];
	char text[ADDR_TEXT_MAX];
	struct nexthop hop;
	const char *why;

	why = nexthops_find(h->parts->nexthops, &b->addr, &hop) ==
			      NEXTHOP_NONE ?
		      "no route there, or none by Ethernet with one VLAN tag" :
		      "no answer from its neighbour yet";
	refuse(ret, 0, "no way is known to %u backends, one of them %s: %s",
	       f->count[HINT_NO_WAY], addr_format(&b->addr, text), why);
}

/* Whoever has asked for it sees no less than without, but not what he wants. */
static void say_no_tunnel(const struct hints *h, const struct found *f,
			  struct refusal *ret)
{
	const struct backend *b = f->first[HINT_NO_TUNNEL];
	const struct link *l = &parts_tables(h->parts)->links[b->hop.link];
	const char *name = nexthops_ifname(h->parts->nexthops, l->user_ifindex);

	refuse(ret, 0, "%u endpoints of services with fairlead.io/forward are "
	       "reached by \"%s\" or others that XDP does not send by: there "
	       "clients are replaced by an address of the node's, as without "
	       "the annotation",
	       f->count[HINT_NO_TUNNEL], name ? name : "?");
}

/* The first uplink that is up and yet gets nothing. */
static void say_no_carrier(const struct hints *h, struct refusal *ret)
{
	const struct nexthops *n = h->parts->nexthops;
	const struct uplink_set *set = &h->uplinks->set;
	__u32 flags;

	for (size_t i = 0; i < set->count && !*ret->text; i++) {
		flags = nexthops_ifflags(n, set->ifindexes[i]);
		if (flags & IFF_UP && !(flags & IFF_RUNNING))
			refuse(ret, 0, "uplink \"%s\" has no carrier: nothing "
			       "comes in by it",
			       nexthops_ifname(n, set->ifindexes[i]));
	}
}

static void say_no_sockets(const struct hints *h, struct refusal *ret)
{
	const char *why = h->sockets->refusal.text;

	if (*why)
		refuse(ret, 0, "this node's own processes are served by packets "
		       "alone, and node ports at 127.0.0.1 are not: %.256s",
		       why);
}

/* The count alone is no news. */
static void tell(struct hints *h, enum hint hint, const struct refusal *now)
{
	const bool is_lasting = *h->found[hint].text && *now->text;

	if (is_lasting && !*h->told[hint].text)
		log_warning(0, "%s", now->text);
	h->told[hint] = is_lasting ? *now : (struct refusal){};
	h->found[hint] = *now;
}

/* As long as nothing changes, what was right is so: no look at it then. */
static void find(struct hints *h, struct found *f)
{
	const unsigned int changes = h->ways->changes;

	if (h->changes == changes)
		return;
	state_each_backend(h->parts->state, look, f);
	if (!f->count[HINT_NO_UPLINK] && !f->count[HINT_NO_WAY] &&
	    !f->count[HINT_NO_TUNNEL])
		h->changes = changes;
}

void hints_check(struct hints *h)
{
	struct refusal now[NR_HINTS] = {};
	struct found f = { .hints = h };

	find(h, &f);
	if (f.count[HINT_NO_UPLINK])
		say_no_uplink(h, &f, &now[HINT_NO_UPLINK]);
	if (f.count[HINT_NO_WAY])
		say_no_way(h, &f, &now[HINT_NO_WAY]);
	if (f.count[HINT_NO_TUNNEL])
		say_no_tunnel(h, &f, &now[HINT_NO_TUNNEL]);
	say_no_carrier(h, &now[HINT_NO_CARRIER]);
	say_no_sockets(h, &now[HINT_NO_SOCKETS]);
	now[HINT_NO_SWEEP] = h->sockets->no_sweep;
	now[HINT_NO_WORKLOAD] = h->enforcing->missing;
	now[HINT_CUT_RULES] = h->enforcing->cut;
	now[HINT_CONTEST] = h->enforcing->contest;
	now[HINT_CLOSED] = h->enforcing->closed;
	now[HINT_GREEDY] = h->enforcing->limits.greedy;
	for (enum hint hint = 0; hint < NR_HINTS; hint++)
		tell(h, hint, &now[hint]);
}
