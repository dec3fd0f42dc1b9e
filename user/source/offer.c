// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See offer.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "digest.h"
#include "kubernetes/address.h"
#include "kubernetes/words.h"
#include "offer.h"

#define BLANKS " \t"
#define SERVICE_NAME_LEN 63

static const char *label_of(const struct container *c, const char *key)
{
	for (size_t i = 0; i < c->labels.count; i++)
		if (!strcmp(c->labels.at[i].key, key))
			return c->labels.at[i].value;
	return NULL;
}

static void __attribute__((format(printf, 2, 3)))
mistake(struct offer *o, const char *fmt, ...)
{
	va_list args;

	if (*o->mistake)
		return;
	va_start(args, fmt);
	vsnprintf(o->mistake, sizeof(o->mistake), fmt, args);
	va_end(args);
}

/* The next of several between commas, without blanks around it, into word; it
 * is "" if it is too long. False: there is none. */
static bool next_word(const char **text, char *word, size_t size)
{
	const char *from = *text + strspn(*text, BLANKS ",");
	size_t len = strcspn(from, ",");

	*text = from + len;
	if (!*from)
		return false;
	while (len && strchr(BLANKS, from[len - 1]))
		len--;
	snprintf(word, size, "%.*s", len < size ? (int)len : 0, from);
	return true;
}

static void take_addresses(struct offer *o, const char *text)
{
	char word[ADDR_TEXT_MAX];
	struct addr a;

	while (next_word(&text, word, sizeof(word))) {
		if (!addr_parse(word, &a) || addr_is_zero(&a) ||
		    kube_addr_special(&a))
			mistake(o, "its label " OFFER_ADDRESS_LABEL
				": \"%.48s\" is no address of a service", word);
		else if (!addr_is_zero(&o->at[addr_is4(&a)]))
			mistake(o, "its label " OFFER_ADDRESS_LABEL
				" has two addresses of one family");
		else
			o->at[addr_is4(&a)] = a;
	}
}

/* 0: none. *end: behind it. */
static __u16 port_parse(const char *text, const char **end)
{
	unsigned long number = 0;

	*end = text + strspn(text, "0123456789");
	if (*end > text && *end - text <= 5)
		number = strtoul(text, NULL, 10);
	return number <= 0xffff ? number : 0;
}

/* "80", "80:8080", "53/udp", "53:5353/udp" */
static bool port_take(const char *word, struct offer_port *ret)
{
	const char *end;

	ret->port = ret->target = port_parse(word, &end);
	if (ret->port && *end == ':')
		ret->target = port_parse(end + 1, &end);
	ret->proto = IPPROTO_TCP;
	if (!strcasecmp(end, "/udp"))
		ret->proto = IPPROTO_UDP;
	else if (!strcasecmp(end, "/sctp"))
		ret->proto = IPPROTO_SCTP;
	else if (*end && strcasecmp(end, "/tcp"))
		return false;
	return ret->port && ret->target;
}

static bool has_port(const struct offer_port *list, size_t nr,
		     const struct offer_port *p)
{
	for (size_t i = 0; i < nr; i++)
		if (list[i].port == p->port && list[i].proto == p->proto)
			return true;
	return false;
}

static void take_ports(struct offer *o, const char *text)
{
	struct offer_port p;
	char word[32];

	while (next_word(&text, word, sizeof(word))) {
		if (!port_take(word, &p))
			mistake(o, "its label " OFFER_PORTS_LABEL
				": \"%s\" is not PORT[:PORT][/PROTOCOL]", word);
		else if (has_port(o->ports, o->nr_ports, &p))
			mistake(o, "its label " OFFER_PORTS_LABEL
				" has port %u twice", p.port);
		else if (o->nr_ports == OFFER_PORTS_MAX)
			mistake(o, "its label " OFFER_PORTS_LABEL
				" has more than %u ports", OFFER_PORTS_MAX);
		else
			o->ports[o->nr_ports++] = p;
	}
	if (!o->nr_ports)
		mistake(o, "its label " OFFER_PORTS_LABEL " names no port");
}

/* Those in the network that it was made with. */
static void take_own(struct offer *o, const struct container *c)
{
	const struct container_end *e = &c->ends[0];

	for (size_t i = 0; container_pods(c) && i < e->nr_addrs; i++)
		if (addr_is_zero(&o->own[addr_is4(&e->addrs[i])]))
			o->own[addr_is4(&e->addrs[i])] = e->addrs[i];
	if (addr_is_zero(&o->own[0]) && addr_is_zero(&o->own[1]))
		mistake(o, "it has no address of its own to be reached at");
}

