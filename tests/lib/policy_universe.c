// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See policy_universe.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "policy_universe.h"
#include "policy_words.h"

#define ANY_OF(list) (list)[any(sizeof(list) / sizeof(*(list)))]

static const char *const keys[] = { "app", "role", "tier" };
static const char *const values[] = { "a", "b", "" };
static const char *const port_names[] = { "http", "dns" };
static const __u8 protos[] = { IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP,
			       IPPROTO_SCTP };
static const __u16 numbers[] = { 53, 80, 80, 81, 443, 8080, 65535 };
static const __u16 served[] = { 79, 80, 80, 81, 81, 82 };

static void *need(void *p)
{
	if (!p)
		abort();
	return p;
}

static void *zeroed(size_t count, size_t size)
{
	return need(calloc(count ? count : 1, size));
}

static char *text_of(const char *form, unsigned int n)
{
	char *text;

	if (asprintf(&text, form, n) < 0)
		abort();
	return text;
}

static char *copy(const char *text)
{
	return need(strdup(text));
}

static int compare_workloads(const void *a, const void *b)
{
	const struct model_workload *p = *(void **)a, *q = *(void **)b;
	int order = strcmp(p->namespace, q->namespace);

	return order ? order : strcmp(p->name, q->name);
}

static int compare_policies(const void *a, const void *b)
{
	const struct model_policy *p = *(void **)a, *q = *(void **)b;
	int order = strcmp(p->namespace, q->namespace);

	return order ? order : strcmp(p->name, q->name);
}

static int compare_namespaces(const void *a, const void *b)
{
	const struct model_namespace *p = *(void **)a, *q = *(void **)b;

	return strcmp(p->name, q->name);
}

static int compare_nodes(const void *a, const void *b)
{
	const struct model_policy_node *p = *(void **)a, *q = *(void **)b;

	return strcmp(p->name, q->name);
}

void universe_add(struct universe_list *l, void *item)
{
	if (l->count == UNIVERSE_ITEMS)
		abort();
	l->item[l->count++] = item;
}

/* Those behind it move up; the item is the caller's. */
static void *take(struct universe_list *l, size_t at)
{
	void *item = l->item[at];

	memmove(&l->item[at], &l->item[at + 1],
		(--l->count - at) * sizeof(*l->item));
	return item;
}

static void put_back(struct universe_list *l, size_t at, void *item)
{
	memmove(&l->item[at + 1], &l->item[at],
		(l->count++ - at) * sizeof(*l->item));
	l->item[at] = item;
}

/* As the API has it, policies are for hosts that serve these. */
static __u16 some_number(bool as_api)
{
	return as_api ? ANY_OF(served) : ANY_OF(numbers);
}

/* Labels and selectors */

static void label(struct model_labels *l, const char *key, const char *value)
{
	l->label = need(realloc(l->label,
				(l->count + 1) * sizeof(*l->label)));
	l->label[l->count++] = (struct model_label){ copy(key), copy(value) };
}

static struct model_labels some_labels(const char *own_key, const char *own)
{
	struct model_labels l = {};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		/* in their order: app, kubernetes.io/..., role, tier */
		if (own_key && i == 1)
			label(&l, own_key, own);
		if (chance(60))
			label(&l, keys[i], ANY_OF(values));
	}
	return l;
}

static struct model_requirement some_requirement(const char *key)
{
	struct model_requirement r = { .key = copy(key), .op = any(4) };

	if (r.op != LABEL_IN && r.op != LABEL_NOT_IN)
		return r;
	r.nr_values = 1 + chance(30);
	r.values = zeroed(r.nr_values, sizeof(*r.values));
	for (size_t i = 0; i < r.nr_values; i++)
		r.values[i] = copy(i ? "b" : ANY_OF(values));
	return r;
}

static struct model_selector some_selector(void)
{
	struct model_selector s = {};

	s.requirement = zeroed(sizeof(keys) / sizeof(*keys),
			       sizeof(*s.requirement));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (chance(30))
			s.requirement[s.count++] = some_requirement(keys[i]);
	}
	return s;
}

/* Now and then by its name. */
static struct model_selector some_namespaces(const struct universe *u)
{
	const struct model_namespace *n;
	struct model_selector s = {};
	struct model_requirement *r;

