// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Keeps fragments that came before their first one, for a second at most, and
 * sends each through fl_xdp again (BPF_PROG_TEST_RUN with live frames, so the
 * frame really leaves) once the first one's ports are in conns. Cuts IPv4
 * packets that do not fit the way to a backend, and sends the pieces likewise.
 * What tc's programs had goes back to them by its interface, with a mark that
 * fl_pod_out and fl_uplink_out turn it round by.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/addr.h"
#include "cut.h"
#include "dp_private.h"
#include "base/log.h"
#include "model/conns.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define FRAGMENTS_MAX 256
#define KEEP_MS 1000

struct kept {
	struct flow key;
	__u64 since_ms;
	__u32 ifindex;
	bool is_tc;
	__u32 len;		/* 0: free */
	__u8 frame[EARLY_FRAGMENT_MAX];
};

struct fragments {
	struct dp *dp;
	struct ring_buffer *ring;
	int socket;		/* for what goes back to tc; -1: none yet */
	struct kept kept[FRAGMENTS_MAX];
};

void fragments_free(struct fragments *f)
{
	if (!f)
		return;
	ring_buffer__free(f->ring);
	if (f->socket >= 0)
		close(f->socket);
	free(f);
}

static bool key_from4(const __u8 *l3, size_t len, struct flow *key)
{
	struct iphdr ip;

	if (len < sizeof(ip))
		return false;
	memcpy(&ip, l3, sizeof(ip));
	key->src = addr_from4(ip.saddr);
	key->dst = addr_from4(ip.daddr);
	key->proto = ip.protocol;
	key->dport = ip.id;
	return true;
}

/* The fragment header, behind what may come before it (RFC 8200, 4.1). */
static bool key_from6(const __u8 *l3, size_t len, struct flow *key)
{
	struct ipv6hdr ip;
	size_t at = sizeof(ip);
	__u8 next;
	__u32 id;

	if (len < sizeof(ip))
		return false;
	memcpy(&ip, l3, sizeof(ip));
	memcpy(&key->src, &ip.saddr, sizeof(key->src));
	memcpy(&key->dst, &ip.daddr, sizeof(key->dst));
	for (next = ip.nexthdr; at + 8 <= len; at += (l3[at + 1] + 1) * 8) {
		if (next == IPPROTO_FRAGMENT) {
			memcpy(&id, l3 + at + 4, sizeof(id));
			key->proto = CONN_FRAGMENT6_PROTO;
			key->sport = id >> 16;
			key->dport = id;
			return true;
		}
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_DSTOPTS)
			return false;
		next = l3[at];
	}
	return false;
}

/* As fragment_key() in bpf/lib/fragment.h has it. */
static bool key_of(const __u8 *frame, size_t len, struct flow *key)
{
	size_t at = ETH_HLEN - 2;
	__be16 proto = 0;

	*key = (struct flow){ .kind = FLOW_FRAGMENT };
	for (int tags = 0; tags <= 2 && at + 2 <= len; tags++, at += 4) {
		memcpy(&proto, frame + at, sizeof(proto));
		if (proto == htons(ETH_P_IP))
			return key_from4(frame + at + 2, len - at - 2, key);
		if (proto == htons(ETH_P_IPV6))
			return key_from6(frame + at + 2, len - at - 2, key);
	}
	return false;
}

static void resend(struct dp *dp, const __u8 *frame, __u32 len, __u32 ifindex)
{
	struct xdp_md ctx = {
		.data_end = len,
		.ingress_ifindex = ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = frame,
		.data_size_in = len,
		.ctx_in = &ctx,
		.ctx_size_in = sizeof(ctx),
		.repeat = 1,
		.flags = BPF_F_TEST_XDP_LIVE_FRAMES,
	);

	if (bpf_prog_test_run_opts(bpf_program__fd(dp->skel->progs.fl_xdp),
				   &opts))
		log_warning(-errno, "cannot send a fragment on");
}

static int open_socket(void)
{
	const __u32 mark = MARK_AGAIN;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 &&
	    !setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)))
		return fd;
	log_warning(-errno, "cannot open a packet socket for fragments");
	if (fd >= 0)
		close(fd);
	return -1;
}

static void resend_tc(struct fragments *f, const __u8 *frame, __u32 len,
		      __u32 ifindex)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = ifindex,
	};

	if (f->socket < 0)
		f->socket = open_socket();
	if (f->socket < 0)
		return;
	memcpy(&to.sll_protocol, frame + ETH_HLEN - 2, 2);
	if (sendto(f->socket, frame, len, 0, (struct sockaddr *)&to,
		   sizeof(to)) < 0 && errno != ENETDOWN && errno != ENXIO)
		log_warning(-errno, "cannot send a fragment on");
}

