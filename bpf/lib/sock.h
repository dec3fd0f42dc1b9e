/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs on sockets do. A socket is its own record: what it asked
 * for and what it got stay with it (struct socket_peer) until it is closed.
 * Which backend it gets is decided as for a packet (service.h, decide.h).
 *
 * What cannot be decided here, or would come out otherwise than for packets, is
 * left to these: REASON_NOT_OURS. These programs can be interrupted by XDP's
 * and tc's on their CPU, so nothing here, and nothing that is called, may use
 * scratch.
 */
#ifndef FAIRLEAD_BPF_SOCK_H
#define FAIRLEAD_BPF_SOCK_H

#include <asm-generic/errno.h>

#include <linux/in.h>

#include <fairlead/decide.h>

#include "addr.h"
#include "service.h"

/* The call goes on, with the address that is in ctx by then. */
#define SOCK_GO_ON 1

static __always_inline void sock_get(const struct bpf_sock_addr *ctx,
				     struct addr *ret, const bool v6)
{
	if (!v6) {
		*ret = addr_from4(ctx->user_ip4);
		return;
	}
	ret->word[0] = ctx->user_ip6[0];
	ret->word[1] = ctx->user_ip6[1];
	ret->word[2] = ctx->user_ip6[2];
	ret->word[3] = ctx->user_ip6[3];
}

static __always_inline void sock_set(struct bpf_sock_addr *ctx,
				     const struct addr *a, __be16 port,
				     const bool v6)
{
	if (v6) {
		ctx->user_ip6[0] = a->word[0];
		ctx->user_ip6[1] = a->word[1];
		ctx->user_ip6[2] = a->word[2];
		ctx->user_ip6[3] = a->word[3];
	} else {
		ctx->user_ip4 = a->word[3];
	}
	ctx->user_port = port;
}

/* Can a connection to a backend come from there? */
static __always_inline bool addr_is_known(const struct addr *a)
{
	if (addr_is_mapped(a))
		return a->word[3] && !addr_is_loopback4(a);
	return a->word[0] | a->word[1] | a->word[2];
}

/* The address that the socket is bound to, if it is. */
static __always_inline void sock_bound(const struct bpf_sock_addr *ctx,
				       struct addr *ret, const bool v6)
{
	const struct bpf_sock *sk = ctx->sk;

	if (!sk)
		return;
	if (!v6) {
		*ret = addr_from4(sk->src_ip4);
		return;
	}
	ret->word[0] = sk->src_ip6[0];
	ret->word[1] = sk->src_ip6[1];
	ret->word[2] = sk->src_ip6[2];
	ret->word[3] = sk->src_ip6[3];
}

/* Whose socket is it, by its network namespace? look's client is the address
 * that it is bound to, if it is; then it is what its packets would come from,
 * as far as that is known. False: it is not served. */
static __always_inline bool sock_origin(struct lookup *look, __u64 netns,
					enum origin *ret)
{
	const bool is4 = addr_is_mapped(&look->flow.dst);
	const struct runtime *rt = map_only(runtime);
	const struct socket_pod *pod;

	if (!rt)
		return false;
	if (netns == rt->host_netns) {
		*ret = ORIGIN_NODE;
		if (!addr_is_known(&look->flow.src))
			look->flow.src = is4 ? rt->node4 : rt->node6;
		return true;
	}
	pod = look->flow.proto == IPPROTO_TCP ?
		      bpf_map_lookup_elem(&socket_pods, &netns) : NULL;
	if (!pod)
		return false;
	*ret = ORIGIN_POD;
	look->flow.src = is4 ? pod->addr4 : pod->addr6;
	return true;
}

/* Is look certainly for no service? */
__global int sock_is_strange(struct lookup *look)
{
	return !look || (!(vip_class(look) & (VIP_SERVICE | VIP_NODE)) &&
			 !addr_is_loopback4(&look->flow.dst));
}

/* What ctx asks for, as a packet would; false: certainly for no service. */
static __always_inline bool sock_look(const struct bpf_sock_addr *ctx,
				      struct lookup *look, const bool v6)
{
	const struct runtime *rt = map_only(runtime);

	if (!rt || !rt->host_netns ||
	    (ctx->protocol != IPPROTO_TCP && ctx->protocol != IPPROTO_UDP))
		return false;
	sock_get(ctx, &look->flow.dst, v6);
	look->flow.dport = ctx->user_port;
	look->flow.proto = ctx->protocol;
	look->opens = true;
	if (sock_is_strange(look))
		return false;
	sock_bound(ctx, &look->flow.src, v6);
	return true;
}

/* The node's ports are at 127.0.0.1 too, for the node itself. */
static __always_inline const struct service *
sock_service(const struct lookup *look, enum origin origin)
{
	const struct service *svc;
	__u32 idx;

	if (addr_is_loopback4(&look->flow.dst)) {
		idx = origin == ORIGIN_NODE ?
			      node_port_search(&look->flow.dst,
					       look->flow.dport,
					       look->flow.proto) : 0;
		return idx ? bpf_map_lookup_elem(&services, &idx) : NULL;
	}
	/* all that service_find() does, for less stack */
	idx = service_otherwise(look);
	svc = idx ? bpf_map_lookup_elem(&services, &idx) : NULL;
	if (!svc || svc->flags & SERVICE_VIP || !service_is_node(svc))
		return NULL;
	if (service_is_hosts(svc, look))
		return NULL;
	return svc;
}

