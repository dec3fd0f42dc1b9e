// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See probes.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/list.h"
#include "base/log.h"
#include "configz.h"
#include "metrics.h"
#include "overview.h"
#include "probes.h"
#include "process/child.h"

#define BACKLOG 256
#define ASK_LEAST_MS 500	/* the process is to ask once a second */

/* The list that is being made. */
struct wanted {
	struct probes *probes;
	struct probe *list;
	size_t count, room;
	const struct model_health_port *health;	/* whose sockets come now */
	bool is4;
	int err;
};

static void want(struct wanted *w, enum web_place place, const struct addr *a,
		 __u16 port)
{
	struct probe *to;

	if (!list_room(&w->list, w->count + 1, &w->room, sizeof(*w->list))) {
		w->err = -ENOMEM;
		return;
	}
	if (w->count >= WEB_LISTENERS_MAX - 1)
		return;
	to = &w->list[w->count++];
	*to = (struct probe){ place, *a, port, .fd = -1 };
	if (place != WEB_HEALTH_PORT)
		return;
	to->said.local = w->health->local[w->is4];
	snprintf(to->said.namespace, sizeof(to->said.namespace), "%s",
		 w->health->namespace);
	snprintf(to->said.name, sizeof(to->said.name), "%s", w->health->name);
}

/* As Go's net.Listen() has it: "::" is both families, "0.0.0.0" is one. */
static void want_listen(struct wanted *w, enum web_place place,
			const struct model_listen *l,
			const struct model_listen *by_default)
{
	const struct addr any4 = addr_from4(0);

	if (!l->is_set)
		l = by_default;
	if (!l->is_set || l->is_off)
		return;
	want(w, place, &l->addr, l->port);
	if (addr_is_zero(&l->addr))
		want(w, place, &any4, l->port);
}

static void want_node_addr(void *arg, const struct addr *a)
{
	struct wanted *w = arg;

	if (addr_is4(a) == w->is4 &&
	    state_is_node_addr(w->probes->parts->state, a))
		want(w, WEB_HEALTH_PORT, a, w->health->port);
}

/* Wherever its node ports are. */
static void want_health_port(struct wanted *w,
			     const struct model_health_port *h)
{
	const struct parts *parts = w->probes->parts;

	w->health = h;
	for (int is4 = 0; is4 < 2; is4++) {
		const struct addr any = is4 ? addr_from4(0) : (struct addr){};

		w->is4 = is4;
		if (!h->has[is4])
			continue;
		if (state_all_are_node_addrs(parts->state, is4))
			want(w, WEB_HEALTH_PORT, &any, h->port);
		else
			nexthops_each_local(parts->nexthops, want_node_addr, w);
	}
}

static int compare(const void *x, const void *y)
{
	const struct probe *a = x, *b = y;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return addr_compare(&a->addr, &b->addr) ?:
	       strcmp(a->said.namespace, b->said.namespace) ?:
	       strcmp(a->said.name, b->said.name);
}

/* An address may be on two interfaces. */
static void drop_duplicates(struct wanted *w)
{
	size_t count = 0;

	if (w->count)
		qsort(w->list, w->count, sizeof(*w->list), compare);
	for (size_t i = 0; i < w->count; i++)
		if (!count || compare(&w->list[count - 1], &w->list[i]))
			w->list[count++] = w->list[i];
	w->count = count;
}

static int find_wanted(struct probes *p, struct wanted *w)
{
	const struct model_listen healthz = {
		.port = 10256, .is_set = p->is_following,
	};
	const struct model_listen metrics = {
		.addr = addr_from4(htonl(INADDR_LOOPBACK)),
		.port = 10249,
		.is_set = p->is_following,
	};
	const struct model *m = p->applying->model;

	*w = (struct wanted){ .probes = p };
	want_listen(w, WEB_HEALTHZ, &m->healthz, &healthz);
	want_listen(w, WEB_METRICS, &m->metrics, &metrics);
	for (size_t i = 0; i < m->nr_health_ports; i++)
		want_health_port(w, &m->health_ports[i]);
	drop_duplicates(w);
	return w->err;
}

static void send_bytes(struct probes *p, enum record_type type, __u8 of,
		       const void *data, size_t len, int fd)
{
	struct channel *c = p->child ? child_channel(p->child) : NULL;
	struct bytes_out b = {};
	size_t begin = record_begin(&b, type, of);

	record_field(&b, RECORD_FIELD_BYTES, data, len);
	if (c && record_end(&b, begin)) {
		if (fd < 0)
			channel_send(c, b.data, b.len);
		else if (channel_send_fd(c, b.data, b.len, fd))
			log_warning(0, "a socket cannot be handed on");
	}
	bytes_free(&b);
}