	if (chance(70))
		return some_selector();
	n = u->namespaces.item[any(u->namespaces.count)];
	r = s.requirement = zeroed(1, sizeof(*s.requirement));
	s.count = r->nr_values = 1;
	r->key = copy("kubernetes.io/metadata.name");
	r->op = chance(50) ? LABEL_IN : LABEL_NOT_IN;
	r->values = zeroed(1, sizeof(*r->values));
	r->values[0] = copy(n->name);
	return s;
}

/* Who there is */

struct model_namespace *universe_namespace(const char *name)
{
	struct model_namespace *n = zeroed(1, sizeof(*n));

	n->users = 1;
	n->name = copy(name);
	n->labels = some_labels("kubernetes.io/metadata.name", name);
	return n;
}

/* Addresses of both families that end so: 10.SEGMENT.0.N, fd00:SEGMENT::N. */
static void addrs_of(struct addr addrs[static 2], unsigned int segment,
		     unsigned int n)
{
	addrs[0] = addr_of("10.0.0.0");
	addrs[0].word[3] |= htonl(segment << 16 | n);
	addrs[1] = addr_of("fd00::");
	addrs[1].word[0] |= htonl(segment);
	addrs[1].word[3] = htonl(n);
}

struct model_policy_node *universe_node(const char *name,
					const struct addr addrs[static 2])
{
	struct model_policy_node *n = zeroed(1, sizeof(*n));

	n->users = 1;
	n->name = copy(name);
	n->labels = some_labels(NULL, NULL);
	n->addrs = zeroed(2, sizeof(*n->addrs));
	n->nr_addrs = 2;
	memcpy(n->addrs, addrs, 2 * sizeof(*addrs));
	return n;
}

/* Node 0 is this one. */
static struct model_policy_node *some_node(unsigned int number)
{
	struct addr addrs[2];
	char name[32];

	snprintf(name, sizeof(name), "node-%u", number);
	addrs_of(addrs, 0, number + 1);
	return universe_node(name, addrs);
}

static void some_ports(struct model_workload *w, bool as_api)
{
	w->ports = zeroed(2 * sizeof(port_names) / sizeof(*port_names),
			  sizeof(*w->ports));
	for (size_t i = 0; i < sizeof(port_names) / sizeof(*port_names); i++) {
		__u8 proto = ANY_OF(protos);

		if (chance(60))
			w->ports[w->nr_ports++] = (struct model_named_port){
				copy(port_names[i]), proto,
				some_number(as_api) };
		if (chance(20) && proto != IPPROTO_UDP)
			w->ports[w->nr_ports++] = (struct model_named_port){
				copy(port_names[i]), IPPROTO_UDP,
				some_number(as_api) };
	}
}

struct model_workload *universe_pod(const char *namespace, const char *name,
				    const struct addr addrs[static 2])
{
	struct model_workload *w = zeroed(1, sizeof(*w));

	w->users = 1;
	w->namespace = copy(namespace);
	w->name = copy(name);
	w->labels = some_labels(NULL, NULL);
	some_ports(w, true);
	w->addrs = zeroed(2, sizeof(*w->addrs));
	w->nr_addrs = 2;
	memcpy(w->addrs, addrs, 2 * sizeof(*addrs));
	return w;
}

/* One of each family as a rule, none while a pod is about to start. */
static void some_addrs(struct model_workload *w, unsigned int segment,
		       unsigned int n)
{
	struct addr both[2];

	w->addrs = zeroed(3, sizeof(*w->addrs));
	if (chance(3))
		return;
	addrs_of(both, segment, n);
	if (chance(90))
		w->addrs[w->nr_addrs++] = both[0];
	if (chance(90) || !w->nr_addrs)
		w->addrs[w->nr_addrs++] = both[1];
	if (chance(10)) {
		addrs_of(both, segment, n + 32768);
		w->addrs[w->nr_addrs++] = both[any(2)];
	}
}

static void addrs_of_node(const struct universe *u, struct model_workload *w)
{
	size_t number = any(u->nodes.count);
	const struct model_policy_node *n = u->nodes.item[number];

	w->is_host_network = true;
	w->is_here = !strcmp(n->name, "node-0");
	w->addrs = zeroed(n->nr_addrs, sizeof(*w->addrs));
	memcpy(w->addrs, n->addrs, n->nr_addrs * sizeof(*w->addrs));
	w->nr_addrs = n->nr_addrs;
}