/* Would packets be served in the same way, whoever the client is? */
static __always_inline bool sock_may(const struct lookup *look,
				     const struct service *svc,
				     enum origin origin)
{
	const bool is_pods = origin == ORIGIN_POD;

	if (is_pods && svc->flags & SERVICE_NO_SOCKET)
		return false;
	if (!is_pods && !svc->sources && !(svc->flags & SERVICE_AFFINITY))
		return true;
	if (!addr_is_known(&look->flow.src))
		return false;
	return !svc->sources || sources_admit(look, svc->sources);
}

/* Instead of a backend: what is asked for is not to be answered here. */
#define SOCK_NOT_OURS 0xffffffffu

/* A backend out of a set (enum backend_set); 0: there is none. What look was
 * about is gone after that: it is the room for another key. */
static __always_inline __u32 sock_choose(struct lookup *look,
					 const struct service *svc, __u32 set)
{
	struct slot_range range = slots_in(svc, set);
	struct slot slot;

	if (!range.count)
		return 0;
	look->hash = (__u64)bpf_get_prandom_u32() << 32;
	slot = slot_of(look, svc, range);
	return slot_choose(look, svc, set, slot, &look->flow);
}

/* Which backend does a socket of that network namespace get, for what look has?
 * 0: nobody is there; or SOCK_NOT_OURS. Of look only the client's address is
 * left. */
__global __u32 sock_find(struct lookup *look, __u64 netns)
{
	const struct runtime *rt = map_only(runtime);
	const struct service *svc;
	const struct backend *b;
	enum origin origin;
	struct decision d;
	__u32 id;

	if (!look || !rt || !sock_origin(look, netns, &origin))
		return SOCK_NOT_OURS;
	svc = sock_service(look, origin);
	if (!svc || !sock_may(look, svc, origin))
		return SOCK_NOT_OURS;
	d = decide(svc, decide_origin(rt, origin, &look->flow.src));
	id = sock_choose(look, svc, d.set);
	if (!id)
		return d.drops ? SOCK_NOT_OURS : 0;
	b = backend_find(id);
	/* what the node sends comes from an address of its own */
	if (!b || (origin != ORIGIN_NODE &&
		   decision_snat(&d, b, &look->flow.src)))
		return SOCK_NOT_OURS;
	return id;
}

/* False: the backend is no more. */
static __always_inline bool sock_record(const struct bpf_sock_addr *ctx,
					struct socket_peer *p, __u32 id,
					const bool v6)
{
	const struct backend *b = backend_find(id);

	if (!b)
		return false;
	sock_get(ctx, &p->vip, v6);
	p->vport = ctx->user_port;
	p->addr = b->addr;
	p->port = b->port ? b->port : p->vport;
	p->backend = conn_backend_word(id, b->generation);
	return true;
}

/* Of backend_stats, and the request by its reason. Other programs may have
 * interrupted this one between two instructions: not within one. */
static __always_inline void sock_count(__u32 why, __u32 id)
{
	struct counter *c = bpf_map_lookup_elem(&counters, &why);
	struct backend_stats *stats = NULL;

	if (c)
		__sync_fetch_and_add(&c->packets, 1);
	if (id)
		stats = bpf_map_lookup_elem(&backend_stats, &id);
	if (stats)
		__sync_fetch_and_add(&stats->connections, 1);
}

/* The socket gets the backend in place of what it asked for, which p keeps. */
static __always_inline enum reason sock_give(struct bpf_sock_addr *ctx,
					     struct socket_peer *p, __u32 id,
					     const bool v6)
{
	if (!sock_record(ctx, p, id, v6))
		return REASON_NOT_OURS;
	sock_set(ctx, &p->addr, p->port, v6);
	sock_count(REASON_SOCKET, id);
	return REASON_SOCKET;
}

/* What the socket was connected to before is nothing that it asks for now. */
static __always_inline enum reason sock_forget(struct bpf_sock_addr *ctx)
{
	struct socket_peer *p = bpf_sk_storage_get(&socket_peers, ctx->sk,
						   NULL, 0);
	__u64 cookie;

	if (!p || !p->backend)
		return REASON_NOT_OURS;
	p->backend = 0;
	cookie = bpf_get_socket_cookie(ctx);
	bpf_map_delete_elem(&udp_peers, &cookie);
	return REASON_NOT_OURS;
}

/* UDP that is connected to nobody is for user/ to end. */
static __always_inline void sock_keep_udp(struct bpf_sock_addr *ctx,
					  const struct socket_peer *p)
{
	__u64 cookie;

	if (ctx->protocol != IPPROTO_UDP)
		return;
	cookie = bpf_get_socket_cookie(ctx);
	bpf_map_update_elem(&udp_peers, &cookie, p, BPF_ANY);
}