static void send_text(struct channel *c, enum record_type type, __u8 of,
		      const char *text, size_t len)
{
	struct bytes_out b = {};
	size_t begin = record_begin(&b, type, of);

	record_field(&b, RECORD_FIELD_TEXT, text, len);
	if (record_end(&b, begin))
		channel_send(c, b.data, b.len);
	bytes_free(&b);
}

static void close_probe(struct probes *p, struct probe *l)
{
	if (l->fd < 0)
		return;
	send_bytes(p, RECORD_UNLISTEN, 0, &l->said.id, sizeof(l->said.id), -1);
	close(l->fd);
	l->fd = -1;
}

/* What is open stays open. */
static void take_over(struct probe *to, struct probe *from)
{
	to->is_news = to->said.local != from->said.local;
	to->said.id = from->said.id;
	to->fd = from->fd;
	to->err = from->err;
	from->fd = -1;
}

/* Both lists are sorted. */
static void replace(struct probes *p, struct wanted *w)
{
	size_t i = 0, j = 0;

	while (i < p->count || j < w->count) {
		int order = i == p->count ? 1 : j == w->count ? -1 :
			    compare(&p->list[i], &w->list[j]);

		if (!order)
			take_over(&w->list[j], &p->list[i]);
		if (order <= 0)
			close_probe(p, &p->list[i++]);
		if (order >= 0)
			j++;
	}
	free(p->list);
	p->list = w->list;
	p->count = w->count;
}

static socklen_t address_of(const struct probe *l,
			    struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (void *)ret;
	struct sockaddr_in6 *v6 = (void *)ret;

	*ret = (struct sockaddr_storage){};
	if (addr_is4(&l->addr)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(l->port);
		v4->sin_addr.s_addr = l->addr.word[3];
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(l->port);
	memcpy(&v6->sin6_addr, &l->addr, sizeof(l->addr));
	return sizeof(*v6);
}

/* A descriptor, or -errno. */
static int open_socket(const struct probe *l)
{
	struct sockaddr_storage address;
	const int yes = 1;
	socklen_t len = address_of(l, &address);
	int fd = socket(address.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (!bind(fd, (void *)&address, len) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static bool is_used(const struct probes *p, __u32 id)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].said.id == id)
			return true;
	return false;
}

/* There are fewer sockets than ids. */
static __u32 free_id(struct probes *p)
{
	do
		p->last_id = p->last_id % (WEB_LISTENERS_MAX - 1) + 1;
	while (is_used(p, p->last_id));
	return p->last_id;
}

/* A host without IPv6 is none to complain of. */
static bool is_wrong(const struct probe *l, int err)
{
	return err && !(err == -EAFNOSUPPORT && addr_is_zero(&l->addr));
}

static void open_probe(struct probes *p, struct probe *l)
{
	char text[ENDPOINT_TEXT_MAX];
	int fd = open_socket(l);

	if (fd >= 0) {
		l->fd = fd;
		l->err = 0;
		l->said.id = free_id(p);
		l->is_news = true;
		return;
	}
	if (fd != l->err && is_wrong(l, fd)) {
		log_warning(fd, "cannot listen at %s",
			    endpoint_format(&l->addr, l->port, text));
		l->err = fd;
		if (p->failed && l->place == WEB_HEALTH_PORT)
			p->failed(p->arg, l);
	}
	l->err = fd;
}

static void tell_probe(struct probes *p, struct probe *l, enum record_type type)
{
	send_bytes(p, type, l->place, &l->said, sizeof(l->said),
		   type == RECORD_LISTEN ? l->fd : -1);
	l->is_news = false;
}

static void open_all(struct probes *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct probe *l = &p->list[i];
		bool is_new = l->fd < 0;

		if (is_new)
			open_probe(p, l);
		if (l->fd >= 0 && l->is_news)
			tell_probe(p, l, is_new ? RECORD_LISTEN :
						  RECORD_LISTENER);
	}
}

static void find_refusal(struct probes *p)
{
	char text[ENDPOINT_TEXT_MAX];

	p->refusal = (struct refusal){};
	if (p->child && !child_channel(p->child)) {
		refuse(&p->refusal, 0, "nobody is answered over HTTP: the process \"%s\" is not there",
		       web_worker.title);
		return;
	}
	for (size_t i = 0; i < p->count; i++) {
		const struct probe *l = &p->list[i];

		if (l->fd >= 0 || !is_wrong(l, l->err))
			continue;
		refuse(&p->refusal, 0, "nobody is answered at %s: %s",
		       endpoint_format(&l->addr, l->port, text),
		       strerror(-l->err));
		return;
	}
}

