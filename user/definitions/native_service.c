// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One service of a document: what each key says, and what they say together. */
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "base/addr.h"
#include "model/service_field.h"
#include "native.h"


/* The keys of a service, the plain ones as model/service_field.h has them. */
enum service_key {
	KEY_NAME,
	KEY_ADDRESS,
	KEY_ADDRESSES,
	KEY_PORT,
#define X(name, key, field, text) KEY_##name,
	SERVICE_FIELDS(X)
#undef X
	KEY_SOURCES,
	KEY_HEALTH,
	KEY_BACKENDS,
	NR_SERVICE_KEYS,
};

static const char *const service_keys[] = {
	[KEY_NAME] = "name",
	[KEY_ADDRESS] = "address",
	[KEY_ADDRESSES] = "addresses",
	[KEY_PORT] = "port",
#define X(name, key, field, text) [KEY_##name] = key,
	SERVICE_FIELDS(X)
#undef X
	[KEY_SOURCES] = "sources",
	[KEY_HEALTH] = "health",
	[KEY_BACKENDS] = "backends",
	[NR_SERVICE_KEYS] = NULL,
};

/* Words for FORWARD_IPIP that also say which families are meant. */
enum tunnel_families { FAMILIES_ANY, FAMILIES_6IN6, FAMILIES_6OVER4 };

static const struct {
	enum forward forward;
	enum tunnel_families families;
} forwards[] = {
	{ FORWARD_NAT, FAMILIES_ANY },
	{ FORWARD_L2, FAMILIES_ANY },
	{ FORWARD_IPIP, FAMILIES_ANY },
	{ FORWARD_IPIP, FAMILIES_6IN6 },
	{ FORWARD_IPIP, FAMILIES_6OVER4 },
	{ FORWARD_GUE, FAMILIES_ANY },
	{ FORWARD_GRE, FAMILIES_ANY },
	{ FORWARD_GENEVE, FAMILIES_ANY },
};

static const char *const forward_words[] = {
	"nat", "l2", "ipip", "ip6ip6", "ip4ip6", "gue", "gre", "geneve", NULL
};

static const char *const algorithm_words[] = {
	[ALGORITHM_MAGLEV] = "maglev",
	[ALGORITHM_RANDOM] = "random",
	[ALGORITHM_ROUND_ROBIN] = "round-robin",
	NULL
};

static const char *const proto_words[] = { "tcp", "udp", "sctp", NULL };

/* A service while it is being read. */
struct context {
	struct reader *r;
	struct model_service *s;
	const struct tree_node *v[NR_SERVICE_KEYS];
	enum tunnel_families families;
	struct read_front *fronts; /* in order of their addresses; owned */
	size_t nr_fronts;
	__u16 port_first, port_last; /* of all of them */
	bool knows_addr;	/* what follows from it can be judged */
	bool knows_port;
	bool knows_forward;
};

/* A front end, and where it stands once they are sorted. */
struct read_front {
	struct model_front front;
	const struct tree_node *at;
};

/* A backend, and where it stands once they are sorted. */
struct read_backend {
	struct model_backend backend;
	const struct tree_node *at;
};

static struct place place_of(const struct tree_node *n)
{
	return (struct place){ n->line, n->column };
}

static void read_name(struct context *c, const struct tree_node *whole)
{
	const char *text;

	if (!c->v[KEY_NAME])
		reader_error(c->r, whole, "a service has no \"name\"");
	else if (value_name(c->r, c->v[KEY_NAME], "name", SERVICE_NAME_MAX - 1,
			    &text))
		c->s->name = reader_strdup(c->r, text);
}

/* One address; what ports it has, read_fronts() knows. */
static bool read_addr(struct context *c, const struct tree_node *n)
{
	struct read_front *f = &c->fronts[c->nr_fronts];
	unsigned int len = 0;

	if (!value_cidr(c->r, n, "address", &f->front.addr, &len))
		return false;
	f->front.prefix_len = len;
	f->at = n;
	c->nr_fronts++;
	return true;
}

