// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See answers.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "answers.h"
#include "base/addr.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "control.h"

static json_t *text_json(const char *text)
{
	json_t *ret = *text ? json_string(text) : json_null();

	return ret ? ret : json_string("not UTF-8");
}

/* Likewise of servers that say what is wanted. */
static const char *source_is_wrong(const struct answers *a)
{
	const char *why = a->api ? api_what_is_wrong(a->api) : "";

	return *why || !a->containers ? why :
	       containers_what_is_wrong(a->containers);
}

/* Why what is served is not all that is wanted; "": it is. */
static const char *what_is_wrong(const struct answers *a)
{
	const struct refusal *all[] = {
		&a->loading->refusal, &a->applying->refusal,
		&a->applying->pins, &a->applying->uplinks->refusal,
		&a->applying->pods->refusal,
		&a->applying->enforcing->refusal,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (*all[i]->text)
			return all[i]->text;
	return source_is_wrong(a);
}

void answers_check(struct answers *a)
{
	const char *now = what_is_wrong(a);

	if (!strcmp(a->wrong.text, now))
		return;
	a->wrong_since_s = time(NULL);
	refuse(&a->wrong, 0, "%s", now);
}

static json_t *hints_json(const struct hints *h, const struct probes *p,
			  const struct checking *c)
{
	json_t *ret = json_array();

	if (*p->refusal.text)
		json_array_append_new(ret, text_json(p->refusal.text));
	if (*c->down.text)
		json_array_append_new(ret, text_json(c->down.text));

	for (enum hint hint = 0; hint < NR_HINTS; hint++)
		if (*h->told[hint].text)
			json_array_append_new(ret,
					      text_json(h->told[hint].text));
	return ret;
}

/* null: no server is followed. */
static json_t *api_json(const struct api *api)
{
	json_t *kinds = api ? json_array() : NULL;

	for (int i = 0; kinds && i < NR_KUBE_KINDS; i++) {
		const struct remote_state *s = api_state(api, i);

		if (!api_follows(api, i))
			continue;
		json_array_append_new(kinds, json_pack(
			"{s:s, s:s, s:I, s:o}", "name", api_kind_name(i),
			"state", api_state_name(s->state),
			"since", (json_int_t)s->since_s,
			"error", text_json(s->text)));
	}
	return kinds ? json_pack("{s:s, s:o}", "server", api_server(api),
				 "kinds", kinds) : json_null();
}

static void add_doubt(void *arg, const char *name, const char *why)
{
	json_array_append_new(arg, json_pack("{s:o, s:o}", "name",
					     text_json(name), "why",
					     text_json(why)));
}

/* null: none are followed. */
static json_t *containers_json(const struct containers *c)
{
	const struct containers_state *s = c ? containers_state(c) : NULL;
	json_t *doubts = c ? json_array() : NULL;

	if (!doubts)
		return json_null();
	containers_each_doubt(c, add_doubt, doubts);
	return json_pack("{s:o, s:s, s:I, s:o, s:I, s:o}",
			 "socket", text_json(containers_socket(c)),
			 "state", api_state_name(s->state),
			 "since", (json_int_t)s->since_s,
			 "error", text_json(s->text),
			 "containers", (json_int_t)containers_count(c),
			 "not_held", doubts);
}

/* What is wanted will be in force by itself, in a moment or when a server can
 * be reached again. */
static bool is_early(const struct answers *a)
{
	return a->applying->is_early ||
	       *source_is_wrong(a);
}

json_t *answers_status(struct answers *a)
{
	const struct applied *applied = parts_tables(a->parts)->applied;
	char sha256[2 * sizeof(applied->sha256) + 1];
	const char *error = a->wrong.text;

	answers_check(a);
	for (size_t i = 0; i < sizeof(applied->sha256); i++)
		sprintf(sha256 + 2 * i, "%02x", applied->sha256[i]);
	return json_pack("{s:b, s:b, s:b, s:o, s:I, s:o, s:s, s:I, s:i, s:I, "
			 "s:I, s:i, s:b, s:o, s:o, s:o}",
			 "ok", 1,
			 "synced", !*error, "early", is_early(a),
			 "error", text_json(error),
			 "error_since", (json_int_t)a->wrong_since_s,
			 "hints", hints_json(a->hints, a->probes,
						 a->checking),
			 "sha256", sha256,
			 "generation", (json_int_t)applied->generation,
			 "pid", (int)getpid(),
			 "since", (json_int_t)a->since_s,
			 "connections", (json_int_t)(a->applying->model ?
				a->applying->model->max_conns : 0),
			 "takeover", (int)dp_takeover_left(a->parts->dp),
			 "shadow", dp_is_shadow(a->parts->dp),
			 "kubernetes", api_json(a->api),
			 "docker", containers_json(a->containers),
			 "announce", announcing_status(a->announcing));
}

/* The backend of service that is at addr, if its port does not matter or is
 * the only one. Returns the port, -ENOENT or -EEXIST. */
static int port_find(const struct answers *a, const char *service,
		     const struct addr *addr)
{
	const struct tables *t = parts_tables(a->parts);
	struct state *s = a->parts->state;
	size_t count = state_services(s, NULL, 0);
	struct state_service *list = calloc(count + 1, sizeof(*list));
	int port = -ENOENT;

	if (!list)
		return -ENOMEM;
	count = state_services(s, list, count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].info->name, service))
			continue;
		for (size_t j = 0; j < list[i].nr_backends; j++) {
			const struct backend *b =
				&t->backends[list[i].backends[j]];

			if (addr_compare(&b->addr, addr))
				continue;
			port = port == -ENOENT ? ntohs(b->port) : -EEXIST;
		}
	}
	free(list);
	return port;
}