static __always_inline enum reason sock_connect(struct bpf_sock_addr *ctx,
						const bool v6)
{
	struct lookup look = {};
	struct socket_peer *p;
	enum reason why;
	__u32 id = SOCK_NOT_OURS;

	if (sock_look(ctx, &look, v6))
		id = sock_find(&look, bpf_get_netns_cookie(ctx));
	if (id == SOCK_NOT_OURS)
		return sock_forget(ctx);
	if (!id)
		return REASON_NO_BACKEND;
	p = bpf_sk_storage_get(&socket_peers, ctx->sk, NULL,
			       BPF_SK_STORAGE_GET_F_CREATE);
	if (!p)
		return REASON_NOT_OURS;
	why = sock_give(ctx, p, id, v6);
	sock_keep_udp(ctx, p);
	return why;
}

static __always_inline bool peer_asked(const struct socket_peer *p,
				       const struct flow *f)
{
	return p->backend && p->vport == f->dport && addr_eq(&p->vip, &f->dst);
}

/* Where the socket's last datagram to the same place went: that in flows, and
 * one; 0: nowhere, or nobody is there any more. */
__global __u32 flows_find(struct socket_flows *flows, const struct flow *f)
{
	const __u32 mask = CONN_BACKENDS_MAX - 1;
	struct socket_peer *p;

	if (!flows || !f)
		return 0;
	for (int i = 0; i < SOCKET_FLOWS; i++) {
		p = &flows->peer[i];
		if (!peer_asked(p, f))
			continue;
		if (backend_is(backend_find(p->backend & mask), p->backend))
			return i + 1;
		p->backend = 0;
	}
	return 0;
}

static __always_inline enum reason
sock_send_again(struct bpf_sock_addr *ctx, const struct socket_flows *flows,
		__u32 place, const bool v6)
{
	const struct socket_peer *p = &flows->peer[place % SOCKET_FLOWS];

	sock_set(ctx, &p->addr, p->port, v6);
	return REASON_SOCKET;
}

/*
 * A datagram with an address of its own. Of a socket that several threads send
 * by at once, one may find what another is just writing: then an answer seems
 * to come from the wrong one of two services.
 */
static __always_inline enum reason sock_send(struct bpf_sock_addr *ctx,
					     const bool v6)
{
	const __u64 netns = bpf_get_netns_cookie(ctx);
	const struct runtime *rt = map_only(runtime);
	struct socket_flows *flows;
	struct lookup look = {};
	__u32 place, id;

	if (!rt || netns != rt->host_netns || !sock_look(ctx, &look, v6))
		return REASON_NOT_OURS;
	flows = bpf_sk_storage_get(&socket_flows, ctx->sk, NULL,
				   BPF_SK_STORAGE_GET_F_CREATE);
	if (!flows)
		return REASON_NOT_OURS;
	place = flows_find(flows, &look.flow);
	if (place)
		return sock_send_again(ctx, flows, place - 1, v6);
	id = sock_find(&look, netns);
	if (id == SOCK_NOT_OURS)
		return REASON_NOT_OURS;
	if (!id)
		return REASON_NO_BACKEND;
	place = flows->next++ % SOCKET_FLOWS;
	return sock_give(ctx, &flows->peer[place], id, v6);
}

static __always_inline bool peer_is(const struct socket_peer *p,
				    const struct addr *a, __be16 port)
{
	return p->backend && p->port == port && addr_eq(&p->addr, a);
}

/* In place of the backend that is in ctx, what the socket had asked for. */
static __always_inline int sock_tell_peer(struct bpf_sock_addr *ctx,
					  const bool v6)
{
	struct socket_peer *p = bpf_sk_storage_get(&socket_peers, ctx->sk,
						   NULL, 0);
	struct addr a;

	sock_get(ctx, &a, v6);
	if (p && peer_is(p, &a, ctx->user_port))
		sock_set(ctx, &p->vip, p->vport, v6);
	return SOCK_GO_ON;
}

/* Likewise of a datagram that came. */
static __always_inline int sock_receive(struct bpf_sock_addr *ctx,
					const bool v6)
{
	struct socket_flows *flows = bpf_sk_storage_get(&socket_flows, ctx->sk,
							NULL, 0);
	struct socket_peer *p;
	struct addr a;

	sock_get(ctx, &a, v6);
	if (!flows)
		return sock_tell_peer(ctx, v6);
	for (int i = 0; i < SOCKET_FLOWS; i++) {
		p = &flows->peer[i];
		if (!peer_is(p, &a, ctx->user_port))
			continue;
		sock_set(ctx, &p->vip, p->vport, v6);
		return SOCK_GO_ON;
	}
	return sock_tell_peer(ctx, v6);
}

/* What the call comes to; an error is ECONNREFUSED, as after a packet that was
 * answered. */
static __always_inline int sock_finish(enum reason why)
{
	if (why == REASON_NOT_OURS || why == REASON_SOCKET)
		return SOCK_GO_ON;
	sock_count(why, 0);
	bpf_set_retval(-ECONNREFUSED);
	return 0;
}

#endif