/* The nodes of addresses: of a list, or the only one. NULL: said why. */
static const struct tree_node *addrs_of(struct context *c,
					const struct tree_node *whole)
{
	const struct tree_node *one = c->v[KEY_ADDRESS];
	const struct tree_node *list = c->v[KEY_ADDRESSES];

	if (one && list)
		reader_error(c->r, list,
			     "\"address\" and \"addresses\" in one service");
	else if (!one && !list)
		reader_error(c->r, whole, "a service has no \"address\"");
	else if (list && list->kind != TREE_SEQUENCE)
		reader_error(c->r, list, "addresses needs a list");
	else if (list && !list->count)
		reader_error(c->r, list, "addresses is empty");
	else if (list && list->count > FRONTS_PER_SERVICE_MAX)
		reader_error(c->r, list,
			     "a service has %u addresses; at most %u are allowed",
			     list->count, FRONTS_PER_SERVICE_MAX);
	else
		return one ? one : list->first;
	return NULL;
}

static void read_addrs(struct context *c, const struct tree_node *whole)
{
	const struct tree_node *n = addrs_of(c, whole);
	const struct tree_node *list = c->v[KEY_ADDRESSES];

	if (!n)
		return;
	c->fronts = calloc(list ? list->count : 1, sizeof(*c->fronts));
	if (!c->fronts) {
		c->r->no_memory = true;
		return;
	}
	c->knows_addr = true;
	for (; n; n = list ? n->next : NULL)
		c->knows_addr &= read_addr(c, n);
}

/* NAT and l2 change no family, and every backend serves every front end. */
static void check_one_family(struct context *c)
{
	bool is4 = addr_is4(&c->fronts[0].front.addr);

	if (c->s->forward != FORWARD_NAT && c->s->forward != FORWARD_L2)
		return;
	for (size_t i = 1; i < c->nr_fronts; i++) {
		if (addr_is4(&c->fronts[i].front.addr) == is4)
			continue;
		reader_error(c->r, c->fronts[i].at,
			     "address \"%s\" is %s, the first one %s: forward \"%s\" needs one family, a tunnel such as \"ipip\" takes both",
			     c->fronts[i].at->text, is4 ? "IPv6" : "IPv4",
			     is4 ? "IPv4" : "IPv6",
			     forward_name(c->s->forward));
		return;
	}
}

static int compare_fronts(const void *a, const void *b)
{
	const struct read_front *x = a, *y = b;

	return model_front_compare(&x->front, &y->front);
}

/* Into the model, with their places. */
static void keep_fronts(struct context *c, struct native_service *to)
{
	struct model_front *f;

	if (!c->nr_fronts)
		return;
	if (c->knows_addr && c->knows_forward)
		check_one_family(c);
	if (native_fronts_make(to, c->nr_fronts)) {
		c->r->no_memory = true;
		return;
	}
	qsort(c->fronts, c->nr_fronts, sizeof(*c->fronts), compare_fronts);
	for (size_t i = 0; i < c->nr_fronts; i++) {
		f = &to->service->fronts[i];
		*f = c->fronts[i].front;
		f->port_first = c->port_first;
		f->port_last = c->port_last;
		to->fronts[i].at = place_of(c->fronts[i].at);
	}
}

static void read_port(struct context *c, const struct tree_node *whole)
{
	if (!c->v[KEY_PORT]) {
		reader_error(c->r, whole,
			     "a service has no \"port\"; every port is \"*\"");
		return;
	}
	c->knows_port = value_port_any(c->r, c->v[KEY_PORT], "port",
				       &c->port_first, &c->port_last);
}

static void read_proto(struct context *c)
{
	int i = 0;

	if (c->v[KEY_PROTOCOL])
		i = value_choice(c->r, c->v[KEY_PROTOCOL], "protocol",
				 proto_words);
	if (i >= 0)
		c->s->proto = proto_number(proto_words[i]);
}

