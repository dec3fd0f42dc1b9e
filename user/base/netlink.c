// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Rtnetlink through libmnl. The loops over messages are our own: libmnl's
 * stop in the middle of a datagram when a dump was interrupted, and take the
 * late answer to an earlier question for an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <arpa/inet.h>

#include <linux/genetlink.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "addr.h"
#include "netlink.h"
#include "cleanup.h"

/* More than any datagram of rtnetlink; the kernel fills 32 KiB of a dump. */
#define BUFFER_BYTES (64 << 10)
/* Some ten thousand changes between two reads. */
#define RECEIVE_BYTES (8 << 20)
#define ANSWER_S 10

struct netlink {
	struct mnl_socket *socket;
	__u32 sequence;
	char buffer[BUFFER_BYTES] __attribute__((aligned(8)));
};

void netlink_close(struct netlink *nl)
{
	if (!nl)
		return;
	if (nl->socket)
		mnl_socket_close(nl->socket);
	free(nl);
}

void netlink_closep(struct netlink **nl)
{
	netlink_close(*nl);
}

int netlink_fd(const struct netlink *nl)
{
	return mnl_socket_get_fd(nl->socket);
}

/* The kernel's limit may not be passed without CAP_NET_ADMIN: take less. */
static void grow_receive_buffer(int fd)
{
	int bytes = RECEIVE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static int open_protocol(int protocol, __u32 groups, struct netlink **ret)
{
	__cleanup(netlink_closep) struct netlink *nl = NULL;
	const struct timeval limit = { .tv_sec = ANSWER_S };
	int fd;

	nl = calloc(1, sizeof(*nl));
	if (!nl)
		return -ENOMEM;
	nl->socket = mnl_socket_open2(protocol, SOCK_CLOEXEC |
				      (groups ? SOCK_NONBLOCK : 0));
	if (!nl->socket)
		return -errno;
	fd = netlink_fd(nl);
	grow_receive_buffer(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return -errno;
	if (mnl_socket_bind(nl->socket, groups, MNL_SOCKET_AUTOPID))
		return -errno;
	*ret = take_ptr(nl);
	return 0;
}

int netlink_open(__u32 groups, struct netlink **ret)
{
	return open_protocol(NETLINK_ROUTE, groups, ret);
}

int netlink_open_generic(struct netlink **ret)
{
	return open_protocol(NETLINK_GENERIC, 0, ret);
}

int netlink_open_netfilter(struct netlink **ret)
{
	return open_protocol(NETLINK_NETFILTER, 0, ret);
}

int netlink_open_sockets(struct netlink **ret)
{
	return open_protocol(NETLINK_SOCK_DIAG, 0, ret);
}

/* Bytes in the buffer, 0 if what came is not the kernel's, or an error. */
static ssize_t receive(struct netlink *nl)
{
	struct sockaddr_nl from = {};
	struct iovec iov = {
		.iov_base = nl->buffer,
		.iov_len = sizeof(nl->buffer),
	};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t bytes;

	do
		bytes = recvmsg(netlink_fd(nl), &msg, 0);
	while (bytes < 0 && errno == EINTR);
	if (bytes < 0)
		return -errno;
	if (from.nl_pid)
		return 0;
	return msg.msg_flags & MSG_TRUNC ? -ENOBUFS : bytes;
}

static int message_error(const struct nlmsghdr *m)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*e))
		return -EPROTO;
	return e->error > 0 ? -EPROTO : e->error;
}

/* How a question ended, from the last message of its answer. */
static int message_last(const struct nlmsghdr *m)
{
	if (m->nlmsg_type == NLMSG_ERROR)
		return message_error(m);
	if (mnl_nlmsg_get_payload_len(m) < sizeof(int))
		return 0;
	return *(const int *)mnl_nlmsg_get_payload(m);
}

#define NETLINK_QUESTION_MAX (sizeof(((struct netlink_batch *)0)->bytes) / \
			      NETLINK_BATCH_MAX)

struct batch_answers {
	void (*fn)(void *data, unsigned int number, const struct nlmsghdr *m);
	void *data;
	unsigned int count, left;
};

struct answer {
	netlink_fn fn;
	void *data;
	bool is_over;
	bool is_interrupted;
};

/* One datagram of the answer to the last question. */
static int take_answer(struct netlink *nl, int bytes, struct answer *a)
{
	const struct nlmsghdr *m = (const void *)nl->buffer;
	int err = 0;

	for (; mnl_nlmsg_ok(m, bytes); m = mnl_nlmsg_next(m, &bytes)) {
		if (m->nlmsg_seq != nl->sequence)
			continue;
		if (m->nlmsg_flags & NLM_F_DUMP_INTR)
			a->is_interrupted = true;
		if (m->nlmsg_type == NLMSG_DONE ||
		    m->nlmsg_type == NLMSG_ERROR) {
			a->is_over = true;
			return message_last(m);
		}
		if (a->fn && m->nlmsg_type >= NLMSG_MIN_TYPE)
			err = a->fn(m, a->data);
		if (err)
			return err;
	}
	return 0;
}