static bool is_name(const char *text)
{
	return *text && strlen(text) <= SERVICE_NAME_LEN &&
	       !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

bool offer_read(const struct container *c, struct offer *ret)
{
	const char *service = label_of(c, OFFER_SERVICE_LABEL);

	memset(ret, 0, sizeof(*ret));
	ret->is_ready = !c->is_unwell;
	if (!service)
		return false;
	strcpy(ret->namespace, c->namespace);
	strcpy(ret->name, c->name);
	if (!is_name(service)) {
		mistake(ret, "its label " OFFER_SERVICE_LABEL
			" is no name: up to %u of a-z, 0-9 and -",
			SERVICE_NAME_LEN);
		service = "";
	}
	strcpy(ret->service, service);
	take_addresses(ret, label_of(c, OFFER_ADDRESS_LABEL) ?: "");
	take_ports(ret, label_of(c, OFFER_PORTS_LABEL) ?: "");
	take_own(ret, c);
	return true;
}

static int compare_services(const struct offer *a, const struct offer *b)
{
	return strcmp(a->namespace, b->namespace) ?:
	       strcmp(a->service, b->service);
}

int offer_compare(const struct offer *a, const struct offer *b)
{
	return compare_services(a, b) ?: strcmp(a->name, b->name);
}

bool offer_is_of_same(const struct offer *a, const struct offer *b)
{
	return !compare_services(a, b);
}

static bool says_address(const struct offer *const *list, size_t nr,
			 bool is4, const struct addr *a)
{
	for (size_t i = 0; i < nr; i++)
		if (!*list[i]->mistake &&
		    !addr_compare(&list[i]->at[is4], a))
			return true;
	return false;
}

void offer_addresses(const struct offer *const *list, size_t nr,
		     struct addr at[2])
{
	for (int is4 = 0; is4 < 2; is4++) {
		if (!addr_is_zero(&at[is4]) &&
		    says_address(list, nr, is4, &at[is4]))
			continue;
		at[is4] = (struct addr){};
		for (size_t i = 0; i < nr && addr_is_zero(&at[is4]); i++)
			if (!*list[i]->mistake)
				at[is4] = list[i]->at[is4];
	}
}

static const char *text_of(struct kube_object *o, const char *text)
{
	return kube_text(o, text, strlen(text));
}

static bool add_text(struct kube_object *o, struct kube_list *list,
		     const char *text)
{
	const char **to = kube_append(o, list, sizeof(*to));

	if (to)
		*to = text_of(o, text);
	return to && *to;
}

static bool add_address(struct kube_object *o, struct kube_list *list,
			const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	return add_text(o, list, addr_format(a, text));
}

/* What both a Service and its slices call it: "80-TCP". */
static bool name_port(struct kube_object *o, const struct offer_port *p,
		      const char **name, const char **protocol)
{
	const char *proto = p->proto == IPPROTO_UDP ? "UDP" :
			    p->proto == IPPROTO_SCTP ? "SCTP" : "TCP";
	char text[32];

	snprintf(text, sizeof(text), "%u-%s", p->port, proto);
	*name = text_of(o, text);
	*protocol = text_of(o, proto);
	return *name && *protocol;
}

static bool named_as(struct kube_object *o, const char *namespace,
		     const char *name)
{
	o->namespace = text_of(o, namespace);
	o->name = text_of(o, name);
	return o->namespace && o->name;
}

static bool add_port(struct kube_object *o, const struct offer_port *p)
{
	struct kube_port *known = o->service.ports.items, *to;

	for (__u32 i = 0; i < o->service.ports.count; i++)
		if (known[i].port == p->port &&
		    kube_proto(known[i].protocol) == p->proto)
			return true;
	to = kube_append(o, &o->service.ports, sizeof(*to));
	if (!to)
		return false;
	to->port = p->port;
	return name_port(o, p, &to->name, &to->protocol);
}

static bool is_elsewhere(const struct offer *o, bool is4,
			 const struct addr at[2])
{
	return !addr_is_zero(&o->at[is4]) &&
	       addr_compare(&o->at[is4], &at[is4]);
}

/* Whose addresses are not all the service's, has no say in its ports. */
static bool add_ports(struct kube_object *o, const struct offer *from,
		      const struct addr at[2])
{
	if (*from->mistake || is_elsewhere(from, false, at) ||
	    is_elsewhere(from, true, at))
		return true;
	for (size_t i = 0; i < from->nr_ports; i++)
		if (!add_port(o, &from->ports[i]))
			return false;
	return true;
}

static __u64 digest_ports(__u64 d, const struct offer *o)
{
	for (size_t i = 0; i < o->nr_ports; i++) {
		const struct offer_port *p = &o->ports[i];
		const __u32 words[] = { p->port, p->target, p->proto };

		d = digest_add(d, words, sizeof(words));
	}
	return d;
}

static __u64 service_digest(const struct kube_object *o,
			    const struct addr at[2])
{
	__u64 d = digest_text(0, o->namespace);
	const struct kube_port *p;

	d = digest_text(d, o->name);
	d = digest_add(d, at, 2 * sizeof(at[0]));
	kube_each(p, &o->service.ports)
		d = digest_text(d, p->name);
	return d;
}

struct kube_object *offer_service(const struct offer *const *list, size_t nr,
				  const struct addr at[2])
{
	__cleanup(kube_object_freep) struct kube_object *o =
		kube_object_new(KUBE_SERVICE);

	if (!o || !named_as(o, list[0]->namespace, list[0]->service))
		return NULL;
	for (int is4 = 1; is4 >= 0; is4--)
		if (!addr_is_zero(&at[is4]) &&
		    !add_address(o, &o->service.cluster_ips, &at[is4]))
			return NULL;
	for (size_t i = 0; i < nr; i++)
		if (!add_ports(o, list[i], at))
			return NULL;
	if (addr_is_zero(&at[0]) && addr_is_zero(&at[1]))
		kube_mistake(o, o->at,
			     "no container of it has a label " OFFER_ADDRESS_LABEL
			     " that says where it is reached");
	if (kube_object_default(o) || kube_object_check(o))
		return NULL;
	o->digest = service_digest(o, at);
	return take_ptr(o);
}

static __u64 slice_digest(const struct offer *o, bool is4, bool is_lost)
{
	__u64 d = digest_text(1, o->namespace);

	d = digest_text(d, o->service);
	d = digest_text(d, o->name);
	d = digest_text(d, o->mistake);
	d = digest_add(d, &is4, sizeof(is4));
	d = digest_add(d, &is_lost, sizeof(is_lost));
	d = digest_add(d, &o->is_ready, sizeof(o->is_ready));
	d = digest_add(d, &o->own[is4], sizeof(o->own[is4]));
	return digest_ports(d, o);
}

static bool add_endpoint(struct kube_object *o, const struct offer *from,
			 bool is4)
{
	struct kube_endpoint *e = kube_append(o, &o->slice.endpoints,
					      sizeof(*e));

	if (!e || !add_address(o, &e->addresses, &from->own[is4]))
		return false;
	e->ready = from->is_ready ? KUBE_TRUE : KUBE_FALSE;
	e->serving = e->ready;
	for (size_t i = 0; i < from->nr_ports; i++) {
		struct kube_slice_port *p = kube_append(o, &o->slice.ports,
							sizeof(*p));

		if (!p || !name_port(o, &from->ports[i], &p->name,
				     &p->protocol))
			return false;
		p->port = from->ports[i].target;
	}
	return true;
}

struct kube_object *offer_slice(const struct offer *o, bool is4,
				const struct addr at[2])
{
	__cleanup(kube_object_freep) struct kube_object *s =
		kube_object_new(KUBE_SLICE);
	const bool is_lost = is_elsewhere(o, is4, at);
	const char *family = is4 ? "IPv4" : "IPv6";
	char text[ADDR_TEXT_MAX], name[CONTAINER_NAME_MAX + 8];

	snprintf(name, sizeof(name), "%s.%s", o->name, family);
	if (!s || !named_as(s, o->namespace, name))
		return NULL;
	s->slice.service = text_of(s, o->service);
	s->slice.address_type = text_of(s, family);
	if (!s->slice.service || !s->slice.address_type)
		return NULL;
	if (*o->mistake)
		kube_mistake(s, s->at, "%s", o->mistake);
	else if (is_lost)
		kube_mistake(s, s->at, "its label " OFFER_ADDRESS_LABEL
			     " says %s, other containers of \"%s\" another",
			     addr_format(&o->at[is4], text), o->service);
	else if (!addr_is_zero(&o->own[is4]) && !add_endpoint(s, o, is4))
		return NULL;
	if (kube_object_default(s) || kube_object_check(s))
		return NULL;
	s->digest = slice_digest(o, is4, is_lost);
	return take_ptr(s);
}
