// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets of the node's own processes, and of pods that are known to have no
 * proxy: what asks for a service is given a backend when it connects or sends,
 * so that its packets need no translation; and is told of the service where it
 * would be told of the backend. Attached to a cgroup, which all sockets of the
 * machine are in: most are strangers'.
 *
 * What it costs
 *   connect, sendmsg	stranger: 2 array reads (vip_filter, runtime); connect
 *			1 helper call as well
 *			else 2 helper calls, the service table, slot, backend
 *   recvmsg, getpeername	2 and 1 helper calls, which look at what the
 *			socket has with it
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lib/sock.h"

SEC("cgroup/connect4")
int fl_sock_connect4(struct bpf_sock_addr *ctx)
{
	return sock_finish(sock_connect(ctx, false));
}

SEC("cgroup/connect6")
int fl_sock_connect6(struct bpf_sock_addr *ctx)
{
	return sock_finish(sock_connect(ctx, true));
}

SEC("cgroup/sendmsg4")
int fl_sock_sendmsg4(struct bpf_sock_addr *ctx)
{
	return sock_finish(sock_send(ctx, false));
}

SEC("cgroup/sendmsg6")
int fl_sock_sendmsg6(struct bpf_sock_addr *ctx)
{
	return sock_finish(sock_send(ctx, true));
}

SEC("cgroup/recvmsg4")
int fl_sock_recvmsg4(struct bpf_sock_addr *ctx)
{
	return sock_receive(ctx, false);
}

SEC("cgroup/recvmsg6")
int fl_sock_recvmsg6(struct bpf_sock_addr *ctx)
{
	return sock_receive(ctx, true);
}

SEC("cgroup/getpeername4")
int fl_sock_getpeername4(struct bpf_sock_addr *ctx)
{
	return sock_tell_peer(ctx, false);
}

SEC("cgroup/getpeername6")
int fl_sock_getpeername6(struct bpf_sock_addr *ctx)
{
	return sock_tell_peer(ctx, true);
}

char _license[] SEC("license") = "Dual BSD/GPL";