static void send_again(struct fragments *f, const __u8 *frame, __u32 len,
		       __u32 ifindex, bool is_tc)
{
	if (is_tc)
		resend_tc(f, frame, len, ifindex);
	else
		resend(f->dp, frame, len, ifindex);
}

/* Where IPv4 begins in a frame; 0: it is none. */
static size_t ip4_at(const __u8 *frame, size_t len)
{
	size_t at = ETH_HLEN - 2;
	__be16 proto;

	for (int tags = 0; tags <= 2 && at + 2 <= len; tags++, at += 4) {
		memcpy(&proto, frame + at, sizeof(proto));
		if (proto == htons(ETH_P_IP))
			return at + 2;
	}
	return 0;
}

struct sender {
	struct fragments *f;
	__u32 ifindex;
	bool is_tc;
};

static void send_piece(void *arg, const __u8 *frame, size_t len)
{
	const struct sender *to = arg;

	send_again(to->f, frame, len, to->ifindex, to->is_tc);
}

/* What cannot be cut is lost, as what a router cannot send is. */
static void cut(struct fragments *f, const struct early_fragment *e)
{
	struct sender to = {
		.f = f,
		.ifindex = e->ifindex,
		.is_tc = e->kind == FRAME_CUT_TC,
	};
	__u8 frame[EARLY_FRAGMENT_MAX];
	size_t l3;

	memcpy(frame, e + 1, e->len);
	l3 = ip4_at(frame, e->len);
	if (!l3)
		return;
	cut_complete(frame, e->len, l3);
	cut_ip4(frame, e->len, l3, e->mtu, send_piece, &to);
}

void dp_on_errors(struct dp *dp, const struct dp_errors *errors)
{
	dp->errors = *errors;
}

/* The oldest makes room. */
static struct kept *keep_place(struct fragments *f)
{
	struct kept *best = f->kept;

	for (struct kept *k = f->kept; k < f->kept + FRAGMENTS_MAX; k++) {
		if (!k->len)
			return k;
		if (k->since_ms < best->since_ms)
			best = k;
	}
	return best;
}

static int keep(void *arg, void *data, size_t size)
{
	const struct early_fragment *head = data;
	struct fragments *f = arg;
	struct flow key;
	struct kept *k;

	if (size < sizeof(*head) || head->len > size - sizeof(*head) ||
	    head->len > EARLY_FRAGMENT_MAX)
		return 0;
	if (head->kind == FRAME_CUT || head->kind == FRAME_CUT_TC) {
		cut(f, head);
		return 0;
	}
	if (head->kind == FRAME_ERROR) {
		if (f->dp->errors.f)
			f->dp->errors.f(f->dp->errors.arg,
					(const __u8 *)(head + 1), head->len);
		return 0;
	}
	if (!key_of((const __u8 *)(head + 1), head->len, &key))
		return 0;
	k = keep_place(f);
	k->key = key;
	k->since_ms = clock_ms();
	k->ifindex = head->ifindex;
	k->is_tc = head->kind == FRAME_EARLY_TC;
	k->len = head->len;
	memcpy(k->frame, head + 1, head->len);
	return 0;
}

int dp_fragments_fd(struct dp *dp)
{
	if (!dp->fragments) {
		dp->fragments = calloc(1, sizeof(*dp->fragments));
		if (!dp->fragments)
			return -ENOMEM;
		dp->fragments->dp = dp;
		dp->fragments->socket = -1;
		dp->fragments->ring =
			ring_buffer__new(dp->fd[TABLE_early_fragments], keep,
					 dp->fragments, NULL);
	}
	if (!dp->fragments->ring)
		return log_error(-EINVAL, "cannot open the ring buffer");
	return ring_buffer__epoll_fd(dp->fragments->ring);
}

int dp_fragments_read(struct dp *dp)
{
	int err = dp_fragments_fd(dp);

	if (err < 0)
		return err;
	err = ring_buffer__consume(dp->fragments->ring);
	return err < 0 ? err : 0;
}

/* Has the first one been here? */
static bool first_is_known(struct dp *dp, const struct flow *key)
{
	struct conn_entry e;

	return conns_find(&dp->tables, key, &e);
}

bool dp_fragments_retry(struct dp *dp)
{
	struct fragments *f = dp->fragments;
	__u64 now = clock_ms();
	bool more = false;

	for (int i = 0; f && i < FRAGMENTS_MAX; i++) {
		struct kept *k = &f->kept[i];

		if (!k->len)
			continue;
		if (first_is_known(dp, &k->key))
			send_again(f, k->frame, k->len, k->ifindex, k->is_tc);
		else if (now - k->since_ms < KEEP_MS) {
			more = true;
			continue;
		}
		k->len = 0;
	}
	return more;
}