/* Of the same name as another one, it is that one from now on. */
static struct model_workload *some_workload(struct universe *u,
					    const struct model_workload *was)
{
	unsigned int segment = any(u->namespaces.count);
	const struct model_namespace *n = u->namespaces.item[segment];
	struct model_workload *w = zeroed(1, sizeof(*w));

	w->users = 1;
	w->namespace = copy(was ? was->namespace : n->name);
	w->name = was ? copy(was->name) : text_of("pod-%02u", u->names++);
	w->labels = some_labels(NULL, NULL);
	w->is_here = chance(70);
	some_ports(w, u->as_api);
	if (was && chance(70)) {
		w->addrs = zeroed(was->nr_addrs, sizeof(*w->addrs));
		memcpy(w->addrs, was->addrs,
		       was->nr_addrs * sizeof(*w->addrs));
		w->nr_addrs = was->nr_addrs;
		w->is_host_network = was->is_host_network;
		w->is_here = was->is_here;
	} else if (chance(8)) {
		addrs_of_node(u, w);
	} else {
		some_addrs(w, segment + 1, 1 + u->names++ % 30000);
	}
	return w;
}

const struct addr *universe_addr(const struct universe *u)
{
	const struct model_workload *w;
	const struct model_policy_node *n;

	for (int i = 0; i < 4; i++) {
		switch (any(3)) {
		case 0:
			return &u->outsiders[any(u->nr_outsiders)];
		case 1:
			n = u->nodes.item[any(u->nodes.count)];
			return &n->addrs[any(n->nr_addrs)];
		default:
			if (!u->workloads.count)
				break;
			w = u->workloads.item[any(u->workloads.count)];
			if (w->nr_addrs)
				return &w->addrs[any(w->nr_addrs)];
		}
	}
	return &u->outsiders[0];
}

/* Policies */

static bool is4(const struct addr *a)
{
	return !a->word[0] && !a->word[1] && a->word[2] == htonl(0xffff);
}

static struct model_prefix block_around(const struct addr *a, unsigned int len)
{
	struct model_prefix p = { .addr = *a, .len = len, .is_set = true };
	__u8 *byte = (__u8 *)&p.addr;

	for (unsigned int n = len; n < 128; n++)
		byte[n / 8] &= ~(0x80 >> n % 8);
	return p;
}

/* Of lengths between least, in bits of its own family, and a single address:
 * no network is of both. */
static struct model_prefix some_block(const struct addr *a, unsigned int least)
{
	static const unsigned int lens4[] = { 0, 0, 1, 8, 15, 16, 24, 25, 31,
					      32 };
	static const unsigned int lens6[] = { 0, 0, 1, 16, 32, 48, 64, 95, 97,
					      127, 128 };
	unsigned int len = is4(a) ? ANY_OF(lens4) : ANY_OF(lens6);
	unsigned int all = is4(a) ? 32 : 128;

	if (len < least)
		len = least + any(all - least + 1);
	return block_around(a, is4(a) ? len + 96 : len);
}

static unsigned int len_of(const struct model_prefix *p)
{
	return is4(&p->addr) && p->len >= 96 ? p->len - 96 : p->len;
}

static bool is_within(const struct addr *a, const struct model_prefix *p)
{
	struct model_prefix around = block_around(a, p->len);

	return is4(a) == (is4(&p->addr) && p->len >= 96) &&
	       !memcmp(&around.addr, &p->addr, sizeof(*a));
}

/* Around whom the block has: another one, or the block's first. */
static void some_exception(const struct universe *u, struct model_peer *p)
{
	unsigned int all = is4(&p->network.addr) && p->network.len >= 96 ?
			   32 : 128;
	const struct addr *a = universe_addr(u);

	if (len_of(&p->network) == all)
		return;
	for (int i = 0; i < 10 && !is_within(a, &p->network); i++)
		a = universe_addr(u);
	if (!is_within(a, &p->network))
		return;
	p->except[p->nr_except++] = some_block(a, len_of(&p->network) + 1);
}

/* What the rules of a section may be made of. */
struct shape {
	const struct universe *u;
	bool is_cluster;	/* of a ClusterNetworkPolicy */
	bool as_api;		/* and nothing but what its API can say */
	bool has_networks;	/* and nodes */
};

static struct model_peer some_network(const struct shape *s)
{
	struct model_peer p = { .kind = PEER_NETWORK };