static void read_forward(struct context *c)
{
	int i = 0;

	if (c->v[KEY_FORWARD])
		i = value_choice(c->r, c->v[KEY_FORWARD], "forward",
				 forward_words);
	if (i < 0)
		return;
	c->knows_forward = true;
	c->s->forward = forwards[i].forward;
	c->families = forwards[i].families;
}

static void read_algorithm(struct context *c)
{
	const struct tree_node *n = c->v[KEY_ALGORITHM];
	int i;

	if (!n)
		return;
	if (n->kind == TREE_SCALAR && !strcmp(n->text, "least-connections")) {
		reader_error(c->r, n, "algorithm \"%s\" is not available yet",
			     n->text);
		return;
	}
	i = value_choice(c->r, n, "algorithm", algorithm_words);
	if (i >= 0)
		c->s->algorithm = i;
}

static void read_affinity(struct context *c)
{
	static const char *const keys[] = { "client", NULL };
	const struct tree_node *client = NULL;
	const struct tree_node *n = c->v[KEY_AFFINITY];

	if (!n)
		return;
	value_keys(c->r, n, "affinity", keys, &client);
	if (client)
		value_seconds(c->r, client, "affinity: client",
			      &c->s->affinity_s);
	else if (n->kind == TREE_MAPPING)
		reader_error(c->r, n, "affinity has no \"client\"");
}

static void read_udp(struct context *c)
{
	static const char *const words[] = { "flow", "stateless", NULL };
	const struct tree_node *n = c->v[KEY_UDP];
	int i;

	if (!n)
		return;
	i = value_choice(c->r, n, "udp", words);
	c->s->stateless = i == 1;
	if (c->s->proto && c->s->proto != IPPROTO_UDP)
		reader_error(c->r, n, "\"udp\" in a service of protocol %s",
			     proto_name(c->s->proto));
	else if (c->s->stateless && c->v[KEY_AFFINITY])
		reader_error(c->r, n,
			     "affinity keeps state: not together with \"udp: stateless\"");
}

enum backend_key { BACKEND_KEY_ADDRESS, BACKEND_KEY_PORT, BACKEND_KEY_WEIGHT,
		   BACKEND_KEY_STATE, NR_BACKEND_KEYS };

static const char *const backend_keys[] = {
	[BACKEND_KEY_ADDRESS] = "address",
	[BACKEND_KEY_PORT] = "port",
	[BACKEND_KEY_WEIGHT] = "weight",
	[BACKEND_KEY_STATE] = "state",
	[NR_BACKEND_KEYS] = NULL,
};

static bool has_one_port(const struct context *c)
{
	return c->port_first == c->port_last;
}

/* The packet that a backend gets by l2 or a tunnel has the service's port. */
static void check_backend_port(struct context *c, const struct tree_node *n,
			       __u16 port)
{
	const struct model_service *s = c->s;

	if (!c->knows_forward || s->forward == FORWARD_NAT)
		return;
	if (!has_one_port(c))
		reader_error(c->r, n,
			     "a backend's port in a service of several ports: forward \"%s\" keeps the client's port, only \"nat\" rewrites it",
			     c->v[KEY_FORWARD]->text);
	else if (port != c->port_first)
		reader_error(c->r, n,
			     "backend port %u is not the service's port %u: forward \"%s\" keeps the port, only \"nat\" rewrites it",
			     port, c->port_first, c->v[KEY_FORWARD]->text);
}

static void read_backend_port(struct context *c, const struct tree_node *n,
			      __u16 *ret)
{
	*ret = has_one_port(c) ? c->port_first : 0;
	if (!n || !value_port(c->r, n, "backend port", ret) || !c->knows_port)
		return;
	check_backend_port(c, n, *ret);
	if (c->s->forward != FORWARD_NAT && !has_one_port(c))
		*ret = 0;
}