/* All that answers the last question. */
static int take_answers_all(struct netlink *nl, netlink_fn fn, void *data)
{
	struct answer a = { .fn = fn, .data = data };
	ssize_t bytes;
	int err;

	while (!a.is_over) {
		bytes = receive(nl);
		if (bytes == -EAGAIN)
			return -ETIMEDOUT;
		if (bytes < 0)
			return bytes;
		err = take_answer(nl, bytes, &a);
		if (err)
			return err;
	}
	return a.is_interrupted ? -EINTR : 0;
}

static int transact(struct netlink *nl, struct nlmsghdr *m, netlink_fn fn,
		    void *data)
{
	m->nlmsg_seq = ++nl->sequence;
	if (mnl_socket_sendto(nl->socket, m, m->nlmsg_len) < 0)
		return -errno;
	return take_answers_all(nl, fn, data);
}

int netlink_dump(struct netlink *nl, __u16 type, __u8 family, netlink_fn fn,
		 void *data)
{
	char request[MNL_ALIGN(sizeof(struct nlmsghdr)) +
		     MNL_ALIGN(sizeof(struct ndmsg))]
		__attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(request);
	/* bridges' tables are asked for by the length of their own header
	 * (valid_fdb_dump_legacy() in net/core/rtnetlink.c) */
	size_t len = family == AF_BRIDGE ? sizeof(struct ndmsg) :
					   sizeof(struct rtgenmsg);
	struct rtgenmsg *header = mnl_nlmsg_put_extra_header(m, len);

	m->nlmsg_type = type;
	header->rtgen_family = family;
	return netlink_ask_for_all(nl, m, fn, data);
}

int netlink_ask_for_all(struct netlink *nl, struct nlmsghdr *m, netlink_fn fn,
			void *data)
{
	m->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
	return transact(nl, m, fn, data);
}

int netlink_ask(struct netlink *nl, struct nlmsghdr *m, netlink_fn fn,
		void *data)
{
	m->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	return transact(nl, m, fn, data);
}

struct nlmsghdr *netlink_netfilter(void *buffer, __u8 subsystem, __u8 message,
				   __u8 family, __u16 flags)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(m,
							sizeof(*header));

	m->nlmsg_type = subsystem << 8 | message;
	m->nlmsg_flags = flags;
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	return m;
}

/* One end of a transaction, which is about the subsystem of m. */
static struct nlmsghdr *batch_end(void *buffer, __u16 type,
				  const struct nlmsghdr *m)
{
	struct nlmsghdr *end = netlink_netfilter(buffer, 0, 0, AF_UNSPEC,
						 NLM_F_REQUEST);
	struct nfgenmsg *header = mnl_nlmsg_get_payload(end);

	end->nlmsg_type = type;
	header->res_id = htons(m->nlmsg_type >> 8);
	return end;
}

int netlink_commit(struct netlink *nl, struct nlmsghdr *m)
{
	char ends[2][64] __attribute__((aligned(8))) = {};
	struct nlmsghdr *begin = batch_end(ends[0], NFNL_MSG_BATCH_BEGIN, m);
	struct nlmsghdr *end = batch_end(ends[1], NFNL_MSG_BATCH_END, m);
	struct iovec parts[] = {
		{ begin, begin->nlmsg_len }, { m, m->nlmsg_len },
		{ end, end->nlmsg_len },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct msghdr message = {
		.msg_name = &kernel, .msg_namelen = sizeof(kernel),
		.msg_iov = parts, .msg_iovlen = 3,
	};

	begin->nlmsg_seq = ++nl->sequence;
	end->nlmsg_seq = ++nl->sequence;
	m->nlmsg_seq = ++nl->sequence;
	m->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (sendmsg(netlink_fd(nl), &message, 0) < 0)
		return -errno;
	return take_answers_all(nl, NULL, NULL);
}

struct nlmsghdr *netlink_batch_next(struct netlink_batch *b)
{
	if (b->count == NETLINK_BATCH_MAX)
		return NULL;
	memset(b->bytes + b->len, 0, NETLINK_QUESTION_MAX);
	return mnl_nlmsg_put_header(b->bytes + b->len);
}

void netlink_batch_end(struct netlink_batch *b, const struct nlmsghdr *m)
{
	b->len += MNL_ALIGN(m->nlmsg_len);
	b->count++;
}

static void take_answers(struct netlink *nl, int bytes, __u32 first,
			 struct batch_answers *a)
{
	const struct nlmsghdr *m = (const void *)nl->buffer;
	__u32 number;

	for (; mnl_nlmsg_ok(m, bytes); m = mnl_nlmsg_next(m, &bytes)) {
		number = m->nlmsg_seq - first;
		if (number >= a->count)
			continue;
		a->fn(a->data, number,
		      m->nlmsg_type == NLMSG_ERROR ? NULL : m);
		a->left--;
	}
}

int netlink_ask_all(struct netlink *nl, struct netlink_batch *b,
		    void (*fn)(void *data, unsigned int number,
			       const struct nlmsghdr *m), void *data)
{
	struct batch_answers a = { fn, data, b->count, b->count };
	const __u32 first = nl->sequence + 1;
	struct nlmsghdr *m = (void *)b->bytes;
	int left = b->len;
	ssize_t bytes;

	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		m->nlmsg_flags |= NLM_F_REQUEST;
		m->nlmsg_seq = ++nl->sequence;
	}
	if (b->len && mnl_socket_sendto(nl->socket, b->bytes, b->len) < 0)
		return -errno;
	b->len = b->count = 0;
	while (a.left) {
		bytes = receive(nl);
		if (bytes < 0)
			return bytes == -EAGAIN ? -ETIMEDOUT : bytes;
		take_answers(nl, bytes, first, &a);
	}
	return 0;
}