	p.network = some_block(universe_addr(s->u), 0);
	p.except = zeroed(2, sizeof(*p.except));
	for (uint32_t n = s->is_cluster && s->as_api ? 0 : any(3); n; n--)
		some_exception(s->u, &p);
	return p;
}

static struct model_peer some_peer(const struct shape *s,
				   enum policy_action action)
{
	struct model_peer p = { .kind = PEER_PODS };

	if (s->has_networks && chance(35))
		return some_network(s);
	if (s->is_cluster && s->has_networks && chance(25))
		p.kind = PEER_NODES;
	if (s->is_cluster && !s->as_api && action == POLICY_ACCEPT &&
	    chance(5)) {
		p.kind = PEER_NOBODY;
		return p;
	}
	if (p.kind == PEER_PODS && (s->is_cluster || chance(60))) {
		p.has_namespaces = true;
		p.namespaces = some_namespaces(s->u);
	}
	if (!p.has_namespaces || chance(50))
		p.pods = some_selector();
	return p;
}

/* A ClusterNetworkPolicy's name has no protocol. */
static struct model_policy_port some_name(const struct shape *s)
{
	struct model_policy_port p = { .name = copy(ANY_OF(port_names)),
				       .proto = ANY_OF(protos) };

	if (s->is_cluster && (s->as_api || chance(50)))
		p.proto = 0;
	return p;
}

static struct model_policy_port some_port(const struct shape *s)
{
	struct model_policy_port p = { .proto = ANY_OF(protos) };

	switch (any(4)) {
	case 0:
		return some_name(s);
	case 1:
		p.last = 65535;
		return p;
	case 2:
		p.first = some_number(s->as_api);
		p.last = some_number(s->as_api);
		if (p.last < p.first)
			p.last = 65535;
		return p;
	default:
		p.first = p.last = some_number(s->as_api);
		return p;
	}
}

/* The API of clusters has it that networks and nodes have no names of ports. */
static bool may_have_names(const struct shape *s, const struct model_rule *r)
{
	for (size_t i = 0; i < r->nr_peers; i++) {
		if (r->peers[i].kind != PEER_PODS)
			return !s->is_cluster || !s->as_api;
	}
	return true;
}

static void some_rule(const struct shape *s, struct model_rule *r)
{
	r->action = s->is_cluster ? any(3) : POLICY_ACCEPT;
	if (s->is_cluster && chance(40))
		r->name = copy("named");
	r->nr_peers = s->is_cluster && s->as_api ? 1 + any(3) : any(4);
	r->peers = zeroed(r->nr_peers, sizeof(*r->peers));
	for (size_t i = 0; i < r->nr_peers; i++)
		r->peers[i] = some_peer(s, r->action);
	r->nr_ports = any(4);
	r->ports = zeroed(r->nr_ports, sizeof(*r->ports));
	for (size_t i = 0; i < r->nr_ports; i++) {
		do {
			free(r->ports[i].name);
			r->ports[i] = some_port(s);
		} while (r->ports[i].name && !may_have_names(s, r));
	}
}

static void some_rules(const struct universe *u, struct model_policy *p,
		       enum policy_direction direction)
{
	struct shape s = { .u = u, .is_cluster = p->tier != TIER_NETWORK,
			   .as_api = u->as_api };
	size_t count = any(4);
	struct model_rule *rules = zeroed(count, sizeof(*rules));

	s.has_networks = !s.is_cluster || !s.as_api ||
			 direction == POLICY_OUT;
	for (size_t i = 0; i < count; i++)
		some_rule(&s, &rules[i]);
	p->rules[direction].rule = rules;
	p->rules[direction].count = count;
}

struct model_policy *universe_policy(struct universe *u)
{
	struct model_policy *p = zeroed(1, sizeof(*p));
	const struct model_namespace *n;
	enum policy_direction d = any(2);

	p->users = 1;
	p->tier = chance(60) ? TIER_NETWORK :
		  chance(60) ? TIER_ADMIN : TIER_BASELINE;
	p->name = text_of("policy-%02u", u->names++);
	p->audit = chance(15);
	p->pods = some_selector();
	if (p->tier == TIER_NETWORK) {
		n = u->namespaces.item[any(u->namespaces.count)];
		p->namespace = copy(n->name);
		p->isolates[d] = true;
		p->isolates[!d] = chance(40);
	} else {
		p->namespace = copy("");
		p->priority = any(4);
		p->has_namespaces = true;
		p->namespaces = some_namespaces(u);
	}
	some_rules(u, p, POLICY_IN);
	some_rules(u, p, POLICY_OUT);
	return p;
}

