// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See probe_datagram.h. The socket is connected: datagrams of others are not
 * seen, and what ICMP says of ours is (udp(7)). Each type says what it asks
 * and what it makes of an answer; here is all the rest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "dns_message.h"
#include "probe_datagram.h"

#define DATAGRAMS_MAX 64	/* that are not the answer */
#define ECHO_BYTES 16

struct datagram {
	struct probe probe;
	int fd;
	struct event *event;
	struct event *silence;	/* NULL: it is no answer */
	bool is_stream, is_connected;	/* dns over TCP */
	bool is_sent;
	bool has_wrong;		/* there was an answer, but not the one */
	unsigned int wrong;
	__u8 asked[DNS_QUESTION_MAX + 2]; /* of dns and icmp */
	size_t asked_len, sent;
	__u8 *answer;		/* so far, PROBE_BYTES_MAX of room; owned */
	size_t len;
};

static void datagram_cancel(struct probe *p)
{
	struct datagram *d = (struct datagram *)p;

	event_remove(d->event);
	event_remove(d->silence);
	if (d->fd >= 0)
		close(d->fd);
	free(d->answer);
	free(d);
}

static void finish_passed(struct datagram *d)
{
	probe_finish(&d->probe,
		     &(struct probe_result){ .outcome = PROBE_PASS });
}

static void finish_failed(struct datagram *d, const char *why)
{
	struct probe_result r;

	probe_fail(&r, "%s", why);
	probe_finish(&d->probe, &r);
}

static void finish_errno(struct datagram *d, int err)
{
	struct probe_result r;

	probe_fail_later(&r, d->probe.spec, err);
	/* of a datagram, it is ICMP that says so: nobody is there */
	if (err == ECONNREFUSED && !d->is_stream)
		probe_fail(&r, "port unreachable");
	probe_finish(&d->probe, &r);
}

static struct probe_bytes question_of(struct datagram *d)
{
	if (d->probe.spec->kind == PROBE_UDP)
		return d->probe.spec->send;
	return (struct probe_bytes){ (char *)d->asked, d->asked_len };
}

/* True: it goes on. */
static bool wrong(struct datagram *d)
{
	d->has_wrong = true;
	if (++d->wrong < DATAGRAMS_MAX)
		return true;
	finish_failed(d, "answers are not to the question");
	return false;
}

static bool udp_judge(struct datagram *d)
{
	const struct probe_bytes *e = &d->probe.spec->expect;

	if (e->data && !memmem(d->answer, d->len, e->data, e->len))
		return wrong(d);
	finish_passed(d);
	return false;
}

/* Of a ping socket the kernel has compared the id (net/ipv4/ping.c). */
static bool icmp_judge(struct datagram *d)
{
	const size_t begin = 8;	/* type, code, checksum, id; ours from there */
	bool is4 = addr_is4(&d->probe.spec->addr);

	if (d->len != d->asked_len ||
	    d->answer[0] != (is4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) ||
	    memcmp(d->answer + begin, d->asked + begin, d->len - begin))
		return wrong(d);
	finish_passed(d);
	return false;
}

static void finish_rcode(struct datagram *d, unsigned int rcode)
{
	const char *name = dns_rcode_name(rcode);
	struct probe_result r;

	if (rcode == d->probe.spec->rcode) {
		finish_passed(d);
		return;
	}
	if (name)
		probe_fail(&r, "%s", name);
	else
		probe_fail(&r, "rcode %u", rcode);
	probe_finish(&d->probe, &r);
}

static bool dns_judge_message(struct datagram *d, const __u8 *m, size_t len)
{
	size_t skip = d->is_stream ? 2 : 0;
	unsigned int rcode = 0;

	/* cut or not, it has its code: the records are not looked at */
	if (dns_answer(d->asked + skip, d->asked_len - skip, m, len,
		       &rcode) == DNS_OTHER)
		return wrong(d);
	finish_rcode(d, rcode);
	return false;
}

/* Over TCP, its length stands before it, RFC 1035 4.2.2. */
static bool dns_judge(struct datagram *d)
{
	size_t len;

	if (!d->is_stream)
		return dns_judge_message(d, d->answer, d->len);
	if (d->len < 2)
		return true;
	len = d->answer[0] << 8 | d->answer[1];
	if (d->len < 2 + len)
		return true;
	if (!dns_judge_message(d, d->answer + 2, len))
		return false;
	finish_failed(d, "answer is not to the question");
	return false;
}

static bool judge(struct datagram *d)
{
	switch (d->probe.spec->kind) {
	case PROBE_UDP:
		return udp_judge(d);
	case PROBE_ICMP:
		return icmp_judge(d);
	default:
		return dns_judge(d);
	}
}