/* Eligible is a Node that is there and stays; where nobody follows Nodes, none
 * has to be there. */
static bool is_eligible(const struct probes *p)
{
	const struct model *m = p->applying->pending ?: p->applying->model;

	return m->node_state == MODEL_NODE_FINE ||
	       (m->node_state == MODEL_NODE_UNKNOWN && !p->is_following);
}

static void send_pulse(struct probes *p)
{
	p->pulse = (struct web_pulse){
		.waits_since_ms = p->sync->waits_since_ms,
		.updated_us = p->sync->updated_us,
		.is_eligible = is_eligible(p),
	};
	send_bytes(p, RECORD_PULSE, 0, &p->pulse, sizeof(p->pulse), -1);
}

static void send_config(struct probes *p)
{
	struct channel *c = p->child ? child_channel(p->child) : NULL;
	char *text;

	if (!c || p->config_told == p->sync->durations.count)
		return;
	text = configz_text(p->applying->model);
	if (!text)
		return;
	send_text(c, RECORD_CONFIG, 0, text, strlen(text));
	free(text);
	p->config_told = p->sync->durations.count;
}

/* How we are comes before where somebody may ask. */
static void on_begun(void *arg, struct channel *c)
{
	struct probes *p = arg;

	send_pulse(p);
	p->config_told = 0;
	send_config(p);
	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].fd >= 0)
			tell_probe(p, &p->list[i], RECORD_LISTEN);
}

static char *text_make(struct probes *p, enum web_text which, size_t *ret_len)
{
	return which == WEB_TEXT_METRICS ? metrics_text(p->metrics, ret_len) :
					   overview_text(p->overview, ret_len);
}

static const char *send_whole(struct probes *p, enum web_text which)
{
	const size_t most = RECORD_MAX / 2;
	struct channel *c = child_channel(p->child);
	size_t len = 0, done = 0;
	char *text = text_make(p, which, &len);

	if (!text)
		return "no memory for what it asks for";
	do {
		size_t part = len - done < most ? len - done : most;

		send_text(c, RECORD_TEXT, which | (done + part == len ?
						   WEB_TEXT_LAST : 0),
			  text + done, part);
		done += part;
	} while (done < len);
	free(text);
	p->asked_ms[which] = clock_ms();
	return NULL;
}

static const char *on_record(void *arg, struct record *r)
{
	struct probes *p = arg;

	if (r->type != RECORD_ASK || r->of >= NR_WEB_TEXTS)
		return "a record that is not for us";
	if (p->asked_ms[r->of] &&
	    clock_ms() - p->asked_ms[r->of] < ASK_LEAST_MS)
		return "it asks too often";
	return send_whole(p, r->of);
}

static const struct child_ops child_ops = {
	.begun = on_begun,
	.record = on_record,
};

/* The process is there while somebody can ask it. */
static void child_look(struct probes *p)
{
	bool is_open = false;

	for (size_t i = 0; i < p->count; i++)
		is_open |= p->list[i].fd >= 0;
	if (!is_open) {
		child_close(p->child);
		p->child = NULL;
	} else if (!p->child && p->spawner &&
		   child_open(p->loop, p->spawner, &child_ops, p, &p->child)) {
		log_warning(0, "nobody answers who asks how this node is");
	}
}

void probes_update(struct probes *p)
{
	struct wanted w;

	if (!p->loop || !p->applying->model)
		return;
	if (find_wanted(p, &w)) {
		free(w.list);
		return;
	}
	replace(p, &w);
	open_all(p);
	child_look(p);
	find_refusal(p);
	probes_tell(p);
	send_config(p);
}

void probes_tell(struct probes *p)
{
	struct channel *c = p->child ? child_channel(p->child) : NULL;

	if (c && !channel_is_full(c))
		send_pulse(p);
}

void probes_start(struct probes *p, struct loop *l, struct spawner *spawner)
{
	p->loop = l;
	p->spawner = spawner;
	probes_update(p);
}

void probes_stop(struct probes *p)
{
	child_close(p->child);
	p->child = NULL;
	for (size_t i = 0; i < p->count; i++)
		if (p->list[i].fd >= 0)
			close(p->list[i].fd);
	free(p->list);
	p->list = NULL;
	p->count = 0;
	p->loop = NULL;
}