/* A world of them */

static void some_outsiders(struct universe *u)
{
	static const char *const known[] = {
		"172.17.0.5", "172.17.1.5", "172.17.1.128", "10.1.255.250",
		"0.0.0.1", "255.255.255.254", "2001:db8::1", "2001:db8:0:1::1",
		"fd00:1::ffff", "::1:2:3", "::fffe:a01:1", "8000::1",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		u->outsiders[u->nr_outsiders++] = addr_of(known[i]);
}

/* Most are small: a difference needs little, and is found in many. */
struct universe_size universe_any_size(void)
{
	bool large = chance(3);

	return (struct universe_size){
		.namespaces = 1 + any(3), .nodes = 1 + any(2),
		.workloads = 1 + any(large ? 20 : 5),
		.policies = any(large ? 20 : 6),
	};
}

void universe_begin(struct universe *u, const struct universe_size *size)
{
	char name[32];

	some_outsiders(u);
	addrs_of(u->host, 0, 1);
	for (size_t i = 0; i < size->namespaces; i++) {
		snprintf(name, sizeof(name), "ns-%zu", i);
		universe_add(&u->namespaces, universe_namespace(name));
	}
	for (size_t i = 0; i < size->nodes; i++)
		universe_add(&u->nodes, some_node(i));
	for (size_t i = 0; i < size->workloads; i++)
		universe_add(&u->workloads, some_workload(u, NULL));
	for (size_t i = 0; i < size->policies; i++)
		universe_add(&u->policies, universe_policy(u));
}

void universe_end(struct universe *u)
{
	while (u->policies.count)
		model_policy_free(take(&u->policies, 0));
	while (u->workloads.count)
		model_workload_free(take(&u->workloads, 0));
	while (u->nodes.count)
		model_policy_node_free(take(&u->nodes, 0));
	while (u->namespaces.count)
		model_namespace_free(take(&u->namespaces, 0));
}

/* Sorted, as sets are. */
#define COPY_LIST(set, u, field) ({					\
	(set)->field = zeroed((u)->field.count, sizeof(*(set)->field));	\
	for (size_t i_ = 0; i_ < (u)->field.count; i_++) {		\
		(set)->field[i_] = (u)->field.item[i_];			\
		(set)->field[i_]->users++;				\
	}								\
	(set)->nr_##field = (u)->field.count;				\
	qsort((set)->field, (u)->field.count, sizeof(void *),		\
	      compare_##field);						\
})

struct policy_set *universe_set(const struct universe *u)
{
	struct policy_set *s = need(policy_set_new());

	COPY_LIST(s, u, namespaces);
	COPY_LIST(s, u, nodes);
	COPY_LIST(s, u, workloads);
	COPY_LIST(s, u, policies);
	return s;
}

/* Edits */

static void edit_workloads(struct universe *u, char *text)
{
	size_t at = any(u->workloads.count + 1);
	struct model_workload *w = NULL, *was;

	if (at == u->workloads.count || (chance(30) && at < 40)) {
		w = some_workload(u, NULL);
		snprintf(text, UNIVERSE_TEXT_MAX, "%s/%s comes", w->namespace,
			 w->name);
		universe_add(&u->workloads, w);
		return;
	}
	was = take(&u->workloads, at);
	if (chance(60)) {
		w = some_workload(u, was);
		universe_add(&u->workloads, w);
	}
	snprintf(text, UNIVERSE_TEXT_MAX, "%s/%s %s", was->namespace,
		 was->name, w ? "is another" : "goes");
	model_workload_free(was);
}

static void edit_policies(struct universe *u, char *text)
{
	size_t at = any(u->policies.count + 1);
	struct model_policy *p = NULL, *was;

	if (at == u->policies.count || (chance(40) && at < 12)) {
		p = universe_policy(u);
		snprintf(text, UNIVERSE_TEXT_MAX, "%s comes", p->name);
		universe_add(&u->policies, p);
		return;
	}
	was = take(&u->policies, at);
	if (chance(50)) {
		p = universe_policy(u);
		free(p->name);
		p->name = copy(was->name);
		universe_add(&u->policies, p);
	}
	snprintf(text, UNIVERSE_TEXT_MAX, "%s %s", was->name,
		 p ? "is another" : "goes");
	model_policy_free(was);
}

