// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See daemon/sockets.h. */
#include <errno.h>
#include <string.h>

#include <fairlead/conn.h>

#include "base/addr.h"
#include "base/log.h"
#include "host/sockets.h"
#include "sockets.h"

#define SOCKET_HOOKS_MAX (2 * NR_DP_HOOKS)
#define SWEEPS 2	/* what was just connecting is found by the second */

static void open_cgroup(struct sockets *s)
{
	int err = s->cgroup ? 0 : dp_cgroup_open(s->parts->dp, s->cgroup_root,
						 &s->cgroup);

	if (err == -ENOENT && !s->cgroup_root)
		refuse(&s->refusal, err, "no cgroup of version 2 is mounted");
	else if (err == -EXDEV)
		refuse(&s->refusal, err, "the cgroup that is mounted is but this "
		       "container's: have the node's mounted in its place");
	else if (err == -EINVAL)
		refuse(&s->refusal, err, "\"%s\" is no cgroup of version 2",
		       s->cgroup_root ?: "?");
	else if (err)
		refuse(&s->refusal, err, "cannot open the cgroup \"%s\": %s",
		       s->cgroup_root ?: "of all processes", strerror(-err));
}

static void attach(struct sockets *s)
{
	char text[DP_ATTACH_TEXT_MAX];
	int err;

	for (int hook = 0; hook < NR_DP_HOOKS && !*s->refusal.text; hook++) {
		if (dp_hook_need(hook) != DP_NEED_SOCKET)
			continue;
		err = dp_attach(s->parts->dp, hook, s->cgroup);
		if (!err)
			continue;
		refuse(&s->refusal, err, "cannot attach %s to a cgroup: %s",
		       dp_hook_name(hook), dp_attach_text(hook, 0, err, text));
		s->cgroup = 0;	/* it may be gone, and another one there */
	}
}

/* From all cgroups but one: an earlier daemon may have had another. */
static void detach_others(struct sockets *s, __u32 cgroup)
{
	struct dp_attachment list[SOCKET_HOOKS_MAX];
	int count = dp_sockets(s->parts->dp, list, SOCKET_HOOKS_MAX);

	for (int i = 0; i < count && i < SOCKET_HOOKS_MAX; i++)
		if (list[i].ifindex != cgroup)
			dp_detach(s->parts->dp, list[i].hook, list[i].ifindex);
}

static void serve_netns(struct sockets *s, __u64 cookie)
{
	struct runtime *rt = parts_tables(s->parts)->runtime;

	if (rt->host_netns != cookie)
		__atomic_store_n(&rt->host_netns, cookie, __ATOMIC_RELEASE);
}

static void attach_all(struct sockets *s)
{
	struct refusal before = s->refusal;

	s->refusal = (struct refusal){};
	open_cgroup(s);
	if (!*s->refusal.text)
		attach(s);
	if (*s->refusal.text && strcmp(before.text, s->refusal.text))
		log_warning(0, "sockets are not served, packets are: %s",
			    s->refusal.text);
}

void sockets_begin(struct sockets *s, const struct model *m)
{
	bool is_node = model_has_node(m) || (m->is_partial && s->are_wanted);

	if (!is_node || m->sockets == SOCKETS_OFF)
		return;
	s->are_wanted = true;
	attach_all(s);
}

void sockets_settle(struct sockets *s, const struct model *m)
{
	if (m->sockets != SOCKETS_OFF && model_has_node(m)) {
		serve_netns(s, sockets_netns());
		socket_pods_set(&s->pods, m);
		detach_others(s, s->cgroup);
		return;
	}
	if (m->sockets != SOCKETS_OFF && m->is_partial)
		return;
	s->are_wanted = false;
	s->refusal = s->no_sweep = (struct refusal){};
	serve_netns(s, 0);
	socket_pods_set(&s->pods, NULL);
	detach_others(s, 0);
}

/* As backend_is() in bpf/lib/service.h has it. */
static bool is_there(const struct tables *t, __u32 word)
{
	__u32 id = word & (CONN_BACKENDS_MAX - 1);
	const struct backend *b = &t->backends[id];

	return id < t->nr_backends && b->state >= BACKEND_ACTIVE &&
	       b->state <= BACKEND_LEAVING &&
	       (__u8)b->generation == word >> CONN_BACKEND_BITS;
}

/* Is it connected yet to what it was given, and is that no more? */
static bool is_stale(void *arg, const struct connected *c)
{
	const struct parts *parts = arg;
	struct socket_peer p;

	return !dp_udp_peer(parts->dp, c->cookie, &p) && p.port == c->port &&
	       !addr_compare(&p.addr, &c->to) &&
	       !is_there(parts_tables(parts), p.backend);
}

static void sweep(struct sockets *s)
{
	struct refusal before = s->no_sweep;
	int count = sockets_close(is_stale, (void *)s->parts);

	s->no_sweep = (struct refusal){};
	if (count > 0)
		log_debug("%d sockets were connected to a backend that is "
			  "gone", count);
	if (count >= 0 || count == -EINTR)
		return;
	refuse(&s->no_sweep, count, "UDP sockets whose backend is gone cannot "
	       "be closed: %s", count == -ENOENT ?
	       "this kernel lacks udp_diag" : strerror(-count));
	if (strcmp(before.text, s->no_sweep.text))
		log_warning(0, "%s", s->no_sweep.text);
}

void sockets_sweep(struct sockets *s)
{
	if (!s->are_wanted)
		return;
	s->sweeps = SWEEPS;
	sweep(s);
	s->sweeps--;
}

void sockets_check(struct sockets *s)
{
	if (!s->are_wanted)
		return;
	attach_all(s);
	socket_pods_follow(&s->pods);
	if (s->sweeps) {
		s->sweeps--;
		sweep(s);
	}
}
