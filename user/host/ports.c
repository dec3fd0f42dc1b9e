// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See ports.h. */
#include <stdbool.h>

#include "base/sysctl.h"
#include "ports.h"

#define FIRST 1024
#define LAST 65535

/* What listens on most nodes (overlays, kubelet, etcd, the API server) has
 * ports below: where NAT has none of them either, a packet for it is told from
 * an answer by its port alone. If that leaves enough. */
#define NODE_FIRST 11000
#define ENOUGH 4096

/* By default (--service-node-port-range of kube-apiserver). */
static const struct port_range node_ports = { 30000, 32767 };

static int length(struct port_range r)
{
	return r.last - r.first + 1;
}

/* from .. to, ints as either may lie outside of all ports. */
static void try_run(int from, int to, struct port_range *best)
{
	from = from < FIRST ? FIRST : from;
	to = to > LAST ? LAST : to;
	if (to - from + 1 > length(*best))
		*best = (struct port_range){ from, to };
}

static struct port_range left_from(int first, struct port_range local)
{
	const bool is_first = local.first < node_ports.first;
	struct port_range low = is_first ? local : node_ports;
	struct port_range high = is_first ? node_ports : local;
	struct port_range best = { FIRST, FIRST };
	int end = low.last > high.last ? low.last : high.last;

	try_run(first, low.first - 1, &best);
	try_run(low.last + 1, high.first - 1, &best);
	try_run(end + 1, LAST, &best);
	return best;
}

struct port_range ports_left(struct port_range local)
{
	struct port_range best = left_from(NODE_FIRST, local);

	return length(best) < ENOUGH ? left_from(FIRST, local) : best;
}

/* The kernel's default where it does not tell. */
static struct port_range local_ports(void)
{
	int range[2];

	if (sysctl_read("net/ipv4/ip_local_port_range", range, 2))
		return (struct port_range){ 32768, 60999 };
	return (struct port_range){ range[0], range[1] };
}

void ports_settle(struct model *m)
{
	struct port_range range;

	if (m->nat_port_first != FIRST || m->nat_port_last != LAST)
		return;
	if (!model_has_node(m) && !m->is_partial)
		return;
	range = ports_left(local_ports());
	if (length(range) == 1)
		return;
	m->nat_port_first = range.first;
	m->nat_port_last = range.last;
}