static void check_tunnel_families(struct context *c, const struct tree_node *n,
				  bool vip_is4, bool backend_is4)
{
	if (c->families == FAMILIES_6IN6 && (vip_is4 || backend_is4))
		reader_error(c->r, n,
			     "forward \"ip6ip6\" is IPv6 in IPv6, but %s is IPv4; \"ipip\" takes any",
			     vip_is4 ? "the service" : "the backend");
	else if (c->families == FAMILIES_6OVER4 && vip_is4)
		reader_error(c->r, n,
			     "forward \"ip4ip6\" is IPv6 over IPv4, but the service is IPv4; \"ipip\" takes any");
	else if (c->families == FAMILIES_6OVER4 && !backend_is4)
		reader_error(c->r, n,
			     "forward \"ip4ip6\" is IPv6 over IPv4, but the backend is IPv6; \"ipip\" takes any");
}

/* Of one front end and the backend that n says. */
static void check_front_families(struct context *c, const struct tree_node *n,
				 bool vip_is4, bool backend_is4)
{
	if (c->s->forward != FORWARD_NAT && c->s->forward != FORWARD_L2)
		check_tunnel_families(c, n, vip_is4, backend_is4);
	else if (vip_is4 != backend_is4)
		reader_error(c->r, n,
			     "backend \"%s\" is %s, the service %s: forward \"%s\" needs one family, a tunnel such as \"ipip\" takes both",
			     n->text, backend_is4 ? "IPv4" : "IPv6",
			     vip_is4 ? "IPv4" : "IPv6",
			     forward_name(c->s->forward));
}

static void check_families(struct context *c, const struct tree_node *n,
			   const struct addr *backend)
{
	unsigned int before = c->r->report->count;

	if (!c->knows_addr || !c->knows_forward)
		return;
	for (size_t i = 0; i < c->nr_fronts; i++) {
		check_front_families(c, n, addr_is4(&c->fronts[i].front.addr),
				     addr_is4(backend));
		if (c->r->report->count != before)
			return;
	}
}

static bool read_backend(struct context *c, const struct tree_node *n,
			 struct model_backend *ret)
{
	static const char *const states[] = { "active", "drain", NULL };
	const struct tree_node *v[NR_BACKEND_KEYS] = {};
	unsigned int before = c->r->report->count;
	__u32 weight = 100;
	int state = 0;

	value_keys(c->r, n, "a backend", backend_keys, v);
	if (v[BACKEND_KEY_ADDRESS]) {
		if (value_addr(c->r, v[BACKEND_KEY_ADDRESS], "backend address",
			       &ret->addr))
			check_families(c, v[BACKEND_KEY_ADDRESS], &ret->addr);
	} else if (n->kind == TREE_MAPPING) {
		reader_error(c->r, n, "a backend has no \"address\"");
	}
	read_backend_port(c, v[BACKEND_KEY_PORT], &ret->port);
	if (v[BACKEND_KEY_WEIGHT])
		value_number(c->r, v[BACKEND_KEY_WEIGHT], "weight", 0,
			     BACKEND_WEIGHT_MAX, &weight);
	if (v[BACKEND_KEY_STATE])
		state = value_choice(c->r, v[BACKEND_KEY_STATE], "state",
				     states);
	ret->weight = weight;
	ret->state = state == 1 ? BACKEND_DRAIN : BACKEND_ACTIVE;
	return c->r->report->count == before;
}

static int compare_backends(const void *a, const void *b)
{
	const struct read_backend *x = a, *y = b;
	int order = addr_compare(&x->backend.addr, &y->backend.addr);

	if (order)
		return order;
	if (x->backend.port != y->backend.port)
		return x->backend.port < y->backend.port ? -1 : 1;
	return x->at->line != y->at->line ?
	       (x->at->line < y->at->line ? -1 : 1) :
	       (x->at->column < y->at->column ? -1 : 1);
}

static void check_duplicates(struct context *c, const struct read_backend *list,
			     size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct model_backend *a = &list[i - 1].backend;
		const struct model_backend *b = &list[i].backend;
		char text[ADDR_TEXT_MAX];

		if (a->port != b->port || addr_compare(&a->addr, &b->addr))
			continue;
		reader_error(c->r, list[i].at,
			     "backend \"%s\" with port %u is listed already at %s:%u:%u",
			     addr_format(&b->addr, text), b->port, c->r->path,
			     c->r->first_line + list[i - 1].at->line,
			     list[i - 1].at->column);
	}
}