static int take_family(const struct nlmsghdr *m, void *data)
{
	const struct nlattr *attrs[CTRL_ATTR_FAMILY_ID + 1];

	netlink_attrs(m, GENL_HDRLEN, attrs, CTRL_ATTR_FAMILY_ID + 1);
	return netlink_u16(attrs[CTRL_ATTR_FAMILY_ID], data) ? 0 : -EPROTO;
}

int netlink_family(struct netlink *nl, const char *name, __u16 *ret)
{
	char buffer[128] __attribute__((aligned(4))) = {};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(m,
							sizeof(*header));

	m->nlmsg_type = GENL_ID_CTRL;
	header->cmd = CTRL_CMD_GETFAMILY;
	mnl_attr_put_strz(m, CTRL_ATTR_FAMILY_NAME, name);
	return netlink_ask(nl, m, take_family, ret);
}

static int take_news(struct netlink *nl, int bytes, netlink_fn fn, void *data)
{
	const struct nlmsghdr *m = (const void *)nl->buffer;
	int err;

	for (; mnl_nlmsg_ok(m, bytes); m = mnl_nlmsg_next(m, &bytes)) {
		if (m->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		err = fn(m, data);
		if (err)
			return err;
	}
	return 0;
}

/* Reads on after a loss: until its queue is empty, the socket loses more
 * without saying so. */
int netlink_read(struct netlink *nl, netlink_fn fn, void *data)
{
	bool is_lost = false;
	ssize_t bytes;
	int err;

	while (true) {
		bytes = receive(nl);
		if (bytes == -EAGAIN)
			return is_lost ? -ENOBUFS : 0;
		if (bytes == -ENOBUFS) {
			is_lost = true;
			continue;
		}
		if (bytes < 0)
			return bytes;
		err = take_news(nl, bytes, fn, data);
		if (err)
			return err;
	}
}

void netlink_attrs_in(const void *bytes, size_t size,
		      const struct nlattr **ret, unsigned int count)
{
	const struct nlattr *attr = bytes;
	const char *end = (const char *)bytes + size;

	memset(ret, 0, count * sizeof(*ret));
	for (; mnl_attr_ok(attr, end - (const char *)attr);
	     attr = mnl_attr_next(attr)) {
		if (mnl_attr_get_type(attr) < count)
			ret[mnl_attr_get_type(attr)] = attr;
	}
}

void netlink_attrs(const struct nlmsghdr *m, size_t header,
		   const struct nlattr **ret, unsigned int count)
{
	size_t size = mnl_nlmsg_get_payload_len(m);
	size_t skip = MNL_ALIGN(header);

	netlink_attrs_in((const char *)mnl_nlmsg_get_payload(m) + skip,
			 size > skip ? size - skip : 0, ret, count);
}

void netlink_nested(const struct nlattr *nest, const struct nlattr **ret,
		    unsigned int count)
{
	netlink_attrs_in(mnl_attr_get_payload(nest),
			 mnl_attr_get_payload_len(nest), ret, count);
}

bool netlink_u16(const struct nlattr *attr, __u16 *ret)
{
	if (!attr || mnl_attr_get_payload_len(attr) != sizeof(*ret))
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), sizeof(*ret));
	return true;
}

bool netlink_u32(const struct nlattr *attr, __u32 *ret)
{
	if (!attr || mnl_attr_get_payload_len(attr) != sizeof(*ret))
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), sizeof(*ret));
	return true;
}

bool netlink_addr_in(const void *bytes, size_t size, __u16 family,
		     struct addr *ret)
{
	__be32 ip;

	if (family == AF_INET && size == sizeof(ip)) {
		memcpy(&ip, bytes, sizeof(ip));
		*ret = addr_from4(ip);
		return true;
	}
	if (family == AF_INET6 && size == sizeof(*ret)) {
		memcpy(ret, bytes, sizeof(*ret));
		return true;
	}
	return false;
}

bool netlink_addr(const struct nlattr *attr, __u8 family, struct addr *ret)
{
	return attr && netlink_addr_in(mnl_attr_get_payload(attr),
				       mnl_attr_get_payload_len(attr), family,
				       ret);
}

void netlink_put_addr(struct nlmsghdr *m, __u16 type, const struct addr *addr)
{
	if (addr_is4(addr))
		mnl_attr_put(m, type, sizeof(__be32), &addr->word[3]);
	else
		mnl_attr_put(m, type, sizeof(*addr), addr);
}