/* True: it goes on. */
static bool read_some(struct datagram *d)
{
	size_t at = d->is_stream ? d->len : 0;
	ssize_t got = recv(d->fd, d->answer + at, PROBE_BYTES_MAX - at, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got < 0) {
		finish_errno(d, errno);
		return false;
	}
	if (!got && d->is_stream) {
		finish_failed(d, d->len ? "closed in the middle of an answer" :
					  "closed without an answer");
		return false;
	}
	d->len = at + got;
	return judge(d);
}

/* True: it goes on. */
static bool send_some(struct datagram *d)
{
	struct probe_bytes q = question_of(d);
	ssize_t sent;

	if (d->is_sent)
		return true;
	sent = send(d->fd, q.data + d->sent, q.len - d->sent, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		finish_errno(d, errno);
		return false;
	}
	if (sent < 0)
		return true;
	d->is_connected = true;
	d->sent += sent;
	d->is_sent = d->sent == q.len;
	if (d->is_sent)
		event_set_mask(d->event, EPOLLIN);
	return true;
}

static void on_event(void *arg, __u32 events)
{
	struct datagram *d = arg;

	if (events & (EPOLLERR | EPOLLHUP | EPOLLIN) && !read_some(d))
		return;
	if (events & EPOLLOUT)
		send_some(d);
}

static void on_silence(void *arg)
{
	finish_passed(arg);
}

/* Before time is up, which is a failure to who runs probes. */
static int await_silence(struct loop *l, struct datagram *d)
{
	const struct probe_spec *s = d->probe.spec;
	int err;

	if (s->kind != PROBE_UDP || !s->no_unreachable)
		return 0;
	err = loop_add_timer(l, on_silence, d, &d->silence);
	return err ?: timer_set(d->silence, s->timeout_ms * 9 / 10 ?: 1, 0);
}

static void ask_icmp(struct datagram *d)
{
	d->asked[0] = addr_is4(&d->probe.spec->addr) ? ICMP_ECHO :
						       ICMP6_ECHO_REQUEST;
	d->asked_len = 8 + ECHO_BYTES;
	getrandom(d->asked + 8, ECHO_BYTES, GRND_NONBLOCK);
}

static int ask_dns(struct datagram *d)
{
	const struct probe_spec *s = d->probe.spec;
	size_t skip = d->is_stream ? 2 : 0, len;
	__u16 id = 0;

	getrandom(&id, sizeof(id), GRND_NONBLOCK);
	len = dns_question(s->name ?: ".", s->rrtype ?: 6, id, d->asked + skip);
	if (!len)
		return -EINVAL;
	d->asked_len = skip + len;
	if (!skip)
		return 0;
	d->asked[0] = len >> 8;
	d->asked[1] = len;
	return 0;
}

static int socket_of(const struct datagram *d)
{
	const struct probe_spec *s = d->probe.spec;

	if (s->kind != PROBE_ICMP)
		return probe_socket(s, d->is_stream ? SOCK_STREAM : SOCK_DGRAM,
				    0);
	return probe_socket(s, SOCK_DGRAM, addr_is4(&s->addr) ?
			    IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static int begin(struct loop *l, struct datagram *d)
{
	int err = 0;

	if (d->probe.spec->kind == PROBE_ICMP)
		ask_icmp(d);
	else if (d->probe.spec->kind == PROBE_DNS)
		err = ask_dns(d);
	if (err)
		return err;
	d->answer = malloc(PROBE_BYTES_MAX);
	if (!d->answer)
		return -ENOMEM;
	d->fd = socket_of(d);
	if (d->fd < 0)
		return d->fd;
	return probe_connect(d->probe.spec, d->fd) ?: await_silence(l, d) ?:
	       loop_add_fd(l, d->fd, EPOLLIN | EPOLLOUT, on_event, d,
			   &d->event);
}

static int start(struct loop *l, const struct probe_spec *s,
		 probe_done_fn *done, void *arg, struct probe **ret)
{
	struct datagram *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->probe = (struct probe){ probe_types[s->kind], s, done, arg };
	d->fd = -1;
	d->is_stream = s->kind == PROBE_DNS && s->dns_tcp;
	err = begin(l, d);
	if (err)
		datagram_cancel(&d->probe);
	else
		*ret = &d->probe;
	return err;
}

static const char *waiting_for(const struct probe *p)
{
	const struct datagram *d = (const struct datagram *)p;

	if (d->has_wrong)
		return "answer is not the expected one";
	if (d->is_stream && !d->is_connected)
		return "no connection";
	return d->is_stream && d->len ? "no whole answer" : "no answer";
}

const struct probe_type probe_udp = {
	.name = "udp",
	.start = start,
	.cancel = datagram_cancel,
	.waiting_for = waiting_for,
};

const struct probe_type probe_icmp = {
	.name = "icmp",
	.start = start,
	.cancel = datagram_cancel,
	.waiting_for = waiting_for,
};

const struct probe_type probe_dns = {
	.name = "dns",
	.start = start,
	.cancel = datagram_cancel,
	.waiting_for = waiting_for,
};