static void keep_backends(struct context *c, struct read_backend *list,
			  size_t count)
{
	struct model_service *s = c->s;

	qsort(list, count, sizeof(*list), compare_backends);
	check_duplicates(c, list, count);
	s->backends = calloc(count ?: 1, sizeof(*s->backends));
	if (!s->backends) {
		c->r->no_memory = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		s->backends[i] = list[i].backend;
	s->nr_backends = count;
}

static void read_backends(struct context *c)
{
	const struct tree_node *list = c->v[KEY_BACKENDS];
	struct read_backend *read;
	size_t count = 0;

	if (!list || !value_list(c->r, list, "backends"))
		return;
	if (list->count > BACKENDS_PER_SERVICE_MAX) {
		reader_error(c->r, list,
			     "a service has %u backends; at most %u are allowed",
			     list->count, BACKENDS_PER_SERVICE_MAX);
		return;
	}
	read = calloc(list->count ?: 1, sizeof(*read));
	if (!read) {
		c->r->no_memory = true;
		return;
	}
	for (const struct tree_node *n = list->first; n; n = n->next) {
		read[count].at = n;
		if (read_backend(c, n, &read[count].backend))
			count++;
		else
			read[count] = (struct read_backend){};
	}
	keep_backends(c, read, count);
	free(read);
}

static void read_idle(struct context *c)
{
	if (c->v[KEY_IDLE])
		value_seconds(c->r, c->v[KEY_IDLE], "idle", &c->s->idle_s);
}

static void (*const field_readers[NR_SERVICE_FIELDS])(struct context *c) = {
	[SERVICE_FIELD_PROTOCOL] = read_proto,
	[SERVICE_FIELD_FORWARD] = read_forward,
	[SERVICE_FIELD_ALGORITHM] = read_algorithm,
	[SERVICE_FIELD_AFFINITY] = read_affinity,
	[SERVICE_FIELD_UDP] = read_udp,
	[SERVICE_FIELD_IDLE] = read_idle,
};

/* Of a service with many ports, a backend's is no answer. */
static void check_health_port(struct context *c)
{
	const struct model_health *h = &c->s->health;
	bool has_port = c->port_first == c->port_last;

	for (size_t i = 0; i < c->s->nr_backends && !has_port; i++)
		has_port = c->s->backends[i].port;
	for (size_t i = 0; i < h->nr_checks && !has_port; i++)
		if (!h->checks[i].spec.port &&
		    h->checks[i].spec.kind != PROBE_ICMP) {
			reader_error(c->r, c->v[KEY_HEALTH],
				     "health needs a \"port\": the service has many");
			return;
		}
}

static void read_keys(struct context *c, const struct tree_node *n,
		      struct native_service *ret)
{
	read_name(c, n);
	read_addrs(c, n);
	read_port(c, n);
	for (int i = 0; i < NR_SERVICE_FIELDS; i++)
		field_readers[i](c);
	keep_fronts(c, ret);
	if (c->v[KEY_SOURCES])
		native_read_sources(c->r, c->v[KEY_SOURCES], c->knows_addr,
				    c->s);
	if (c->v[KEY_HEALTH])
		native_read_health(c->r, c->v[KEY_HEALTH], &c->s->health);
	read_backends(c);
	if (c->knows_port && c->v[KEY_HEALTH])
		check_health_port(c);
}

bool native_read_service(struct reader *r, const struct tree_node *n,
			 struct native_service *ret)
{
	struct context c = { .r = r, .s = ret->service };
	unsigned int before = r->report->count;

	value_keys(r, n, "a service", service_keys, c.v);
	if (n->kind != TREE_MAPPING)
		return false;
	read_keys(&c, n, ret);
	free(c.fronts);
	if (r->report->count != before || r->no_memory)
		return false;
	ret->name_at = place_of(c.v[KEY_NAME]);
	return true;
}