static int backend_act(const struct answers *a, const char *action,
		       const char *service, const struct addr *addr,
		       __u16 port, int weight)
{
	struct state *s = a->parts->state;
	__u32 now_s = dp_now_s();

	if (!strcmp(action, "drain"))
		return state_backend_set_state(s, service, addr, port,
					       BACKEND_DRAIN, now_s);
	if (!strcmp(action, "undrain"))
		return state_backend_set_state(s, service, addr, port,
					       BACKEND_ACTIVE, now_s);
	if (!strcmp(action, "weight"))
		return weight < 0 || weight > BACKEND_WEIGHT_MAX ? -ERANGE :
		       state_backend_set_weight(s, service, addr, port,
						weight, now_s);
	if (!strcmp(action, "default"))
		return state_backend_unset(s, service, addr, port,
					   BACKEND_SET_STATE |
					   BACKEND_SET_WEIGHT, now_s);
	return -EOPNOTSUPP;
}

json_t *answers_backend(const struct answers *a, const json_t *request)
{
	const char *action, *service, *backend;
	int weight = -1, port, err;
	struct addr addr;

	if (json_unpack((json_t *)request, "{s:s, s:s, s:s, s?i}",
			"action", &action, "service", &service,
			"backend", &backend, "weight", &weight))
		return control_refuse("action, service and backend are needed");
	if (!endpoint_parse(backend, &addr, &port))
		return control_refuse("\"%s\" is not an address and port",
				      backend);
	if (port < 0)
		port = port_find(a, service, &addr);
	if (port == -EEXIST)
		return control_refuse("service \"%s\" has several backends at "
				      "\"%s\": add the port", service, backend);
	err = port < 0 ? port :
	      backend_act(a, action, service, &addr, port, weight);
	if (err == -ENOENT)
		return control_refuse("no backend \"%s\" of service \"%s\"",
				      backend, service);
	if (err)
		return control_refuse("cannot %s \"%s\" of service \"%s\": %s",
				      action, backend, service, strerror(-err));
	log_info("by hand: %s \"%s\" of service \"%s\"", action, backend,
		 service);
	return json_pack("{s:b}", "ok", 1);
}