static void edit_namespaces(struct universe *u, char *text)
{
	void **at = &u->namespaces.item[any(u->namespaces.count)];
	struct model_namespace *was = *at;

	*at = universe_namespace(was->name);
	snprintf(text, UNIVERSE_TEXT_MAX, "labels of %s", was->name);
	model_namespace_free(was);
}

static void edit_nodes(struct universe *u, char *text)
{
	size_t number = any(u->nodes.count);
	struct model_policy_node *was = u->nodes.item[number];

	u->nodes.item[number] = some_node(number);
	snprintf(text, UNIVERSE_TEXT_MAX, "labels of %s", was->name);
	model_policy_node_free(was);
}

void universe_edit(struct universe *u, char text[static UNIVERSE_TEXT_MAX])
{
	switch (any(10)) {
	case 0:
		edit_namespaces(u, text);
		break;
	case 1:
		edit_nodes(u, text);
		break;
	case 2 ... 5:
		edit_workloads(u, text);
		break;
	default:
		edit_policies(u, text);
	}
}

/* Shrinking: what is left out is not freed, as the program is about to end. */

typedef bool differs_fn(struct universe *u);

static bool shrink_list(struct universe *u, struct universe_list *l,
			differs_fn *differs)
{
	bool done = false;

	for (size_t at = l->count; at-- > 0;) {
		void *item = take(l, at);

		if (differs(u))
			done = true;
		else
			put_back(l, at, item);
	}
	return done;
}

/* As many of count elements of size bytes as the difference needs. */
static bool shrink_array(struct universe *u, differs_fn *differs,
			 void *elements, size_t *count, size_t size)
{
	char *element = elements, *saved = zeroed(*count, size);
	bool done = false;

	for (size_t at = *count; elements && at-- > 0;) {
		memcpy(saved, elements, *count * size);
		memmove(element + at * size, element + (at + 1) * size,
			(*count - at - 1) * size);
		--*count;
		if (differs(u)) {
			done = true;
			continue;
		}
		++*count;
		memcpy(elements, saved, *count * size);
	}
	free(saved);
	return done;
}

#define SHRINK(elements, count) \
	shrink_array(u, differs, elements, &(count), sizeof(*(elements)))

static bool shrink_peer(struct universe *u, differs_fn *differs,
			struct model_peer *p)
{
	bool done = SHRINK(p->except, p->nr_except);

	done |= SHRINK(p->pods.requirement, p->pods.count);
	return SHRINK(p->namespaces.requirement, p->namespaces.count) || done;
}

static bool shrink_rule(struct universe *u, differs_fn *differs,
			struct model_rule *r)
{
	bool done = SHRINK(r->peers, r->nr_peers);

	done |= SHRINK(r->ports, r->nr_ports);
	for (size_t i = 0; i < r->nr_peers; i++)
		done |= shrink_peer(u, differs, &r->peers[i]);
	return done;
}

static bool shrink_policy(struct universe *u, differs_fn *differs,
			  struct model_policy *p)
{
	bool done = SHRINK(p->pods.requirement, p->pods.count);

	done |= SHRINK(p->namespaces.requirement, p->namespaces.count);
	for (int d = 0; d < NR_POLICY_DIRECTIONS; d++) {
		done |= SHRINK(p->rules[d].rule, p->rules[d].count);
		for (size_t i = 0; i < p->rules[d].count; i++)
			done |= shrink_rule(u, differs, &p->rules[d].rule[i]);
	}
	return done;
}

void universe_shrink(struct universe *u, bool (*differs)(struct universe *u))
{
	bool done;

	do {
		done = shrink_list(u, &u->policies, differs);
		done |= shrink_list(u, &u->workloads, differs);
		for (size_t i = 0; i < u->policies.count; i++)
			done |= shrink_policy(u, differs, u->policies.item[i]);
		for (size_t i = 0; i < u->workloads.count; i++) {
			struct model_workload *w = u->workloads.item[i];

			done |= SHRINK(w->labels.label, w->labels.count);
			done |= SHRINK(w->ports, w->nr_ports);
			done |= SHRINK(w->addrs, w->nr_addrs);
		}
	} while (done);
}
